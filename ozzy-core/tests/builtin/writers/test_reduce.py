"""Writer `reduce`: one value of all records, by a function of the user's own."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import ConfigError, DataError, Interrupted
from ozzy.api import Listener, Stop

FUNCTIONS = """
import datetime

def total(item, accumulator=None):
    return (accumulator or 0) + item["n"]

def totals(item, accumulator=None):
    found = accumulator or {"seen": [], "groups": []}
    found["seen"].append(item["n"])
    found["groups"].append(list(item.group_membership))
    if item["n"] < 0:
        raise ValueError("below zero")
    return found

def wrong(item, accumulator=None):
    return {"tuple": (1, 2), "set": {1}, "date": datetime.date(2024, 1, 1), "key": {1: 2}, "nan": float("nan"),
            "object": object(), "deep": deep()}[item["kind"]]

def deep():
    found = []
    for _ in range(300):
        found = [found]
    return found

class Named:
    @staticmethod
    def keep(item, accumulator=None):
        return item

none = None
"""


@pytest.fixture(autouse=True)
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reductions.py").write_text(FUNCTIONS)
    (tmp_path / "breaks.py").write_text("raise ValueError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "reductions", raising=False)


def run(tmp_path: Path, *records: Any, function: str | None = "reductions:total", how: Any = None, **more: Any) -> ozzy.Result:
    path = tmp_path / "in.jl"
    text = "".join(json.dumps(record) + "\n" for record in records)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    options = more.pop("options", {})
    made = {
        "name": "reducing",
        "reader": {"name": "fs", "options": {"input": str(path), "batch_size": 3}},
        "writer": {"name": "reduce", "options": {**({"function": function} if function else {}), **options}},
        **more,
    }
    return ozzy.run(made, state_dir=tmp_path / "state", **(how or {}))


def numbers(*values: int) -> list[dict[str, Any]]:
    return [{"n": value} for value in values]


def test_the_function_is_called_for_each_record_in_order(tmp_path: Path) -> None:
    result = run(tmp_path, *numbers(*range(8)), function="reductions:totals")
    assert result.summaries["writer"]["seen"] == list(range(8))
    assert result.counts["writer"].reasons == {"absorbed": 8}


def test_without_records_the_result_is_null(tmp_path: Path) -> None:
    result = run(tmp_path, options={"path": str(tmp_path / "total.json")})
    assert (result.summaries, (tmp_path / "total.json").read_text()) == ({}, "null\n")


def test_the_result_is_a_file_where_a_path_is_given(tmp_path: Path) -> None:
    result = run(tmp_path, *numbers(1, 2, 3), options={"path": str(tmp_path / "out" / "total.json")})
    assert ((tmp_path / "out" / "total.json").read_text(), result.summaries["writer"]) == ("6\n", 6)


def test_records_keep_their_order_whatever_their_group(tmp_path: Path) -> None:
    result = run(tmp_path, *numbers(3, 1, 3, 2), function="reductions:totals", grouper={"name": "file_key", "options": {"keys": ["n"]}})
    assert result.summaries["writer"] == {"seen": [3, 1, 3, 2], "groups": [["3"], ["1"], ["3"], ["2"]]}


def test_a_function_may_stand_in_a_class(tmp_path: Path) -> None:
    assert run(tmp_path, *numbers(1, 2), function="reductions:Named.keep").summaries["writer"] == {"n": 2}


def test_items_limit_is_respected(tmp_path: Path) -> None:
    assert run(tmp_path, *numbers(1, 2, 3, 4), options={"items_limit": 2}).summaries["writer"] == 3


def test_a_resumed_run_goes_on_from_the_accumulator(tmp_path: Path) -> None:
    stop = Stop()

    class Stopping(Listener):
        def batch_done(self, progress: Any) -> None:
            stop.set()

    with pytest.raises(Interrupted):
        run(tmp_path, *numbers(*range(8)), function="reductions:totals", how={"listener": Stopping(), "stop": stop})
    result = run(tmp_path, *numbers(*range(8)), function="reductions:totals", how={"resume": True})
    assert result.summaries["writer"]["seen"] == list(range(8))


def test_a_record_on_which_it_fails_leaves_no_trace(tmp_path: Path) -> None:
    """Though the function had changed the accumulator before it failed."""
    result = run(tmp_path, *numbers(1, 2, -1, 3, -2, 4, 5, 6), function="reductions:totals", errors="skip")
    assert result.summaries["writer"]["seen"] == [1, 2, 3, 4, 5, 6]
    assert result.counts["writer"].reasons == {"absorbed": 6, "bad": 2}


def test_a_record_on_which_it_fails_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"in\.jl, record 2: writer: reductions:totals: ValueError: below zero"):
        run(tmp_path, *numbers(1, -1), function="reductions:totals")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("tuple", "something else than plain JSON"),
        ("set", "something else than plain JSON"),
        ("date", "something else than plain JSON"),
        ("key", "something else than plain JSON"),
        ("nan", "NaN or an infinite number"),
        ("object", "type object"),
        ("deep", "nested deeper than"),
    ],
)
def test_an_accumulator_that_is_no_json_is_refused_at_once(tmp_path: Path, kind: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"the accumulator that reductions:wrong returns can't be saved in a checkpoint: .*{why}"):
        run(tmp_path, {"kind": kind}, function="reductions:wrong")


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("reductions", "expected package.module:name, given reductions"),
        ("reductions:", "expected package.module:name"),
        ("a b:c", "expected package.module:name"),
        ("reductions:nothing", "there is no nothing in reductions"),
        ("reductions:none", "reductions:none is no function"),
        ("missing_module:f", "can't import missing_module"),
        ("breaks:f", "importing breaks fails: ValueError: broken"),
    ],
)
def test_what_is_wrong_with_the_function_is_told(tmp_path: Path, function: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, function=function)
    assert f"writer.options.function: {told}" in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"function": "reductions:total", "code": "x = 1"}])
def test_one_of_function_and_code_is_needed(tmp_path: Path, options: Any) -> None:
    with pytest.raises(ConfigError, match="expected exactly one of function and code"):
        run(tmp_path, function=None, options=options)


CODE = """
def reduce_function(item, accumulator=None):
    return max(accumulator or 0, item["n"])
