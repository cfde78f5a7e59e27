"""Connecting a real account: it lets in whoever shows our external id and nobody else, it is one person's, and it can
be let go of."""

import pytest

from labs import aws, connecting, guardrails, launching, sessions, stack_template
from labs.models import Account, Event, Launch, Resource, Span
from labs.tests.cast import START
from labs.tests.conftest import lab_of
from labs.tests.strict_accounts import PORTAL, Accounts, refusal

pytestmark = pytest.mark.django_db

AWS_ID, OTHER_ID = "111122223333", "555566667777"
TEMPLATE = stack_template.template(PORTAL, guardrails.Rules())


@pytest.fixture
def accounts(monkeypatch):
    made = Accounts()
    made.stand_in(monkeypatch)
    yield made
    aws.forget_clients()


def begin(owner, **facts):
    known = {"mode": Account.OWN, "name": f"{owner}'s", "regions": ["ap-southeast-1"], "lab_regions": ["us-east-1"]}
    return connecting.begin(owner=owner, now=START, **(known | facts))


def deploy(accounts, account, aws_id=AWS_ID, **facts):
    asked = {"ExternalId": account.external_id, "Student": str(account.owner_id or "")}
    accounts.deploy(aws_id, TEMPLATE, **(asked | facts))


@pytest.fixture
def connected(accounts, aye):
    account = begin(aye)
    deploy(accounts, account)
    return connecting.connect(account, AWS_ID, now=START, by=aye)


# --- begun ---------------------------------------------------------------------------------------------------


def test_an_account_that_is_begun_has_an_id_that_nobody_guesses_and_is_not_open(aye, bo):
    mine, theirs = begin(aye), begin(bo)
    assert mine.external_id != theirs.external_id
    assert len(mine.external_id) >= 43
    assert (mine.aws_id, mine.is_open, mine.is_connected) == ("", False, False)
    assert mine.regions == ["us-east-1", "ap-southeast-1"], "where labs start comes first"
    with pytest.raises(launching.CannotLaunch, match="closed for new labs"):
        launching.launch(lab_of(), mine, aye, now=START)


def test_begun_twice_it_is_the_same_one(aye):
    assert begin(aye).pk == begin(aye).pk
    assert connecting.own_account(aye).pk == begin(aye).pk


# --- proved --------------------------------------------------------------------------------------------------


def test_an_account_that_trusts_us_and_refuses_strangers_is_connected(connected, accounts, aye):
    assert (connected.aws_id, connected.is_open, connected.owner) == (AWS_ID, True, aye)
    assert (connected.connected_at, connected.proved_at, connected.trouble) == (START, START, "")
    assert connected.template_version == stack_template.VERSION
    right, without, wrong = accounts.asked
    assert right["ExternalId"] == connected.external_id
    assert "ExternalId" not in without
    assert wrong["ExternalId"] not in ("", connected.external_id)
    assert Event.objects.get(code="connected").actor == aye


def test_what_is_connected_can_be_worked_with(connected):
    told = aws.client(connected, "sts").get_caller_identity()
    assert told["Arn"] == f"arn:aws:sts::{AWS_ID}:assumed-role/controller/lightsout-controller"


TRUST_EVERYBODY = {"Effect": "Allow", "Principal": {"AWS": PORTAL}, "Action": "sts:AssumeRole"}
ANY_ID = {**TRUST_EVERYBODY, "Condition": {"StringLike": {"sts:ExternalId": "*"}}}


@pytest.mark.parametrize("trust", [TRUST_EVERYBODY, ANY_ID], ids=["without an external id", "with any external id"])
def test_an_account_that_lets_in_strangers_is_not_used(accounts, aye, trust):
    account = begin(aye)
    deploy(accounts, account)
    accounts.role(AWS_ID, "controller").trust = {"Statement": [trust]}
    with pytest.raises(connecting.CannotConnect, match="lets in strangers"):
        connecting.connect(account, AWS_ID, now=START, by=aye)
    account.refresh_from_db()
    assert (account.aws_id, account.is_open) == ("", False)
    assert "lets in strangers" in account.trouble


def test_a_stack_that_is_not_there_is_told_with_what_helps(accounts, aye):
    account = begin(aye)
    with pytest.raises(connecting.CannotConnect, match="Is the stack there"):
        connecting.connect(account, AWS_ID, now=START, by=aye)
    deploy(accounts, account)
    assert connecting.connect(account, AWS_ID, now=START, by=aye).is_connected
    account.refresh_from_db()
    assert account.trouble == "", "what is mended is not told any more"


