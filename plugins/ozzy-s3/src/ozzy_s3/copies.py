"""Objects that S3 copies itself: whole in one request, or in parts that become an object when they are completed."""

import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Final

import attrs

from ozzy import SourceError
from ozzy_s3.client import Connection, status_of
from ozzy_s3.uploads import PARTS, Upload, Uploads
from ozzy_s3.wire import Answer, quoted

WHOLE: Final = 1 << 30
"""Bytes of an object that is copied in one request, at the most. S3 allows 5 GiB; parts of a large one are copied side by side."""

SMALL: Final = 1 << 20
"""Bytes of an object that is read and put, at the most, where it can't be copied in one request."""

PART: Final = 256 << 20
"""Bytes of a part, unless there would be too many."""

REFUSED: Final = frozenset({"PreconditionFailed", "412"})
_GONE: Final = frozenset({"NoSuchKey", "404"})
_UNABLE: Final = frozenset({"NotImplemented", "501"})
_HEADERS: Final = {
    "ACL": "x-amz-acl",
    "StorageClass": "x-amz-storage-class",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "Tagging": "x-amz-tagging",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
}
"""How what S3 is to know of an object stands in a request."""

Source = dict[str, str]
"""Where an object is copied from: `bucket`, `key` and `etag`. Plain JSON, for receipts."""


def headers_of(facts: dict[str, Any]) -> dict[str, str]:
    """The headers that tell S3 what it is to know of an object, and under which condition it is put.

    >>> headers_of({"StorageClass": "STANDARD_IA", "Metadata": {"total": "3"}})
    {'x-amz-storage-class': 'STANDARD_IA', 'x-amz-meta-total': '3'}
    """
    headers = {_HEADERS[name]: value for name, value in facts.items() if name != "Metadata"}
    return headers | {f"x-amz-meta-{name}": value for name, value in facts.get("Metadata", {}).items()}


def put_object(connection: Connection, key: str, what: str, content: bytes, facts: dict[str, Any]) -> bool:
    """Put an object in one request, with its checksum; False where its condition is not met."""
    crc32 = b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    headers = headers_of(facts) | {"x-amz-checksum-crc32": crc32}
    return isinstance(connection.plain("PUT", key, what, headers, body=content, codes=REFUSED), Answer)


def changed(source: Source, *, gone: bool = False) -> SourceError:
    """The error of a source that is no longer what it was when the run began."""
    return SourceError(
        f"s3://{source['bucket']}/{source['key']} {'is gone' if gone else 'has changed'} since the run began",
        hint="What was read of it before may no longer be true. Start a new run with --fresh, once nothing writes to it.",
    )


