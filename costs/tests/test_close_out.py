"""The close-out of a scope: what is over, what is kept, and what still stands in the way."""

import csv
from decimal import Decimal

import pytest
from django.urls import reverse

from costs import forgotten, metering, scopes
from costs.dashboard.close_out import close_out
from costs.models import DailySpend
from costs.tests import worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, instance, notebook, stranger, volume
from labs import launching
from labs.models import Launch, SavedFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal


@pytest.fixture
def told(db):
    return scopes.tell(SCOPE, name="sep", title="September 2025", ends_at=NOW - HOUR)


def lab(owner, account, began, ended=None, *, proved=False):
    """A launch with a notebook: on, or over with or without a certificate."""
    made = worlds.launch(owner, account, began, nb="sagemaker-notebook")
    row = worlds.row_of(made, "nb")
    worlds.saw(row, notebook(disk_gb=0, since=began, name=f"nb-{made.pk.hex[:6]}"), began)
    if ended is None:
        worlds.still_there([row], NOW)
        return made
    worlds.still_there([row], ended - MINUTE)
    worlds.gone(row, ended)
    made.asked_to_end_at, made.ended_at = ended - MINUTE, ended
    if proved:
        made.certificate = {"proved_at": ended.isoformat(), "rows": [], "methods": [], "left": []}
    made.save()
    return made


def stands(told):
    metering.meter(NOW)
    return close_out(told, NOW)


def test_when_all_is_gone_and_proved_it_is_over_and_says_so(client, teacher, told, aye, ayes):
    made = lab(aye, ayes, NOW - 5 * HOUR, NOW - 3 * HOUR, proved=True)
    shown = stands(told)
    assert shown.is_whole and shown.is_dark and (shown.proved, len(shown.labs)) == (1, 1)
    assert shown.usd == sum(line.usd for line in DailySpend.objects.all()) > 0
    said = words(page(client, teacher, "close_out", SCOPE))
    assert "It is over, and dark" in said and "These figures are final." in said and "1 of 1 proved gone" in said
    html = page(client, teacher, "close_out", SCOPE).content.decode()
    assert reverse("labs:certificate", args=[made.pk]) in html


def test_before_the_end_it_says_what_stands_in_the_way(client, teacher, told, aye, ayes, bo):
    scopes.tell(SCOPE, name="sep", title="September 2025", ends_at=NOW + DAY)
    on = lab(aye, ayes, NOW - 2 * HOUR)
    unproved = lab(aye, ayes, NOW - 9 * HOUR, NOW - 8 * HOUR)
    box = stranger(worlds.account_of(bo, number=2, looked_at=None), "ec2-instance", instance(since=NOW - DAY), NOW)
    metering.meter(NOW)
    forgotten.judge(NOW)
    forgotten.snooze([box], until=NOW + DAY, why="Bo trains", now=NOW, by=teacher)
    shown = stands(told.__class__.objects.get(key=SCOPE))
    assert not shown.is_whole and not shown.has_ended and not shown.is_dark
    assert [one.launch for one in shown.open] == [on] and [one.launch for one in shown.unproved] == [unproved]
    assert {one.row for one in shown.snoozed} == {box} and len(shown.lights) == 2
    assert [one.name for one in shown.unseen.accounts] == ["Bo's account"]
    said = words(page(client, teacher, "close_out", SCOPE))
    for part in (
        "What still stands in the way",
        "It ends Fri 19 Sep",
        "1 lab is not gone yet",
        "2 lights are on",
        "1 of 2 accounts could not be wholly looked into",
        "1 lab ended without a certificate",
        "Put off until 2025-09-19 08:17 UTC: Bo trains",
        "still on",
    ):
        assert part in said, part


