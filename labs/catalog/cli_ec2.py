"""Lab: an instance run, described, stopped, started and terminated with the aws command."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.instances import BY_HAND, IMAGE, ITS_ID, TAGGED, alive, note, of_this_lab, start_one, tags_of
from labs.kinds.base import Want

TYPE = "t3.micro"
NO_ADDRESS = "None"  # what the aws command prints where there is none


def nothing_there(view: StudentView) -> Checked:
    return Checked(
        False, f"There is no instance with the tag lab={view.tags['lab']} in {view.region} yet (the first step)."
    )


# --- the checks ----------------------------------------------------------------------------------------------


def was_run(view: StudentView) -> Checked:
    instance = alive(view)
    if instance is None:
        return nothing_there(view)
    name, state = instance["InstanceId"], instance["State"]["Name"]
    if instance["InstanceType"] != TYPE:
        return Checked(False, f"{name} is a {instance['InstanceType']}. Terminate it; a {TYPE} will do.")
    if {group["GroupId"] for group in instance["SecurityGroups"]} != {view.resources["group"]["aws_id"]}:
        return Checked(False, f"{name} is in another security group. Use the lab's: it lets nobody in.")
    if state == "pending":
        return Checked(False, f"{name} is pending. Wait some seconds, and check again.")
    return Checked(True, f"{name}, a {TYPE}, is {state}. It costs as long as it is there.")


def was_described(view: StudentView) -> Checked:
    instance = alive(view)
    if instance is None:
        return nothing_there(view)
    noted = tags_of(instance).get("address", "").strip()
    if not noted:
        return Checked(False, f"{instance['InstanceId']} has no tag with the name address yet.")
    if instance["State"]["Name"] == "running" and noted != instance.get("PublicIpAddress", NO_ADDRESS):
        return Checked(False, f"The tag says {noted[:20]}, which is not its address.")
    return Checked(True, f"{noted} is its address, until it stops.")


def is_stopped(view: StudentView) -> Checked:
    instance = alive(view)
    if instance is None:
        return nothing_there(view)
    if "address" not in tags_of(instance):
        return Checked(False, "First note its address in the tag (the step before). It is lost at the stop.")
    state = instance["State"]["Name"]
    if state == "stopping":
        return Checked(False, "It is stopping. Wait until it is stopped, and check again.")
    if state != "stopped":
        return Checked(False, f"{instance['InstanceId']} is {state}. Stop it.")
    return Checked(True, "It is stopped. The machine and its address cost nothing more; the disk does.")


def is_on_again(view: StudentView) -> Checked:
    instance = alive(view)
    if instance is None:
        return nothing_there(view)
    noted, state = tags_of(instance).get("address", "").strip(), instance["State"]["Name"]
    if not noted:
        return Checked(False, "First note its address, and stop it (the steps before).")
    if state not in ("pending", "running"):
        return Checked(False, f"{instance['InstanceId']} is {state}. Start it.")
    address = instance.get("PublicIpAddress", NO_ADDRESS)
    if noted == address != NO_ADDRESS:
        return Checked(False, f"It still has the address {address}, so it was not stopped yet.")
    return Checked(True, f"It is {state} again, with the address {address} instead of {noted}.")


def is_terminated(view: StudentView) -> Checked:
    there = alive(view)
    if there is not None:
        return Checked(False, f"{there['InstanceId']} is {there['State']['Name']}. Terminate it.")
    ended = of_this_lab(view)
    if not ended:
        return nothing_there(view)
    return Checked(True, f"{ended[0]['InstanceId']} is {ended[0]['State']['Name']}, and its disk goes with it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_run(view: StudentView) -> None:
    start_one(view, SecurityGroupIds=[view.resources["group"]["aws_id"]])


def play_describe(view: StudentView) -> None:
    note(view, the_id(view), "address", (alive(view) or {}).get("PublicIpAddress", NO_ADDRESS))


def play_stop(view: StudentView) -> None:
    view.client("ec2").stop_instances(InstanceIds=[the_id(view)])


def play_start(view: StudentView) -> None:
    view.client("ec2").start_instances(InstanceIds=[the_id(view)])


def play_terminate(view: StudentView) -> None:
    view.client("ec2").terminate_instances(InstanceIds=[the_id(view)])


def the_id(view: StudentView) -> str:
    return str((alive(view) or {"InstanceId": ""})["InstanceId"])


# --- the words -----------------------------------------------------------------------------------------------

RUN = (
    """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). First find the
