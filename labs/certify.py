"""The certificate: a launch has ended when every row was seen absent and two independent methods find nothing of it.

These ask other ways than the rows were looked at: the tagging API for the launch's tag, and the lists of the launch's
kinds for its tag or name. A hit is resolved by a describe, because tags outlive what they were put on. And no switch of
it (deadman.py) is left in AWS's scheduler.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from labs import aws, deadman, ledger, locker
from labs.kinds import kind_of, registry
from labs.kinds.base import ABSENT, TAG_LAUNCH, Kind, Want
from labs.models import Launch, Resource
from labs.reconcile import Clock

AGAIN = timedelta(seconds=20)
# The two methods that need nothing of what the rows were looked at by.
TAGGED, LISTED = "tagging API", "lists of the lab's kinds"


def prove_due(clock: Clock, *, most: int = 20) -> int:
    """Try to prove the absence of launches whose last row has closed. Answers how many were tried."""
    now = clock()
    due = (
        Launch.objects.open()
        .filter(prove_at__lte=now, prepare_at=None)
        .select_related("account")
        .order_by("prove_at")[:most]
    )
    for launch in list(due):
        # Whoever moves prove_at has it: two workers do not write two certificates.
        if Launch.objects.filter(pk=launch.pk, prove_at=launch.prove_at).update(prove_at=now + AGAIN):
            prove(launch, clock)
    return len(due)


def prove(launch: Launch, clock: Clock) -> list[str]:
    """Look with the other methods; end the launch with its certificate when nothing is left. Answers what is left.

    Nothing is certified while a row is open, a list cannot be read, or the world has changed.
    """
    rows = list(Resource.objects.filter(launch=launch).select_related("account").order_by("created_at", "key"))
    if any(row.closed_at is None for row in rows):
        return [str(row) for row in rows if row.closed_at is None]
    try:
        tagged, tagged_left = _by_tag(launch, rows)
        listed, listed_left = _by_lists(launch, rows)
        switches, switches_left = _by_switches(launch, rows)
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        ledger.note_once(
            "unproved", f"Absence is not proved yet: {trouble}", clock(), launch=launch, account=launch.account
        )
        return [str(trouble)]
    left = sorted({*tagged_left, *listed_left, *switches_left})
    if left:
        words = f"Still there after the lab: {', '.join(left)}"
        ledger.note_once("left", words, clock(), launch=launch, account=launch.account)
        return left
    now = clock()
    certificate = {
        "proved_at": now.isoformat(),
        "account": launch.account.aws_id,
        "region": launch.region,
        "fenced_at": launch.fenced_at.isoformat() if launch.fenced_at else None,
        "rows": [_line(row) for row in rows],
        "methods": [
            {"method": "each resource seen absent twice", "asked": len(rows), "left": 0},
            {"method": f"{TAGGED}, by the lab's tag", "asked": tagged, "left": 0, "is_independent": True},
            {"method": f"{LISTED}, by tag and name", "asked": listed, "left": 0, "is_independent": True},
            {"method": "AWS's scheduler, for dead-man's switches of the lab", "asked": switches, "left": 0},
        ],
        "left": [],
        **_saved(launch),
    }
    if Launch.objects.filter(pk=launch.pk, ended_at=None).update(certificate=certificate, ended_at=now, prove_at=None):
        ledger.note("proved", "Everything of this lab is gone, proved by two methods", now, launch=launch)
    return []


def _line(row: Resource) -> dict:
    return {
        "kind": kind_of(row.kind).title,
        "name": row.name,
        "id": row.aws_id,
        "region": row.region,
        "made": row.create_began_at.isoformat() if row.create_began_at else None,
        "gone": row.closed_at.isoformat() if row.closed_at else None,
        "why": row.closed_why,
    }


def _saved(launch: Launch) -> dict:
    """What was copied to the locker before the teardown, and what was not."""
    files = locker.files_of(launch)
    if not files:
        return {}
    return {
        "saved": [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in files if f.saved_at],
        "not_saved": [{"name": f.name, "why": f.why_not} for f in files if not f.saved_at],
    }


def _by_tag(launch: Launch, rows: list[Resource]) -> tuple[int, list[str]]:
    """(calls' hits looked at, what is left) by the tagging API, in every region of the account."""
    hits, left = 0, []
    strangers = _strangers(launch, rows)
    for region in launch.account.regions:
        client = aws.client(launch.account, "resourcegroupstaggingapi", region, config=aws.PATIENT)
        pages = client.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": TAG_LAUNCH, "Values": [launch.id.hex]}]
        )
        for page in pages:
            for found in page["ResourceTagMappingList"]:
                hits += 1
                if _is_there(launch, region, found["ResourceARN"], rows, strangers):
                    left.append(found["ResourceARN"])
    return hits, left


