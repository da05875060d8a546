"""The notifiers of the core keep their contract."""

import email
import email.policy
import socket
import ssl

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pytest_httpserver import HTTPServer

from ozzy.builtin.notifications.mail import SMTPNotifier
from ozzy.builtin.notifications.webhook import WebhookNotifier
from ozzy.testing.report import NotifierContract


def nobody():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class TestWebhookNotifier(NotifierContract):
    module = WebhookNotifier

    @pytest.fixture
    def options(self):
        with HTTPServer(host="127.0.0.1") as server:
            server.expect_request("/hook").respond_with_data("ok")
            self.server = server
            yield {"endpoints": [server.url_for("/hook")], "retry": {"tries": 1}}

    @pytest.fixture
    def failing(self):
        return {"endpoints": [f"http://127.0.0.1:{nobody()}/hook"], "retry": {"tries": 1}}

    def sent(self):
        return [request.get_data(as_text=True) for request, _ in self.server.log]


class Letters:
    """Keeps what it is given."""

    def __init__(self):
        self.texts = []

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.texts.append(f"{mail['Subject']}\n{mail.get_content()}")
        return "250 OK"


class TestSMTPNotifier(NotifierContract):
    module = SMTPNotifier

    @pytest.fixture
    def options(self):
        self.letters = Letters()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        controller = Controller(
            self.letters, hostname="127.0.0.1", port=nobody(), tls_context=context, require_starttls=True,
            authenticator=lambda *given: AuthResult(success=True), auth_required=True,
        )  # fmt: skip
        controller.start()
        yield self.about(controller.port)
        controller.stop()

    @pytest.fixture
    def failing(self):
        return self.about(nobody())

    def about(self, port):
        people = {"team_mails": ["team@example.com"], "mail_from": "ozzy@example.com", "retry": {"tries": 1}}
        return {
            "host": "127.0.0.1",
            "port": port,
            "user": "ozzy",
            "password": "brass",
            "verify_tls": False,
            "retry": {"tries": 1},
            **people,
        }

    def sent(self):
        return self.letters.texts
