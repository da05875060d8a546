"""The public face of the kit."""

import subprocess
import sys

import ozzy.testing


def test_all_names_are_there_and_sorted():
    assert ozzy.testing.__all__ == sorted(ozzy.testing.__all__)
    assert [name for name in ozzy.testing.__all__ if not hasattr(ozzy.testing, name)] == []


def test_every_name_says_what_it_is():
    assert [name for name in ozzy.testing.__all__ if not getattr(ozzy.testing, name).__doc__] == []


def test_ozzy_runs_without_the_kit_and_without_pytest():
    look = (
        "import sys, ozzy.api, ozzy.cli.main; print('pytest' in sys.modules, any(name.startswith('ozzy.testing') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False False\n"
