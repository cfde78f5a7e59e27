"""The gateway as students' own machines meet it: the real clients, and strangers, against granian and the simulator."""

import hashlib
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.urls import Resolver404, resolve

from conftest import AWS_CLI
from labs import aws, launching, sessions
from labs.kinds.base import Want
from labs.models import Account
from labs.simulator import GATEWAY_HEADER, OPERATOR_HEADER, testing
from labs.tests.aws_cli import Cli, CliFailed
from labs.tests.cast import Clock
from labs.tests.conftest import World, lab_of
from portal.gateway import ALWAYS, AT_ONCE, Gateway

pytestmark = [pytest.mark.simulator, pytest.mark.once]

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
MB = 2**20
SESSION = boto3.session.Session()
WSGI = "portal.wsgi:application"


# --- a portal, and those who call it -------------------------------------------------------------------------------


@contextmanager
def portal_of(running, var, workers="2", tls=(), **env):
    """The web as it runs, before this simulator. tls: granian's options, for https. Yields the gateway's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", workers, *tls]
    web = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "granian",
            *where,
            "--blocking-threads",
            "16",
            "--workers-kill-timeout",
            "1",
            "--log-level",
            "error",
            WSGI,
        ],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "LIGHTSOUT_VAR": str(var), "SIMULATOR_URL": running.url, "DEBUG": "1", **env},
    )
    try:
        until = time.monotonic() + 60
        while not tls and (
            raw(port, b"GET /alive/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", patient=True)[0] != 200
        ):
            assert time.monotonic() < until and web.poll() is None, "the web did not start"
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/practice"
    finally:
        web.terminate()
        web.wait(20)


@pytest.fixture(scope="module")
def gateway(simulator_process, tmp_path_factory):
    with portal_of(simulator_process, tmp_path_factory.mktemp("var")) as url:
        yield url


@dataclass
class Student:
    url: str
    account: str
    keys: dict
    simulator: object

    def client(self, service, **more):
        facts = {"endpoint_url": self.url, "region_name": "us-east-1", "config": ONCE, **self.keys, **more}
        return SESSION.client(service, **facts)

    @property
    def credentials(self):
        return Credentials(*self.keys.values())

    def env(self):
        names = {name.upper(): value for name, value in self.keys.items()}
        return {**names, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url}


@pytest.fixture
def student(gateway, simulator):
    """student() -> another student, with a session that the portal gave them."""

    def make():
        account = simulator.new_account()
        return Student(gateway, account, simulator.credentials(account), simulator)

    return make


@pytest.fixture
def aye(student):
    return student()


@pytest.fixture
def bo(student):
    return student()


@pytest.fixture
def bucket(aye):
    name = f"aye-{aye.account}-{time.monotonic_ns()}"
    aye.client("s3").create_bucket(Bucket=name)
    return name


def raw(port, request, *, patient=False):
    """(status, headers, body) of bytes sent as they are. patient: 0 where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as line:
            line.sendall(request)
            answer = http.client.HTTPResponse(line)
            answer.begin()
            return answer.status, answer.headers, answer.read()
    except ConnectionError:
        if patient:
            time.sleep(0.05)  # while it starts, and for no longer
            return 0, {}, b""
        raise


