"""Random histories of what AWS shows, looked at and metered at random instants: what is metered is what AWS bills.

Counted a second time by costs/tests/second_by_second.py. HISTORIES=500 tries so many, other ones each time; without it
the same few are tried every time.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from costs import dashboard, metering
from costs.models import DailySpend, Metered, Price, Reading
from costs.tests import worlds
from costs.tests.second_by_second import bill, by_day, lines_of
from labs import ledger
from labs.kinds.base import ABSENT, DELETING, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.models import Resource

pytestmark = [pytest.mark.django_db, pytest.mark.once]

TRIED = int(os.environ.get("HISTORIES", 25))
histories_tried = settings(
    max_examples=TRIED,
    derandomize="HISTORIES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
several_tried = settings(histories_tried, max_examples=-(-TRIED // 3))  # each has two or three

# Prices change on the last of September, and the month ends the day after.
CHANGE = date(2025, 9, 30)
FIRST = datetime(2025, 9, 29, 18, tzinfo=UTC)
RATES = {  # as listed for us-east-1 in 2025, and what they might be later
    ("EC2", "on-demand-linux", "t3.medium", "Hrs"): ("0.0416", "0.05"),
    ("EC2", "on-demand-linux", "m5.xlarge", "Hrs"): ("0.192", "0.18"),
    ("EMR", "ec2-uplift", "m5.xlarge", "Hrs"): ("0.048", "0.06"),
    ("EBS", "volume", "gp3", "GB-Mo"): ("0.08", "0.09"),
    ("VPC", "public-ipv4", "in-use-address", "Hrs"): ("0.005", "0.006"),
    ("VPC", "public-ipv4", "idle-address-EIP", "Hrs"): ("0.005", "0.007"),
    ("VPC", "nat-gateway", "hour", "Hrs"): ("0.045", "0.06"),
    ("VPC", "interface-endpoint", "endpoint-hour-per-AZ", "Hrs"): ("0.01", "0.02"),
    ("ELB", "alb", "ALB-hour", "Hrs"): ("0.0225", "0.03"),
    ("SageMaker", "notebook", "ml.t3.medium", "Hrs"): ("0.05", "0.04"),
    ("SageMaker", "hosting", "ml.m5.large", "Hrs"): ("0.115", "0.125"),
    ("SageMaker", "storage", "ML-storage-gp2", "GB-Mo"): ("0.14", "0.15"),
}


def price(key, day):
    return Decimal(RATES[key][day >= CHANGE])


def machine(state, addresses=0, gb=8):
    return (state, worlds.instance(disk_gb=gb, addresses=addresses).facts)


def cluster(state, count):
    disks = [{"type": "gp3", "gb": 32, "iops": 3000, "mibps": 125, "count": count}]
    each = {"type": "m5.xlarge", "count": count, "spot": False}
    return (state, {"machines": [each], "disks": disks, "public_ips": count})


def variants(count):
    return (RUNNING, worlds.endpoint(count=count).facts)


# What one of each kind may look like, one look after the other.
LOOKS = {
    "ec2-instance": [
        machine(PENDING),
        machine(RUNNING),
        machine(RUNNING, 1),
        machine(RUNNING, 2, 30),
        machine(STOPPING),
        machine(STOPPED),
        machine(STOPPED, 0, 30),
        machine(DELETING, 1),
    ],
    "emr-cluster": [cluster(PENDING, 1), cluster(RUNNING, 1), cluster(RUNNING, 3), cluster(DELETING, 3)],
    "ebs-volume": [
        (RUNNING, worlds.volume(gb=gb, attached_to=to).facts) for gb, to in ((100, ()), (100, ("i",)), (500, ()))
    ],
    "elastic-ip": [(RUNNING, {"attached": attached}) for attached in (False, True)],
    "nat-gateway": [(PENDING, {}), (RUNNING, {}), (DELETING, {})],
    "load-balancer": [(state, {"type": "application", "public_ips": n}) for state, n in ((PENDING, 0), (RUNNING, 2))],
    "vpc-endpoint": [
        (state, {"type": "Interface", "service": "com.amazonaws.us-east-1.s3", "zones": 2})
        for state in (PENDING, RUNNING)
    ],
    "sagemaker-notebook": [
        (state, {"type": "ml.t3.medium", "disk_gb": 5}) for state in (PENDING, RUNNING, STOPPING, STOPPED)
    ],
    "sagemaker-endpoint": [variants(1), variants(2), variants(0)],
}


@dataclass(frozen=True)
class Look:
    """After so long it is looked at, and shows LOOKS[kind][shows]. told: how far back in the time since the last look
    AWS says that this began; None: it does not say. then: how the meter works after it."""

    after: timedelta
    shows: int
    told: float | None = None
    then: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    kind: str
    began: datetime
    before: timedelta  # since when it was there when it was found
    looks: tuple[Look, ...]
    is_gone: bool


METER, AGAIN, AT_ONCE, EARLY, LATE = "meters", "again", "two at once", "with an older clock", "a look that came late"
gaps = st.one_of(
    st.integers(1, 90).map(lambda n: timedelta(seconds=n)),
    st.integers(90, 2400).map(lambda n: timedelta(seconds=n)),
    st.integers(1, 120_000_000).map(lambda n: timedelta(microseconds=n)),
)


@st.composite
def histories(draw):
    kind = draw(st.sampled_from(sorted(LOOKS)))
    looks = st.builds(
        Look,
        after=gaps,
        shows=st.integers(0, len(LOOKS[kind]) - 1),
        told=st.one_of(st.none(), st.floats(0, 1)),
        then=st.lists(st.sampled_from([METER, AGAIN, AT_ONCE, EARLY, LATE]), max_size=2).map(tuple),
    )
    # Most begin shortly before a midnight: of the day on which prices change, or of the month's end.
    near = st.sampled_from([timedelta(hours=6), timedelta(hours=30)])
    began = FIRST + draw(near) - draw(st.timedeltas(timedelta(seconds=-600), timedelta(hours=1)))
    before = draw(st.timedeltas(timedelta(0), timedelta(hours=1)))
    return History(kind, began, before, tuple(draw(st.lists(looks, min_size=1, max_size=7))), draw(st.booleans()))


@dataclass
class Played:
    """One history as it is shown to the ledger, and what is to be believed of it: that a change began when AWS says,
    but not before the last look that showed otherwise; where AWS does not say, with the look that showed it."""

    row: Resource
    kind: str
    seen_at: datetime
    stretches: list = field(default_factory=list)  # [[began, lines]]
    ended_at: datetime | None = None
    most: Decimal = Decimal(0)

    def believed(self, until):
        ends = [began for began, _ in self.stretches[1:]] + [self.ended_at or until]
        return [(began, end, lines) for (began, lines), end in zip(self.stretches, ends, strict=True)]


def seen_as(kind, shows, since):
    state, facts = LOOKS[kind][shows]
    return Seen(state, "it", "it", since, facts, mark=state)


def find(account, history, name):
    """The census finds it."""
    since = history.began - history.before
    shows = history.looks[0].shows
    seen = seen_as(history.kind, shows, since)
    row = worlds.stranger(account, history.kind, Seen(seen.state, name, name, since, seen.facts), history.began)
    return Played(row, history.kind, history.began, [[since, lines_of(history.kind, seen.state, seen.facts)]])


def look(played, one, at):
    state, facts = LOOKS[played.kind][one.shows]
    since = None if one.told is None else played.seen_at + (at - played.seen_at) * one.told
    row = Resource.objects.get(pk=played.row.pk)
    if (row.seen, row.facts) == (state, dict(facts)):
        ledger.confirm([row.pk], at)
    else:
        ledger.saw(row, Seen(state, row.aws_id, row.name, since, facts), at)
        played.stretches.append([since or at, lines_of(played.kind, state, facts)])
    played.seen_at = at


def end(played, at):
    """Absent at one look, and at the next one too."""
    row = Resource.objects.get(pk=played.row.pk)
    ledger.saw(row, Seen(ABSENT), at)
    ledger.close(row, at + timedelta(seconds=30), "seen absent twice")
    played.ended_at = at


def works(played, how, at):
    """The meter, as it may be called."""
    row = Resource.objects.get(pk=played.row.pk)
    if how == LATE:
        ledger.confirm([row.pk], at - timedelta(minutes=7))  # a list call that hung
    elif how == EARLY:
        metering.meter(at - timedelta(minutes=3), [row])  # a worker whose clock is behind
    elif how == AT_ONCE:
        metering.meter(at, [row])
        metering.meter(at, [row])  # another had found the same row due
    else:
        metering.meter(at)
    if how == AGAIN:
        metering.meter(at)
    metered = Metered.objects.filter(resource=row).first()
    assert metered is None or metered.usd >= played.most, "a total fell"
    played.most = metered.usd if metered else Decimal(0)


@contextmanager
def a_world():
    """Of which nothing stays."""
    with transaction.atomic():
        days = (date(2024, 1, 1), CHANGE)
        Price.objects.bulk_create(
            Price(service=key[0], kind=key[1], sku=key[2], unit=key[3], region="us-east-1", usd=usd, valid_from=day)
            for key, both in RATES.items()
            for usd, day in zip(both, days, strict=True)
        )
        yield worlds.account_of(worlds.person("Aye"), at=FIRST - timedelta(days=30))
        transaction.set_rollback(True)


def close_to(found, told):
    # Each reading is rounded to ten places.
    return abs(Fraction(found) - told) < Fraction(1, 10**7)


FOUND_AT = datetime(2025, 9, 30, 23, 59, 30, tzinfo=UTC)
SOON = timedelta(seconds=20)


@histories_tried
@given(histories())
@example(
    # A NAT gateway started seconds before the month ends: the hour is September's; then deleted and still listed.
    History(
        "nat-gateway", FOUND_AT, timedelta(0), (Look(SOON, 1), Look(SOON, 1, then=(METER,)), Look(SOON * 3, 2)), True
    )
)
@example(
    # Started, stopped and started within a minute: each start is a minute, its disk one alone.
    History(
        "ec2-instance",
        FOUND_AT,
        timedelta(0),
        (Look(SOON, 1, then=(METER,)), Look(SOON, 5, 0.5, (AT_ONCE,)), Look(SOON, 1), Look(SOON / 2, 5, None, (LATE,))),
        False,
    )
)
def test_what_is_metered_is_what_aws_bills_second_by_second(history):
    with a_world() as account:
        often, once = find(account, history, "often"), find(account, history, "once")
        at = history.began
        for one in history.looks:
            at += one.after
            for played in (often, once):
                look(played, one, at)
            for how in one.then:
                works(often, how, at)
        if history.is_gone:
            at += timedelta(seconds=40)
            for played in (often, once):
                end(played, at)
        works(often, METER, at + timedelta(minutes=1))
        works(once, METER, at + timedelta(minutes=1))
        metering.meter(at + timedelta(hours=1), [often.row, once.row])

        told = by_day(often.believed(at), price)
        total = sum(told.values(), Fraction(0))
        assert close_to(Metered.objects.get(resource=often.row).usd, total)
        assert Metered.objects.get(resource=often.row).usd == Metered.objects.get(resource=once.row).usd, (
            "it matters how often the meter worked"
        )
        spent = dict(DailySpend.objects.order_by().values("day").values_list("day", Sum("usd")))
        assert all(close_to(spent.get(day, 0), 2 * usd) for day, usd in told.items())
        assert sum(spent.values(), Decimal(0)) == pytest.approx(2 * Decimal(float(total)), abs=Decimal("0.0000001"))
        readings_are_sound()


def readings_are_sound():
    """None negative, none over the same second as another of its meter, and the sums are theirs."""
    last = {}
    for one in Reading.objects.order_by("resource", "meter", "start"):
        assert one.usd is not None and one.usd >= 0 and one.quantity > 0
        assert one.start >= last.get((one.resource_id, one.meter), one.start), "a second was counted twice"
        last[one.resource_id, one.meter] = one.end
    for metered in Metered.objects.annotate(found=Sum("resource__readings__usd")):
        assert close_to(metered.usd, Fraction(metered.found or 0))


@histories_tried
@given(histories(), st.floats(0.05, 0.95))
def test_what_is_metered_by_any_instant_is_what_aws_bills_by_then(history, share):
    """The meter stops in the middle, between looks, and later goes on from there."""
    with a_world() as account:
        played, at = find(account, history, "it"), history.began
        middle = max(1, int(len(history.looks) * share))
        for one in history.looks[:middle]:
            at += one.after
            look(played, one, at)
        works(played, METER, at)
        metered = Metered.objects.get(resource=played.row)
        assert metered.until == at
        assert close_to(metered.usd, bill(played.believed(at), price))
        for one in history.looks[middle:]:
            at += one.after
            look(played, one, at)
        works(played, METER, at)
        metering.meter(at, [played.row])
        assert close_to(Metered.objects.get(resource=played.row).usd, bill(played.believed(at), price))


@several_tried
@given(st.lists(histories(), min_size=2, max_size=3))
def test_the_metered_total_of_a_lab_never_goes_down_and_the_rest_is_told_apart(several):
    """Of a lab with several things that are looked at in any order: what is metered by the last observation."""
    with a_world() as account:
        lab = worlds.launch(account.owner, account, FIRST)
        playing = []
        for number, history in enumerate(several):
            played = find(account, history, f"thing-{number}")
            Resource.objects.filter(pk=played.row.pk).update(launch=lab, key=f"k{number}")
            at = history.began
            for one in history.looks:
                at += one.after
                playing.append((at, number, played, one))
        metered, days = Decimal(0), Decimal(0)
        for at, _, played, one in sorted(playing, key=lambda each: each[:2]):
            if at <= played.seen_at:
                continue
            look(played, one, at)
            for how in one.then:
                works(played, how, at)
            told = dashboard.launch_meter(lab, at + timedelta(minutes=2))
            assert told.summed_usd >= metered
            assert told.summed_usd == sum(one.usd for one in Metered.objects.all())
            assert told.estimated_usd >= told.summed_usd, "the estimate is what was metered, and what has passed since"
            metered = told.summed_usd
            spent = DailySpend.objects.aggregate(usd=Sum("usd"))["usd"] or Decimal(0)
            assert spent >= days - Decimal("0.0000000001")
            days = spent


def test_the_reference_itself_gives_what_aws_says():
    """By hand: 61 minutes of a NAT gateway are two hours, five seconds of a machine a minute, a month of 100 GB $8."""
    at = datetime(2025, 9, 1, tzinfo=UTC)

    def cost(kind, state, facts, lasting):
        return bill([(at, at + lasting, lines_of(kind, state, facts))], price)

    hour = timedelta(hours=1)
    assert cost("nat-gateway", RUNNING, {}, timedelta(minutes=61)) == Fraction("0.09")
    assert cost("ec2-instance", *machine(RUNNING, gb=0), timedelta(seconds=5)) == Fraction("0.0416") / 60
    assert cost("ec2-instance", *machine(STOPPED, 0, 100), timedelta(days=3)) == Fraction("0.8")
    assert cost("elastic-ip", RUNNING, {"attached": True}, 10 * hour) == Fraction("0.05")
    assert cost("sagemaker-endpoint", *variants(2), hour / 2) == Fraction("0.115")
    assert cost("emr-cluster", *cluster(RUNNING, 3), hour) > 3 * (Fraction("0.192") + Fraction("0.048"))
