"""Lambda in practice mode: functions on their way, what they are made of, and who sets them off. Where the operator
turned it on they run; elsewhere everybody who invokes one is told that they do not.
"""

import base64
import hashlib
import json
import threading

import pytest
from botocore.exceptions import ClientError

from labs.kinds.lambda_code import zip_of

pytestmark = pytest.mark.simulator
bwrap = pytest.mark.bwrap


@pytest.fixture
def a_minute_later(simulator):
    simulator.pace(state_seconds=60)
    return lambda: simulator.let_pass(61)


def refusal(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]


def code_of(call, **asked):
    return refusal(call, **asked)["Code"]


# --- what a function is made of ------------------------------------------------------------------------------


def test_a_function_is_pending_before_it_is_active(practice, a_minute_later):
    practice.function()
    look = practice.lambdas.get_function
    assert look(FunctionName="f")["Configuration"]["State"] == "Pending"
    a_minute_later()
    assert look(FunctionName="f")["Configuration"]["State"] == "Active"


def test_a_role_that_lambda_may_not_assume_is_refused(practice):
    for role in (practice.role("ec2.amazonaws.com"), f"arn:aws:iam::{practice.account}:role/nobody"):
        with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
            practice.function(role=role)
    assert practice.lambdas.list_functions()["Functions"] == []


def test_an_image_that_is_not_in_the_registry_is_refused(practice):
    registry = f"{practice.account}.dkr.ecr.us-east-1.amazonaws.com"
    image = {"PackageType": "Image", "Code": {"ImageUri": f"{registry}/model:1"}}
    asked = {"FunctionName": "f", "Role": practice.role(), **image}
    ecr = practice.client("ecr")
    assert "does not exist" in refusal(practice.lambdas.create_function, **asked)["Message"]
    ecr.create_repository(repositoryName="model")
    assert code_of(practice.lambdas.create_function, **asked) == "InvalidParameterValueException"
    ecr.put_image(repositoryName="model", imageTag="1", imageManifest=manifest(100, 2000, 3000))
    assert practice.lambdas.create_function(**asked)["PackageType"] == "Image"


def manifest(config, *layers):
    """What a `docker push` sends last: bytes of the configuration and of each layer."""
    parts = [{"digest": f"sha256:{number:064x}", "size": size} for number, size in enumerate(layers)]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {"size": config}, "layers": parts})


def test_an_image_weighs_what_its_layers_weigh(practice):
    ecr = practice.client("ecr")
    ecr.create_repository(repositoryName="model")
    ecr.put_image(repositoryName="model", imageTag="1", imageManifest=manifest(100, 2000, 3000))
    assert ecr.describe_images(repositoryName="model")["imageDetails"][0]["imageSizeInBytes"] == 5100


def test_the_digest_of_an_image_is_its_manifests(practice):
    ecr, sent = practice.client("ecr"), manifest(100, 2000)
    ecr.create_repository(repositoryName="model")
    told = ecr.put_image(repositoryName="model", imageTag="1", imageManifest=sent)["image"]["imageId"]
    assert told["imageDigest"] == f"sha256:{hashlib.sha256(sent.encode()).hexdigest()}"


# --- provisioned concurrency ---------------------------------------------------------------------------------


def test_machines_are_kept_ready_for_versions_and_aliases_until_their_function_goes(practice, a_minute_later):
    arn = practice.function()
    ready, listed = (
        practice.lambdas.put_provisioned_concurrency_config,
        practice.lambdas.list_provisioned_concurrency_configs,
    )
    assert code_of(ready, FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=2) == (
        "ResourceNotFoundException"
    )
    version = practice.lambdas.publish_version(FunctionName="f")["Version"]
    practice.lambdas.create_alias(FunctionName="f", Name="live", FunctionVersion=version)
    assert code_of(ready, FunctionName="f", Qualifier="$LATEST", ProvisionedConcurrentExecutions=2) == (
        "InvalidParameterValueException"
    )
    assert ready(FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=2)["Status"] == "IN_PROGRESS"
    a_minute_later()
    (config,) = listed(FunctionName="f")["ProvisionedConcurrencyConfigs"]
    assert (config["FunctionArn"], config["Status"]) == (f"{arn}:live", "READY")
    get = practice.lambdas.get_provisioned_concurrency_config
    assert get(FunctionName="f", Qualifier="live")["AvailableProvisionedConcurrentExecutions"] == 2
    practice.lambdas.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    assert listed(FunctionName="f")["ProvisionedConcurrencyConfigs"] == []
    assert code_of(get, FunctionName="f", Qualifier="live") == "ProvisionedConcurrencyConfigNotFoundException"
    practice.lambdas.delete_function(FunctionName="f")
    assert code_of(listed, FunctionName="f") == "ResourceNotFoundException"


# --- event source mappings -----------------------------------------------------------------------------------


