"""HTTP APIs of API Gateway: one call makes the API, its route, its integration with a function, and its stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.api_gateways import address_of
from labs.kinds.aws_words import code_of, mark, utc
from labs.kinds.base import GONE_FROM_AWS, RUNNING, TAG, Counted, Kind, Meter, Seen, Signal, Want

NOT_ACCRUED = gettext_noop("Calls of the last hour or so, and data transfer out")
MILLIONTH = Decimal(1) / 1_000_000


class APIGatewayHTTP(Kind):
    """params, as wanted: target (a function's ARN; without it the API is empty), route ("GET /predict"; every call
    without it), description. WebSocket APIs, which share the list, are found as this kind too."""

    # Names are not unique, and no token is taken.
    name, service, identity = "api-gateway-http", "apigatewayv2", TAG
    title, icon, cost_service, arn_type = "HTTP API", "world", "API Gateway", "apigateway:/apis"
    settle_seconds = 120
    is_free = True
    signals = (Signal("AWS/ApiGateway", "Count", "ApiId"),)
    lost_on_delete = gettext_noop("Its stages are deleted with it: its address answers no more.")

    def create(self, client, want: Want) -> None:
        target, route = want.params.get("target"), want.params.get("route")
        client.create_api(
            Name=want.name,
            ProtocolType="HTTP",
            Description=str(want.params.get("description") or "Made for a lab")[:1024],
            Tags=dict(want.tags),
            **({"Target": target} if target else {}),
            **({"RouteKey": route} if target and route else {}),
        )

    def observe(self, client, want: Want) -> Seen:
        if not want.aws_id:
            named = (told for told in _listed(client) if told["Name"] == want.name)
            return next((_seen(client, told) for told in named), GONE_FROM_AWS)
        try:
            return _seen(client, client.get_api(ApiId=want.aws_id))
        except client.exceptions.ClientError as error:
            if code_of(error) == "NotFoundException":
                return GONE_FROM_AWS
            raise

    def counted(self, seen: Seen) -> list[Counted]:
        """Its calls, at the price of the first 300 million a month (API Gateway pricing). WebSocket APIs are
        billed by the message, which nothing here counts."""
        if seen.facts.get("protocol") != "HTTP":
            return []
        calls = Meter("API Gateway", "http", "first-300M", "1M-requests", label="calls")
        return [Counted(self.signals[0], calls, MILLIONTH)]

    def delete(self, client, want: Want, seen: Seen) -> None:
        """What a domain's mapping leads to, AWS keeps."""
        for page in client.get_paginator("get_domain_names").paginate():
            for domain in page.get("Items", ()):
                for mapping in client.get_api_mappings(DomainName=domain["DomainName"], MaxResults="500").get(
                    "Items", ()
                ):
                    if mapping["ApiId"] == seen.aws_id:
                        client.delete_api_mapping(DomainName=domain["DomainName"], ApiMappingId=mapping["ApiMappingId"])
        client.delete_api(ApiId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        return (_seen(client, told) for told in _listed(client))


def _listed(client) -> Iterable[Mapping[str, Any]]:
    pages = client.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 500})
    return (told for page in pages for told in page.get("Items", ()))


def _seen(client, told: Mapping[str, Any]) -> Seen:
    api_id = told["ApiId"]
    return Seen(
        RUNNING,
        aws_id=api_id,
        name=told["Name"],
        since=utc(told["CreatedDate"]),
        facts={
            "arn": f"arn:aws:apigateway:{client.meta.region_name}::/apis/{api_id}",
            "url": address_of(client, api_id),
            "protocol": told["ProtocolType"],
            "not_accrued": NOT_ACCRUED,
        },
        tags=told.get("Tags") or {},
        mark=mark(told["CreatedDate"], told["Name"]),
    )