def _by_lists(launch: Launch, rows: list[Resource]) -> tuple[int, list[str]]:
    """(things listed, what is left) by find_all of every kind the launch had, where it had it."""
    listed, left = 0, []
    names = {(row.kind, row.name) for row in rows if row.name}
    strangers = _strangers(launch, rows)
    for kind_name, region in sorted({(row.kind, row.region) for row in rows}):
        kind = kind_of(kind_name)
        client = aws.client(launch.account, kind.service, region, config=aws.PATIENT)
        for seen in kind.find_all(client):
            listed += 1
            ours = seen.tags.get(TAG_LAUNCH) == launch.id.hex or (kind_name, seen.name) in names
            if ours and seen.state != ABSENT and (kind_name, seen.aws_id) not in strangers:
                left.append(f"{kind.title} {seen.name or seen.aws_id}")
    return listed, left


def _by_switches(launch: Launch, rows: list[Resource]) -> tuple[int, list[str]]:
    """(switches asked for, those that were left) of every row that can have one. A row is closed after its switch was
    taken away, so what a worker that lost its row has set since is taken away here."""
    could = set(deadman.kinds_with_a_switch())
    asked, left = 0, []
    for row in rows:
        if row.kind in could:
            asked += 1
            scheduler = aws.client(launch.account, "scheduler", row.region, config=aws.PATIENT)
            if deadman.is_set(scheduler, row):
                deadman.disarm(scheduler, row)
                left.append(f"the dead-man's switch of {row.name or row.aws_id}")
    return asked, left


def _strangers(launch: Launch, rows: list[Resource]) -> set[tuple[str, str]]:
    """{(kind, AWS id)} of what somebody made by hand in this account, perhaps with a copy of the lab's tags and name.

    They are in the ledger in their own right, and on the forgotten page: they do not hold the lab's end. What has the
    id of one of the lab's own rows does: that row was closed too early, and the census met the thing again.
    """
    held = Resource.objects.open().strangers().filter(account=launch.account_id)
    return set(held.values_list("kind", "aws_id")) - {(row.kind, row.aws_id) for row in rows}


def _is_there(launch: Launch, region: str, arn: str, rows: list[Resource], strangers: set[tuple[str, str]]) -> bool:
    """Resolve a hit of the tagging API by a describe. What no kind can describe counts as there."""
    service, _, tail = arn.partition(":")[2].partition(":")[2].partition(":")
    resource = tail.split(":", 2)[-1]
    for kind in registry().values():
        of_service, _, of_type = kind.arn_type.partition(":")
        if not kind.arn_type or of_service != service:
            continue
        if of_type and not resource.startswith((f"{of_type}/", f"{of_type}:")):
            continue
        names = _names_in(arn, resource[len(of_type) + 1 :] if of_type else resource, kind)
        if any((kind.name, name) in strangers for name in names):
            return False
        client = aws.client(launch.account, kind.service, region, config=aws.PATIENT)
        return any(_observed(kind, client, name, rows, launch, region) for name in names)
    return True


def _names_in(arn: str, ending: str, kind: Kind) -> list[str]:
    """What the kind may call the thing of this ARN. A slash may be part of its name (a log group) or stand before it (a
    role's path), so both are asked after: what is taken for gone by mistake would be certified as gone."""
    if kind.id_is_arn:
        return [arn]
    whole = ending.removesuffix(":*")
    return list(dict.fromkeys([whole, whole.rsplit("/", 1)[-1]]))


def _observed(kind: Kind, client, name: str, rows: list[Resource], launch: Launch, region: str) -> bool:
    known = next((row for row in rows if row.kind == kind.name and name in (row.aws_id, row.name)), None)
    want = Want(
        "",
        kind.name,
        name=known.name if known else name,
        aws_id=known.aws_id if known else name,
        region=region,
        account_id=launch.account.aws_id,
    )
    return kind.observe(client, want).state != ABSENT


# --- as it is read -------------------------------------------------------------------------------------------


def in_words(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate with all its instants in one zone, to the second: "2025-09-18 08:17:00 UTC"."""
    rows = [{**row, "made": _told(row["made"]), "gone": _told(row["gone"])} for row in certificate["rows"]]
    told = {name: _told(certificate.get(name)) for name in ("proved_at", "fenced_at")}
    return {**certificate, **told, "rows": rows}


def utc_words(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(at: str | None) -> str:
    return utc_words(datetime.fromisoformat(at)) if at else ""
