"""SageMaker Studio spaces: the disk on which a person's notebooks lie, paid for whether an app runs in it or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import ABSENT, DELETING, RUNNING, Meter, Seen, Want
from labs.kinds.sagemaker_studio import (
    LEAST_IDLE_MINUTES,
    StudioKind,
    apps_gone,
    listed_everywhere,
    owner_of,
    seen_of,
)

DISK_GB = 5


class SageMakerStudioSpace(StudioKind):
    """params: domain (its id), profile (name of its owner), and as wanted: gb (5), idle_minutes (60, AWS's least). Its
    id is "domain/name"."""

    name, title, icon, arn_type = "sagemaker-studio-space", "SageMaker Studio space", "folder", "sagemaker:space"
    arn_member = "SpaceArn"
    goes_after = ("sagemaker-studio-app",)
    native_cap = f"What runs in it stops by itself after {LEAST_IDLE_MINUTES} idle minutes."
    lost_on_delete = gettext_noop("Its disk is deleted with it: save your notebooks first.")

    def create(self, client, want: Want) -> None:
        params = want.params
        idle = {"IdleTimeoutInMinutes": max(LEAST_IDLE_MINUTES, int(params.get("idle_minutes", LEAST_IDLE_MINUTES)))}
        client.create_space(
            DomainId=params["domain"],
            SpaceName=want.name,
            OwnershipSettings={"OwnerUserProfileName": params["profile"]},
            SpaceSharingSettings={"SharingType": "Private"},
            SpaceSettings={
                "AppType": "JupyterLab",
                "JupyterLabAppSettings": {"AppLifecycleManagement": {"IdleSettings": idle}},
                "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": int(params.get("gb", DISK_GB))}},
            },
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        domain, _, name = seen.aws_id.partition("/")
        if apps_gone(client, domain, SpaceNameEquals=name):
            client.delete_space(DomainId=domain, SpaceName=name)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        domain, _, space = name.partition("/")
        return client.describe_space(DomainId=domain, SpaceName=space)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return listed_everywhere(client, "list_spaces", "Spaces")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, {"arn": answer["SpaceArn"]}, tags)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {})

    def meters(self, seen: Seen) -> list[Meter]:
        """Its disk by GB-month, from the first app in it to its end. AWS does not tell when that was: we count from the
        beginning, a few cents early. The files of Studio Classic are on the domain's file system instead."""
        gb = Decimal(seen.facts.get("disk_gb", 0))
        if seen.state == ABSENT or not gb:
            return []
        return [Meter("SageMaker", "storage", "Studio-gp3", "GB-Mo", gb, per="month", label=f"disk {gb} GB")]

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"disk_gb": int(want.params.get("gb", DISK_GB))})


def _seen(answer: Mapping[str, Any], facts: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Seen:
    domain, name = answer["DomainId"], answer["SpaceName"]
    settings = answer.get("SpaceSettings") or answer.get("SpaceSettingsSummary") or {}
    disk = settings.get("SpaceStorageSettings", {}).get("EbsStorageSettings", {})
    facts = {
        "domain": domain,
        "owner": owner_of(answer),
        "app_type": settings.get("AppType", ""),
        "disk_gb": int(disk.get("EbsVolumeSizeInGb") or 0),
        **facts,
    }
    return seen_of(answer, f"{domain}/{name}", name, facts, tags)
