"""A gradebook's file, read: which points it gives to whom, and which lines cannot be read."""

import csv
from dataclasses import dataclass, field
from io import StringIO

from django.utils.translation import gettext as _

from portal.filing import Refused

PERSON = ("id", "name", "email")
MOST_LINES = 2_000


@dataclass(frozen=True)
class Entry:
    """One line: whose (the stable id of a membership), and {column: points or None for an empty cell}."""

    line: int
    id: int
    points: dict = field(default_factory=dict)


def read(text, columns):
    """([Entry], [(line, what is wrong)]) of a CSV with a heading. columns: the headings that hold points.

    Separators are commas, semicolons or tabs, as spreadsheets of different countries write. Other columns are not read.
    Raises Refused for what has no column `id`, and for one heading twice.
    """
    text = text.removeprefix("\ufeff")
    head_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=head_line.count)
    lines = csv.reader(StringIO(text, newline=""), delimiter=separator)
    try:
        head = [name.strip() for name in next(lines, [])]
        body = [(lines.line_num, cells) for cells in lines if any(cell.strip() for cell in cells)]
    except csv.Error as wrong:
        raise Refused(_("This is not a CSV file: %(why)s.") % {"why": wrong}) from wrong
    if "id" not in head:
        raise Refused(_("The first line has no column “id”. Download the gradebook, change it, and send that file."))
    twice = {name for name in head if name and head.count(name) > 1 and (name in columns or name == "id")}
    if twice:
        raise Refused(_("The column %(names)s is there twice.") % {"names": ", ".join(sorted(twice))})
    if not columns & set(head):
        raise Refused(
            _("No column of this file holds points of this course. Download the gradebook to see their names.")
        )
    if len(body) > MOST_LINES:
        words = _("The file has %(lines)s lines; up to %(most)s can be read.")
        raise Refused(words % {"lines": f"{len(body):,}", "most": f"{MOST_LINES:,}"})
    entries, wrong = [], []
    for number, cells in body:
        try:
            entries.append(_entry(number, dict(zip(head, cells, strict=False)), columns))
        except Refused as refusal:
            wrong.append((number, str(refusal)))
    return entries, wrong


def _entry(line, cells, columns):
    who = cells.get("id", "").strip()
    if not who.isdecimal() or len(who) > 18:
        raise Refused(_("“%(text)s” is no id.") % {"text": who[:40]} if who else _("The id is missing."))
    return Entry(line, int(who), {name: _points(name, cells[name]) for name in columns if name in cells})


def _points(name, cell):
    text = cell.strip().removeprefix("'")
    if not text:
        return None
    # Spreadsheets write 4 as 4.0, and some countries as 4,0.
    whole, _dot, rest = text.replace(",", ".").partition(".")
    if not whole.isascii() or not whole.lstrip("-").isdecimal() or rest.strip("0") or len(whole) > 6:
        words = _("“%(text)s” in column %(column)s is no whole number of points.")
        raise Refused(words % {"text": text[:40], "column": name})
    return int(whole)
