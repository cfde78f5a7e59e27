"""S3 triggers: a Lambda function that is called for what comes into a bucket.

A kind of its own, because it joins two that need not know each other: a bucket cannot need a function whose role needs
the bucket. S3's half is here, a line in the bucket's notification configuration; Lambda's half, that S3 may call it, is
`invoked_by` of the function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs.kinds.aws_words import LAB_NAMES, code_of, mark, read_back, written
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want

LINES = "LambdaFunctionConfigurations"
CREATED = ("s3:ObjectCreated:*",)


class S3Trigger(Kind):
    """params: bucket (its name), function_arn, and as wanted: events (all that create an object), prefix, suffix.

    A bucket has one configuration, which is written whole: of two triggers on one bucket, one needs the other.
    """

    name, service, identity = "s3-trigger", "s3", NAME
    title, icon, cost_service, arn_type = "S3 trigger", "bolt", "S3", "s3:notification"
    is_global, is_free = True, True
    goes_with = "s3-bucket"

    def create(self, client, want: Want) -> None:
        params = want.params
        wanted = {"prefix": params.get("prefix"), "suffix": params.get("suffix")}
        rules = [{"Name": name, "Value": value} for name, value in wanted.items() if value]
        line = {
            # Nobody can tag it: its id says its name and whose it is.
            "Id": f"{want.name}.{written(want.tags)}",
            "LambdaFunctionArn": params["function_arn"],
            "Events": list(params.get("events", CREATED)),
            **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
        }
        bucket = params["bucket"]
        there = _configuration(client, bucket)
        others = [each for each in there.get(LINES, ()) if _name(each) != want.name]
        _put(client, bucket, {**there, LINES: [*others, line]})

    def observe(self, client, want: Want) -> Seen:
        bucket = want.aws_id.partition("/")[0] or want.params.get("bucket")
        lines = _in_bucket(client, bucket) if bucket else self.find_all(client)
        is_it = (seen for seen in lines if (seen.aws_id == want.aws_id if want.aws_id else seen.name == want.name))
        return next(is_it, GONE_FROM_AWS)

    def delete(self, client, want: Want, seen: Seen) -> None:
        bucket = seen.facts["bucket"]
        there = _configuration(client, bucket)
        others = [each for each in there.get(LINES, ()) if _name(each) != seen.name]
        _put(client, bucket, {**there, LINES: others})

    def find_all(self, client) -> Iterable[Seen]:
        """Of the labs' buckets, one call each: S3 has no list of them. A trigger costs nothing, and ends with its
        bucket."""
        pages = client.get_paginator("list_buckets").paginate(Prefix=LAB_NAMES, PaginationConfig={"PageSize": 1000})
        for page in pages:
            for bucket in page.get("Buckets", ()):
                try:
                    yield from _in_bucket(client, bucket["Name"])
                except client.exceptions.ClientError as error:
                    # A policy of its own may keep us from looking in: one bucket must not hide the others.
                    if code_of(error) != "AccessDenied":
                        raise


def _in_bucket(client, bucket: str) -> list[Seen]:
    """The triggers of a bucket; [] for one that is gone."""
    try:
        return [_seen(bucket, line) for line in _configuration(client, bucket).get(LINES, ())]
    except client.exceptions.ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return []
        raise


def _configuration(client, bucket: str) -> dict[str, Any]:
    answer = client.get_bucket_notification_configuration(Bucket=bucket)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _put(client, bucket: str, configuration: Mapping[str, Any]) -> None:
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={name: value for name, value in configuration.items() if value != []}
    )


def _name(line: Mapping[str, Any]) -> str:
    return str(line["Id"]).partition(".lightsout.")[0]


def _seen(bucket: str, line: Mapping[str, Any]) -> Seen:
    name, function = _name(line), line["LambdaFunctionArn"]
    rules = {
        rule["Name"].lower(): rule["Value"] for rule in line.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    }
    events = sorted(line["Events"])
    return Seen(
        RUNNING,
        aws_id=f"{bucket}/{name}"[:255],
        name=name,
        facts={
            "bucket": bucket,
            "function_arn": function,
            "region": function.split(":")[3],
            "events": events,
            "prefix": rules.get("prefix", ""),
            "suffix": rules.get("suffix", ""),
        },
        tags=read_back(line["Id"]),
        mark=mark(*events, *rules.values()),
    )
