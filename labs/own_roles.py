"""PURE: the IAM documents of the portal's own roles in a real account: the controller, the dead-man's switch, EMR's.

Whatever runs up a bill is looked for, stopped and deleted wherever it came from. Files and identities are touched by
our names alone: in an account that is somebody's own, no mistake of ours may reach the rest.
"""

from __future__ import annotations

import re

from labs.guardrails import JOBS, NEW_ROLE, PROFILES, ROLE_CHANGES, TAG_LAB, boundary_arns
from labs.iam_words import (
    EMR_SERVICE,
    INLINE_LIMIT,
    OF_LABS,
    PASSED_TO,
    PATH,
    STUDENTS,
    SWITCH,
    TRUST_LIMIT,
    Document,
    a_role,
    account_id,
    allow,
    document,
    like,
    of,
    role_arn,
    services,
    trust,
)

# STS takes 2 to 1,224 characters; one that cannot be guessed has more than a few.
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{16,64}")

SEES = (
    *of("aoss", "BatchGet*", "List*"),
    *of("apigateway", "GET"),
    *of("bedrock", "Get*", "List*"),
    *of("budgets", "ViewBudget"),
    *of("ce", "GetCost*"),
    *of("cloudformation", "Describe*", "List*"),
    *of("cloudtrail", "Describe*", "Get*", "List*", "LookupEvents"),
    *of("cloudwatch", "Describe*", "Get*", "List*"),
    *of("codepipeline", "Get*", "List*"),
    *of("ec2", "Describe*", "GetConsoleOutput"),
    *of("ecr", "BatchGetImage", "Describe*", "Get*", "List*"),
    *of("elasticfilesystem", "Describe*", "List*"),
    *of("elasticloadbalancing", "Describe*"),
    *of("elasticmapreduce", "Describe*", "Get*", "List*"),
    *of("emr-serverless", "Get*", "List*"),
    *of("events", "Describe*", "List*"),
    *of("freetier", "Get*"),
    *of("iam", "Get*", "List*", "SimulatePrincipalPolicy"),
    *of("kendra", "Describe*", "List*"),
    *of("kms", "Describe*", "GetKeyPolicy", "GetKeyRotationStatus", "List*"),
    *of("lambda", "Get*", "List*"),
    *of("logs", "Describe*", "FilterLogEvents", "GetLogEvents", "List*"),
    *of("pricing", "GetProducts"),
    *of("rds", "Describe*", "List*"),
    *of(
        "s3",
        "GetAccountPublicAccessBlock",
        "GetBucket*",
        "GetEncryptionConfiguration",
        "GetLifecycleConfiguration",
        "ListAllMyBuckets",
        "ListBucket*",
    ),
    *of("sagemaker", "Describe*", "List*", "Search"),
    *of("scheduler", "Get*", "List*"),
    *of("secretsmanager", "DescribeSecret", "ListSecrets"),  # never what is in them
    *of("servicequotas", "Get*", "List*"),
    *of("ssm", "DescribeInstanceInformation"),
    *of("states", "Describe*", "GetExecutionHistory", "List*"),
    *of("tag", "GetResources"),
)
MAKES_AND_ENDS = (
    *of("aoss", "DeleteCollection", "UpdateCollection"),
    *of("apigateway", "DELETE", "PATCH", "POST", "PUT"),
    *of("bedrock", "DeleteDataSource", "DeleteKnowledgeBase", "DeleteProvisionedModelThroughput", "InvokeModel"),
    *of("bedrock", "UpdateDataSource"),
    *of("cloudformation", "CreateStack", "DeleteStack", "UpdateStack", "UpdateTerminationProtection"),
    *of("cloudwatch", "DeleteAlarms", "DeleteDashboards", "PutCompositeAlarm", "PutDashboard", "PutMetricAlarm"),
    *of("cloudwatch", "TagResource"),
    *of(
        "codepipeline",
        "CreatePipeline",
        "DeletePipeline",
        "DisableStageTransition",
        "StopPipelineExecution",
        "TagResource",
    ),
    *of("ecr", "BatchDeleteImage", "CreateRepository", "DeleteRepository", "PutLifecyclePolicy", "TagResource"),
    *of(
        "elasticfilesystem",
        "CreateFileSystem",
        "CreateMountTarget",
        "DeleteFileSystem",
        "DeleteMountTarget",
        "TagResource",
    ),
    *of("elasticloadbalancing", "AddTags", "Create*", "Delete*", "Modify*", "RegisterTargets"),
    *of("elasticmapreduce", "AddJobFlowSteps", "AddTags", "CancelSteps", "PutAutoTerminationPolicy", "RunJobFlow"),
    *of("elasticmapreduce", "SetTerminationProtection", "TerminateJobFlows"),
    *of("emr-serverless", "CancelJobRun", "CreateApplication", "DeleteApplication", "StartApplication"),
    *of("emr-serverless", "StopApplication", "TagResource"),
    *of("events", "DeleteRule", "DisableRule", "EnableRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource"),
    *of("kendra", "DeleteIndex"),
    *of("kms", "CreateAlias", "CreateKey", "DeleteAlias", "DisableKey", "EnableKeyRotation", "ScheduleKeyDeletion"),
    *of("kms", "TagResource"),
    *of("lambda", "AddPermission", "Create*", "Delete*", "InvokeFunction", "Publish*", "RemovePermission"),
    *of("lambda", "TagResource", "UpdateEventSourceMapping", "UpdateFunction*"),
    *of("logs", "CreateLogGroup", "DeleteLogGroup", "PutLogGroupDeletionProtection", "PutRetentionPolicy"),
    *of("logs", "TagResource"),
    *of("rds", "DeleteDB*", "ModifyDBCluster", "ModifyDBInstance", "StartDB*", "StopDB*"),
    *of("scheduler", "Create*", "Delete*", "TagResource", "UpdateSchedule"),
    *of("secretsmanager", "CreateSecret", "DeleteSecret", "RemoveRegionsFromReplication"),
    *of("secretsmanager", "StopReplicationToReplica", "TagResource"),
    *of("states", "CreateStateMachine", "DeleteStateMachine", "StartExecution", "StopExecution", "TagResource"),
    *of("states", "UpdateStateMachine"),
)
MAKES_AND_ENDS_IN_EC2 = (
    *of("ec2", "AllocateAddress", "Associate*", "Attach*", "Authorize*", "CreateDefaultVpc", "CreateImage"),
    *of(
        "ec2",
        "CreateInternetGateway",
        "CreateNatGateway",
        "CreateNetworkInterface",
        "CreateRoute*",
        "CreateSecurityGroup",
    ),
    *of("ec2", "CreateSnapshot", "CreateSubnet", "CreateTags", "CreateVolume", "CreateVpc", "CreateVpcEndpoint"),
    *of(
        "ec2",
        "Delete*",
        "DeregisterImage",
        "Detach*",
        "DisableImageDeregistrationProtection",
        "Disassociate*",
        "ImportKeyPair",
        "ModifyInstanceAttribute",
    ),
    *of("ec2", "ModifySubnetAttribute", "ModifyVpcAttribute", "ReleaseAddress", "Revoke*", "RunInstances"),
    *of("ec2", "StartInstances", "StopInstances", "TerminateInstances"),
)
MAKES_AND_ENDS_IN_SAGEMAKER = (
    *of("sagemaker", "AddTags", "CreateApp", "CreateDomain", "CreateEndpoint", "CreateEndpointConfig"),
    *of("sagemaker", "CreateFeatureGroup", "CreateInferenceComponent", "CreateMlflowTrackingServer", "CreateModel"),
    *of("sagemaker", "CreateModelPackage*", "CreateNotebookInstance*", "CreatePipeline", "CreatePresigned*"),
    *of("sagemaker", "CreateSpace", "CreateUserProfile", "Delete*", "InvokeEndpoint", "StartMlflowTrackingServer"),
    *of("sagemaker", "StartNotebookInstance", "StartPipelineExecution", "Stop*", "UpdateEndpoint", "UpdateSpace"),
    *of("sagemaker", "UpdateTrainingJob"),
)
OWN_FILES = (
    *of("s3", "AbortMultipartUpload", "BypassGovernanceRetention", "CreateBucket", "DeleteBucket", "DeleteObject*"),
    *of("s3", "GetObject*", "ListMultipartUploadParts", "PutBucketNotification", "PutBucketOwnershipControls"),
    *of("s3", "PutBucketPublicAccessBlock", "PutBucketTagging", "PutBucketVersioning", "PutLifecycleConfiguration"),
    *of("s3", "PutObject", "PutObjectLegalHold", "PutObjectTagging"),
)
# Users and groups of labs, without a password and without a key: those are only found, switched off and deleted.
OWN_USERS = (
    *of("iam", "AddUserToGroup", "CreateGroup", "DeactivateMFADevice", "DeleteAccessKey", "DeleteGroup"),
    *of(
        "iam", "DeleteGroupPolicy", "DeleteLoginProfile", "DeleteServiceSpecificCredential", "DeleteSigningCertificate"
    ),
    *of("iam", "DeleteSSHPublicKey", "DeleteUser", "DeleteUserPolicy", "DeleteVirtualMFADevice", "DetachGroupPolicy"),
    *of("iam", "DetachUserPolicy", "RemoveUserFromGroup", "TagUser", "UpdateAccessKey"),
)
OWN_POLICIES = of("iam", "CreatePolicy", "DeletePolicy", "DeletePolicyVersion", "TagPolicy")
OWN_TRAILS = of("cloudtrail", "AddTags", "CreateTrail", "DeleteTrail", "StartLogging", "StopLogging")
PORTAL_PASSES_TO = (
    *PASSED_TO,
    *("apigateway", "cloudformation", "codepipeline", "elasticmapreduce", "emr-serverless", "ops.emr-serverless"),
)
# Services that make their own role the first time that something of theirs is made.
SERVICE_LINKED = (
    "elasticfilesystem",
    "elasticloadbalancing",
    "elasticmapreduce",
    "ops.apigateway",
    "ops.emr-serverless",
    "sagemaker",
    "spot",
)