@pytest.fixture
def over_https(simulator, tmp_path):
    """over_https: a student of a portal that speaks https, and the certificate that its clients trust."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lights")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1), [])
    made = made.add_extension(here, critical=False).sign(key, hashes.SHA256())
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    tls = ("--ssl-certificate", str(tmp_path / "cert.pem"), "--ssl-keyfile", str(tmp_path / "key.pem"))
    account = simulator.new_account()
    with portal_of(simulator, tmp_path, workers="1", tls=tls) as url:
        student = Student(url, account, simulator.credentials(account), simulator)
        until = time.monotonic() + 60
        while not listens(port_of(url)):
            assert time.monotonic() < until, "the web did not start"
        yield student, str(tmp_path / "cert.pem")


def listens(port):
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0 or time.sleep(0.05)


def port_of(url):
    return urlsplit(url).port


def ask(url, method="GET", body=None, headers=None):
    """(status, headers, body), of exactly these headers."""
    at = urlsplit(url)
    line = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
    try:
        headers = headers or {}
        is_chunked = "Transfer-Encoding" in headers
        line.request(method, url.partition(at.netloc)[2] or "/", body or None, headers, encode_chunked=is_chunked)
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        line.close()


def code_of(call, *args, **kwargs):
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    return refused.value.response["Error"]["Code"]


def signed(student, method, path, body=b"", service="s3", signer=None, url=None, **headers):
    """A request as a client of AWS signs it: (url, method, body, headers), to be sent as it is, or changed."""
    made = AWSRequest(method, (url or student.url) + path, headers=headers, data=body)
    signer = signer or (S3SigV4Auth if service == "s3" else SigV4Auth)
    signer(student.credentials, service, "us-east-1").add_auth(made)
    sent = {name: value.decode() if isinstance(value, bytes) else value for name, value in made.headers.items()}
    return made.url, method, body, sent


# --- the real clients ----------------------------------------------------------------------------------------------


@pytest.mark.awscli
def test_the_aws_command_works_from_elsewhere(aye, bucket, tmp_path):
    cli = Cli(AWS_CLI)
    try:
        who = json.loads(cli("sts", "get-caller-identity", env=aye.env()))
        assert who["Account"] == aye.account
        large = os.urandom(9 * MB)  # more than 8 MB goes up in parts
        (tmp_path / "up").write_bytes(large)
        cli("s3", "cp", str(tmp_path / "up"), f"s3://{bucket}/a day/large.bin", env=aye.env())
        cli("s3", "cp", f"s3://{bucket}/a day/large.bin", str(tmp_path / "down"), env=aye.env())
        assert (tmp_path / "down").read_bytes() == large
        link = cli("s3", "presign", f"s3://{bucket}/a day/large.bin", env=aye.env()).strip()
        assert link.startswith(f"{aye.url}/{bucket}/")
        assert ask(link)[2] == large
        volume = json.loads(
            cli("ec2", "create-volume", "--size", "8", "--availability-zone", "us-east-1a", env=aye.env())
        )
        listed = json.loads(cli("ec2", "describe-volumes", env=aye.env()))["Volumes"]
        assert [each["VolumeId"] for each in listed] == [volume["VolumeId"]]
        assert "lab" in cli("iam", "list-roles", env=aye.env())
        assert json.loads(cli("sagemaker", "list-notebook-instances", env=aye.env()))["NotebookInstances"] == []
        assert json.loads(cli("lambda", "list-functions", env=aye.env()))["Functions"] == []
        with pytest.raises(CliFailed, match="SignatureDoesNotMatch|InvalidClientTokenId"):
            cli("sts", "get-caller-identity", env={**aye.env(), "AWS_SECRET_ACCESS_KEY": "x" * 40})
    finally:
        cli.close()


def test_every_protocol_of_aws_goes_through(aye):
    assert aye.client("sts").get_caller_identity()["Account"] == aye.account  # query
    assert aye.client("iam").list_users()["Users"] == []
    assert len(aye.client("ec2").describe_vpcs()["Vpcs"]) == 1  # ec2
    assert aye.client("sagemaker").list_models()["Models"] == []  # json
    assert aye.client("logs").describe_log_groups()["logGroups"] == []
    assert aye.client("cloudwatch").list_metrics()["Metrics"] == []  # cbor or json, as botocore likes
    assert aye.client("lambda").list_functions()["Functions"] == []  # rest-json
    assert aye.client("s3").list_buckets()["Buckets"] == []  # rest-xml


def test_an_arn_in_a_path_is_one_word_of_it(aye):
    api = aye.client("apigateway").create_rest_api(name="shop")["id"]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    aye.client("apigateway").tag_resource(resourceArn=arn, tags={"week": "2"})
    assert aye.client("apigateway").get_rest_api(restApiId=api)["tags"] == {"week": "2"}
    scheduler = aye.client("scheduler")
    group = scheduler.create_schedule_group(Name="nightly")["ScheduleGroupArn"]
    assert scheduler.list_tags_for_resource(ResourceArn=group)["Tags"] == []
    made = aye.client("lambda").list_tags
    assert code_of(made, Resource=f"arn:aws:lambda:us-east-1:{aye.account}:function:none").startswith(
        "ResourceNotFound"
    )


@pytest.mark.parametrize(
    "key", ["plain", "a b+c", "é/ñ-မြန်မာ", "q?x=1&y#z", "100%25.csv", "/leading//twice/", "(a)!*'~"]
)
def test_objects_have_any_name(aye, bucket, key):
    s3 = aye.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/csv", Metadata={"made-by": "aye"})
    got = s3.get_object(Bucket=bucket, Key=key)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (key.encode(), "text/csv", {"made-by": "aye"})
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(key.encode())
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.get_object(Bucket=bucket, Key="copy", Range="bytes=0-2")["Body"].read() == key.encode()[:3]


def test_a_large_object_goes_up_in_parts_and_down_by_eight_threads(aye, bucket):
    s3 = aye.client("s3", config=Config(max_pool_connections=10))
    large = os.urandom(20 * MB)
    s3.upload_fileobj(io.BytesIO(large), bucket, "large")
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large", back)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(large).digest()


def test_over_https_where_clients_sign_no_bodies_and_send_checksums_behind_them(over_https):
    aye, trusted = over_https
    s3 = aye.client("s3", verify=trusted)
    s3.create_bucket(Bucket=f"https-{aye.account}")
    sent = []
    s3.meta.events.register("before-send.s3", lambda request, **_: sent.append(request.headers))
    s3.put_object(Bucket=f"https-{aye.account}", Key="a b", Body=io.BytesIO(b"x" * 70000))
    assert sent[-1]["x-amz-content-sha256"] == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    s3.upload_fileobj(io.BytesIO(b"y" * 9 * MB), f"https-{aye.account}", "parts")
    assert s3.get_object(Bucket=f"https-{aye.account}", Key="a b")["Body"].read() == b"x" * 70000
    assert s3.head_object(Bucket=f"https-{aye.account}", Key="parts")["ContentLength"] == 9 * MB
    assert aye.client("sts", verify=trusted).get_caller_identity()["Account"] == aye.account
    assert aye.client("logs", verify=trusted).describe_log_groups()["logGroups"] == []
    forged = aye.client("s3", verify=trusted, aws_secret_access_key="x" * 40)
    assert code_of(forged.put_object, Bucket=f"https-{aye.account}", Key="a b", Body=b"z") == "SignatureDoesNotMatch"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_addresses_work_and_only_as_they_are(aye, bucket, version):
    aye.client("s3").put_object(Bucket=bucket, Key="a/b c.txt", Body=b"shown")
    aye.client("s3").put_object(Bucket=bucket, Key="other", Body=b"hidden")
    s3 = aye.client("s3", config=Config(signature_version=version))
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a/b c.txt"}, ExpiresIn=60)
    assert ask(link)[::2] == (200, b"shown")
    assert ask(link.replace("a/b%20c.txt", "other"))[0] == 403
    assert ask(link, "DELETE")[0] == 403
    upload = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "sent"}, ExpiresIn=60)
    assert ask(upload, "PUT", b"from a laptop")[0] == 200
    assert ask(upload, "PUT", b"", {"x-amz-copy-source": f"{bucket}/other"})[0] == 403
    over = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "other"}, ExpiresIn=-1)
    assert ask(over)[0] == 403


def chunked(student, bucket, key, chunks, *, trailer=False):
    """An upload that signs each chunk, as the SDKs for Java and Go send it: (url, method, body, headers)."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")

    class Seed(S3SigV4Auth):
        def payload(self, request):
            return kind

    length = str(sum(map(len, chunks)))
    facts = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": length}
    more = {"x-amz-trailer": "x-amz-checksum-crc32"} if trailer else {}
    url, method, _, headers = signed(student, "PUT", f"/{bucket}/{key}", signer=Seed, **facts, **more)
    auth = Seed(student.credentials, "s3", "us-east-1")
    date, before = headers["X-Amz-Date"], headers["Authorization"].rsplit("Signature=", 1)[1]
    scope, nothing = f"{date[:8]}/us-east-1/s3/aws4_request", hashlib.sha256(b"").hexdigest()

    def sign(kind, *hashes):
        request = AWSRequest("PUT", url)
        request.context["timestamp"] = date
        return auth.signature("\n".join([f"AWS4-HMAC-SHA256-{kind}", date, scope, before, *hashes]), request)

    body = b""
    for chunk in [*chunks, b""]:
        before = sign("PAYLOAD", nothing, hashlib.sha256(chunk).hexdigest())
        body += f"{len(chunk):x};chunk-signature={before}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if trailer:
        line = "x-amz-checksum-crc32:AAAAAA=="
        made = sign("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
        body += f"{line}\r\nx-amz-trailer-signature:{made}\r\n".encode()
    return url, method, body + b"\r\n", headers


@pytest.mark.parametrize("trailer", [False, True])
def test_uploads_that_sign_each_chunk_are_taken_and_no_other_chunk(aye, bucket, trailer):
    chunks = [b"a" * 70000, b"b" * 70000, b"c" * 10]
    url, method, body, headers = chunked(aye, bucket, "chunks", chunks, trailer=trailer)
    assert ask(url, method, body.replace(b"ccc", b"ccd"), headers)[0] == 403
    assert ask(url, method, body[: body.index(b"\r\nb") + 2], headers)[0] == 403
    assert ask(url, method, body, headers)[0] == 200
    assert aye.client("s3").get_object(Bucket=bucket, Key="chunks")["Body"].read() == b"".join(chunks)
    if trailer:
        assert ask(url, method, body.replace(b"AAAAAA", b"AAAAAB"), headers)[0] == 403


def test_a_length_that_is_not_the_bodys_fills_no_memory(aye, bucket):
    class Lies(S3SigV4Auth):
        def payload(self, request):
            return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

    asked = signed(aye, "PUT", f"/{bucket}/x", signer=Lies, **{"x-amz-decoded-content-length": str(2**44)})
    assert ask(*asked[:2], b"0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n", asked[3])[0] == 403


def with_trailer(student, path, body):
    """An upload of `body`, already in chunks, as boto3 sends it over HTTPS: no length, and a checksum behind it."""

    class Unsigned(S3SigV4Auth):
        def payload(self, request):
            return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    facts = {"content-encoding": "aws-chunked", "x-amz-trailer": "x-amz-checksum-crc32"}
    facts["x-amz-decoded-content-length"] = str(int(body.split(b"\r\n")[0], 16))
    url, method, _, headers = signed(student, "PUT", path, signer=Unsigned, **facts)
    return url, method, iter([body]), {**headers, "Transfer-Encoding": "chunked"}


def test_a_trailing_checksum_is_taken_and_half_an_upload_is_not(aye, bucket):
    whole = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    for half in (b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello", b"6\r\nhello\r\n0\r\n\r\n"):
        assert ask(*with_trailer(aye, f"/{bucket}/t", half))[0] == 403
    assert ask(*with_trailer(aye, f"/{bucket}/t", whole))[0] == 200
    assert aye.client("s3").get_object(Bucket=bucket, Key="t")["Body"].read() == b"hello"


def test_a_stage_of_api_gateway_answers_from_elsewhere(aye):
    client = aye.client("apigateway")
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"up": true}'}}},
    }
    paths = {"/status": {"get": {"x-amazon-apigateway-integration": integration}}}
    document = {"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": paths}
    api = client.import_rest_api(body=json.dumps(document).encode())["id"]
    client.create_deployment(restApiId=api, stageName="prod")
    status, headers, body = ask(f"{aye.url}/execute-api/{api}/prod/status")
    assert (status, json.loads(body)) == (200, {"up": True})
    assert headers["content-security-policy"].startswith("sandbox")
    assert ask(f"{aye.url}/execute-api/none/prod/status")[0] == 403


