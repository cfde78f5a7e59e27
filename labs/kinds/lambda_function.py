"""Lambda functions, from a zip or a container image, with who may invoke them set by configure.

A function costs by the call, which CloudWatch counts (an hour late at most), and by the hour where somebody keeps
machines ready for it (provisioned concurrency).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark
from labs.kinds.base import (
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    Counted,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)
from labs.kinds.lambda_code import zip_of

STATES = {
    "Pending": PENDING,
    "Active": RUNNING,
    # Not used for weeks: the next call wakes it.
    "Inactive": RUNNING,
    "ActiveNonInvocable": RUNNING,
    "Deactivating": RUNNING,
    "Deactivated": RUNNING,
    "Failed": FAILED,
    "Deleting": DELETING,
}
NOT_ACCRUED = gettext_noop("Calls of the last hour or so and the time that they ran; temporary storage above 512 MB")
SECONDS_AN_HOUR = 3600
MILLIONTH = Decimal(1) / 1_000_000


class LambdaFunction(Kind):
    """params: role_arn, and code ({"zip_files": {name: text}}) with runtime and handler, or image_uri; as wanted:
    memory (MB), timeout (seconds), layers (ARNs of versions), environment ({name: value}), architecture, description,
    and invoked_by: [{"service": "s3.amazonaws.com", "source_arn": "{bucket.arn}"}]; without a source_arn, by every API
    of the account, or by everything of another service that is the account's."""

    name, service, identity = "lambda-function", "lambda", NAME
    title, icon, cost_service, arn_type = "Lambda function", "run", "Lambda", "lambda:function"
    # Provisioned concurrency is in no list.
    max_age_seconds = 900
    signals = (Signal("AWS/Lambda", "Invocations", "FunctionName"),)
    lost_on_delete = gettext_noop("Its code, versions and function URL are deleted with it. Its log is kept.")

    def create(self, client, want: Want) -> None:
        params = want.params
        asked: dict[str, Any] = {
            "FunctionName": want.name,
            "Role": params["role_arn"],
            "Description": str(params.get("description") or "Made for a lab")[:256],
            "MemorySize": int(params.get("memory", 128)),
            "Timeout": int(params.get("timeout", 3)),
            "Architectures": [params.get("architecture", "x86_64")],
            "Environment": {"Variables": dict(params.get("environment", {}))},
            "Tags": dict(want.tags),
        }
        if params.get("image_uri"):
            asked |= {"PackageType": "Image", "Code": {"ImageUri": params["image_uri"]}}
        else:
            asked |= {
                "PackageType": "Zip",
                "Code": {"ZipFile": zip_of(params["code"]["zip_files"])},
                "Runtime": params["runtime"],
                "Handler": params["handler"],
                "Layers": list(params.get("layers", ())),
            }
        client.create_function(**asked)

    def observe(self, client, want: Want) -> Seen:
        name = want.aws_id or want.name
        try:
            answer = client.get_function(FunctionName=name)
            pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=name)
            ready = [_provisioned(each) for page in pages for each in page["ProvisionedConcurrencyConfigs"]]
        except client.exceptions.ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return GONE_FROM_AWS
            raise
        told = answer["Configuration"]
        facts = {**_facts(told), "provisioned": sorted(filter(None, ready), key=str), "not_accrued": NOT_ACCRUED}
        if told.get("StateReason") and told["State"] == "Failed":
            facts["failure"] = told["StateReason"]
        return _seen(told, STATES[told["State"]], facts, answer.get("Tags", {}), whole=True)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        wanted = {_sid(rule): rule for rule in want.params.get("invoked_by", ())}
        missing = [sid for sid in wanted if sid not in _permissions(client, seen.aws_id)] if wanted else []
        for sid in missing:
            client.add_permission(
                FunctionName=seen.aws_id, StatementId=sid, Action="lambda:InvokeFunction", **_who(wanted[sid], want)
            )
        return not missing

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its permissions, versions, aliases and URL go with it. What reads from a queue for it does not."""
        if seen.state == DELETING:
            return
        pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=seen.aws_id)
        left = [each for page in pages for each in page["EventSourceMappings"] if each["State"] != "Deleting"]
        for mapping in left:
            client.delete_event_source_mapping(UUID=mapping["UUID"])
        if not left:
            client.delete_function(FunctionName=seen.aws_id)

    def counted(self, seen: Seen) -> list[Counted]:
        """Requests, and GB-seconds: the time that they ran (ms) times its memory (AWS Lambda pricing)."""
        told, memory = seen.facts, Decimal(seen.facts["memory"])
        sku = "arm" if told.get("architecture") == "arm64" else "x86"
        calls = Meter("Lambda", "requests", sku, "1M-requests", label="calls")
        time = Meter("Lambda", "duration", f"{sku}-tier1", "GB-second", label=f"run time with {memory} MB")
        return [
            Counted(Signal("AWS/Lambda", "Invocations", "FunctionName"), calls, MILLIONTH),
            Counted(Signal("AWS/Lambda", "Duration", "FunctionName"), time, memory / 1024 / 1000),
        ]

    def off_call(self, want: Want) -> OffCall:
        # Machines kept ready are turned off one version at a time; the function is one call, and ends them all.
        return OffCall("lambda", "deleteFunction", {"FunctionName": want.aws_id or want.name})

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 50}):
            for told in page["Functions"]:
                # No state, no tags, and nothing of provisioned concurrency.
                yield _seen(told, RUNNING, _facts(told), {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """What is kept ready, by GB-seconds, rounded up to five minutes (Lambda pricing). Calls, and
        the time that the code runs, are not seen live."""
        return [
            Meter(
                "Lambda",
                "provisioned-concurrency",
                "arm" if seen.facts.get("architecture") == "arm64" else "x86",
                "GB-second",
                Decimal(ready["count"]) * int(seen.facts["memory"]) / 1024 * SECONDS_AN_HOUR,
                rounding="five-minutes",
                label=f"{ready['count']} x {seen.facts['memory']} MB kept ready for {ready['qualifier']}",
            )
            for ready in seen.facts.get("provisioned", ())
        ]


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    arn = told["FunctionArn"]
    region = arn.split(":")[3]
    return {
        "arn": arn,
        # What the integration of an API is told: "{function.invoke_uri}".
        "invoke_uri": f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        "package": told.get("PackageType", "Zip"),
        "runtime": told.get("Runtime") or "",
        "handler": told.get("Handler") or "",
        "memory": told["MemorySize"],
        "timeout": told["Timeout"],
        "architecture": (told.get("Architectures") or ["x86_64"])[0],
        "layers": [layer["Arn"] for layer in told.get("Layers") or ()],
        "role": told["Role"],
    }


def _seen(
    told: Mapping[str, Any], state: str, facts: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool
) -> Seen:
    return Seen(
        state,
        aws_id=told["FunctionName"],
        name=told["FunctionName"],
        since=_instant(told["LastModified"]),
        facts=facts,
        tags=tags,
        mark=mark(_instant(told["LastModified"]), told["CodeSha256"][:12]),
        whole=whole,
    )


def _instant(text: str) -> datetime:
    """ "2025-09-13T07:00:00.123+0000", as Lambda writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _provisioned(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """{"qualifier", "count"}; None where AWS could not make them ready, and bills nothing."""
    if told["Status"] == "FAILED":
        return None
    count = int(told["RequestedProvisionedConcurrentExecutions"])
    return {"qualifier": told["FunctionArn"].rsplit(":", 1)[1], "count": count}


def _sid(rule: Mapping[str, Any]) -> str:
    """A statement's id, the same for the same rule."""
    source = rule.get("source_arn", "")
    return "lab-" + "".join(letter if letter.isalnum() else "-" for letter in f"{rule['service']}-{source}")[:96]


def _permissions(client, name: str) -> set[str]:
    try:
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    except client.exceptions.ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return set()
        raise
    return {statement["Sid"] for statement in policy["Statement"]}


def _who(rule: Mapping[str, Any], want: Want) -> dict[str, str]:
    """Whom AddPermission lets in, and on whose behalf: a service alone would invoke it for everybody's buckets."""
    service, source = rule["service"], rule.get("source_arn", "")
    if not source and service == "apigateway.amazonaws.com":
        source = f"arn:aws:execute-api:{want.region}:{want.account_id}:*"
    who = {"Principal": service, **({"SourceArn": source} if source else {})}
    # The ARN of a bucket names no account, and its name may be somebody else's tomorrow.
    return who | ({"SourceAccount": want.account_id} if f":{want.account_id}:" not in source else {})
