"""The simulator's gate, met over HTTP as a student's boto3 meets it. aye and bo are two students' accounts."""

import urllib.error
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from labs.simulator import BOOT_HEADER, BOOT_PATH

pytestmark = pytest.mark.simulator


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def bo(simulator):
    return simulator.new_account()


def code_of(call, *args, **kwargs):
    """The code of the ClientError that the call raises."""
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    return refused.value.response["Error"]["Code"]


def test_every_answer_carries_the_boot_id_even_a_refusal(simulator, aye):
    boot = simulator.boot()["boot_id"]
    answered = simulator.client("sts", aye).get_caller_identity()
    assert answered["ResponseMetadata"]["HTTPHeaders"][BOOT_HEADER] == boot
    with pytest.raises(ClientError) as refused:
        simulator.client("s3", aye, aws_access_key_id="AKIANOBODY", aws_secret_access_key="x").list_buckets()
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"][BOOT_HEADER] == boot


def test_it_tells_anybody_what_it_cannot_do(simulator):
    with urllib.request.urlopen(simulator.url + BOOT_PATH, timeout=5) as answer:
        assert b"Models are not run" in answer.read()


def test_a_reset_world_is_another_world(simulator, aye):
    before = simulator.boot()["boot_id"]
    client = simulator.client("s3", aye)
    client.create_bucket(Bucket=f"kept-{aye}")
    assert simulator.reset() != before
    assert code_of(client.list_buckets) == "InvalidAccessKeyId"
    assert simulator.client("s3", aye).list_buckets()["Buckets"] == []


# What AWS says to a key that it does not know, to a secret that is not the key's, to a token that is not the session's,
# and to a session that is over: by service, since each protocol has its own words.
@pytest.mark.parametrize(
    ("service", "operation", "unknown", "wrong_secret", "wrong_token", "over"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
        ("ec2", "describe_instances", "AuthFailure", "AuthFailure", "AuthFailure", "RequestExpired"),
        ("iam", "list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidClientTokenId", "ExpiredToken"),
        (
            "sagemaker",
            "list_endpoints",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
        ),
        (
            "lambda",
            "list_functions",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
        ),
    ],
)
def test_a_key_that_is_not_right_is_refused_as_aws_refuses_it(
    simulator, aye, service, operation, unknown, wrong_secret, wrong_token, over
):
    keys = simulator.credentials(aye)

    def said_to(**wrong):
        return code_of(getattr(simulator.client(service, aye, **(keys | wrong)), operation))

    assert said_to(aws_access_key_id="AKIANOBODYNOBODYNOBO") == unknown
    assert said_to(aws_secret_access_key="x" * 40) == wrong_secret
    assert said_to(aws_session_token="another") == wrong_token
    assert simulator.expire(aye) == 1
    assert said_to() == over


def test_an_unsigned_call_is_refused(simulator):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(simulator.url + "/some-bucket", timeout=5)
    assert refused.value.code == 403


def test_motos_own_door_and_the_operators_desk_are_closed_to_students(simulator):
    for method, path in (("POST", "/moto-api/reset"), ("GET", "/moto-api/data.json"), ("POST", "/lightsout/reset")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(simulator.url + path, method=method), timeout=5)
        assert refused.value.code == 403
    assert simulator.boot()["boot_id"] == simulator.boot()["boot_id"]


def test_the_portals_root_assumes_roles_and_does_nothing_else(simulator, aye):
    assert simulator.client("sts", aye, **simulator.root()).get_caller_identity()["Account"] == "999999999999"
    assert code_of(simulator.client("s3", aye, **simulator.root()).list_buckets) == "AccessDenied"
    assert code_of(simulator.client("ec2", aye, **simulator.root()).describe_instances) == "UnauthorizedOperation"
    assert simulator.client("sts", aye).get_caller_identity()["Account"] == aye


def test_the_portals_root_has_a_secret_of_this_start_that_its_owner_alone_can_read(simulator, aye):
    secret = simulator.secret_file
    assert secret.stat().st_mode & 0o777 == 0o600
    assert simulator.root()["aws_secret_access_key"] == secret.read_text() and len(secret.read_text()) >= 40
    for guess in ("practice-only-this-opens-nothing-at-aws", "", "x" * 43):
        sts = simulator.client("sts", aye, **{**simulator.root(), "aws_secret_access_key": guess or "none"})
        assert code_of(sts.get_caller_identity) == "SignatureDoesNotMatch"
        assume = {"RoleArn": f"arn:aws:iam::{aye}:role/lab/student", "RoleSessionName": "guess"}
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            sts.assume_role(**assume)


