"""Practice mode's world: one simulated account a person, and what happens when the simulator is another one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime

from django.conf import settings

from labs import aws, ledger
from labs.models import Account, Launch
from labs.simulator import BOOT_PATH

FIRST_ID = 200_000_000_000  # simulated account ids: none of moto's own defaults is among them


def is_on() -> bool:
    """Whether this server has a simulator at all; it may be away for a moment all the same."""
    return bool(settings.SIMULATOR_URL)


def current_boot() -> str:
    """The id of the simulator's present start; '' when it does not answer, or when there is none."""
    if not is_on():
        return ""
    try:
        with urllib.request.urlopen(settings.SIMULATOR_URL + BOOT_PATH, timeout=5) as answer:  # noqa: S310  our own
            return str(json.load(answer)["boot_id"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return ""


def answers() -> bool:
    """Whether the simulator is there at this moment."""
    return bool(current_boot())


def account_of(person, *, now: datetime, scope: str = "", lab_regions: list[str] | None = None) -> Account:
    """The person's simulated account, made on first use. `scope` is the cohort's, a plain value; it is kept current."""
    account = Account.objects.filter(owner=person, mode=Account.PRACTICE).first()
    if account is None:
        account, _ = Account.objects.get_or_create(
            owner=person,
            mode=Account.PRACTICE,
            defaults={
                "name": f"Practice, {person}"[:80],
                "aws_id": str(FIRST_ID + person.pk),
                "scope": scope,
                "regions": list(settings.PRACTICE_REGIONS),
                "lab_regions": list(lab_regions or settings.LAB_REGIONS),
                "boot_id": current_boot(),
                "created_at": now,
            },
        )
    if scope and account.scope != scope:
        account.scope = scope
        account.save(update_fields=["scope"])
    return account


def adopt_world(now: datetime, boot_id: str | None = None, *, only: Account | None = None) -> list[Launch]:
    """Close what belonged to another start of the simulator, and take the present one as the world (of `only` one).

    Answers the launches that ended by it. Does nothing while the simulator does not answer: silence is no new world.
    """
    boot_id = boot_id or current_boot()
    if not boot_id:
        return []
    ended: list[Launch] = []
    elsewhere = Account.objects.filter(mode=Account.PRACTICE).exclude(boot_id=boot_id)
    changed = list(elsewhere if only is None else elsewhere.filter(pk=only.pk))
    for account in changed:
        ended += ledger.end_world(account, boot_id, now)
    if changed:
        if only is not None:
            only.refresh_from_db()
        aws.forget_clients()
    return ended
