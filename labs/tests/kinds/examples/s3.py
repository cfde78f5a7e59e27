"""S3: a bucket laid out for ML."""

from labs.tests.kinds.examples.world import Example

LIFECYCLE = [
    {
        "ID": "raw",
        "Status": "Enabled",
        "Filter": {"Prefix": "raw/"},
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
    }
]

EXAMPLES = {
    "s3-bucket": Example(
        params=lambda account: {"versioning": True, "lifecycle": LIFECYCLE, "prefixes": ["raw/", "processed/"]},
        running={"bytes": {"STANDARD": 3 * 2**30}},
    ),
}
