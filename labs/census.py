"""AWS against the ledger, both ways: what the ledger knows and AWS does not show, and what AWS shows and no lab made.

Looking scales by lists, not by rows: one `find_all` a (account, region, kind), in parallel threads that touch no
database; then one writer stores. What the ledger already knows is asked no details; a stranger is described once.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q

from labs import aws, ledger
from labs.adopting import made_in
from labs.kinds import kind_of, registry
from labs.kinds.base import ABSENT, TAG_RESOURCE, Seen
from labs.models import Account, Launch, Resource
from labs.reconcile import Clock

log = logging.getLogger(__name__)
Tags = dict[str, str]

THREADS = 16
# Soon enough that no page calls its state unknown (15 minutes). Every minute, 50 accounts with a bucket each would pay
# $11 a month to be told that it is still there (docs/own-bill.md).
LISTED_AGAIN_AFTER = timedelta(minutes=10)
MOVING = ("", "pending", "stopping", "deleting")
# An ARN may be longer: of a secret or a policy with hundreds of letters in its name.
LONGEST_ID = Resource._meta.get_field("aws_id").max_length or 0


@dataclass(frozen=True)
class Group:
    """One list call's worth of the world. region is the account's first for global kinds."""

    account: Account
    region: str
    kind: str


@dataclass
class Survey:
    """What one census did.

    trouble: {"account region kind": words} of lists that could not be read: those parts of the world are unknown, and
    nothing was concluded from their silence.
    """

    groups: int = 0
    listed: int = 0
    confirmed: int = 0
    hurried: int = 0
    strangers: list[Resource] = field(default_factory=list)
    trouble: dict[str, str] = field(default_factory=dict)


@dataclass
class _Answer:
    group: Group
    at: datetime  # when the list call began: nothing later than this was seen
    listed: list[Seen] = field(default_factory=list)
    trouble: str = ""


def groups_of(accounts: Iterable[Account]) -> list[Group]:
    """Every (account, region, kind) of these accounts; a global kind once an account. What goes with another kind and
    has no list of its own is left out."""
    return [
        Group(account, region, name)
        for account in accounts
        for name, kind in registry().items()
        if not kind.goes_with and (account.mode != Account.PRACTICE or not kind.not_in_practice)
        for region in (account.regions[:1] if kind.is_global else account.regions)
    ]


def groups_with_rows(now: datetime) -> list[Group]:
    """Only where the ledger has rows that were seen, and where students make things in a lab of theirs: what a quiet
    minute has to look at. Of what AWS bills the list of, only where one was not seen for LISTED_AGAIN_AFTER."""
    rows = Resource.objects.open().exclude(seen="").order_by()
    held = {
        (group["account"], group["region"], group["kind"])
        for group in rows.values("account", "region", "kind").annotate(oldest=Min("seen_at"))
        if not kind_of(group["kind"]).listing_costs
        or group["oldest"] is None
        or group["oldest"] <= now - LISTED_AGAIN_AFTER
    }
    for launch in Launch.objects.open().filter(asked_to_end_at=None):
        held |= {(launch.account_id, launch.region, kind) for kind in made_in(launch)}
    accounts = Account.objects.in_bulk({account for account, _, _ in held})
    wanted = {(pk, accounts[pk].regions[0] if kind_of(kind).is_global else region, kind) for pk, region, kind in held}
    return [Group(accounts[pk], region, kind) for pk, region, kind in sorted(wanted)]


def groups_at_work() -> list[Group]:
    """Of what ends by itself, where somebody has a lab on: a job may come and go between two whole censuses."""
    lab_is_on = Exists(Launch.objects.open().filter(account=OuterRef("pk")))
    groups = groups_of(Account.objects.filter(lab_is_on).order_by("pk"))
    return [group for group in groups if kind_of(group.kind).ends_by_itself]


def census_all(
    clock: Clock, accounts: Iterable[Account] | None = None, *, threads: int = THREADS, is_sparing: bool = False
) -> Survey:
    """Look into every account that is open or still holds something (or these), in every region of theirs, for every
    kind; enter what is found. is_sparing: leave out what it is not the time for (`is_left_out`)."""
    held = Exists(Resource.objects.open().filter(account=OuterRef("pk")))
    looked_into = list(Account.objects.filter(Q(is_open=True) | held) if accounts is None else accounts)
    began = clock()
    groups = [group for group in groups_of(looked_into) if not (is_sparing and is_left_out(group, began))]
    result = survey(groups, clock, threads=threads)
    now = clock()
    for account in looked_into:
        mine = [words for where, words in result.trouble.items() if where.startswith(f"{account.aws_id} ")]
        # looked_at is only moved by a whole census: the page says since when something is not known.
        whole = {} if mine else {"looked_at": now}
        Account.objects.filter(pk=account.pk).update(census_trouble="; ".join(sorted(set(mine)))[:1000], **whole)
    return result


def is_left_out(group: Group, now: datetime) -> bool:
    """Every second quarter of an hour, what AWS bills the list of is not looked for, once it was. What of it is known
    is confirmed all the same (groups_with_rows); a bucket, a key or a secret made by hand is found within half an hour,
    and costs a tenth of a cent by then."""
    is_second = now.minute // 15 % 2 == 1
    return kind_of(group.kind).listing_costs and group.account.looked_at is not None and is_second


def survey(groups: Iterable[Group], clock: Clock, *, threads: int = THREADS) -> Survey:
    """List these groups in parallel, then store what was seen. See Survey."""
    groups = list(groups)
    result = Survey(groups=len(groups))
    with ThreadPoolExecutor(threads, thread_name_prefix="census") as pool:
        for answers in _by_account(pool.map(lambda group: _list(group, clock), groups)):
            _store(answers, pool, clock, result)
    return result


def _by_account(answers: Iterable[_Answer]) -> Iterable[list[_Answer]]:
    """Answers come in the order of the groups, which are sorted by account: hand them on account by account."""
    batch: list[_Answer] = []
    for answer in answers:
        if batch and answer.group.account.pk != batch[0].group.account.pk:
            yield batch
            batch = []
        batch.append(answer)
    if batch:
        yield batch


def _list(group: Group, clock: Clock) -> _Answer:
    """In a thread: no ORM here."""
    at = clock()
    kind = kind_of(group.kind)
    try:
        client = aws.client(group.account, kind.service, group.region, config=aws.PATIENT)
        return _Answer(group, at, [seen for seen in kind.find_all(client) if seen.state != ABSENT])
    except Exception as error:
        return _Answer(group, at, trouble=str(aws.sorted_trouble(error)))


def _store(answers: list[_Answer], pool: ThreadPoolExecutor, clock: Clock, result: Survey) -> None:
    account = answers[0].group.account
    known = _known_rows(account)
    new: list[tuple[Group, Seen]] = []
    for answer in answers:
        if answer.trouble:
            where = f"{account.aws_id} {answer.group.region} {answer.group.kind}"
            result.trouble[where] = f"{answer.group.kind} in {answer.group.region}: {answer.trouble}"
            continue
        result.listed += len(answer.listed)
        new += _compare(answer, known, result)
    if not new:
        return
    tags = _tags_of_many(account, new, answers, pool)
    described = pool.map(lambda pair: _described(pair[0], pair[1], tags), new)
    whole = [(account, group.kind, seen, _region_of(group, seen)) for group, seen in described if seen is not None]
    making = [launch for launch in Launch.objects.open().filter(account=account) if made_in(launch)]
    result.strangers += ledger.enter_strangers(whole, clock(), making)


@dataclass
class _Known:
    """The open rows of an account, to be found by what a list shows: id, our tag, or name."""

    by_id: dict[tuple[str, str, str], Resource] = field(default_factory=dict)
    by_tag: dict[str, Resource] = field(default_factory=dict)
    by_name: dict[tuple[str, str, str], Resource] = field(default_factory=dict)
    of_group: dict[tuple[str, str], list[Resource]] = field(default_factory=lambda: defaultdict(list))


def _known_rows(account: Account) -> _Known:
    """Read after the lists were read: whatever the portal began to create before a list is in the ledger by now."""
    known = _Known()
    rows = Resource.objects.open().filter(account=account)
    for row in rows.only("id", "kind", "region", "aws_id", "name", "launch_id", "seen", "changed_mark", "seen_at"):
        region = "" if kind_of(row.kind).is_global else row.region
        known.of_group[(row.kind, region)].append(row)
        if row.aws_id:
            known.by_id[(row.kind, region, row.aws_id)] = row
        elif row.launch_id:
            # Only before its id is known: "launch more like this" copies names and tags to what is another thing.
            known.by_tag[row.id.hex] = row
            known.by_name[(row.kind, region, row.name)] = row
    return known


def _compare(answer: _Answer, known: _Known, result: Survey) -> list[tuple[Group, Seen]]:
    """Confirm what is as it was, hurry what is not, answer what nobody knew."""
    group = answer.group
    region = "" if kind_of(group.kind).is_global else group.region
    strangers, confirmed, hurried, shown = [], [], [], set()
    for seen in answer.listed:
        row = (
            known.by_id.get((group.kind, region, seen.aws_id))
            or _same_kind(known.by_tag.get(str(seen.tags.get(TAG_RESOURCE, ""))), group.kind)
            or known.by_name.get((group.kind, region, seen.name))
        )
        if row is None and len(seen.aws_id) > LONGEST_ID:
            where = f"{group.account.aws_id} {group.region} {group.kind} {seen.name[:60]}"
            result.trouble[where] = f"{group.kind} {seen.name[:60]}...: its id is too long to be kept"
            continue
        if row is None:
            strangers.append((group, seen))
            continue
        shown.add(row.pk)
        if row.seen in MOVING:
            continue  # its own reconciler is looking at it
        if seen.state == row.seen and seen.mark == row.changed_mark:
            confirmed.append(row.pk)
        else:
            hurried.append(row.pk)
    for row in known.of_group.get((group.kind, region), ()):
        if row.pk not in shown and row.seen not in MOVING:
            hurried.append(row.pk)
    result.confirmed += ledger.confirm(confirmed, answer.at) if confirmed else 0
    result.hurried += ledger.hurry(hurried, answer.at) if hurried else 0
    return strangers


def _same_kind(row: Resource | None, kind: str) -> Resource | None:
    # An instance hands its tags to its disk: the tag alone does not make the disk the instance.
    return row if row is not None and row.kind == kind else None


def _tags_of_many(
    account: Account, new: list[tuple[Group, Seen]], answers: list[_Answer], pool: ThreadPoolExecutor
) -> dict[str, Tags]:
    """{ARN: tags} of strangers whose lists leave tags out, where asking for all at once spares calls."""
    if account.owner_id:
        return {}
    lacking = Counter(group for group, seen in new if not seen.whole)
    # One answers for everything that is tagged, known or not: as many calls as the list has hundreds.
    worth_it = [answer.group for answer in answers if lacking[answer.group] > 1 + len(answer.listed) // 100]
    found: dict[str, Tags] = {}
    for tags in pool.map(_tags_of_all, worth_it):
        found |= tags
    return found


def _tags_of_all(group: Group) -> dict[str, Tags]:
    """In a thread, no ORM. {} when they cannot be told at once: then each stranger is asked itself."""

    def client_of(service: str):
        return aws.client(group.account, service, group.region, config=aws.PATIENT)

    try:
        return kind_of(group.kind).tags_of_all(client_of) or {}
    except Exception as error:
        log.warning("tags of %s in %s: %s", group.kind, group.region, aws.sorted_trouble(error))
        return {}


def _described(group: Group, seen: Seen, tags: dict[str, Tags]) -> tuple[Group, Seen | None]:
    """In a thread, no ORM: with what the list left out of a stranger; None when it is gone by now."""
    if seen.whole:
        return group, seen
    kind = kind_of(group.kind)
    # In an account with an owner everything is the owner's. Elsewhere, one of which no tags were told is asked itself:
    # the tagging API may be late, and whose a stranger is is settled when it is entered.
    known = {} if group.account.owner_id else tags.get(str(seen.facts.get("arn", "")))
    try:
        client = aws.client(group.account, kind.service, group.region, config=aws.PATIENT)
        told = kind.complete(client, seen, known)
        return group, (told if told.state != ABSENT else None)
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        log.warning("%s %s: %s", group.kind, seen.name, trouble)
        # Better an entry without details, shown as unpriced, than a resource that nobody knows of.
        return group, seen


def _region_of(group: Group, seen: Seen) -> str:
    return str(seen.facts.get("region") or group.region)
