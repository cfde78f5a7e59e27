"""Lab: role, instance profile and attachment by hand, so that a running instance reads S3 without any key."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.instances import LOG_IN, note, tags_of
from labs.catalog.looking import PAYMENTS_IN_RAW, files_under
from labs.catalog.policies import documents_of, fault_in, more_than_reading, not_of_labs, reading, trusted_by
from labs.kinds.aws_words import tag_list
from labs.kinds.base import Want

SERVICE = "ec2.amazonaws.com"


def role_of(view: StudentView) -> str:
    return f"{view.prefix}reads"


def profile_of(view: StudentView) -> str:
    return f"{view.prefix}carries"


# --- the checks ----------------------------------------------------------------------------------------------


def role_is_right(view: StudentView) -> Checked:
    iam, name, bucket = view.client("iam"), role_of(view), view.resources["bucket"]["arn"]
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no role {name} yet.")
    if wrong := not_of_labs(name, role["Path"]):
        return wrong
    if trusted_by(role) != {SERVICE}:
        said = ", ".join(sorted(trusted_by(role))) or "nobody"
        return Checked(False, f"{name} trusts {said}. It must trust {SERVICE}, and nobody else.")
    fault = fault_in(documents_of(iam, "role", name), reading(bucket), more_than_reading(bucket))
    return Checked(not fault, fault or f"EC2 may use {name}, and it may list and read this bucket.")


def profile_holds_it(view: StudentView) -> Checked:
    iam, name = view.client("iam"), profile_of(view)
    try:
        profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no instance profile {name} yet.")
    if wrong := not_of_labs(name, profile["Path"]):
        return wrong
    held = [role["RoleName"] for role in profile["Roles"]]
    if held != [role_of(view)]:
        return Checked(False, f"{name} holds {', '.join(held) or 'no role'}. It must hold {role_of(view)}.")
    return Checked(True, f"{name} holds {held[0]}. It is a frame for one role: instances take no other form.")


def is_attached(view: StudentView) -> Checked:
    server = view.resources["server"]["aws_id"]
    asked = [{"Name": "instance-id", "Values": [server]}]
    found = view.client("ec2").describe_iam_instance_profile_associations(Filters=asked)
    carried = [
        each["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1]
        for each in found["IamInstanceProfileAssociations"]
        if each["State"] in ("associating", "associated")
    ]
    if not carried:
        return Checked(False, f"{server} carries no instance profile yet.")
    if carried != [profile_of(view)]:
        return Checked(False, f"{server} carries {carried[0]}, and not {profile_of(view)}.")
    return Checked(True, f"{server} carries {carried[0]}. It was not stopped for that.")


def is_verified(view: StudentView) -> Checked:
    server, files = view.resources["server"]["aws_id"], len(files_under(view, "raw/"))
    found = view.client("ec2").describe_instances(InstanceIds=[server])["Reservations"]
    if not found:
        return Checked(False, f"The instance {server} is gone. Finish this lab, then start it again.")
    said = tags_of(found[0]["Instances"][0]).get("files", "").strip()
    if not said:
        return Checked(False, f"{server} has no tag with the name files yet.")
    if said != str(files):
        return Checked(False, f"The tag says {said[:20]}; under raw/ the bucket has {files}. Count again.")
    where = "counted on your own computer, since nobody can log in here" if view.mode == "practice" else "it is"
    return Checked(True, f"{said}, {where}. There is no key on the instance.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_role(view: StudentView) -> None:
    iam, bucket = view.client("iam"), view.resources["bucket"]["arn"]
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName=role_of(view),
        Path="/lab/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        PermissionsBoundary=view.boundary,
        Tags=tag_list(view.tags),
    )
    may = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"},
        *LOG_IN["Statement"],
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_role_policy(RoleName=role_of(view), PolicyName="read-the-bucket", PolicyDocument=document)


def play_profile(view: StudentView) -> None:
    iam = view.client("iam")
    iam.create_instance_profile(InstanceProfileName=profile_of(view), Path="/lab/", Tags=tag_list(view.tags))
    iam.add_role_to_instance_profile(InstanceProfileName=profile_of(view), RoleName=role_of(view))


def play_attach(view: StudentView) -> None:
    view.client("ec2").associate_iam_instance_profile(
        InstanceId=view.resources["server"]["aws_id"], IamInstanceProfile={"Name": profile_of(view)}
    )


def play_verify(view: StudentView) -> None:
    note(view, view.resources["server"]["aws_id"], "files", str(len(files_under(view, "raw/"))))


# --- the words -----------------------------------------------------------------------------------------------

ROLE = f"""
The portal made a bucket with a file, and an instance that has no role at all. Press **Get temporary credentials** and
paste them into your terminal (on Windows: Git Bash or WSL). Make a role for EC2 that may read the bucket:

