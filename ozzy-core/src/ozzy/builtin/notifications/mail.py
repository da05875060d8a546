"""The notifiers `smtp` and `ses_mail`: mail to the people who wait for an export, and to those who look after it."""

import base64
import hashlib
import hmac
import re
import smtplib
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Literal

from ozzy import BaseTextNotifier, DestinationError, Problem, RetryOptions, option, options
from ozzy.contracts.report import CLIENTS, TEAM
from ozzy.log import notes, reason
from ozzy.options.values import str_list

LONGEST_SUBJECT = 200


def _is_address(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[^@\s,<>\x00-\x1f\x7f]+@[^@\s,<>\x00-\x1f\x7f]+", text) is not None


def _not_an_address(text: Any) -> str | None:
    return None if _is_address(text) else f"expected a mail address, given {text!r}"


@options
class MailOptions:
    """Options that both mail notifiers have."""

    team_mails: str_list = option(factory=str_list, check=_not_an_address, help="Who is told of everything.")
    client_mails: str_list = option(
        factory=str_list, check=_not_an_address, help="Who is told that an export has started and that it is complete."
    )
    client_name: str = option(default="Customer", help="How subjects call whom the export is for.")
    timeout: float = option(default=30.0, minimum=0.1, help="Seconds to wait for the server.")
    retry: RetryOptions = option(factory=RetryOptions, help="How often a server is tried that can't be reached or says to come back later.")


@options
class SMTPNotifierOptions(MailOptions):
    """Options of the notifier `smtp`."""

    host: str = option(env="OZZY_SMTP_HOST", minimum=1, help="The mail server.", example="mail.example.com")
    port: int | None = option(default=None, minimum=1, maximum=65535, help="Its port; unset: 587 for starttls, 465 for tls, 25 for none.")
    security: Literal["starttls", "tls", "none"] = option(
        default="starttls", help="How the connection is secured. none sends everything in the clear, and no password."
    )
    verify_tls: bool = option(default=True, help="false accepts any certificate, and with it anybody's ears.")
    user: str | None = option(default=None, env="OZZY_SMTP_USER", help="Who logs in; unset for a server that asks for nobody.")
    password: str | None = option(default=None, env="OZZY_SMTP_PASSWORD", secret=True, help="The password of `user`.")
    mail_from: str = option(env="EXPORTERS_MAIL_FROM", check=_not_an_address, help="The sender's address.", example="exports@example.com")


@options
class SESMailNotifierOptions(MailOptions):
    """Options of the notifier `ses_mail`."""

    access_key: str = option(env="EXPORTERS_MAIL_AWS_ACCESS_KEY", help="The id of an access key that may send mail.")
    secret_key: str = option(env="EXPORTERS_MAIL_AWS_SECRET_KEY", secret=True, help="The secret of that access key.")
    mail_from: str = option(
        env="EXPORTERS_MAIL_FROM", check=_not_an_address, help="The sender's address, verified by SES.", example="exports@example.com"
    )
    region: str = option(default="us-east-1", env="AWS_REGION", help="The region of SES that sends.")
    host: str | None = option(default=None, help="The SMTP endpoint; unset: that of the region.")
    port: int = option(default=587, minimum=1, maximum=65535, help="Its port, which speaks STARTTLS.")
    verify_tls: bool = option(default=True, help="false accepts any certificate, and with it anybody's ears.")


class BaseMailNotifier(BaseTextNotifier):
    """Sends mails; through which server is the business of those that are made of it.

    A start and a success are told to clients and team, a failure to the team alone. A receiver that is no group is taken as an address.
    """

    def server(self) -> tuple[str, int, str, tuple[str, str] | None]:
        """Host, port, kind of security, and user with password."""
        raise NotImplementedError

    def title(self, status: str) -> str:
        """Whom the export is for, and how it stands."""
        return f"Export for {self.options.client_name} {status}"

    def _addresses(self, receivers: Any) -> list[str]:
        groups = {CLIENTS: self.options.client_mails, TEAM: self.options.team_mails}
        found: list[str] = []
        for receiver in receivers if isinstance(receivers, (list, tuple, set)) else [] if receivers is None else [receivers]:
            found += map(str, groups[receiver] if isinstance(receiver, int) and receiver in groups else [receiver])
        wrong = [address for address in found if not _is_address(address)]
        if wrong:
            raise DestinationError(f"{', '.join(map(repr, wrong))}: no mail address")
        return list(dict.fromkeys(found))

    def send(self, title: str, text: str, receivers: Any) -> None:
        """Send a mail to whom it concerns; nothing where that is nobody."""
        addresses = self._addresses(receivers)
        if not addresses:
            return
        message = EmailMessage()
        message["Subject"] = " ".join(title.split())[:LONGEST_SUBJECT]
        message["From"] = self.options.mail_from
        message["To"] = ", ".join(addresses)
        message["Date"] = formatdate(self.metadata.start_time.timestamp() if self.metadata.outcome is None else None)
        message["Message-ID"] = make_msgid(domain=self.options.mail_from.rpartition("@")[2])
        message.set_content(text.encode("utf-8", "replace").decode() + "\n")
        left = list(addresses)

        def deliver() -> None:
            left[:] = self._deliver(message, left)

        host = self.server()[0]
        try:
            self.calling(deliver, what=f"sending mail through {host}", transient=_transient, retries=self.options.retry.policy())
        except (OSError, smtplib.SMTPException) as error:
            raise DestinationError(f"mail to {', '.join(left)} was not sent by {host}: {_told(error)}") from error

    def _deliver(self, message: EmailMessage, addresses: list[str]) -> list[str]:
        """Send to those who are left, and give back nobody. Raises SMTPRecipientsRefused for those whom the server did not take."""
        host, port, security, login = self.server()
        context = ssl.create_default_context()
        if not self.options.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        timeout = self.options.timeout
        connection = (
            smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
            if security == "tls"
            else smtplib.SMTP(host, port, timeout=timeout)
        )
        with connection as smtp:
            if security == "starttls":
                smtp.starttls(context=context)
            if login is not None:
                _log_in(smtp, *login)
            refused = smtp.send_message(message, to_addrs=addresses)
        if refused:
            addresses[:] = list(refused)
            raise smtplib.SMTPRecipientsRefused(refused)
        return []


class SMTPNotifier(BaseMailNotifier):
    """Mail through a server of your own: TLS from the start or by STARTTLS, with the certificate checked.

    A server that says to come back later (a code of four hundred and something), or can't be reached, is tried again; receivers whom it
    took are not sent the mail again. The failure mail holds the config with its secrets hidden.
    """

    Options = SMTPNotifierOptions

    @classmethod
    def check_options(cls, options: SMTPNotifierOptions) -> Iterable[Problem | str]:
        """A password goes through no open line."""
        if (options.user is None) != (options.password is None):
            yield "user and password go together"
        elif options.security == "none" and options.password is not None:
            yield Problem("security", "a password is not sent in the clear", "use starttls or tls")

    def server(self) -> tuple[str, int, str, tuple[str, str] | None]:
        """As the options say."""
        given = self.options
        port = given.port or {"starttls": 587, "tls": 465, "none": 25}[given.security]
        return given.host, port, given.security, (given.user, given.password) if given.user is not None else None


class SESMailNotifier(BaseMailNotifier):
    """Mail through the SMTP endpoint of Amazon SES, with the inherited options.

    The SMTP password is derived from the secret key, as the SES Developer Guide describes it ("Obtaining Amazon SES SMTP credentials by
    converting existing AWS credentials"): the access key must belong to an IAM user that may call `ses:SendRawEmail`.
    """

    Options = SESMailNotifierOptions

    def server(self) -> tuple[str, int, str, tuple[str, str] | None]:
        """The endpoint of the region."""
        given = self.options
        host = given.host or f"email-smtp.{given.region}.amazonaws.com"
        return host, given.port, "starttls", (given.access_key, smtp_password(given.secret_key, given.region))


def smtp_password(secret_key: str, region: str) -> str:
    """The SMTP password that belongs to a secret key of AWS in one region."""
    signature = f"AWS4{secret_key}".encode()
    for part in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + signature).decode()


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Log in; smtplib knows no other characters than those of ASCII, which RFC 4616 has in UTF-8."""
    if user.isascii() and password.isascii():
        smtp.login(user, password)
        return
    smtp.ehlo_or_helo_if_needed()
    code, answer = smtp.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _transient(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(400 <= code < 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 500
    if isinstance(error, (ssl.SSLError, smtplib.SMTPNotSupportedError)):
        return False
    return isinstance(error, (OSError, smtplib.SMTPServerDisconnected))


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = {f"{code} {text.decode('utf-8', 'replace')}" for code, text in error.recipients.values()}
        return f"it answered {' and '.join(sorted(answers))}{notes(error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
        return f"it answered {error.smtp_code} {text}{notes(error)}"
    return reason(error)
