"""Connecting a real AWS account, and letting go of it: an external id of ours, a stack of theirs, and a proof.

Whose account it is nobody has to believe: it is bound to the one whose external id its controller asks for, after AWS
was seen to refuse everybody who does not show it.
"""

from __future__ import annotations

import re
import secrets
from copy import copy
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labs import admitting, aws, deadman, ledger, stack_template
from labs.iam_words import CONTROLLER
from labs.kinds.aws_words import tag_dict
from labs.kinds.scheduler_group import SWITCH_GROUP
from labs.models import Account, Launch


class CannotConnect(Exception):
    """Why an account is not connected, and what helps, in words for the person who asked."""


class CannotDisconnect(Exception):
    """Why an account stays connected for now, in words for the person who asked."""


TAKEN = gettext_lazy(
    "This AWS account is connected to this portal already, by somebody else or as another kind of account. Each is "
    "connected once. Ask your instructor."
)


def begin(*, mode: str, name: str, regions: list[str], lab_regions: list[str], now: datetime, owner=None, scope=""):
    """The Account that is about to be connected, with an external id that nobody can guess. It is not open yet.

    Of a person's own account there is one: it is answered when it is there, connected or on its way.
    """
    if owner is not None:
        mine = own_account(owner)
        if mine is not None and (mine.is_open or not mine.aws_id):
            return mine
    facts = {
        "mode": mode,
        "owner": owner,
        "name": name[:80],
        "scope": scope,
        "regions": list(dict.fromkeys([*lab_regions, *regions])),
        "lab_regions": list(lab_regions),
        "external_id": secrets.token_urlsafe(32),
        "is_open": False,
        "created_at": now,
    }
    try:
        with transaction.atomic():
            return Account.objects.create(**facts)
    except IntegrityError:
        # Of two clicks at once the second finds what the first one made.
        return Account.objects.get(owner=owner, mode=Account.OWN, aws_id="")


def own_account(person) -> Account | None:
    """The person's own AWS account: connected, else on its way, else the one they disconnected last. None: none."""
    return own_accounts([person]).get(person.pk)


def own_accounts(people) -> dict[int, Account]:
    """{person's id: their own_account} of those who have any. One query."""
    found: dict[int, Account] = {}
    theirs = Account.objects.filter(owner__in=people, mode=Account.OWN)
    for account in theirs.order_by("-is_open", "aws_id", "-connected_at"):
        if account.owner_id is not None:
            found.setdefault(account.owner_id, account)
    return found


def connect(account: Account, aws_id: str, *, now: datetime, by) -> Account:
    """Prove that `aws_id` lets in whoever shows this account's external id, and nobody else; then bind and open it.

    Answers the connected account: another row than `account` where the same person comes back with an AWS account that
    they had disconnected. Raises CannotConnect, and aws.Trouble when AWS gives no answer.
    """
    aws_id = re.sub(r"[\s-]", "", aws_id)
    if not re.fullmatch(r"\d{12}", aws_id):
        raise CannotConnect(
            _("An AWS account id has 12 digits. AWS's console shows it at the top right, under your name.")
        )
    if account.aws_id:
        words = _("This is account %(account)s already. Disconnect it before you connect another.")
        raise CannotConnect(words % {"account": account.aws_id})
    held = Account.objects.filter(aws_id=aws_id).exclude(pk=account.pk).first()
    if held and (held.is_open or (held.mode, held.owner_id) != (account.mode, account.owner_id)):
        raise CannotConnect(TAKEN)
    claimed = copy(account)
    claimed.aws_id = aws_id
    try:
        version = prove(claimed)
    except (CannotConnect, aws.Trouble) as why:
        Account.objects.filter(pk=account.pk).update(trouble=str(why))
        raise
    facts = {
        "aws_id": aws_id,
        "external_id": account.external_id,
        "is_open": True,
        "connected_at": now,
        "proved_at": now,
        "trouble": "",
        "template_version": version,
        "examine_at": now,
    }
    try:
        with transaction.atomic():
            if held:
                # What it holds is kept under the row that it had; the one that was on its way never held anything.
                Account.objects.filter(pk=account.pk, aws_id="").delete()
                facts |= {name: getattr(account, name) for name in ("scope", "regions", "lab_regions", "name")}
            bound = held or account
            Account.objects.filter(pk=bound.pk).update(**facts)
            bound.refresh_from_db()
            ledger.note("connected", f"The AWS account {aws_id} was connected", now, account=bound, actor=by)
    except IntegrityError:
        raise CannotConnect(TAKEN) from None
    return bound


