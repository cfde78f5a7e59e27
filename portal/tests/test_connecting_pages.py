"""The pages on which an AWS account is connected: a student's own, and the bootcamp's by an admin."""

import pytest
import yaml
from django.urls import reverse

from labs import admitting, aws, connecting, guardrails, launching
from labs.models import Account, Launch
from labs.tests.strict_accounts import PORTAL, Accounts
from portal import rules_of_use
from portal.models import RulesAccepted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]

AWS_ID = "111122223333"
MINE = "portal:my_account"


@pytest.fixture
def accounts(monkeypatch, settings):
    settings.PORTAL_ROLE_ARN = PORTAL
    made = Accounts()
    made.stand_in(monkeypatch)
    yield made
    aws.forget_clients()


def page(client, name=MINE, *args):
    return client.get(reverse(name, args=args)).content.decode()


def begun(client, person):
    assert client.post(reverse(MINE)).status_code == 302
    return Account.objects.get(owner=person, mode=Account.OWN)


def deploy(accounts, client, account, student=""):
    """As a person does it: with the file of the page."""
    text = client.get(reverse("portal:account_template", args=[account.pk])).content.decode()
    accounts.deploy(AWS_ID, yaml.safe_load(text), ExternalId=account.external_id, Student=student)


def check(client, account, aws_id=AWS_ID):
    return client.post(reverse("portal:check_account", args=[account.pk]), {"aws_id": aws_id}, follow=True)


def test_a_student_connects_their_account(accounts, signed_in, aye, cohort):
    client = signed_in(aye)
    assert "AWS bills <b" in page(client)
    account = begun(client, aye)
    shown = page(client)
    assert account.external_id in shown and "The whole template" in shown and "aws cloudformation deploy" in shown
    assert "Create the stack" not in shown, "without a bucket there is no link"
    deploy(accounts, client, account, str(aye.pk))
    assert "Connected: account 111122223333 lets us in" in check(client, account).content.decode()
    account.refresh_from_db()
    assert (account.aws_id, account.scope, account.lab_regions) == (AWS_ID, cohort.scope, ["us-east-1"])
    assert "Disconnect…" in page(client)


def test_the_link_is_there_when_the_operator_has_put_the_template_somewhere(accounts, signed_in, aye, settings):
    settings.TEMPLATE_URL = "https://school.s3.amazonaws.com/lightsout.yaml"
    client = signed_in(aye)
    account = begun(client, aye)
    shown = page(client)
    assert "Create the stack" in shown and f"param_ExternalId={account.external_id}&amp;param_Student={aye.pk}" in shown


def test_what_stands_in_the_way_is_on_the_page_until_it_is_mended(accounts, signed_in, aye):
    client = signed_in(aye)
    account = begun(client, aye)
    said = check(client, account).content.decode()
    assert "Is the stack there, in this account, and complete?" in said
    assert "Not connected yet." in page(client)
    assert "12 digits" in check(client, account, "my account").content.decode()


def test_on_a_server_without_an_identity_it_says_so(signed_in, aye, chit, settings):
    """To a student in a student's words; who teaches is told the setting."""
    settings.PORTAL_ROLE_ARN = ""
    client = signed_in(aye)
    account = begun(client, aye)
    assert "You need no AWS account here" in page(client) and "PORTAL_ROLE_ARN" not in page(client)
    assert client.get(reverse("portal:account_template", args=[account.pk])).status_code == 404
    said = page(signed_in(chit))
    assert "Not possible on this server yet" in said and "PORTAL_ROLE_ARN" in said


def test_the_external_id_is_for_its_owners_eyes(accounts, signed_in, aye, bo, chit, admin, client):
    account = begun(signed_in(aye), aye)
    for other in (bo, chit, admin):
        mine = signed_in(other)
        for name in ("portal:account_template", "portal:disconnect_account"):
            assert mine.get(reverse(name, args=[account.pk])).status_code == 404
        assert account.external_id not in page(mine, "portal:account", account.pk)
        assert check(mine, account).status_code == 404


@pytest.fixture
def connected(accounts, aye, signed_in):
    client = signed_in(aye)
    account = begun(client, aye)
    deploy(accounts, client, account, str(aye.pk))
    check(client, account)
    account.refresh_from_db()
    assert account.is_connected
    return account


