"""Clients that answer what a test says: botocore's own model checks what is asked, and what is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.stub import Stubber


@contextmanager
def stubbed(service: str) -> Iterator[Any]:
    """A client of `service` that calls nobody. `client.answers` is its Stubber; every answer must be used."""
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    client: Any = boto3.client(service, region_name="us-east-1", **keys)
    with Stubber(client) as client.answers:
        yield client
        client.answers.assert_no_pending_responses()
