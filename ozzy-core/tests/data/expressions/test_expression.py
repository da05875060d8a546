"""Expressions give what Python gives, within bounds."""

import datetime as dt
import itertools
import math
import warnings
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import ConfigError, DataError
from ozzy.data.expressions.context import Context
from ozzy.data.expressions.expression import Expression, check

START = dt.datetime(2024, 3, 1, 12, 30, 5, 7, tzinfo=dt.timezone(dt.timedelta(hours=2)))
ITEM = {
    "price": 12.5,
    "count": 3,
    "name": "  Zürich Süd ",
    "tags": ["b", "a", "b"],
    "address": {"city": "Oz", "zip": None},
    "when": "2024-02-29T10:20:30",
    "ok": True,
}


def value(text, item=None, **context):
    return Expression(text, Context(start=START, **context)).of(dict(ITEM) if item is None else item)


SAME_AS_PYTHON = """
1 + 2 * 3 - 4 / 5 // 6 % 7
-2 ** 2
+item['count']
~item['count']
not item['ok']
item['count'] << 2 | 1 & 3 ^ 8 >> 1
item['price'] * 1.21
round(item['price'] * 1.21, 2)
item['name'] + '!'
item['tags'] + [1]
(1, 2) + (3,)
item['tags'] * 2
2 * 'ab'
'ab' * -1
True * 3
1 < 2 < 3
1 < 2 > 3
3 == 3.0 != 4
'a' <= 'b'
[1, 2] < [1, 3]
{1, 2} < {1, 2, 3}
{1, 2} | {3} == {1, 2, 3}
{1, 2} - {2} == {1}
item is item
None is not None
'b' in item['tags']
'x' not in item
['b'] in [['a'], ['b']]
(1, 2) in {(1, 2): 3}
2 in range(5)
2.5 in range(5)
'b' in item.values() or 3 in item.values()
('count', 3) in item.items()
'a' in (x for x in 'abc')
item['ok'] and item['count'] or 5
None or 0 or ''
1 if item['ok'] else 2
item['tags'][0]
item['tags'][-1]
item['tags'][1:]
item['tags'][::-1]
item['name'][2:-1]
(1, 2, 3)[1]
range(10)[2:5]
b'abc'[0]
item['address']['city']
item.get('nothing')
item.get('nothing', 5)
len(item)
[x * 2 for x in range(5) if x % 2 if x > 1]
[(x, y) for x in range(3) for y in range(x)]
[x for row in [[1], [2, 3]] for x in row]
{x: y for x, y in zip('abc', range(3))}
{len(x) for x in item['tags']}
sorted({x for x in item['tags']})
sum(x for x in range(5))
[[y for y in range(x)] for x in range(3)]
[a + b for (a, b) in [(1, 2)]]
[a + b + c for a, [b, c] in [(1, (2, 3))]]
[x for x in [1] for x in [x, x + 1]]
list(zip(*[[x for x in row] for row in [[1, 2], [3, 4]]]))
list(zip(*[(x for x in row) for row in [[1, 2], [3, 4]]]))
[list(g) for g in [(x + y for x in [1, 2] for y in [n]) for n in (10, 20)]][-1]
any(x > 3 for x in itertools.count())
next(x for x in itertools.count() if x > 5)
next(iter([]), 7)
[*range(3), *'ab', 5]
(*[1], 2)
{*[1, 2], 3}
{**item['address'], 'a': 1}
dict(a=1, **{'b': 2})
dict([('a', 1)], b=2)
dict(item['address'])
dict.fromkeys('ab', 0)
max(*[1, 5, 3])
f"{item['price']:>10.2f}|{item['count']:03d}|{item['name']!r}|{item['ok']!s:>6}"
f"{item['count']:{item['count']}}"
f"{item['tags']}{None}"
f"{'é'!a}{[1.5, 'é']!a}"
'%s-%05d %(x)s' % () if 0 else '%s-%05d' % (item['name'], 42)
'%(a)s %(b).2f%%' % {'a': 1, 'b': 2.0}
'{} {:>8} {}'.format(1, 2, 3)
'{1} {0} {a[x]} {b[0]}'.format(1, 2, a={'x': 1}, b=[5])
'{:>{}}|{!r}'.format(1, 5, 'a')
'{a}'.format_map({'a': 1})
format(3.14159, '.2f')
format('a', '%>3')
'{:%Y-%m-%d 20240101}'.format(datetime.datetime(2024, 1, 2))
'%d%% of %(a)s' % {'a': 1} if False else '%5.1f%%' % 2
format(5)
str(1.5) + str(None) + str(True) + str([1, 'a']) + str()
repr('a')
int('12') + int(3.9) + int('ff', 16) + int()
float('1.5') + float()
bool([]) or bool()
list('abc') + list()
tuple([1]) + tuple()
sorted(['b', 'A', 'c'], key=str.lower, reverse=True)
sorted([3, 1, 2])
min([3, 1]) + max(3, 1)
min(item['tags'], key=len)
max([], default=4)
sum([1, 2], 10)
sum([[1], [2]], [])
abs(-3)
divmod(17, 5)
pow(2, 10) + pow(2, 10, 7)
all([1, 0]) or any([0, 1])
list(enumerate('ab', 1))
list(map(str.upper, ['a', 'b']))
list(map(len, ['a', 'bb']))
list(map(max, [1, 5], [4, 2]))
list(filter(None, [0, 1, 2]))
list(filter(str.isdigit, ['a', '1']))
list(reversed([1, 2]))
list(iter('ab'))
isinstance(item['price'], (int, float)) and not isinstance('a', int)
isinstance(True, int)
chr(233) + hex(255) + oct(8) + bin(5)
ord('é')
[1, 2, 3][slice(1, 2)]
list(frozenset([1]))
item['name'].strip().title().split()
' '.join(x.upper() for x in item['tags'])
'-'.join('abc')
'a,b,c'.split(',', 1) + 'a b'.rsplit() + 'a\\nb'.splitlines()
'abc'.replace('b', 'xx', 1).center(9, '*').zfill(12)
'a\\tb'.expandtabs(4)
'abc'.partition('b')
'abc'.find('c') + 'abcc'.count('c')
'abc'.startswith(('x', 'a')) and 'abc'.endswith('c')
'abc'.translate({97: 'x'}) + 'abc'.translate(str.maketrans('ab', 'xy'))
'é'.encode().decode('utf-8') + 'é'.encode('ascii', 'replace').decode('ascii')
'é'.encode('latin-1').hex()
'ab'.removeprefix('a').ljust(3) + 'a'.rjust(3)
item['tags'].count('b') + item['tags'].index('a')
(1, 2).count(1)
item['tags'].copy()
list(item['address'].keys()) + list(item['address'].values())
{1, 2}.union([3]) == {1, 2}.symmetric_difference({3}) or {1}.isdisjoint([2])
frozenset([1]).issubset([1, 2])
(5).bit_length() + (2.0).is_integer()
item['address'].pop('city')
[item.update(x=1), item.pop('x')]
[item.setdefault('a', 1), item.setdefault('a', 2)]
[item['tags'].append('z'), item['tags'].sort(), item['tags']][-1]
[item['tags'].insert(0, 'q'), item['tags'].extend(['y']), item['tags'].remove('q'), item['tags'].reverse(), item['tags']][-1]
[item['tags'].sort(key=len, reverse=True), item['tags'].pop(), item['tags'].pop(0), item['tags'].clear(), item['tags']]
[item.__setitem__('a', 1), item.__getitem__('a'), item.__delitem__('a'), item][-1] == item
[item['tags'].__setitem__(0, 'q'), item['tags'].__delitem__(1), item['tags']][-1]
[item.update([('a', 1)], b=2), item.update(), item['a'] + item['b']][-1]
[s.add(1) for s in [set()]]
math.floor(2.7) + math.ceil(2.1) + math.sqrt(16) + math.pi
math.isclose(0.1 + 0.2, 0.3)
math.factorial(20) + math.comb(5, 2) + math.perm(5, 2) + math.gcd(12, 18) + math.lcm(4, 6)
math.prod([2, 3]) + math.fsum([0.1] * 10) + math.hypot(3, 4) + math.dist([0, 0], [3, 4])
list(itertools.chain([1], (2,), 'a')) + list(itertools.chain.from_iterable([[1], [2]]))
list(itertools.islice(itertools.count(3, 2), 1, 5, 2))
list(itertools.islice(itertools.cycle('ab'), 5))
list(itertools.repeat(1, 3))
list(itertools.accumulate([1, 2, 3])) + list(itertools.accumulate([1, 5, 2], max)) + list(itertools.accumulate([1], initial=5))
list(itertools.takewhile(str.isdigit, '12a')) + list(itertools.dropwhile(str.isdigit, '12a')) + list(itertools.filterfalse(None, [0, 1]))
list(itertools.zip_longest([1, 2], [3], fillvalue=0))
[(k, list(g)) for k, g in itertools.groupby(['a', 'a', 'b'])]
[(k, list(g)) for k, g in itertools.groupby(['a', 'bb', 'cc'], len)]
list(itertools.product([1, 2], repeat=2)) + list(itertools.product('ab', [1]))
list(itertools.permutations([1, 2, 3], 2)) + list(itertools.combinations([1, 2, 3], 2))
list(itertools.combinations_with_replacement([1, 2], 2)) + list(itertools.permutations([1, 2]))
list(itertools.starmap(pow, [(2, 3)])) + list(itertools.compress('abc', [1, 0, 1])) + list(itertools.pairwise([1, 2, 3]))
calendar.isleap(2024) and calendar.monthrange(2024, 2)
calendar.month_name[3] + calendar.day_abbr[calendar.weekday(2024, 3, 1)]
calendar.timegm(datetime.datetime(2024, 1, 1).timetuple())
datetime.datetime.fromisoformat(item['when']).strftime('%d.%m.%Y %H:%M')
datetime.datetime.strptime('01.02.2024', '%d.%m.%Y').date().isoformat()
(datetime.date(2024, 3, 1) - datetime.date(2024, 2, 28)).days
datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
(datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=5)).hour
datetime.datetime.fromtimestamp(0, datetime.timezone.utc).year
datetime.datetime(2024, 1, 1).isocalendar().week
f"{datetime.date(2024, 1, 2):%Y/%m}"
datetime.time(10, 20).isoformat()
datetime.timedelta(days=1).total_seconds()
datetime.datetime(2024, 1, 1).replace(year=2025).year
datetime.datetime.combine(datetime.date(2024, 1, 1), datetime.time(1)).isoformat()
datetime.date(2024, 1, 1) < datetime.date(2024, 1, 2)
[list(map(item.get, ['ok', 'count'])), item['tags'].index(*['a'])]
max(map(item['tags'].count, item['tags']))
[[1], [2]].index([2]) + [[1], [1]].count([1])
[[s.discard(1), len(s)] for s in [{1, 2}]]
isinstance(datetime.date(2024, 1, 1), datetime.date)
re.match('a(.)', 'abc').group(1)
re.search(r'(?P<y>\\d+)', 'x12').groupdict()
re.findall(r'\\w+', 'ab é_1')
re.sub('a', 'b', 'aXa')
""".strip().splitlines()


