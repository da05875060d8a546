"""The code of a Markdown page: its fenced blocks, and how they are run.

    ```yaml title="orders.yaml"     a block with a title is written to that file, in the page's own folder
    ```bash                         is run there by bash; `<!-- exit: 2 -->` on the line above says that it ends with 2
    ```python                       without a title, is run there by Python
    ```text                         right after one that was run, is what that one prints
    <!-- not run: … -->             on the line above a block leaves it out, and says why

In a ```text block, `…` stands for anything: for the rest of a line or the middle of it, or, alone on a line, for any lines.
Amounts that change from run to run or from machine to machine (seconds, rates, sizes, dates, run ids) are not compared, and lines of
progress, which only slow runs print, are left out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<language>[\w+-]*)(?P<info>[^\n`]*)$")
TITLE = re.compile(r'title="([^"]+)"')
PROGRESS = re.compile(r"^[\d,]+ read · .*\n", re.MULTILINE)
DIRECTIVE = re.compile(r"<!-- (exit|not run): (.*?) -->")
CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "<date>"),
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-z]+\b"), "<run>"),
    (re.compile(r"\b\d[\d,.]* ?(ms|s|min|h)\b( \(\d+:\d\d:\d\d\))?"), "<time>"),
    (re.compile(r"\b\d[\d,.]*( ?[kM])?( ?\w+)?/s\b"), "<rate>"),
    (re.compile(r"\b\d[\d,.]* ?[KMG]iB\b"), "<size>"),
)


@attrs.frozen
class Block:
    """One fenced block of a page; `line` is the number of its first line of text; it is `adjacent` where only
    blank lines stand between it and the block above."""

    page: Path
    line: int
    language: str
    text: str
    title: str | None = None
    exit: int = 0
    skipped: str | None = None
    adjacent: bool = False

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    at, last_end, directive = 0, -2, None
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence is None:
            directive = DIRECTIVE.search(lines[at]) or (directive if not lines[at].strip() else None)
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == fence["ticks"])
        indent = len(fence["indent"])
        title = TITLE.search(fence["info"])
        told = dict([directive.groups()]) if directive else {}
        yield Block(
            page=page,
            line=at + 2,
            language=fence["language"],
            text="".join(f"{line[indent:]}\n" for line in lines[at + 1 : end]),
            title=title[1] if title else None,
            exit=int(told.get("exit", 0)),
            skipped=told.get("not run"),
            adjacent=not any(line.strip() for line in lines[last_end + 1 : at]),
        )
        at, last_end, directive = end + 1, end, None


def same(expected: str, printed: str) -> bool:
    """Whether what was printed is what a page says, but for `…` and for what changes from run to run."""
    pattern = []
    for line in _steady(expected).rstrip().splitlines():
        if line.strip() == "…":
            pattern.append(r"(?:[^\n]*\n)*?")
        else:
            pattern.append(r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n")
    return re.fullmatch("".join(pattern), _steady(PROGRESS.sub("", printed)).rstrip() + "\n") is not None


def _steady(text: str) -> str:
    for changing, name in CHANGING:
        text = changing.sub(name, text)
    return re.sub(r"[^\S\n]+", " ", text)


def run(block: Block, folder: Path, environment: dict[str, str]) -> str:
    """Run a bash or Python block in a folder; returns what it printed, errors with the rest, and holds it to its exit code."""
    command = ["bash", "-euo", "pipefail", "-c", block.text] if block.language == "bash" else [sys.executable, "-c", block.text]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == block.exit, f"{block} ended with {done.returncode} instead of {block.exit}:\n{block.text}\n{done.stdout}"
    return done.stdout


def play(page: Path, folder: Path, environment: dict[str, str] | None = None) -> list[Block]:
    """Do all that a page says, in order, in one folder; returns the blocks that were written, run or compared."""
    environment = environment if environment is not None else dict(os.environ)
    done: list[Block] = []
    printed: str | None = None
    for block in blocks_of(page):
        before, printed = (printed if block.adjacent else None), None
        if block.skipped is not None:
            continue
        if block.title is not None:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language in {"bash", "python"}:
            printed = run(block, folder, environment)
        elif block.language == "text" and before is not None:
            assert same(block.text, before), f"{block} says\n{block.text}\nbut this was printed:\n{before}"
        else:
            continue
        done.append(block)
    return done