# --- forged, stolen, over ------------------------------------------------------------------------------------------


def test_a_key_needs_its_own_secret_and_token(aye, bo):
    mine, theirs = aye.keys, bo.keys
    for wrong in (
        {**theirs, "aws_secret_access_key": mine["aws_secret_access_key"]},
        {**theirs, "aws_session_token": mine["aws_session_token"]},
        {**mine, "aws_access_key_id": theirs["aws_access_key_id"]},
        {**mine, "aws_session_token": None},
        {**mine, "aws_access_key_id": "ASIAXXXXXXXXXXXXXXXX"},
    ):
        assert code_of(aye.client("sts", **wrong).get_caller_identity) in (
            "SignatureDoesNotMatch",
            "InvalidClientTokenId",
        )
        assert code_of(aye.client("ec2", **wrong).describe_vpcs) == "AuthFailure"
        assert code_of(aye.client("s3", **wrong).list_buckets) in (
            "SignatureDoesNotMatch",
            "InvalidAccessKeyId",
            "InvalidToken",
        )


def test_only_sessions_that_the_portal_gave_a_student_come_in(aye, simulator):
    """Each of these is a good key on the server itself."""
    sts, iam = aye.client("sts"), aye.client("iam")
    iam.create_role(RoleName="made", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    chained = sts.assume_role(RoleArn=f"arn:aws:iam::{aye.account}:role/made", RoleSessionName="xx")["Credentials"]
    again = sts.assume_role(RoleArn=f"arn:aws:iam::{aye.account}:role/lab/student", RoleSessionName="xx")["Credentials"]
    iam.create_user(UserName="intern")
    key = iam.create_access_key(UserName="intern")["AccessKey"]
    root = simulator.client("sts", aye.account, **simulator.root())
    controllers = root.assume_role(
        RoleArn=f"arn:aws:iam::{aye.account}:role/lab/controller", RoleSessionName="lightsout-controller"
    )["Credentials"]
    others = [
        simulator.root(),
        {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]},
    ]
    for each in (chained, again, controllers):
        others.append(
            {
                "aws_access_key_id": each["AccessKeyId"],
                "aws_secret_access_key": each["SecretAccessKey"],
                "aws_session_token": each["SessionToken"],
            }
        )
    for keys in others:
        keys = {"aws_session_token": None, **keys}
        assert simulator.client("sts", aye.account, **keys).get_caller_identity()["Account"]
        assert code_of(aye.client("sts", **keys).get_caller_identity) == "InvalidClientTokenId"
        assert code_of(aye.client("s3", **keys).list_buckets) == "InvalidAccessKeyId"