@pytest.mark.parametrize("text", SAME_AS_PYTHON)
def test_it_gives_what_python_gives(text):
    import calendar
    import random
    import re

    names = {"datetime": dt, "re": re, "itertools": itertools, "calendar": calendar, "math": math, "random": random}
    theirs, ours = _item(), _item()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = eval(text, names | {"item": theirs})
    found = value(text, ours)

    assert (type(found), found) == (type(expected), expected) or list(found) == list(expected)
    assert ours == theirs


def _item():
    return {**ITEM, "tags": list(ITEM["tags"]), "address": dict(ITEM["address"])}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item['nothing']", "item['nothing']: KeyError: the record has no 'nothing'"),
        ("item['address']['nothing']", "item['address']['nothing']: KeyError: the record has no 'nothing'"),
        ("1 / (item['count'] - 3)", "1 / (item['count'] - 3): ZeroDivisionError: division by zero"),
        ("item['price'].upper()", "item['price'].upper(): AttributeError: float has no upper"),
        ("item['zip']", "item['zip']: KeyError: the record has no 'zip'"),
        ("item['address']['zip'].strip()", "item['address']['zip'].strip(): AttributeError: null has no strip"),
        ("item['count']()", "item['count'](): TypeError: a value of type int can't be called"),
        ("item['count'][0]", "item['count'][0]: TypeError: int has no [ ]"),
        ("list(item['count'])", "list(item['count']): TypeError: int can't be iterated"),
        ("(-8.0) ** (item['count'] / 10)", "(-8.0) ** (item['count'] / 10): ValueError: the result is no real number"),
        ("[1, 2, 3][item['count']]", "[1, 2, 3][item['count']]: IndexError: list index out of range"),
        ("len(item['count'])", "len(item['count']): TypeError: int has no length"),
        ("str.upper(item['count'])", "str.upper(item['count']): TypeError: str.upper takes a str, not int"),
        ("'%d' % item['name']", "'%d' % item['name']: TypeError: %d format: a real number is required, not str"),
        ("[x for x, y in item['tags']]", "[x for x, y in item['tags']]: ValueError: expected 2 values, found 1"),
        ("[x for x, y in [(1, 2, 3)] if item]", "[x for x, y in [(1, 2, 3)] if item]: ValueError: expected 2 values, found more"),
        ("[x for x in range(10**6) if item]", "[x for x in range(10**6) if item]: it takes more than 100,000 steps"),
        ("dict(**item['tags'])", "dict(**item['tags']): TypeError: ** takes a mapping, not list"),
        ("dict(**{1: item})", "dict(**{1: item}): TypeError: ** takes a mapping with texts as keys"),
        ("{item['tags']: 1}", "{item['tags']: 1}: TypeError: list can't be a key"),
        ("next(item['tags'])", "next(item['tags']): TypeError: list is no iterator; use next(iter(…))"),
        (
            "next(iter(item['tags'][:0]))",
            "next(iter(item['tags'][:0])): ValueError: nothing is left; next(…, default) gives something else then",
        ),
        ("reversed(item)['a'] if reversed(5) else item", "reversed(item)['a'] if reversed(5) else item: TypeError: int can't be reversed"),
        ("str(item['tags'], 'utf-8')", "str(item['tags'], 'utf-8'): TypeError: write value.decode(encoding)"),
        ("isinstance(item, len)", "isinstance(item, len): TypeError: isinstance() takes a type, or a tuple of types"),
        ("math.sqrt(item['name'])", "math.sqrt(item['name']): TypeError: sqrt() takes numbers"),
        ("math.factorial(item['price'])", "math.factorial(item['price']): TypeError: factorial() takes whole numbers"),
        ("math.fsum(item['tags'])", "math.fsum(item['tags']): TypeError: fsum() takes numbers"),
        ("item['tags'].__setitem__('a', 1)", "item['tags'].__setitem__('a', 1): TypeError: what is set has a number as its key, not str"),
        (
            "datetime.datetime.strptime(item['count'], '%Y')",
            "datetime.datetime.strptime(item['count'], '%Y'): TypeError: strptime() takes a text and its format",
        ),
        (
            "datetime.date.fromisoformat(item['name'] * 50)",
            "datetime.date.fromisoformat(item['name'] * 50): a date's text may have 200 characters",
        ),
        ("''.join(item['tags'] + [1])", "''.join(item['tags'] + [1]): TypeError: join() takes texts, not int; use str()"),
        ("'{a}'.format_map(item['tags'])", "'{a}'.format_map(item['tags']): TypeError: format_map() takes a mapping, not list"),
        (
            "item['name'].encode('utf-8', 'surrogatepass')",
            (
                "item['name'].encode('utf-8', 'surrogatepass'): ValueError: errors is one of backslashreplace, ignore, replace, strict, "
                "xmlcharrefreplace"
            ),
        ),
        ("calendar.timegm(item)", "calendar.timegm(item): TypeError: timegm() takes what .timetuple() gives"),
        ("random.uniform(item['name'], 1)", "random.uniform(item['name'], 1): TypeError: uniform() takes numbers"),
        ("random.shuffle(item['name'])", "random.shuffle(item['name']): TypeError: shuffle() takes a list"),
        ("'{[a]}'.format(item['count'])", "'{[a]}'.format(item['count']): TypeError: int has no [a]"),
        ("format(item['tags'], '>5')", "format(item['tags'], '>5'): TypeError: list has no format '>5'"),
        ("b'1' + str(b'1')", "b'1' + str(b'1'): TypeError: bytes become a text by .decode()"),
        (
            "{(((1, (2, item['count'])),),): 1} and {item: 1}",
            "{(((1, (2, item['count'])),),): 1} and {item: 1}: TypeError: dict can't be a key",
        ),
        ("item.format", "column 1"),
    ],
)
def test_what_fails_says_why(text, message):
    if message == "column 1":
        with pytest.raises(DataError, match="dict has no format"):
            value(text)
        return
    with pytest.raises(DataError) as caught:
        value(text)

    assert caught.value.message == message


