"""Lab: a role that lets a Lambda function read one bucket, made by hand and given to the function."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import PAYMENTS_IN_RAW
from labs.catalog.policies import documents_of, fault_in, more_than_reading, not_of_labs, reading, trusted_by
from labs.kinds.base import Want
from labs.policy_evaluator import Call

SERVICE = "lambda.amazonaws.com"
WRITES_ITS_LOG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/lab-*",
        }
    ],
}
CODE = '''\
"""How many files are in the bucket? The answer is a number, or the reason why S3 does not tell."""

import os

import boto3


def handler(event, context):
    page = boto3.client("s3").list_objects_v2(Bucket=os.environ["BUCKET"], Prefix="raw/")
    return {"files": page["KeyCount"]}
'''


def role_of(view: StudentView) -> str:
    return f"{view.prefix}reads"


def carried(view: StudentView) -> str:
    """The name of the role that the function has now."""
    told = view.client("lambda").get_function_configuration(FunctionName=view.resources["function"]["name"])
    return told["Role"].rsplit("/", 1)[-1]


# --- the checks ----------------------------------------------------------------------------------------------


def cannot_read_yet(view: StudentView) -> Checked:
    role = carried(view)
    if not fault_in(documents_of(view.client("iam"), "role", role), reading(view.resources["bucket"]["arn"]), {}):
        return Checked(True, f"The function has the role {role}, which may read the bucket already.")
    return Checked(True, f"The function has the role {role}, which may write a log and read no bucket.")


def is_trusted_to_lambda(view: StudentView) -> Checked:
    iam, name = view.client("iam"), role_of(view)
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no role {name} yet.")
    if wrong := not_of_labs(name, role["Path"]):
        return wrong
    trusted = trusted_by(role)
    if trusted != {SERVICE}:
        said = ", ".join(sorted(trusted)) or "nobody"
        return Checked(False, f"{name} trusts {said}. It must trust {SERVICE}, and nobody else.")
    return Checked(True, f"Only Lambda may use {name}. What the role may do is still open.")


def may_read_the_bucket(view: StudentView) -> Checked:
    iam, name, bucket = view.client("iam"), role_of(view), view.resources["bucket"]["arn"]
    try:
        documents = documents_of(iam, "role", name)
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no role {name} yet (the step before).")
    log = f"arn:aws:logs:{view.region}:{view.account_id}:log-group:/aws/lambda/{view.resources['function']['name']}"
    needed = reading(bucket) | {"write its log": Call("logs:PutLogEvents", f"{log}:log-stream:today")}
    fault = fault_in(documents, needed, more_than_reading(bucket))
    return Checked(not fault, fault or f"{name} may list and read this bucket and write a log, and nothing else.")


def carries_it(view: StudentView) -> Checked:
    role = carried(view)
    if role != role_of(view):
        return Checked(False, f"The function still has the role {role}.")
    return Checked(True, f"The function has {role}. Each call of it gets credentials that end by themselves.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_role(view: StudentView) -> None:
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    view.client("iam").create_role(
        RoleName=role_of(view),
        Path="/lab/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        PermissionsBoundary=view.boundary,
        Tags=[{"Key": key, "Value": value} for key, value in view.tags.items()],
    )


def play_policy(view: StudentView) -> None:
    bucket = view.resources["bucket"]["arn"]
    may = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/raw/*"},
        *WRITES_ITS_LOG["Statement"],
    ]
    view.client("iam").put_role_policy(
        RoleName=role_of(view),
        PolicyName="read-the-bucket",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": may}),
    )


def play_give(view: StudentView) -> None:
    view.client("lambda").update_function_configuration(
        FunctionName=view.resources["function"]["name"],
        Role=f"arn:aws:iam::{view.account_id}:role/lab/{role_of(view)}",
    )


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
The portal made a bucket with a file, and a Lambda function that counts the files in it. Press **Get temporary
credentials**, paste them into your terminal (on Windows: Git Bash or WSL), and see which role the function has:

```bash
aws lambda get-function-configuration --function-name {function.name} --query Role
aws iam list-role-policies --role-name {start.name}
aws iam get-role-policy --role-name {start.name} --policy-name writes-its-log
```

With this role the function may write its log, and nothing more. Call it, and it fails with `AccessDenied`:

```sh
aws lambda invoke --function-name {function.name} answer.json && cat answer.json
```
"""

