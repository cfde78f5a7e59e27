"""Bedrock: what is left of a RAG lecture, and what is bought by the hour. Practice mode has neither."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "bedrock-knowledge-base": Example(),
    "bedrock-provisioned-throughput": Example(
        running={"model": "amazon.titan-text-lite-v1", "units": 1, "commitment": "OneMonth"}
    ),
}
