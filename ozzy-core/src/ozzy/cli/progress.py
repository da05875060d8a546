"""How a run is shown while it lasts, and what is told at its end; all of it on standard error."""

import shutil
import sys
import time

import click

from ozzy.cli.style import count, duration, size, styled
from ozzy.run.listener import Listener, Progress
from ozzy.run.result import Result

REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0


class ProgressLine(Listener):
    """One line that is redrawn on a terminal; a plain line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.next = time.monotonic() + (0 if self.terminal else LINE_SECONDS)
        self.drawn = False

    def run_started(self, run_id: str, pipeline: str, *, resumed: bool) -> None:
        if resumed:
            self._print(f"going on with run {run_id}")

    def batch_done(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + (REDRAW_SECONDS if self.terminal else LINE_SECONDS)
        text = told(progress)
        if not self.terminal:
            self._print(text)
            return
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{text[:width]:<{width}}")
        sys.stderr.flush()
        self.drawn = True

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self.drawn:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{' ' * width}\r")
            sys.stderr.flush()
            self.drawn = False

    def _print(self, text: str) -> None:
        self.clear()
        click.echo(text, err=True)


def told(progress: Progress) -> str:
    """How far a run is, in a line."""
    seconds = max(progress.seconds, 0.001)
    parts = [
        f"{progress.records_read:,} read",
        f"{progress.records_written:,} written",
        f"{progress.records_read / seconds:,.0f} records/s",
    ]
    if progress.bytes_read:
        parts.append(f"{size(progress.bytes_read)} ({size(progress.bytes_read / seconds)}/s)")
    if progress.files:
        parts.append(count(progress.files, "file"))
    return " · ".join([*parts, duration(seconds)])


def summary(result: Result) -> str:
    """What a run did: its counts, files, and where its time went."""
    if result.state == "already finished":
        return f"run {result.run_id} has finished already: {count(result.records_written, 'record')} in {count(len(result.files), 'file')}"
    head = "dry run, nothing was written" if result.state == "dry run" else f"run {result.run_id} {result.state}"
    rate = result.records_read / max(result.duration, 0.001)
    lines = [
        f"{styled(head, err=True, bold=True)} in {duration(result.duration)}, {rate:,.0f} records/s, {count(result.checkpoints, 'checkpoint')}"
    ]
    lines += _stages(result)
    lines += _files(result)
    lines += [f"{styled('note', err=True, fg='yellow')}: {notice}" for notice in result.notices]
    return "\n".join(lines)


def _stages(result: Result) -> list[str]:
    total = sum(result.times.values()) or 1.0
    width = max([len(name) for name in (*result.counts, *result.times)], default=0)
    lines = []
    for name in dict.fromkeys((*result.counts, *result.times)):
        counts = result.counts.get(name)
        seconds = result.times.get(name, 0.0)
        flow = f"{counts.records_in:>11,} in {counts.records_out:>11,} out" if counts is not None else " " * 29
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts.reasons.items()) if counts is not None else ""
        bound = "  ← bound by this" if name == result.bound_by else ""
        lines.append(f"  {name:<{width}}{flow}{seconds:>9.2f} s {seconds / total:>4.0%}{bound}{'  ' + reasons if reasons else ''}")
    return lines


def _files(result: Result, shown: int = 10) -> list[str]:
    if not result.files:
        return []
    total = sum(file.size for file in result.files)
    lines = [f"  {count(len(result.files), 'file')}, {size(total)}:"]
    lines += [f"    {file.path or file.name}  {count(file.rows, 'row')}, {size(file.size)}" for file in result.files[:shown]]
    if len(result.files) > shown:
        lines.append(f"    … and {len(result.files) - shown} more; `ozzy runs show {result.run_id}` lists them")
    return lines
