"""The Accounts page and the doctor's visits: for whom each account is, what is shown, and that no page asks AWS."""

import json
from dataclasses import asdict
from datetime import UTC, date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conftest import member
from costs.models import Bill, DailySpend
from labs import aws, doctor, examining
from labs.doctor import FAILS, OK, UNKNOWN, Finding
from labs.models import Account, Resource
from portal import enrolling, overseeing, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]

FINDINGS = [
    Finding(
        "permissions", FAILS, "1 permission is missing for A bucket", "It matters.", "update the stack.", ("s3:X",)
    ),
    Finding("clock", UNKNOWN, "The clock could not be compared", "AWS's answer had no date."),
    Finding("reach", OK, "We reach the account", "The portal's role lets us in."),
]
QUOTA = {"title": "Standard vCPU, EC2", "lab": "EC2 reads S3", "needs": 48, "has": 64.0}


@pytest.fixture
def connect(cohort, now):
    def made(mode="shared", owner=None, aws_id="111122223333", **facts):
        report = {"findings": [asdict(one) for one in FINDINGS], "quotas": [QUOTA], "people": 24}
        known = {
            "name": "Bootcamp" if owner is None else f"{owner}'s own",
            "scope": cohort.scope,
            "regions": ["us-east-1", "ap-southeast-1"],
            "lab_regions": ["us-east-1"],
            "created_at": now,
            "connected_at": now,
            "proved_at": now,
            "examined_at": now,
            "examine_at": now + timedelta(hours=1),
            "report": json.loads(json.dumps(report)),
        }
        return Account.objects.create(mode=mode, owner=owner, aws_id=aws_id, **(known | facts))

    return made


@pytest.fixture(autouse=True)
def no_aws(monkeypatch):
    """Whoever asks AWS here is told off."""

    def refuse(*_, **__):
        raise AssertionError("a page asked AWS")

    for name in ("client", "assume", "own_identity"):
        monkeypatch.setattr(aws, name, refuse)


def page(client):
    return client.get(reverse("portal:accounts")).content.decode()


# --- money ---------------------------------------------------------------------------------------------------


def test_each_account_has_its_own_money_and_practice_has_one_line(connect, signed_in, admin, aye, cohort, now):
    """Two shared accounts: what the one cost is not shown of the other."""
    dear, cheap = connect(), connect(aws_id="222233334444", name="Second")
    practice = enrolling.practice_account(aye, now=now)
    for account, usd in ((dear, "12.5"), (cheap, "0.25"), (practice, "3")):
        facts = {"account": account, "scope": cohort.scope, "service": "EC2", "region": "us-east-1"}
        DailySpend.objects.create(day=now.astimezone(UTC).date(), usd=Decimal(usd), **facts)
        DailySpend.objects.create(day=date(2025, 8, 31), usd=Decimal(100), **facts)
    row = Resource.objects.create(
        account=dear, scope=cohort.scope, region="us-east-1", kind="ec2-instance", aws_id="i-1", seen="running",
        seen_at=now, wanted_at=now, created_at=now, facts={"type": "t3.medium", "platform": "linux", "disks": []},
    )  # fmt: skip
    shown = overseeing.accounts_page(admin, now)
    told = {line.account: line.money for line in shown.money}
    assert {one: money.month_usd for one, money in told.items()} == {
        dear: Decimal("12.5"),
        cheap: Decimal("0.25"),
        None: 3,
    }
    assert (told[dear].burning.lights, told[dear].unbounded) == (1, 1) and told[cheap].burning.lights == 0
    assert [mode.spent for mode in shown.modes if mode.account] == [Decimal("12.5"), Decimal("0.25")]
    html = page(signed_in(admin))
    assert f"?account={dear.pk}" in html and "1 on, unpriced" not in html and row.aws_id not in html
    assert "all accounts: nothing is billed" in html


# --- the page ------------------------------------------------------------------------------------------------


def test_what_fails_is_first_and_says_how_it_is_mended(connect, signed_in, admin):
    connect()
    shown = page(signed_in(admin))
    order = ["1 permission is missing for A bucket", "The clock could not be compared", "Reaches every account"]
    assert sorted(order, key=shown.index) == order
    assert '<b class="fw-medium">To mend:</b> update the stack.' in shown and "s3:X" in shown
    assert "1 to mend, 1 not known" in shown and "1 of 1" in shown


def test_passes_of_many_accounts_are_one_line(connect, signed_in, admin, aye, bo):
    connect()
    connect("own", aye, "222233334444")
    assert "2 of 2" in page(signed_in(admin))
    failing = [asdict(Finding("reach", FAILS, "We do not reach the account", "AccessDenied", "mend it."))]
    connect("own", bo, "333344445555", report={"findings": failing, "quotas": []})
    shown = page(signed_in(admin))
    assert "Reaches every account" not in shown
    assert "We do not reach the account" in shown and "account ending 5555" in shown


