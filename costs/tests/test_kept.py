"""The spend page is worked out once for all who ask, and anew as soon as something was recorded."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from costs import currency, forgotten, kept, metering, scopes, spending, tasks
from costs.kept import Asked
from costs.models import Finding, KeptPage
from costs.tests import worlds
from costs.tests.test_pages import words
from costs.tests.worlds import HOUR, MINUTE, NOW, SCOPE, instance, notebook, saw, stranger
from labs import launching, ledger
from labs.kinds.base import STOPPED
from labs.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
ASKED = Asked((SCOPE,), (SCOPE,), "Asia/Yangon")


class Counted:
    """spending.made, and how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, asked, now):
        self.times += 1
        return spending.made(asked, now)


@pytest.fixture
def make():
    return Counted()


@pytest.fixture
def row(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    return row


def test_who_asks_next_gets_what_was_made(row, make):
    first = kept.page(ASKED, NOW, make)
    again = kept.page(ASKED, NOW + MINUTE, make)
    assert make.times == 1
    assert (again.head, again.main) == (first.head, first.main)
    assert again.on_now.within([SCOPE]) == first.on_now.within([SCOPE])
    assert again.on_now.burning.usd_per_hour == Decimal("0.05")


def test_another_zone_language_number_or_reader_has_a_page_of_its_own(row, make):
    for asked in (
        ASKED,
        Asked((SCOPE,), (SCOPE,), "UTC"),
        Asked((SCOPE,), ("", SCOPE), "Asia/Yangon"),
        Asked((SCOPE,), (SCOPE,), "Asia/Yangon", number=2),
        Asked((SCOPE,), (SCOPE,), "Asia/Yangon", moves=True),
        Asked((SCOPE,), (SCOPE,), "Asia/Yangon", language="my"),
    ):
        kept.page(asked, NOW, make)
    assert make.times == KeptPage.objects.count() == 6


@pytest.mark.parametrize(
    "does",
    [
        pytest.param(lambda row, aye: saw(row, notebook(STOPPED), NOW + MINUTE), id="a state was seen"),
        pytest.param(lambda row, aye: launching.ask_to_delete([row], now=NOW, by=aye), id="it was asked to go"),
        pytest.param(
            lambda row, aye: (worlds.still_there([row], NOW + HOUR), metering.meter(NOW + HOUR)), id="it was metered"
        ),
        pytest.param(lambda row, aye: stranger(row.account, "ec2-instance", instance(), NOW), id="something was found"),
        pytest.param(lambda row, aye: scopes.tell(SCOPE, name="another"), id="the cohort has another name"),
        pytest.param(
            lambda row, aye: scopes.tell(SCOPE, name=SCOPE, student_usd=Decimal(3)), id="students have a budget"
        ),
        pytest.param(lambda row, aye: currency.enter("SGD", Decimal("1.29"), NOW.date()), id="a rate was entered"),
    ],
)
def test_what_was_recorded_shows_at_once(does, row, aye, make):
    scopes.tell(SCOPE, name=SCOPE)
    kept.page(ASKED, NOW, make)
    does(row, aye)
    kept.page(ASKED, NOW, make)
    assert make.times == 2


def test_what_is_told_every_minute_without_news_changes_nothing(row, make):
    scopes.tell(SCOPE, name=SCOPE, student_usd=Decimal(3))
    kept.page(ASKED, NOW, make)
    scopes.tell(SCOPE, name=SCOPE, student_usd=Decimal(3))
    kept.page(ASKED, NOW, make)
    assert make.times == 1


def test_an_event_that_is_committed_after_a_later_one_is_not_overlooked(row, make):
    early = ledger.note("looked", "Somebody looked", NOW, resource=row)
    ledger.note("looked", "Somebody else looked", NOW, resource=row)
    early.delete()
    kept.page(ASKED, NOW, make)
    Event.objects.bulk_create([early])
    kept.page(ASKED, NOW, make)
    assert make.times == 2


@pytest.mark.parametrize("later", [kept.BELIEVED_FOR, timedelta(seconds=-1)])
def test_what_is_old_or_of_another_clock_is_not_believed(row, make, later):
    kept.page(ASKED, NOW, make)
    kept.page(ASKED, NOW + later, make)
    assert make.times == 2


def test_the_worker_makes_anew_what_somebody_has_open(row, make):
    kept.page(ASKED, NOW, make)
    assert kept.renew(NOW + MINUTE / 2, make) == 0, "it is as young as can be"
    assert kept.renew(NOW + MINUTE, make) == 1
    kept.page(ASKED, NOW + 2 * MINUTE, make)
    assert make.times == 2


def test_what_nobody_has_open_any_more_is_dropped(row, make):
    kept.page(ASKED, NOW, make)
    assert kept.renew(NOW + kept.OPEN_FOR + MINUTE, make) == 0
    assert not KeptPage.objects.exists()


def test_to_ask_keeps_it_open(row, make):
    kept.page(ASKED, NOW, make)
    for n in range(1, 9):
        kept.renew(NOW + n * MINUTE, make)
        kept.page(ASKED, NOW + n * MINUTE, make)
    assert make.times == 9, "once for the first who asked, then the worker"


def test_the_tasks_of_every_minute_make_it_anew(row, monkeypatch):
    monkeypatch.setattr(tasks.timezone, "now", lambda: NOW + MINUTE)
    monkeypatch.setattr(tasks.activity, "look", lambda now: None)
    for task in (tasks.meter, tasks.find_forgotten):
        kept.page(ASKED, NOW, spending.made)
        KeptPage.objects.update(stamp="of long ago", main="")
        task()
        assert KeptPage.objects.get().main


def test_what_is_looked_for_by_letters_is_not_kept(row, make):
    asked = Asked((SCOPE,), (SCOPE,), "Asia/Yangon", letters="ay")
    kept.page(asked, NOW, make)
    kept.page(asked, NOW, make)
    assert make.times == 2
    assert not KeptPage.objects.exists()


def test_the_page_that_was_kept_reads_as_the_one_that_was_made(client, teacher, row):
    client.force_login(teacher)
    made, again = (client.get(reverse("costs:spend")) for _ in range(2))
    assert "$0.05/h" in words(made)
    assert words(again) == words(made)
    assert again.context["made"].main == made.context["made"].main


def test_a_page_is_kept_and_made_anew_in_the_language_of_whoever_has_it_open(client, teacher, row):
    """The worker reads no language of its own."""
    client.force_login(teacher)
    for language in ("en", "my"):
        type(teacher).objects.filter(pk=teacher.pk).update(language=language)
        client.get(reverse("costs:spend"))
    KeptPage.objects.update(stamp="of long ago", main="")
    assert kept.renew(NOW + MINUTE, spending.made) == 2
    by_language = {one.asked_for["language"]: one.main for one in KeptPage.objects.all()}
    assert "$0.05/h" in by_language["en"] and "$0.05/နာရီ" not in by_language["en"]
    assert "$0.05/နာရီ" in by_language["my"] and "$0.05/h" not in by_language["my"]


def test_a_page_that_cannot_be_made_stops_neither_the_others_nor_the_task(row, make):
    for zone in ("Asia/Yangon", "UTC"):
        kept.page(Asked((SCOPE,), (SCOPE,), zone), NOW, make)

    def breaks(asked, now):
        if asked.zone == "UTC":
            raise RuntimeError
        return make(asked, now)

    assert kept.renew(NOW + MINUTE, breaks) == 1


@pytest.mark.parametrize("zone", ["Etc/GMT-7", "Asia/Yangon", "UTC"])
def test_every_zone_that_one_can_choose_is_read(client, teacher, row, zone):
    type(teacher).objects.filter(pk=teacher.pk).update(time_zone=zone)
    client.force_login(teacher)
    assert client.get(reverse("costs:spend")).status_code == 200


def test_a_snooze_that_is_taken_back_shows_at_once(row, aye, make):
    Finding.objects.create(resource=row, rule="stranger", sentence="x", opened_at=NOW, snoozed_until=NOW + HOUR)
    kept.page(ASKED, NOW, make)
    assert forgotten.wake([row], now=NOW, by=aye) == 1
    kept.page(ASKED, NOW, make)
    assert make.times == 2
    assert Event.objects.get(code="woken").actor == aye
