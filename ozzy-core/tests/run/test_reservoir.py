"""Reservoir sampling: who enters the sample, what a checkpoint remembers of it, and what a run makes of it."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ozzy
from ozzy import BaseReader, Batch, ConfigError, DataError, Interrupted, Split, StateError
from ozzy.api import Listener, Stop, explain
from ozzy.run.reservoir import Reservoir
from ozzy.testing.modules import registry


def batch(*numbers: Any, split: str = "all") -> Batch:
    return Batch.from_records([{"n": number} for number in numbers], split=split, origin=range(len(numbers)))


def drained(sample: Reservoir) -> dict[tuple[str, ...], list[Any]]:
    found: dict[tuple[str, ...], list[Any]] = {}
    for key, rows in sample.drain():
        found.setdefault(key, []).extend(record["n"] for record in rows.records)
    return found


class TestWhoEnters:
    def test_as_long_as_there_is_room_all_do(self) -> None:
        sample = Reservoir(5, 1, None)
        sample.add(batch(1, 2, 3), ("a",))
        sample.add(batch(4, 5), ("a",))
        assert (sample.held, sample.dropped) == (5, 0)
        assert drained(sample) == {("a",): [1, 2, 3, 4, 5]}

    def test_then_the_sample_stays_as_large_as_it_is(self) -> None:
        sample = Reservoir(5, 1, None)
        sample.add(batch(*range(1000)), ())
        assert (sample.held, sample.dropped) == (5, 995)
        [rows] = drained(sample).values()
        assert (len(set(rows)), rows) == (5, sorted(rows))
        assert sample.held == 0

    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_each_record_has_the_same_chance(self, size: int) -> None:
        """By the chi-squared test, at a level that a right sampler fails once in a million; the seeds are fixed."""
        records, rounds = 20, 3000
        seen: Counter[int] = Counter()
        for seed in range(rounds):
            sample = Reservoir(size, seed, None)
            for start in range(0, records, 7):
                sample.add(batch(*range(start, min(records, start + 7))), ())
            seen.update(drained(sample)[()])
        expected = rounds * size / records
        assert sum((seen[number] - expected) ** 2 / expected for number in range(records)) < 70

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), max_size=30), st.integers(1, 6))
    def test_it_does_not_depend_on_how_records_come_in_batches(self, arrivals: list[tuple[str, int]], size: int) -> None:
        together, alone = Reservoir(size, "seed", None), Reservoir(size, "seed", None)
        number = 0
        for key, count in arrivals:
            numbers = range(number, number + count)
            number += count
            together.add(batch(*numbers), (key,))
            for one in numbers:
                alone.add(batch(one), (key,))
        assert (together.held, together.dropped) == (alone.held, alone.dropped)
        assert drained(together) == drained(alone)

    def test_groups_are_sampled_apart_and_come_in_the_order_of_their_first_records(self) -> None:
        sample = Reservoir(2, 1, None)
        for start in range(0, 40, 4):
            sample.add(batch(start, start + 1), ("b",))
            sample.add(batch(start + 2), ("a",))
        found = drained(sample)
        assert [(key, len(rows)) for key, rows in found.items()] == [(("b",), 2), (("a",), 2)]
        assert all(number % 4 == 2 for number in found[("a",)])

    def test_seeds_differ(self) -> None:
        found = set()
        for seed in range(5):
            sample = Reservoir(3, seed, None)
            sample.add(batch(*range(100)), ())
            found.add(tuple(drained(sample)[()]))
        assert len(found) > 1

    def test_a_record_without_a_json_form_is_refused_and_leaves_no_trace(self) -> None:
        sample, other = Reservoir(3, 1, None), Reservoir(3, 1, None)
        with pytest.raises(DataError) as caught:
            sample.add(batch(1, math.nan, 3), ())
        assert (caught.value.row, sample.held, sample.dropped) == (1, 0, 0)
        for one in (sample, other):
            one.add(batch(1, 3, *range(50)), ())
        assert drained(sample) == drained(other)

    def test_rows_keep_their_place_in_the_source(self) -> None:
        sample = Reservoir(4, 1, None)
        sample.add(batch(1, 2, split="a.jl"), ())
        sample.add(Batch.from_records([{"n": 3}], split="b.jl"), ())
        assert [(rows.split, rows.origin, len(rows)) for _, rows in sample.drain()] == [("a.jl", [0, 1], 2), ("b.jl", None, 1)]


class TestWhatIsRemembered:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(1, 5), st.data())
    def test_one_that_goes_on_draws_what_the_other_would_have_drawn(
        self, tmp_path_factory: Any, sizes: list[int], size: int, data: Any
    ) -> None:
        path = tmp_path_factory.mktemp("sample") / "sample.jsonl"
        calm, first = Reservoir(size, 9, None), Reservoir(size, 9, path)
        first.restore(None)
        at = data.draw(st.integers(0, len(sizes)))
        batches = [(batch(*range(100 * turn, 100 * turn + count)), (str(turn % 2),)) for turn, count in enumerate(sizes)]
        for one, key in batches:
            calm.add(one, key)
        for one, key in batches[:at]:
            first.add(one, key)
        facts = json.loads(json.dumps(first.save()))
        for one, key in batches[at:]:
            first.add(one, key)
        first.save()
        second = Reservoir(size, 9, path)
        second.restore(facts)
        for one, key in batches[at:]:
            second.add(one, key)
        assert (second.held, second.dropped) == (calm.held, calm.dropped)
        assert drained(second) == drained(calm)

    def test_a_file_that_is_damaged_or_gone_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "sample.jsonl"
        sample = Reservoir(2, 1, path)
        sample.add(batch(1, 2, 3), ())
        facts = sample.save()
        path.write_bytes(path.read_bytes().replace(b"1", b"9"))
        with pytest.raises(StateError, match=r"the sample in .* is not what the checkpoint says"):
            Reservoir(2, 1, path).restore(facts)
        path.unlink()
        with pytest.raises(StateError, match=r"the sample in .* is not what the checkpoint says"):
            Reservoir(2, 1, path).restore(facts)

    def test_the_file_grows_by_what_enters_not_by_what_is_held(self, tmp_path: Path) -> None:
        sample = Reservoir(100, 1, tmp_path / "sample.jsonl")
        sample.add(batch(*range(10_000)), ())
        before = sample.save()["length"]
        sample.add(batch(*range(1000)), ())
        assert sample.save()["length"] - before < before / 10
        assert sample.save() == sample.save()


def config(tmp_path: Path, *, sample_size: int = 5, seed: int | None = 3, count: int = 60, **more: Any) -> dict[str, Any]:
    buffer = {"write_buffer": "reservoir_sampling", "write_buffer_options": {"sample_size": sample_size, "seed": seed}}
    options = {"filebase": f"{tmp_path}/out/all", "compression": "none", "if_exists": "number", **buffer, **more.pop("options", {})}
    return {
        "name": "sampling",
        "reader": {"name": "scripted", "options": {"count": count, "batch_size": 7}},
        "writer": {"name": "fs", "options": options},
        **more,
    }


def run(tmp_path: Path, made: dict[str, Any], **how: Any) -> ozzy.Result:
    return ozzy.run(made, state_dir=tmp_path / "state", **{"registry": registry(), **how})


def ids(tmp_path: Path) -> list[Any]:
    return [json.loads(line)["id"] for path in sorted((tmp_path / "out").rglob("*.jl")) for line in path.read_text().splitlines()]


class StopAfter(Listener):
    def __init__(self, batches: int, stop: Stop) -> None:
        self.left, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.left -= 1
        if not self.left:
            self.stop.set()


class TestInARun:
    def test_the_books_say_what_was_sampled_out(self, tmp_path: Path) -> None:
        result = run(tmp_path, config(tmp_path))
        counts = result.counts["writer"]
        assert (counts.records_in, counts.records_out, counts.reasons) == (60, 5, {"sampled out": 55})
        assert len(ids(tmp_path)) == 5

    def test_they_balance_at_every_checkpoint(self, tmp_path: Path) -> None:
        seen = []

        class Looking(Listener):
            def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
                seen.append(kind)

        run(tmp_path, config(tmp_path, checkpoint={"every_records": 10, "full_every": {"records": 21}}), listener=Looking())
        assert {"light", "full"} == set(seen)
        assert len(ids(tmp_path)) == 5

    def test_fewer_records_than_the_sample_has_room_for(self, tmp_path: Path) -> None:
        run(tmp_path, config(tmp_path, count=3))
        assert ids(tmp_path) == [0, 1, 2]

    def test_without_records_there_is_no_file(self, tmp_path: Path) -> None:
        assert run(tmp_path, config(tmp_path, count=0)).files == []

    def test_the_same_seed_gives_the_same_sample_and_none_another_each_time(self, tmp_path: Path) -> None:
        found = []
        for name, seed in (("a", 3), ("b", 3), ("c", None), ("d", None)):
            (tmp_path / name).mkdir()
            run(tmp_path / name, config(tmp_path / name, sample_size=20, count=2000, seed=seed))
            found.append(ids(tmp_path / name))
        assert found[0] == found[1]
        assert len({tuple(one) for one in found}) == 3

    @pytest.mark.parametrize("batches", [1, 4, 8])
    def test_a_resumed_run_gives_the_sample_of_one_that_was_not_stopped(self, tmp_path: Path, batches: int) -> None:
        (tmp_path / "calm").mkdir()
        run(tmp_path / "calm", config(tmp_path / "calm"))
        stop = Stop()
        with pytest.raises(Interrupted):
            run(tmp_path, config(tmp_path), stop=stop, listener=StopAfter(batches, stop))
        result = run(tmp_path, config(tmp_path), resume=True)
        assert result.counts["writer"].reasons == {"sampled out": 55}
        assert ids(tmp_path) == ids(tmp_path / "calm")

    def test_nothing_is_left_in_the_state(self, tmp_path: Path) -> None:
        run(tmp_path, config(tmp_path))
        assert list((tmp_path / "state").rglob("sample-*")) == []

    def test_nothing_is_left_of_a_run_that_is_given_up(self, tmp_path: Path) -> None:
        stop = Stop()
        with pytest.raises(Interrupted):
            run(tmp_path, config(tmp_path), stop=stop, listener=StopAfter(2, stop))
        assert len(list((tmp_path / "state").rglob("sample-*"))) == 1
        run(tmp_path, config(tmp_path), fresh=True)
        assert list((tmp_path / "state").rglob("sample-*")) == []

    def test_each_source_is_sampled_where_files_are_named_by_it(self, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.jl").write_text("".join(f'{{"id":"{name}{n}"}}\n' for n in range(30)))
        reader = {"name": "fs", "options": {"input": [f"{tmp_path}/a.jl", f"{tmp_path}/b.jl"]}}
        run(tmp_path, config(tmp_path, options={"filebase": f"{tmp_path}/out/{{source}}"}) | {"reader": reader})
        assert [one[0] for one in ids(tmp_path)] == ["a"] * 5 + ["b"] * 5
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jl", "b.jl"]

    def test_items_limit_counts_what_comes(self, tmp_path: Path) -> None:
        result = run(tmp_path, config(tmp_path, options={"items_limit": 10}))
        assert result.counts["writer"].reasons == {"sampled out": 5, "limited": result.counts["writer"].records_in - 10}
        assert max(ids(tmp_path)) < 10

    def test_every_writer_can_have_one(self, tmp_path: Path) -> None:
        buffer = {"write_buffer": "reservoir_sampling", "write_buffer_options": {"sample_size": 4}}
        made = config(tmp_path) | {
            "writer": [{"name": "aggregation", "options": buffer}, {"name": "bare", "options": {"path": f"{tmp_path}/b.jl", **buffer}}]
        }
        result = run(tmp_path, made)
        assert result.summaries["aggregation"]["records"] == 4
        assert result.counts["aggregation"].reasons == {"sampled out": 56, "absorbed": 4}
        assert len((tmp_path / "b.jl").read_text().splitlines()) == 4

    def test_json_arrays_are_right(self, tmp_path: Path) -> None:
        run(tmp_path, config(tmp_path, formatter={"name": "json", "options": {"jsonlines": False}}))
        assert len(json.loads((tmp_path / "out" / "all0000.json").read_text())) == 5

    @pytest.mark.parametrize(("policy", "errors"), [("fail", None), ("skip", {"bad": 1})])
    def test_a_record_that_can_not_be_held(self, tmp_path: Path, policy: str, errors: Any) -> None:
        made = config(tmp_path, sample_size=50) | {"reader": "broken", "errors": policy}
        if errors is None:
            with pytest.raises(DataError, match="all, record 3: writer: can't be written as JSON"):
                run(tmp_path, made, registry=registry(broken=WithNaN))
            return
        assert run(tmp_path, made, registry=registry(broken=WithNaN)).counts["writer"].reasons == errors
        assert ids(tmp_path) == [0, 1, 3, 4]

    def test_a_dry_run_leaves_no_trace(self, tmp_path: Path) -> None:
        result = run(tmp_path, config(tmp_path), dry_run=True)
        assert (result.counts["writer"].records_out, list(tmp_path.iterdir())) == (5, [])

    def test_explain_tells_that_it_is_remembered(self, tmp_path: Path) -> None:
        found = explain(config(tmp_path) | {"reader": "random"}).guarantee
        assert (found.level, found.remembers) == ("exactly once", ["writer.write_buffer (reservoir_sampling)"])

    @pytest.mark.parametrize(
        "change", [{"write_buffer": "default", "write_buffer_options": {}}, {"write_buffer_options": {"sample_size": 6, "seed": 3}}]
    )
    def test_a_resumed_run_can_not_have_another(self, tmp_path: Path, change: dict[str, Any]) -> None:
        stop = Stop()
        with pytest.raises(Interrupted):
            run(tmp_path, config(tmp_path), stop=stop, listener=StopAfter(2, stop))
        with pytest.raises(StateError, match="the run's sample was drawn by it"):
            run(tmp_path, config(tmp_path, options=change), resume=True, accept_changes=True)

    def test_a_checkpoint_without_the_sample_is_refused(self, tmp_path: Path) -> None:
        from ozzy.plan.write_buffers import ReservoirOptions
        from ozzy.run.reservoir import samples_of

        with pytest.raises(StateError, match="the checkpoint holds no sample of writer"):
            samples_of({"writer": ReservoirOptions()}, "run", tmp_path, {"samples": {}})


class WithNaN(BaseReader):
    def read(self, split: Split, position: Any) -> Any:
        records = [{"id": number, "n": math.nan if number == 2 else number} for number in range(5)]
        yield Batch.from_records(records, split=split.id, position=5, origin=range(5))


class TestOptions:
    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("default", 60),
            ("exporters.write_buffers.base.WriteBuffer", 60),
            ("reservoir_sampling", 10),
            ("exporters.write_buffers.reservoir_sampling_buffer.ReservoirSamplingWriteBuffer", 10),
            ("ozzy.write_buffers.reservoir_sampling_buffer.ReservoirSamplingWriteBuffer", 10),
        ],
    )
    def test_inherited_class_paths_work(self, tmp_path: Path, name: str, size: int) -> None:
        options = {} if size == 60 else {"sample_size": 10}
        run(tmp_path, config(tmp_path, options={"write_buffer": name, "write_buffer_options": options}))
        assert len(ids(tmp_path)) == size

    def test_the_sample_has_a_thousand_records_unless_told(self, tmp_path: Path) -> None:
        run(tmp_path, config(tmp_path, count=1500, options={"write_buffer_options": {}}))
        assert len(ids(tmp_path)) == 1000

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"write_buffer": "reservoir"}, 'writer.options.write_buffer: unknown write buffer "reservoir"'),
            ({"write_buffer": "my.own.Buffer"}, "writer.options.write_buffer: unknown write buffer"),
            ({"write_buffer": 5}, "writer.options.write_buffer: expected str"),
            ({"write_buffer_options": {"sample_size": 0}}, "write_buffer_options.sample_size: expected int of at least 1, given 0"),
            ({"write_buffer_options": {"sample": 1}}, "write_buffer_options.sample: unknown option"),
            ({"write_buffer_options": {"sample_size": "5"}}, "write_buffer_options.sample_size: expected int"),
            ({"write_buffer": "default", "write_buffer_options": {"sample_size": 5}}, "write_buffer_options.sample_size: unknown option"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(self, tmp_path: Path, options: dict[str, Any], told: str) -> None:
        with pytest.raises(ConfigError) as caught:
            run(tmp_path, config(tmp_path, options=options))
        assert told in str(caught.value)

    @pytest.mark.parametrize("writer", ["console", "aggregation"])
    def test_options_that_every_inherited_writer_took_are_accepted_in_the_inherited_shape(
        self, tmp_path: Path, writer: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        idle = {"compression": "gz", "items_per_buffer_write": 5, "size_per_buffer_write": 5, "check_consistency": True}
        made = config(tmp_path) | {"writer": {"name": writer, "options": {**idle, "items_limit": 2}}}
        with pytest.raises(ConfigError, match="compression: unknown option"):
            run(tmp_path, made)
        result = run(tmp_path, made | {"exporter_options": {}})
        assert [notice.partition(":")[0] for notice in result.notices if "without effect" in notice] == [
            f"writer.options.{name}" for name in ("check_consistency", "compression", "items_per_buffer_write", "size_per_buffer_write")
        ]
        assert result.counts["writer"].reasons["limited"] > 0

    def test_a_mistake_in_them_is_one_in_the_inherited_shape_too(self, tmp_path: Path) -> None:
        made = config(tmp_path) | {"writer": {"name": "console", "options": {"compresion": "gz"}}, "exporter_options": {}}
        with pytest.raises(ConfigError, match="compresion: unknown option"):
            run(tmp_path, made)

    def test_writers_of_files_take_them_as_ever(self, tmp_path: Path) -> None:
        options = {"items_per_buffer_write": 30, "check_consistency": True, "size_per_buffer_write": 10**9, "start_file_count": 4}
        made = config(tmp_path, sample_size=60, options=options, exporter_options={})
        assert [file.name for file in run(tmp_path, made).files] == ["all0004.jl", "all0005.jl"]
