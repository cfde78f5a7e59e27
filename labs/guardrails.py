"""PURE: the IAM documents that hold students and labs of real accounts. Values go in, documents come out.

A student's session is held by three documents: the policies of the student's role say with whose things, the session
policy says in which lab and how large, the boundary caps both. A role of a lab, to which a student may give any policy,
is held by the boundary alone. docs/guardrails.md says which of them may be lost without a way out.

Whose something is, two tags say, `student` and `lab`: the same on a session, on a role and on what they make. Where AWS
takes a name, its beginning says it: `lab-<lab>-`. The beginning and not the end, for in the ARN of an object or of a
log stream a `*` also runs over the `/`: a key of the right name would make another's bucket look like one's own.

A cohort with limits of its own (limits.py) has a set of these documents of its own, under names that end with its mark:
roles of its students and labs carry its boundary, and that lets no role be made under another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs.iam_words import (
    INLINE_LIMIT,
    MANAGED_LIMIT,
    PASSED_TO,
    PATH,
    SESSION_LIMIT,
    STUDENTS,
    TRUST_LIMIT,
    Document,
    a_role,
    allow,
    allow_but,
    deny,
    deny_but,
    deny_elsewhere,
    document,
    like,
    of,
    policy_arn,
    role_arn,
    services,
    trust,
)

STUDENT_POLICIES = ("student-services", "student-machines", "student-account")

TAG_STUDENT, TAG_LAB = "student", "lab"
PORTALS_TAGS = "lightsout:*"  # kinds/base.py: how the portal finds its own things again
STUDENT, LAB = "${aws:PrincipalTag/student}", "${aws:PrincipalTag/lab}"
OWN_NAME = f"lab-{LAB}-*"
LAB_LENGTH = 12

# The same tags asked of what is there, and of what is being made.
ITS_OWN = {"aws:ResourceTag/student": STUDENT}
TAGGED_AS_OWN = {"aws:RequestTag/student": STUDENT, "aws:RequestTag/lab": LAB}

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
EC2_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
SAGEMAKER_TYPE = re.compile(r"ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+")
_MODEL = re.compile(r"[a-z0-9-]+\.[a-zA-Z0-9.:_-]+")
_LAUNCH = re.compile(rf"[0-9a-f]{{{LAB_LENGTH},32}}")
_SCOPE = re.compile(r"[0-9a-f]{32}")
COHORT_LENGTH = 12
_STUDENT = re.compile(r"\d{1,18}")


# --- what an account allows ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """How much students may start in an account. AWS has no condition for how many machines an endpoint or a job
    gets, nor for the size of a SageMaker disk: those are bounded by the account's service quotas.

    max_gb: of one EBS disk. max_runtime_seconds: the end that a training, processing or tuning job must set itself.
    models: ids of Bedrock models that may be asked. Raises ValueError with all that is wrong, in words.
    """

    regions: tuple[str, ...] = ("us-east-1", "ap-southeast-1")
    instance_types: tuple[str, ...] = ("t2.micro", "t3.micro", "t3.small", "t3.medium", "t3.large")
    sagemaker_types: tuple[str, ...] = ("ml.t3.medium", "ml.m5.large", "ml.m5.xlarge")
    max_gb: int = 50
    max_runtime_seconds: int = 3600
    models: tuple[str, ...] = ("amazon.titan-embed-text-v2:0", "amazon.nova-micro-v1:0")

    def __post_init__(self):
        wrong = [
            *_not_all(self.regions, _REGION, "regions", "us-east-1"),
            *_not_all(self.instance_types, EC2_TYPE, "instance_types", "t3.micro"),
            *_not_all(self.sagemaker_types, SAGEMAKER_TYPE, "sagemaker_types", "ml.t3.medium"),
            *_not_all(self.models, _MODEL, "models", "amazon.nova-micro-v1:0"),
            *_not_between(self.max_gb, 1, 1000, "max_gb"),
            *_not_between(self.max_runtime_seconds, 60, 86400, "max_runtime_seconds"),
        ]
        if wrong:
            raise ValueError("These rules cannot be used: " + "; ".join(wrong) + ".")


def _not_all(values: Any, shape: re.Pattern[str], name: str, like: str) -> list[str]:
    if isinstance(values, str) or not values:
        return [f"{name} must be a list with at least one entry like {like}"]
    # Exact values only: a "*" would let in what nobody has priced.
    return [f"{value!r} in {name} is not like {like}" for value in values if not shape.fullmatch(str(value))]


def _not_between(value: Any, least: int, most: int, name: str) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return []
    return [f"{name} is {value!r} and must be a whole number from {least} to {most}"]


# --- tags, names, ARNs ---------------------------------------------------------------------------------------


def lab_of(launch: str) -> str:
    """The value of the tag `lab`: the first twelve characters of a launch's id (a UUID in hex)."""
    return like(launch, _LAUNCH, "a launch's id in hex")[:LAB_LENGTH]