newest Amazon Linux image, then start a machine with it:

```bash
"""
    + IMAGE
    + """aws ec2 run-instances --image-id $IMAGE --instance-type t3.micro --count 1 \\
  --security-group-ids {group.aws_id} \\
  --credit-specification CpuCredits=standard \\
  --instance-initiated-shutdown-behavior terminate \\
"""
    + TAGGED
    + """  --query 'Instances[].[InstanceId,State.Name]' --output table
```

The tags say whose it is, for people and for the portal. Look at the meter of this page: within a minute it counts your
machine, about $0.016 an hour with its disk and address.
"""
)

DESCRIBE = (
    """
Where is it, and what is its address? `--query` picks what you want out of a long answer.

```bash
"""
    + ITS_ID
    + """aws ec2 wait instance-running --instance-ids $ID
aws ec2 describe-instances --instance-ids $ID --output table \\
  --query 'Reservations[].Instances[].[InstanceId,InstanceType,State.Name,Placement.AvailabilityZone,PublicIpAddress]'
```

Write the address down, as a tag on the machine itself:

```bash
"""
    + ITS_ID
    + """ADDRESS=$(aws ec2 describe-instances --instance-ids $ID --output text \\
  --query 'Reservations[0].Instances[0].PublicIpAddress')
aws ec2 create-tags --resources $ID --tags Key=address,Value=$ADDRESS
```
"""
)

STOP = (
    """
A stop keeps the disk and gives back the machine:

```bash
"""
    + ITS_ID
    + """aws ec2 stop-instances --instance-ids $ID
aws ec2 wait instance-stopped --instance-ids $ID
aws ec2 describe-instances --instance-ids $ID \\
  --query 'Reservations[].Instances[].[State.Name,PublicIpAddress]'
```

Look at the meter again. What still costs?
"""
)

START = (
    """
```bash
"""
    + ITS_ID
    + """aws ec2 start-instances --instance-ids $ID
aws ec2 wait instance-running --instance-ids $ID
aws ec2 describe-instances --instance-ids $ID \\
  --query 'Reservations[].Instances[].[State.Name,PublicIpAddress]'
```

It is the same machine with the same disk, and another address. Who keeps addresses in scripts finds somebody else's
machine one day. Each start counts 60 seconds at least.
"""
)

TERMINATE = (
    """
Terminate means delete. There is no undo, and no question "are you sure?":

```bash
"""
    + ITS_ID
    + """aws ec2 terminate-instances --instance-ids $ID
aws ec2 wait instance-terminated --instance-ids $ID
aws ec2 describe-volumes --filters Name=tag:lab,Values={lab.tag} --query 'Volumes[].[VolumeId,State]'
```

The last list is empty: the disk went with the machine. AWS still lists the machine as `terminated` for about an hour,
and asks nothing for it.
"""
)

FINISH = """
Press **Finish lab**. Only the security group is left to delete. Had you forgotten the machine, the portal would end it
now, because its tag says that it belongs to this lab.
"""

LAB = Lab(
    slug="cli-ec2",
    title="EC2 with the AWS CLI",
    summary="Run, describe, stop, start and terminate a small machine from your terminal, and watch what each of these "
    "does to the meter.",
    theme="Introduction to cloud computing",
    minutes=30,
    hours=Decimal(1),
    # No inbound rule at all: nobody logs in to this machine.
    wants=(Want("group", "security-group", {"description": "Lab: no way in"}),),
    creates=("ec2-instance",),
    by_hand=(BY_HAND,),
    steps=(
        Step("run", "Run an instance", RUN, was_run, play=play_run),
        Step("describe", "Describe it, and note its address", DESCRIBE, was_described, play=play_describe),
        Step("stop", "Stop it", STOP, is_stopped, play=play_stop),
        Step("start", "Start it again", START, is_on_again, play=play_start),
        Step("terminate", "Terminate it", TERMINATE, is_terminated, play=play_terminate),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the instance that you started, its disk and the security group are deleted."),
)
