from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from conftest import YANGON, person
from costs.models import Budget, Scope
from labs.models import Account, StudentRole
from portal import enrolling
from portal.models import Cohort, Membership, Week

pytestmark = pytest.mark.django_db


def test_a_cohort_is_told_its_dates_when_it_opens(cohort):
    week_one = cohort.told.get(week__number=1)
    assert week_one.released_at == datetime(2025, 9, 8, 21, 0, tzinfo=YANGON)
    assert week_one.due_at == datetime(2025, 9, 11, 23, 59, 59, tzinfo=YANGON)
    assert [told.week.number for told in cohort.told.all()] == [0, 1, 2, 3, 4, 5]


def test_dates_that_were_told_do_not_move_when_the_rhythm_changes(cohort):
    cohort.rhythm = {"due": "Wed 12:00"}
    cohort.save()
    assert enrolling.tell_dates(cohort) == []
    assert cohort.told.get(week__number=1).due_at == datetime(2025, 9, 11, 23, 59, 59, tzinfo=YANGON)


def test_a_week_added_to_the_course_later_is_told_then(cohort):
    cohort.told.filter(week__number=5).delete()
    Week.objects.filter(number=5).delete()
    Week.objects.create(course=cohort.course, number=5, slug="w5", title="More")
    assert [told.week.number for told in enrolling.tell_dates(cohort)] == [5]


def test_a_cohort_does_not_start_on_a_wednesday(course, now):
    with pytest.raises(ValidationError, match="starts on a Sat"):
        enrolling.open_cohort(course, slug="x", name="x", start_on=date(2025, 9, 3), now=now)
    assert not Cohort.objects.exists()


def test_a_cohort_whose_rhythm_cannot_be_read_is_not_opened(course, now):
    with pytest.raises(ValidationError, match="weekday and a time"):
        enrolling.open_cohort(
            course, slug="x", name="x", start_on=date(2025, 9, 6), now=now, rhythm={"due": "at the end"}
        )
    assert not Cohort.objects.exists()


def test_a_student_gets_one_practice_account_with_twelve_digits(cohort, aye, now):
    enrolling.enrol(cohort, aye, now=now)
    account = Account.objects.get(owner=aye)
    assert (account.mode, account.scope) == (Account.PRACTICE, cohort.scope)
    assert len(account.aws_id) == 12 and account.aws_id.isdigit() and not account.aws_id.startswith("9")


def test_without_practice_mode_nobody_gets_an_account_that_could_not_be_looked_into(cohort, now, settings):
    settings.SIMULATOR_URL = ""
    enrolling.enrol(cohort, person("aye"), now=now)
    assert not Account.objects.exists()


def test_two_students_have_two_accounts(aye, bo):
    assert Account.objects.get(owner=aye).aws_id != Account.objects.get(owner=bo).aws_id


def test_an_instructor_gets_an_account_only_when_they_start_a_lab(chit, now):
    assert not Account.objects.filter(owner=chit).exists()
    assert enrolling.practice_account(chit, now=now) == enrolling.practice_account(chit, now=now)


def test_enrolling_twice_keeps_the_role_and_the_feed_address(cohort, chit, now):
    before = Membership.objects.get(user=chit)
    again = enrolling.enrol(cohort, chit, role="student", now=now + timedelta(days=1))
    assert (again.pk, again.role, again.feed_token) == (before.pk, "instructor", before.feed_token)


def test_an_account_follows_its_owner_into_their_newest_cohort(cohort, other_cohort, aye, now):
    enrolling.enrol(other_cohort, aye, now=now)
    assert Account.objects.get(owner=aye).scope == other_cohort.scope


def test_a_new_person_reads_dates_in_the_cohorts_zone_and_an_old_one_in_their_own(cohort, now):
    new = person("zaw", time_zone="UTC")
    old = person("dahlia", time_zone="Europe/Berlin", last_login=now)
    for one in (new, old):
        enrolling.enrol(cohort, one, now=now)
    assert (new.time_zone, old.time_zone) == ("Asia/Yangon", "Europe/Berlin")


def test_costs_are_told_of_the_cohort_when_it_opens(cohort):
    told = Scope.objects.get(key=cohort.scope)
    assert (told.name, told.title, told.zone) == ("sep-2025", "September 2025 cohort", "Asia/Yangon")
    assert told.look_ahead_until == datetime(2025, 9, 6, 9, tzinfo=YANGON)
    assert told.ends_at == datetime(2025, 10, 4, 9, tzinfo=YANGON)
    assert {(one.kind, one.usd) for one in Budget.objects.filter(scope=cohort.scope)} == {
        ("student", Decimal(25)),
        ("cohort", Decimal(500)),
    }


@pytest.fixture
def shared_roles(aye, chit, admin, now):
    """aye, chit, an admin and somebody who is in no cohort have a role in the shared account."""
    account = Account.objects.create(
        name="Bootcamp", mode=Account.SHARED, aws_id="111122223333", regions=["us-east-1"], created_at=now
    )
    people = [aye, chit, admin, person("gone")]
    return [StudentRole.objects.create(account=account, student=one, made_at=now) for one in people]


def leaving():
    return {str(role.student) for role in StudentRole.objects.exclude(leaves_at=None)}


def test_a_week_after_the_last_session_students_lose_their_roles(cohort, shared_roles):
    last = max(told.session_at for told in cohort.told.exclude(session_at=None))
    enrolling.let_leave(last + timedelta(days=6))
    assert leaving() == {"Gone"}
    assert enrolling.let_leave(last + timedelta(days=7)) == 2
    assert leaving() == {"Gone", "Aye", "Chit"}


def test_a_role_under_limits_goes_when_its_cohort_has_none_any_more(cohort, shared_roles, aye, now):
    account = shared_roles[0].account
    StudentRole.objects.filter(student__email="gone@example.org").delete()
    theirs = StudentRole.objects.create(account=account, student=aye, scope=cohort.scope, made_at=now)
    cohort.lab_limits = {"instance_types": ["t3.micro"]}
    cohort.save()
    assert enrolling.let_leave(now) == 0
    cohort.lab_limits = {}
    cohort.save()
    assert enrolling.let_leave(now) == 1
    theirs.refresh_from_db()
    assert theirs.leaves_at == now and leaving() == {"Aye"}, "the wider one stays with its other cohorts"


def test_who_is_in_a_later_cohort_keeps_theirs(cohort, other_cohort, shared_roles, aye, now):
    enrolling.enrol(other_cohort, aye, now=now)
    last = max(told.session_at for told in cohort.told.exclude(session_at=None))
    enrolling.let_leave(last + timedelta(days=7))
    assert leaving() == {"Gone", "Chit"}
