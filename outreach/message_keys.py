"""What each message is for, and what it has to name. A text that leaves one of these out leaves the reader alone."""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ALWAYS = frozenset({"name", "clinic", "link", "phone", "who"})  # true whatever the message is about
WAYS_TO_ANSWER = frozenset({"link", "phone"})


@dataclass(frozen=True)
class About:
    """One message. `needs` is named in every text of it; `written` besides where it is read, not spoken.

    Other times than these need not exist when it leaves, so no text of it may name them.
    """

    title: str | Promise
    needs: frozenset[str] = field(default_factory=frozenset)
    written: frozenset[str] = field(default_factory=frozenset)
    thanks: bool = False
    books: bool = False  # in a call, times for the visit follow it

    @property
    def may_name(self) -> frozenset[str]:
        return ALWAYS | self.needs | self.written


def _about(
    title: str | Promise, needs: str = "", written: str = "", *, thanks: bool = False, books: bool = False
) -> About:
    return About(title, frozenset(needs.split()), frozenset(written.split()), thanks, books)


# In the order in which a patient meets them.
MESSAGES: dict[str, About] = {
    "welcome": _about(_("Welcome before the first visit"), books=True),
    "number_test": _about(_("Test of a number at the desk"), "phone"),
    "next_step": _about(_("A visit can be booked"), books=True),
    "visit_reminder": _about(_("Reminder of a visit"), "date"),
    "thank_you": _about(_("Thank you after a visit"), written="link", thanks=True),
    "thank_stage": _about(_("Thank you after a stage"), written="link", thanks=True),
    "thank_year": _about(_("Thank you after a year"), thanks=True),
    "held_first": _about(_("A time is kept until the doctor has decided"), "date"),
    "institute_reminder": _about(_("Nothing has come from the institute yet")),
    "referral_revoked": _about(_("Nothing is needed from the institute any more")),
    "result_arrived": _about(_("Everything has arrived"), "by"),
    "asked_again": _about(_("What came cannot be opened"), "by"),
    "apology": _about(_("We are late"), "by until"),
    "held_visit": _about(_("A visit is kept: please confirm"), "date", "until"),
    "hold_moved": _about(_("The kept time has moved"), "date"),
    "hold_released": _about(_("The kept time is free again")),
    "no_visit_needed": _about(_("No visit is needed")),
    "more_tests": _about(_("The doctor asks for one more step"), "by"),
    "choose_start": _about(_("When shall we begin?"), books=True),
    "next_stage": _about(_("Time for the next visit of a treatment"), books=True),
    "visit_unsaid": _about(_("About a visit, where its day may not be named"), written="link"),
    "visit_to_move": _about(_("The clinic has to move a visit"), "date", "by", books=True),
    "sooner_time": _about(_("A sooner time is free"), "date", "until"),
    "free_time": _about(_("A time is free for who waits"), "date", "until"),
    "recall": _about(_("Check-up after six months"), books=True),
    "complaint_restated": _about(_("A complaint: how we understood it"), written="link"),
    "complaint_answered": _about(_("A complaint is answered"), written="link"),
    "complaint_changed": _about(_("What a complaint has changed"), written="link"),
    "stopped": _about(_("After STOP: no more messages here"), "phone"),
    "new_link": _about(_("A new link, as the patient asked"), written="link"),
    "call_promised": _about(_("We call when the patient asked"), "by phone"),
    "written_as_asked": _about(_("We write how the patient asked"), "channel hour phone"),
    "quick_suits": _about(_("Ready answer: that suits")),
    "quick_call_by": _about(_("Ready answer: we will call"), "by phone"),
    "quick_call_us": _about(_("Ready answer: please call us"), "phone"),
    "quick_done": _about(_("Ready answer: thank you, done")),
    "call_opening": _about(_("How every call begins"), "clinic who"),
    "after_silence": _about(_("In a call, after several tries in vain")),
    "offer_times": _about(_("In a call: the times that we offer"), "times"),
    "ask_times": _about(_("In a call, where no time is free: which one would suit")),
    "call_closing": _about(_("How every call ends")),
    "ask_to_call_back": _about(_("When somebody else answers the call"), "name phone"),
    "voice_menu": _about(_("Automated call: which key says what")),
    "voice_mailbox": _about(_("Automated call: for an answering machine"), "clinic phone"),
    "voice_confirmed": _about(_("Automated call: the time suits")),
    "voice_another_time": _about(_("Automated call: another time")),
    "voice_no_more": _about(_("Automated call: no more of them")),
}
# What a machine may read out: only what asks to confirm a visit, so that a key is an answer.
READ_OUT = frozenset({"visit_reminder", "held_visit"})
# What is told, not asked: of two parents who live apart, the other is told it too.
TOLD_TO_BOTH = frozenset(
    {
        "apology",
        "asked_again",
        "held_first",
        "hold_moved",
        "hold_released",
        "more_tests",
        "no_visit_needed",
        "referral_revoked",
        "result_arrived",
        "visit_reminder",
        "visit_unsaid",
    }
)
THANKS = frozenset(key for key, message in MESSAGES.items() if message.thanks)
PLACEHOLDER_WORDS = {
    "name": _("first name of the patient"),
    "clinic": _("name of the clinic"),
    "who": _("who speaks: a colleague, or the reception"),
    "link": _("link to the patient's own page"),
    "phone": _("phone number of the clinic"),
    "date": _("day and hour of the visit"),
    "by": _("by when the patient hears from us"),
    "channel": _("on which channel the patient wants messages"),
    "hour": _("from which hour on the patient wants messages"),
    "times": _("the first two times that are free"),
    "until": _("until when we keep it, or what we promised before"),
}


def about(key: str) -> About:
    """A message that the clinic's own journeys name may name every time."""
    return MESSAGES.get(key) or About(key, written=frozenset({"by", "date", "until"}) - ALWAYS)
