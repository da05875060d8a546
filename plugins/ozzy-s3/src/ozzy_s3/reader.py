"""Reader `s3`: objects of a bucket, listed as they come and read several at once."""

import re
from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO, ClassVar, Literal, cast

from ozzy import (
    BaseStreamReader,
    Batch,
    Listed,
    Problem,
    Range,
    RetryOptions,
    SourceError,
    Split,
    Stream,
    StreamReaderOptions,
    option,
    options,
)
from ozzy.options.option import ByteSize
from ozzy_s3 import client
from ozzy_s3.ahead import TAIL, ObjectFile, ReadAhead
from ozzy_s3.client import Connection, connection_problems
from ozzy_s3.copies import changed
from ozzy_s3.listing import Upcoming, listed, since
from ozzy_s3.prefixes import filled_in, pointed

CHUNK = 1 << 18


@options
class S3ReaderOptions(StreamReaderOptions):
    """Options of the reader `s3`."""

    bucket: str = option(help=client.BUCKET, example="exports")
    prefix: str | list[str] = option(
        default="",
        help="What the keys begin with, one or several; strftime codes such as %Y-%m-%d are filled in, a % that is meant is written %%.",
        example="logs/%Y-%m-%d/",
    )
    prefix_pointer: str | None = option(default=None, help="The key of an object in the bucket that holds the prefixes, one a line.")
    prefix_format_using_date: str | list[str] | None = option(
        default=None,
        help="The day whose date prefixes are filled in with, or the first and the last day: 2024-02-29, yesterday, 2 days ago. Unset, the "
        "day on which the run began.",
        example=["3 days ago", "yesterday"],
    )
    pattern: str | None = option(
        default=None, help="A regular expression; objects are read whose key has a match somewhere.", example=r"\.jsonl\.gz$"
    )
    region: str | None = option(default=None, help=client.REGION)
    endpoint: str | None = option(default=None, help=client.ENDPOINT)
    aws_access_key_id: str | None = option(default=None, env="EXPORTERS_S3READER_AWS_KEY", secret=False, help=client.ACCESS_KEY)
    aws_secret_access_key: str | None = option(default=None, env="EXPORTERS_S3READER_AWS_SECRET", secret=True, help=client.SECRET_KEY)
    aws_session_token: str | None = option(default=None, secret=True, help=client.TOKEN)
    profile: str | None = option(default=None, help=client.PROFILE)
    role: str | None = option(default=None, help=client.ROLE)
    anonymous: bool = option(default=False, help=client.ANONYMOUS)
    addressing: Literal["auto", "path", "virtual"] = option(default="auto", help=client.ADDRESSING)
    parallel: int = option(default=8, minimum=1, maximum=256, help="Requests at a time: for pieces of an object and for those after it.")
    read_ahead: ByteSize = option(default=ByteSize(64 << 20), minimum=1, help="Bytes that are read before they are wanted, at the most.")
    timeout: float = option(default=60.0, minimum=0.1, help=client.TIMEOUT)
    retry: RetryOptions = option(factory=RetryOptions, help=client.RETRY)


