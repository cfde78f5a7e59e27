"""Lab: an instance with Jupyter on it, started by hand, reached through a tunnel and by no open port."""

import base64
from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.ec2_reads_s3 import LOG_IN
from labs.catalog.instances import BY_HAND, IMAGE, ITS_ID, TAGGED, alive, of_this_lab, start_one
from labs.catalog.looking import DATED_KEY, PAYMENTS_IN_RAW, put_file, rows_of, text_if_there, text_of
from labs.kinds.base import Want

RESULT = "processed/mean-amount.csv"
WORKS_IN_ITS_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::{bucket.name}/*",
        },
    ],
}
START_UP = """\
#!/bin/bash
# Whatever is forgotten: the machine shuts itself down after 110 minutes, and that ends it.
shutdown -h +110
dnf install -y python3.11 python3.11-pip
cd /home/ec2-user
sudo -u ec2-user python3.11 -m venv env
sudo -u ec2-user env/bin/pip install --quiet jupyterlab boto3
sudo -u ec2-user nohup env/bin/jupyter lab --no-browser --ip 127.0.0.1 --port 8888 > jupyter.log 2>&1 &
"""


def means_of(text: str) -> dict[str, Decimal]:
    """{merchant type: mean amount} of the table of payments."""
    amounts: dict[str, list[Decimal]] = {}
    for row in rows_of(text):
        amounts.setdefault(row["merchant_type"], []).append(Decimal(row["amount_usd"]))
    return {name: sum(each, Decimal(0)) / len(each) for name, each in amounts.items()}


# --- the checks ----------------------------------------------------------------------------------------------


def was_run(view: StudentView) -> Checked:
    instance = alive(view)
    if instance is None:
        words = f"There is no instance with the tag lab={view.tags['lab']} in {view.region} yet."
        return Checked(False, words)
    name, ec2 = instance["InstanceId"], view.client("ec2")
    if instance["InstanceType"] != "t3.micro":
        return Checked(False, f"{name} is a {instance['InstanceType']}. Terminate it; a t3.micro will do.")
    if not instance.get("IamInstanceProfile", {}).get("Arn", "").endswith(f"/{view.resources['profile']['name']}"):
        return Checked(False, f"{name} does not carry the lab's profile: nobody can log in. Terminate it; try again.")
    groups = ec2.describe_security_groups(GroupIds=[each["GroupId"] for each in instance["SecurityGroups"]])
    if any(group["IpPermissions"] for group in groups["SecurityGroups"]):
        return Checked(False, f"{name} is in a security group with an open port. Use the lab's group, which has none.")
    at_the_end = ec2.describe_instance_attribute(InstanceId=name, Attribute="instanceInitiatedShutdownBehavior")
    if at_the_end["InstanceInitiatedShutdownBehavior"]["Value"] != "terminate":
        return Checked(False, f"{name} only stops when it shuts down. Its disk would go on costing: let it terminate.")
    start_up = ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"].get("Value", "")
    if b"jupyter" not in base64.b64decode(start_up):
        return Checked(False, f"{name} has no Jupyter in its user data. Terminate it, and start one with start-up.sh.")
    return Checked(True, f"{name} is {instance['State']['Name']}: no open port, no key, and it ends by itself.")


def result_is_right(view: StudentView) -> Checked:
    said = text_if_there(view, RESULT)
    if said is None:
        return Checked(False, f"The bucket has no {RESULT} yet. Run the cell in Jupyter.")
    try:
        found = {row["merchant_type"]: Decimal(row["mean_usd"]) for row in rows_of(said)}
    except (KeyError, TypeError, ArithmeticError):
        return Checked(False, f"{RESULT} cannot be read. The header must be merchant_type,mean_usd.")
    right = means_of(text_of(view, f"raw/{DATED_KEY}"))
    wrong = [name for name in sorted(right) if abs(found.get(name, Decimal(-1)) - right[name]) > Decimal("0.01")]
    if wrong:
        return Checked(False, f"{wrong[0]} is not right: its mean is {right[wrong[0]]:.2f}.")
    return Checked(True, f"All {len(right)} merchant types are right, and the result outlives the machine.")


def is_terminated(view: StudentView) -> Checked:
    there, all_of_them = alive(view), of_this_lab(view)
    if there is not None:
        return Checked(False, f"{there['InstanceId']} is {there['State']['Name']}. Terminate it.")
    if not all_of_them:
        return Checked(False, "There was no instance of this lab yet (the first step).")
    return Checked(True, f"{all_of_them[0]['InstanceId']} is {all_of_them[0]['State']['Name']}. Its disk goes with it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_run(view: StudentView) -> None:
    start_one(
        view,
        UserData=START_UP,
        IamInstanceProfile={"Name": view.resources["profile"]["name"]},
        SecurityGroupIds=[view.resources["group"]["aws_id"]],
    )


def play_work(view: StudentView) -> None:
    means = means_of(text_of(view, f"raw/{DATED_KEY}"))
    lines = [f"{name},{mean:.2f}" for name, mean in sorted(means.items())]
    put_file(view, RESULT, "\n".join(["merchant_type,mean_usd", *lines]))


def play_end(view: StudentView) -> None:
    there = alive(view)
    if there is not None:
        view.client("ec2").terminate_instances(InstanceIds=[there["InstanceId"]])


# --- the words -----------------------------------------------------------------------------------------------

RUN = (
    """
The portal made a bucket with a few payments, a role for the machine, and a security group that lets nobody in. The
machine is yours to start. Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash
or WSL).

First write what the machine does when it starts. This text is called *user data*:

```bash
cat > start-up.sh <<'END'
"""
    + START_UP
    + """END
```

Then run the machine with it:

```bash
"""
    + IMAGE
    + """aws ec2 run-instances --image-id $IMAGE --instance-type t3.micro --count 1 \\
  --iam-instance-profile Name={profile.name} --security-group-ids {group.aws_id} \\
  --user-data file://start-up.sh --instance-initiated-shutdown-behavior terminate \\
  --metadata-options HttpTokens=required --credit-specification CpuCredits=standard \\
"""
    + TAGGED
    + """  --query 'Instances[].[InstanceId,State.Name]' --output table
```

It costs from now on, about $0.016 an hour. Jupyter listens on `127.0.0.1`: only who is on the machine can reach it.
"""
)

WORK = (
    """
Go through a tunnel. It begins on your computer, goes through AWS Systems Manager, and ends at Jupyter. No port is open
and no key is needed: IAM decides who may. (You need the *Session Manager plugin* for the AWS CLI. Jupyter is there
about four minutes after the start.)

```sh
"""
    + ITS_ID
    + """aws ssm start-session --target $ID --document-name AWS-StartPortForwardingSession \\
  --parameters portNumber=8888,localPortNumber=8888
```

Leave it open, and go to `http://localhost:8888`. Jupyter asks for a token. Read it on the machine: in the AWS console,
**EC2**, your instance, **Connect**, **Session Manager**:

```sh
sudo -u ec2-user /home/ec2-user/env/bin/jupyter server list
```

Paste this into a cell and run it. It finds credentials by itself: those of the machine's role.

```python
import csv
import io

import boto3

s3 = boto3.client("s3")
bucket = "{bucket.name}"
file = s3.get_object(Bucket=bucket, Key="raw/year=2025/month=09/day=13/card-payments.csv")
amounts = {}
for row in csv.DictReader(io.StringIO(file["Body"].read().decode())):
    amounts.setdefault(row["merchant_type"], []).append(float(row["amount_usd"]))

lines = ["merchant_type,mean_usd"]
lines += [f"{name},{sum(each) / len(each):.2f}" for name, each in sorted(amounts.items())]
s3.put_object(Bucket=bucket, Key="processed/mean-amount.csv", Body="\\n".join(lines).encode())
print("\\n".join(lines))
```
"""
)

END = (
    """
The result lies in S3. The machine can go, with its disk and all that you installed on it:

```bash
"""
    + ITS_ID
    + """aws ec2 terminate-instances --instance-ids $ID
aws ec2 describe-instances --instance-ids $ID --query 'Reservations[].Instances[].State.Name'
```

How long did you really use it? A SageMaker notebook does the same for you with one click, for $0.05 an hour. Its disk
stays when it is stopped, too.
"""
)

FINISH = """
Press **Finish lab**: the bucket, the role, its profile and the security group go too.
"""

LAB = Lab(
    slug="ec2-jupyter",
    title="Jupyter on an instance of your own",
    summary="Start a small machine that installs Jupyter by itself, reach it through a tunnel with no open port, work, "
    "and end it.",
    theme="Introduction to cloud computing",
    minutes=60,
    hours=Decimal(2),
    wants=(
        Want("bucket", "s3-bucket", {"objects": PAYMENTS_IN_RAW}),
        Want(
            "role",
            "iam-role",
            {
                "trust": "ec2.amazonaws.com",
                "description": "Lab: a machine with Jupyter works in one bucket",
                "inline_policies": {"works-in-its-bucket": WORKS_IN_ITS_BUCKET, "log-in": LOG_IN},
            },
            needs=("bucket",),
        ),
        Want("profile", "instance-profile", {"role": "{role.name}"}, needs=("role",)),
        # No inbound rule at all: Session Manager is called from inside.
        Want("group", "security-group", {"description": "Lab: no way in"}),
    ),
    creates=("ec2-instance",),
    by_hand=(BY_HAND,),
    steps=(
        Step("run", "Run a machine that installs Jupyter", RUN, was_run, play=play_run),
        Step(
            "work",
            "Reach Jupyter through a tunnel, and work in it",
            WORK,
            result_is_right,
            expect="A simulated instance has no inside: there is no Jupyter and no tunnel. Run the Python code on your "
            "own computer, in the terminal with the temporary credentials (pip install boto3, then python3).",
            play=play_work,
        ),
        Step("end", "Terminate the machine", END, is_terminated, play=play_end),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop(
        "Nothing stays: the instance and its disk, role, profile, security group and bucket are deleted."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
