"""What the tests of this package share: tables of every type that records have a form for."""

import decimal
import string
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import pytest
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def integers(bits, *, signed=True):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


def floats(width):
    return st.floats(width=width, allow_nan=False, allow_infinity=False)


def moments(zone=None):
    return st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda one: one.replace(tzinfo=zone))


SCALARS = [
    (pa.null(), st.none()),
    (pa.bool_(), st.booleans()),
    (pa.int8(), integers(8)),
    (pa.int32(), integers(32)),
    (pa.int64(), integers(64)),
    (pa.uint8(), integers(8, signed=False)),
    (pa.uint64(), integers(64, signed=False)),
    (pa.float32(), floats(32)),
    (pa.float64(), floats(64)),
    (pa.string(), TEXTS),
    (pa.large_string(), TEXTS),
    (pa.dictionary(pa.int32(), pa.string()), TEXTS),
    (pa.binary(), st.binary(max_size=4)),
    (pa.binary(3), st.binary(min_size=3, max_size=3)),
    (pa.date32(), st.dates(date(1, 1, 2), date(9999, 12, 30))),
    (pa.timestamp("us"), moments()),
    (pa.timestamp("us", "UTC"), moments(UTC)),
    (pa.timestamp("ns", "Europe/Madrid"), st.integers(-(2**62), 2**62)),
    (pa.timestamp("s"), moments().map(lambda one: one.replace(microsecond=0))),
    (pa.time64("us"), st.times()),
    (pa.time32("s"), st.times().map(lambda one: time(one.hour, one.minute, one.second))),
    (pa.duration("ms"), st.integers(-(10**6), 10**6).map(lambda one: timedelta(milliseconds=one))),
    (pa.decimal128(20, 5), st.decimals(-(10**14), 10**14, places=5).filter(decimal.Decimal.is_finite)),
    (pa.decimal128(38, 30), st.decimals(-1000, 1000, places=30, allow_nan=False)),
]
SCALARS = [(kind, values.map(decimal.Context(prec=60).create_decimal) if pa.types.is_decimal(kind) else values) for kind, values in SCALARS]


def nested(kinds):
    def lists(pair):
        kind, values = pair
        made = st.lists(values, max_size=3)
        return st.sampled_from([(pa.list_(kind), made), (pa.large_list(kind), made)])

    def structs(pairs):
        fields = [pa.field(name, kind) for name, (kind, _) in zip("abc", pairs, strict=False)]
        return pa.struct(fields), st.fixed_dictionaries({name: values for name, (_, values) in zip("abc", pairs, strict=False)})

    def maps(pair):
        kind, values = pair
        return pa.map_(pa.string(), kind), st.dictionaries(TEXTS, values, max_size=2).map(lambda one: list(one.items()))

    return st.one_of(kinds.flatmap(lists), st.lists(kinds, min_size=1, max_size=2).map(structs), kinds.map(maps))


PLAIN = st.sampled_from(SCALARS)
KINDS = st.one_of(PLAIN, PLAIN, nested(st.one_of(PLAIN, nested(PLAIN))))
NAMES = st.one_of(st.sampled_from(["a", "b", "c", "a.b", "é", ""]), st.text(string.ascii_letters, max_size=3))


@st.composite
def a_table(draw, kinds=KINDS):
    count = draw(st.integers(0, 6))
    columns, fields = [], []
    for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=4)):
        kind, values = draw(kinds)
        drawn = draw(st.lists(st.none() | values, min_size=count, max_size=count))
        columns.append(pa.array(drawn, kind))
        fields.append(pa.field(name, kind))
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    if count > 1 and draw(st.booleans()):
        cut = draw(st.integers(1, count - 1))
        table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    return table


@pytest.fixture(scope="session")
def tables():
    """A strategy of tables."""
    return a_table()


@pytest.fixture(scope="session")
def plain_tables():
    """A strategy of tables without lists and objects."""
    return a_table(PLAIN)
