"""Lab: a policy that lets one see a bucket, written in three steps, each narrower than the last."""

import base64
import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import PAYMENTS_IN_RAW
from labs.catalog.policies import documents_of, fault_in, more_than_reading, reading
from labs.kinds.base import Want
from labs.policy_evaluator import Call

POLICY = "see-the-bucket"
MODEL = "models/v1/model.json"


def the_policies(view: StudentView) -> list[Any]:
    return documents_of(view.client("iam"), "role", view.resources["role"]["name"])


# --- the checks ----------------------------------------------------------------------------------------------


def lists(view: StudentView) -> Checked:
    documents, bucket = the_policies(view), view.resources["bucket"]["arn"]
    if not documents:
        return Checked(False, "The role has no policy yet.")
    listing = {"list the bucket": reading(bucket)["list the bucket"]}
    fault = fault_in(documents, listing, more_than_reading(bucket))
    if fault_in(documents, listing, {}) and f"{bucket}/*" in json.dumps(documents):
        fault += " One lists a bucket, and not its files: the ARN of the bucket ends without /*."
    return Checked(not fault, fault or "The role may list this bucket, and no other.")


def reads_raw(view: StudentView) -> Checked:
    bucket = view.resources["bucket"]["arn"]
    more = {"read the models": Call("s3:GetObject", f"{bucket}/{MODEL}"), **more_than_reading(bucket)}
    fault = fault_in(the_policies(view), reading(bucket), more)
    return Checked(not fault, fault or "The role may read what is under raw/, and no model.")


def lists_raw_only(view: StudentView) -> Checked:
    bucket = view.resources["bucket"]["arn"]
    a_day = {"list a folder of a date": Call("s3:ListBucket", bucket, {"s3:prefix": "raw/year=2025/"})}
    more = {
        "list the whole bucket": Call("s3:ListBucket", bucket),
        "list the models": Call("s3:ListBucket", bucket, {"s3:prefix": "models/"}),
        "read the models": Call("s3:GetObject", f"{bucket}/{MODEL}"),
    }
    fault = fault_in(the_policies(view), reading(bucket) | a_day, more | more_than_reading(bucket))
    return Checked(not fault, fault or "The role sees raw/, and does not even learn which models there are.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def put(view: StudentView, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    view.client("iam").put_role_policy(
        RoleName=view.resources["role"]["name"], PolicyName=POLICY, PolicyDocument=json.dumps(document)
    )


def lists_it(view: StudentView) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": view.resources["bucket"]["arn"]}


def reads(view: StudentView) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{view.resources['bucket']['arn']}/raw/*"}


def play_list(view: StudentView) -> None:
    put(view, lists_it(view))


def play_read(view: StudentView) -> None:
    put(view, lists_it(view), reads(view))


def play_narrow(view: StudentView) -> None:
    put(view, lists_it(view) | {"Condition": {"StringLike": {"s3:prefix": "raw/*"}}}, reads(view))


# --- the words -----------------------------------------------------------------------------------------------

LIST = """
The portal made a bucket with two files, and a role that may do nothing. Write the first policy for it. Press **Get
temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL).

```bash
cat > see-the-bucket.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "List",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::{bucket.name}"
    }
  ]
}
END
aws iam put-role-policy --role-name {role.name} \\
  --policy-name see-the-bucket --policy-document file://see-the-bucket.json
```

Listing is something that one does with the **bucket**, so the resource is the bucket. Its name stands in the policy as
text. If the bucket is deleted and somebody else makes one with that name, the policy points to theirs.
"""

READ = """
Now the role sees names of files, and cannot open one. Add a second statement. Reading is something that one does with a
**file**, so this resource goes on behind the bucket's name:

```bash
cat > see-the-bucket.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "List",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::{bucket.name}"
    },
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::{bucket.name}/raw/*"
    }
  ]
}
END
aws iam put-role-policy --role-name {role.name} \\
  --policy-name see-the-bucket --policy-document file://see-the-bucket.json
```

The command replaces the whole policy of that name, so the first statement is in it again.
"""

NARROW = """
The role still learns the name of every file, also of the models. A **condition** makes the list narrower: only requests
that ask for `raw/`.

```bash
cat > see-the-bucket.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ListRaw",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::{bucket.name}",
      "Condition": {"StringLike": {"s3:prefix": "raw/*"}}
    },
    {
      "Sid": "ReadRaw",
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::{bucket.name}/raw/*"
    }
  ]
}
END
aws iam put-role-policy --role-name {role.name} \\
  --policy-name see-the-bucket --policy-document file://see-the-bucket.json
aws iam get-role-policy --role-name {role.name} --policy-name see-the-bucket
```

Who has this role may run `aws s3 ls s3://{bucket.name}/raw/`. Without `raw/` at the end, the answer is `AccessDenied`.
"""

FINISH = """
Press **Finish lab**. A policy that is written into a role goes with the role, so there is nothing to look for.
"""

LAB = Lab(
    slug="iam-policy-bucket",
    title="A policy that lets one see a bucket",
    summary="Write a policy in three steps: list the bucket, read one folder, see nothing else. The check asks it "
    "questions, as AWS does.",
    theme="Introduction to cloud computing",
    minutes=30,
    hours=Decimal(1),
    wants=(
        Want(
            "bucket",
            "s3-bucket",
            {"objects": {**PAYMENTS_IN_RAW, MODEL: base64.b64encode(b'{"version": 1}').decode()}},
        ),
        Want(
            "role",
            "iam-role",
            {"trust": "ec2.amazonaws.com", "description": "Lab: its policy is the student's to write"},
        ),
    ),
    steps=(
        Step(
            "list",
            "Let the role list the bucket",
            LIST,
            lists,
            expect="Policies are kept and judged by the check, but not enforced: nobody gets AccessDenied.",
            play=play_list,
        ),
        Step("read", "Let it read one folder", READ, reads_raw, play=play_read),
        Step("narrow", "Let it list that folder only", NARROW, lists_raw_only, play=play_narrow),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the role, its policy and the bucket are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("IAM costs nothing; $0.01 of that sum is for the calls to S3."),
)
