"""What a reader is told of the stages behind it."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ozzy
from ozzy.contracts.reader import BaseStreamReader

FILTER = {"name": "key_value", "options": {"keys": [{"name": "a", "value": 1}]}}
SET = {"name": "set", "options": {"fields": {"c": "item['a'] + 1"}}}
DROP = {"name": "drop", "options": {"fields": ["b"]}}
RENAME = {"name": "rename", "options": {"fields": {"b": "d"}}}
GROUP = {"name": "file_key", "options": {"keys": ["g"]}}
CSV = {"name": "csv", "options": {"fields": ["a", "b", "c"]}}


def run(folder: Path, lines: list[bytes], **more: Any) -> ozzy.Result:
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a.jl").write_bytes(b"".join(line + b"\n" for line in lines))
    filebase = str(folder / "out" / ("{groups[0]}-" if "grouper" in more else "x"))
    return ozzy.run(
        {
            "reader": {"name": "fs", "options": {"input": str(folder / "in")}},
            "writer": {"name": "fs", "options": {"filebase": filebase, "compression": "none"}},
            **more,
        },
        state_dir=str(folder / "state"),
    )


@pytest.mark.parametrize(
    ("pipeline", "wanted", "tokens"),
    [
        ({}, (), ()),
        ({"filter": FILTER}, ("a",), ()),
        ({"grouper": GROUP}, ("g",), ()),
        ({"formatter": CSV}, (), ("a", "b", "c")),
        ({"filter": FILTER, "formatter": CSV}, ("a",), ("a", "b", "c")),
        ({"transform": [SET, DROP], "formatter": CSV}, (), ("a", "b")),
        ({"transform": SET}, (), ()),
        ({"transform": RENAME, "formatter": CSV}, (), ()),
        ({"transform": SET, "grouper": GROUP, "formatter": CSV}, (), ("a", "b", "g")),
        ({"formatter": {"name": "csv", "options": {"fields": ["a"], "quoting": "all"}}}, (), ()),
    ],
)
def test_what_stages_and_formatter_look_at_is_read_with_the_lines(tmp_path, mocker, pipeline, wanted, tokens):
    seen = []
    read = BaseStreamReader.read

    def spied(self, split, position):
        seen.append((self.wanted, self.wanted_tokens))
        return read(self, split, position)

    mocker.patch.object(BaseStreamReader, "read", spied)
    run(tmp_path, [b'{"a":1,"b":2,"g":"x"}'], **pipeline)
    assert seen == [(wanted, tokens)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["b", "c", "d"]), VALUES, max_size=3).flatmap(
        lambda rest: st.integers(-9, 9).map(lambda number: {"a": number, **rest})
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, blanks=st.booleans(), ascii=st.booleans(), transforms=st.lists(st.sampled_from([SET, DROP]), max_size=2))
def test_what_is_read_ahead_changes_nothing(tmp_path_factory, records, blanks, ascii, transforms):
    """The same files, whether fields are taken out of each line as it is checked, or when a stage asks for them."""
    separators = (" , ", " : ") if blanks else (",", ":")
    lines = [json.dumps(record, ensure_ascii=ascii, separators=separators).encode() for record in records]
    made = []
    for ahead in (True, False):
        folder = tmp_path_factory.mktemp("run")
        with pytest.MonkeyPatch.context() as patch:
            if not ahead:
                patch.setattr(import_module("ozzy.run.runner"), "wanted_fields", lambda stages, outlets: ((), ()))
            run(folder, lines, transform=transforms, formatter=CSV)
        made.append([path.read_bytes() for path in sorted((folder / "out").iterdir())])
    assert made[0] == made[1]
