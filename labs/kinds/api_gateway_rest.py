"""REST APIs of API Gateway, imported whole from an OpenAPI document, with a stage that configure deploys.

An API costs by the call, which nobody sees live, and by the hour where somebody turned a stage's cache on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.api_gateways import address_of
from labs.kinds.aws_words import code_of, mark, read_back, utc, written
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, TAG, Counted, Kind, Meter, OffCall, Seen, Signal, Want

NOT_ACCRUED = gettext_noop("Calls of the last hour or so, and data transfer out")
MILLIONTH = Decimal(1) / 1_000_000


class APIGatewayREST(Kind):
    """params: openapi (an OpenAPI 3 document, integrations and all; without it the API is empty), stage (its name:
    deployed once, when there is none of that name), description."""

    # Names are not unique, and no token is taken.
    name, service, identity = "api-gateway-rest", "apigateway", TAG
    title, icon, cost_service, arn_type = "REST API", "world", "API Gateway", "apigateway:/restapis"
    settle_seconds = 120
    # AWS takes one CreateRestApi in 3 s and one CreateDeployment in 5 s an account (API Gateway quotas, fixed).
    creates_per_second = 1 / 5
    # Stages and their caches are in no list.
    max_age_seconds = 900
    signals = (Signal("AWS/ApiGateway", "Count", "ApiName"),)
    lost_on_delete = gettext_noop("Its stages are deleted with it: its address answers no more.")

    def create(self, client, want: Want) -> None:
        description = f"{want.params.get('description') or 'Made for a lab'} {written(want.tags)}"
        document = want.params.get("openapi")
        if not document:
            client.create_rest_api(
                name=want.name,
                description=description,
                tags=dict(want.tags),
                endpointConfiguration={"types": ["REGIONAL"]},
            )
            return
        # An import takes no tags: the description says whose it is until configure tags it.
        info = {"version": "1", **document.get("info", {}), "title": want.name, "description": description}
        client.import_rest_api(
            body=json.dumps({**document, "info": info}).encode(), parameters={"endpointConfigurationTypes": "REGIONAL"}
        )

    def observe(self, client, want: Want) -> Seen:
        try:
            told = client.get_rest_api(restApiId=want.aws_id) if want.aws_id else _named(client, want.name)
            if told is None:
                return GONE_FROM_AWS
            stages = client.get_stages(restApiId=told["id"]).get("item", ())
        except client.exceptions.ClientError as error:
            if code_of(error) == "NotFoundException":
                return GONE_FROM_AWS
            raise
        names = sorted(stage["stageName"] for stage in stages)
        address = address_of(client, told["id"])
        facts = {
            "url": f"{address}/{names[0]}" if names else "",
            "stages": names,
            "caches": sorted(filter(None, map(_cache, stages)), key=str),
            "not_accrued": NOT_ACCRUED,
        }
        return _seen(client, told, facts, whole=True)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        done = True
        if not _own_tags(client, seen.aws_id).items() >= want.tags.items():
            client.tag_resource(resourceArn=seen.facts["arn"], tags=dict(want.tags))
            done = False
        stage = want.params.get("stage")
        if stage and stage not in seen.facts["stages"]:
            client.create_deployment(restApiId=seen.aws_id, stageName=stage)
            done = False
        return done

    def counted(self, seen: Seen) -> list[Counted]:
        """Its calls, at the price of the first 333 million a month (API Gateway pricing)."""
        calls = Meter("API Gateway", "rest", "first-333M", "1M-requests", label="calls")
        return [Counted(self.signals[0], calls, MILLIONTH)]

    def delete(self, client, want: Want, seen: Seen) -> None:
        """What leads to it first: a domain's mapping keeps it, and a usage plan could not let go of it any more."""
        _leave_usage_plans(client, seen.aws_id)
        _leave_domains(client, seen.aws_id)
        # One in 30 seconds for the whole account: the others are told to come again.
        client.delete_rest_api(restApiId=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("apigateway", "deleteRestApi", {"RestApiId": want.aws_id}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        for told in _listed(client):
            yield _seen(client, told, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """A cache for as long as it is there, used or not (API Gateway pricing). Calls are not seen live."""
        if seen.state == ABSENT:
            return []
        return [
            Meter(
                "API Gateway",
                "cache",
                f"{cache['gb']}GB",
                "Hrs",
                Decimal(1),
                label=f"cache of {cache['gb']} GB, stage {cache['stage']}",
            )
            for cache in seen.facts.get("caches", ())
        ]

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        return [{"ApiName": seen.name}]


def _listed(client) -> Iterable[Mapping[str, Any]]:
    pages = client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 500})
    return (told for page in pages for told in page.get("items", ()))


def _named(client, name: str) -> Mapping[str, Any] | None:
    return next((told for told in _listed(client) if told["name"] == name), None)


def _own_tags(client, api_id: str) -> Mapping[str, str]:
    return client.get_rest_api(restApiId=api_id).get("tags") or {}


def _cache(stage: Mapping[str, Any]) -> dict[str, str] | None:
    """{"stage", "gb"} of a stage's cache. One that is on its way, in or out, may be billed already or still."""
    if not stage.get("cacheClusterEnabled") and stage.get("cacheClusterStatus") in (None, "NOT_AVAILABLE"):
        return None
    return {"stage": stage["stageName"], "gb": str(stage.get("cacheClusterSize") or "0.5")}


def _leave_usage_plans(client, api_id: str) -> None:
    for page in client.get_paginator("get_usage_plans").paginate(PaginationConfig={"PageSize": 500}):
        for plan in page.get("items", ()):
            stages = [stage for stage in plan.get("apiStages") or () if stage["apiId"] == api_id]
            out = [{"op": "remove", "path": "/apiStages", "value": f"{api_id}:{stage['stage']}"} for stage in stages]
            if out:
                client.update_usage_plan(usagePlanId=plan["id"], patchOperations=out)


def _leave_domains(client, api_id: str) -> None:
    for page in client.get_paginator("get_domain_names").paginate(PaginationConfig={"PageSize": 500}):
        for domain in page.get("items", ()):
            mappings = client.get_paginator("get_base_path_mappings").paginate(domainName=domain["domainName"])
            for mapping in (each for part in mappings for each in part.get("items", ())):
                if mapping["restApiId"] == api_id:
                    client.delete_base_path_mapping(domainName=domain["domainName"], basePath=mapping["basePath"])


def _seen(client, told: Mapping[str, Any], facts: Mapping[str, Any], *, whole: bool) -> Seen:
    return Seen(
        RUNNING,
        aws_id=told["id"],
        name=told["name"],
        since=utc(told["createdDate"]),
        facts={"arn": f"arn:aws:apigateway:{client.meta.region_name}::/restapis/{told['id']}", **facts},
        tags={**read_back(told.get("description")), **(told.get("tags") or {})},
        mark=mark(told["createdDate"], told["name"]),
        whole=whole,
    )
