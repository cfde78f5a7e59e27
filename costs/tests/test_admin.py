"""Somebody gets more than the others."""

from decimal import Decimal

import pytest
from django.urls import reverse

from costs import scopes
from costs.models import AccountPlan, Budget, ExchangeRate
from costs.tests import worlds
from costs.tests.worlds import SCOPE

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    who = worlds.person("Root", is_staff=True, is_superuser=True)
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    scopes.tell(SCOPE, name="aws-ml", student_usd=Decimal(25))
    return client


def test_one_person_is_given_a_budget_of_their_own_and_only_one(root, aye):
    add = reverse("admin:costs_budget_add")
    fields = {"owner": aye.pk, "scope": SCOPE, "usd": "60"}
    assert root.post(add, fields).status_code == 302
    assert Budget.objects.get(owner=aye).kind == Budget.STUDENT
    assert "already" in root.post(add, fields).content.decode()
    listed = root.get(reverse("admin:costs_budget_changelist")).content.decode()
    assert "Aye" in listed and "25.00" not in listed, "what everybody gets is edited with the cohort"


def test_prices_are_looked_at_and_not_edited(root, prices):
    assert root.get(reverse("admin:costs_price_changelist")).status_code == 200
    assert root.get(reverse("admin:costs_price_add")).status_code == 403


def test_an_exchange_rate_is_entered_and_a_wrong_one_refused(root):
    add = reverse("admin:costs_exchangerate_add")
    assert (
        "Three capital letters"
        in root.post(add, {"currency": "usd", "per_usd": "1", "on": "2025-09-01"}).content.decode()
    )
    assert root.post(add, {"currency": "SGD", "per_usd": "0", "on": "2025-09-01"}).status_code == 200
    assert not ExchangeRate.objects.exists()
    assert root.post(add, {"currency": "SGD", "per_usd": "1.29", "on": "2025-09-01"}).status_code == 302
    assert str(ExchangeRate.objects.get()) == "SGD 1.29 for a US dollar on 2025-09-01"


def test_the_plan_of_an_account_is_set_where_aws_does_not_tell_it(root, ayes):
    add = reverse("admin:costs_accountplan_add")
    assert root.post(add, {"account": ayes.pk, "plan": "legacy", "opened_on": "2025-03-01"}).status_code == 302
    assert AccountPlan.objects.get(account=ayes).plan == "legacy"
    assert root.get(reverse("admin:costs_accountplan_changelist")).status_code == 200
    assert root.get(reverse("admin:costs_pricelist_changelist")).status_code == 200
    assert root.get(reverse("admin:costs_pricelist_add")).status_code == 403