def test_a_session_that_is_over_is_told_so(aye, simulator):
    assert aye.client("sts").get_caller_identity()["Account"] == aye.account
    simulator.expire(aye.account)
    assert code_of(aye.client("sts").get_caller_identity) == "ExpiredToken"
    assert code_of(aye.client("s3").list_buckets) == "ExpiredToken"


def test_an_unsigned_call_is_refused_whatever_it_asks(aye, bucket):
    for path in ("", "/", f"/{bucket}", f"/{bucket}/key", "/2015-03-31/functions"):
        assert ask(aye.url + path)[0] == 403
    assert ask(f"{aye.url}/", "POST", b"Action=GetCallerIdentity&Version=2011-06-15")[0] == 403


def test_a_stolen_signature_is_good_for_that_call_alone(aye, bucket):
    url, method, body, headers = signed(aye, "PUT", f"/{bucket}/mine", b"what I sent")
    assert ask(url, method, body, headers)[0] == 200
    assert ask(url, method, b"what I wrote", headers)[0] == 403
    assert ask(url.replace("/mine", "/yours"), method, body, headers)[0] == 403
    assert ask(f"{url}?acl", method, body, headers)[0] == 403
    assert ask(url, "POST", body, headers)[0] == 403
    assert ask(url, method, b"", {**headers, "x-amz-copy-source": f"{bucket}/mine"})[0] == 403
    assert ask(url, method, body, {**headers, "x-amz-acl": "public-read"})[0] == 403
    assert ask(url, method, body, {**headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})[0] == 403
    assert ask(url.replace("127.0.0.1", "localhost"), method, body, headers)[0] == 403
    for name in ("X-Amz-Date", "X-Amz-Security-Token"):
        assert ask(url, method, body, {other: value for other, value in headers.items() if other != name})[0] in (
            400,
            403,
        )


def test_a_stolen_call_of_the_query_protocol_is_good_for_that_body_alone(aye):
    form = {"content-type": "application/x-www-form-urlencoded"}
    url, method, body, headers = signed(aye, "POST", "/", b"Action=ListUsers&Version=2010-05-08", "iam", **form)
    assert ask(url, method, body, headers)[0] == 200
    assert ask(url, method, b"Action=CreateUser&UserName=eve&Version=2010-05-08", headers)[0] == 403
    assert ask(f"{url}?Action=CreateUser&UserName=eve", method, body, headers)[0] == 403


def test_a_signature_for_another_server_or_another_time_is_refused(aye, bucket, monkeypatch):
    elsewhere = signed(aye, "GET", f"/practice/{bucket}", url="http://s3.amazonaws.com")
    path = urlsplit(elsewhere[0]).path
    assert ask(f"{aye.url.removesuffix('/practice')}{path}", headers=elsewhere[3])[0] == 403
    named = {**elsewhere[3], "Host": "s3.amazonaws.com"}
    assert ask(f"{aye.url.removesuffix('/practice')}{path}", headers=named)[0] == 400
    direct = signed(aye, "GET", f"/{bucket}", url=aye.simulator.url)
    assert ask(f"{aye.url}/{bucket}", headers=direct[3])[0] == 403
    for minutes in (-16, 16):
        monkeypatch.setattr(
            "botocore.auth.get_current_datetime", lambda m=minutes: datetime.now(UTC) + timedelta(minutes=m)
        )
        status, _, body = ask(*signed(aye, "GET", f"/{bucket}"))
        assert (status, b"RequestTimeTooSkewed" in body) == (403, True)


# --- another student's account -------------------------------------------------------------------------------------


def test_another_students_account_is_closed(aye, bo, bucket):
    aye.client("s3").put_object(Bucket=bucket, Key="secret", Body=b"aye's")
    s3 = bo.client("s3")
    assert code_of(s3.get_object, Bucket=bucket, Key="secret") == "AccessDenied"
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(s3.put_object, Bucket=bucket, Key="x", Body=b"") == "AccessDenied"
    assert code_of(s3.create_bucket, Bucket=bucket) == "BucketAlreadyExists"
    mine = f"bo-{bo.account}"
    s3.create_bucket(Bucket=mine)
    assert code_of(s3.copy_object, Bucket=mine, Key="x", CopySource=f"{bucket}/secret") == "AccessDenied"
    copies = {"x-amz-copy-source": f"%61{bucket[1:]}/secret"}
    assert ask(*signed(bo, "PUT", f"/{mine}/x", **copies))[0] == 403
    role = f"arn:aws:iam::{aye.account}:role/lab/student"
    assert code_of(bo.client("sts").assume_role, RoleArn=role, RoleSessionName="xx") == "AccessDenied"


