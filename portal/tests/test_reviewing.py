"""Feedback: written in private, by more than one hand without loss, and shown to the whole cohort at once."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from conftest import member
from labs.audit import Act
from portal import extending, releasing, reviewing, submitting
from portal.filing import Refused
from portal.models import Assignment, Feedback, Notice, Release

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
FULL = {"cost": 4, "why": 5}


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


def hand_in(case, cohort, student, now, text="Cloud."):
    draft = submitting.draft_of(case, cohort, student, now=now)
    submitting.save_draft(draft, text, revision=draft.revision, window="w", now=now)
    return submitting.submit(draft, key=uuid.uuid4().hex, now=now)[0]


@pytest.fixture
def of_aye(case, cohort, aye, now):
    return hand_in(case, cohort, aye, now)


def write(submission, author, now, *, comment="Good.", points=FULL, revision=0, ready=True):
    return reviewing.write(submission, author, comment=comment, points=points, revision=revision, ready=ready, now=now)


def browser(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def pages_of(student, submission):
    """Everything of a student's that could show feedback."""
    client = browser(student)
    addresses = [
        reverse("portal:today"),
        reverse("portal:course"),
        reverse("portal:week", args=[2]),
        reverse("portal:assignment", args=[2, "case"]),
        reverse("portal:submissions"),
        submission.get_absolute_url(),
        reverse("portal:receipt_text", args=[submission.number]),
    ]
    return "\n".join(client.get(address).content.decode() for address in addresses)


# --- writing -----------------------------------------------------------------------------------------------


def test_the_score_is_the_sum_of_the_rubric(of_aye, chit, now):
    feedback = write(of_aye, chit, now).feedback
    assert (feedback.score, feedback.state, feedback.rubric_scores) == (9, "ready", FULL)


def test_a_draft_of_feedback_need_not_be_complete(of_aye, chit, now):
    feedback = write(of_aye, chit, now, points={"cost": 4, "why": None}, ready=False).feedback
    assert (feedback.score, feedback.state) == (None, "draft")


def test_feedback_is_not_ready_without_all_points(of_aye, chit, now):
    with pytest.raises(Refused, match="points for every line"):
        write(of_aye, chit, now, points={"cost": 4})
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("points", [{"cost": 6, "why": 1}, {"cost": -1, "why": 1}])
def test_points_outside_the_rubric_are_refused(of_aye, chit, now, points):
    with pytest.raises(Refused, match="takes 0 to 5 points"):
        write(of_aye, chit, now, points=points)


def test_without_a_rubric_one_score_is_given(of_aye, chit, now):
    of_aye.assignment.rubric = []
    of_aye.assignment.save()
    assert write(of_aye, chit, now, points={"": 7}).feedback.score == 7
    with pytest.raises(Refused, match="0 to 10"):
        write(of_aye, chit, now, points={"": 11}, revision=1)


def test_of_two_reviewers_the_second_is_told_and_nobodys_text_is_lost(of_aye, chit, admin, now):
    write(of_aye, chit, now, comment="From chit.")
    second = write(of_aye, admin, now, comment="From hazel.")
    assert second.is_conflict
    assert second.feedback.comment_md == "From chit."
    assert Feedback.objects.get().comment_md == "From chit."


def test_the_same_form_twice_is_no_conflict(of_aye, chit, now):
    write(of_aye, chit, now)
    assert not write(of_aye, chit, now).is_conflict


def test_a_form_opened_before_the_release_does_not_reach_the_student(of_aye, chit, cohort, now):
    write(of_aye, chit, now)
    releasing.release(cohort, of_aye.assignment.week, by=chit, now=now)
    stale = write(of_aye, chit, now, comment="Half a tho", revision=1, ready=False)
    assert stale.is_conflict
    assert stale.feedback.comment_md == "Good."


def test_released_feedback_can_be_corrected_and_stays_released(of_aye, chit, cohort, now):
    write(of_aye, chit, now)
    releasing.release(cohort, of_aye.assignment.week, by=chit, now=now)
    shown = Feedback.objects.get()
    corrected = write(of_aye, chit, now, comment="Corrected.", revision=shown.revision, ready=False).feedback
    assert (corrected.state, corrected.comment_md) == ("released", "Corrected.")


def test_a_form_that_was_opened_before_the_release_does_not_change_what_students_see(of_aye, chit, cohort, now):
    """Its writer believed that nobody would see it yet: they are told, and their text stays in the form."""
    write(of_aye, chit, now)
    releasing.release(cohort, of_aye.assignment.week, by=chit, now=now)
    late = write(of_aye, chit, now, comment="Only a thought.", revision=1, ready=False)
    assert late.is_conflict
    assert Feedback.objects.get().comment_md == "Good."


