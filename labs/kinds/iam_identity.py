"""What users, groups and roles have in common: IAM's identities are found by name and carry policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from labs.guardrails import STUDENT_POLICIES
from labs.kinds.aws_words import code_of, mark, tag_dict, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want

PATH = "/lab/"
# Not to be listed: what AWS makes for itself, and that by which the portal and the students come in.
AWS_OWN = ("/aws-service-role/", "/aws-reserved/")
OURS = ("boundary-", "emr-", "lab-student-", *STUDENT_POLICIES)  # roles and policies of guardrails.py
PORTALS_OWN = ("/lab/controller", "/lab/student", "/lab/deadman", "/lab/boundary")


class IAMIdentity(Kind):
    """An identity says what IAM's operations call it (`what`) and how it is listed. params, as wanted:
    managed_policies ([ARN]), inline_policies ({name: document})."""

    service, identity, cost_service = "iam", NAME, "IAM"
    is_global = is_free = True
    what: ClassVar[str]  # "Role": GetRole, AttachRolePolicy, RoleName

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        raise TypeError(f"{self.name} does not say how it is listed")

    def call(self, client, verb: str, name: str, **asked: Any) -> dict[str, Any]:
        """One of the operations that all three have: call(client, "attach_{}_policy", "aye", PolicyArn=...)."""
        return getattr(client, verb.format(self.what.lower()))(**{f"{self.what}Name": name}, **asked)

    def observe(self, client, want: Want) -> Seen:
        try:
            answer = self.call(client, "get_{}", want.aws_id or want.name)
        except client.exceptions.NoSuchEntityException:
            return GONE_FROM_AWS
        return self.seen(answer[self.what])

    def configure(self, client, want: Want, seen: Seen) -> bool:
        done, attached = True, self._attached(client, seen.aws_id)
        for policy in want.params.get("managed_policies", ()):
            if policy not in attached:
                self.call(client, "attach_{}_policy", seen.aws_id, PolicyArn=policy)
                done = False
        for policy, document in want.params.get("inline_policies", {}).items():
            if self._inline(client, seen.aws_id, policy) != document:
                text = json.dumps(document)
                self.call(client, "put_{}_policy", seen.aws_id, PolicyName=policy, PolicyDocument=text)
                done = False
        return done

    def drop_policies(self, client, name: str) -> int:
        """Detach and delete all of its policies, twenty or so by IAM's own limits. Answers how many there were."""
        attached, inline = self._attached(client, name), self._pages(client, "list_{}_policies", name, "PolicyNames")
        for policy in attached:
            self.call(client, "detach_{}_policy", name, PolicyArn=policy)
        for policy in inline:
            self.call(client, "delete_{}_policy", name, PolicyName=policy)
        return len(attached) + len(inline)

    def find_all(self, client) -> Iterable[Seen]:
        for answer in self.listed(client):
            if not is_not_listed(answer["Path"], answer[f"{self.what}Name"]):
                yield replace(self.seen(answer), whole=not self.can_tag)  # IAM's lists leave tags out

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)  # IAM's lists leave out nothing else

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]] | None:
        """The tagging API leaves users and roles out; this one tells a thousand of them, policies and all."""
        if not self.can_tag:
            return None
        details = f"{self.what}DetailList"
        listed = pages_of(client_of("iam"), "get_account_authorization_details", details, Filter=[self.what])
        return {each["Arn"]: tag_dict(each.get("Tags")) for each in listed}

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        name = answer[f"{self.what}Name"]
        return Seen(
            RUNNING,
            aws_id=name,
            name=name,
            since=utc(answer["CreateDate"]),
            facts={"arn": answer["Arn"], "path": answer["Path"]},
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer["CreateDate"]),
        )

    def _attached(self, client, name: str) -> list[str]:
        listed = self._pages(client, "list_attached_{}_policies", name, "AttachedPolicies")
        return [policy["PolicyArn"] for policy in listed]

    def _inline(self, client, name: str, policy: str) -> Mapping[str, Any] | None:
        try:
            return self.call(client, "get_{}_policy", name, PolicyName=policy)["PolicyDocument"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return None
            raise

    def _pages(self, client, operation: str, name: str, member: str) -> list[Any]:
        return pages_of(client, operation.format(self.what.lower()), member, **{f"{self.what}Name": name})


def is_not_listed(path: str, name: str) -> bool:
    """What AWS made for itself, and what the portal and the students come in by."""
    is_ours = path + name in PORTALS_OWN or (path == "/lab/" and name.startswith(OURS))
    return is_ours or path.startswith(AWS_OWN)


def pages_of(client, operation: str, member: str, **asked: Any) -> list[Any]:
    """Every line of an IAM list, a thousand a call (its most)."""
    pages = client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 1000})
    return [line for page in pages for line in page[member]]
