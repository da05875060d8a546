"""State in a bucket as users meet it: URIs, options, servers that do not do what is needed, and answers that are lost."""

import time

import pytest

import ozzy
from ozzy import ConfigError, Registry, StateError
from ozzy_s3.persistence import S3Persistence
from tests.servers.process import free_port
from tests.servers.relay import s3_error


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    """Waits between tries are short."""
    monkeypatch.setattr(ozzy.Retries, "wait", lambda self, failed: 0.01)


@pytest.fixture
def make(s3, bucket):
    made = []

    def persistence(**more):
        given = s3.options(bucket) | {"retry": {"tries": 4}, "timeout": 30} | more
        made.append(S3Persistence({"name": "s3", "options": {name: value for name, value in given.items() if value is not None}}))
        return made[-1]

    yield persistence
    for one in made:
        one.close()


def test_it_is_found_by_its_short_name():
    assert Registry.load().resolve("persistence", "s3").cls is S3Persistence


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        ("s3://state:r-1", {"bucket": "state"}),
        ("s3://state/a/b:r-1", {"bucket": "state", "prefix": "a/b"}),
        ("s3://state/a%20b%3Ac:r-1", {"bucket": "state", "prefix": "a b:c"}),
        (
            "s3://state/a:r-1?endpoint=http://127.0.0.1:9000&region=eu-1&profile=x%26y",
            {"bucket": "state", "prefix": "a", "endpoint": "http://127.0.0.1:9000", "region": "eu-1", "profile": "x&y"},
        ),
    ],
)
def test_uris(uri, options):
    assert S3Persistence.options_from_uri(uri) == (options, "r-1")


@pytest.mark.parametrize("uri", ["s3://state", "s3://state/a", "s3://state/a:r-1?aws_secret_access_key=secretword", "gs://state/a:r-1"])
def test_other_uris_are_an_error(uri):
    with pytest.raises(StateError) as caught:
        S3Persistence.options_from_uri(uri)
    assert "secretword" not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [{}, {"prefix": "a b:c//d?#/"}, {"region": "eu-1", "profile": "x&y", "addressing": "path"}, {"role": "arn:aws:iam::1:role/x"}],
)
def test_a_uri_leads_back_to_where_it_came_from(make, more):
    persistence = make(**more)
    options, run = S3Persistence.options_from_uri(persistence.uri("20240501-1"))

    assert run == "20240501-1"
    assert options.pop("prefix", "") == persistence.options.prefix.strip("/").replace("//", "/")
    assert options == {name: getattr(persistence.options, name) for name in options}
    assert set(options) == {"bucket", "endpoint", *more} - {"prefix"}


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"bucket": "s3://"}, "bucket"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"kms_key": "x"}, "kms_key"),
        ({"lease_seconds": 0}, "lease_seconds"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, options, where):
    with pytest.raises(ConfigError, match=where):
        make(**options)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"aws_secret_access_key": "wrong-secret"}, "the secret key is wrong"),
        ({"aws_access_key_id": "nobody"}, "the access key is not known there"),
        ({"bucket": "no-such-bucket"}, "the bucket no-such-bucket does not exist"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None}, "there are no credentials"),
        ({"endpoint": f"http://127.0.0.1:{free_port()}"}, "nobody answers"),
    ],
)
def test_what_is_refused_says_why(make, more, words):
    for call in (
        lambda one: one.read_document("a/b"),
        lambda one: one.write_document("a/b", b"x", None),
        lambda one: list(one.list_documents("a")),
    ):
        with pytest.raises(StateError, match=words) as caught:
            call(make(**more))
        assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_server_that_does_not_honour_conditions_is_refused(make, relayed, ignored):
    """Two runs at once would both write: that is told at the first write, before anything rests on it."""

    def answer(method, path, number):
        writes = sum(1 for one, _ in relayed.seen if one == "PUT")
        if method == "PUT" and writes == (2 if ignored == "If-None-Match" else 3):
            return 200, {"ETag": '"x"'}, b""
        return None

    relayed.refuse = answer
    with pytest.raises(StateError, match=f"does not honour {ignored}: it can't keep the state of several machines"):
        make(endpoint=relayed.endpoint).write_document("a/b", b"x", None)


