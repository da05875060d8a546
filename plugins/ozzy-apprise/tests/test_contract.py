"""The notifier keeps the contract of its kind."""

import socket

import pytest
from pytest_httpserver import HTTPServer

from ozzy.testing.report import NotifierContract
from ozzy_apprise.notifier import AppriseNotifier


class TestAppriseNotifier(NotifierContract):
    module = AppriseNotifier

    @pytest.fixture
    def options(self):
        with HTTPServer(host="127.0.0.1") as server:
            server.expect_request("/hook").respond_with_data("ok")
            self.server = server
            yield {"urls": [f"json://127.0.0.1:{server.port}/hook"], "retry": {"tries": 1}}

    @pytest.fixture
    def failing(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        return {"urls": [f"json://127.0.0.1:{port}/hook"], "retry": {"tries": 1}}

    def sent(self):
        return [request.get_json()["message"] for request, _ in self.server.log]
