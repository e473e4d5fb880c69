"""Mail servers that break off, and that are not there at all."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Nowhere(BaseEmailBackend):
    """It breaks off when it has been told everything."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise ConnectionResetError


class Closed(BaseEmailBackend):
    def open(self) -> bool:
        raise ConnectionRefusedError
