"""SageMaker Studio user profiles: one a person in a domain. Free; the person's private spaces and apps go before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import DELETING, Seen, Want
from labs.kinds.sagemaker_studio import StudioKind, apps_gone, listed_everywhere, seen_of, spaces_gone


class SageMakerStudioProfile(StudioKind):
    """params: domain (its id). The id of a profile is "domain/name"."""

    name, title, icon, arn_type = "sagemaker-studio-profile", "SageMaker Studio user", "user", "sagemaker:user-profile"
    arn_member = "UserProfileArn"
    is_free, goes_after = True, ("sagemaker-studio-app", "sagemaker-studio-space")
    lost_on_delete = gettext_noop("Its private spaces and their files are deleted with it.")

    def create(self, client, want: Want) -> None:
        client.create_user_profile(DomainId=want.params["domain"], UserProfileName=want.name, Tags=tag_list(want.tags))

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        domain, _, name = seen.aws_id.partition("/")
        if apps_gone(client, domain, UserProfileNameEquals=name) and spaces_gone(client, domain, owner=name):
            client.delete_user_profile(DomainId=domain, UserProfileName=name)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        domain, _, profile = name.partition("/")
        return client.describe_user_profile(DomainId=domain, UserProfileName=profile)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return listed_everywhere(client, "list_user_profiles", "UserProfiles")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return seen_of(
            answer, *_known_by(answer), {"domain": answer["DomainId"], "arn": answer["UserProfileArn"]}, tags
        )

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return seen_of(answer, *_known_by(answer), {"domain": answer["DomainId"]})


def _known_by(answer: Mapping[str, Any]) -> tuple[str, str]:
    name = answer["UserProfileName"]
    return f"{answer['DomainId']}/{name}", name
