"""Before a lab is torn down: its sessions are revoked, what its student made in it is gathered, and the work is saved.

Else students, and functions of theirs, make things anew while we delete. Only this launch is fenced off: another lab of
the same student goes on.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from labs import aws, census, guardrails, ledger, locker, sessions
from labs.adopting import made_in
from labs.kinds.aws_words import code_of
from labs.models import Launch, Resource
from labs.reconcile import Clock

AGAIN = timedelta(seconds=10)
# A teardown does not wait for ever: what cannot be revoked is said, and ends by itself within the hour.
PATIENCE = timedelta(minutes=2)
# With their roles sealed these services could not take down what they made: the mess would be sealed in.
NEEDED_TO_GO = ("elasticmapreduce.amazonaws.com", "cloudformation.amazonaws.com")


def prepare_due(clock: Clock, *, most: int = 20, until: datetime | None = None) -> int:
    """Prepare the launches that are asked to end; none is begun later than `until`. Answers how many were tried."""
    now = clock()
    due = Launch.objects.open().filter(prepare_at__lte=now).select_related("account").order_by("prepare_at")[:most]
    tried = 0
    for launch in list(due):
        if until is not None and clock() >= until:
            break
        # Whoever moves prepare_at has it, until a worker that died would have been done.
        mine = clock() + ledger.LEASE
        if not Launch.objects.filter(pk=launch.pk, prepare_at=launch.prepare_at).update(prepare_at=mine):
            continue
        tried += 1
        if not prepare(launch, clock):
            Launch.objects.filter(pk=launch.pk, prepare_at=mine).update(prepare_at=clock() + AGAIN)
    return tried


def prepare(launch: Launch, clock: Clock) -> bool:
    """Fence, gather, then save; only then may anything of it be deleted. True when that is so.

    After PATIENCE, and after the locker's own, the teardown goes on all the same, and what could not be done is said
    loudly.
    """
    # Once its work is being saved, nobody makes anything in it any more.
    if launch.saving_at is None and not _is_quiet(launch, clock):
        return False
    if waits_for := locker.save(launch, clock):
        words = f"Before it is deleted: {waits_for}"
        ledger.note_once("saving", words[:500], clock(), launch=launch, account=launch.account)
        return False
    ledger.may_go(launch, clock())
    return True


def _is_quiet(launch: Launch, clock: Clock) -> bool:
    """Nobody makes things in it any more, and what was made is known: or we have tried for long enough."""
    trouble = ""
    try:
        if launch.session_at is not None:
            fence(launch, clock())
        if made_in(launch):
            found = census.survey(census.groups_of([launch.account]), clock)
            trouble = "; ".join(sorted(found.trouble.values()))[:500]
    except Exception as error:
        trouble = str(aws.sorted_trouble(error))
    if not trouble:
        return True
    now = clock()
    ledger.note_once("unprepared", f"Before it is deleted: {trouble}", now, launch=launch, account=launch.account)
    if launch.asked_to_end_at is not None and now - launch.asked_to_end_at < PATIENCE:
        return False
    words = "It is deleted all the same; credentials that are still out end by themselves within the hour"
    ledger.note_once("unfenced", words, now, launch=launch, account=launch.account)
    return True


def fence(launch: Launch, now: datetime) -> None:
    """Revoke this launch's sessions: nothing that was issued to it by now may do anything any more.

    On the student's role by the session's tag, so that another lab goes on. Roles that the launch made are sealed: what
    runs under them does nothing more. Fences of launches whose last session is over by now are taken away: a role has
    room for some forty.
    """
    iam = aws.client(launch.account, "iam")
    role = sessions.student_role(launch, launch.owner_id).rsplit("/", 1)[-1]
    _put(iam, role, f"lightsout-fence-{launch.id.hex[:12]}-{now:%Y%m%dT%H%M}", guardrails.fence(launch.id.hex, now))
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name.startswith("lightsout-fence-") and _is_over(name, now):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    for row in Resource.objects.open().filter(launch=launch, kind="iam-role").exclude(seen=""):
        if row.params.get("trust") in NEEDED_TO_GO:
            continue
        try:
            _put(iam, row.aws_id or row.name, "lightsout-seal", guardrails.seal())
        except iam.exceptions.ClientError as error:
            if code_of(error) != "NoSuchEntity":
                raise
    Launch.objects.filter(pk=launch.pk).update(fenced_at=now)
    ledger.note("fenced", "Credentials of this lab were revoked", now, launch=launch, account=launch.account)


def _put(iam, role: str, name: str, document: dict) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _is_over(fence_name: str, now: datetime) -> bool:
    """No session from before that fence can still be valid. The name carries its minute in UTC."""
    made = datetime.strptime(fence_name.rsplit("-", 1)[-1], "%Y%m%dT%H%M").replace(tzinfo=now.tzinfo)
    return now - made > sessions.LONGEST + timedelta(minutes=1)