def test_a_key_may_not_be_nested_deep():
    key = "(" * 60 + "item['a']" + ",)" * 60
    with pytest.raises(DataError, match="a key may be nested 50 deep"):
        value("{" + key + ": 1}", {"a": 1})


def test_what_is_nested_deep_is_worked_with():
    assert value("str(" * 100 + "item['count']" + ")" * 100) == "3"


def test_several_lines_that_are_no_expression():
    with pytest.raises(ConfigError, match="not an expression"):
        check("item['a']\n+ +\n")


def test_a_text_that_is_no_text():
    with pytest.raises(ConfigError, match="not an expression"):
        check("'\ud800'")


def test_a_long_expression_is_cut_in_its_error():
    with pytest.raises(DataError, match=r"^item\['a'\] \+ item.{80,95}…: KeyError"):
        value(" + ".join(["item['a']"] * 30))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("item['a'] +", "column 12: not an expression: invalid syntax", None),
        ("item['a'] + foo", "column 13: the name foo is not known", "The record is `item`"),
        ("lenn(item)", "column 1: the name lenn is not known", "Did you mean len?"),
        ("unicode(item['a'])", "column 1: the name unicode is not known", "Not available: write str."),
        ("type(item)", "column 1: the name type is not known", "Not available: write isinstance(value, str)."),
        ("item.has_key('a')", "column 1: no value has has_key here", None),
        ("item['a'].upcase()", "column 1: no value has upcase here", "Did you mean swapcase or update?"),
        ("math.flor(1)", "column 1: math has no flor here", "It has acos"),
        ("math", "column 1: math is a module", "Write math.name"),
        ("str.get('a')", "column 1: str has no get here", None),
        ("len.foo", "column 1: len has no foo here", None),
        ("lambda: 1", "column 1: a lambda is not allowed", "Name a function instead"),
        ("1 +\n(x := 2)", "line 2, column 2: an assignment is not allowed", "item.update(name=value)"),
        ("'a' * 10**9", "column 1: it takes more than 100,000 steps", "It would be so for every record."),
        ("item['a'] + 2 ** 20000", "column 13: a whole number may have 14,000 bits, about 4,200 digits", "every record"),
        ("", "an expression is empty", "Write one"),
        ("re.match('(', item['a'])", "column 10: not a pattern for expressions: missing ): (", "The reference"),
        ("1j", "column 1: a record can't hold complex numbers", None),
    ],
)
def test_what_is_wrong_is_known_before_a_record_is_seen(text, message, hint):
    with pytest.raises(ConfigError) as caught:
        check(text)

    assert caught.value.message == message
    assert (hint is None) or hint in caught.value.hint


