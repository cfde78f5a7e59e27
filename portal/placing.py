"""Where a lab starts for a person: in practice, in the bootcamp's AWS account, or in their own; or why it does not."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import connecting, launching, practice, rehearsal
from labs.models import Account
from portal import rules_of_use

# Labs start in practice accounts; where there are none, a row would only wait and be blocked.
NOT_CONNECTED = gettext_lazy(
    "Labs are not connected on this server yet. Ask your instructor, or whoever runs the server."
)


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


def shared_account(cohort):
    """The connected account of the bootcamp in which this cohort's labs would start; None when there is none. One that
    is this cohort's goes before one that is every cohort's."""
    shared = Account.objects.filter(mode=Account.SHARED, is_open=True, scope__in=[cohort.scope, ""])
    return shared.exclude(aws_id="").order_by("-scope", "-connected_at").first()


class Known:
    """What places depend on, for some people of a cohort: each asked when it is first needed, once for all of them."""

    def __init__(self, cohort, people):
        self.cohort, self.people = cohort, list(people)
        self._rehearsed = {}

    @cached_property
    def shared(self):
        return shared_account(self.cohort)

    @cached_property
    def own(self):
        """{person's id: their connected account}"""
        theirs = connecting.own_accounts(self.people)
        return {pk: account for pk, account in theirs.items() if account.is_connected}

    @cached_property
    def accepted(self):
        return rules_of_use.who_accepted(self.people)

    def is_rehearsed(self, lab, account):
        """In this account; of own ones, which are all set up by the same template, in any."""
        key = lab.slug, account.owner_id is None and account.pk
        if key not in self._rehearsed:
            theirs = Account.objects.filter(mode=Account.OWN)
            accounts = theirs if account.owner_id else Account.objects.filter(pk=account.pk)
            self._rehearsed[key] = rehearsal.has_passed(lab.slug, accounts)
        return self._rehearsed[key]


def mode_of(cohort, lab):
    """The mode of the accounts in which this cohort does the lab: its own, else practice where the lab can."""
    in_practice = cohort.lab_mode not in lab.modes and Account.PRACTICE in lab.modes
    return Account.PRACTICE if in_practice else cohort.lab_mode


def place_of(standing, lab, *, back="", known=None):
    """The Place of `lab` for the person of this standing. back: the address to return to from a page that helps. known:
    a Known that is shared with other people of a class.

    Practice asks nothing of the database; a real account three queries at most.
    """
    mode, known = mode_of(standing.cohort, lab), known or Known(standing.cohort, [standing.user])
    if mode == Account.PRACTICE:
        trouble = "" if practice.is_on() else NOT_CONNECTED
        return _beyond(standing, lab, mode) or Place(mode, trouble=trouble)
    if mode not in lab.modes:
        words = _("%(lab)s cannot run in a shared account.")
        if mode == Account.OWN:
            words = _("%(lab)s cannot run in an own account.")
        return Place(mode, trouble=words % {"lab": lab.title})
    account = known.own.get(standing.user.pk) if mode == Account.OWN else known.shared
    if account is None:
        return _none_is_connected(mode)
    region = region_of(standing.cohort)
    if account.trouble:
        words = _("AWS does not let us work in account %(account)s: %(why)s")
        return Place(mode, trouble=words % {"account": account.aws_id, "why": account.trouble})
    if region not in account.lab_regions:
        words = _(
            "Labs of this cohort start in %(region)s, and account %(account)s was connected for %(regions)s only."
        )
        facts = {"region": region, "account": account.aws_id, "regions": ", ".join(account.lab_regions)}
        return Place(mode, trouble=words % facts)
    if beyond := _beyond(standing, lab, mode, account):
        return beyond
    if standing.user.pk not in known.accepted:
        rules = f"{reverse('portal:rules_of_use')}?{urlencode({'next': back})}"
        words = _(
            "This lab runs in a real AWS account, where things cost money. Read and accept the rules of use first."
        )
        return Place(mode, trouble=words, help=_("Read the rules"), help_url=rules)
    # Whoever teaches may go first: that is what a rehearsal is.
    if not standing.teaches and not known.is_rehearsed(lab, account):
        words = _(
            "%(lab)s was not rehearsed in this AWS account yet. "
            "Your instructor does that before a class starts it there."
        )
        if mode == Account.OWN:
            words = _(
                "%(lab)s was not rehearsed in such an AWS account yet. "
                "Your instructor does that before a class starts it there."
            )
        return Place(mode, trouble=words % {"lab": lab.title})
    return Place(mode, account)


def nowhere(cohort):
    """Why no lab of this cohort starts at all, in words; '' when some do."""
    return NOT_CONNECTED if cohort.lab_mode == Account.PRACTICE and not practice.is_on() else ""


def _beyond(standing, lab, mode, account=None):
    """A Place with trouble when the cohort's limits do not allow the lab there, or AWS does not hold it to them; else
    None. Asks nothing of the database."""
    cohort = standing.cohort
    trouble = launching.why_beyond(lab, cohort.limits, region_of(cohort), account, cohort.scope)
    if not trouble:
        return None
    if not standing.teaches:
        ask = _("Ask your instructor.")
        return Place(mode, trouble=f"{trouble} {ask}")
    return Place(mode, trouble=trouble, help=_("Limits"), help_url=reverse("portal:lab_limits", args=[cohort.slug]))


def _none_is_connected(mode):
    if mode == Account.SHARED:
        words = _(
            "Labs of this cohort run in the bootcamp's AWS account, and that is not connected. Ask your instructor."
        )
        return Place(mode, trouble=words)
    words = _("Labs of this cohort run in your own AWS account, and you have not connected one.")
    return Place(mode, trouble=words, help=_("Connect yours"), help_url=reverse("portal:my_account"))
