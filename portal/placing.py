"""Where a lab starts for a person: in practice, in the bootcamp's AWS account, or in their own; or why it does not."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from labs import connecting, practice, rehearsal
from labs.models import Account
from portal import rules_of_use

# Labs start in practice accounts; where there are none, a row would only wait and be blocked.
NOT_CONNECTED = "Labs are not connected on this server yet. Ask your instructor, or whoever runs the server."


@dataclass(frozen=True)
class Place:
    """mode: of the account. account: None in practice, where it is made at the first launch, and where there is
    trouble. trouble: why the lab cannot start there, in words for the person; help, help_url: what they can do."""

    mode: str
    account: Account | None = None
    trouble: str = ""
    help: str = ""
    help_url: str = ""


def region_of(cohort):
    """Where labs of this cohort start."""
    return (cohort.lab_regions or settings.LAB_REGIONS)[0]


def place_of(standing, lab, *, back=""):
    """The Place of `lab` for the person of this standing. back: the address to return to from a page that helps.

    Practice asks nothing of the database; a real account four queries at most.
    """
    mode = standing.cohort.lab_mode
    if mode not in lab.modes and Account.PRACTICE in lab.modes:
        mode = Account.PRACTICE
    if mode == Account.PRACTICE:
        return Place(mode, trouble="" if practice.is_on() else NOT_CONNECTED)
    if mode not in lab.modes:
        return Place(
            mode, trouble=f"{lab.title} cannot run in {'an own' if mode == Account.OWN else 'a shared'} account."
        )
    account = _account_of(standing, mode)
    if account is None:
        return _none_is_connected(mode)
    region = region_of(standing.cohort)
    if account.trouble:
        return Place(mode, trouble=f"AWS does not let us work in account {account.aws_id}: {account.trouble}")
    if region not in account.lab_regions:
        words = f"Labs of this cohort start in {region}, and account {account.aws_id} was connected for"
        return Place(mode, trouble=f"{words} {', '.join(account.lab_regions)} only.")
    if rules_of_use.accepted_at(standing.user) is None:
        rules = f"{reverse('portal:rules_of_use')}?{urlencode({'next': back})}"
        words = "This lab runs in a real AWS account, where things cost money. Read and accept the rules of use first."
        return Place(mode, trouble=words, help="Read the rules", help_url=rules)
    # Whoever teaches may go first: that is what a rehearsal is.
    if not standing.teaches and not rehearsal.has_passed(lab.slug, _rehearsed_in(account)):
        words = f"{lab.title} was not rehearsed in {'such an' if mode == Account.OWN else 'this'} AWS account yet."
        return Place(mode, trouble=f"{words} Your instructor does that before a class starts it there.")
    return Place(mode, account)


def nowhere(cohort):
    """Why no lab of this cohort starts at all, in words; '' when some do."""
    return NOT_CONNECTED if cohort.lab_mode == Account.PRACTICE and not practice.is_on() else ""


def _account_of(standing, mode):
    """The connected account of that mode; None when there is none."""
    if mode == Account.OWN:
        mine = connecting.own_account(standing.user)
        return mine if mine and mine.is_connected else None
    shared = Account.objects.filter(mode=Account.SHARED, is_open=True, scope__in=[standing.cohort.scope, ""])
    return shared.exclude(aws_id="").order_by("-scope", "-connected_at").first()


def _none_is_connected(mode):
    if mode == Account.SHARED:
        words = "Labs of this cohort run in the bootcamp's AWS account, and that is not connected. Ask your instructor."
        return Place(mode, trouble=words)
    words = "Labs of this cohort run in your own AWS account, and you have not connected one."
    return Place(mode, trouble=words, help="Connect yours", help_url=reverse("portal:my_account"))


def _rehearsed_in(account):
    """The accounts of which one must have seen the lab rehearsed. Own accounts are all set up by the same template:
    what passed in one of them is not rehearsed in each."""
    return Account.objects.filter(mode=Account.OWN) if account.owner_id else Account.objects.filter(pk=account.pk)
