"""Copies are durable, checked by their sums, and leave nothing where they fail."""

import hashlib
import io
import os
from contextlib import closing
from pathlib import Path

import pytest

from ozzy import DestinationError
from ozzy.staging.whole_files import local_file, stage_copy


@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024 + 7])
def test_a_copy_is_what_its_source_was(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)

    facts = stage_copy(io.BytesIO(content), tmp_path / "staged", ("sha256", "md5"))

    assert (tmp_path / "staged" / facts["copy"]).read_bytes() == content
    assert facts["size"] == size
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_a_dry_one_only_reads(tmp_path: Path) -> None:
    facts = stage_copy(io.BytesIO(b"abc"), tmp_path / "staged", ("sha256",), dry=True)

    assert (facts["size"], facts["sha256"]) == (3, hashlib.sha256(b"abc").hexdigest())
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise RuntimeError("gone")
            return super().read(1)

    with pytest.raises(RuntimeError, match="gone"):
        stage_copy(Broken(b"abc"), tmp_path, ("sha256",))

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_and_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ozzy.staging.disk.os.write", full)

    with pytest.raises(DestinationError, match="No space left on device") as caught:
        stage_copy(io.BytesIO(b"abc"), tmp_path, ("sha256",))

    assert "Make room" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


class Local:
    """A stream of a local file, which may be copied by the system."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb", buffering=0)

    def whole_file(self) -> int | None:
        return local_file(self.file)

    def read(self, size: int) -> bytes:
        return self.file.read(size)

    def close(self) -> None:
        self.file.close()


@pytest.mark.parametrize("refused", [None, 18, 38, 22], ids=["can", "another disk", "unknown", "other kind"])
@pytest.mark.parametrize("size", [0, 5, 17 * 1024 * 1024 + 3])
def test_a_local_file_is_copied_by_the_system_where_that_can(
    refused: int | None, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(size)
    (tmp_path / "source").write_bytes(content)
    if refused is not None:

        def refuse(*_: object) -> int:
            raise OSError(refused, "refused")

        monkeypatch.setattr(os, "copy_file_range", refuse)

    with closing(Local(tmp_path / "source")) as stream:
        facts = stage_copy(stream, tmp_path / "staged", ("sha256",))  # type: ignore[arg-type]

    assert (tmp_path / "staged" / facts["copy"]).read_bytes() == content
    assert (facts["size"], facts["sha256"]) == (size, hashlib.sha256(content).hexdigest())


def test_what_the_system_gives_up_in_the_middle_is_copied_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_bytes(b"0123456789")

    def halting(_source: int, target: int, _count: int, offset: int, _to: int) -> int:
        if offset:
            raise OSError(5, "Input/output error")
        return os.pwrite(target, b"xxxxx", 0)

    monkeypatch.setattr(os, "copy_file_range", halting)

    with closing(Local(tmp_path / "source")) as stream:
        facts = stage_copy(stream, tmp_path / "staged", ("sha256",))  # type: ignore[arg-type]

    assert (tmp_path / "staged" / facts["copy"]).read_bytes() == b"0123456789"
    assert facts["size"] == 10


def test_only_a_local_file_has_a_descriptor(tmp_path: Path) -> None:
    assert local_file(io.BytesIO()) is None
    assert local_file(object()) is None
    with (tmp_path / "a").open("wb") as file:
        assert local_file(file) == file.fileno()
