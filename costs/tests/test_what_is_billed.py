"""What AWS bills of every kind in each of its states, by hand from AWS's price pages, beside what its meters say.

The things are those of labs/tests/kinds/examples. A new kind that costs fails here until its lines stand below.
"""

import pytest

from labs.kinds import kind_of, registry
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.kinds.examples import EXAMPLES, AccountOfAye, make

STATES = (PENDING, RUNNING, STOPPING, STOPPED, DELETING, FAILED, ABSENT)
COSTLY = sorted(name for name, kind in registry().items() if not kind.is_free)

# kind: {state or states: lines}. A line is what, how many, and how it is counted:
#   s    by the second                        s60  by the second, 60 s at least a start (s600: ten minutes)
#   h    a started hour is an hour            5m   started five minutes
#   mo   share of the month's own seconds     mo60 the same, 60 s at least
# What is in no line of its kind costs nothing in that state; absent is nothing for all, and not written down.
ALWAYS = "pending running stopping stopped deleting failed"
BILLED = {
    # A cache is there from its stage's deployment to its end, whatever is asked.
    "api-gateway-rest": {ALWAYS: ["API Gateway/cache/0.5GB 1 s"]},
    "bedrock-provisioned-throughput": {"running": ["Bedrock/provisioned-1-month/amazon.titan-text-lite-v1 1 s"]},
    # Partial hours of a load balancer are whole hours; its addresses are not.
    "classic-load-balancer": {"running": ["ELB/clb/CLB-hour 1 h", "VPC/public-ipv4/in-use-address 1 s60"]},
    "load-balancer": {"running": ["ELB/alb/ALB-hour 1 h", "VPC/public-ipv4/in-use-address 2 s60"]},
    "cloudwatch-alarm": {ALWAYS: ["CloudWatch/alarms/standard 1 mo"]},
    "cloudwatch-dashboard": {ALWAYS: ["CloudWatch/dashboards/dashboard 1 mo"]},
    "codepipeline-pipeline": {ALWAYS: ["CodePipeline/v1/active-pipeline 1 mo"]},
    "ebs-snapshot": {"running": ["EBS/snapshot/standard 8 mo"]},
    "ebs-volume": {"pending running stopping stopped deleting": ["EBS/volume/gp3 10 mo60"]},
    # Stopped, it pays for its disk and for an address that it holds; its hours only while it runs.
    "ec2-instance": {
        "running": ["EC2/on-demand-linux/t3.micro 1 s60"],
        "pending running stopping stopped": ["VPC/public-ipv4/in-use-address 1 s60"],
        "pending running stopping stopped deleting": ["EBS/volume/gp3 8 mo60"],
    },
    "ecr-repository": {f"{ALWAYS}": ["ECR/private-storage/storage 2 mo"]},
    "efs-file-system": {
        "running deleting": ["EFS/storage/IA 1 mo", "EFS/storage/Standard (SageMaker Studio home dirs bill here) 3 mo"]
    },
    "elastic-ip": {"running": ["VPC/public-ipv4/idle-address-EIP 1 s60"]},
    # EC2, EMR's own price on top of it, addresses and disks of three machines.
    "emr-cluster": {
        "pending running stopping stopped deleting": [
            "EC2/on-demand-linux/m5.xlarge 3 s60",
            "EMR/ec2-uplift/m5.xlarge 3 s60",
            "VPC/public-ipv4/in-use-address 3 s60",
            "EBS/volume/gp3 141 mo60",
        ]
    },
    "emr-serverless-application": {
        "running stopping": ["EMR Serverless/spark/vCPU-hour-x86 8 s60", "EMR Serverless/spark/GB-hour-x86 32 s60"]
    },
    "kendra-index": {"running": ["Kendra/developer/base 1 s"]},
    "kms-key": {"running stopping stopped deleting failed": ["KMS/key/customer-managed-key 1 mo"]},
    # Two of 1 GB kept ready for an hour: 7200 GB-seconds; rounded up to five minutes. Calls are not accrued.
    "lambda-function": {ALWAYS: ["Lambda/provisioned-concurrency/x86 7200 5m"]},
    "log-group": {ALWAYS: ["CloudWatch/logs/storage 0.48828125 mo"]},
    "nat-gateway": {"running": ["VPC/nat-gateway/hour 1 h"]},
    "opensearch-serverless-collection": {"running": ["OpenSearch Serverless/ocu/indexing-or-search 2 s"]},
    "rds-instance": {
        "running": ["RDS/mysql-single-az/db.t3.micro 1 s600", "VPC/public-ipv4/in-use-address 1 s60"],
        "running stopping stopped": ["RDS/storage/gp2 20 mo"],
    },
    "s3-bucket": {ALWAYS: ["S3/storage/Standard-first-50TB 3 mo"]},
    # No stop: machines and their disks from the first to the last.
    "sagemaker-endpoint": {ALWAYS: ["SageMaker/hosting/ml.m5.large 1 s", "SageMaker/storage/ML-storage-gp2 4 mo"]},
    "sagemaker-feature-group": {ALWAYS: ["SageMaker/feature-store/online-storage 0.29296875 mo"]},
    "sagemaker-mlflow-server": {"running stopping": ["SageMaker/mlflow/Small 1 s"]},
    # In service and until it has stopped; its disk until it is deleted.
    "sagemaker-notebook": {
        "running stopping": ["SageMaker/notebook/ml.t3.medium 1 s"],
        ALWAYS: ["SageMaker/storage/ML-storage-gp2 5 mo"],
    },
    "sagemaker-processing-job": {
        "running stopping": ["SageMaker/processing/ml.t3.medium 1 s", "SageMaker/storage/ML-storage-gp2 10 mo"]
    },
    "sagemaker-studio-app": {"running deleting": ["SageMaker/studio/ml.t3.medium 1 s"]},
    "sagemaker-studio-space": {ALWAYS: ["SageMaker/storage/Studio-gp3 5 mo"]},
    "sagemaker-training-job": {
        "running stopping": ["SageMaker/training/ml.m5.xlarge 2 s", "SageMaker/storage/ML-storage-gp2 20 mo"]
    },
    "sagemaker-transform-job": {"running stopping": ["SageMaker/transform/ml.m5.large 1 s"]},
    "sagemaker-tuning-job": {
        "running stopping": ["SageMaker/training/ml.m5.xlarge 4 s", "SageMaker/storage/ML-storage-gp2 40 mo"]
    },
    "secret": {ALWAYS: ["Secrets Manager/secret/secret 1 mo"]},
    # In each of two zones, also while its service's owner has not said yes.
    "vpc-endpoint": {"running failed": ["VPC/interface-endpoint/endpoint-hour-per-AZ 2 h"]},
}
# What AWS bills by the request, by the GB that goes through, or by what no list shows: never 0, but "not counted live".
NOT_SEEN_LIVE = {
    "api-gateway-http",
    "api-gateway-rest",
    "classic-load-balancer",
    "ecr-repository",
    "lambda-event-source-mapping",
    "lambda-function",
    "load-balancer",
    "log-group",
    "nat-gateway",
    "s3-bucket",
    "sagemaker-endpoint",
    "step-functions-execution",
    "step-functions-state-machine",
    "vpc-endpoint",
}


