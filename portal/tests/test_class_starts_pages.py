"""The pages of class starts: the form, what a plan would do, and what came of it."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from labs.models import Account, Launch
from portal import prelaunching
from portal.models import ClassStart, CohortWeek, LabInWeek

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab", "aye", "bo")]


@pytest.fixture
def part(cohort):
    return LabInWeek.objects.select_related("week").get(week__number=2)


@pytest.fixture
def saturday(cohort):
    return CohortWeek.objects.get(cohort=cohort, week__number=2).session_at


@pytest.fixture
def page(signed_in, chit, cohort):
    client, address = signed_in(chit), reverse("portal:class_starts", args=[cohort.slug])

    class Page:
        def words(self, answer):
            text = " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
            return re.sub(r" (?=[:.,;])", "", text)

        def show(self, **asked):
            return client.get(address, asked)

        def plan(self, **asked):
            return client.post(address, asked)

        def of(self, one, **headers):
            return client.get(reverse("portal:class_start", args=[cohort.slug, one.pk]), headers=headers)

        def cancel(self, one):
            return client.post(reverse("portal:cancel_class_start", args=[cohort.slug, one.pk]), follow=True)

    return Page()


def test_the_form_begins_with_the_weeks_lab_at_the_next_live_session(page, part):
    html = page.show().content.decode()
    assert 'value="2025-09-20T09:00"' in html, "Saturday, in the reader's zone"
    assert f'<option value="{part.pk}" selected>' in html
    assert "What would" not in html and "Plan it for" not in html


def test_what_it_would_do_is_shown_before_it_is_planned(page, part):
    said = page.words(page.show(lab=part.pk, at="2025-09-20T09:00", spread=10))
    assert "A bucket laid out for ML, Sat 20 Sep, 09:00" in said
    assert "Students 2 of 2 Everybody’s starts" in said
    assert "First start 08:35" in said and "spread over 10 m" in said
    assert "Practice mode has no quotas." in said and "Plan it for the class" in said
    assert not ClassStart.objects.exists(), "looking changes nothing"


def test_planning_leads_to_the_plan(page, part, saturday, chit):
    answer = page.plan(lab=part.pk, at="2025-09-20T09:00", spread=5)
    one = ClassStart.objects.get()
    assert answer.url == reverse("portal:class_start", args=["sep-2025", one.pk])
    assert (one.at, one.planned_by) == (saturday, chit)
    said = page.words(page.of(one))
    assert "0 of 2 run, 2 wait" in said and "Cancel what is not started" in said
    assert "A bucket laid out for ML Week 2, by Chit Sat 20 Sep, 09:00 Planned" in page.words(page.show())


def test_an_impossible_plan_is_refused_with_its_reason(page, part):
    answer = page.plan(lab=part.pk, at="2025-09-18T14:50", spread=0)
    assert answer.status_code == 422
    said = page.words(answer)
    assert "This cannot be planned. That is too soon." in said and "Plan it for" not in said
    assert not ClassStart.objects.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"at": "tomorrow"}, "Write the hour as a date and a time"),
        ({"spread": "ten"}, "whole minutes"),
        ({"spread": "500"}, "spread over 0 to 120 minutes"),
        ({"lab": "999999"}, "Choose one of these labs."),
        ({"lab": "x"}, "Choose one of these labs."),
        ({"at": "99999-01-01T00:00"}, "Write the hour as a date and a time"),
    ],
)
def test_what_cannot_be_read_is_said_and_plans_nothing(page, part, asked, said):
    given = {"lab": str(part.pk), "at": "2025-09-20T09:00", "spread": "5"} | asked
    assert said in page.words(page.show(**given))
    answer = page.plan(**given)
    assert answer.status_code == 422 and said in page.words(answer)
    assert not ClassStart.objects.exists()


def test_the_plan_fills_in_by_itself_and_each_refusal_is_shown(page, part, saturday, cohort, chit, aye, bo, now, clock):
    one = prelaunching.plan(cohort, part, saturday, now=now, by=chit)
    for slug in ("one", "two"):
        Launch.objects.create(
            lab=slug, account=Account.objects.get(owner=bo), owner=bo, scope=cohort.scope, region="us-east-1",
            created_at=now, expires_at=saturday + timedelta(hours=5),
        )  # fmt: skip
    polled = page.of(one, **{"HX-Request": "true"})
    assert polled.status_code == 200 and b"every 10s" in polled.content and b"<html" not in polled.content
    clock.move_to(saturday)
    prelaunching.start_due(saturday)
    polled = page.of(one, **{"HX-Request": "true"})
    assert polled.status_code == 286 and b"every 10s" not in polled.content
    said = page.words(polled)
    assert "1 of 2 run, 1 refused" in said
    assert "You have 2 labs on, and 2 at once is the most." in said
    assert f'href="{reverse("labs:panel", args=[Launch.objects.get(owner=aye).pk])}"' in polled.content.decode()


def test_cancelling_is_told_and_starts_nobody(page, part, saturday, cohort, chit, now):
    one = prelaunching.plan(cohort, part, saturday, now=now, by=chit)
    said = page.words(page.cancel(one))
    assert "Cancelled: 2 not started by it any more." in said and "Cancelled by Chit" in said
    assert said.count("Cancelled before it was started") == 2 and "Cancel what is not started" not in said
    prelaunching.start_due(saturday)
    assert not Launch.objects.exists()


def test_anothers_cohorts_plan_does_not_exist(page, part, saturday, other_cohort, now):
    theirs = ClassStart.objects.create(
        cohort=other_cohort, week=part.week, lab_slug="x", at=saturday, begins_at=saturday, apart=timedelta(0),
        planned_at=now,
    )  # fmt: skip
    assert page.of(theirs).status_code == 404
    assert page.cancel(theirs).status_code == 404


def test_the_cohort_page_leads_there(signed_in, chit, cohort):
    html = signed_in(chit).get(reverse("portal:cohort_page", args=[cohort.slug])).content.decode()
    assert reverse("portal:class_starts", args=[cohort.slug]) in html
