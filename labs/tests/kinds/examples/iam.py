"""IAM: who may what."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example

READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab-bucket/*"}],
}


def key_of_a_user(account: AccountOfAye) -> str:
    """As a student makes one: a user, and a key of the user's."""
    iam, user = account.client("iam"), f"by-hand-{uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    return f"{user}/{iam.create_access_key(UserName=user)['AccessKey']['AccessKeyId']}"


EXAMPLES = {
    "iam-role": Example(params=lambda account: {"trust": "ec2.amazonaws.com", "inline_policies": {"reads": READS}}),
    "instance-profile": Example(params=lambda account: {"role": account.role().rsplit("/", 1)[-1]}),
    "iam-user": Example(params=lambda account: {"inline_policies": {"reads": READS}}),
    "iam-group": Example(params=lambda account: {"inline_policies": {"reads": READS}}),
    "iam-policy": Example(params=lambda account: {"document": READS}, missing_id="arn:aws:iam::100000000001:policy/x"),
    "iam-access-key": Example(by_hand=key_of_a_user, missing_id="nobody/AKIA0000000000000000"),
}
