"""A simulated account with Lambda functions in it, for tests of what sets them off."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from labs.kinds.lambda_code import zip_of
from labs.tests.kinds.examples.lambda_functions import HELLO


class AccountWithFunctions:
    """Of aye's. `lambdas` is its client of Lambda; functions are called f unless they are called otherwise."""

    def __init__(self, simulator):
        self.simulator, self.account = simulator, simulator.new_account()
        self.keys = simulator.credentials(self.account)
        self.lambdas = self.client("lambda")

    def client(self, service, region="us-east-1"):
        return self.simulator.client(service, self.account, region, **self.keys)

    def role(self, service="lambda.amazonaws.com", name="r"):
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        return made["Role"]["Arn"]

    def function(self, code=HELLO, name="f", role="", **more):
        files = code if isinstance(code, dict) else {"app.py": code}
        # Lambda's own 3 s are too few for a busy machine to start a Python in.
        asked = {
            "Runtime": "python3.12",
            "Handler": "app.handler",
            "Timeout": 60,
            "Code": {"ZipFile": zip_of(files)},
        } | more
        made = self.lambdas.create_function(FunctionName=name, Role=role or self.role(name=f"r-{name}"), **asked)
        return made["FunctionArn"]

    def queue(self, name="q"):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def invoke(self, name="f", event=None, **more):
        answer = self.lambdas.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
        return answer, json.loads(answer["Payload"].read() or b"null")

    def counted(self, metric, name="f"):
        return self.summed(f"AWS/Lambda {metric}", FunctionName=name)

    def summed(self, metric, **dimension):
        """Of the last minutes. metric: "AWS/Lambda Invocations"."""
        namespace, metric = metric.split()
        ((name, value),) = dimension.items()
        now = datetime.now(UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def logged(self, name="f"):
        found = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"] for event in found]

    def let_in(self, service, name="f", source=""):
        """A service may invoke the function: all of it, or what `source` names."""
        of = {"SourceArn": source} if source else {}
        self.lambdas.add_permission(
            FunctionName=name, StatementId=service[:2], Action="lambda:InvokeFunction", Principal=service, **of
        )
