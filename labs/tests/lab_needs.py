"""What labs need: requests that must get through, so that guardrails cannot be right by denying everything."""

from __future__ import annotations

from labs.policy_evaluator import Call
from labs.tests.guarded_world import (
    ACCOUNT,
    AS_MINE,
    BOUNDARY,
    ELSEWHERE,
    LAB_ROLE,
    MINE,
    OWN,
    REGION,
    bucket,
    ec2,
    function,
    log_stream,
    new_function,
    new_role,
    notebook,
    pass_role,
    profile,
    run_instances,
    sagemaker,
    state_machine,
    training,
)

BOUND = {"iam:PermissionsBoundary": BOUNDARY}
AT_BIRTH = {"ec2:CreateAction": "CreateVolume"}

# What a student does, in the order of the course. {in words: the calls}
STUDENT_NEEDS = {
    "list the buckets of the account": [Call("s3:ListAllMyBuckets")],
    "make a bucket of the lab's name": [Call("s3:CreateBucket", bucket(f"{OWN}data"))],
    "put, read and delete files in it": [
        Call("s3:PutObject", bucket(f"{OWN}data/raw/year=2025/a.csv")),
        Call("s3:GetObject", bucket(f"{OWN}data/raw/year=2025/a.csv")),
        Call("s3:ListBucket", bucket(f"{OWN}data")),
        Call("s3:DeleteObject", bucket(f"{OWN}data/raw/year=2025/a.csv")),
    ],
    "set versions and a lifecycle": [
        Call("s3:PutBucketVersioning", bucket(f"{OWN}data")),
        Call("s3:ListBucketVersions", bucket(f"{OWN}data")),
        Call("s3:GetObjectVersion", bucket(f"{OWN}data/models/model.json")),
        Call("s3:PutLifecycleConfiguration", bucket(f"{OWN}data")),
        Call("s3:GetLifecycleConfiguration", bucket(f"{OWN}data")),
    ],
    "say that all new files of a bucket are encrypted with a key": [
        Call("s3:PutEncryptionConfiguration", bucket(f"{OWN}data")),
        Call("s3:GetEncryptionConfiguration", bucket(f"{OWN}data")),
    ],
    "see who one is and what runs": [Call("ec2:DescribeInstances"), Call("ec2:DescribeImages"), Call("iam:ListRoles")],
    "run a small instance with one's tags": list(run_instances()),
    "run it without naming tenancy or disk": list(run_instances(tenancy=None, disk=None)),
    "run it with a profile of the lab": [*run_instances(), pass_role(LAB_ROLE, "ec2")],
    "run it in a group of one's own": list(run_instances(group=MINE)),
    "run an image that one made": list(run_instances(image={"ec2:Owner": ACCOUNT, **MINE}, snapshot=MINE)),
    "run the largest disk that is allowed": list(run_instances(gb=50)),
    "stop, start and end one's instance": [
        Call(f"ec2:{verb}Instances", ec2("instance"), MINE) for verb in ("Stop", "Start", "Reboot", "Terminate")
    ],
    "write a note on one's instance": [
        Call("ec2:CreateTags", ec2("instance"), {**MINE, "aws:RequestTag/rows": "12", "aws:TagKeys": ["rows"]}),
        Call("ec2:DeleteTags", ec2("instance"), {**MINE, "aws:TagKeys": ["rows"]}),
    ],
    "log in to it without a key": [
        Call("ssm:StartSession", ec2("instance"), MINE),
        Call("ssm:StartSession", f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell"),
        Call("ssm:TerminateSession", f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/student-7-0a1b2c3d"),
    ],
    "reach Jupyter on it through a tunnel": [
        Call("ssm:StartSession", ec2("instance"), MINE),
        Call("ssm:StartSession", f"arn:aws:ssm:{REGION}::document/AWS-StartPortForwardingSession"),
    ],
    "connect from the browser": [Call("ec2-instance-connect:SendSSHPublicKey", ec2("instance"), MINE)],
    "bring one's public key": [
        Call("ec2:ImportKeyPair", ec2("key-pair", f"{OWN}key"), AS_MINE),
        Call("ec2:CreateTags", ec2("key-pair", f"{OWN}key"), {"ec2:CreateAction": "ImportKeyPair", **AS_MINE}),
    ],
    "make a security group and open a port": [
        Call("ec2:CreateSecurityGroup", ec2("security-group", "*"), AS_MINE),
        Call("ec2:CreateSecurityGroup", ec2("vpc")),
        Call("ec2:CreateTags", ec2("security-group", "*"), {"ec2:CreateAction": "CreateSecurityGroup", **AS_MINE}),
        Call("ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), MINE),
        Call("ec2:AuthorizeSecurityGroupIngress", ec2("security-group-rule", "*")),
        Call("ec2:DeleteSecurityGroup", ec2("security-group"), MINE),
    ],
    "make a disk and attach it": [
        Call("ec2:CreateVolume", ec2("volume", "*"), {"ec2:VolumeSize": 20, "ec2:VolumeType": "gp3", **AS_MINE}),
        Call("ec2:CreateTags", ec2("volume", "*"), {**AT_BIRTH, **AS_MINE}),
        Call("ec2:AttachVolume", ec2("volume"), MINE),
        Call("ec2:AttachVolume", ec2("instance"), MINE),
        Call("ec2:DeleteVolume", ec2("volume"), MINE),
    ],
    "keep a snapshot and make a disk of it": [
        Call("ec2:CreateSnapshot", ec2("snapshot", "*"), AS_MINE),
        Call("ec2:CreateSnapshot", ec2("volume"), MINE),
        Call("ec2:CreateVolume", ec2("volume", "*"), {"ec2:VolumeSize": 8, "ec2:VolumeType": "gp2", **AS_MINE}),
        Call("ec2:CreateVolume", ec2("snapshot"), MINE),
        Call("ec2:DeleteSnapshot", ec2("snapshot"), MINE),
    ],
    "make an image of one's instance": [
        Call("ec2:CreateImage", ec2("instance"), MINE),
        Call("ec2:CreateImage", ec2("image", "*"), AS_MINE),
        Call("ec2:CreateImage", ec2("snapshot", "*"), AS_MINE),
        Call("ec2:DeregisterImage", ec2("image"), MINE),
    ],
    "take an address and give it back": [
        Call("ec2:AllocateAddress", ec2("elastic-ip", "*"), AS_MINE),
        Call("ec2:AssociateAddress", ec2("elastic-ip"), MINE),
        Call("ec2:AssociateAddress", ec2("instance"), MINE),
        Call("ec2:ReleaseAddress", ec2("elastic-ip"), MINE),
    ],
    "make a role that is bounded": list(new_role()),
    "say what it may do": [
        Call("iam:PutRolePolicy", LAB_ROLE, BOUND),
        Call(
            "iam:AttachRolePolicy", LAB_ROLE, {**BOUND, "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
        ),
        Call("iam:UpdateAssumeRolePolicy", LAB_ROLE, BOUND),
        Call("iam:GetRolePolicy", LAB_ROLE),
        Call("iam:DeleteRolePolicy", LAB_ROLE, BOUND),
        Call("iam:DetachRolePolicy", LAB_ROLE, BOUND),
        Call("iam:DeleteRole", LAB_ROLE, BOUND),
    ],
    "put it into a profile, and the profile on an instance": [
        Call("iam:CreateInstanceProfile", profile(f"{OWN}p"), AS_MINE),
        Call("iam:TagInstanceProfile", profile(f"{OWN}p"), AS_MINE),
        Call("iam:AddRoleToInstanceProfile", profile(f"{OWN}p")),
        pass_role(LAB_ROLE, "ec2"),
        Call("ec2:AssociateIamInstanceProfile", ec2("instance"), MINE),
    ],
    "make a function with that role": list(new_function()),
    "change, call and delete it": [
        Call("lambda:UpdateFunctionCode", function(f"{OWN}fn")),
        Call("lambda:UpdateFunctionConfiguration", function(f"{OWN}fn")),
        Call("lambda:InvokeFunction", function(f"{OWN}fn")),
        Call("lambda:GetFunction", function(f"{OWN}fn")),
        Call("lambda:DeleteFunction", function(f"{OWN}fn")),
    ],
    "publish a library as a layer": [
        Call("lambda:PublishLayerVersion", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{OWN}pandas"),
        Call("lambda:GetLayerVersion", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{OWN}pandas:1"),
    ],
    "let an upload start the function": [
        Call("lambda:AddPermission", function(f"{OWN}fn"), {"lambda:Principal": "s3.amazonaws.com"}),
        Call("s3:PutBucketNotification", bucket(f"{OWN}data")),
    ],
    "push an image": [
        Call("ecr:GetAuthorizationToken"),
        Call("ecr:CreateRepository", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml", AS_MINE),
        Call("ecr:TagResource", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml", AS_MINE),
        Call("ecr:InitiateLayerUpload", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml"),
        Call("ecr:PutImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml"),
    ],
    "put an API of the lab before the function": [
        Call("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/apis/abc/integrations/x", MINE),
        Call("apigateway:POST", f"arn:aws:apigateway:{REGION}::/apis/abc/deployments", MINE),
        Call("apigateway:POST", f"arn:aws:apigateway:{REGION}::/apis/abc/stages", MINE),
        Call("lambda:AddPermission", function(f"{OWN}fn"), {"lambda:Principal": "apigateway.amazonaws.com"}),
    ],
    "change a REST API that the portal deploys": [
        Call("apigateway:POST", f"arn:aws:apigateway:{REGION}::/restapis/abc/resources", MINE),
        Call("apigateway:PUT", f"arn:aws:apigateway:{REGION}::/restapis/abc/resources/x/methods/POST", MINE),
        Call("apigateway:GET", f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/prod", MINE),
    ],
    "read what a function logged": [
        Call("logs:DescribeLogGroups"),
        Call("logs:GetLogEvents", log_stream(f"/aws/lambda/{OWN}fn", "2025/09/13/[$LATEST]0a")),
        Call("logs:PutRetentionPolicy", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{OWN}fn"),
    ],
    "start a notebook": list(notebook()),
    "open, stop, start and delete it": [
        Call(f"sagemaker:{action}", sagemaker("notebook-instance", f"{OWN}nb"), MINE)
        for action in (
            "CreatePresignedNotebookInstanceUrl",
            "DescribeNotebookInstance",
            "StopNotebookInstance",
            "StartNotebookInstance",
            "DeleteNotebookInstance",
        )
    ],
    "open Studio with one's profile": [
        Call("sagemaker:CreatePresignedDomainUrl", sagemaker("user-profile/d-abc123", f"{OWN}me"), MINE)
    ],
    "train with an end": list(training()),
    "train as long as is allowed": list(training(seconds=3600)),
    "stop one's training and read its log": [
        Call("logs:DescribeLogStreams", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"),
        Call("sagemaker:StopTrainingJob", sagemaker("training-job", f"{OWN}xgb"), MINE),
        Call("logs:GetLogEvents", log_stream("/aws/sagemaker/TrainingJobs", f"{OWN}xgb/algo-1-1")),
    ],
    "tune": [
        Call(
            "sagemaker:CreateHyperParameterTuningJob",
            sagemaker("hyper-parameter-tuning-job", f"{OWN}tune"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"], "sagemaker:MaxRuntimeInSeconds": 3600, **AS_MINE},
        ),
        pass_role(LAB_ROLE, "sagemaker"),
    ],
    "serve a model": [
        Call("sagemaker:CreateModel", sagemaker("model", f"{OWN}m")),
        pass_role(LAB_ROLE, "sagemaker"),
        Call(
            "sagemaker:CreateEndpointConfig",
            sagemaker("endpoint-config", f"{OWN}c"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"], **AS_MINE},
        ),
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint", f"{OWN}e"), AS_MINE),
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint-config", f"{OWN}c"), AS_MINE),
    ],
    "ask it, and delete it": [
        Call("sagemaker:InvokeEndpoint", sagemaker("endpoint", f"{OWN}e"), MINE),
        Call("sagemaker:DeleteEndpoint", sagemaker("endpoint", f"{OWN}e"), MINE),
        Call("sagemaker:DeleteEndpointConfig", sagemaker("endpoint-config", f"{OWN}c"), MINE),
        Call("sagemaker:DeleteModel", sagemaker("model", f"{OWN}m"), MINE),
    ],
    "transform a batch": [
        Call(
            "sagemaker:CreateTransformJob",
            sagemaker("transform-job", f"{OWN}t"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"], **AS_MINE},
        )
    ],
    "make and start a pipeline": [
        Call("sagemaker:CreatePipeline", sagemaker("pipeline", f"{OWN}p")),
        Call("sagemaker:StartPipelineExecution", sagemaker("pipeline", f"{OWN}p"), MINE),
        pass_role(LAB_ROLE, "sagemaker"),
    ],
    "train and infer in a workflow": [
        Call("states:CreateStateMachine", state_machine(f"{OWN}sm"), AS_MINE),
        Call("states:TagResource", state_machine(f"{OWN}sm"), AS_MINE),
        pass_role(LAB_ROLE, "states"),
        Call("states:StartExecution", state_machine(f"{OWN}sm")),
        Call("states:GetExecutionHistory", f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{OWN}sm:run-1"),
    ],
    "start it by a rule, and by a schedule": [
        Call("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{OWN}nightly"),
        Call("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{OWN}nightly"),
        pass_role(LAB_ROLE, "events"),
        Call("scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{OWN}nightly"),
        pass_role(LAB_ROLE, "scheduler"),
    ],
    "run a pipeline that the portal made": [
        Call("codepipeline:GetPipeline", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{OWN}p"),
        Call("codepipeline:StartPipelineExecution", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{OWN}p"),
        Call("codepipeline:GetPipelineExecution", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{OWN}p"),
    ],
    "make an empty log group, and find it again": [
        Call("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{OWN}here"),
        Call("logs:DescribeLogGroups"),
    ],
    "change what a stack made, past its template": [
        Call("logs:PutRetentionPolicy", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{OWN}stack-journal"),
        Call("s3:PutObject", bucket(f"{OWN}stack-data/raw/a.csv")),
    ],
    "see which profile an instance carries, and restart it": [
        Call("ec2:DescribeIamInstanceProfileAssociations"),
        Call("ec2:RebootInstances", ec2("instance"), MINE),
    ],
    "see what a stack of the lab made": [
        Call("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OWN}s/1"),
        Call("cloudformation:DescribeStackResources", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OWN}s/1"),
        Call("cloudformation:GetTemplate", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OWN}s/1"),
    ],
    "look at metrics, and be told by an alarm": [
        Call("cloudwatch:GetMetricData"),
        Call("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{OWN}idle"),
        Call("cloudwatch:PutDashboard", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{OWN}cost"),
    ],
    "encrypt with the lab's key": [
        Call("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b", MINE),
        Call("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b", MINE),
        Call(
            "kms:CreateGrant", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b", {"kms:GrantIsForAWSResource": "true", **MINE}
        ),
    ],
    "watch the lab's cluster, and end it": [
        Call("elasticmapreduce:ListClusters"),
        Call("elasticmapreduce:ListSteps", f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/j-1", MINE),
        Call("elasticmapreduce:TerminateJobFlows", f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/j-1", MINE),
    ],
    "ask a small model": [
        Call("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0")
    ],
    "work in the other region": [
        *run_instances(region="ap-southeast-1"),
        Call("iam:GetRole", LAB_ROLE, {"aws:RequestedRegion": "us-east-1"}),
    ],
}

# What a role of a lab does at its work.
ROLE_NEEDS = {
    "a pipeline takes a file and deploys it": [
        Call("s3:GetBucketVersioning", bucket(f"{OWN}data")),
        Call("s3:GetObjectVersion", bucket(f"{OWN}data/source/model.zip")),
        Call("s3:PutObject", bucket(f"{OWN}data/live/model.json")),
    ],
    "an instance reads its bucket": [
        Call("s3:ListBucket", bucket(f"{OWN}data")),
        Call("s3:GetObject", bucket(f"{OWN}data/raw/a.csv")),
    ],
    "an instance is logged in to": [Call("ssm:UpdateInstanceInformation"), Call("ssmmessages:OpenDataChannel")],
    "a function writes its log": [
        Call("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{OWN}fn"),
        Call("logs:CreateLogStream", log_stream(f"/aws/lambda/{OWN}fn", "2025/09/13/[$LATEST]0a")),
        Call("logs:PutLogEvents", log_stream(f"/aws/lambda/{OWN}fn", "2025/09/13/[$LATEST]0a")),
    ],
    "a training job writes its log": [
        Call("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"),
        Call("logs:CreateLogStream", log_stream("/aws/sagemaker/TrainingJobs", f"{OWN}xgb/algo-1-1")),
        Call("logs:DescribeLogStreams", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"),
        Call("logs:PutLogEvents", log_stream("/aws/sagemaker/TrainingJobs", f"{OWN}xgb/algo-1-1")),
        Call("cloudwatch:PutMetricData"),
    ],
    "an endpoint pulls AWS's image": [
        Call("ecr:GetAuthorizationToken"),
        Call(
            "ecr:BatchGetImage",
            f"arn:aws:ecr:{REGION}:{ELSEWHERE}:repository/sagemaker-xgboost",
            {"aws:ResourceAccount": ELSEWHERE},
        ),
    ],
    "a function runs the lab's image": [
        Call("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OWN}ml", MINE)
    ],
    "a notebook trains, serves and asks": [
        *training(tags={})[:1],
        pass_role(LAB_ROLE, "sagemaker"),
        Call(
            "sagemaker:CreateEndpointConfig",
            sagemaker("endpoint-config", f"{OWN}c"),
            {"sagemaker:InstanceTypes": ["ml.m5.large"]},
        ),
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint", f"{OWN}e")),
        Call("sagemaker:CreateEndpoint", sagemaker("endpoint-config", f"{OWN}c")),
        Call("sagemaker:AddTags", sagemaker("endpoint", f"{OWN}e"), AS_MINE),
        Call("sagemaker:InvokeEndpoint", sagemaker("endpoint", f"{OWN}e")),
        Call("sagemaker:ListEndpoints"),
    ],
    "a function asks the endpoint": [Call("sagemaker:InvokeEndpoint", sagemaker("endpoint", f"{OWN}e"))],
    "a function stops the lab's instance": [
        Call("ec2:DescribeInstances"),
        Call("ec2:StopInstances", ec2("instance"), MINE),
    ],
    "a workflow calls a function and waits for a job": [
        Call("lambda:InvokeFunction", function(f"{OWN}fn")),
        Call(
            "events:PutTargets",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
            {"events:ManagedBy": "states.amazonaws.com"},
        ),
    ],
    "a rule starts the workflow": [Call("states:StartExecution", state_machine(f"{OWN}sm"))],
    "a pipeline's function reports": [Call("codepipeline:PutJobSuccessResult")],
    "a function asks a small model": [
        Call("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-micro-v1:0")
    ],
    "a role reads what the lab's key hides": [Call("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b", MINE)],
    "files are listed": [Call("s3:ListAllMyBuckets")],
}
