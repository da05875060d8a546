"""Several readers, read one after the other: from the config to the books, positions, bookmarks and errors."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseReader, Batch, ConfigError, DataError, Interrupted, Listed, SourceError, Split, StateError
from ozzy.api import Listener, Stop, bookmark, explain, preview, validate
from ozzy.run.runs import StateFolder
from ozzy.testing.modules import registry


def put(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def fs(path: Path, label: str | None = None, **more: Any) -> dict[str, Any]:
    options = {"input": str(path), **{key: more.pop(key) for key in ("batch_size", "deserializer", "decompressor") if key in more}}
    return {"name": "fs", "options": options, **({"label": label} if label else {}), **more}


def config(tmp_path: Path, *readers: Any, **more: Any) -> dict[str, Any]:
    writer = {"name": "fs", "options": {"filebase": f"{tmp_path}/out/all", "compression": "none", "if_exists": "number"}}
    return {"name": "several", "reader": list(readers), "writer": writer, **more}


def run(tmp_path: Path, made: dict[str, Any], **how: Any) -> ozzy.Result:
    return ozzy.run(made, state_dir=tmp_path / "state", **how)


def rows(tmp_path: Path) -> list[Any]:
    return [json.loads(line) for path in sorted((tmp_path / "out").glob("*.jl")) for line in path.read_text().splitlines()]


def test_they_are_read_in_their_order_each_to_its_end(tmp_path: Path) -> None:
    first, second = put(tmp_path / "b.jl", {"n": 1}, {"n": 2}), put(tmp_path / "a.jl", {"n": 3})
    result = run(tmp_path, config(tmp_path, fs(first), fs(second), {"name": "random", "options": {"number_of_items": 4}}))
    assert [row.get("n", "made up") for row in rows(tmp_path)] == [1, 2, 3, *["made up"] * 4]
    assert (result.counts["reader"].records_in, result.records_written) == (7, 7)


@pytest.mark.parametrize("readers", [1, 12])
def test_a_list_may_hold_one_or_many(tmp_path: Path, readers: int) -> None:
    source = put(tmp_path / "a.jl", {"n": 1})
    run(tmp_path, config(tmp_path, *[fs(source)] * readers))
    assert len(rows(tmp_path)) == readers


def test_one_without_records_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, config(tmp_path, fs(put(tmp_path / "empty.jl")), fs(put(tmp_path / "a.jl", {"n": 1})), fs(put(tmp_path / "none.jl"))))
    assert rows(tmp_path) == [{"n": 1}]


def test_files_named_by_source_are_kept_apart(tmp_path: Path) -> None:
    """The same file read by two readers gives two outputs; the folder of neither is in the name."""
    source = put(tmp_path / "in" / "a.jl", {"n": 1})
    made = config(tmp_path, fs(source), fs(source, "again"))
    made["writer"]["options"]["filebase"] = f"{tmp_path}/out/{{source}}"
    run(tmp_path, made)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-0001.jl", "a.jl"]


def test_each_has_its_own_decoding(tmp_path: Path) -> None:
    """By its options, by sections of its own, and where it has neither by the top-level ones."""
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text("a\tb\n1\t2\n")
    (tmp_path / "four").write_text('{"a": "5", "b": "6"}\n')
    made = config(
        tmp_path,
        fs(tmp_path / "one", deserializer="tsv"),
        {**fs(tmp_path / "two"), "deserializer": {"name": "tsv"}, "decompressor": "none"},
        fs(tmp_path / "three"),
        {**fs(tmp_path / "four"), "deserializer": "json_lines"},
        deserializer="tsv",
        decompressor="auto",
    )
    run(tmp_path, made)
    assert rows(tmp_path) == [{"a": "1", "b": "2"}] * 3 + [{"a": "5", "b": "6"}]


def test_decoding_belongs_to_readers_of_streams(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jl", {"n": 1})
    with pytest.raises(ConfigError, match=r"reader\.1\.deserializer: the reader RandomReader does not read streams"):
        run(tmp_path, config(tmp_path, fs(source), {"name": "random", "deserializer": "csv"}))
    with pytest.raises(ConfigError, match="deserializer: the reader SeveralReaders does not read streams"):
        run(tmp_path, config(tmp_path, "random", "random", deserializer="csv"))


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        ({"name": "fs", "options": {"inputt": "a"}}, "reader.1.options.inputt: unknown option"),
        ({"name": "fz"}, "reader.1: unknown reader 'fz'"),
        ({"name": "random", "deserializer": {"name": "csv", "options": {"delimiter": 5}}}, "reader.1.deserializer.options"),
        ({"name": "random", "label": "first"}, "reader.1.label: reader.0 is called first too"),
    ],
)
def test_a_mistake_names_the_reader(tmp_path: Path, reader: Any, told: str) -> None:
    with pytest.raises(ozzy.OzzyError) as caught:
        validate(config(tmp_path, {"name": "random", "label": "first"}, reader))
    assert told in str(caught.value)


def test_a_bad_record_names_the_reader_and_the_file(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jl", {"n": 1})
    (tmp_path / "b.jl").write_text('{"n": 2}\n{\n')
    with pytest.raises(DataError, match=r"orders/.*b\.jl, line 2: "):
        run(tmp_path, config(tmp_path, fs(source), fs(tmp_path / "b.jl", "orders")))


def test_a_reader_that_fails_is_named(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jl", {"n": 1})
    with pytest.raises(SourceError, match=r"^reader\.1: .*missing\.jl"):
        run(tmp_path, config(tmp_path, fs(source), fs(tmp_path / "missing.jl")))


class Breaking(BaseReader):
    """Raises something that is no error of ozzy's."""

    def get_next_batch(self) -> Iterable[Any]:
        raise ValueError("out of order")


