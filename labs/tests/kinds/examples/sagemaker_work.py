"""SageMaker: jobs, pipelines, the model registry, and what practice mode has not got."""

import json
from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example

DEFINITION = {"Version": "2020-12-01", "Parameters": [], "Steps": []}


def bucket(account: AccountOfAye) -> str:
    """The name of a bucket with a line of data under in/."""
    name, s3 = f"by-hand-{uuid4().hex[:12]}", account.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/data.csv", Body=b"1,2\n")
    return name


def package(account: AccountOfAye) -> str:
    """The ARN of a model version, in a group that is there."""
    sagemaker, group = account.client("sagemaker"), f"by-hand-{uuid4().hex[:8]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    made = sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval")
    return made["ModelPackageArn"]


def training(account: AccountOfAye) -> dict:
    where = bucket(account)
    return {
        "algorithm": "xgboost",
        "role_arn": account.role(),
        "type": "ml.m5.large",
        "count": 2,
        "gb": 10,
        "inputs": [{"channel": "train", "uri": f"s3://{where}/in/", "content_type": "text/csv"}],
        "output": f"s3://{where}/out",
        "hyperparameters": {"num_round": 10, "objective": "reg:squarederror"},
        "max_runtime_seconds": 1800,
    }


def tuning(account: AccountOfAye) -> dict:
    ranges = {
        "integer": {"max_depth": [3, 9]},
        "continuous": {"eta": [0.1, 0.5]},
        "categorical": {"booster": ["gbtree"]},
    }
    return training(account) | {"jobs": 3, "parallel": 2, "metric": "validation:rmse", "ranges": ranges}


def processing(account: AccountOfAye) -> dict:
    where = bucket(account)
    return {
        "algorithm": "xgboost",
        "role_arn": account.role(),
        "type": "ml.t3.medium",
        "entrypoint": ["python3", "/opt/ml/processing/code/prepare.py"],
        "arguments": ["--rows", 10],
        "environment": {"MODE": "lab"},
        "inputs": [{"name": "raw", "uri": f"s3://{where}/in/", "path": "/opt/ml/processing/raw"}],
        "outputs": [{"name": "clean", "uri": f"s3://{where}/clean", "path": "/opt/ml/processing/clean"}],
    }


def transform(account: AccountOfAye) -> dict:
    where = bucket(account)
    return {
        "model": account.model(),
        "type": "ml.m5.large",
        "input": f"s3://{where}/in/",
        "output": f"s3://{where}/answers",
    }


def _at_work(kind: str, count: int = 1, disk_gb: int = 0) -> dict:
    return {"machines": [{"type": kind, "count": count, "disk_gb": disk_gb}]}


EXAMPLES = {
    "sagemaker-training-job": Example(params=training, running=_at_work("ml.m5.xlarge", 2, 10)),
    "sagemaker-tuning-job": Example(params=tuning, running=_at_work("ml.m5.xlarge", 4, 10)),
    "sagemaker-processing-job": Example(params=processing, running=_at_work("ml.t3.medium", 1, 10)),
    "sagemaker-transform-job": Example(params=transform, running=_at_work("ml.m5.large")),
    "sagemaker-pipeline": Example(
        params=lambda account: {"role_arn": account.role(), "definition": json.dumps(DEFINITION)}
    ),
    "sagemaker-model-package-group": Example(params=lambda account: {"description": "Churn models"}),
    "sagemaker-model-package": Example(
        by_hand=package, missing_id="arn:aws:sagemaker:us-east-1:600000000001:model-package/nobodys/1"
    ),
    "sagemaker-lifecycle-config": Example(
        params=lambda account: {"on_start": "#!/bin/bash\nset -e\n", "on_create": "#!/bin/bash\n"}
    ),
    "sagemaker-inference-component": Example(params=lambda account: {"endpoint": "e", "model": "m", "cpus": 1}),
    "sagemaker-feature-group": Example(
        params=lambda account: {"record_id": "id", "event_time": "at", "features": {"id": "String", "at": "String"}},
        running={"online": True, "storage": "Standard", "online_mb": 300, "reads": 0, "writes": 0},
    ),
    "sagemaker-mlflow-server": Example(
        params=lambda account: {"artifacts": "s3://b/mlflow", "role_arn": "arn:aws:iam::1:role/r"},
        running={"size": "Small"},
    ),
}
