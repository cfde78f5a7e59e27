"""HTTP APIs. AWS makes a route, an integration and a stage in one call that names a target; deletes no API that a
domain name leads to; and says NotFound of one that is not there.
"""

from __future__ import annotations

import json
from typing import Any

from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend
from moto.apigatewayv2.responses import ApiGatewayV2Response

from labs.simulator.amendments import instead_of

DEFAULT = "$default"


@instead_of(ApiGatewayV2Response, "create_api")
def create_api(was: Any, self: ApiGatewayV2Response) -> Any:
    status, headers, body = was(self)
    asked = json.loads(self.body)
    if asked.get("target"):
        api = self.apigatewayv2_backend.get_api(json.loads(body)["apiId"])
        _quick_create(api, asked["target"], asked.get("routeKey") or DEFAULT)
    return status, headers, body


def _quick_create(api: Api, target: str, route: str) -> None:
    is_function = target.startswith("arn:")
    integration = api.create_integration(
        connection_type="INTERNET",
        description="",
        integration_method="POST" if is_function else "ANY",
        integration_type="AWS_PROXY" if is_function else "HTTP_PROXY",
        integration_uri=target,
        payload_format_version="2.0" if is_function else "1.0",
    )
    api.create_route(
        api_key_required=False,
        authorization_scopes=[],
        route_key=route,
        target=f"integrations/{integration.id}",
    )
    api.create_stage({"stageName": DEFAULT, "autoDeploy": True})


@instead_of(ApiGatewayV2Backend, "delete_api")
def delete_api(was: Any, self: ApiGatewayV2Backend, api_id: str) -> None:
    self.get_api(api_id)
    if any(mapping.api_id == api_id for mapping in self.api_mappings.values()):
        raise APIGatewayV2Error(
            "BadRequestException",
            f"Deleting API {api_id} failed. Please remove all API mappings for the API from your custom domain names.",
        )
    was(self, api_id)
