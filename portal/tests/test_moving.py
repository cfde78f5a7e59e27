"""A cohort's dates for who teaches: shown first, then changed and told; own deadlines; a new cohort in one form."""

from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse

from conftest import YANGON, member
from portal import moving, replanning, sealing, submitting
from portal.models import (
    Announcement,
    Assignment,
    Cohort,
    CohortWeek,
    DateMove,
    Draft,
    Extension,
    Holiday,
    Membership,
    Notice,
    Submission,
)
from portal.views.opening import free_slug

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MOVE = {"do": "week", "week": "3", "by": "7"}


def seen(answer):
    return answer.context["shown"].seen


def told(cohort, number):
    return CohortWeek.objects.get(cohort=cohort, week__number=number)


@pytest.fixture
def dates(cohort):
    return reverse("portal:dates", args=[cohort.slug])


def test_a_move_is_shown_with_what_was_told_and_changes_nothing_yet(signed_in, chit, aye, cohort, dates):
    answer = signed_in(chit).get(dates, MOVE)
    said = answer.content.decode()
    assert "Mon 22 Sep, 21:00" in said and "Mon 29 Sep, 21:00" in said
    assert "1 student" in said and "9 dates" in said and "tell 1" in said
    assert told(cohort, 3).released_at == datetime(2025, 9, 22, 21, tzinfo=YANGON)
    assert not Notice.objects.exists() and not DateMove.objects.exists()


def test_a_saved_move_changes_the_dates_and_tells_each_in_their_own_zone(signed_in, chit, aye, cohort, dates):
    aye.time_zone = "Europe/Berlin"
    aye.save()
    client = signed_in(chit)
    shown = client.get(dates, MOVE)
    answer = client.post(dates, {**MOVE, "seen": seen(shown), "why": "Pchum Ben"})
    assert answer.status_code == 302
    assert told(cohort, 3).due_at == datetime(2025, 10, 2, 23, 59, 59, tzinfo=YANGON)
    assert told(cohort, 5).released_at == told(cohort, 4).session_at == datetime(2025, 10, 11, 9, tzinfo=YANGON)
    [notice] = Notice.objects.all()
    assert notice.person == aye and notice.subject == "New dates: Week 3 opens, and 8 more"
    assert "Pchum Ben" in notice.words
    assert "Week 3 opens: Mon 29 Sep, 16:30 (Mon 29 Sep, 21:00 Yangon). It was Mon 22 Sep, 16:30." in notice.words
    assert "Berlin time" in notice.words and not notice.is_urgent
    [move] = DateMove.objects.all()
    assert move.dates.count() == 9 and move.people_told == 1 and move.by == chit
    cohort.refresh_from_db()
    assert cohort.exceptions == [{"week": 3, "days": 7, "following": True, "why": "Pchum Ben"}]
    assert [one.session_at for one in cohort.computed_dates()] == [one.session_at for one in cohort.told.all()]
    assert "Pchum Ben" in client.get(dates).content.decode()


def test_a_date_that_is_near_is_told_at_once(signed_in, chit, aye, dates):
    client = signed_in(chit)
    change = {"do": "date", "which": "2 session", "at": "2025-09-20T13:00"}
    shown = client.get(dates, change)
    assert "would begin at 13:00" in shown.content.decode()
    moved = told(Cohort.objects.get(), 2)
    later = {**change, "seen": seen(shown), "why": "The hall is booked"}
    assert client.post(dates, later).status_code == 302
    moved.refresh_from_db()
    assert moved.session_at == moved.feedback_at == datetime(2025, 9, 20, 13, tzinfo=YANGON)
    assert not Notice.objects.get().is_urgent  # 42 h ahead
    client.post(dates, {"do": "date", "which": "2 due", "at": "2025-09-19T23:59", "seen": "", "why": "x"})
    shown = client.get(dates, {"do": "date", "which": "2 due", "at": "2025-09-19T23:59"})
    client.post(dates, {"do": "date", "which": "2 due", "at": "2025-09-19T23:59", "seen": seen(shown), "why": "x"})
    moved.refresh_from_db()
    assert moved.due_at == datetime(2025, 9, 19, 23, 59, 59, tzinfo=YANGON)
    assert Notice.objects.order_by("pk").last().is_urgent


def test_what_was_not_shown_is_not_done(signed_in, chit, aye, cohort, dates):
    client = signed_in(chit)
    before = client.get(dates, MOVE)
    again = client.post(dates, {**MOVE, "by": "14", "seen": "", "why": "x"})
    assert again.status_code == 409 and "look again" in again.content.decode()
    CohortWeek.objects.filter(cohort=cohort, week__number=4).update(session_at=datetime(2025, 10, 4, 10, tzinfo=YANGON))
    answer = client.post(dates, {**MOVE, "seen": seen(before), "why": "x"})
    assert answer.status_code == 409 and told(cohort, 3).released_at.day == 22
    assert client.post(dates, {**MOVE, "seen": seen(answer), "why": " "}).status_code == 422
    assert client.post(dates, {**MOVE, "seen": seen(answer), "why": "x"}).status_code == 302