def test_a_mapping_is_seen_on_its_way_and_left_alone_there(practice, a_minute_later):
    function = practice.function()
    _, queue = practice.queue()
    create, change = practice.lambdas.create_event_source_mapping, practice.lambdas.update_event_source_mapping
    mapping = create(FunctionName="f", EventSourceArn=queue)["UUID"]

    def look():
        return practice.lambdas.get_event_source_mapping(UUID=mapping)["State"]

    assert look() == "Creating"
    assert code_of(practice.lambdas.delete_event_source_mapping, UUID=mapping) == "ResourceInUseException"
    a_minute_later()
    assert look() == "Enabled"
    assert code_of(create, FunctionName=function, EventSourceArn=queue) == "ResourceConflictException"
    for is_on, on_the_way, at_last in ((False, "Disabling", "Disabled"), (True, "Enabling", "Enabled")):
        change(UUID=mapping, Enabled=is_on)
        assert look() == on_the_way
        a_minute_later()
        assert look() == at_last
    practice.lambdas.delete_event_source_mapping(UUID=mapping)
    assert look() == "Deleting"
    for name in ("f", function):
        (listed,) = practice.lambdas.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        assert listed["State"] == "Deleting"
    a_minute_later()
    assert code_of(practice.lambdas.get_event_source_mapping, UUID=mapping) == "ResourceNotFoundException"
    assert code_of(practice.lambdas.delete_event_source_mapping, UUID=mapping) == "ResourceNotFoundException"
    assert code_of(change, UUID=mapping, Enabled=True) == "ResourceNotFoundException"


def test_a_queue_keeps_its_messages_when_nothing_runs_or_the_function_is_gone(practice):
    practice.function()
    url, queue = practice.queue()
    practice.lambdas.create_event_source_mapping(FunctionName="f", EventSourceArn=queue)
    sqs = practice.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    assert "Practice mode does not run code here" in practice.logged()[0]
    practice.lambdas.delete_function(FunctionName="f")
    sqs.send_message(QueueUrl=url, MessageBody="two")
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "2"


# --- S3 ------------------------------------------------------------------------------------------------------


def notify(practice, bucket, function):
    line = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
    practice.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [line]}
    )


def test_s3_takes_only_a_function_that_it_may_invoke(practice):
    bucket, function = f"b-{practice.account}", practice.function()
    practice.client("s3").create_bucket(Bucket=bucket)
    for arn in (function, function.replace(":f", ":none")):
        with pytest.raises(ClientError, match="Unable to validate the following destination"):
            notify(practice, bucket, arn)
    practice.let_in("s3.amazonaws.com")
    notify(practice, bucket, function)
    kept = practice.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    assert kept["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] == function


# --- nothing runs --------------------------------------------------------------------------------------------


def test_where_nothing_runs_code_an_invocation_says_so_and_is_not_counted(practice):
    practice.function()
    for how in ("RequestResponse", "Event"):
        error = refusal(practice.lambdas.invoke, FunctionName="f", Payload=b"{}", InvocationType=how)
        assert error["Code"] == "NotImplementedInPractice"
        assert "Practice mode does not run code here" in error["Message"] and "--run-functions" in error["Message"]
    assert practice.lambdas.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    assert practice.counted("Invocations") == 0
    assert [line.partition(":")[0] for line in practice.logged()] == ["Practice mode does not run code here"]
    assert any("Lambda functions are not run" in one for one in practice.simulator.boot()["cannot"])


def test_what_is_not_there_is_not_found_also_by_one_who_invokes_it(practice):
    assert code_of(practice.lambdas.invoke, FunctionName="none") == "ResourceNotFoundException"


def test_an_event_that_is_no_json_is_refused(practice):
    practice.function()
    assert code_of(practice.lambdas.invoke, FunctionName="f", Payload=b"{no") == "InvalidRequestContentException"


# --- they run ------------------------------------------------------------------------------------------------


@bwrap
def test_a_function_answers_and_is_counted_and_logged(running):
    running.function(
        "def handler(event, context):\n    print('hello', event['name'])\n    return {'n': len(event['name'])}"
    )
    answer, said = running.invoke(event={"name": "aye"}, LogType="Tail")
    assert (answer["StatusCode"], said, answer["ExecutedVersion"]) == (200, {"n": 3}, "$LATEST")
    assert base64.b64decode(answer["LogResult"]) == b"hello aye\n"
    assert (running.counted("Invocations"), running.counted("Errors")) == (1, 0)
    assert 0 < running.counted("Duration") < 3000
    start, words, end, report = running.logged()
    assert start.startswith("START RequestId: ") and words == "hello aye" and end.startswith("END RequestId: ")
    assert "Memory Size: 128 MB" in report and "Billed Duration: " in report
    assert any("Lambda functions run on Python" in one for one in running.simulator.boot()["cannot"])


@bwrap
def test_a_function_that_fails_or_takes_too_long_says_so(running):
    running.function("def handler(event, context):\n    return 1 / event['by']")
    answer, said = running.invoke(event={"by": 0})
    assert (answer["FunctionError"], said["errorType"]) == ("Unhandled", "ZeroDivisionError")
    running.function("def handler(event, context):\n    while True: pass", name="slow", Timeout=1)
    answer, said = running.invoke("slow")
    assert "Task timed out after 1.00 seconds" in said["errorMessage"]
    assert "Task timed out" in running.logged("slow")[1]
    assert running.counted("Errors", "slow") == 1


@bwrap
def test_it_has_its_environment_and_its_layers_also_one_that_was_deleted(running):
    layer = running.lambdas.publish_layer_version(
        LayerName="shop", Content={"ZipFile": zip_of({"python/shop.py": "PRICE = 3"})}
    )
    code = (
        "import os\nimport shop\n\ndef handler(event, context):\n"
        "    return [shop.PRICE, os.environ['STAGE'], os.environ['AWS_REGION'], context.invoked_function_arn]"
    )
    arn = running.function(code, Layers=[layer["LayerVersionArn"]], Environment={"Variables": {"STAGE": "test"}})
    running.lambdas.delete_layer_version(LayerName="shop", VersionNumber=1)
    assert running.invoke()[1] == [3, "test", "us-east-1", arn]


@bwrap
def test_it_reads_neither_the_operators_secret_nor_the_simulator_nor_any_key(running):
    code = """
import os, socket

def handler(event, context):
    with socket.socket() as one:
        reached = one.connect_ex(("127.0.0.1", event["port"])) == 0
    tops = ["/" + top for top in os.listdir("/") if top not in ("usr", "proc") and not os.path.islink("/" + top)]
    seen = [folder for top in tops for folder, _, files in os.walk(top) if "simulator.secret" in files]
    return [reached, seen, [name for name in os.environ if "KEY" in name or "TOKEN" in name or "SECRET" in name]]
"""
    running.function(code)
    port = int(running.simulator.url.rsplit(":", 1)[1])
    assert running.invoke(event={"port": port})[1] == [False, [], []]


@bwrap
def test_others_are_answered_while_a_function_runs(running):
    running.function("import time\n\ndef handler(event, context):\n    time.sleep(1.5)\n    return 'late'")
    order = []

    def call():
        order.append(running.invoke()[1])

    thread = threading.Thread(target=call)
    thread.start()
    while "late" not in order and len(order) < 3:
        running.client("sts").get_caller_identity()
        order.append("early")
    thread.join(10)
    assert order[:3] == ["early", "early", "early"] and order[-1] == "late"


@bwrap
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Runtime": "nodejs22.x", "Handler": "app.handler"}, "Practice mode runs Python only, and not nodejs22.x"),
        ({"Runtime": "java21"}, "and not java21"),
    ],
)
def test_what_is_not_python_is_not_run(running, more, words):
    running.function(**more)
    error = refusal(running.lambdas.invoke, FunctionName="f")
    assert error["Code"] == "NotImplementedInPractice" and words in error["Message"]


