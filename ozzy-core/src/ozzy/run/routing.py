"""Routing: which rows of a batch each writer gets, where a writer has a `when`."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import GroupKey
from ozzy.data.batch import Batch
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.stages import FilterStage

ROUTING = "routing"
"""The row of the books that says how many records some writer took, and how many none did."""


class Route(FilterStage):
    """The `when` of one writer. A record it does not choose is no loss: another writer may take it."""

    keys: Sequence[GroupKey] | None = None

    def rows(self, batch: Batch, keys: Sequence[GroupKey] | None = None) -> Sequence[int]:
        """The rows that the writer gets, by their indices, in order; `keys` are the groups of all."""
        self.keys = keys
        began = time.perf_counter()
        try:
            rows, mask = self.judged(batch)
        finally:
            self.seconds += time.perf_counter() - began
        chosen = list(compress(rows, mask))
        self.books.enter(self.name, len(rows), len(chosen), "not taken")
        return chosen

    def group_of(self, row: int) -> GroupKey:
        return self.keys[row] if self.keys is not None else ()


class Routing:
    """The routes of a run, by the label of their writer; `labels` names all writers, those without a `when` among them."""

    def __init__(self, filters: Mapping[str, BaseFilter], labels: Iterable[str], books: Books, errors: ErrorPolicy) -> None:
        self.books = books
        books.open(ROUTING)
        self.routes = {label: Route(f"{label}.when", chosen_by, books, errors) for label, chosen_by in filters.items()}
        for label, route in self.routes.items():
            route.writer = label
        self.all_taken = any(label not in filters for label in labels)
        books.routes = {label: route.name for label, route in self.routes.items()}
        books.routing = ROUTING

    def __call__(self, batch: Batch, keys: Sequence[GroupKey] | None = None) -> dict[str, Sequence[int]]:
        """The rows of each writer that has a `when`; `keys` are the groups of the batch."""
        chosen = {label: route.rows(batch, keys) for label, route in self.routes.items()}
        taken = len(batch) if self.all_taken else len(set().union(*chosen.values()))
        self.books.enter(ROUTING, len(batch), taken, "unrouted")
        return chosen

    def seconds(self) -> dict[str, float]:
        """Seconds spent in each route."""
        return {route.name: route.seconds for route in self.routes.values()}
