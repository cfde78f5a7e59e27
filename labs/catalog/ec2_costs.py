"""Lab: what an instance costs, part by part: running, stopped each evening, forgotten, and stopped for good."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.instances import note, tags_of
from labs.kinds.base import Want

# USD in us-east-1, as the words of the steps give them. A lab knows no prices of its own: costs/tests hold these
# against the price book.
MACHINE_AN_HOUR = Decimal("0.0104")
ADDRESS_AN_HOUR = Decimal("0.005")
DISK_A_GB_MONTH = Decimal("0.08")
HOURS_A_MONTH = Decimal(730)
HOURS_OF_WORK = Decimal(60)  # two hours on thirty days
# Of the right figure: who rounds to four places is right.
NEAR = Decimal("0.03")


# --- the checks ----------------------------------------------------------------------------------------------


def the_instance(view: StudentView) -> dict[str, Any]:
    answer = view.client("ec2").describe_instances(InstanceIds=[view.resources["server"]["aws_id"]])
    return answer["Reservations"][0]["Instances"][0]


def gb_of(view: StudentView) -> Decimal:
    """What the instance's disks hold together."""
    which = [{"Name": "attachment.instance-id", "Values": [view.resources["server"]["aws_id"]]}]
    volumes = view.client("ec2").describe_volumes(Filters=which)["Volumes"]
    return Decimal(sum(volume["Size"] for volume in volumes))


def right_figures(gb: Decimal) -> dict[str, Decimal]:
    """{tag: USD} for a machine with a disk of so many GB, while it has a public address."""
    on = MACHINE_AN_HOUR + ADDRESS_AN_HOUR
    disk_a_month = gb * DISK_A_GB_MONTH
    return {
        "running-hour": on + disk_a_month / HOURS_A_MONTH,
        "month-of-evenings": on * HOURS_OF_WORK + disk_a_month,
        "month-forgotten": on * HOURS_A_MONTH + disk_a_month,
        "stopped-hour": disk_a_month / HOURS_A_MONTH,
    }


def noted(view: StudentView, *names: str) -> Checked:
    """Whether these tags hold the right figures."""
    tags, right = tags_of(the_instance(view)), right_figures(gb_of(view))
    for name in names:
        if name not in tags:
            return Checked(False, f"The instance has no tag with the name {name} yet.")
        said = tags[name].strip().removeprefix("$").removesuffix("USD").strip()
        try:
            figure = Decimal(said)
        except InvalidOperation:
            return Checked(False, f"{name} says {tags[name][:20]}, which is not a number. Write it like 0.0123.")
        if abs(figure - right[name]) > NEAR * right[name]:
            return Checked(False, f"{name} says {said[:20]}. {hint(figure, right[name])}")
    return Checked(True, f"Right: {', '.join(f'{name} is ${right[name]:.4f}' for name in names)}.")


def hint(figure: Decimal, right: Decimal) -> str:
    """What was probably forgotten. The right figure is the student's to find."""
    if figure < right:
        return "That is too little: count machine, address and disk, each for as long as it is there."
    return "That is too much: count each part only for as long as it is there."


def running_is_right(view: StudentView) -> Checked:
    return noted(view, "running-hour")


def months_are_right(view: StudentView) -> Checked:
    return noted(view, "month-of-evenings", "month-forgotten")


def is_stopped(view: StudentView) -> Checked:
    instance = the_instance(view)
    state = instance["State"]["Name"]
    if state not in ("stopping", "stopped"):
        return Checked(False, f"The instance is {state}. Stop it.")
    return Checked(True, f"It is {state}. Look at the meter of this page: it is not zero.")


def stopped_is_right(view: StudentView) -> Checked:
    if not is_stopped(view).passed:
        return Checked(False, "The instance is not stopped. Stop it first, and see what is left of it.")
    return noted(view, "stopped-hour")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def write(view: StudentView, *names: str) -> None:
    right = right_figures(gb_of(view))
    for name in names:
        note(view, view.resources["server"]["aws_id"], name, f"{right[name]:.6f}")


def play_running(view: StudentView) -> None:
    write(view, "running-hour")


def play_months(view: StudentView) -> None:
    write(view, "month-of-evenings", "month-forgotten")


def play_stop(view: StudentView) -> None:
    view.client("ec2").stop_instances(InstanceIds=[view.resources["server"]["aws_id"]])


def play_stopped(view: StudentView) -> None:
    write(view, "stopped-hour")


# --- the words -----------------------------------------------------------------------------------------------

