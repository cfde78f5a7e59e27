"""Looking after AWS accounts: for which labs and people each is, whom the doctor visits next, and the Accounts page."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from costs.dashboard import NO_MONEY, AccountMoney, Book, money_by_account, price_book
from costs.models import Bill
from labs import catalog, deadman, doctor, examining
from labs.deadman import Armed
from labs.examining import Patient
from labs.models import Account, Resource
from portal import access
from portal.models import Cohort, LabInWeek, Membership

# What the page calls a check that passes.
CHECKS = {
    "reach": gettext_lazy("Reaches every account"),
    "who": gettext_lazy("Is who it should be"),
    "strangers": gettext_lazy("Refuses strangers"),
    "permissions": gettext_lazy("No lab lacks a permission"),
    "quotas": gettext_lazy("Quotas are enough"),
    "regions": gettext_lazy("Every open region is looked into"),
    "clock": gettext_lazy("Same clock as AWS"),
    "key": gettext_lazy("Keeps no long-lived key"),
    "switch": gettext_lazy("The dead-man’s switch can act"),
    "template": gettext_lazy("The newest template"),
    "limits": gettext_lazy("Holds each cohort to its limits"),
    "census": gettext_lazy("Sees everything"),
    "bill": gettext_lazy("Its AWS bill is read"),
}


# --- the doctor's visits -------------------------------------------------------------------------------------


def patients(accounts):
    """[Patient] for these accounts: the labs of their cohorts' courses, and how many do one at a time. Five queries."""
    cohorts = list(Cohort.objects.all())
    slugs = defaultdict(list)
    for course, slug in LabInWeek.objects.values_list("week__course_id", "lab_slug"):
        slugs[course].append(slug)
    students = Counter(Membership.objects.students().values_list("cohort_id", flat=True))
    bills = Bill.objects.filter(account__in=accounts).exclude(answered_at=None, trouble="")
    troubles = dict(bills.values_list("account", "trouble"))
    known, found = catalog.catalog(), []
    for account in accounts:
        theirs = [one for one in cohorts if _is_for(account, one)]
        labs = {slug: known[slug] for one in theirs for slug in slugs[one.course_id] if slug in known}
        people = 1 if account.owner_id else max(1, sum(students[one.pk] for one in theirs))
        limits = {one.scope: (str(one), one.limits) for one in theirs if one.lab_limits}
        found.append(Patient(account, tuple(labs.values()), people, troubles.get(account.pk), limits))
    return found


def _is_for(account, cohort):
    if account.scope:
        return account.scope == cohort.scope
    return account.mode == Account.SHARED and cohort.lab_mode == Account.SHARED


def limited_in(account):
    """[Cohort] with limits of their own among those that share this account. One query of a shared one."""
    if account.mode != Account.SHARED:
        return []
    return [one for one in Cohort.objects.exclude(lab_limits={}) if _is_for(account, one)]


def visit_due(clock=timezone.now, *, most=2):
    """Let the doctor look into the accounts whose turn it is. Answers how many were visited."""
    now = clock()
    due = list(Account.objects.filter(examine_at__lte=now, is_open=True).order_by("examine_at")[:most])
    visited = 0
    for patient in patients(due):
        account = patient.account
        # Whoever moves examine_at has it; should this worker die, another looks in an hour.
        mine = Account.objects.filter(pk=account.pk, examine_at=account.examine_at)
        if mine.update(examine_at=now + examining.EVERY):
            examining.examine(patient, clock)
            visited += 1
    return visited


def ask_for_visit(accounts, now):
    """Let the doctor come as soon as a worker is free. Answers to how many accounts."""
    return accounts.filter(is_open=True).exclude(aws_id="").update(examine_at=now)


# --- the page ------------------------------------------------------------------------------------------------


@dataclass
class Shown:
    """A finding as a page shows it, with whose account it is about."""

    account: Account
    finding: doctor.Finding


@dataclass
class Passed:
    """A check that every account passes, as many as there are."""

    title: str
    said: str
    accounts: int


@dataclass
class Mode:
    """One line of what is connected."""

    title: str
    words: str
    spent: Decimal | None
    problems: str = ""
    account: Account | None = None
    is_practice: bool = False


@dataclass
class Line:
    """The money of one real account, or of all in practice mode (account is None), where nothing is billed."""

    account: Account | None
    money: AccountMoney


@dataclass
class AccountsPage:
    now: datetime
    accounts: list[Account]
    on_their_way: list[Account]
    practice: int
    failures: list[Shown] = field(default_factory=list)
    unknown: list[Shown] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    quotas: list[dict] = field(default_factory=list)
    without: list = field(default_factory=list)
    modes: list[Mode] = field(default_factory=list)
    regions: list[tuple] = field(default_factory=list)
    armed: Armed | None = None
    book: Book | None = None
    money: list = field(default_factory=list)

    @property
    def looked_at(self):
        """When the doctor looked last at the account that he saw longest ago; None when he never saw one of them."""
        looks = [account.examined_at for account in self.accounts]
        return min(looks) if looks and all(looks) else None

    @property
    def next_at(self):
        return min((account.examine_at for account in self.accounts if account.examine_at), default=None)

    @property
    def checks_failing(self):
        return len({shown.finding.check for shown in self.failures})

    @property
    def checks(self):
        return len({shown.finding.check for shown in [*self.failures, *self.unknown]}) + len(self.passed)

    @property
    def quotas_enough(self):
        return sum(1 for line in self.quotas if line["enough"])

    @property
    def people(self):
        return max((account.report.get("people", 1) for account in self.accounts if account.report), default=0)

    @property
    def is_armed(self):
        return self.armed.with_switch == self.armed.of_labs


