"""Our catalog names what Django says in Django's own words: a letter beside them, and the page says it in English."""

import ast
from pathlib import Path

import django

from portal import django_words

SHIPPED = [
    Path(django.__file__).parent / place / "locale/en/LC_MESSAGES/django.po" for place in ("conf", "contrib/auth")
]


def test_every_sentence_is_one_of_djangos():
    # A long message stands in several pieces, one below the other.
    known = "".join(po.read_text().replace('"\n"', "") for po in SHIPPED)
    calls = [
        node for node in ast.walk(ast.parse(Path(django_words.__file__).read_text())) if isinstance(node, ast.Call)
    ]
    # The third argument of a plural names its figure.
    named = [one.value for call in calls for one in call.args[:2]]
    assert len(named) > 30
    assert [words for words in named if f'"{words}"\n' not in known] == []
