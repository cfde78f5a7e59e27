"""SageMaker Studio domains: free by themselves, and full of what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import DELETING, Seen, Want
from labs.kinds.sagemaker_named import pages_of
from labs.kinds.sagemaker_studio import LEAST_IDLE_MINUTES, StudioKind, apps_gone, profiles_gone, seen_of, spaces_gone


class SageMakerStudioDomain(StudioKind):
    """params: role_arn, vpc, subnets ([id]), and as wanted: idle_minutes (60, AWS's least), most_gb (a space; 20)."""

    name, title, icon, arn_type = "sagemaker-studio-domain", "SageMaker Studio domain", "cloud", "sagemaker:domain"
    arn_member = "DomainArn"
    is_free = True  # the home directories are a file system, and a row of its own
    settle_seconds = 60
    goes_after = ("sagemaker-studio-app", "sagemaker-studio-space", "sagemaker-studio-profile")
    native_cap = f"JupyterLab and the code editor in it stop by themselves after {LEAST_IDLE_MINUTES} idle minutes."
    lost_on_delete = gettext_noop(
        "All its profiles, spaces and home directories are deleted with it: save your notebooks first."
    )

    def create(self, client, want: Want) -> None:
        params = want.params
        idle = max(LEAST_IDLE_MINUTES, int(params.get("idle_minutes", LEAST_IDLE_MINUTES)))
        # The most is the same: nobody sets a longer time in Studio.
        settings = {
            "LifecycleManagement": "ENABLED",
            "IdleTimeoutInMinutes": idle,
            "MinIdleTimeoutInMinutes": LEAST_IDLE_MINUTES,
            "MaxIdleTimeoutInMinutes": idle,
        }
        stops_when_idle = {"AppLifecycleManagement": {"IdleSettings": settings}}
        disk = {"DefaultEbsVolumeSizeInGb": 5, "MaximumEbsVolumeSizeInGb": int(params.get("most_gb", 20))}
        client.create_domain(
            DomainName=want.name,
            AuthMode="IAM",
            DefaultUserSettings={
                "ExecutionRole": params["role_arn"],
                "JupyterLabAppSettings": stops_when_idle,
                "CodeEditorAppSettings": stops_when_idle,
                "SpaceStorageSettings": {"DefaultEbsStorageSettings": disk},
                "StudioWebPortal": "ENABLED",
                "DefaultLandingUri": "studio::",
            },
            DefaultSpaceSettings={"ExecutionRole": params["role_arn"], "JupyterLabAppSettings": stops_when_idle},
            AppNetworkAccessType="PublicInternetOnly",
            VpcId=params["vpc"],
            SubnetIds=list(params["subnets"]),
            Tags=tag_list(want.tags),
        )

    def is_id(self, text: str) -> bool:
        return text.startswith("d-")

    def own_id(self, want: Want) -> str:
        return ""

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its apps, then its spaces, its profiles, itself. Unless told so, AWS leaves the home directories behind."""
        if seen.state == DELETING:
            return
        domain = seen.aws_id
        if apps_gone(client, domain) and spaces_gone(client, domain) and profiles_gone(client, domain):
            client.delete_domain(DomainId=domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_domain(DomainId=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_domains", "Domains")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        settings = answer.get("DefaultUserSettings", {})
        facts = {
            "arn": answer["DomainArn"],
            "url": answer.get("Url", ""),
            "file_system": answer.get("HomeEfsFileSystemId", ""),
            "role_arn": settings.get("ExecutionRole", ""),
            "vpc": answer.get("VpcId", ""),
            "idle_minutes": _idle_minutes(settings),
        }
        return seen_of(answer, answer["DomainId"], answer["DomainName"], facts, tags)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return seen_of(answer, answer["DomainId"], answer["DomainName"], {"arn": answer["DomainArn"]})


def _idle_minutes(settings: Mapping[str, Any]) -> int:
    """After how many idle minutes its JupyterLab stops by itself, 0 for never."""
    idle = settings.get("JupyterLabAppSettings", {}).get("AppLifecycleManagement", {}).get("IdleSettings", {})
    return int(idle.get("IdleTimeoutInMinutes") or 0) if idle.get("LifecycleManagement") == "ENABLED" else 0