def test_whatever_a_reader_raises_becomes_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^reader\.1: reading all \(Breaking\) failed: ValueError: out of order"):
        run(tmp_path, config(tmp_path, "random", "breaking"), registry=registry(breaking=Breaking))


def test_explain_validate_and_preview_tell_of_each(tmp_path: Path) -> None:
    made = config(tmp_path, fs(put(tmp_path / "a.jl", {"n": 1})), {"name": "random", "label": "more"})
    assert [one.stage for one in explain(made).modules][:2] == ["reader.0", "reader.1"]
    assert [one.section.path for one in validate(made).modules][:2] == ["reader.0", "reader.1"]
    seen = preview(made, 2)[0]
    assert seen.module == "FSReader, RandomReader"
    assert [record is not None and "n" in record for record in seen.records] == [True, False]
    assert len(list(ozzy.read(made | {"reader": [*made["reader"][:1]]}))) == 1


class Once(BaseReader):
    """Can be read once only."""

    replayable = False

    def get_next_batch(self) -> Iterable[Any]:
        self.finished = True
        return [{"id": "once"}]


def test_the_guarantee_is_that_of_the_weakest(tmp_path: Path) -> None:
    found = explain(config(tmp_path, "random", "once"), registry=registry(once=Once))
    assert str(found.guarantee) == "at least once: reader.1 (once): it can't read the same records again"
    assert "the reader does not tell its position" in found.light_checkpoints


class StopAfter(Listener):
    def __init__(self, batches: int, stop: Stop) -> None:
        self.left, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.left -= 1
        if not self.left:
            self.stop.set()


@pytest.mark.parametrize("batches", [1, 2, 3, 4, 5])
def test_a_resumed_run_goes_on_where_it_stood(tmp_path: Path, batches: int) -> None:
    first, second = put(tmp_path / "a.jl", *[{"n": n} for n in range(6)]), put(tmp_path / "b.jl", *[{"n": n} for n in range(6, 12)])
    made = config(tmp_path, fs(first, batch_size=2), fs(second, "b", batch_size=2), checkpoint={"every_records": 2})
    stop = Stop()
    with pytest.raises(Interrupted):
        run(tmp_path, made, stop=stop, listener=StopAfter(batches, stop))
    run(tmp_path, made, resume=True)
    assert [row["n"] for row in rows(tmp_path)] == list(range(12))


class Acknowledging(BaseReader):
    """Counts to four, in batches of two, and remembers what was acknowledged."""

    told: dict[int, list[Any]] = {}  # noqa: RUF012
    made = 0

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.number, Acknowledging.made = Acknowledging.made, Acknowledging.made + 1
        self.told[self.number] = []

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        for at in range(position or 0, 4, 2):
            yield Batch.from_records([{"n": at}, {"n": at + 1}], split=split.id, position=at + 2, origin=[at, at + 1])

    def acknowledge(self, position: Any) -> None:
        self.told[self.number].append(position)


