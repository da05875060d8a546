"""Modules that make a fault happen at a certain record, so that it comes in the middle of a run."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from ozzy import BaseFilter, option, options


@options
class DeedOptions:
    """Options of the filter that does something at a record."""

    at: int = option(help="The number of the record, counted from 1.")
    do: str = option(help="What is done, by name.")
    path: str = option(default="", help="What it is done to.")
    text: str = option(default="", help="What is written there.")
    done: str = option(help="A file that is made once it is done, so that it is not done again.")


class Deed(BaseFilter):
    """Keeps every record, and does one thing when it comes to the record `at`."""

    Options = DeedOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = 0

    def filter(self, item: Any) -> bool:
        self.count += 1
        done = Path(self.options.done)
        if self.count == self.options.at and not done.exists():
            done.touch()
            DEEDS[self.options.do](Path(self.options.path), self.options.text)
        return True


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _wait(path: Path, _text: str) -> None:
    """Say that the run is here, and wait until it is ended from outside."""
    path.touch()
    time.sleep(20)


def _wait_for(path: Path, text: str) -> None:
    """Say that the run is here, and wait until another file is there."""
    path.touch()
    while not Path(text).exists():
        time.sleep(0.01)


def _use_up_descriptors(_path: Path, _text: str) -> None:
    """Open files until there can be no more, and keep them open."""
    kept = []
    while True:
        try:
            kept.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return


DEEDS = {
    "append": _append,
    "write": lambda path, text: path.write_text(text, encoding="utf-8"),
    "move away": lambda path, _text: path.rename(path.with_name(f"{path.name}.away")),
    "delete": lambda path, _text: [found.unlink() for found in Path(path.anchor).glob(str(path.relative_to(path.anchor)))],
    "delete folder": lambda path, _text: [shutil.rmtree(found) for found in [path, *path.parent.glob(path.name)] if found.exists()],
    "wait": _wait,
    "wait for": _wait_for,
    "use up descriptors": _use_up_descriptors,
}
