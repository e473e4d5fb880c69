"""What a manager asked the map for: which journey, how far back, who, and what the numbers say then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from clinic_journey.reports import summaries
from clinic_journey.reports.map import Line, Map, Wording, drawn
from clinic_journey.reports.map_open import OpenNow, open_now
from clinic_journey.reports.stages import NOBODY, Edge, hours_of, week_of
from clinic_journey.reports.stages_models import Dimension
from journeys.models import JourneyTemplate, StepTemplate, TemplateStatus
from patients.access import Here
from patients.models import Channel, Language, Role

PERIODS: dict[str, str | Promise] = {
    "4": gettext_lazy("4 weeks"),
    "12": gettext_lazy("12 weeks"),
    "52": gettext_lazy("a year"),
}
FIRST_ASKED = (
    "imaging_treatment",
    "first_visit",
)  # what a clinic wants to see first, if nothing else was chosen
ENOUGH = 20  # finished journeys
BY_MONEY = "money"


@dataclass(frozen=True)
class Asked:
    here: Here
    templates: list[JourneyTemplate]  # the active ones
    key: str
    weeks: str
    told: tuple[str, str]
    gap: Edge | None
    everything: bool
    order: str = ""  # of the gaps: the widest first, or by money

    @classmethod
    def of(cls, data: QueryDict, here: Here) -> "Asked":
        """Nonsense asks for what is shown first."""
        templates = [*JourneyTemplate.objects.filter(status=TemplateStatus.ACTIVE).order_by("key")]
        keys = {template.key for template in templates}
        first = next((key for key in FIRST_ASKED if key in keys), next(iter(sorted(keys)), ""))
        key, weeks = data.get("template", ""), data.get("weeks", "")
        source, arrow, target = data.get("gap", "").partition(">")
        return cls(
            here, templates, key if key in keys else first, weeks if weeks in PERIODS else "4",
            told_in(data.get("by", "")),
            (source, target) if arrow else None, data.get("all") == "1",
            BY_MONEY if data.get("order") == BY_MONEY else "",
        )  # fmt: skip

    @cached_property
    def since(self) -> date:
        """The Monday from which on weeks are taken: that many whole ones, and this one so far."""
        return week_of(self.here.now, self.here.clinic.time_zone) - timedelta(weeks=int(self.weeks))

    @property
    def begins(self) -> datetime:
        return summaries.bounds(self.here.clinic, self.since)[0]

    @cached_property
    def wording(self) -> Wording:
        """Of the template as it is now; a step that only an older version had comes last."""
        found: dict[str, StepTemplate] = {}
        steps = StepTemplate.objects.filter(template__key=self.key).order_by("-template__version", "position")
        for step in steps:
            found.setdefault(step.key, step)
        return Wording(found, hours_of(self.here.clinic))

    @cached_property
    def open(self) -> OpenNow:
        return open_now(
            self.here.clinic, self.key, self.told, opening=self.wording.opening, now=self.here.now
        )

    @cached_property
    def map(self) -> Map:
        counted = summaries.edges(self.here.clinic, self.key, self.since, *self.told)
        return drawn(counted, self.open.edges, self.wording)

    @cached_property
    def line(self) -> Line | None:
        """The gap that was chosen, else the widest one."""
        chosen = [line for line in self.map.lines if (line.source, line.target) == self.gap]
        return chosen[0] if chosen else self.map.widest

    @property
    def by(self) -> str:
        return ":".join(self.told) if self.told[0] else ""

    @property
    def gap_text(self) -> str:
        return ">".join(self.gap) if self.gap else ""

    def query(self, gap: Edge | None = None, **more: str) -> str:
        asked = {
            "template": self.key,
            "weeks": self.weeks,
            "by": self.by,
            "gap": ">".join(gap) if gap else "",
        }
        return urlencode({name: value for name, value in (asked | more).items() if value})

    @property
    def same(self) -> str:
        return self.query(self.gap, order=self.order)

    @property
    def by_wait(self) -> str:
        return self.query(self.gap)

    @property
    def by_money(self) -> str:
        return self.query(self.gap, order=BY_MONEY)

    @property
    def whole(self) -> str:
        return self.query()

    @property
    def widest(self) -> str:
        """Who waits in the widest gap; where nobody does now, who left in it; empty where there is nobody."""
        line = self.map.widest
        if line is None or not (line.now.open or line.lost):
            return ""
        return self.query((line.source, line.target), **({} if line.now.open else {"who": "lost"}))


def told_in(text: str) -> tuple[str, str]:
    """Whose numbers are asked for: a dimension and its value, or everybody's."""
    dimension, _colon, value = text.partition(":")
    if not (dimension and value) or dimension not in Dimension.values:
        return "", ""
    is_known = dimension != Dimension.DOCTOR or value == NOBODY or _is_key(value)
    return (dimension, value[:20]) if is_known else ("", "")


def _is_key(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 10  # noqa: PLR2004 - digits of a key


def doctors_of(here: Here) -> dict[str, str]:
    """Who leads journeys in this clinic, by name."""
    people = User.objects.filter(memberships__clinic=here.clinic, memberships__role=Role.DOCTOR)
    return {
        str(person.pk): person.get_full_name() or person.username
        for person in people.order_by("first_name", "last_name", "username")
    }


def value_words(dimension: str, value: str, doctors: Mapping[str, str]) -> str:
    if value == NOBODY:
        return _("not known")
    if dimension == Dimension.DOCTOR:
        return doctors.get(value, _("somebody who has left"))
    words: dict[str, object] = {**dict(Language.choices), **dict(Channel.choices)}
    return str(words.get(value, value))
