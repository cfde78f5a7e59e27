"""CloudTrail's events, in AWS's shape and made up, and who made the thing; and that nobody is guessed."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.contrib.auth import get_user_model

from labs import aws, creators, ledger
from labs.creators import Creator, creator_in
from labs.kinds.base import Seen
from labs.models import Account, Event, Launch

NOW = datetime(2025, 9, 18, 8, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def event(name="RunInstances", at="2025-09-18T07:00:00Z", identity=None, **more):
    said = {
        "eventVersion": "1.11",
        "userIdentity": identity or of_role("lab-student-7", "student-7"),
        "eventTime": at,
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": "444455556666",
    }
    return {
        "EventId": str(uuid.uuid4()),
        "EventName": name,
        "ReadOnly": "false",
        "CloudTrailEvent": json.dumps(said | more),
    }


def of_role(role, source="", session="a-session"):
    context = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLE",
            "arn": f"arn:aws:iam::444455556666:role/lightsout/{role}",
            "accountId": "444455556666",
            "userName": role,
        },
        "attributes": {"creationDate": "2025-09-18T06:50:00Z", "mfaAuthenticated": "false"},
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::444455556666:assumed-role/{role}/{session}",
        "accountId": "444455556666",
        "sessionContext": context | ({"sourceIdentity": source} if source else {}),
    }


AT = datetime(2025, 9, 18, 7, 0, tzinfo=UTC)
TABLE = [
    ("a student's own role", of_role("lab-student-7"), Creator("the role lab-student-7", AT, 7)),
    (
        "a student who went on into another role",
        of_role("lab-abcdef012345-box", "student-7"),
        Creator("the role lab-abcdef012345-box", AT, 7, "abcdef012345"),
    ),
    (
        "what runs in a lab, by the lab's role",
        of_role("lab-abcdef012345-notebook"),
        Creator("the role lab-abcdef012345-notebook", AT, None, "abcdef012345"),
    ),
    ("a session that only calls itself so", of_role("admins", session="student-7"), Creator("the role admins", AT)),
    ("a source identity of somebody else", of_role("admins", "hazel"), Creator("the role admins", AT)),
    ("root", {"type": "Root", "accountId": "444455556666"}, Creator("the account’s root user", AT)),
    ("an IAM user", {"type": "IAMUser", "userName": "zaw"}, Creator("the IAM user zaw", AT)),
    (
        "a service",
        {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"},
        Creator("the service autoscaling.amazonaws.com", AT),
    ),
    ("nobody at all", {"type": "Unknown"}, Creator("somebody whom CloudTrail does not name", AT)),
]


@pytest.mark.parametrize(("identity", "creator"), [pytest.param(*case, id=words) for words, *case in TABLE])
def test_who_made_it(identity, creator):
    assert creator_in([event(identity=identity)]) == creator


def test_the_first_that_made_something_counts_and_not_who_looked_tagged_stopped_or_was_refused():
    other = of_role("lab-student-8", "student-8")
    events = [
        event("StopInstances", "2025-09-18T07:30:00Z", other),
        event("RunInstances", "2025-09-18T07:10:00Z", other),
        event("RunInstances", "2025-09-18T07:00:00Z"),
        event("CreateTags", "2025-09-18T06:59:59Z", other, errorCode="AccessDenied"),
        event("RunInstances", "2025-09-18T06:30:00Z", other, errorCode="Client.UnauthorizedOperation"),
        event("DescribeInstances", "2025-09-18T06:00:00Z", other, readOnly=True),
    ]
    assert creator_in(events).student == 7


@pytest.mark.parametrize(
    "events", [[], [{}], [{"CloudTrailEvent": "{"}], [{"CloudTrailEvent": "[]"}], [event("StopInstances")]]
)
def test_what_tells_of_no_making_tells_nothing(events):
    assert creator_in(events) is None


# --- asking ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(db):
    facts = {"name": "Bootcamp", "mode": "shared", "aws_id": "444455556666", "created_at": NOW}
    return Account.objects.create(regions=["us-east-1"], lab_regions=["us-east-1"], **facts)


@pytest.fixture
def aye(db):
    return get_user_model().objects.create_user(email="aye@school.example", name="Aye")


@pytest.fixture
def launch(shared, aye):
    times = {"created_at": NOW - 5 * HOUR, "expires_at": NOW - HOUR, "ended_at": NOW - HOUR}
    return Launch.objects.create(lab="a-lab", account=shared, owner=aye, region="us-east-1", **times)


def stranger(account, at=NOW - HOUR, name="box", tags=None):
    seen = Seen("running", f"i-{name}", name, at, {"type": "t3.micro"}, tags or {})
    return ledger.enter_strangers([(account, "ec2-instance", seen, "us-east-1")], at)[0]


@pytest.fixture
def trail(monkeypatch):
    """CloudTrail as botocore knows it; `add_response` says what is asked and what comes."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("cloudtrail", region_name="us-east-1", **keys)
    monkeypatch.setattr(aws, "client", lambda *_, **__: client)
    with Stubber(client) as stub:
        yield stub


