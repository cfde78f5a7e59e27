"""Pages of the school as students and instructors meet them: what is there, what is not, and when."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from conftest import YANGON
from portal import releasing, reviewing, submitting
from portal.models import Assignment, Membership

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OPENS = datetime(2025, 9, 22, 21, 0, tzinfo=YANGON)  # week 3


def page(client, name, *args, **query):
    return client.get(reverse(f"portal:{name}", args=args), query)


def body(answer):
    return answer.content.decode()


@pytest.fixture
def course_files(course, settings):
    for number in range(6):
        place = Path(settings.MEDIA_ROOT) / "courses" / "aws-ml" / f"w{number}"
        place.mkdir(parents=True)
        (place / "slides.pdf").write_bytes(b"%PDF-1.7 slides")


# --- before and after a release ------------------------------------------------------------------------------


def ways_in(number):
    """Every address that leads to something of a week."""
    return [
        ("material", (number, "reading")),
        ("material", (number, "slides")),
        ("material_file", (number, "slides")),
        ("assignment", (number, "case")),
        ("start_lab", (number, "s3-for-ml")),
    ]


@pytest.mark.usefixtures("course_files")
@pytest.mark.parametrize("name, args", ways_in(3))
def test_week_three_does_not_exist_before_monday_2100(signed_in, aye, clock, name, args):
    clock.move_to(OPENS - timedelta(seconds=1))
    assert page(signed_in(aye), name, *args).status_code == 404


@pytest.mark.usefixtures("course_files", "lab")
@pytest.mark.parametrize("name, args", ways_in(3))
def test_week_three_is_there_from_monday_2100_on(signed_in, aye, clock, name, args):
    clock.move_to(OPENS)
    assert page(signed_in(aye), name, *args).status_code == 200


@pytest.mark.parametrize("name, args", [("course", ()), ("week", (3,)), ("today", ()), ("submissions", ())])
def test_no_page_names_what_week_three_holds_before_its_release(signed_in, aye, name, args):
    said = body(page(signed_in(aye), name, *args))
    assert "Reading 3" not in said and "Slides 3" not in said and "llama3" not in said


def test_search_and_feed_know_nothing_of_week_three_before_its_release(signed_in, aye, clock):
    token = Membership.objects.get(user=aye).feed_token
    client = signed_in(aye)
    for words in ("walrus3", "Narwhal3", "Reading 3", "llama3"):
        assert "Nothing found" in body(page(client, "search", q=words))
    feed = body(page(client, "feed", token))
    assert "Big data" not in feed and "llama3" not in feed
    assert "Week 3 opens" in feed
    clock.move_to(OPENS)
    assert "Reading 3" in body(page(client, "search", q="walrus3"))
    assert "Big data" in body(page(client, "feed", token))


def test_a_draft_of_an_unreleased_case_study_cannot_be_sent(signed_in, aye):
    answer = signed_in(aye).post(reverse("portal:draft", args=[3, "case"]), {"answer": "early", "whole": "yes"})
    assert answer.status_code == 404


@pytest.mark.usefixtures("course_files", "lab")
@pytest.mark.parametrize("name, args", ways_in(3))
def test_the_instructor_previews_what_is_not_released(signed_in, chit, name, args):
    answer = page(signed_in(chit), name, *args)
    assert answer.status_code == 200
    if name in ("material", "assignment"):
        assert "Preview" in body(answer)


def test_a_locked_week_says_when_it_opens(signed_in, aye):
    said = body(page(signed_in(aye), "week", 3))
    assert "Opens" in said and "Mon 22 Sep, 21:00" in said


def test_a_week_that_is_not_in_the_course_is_not_found(signed_in, aye):
    assert page(signed_in(aye), "week", 9).status_code == 404


# --- files -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("course_files")
def test_a_file_of_the_course_comes_as_an_attachment(signed_in, aye):
    answer = page(signed_in(aye), "material_file", 2, "slides")
    assert answer["Content-Disposition"] == 'attachment; filename="slides.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 slides"


def test_a_material_without_its_file_on_disk_says_so(signed_in, aye):
    client = signed_in(aye)
    assert page(client, "material_file", 2, "slides").status_code == 404
    assert "not on this server yet" in body(page(client, "material", 2, "slides"))


@pytest.mark.usefixtures("course_files")
def test_a_course_cannot_hand_out_a_file_from_elsewhere(signed_in, aye, course, settings):
    (Path(settings.MEDIA_ROOT) / "secret.txt").write_text("secret")
    material = course.weeks.get(number=2).materials.get(slug="slides")
    material.file = "../secret.txt"
    material.save()
    assert page(signed_in(aye), "material_file", 2, "slides").status_code == 404


# --- today -------------------------------------------------------------------------------------------------


def test_today_says_the_day_the_week_and_what_is_left(signed_in, aye):
    said = body(page(signed_in(aye), "today"))
    assert "Thursday, 18 September" in said
    assert "Week 2 of 4" in said
    assert "Case study 2" in said
    assert "9 h 13 m" in said


def test_today_shows_a_reader_elsewhere_both_zones(signed_in, aye):
    aye.time_zone = "Europe/Berlin"
    aye.save()
    assert "23:59 Yangon (Thu 19:29 for you)" in body(page(signed_in(aye), "today"))


def test_once_handed_in_the_next_step_is_the_next_date(signed_in, aye, cohort, now):
    for number in (1, 2):
        hand_in(Assignment.objects.get(week__number=number), cohort, aye, now)
    said = body(page(signed_in(aye), "today"))
    assert "All that is open is handed in" in said
    assert "Feedback, hands-on, Q&amp;A" in re.search(r'id="next">([^<]*)<', said)[1], "not the deadline of what is in"


def test_today_shows_feedback_in_words_without_its_markdown(signed_in, aye, cohort, chit, now):
    submission = hand_in(Assignment.objects.get(week__number=2), cohort, aye, now)
    comment = "**Show** your `measurements`.\n\n- a < b\n- <script>no</script>"
    points = {"cost": 4, "why": 5}
    reviewing.write(submission, chit, comment=comment, points=points, revision=0, ready=True, now=now)
    releasing.release(cohort, submission.assignment.week, by=chit, now=now)
    said = " ".join(body(page(signed_in(aye), "today")).split())
    assert "Show your measurements. a &lt; b &lt;script&gt;no&lt;/script&gt;" in said


def test_where_one_stands_is_said_beside_a_title_that_ends_in_a_question(signed_in, aye, cohort, now):
    Assignment.objects.filter(week__number=2).update(title="Case study 2: where?")
    hand_in(Assignment.objects.get(week__number=2), cohort, aye, now)
    assert "Case study 2: where? (handed in)" in body(page(signed_in(aye), "today"))


def test_who_teaches_is_not_told_that_they_did_not_hand_in(signed_in, aye, chit):
    """Case study 1 is a week over, and neither has handed it in."""
    client = signed_in(chit)
    for name in ("course", "submissions"):
        assert "not handed in" not in body(page(client, name)).lower()
    assert "(not handed in)" in body(page(signed_in(aye), "course"))


def test_after_the_course_today_says_that_it_is_over(signed_in, aye, cohort, now, clock):
    for number in (1, 2, 3, 4):
        hand_in(Assignment.objects.get(week__number=number), cohort, aye, now)
    clock.move_to(datetime(2025, 12, 1, tzinfo=YANGON))
    assert "The course is over" in body(page(signed_in(aye), "today"))


def test_a_missed_case_study_can_still_be_handed_in(signed_in, aye, cohort, now):
    hand_in(Assignment.objects.get(week__number=2), cohort, aye, now)
    assert "marked late" in body(page(signed_in(aye), "today"))


def hand_in(assignment, cohort, student, now, text="My answer."):
    draft = submitting.draft_of(assignment, cohort, student, now=now)
    submitting.save_draft(draft, text, revision=draft.revision, window="w", now=now)
    return submitting.submit(draft, key=f"{assignment.pk}-{text}", now=now)[0]


def test_a_title_that_begins_with_its_weeks_name_says_it_once(signed_in, chit, course, cohort):
    course.weeks.filter(number=5).update(title="Optional lectures")
    client = signed_in(chit)
    for answer in (page(client, "course"), page(client, "cohort_page", cohort.slug), page(client, "week", 4)):
        said = " ".join(strip_tags(body(answer)).split())
        assert "Optional lectures" in said
        assert not re.search(r"Optional:? Optional", said)
    assert "Week 4 SageMaker" in " ".join(strip_tags(body(page(client, "course"))).split())


def test_whoever_is_in_no_cohort_is_told_so(signed_in, db):
    from conftest import person

    assert "You are in no cohort yet" in body(page(signed_in(person("dahlia")), "today"))


def test_instructors_and_admins_are_sent_to_their_own_pages(signed_in, chit, admin):
    assert page(signed_in(chit), "today").url == reverse("portal:review")
    assert page(signed_in(admin), "today").url == reverse("costs:spend")


# --- the feed ----------------------------------------------------------------------------------------------


def test_the_feed_has_the_told_instants_in_the_cohorts_zone(client, aye, cohort):
    import icalendar

    answer = page(client, "feed", Membership.objects.get(user=aye).feed_token)
    assert answer["Content-Type"].startswith("text/calendar")
    book = icalendar.Calendar.from_ical(answer.content)
    events = {str(event["uid"]): event for event in book.walk("VEVENT")}
    due = events[f"{cohort.scope}-2-due@lightsout"]
    assert due.decoded("dtstart") == datetime(2025, 9, 18, 23, 59, 59, tzinfo=YANGON)
    assert [str(zone["tzid"]) for zone in book.walk("VTIMEZONE")] == ["Asia/Yangon"]
    assert len(events) == 6 + 4 + 5


def test_an_event_that_moves_keeps_its_uid(client, aye, cohort):
    import icalendar

    token = Membership.objects.get(user=aye).feed_token
    before = {
        str(event["uid"]) for event in icalendar.Calendar.from_ical(page(client, "feed", token).content).walk("VEVENT")
    }
    cohort.told.filter(week__number=3).update(due_at=datetime(2025, 10, 2, 23, 59, 59, tzinfo=YANGON))
    after = icalendar.Calendar.from_ical(page(client, "feed", token).content)
    assert {str(event["uid"]) for event in after.walk("VEVENT")} == before


def test_a_feed_with_a_wrong_token_or_of_a_closed_account_is_not_found(client, aye):
    membership = Membership.objects.get(user=aye)
    assert page(client, "feed", "x" * 43).status_code == 404
    aye.is_active = False
    aye.save()
    assert page(client, "feed", membership.feed_token).status_code == 404


# --- cohorts of one person -----------------------------------------------------------------------------------


def test_a_person_of_two_cohorts_chooses_which_one_the_pages_are_about(signed_in, aye, cohort, other_cohort, now):
    from portal import enrolling

    enrolling.enrol(other_cohort, aye, now=now)
    client = signed_in(aye)
    assert "2026" in body(page(client, "course"))
    client.post(reverse("portal:choose_cohort"), {"cohort": cohort.slug})
    assert page(client, "course").context["standing"].cohort == cohort


def test_a_cohort_that_one_is_not_in_cannot_be_chosen(signed_in, aye, other_cohort):
    assert signed_in(aye).post(reverse("portal:choose_cohort"), {"cohort": other_cohort.slug}).status_code == 404


# --- search and health ---------------------------------------------------------------------------------------


def test_search_finds_all_words_and_shows_them_as_text(signed_in, aye):
    client = signed_in(aye)
    assert "Reading 2" in body(page(client, "search", q="WALRUS2 word"))
    said = body(page(client, "search", q="<script>alert(1)</script>\x00"))
    assert "<script>alert(1)" not in said and "&lt;script&gt;" in said
    assert page(client, "search").status_code == 200


def test_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert page(client, "alive").status_code == 200


def test_ready_says_which_part_is_not(client, aye, now, monkeypatch):
    from labs.models import Account
    from portal.views import health

    assert page(client, "ready").json()["controller"] == "has not looked yet"
    Account.objects.update(looked_at=now - timedelta(minutes=5))
    answer = page(client, "ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    Account.objects.update(looked_at=now - timedelta(hours=2))
    assert page(client, "ready").json()["controller"].startswith("last looked 2025-09-18T06:17")
    Account.objects.update(looked_at=now)
    monkeypatch.setattr(health, "_broker", lambda: "no answer")
    assert page(client, "ready").status_code == 503
