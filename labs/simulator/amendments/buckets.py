"""S3. AWS keeps a bucket while an object, a version, a delete marker or an upload in parts is in it. A list of buckets
that was asked for with any parameter names the region of each.
"""

from __future__ import annotations

import re
from typing import Any

from moto.s3.exceptions import BucketNotEmpty
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from labs.simulator.amendments import instead_of


@instead_of(S3Backend, "delete_bucket")
def delete_bucket(was: Any, self: S3Backend, bucket_name: str) -> Any:
    if self.get_bucket(bucket_name).multiparts:
        raise BucketNotEmpty(bucket_name=bucket_name)
    deleted = was(self, bucket_name)
    if not deleted:  # moto's CloudFormation takes that for done
        raise BucketNotEmpty(bucket_name=bucket_name)
    return deleted


@instead_of(S3Response, "all_buckets")
def all_buckets(was: Any, self: S3Response) -> Any:
    status, headers, body = was(self)
    if not any(self._get_param(asked) for asked in ("max-buckets", "prefix", "bucket-region", "continuation-token")):
        return status, headers, body

    def with_region(found: re.Match[str]) -> str:
        return f"{found[0]}<BucketRegion>{self.backend.get_bucket(found[1]).region_name}</BucketRegion>"

    return status, headers, re.sub(r"<Bucket>\s*<Name>([^<]+)</Name>", with_region, body)
