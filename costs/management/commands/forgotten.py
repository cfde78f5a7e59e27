"""manage.py forgotten [--json]: what is left on, from what is known now; looks into no account (see census)."""

import json
from decimal import ROUND_HALF_UP, Decimal

from django.core.management.base import BaseCommand
from django.utils import timezone

from costs import forgotten, metering
from costs.access import every_scope
from costs.dashboard import forgotten_page

PLACES = Decimal("1E-10")


class Command(BaseCommand):
    help = "List what was left on, with its price and the reason. `census` looks into the accounts first."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *args, json: bool = False, **options):
        now = timezone.now()
        metering.meter(now)
        forgotten.judge(now)
        page = forgotten_page(every_scope(), now)
        if json:
            self.stdout.write(as_json(page))
            return
        for one in [*page.lights, *page.behind]:
            rate = "unpriced" if one.rate.unpriced else f"${one.rate.usd_per_hour:.4f}/h"
            self.stdout.write(f"{one.title} {one.name}  {one.owner}  {one.row.region}  {rate}  {one.loudest.sentence}")
        on = "1 light is on" if len(page.lights) == 1 else f"{len(page.lights)} lights are on"
        self.stdout.write(f"{on}, ${page.usd_per_hour:.2f}/h. {len(page.behind)} more are off or free.")


def as_json(page) -> str:
    """{"lights": [...], "behind": [...], "usd_per_hour", "by_next_usd", "until"}: amounts as text, instants in ISO."""
    return json.dumps(
        {
            "at": page.now.isoformat(),
            "until": page.until.isoformat(),
            "usd_per_hour": _usd(page.usd_per_hour),
            "by_next_usd": _usd(page.by_next_usd),
            "unpriced": page.unpriced,
            "lights": [_one(one) for one in page.lights],
            "behind": [_one(one) for one in page.behind],
        },
        indent=2,
    )


def _usd(amount: Decimal | None) -> str | None:
    """With the ten places that readings have, in plain notation; None: a part is unpriced."""
    return None if amount is None else f"{amount.quantize(PLACES, ROUND_HALF_UP):f}"


def _one(one) -> dict:
    row = one.row
    return {
        "id": row.pk.hex,
        "kind": row.kind,
        "name": row.name,
        "aws_id": row.aws_id,
        "account": row.account.aws_id,
        "region": row.region,
        "owner": row.owner.email if row.owner else None,
        "state": row.seen,
        "usd_per_hour": _usd(one.rate.known),
        "burned_usd": _usd(one.burned_usd),
        "by_next_usd": _usd(one.by_next_usd),
        "why": [{"rule": finding.rule, "sentence": finding.sentence} for finding in one.findings],
    }
