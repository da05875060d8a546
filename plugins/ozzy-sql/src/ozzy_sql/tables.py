"""The tables: documents, which are the state, and `job`, which shows the runs to tools that know the inherited table."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

DOCUMENT = "ozzy_document"
JOB = "job"
KEY_LENGTH = 300


class Tables(NamedTuple):
    """Both tables and what holds them."""

    metadata: "MetaData"
    document: "Table"
    job: "Table"


@cache
def tables() -> Tables:
    """The tables, the same for each database. Keys are ASCII, compared byte by byte; binary content has no limit but the database's."""
    from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, String, Table, Text
    from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT, VARCHAR

    metadata = MetaData()
    key = (
        String(KEY_LENGTH)
        .with_variant(VARCHAR(KEY_LENGTH, charset="ascii", collation="ascii_bin"), "mysql")
        .with_variant(String(KEY_LENGTH, collation="C"), "postgresql")
    )
    text = Text().with_variant(LONGTEXT(), "mysql")
    document = Table(
        DOCUMENT,
        metadata,
        Column("key", key, primary_key=True),
        Column("version", String(40), nullable=False),
        Column("content", LargeBinary().with_variant(LONGBLOB(), "mysql"), nullable=False),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    job = Table(
        JOB,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("last_position", text),
        Column("last_committed", DateTime),
        Column("job_finished", Boolean, default=False),
        Column("configuration", text),
        Column("run", String(100), unique=True),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    return Tables(metadata, document, job)