```bash
cat > trust.json <<'END'
{{
  "Version": "2012-10-17",
  "Statement": [
    {{"Effect": "Allow", "Principal": {{"Service": "ec2.amazonaws.com"}}, "Action": "sts:AssumeRole"}}
  ]
}}
END
aws iam create-role --role-name {{lab.prefix}}reads --path /lab/ \\
  --assume-role-policy-document file://trust.json \\
  --permissions-boundary {{lab.boundary}} \\
  --tags Key=student,Value={{lab.student}} Key=lab,Value={{lab.tag}}
cat > read-the-bucket.json <<'END'
{{
  "Version": "2012-10-17",
  "Statement": [
    {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{{bucket.name}}"}},
    {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{{bucket.name}}/*"}},
    {json.dumps(LOG_IN["Statement"][0])}
  ]
}}
END
aws iam put-role-policy --role-name {{lab.prefix}}reads \\
  --policy-name read-the-bucket --policy-document file://read-the-bucket.json
```

The last statement is all that Session Manager needs to log you in: no open port, no key pair.
"""

PROFILE = """
An instance does not take a role as it is, but an **instance profile** with a role in it. The console makes both in one
click, under the same name; here you see that they are two.

```bash
aws iam create-instance-profile --instance-profile-name {lab.prefix}carries --path /lab/ \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
aws iam add-role-to-instance-profile --instance-profile-name {lab.prefix}carries --role-name {lab.prefix}reads
aws iam get-instance-profile --instance-profile-name {lab.prefix}carries --query 'InstanceProfile.Roles[].RoleName'
```
"""

ATTACH = """
Attach it to the instance, which runs on meanwhile. This is `iam:PassRole`: you may do it with roles of this lab only.
(If AWS says that the profile is not valid, wait ten seconds. A new one needs a moment to be known everywhere.)

```bash
aws ec2 associate-iam-instance-profile --instance-id {server.aws_id} \\
  --iam-instance-profile Name={lab.prefix}carries
aws ec2 describe-iam-instance-profile-associations --filters Name=instance-id,Values={server.aws_id} \\
  --query 'IamInstanceProfileAssociations[].[State,IamInstanceProfile.Arn]'
```
"""

VERIFY = """
Restart the instance, so that it asks for its new credentials at once. Then log in: in the AWS console open **EC2**,
choose `{server.aws_id}`, **Connect**, **Session Manager**, **Connect**. On the instance:

```sh
aws sts get-caller-identity
aws s3 ls s3://{bucket.name}/raw/ --recursive
aws s3 ls
```

The first answer names your role. The second shows the file. The third fails with `AccessDenied`, and that is right: the
role may read one bucket, and not list all. Back on your own computer, write down how many files you saw:

```bash
aws ec2 reboot-instances --instance-ids {server.aws_id}
FILES=$(aws s3 ls s3://{bucket.name}/raw/ --recursive | wc -l | tr -d ' ')
aws ec2 create-tags --resources {server.aws_id} --tags Key=files,Value=$FILES
```
"""

FINISH = """
Press **Finish lab**. First the instance goes, then the role out of your profile, then profile, role, security group and
bucket. AWS refuses to delete a role that is still in a profile: by hand, this is the step that people forget.
"""

LAB = Lab(
    slug="ec2-instance-profile",
    title="A role for a running instance",
    summary="Make a role, put it into an instance profile, attach that to a machine which is on already, and verify it "
    "from inside.",
    theme="Introduction to cloud computing",
    minutes=40,
    hours=Decimal(2),
    wants=(
        Want("bucket", "s3-bucket", {"objects": PAYMENTS_IN_RAW}),
        Want("group", "security-group", {"description": "Lab: no way in"}),
        Want(
            "server",
            "ec2-instance",
            {"type": "t3.micro", "gb": 8, "security_groups": ["{group.aws_id}"]},
            needs=("group",),
        ),
    ),
    steps=(
        Step(
            "role",
            "Make a role that EC2 may use",
            ROLE,
            role_is_right,
            expect="Policies are kept and judged by the check, but not enforced.",
            play=play_role,
        ),
        Step("profile", "Put it into an instance profile", PROFILE, profile_holds_it, play=play_profile),
        Step("attach", "Attach the profile to the instance", ATTACH, is_attached, play=play_attach),
        Step(
            "verify",
            "Verify it with aws s3 ls",
            VERIFY,
            is_verified,
            expect="A simulated instance has no inside, so nobody can log in. Do only the second part, on your own "
            "computer.",
            play=play_verify,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("iam-role", "instance-profile"),
    kept=gettext_noop(
        "Nothing stays: the instance and its disk, your profile and role, security group and bucket are deleted."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
