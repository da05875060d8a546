"""Documents on a store that fails, and on one that others write to."""

import hashlib

import pytest

from ozzy import StateError, Stored
from ozzy.contracts import documents
from ozzy.contracts.documents import Documents, lines_of

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def one(store):
    return Documents(store, epoch=1)


def test_what_was_put_is_read(one, store):
    one.put("a", {"n": 1})
    one.put("a", {"n": 2})

    found = Documents(store).read("a")
    assert (found.content, found.epoch, found.version) == ({"n": 2}, 1, "2")
    assert one.read("b") is None
    assert one.keys("") == ["a"]
    one.delete("a")
    one.delete("a")
    assert one.read("a") is None


@pytest.mark.parametrize("call", ["read", "write", "list", "delete", "answer"])
@pytest.mark.parametrize("times", [1, 3, 4])
def test_a_store_that_fails_is_asked_again(one, store, call, times):
    calls = {
        "read": lambda: one.read("a"),
        "write": lambda: one.put("a", 2),
        "answer": lambda: one.put("a", 2),
        "list": lambda: one.keys("a"),
        "delete": lambda: one.delete("a"),
    }
    one.put("a", 1)
    store.failing[call] = times
    if times > 3 and call != "answer":
        with pytest.raises(StateError, match=rf"^the shared state can't {call} a: .*the line is cut"):
            calls[call]()
        return
    calls[call]()
    assert store.failing[call] == (times - 1 if call == "answer" else 0)


def test_an_answer_that_was_lost_is_found_by_who_wrote(one, store):
    store.failing["answer"] = 1
    one.put("a", 1)
    one.put("a", 2)

    assert Documents(store).read("a").content == 2


def test_what_became_of_a_write_may_stay_unknown(one, store):
    """The answer is lost, and the store goes on showing what was there before."""
    one.put("a", 1)
    before = store.kept["a"]
    store.failing["answer"] = 1
    store.read_document = lambda _key: before
    with pytest.raises(StateError, match="can't tell whether it has written a"):
        one.put("a", 2)


def test_a_lost_answer_and_somebody_else_since(one, store):
    one.put("a", 1)
    store.failing["answer"] = 2
    store.after["a"] = [lambda: Documents(store, epoch=2).put("a", "theirs")]
    with pytest.raises(StateError, match="another run has taken over this pipeline: it has epoch 2, this one 1"):
        one.put("a", 2)

    assert Documents(store).read("a").content == "theirs"


def test_who_was_overtaken_neither_puts_nor_claims(one, store):
    one.put("a", 1)
    two = Documents(store, epoch=2)
    assert two.claim("a") == 1
    for call in (lambda: one.put("a", 2), lambda: one.claim("a"), lambda: Documents(store, epoch=1).put("a", 2)):
        with pytest.raises(StateError, match="another run has taken over"):
            call()
    assert Documents(store).claim("a") == 1
    assert Documents(store).claim("none") is None


def test_who_is_overtaken_while_claiming_sees_it(one, store):
    one.put("a", 1)
    two = Documents(store, epoch=2)
    write = store.write_document

    def slowly(key, content, expected):
        store.write_document = write
        one.put("a", "just before")
        return write(key, content, expected)

    store.write_document = slowly
    assert two.claim("a") == "just before"


def test_a_document_that_was_taken_away(one, store):
    one.put("a", 1)
    store.delete_document("a")
    with pytest.raises(StateError, match="a was taken away"):
        one.put("a", 2)


def test_a_store_that_never_accepts(one, store):
    store.write_document = lambda *_: None
    for call in (lambda: one.put("a", 1), lambda: one.claim("a")):
        with pytest.raises(StateError, match="changed again and again by others"):
            call()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"sha256":1}', b"\xff"])
def test_a_damaged_document_is_an_error(one, store, content):
    store.kept["a"] = Stored(content, "1")
    with pytest.raises(StateError, match="the document a of the shared state is damaged"):
        one.read("a")


def test_what_has_no_form_in_json_is_refused(one, store):
    with pytest.raises(StateError, match="can't write the document a"):
        one.put("a", object())
    assert store.kept == {}


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n", b"no end", b"x" * 3000])
def test_a_file_is_kept_in_pieces(store, tmp_path, monkeypatch, content):
    monkeypatch.setattr(documents, "PIECE", 1000)
    (tmp_path / "list").write_bytes(content)
    for epoch in (1, 2):
        one = Documents(store, epoch=epoch)
        one.keep_file("list", tmp_path / "list")
        one.keep_file("list", tmp_path / "list")
    sha256 = hashlib.sha256(content).hexdigest()

    Documents(store).fetch_file("list", tmp_path / "new" / "list", sha256)

    assert (tmp_path / "new" / "list").read_bytes() == content
    assert list(lines_of(one.file("list", sha256))) == content.splitlines()


def test_a_file_is_found_among_those_of_several_epochs(store, tmp_path):
    for epoch in (1, 2):
        (tmp_path / "list").write_bytes(b"%d" % epoch)
        Documents(store, epoch=epoch).keep_file("list", tmp_path / "list")

    assert [b"".join(Documents(store).file("list", hashlib.sha256(text).hexdigest())) for text in (b"1", b"2")] == [b"1", b"2"]
    with pytest.raises(StateError, match="the list list is damaged or missing"):
        Documents(store).file("list", "0" * 64)


def test_a_piece_that_is_another_is_an_error(one, store, tmp_path):
    (tmp_path / "list").write_bytes(b"one")
    one.keep_file("list", tmp_path / "list")
    (tmp_path / "list").write_bytes(b"two")
    with pytest.raises(StateError, match="has another list/1/00000000 already"):
        one.keep_file("list", tmp_path / "list")


def test_errors_of_ozzy_are_told_as_they_are(one, store):
    def refuses(_key):
        raise StateError("the store is closed", hint="Open it.")

    store.read_document = refuses
    with pytest.raises(StateError, match=r"^the store is closed\nOpen it\.$"):
        one.read("a")
