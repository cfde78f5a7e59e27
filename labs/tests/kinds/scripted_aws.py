"""AWS by a script, for what the simulator does not have: exactly these calls, in this order, and no other.

botocore's Stubber checks what is asked and what is answered against AWS's own description of the service, so that a
script cannot say what AWS could not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.stub import Stubber

from labs.tests.kinds.examples import REGION

_session = boto3.session.Session()
Call = tuple[str, dict[str, Any], dict[str, Any] | str]


@contextmanager
def scripted(service: str, *calls: Call) -> Iterator[Any]:
    """A client of `service` that answers the calls: (operation, asked, answer). An answer that is a string is an error:
    "Code" or "Code: message". A call that is not in the script, or one that is left over, fails the test."""
    client = _session.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        for operation, asked, answer in calls:
            if isinstance(answer, str):
                code, _, message = answer.partition(": ")
                stubber.add_client_error(operation, code, message, http_status_code=400, expected_params=asked)
            else:
                stubber.add_response(operation, answer, asked)
        yield client
        stubber.assert_no_pending_responses()
