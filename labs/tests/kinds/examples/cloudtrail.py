"""CloudTrail: who did what."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example


def bucket(account: AccountOfAye) -> str:
    name = f"trail-{uuid4().hex}"
    account.client("s3").create_bucket(Bucket=name)
    return name


EXAMPLES = {"cloudtrail-trail": Example(params=lambda account: {"bucket": bucket(account)})}
