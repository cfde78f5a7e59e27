"""KMS, Secrets Manager and CloudTrail in practice mode, where moto lets through what AWS refuses or lacks a call."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def test_the_end_of_a_key_is_scheduled_once_until_it_is_cancelled(simulator, aye):
    kms = simulator.client("kms", aye)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert code_of(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=30) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def test_a_trail_is_made_once_and_deleted_once(simulator, aye):
    trails, bucket = simulator.client("cloudtrail", aye), f"trail-{aye}"
    simulator.client("s3", aye).create_bucket(Bucket=bucket)
    made = trails.create_trail(Name="trail", S3BucketName=bucket)
    assert code_of(trails.create_trail, Name="trail", S3BucketName=bucket) == "TrailAlreadyExistsException"
    trails.delete_trail(Name=made["TrailARN"])
    assert code_of(trails.delete_trail, Name="trail") == "TrailNotFoundException"


def test_the_copy_of_a_secret_becomes_one_of_its_own(simulator, aye):
    here, there = (simulator.client("secretsmanager", aye, region) for region in ("us-east-1", "ap-southeast-1"))
    here.create_secret(Name="s", SecretString="only for the lab")
    here.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": "ap-southeast-1"}])
    assert code_of(there.delete_secret, SecretId="s", ForceDeleteWithoutRecovery=True) == "InvalidParameterException"
    assert code_of(here.stop_replication_to_replica, SecretId="s") == "InvalidParameterException"
    there.stop_replication_to_replica(SecretId="s")
    assert there.get_secret_value(SecretId="s")["SecretString"] == "only for the lab"
    there.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert there.list_secrets()["SecretList"] == []
    assert "ReplicationStatus" not in here.describe_secret(SecretId="s")
    here.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert code_of(there.stop_replication_to_replica, SecretId="s") == "ResourceNotFoundException"
