"""Lab: onboarding as a checklist that checks itself: tools, who one is, the region, MFA, a budget. It costs nothing.

In practice mode nobody has a phone and nobody pays, so a user and a budget of the practice account are looked at. In a
student's own account it is the real ones, and in the bootcamp's shared account they are not the student's business.
"""

import json
import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import put_file, text_if_there
from labs.catalog.policies import not_of_labs
from labs.kinds.aws_words import tag_list
from labs.kinds.base import Want

TOOLS, IDENTITY = "tools.json", "me.json"
# boto3 and the aws command know AWS_ENDPOINT_URL, by which practice mode is reached, from these on (botocore 1.31).
PYTHON, BOTO3, AWS_2, AWS_1 = (3, 10), (1, 28), (2, 13), (1, 29)
REGIONS = ("us-east-1", "ap-southeast-1")  # that the course uses
MOST_USD = Decimal(50)  # a month: a budget above it warns when the money is gone
MOST_USERS = 100  # that are looked at: a person's own account has two or three
THEIR_MATTER = (
    "This is the bootcamp's account: its {what} is the instructor's work, and nobody looked. Do it in your own account "
    "on the day on which you open one."
)


def user_of(view: StudentView) -> str:
    return f"{view.prefix}everyday"


def journal_of(view: StudentView) -> str:
    return f"{view.prefix}here"


def budget_of(view: StudentView) -> str:
    return f"{view.prefix}month"


# --- the checks ----------------------------------------------------------------------------------------------


def told(view: StudentView, key: str) -> dict[str, Any] | None:
    """What the student's program wrote under the key; {} where it cannot be read, None where there is nothing."""
    text = text_if_there(view, key)
    try:
        found = None if text is None else json.loads(text)
    except ValueError:
        return {}
    return found if found is None or isinstance(found, dict) else {}


def version(text: object) -> tuple[int, ...]:
    """(2, 15, 30) of "aws-cli/2.15.30"; () where there is no number."""
    found = re.search(r"\d+(\.\d+)+", str(text))
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def tools_are_there(view: StudentView) -> Checked:
    tools = told(view, TOOLS)
    if tools is None:
        return Checked(False, f"The bucket has no {TOOLS} yet. Run the program.")
    python, boto3, aws = (version(tools.get(name)) for name in ("python", "boto3", "aws"))
    if not (python and boto3 and aws):
        return Checked(False, f"{TOOLS} does not tell three versions. Write it with the program, and not by hand.")
    if python < PYTHON:
        return Checked(False, f"Python is {tools['python']}. This course needs {words_of(PYTHON)} or newer.")
    if boto3 < BOTO3:
        return Checked(False, f"boto3 is {tools['boto3']}. It needs {words_of(BOTO3)}: pip install --upgrade boto3.")
    if aws < (AWS_1 if aws < (2,) else AWS_2):
        return Checked(False, f"The aws command is {tools['aws']}. It needs {words_of(AWS_2)}: install it again.")
    old = " Version 2 of the aws command is better: its packages bring their own Python." if aws < (2,) else ""
    return Checked(True, f"Python {tools['python']}, boto3 {tools['boto3']} and {tools['aws']} work with AWS.{old}")


def words_of(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))


def is_known_who(view: StudentView) -> Checked:
    who = told(view, IDENTITY)
    if who is None:
        return Checked(False, f"The bucket has no {IDENTITY} yet.")
    arn, account = str(who.get("Arn", "")), str(who.get("Account", ""))
    if account != view.account_id:
        return Checked(False, f"{IDENTITY} names the account {account or '(none)'}; this lab's is {view.account_id}.")
    if arn.endswith(":root"):
        return Checked(False, "You are root, who may do everything. Delete root's access keys, and use the lab's.")
    if ":assumed-role/" not in arn:
        return Checked(False, f"You are {arn or 'nobody'}: that key never ends. Use the credentials of this lab.")
    return Checked(True, f"You are {arn.rpartition(':')[2]}. These credentials end by themselves.")


def is_in_the_region(view: StudentView) -> Checked:
    name = journal_of(view)
    if has_journal(view, view.region):
        return Checked(True, f"{name} lies in {view.region}, where this lab is. Your tools work in the right region.")
    for region in REGIONS:
        if region != view.region and has_journal(view, region):
            return Checked(False, f"{name} lies in {region}; this lab is in {view.region}. Delete it, and try again.")
    return Checked(False, f"There is no log group {name} in {view.region} yet.")


def has_journal(view: StudentView, region: str) -> bool:
    found = view.client("logs", region).describe_log_groups(logGroupNamePrefix=journal_of(view))["logGroups"]
    return any(group["logGroupName"] == journal_of(view) for group in found)


def has_mfa(view: StudentView) -> Checked:
    if view.mode == "shared":
        return Checked(True, THEIR_MATTER.format(what="MFA"))
    return the_users_have(view) if view.mode == "own" else the_made_user_has(view)