"""


def test_code_needs_to_be_allowed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--allow-code"):
        run(tmp_path, *numbers(1), function=None, options={"code": CODE})


def test_code_runs_where_it_is_allowed(tmp_path: Path) -> None:
    result = run(tmp_path, *numbers(1, 5, 2), function=None, options={"code": CODE}, how={"allow_code": True})
    assert result.summaries["writer"] == 5


def test_the_inherited_config_works(tmp_path: Path) -> None:
    writer = {"name": "exporters.writers.reduce_writer.ReduceWriter", "options": {"code": CODE, "source_path": "mine.py"}}
    assert run(tmp_path, *numbers(7, 5), writer=writer, how={"allow_code": True}).summaries["writer"] == 7


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def f(:", "writer.options.code: not Python"),
        ("a\0b", "writer.options.code: not Python"),
        ("x = 1", "writer.options.code defines no function reduce_function"),
        ("reduce_function = 5", "writer.options.code defines no function reduce_function"),
        ("1 / 0", "writer.options.code fails: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_the_code_is_told(tmp_path: Path, code: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, function=None, options={"code": code}, how={"allow_code": True})
    assert told in str(caught.value)


def test_source_path_is_what_tracebacks_show(tmp_path: Path) -> None:
    import traceback

    code = "def reduce_function(item, accumulator=None):\n    return item['missing']\n"
    with pytest.raises(DataError) as caught:
        run(tmp_path, *numbers(1), function=None, options={"code": code, "source_path": "sums.py"}, how={"allow_code": True})
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "sums.py", line 2' in text
    assert "return item['missing']" in text


def test_the_writer_and_the_metadata_hold_the_result(tmp_path: Path) -> None:
    from ozzy import Batch, Metadata
    from ozzy.builtin.writers.reduce import ReduceWriter
    from ozzy.contracts.writer import WriterContext
    from ozzy.testing.installed import make

    metadata = Metadata()
    writer = ReduceWriter({"options": {"function": "reductions:total"}}, metadata)
    writer.start(WriterContext("run", "writer", metadata.start_time, tmp_path, make("formatter", "json")))
    writer.resume(None)
    assert writer.reduced_result is None
    writer.write_batch(Batch.from_records(numbers(2, 3)))
    writer.finish_writing()
    assert (writer.reduced_result, metadata.to_dict()["writer"]["reduced_result"]) == (5, 5)
