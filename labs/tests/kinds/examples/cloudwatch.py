"""CloudWatch: alarms, dashboards, log groups."""

from labs.tests.kinds.examples.world import Example

METRIC = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocations",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 12,
    "Threshold": 1.0,
    "ComparisonOperator": "LessThanThreshold",
    "TreatMissingData": "breaching",
}
WIDGET = {"type": "metric", "properties": {"metrics": [["AWS/SageMaker", "Invocations"]], "region": "us-east-1"}}

EXAMPLES = {
    "cloudwatch-alarm": Example(
        params=lambda account: {"metric": METRIC}, running={"rule": "", "metrics": 1, "is_quick": False}
    ),
    "cloudwatch-dashboard": Example(params=lambda account: {"body": {"widgets": [WIDGET]}}),
    "log-group": Example(params=lambda account: {"days": 3}, running={"mib": 500}),
}
