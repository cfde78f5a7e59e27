"""PURE. What AWS's errors mean to us: a class for each, found by a table of codes and words, the first line that fits.

Codes are those of AWS's API references and of what was seen; a `*` stands for anything. Where AWS has one code for two
things, or a code that says nothing, the words of the message tell them apart.
"""

from __future__ import annotations

import logging
import re
from fnmatch import fnmatchcase
from typing import NamedTuple

import botocore.exceptions as bx
from botocore.parsers import ResponseParserError

log = logging.getLogger(__name__)
NO_IDENTITY = "the portal has no AWS identity of its own: give it a role, Roles Anywhere or SSO (docs/accounts.md)"


class Trouble(Exception):
    """An AWS call that did not do what was asked. `str()` is for a person."""


class Throttled(Trouble):
    """AWS asks to slow down: no attempt is counted."""


class NotThere(Trouble):
    """It does not exist: success for a delete."""


class AlreadyThere(Trouble):
    """A create found its own name or token taken: look before anything else."""


class NotYet(Trouble):
    """What it needs is not visible everywhere yet: try again soon."""


class InTheWay(Trouble):
    """A child must go first."""


class Denied(Trouble):
    """The role may not do this: a person has to change that."""


class NoAnswer(Trouble):
    """A time-out, a cut connection or a 5xx: it may or may not have happened."""


class Refused(Trouble):
    """AWS understood and said no: nothing happened."""


class ChangedWorld(Trouble):
    """The answer came from another simulator boot or another account: nothing may be believed, closed or created."""


class OurFault(Trouble):
    """The portal tripped over an answer it does not know: counted and shown like a refusal, logged with its trace."""


class Line(NamedTuple):
    """codes: separated by spaces. words: a regular expression of the message, in lower case; "" for any."""

    trouble: type[Trouble]
    codes: str
    words: str = ""


