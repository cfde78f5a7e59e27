"""Lab: an EC2 instance reads S3 through an instance profile, with no key anywhere."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.instances import LOG_IN
from labs.catalog.looking import data_is_in_raw, raw_payments, text_of, upload_payments
from labs.kinds.base import Want

READ_THE_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket.name}/*"},
    ],
}
MAY = {"s3:ListBucket", "s3:GetObject"}


# --- the checks ----------------------------------------------------------------------------------------------


def the_instance(view: StudentView) -> dict[str, Any]:
    """As AWS describes it; only {"State"} when it is gone."""
    answer = view.client("ec2").describe_instances(InstanceIds=[view.resources["server"]["aws_id"]])
    found = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
    return found[0] if found else {"State": {"Name": "terminated"}}


def carries_a_role_that_only_reads(view: StudentView) -> Checked:
    profile, role = view.resources["profile"]["name"], view.resources["role"]["name"]
    carried = the_instance(view).get("IamInstanceProfile", {}).get("Arn", "")
    if not carried.endswith(f"/{profile}"):
        return Checked(False, f"The instance does not carry the profile {profile}.")
    iam = view.client("iam")
    holder = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]
    held = [each["RoleName"] for each in holder["Roles"]]
    if held != [role]:
        return Checked(False, f"The profile holds {', '.join(held) or 'no role'}, and not {role}.")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    if attached:
        return Checked(False, f"The role also has the policy {attached[0]['PolicyName']}. Its own two are enough.")
    may = s3_actions(iam, role)
    if may != MAY:
        return Checked(False, f"The role may do this in S3: {', '.join(sorted(may)) or 'nothing'}. Reading is enough.")
    return Checked(True, f"The instance carries {profile}, which holds {role}, which may list and read one bucket.")


def s3_actions(iam: Any, role: str) -> set[str]:
    """What the role's inline policies allow in S3, as written."""
    may: set[str] = set()
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        statements = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
        for statement in [statements] if isinstance(statements, dict) else statements:
            actions = statement.get("Action", ())
            may.update([actions] if isinstance(actions, str) else actions)
    return {action for action in may if action.startswith(("s3:", "*"))}


def rows_are_counted(view: StudentView) -> Checked:
    key = raw_payments(view)
    if key is None:
        return Checked(False, "The bucket has no dated CSV file under raw/ yet (step 1).")
    tags = {tag["Key"]: tag["Value"] for tag in the_instance(view).get("Tags", ())}
    if "rows" not in tags:
        return Checked(False, "The instance has no tag with the name rows yet.")
    lines = text_of(view, key).count("\n")
    if tags["rows"].strip() not in (str(lines), str(lines - 1)):
        return Checked(False, f"The tag says {tags['rows'][:20]}, but {key} has {lines} lines. Count again.")
    who = "In practice mode your own computer" if view.mode == "practice" else "The instance"
    return Checked(True, f"{tags['rows'].strip()} it is. {who} read the file, and there is no key on the instance.")


