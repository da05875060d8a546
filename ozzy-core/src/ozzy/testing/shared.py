"""A persistence whose state several processes of a machine share as if it were remote, and that fails on demand."""

import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ozzy import BaseSharedPersistence, SharedPersistenceOptions, StateError, Stored, option, options
from ozzy.staging.disk import sync_folder

_VERSION = "=%012d"


@options
class SharedOptions(SharedPersistenceOptions):
    """Options of the testing persistence `shared`."""

    store: str = option(help="The folder that is the store.", example="state/store")


@attrs.frozen
class Faults:
    """What goes wrong in a store until it is said otherwise: see `SharedPersistence.fail`."""

    slow: float = 0.0
    refused: int = 0
    lost_replies: int = 0
    stale_reads: int = 0
    only: str = ""


class SharedPersistence(BaseSharedPersistence):
    """Keeps all state in one folder, which processes use as they would use a bucket: for tests, and for nothing else.

    A document is a folder with a file for each of its versions, numbered; who writes makes the next one, and only one can. No lock is held,
    so that a process that is frozen or killed keeps nobody out. Old versions are never deleted. `SharedPersistence.fail(store, …)` lets
    every process that uses the store meet faults.
    """

    Options: ClassVar[type] = SharedOptions
    uri_regex: ClassVar[str] = r"shared://(?P<store>.+)\?run=(?P<run>[^?&]+)"

    def read_document(self, key: str) -> Stored | None:
        self._meet_faults(key)
        try:
            number = self._newest(key)
            return self._version(key, number - 1 if number and self._stale(key, number) else number)
        except OSError as error:
            raise self._failed(error) from error

    def write_document(self, key: str, content: bytes, expected: str | None) -> str | None:
        faults = self._meet_faults(key)
        try:
            number = self._newest(key)
            found = self._version(key, number)
            if (found.version if found is not None else None) != expected or not self._add(key, number + 1, b"+" + content):
                return None
            if faults.stale_reads:
                (self._folder(key) / "stale").write_text(f"{number + 1} {faults.stale_reads}")
        except OSError as error:
            raise self._failed(error) from error
        if faults.lost_replies:
            self._used(faults, "lost_replies")
            raise StateError(f"the answer of {self.address()} to a write of {key} was lost")
        return str(number + 1)

    def list_documents(self, prefix: str) -> Iterable[str]:
        self._meet_faults(prefix)
        try:
            keys = {path.parent.relative_to(self._path).as_posix() for path in self._path.rglob("=*")}
            return [key for key in keys if key.startswith(prefix) and self._version(key, self._newest(key)) is not None]
        except OSError as error:
            raise self._failed(error) from error

    def delete_document(self, key: str) -> None:
        self._meet_faults(key)
        try:
            while self._version(key, number := self._newest(key)) is not None:
                self._add(key, number + 1, b"-")
        except OSError as error:
            raise self._failed(error) from error

    def address(self) -> str:
        return str(self._path)

    def uri(self, run: str) -> str:
        return f"shared://{self._path}?run={run}"

    @staticmethod
    def fail(
        store: Path | str, *, slow: float = 0.0, refused: int = 0, lost_replies: int = 0, stale_reads: int = 0, only: str = ""
    ) -> None:
        """Let the next calls fail, in every process; called without faults, all is well again.

        Every call takes `slow` seconds more; the next `refused` calls raise StateError and do nothing; the next `lost_replies` writes are
        done, and raise StateError; after each write the next `stale_reads` reads give what was there before. `only` limits all that to
        keys in which this regular expression is found.
        """
        faults = attrs.asdict(Faults(slow, refused, lost_replies, stale_reads, only))
        _fault_file(Path(store)).write_text(json.dumps(faults), encoding="utf-8")

    @property
    def _path(self) -> Path:
        return self.path(self.options.store)

    def _folder(self, key: str) -> Path:
        return self._path / key

    def _newest(self, key: str) -> int:
        """The number of a document's last version, 0 where it never had one."""
        try:
            return max((int(path.name[1:]) for path in self._folder(key).iterdir() if path.name.startswith("=")), default=0)
        except FileNotFoundError:
            return 0

    def _version(self, key: str, number: int) -> Stored | None:
        content = (self._folder(key) / (_VERSION % number)).read_bytes() if number else b"-"
        return Stored(content[1:], str(number)) if content[:1] == b"+" else None

    def _add(self, key: str, number: int, content: bytes) -> bool:
        """Make a version of a document, durably; False where somebody else has made it."""
        folder = self._folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"new-{secrets.token_hex(8)}"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, folder / (_VERSION % number))
        except FileExistsError:
            return False
        finally:
            new.unlink()
        sync_folder(folder)
        return True

    def _meet_faults(self, key: str) -> Faults:
        faults = self._faults(key)
        time.sleep(faults.slow)
        if faults.refused:
            self._used(faults, "refused")
            raise StateError(f"{self.address()} refuses to speak about {key}")
        return faults

    def _faults(self, key: str) -> Faults:
        path = _fault_file(self._path)
        if not path.exists():
            return Faults()
        faults = Faults(**json.loads(path.read_text(encoding="utf-8")))
        return faults if re.search(faults.only, key) else Faults()

    def _used(self, faults: Faults, name: str) -> None:
        left: dict[str, Any] = attrs.asdict(faults) | {name: getattr(faults, name) - 1}
        _fault_file(self._path).write_text(json.dumps(left), encoding="utf-8")

    def _stale(self, key: str, number: int) -> bool:
        """Whether a read is to be given the version before this one; counts such reads."""
        path = self._folder(key) / "stale"
        if not path.exists():
            return False
        of, left = map(int, path.read_text().split())
        if of != number or not left:
            return False
        path.write_text(f"{of} {left - 1}")
        return True

    def _failed(self, error: OSError) -> StateError:
        return StateError(f"the store {self.address()} can't be used: {error}")


def _fault_file(store: Path) -> Path:
    return store.with_name(f"{store.name}.faults")
