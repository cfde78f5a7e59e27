"""What costs are told of cohorts, and reminders by mail."""

from datetime import timedelta

import pytest

from costs import forgotten
from costs.models import Budget, Finding, Scope
from labs import ledger, practice
from labs.kinds.base import Seen
from portal import telling
from portal.models import Cohort

pytestmark = pytest.mark.django_db


def test_costs_know_the_next_session_and_the_budgets_and_twice_changes_nothing(cohort, now):
    Cohort.objects.update(currency="SGD")
    assert telling.tell_costs(now) == 1
    telling.tell_costs(now)
    told = Scope.objects.get(key=cohort.scope)
    assert (told.name, told.currency) == (cohort.slug, "SGD")
    assert told.look_ahead_until == cohort.told.get(week__number=2).session_at
    assert Budget.objects.filter(scope=cohort.scope).count() == 2


@pytest.fixture
def left_on(cohort, aye, now):
    account = practice.account_of(aye, now=now, scope=cohort.scope)
    seen = Seen("running", "i-1", "mine", facts={"type": "t3.micro"})
    row = ledger.enter_strangers([(account, "ec2-instance", seen, "us-east-1")], now)[0]
    Finding.objects.create(resource=row, rule="stranger", sentence="No lab made it.", opened_at=now)
    return row


def test_a_reminder_is_mailed_once_to_its_owner(left_on, aye, chit, now, mailoutbox):
    forgotten.remind([left_on], now=now, by=chit)
    assert telling.mail_reminders(now) == 1
    assert telling.mail_reminders(now + timedelta(minutes=1)) == 0
    assert mailoutbox[0].to == [aye.email]
    assert "No lab made it." in mailoutbox[0].body


def test_a_mail_that_cannot_be_sent_is_tried_again(left_on, chit, now, settings, mailoutbox):
    forgotten.remind([left_on], now=now, by=chit)
    settings.EMAIL_BACKEND = "no.such.Backend"
    assert telling.mail_reminders(now) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert telling.mail_reminders(now) == 1
    assert len(mailoutbox) == 1
