"""Known ways out of a role: privilege escalation, other people's things, costs without a bound. None may succeed.

From the public catalogues of IAM escalation (Rhino Security Labs' list of 2018 and what followed it: passing roles to
services, changing what already runs under one, sharing snapshots, tags as a way to take over), and from what a class in
one account adds to them. A row's calls are all that AWS authorises for the act; it succeeds when all get through.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.iam_words import role_arn
from labs.policy_evaluator import Call
from labs.tests.guarded_world import (
    ACCOUNT,
    AS_MINE,
    AYE,
    BO,
    BOS,
    BOS_LAUNCH,
    BOS_TAGS,
    BOUNDARY,
    CONTROLLER,
    ELSEWHERE,
    LAB_ROLE,
    LAUNCH,
    MINE,
    OTHER_LABS_TAGS,
    OTHER_LAUNCH,
    OTHERS_OWN,
    OWN,
    REGION,
    STUDENT_ROLE,
    bucket,
    ec2,
    function,
    log_stream,
    new_function,
    new_role,
    notebook,
    pass_role,
    policy,
    profile,
    run_instances,
    sagemaker,
    state_machine,
    tagged,
    tagging,
    training,
    user,
)

# Which documents must stop it. Identities and limits are stopped even if a student's role is given everything. Only the
# session policy knows which lab a session is for. What a lab's role makes may have a name and no tags: SageMaker's own
# tools give none. Students make roles, and roles do not.
IDENTITIES, LIMITS, THEIRS = "identities", "limits", "theirs"
OTHER_LAB, UNTAGGED, BY_ROLE = "other lab", "untagged", "by a role"


@dataclass(frozen=True)
class Way:
    name: str
    kind: str
    why: str
    calls: tuple[Call, ...]


def way(kind: str, name: str, why: str, *calls: Call) -> Way:
    return Way(name, kind, why, calls)


STUDENT_ONLY = {"aws:RequestTag/student": AYE, "aws:TagKeys": ["student"]}
LAB_ONLY = {"aws:RequestTag/lab": AS_MINE["aws:RequestTag/lab"], "aws:TagKeys": ["lab"]}
ADMIN_POLICY = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
BOUND = {"iam:PermissionsBoundary": BOUNDARY}
OTHER_BOUNDARY = {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
ADMIN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Admin"
BOS_LAB_ROLE = role_arn(ACCOUNT, f"{BOS}fn")
EMR_ROLE, SWITCH_ROLE = role_arn(ACCOUNT, "emr-service"), role_arn(ACCOUNT, "deadman")
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:bo-db-0a1b2c"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
BOS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/b0b0"
BOS_LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{BOS}pandas"


# --- becoming somebody else ----------------------------------------------------------------------------------

USERS_AND_POLICIES = [
    way(
        IDENTITIES,
        "a new version of a policy",
        "one's own policy is replaced by one that allows all",
        Call("iam:CreatePolicyVersion", policy("lab/student-services")),
    ),
    way(
        IDENTITIES,
        "an older version of a policy",
        "a version from before it was tightened is made the one in force",
        Call("iam:SetDefaultPolicyVersion", policy("lab/student-services")),
    ),
    way(
        IDENTITIES,
        "a new version of the boundary",
        "the boundary itself is rewritten",
        Call("iam:CreatePolicyVersion", BOUNDARY),
    ),
    way(
        IDENTITIES,
        "a policy of one's own",
        "to be attached later, or to be a boundary",
        Call("iam:CreatePolicy", policy("lab/boundary-x")),
    ),
    way(
        IDENTITIES,
        "a policy deleted",
        "what holds others is gone",
        Call("iam:DeletePolicy", policy("lab/student-account")),
    ),
    way(
        IDENTITIES,
        "a policy put on one's own role",
        "the student's role gets everything",
        Call("iam:PutRolePolicy", STUDENT_ROLE, BOUND),
    ),
    way(
        IDENTITIES,
        "a managed policy attached to one's own role",
        "the same with AWS's policy for administrators",
        Call("iam:AttachRolePolicy", STUDENT_ROLE, {**BOUND, **ADMIN_POLICY}),
    ),
    way(
        IDENTITIES,
        "the fence taken off",
        "a policy that ends a session is taken from the role that it ends",
        Call("iam:DeleteRolePolicy", STUDENT_ROLE, BOUND),
    ),
    way(
        IDENTITIES,
        "a policy put on the portal's role",
        "the portal may do almost all; its role gets a door",
        Call("iam:PutRolePolicy", CONTROLLER),
    ),
    way(
        IDENTITIES,
        "the trust of the portal's role",
        "the portal's role lets the student in",
        Call("iam:UpdateAssumeRolePolicy", CONTROLLER),
    ),
    way(
        IDENTITIES,
        "the trust of an administrator's role",
        "the same for any role of the account",
        Call("iam:UpdateAssumeRolePolicy", ADMIN_ROLE),
    ),
    way(
        IDENTITIES,
        "the trust of one's own role",
        "the student's role lets in whoever it names, without the portal, its tags and its end",
        Call("iam:UpdateAssumeRolePolicy", STUDENT_ROLE, BOUND),
    ),
    way(
        IDENTITIES,
        "longer sessions of one's own role",
        "a session outlives the lab",
        Call("iam:UpdateRole", STUDENT_ROLE, BOUND),
    ),
    way(IDENTITIES, "a user", "an identity that no lab ends", Call("iam:CreateUser", user("aye"))),
    way(
        IDENTITIES,
        "a user, bounded",
        "the boundary does not end it either",
        Call("iam:CreateUser", user(f"lab/{OWN}me"), BOUND),
    ),
    way(
        IDENTITIES,
        "a key of another user",
        "a long-lived key of whoever may more",
        Call("iam:CreateAccessKey", user("instructor")),
    ),
    way(
        IDENTITIES,
        "an old key switched on again",
        "a key that was put to rest",
        Call("iam:UpdateAccessKey", user("instructor")),
    ),
    way(
        IDENTITIES,
        "a password for another user",
        "a way into the console",
        Call("iam:CreateLoginProfile", user("instructor")),
    ),
    way(
        IDENTITIES,
        "another user's password",
        "the same, by changing it",
        Call("iam:UpdateLoginProfile", user("instructor")),
    ),
    way(IDENTITIES, "a policy put on a user", "a user gets everything", Call("iam:PutUserPolicy", user("aye"))),
    way(IDENTITIES, "a policy attached to a user", "the same", Call("iam:AttachUserPolicy", user("aye"), ADMIN_POLICY)),
    way(
        IDENTITIES,
        "a policy put on a group",
        "all of its users get everything",
        Call("iam:PutGroupPolicy", f"arn:aws:iam::{ACCOUNT}:group/students"),
    ),
    way(
        IDENTITIES,
        "a policy attached to a group",
        "the same",
        Call("iam:AttachGroupPolicy", f"arn:aws:iam::{ACCOUNT}:group/students", ADMIN_POLICY),
    ),
    way(
        IDENTITIES,
        "into the administrators' group",
        "a user becomes one of them",
        Call("iam:AddUserToGroup", f"arn:aws:iam::{ACCOUNT}:group/admins"),
    ),
    way(
        IDENTITIES,
        "another's second factor",
        "a password alone is enough again",
        Call("iam:DeactivateMFADevice", user("instructor")),
    ),
    way(
        IDENTITIES,
        "a provider of identities (SAML)",
        "whoever holds its key is let in",
        Call("iam:CreateSAMLProvider", f"arn:aws:iam::{ACCOUNT}:saml-provider/mine"),
    ),
    way(
        IDENTITIES,
        "a provider of identities (OIDC)",
        "the same for a web site",
        Call("iam:CreateOpenIDConnectProvider", f"arn:aws:iam::{ACCOUNT}:oidc-provider/example.org"),
    ),
    way(
        IDENTITIES,
        "a provider's certificate",
        "an existing one is made one's own",
        Call("iam:UpdateSAMLProvider", f"arn:aws:iam::{ACCOUNT}:saml-provider/school"),
    ),
    way(
        IDENTITIES,
        "a role of a service",
        "a service gets its role in the account, and with it more than was meant",
        Call(
            "iam:CreateServiceLinkedRole",
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/organizations.amazonaws.com/AWSServiceRoleForOrganizations",
            {"iam:AWSServiceName": "organizations.amazonaws.com"},
        ),
    ),
]

ROLES = [
    way(IDENTITIES, "a role without a boundary", "whatever it is given, it may", *new_role(boundary=None)),
    way(
        IDENTITIES,
        "a role with another boundary",
        "a boundary that allows all is none",
        *new_role(boundary="arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    way(
        IDENTITIES,
        "a role with a policy of nearly the same name as its boundary",
        "whoever made that one wrote into it what they liked",
        *new_role(boundary=f"arn:aws:iam::{ACCOUNT}:policy/lab/boundary-ffffffffffff"),
    ),
    way(
        IDENTITIES,
        "the boundary taken off a role",
        "first bounded, then not",
        Call("iam:DeleteRolePermissionsBoundary", LAB_ROLE, BOUND),
    ),
    way(
        IDENTITIES,
        "another boundary put on a role",
        "the same by replacing it",
        Call("iam:PutRolePermissionsBoundary", LAB_ROLE, OTHER_BOUNDARY),
    ),
    way(
        IDENTITIES,
        "the boundary taken off one's own role",
        "the student's own boundary is gone",
        Call("iam:DeleteRolePermissionsBoundary", STUDENT_ROLE, BOUND),
    ),
    way(
        IDENTITIES,
        "a role outside of our path",
        "where nobody looks for roles of labs",
        new_role(f"arn:aws:iam::{ACCOUNT}:role/backdoor")[0],
    ),
    way(
        IDENTITIES,
        "a role of another name under our path",
        "a second portal",
        new_role(role_arn(ACCOUNT, "controller2"))[0],
    ),
    way(
        IDENTITIES,
        "a policy put on a role of the lab that has no boundary",
        "made before there was one, or by hand",
        Call("iam:PutRolePolicy", LAB_ROLE),
    ),
    way(
        UNTAGGED,
        "a role with the student's tag alone",
        "of no lab, so no lab's end finds it",
        *new_role(tags=STUDENT_ONLY),
    ),
    way(
        UNTAGGED, "a role with the lab's tag alone", "nobody's, so nobody sees what it costs", *new_role(tags=LAB_ONLY)
    ),
    way(
        BY_ROLE,
        "a role made by a role",
        "what runs in a lab makes itself a role that nobody has seen",
        Call("iam:CreateRole", role_arn(ACCOUNT, f"{OWN}next"), {**BOUND, **AS_MINE}),
    ),
    way(
        BY_ROLE,
        "the seal taken off by a role",
        "a role of a lab that is over frees the next one",
        Call("iam:DeleteRolePolicy", role_arn(ACCOUNT, f"{OWN}next"), BOUND),
    ),
    way(
        THEIRS,
        "bo's role tagged as one's own",
        "whose tags it has, his it is",
        Call("iam:TagRole", BOS_LAB_ROLE, AS_MINE),
    ),
    way(THEIRS, "a role of bo's lab's name", "bo's lab would be said to have made it", *new_role(BOS_LAB_ROLE)),
    way(
        THEIRS,
        "a role tagged as bo's",
        "a role's tags say whose things it may touch: this one may touch bo's",
        *new_role(tags=tagging(BO, BOS_LAUNCH)),
    ),
    way(
        THEIRS,
        "a role tagged as bo's afterwards",
        "the same in two steps",
        Call("iam:TagRole", LAB_ROLE, tagging(BO, BOS_LAUNCH)),
    ),
    way(
        THEIRS,
        "a role tagged as bo's by one tag",
        "the same with the one tag that counts for things without names",
        Call("iam:TagRole", LAB_ROLE, {"aws:RequestTag/student": BO, "aws:TagKeys": ["student"]}),
    ),
    way(
        IDENTITIES,
        "one's own role tagged as bo's",
        "the same with the student's role",
        Call("iam:TagRole", STUDENT_ROLE, tagging(BO, BOS_LAUNCH)),
    ),
    way(
        THEIRS,
        "a policy put on bo's role",
        "bo's function does what aye says",
        Call("iam:PutRolePolicy", BOS_LAB_ROLE, BOUND),
    ),
    way(
        THEIRS,
        "the trust of bo's role",
        "bo's role lets aye's function be it",
        Call("iam:UpdateAssumeRolePolicy", BOS_LAB_ROLE, BOUND),
    ),
    way(IDENTITIES, "into an administrator's role", "becoming it", Call("sts:AssumeRole", ADMIN_ROLE)),
    way(
        IDENTITIES,
        "into a role whose trust names the session",
        "a trust that names a session passes every boundary that does not deny",
        Call("sts:AssumeRole", LAB_ROLE, granted_there=True),
    ),
    way(
        IDENTITIES,
        "into one's own role with bo's tags",
        "a session that says it is bo's",
        Call("sts:AssumeRole", STUDENT_ROLE, tagging(BO, BOS_LAUNCH), granted_there=True),
    ),
    way(
        IDENTITIES,
        "into a role elsewhere",
        "work goes on in another account, unseen",
        Call("sts:AssumeRole", f"arn:aws:iam::{ELSEWHERE}:role/mine"),
    ),
    way(
        IDENTITIES,
        "a user for a session",
        "credentials for 36 hours",
        Call("sts:GetFederationToken", f"arn:aws:sts::{ACCOUNT}:federated-user/aye"),
    ),
]

PASSED = [
    way(
        IDENTITIES,
        f"an administrator's role handed to {service}",
        f"what runs in {service} has the role's power, and says so to whoever runs it",
        pass_role(ADMIN_ROLE, principal),
        *calls,
    )
    for service, principal, calls in [
        ("an instance", "ec2", run_instances()),
        ("a function", "lambda", new_function()[:2]),
        ("a notebook", "sagemaker", notebook()[:2]),
        ("a training job", "sagemaker", training()[:2]),
        ("a workflow", "states", (Call("states:CreateStateMachine", state_machine(f"{OWN}sm"), AS_MINE),)),
        ("a rule", "events", (Call("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{OWN}r"),)),
        (
            "a schedule",
            "scheduler",
            (Call("scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{OWN}s"),),
        ),
        (
            "a stack",
            "cloudformation",
            (Call("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OWN}s/1"),),
        ),
        (
            "a Glue endpoint",
            "glue",
            (Call("glue:CreateDevEndpoint"),),
        ),
        ("a Glue job", "glue", (Call("glue:CreateJob", f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{OWN}g"),)),
        ("a data pipeline", "datapipeline", (Call("datapipeline:CreatePipeline"),)),
        (
            "a build",
            "codebuild",
            (Call("codebuild:CreateProject", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{OWN}b"),),
        ),
        (
            "a pipeline",
            "codepipeline",
            (Call("codepipeline:CreatePipeline", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{OWN}p"),),
        ),
        (
            "a container",
            "ecs-tasks",
            (Call("ecs:RunTask", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{OWN}t:1"),),
        ),
        ("a cluster", "elasticmapreduce", (Call("elasticmapreduce:RunJobFlow"),)),
        (
            "an automation",
            "ssm",
            (Call("ssm:StartAutomationExecution", f"arn:aws:ssm:{REGION}:{ACCOUNT}:automation-execution/1"),),
        ),
        (
            "App Runner",
            "tasks.apprunner",
            (Call("apprunner:CreateService", f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/{OWN}a/1"),),
        ),
    ]
]

PASSED_MORE = [
    way(
        IDENTITIES,
        "one's own role handed to a service that nothing here bounds",
        "who may call that service with it was never looked at",
        pass_role(LAB_ROLE, "ecs-tasks"),
    ),
    way(
        IDENTITIES,
        "the portal's role handed to a function",
        "the portal's power in one's own code",
        *new_function(role=CONTROLLER),
    ),
    way(
        IDENTITIES,
        "the switch's role handed to a schedule",
        "anybody's lab is ended at will",
        Call("scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{OWN}s"),
        pass_role(SWITCH_ROLE, "scheduler"),
    ),
    way(
        IDENTITIES,
        "the cluster's role handed to an instance",
        "it may start machines of any type",
        *run_instances(),
        pass_role(EMR_ROLE, "ec2"),
    ),
    way(THEIRS, "bo's role handed to a function", "the function reads bo's files", *new_function(role=BOS_LAB_ROLE)),
    way(THEIRS, "bo's role handed to a notebook", "the same from a notebook", *notebook(role=BOS_LAB_ROLE)),
    way(
        THEIRS,
        "bo's role handed to an instance",
        "the same from an instance",
        *run_instances(),
        pass_role(BOS_LAB_ROLE, "ec2"),
    ),
    way(
        THEIRS,
        "a role put into bo's profile",
        "bo's instance runs under a role of aye's",
        Call("iam:AddRoleToInstanceProfile", profile(f"{BOS}p")),
        pass_role(LAB_ROLE, "ec2"),
    ),
    way(
        IDENTITIES,
        "one's own role handed to a stack",
        "a service that makes things in one's name, and that nothing here bounds",
        Call("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OWN}s/1"),
        pass_role(LAB_ROLE, "cloudformation"),
    ),
    way(
        THEIRS,
        "a cluster of one's own",
        "AWS has no condition for the machines of a cluster",
        Call("elasticmapreduce:RunJobFlow", "*", AS_MINE),
        pass_role(LAB_ROLE, "elasticmapreduce"),
    ),
]

ACCOUNT_WIDE = [
    way(
        IDENTITIES,
        "out of the organisation",
        "the account, and its bill, are nobody's",
        Call("organizations:LeaveOrganization"),
    ),
    way(
        IDENTITIES,
        "a region switched on",
        "where no one looks",
        Call("account:EnableRegion", f"arn:aws:account::{ACCOUNT}:account"),
    ),
    way(
        IDENTITIES,
        "the account's contact",
        "warnings go elsewhere",
        Call("account:PutAlternateContact", f"arn:aws:account::{ACCOUNT}:account"),
    ),
    way(
        IDENTITIES,
        "a budget changed",
        "the alarm on the bill is put out of the way",
        Call("budgets:ModifyBudget", f"arn:aws:budgets::{ACCOUNT}:budget/class"),
    ),
    way(
        IDENTITIES,
        "rules for passwords",
        "short ones are fine from now on",
        Call("iam:UpdateAccountPasswordPolicy"),
    ),
    way(
        IDENTITIES,
        "the account read as a whole by a role of a lab",
        "every policy and trust of the account, to look for a way",
        Call("iam:CreateAccountAlias"),
    ),
    way(
        THEIRS,
        "the trail stopped",
        "what is done from now on is not written down",
        Call("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/school"),
    ),
    way(
        THEIRS,
        "the account's guard against public buckets",
        "any bucket may be made public again",
        Call("s3:PutAccountPublicAccessBlock"),
    ),
    way(
        THEIRS,
        "the account's default policy for logs",
        "other services write and read the account's logs",
        Call("logs:PutResourcePolicy"),
    ),
]


# --- other people's things -----------------------------------------------------------------------------------

MACHINES = [
    way(THEIRS, f"bo's instance: {action}", why, *calls)
    for action, why, calls in [
        ("stop", "bo's work is gone", [Call("ec2:StopInstances", ec2("instance"), BOS_TAGS)]),
        ("terminate", "bo's work and disk are gone", [Call("ec2:TerminateInstances", ec2("instance"), BOS_TAGS)]),
        (
            "log in",
            "a session as its user",
            [
                Call("ssm:StartSession", ec2("instance"), BOS_TAGS),
                Call("ssm:StartSession", f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell"),
            ],
        ),
        (
            "take over bo's login",
            "a session that is open",
            [Call("ssm:ResumeSession", f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/student-{BO}-0a1b")],
        ),
        (
            "a note on it",
            "bo's notes are bo's answers",
            [
                Call(
                    "ec2:CreateTags", ec2("instance"), {**BOS_TAGS, "aws:RequestTag/rows": "1", "aws:TagKeys": ["rows"]}
                )
            ],
        ),
        (
            "take over the login of student 71",
            "whose number begins like one's own",
            [Call("ssm:ResumeSession", f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/student-{AYE}1-0a1b")],
        ),
        (
            "run a command",
            "as root, with its role",
            [
                Call("ssm:SendCommand", ec2("instance"), BOS_TAGS),
                Call("ssm:SendCommand", f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript"),
            ],
        ),
        (
            "connect from the browser",
            "a key for a minute",
            [Call("ec2-instance-connect:SendSSHPublicKey", ec2("instance"), BOS_TAGS)],
        ),
        (
            "its user data changed",
            "what it runs at its next start",
            [Call("ec2:ModifyInstanceAttribute", ec2("instance"), {**BOS_TAGS, "ec2:Attribute": "UserData"})],
        ),
        (
            "its user data read",
            "where passwords stand",
            [Call("ec2:DescribeInstanceAttribute", ec2("instance"), BOS_TAGS)],
        ),
        ("a template's user data read", "the same", [Call("ec2:DescribeLaunchTemplateVersions")]),
        ("its console read", "what it printed", [Call("ec2:GetConsoleOutput", ec2("instance"), BOS_TAGS)]),
        ("its password read", "a Windows administrator's", [Call("ec2:GetPasswordData", ec2("instance"), BOS_TAGS)]),
        (
            "another profile",
            "it runs under a role of aye's",
            [
                Call("ec2:AssociateIamInstanceProfile", ec2("instance"), BOS_TAGS),
                pass_role(LAB_ROLE, "ec2"),
            ],
        ),
        (
            "its disk to one's own instance",
            "bo's files are read",
            [
                Call("ec2:DetachVolume", ec2("volume"), BOS_TAGS),
                Call("ec2:AttachVolume", ec2("volume"), BOS_TAGS),
                Call("ec2:AttachVolume", ec2("instance"), MINE),
            ],
        ),
        (
            "its disk copied",
            "the same by a snapshot",
            [
                Call("ec2:CreateSnapshot", ec2("snapshot", "*"), AS_MINE),
                Call("ec2:CreateSnapshot", ec2("volume"), BOS_TAGS),
            ],
        ),
        (
            "a disk from bo's snapshot",
            "the same from what is there",
            [
                Call("ec2:CreateVolume", ec2("volume", "*"), {"ec2:VolumeSize": 8, "ec2:VolumeType": "gp3", **AS_MINE}),
                Call("ec2:CreateVolume", ec2("snapshot"), BOS_TAGS),
            ],
        ),
        (
            "bo's snapshot copied",
            "the same, and under one's own tags",
            [Call("ec2:CopySnapshot", ec2("snapshot"), AS_MINE)],
        ),
        (
            "an image of it",
            "the same, whole",
            [
                Call("ec2:CreateImage", ec2("instance"), BOS_TAGS),
                Call("ec2:CreateImage", ec2("image", "*"), AS_MINE),
                Call("ec2:CreateImage", ec2("snapshot", "*"), AS_MINE),
            ],
        ),
        (
            "bo's image started",
            "bo's files on one's own machine",
            list(run_instances(image={"ec2:Owner": ACCOUNT, **BOS_TAGS})),
        ),
        ("an image that carries no tag", "the school's own images", list(run_instances(image={"ec2:Owner": ACCOUNT}))),
        ("bo's snapshot as a disk of a new instance", "the same", list(run_instances(snapshot=BOS_TAGS))),
        ("into bo's security group", "bo's machines trust what is in it", list(run_instances(group=BOS_TAGS))),
        (
            "a port into bo's security group",
            "the world is let in to bo's machines",
            [
                Call("ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), BOS_TAGS),
                Call("ec2:AuthorizeSecurityGroupIngress", ec2("security-group-rule", "*")),
            ],
        ),
        (
            "bo's address",
            "bo's name points to aye's machine",
            [
                Call("ec2:AssociateAddress", ec2("elastic-ip"), BOS_TAGS),
                Call("ec2:AssociateAddress", ec2("instance"), MINE),
            ],
        ),
        (
            "an alarm that ends it",
            "CloudWatch ends any instance, in its own name",
            [
                Call(
                    "cloudwatch:PutMetricAlarm",
                    f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{OWN}a",
                    {"cloudwatch:AlarmActions": [f"arn:aws:automate:{REGION}:ec2:terminate"]},
                )
            ],
        ),
    ]
]

TAGS = [
    way(
        THEIRS,
        "bo's instance tagged as one's own",
        "who may write tags may take over what tags guard",
        Call("ec2:CreateTags", ec2("instance"), {**BOS_TAGS, **AS_MINE}),
    ),
    way(
        THEIRS,
        "an instance without tags tagged as one's own",
        "the same with what is the school's",
        Call("ec2:CreateTags", ec2("instance"), AS_MINE),
    ),
    way(
        THEIRS,
        "one's own instance tagged as bo's",
        "bo pays for it",
        Call("ec2:CreateTags", ec2("instance"), {**MINE, **tagging(BO, BOS_LAUNCH)}),
    ),
    way(
        THEIRS,
        "the lab's tag of one's own instance",
        "it belongs to no lab any more, and no lab's end finds it",
        Call("ec2:DeleteTags", ec2("instance"), {**MINE, "aws:TagKeys": ["lab"]}),
    ),
    way(
        THEIRS,
        "all tags of one's own instance",
        "the same: a call without keys takes all",
        Call("ec2:DeleteTags", ec2("instance"), MINE),
    ),
    way(
        THEIRS,
        "the portal's tag on one's own instance",
        "the portal takes it for the one that it made",
        Call(
            "ec2:CreateTags",
            ec2("instance"),
            {**MINE, "aws:RequestTag/lightsout:resource": "0a", "aws:TagKeys": ["lightsout:resource"]},
        ),
    ),
    way(
        THEIRS,
        "the portal's tag at birth",
        "the same from the first moment",
        *run_instances(tags=tagging(AYE, LAUNCH, **{"lightsout:resource": "0a"})),
    ),
    way(THEIRS, "an instance without tags", "nobody's, and no lab's end finds it", *run_instances(tags={})),
    way(
        THEIRS,
        "an instance with tags, its disk without",
        "the disk outlives the lab",
        *run_instances(disk_tags={}),
    ),
    way(THEIRS, "an instance tagged as bo's", "bo pays for it", *run_instances(tags=tagging(BO, BOS_LAUNCH))),
    way(THEIRS, "an instance with the student's tag alone", "of no lab", *run_instances(tags=STUDENT_ONLY)),
    way(THEIRS, "an instance with the lab's tag alone", "nobody's", *run_instances(tags=LAB_ONLY)),
    way(
        UNTAGGED,
        "an endpoint tagged for one's other lab",
        "it outlives the lab that it was made in",
        Call("sagemaker:AddTags", sagemaker("endpoint", f"{OWN}e"), tagging(AYE, OTHER_LAUNCH)),
    ),
    way(
        THEIRS,
        "an endpoint tagged as bo's",
        "the same",
        Call("sagemaker:AddTags", sagemaker("endpoint", f"{OWN}e"), tagging(BO, BOS_LAUNCH)),
    ),
    way(
        UNTAGGED,
        "an endpoint tagged as bo's by one tag",
        "the same with the tag that says whose it is",
        Call(
            "sagemaker:AddTags",
            sagemaker("endpoint", f"{OWN}e"),
            {"aws:RequestTag/student": BO, "aws:TagKeys": ["student"]},
        ),
    ),
    way(
        UNTAGGED,
        "an endpoint with the portal's tag",
        "the portal takes it for bo's",
        Call(
            "sagemaker:AddTags",
            sagemaker("endpoint", f"{OWN}e"),
            {"aws:RequestTag/lightsout:owner": BO, "aws:TagKeys": ["lightsout:owner"]},
        ),
    ),
    way(
        THEIRS,
        "an endpoint without its tags",
        "the second look after a lab's end goes by tags",
        Call("sagemaker:DeleteTags", sagemaker("endpoint", f"{OWN}e"), {**MINE, "aws:TagKeys": ["lab", "student"]}),
    ),
    way(
        THEIRS,
        "an API tagged as one's own",
        "tags of an API are a thing of their own for AWS, which no condition reaches",
        Call(
            "apigateway:PUT",
            f"arn:aws:apigateway:{REGION}::/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Frestapis%2Fbo",
        ),
    ),
]

CODE_AND_FILES = [
    way(
        THEIRS,
        "bo's function's code",
        "it runs under bo's role",
        Call("lambda:UpdateFunctionCode", function(f"{BOS}fn")),
    ),
    way(
        THEIRS,
        "a layer under bo's function",
        "code that runs before bo's own",
        Call("lambda:UpdateFunctionConfiguration", function(f"{BOS}fn"), {"lambda:Layer": [f"{BOS_LAYER}:1"]}),
    ),
    way(
        THEIRS,
        "a new version of bo's layer",
        "the same at bo's next look",
        Call("lambda:PublishLayerVersion", BOS_LAYER),
    ),
    way(
        THEIRS,
        "bo's function called",
        "with bo's role, and at bo's cost",
        Call("lambda:InvokeFunction", function(f"{BOS}fn")),
    ),
    way(
        THEIRS,
        "bo's function's code read",
        "and the passwords in its variables",
        Call("lambda:GetFunction", function(f"{BOS}fn")),
    ),
    way(
        THEIRS,
        "everybody's functions listed",
        "with the passwords in their variables",
        Call("lambda:ListFunctions"),
    ),
    way(
        THEIRS,
        "a stream tied to bo's function",
        "it is called by what aye writes",
        Call("lambda:CreateEventSourceMapping", "*", {"lambda:FunctionArn": function(f"{BOS}fn")}),
    ),
    way(
        THEIRS,
        "one's own function open to the world",
        "anybody runs it, and the lab pays",
        Call("lambda:AddPermission", function(f"{OWN}fn"), {"lambda:Principal": "*"}),
    ),
    way(
        THEIRS,
        "one's own function open to another account",
        "the same",
        Call("lambda:AddPermission", function(f"{OWN}fn"), {"lambda:Principal": f"arn:aws:iam::{ELSEWHERE}:root"}),
    ),
    way(
        THEIRS,
        "one's own function on the web",
        "the same by an address of its own",
        Call("lambda:CreateFunctionUrlConfig", function(f"{OWN}fn"), {"lambda:FunctionUrlAuthType": "NONE"}),
    ),
    way(
        THEIRS,
        "one's own layer for everybody",
        "code of the lab, outside",
        Call("lambda:AddLayerVersionPermission", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{OWN}l:1"),
    ),
    way(THEIRS, "bo's file read", "bo's work", Call("s3:GetObject", bucket(f"{BOS}data/answers.csv"))),
    way(
        THEIRS,
        "bo's file read by a clever key",
        "a key that looks like one's own bucket's name",
        Call("s3:PutObject", bucket(f"{BOS}data/{OWN}data/a.csv")),
    ),
    way(THEIRS, "bo's bucket listed", "names tell a lot", Call("s3:ListBucket", bucket(f"{BOS}data"))),
    way(THEIRS, "bo's bucket deleted", "bo's work is gone", Call("s3:DeleteBucket", bucket(f"{BOS}data"))),
    way(
        THEIRS,
        "the school's bucket",
        "the trail, the bills",
        Call("s3:GetObject", bucket("school-trail/2025/09/13.json")),
    ),
    way(THEIRS, "a bucket of another name", "no lab's end finds it", Call("s3:CreateBucket", bucket("aye-private"))),
    way(
        THEIRS,
        "one's own bucket for another account",
        "data of the lab, outside; and a way back in past the boundary",
        Call("s3:PutBucketPolicy", bucket(f"{OWN}data")),
    ),
    way(
        THEIRS,
        "one's own bucket for the world",
        "the same by its list of rights",
        Call("s3:PutBucketAcl", bucket(f"{OWN}data")),
    ),
    way(THEIRS, "a file for the world", "the same", Call("s3:PutObjectAcl", bucket(f"{OWN}data/a.csv"))),
    way(
        THEIRS,
        "the guard against public access",
        "the same is possible again",
        Call("s3:PutBucketPublicAccessBlock", bucket(f"{OWN}data")),
    ),
    way(
        THEIRS,
        "a copy elsewhere for every file",
        "data of the lab, outside",
        Call("s3:PutReplicationConfiguration", bucket(f"{OWN}data")),
    ),
    way(
        THEIRS,
        "a file that cannot be deleted",
        "a lock outlives the lab, and the portal cannot lift it",
        Call("s3:PutObjectRetention", bucket(f"{OWN}data/a.csv")),
    ),
    way(
        THEIRS,
        "a bucket of files that cannot be deleted",
        "the same for all of it",
        Call("s3:PutBucketObjectLockConfiguration", bucket(f"{OWN}data")),
    ),
    way(
        THEIRS,
        "bo's image replaced",
        "bo's function runs it at its next change",
        Call("ecr:PutImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{BOS}ml", BOS_TAGS),
    ),
    way(
        THEIRS,
        "bo's image pulled",
        "bo's code and what lies in it",
        Call("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{BOS}ml", BOS_TAGS),
    ),
    way(
        THEIRS,
        "one's own images for another account",
        "code of the lab, outside",
        Call("ecr:SetRepositoryPolicy", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml", MINE),
    ),
    way(THEIRS, "a secret", "the school's and bo's passwords", Call("secretsmanager:GetSecretValue", SECRET)),
    way(
        THEIRS,
        "a parameter",
        "the same",
        Call("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/school/db"),
    ),
    way(
        THEIRS,
        "bo's stack, looked at",
        "templates print passwords and keys into their outputs",
        Call("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{BOS}s/1"),
    ),
    way(
        THEIRS,
        "the names of bo's log's parts",
        "when bo's function ran, and how often",
        Call("logs:DescribeLogStreams", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{BOS}fn"),
    ),
    way(
        THEIRS,
        "bo's alarm changed",
        "bo is not told any more",
        Call("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{BOS}idle"),
    ),
    way(
        THEIRS,
        "a service let in to bo's function",
        "what aye uploads starts it",
        Call("lambda:AddPermission", function(f"{BOS}fn"), {"lambda:Principal": "s3.amazonaws.com"}),
    ),
    way(
        THEIRS,
        "bo's rule, as if it were AWS's own",
        "what bo's rule starts",
        Call(
            "events:PutTargets",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{BOS}r",
            {"events:ManagedBy": "states.amazonaws.com"},
        ),
    ),
    way(
        THEIRS,
        "bo's log",
        "what bo's function printed",
        Call("logs:GetLogEvents", log_stream(f"/aws/lambda/{BOS}fn", "2025/a")),
    ),
    way(
        THEIRS,
        "bo's training's log",
        "in the group that all jobs share",
        Call("logs:GetLogEvents", log_stream("/aws/sagemaker/TrainingJobs", f"{BOS}xgb/algo-1")),
    ),
    way(
        THEIRS,
        "everybody's training logs at once",
        "the same for the whole group",
        Call("logs:FilterLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"),
    ),
    way(
        THEIRS,
        "bo's log deleted",
        "what happened is not known any more",
        Call("logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{BOS}fn"),
    ),
    way(THEIRS, "the policy of one's own key", "others in, the portal out", Call("kms:PutKeyPolicy", KEY, MINE)),
    way(THEIRS, "a grant on one's own key", "another account decrypts", Call("kms:CreateGrant", KEY, MINE)),
    way(
        THEIRS,
        "a grant on bo's key",
        "the same with bo's",
        Call("kms:CreateGrant", BOS_KEY, {**BOS_TAGS, "kms:GrantIsForAWSResource": "true"}),
    ),
    way(THEIRS, "what bo's key hides", "bo's secrets", Call("kms:Decrypt", BOS_KEY, BOS_TAGS)),
    way(
        THEIRS,
        "a key of one's own",
        "with a policy that keeps the portal from ending it",
        Call("kms:CreateKey", "*", AS_MINE),
    ),
    way(
        THEIRS,
        "one's own snapshot for everybody",
        "a disk of the lab, outside",
        Call("ec2:ModifySnapshotAttribute", ec2("snapshot"), MINE),
    ),
    way(
        THEIRS,
        "bo's snapshot for oneself elsewhere",
        "bo's disk, outside",
        Call("ec2:ModifySnapshotAttribute", ec2("snapshot"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "one's own image for everybody",
        "the same, whole",
        Call("ec2:ModifyImageAttribute", ec2("image"), MINE),
    ),
]

ML_AND_WORKFLOWS = [
    way(
        THEIRS,
        "into bo's notebook",
        "an address that logs in as bo, with bo's role",
        Call("sagemaker:CreatePresignedNotebookInstanceUrl", sagemaker("notebook-instance", f"{BOS}nb"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "into bo's Studio",
        "the same",
        Call("sagemaker:CreatePresignedDomainUrl", sagemaker("user-profile/d-b0b0", f"{BOS}me"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "an app in bo's Studio",
        "it runs as bo",
        Call(
            "sagemaker:CreateApp",
            sagemaker(f"app/d-b0b0/{BOS}me/JupyterLab", f"{OWN}app"),
            {"sagemaker:InstanceTypes": ["ml.t3.medium"], **AS_MINE},
        ),
    ),
    way(
        THEIRS,
        "what bo's notebook runs at its start",
        "code under bo's role",
        Call(
            "sagemaker:UpdateNotebookInstanceLifecycleConfig",
            sagemaker("notebook-instance-lifecycle-config", f"{BOS}l"),
            BOS_TAGS,
        ),
    ),
    way(
        THEIRS,
        "another start for bo's notebook",
        "the same by changing the notebook",
        Call("sagemaker:UpdateNotebookInstance", sagemaker("notebook-instance", f"{BOS}nb"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "bo's notebook stopped",
        "bo's work",
        Call("sagemaker:StopNotebookInstance", sagemaker("notebook-instance", f"{BOS}nb"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "bo's endpoint deleted",
        "bo's work",
        Call("sagemaker:DeleteEndpoint", sagemaker("endpoint", f"{BOS}e"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "bo's endpoint asked",
        "at bo's cost, with bo's data",
        Call("sagemaker:InvokeEndpoint", sagemaker("endpoint", f"{BOS}e"), BOS_TAGS),
    ),
    way(
        THEIRS,
        "an endpoint of the school's configuration",
        "on machines that the rules do not allow",
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint", f"{OWN}e"), AS_MINE),
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint-config", "school-large"), AS_MINE),
    ),
    way(
        THEIRS,
        "one's own models for another account",
        "data of the lab, outside",
        Call("sagemaker:PutModelPackageGroupPolicy", sagemaker("model-package-group", f"{OWN}g"), MINE),
    ),
    way(
        THEIRS,
        "bo's workflow changed",
        "it runs under bo's role",
        Call("states:UpdateStateMachine", state_machine(f"{BOS}sm")),
    ),
    way(THEIRS, "bo's workflow started", "the same", Call("states:StartExecution", state_machine(f"{BOS}sm"))),
    way(
        THEIRS,
        "a target on bo's rule",
        "what bo's rule starts",
        Call("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{BOS}r"),
        pass_role(LAB_ROLE, "events"),
    ),
    way(
        THEIRS,
        "a target on AWS's own rule",
        "what Step Functions hears of everybody's jobs",
        Call(
            "events:PutTargets",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        ),
    ),
    way(
        THEIRS,
        "the account's events for another account",
        "what happens here, outside",
        Call("events:PutPermission"),
    ),
    way(
        THEIRS,
        "the portal's schedules",
        "the switch that ends what is forgotten is put off",
        Call("scheduler:DeleteSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/lightsout/{OWN}nb"),
    ),
    way(
        THEIRS,
        "bo's API changed",
        "bo's address answers what aye says",
        Call("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/restapis/b0b0", BOS_TAGS),
    ),
    way(
        THEIRS,
        "bo's cluster ended",
        "bo's work",
        Call(
            "elasticmapreduce:TerminateJobFlows", f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/j-b0", BOS_TAGS
        ),
    ),
    way(
        THEIRS,
        "a step on bo's cluster",
        "code under the cluster's role",
        Call("elasticmapreduce:AddJobFlowSteps", f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/j-b0", BOS_TAGS),
    ),
]


# --- costs without a bound -----------------------------------------------------------------------------------

SIZES = [
    way(LIMITS, "a large instance", "$12 an hour", *run_instances(type="p3.8xlarge")),
    way(LIMITS, "another region", "where nobody looks", *run_instances(region="eu-west-3")),
    way(
        LIMITS,
        "a notebook in another region",
        "the same",
        *(
            Call(
                one.action,
                one.resource.replace(REGION, "eu-west-3"),
                {**one.context, "aws:RequestedRegion": "eu-west-3"},
            )
            for one in notebook()
        ),
    ),
    way(LIMITS, "a large disk", "a terabyte that nobody needs", *run_instances(gb=1000)),
    way(
        LIMITS,
        "a large disk of its own",
        "the same",
        Call("ec2:CreateVolume", ec2("volume", "*"), {"ec2:VolumeSize": 16000, "ec2:VolumeType": "gp3", **AS_MINE}),
    ),
    way(THEIRS, "a fast disk", "64,000 IOPS cost $4,000 a month", *run_instances(disk="io2")),
    way(THEIRS, "a host of one's own", "$2 an hour for the region alone", *run_instances(tenancy="dedicated")),
    way(
        THEIRS,
        "a larger type for one's own instance",
        "small when it is made, large when it is started again",
        Call("ec2:ModifyInstanceAttribute", ec2("instance"), {**MINE, "ec2:Attribute": "InstanceType"}),
    ),
    way(THEIRS, "a larger disk afterwards", "the same for disks", Call("ec2:ModifyVolume", ec2("volume"), MINE)),
    way(LIMITS, "a large notebook", "$1.4 an hour", *notebook(type="ml.g5.xlarge")),
    way(LIMITS, "a notebook that says no type", "what is not said cannot be limited", *notebook(type="")),
    way(
        THEIRS,
        "a larger type for one's own notebook",
        "small when it is made, large later",
        Call(
            "sagemaker:UpdateNotebookInstance",
            sagemaker("notebook-instance", f"{OWN}nb"),
            {**MINE, "sagemaker:InstanceTypes": ["ml.p3.8xlarge"]},
        ),
    ),
    way(UNTAGGED, "a notebook with the student's tag alone", "of no lab", *notebook(tags=STUDENT_ONLY)),
    way(UNTAGGED, "a notebook with the lab's tag alone", "nobody's", *notebook(tags=LAB_ONLY)),
    way(UNTAGGED, "a training with the student's tag alone", "of no lab", *training(tags=STUDENT_ONLY)),
    way(UNTAGGED, "a training with the lab's tag alone", "nobody's", *training(tags=LAB_ONLY)),
    way(THEIRS, "a training of another name", "no lab's end finds it", training(name="mine")[0]),
    way(UNTAGGED, "a notebook without tags", "nobody's, but for its name", *notebook(tags={})),
    way(THEIRS, "a notebook of another name", "no lab's end finds it", notebook(name="mine")[0]),
    way(LIMITS, "a large training", "$12 an hour", *training(types=("ml.p3.8xlarge",))),
    way(
        LIMITS,
        "a large machine among small ones",
        "one type of many is enough",
        *training(types=("ml.m5.large", "ml.p3.8xlarge")),
    ),
    way(LIMITS, "a long training", "five days", *training(seconds=432000)),
    way(LIMITS, "a training without an end", "AWS's own end is a day away", *training(seconds=None)),
    way(
        LIMITS,
        "a processing job without an end",
        "the same",
        Call(
            "sagemaker:CreateProcessingJob",
            sagemaker("processing-job", f"{OWN}p"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"], **AS_MINE},
        ),
    ),
    way(
        LIMITS,
        "a large endpoint",
        "by the hour, asked or not",
        Call(
            "sagemaker:CreateEndpointConfig",
            sagemaker("endpoint-config", f"{OWN}c"),
            {"sagemaker:InstanceTypes": ["ml.g5.12xlarge"], **AS_MINE},
        ),
    ),
    way(
        LIMITS,
        "an endpoint that says no type",
        "what is not said cannot be limited",
        Call("sagemaker:CreateEndpointConfig", sagemaker("endpoint-config", f"{OWN}c"), AS_MINE),
    ),
    way(
        THEIRS,
        "more machines for one's own endpoint",
        "AWS has no condition for how many",
        Call("sagemaker:UpdateEndpointWeightsAndCapacities", sagemaker("endpoint", f"{OWN}e"), MINE),
    ),
    way(
        LIMITS,
        "a large transform",
        "by the hour",
        Call(
            "sagemaker:CreateTransformJob",
            sagemaker("transform-job", f"{OWN}t"),
            {"sagemaker:InstanceTypes": ["ml.m5.24xlarge"], **AS_MINE},
        ),
    ),
    way(
        LIMITS,
        "a job that finds its models itself",
        "hundreds of trainings in one call, and it names no types",
        Call("sagemaker:CreateAutoMLJob", sagemaker("automl-job", f"{OWN}auto"), AS_MINE),
    ),
    way(
        LIMITS,
        "a job for people who label",
        "paid by the piece",
        Call("sagemaker:CreateLabelingJob", sagemaker("labeling-job", f"{OWN}l"), AS_MINE),
    ),
    way(
        THEIRS,
        "a cluster of SageMaker",
        "HyperPod: by the hour, times many",
        Call(
            "sagemaker:CreateCluster",
            sagemaker("cluster", f"{OWN}hp"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"], **AS_MINE},
        ),
    ),
    way(
        THEIRS,
        "a server for experiments",
        "MLflow: $0.60 an hour",
        Call("sagemaker:CreateMlflowTrackingServer", sagemaker("mlflow-tracking-server", f"{OWN}ml"), AS_MINE),
    ),
    way(
        THEIRS,
        "functions that are kept warm",
        "by the hour, called or not",
        Call("lambda:PutProvisionedConcurrencyConfig", f"{function(f'{OWN}fn')}:1"),
    ),
    way(
        THEIRS,
        "all of the account's functions for oneself",
        "nobody else's function runs any more",
        Call("lambda:PutFunctionConcurrency", function(f"{OWN}fn")),
    ),
    way(
        THEIRS,
        "a cache for one's own API",
        "$3.80 an hour, and no condition for it",
        Call("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/prod", MINE),
    ),
    way(
        THEIRS,
        "a cache with a deployment",
        "the same in one call",
        Call("apigateway:POST", f"arn:aws:apigateway:{REGION}::/restapis/abc/deployments", MINE),
    ),
    way(
        THEIRS,
        "a large model",
        "by the word",
        Call("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-opus-4"),
    ),
    way(
        THEIRS,
        "a NAT gateway",
        "by the hour, used or not",
        Call("ec2:CreateNatGateway", ec2("natgateway", "*"), AS_MINE),
    ),
    way(THEIRS, "a fleet", "machines by another call", Call("ec2:CreateFleet", ec2("fleet", "*"), AS_MINE)),
    way(
        THEIRS,
        "spot machines",
        "the same",
        Call("ec2:RequestSpotInstances", ec2("spot-instances-request", "*"), AS_MINE),
    ),
    way(
        THEIRS,
        "a database",
        "by the hour, and it starts itself again",
        Call("rds:CreateDBInstance", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{OWN}db", AS_MINE),
    ),
    way(THEIRS, "an index of Kendra", "$1 an hour and more", Call("kendra:CreateIndex", "*", AS_MINE)),
    way(THEIRS, "a search collection", "$350 a month", Call("aoss:CreateCollection", "*", AS_MINE)),
]

PURCHASES = [
    way(
        THEIRS,
        "a reservation",
        "for three years",
        Call("ec2:PurchaseReservedInstancesOffering"),
    ),
    way(
        THEIRS,
        "a savings plan",
        "for three years",
        Call("savingsplans:CreateSavingsPlan"),
    ),
    way(
        THEIRS,
        "a block of capacity",
        "GPUs for weeks, paid at once",
        Call("ec2:PurchaseCapacityBlock", ec2("capacity-reservation", "*"), AS_MINE),
    ),
    way(THEIRS, "hosts", "by the hour, used or not", Call("ec2:AllocateHosts", ec2("dedicated-host", "*"), AS_MINE)),
    way(
        THEIRS,
        "a model for a month",
        "$2,700 once",
        Call(
            "bedrock:CreateProvisionedModelThroughput",
            f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-micro-v1:0",
            AS_MINE,
        ),
    ),
    way(THEIRS, "something of the marketplace", "any price", Call("aws-marketplace:Subscribe")),
    way(THEIRS, "a domain name", "paid for a year", Call("route53domains:RegisterDomain")),
]


# --- another lab of one's own: only the session policy knows which lab a session is for ------------------------

OTHER_LABS = [
    way(
        OTHER_LAB,
        "the instance of one's other lab",
        "a session of a lab that is over would go on in the other",
        Call("ec2:TerminateInstances", ec2("instance"), OTHER_LABS_TAGS),
    ),
    way(
        OTHER_LAB,
        "a note on the instance of one's other lab",
        "the same",
        Call(
            "ec2:CreateTags", ec2("instance"), {**OTHER_LABS_TAGS, "aws:RequestTag/rows": "1", "aws:TagKeys": ["rows"]}
        ),
    ),
    way(OTHER_LAB, "the key of one's other lab", "the same", Call("kms:Decrypt", KEY, OTHER_LABS_TAGS)),
]

HALF_TAGGED = [
    way(
        THEIRS,
        f"{thing} with the {key}'s tag alone",
        "of no lab, or nobody's: no lab's end finds it, or nobody sees what it costs",
        *(Call(one.action, one.resource, {**one.context, **tags}) for one in calls),
    )
    for key, tags in (("student", STUDENT_ONLY), ("lab", LAB_ONLY))
    for thing, calls in {
        "a snapshot": (
            Call("ec2:CreateSnapshot", ec2("snapshot", "*")),
            Call("ec2:CreateTags", ec2("snapshot", "*"), {"ec2:CreateAction": "CreateSnapshot"}),
        ),
        "a security group": (
            Call("ec2:CreateSecurityGroup", ec2("security-group", "*")),
            Call("ec2:CreateTags", ec2("security-group", "*"), {"ec2:CreateAction": "CreateSecurityGroup"}),
        ),
    }.items()
]

# What AWS is not known to do: should it send the new tags with what is there already, they count for nothing.
IF_AWS_SENT_MORE = [
    way(
        THEIRS,
        "bo's image started, the new machine's tags sent with it",
        "bo's files on one's own machine",
        *run_instances(image={"ec2:Owner": ACCOUNT, **BOS_TAGS, **AS_MINE}, group=AS_MINE),
    ),
    way(
        THEIRS,
        "bo's disk copied, the copy's tags sent with it",
        "bo's files in one's own snapshot",
        Call("ec2:CreateSnapshot", ec2("volume"), {**BOS_TAGS, **AS_MINE}),
        Call("ec2:CreateSnapshot", ec2("snapshot", "*"), AS_MINE),
    ),
    way(
        THEIRS,
        "a group in bo's network, its tags sent with it",
        "one foot in bo's network",
        Call("ec2:CreateSecurityGroup", ec2("vpc"), {**BOS_TAGS, **AS_MINE}),
        Call("ec2:CreateSecurityGroup", ec2("security-group", "*"), AS_MINE),
    ),
]

NEVER_ANYWHERE = [
    way(
        THEIRS,
        "the file of one's other lab",
        "names are of a lab, not of a student",
        Call("s3:GetObject", bucket(f"{OTHERS_OWN}data/a.csv")),
    ),
    way(
        THEIRS,
        "the role of one's other lab",
        "the same",
        *new_function(role=role_arn(ACCOUNT, f"{OTHERS_OWN}fn")),
    ),
    way(
        THEIRS,
        "a role for one's other lab",
        "the same by tags",
        *new_role(tags=tagging(AYE, OTHER_LAUNCH)),
    ),
    way(
        THEIRS,
        "a thing that is nobody's",
        "without tags, and perhaps the school's",
        Call("ec2:TerminateInstances", ec2("instance")),
    ),
    way(
        THEIRS,
        "a thing that is bo's by a lab of one's own number",
        "the student's tag counts, whatever the lab's says",
        Call("ec2:TerminateInstances", ec2("instance"), tagged(BO, LAUNCH)),
    ),
]

WAYS = [
    *USERS_AND_POLICIES,
    *ROLES,
    *PASSED,
    *PASSED_MORE,
    *ACCOUNT_WIDE,
    *MACHINES,
    *TAGS,
    *CODE_AND_FILES,
    *ML_AND_WORKFLOWS,
    *SIZES,
    *PURCHASES,
    *OTHER_LABS,
    *HALF_TAGGED,
    *IF_AWS_SENT_MORE,
    *NEVER_ANYWHERE,
]
