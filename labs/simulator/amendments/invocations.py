"""Invoking an endpoint. AWS runs the model, and counts the call in CloudWatch.

Here nothing runs, and the answer says so; the call is counted all the same, so that an endpoint in use is not taken for
an idle one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from labs.simulator.amendments import instead_of
from labs.simulator.counting import count

# What is sent to a model need not be text.
SageMakerRuntimeResponse.use_raw_body = True
# Shown by boto3 as CustomAttributes of the answer.
NOT_A_MODEL = "practice-mode=no-model-was-run"


@instead_of(SageMakerRuntimeResponse, "invoke_endpoint")
def invoke_endpoint(was: Any, self: SageMakerRuntimeResponse) -> TYPE_RESPONSE:
    name = self._get_param("EndpointName")
    endpoint = sagemaker_backends[self.current_account][self.region].endpoints.get(name)
    if endpoint is None or endpoint.endpoint_status != "InService":
        said = f"Endpoint {name} of account {self.current_account} not found."
        no = {"status": 400, "x-amzn-errortype": "ValidationError", "Content-Type": "application/json"}
        return 400, no, json.dumps({"message": said})
    variant = self.headers.get("X-Amzn-SageMaker-Target-Variant") or endpoint.production_variants[0]["VariantName"]
    of = {"EndpointName": name, "VariantName": variant}
    count(self.current_account, self.region, "AWS/SageMaker Invocations", of)
    answer = {
        "practice_mode": "No model was run: the simulator has none. On AWS your model's answer would stand here.",
        "received": {"bytes": len(self.raw_body), "sha256": hashlib.sha256(self.raw_body).hexdigest()},
    }
    headers = {
        "Content-Type": "application/json",
        "x-Amzn-Invoked-Production-Variant": variant,
        "X-Amzn-SageMaker-Custom-Attributes": NOT_A_MODEL,
    }
    return 200, headers, json.dumps(answer)