def test_quotas_are_needs_against_has(connect, signed_in, admin, aye, bo, chit, now):
    short = QUOTA | {"title": "ml.m5.large for endpoint usage", "needs": 24, "has": 2.0}
    unknown = QUOTA | {"title": "VPCs", "has": None}
    account = connect()
    account.report["quotas"] = [QUOTA, short, unknown]
    account.save()
    shown = page(signed_in(admin))
    assert "1 <span" in shown and "of 3 enough" in shown
    owns = [QUOTA | {"has": has} for has in (64.0, 16.0, 32.0)]
    assert "Own, the lowest" not in shown
    for line, who in zip(owns, (aye, bo, chit), strict=True):
        connect("own", who, f"22223333444{who.pk % 10}", report={"findings": [], "quotas": [line]})
    [lowest] = [line for line in overseeing.accounts_page(admin, now).quotas if line["account"] == "Own, the lowest"]
    assert (lowest["has"], lowest["enough"]) == (16.0, False)
    assert "Too small" in shown and "Enough" in shown and "unknown" in shown


def test_the_switch_counts_what_it_stands_for(connect, signed_in, admin, aye, now, cohort):
    account = connect()
    facts = {"account": account, "scope": cohort.scope, "seen": "running", "wanted_at": now, "created_at": now}
    for kind, switch_at in (("ec2-instance", None), ("s3-bucket", None), ("sagemaker-endpoint", now)):
        Resource.objects.create(region="us-east-1", kind=kind, aws_id=kind, switch_at=switch_at, **facts)
    armed = overseeing.accounts_page(admin, now).armed
    assert (armed.of_labs, armed.with_switch, armed.strangers_without, armed.next_at) == (0, 0, 1, now)
    assert "1 other has none" in page(signed_in(admin))


def test_without_a_real_account_it_says_so_and_what_will_be_here(signed_in, admin, aye):
    shown = page(signed_in(admin))
    assert "Nothing to look at" in shown and "Run doctor" not in shown
    assert "Connect…" in shown and "Simulator on this server, 1 person" in shown


def test_an_instructor_sees_their_cohorts_accounts_and_connects_none(
    connect, signed_in, chit, other_cohort, now, aye, bo
):
    connect()
    connect("own", aye, "222233334444")
    elsewhere = connect("own", bo, "333344445555", scope=other_cohort.scope, name="Elsewhere")
    shown = page(signed_in(chit))
    assert "ending 3333" in shown and "ending 4444" in shown and "5555" not in shown
    assert "Connect…" not in shown
    assert signed_in(chit).get(reverse("portal:account", args=[elsewhere.pk])).status_code == 404


def test_staff_see_an_own_account_without_its_external_id(connect, signed_in, chit, aye):
    own = connect("own", aye, external_id="an-external-id-of-aye-alone")
    shown = signed_in(chit).get(reverse("portal:account", args=[own.pk])).content.decode()
    assert "Aye’s own AWS account" in shown and "1 permission is missing" in shown
    assert own.external_id not in shown and "Disconnect" not in shown


def test_who_has_not_connected_theirs_is_named_where_labs_run_in_own_accounts(
    connect, signed_in, chit, cohort, aye, bo, now
):
    connect("own", aye, "222233334444")
    assert "their labs wait" not in page(signed_in(chit))
    cohort.lab_mode = "own"
    cohort.save()
    shown = page(signed_in(chit))
    assert shown.count("their labs wait") == 1
    assert [member.user for member in overseeing.accounts_page(chit, now).without] == [bo]


def test_as_many_queries_for_60_accounts_as_for_two(connect, signed_in, admin, cohort, now):
    def asked(number):
        for n in range(number):
            owner = member(cohort, f"s{Account.objects.count()}-{n}", "student", now)
            connect("own", owner, f"{500000000000 + Account.objects.count()}")
        with CaptureQueriesContext(connection) as queries:
            overseeing.accounts_page(admin, now)
        return len(queries)

    assert asked(2) == asked(58) == 12


# --- the visits ----------------------------------------------------------------------------------------------


@pytest.fixture
def visited(monkeypatch):
    """The patients that the doctor has looked at."""
    seen = []

    def examine(patient, clock):
        seen.append(patient)
        Account.objects.filter(pk=patient.account.pk).update(
            report={"findings": [], "quotas": [], "people": patient.people}
        )
        patient.account.refresh_from_db()
        return [Finding("reach", OK, "We reach the account", "Well.")]

    monkeypatch.setattr(examining, "examine", examine)
    return seen


def test_a_shared_account_is_for_all_students_of_its_cohort_and_an_own_one_for_one(connect, aye, bo, chit, lab):
    shared, own = connect(), connect("own", aye, "222233334444")
    of = {patient.account: (patient.labs, patient.people) for patient in overseeing.patients([shared, own])}
    assert of == {shared: ((lab,), 2), own: ((lab,), 1)}


