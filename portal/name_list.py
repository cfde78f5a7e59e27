"""A list of people as an instructor has it: CSV, a spreadsheet's columns, or lines copied from a mail."""

import csv
import io
from email.utils import parseaddr
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

MOST = 1000
LONGEST_NAME = 150
HEADINGS = {"name", "email", "e-mail", "mail", "address", "first name", "last name", "student", "email address"}


class Unreadable(ValueError):
    """The whole list cannot be read, and why, in words for who sent it."""


class Person(NamedTuple):
    line: int
    email: str
    name: str


class BadLine(NamedTuple):
    line: int
    text: str
    why: str


def decoded(content):
    """The text of an uploaded file. Raises Unreadable for what is no text."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Unreadable(_("This file is no plain text. Save it as CSV (UTF-8) and choose it again."))
    return text


def read(text):
    """([Person], [BadLine]), both in the order of the list; lines are counted from 1.

    The cell with an @ is the address, the others are the name, in whatever order and whatever stands between them.
    Raises Unreadable for a list that is empty, or too long to have been meant.
    """
    people, bad, first = [], [], {}
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row if cell.strip()]
            if not cells or (not people and not bad and _is_heading(cells)):
                continue
            if len(people) + len(bad) >= MOST:
                raise Unreadable(_("This list has more than %(most)s lines. Send it in parts.") % {"most": MOST})
            name, email, why = _read_one(cells)
            if not why and email in first:
                why = _("The same address as in line %(line)s.") % {"line": first[email]}
            if why:
                bad.append(BadLine(rows.line_num, ", ".join(cells)[:200], why))
            else:
                first[email] = rows.line_num
                people.append(Person(rows.line_num, email, name))
    except csv.Error as broken:
        words = _("Line %(line)s cannot be read as CSV: %(why)s.")
        raise Unreadable(words % {"line": rows.line_num, "why": broken}) from None
    if not people and not bad:
        raise Unreadable(_("There is nobody on this list. Write one person a line: name, address."))
    return people, bad


def _delimiter(text):
    head = text[:5000]
    return max("\t;,", key=head.count)


def _is_heading(cells):
    return not any("@" in cell for cell in cells) and any(cell.lower() in HEADINGS for cell in cells)


def _read_one(cells):
    with_at = [cell for cell in cells if "@" in cell]
    if len(with_at) != 1:
        return "", "", _("More than one address in this line.") if with_at else _("No address in this line.")
    name, email = parseaddr(with_at[0])
    name = " ".join([*(cell for cell in cells if cell is not with_at[0]), *([name] if name else [])])
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        return "", "", _("%(text)s is no mail address.") % {"text": with_at[0][:80]}
    if len(name) > LONGEST_NAME:
        return "", "", _("The name has more than %(most)s characters.") % {"most": LONGEST_NAME}
    return " ".join(name.split()), email, ""
