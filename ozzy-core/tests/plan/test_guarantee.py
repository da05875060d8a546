"""The guarantee is worked out from what the parts of a pipeline declare, and asked-for ones are refused before anything is read."""

from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseReader, BaseWriter, Registry, Staging, hookimpl
from ozzy.errors import ConfigError, PluginError
from ozzy.plan.explain import Explanation


class Numbers(BaseReader):
    """Three numbers, with a position."""

    at = 0

    def get_next_batch(self) -> list[dict[str, int]]:
        self.finished = True
        return [{"n": n} for n in range(self.at, 3)]

    def get_last_position(self) -> int:
        return 3

    def set_last_position(self, position: Any) -> None:
        self.at = position or 0


class Forgetful(BaseReader):
    """Has no position, and can't read the same again."""

    replayable = False

    def get_next_batch(self) -> list[dict[str, int]]:
        self.finished = True
        return [{"n": 1}]


class Ledger(BaseWriter):
    """Claims a transaction."""

    staging = Staging.TRANSACTION

    def write_batch(self, batch: Any, group_key: Any = None) -> None:
        """Takes nothing down."""


class Sent(BaseWriter):
    """An inherited writer that is fed files."""

    def write(self, dump_path: str, group_key: Any = None) -> None:
        """Sends nothing."""


class OneArgument(BaseWriter):
    """An inherited writer with one argument."""

    def write_batch(self, batch: Any) -> None:
        """Takes nothing down."""


