"""A thousand of the soak's lives (`make soak` plays ten thousand), and that it notices a portal that is broken."""

from dataclasses import replace
from datetime import timedelta

import pytest

from labs import deadman, ledger, reconcile
from labs.tests import soak

# Played on one database it proves the controller; what differs between databases is tested elsewhere.
pytestmark = [pytest.mark.django_db, pytest.mark.once]

RUNS, PARTS = 1000, 10


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_goes_wrong_nothing_is_left_or_made_twice_and_all_is_as_it_was_wanted(part):
    played = soak.soak(range(part, RUNS, PARTS))
    for wrong in (each for each in played if each.kind):
        pytest.fail(f"{wrong.told()}\n\npython -m labs.tests.soak --seed {wrong.seed}", pytrace=False)
    met = soak.summary(played)["faults"]
    assert len(met) >= len(soak.FAULTS) - 2 and sum(met.values()) > len(played) // 2, (
        "what never went wrong proves nothing"
    )


def test_a_seed_tells_the_whole_of_a_run():
    [once], [again] = soak.soak([7]), soak.soak([7])
    assert once.trace == again.trace and len(once.trace.splitlines()) > 20


def no_intent(monkeypatch):
    """The create call is made without a word in the ledger before it."""
    monkeypatch.setattr(ledger, "begin_create", lambda row, now: True)


def no_second_look(monkeypatch):
    """What is seen absent once is closed."""
    decide = reconcile.decide

    def hasty(facts, now):
        return decide(replace(facts, absence_gap=timedelta(0), settle=timedelta(0), late=timedelta(0)), now)

    monkeypatch.setattr(reconcile, "decide", hasty)


def no_switch_is_taken_away(monkeypatch):
    monkeypatch.setattr(deadman, "disarm", lambda scheduler, row: None)


def no_switch_is_moved(monkeypatch):
    is_due = deadman.is_due
    monkeypatch.setattr(deadman, "is_due", lambda row, *rest: row.switch_at is None and is_due(row, *rest))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("breaks", "noticed_as"),
    [
        (no_intent, {"leaked", "doubled"}),
        (no_second_look, {"leaked"}),
        (no_switch_is_taken_away, {"switch"}),
        (no_switch_is_moved, {"unreached", "turned off"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_soak_notices_a_portal_that_is_broken(breaks, noticed_as, monkeypatch):
    breaks(monkeypatch)
    batches = (soak.soak(range(first, first + 10)) for first in range(0, RUNS, 10))
    wrong = next({each.kind for each in batch if each.kind} for batch in batches if any(each.kind for each in batch))
    assert wrong & noticed_as