def disconnect(client, account):
    return client.post(reverse("portal:disconnect_account", args=[account.pk]), follow=True).content.decode()


def test_it_is_asked_about_once_and_then_let_go_of(connected, signed_in, aye):
    client = signed_in(aye)
    assert "aws cloudformation delete-stack" in page(client, "portal:disconnect_account", connected.pk)
    assert "Disconnected. No lab starts in 111122223333" in disconnect(client, connected)
    connected.refresh_from_db()
    assert not connected.is_open
    assert "aws cloudformation delete-stack --stack-name lightsout --region us-east-1" in page(client)
    again = client.post(reverse(MINE), follow=True).content.decode()
    assert "Check and connect" in again


def test_while_a_lab_is_on_it_is_not_let_go_of(connected, signed_in, aye, lab, now):
    launching.launch(lab, connected, aye, now=now)
    client = signed_in(aye)
    assert "Finish them first" in page(client, "portal:disconnect_account", connected.pk)
    assert "1 lab is on in this account" in disconnect(client, connected)
    connected.refresh_from_db()
    assert connected.is_open


def test_what_was_begun_is_forgotten_at_once(accounts, signed_in, aye):
    client = signed_in(aye)
    account = begun(client, aye)
    assert "Nothing was connected" in disconnect(client, account)
    assert connecting.own_account(aye) is None


def test_an_admin_connects_the_bootcamps_account_for_a_cohort(accounts, signed_in, admin, cohort):
    client = signed_in(admin)
    assert cohort.name in page(client, "portal:connect_shared")
    answer = client.post(reverse("portal:connect_shared"), {"name": "Bootcamp", "cohort": cohort.slug})
    account = Account.objects.get(mode=Account.SHARED)
    assert answer.url == reverse("portal:account", args=[account.pk])
    assert (account.owner, account.scope, account.name) == (None, cohort.scope, "Bootcamp")
    deploy(accounts, client, account)
    assert "Connected: account" in check(client, account).content.decode()
    assert not [role for role in accounts.roles if "student" in role], "the template makes none in a shared account"
    account.refresh_from_db()
    assert account.limits() == guardrails.Rules(regions=("us-east-1",))


def test_only_admins_connect_a_shared_account(accounts, signed_in, chit):
    client = signed_in(chit)
    assert client.get(reverse("portal:connect_shared")).status_code == 404
    assert client.post(reverse("portal:connect_shared"), {"name": "x"}).status_code == 404
    assert not Account.objects.filter(mode=Account.SHARED).exists()


# --- the rules of use ----------------------------------------------------------------------------------------


def test_the_rules_are_accepted_once_with_a_date(signed_in, aye, now):
    client = signed_in(aye)
    rules = reverse("portal:rules_of_use")
    assert "I accept these rules" in client.get(rules).content.decode()
    answer = client.post(rules, {"next": reverse(MINE)})
    assert answer.url == reverse(MINE)
    client.post(rules)
    assert RulesAccepted.objects.get().at == now == rules_of_use.accepted_at(aye)
    assert "You accepted them on" in client.get(rules).content.decode()


def test_new_rules_are_accepted_anew(aye, now, monkeypatch):
    rules_of_use.accept(aye, now)
    monkeypatch.setattr(rules_of_use, "EDITION", rules_of_use.EDITION + 1)
    assert rules_of_use.accepted_at(aye) is None


def test_a_shared_account_that_is_let_go_of_says_to_keep_the_stack_until_students_roles_are_gone(
    accounts, signed_in, admin, aye, cohort, lab, now
):
    client = signed_in(admin)
    client.post(reverse("portal:connect_shared"), {"name": "Bootcamp"})
    account = Account.objects.get(mode=Account.SHARED)
    deploy(accounts, client, account)
    check(client, account)
    account.refresh_from_db()
    Launch.objects.filter(pk=launching.launch(lab, account, aye, now=now).pk).update(ended_at=now)
    admitting.work_off(lambda: now)
    said = disconnect(client, account)
    assert "1 role of students is still being taken away" in said and "delete-stack" not in said
    admitting.work_off(lambda: now)
    assert "aws cloudformation delete-stack" in page(client, "portal:account", account.pk)