def is_stopped(view: StudentView) -> Checked:
    state = the_instance(view)["State"]["Name"]
    if state in ("stopping", "stopped"):
        return Checked(
            True, f"It is {state}. The machine and its address cost nothing more; the disk does, until Finish."
        )
    return Checked(False, f"The instance is {state}. Stop it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_count(view: StudentView) -> None:
    lines = text_of(view, raw_payments(view) or "").count("\n")
    view.client("ec2").create_tags(
        Resources=[view.resources["server"]["aws_id"]], Tags=[{"Key": "rows", "Value": str(lines)}]
    )


def play_stop(view: StudentView) -> None:
    view.client("ec2").stop_instances(InstanceIds=[view.resources["server"]["aws_id"]])


# --- the words -----------------------------------------------------------------------------------------------

UPLOAD = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Upload
`card-payments.csv` from this week's material. You may write into this bucket. The instance may not.

```bash
aws s3 cp card-payments.csv s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv
```
"""

WHO = """
The portal made four pieces: a policy, a role, an instance profile and an instance. Follow the chain from the instance
to the policy.

```bash
aws ec2 describe-instances --instance-ids {server.aws_id} \\
  --query 'Reservations[].Instances[].IamInstanceProfile.Arn'
aws iam get-instance-profile --instance-profile-name {profile.name} \\
  --query 'InstanceProfile.Roles[].RoleName'
aws iam get-role --role-name {role.name} --query 'Role.AssumeRolePolicyDocument'
aws iam get-role-policy --role-name {role.name} --policy-name read-the-bucket
```

Who may use this role? And what may it do? The check reads the same pieces and tells you what it sees.
"""

READ = """
Log in to the instance without any key: in the AWS console open **EC2**, choose `{server.aws_id}`, then **Connect**,
**Session Manager**, **Connect**. (It can take two minutes after the start.) On the instance:

```sh
aws sts get-caller-identity
aws s3 ls s3://{bucket.name}/raw/ --recursive
aws s3 cp s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv - | wc -l
aws s3 cp /etc/hostname s3://{bucket.name}/raw/test.txt
```

The first answer names the role, not you. The last command must fail with `AccessDenied`: that is right.

Back on your own computer, write down the number of lines as a tag on the instance:

```bash
ROWS=$(aws s3 cp s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv - | wc -l | tr -d ' ')
echo "My computer counts $ROWS lines. The instance must say the same."
aws ec2 create-tags --resources {server.aws_id} --tags Key=rows,Value=$ROWS
```
"""

STOP = """
You need the machine no more. Stop it, and look at the meter of this page.

```bash
aws ec2 stop-instances --instance-ids {server.aws_id}
aws ec2 describe-instances --instance-ids {server.aws_id} \\
  --query 'Reservations[].Instances[].[State.Name,PublicIpAddress]'
```

What still costs? The public address is given back. The disk stays, and its price too.
"""

FINISH = """
Press **Finish lab**. The order matters: first the instance, then the role out of the profile, then profile, role,
security group and bucket. The portal keeps this order, and shows you the proof.
"""

LAB = Lab(
    slug="ec2-reads-s3",
    title="EC2 reads S3 through an instance profile",
    summary="A small machine reads your bucket with a role and no key. Follow the chain from machine to policy, "
    "read a file, and see what a stopped machine still costs.",
    theme="Introduction to cloud computing",
    minutes=50,
    hours=Decimal(2),
    wants=(
        Want("bucket", "s3-bucket", {"prefixes": ["raw/"]}),
        Want(
            "role",
            "iam-role",
            {
                "trust": "ec2.amazonaws.com",
                "description": "Lab: an EC2 instance reads one bucket",
                "inline_policies": {"read-the-bucket": READ_THE_BUCKET, "log-in": LOG_IN},
            },
            needs=("bucket",),
        ),
        Want("profile", "instance-profile", {"role": "{role.name}"}, needs=("role",)),
        # No inbound rule at all: Session Manager is called from inside.
        Want("group", "security-group", {"description": "Lab: no way in"}),
        Want(
            "server",
            "ec2-instance",
            {"type": "t3.micro", "gb": 8, "profile": "{profile.name}", "security_groups": ["{group.aws_id}"]},
            needs=("bucket", "profile", "group"),
        ),
    ),
    steps=(
        Step("upload", "Put a file into the bucket", UPLOAD, data_is_in_raw, play=upload_payments),
        Step(
            "who",
            "See who the instance is",
            WHO,
            carries_a_role_that_only_reads,
            expect="Policies are kept and shown, but not enforced: here a role could do everything.",
        ),
        Step(
            "read",
            "Read the file from the instance",
            READ,
            rows_are_counted,
            expect="A simulated instance has no inside, so nobody can log in. Do only the second part, "
            "on your own computer.",
            play=play_count,
        ),
        Step("stop", "Stop the instance, and see what still costs", STOP, is_stopped, play=play_stop),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop(
        "Nothing stays: the instance and its disk, role, profile, security group and bucket are deleted."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
