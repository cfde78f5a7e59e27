"""Somebody gets more than the others."""

from decimal import Decimal

import pytest
from django.urls import reverse

from costs import scopes
from costs.models import Budget
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