@attrs.define
class Copies:
    """The server-side copies of one writer in one run.

    Where nothing may be overwritten, a copy in one request needs a server that honours `If-None-Match` of a copy, as Amazon's does.
    Whether this one does is asked once, by copying onto an object that this run has just put there. Where that is not refused, a small
    object is read and put, and any other, like all of more than WHOLE bytes, is copied in parts: both are conditional everywhere.
    """

    connection: Connection
    uploads: Uploads
    _conditional: bool | None = attrs.field(default=None, init=False)
    _asking: Any = attrs.field(factory=Lock, init=False)
    _opening: Any = attrs.field(factory=Lock, init=False)
    _sources: dict[str, Connection] = attrs.field(factory=dict, init=False)

    def in_parts(self, key: str, source: Source, size: int, facts: dict[str, Any]) -> Upload:
        """Copy all parts of an object, and do not complete it."""
        part_size = max(PART, -(-size // PARTS))
        what = f"copying to {self.connection.address(key)}"

        def part(at: int) -> dict[str, str]:
            start = at * part_size
            more = {"CopySourceRange": f"bytes={start}-{min(start + part_size, size) - 1}"} if size > part_size else {}
            answer = self.connection.call(
                "upload_part_copy",
                what,
                codes=REFUSED | {"NoSuchKey"},
                Key=key,
                UploadId=number,
                PartNumber=at + 1,
                CopySource={"Bucket": source["bucket"], "Key": source["key"]},
                CopySourceIfMatch=f'"{source["etag"]}"',
                **more,
            )
            if not isinstance(answer, dict):
                raise changed(source, gone=answer == "NoSuchKey")
            copied: dict[str, str] = answer["CopyPartResult"]
            return {name: copied[name] for name in ("ETag", "ChecksumCRC32") if name in copied}

        number = self.uploads.begun(key, what, facts)
        with ThreadPoolExecutor(self.uploads.parallel, "s3-copy") as threads:
            return {"id": number, "parts": list(threads.map(part, range(-(-size // part_size))))}

    def place(self, key: str, source: Source, size: int, facts: dict[str, Any], conditions: dict[str, str]) -> bool:
        """Copy an object to its place in one go; whether its key was free, where that is a condition."""
        if not conditions or self._honours_conditions():
            return self._whole(key, source, facts | conditions) not in REFUSED
        if self._conditional is None:
            with self._asking:
                return self._asked(key, source, size, facts, conditions)
        return self._completed(key, source, size, facts, conditions)

    def is_there(self, source: Source) -> bool:
        """Whether a source is still what it was."""
        from botocore.exceptions import ClientError

        def looked() -> bool:
            try:
                self.connection.client().head_object(Bucket=source["bucket"], Key=source["key"], IfMatch=f'"{source["etag"]}"')
            except ClientError as error:
                if status_of(error) in {404, 412}:
                    return False
                raise
            return True

        return self.connection.trying(looked, f"looking at s3://{source['bucket']}/{source['key']}")

    def close(self) -> None:
        """Let go of the connections to sources."""
        for connection in self._sources.values():
            connection.close()

    def _honours_conditions(self) -> bool:
        return self._conditional is True

    def _asked(self, key: str, source: Source, size: int, facts: dict[str, Any], conditions: dict[str, str]) -> bool:
        """Copy an object in parts, and then onto itself under a condition that is not met."""
        if self._honours_conditions():
            return self.place(key, source, size, facts, conditions)
        placed = self._completed(key, source, size, facts, conditions)
        if placed and self._conditional is None:
            self._conditional = self._whole(key, source, facts | conditions) in REFUSED
        return placed

    def _completed(self, key: str, source: Source, size: int, facts: dict[str, Any], conditions: dict[str, str]) -> bool:
        if size <= SMALL and self._conditional is False:
            return self._carried(key, source, facts | conditions)
        upload = self.in_parts(key, source, size, facts)
        answer = self.uploads.complete(key, upload, conditions)
        if isinstance(answer, dict):
            return True
        self.uploads.abort(key, upload["id"])
        return False

    def _carried(self, key: str, source: Source, facts: dict[str, Any]) -> bool:
        """Read a small object and put it: two requests, where an upload in parts takes three and two notes on disk."""
        what = f"copying s3://{source['bucket']}/{source['key']} to {self.connection.address(key)}"
        asked = {"if-match": f'"{source["etag"]}"'}
        answer = self._bucket(source["bucket"]).plain("GET", source["key"], what, asked, codes=REFUSED | {"NoSuchKey"})
        if not isinstance(answer, Answer):
            raise changed(source, gone=answer == "NoSuchKey")
        return put_object(self.connection, key, what, answer.body, facts)

    def _bucket(self, name: str) -> Connection:
        """A connection to the bucket of a source, at the same place and with the same credentials."""
        with self._opening:
            if name not in self._sources:
                made = self._sources[name] = Connection(self.connection.module, SourceError)
                made.bucket, made.endpoint, made.region = name, self.connection.endpoint, self.connection.region
            return self._sources[name]

    def _whole(self, key: str, source: Source, facts: dict[str, Any]) -> str:
        """Copy an object in one request; the code of a refusal, empty where there is none. A source that has changed is an error."""
        headers = {
            "x-amz-copy-source": quoted(f"{source['bucket']}/{source['key']}"),
            "x-amz-copy-source-if-match": f'"{source["etag"]}"',
            "x-amz-metadata-directive": "REPLACE",
            "x-amz-tagging-directive": "REPLACE",
        }
        headers |= headers_of(facts)
        what = f"copying s3://{source['bucket']}/{source['key']} to {self.connection.address(key)}"
        codes = REFUSED | _GONE | (_UNABLE if "IfNoneMatch" in facts else frozenset())
        answer = self.connection.plain("PUT", key, what, headers, codes=codes)
        if isinstance(answer, Answer):
            return ""
        if answer in _GONE or (answer in REFUSED and not self.is_there(source)):
            raise changed(source, gone=answer in _GONE)
        return answer
