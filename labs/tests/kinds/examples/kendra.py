"""Kendra: an index, which practice mode does not have."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "kendra-index": Example(running={"edition": "DEVELOPER_EDITION", "more_storage": 0, "more_queries": 0}),
}
