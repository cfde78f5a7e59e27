"""Lab: an IAM group for two people, first with a policy of AWS's, then with one that reaches one bucket."""

import json
from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import PAYMENTS_IN_RAW
from labs.catalog.policies import (
    AS_YOURSELF,
    documents_of,
    fault_in,
    more_than_reading,
    not_of_labs,
    reading,
)
from labs.kinds.base import Want

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
PEOPLE = ("aye", "bo")


def group_of(view: StudentView) -> str:
    return f"{view.prefix}readers"


# --- the checks ----------------------------------------------------------------------------------------------


def may_do_nothing_themselves(view: StudentView) -> Checked:
    for person in PEOPLE:
        name = view.resources[person]["name"]
        if documents_of(view.client("iam"), "user", name):
            return Checked(False, f"{name} has a policy of its own. Take it off: policies belong on groups.")
    return Checked(True, "Both are there, and neither may do anything yet.")


def reads_all_buckets(view: StudentView) -> Checked:
    iam, group = view.client("iam"), group_of(view)
    try:
        made = iam.get_group(GroupName=group)["Group"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no group {group} yet.")
    if wrong := not_of_labs(group, made["Path"]):
        return wrong
    attached = [policy["PolicyArn"] for policy in iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]]
    if READ_ONLY not in attached:
        return Checked(False, f"{group} does not have the policy AmazonS3ReadOnlyAccess yet.")
    return Checked(True, f"{group} has AmazonS3ReadOnlyAccess. Nobody is in it yet, so nobody may do more than before.")


def both_are_in(view: StudentView) -> Checked:
    iam, group = view.client("iam"), group_of(view)
    try:
        there = {user["UserName"] for user in iam.get_group(GroupName=group)["Users"]}
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no group {group} yet (the step before).")
    missing = [view.resources[person]["name"] for person in PEOPLE if view.resources[person]["name"] not in there]
    if missing:
        return Checked(False, f"Not in the group yet: {', '.join(missing)}.")
    return Checked(True, "Both are in the group, and have what it has.")


def reads_one_bucket(view: StudentView) -> Checked:
    iam, group, bucket = view.client("iam"), group_of(view), view.resources["bucket"]["arn"]
    try:
        documents = documents_of(iam, "group", group)
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no group {group} yet.")
    fault = fault_in(documents, reading(bucket), more_than_reading(bucket))
    return Checked(not fault, fault or f"Who is in {group} may list and read this one bucket, and nothing else.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_group(view: StudentView) -> None:
    iam = view.client("iam")
    iam.create_group(GroupName=group_of(view), Path="/lab/")
    iam.attach_group_policy(GroupName=group_of(view), PolicyArn=READ_ONLY)


def play_members(view: StudentView) -> None:
    for person in PEOPLE:
        view.client("iam").add_user_to_group(GroupName=group_of(view), UserName=view.resources[person]["name"])


def play_narrow(view: StudentView) -> None:
    iam, group, bucket = view.client("iam"), group_of(view), view.resources["bucket"]["arn"]
    reads = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": reads})
    iam.put_group_policy(GroupName=group, PolicyName="read-one-bucket", PolicyDocument=document)
    iam.detach_group_policy(GroupName=group, PolicyArn=READ_ONLY)


# --- the words -----------------------------------------------------------------------------------------------

LOOK = f"""
Two people came to your team, Aye and Bo. The portal made a user for each, and a bucket with data. Press **Get temporary
credentials**, paste them into your terminal (on Windows: Git Bash or WSL), and see what the two may do:

```bash
for person in {{aye.name}} {{bo.name}}; do
  aws iam list-groups-for-user --user-name $person --query 'Groups[].GroupName'
  aws iam list-attached-user-policies --user-name $person --query 'AttachedPolicies[].PolicyName'
done
```

Nothing at all. Neither has a password or a key, so nobody can sign in as them.
{AS_YOURSELF}"""

GROUP = """
A group is a list of people who may do the same. Make one, and give it a policy that AWS keeps ready:

```bash
aws iam create-group --group-name {lab.prefix}readers --path /lab/
aws iam attach-group-policy --group-name {lab.prefix}readers \\
  --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
```

A group is not an identity. It cannot sign in, cannot own anything, and a bucket's policy cannot name it.
"""

MEMBERS = """
Put both people in:

```bash
aws iam add-user-to-group --group-name {lab.prefix}readers --user-name {aye.name}
aws iam add-user-to-group --group-name {lab.prefix}readers --user-name {bo.name}
aws iam get-group --group-name {lab.prefix}readers --query 'Users[].UserName'
```

Two people, one policy. For the third one it is one command more.
"""

NARROW = """
`AmazonS3ReadOnlyAccess` reads **every** bucket of the account, also those with salaries and customers. Your team needs
one. Write a policy for this one bucket, and take the other off:

```bash
cat > read-one-bucket.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket.name}/*"}
  ]
}
END
aws iam put-group-policy --group-name {lab.prefix}readers \\
  --policy-name read-one-bucket --policy-document file://read-one-bucket.json
aws iam detach-group-policy --group-name {lab.prefix}readers \\
  --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
```

You did not touch Aye or Bo, and both have less than before. The check asks the policies that are in force: may they
read this bucket? Another one? May they write?
"""

FINISH = """
Press **Finish lab**. The group is yours, so the portal looks for it and deletes it too. AWS deletes no group that still
has people or policies: both go first.
"""

LAB = Lab(
    slug="iam-group",
    title="An IAM group for two people",
    summary="Two people get the same rights through one group; then the group gets less, and both have less.",
    theme="Introduction to cloud computing",
    minutes=25,
    hours=Decimal(1),
    wants=(
        Want("bucket", "s3-bucket", {"objects": PAYMENTS_IN_RAW}),
        Want("aye", "iam-user"),
        Want("bo", "iam-user"),
    ),
    steps=(
        Step("look", "See two people who may do nothing", LOOK, may_do_nothing_themselves),
        Step("group", "Make a group that reads", GROUP, reads_all_buckets, play=play_group),
        Step(
            "members",
            "Put both people into it",
            MEMBERS,
            both_are_in,
            expect="Policies are kept and shown, but not enforced. Nobody is refused anything here.",
            play=play_members,
        ),
        Step("narrow", "Let the group read one bucket only", NARROW, reads_one_bucket, play=play_narrow),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    # In the bootcamp's account students make no groups.
    modes=("practice", "own"),
    creates=("iam-group",),
    kept=gettext_noop("Nothing stays: the group, both users and the bucket are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("IAM costs nothing; $0.01 of that sum is for the calls to S3."),
)
