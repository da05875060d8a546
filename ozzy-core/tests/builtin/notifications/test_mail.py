"""What arrives at a mail server, and what happens when it does not."""

import email
import email.policy
import socket
import ssl

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ozzy import ConfigError, DestinationError, Metadata, RunOutcome
from ozzy.builtin.notifications.mail import SESMailNotifier, SMTPNotifier, smtp_password
from ozzy.contracts.report import CLIENTS, TEAM

PASSWORD = "tr0mbone-pass"


class Post:
    """A post office: keeps what it is given, and answers recipients as it is told to."""

    def __init__(self):
        self.mails = []
        self.logins = []
        self.password = PASSWORD
        self.answers = {}
        self.data_answers = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers.get(address)
        answer = answer.pop(0) if answer else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        if self.data_answers:
            return self.data_answers.pop(0)
        self.mails.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        login = (data.login.decode(), data.password.decode())
        self.logins.append(login)
        return AuthResult(success=login == ("ozzy", self.password), handled=False)


def content(mail):
    return mail.get_content().replace("\r\n", "\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


@pytest.fixture
def context(authority):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def server(post, context):
    """A server that wants STARTTLS and a login."""
    controller = Controller(
        post, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
        authenticator=post.authenticate, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture(autouse=True)
def no_waiting(mocker):
    return mocker.patch("tenacity.nap.time.sleep")


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    monkeypatch.delenv("SHUB_JOBKEY", raising=False)


def notifier(server, **more):
    options = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "ozzy",
        "password": PASSWORD,
        "mail_from": "exports@example.com",
        "team_mails": ["team@example.com"],
        "client_mails": ["client@example.com", "other@example.com"],
        "client_name": "Ñandú Ltd",
        "retry": {"tries": 3, "seconds": 5},
        "timeout": 5,
    }
    configuration = {"name": "orders", "writer": {"name": "fs", "options": {"filebase": "out/orders", "bucket": "", "token": "t0psecret"}}}
    metadata = Metadata(run_id="20240501-1", configuration=configuration)
    return SMTPNotifier({"name": "smtp", "options": options | more}, metadata)


def test_start_goes_to_clients_and_team_after_starttls_and_login(server, post):
    notifier(server).notify_start_dump([CLIENTS, TEAM])

    ((receivers, mail),) = post.mails
    assert receivers == ["client@example.com", "other@example.com", "team@example.com"]
    assert post.logins == [("ozzy", PASSWORD)]
    assert mail["Subject"] == "Export for Ñandú Ltd started"
    assert mail["From"] == "exports@example.com"
    assert mail["To"] == "client@example.com, other@example.com, team@example.com"
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@example.com>")
    assert content(mail) == "The export of orders (run 20240501-1) has started.\n\nWriter: fs\n  filebase: out/orders\n"


def test_success_tells_counts(server, post):
    told = notifier(server)
    told.metadata.outcome = RunOutcome("orders", "finished", 1500, 1234, 2, 1.0, ({"path": "a"},), ("it was slow",))
    told.notify_complete_dump([CLIENTS, TEAM])

    ((_, mail),) = post.mails
    assert mail["Subject"] == "Export for Ñandú Ltd complete"
    text = content(mail)
    assert "Records written: 1,234\nFiles: 1\nBad records refused: 2\nYou are told of it because it was slow.\n" in text


def test_failure_goes_to_the_team_with_trace_and_config_but_no_secret(server, post, monkeypatch):
    monkeypatch.setenv("SHUB_JOBKEY", "12/3/4")
    notifier(server).notify_failed_job(f"the well is dry\r\nBcc: x@example.com {PASSWORD}", "Traceback …", [TEAM])

    ((receivers, mail),) = post.mails
    text = content(mail)
    assert receivers == ["team@example.com"]
    assert mail["Bcc"] is None
    assert "Reason: the well is dry" in text
    assert "Job: 12/3/4" in text
    assert "Traceback …" in text
    assert '"token": "***"' in text
    assert "t0psecret" not in text
    assert PASSWORD not in text


@pytest.mark.parametrize(
    ("receivers", "expected"),
    [
        ("me@example.com", ["me@example.com"]),
        (["me@example.com", TEAM, "team@example.com"], ["me@example.com", "team@example.com"]),
        (TEAM, ["team@example.com"]),
    ],
)
def test_a_receiver_that_is_no_group_is_an_address(server, post, receivers, expected):
    notifier(server).notify_start_dump(receivers)

    assert [receivers for receivers, _ in post.mails] == [expected]


@pytest.mark.parametrize("receivers", [None, [], [CLIENTS]])
def test_without_receivers_nothing_is_sent(server, post, receivers):
    notifier(server, client_mails=[]).notify_start_dump(receivers)

    assert post.mails == []
    assert post.logins == []


def test_what_is_no_address_is_refused(server, post):
    with pytest.raises(DestinationError, match=r"'a b@example\.com': no mail address"):
        notifier(server).notify_start_dump(["a b@example.com"])

    assert post.mails == []


def test_the_server_has_to_be_named():
    with pytest.raises(ConfigError, match=r"options\.host: expected str of at least 1 in length"):
        SMTPNotifier({"name": "smtp", "options": {"host": "", "mail_from": "exports@example.com"}})


def test_a_wrong_password_is_not_tried_again_and_not_told(server, post):
    with pytest.raises(DestinationError) as caught:
        notifier(server, password="wr0ng-pass").notify_start_dump([TEAM])

    assert len(post.logins) == 2, "one try, with two mechanisms"
    assert caught.value.message == (
        "mail to team@example.com was not sent by 127.0.0.1: it answered 535 5.7.8 Authentication credentials invalid"
    )


@pytest.mark.parametrize("password", ["pässword", "wröng"])
def test_a_password_may_hold_any_character(server, post, password):
    post.password = "pässword"
    told = notifier(server, password=password)
    if password == post.password:
        told.notify_start_dump([TEAM])
        assert len(post.mails) == 1
    else:
        with pytest.raises(DestinationError, match="it answered 535") as caught:
            told.notify_start_dump([TEAM])
        assert password not in caught.value.message


def test_a_server_that_is_busy_is_tried_again(server, post):
    post.data_answers = ["451 later", "452 later"]
    notifier(server).notify_start_dump([TEAM])

    assert len(post.mails) == 1
    assert len(post.logins) == 3


def test_a_server_that_refuses_the_mail_is_not_tried_again(server, post):
    post.data_answers = ["552 too large", "552 too large"]
    with pytest.raises(DestinationError, match="it answered 552 too large"):
        notifier(server).notify_start_dump([TEAM])

    assert len(post.data_answers) == 1


def test_receivers_that_were_taken_get_one_mail(server, post):
    post.answers = {"other@example.com": ["450 later", "250 OK"]}
    notifier(server).notify_start_dump([CLIENTS])

    assert [receivers for receivers, _ in post.mails] == [["client@example.com"], ["other@example.com"]]


def test_a_receiver_that_does_not_exist_is_named(server, post):
    post.answers = {"other@example.com": ["550 nobody", "550 nobody"]}
    with pytest.raises(DestinationError, match=r"mail to other@example\.com was not sent by 127\.0\.0\.1: it answered 550 nobody$"):
        notifier(server).notify_start_dump([CLIENTS])

    assert [receivers for receivers, _ in post.mails] == [["client@example.com"]]


def test_a_server_that_is_not_there_is_tried_three_times(server):
    with pytest.raises(DestinationError, match=r"ConnectionRefusedError: .* \(tried 3 times\)"):
        notifier(server, port=free_port()).notify_start_dump([TEAM])


def test_a_certificate_that_nobody_vouches_for_is_refused(server, post, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DestinationError, match="CERTIFICATE_VERIFY_FAILED"):
        notifier(server).notify_start_dump([TEAM])
    assert post.logins == []

    notifier(server, verify_tls=False).notify_start_dump([TEAM])
    assert len(post.mails) == 1


def test_a_server_without_starttls_gets_no_password(post):
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with pytest.raises(DestinationError, match="STARTTLS"):
            notifier(controller).notify_start_dump([TEAM])
        assert post.mails == []

        notifier(controller, security="none", user=None, password=None).notify_start_dump([TEAM])
        assert len(post.mails) == 1
    finally:
        controller.stop()


def test_tls_from_the_start(post, context):
    controller = Controller(post, hostname="127.0.0.1", port=free_port(), ssl_context=context)
    controller.start()
    try:
        notifier(controller, security="tls", user=None, password=None).notify_start_dump([TEAM])
    finally:
        controller.stop()

    assert len(post.mails) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"team_mails": ["nobody"]}, "team_mails.0: expected a mail address, given 'nobody'"),
        ({"mail_from": "a@b\nBcc: c"}, "mail_from: "),
        ({"user": None}, "user and password go together"),
        ({"security": "none"}, "a password is not sent in the clear"),
        ({"port": 70000}, "port"),
    ],
)
def test_wrong_options_are_told(mocker, more, told):
    with pytest.raises(ConfigError) as caught:
        notifier(mocker.Mock(port=25), **more)

    assert told in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_ports_follow_from_how_the_connection_is_secured(mocker):
    ports = {
        security: notifier(mocker.Mock(port=None), security=security, user=None, password=None).server()[1]
        for security in ("starttls", "tls", "none")
    }

    assert ports == {"starttls": 587, "tls": 465, "none": 25}