def test_an_expression_may_go_over_several_lines():
    assert value("\n  item['count'] > 1\n  and item['ok']\n") is True


def test_a_warning_of_pythons_is_no_business_of_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value(r"re.sub('\d', '', 'a1')") == "a"


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("item['a']", ("a",)),
        ("item.get('b') or item['a'] and 'c' in item", ("a", "b", "c")),
        ("item.get('a', item['b'])", ("a", "b")),
        ("[item['a'] for _ in item['b']]", ("a", "b")),
        ("'a' not in item", ("a",)),
        ("1 + 1", ()),
        ("item", None),
        ("len(item)", None),
        ("item[item['a']]", None),
        ("[item for item in item['a']]", None),
        ("item.update(a=1)", None),
        ("item.get(*['a'])", None),
        ("item.get(key='a')", None),
        ("1 in item", None),
        ("'a' in item in [item]", None),
        ("item.get", None),
        ("item['a':]", None),
    ],
)
def test_the_fields_it_reads_are_known_where_that_can_be(text, reads):
    assert Expression(text).reads == reads


@pytest.mark.parametrize(("text", "changes"), [("item['a'].append(1)", True), ("item.get('a')", False), ("[].pop()", True)])
def test_whether_it_may_change_the_record_is_known(text, changes):
    assert Expression(text).changes is changes


