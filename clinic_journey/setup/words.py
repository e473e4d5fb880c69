"""The words of our messages, by language: ours, or the clinic's own, tried on an invented patient before any real."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clinic_journey.language import text_direction
from clinic_journey.setup.views import after_the_first_step
from clinic_journey.setup.words_form import BODIES, WordsForm
from outreach.content import VISIT_TIME, VISIT_UNSAID, withheld
from outreach.health import costs_of
from outreach.message_keys import MESSAGES, PLACEHOLDER_WORDS, about
from outreach.models import MessageTemplate
from outreach.own_words import NEUTRAL, Spot, give_up_own_words, save_own_words, texts_in
from outreach.rendering import CannotRender, Facts, Texts, filled, names_a_visit
from outreach.wording import IN_PARTS, SPOKEN, Draft, Parts, notice_after, parts_sent, remarks
from patients.access import Here
from patients.models import Channel, Language

INVENTED = {"en": "Dana", "he": "דנה", "ru": "Дана", "ar": "دانا"}
KEYS = list(MESSAGES)


@dataclass(frozen=True)
class Line:
    """One text in the list."""

    spot: Spot
    title: str | Promise
    body: str
    is_own: bool
    sent: Parts  # no parts: it never leaves as SMS
    costs: str  # of one such message at most; empty where nobody has said what a part costs

    @property
    def address(self) -> str:
        return address_of(self.spot)

    @property
    def way(self) -> str:
        """Where the words are for one channel only."""
        return str(Channel(self.spot.channel).label) if self.spot.channel else ""


def address_of(spot: Spot) -> str:
    query = QueryDict(mutable=True)
    query.update({"key": spot.key, "channel": spot.channel, "language": spot.language})
    return f"{reverse('setup_words_text')}?{query.urlencode()}"


@require_GET
@after_the_first_step
def words_list(request: HttpRequest, here: Here) -> HttpResponse:
    """Every text in one language, in the order in which a patient meets them; first what is written."""
    asked = request.GET.get("language")
    language = asked if asked in Language.values else here.clinic.language
    own = texts_in(language, here.clinic)
    lines = [_line(spot, own.get(spot) or row, here) for spot, row in texts_in(language, None).items()]
    lines.sort(key=lambda line: KEYS.index(line.spot.key) if line.spot.key in KEYS else len(KEYS))
    context = {
        "languages": Language.choices,
        "language": language,
        "text_dir": text_direction(language),
        "groups": [
            (gettext_lazy("Messages"), [line for line in lines if line.spot.channel not in SPOKEN]),
            (
                gettext_lazy("What is said on the phone"),
                [line for line in lines if line.spot.channel in SPOKEN],
            ),
        ],
    }
    return render(request, "setup/words.html", context)


def _line(spot: Spot, row: MessageTemplate, here: Here) -> Line:
    draft = Draft(spot.key, spot.channel, spot.language, row.body, purpose=row.purpose)
    sent = _sent(draft, here)
    is_own = row.clinic_id is not None
    return Line(spot, about(spot.key).title, row.body, is_own, sent, costs_of(sent.parts))


@require_http_methods(["GET", "POST"])
@after_the_first_step
def words_text(request: HttpRequest, here: Here) -> HttpResponse:
    """One text: shown on an invented patient as it is typed, saved as the clinic's own, or given back for ours."""
    spot = Spot(*(request.GET.get(name, "") for name in ("key", "channel", "language")))
    shipped = {row.variant: row for row in spot.rows(None)}
    if NEUTRAL not in shipped:
        raise Http404
    act = request.POST.get("act", "")
    if act == "back":
        give_up_own_words(here.clinic, spot)
        messages.success(request, _("The standard words are back."))
        return redirect(address_of(spot))
    form = _form(spot, shipped, here, request.POST if act else None)
    if act == "save" and form.is_valid():
        subject = form.cleaned_data.get("subject", "")
        save_own_words(here.clinic, spot, subject=subject, bodies=form.bodies())
        messages.success(request, _("Saved. From now on patients read your own words."))
        return redirect(f"{reverse('setup_words')}?language={spot.language}")
    template = "setup/_words_preview.html" if "HX-Request" in request.headers else "setup/words_text.html"
    status = 422 if act == "save" else 200
    return render(request, template, _context(form, shipped[NEUTRAL], here), status=status)


def _form(spot: Spot, shipped: dict[str, MessageTemplate], here: Here, given: QueryDict | None) -> WordsForm:
    rows = {row.variant: row for row in spot.rows(here.clinic)} or shipped
    initial = {name: rows[variant].body for name, variant in BODIES.items() if variant in rows}
    initial["subject"] = rows[NEUTRAL].subject if NEUTRAL in rows else shipped[NEUTRAL].subject
    return WordsForm(spot, here.clinic, purpose=shipped[NEUTRAL].purpose, data=given, initial=initial)


def _context(form: WordsForm, shipped: MessageTemplate, here: Here) -> dict[str, object]:
    spot, known = form.spot, about(form.spot.key)
    drafts = [draft for _name, draft in form.drafts({name: form[name].value() for name in form.fields})]
    read = {draft: text for draft in drafts if (text := _read(draft, here))}
    sent = max((_sent(draft, here) for draft in read), key=lambda each: each.parts, default=Parts())
    return {
        "form": form,
        "title": known.title,
        "way": Channel(spot.channel).label if spot.channel else "",
        "language": spot.language,
        "language_name": Language(spot.language).label,
        "text_dir": text_direction(spot.language),
        "address": address_of(spot),
        "shipped": shipped,
        "is_own": spot.rows(here.clinic).exists(),
        "read": read.values(),
        "sent": sent,
        "costs": costs_of(sent.parts),
        "remarks": [each for draft in drafts for each in remarks(draft, clinic=here.clinic)],
        "placeholders": [
            (name, words) for name, words in PLACEHOLDER_WORDS.items() if name in known.may_name
        ],
    }


def _sent(draft: Draft, here: Here) -> Parts:
    """Counted where it may leave as SMS."""
    return parts_sent(draft, here.clinic) if draft.channel in IN_PARTS else Parts()


def _read(draft: Draft, here: Here) -> str:
    """As the invented patient reads it; nothing while the text cannot be filled."""
    try:
        text = filled(_as_sent(draft, here), _facts(draft.language, here), here.clinic)
    except CannotRender:
        return ""
    return notice_after(draft, here.clinic).after(text)


def _as_sent(draft: Draft, here: Here) -> MessageTemplate:
    """The row that the draft would be, or what leaves in its place where a visit's day may not be named."""
    row = MessageTemplate(key=draft.key, channel=draft.channel, language=draft.language, body=draft.body)
    if withheld(here.clinic, draft.channel) & VISIT_TIME and names_a_visit(row):
        texts = Texts([VISIT_UNSAID], [here.clinic.pk])
        return texts.best(VISIT_UNSAID, draft.channel, [draft.language], clinic=here.clinic.pk) or row
    return row


def _facts(language: str, here: Here) -> Facts:
    at: datetime = here.now.replace(minute=30, second=0, microsecond=0) + timedelta(days=7)
    return Facts(
        name=INVENTED[language],
        link=f"{settings.PUBLIC_URL}/p/…",
        who=here.user.first_name,
        by=at - timedelta(days=5),
        until=at - timedelta(days=4),
        date=at,
        channel=Channel.WHATSAPP,
        hour=time(17),
        times=(at, at + timedelta(days=1)),
    )