class S3Reader(BaseStreamReader):
    """Reads the objects of a bucket, each once, in the order of their keys.

    The listing streams: a bucket may have any number of keys. Objects are read in pieces, `parallel` at a time, also of those that come
    next. A piece that breaks off is gone on with where it broke. Each request names the version that is meant (by ETag): an object that
    has changed or is gone since the run began is a SourceError. A large plain object of lines can be shared by several workers, each of
    which fetches its ranges of bytes. Prefixes under which there is nothing give no records and a warning.

    With `bookmark: true` only new and changed objects are read, a changed one from its beginning. An object is told by bucket, key and
    ETag, never by a time: one that comes late, with an earlier name or an older date than those that were read, is read by the next run.
    """

    Options: ClassVar[type] = S3ReaderOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection = Connection(self, SourceError, pool=self.options.parallel + 2)
        self._upcoming = Upcoming()
        self._ahead = self._new_ahead(self._upcoming)
        self._opening = Lock()
        self._leading: ObjectFile | None = None
        self._until: int | None = None

    @property
    def connection(self) -> Connection:
        """Where it reads."""
        return self._connection

    def _new_ahead(self, upcoming: Upcoming, until: int | None = None) -> ReadAhead:
        return ReadAhead(self._fetch, upcoming, parallel=self.options.parallel, budget=int(self.options.read_ahead), until=until)

    @classmethod
    def check_options(cls, options: S3ReaderOptions) -> Iterator[Problem]:
        """What is wrong with options taken together."""
        yield from connection_problems(options)
        if options.prefix_pointer and options.prefix:
            yield Problem("prefix_pointer", "expected either prefix or prefix_pointer")
        if isinstance(options.prefix_format_using_date, list) and len(options.prefix_format_using_date) != 2:
            yield Problem("prefix_format_using_date", "expected one date, or two: the first and the last day")
        try:
            re.compile(options.pattern or "")
        except re.error as error:
            yield Problem("pattern", f"not a regular expression: {error}")

    def get_read_streams(self) -> Iterator[Stream]:
        return self._found(self._prefixes())

    def streams(self) -> Iterator[Stream]:
        self._upcoming.begin()
        for stream in self.get_read_streams():
            self._upcoming.add(stream)
            yield stream

    def splits_since(self, bookmark: Iterator[Any]) -> Iterator[Listed]:
        """New and changed objects. The mark of one that is gone is forgotten, those of prefixes that are not listed now are kept."""
        prefixes = self._prefixes()
        self._upcoming.begin()
        for stream, one in since(self._found(prefixes), bookmark, self._connection.bucket, prefixes):
            if one.split is not None:
                self._upcoming.add(stream)
            yield one

    def stream(self, split: Split) -> Stream:
        return Stream(split.id, split.size, fingerprint=split.fingerprint)

    def open_stream(self, stream: Stream) -> BinaryIO:
        """An object as a file. Those after it are read ahead for the one that is open; another beside it reads for itself."""
        if stream.size is None or not stream.fingerprint:
            head = self._connection.answer("head_object", f"reading {self._connection.address(stream.filename)}", Key=stream.filename)
            stream = Stream(stream.filename, head["ContentLength"], fingerprint=head["ETag"].strip('"'))
        if self._until is not None:
            return cast("BinaryIO", ObjectFile(self._new_ahead(Upcoming(), TAIL), stream, alone=True))
        with self._opening:
            if self._leading is not None and not self._leading.closed:
                return cast("BinaryIO", ObjectFile(self._new_ahead(Upcoming()), stream, alone=True))
            self._leading = ObjectFile(self._ahead, stream)
            return cast("BinaryIO", self._leading)

    def open_stream_at(self, stream: Stream, offset: int) -> BinaryIO:
        return cast("BinaryIO", ObjectFile(self._new_ahead(Upcoming(), self._until or 0), stream, alone=True, at=offset))

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        self._until = None
        return super().read(split, position)

    def ranges(self, split: Split, size: int) -> Iterator[Range]:
        """Parts of a plain object of lines, of which nothing but its beginning is fetched here."""
        self._until = 0
        return super().ranges(split, size)

    def read_range(self, split: Split, part: Range) -> Iterator[Batch]:
        """The lines of a range. The object is fetched as far as that goes, and little more."""
        self._until = part.end
        return super().read_range(split, part)

    def close(self) -> None:
        self._ahead.close()
        self._upcoming.close()
        self._connection.close()

    def _prefixes(self) -> list[str]:
        given = self.options.prefix
        if self.options.prefix_pointer:
            given = self._pointed(self.options.prefix_pointer)
        prefixes = [given] if isinstance(given, str) else given
        return filled_in(prefixes, self.options.prefix_format_using_date, self.metadata.start_time)

    def _pointed(self, key: str) -> list[str]:
        address = self._connection.address(key)

        def read() -> bytes:
            answer = self._connection.client().get_object(Bucket=self._connection.bucket, Key=key)
            content: bytes = answer["Body"].read()
            return content

        content = self._connection.trying(read, f"reading the pointer {address}")
        try:
            prefixes = pointed(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise SourceError(f"the pointer {address} is no text in UTF-8: {error}") from error
        if not prefixes:
            raise SourceError(f"the pointer {address} is empty", hint="It has to hold prefixes, one a line.")
        return prefixes

    def _found(self, prefixes: list[str]) -> Iterator[Stream]:
        wanted = re.compile(self.options.pattern or "")
        for prefix in prefixes:
            matches = 0
            for stream in listed(self._connection, prefix):
                if wanted.search(stream.filename):
                    matches += 1
                    yield stream
            if not matches:
                which = f" that matches {self.options.pattern!r}" if self.options.pattern else ""
                self.logger.warning(f"there is no object{which} under {self._connection.address(prefix)}: nothing is read from there")

    def _fetch(self, stream: Stream, start: int, size: int) -> bytes:
        """`size` bytes of an object from `start` on; what breaks off is gone on with where it broke."""
        what = f"reading {self._connection.address(stream.filename)}"
        got = bytearray()
        while True:
            before = len(got)
            self._connection.trying(lambda: self._fetch_into(got, stream, start, size), what)
            if len(got) >= size:
                return bytes(got)
            if len(got) == before:
                raise SourceError(f"{what} failed: it ends at byte {start + len(got)} of {stream.size}", hint="Start the run again.")

    def _fetch_into(self, got: bytearray, stream: Stream, start: int, size: int) -> None:
        """Ask for what is missing. Where the answer breaks off after some bytes, those are kept and nothing is raised."""
        before = len(got)
        whole = size == stream.size and not got
        more = {} if whole else {"Range": f"bytes={start + before}-{start + size - 1}"}
        try:
            answer = self._connection.client().get_object(
                Bucket=self._connection.bucket, Key=stream.filename, IfMatch=f'"{stream.fingerprint}"', **more
            )
        except Exception as error:
            if client.status_of(error) in {404, 412, 416} and client.code_of(error) != "NoSuchBucket":
                raise self._changed(stream, gone=client.status_of(error) == 404) from error
            raise
        if answer["ETag"].strip('"') != stream.fingerprint or answer["ContentLength"] != size - before:
            answer["Body"].close()
            raise self._changed(stream)
        try:
            while chunk := answer["Body"].read(CHUNK):
                got += chunk
        except Exception as error:
            if client.is_damage(error):
                got.clear()
            if len(got) == before or client.may_pass(error) is False:
                raise
        finally:
            answer["Body"].close()

    def _changed(self, stream: Stream, *, gone: bool = False) -> SourceError:
        return changed({"bucket": self._connection.bucket, "key": stream.filename}, gone=gone)