def test_a_budget_is_for_a_record():
    expression = Expression("sum([x for x in range(item['n'])])", context := Context(10_000))
    assert expression.of({"n": 1000}) == 499_500
    with pytest.raises(DataError, match="it takes more than 10,000 steps"):
        [expression.of({"n": 1000}) for _ in range(10)]
    context.begin()
    assert expression.of({"n": 1000}) == 499_500


def test_a_larger_budget_gets_further():
    assert value("len([x for x in range(10**5) if item])", steps=10_000_000) == 100_000


def test_now_is_the_start_of_the_run():
    assert value("datetime.datetime.now()") == dt.datetime(2024, 3, 1, 12, 30, 5, 7)
    assert value("datetime.datetime.today()") == dt.datetime(2024, 3, 1, 12, 30, 5, 7)
    assert value("datetime.datetime.utcnow()") == dt.datetime(2024, 3, 1, 10, 30, 5, 7)
    assert value("datetime.datetime.now(datetime.timezone.utc)") == START
    assert value("datetime.date.today()") == dt.date(2024, 3, 1)
    assert value("datetime.datetime.utcfromtimestamp(0)") == dt.datetime(1970, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "random.random()", "random.randint(1, 100)", "random.uniform(1, 2)", "random.choice(item['tags'])", "random.gauss(0, 1)",
        "random.sample(item['tags'], 2)", "random.sample(range(100), 3)", "random.choices(item['tags'], k=4)", "random.getrandbits(64)",
        "[item['tags'].sort(), random.shuffle(item['tags']), item['tags']][-1]", "random.randrange(10)",
    ],
)  # fmt: skip
def test_random_numbers_follow_from_the_run_and_the_record(text):
    def drawn(seed, start=START):
        context = Context(start=start)
        expression = Expression(f"[{text} for _ in range(20)]", context)
        context.begin(seed)
        return expression.of(_item())

    assert drawn("1") == drawn("1")
    assert drawn("1") != drawn("2") != drawn("1", START + dt.timedelta(seconds=1))