def asked_for(name):
    return {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": name}], "MaxResults": 50}


def ask(now=NOW):
    pauses = []
    return creators.look_up(now, pause=pauses.append), pauses


def test_the_student_who_made_it_owns_it_from_then_on(shared, aye, launch, trail):
    row = stranger(shared)
    made = event(identity=of_role("lab-student-1", f"student-{aye.pk}"))
    trail.add_response("lookup_events", {"Events": [made]}, asked_for("i-box"))
    assert ask() == (1, [creators.APART])
    row.refresh_from_db()
    assert (row.owner, row.owner_proof, row.made_by) == (aye, "creator", "the role lab-student-1")
    assert Event.objects.get(code="creator").words == (
        "EC2 instance box was made by the role lab-student-1, as CloudTrail says"
    )
    assert ask(NOW + 2 * HOUR)[0] == 0, "it is known"


def test_what_a_labs_role_made_is_of_whoever_had_the_lab(shared, aye, launch, trail):
    row = stranger(shared)
    role = of_role(f"lab-{launch.id.hex[:12]}-notebook")
    trail.add_response("lookup_events", {"Events": [event(identity=role)]}, asked_for("i-box"))
    ask()
    row.refresh_from_db()
    assert (row.owner, row.owner_proof) == (aye, "creator")


def test_who_never_had_a_lab_here_does_not_become_its_owner(shared, aye, trail):
    row = stranger(shared)
    made = event(identity=of_role("lab-student-1", f"student-{aye.pk}"))
    trail.add_response("lookup_events", {"Events": [made]}, asked_for("i-box"))
    ask()
    row.refresh_from_db()
    assert (row.owner, row.made_by) == (None, "the role lab-student-1")


def test_its_name_is_asked_for_where_its_id_is_not_known_and_it_is_asked_again_hourly_for_six_hours(shared, trail):
    row = stranger(shared)
    for _ in range(5):
        trail.add_response("lookup_events", {"Events": []}, asked_for("i-box"))
        trail.add_response("lookup_events", {"Events": []}, asked_for("box"))
    times = [NOW + minutes * MINUTE for minutes in range(0, 24 * 60, 5)]
    assert sum(ask(at)[0] for at in times) == 5
    row.refresh_from_db()
    assert (row.owner, row.made_by) == (None, "")
    trail.assert_no_pending_responses()


def test_it_is_not_asked_for_before_cloudtrail_can_know(shared, trail):
    stranger(shared, NOW - 5 * MINUTE)
    assert ask()[0] == 0


def test_of_practice_and_of_ones_own_accounts_nothing_is_asked(shared, aye, trail):
    own = Account.objects.create(
        name="own", mode="own", aws_id="1" * 12, owner=aye, regions=["us-east-1"], created_at=NOW
    )
    practice = Account.objects.create(name="p", mode="practice", aws_id="2" * 12, regions=["us-east-1"], created_at=NOW)
    stranger(own)
    stranger(practice)
    assert ask()[0] == 0


def test_who_is_throttled_or_refused_asks_no_more_there_in_this_turn(shared, trail):
    stranger(shared, name="one")
    stranger(shared, name="two")
    trail.add_client_error("lookup_events", "ThrottlingException", http_status_code=400)
    with pytest.MonkeyPatch.context() as patch:
        # No waiting between the client's own tries.
        patch.setattr("time.sleep", lambda _: None)
        try:
            assert ask()[0] == 1
        except ClientError:
            pytest.fail("it goes on")


def test_the_tag_or_the_name_of_a_lab_that_is_over_tells_whose_it_is(shared, aye, launch):
    tagged = stranger(shared, name="a", tags={"student": str(aye.pk)})
    named = stranger(shared, name=f"lab-{launch.id.hex[:12]}-b")
    someone = stranger(shared, name="c", tags={"student": "999999"})
    other = stranger(shared, name=f"lab-{'0' * 12}-d")
    assert [(row.owner_id, row.owner_proof) for row in (tagged, named, someone, other)] == [
        (aye.pk, "tag"),
        (aye.pk, "name"),
        (None, ""),
        (None, ""),
    ]
