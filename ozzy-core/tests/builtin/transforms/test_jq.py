"""`jq` makes records by a program; numbers survive as they are written, or the record is refused."""

import sys
from datetime import UTC, datetime

import pytest

from ozzy import Batch, ConfigError, DataError, Metadata, PluginError
from ozzy.builtin.transforms import jq as jq_module
from ozzy.builtin.transforms.jq import JQTransform


def jq(program):
    return JQTransform({"options": {"jq_filter": program}})


def refused(program, *records):
    """What is said of the first record that is refused, and its row."""
    with pytest.raises(DataError) as raised:
        jq(program).transform_batch(Batch.from_records(list(records)))
    return raised.value.row, raised.value.message


@pytest.mark.parametrize(
    ("program", "record", "expected"),
    [
        (".", {"a": 1, "é": ["日", None, True, {}]}, [{"a": 1, "é": ["日", None, True, {}]}]),
        ("{b, a}", {"a": 1, "b": 2, "c": 3}, [{"b": 2, "a": 1}]),
        ("select(.a > 1)", {"a": 1}, []),
        ("select(.a > 1)", {"a": 2}, [{"a": 2}]),
        ("empty", {}, []),
        (".l[]", {"l": [{"a": 1}, {"a": 2}]}, [{"a": 1}]),
        ("def f: {x: .a}; f # a comment", {"a": 1}, [{"x": 1}]),
        (".a += 1", {"a": 1.5}, [{"a": 2.5}]),
        ("{n: nan}", {}, [{"n": None}]),
        ("label $out | {a: 1}, break $out", {}, [{"a": 1}]),
        ("inputs", {}, []),
        (".text", {"text": ' {"a" : 1.0, "b":"\\u0061"} '}, [{"a": 1.0, "b": "a"}]),
        ("tojson", {"a": 9007199254740993}, [{"a": 9007199254740993}]),
        (".", {"a": '\0\x7f\u2028\ufeff😀"\\/'}, [{"a": '\0\x7f\u2028\ufeff😀"\\/'}]),
    ],
)
def test_programs(made, program, record, expected):
    assert repr(made(jq(program), record)) == repr(expected)


def test_only_the_first_output_counts(made):
    assert made(jq("{a}, error"), {"a": 1}) == [{"a": 1}]


def test_records_that_are_dropped_leave_the_others_with_their_origin():
    batch = jq("select(.a % 2 == 0)").transform_batch(
        Batch.from_records([{"a": number} for number in range(5)], split="s", position=7, origin=range(10, 15))
    )

    assert (list(batch.records), batch.origin, batch.split, batch.position) == ([{"a": 0}, {"a": 2}, {"a": 4}], [10, 12, 14], "s", 7)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (".a", "the jq program gives 1, which is no object"),
        ("[.]", 'the jq program gives [{"a":1}], which is no object'),
        ("null", "the jq program gives null, which is no object"),
        ('"a: 1"', 'the jq program gives "a: 1", which is no object'),
        ('"[1]"', 'the jq program gives "[1]", which is no object'),
        (f'"{"x" * 70}"', f'the jq program gives "{"x" * 59}…, which is no object'),
        ('"{"', "JSON is malformed: it ends too early, or holds half of a surrogate pair"),
        ("error", 'the jq program says: {"a":1}'),
        ('error("no \\(.a)")', "the jq program says: no 1"),
        ("error(null)", "the jq program says: null"),
        ("halt", "the jq program has halted"),
        ('"x" | halt_error', "the jq program has halted"),
        ("input", "the jq program says: break"),
    ],
)
def test_what_makes_a_record_bad(program, message):
    assert refused(program, {"a": 1}) == (0, message)


def test_what_jq_says_of_an_error_is_told():
    assert refused(".a.b", {"a": 1})[1].startswith("the jq program says: Cannot index number")


def test_the_row_of_a_bad_record_is_told():
    assert refused("{a: (.a + 1)}", {"a": 1}, {"a": "x"})[0] == 1


BIG = [
    "9007199254740993",
    "-9007199254740993",
    "123456789012345678901234567890",
    "9" * 400,
    "1.50",
    "1.0",
    "-0",
    "0.1234567890123456789012345",
]