def the_made_user_has(view: StudentView) -> Checked:
    """In practice mode: the user that the student made for this."""
    iam, user = view.client("iam"), user_of(view)
    try:
        path = iam.get_user(UserName=user)["User"]["Path"]
        devices = iam.list_mfa_devices(UserName=user)["MFADevices"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no user {user} yet.")
    if wrong := not_of_labs(user, path):
        return wrong
    if not devices:
        return Checked(False, f"{user} has no MFA device yet.")
    return Checked(True, f"{user} has an MFA device. Now do the same with your phone, for the root user that is yours.")


def the_users_have(view: StudentView) -> Checked:
    """In a real account: root, and everybody who can sign in with a password."""
    iam = view.client("iam")
    root = iam.get_account_summary()["SummaryMap"]
    if not root["AccountMFAEnabled"]:
        return Checked(False, "Root has no MFA. Sign in as root, open Security credentials, and add your phone.")
    if root["AccountAccessKeysPresent"]:
        return Checked(False, "Root has an access key. Sign in as root and delete it: it may do everything, for ever.")
    for user in iam.list_users(MaxItems=MOST_USERS)["Users"]:
        name = user["UserName"]
        try:
            iam.get_login_profile(UserName=name)
        except iam.exceptions.NoSuchEntityException:
            continue  # nobody signs in by it
        if not iam.list_mfa_devices(UserName=name)["MFADevices"]:
            return Checked(False, f"The user {name} signs in with a password and has no MFA. Add a device to it.")
    return Checked(True, "Root and all who sign in with a password have MFA, and root has no access key.")


def has_a_budget(view: StudentView) -> Checked:
    if view.mode == "shared":
        return Checked(True, THEIR_MATTER.format(what="budget"))
    budgets, account = view.client("budgets", "us-east-1"), {"AccountId": view.account_id}
    why = "There is no budget in this account yet."
    for budget in budgets.describe_budgets(**account).get("Budgets", ()):
        name, limit = budget["BudgetName"], budget.get("BudgetLimit", {})
        if view.mode == "practice" and not name.startswith(view.prefix):
            continue  # of an earlier time: there it is made to see how it is done
        if budget["BudgetType"] != "COST" or budget["TimeUnit"] != "MONTHLY" or limit.get("Unit") != "USD":
            why = f"The budget {name} is not a monthly one for costs in USD."
        elif Decimal(limit["Amount"]) > MOST_USD:
            why = f"The budget {name} is {limit['Amount']} USD a month. For learning, take {MOST_USD} or less."
        elif not (mails := told_at(budgets, account | {"BudgetName": name})):
            why = f"The budget {name} tells nobody. Add a mail at 80 % of the actual cost."
        else:
            return Checked(True, f"The budget {name} is {limit['Amount']} USD a month, with a mail at {mails}.")
    return Checked(False, why)


def told_at(budgets: Any, of: dict[str, str]) -> str:
    """ "50 %, 80 %": at which shares of the actual cost a budget writes; '' where it never does."""
    said = budgets.describe_notifications_for_budget(**of).get("Notifications", ())
    shares = sorted(
        each["Threshold"]
        for each in said
        if each["NotificationType"] == "ACTUAL" and each.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE"
    )
    return ", ".join(f"{share:g} %" for share in shares)


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_tools(view: StudentView) -> None:
    put_file(view, TOOLS, json.dumps({"python": "3.12.4", "boto3": "1.40.1", "aws": "aws-cli/2.15.30"}))


def play_identity(view: StudentView) -> None:
    who = view.client("sts").get_caller_identity()
    put_file(view, IDENTITY, json.dumps({"Account": who["Account"], "Arn": who["Arn"]}))


def play_region(view: StudentView) -> None:
    view.client("logs").create_log_group(logGroupName=journal_of(view))


def play_mfa(view: StudentView) -> None:
    if view.mode != "practice":
        return  # nobody but its owner has the phone
    iam, user = view.client("iam"), user_of(view)
    iam.create_user(UserName=user, Path="/lab/", Tags=tag_list(view.tags))
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName=user, SerialNumber=device, **codes)


def play_budget(view: StudentView) -> None:
    if view.mode != "practice":
        return  # the lab's credentials may not, and it would be the owner's to keep
    view.client("budgets", "us-east-1").create_budget(
        AccountId=view.account_id,
        Budget={
            "BudgetName": budget_of(view),
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "10", "Unit": "USD"},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": 80,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "you@example.com"}],
            }
        ],
    )


# --- the words -----------------------------------------------------------------------------------------------

TOOLS_WORDS = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Then run this
program in Python, in the same terminal. It asks your tools for their versions, and puts the answer into a bucket that
the portal made for you:

```python
import json
import platform
import subprocess

import boto3

aws = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=True)
tools = {"python": platform.python_version(), "boto3": boto3.__version__, "aws": aws.stdout.split()[0]}
print(tools)
boto3.client("s3").put_object(Bucket="{bucket.name}", Key="tools.json", Body=json.dumps(tools).encode())
```

