"""What arrives at a web address, and what happens when it does not."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Response

import ozzy
from ozzy import ConfigError, DestinationError, Metadata, RunOutcome
from ozzy.builtin.notifications.webhook import WebhookNotifier, signed

QUICK = {"tries": 3, "seconds": 5}


def notifier(*endpoints, **more):
    options = {"endpoints": list(endpoints), "retry": QUICK, **more}
    metadata = Metadata(run_id="20240501-1", configuration={"name": "orders"})
    return WebhookNotifier({"name": "webhook", "options": options}, metadata)


@pytest.fixture(autouse=True)
def no_waiting(mocker):
    return mocker.patch("tenacity.nap.time.sleep")


@pytest.fixture
def server():
    with HTTPServer(host="127.0.0.1") as running:
        yield running


def answers(server, *responses):
    """Let the server give each of these in turn, the last one for ever."""
    left = list(responses)
    server.expect_request("/hook", method="POST").respond_with_handler(lambda request: left.pop(0) if len(left) > 1 else left[0])


def received(server):
    return [request for request, _ in server.log]


def test_the_start_of_a_run_is_told(server):
    answers(server, Response("ok"))
    notifier(server.url_for("/hook")).notify_start_dump([0, 1])

    (request,) = received(server)
    body = request.get_json()
    assert request.headers["Content-type"] == "application/json"
    assert body.pop("start_time")
    assert body == {"job_status": "STARTED", "run_id": "20240501-1"}


def test_each_message_of_a_run_names_the_pipeline(server, tmp_path):
    answers(server, Response("ok"), Response("ok"))
    ozzy.run(
        {
            "name": "orders",
            "reader": {"name": "random", "options": {"number_of_items": 1}},
            "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "x")}},
            "notifications": [{"name": "webhook", "options": {"endpoints": [server.url_for("/hook")]}}],
        },
        state_dir=tmp_path / "state",
    )

    told = [request.get_json() for request in received(server)]
    assert [(one["job_status"], one["pipeline"]) for one in told] == [("STARTED", "orders"), ("COMPLETED", "orders")]


def test_success_tells_counts_and_files(server):
    answers(server, Response("ok"))
    told = notifier(server.url_for("/hook"))
    files = tuple({"path": f"out/{i}.jl", "rows": 1, "size": 10} for i in range(250))
    told.metadata.outcome = RunOutcome("orders", "finished", 300, 250, 50, 1.23456, files, ("it took long",))
    told.notify_complete_dump()

    body = received(server)[0].get_json()
    assert body.pop("start_time")
    assert body.pop("files") == list(files[:100])
    assert body == {
        "job_status": "COMPLETED",
        "run_id": "20240501-1",
        "pipeline": "orders",
        "records_read": 300,
        "records_written": 250,
        "bad_records": 50,
        "seconds": 1.235,
        "files_count": 250,
        "reasons": ["it took long"],
    }


def test_failure_tells_why(server):
    answers(server, Response("ok"))
    notifier(server.url_for("/hook")).notify_failed_job("the well is dry: ñ \ud800", "Traceback …", [1])

    body = received(server)[0].get_json()
    assert body["job_status"] == "FAILED"
    assert body["msg"] == "the well is dry: ñ ?"
    assert body["stack_trace"] == "Traceback …"


def test_a_message_is_signed_as_standard_webhooks_are(server):
    answers(server, Response("ok"))
    key = b"a key of thirty-two bytes or so!"
    notifier(server.url_for("/hook"), secret="whsec_" + base64.b64encode(key).decode()).notify_start_dump()

    (request,) = received(server)
    message_id, seconds = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    given = f"{message_id}.{seconds}.".encode() + request.data
    expected = base64.b64encode(hmac.new(key, given, hashlib.sha256).digest()).decode()
    assert message_id == "20240501-1-started-0"
    assert request.headers["webhook-signature"] == f"v1,{expected}"


def test_a_signature_is_the_one_of_the_specification():
    """The example of the Standard Webhooks libraries' own tests: id, time, body and key are theirs."""
    headers = signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_plain_text_may_sign_too(server):
    answers(server, Response("ok"))
    notifier(server.url_for("/hook"), secret="plain text").notify_start_dump()

    assert received(server)[0].headers["webhook-signature"].startswith("v1,")


def test_further_headers_are_sent(server):
    answers(server, Response("ok"))
    notifier(server.url_for("/hook"), headers={"Authorization": "Bearer abcdef"}).notify_start_dump()

    assert received(server)[0].headers["Authorization"] == "Bearer abcdef"


