"""`mask` hides what values say, and lets nothing pass that it was told to hide."""

import hashlib
import hmac

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.mask import MaskTransform

KEY = "0123456789abcdef é"


def mask(fields, **options):
    return MaskTransform({"options": {"fields": fields, "key": KEY, **options}})


def digest(text):
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_a_digest_is_that_of_the_bytes_of_a_text(made):
    assert made(mask({"a": "digest"}), {"a": "España", "b": "España"}, {"a": ""}) == [
        {"a": digest("España"), "b": "España"},
        {"a": digest("")},
    ]


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (2**70, str(2**70)), (1.0, "1.0"), (True, "true"), ("5", "5")])
def test_other_values_are_digested_as_json(made, value, text):
    assert made(mask({"a": "digest"}), {"a": value}) == [{"a": digest(text)}]


def test_another_key_gives_another_digest(made):
    assert made(mask({"a": "digest"}, key="x" * 16), {"a": "b"}) != made(mask({"a": "digest"}), {"a": "b"})


def test_the_key_may_come_from_the_environment(made, monkeypatch):
    monkeypatch.setenv("OZZY_MASK_KEY", KEY)

    assert made(MaskTransform({"options": {"fields": {"a": "digest"}}}), {"a": "b"}) == [{"a": digest("b")}]


def test_redacting_takes_everything_but_null(made):
    records = [{"a": value} for value in ("x", 1, False, [1, [2]], {"b": 1}, "", [], None)]

    assert made(mask({"a": "redact"}), *records, {}) == [{"a": "***"}] * 7 + [{"a": None}, {}]
    assert made(mask({"a": "redact"}, replacement=""), {"a": "x"}) == [{"a": ""}]


def test_truncating(made):
    assert made(mask({"a": "truncate"}), {"a": "España"}, {"a": "日本"}, {"a": 123456}, {"a": True}, {"a": None}) == [
        {"a": "Espa"},
        {"a": "日本"},
        {"a": "1234"},
        {"a": "true"},
        {"a": None},
    ]
    assert made(mask({"a": "truncate"}, length=0), {"a": "x"}) == [{"a": ""}]


@pytest.mark.parametrize("how", ["digest", "truncate"])
def test_lists_are_masked_element_by_element(made, how):
    (record,) = made(
        mask({"a": how, "b.c": how}), {"a": ["xxxxxxxx", ["yyyyyyyy"], None], "b": [{"c": "zzzzzzzz"}, {"d": 1}, [{"c": 5}], None]}
    )
    texts = digest if how == "digest" else (lambda text: text[:4])

    assert record == {
        "a": [texts("xxxxxxxx"), [texts("yyyyyyyy")], None],
        "b": [{"c": texts("zzzzzzzz")}, {"d": 1}, [{"c": texts("5")}], None],
    }


@pytest.mark.parametrize("how", ["digest", "truncate"])
@pytest.mark.parametrize("value", [{"secret": "x"}, [{"secret": "x"}], {}])
def test_an_object_is_not_masked_as_a_whole(how, value):
    with pytest.raises(DataError, match=f"a is an object, and can't be masked by {how}") as raised:
        mask({"a": how}).transform_batch(Batch.from_records([{"a": "y"}, {"a": value}]))

    assert raised.value.row == 1


@pytest.mark.parametrize("value", ["some text with a b", 5, True, ["text"], [[{"b": 1}, 2.5]]])
def test_nothing_passes_where_the_way_to_a_field_is_blocked(value):
    for how in ("digest", "redact", "truncate"):
        for batch in (Batch.from_records([{"a": value}]), Batch.from_lines(Batch.from_records([{"a": value}]).lines)):
            with pytest.raises(DataError, match="'b' can't be masked: what should hold it is ") as raised:
                mask({"a.b": how}).transform_batch(batch)
            assert "some text" not in str(raised.value)


def test_null_and_missing_on_the_way_are_nothing_to_mask(made):
    assert made(mask({"a.b": "digest"}), {"a": None}, {}, {"a": {}}, {"a": [None]}, {"a": []}) == [
        {"a": None},
        {},
        {"a": {}},
        {"a": [None]},
        {"a": []},
    ]


def test_other_values_keep_their_bytes(new_lines):
    line = '{"a":"x", "b" : 1.50 ,"c":{"d": 1E5 , "e":"\\u0061"}}'

    assert new_lines(mask({"a": "redact", "c.e": "redact"}), line) == ['{"a":"***","b":1.50,"c":{"d":1E5,"e":"***"}}']
    assert new_lines(mask({"x": "redact"}), line) == [line]


def test_separators(made):
    assert made(mask({"a.b": "redact"}, nested_field_separator=""), {"a.b": 1, "a": {"b": 2}}) == [{"a.b": "***", "a": {"b": 2}}]


def test_what_it_says_of_itself():
    transform = mask({"a.b": "digest", "c": "redact"})

    assert (transform.reads, transform.writes, transform.face) == (("a", "c"), ("a", "c"), "fields a, c")
    assert KEY not in repr(transform.options)


def test_mistakes():
    with pytest.raises(ConfigError, match="a digest needs a key") as raised:
        MaskTransform({"options": {"fields": {"a": "digest", "a.b": "redact"}}})
    assert [problem.path for problem in raised.value.problems] == ["transform.options.fields.a.b", "transform.options.fields.a"]
    with pytest.raises(ConfigError) as raised:
        mask({"a": "digest"}, key="too short", length=-1)
    assert "too short" not in str(raised.value)
    assert {problem.path for problem in raised.value.problems} == {"transform.options.key", "transform.options.length"}
    with pytest.raises(ConfigError):
        mask({"a": "hide"})
