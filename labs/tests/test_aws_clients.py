"""Clients are made once and shared: by the sixteen threads of a census as by one worker's next look."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from labs import aws, census
from labs.models import Account

THREADS = 8


@pytest.fixture
def asked(monkeypatch):
    """An STS that takes its time. Answers the names of the roles that were asked for."""
    roles = []

    def assume(account, role_arn, **_):
        roles.append(role_arn)
        time.sleep(0.05)
        return {
            "AccessKeyId": f"ASIA{len(roles)}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + timedelta(hours=1),
        }

    monkeypatch.setattr(aws, "assume", assume)
    aws.forget_clients()
    yield roles
    aws.forget_clients()


def account(number):
    return Account(pk=number, mode=Account.PRACTICE, aws_id=f"20000000000{number}", regions=["us-east-1"])


def together(act):
    """`act(number)` in THREADS threads that begin at the same moment."""
    start = threading.Barrier(THREADS)

    def one(number):
        start.wait(5)
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_threads_that_begin_together_ask_for_keys_once_and_share_a_client(asked):
    clients = together(lambda number: aws.client(account(1), "iam"))
    assert len(asked) == 1
    assert len(set(map(id, clients))) == 1


def test_two_accounts_have_keys_and_clients_of_their_own(asked):
    clients = together(lambda number: aws.client(account(number % 2), "iam"))
    assert sorted(asked) == [f"arn:aws:iam::20000000000{number}:role/lab/controller" for number in (0, 1)]
    assert len(set(map(id, clients))) == 2


def test_a_census_keeps_a_connection_for_each_of_its_threads():
    assert aws.PATIENT.max_pool_connections >= census.THREADS
    assert aws.PATIENT.retries["total_max_attempts"] > aws.CONFIG.retries["total_max_attempts"]


def test_clients_of_two_accounts_share_what_botocore_writes_for_a_service(asked):
    one, other = (aws.client(account(number), "ec2") for number in (0, 1))
    assert type(one) is type(other)
    assert one.meta.region_name == other.meta.region_name
    assert one._request_signer._credentials.access_key != other._request_signer._credentials.access_key
    elsewhere = boto3.session.Session().client("ec2", region_name="us-east-1")
    assert type(elsewhere) is not type(one), "other sessions may add methods of their own"


def test_the_clients_that_are_kept_are_those_that_were_used_last(asked, monkeypatch):
    monkeypatch.setattr(aws, "_MOST_CLIENTS", 2)
    first, second = aws.client(account(0), "iam"), aws.client(account(1), "iam")
    assert aws.client(account(0), "iam") is first
    aws.client(account(2), "iam")
    assert aws.client(account(0), "iam") is first
    assert aws.client(account(1), "iam") is not second