# --- the queue ---------------------------------------------------------------------------------------------


def test_the_queue_says_where_each_student_stands(case, cohort, aye, bo, chit, now):
    write(hand_in(case, cohort, aye, now), chit, now)
    member(cohort, "zaw", "student", now)
    hand_in(case, cohort, bo, now)
    assert [(one.membership.user.name, one.state) for one in reviewing.queue(cohort, case, now)] == [
        ("Aye", "ready"),
        ("Bo", "todo"),
        ("Zaw", "none"),
    ]


def test_a_new_version_waits_again_and_keeps_the_old_feedback(case, cohort, aye, chit, of_aye, now):
    write(of_aye, chit, now)
    hand_in(case, cohort, aye, now, "Cloud, by region.")
    (one,) = reviewing.queue(cohort, case, now)
    assert (one.state, one.submission.version, one.earlier) == ("todo", 2, of_aye)


# --- the release -------------------------------------------------------------------------------------------


def test_students_see_nothing_before_the_release_and_all_of_it_after(of_aye, aye, chit, cohort, now):
    write(of_aye, chit, now, comment="The word heron.")
    address = of_aye.feedback.get_absolute_url()
    assert "heron" not in pages_of(aye, of_aye)
    assert browser(aye).get(address).status_code == 404
    releasing.release(cohort, of_aye.assignment.week, by=chit, now=now)
    said = browser(aye).get(address).content.decode()
    assert "heron" in said and "9" in said
    assert "heron" in pages_of(aye, of_aye)


def test_only_what_is_ready_is_released(case, cohort, aye, bo, chit, of_aye, now):
    write(of_aye, chit, now)
    begun = write(hand_in(case, cohort, bo, now), chit, now, ready=False).feedback
    done = releasing.release(cohort, case.week, by=chit, now=now)
    begun.refresh_from_db()
    assert (done.count, begun.state) == (1, "draft")


def test_another_cohorts_feedback_is_not_released(of_aye, chit, other_cohort, now):
    write(of_aye, chit, now)
    assert releasing.release(other_cohort, of_aye.assignment.week, by=chit, now=now) is None
    assert Feedback.objects.get().state == "ready"


def test_releasing_again_releases_only_what_became_ready_since(case, cohort, aye, bo, chit, of_aye, now):
    write(of_aye, chit, now)
    releasing.release(cohort, case.week, by=chit, now=now)
    write(hand_in(case, cohort, bo, now), chit, now)
    later = now + timedelta(hours=1)
    assert releasing.release(cohort, case.week, by=chit, now=later).count == 1
    assert Feedback.objects.get(submission=of_aye).released_at == now


def test_a_release_with_nothing_ready_leaves_no_trace(case, cohort, chit, now):
    assert releasing.release(cohort, case.week, by=chit, now=now) is None
    assert not Release.objects.exists()


def test_a_release_that_fails_shows_nothing_to_anybody(of_aye, chit, cohort, now, monkeypatch):
    def broken(**_):
        raise RuntimeError("the disk is full")

    write(of_aye, chit, now)
    monkeypatch.setattr(Release.objects, "create", broken)
    with pytest.raises(RuntimeError):
        releasing.release(cohort, of_aye.assignment.week, by=chit, now=now)
    assert Feedback.objects.get().state == "ready"


def test_a_later_version_does_not_hide_old_feedback(of_aye, case, cohort, aye, chit, now):
    write(of_aye, chit, now, comment="The word heron.")
    releasing.release(cohort, case.week, by=chit, now=now)
    hand_in(case, cohort, aye, now, "Cloud, by region.")
    said = browser(aye).get(of_aye.feedback.get_absolute_url()).content.decode()
    assert "heron" in said and "Version 2 was handed in since" in said
    assert "Feedback on version 1" in browser(aye).get(case.get_absolute_url()).content.decode()


