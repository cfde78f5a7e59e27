"""Event source mappings: what reads a queue or a stream for a Lambda function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import LAB_NAMES, code_of, mark, utc
from labs.kinds.base import DELETING, GONE_FROM_AWS, PENDING, RUNNING, STOPPED, STOPPING, TOKEN, Kind, Seen, Want

STATES = {
    "Creating": PENDING,
    "Enabling": PENDING,
    "Enabled": RUNNING,
    "Updating": RUNNING,
    "Disabling": STOPPING,
    "Disabled": STOPPED,
    "Deleting": DELETING,
}
NOT_ACCRUED = gettext_noop("Requests that event source mappings make to their queues")


class LambdaEventSourceMapping(Kind):
    """params: function (its name), source_arn (of a queue or stream), and as wanted: batch_size, starting_position
    (streams need one: "LATEST", "TRIM_HORIZON")."""

    # Its token is the pair of function and source: AWS refuses a second mapping of the same two, by whatever name.
    name, service, identity = "lambda-event-source-mapping", "lambda", TOKEN
    title, icon, cost_service, arn_type = "Event source mapping", "route", "Lambda", "lambda:event-source-mapping"
    can_stop, is_free = True, True
    kept_on_stop = gettext_noop("It is kept and reads nothing; what comes into the queue waits there.")

    def create(self, client, want: Want) -> None:
        params = want.params
        asked: dict[str, Any] = {
            "FunctionName": params["function"],
            "EventSourceArn": params["source_arn"],
            "Tags": dict(want.tags),
        }
        if params.get("batch_size"):
            asked["BatchSize"] = int(params["batch_size"])
        if params.get("starting_position"):
            asked["StartingPosition"] = params["starting_position"]
        client.create_event_source_mapping(**asked)

    def observe(self, client, want: Want) -> Seen:
        try:
            told = _told(client, want)
            # Our own row needs no tags read back; a stranger's may tell whose it is.
            return _seen(told, want.tags or _tags(client, told)) if told else GONE_FROM_AWS
        except client.exceptions.ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return GONE_FROM_AWS
            raise

    def start(self, client, want: Want, seen: Seen) -> None:
        client.update_event_source_mapping(UUID=seen.aws_id, Enabled=True)

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.update_event_source_mapping(UUID=seen.aws_id, Enabled=False)

    def delete(self, client, want: Want, seen: Seen) -> None:
        # On its way AWS takes no delete.
        if seen.state not in (PENDING, STOPPING, DELETING):
            client.delete_event_source_mapping(UUID=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for told in _listed(client):
            # The list leaves tags out, and a mapping has no name: of a lab's function we must know whose mapping it is,
            # or one that was made a moment ago would be entered as a stranger.
            if _function(told).startswith(LAB_NAMES):
                yield _seen(told, _tags(client, told))
            else:
                yield _seen(told, {}, whole=False)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)  # the list leaves out nothing else


def _told(client, want: Want) -> Mapping[str, Any] | None:
    if want.aws_id:
        return client.get_event_source_mapping(UUID=want.aws_id)
    source = want.params.get("source_arn")
    of_function = _listed(client, FunctionName=want.params.get("function") or want.name)
    return next((told for told in of_function if told.get("EventSourceArn") == source), None)


def _listed(client, **asked: str) -> Iterable[Mapping[str, Any]]:
    pages = client.get_paginator("list_event_source_mappings").paginate(**asked, PaginationConfig={"PageSize": 100})
    return (told for page in pages for told in page["EventSourceMappings"])


def _function(told: Mapping[str, Any]) -> str:
    return told["FunctionArn"].split(":function:")[1].split(":")[0]


def _arn(told: Mapping[str, Any]) -> str:
    return f"{told['FunctionArn'].split(':function:')[0]}:event-source-mapping:{told['UUID']}"


def _tags(client, told: Mapping[str, Any]) -> dict[str, str]:
    return client.list_tags(Resource=_arn(told)).get("Tags", {})


def _seen(told: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool = True) -> Seen:
    source, function = told.get("EventSourceArn", ""), _function(told)
    return Seen(
        STATES[told["State"]],
        aws_id=told["UUID"],
        name=f"{source.rpartition(':')[2]} to {function}"[:255],
        since=utc(told["LastModified"]),
        facts={
            "arn": _arn(told),
            "source": source,
            "function": function,
            "batch_size": told.get("BatchSize"),
            "not_accrued": NOT_ACCRUED,
        },
        tags=tags,
        mark=mark(told["State"], told["LastModified"]),
        whole=whole,
    )
