"""CloudFormation stacks: a lab as a template. The stack itself costs nothing; what it makes is found by the census, and
metered, each as what it is. Its facts name those things, so that they can be told from what somebody made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds.aws_words import code_of, mark, message_of, tag_dict, tag_list, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    STOPPED,
    Kind,
    OffCall,
    Seen,
    Want,
)
from labs.stack_template import is_ours

STATES = {
    "CREATE_IN_PROGRESS": PENDING,
    "CREATE_COMPLETE": RUNNING,
    "CREATE_FAILED": FAILED,
    # Nothing of it is left, or soon will be; its name stays taken until it is deleted.
    "ROLLBACK_IN_PROGRESS": PENDING,
    "ROLLBACK_COMPLETE": FAILED,
    "ROLLBACK_FAILED": FAILED,
    # What it made before is there, and costs, while it is changed and when the change failed and was taken back.
    "UPDATE_IN_PROGRESS": RUNNING,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": RUNNING,
    "UPDATE_COMPLETE": RUNNING,
    "UPDATE_FAILED": FAILED,
    "UPDATE_ROLLBACK_IN_PROGRESS": RUNNING,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": RUNNING,
    "UPDATE_ROLLBACK_COMPLETE": RUNNING,
    "UPDATE_ROLLBACK_FAILED": FAILED,
    "IMPORT_IN_PROGRESS": RUNNING,
    "IMPORT_COMPLETE": RUNNING,
    "IMPORT_ROLLBACK_IN_PROGRESS": RUNNING,
    "IMPORT_ROLLBACK_COMPLETE": RUNNING,
    "IMPORT_ROLLBACK_FAILED": FAILED,
    # A change set that nobody has executed: a stack with nothing in it, for as long as nobody does.
    "REVIEW_IN_PROGRESS": STOPPED,
    "DELETE_IN_PROGRESS": DELETING,
    "DELETE_FAILED": FAILED,
    "DELETE_COMPLETE": ABSENT,
}
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "DELETE_IN_PROGRESS")
EVENT_PAGES = 3
WORDS = 500


class CloudFormationStack(Kind):
    """params: template_body (JSON or YAML, 51,200 bytes at most), and as wanted parameters ({name: value}) and
    capabilities (["CAPABILITY_IAM"], where the template makes roles).

    Facts: resources, [{"name": "Data", "type": "AWS::S3::Bucket", "id": name or id or ARN}], and each of their ids for
    the words of a lab ("{stack.id_of_data}"). Outputs are left out: templates of others print keys and passwords there.
    """

    name, service, identity = "cloudformation-stack", "cloudformation", NAME
    title, icon, cost_service, arn_type = "CloudFormation stack", "file-code", "CloudFormation", "cloudformation:stack"
    is_free = id_is_arn = True
    # What it makes may cost by the hour, and nothing of it can be stopped as a part of the stack.
    stop_means = "delete"
    kept_on_stop = gettext_noop("A stack has no stop: it is deleted, with everything that it made.")
    lost_on_delete = gettext_noop(
        "Everything that it made is deleted with it, unless its template says that it is to be kept."
    )

    def create(self, client, want: Want) -> None:
        parameters = want.params.get("parameters", {})
        client.create_stack(
            StackName=want.name,
            ClientRequestToken=want.token,
            TemplateBody=want.params["template_body"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": str(value)} for name, value in sorted(parameters.items())
            ],
            Capabilities=list(want.params.get("capabilities", ())),
            Tags=tag_list(want.tags),  # CloudFormation hands them on to what it makes
        )

    def observe(self, client, want: Want) -> Seen:
        try:
            # By its id a stack is also told when it is gone; by its name only while it is there.
            (stack,) = client.describe_stacks(StackName=want.aws_id or want.name)["Stacks"]
            seen = _seen(stack)
            more: dict[str, Any] = {}
            if seen.state in (RUNNING, FAILED):
                made = _resources(client, stack["StackId"])
                more = {f"id_of_{each['name'].lower()}": each["id"] for each in made} | {"resources": made}
            if seen.state == FAILED:
                more["failure"] = _failure(client, stack)
        except client.exceptions.ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
                return GONE_FROM_AWS
            raise
        return replace(seen, facts={**seen.facts, **more})

    def delete(self, client, want: Want, seen: Seen) -> None:
        status = seen.facts["status"]
        if seen.state == DELETING or status.startswith(("UPDATE_", "IMPORT_")) and status.endswith("_IN_PROGRESS"):
            return  # in the middle of a change AWS takes no delete
        try:
            client.delete_stack(StackName=seen.aws_id)
        except client.exceptions.ClientError as error:
            if "TerminationProtection" not in message_of(error):
                raise
            # Somebody protected it; the next call of this verb will get through.
            client.update_termination_protection(StackName=seen.aws_id, EnableTerminationProtection=False)
            return
        if status == "DELETE_FAILED":
            # Asked again all the same: what was in its way may be gone by now. If not, a person has to know what it is.
            raise Refused(f"CloudFormation could not delete the stack. {seen.facts['failure']}")

    def off_call(self, want: Want) -> OffCall:
        return OffCall("cloudformation", "deleteStack", {"StackName": want.aws_id or want.name})

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                # A nested stack belongs to its root, and goes with it. Ours is how we come in.
                is_its_own = not stack.get("ParentId") and not is_ours(stack["StackName"])
                if is_its_own and stack["StackStatus"] != "DELETE_COMPLETE":
                    yield replace(_seen(stack), whole=False)


def _resources(client, stack: str) -> list[dict[str, str]]:
    """What the stack made and has not deleted."""
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        {"name": each["LogicalResourceId"], "type": each["ResourceType"], "id": each["PhysicalResourceId"]}
        for page in pages
        for each in page["StackResourceSummaries"]
        if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _failure(client, stack: Mapping[str, Any]) -> str:
    """Why: what failed first since the stack's last operation began. What failed after it was mostly just cancelled."""
    first = None
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
    for number, page in enumerate(pages, start=1):
        for event in page["StackEvents"]:  # the newest first
            is_the_stacks_own = event.get("PhysicalResourceId") == stack["StackId"]
            if is_the_stacks_own and event["ResourceStatus"] in BEGINNINGS:
                return _words(first, stack)
            if not is_the_stacks_own and event["ResourceStatus"].endswith("_FAILED"):
                first = event
        if number == EVENT_PAGES:
            break
    return _words(first, stack)


def _words(event: Mapping[str, Any] | None, stack: Mapping[str, Any]) -> str:
    if event is None:
        return str(stack.get("StackStatusReason") or f"AWS says {stack['StackStatus']} and gives no reason")[:WORDS]
    reason = event.get("ResourceStatusReason") or "AWS gives no reason"
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"[:WORDS]


def _seen(stack: Mapping[str, Any]) -> Seen:
    status = stack["StackStatus"]
    state = STATES[status]
    changed = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return Seen(
        state,
        aws_id=stack["StackId"],
        name=stack["StackName"],
        since=utc(stack.get("DeletionTime") if state == ABSENT else changed),
        facts={"arn": stack["StackId"], "status": status},
        tags=tag_dict(stack.get("Tags")),
        mark=mark(status, changed),
    )
