"""The week as a PDF of one page: letters joined and ordered as they are read, in Hebrew and Arabic too."""

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language, get_language_bidi

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = settings.BASE_DIR / "static" / "vendor" / "dejavu" / "DejaVuSans.ttf"
MARGIN = 12  # millimetres
STEP, NUMBER, WAIT = 24, 9, 13  # shares of the columns: two of steps, of numbers, the last three of waits
SIZES = (1.0, 0.9, 0.8, 0.7, 0.6)  # of the letters: as large as one page allows
Stories = list[tuple[str, list[list[str]]]]


def page_of(stories: Stories, title: str, clinic: str, cut: str = "") -> bytes:
    """A4, lying. The first row of each table is its head; `cut` says what the page does not hold.

    The letters shrink until everything is on one page; what is too much for the smallest goes on to another one.
    """
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every table of the font it looks at
    for size in SIZES:
        pdf = _drawn(stories, title, clinic, cut, size)
        if pdf.pages_count == 1:
            break
    return bytes(pdf.output())


def _drawn(stories: Stories, title: str, clinic: str, cut: str, size: float) -> "FPDF":
    from fpdf import FPDF  # noqa: PLC0415 - slow import

    is_rtl = get_language_bidi()
    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(True, MARGIN)  # noqa: FBT003 - its own signature
    pdf.set_title(f"{clinic}: {title}")
    pdf.set_lang(get_language() or "en")
    pdf.add_font("DejaVu", fname=FONT)
    pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if is_rtl else "ltr")
    pdf.add_page()
    start = "R" if is_rtl else "L"
    line(pdf, f"{clinic}: {title}", 14 * size, start)
    for words, rows in stories:
        pdf.ln(3 * size)
        line(pdf, words, 10 * size, start)
        table(pdf, rows, size, is_rtl=is_rtl)
    if cut:
        pdf.ln(2 * size)
        line(pdf, cut, 8 * size, start)
    return pdf


def line(pdf: "FPDF", words: str, size: float, align: str) -> None:
    pdf.set_font("DejaVu", size=size)
    pdf.multi_cell(0, size * 0.5, words, align=align, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def table(pdf: "FPDF", rows: list[list[str]], size: float, *, is_rtl: bool) -> None:
    """Columns in the order in which the page is read."""
    from fpdf.fonts import FontFace  # noqa: PLC0415 - slow import

    pdf.set_font("DejaVu", size=8 * size)
    order = slice(None, None, -1) if is_rtl else slice(None)
    wide = (STEP, STEP, *[NUMBER] * (len(rows[0]) - 5), WAIT, WAIT, WAIT)
    with pdf.table(
        col_widths=wide[order],
        text_align="RIGHT" if is_rtl else "LEFT",
        headings_style=FontFace(emphasis=None, fill_color=(240, 242, 245)),
        borders_layout="HORIZONTAL_LINES",
        line_height=4.5 * size,
    ) as drawn:
        for cells in rows:
            row = drawn.row()
            for cell in cells[order]:
                row.cell(cell)
