"""E-mail by SMTP, through the backend that EMAIL_URL names."""

import smtplib
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear

FOR_NOW = range(400, 500)  # SMTP reply codes that ask to try again
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
        return ChannelError(Trouble.BUSY, str(code))
    if of_recipient and code in NO_SUCH_ADDRESS:
        return ChannelError(Trouble.NO_SUCH_ADDRESS, str(code))
    return ChannelError(Trouble.REFUSED, str(code))
