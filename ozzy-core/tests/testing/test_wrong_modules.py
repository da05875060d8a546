"""Every wrong module fails its suite, with a message that says why."""

import importlib.util
import inspect
import os
import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

from ozzy.testing import kill

WRONG = Path(__file__).parent / "wrong"


class Failures:
    """A plugin of an inner pytest that keeps what failed, by suite and test."""

    def __init__(self):
        self.texts = defaultdict(list)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            _, suite, test = report.nodeid.split("::")
            for name in {test, test.partition("[")[0]}:
                self.texts[suite, name].append(report.longreprtext)


def run(path, monkeypatch):
    """Each suite kills as often as it says: fewer kills would let a wrong module pass."""
    failures = Failures()
    tests = [f"{path}::{promise.values[1]}::{promise.values[2]}" for promise in PROMISES if promise.values[0] == path]
    monkeypatch.setattr(kill, "ASKED", None)
    arguments = ["-c", os.devnull, "--rootdir", str(WRONG), "-p", "no:cacheprovider", "--import-mode=importlib", "-q", "-W", "error"]
    pytest.main([*arguments, *tests], plugins=[failures])
    return failures.texts


def loaded(path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"wrong_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def promises():
    for path in sorted(WRONG.glob("*.py")):
        for name, suite in inspect.getmembers(loaded(path), inspect.isclass):
            for test, words in getattr(suite, "says", {}).items():
                yield pytest.param(path, name, test, words, id=f"{path.stem}-{name.removeprefix('Test')}-{test}")


PROMISES = list(promises())


@pytest.fixture(scope="session")
def outcomes():
    return {}


@pytest.mark.parametrize(("path", "suite", "test", "words"), PROMISES)
def test_a_wrong_module_fails_and_the_message_says_why(path, suite, test, words, outcomes, monkeypatch):
    if path not in outcomes:
        outcomes[path] = run(path, monkeypatch)

    failures = outcomes[path][suite, test]

    assert failures, f"{test} passes"
    assert any(re.search(words, text) for text in failures), f"expected {words}\n\n" + "\n".join(text[-1500:] for text in failures)
