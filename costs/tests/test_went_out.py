"""What came of a Lights out: lab by lab, as AWS shows it, and never earlier."""

import csv
from decimal import Decimal

import pytest
from django.urls import reverse

from costs import dashboard, forgotten, metering, scopes
from costs.lights_out import lights_out
from costs.models import LightsOut
from costs.tests import worlds
from costs.tests.test_pages import page, press, words
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, endpoint, instance, notebook, stranger
from labs import ledger
from labs.kinds.base import RUNNING, STOPPED, Seen
from labs.models import Launch, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now", "teacher")]
SLUG = "aws-ml-sep-2025"
LATER = NOW + 3 * MINUTE


@pytest.fixture
def class_with_lights(aye, bo, ayes):
    """aye is in a lab with credentials out, and left a box on; bo's endpoint was asked to go before, and is stuck."""
    scopes.tell(SCOPE, name=SLUG, title="September 2025", look_ahead_until=NOW + 2 * DAY)
    lab = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook", role="iam-role")
    Resource.objects.filter(launch=lab).update(create_began_at=NOW - HOUR)
    worlds.saw(worlds.row_of(lab, "nb"), notebook(name="mine", since=NOW - HOUR), NOW)
    worlds.saw(worlds.row_of(lab, "role"), Seen(RUNNING, "role", "role"), NOW)
    Launch.objects.filter(pk=lab.pk).update(session_at=NOW - HOUR)
    box = stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW, region="ap-southeast-1")
    stuck = stranger(worlds.account_of(bo, number=2), "sagemaker-endpoint", endpoint(), NOW - HOUR)
    ledger.wish([stuck], "person", "gone", NOW - HOUR, by=bo)
    Resource.objects.filter(pk=stuck.pk).update(blocked_why="AWS does not let the portal do this: no")
    metering.meter(NOW)
    forgotten.judge(NOW)
    return {"lab": lab, "box": box, "stuck": stuck}


def labs_of(record):
    return {(lab.owner, lab.title): lab for lab in dashboard.went_out(record).labs}


def test_labs_are_fenced_before_anything_of_theirs_goes_and_not_by_the_request(class_with_lights, chit):
    lights_out(SCOPE, NOW, chit, include_in_use=True)
    lab = Launch.objects.get(pk=class_with_lights["lab"].pk)
    assert (lab.asked_to_end_at, lab.prepare_at, lab.fenced_at) == (NOW, NOW, None), "ending.py does it, with AWS"
    assert set(Resource.objects.filter(launch=lab).values_list("wanted", flat=True)) == {"gone"}


