"""What labs with Lambda functions share: a tiny model in pure Python, its role, and what a log tells of its calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from labs.catalog.base import Checked, StudentView
from labs.kinds.aws_words import code_of
from labs.kinds.base import Want
from labs.simulator import NOT_IN_PRACTICE

RUNTIME = "python3.12"
HANDLER = "score.handler"
LINES = 1000  # of a log, how many a check reads at most
RAN = "REPORT RequestId"
NOT_RUN = "Practice mode "  # what its simulator writes into a log in the place of a call begins so

NO_CODE = (
    "Here a function runs only if the operator has turned that on. If not, the command ends with "
    "NotImplementedInPractice, the function's log says why, and the check judges the configuration."
)

# The model of week 2: a logistic regression with three weights, in pure Python, so that it needs no library.
SCORE = """\
import json
import math
import os

# Once, when a copy of the function starts, and not once for each call.
with open(os.environ.get("MODEL", "model-1.json"), encoding="utf-8") as saved:
    MODEL = json.load(saved)


def score(payment):
    features = {
        "log_amount": math.log1p(float(payment["amount_usd"])),
        "is_electronics": payment.get("merchant_type") == "electronics",
        "is_online": payment.get("merchant_type") == "online",
    }
    total = MODEL["bias"] + sum(MODEL["weights"][name] * value for name, value in features.items())
    return 1 / (1 + math.exp(-total))


def handler(event, context):
    try:
        payment = json.loads(event["body"]) if "body" in event else event
        answer, status = {"fraud": round(score(payment), 4), "model": MODEL["version"]}, 200
    except (KeyError, TypeError, ValueError):
        answer, status = {"error": "send JSON with a number in amount_usd"}, 400
    print(json.dumps(answer))
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
"""
MODEL_1 = """\
{"version": "2025-09-15", "bias": -4.1,
 "weights": {"log_amount": 0.78, "is_electronics": 0.35, "is_online": 0.6}}
"""
MODEL_2 = """\
{"version": "2025-09-22", "bias": -4.9,
 "weights": {"log_amount": 0.9, "is_electronics": 0.5, "is_online": 0.9}}
"""
USUAL = {"amount_usd": 18.40, "merchant_type": "grocery"}
STRANGE = {"amount_usd": 402.10, "merchant_type": "online"}

WRITES_ITS_LOG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
        }
    ],
}


def role_of_a_function(description: str, needs: tuple[str, ...] = (), **may: Mapping[str, Any]) -> Want:
    """The role "role" under which a function writes its log, and does what the other policies say: {name: document}."""
    policies = {"writes-its-log": WRITES_ITS_LOG, **{name.replace("_", "-"): each for name, each in may.items()}}
    params = {"trust": "lambda.amazonaws.com", "description": f"Lab: {description}", "inline_policies": policies}
    return Want("role", "iam-role", params, needs=needs)


def the_model_as_a_function() -> Want:
    """The function "fn" that answers with the first model. It needs the role "role"."""
    params = {
        "role_arn": "{role.arn}",
        "code": {"zip_files": {"score.py": SCORE, "model-1.json": MODEL_1}},
        "runtime": RUNTIME,
        "handler": HANDLER,
        "timeout": 10,
    }
    return Want("fn", "lambda-function", params, needs=("role",))


def function_of(view: StudentView, name: str) -> dict[str, Any] | None:
    """Its configuration as AWS tells it; None while there is none of that name."""
    client = view.client("lambda")
    try:
        return client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return None


def callers_of(view: StudentView, function: str, service: str) -> list[str]:
    """On which conditions its own policy lets a service call it, a text for each statement."""
    client = view.client("lambda")
    try:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return []
    return [str(each.get("Condition", "")) for each in policy["Statement"] if service in str(each["Principal"])]


@dataclass(frozen=True)
class Calls:
    """What a function's log tells of its calls. ran: how many; not_run: why practice mode ran none, once a call."""

    ran: int
    not_run: tuple[str, ...]
    lines: tuple[str, ...]

    def told(self, times: int, judged: str) -> Checked:
        """Whether it was called so often. judged: what is known of it where nothing runs, as a sentence."""
        if self.ran >= times:
            return Checked(True, f"Its log tells of {self.ran} call{'s' if self.ran > 1 else ''}.")
        if self.ran + len(self.not_run) >= times:
            return Checked(
                True, f"You called it, and its log says: {self.not_run[-1]} So only this can be said: {judged}"
            )
        return Checked(
            False, f"Its log tells of {self.ran + len(self.not_run)} of {times} calls. On AWS it is a minute behind."
        )


def calls_of(view: StudentView, function: str) -> Calls:
    logs = view.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    try:
        lines = tuple(event["message"].strip() for event in islice(_events(pages), LINES))
    except logs.exceptions.ResourceNotFoundException:
        lines = ()
    ran = sum(line.startswith(RAN) for line in lines)
    return Calls(ran, tuple(line for line in lines if line.startswith(NOT_RUN)), lines)


def _events(pages: Any) -> Any:
    return (event for page in pages for event in page["events"])


def ask(view: StudentView, function: str, payment: Mapping[str, Any] = STRANGE) -> str:
    """What it answers, as JSON; '' where practice mode does not run it."""
    client = view.client("lambda")
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(payment).encode())
    except client.exceptions.ClientError as error:
        if code_of(error) != NOT_IN_PRACTICE:
            raise
        return ""
    return answer["Payload"].read().decode()