def test_a_lab_that_is_going_says_how_much_is_left(told, aye, ayes):
    made = lab(aye, ayes, NOW - 2 * HOUR)
    launching.ask_to_delete(made, now=NOW, by=aye, why="finished")
    [one] = stands(told).labs
    assert one.said == "going: 1 left"
    worlds.gone(worlds.row_of(made, "nb"), NOW)
    [one] = stands(told).labs
    assert one.said == "gone, being proved"
    Launch.objects.update(ended_at=NOW, asked_to_end_at=None)
    [one] = stands(told).labs
    assert one.said == "its practice world was started anew"


def test_what_is_kept_is_told_with_what_a_month_of_it_costs(client, teacher, told, aye, ayes):
    """A hundred GB of gp3 at 0.08 USD a GB-month; the free security group is only counted."""
    stranger(ayes, "ebs-volume", volume(), NOW)
    stranger(ayes, "security-group", worlds.free(), NOW)
    shown = stands(told)
    [kept] = shown.kept
    hours_of_september = 30 * 24
    assert kept.usd_a_month.quantize(D("0.01")) == (D(8) * 730 / hours_of_september).quantize(D("0.01"))
    assert shown.usd_a_month == kept.usd_a_month and shown.free == 1 and kept.why == "made by hand, and left"
    said = words(page(client, teacher, "close_out", SCOPE))
    assert "$8.11 a month" in said and "1 resource; 1 free" in said


def test_the_locker_is_counted_and_costs_nothing_at_aws(told, aye, ayes):
    made = lab(aye, ayes, NOW - 5 * HOUR, NOW - 3 * HOUR, proved=True)
    facts = {"owner": aye, "launch": made, "bucket": "b", "path": "x", "why_not": ""}
    SavedFile.objects.create(name="m.json", bytes=2048, saved_at=NOW, **facts)
    SavedFile.objects.create(name="old.json", bytes=999, saved_at=NOW, deleted_at=NOW, **facts)
    shown = stands(told)
    assert (shown.files, shown.bytes) == (1, 2048) and shown.is_whole


def test_without_the_meters_at_their_end_the_figures_are_not_final(told, aye, ayes):
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - 2 * HOUR), NOW - HOUR)
    metering.meter(NOW - HOUR)
    worlds.gone(row, NOW)
    before = close_out(told, NOW)
    assert before.unmetered == 1 and not before.is_whole
    assert stands(told).unmetered == 0 and close_out(told, NOW).is_whole


def test_the_file_has_a_line_for_each_person_lab_and_kept_thing(client, teacher, told, aye, ayes, bo):
    made = lab(aye, ayes, NOW - 5 * HOUR, NOW - 3 * HOUR, proved=True)
    stranger(worlds.account_of(bo, number=2), "ebs-volume", volume(), NOW)
    metering.meter(NOW)
    answer = page(client, teacher, "close_out_csv", SCOPE)
    lines = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert [(line["line"], line["person"]) for line in lines] == [
        ("person", "Aye"),
        ("lab", "Aye"),
        ("person", "Bo"),
        ("kept", "Bo"),
    ]
    assert lines[1]["id"] == str(made.pk) and lines[1]["certificate_proved_at_utc"] == made.certificate["proved_at"]
    spent = sum(D(line["usd"]) for line in lines if line["line"] == "person")
    assert spent == sum(line.usd for line in DailySpend.objects.all()) == close_out(told, NOW).usd
    assert D(lines[3]["usd_a_month"]) > 8


@pytest.mark.parametrize("name", ["close_out", "close_out_csv"])
def test_it_is_of_those_who_teach_alone(client, aye, teacher, told, name):
    assert page(client, aye, name, SCOPE).status_code == 404
    assert page(client, teacher, name, "f" * 32).status_code == 404
    scopes.tell("f" * 32, name="other")
    assert page(client, teacher, name, "f" * 32).status_code == 404
    assert page(client, teacher, name, SCOPE).status_code == 200


def test_the_spend_page_leads_to_it(client, teacher, told):
    assert reverse("costs:close_out", args=[SCOPE]) in page(client, teacher, "spend").content.decode()