def test_the_server_is_tested_once(make, relayed):
    persistence = make(endpoint=relayed.endpoint)
    version = persistence.write_document("a/b", b"x", None)
    persistence.write_document("a/b", b"y", version)
    assert [method for method, _ in relayed.seen] == ["PUT"] * 4


@pytest.mark.parametrize("replaced", [False, True])
def test_a_write_whose_answer_is_lost_is_recognised(make, relayed, replaced):
    """Tried again it is refused, since it has been done, and is known by the text that no other write has."""
    persistence = make(endpoint=relayed.endpoint)
    version = persistence.write_document("a/b", b"0", None)
    lost = []

    def lose(method, path):
        if method == "PUT" and not lost:
            lost.append(path)
            if replaced:
                other = make()
                other.write_document("a/b", b"another's", other.read_document("a/b").version)
            raise ConnectionResetError

    relayed.before_answer = lose
    written = persistence.write_document("a/b", b"1", version)

    assert lost
    assert (written is None) is replaced
    assert make().read_document("a/b").content == (b"another's" if replaced else b"1")


def test_throttling_is_waited_for(make, relayed):
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown") if number % 2 else None
    persistence = make(endpoint=relayed.endpoint)
    version = persistence.write_document("a/b", b"x", None)
    assert persistence.read_document("a/b") == ozzy.Stored(b"x", version)
    assert list(persistence.list_documents("a/")) == ["a/b"]


def test_a_document_that_breaks_off_is_read_again(make, proxy):
    persistence = make(endpoint=proxy.endpoint)
    content = b"x" * 2_000_000
    persistence.write_document("a/b", content, None)
    proxy.cut(500_000)
    with pytest.raises(StateError, match="the connection broke"):
        persistence.read_document("a/b")
    proxy.heal()
    assert persistence.read_document("a/b").content == content


def test_a_server_that_says_nothing_is_given_up(make, proxy):
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(StateError, match=r"reading s3://.*/a/b failed: there was no answer for 0.3 s"):
        make(endpoint=proxy.endpoint, timeout=0.3, retry={"tries": 2}).read_document("a/b")
    assert time.monotonic() - began < 10


def test_state_may_be_encrypted(s3_moto):
    client = s3_moto.client()
    client.create_bucket(Bucket="encrypted-state")
    options = s3_moto.options("encrypted-state") | {"encryption": "aws:kms", "kms_key": "alias/aws/s3", "prefix": "/state/"}
    persistence = S3Persistence({"options": options})
    persistence.write_document("a/b", b"x", None)
    head = client.head_object(Bucket="encrypted-state", Key="state/a/b")
    assert (head["ServerSideEncryption"], persistence.address()) == ("aws:kms", "s3://encrypted-state/state")
    persistence.close()


def test_state_tells_no_secret_and_a_run_is_found_by_its_uri(s3, bucket, tmp_path):
    """The secret key is in the config, and neither in an object of the state nor in what is said of it."""
    secret = s3.options(bucket)["aws_secret_access_key"]
    config = {
        "name": "told",
        "reader": {"name": "random", "options": {"number_of_items": 20, "seed": 1}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/part")}},
        "persistence": {"name": "s3", "options": s3.options(bucket) | {"prefix": "state"}},
    }
    result = ozzy.run(config, state_dir=tmp_path / "state")

    client = s3.client()
    found = [one["Key"] for one in client.list_objects_v2(Bucket=bucket, Prefix="state/")["Contents"] if not one["Key"].endswith("/")]
    objects = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in found}
    assert {key.rpartition("/")[2] for key in found} >= {"lease", "run", "checkpoint"}
    assert not [key for key, content in objects.items() if secret.encode() in content]
    assert secret not in str(ozzy.explain(config, state_dir=tmp_path / "state"))
    persistence = S3Persistence(config["persistence"])
    assert [facts["run"] for facts in persistence.history("told")] == [result.run_id]
    assert secret not in persistence.uri(result.run_id)
    persistence.close()
