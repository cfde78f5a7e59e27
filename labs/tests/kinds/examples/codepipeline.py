"""CodePipeline: from a bucket to a person's approval."""

import json
from uuid import uuid4

from labs.tests.kinds.examples.world import Example


def action(name, category, provider, **configuration):
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    outputs = [{"name": "source"}] if category == "Source" else []
    return {"name": name, "actionTypeId": kind, "configuration": configuration, "outputArtifacts": outputs}


STAGES = [
    {"name": "Source", "actions": [action("Model", "Source", "S3", S3Bucket="lab-models", S3ObjectKey="model.tar.gz")]},
    {"name": "Approve", "actions": [action("Person", "Approval", "Manual")]},
]


def role(account) -> str:
    """The ARN of a role that CodePipeline may take."""
    who = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [who]})
    made = account.client("iam").create_role(RoleName=f"by-hand-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trust)
    return made["Role"]["Arn"]


EXAMPLES = {
    "codepipeline-pipeline": Example(
        params=lambda account: {"role_arn": role(account), "bucket": "lab-artifacts", "stages": STAGES},
        running={"type": "V1"},
    ),
}
