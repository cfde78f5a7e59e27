"""SageMaker models: a container image and where the model's files are. Free; the endpoint is what costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

# The accounts from which AWS serves its built-in XGBoost 1.7-1 image, region by region (sagemaker-python-sdk,
# image_uri_config/xgboost.json, read 2026-11-22).
XGBOOST_ACCOUNTS = {
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
    "eu-west-1": "141502667606",
    "eu-central-1": "492215442770",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-northeast-1": "354813040037",
}


class SageMakerModel(SageMakerKind):
    """params: role_arn, data_url (s3://.../model.tar.gz), and algorithm ("xgboost": AWS's own image of the region) or
    image (a URI)."""

    name, title, icon, arn_type = "sagemaker-model", "SageMaker model", "brain", "sagemaker:model"
    arn_member = "ModelArn"
    is_free, goes_after = True, ("sagemaker-endpoint-config", "sagemaker-inference-component")
    lost_on_delete = gettext_noop("The model's files stay in their bucket.")

    def create(self, client, want: Want) -> None:
        client.create_model(
            ModelName=want.name,
            ExecutionRoleArn=want.params["role_arn"],
            PrimaryContainer={"Image": image_of(client, want.params), "ModelDataUrl": want.params["data_url"]},
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_model(ModelName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_model(ModelName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_models", "Models")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)


def image_of(client, params: Mapping[str, Any]) -> str:
    """The container image asked for by its URI ("image"), or AWS's own of the region ("algorithm": "xgboost").

    Raises Refused where none is known.
    """
    if params.get("image"):
        return params["image"]
    region = client.meta.region_name
    if params.get("algorithm") != "xgboost" or region not in XGBOOST_ACCOUNTS:
        raise Refused(f"No image is known for {params.get('algorithm') or 'this model'} in {region}.")
    return f"{XGBOOST_ACCOUNTS[region]}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    container = answer.get("PrimaryContainer") or {}
    facts = {"arn": answer["ModelArn"]}
    if whole:
        facts |= {"image": container.get("Image", ""), "data_url": container.get("ModelDataUrl", "")}
    return Seen(
        RUNNING,
        aws_id=answer["ModelName"],
        name=answer["ModelName"],
        since=utc(answer["CreationTime"]),
        facts=facts,
        tags=tags,
        mark=mark(answer["CreationTime"]),
        whole=whole,
    )
