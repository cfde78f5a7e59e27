"""OpenSearch Serverless: a vector store, as Bedrock or a student makes it."""

import json
from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example


def collection(account: AccountOfAye, prefix: str = "by-hand", **more: str) -> str:
    """A vector search collection, with the policy that it needs: its id."""
    name, client = f"{prefix}-{uuid4().hex[:8]}", account.client("opensearchserverless")
    policy = {"Rules": [{"ResourceType": "collection", "Resource": [f"collection/{name}"]}], "AWSOwnedKey": True}
    client.create_security_policy(name=name, type="encryption", policy=json.dumps(policy))
    made = client.create_collection(name=name, **{"type": "VECTORSEARCH", **more})
    return made["createCollectionDetail"]["id"]


EXAMPLES = {
    "opensearch-serverless-collection": Example(
        by_hand=collection,
        running={"least_ocus": 2, "type": "VECTORSEARCH"},
        missing_id="0123456789abcdefghij",
    ),
}
