"""Buckets: laid out, measured as far as a list call goes, and emptied whatever is in them."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from labs.aws import Denied, sorted_trouble
from labs.kinds import kind_of, s3_bucket
from labs.kinds.base import ABSENT, RUNNING, Seen
from labs.tests.kinds.examples import AccountOfAye, configure, delete, make, want_for
from labs.tests.kinds.examples.s3 import LIFECYCLE

BUCKET = kind_of("s3-bucket")
pytestmark = pytest.mark.simulator


def bucket(account, **params):
    client, want, seen = make("s3-bucket", account, params)
    return client, want, configure("s3-bucket", client, want, seen)


# --- configure -----------------------------------------------------------------------------------------------


def test_a_lab_gets_the_bucket_that_it_asked_for(account):
    objects = {"models/fraud/model.tar.gz": "bW9kZWw="}
    client, want, seen = bucket(
        account, versioning=True, lifecycle=LIFECYCLE, prefixes=["raw/", "models/"], objects=objects
    )
    name = seen.name
    assert client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert [rule["ID"] for rule in client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]] == ["raw"]
    assert {each["Key"] for each in client.list_objects_v2(Bucket=name)["Contents"]} == {
        "raw/",
        "models/",
        "models/fraud/model.tar.gz",
    }
    assert client.get_object(Bucket=name, Key="models/fraud/model.tar.gz")["Body"].read() == b"model"
    assert all(client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    assert client.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    tags = {tag["Key"]: tag["Value"] for tag in client.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags.items() >= want.tags.items()


def test_settings_of_the_students_own_are_kept(account):
    client, want, seen = make("s3-bucket", account, {"lifecycle": LIFECYCLE})
    own = {"ID": "own", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle_configuration(Bucket=seen.name, LifecycleConfiguration={"Rules": [own]})
    client.put_bucket_tagging(Bucket=seen.name, Tagging={"TagSet": [{"Key": "mine", "Value": "yes"}]})
    configure("s3-bucket", client, want, seen)
    rules = {rule["ID"] for rule in client.get_bucket_lifecycle_configuration(Bucket=seen.name)["Rules"]}
    assert rules == {"own", "raw"}
    assert {"Key": "mine", "Value": "yes"} in client.get_bucket_tagging(Bucket=seen.name)["TagSet"]


def test_what_is_already_there_is_not_written_again(account):
    client, want, seen = bucket(account, versioning=True, objects={"raw/a.csv": "YQ=="})
    BUCKET.configure(client, want, seen)
    BUCKET.configure(client, want, seen)
    assert len(client.list_object_versions(Bucket=seen.name)["Versions"]) == 1


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-1"])
def test_a_bucket_is_made_in_the_region_of_its_client_and_says_so(account, region):
    client = account.client("s3", region)
    want = want_for("s3-bucket", region=region)
    BUCKET.create(client, want)
    seen = BUCKET.observe(client, want)
    assert seen.facts["region"] == region
    elsewhere = BUCKET.observe(account.client("s3", "us-east-1"), want)
    assert elsewhere.facts["region"] == region, "asked from anywhere"
    delete("s3-bucket", client, want)


def test_a_bucket_of_somebody_else_is_neither_ours_nor_absent(account, simulator):
    bos = AccountOfAye(simulator, "600000000003")
    _, want, _ = make("s3-bucket", bos, {})
    with pytest.raises(Exception) as refused:  # noqa: PT011  sorted on the next line
        BUCKET.observe(account.client("s3"), want)
    assert isinstance(sorted_trouble(refused.value), Denied)


# --- measured ------------------------------------------------------------------------------------------------


def test_what_one_list_call_shows_is_measured_by_storage_class_old_versions_too(account):
    client, want, seen = bucket(account, versioning=True)
    for body in (b"x" * 100, b"x" * 50):
        client.put_object(Bucket=seen.name, Key="raw/a.csv", Body=body)
    client.put_object(Bucket=seen.name, Key="models/m", Body=b"x" * 7, StorageClass="STANDARD_IA")
    client.delete_object(Bucket=seen.name, Key="raw/a.csv")
    facts = BUCKET.observe(client, want).facts
    assert facts["bytes"] == {"STANDARD": 150, "STANDARD_IA": 7}
    assert facts["not_accrued"] == "Requests and data transfer out"


@pytest.mark.parametrize(
    ("lifecycle", "expires"),
    [
        ((), False),
        ([{"ID": "away", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}], True),
        ([{"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}], False),
    ],
)
def test_of_a_large_bucket_it_is_told_whether_anything_ever_goes(account, monkeypatch, lifecycle, expires):
    monkeypatch.setattr(s3_bucket, "LARGE", 10)
    client, want, seen = bucket(account, lifecycle=list(lifecycle))
    client.put_object(Bucket=seen.name, Key="small", Body=b"x" * 10)
    assert "expires" not in BUCKET.observe(client, want).facts
    client.put_object(Bucket=seen.name, Key="large", Body=b"x" * 10)
    assert BUCKET.observe(client, want).facts["expires"] is expires


def test_a_bucket_that_hides_its_contents_is_seen_and_says_what_is_not_counted(account):
    client, want, seen = bucket(account)
    account.simulator.faults([{"operation": "ListObjectVersions", "code": "AccessDenied", "status": 403}])
    facts = BUCKET.observe(client, want).facts
    assert "bytes" not in facts and "once a day" in facts["not_accrued"]


@pytest.mark.parametrize(
    ("facts", "billed"),
    [
        ({"bytes": {"STANDARD": 5 * 2**30}}, [("Standard-first-50TB", Decimal(5))]),
        ({"bytes": {"STANDARD": 0, "GLACIER": 2**29}}, [("Glacier-Flexible", Decimal("0.5"))]),
        ({"bytes": {"SOMETHING_NEW": 2**30}}, [("SOMETHING_NEW", Decimal(1))]),
        ({"bytes": {}}, []),
        ({"not_accrued": "unknown"}, []),
    ],
)
def test_storage_costs_by_gigabytes_of_two_to_the_thirtieth(facts, billed):
    assert [(meter.sku, meter.quantity) for meter in BUCKET.meters(Seen(RUNNING, facts=facts))] == billed


# --- emptied -------------------------------------------------------------------------------------------------


def test_versions_markers_and_uploads_in_parts_go_before_the_bucket(account):
    client, want, seen = bucket(account, versioning=True, prefixes=["raw/"])
    for number in range(3):
        client.put_object(Bucket=seen.name, Key=f"raw/<script>{number}.csv", Body=b"1")
        client.put_object(Bucket=seen.name, Key=f"raw/<script>{number}.csv", Body=b"2")
        client.delete_object(Bucket=seen.name, Key=f"raw/<script>{number}.csv")
    upload = client.create_multipart_upload(Bucket=seen.name, Key="big")
    client.upload_part(Bucket=seen.name, Key="big", PartNumber=1, UploadId=upload["UploadId"], Body=b"x" * 10)
    assert delete("s3-bucket", client, want) == 1


def locked_bucket(account):
    client = account.client("s3")
    want = want_for("s3-bucket")
    client.create_bucket(Bucket=want.name, ObjectLockEnabledForBucket=True)
    return client, want


def test_a_legal_hold_is_lifted_and_the_next_call_deletes(account):
    client, want = locked_bucket(account)
    client.put_object(Bucket=want.name, Key="held", Body=b"1", ObjectLockLegalHoldStatus="ON")
    client.put_object(Bucket=want.name, Key="free", Body=b"1")
    assert delete("s3-bucket", client, want) == 2


def test_a_retention_in_compliance_mode_is_said_and_not_retried_in_silence(account):
    client, want = locked_bucket(account)
    client.put_object(
        Bucket=want.name,
        Key="kept",
        Body=b"1",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate="2099-01-01T00:00:00Z",
    )
    with pytest.raises(Exception) as refused:  # noqa: PT011  sorted on the next line
        BUCKET.delete(client, want, BUCKET.observe(client, want))
    trouble = sorted_trouble(refused.value)
    assert isinstance(trouble, Denied) and "kept" in str(trouble)


class BigBucket:
    """S3 with one big bucket in it, and S3's limits: a thousand a list, a thousand a delete, no delete of what is not
    empty. moto copies every version at every list, and would take half a minute."""

    def __init__(self, versions, markers, uploads):
        self.versions = [
            {"Key": f"raw/{number:05}", "VersionId": f"v{number}", "Size": 1} for number in range(versions)
        ]
        self.markers = [{"Key": f"raw/{number:05}", "VersionId": f"m{number}"} for number in range(markers)]
        self.uploads = [{"Key": "big", "UploadId": f"u{number}"} for number in range(uploads)]
        self.is_there, self.calls = True, 0
        self.exceptions = SimpleNamespace(ClientError=ClientError)
        self.meta = SimpleNamespace(region_name="us-east-1")

    def head_bucket(self, Bucket):
        if not self.is_there:
            self._refuse("404", "HeadBucket")
        return {"BucketRegion": "us-east-1"}

    def list_object_versions(self, Bucket, MaxKeys):
        self.calls += 1
        page = [*self.versions, *self.markers][: min(MaxKeys, 1000)]
        markers = [each for each in page if "Size" not in each]
        return {
            "Versions": [each for each in page if "Size" in each],
            "DeleteMarkers": markers,
            "IsTruncated": len(page) < len(self.versions) + len(self.markers),
        }

    def delete_objects(self, Bucket, Delete):
        self.calls += 1
        if len(Delete["Objects"]) > 1000:
            self._refuse("MalformedXML", "DeleteObjects")
        gone = {each["VersionId"] for each in Delete["Objects"]}
        self.versions = [each for each in self.versions if each["VersionId"] not in gone]
        self.markers = [each for each in self.markers if each["VersionId"] not in gone]
        return {}

    def list_multipart_uploads(self, Bucket, MaxUploads):
        self.calls += 1
        return {"Uploads": self.uploads[:MaxUploads]} if self.uploads else {}

    def abort_multipart_upload(self, Bucket, Key, UploadId):
        self.calls += 1
        self.uploads = [each for each in self.uploads if each["UploadId"] != UploadId]

    def get_object_lock_configuration(self, Bucket):
        self.calls += 1
        self._refuse("ObjectLockConfigurationNotFoundError", "GetObjectLockConfiguration")

    def delete_bucket(self, Bucket):
        self.calls += 1
        if self.versions or self.markers or self.uploads:
            self._refuse("BucketNotEmpty", "DeleteBucket")
        self.is_there = False

    def _refuse(self, code, operation):
        raise ClientError({"Error": {"Code": code, "Message": code}}, operation)


def test_a_bucket_with_ten_thousand_versions_is_emptied_by_bounded_calls():
    client, want = BigBucket(versions=10_000, markers=5_000, uploads=250), want_for("s3-bucket", tags={"a": "b"})
    seen = BUCKET.observe(client, want)
    assert "once a day" in seen.facts["not_accrued"], "too big to be measured by one list"
    asked = 0
    while BUCKET.observe(client, want).state != ABSENT:
        client.calls, asked = 0, asked + 1
        BUCKET.delete(client, want, seen)
        assert client.calls <= 115, "a worker's lease is 90 s"
    assert asked == 4, "15,000 versions and markers by 5,000 a call, and one call more that finds it empty"


def test_an_empty_bucket_goes_by_the_first_call():
    client, want = BigBucket(0, 0, 0), want_for("s3-bucket")
    BUCKET.delete(client, want, Seen(RUNNING, aws_id=want.name))
    assert not client.is_there
