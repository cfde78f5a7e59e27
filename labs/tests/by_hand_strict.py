"""What somebody makes by hand in the strict services, and without any tag or name of ours: {kind: how}."""

from __future__ import annotations

from typing import Any

from labs.tests.strict_services import StrictServices
from labs.tests.strict_sorts import ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/mine"
SOURCE = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::mine"}}


def domain(services: StrictServices, clock: Any, name: str = "mine") -> str:
    """Its id, when it is up and shown."""
    client = services.client(None, "sagemaker")
    settings = {"ExecutionRole": ROLE}
    asked = {"DomainName": name, "AuthMode": "IAM", "DefaultUserSettings": settings}
    made = client.create_domain(**asked, VpcId="vpc-1", SubnetIds=["subnet-1"])
    clock.tick(61)
    return made["DomainArn"].rsplit("/", 1)[-1]


def profile(services: StrictServices, clock: Any) -> str:
    inside = domain(services, clock)
    services.client(None, "sagemaker").create_user_profile(DomainId=inside, UserProfileName="aye")
    clock.tick(21)
    return inside


def space(services: StrictServices, clock: Any) -> str:
    inside = profile(services, clock)
    services.client(None, "sagemaker").create_space(
        DomainId=inside,
        SpaceName="desk",
        OwnershipSettings={"OwnerUserProfileName": "aye"},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={
            "AppType": "JupyterLab",
            "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 8}},
        },
    )
    clock.tick(21)
    return inside


def open_app(services: StrictServices, inside: str, **whose: str) -> None:
    """As a person does in Studio."""
    services.client(None, "sagemaker").create_app(
        DomainId=inside,
        AppName="default",
        AppType="JupyterLab",
        ResourceSpec={"InstanceType": "ml.t3.medium"},
        **(whose or {"SpaceName": "desk"}),
    )


def studio(services: StrictServices, clock: Any) -> str:
    """A domain with a profile, a space and an app in it."""
    inside = space(services, clock)
    open_app(services, inside)
    clock.tick(21)
    return inside


def mlflow(services: StrictServices, clock: Any) -> None:
    services.client(None, "sagemaker").create_mlflow_tracking_server(
        TrackingServerName="runs", ArtifactStoreUri="s3://mine/runs", RoleArn=ROLE
    )


def features(services: StrictServices, clock: Any) -> None:
    services.client(None, "sagemaker").create_feature_group(
        FeatureGroupName="riders",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": "id", "FeatureType": "String"}],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )


def component(services: StrictServices, clock: Any) -> None:
    services.client(None, "sagemaker").create_inference_component(
        InferenceComponentName="half",
        EndpointName="both",
        VariantName="one",
        Specification={"ModelName": "m", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
    )


def index(services: StrictServices, clock: Any) -> None:
    services.client(None, "kendra").create_index(Name="papers", RoleArn=ROLE, Edition="DEVELOPER_EDITION")


def throughput(services: StrictServices, clock: Any) -> None:
    services.client(None, "bedrock").create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="fast", modelId="amazon.titan-text-lite-v1"
    )


def base(services: StrictServices, clock: Any) -> None:
    client = services.client(None, "bedrock-agent")
    made = client.create_knowledge_base(name="papers", roleArn=ROLE, knowledgeBaseConfiguration={"type": "KENDRA"})[
        "knowledgeBase"
    ]
    clock.tick(21)
    client.create_data_source(knowledgeBaseId=made["knowledgeBaseId"], name="papers", dataSourceConfiguration=SOURCE)


BY_HAND = {
    "sagemaker-studio-domain": domain,
    "sagemaker-studio-profile": profile,
    "sagemaker-studio-space": space,
    "sagemaker-studio-app": studio,
    "sagemaker-mlflow-server": mlflow,
    "sagemaker-feature-group": features,
    "sagemaker-inference-component": component,
    "kendra-index": index,
    "bedrock-provisioned-throughput": throughput,
    "bedrock-knowledge-base": base,
}
