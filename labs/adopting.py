"""PURE: in which lab was it made? What a student makes by hand in a lab belongs to the lab, and goes with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from labs import catalog, guardrails
from labs.kinds import kind_of
from labs.kinds.base import TAG_LAUNCH, Seen

if TYPE_CHECKING:
    from labs.models import Account, Launch


def launch_of(
    account: Account, kind: str, seen: Seen, region: str, launches: Iterable[Launch]
) -> tuple[Launch | None, str]:
    """(the launch in which it was made, how that is known), or (None, '').

    By its tag, or by the launch's mark in its name, wherever that is. In a practice account also by time and place: of
    a kind that the lab has its student make, in the lab's region, since the lab began, when only one such lab is open.
    Real accounts hold other things too, so there nothing is taken by time alone.
    """
    open_here = [launch for launch in launches if launch.account_id == account.pk and launch.ended_at is None]
    for launch in open_here:
        if seen.tags.get(TAG_LAUNCH) == launch.id.hex or seen.tags.get("lab") == mark_of(launch):
            return launch, "tag"
        if mark_of(launch) in seen.name:
            return launch, "name"
    if account.mode != account.PRACTICE:
        return None, ""
    making = [launch for launch in open_here if kind in made_in(launch)]
    if len(making) != 1:
        return None, ""
    launch = making[0]
    is_here = kind_of(kind).is_global or region == launch.region
    is_since = seen.since is None or seen.since >= launch.created_at
    return (launch, "time") if is_here and is_since else (None, "")


def mark_of(launch: Launch) -> str:
    """Twelve characters that its names (ledger.name_for) and its sessions' tags have, and no other launch's."""
    return guardrails.lab_of(launch.id.hex)


def made_in(launch: Launch) -> tuple[str, ...]:
    """The kinds that the lab has its student make; () for a lab that the catalogue does not know any more."""
    lab = catalog.catalog().get(launch.lab)
    return lab.creates if lab else ()


def with_mark(mark: str) -> dict[str, uuid.UUID]:
    """A filter for the launch whose id begins with that mark (guardrails.lab_of)."""
    rest = 32 - guardrails.LAB_LENGTH
    return {"id__gte": uuid.UUID(mark + "0" * rest), "id__lte": uuid.UUID(mark + "f" * rest)}