def test_one_for_every_cohort_counts_those_whose_labs_run_there(connect, aye, bo, cohort, other_cohort, now, lab):
    shared = connect(scope="")
    member(other_cohort, "dora", "student", now)
    [patient] = overseeing.patients([shared])
    assert (patient.labs, patient.people) == ((), 1)
    cohort.lab_mode = "shared"
    cohort.save()
    [patient] = overseeing.patients([shared])
    assert (patient.labs, patient.people) == ((lab,), 2)


def test_the_doctor_is_told_whether_the_bill_was_read(connect, aye, now):
    shared, own = connect(), connect("own", aye, "222233334444")
    Bill.objects.create(account=shared, ask_at=now, trouble="It is not enabled.")
    never = {patient.account: patient.bill_trouble for patient in overseeing.patients([shared, own])}
    assert never == {shared: "It is not enabled.", own: None}
    Bill.objects.update(trouble="")
    assert [patient.bill_trouble for patient in overseeing.patients([shared])] == [None], "nobody asked yet"
    Bill.objects.update(answered_at=now)
    assert [patient.bill_trouble for patient in overseeing.patients([shared])] == [""]


def test_the_doctor_comes_when_it_is_time_and_when_asked(connect, visited, signed_in, admin, now, clock):
    account = connect()
    tasks.visit_accounts()
    assert visited == []
    said = signed_in(admin).post(reverse("portal:run_doctor"), follow=True).content.decode()
    assert "The doctor looks now" in said
    tasks.visit_accounts()
    assert [patient.account for patient in visited] == [account]
    clock.move_to(now + timedelta(hours=1, seconds=1))
    tasks.visit_accounts()
    assert len(visited) == 2


def test_two_workers_do_not_both_visit(connect, monkeypatch, now):
    connect(examine_at=now)

    def examine(patient, clock):
        assert overseeing.visit_due(lambda: now) == 0

    monkeypatch.setattr(examining, "examine", examine)
    assert overseeing.visit_due(lambda: now) == 1


def test_an_instructor_sends_the_doctor_to_their_own_cohorts_accounts_only(
    connect, visited, signed_in, chit, other_cohort, aye
):
    connect("own", aye, "333344445555", scope=other_cohort.scope)
    assert "nothing to look at" in signed_in(chit).post(reverse("portal:run_doctor"), follow=True).content.decode()
    tasks.visit_accounts()
    assert visited == []


# --- the command ---------------------------------------------------------------------------------------------


def run(*words):
    said = StringIO()
    code = 0
    try:
        call_command("doctor", *words, stdout=said)
    except SystemExit as ended:
        code = ended.code
    return code, said.getvalue()


def test_the_command_prints_what_fails_with_what_helps_and_ends_with_1(connect, visited, monkeypatch, settings):
    settings.SIMULATOR_URL = ""
    connect()
    assert run()[0] == 0
    monkeypatch.setattr(examining, "examine", lambda patient, clock: FINDINGS)
    code, said = run("--account", "Bootcamp")
    assert code == 1
    assert "FAILS    1 permission is missing for A bucket" in said and "To mend: update the stack." in said


def test_its_json_is_one_object(connect, visited, settings):
    settings.SIMULATOR_URL = ""
    connect()
    told = json.loads(run("--json")[1])
    [account] = told["accounts"]
    assert (account["aws_id"], account["mode"]) == ("111122223333", "shared")
    assert account["findings"] == [asdict(Finding("reach", OK, "We reach the account", "Well.")) | {"details": []}]


def test_one_practice_account_stands_for_the_simulator(visited, aye, bo):
    run()
    assert [patient.account.mode for patient in visited] == ["practice"]


def test_an_account_that_is_not_there_is_said(visited):
    with pytest.raises(CommandError, match="No account 'class' is connected"):
        run("--account", "class")


def test_with_nothing_there_it_says_so(visited, settings):
    settings.SIMULATOR_URL = ""
    assert "nothing to look at" in run()[1]


# --- a long-lived key ----------------------------------------------------------------------------------------


def test_a_long_lived_key_stands_as_a_warning_on_every_staff_page(signed_in, aye, chit, admin, settings, cohort):
    settings.ALLOW_LONG_LIVED_KEY = True
    words = "may work at AWS with a long-lived access key"
    for user, pages in ((chit, ["portal:course", "portal:accounts", "costs:spend"]), (admin, ["costs:forgotten"])):
        client = signed_in(user)
        assert all(words in client.get(reverse(name)).content.decode() for name in pages)
    assert words not in signed_in(aye).get(reverse("portal:course")).content.decode()
    settings.ALLOW_LONG_LIVED_KEY = False
    assert words not in signed_in(admin).get(reverse("costs:forgotten")).content.decode()


def test_the_doctors_checks_all_have_a_name_on_the_page():
    assert set(overseeing.CHECKS) == {check.__name__ for check in doctor.CHECKS}
