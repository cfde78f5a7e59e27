"""SageMaker: notebooks, models, and what serves them."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "sagemaker-notebook": Example(
        params=lambda account: {"type": "ml.t3.medium", "gb": 5, "role_arn": account.role()},
        running={"type": "ml.t3.medium", "disk_gb": 5},
    ),
    "sagemaker-model": Example(
        params=lambda account: {
            "algorithm": "xgboost",
            "data_url": "s3://bucket/model.tar.gz",
            "role_arn": account.role(),
        }
    ),
    "sagemaker-endpoint-config": Example(params=lambda account: {"model": account.model(), "type": "ml.m5.large"}),
    "sagemaker-endpoint": Example(
        params=lambda account: {"config": account.endpoint_config()},
        running={
            "variants": [{"name": "AllTraffic", "type": "ml.m5.large", "count": 1, "disk_gb": 4, "serverless": False}]
        },
        # An endpoint's machines are named by its configuration.
        parents={"config": {"type": "ml.m5.large"}},
    ),
}
