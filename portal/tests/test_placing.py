"""In which account a lab starts: by the cohort's setting and the lab, once it is connected, accepted and rehearsed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from labs import catalog, rehearsal
from labs.models import Account, Launch, Rehearsal, StudentRole
from labs.rehearsal import Rehearsed
from portal import access, placing, rules_of_use
from portal.models import Membership

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]

START = ["portal:start_lab", [2, "s3-for-ml"]]


@pytest.fixture
def mode_is(cohort):
    def change(mode):
        cohort.lab_mode = mode
        cohort.save()

    return change


@pytest.fixture
def connect(cohort, now):
    """connect(mode, owner) -> an open account of that mode."""

    def made(mode, owner=None, aws_id="111122223333", **facts):
        known = {"name": "Bootcamp", "scope": cohort.scope, "regions": ["us-east-1"], "lab_regions": ["us-east-1"]}
        known |= {"created_at": now, "connected_at": now, "is_open": True} | facts
        return Account.objects.create(mode=mode, owner=owner, aws_id=aws_id, **known)

    return made


def passed(account, now, is_passed=True):
    return Rehearsal.objects.create(account=account, lab="s3-for-ml", at=now, passed=is_passed)


def place(user, lab, cohort):
    return placing.place_of(access.standings(user)[cohort.slug], lab, back="/back/")


def start(client):
    return client.post(reverse(START[0], args=START[1]))


def test_practice_is_where_labs_start_unless_the_cohort_says_otherwise(aye, cohort, lab, django_assert_num_queries):
    standing = access.standings(aye)[cohort.slug]
    with django_assert_num_queries(0):
        assert placing.place_of(standing, lab) == placing.Place("practice")


# --- shared --------------------------------------------------------------------------------------------------


def test_in_the_shared_account_a_class_starts_what_was_rehearsed_there(
    mode_is, connect, signed_in, aye, cohort, lab, now
):
    mode_is("shared")
    shared = connect("shared")
    rules_of_use.accept(aye, now)
    passed(shared, now)
    client = signed_in(aye)
    asked = client.get(reverse(START[0], args=START[1])).content.decode()
    assert "the bootcamp’s AWS account 111122223333" in asked and "nobody is billed" not in asked
    answer = start(client)
    launch = Launch.objects.get()
    assert answer.url == reverse("labs:panel", args=[launch.pk])
    assert (launch.account, launch.owner, launch.scope) == (shared, aye, cohort.scope)
    assert StudentRole.objects.get().student == aye


def test_one_connected_for_every_cohort_serves_this_one_and_one_of_its_own_goes_first(
    mode_is, connect, aye, cohort, lab, now
):
    mode_is("shared")
    rules_of_use.accept(aye, now)
    everybodys = connect("shared", scope="", aws_id="999900001111")
    connect("shared", scope="another cohort's", aws_id="999900002222")
    passed(everybodys, now)
    assert place(aye, lab, cohort).account == everybodys
    ours = connect("shared")
    passed(ours, now)
    assert place(aye, lab, cohort).account == ours


REFUSALS = [
    ("nothing is connected", lambda world: world["account"].delete(), "that is not connected"),
    ("it was disconnected", lambda world: world["change"](is_open=False), "that is not connected"),
    ("AWS refuses us", lambda world: world["change"](trouble="AccessDenied"), "does not let us work in account"),
    ("it is for another region", lambda world: world["change"](lab_regions=["eu-west-1"]), "for eu-west-1 only"),
    ("the rules were not accepted", lambda world: world["aye"].rules_accepted.all().delete(), "rules of use first"),
    ("it was not rehearsed", lambda world: Rehearsal.objects.all().delete(), "was not rehearsed in this AWS account"),
    ("the last rehearsal failed", lambda world: passed(world["account"], world["later"], False), "was not rehearsed"),
]


@pytest.mark.parametrize(("why", "spoil", "words"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_what_is_missing_is_told_and_nothing_starts(
    mode_is, connect, signed_in, aye, cohort, lab, now, why, spoil, words
):
    mode_is("shared")
    account = connect("shared")
    rules_of_use.accept(aye, now)
    passed(account, now)
    assert place(aye, lab, cohort).account == account

    def change(**facts):
        Account.objects.filter(pk=account.pk).update(**facts)

    if why == "nothing is connected":
        account.rehearsals.all().delete()
    spoil({"account": account, "aye": aye, "change": change, "later": now + timedelta(minutes=1)})
    refused = place(aye, lab, cohort)
    assert refused.account is None and words in refused.trouble
    answer = start(signed_in(aye))
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Launch.objects.exists()


def test_the_rules_are_one_click_away_and_lead_back(mode_is, connect, signed_in, aye, cohort, lab, now):
    mode_is("shared")
    passed(connect("shared"), now)
    client = signed_in(aye)
    here = reverse(START[0], args=START[1])
    refused = client.get(here)
    help_url = refused.context["place"].help_url
    assert help_url in refused.content.decode().replace("&amp;", "&")
    assert client.post(help_url, {"next": here}).url == here
    assert start(client).status_code == 302


def test_whoever_teaches_starts_it_before_a_rehearsal(mode_is, connect, chit, cohort, lab, now):
    mode_is("shared")
    account = connect("shared")
    rules_of_use.accept(chit, now)
    assert Membership.objects.get(user=chit).role == "instructor"
    assert place(chit, lab, cohort).account == account


# --- own -----------------------------------------------------------------------------------------------------


def test_in_their_own_account_when_it_is_connected(mode_is, connect, signed_in, aye, bo, chit, cohort, lab, now):
    mode_is("own")
    rules_of_use.accept(aye, now)
    rules_of_use.accept(bo, now)
    teachers = connect("own", chit, "999900001111")
    mine = connect("own", aye)
    passed(teachers, now)
    assert place(aye, lab, cohort).account == mine, "rehearsed in an account of the same template"
    refused = place(bo, lab, cohort)
    assert "you have not connected one" in refused.trouble
    assert (refused.help, refused.help_url) == ("Connect yours", reverse("portal:my_account"))
    start(signed_in(aye))
    assert Launch.objects.get().account == mine


def test_a_rehearsal_in_the_shared_account_says_nothing_of_own_ones(mode_is, connect, aye, cohort, lab, now):
    mode_is("own")
    rules_of_use.accept(aye, now)
    passed(connect("shared", aws_id="999900001111"), now)
    connect("own", aye)
    assert "was not rehearsed in such an AWS account" in place(aye, lab, cohort).trouble


def test_one_on_its_way_is_not_connected(mode_is, connect, aye, cohort, lab, now):
    mode_is("own")
    connect("own", aye, "", is_open=False, connected_at=None)
    assert "you have not connected one" in place(aye, lab, cohort).trouble


# --- what the lab allows -------------------------------------------------------------------------------------


def test_a_lab_that_is_not_for_a_shared_account_starts_in_practice(mode_is, connect, aye, cohort, lab, monkeypatch):
    mode_is("shared")
    connect("shared")
    assert place(aye, replace(lab, modes=("practice", "own")), cohort).mode == "practice"


def test_or_nowhere_if_it_is_not_for_practice_either(mode_is, connect, aye, cohort, lab):
    mode_is("shared")
    connect("shared")
    assert "cannot run in a shared account" in place(aye, replace(lab, modes=("own",)), cohort).trouble


def test_without_practice_mode_labs_of_a_shared_account_start_all_the_same(
    mode_is, connect, signed_in, aye, cohort, lab, now, settings
):
    settings.SIMULATOR_URL = ""
    mode_is("shared")
    rules_of_use.accept(aye, now)
    passed(connect("shared"), now)
    client = signed_in(aye)
    assert "No lab starts here" not in client.get(reverse("portal:labs")).content.decode()
    assert start(client).status_code == 302


# --- what is recorded ----------------------------------------------------------------------------------------


def test_a_rehearsal_is_recorded_with_how_it_went(connect, now, lab):
    account = connect("shared")
    went = Rehearsed(lab.slug, seconds_to_running=12.5, seconds_to_gone=30.0, steps_passed=3, steps=3)
    kept = rehearsal.record(went, account, now)
    assert (kept.passed, kept.at, kept.report["seconds_to_running"], kept.report["steps"]) == (True, now, 12.5, 3)
    failed = rehearsal.record(Rehearsed(lab.slug, failed=["no capacity"]), account, now)
    assert (failed.passed, failed.report["failed"]) == (False, ["no capacity"])
    assert not rehearsal.has_passed(lab.slug, Account.objects.all()), "the last one counts"
    assert catalog.get(lab.slug) is lab
