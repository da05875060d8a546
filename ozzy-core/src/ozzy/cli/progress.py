"""How a run is shown while it lasts, and what is told at its end; all of it on standard error."""

import json
import sys
import time
from pathlib import Path

from ozzy.cli.profile import profiled
from ozzy.cli.style import count, duration, fitted, say, screen_width, size, styled, width_of
from ozzy.run.listener import Listener, Progress
from ozzy.run.result import FileResult, Result

REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0


class Shown(Listener):
    """What the command knows of a run that it shows nothing of: whether records go to standard output."""

    prints = False

    def run_started(self, run_id: str, pipeline: str, *, resumed: bool, prints: bool = False) -> None:
        self.prints = prints

    def clear(self) -> None:
        """Take away what stands on the terminal for the time being."""


class ProgressLine(Shown):
    """One line that is redrawn on a terminal; a plain line every ten seconds elsewhere.

    Where records go to the same terminal, there is none: it would stand in their midst.
    """

    def __init__(self) -> None:
        self.redrawn = sys.stderr.isatty()
        self.silent = False
        self.next = time.monotonic() + (0 if self.redrawn else LINE_SECONDS)
        self.drawn = 0

    def run_started(self, run_id: str, pipeline: str, *, resumed: bool, prints: bool = False) -> None:
        super().run_started(run_id, pipeline, resumed=resumed, prints=prints)
        self.silent = prints and self.redrawn and sys.stdout.isatty()
        if resumed:
            say(f"going on with run {run_id}")

    def batch_done(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self.next or self.silent:
            return
        self.next = now + (REDRAW_SECONDS if self.redrawn else LINE_SECONDS)
        if not self.redrawn:
            say(told(progress))
            return
        text = told(progress, screen_width(sys.stderr) - 1)
        sys.stderr.write("\r" + text + " " * max(0, self.drawn - width_of(text)))
        sys.stderr.flush()
        self.drawn = width_of(text)

    def clear(self) -> None:
        if self.drawn:
            sys.stderr.write("\r" + " " * self.drawn + "\r")
            sys.stderr.flush()
            self.drawn = 0


def told(progress: Progress, width: int | None = None) -> str:
    """How far a run is, in one line; where it must fit into `width`, what matters less is left out."""
    seconds = max(progress.seconds, 0.001)
    facts = [
        (0, f"{progress.records_read:,} read"),
        (3, f"{progress.records_written:,} written"),
        (1, f"{(progress.records_read - progress.records_before) / seconds:,.0f}/s"),
    ]
    if progress.bytes_read:
        facts.append((4, f"{size(progress.bytes_read)}, {size(progress.bytes_read / seconds)}/s"))
    if progress.files:
        facts.append((5, count(progress.files, "file")))
    facts.append((2, duration(seconds)))
    while True:
        text = " · ".join(fact for _, fact in facts)
        if width is None or width_of(text) <= width or len(facts) == 1:
            return text if width is None else fitted(text, width)
        facts.remove(max(facts))


def summary(result: Result) -> str:
    """What a run did: its counts, its files, where its time went and which stage it was bound by."""
    lines = [*_head(result)]
    if result.state != "already finished":
        lines += _stages(result)
    if result.quarantined and result.state != "dry run":
        kept = f"{count(result.quarantined, 'record')} in quarantine: "
        lines.append(styled(kept, err=True, bold=True) + f"ozzy quarantine list {result.run_id}")
    if result.profile is not None:
        lines += profiled(result.profile)
    lines += _files(result)
    lines += _bypassed(result)
    lines += _summaries(result)
    lines += [f"{styled('note', err=True, fg='yellow')}: {notice}" for notice in result.notices]
    return "\n".join(lines)


def _head(result: Result) -> list[str]:
    if result.state == "already finished":
        return [
            f"run {result.run_id} has finished already: {count(result.records_written, 'record')} written; there is nothing to go on with"
        ]
    told_as = "dry run, nothing was written" if result.state == "dry run" else f"run {result.run_id} {result.state}"
    rate = result.records_read / max(result.duration, 0.001)
    absorbed = sum(counts.reasons.get("absorbed", 0) for counts in result.counts.values())
    done = [f"{count(result.records_read, 'record')} read ({rate:,.0f}/s)"]
    if not result.rows_known:
        done = [f"{done[0]}, and more that nobody counted"] if result.records_read else ["records not counted"]
    if result.records_written or not (absorbed or result.bypassed):
        done.append(f"{result.records_written:,} written")
    if absorbed:
        done.append(f"{absorbed:,} absorbed")
    if result.bytes_read:
        done.append(f"{size(result.bytes_read)} in")
    if result.state != "dry run":
        done.append(count(result.checkpoints, "checkpoint"))
    if result.workers > 1:
        done.append(f"{result.workers} workers")
    return [f"{styled(told_as, err=True, bold=True)} in {duration(result.duration)}", ", ".join(done)]


def _stages(result: Result) -> list[str]:
    total = sum(result.times.values()) or 1.0
    names = list(dict.fromkeys((*result.counts, *result.times)))
    width = min(30, max(map(len, names), default=0))
    lines = []
    for name in names:
        counts = result.counts.get(name)
        seconds = result.times.get(name, 0.0)
        flow = f"{counts.records_in:>13,} in{counts.records_out:>13,} out" if counts is not None else " " * 33
        line = f"  {name:<{width}}{flow}{duration(seconds):>12}{seconds / total:>5.0%}"
        reasons = [f"{number:,} {reason}" for reason, number in counts.reasons.items()] if counts is not None else []
        lines += [line, *[f"  {'':<{width}}{reason:>33}" for reason in reasons]]
    if result.bound_by is not None and result.records_read:
        share = result.times[result.bound_by] / total
        lines.append(f"  the run was bound by {styled(result.bound_by, err=True, bold=True)}: {share:.0%} of its time")
    return lines


def _files(result: Result, shown: int = 10) -> list[str]:
    if not result.files:
        return []
    head = count(len(result.files), "file")
    if result.state == "dry run":
        lines = [
            f"{head} would be written:",
            *[f"{_rows(file):>20}  {short_path(file.path or file.name)}{_copied(file)}" for file in result.files[:shown]],
        ]
    else:
        lines = [f"{head}, {size(sum(file.size for file in result.files))}:"]
        lines += [
            f"{_rows(file):>20} {size(file.size):>10}  {short_path(file.path or file.name)}{_copied(file)}" for file in result.files[:shown]
        ]
    if len(result.files) > shown:
        lines.append(f"{len(result.files) - shown:>15,} more" + ("" if result.state == "dry run" else f": ozzy runs show {result.run_id}"))
    return lines


def _rows(file: FileResult) -> str:
    return "not counted" if file.rows is None else f"{file.rows:,} rows"


def _copied(file: FileResult) -> str:
    return f"  (copied by {file.bypass})" if file.bypass is not None else ""


def _bypassed(result: Result) -> list[str]:
    """What went past the stages, and why the rest did not."""
    lines = []
    for name, counts in result.bypassed.items():
        rows = [count(counts["rows"], "record")] if counts["splits"] > counts["unknown"] else []
        rows += [f"records of {counts['unknown']:,} not counted"] if counts["unknown"] else []
        done = "would copy" if result.state == "dry run" else "copied"
        lines.append(f"{name} {done} {count(counts['splits'], 'file')}, {size(counts['bytes'])}: {', '.join(rows)}")
    told = result.declined if result.bypassed else {}
    return [*lines, *(f"  {number:,} through the pipeline: {reason}" for reason, number in told.items())]


def _summaries(result: Result) -> list[str]:
    """What was made of all records, each in a line."""
    width = screen_width()
    told = {label: json.dumps(summary, ensure_ascii=False)[: 2 * width] for label, summary in result.summaries.items()}
    return [fitted(f"{label}: {text}", width) for label, text in told.items()]


def short_path(text: str) -> str:
    """A path below the working folder without that folder."""
    path = Path(text)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else text
