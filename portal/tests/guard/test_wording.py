"""What the scanner writes in English is said in the reader's language: all of it, and nothing else of it."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from portal.guard import advice, patterns, reading, wording

GUARD = Path(reading.__file__).parent


def written(node):
    """The text of a literal, each figure of it as "7"."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def calls(name):
    """Every call of `name` in the scanner's source."""
    trees = [ast.parse((GUARD / file).read_text()) for file in ("reading.py", "apart.py")]
    return [node for tree in trees for node in ast.walk(tree) if getattr(getattr(node, "func", None), "id", "") == name]


def reasons():
    """Every reason in the scanner's source: of Unreadable(...), of Report(trouble=...), of apart's why()."""
    found = [call.args[0] for call in calls("Unreadable")]
    for report in calls("Report"):
        found += [one for trouble in report.keywords for one in getattr(trouble.value, "elts", [])]
    why = next(
        node for node in ast.walk(ast.parse((GUARD / "apart.py").read_text())) if getattr(node, "name", "") == "why"
    )
    found += [why.body[0].value.body, why.body[0].value.orelse]
    return {wording.FIGURE.sub("%(n)s", words, count=1) for words in map(written, found) if words}


def places():
    """Every place in it: of Piece(text, path, place)."""
    found = [call.args[2] for call in calls("Piece") if len(call.args) > 2]
    found += [one.value for call in calls("Piece") for one in call.keywords if one.arg == "part"]
    return {wording.FIGURE.sub("%(n)s", part) for words in map(written, found) if words for part in words.split(", ")}


@pytest.fixture
def shouting(monkeypatch):
    """A language in which every message is itself in capitals, its placeholders aside."""

    def gettext(message):
        return re.sub(r"(%\(\w+\)s)|[a-z]", lambda found: found[1] or found[0].upper(), message)

    monkeypatch.setattr(translation._trans, "gettext", gettext)
    with translation.override("my"):
        yield


def test_every_reason_and_place_of_the_scanner_is_known():
    assert len(reasons()) > 12 and reasons() <= wording.REASONS
    assert len(places()) > 5 and places() <= wording.PLACES


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("line 3", "LINE 3"),
        ("cell 12, output, line 3", "CELL 12, OUTPUT, LINE 3"),
        ("cell 4, its metadata", "CELL 4, ITS METADATA"),
        ("conf/.env in src.zip, line 1", "conf/.env in src.zip, LINE 1"),
        ("page 2", "PAGE 2"),
        ("the PDF's properties", "THE PDF'S PROPERTIES"),
        ("data 7.csv, line 1", "data 7.csv, LINE 1"),
        ("line.txt in a, b.zip", "line.txt in a, b.zip"),
    ],
)
def test_a_place_is_said_and_names_of_files_stay(shouting, kept, said):
    assert wording.place(kept) == said


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("it holds more than 2,000 files", "IT HOLDS MORE THAN 2,000 FILES"),
        ("a.zip: b 2.tar: the archive is broken", "a.zip: b 2.tar: THE ARCHIVE IS BROKEN"),
        ("what an older version of ours wrote", "what an older version of ours wrote"),
    ],
)
def test_a_reason_is_said_and_names_of_files_stay(shouting, kept, said):
    assert wording.reason(kept) == said


def test_each_sort_of_credential_has_a_name_and_steps_in_the_readers_language(shouting):
    assert advice.title(patterns.PASSWORD) == "PASSWORD" and advice.title("of an older version") == "CREDENTIAL"
    assert all(step == step.upper() for kind in advice.STEPS for step in advice.steps(kind))
    assert set(advice.STEPS) == set(advice.TITLES)
