"""A mail as it was typed: without what the mail program quotes below it. Pure."""

import re

# The line above a quotation: "On Monday Dana wrote:" in any language ends with a colon and names an address or a day.
_LEADS_IN = re.compile(r"^(?=.*(?:@|\d)).{4,200}[:\uff1a]\s*$")
_RULER = re.compile(
    r"^\s*(?:-{2,}\s?[^-].*-{2,}|_{8,})\s*$"
)  # "-----Original Message-----", and Outlook's line
_SIGNATURE = re.compile(r"^-- ?$")


def own_words(text: str) -> str:
    """What stands above the quotation and the signature; the whole text where nothing stands above them."""
    lines = text.replace("\r\n", "\n").split("\n")
    own = "\n".join(lines[: _first_foreign(lines)]).strip()
    return own or text.strip()


def _first_foreign(lines: list[str]) -> int:
    for number, line in enumerate(lines):
        if _RULER.match(line) or _SIGNATURE.match(line):
            return number
        if line.lstrip().startswith(">"):
            return _above(lines, number)
    return len(lines)


def _above(lines: list[str], quoted: int) -> int:
    """The line that leads in belongs to the quotation; mail programs break it in two, and leave a gap."""
    for number in range(quoted - 1, max(quoted - 4, -1), -1):
        said = " ".join(line.strip() for line in lines[number:quoted] if line.strip())
        if said and _LEADS_IN.match(said):
            return number
    return quoted
