"""What an identity of a student's account may do, by the documents that it has: for the checks of labs on IAM. Practice
mode enforces no policy, so the documents themselves are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.catalog.base import Checked
from labs.catalog.looking import DATED_KEY
from labs.policy_evaluator import Call, Principal, as_list, is_allowed

Document = Mapping[str, Any]
# Where a lab has a student make what the lab's own credentials may not (guardrails.py).
AS_YOURSELF = """
In your own account, the lab's credentials may not change users, groups and policies. Sign in to the console as yourself
there, open **CloudShell**, and run the commands in it.
"""


def documents_of(iam: Any, what: str, name: str) -> list[Document]:
    """Every policy of a "role", "user" or "group": those written into it, and the attached ones as they are in force.

    Raises NoSuchEntity when there is no such identity. What a user has through groups is not in it.
    """
    asked = {f"{what.capitalize()}Name": name}

    def call(verb: str, **more: str) -> Any:
        return getattr(iam, verb.format(what))(**asked, **more)

    written = call("list_{}_policies")["PolicyNames"]
    found = [call("get_{}_policy", PolicyName=policy)["PolicyDocument"] for policy in written]
    for attached in call("list_attached_{}_policies")["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return found


def fault_in(documents: list[Document], needed: Mapping[str, Call], too_much: Mapping[str, Call]) -> str:
    """What is wrong with these policies in one sentence, '' when they allow all that is `needed` and nothing that is
    `too_much`. Both are {what it is in words: the call}: {"list the bucket": Call("s3:ListBucket", arn)}."""
    who = Principal({}, tuple(documents))
    try:
        for words, call in needed.items():
            if not is_allowed(who, call):
                return f"It may not {words} yet: {call.action} on {call.resource} is not allowed."
        for words, call in too_much.items():
            if is_allowed(who, call):
                return f"It may also {words}, and that is too much: {call.action} on {call.resource} is allowed."
    except KeyError as unknown:
        return f"It has a condition {unknown}, which this check cannot judge. Write the policy without it."
    return ""


def reading(bucket: str) -> dict[str, Call]:
    """What one needs to read the payments of a bucket (its ARN), for fault_in."""
    return {
        "list the bucket": Call("s3:ListBucket", bucket, {"s3:prefix": "raw/"}),
        "read a file of it": Call("s3:GetObject", f"{bucket}/raw/{DATED_KEY}"),
    }


def more_than_reading(bucket: str) -> dict[str, Call]:
    """What is too much for one who is to read this bucket, for fault_in."""
    another = "arn:aws:s3:::a-bucket-of-somebody-else"
    return {
        "list other buckets": Call("s3:ListBucket", another, {"s3:prefix": "raw/"}),
        "read other buckets": Call("s3:GetObject", f"{another}/secret.csv"),
        "write into the bucket": Call("s3:PutObject", f"{bucket}/raw/{DATED_KEY}"),
        "delete from the bucket": Call("s3:DeleteObject", f"{bucket}/raw/{DATED_KEY}"),
        "delete the bucket": Call("s3:DeleteBucket", bucket),
    }


def not_of_labs(name: str, path: str) -> Checked | None:
    """A check that failed because the portal finds and deletes identities of labs by this path alone; None where it is
    right."""
    if path == "/lab/":
        return None
    return Checked(False, f"{name} has the path {path}. Delete it, and make it again with --path /lab/.")


def trusted_by(role: Mapping[str, Any]) -> set[str]:
    """Whom the trust policy of a role lets in, as it is written there: services, ARNs, account numbers, or "*".

    role: as GetRole answers it.
    """
    let_in: set[str] = set()
    for statement in as_list(role["AssumeRolePolicyDocument"]["Statement"]):
        if statement["Effect"] == "Allow":
            who = statement.get("Principal", {})
            let_in.update([who] if isinstance(who, str) else [one for many in who.values() for one in as_list(many)])
    return let_in