def test_a_stack_with_another_portals_role_does_not_let_us_in(accounts, aye):
    account = begin(aye)
    elsewhere = stack_template.template("arn:aws:iam::999988887777:role/lightsout", guardrails.Rules())
    accounts.deploy(AWS_ID, elsewhere, ExternalId=account.external_id)
    with pytest.raises(connecting.CannotConnect, match="does not let us into"):
        connecting.connect(account, AWS_ID, now=START, by=aye)


def test_an_answer_from_another_account_is_not_believed(accounts, aye):
    account = begin(aye)
    deploy(accounts, account)
    accounts.answers["sts", "get_caller_identity"] = {"Arn": f"arn:aws:sts::{OTHER_ID}:assumed-role/controller/x"}
    with pytest.raises(connecting.CannotConnect, match=OTHER_ID):
        connecting.connect(account, AWS_ID, now=START, by=aye)


def test_that_aws_is_away_proves_nothing(accounts, aye):
    account = begin(aye)
    deploy(accounts, account)
    accounts.is_away = True
    with pytest.raises(aws.NoAnswer):
        connecting.connect(account, AWS_ID, now=START, by=aye)
    account.refresh_from_db()
    assert not account.is_open


def test_a_stranger_who_gets_no_answer_is_not_refused(accounts, aye):
    """Only a clear no is a no."""
    account = begin(aye)
    deploy(accounts, account)
    assume = accounts.assume_role

    def throttled(caller, asked):
        if asked.get("ExternalId") != account.external_id:
            raise refusal("Throttling", "slow down", "AssumeRole", 400)
        return assume(caller, asked)

    accounts.assume_role = throttled
    with pytest.raises(aws.Throttled):
        connecting.connect(account, AWS_ID, now=START, by=aye)


@pytest.mark.parametrize("said", ["", "1234", "arn:aws:iam::111122223333:root", "11112222333a"])
def test_what_is_no_account_id_is_not_asked_about(accounts, aye, said):
    with pytest.raises(connecting.CannotConnect, match="12 digits"):
        connecting.connect(begin(aye), said, now=START, by=aye)
    assert accounts.asked == []


def test_an_account_id_may_be_written_as_the_console_writes_it(accounts, aye):
    account = begin(aye)
    deploy(accounts, account)
    assert connecting.connect(account, "1111-2222-3333", now=START, by=aye).aws_id == AWS_ID


# --- one person's --------------------------------------------------------------------------------------------


def test_an_account_is_bound_to_one_person(connected, accounts, bo):
    theirs = begin(bo)
    with pytest.raises(connecting.CannotConnect, match="connected to this portal already"):
        connecting.connect(theirs, AWS_ID, now=START, by=bo)
    assert not Account.objects.get(pk=theirs.pk).is_open


def test_also_when_its_owner_has_let_go_of_it(connected, accounts, aye, bo):
    connecting.disconnect(connected, now=START, by=aye)
    theirs = begin(bo)
    deploy(accounts, theirs)
    with pytest.raises(connecting.CannotConnect, match="connected to this portal already"):
        connecting.connect(theirs, AWS_ID, now=START, by=bo)


def test_an_account_that_trusts_aye_is_not_bos_to_connect(accounts, aye, bo):
    """bo knows the number of aye's account; AWS does not let us in with bo's external id."""
    deploy(accounts, begin(aye))
    with pytest.raises(connecting.CannotConnect, match="does not let us into"):
        connecting.connect(begin(bo), AWS_ID, now=START, by=bo)


def test_an_own_account_is_not_also_the_shared_one(connected, accounts, aye):
    shared = begin(None, mode=Account.SHARED, name="Bootcamp")
    deploy(accounts, shared)
    with pytest.raises(connecting.CannotConnect, match="another kind of account"):
        connecting.connect(shared, AWS_ID, now=START, by=aye)


# --- let go of -----------------------------------------------------------------------------------------------


def test_while_a_lab_is_on_it_stays_connected(connected, aye):
    launch = launching.launch(lab_of(), connected, aye, now=START)
    with pytest.raises(connecting.CannotDisconnect, match="1 lab is on"):
        connecting.disconnect(connected, now=START, by=aye)
    connected.refresh_from_db()
    assert connected.is_open
    Launch.objects.filter(pk=launch.pk).update(ended_at=START)
    connecting.disconnect(connected, now=START, by=aye)
    connected.refresh_from_db()
    assert not connected.is_open


