"""The protocol: why nothing is lost and nothing comes twice.

A *light* checkpoint makes staged data durable and saves one document; nothing becomes visible.

A *full* one
    1. prepares every writer: all is durable (or in the open transaction) and invisible;
    2. saves the document, marked *prepared*;
    3. publishes: transactions first, since their commit decides the outcome, then durable files, then the manifests that list them;
    4. saves the document, marked *committed*, and lets the reader acknowledge.

A process may end between any two of these. What it left is in the document:

    ended before 2    the document is the one before: staged data newer than it is cut back, the rows are read again
    ended before 4    *prepared*: each writer is asked what became of its receipt. If none is gone, what is staged is published, and
                      the document is committed. If one is gone, all are taken back, and the run falls back
    ended after 4     *committed*: the run goes on from it

The document carries what it may have to fall back to: the last committed one (a transaction is gone) and the last full one (staged
data is gone, as on another machine). So one slot of state is enough, and every step may be repeated.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ozzy.contracts.module import blamed_on
from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.writer import BaseWriter, Outcome, Staging
from ozzy.errors import DestinationError, StateError

FORMAT = 1

Document = dict[str, Any]


def _not_listed(_document: Document) -> None:
    """For runs without manifests."""


@attrs.define(eq=False, repr=False)
class Checkpoints:
    """Takes the checkpoints of one run. `writers` maps labels to writers, `still_ours` raises where the lease is lost.

    `taken` and `spent` count this process's checkpoints and their seconds; `before` is what `cost` told in the process before it.

    `list_published` is told of each document once all of it is published, and again after a kill: manifests follow from the document alone.
    """

    persistence: BasePersistence
    writers: dict[str, BaseWriter]
    still_ours: Callable[[], None]
    list_published: Callable[[Document], None] = _not_listed
    number: int = 0
    taken: dict[str, int] = attrs.field(factory=lambda: {"light": 0, "full": 0})
    before: dict[str, Any] = attrs.field(factory=dict)
    spent: dict[str, float] = attrs.field(factory=lambda: {"light": 0.0, "full": 0.0})
    committed: Document | None = None
    last_full: Document | None = None

    @property
    def seconds(self) -> float:
        """Seconds that were spent on checkpoints."""
        return sum(self.spent.values())

    def cost(self) -> dict[str, Any]:
        """How many checkpoints of each kind were taken since the run began, and what they cost in seconds."""
        none = {"taken": 0, "seconds": 0.0}
        return {
            kind: {"taken": before["taken"] + self.taken[kind], "seconds": before["seconds"] + self.spent[kind]}
            for kind in self.taken
            for before in [self.before.get(kind, none)]
        }

    def _cost_with(self, kind: str, seconds: float) -> dict[str, Any]:
        """The cost as a checkpoint that is being taken tells it: itself among them, as far as it has come."""
        cost = self.cost()
        cost[kind] = {"taken": cost[kind]["taken"] + 1, "seconds": cost[kind]["seconds"] + seconds}
        return cost

    @property
    def light_possible(self) -> bool:
        """Whether every writer's staged data can be continued, so that nothing need be published yet."""
        return all(writer.resumable for writer in self.writers.values())

    def take(self, kind: str, facts: Callable[[dict[str, Any]], dict[str, Any]]) -> Document:
        """Take a checkpoint of this kind. `facts` is given the receipts and returns what else the document says: it settles the books."""
        began = time.monotonic()
        full = kind == "full"
        receipts = {}
        for label, writer in self.writers.items():
            self.still_ours()
            with blamed_on(label, writer, DestinationError):
                receipts[label] = writer.prepare(final=full)
        document = {"format": FORMAT, "kind": kind, "number": self.number + full, "writers": receipts, **facts(receipts)}
        document["cost"] = self._cost_with(kind, time.monotonic() - began)
        if full:
            self._publish(document)
        else:
            self._commit(document | {"phase": "committed", "last_full": self.last_full})
        self.committed = document | {"phase": "committed"}
        self.taken[kind] += 1
        self.spent[kind] += time.monotonic() - began
        return self.committed

    def recover(self) -> Document | None:
        """What the run goes on from: the committed document, after finishing or taking back what an earlier process left half done.

        None means from the start. Every writer stands at the document when this returns.
        """
        with blamed_on("persistence", self.persistence, StateError):
            document: Document | None = self.persistence.get_last_position()
        if document is not None and document.get("format") != FORMAT:
            raise StateError(
                f"the checkpoint has format {document.get('format')!r}, this version of ozzy knows {FORMAT}",
                hint="Resume with the version that wrote it.",
            )
        while document is not None and not (document["kind"] == "full" and document["phase"] == "committed"):
            outcomes = self._outcomes(document)
            if Outcome.GONE in outcomes.values():
                document = self._fall_back(document, outcomes)
                continue
            if document["phase"] == "prepared":
                document = self._finish(document, outcomes)
            break
        self._stand_at(document)
        return document

    def _publish(self, document: Document) -> None:
        fallback = {"previous": self.committed, "last_full": self.last_full}
        if any(writer.staging is not Staging.NONE for writer in self.writers.values()):
            self._commit(document | {"phase": "prepared"} | fallback)
            for label in self._in_order():
                self._publish_one(label, document)
            self.list_published(document)
        self._commit(document | {"phase": "committed"})
        self.number = document["number"]
        self.last_full = document | {"phase": "committed"}

    def _publish_one(self, label: str, document: Document) -> None:
        self.still_ours()
        with blamed_on(label, self.writers[label], DestinationError):
            self.writers[label].publish(document["writers"][label])

    def _outcomes(self, document: Document) -> dict[str, Outcome]:
        outcomes = {}
        for label, writer in self.writers.items():
            with blamed_on(label, writer, DestinationError):
                outcomes[label] = writer.recover(document["writers"][label])
        return outcomes

    def _finish(self, document: Document, outcomes: dict[str, Outcome]) -> Document:
        """Publish what an earlier process has prepared; what is durable once more, since that process may not have synced it."""
        for label in self._in_order():
            if outcomes[label] is Outcome.STAGED or self.writers[label].staging is Staging.DURABLE:
                self._publish_one(label, document)
        self.list_published(document)
        finished = _alone(document) | {"phase": "committed"}
        self._commit(finished)
        return finished

    def _fall_back(self, document: Document, outcomes: dict[str, Outcome]) -> Document | None:
        """The document to go on from where something of this one is gone; what was prepared for it is taken back."""
        transactions = {label: outcomes[label] for label, writer in self.writers.items() if writer.staging is Staging.TRANSACTION}
        undone = Outcome.GONE in transactions.values()
        if document["phase"] == "prepared":
            if not undone and Outcome.PUBLISHED in transactions.values():
                gone = [label for label, outcome in outcomes.items() if outcome is Outcome.GONE]
                raise StateError(
                    f"the staged data of {' and '.join(gone)} is gone, and the same records are committed at {' and '.join(transactions)}",
                    hint="Bring the staging folder back and go on with --resume; --fresh starts anew and writes those records again.",
                )
            self.still_ours()
            for label, writer in self.writers.items():
                if transactions.get(label, Outcome.STAGED) is Outcome.STAGED:
                    with blamed_on(label, writer, DestinationError):
                        writer.discard(document["writers"][label])
        last_full: Document | None = document["last_full"]
        return document["previous"] | {"last_full": last_full} if undone and document["previous"] else last_full

    def _stand_at(self, document: Document | None) -> None:
        receipts = document["writers"] if document is not None else {}
        for label, writer in self.writers.items():
            with blamed_on(label, writer, DestinationError):
                writer.resume(receipts.get(label))
        if document is not None:
            self.committed = _alone(document)
            self.last_full = self.committed if document["kind"] == "full" else document["last_full"]
            self.number = document["number"]
            self.before = document.get("cost", {})

    def _commit(self, document: Document) -> None:
        self.still_ours()
        with blamed_on("persistence", self.persistence, StateError):
            self.persistence.commit_position(document)

    def _in_order(self) -> Sequence[str]:
        return sorted(self.writers, key=lambda label: self.writers[label].staging is not Staging.TRANSACTION)


def _alone(document: Document) -> Document:
    """A document without those that it may have to fall back to."""
    return {key: value for key, value in document.items() if key not in {"previous", "last_full"}}


def published_files(document: Document | None, writers: dict[str, BaseWriter]) -> list[str]:
    """The files that are visible, by what a checkpoint says and, of a prepared one, by what became of it."""
    if document is None:
        return []
    found = []
    for label, writer in writers.items():
        receipt = document["writers"][label]
        files = writer.visible(receipt) if document["phase"] == "prepared" else writer.results(receipt)
        found += [str(file.get("path") or file["name"]) for file in files]
    return found