PARTS = """
An instance has three prices. Press **Get temporary credentials**, paste them into your terminal (on Windows: Git Bash
or WSL), and look at the three parts of yours: the machine, its address, its disk.

```bash
aws ec2 describe-instances --instance-ids {server.aws_id} \\
  --query 'Reservations[].Instances[].[InstanceType,PublicIpAddress]' --output text
aws ec2 describe-volumes --filters Name=attachment.instance-id,Values={server.aws_id} \\
  --query 'Volumes[].[VolumeType,Size]' --output text
```

| part | price in us-east-1 | counted |
|---|---|---|
| t3.micro | $0.0104 an hour | by the second, while it runs |
| public address | $0.0050 an hour | while it has one |
| disk, gp3 | $0.08 per GB and month | as long as the disk is there |

(In another region other prices hold. Compute with these all the same.) A month has 730 hours. What does one hour of
this machine cost? Compute it, and write the answer as a tag on the instance:

```bash
GB=$(aws ec2 describe-volumes --filters Name=attachment.instance-id,Values={server.aws_id} \\
  --query 'sum(Volumes[].Size)' --output text)
USD=$(awk -v gb=$GB 'BEGIN { printf "%.6f", 0.0104 + 0.0050 + gb * 0.08 / 730 }')
echo "One hour costs $USD"
aws ec2 create-tags --resources {server.aws_id} --tags Key=running-hour,Value=$USD
```

The disk is the smallest part of an hour. Remember that.
"""

MONTHS = """
Two students have this machine for a month. Aye works two hours on each of 30 evenings and stops it after each. Bo
starts it on the first day, and forgets it.

The disk is there all month, for both. So Aye pays machine and address for 60 hours, and Bo for 730; both pay the whole
disk.

```bash
GB=$(aws ec2 describe-volumes --filters Name=attachment.instance-id,Values={server.aws_id} \\
  --query 'sum(Volumes[].Size)' --output text)
AYE=$(awk -v gb=$GB 'BEGIN { printf "%.4f", (0.0104 + 0.0050) * 60 + gb * 0.08 }')
BO=$(awk -v gb=$GB 'BEGIN { printf "%.4f", (0.0104 + 0.0050) * 730 + gb * 0.08 }')
echo "Aye pays $AYE, Bo pays $BO"
aws ec2 create-tags --resources {server.aws_id} \\
  --tags Key=month-of-evenings,Value=$AYE Key=month-forgotten,Value=$BO
```

Who works on a p3.2xlarge at $3.06 an hour has the same arithmetic with other zeros: about $184 against $2,234 for the
machine alone.
"""

STOP = """
Do what Aye does:

```bash
aws ec2 stop-instances --instance-ids {server.aws_id}
aws ec2 describe-instances --instance-ids {server.aws_id} \\
  --query 'Reservations[].Instances[].[State.Name,PublicIpAddress]'
aws ec2 describe-volumes --filters Name=attachment.instance-id,Values={server.aws_id} \\
  --query 'Volumes[].[VolumeType,Size,State]' --output text
```

The machine is off, the address is given back. The disk is still `in-use`.
"""

STOPPED = """
What does an hour of the stopped machine cost? Compute it before you look at the meter of this page, then compare. (The
meter takes the hours of this very month, so its last digits differ a little.)

```bash
GB=$(aws ec2 describe-volumes --filters Name=attachment.instance-id,Values={server.aws_id} \\
  --query 'sum(Volumes[].Size)' --output text)
USD=$(awk -v gb=$GB 'BEGIN { printf "%.6f", gb * 0.08 / 730 }')
echo "One hour costs $USD"
aws ec2 create-tags --resources {server.aws_id} --tags Key=stopped-hour,Value=$USD
```

It is little for 8 GB. With a disk of 1,000 GB it is $80 a month, for a machine that nobody uses. "It is stopped" does
not mean "it is free".
"""

FINISH = """
Press **Finish lab**. Only when the instance and its disk are deleted, the price is zero. The portal shows you the
proof.
"""

LAB = Lab(
    slug="ec2-costs",
    title="What an instance costs, part by part",
    summary="Compute what a small machine costs running, stopped each evening, and forgotten. Then stop it, and see "
    "what still costs.",
    theme="Introduction to cloud computing",
    minutes=35,
    hours=Decimal(1),
    wants=(
        Want("group", "security-group", {"description": "Lab: no way in"}),
        Want(
            "server",
            "ec2-instance",
            {"type": "t3.micro", "gb": 8, "security_groups": ["{group.aws_id}"]},
            needs=("group",),
        ),
    ),
    steps=(
        Step("parts", "Compute one hour", PARTS, running_is_right, play=play_running),
        Step("months", "Compute a month, with and without a stop", MONTHS, months_are_right, play=play_months),
        Step("stop", "Stop it", STOP, is_stopped, play=play_stop),
        Step("stopped", "Compute an hour of the stopped machine", STOPPED, stopped_is_right, play=play_stopped),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the instance is deleted with its disk, and so is the security group."),
)
