"""Many hands at the same instant, on a real database: nothing twice, nothing lost, no lock that a person meets."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from conftest import member
from costs import budget
from costs.models import Budget
from labs.models import Launch
from portal import extending, releasing, reviewing, submitting
from portal.models import Assignment, CohortWeek, Draft, Extension, Feedback, Release, Submission

pytestmark = [pytest.mark.django_db(transaction=True)]
FULL = {"cost": 4, "why": 5}


def at_once(*acts):
    """Run these at the same instant, each in a thread of its own. Answers what they answered, in order."""
    start, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        try:
            start.wait(20)
            answers[number] = act()
        except Exception as error:
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    raised = [answer for answer in answers if isinstance(answer, Exception)]
    assert not raised, raised
    return answers


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


def draft_with(text, case, cohort, student, now):
    draft = submitting.draft_of(case, cohort, student, now=now)
    submitting.save_draft(draft, text, revision=0, window="w", now=now)
    return draft


def test_ten_clicks_at_once_make_one_version_with_one_receipt(case, cohort, aye, now):
    draft = draft_with("Cloud.", case, cohort, aye, now)
    answers = at_once(*[lambda: submitting.submit(draft, key="one form", now=now)] * 10)
    assert {submission.number for submission, _ in answers} == {f"LO-2025-{draft.pk:06}-1"}
    assert sum(is_new for _, is_new in answers) == 1


def test_a_class_that_hands_in_in_the_same_second_has_a_receipt_each(case, cohort, now):
    students = [member(cohort, f"student{n:02}", "student", now) for n in range(24)]
    drafts = [draft_with("Cloud.", case, cohort, student, now) for student in students]
    at_once(*[lambda draft=draft: submitting.submit(draft, key=f"{draft.pk}", now=now) for draft in drafts])
    numbers = sorted(Submission.objects.values_list("number", flat=True))
    assert numbers == sorted(f"LO-2025-{draft.pk:06}-1" for draft in drafts)


def test_who_hands_in_while_all_are_given_more_time_waits_for_nobody_who_waits_for_them(case, cohort, chit, now):
    students = [member(cohort, f"student{n:02}", "student", now) for n in range(12)]
    drafts = [draft_with("Cloud.", case, cohort, student, now) for student in students]
    due = CohortWeek.objects.get(cohort=cohort, week=case.week).due_at + timedelta(days=1)
    lines = extending.preview(cohort, case, students, due, reason="Floods.")
    agreed = {"agreed": extending.seen(lines, case, due), "by": chit, "now": now}
    hands_in = [lambda draft=draft: submitting.submit(draft, key=f"{draft.pk}", now=now) for draft in drafts]
    at_once(*hands_in, lambda: extending.grant_many(cohort, case, students, due, reason="Floods.", **agreed))
    assert Submission.objects.count() == Extension.objects.count() == 12


def test_eight_windows_that_save_at_once_lose_no_text(case, cohort, aye, now):
    draft = submitting.draft_of(case, cohort, aye, now=now)
    texts = [f"text of window {n}" for n in range(8)]
    at_once(
        *[
            lambda n=n, text=text: submitting.save_draft(draft, text, revision=0, window=f"w{n}", now=now)
            for n, text in enumerate(texts)
        ]
    )
    kept = Draft.objects.get()
    assert sorted([kept.answer_md, *kept.asides.values_list("answer_md", flat=True)]) == texts


def test_one_draft_is_made_however_many_windows_open_it_first(case, cohort, aye, now):
    drafts = at_once(*[lambda: submitting.draft_of(case, cohort, aye, now=now)] * 8)
    assert len({draft.pk for draft in drafts}) == 1


def test_of_reviewers_who_save_at_once_one_is_first_and_the_others_are_told(case, cohort, aye, chit, now):
    submission, _ = submitting.submit(draft_with("Cloud.", case, cohort, aye, now), key="k", now=now)
    written = at_once(
        *[
            lambda n=n: reviewing.write(
                submission, chit, comment=f"From {n}.", points=FULL, revision=0, ready=True, now=now
            )
            for n in range(6)
        ]
    )
    assert sum(not one.is_conflict for one in written) == 1
    assert Feedback.objects.count() == 1


def test_two_releases_at_once_show_each_feedback_once(case, cohort, aye, bo, chit, now):
    for student in (aye, bo):
        submission, _ = submitting.submit(draft_with("Cloud.", case, cohort, student, now), key="k", now=now)
        reviewing.write(submission, chit, comment="", points=FULL, revision=0, ready=True, now=now)
    at_once(*[lambda: releasing.release(cohort, case.week, by=chit, now=now)] * 4)
    assert sum(Release.objects.values_list("count", flat=True)) == 2


def test_of_two_students_at_once_the_cohorts_last_dollar_is_for_one(clock, lab, cohort, aye, bo, monkeypatch):
    """As slow as it may get between the question and the launch: the second still counts the first."""
    Budget.objects.filter(scope=cohort.scope, kind=Budget.COHORT).delete()
    Budget.objects.create(kind=Budget.COHORT, scope=cohort.scope, usd=3)
    monkeypatch.setattr("costs.budget.LabPrice.usd_per_hour", property(lambda self: Decimal(1)))
    monkeypatch.setattr("costs.budget.rates_of_labs", lambda labs, now: {one.pk: Decimal(1) for one in labs})
    asked = threading.Event()
    may_launch = budget.may_launch

    def slowly(*args, **more):
        verdict = may_launch(*args, **more)
        asked.wait(0.3)  # nobody sets it: time for the other to ask as well
        return verdict

    monkeypatch.setattr("costs.budget.may_launch", slowly)

    def click(who):
        client = Client()
        client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        return client.post(reverse("portal:start_lab", args=[2, lab.slug])).status_code

    assert sorted(at_once(lambda: click(aye), lambda: click(bo))) == [302, 422]
    assert Launch.objects.count() == 1


def test_a_double_click_on_launch_starts_one_lab(clock, lab, aye):
    def click():
        client = Client()
        client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
        return client.post(reverse("portal:start_lab", args=[2, lab.slug])).url

    assert len(set(at_once(*[click] * 5))) == 1
    assert Launch.objects.count() == 1
