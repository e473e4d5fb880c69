"""E-mail: by SMTP, through the server that EMAIL_URL names, or through a provider's API by django-anymail."""

import smtplib
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.http import UnclearError
from outreach.channels.waiting import asked_to_wait, never_connected

TOO_MANY_OR_DOWN, LOGIN, REFUSED = {429, 503}, {401, 402, 403}, range(400, 500)
FOR_NOW = range(400, 500)  # SMTP reply codes that ask to try again
OF_ONE_MAILBOX = {450, 452}  # busy, full, or not sure yet whether it knows us
NO_SUCH_ADDRESS = {511, 550, 551, 553}


class EmailTransport:
    """SMTP has no key by which a repeated mail would be recognised, so an unclear answer stays unclear."""

    abilities = Abilities(WhenUnclear.ASK_A_PERSON, tells_delivery=False)
    keys = ("EMAIL_URL",)
    secrets: tuple[str, ...] = ("EMAIL_HOST_PASSWORD",)
    per_second = "EMAIL_PER_SECOND"

    def send(self, message: Message) -> Receipt:
        connection = get_connection()
        message_id = _message_id(message)
        mail = _mail(message, message_id, connection)
        _open(connection)
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            code, _words = next(iter(error.recipients.values()))
            raise _refusal(code, of_recipient=True) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ChannelError(Trouble.UNFIT) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, of_recipient=False) from error
        finally:
            _close(connection)
        return Receipt(message_id)


class AnymailTransport:
    """A provider with an API: it refuses with a code, and tells later whether the mail was delivered."""

    abilities = Abilities(WhenUnclear.ASK_A_PERSON)
    keys = ("EMAIL_PROVIDER", "ANYMAIL", "EMAIL_WEBHOOK_SECRET")
    secrets: tuple[str, ...] = ("ANYMAIL", "EMAIL_WEBHOOK_SECRET")
    per_second = "EMAIL_PER_SECOND"

    def send(self, message: Message) -> Receipt:
        from anymail import exceptions  # noqa: PLC0415 - slow import
        from requests.exceptions import RequestException  # noqa: PLC0415 - slow import

        mail = _mail(message, _message_id(message), get_connection())
        mail.metadata = {"reference": message.reference}  # type: ignore[attr-defined]  # comes back in receipts
        try:
            mail.send()
        except exceptions.AnymailAPIError as error:
            if isinstance(error, RequestException) and never_connected(error.__cause__ or error):
                raise ChannelError(Trouble.UNREACHABLE) from error
            # Its own words may repeat the address, so nothing of it goes on to the log.
            raise _answered(error) or UnclearError(error.status_code or 0) from None
        except exceptions.AnymailRecipientsRefused as error:
            raise ChannelError(Trouble.REFUSED) from error
        except exceptions.AnymailError as error:  # it cannot be written for this provider
            raise ChannelError(Trouble.UNFIT, type(error).__name__) from error
        return Receipt(str(mail.anymail_status.message_id or ""))  # type: ignore[attr-defined]


def _answered(error: Any) -> ChannelError | None:
    """A refusal by the provider's own code; None where it leaves open whether the mail was taken."""
    status, response = error.status_code or 0, error.response
    if status in TOO_MANY_OR_DOWN:
        return ChannelError(Trouble.BUSY, str(status), retry_after=asked_to_wait(response.headers))
    if status in REFUSED:
        return ChannelError(Trouble.LOGIN if status in LOGIN else Trouble.REFUSED, str(status))
    return None


def _open(connection: BaseEmailBackend) -> None:
    """Connect and log in first, apart from sending: what fails here has certainly sent nothing."""
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        _close(connection)
        login = isinstance(error, smtplib.SMTPAuthenticationError)
        raise ChannelError(Trouble.LOGIN if login else Trouble.UNREACHABLE) from error


def _close(connection: BaseEmailBackend) -> None:
    """Say goodbye; how that ends changes nothing about the mail."""
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        return


def _message_id(message: Message) -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(" >") or "localhost"
    return f"<{message.reference}@{domain}>"


def _mail(message: Message, message_id: str, connection: BaseEmailBackend) -> EmailMessage:
    mail = EmailMessage(
        subject=" ".join(message.subject.split()),
        body=message.body,
        from_email=formataddr((" ".join(message.sender.split()), settings.DEFAULT_FROM_EMAIL)),
        to=[message.to],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={
            "Message-ID": message_id,
            "Content-Language": message.language,
            "Auto-Submitted": "auto-generated",  # holiday answers stay at home
        },
        connection=connection,
    )
    try:
        mail.message()
    except ValueError as error:  # an address or header that cannot be written as a mail
        raise ChannelError(Trouble.UNFIT) from error
    return mail


def _refusal(code: int, *, of_recipient: bool) -> ChannelError:
    """The server's code as our own."""
    if code in FOR_NOW:
        return ChannelError(Trouble.BUSY, str(code), of_one=of_recipient and code in OF_ONE_MAILBOX)
    if of_recipient and code in NO_SUCH_ADDRESS:
        return ChannelError(Trouble.NO_SUCH_ADDRESS, str(code))
    return ChannelError(Trouble.REFUSED, str(code))