def test_each_is_told_of_its_own_position_and_the_last_of_those_before(tmp_path: Path) -> None:
    Acknowledging.made = 0
    made = config(tmp_path, "ack", "ack", checkpoint={"full_every": {"records": 6}})
    run(tmp_path, made, registry=registry(ack=Acknowledging))
    assert Acknowledging.told == {0: [4, 4], 1: [2, 4]}


def test_a_run_that_goes_on_acknowledges_what_an_earlier_process_has_read(tmp_path: Path) -> None:
    Acknowledging.made = 0
    made = config(tmp_path, "ack", "ack", checkpoint={"every_records": 2})
    stop = Stop()
    with pytest.raises(Interrupted):
        run(tmp_path, made, registry=registry(ack=Acknowledging), stop=stop, listener=StopAfter(3, stop))
    run(tmp_path, made, registry=registry(ack=Acknowledging), resume=True)
    last = Acknowledging.made - 2
    assert (Acknowledging.told[last], Acknowledging.told[last + 1]) == ([4], [4])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda readers: readers.append("random"), "the records before went another way"),
        (lambda readers: readers.pop(), "the records before went another way"),
        (lambda readers: readers[1].update(label="c"), "the run's parts of the source are called by it"),
        (lambda readers: readers[1].update(name="random", options={}), "the run's position is that of the former reader"),
    ],
    ids=["one more", "one less", "another label", "another module"],
)
def test_what_a_resumed_run_can_not_find_changed(tmp_path: Path, change: Any, told: str) -> None:
    source = put(tmp_path / "a.jl", *[{"n": n} for n in range(6)])
    made = config(tmp_path, fs(source, batch_size=2), fs(source, "b", batch_size=2), checkpoint={"every_records": 2})
    stop = Stop()
    with pytest.raises(Interrupted):
        run(tmp_path, made, stop=stop, listener=StopAfter(1, stop))
    change(made["reader"])
    with pytest.raises(StateError, match=told):
        run(tmp_path, made, resume=True, accept_changes=True)


