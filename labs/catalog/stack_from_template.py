"""Lab: a stack from a template: what is made is written down, and what somebody changes by hand is not."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import DATED, DATED_KEY, PAYMENTS
from labs.catalog.stacks import stack

DAYS, BY_HAND = 7, 3  # that a line of the journal is kept: as the template says, and as the student sets it


# --- the checks ----------------------------------------------------------------------------------------------


def described(view: StudentView) -> dict[str, Any]:
    name = view.resources["stack"]["name"]
    return view.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def is_whole(view: StudentView) -> Checked:
    found = described(view)
    if found["StackStatus"] != "CREATE_COMPLETE":
        return Checked(False, f"The stack is {found['StackStatus']}. Finish this lab, then start it again.")
    made = ", ".join(f"{each['name']} ({each['type']})" for each in view.resources["stack"]["resources"])
    return Checked(True, f"The stack is CREATE_COMPLETE. It made {made}.")


def has_data(view: StudentView) -> Checked:
    bucket = view.resources["stack"]["id_of_data"]
    page = view.client("s3").list_objects_v2(Bucket=bucket, Prefix="raw/")
    keys = [each["Key"] for each in page.get("Contents", ()) if each["Size"]]
    if not keys:
        return Checked(False, f"The bucket {bucket} has no file under raw/ yet.")
    if not any(DATED.search(key) for key in keys):
        return Checked(False, f"There is {keys[0]}, but not in a folder of its date, raw/year=2025/month=09/day=13/.")
    return Checked(True, f"{keys[0]} lies in the bucket that the template made.")


def has_drifted(view: StudentView) -> Checked:
    name = view.resources["stack"]["id_of_journal"]
    groups = view.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    days = next((group.get("retentionInDays", "for ever") for group in groups if group["logGroupName"] == name), None)
    if days is None:
        return Checked(False, f"The log group {name} is gone. The stack still believes that it is there.")
    if days == DAYS:
        return Checked(False, f"The journal keeps its lines for {days} days, as the template says. Change it by hand.")
    return Checked(True, f"The journal keeps its lines: {days} days. The template says {DAYS}: it has drifted.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_data(view: StudentView) -> None:
    bucket = view.resources["stack"]["id_of_data"]
    view.client("s3").put_object(Bucket=bucket, Key=f"raw/{DATED_KEY}", Body=PAYMENTS.encode())


def play_drift(view: StudentView) -> None:
    group = view.resources["stack"]["id_of_journal"]
    view.client("logs").put_retention_policy(logGroupName=group, retentionInDays=BY_HAND)


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
The portal handed AWS a file, and AWS made what is in it: a **stack**. Press **Get temporary credentials** and paste
them into your terminal (on Windows: Git Bash or WSL). Look at the stack, at what it made, and at the file:

```bash
aws cloudformation describe-stacks --stack-name {stack.name} --query 'Stacks[].[StackName,StackStatus,Parameters]'
aws cloudformation describe-stack-resources --stack-name {stack.name} \\
  --query 'StackResources[].[LogicalResourceId,ResourceType,PhysicalResourceId]' --output table
aws cloudformation get-template --stack-name {stack.name} --query TemplateBody --output text
```

`Data` and `Journal` are names inside the template. AWS knows the two things by their physical ids. Which line of the
template says that nobody outside may read the bucket?
"""

USE = """
Use what it made, as you would use a bucket that you made by hand:

```bash
cat > payments.csv <<'END'
payment_id,merchant_type,amount_usd,is_fraud
P00001,grocery,18.40,0
P00002,online,402.10,1
END
aws s3 cp payments.csv s3://{stack.id_of_data}/raw/year=2025/month=09/day=13/payments.csv
aws s3 ls s3://{stack.id_of_data} --recursive
```

The template describes the bucket, and says nothing of the files in it. They are yours, and nobody can make them again
from the template.
"""

DRIFT = """
Now change something past the template: keep the lines of the journal for three days instead of seven.

```bash
aws logs put-retention-policy --log-group-name {stack.id_of_journal} --retention-in-days 3
aws logs describe-log-groups --log-group-name-prefix {stack.id_of_journal} \\
  --query 'logGroups[].[logGroupName,retentionInDays]'
aws cloudformation describe-stacks --stack-name {stack.name} --query 'Stacks[].[StackStatus,Parameters]'
```

The stack is as content as before, and its parameter still says 7. This is **drift**. Whoever makes the same stack
tomorrow, in another account, gets seven days and does not know why yours is different. So changes belong into the
template, and not into the console.
"""

FINISH = """
Press **Finish lab**. Deleting a stack deletes what it made, in the right order. One thing AWS refuses: a bucket that is
not empty. Such a stack stays as `DELETE_FAILED`, and its bucket goes on costing. So the portal empties the bucket too,
and asks until the stack is gone.
"""

LAB = Lab(
    slug="stack-from-template",
    title="A stack from a template",
    summary="AWS makes a bucket and a log group from one file. You use them, change one past the file, and see what "
    "drift is.",
    theme="Introduction to cloud computing",
    minutes=25,
    hours=Decimal(1),
    wants=(stack("stack", "data_and_journal", DaysOfJournal=DAYS),),
    steps=(
        Step("look", "Look at the stack, and at its template", LOOK, is_whole),
        Step("use", "Use what it made", USE, has_data, play=play_data),
        Step(
            "drift",
            "Change something past the template",
            DRIFT,
            has_drifted,
            expect="On AWS you could also ask CloudFormation to look for drift. Here nothing looks for it: compare.",
            play=play_drift,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    # The stack's own, found by their names: the bucket has to be emptied, or the stack cannot go.
    creates=("s3-bucket", "log-group"),
    kept=gettext_noop("Nothing stays: the stack goes with the bucket, its files, and the log group."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