def tags(student: int | str, launch: str) -> dict[str, str]:
    """The two tags that say whose something is: on a session, on a role, and on everything made for a lab."""
    return {TAG_STUDENT: _student(student), TAG_LAB: lab_of(launch)}


def own_prefix(launch: str) -> str:
    """What every name of a launch begins with, where AWS takes a name."""
    return f"lab-{lab_of(launch)}-"


def cohort_mark(scope: str) -> str:
    """What the names of a cohort's own documents end with: the first twelve characters of its scope (a UUID in hex)."""
    return like(scope, _SCOPE, "a cohort's scope in hex")[:COHORT_LENGTH]


def named(name: str, scope: str = "") -> str:
    """The name of one of these documents: the account's, or with a scope that cohort's own."""
    return f"{name}-{cohort_mark(scope)}" if scope else name


def student_role(account: str, student: int | str, scope: str = "") -> str:
    """ARN of the role that one student works with, under the account's documents or (scope) under a cohort's own; its
    sessions are the portal's to make."""
    return role_arn(account, named(STUDENTS.replace("*", _student(student)), scope))


def boundary_arn(account: str, scope: str = "") -> str:
    """ARN of the managed policy that bounds every role of students and labs: the account's, or a cohort's own."""
    return policy_arn(account, named("boundary", scope))


def boundary_arns(account: str) -> list[str]:
    """Patterns of the ARNs of all of an account's boundaries, for StringLike."""
    return [policy_arn(account, "boundary"), policy_arn(account, f"boundary-{'?' * COHORT_LENGTH}")]


def student_policy_arns(account: str, scope: str = "") -> dict[str, str]:
    """{name: ARN} of the managed policies that students have: the account's, or a cohort's own."""
    return {name: policy_arn(account, named(name, scope)) for name in STUDENT_POLICIES}


def _student(student: int | str) -> str:
    return like(str(student), _STUDENT, "a student's number")


# --- actions -------------------------------------------------------------------------------------------------
# What is not named here, nobody does: no users, keys or providers, no resource policy, no lock, no purchase, no other
# role. A resource policy would let others in past every boundary; a lock would keep the portal from tidying up.

