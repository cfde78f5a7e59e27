"""Lambda: a function, a layer, and what reads a queue for a function."""

import json
from uuid import uuid4

from labs.kinds.lambda_code import zip_of
from labs.tests.kinds.examples.world import Example

HELLO = {"app.py": "def handler(event, context):\n    return {'hello': event.get('name', 'you')}\n"}


def role(account) -> str:
    """The ARN of a role that Lambda may assume."""
    may = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam = account.client("iam")
    return iam.create_role(RoleName=f"by-hand-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trust)["Role"]["Arn"]


def function_params(account, **more) -> dict:
    code = {"code": {"zip_files": HELLO}, "runtime": "python3.12", "handler": "app.handler"}
    return {"role_arn": role(account), **code, **more}


def function(account, **more) -> str:
    """The name of a function that is there."""
    name = f"by-hand-{uuid4().hex[:8]}"
    asked = {
        "Role": role(account),
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Code": {"ZipFile": zip_of(HELLO)},
    }
    account.client("lambda").create_function(FunctionName=name, **(asked | more))
    return name


def queue(account) -> str:
    """The ARN of a queue that is there."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName=f"by-hand-{uuid4().hex[:8]}")["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


EXAMPLES = {
    "lambda-function": Example(
        params=lambda account: function_params(account, invoked_by=[{"service": "apigateway.amazonaws.com"}]),
        running={
            "memory": 1024,
            "architecture": "x86_64",
            "provisioned": [{"qualifier": "live", "count": 2}],
        },
    ),
    "lambda-layer-version": Example(
        params=lambda account: {"code": {"zip_files": {"python/shop.py": "PRICE = 3\n"}}, "runtimes": ["python3.12"]},
        missing_id="arn:aws:lambda:us-east-1:600000000001:layer:lab-none:1",
    ),
    "lambda-event-source-mapping": Example(
        params=lambda account: {"function": function(account), "source_arn": queue(account)},
        missing_id="12345678-1234-1234-1234-123456789012",
    ),
}