def test_sets_are_gone_through_in_the_same_order_in_every_run():
    assert value("list({'b', 'a', 'c'})") == ["a", "b", "c"]
    assert value("[x for x in {3, 1.5, 2}]") == [1.5, 2, 3]
    assert value("list({'b', 1, None, (1, 2)})") == value("list({(1, 2), None, 1, 'b'})")
    assert value("list({frozenset(['b', 'a']), 'x'})") == [frozenset({"a", "b"}), "x"]


def test_what_becomes_a_part_of_the_record_shares_nothing():
    item = {"a": [1], "b": {"c": (1, 2)}}
    made = Expression("{'x': item['a'], 'y': item['a'], 'z': (1, 2)}").settled(item)
    made["x"].append(2)

    assert made == {"x": [1, 2], "y": [1], "z": [1, 2]}
    assert item["a"] == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{1}", "set can't be a part of a record; use sorted()"),
        ("[x for x in [range(2)]]", "range can't be a part of a record; use list()"),
        ("(x for x in 'a')", "iterator can't be a part of a record; use list()"),
        ("item.keys()", "dict_keys can't be a part of a record; use list()"),
        ("'a'.encode()", "bytes can't be a part of a record; use .decode()"),
        ("len", "function can't be a part of a record; call it with ()"),
        ("{1: 2}", "a field's name must be a text, not int 1"),
        ("{'a': [{None: 1}]}", "a field's name must be a text, not null None"),
        ("re.match('a', 'a')", "Match can't be a part of a record"),
        ("datetime.timezone.utc", "timezone can't be a part of a record"),
    ],
)
def test_what_a_record_can_not_hold_is_refused(text, message):
    with pytest.raises(DataError) as caught:
        Expression(text).settled({"a": 1})

    assert message in caught.value.message