def ses(**more):
    options = {"access_key": "AKIAEXAMPLE", "secret_key": PASSWORD, "mail_from": "exports@example.com", "team_mails": ["team@example.com"]}
    return SESMailNotifier({"name": "ses_mail", "options": options | more}, Metadata(run_id="20240501-1"))


def test_ses_is_asked_at_the_endpoint_of_its_region(monkeypatch):
    monkeypatch.delenv("AWS_REGION", raising=False)

    assert ses(region="eu-west-1").server() == (
        "email-smtp.eu-west-1.amazonaws.com", 587, "starttls", ("AKIAEXAMPLE", smtp_password(PASSWORD, "eu-west-1")),
    )  # fmt: skip
    assert ses().server()[0] == "email-smtp.us-east-1.amazonaws.com"


def test_an_ses_password_has_a_version_and_a_signature():
    password = smtp_password("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")

    assert password.startswith("B")
    assert len(password) == 44
    assert password != smtp_password("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-2")


def test_a_mail_of_ses_arrives(server, post, monkeypatch):
    monkeypatch.setattr("ozzy.builtin.notifications.mail.smtp_password", lambda key, region: PASSWORD)
    ses(host="127.0.0.1", port=server.port, access_key="ozzy").notify_failed_job("it failed", "trace", [TEAM])

    assert [receivers for receivers, _ in post.mails] == [["team@example.com"]]
