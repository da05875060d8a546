"""Sample records: plain ones, and all the shapes that real data has sooner or later."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Record = dict[str, Any]

HUGE = 1 << 20
"""Characters in the text of a huge record."""

UNICODE = 'España, 日本, Ελλάδα, 🦉 👩\u200d🚀, e\u0301, \u2028, \ufeff, "quotes", a\\b, tab\t, line\nline\r\n, \u0000'
"""A text with what is easily broken: other scripts, joined and combining characters, separators, quotes, control characters."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 0.1, 2**53 + 1, 2**64, -(2**70), "", "1", "true", "null", " ", UNICODE, [], {}, [None], [[]],
    {"": ""},
)  # fmt: skip
"""Values that a field may have where something else was expected."""


def plain_records(count: int = 12) -> list[Record]:
    """Records of an everyday kind, each with an `id` of its own."""
    countries = ("es", "uk", "España", "日本")
    return [
        {
            "id": number,
            "name": f"näme {number}",
            "country": countries[number % len(countries)],
            "active": number % 3 != 0,
            "price": number * 1.5,
            "tags": ["a", "b"][: number % 3],
            "address": {"city": f"City {number % 4}", "zip": None},
        }
        for number in range(count)
    ]


def odd_records(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Record]]:
    """Records that differ in one field from the first of these, each with what is odd about it."""
    first = dict(records[0])
    yield "a record without any field", {}
    for field in first:
        yield f"a record without {field!r}", {name: value for name, value in first.items() if name != field}
        for value in ODD:
            yield f"a record whose {field!r} is {value!r}", first | {field: value}
    yield "a record with a field more", first | {UNICODE: UNICODE}
    yield "a record with a field without name", first | {"": 1}


def huge_record(records: Sequence[Mapping[str, Any]]) -> Record:
    """The first of these records with every text in it made 1 MiB long, and a field more that is."""
    first = {name: "x" * HUGE if isinstance(value, str) else value for name, value in records[0].items()}
    return first | {"huge": "ü" * (HUGE // 2)}


def cuts(count: int, *, seed: int = 1) -> Iterator[list[int]]:
    """Ways to cut `count` rows into batches, each as the sizes: one by one, all at once, and by chance."""
    yield [1] * count
    if count > 1:
        yield [1, count - 1]
        yield [count - 1, 1]
    rnd = random.Random(seed)  # noqa: S311 - no secret hangs on it
    for _ in range(3):
        sizes: list[int] = []
        while (left := count - sum(sizes)) > 0:
            sizes.append(rnd.randint(1, min(left, 5)))
        yield sizes