def findings_of(account):
    """[Finding] that the doctor's last visit left, what fails first."""
    return [doctor.Finding(**(one | {"details": tuple(one["details"])})) for one in account.report.get("findings", [])]


def accounts_page(user, now):
    """The Accounts page for this person, from what is stored: AWS is asked nothing. Queries are pinned in tests."""
    scopes = access.scopes_visible_to(user)
    seen = list(
        access.accounts_visible_to(user).select_related("owner").order_by("-mode", "name", "pk")
    )  # shared first
    accounts = [account for account in seen if account.is_connected]
    practice = list(Account.objects.filter(mode=Account.PRACTICE, scope__in=scopes).values_list("pk", flat=True))
    page = AccountsPage(
        now=now,
        accounts=accounts,
        on_their_way=[account for account in seen if not account.aws_id and not account.owner_id],
        practice=len(practice),
        armed=deadman.armed(Resource.objects.filter(scope__in=scopes)),
        book=price_book(scopes, now),
    )
    by_check = defaultdict(list)
    for account in accounts:
        for finding in findings_of(account):
            by_check[finding.check].append(Shown(account, finding))
    everything = [shown for check in by_check.values() for shown in check]
    page.failures = [shown for shown in everything if shown.finding.verdict == doctor.FAILS]
    page.unknown = [shown for shown in everything if shown.finding.verdict == doctor.UNKNOWN]
    for check, shown in by_check.items():
        if all(one.finding.verdict == doctor.OK for one in shown):
            said = shown[0].finding.said if len(shown) == 1 else ""
            page.passed.append(Passed(CHECKS.get(check, check), said, len(shown)))
    page.quotas = _quotas(accounts)
    known = money_by_account(scopes, now)
    page.modes = _modes(page, known)
    page.money = _money(accounts, practice, known)
    page.regions = _regions(accounts)
    page.without = list(
        Membership.objects.students()
        .filter(cohort__scope__in=scopes, cohort__lab_mode=Account.OWN)
        .exclude(user__aws_accounts__in=[account.pk for account in accounts if account.owner_id])
        .select_related("user")
        .order_by("user__name", "user__email")
    )
    return page


def _quotas(accounts):
    """Needs against has: each line of a shared account, and of own ones, which may be many, the one with the least."""
    lines, least = [], {}
    for account in accounts:
        for line in account.report.get("quotas", []):
            has = line["has"]
            shown = {**line, "account": account.name, "enough": None if has is None else has >= line["needs"]}
            if not account.owner_id:
                lines.append(shown)
            elif line["title"] not in least or (has or 0) < (least[line["title"]]["has"] or 0):
                least[line["title"]] = shown | {"account": _("Own, the lowest")}
    return lines + list(least.values())


def _money(accounts, practice, known):
    """A line for each real account, the dearest first, and one for all that is practice."""
    lines = [Line(account, known.get(account.pk, NO_MONEY)) for account in accounts]
    lines.sort(key=lambda line: (-line.money.burning.usd_per_hour, -line.money.month_usd, line.account.name))
    played = sum((known.get(pk, NO_MONEY) for pk in practice), NO_MONEY)
    return [*lines, Line(None, played)] if played.is_something else lines


def _modes(page, known):
    failing = Counter(shown.account.pk for shown in page.failures)
    lines = []
    if page.practice:
        words = _("Simulator on this server, %(people)s") % {"people": _people(page.practice)}
        lines.append(Mode(_("Practice"), words, None, is_practice=True))
    for account in page.accounts:
        if account.mode == Account.SHARED:
            told = {"account": account.aws_id, "people": _people(account.report.get("people", 1))}
            words = _("%(account)s, for %(people)s") % told
            problems = _("%(n)s to mend") % {"n": failing[account.pk]} if failing[account.pk] else ""
            lines.append(Mode(account.name, words, known.get(account.pk, NO_MONEY).month_usd, problems, account))
    own = [account for account in page.accounts if account.mode == Account.OWN]
    if own:
        with_trouble = sum(1 for account in own if failing[account.pk])
        words = ngettext("%(n)s account of their owners", "%(n)s accounts of their owners", len(own)) % {"n": len(own)}
        problems = _("%(n)s with a problem") % {"n": with_trouble} if with_trouble else ""
        spent = sum((known.get(account.pk, NO_MONEY).month_usd for account in own), Decimal(0))
        lines.append(Mode(_("Own"), words, spent, problems))
    return lines


def _people(number):
    return ngettext("%(n)s person", "%(n)s people", number) % {"n": number}


def _regions(accounts):
    """[(region, do labs start there, in how many accounts)]"""
    labs, seen = Counter(), Counter()
    for account in accounts:
        labs.update(account.lab_regions)
        seen.update(account.regions)
    return [(region, bool(labs[region]), seen[region]) for region in sorted(seen, key=lambda one: (not labs[one], one))]
