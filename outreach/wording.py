"""What is wrong with a text before any patient reads it: the same look at load and when a clinic saves its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from outreach.lexicon import Rule, lexicon
from outreach.links import TOKEN_LENGTH
from outreach.message_keys import WAYS_TO_ANSWER, about
from outreach.opt_out import Notice, notice_of
from outreach.plain_words import Finding, findings
from outreach.rendering import INSTANTS, date_words, placeholders_in, sms_parts
from patients.models import Channel, Clinic, Gender, Purpose

IN_PARTS = frozenset({"", Channel.SMS.value})  # what may leave as SMS
SPOKEN = frozenset({Channel.PHONE.value, Channel.VOICE.value})
WITH_SUBJECT = frozenset({"", Channel.EMAIL.value})
LINK = "https://visits.example.org/p/" + "x" * 16  # 45 letters, as the design counts with
SOME_YEAR = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)

RULE_WORDS: Mapping[Rule, str | Promise] = {
    Rule.JARGON: gettext_lazy("A word of offices or medicine. Plainer:"),
    Rule.BLAME: gettext_lazy("Orders or blames the reader. Better:"),
    Rule.CLINICAL: gettext_lazy("Says something about health, and others may read it. Better:"),
    Rule.PRICE: gettext_lazy("Money does not belong here:"),
    Rule.PROMOTION: gettext_lazy("Advertising does not belong in a message about care:"),
    Rule.INSINCERE: gettext_lazy("Sounds like a form letter. Better:"),
    Rule.NO_REPLY: gettext_lazy("Every message can be answered. Better:"),
    Rule.ADDRESS: gettext_lazy("This is not how we speak to patients. Better:"),
    Rule.GENDERED: gettext_lazy("Guesses whether a man or a woman reads. Better:"),
    Rule.PAST: gettext_lazy("The past tense about the reader sounds like a reproach. Better:"),
    Rule.DASH: gettext_lazy("From the right, a range with a dash turns round. Better:"),
    Rule.WEEKDAY: gettext_lazy("Weekdays are written in full:"),
    Rule.READING: gettext_lazy("Hard to read: make sentences of this, with shorter words."),
}


@dataclass(frozen=True)
class Draft:
    """A text as somebody wants it to be."""

    key: str
    channel: str
    language: str
    body: str
    subject: str = ""
    variant: str = Gender.UNKNOWN.value
    purpose: str = Purpose.SERVICE.value

    @property
    def is_spoken(self) -> bool:
        return self.channel in SPOKEN


@dataclass(frozen=True)
class Remark:
    """One thing to mend, in the words of the screen; `found` and `instead` are in the language of the text."""

    words: str
    is_refused: bool = True
    found: str = ""
    instead: str = ""

    def __str__(self) -> str:
        quoted = f"“{self.found}”: " if self.found else ""
        return f"{quoted}{self.words} {self.instead}".strip()

    @property
    def isolated(self) -> str:
        """The same for a page in another direction: what is quoted stands in isolates of its own."""
        found, instead = (f"\u2068{text}\u2069" if text else "" for text in (self.found, self.instead))
        return str(Remark(self.words, found=found, instead=instead))


def remarks(draft: Draft, *, clinic: Clinic | None = None) -> list[Remark]:
    """All that is to be mended, what is refused first. With a clinic, parts are counted with its own name."""
    if not draft.body.strip():
        return [Remark(_("Write the words."))]
    try:
        names = placeholders_in(draft.body), placeholders_in(draft.subject)
    except ValueError:
        return [Remark(_("A brace is open or closed where it should not be. Placeholders look like {name}."))]
    found = [*_about_names(draft, *names), *_about_length(draft, clinic), *_about_words(draft)]
    return sorted(found, key=lambda remark: not remark.is_refused)


def _about_names(draft: Draft, in_body: frozenset[str], in_subject: frozenset[str]) -> Iterator[Remark]:
    known = about(draft.key)
    for name in sorted((in_body | in_subject) - known.may_name):
        yield Remark(_("This message cannot name it:"), found=f"{{{name}}}")
    needed = known.needs if draft.is_spoken else known.needs | known.written | {"clinic"}
    for name in sorted(needed - in_body):
        yield Remark(_("The text has to say:"), instead=f"{{{name}}}")
    if not draft.is_spoken and not in_body & WAYS_TO_ANSWER:
        yield Remark(_("Give a way to answer:"), instead="{link}, {phone}")
    if draft.channel in WITH_SUBJECT and not draft.subject.strip():
        yield Remark(_("An e-mail needs a title."))


def _about_length(draft: Draft, clinic: Clinic | None) -> Iterator[Remark]:
    most = lexicon(draft.language).sms_parts
    parts = parts_of(draft, clinic)
    if draft.channel in IN_PARTS and parts > most:
        long = _("With long names it takes %(parts)s SMS; at most %(most)s, so that people read it.")
        yield Remark(long % {"parts": parts, "most": most})


def _about_words(draft: Draft) -> Iterator[Remark]:
    how = {"is_offer": draft.purpose == Purpose.MARKETING, "is_neutral": not draft.variant}
    for text in (draft.subject, draft.body):
        for finding in findings(text, draft.language, **how):
            yield _remark(finding)


def _remark(finding: Finding) -> Remark:
    return Remark(str(RULE_WORDS[finding.rule]), finding.is_refused, finding.found, finding.instead)


@dataclass(frozen=True)
class Parts:
    """How many SMS leave, which decides what it costs; `for_notice`: how many of them to say how to stop them."""

    parts: int = 0
    for_notice: int = 0


def parts_sent(draft: Draft, clinic: Clinic) -> Parts:
    """The same with the links as they are and with how to stop them."""
    text = _longest(draft, clinic, link=f"{settings.PUBLIC_URL}/p/{'x' * TOKEN_LENGTH}/")
    parts = sms_parts(notice_after(draft, clinic).after(text))
    return Parts(parts, parts - sms_parts(text))


def notice_after(draft: Draft, clinic: Clinic) -> Notice:
    """What the country asks to be said after these words; what has no channel of its own is taken as SMS."""
    return notice_of(
        clinic,
        key=draft.key,
        channel=draft.channel or Channel.SMS,
        purpose=draft.purpose,
        language=draft.language,
    )


def parts_of(draft: Draft, clinic: Clinic | None = None) -> int:
    """How many SMS the text takes with the longest names and dates that are to be expected."""
    return sms_parts(_longest(draft, clinic))


def _longest(draft: Draft, clinic: Clinic | None, *, link: str = LINK) -> str:
    values = longest_values(draft.language) | {"link": link}
    if clinic:
        values = values | {"clinic": clinic.sender_name or clinic.name, "phone": clinic.phone.as_national}
    return draft.body.format_map(defaultdict(str, values)).strip()


@cache
def longest_values(language: str) -> dict[str, str]:
    days = [SOME_YEAR + timedelta(days=day) for day in range(365)]
    values = dict(lexicon(language).longest)
    for name in INSTANTS:
        said = (date_words(day, "UTC", language, deadline=name != "date") for day in days)
        values[name] = max(said, key=len)
    return values