@pytest.mark.parametrize("direct", [False, True])
def test_a_signature_for_one_service_opens_no_other(aye, bo, bucket, direct):
    """moto finds a presigned call's service in its path, and in a header's first Credential."""
    at = bo.simulator.url if direct else bo.url
    aye.client("s3").put_object(Bucket=bucket, Key="secret", Body=b"aye's")
    role = f"arn:aws:iam::{aye.account}:role/lab/student"
    steals = f"/sts_us-east-1/?Action=AssumeRole&Version=2011-06-15&RoleSessionName=xx&RoleArn={role}"
    for service, path in (("s3", steals), ("ec2", f"/{bucket}/secret"), ("s3-x", f"/{bucket}/secret")):
        request = AWSRequest("GET", at + path)
        S3SigV4QueryAuth(bo.credentials, service, "us-east-1", expires=60).add_auth(request)
        status, _, body = ask(request.url)
        assert status >= 400 and b"AccessKeyId" not in body and b"aye's" not in body, (service, status, body)
        url, method, _, headers = signed(bo, "GET", path, service=service, url=at)
        status, _, body = ask(url, method, None, headers)
        assert status >= 400 and b"<AccessKeyId>" not in body and b"aye's" not in body, (service, status, body)
    old = AWSRequest("GET", at + steals)
    HmacV1QueryAuth(bo.credentials, expires=60).add_auth(old)
    status, _, body = ask(old.url)
    assert status >= 400 and b"<AccessKeyId>" not in body
    url, method, _, headers = signed(bo, "GET", f"/{bucket}/secret", service="ec2", url=at)
    doubled = headers["Authorization"].replace(
        " Credential=", " Credential=A/20260101/us-east-1/s3/aws4_request, Credential="
    )
    status, _, body = ask(url, method, None, {**headers, "Authorization": doubled})
    assert status >= 400 and b"aye's" not in body


@pytest.mark.parametrize("direct", [False, True])
def test_what_is_said_twice_enters_no_other_account(aye, bo, direct):
    at = bo.simulator.url if direct else bo.url
    role = "RoleArn=arn:aws:iam::{}:role/lab/student"
    theirs, mine, asks = role.format(aye.account), role.format(bo.account), "Action=AssumeRole"
    rest, harmless = "Version=2011-06-15&RoleSessionName=xx", "Action=GetCallerIdentity"
    for query, form in (
        ("", f"{asks}&{rest}&{mine}&{theirs}"),
        ("", f"{asks}&{rest}&{theirs}&{mine}"),
        ("", f"{asks}&{rest}&{theirs}&{harmless}"),
        ("", f"{harmless}&{rest}&{theirs}&{asks}"),
        (f"?{theirs}", f"{asks}&{rest}&{mine}"),
        (f"?{mine}", f"{asks}&{rest}&{theirs}"),
        (f"?{asks}&{theirs}", f"{harmless}&{rest}"),
        (f"?{harmless}", f"{asks}&{rest}&{theirs}"),
    ):
        for service in ("sts", "iam"):
            kind = {"content-type": "application/x-www-form-urlencoded"}
            url, method, body, headers = signed(bo, "POST", f"/{query}", form.encode(), service, url=at, **kind)
            first = " Credential=A/20260101/us-east-1/sts/aws4_request, Credential="
            for authorization in (headers["Authorization"], headers["Authorization"].replace(" Credential=", first)):
                _, _, answered = ask(url, method, body, {**headers, "Authorization": authorization})
                assert f"arn:aws:sts::{aye.account}".encode() not in answered, (query, form)


# --- administrative paths, and tricks ------------------------------------------------------------------------------


ADMINISTRATIVE = [
    "/moto-api/reset",
    "/moto-api/data.json",
    "/lightsout/reset",
    "/lightsout/faults",
    "/lightsout/calls",
    "/lightsout/boot",
    "/latest/meta-data/iam/security-credentials/",
    "/latest/api/token",
    "/favicon.ico",
]
TRICKS = [
    "/practice/{}",
    "/practice//{}",
    "/practice/./{}",
    "/practice/x/../{}",
    "/practice/x/%2e%2e/{}",
    "/practice/%2e/{}",
    "/practice/x%2f..%2f{}",
    "/practice/practice/{}",
    "/practice/..//practice/{}",
    "/%70ractice/{}",
    "/practice%2f{}",
    "/practice;/{}",
    "/practice/execute-api/../{}",
    "http://127.0.0.1:1/practice/{}",
    "http://evil.example/practice//{}",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_administrative_paths_are_closed_by_every_way(aye, simulator, trick):
    boot = simulator.boot()["boot_id"]
    smuggled = {OPERATOR_HEADER: simulator.operator_secret, GATEWAY_HEADER: "reads-body", "X-Moto-Account-Id": "1" * 12}
    for path in ADMINISTRATIVE:
        target = trick.format(path.lstrip("/"))
        for method in ("GET", "POST", "DELETE"):
            lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port_of(aye.url)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in smuggled.items()] + ["Content-Length: 0", "", ""]
            status, _, body = raw(port_of(aye.url), "\r\n".join(lines).encode())
            assert status in (400, 403, 404, 405, 411), (target, status)
            assert b"boot_id" not in body and b"started_at" not in body
    assert simulator.boot()["boot_id"] == boot


@pytest.mark.parametrize("service", ["s3", "sts", "moto_api", "lightsout"])
def test_administrative_paths_are_closed_to_a_good_signature(aye, simulator, service):
    boot, at_home = simulator.boot()["boot_id"], aye.url.replace("/practice", "")
    for path in ADMINISTRATIVE:
        for method in ("GET", "POST"):
            for url in (aye.url, simulator.url):
                status, _, body = ask(*signed(aye, method, path, service=service, url=url))
                assert status in (400, 403, 404, 405, 501), (path, url, status)
                assert b"boot_id" not in body
    assert ask(f"{at_home}/moto-api/reset", "POST", b"")[0] in (403, 404)
    assert simulator.boot()["boot_id"] == boot


