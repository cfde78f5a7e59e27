"""Students' roles in the shared account: one each (and one more for a cohort with limits of its own), made by the
portal's role at their first lab, taken away when they leave.

In a student's own account the stack makes it. What holds the role lies in the account already, by the stack: boundary
and policies, which the portal cannot change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from labs import aws, guardrails
from labs.kinds.aws_words import code_of, tag_list
from labs.kinds.base import TAG_OWNER
from labs.kinds.iam_identity import PATH, pages_of
from labs.models import Launch, StudentRole
from labs.retelling import retold

AGAIN, NOT_ALLOWED = timedelta(seconds=30), timedelta(minutes=10)
# AWS knows a new role everywhere only after a while.
KNOWN_AFTER = timedelta(seconds=30)


def ask(launch: Launch, now: datetime) -> StudentRole:
    """Write down that the launch's student needs a role under the limits of that lab. Called in the launch's
    transaction; workers make it."""
    role, is_new = StudentRole.objects.get_or_create(
        account=launch.account, student=launch.owner, scope=launch.limited_scope, defaults={"next_try_at": now}
    )
    if not is_new and role.leaves_at is not None:
        # They come back. The role is looked at anew: it may be half taken away.
        StudentRole.objects.filter(pk=role.pk).update(leaves_at=None, made_at=None, next_try_at=now)
    return role


def ask_to_leave(roles, now: datetime) -> int:
    """Let these roles (a queryset of StudentRole) be taken away, once no lab of theirs is on. Answers how many."""
    return roles.filter(leaves_at=None).update(leaves_at=now, next_try_at=now)


def why_not_yet(launch: Launch, student: int, now: datetime) -> str:
    """Why the student has no role to work with in this lab yet, in words; '' when they have one."""
    known = StudentRole.objects.filter(account=launch.account, student=student, scope=launch.limited_scope)
    role = known.first()
    if role is None or role.made_at is None:
        trouble = f" {retold(role.trouble)}" if role and role.trouble else ""
        return _("Your role in the bootcamp's account is being made. Try again in half a minute.") + trouble
    if now - role.made_at < KNOWN_AFTER:
        return _("Your role in the bootcamp's account is new, and AWS needs half a minute to know it. Try again then.")
    return ""


def work_off(clock: Callable[[], datetime], *, most: int = 20) -> int:
    """Make and take away what is due. Answers how many were tried."""
    now = clock()
    due = StudentRole.objects.filter(next_try_at__lte=now).select_related("account", "student")
    tried = list(due.order_by("next_try_at")[:most])
    for role in tried:
        # Whoever moves next_try_at has it.
        if StudentRole.objects.filter(pk=role.pk, next_try_at=role.next_try_at).update(next_try_at=now + AGAIN):
            _try(role, clock)
    return len(tried)


def _try(role: StudentRole, clock: Callable[[], datetime]) -> None:
    kept = StudentRole.objects.filter(pk=role.pk, leaves_at=role.leaves_at)
    try:
        if role.leaves_at is None:
            _make(role)
            kept.update(made_at=clock(), next_try_at=None, trouble="")
        elif not Launch.objects.open().filter(account=role.account, owner=role.student).exists():
            _take_away(role)
            kept.delete()
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        again = NOT_ALLOWED if isinstance(trouble, aws.Denied) else AGAIN
        kept.update(trouble=str(trouble)[:1000], next_try_at=clock() + again)


def _make(role: StudentRole) -> None:
    """Every call may be repeated: a role that is half made is made whole."""
    account, iam = role.account, aws.client(role.account, "iam")
    name = _name(role)
    trust = guardrails.student_trust(aws.controller_role(account), role.student_id)
    try:
        iam.create_role(
            RoleName=name,
            Path=PATH,
            AssumeRolePolicyDocument=json.dumps(trust),
            Description="What a student of the learning portal works with",
            PermissionsBoundary=guardrails.boundary_arn(account.aws_id, role.scope),
            Tags=tag_list({guardrails.TAG_STUDENT: str(role.student_id), TAG_OWNER: str(role.student_id)}),
        )
    except iam.exceptions.ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
    for arn in guardrails.student_policy_arns(account.aws_id, role.scope).values():
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)


def _take_away(role: StudentRole) -> None:
    iam, name = aws.client(role.account, "iam"), _name(role)
    try:
        for policy in pages_of(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for policy in pages_of(iam, "list_role_policies", "PolicyNames", RoleName=name):
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
    except iam.exceptions.ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise


def _name(role: StudentRole) -> str:
    return guardrails.student_role(role.account.aws_id, role.student_id, role.scope).rsplit("/", 1)[-1]
