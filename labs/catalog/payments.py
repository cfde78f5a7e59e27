"""The course's invented card payments, made again from their seed, and the tables for training that come of them.

The same bytes as the files that the course offers: labs that bring their data with them need no upload first.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from labs.catalog.looking import rows_of

ROWS, SEED, DAYS = 600, 2025, 14
BEGAN = datetime(2025, 9, 1, tzinfo=UTC)
CITIES = ["Yangon", "Mandalay", "Singapore", "Bangkok", "Jakarta"]
TYPICAL = {"grocery": 18, "fuel": 25, "electronics": 140, "travel": 210, "online": 45}  # USD
TESTED_FROM = "2025-09-12"  # what came before is trained on
MERCHANTS = sorted(TYPICAL)


@cache
def card_payments() -> str:
    """The table as CSV, with a header: about one in twelve is fraud."""
    draw = random.Random(SEED)  # noqa: S311  data, not a secret
    moments = sorted(draw.randrange(DAYS * 24 * 60) for _ in range(ROWS))
    last: dict[str, int] = {}
    lines = []
    for number, minute in enumerate(moments, start=1):
        customer = f"C{draw.randrange(60):03d}"
        is_fraud = draw.random() < 0.08
        merchant = draw.choice(["electronics", "online"] if is_fraud else list(TYPICAL))
        amount = TYPICAL[merchant] * draw.uniform(0.4, 1.8) * (draw.uniform(1.5, 4.0) if is_fraud else 1)
        since = minute - last.get(customer, minute + 1)
        last[customer] = minute
        paid_at = f"{BEGAN + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
        city = draw.choice(CITIES)
        lines.append([f"P{number:05d}", paid_at, city, merchant, f"{amount:.2f}", customer, since, int(is_fraud)])
    header = "payment_id,paid_at,city,merchant_type,amount_usd,customer_id,minutes_since_last,is_fraud"
    return as_csv([header.split(","), *lines])


@cache
def training_tables() -> tuple[str, str]:
    """(train, test) as the built-in XGBoost takes them: no header, the label first; then the amount, minutes since the
    last payment, first payment (0 or 1), hour (UTC), and a column of 0 and 1 for each merchant type."""
    tables: tuple[list[list[object]], list[list[object]]] = ([], [])
    for row in rows_of(card_payments()):
        since = int(row["minutes_since_last"])
        merchant = [int(row["merchant_type"] == each) for each in MERCHANTS]
        amount, hour = float(row["amount_usd"]), int(row["paid_at"][11:13])
        line = [row["is_fraud"], amount, max(0, since), int(since < 0), hour, *merchant]
        tables[row["paid_at"] >= TESTED_FROM].append(line)
    return as_csv(tables[0]), as_csv(tables[1])


def as_csv(lines: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