def told(meter):
    counts = {"five-minutes": "5m", "hour": "h", "second": {"hour": "s", "month": "mo"}[meter.per]}[meter.rounding]
    counts += str(meter.minimum_seconds or "") if counts != "mo" or meter.minimum_seconds else ""
    return f"{meter.service}/{meter.kind}/{meter.sku} {meter.quantity.normalize():f} {counts}"


def test_all_that_costs_stands_in_the_table_and_nothing_else_does():
    assert sorted(BILLED) == COSTLY
    assert {state for lines in BILLED.values() for states in lines for state in states.split()} <= set(STATES)


@pytest.mark.parametrize("name", COSTLY)
def test_each_state_of_each_kind_bills_what_aws_bills(name):
    for state in STATES:
        seen = Seen(state, "it", "it", None, EXAMPLES[name].running if state != ABSENT else {})
        expected = [line for states, lines in BILLED[name].items() if state in states.split() for line in lines]
        assert sorted(map(told, kind_of(name).meters(seen))) == sorted(expected), state


@pytest.mark.simulator
@pytest.mark.parametrize("name", sorted(NOT_SEEN_LIVE))
def test_what_is_billed_by_the_request_or_the_gigabyte_says_that_it_is_not_counted(name, simulator):
    _, _, seen = make(name, AccountOfAye(simulator, "600000000077"))
    assert seen.facts["not_accrued"]
