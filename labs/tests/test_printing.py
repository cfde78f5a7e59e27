"""A text as a PDF: read back by another library, strictly."""

import re
from datetime import UTC, datetime
from io import BytesIO

from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from labs import printing

MADE_AT = datetime(2025, 9, 18, 8, 17, tzinfo=UTC)
PRINTABLE = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA1, 0x100)])) + "€–—„“”‘’…"


def read(text):
    pdf = printing.pdf_of(text, title="A title", made_at=MADE_AT)
    return PdfReader(BytesIO(pdf), strict=True)


def lines_of(reader):
    return [line for page in reader.pages for line in page.extract_text().splitlines()]


def test_what_is_in_the_text_is_in_the_pdf_line_by_line():
    text = "CERTIFICATE OF ABSENCE\n\nLab  s3-for-ml\n- S3 bucket: a (b) \\ c\n  us-east-1; gone"
    reader = read(text)
    assert [line.split() for line in lines_of(reader) if line.strip()] == [
        line.split() for line in text.splitlines() if line
    ]
    assert reader.metadata.title == "A title"
    assert reader.metadata.creation_date == MADE_AT
    assert len(reader.pages) == 1


def test_every_offset_of_its_table_is_where_the_object_begins():
    pdf = printing.pdf_of("One\nTwo", title="t", made_at=MADE_AT)
    table = int(pdf.rsplit(b"startxref", 1)[1].split()[0])
    assert pdf[table:].startswith(b"xref")
    entries = [line.split() for line in pdf[table:].split(b"trailer")[0].splitlines()[2:]]
    assert len(entries) > 5
    for number, (offset, _, free) in enumerate(entries):
        if free == b"n":
            assert pdf[int(offset) :].startswith(b"%d 0 obj" % number)


def test_its_fonts_are_those_that_every_reader_has_in_western_letters():
    fonts = read("Hello").pages[0]["/Resources"]["/Font"]
    told = {name: (font["/BaseFont"], font["/Encoding"]) for name, font in fonts.items()}
    assert told == {"/Regular": ("/Courier", "/WinAnsiEncoding"), "/Bold": ("/Courier-Bold", "/WinAnsiEncoding")}


def test_western_letters_are_shown_as_they_are():
    composed, of_two = "Zoë of São Paulo: €5 – “here”", "Zoe\u0308 of Sa\u0303o Paulo: €5 – “here”"
    assert composed in lines_of(read(composed))
    assert lines_of(read(of_two)) == lines_of(read(composed)), "and where a letter is written as two, without excuses"


def test_a_burmese_name_is_question_marks_and_the_document_says_so():
    said = " ".join(lines_of(read("Started by အေးအေး, aye@example.org")))
    assert "Started by ??????, aye@example.org" in said
    assert "a question mark in it. The same certificate as a text file has them all." in " ".join(said.split())


def test_a_question_mark_of_the_text_itself_needs_no_excuse():
    assert "question mark" not in " ".join(lines_of(read("Gone?")))


def test_long_lines_are_wrapped_under_their_indentation_and_many_go_over_pages():
    text = "\n".join(["Head", "  " + "word " * 60, *(f"line {n}" for n in range(150))])
    reader = read(text)
    lines = lines_of(reader)
    assert len(reader.pages) == 3
    assert max(map(len, lines)) <= printing.COLUMNS
    assert [line for line in lines if line.startswith("line")] == [f"line {n}" for n in range(150)]


def test_a_name_longer_than_a_line_loses_nothing():
    name = "x" * 200
    assert "".join(part.strip() for part in lines_of(read(name))) == name


def test_nothing_is_a_page_too():
    assert len(read("").pages) == 1


@given(st.text(alphabet=PRINTABLE, min_size=1, max_size=80))
def test_any_western_text_comes_back(text):
    words = "".join(lines_of(read("Begins\n" + text))).replace(" ", "")
    assert words == "Begins" + text.replace(" ", "")


def test_a_certificate_says_of_each_whether_the_lab_or_somebody_by_hand_made_it_or_nobody():
    gone = {"kind": "S3 bucket", "region": "us-east-1", "gone": "08:30", "why": "seen absent"}
    rows = [
        gone | {"name": "data", "id": "data", "made": "08:17"},
        gone | {"name": "mine", "id": "mine", "made": None},
        gone | {"name": "late", "id": "", "made": None},
    ]
    said = render_to_string("labs/certificate.txt", {"proof": {"rows": rows}})
    assert re.findall(r"us-east-1; (.*); gone 08:30", said) == ["asked for 08:17", "made by hand", "never made"]