@pytest.mark.parametrize("number", BIG)
@pytest.mark.parametrize(
    "program", [".", "{a}", "{a: [.a]} | {a: .a[0]}", "select(.a)", "{b: 1} + .", ". + {b: (.b + 1)}", "to_entries | from_entries"]
)
def test_numbers_that_are_handed_on_stay_as_they_are_written(new_lines, program, number):
    (line,) = new_lines(jq(program), f'{{"a":{number},"b":1}}')

    assert f'"a":{number}' in line


BEYOND = "jq calculates with floats, which do not hold every integer from 2^53 on, and 9007199254740993 is one"


@pytest.mark.parametrize(
    "program",
    [
        "{a: (.a + 1)}",
        "{a: (1 + .a)}",
        "{a: (.a - 5)}",
        "{a: (.a * 1)}",
        "{a: (.a / 2)}",
        "{a: (.a % 10)}",
        ".a += 1",
        ".a |= . + 1",
        "{a: ([.a, 1] | add)}",
        "{a: add(.a, 1)}",
        "def f: . - 1; {a: (.a | f)}",
        '{a: "\\(.a + 1)"}',
        "{a: reduce (1, 2) as $x (.a; . + $x)}",
    ],
)
def test_integers_that_arithmetic_would_round_are_refused(program):
    assert refused(program, {"a": 1}, {"a": 9007199254740993}) == (1, f"the jq program says: {BEYOND}")


def test_integers_beyond_what_floats_hold_are_refused_where_they_come_out():
    assert refused("{a: (.a * .a)}", {"a": 94906267})[1].startswith("jq has calculated 9007199515875288: its numbers are floats")
    assert refused("{a: (.a | floor)}", {"a": 9007199254740993})[1].startswith("jq has calculated 9007199254740992")
    assert refused("{a: [{b: (.a | -(. * .))}]}", {"a": 94906267})[1].startswith("jq has calculated -9007199515875288")


def test_the_first_integer_that_floats_do_not_tell_from_the_next_is_refused():
    assert "9007199254740992 is one" in refused("{a: (.a + 1)}", {"a": 2**53})[1]
    assert "9007199254740992" in refused("{a: (.a + 1)}", {"a": 2**53 - 1})[1]


@pytest.mark.parametrize("program", ["{a: (.a + 1)}", "{a: infinite}", "{a: (.b * .b)}", "{a: [-(.b * .b)]}"])
def test_numbers_beyond_floats_are_refused_where_they_come_out(program):
    with pytest.raises(DataError, match="jq has calculated a number beyond what floats hold"):
        jq(program).transform_batch(Batch.from_lines([b'{"a":1e999,"b":1e300}']))


def test_the_largest_float_is_handed_on(new_lines):
    assert new_lines(jq("{a}"), '{"a":1.7976931348623157e+308}') == ['{"a":1.7976931348623157E+308}']


def test_integers_below_are_exact(made):
    assert made(jq("{a: (.a + 1)}"), {"a": 2**53 - 2}, {"a": -(2**53) + 1}) == [{"a": 2**53 - 1}, {"a": -(2**53) + 2}]


def test_large_integers_of_the_program_itself_are_exact(made):
    assert made(jq("{a: 9007199254740993}"), {}) == [{"a": 9007199254740993}]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("{a: (.a == 9007199254740992)}", False),
        ("{a: (.a > 9007199254740992)}", True),
        ("{a: (.a | tostring)}", "9007199254740993"),
        ("{a: ([(1, 2) + (10, 20)])}", [11, 12, 21, 22]),
        ("{a: ({x: 1} + {y: 2})}", {"x": 1, "y": 2}),
        ('{a: ("x" + "y")}', "xy"),
        ("{a: (7 % 4)}", 3),
        ("{a: (6 / 4)}", 1.5),
        ("{a: ([[1], [2]] | add)}", [1, 2]),
        ("{a: ([] | add)}", None),
        ("{a: ([3, 1] - [1])}", [3]),
        ("{a: (2 * 3)}", 6),
    ],
)
def test_beside_large_integers_programs_do_what_they_always_do(made, program, expected):
    assert made(jq(program), {"a": 9007199254740993}) == [{"a": expected}]
    assert program.startswith("{a: (.a") or made(jq(program), {"a": 1}) == [{"a": expected}]


