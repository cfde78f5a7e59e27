"""Lab, for practice mode only: a badly configured account is looked at as an attacker does, and mended hole by hole."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.policies import documents_of, fault_in, trusted_by
from labs.policy_evaluator import Call

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
RUNS_THE_PIPELINE = "sagemaker.amazonaws.com"


def role_arn(view: StudentView, role: str) -> str:
    return f"arn:aws:iam::{view.account_id}:role/lab/{view.prefix}{role}"


def the_policy(view: StudentView) -> str:
    """The ARN of the contractor's policy."""
    return f"arn:aws:iam::{view.account_id}:policy/lab/{view.prefix}contractor"


def hands_over(view: StudentView, role: str) -> Call:
    return Call("iam:PassRole", role_arn(view, role), {"iam:PassedToService": "ec2.amazonaws.com"})


# --- the checks ----------------------------------------------------------------------------------------------


def holes_are_open(view: StudentView) -> Checked:
    iam = view.client("iam")
    try:
        trusted = trusted_by(iam.get_role(RoleName=f"{view.prefix}pipeline-admin")["Role"])
        keys = iam.list_access_keys(UserName=f"{view.prefix}old-intern")["AccessKeyMetadata"]
        documents = documents_of(iam, "user", f"{view.prefix}contractor")
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, "The account of the start-up is not set up yet. Run badly-configured.sh.")
    takes_over = {"hand over pipeline-admin": hands_over(view, "pipeline-admin")}
    if "*" not in trusted or not keys or fault_in(documents, takes_over, {}):
        return Checked(False, "A part of the set-up is missing. Finish this lab, start it again, and run the script.")
    return Checked(True, "Three ways in are open: a role for everybody, a key that never ends, a ladder to the top.")


def trust_is_closed(view: StudentView) -> Checked:
    iam, name = view.client("iam"), f"{view.prefix}pipeline-admin"
    try:
        trusted = trusted_by(iam.get_role(RoleName=name)["Role"])
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no role {name}. The pipeline needs it: only its trust is wrong.")
    if trusted != {RUNS_THE_PIPELINE}:
        said = ", ".join(sorted(trusted)) or "nobody"
        return Checked(False, f"{name} trusts {said}. It must trust {RUNS_THE_PIPELINE}, and nobody else.")
    return Checked(True, f"Only SageMaker may use {name} now.")


def key_and_user_are_gone(view: StudentView) -> Checked:
    iam, user = view.client("iam"), f"{view.prefix}old-intern"
    try:
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    except iam.exceptions.NoSuchEntityException:
        if was_never_set_up(view):
            return Checked(False, "The account of the start-up is not set up yet (the first step).")
        return Checked(True, f"{user} and its key are gone. Whoever has the file has nothing.")
    active = [key["AccessKeyId"] for key in keys if key["Status"] == "Active"]
    if active:
        return Checked(False, f"The key {active[0]} is still active. Switch it off first.")
    if keys:
        return Checked(False, f"The key {keys[0]['AccessKeyId']} is switched off. Delete it.")
    return Checked(False, f"The key is gone. But {user} is still there, and nobody needs this user: delete it.")


def was_never_set_up(view: StudentView) -> bool:
    """Nothing was set up: what is not there was never taken away."""
    iam = view.client("iam")
    try:
        iam.get_role(RoleName=f"{view.prefix}pipeline-admin")
    except iam.exceptions.NoSuchEntityException:
        return True
    return False


def ladder_is_gone(view: StudentView) -> Checked:
    iam, user = view.client("iam"), f"{view.prefix}contractor"
    try:
        documents = documents_of(iam, "user", user)
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no user {user}. The contractor still has work to do here.")
    fault = fault_in(
        documents,
        {"start a machine": Call("ec2:RunInstances"), "give it the role worker": hands_over(view, "worker")},
        {
            "give it the role pipeline-admin": hands_over(view, "pipeline-admin"),
            "give it other roles": hands_over(view, "another"),
        },
    )
    return Checked(not fault, fault or f"{user} may start machines as worker, and cannot climb any higher.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def written(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(who: dict[str, str]) -> str:
    return written({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})


def contractors(passes: str) -> str:
    return written(
        {"Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:Describe*"], "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": passes},
    )


def play_open(view: StudentView) -> None:
    """What badly-configured.sh does, but for the file with the key's secret, which nobody needs here."""
    iam, prefix = view.client("iam"), view.prefix
    for role, who in (("worker", {"Service": "ec2.amazonaws.com"}), ("pipeline-admin", {"AWS": "*"})):
        iam.create_role(RoleName=f"{prefix}{role}", Path="/lab/", AssumeRolePolicyDocument=trusting(who))
    iam.attach_role_policy(RoleName=f"{prefix}pipeline-admin", PolicyArn=ADMIN)
    iam.create_policy(PolicyName=f"{prefix}contractor", Path="/lab/", PolicyDocument=contractors("*"))
    for user, policy in (("contractor", the_policy(view)), ("old-intern", ADMIN)):
        iam.create_user(UserName=f"{prefix}{user}", Path="/lab/")
        iam.attach_user_policy(UserName=f"{prefix}{user}", PolicyArn=policy)
    iam.create_access_key(UserName=f"{prefix}old-intern")


def play_trust(view: StudentView) -> None:
    view.client("iam").update_assume_role_policy(
        RoleName=f"{view.prefix}pipeline-admin", PolicyDocument=trusting({"Service": RUNS_THE_PIPELINE})
    )