LOOKS = (
    *of("ec2", "Describe*"),
    *of("s3", "ListAllMyBuckets"),
    *of("iam", "ListInstanceProfiles", "ListRoles"),
    *of("sagemaker", "List*"),
    *of("lambda", "GetAccountSettings", "ListLayers"),  # not ListFunctions: it shows everybody's variables
    *of("ecr", "DescribeRepositories", "GetAuthorizationToken"),
    *of("states", "ListStateMachines"),
    *of("events", "ListRules"),
    *of("scheduler", "ListSchedules"),
    *of("logs", "DescribeLogGroups"),
    *of("cloudwatch", "DescribeAlarms", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
    *of("codepipeline", "ListPipelines"),
    *of("elasticmapreduce", "ListClusters"),
    *of("kms", "ListAliases"),
    *of("ssm", "DescribeInstanceInformation"),
    *of("tag", "GetResources"),
)
# User data is where people put passwords, and these two show that of any instance.
NOT_LOOKED_AT = of("ec2", "DescribeInstanceAttribute", "DescribeLaunchTemplateVersions")

FILES = of("s3", "AbortMultipartUpload", "DeleteObject*", "Get*", "List*", "PutObject", "PutObjectTagging")
BUCKETS = (
    *FILES,
    *of("s3", "CreateBucket", "DeleteBucket", "PutBucketNotification", "PutBucketVersioning"),
    *of("s3", "PutEncryptionConfiguration", "PutLifecycleConfiguration", "RestoreObject"),
)
FUNCTIONS = (
    *of("lambda", "CreateFunction", "DeleteFunction", "DeleteLayerVersion", "Get*", "InvokeFunction"),
    *of("lambda", "PublishLayerVersion", "RemovePermission", "TagResource"),
    *of("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
)
# Services that may be let in to one's function. A person or an account may not.
CALLERS_OF_FUNCTIONS = ("apigateway.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com")
IMAGE_PULLS = of("ecr", "BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
IMAGES = (
    *IMAGE_PULLS,
    *of("ecr", "BatchDeleteImage", "CreateRepository", "DeleteRepository", "DescribeImages", "ListImages"),
    *of("ecr", "CompleteLayerUpload", "InitiateLayerUpload", "PutImage", "UploadLayerPart"),
    *of("ecr", "PutLifecyclePolicy", "TagResource"),
)
WORKFLOWS = (
    *of("states", "CreateStateMachine", "DeleteStateMachine", "Describe*", "GetExecutionHistory", "ListExecutions"),
    *of("states", "Start*", "StopExecution", "TagResource", "UpdateStateMachine"),
    *of("events", "DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "ListTargetsByRule"),
    *of("events", "PutRule", "PutTargets", "RemoveTargets", "TagResource"),
    *of("scheduler", "CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"),
    *of("codepipeline", "GetPipeline*", "StartPipelineExecution"),
    *of("cloudformation", "DescribeStack*", "GetTemplate"),  # the portal makes them
)
WRITES_LOGS = of("logs", "CreateLogGroup", "CreateLogStream", "PutLogEvents")
MONITORING = (
    *WRITES_LOGS,
    *of("logs", "DeleteLogGroup", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents", "PutRetentionPolicy"),
    *of("cloudwatch", "DeleteAlarms", "DeleteDashboards", "GetDashboard", "PutDashboard"),
)
# Not Update*, which would change types (UpdateNotebookInstance) and add machines (UpdateEndpointWeightsAndCapacities);
# nor DeleteTags.
SAGEMAKER = (
    *of("sagemaker", "AddTags", "AssociateTrialComponent", "CreateExperiment", "CreateModel", "CreateModelPackage*"),
    *of("sagemaker", "CreatePipeline", "CreateTrial", "CreateTrialComponent"),
    *of("sagemaker", "DeleteEndpoint*", "DeleteModel*", "DeleteNotebookInstance", "DeletePipeline"),
    *of("sagemaker", "Describe*", "InvokeEndpoint", "StartNotebookInstance", "StartPipelineExecution", "Stop*"),
    *of("sagemaker", "UpdateEndpoint", "UpdatePipeline"),
)
DOORS = of("sagemaker", "CreatePresignedDomainUrl", "CreatePresignedNotebookInstanceUrl")
# These name the types of their machines, and nowhere else can types be limited: an endpoint takes its configuration's.
JOBS = of("sagemaker", "CreateHyperParameterTuningJob", "CreateProcessingJob", "CreateTrainingJob")
HOSTS = of("sagemaker", "CreateEndpointConfig", "CreateNotebookInstance", "CreateTransformJob")
ENDPOINT = of("sagemaker", "CreateEndpoint")
# The same, and jobs of other kinds: those name no types, and so they are not let through.
SIZED = of("sagemaker", "Create*Job", "CreateEndpointConfig", "CreateNotebookInstance")

# {name of a statement: (what is made, by which calls)}. Not one list of all: a call that makes an instance also names
# an image that is there, and tags of the new must not count for the old.
MADE_IN_EC2 = {
    "MachinesWithTags": (("instance", "volume"), of("ec2", "CreateVolume", "RunInstances")),
    "CopiesWithTags": (("image", "snapshot"), of("ec2", "CreateImage", "CreateSnapshot")),
    "OthersWithTags": (
        ("elastic-ip", "key-pair", "security-group"),
        of("ec2", "AllocateAddress", "CreateSecurityGroup", "ImportKeyPair"),
    ),
}
NETWORK_KINDS = ("key-pair", "network-interface", "security-group", "subnet")
DONE_IN_EC2 = (
    *of("ec2", "AssociateAddress", "AssociateIamInstanceProfile", "AttachVolume"),
    *of("ec2", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"),
    *of("ec2", "CreateImage", "CreateSnapshot", "CreateVolume", "RunInstances"),  # out of what is there already
    *of("ec2", "DeleteKeyPair", "DeleteSecurityGroup", "DeleteSnapshot", "DeleteVolume", "DeregisterImage"),
    *of("ec2", "DetachVolume", "DisassociateAddress", "DisassociateIamInstanceProfile", "GetConsoleOutput"),
    *of("ec2", "RebootInstances", "ReleaseAddress", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"),
    *of("ec2", "StartInstances", "StopInstances", "TerminateInstances"),
    *of("ec2-instance-connect", "SendSSHPublicKey"),
    *of("ssm", "StartSession"),
)
# What AWS gives an id and no name, made by the portal with its owner's tags.
DONE_BY_TAG = (
    *of("apigateway", "DELETE", "GET", "PATCH", "POST", "PUT"),
    *of("elasticmapreduce", "DescribeCluster", "DescribeStep", "ListInstances", "ListSteps", "TerminateJobFlows"),
    *of("kms", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"),
)
DISK_TYPES = ("gp2", "gp3")  # io1 and io2 bill IOPS: an empty disk may cost $5 an hour

NEW_ROLE = of("iam", "CreateRole")
ROLE_CHANGES = of("iam", "AttachRolePolicy", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy")
# By name alone: whether AWS carries a role's boundary with these has changed over the years.
ROLES = (
    *of("iam", "DeleteRole", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "TagRole"),
    *of("iam", "UpdateAssumeRolePolicy"),
)
PROFILES = (
    *of("iam", "AddRoleToInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile"),
    *of("iam", "RemoveRoleFromInstanceProfile", "TagInstanceProfile"),
)
# What a role needs to be at work: to be logged in to, to measure, to pull images, to report.
AT_WORK = (
    *of("ssm", "UpdateInstanceInformation"),
    *of("ssmmessages", "*"),
    *of("cloudwatch", "PutMetricData"),
    *of("codepipeline", "PutJobFailureResult", "PutJobSuccessResult"),
    *of("ec2", "DescribeInstances"),
    *of("ecr", "GetAuthorizationToken"),
    *of("events", "DescribeRule"),
    *of("iam", "ListInstanceProfiles", "ListRoles"),
    *of("s3", "ListAllMyBuckets"),
    *of("sagemaker", "List*"),
)


# --- parts that documents share ------------------------------------------------------------------------------


def _own(account: str) -> dict[str, tuple[str, ...]]:
    """{kind of thing: ARNs}: what is a student's by the beginning of its name."""
    return {
        "buckets": (f"arn:aws:s3:::{OWN_NAME}",),
        "functions": (f"arn:aws:lambda:*:{account}:function:{OWN_NAME}",),
        "layers": (f"arn:aws:lambda:*:{account}:layer:{OWN_NAME}",),
        "repositories": (f"arn:aws:ecr:*:{account}:repository/{OWN_NAME}",),
        "state machines": (f"arn:aws:states:*:{account}:stateMachine:{OWN_NAME}",),
        "executions": (
            f"arn:aws:states:*:{account}:execution:{OWN_NAME}",
            f"arn:aws:states:*:{account}:express:{OWN_NAME}",
        ),
        "rules": (f"arn:aws:events:*:{account}:rule/{OWN_NAME}",),
        "schedules": (f"arn:aws:scheduler:*:{account}:schedule/default/{OWN_NAME}",),
        "pipelines": (f"arn:aws:codepipeline:*:{account}:{OWN_NAME}",),
        "stacks": (f"arn:aws:cloudformation:*:{account}:stack/{OWN_NAME}",),
        "logs": (
            f"arn:aws:logs:*:{account}:log-group:{OWN_NAME}",
            f"arn:aws:logs:*:{account}:log-group:/aws/lambda/{OWN_NAME}",
            f"arn:aws:logs:*:{account}:log-group:/aws/sagemaker/Endpoints/{OWN_NAME}",
            # The groups of jobs and notebooks are everybody's; a stream in them begins with the job's name.
            f"arn:aws:logs:*:{account}:log-group:/aws/sagemaker/*:log-stream:{OWN_NAME}",
        ),
        "alarms": (f"arn:aws:cloudwatch:*:{account}:alarm:{OWN_NAME}",),
        "dashboards": (f"arn:aws:cloudwatch::{account}:dashboard/{OWN_NAME}",),
        # One "*" for the type of thing: no action that is allowed here makes a thing whose ARN has another's name
        # before its own, as that of an app or a space in somebody's domain has.
        "sagemaker": (f"arn:aws:sagemaker:*:{account}:*/{OWN_NAME}",),
        "roles": (role_arn(account, OWN_NAME),),
        "profiles": (f"arn:aws:iam::{account}:instance-profile{PATH}{OWN_NAME}",),
    }


def _ec2(kinds: Iterable[str]) -> list[str]:
    # No account in the middle: the ARNs of images and snapshots have none.
    return [f"arn:aws:ec2:*:*:{kind}/*" for kind in kinds]


def _logs_of_jobs(account: str) -> str:
    return f"arn:aws:logs:*:{account}:log-group:/aws/sagemaker/*"


def _models(rules: Rules) -> list[str]:
    return [f"arn:aws:bedrock:*::foundation-model/{model}" for model in rules.models]


def _sized(rules: Rules, resources: Any) -> Document:
    """SageMaker's machines: only of these types, and with no later end than this. A call that names no types is not let
    through (ForAllValues is true for a list that is not there, so Null stands beside it); one that names no end is."""
    return allow(
        "OnlyTheseMachines",
        SIZED,
        resources,
        {
            "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(rules.sagemaker_types)},
            "Null": {"sagemaker:InstanceTypes": "false"},
            "NumericLessThanEqualsIfExists": {"sagemaker:MaxRuntimeInSeconds": str(rules.max_runtime_seconds)},
        },
    )


def _only_these_regions(rules: Rules) -> Document:
    # IAM and the list of buckets are of no region: AWS calls theirs us-east-1.
    return deny_but(
        "OnlyTheseRegions",
        ("iam:*", "s3:ListAllMyBuckets"),
        {"StringNotEquals": {"aws:RequestedRegion": list(rules.regions)}},
    )


def _sizes_in_ec2(rules: Rules) -> list[Document]:
    return [
        deny(
            "OnlyTheseTypes",
            "ec2:RunInstances",
            _ec2(["instance"]),
            {"StringNotEquals": {"ec2:InstanceType": list(rules.instance_types)}},
        ),
        deny(
            "OnlyDisksThisLarge",
            of("ec2", "CreateVolume", "RunInstances"),
            _ec2(["volume"]),
            {"NumericGreaterThan": {"ec2:VolumeSize": str(rules.max_gb)}},
        ),
    ]


def _tagged_truly(sid: str, key: str) -> Document:
    """Nobody tags a thing as another's."""
    return deny(sid, "*", "*", {"StringNotEquals": {key: TAGGED_AS_OWN[key]}, "Null": {key: "false"}})


# A role lets in the session that its trust names, whatever that session's documents leave out. Only a Deny stops it.
NO_OTHER_ROLE = deny("NoOtherRole", of("sts", "AssumeRole*", "GetFederationToken"))


def _hands_roles_over(account: str) -> Document:
    return allow(
        "HandsItsRolesOver",
        "iam:PassRole",
        _own(account)["roles"],
        {"StringEquals": {"iam:PassedToService": services(PASSED_TO)}},
    )


# --- of students and labs ------------------------------------------------------------------------------------


def boundary(rules: Rules, account: str, scope: str = "") -> Document:
    """The permissions boundary of an account: of its students' roles, and of every role that is made for or in a lab.
    With a scope that cohort's own, for its rules: no role is made under it that has not the same.

    A student's role it keeps to the regions, to SageMaker's machines of the rules, and from every identity but roles
    that are bounded like this; whose things it may touch is told by student_policies. A role of a lab, to which a
    student may give any policy, reaches its own lab's things and no others. A managed policy that is made with the
    account: the portal's own role cannot change it. Raises ValueError when the rules make it longer than AWS takes.
    """
    own = _own(account)
    a_student = {"ArnLike": {"aws:PrincipalArn": role_arn(account, STUDENTS)}}
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(account, scope)}}
    statements = [
        allow_but(
            "StudentsByTheirPolicies",
            (*SIZED, "iam:*", "sts:*", "organizations:*", "account:*", "billing:*", "budgets:*"),
            a_student,
        ),
        allow("StudentsBoundRoles", of("iam", "*RolePolicy", "CreateRole"), own["roles"], bounded | a_student),
        allow(
            "StudentsOwnRoles",
            of(
                "iam",
                "*InstanceProfile",
                "DeleteRole",
                "GetRole*",
                "List*Policies",
                "TagRole",
                "UpdateAssumeRolePolicy",
            ),
            (*own["roles"], *own["profiles"]),
            a_student,
        ),
        _hands_roles_over(account),
        allow(
            "RolesByName",
            (
                *FILES,
                *WRITES_LOGS,
                *SAGEMAKER,
                *ENDPOINT,
                *IMAGE_PULLS,
                *("logs:GetLogEvents", "lambda:InvokeFunction", "states:StartExecution"),
            ),
            [
                arn
                for things in ("buckets", "logs", "sagemaker", "repositories", "functions", "state machines")
                for arn in own[things]
            ],
        ),
        _sized(rules, own["sagemaker"]),
        allow(
            "RolesByTag",
            (*of("ec2", "StartInstances", "StopInstances"), *of("kms", "Decrypt", "GenerateDataKey")),
            "*",
            {"StringEquals": {"aws:ResourceTag/lab": LAB}},
        ),
        allow("RolesAtWork", AT_WORK),
        allow(
            "LogsOfJobs", of("logs", "CreateLogGroup", "CreateLogStream", "DescribeLogStreams"), _logs_of_jobs(account)
        ),
        # How Step Functions learns that a SageMaker job has ended: by a rule that is AWS's own.
        allow(
            "WaitsForJobs",
            of("events", "PutRule", "PutTargets"),
            f"arn:aws:events:*:{account}:rule/StepFunctions*",
            {"StringEquals": {"events:ManagedBy": "states.amazonaws.com"}},
        ),
        # AWS's own images lie in AWS's own accounts.
        allow("ImagesFromElsewhere", IMAGE_PULLS, "*", {"StringNotEquals": {"aws:ResourceAccount": account}}),
        allow("ModelsToAsk", "bedrock:InvokeModel", _models(rules)),
        _only_these_regions(rules),
        # Who lets himself into a role from outside may call himself what he likes. The role's name he cannot choose.
        deny(
            "RolesAreOfTheirLab",
            "*",
            "*",
            {"ArnNotLike": {"aws:PrincipalArn": [role_arn(account, STUDENTS), *own["roles"]]}},
        ),
        _tagged_truly("TaggedForNoOtherLab", "aws:RequestTag/lab"),
        deny("JobsNeedAnEnd", JOBS, "*", {"Null": {"sagemaker:MaxRuntimeInSeconds": "true"}}),
        NO_OTHER_ROLE,
    ]
    return document(statements, MANAGED_LIMIT, "boundary")


def student_policies(rules: Rules, account: str, scope: str = "") -> dict[str, Document]:
    """{name: policy}: what a student's role may do, and with whose things. Managed policies (one alone would be longer
    than AWS takes), the same for every student of an account or (scope) of a cohort, made with its boundary.

    Whose things they are is told by the tags of the session, which student_trust sees to. Raises ValueError when the
    rules make one longer than AWS takes.
    """
    own = _own(account)
    by_name = [
        allow("Buckets", BUCKETS, own["buckets"]),
        allow("Functions", FUNCTIONS, (*own["functions"], *own["layers"])),
        allow(
            "FunctionsLetServicesIn",
            "lambda:AddPermission",
            own["functions"],
            {"StringEquals": {"lambda:Principal": list(CALLERS_OF_FUNCTIONS)}},
        ),
        allow("Images", IMAGES, own["repositories"]),
        allow(
            "Workflows",
            WORKFLOWS,
            [
                arn
                for things in ("state machines", "executions", "rules", "schedules", "pipelines", "stacks")
                for arn in own[things]
            ],
        ),
        allow("Monitoring", MONITORING, (*own["logs"], *own["alarms"], *own["dashboards"])),
        allow("LogsOfJobs", "logs:DescribeLogStreams", _logs_of_jobs(account)),
        # An alarm's action can stop or end any instance of the account, in CloudWatch's name.
        allow(
            "AlarmsThatOnlyTell",
            "cloudwatch:PutMetricAlarm",
            own["alarms"],
            {"Null": {"cloudwatch:AlarmActions": "true"}},
        ),
        allow("SageMaker", (*SAGEMAKER, *DOORS), own["sagemaker"]),
        allow("TaggedHosts", (*HOSTS, *ENDPOINT), own["sagemaker"], {"StringEquals": TAGGED_AS_OWN}),
        # AWS's own end of a processing job, where none is given, is a day away.
        allow(
            "TaggedJobsWithAnEnd",
            JOBS,
            own["sagemaker"],
            {"StringEquals": TAGGED_AS_OWN, "Null": {"sagemaker:MaxRuntimeInSeconds": "false"}},
        ),
        allow("ModelsToAsk", "bedrock:InvokeModel", _models(rules)),
    ]
    machines = [
        *(
            allow(sid, calls, _ec2(kinds), {"StringEquals": TAGGED_AS_OWN})
            for sid, (kinds, calls) in MADE_IN_EC2.items()
        ),
        allow("FromAmazonsImages", "ec2:RunInstances", "*", {"StringEquals": {"ec2:Owner": "amazon"}}),
        # What carries no student's tag is the account's: its network, its default group.
        allow("InTheNetwork", "ec2:RunInstances", _ec2(NETWORK_KINDS), {"StringEqualsIfExists": ITS_OWN}),
        allow("GroupsInTheNetwork", "ec2:CreateSecurityGroup", _ec2(["vpc"]), {"StringEqualsIfExists": ITS_OWN}),
        allow("ItsOwnByTag", (*DONE_IN_EC2, *DONE_BY_TAG), "*", {"StringEquals": ITS_OWN}),
        allow(
            "RulesOfItsGroups",
            of("ec2", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"),
            _ec2(["security-group-rule"]),
        ),
        allow("TagsAtBirth", "ec2:CreateTags", "*", {"Null": {"ec2:CreateAction": "false"}}),
        allow(
            "NotesOnItsOwn",
            of("ec2", "CreateTags", "DeleteTags"),
            "*",
            {
                "StringEquals": ITS_OWN,
                "ForAllValues:StringNotLike": {"aws:TagKeys": [TAG_STUDENT, TAG_LAB, PORTALS_TAGS]},
                "Null": {"aws:TagKeys": "false"},  # DeleteTags without keys takes all of them
            },
        ),
        # The portal finds what it made, whose create was not answered, by these.
        deny("PortalsTags", "*", "*", {"ForAnyValue:StringLike": {"aws:TagKeys": PORTALS_TAGS}}),
        *_sizes_in_ec2(rules),
        # A dedicated host costs $2 an hour for its region alone. What a request leaves out is AWS's own default.
        deny(
            "OnlySharedHosts",
            "ec2:RunInstances",
            _ec2(["instance"]),
            {"StringNotEquals": {"ec2:Tenancy": "default"}, "Null": {"ec2:Tenancy": "false"}},
        ),
        deny(
            "OnlyPlainDisks",
            of("ec2", "CreateVolume", "RunInstances"),
            _ec2(["volume"]),
            {"StringNotEquals": {"ec2:VolumeType": list(DISK_TYPES)}, "Null": {"ec2:VolumeType": "false"}},
        ),
        # A cache costs up to $3.80 an hour, and AWS has no condition for it. HTTP APIs have none.
        deny(
            "NoCaches",
            of("apigateway", "PATCH", "POST", "PUT"),
            ["arn:aws:apigateway:*::/restapis/*/deployments*", "arn:aws:apigateway:*::/restapis/*/stages*"],
        ),
        allow(
            "KeysForAWSItself",
            "kms:CreateGrant",
            "*",
            {"StringEquals": ITS_OWN, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        allow(
            "LogsInWith",
            "ssm:StartSession",
            (
                f"arn:aws:ssm:*:{account}:document/SSM-SessionManagerRunShell",
                "arn:aws:ssm:*::document/AWS-StartPortForwardingSession",
            ),
        ),
        allow(
            "ItsLogins",
            of("ssm", "ResumeSession", "TerminateSession"),
            f"arn:aws:ssm:*:{account}:session/student-{STUDENT}-*",
        ),
        _tagged_truly("TaggedAsNobodyElses", "aws:RequestTag/student"),
        _tagged_truly("TaggedForNoOtherLab", "aws:RequestTag/lab"),
    ]
    bounded = {"iam:PermissionsBoundary": boundary_arn(account, scope)}
    account_wide = [
        allow("LooksAround", LOOKS),
        deny("NotLookedAt", NOT_LOOKED_AT),
        allow("Profiles", PROFILES, own["profiles"]),
        allow("Roles", ROLES, own["roles"]),
        allow("MakesBoundRoles", NEW_ROLE, own["roles"], {"StringEquals": bounded | TAGGED_AS_OWN}),
        allow("ChangesBoundRoles", ROLE_CHANGES, own["roles"], {"StringEquals": bounded}),
        _hands_roles_over(account),
        NO_OTHER_ROLE,
    ]
    written = zip(STUDENT_POLICIES, (by_name, machines, account_wide), strict=True)
    return {name: document(statements, MANAGED_LIMIT, name) for name, statements in written}


def session_policy(rules: Rules, launch: str) -> Document:
    """What one session may do of what its role may: this lab, these regions, this size. Given to AssumeRole, so that
    changed rules hold from the next click on. Raises ValueError when the rules make it longer than STS takes.

    AWS packs it together with the session's tags and limits that too, by a measure that it does not publish.
    """
    statements = [
        allow_but("AsItsRoleMay", SIZED),
        _sized(rules, "*"),
        _only_these_regions(rules),
        *_sizes_in_ec2(rules),
        deny(
            "ThisLabOnly",
            "*",
            "*",
            {"StringNotEquals": {"aws:ResourceTag/lab": lab_of(launch)}, "Null": {"aws:ResourceTag/lab": "false"}},
        ),
        deny_elsewhere(
            "ItsNamesOnly",
            ("iam:PassRole", "s3:*Object*"),
            (f"arn:aws:iam::*:role{PATH}{own_prefix(launch)}*", f"arn:aws:s3:::{own_prefix(launch)}*"),
        ),
        deny(
            "TagsOnlyAtBirth",
            of("ec2", "CreateTags", "DeleteTags"),
            "*",
            {
                "ForAnyValue:StringLike": {"aws:TagKeys": [TAG_STUDENT, TAG_LAB, PORTALS_TAGS]},
                "Null": {"ec2:CreateAction": "true"},
            },
        ),
    ]
    return document(statements, SESSION_LIMIT, "session policy")


def student_trust(controller: str, student: int | str) -> Document:
    """The trust of one student's role: the portal's role in the account makes its sessions, with this student's tag, a
    lab's tag and no other, under this student's name, and not otherwise."""
    whose = {"aws:RequestTag/student": _student(student)}
    of_a_lab = {
        "StringLike": {"aws:RequestTag/lab": "?" * LAB_LENGTH},
        "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_STUDENT, TAG_LAB]},
    }
    name = {"sts:SourceIdentity": f"student-{_student(student)}"}
    portal = {"AWS": a_role(controller)}
    statements = [
        trust("Enters", portal, "sts:AssumeRole", {"StringEquals": whose | name, **of_a_lab}),
        trust("WithItsTags", portal, "sts:TagSession", {"StringEquals": whose, **of_a_lab}),
        trust("UnderItsName", portal, "sts:SetSourceIdentity", {"StringEquals": name}),
    ]
    return document(statements, TRUST_LIMIT, "trust of a student's role")


def fence(launch: str, before: datetime) -> Document:
    """An inline policy of a student's role that ends the sessions of one launch, those issued until this instant.

    Sessions of the student's other labs go on. STS gives none longer than an hour, so after that it can be taken off.
    Raises ValueError for an instant without a zone.
    """
    if before.tzinfo is None:
        raise ValueError("The instant of a fence needs a zone.")
    over = {
        "StringEquals": {"aws:PrincipalTag/lab": lab_of(launch)},
        # AWS dates a session by whole seconds: one of this very second was issued before.
        "DateLessThanEquals": {"aws:TokenIssueTime": before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
    }
    return document([deny("ThisLabIsOver", "*", "*", over)], INLINE_LIMIT, "fence")


def seal() -> Document:
    """An inline policy of a launch's own roles, before they are deleted: what runs under them does nothing more,
    however new its credentials. Only with a function's role can AWS take away its network interfaces: that stays."""
    tidying = of("ec2", "DeleteNetworkInterface", "DescribeNetworkInterfaces")
    return document([deny_but("ThisLabIsOver", tidying)], INLINE_LIMIT, "seal")
