"""What was seen becomes readings: once, no further than was observed, and never less than before."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from costs import metering
from costs.models import DailySpend, Metered, Price, Reading
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, instance, notebook, saw, stranger
from labs import ledger
from labs.kinds.base import STOPPED
from labs.models import Span

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
D = Decimal


def total(row):
    return Metered.objects.get(resource=row).usd


def books_agree():
    """The sums are the sums of the readings, by resource and by day."""
    readings = Reading.objects.aggregate(usd=Sum("usd"))["usd"] or 0
    assert Metered.objects.aggregate(usd=Sum("usd"))["usd"] == pytest.approx(readings, abs=D("0.00000001"))
    assert DailySpend.objects.aggregate(usd=Sum("usd"))["usd"] == pytest.approx(readings, abs=D("0.00000001"))
    return True


def test_eight_hours_of_a_p3_cost_what_the_course_says(ayes):
    row = stranger(ayes, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    metering.meter(NOW)
    assert total(row) == D("24.48")
    assert books_agree()


def test_it_is_metered_to_the_last_observation_and_no_further(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0), NOW)
    worlds.still_there([row], NOW + HOUR)
    metering.meter(NOW + 3 * HOUR)
    assert total(row) == D("0.05")
    assert Metered.objects.get(resource=row).until == NOW + HOUR


def test_what_was_closed_and_is_met_again_is_not_metered_twice(ayes):
    """AWS's lists are late: an instance that is gone is shown once more, and entered once more."""
    seen = instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR)
    row = stranger(ayes, "ec2-instance", seen, NOW)
    metering.meter(NOW)
    ledger.close(ledger.claim(NOW + HOUR, pk=row.pk), NOW + HOUR, "it is gone")
    again = stranger(ayes, "ec2-instance", seen, NOW + HOUR + MINUTE)
    metering.meter(NOW + HOUR + MINUTE)
    assert total(row) == D("27.54")
    assert total(again) == D("0.051"), "the minute since, and not the nine hours before"
    assert books_agree()


def test_metering_again_changes_nothing(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - HOUR), NOW)
    assert metering.meter(NOW) == 2
    before = list(Reading.objects.order_by("pk").values())
    assert metering.meter(NOW, [row]) == 0
    assert list(Reading.objects.order_by("pk").values()) == before
    assert books_agree()


def test_a_reading_is_made_every_few_minutes_and_at_once_when_the_state_changes(ayes, settings):
    settings.METER_EVERY = 5 * MINUTE
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0), NOW)
    metering.meter(NOW)
    worlds.still_there([row], NOW + 4 * MINUTE)
    assert metering.meter(NOW + 4 * MINUTE) == 0, "too soon"
    worlds.still_there([row], NOW + 5 * MINUTE)
    assert metering.meter(NOW + 5 * MINUTE) == 1
    saw(row, notebook(STOPPED, disk_gb=0), NOW + 6 * MINUTE)
    assert metering.meter(NOW + 6 * MINUTE) == 1, "the state changed: the minute is counted now"
    assert total(row) == D("0.005")


def test_a_stopped_instance_still_pays_for_its_disk_and_for_nothing_else(ayes):
    row = stranger(ayes, "ec2-instance", instance(STOPPED, disk_gb=30, since=NOW - DAY), NOW)
    metering.meter(NOW)
    assert total(row) == (D(30) * D("0.08") / 30).quantize(D("0.0000000001"))
    assert [reading.meter.split("/")[0] for reading in Reading.objects.all()] == ["EBS", "EBS"], "two UTC days"


def test_an_attached_public_address_costs_too(ayes):
    row = stranger(ayes, "ec2-instance", instance(addresses=1, disk_gb=0, since=NOW - 2 * HOUR), NOW)
    metering.meter(NOW)
    assert total(row) == 2 * (D("0.0416") + D("0.005"))


def test_prices_are_of_the_region_that_it_is_in(ayes):
    there = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW, region="ap-southeast-1")
    metering.meter(NOW)
    singapore = Price.objects.get(kind="on-demand-linux", sku="t3.medium", region="ap-southeast-1").usd
    assert total(there) == singapore != D("0.0416")


def test_ec2_bills_sixty_seconds_at_least_a_start_and_once_a_start(ayes, settings):
    settings.METER_EVERY = timedelta(seconds=10)
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    for seconds in (10, 20, 30):
        worlds.still_there([row], NOW + timedelta(seconds=seconds))
        metering.meter(NOW + timedelta(seconds=seconds))
    minute = (D("0.0416") / 60).quantize(D("0.0000000001"))
    assert total(row) == minute
    # It is given an address while it runs: other facts, another span, but not another start.
    saw(row, instance(disk_gb=0, image="other"), NOW + timedelta(seconds=40))
    metering.meter(NOW + timedelta(seconds=40))
    assert total(row) == minute
    # Stopped and started again it is.
    saw(row, instance(STOPPED, disk_gb=0), NOW + timedelta(seconds=45))
    saw(row, instance(disk_gb=0), NOW + timedelta(seconds=50))
    worlds.still_there([row], NOW + timedelta(seconds=60))
    metering.meter(NOW + timedelta(seconds=60))
    assert total(row) == 2 * minute


