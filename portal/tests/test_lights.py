"""People are told of lights: left on, turned off for them, on at bedtime, and on after a lab."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conftest import member
from costs import forgotten, lighting
from costs.models import Finding, Scope
from labs import launching, ledger, practice
from labs.kinds.base import Seen
from labs.models import Event, Launch
from portal import lights, telling
from portal.models import Notice

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BOX = {"type": "t3.micro", "platform": "linux", "disks": []}


def box(person, cohort, at, name="box"):
    """A machine that they made by hand."""
    account = practice.account_of(person, now=at, scope=cohort.scope)
    seen = Seen("running", f"i-{name}-{person.pk}", name, at, BOX)
    return ledger.enter_strangers([(account, "ec2-instance", seen, "us-east-1")], at)[0]


def found(row, at, rule="stranger", **facts):
    return Finding.objects.create(resource=row, rule=rule, sentence="No lab made it", opened_at=at, **facts)


def told(person):
    return list(Notice.objects.filter(person=person).order_by("pk").values_list("topic", "subject"))


# --- what was left on --------------------------------------------------------------------------------------------


def test_the_owner_is_told_once_and_costs_knows(cohort, aye, chit, now):
    row = box(aye, cohort, now)
    found(row, now)
    forgotten.remind([row], now=now, by=chit)
    assert lights.tell_owners(now) == 1
    assert lights.tell_owners(now + MINUTE) == 0
    assert told(aye) == [("lights", "1 of your lights is still on")]
    assert Finding.objects.get().reminded_at == now
    [notice] = Notice.objects.all()
    assert "EC2 instance box, us-east-1: No lab made it." in notice.words
    assert notice.url == reverse("costs:mine")


def test_a_telling_that_died_halfway_is_told_by_the_next(cohort, aye, chit, now, monkeypatch):
    row = box(aye, cohort, now)
    found(row, now)
    forgotten.remind([row], now=now, by=chit)
    with monkeypatch.context() as broken, pytest.raises(OSError):
        broken.setattr(forgotten, "reminded", lambda *_: (_ for _ in ()).throw(OSError()))
        lights.tell_owners(now)
    assert told(aye) == []
    assert lights.tell_owners(now + MINUTE) == 1


def test_the_owner_reads_in_their_own_zone_when_it_goes_off(cohort, aye, now):
    cohort.lights_level, cohort.lights_grace_minutes = "grace", 120
    cohort.save()
    telling.tell_costs(now)
    aye.time_zone = "Asia/Tokyo"
    aye.save()
    found(box(aye, cohort, now), now, rule="idle-instance")
    lighting.tend(now)
    lights.tell_owners(now)
    # 14:47 in Yangon is 17:17 in Tokyo.
    assert "Stopped Thu 19:17, unless it is used or put off." in Notice.objects.get().words


def test_teachers_hear_of_what_is_left_on_for_hours_and_students_do_not(cohort, aye, chit, now):
    found(box(aye, cohort, now), now, staff_asked_at=now)
    assert lights.tell_staff(now) == 1
    assert told(chit) == [("teaching", "1 light left on for hours")] and told(aye) == []
    assert "Aye" in Notice.objects.get().words
    assert lights.tell_staff(now + MINUTE) == 0


def test_of_what_is_no_cohorts_admins_hear(cohort, admin, chit, now):
    row = box(chit, cohort, now)
    type(row).objects.filter(pk=row.pk).update(scope="", owner=None)
    found(row, now, staff_asked_at=now)
    assert lights.tell_staff(now) == 1
    assert told(admin) == [("teaching", "1 light left on for hours, 1 of them nobody’s")] and told(chit) == []


def test_what_was_turned_off_is_told_also_when_it_is_gone_by_then(cohort, aye, now):
    found(box(aye, cohort, now), now, acted_at=now, closed_at=now)
    assert lights.tell_acts(now) == 1
    assert lights.tell_acts(now + MINUTE) == 0
    assert told(aye) == [("lights", "1 light of yours is turned off: nobody used it")]


# --- before bed --------------------------------------------------------------------------------------------------

ZONES = [
    # zone, an instant, 22:00 of that evening as an instant or None
    ("Asia/Yangon", "2025-09-18T15:29:59", None),
    ("Asia/Yangon", "2025-09-18T15:30:00", "2025-09-18T15:30:00"),
    ("Asia/Yangon", "2025-09-18T17:29:59", "2025-09-18T15:30:00"),
    ("Asia/Yangon", "2025-09-18T17:30:00", None),  # midnight: it is tomorrow
    ("Asia/Kathmandu", "2025-09-18T16:15:00", "2025-09-18T16:15:00"),
    ("Pacific/Kiritimati", "2025-09-18T08:00:00", "2025-09-18T08:00:00"),
    ("Pacific/Pago_Pago", "2025-09-18T09:30:00", "2025-09-18T09:00:00"),
    # Berlin: the evening before and after its clocks go back, and forward, at night.
    ("Europe/Berlin", "2025-10-25T20:00:00", "2025-10-25T20:00:00"),
    ("Europe/Berlin", "2025-10-26T20:30:00", None),
    ("Europe/Berlin", "2025-10-26T21:00:00", "2025-10-26T21:00:00"),
    ("Europe/Berlin", "2026-03-29T20:00:00", "2026-03-29T20:00:00"),
    # Nuuk goes forward at 22:00 of the Saturday to 23:00: there is no 22:00, and bedtime comes all the same.
    ("America/Nuuk", "2023-03-26T00:59:59", None),
    ("America/Nuuk", "2023-03-26T01:00:00", "2023-03-26T01:00:00"),
]


def instant(words):
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "at", "bedtime"), ZONES)
def test_bedtime_is_22_of_each_zone_whatever_its_clocks_do(zone, at, bedtime):
    found = lights.bedtime_of(instant(at), ZoneInfo(zone))
    assert (found and found.astimezone(UTC)) == (bedtime and instant(bedtime))


@pytest.mark.parametrize(
    "zone", ["Asia/Yangon", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
def test_every_day_of_a_year_has_one_bedtime(zone):
    """Walked in quarters of an hour: one instant each date, and never two for one evening."""
    at, seen = instant("2025-09-01T00:00:00"), {}
    while at < instant("2026-09-01T00:00:00"):
        bedtime = lights.bedtime_of(at, ZoneInfo(zone))
        if bedtime is not None:
            seen.setdefault(bedtime.date(), set()).add(bedtime.astimezone(UTC))
        at += 15 * MINUTE
    assert len(seen) == 365 and all(len(instants) == 1 for instants in seen.values())


def test_in_the_evening_each_is_told_once_at_their_own_22(cohort, aye, bo, now):
    bo.time_zone = "Asia/Tokyo"
    bo.save()
    box(aye, cohort, now)
    box(bo, cohort, now)
    yangon, tokyo = now.replace(hour=22, minute=0), datetime(2025, 9, 18, 22, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert lights.tell_evening(tokyo - MINUTE) == 0
    assert lights.tell_evening(tokyo) == 1 and told(aye) == []
    assert lights.tell_evening(yangon) == 1
    assert told(aye) == [("lights", "1 light of yours is on this evening")]
    assert lights.tell_evening(yangon + HOUR) == 0
    assert lights.tell_evening(yangon + 24 * HOUR) == 1, "the next evening again"


def test_a_lab_in_use_is_told_with_its_end(cohort, aye, now):
    row = box(aye, cohort, now)
    launch = a_lab(aye, row.account, now, expires_at=now.replace(hour=23))
    type(row).objects.filter(pk=row.pk).update(launch=launch)
    lights.tell_evening(now.replace(hour=22, minute=5))
    assert "its lab turns it off Thu 23:47" in Notice.objects.get().words


def test_what_is_switched_on_after_bedtime_waits_for_the_next_evening(cohort, aye, now):
    box(aye, cohort, now.replace(hour=22, minute=30))
    assert lights.tell_evening(now.replace(hour=23)) == 0


def test_what_goes_off_or_was_put_off_or_costs_nothing_is_not_told(cohort, aye, bo, chit, now):
    launching.ask_to_delete([box(aye, cohort, now)], now=now)
    put_off = box(bo, cohort, now)
    found(put_off, now)
    forgotten.snooze([put_off], until=now + 24 * HOUR, why="", now=now, by=chit)
    free = Seen("running", "sg-1", "sg", now, {})
    account = practice.account_of(chit, now=now, scope=cohort.scope)
    ledger.enter_strangers([(account, "security-group", free, "us-east-1")], now)
    assert lights.tell_evening(now.replace(hour=22)) == 0


def test_an_evening_asks_as_many_queries_for_many_as_for_few(cohort, now):
    def queries(number):
        for n in range(number):
            box(member(cohort, f"s{number}-{n}", "student", now), cohort, now)
        at = now.replace(hour=21, minute=59)
        with CaptureQueriesContext(connection) as asked:
            assert lights.tell_evening(at) == 0
        return len(asked)

    assert queries(4) == queries(20) == 2


# --- when a lab is over ------------------------------------------------------------------------------------------


def a_lab(owner, account, now, **facts):
    begun = {"lab": "s3-for-ml", "region": "us-east-1", "created_at": now - HOUR, "expires_at": now}
    return Launch.objects.create(account=account, owner=owner, scope=account.scope, **(begun | facts))


def test_when_a_lab_is_over_its_student_hears_of_what_nothing_ends(cohort, lab, aye, now):
    row = box(aye, cohort, now - HOUR)
    a_lab(aye, row.account, now, ended_at=now)
    assert lights.tell_after_labs(now + MINUTE) == 1
    assert lights.tell_after_labs(now + 2 * MINUTE) == 0
    assert told(aye) == [("lights", "A bucket laid out for ML is over, and 1 light of yours is still on")]


def test_a_lab_that_left_nothing_on_is_no_news(cohort, lab, aye, bo, now):
    account = practice.account_of(aye, now=now, scope=cohort.scope)
    a_lab(aye, account, now, ended_at=now)
    box(bo, cohort, now - HOUR)
    assert lights.tell_after_labs(now + MINUTE) == 0


# --- the policy's page -------------------------------------------------------------------------------------------


def test_an_instructor_chooses_and_costs_knows_at_once(signed_in, cohort, chit, clock):
    client, address = signed_in(chit), reverse("portal:lights_policy", args=[cohort.slug])
    answer = client.post(address, {"level": "at_once", "grace": "30", "delete_days": "7"})
    assert answer.status_code == 302
    policy = Scope.objects.get(key=cohort.scope).policy
    assert str(policy) == "Stopped as soon as nobody uses it, and told; deleted after 7 days stopped"
    assert Event.objects.get(code="policy").actor == chit
    page = client.get(reverse("costs:forgotten")).content.decode()
    assert str(policy) in page and address in page


@pytest.mark.parametrize(
    "form",
    [
        {"level": "burn", "grace": "30"},
        {"level": "grace", "grace": "2"},
        {"level": "grace", "grace": "60", "delete_days": "0"},
        {"grace": "60"},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(signed_in, cohort, chit, clock, form):
    address = reverse("portal:lights_policy", args=[cohort.slug])
    answer = signed_in(chit).post(address, form)
    assert answer.status_code == 422
    cohort.refresh_from_db()
    assert (cohort.lights_level, cohort.lights_grace_minutes, cohort.lights_delete_days) == ("tell", 120, None)