def test_dates_that_changed_between_look_and_lock_are_refused(cohort, chit, now):
    weeks = list(CohortWeek.objects.filter(cohort=cohort).select_related("week").order_by("week__number"))
    moves = replanning.move_week([one.dates for one in weeks], 3, 7, True, YANGON, now)
    shown = moving.preview(cohort, weeks, moves, now=now)
    moving.apply(cohort, shown, why="once", by=chit, now=now)
    with pytest.raises(moving.Changed):
        moving.apply(cohort, shown, why="twice", by=chit, now=now)
    assert DateMove.objects.count() == 1


@pytest.mark.parametrize(
    "asked, words",
    [
        ({"do": "week", "week": "3", "by": "x"}, "whole days"),
        ({"do": "week", "week": "1", "by": "7", "only": "1"}, "All dates of that week are past"),
        ({"do": "date", "which": "zero", "at": "2025-09-20T13:00"}, "no such date"),
        ({"do": "date", "which": "3 due", "at": "tomorrow"}, "as a date and a time"),
        ({"do": "date", "which": "3 due", "at": "2025-09-25T23:59"}, "told already"),
        ({"do": "holiday", "name": "x", "first": "2025-09-25", "last": "2025-09-24"}, "before the first"),
        ({"do": "holiday", "name": "", "first": ""}, "what the holiday is called"),
    ],
)
def test_what_cannot_be_read_is_said_and_what_was_typed_stays(signed_in, chit, dates, asked, words):
    answer = signed_in(chit).get(dates, asked)
    assert answer.status_code == 422 and words in answer.content.decode()


def test_a_holiday_moves_the_week_that_meets_it_and_is_kept(signed_in, chit, aye, cohort, dates):
    client = signed_in(chit)
    asked = {"do": "holiday", "name": "Full moon", "first": "2025-10-02", "last": ""}
    shown = client.get(dates, asked)
    assert client.post(dates, {**asked, "seen": seen(shown), "why": "Full moon"}).status_code == 302
    assert told(cohort, 3).due_at == datetime(2025, 9, 25, 23, 59, 59, tzinfo=YANGON)
    assert told(cohort, 4).due_at == datetime(2025, 10, 9, 23, 59, 59, tzinfo=YANGON)
    holiday = Holiday.objects.get()
    client.post(reverse("portal:forget_holiday", args=[cohort.slug, holiday.pk]))
    assert not Holiday.objects.exists() and told(cohort, 4).due_at.month == 10


def test_a_holiday_on_a_free_day_is_noted_and_tells_nobody(signed_in, chit, aye, dates):
    client = signed_in(chit)
    asked = {"do": "holiday", "name": "A Sunday", "first": "2025-09-28", "last": "2025-09-28"}
    assert client.post(dates, {**asked, "seen": seen(client.get(dates, asked))}).status_code == 302
    assert Holiday.objects.exists() and not Notice.objects.exists() and not Announcement.objects.exists()


# --- own deadlines ---------------------------------------------------------------------------------------------


SUNDAY = datetime(2025, 9, 21, 23, 59, 59, tzinfo=YANGON)


def ask(client, cohort, student, **more):
    case = Assignment.objects.get(week__number=2)
    form = {"student": student.pk, "case": case.pk, "at": "2025-09-21T23:59", "reason": "Power cut", **more}
    return client.post(reverse("portal:extensions", args=[cohort.slug]), form)


def hand_in(case, cohort, student, text, at):
    draft = submitting.draft_of(case, cohort, student, now=at)
    submitting.save_draft(draft, text, revision=draft.revision, window="w", now=at)
    return submitting.submit(draft, key=text, now=at)[0]


def test_an_own_deadline_holds_for_one_student_alone_to_the_second(signed_in, chit, aye, bo, cohort, clock):
    assert ask(signed_in(chit), cohort, aye).status_code == 302
    assert Notice.objects.get(person=aye).words == "Power cut"
    case = Assignment.objects.get(week__number=2)
    bo_too = member(cohort, "khin", "student", SUNDAY)
    clock.move_to(SUNDAY)
    assert not hand_in(case, cohort, aye, "on time", SUNDAY).is_late
    assert hand_in(case, cohort, bo_too, "late", SUNDAY).is_late
    assert hand_in(case, cohort, aye, "too late", SUNDAY + timedelta(seconds=1)).is_late


def test_the_student_reads_their_own_deadline_and_no_model_answer_until_it(signed_in, chit, aye, cohort, clock):
    ask(signed_in(chit), cohort, aye)
    clock.move_to(SUNDAY)
    page = signed_in(aye).get(reverse("portal:assignment", args=[2, "case"])).content.decode()
    assert "This deadline is your own" in page and "Sun 21 Sep, 23:59" in page and "One good answer" not in page
    assert "Sun 21 Sep, 23:59" in signed_in(aye).get(reverse("portal:submissions")).content.decode()
    clock.move_to(SUNDAY + timedelta(seconds=1))
    assert "One good answer" in signed_in(aye).get(reverse("portal:assignment", args=[2, "case"])).content.decode()


