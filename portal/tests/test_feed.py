"""The calendar feed: an event moves and does not multiply, in the reader's hand alone, and any calendar can read it."""

from datetime import date, datetime, timedelta

import icalendar
import pytest
from django.urls import reverse

from conftest import YANGON
from portal import extending, moving, replanning
from portal.models import Assignment, CohortWeek, Extension, Holiday, Membership

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def read(client, user):
    answer = client.get(reverse("portal:feed", args=[Membership.objects.get(user=user).feed_token]))
    assert answer.status_code == 200
    book = icalendar.Calendar.from_ical(answer.content)
    return book, {str(event["uid"]): event for event in book.walk("VEVENT")}


def uid(cohort, number, kind):
    return f"{cohort.scope}-{number}-{kind}@lightsout"


def move(cohort, chit, now, number=3, by=7):
    weeks = list(CohortWeek.objects.filter(cohort=cohort).select_related("week").order_by("week__number"))
    moves = replanning.move_week([one.dates for one in weeks], number, by, True, YANGON, now)
    moving.apply(cohort, moving.preview(cohort, weeks, moves, now=now), why="x", by=chit, now=now)


def test_a_moved_event_keeps_its_uid_and_counts_on_and_the_others_are_the_same_bytes(client, aye, chit, cohort, now):
    _, before = read(client, aye)
    move(cohort, chit, now)
    _, after = read(client, aye)
    assert before.keys() == after.keys()
    moved = uid(cohort, 3, "due")
    assert (before[moved]["sequence"], after[moved]["sequence"]) == (0, 1)
    assert after[moved]["dtstart"].dt == datetime(2025, 10, 2, 23, 59, 59, tzinfo=YANGON)
    assert after[moved]["last-modified"].dt == now
    same = uid(cohort, 2, "due")
    assert before[same].to_ical() == after[same].to_ical()
    move(cohort, chit, now, by=1)
    assert read(client, aye)[1][moved]["sequence"] == 2


def test_every_event_is_valid_and_its_zone_is_described(client, aye, cohort, settings):
    book, events = read(client, aye)
    zones = {str(one["tzid"]): one for one in book.walk("VTIMEZONE")}
    assert set(zones) == {"Asia/Yangon"}
    standard = zones["Asia/Yangon"].subcomponents[-1]
    assert standard["tzoffsetto"].td == timedelta(hours=6, minutes=30)
    for event in events.values():
        assert event["dtstart"].params["tzid"] == "Asia/Yangon" and event["dtstamp"]
        # RFC 5545, 3.8.2.2: an end is later than its beginning, or it is not there.
        assert "dtend" not in event or event["dtend"].dt > event["dtstart"].dt
    session = events[uid(cohort, 2, "session")]
    assert session["dtend"].dt - session["dtstart"].dt == timedelta(hours=3)
    for line in book.to_ical().split(b"\r\n"):
        assert len(line) <= 75


def test_a_zone_with_summer_time_is_described_with_its_change(client, aye, cohort):
    cohort.zone = "Europe/Berlin"
    cohort.save()
    book, events = read(client, aye)
    [zone] = book.walk("VTIMEZONE")
    assert {part.name for part in zone.subcomponents} == {"STANDARD", "DAYLIGHT"}


def test_times_are_said_in_the_cohorts_zone_and_in_the_readers(client, aye, cohort):
    due = uid(cohort, 2, "due")
    assert "Thu 18 Sep, 23:59 Yangon time (UTC+6:30)\n" in read(client, aye)[1][due]["description"]
    aye.time_zone = "Asia/Tokyo"
    aye.save()
    assert "Fri 19 Sep, 02:29 Tokyo time (UTC+9)" in read(client, aye)[1][due]["description"]


def test_an_own_deadline_is_in_ones_own_feed_and_goes_back_when_it_is_withdrawn(client, aye, bo, chit, cohort, now):
    case = Assignment.objects.get(week__number=2)
    own = datetime(2025, 9, 21, 23, 59, 59, tzinfo=YANGON)
    due = uid(cohort, 2, "due")
    extending.grant(cohort, case, aye, own, reason="Power cut", by=chit, now=now)
    granted = read(client, aye)[1][due]
    assert (granted["dtstart"].dt, granted["sequence"]) == (own, 1)
    assert read(client, chit)[1][due]["dtstart"].dt.day == 18
    extending.withdraw(Extension.objects.get(), by=chit, now=now)
    back = read(client, aye)[1][due]
    assert (back["dtstart"].dt.day, back["sequence"]) == (18, 2)


def test_of_two_case_studies_only_the_one_that_was_extended_has_an_own_event(client, aye, chit, cohort, now):
    case = Assignment.objects.get(week__number=2)
    Assignment.objects.create(week=case.week, slug="second", title="A second one", brief_md="x")
    own = datetime(2025, 9, 21, 12, 0, tzinfo=YANGON)
    extending.grant(cohort, case, aye, own, reason="Power cut", by=chit, now=now)
    events = read(client, aye)[1]
    assert events[uid(cohort, 2, "due-case")]["dtstart"].dt == own
    assert events[uid(cohort, 2, "due")]["dtstart"].dt.day == 18


def test_a_holiday_lasts_whole_days(client, aye, cohort):
    Holiday.objects.create(cohort=cohort, name="Full moon", first=date(2025, 10, 6), last=date(2025, 10, 7))
    [holiday] = [one for one in read(client, aye)[1].values() if "Holiday" in one["summary"]]
    assert (holiday["dtstart"].dt, holiday["dtend"].dt) == (date(2025, 10, 6), date(2025, 10, 8))


def test_a_renewed_address_is_another_and_the_old_one_is_dead(signed_in, aye):
    old = Membership.objects.get(user=aye).feed_token
    client = signed_in(aye)
    assert client.post(reverse("portal:renew_feed")).status_code == 302
    new = Membership.objects.get(user=aye).feed_token
    assert client.get(reverse("portal:feed", args=[old])).status_code == 404
    assert client.get(reverse("portal:feed", args=[new])).status_code == 200
    said = client.get(reverse("portal:course")).content.decode()
    assert new in said and "webcal://" in said and "calendar.google.com" in said and old not in said


def test_the_file_of_a_week_has_the_events_of_the_feed(signed_in, aye, cohort):
    answer = signed_in(aye).get(reverse("portal:week_calendar", args=[2]))
    alone = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    events = read(signed_in(aye), aye)[1]
    assert [one.to_ical() for one in alone] == [events[str(one["uid"])].to_ical() for one in alone]
    assert len(alone) == 3 and answer["Content-Disposition"].startswith("attachment")
