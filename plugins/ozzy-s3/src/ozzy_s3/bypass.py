"""Bypass `s3`: S3 copies objects itself where source and destination are of one place; between two places they stream."""

import hashlib
import io
import re
from typing import Any, BinaryIO, Final, cast

from ozzy import BaseStreamReader, BypassContext, Receipt, Split, option, options
from ozzy.builtin.bypasses.checked import LINE_LIMIT, CheckedStream
from ozzy.builtin.bypasses.stream import StreamBypass, StreamBypassOptions
from ozzy.contracts.decoder import HEAD
from ozzy_s3.client import Connection
from ozzy_s3.copies import changed
from ozzy_s3.reader import S3Reader
from ozzy_s3.wire import Answer
from ozzy_s3.writer import S3Writer

STREAMED: Final = 4
"""Objects that stream at a time, at the most: each has the reader's `read_ahead` of bytes to itself."""

_SUFFIXES: Final = {"none": "", "gz": r"\.gz", "bz2": r"\.bz2", "xz": r"\.xz", "zst": r"\.zst"}
_PLACE: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile", "role", "anonymous")
_UNKNOWN: Final = {"rows": None, "sha256": None, "md5": None}


@options
class S3BypassOptions(StreamBypassOptions):
    """Options of the bypass `s3`."""

    parallel: int = option(default=8, minimum=1, maximum=256, help="Objects at a time; of those that stream, four at the most.")
    look: bool = option(
        default=True,
        help="Ask for the metadata and the first 64 KiB of each object before it is copied: they tell its compression and format, and how "
        "many records it has; an object that is no longer is checked line by line. false goes by the names of objects alone and counts "
        "nothing: one request an object less.",
    )


class S3Bypass(StreamBypass):
    """Lets S3 copy each object as it is, under the name that the pipeline would have given it, without its bytes coming here.

    Reader and writer are both `s3`, with the same endpoint and credentials. An object is copied when it is published: in one request, or,
    where it is large, in parts that were copied before and are completed then. Each request names the version that is meant (by ETag). The
    copy has the metadata, ACL, storage class, encryption and tags that the writer's options say, and none of the source's; its records are
    those that the source's metadata tell (`total`), or unknown.

    Between two endpoints, or with two sets of credentials, objects stream through this process as with the bypass `stream`, `verify` too.
    """

    Options = S3BypassOptions
    options: S3BypassOptions

    def start(self, context: BypassContext) -> None:
        super().start(context)
        if isinstance(context.reader, S3Reader) and isinstance(context.writer, S3Writer):
            self._source = context.reader.connection
            self._streams = _place(self._source) != _place(context.writer.connection)
            self.at_a_time = min(self.options.parallel, STREAMED) if self._streams else self.options.parallel

    def unfit(self) -> str | None:
        writer = self.context.writer
        if not isinstance(self.context.reader, S3Reader):
            return "the reader does not read from S3"
        if not isinstance(writer, S3Writer):
            return "the writer does not write to S3"
        if reason := super().unfit():
            return reason
        for name, why in (("generate_md5", "the MD5 of each file is wanted"), ("check_consistency", "files are to be read back")):
            if writer.read_option(name) and not self._streams:
                return f"{why} ({name})"
        return None

    def declines(self, split: Split) -> str | None:
        if (reason := super().declines(split)) or self._streams:
            return reason
        if not split.fingerprint or split.size is None:
            return "its version is not known"
        return None if self.options.look else self._declined_by_name(split.id)

    def copy(self, split: Split) -> Receipt:
        if self._streams:
            return super().copy(split)
        self._go_on()
        source = {"bucket": self._source.bucket, "key": split.id, "etag": split.fingerprint}
        facts = self._looked(split, source) if self.options.look else _UNKNOWN
        return {"size": split.size, **facts, "source": source}

    def _declined_by_name(self, key: str) -> str | None:
        """Why an object is not to be copied, by its name."""
        codec = self._codec()
        bare = re.sub(rf"{_SUFFIXES[codec]}$", "", key)
        if (bare == key) != (codec == "none") or re.search(r"\.(gz|gzip|bz2|xz|zst|zstd|lz4|zip)$", bare, re.IGNORECASE):
            return f"its name does not say that it is compressed as the writer's files are ({codec})"
        if not re.search(r"\.(jl|jsonl|ndjson)$", bare, re.IGNORECASE) or self._reader.read_option("deserializer", "auto") != "auto":
            return "its name does not say that it holds JSON lines"
        return None

    def _looked(self, split: Split, source: dict[str, Any]) -> dict[str, Any]:
        """What is known of an object by its beginning and its metadata. Raises Declined where the pipeline would make other bytes of it."""
        assert split.size is not None
        whole = split.size <= HEAD
        headers = {"if-match": f'"{split.fingerprint}"'} | ({} if whole else {"range": f"bytes=0-{HEAD - 1}"})
        what = f"reading {self._source.address(split.id)}"
        answer = self._source.plain("GET", split.id, what, headers, codes=frozenset({"NoSuchKey", "PreconditionFailed", "412"}))
        if not isinstance(answer, Answer):
            raise changed(source, gone=answer == "NoSuchKey")
        if answer.headers.get("etag", "").strip('"') != split.fingerprint or len(answer.body) != min(split.size, HEAD):
            raise changed(source)
        raw: Any = io.BytesIO(answer.body) if whole else _Begun(answer.body, self._reader, split)
        stream = CheckedStream(cast("BinaryIO", raw), split.id, self._reader.compression, self._go_on)
        decoder = self._fitting(stream, split)
        if not whole:
            return _told(answer)
        stream.check(decoder.read_option("line_limit", LINE_LIMIT))
        while stream.read():
            pass
        md5 = hashlib.md5(answer.body, usedforsecurity=False).hexdigest()
        return {"rows": stream.rows, "sha256": hashlib.sha256(answer.body).hexdigest(), "md5": md5}


class _Begun:
    """An object of which the beginning is here; only where that is not enough is it opened."""

    def __init__(self, piece: bytes, reader: BaseStreamReader, split: Split) -> None:
        self._begun = io.BytesIO(piece)
        self._reader = reader
        self._split = split
        self._at = len(piece)

    def read(self, size: int = -1) -> bytes:
        if piece := self._begun.read(size):
            return piece
        with self._reader.open_stream(self._reader.stream(self._split)) as stream:
            stream.seek(self._at)
            piece = stream.read(size)
        self._at += len(piece)
        return piece

    def seekable(self) -> bool:
        return False


def _told(answer: Answer) -> dict[str, Any]:
    """What the metadata of an object say of it, each None where they do not; nothing is believed where its ETag says otherwise."""
    told = {name: answer.headers.get(f"x-amz-meta-{name}", "") for name in ("total", "ozzy-sha256", "md5")}
    etag = answer.headers.get("etag", "").strip('"')
    encrypted = answer.headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
    if told["md5"] and re.fullmatch("[0-9a-f]{32}", etag) and not encrypted and told["md5"] != etag:
        return dict(_UNKNOWN)
    return {
        "rows": int(told["total"]) if re.fullmatch("[0-9]{1,18}", told["total"]) else None,
        "sha256": told["ozzy-sha256"] if re.fullmatch("[0-9a-f]{64}", told["ozzy-sha256"]) else None,
        "md5": told["md5"] if re.fullmatch("[0-9a-f]{32}", told["md5"]) else None,
    }


def _place(connection: Connection) -> tuple[Any, ...]:
    """What two connections have in common whose objects can be copied from one to the other by the server."""
    return ((connection.endpoint or "").rstrip("/"), *(getattr(connection.options, name) for name in _PLACE))
