"""The first record of each key."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, ClassVar

from ozzy import BaseFilter, Batch, DataError, Problem, option, options
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.json_text import MISSING, encode_record, encode_values
from ozzy.options.option import ByteSize
from ozzy.staging.key_set import MEMORY, SMALLEST_MEMORY, KeySet


@options
class DupeOptions:
    """Options of the filter of duplicates."""

    key_field: str = option(default="_key", help="The field that tells records apart; nested ones with the separator between the names.")
    keys: list[str] = option(
        factory=list, help="Several fields that tell records apart together, instead of `key_field`.", example=["seller.id", "sku"]
    )
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")
    memory: ByteSize = option(
        default=ByteSize(MEMORY), minimum=SMALLEST_MEMORY, help="What the keys may take in memory; further ones wait on disk."
    )


class DupeFilter(BaseFilter):
    """Keeps the first record of each key, and lets no later one with the same key pass.

    Keys are equal as in JSON, at every depth: 1 is 1.0, true is not 1, the order of a mapping's fields does not matter; a key longer than
    200 characters is told by a digest of 256 bits. A record without a key (the field, or one of `keys`, is missing, null or an empty
    text) is kept; the first one is told by a warning, and all are counted.

    Any number of keys is remembered, and each exactly: what does not fit into `memory` lies in the state of the run, where every checkpoint
    finds what it needs, and is deleted when the run succeeds. It knows the records of one run, not those of runs before.
    """

    Options: ClassVar[type] = DupeOptions

    @classmethod
    def check_options(cls, options: DupeOptions) -> Iterator[Problem]:
        """A field that is not told."""
        names = [("key_field", options.key_field), *((f"keys.{number}", name) for number, name in enumerate(options.keys))]
        for path, name in names:
            if not name:
                yield Problem(path, "expected the name of a field, given an empty text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = self.options.keys or [self.options.key_field]
        self._paths = [FieldPath.parse(name, self.options.nested_field_separator) for name in names]
        self._fields = roots(self._paths)
        self._flat = len(self._paths) == 1 and len(self._paths[0].steps) == 1
        self._keys: KeySet | None = None
        self._without_key = 0
        self.reads = self._fields

    def filter(self, item: Any) -> bool:
        return self.mask(Batch.from_records([item]))[0]

    def mask(self, batch: Batch) -> Sequence[bool]:
        values = self._values(batch)
        present = [value is not None for value in values]
        if all(present):
            return self._seen().add(_texts(values, range(len(batch))))
        self._tell(present.count(False))
        rows = list(compress(range(len(batch)), present))
        new = self._seen().add(_texts([values[row] for row in rows], rows))
        mask = [True] * len(batch)
        for row, is_new in zip(rows, new, strict=True):
            mask[row] = is_new
        return mask

    def get_state(self) -> Any:
        return {"keys": self._seen().save(), "without_key": self._without_key}

    def set_state(self, state: Any) -> None:
        self._seen().go_back(state["keys"])
        self._without_key = state["without_key"]

    def close(self) -> None:
        if self._keys is not None:
            self._keys.close()

    def _seen(self) -> KeySet:
        if self._keys is None:
            folder = self.state_folder
            self._keys = KeySet(folder / "keys.sqlite" if folder is not None else None, self.options.memory)
        return self._keys

    def _values(self, batch: Batch) -> list[Any]:
        """The key of each row, None where it has none."""
        rows = batch.select(self._fields)
        if self._flat:
            return [None if value is MISSING or value == "" else value for (value,) in rows]
        places = [(path, self._fields.index(path.root)) for path in self._paths]
        keys = [[path.within(row[place], None) for path, place in places] for row in rows]
        return [None if any(value is None or value == "" for value in key) else key if len(key) > 1 else key[0] for key in keys]

    def _tell(self, count: int) -> None:
        if not self._without_key:
            self.logger.warning(
                "a record has no key, so it is kept; further ones are counted, not logged", key=", ".join(map(str, self._paths))
            )
        self._without_key += count
        self.set_metadata("records_without_key", self._without_key)


def _texts(values: list[Any], rows: Sequence[int]) -> list[str]:
    """The values as texts that are the same where the values are; `rows` are those of the batch, for errors."""
    if not all(type(value) is str for value in values):
        values = [value if type(value) is str else _canonical(value) for value in values]
    try:
        return [line.decode() for line in encode_values(values)]
    except DataError:
        for value, row in zip(values, rows, strict=True):
            try:
                encode_record(value)
            except DataError as error:
                raise DataError(f"the key {error.message}", row=row) from error
        raise


def _canonical(value: Any) -> Any:
    """The value in the one form that all have which are equal to it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _canonical(value[name]) for name in sorted(value, key=str)}
    return value
