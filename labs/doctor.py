"""PURE: what is wrong with an account, and how it is mended. Facts in, findings out.

Each check is a function of the facts; what could not be found out is told as unknown, and never as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from labs.limits import Limits
from labs.quotas import Need, is_enough
from labs.stack_template import KNOWS_COHORTS

OK, FAILS, UNKNOWN = "ok", "fails", "unknown"
ALLOWED, DENIED = "allowed", "denied"
PRACTICE = "practice"

# AWS refuses a request that is dated five minutes wrong (signature version 4).
SKEW_REFUSED = timedelta(minutes=5)
SKEW_TOLD = timedelta(minutes=1)
LOOK_IS_OLD = timedelta(minutes=30)


@dataclass(frozen=True)
class CohortLimits:
    """A cohort that shares the account and has limits of its own there. stack: the name of what holds them. held: the
    limits that AWS holds it to; None when it does not. is_as_written: as this portal would write them today. trouble:
    why that is not known."""

    scope: str
    cohort: str
    stack: str
    held: Limits | None
    is_as_written: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class Facts:
    """What was found out about one account at `at`. None: it could not be found out.

    trouble: why the account could not be entered ('' when it was). let_in: {"without the external id": was such a one
    let in?, ...}; a text is the reason why it is not known. permissions: {action: ALLOWED, DENIED or UNKNOWN}, of the
    portal's role; asked_how: how AWS was asked. needs: {lab: the actions it needs}. quotas: {(service, code or name):
    value} in the region where labs start.
    """

    at: datetime
    mode: str
    aws_id: str
    regions: tuple[str, ...] = ()
    lab_regions: tuple[str, ...] = ()
    trouble: str = ""
    arn: str = ""
    let_in: Mapping[str, bool | str] | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    asked_how: str = ""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: int = 1
    quotas: Mapping[tuple[str, str], float] = field(default_factory=dict)
    quota_needs: tuple[Need, ...] = ()
    skew: timedelta | None = None
    enabled_regions: tuple[str, ...] | None = None
    has_switch: bool | None = None
    template_version: int | None = None
    template_out: int = 1
    looked_at: datetime | None = None
    census_trouble: str = ""
    # Why its bill at AWS could not be read; '' when it was; None where nobody asked for it yet.
    bill_trouble: str | None = None
    cohort_limits: tuple[CohortLimits, ...] = ()
    # Of the portal itself.
    own_arn: str = ""
    own_method: str = ""
    is_long_lived: bool = False
    portal_role: str = ""


@dataclass(frozen=True)
class Finding:
    """What one check says. title: the fact, in a line. said: why it matters. mend: what helps; '' when nothing has to
    be mended. details: lines for a table or a listing."""

    check: str
    verdict: str
    title: str
    said: str = ""
    mend: str = ""
    details: tuple[str, ...] = ()


def examine(facts: Facts) -> list[Finding]:
    """All that the checks say, what fails first. Into an account that cannot be entered nobody sees further."""
    found = [finding for check in CHECKS if not facts.trouble or check in ALWAYS for finding in check(facts)]
    order = {FAILS: 0, UNKNOWN: 1, OK: 2}
    return sorted(found, key=lambda finding: order[finding.verdict])


def stops_launches(findings: Iterable[Finding]) -> str:
    """Why no lab may start in the account, in words; '' when some may."""
    stops = (one for one in findings if one.verdict == FAILS and one.check in ("reach", "who", "strangers"))
    return next((f"{one.title}. {one.said}" for one in stops), "")


# --- the checks ----------------------------------------------------------------------------------------------


def reach(facts: Facts) -> Iterable[Finding]:
    if not facts.trouble:
        yield Finding("reach", OK, "We reach the account", "The portal's role lets us in.")
        return
    if facts.mode == PRACTICE:
        mend = "start the simulator (make run does), or look at its log."
    elif not facts.own_method:
        mend = "give the portal an identity at AWS first (docs/accounts.md)."
    else:
        mend = (
            "is the stack still there? Make it again from the account's page. Does it have another external id than "
            "the page? Then disconnect the account and connect it again."
        )
    yield Finding("reach", FAILS, "We do not reach the account", facts.trouble, mend)


def who(facts: Facts) -> Iterable[Finding]:
    if not facts.arn:
        yield Finding("who", UNKNOWN, "Who we are there is not known", "AWS did not say.", "look again later.")
        return
    if f"::{facts.aws_id}:" in facts.arn:
        yield Finding("who", OK, "It is who it should be", facts.arn)
        return
    yield Finding(
        "who",
        FAILS,
        f"AWS says that we are in another account than {facts.aws_id}",
        facts.arn,
        "disconnect the account, and connect it again with its own number.",
    )


def strangers(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        yield Finding("strangers", UNKNOWN, "Strangers cannot be tried", "The simulator knows no external ids.")
        return
    if facts.let_in is None:
        yield Finding("strangers", UNKNOWN, "Whether strangers are refused is not known", "They were not tried.")
        return
    let_in = [how for how, answer in facts.let_in.items() if answer is True]
    unclear = [f"{how}: {answer}" for how, answer in facts.let_in.items() if isinstance(answer, str)]
    if let_in:
        yield Finding(
            "strangers",
            FAILS,
            f"The portal's role lets in strangers: {' and '.join(let_in)}",
            "Somebody who talks this portal into it could work in the account. No lab starts in it.",
            "delete the stack and make it again from the account's page; its trust asks for the external id.",
        )
    elif unclear:
        words = "AWS gave no clear answer: " + "; ".join(unclear)
        yield Finding("strangers", UNKNOWN, "Whether strangers are refused is not known", words, "look again later.")
    else:
        yield Finding("strangers", OK, "It refuses strangers", "Without the external id, and with a wrong one: denied.")


def permissions(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        yield Finding("permissions", UNKNOWN, "Permissions cannot be tried", "The simulator lets the portal do all.")
        return
    denied = sorted(action for action, answer in facts.permissions.items() if answer == DENIED)
    for_labs = {action: [lab for lab, needed in facts.needs.items() if action in needed] for action in denied}
    if denied:
        labs = sorted({lab for named in for_labs.values() for lab in named})
        yield Finding(
            "permissions",
            FAILS,
            f"{_number(denied, 'permission is', 'permissions are')} missing for {_listed(labs)}",
            "A lab that could be started there but not ended would stay on. Do not launch these until it is mended.",
            f"update the stack to template {facts.template_out}: deploy the file of the account's page over it.",
            tuple(f"{action}: denied, {', '.join(for_labs[action])}" for action in denied),
        )
    unknown = sorted(action for action, answer in facts.permissions.items() if answer == UNKNOWN)
    if unknown or not facts.permissions:
        yield Finding(
            "permissions",
            UNKNOWN,
            f"{_number(unknown, 'permission', 'permissions')} could not be tried"
            if unknown
            else "Permissions could not be tried",
            "AWS does not simulate policies for us there, and has no dry run for these calls. A rehearsal shows them.",
            "allow iam:SimulatePrincipalPolicy to the portal's role (the template does), or rehearse each lab.",
            tuple(unknown),
        )
    elif not denied:
        words = f"{len(facts.permissions)} actions of {len(facts.needs)} labs, {facts.asked_how}."
        yield Finding("permissions", OK, "No lab lacks a permission", words)


def quotas(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        yield Finding("quotas", OK, "Quotas are enough", "Practice mode has none.")
        return
    answers = [(need, is_enough(need, facts.quotas)) for need in facts.quota_needs]
    region = facts.lab_regions[0] if facts.lab_regions else ""
    for need, enough in answers:
        if enough is False:
            has = int(facts.quotas[need.quota.service, need.quota.name])
            per = max(1, need.count // max(1, facts.people))
            groups = has // per
            until = f" Until then launch in groups of {groups}." if 0 < groups < facts.people else ""
            where = f"Service Quotas, {need.quota.service} ({need.quota.name})"
            yield Finding(
                "quotas",
                FAILS,
                f"{need.quota.title}: the account has {has}, the class needs {need.count}",
                f"{need.lab} for {_people(facts.people)} at once would be refused for some of them, in {region}.",
                f"ask AWS for {need.count} under {where}; that takes one to three days.{until}",
            )
    unknown = [need for need, enough in answers if enough is None]
    if unknown:
        yield Finding(
            "quotas",
            UNKNOWN,
            f"{_number(unknown, 'quota', 'quotas')} could not be told",
            "AWS's Service Quotas did not name them for this account.",
            "look at them in the console, under Service Quotas.",
            tuple(f"{need.quota.title}: {need.count} needed, {need.lab}" for need in unknown),
        )
    if answers and all(enough for _, enough in answers):
        yield Finding("quotas", OK, "Quotas are enough", f"{len(answers)} quotas for {_people(facts.people)} at once.")


def clock(facts: Facts) -> Iterable[Finding]:
    if facts.skew is None:
        yield Finding("clock", UNKNOWN, "The clock could not be compared", "AWS's answer had no date.")
        return
    seconds = f"{abs(facts.skew.total_seconds()):.0f} s"
    if abs(facts.skew) < SKEW_TOLD:
        yield Finding("clock", OK, "Same clock as AWS", f"{seconds} apart; AWS refuses from 5 min on.")
        return
    which = "ahead of" if facts.skew > timedelta(0) else "behind"
    yield Finding(
        "clock",
        FAILS,
        f"This server's clock is {seconds} {which} AWS's",
        "AWS refuses requests that are dated 5 minutes wrong, and labs end at the wrong time."
        if abs(facts.skew) < SKEW_REFUSED
        else "AWS refuses requests that are dated 5 minutes wrong: nothing works until it is set.",
        "let the server keep its time by NTP (timedatectl set-ntp true).",
    )


def regions(facts: Facts) -> Iterable[Finding]:
    if facts.enabled_regions is None:
        yield Finding("regions", UNKNOWN, "Which regions are open is not known", "AWS did not list them.")
        return
    closed = [region for region in facts.lab_regions if region not in facts.enabled_regions]
    if closed:
        yield Finding(
            "regions",
            FAILS,
            f"{_listed(closed)} is not enabled in this account",
            "Labs start there.",
            "enable the region in AWS's console, under Account, AWS Regions.",
        )
    unseen = sorted(set(facts.enabled_regions) - set(facts.regions))
    if unseen:
        yield Finding(
            "regions",
            UNKNOWN,
            f"{_number(unseen, 'open region is', 'open regions are')} not looked into",
            "Students' roles are held to the labs' regions; what the account's owner makes elsewhere is not seen here.",
            "name those that matter in WATCHED_REGIONS, or close them in AWS's console.",
            tuple(unseen),
        )
    elif not closed:
        yield Finding("regions", OK, "Every open region is looked into", ", ".join(facts.regions))


def key(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        return
    if facts.is_long_lived:
        yield Finding(
            "key",
            FAILS,
            "The portal works with a long-lived access key",
            f"Found by boto3 as: {facts.own_method}. Whoever copies it is the portal, for ever.",
            "give the portal a role, Roles Anywhere or SSO (docs/accounts.md), and delete the key.",
        )
    elif facts.own_method:
        yield Finding("key", OK, "It keeps no long-lived key", f"The portal's own identity: {facts.own_method}.")
    else:
        yield Finding(
            "key",
            FAILS,
            "The portal has no identity at AWS",
            "boto3 found no credentials.",
            "give it a role, Roles Anywhere or SSO (docs/accounts.md).",
        )
    if facts.own_arn and facts.portal_role and not is_session_of(facts.own_arn, facts.portal_role):
        yield Finding(
            "key",
            FAILS,
            "The portal is not the role that the template names",
            f"It is {facts.own_arn}; PORTAL_ROLE_ARN is {facts.portal_role}. Accounts let in that one only.",
            "set PORTAL_ROLE_ARN to the role that the portal really has, and deploy the template anew.",
        )


def switch(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        yield Finding("switch", OK, "The dead-man's switch can act", "The simulator's scheduler asks for no role.")
    elif facts.has_switch is None:
        yield Finding("switch", UNKNOWN, "The dead-man's switch could not be looked at", "Its role was not told.")
    elif facts.has_switch:
        yield Finding("switch", OK, "The dead-man's switch can act", "Its role is there; schedules come with each lab.")
    else:
        yield Finding(
            "switch",
            FAILS,
            "The dead-man's switch has no role",
            "If this server goes silent, nothing turns labs off in this account.",
            "update the stack from the account's page: the template makes it.",
        )


def census(facts: Facts) -> Iterable[Finding]:
    if facts.census_trouble:
        mend = "mend the permissions above; what the census could not list is not known to be off."
        yield Finding("census", FAILS, "The census does not see everything", facts.census_trouble, mend)
    elif facts.looked_at is None:
        yield Finding("census", UNKNOWN, "No census looked into it yet", "It comes each quarter of an hour.")
    elif facts.at - facts.looked_at > LOOK_IS_OLD:
        yield Finding(
            "census",
            FAILS,
            f"Nobody looked into it for {(facts.at - facts.looked_at).total_seconds() // 60:.0f} minutes",
            "What is on there is not known.",
            "are worker and beat running? /ready/ tells.",
        )
    else:
        yield Finding("census", OK, "It is looked into", "Each service in each watched region, every 15 minutes.")


def template(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE:
        return
    if facts.template_version is None:
        words = "The portal's role carries no version."
        yield Finding("template", UNKNOWN, "Which template it has is not known", words)
    elif facts.template_version < facts.template_out:
        yield Finding(
            "template",
            FAILS,
            f"It has template {facts.template_version}, and {facts.template_out} is out",
            "New labs may lack permissions there.",
            "deploy the file of the account's page over the stack; nothing that is on is touched.",
        )
    else:
        yield Finding("template", OK, "Its template is the newest", f"Version {facts.template_version}.")


def limits(facts: Facts) -> Iterable[Finding]:
    """Of each cohort with limits of its own; nothing is said where there is none."""
    for one in facts.cohort_limits:
        if one.is_as_written:
            continue
        if one.trouble:
            yield Finding("limits", UNKNOWN, f"Whether AWS holds the limits of {one.cohort} is not known", one.trouble)
            continue
        older = (facts.template_version or 0) < KNOWS_COHORTS
        first = f"update the stack to template {facts.template_out} first. Then " if older else ""
        yield Finding(
            "limits",
            FAILS,
            f"AWS {'has older documents for' if one.held else 'does not hold'} the limits of {one.cohort}",
            "No lab of this cohort starts in the account while AWS would let people do more than these limits.",
            f"{first}deploy the stack {one.stack}: the cohort's page of limits has its file and the command.",
        )
    told = [one.cohort for one in facts.cohort_limits]
    if told and all(one.is_as_written for one in facts.cohort_limits):
        yield Finding("limits", OK, "AWS holds each cohort to its limits", ", ".join(told))


def bill(facts: Facts) -> Iterable[Finding]:
    if facts.mode == PRACTICE or facts.bill_trouble is None:
        return
    if facts.bill_trouble:
        yield Finding(
            "bill",
            FAILS,
            "The AWS bill cannot be read",
            f"{facts.bill_trouble} What is metered is not compared with what AWS bills.",
            "enable Cost Explorer in the account, or update the stack: its controller may ask ce:GetCostAndUsage. In "
            "an organisation the payer has to let members see their costs.",
        )
    else:
        yield Finding("bill", OK, "Its AWS bill is read", "Cost Explorer answers; the Bill page compares.")


Check = Callable[[Facts], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (
    reach,
    who,
    strangers,
    permissions,
    quotas,
    regions,
    clock,
    key,
    switch,
    template,
    limits,
    census,
    bill,
)
# What can be told of an account that lets nobody in.
ALWAYS = (reach, key, census)


def is_session_of(arn: str, role: str) -> bool:
    """Is this identity (as STS tells it) a session of that role? STS leaves the role's path out."""
    if arn == role:
        return True
    account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
    return arn.startswith(f"arn:aws:sts::{account}:assumed-role/{name}/")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _number(things: Sized, one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"


def _people(number: int) -> str:
    return "one person" if number == 1 else f"{number} people"