def play_key(view: StudentView) -> None:
    iam, user = view.client("iam"), f"{view.prefix}old-intern"
    for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.detach_user_policy(UserName=user, PolicyArn=ADMIN)
    iam.delete_user(UserName=user)


def play_ladder(view: StudentView) -> None:
    view.client("iam").create_policy_version(
        PolicyArn=the_policy(view), PolicyDocument=contractors(role_arn(view, "worker")), SetAsDefault=True
    )


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
A start-up set up IAM in a hurry. Press **Get temporary credentials** and paste them into your terminal (on Windows: Git
Bash or WSL). Take `badly-configured.sh` from this week's material; it makes the start-up's users and roles in your
practice account.

```bash
bash badly-configured.sh {lab.prefix}
```

Now be the attacker. You found `leaked.env` in a public repository. Whose key is it, and what can it see?

```bash
(
  unset AWS_SESSION_TOKEN
  . ./leaked.env
  aws sts get-caller-identity --query Arn
  aws iam list-users --query 'Users[].UserName'
  aws iam list-roles --query 'Roles[].RoleName'
)
```

One file was enough, and the key works until somebody ends it. Do this here only. In an account that is not yours it is
a crime in most countries, also when the door was open.
"""

TRUST = """
Mend first what **everybody** can use now. Who may use the role of the pipeline?

```bash
aws iam get-role --role-name {lab.prefix}pipeline-admin --query 'Role.AssumeRolePolicyDocument.Statement'
```

`"AWS": "*"` means every AWS account in the world, and the role may do everything. The pipeline runs in SageMaker, so
trust SageMaker and nobody else:

```bash
cat > trust.json <<'END'
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
  ]
}
END
aws iam update-assume-role-policy --role-name {lab.prefix}pipeline-admin --policy-document file://trust.json
```
"""

KEY = """
Next, what needs **one leaked secret**. How old is the key? In a real account you would also ask when it was last used.

```bash
aws iam list-access-keys --user-name {lab.prefix}old-intern
```

Switch the key off first. If something important breaks, you can switch it on again. Then delete it, and the user too:
its owner left long ago. AWS deletes no user that still has something.

```bash
KEY=$(aws iam list-access-keys --user-name {lab.prefix}old-intern \\
  --query 'AccessKeyMetadata[0].AccessKeyId' --output text)
aws iam update-access-key --user-name {lab.prefix}old-intern --access-key-id $KEY --status Inactive
aws iam delete-access-key --user-name {lab.prefix}old-intern --access-key-id $KEY
aws iam detach-user-policy --user-name {lab.prefix}old-intern \\
  --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
aws iam delete-user --user-name {lab.prefix}old-intern
```

Attack once more:

```bash
( unset AWS_SESSION_TOKEN; . ./leaked.env; aws sts get-caller-identity ) || echo "The key opens nothing any more."
```

Taking the file out of Git would not have helped: who copied it still has it.
"""

LADDER = """
Last, what needs a **dishonest or hacked contractor**. Read what the contractor may do:

```bash
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
POLICY=arn:aws:iam::$ACCOUNT:policy/lab/{lab.prefix}contractor
VERSION=$(aws iam get-policy --policy-arn $POLICY --query Policy.DefaultVersionId --output text)
aws iam get-policy-version --policy-arn $POLICY --version-id $VERSION --query PolicyVersion.Document
```

Each line looks harmless. Together they are a ladder: start a machine, give it `pipeline-admin`, log in, and be admin.
Leave the contractor the one role that the work needs:

```bash
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
cat > contractor.json <<END
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:Describe*"], "Resource": "*"},
    {
      "Effect": "Allow",
      "Action": "iam:PassRole",
      "Resource": "arn:aws:iam::$ACCOUNT:role/lab/{lab.prefix}worker",
      "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    }
  ]
}
END
aws iam create-policy-version --policy-arn arn:aws:iam::$ACCOUNT:policy/lab/{lab.prefix}contractor \\
  --policy-document file://contractor.json --set-as-default
```

The check asks the new policy: may the contractor still work? May a machine of theirs still become admin?
"""

FINISH = """
Delete `leaked.env` on your computer. Then press **Finish lab**: users, roles, the policy and its old version go.
Bring your answer on Saturday: which of the three would you have found in your own company?
"""

LAB = Lab(
    slug="iam-misconfigured",
    title="Find the holes, and mend them",
    summary="Attack a badly configured account with a leaked key, then close three holes: a role for everybody, the "
    "key, and a ladder to admin. In practice mode only.",
    theme="Introduction to cloud computing",
    minutes=45,
    hours=Decimal(2),
    wants=(),
    steps=(
        Step(
            "look",
            "Look at it as an attacker does",
            LOOK,
            holes_are_open,
            expect="The leaked key really works here. Policies and trust are kept and judged by the checks, but not "
            "enforced: every key of the account may do everything.",
            play=play_open,
        ),
        Step("trust", "Close the role that everybody may use", TRUST, trust_is_closed, play=play_trust),
        Step("key", "End the key, and its user", KEY, key_and_user_are_gone, play=play_key),
        Step("ladder", "Take away the ladder", LADDER, ladder_is_gone, play=play_ladder),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    # Nobody opens such holes in an account where somebody can come through.
    modes=("practice",),
    creates=("iam-user", "iam-role", "iam-policy", "iam-access-key"),
    kept=gettext_noop("Nothing stays: all users, roles, keys and policies of the start-up are deleted."),
)
