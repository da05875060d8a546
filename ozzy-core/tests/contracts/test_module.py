from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ozzy.contracts.module import BaseModule, Metadata, blamed_on, overrides
from ozzy.errors import ConfigError, DataError, DestinationError, SourceError
from ozzy.options.option import option, options


@options
class PumpOptions:
    speed: int = option(default=3, minimum=1)
    place: str = option(default="")


class Pump(BaseModule):
    kind = "reader"
    Options = PumpOptions


class OldPump(BaseModule):
    kind = "reader"
    supported_options: ClassVar[dict[str, Any]] = {"speed": {"type": int, "default": 3}, "place": {"type": str}}


def test_options_are_structured():
    pump = Pump({"name": "pump", "options": {"speed": 5}})

    assert pump.options == PumpOptions(speed=5)
    assert (pump.read_option("speed"), pump.read_option("none"), pump.read_option("none", 7)) == (5, None, 7)


def test_supported_options_become_a_mapping():
    pump = OldPump({"options": {"place": "here"}})

    assert pump.options == {"speed": 3, "place": "here"}
    assert (pump.read_option("place"), pump.read_option("none"), pump.read_option("none", 7)) == ("here", None, 7)


@pytest.mark.parametrize("given", [None, {}, {"options": None}, {"name": "pump"}])
def test_no_options_are_defaults(given):
    assert Pump(given).options == PumpOptions()


def test_all_that_is_wrong_comes_at_once():
    with pytest.raises(ConfigError) as caught:
        Pump({"options": {"speed": 0, "colour": "red"}})

    assert sorted(problem.path for problem in caught.value.problems) == ["reader.options.colour", "reader.options.speed"]


def test_a_module_of_no_kind_speaks_of_options():
    with pytest.raises(ConfigError) as caught:
        BaseModule({"options": {"colour": "red"}})

    assert [problem.path for problem in caught.value.problems] == ["options.colour"]


def test_modules_of_one_run_share_metadata():
    metadata = Metadata(configuration={"reader": {}})
    one, other = Pump(None, metadata), OldPump({"options": {"place": ""}}, metadata)
    one.set_metadata("a", 1)
    other.update_metadata({"b": 2})

    assert (other.get_metadata("a"), one.get_metadata("b"), one.get_metadata("c")) == (1, 2, None)
    assert one.get_all_metadata() == {"a": 1, "b": 2}
    assert metadata.per_module == {"reader": {"a": 1, "b": 2}}


def test_metadata_of_a_kind_that_kept_nothing():
    pump = Pump()

    assert (pump.get_metadata("a"), pump.get_all_metadata()) == (None, {})


def test_modules_without_metadata_keep_apart():
    one, other = Pump(), Pump()
    one.set_metadata("a", 1)

    assert other.get_metadata("a") is None


def test_metadata_as_a_mapping_has_the_inherited_keys():
    start = datetime(2026, 1, 2).astimezone()
    metadata = Metadata(configuration={"x": 1}, start_time=start)
    metadata.per_module["writer"] = {"items_count": 5}

    assert metadata.to_dict() == {
        "writer": {"items_count": 5},
        "accurate_items_count": True,
        "bypassed_pipeline": False,
        "configuration": {"x": 1},
        "elapsed_time": None,
        "end_time": None,
        "start_time": start,
    }


def test_relative_paths_belong_to_the_working_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    pump = Pump(None, Metadata(working_folder=Path("/data")))

    assert [str(pump.path(text)) for text in ("a/b", "/x", "~/y", "")] == ["/data/a/b", "/x", "/home/me/y", "/data"]


def test_a_module_has_a_log_and_can_be_closed(caplog):
    pump = Pump()
    with caplog.at_level("INFO"):
        pump.logger.info("pumping")
    pump.close()

    assert "pumping" in caplog.text


def test_overrides():
    class Fast(Pump):
        def close(self):
            pass

    assert [overrides(module, "close", BaseModule) for module in (Fast, Fast(), Pump, Pump())] == [True, True, False, False]
    assert overrides(Fast, "nothing", BaseModule) is False


def test_what_a_module_raises_is_blamed_on_it():
    with pytest.raises(SourceError) as caught, blamed_on("reading a.jl", Pump(), SourceError):
        raise KeyError("id")

    assert caught.value.message == "reading a.jl (Pump) failed: KeyError: 'id'"
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [DataError("bad", row=1), ConfigError("odd"), KeyboardInterrupt()])
def test_errors_that_speak_to_the_user_pass(error):
    with pytest.raises(type(error)) as caught, blamed_on("writer", Pump(), DestinationError):
        raise error

    assert caught.value is error


def test_lack_of_memory_is_told_as_what_it_is():
    with pytest.raises(SourceError) as caught, blamed_on("reading a.jl", BaseModule(), SourceError):
        raise MemoryError

    assert caught.value.message == "reading a.jl (BaseModule) ran out of memory"
    assert "batch_size" in caught.value.hint
