"""The loop of a replay: each batch enters where its rows were refused."""

from collections.abc import Iterable, Sequence

from ozzy.contracts.grouper import GroupKey
from ozzy.data.batch import Batch
from ozzy.errors import StateError
from ozzy.run.outlets import Outlet
from ozzy.run.returned import Returned
from ozzy.run.routing import ROUTING
from ozzy.run.runner import Runner

ORDER = ("reader", "filter_before", "transform", "filter_after", "grouper")


class ReplayRunner(Runner):
    """Drives a replay. Where the stage that refused a record is no more, it enters at the next one; a lost writer is a StateError."""

    def through(self, batch: Batch) -> int | None:
        assert isinstance(batch, Returned)
        if not len(batch):
            return None
        if batch.writer is not None:
            self._to_writer(batch, batch.writer)
            return None
        stages = [stage for stage in self.stages if _rank(stage.name) >= _rank(batch.stage)]
        names = [stage.name for stage in (*stages, *([self.grouper] if self.grouper is not None else []))]
        self._book(names[:1] or self._ends(), len(batch))
        return self.send(batch, stages)

    def _to_writer(self, batch: Returned, label: str) -> None:
        """Give rows to one writer alone, in the groups that they had. Its limit never ends the replay: others may go on."""
        outlet = self._outlet(label)
        keys = self._keys(batch, label)
        route = self.routing.routes.get(label) if self.routing is not None else None
        choosing = route is not None and batch.stage == route.name
        self._book([*([ROUTING] if self.routing is not None else []), route.name if route is not None and choosing else label], len(batch))
        rows = route.rows(batch, keys) if route is not None and choosing else range(len(batch))
        if self.routing is not None:
            self.books.enter(ROUTING, len(batch), len(rows), "unrouted")
        outlet.write(batch, keys, rows)

    def _outlet(self, label: str) -> Outlet:
        for outlet in self.outlets:
            if outlet.label == label:
                return outlet
        raise StateError(
            f"records were refused by the writer {label}, and the pipeline has none of that name any more",
            hint="Give a writer that label, or discard them: ozzy quarantine discard.",
        )

    def _keys(self, batch: Returned, label: str) -> Sequence[GroupKey] | None:
        if self.grouper is None:
            return None
        module = self.grouper.module
        width = module.width(module.options)
        if width is not None and any(len(group) != width for group in batch.groups):
            raise StateError(
                f"records that the writer {label} refused were grouped by another number of values than the pipeline has now",
                hint="Put the grouper back as it was for this replay.",
            )
        return batch.groups

    def _book(self, receivers: Iterable[str], rows: int) -> None:
        """Tell the books that rows enter there, and not where all that is read would."""
        chain = [*self.stages, *([self.grouper] if self.grouper is not None else [])]
        for name in [chain[0].name] if chain else self._ends():
            self.books.stages[name].detour -= rows
        for name in receivers:
            self.books.stages[name].detour += rows

    def _ends(self) -> list[str]:
        """The rows of the books that lie side by side at the end, and are given what comes out of the last stage."""
        routes = self.routing.routes if self.routing is not None else {}
        labels = [outlet.label for outlet in self.outlets if outlet.label not in routes]
        return [*([ROUTING] if self.routing is not None else []), *(route.name for route in routes.values()), *labels]


def _rank(stage: str) -> tuple[int, int]:
    """The place of a stage in the order of the data."""
    name, _, number = stage.partition(".")
    return ORDER.index(name), int(number or 0)