def controller_policy(account: str) -> Document:
    """What the portal's own role in the account may do: look at all that costs, make what labs want, end all of it.

    Not: make users with keys, roles without one of our boundaries, change itself, the switch, or any of our policies,
    buy, or read secrets. An inline policy; a kind that needs more says so in labs/tests/test_guardrails.py.
    """
    bounded = {"StringLike": {"iam:PermissionsBoundary": boundary_arns(account)}}
    roles = role_arn(account, OF_LABS)
    statements = [
        allow("Sees", SEES),
        allow("MakesAndEnds", MAKES_AND_ENDS),
        allow("MakesAndEndsInEC2", MAKES_AND_ENDS_IN_EC2),
        allow("MakesAndEndsInSageMaker", (*MAKES_AND_ENDS_IN_SAGEMAKER, *JOBS, "sagemaker:CreateTransformJob")),
        allow("OwnFiles", OWN_FILES, "arn:aws:s3:::lab-*"),
        allow("OwnTrails", OWN_TRAILS, f"arn:aws:cloudtrail:*:{account}:trail/lab-*"),
        allow("BoundRoles", (*NEW_ROLE, *ROLE_CHANGES), roles, bounded),
        allow("OwnRoles", of("iam", "DeleteRole", "TagRole"), roles),
        allow("Profiles", PROFILES, f"arn:aws:iam::{account}:instance-profile{PATH}lab-*"),
        allow(
            "OwnUsers", OWN_USERS, [f"arn:aws:iam::{account}:{kind}{PATH}lab-*" for kind in ("group", "mfa", "user")]
        ),
        allow("BoundUsers", "iam:CreateUser", f"arn:aws:iam::{account}:user{PATH}lab-*", bounded),
        allow("OwnPolicies", OWN_POLICIES, f"arn:aws:iam::{account}:policy{PATH}lab-*"),
        allow(
            "HandsRolesOver",
            "iam:PassRole",
            (roles, role_arn(account, EMR_SERVICE)),
            {"StringEquals": {"iam:PassedToService": services(PORTAL_PASSES_TO)}},
        ),
        allow(
            "HandsTheSwitchOver",
            "iam:PassRole",
            role_arn(account, SWITCH),
            {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
        allow(
            "ServicesMakeTheirRoles",
            "iam:CreateServiceLinkedRole",
            f"arn:aws:iam::{account}:role/aws-service-role/*",
            {"StringEquals": {"iam:AWSServiceName": services(SERVICE_LINKED)}},
        ),
        allow(
            "EntersAsStudent",
            of("sts", "AssumeRole", "SetSourceIdentity", "TagSession"),
            role_arn(account, STUDENTS),
        ),
    ]
    return document(statements, INLINE_LIMIT, "portal's policy")


def controller_trust(portal_role: str, external_id: str) -> Document:
    """Who may be the portal in the account: that one role, and only with the id that the portal made for this account.
    Raises ValueError when the id is short enough to be guessed."""
    return document(
        [
            trust(
                "ThePortal",
                {"AWS": a_role(portal_role)},
                "sts:AssumeRole",
                {"StringEquals": {"sts:ExternalId": like(external_id, _EXTERNAL_ID, "an id of 16 characters or more")}},
            )
        ],
        TRUST_LIMIT,
        "trust of the portal's role",
    )


# What the dead-man's switch does: stop or delete, and nothing else.
SWITCHED_OFF = (
    *of("aoss", "DeleteCollection"),
    *of("apigateway", "DELETE"),
    *of("bedrock", "DeleteProvisionedModelThroughput"),
    *of("cloudformation", "DeleteStack"),
    *of("ec2", "DeleteNatGateway", "DeleteVolume", "DeleteVpcEndpoints", "ReleaseAddress", "StopInstances"),
    *of("ec2", "TerminateInstances"),
    *of("elasticfilesystem", "DeleteFileSystem"),
    *of("elasticloadbalancing", "DeleteLoadBalancer"),
    *of("elasticmapreduce", "TerminateJobFlows"),
    *of("emr-serverless", "StopApplication"),
    *of("events", "DisableRule"),
    *of("kendra", "DeleteIndex"),
    *of("lambda", "DeleteFunction"),
    *of("rds", "StopDBCluster", "StopDBInstance"),
    *of("sagemaker", "DeleteApp", "DeleteEndpoint", "DeleteFeatureGroup", "DeleteInferenceComponent"),
    *of("sagemaker", "DeleteMlflowTrackingServer", "StopHyperParameterTuningJob", "StopMlflowTrackingServer"),
    *of("sagemaker", "StopNotebookInstance", "StopPipelineExecution", "StopProcessingJob", "StopTrainingJob"),
    *of("sagemaker", "StopTransformJob"),
    *of("states", "StopExecution"),
)
# It finds these by name too: AWS lets their names be chosen, and some carry no tags.
SWITCHED_BY_NAME = (
    *of("cloudformation", "DeleteStack"),
    *of("elasticloadbalancing", "DeleteLoadBalancer"),
    *of("events", "DisableRule"),
    *of("lambda", "DeleteFunction"),
    *of("rds", "StopDBCluster", "StopDBInstance"),
    *of("sagemaker", "DeleteApp", "DeleteEndpoint", "DeleteFeatureGroup", "DeleteInferenceComponent"),
    *of("sagemaker", "DeleteMlflowTrackingServer", "Stop*"),
    *of("scheduler", "DeleteSchedule"),
    *of("states", "StopExecution"),
)


def switch_policy(account: str) -> Document:
    """What AWS's scheduler may do in our name when the portal is dead: stop or delete what has our names or our tag.

    What was made by hand and has neither is tagged by the portal when it is armed.
    """
    named = [
        f"arn:aws:cloudformation:*:{account}:stack/lab-*",
        f"arn:aws:elasticloadbalancing:*:{account}:loadbalancer/lab-*",
        f"arn:aws:elasticloadbalancing:*:{account}:loadbalancer/*/lab-*",
        f"arn:aws:events:*:{account}:rule/lab-*",
        f"arn:aws:lambda:*:{account}:function:lab-*",
        f"arn:aws:rds:*:{account}:cluster:lab-*",
        f"arn:aws:rds:*:{account}:db:lab-*",
        f"arn:aws:sagemaker:*:{account}:*/lab-*",
        f"arn:aws:scheduler:*:{account}:schedule/*/lab-*",
        f"arn:aws:states:*:{account}:execution:lab-*",
    ]
    statements = [
        allow("EndsByName", SWITCHED_BY_NAME, named),
        allow("EndsByTag", SWITCHED_OFF, "*", {"Null": {f"aws:ResourceTag/{TAG_LAB}": "false"}}),
    ]
    return document(statements, INLINE_LIMIT, "policy of the dead-man's switch")


def switch_trust(account: str) -> Document:
    """Who may be the switch: EventBridge Scheduler, for schedules of this account."""
    return _service_trust("TheScheduler", "scheduler", account, "trust of the dead-man's switch")


def _service_trust(sid: str, service: str, account: str, what: str) -> Document:
    principal = {"Service": f"{service}.amazonaws.com"}
    only_here = {"StringEquals": {"aws:SourceAccount": account_id(account)}}
    return document([trust(sid, principal, "sts:AssumeRole", only_here)], TRUST_LIMIT, what)


# What EMR does in our name: the actions of AWS's own AmazonEMRServicePolicy_v2, without scaling and reservations.
CLUSTERS_LOOK_AT = of(
    "ec2",
    *("DescribeAccountAttributes", "DescribeDhcpOptions", "DescribeImages", "DescribeInstance*", "DescribeLaunch*"),
    *("DescribeNetwork*", "DescribePlacementGroups", "DescribeRouteTables", "DescribeSecurityGroups"),
    *("DescribeSubnets", "DescribeVolume*", "DescribeVpc*"),
)
MACHINES_START = of("ec2", "CreateFleet", "CreateLaunchTemplate*", "CreateNetworkInterface", "RunInstances")
MACHINES_END = of("ec2", "DeleteLaunchTemplate", "DeleteNetworkInterface", "ModifyInstanceAttribute")
MACHINES = ("instance", "volume")
AROUND_MACHINES = (
    "fleet",
    "key-pair",
    "launch-template",
    "network-interface",
    "placement-group",
    "security-group",
    "subnet",
)
BETWEEN_MACHINES = of("ec2", "AuthorizeSecurityGroup*", "CreateSecurityGroup", "RevokeSecurityGroup*")


def emr_policy(account: str) -> Document:
    """What EMR's service role may do: start a cluster's machines and end them. It hands machines only roles of labs.

    EMR gives machines and disks the tags of their cluster as it makes them; AWS's own policy leans on that too. So a
    machine that no cluster of a lab has is neither started nor ended by it.
    """
    made, around = (
        [f"arn:aws:ec2:*:{account_id(account)}:{kind}/*" for kind in kinds] for kinds in (MACHINES, AROUND_MACHINES)
    )
    of_a_lab = {"Null": {f"aws:RequestTag/{TAG_LAB}": "false"}}
    statements = [
        allow("LooksAround", CLUSTERS_LOOK_AT),
        allow("StartsMachinesIn", MACHINES_START, [*around, "arn:aws:ec2:*::image/*"]),
        allow("StartsMachines", MACHINES_START, made, of_a_lab),
        allow(
            "EndsMachines",
            (*MACHINES_END, "ec2:TerminateInstances"),
            "*",
            {"Null": {f"aws:ResourceTag/{TAG_LAB}": "false"}},
        ),
        allow("TagsWhatItMakes", "ec2:CreateTags", "*", {"Null": {"ec2:CreateAction": "false"}}),
        allow("LetsMachinesTalk", BETWEEN_MACHINES),
        allow(
            "HandsRolesOver",
            "iam:PassRole",
            role_arn(account, OF_LABS),
            {"StringEquals": {"iam:PassedToService": services(("ec2",))}},
        ),
    ]
    return document(statements, INLINE_LIMIT, "policy of EMR's role")


def emr_trust(account: str) -> Document:
    """Who may be EMR's service role: EMR, for clusters of this account."""
    return _service_trust("EMR", "elasticmapreduce", account, "trust of EMR's role")
