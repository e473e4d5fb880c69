"""Words for the codes under which intake and matching say what is wrong."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    # Why no referral was chosen (matching.Reason).
    "nothing_said": _("It does not say whom it is about."),
    "not_found": _("Nobody we wait for fits what it says."),
    "contradiction": _("It names one patient and states another one's ID, birth date or referral."),
    "several": _("It fits more than one referral."),
    "name_only": _("Only the name fits; a name alone is not enough."),
    "birth_date_only": _("Only the birth date fits."),
    "unknown_code": _("Its referral code is closed or not ours."),
    "several_codes": _("It names more than one referral code."),
    # What is wrong with it (intake.base.Problem).
    "unknown_charset": _("Some letters could not be read; check the name."),
    "broken_mime": _("The mail is damaged; something may be missing."),
    "too_deep": _("The mail is nested too deeply to be opened."),
    "too_many_parts": _("The mail has too many parts; only the first were opened."),
    "text_cut": _("The text is too long; only its beginning was read."),
    "no_attachment": _("No file is attached. Ask the institute to send it again."),
    "empty_attachment": _("The file is empty. Ask for it once more."),
    "oversized_attachment": _("The file is too large. Ask for it in parts, or smaller."),
    "type_mismatch": _("The file is not what its name says."),
    "unsupported_type": _(
        "This kind of file is not accepted. A result comes as PDF, JPEG, PNG, TIFF or DICOM."
    ),
    "winmail": _("Outlook packed the file as winmail.dat. Ask for it as a plain attachment."),
    # What became of reading it (arrivals).
    "unreadable": _("It could not be read."),
}


def in_words(code: str) -> str:
    """A code that has no words yet is shown as it is: better than nothing."""
    return str(WORDS.get(code, code))