def test_changed_decoding_is_the_users_to_accept(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jl", *[{"n": n} for n in range(6)])
    made = config(tmp_path, fs(source, batch_size=2), fs(source, batch_size=2), checkpoint={"every_records": 2})
    stop = Stop()
    with pytest.raises(Interrupted):
        run(tmp_path, made, stop=stop, listener=StopAfter(1, stop))
    made["reader"][1]["deserializer"] = "json_lines"
    with pytest.raises(StateError, match=r"reader\.1\.deserializer\.name: was not there, is 'json_lines'"):
        run(tmp_path, made, resume=True)
    run(tmp_path, made, resume=True, accept_changes=True)
    assert [row["n"] for row in rows(tmp_path)] == [*range(6), *range(6)]


class Closing(BaseReader):
    closed: list[str] = []  # noqa: RUF012

    def get_next_batch(self) -> Iterable[Any]:
        self.finished = True
        return []

    def close(self) -> None:
        self.closed.append("closed")
        raise ValueError("stuck")


def test_all_are_closed_whatever_one_raises(tmp_path: Path) -> None:
    result = run(tmp_path, config(tmp_path, "closing", "closing"), registry=registry(closing=Closing))
    assert Closing.closed == ["closed", "closed"]
    assert any("could not be closed: ValueError: stuck" in notice for notice in result.notices)


def test_set_reaches_into_the_list(tmp_path: Path) -> None:
    made = config(tmp_path, "random", {"name": "random", "options": {"number_of_items": 5}})
    run(tmp_path, made, set={"reader.0.options.number_of_items": "2", "reader.1.options.number_of_items": "3"})
    assert len(rows(tmp_path)) == 5


class TestBookmarks:
    """What is new is told for each reader by its label."""

    def config(self, tmp_path: Path, *labels: str) -> dict[str, Any]:
        return config(tmp_path, *[fs(tmp_path / "in" / label, label) for label in labels], bookmark=True)

    def files(self, tmp_path: Path, *names: str) -> None:
        for name in names:
            put(tmp_path / "in" / f"{name}.jl", {"n": name})

    def read(self, tmp_path: Path, *labels: str) -> list[str]:
        """What a run reads that has not been read before."""
        before = len(rows(tmp_path))
        run(tmp_path, self.config(tmp_path, *labels))
        return sorted(row["n"] for row in rows(tmp_path))[before - len(rows(tmp_path)) :] if len(rows(tmp_path)) > before else []

    def test_only_what_is_new_is_read(self, tmp_path: Path) -> None:
        self.files(tmp_path, "a/1", "a/2", "b/1")
        made = self.config(tmp_path, "a", "b")
        assert run(tmp_path, made).records_read == 3
        assert run(tmp_path, made).records_read == 0
        self.files(tmp_path, "b/2")
        assert run(tmp_path, made).records_read == 1
        assert [mark[:2] for mark in self.marks(tmp_path)] == [["a", "fs"]] * 2 + [["b", "fs"]] * 2

    def marks(self, tmp_path: Path) -> list[Any]:
        store = bookmark(self.config(tmp_path, "a", "b"), state_dir=tmp_path / "state")
        current = store.current()
        assert current is not None
        return list(store.marks(current))

    @pytest.mark.parametrize(
        ("labels", "new"), [(("b", "a"), 0), (("c", "a", "b"), 1), (("a", "c", "b"), 1), (("b", "c", "a"), 1), (("b",), 0), (("c",), 1)]
    )
    def test_readers_may_come_go_and_move(self, tmp_path: Path, labels: tuple[str, ...], new: int) -> None:
        self.files(tmp_path, "a/1", "a/2", "b/1", "b/2", "c/1")
        run(tmp_path, self.config(tmp_path, "a", "b"))
        assert run(tmp_path, self.config(tmp_path, *labels)).records_read == new

    def test_a_reader_that_asks_for_no_marks_spoils_nothing_for_the_next(self, tmp_path: Path) -> None:
        self.files(tmp_path, "b/1")
        made = config(tmp_path, {"name": "careless", "label": "a"}, fs(tmp_path / "in" / "b", "b"), bookmark=True)
        modules = registry(careless=Careless)
        assert run(tmp_path, made, registry=modules).records_read == 3
        assert run(tmp_path, made, registry=modules).records_read == 2

    def test_each_needs_a_label(self, tmp_path: Path) -> None:
        self.files(tmp_path, "a/1")
        made = config(tmp_path, fs(tmp_path / "in" / "a", "a"), fs(tmp_path / "in" / "a"), bookmark=True)
        with pytest.raises(ConfigError, match=r"reader\.1\.label: missing: with a bookmark"):
            validate(made)

    def test_each_must_be_able_to(self, tmp_path: Path) -> None:
        made = config(tmp_path, {"name": "random", "label": "a"}, bookmark=True)
        with pytest.raises(ConfigError, match="the reader random can't tell what is new"):
            validate(made)

    def test_marks_belong_to_the_module_that_made_them(self, tmp_path: Path) -> None:
        self.files(tmp_path, "a/1")
        run(tmp_path, config(tmp_path, fs(tmp_path / "in" / "a", "a"), bookmark=True))
        made = config(tmp_path, {"name": "curious", "label": "a"}, bookmark=True)
        with pytest.raises(StateError, match="a: the bookmark was made by the reader fs, and can't be used by curious"):
            run(tmp_path, made, registry=registry(curious=Curious))

    def test_a_bookmark_of_one_is_not_one_of_several(self, tmp_path: Path) -> None:
        self.files(tmp_path, "a/1")
        alone = config(tmp_path, bookmark=True) | {"reader": fs(tmp_path / "in" / "a")}
        run(tmp_path, alone)
        with pytest.raises(StateError, match="made by the reader fs, and can't be used by several"):
            run(tmp_path, self.config(tmp_path, "a"))
        assert StateFolder(tmp_path / "state").runs()


class Careless(BaseReader):
    """Reads everything each time and leaves two marks, without a look at those before."""

    def splits_since(self, bookmark: Iterator[Any]) -> Iterable[Listed]:
        return [Listed(Split(), "one"), Listed(mark="two")]

    def get_next_batch(self) -> Iterable[Any]:
        self.finished = True
        return [{"n": "x"}, {"n": "y"}]


class Curious(BaseReader):
    """Looks at every mark."""

    def splits_since(self, bookmark: Iterator[Any]) -> Iterable[Listed]:
        return [Listed(mark=mark) for mark in bookmark]