def test_a_student_assumes_roles_in_the_own_account_only(simulator, aye, bo):
    sts = simulator.client("sts", aye)
    own = sts.assume_role(RoleArn=f"arn:aws:iam::{aye}:role/lab/other", RoleSessionName="own")
    assert own["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{aye}:assumed-role/other/own"
    refused = code_of(sts.assume_role, RoleArn=f"arn:aws:iam::{bo}:role/lab/student", RoleSessionName="bo")
    assert refused == "AccessDenied"


def test_a_students_keys_of_an_iam_user_work_in_that_account_until_deactivated(simulator, aye):
    iam = simulator.client("iam", aye)
    iam.create_user(UserName="nilar")
    key = iam.create_access_key(UserName="nilar")["AccessKey"]
    nilar = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    assert simulator.client("sts", aye, **nilar).get_caller_identity()["Arn"] == f"arn:aws:iam::{aye}:user/nilar"
    iam.update_access_key(UserName="nilar", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(simulator.client("sts", aye, **nilar).get_caller_identity) == "InvalidClientTokenId"


def test_nobody_reads_writes_lists_or_deletes_anothers_bucket(simulator, aye, bo):
    hers, his = simulator.client("s3", aye), simulator.client("s3", bo)
    bucket, own = f"lab-{aye}", f"lab-{bo}"
    hers.create_bucket(Bucket=bucket)
    hers.put_object(Bucket=bucket, Key="raw/a.csv", Body=b"1")
    his.create_bucket(Bucket=own)
    assert code_of(his.get_object, Bucket=bucket, Key="raw/a.csv") == "AccessDenied"
    assert code_of(his.head_object, Bucket=bucket, Key="raw/a.csv") == "403"
    assert code_of(his.put_object, Bucket=bucket, Key="b", Body=b"") == "AccessDenied"
    assert code_of(his.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(his.delete_object, Bucket=bucket, Key="raw/a.csv") == "AccessDenied"
    assert code_of(his.delete_bucket, Bucket=bucket) == "AccessDenied"
    assert code_of(his.put_bucket_policy, Bucket=bucket, Policy="{}") == "AccessDenied"
    source = {"Bucket": bucket, "Key": "raw/a.csv"}
    assert code_of(his.copy_object, Bucket=own, Key="stolen", CopySource=source) == "AccessDenied"
    assert code_of(his.create_bucket, Bucket=bucket) == "BucketAlreadyExists"
    assert [each["Name"] for each in his.list_buckets()["Buckets"]] == [own]
    assert hers.get_object(Bucket=bucket, Key="raw/a.csv")["Body"].read() == b"1"


@pytest.mark.parametrize("config", [Config(), Config(signature_version="s3v4")], ids=["as boto3 does", "version 4"])
def test_a_presigned_url_opens_its_object_and_no_other(simulator, aye, config):
    client = simulator.client("s3", aye, config=config)
    client.create_bucket(Bucket=f"signed-{aye}-{id(config)}")
    for key in ("a b+é/1.txt", "two"):
        client.put_object(Bucket=f"signed-{aye}-{id(config)}", Key=key, Body=key.encode())
    where = {"Bucket": f"signed-{aye}-{id(config)}", "Key": "a b+é/1.txt"}
    url = client.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read() == "a b+é/1.txt".encode()
    for changed in (url.replace("1.txt", "2.txt"), client.generate_presigned_url("get_object", where, ExpiresIn=-1)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(changed, timeout=5)
        assert refused.value.code == 403


def test_a_region_that_is_not_practised_is_named_with_those_that_are(simulator, aye):
    for service, operation in (("ec2", "describe_instances"), ("sagemaker", "list_endpoints")):
        with pytest.raises(ClientError, match="us-east-1, ap-southeast-1, and no eu-west-1"):
            getattr(simulator.client(service, aye, region="eu-west-1"), operation)()
    regions = simulator.client("ec2", aye).describe_regions()["Regions"]
    assert {each["RegionName"] for each in regions} == {"us-east-1", "ap-southeast-1"}


def test_no_header_leads_into_another_account_or_region(simulator, aye, bo):
    client = simulator.client("ec2", aye, config=Config(user_agent="x region/eu-west-1"))

    def claim(request, **_):
        request.headers["x-moto-account-id"] = bo

    client.meta.events.register("before-send.ec2", claim)
    client.create_key_pair(KeyName="hers")
    names = simulator.client("ec2", aye).describe_key_pairs()["KeyPairs"]
    assert [each["KeyName"] for each in names] == ["hers"]
    assert simulator.client("ec2", bo).describe_key_pairs()["KeyPairs"] == []


@pytest.mark.parametrize(
    ("service", "operation", "asked", "named"),
    [
        ("ec2", "describe_instance_topology", {}, "ec2:DescribeInstanceTopology"),
        ("iam", "get_context_keys_for_custom_policy", {"PolicyInputList": ["{}"]}, "iam:GetContextKeysForCustomPolicy"),
        ("sagemaker", "list_workforces", {}, "sagemaker:ListWorkforces"),
        ("lambda", "list_capacity_providers", {}, "lambda:ListCapacityProviders"),
        ("pricing", "describe_services", {}, "pricing:DescribeServices"),
        ("sts", "get_session_token", {}, "sts:GetSessionToken"),
    ],
)
def test_what_it_cannot_do_it_says_in_a_way_that_boto3_understands(simulator, aye, service, operation, asked, named):
    with pytest.raises(ClientError) as refused:
        getattr(simulator.client(service, aye), operation)(**asked)
    assert refused.value.response["Error"]["Code"] == "NotImplementedInPractice"
    assert f"Practice mode cannot do {named} yet" in refused.value.response["Error"]["Message"]
