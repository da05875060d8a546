"""What the command says to wrong configs, word by word.

Each folder of `wrong_configs` is a case: the files to begin with, the `command`, and what is `expected`: the exit code and standard error.
`REFRESH_GOLDEN=1 pytest ozzy-core/tests/golden` writes what is said now; read the difference before it is committed.
"""

import os
import re
import shlex
import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ozzy.cli.main import call

CASES = Path(__file__).parent / "wrong_configs"
REFRESH = bool(os.environ.get("REFRESH_GOLDEN"))
OF_THE_CASE = ("command", "expected")


def told(text: str, folder: Path) -> str:
    """What was said, without what differs between machines and runs."""
    text = text.replace(str(folder.resolve()), "FOLDER").replace(str(folder), "FOLDER")
    text = re.sub(r" Blocked by OZZY_BLOCK_PLUGINS: [a-z0-9_, ]*\.", "", text)
    text = re.sub(r"\b[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\b", "RUN", text)
    return re.sub(r"Permission denied|Operation not permitted|Read-only file system", "PERMISSION DENIED", text)


@pytest.mark.usefixtures("without_plugins")
@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_wrong_config_is_told_what_is_wrong(case, tmp_path, monkeypatch, capfd):
    if case == "output_without_permission" and sys.platform != "linux":
        pytest.skip("needs a place that not even root may write to")
    shutil.copytree(CASES / case, tmp_path, ignore=shutil.ignore_patterns(*OF_THE_CASE), dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    others = {point.name for point in entry_points(group="ozzy.plugins")} - {"builtin"}
    monkeypatch.setenv("OZZY_BLOCK_PLUGINS", ",".join(sorted(others)))
    arguments = shlex.split((CASES / case / "command").read_text())[1:]
    capfd.readouterr()
    code = call(arguments)
    out, err = capfd.readouterr()
    outcome = f"exit code {code}\n{told(err, tmp_path)}"
    if REFRESH:
        (CASES / case / "expected").write_text(outcome)
    assert out == ""
    assert "Traceback" not in err
    assert code in range(2, 8)
    assert outcome == (CASES / case / "expected").read_text()


def test_no_case_tells_a_secret():
    assert [case.name for case in CASES.iterdir() if "tell-nobody-this" in (case / "expected").read_text()] == []


def test_there_are_many_kinds_of_mistakes():
    assert len(list(CASES.iterdir())) >= 60