def test_headers_that_only_we_may_say_are_not_heard(aye, bo, bucket):
    smuggled = {
        GATEWAY_HEADER: "too-large",
        OPERATOR_HEADER: aye.simulator.operator_secret,
        "X-Moto-Account-Id": bo.account,
        "X-Forwarded-Host": "s3.amazonaws.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "host=evil",
        "X_Lightsout_Gateway": "too-large",
        "X-Original-Url": "/moto-api/reset",
        "Transfer-Encodin": "chunked",
        "Cookie": "sessionid=stolen",
    }
    url, method, body, headers = signed(aye, "GET", f"/{bucket}")
    status, answered, _ = ask(url, method, None, {**headers, **smuggled})
    assert status == 200 and "set-cookie" not in answered
    url, method, body, headers = signed(aye, "POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", "sts")
    assert aye.account.encode() in ask(url, method, body, {**headers, **smuggled})[2]


def test_no_address_of_the_portal_lies_under_the_gateways():
    """The access matrix holds every address of Django's; of these there is none, and the tests here hold them."""
    for path in ("/practice", "/practice/", "/practice/bucket/key"):
        with pytest.raises(Resolver404):
            resolve(path)


def test_the_portal_itself_answers_every_other_address(gateway):
    portal = gateway.removesuffix("/practice")
    assert ask(f"{portal}/alive/")[0] == 200
    assert ask(f"{portal}/practices/")[0] == ask(f"{portal}/Practice/x")[0] == 404


# --- a page of the portal's origin it is not -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "disposition"),
    [
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("text/javascript", "attachment"),
        ("", "attachment"),
        ("text/plain", None),
        ("application/json", None),
    ],
)
def test_what_a_student_made_is_no_page_of_this_portal(aye, bucket, kind, disposition):
    s3 = aye.client("s3")
    s3.put_object(
        Bucket=bucket, Key="page", Body=b"<script>alert(1)</script>", **({"ContentType": kind} if kind else {})
    )
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "page"}, ExpiresIn=60)
    status, headers, _ = ask(link, headers={"Sec-Fetch-Dest": "document", "Cookie": "sessionid=x"})
    assert status == 200 and headers["content-disposition"] == disposition
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert "set-cookie" not in headers and "x-lightsout-boot" not in headers
    for part in ("script", "style", "image", "iframe", "serviceworker", "worker", "object", "embed", "font"):
        assert ask(link, headers={"Sec-Fetch-Dest": part})[0] == 403
    assert ask(link, headers={"Service-Worker": "script"})[0] == 403


