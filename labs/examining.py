"""The doctor's visit: ask AWS about one account, let doctor.py judge, and keep what it says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings

from labs import aws, connecting, doctor, kind_actions, quotas, stack_template
from labs.catalog.base import Lab
from labs.doctor import ALLOWED, DENIED, UNKNOWN, CohortLimits, Facts, Finding
from labs.iam_words import SWITCH, Document, policy_arn
from labs.kinds import kind_of
from labs.kinds.aws_words import code_of
from labs.limits import Limits, held_by
from labs.models import Account

EVERY = timedelta(hours=1)
AT_ONCE = 50  # actions in one call of SimulatePrincipalPolicy
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Patient:
    """An account with what its people do there. people: how many do a lab at the same time. bill_trouble: as in
    doctor.Facts; whoever reads bills knows it. limits: {scope: (the cohort's name, its limits)} of those that share the
    account and have some."""

    account: Account
    labs: tuple[Lab, ...] = ()
    people: int = 1
    bill_trouble: str | None = None
    limits: Mapping[str, tuple[str, Limits]] = field(default_factory=dict)


def examine(patient: Patient, clock: Clock) -> list[Finding]:
    """Look into the account now, and keep what was found. Raises nothing for what AWS says."""
    account = patient.account
    facts, is_clear = gather(patient, clock)
    findings = doctor.examine(facts)
    now = clock()
    kept: dict[str, Any] = {
        "report": {"findings": [asdict(one) for one in findings], "quotas": _table(facts), "people": facts.people},
        "examined_at": now,
        "examine_at": now + EVERY if account.is_real and account.is_open else None,
    }
    if account.is_real and is_clear:
        # A lab does not start where it could not be ended. That AWS is away for a moment is no such reason.
        kept["trouble"] = doctor.stops_launches(findings)
        kept["template_version"] = facts.template_version
        if not facts.trouble:
            kept["limits_held"] = {one.scope: one.held.as_json() for one in facts.cohort_limits if one.held}
        if any(one.check == "strangers" and one.verdict == doctor.OK for one in findings):
            kept["proved_at"] = now
    Account.objects.filter(pk=account.pk).update(**kept)
    account.refresh_from_db()
    return findings


def gather(patient: Patient, clock: Clock) -> tuple[Facts, bool]:
    """(what AWS says of the account, whether it said so clearly)."""
    account = patient.account
    facts = Facts(
        at=clock(),
        mode=account.mode,
        aws_id=account.aws_id,
        regions=tuple(account.regions),
        lab_regions=tuple(account.lab_regions),
        people=patient.people,
        template_out=stack_template.VERSION,
        looked_at=account.looked_at,
        census_trouble=account.census_trouble,
        bill_trouble=patient.bill_trouble,
        portal_role=settings.PORTAL_ROLE_ARN,
    )
    if account.is_real:
        own = aws.own_identity()
        facts = replace(facts, own_arn=own.arn, own_method=own.method, is_long_lived=own.is_long_lived)
        if not own.method:
            return replace(facts, trouble=own.trouble), False
    role = aws.controller_role(account)
    try:
        entered = aws.assume(account, role, session_name="lightsout-doctor", seconds=900)
    except aws.Trouble as why:
        # A no is the account's own only when the portal is somebody at AWS.
        return replace(facts, trouble=str(why)), isinstance(why, aws.Denied) and bool(facts.own_arn)
    look = _Look(account, entered)
    arn, skew = look.who(clock)
    facts = replace(facts, arn=arn, skew=skew, enabled_regions=look.regions(), has_switch=look.has_switch())
    return (_of_a_real_one(facts, look, patient) if account.is_real else facts), True


def _of_a_real_one(facts: Facts, look: _Look, patient: Patient) -> Facts:
    """What practice mode has not got: strangers, permissions, quotas."""
    labs = [lab for lab in patient.labs if facts.mode in lab.modes]
    needs = {lab.title: tuple(sorted(kind_actions.actions_of_wants(lab.wants, kind_of))) for lab in labs}
    permitted, how = look.permissions({action for needed in needs.values() for action in needed})
    wanted = tuple(quotas.needs_of(labs, patient.people, look.vcpus(quotas.types_of(labs))))
    version = connecting.version_in(look.client("iam"))
    return replace(
        facts,
        let_in=_let_in(patient.account),
        permissions=permitted,
        asked_how=how,
        needs=needs,
        quota_needs=wanted,
        quotas=look.quotas({need.quota.service for need in wanted}),
        template_version=version,
        cohort_limits=tuple(_cohort_limits(patient, look, version)),
    )


def _cohort_limits(patient: Patient, look: _Look, version: int | None) -> Iterator[CohortLimits]:
    """Of each cohort that needs documents of its own in the account. version: of the account's own stack."""
    account = patient.account
    knows_cohorts = version is None or version >= stack_template.KNOWS_COHORTS
    for scope, (cohort, limits) in patient.limits.items():
        stack = stack_template.cohort_stack(scope)
        # Until AWS says otherwise, it holds what it held.
        before = Limits.read(account.limits_held.get(scope, {})) or None
        try:
            rules = account.limited_to(limits)
            if rules is None:
                continue
            ours = stack_template.cohort_documents(rules, account.aws_id, scope)
            theirs = {name: look.policy(policy_arn(account.aws_id, name)) for name in ours}
        except (ValueError, aws.Trouble) as why:
            yield CohortLimits(scope, cohort, stack, before, trouble=str(why))
            continue
        there = [document for document in theirs.values() if document is not None]
        held = held_by(there) if len(there) == len(ours) and knows_cohorts else None
        is_as_written = held is not None and theirs == json.loads(json.dumps(ours))
        yield CohortLimits(scope, cohort, stack, held, is_as_written)


def _let_in(account: Account) -> dict[str, bool | str]:
    answers: dict[str, bool | str] = {}
    for how, stranger in connecting.strangers(account).items():
        try:
            answers[how] = connecting.is_let_in(stranger)
        except aws.Trouble as why:
            answers[how] = str(why)
    return answers


def _table(facts: Facts) -> list[dict[str, Any]]:
    """What is needed of each quota, and what is there (None: not known)."""
    return [
        {
            "title": need.quota.title,
            "lab": need.lab,
            "needs": need.count,
            "has": facts.quotas.get((need.quota.service, need.quota.name)),
        }
        for need in facts.quota_needs
    ]


class _Look:
    """One visit, with credentials made for it: what an hour ago was let in is not asked."""

    def __init__(self, account: Account, credentials: Any):
        self.account, self.credentials = account, credentials
        self.region = (account.lab_regions or account.regions)[0]

    def client(self, service: str) -> Any:
        return aws.client_with(self.credentials, self.account, service, self.region)

    def who(self, clock: Clock) -> tuple[str, timedelta | None]:
        """(who AWS says that we are, how far this server's clock is ahead of AWS's)."""
        answer = _told(lambda: self.client("sts").get_caller_identity(), {})
        said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            return answer.get("Arn", ""), clock() - parsedate_to_datetime(said)
        except ValueError:
            return answer.get("Arn", ""), None

    def permissions(self, actions: Iterable[str]) -> tuple[dict[str, str], str]:
        """({action: ALLOWED, DENIED or UNKNOWN}, how AWS was asked). By simulation; else by EC2's dry runs."""
        asked = sorted(actions)
        simulated = _told(lambda: self._simulated(asked), None)
        if simulated is not None:
            return simulated, "as AWS simulates the policies"
        return {action: self._dry_run(action) for action in asked}, "by EC2's dry runs"

    def _simulated(self, actions: list[str]) -> dict[str, str]:
        together: dict[tuple, list[str]] = defaultdict(list)
        for action in actions:
            resource, context = kind_actions.asked_with(action, self.account.aws_id)
            together[resource, tuple(context.items())].append(action)
        iam, found = self.client("iam"), {}
        for (resource, context), some in together.items():
            for first in range(0, len(some), AT_ONCE):
                answer = iam.simulate_principal_policy(
                    PolicySourceArn=aws.controller_role(self.account),
                    ActionNames=some[first : first + AT_ONCE],
                    ResourceArns=[resource],
                    ContextEntries=[
                        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
                        for name, value in context
                    ],
                )
                for one in answer["EvaluationResults"]:
                    found[one["EvalActionName"]] = ALLOWED if one["EvalDecision"] == "allowed" else DENIED
        return {action: found.get(action, UNKNOWN) for action in actions}

    def _dry_run(self, action: str) -> str:
        if action not in DRY_RUNS:
            return UNKNOWN
        operation, given = DRY_RUNS[action]
        ec2 = self.client("ec2")
        try:
            getattr(ec2, operation)(DryRun=True, **{name: _in(value, self.region) for name, value in given.items()})
        except ec2.exceptions.ClientError as error:
            return {"DryRunOperation": ALLOWED, "UnauthorizedOperation": DENIED}.get(code_of(error), UNKNOWN)
        return UNKNOWN

    def vcpus(self, types: list[str]) -> dict[str, int]:
        """{EC2 type: its vCPUs}; {} when AWS does not tell."""
        if not types:
            return {}
        listed = _told(lambda: self.client("ec2").describe_instance_types(InstanceTypes=types)["InstanceTypes"], [])
        return {one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for one in listed}

    def quotas(self, services: Iterable[str]) -> dict[tuple[str, str], float]:
        """{(service, code and name): value}. What AWS does not tell is left out."""
        found: dict[tuple[str, str], float] = {}
        for service in sorted(services):
            # The defaults first: AWS lists an applied value only for some.
            for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
                for quota in _told(lambda: self._pages(operation, service), []):  # noqa: B023  called at once
                    found[service, quota["QuotaCode"]] = found[service, quota["QuotaName"]] = quota["Value"]
        return found

    def _pages(self, operation: str, service: str) -> list[dict[str, Any]]:
        pages = self.client("service-quotas").get_paginator(operation).paginate(ServiceCode=service)
        return [quota for page in pages for quota in page["Quotas"]]

    def regions(self) -> tuple[str, ...] | None:
        listed = _told(lambda: self.client("ec2").describe_regions()["Regions"], None)
        return None if listed is None else tuple(sorted(one["RegionName"] for one in listed))

    def policy(self, arn: str) -> Document | None:
        """A managed policy as it is in force; None when there is none. Raises aws.Trouble when AWS does not tell."""
        iam = self.client("iam")
        try:
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        except Exception as error:
            trouble = aws.sorted_trouble(error)
            if isinstance(trouble, aws.NotThere):
                return None
            raise trouble from error

    def has_switch(self) -> bool | None:
        try:
            self.client("iam").get_role(RoleName=SWITCH)
        except Exception as error:
            return False if isinstance(aws.sorted_trouble(error), aws.NotThere) else None
        return True


def _told(act: Callable[[], Any], otherwise: Any) -> Any:
    """What AWS answers; `otherwise` when it does not. What is not AWS's refusal is logged (aws.sorted_trouble)."""
    try:
        return act()
    except Exception as error:
        aws.sorted_trouble(error)
        return otherwise


# {action: (EC2's call, what it has to be given)}: those that need nothing that is there already.
DRY_RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "ec2:AllocateAddress": ("allocate_address", {"Domain": "vpc"}),
    "ec2:CreateInternetGateway": ("create_internet_gateway", {}),
    "ec2:CreateSecurityGroup": ("create_security_group", {"GroupName": "lightsout-doctor", "Description": "a dry run"}),
    "ec2:CreateVolume": ("create_volume", {"AvailabilityZone": "{region}a", "Size": 1}),
    "ec2:CreateVpc": ("create_vpc", {"CidrBlock": "10.0.0.0/28"}),
    "ec2:DescribeInstances": ("describe_instances", {}),
    "ec2:DescribeVolumes": ("describe_volumes", {}),
}


def _in(value: Any, region: str) -> Any:
    return value.replace("{region}", region) if isinstance(value, str) else value
