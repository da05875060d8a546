"""A destination with a transaction: rows and the number of the checkpoint are committed together, in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ozzy import Batch, DestinationError, Outcome, Receipt, Staging, WriterContext, WriterOptions, option, options
from ozzy.contracts.writer import BaseWriter, GroupKey

_PATIENCE = 5.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS ozzy_rows (row INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS ozzy_checkpoint (writer TEXT PRIMARY KEY, number INTEGER NOT NULL, epoch INTEGER NOT NULL)",
    "CREATE TEMP TABLE waiting (row INTEGER PRIMARY KEY, run TEXT NOT NULL, record TEXT NOT NULL)",
)


@options
class LedgerOptions(WriterOptions):
    """Options of the ledger."""

    path: str = option(help="The SQLite file.", example="ledger.sqlite")


class LedgerWriter(BaseWriter):
    """Writes each record as a row of a SQLite file, in a transaction that stores the checkpoint's number with the rows.

    The worked example of a writer with a transaction. The row of `ozzy_checkpoint` is changed `where number = n - 1 and epoch = mine`,
    so that a checkpoint is committed once, by one process: `fence` has stored the epoch there. Who resumes is refused where the
    destination is at another checkpoint than the state says. Rows wait in a table of the connection, so that the transaction, which
    locks out others, is short.
    """

    Options: ClassVar[type] = LedgerOptions
    staging = Staging.TRANSACTION

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self.key = f"{context.run_id}/{context.label}"
        self.number = self.written = 0
        self._connection: sqlite3.Connection | None = None

    def fence(self, epoch: int) -> None:
        with self._speaking():
            self._execute("BEGIN IMMEDIATE")
            number, stored = self._checkpoint(self._connected())
            if stored > epoch:
                self._execute("ROLLBACK")
                raise self._overtaken(stored)
            self._execute("INSERT OR REPLACE INTO ozzy_checkpoint VALUES (?, ?, ?)", (self.key, number, epoch))
            self._execute("COMMIT")

    def resume(self, state: Receipt | None) -> None:
        expected = state["number"] if state is not None else 0
        with self._speaking():
            number = self._stored()
        if number != expected:
            raise DestinationError(
                f"{self._path} is at checkpoint {number} of this run, the state says {expected}",
                hint="Another process has gone on with this run, or an older state was put back. Resume with the newest state.",
            )
        self.discard({})
        self.number = expected
        self.written = state["written"] if state is not None else 0

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        rows = [(self.context.run_id, line.decode()) for line in batch.lines]
        with self._speaking():
            self._connected().executemany("INSERT INTO waiting (run, record) VALUES (?, ?)", rows)
        self.written += len(rows)

    def prepare(self, final: bool) -> Receipt:
        return {"final": final, "number": self.number + 1, "written": self.written, "ignored": 0}

    def publish(self, receipt: Receipt) -> None:
        number = receipt["number"]
        with self._speaking():
            if self._stored() >= number:
                return
            self._execute("BEGIN IMMEDIATE")
            changed = self._execute(
                "UPDATE ozzy_checkpoint SET number = ? WHERE writer = ? AND number = ? AND epoch = ?",
                (number, self.key, number - 1, self.context.epoch),
            )
            if changed != 1:
                _, stored = self._checkpoint(self._connected())
                self._execute("ROLLBACK")
                raise self._overtaken(stored)
            self._execute("INSERT INTO ozzy_rows (run, record) SELECT run, record FROM waiting ORDER BY row")
            self._execute("DELETE FROM waiting")
            self._execute("COMMIT")
        self.number = number

    def recover(self, receipt: Receipt) -> Outcome:
        with self._speaking():
            return Outcome.PUBLISHED if self._stored() >= receipt["number"] else Outcome.GONE

    def discard(self, receipt: Receipt) -> None:
        if self._connection is not None:
            with self._speaking():
                self._execute("DELETE FROM waiting")

    def close(self) -> None:
        connection: sqlite3.Connection | None = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
            self._connection = None

    @staticmethod
    def records(path: Path | str) -> list[dict[str, Any]]:
        """All records that are committed in a ledger, in their order."""
        if not Path(path).exists():
            return []
        with closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ozzy_rows'").fetchall():
                return []
            return [json.loads(record) for (record,) in connection.execute("SELECT record FROM ozzy_rows ORDER BY row")]

    @property
    def _path(self) -> Path:
        return self.path(self.options.path)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=_PATIENCE)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA temp_store = FILE")
            for table in _TABLES:
                self._connection.execute(table)
        return self._connection

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> int:
        return self._connected().execute(statement, values).rowcount

    def _overtaken(self, epoch: int) -> DestinationError:
        return DestinationError(
            f"another process has gone on with this run in {self._path}, under epoch {epoch}; this one has {self.context.epoch}",
            hint="Nothing more is written here.",
        )

    def _checkpoint(self, connection: sqlite3.Connection) -> tuple[int, int]:
        found = connection.execute("SELECT number, epoch FROM ozzy_checkpoint WHERE writer = ?", (self.key,)).fetchone()
        return (0, 0) if found is None else (int(found[0]), int(found[1]))

    def _stored(self) -> int:
        """The number that is committed: an open transaction of this writer does not change it."""
        if self._connection is not None:
            return self._checkpoint(self._connection)[0]
        if not self._path.exists():
            return 0
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ozzy_checkpoint'").fetchall():
                return 0
            return self._checkpoint(connection)[0]

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.rollback()
            raise DestinationError(f"the ledger {self._path} can't be used: {error}") from error