TABLE = (
    Line(Throttled, "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException"),
    Line(Throttled, "TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded SlowDown"),
    Line(Throttled, "ProvisionedThroughputExceededException PriorRequestNotComplete EC2ThrottledException"),
    # Fresh credentials come with the next client.
    Line(NoAnswer, "ExpiredToken* RequestExpired"),
    # Lambda has one code for a name that is taken and for what is still on its way.
    Line(NotYet, "ResourceConflictException", "in progress|currently in the following state"),
    Line(AlreadyThere, "BucketAlreadyOwnedByYou EntityAlreadyExists FileSystemAlreadyExists InvalidGroup.Duplicate"),
    Line(AlreadyThere, "InvalidKeyPair.Duplicate ResourceConflictException ResourceAlreadyExistsException"),
    Line(AlreadyThere, "StateMachineAlreadyExists ExecutionAlreadyExists PipelineNameInUseException"),
    Line(AlreadyThere, "RepositoryAlreadyExistsException IdempotentParameterMismatch AlreadyExistsException"),
    Line(AlreadyThere, "ResourceExistsException TokenAlreadyExistsException TrailAlreadyExistsException"),
    # SageMaker: "Cannot create already existing endpoint", "Cannot create a duplicate Notebook Instance"; and for jobs,
    # domains, profiles and spaces ResourceInUse, "a training job with this name already exists".
    Line(AlreadyThere, "ValidationException ResourceInUse", "already exist|duplicate"),
    # EventBridge Scheduler has one code for a name that is taken and for what is being changed by another call.
    Line(AlreadyThere, "ConflictException", "already exists"),
    Line(NotThere, "*.NotFound* *NotFoundException NotFound 404 NoSuchBucket NoSuchEntity NoSuchKey ResourceNotFound"),
    Line(NotThere, "DBInstanceNotFound DBClusterNotFoundFault StateMachineDoesNotExist ExecutionDoesNotExist"),
    Line(NotThere, "FileSystemNotFound MountTargetNotFound LoadBalancerNotFound NatGatewayNotFound"),
    Line(NotThere, "Gateway.NotAttached InvalidAMIID.Unavailable"),
    # SageMaker, also of a job that is over and cannot be stopped any more; and EMR Serverless.
    Line(NotThere, "ValidationException", "could not find|recordnotfound|does not exist|requested resource not found"),
    Line(NotThere, "ValidationException", "job is in status|current status: terminated"),
    # CloudFormation: "Stack with id x does not exist".
    Line(NotThere, "ValidationError", "^stack.*does not exist"),
    # EMR: "Cluster id 'j-1' is not valid."
    Line(NotThere, "InvalidRequestException", "cluster id.*is not valid"),
    # IAM: somebody else changes it at this moment, or it was made a moment ago.
    Line(NotYet, "ConcurrentModification EntityTemporarilyUnmodifiable"),
    Line(NotYet, "IncorrectFileSystemLifeCycleState IncorrectInstanceState IncorrectMountTargetState IncorrectState"),
    Line(NotYet, "OperationAborted OperationAbortedException ConcurrentModificationException StateMachineDeleting"),
    Line(NotYet, "InvalidDBInstanceState InvalidDBClusterStateFault"),
    # A role just made is not yet assumable everywhere; EventBridge Scheduler has words of its own for it.
    Line(NotYet, "*", "cannot be assumed|could not assume role|scheduler to assume the role"),
    # A profile just made is not yet seen by EC2.
    Line(NotYet, "InvalidParameterValue", "instance profile"),
    # S3 asks Lambda, which may not know yet of a permission that was just given.
    Line(NotYet, "InvalidArgument", "unable to validate the following destination"),
    # Two refusals of EC2's without a code of their own: of an interface that something holds, and of an address that a
    # NAT gateway or a load balancer holds, or held until a moment ago.
    Line(InTheWay, "InvalidParameterValue", "currently in use"),
    Line(InTheWay, "AuthFailure", "permission to access the specified resource"),
    # API Gateway: an API that a domain name leads to, a usage plan that has stages.
    Line(InTheWay, "BadRequestException", "please remove all|api stages associated"),
    # CloudWatch: "Cannot delete a as there are composite alarm(s) depending on it."
    Line(InTheWay, "ValidationError", "depending on"),
    Line(InTheWay, "DependencyViolation DeleteConflict ResourceInUse ResourceInUseException ConflictException"),
    Line(InTheWay, "RepositoryNotEmptyException BucketNotEmpty FileSystemInUse VolumeInUse InvalidIPAddress.InUse"),
    Line(InTheWay, "InvalidNetworkInterface.InUse InvalidSnapshot.InUse"),
    Line(Denied, "AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedException AuthFailure"),
    Line(Denied, "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId SignatureDoesNotMatch"),
    Line(Denied, "OptInRequired NotImplementedInPractice"),
    Line(NoAnswer, "InternalError InternalFailure ServiceUnavailable 500 503"),
)
# Some errors have a status and no code that anybody knows.
STATUSES = ((429, Throttled), (401, Denied), (403, Denied))


def sorted_trouble(error: Exception) -> Trouble:
    """The one class of Trouble that an error is. What is not botocore's is a mistake of ours: logged, never lost, and
    never the end of a whole census for the sake of one answer."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, bx.ClientError):
        return _of_aws(error)
    if isinstance(error, (bx.HTTPClientError, bx.ConnectionError, ResponseParserError, ConnectionError, TimeoutError)):
        return NoAnswer(f"AWS did not answer ({type(error).__name__})")
    if isinstance(error, (bx.NoCredentialsError, bx.PartialCredentialsError, bx.TokenRetrievalError)):
        return Denied(NO_IDENTITY)
    if isinstance(error, (bx.ParamValidationError, bx.BotoCoreError)):
        return Refused(str(error)[:500])
    log.error("not an error of AWS", exc_info=error)
    return OurFault(f"the portal does not understand what AWS said ({type(error).__name__}: {error})"[:500])


def is_not_there(error: bx.ClientError) -> bool:
    """AWS says that what was asked for does not exist: absent, for a kind that looks at it."""
    return isinstance(sorted_trouble(error), NotThere)


def _of_aws(error: bx.ClientError) -> Trouble:
    code = str(error.response.get("Error", {}).get("Code") or "")
    said = str(error.response.get("Error", {}).get("Message") or "") or "no reason given"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    words = f"{error.operation_name}: {said} ({code})"[:600]
    for line in TABLE:
        named = any(fnmatchcase(code, one) for one in line.codes.split())
        if named and re.search(line.words, said.lower(), re.DOTALL):
            return line.trouble(words)
    by_status = dict(STATUSES).get(status) or (NoAnswer if status >= 500 else Refused)
    return by_status(words)
