"""A mail as it was typed: without what the mail program quotes below it. Pure."""

import re

# The line above a quotation: "On Monday Dana wrote:" in any language ends with a colon and names an address or a day.
_LEADS_IN = re.compile(r"^(?=.*(?:@|\d)).{4,200}[:\uff1a]\s*$")
_RULER = re.compile(
    r"^\s*(?:-{2,}\s?[^-].*-{2,}|_{8,})\s*$"
)  # "-----Original Message-----", and Outlook's line
# Outlook's header of what it quotes, where it draws no line above it.
_QUOTED_HEAD = re.compile(r"^\*?(?:From|מאת|От|من)\*?:\s.*\n\*?[^\n:]{2,20}\*?:\s", re.IGNORECASE)
_SIGNATURE = re.compile(r"^-- ?$")


def own_words(text: str) -> str:
    """What stands above the quotation and the signature; the whole text where nothing stands above them."""
    lines = text.replace("\r\n", "\n").split("\n")
    own = "\n".join(lines[: _first_foreign(lines)]).strip()
    return own or text.strip()


def _first_foreign(lines: list[str]) -> int:
    for number, line in enumerate(lines):
        is_head = _QUOTED_HEAD.match("\n".join(lines[number : number + 2]))
        if is_head or _RULER.match(line) or _SIGNATURE.match(line):
            return number
        if line.lstrip().startswith(">"):
            return _above(lines, number)
    return len(lines)


def _above(lines: list[str], quoted: int) -> int:
    """The line that leads in belongs to the quotation; mail programs break it in two, and leave a gap below it."""
    end = quoted
    while end and not lines[end - 1].strip():
        end -= 1
    for number in range(end - 1, max(end - 4, -1), -1):
        said = " ".join(line.strip() for line in lines[number:end])
        is_whole = said.count("<") >= said.count(">")
        if not lines[number].strip():
            break
        if is_whole and _LEADS_IN.match(said):
            return number
    return quoted
