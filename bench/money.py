"""The world of bench/spend_page.py: a class with accounts, what runs in them, and four weeks of readings.

What is summed from readings in the product is summed from them here, by the database itself: the page and its readings
agree. Needs Django set up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from costs import pricebook, scopes
from costs.models import Finding, Metered, Reading
from labs.kinds.base import Meter
from labs.models import Account, Launch, Resource, Span
from portal.models import Cohort, Course, Membership, User

REGION = "us-east-1"
HOURS_A_READING = 6
BATCH = 2000
# Of ten things that a student has on: their kind, their facts, the meter and its price.
NOTEBOOK = ("sagemaker-notebook", {"type": "ml.t3.medium", "disk_gb": 0}, "notebook", "ml.t3.medium", "SageMaker")
MACHINE = (
    "ec2-instance",
    {"type": "t3.micro", "platform": "linux", "spot": False, "public_ips": 0, "disks": []},
    "on-demand-linux",
    "t3.micro",
    "EC2",
)
ENDPOINT = (
    "sagemaker-endpoint",
    {"variants": [{"name": "all", "type": "ml.m5.large", "count": 1, "disk_gb": 0, "serverless": False}]},
    "hosting",
    "ml.m5.large",
    "SageMaker",
)
HAS_ON = (NOTEBOOK, MACHINE, ENDPOINT)


@dataclass(frozen=True)
class Class_:
    """teacher: who may see the spend of `scope`. rows: what is on. readings: how many there are."""

    scope: str
    teacher: Any
    rows: int
    readings: int


def plant(name: str, students: int, things: int, readings: int, now: datetime) -> Class_:
    """A cohort of so many students, each with an account and `things` in it that are on, with about so many readings in
    all; every tenth student has a lab on, and one thing of every fifth was left on."""
    course, _ = Course.objects.get_or_create(slug="money", defaults={"title": "Money"})
    cohort = Cohort.objects.create(course=course, slug=name, name=name, start_on=(now - timedelta(days=28)).date())
    people = [User(email=f"{name}-{n:03}@example.org", name=f"Student {name} {n:03}") for n in range(students)]
    teacher = User.objects.create(email=f"{name}-teacher@example.org", name=f"Teacher of {name}")
    people = User.objects.bulk_create(people, batch_size=BATCH)
    Membership.objects.create(cohort=cohort, user=teacher, role=Membership.Role.INSTRUCTOR)
    Membership.objects.bulk_create([Membership(cohort=cohort, user=one) for one in people], batch_size=BATCH)
    scopes.tell(
        cohort.scope,
        name=name,
        ends_at=now + timedelta(days=9),
        look_ahead_until=now + timedelta(days=2),
        student_usd=Decimal(25),
        cohort_usd=Decimal(25 * students),
        staff=[teacher.pk],
    )
    rows = _things_on(cohort.scope, people, things, now)
    each = max(1, round(readings / len(rows)))
    _write(Reading, _readings(rows, each, _prices(now), now))
    _sum_up(cohort.scope, now)
    left = [row for n, row in enumerate(rows) if row.launch_id is None and n % (5 * things) == 0]
    Finding.objects.bulk_create(
        [
            Finding(resource=row, rule="stranger", sentence="In no lab", since=now, opened_at=now, action=Finding.STOP)
            for row in left
        ],
        batch_size=BATCH,
    )
    return Class_(cohort.scope, teacher, len(rows), each * len(rows))


def _things_on(scope: str, people: list[Any], things: int, now: datetime) -> list[Resource]:
    began = now - timedelta(days=40)
    base = Account.objects.count()
    accounts = Account.objects.bulk_create(
        [
            Account(
                name=f"{one.name}'s",
                mode=Account.PRACTICE,
                aws_id=f"3{base + n:011}",
                owner=one,
                scope=scope,
                regions=[REGION],
                lab_regions=[REGION],
                created_at=began,
                looked_at=now,
            )
            for n, one in enumerate(people)
        ],
        batch_size=BATCH,
    )
    launches = {
        account.owner_id: Launch(
            lab="sagemaker-notebook",
            account=account,
            owner_id=account.owner_id,
            scope=scope,
            region=REGION,
            created_at=now - timedelta(hours=1),
            ready_at=now,
            expires_at=now + timedelta(hours=2),
        )
        for account in accounts[::10]
    }
    Launch.objects.bulk_create(launches.values(), batch_size=BATCH)
    rows = []
    for account in accounts:
        for n in range(things):
            kind, facts, *_ = HAS_ON[n % len(HAS_ON)]
            launch = launches.get(account.owner_id) if n == 0 else None
            rows.append(
                Resource(
                    account=account,
                    region=REGION,
                    kind=kind,
                    launch=launch,
                    owner_id=account.owner_id,
                    owner_proof="launch" if launch else "account",
                    scope=scope,
                    key="one" if launch else "",
                    name=f"thing-{n}",
                    aws_id=f"thing-{n}",
                    wanted_at=began,
                    seen="running",
                    seen_at=now,
                    seen_since=began,
                    first_seen_at=began,
                    configured_at=began,
                    facts=facts,
                    switch_at=now + timedelta(hours=3),
                    created_at=began,
                )
            )
    Resource.objects.bulk_create(rows, batch_size=BATCH)
    Span.objects.bulk_create(
        [Span(resource=row, state=row.seen, facts=row.facts, began=began) for row in rows], batch_size=BATCH
    )
    return rows


def _prices(now: datetime) -> dict[str, tuple[str, str, Any]]:
    """{kind: (the meter's slug, the service, the price)}."""
    book, found = pricebook.PriceBook.open(["SageMaker", "EC2"], [REGION]), {}
    for kind, _, line, sku, service in HAS_ON:
        meter = Meter(service, line, sku, "Hrs", label=sku)
        price = book.price_of(meter, REGION, now)
        assert price is not None, f"no price of {sku}"
        found[kind] = (meter.slug, service, price)
    return found


def _readings(rows: list[Resource], each: int, prices: dict[str, Any], now: datetime) -> Iterator[tuple]:
    """(resource, meter, service, start, end, quantity, unit, rate, usd, price); the last one ends in these six hours.
    It asks the database nothing: what it yields goes into a COPY."""
    newest = now.replace(hour=now.hour // HOURS_A_READING * HOURS_A_READING, minute=0, second=0, microsecond=0)
    quantity = Decimal(HOURS_A_READING)
    for row in rows:
        meter, service, price = prices[row.kind]
        for back in range(each, 0, -1):
            start = newest - timedelta(hours=HOURS_A_READING * back)
            end = start + timedelta(hours=HOURS_A_READING)
            yield row.pk, meter, service, start, end, quantity, "Hrs", price.usd, price.usd * quantity, price.pk


COLUMNS = ("resource_id", "meter", "service", "start", "end", "quantity", "unit", "rate", "usd", "price_id")


def _write(model: Any, lines: Iterator[tuple]) -> None:
    """A million rows by the way that each engine has for it."""
    table, columns = model._meta.db_table, ", ".join(f'"{name}"' for name in COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
            return
        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor.execute("BEGIN")
        cursor.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608  names of ours
            (tuple(_for_sqlite(value) for value in line) for line in lines),
        )
        cursor.execute("COMMIT")


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return str(value) if isinstance(value, Decimal) else value


def _sum_up(scope: str, now: datetime) -> None:
    """Metered and DailySpend as metering.meter would have left them: sums of these readings."""
    day = "CAST(r.start AT TIME ZONE 'UTC' AS date)" if connection.vendor == "postgresql" else "date(r.start)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO costs_dailyspend (day, account_id, owner_id, scope, service, region, usd, unpriced_seconds)
            SELECT {day}, o.account_id, o.owner_id, o.scope, r.service, o.region, SUM(r.usd), 0
            FROM costs_reading r JOIN labs_resource o ON o.id = r.resource_id
            WHERE o.scope = %s GROUP BY 1, 2, 3, 4, 5, 6
            """,  # noqa: S608  an expression of ours
            [scope],
        )
        cursor.execute(
            """
            INSERT INTO costs_metered
                (resource_id, until, span_id, usd, unpriced_seconds, usd_per_hour, unpriced_meters)
            SELECT r.resource_id, MAX(r."end"), MAX(s.id), SUM(r.usd), 0, MAX(r.rate), 0
            FROM costs_reading r JOIN labs_resource o ON o.id = r.resource_id JOIN labs_span s ON s.resource_id = o.id
            WHERE o.scope = %s GROUP BY r.resource_id
            """,
            [scope],
        )
        cursor.execute("ANALYZE")
    # They were last metered a while ago, as between two rounds of the meter.
    Metered.objects.filter(resource__scope=scope).update(until=now - timedelta(minutes=1))
