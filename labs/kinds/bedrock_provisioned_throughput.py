"""Bedrock provisioned throughput: a model kept ready by the hour. Bought for months, nothing ends it before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused, is_not_there
from labs.kinds.aws_words import code_of, mark, utc
from labs.kinds.base import (
    FAILED,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)

STATES = {"Creating": PENDING, "InService": RUNNING, "Updating": RUNNING, "Failed": FAILED}
# What the price list calls the lengths of time for which one can buy: each has a price of its own.
COMMITMENTS = {"OneMonth": "1-month", "SixMonths": "6-months", "": "no-commitment"}
_CONTEXT = re.compile(r":\d+:\d+k$")  # "amazon.titan-text-lite-v1:0:4k" costs like "amazon.titan-text-lite-v1"
WORDS = {"OneMonth": "one month", "SixMonths": "six months"}


class BedrockProvisionedThroughput(Kind):
    name, service, identity = "bedrock-provisioned-throughput", "bedrock", NAME
    title, icon, cost_service = "Bedrock provisioned throughput", "brain", "Bedrock"
    arn_type = "bedrock:provisioned-model"
    can_create = False
    stop_means = "delete"
    not_in_practice = "Practice mode has none: Bedrock's models do not run in it, so there is nothing to keep ready."
    signals = (Signal("AWS/Bedrock", "Invocations", "ModelId"),)
    kept_on_stop = gettext_noop(
        "It has no stop: it is deleted, if it was not bought for months. The model itself is kept."
    )
    lost_on_delete = gettext_noop("A custom model cannot be asked any more until throughput is bought for it again.")

    def observe(self, client, want: Want) -> Seen:
        found = want.aws_id or want.name
        if not found.startswith("arn:"):
            # By the last part of its ARN AWS knows it not.
            names = {name: each.aws_id for each in self.find_all(client) for name in (each.name, _last(each.aws_id))}
            found = names.get(found, "")
        if not found:
            return GONE_FROM_AWS
        try:
            answer = client.get_provisioned_model_throughput(provisionedModelId=found)
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        tags = client.list_tags_for_resource(resourceARN=answer["provisionedModelArn"])["tags"]
        return _seen(answer, {tag["key"]: tag["value"] for tag in tags}, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        try:
            client.delete_provisioned_model_throughput(provisionedModelId=seen.aws_id)
        except client.exceptions.ClientError as error:
            bought_for = seen.facts.get("commitment")
            if bought_for and code_of(error) in ("ValidationException", "ConflictException"):
                until = seen.facts["committed_until"]
                raise Refused(
                    f"bought for {WORDS[bought_for]}, until {until}: AWS ends it no sooner, and it costs by the hour, "
                    "used or not, until then. Only AWS Support can let you out of it: write to them today"
                ) from error
            raise

    def off_call(self, want: Want) -> OffCall:
        asked = {"ProvisionedModelId": want.aws_id or want.name}
        return OffCall("bedrock", "deleteProvisionedModelThroughput", asked)

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("list_provisioned_model_throughputs").paginate(PaginationConfig={"PageSize": 100})
        for page in pages:
            for each in page.get("provisionedModelSummaries", ()):
                yield _seen(each, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Each model unit by the hour, from when it is there to its end, asked or not (Bedrock pricing)."""
        facts = seen.facts
        if seen.state != RUNNING:
            return []
        units, commitment = Decimal(facts["units"]), COMMITMENTS[facts.get("commitment", "")]
        label = f"{units} x {facts['model']}, {commitment}"
        kind = f"provisioned-{commitment}"
        return [Meter("Bedrock", kind, facts["model"], "model-unit-Hrs", units, label=label[:100])]


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["status"]
    until = utc(answer.get("commitmentExpirationTime"))
    facts = {
        "arn": answer["provisionedModelArn"],
        "status": status,
        # Of a model that was trained further, the one that it was: so the price list names it.
        "model": _CONTEXT.sub("", _last(answer["foundationModelArn"])),
        "units": int(answer["modelUnits"]),
        "commitment": answer.get("commitmentDuration", ""),
        "committed_until": until.date().isoformat() if until else "",
    }
    if answer.get("failureMessage"):
        facts["failure"] = answer["failureMessage"]
    return Seen(
        STATES[status],
        aws_id=answer["provisionedModelArn"],
        name=answer["provisionedModelName"],
        since=utc(answer["creationTime"]),
        facts=facts,
        tags=tags,
        mark=mark(status, answer["lastModifiedTime"]),
        whole=whole,
    )
