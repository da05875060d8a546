"""What a type checker makes of the public face, seen from a user's code."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")


def test_a_users_code_is_checked_as_it_should_be(tmp_path):
    file = Path(__file__).parent / "typing" / "public_face.py"
    options = ["--strict", "--no-incremental", "--config-file=", f"--cache-dir={tmp_path}"]
    done = subprocess.run([sys.executable, "-m", "mypy", *options, file], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("Success: no issues found in 1 source file\n", 0)
