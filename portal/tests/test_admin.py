"""The admin pages: a cohort made there is a whole one, and records cannot be edited there."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from conftest import YANGON, person
from costs.models import Scope
from labs.models import Account
from portal import inviting
from portal.models import Cohort, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


WHEN = {
    "zone": "Asia/Yangon",
    "enrolment_opens_at_0": "2025-12-20",
    "enrolment_opens_at_1": "09:00:00",
    "exceptions": "[]",
}


@pytest.fixture
def root(signed_in, db):
    return signed_in(person("root", is_staff=True, is_superuser=True))


def test_a_cohort_made_here_is_told_its_dates_and_its_students_get_accounts(root, course, now):
    zaw = person("zaw")
    form = {
        "slug": "jan-2026",
        "course": course.pk,
        "name": "January 2026",
        "start_on": "2026-01-03",
        "rhythm": "{}",
        "lab_mode": "practice",
        "lights_level": "tell",
        "lights_grace_minutes": "120",
        **WHEN,
        "student_budget_usd": "25",
        "cohort_budget_usd": "500",
        "lab_regions": '["us-east-1"]',
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": zaw.pk,
        "memberships-0-role": "student",
    }
    answer = root.post(reverse("admin:portal_cohort_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    cohort = Cohort.objects.get()
    assert cohort.told.get(week__number=1).released_at == now.replace(2026, 1, 5, 21, 0).astimezone(YANGON)
    assert Scope.objects.filter(key=cohort.scope).exists()
    assert Account.objects.get(owner=zaw).scope == cohort.scope


def test_a_cohort_that_starts_on_a_wednesday_is_explained(root, course):
    answer = root.post(
        reverse("admin:portal_cohort_add"), {"start_on": "2026-01-07", "course": course.pk, "rhythm": "{}", **WHEN}
    )
    assert "A cohort starts on a Sat" in answer.content.decode()


def test_a_rhythm_that_cannot_be_read_is_explained_not_a_crash(root, course, cohort):
    form = {"start_on": "2026-01-03", "course": course.pk, "rhythm": '{"due": "soon"}', **WHEN}
    assert "is not a weekday and a time" in root.post(reverse("admin:portal_cohort_add"), form).content.decode()


def test_a_person_is_added_by_email(root):
    form = {
        "email": "Dahlia@Example.org",
        "name": "Dahlia",
        "time_zone": "Europe/Berlin",
        "usable_password": "true",
        "password1": "a-long-new-password",
        "password2": "a-long-new-password",
    }
    answer = root.post(reverse("admin:portal_user_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(email="dahlia@example.org").check_password("a-long-new-password")


@pytest.mark.parametrize("email", ["root@example.org", "ROOT@example.org"])
def test_one_email_is_one_person_whatever_its_case(root, email):
    form = {"email": email, "name": "Twin", "time_zone": "UTC", "usable_password": "false"}
    assert root.post(reverse("admin:portal_user_add"), form).status_code == 200
    assert User.objects.count() == 1


def test_when_an_address_changes_the_old_one_opens_nothing_any_more(root, aye):
    inviting.prove(aye)
    form = {"email": "aye@new.example.org", "name": "Aye", "time_zone": "Asia/Yangon", "is_active": "on"}
    answer = root.post(reverse("admin:portal_user_change", args=[aye.pk]), form)
    assert answer.status_code == 302, answer.context["errors"]
    assert not EmailAddress.objects.filter(user=aye).exists()
    Client().post(reverse("account_reset_password"), {"email": "aye@example.org"})
    assert "We know nobody with that address" in mail.outbox[0].body


@pytest.mark.parametrize("what", ["mfa/authenticator", "usersessions/usersession", "socialaccount/socialapp"])
def test_what_opens_an_account_is_not_to_be_read_here(root, what):
    assert root.get(f"/admin/{what}/").status_code == 404


@pytest.mark.parametrize("model", ["submission", "feedback", "release"])
def test_what_the_product_writes_is_only_looked_at_here(root, model):
    assert root.get(reverse(f"admin:portal_{model}_changelist")).status_code == 200
    assert root.get(reverse(f"admin:portal_{model}_add")).status_code == 403
