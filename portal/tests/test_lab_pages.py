"""What the lab page, the labs list and Today say of a lab that did not go as it should."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.urls import reverse
from pypdf import PdfReader

from costs import metering, pricebook
from labs import catalog, ledger
from labs.kinds.base import RUNNING, STOPPED, Seen, Want
from labs.models import Account, Launch, Resource
from portal.templatetags.look import rate_h

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


@pytest.fixture
def launch(aye, cohort, lab, now):
    """A lab of aye's with a bucket that runs and an instance that was not seen yet."""
    made = Launch.objects.create(
        lab=lab.slug, account=Account.objects.get(owner=aye), owner=aye, scope=cohort.scope, labels={"week": 2},
        region="us-east-1", created_at=now - timedelta(hours=1), expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    bucket, _ = ledger.plan(made, [Want("bucket", "s3-bucket"), Want("box", "ec2-instance")], now)
    ledger.saw(bucket, Seen(RUNNING, "b", "b"), now)
    return made


def words(client, name, *args):
    text = " ".join(re.sub(r"<[^>]+>", " ", client.get(reverse(name, args=args)).content.decode()).split())
    return re.sub(r" (?=[:.,])", "", text)


def test_what_aws_said_when_it_ended_an_instance_stays_on_the_labs_page(signed_in, aye, launch, now):
    ledger.close(Resource.objects.get(key="box"), now, "it failed, and AWS says: Volume limit exceeded")
    client = signed_in(aye)
    said = words(client, "labs:panel", launch.pk)
    assert "It failed, and AWS says: Volume limit exceeded" in said and "Finish this lab, then start it again." in said
    assert "State Failed" in said
    ledger.close(Resource.objects.get(key="bucket"), now, "seen absent")
    Launch.objects.update(ended_at=now, certificate={"rows": [], "methods": [], "left": [], "proved_at": "x"})
    assert "It failed, and AWS says: Volume limit exceeded" in words(client, "labs:panel", launch.pk)


RESTARTED = "the practice world was restarted"


def test_a_lab_that_the_practice_world_took_with_it_is_told_of_until_it_is_started_again(
    signed_in, aye, launch, now, clock
):
    client = signed_in(aye)
    assert RESTARTED not in words(client, "portal:today") + words(client, "portal:labs")
    ledger.end_world(launch.account, "another-boot", now)
    today = client.get(reverse("portal:today")).content.decode()
    assert f"A bucket laid out for ML ended Thu 18 Sep, 14:47: {RESTARTED}." in words(client, "portal:today")
    assert reverse("portal:start_lab", args=[2, "s3-for-ml"]) in today
    for place in (("portal:labs",), ("portal:week", 2)):
        said = words(client, *place)
        assert f"Ended Thu 18 Sep, 14:47: {RESTARTED}. Start it again." in said
        assert "Again…" in said and "Finished" not in said
    polled = client.get(reverse("labs:panel", args=[launch.pk]), headers={"HX-Request": "true"}).content.decode()
    assert f"Ended: {RESTARTED}." in polled and "See the certificate" not in polled

    clock.move_to(now + timedelta(minutes=1))
    client.post(reverse("portal:start_lab", args=[2, "s3-for-ml"]))
    assert RESTARTED not in words(client, "portal:today") + words(client, "portal:labs")


def test_after_a_day_nobody_has_to_be_told_of_a_restart(signed_in, aye, launch, now, clock):
    client = signed_in(aye)
    ledger.end_world(launch.account, "another-boot", now)
    clock.move_to(now + timedelta(hours=23, minutes=59))
    assert RESTARTED in words(client, "portal:today") and RESTARTED in words(client, "portal:labs")
    clock.move_to(now + timedelta(days=1))
    said = words(client, "portal:today") + words(client, "portal:labs")
    assert RESTARTED not in said and "Finished" not in said


def test_a_lab_whose_end_was_asked_for_is_not_missed(signed_in, aye, launch, now):
    Launch.objects.update(asked_to_end_at=now)
    ledger.end_world(launch.account, "another-boot", now)
    client = signed_in(aye)
    assert RESTARTED not in words(client, "portal:today")
    assert "Finished Thu 18 Sep" in words(client, "portal:labs")


def test_nobody_is_told_of_anothers_lab(signed_in, bo, launch, now):
    ledger.end_world(launch.account, "another-boot", now)
    client = signed_in(bo)
    assert RESTARTED not in words(client, "portal:today") + words(client, "portal:labs")


# --- what bounds it, and what stands in the way of its end ------------------------------------------------------


@pytest.fixture
def box(launch, now):
    """Its instance runs, and its switch is not set yet."""
    row = Resource.objects.get(key="box")
    facts = {"type": "t3.medium", "platform": "linux", "spot": False, "disks": [], "public_ips": 0}
    Resource.objects.filter(pk=row.pk).update(create_began_at=now - timedelta(minutes=1))
    ledger.saw(row, Seen(RUNNING, "i-1", "box", now, facts), now)
    return row


def test_until_its_switch_is_set_a_labs_exposure_is_unbounded_on_its_page_and_on_today(signed_in, aye, launch, box):
    client = signed_in(aye)
    for place in (("labs:panel", launch.pk), ("portal:today",)):
        assert "Unbounded: AWS does not turn off box by itself. Only this server does, at 15:47," in words(
            client, *place
        )
    Resource.objects.filter(pk=box.pk).update(switch_at=launch.expires_at + timedelta(minutes=5))
    for place in (("labs:panel", launch.pk), ("portal:today",)):
        said = words(client, *place)
        assert "more before the clock turns it off at 15:47 ; if this server dies, AWS turns it off at 15:52." in said
        assert "nbounded" not in said


def test_a_lab_that_costs_nothing_by_the_hour_needs_no_switch(signed_in, aye, launch):
    said = words(signed_in(aye), "labs:panel", launch.pk)
    assert "At most $0.00 more before the clock turns it off at 15:47." in said and "nbounded" not in said


def test_a_labs_page_says_once_what_it_can_still_cost(signed_in, aye, launch, lab, monkeypatch):
    note = "$0.01 of that sum is for the calls to S3."
    noted = replace(lab, calls_usd=Decimal("0.01"), calls_note=note)
    monkeypatch.setattr(catalog, "catalog", lambda: {lab.slug: noted})
    client = signed_in(aye)
    said = words(client, "labs:panel", launch.pk)
    assert "At most $0.01 more before the clock turns it off" in said and note in said
    assert said.lower().count("at most") == 1
    Launch.objects.update(asked_to_end_at=launch.created_at)
    assert note not in words(client, "labs:panel", launch.pk), "it is going off: no sum is told"


@pytest.mark.parametrize(
    ("rate", "shown"), [("0.000004", "$0.00/h"), ("0", "$0.00/h"), ("0.0012", "$0.0012/h"), ("0.0416", "$0.04/h")]
)
def test_a_rate_shows_four_decimals_only_if_they_show_anything(rate, shown):
    assert rate_h(Decimal(rate)) == shown


def test_a_lab_that_is_going_off_still_says_what_would_end_it(signed_in, aye, launch, box, now):
    Launch.objects.update(asked_to_end_at=now)
    client = signed_in(aye)
    assert "Unbounded: AWS does not turn off box by itself." in words(client, "labs:panel", launch.pk)
    Resource.objects.filter(pk=box.pk).update(switch_at=launch.expires_at + timedelta(minutes=5))
    assert "If this server dies meanwhile, AWS turns it off at 15:52." in words(client, "labs:panel", launch.pk)


def test_a_blocked_teardown_is_loud_and_can_be_tried_again_from_the_lab_and_from_today(
    signed_in, aye, chit, launch, box, now
):
    Launch.objects.update(asked_to_end_at=now)
    later = now + timedelta(minutes=10)
    blocked = {
        "wanted": "gone",
        "blocked_why": "something else still uses it: DependencyViolation",
        "next_look_at": later,
    }
    Resource.objects.filter(pk=box.pk).update(**blocked)
    for who, places in ((aye, (("labs:panel", launch.pk), ("portal:today",))), (chit, (("labs:panel", launch.pk),))):
        client = signed_in(who)
        for place in places:
            said = words(client, *place)
            assert "EC2 instance box was asked to go, and is still there" in said
            assert "What blocks it: something else still uses it: DependencyViolation." in said
            assert "What to do:" in said and "Try again now: box" in said
        Resource.objects.filter(pk=box.pk).update(next_look_at=later)
        answer = client.post(reverse("costs:try_again"), {"r": str(box.pk), "back": "lab"})
        assert answer.url == reverse("labs:panel", args=[launch.pk])
        assert Resource.objects.get(pk=box.pk).next_look_at == now


# --- the certificate ---------------------------------------------------------------------------------------------


@pytest.fixture
def proved(launch, now):
    """Its certificate, as certify.py writes it."""
    row = {"kind": "S3 bucket", "name": "lab-1-bucket", "id": "lab-1-bucket", "region": "us-east-1"}
    row |= {"made": now.isoformat(), "gone": now.isoformat(), "why": "seen absent"}
    methods = [
        {"method": "each resource seen absent twice", "asked": 1, "left": 0},
        {"method": "tagging API, by the lab's tag", "asked": 0, "left": 0, "is_independent": True},
        {"method": "lists of the lab's kinds, by tag and name", "asked": 3, "left": 0, "is_independent": True},
        {"method": "AWS's scheduler, for dead-man's switches of the lab", "asked": 0, "left": 0},
    ]
    proof = {
        "proved_at": now.isoformat(),
        "account": "200000000001",
        "region": "us-east-1",
        "fenced_at": now.isoformat(),
    }
    proof |= {"proved_at": now.isoformat(), "rows": [row], "methods": methods, "left": []}
    Launch.objects.filter(pk=launch.pk).update(ended_at=now, certificate=proof)
    return launch


def test_the_certificate_is_kept_as_text_and_as_pdf_with_its_two_independent_methods(signed_in, aye, proved):
    client = signed_in(aye)
    finished = client.get(reverse("labs:panel", args=[proved.pk])).content.decode()
    text, pdf = (reverse(f"labs:{name}", args=[proved.pk]) for name in ("certificate", "certificate_pdf"))
    assert f'href="{text}"' in finished and f'href="{pdf}"' in finished
    told = client.get(text)
    said = told.content.decode()
    assert "Started by   Aye, aye@example.org" in said and "S3 bucket: lab-1-bucket" in said
    assert said.count("(independent)") == 2 and "switches of the lab: 0 looked at, 0 left" in said
    assert "Credentials  revoked at 2025-09-18 08:17:00 UTC" in said
    assert re.findall(r"T\d\d:\d\d|[+]\d\d:\d\d", said) == [], "one zone, to the second"
    answer = client.get(pdf)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="lightsout-{proved.pk}.pdf"'
    read = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content), strict=True).pages)
    squeezed = re.sub(r"\s", "", read)
    for line in said.splitlines():
        assert re.sub(r"\s", "", line) in squeezed


