"""The pages and rows of the audit trail in words. One that is missing here is shown by its own name."""

from django.utils.translation import gettext_lazy as _

from clinic_journey.audit.watched import WATCHED

PAGES = {
    "patient": _("Patient's record"),
    "patients:list": _("List of patients"),
    "list": _("List of patients"),
    "search": _("Search"),
    "today": _("Today"),
    "results": _("Results"),
    "calendar": _("Calendar"),
    "calendar_week": _("Week of the calendar"),
    "calendar_feed": _("Picture of the week"),
    "calendar_print": _("Day of the calendar on paper"),
    "appointment": _("Visit"),
    "appointment_move": _("Moving a visit"),
    "book_visit": _("Booking a visit"),
    "referral": _("Referral"),
    "refer": _("Writing a referral"),
    "refused_holds": _("Referrals without a held visit"),
    "file": _("A file of a result"),
    "image": _("A picture of a result"),
    "other_times": _("Other times for a visit"),
    "card": _("Service card"),
    "cards": _("Service cards still to be asked"),
    "merge": _("Two records of one person"),
    "address_add": _("A new phone or e-mail"),
    "messenger": _("Telegram’s link"),
    "channels": _("Channels"),
    "address": _("Phone or e-mail"),
    "address_test": _("Test of a phone or e-mail"),
    "matches": _("Search for a caller"),
    "caller": _("A caller's questions"),
    "silent": _("Silent patients"),
    "silent_patient": _("A silent patient"),
    "waiting": _("Waiting list"),
    "offer_time": _("Offering a free time"),
    "wait": _("Joining the waiting list"),
    "ledgers": _("Chases and promises"),
    "schedules": _("Hours of doctors"),
    "import": _("An import"),
    "import_columns": _("Columns of an import"),
    "import_left_out": _("Rows left out of an import"),
    "patient_page": _("The patient's own page"),
    "patient_answer": _("Answer on the patient's own page"),
    "patient_identify": _("Saying who she is, on the patient's own page"),
    "patient_card": _("Service card on the patient's own page"),
    "patient_visit_file": _("A visit for the patient's calendar"),
    "upload": _("Upload by the institute"),
    "login": _("Login"),
    "audit": _("Audit trail"),
    "audit_export": _("Audit trail as a file"),
}
ROWS = {
    "contactpoint": _("Phone or e-mail"),
    "gate": _("The gate"),
    "allowedaddress": _("Address that gets messages while the gate is shut"),
    "patientcontact": _("Whose phone or e-mail it is"),
    "servicecard": _("Service card"),
    "contactwindow": _("Hours to be reached"),
    "consent": _("Consent"),
    "result": _("Result"),
    "incomingdocument": _("Incoming document"),
}
WHAT_WORDS = {**PAGES, **ROWS}
# Columns whose own name says it badly.
CHANGED_WORDS = {
    "may_tell": _("who else may be told"),
    "told_at": _("told at"),
    "told_to": _("told to"),
    "may_leave_voicemail": _("voice message allowed"),
    "ended_because": _("reason"),
    "superseded_at": _("replaced at"),
}
CHOICES = sorted({*PAGES, *(watched.model._meta.model_name or "" for watched in WATCHED)} - {"patients:list"})