def test_a_second_one_takes_the_place_of_the_first_and_a_move_adds_nothing(signed_in, chit, aye, cohort, dates):
    client = signed_in(chit)
    ask(client, cohort, aye)
    ask(client, cohort, aye, at="2025-09-22T12:00")
    extension = Extension.objects.get()
    assert extension.due_at == datetime(2025, 9, 22, 12, tzinfo=YANGON) and extension.revision == 2
    move = {"do": "week", "week": "2", "by": "1"}
    shown = client.get(dates, move)
    assert "own deadline of Case study 2" in shown.content.decode()
    client.post(dates, {**move, "seen": seen(shown), "why": "x"})
    extension.refresh_from_db()
    assert extension.due_at == datetime(2025, 9, 22, 12, tzinfo=YANGON)


def test_what_came_late_before_it_was_granted_is_late_no_longer_and_stays_so(signed_in, chit, aye, cohort, clock):
    case = Assignment.objects.get(week__number=2)
    clock.move_to(SUNDAY)
    assert hand_in(case, cohort, aye, "late", SUNDAY - timedelta(hours=5)).is_late
    client = signed_in(chit)
    ask(client, cohort, aye)
    assert not Submission.objects.get().is_late
    client.post(reverse("portal:withdraw_extension", args=[cohort.slug, Extension.objects.get().pk]))
    assert not Submission.objects.get().is_late
    assert sealing.deadline_of(Draft.objects.get()) == told(cohort, 2).due_at
    assert Notice.objects.filter(person=aye).count() == 2


@pytest.mark.parametrize(
    "more, words",
    [
        ({"at": "2025-09-18T23:59"}, "not later"),
        ({"at": "soon"}, "as a date and a time"),
        ({"reason": "  "}, "Write a reason"),
        ({"case": "0"}, "Choose a student and a case study"),
    ],
)
def test_what_cannot_be_granted_is_said(signed_in, chit, aye, cohort, more, words):
    answer = ask(signed_in(chit), cohort, aye, **more)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Extension.objects.exists()


def test_nobody_of_another_cohort_is_given_more_time(signed_in, chit, cohort, other_cohort, now):
    stranger = member(other_cohort, "yuri", "student", now)
    assert ask(signed_in(chit), cohort, stranger).status_code == 422


# --- a new cohort ----------------------------------------------------------------------------------------------


RHYTHM = {
    "release_day": "0", "release_at": "21:00", "due_day": "3", "due_at": "23:59",
    "feedback_day": "5", "feedback_at": "09:00", "session_day": "5", "session_at": "09:00",
}  # fmt: skip


@pytest.fixture
def opening(course):
    return {"name": "March 2026", "course": course.pk, "start_on": "2026-03-28", "zone": "Asia/Yangon", **RHYTHM}


def test_a_new_cohort_is_shown_date_by_date_and_then_opened(signed_in, chit, cohort, opening):
    thingyan = {"holiday_1": "Thingyan", "first_1": "2026-04-13", "last_1": "2026-04-16"}
    form = {**opening, **thingyan, "due_day": "2"}
    client, page = signed_in(chit), reverse("portal:new_cohort")
    said = client.get(page, form).content.decode()
    assert "Wed 1 Apr 2026, 23:59" in said and "Sat 25 Apr 2026, 09:00" in said and "Thingyan: week 3" in said
    assert Cohort.objects.count() == 1
    assert client.post(page, form).status_code == 302
    made = Cohort.objects.get(slug="march-2026")
    assert made.rhythm == {"due": "Wed 23:59:59"} and made.holidays.get().last == date(2026, 4, 16)
    assert told(made, 3).session_at == datetime(2026, 4, 25, 9, tzinfo=YANGON)
    assert Membership.objects.get(cohort=made).user == chit
    assert free_slug("March 2026") == "march-2026-2" and free_slug("New") == "new-2"


@pytest.mark.parametrize(
    "more, words",
    [
        ({"start_on": "2026-03-27"}, "starts on a Sat"),
        ({"zone": "Asia/Rangoon2"}, "is not a time zone"),
        ({"due_day": "6"}, "the release comes first"),
        ({"holiday_1": "A day"}, "name and a first day"),
        ({"due_at": "noon"}, "write the time"),
        ({"course": "0"}, "Select a valid choice"),
    ],
)
def test_a_cohort_that_cannot_be_is_explained_and_nothing_typed_is_lost(signed_in, chit, opening, more, words):
    answer = signed_in(chit).get(reverse("portal:new_cohort"), {**opening, **more})
    assert answer.status_code == 422 and words in answer.content.decode() and "March 2026" in answer.content.decode()


def test_an_instructor_opens_cohorts_of_the_courses_that_they_teach_only(signed_in, chit, opening):
    from portal.models import Course

    opening["course"] = Course.objects.create(slug="other", title="Another").pk
    assert signed_in(chit).post(reverse("portal:new_cohort"), opening).status_code == 422