def test_what_is_nested_too_deep_for_a_record_is_refused():
    deep = []
    for _ in range(255):
        deep = [deep]
    with pytest.raises(DataError, match="nested deeper than 256 levels, or a part of itself"):
        Expression("{'a': item['deep']}").settled({"deep": deep})


def test_what_a_reader_gave_passes():
    from decimal import Decimal

    assert Expression("[item['d'], str(item['d'])]").settled({"d": Decimal("1.50")}) == [Decimal("1.50"), "1.50"]
    assert Expression("int(item['d'])").settled({"d": Decimal("12.7")}) == 12
    for text in ("int(item['d'])", "round(item['d'])"):
        with pytest.raises(DataError, match="4,300 digits"):
            Expression(text).settled({"d": Decimal("1E+99999")})


def test_imported_objects_do_what_they_can():
    import collections
    import unicodedata

    imports = {"unicodedata": unicodedata, "collections": collections}
    assert Expression("unicodedata.name(item['a'])", imports=imports).of({"a": "é"}) == "LATIN SMALL LETTER E WITH ACUTE"
    text = "[k for k, _ in collections.Counter(item['a']).most_common(1)]"
    assert Expression(text, imports=imports).of({"a": "abb"}) == ["b"]
    assert Expression("collections.Counter(item['a'])['b'] + len(collections.Counter('ab'))", imports=imports).of({"a": "abb"}) == 4
    assert Expression("'a' in collections.Counter(item['a'])", imports=imports).of({"a": "abb"})
    assert Expression("collections.OrderedDict(sorted(map(collections.namedtuple('P', 'x y'), [1], [2])))", imports=imports)
    with pytest.raises(ConfigError, match="no value has __class__"):
        Expression("unicodedata.__class__", imports=imports)


def test_a_function_of_expressions_can_be_given_to_imported_ones():
    import functools

    assert Expression("functools.reduce(max, item['a'])", imports={"functools": functools}).of({"a": [1, 5, 2]}) == 5


numbers = st.one_of(st.integers(-1000, 1000), st.floats(allow_nan=False, allow_infinity=False, width=32), st.booleans())
texts = st.text(max_size=5)
values = st.recursive(st.one_of(numbers, texts, st.none()), lambda inner: st.lists(inner, max_size=3), max_leaves=6)
operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in", "is"])


@settings(max_examples=100, deadline=None)
@given(left=values, right=values, operator=operators)
def test_operators_agree_with_python(left, right, operator):
    text = f"item['a'] {operator} item['b']"
    item = {"a": left, "b": right}
    try:
        expected = eval(text, {"item": item})
    except Exception as raised:
        failure = raised
    else:
        found = Expression(text).of(item)
        assert (type(found), repr(found)) == (type(expected), repr(expected))
        return
    with pytest.raises(DataError) as caught:
        Expression(text).of(item)
    assert isinstance(caught.value.__cause__, (type(failure), TypeError))


@pytest.mark.parametrize(
    ("text", "column", "form"),
    [
        ("len(item, 1)", 1, "len(value)"),
        ("1 + round()", 5, "round(value, "),
        ("item.get()", 1, "get(key, *default)"),
        ("item['a'].ljust()", 1, "ljust(width, *fill_character)"),
        ("re.match(item['a'])", 1, "match(pattern, text, flags=0)"),
        ("re.compile('a').match('a', 1)", 1, "match(text)"),
        ("sorted(item['a'], keys=len)", 1, "sorted(values, *, key=None, reverse=False)"),
    ],
)
def test_a_call_that_no_function_takes_is_refused_with_the_form_that_it_has(text, column, form):
    with pytest.raises(ConfigError, match=rf"^column {column}: \w+\(\) can't be called like this") as caught:
        Expression(text)

    assert form in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["len(*item['a'])", "item.get(*item['a'])", "max(item['a'], **item)", "item['a'].replace(*item['b'])"])
def test_what_stands_behind_stars_is_not_known_before_the_record(text):
    Expression(text)


def test_methods_of_imported_objects_are_their_own_business():
    assert Expression("tool.get()", imports={"tool": SimpleNamespace(get=lambda: 5)}).of({}) == 5