@pytest.mark.parametrize("code", [429, 500, 503])
def test_an_address_that_is_busy_is_tried_again(server, no_waiting, code):
    answers(server, Response(status=code, headers={"Retry-After": "2"}), Response(status=code), Response("ok"))
    notifier(server.url_for("/hook")).notify_start_dump()

    assert len(received(server)) == 3
    assert no_waiting.call_args_list[0].args == (2.0,)
    assert len({request.headers.get("webhook-id") for request in received(server)}) == 1


def test_one_that_stays_busy_is_given_up(server):
    answers(server, Response(status=500))
    with pytest.raises(DestinationError) as caught:
        notifier(server.url_for("/hook?token=s3same")).notify_start_dump()

    assert len(received(server)) == 3
    assert caught.value.message == (
        f"1 of 1 endpoints took no message: http://127.0.0.1:{server.port}: it answered 500 INTERNAL SERVER ERROR (tried 3 times)"
    )


def test_one_that_asks_for_a_long_wait_is_not_asked_again(server):
    answers(server, Response(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(DestinationError, match="429"):
        notifier(server.url_for("/hook")).notify_start_dump()

    assert len(received(server)) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 410])
def test_one_that_refuses_or_sends_elsewhere_is_not_asked_again(server, code):
    answers(server, Response(status=code, headers={"Location": "/elsewhere"}))
    with pytest.raises(DestinationError, match=f"it answered {code}"):
        notifier(server.url_for("/hook")).notify_start_dump()

    assert [request.path for request in received(server)] == ["/hook"]


def test_the_others_are_told_when_one_fails(server):
    answers(server, Response("ok"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DestinationError) as caught:
        notifier(f"http://127.0.0.1:{port}/secret-path", server.url_for("/hook")).notify_start_dump()

    assert len(received(server)) == 1
    assert caught.value.message.startswith(f"1 of 2 endpoints took no message: http://127.0.0.1:{port}: ConnectionRefusedError")
    assert "secret-path" not in caught.value.message


def test_an_address_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DestinationError, match="tried 3 times"):
            notifier(f"http://127.0.0.1:{port}/", timeout=0.1).notify_start_dump()


def test_an_address_that_hangs_up_in_the_middle_is_tried_again():
    calls = []

    def hang_up(listening):
        for _ in range(3):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                calls.append(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=hang_up, args=(listening,))
        thread.start()
        with pytest.raises(DestinationError, match="tried 3 times"):
            notifier(f"http://127.0.0.1:{listening.getsockname()[1]}/").notify_start_dump()
        thread.join(10)

    assert len(calls) == 3


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def secured(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as running:
        answers(running, Response("ok"))
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(secured):
    with pytest.raises(DestinationError, match="CERTIFICATE_VERIFY_FAILED"):
        notifier(secured.url_for("/hook")).notify_start_dump()

    assert received(secured) == []


def test_a_certificate_that_is_vouched_for_is_accepted(secured, authority, tmp_path, monkeypatch):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    notifier(secured.url_for("/hook")).notify_start_dump()

    assert len(received(secured)) == 1


def test_any_certificate_is_accepted_where_that_is_asked_for(secured):
    notifier(secured.url_for("/hook"), verify_tls=False).notify_start_dump()

    assert len(received(secured)) == 1


def test_without_endpoints_nothing_is_sent():
    notifier().notify_start_dump()
    notifier().notify_complete_dump()
    notifier().notify_failed_job("it failed", "trace")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"endpoints": ["ftp://example.com/tokentoken"]}, "expected an http or https address"),
        ({"endpoints": ["file:///etc/passwd"]}, "expected an http or https address"),
        ({"endpoints": ["http://[::1/tokentoken"]}, "expected an http or https address"),
        ({"endpoints": ["http://a b/tokentoken"]}, "expected an http or https address"),
        ({"endpoints": ["tokentoken"]}, "expected an http or https address"),
        ({"headers": {"A\r\nB": "tokentoken"}}, "can't stand in a request"),
        ({"headers": {"A": "tokentoken\r\nB: c"}}, "can't stand in a request"),
        ({"secret": "whsec_tokentoken!"}, "what follows whsec_ is not base64"),
    ],
)
def test_wrong_options_are_told_without_their_value(options, told):
    with pytest.raises(ConfigError) as caught:
        notifier(**{"endpoints": [], **options})

    assert told in str(caught.value)
    assert "tokentoken" not in str(caught.value)


def test_the_body_is_json(server):
    answers(server, Response("ok"))
    notifier(server.url_for("/hook")).notify_failed_job('"quoted"\n\x00', "trace")

    assert json.loads(received(server)[0].data)["msg"] == '"quoted"\n\x00'
