"""Errors of AWS, sorted once; and answers of another world refused."""

import botocore.exceptions as bx
import pytest

from labs import aws
from labs.models import Account
from labs.tests.cast import START


def said(code, message="", status=400):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return bx.ClientError(answer, "Op")


CASES = [
    (said("ThrottlingException"), aws.Throttled),
    (said("RequestLimitExceeded", status=503), aws.Throttled),
    (said("SlowDown", status=503), aws.Throttled),
    (said("NoSuchBucket", status=404), aws.NotThere),
    (said("InvalidInstanceID.NotFound"), aws.NotThere),
    (said("ValidationException", 'Could not find endpoint "x"'), aws.NotThere),
    (said("ValidationException", "RecordNotFound"), aws.NotThere),
    (said("ValidationError", "Stack with id x does not exist"), aws.NotThere),
    (said("TrailNotFoundException"), aws.NotThere),
    (said("ValidationException", "Specified job flow ID does not exist."), aws.NotThere),
    (said("ValidationException", "must be in one of [CREATED, STOPPED]. Current status: TERMINATED"), aws.NotThere),
    (said("ValidationException", "must be in one of [CREATED, STOPPED]. Current status: STARTED"), aws.Refused),
    (said("InvalidRequestException", "Cluster id 'j-1' is not valid."), aws.NotThere),
    (said("InvalidRequestException", "The step is not valid."), aws.Refused),
    (said("DBInstanceNotFound", status=404), aws.NotThere),
    (said("DBClusterNotFoundFault", status=404), aws.NotThere),
    (said("ValidationException", "Cannot create already existing endpoint"), aws.AlreadyThere),
    (said("ValidationException", "Cannot create a duplicate Notebook Instance"), aws.AlreadyThere),
    (said("ResourceInUse", "Domain with name x already exists."), aws.AlreadyThere),
    (said("ValidationException", "Requested resource not found."), aws.NotThere),
    (said("ValidationException", "ModelPackageGroup arn:aws:sagemaker:x does not exist."), aws.NotThere),
    (
        said("ValidationException", "The request was rejected because the training job is in status Stopped."),
        aws.NotThere,
    ),
    (said("ResourceInUse", "a training job with this name already exists (arn:x)"), aws.AlreadyThere),
    (said("ResourceInUse", "it is used by another"), aws.InTheWay),
    (said("EntityAlreadyExists", status=409), aws.AlreadyThere),
    (said("InvalidGroup.Duplicate"), aws.AlreadyThere),
    (said("AlreadyExistsException", "Stack [x] already exists"), aws.AlreadyThere),
    (said("TokenAlreadyExistsException"), aws.AlreadyThere),
    (said("ResourceExistsException", "a secret of that name"), aws.AlreadyThere),
    (said("TrailAlreadyExistsException"), aws.AlreadyThere),
    (said("ValidationException", "Could not assume role arn:aws:iam::1:role/x"), aws.NotYet),
    (
        said(
            "InvalidParameterValue",
            "Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        ),
        aws.NotYet,
    ),
    (said("ConcurrentModification", status=409), aws.NotYet),
    (said("EntityTemporarilyUnmodifiable", status=409), aws.NotYet),
    (said("InvalidDBInstanceState"), aws.NotYet),
    (said("InvalidDBClusterStateFault"), aws.NotYet),
    (said("ResourceInUse", "Unable to delete UserProfile because App(s) are associated with it."), aws.InTheWay),
    (said("TooManyRequestsException", "Too Many Requests", status=429), aws.Throttled),
    (said("RepositoryNotFoundException", status=400), aws.NotThere),
    (said("RepositoryAlreadyExistsException", status=400), aws.AlreadyThere),
    (said("ResourceConflictException", "Function already exist: f", status=409), aws.AlreadyThere),
    (
        said("ResourceConflictException", "An update is in progress for resource: arn:aws:lambda", status=409),
        aws.NotYet,
    ),
    (
        said("ResourceConflictException", "The function is currently in the following state: Pending", status=409),
        aws.NotYet,
    ),
    (
        said(
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
            status=400,
        ),
        aws.NotYet,
    ),
    (said("InvalidArgument", "Unable to validate the following destination configurations"), aws.NotYet),
    (said("ResourceInUseException", "Cannot update the event source mapping"), aws.InTheWay),
    (said("RepositoryNotEmptyException"), aws.InTheWay),
    (
        said("BadRequestException", "Please remove all base path mappings related to the RestApi in your domains"),
        aws.InTheWay,
    ),
    (
        said("BadRequestException", "Cannot delete Usage Plan p because there are API Stages associated with it"),
        aws.InTheWay,
    ),
    (said("BadRequestException", "Invalid stage name"), aws.Refused),
    (said("DependencyViolation"), aws.InTheWay),
    (said("DeleteConflict", status=409), aws.InTheWay),
    (said("BucketNotEmpty", status=409), aws.InTheWay),
    (said("FileSystemNotFound", status=404), aws.NotThere),
    (said("Gateway.NotAttached"), aws.NotThere),
    (said("InvalidAMIID.Unavailable"), aws.NotThere),
    (said("LoadBalancerNotFound"), aws.NotThere),
    (said("MountTargetNotFound", status=404), aws.NotThere),
    (said("NatGatewayNotFound"), aws.NotThere),
    (said("FileSystemAlreadyExists", status=409), aws.AlreadyThere),
    (said("IncorrectFileSystemLifeCycleState", status=409), aws.NotYet),
    (said("IncorrectMountTargetState", status=409), aws.NotYet),
    (said("FileSystemInUse", status=409), aws.InTheWay),
    (said("InvalidIPAddress.InUse"), aws.InTheWay),
    (said("InvalidNetworkInterface.InUse"), aws.InTheWay),
    (said("InvalidSnapshot.InUse"), aws.InTheWay),
    (said("InvalidParameterValue", "Network interface 'eni-1' is currently in use."), aws.InTheWay),
    (said("AuthFailure", "You do not have permission to access the specified resource."), aws.InTheWay),
    (said("AuthFailure", "AWS was not able to validate the provided access credentials", 401), aws.Denied),
    (said("StateMachineDoesNotExist"), aws.NotThere),
    (said("ExecutionDoesNotExist"), aws.NotThere),
    (said("PipelineNotFoundException"), aws.NotThere),
    (said("StateMachineAlreadyExists"), aws.AlreadyThere),
    (said("ExecutionAlreadyExists"), aws.AlreadyThere),
    (said("ResourceAlreadyExistsException", "The specified log group already exists"), aws.AlreadyThere),
    (said("PipelineNameInUseException"), aws.AlreadyThere),
    (said("ConflictException", "Schedule switch already exists.", status=409), aws.AlreadyThere),
    (said("ConflictException", "Another call is changing it", status=409), aws.InTheWay),
    (said("StateMachineDeleting"), aws.NotYet),
    (said("ConcurrentModificationException"), aws.NotYet),
    (said("OperationAbortedException"), aws.NotYet),
    (
        said(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
        aws.NotYet,
    ),
    (said("ValidationError", "Cannot delete a as there are composite alarm(s) depending on it."), aws.InTheWay),
    (said("AccessDenied", status=403), aws.Denied),
    (said("UnauthorizedOperation", status=403), aws.Denied),
    (said("InvalidClientTokenId", status=403), aws.Denied),
    (said("ExpiredToken", status=403), aws.NoAnswer),
    (said("InternalError", status=500), aws.NoAnswer),
    (said("ServiceUnavailable", status=503), aws.NoAnswer),
    (said("InvalidParameterValue", "the size is wrong"), aws.Refused),
    (said("ValidationError", "Parameter values specified for a template which does not require them"), aws.Refused),
    (said("VcpuLimitExceeded"), aws.Refused),
    (bx.ReadTimeoutError(endpoint_url="http://x"), aws.NoAnswer),
    (bx.EndpointConnectionError(endpoint_url="http://x"), aws.NoAnswer),
    (bx.ConnectionClosedError(endpoint_url="http://x"), aws.NoAnswer),
    (bx.NoCredentialsError(), aws.Denied),
    (bx.ParamValidationError(report="too short"), aws.Refused),
]


@pytest.mark.parametrize(("error", "trouble"), CASES, ids=lambda value: getattr(value, "__name__", str(value)[:60]))
def test_sorted(error, trouble):
    assert type(aws.sorted_trouble(error)) is trouble


def test_a_message_that_is_none_is_no_crash():
    answer = {"Error": {"Code": "X", "Message": None}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    assert "no reason given" in str(aws.sorted_trouble(bx.ClientError(answer, "Op")))


def test_what_is_not_botocores_is_our_fault_and_is_logged(caplog):
    assert type(aws.sorted_trouble(KeyError("SomeNewStatus"))) is aws.OurFault
    assert "not an error of AWS" in caplog.text


def test_without_a_simulator_a_practice_account_is_nowhere_and_never_at_aws(settings):
    settings.SIMULATOR_URL = ""
    aws.forget_clients()
    practice = Account(mode=Account.PRACTICE, aws_id="200000000001", regions=["us-east-1"])
    with pytest.raises(aws.NoAnswer, match="no practice mode"):
        aws.client(practice, "s3")
    assert aws.endpoint(Account(mode=Account.OWN)) is None


def test_where_the_simulators_secret_cannot_be_read_there_is_no_answer(settings, tmp_path):
    settings.SIMULATOR_URL, settings.SIMULATOR_SECRET_FILE = "http://127.0.0.1:9", tmp_path / "simulator.secret"
    practice = Account(mode=Account.PRACTICE, aws_id="200000000001", regions=["us-east-1"])
    for lacking in ("cannot be read", "just starting"):
        aws.forget_clients()
        with pytest.raises(aws.NoAnswer, match=lacking):
            aws.client(practice, "s3")
        settings.SIMULATOR_SECRET_FILE.touch()


def test_students_reach_practice_mode_by_the_gateway_and_aws_itself_by_no_address_of_ours(settings):
    settings.SIMULATOR_URL, settings.GATEWAY_URL = "http://127.0.0.1:5566", "https://lights.example/practice"
    assert aws.students_endpoint(Account(mode=Account.PRACTICE)) == "https://lights.example/practice"
    assert aws.students_endpoint(Account(mode=Account.OWN)) == ""


@pytest.fixture
def account(simulator, aye, settings):
    simulator.serves(settings)
    aws.forget_clients()
    yield Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=START,
    )
    aws.forget_clients()


@pytest.mark.django_db
@pytest.mark.simulator
def test_an_answer_of_another_boot_is_refused_at_every_client(account):
    assert aws.client(account, "s3").list_buckets()["Buckets"] == []
    account.boot_id = "another-boot"
    with pytest.raises(aws.ChangedWorld, match="was restarted"):
        aws.client(account, "s3")


@pytest.mark.django_db
@pytest.mark.simulator
def test_a_client_kept_over_a_restart_refuses_the_new_world(account, simulator):
    kept = aws.client(account, "s3")
    simulator.reset()
    with pytest.raises((aws.ChangedWorld, bx.ClientError)) as refused:
        kept.list_buckets()
    assert not isinstance(aws.sorted_trouble(refused.value), aws.NotThere)


@pytest.mark.django_db
@pytest.mark.simulator
def test_credentials_of_another_account_than_asked_for_are_refused(account):
    with pytest.raises(aws.ChangedWorld, match="asked for account"):
        aws.assume(account, "arn:aws:iam::555555555555:role/lab/controller", session_name="lightsout")
