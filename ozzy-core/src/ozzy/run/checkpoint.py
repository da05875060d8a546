"""The protocol: why nothing is lost and nothing comes twice.

A *light* checkpoint makes staged data durable and saves one document; nothing becomes visible.

A *full* one
    1. prepares every writer: all is durable (or in the open transaction) and invisible;
    2. saves the document, marked *prepared*;
    3. publishes: transactions first, since their commit decides the outcome, then durable files;
    4. saves the document, marked *committed*, and lets the reader acknowledge.

A process may end between any two of these. What it left is in the document:

    ended before 2    the document is the one before: staged data newer than it is cut back, the rows are read again
    ended before 4    *prepared*: each writer is asked what became of its receipt. If none is gone, what is staged is published, and
                      the document is committed. If one is gone, the others are taken back, and the run falls back
    ended after 4     *committed*: the run goes on from it

The document carries what it may have to fall back to: the last committed one (a transaction is gone) and the last full one (staged
data is gone, as on another machine). So one slot of state is enough, and every step may be repeated.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.writer import BaseWriter, Outcome, Staging
from ozzy.errors import StateError

FORMAT = 1

Document = dict[str, Any]


@attrs.define
class Checkpoints:
    """Takes the checkpoints of one run. `writers` maps labels to writers, `still_ours` raises where the lease is lost."""

    persistence: BasePersistence
    writers: dict[str, BaseWriter]
    still_ours: Callable[[], None]
    number: int = 0
    taken: dict[str, int] = attrs.field(factory=lambda: {"light": 0, "full": 0})
    seconds: float = 0.0
    committed: Document | None = None
    last_full: Document | None = None

    @property
    def light_possible(self) -> bool:
        """Whether every writer's staged data can be continued, so that nothing need be published yet."""
        return all(writer.resumable for writer in self.writers.values())

    def take(self, kind: str, facts: Callable[[dict[str, Any]], dict[str, Any]]) -> Document:
        """Take a checkpoint of this kind. `facts` is given the receipts and returns what else the document says: it settles the books."""
        began = time.monotonic()
        full = kind == "full"
        self.still_ours()
        receipts = {label: writer.prepare(final=full) for label, writer in self.writers.items()}
        document = {"format": FORMAT, "kind": kind, "number": self.number + full, "writers": receipts, **facts(receipts)}
        if full:
            self._publish(document)
        else:
            self._commit(document | {"phase": "committed", "last_full": self.last_full})
        self.committed = document | {"phase": "committed"}
        self.taken[kind] += 1
        self.seconds += time.monotonic() - began
        return self.committed

    def recover(self) -> Document | None:
        """What the run goes on from: the committed document, after finishing or taking back what an earlier process left half done.

        None means from the start. Every writer stands at the document when this returns.
        """
        document = self.persistence.get_last_position()
        if document is not None and document.get("format") != FORMAT:
            raise StateError(f"the checkpoint has format {document.get('format')!r}, this version of ozzy knows {FORMAT}", hint="Resume with the version that wrote it.")
        while document is not None and not (document["kind"] == "full" and document["phase"] == "committed"):
            outcomes = {label: writer.recover(document["writers"][label]) for label, writer in self.writers.items()}
            gone = [label for label, outcome in outcomes.items() if outcome is Outcome.GONE]
            if not gone:
                if document["phase"] == "prepared":
                    self._finish(document, outcomes)
                break
            for label in self.writers.keys() - set(gone):
                if document["phase"] == "prepared":
                    self.writers[label].discard(document["writers"][label])
            transaction = any(self.writers[label].staging is Staging.TRANSACTION for label in gone)
            last_full = document["last_full"]
            document = document["previous"] | {"last_full": last_full} if transaction and document["previous"] else last_full
        self._stand_at(document)
        return document

    def _publish(self, document: Document) -> None:
        fallback = {"previous": self.committed, "last_full": self.last_full}
        if any(writer.staging is not Staging.NONE for writer in self.writers.values()):
            self._commit(document | {"phase": "prepared"} | fallback)
            self.still_ours()
            for label in self._in_order():
                self.writers[label].publish(document["writers"][label])
        self._commit(document | {"phase": "committed"})
        self.number = document["number"]
        self.last_full = document | {"phase": "committed"}

    def _finish(self, document: Document, outcomes: dict[str, Outcome]) -> None:
        self.still_ours()
        for label in self._in_order():
            if outcomes[label] is Outcome.STAGED:
                self.writers[label].publish(document["writers"][label])
        document["phase"] = "committed"
        document.pop("previous", None)
        document.pop("last_full", None)
        self._commit(document)

    def _stand_at(self, document: Document | None) -> None:
        receipts = document["writers"] if document is not None else {}
        for label, writer in self.writers.items():
            writer.resume(receipts.get(label))
        self.committed = _alone(document)
        self.last_full = self.committed if document is None or document["kind"] == "full" else document["last_full"]
        self.number = document["number"] if document is not None else 0

    def _commit(self, document: Document) -> None:
        self.still_ours()
        self.persistence.commit_position(document)

    def _in_order(self) -> Sequence[str]:
        return sorted(self.writers, key=lambda label: self.writers[label].staging is not Staging.TRANSACTION)


def _alone(document: Document | None) -> Document | None:
    if document is None:
        return None
    return {key: value for key, value in document.items() if key not in {"previous", "last_full"}}