def test_the_preflight_names_what_would_stay_hidden(case, cohort, aye, bo, chit, of_aye, now):
    zaw, dahlia = (member(cohort, name, "student", now) for name in ("zaw", "dahlia"))
    write(of_aye, chit, now)
    newer = hand_in(case, cohort, aye, now, "Newer.")
    write(hand_in(case, cohort, bo, now), chit, now, ready=False)
    hand_in(case, cohort, zaw, now)
    flight = releasing.preflight(cohort, case.week, now)
    assert [feedback.submission for feedback in flight.ready] == [of_aye]
    assert [feedback.submission.student for feedback in flight.drafts] == [bo]
    assert {submission.student for submission in flight.waiting} == {aye, zaw}
    assert [(feedback.submission, version) for feedback, version in flight.newer] == [(of_aye, newer)]
    assert [membership.user for membership, _ in flight.missing] == [dahlia]
    assert not flight.is_complete


# --- the pages ---------------------------------------------------------------------------------------------


def desk(cohort, submission):
    return reverse("portal:review_desk", args=[cohort.slug, submission.number])


def scores(revision=0, comment="Good.", do="ready", **points):
    return {
        "revision": revision,
        "comment": comment,
        "points-cost": 4,
        "points-why": 5,
        "do": do,
        "whole": "yes",
    } | points


def test_review_goes_to_the_week_that_is_open(chit):
    assert browser(chit).get(reverse("portal:review")).url == reverse("portal:review_queue", args=["sep-2025", 2])


def test_ready_saves_and_opens_the_next_student(case, cohort, bo, chit, of_aye, now):
    of_bo = hand_in(case, cohort, bo, now)
    answer = browser(chit).post(desk(cohort, of_aye), scores())
    assert answer.url == desk(cohort, of_bo)
    answer = browser(chit).post(desk(cohort, of_bo), scores())
    assert answer.url == reverse("portal:review_queue", args=["sep-2025", 2]) + "?case=case"
    assert Feedback.objects.filter(state="ready").count() == 2


def test_a_conflict_shows_both_texts_and_the_next_save_wins(cohort, chit, admin, of_aye):
    browser(chit).post(desk(cohort, of_aye), scores(comment="From chit."))
    client = browser(admin)
    answer = client.post(desk(cohort, of_aye), scores(comment="From hazel."))
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "From chit." in said and "From hazel.</textarea>" in said
    client.post(desk(cohort, of_aye), scores(comment="Both.", revision=1))
    assert Feedback.objects.get().comment_md == "Both."


@pytest.mark.parametrize(
    "change, said",
    [
        ({"points-cost": "9"}, "takes 0 to 5 points"),
        ({"points-cost": "many"}, "not a number of points"),
        ({"points-cost": ""}, "points for every line"),
        ({"whole": ""}, "connection was cut"),
    ],
)
def test_what_cannot_be_saved_is_said_and_the_text_stays_in_the_form(cohort, chit, of_aye, change, said):
    answer = browser(chit).post(desk(cohort, of_aye), scores(comment="My long text.") | change)
    assert answer.status_code == 422
    assert said in answer.content.decode() and "My long text.</textarea>" in answer.content.decode()
    assert not Feedback.objects.exists()


def test_the_release_page_asks_first_and_then_releases(cohort, chit, aye, of_aye, now):
    write(of_aye, chit, now)
    client = browser(chit)
    address = reverse("portal:release", args=[cohort.slug, 2])
    assert "Feedback on 1 answer will be shown." in client.get(address).content.decode()
    asked = client.post(address)
    assert "Release now?" in asked.content.decode() and Feedback.objects.get().state == "ready"
    answer = client.post(address, {"seen": asked.context["flight"].seen}, follow=True)
    assert "Released to the cohort: feedback on 1 answer." in answer.content.decode()
    assert Feedback.objects.get().state == "released"
    act = Act.objects.get(kind="release")
    assert (act.by, act.words) == (chit, "week 2: feedback on 1")
    assert Notice.objects.filter(person=aye, subject__startswith="Your feedback is here").count() == 1
    for again in ({}, {"seen": asked.context["flight"].seen}):
        assert "Nothing was ready" in client.post(address, again, follow=True).content.decode()


@pytest.mark.parametrize("change", ["another is ready", "one was written anew"])
def test_a_release_is_asked_again_when_it_would_show_something_else_than_was_agreed_to(
    case, cohort, chit, bo, of_aye, now, change
):
    write(of_aye, chit, now)
    client, address = browser(chit), reverse("portal:release", args=[cohort.slug, 2])
    seen = client.post(address).context["flight"].seen
    if change == "another is ready":
        write(hand_in(case, cohort, bo, now), chit, now)
    else:
        Feedback.objects.update(comment_md="Another word.", revision=F("revision") + 1)
    answer = client.post(address, {"seen": seen})
    assert answer.status_code == 409 and "What is ready changed while you looked." in answer.content.decode()
    assert not Release.objects.exists() and not Feedback.objects.filter(state="released").exists()
    client.post(address, {"seen": answer.context["flight"].seen})
    assert not Feedback.objects.exclude(state="released").exists()


