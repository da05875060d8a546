"""Patterns in expressions find what Python's `re` finds, or are refused."""

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import ConfigError, DataError
from ozzy.data.expressions.expression import Expression

TEXT = "Zürich 12-07, straße_3\té\u0661 Foo foo\n[x]  {2,}"


def ours(text, **item):
    return Expression(text).of({"t": TEXT, **item})


@pytest.mark.parametrize(
    "pattern",
    [
        r"\w+", r"\W+", r"\d+", r"\D+", r"\s+", r"\S+", r"[\w-]+", r"[\d_]+", r"[^\s\d]+", r"[^\w]+", r"[\D]", "[a-z]+", "(?i)foo", r"[]x]",
        r"[^]x]+", r"[x[]", r"\[x\]", r"\{2,\}", "o{,2}", "o{1,}", r"(\w)(\d)?", r"(?P<a>\d)(?:-)", "ü|ß", r"ü", r"\U000000fc", r"\x5b",
        r"\t", r"[\b]", "", "x*", "^Z", r"\AZ", r"\}\Z", "(?s)o.\\[", "(?m)^\\[", "ra*?", "fo+?", r"\.", r"\-", r"\ ", r"[0-9]{2}-[0-9]{2}",
    ],
)  # fmt: skip
def test_it_finds_what_re_finds(pattern):
    assert ours("re.findall(item['p'], item['t'])", p=pattern) == re.findall(pattern, TEXT)
    assert ours("[m.span() for m in re.finditer(item['p'], item['t'])]", p=pattern) == [m.span() for m in re.finditer(pattern, TEXT)]
    assert ours("re.split(item['p'], item['t'])", p=pattern) == re.split(pattern, TEXT)
    assert ours("re.sub(item['p'], '<>', item['t'], 2)", p=pattern) == re.sub(pattern, "<>", TEXT, count=2)
    for how in ("match", "search", "fullmatch"):
        found, theirs = ours(f"re.{how}(item['p'], item['t'])", p=pattern), getattr(re, how)(pattern, TEXT)
        assert (found is None) == (theirs is None)
        assert found is None or found.at(0) == theirs[0]


@pytest.mark.parametrize(
    "text",
    [
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).groups()",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).groupdict()",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).group('d', 2)",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t'])['d']",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).span('d')",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).start() + re.search('(a)|h', item['t']).end(1)",
        "re.search('(?P<d>[0-9]+)-([0-9]+)', item['t']).expand(r'\\2 \\g<d> \\g<0>\\n\\\\')",
        "re.search('(a)|h', item['t']).groups('none')",
        "re.sub('([a-z])(x)?', r'<\\1\\2é>', item['t'])",
        "re.sub('o', 'ö', item['t'], count=1)",
        "re.subn('o', '', item['t'])",
        "re.split('([-,])', item['t'], 1)",
        "re.split('o', item['t'], maxsplit=-1)",
        "re.findall('FOO', item['t'], re.I)",
        "re.findall('^.', item['t'], re.M | re.S)",
        "re.findall(r'\\w+', item['t'], flags=re.ASCII)",
        "re.escape('a.b é-[x]')",
        "[re.compile('o+').findall(item['t']), re.compile('o').sub('0', item['t']), re.compile('O', re.I).split(item['t'], 1)]",
        "bool(re.compile('Z').match(item['t'])) and not re.compile('Z').fullmatch(item['t'])",
        "len(list(re.compile('o').finditer(item['t'])))",
        "re.compile('o').search(item['t']).group()",
        "re.compile(re.compile('o')).subn('0', item['t'], 1)",
        "re.compile('a').flags & 2",
    ],
)
def test_functions_and_methods_do_what_those_of_re_do(text):
    assert ours(text) == eval(text, {"re": re, "item": {"t": TEXT}})


def test_a_function_may_make_the_replacement():
    import operator

    assert Expression("re.sub('o', f('x'), 'foo')", imports={"f": lambda _: lambda match: "0"}).of({}) == "f00"
    assert operator.is_(ours("re.match('x', 'a')"), None)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)", "invalid perl operator: (?="),
        ("(?<!a)", "(?<"),
        (r"(a)\\1", "invalid escape sequence"),
        ("(", "missing ): ("),
        ("a**", "bad repetition operator"),
        ("a++", "bad repetition operator"),
        (r"\\p{L}", "bad escape \\p"),
        (r"\\Q", "bad escape \\Q"),
        (r"[\\W]", "\\W inside [ ]; write what is meant, such as [^\\w]"),
        (r"\\u12", "\\u wants 4 hexadecimal digits"),
        ("((x{0,100}){0,100}){0,100}", "invalid repetition size"),
    ],
)
def test_what_the_engine_has_not_is_refused_before_a_record_is_seen(pattern, message):
    with pytest.raises(ConfigError) as caught:
        Expression(f"re.search('{pattern}', item['t'])")

    assert "not a pattern" in str(caught.value)
    assert message in str(caught.value)


def test_edges_of_words_are_refused_where_the_engine_would_be_wrong():
    text = r"re.findall(r'\bf\w+', item['t'])"
    assert Expression(text).of({"t": "foo afoo fee"}) == ["foo", "fee"]
    with pytest.raises(DataError, match="know ASCII letters only"):
        Expression(text).of({"t": "füü"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("re.match('a', item['n'])", "a pattern looks at texts, not at int"),
        ("re.match(item['n'], 'a')", "a pattern is a text, not int"),
        ("re.match(item['t'], 'a', 64)", "the flags of patterns are"),
        ("re.match('a', 'a').group(5)", "bad group index"),
        ("re.sub('a', item['q'], 'a')", "bad escape \\q"),
        ("re.compile('a').sub('b', 'a', 1, 2)", "takes no flags"),
        ("re.compile('a').sub('b', 'a', flags=2)", "takes no flags"),
        ("re.search('a', item['s'])", "surrogates not allowed"),
    ],
)
def test_what_fails_for_a_record(text, message):
    with pytest.raises(DataError) as caught:
        Expression(text).of({"n": 1, "t": "a", "q": "\\q", "s": "\ud800"})

    assert message in caught.value.message


def test_a_dollar_is_the_end_of_the_text_only():
    assert ours("re.search('a$', 'a')") is not None
    assert ours("re.search('a$', 'a' + chr(10))") is None


@settings(max_examples=100, deadline=None)
@given(pattern=st.text("ab.*+?|()[]^-x ", max_size=8), text=st.text("abx ü\n", max_size=12))
def test_what_both_engines_take_means_the_same(pattern, text):
    """But for one thing: where a match may be empty or not, Python looks a second time at the same place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
        theirs = [match.span() for match in re.compile(pattern).finditer(text)]
        found = Expression("[m.span() for m in re.finditer(item['p'], item['t'])]").of({"p": pattern, "t": text})
    except (re.error, DataError, RecursionError):
        return
    if ("|" in pattern or "?" in pattern) and any(start == end for start, end in theirs):
        return
    assert found == theirs