@bwrap
def test_a_function_on_its_way_and_one_without_concurrency_are_not_invoked(running):
    running.simulator.pace(state_seconds=60)
    running.function()
    assert code_of(running.lambdas.invoke, FunctionName="f") == "ResourceConflictException"
    running.simulator.let_pass(61)
    running.lambdas.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    assert code_of(running.lambdas.invoke, FunctionName="f") == "TooManyRequestsException"
    assert running.counted("Throttles") == 1


@bwrap
def test_an_event_for_nobody_who_waits_runs_in_the_background(running):
    running.function("def handler(event, context):\n    print('got', event['n'])")
    answer, said = running.invoke(event={"n": 7}, InvocationType="Event")
    assert (answer["StatusCode"], said) == (202, None)
    running.simulator.wait_for_functions()
    assert "got 7" in running.logged()
    assert running.counted("Invocations") == 1


@bwrap
def test_what_comes_into_a_bucket_sets_its_function_off(running):
    bucket = f"b-{running.account}"
    s3 = running.client("s3")
    s3.create_bucket(Bucket=bucket)
    arn = running.function("def handler(event, context):\n    print(event['Records'][0]['s3']['object']['key'])")
    running.let_in("s3.amazonaws.com")
    notify(running, bucket, arn)
    s3.put_object(Bucket=bucket, Key="raw/a.csv", Body=b"1,2")
    running.simulator.wait_for_functions()
    assert "raw/a.csv" in running.logged()
    assert running.counted("Invocations") == 1


@bwrap
def test_what_comes_into_a_queue_is_read_for_its_function(running):
    running.function("def handler(event, context):\n    print(event['Records'][0]['body'])")
    url, queue = running.queue()
    running.lambdas.create_event_source_mapping(FunctionName="f", EventSourceArn=queue)
    running.client("sqs").send_message(QueueUrl=url, MessageBody="a job")
    running.simulator.wait_for_functions()
    assert "a job" in running.logged()


@bwrap
def test_a_function_that_cannot_be_unpacked_says_so(running):
    running.function(Code={"ZipFile": b"PK no zip at all"})
    assert code_of(running.lambdas.invoke, FunctionName="f") == "InvalidZipFileException"
