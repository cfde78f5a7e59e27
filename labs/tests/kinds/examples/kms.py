"""KMS and Secrets Manager: what keeps things secret."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "kms-key": Example(running={"aliases": []}, missing_id="01234567-89ab-cdef-0123-456789abcdef"),
    "secret": Example(
        params=lambda account: {"value": "only for the lab"},
        running={"primary_region": ""},
        missing_id="arn:aws:secretsmanager:us-east-1:100000000001:secret:nobodys-AbCdEf",
    ),
}
