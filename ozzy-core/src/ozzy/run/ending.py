"""What became of a run, for those who started it, and for the stats managers and notifiers that are told of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ozzy.contracts.module import RunOutcome
from ozzy.plan.pipeline import Pipeline
from ozzy.run.books import Books
from ozzy.run.error_policy import BAD, QUARANTINED
from ozzy.run.result import FileResult, Result, StageResult
from ozzy.run.runner import Runner


@attrs.frozen
class Ending:
    """Counts and files of a run, from its books and its writers' receipts; `recorded` is false for one that leaves no trace."""

    pipeline: Pipeline
    identity: str
    books: Books
    recorded: bool

    def result(
        self, state: str, receipts: Mapping[str, Any], runner: Runner | None, *, seconds: float, checkpoints: int, resumed: bool
    ) -> Result:
        """The result of a run; without a `runner` nothing was left to be read."""
        bypassing = runner.bypassing if runner is not None else None
        stages = self.books.stages
        counts = {name: StageResult(c.records_in, c.records_out, {k: n for k, n in c.reasons.items() if n}) for name, c in stages.items()}
        return Result(
            run_id=self.pipeline.metadata.run_id,
            pipeline=self.identity,
            state=state,
            counts=counts,
            files=self._files(receipts),
            duration=seconds,
            checkpoints=checkpoints,
            times=runner.seconds() if runner is not None else {},
            records_read=self.records_read,
            records_written=self.records_written,
            bytes_read=runner.bytes_read if runner is not None else 0,
            quarantined=sum(c.reasons[QUARANTINED] for c in stages.values()),
            resumed=resumed,
            prints=self.prints,
            notices=list(dict.fromkeys(self.pipeline.config.notices)),
            summaries=self._summaries(receipts),
            bypassed=bypassing.copied if bypassing is not None else {},
            workers=runner.workers if runner is not None else 1,
            declined=dict(bypassing.declined) if bypassing is not None else {},
        )

    def told(self, state: str, seconds: float, files: Sequence[FileResult] = ()) -> RunOutcome:
        """What notifiers are told of the run."""
        return RunOutcome(
            pipeline=self.identity,
            state=state,
            records_read=self.records_read,
            records_written=self.records_written,
            bad_records=sum(counts.reasons.get(why, 0) for counts in self.books.stages.values() for why in (BAD, QUARANTINED)),
            seconds=seconds,
            files=tuple({"path": file.path or file.name, "rows": file.rows, "size": file.size} for file in files),
        )

    def keep_metadata(self, result: Result) -> None:
        """The inherited keys of the shared metadata, for stats managers and notifiers."""
        kept = self.pipeline.metadata.per_module
        if result.bypassed:
            self.pipeline.metadata.bypassed_pipeline = True
            self.pipeline.metadata.accurate_items_count = result.rows_known
            kept.setdefault("bypass", {}).update(result.bypassed)
        kept.setdefault("reader", {})["read_items"] = result.records_read
        filtered = sum(counts.reasons.get("filtered", 0) for counts in result.counts.values())
        kept.setdefault("filter", {})["filtered_out"] = filtered
        absorbed = sum(counts.reasons.get("absorbed", 0) for counts in result.counts.values())
        kept.setdefault("writer", {}).update(
            items_count=result.records_written + absorbed,
            files_counter=len(result.files),
            files_written=[
                {"filename": file.path or file.name, "size": file.size, "number_of_records": file.rows} for file in result.files
            ],
        )

    @property
    def records_read(self) -> int:
        """Records that left the reader."""
        return self.books.stages["reader"].records_out if "reader" in self.books.stages else 0

    @property
    def records_written(self) -> int:
        """Records that were written, once for each writer."""
        stages = self.books.stages
        return sum(stages[label].records_out for label in self.pipeline.writers if label in stages)

    @property
    def prints(self) -> bool:
        """Whether a writer prints to standard output."""
        return self.recorded and any(getattr(writer, "prints", False) for writer in self.pipeline.writers.values())

    def _files(self, receipts: Mapping[str, Any]) -> list[FileResult]:
        return [
            FileResult(file["name"], file["rows"], file["size"], file["sha256"], label, file.get("path"), file.get("bypass"))
            for label, receipt in receipts.items()
            for file in self.pipeline.writers[label].results(receipt)
        ]

    def _summaries(self, receipts: Mapping[str, Any]) -> dict[str, Any]:
        """What writers that absorb records have made of them."""
        if not self.recorded:
            return {}
        made = {label: self.pipeline.writers[label].summary(receipt) for label, receipt in receipts.items()}
        return {label: summary for label, summary in made.items() if summary is not None}
