"""Versions of Lambda layers. Each call publishes another version: AWS guards nothing, and lets nobody tag a layer.

So a layer of ours has a name that no other has, one version, and its tags in its description.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark, read_back, written
from labs.kinds.base import GONE_FROM_AWS, RUNNING, TAG, TAG_LAUNCH, Kind, Seen, Want
from labs.kinds.lambda_code import zip_of


class LambdaLayerVersion(Kind):
    """params: code ({"zip_files": {"python/library.py": text}}), and as wanted: runtimes (["python3.12"]),
    description."""

    name, service, identity = "lambda-layer-version", "lambda", TAG
    title, icon, cost_service, arn_type = "Lambda layer", "archive", "Lambda", "lambda:layer"
    is_free = True
    lost_on_delete = gettext_noop("Functions that have it keep it; no other function can be given it.")

    def create(self, client, want: Want) -> None:
        description = str(want.params.get("description") or "Made for a lab")[:100]
        client.publish_layer_version(
            LayerName=want.name,
            Description=f"{description} {written(want.tags)}",
            Content={"ZipFile": zip_of(want.params["code"]["zip_files"])},
            CompatibleRuntimes=list(want.params.get("runtimes", ())),
        )

    def observe(self, client, want: Want) -> Seen:
        if not want.aws_id:
            return next(iter(_versions(client, want.name)), GONE_FROM_AWS)
        layer, version = _parts(want.aws_id)
        try:
            told = client.get_layer_version(LayerName=layer, VersionNumber=version)
        except client.exceptions.ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return GONE_FROM_AWS
            raise
        return _seen(told)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """All versions of a layer that a lab made: a create whose answer was lost may have left one behind."""
        layer, version = _parts(seen.aws_id)
        is_labs = bool(want.tags.get(TAG_LAUNCH)) and layer == want.name
        ends = [each.facts["version"] for each in _versions(client, layer)] if is_labs else [version]
        for number in ends:
            client.delete_layer_version(LayerName=layer, VersionNumber=number)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 50}):
            for layer in page["Layers"]:
                latest = layer["LatestMatchingVersion"]
                # Only where others came before it is there another list.
                yield from [_seen(latest)] if latest["Version"] == 1 else _versions(client, layer["LayerName"])


def _versions(client, layer: str) -> Iterable[Seen]:
    """The newest first. None for a layer that is not there."""
    pages = client.get_paginator("list_layer_versions").paginate(LayerName=layer, PaginationConfig={"PageSize": 50})
    return [_seen(told) for page in pages for told in page["LayerVersions"]]


def _parts(arn: str) -> tuple[str, int]:
    """Name and number of "arn:aws:lambda:us-east-1:123456789012:layer:numpy:3"."""
    *_, layer, version = arn.split(":")
    return layer, int(version) if version.isdigit() else 0


def _seen(told: Mapping[str, Any]) -> Seen:
    arn = told["LayerVersionArn"]
    return Seen(
        RUNNING,
        aws_id=arn,
        name=_parts(arn)[0],
        since=datetime.fromisoformat(told["CreatedDate"]).astimezone(UTC),
        facts={"arn": arn, "version": told["Version"], "runtimes": sorted(told.get("CompatibleRuntimes", ()))},
        tags=read_back(told.get("Description")),
        mark=mark(told["Version"], told["CreatedDate"]),
    )