def test_numbers_out_of_range_pass_until_they_are_decoded(new_lines):
    (line,) = new_lines(jq("{a}"), '{"a":1e999}')

    with pytest.raises(DataError, match="out of range"):
        _ = Batch.from_lines([line.encode()]).records


def test_dates_are_texts():
    batch = jq("{a: .when, b: .when[:4]}").transform_batch(Batch.from_records([{"when": datetime(2026, 1, 2, tzinfo=UTC)}]))

    assert list(batch.records) == [{"a": "2026-01-02T00:00:00Z", "b": "2026"}]


def test_deep_records(made):
    record = {}
    for _ in range(255):
        record = {"a": record}

    assert made(jq("."), record) == [record]
    assert "" in refused("{a: .}", record)[1]
    assert refused("{a: .}", record)[0] == 0


@pytest.mark.parametrize("program", [".[", "nonsense", ".), (.", "$x", 'import "a" as a; .', "def f: 1;"])
def test_a_program_that_does_not_compile_is_a_mistake_of_the_config(program):
    with pytest.raises(ConfigError, match="not a jq program: ") as raised:
        jq(program)

    assert [problem.path for problem in raised.value.problems] == ["transform.options.jq_filter"]


@pytest.mark.parametrize(
    "program",
    [
        "{a: env.HOME}",
        "{a: $ENV.HOME}",
        "{$ENV}",
        "{a: [$ENV[]]}",
        '{a: "\\($ENV.HOME)"}',
        '{a: "\\("\\(env)")"}',
        "def f: env; {a: f}",
        "def f(g): {a: g}; f(env)",
        "{a: (try env catch 1)}",
        "{a: env?}",
        "if .a then . else env end",
        "{a: input_filename}",
        "{a: get_search_list}",
        '{a: ("x" | modulemeta)}',
        "env as {HOME: $h} | {$h}",
        '{a: @json "\\(env)"}',
    ],
)
def test_a_program_that_looks_at_the_environment_needs_to_be_allowed(monkeypatch, program):
    monkeypatch.setenv("HOME", "/secret")
    with pytest.raises(ConfigError, match="looks at the environment of the process, which needs to be allowed") as raised:
        jq(program)

    assert "--allow-code" in str(raised.value.hint)
    JQTransform({"options": {"jq_filter": program}}, Metadata(allow_code=True))


@pytest.mark.parametrize("program", ["{a: env.HOME}", "{a: $ENV.HOME}"])
def test_a_program_that_is_allowed_to_reads_it(monkeypatch, made, program):
    monkeypatch.setenv("HOME", "/home/of/ana")

    transform = JQTransform({"options": {"jq_filter": program}}, Metadata(allow_code=True))
    assert list(transform.transform_batch(Batch.from_records([{}])).records) == [{"a": "/home/of/ana"}]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("{a: .env, env, b: .b.env}", {"a": 1, "env": 1, "b": None}),
        ("def env: 3; {a: env}", {"a": 3}),
        ("def unused: env; {a: 1}", {"a": 1}),
        ('{a: "env input_filename"} # env', {"a": "env input_filename"}),
        (". as {env: $env} | {$env}", {"env": 1}),
        ("{environment: .ENV}", {"environment": None}),
    ],
)
def test_fields_and_functions_of_that_name_are_no_matter(made, program, expected):
    assert made(jq(program), {"env": 1}) == [expected]


def test_now_is_the_start_of_the_run():
    start = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    transform = JQTransform({"options": {"jq_filter": "{a: now, b: (now | todate)}"}}, Metadata(start_time=start))

    for record in ({}, {"large": 2**60}):
        assert list(transform.transform_batch(Batch.from_records([record])).records) == [
            {"a": start.timestamp(), "b": "2026-01-02T03:04:05Z"}
        ]


def test_without_the_library_it_says_what_to_install(monkeypatch):
    jq_module._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "jq", None)
    with pytest.raises(PluginError) as raised:
        jq(".")

    assert raised.value.hint == "pip install 'ozzy-core[jq]'"


def test_what_it_says_of_itself():
    transform = jq(".")

    assert (transform.reads, transform.writes, transform.face) == (None, None, "lines")
    assert (transform.one_to_one, transform.at_most_one) == (False, True)
