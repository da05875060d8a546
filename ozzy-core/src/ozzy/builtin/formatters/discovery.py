"""The columns of a table as its records have them."""

from collections.abc import Callable, Iterable, Iterator

from ozzy.data.batch import Batch
from ozzy.errors import DataError


def discovered(rows: Callable[[], Iterator[Batch]], first: Iterable[str], limit: int) -> tuple[str, ...]:
    """`first`, then every other field of the records in the order in which they are seen. Raises DataError beyond `limit` columns."""
    columns = dict.fromkeys(first)
    for batch in rows():
        for record in batch.records:
            if not record.keys() <= columns.keys():
                columns |= dict.fromkeys(record)
                if len(columns) > limit:
                    raise DataError(
                        f"the records of a file have more than {limit:,} different fields",
                        hint="Name the columns with `fields`, or reshape the records: values seem to stand where names belong.",
                    )
    return tuple(columns)
