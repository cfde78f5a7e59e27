"""What was written down in English is said again by the sentence that it was made from, or shown as it is."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from labs import doctor, retelling
from labs.tests.test_doctor import CASES

ROOT = Path(__file__).resolve().parents[2]
WRITERS = [*(ROOT / "labs").glob("*.py"), *(ROOT / "labs/kinds").glob("*.py"), ROOT / "portal/prelaunching.py"]


@pytest.fixture
def marked(monkeypatch):
    """A language in which each sentence known to the portal is its English in brackets."""

    def said(sentence):
        return f"[{sentence}]" if sentence in retelling.SENTENCES else sentence

    monkeypatch.setattr(retelling, "gettext", said)
    with translation.override("my"):
        yield


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("The lab is ready", "[The lab is ready]"),
        ("A bucket was started", "[A bucket was started]"),
        (
            "S3 bucket lab-1 is gone: seen absent",
            "[S3 bucket lab-1 is gone: [seen absent]]",
        ),
        (
            "Delete asked for VPC v-1: its time is up",
            "[Delete asked for VPC v-1: [its time is up]]",
        ),
        ("Delete asked for VPC v-1: aye said so", "[Delete asked for VPC v-1: aye said so]"),
        (
            "it failed, and AWS says: DeleteVpc: no, 100 % no (Denied)",
            "[it failed, and AWS says: DeleteVpc: no, 100 % no (Denied)]",
        ),
        (
            "Copied to the locker: 2 files (3 KB). Not copied: 1",
            "[Copied to the locker: 2 files (3 KB). Not copied: 1]",
        ),
        (
            "DeleteVpc: it has dependencies (DependencyViolation)",
            "DeleteVpc: it has dependencies (DependencyViolation)",
        ),
        ("", ""),
    ],
)
def test_a_sentence_is_said_again_with_its_values(marked, written, told):
    assert retelling.retold(written) == told


def test_in_english_it_is_what_was_written(monkeypatch):
    monkeypatch.setattr(retelling, "gettext", lambda sentence: pytest.fail(sentence))
    assert retelling.retold("S3 bucket lab-1 is gone: seen absent") == "S3 bucket lab-1 is gone: seen absent"


@pytest.mark.parametrize("facts", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_every_finding_of_the_doctor_is_a_known_sentence(facts):
    for finding in doctor.examine(facts):
        assert retelling.OF_LABS.sentence_of(finding.title)[0]
        assert retelling.OF_LABS.sentence_of(finding.mend)[0] or not finding.mend
        told_by_others = finding.check in ("reach", "who", "regions", "limits", "census") and finding.said in (
            facts.trouble,
            facts.arn,
            facts.census_trouble,
            ", ".join(facts.regions),
            *(one.trouble for one in facts.cohort_limits),
            ", ".join(one.cohort for one in facts.cohort_limits),
        )
        assert retelling.OF_LABS.sentence_of(finding.said)[0] or told_by_others, finding


def test_no_sentence_is_left_that_nobody_writes():
    """Writers put sentences together from figures and from three pieces at most between two of them."""
    written = "\n".join(_constants_of(path) for path in WRITERS)
    for sentence in retelling.SENTENCES:
        for piece in re.split(r"%\(\w+\)s|[.:;,()] ?|\d+", sentence):
            assert _is_put_together(piece.split(), written, of=3), (sentence, piece)


def _is_put_together(words, written, *, of):
    if not words:
        return True
    lengths = range(len(words), 0, -1) if of else ()
    return any(" ".join(words[:n]) in written and _is_put_together(words[n:], written, of=of - 1) for n in lengths)


def _constants_of(path):
    if path.name == "retelling.py":
        return ""
    return "\n".join(
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
