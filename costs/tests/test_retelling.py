"""What is stored in English is said again in the reader's language, with the values that it was stored with."""

import ast
import inspect

import pytest
from django.utils import translation

from costs import retelling
from costs.rules import all_rules, idle_instance, past_its_time, wrong_region
from labs import retelling as of_labs

IDLE = idle_instance.DETAIL % {"percent": "1.4"}


@pytest.fixture
def burmese(monkeypatch):
    """A catalog of a few messages."""
    told = {
        "No calls for an hour": "တစ်နာရီ ခေါ်ယူမှု မရှိ",
        idle_instance.DETAIL: "အများဆုံး %(percent)s %%",
        wrong_region.DETAIL: "%(regions)s တွင် Lab များရှိသည်",
        past_its_time.BLOCKED: "မပျက်သေးပါ: %(why)s",
        "Its lab is over.": "ပြီးပြီ။",
        "Delete it.": "ဖျက်ပါ။",
    }
    monkeypatch.setattr(of_labs, "gettext", lambda message: told.get(message, message))
    with translation.override("my"):
        yield


def test_a_sentence_without_values_is_its_own_message(burmese):
    assert retelling.retold("No calls for an hour") == "တစ်နာရီ ခေါ်ယူမှု မရှိ"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (IDLE, "အများဆုံး 1.4 %"),
        (wrong_region.DETAIL % {"regions": "us-east-1, eu-west-1"}, "us-east-1, eu-west-1 တွင် Lab များရှိသည်"),
        (past_its_time.BLOCKED % {"why": "No calls for an hour"}, "မပျက်သေးပါ: တစ်နာရီ ခေါ်ယူမှု မရှိ"),
        (past_its_time.BLOCKED % {"why": "100 % denied: %(x)s"}, "မပျက်သေးပါ: 100 % denied: %(x)s"),
    ],
)
def test_one_made_from_a_pattern_keeps_its_values(burmese, stored, said):
    assert retelling.retold(stored) == said


def test_sentences_that_stand_together_are_told_one_by_one(burmese):
    assert retelling.retold("Its lab is over. Delete it. Really.") == "ပြီးပြီ။ ဖျက်ပါ။ Really."


def test_what_nobody_knows_is_shown_as_it_was_stored(burmese):
    assert retelling.retold("Aye trains a model until tomorrow") == "Aye trains a model until tomorrow"
    assert retelling.retold("") == ""


def test_an_english_reader_gets_what_was_stored(burmese):
    with translation.override("en"):
        assert retelling.retold(IDLE) == IDLE
    assert retelling.retold(IDLE) != IDLE


def test_every_pattern_is_found_again_in_what_is_made_of_it():
    found = set(retelling.patterns())
    assert found >= {pattern for rule in all_rules() for pattern in getattr(rule, "PATTERNS", ())}
    for pattern in found:
        values = {name: f"<{name}>" for name in of_labs.VALUE.findall(pattern) if name}
        first = next(shape for known, shape in retelling.OF_MONEY._shapes if known == pattern)
        assert first.fullmatch(pattern % values).groupdict() == values


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.NAME)
def test_what_a_rule_says_is_marked_for_translation(rule):
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(rule))) if isinstance(node, ast.Call)]
    verdicts = [node for node in calls if getattr(node.func, "id", "") == "Verdict"]
    assert verdicts
    bare = [one for node in verdicts for one in node.args if isinstance(one, ast.Constant | ast.JoinedStr)]
    assert not [ast.unparse(one) for one in bare]
