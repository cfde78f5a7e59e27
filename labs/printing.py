"""PURE. A plain text as a PDF, to keep and to print: A4, one fixed-width font of those that every reader has.

These fonts have the letters of Western Europe only (WinAnsi). Others cannot be shown without shipping fonts and shaping
their scripts: each is shown as "?", and the document says so, and where the whole text is to be had.
"""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import UTC, datetime
from io import BytesIO

import pydyf

WIDTH, HEIGHT, MARGIN = 595, 842, 50  # points
SIZE, LEADING = 9, 12
COLUMNS = int((WIDTH - 2 * MARGIN) / (SIZE * 0.6))  # each letter of Courier is 0.6 of its size wide
LINES = (HEIGHT - 2 * MARGIN) // LEADING
SAYS_SO = (
    "Letters that this PDF cannot show (of Burmese, say) are a question mark in it. The same certificate as a text "
    "file has them all."
)


def pdf_of(text: str, *, title: str, made_at: datetime) -> bytes:
    """The text as a PDF, its first line in bold. Long lines are wrapped under their own indentation."""
    lines = [part for line in unicodedata.normalize("NFC", text).splitlines() for part in _wrapped(line)]
    if any(_shown(letter) == b"?" and letter != "?" for line in lines for letter in line):
        lines += ["", *_wrapped(SAYS_SO)]
    document = pydyf.PDF()
    fonts = pydyf.Dictionary({"Regular": font_of(document, "Courier"), "Bold": font_of(document, "Courier-Bold")})
    pages = [lines[start : start + LINES] for start in range(0, len(lines), LINES)] or [[]]
    for number, page in enumerate(pages):
        stream = _page(page, first=number == 0)
        document.add_object(stream)
        document.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": document.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
                    "Resources": pydyf.Dictionary({"Font": fonts}),
                    "Contents": stream.reference,
                }
            )
        )
    return finished(document, title=title, made_at=made_at)


def finished(document: pydyf.PDF, *, title: str, made_at: datetime) -> bytes:
    """The document as bytes, with what readers show of it."""
    document.catalog["Lang"] = pydyf.String("en")
    document.info["Title"] = pydyf.String(title)
    document.info["Producer"] = pydyf.String("Lightsout")
    document.info["CreationDate"] = pydyf.String(f"D:{made_at.astimezone(UTC):%Y%m%d%H%M%S}Z")
    out = BytesIO()
    document.write(out, identifier=True)
    return out.getvalue()


def _wrapped(line: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())] + "  "
    return textwrap.wrap(line, COLUMNS, subsequent_indent=indent, replace_whitespace=False, drop_whitespace=True) or [
        ""
    ]


def _shown(words: str) -> bytes:
    return words.encode("cp1252", "replace")


def font_of(document: pydyf.PDF, name: str) -> bytes:
    """The reference of one of the fonts that every reader has, with the letters of WinAnsi."""
    font = pydyf.Dictionary(
        {"Type": "/Font", "Subtype": "/Type1", "BaseFont": f"/{name}", "Encoding": "/WinAnsiEncoding"}
    )
    document.add_object(font)
    return font.reference


def _page(lines: list[str], *, first: bool) -> pydyf.Stream:
    stream = pydyf.Stream(compress=True)
    stream.begin_text()
    for number, line in enumerate(lines):
        stream.set_font_size("Bold" if first and number == 0 else "Regular", SIZE)
        stream.set_text_matrix(1, 0, 0, 1, MARGIN, HEIGHT - MARGIN - SIZE - number * LEADING)
        stream.show_text_string(_shown(line))
    stream.end_text()
    return stream