def test_an_object_that_says_it_is_shown_is_saved_all_the_same(aye, bucket):
    s3 = aye.client("s3")
    s3.put_object(Bucket=bucket, Key="page", Body=b"<b>", ContentType="text/html", ContentDisposition="inline")
    s3.put_object(Bucket=bucket, Key="named", Body=b"<b>", ContentDisposition='attachment; filename="a.html"')
    for key, said in (("page", "attachment"), ("named", 'attachment; filename="a.html"')):
        assert s3.get_object(Bucket=bucket, Key=key)["ContentDisposition"] == said


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A gateway with small limits, and its simulator: a call every 1000 s after a burst of 40, bodies of 1 MB, 3 MB in
    all."""
    var = tmp_path_factory.mktemp("narrow")
    running = testing.start("--student-calls", "8", "--student-body-mb", "1", "--student-stored-mb", "3", var=var)
    try:
        with portal_of(running, var, workers="1", STUDENT_BODY_MB="1") as url:
            yield url, running
    finally:
        testing.stop(running)


def student_of(narrow):
    url, running = narrow
    account = running.new_account()
    return Student(url, account, running.credentials(account), running)


def test_a_body_that_is_too_large_is_refused_in_each_protocols_words(narrow):
    aye = student_of(narrow)
    s3 = aye.client("s3")
    s3.create_bucket(Bucket=f"narrow-{aye.account}")
    s3.put_object(Bucket=f"narrow-{aye.account}", Key="fits", Body=b"x" * MB)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=f"narrow-{aye.account}", Key="large", Body=b"x" * (MB + 1))
    said = refused.value.response
    assert (said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]) == ("EntityTooLarge", 413)
    assert "1 MB" in said["Error"]["Message"]
    long = b"%x\r\n" % (2 * MB) + b"x" * 2 * MB + b"\r\n0\r\n\r\n"
    assert ask(*with_trailer(aye, f"/narrow-{aye.account}/large", long))[0] == 413
    logs = aye.client("logs")
    url, _, _, headers = signed(aye, "POST", "/", b"{}", "logs", **{"x-amz-target": "Logs_20140328.PutLogEvents"})
    status, _, body = ask(url, "POST", b"x" * 2 * MB, headers)
    assert (status, json.loads(body)["__type"]) == (413, "RequestEntityTooLargeException")
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_body_that_is_too_large_is_read_off_for_a_proxy_and_not_for_a_client_that_asks_first(pretender, settings):
    settings.STUDENT_BODY_MB = 1
    sent = io.BytesIO(b"x" * 2 * MB)
    pass_on(method="PUT", body=b"x" * 2 * MB, **{"wsgi.input": sent})
    assert sent.tell() == 2 * MB
    asked = io.BytesIO(b"x" * 2 * MB)
    pass_on(method="PUT", body=b"x" * 2 * MB, HTTP_EXPECT="100-continue", **{"wsgi.input": asked})
    assert asked.tell() == 0
    assert {headers["x-lightsout-gateway"] for _, _, headers in pretender.heard} == {"too-large"}
    assert {headers["content-length"] for _, _, headers in pretender.heard} == {"0"}


def raw_head(url, headers):
    lines = [f"POST {urlsplit(url).path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + ["", ""]
    return raw(port_of(url), "\r\n".join(lines).encode())


def test_a_body_of_no_told_length_is_refused(narrow):
    aye = student_of(narrow)
    _, _, _, headers = signed(aye, "POST", "/", b"", "sts")
    assert raw_head(f"{aye.url}/", headers | {"Transfer-Encoding": "chunked"})[0] == 411


def test_a_student_keeps_so_much_and_no_more(narrow):
    aye, name = student_of(narrow), f"full-{time.monotonic_ns()}"
    s3 = aye.client("s3")
    s3.create_bucket(Bucket=name)
    for number in range(3):
        s3.put_object(Bucket=name, Key=str(number), Body=b"x" * (MB - 10))
    assert code_of(s3.put_object, Bucket=name, Key="more", Body=b"x" * 100) == "QuotaExceeded"
    s3.delete_object(Bucket=name, Key="0")
    s3.put_object(Bucket=name, Key="more", Body=b"x" * 100)


def test_who_asks_too_often_is_told_in_each_protocols_words_and_holds_up_nobody_else(narrow):
    aye, bo = student_of(narrow), student_of(narrow)
    sts = aye.client("sts")
    said = []
    for _ in range(120):
        try:
            sts.get_caller_identity()
        except ClientError as refused:
            said.append(refused.response["Error"]["Code"])
    assert set(said) == {"Throttling"}
    codes = {"s3": ("list_buckets", "SlowDown"), "ec2": ("describe_vpcs", "RequestLimitExceeded")}
    codes["sagemaker"] = ("list_models", "ThrottlingException")
    for service, (call, code) in codes.items():
        client = aye.client(service)
        seen = set()
        for _ in range(60):
            try:
                getattr(client, call)()
            except ClientError as refused:
                seen.add(refused.response["Error"]["Code"])
        assert seen == {code}
    assert bo.client("sts").get_caller_identity()["Account"] == bo.account


def test_clients_that_go_away_within_a_body_leave_the_way_free(narrow):
    """More of them than the one process of this web lets in at once."""
    aye = student_of(narrow)
    name = f"left-{aye.account}"
    aye.client("s3").create_bucket(Bucket=name)
    aye.client("s3").put_object(Bucket=name, Key="large", Body=b"x" * MB)
    up = signed(aye, "PUT", f"/{name}/x", b"x" * MB)
    down = signed(aye, "GET", f"/{name}/large")
    for url, method, body, headers in [up, down] * (AT_ONCE + 1):
        lines = [f"{method} {urlsplit(url).path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
        lines += [f"{key}: {value}" for key, value in headers.items() if key.lower() != "content-length"]
        lines += [f"Content-Length: {len(body)}", "", ""]
        with socket.create_connection(("127.0.0.1", port_of(url)), 30) as line:
            line.sendall("\r\n".join(lines).encode() + body[:1000])
            if method == "GET":
                assert line.recv(12) == b"HTTP/1.1 200"
    until = time.monotonic() + 20
    while ask(*down)[0] != 200:  # the last of them are noticed in a moment
        assert time.monotonic() < until
    assert code_of(aye.client("s3").head_object, Bucket=name, Key="x") == "404"


# --- with the web's own eyes: what goes in and comes out, and what is not there --------------------------------------


class Pretender(BaseHTTPRequestHandler):
    """A simulator that tells what it was asked, and answers as the test wants: .says = (status, headers, body)."""

    says = (200, {}, b"")

    def do_GET(self):
        self.server.heard.append(
            (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        )
        status, headers, body = self.says
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def pretender(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pretender)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SIMULATOR_URL = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def pass_on(path="/practice/bucket/key", method="GET", body=b"", portal=None, **environ):
    """(status, headers, body) of the gateway for this request."""
    told = {}
    asked = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = Gateway(portal or (lambda *_: pytest.fail("the portal was asked")))(
        asked, lambda status, headers: told.update(status=int(status.split()[0]), headers=headers)
    )
    whole = b"".join(answer)
    return told["status"], {name.lower(): value for name, value in told["headers"]}, whole


def test_what_is_the_browsers_or_ours_does_not_go_in(pretender):
    theirs = {
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 x",
        "HTTP_X_AMZ_DATE": "20250918T081700Z",
        "HTTP_RANGE": "bytes=0-1",
    }
    ours = {
        "HTTP_COOKIE": "sessionid=x",
        "HTTP_REFERER": "https://lights.example/receipts/1/",
        "HTTP_X_LIGHTSOUT_GATEWAY": "too-large",
        "HTTP_X_LIGHTSOUT_OPERATOR": "secret",
        "HTTP_X_MOTO_ACCOUNT_ID": "123456789012",
        "HTTP_X_FORWARDED_HOST": "evil",
        "HTTP_FORWARDED": "host=evil",
        "HTTP_CONNECTION": "close, x-amz-date",
        "HTTP_TE": "trailers",
        "HTTP_UPGRADE": "h2c",
        "HTTP_EXPECT": "100-continue",
        "HTTP_PROXY_AUTHORIZATION": "x",
    }
    assert pass_on(method="PUT", body=b"abc", CONTENT_TYPE="text/csv", **theirs, **ours)[0] == 200
    [(method, path, headers)] = pretender.heard
    assert (method, path) == ("PUT", "/practice/bucket/key")
    assert headers == {
        "host": "localhost",
        "content-type": "text/csv",
        "content-length": "3",
        "authorization": "AWS4-HMAC-SHA256 x",
        "x-amz-date": "20250918T081700Z",
        "range": "bytes=0-1",
        "x-lightsout-gateway": "reads-body",
    }


def test_what_turns_a_browser_or_a_proxy_does_not_come_out(pretender, monkeypatch):
    turns = {
        "Set-Cookie": "sessionid=theirs",
        "X-Accel-Redirect": "/internal/db.sqlite3",
        "X-Sendfile": "/etc/passwd",
        "Clear-Site-Data": '"*"',
        "Strict-Transport-Security": "max-age=0",
        "Alt-Svc": 'h2="evil:443"',
        "Link": "</x>; rel=preload",
        "Refresh": "0; url=https://evil",
        "Location": "https://evil/",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": "default-src *",
        "Access-Control-Allow-Credentials": "true",
        "Connection": "close",
        "x-lightsout-boot": "1",
    }
    kept = {"ETag": '"1"', "x-amz-meta-by": "aye", "Content-Type": "text/html"}
    monkeypatch.setattr(Pretender, "says", (302, {**turns, **kept}, b"<script>"))
    status, headers, body = pass_on()
    assert (status, body) == (302, b"<script>")
    theirs = {name for name in headers if name not in {each.lower() for each, _ in ALWAYS}}
    assert theirs == {"etag", "x-amz-meta-by", "content-type", "content-length", "content-disposition"}
    assert headers["content-security-policy"].startswith("sandbox;")


def test_a_path_is_written_as_awss_clients_write_it(pretender):
    def written(path, **environ):
        pass_on(path.encode().decode("latin-1"), **environ)
        return pretender.heard[-1][1]

    assert written("/practice/b/a b+é~", QUERY_STRING="x=%2F") == "/practice/b/a%20b%2B%C3%A9~?x=%2F"
    arn = "arn:aws:apigateway:us-east-1::/restapis/x"
    assert written(f"/practice/tags/{arn}") == "/practice/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fx"
    of_s3 = "AWS4-HMAC-SHA256 Credential=A/20250918/us-east-1/s3/aws4_request, Signature=x"
    assert written(f"/practice/tags/{arn}", HTTP_AUTHORIZATION=of_s3).endswith(
        "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A/restapis/x"
    )
    assert written("/practice/b/a\r\nx-moto-account-id: 1") == "/practice/b/a%0D%0Ax-moto-account-id%3A%201"


def test_a_header_that_is_two_is_refused(pretender):
    assert pass_on(HTTP_X_AMZ_META_A="a\r\nx-moto-account-id: 1")[0] == 400
    assert pretender.heard == []


def test_a_body_that_ends_early_is_no_body(pretender):
    status, _, body = pass_on(method="PUT", body=b"half", CONTENT_LENGTH="8")
    assert (status, b"IncompleteBody" in body) == (400, True)


def test_without_https_before_a_server_that_has_it_nothing_goes_on(pretender, settings):
    settings.BEHIND_HTTPS = True
    assert pass_on()[0] == 403
    assert pass_on(HTTP_X_FORWARDED_PROTO="http")[0] == 403
    assert pass_on(HTTP_X_FORWARDED_PROTO="https")[0] == 200


def test_a_simulator_that_is_away_or_slow_is_told_of(settings, monkeypatch):
    settings.SIMULATOR_URL = "http://127.0.0.1:9"  # the discard port: nobody answers
    status, headers, _ = pass_on()
    assert (status, headers["retry-after"]) == (503, "2")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        settings.SIMULATOR_URL = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setattr("portal.gateway.ANSWER_SECONDS", 0.05)
        assert pass_on()[0] == 504


def test_without_practice_mode_the_address_is_the_portals_like_any_other(settings):
    def portal(environ, start_response):
        start_response("404 Not Found", [])
        return [b"the portal"]

    settings.SIMULATOR_URL = ""
    assert pass_on(portal=portal)[::2] == (404, b"the portal")
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    for path in ("/", "/practices", "/Practice/x", "/aws/", "/x/practice/y"):
        assert pass_on(path, portal=portal)[::2] == (404, b"the portal"), path


def test_students_machines_never_take_all_threads_of_the_web(pretender, monkeypatch):
    monkeypatch.setattr("portal.gateway.AT_ONCE", 1)
    gateway, statuses = Gateway(lambda *_: []), []
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/practice/b", "HTTP_HOST": "localhost", "wsgi.input": io.BytesIO()}
    first = gateway(dict(asked), lambda status, _: statuses.append(status[:3]))
    gateway(dict(asked), lambda status, _: statuses.append(status[:3]))
    first.close()
    list(gateway(dict(asked), lambda status, _: statuses.append(status[:3])))
    list(gateway(dict(asked), lambda status, _: statuses.append(status[:3])))
    assert statuses == ["200", "503", "200", "200"]


# --- a lab, from its credentials to its end ------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_credentials_of_a_lab_work_by_the_gateway_until_it_is_finished(gateway, simulator, settings, aye_of_school):
    simulator.serves(settings)
    settings.GATEWAY_URL = gateway
    aws.forget_clients()
    clock = Clock(datetime.now(UTC))
    account = Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye_of_school,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock(),
    )
    launch = launching.launch(lab_of(Want("bucket", "s3-bucket")), account, aye_of_school, now=clock())
    World(clock).run(15)
    launch.refresh_from_db()
    made = sessions.credentials(launch, aye_of_school, clock())
    assert made.as_env()["AWS_ENDPOINT_URL"] == gateway
    assert f"endpoint_url = {gateway}\n" in made.as_profile()
    assert f"endpoint_url = {gateway}\n" in sessions.config_of(launch, "fetch")
    keys = (made.access_key_id, made.secret_access_key, made.session_token)
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    student = Student(made.endpoint_url, account.aws_id, dict(zip(names, keys, strict=True)), simulator)
    name = launch.resources.get(key="bucket").name
    student.client("s3").put_object(Bucket=name, Key="a.csv", Body=b"1,2")
    link = student.client("s3").generate_presigned_url("get_object", {"Bucket": name, "Key": "a.csv"})
    assert ask(link)[2] == b"1,2"
    launching.ask_to_delete(launch, now=clock(), by=aye_of_school)
    World(clock).run(60)
    with pytest.raises(ClientError) as refused:
        student.client("sts").get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert ask(link)[0] == 403
    aws.forget_clients()


@pytest.fixture
def aye_of_school(db):
    return get_user_model().objects.create_user(email="aye@school.example", password="x", name="Aye")