And can the `aws` command read what Python wrote?

```bash
aws s3 cp s3://{bucket.name}/tools.json -
```

It needs Python 3.10, boto3 1.28 and version 2.13 of the `aws` command, or newer. The page *Practical: set up your
tools* says how to get them.
"""

WHO = """
The best first command of every session asks AWS who you are. Keep the answer for the check:

```bash
aws sts get-caller-identity
aws sts get-caller-identity --output json > me.json
aws s3 cp me.json s3://{bucket.name}/me.json
```

`assumed-role` in the answer is what you want to see: you have a role for this lab, with credentials that end. `user`
would mean a key that never ends, and `root` the one that may do everything.
"""

REGION = """
Nearly everything in AWS lies in one region, and is invisible from all others. Make an empty log group without saying
where. It costs nothing, and it shows which region your tools take:

```bash
aws logs create-log-group --log-group-name {lab.prefix}here
aws logs describe-log-groups --log-group-name-prefix {lab.prefix} --query 'logGroups[].[logGroupName,arn]'
```

The ARN in the answer says `{region}`. If it says another region, your terminal has an old `AWS_DEFAULT_REGION`, or your
`~/.aws/config` does. In the console, look at the top right before you click anything.
"""

MFA = """
A password alone is not enough for somebody who can start machines.

**In your own account** do this in the browser, with your phone: add MFA to root, delete root's access keys, add MFA to
the user that you work with. The check looks at root, and at all users with a password. You have nothing to copy here.

**In practice mode** there is no phone, so you see how it is done for a user:

```bash
aws iam create-user --user-name {lab.prefix}everyday --path /lab/ \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
DEVICE=$(aws iam create-virtual-mfa-device --virtual-mfa-device-name {lab.prefix}everyday \\
  --outfile mfa.png --bootstrap-method QRCodePNG --query VirtualMFADevice.SerialNumber --output text)
aws iam enable-mfa-device --user-name {lab.prefix}everyday --serial-number $DEVICE \\
  --authentication-code1 123456 --authentication-code2 654321
aws iam list-mfa-devices --user-name {lab.prefix}everyday --query 'MFADevices[].SerialNumber'
```

`mfa.png` is what your phone's app would scan. It holds the secret: who has the picture, has your codes. Delete it.
"""

BUDGET = """
A budget is a smoke detector, and no wall: it sends a mail, some hours late, and stops nothing. It is free.

**In your own account** make it in the browser: *Billing and Cost Management*, *Budgets*, *Monthly cost budget*, 10 USD,
your address, a mail at 80 % of the actual cost. It is yours, and it stays.

**In practice mode** make it by the command:

```bash
cat > budget.json <<'END'
{"BudgetName": "{lab.prefix}month", "BudgetType": "COST", "TimeUnit": "MONTHLY",
 "BudgetLimit": {"Amount": "10", "Unit": "USD"}}
END
cat > mail.json <<'END'
[{"Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80,
                   "ThresholdType": "PERCENTAGE"},
  "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "you@example.com"}]}]
END
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
aws budgets create-budget --region us-east-1 --account-id $ACCOUNT --budget file://budget.json \\
  --notifications-with-subscribers file://mail.json
aws budgets describe-budgets --region us-east-1 --account-id $ACCOUNT \\
  --query 'Budgets[].[BudgetName,BudgetLimit.Amount]'
```
"""

FINISH = """
Press **Finish lab**: bucket, log group and practice user go. A budget and MFA of your own account are not the lab's,
and stay as they are. Then delete `mfa.png` and `me.json` on your computer.
"""

LAB = Lab(
    slug="onboarding-checklist",
    title="Onboarding checklist",
    summary="A checklist that checks itself, before week 1: your tools, who you are to AWS, your region, MFA, and a "
    "budget.",
    theme="Onboarding",
    minutes=30,
    hours=Decimal(2),
    wants=(Want("bucket", "s3-bucket"),),
    steps=(
        Step("tools", "Your tools", TOOLS_WORDS, tools_are_there, play=play_tools),
        Step("who", "Who you are", WHO, is_known_who, play=play_identity),
        Step("region", "In which region you work", REGION, is_in_the_region, play=play_region),
        Step(
            "mfa",
            "A second proof besides the password",
            MFA,
            has_mfa,
            expect="There is no root user and no phone here, and every code is taken. The check looks at the user that "
            "you make. In your own account it looks at root, and at all who have a password.",
            play=play_mfa,
        ),
        Step(
            "budget",
            "A budget that warns you",
            BUDGET,
            has_a_budget,
            expect="The budget is kept, but nobody pays here: it never sends a mail, and it goes with the simulator.",
            play=play_budget,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("iam-user", "log-group"),
    kept=gettext_noop(
        "Bucket, log group and practice user are deleted. The budget and the MFA of your own account stay: they are "
        "yours, and free."
    ),
    calls_note=gettext_noop("A dozen requests to S3 are less than a hundredth of a cent."),
)