def test_what_was_seen_in_it_is_not_looked_at_any_more_and_not_said_to_be_gone(connected, aye):
    row = Resource.objects.create(
        account=connected,
        region="us-east-1",
        kind="ebs-volume",
        aws_id="vol-1",
        seen="running",
        seen_at=START,
        wanted_at=START,
        created_at=START,
        switch_at=START,
    )
    Span.objects.create(resource=row, state="running", began=START)
    assert connecting.disconnect(connected, now=START, by=aye) == ""
    row.refresh_from_db()
    assert (row.seen, row.closed_at, row.next_look_at, row.switch_at) == ("running", START, None, None)
    assert "disconnected" in row.closed_why
    assert Span.objects.get().ended == START


def test_its_dead_mans_switches_are_taken_away(connected, accounts, aye):
    taken = []
    accounts.answers["scheduler", "delete_schedule_group"] = lambda asked: taken.append(asked["Name"]) or {}
    connecting.disconnect(connected, now=START, by=aye)
    assert taken == ["lightsout-switch", "lightsout-switch"], "one in each region"


def test_switches_that_cannot_be_taken_away_are_told(connected, accounts, aye):
    accounts.delete_stack(AWS_ID)
    aws.forget_clients()
    left = connecting.disconnect(connected, now=START, by=aye)
    assert "lightsout-switch may still be there in us-east-1" in left
    assert left in Event.objects.get(code="disconnected").words


def test_its_owner_comes_back_with_it_and_finds_what_they_had(connected, accounts, aye):
    launch = launching.launch(lab_of(), connected, aye, now=START)
    Launch.objects.filter(pk=launch.pk).update(ended_at=START)
    connecting.disconnect(connected, now=START, by=aye)
    accounts.delete_stack(AWS_ID)
    again = begin(aye)
    assert again.pk != connected.pk and again.external_id != connected.external_id
    deploy(accounts, again)
    back = connecting.connect(again, AWS_ID, now=START, by=aye)
    assert back.pk == connected.pk and back.is_connected
    assert back.external_id == again.external_id
    assert list(Account.objects.filter(owner=aye)) == [back]
    assert connecting.own_account(aye) == back


def test_its_owner_connects_another_one(connected, accounts, aye):
    connecting.disconnect(connected, now=START, by=aye)
    other = begin(aye)
    deploy(accounts, other, OTHER_ID)
    now_connected = connecting.connect(other, OTHER_ID, now=START, by=aye)
    assert now_connected.pk != connected.pk
    assert connecting.own_account(aye) == now_connected
    assert Account.objects.filter(owner=aye, is_open=True).count() == 1


# --- the portal's own identity -------------------------------------------------------------------------------


def test_a_portal_with_a_long_lived_key_connects_nothing(accounts, aye):
    accounts.own_key = "AKIALONGLIVED0000001"
    account = begin(aye)
    deploy(accounts, account)
    with pytest.raises(connecting.CannotConnect, match="long-lived access key"):
        connecting.connect(account, AWS_ID, now=START, by=aye)
    assert accounts.asked == []


def test_unless_the_operator_says_so(accounts, aye, settings):
    settings.ALLOW_LONG_LIVED_KEY = True
    accounts.own_key = "AKIALONGLIVED0000001"
    account = begin(aye)
    deploy(accounts, account)
    assert connecting.connect(account, AWS_ID, now=START, by=aye).is_connected


def test_who_the_portal_is(accounts):
    assert aws.own_identity() == aws.OwnIdentity("iam-role", False, accounts.client("sts").get_caller_identity()["Arn"])
    accounts.is_away = True
    assert "nobody is at home" in aws.own_identity().trouble


# --- sessions ------------------------------------------------------------------------------------------------


def test_a_students_session_is_made_by_the_controller_with_the_tags_that_its_trust_asks_for(connected, accounts, aye):
    launch = launching.launch(lab_of(), connected, aye, now=START)
    made = sessions.credentials(launch, aye, START)
    session = accounts.sessions[made.access_key_id]
    assert session.role == guardrails.student_role(AWS_ID, aye.pk)
    assert session.tags == {"student": str(aye.pk), "lab": launch.id.hex[:12]}
    assert session.facts["SourceIdentity"] == f"student-{aye.pk}"
    assert "ExternalId" not in session.facts
    assert session.policy is None, "an own account is its owner's"


def test_the_portals_own_identity_does_not_become_a_student_directly(connected, accounts, aye):
    role = guardrails.student_role(AWS_ID, aye.pk)
    asked = {"RoleArn": role, "RoleSessionName": f"student-{aye.pk}", "DurationSeconds": 900}
    whole = {**asked, "Tags": [{"Key": "student", "Value": str(aye.pk)}, {"Key": "lab", "Value": "a" * 12}]}
    whole |= {"SourceIdentity": f"student-{aye.pk}"}
    with pytest.raises(Exception, match="not authorized"):
        accounts.client("sts").assume_role(**whole)
