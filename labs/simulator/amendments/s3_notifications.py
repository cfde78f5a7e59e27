"""S3's notifications. AWS takes a Lambda function as their destination only if it is there and S3 may invoke it; and
leaves the slashes of a key as they are.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import quote_plus

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.utils import get_backend
from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from labs.simulator.amendments import instead_of

notifications.quote_plus = partial(quote_plus, safe="/")


class _NotValid(S3ClientError):
    def __init__(self) -> None:
        super().__init__("InvalidArgument", "Unable to validate the following destination configurations")


@instead_of(S3Backend, "put_bucket_notification_configuration")
def put_bucket_notification_configuration(
    was: Any, self: S3Backend, bucket_name: str, notification_config: dict[str, Any]
) -> None:
    for function in (notification_config or {}).get("CloudFunctionConfiguration", ()):
        if not _may_be_invoked(self.account_id, function["CloudFunction"]):
            raise _NotValid
    was(self, bucket_name, notification_config)


def _may_be_invoked(account: str, arn: str) -> bool:
    try:
        policy = get_backend(account, arn.split(":")[3]).get_function(arn).policy
    except UnknownFunctionException:
        return False
    return "s3.amazonaws.com" in json.dumps([statement["Principal"] for statement in policy.statements])