def test_a_stop_that_is_seen_late_never_lowers_a_total(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    before = total(row)
    # AWS says now that it had stopped half an hour before we last saw it running.
    Span.objects.filter(resource=row).update(ended=NOW - 30 * MINUTE)
    Span.objects.create(
        resource=row, state=STOPPED, facts={"type": "ml.t3.medium", "disk_gb": 0}, began=NOW - 30 * MINUTE
    )
    worlds.still_there([row], NOW + HOUR)
    metering.meter(NOW + HOUR)
    assert total(row) == before
    assert not Reading.objects.filter(usd__lt=0).exists()


def test_readings_are_cut_at_the_ends_of_utc_days_and_days_add_up(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - 3 * DAY), NOW)
    metering.meter(NOW)
    assert Reading.objects.filter(resource=row).count() == 4
    by_day = dict(DailySpend.objects.values_list("day", "usd"))
    assert sum(by_day.values()) == D("0.05") * 72
    assert by_day[(NOW - DAY).date()] == D("0.05") * 24
    assert books_agree()


def test_without_a_price_it_is_unpriced_and_not_nothing(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(type="ml.x9.huge", disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    reading = Reading.objects.get()
    assert (reading.usd, reading.rate, reading.price) == (None, None, None)
    assert reading.quantity == 1
    assert DailySpend.objects.get().unpriced_seconds == 3600
    metered = Metered.objects.get(resource=row)
    assert (metered.unpriced_seconds, metered.unpriced_meters) == (3600, 1)


def test_a_kind_that_cannot_say_what_it_costs_is_unpriced_and_stops_nobody_else(ayes):
    broken = stranger(ayes, "sagemaker-notebook", worlds.Seen("running", "x", "x", NOW - HOUR, {}), NOW)
    whole = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    assert Metered.objects.get(resource=broken).unpriced_seconds == 3600
    assert total(whole) == D("0.05")


def test_two_machines_of_an_endpoint_cost_twice(ayes):
    row = stranger(ayes, "sagemaker-endpoint", worlds.endpoint(count=2, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    assert total(row) == D("0.23")


def test_a_row_that_is_gone_is_metered_to_its_end_and_then_left_alone(ayes, django_assert_num_queries):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0), NOW)
    worlds.still_there([row], NOW + HOUR)
    worlds.gone(row, NOW + HOUR + MINUTE)
    metering.meter(NOW + 2 * HOUR)
    spent = total(row)
    # Seen for an hour, and absent at the first look after that (5 s before the second).
    assert spent == (D("0.05") * D(3655) / 3600).quantize(D("0.0000000001"))
    metered = Metered.objects.get(resource=row)
    assert (metered.usd_per_hour, metered.span) == (0, None)
    with django_assert_num_queries(1):
        metering.meter(NOW + 3 * HOUR)
    assert total(row) == spent


def test_what_ran_before_the_account_was_known_is_not_counted_for_a_stranger(aye):
    new = worlds.account_of(aye, number=7, at=NOW - HOUR)
    row = stranger(new, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - 300 * DAY), NOW)
    metering.meter(NOW)
    assert total(row) == D("0.05")


def test_a_row_never_seen_costs_nothing(aye, ayes):
    worlds.launch(aye, ayes, NOW, box="ec2-instance")
    assert metering.meter(NOW + HOUR) == 0


def test_whose_where_and_what_is_kept_a_day(aye, ayes):
    shared = worlds.account_of(None, number=2, mode="shared")
    stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR), NOW)
    stranger(shared, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    stranger(shared, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR, name="two"), NOW)
    metering.meter(NOW)
    lines = DailySpend.objects.values_list("owner", "account", "scope", "service", "region", "usd")
    assert set(lines) == {
        (aye.pk, ayes.pk, worlds.SCOPE, "SageMaker", "us-east-1", D("0.05")),
        (None, shared.pk, worlds.SCOPE, "EC2", "us-east-1", D("0.0832")),
    }
    metering.meter(NOW)
    assert DailySpend.objects.count() == 2, "nobody's spend has one line a day too"


def test_two_meters_at_once_count_once(ayes, monkeypatch):
    """Another worker meters everything between our look at what is due and our writing."""
    stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR), NOW)
    due = metering._due

    def late_due():
        found = due()
        ids = list(found.values_list("pk", flat=True))
        monkeypatch.setattr(metering, "_due", due)
        assert metering.meter(NOW) == 2
        return metering.Resource.objects.filter(pk__in=ids)

    stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR, name="two"), NOW)
    monkeypatch.setattr(metering, "_due", late_due)
    assert metering.meter(NOW) == 0
    assert Reading.objects.count() == 2
    assert books_agree()


def test_an_account_is_metered_in_one_batch_so_that_its_days_are_added_to_once(monkeypatch):
    people = [worlds.account_of(worlds.person(f"Aye{number}"), number=number) for number in range(3)]
    for number in range(4):
        for account in people:
            stranger(account, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR, name=f"nb-{number}"), NOW)
    touched, add_up = [], metering._add_up
    monkeypatch.setattr(metering, "_add_up", lambda by_day: (touched.extend(by_day), add_up(by_day)))
    monkeypatch.setattr(metering, "BATCH", 4)
    assert metering.meter(NOW) == 12
    assert sorted(day.account for day in touched) == sorted(account.pk for account in people)
    assert books_agree()


def test_a_batch_that_fails_leaves_nothing_behind(ayes, monkeypatch):
    stranger(ayes, "sagemaker-notebook", notebook(since=NOW - HOUR), NOW)

    def broken(by_day):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(metering, "_add_up", broken)
    with pytest.raises(RuntimeError):
        metering.meter(NOW)
    assert not Reading.objects.exists()
    monkeypatch.undo()
    metering.meter(NOW)
    assert books_agree()
