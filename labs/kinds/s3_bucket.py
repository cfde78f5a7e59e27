"""S3 buckets: laid out by configure, emptied in bounded parts before they are deleted."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, tag_dict, tag_list, tags_by_arn
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Meter, Seen, Want

BATCH = 1000  # what DeleteObjects and the lists take at most
LARGE = 10**9  # bytes: from here on it is asked whether anything ever goes
BATCHES_A_CALL = 5
ABORTS_A_CALL = 100
HOLDS_A_CALL = 100
GB = Decimal(2**30)  # S3 bills by GB of 2^30 bytes (S3 pricing)

# Storage class -> line of the price book. A class that is not here is shown as unpriced.
SKUS = {
    "STANDARD": "Standard-first-50TB",
    "STANDARD_IA": "Standard-IA",
    "ONEZONE_IA": "OneZone-IA",
    "INTELLIGENT_TIERING": "INT-Frequent",
    "GLACIER_IR": "Glacier-IR",
    "GLACIER": "Glacier-Flexible",
    "DEEP_ARCHIVE": "Glacier-Deep-Archive",
}
NOT_ACCRUED = gettext_noop("Storage of this bucket (AWS measures it once a day), requests and data transfer out")
NOT_ACCRUED_SMALL = gettext_noop("Requests and data transfer out")


class S3Bucket(Kind):
    """params: versioning (bool), lifecycle (AWS's own rules, each with an ID), prefixes (["raw/"]) to lay out, objects
    ({key: content in base64}) to put in."""

    name, service, identity = "s3-bucket", "s3", NAME
    title, icon, cost_service, arn_type = "S3 bucket", "bucket", "S3", "s3"
    is_global = listing_costs = True
    lost_on_delete = gettext_noop("Everything in it is deleted with it, every version too.")

    def create(self, client, want: Want) -> None:
        place: dict[str, Any] = {"Tags": tag_list(want.tags)}
        if client.meta.region_name != "us-east-1":  # which S3 takes by leaving it out, and by nothing else
            place["LocationConstraint"] = client.meta.region_name
        client.create_bucket(
            Bucket=want.name,
            CreateBucketConfiguration=place,
            # No ACLs at all: us-east-1 answers 200 for a bucket that we own already, and would reset them.
            ObjectOwnership="BucketOwnerEnforced",
        )

    def observe(self, client, want: Want) -> Seen:
        # Our own row needs no tags read back; a stranger's may tell whose it is.
        return _described(client, want.aws_id or want.name, "", want.tags or None)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        """Whose it is and where. What lies in it is left to its first look: a census of hundreds asks hundreds less."""
        return _described(client, glimpsed.aws_id, glimpsed.facts.get("region", ""), tags, look_in=False)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """Each setting is looked at, and put if it is not in force; so the call after the one that put them is True."""
        params, bucket = want.params, seen.aws_id
        done = [
            _tagged(client, bucket, want.tags),
            _closed_to_the_public(client, bucket),
            _versioned(client, bucket) if params.get("versioning") else True,
            _has_rules(client, bucket, params.get("lifecycle", ())),
        ]
        contents = dict.fromkeys(params.get("prefixes", ()), b"")
        contents |= {key: base64.b64decode(content) for key, content in params.get("objects", {}).items()}
        done += [_holds(client, bucket, key, body) for key, body in contents.items()]
        return all(done)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """At most five thousand versions a call: a bucket with more is emptied by the calls that follow."""
        bucket = seen.aws_id
        uploads = client.list_multipart_uploads(Bucket=bucket, MaxUploads=ABORTS_A_CALL).get("Uploads", ())
        for upload in uploads:
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        locked = _has_lock(client, bucket)
        for _ in range(BATCHES_A_CALL):
            # From the start each time: what was listed is gone, and paging on would skip what moved up.
            page = client.list_object_versions(Bucket=bucket, MaxKeys=BATCH)
            things = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not things:
                break
            if not _deleted(client, bucket, things, locked):
                return  # legal holds were lifted: the next call deletes what was under them
        else:
            return
        if len(uploads) < ABORTS_A_CALL:
            client.delete_bucket(Bucket=bucket)

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000})
        for page in pages:
            for bucket in page.get("Buckets", ()):
                name = bucket["Name"]
                facts = {"arn": _arn(name)}
                if bucket.get("BucketRegion"):
                    facts["region"] = bucket["BucketRegion"]
                # No tags and no size in the list: a stranger is looked at once.
                yield Seen(RUNNING, aws_id=name, name=name, facts=facts, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """GB-month of each storage class, where the size is known (up to a thousand versions: one list call). Of bigger
        buckets, and of requests, `facts["not_accrued"]` says that they are not counted live."""
        return [
            Meter(
                "S3",
                "storage",
                SKUS.get(storage_class, storage_class),
                "GB-Mo",
                (Decimal(size) / GB).quantize(Decimal("1e-10")),
                per="month",
                label=f"storage, {storage_class}",
            )
            for storage_class, size in sorted(seen.facts.get("bytes", {}).items())
            if size
        ]


def _described(client, bucket: str, region: str, tags: Mapping[str, str] | None, *, look_in: bool = True) -> Seen:
    """One bucket as it is now, or absent. region ('') and tags (None) are asked for where they are not known."""
    try:
        facts = {"arn": _arn(bucket), "region": region or _region(client, bucket)}
        facts |= _contents(client, bucket) if look_in else {"not_accrued": NOT_ACCRUED}
        if tags is None:
            tags = tag_dict(_or_none(client.get_bucket_tagging, "NoSuchTagSet", Bucket=bucket).get("TagSet"))
    except client.exceptions.ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return GONE_FROM_AWS
        raise
    # mark stays empty: ListBuckets shows nothing of what changes in a bucket.
    return Seen(RUNNING, aws_id=bucket, name=bucket, facts=facts, tags=tags)


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def _region(client, bucket: str) -> str:
    return client.head_bucket(Bucket=bucket).get("BucketRegion") or client.meta.region_name


def _contents(client, bucket: str) -> dict[str, Any]:
    """{"bytes": {storage class: bytes}} when one page shows everything, and what of the bucket is not counted; of a
    large one also {"expires": whether a rule ever takes something away}."""
    try:
        page = client.list_object_versions(Bucket=bucket, MaxKeys=BATCH)
    except client.exceptions.ClientError as error:
        if code_of(error) != "AccessDenied":  # a policy of its own may keep us from looking in
            raise
        return {"not_accrued": NOT_ACCRUED}
    if page.get("IsTruncated"):
        return {"not_accrued": NOT_ACCRUED}
    sizes: dict[str, int] = {}
    for version in page.get("Versions", ()):
        storage_class = version.get("StorageClass") or "STANDARD"
        sizes[storage_class] = sizes.get(storage_class, 0) + version["Size"]
    facts: dict[str, Any] = {"bytes": sizes, "not_accrued": NOT_ACCRUED_SMALL}
    if sum(sizes.values()) > LARGE:  # nobody asks of a small one, so neither do we
        asked = _or_none(client.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", Bucket=bucket)
        facts["expires"] = any(_expires(rule) for rule in asked.get("Rules", ()))
    return facts


def _expires(rule: Mapping[str, Any]) -> bool:
    return rule["Status"] == "Enabled" and any(word in rule for word in ("Expiration", "NoncurrentVersionExpiration"))


def _or_none(call, *absent: str, **asked) -> dict[str, Any]:
    """The answer, or {} when S3 says with one of these codes that there is no such setting."""
    try:
        return call(**asked)
    except call.__self__.exceptions.ClientError as error:
        if code_of(error) in absent:
            return {}
        raise


def _tagged(client, bucket: str, tags: Mapping[str, str]) -> bool:
    there = tag_dict(_or_none(client.get_bucket_tagging, "NoSuchTagSet", Bucket=bucket).get("TagSet"))
    if there.items() >= tags.items():
        return True
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list({**there, **tags})})
    return False


def _closed_to_the_public(client, bucket: str) -> bool:
    wall = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    answer = _or_none(client.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", Bucket=bucket)
    if answer.get("PublicAccessBlockConfiguration") == wall:
        return True
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wall)
    return False


def _versioned(client, bucket: str) -> bool:
    if client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        return True
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return False


def _has_rules(client, bucket: str, rules: Iterable[Mapping[str, Any]]) -> bool:
    """By ID: S3 writes the rules back in words of its own."""
    rules = list(rules)
    if not rules:
        return True
    answer = _or_none(client.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", Bucket=bucket)
    there = {rule["ID"]: rule for rule in answer.get("Rules", ())}
    if all(rule["ID"] in there for rule in rules):
        return True
    merged = there | {rule["ID"]: rule for rule in rules}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(merged.values())})
    return False


def _holds(client, bucket: str, key: str, body: bytes) -> bool:
    if _or_none(client.head_object, "404", "NoSuchKey", Bucket=bucket, Key=key):
        return True
    client.put_object(Bucket=bucket, Key=key, Body=body)
    return False


def _deleted(client, bucket: str, things: list[Mapping[str, Any]], locked: bool) -> bool:
    """Delete these versions and markers. False when some were under a legal hold, which is lifted now.

    Raises the error that S3 gave for what is kept back by something else (a retention in compliance mode, a policy).
    """
    answer = client.delete_objects(
        Bucket=bucket,
        Delete={"Objects": [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in things], "Quiet": True},
        **({"BypassGovernanceRetention": True} if locked else {}),
    )
    kept_back = answer.get("Errors", ())
    if not kept_back:
        return True
    refused = {error["Key"] for error in kept_back}
    held = [each for each in things if each["Key"] in refused][:HOLDS_A_CALL] if locked else []
    if not sum(_lift_hold(client, bucket, each) for each in held):
        first = kept_back[0]
        words = f"{first['Key']}: {first.get('Message', '')}"
        raise client.exceptions.ClientError({"Error": {"Code": first["Code"], "Message": words}}, "DeleteObjects")
    return False


def _has_lock(client, bucket: str) -> bool:
    return bool(_or_none(client.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", Bucket=bucket))


def _lift_hold(client, bucket: str, thing: Mapping[str, Any]) -> bool:
    version = {"Bucket": bucket, "Key": thing["Key"], "VersionId": thing["VersionId"]}
    no_hold = ("NoSuchObjectLockConfiguration", "InvalidRequest", "MethodNotAllowed", "NoSuchKey", "NoSuchVersion")
    answer = _or_none(client.get_object_legal_hold, *no_hold, **version)
    if answer.get("LegalHold", {}).get("Status") != "ON":
        return False
    client.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    return True