def test_who_releases_now_leaves_the_plan_for_the_rest(cohort, chit, of_aye, now):
    write(of_aye, chit, now)
    releasing.plan(cohort, of_aye.assignment.week, at=now + timedelta(hours=9), by=chit, now=now)
    client, address = browser(chit), reverse("portal:release", args=[cohort.slug, 2])
    asked = client.post(address)
    assert "The planned release stays" in asked.content.decode()
    client.post(address, {"seen": asked.context["flight"].seen})
    assert Release.objects.get().at == now and cohort.planned_releases.get().done_at is None


def test_a_release_before_the_deadline_is_warned_of_with_its_zone(cohort, chit, of_aye, now, clock):
    write(of_aye, chit, now)
    address = reverse("portal:release", args=[cohort.slug, 2])
    warned = browser(chit).get(address).content.decode()
    assert "The deadline is not over: Thu 18 Sep 2025, 23:59:59 Yangon (UTC+6:30)." in warned
    assert "before the deadline</button>" in warned and "0 not yet handed in" in warned
    clock.move_to(now + timedelta(days=1))
    assert "The deadline is not over" not in browser(chit).get(address).content.decode()


def test_who_has_a_deadline_of_their_own_to_come_is_not_missing_in_the_queue_nor_in_the_release(
    cohort, chit, of_aye, bo, now, clock
):
    case, own = of_aye.assignment, now + timedelta(days=3)
    extending.grant(cohort, case, bo, own, reason="Power cut", by=chit, now=now)
    clock.move_to(now + timedelta(days=2))
    page = browser(chit).get(reverse("portal:review_queue", args=[cohort.slug, 2]))
    assert [(str(label), [str(one.membership.user) for one in rows]) for label, rows in page.context["groups"]] == [
        ("To do", ["Aye"]),
        ("Own deadline to come", ["Bo"]),
    ]
    assert "0 did not hand in" in page.content.decode() and 'title="Power cut"' in page.content.decode()
    flight = browser(chit).get(reverse("portal:release", args=[cohort.slug, 2])).context["flight"]
    assert not flight.missing and [(str(one.user), ext.due_at) for one, ext in flight.later] == [("Bo", own)]
    clock.move_to(own + timedelta(seconds=1))
    page = browser(chit).get(reverse("portal:review_queue", args=[cohort.slug, 2])).content.decode()
    assert "1 did not hand in" in page


def test_the_desk_says_an_own_deadline_and_its_reason(cohort, chit, aye, of_aye, now):
    extending.grant(cohort, of_aye.assignment, aye, now + timedelta(days=3), reason="Power cut", by=chit, now=now)
    assert "Power cut</span>" in browser(chit).get(desk(cohort, of_aye)).content.decode()


def test_until_the_deadline_nobody_did_not_hand_in(cohort, chit, of_aye, bo, now, clock):
    address = reverse("portal:review_queue", args=[cohort.slug, 2])
    before = browser(chit).get(address).content.decode()
    assert "1 not yet" in before and "Not handed in" not in before and "did not" not in before
    clock.move_to(now + timedelta(days=1))
    after = browser(chit).get(address).content.decode()
    assert "1 did not hand in" in after and "Not handed in" in after


def test_the_queue_says_on_which_day_each_came(cohort, chit, of_aye):
    queue = browser(chit).get(reverse("portal:review_queue", args=[cohort.slug, 2])).content.decode()
    assert "Thu 18 Sep, 14:47</time>" in queue


def test_an_instructor_cannot_open_the_desk_of_another_cohort(cohort, other_cohort, of_aye, now):
    stranger = member(other_cohort, "dahlia", "instructor", now)
    assert browser(stranger).get(desk(cohort, of_aye)).status_code == 404
    assert browser(stranger).get(desk(other_cohort, of_aye)).status_code == 404


def test_a_release_is_not_planned_for_another_century(cohort, chit, of_aye, now):
    """A slip of the keys in the year would mean that nobody ever sees it."""
    write(of_aye, chit, now)
    answer = browser(chit).post(
        reverse("portal:release", args=[cohort.slug, 2]), {"do": "plan", "at": "9999-12-31T09:00"}
    )
    assert answer.status_code == 422 and "more than a year from now" in answer.content.decode()
    assert not cohort.planned_releases.exists()
