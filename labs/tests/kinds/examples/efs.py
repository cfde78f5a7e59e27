"""EFS: what Studio and students keep files on."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "efs-file-system": Example(
        running={"bytes": {"Standard": 3 * 2**30, "IA": 2**30}},
        missing_id="fs-0123456789abcdef0",
    ),
}