class Broken(BaseReader):
    """Fails in its constructor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no luck")


class Rude(BaseReader):
    """Does not call the constructor it inherits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Forgets."""


class Plugin:
    """What these tests offer beside the built-in modules."""

    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"numbers": Numbers, "forgetful": Forgetful, "broken": Broken, "rude": Rude}

    @hookimpl
    def ozzy_write(self) -> dict[str, type]:
        return {"ledger": Ledger, "sent": Sent, "one_argument": OneArgument}


@pytest.fixture
def registry() -> Registry:
    registry = Registry.load()
    registry.register(Plugin(), package="test-modules", version="1")
    return registry


def explain(registry: Registry, writer: Any, reader: str = "numbers", **more: Any) -> Explanation:
    return ozzy.explain({"name": "a pipeline", "reader": reader, "writer": writer, **more}, registry=registry)


FILES: dict[str, Any] = {"name": "fs", "options": {"filebase": "out/x"}}


@pytest.mark.parametrize(
    ("writer", "part", "reason"),
    [
        ("console", "writer (console)", "no staging"),
        ("sent", "writer (sent)", "the same file twice"),
        ([{"name": "ledger", "label": "a"}, {"name": "ledger", "label": "b"}], "a and b", "two transactions"),
        ([FILES, "console"], "console (console)", "no staging"),
    ],
)
def test_a_weak_writer_makes_it_at_least_once(registry: Registry, writer: Any, part: str, reason: str) -> None:
    guarantee = explain(registry, writer).guarantee

    assert guarantee.level == "at least once"
    assert guarantee.weaknesses[0].part == part
    assert reason in guarantee.weaknesses[0].reason
    assert str(guarantee).startswith(f"at least once: {part}: ")


@pytest.mark.parametrize("writer", [FILES, "ledger", [FILES, "ledger"]])
def test_files_and_one_transaction_are_exactly_once(registry: Registry, writer: Any) -> None:
    assert str(explain(registry, writer, delivery="exactly once").guarantee) == "exactly once"


def test_a_reader_that_can_not_read_again_is_a_weakness(registry: Registry) -> None:
    explanation = explain(registry, FILES, "forgetful")

    assert [weakness.part for weakness in explanation.guarantee.weaknesses] == ["reader (forgetful)"]
    assert "does not tell its position" in explanation.light_checkpoints


def test_a_mapping_without_a_name_is_a_weakness(registry: Registry) -> None:
    guarantee = ozzy.explain({"reader": "numbers", "writer": FILES}, registry=registry).guarantee

    assert [weakness.part for weakness in guarantee.weaknesses] == ["config"]


def test_what_can_not_be_promised_is_refused_before_anything_is_read(registry: Registry, tmp_path: Path) -> None:
    config = {"name": "x", "reader": "forgetful", "writer": "console", "delivery": "exactly once"}

    with pytest.raises(ConfigError) as raised:
        ozzy.run(config, state_dir=tmp_path / "state", registry=registry)

    assert "writer (console): it has no staging" in str(raised.value)
    assert "reader (forgetful): it can't read the same records again" in str(raised.value)
    assert not (tmp_path / "state").exists()


def test_what_can_not_be_promised_is_no_valid_config(registry: Registry) -> None:
    config = {"name": "x", "reader": "random", "writer": "console", "delivery": "exactly once"}

    with pytest.raises(ConfigError, match=r"can't promise exactly once\n  writer \(console\)"):
        ozzy.validate(config, registry=registry)
    assert ozzy.validate(config | {"delivery": "at least once"}, registry=registry).notices == []


def test_explain_says_which_face_each_module_gets(registry: Registry) -> None:
    config = {
        "name": "x",
        "reader": {"name": "fs", "options": {"input": "in"}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "a.b", "value": 1}]}},
        "transform": "no_transform",
        "formatter": {"name": "json", "options": {"pretty_print": True}},
        "writer": [FILES, "one_argument", {"name": "console"}],
    }

    faces = {module.stage: module.face for module in ozzy.explain(config, registry=registry).modules}

    assert faces == {
        "reader": "gives lines of JSON, columns of Parquet and Arrow, cells of CSV, else records",
        "filter_before": "fields a",
        "transform": "whatever comes",
        "formatter": faces["formatter"],
        "fs": "rows as formatted",
        "one_argument": "records",
        "console": "lines",
        "persistence": "",
        "stats_manager": "",
    }


def test_explain_as_json(registry: Registry) -> None:
    told = explain(registry, FILES).to_dict()

    assert told["guarantee"] == {"level": "exactly once", "weaknesses": []}
    assert told["destinations"]["writer"].endswith("/out (out/x)")
    assert told["staging"]["writer"].endswith("/out/.ozzy-RUN/writer")


def test_a_constructor_that_fails_is_named(registry: Registry) -> None:
    with pytest.raises(PluginError, match=r"reader \(broken of test-modules\) can't be made: RuntimeError: no luck"):
        explain(registry, FILES, "broken")


def test_a_constructor_that_forgets_its_base_is_told(registry: Registry) -> None:
    with pytest.raises(PluginError, match=r"must call super\(\)\.__init__"):
        explain(registry, FILES, "rude")


@pytest.mark.parametrize("section", ["deserializer", "decompressor"])
def test_decoding_needs_a_reader_of_streams(registry: Registry, section: str) -> None:
    with pytest.raises(ConfigError, match=f"{section}: the reader Numbers does not read streams"):
        explain(registry, FILES, **{section: "json_lines" if section == "deserializer" else "gz"})


def test_sections_for_decoding_win_over_the_readers_own_options(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "table").write_text("a\tb\n1\t2\n")
    config = {"reader": {"name": "fs", "options": {"input": str(tmp_path / "table")}}, "deserializer": "tsv", "decompressor": "none"}

    assert list(ozzy.read(config, registry=registry)) == [{"a": "1", "b": "2"}]


def test_a_reader_without_a_position_is_read_from_the_start_again(registry: Registry, tmp_path: Path) -> None:
    """Such a run has no checkpoint before its end, so that nothing of it is published before that."""
    config = {
        "name": "x",
        "reader": "forgetful",
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/x"}},
        "checkpoint": {"every_records": 1},
    }

    result = ozzy.run(config, state_dir=tmp_path / "state", registry=registry)

    assert result.checkpoints == 1
    assert result.records_written == 1
