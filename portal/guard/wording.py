"""Where something was found, and why something could not be read, in the reader's language.

The scanner writes English, and that is kept: one look is for all who may ever read it, and its process knows no
languages. Here each of its phrases is known, with its figure left open; names of files stay what they are.
"""

import re

from django.utils.translation import gettext, gettext_noop

PLACES = {
    gettext_noop("line %(n)s"),
    gettext_noop("cell %(n)s"),
    gettext_noop("page %(n)s"),
    gettext_noop("output"),
    gettext_noop("its metadata"),
    gettext_noop("its strings"),
    gettext_noop("the notebook's metadata"),
    gettext_noop("the PDF's properties"),
}
REASONS = {
    gettext_noop("it unpacks to more than %(n)s MB"),
    gettext_noop("it holds more than %(n)s files"),
    gettext_noop("it is nested too deep"),
    gettext_noop("it is larger than %(n)s MB"),
    gettext_noop("it needs more memory than we give it"),
    gettext_noop("it is not on our disk"),
    gettext_noop("it took longer than %(n)s s"),
    gettext_noop("our scanner could not cope with it"),
    gettext_noop("archives lie %(n)s deep in one another"),
    gettext_noop("the PDF has more than %(n)s pages"),
    gettext_noop("the PDF is locked by a password"),
    gettext_noop("the PDF is broken"),
    gettext_noop("the archive is locked by a password"),
    gettext_noop("the archive is cut off or broken"),
    gettext_noop("the archive is broken"),
    gettext_noop("the archive is broken, or packed in a way that we cannot read"),
}
FIGURE = re.compile(r"\d[\d,]*")


def place(where: str) -> str:
    """Of "notes.txt in work.zip, line 2": "line 2" in the reader's language, the rest as it is."""
    return ", ".join(_said(part, PLACES) for part in where.split(", "))


def reason(why: str) -> str:
    """Of "inner.zip: the archive is broken" what follows the names."""
    names, colon, words = why.rpartition(": ")
    return names + colon + _said(words, REASONS)


def _said(words, known):
    figure = FIGURE.search(words)
    message = FIGURE.sub("%(n)s", words, count=1)
    if message not in known:
        return words
    return gettext(message) % {"n": figure[0]} if figure else gettext(message)
