"""S3. AWS keeps a bucket while an object, a version, a delete marker or an upload in parts is in it. A list of buckets
that was asked for with any parameter names the region of each, and one that was cut off says how it goes on.
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
    asked = {name: self._get_param(name) for name in ("max-buckets", "prefix", "bucket-region", "continuation-token")}
    # moto cuts the list off at that many, and gives no token for the rest.
    self.querystring.pop("max-buckets", None)
    status, headers, body = was(self)
    if not any(asked.values()):
        return status, headers, body
    buckets = sorted(
        (name, f"{head}<BucketRegion>{self.backend.get_bucket(name).region_name}</BucketRegion>{tail}")
        for head, name, tail in _BUCKET.findall(body)
    )
    rest = [bucket for bucket in buckets if bucket[0] > (asked["continuation-token"] or "")]
    page = rest[: int(asked["max-buckets"] or len(rest))]
    token = f"<ContinuationToken>{page[-1][0]}</ContinuationToken>" if len(page) < len(rest) else ""
    shown = f"<Buckets>{''.join(told for _, told in page)}</Buckets>{token}"
    return status, headers, _BUCKETS.sub(lambda _: shown, body)


_BUCKETS = re.compile(r"<Buckets>.*</Buckets>|<Buckets ?/>", re.DOTALL)
_BUCKET = re.compile(r"(<Bucket>\s*<Name>([^<]+)</Name>)(.*?</Bucket>)", re.DOTALL)
