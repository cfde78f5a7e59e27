"""What AWS counts in CloudWatch by itself when its services are used: so that what is in use is not taken for idle."""

from __future__ import annotations

from collections.abc import Mapping

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow


def count(
    account: str,
    region: str,
    metric: str,
    dimensions: Mapping[str, str],
    value: float = 1,
    unit: str = "Count",
) -> None:
    """metric: namespace and name, "AWS/Lambda Invocations". One datapoint, of now."""
    namespace, name = metric.split()
    named = [{"Name": dimension, "Value": of} for dimension, of in dimensions.items()]
    datapoint = {"MetricName": name, "Dimensions": named, "Value": value, "Unit": unit, "Timestamp": utcnow()}
    cloudwatch_backends[account][region].put_metric_data(namespace, [datapoint])
