"""S3. AWS keeps a bucket while an object, a version, a delete marker or an upload in parts is in it."""

from __future__ import annotations

from typing import Any

from moto.s3.exceptions import BucketNotEmpty
from moto.s3.models import S3Backend

from labs.simulator.amendments import instead_of


@instead_of(S3Backend, "delete_bucket")
def delete_bucket(was: Any, self: S3Backend, bucket_name: str) -> Any:
    if self.get_bucket(bucket_name).multiparts:
        raise BucketNotEmpty(bucket_name=bucket_name)
    return was(self, bucket_name)
