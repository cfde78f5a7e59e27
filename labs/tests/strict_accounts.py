"""A strict fake of STS and IAM in a few AWS accounts, behind labs.aws: trust policies, external ids, session tags and
the caller's own policies are enforced, as AWS does and the simulator does not.

Accounts are set up by the very template that people get: its references are filled in, and its roles are made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from labs.policy_evaluator import Call, Principal, as_list, is_allowed, matches

PORTAL = "arn:aws:iam::444455556666:role/lightsout"
PORTALS_SESSION = "arn:aws:sts::444455556666:assumed-role/lightsout/i-1"


def refusal(code: str, message: str, operation: str = "Fake", status: int = 403) -> ClientError:
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, operation)


@dataclass
class Role:
    arn: str
    trust: Mapping[str, Any]
    inline: dict[str, Any] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    boundary: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[-1]


@dataclass
class Session:
    """Whose key it is: an assumed role, with what holds it."""

    role: str
    arn: str
    tags: dict[str, str]
    policy: Mapping[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Accounts:
    """{aws id: {role's ARN: Role}}, and who has which key. `asked` holds every AssumeRole that was asked for.

    Put behind labs.aws by `stand_in(monkeypatch)`.
    """

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self.policies: dict[str, Mapping[str, Any]] = {}
        self.sessions: dict[str, Session] = {}
        self.asked: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.is_away = False
        self.own_key = "ASIAPORTAL0000000001"
        self.own_method = "iam-role"
        self.skew = timedelta(0)
        # {(service, operation): answer, or an exception}: what other services say.
        self.answers: dict[tuple[str, str], Any] = {}

    def stand_in(self, monkeypatch) -> None:
        from labs import aws

        aws.forget_clients()
        monkeypatch.setattr(aws, "_session", self)
        monkeypatch.setattr(aws, "_own_session", lambda: self)

    # --- what boto3's Session does ---

    def get_credentials(self):
        return SimpleNamespace(method=self.own_method, access_key=self.own_key)

    def client(self, service: str, *, aws_access_key_id: str | None = None, endpoint_url=None, **_: Any) -> Any:
        assert endpoint_url is None, "a real account is at AWS itself"
        if aws_access_key_id is None:
            return _Client(self, service, Session(PORTAL, PORTALS_SESSION, {}))
        return _Client(self, service, self.sessions[aws_access_key_id])

    # --- what people do in their accounts ---

    def deploy(self, aws_id: str, template: Mapping[str, Any], **parameters: str) -> None:
        """Make the stack: every role and policy of the template, its references filled in."""
        filled = {"AWS::AccountId": aws_id, "Student": "", **parameters}
        conditions = {"HasAStudent": bool(filled["Student"])}
        for logical, resource in template["Resources"].items():
            filled[logical] = _arn_of(aws_id, resource, filled)
        for resource in template["Resources"].values():
            if not conditions.get(resource.get("Condition", ""), True):
                continue
            facts, arn = resolved(resource["Properties"], filled), _arn_of(aws_id, resource, filled)
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                self.policies[arn] = facts["PolicyDocument"]
                continue
            self.roles[arn] = Role(
                arn,
                facts["AssumeRolePolicyDocument"],
                {policy["PolicyName"]: policy["PolicyDocument"] for policy in facts.get("Policies", ())},
                list(facts.get("ManagedPolicyArns", ())),
                facts.get("PermissionsBoundary", ""),
                {tag["Key"]: tag["Value"] for tag in facts.get("Tags", ())},
            )

    def delete_stack(self, aws_id: str) -> None:
        self.roles = {arn: role for arn, role in self.roles.items() if f"::{aws_id}:" not in arn}
        self.policies = {arn: policy for arn, policy in self.policies.items() if f"::{aws_id}:" not in arn}

    def role(self, aws_id: str, name: str) -> Role:
        return self.roles[f"arn:aws:iam::{aws_id}:role/lab/{name}"]

    # --- what AWS decides ---

    def assume_role(self, caller: Session, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(asked))
        no = refusal("AccessDenied", f"{caller.arn} is not authorized to perform: sts:AssumeRole", "AssumeRole")
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
        if not 900 <= asked["DurationSeconds"] <= 3600:
            raise refusal("ValidationError", "a chained session lasts 900 to 3600 seconds", "AssumeRole", 400)
        if len(asked.get("Policy", "")) > 2048:
            raise refusal("PackedPolicyTooLarge", "the session policy is too long", "AssumeRole", 400)
        role = self.roles.get(asked["RoleArn"])
        context = {
            **{f"aws:requesttag/{key}".lower(): value for key, value in tags.items()},
            **({"aws:tagkeys": list(tags)} if tags else {}),
            **({"sts:externalid": asked["ExternalId"]} if "ExternalId" in asked else {}),
            **({"sts:sourceidentity": asked["SourceIdentity"]} if "SourceIdentity" in asked else {}),
        }
        wanted = ["sts:AssumeRole"] + ["sts:TagSession"] * bool(tags)
        wanted += ["sts:SetSourceIdentity"] * ("SourceIdentity" in asked)
        for action in wanted:
            if role is None or not _trusts(role, caller.role, action, context):
                raise no
            if caller.role != PORTAL and not is_allowed(self._principal(caller), Call(action, role.arn, context)):
                raise no
        number = f"ASIA{len(self.sessions):016}"
        name = f"{asked['RoleArn'].replace(':role/lab/', ':assumed-role/').replace(':iam:', ':sts:')}"
        arn = f"{name}/{asked['RoleSessionName']}"
        policy = json.loads(asked["Policy"]) if asked.get("Policy") else None
        self.sessions[number] = Session(role.arn, arn, tags, policy, dict(asked))
        return {
            "Credentials": {
                "AccessKeyId": number,
                "SecretAccessKey": f"made-up-secret-{number}",
                "SessionToken": f"made-up-token-{number}",
                "Expiration": datetime.now(UTC) + timedelta(seconds=asked["DurationSeconds"]),
            },
            "AssumedRoleUser": {"Arn": arn},
        }

    def permit(self, caller: Session, call: Call) -> None:
        if not is_allowed(self._principal(caller), call):
            raise refusal("AccessDenied", f"{caller.arn} is not authorized to perform: {call.action}")

    def _principal(self, caller: Session) -> Principal:
        role = self.roles.get(caller.role)
        if role is None:
            raise refusal("InvalidClientTokenId", "The security token included in the request is invalid.")
        context = {"aws:PrincipalArn": role.arn, "aws:RequestedRegion": "us-east-1"}
        context |= {f"aws:PrincipalTag/{key}": value for key, value in caller.tags.items()}
        held = tuple(role.inline.values()) + tuple(self.policies[arn] for arn in role.attached)
        boundary = self.policies[role.boundary] if role.boundary else None
        return Principal(context, held, boundary, caller.policy)


class _Client:
    """A boto3 client of one service for one session. Each call is judged by the caller's policies first."""

    exceptions = SimpleNamespace(ClientError=ClientError)
    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))

    def __init__(self, accounts: Accounts, service: str, caller: Session):
        self._accounts, self._service, self._caller = accounts, service, caller

    def __getattr__(self, operation: str) -> Any:
        def call(**asked: Any) -> Any:
            self._accounts.calls.append(f"{self._service}:{operation}")
            if self._accounts.is_away:
                raise refusal("ServiceUnavailable", "nobody is at home", operation, 503)
            told = self._accounts.answers.get((self._service, operation))
            if isinstance(told, Exception):
                raise told
            if told is not None:
                return told(asked) if callable(told) else told
            act = getattr(self, f"_{self._service}_{operation}", None)
            if act is None:
                raise refusal("AccessDenied", f"the fake has no {self._service}:{operation}", operation)
            return act(asked)

        return call

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **asked: [getattr(self, operation)(**asked)])

    # --- STS ---

    def _sts_assume_role(self, asked):
        return self._accounts.assume_role(self._caller, asked)

    def _sts_get_caller_identity(self, _):
        now = datetime.now(UTC) + self._accounts.skew
        headers = {"date": f"{now:%a, %d %b %Y %H:%M:%S GMT}"}
        return {"Arn": self._caller.arn, "ResponseMetadata": {"HTTPHeaders": headers, "HTTPStatusCode": 200}}

    # --- IAM ---

    def _known(self, name: str) -> Role:
        account = self._caller.role.split(":")[4]
        for role in self._accounts.roles.values():
            if role.name == name and f"::{account}:" in role.arn:
                return role
        raise refusal("NoSuchEntity", f"The role with name {name} cannot be found.", status=404)

    def _may(self, action: str, role: Role, **more: str) -> None:
        context = {**({"iam:PermissionsBoundary": role.boundary} if role.boundary else {}), **more}
        self._accounts.permit(self._caller, Call(f"iam:{action}", role.arn, context))

    def _iam_get_role(self, asked):
        role = self._known(asked["RoleName"])
        self._may("GetRole", role)
        tags = [{"Key": key, "Value": value} for key, value in role.tags.items()]
        return {"Role": {"RoleName": role.name, "Arn": role.arn, "Tags": tags}}

    def _iam_simulate_principal_policy(self, asked):
        self._accounts.permit(self._caller, Call("iam:SimulatePrincipalPolicy", asked["PolicySourceArn"]))
        context = {one["ContextKeyName"]: one["ContextKeyValues"][0] for one in asked.get("ContextEntries", ())}
        who = self._accounts._principal(Session(asked["PolicySourceArn"], "", {}))
        (resource,) = asked["ResourceArns"]
        answers = {action: is_allowed(who, Call(action, resource, context)) for action in asked["ActionNames"]}
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": "allowed" if allowed else "implicitDeny"}
                for action, allowed in answers.items()
            ]
        }

    def _iam_create_role(self, asked):
        account = self._caller.role.split(":")[4]
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
        made = Role(
            f"arn:aws:iam::{account}:role{asked['Path']}{asked['RoleName']}",
            json.loads(asked["AssumeRolePolicyDocument"]),
            boundary=asked.get("PermissionsBoundary", ""),
            tags=tags,
        )
        context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        self._may("CreateRole", made, **context, **({"aws:TagKeys": list(tags)} if tags else {}))
        if tags:
            self._may("TagRole", made, **context)
        if made.arn in self._accounts.roles:
            raise refusal("EntityAlreadyExists", f"Role with name {made.name} already exists.", status=409)
        if made.boundary and made.boundary not in self._accounts.policies:
            raise refusal("NoSuchEntity", f"Scope ARN: {made.boundary} does not exist", status=404)
        self._accounts.roles[made.arn] = made
        return {"Role": {"Arn": made.arn}}

    def _iam_attach_role_policy(self, asked):
        role = self._known(asked["RoleName"])
        self._may("AttachRolePolicy", role, **{"iam:PolicyARN": asked["PolicyArn"]})
        if asked["PolicyArn"] not in self._accounts.policies:
            raise refusal("NoSuchEntity", f"Policy {asked['PolicyArn']} does not exist", status=404)
        if asked["PolicyArn"] not in role.attached:
            role.attached.append(asked["PolicyArn"])

    def _iam_get_policy(self, asked):
        self._accounts.permit(self._caller, Call("iam:GetPolicy", asked["PolicyArn"]))
        if asked["PolicyArn"] not in self._accounts.policies:
            raise refusal("NoSuchEntity", f"Policy {asked['PolicyArn']} was not found.", status=404)
        return {"Policy": {"Arn": asked["PolicyArn"], "DefaultVersionId": "v1"}}

    def _iam_get_policy_version(self, asked):
        self._accounts.permit(self._caller, Call("iam:GetPolicyVersion", asked["PolicyArn"]))
        assert asked["VersionId"] == "v1"
        return {"PolicyVersion": {"Document": json.loads(json.dumps(self._accounts.policies[asked["PolicyArn"]]))}}

    def _iam_put_role_policy(self, asked):
        role = self._known(asked["RoleName"])
        self._may("PutRolePolicy", role)
        role.inline[asked["PolicyName"]] = json.loads(asked["PolicyDocument"])

    def _iam_list_role_policies(self, asked):
        return {"PolicyNames": list(self._known(asked["RoleName"]).inline)}

    def _iam_delete_role_policy(self, asked):
        role = self._known(asked["RoleName"])
        self._may("DeleteRolePolicy", role)
        del role.inline[asked["PolicyName"]]

    def _iam_list_attached_role_policies(self, asked):
        return {"AttachedPolicies": [{"PolicyArn": arn} for arn in self._known(asked["RoleName"]).attached]}

    def _iam_detach_role_policy(self, asked):
        role = self._known(asked["RoleName"])
        self._may("DetachRolePolicy", role, **{"iam:PolicyARN": asked["PolicyArn"]})
        role.attached.remove(asked["PolicyArn"])

    def _iam_delete_role(self, asked):
        role = self._known(asked["RoleName"])
        self._may("DeleteRole", role)
        if role.inline or role.attached:
            raise refusal("DeleteConflict", "Cannot delete entity, must remove policies first.", status=409)
        del self._accounts.roles[role.arn]

    # --- EventBridge Scheduler ---

    def _scheduler_delete_schedule_group(self, asked):
        self._accounts.permit(self._caller, Call("scheduler:DeleteScheduleGroup", "*"))
        raise refusal("ResourceNotFoundException", f"Schedule group {asked['Name']} does not exist.", status=404)


def _trusts(role: Role, caller: str, action: str, context: Mapping[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and caller in as_list(statement["Principal"].get("AWS", ()))
        and matches({name: part for name, part in statement.items() if name != "Principal"}, Call(action), context)
        for statement in role.trust["Statement"]
    )


def _arn_of(aws_id: str, resource: Mapping[str, Any], filled: Mapping[str, str]) -> str:
    facts = resource["Properties"]
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        return f"arn:aws:iam::{aws_id}:policy{facts['Path']}{facts['ManagedPolicyName']}"
    return f"arn:aws:iam::{aws_id}:role{facts['Path']}{resolved(facts['RoleName'], filled)}"


def resolved(value: Any, filled: Mapping[str, str]) -> Any:
    """What CloudFormation makes of a value: references filled in."""
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            return filled[value["Ref"]]
        if set(value) == {"Fn::Sub"}:
            said = re.sub(r"\$\{([^!}][^}]*)\}", lambda found: filled[found[1]], value["Fn::Sub"])
            return said.replace("${!", "${")
        return {key: resolved(inner, filled) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner, filled) for inner in value]
    return value
