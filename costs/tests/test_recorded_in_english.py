"""What is written once for many readers is English, whatever language was being read when it was written."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy

from costs import allowances, billing, budget_pages, enforcing, exports
from costs.free_tier import AHEAD, CLOSE, LEFT, WELL, Allowance
from costs.free_tier import Standing as TierStanding
from costs.models import Budget, Scope
from costs.standings import Standing
from costs.thresholds import Thresholds
from costs.variance import Line
from labs.models import Account, Event

NOW = datetime(2025, 9, 18, 12, 0, tzinfo=UTC)
D = Decimal


def fits(words, patterns):
    """Each value is a %(name)s of one of these patterns, and the rest is the pattern's own."""
    shapes = (re.split(r"%\(\w+\)s", one.replace("%%", "%")) for one in patterns)
    return any(re.fullmatch("(.+)".join(map(re.escape, parts)), words) for parts in shapes)


def test_a_files_words_are_english_line_by_line():
    with translation.override("de"):
        answer = exports.csv_answer("spend", ["language"], ((get_language(),) for _ in range(2)))
        assert b"".join(answer.streaming_content).decode("utf-8-sig").splitlines() == ["language", "en", "en"]
        assert get_language() == "de"


@pytest.mark.django_db
def test_a_budget_is_answered_in_the_readers_language_and_recorded_in_english():
    # "May" is one of Django's own messages, so that another language is there to be wrong in.
    whose = budget_pages.Whose("students-a1", Budget.STUDENT, "a1", gettext_lazy("May"), told=Scope(key="a1"))
    with translation.override("de"):
        said = budget_pages.set_amount(whose, D(30), NOW, None)
    assert said.startswith("Mai: ")
    assert Event.objects.get().words == "May: a budget of $30.00"


@pytest.mark.parametrize("kind", [Budget.STUDENT, Budget.COHORT, Budget.ACCOUNT])
@pytest.mark.parametrize("grace", [1, 2])
@pytest.mark.parametrize(
    "rules",
    [(80, 100, 100, None), (80, None, None, 90), (80, 99, None, None), (80, None, None, None), (1, 90, None, None)],
)
def test_what_a_budgets_alert_says_is_made_of_its_patterns(kind, grace, rules):
    owner, account = (7, None) if kind == Budget.STUDENT else (None, 3 if kind == Budget.ACCOUNT else None)
    one = Standing(
        kind, "a1", owner, account, D(25), D(24), D(30), D(1), Thresholds(*rules, timedelta(hours=grace)), {None: D(24)}
    )
    names = enforcing._Named({7: "Aye"}, {3: "class"})
    for alert in (enforcing._alert(one, names), enforcing._ahead(one, names)):
        assert fits(alert.sentence, enforcing.PATTERNS), alert.sentence
        assert fits(alert.detail, enforcing.PATTERNS), alert.detail


@pytest.mark.parametrize("level", [AHEAD, CLOSE, LEFT])
@pytest.mark.parametrize("leaves_at", [None, NOW])
def test_what_a_free_tiers_alert_says_is_made_of_its_patterns(level, leaves_at):
    used = {AHEAD: D(10), CLOSE: D(700), LEFT: D(800)}[level]
    hours = Allowance("EC2", "t3.micro", "Hrs", D(750), "12", "AWS")
    one = TierStanding(hours, used, D(900), leaves_at, ("box of Aye",))
    assert one.level == level != WELL
    alert = allowances._alert(SimpleNamespace(account=Account(name="class"), is_as_if=True), one)
    assert fits(alert.sentence, allowances.PATTERNS), alert.sentence
    for sentence in re.split(r"(?<=\.) ", alert.detail):
        assert fits(sentence, allowances.PATTERNS), sentence


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ([D(5)], "AWS billed $3.00 more than was metered in class, on 1 day"),
        ([D(1)], "AWS billed $1.00 less than was metered in class, on 1 day"),
        ([D(5), D(6)], "AWS billed $7.00 more than was metered in class, on 2 days"),
        ([D(5), D(1)], "AWS billed $3.00 more and $1.00 less than was metered in class, on 2 days"),
    ],
)
def test_what_a_bills_alert_says_is_made_of_its_patterns(theirs, said):
    lines = [
        Line(date(2025, 9, number), "S3", D(2), {"usage": usd}, is_estimated=False)
        for number, usd in enumerate(theirs, 1)
    ]
    lines.append(Line(date(2025, 9, 1), "Bedrock", None, {"usage": D(0)}, is_estimated=False))
    alert = billing._alert(Account(name="class", mode=Account.SHARED), lines)
    assert alert.sentence == said
    for words in (alert.sentence, alert.detail, *(words for words, _ in alert.lines)):
        assert fits(words, billing.PATTERNS), words


def test_why_a_bill_could_not_be_read_is_said_again_with_what_aws_said_as_it_was(monkeypatch):
    monkeypatch.setattr(billing, "gettext", lambda message: f"<{message}>")
    assert billing.in_words(billing.NO_FIGURES) == f"<{billing.NO_FIGURES}>"
    assert billing.in_words(billing.NOT_ALLOWED % {"said": "no"}) == f"<{billing.NOT_ALLOWED}>" % {"said": "no"}
    assert billing.in_words(billing.TOO_LONG % {"pages": 20}) == f"<{billing.TOO_LONG}>" % {"pages": 20}
    assert billing.in_words("AWS did not answer") == "AWS did not answer"
