"""Lab: an IAM user that gets what it may do from a group, and has no key."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.policies import AS_YOURSELF, not_of_labs

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def user_of(view: StudentView) -> str:
    return f"{view.prefix}aye"


def group_of(view: StudentView) -> str:
    return f"{view.prefix}readers"


# --- the checks ----------------------------------------------------------------------------------------------


def is_made(view: StudentView) -> Checked:
    iam, user = view.client("iam"), user_of(view)
    try:
        made = iam.get_user(UserName=user)["User"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no user {user} yet.")
    wrong = not_of_labs(user, made["Path"]) or has_nothing_of_its_own(view)
    return wrong or Checked(True, f"{user} is there, and may do nothing yet.")


def has_nothing_of_its_own(view: StudentView) -> Checked | None:
    """None, or a check that failed because the user has a policy that is not a group's."""
    iam, user = view.client("iam"), user_of(view)
    own = iam.list_user_policies(UserName=user)["PolicyNames"]
    own += [policy["PolicyName"] for policy in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]]
    if own:
        return Checked(False, f"{user} has the policy {own[0]} itself. Take it off: policies belong on groups.")
    return None


def groups_of_user(view: StudentView) -> list[str]:
    groups = view.client("iam").list_groups_for_user(UserName=user_of(view))["Groups"]
    return [group["GroupName"] for group in groups]


def reads_through_a_group(view: StudentView) -> Checked:
    iam, user, group = view.client("iam"), user_of(view), group_of(view)
    try:
        attached = iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]
    except iam.exceptions.NoSuchEntityException:
        return Checked(False, f"There is no group {group} yet.")
    if [policy["PolicyArn"] for policy in attached] != [READ_ONLY]:
        names = ", ".join(policy["PolicyName"] for policy in attached) or "no policy"
        return Checked(False, f"{group} has {names}. It needs AmazonS3ReadOnlyAccess, and nothing more.")
    if group not in groups_of_user(view):
        return Checked(False, f"{user} is not in {group} yet.")
    return has_nothing_of_its_own(view) or Checked(True, f"{user} may read S3, because {group} may.")


def has_no_key(view: StudentView) -> Checked:
    iam, user = view.client("iam"), user_of(view)
    keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    if keys:
        return Checked(False, f"{user} has the access key {keys[0]['AccessKeyId']}. Delete it: it never ends.")
    return has_nothing_of_its_own(view) or Checked(True, f"{user} has no key, and nothing that is not a group's.")


def has_left(view: StudentView) -> Checked:
    left_in = groups_of_user(view)
    if left_in:
        return Checked(False, f"{user_of(view)} is still in {left_in[0]}.")
    return has_nothing_of_its_own(view) or Checked(True, f"{user_of(view)} is in no group, and may do nothing again.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_make(view: StudentView) -> None:
    tags = [{"Key": key, "Value": value} for key, value in view.tags.items()]
    view.client("iam").create_user(UserName=user_of(view), Path="/lab/", Tags=tags)


def play_group(view: StudentView) -> None:
    iam, group = view.client("iam"), group_of(view)
    iam.create_group(GroupName=group, Path="/lab/")
    iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    iam.add_user_to_group(GroupName=group, UserName=user_of(view))


def play_leave(view: StudentView) -> None:
    view.client("iam").remove_user_from_group(GroupName=group_of(view), UserName=user_of(view))


# --- the words -----------------------------------------------------------------------------------------------

MAKE = f"""
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Make a user for a
colleague, Aye:

```bash
aws iam create-user --user-name {{lab.prefix}}aye --path /lab/ \\
  --tags Key=student,Value={{lab.student}} Key=lab,Value={{lab.tag}}
aws iam get-user --user-name {{lab.prefix}}aye
```

Aye may do nothing yet. IAM says no, until a policy says yes. Keep name and path as they are: by these the portal knows
that the user belongs to this lab.
{AS_YOURSELF}"""

GROUP = """
Make a group for everybody who reads data. Give the policy to the group, and put Aye into it:

```bash
aws iam create-group --group-name {lab.prefix}readers --path /lab/
aws iam attach-group-policy --group-name {lab.prefix}readers \\
  --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
aws iam add-user-to-group --group-name {lab.prefix}readers --user-name {lab.prefix}aye
```

A policy directly on Aye would work too. But the next colleague needs the same, and when Aye changes teams, somebody has
to remember what she had. With groups, one line is added or removed.
"""

LOOK = """
Where do Aye's rights come from? Look in the three places where they can be:

```bash
aws iam list-groups-for-user --user-name {lab.prefix}aye --query 'Groups[].GroupName'
aws iam list-attached-user-policies --user-name {lab.prefix}aye
aws iam list-user-policies --user-name {lab.prefix}aye
aws iam list-access-keys --user-name {lab.prefix}aye
```

Only the first list has something in it. The last one is empty too: Aye has **no access key**, and gets none. An access
key never ends by itself. It gets into notebooks, chats and Git, and whoever finds it is Aye. For the browser, a person
has a password with MFA. For programs there are roles: their credentials end after some hours.
"""

LEAVE = """
Aye goes to another team. One command takes away all that she could do:

```bash
aws iam remove-user-from-group --group-name {lab.prefix}readers --user-name {lab.prefix}aye
aws iam list-groups-for-user --user-name {lab.prefix}aye
```

The user is still there. In real life you would delete it too: nobody notices when an unused one is stolen.
"""

FINISH = """
Press **Finish lab**. The portal finds the user and the group that you made, and deletes them in the right order: first
what hangs on them, then they themselves. AWS refuses any other order.
"""

LAB = Lab(
    slug="iam-user",
    title="An IAM user, and its rights through a group",
    summary="Make a user, let it read S3 through a group, and see why it gets no access key.",
    theme="Introduction to cloud computing",
    minutes=25,
    hours=Decimal(1),
    wants=(),
    steps=(
        Step("make", "Make a user", MAKE, is_made, play=play_make),
        Step(
            "group",
            "Let it read, through a group",
            GROUP,
            reads_through_a_group,
            expect="Policies are kept and shown, but not enforced. Nobody is refused anything here.",
            play=play_group,
        ),
        Step("look", "See where its rights come from, and that it has no key", LOOK, has_no_key),
        Step("leave", "Take the rights away again", LEAVE, has_left, play=play_leave),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    # In the bootcamp's account students make no users.
    modes=("practice", "own"),
    creates=("iam-user", "iam-group"),
    kept=gettext_noop("Nothing stays: the user and the group are deleted. IAM costs nothing."),
)