def test_a_lab_without_a_certificate_has_none_in_any_form(signed_in, aye, launch):
    client = signed_in(aye)
    for name in ("certificate", "certificate_pdf"):
        assert client.get(reverse(f"labs:{name}", args=[launch.pk])).status_code == 404


# --- what no lab made -------------------------------------------------------------------------------------------

BOX = {"type": "t3.medium", "platform": "linux", "spot": False, "disks": [], "public_ips": 0}


@pytest.fixture
def boxes(aye, cohort, now, clock):
    """Two instances that aye made by hand an hour ago, and a third that is off. The meter stands half an hour back."""
    pricebook.load()
    account = Account.objects.get(owner=aye)
    seen = [Seen(RUNNING, f"i-{n}", f"box-{n}", now, BOX) for n in (1, 2)] + [Seen(STOPPED, "i-3", "off", now, BOX)]
    rows = ledger.enter_strangers([(account, "ec2-instance", one, "us-east-1") for one in seen], now)
    clock.move_to(now + timedelta(minutes=30))
    for row, one in zip(rows, seen, strict=True):
        ledger.saw(row, one, now + timedelta(minutes=30))
    metering.meter(now + timedelta(minutes=30))
    clock.move_to(now + timedelta(hours=1))
    return rows


def test_today_shows_what_a_student_made_by_hand_and_what_it_costs(signed_in, aye, boxes):
    said = words(signed_in(aye), "portal:today")
    assert "2 on, made by hand; no clock ends them" in said
    assert "$0.08/h" in said
    assert reverse("costs:mine") + "#by" in signed_in(aye).get(reverse("portal:today")).content.decode()


