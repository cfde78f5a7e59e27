"""SageMaker Studio apps: a machine behind JupyterLab, the code editor, a kernel or Canvas. A student opens one in
Studio, and no lab makes it; closing the browser does not end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import utc
from labs.kinds.base import DELETING, RUNNING, Meter, OffCall, Seen, Want
from labs.kinds.sagemaker_named import is_not_there
from labs.kinds.sagemaker_studio import StudioKind, listed_everywhere, seen_of

CANVAS = "Canvas"
FREE = "system"  # the machine of Studio Classic's own server


class SageMakerStudioApp(StudioKind):
    """The id of an app is "domain/space/type/name", with "user:" before a profile that has it without a space."""

    name, title, icon, arn_type = "sagemaker-studio-app", "SageMaker Studio app", "notebook", "sagemaker:app"
    arn_member = "AppArn"
    can_create = False
    stop_means = "delete"
    max_age_seconds = 900  # when it was used last is in no list
    kept_on_stop = gettext_noop("An app has no stop: it is ended. Its space, with the files in it, is kept.")
    lost_on_delete = gettext_noop("What was not saved is lost; files stay in its space.")

    def own_id(self, want: Want) -> str:
        return ""

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state != DELETING:
            client.delete_app(**_members(seen.aws_id))

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("sagemaker", "deleteApp", _members(want.aws_id)) if want.aws_id else None

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_app(**_members(name))

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return listed_everywhere(client, "list_apps", "Apps")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        facts = {"arn": answer["AppArn"]}
        used = utc(answer.get("LastUserActivityTimestamp"))
        if used:
            # The quarter of an hour, not the moment: each new fact begins a new span.
            facts["used_at"] = used.replace(minute=used.minute // 15 * 15, second=0, microsecond=0).isoformat()
        return _seen(answer, facts, tags)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {})

    def _tags(self, client, arn: str) -> dict[str, str]:
        try:
            return super()._tags(client, arn)
        except client.exceptions.ClientError as error:
            if is_not_there(error):  # it has ended, and is described for a day
                return {}
            raise

    def meters(self, seen: Seen) -> list[Meter]:
        """Its machine by the second until it is gone; Canvas by the hour of its session (SageMaker pricing). Kernels of
        Studio Classic that share a machine are counted each: AWS lists apps, and no machines."""
        facts = seen.facts
        if seen.state not in (RUNNING, DELETING):
            return []
        if facts["app_type"] == CANVAS:
            return [Meter("SageMaker", "canvas", "workspace-session", "session-Hrs", label="Canvas session")]
        if facts["type"] == FREE:
            return []
        return [Meter("SageMaker", "studio", facts["type"], "Hrs", label=f"{facts['app_type']}, {facts['type']}")]


def _members(app_id: str) -> dict[str, str]:
    """The members by which AWS knows the app of this id."""
    domain, owner, app_type, name = (app_id.split("/") + [""] * 3)[:4]
    whose = {"UserProfileName": owner.removeprefix("user:")} if owner.startswith("user:") else {"SpaceName": owner}
    return {"DomainId": domain, **whose, "AppType": app_type, "AppName": name}


def _seen(answer: Mapping[str, Any], facts: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Seen:
    domain, app_type, name = answer["DomainId"], answer["AppType"], answer["AppName"]
    owner = answer.get("SpaceName") or f"user:{answer['UserProfileName']}"
    # Studio Classic's server is on a machine of AWS's own unless told otherwise. Any other is unpriced, and not free.
    nobody_said = FREE if app_type == "JupyterServer" else "unknown"
    facts = {
        "domain": domain,
        "space": answer.get("SpaceName", ""),
        "profile": answer.get("UserProfileName", ""),
        "app_type": app_type,
        "type": (answer.get("ResourceSpec") or {}).get("InstanceType") or nobody_said,
        **facts,
    }
    return seen_of(answer, "/".join((domain, owner, app_type, name)), name, facts, tags, when="CreationTime")
