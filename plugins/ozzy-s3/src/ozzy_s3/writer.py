"""Writer `s3`: files become objects, whole and once."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlencode

from ozzy import (
    BaseNamedFileWriter,
    DestinationError,
    NamedFileWriterOptions,
    Outcome,
    Problem,
    Receipt,
    RetryOptions,
    WriterContext,
    option,
    options,
)
from ozzy.contracts.file_writer import same_content
from ozzy.contracts.writer import GroupKey, no_room_for
from ozzy.options.option import ByteSize
from ozzy.staging.disk import at_destination, sync_folder
from ozzy_s3 import client
from ozzy_s3.client import Connection, connection_problems
from ozzy_s3.copies import REFUSED, WHOLE, Copies, put_object
from ozzy_s3.uploads import Upload, Uploads, side_by_side

T = TypeVar("T")
KEY_BYTES = 1024
"""How long a key may be, in bytes."""

_NO_ACL = frozenset({"AccessControlListNotSupported", "NotImplemented"})
_ACLS = Literal[
    "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"
]


@options
class S3WriterOptions(NamedFileWriterOptions):
    """Options of the writer `s3`."""

    bucket: str = option(help=client.BUCKET, example="exports")
    region: str | None = option(default=None, help=client.REGION)
    aws_region: str | None = option(default=None, help="The same as region, as it was called before.")
    endpoint: str | None = option(default=None, help=client.ENDPOINT)
    host: str | None = option(
        default=None, help="The host of the endpoint, as it was called before: s3.example.com is https://s3.example.com."
    )
    aws_access_key_id: str | None = option(default=None, env="EXPORTERS_S3WRITER_AWS_LOGIN", secret=False, help=client.ACCESS_KEY)
    aws_secret_access_key: str | None = option(default=None, env="EXPORTERS_S3WRITER_AWS_SECRET", secret=True, help=client.SECRET_KEY)
    aws_session_token: str | None = option(default=None, secret=True, help=client.TOKEN)
    profile: str | None = option(default=None, help=client.PROFILE)
    role: str | None = option(default=None, help=client.ROLE)
    anonymous: bool = option(default=False, help=client.ANONYMOUS)
    addressing: Literal["auto", "path", "virtual"] = option(default="auto", help=client.ADDRESSING)
    save_pointer: str | None = option(
        default=None,
        help="The key of an object that is to hold the fixed folder of the filebase, with its dates filled in: written when all else is.",
        example="exports/LATEST",
    )
    save_metadata: bool = option(default=True, help="Give each object the metadata total, its records, and md5, of its bytes.")
    acl: _ACLS | None = option(default=None, help="A canned ACL. Unset there is none (bucket-owner-full-control in the inherited shape).")
    storage_class: str | None = option(default=None, help="The storage class, such as STANDARD_IA.", example="STANDARD_IA")
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = option(default=None, help=client.ENCRYPTION)
    kms_key: str | None = option(default=None, help=client.KMS_KEY)
    tags: dict[str, str] = option(factory=dict, help="Tags of each object.", example={"team": "exports"})
    part_size: ByteSize = option(
        default=ByteSize(16 << 20),
        minimum=5 << 20,
        help="Bytes of a part; a file of this size or more is uploaded in parts before it is published.",
    )
    parallel: int = option(default=4, minimum=1, maximum=256, help="Requests at a time: parts of a file, or objects to be published.")
    timeout: float = option(default=60.0, minimum=0.1, help=client.TIMEOUT)
    retry: RetryOptions = option(factory=RetryOptions, help=client.RETRY)


class S3Writer(BaseNamedFileWriter):
    """Writes objects below the prefix that `filebase` names. They appear whole, under their final key, or not at all.

    Files are made in the state folder. One that is finished and large is uploaded in parts at the next checkpoint, and the receipt names
    the upload; publishing completes it. A small one is put when it is published. Where nothing may be overwritten both are conditional
    requests (`If-None-Match`), so that another writer that is faster is never overwritten. What became of a request whose answer was
    lost is asked of the object: it bears the run and the SHA-256 of its content as metadata (`ozzy-run`, `ozzy-sha256`).
    """

    Options: ClassVar[type] = S3WriterOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection = Connection(self, DestinationError, pool=self.options.parallel + 2)
        self._connection.region = self.options.region or self.options.aws_region
        if self.options.host and not self.options.endpoint:
            self._connection.endpoint = self.options.host if "://" in self.options.host else f"https://{self.options.host}"
        self._waiting: dict[str, Upload] = {}
        self._last = False

    @classmethod
    def check_options(cls, options: S3WriterOptions) -> list[Problem]:
        """What is wrong with the filebase, or with options taken together."""
        wrong = [*super().check_options(options), *connection_problems(options)]
        if {".", ".."} & set(options.filebase.split("/")):
            wrong.append(Problem("filebase", "a key has no '.' and '..': write the prefix as it is to be"))
        if options.kms_key and (options.encryption or "AES256") == "AES256":
            wrong.append(Problem("kms_key", "it needs encryption: aws:kms"))
        if options.endpoint and options.host:
            wrong.append(Problem("host", "expected either endpoint or host"))
        if options.region and options.aws_region:
            wrong.append(Problem("aws_region", "expected either region or aws_region"))
        return wrong

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self._acl = self.options.acl or ("bucket-owner-full-control" if context.inherited else None)
        self._folder = "/".join(part for part in self.names.folder.split("/") if part)
        self._uploads = Uploads(
            self._connection,
            context.staging_folder.with_name(f"{context.staging_folder.name}.uploads"),
            int(self.options.part_size),
            self.options.parallel,
        )
        self._copies = Copies(self._connection, self._uploads)
        self._listed = False
        self._there: set[str] | None = None

    @property
    def connection(self) -> Connection:
        """Where it writes."""
        return self._connection

    def digests(self) -> tuple[str, ...]:
        return ("sha256", "md5") if self.options.save_metadata else super().digests()

    def address(self, name: str) -> str:
        return self._connection.address(self._key(name))

    def taken(self, name: str) -> bool:
        """Whether somebody else's object has this name. One of this run that no receipt tells of was put by a request of a dead process."""
        if self._surely_free(name):
            return False
        head = self._head(name)
        return head is not None and head["Metadata"].get("ozzy-run") != self.context.run_id

    def begin_file(self, group: GroupKey) -> tuple[str, bool]:
        name, skipped = super().begin_file(group)
        if len(self._key(name).encode()) > KEY_BYTES:
            raise DestinationError(
                f"{self.address(name)} is longer than {KEY_BYTES} bytes, which S3 does not allow", hint="Shorten the filebase."
            )
        return name, skipped

    def resume(self, state: Receipt | None) -> None:
        if not self.context.dry_run:
            self._connection.look_at_bucket()
            self._waiting = dict(state["uploads"]) if state is not None and not state["final"] else {}
            self._uploads.abort_all_but(upload["id"] for upload in self._waiting.values())
        super().resume(state)

    def finish_writing(self) -> None:
        super().finish_writing()
        self._last = True

    def prepare(self, final: bool) -> Receipt:
        receipt = super().prepare(final)
        if not self.context.dry_run:
            for entry in self.files.finished(receipt):
                large = entry["size"] > WHOLE if "source" in entry else self.goes_in_parts(entry["size"])
                if large and entry["staged"] not in self._waiting:
                    self._waiting[entry["staged"]] = self._with_acl(lambda entry=entry: self._uploaded(entry))  # type: ignore[misc]
        return receipt | {"uploads": dict(self._waiting), "last": self._last}

    def goes_in_parts(self, size: int) -> bool:
        """Whether a finished file of so many bytes is uploaded before it is published."""
        return size >= self._uploads.part_size

    def publish(self, receipt: Receipt) -> None:
        side_by_side(
            lambda entry: self._place(entry, receipt["uploads"].get(entry["staged"])), self.files.finished(receipt), self.options.parallel
        )
        if self.options.check_consistency:
            side_by_side(self._check, self.files.finished(receipt), self.options.parallel)
        if self.options.save_pointer and receipt["last"]:
            self._put(self.options.save_pointer, f"{self._folder}/".encode(), {}, "writing the pointer")
        self._unlink(self.files.finished(receipt))
        self._waiting = {}
        self.files.mark_published(receipt)

    def publish_manifest(self, receipt: Receipt, content: bytes) -> None:
        name = receipt["manifest"]
        facts = {"run": self.context.run_id, "sha256": hashlib.sha256(content).hexdigest()}
        before = self._head(name)
        if before is not None and before["Metadata"].get("ozzy-run") == self.context.run_id:
            conditions = {"IfMatch": before["ETag"]}
        else:
            conditions = self._conditions()
        metadata = {"Metadata": {f"ozzy-{key}": value for key, value in facts.items()}}
        if not self._put(self._key(name), content, self._facts() | metadata | conditions, "publishing the manifest"):
            after = self._head(name)
            if after is None or after["Metadata"].get("ozzy-sha256") != facts["sha256"]:
                raise no_room_for(self.address(name))

    def recover_file(self, entry: dict[str, Any]) -> Outcome:
        if self._is_own(self._head(entry["name"]), entry):
            return Outcome.PUBLISHED
        if "source" in entry:
            return Outcome.STAGED if self._copies.is_there(entry["source"]) else Outcome.GONE
        return Outcome.STAGED if same_content(self.files.folder / entry["staged"], entry) else Outcome.GONE

    def recover(self, receipt: Receipt) -> Outcome:
        outcome = super().recover(receipt)
        if outcome is not Outcome.GONE or not receipt["final"] or not self.files.lists(receipt):
            return outcome
        for entry in self.files.finished(receipt):
            upload = receipt["uploads"].get(entry["staged"])
            waits = upload is not None and self._uploads.is_there(self._key(entry["name"]), upload)
            if not waits and self.recover_file(entry) is Outcome.GONE:
                return Outcome.GONE
        return Outcome.STAGED

    def discard(self, receipt: Receipt) -> None:
        if not self.files.lists(receipt):
            return
        for entry in self.files.finished(receipt) if receipt["final"] else ():
            key = self._key(entry["name"])
            if (upload := receipt["uploads"].get(entry["staged"])) is not None:
                self._uploads.abort(key, upload["id"])
            head = self._head(entry["name"])
            if head is not None and self._is_own(head, entry):
                what = f"taking back {self.address(entry['name'])}"
                self._connection.call("delete_object", what, codes=REFUSED | {"404"}, Key=key, IfMatch=head["ETag"])
        self._unlink(self.files.finished(receipt))

    def abandon(self) -> None:
        if not self.context.dry_run:
            self._uploads.abort_all_but(())
        super().abandon()

    def close(self) -> None:
        if hasattr(self, "_copies"):
            self._copies.close()
        self._connection.close()

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name

    def _head(self, name: str) -> dict[str, Any] | None:
        """What S3 says of an object; None where there is none."""
        what = f"looking for {self.address(name)}"
        answer = self._connection.plain("HEAD", self._key(name), what, {}, codes=frozenset({"404"}))
        if isinstance(answer, str):
            return None
        told = answer.headers
        metadata = {name.removeprefix("x-amz-meta-"): value for name, value in told.items() if name.startswith("x-amz-meta-")}
        return {"ETag": told["etag"], "ContentLength": int(told["content-length"]), "Metadata": metadata}

    def _surely_free(self, name: str) -> bool:
        """Whether nothing was below the fixed folder of the filebase with this name when that was first asked.

        That saves a request for each name. Publishing looks again: by then somebody may have taken it.
        """
        if self.if_exists != "fail":
            return False
        if not self._listed:
            self._listed, self._there = True, self._all_keys()
        return self._there is not None and self._key(name) not in self._there

    def _all_keys(self) -> set[str] | None:
        """The keys below the fixed folder of the filebase, None where they are more than a page, or may not be listed."""
        prefix = f"{self._folder}/" if self._folder else ""
        what = f"looking for objects in {self._connection.address(prefix)}"
        page = self._connection.page(prefix, None, what, codes=frozenset({"AccessDenied"}))
        return None if isinstance(page, str) or page["IsTruncated"] else {one["Key"] for one in page["Contents"]}

    def _is_own(self, head: dict[str, Any] | None, entry: dict[str, Any]) -> bool:
        """Whether an object is the one that this run has put there."""
        if head is None:
            return False
        told, marks = head["Metadata"], self._marks(entry)
        return head["ContentLength"] == entry["size"] and {name: told.get(name) for name in marks} == marks

    def _marks(self, entry: dict[str, Any]) -> dict[str, str]:
        """The metadata by which an object is known as the one that this run has made of an entry."""
        marks = {"ozzy-run": self.context.run_id}
        if entry["sha256"] is not None:
            marks["ozzy-sha256"] = entry["sha256"]
        return marks | {"ozzy-copied": entry["source"]["etag"]} if "source" in entry else marks

    def _conditions(self) -> dict[str, str]:
        return {} if self.if_exists == "overwrite" else {"IfNoneMatch": "*"}

    def _facts(self, entry: dict[str, Any] | None = None) -> dict[str, Any]:
        """What S3 is to know of an object beside its bytes."""
        facts: dict[str, Any] = {
            "ACL": self._acl,
            "StorageClass": self.options.storage_class,
            "ServerSideEncryption": self.options.encryption,
            "SSEKMSKeyId": self.options.kms_key,
            "Tagging": urlencode(self.options.tags) or None,
        }
        if entry is not None:
            facts["Metadata"] = self._marks(entry)
            if self.options.save_metadata:
                told = {"total": entry["rows"], "md5": entry["md5"]}
                facts["Metadata"] |= {name: str(value) for name, value in told.items() if value is not None}
        return {name: value for name, value in facts.items() if value is not None}

    def _with_acl(self, work: Callable[[], T]) -> T:
        """Do some work, and once more without the ACL that nobody has asked for, where the bucket has none."""
        try:
            return work()
        except DestinationError as error:
            if self.options.acl or not self._acl or client.code_of(error.__cause__) not in _NO_ACL:
                raise
            self.logger.warning(f"the bucket {self._connection.bucket} takes no ACL: objects are written without")
            self._acl = None
            return work()

    def _uploaded(self, entry: dict[str, Any]) -> Upload:
        if "source" in entry:
            return self._copies.in_parts(self._key(entry["name"]), entry["source"], entry["size"], self._facts(entry))
        return self._uploads.upload(self._key(entry["name"]), self.files.folder / entry["staged"], entry["size"], self._facts(entry))

    def _place(self, entry: dict[str, Any], upload: Upload | None) -> None:
        """Bring one object to its place, unless it is there."""
        staged = self.files.folder / entry["staged"]
        if upload is not None:
            answer = self._uploads.complete(self._key(entry["name"]), upload, self._conditions())
            if isinstance(answer, dict):
                return
        elif "source" in entry:
            if self._with_acl(lambda: self._copied(entry)):
                return
            answer = "412"
        elif staged.exists():
            if self._put_file(entry, staged):
                return
            answer = "412"
        else:
            answer = "404"
        if self._is_own(self._head(entry["name"]), entry):
            if upload is not None:
                self._uploads.abort(self._key(entry["name"]), upload["id"])
            return
        if answer in REFUSED:
            raise no_room_for(self.address(entry["name"]))
        if upload is not None and ("source" in entry or same_content(staged, entry)):
            self._place(entry, self._uploaded(entry))
            return
        raise DestinationError(
            f"{self.address(entry['name'])} was not published, and what was staged of it is gone", hint="Start again with --fresh."
        )

    def _copied(self, entry: dict[str, Any]) -> bool:
        """Have one object copied; whether its key was free."""
        return self._copies.place(self._key(entry["name"]), entry["source"], entry["size"], self._facts(entry), self._conditions())

    def _put_file(self, entry: dict[str, Any], staged: Path) -> bool:
        """Put one small file; whether its key was free."""
        with at_destination(staged):
            content = staged.read_bytes()
        return self._put(self._key(entry["name"]), content, self._facts(entry) | self._conditions(), "publishing")

    def _put(self, key: str, content: bytes, facts: dict[str, Any], doing: str) -> bool:
        """Put an object in one request; False where the condition was not met."""

        def put() -> bool:
            given = facts if "ACL" not in facts or self._acl else {name: value for name, value in facts.items() if name != "ACL"}
            return put_object(self._connection, key, f"{doing} {self._connection.address(key)}", content, given)

        return self._with_acl(put)

    def _check(self, entry: dict[str, Any]) -> None:
        """Read an object back and compare it with what was written."""
        address = self.address(entry["name"])

        def read() -> tuple[int, str]:
            body = self._connection.client().get_object(Bucket=self._connection.bucket, Key=self._key(entry["name"]))["Body"]
            digest, size = hashlib.sha256(), 0
            try:
                while piece := body.read(1 << 20):
                    digest.update(piece)
                    size += len(piece)
            finally:
                body.close()
            return size, digest.hexdigest()

        if self._connection.trying(read, f"reading {address} back") != (entry["size"], entry["sha256"]):
            raise DestinationError(f"{address} does not read back as it was written")

    def _unlink(self, entries: Iterable[dict[str, Any]]) -> None:
        with at_destination(self.files.folder):
            for entry in entries:
                (self.files.folder / entry["staged"]).unlink(missing_ok=True)
            if self.files.folder.is_dir():
                sync_folder(self.files.folder)
