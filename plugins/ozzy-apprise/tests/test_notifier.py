"""What arrives at a service, and what happens when it does not."""

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ozzy import ConfigError, DestinationError, Metadata, Registry, RunOutcome
from ozzy.contracts.report import CLIENTS, TEAM
from ozzy_apprise.notifier import AppriseNotifier


@pytest.fixture(autouse=True)
def no_waiting(mocker):
    mocker.patch("tenacity.nap.time.sleep")


@pytest.fixture
def server():
    with HTTPServer(host="127.0.0.1") as running:
        yield running


def answers(server, path, *responses):
    left = list(responses)
    server.expect_request(path).respond_with_handler(lambda request: left.pop(0) if len(left) > 1 else left[0])


def notifier(server, *paths, **more):
    options = {"urls": [f"json://127.0.0.1:{server.port}{path}" for path in paths], "retry": {"tries": 3, "seconds": 5}, **more}
    configuration = {"name": "orders", "writer": {"name": "fs", "options": {"filebase": "out/orders"}}, "secret": "t0psecret"}
    return AppriseNotifier({"name": "apprise", "options": options}, Metadata(run_id="20240501-1", configuration=configuration))


def received(server):
    return [(request.path, request.get_json()["title"], request.get_json()["message"]) for request, _ in server.log]


def test_it_is_found_by_its_short_name():
    assert Registry.load().resolve("notifications", "apprise").cls is AppriseNotifier


def test_a_run_is_told_in_words(server):
    answers(server, "/team", Response("ok"))
    told = notifier(server, "/team")
    told.notify_start_dump([CLIENTS, TEAM])
    told.metadata.outcome = RunOutcome("orders", "finished", 10, 8, 2)
    told.notify_complete_dump([CLIENTS, TEAM])

    assert received(server) == [
        (
            "/team",
            "Export of orders (run 20240501-1) started",
            "The export of orders (run 20240501-1) has started.\n\nWriter: fs\n  filebase: out/orders",
        ),
        (
            "/team",
            "Export of orders (run 20240501-1) complete",
            (
                "The export of orders (run 20240501-1) is complete.\n\nRecords written: 8\nFiles: 0\nBad records refused: 2\n\n"
                "Writer: fs\n  filebase: out/orders"
            ),
        ),
    ]


def test_a_failure_goes_to_the_team_without_trace_and_config(server):
    answers(server, "/team", Response("ok"))
    answers(server, "/client", Response("ok"))
    told = notifier(server, "/team", client_urls=[f"json://127.0.0.1:{server.port}/client"])
    told.notify_failed_job("the well is dry: ñ", "Traceback …", [TEAM])

    ((path, title, text),) = received(server)
    assert (path, title) == ("/team", "Export of orders (run 20240501-1) failed")
    assert text == "The export of orders (run 20240501-1) has failed.\n\nReason: the well is dry: ñ"


def test_clients_hear_of_starts(server):
    answers(server, "/team", Response("ok"))
    answers(server, "/client", Response("ok"))
    notifier(server, "/team", client_urls=[f"json://127.0.0.1:{server.port}/client"]).notify_start_dump([CLIENTS, TEAM])

    assert [path for path, _, _ in received(server)] == ["/client", "/team"]


@pytest.mark.parametrize("receivers", [None, [], ["somebody@example.com"], [CLIENTS]])
def test_nobody_is_told_where_nobody_is_meant(server, receivers):
    notifier(server, "/team").notify_start_dump(receivers)

    assert received(server) == []


def test_an_address_is_tried_again_and_the_others_hear_once(server):
    answers(server, "/busy", Response(status=500), Response("ok"))
    answers(server, "/calm", Response("ok"))
    notifier(server, "/calm", "/busy").notify_start_dump([TEAM])

    assert [path for path, _, _ in received(server)] == ["/calm", "/busy", "/busy"]


def test_one_that_takes_nothing_is_told_by_its_service_alone(server):
    answers(server, "/t0ken", Response(status=500))
    answers(server, "/calm", Response("ok"))
    with pytest.raises(DestinationError) as caught:
        notifier(server, "/t0ken", "/calm").notify_start_dump([TEAM])

    assert caught.value.message == "1 of 2 addresses took no message: JSON took no message (tried 3 times)"
    assert [path for path, _, _ in received(server)] == ["/t0ken", "/t0ken", "/t0ken", "/calm"]


@pytest.mark.parametrize("url", ["nosuchservice://t0ken", "t0ken", "slack://t0ken", ""])
def test_an_address_that_apprise_does_not_know_is_refused_unseen(url):
    with pytest.raises(ConfigError) as caught:
        AppriseNotifier({"options": {"urls": [url]}})

    assert "urls.0: expected an address that Apprise knows" in str(caught.value)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize("given", ["json://127.0.0.1/a", json.dumps(["json://127.0.0.1/a"])])
def test_addresses_may_come_from_the_environment(monkeypatch, given):
    monkeypatch.setenv("OZZY_APPRISE_URLS", given)

    assert list(AppriseNotifier({}).options.urls) == ["json://127.0.0.1/a"]
