"""What a clinic offers and has in stock, as a file: taken out, changed in a spreadsheet, brought back.

A line names one thing, and one batch of it where it is counted; further batches have lines of their own. All lines
are good, or none is taken: half a price list is worse than the old one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import BinaryIO

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from appointments.models import Practitioner
from clinic_journey.importing.reading import look, rows
from clinic_journey.spreadsheet import csv_lines
from inquiries.models import LONGEST_NUMBER, PREPARATION, Currency, Offering, OfferingKind
from inquiries.on_offer import Offered, change_offering, offer, set_batch
from inquiries.queries import offerings_visible_to
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import MANAGERS, Clinic, Language
from patients.written_hours import Stretch, stretches_in, written

NAMES = tuple(f"name_{language}" for language in Language.values)
PREPARATIONS = tuple(f"preparation_{language}" for language in Language.values)
COLUMNS = ("kind", *NAMES, "other_words", "price", "currency", "done_by", "public", "offered")
BEFORE = ("walk_in", *PREPARATIONS)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BATCH = ("batch", "quantity", "expires_on")
YES, NO = "yes", "no"
LARGEST = 2_000_000  # bytes; a price list of thousands of lines has less
MOST_FAULTS = 20
DIGITS = 7  # of how many there are of a batch


@require_GET
@for_staff(*MANAGERS)
def download(_request: HttpRequest, here: Here) -> StreamingHttpResponse:
    offered = offerings_visible_to(here.user).filter(clinic=here.clinic).order_by("pk")
    answer = StreamingHttpResponse(csv_lines(_lines(offered)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="offerings.csv"'
    return answer


def _lines(offerings: QuerySet[Offering]) -> Iterator[Sequence[str]]:
    yield [*COLUMNS, *BEFORE, *BATCH]
    for each in offerings:
        batches = list(each.batches.all())
        own = [
            each.kind,
            *(each.names.get(language, "") for language in Language.values),
            each.other_words,
            "" if each.price is None else str(each.price),
            each.currency,
            "; ".join(doctor.name for doctor in each.done_by.all()),
            YES if each.is_public else NO,
            YES if each.is_active else NO,
            _week_written(each),
            *(each.preparations.get(language, "") for language in Language.values),
        ]
        for batch in batches:
            yield [*own, batch.number, str(batch.quantity), f"{batch.expires_on or ''}"]
        if not batches:
            yield [*own, "", "", ""]


def _week_written(offering: Offering) -> str:
    """“mon 08:00-12:00; tue 08:00-10:00, 16:00-18:00”."""
    return "; ".join(f"{DAYS[weekday]} {written(hours)}" for weekday, hours in sorted(offering.week.items()))


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def file_page(request: HttpRequest, here: Here) -> HttpResponse:
    """Take the list out, or bring one back; what is wrong in it is named line by line, and nothing is taken."""
    faults: list[str] = []
    if request.method == "POST":
        given = request.FILES.get("file")
        try:
            if given is None or not given.size or given.size > LARGEST:
                raise RefusedError(_("Choose a file of a list, no larger than 2 MB."))
            taken = take(here.clinic, BytesIO(given.read()), now=here.now)
        except RefusedError as refusal:
            faults = [str(refusal)]
        else:
            faults = taken.faults
            if not faults:
                messages.success(request, _told(taken.things))
                return redirect("offerings")
    context = {
        "faults": faults[:MOST_FAULTS],
        "more": max(0, len(faults) - MOST_FAULTS),
    }
    return render(request, "inquiries/file.html", context, status=422 if faults else 200)


def _told(things: int) -> str:
    return ngettext(
        "%(n)s thing is on the list from the file.", "%(n)s things are on the list from the file.", things
    ) % {"n": things}


@dataclass
class Taken:
    things: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """One line of the file, understood."""

    number: int
    offered: Offered
    batch: str
    quantity: int
    expires_on: date | None


def take(clinic: Clinic, file: BinaryIO, *, now: datetime) -> Taken:
    """Every line of the file, or none. A thing is known by any of its names."""
    seen = look(file)
    heads = [head.strip().lower() for head in seen.header]
    if "kind" not in heads or not set(NAMES) & set(heads):
        raise RefusedError(
            _("The first line has to name the columns: kind, and a name in at least one language.")
        )
    doctors = _by_name(clinic)
    taken, lines = Taken(), []
    for number, cells in rows(file, seen.layout):
        if number <= seen.header_row:
            continue
        try:
            lines.append(_understood(number, dict(zip(heads, cells, strict=False)), doctors))
        except RefusedError as fault:
            taken.faults.append(_("Line %(number)s: %(fault)s") % {"number": number, "fault": fault})
    if not taken.faults:
        try:
            taken.things = _write(clinic, lines, now=now)
        except RefusedError as fault:
            taken.faults.append(str(fault))
    return taken


def _by_name(clinic: Clinic) -> dict[str, list[Practitioner]]:
    """Who is meant by a name: those who work here, else those who have left, whom our own file still names."""
    found: dict[str, list[Practitioner]] = {}
    for each in Practitioner.objects.filter(clinic=clinic).order_by("-is_active", "pk"):
        same = found.setdefault(each.name.casefold(), [])
        if not same or same[0].is_active == each.is_active:
            same.append(each)
    return found


@transaction.atomic
def _write(clinic: Clinic, lines: Sequence[Line], *, now: datetime) -> int:
    known = list(Offering.objects.filter(clinic=clinic))
    written: set[int] = set()
    for line in lines:
        same = _meant(line, known)
        if same is None:
            same = offer(clinic, line.offered, now=now)
            known.append(same)
        elif same.pk not in written:
            change_offering(same, line.offered, now=now)
        written.add(same.pk)
        if line.batch:
            set_batch(same, line.batch, quantity=line.quantity, expires_on=line.expires_on, now=now)
    return len(written)


def _meant(line: Line, known: Iterable[Offering]) -> Offering | None:
    """The thing of exactly these names, else the one that shares a name with the line; never one of several."""
    names = _folded(line.offered.names)
    sharing = [each for each in known if _folded(each.names) & names]
    exact = [each for each in sharing if _folded(each.names) == names]
    found = exact or sharing
    if len(found) > 1:
        words = _(
            "Line %(number)s: several things here have one of its names. Tell them apart by their names."
        )
        raise RefusedError(words % {"number": line.number})
    return next(iter(found), None)


def _folded(names: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(language, name.casefold()) for language, name in names.items() if name}


def _understood(number: int, cells: Mapping[str, str], doctors: Mapping[str, list[Practitioner]]) -> Line:
    given = {head: plain(text) for head, text in cells.items()}
    kind = given.get("kind", "").lower()
    if kind not in OfferingKind.values:
        raise RefusedError(_("kind is one of: %(kinds)s.") % {"kinds": ", ".join(OfferingKind.values)})
    names = _in_languages("name", given, 80)
    if not names:
        raise RefusedError(_("Name it in at least one language."))
    price = _price(given.get("price", ""))
    currency = given.get("currency", "").upper()
    if price is not None and currency not in Currency.values:
        raise RefusedError(_("Say in which currency."))
    offered = Offered(
        kind=kind,
        names=names,
        other_words=given.get("other_words", "")[:1000],
        price=price,
        currency=currency if price is not None else "",
        is_public=given.get("public", NO).lower() == YES,
        is_active=given.get("offered", YES).lower() != NO,
        done_by=_doctors(given.get("done_by", ""), doctors),
        preparations=_in_languages("preparation", given, PREPARATION)
        if set(PREPARATIONS) & set(given)
        else None,
        walk_in=_week(given["walk_in"]) if "walk_in" in given else None,
    )
    return Line(number, offered, given.get("batch", "")[:LONGEST_NUMBER], *_counted(given))


def _in_languages(what: str, given: Mapping[str, str], longest: int) -> dict[str, str]:
    heads = {language: f"{what}_{language}" for language in Language.values}
    return {language: given[head][:longest] for language, head in heads.items() if given.get(head)}


def _week(text: str) -> dict[int, list[Stretch]]:
    week: dict[int, list[Stretch]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        day, _space, hours = part.partition(" ")
        try:
            weekday = DAYS.index(day.lower())
            week[weekday] = stretches_in(hours)
        except ValueError as error:
            words = _("Write walk_in as: mon 8:00-12:00; tue 8:00-10:00, 16:00-18:00.")
            raise RefusedError(words) from error
    return week


def plain(text: str) -> str:
    """Without the apostrophe that kept a spreadsheet from running it."""
    text = text.strip()
    return text[1:].strip() if text.startswith("'") else text


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        price = Decimal(text.replace(",", "."))
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or not 0 <= price < Decimal(10_000_000):
        raise RefusedError(_("“%(text)s” is no price.") % {"text": text})
    return price.quantize(Decimal("0.01"))


def _doctors(text: str, known: Mapping[str, list[Practitioner]]) -> list[Practitioner]:
    wanted = [name.strip() for name in text.split(";") if name.strip()]
    return [_doctor(name, known.get(name.casefold(), [])) for name in wanted]


def _doctor(name: str, called_so: Sequence[Practitioner]) -> Practitioner:
    if not called_so:
        raise RefusedError(_("Nobody here is called “%(name)s”.") % {"name": name})
    if len(called_so) > 1:
        words = _(
            "Several here are called “%(name)s”. Leave done_by empty in this line,"
            " and choose who does it on its own page."
        )
        raise RefusedError(words % {"name": name})
    return called_so[0]


def _counted(given: Mapping[str, str]) -> tuple[int, date | None]:
    """Of a batch; a line without one counts nothing."""
    if not given.get("batch"):
        return 0, None
    quantity, until = given.get("quantity", ""), given.get("expires_on", "")
    if not (quantity.isascii() and quantity.isdecimal() and len(quantity) <= DIGITS):
        raise RefusedError(_("Say how many of the batch there are, as a whole number."))
    try:
        return int(quantity), date.fromisoformat(until[:10]) if until else None
    except ValueError as error:
        raise RefusedError(_("Write the last day as year-month-day, e.g. 2027-01-31.")) from error


urlpatterns = [
    path("offerings/file/", file_page, name="offerings_file"),
    path("offerings/file/offerings.csv", download, name="offerings_csv"),
]
