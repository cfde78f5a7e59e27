"""What costs are told of cohorts."""

import pytest

from costs.models import Budget, Scope
from portal import telling

pytestmark = pytest.mark.django_db


def test_costs_know_the_next_session_and_the_budgets_and_twice_changes_nothing(cohort, now):
    assert telling.tell_costs(now) == 1
    telling.tell_costs(now)
    told = Scope.objects.get(key=cohort.scope)
    assert told.name == cohort.slug
    assert told.look_ahead_until == cohort.told.get(week__number=2).session_at
    assert Budget.objects.filter(scope=cohort.scope).count() == 2


def test_costs_know_what_is_done_about_what_was_left_on(cohort, now):
    cohort.lights_level, cohort.lights_grace_minutes, cohort.lights_delete_days = "grace", 45, 3
    cohort.save()
    telling.tell_costs(now)
    assert str(Scope.objects.get(key=cohort.scope).policy) == (
        "Told at once, stopped after 45 min; deleted after 3 days stopped"
    )
