"""Listing a bucket page by page, in bounded memory, and what has been read of it before."""

import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from ozzy import Listed, SourceError, Split, Stream
from ozzy_s3.client import Connection


def listed(connection: Connection, prefix: str) -> Iterator[Stream]:
    """The objects whose keys begin with a prefix, in the order of the listing; the fingerprint is the ETag.

    What only stands for a folder (an empty object whose key ends with `/`) is left out. Raises the error of the connection where a page
    can't be had: a listing that broke off is never taken for a short one.
    """
    token: str | None = None
    count = pages = 0
    while True:
        what = f"listing s3://{connection.bucket}/{prefix}" + (f" (page {pages + 1}, after {count} keys)" if pages else "")
        page: Any = connection.page(prefix, token, what)
        pages += 1
        for one in page.get("Contents", ()):
            count += 1
            if one["Size"] or not one["Key"].endswith("/"):
                yield Stream(one["Key"], one["Size"], fingerprint=one["ETag"].strip('"'))
        if not page.get("IsTruncated"):
            return
        token = page.get("NextContinuationToken")
        if not token:
            raise connection.error_class(f"{what} broke off: the page says that there are more, and not where", hint="Start the run again.")


@attrs.define
class Upcoming:
    """The objects of a run in the order in which they will be read, kept in a temporary file: what is read ahead."""

    _file: Any = None
    _place: int = 0

    def begin(self) -> None:
        """Forget all of them: others are to follow."""
        self.close()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)

    def add(self, stream: Stream) -> None:
        """One more."""
        self._file.seek(0, 2)
        self._file.write(json.dumps([stream.filename, stream.size, stream.fingerprint]).encode() + b"\n")

    def next(self) -> Stream | None:
        """The next one, which is then behind; None at the end."""
        if self._file is None:
            return None
        self._file.seek(self._place)
        line = self._file.readline()
        self._place += len(line)
        if not line:
            return None
        name, size, fingerprint = json.loads(line)
        return Stream(name, size, fingerprint=fingerprint)

    def pass_by(self, key: str) -> bool:
        """Stand behind this key; whether it was the very next one."""
        number = 0
        for _ in range(2):
            while (stream := self.next()) is not None:
                number += 1
                if stream.filename == key:
                    return number == 1
            self._place = 0
            number = 1
        return False

    def close(self) -> None:
        """Forget all of them."""
        if self._file is not None:
            self._file.close()
        self._file, self._place = None, 0


def since(streams: Iterable[Stream], marks: Iterator[Any], bucket: str, prefixes: list[str]) -> Iterator[tuple[Stream, Listed]]:
    """What is new of a listing, beside the marks of an earlier run, both in the order of their keys; holds one mark at a time.

    A key is new where its ETag is another than the one that was read, or where it was never read: times play no part, so a key that comes
    late, or at the same moment as another, is not missed. The mark of a key that is gone is forgotten; marks of other buckets or
    prefixes than are listed now are kept. Yields pairs, of which the stream has no meaning where nothing is to be read.
    """
    nothing = Stream("")
    mark = next(marks, None)
    last = ""
    for stream in streams:
        if stream.filename <= last:
            raise SourceError(
                f"s3://{bucket} is not listed in the order of its keys ({stream.filename!r} after {last!r})",
                hint="A bookmark needs that order, which directory buckets do not have: read without a bookmark.",
            )
        last = stream.filename
        while mark is not None and (mark["bucket"], mark["key"]) < (bucket, stream.filename):
            if not _covered(mark, bucket, prefixes):
                yield nothing, Listed(mark=mark)
            mark = next(marks, None)
        now = {"bucket": bucket, "key": stream.filename, "etag": stream.fingerprint, "size": stream.size}
        if mark is not None and (mark["bucket"], mark["key"]) == (bucket, stream.filename):
            new = mark != now
            mark = next(marks, None)
        else:
            new = True
        yield stream, Listed(Split(stream.filename, stream.fingerprint, stream.size) if new else None, now)
    while mark is not None:
        if not _covered(mark, bucket, prefixes):
            yield nothing, Listed(mark=mark)
        mark = next(marks, None)


def _covered(mark: dict[str, Any], bucket: str, prefixes: list[str]) -> bool:
    return bool(mark["bucket"] == bucket and mark["key"].startswith(tuple(prefixes)))
