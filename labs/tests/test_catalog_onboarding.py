"""The onboarding checklist: what its checks say of tools, credentials, regions, MFA and budgets as they come."""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber

from labs.catalog import get
from labs.tests.by_hand import LabByHand
from labs.tests.kinds.examples import AccountOfAye

NEW = {"python": "3.12.4", "boto3": "1.40.1", "aws": "aws-cli/2.15.30"}


@pytest.fixture
def lab(simulator):
    made = LabByHand(get("onboarding-checklist"), AccountOfAye(simulator, "600000000006"))
    yield made
    made.end()


def put(lab, key, said):
    body = said if isinstance(said, str) else json.dumps(said)
    lab.view.client("s3").put_object(Bucket=lab.resources["bucket"]["name"], Key=key, Body=body)


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("tools", "passed", "words"),
    [
        (NEW, True, "work with AWS."),
        (NEW | {"python": "3.9.1"}, False, "needs 3.10 or newer"),
        (NEW | {"boto3": "1.26.165"}, False, "It needs 1.28"),
        (NEW | {"aws": "aws-cli/2.9.1"}, False, "It needs 2.13"),
        (NEW | {"aws": "aws-cli/1.22.0"}, False, "It needs 2.13"),
        (NEW | {"aws": "aws-cli/1.40.0"}, True, "Version 2 of the aws command is better"),
        (NEW | {"aws": ""}, False, "does not tell three versions"),
        ("[]", False, "does not tell three versions"),
        ("not json", False, "does not tell three versions"),
    ],
)
def test_tools_are_told_by_their_versions(lab, tools, passed, words):
    put(lab, "tools.json", tools)
    found = lab.check("tools")
    assert found.passed is passed
    assert words in found.said


@pytest.mark.simulator
def test_who_has_a_key_that_never_ends_is_told_so(lab):
    def check(arn, account=lab.account.id):
        put(lab, "me.json", {"Account": account, "Arn": arn})
        return lab.check("who")

    assert "this lab's is 600000000006" in check("arn:aws:sts::1:assumed-role/x/y", "111122223333").said
    assert "You are root" in check("arn:aws:iam::600000000006:root").said
    assert "never ends" in check("arn:aws:iam::600000000006:user/me").said
    assert "never ends" in check("").said
    assert check("arn:aws:sts::600000000006:assumed-role/student-7/aye").passed


@pytest.mark.simulator
def test_a_log_group_in_another_region_is_found_there(lab):
    name = f"{lab.view.prefix}here"
    there = lab.view.client("logs", "ap-southeast-1")
    there.create_log_group(logGroupName=name)
    assert "lies in ap-southeast-1; this lab is in us-east-1" in lab.check("region").said
    there.delete_log_group(logGroupName=name)
    assert "no log group" in lab.check("region").said


@pytest.mark.simulator
def test_in_the_shared_account_mfa_and_budget_are_not_the_students_business_and_the_check_says_so(lab):
    shared = replace(lab.view, mode="shared")
    for slug in ("mfa", "budget"):
        found = lab.step(slug).check(shared)
        assert found.passed
        assert "the instructor's work, and nobody looked" in found.said


# --- a student's own account, as AWS answers ------------------------------------------------------------------


def stubbed(service):
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return client, Stubber(client)


def check_of_own(lab, slug, client, stub):
    own = replace(lab.view, mode="own", client=lambda *_: client)
    with stub:
        found = lab.step(slug).check(own)
        stub.assert_no_pending_responses()
    return found


def root(mfa, keys):
    return {"SummaryMap": {"AccountMFAEnabled": mfa, "AccountAccessKeysPresent": keys}}


def user(name):
    return {
        "Path": "/",
        "UserName": name,
        "UserId": "AIDAEXAMPLE00000",
        "Arn": f"arn:aws:iam::600000000006:user/{name}",
        "CreateDate": "2025-09-06",
    }


@pytest.mark.simulator
def test_in_an_own_account_root_and_all_who_have_a_password_need_mfa(lab):
    for summary, words in ((root(0, 0), "Root has no MFA"), (root(1, 1), "Root has an access key")):
        client, stub = stubbed("iam")
        stub.add_response("get_account_summary", summary)
        assert words in check_of_own(lab, "mfa", client, stub).said

    for devices in ([], [{"UserName": "me", "SerialNumber": "arn:aws:iam::6:mfa/me", "EnableDate": "2025-09-06"}]):
        client, stub = stubbed("iam")
        stub.add_response("get_account_summary", root(1, 0))
        stub.add_response("list_users", {"Users": [user("robot"), user("me")]}, {"MaxItems": 100})
        stub.add_client_error("get_login_profile", "NoSuchEntity", expected_params={"UserName": "robot"})
        profile = {"LoginProfile": {"UserName": "me", "CreateDate": "2025-09-06"}}
        stub.add_response("get_login_profile", profile, {"UserName": "me"})
        stub.add_response("list_mfa_devices", {"MFADevices": devices}, {"UserName": "me"})
        found = check_of_own(lab, "mfa", client, stub)
        assert found.passed is bool(devices)
        assert ("The user me signs in" in found.said) is not found.passed


def budget(**other):
    limit = {"Amount": "10.0", "Unit": "USD"}
    return {"BudgetName": "month", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit} | other


def at(share, kind="ACTUAL"):
    return {"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": share}


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("budgets", "notifications", "words"),
    [
        ([], None, "There is no budget"),
        ([budget(BudgetType="USAGE")], None, "is not a monthly one for costs"),
        ([budget(TimeUnit="ANNUALLY")], None, "is not a monthly one for costs"),
        ([budget(BudgetLimit={"Amount": "500", "Unit": "USD"})], None, "For learning, take 50 or less"),
        ([budget()], [], "tells nobody"),
        ([budget()], [at(100.0, "FORECASTED")], "tells nobody"),
        ([budget()], [at(80.0), at(50.0)], "10.0 USD a month, with a mail at 50 %, 80 %."),
    ],
)
def test_in_an_own_account_the_budget_must_be_small_and_write_a_mail(lab, budgets, notifications, words):
    client, stub = stubbed("budgets")
    stub.add_response("describe_budgets", {"Budgets": budgets}, {"AccountId": "600000000006"})
    if notifications is not None:
        stub.add_response("describe_notifications_for_budget", {"Notifications": notifications})
    found = check_of_own(lab, "budget", client, stub)
    assert words in found.said
    assert found.passed is ("with a mail" in words)
