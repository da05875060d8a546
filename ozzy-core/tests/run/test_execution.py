"""What is kept of a run, told of it, and left where it fails."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseExportFormatter, BaseFilter, BaseGrouper, BaseNotifier, BaseReader, BaseStatsManager, Registry, hookimpl
from ozzy.api import Listener
from ozzy.builtin.writers.fs import FSWriter
from ozzy.errors import DataError, PluginError, SourceError
from ozzy.run import schedule
from ozzy.run.runs import RunRecord, StateFolder

HEARD: list[Any] = []
OPTIONS: dict[str, Any] = {"fails_at": {"type": int, "default": -1}, "password": {"type": str, "default": ""}}


class Numbers(BaseReader):
    """Numbers in batches of two; the option `fails_at` makes it fail there."""

    supported_options = OPTIONS
    at = 0

    def get_next_batch(self) -> Any:
        if self.at == self.read_option("fails_at"):
            raise OSError(f"the line went dead, password {self.read_option('password')}")
        batch = [{"n": n} for n in range(self.at, self.at + 2)]
        self.at += 2
        self.finished = self.at >= 6
        return batch

    def get_last_position(self) -> Any:
        return {"at": self.at}

    def set_last_position(self, position: Any) -> None:
        self.at = (position or {"at": 0})["at"]

    def close(self) -> None:
        if self.read_option("fails_at") == 4:
            raise OSError("closing failed")


class Endless(BaseReader):
    """Numbers without an end."""

    endless = True

    def read(self, split: ozzy.Split, position: Any) -> Any:
        for n in itertools.count(position or 0):
            yield ozzy.Batch.from_records([{"n": n}], position=n + 1)


class Ear(BaseNotifier):
    """Hears how a run goes."""

    def notify_start_dump(self, receivers: Any = None) -> None:
        HEARD.append(("started", receivers))

    def notify_complete_dump(self, receivers: Any = None) -> None:
        HEARD.append(("completed", receivers))

    def notify_failed_job(self, msg: str, stack_trace: str, receivers: Any = None) -> None:
        HEARD.append(("failed", msg, stack_trace, receivers))


class Stats(BaseStatsManager):
    """Keeps what it is given."""

    def iteration_report(self, times: dict[str, float]) -> None:  # type: ignore[override]
        HEARD.append(("times", set(times)))

    def final_report(self, stats: dict[str, Any]) -> None:
        HEARD.append(("final", stats["writer"]["items_count"], stats["reader"]["read_items"], len(stats["writer"]["files_written"])))


class Plugin:
    """What these tests offer."""

    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"numbers": Numbers, "endless": Endless}

    @hookimpl
    def ozzy_notify(self) -> dict[str, type]:
        return {"ear": Ear}

    @hookimpl
    def ozzy_stats(self) -> dict[str, type]:
        return {"stats": Stats}


@pytest.fixture
def registry() -> Registry:
    HEARD.clear()
    registry = Registry.load()
    registry.register(Plugin(), package="test-modules", version="1")
    return registry


def config(tmp_path: Path, **options: Any) -> dict[str, Any]:
    return {
        "name": "told",
        "reader": {"name": "numbers", "options": options},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/x", "compression": "none"}},
        "notifications": ["ear"],
        "stats_manager": "stats",
        "checkpoint": {"every_records": 2},
    }


def test_notifiers_and_stats_are_told_of_a_run_that_succeeds(registry: Registry, tmp_path: Path) -> None:
    ozzy.run(config(tmp_path), state_dir=tmp_path / "state", registry=registry)

    times = ("times", {"read", "filtered", "transformed", "filtered_after", "grouped", "written", "persisted"})
    told = [("started", [0, 1]), times, times, times, ("final", 6, 6, 1), ("completed", [0, 1])]
    assert told == HEARD


def test_a_run_without_an_end_publishes_while_it_goes_on_and_loses_nothing_when_it_is_stopped(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FULL_SECONDS", 0)
    monkeypatch.setattr(schedule, "COST", 1e9)
    goes_on = config(tmp_path) | {"reader": "endless", "checkpoint": {}}
    stop = ozzy.api.Stop()
    published: list[list[int]] = []

    class Pull(Listener):
        def batch_done(self, progress: Any) -> None:
            if progress.records_read % 3 == 0:
                texts = [path.read_text() for path in sorted((tmp_path / "out").glob("*.jl"))]
                published.append([json.loads(line)["n"] for line in "".join(texts).splitlines()])
                stop.set()

    for resume in (False, True):
        with pytest.raises(ozzy.Interrupted):
            ozzy.run(goes_on, state_dir=tmp_path / "state", registry=registry, resume=resume, stop=stop, listener=Pull())
        stop = ozzy.api.Stop()

    assert published == [[0, 1], [0, 1, 2, 3, 4]]
    assert ozzy.explain(goes_on, registry=registry).light_checkpoints == "light ones, a full one every 60 seconds, and at the end"


def test_a_failure_is_told_once_kept_and_gone_on_from(registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    failing = config(tmp_path, fails_at=4, password="hunter22")
    with pytest.raises(ozzy.SourceError, match=r"reading all \(Numbers\) failed: OSError: the line went dead, password \*\*\*") as raised:
        ozzy.run(failing, state_dir=state, registry=registry)

    told = [heard for heard in HEARD if heard[0] == "failed"]
    assert len(told) == 1
    assert "the line went dead" in told[0][1]
    assert "Traceback" in told[0][2]
    assert told[0][3] == [1]
    [record] = StateFolder(state).runs()
    assert record.state == "failed"
    assert "the line went dead" in record.facts["error"]
    assert raised.value.run_id == record.id
    everything = repr(HEARD) + "".join(path.read_text() for path in state.rglob("*.json")) + "".join(capsys.readouterr())
    assert "hunter22" not in everything

    assert record.facts["left_out"] == ["reader.options.password"]
    with pytest.raises(ozzy.ConfigError, match=r"needs reader\.options\.password, which state never holds"):
        ozzy.resume(record.id, state_dir=state, registry=registry)


def test_a_run_resumed_by_id_takes_its_secret_from_outside(registry: Registry, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = config(tmp_path, password="hunter22")

    class Pull(Listener):
        def batch_done(self, progress: Any) -> None:
            if progress.records_read == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ozzy.run(first, state_dir=state, registry=registry, listener=Pull())
    [record] = StateFolder(state).runs()
    assert record.state == "interrupted"

    result = ozzy.resume(record.id, state_dir=state, registry=registry, set={"reader.options.password": "other"})

    assert result.resumed
    assert [json.loads(line)["n"] for line in (tmp_path / "out/x0000.jl").read_text().splitlines()] == list(range(6))


def test_a_run_that_ended_after_its_last_checkpoint_is_finished_by_a_resume(registry: Registry, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = ozzy.run(config(tmp_path), state_dir=state, registry=registry)
    [record] = StateFolder(state).runs()
    record.save(state="running")

    again = ozzy.run(config(tmp_path), state_dir=state, registry=registry, resume=True)

    assert again.state == "already finished"
    assert again.files == first.files
    assert StateFolder(state).runs()[0].state == "finished"


def test_a_run_that_ended_before_it_was_committed_is_told_of_when_it_is(registry: Registry, tmp_path: Path) -> None:
    """Notifiers hear of the success from whichever process makes it one."""

    class Cut(BaseException):
        pass

    state = tmp_path / "state"

    def cut(self: FSWriter, receipt: Any) -> None:
        raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FSWriter, "publish", cut)
        with pytest.raises(Cut):
            ozzy.run(config(tmp_path), state_dir=state, registry=registry)
    HEARD.clear()
    result = ozzy.run(config(tmp_path), state_dir=state, registry=registry, resume=True)

    assert [file.rows for file in result.files] == [6]
    assert HEARD == [("final", 6, 6, 1), ("completed", [0, 1])]


def test_a_state_that_can_not_be_saved_hides_no_error(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    save = RunRecord.save

    def full(self: RunRecord, **facts: Any) -> None:
        if facts.get("state") == "failed":
            raise ozzy.StateError("can't write the state in run.json: No space left on device")
        save(self, **facts)

    monkeypatch.setattr(RunRecord, "save", full)
    with pytest.raises(ozzy.SourceError, match="the line went dead"):
        ozzy.run(config(tmp_path, fails_at=4), state_dir=state, registry=registry)

    assert "what became of the run can't be saved" in caplog.text
    assert StateFolder(state).runs()[0].state == "interrupted"


def test_a_dry_run_in_a_config_with_a_printing_writer_prints_nothing(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = config(tmp_path) | {"writer": ["console", config(tmp_path)["writer"]]}

    result = ozzy.run(dry, state_dir=tmp_path / "state", registry=registry, dry_run=True)

    assert capsys.readouterr().out == ""
    assert result.counts["console"].records_out == 6
    assert [file.rows for file in result.files] == [6]
    assert not (tmp_path / "out").exists()


def test_bad_records_are_logged_up_to_a_limit(registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in.jl").write_text("nonsense\n" * 30 + "{}\n")
    skipping = config(tmp_path) | {"reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}}, "errors": "skip"}

    result = ozzy.run(skipping, state_dir=tmp_path / "state", registry=registry)

    assert result.counts["reader"].reasons == {"bad": 30}
    logged = [record.getMessage() for record in caplog.records if "bad record passed over" in record.getMessage()]
    assert len(logged) == 10
    assert "further ones are counted, not logged" in logged[-1]


def test_reading_fails_at_a_bad_record(tmp_path: Path) -> None:
    (tmp_path / "in.jl").write_text('{"a": 1}\nnonsense\n')

    with pytest.raises(DataError, match=r"in\.jl, line 2"):
        list(ozzy.read({"reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}}}))


def test_preview_shows_what_transforms_make(registry: Registry) -> None:
    stages = ozzy.preview({"reader": {"name": "random", "options": {"number_of_items": 10**9, "seed": 1}}, "transform": "no_transform"}, 2)

    assert [(stage.name, len(stage.records)) for stage in stages] == [("reader", 2), ("transform", 2)]
    assert stages[0].records == stages[1].records


class Faulty(Numbers):
    """Raises in the method that `where` names, or ends the program there."""

    supported_options = OPTIONS | {"where": {"type": str, "default": ""}}

    def _at(self, where: str) -> None:
        if self.read_option("where") == where:
            raise OSError(f"no luck, password {self.read_option('password')}")
        if self.read_option("where") == f"exit in {where}":
            raise SystemExit(0)

    def splits(self) -> Any:
        self._at("splits")
        return super().splits()

    def get_next_batch(self) -> Any:
        self._at("get_next_batch")
        return super().get_next_batch()

    def acknowledge(self, position: Any) -> None:
        self._at("acknowledge")

    def close(self) -> None:
        self._at("close")


class ClosedFilter(BaseFilter):
    """Keeps all, and tells when it is closed."""

    def filter(self, item: Any) -> bool:
        return True

    def close(self) -> None:
        HEARD.append("filter closed")


class ClosedGrouper(BaseGrouper):
    """One group, and tells when it is closed."""

    def key(self, item: Any) -> Any:
        return ("all",)

    def close(self) -> None:
        HEARD.append("grouper closed")


class ClosedFormatter(BaseExportFormatter):
    """A line a record, and tells when it is closed."""

    file_extension = "txt"

    def format_rows(self, batch: Any) -> list[bytes]:
        return [b"row\n" for _ in batch]

    def close(self) -> None:
        HEARD.append("formatter closed")


class MorePlugin:
    """What the tests of faults offer."""

    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"faulty": Faulty}

    @hookimpl
    def ozzy_filter(self) -> dict[str, type]:
        return {"closed": ClosedFilter}

    @hookimpl
    def ozzy_group(self) -> dict[str, type]:
        return {"closed": ClosedGrouper}

    @hookimpl
    def ozzy_format(self) -> dict[str, type]:
        return {"closed": ClosedFormatter}


def faulty(registry: Registry, tmp_path: Path, where: str, **more: Any) -> dict[str, Any]:
    registry.register(MorePlugin(), package="more-modules", version="1")
    return {**config(tmp_path), "reader": {"name": "faulty", "options": {"where": where}}, **more}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("splits", r"listing the parts of the source \(Faulty\) failed: OSError: no luck"),
        ("get_next_batch", r"reading all \(Faulty\) failed: OSError: no luck"),
        ("acknowledge", r"acknowledging what was committed \(Faulty\) failed: OSError: no luck"),
    ],
)
def test_whatever_a_reader_raises_is_blamed_on_it(where: str, told: str, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=told) as raised:
        ozzy.run(faulty(registry, tmp_path, where), state_dir=tmp_path / "state", registry=registry)
    assert raised.value.run_id is not None


@pytest.mark.parametrize("where", ["splits", "get_next_batch"])
def test_whatever_a_reader_raises_is_blamed_on_it_where_records_are_only_shown(where: str, registry: Registry, tmp_path: Path) -> None:
    written = faulty(registry, tmp_path, where)
    with pytest.raises(SourceError, match=r"reading the source \(Faulty\) failed: OSError: no luck"):
        ozzy.preview(written, 2, registry=registry)
    with pytest.raises(SourceError, match=r"reading the source \(Faulty\) failed: OSError: no luck"):
        list(ozzy.read(written, registry=registry))


def test_a_module_that_ends_the_program_fails_the_run_instead(registry: Registry, tmp_path: Path) -> None:
    written = faulty(registry, tmp_path, "exit in get_next_batch")
    with pytest.raises(PluginError, match="a module tried to end the program: SystemExit: 0") as raised:
        ozzy.run(written, state_dir=tmp_path / "state", registry=registry)
    [record] = StateFolder(tmp_path / "state").runs()
    assert (record.state, record.id) == ("failed", raised.value.run_id)


def test_what_can_not_be_closed_after_success_is_a_notice(registry: Registry, tmp_path: Path) -> None:
    result = ozzy.run(faulty(registry, tmp_path, "close"), state_dir=tmp_path / "state", registry=registry)
    assert (result.state, result.records_written) == ("finished", 6)
    assert result.notices[-1].startswith("all is done, but a module could not be closed: OSError: no luck")


def test_every_module_is_closed(registry: Registry, tmp_path: Path) -> None:
    stages = {"filter_before": "closed", "filter_after": "closed", "grouper": "closed", "formatter": "closed"}
    ozzy.run(faulty(registry, tmp_path, "", **stages), state_dir=tmp_path / "state", registry=registry)
    closed = [told for told in HEARD if isinstance(told, str)]
    assert sorted(closed) == ["filter closed", "filter closed", "formatter closed", "grouper closed"]


class Exiting(Numbers):
    """Ends the program when it is made."""

    def __init__(self, *_: Any) -> None:
        raise SystemExit(0)


class ExitingPlugin:
    """Offers it."""

    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"exiting": Exiting}


def test_a_module_that_ends_the_program_when_it_is_made_is_told(registry: Registry, tmp_path: Path) -> None:
    written = {**config(tmp_path), "reader": "exiting"}
    registry.register(ExitingPlugin(), package="exiting-modules", version="1")
    with pytest.raises(PluginError, match="can't be made: SystemExit: 0"):
        ozzy.run(written, state_dir=tmp_path / "state", registry=registry)
