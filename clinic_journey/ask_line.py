"""What to say to somebody who asks, in words that can be read aloud: whether, for how much, and when.

Facts in, words out, in the language that is active. Nothing in it asks the caller who she is.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from clinic_journey.caller_line import Clock
from clinic_journey.week_words import suiting
from inquiries.queries import Answer
from patients.models import Clinic


def spoken(answer: Answer, clock: Clock) -> str:
    return " ".join(
        filter(
            None,
            [
                _whether(answer),
                _price(answer),
                _walk_in(answer, clock),
                _when(answer, clock),
                _before(answer),
            ],
        )
    )


def to_check() -> str:
    """Nothing on the list is called that, which may be the fault of the list."""
    return _("I have to check that, and I will tell you.")


def not_offered() -> str:
    return _("I am sorry, we do not have that.")


def not_for_us() -> str:
    return _("I am sorry, we cannot help with that here.")


def turn_to(where: str) -> str:
    return _("For that, please turn to: %(where)s") % {"where": where}


class _InFull(Clock):
    """For what is read later: “today” would be another day by then."""

    def said(self, at: datetime) -> str:
        return self.in_full(at)


def written(answer: Answer, clock: Clock) -> str:
    """The same to be read: the hours of a week instead of today's, and times with their dates."""
    full = _InFull(clock.now, clock.zone)
    said = [_whether(answer), _price(answer), _week(answer), _when(answer, full), _before(answer)]
    return " ".join(filter(None, said))


def letter(clinic: Clinic, answer: str) -> str:
    """Who writes, the answer, and where to ask more."""
    said = {"clinic": clinic.sender_name or clinic.name, "answer": answer, "phone": clinic.phone.as_national}
    return _("%(clinic)s: %(answer)s Any question? Call %(phone)s.") % said


def _week(answer: Answer) -> str:
    """Between two hours stands a word: a dash would turn them around where one reads from the right."""
    if not answer.available:
        return ""
    said = []
    for days, start, end in suiting(answer.offering.walk_in.all()):
        hours = {"days": days or _("every day"), "start": f"{start:%H:%M}", "until": f"{end:%H:%M}"}
        said.append(_("%(days)s between %(start)s and %(until)s") % hours)
    return _("Without an appointment: %(hours)s.") % {"hours": "; ".join(said)} if said else ""


def _whether(answer: Answer) -> str:
    what = {"what": answer.offering.name}
    if answer.available is None:
        return _("%(what)s: I have to check whether we have it.") % what
    if not answer.available:
        return _("%(what)s: I am sorry, there is none left at the moment.") % what
    if answer.offering.is_counted:
        return _("%(what)s: yes, we have it.") % what
    return _("%(what)s: yes, we do it here.") % what


def _price(answer: Answer) -> str:
    """What it costs without any insurance, so that nobody has to be asked for one."""
    price = answer.offering.price_words
    return _("It costs %(price)s at most.") % {"price": price} if price else _("I have to ask for the price.")


def _walk_in(answer: Answer, clock: Clock) -> str:
    if answer.walk_in is None:
        return ""
    until = clock.hour(answer.walk_in.until)
    if answer.walk_in.is_now:
        return _("Without an appointment: today until %(until)s.") % {"until": until}
    said = {"when": clock.said(answer.walk_in.start), "until": until}
    return _("Without an appointment: %(when)s until %(until)s.") % said


def _before(answer: Answer) -> str:
    """What to do or bring, so that nobody comes in vain."""
    words = answer.offering.preparation.rstrip(" .")
    if not words or answer.available is False:
        return ""
    return _("Before you come: %(words)s.") % {"words": words}


def _when(answer: Answer, clock: Clock) -> str:
    if answer.available is False or answer.offering.visit_type is None:
        return ""
    if answer.is_nobodys:
        return _("I have to check when there is time for it.")
    times = [clock.said(each.at) for each in answer.times[:2]]
    if not times:
        return _("There is no free time in the next two weeks.")
    if len(times) == 1:
        return _("Would %(when)s suit you?") % {"when": times[0]}
    return _("Would %(first)s or %(second)s suit you?") % {"first": times[0], "second": times[1]}
