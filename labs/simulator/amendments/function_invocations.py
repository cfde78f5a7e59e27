"""Invoking a function. moto asks Docker to run it. Here it is run in our sandbox where the operator turned that on, and
elsewhere the answer says that practice mode runs no code.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE

from labs.simulator import NOT_IN_PRACTICE, invoking
from labs.simulator.amendments import instead_of
from labs.simulator.refusals import Refused
from labs.simulator.sandbox import ANSWER_BYTES

# Of the log, what an answer shows to one who asked for its tail.
_TAIL = 4096


@instead_of(LambdaResponse, "invoke")
def invoke(was: Any, self: LambdaResponse) -> TYPE_RESPONSE:
    name, qualifier = unquote(self.path.rsplit("/", 2)[-2]), self._get_param("Qualifier")
    function = self.backend.get_function(name, qualifier)
    event = _event(self.body)
    match self.headers.get("X-Amz-Invocation-Type", "RequestResponse"):
        case "DryRun":
            return 204, {"status": 204}, ""
        case "Event":
            if why := invoking.why_not(function):
                raise Refused(NOT_IN_PRACTICE, why, 501)
            invoking.invoke_soon(function, event)
            return 202, {"status": 202}, ""
    outcome = invoking.invoke(function, event)
    headers = {"content-type": "application/json", "x-amz-executed-version": str(function.version)}
    if outcome.failed:
        headers["x-amz-function-error"] = "Unhandled"
    if self.headers.get("X-Amz-Log-Type") == "Tail":
        headers["x-amz-log-result"] = base64.b64encode(outcome.logs.encode()[-_TAIL:]).decode()
    return 200, headers, outcome.answer


def _event(body: Any) -> Any:
    """The JSON that a function is handed. Refuses in AWS's words what is none, or more than AWS takes."""
    if len(body or "") > ANSWER_BYTES:
        raise Refused("RequestTooLargeException", f"{len(body)} byte payload is too large for the function.", 413)
    try:
        return json.loads(body or "{}")
    except (ValueError, RecursionError) as error:
        raise Refused("InvalidRequestContentException", f"Could not parse request body into json: {error}") from error


@instead_of(LambdaFunction, "invoke")
def invoke_for_an_event(was: Any, self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str:
    """Another service of the simulator has an event for it, and does not wait for what it answers."""
    if not invoking.invoke_soon(self, json.loads(body or "{}")):
        # moto's queues then keep the message.
        response_headers["x-amz-function-error"] = "Unhandled"
    return "null"
