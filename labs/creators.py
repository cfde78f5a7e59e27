"""Who made it? CloudTrail knows of each thing that nobody is known to own, in real accounts: the session that made it,
and so the student, or the lab whose role did. What is found is written beside the row; what is not is asked for again
for some hours, for CloudTrail tells late, and then never more.

LookupEvents takes two calls a second an account and region, and looks 90 days back (CloudTrail quotas).
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from labs import adopting, aws, ledger
from labs.iam_words import STUDENTS
from labs.kinds import kind_of
from labs.models import Account, Launch, Resource

log = logging.getLogger(__name__)

# CloudTrail delivers within about a quarter of an hour.
FIRST_AFTER, AGAIN_AFTER, GIVEN_UP_AFTER = timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6)
AT_ONCE = 20  # rows a turn
APART = 0.6  # seconds between two calls
SECONDS_A_TURN = 30  # then no other is begun: what is left has its turn a minute later
PAGES = 4  # of 50 events, the newest first: something busy has more than are worth reading
MADE_IT = ("Create", "Run", "Start", "Allocate", "Import", "Copy", "Register", "Request", "Restore", "Purchase")
_STUDENT = re.compile(re.escape(STUDENTS).replace(r"\*", r"(\d+)"))
_IDENTITY = re.compile(r"student-(\d+)")
_OF_LAB = re.compile(r"lab-([0-9a-f]{12})-")


@dataclass(frozen=True)
class Creator:
    """Who made something, as CloudTrail says. words: for people; student: our number of a person; lab: the mark of a
    launch whose role did it. Neither where it was somebody or something else."""

    words: str
    at: datetime | None = None
    student: int | None = None
    lab: str = ""


# --- pure ----------------------------------------------------------------------------------------------------


def creator_in(events: Iterable[Mapping[str, Any]]) -> Creator | None:
    """Of what LookupEvents answers for one resource, who made it: the first event that makes something and that AWS
    took. None where no such is among them."""
    found = []
    for event in events:
        try:
            said = json.loads(event["CloudTrailEvent"])
        except (KeyError, ValueError, TypeError):
            continue
        if not isinstance(said, dict) or said.get("readOnly") is True or said.get("errorCode"):
            continue
        if str(said.get("eventName", "")).startswith(MADE_IT):
            found.append(said)
    found.sort(key=lambda said: str(said.get("eventTime", "")))
    return _creator(found[0]) if found else None


def _creator(said: Mapping[str, Any]) -> Creator:
    who = _mapping(said.get("userIdentity"))
    session = _mapping(who.get("sessionContext"))
    issuer = str(_mapping(session.get("sessionIssuer")).get("userName") or "")
    at = _instant(said.get("eventTime"))
    kind = who.get("type")
    if kind == "AssumedRole":
        # A session's name is chosen by whoever begins it. The source identity is held to by the role's trust, and goes
        # with the session into every role that it takes after that.
        given = _IDENTITY.fullmatch(str(session.get("sourceIdentity") or ""))
        own = _STUDENT.fullmatch(issuer)
        student = given or own
        lab = _OF_LAB.match(issuer)
        words = f"the role {issuer}" if issuer else "a role"
        return Creator(words, at, int(student[1]) if student else None, lab[1] if lab else "")
    if kind == "Root":
        return Creator("the account’s root user", at)
    if kind == "IAMUser":
        return Creator(f"the IAM user {who.get('userName') or 'without a name'}", at)
    service = str(who.get("invokedBy") or "")
    return Creator(f"the service {service}" if service else "somebody whom CloudTrail does not name", at)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _instant(written: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written)).astimezone(UTC)
    except ValueError:
        return None


# --- asking --------------------------------------------------------------------------------------------------


def look_up(now: datetime, *, pause: Callable[[float], None] = time.sleep) -> int:
    """Ask CloudTrail about a few of those that nobody is known to own. Answers how many were asked for.

    A place that does not answer, or says no, is left for its next turn.
    """
    rows = list(due(now).select_related("account").order_by("creator_asked_at", "created_at")[:AT_ONCE])
    silent: set[tuple[int, str]] = set()
    asked, end = 0, time.monotonic() + SECONDS_A_TURN
    for row in rows:
        if time.monotonic() > end:
            break
        region = "us-east-1" if kind_of(row.kind).is_global and row.kind != "s3-bucket" else row.region
        if (row.account_id, region) in silent:
            continue
        # Written down first: a row whose question kills the worker is not asked for by each worker in turn.
        Resource.objects.filter(pk=row.pk).update(creator_asked_at=now)
        asked += 1
        try:
            creator = creator_in(_events(row, region, pause))
        except Exception as error:
            log.warning("CloudTrail of %s in %s: %s", row.account, region, aws.sorted_trouble(error))
            silent.add((row.account_id, region))
            continue
        if creator is not None:
            ledger.made_by(row, creator.words, owner_of(row.account, creator), now)
    return asked


def due(now: datetime):
    """Strangers of real accounts without a known owner, whose maker was not found."""
    first = Q(creator_asked_at=None, first_seen_at__lte=now - FIRST_AFTER)
    again = Q(creator_asked_at__lte=now - AGAIN_AFTER, first_seen_at__gt=now - GIVEN_UP_AFTER)
    strangers = Resource.objects.open().strangers().filter(owner=None, made_by="", account__is_open=True)
    return strangers.filter(first | again).exclude(account__mode=Account.PRACTICE)


def owner_of(account: Account, creator: Creator) -> int | None:
    """Our person behind it: only one who has had a lab in this account."""
    labs = Launch.objects.filter(account=account)
    if creator.student is not None:
        return creator.student if labs.filter(owner=creator.student).exists() else None
    if creator.lab:
        return labs.filter(**adopting.with_mark(creator.lab)).values_list("owner", flat=True).first()
    return None


def _events(row: Resource, region: str, pause: Callable[[float], None]) -> list[dict]:
    client = aws.client(row.account, "cloudtrail", region, config=aws.PATIENT)
    found: list[dict] = []
    for name in dict.fromkeys(filter(None, (row.aws_id, row.name))):
        pages = client.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
            PaginationConfig={"PageSize": 50, "MaxItems": 50 * PAGES},
        )
        for page in pages:
            found += page["Events"]
            pause(APART)
        if found:
            break
    return found
