"""The sorts of things that the strict services know, as AWS tells of them: how their calls and members are named, which
words it has for their states, how long those take, and what it answers when one is not there, taken, or busy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REGION, ACCOUNT = "us-east-1", "500000000001"


@dataclass(frozen=True)
class Sort:
    """One sort of thing. coming, up, going: AWS's words. known_by: the members that name one in a call. ready_after,
    gone_after: seconds. made, changed: the members that date it."""

    service: str
    create: str
    describe: str
    lists: str
    delete: str
    listed_in: str
    known_by: tuple[str, ...]
    arn: str
    arn_member: str
    coming: str = "Pending"
    up: str = "InService"
    going: str = "Deleting"
    status: str = "Status"
    made: str = "CreationTime"
    changed: str = "LastModifiedTime"
    wrapped_in: str = ""
    missing: str = "ResourceNotFound"
    taken: str = "ResourceInUse"
    busy: str = "ResourceInUse"
    ready_after: float = 20
    gone_after: float = 15


def _sagemaker(stem: str, listed_in: str, arn: str, arn_member: str, **more: Any) -> Sort:
    lists = more.pop("lists", f"List{stem}s")
    return Sort("sagemaker", f"Create{stem}", f"Describe{stem}", lists, f"Delete{stem}", listed_in,
                arn=f"sagemaker:{REGION}:{ACCOUNT}:{arn}", arn_member=arn_member, **more)  # fmt: skip


_MADE = {"coming": "Creating", "up": "Created"}
_IN_CAPITALS = {"coming": "CREATING", "up": "ACTIVE", "going": "DELETING"}
_ELSEWHERE = {"missing": "ResourceNotFoundException", "taken": "ConflictException", "busy": "ConflictException"}
_IN_BEDROCK = {"arn_member": "", "status": "status", "made": "createdAt", "changed": "updatedAt", **_ELSEWHERE}

SORTS = {
    "domain": _sagemaker("Domain", "Domains", "domain/{id}", "DomainArn", known_by=("DomainId",), ready_after=60),
    "profile": _sagemaker(
        "UserProfile", "UserProfiles", "user-profile/{id}", "UserProfileArn", known_by=("DomainId", "UserProfileName")
    ),
    "space": _sagemaker("Space", "Spaces", "space/{id}", "SpaceArn", known_by=("DomainId", "SpaceName")),
    "app": _sagemaker(
        "App", "Apps", "app/{id}", "AppArn", known_by=("DomainId", "SpaceName", "UserProfileName", "AppType", "AppName")
    ),
    "mlflow": _sagemaker(
        "MlflowTrackingServer", "TrackingServerSummaries", "mlflow-tracking-server/{id}", "TrackingServerArn",
        known_by=("TrackingServerName",), status="TrackingServerStatus", busy="ConflictException",
        ready_after=90, **_MADE,
    ),
    "features": _sagemaker(
        "FeatureGroup", "FeatureGroupSummaries", "feature-group/{id}", "FeatureGroupArn",
        known_by=("FeatureGroupName",), status="FeatureGroupStatus", **_MADE,
    ),
    "component": _sagemaker(
        "InferenceComponent", "InferenceComponents", "inference-component/{id}", "InferenceComponentArn",
        known_by=("InferenceComponentName",), status="InferenceComponentStatus", coming="Creating",
    ),
    "index": Sort(
        "kendra", "CreateIndex", "DescribeIndex", "ListIndices", "DeleteIndex", "IndexConfigurationSummaryItems",
        ("Id",),
        f"kendra:{REGION}:{ACCOUNT}:index/{{id}}", "", made="CreatedAt", changed="UpdatedAt", ready_after=90,
        **_IN_CAPITALS, **_ELSEWHERE,
    ),
    "throughput": Sort(
        "bedrock", "CreateProvisionedModelThroughput", "GetProvisionedModelThroughput",
        "ListProvisionedModelThroughputs", "DeleteProvisionedModelThroughput", "provisionedModelSummaries",
        ("provisionedModelId",), f"bedrock:{REGION}:{ACCOUNT}:provisioned-model/{{id}}", "provisionedModelArn",
        status="status", coming="Creating", made="creationTime", changed="lastModifiedTime", gone_after=0, **_ELSEWHERE,
    ),
    "base": Sort(
        "bedrock-agent", "CreateKnowledgeBase", "GetKnowledgeBase", "ListKnowledgeBases", "DeleteKnowledgeBase",
        "knowledgeBaseSummaries", ("knowledgeBaseId",), f"bedrock:{REGION}:{ACCOUNT}:knowledge-base/{{id}}",
        wrapped_in="knowledgeBase", **(_IN_BEDROCK | {"arn_member": "knowledgeBaseArn"}), **_IN_CAPITALS,
    ),
    "source": Sort(
        "bedrock-agent", "CreateDataSource", "GetDataSource", "ListDataSources", "DeleteDataSource",
        "dataSourceSummaries", ("knowledgeBaseId", "dataSourceId"), "", wrapped_in="dataSource", up="AVAILABLE",
        coming="AVAILABLE", going="DELETING", **_IN_BEDROCK,
    ),
}  # fmt: skip
