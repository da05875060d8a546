"""Each test of a fault tells what it saw; that is to be what the page says, or, with --update-table, becomes it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import table
from tests.faults.scene import Scene, Told

SEEN = pytest.StashKey[dict[str, list[table.Row]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name): the fault that this test makes happen; it has a row in docs/promises.md")
    config.stash[SEEN] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--update-table"):
        for file, rows in session.config.stash[SEEN].items():
            table.update(file, rows)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


Report = Callable[..., None]


@pytest.fixture
def report(request: pytest.FixtureRequest, scene: Scene) -> Iterator[Report]:
    """Tells what became of the fault: `report(told, outcome, way_on=…)`. Every test of a fault has to."""
    mark = request.node.get_closest_marker("fault")
    assert mark is not None
    seen: list[table.Row] = []

    def tell(told: Told, outcome: str, way_on: str = "", *, said: str | None = None) -> None:
        message = said if said is not None else scene.plain(told.error) if told.code else ""
        assert told.code == 0 or said is not None or told.hint or "Go on with it: ozzy resume" in told.err, "it does not say what to do"
        seen.append(table.Row(mark.args[0], outcome, message, told.code, way_on or scene.plain(told.hint)))

    yield tell
    failed = request.node.stash.get(FAILED, False)
    if failed:
        return
    (row,) = seen
    file = request.path.stem.removeprefix("test_")
    if request.config.getoption("--update-table"):
        request.config.stash[SEEN].setdefault(file, []).append(row)
    else:
        assert str(row) in table.shown(file), f"docs/promises.md does not say so (pytest tests/faults --update-table writes it): {row}"


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    result = yield
    if result.when == "call":
        item.stash[FAILED] = not result.passed
    return result