def prove(account: Account) -> int | None:
    """Ask AWS: does the account let us in with its external id, is it the one it should be, and are strangers refused?

    Answers the version of the template in it, None where that cannot be told. Raises CannotConnect, and aws.Trouble
    when AWS gives no answer.
    """
    credentials = _let_in(account)
    told = _arn_of(credentials, account)
    if f"::{account.aws_id}:assumed-role/{CONTROLLER}/" not in told:
        raise CannotConnect(f"AWS says that we came to {told}, and not to account {account.aws_id}.")
    for stranger in strangers(account).values():
        if is_let_in(stranger):
            raise CannotConnect(
                f"The role {CONTROLLER} of account {account.aws_id} lets in strangers: also without the right external "
                "id. Nobody is safe like that, so we do not use it. Delete the stack, and make it again from this page."
            )
    return version_in(aws.client_with(credentials, account, "iam"))


def strangers(account: Account) -> dict[str, Account]:
    """{how: the account as somebody would ask for it who has no external id, or a wrong one}."""
    asked = {"without the external id": "", "with a wrong one": secrets.token_urlsafe(32)}
    found = {}
    for how, external_id in asked.items():
        found[how] = copy(account)
        found[how].external_id = external_id
    return found


def is_let_in(account: Account) -> bool:
    """Does AWS let the portal in with what this account's row says? Raises aws.Trouble unless AWS says yes or no."""
    try:
        aws.assume(account, aws.controller_role(account), session_name="lightsout-proof", seconds=900)
    except aws.Denied:
        return False
    return True


def version_in(iam) -> int | None:
    """The version of the template that the account's controller was made by; None where it cannot be told."""
    try:
        tags = tag_dict(iam.get_role(RoleName=CONTROLLER)["Role"].get("Tags"))
        return int(tags[stack_template.TAG_VERSION])
    except Exception as error:
        if not isinstance(error, (KeyError, ValueError)):
            aws.sorted_trouble(error)
        return None


def disconnect(account: Account, *, now: datetime, by) -> str:
    """Close the account: no lab starts in it, and nothing in it is looked at any more. Answers what could not be tidied
    up there ('' when everything was). Raises CannotDisconnect while labs are on.

    The stack is for whoever has the account to delete (stack_template.delete_command).
    """
    with transaction.atomic():
        locked = Account.objects.select_for_update().get(pk=account.pk)
        on = Launch.objects.open().filter(account=account).count()
        if on:
            words = ngettext(
                "%(n)s lab is on in this account, or not yet seen to be gone. Finish it first; then disconnect.",
                "%(n)s labs are on in this account, or not yet seen to be gone. Finish them first; then disconnect.",
                on,
            )
            raise CannotDisconnect(words % {"n": on})
        locked.is_open, locked.examine_at = False, None
        locked.save(update_fields=["is_open", "examine_at"])
    admitting.ask_to_leave(account.student_roles.all(), now)
    trouble = _tidied_up(account)
    ledger.let_go(account, now, "the account was disconnected: nobody looks into it any more")
    words = f"The AWS account {account.aws_id} was disconnected"
    ledger.note("disconnected", f"{words}. {trouble}".strip(), now, account=account, actor=by)
    account.refresh_from_db()
    return trouble


def _tidied_up(account: Account) -> str:
    """Take away what would act by itself: the dead-man's switches. Answers what could not be done."""
    left = []
    for region in account.regions:
        try:
            deadman.disarm_all(aws.client(account, "scheduler", region))
        except Exception as error:
            left.append(f"{region} ({aws.sorted_trouble(error)})")
    if not left:
        return ""
    return f"The schedule group {SWITCH_GROUP} may still be there in {', '.join(left)}: delete it in AWS's console."


def _let_in(account: Account):
    role = aws.controller_role(account)
    try:
        return aws.assume(account, role, session_name="lightsout-proof", seconds=900)
    except aws.Denied as why:
        raise CannotConnect(
            f"AWS does not let us into account {account.aws_id}. Is the stack there, in this account, and complete? A "
            f"new one takes a minute. Was it made from this page's template, with this page's external id? {why}"
        ) from None


def _arn_of(credentials, account: Account) -> str:
    try:
        return aws.client_with(credentials, account, "sts").get_caller_identity()["Arn"]
    except Exception as error:
        raise aws.sorted_trouble(error) from error
