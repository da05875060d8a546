"""Bypasses that are wrong, each in one way."""
# ruff: noqa: RUF012

import gzip
import itertools
import json

import pytest

from ozzy import BaseBypass, Declined
from ozzy.testing import BypassContract, KillContract


class Copies(BaseBypass):
    """Copies every file, whatever is asked for."""

    def declines(self, split):
        return None

    def copy(self, split):
        reader, writer = self.context.reader, self.context.writer
        with reader.open_stream(reader.stream(split)) as stream:
            return {**writer.write_stream(stream, split.id), "rows": None}


class _Suite(BypassContract):
    writer = {"name": "fs", "options": {"filebase": "out/{source}", "compression": "none"}}

    @pytest.fixture
    def reader(self, tmp_path):
        folder = tmp_path / "source"
        folder.mkdir()
        for name in ("a", "b", "c"):
            (folder / f"{name}.jl").write_text(json.dumps({"id": name}) + "\n")
        (folder / "d.jl").write_text('{"id": "d"}')
        return {"name": "fs", "options": {"input": str(folder)}}


class TestCopies(_Suite):
    module = Copies
    says = {
        "test_the_outcome_is_that_of_the_pipeline": r"with it, out/d.jl does not hold what the pipeline writes",
        "test_it_declines_where_the_outcome_would_differ": r"with formatter: .* it copies",
    }


class Guesses(Copies):
    """Says how many records there are without looking."""

    def copy(self, split):
        return super().copy(split) | {"rows": 7}


class TestGuesses(_Suite):
    module = Guesses
    says = {"test_rows_are_true_or_unknown": r"it says that a.jl has 7 records, and it has 1"}


class Hasty(Copies):
    """Puts its copies where everybody sees them."""

    def copy(self, split):
        folder = self.context.writer.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hasty.jl").write_bytes(b"")
        return super().copy(split)


class TestHasty(_Suite):
    module = Hasty
    says = {
        "test_a_copy_is_invisible_until_it_is_published": r"copy\(\) of .*a.jl makes out/hasty.jl visible",
        "test_a_dry_run_leaves_no_trace": r"a dry run leaves out/hasty.jl",
    }


class Fickle(Copies):
    """Declines one time in three."""

    turn = itertools.count()

    def declines(self, split):
        return "not now" if next(self.turn) % 3 else None


class TestFickle(_Suite):
    module = Fickle
    says = {"test_the_same_part_gets_the_same_answer": r"it gives two answers"}


class Idle(Copies):
    """Declines everything on the way."""

    def copy(self, split):
        raise Declined("too heavy")


class TestIdle(_Suite):
    module = Idle
    says = {"test_the_outcome_is_that_of_the_pipeline": r"it copies nothing of this pipeline: .*too heavy"}


class Appends(BaseBypass):
    """Appends to a file of its own at the destination, past the writer."""

    def declines(self, split):
        return None

    def copy(self, split):
        folder = self.context.writer.folder
        folder.mkdir(parents=True, exist_ok=True)
        reader = self.context.reader
        with reader.open_stream(reader.stream(split)) as stream, (folder / "all.jl").open("ab") as file:
            file.write(gzip.decompress(stream.read()))
        return {"rows": 0, "size": 0}


class TestAppends(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/{source}"}}
    bypass = {"name": Appends}
    kills = 8

    @pytest.fixture
    def reader(self, tmp_path):
        folder = tmp_path / "source"
        folder.mkdir()
        for number in range(6):
            rows = "".join(json.dumps({"id": 10 * number + row}) + "\n" for row in range(10))
            (folder / f"{number}.jl.gz").write_bytes(gzip.compress(rows.encode()))
        return {"name": "fs", "options": {"input": str(folder)}}

    says = {"test_killed_before_any_step": r"doubled|not, byte for byte|not put there in one step"}