def test_today_says_nothing_of_things_made_by_hand_that_are_off(signed_in, aye, boxes):
    Resource.objects.update(seen=STOPPED)
    assert "made by hand" not in words(signed_in(aye), "portal:today")


def test_the_budget_on_today_is_the_one_on_my_costs_also_between_two_meterings(signed_in, aye, cohort, boxes):
    """Half an hour metered, half an hour of estimate: 2 x $0.0416."""
    client = signed_in(aye)
    assert "My budget $0.08 of $25.00" in words(client, "costs:mine")
    assert "My budget $0.08 of $25.00" in words(client, "portal:today")


def test_what_is_metered_is_told_apart_from_the_estimate_and_what_nobody_sees_live_is_named(
    signed_in, aye, launch, now, clock
):
    """Half an hour is metered; the rest is told to be estimated, and requests not to be in it."""
    pricebook.load()
    box = Resource.objects.get(key="box")
    ledger.saw(box, Seen(RUNNING, "i-1", "box", now, BOX), now)
    bucket = {"bytes": {}, "not_accrued": "Requests to S3"}
    ledger.saw(Resource.objects.get(key="bucket"), Seen(RUNNING, "b", "b", now, bucket), now)
    ledger.confirm([box.pk], now + timedelta(minutes=30))
    metering.meter(now + timedelta(minutes=30))
    clock.move_to(now + timedelta(minutes=40))
    client = signed_in(aye)
    said = words(client, "labs:panel", launch.pk)
    assert "Spent so far $0.0277" in said
    assert "$0.0208 of it is metered, up to 15:17" in said and "the rest is our estimate." in said
    assert "Not counted live: Requests to S3. Not counted is not free." in said
    readings = words(client, "costs:readings", launch.resources.get(key="bucket").pk)
    assert "Not counted live: Requests to S3. Not counted is not free." in readings
    assert "Not counted live" not in words(client, "costs:readings", box.pk)