ROLE = """
A role has two documents. The first is the **trust**: who may use it. Write it for Lambda:

```bash
cat > trust.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
  ]
}
END
aws iam create-role --role-name {lab.prefix}reads --path /lab/ \\
  --assume-role-policy-document file://trust.json \\
  --permissions-boundary {lab.boundary} \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
```

Nobody else may use this role: not you, and not EC2. The **boundary** is the bootcamp's limit for all roles of labs.
Whatever policy you give the role, it can never do more than the boundary allows.
"""

POLICY = """
The second document is the **policy**: what the role may do. Read this one bucket, and write the function's log.

```bash
cat > read-the-bucket.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket.name}/*"},
    {
      "Effect": "Allow",
      "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
      "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/lab-*"
    }
  ]
}
END
aws iam put-role-policy --role-name {lab.prefix}reads \\
  --policy-name read-the-bucket --policy-document file://read-the-bucket.json
```

The check asks the policy questions: may it read this bucket? May it read another one? May it write?
"""

GIVE = """
Give the role to the function. This is `iam:PassRole`: you may do it with roles of this lab only. (If AWS says that the
role cannot be assumed by Lambda, wait ten seconds and try again. A new role needs a moment.)

```bash
ROLE=$(aws iam get-role --role-name {lab.prefix}reads --query Role.Arn --output text)
aws lambda update-function-configuration --function-name {function.name} --role $ROLE --query Role
```

Call it once more. Now it answers with the number of files:

```sh
aws lambda invoke --function-name {function.name} answer.json && cat answer.json
```

There is no key in the code and none in the settings. Lambda takes the role for each call.
"""

FINISH = """
Press **Finish lab**. The function goes, then the role that you made and the one that it had before, then the bucket.
"""

LAB = Lab(
    slug="iam-role-for-lambda",
    title="A role that lets a function reach S3",
    summary="Make a role for Lambda, write what it may do, and give it to a function: it reads your bucket without "
    "any key.",
    theme="Introduction to cloud computing",
    minutes=35,
    hours=Decimal(1),
    wants=(
        Want("bucket", "s3-bucket", {"objects": PAYMENTS_IN_RAW}),
        Want(
            "start",
            "iam-role",
            {
                "trust": SERVICE,
                "description": "Lab: a function writes its log, and nothing else",
                "inline_policies": {"writes-its-log": WRITES_ITS_LOG},
            },
        ),
        Want(
            "function",
            "lambda-function",
            {
                "role_arn": "{start.arn}",
                "runtime": "python3.12",
                "handler": "app.handler",
                "code": {"zip_files": {"app.py": CODE}},
                "timeout": 10,
                "environment": {"BUCKET": "{bucket.name}"},
            },
            needs=("bucket", "start"),
        ),
    ),
    steps=(
        Step(
            "look",
            "See which role the function has",
            LOOK,
            cannot_read_yet,
            expect="Functions run only where the operator allows it, and even there without a network: a call does not "
            "reach S3. Leave out the call.",
        ),
        Step("role", "Make a role that trusts Lambda", ROLE, is_trusted_to_lambda, play=play_role),
        Step(
            "policy",
            "Let it read the bucket",
            POLICY,
            may_read_the_bucket,
            expect="Policies are kept and judged by the check, but not enforced.",
            play=play_policy,
        ),
        Step(
            "give",
            "Give the role to the function",
            GIVE,
            carries_it,
            expect="Leave out the call of the function: it has no network here. The check sees that it has your role.",
            play=play_give,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("iam-role",),
    kept=gettext_noop("Nothing stays: the function, both roles and the bucket are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "A function costs nothing while nobody calls it; $0.01 of that sum is for some calls and S3."
    ),
)