def test_every_lab_says_what_was_on_and_nothing_is_off_before_it_is_seen(class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    found = labs_of(record)
    assert set(found) == {("Aye", "a-lab"), ("Aye", "Made by hand, in no lab"), ("Bo", "Made by hand, in no lab")}
    lab = found["Aye", "a-lab"]
    assert [(line.name, line.act) for line in lab.lines] == [("mine", "delete"), ("role", "delete")]
    assert lab.usd_per_hour == pytest.approx(Decimal("0.05"), abs=Decimal("0.01"))
    assert (lab.asked_at, lab.off_at, len(lab.still_on), lab.is_done) == (NOW, None, 2, False)
    assert found["Bo", "Made by hand, in no lab"].asked_at == NOW - HOUR, "it was asked before"
    assert not dashboard.went_out(record).is_over


def test_it_fills_in_as_aws_shows_it_to_the_certificate(class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    worlds.saw(class_with_lights["box"], instance(STOPPED, disk_gb=0, since=LATER), LATER)
    for row in Resource.objects.filter(launch=class_with_lights["lab"]):
        worlds.gone(row, LATER)
    found = labs_of(record)
    hand = found["Aye", "Made by hand, in no lab"]
    assert (hand.off_at, hand.is_done, hand.lines[0].proof) == (LATER, True, "AWS shows it stopped; its disk is kept")
    lab = found["Aye", "a-lab"]
    assert (lab.off_at, lab.is_done, lab.has_certificate) == (LATER, False, False), "all gone, and not proved yet"
    proof = {"proved_at": LATER.isoformat(), "rows": [], "methods": [], "left": []}
    Launch.objects.filter(pk=lab.launch.pk).update(ended_at=LATER, certificate=proof)
    lab = labs_of(record)["Aye", "a-lab"]
    assert (lab.is_done, lab.has_certificate) == (True, True)
    shown = dashboard.went_out(record)
    assert (shown.off, len(shown.still_on), shown.is_over) == (3, 1, False)
    worlds.gone(class_with_lights["stuck"], LATER + MINUTE)
    shown = dashboard.went_out(record)
    assert (shown.off_at, shown.is_over) == (LATER + MINUTE, True)


def test_a_lab_whose_credentials_could_not_be_revoked_says_so(client, class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    assert not labs_of(record)["Aye", "a-lab"].is_unfenced, "ending.py is still at it"
    Launch.objects.update(prepare_at=None)
    assert labs_of(record)["Aye", "a-lab"].is_unfenced
    assert "Credentials could not be revoked." in words(page(client, chit, "went_out", record.pk))
    assert b",not revoked," in page(client, chit, "went_out_csv", record.pk).getvalue()


def test_what_is_started_again_is_on_again(class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit).record
    worlds.saw(class_with_lights["box"], instance(STOPPED, disk_gb=0, since=LATER), LATER)
    worlds.saw(class_with_lights["box"], instance(disk_gb=0, since=LATER + MINUTE), LATER + MINUTE)
    assert [line.name for line in labs_of(record)["Aye", "Made by hand, in no lab"].still_on] == ["box"]


def test_labs_in_use_are_left_on_and_not_evidence_unless_told(class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit).record
    assert ("Aye", "a-lab") not in labs_of(record)
    assert Launch.objects.get(pk=class_with_lights["lab"].pk).asked_to_end_at is None


def test_a_lab_in_which_nothing_was_made_and_what_its_end_finds_are_told_too(class_with_lights, chit, aye, ayes):
    empty = worlds.launch(aye, ayes, NOW - HOUR, slug="making")
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    assert labs_of(record)["Aye", "making"].lines == [] and not labs_of(record)["Aye", "making"].is_done
    late = stranger(ayes, "ec2-instance", instance(name="late"), LATER)
    Resource.objects.filter(pk=late.pk).update(launch=empty, wanted="gone")
    assert [(line.name, line.found_later) for line in labs_of(record)["Aye", "making"].lines] == [("late", True)]
    worlds.gone(late, LATER)
    Launch.objects.filter(pk=empty.pk).update(ended_at=LATER + MINUTE, certificate={"proved_at": "x"})
    assert labs_of(record)["Aye", "making"].is_done


def test_lights_out_leads_to_its_evidence_which_asks_again_until_all_is_told(client, chit, class_with_lights):
    answer = press(client, chit, "lights_out", scope=SCOPE, name=SLUG, include_in_use="on")
    record = LightsOut.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("costs:went_out", args=[record.pk])
    said = words(answer)
    assert "Seen off 0 of 4" in said and "Fills in as AWS shows it" in said
    assert "SageMaker notebook mine" in said and "Aws does not let the portal do this" not in said
    assert "AWS does not let the portal do this: no" in said, "what is stuck says why"
    polled = client.get(reverse("costs:went_out", args=[record.pk]), headers={"HX-Request": "true"})
    assert polled.status_code == 200 and b"<html" not in polled.content and b"every 5s" in polled.content
    for row in Resource.objects.open():
        worlds.gone(row, LATER)
    Launch.objects.update(ended_at=LATER, fenced_at=NOW, certificate={"proved_at": LATER.isoformat(), "rows": []})
    polled = client.get(reverse("costs:went_out", args=[record.pk]), headers={"HX-Request": "true"})
    assert polled.status_code == 286 and b"every 5s" not in polled.content
    said = words(page(client, chit, "went_out", record.pk))
    assert "Seen off 4 of 4" in said and "Certificate" in said and "Credentials revoked 14:47" in said
    assert f'href="{reverse("costs:went_out", args=[record.pk])}"' in page(client, chit, "forgotten").content.decode()


def test_the_evidence_as_csv_has_a_line_a_resource(client, chit, class_with_lights):
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    worlds.gone(class_with_lights["box"], LATER)
    text = page(client, chit, "went_out_csv", record.pk).getvalue().decode("utf-8-sig")
    lines = {line["name"]: line for line in csv.DictReader(text.splitlines())}
    assert set(lines) == {"mine", "role", "box", "ep"}
    assert lines["box"]["seen_off_at_utc"] == LATER.isoformat()
    assert (lines["box"]["proof"], lines["box"]["still_on_because"]) == ("AWS was asked twice, and shows none", "")
    assert lines["ep"]["still_on_because"].startswith("AWS does not let the portal do this")
    assert lines["mine"]["still_on_because"] == "it was asked, and AWS still shows it"
    assert Decimal(lines["ep"]["usd_per_hour_then"]) == Decimal("0.115")


def test_a_lab_in_which_nothing_was_has_a_line_of_evidence_too(client, chit, class_with_lights, aye, ayes):
    empty = worlds.launch(aye, ayes, NOW - HOUR, slug="making")
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    proved = {"proved_at": LATER.isoformat(), "rows": [], "methods": [], "left": []}
    Launch.objects.filter(pk=empty.pk).update(fenced_at=NOW, ended_at=LATER, certificate=proved)
    text = page(client, chit, "went_out_csv", record.pk).getvalue().decode("utf-8-sig")
    [line] = [line for line in csv.DictReader(text.splitlines()) if line["lab"] == "making"]
    assert (line["person"], line["launch"], line["name"]) == ("Aye", str(empty.pk), "")
    assert line["credentials_revoked_at_utc"] == NOW.isoformat()
    assert line["certificate_proved_at_utc"] == LATER.isoformat()


def test_nothing_on_is_evidence_too(client, chit):
    scopes.tell(SCOPE, name=SLUG)
    said = words(press(client, chit, "lights_out", scope=SCOPE, name=SLUG))
    assert "Nothing was on" in said and LightsOut.objects.get().at == NOW


def test_anothers_evidence_does_not_exist(client, aye, class_with_lights, chit):
    record = lights_out(SCOPE, NOW, chit).record
    for name in ("went_out", "went_out_csv"):
        assert page(client, aye, name, record.pk).status_code == 404
        assert page(client, chit, name, record.pk + 1).status_code == 404


def test_four_queries_for_a_class_as_for_one_lab(django_assert_num_queries, chit, aye, ayes):
    for n in range(20):
        worlds.launch(aye, ayes, NOW - HOUR, slug=f"lab-{n}", box="ec2-instance")
    record = lights_out(SCOPE, NOW, chit, include_in_use=True).record
    with django_assert_num_queries(4):
        assert len(dashboard.went_out(record).labs) == 20
