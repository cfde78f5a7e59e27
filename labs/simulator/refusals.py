"""How AWS says no, in the format of each protocol, so that boto3 and the aws command raise what they raise at AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape

from labs.simulator.call import Call, model_of

_UNKNOWN = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method."
)
_SKEWED = (
    "The difference between the request time and the server's time is too large: is the clock of your machine right?"
)
_TOO_OFTEN = "Rate exceeded: practice mode takes so many calls of one student, and no more. Wait a moment."
_TOO_LARGE = "The body is larger than practice mode takes in one call."
_NOT_VALIDATED = "AWS was not able to validate the provided access credentials"

# What happened -> dialect -> (code, HTTP status, message). S3, EC2, the query protocol (IAM, STS) and the JSON
# protocols (SageMaker, CloudWatch, Lambda) each have words of their own for the same thing.
WORDS = {
    "unknown key": {
        "s3": ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
        "ec2": ("AuthFailure", 401, _NOT_VALIDATED),
        "query": ("InvalidClientTokenId", 403, _UNKNOWN),
        "json": ("UnrecognizedClientException", 400, _UNKNOWN),
    },
    "wrong token": {
        "s3": ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
        "ec2": ("AuthFailure", 401, _NOT_VALIDATED),
        "query": ("InvalidClientTokenId", 403, _UNKNOWN),
        "json": ("UnrecognizedClientException", 400, _UNKNOWN),
    },
    "expired": {
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "query": ("ExpiredToken", 403, _EXPIRED),
        "json": ("ExpiredTokenException", 400, _EXPIRED),
    },
    "wrong signature": {
        "s3": ("SignatureDoesNotMatch", 403, _MISMATCH),
        "ec2": ("AuthFailure", 401, _NOT_VALIDATED),
        "query": ("SignatureDoesNotMatch", 403, _MISMATCH),
        "json": ("InvalidSignatureException", 400, _MISMATCH),
    },
    "unsigned": {
        "s3": ("AccessDenied", 403, "Access Denied"),
        "ec2": ("AuthFailure", 401, _NOT_VALIDATED),
        "query": ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        "json": ("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
    },
    "skewed": {
        "s3": ("RequestTimeTooSkewed", 403, _SKEWED),
        "ec2": ("AuthFailure", 401, _SKEWED),
        "query": ("SignatureDoesNotMatch", 403, _SKEWED),
        "json": ("InvalidSignatureException", 400, _SKEWED),
    },
    "too often": {
        "s3": ("SlowDown", 503, _TOO_OFTEN),
        "ec2": ("RequestLimitExceeded", 503, _TOO_OFTEN),
        "query": ("Throttling", 400, _TOO_OFTEN),
        "json": ("ThrottlingException", 400, _TOO_OFTEN),
    },
    "too large": {
        "s3": ("EntityTooLarge", 413, _TOO_LARGE),
        "ec2": ("RequestEntityTooLarge", 413, _TOO_LARGE),
        "query": ("RequestEntityTooLarge", 413, _TOO_LARGE),
        "json": ("RequestEntityTooLargeException", 413, _TOO_LARGE),
    },
    "denied": {
        "s3": ("AccessDenied", 403, "Access Denied"),
        "ec2": ("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
        "query": ("AccessDenied", 403, "You are not authorized to perform this operation."),
        "json": ("AccessDeniedException", 400, "You are not authorized to perform this operation."),
    },
}


@dataclass
class Answer:
    """A whole answer. status is the number alone; headers are lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Refused(Exception):
    """The gate says no. `code`, `status` and `message` are what the caller will read."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def refused(why: str, call: Call, message: str = "") -> Refused:
    """The refusal that AWS gives for `why` (a key of WORDS) in the call's own dialect."""
    code, status, words = WORDS[why][dialect(call)]
    return Refused(code, message or words, status)


def dialect(call: Call) -> str:
    """s3, ec2, query or json: whose words and codes the caller expects."""
    if call.service in ("s3", ""):
        return "s3"
    if call.header("x-amz-target"):
        return "json"
    model = model_of(call.service)
    if model is None:
        is_form = call.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        return "query" if is_form else "json"
    # Of the services that speak REST with XML, all but S3 write their errors as the query protocol does.
    return {"ec2": "ec2", "query": "query", "rest-xml": "query"}.get(str(model.protocol), "json")


def in_its_format(call: Call, code: str, message: str, status: int) -> Answer:
    """An error as the call's own protocol writes it. A HEAD is answered without a body, as HTTP has it."""
    request_id = str(uuid4())
    headers = {"content-type": "text/xml", "x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    match dialect(call):
        case "s3":
            body = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
        case "ec2":
            body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        case "query":
            sender = f"<Error><Type>Sender</Type>{error}</Error>"
            body = f"<ErrorResponse>{sender}<RequestId>{request_id}</RequestId></ErrorResponse>"
        case _:
            headers |= {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
            return Answer(status, headers, json.dumps({"__type": code, "message": message}).encode())
    whole = b"" if call.method == "HEAD" else f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
    return Answer(status, headers, whole)
