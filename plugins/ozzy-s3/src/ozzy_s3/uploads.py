"""Multipart uploads of finished files: begun, known by their ids, completed once, and never left behind."""

import base64
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from typing import Any, Final

import attrs

from ozzy import DestinationError
from ozzy.staging.disk import at_destination, make_folder, sync_folder, write_all
from ozzy_s3.client import Connection

PARTS: Final = 10_000
"""Parts that an upload may have."""

Upload = dict[str, Any]
"""`id`, and `parts`: for each the ETag and the checksum that S3 gave it. Plain JSON, for receipts."""

_GONE: Final = frozenset({"NoSuchUpload", "404"})


@attrs.define
class Uploads:
    """The multipart uploads of one writer in one run.

    `path` is a file that names every upload that was ever begun, and before that its key, so that one that no receipt speaks of is found
    and aborted. Where that file was lost with its disk, an upload is told by its key and its parts, when the same file is uploaded again.
    """

    connection: Connection
    path: Path
    part_size: int
    parallel: int

    def upload(self, key: str, file: Path, size: int, facts: dict[str, Any]) -> Upload:
        """Upload all parts of a file, and do not complete it. `facts` are what S3 is to know of the object (metadata, class and so on)."""
        count = -(-size // self.part_size)
        if count > PARTS:
            raise DestinationError(
                f"{self.connection.address(key)} would have {count} parts, S3 allows {PARTS}",
                hint="Set a larger part_size, or roll files by size: size_per_buffer_write.",
            )
        what = f"uploading {self.connection.address(key)}"
        self._abort_forgotten(key, file, size)
        number = self.begun(key, what, facts)

        def part(at: int) -> dict[str, str]:
            content = self._part(file, at)
            if len(content) != min(self.part_size, size - at * self.part_size):
                raise DestinationError(f"the staged file {file} is shorter than it was", hint="Start again with --fresh.")
            answer = self.connection.answer(
                "upload_part", f"{what}, part {at + 1} of {count},", Key=key, UploadId=number, PartNumber=at + 1, Body=content
            )
            return {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}

        with ThreadPoolExecutor(self.parallel, "s3-upload") as threads:
            return {"id": number, "parts": list(threads.map(part, range(count)))}

    def begun(self, key: str, what: str, facts: dict[str, Any]) -> str:
        """The id of a new upload, noted before anything else is done."""
        self._note({"key": key})
        number: str = self.connection.answer("create_multipart_upload", what, Key=key, ChecksumAlgorithm="CRC32", **facts)["UploadId"]
        self._note({"key": key, "id": number})
        return number

    def complete(self, key: str, upload: Upload, conditions: dict[str, str]) -> dict[str, Any] | str:
        """Make the object appear. The answer of S3, or the code of its refusal: the upload is gone, or the condition was not met."""
        parts = [{"PartNumber": number, **part} for number, part in enumerate(upload["parts"], 1)]
        return self.connection.call(
            "complete_multipart_upload",
            f"publishing {self.connection.address(key)}",
            codes=_GONE | {"PreconditionFailed", "412"},
            Key=key,
            UploadId=upload["id"],
            MultipartUpload={"Parts": parts},
            **conditions,
        )

    def is_there(self, key: str, upload: Upload) -> bool:
        """Whether an upload still waits, with its parts."""
        what = f"looking for the upload of {self.connection.address(key)}"
        answer = self.connection.call("list_parts", what, codes=_GONE, Key=key, UploadId=upload["id"], MaxParts=1)
        return isinstance(answer, dict) and bool(answer.get("Parts"))

    def abort(self, key: str, number: str) -> None:
        """Let go of an upload, completed or gone ones too."""
        what = f"aborting the upload of {self.connection.address(key)}"
        self.connection.call("abort_multipart_upload", what, codes=_GONE, Key=key, UploadId=number)

    def abort_all_but(self, kept: Iterable[str]) -> None:
        """Abort every upload that was begun here, but for these ids, and forget it."""
        ids = set(kept)
        noted = self._noted()
        for line in noted:
            if "id" in line and line["id"] not in ids:
                self.abort(line["key"], line["id"])
        if noted and "id" not in noted[-1]:
            self._abort_nameless(noted[-1]["key"], {line["id"] for line in noted if "id" in line})
        with at_destination(self.path):
            self.path.unlink(missing_ok=True)
        for line in noted:
            if line.get("id") in ids:
                self._note(line)

    def _abort_nameless(self, key: str, known: set[str]) -> None:
        """Abort the upload that a kill has left without its id in the file: one of this very key, unknown, and without parts."""
        for number in self._of(key):
            if number not in known and not self.is_there(key, {"id": number}):
                self.abort(key, number)

    def _abort_forgotten(self, key: str, file: Path, size: int) -> None:
        """Abort what a dead process, whose disk is lost, has uploaded of this file: uploads of its key that hold no other parts."""
        for number in self._of(key):
            if all(self._is_part(part, file, size) for part in self._parts(key, number)):
                self.abort(key, number)

    def _of(self, key: str) -> list[str]:
        """The ids of the uploads of a key that wait."""
        what, marker, found = f"looking for uploads of {self.connection.address(key)}", dict[str, str](), list[str]()
        while True:
            answer = self.connection.answer("list_multipart_uploads", what, Prefix=key, **marker)
            found += [one["UploadId"] for one in answer.get("Uploads", ()) if one["Key"] == key]
            if not answer.get("IsTruncated"):
                return found
            marker = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}

    def _parts(self, key: str, number: str) -> Iterator[dict[str, Any]]:
        """The parts of an upload, none where it is gone."""
        what, marker = f"looking for the parts of {self.connection.address(key)}", dict[str, int]()
        while True:
            answer = self.connection.call("list_parts", what, codes=_GONE, Key=key, UploadId=number, **marker)
            if isinstance(answer, str):
                return
            yield from answer.get("Parts", ())
            if not answer.get("IsTruncated"):
                return
            marker = {"PartNumberMarker": int(answer["NextPartNumberMarker"])}

    def _is_part(self, part: dict[str, Any], file: Path, size: int) -> bool:
        """Whether a part that S3 has is one of this file."""
        at = part["PartNumber"] - 1
        if part["Size"] != min(self.part_size, size - at * self.part_size):
            return False
        return bool(part.get("ChecksumCRC32") == base64.b64encode(zlib.crc32(self._part(file, at)).to_bytes(4, "big")).decode())

    def _part(self, file: Path, at: int) -> bytes:
        """The bytes of part `at`, counted from 0."""
        with at_destination(file), file.open("rb") as source:
            source.seek(at * self.part_size)
            return source.read(self.part_size)

    def _note(self, line: dict[str, str]) -> None:
        make_folder(self.path.parent, private=1)
        new = not self.path.exists()
        with at_destination(self.path), self.path.open("ab", buffering=0) as file:
            write_all(file.fileno(), json.dumps(line).encode() + b"\n")
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)

    def _noted(self) -> list[dict[str, str]]:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines[:-1]]


def side_by_side(work: Callable[[Any], None], items: Iterable[Any], parallel: int) -> None:
    """Do some work for each item, so many at a time; the first failure ends it. Holds few items at a time."""
    left, taking, ended = iter(items), Lock(), Event()

    def take() -> Iterator[Any]:
        while not ended.is_set():
            with taking:
                try:
                    item = next(left)
                except StopIteration:
                    return
            yield item

    def worker(_number: int) -> None:
        try:
            for item in take():
                work(item)
        except BaseException:
            ended.set()
            raise

    with ThreadPoolExecutor(parallel, "s3-publish") as threads:
        for done in [threads.submit(worker, number) for number in range(parallel)]:
            done.result()
