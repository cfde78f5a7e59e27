"""PURE. A certificate of completion as one landscape page, with the fonts that every reader has.

These have the letters of Western Europe only. A Burmese name would need a font and a shaper in the portal, and a
certificate with question marks is none: `unprintable` says which letters stand in the way, and whoever issues it gives
a spelling. The public page, which browsers shape, shows the name as its owner writes it as well.
"""

import unicodedata

import pydyf

from labs.printing import finished, font_of

WIDTH, HEIGHT = 842, 595  # points, A4 on its side
INK, GREY, LINE = (0.07, 0.08, 0.11), (0.34, 0.36, 0.43), (0.92, 0.59, 0.06)
# Widths of Helvetica's letters in thousandths, from Adobe's metrics, by which lines are centred.
NARROW = {**dict.fromkeys("ijl'", 222), **dict.fromkeys("fIt.,:;/!| ", 278), **dict.fromkeys("r-()", 333)}
WIDE = {**dict.fromkeys("mM", 833), "W": 944, **dict.fromkeys("wCDHNRU&", 722), **dict.fromkeys("GOQ", 778), "@": 1015}
MIDDLE = {**dict.fromkeys("ABEKPSVXY", 667), **dict.fromkeys("FTZ", 611), **dict.fromkeys("cksvxyzJ", 500)}
ADVANCE = NARROW | WIDE | MIDDLE


def unprintable(text):
    """The letters of a text that this page cannot show, each once; "" when there are none."""
    found = []
    for letter in unicodedata.normalize("NFC", text):
        try:
            letter.encode("cp1252")
        except UnicodeEncodeError:
            found += [letter] if letter not in found else []
    return "".join(found)


def pdf_of(*, name, course, cohort, case_studies, issued_at, school, address):
    """The page as bytes, its day in the zone in which issued_at comes.

    Raises ValueError for a name that it cannot show; other texts show "?" there.
    """
    if unprintable(name):
        raise ValueError(f"{name!r} has letters that this page cannot show.")
    document = pydyf.PDF()
    fonts = pydyf.Dictionary({"Plain": font_of(document, "Helvetica"), "Bold": font_of(document, "Helvetica-Bold")})
    stream = pydyf.Stream(compress=True)
    stream.set_color_rgb(*LINE, stroke=True)
    stream.set_line_width(2)
    stream.rectangle(28, 28, WIDTH - 56, HEIGHT - 56)
    stream.stroke()
    day = f"{issued_at:%d %B %Y}".lstrip("0")
    studies = f"{case_studies} case stud{'y' if case_studies == 1 else 'ies'}, each reviewed"
    lines = [
        (school, "Bold", 14, 500, GREY),
        ("Certificate of completion", "Bold", 34, 430, INK),
        ("This is to certify that", "Plain", 14, 380, GREY),
        (name, "Bold", 30, 330, INK),
        ("completed the course", "Plain", 14, 288, GREY),
        (course, "Bold", 22, 250, INK),
        (f"{cohort}. {studies}. {day}.", "Plain", 13, 214, GREY),
        ("Anybody can check this certificate at", "Plain", 11, 110, GREY),
        (address, "Plain", 11, 92, INK),
    ]
    stream.begin_text()
    for text, font, size, y, colour in lines:
        text = unicodedata.normalize("NFC", text)
        size = min(size, size * (WIDTH - 120) / max(1, _width(text, size, font)))
        stream.set_color_rgb(*colour)
        stream.set_font_size(font, round(size, 2))
        stream.set_text_matrix(1, 0, 0, 1, round((WIDTH - _width(text, size, font)) / 2, 2), y)
        stream.show_text_string(text.encode("cp1252", "replace"))
    stream.end_text()
    document.add_object(stream)
    page = {
        "Type": "/Page",
        "Parent": document.pages.reference,
        "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
        "Resources": pydyf.Dictionary({"Font": fonts}),
        "Contents": stream.reference,
    }
    document.add_page(pydyf.Dictionary(page))
    return finished(document, title=f"Certificate of completion, {name}", made_at=issued_at)


def _width(text, size, font):
    return sum(ADVANCE.get(letter, 556) for letter in text) * size / 1000 * (1.06 if font == "Bold" else 1)
