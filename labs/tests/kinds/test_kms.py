"""Keys and secrets: what is gone at once, what only later, and what costs meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, PENDING, RUNNING, STOPPED, TAG_RESOURCE, Seen
from labs.kinds.kms_key import STATES
from labs.tests.kinds.examples import configure, delete, make, want_for

KEY, SECRET = kind_of("kms-key"), kind_of("secret")
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
ID = "01234567-89ab-cdef-0123-456789abcdef"


def client_of(service, region="us-east-1"):
    return boto3.client(service, region_name=region, aws_access_key_id="x", aws_secret_access_key="x")


def key_in(state, **more):
    arn = f"arn:aws:kms:us-east-1:100000000001:key/{ID}"
    known = {"KeyManager": "CUSTOMER", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
    return {"KeyMetadata": {"KeyId": ID, "Arn": arn, "CreationDate": AT, "KeyState": state, **known, **more}}


# --- keys -------------------------------------------------------------------------------------------------------


def test_every_state_that_a_key_can_have_is_known():
    assert set(client_of("kms").meta.service_model.shape_for("KeyState").enum) == set(STATES)


@pytest.mark.parametrize(
    ("state", "is_billed"),
    [(RUNNING, True), (STOPPED, True), (DELETING, True), (PENDING, False), (ABSENT, False)],
)
def test_a_key_costs_a_dollar_a_month_also_when_it_is_disabled(state, is_billed):
    meters = KEY.meters(Seen(state))
    assert [(meter.sku, meter.quantity, meter.per) for meter in meters] == (
        [("customer-managed-key", Decimal(1), "month")] if is_billed else []
    )


@pytest.mark.simulator
def test_a_key_that_waits_for_its_end_counts_as_gone_and_says_until_when_it_can_be_called_back(account):
    client, want, seen = make("kms-key", account)
    KEY.delete(client, want, seen)
    gone = KEY.observe(client, want_for("kms-key", aws_id=seen.aws_id))
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    assert gone.state == ABSENT and KEY.meters(gone) == []
    assert gone.facts["ended"] == (
        f"its deletion is scheduled for {day}; until then it can be cancelled in the KMS console"
    )
    client.cancel_key_deletion(KeyId=seen.aws_id)
    again = {each.aws_id: each for each in KEY.find_all(client)}[seen.aws_id]
    assert again.state == STOPPED, "called back: disabled, and it costs again"


@pytest.mark.simulator
def test_a_key_has_its_alias_as_a_name_and_the_alias_is_free_at_once(account):
    client, want, seen = make("kms-key", account)
    seen = configure("kms-key", client, want, seen)
    assert (seen.name, seen.facts["aliases"]) == (want.name, [f"alias/{want.name}"])
    client.create_alias(AliasName=f"alias/by-hand-{uuid4().hex}", TargetKeyId=seen.aws_id)
    assert delete("kms-key", client, want) == 1
    _, _, other = make("kms-key", account)
    client.create_alias(AliasName=f"alias/{want.name}", TargetKeyId=other.aws_id)


@pytest.mark.simulator
def test_a_second_delete_does_not_put_the_end_off(account):
    client, want, seen = make("kms-key", account)
    KEY.delete(client, want, seen)
    first = client.describe_key(KeyId=seen.aws_id)["KeyMetadata"]["DeletionDate"]
    KEY.delete(client, want, seen)
    assert client.describe_key(KeyId=seen.aws_id)["KeyMetadata"]["DeletionDate"] == first


def test_another_refusal_of_a_delete_comes_out():
    client = client_of("kms")
    with Stubber(client) as stub:
        stub.add_response("list_aliases", {"Aliases": []})
        stub.add_client_error("schedule_key_deletion", "KMSInvalidStateException", f"{ID} is creating.")
        with pytest.raises(ClientError, match="is creating"):
            KEY.delete(client, want_for("kms-key"), Seen(RUNNING, aws_id=ID))


def test_a_primary_whose_copies_are_not_gone_is_on_its_way_and_asked_no_more():
    client = client_of("kms")
    with Stubber(client) as stub:
        stub.add_response("describe_key", key_in("PendingReplicaDeletion"), {"KeyId": ID})
        stub.add_response("list_aliases", {"Aliases": []}, {"KeyId": ID, "Limit": 100})
        seen = KEY.observe(client, want_for("kms-key", aws_id=ID))
        KEY.delete(client, want_for("kms-key"), seen)  # any call more would fail
    assert seen.state == DELETING


def test_the_census_asks_nothing_of_aws_own_keys_and_leaves_out_what_waits_for_its_end():
    client = client_of("kms")
    ids = [f"{number}{ID[1:]}" for number in range(4)]
    with Stubber(client) as stub:
        aliases = [
            {"AliasName": "alias/aws/s3", "TargetKeyId": ids[0]},
            {"AliasName": "alias/mine", "TargetKeyId": ids[3]},
            {"AliasName": "alias/aws/never-used"},
        ]
        stub.add_response("list_aliases", {"Aliases": aliases}, {"Limit": 100})
        stub.add_response("list_keys", {"Keys": [{"KeyId": each} for each in ids]}, {"Limit": 100})
        for key, answer in (
            (ids[1], key_in("PendingDeletion", DeletionDate=AT)),
            (ids[2], key_in("Enabled", KeyManager="AWS")),
            (ids[3], key_in("Enabled", KeyId=ids[3])),
        ):
            stub.add_response("describe_key", answer, {"KeyId": key})
        assert [(seen.aws_id, seen.name) for seen in KEY.find_all(client)] == [(ids[3], "mine")]
        stub.assert_no_pending_responses()


def test_the_answer_that_was_lost_is_found_by_its_tag_beside_keys_that_keep_us_out():
    client, token = client_of("kms"), uuid4().hex
    with Stubber(client) as stub:
        stub.add_response("list_keys", {"Keys": [{"KeyId": "shut"}, {"KeyId": "other"}, {"KeyId": ID}]})
        stub.add_client_error("list_resource_tags", "AccessDeniedException", expected_params={"KeyId": "shut"})
        stub.add_response("list_resource_tags", {"Tags": []}, {"KeyId": "other"})
        ours = {"Tags": [{"TagKey": TAG_RESOURCE, "TagValue": token}]}
        stub.add_response("list_resource_tags", ours, {"KeyId": ID})
        stub.add_response("describe_key", key_in("Enabled"), {"KeyId": ID})
        stub.add_response("list_aliases", {"Aliases": []})
        assert KEY.observe(client, want_for("kms-key", token=token)).aws_id == ID
    with Stubber(client) as stub:
        stub.add_response("list_keys", {"Keys": []})
        assert KEY.observe(client, want_for("kms-key", token=token)).state == ABSENT


# --- secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_secret_is_gone_at_once_and_its_name_is_free(account):
    client, want, _ = make("secret", account)
    assert delete("secret", client, want) == 1
    make("secret", account, {"value": "another"})
    SECRET.create(client, want)


@pytest.mark.simulator
def test_a_secret_asked_for_twice_with_one_token_is_one_secret(account):
    client, want, seen = make("secret", account)
    SECRET.create(client, want)
    assert SECRET.observe(client, want).aws_id == seen.aws_id


@pytest.mark.simulator
def test_a_secret_that_somebody_deleted_with_a_window_costs_nothing_and_says_until_when(account):
    client, want, seen = make("secret", account)
    client.delete_secret(SecretId=want.name, RecoveryWindowInDays=7)
    gone = SECRET.observe(client, want)
    assert gone.state == ABSENT and SECRET.meters(gone) == []
    assert "until then it can be restored" in gone.facts["ended"]
    assert seen.aws_id not in {each.aws_id for each in SECRET.find_all(client)}


def a_copied_secret(account):
    """(client, want, client of the other region, the copy there as the census finds it)."""
    client, want, _ = make("secret", account)
    client.replicate_secret_to_regions(SecretId=want.name, AddReplicaRegions=[{"Region": "ap-southeast-1"}])
    there = account.client("secretsmanager", "ap-southeast-1")
    return client, want, there, next(each for each in SECRET.find_all(there) if each.name == want.name)


@pytest.mark.simulator
def test_a_secret_loses_its_copies_first(account):
    client, want, there, copy = a_copied_secret(account)
    assert copy.facts["primary_region"] == "us-east-1" and SECRET.meters(copy)
    assert delete("secret", client, want) == 2
    assert SECRET.observe(there, want_for("secret", aws_id=copy.aws_id)).state == ABSENT


@pytest.mark.simulator
def test_a_copy_can_go_alone_and_its_original_stays(account):
    client, want, there, copy = a_copied_secret(account)
    assert delete("secret", there, want_for("secret", aws_id=copy.aws_id, name=copy.name)) == 2
    assert SECRET.observe(client, want).state == RUNNING
    assert delete("secret", client, want) == 1


def test_another_refusal_of_a_secrets_delete_comes_out():
    client = client_of("secretsmanager")
    with Stubber(client) as stub:
        stub.add_client_error("delete_secret", "InvalidRequestException", "managed by another service")
        with pytest.raises(ClientError, match="another service"):
            SECRET.delete(client, want_for("secret"), Seen(RUNNING, aws_id="arn", facts={"primary_region": ""}))


def test_a_services_own_secret_is_left_to_the_service():
    client = client_of("secretsmanager")

    def line(name, **more):
        return {
            "ARN": f"arn:aws:secretsmanager:us-east-1:1:secret:{name}-AbCdEf",
            "Name": name,
            "CreatedDate": AT,
            **more,
        }

    with Stubber(client) as stub:
        lines = [line("rds!db-1", OwningService="rds"), line("mine"), line("going", DeletedDate=AT)]
        stub.add_response("list_secrets", {"SecretList": lines}, {"IncludePlannedDeletion": False, "MaxResults": 100})
        assert [seen.name for seen in SECRET.find_all(client)] == ["mine"]


@pytest.mark.simulator
def test_what_is_in_a_secret_is_never_read(account):
    account.simulator.forget_calls()
    client, want, seen = make("secret", account)
    list(SECRET.find_all(client))
    delete("secret", client, want)
    asked = account.simulator.calls()["by"]
    assert not {"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"} & set(asked)
    assert "only for the lab" not in str(seen)
