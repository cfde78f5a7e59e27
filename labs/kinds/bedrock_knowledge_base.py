"""Bedrock knowledge bases: free by themselves, and what hides a vector store that is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import is_not_there
from labs.kinds.aws_words import mark, utc
from labs.kinds.base import DELETING, FAILED, GONE_FROM_AWS, NAME, PENDING, RUNNING, Kind, Seen, Want

STATES = {
    "CREATING": PENDING,
    "ACTIVE": RUNNING,
    "UPDATING": RUNNING,
    "UPDATE_UNSUCCESSFUL": RUNNING,
    "DELETING": DELETING,
    "DELETE_UNSUCCESSFUL": RUNNING,  # it is still there, and takes another delete
    "FAILED": FAILED,
}
NOT_ACCRUED = gettext_noop("Calls of the models that a knowledge base asks (AWS counts them by the token)")


class BedrockKnowledgeBase(Kind):
    name, service, identity = "bedrock-knowledge-base", "bedrock-agent", NAME
    title, icon, cost_service, arn_type = "Bedrock knowledge base", "books", "Bedrock", "bedrock:knowledge-base"
    can_create = False
    is_free = True
    not_in_practice = "Practice mode has no knowledge bases: Bedrock's models do not run in it, so none could answer."
    lost_on_delete = gettext_noop(
        "Its data sources go with it. Its vector store does not: an OpenSearch Serverless collection goes on costing "
        "about $350 a month until it is deleted too."
    )

    def observe(self, client, want: Want) -> Seen:
        found = want.aws_id or next((each.aws_id for each in self.find_all(client) if each.name == want.name), "")
        if not found:
            return GONE_FROM_AWS
        try:
            answer = client.get_knowledge_base(knowledgeBaseId=found)["knowledgeBase"]
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        tags = client.list_tags_for_resource(resourceArn=answer["knowledgeBaseArn"]).get("tags", {})
        storage = answer.get("storageConfiguration", {})
        facts = {
            "arn": answer["knowledgeBaseArn"],
            "role_arn": answer["roleArn"],
            "store": storage.get("type", ""),
            "collection_arn": storage.get("opensearchServerlessConfiguration", {}).get("collectionArn", ""),
            "not_accrued": NOT_ACCRUED,
        }
        if answer.get("failureReasons"):
            facts["failure"] = " ".join(answer["failureReasons"])
        return _seen(answer, facts, tags, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its data sources first, a page of them a call; then itself."""
        if seen.state == DELETING:
            return
        sources = client.list_data_sources(knowledgeBaseId=seen.aws_id, maxResults=100)["dataSourceSummaries"]
        for source in sources:
            at = {"knowledgeBaseId": seen.aws_id, "dataSourceId": source["dataSourceId"]}
            if source["status"] == "DELETE_UNSUCCESSFUL":
                _leave_its_data(client, at)
            if source["status"] != "DELETING":
                client.delete_data_source(**at)
        if not sources:
            client.delete_knowledge_base(knowledgeBaseId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_knowledge_bases").paginate(PaginationConfig={"PageSize": 100}):
            for each in page["knowledgeBaseSummaries"]:
                yield _seen(each, {}, {}, whole=False)


def _leave_its_data(client, at: Mapping[str, str]) -> None:
    """A data source takes its vectors out of the store when it is deleted, and cannot where the store is gone: told to
    leave them, it goes."""
    source = client.get_data_source(**at)["dataSource"]
    kept = {
        member: source[member]
        for member in ("description", "serverSideEncryptionConfiguration", "vectorIngestionConfiguration")
        if member in source
    }
    client.update_data_source(
        **at,
        name=source["name"],
        dataSourceConfiguration=source["dataSourceConfiguration"],
        dataDeletionPolicy="RETAIN",
        **kept,
    )


def _seen(answer: Mapping[str, Any], facts: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["status"]
    return Seen(
        STATES[status],
        aws_id=answer["knowledgeBaseId"],
        name=answer["name"],
        since=utc(answer["updatedAt"]),
        facts={"status": status, **facts},
        tags=tags,
        mark=mark(status, answer["updatedAt"]),
        whole=whole,
    )
