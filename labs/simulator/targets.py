"""What a schedule or a rule sets off: its target read as one call to a service, or two.

A universal target names any call: arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance, with the call's members
as Input. The others are ARNs of what can be set off: a function, a state machine, a queue, a topic, a log group, a bus,
a pipeline. What is none of these is refused in words when it is due.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import uuid4

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session

from labs.simulator import call as calls
from labs.simulator.transitions import pace
from labs.simulator.within import Within

UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([A-Za-z0-9]+):([A-Za-z0-9]+)")
# The Scheduler calls a service by AWS's id for it, boto3 mostly too.
_OTHERWISE_IN_BOTO3 = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costexplorer": "ce",
    "databasemigrationservice": "dms",
    "directoryservice": "ds",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearchservice": "es",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}


class CannotDeliver(ValueError):
    """No such target, or none that practice mode can set off. `str()` is for a person."""


@dataclass(frozen=True)
class Delivery:
    """One call: `operation` as AWS writes it, `asked` as boto3 takes it."""

    service: str
    operation: str
    asked: Mapping[str, Any]

    def carry_out(self, account: str, region: str) -> None:
        """Make the call in the account. Raises what boto3 raises."""
        getattr(Within(self.service, account, region), xform_name(self.operation))(**self.asked)


def service_named(aws_id: str) -> str:
    """boto3's name of a service that AWS names by its id without blanks, or that boto3 names. Raises CannotDeliver."""
    wanted = aws_id.lower().replace("-", "")
    found = _OTHERWISE_IN_BOTO3.get(wanted) or _services().get(wanted)
    if found is None:
        raise CannotDeliver(f"AWS has no service {aws_id}")
    return found


@lru_cache(maxsize=1)
def _services() -> dict[str, str]:
    return {name.replace("-", ""): name for name in get_session().get_available_services()}


def deliveries(target: Mapping[str, Any], event: str) -> list[Delivery]:
    """The calls that `target` (as its API writes it) stands for, with `event` (JSON, or text) in them."""
    arn = str(target["Arn"])
    if found := UNIVERSAL.fullmatch(arn):
        return [_universal(found[1], found[2], event)]
    service, _, rest = arn.partition(":")[2].partition(":")[2].partition(":")
    name = rest.rpartition(":")[2]
    match service:
        case "lambda":
            return [Delivery("lambda", "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": event})]
        case "states":
            asked = {"stateMachineArn": arn, "name": str(uuid4()), "input": event}
            return [Delivery("stepfunctions", "StartExecution", asked)]
        case "sqs":
            region, account = rest.split(":")[:2]
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            url = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
            more = {"MessageGroupId": group, "MessageDeduplicationId": str(uuid4())} if group else {}
            return [Delivery("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": event, **more})]
        case "sns":
            return [Delivery("sns", "Publish", {"TopicArn": arn, "Message": event})]
        case "logs":
            return _log_line(rest.partition(":log-group:")[2].removesuffix(":*"), event)
        case "events":
            return [Delivery("events", "PutEvents", {"Entries": [_entry(target, arn, event)]})]
        case "codepipeline":
            return [Delivery("codepipeline", "StartPipelineExecution", {"name": name})]
        case "sagemaker" if "pipeline/" in name:
            given = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
            asked = {"PipelineName": name.partition("pipeline/")[2], "PipelineParameters": given}
            return [Delivery("sagemaker", "StartPipelineExecution", {**asked, "ClientRequestToken": uuid4().hex})]
    raise CannotDeliver(f"practice mode cannot set off {arn}")


def _universal(service_id: str, action: str, event: str) -> Delivery:
    service = service_named(service_id)
    model = calls.model_of(service)
    known = {name.lower(): name for name in model.operation_names} if model else {}
    if model is None or action.lower() not in known:
        raise CannotDeliver(f"{service_id} has no call {action}")
    operation = known[action.lower()]
    try:
        given = json.loads(event or "{}")
    except ValueError as error:
        raise CannotDeliver("the Input of a universal target is JSON") from error
    shape = model.operation_model(operation).input_shape
    return Delivery(service, operation, spelt(given, shape) if shape else {})


def spelt(given: Any, shape: Shape) -> Any:
    """Members as the service spells them: schedules and state machines write all of them in Pascal case. What is no
    text where the service wants one is sent as JSON. Raises CannotDeliver."""
    if isinstance(shape, StructureShape) and isinstance(given, Mapping):
        members = {name.lower(): name for name in shape.members}
        unknown = [name for name in given if name.lower() not in members]
        if unknown:
            raise CannotDeliver(f"the field {unknown[0]!r} is not supported by the call")
        return {
            members[name.lower()]: spelt(value, shape.members[members[name.lower()]]) for name, value in given.items()
        }
    if isinstance(shape, ListShape) and isinstance(given, list):
        return [spelt(value, shape.member) for value in given]
    if isinstance(shape, MapShape) and isinstance(given, Mapping):
        return {name: spelt(value, shape.value) for name, value in given.items()}
    if shape.type_name in ("string", "blob") and not isinstance(given, str | bytes):
        return json.dumps(given)
    return given


def _log_line(group: str, event: str) -> list[Delivery]:
    stream = {"logGroupName": group, "logStreamName": str(uuid4())}
    line = {"timestamp": int(pace.wall().timestamp() * 1000), "message": event}
    return [
        Delivery("logs", "CreateLogStream", stream),
        Delivery("logs", "PutLogEvents", {**stream, "logEvents": [line]}),
    ]


def _entry(target: Mapping[str, Any], bus: str, event: str) -> dict[str, Any]:
    """An event for another bus: a schedule says what it is, a rule hands on what it got."""
    said = target.get("EventBridgeParameters")
    if said:
        return {"EventBusName": bus, "Source": said["Source"], "DetailType": said["DetailType"], "Detail": event}
    got = json.loads(event)
    return {
        "EventBusName": bus,
        "Source": got["source"],
        "DetailType": got["detail-type"],
        "Detail": json.dumps(got["detail"]),
    }
