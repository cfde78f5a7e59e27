"""S3: a bucket laid out for ML, and a function that is called for what comes into one."""

from uuid import uuid4

from labs.tests.kinds.examples.lambda_functions import function
from labs.tests.kinds.examples.world import Example

LIFECYCLE = [
    {
        "ID": "raw",
        "Status": "Enabled",
        "Filter": {"Prefix": "raw/"},
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
    }
]


def bucket(account) -> str:
    """The name of a bucket as labs name theirs."""
    name = f"lab-by-hand-{uuid4().hex[:8]}"
    account.client("s3").create_bucket(Bucket=name)
    return name


def function_that_s3_may_call(account) -> str:
    name, client = function(account), account.client("lambda")
    client.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    return client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]


EXAMPLES = {
    "s3-bucket": Example(
        params=lambda account: {"versioning": True, "lifecycle": LIFECYCLE, "prefixes": ["raw/", "processed/"]},
        running={"bytes": {"STANDARD": 3 * 2**30}},
    ),
    "s3-trigger": Example(
        params=lambda account: {
            "bucket": bucket(account),
            "function_arn": function_that_s3_may_call(account),
            "prefix": "raw/",
            "suffix": ".csv",
        },
        missing_id="lab-no-such-bucket/lab-no-such-trigger",
    ),
}
