"""A patient's own page as she uses it: through the link of a message, in a browser that keeps its cookies."""

from typing import Any

from django.test import Client

from journeys.models import Journey
from outreach.links import path_for
from patients.models import Patient


class OwnPage:
    def __init__(self, link: Journey | str, *, browser: Client | None = None, **options: Any) -> None:
        self.browser = browser or Client(**options)
        path = link if isinstance(link, str) else path_for(link)
        entered = self.browser.get(path)
        assert entered.status_code == 302, entered.status_code
        self.path = entered["Location"]

    def get(self, more: str = "") -> Any:
        return self.browser.get(f"{self.path}{more}")

    def text(self, more: str = "") -> str:
        return " ".join(self.get(more).content.decode().split())

    def post(self, what: str, said: dict[str, Any], **options: Any) -> Any:
        return self.browser.post(f"{self.path}{what}/", said, **options)

    def prove(self, patient: Patient | None) -> "OwnPage":
        """She says who she is."""
        assert patient
        assert patient.birth_date
        assert self.post("who", {"who": str(patient.birth_date.year)}).status_code == 302
        return self
