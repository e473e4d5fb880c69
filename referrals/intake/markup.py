"""The words of an HTML mail, for reading and searching. One pass, linear on any input, never fails."""

import html
import re

_BREAKS = frozenset(
    (
        "br",
        "p",
        "div",
        "tr",
        "li",
        "ul",
        "ol",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "blockquote",
    )
)
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset(("script", "style", "head", "title"))
_TAG = re.compile(r"(/?)([A-Za-z][A-Za-z0-9]{0,20})")


def text_of(markup: str) -> str:
    """Drop the tags; a block ends a line and a cell ends with a tab, so a label and its value stay apart."""
    pieces: list[str] = []
    silent = ""
    first, *rest = markup.split("<")
    pieces.append(first)
    for piece in rest:
        inside, closed, after = piece.partition(">")
        tag = _TAG.match(inside)
        name = tag[2].lower() if tag else ""
        if silent:
            if name == silent and tag and tag[1]:
                silent = ""
            else:
                continue
        elif name in _SILENT and tag and not tag[1]:
            silent = name
            continue
        if tag is None and not inside.startswith(("!", "?", "/")):
            pieces.append(f"<{piece}")
            continue
        pieces.append("\n" if name in _BREAKS else "\t" if name in _CELLS else "")
        pieces.append(after if closed else "")
    text = html.unescape("".join(pieces)).replace("\xa0", " ")
    lines = (
        re.sub(r" *\t[ \t]*", "\t", re.sub(r"[ \r\f\v]+", " ", line)).strip() for line in text.split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
