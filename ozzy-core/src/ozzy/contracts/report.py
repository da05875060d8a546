"""Who is told how a run goes: notifiers and stats managers."""

import json
import os
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule
from ozzy.log import hidden_by_name, redact

CLIENTS = 0
TEAM = 1

WHERE_IT_WENT = ("bucket", "filebase", "host", "port", "endpoint_url")
"""Options of a writer that tell a receiver where to look."""
JOB_VARIABLE = "SHUB_JOBKEY"
"""Holds the key of the job in Scrapy Cloud that a run is part of."""


class BaseNotifier(BaseModule):
    """Tells people or programs that a run has started, succeeded or failed. One that fails never fails a run.

    `receivers` holds the groups `CLIENTS` and `TEAM`; any other value is an address.
    """

    kind: ClassVar[str] = "notifications"

    def notify_start_dump(self, receivers: Any = None) -> None:
        """A run has started. Called once, before the first record is read."""

    def notify_complete_dump(self, receivers: Any = None) -> None:
        """A run has succeeded. Called once, after the last file was published."""

    def notify_failed_job(self, msg: str, stack_trace: str, receivers: Any = None) -> None:
        """A run has failed. Called once; `stack_trace` has passed the redactor."""


class BaseTextNotifier(BaseNotifier):
    """A notifier that sends text: write `send`, and each message comes with a title and a body that say how the run stands.

    A failure has its reason; with `tells_details` its stack trace and the config too, secrets hidden, for those who look after the run.
    """

    tells_details: ClassVar[bool] = True

    def send(self, title: str, text: str, receivers: Any) -> None:
        """Send one message; `text` holds lines, without one at its end. Called once for each event."""
        raise NotImplementedError

    def title(self, status: str) -> str:
        """The title of a message; `status` is `started`, `complete` or `failed`."""
        return f"Export of {self._pipeline()} {status}"

    def notify_start_dump(self, receivers: Any = None) -> None:
        """A run has started."""
        self._send("started", [f"The export of {self._pipeline()} has started.", "", *self._writers()], receivers)

    def notify_complete_dump(self, receivers: Any = None) -> None:
        """A run has succeeded."""
        outcome = self.metadata.outcome
        lines = [f"The export of {self._pipeline()} is complete."]
        if outcome is not None:
            lines += ["", f"Records written: {outcome.records_written:,}", f"Files: {len(outcome.files):,}"]
            if outcome.bad_records:
                lines.append(f"Bad records refused: {outcome.bad_records:,}")
            lines += [f"You are told of it because {why}." for why in outcome.reasons]
        self._send("complete", [*lines, "", *self._writers()], receivers)

    def notify_failed_job(self, msg: str, stack_trace: str, receivers: Any = None) -> None:
        """A run has failed."""
        lines = [f"The export of {self._pipeline()} has failed.", "", f"Reason: {msg}"]
        job = os.environ.get(JOB_VARIABLE)
        if job:
            lines.append(f"Job: {job}")
        if self.tells_details:
            config = json.dumps(hidden_by_name(self.metadata.configuration), indent=2, ensure_ascii=False, default=str)
            lines += ["", "Stack trace:", stack_trace, "", "Configuration:", config]
        self._send("failed", lines, receivers)

    def _send(self, status: str, lines: list[str], receivers: Any) -> None:
        self.send(redact(self.title(status)), redact("\n".join(lines)), receivers)

    def _pipeline(self) -> str:
        metadata = self.metadata
        name = metadata.outcome.pipeline if metadata.outcome is not None else metadata.pipeline or metadata.configuration.get("name")
        return f"{name} (run {self.metadata.run_id})" if name else f"run {self.metadata.run_id}"

    def _writers(self) -> list[str]:
        """What is written, and where to."""
        given = self.metadata.configuration.get("writer")
        lines = []
        for writer in given if isinstance(given, list) else [given]:
            section = writer if isinstance(writer, dict) else {"name": writer}
            lines.append(f"Writer: {section.get('name')}")
            found = section.get("options") or {}
            lines += [f"  {name}: {found[name]}" for name in WHERE_IT_WENT if found.get(name) not in (None, "")]
        return lines


class BaseStatsManager(BaseModule):
    """Is given the times and counts of a run. One that fails never fails a run.

    Both methods may leave out the arguments they do not need, from the right.
    """

    kind: ClassVar[str] = "stats_manager"

    def iteration_report(self, times: dict[str, float], stats: dict[str, Any]) -> None:
        """Called after each batch.

        `times` maps `read`, `filtered`, `transformed`, `filtered_after`, `grouped`, `written` and `persisted` to seconds spent in this
        iteration; `stats` is the run's metadata.
        """

    def final_report(self, stats: dict[str, Any]) -> None:
        """Called once, at the end of a run."""
