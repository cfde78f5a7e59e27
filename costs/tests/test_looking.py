"""From a sum down to what it is made of: a person, their labs, the resources, the readings. Each level adds up."""

import re
from datetime import date
from decimal import Decimal
from itertools import groupby

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q, Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costs import metering, scopes
from costs.dashboard import drill
from costs.dashboard.close_out import close_out
from costs.models import Alert, DailySpend, Metered, Reading
from costs.narrowing import Part
from costs.tests import worlds
from costs.tests.test_dashboard import a_class, running_lab
from costs.tests.test_pages import page, words
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, endpoint, instance, notebook, stranger
from labs import ledger
from labs.models import Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal
TODAY = date(2025, 9, 18)


@pytest.fixture
def used(aye, ayes, bo):
    """Aye: two launches, one of them over, a box and an endpoint by hand, days long. Bo: a box."""
    scopes.tell(SCOPE, name="sep", title="September 2025", student_usd=D(25))
    over = worlds.launch(aye, ayes, NOW - 50 * HOUR, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(over, "nb"), notebook(disk_gb=0, since=NOW - 50 * HOUR, name="first"), NOW - 50 * HOUR)
    for at in range(49, 40, -1):
        worlds.still_there([worlds.row_of(over, "nb")], NOW - at * HOUR)
        metering.meter(NOW - at * HOUR)
    worlds.gone(worlds.row_of(over, "nb"), NOW - 40 * HOUR)
    over.ended_at = NOW - 40 * HOUR
    over.save()
    on = running_lab(aye, ayes, NOW - 2 * HOUR, seen=notebook(since=NOW - 2 * HOUR, name="second"))
    box = stranger(ayes, "ec2-instance", instance(since=NOW - 3 * DAY), NOW)
    stranger(ayes, "sagemaker-endpoint", endpoint(since=NOW - 26 * HOUR), NOW, region="ap-southeast-1")
    stranger(ayes, "security-group", worlds.free(), NOW)
    odd = stranger(ayes, "sagemaker-notebook", notebook(type="ml.x9.huge", since=NOW - HOUR, name="odd"), NOW)
    stranger(worlds.account_of(bo, number=2), "ec2-instance", instance(since=NOW - DAY, name="bos"), NOW)
    metering.meter(NOW)
    return {"over": over, "on": on, "box": box, "odd": odd}


def total(lines):
    return lines.aggregate(usd=Sum("usd"))["usd"] or D(0)


def test_a_person_is_their_days_and_their_labs_and_what_they_made_by_hand(used, aye):
    found = drill.person_page(*drill.of_person([SCOPE], str(aye.pk)), NOW)
    assert found.spent_usd == total(DailySpend.objects.filter(owner=aye)) == found.labs_usd + found.by_hand.usd
    assert found.spent_usd == total(Reading.objects.filter(resource__owner=aye)) > 0
    assert [one.launch for one in found.labs] == [used["on"], used["over"]]
    assert found.by_hand.number == 4 and found.by_hand.unpriced_seconds == 3600 == found.unpriced_seconds
    on, over = found.labs
    assert over.usd == D("0.4999305556"), "ten hours but five seconds"
    assert over.mean_usd_per_hour == D("0.04999305556")
    assert on.burning.lights == 1 and over.burning.lights == 0


def test_a_launch_is_its_resources_and_a_resource_is_its_meters_and_readings(used, aye):
    for one in drill.person_page(*drill.of_person([SCOPE], str(aye.pk)), NOW).labs:
        resources = drill.resources_of(Resource.objects.filter(launch=one.launch))
        assert drill.total_of(resources) == one.usd > 0
        for each in resources:
            assert sum(item.usd for item in each.items) == each.usd
            assert total(Reading.objects.filter(resource=each.row)) == each.usd
    by_hand = drill.resources_of(Resource.objects.filter(owner=aye, launch=None))
    assert drill.total_of(by_hand) == sum(Metered.objects.get(resource=one.row).usd for one in by_hand)
    assert sum(item.usd or 0 for one in by_hand for item in one.items) == drill.total_of(by_hand)
    assert [one.name for one in by_hand if one.is_free] == ["sg"]


def test_every_cell_of_the_table_is_the_sum_of_what_it_opens_to(client, teacher, used, aye):
    """As a reader does it: each link in the table of the spend page is followed, and each row of what it opens to."""
    response = page(client, teacher, "spend")
    cells = {(day.day, service): usd for day, parts in response.context["table"] for service, usd in parts if usd}
    assert len(cells) > 5
    links = set(re.findall(r'href="(/[^"]*/days/[^"]+)"', response.content.decode()))
    opened = {}
    for link in links:
        there = client.get(link.replace("&amp;", "&"))
        shown, service = there.context["page"], there.context["part"].service
        assert shown.usd == sum(one.usd or 0 for one in there.context["lines"])
        opened[shown.day, service] = shown.usd
        for one in there.context["lines"]:
            readings = client.get(reverse("costs:readings", args=[one.row.pk]), {"day": shown.day.isoformat()})
            assert (readings.context["day_usd"] or 0) == (one.usd or 0)
            assert sum(each.usd or 0 for each in readings.context["shown"]) == (one.usd or 0)
    assert {key: usd for key, usd in opened.items() if key[1] and usd} == cells
    for day, usd in ((day, usd) for (day, service), usd in opened.items() if not service):
        assert usd == sum(line.usd for line in DailySpend.objects.filter(day=day))
    assert {day for day, _ in cells} == {day for day, service in opened if not service}


def test_a_part_of_a_day_is_of_the_part(client, teacher, used, aye):
    whole = page(client, teacher, "day", "2025-09-18")
    own = page(client, teacher, "day", "2025-09-18", person=aye.pk, service="EC2")
    assert {one.row.owner for one in own.context["lines"]} == {aye}
    assert 0 < own.context["page"].usd < whole.context["page"].usd
    assert "and a part without a price" in words(whole)


def test_the_pages_lead_down_to_the_readings(client, teacher, used, aye):
    html = page(client, teacher, "spend").content.decode()
    assert reverse("costs:person", args=[aye.pk]) in html
    html = page(client, teacher, "person", aye.pk).content.decode()
    for name, args in (("launch", [used["on"].pk]), ("launch", [used["over"].pk]), ("by_hand", [aye.pk])):
        assert reverse(f"costs:{name}", args=args) in html
    assert f"person={aye.pk}" in html, "a day's figure opens to this person's only"
    html = page(client, teacher, "by_hand", aye.pk).content.decode()
    assert reverse("costs:readings", args=[used["box"].pk]) in html and "no price known" in html
    assert f"{aye}</a>" in html, "the way back has the person's name"
    said = words(page(client, teacher, "launch", used["over"].pk))
    assert "× $0.05 = $0.4999" in said and "In all $0.4999" in said


def test_ones_own_costs_go_down_the_same_way_and_nobody_elses_do(client, aye, bo, used):
    opened = page(client, aye, "mine", open="a-lab")
    html = opened.content.decode()
    for launch in (used["on"], used["over"]):
        assert reverse("costs:launch", args=[launch.pk]) in html
    group = next(one for one in opened.context["page"].groups if one.key == "a-lab")
    assert sum(one.usd for one in opened.context["launches"]) == group.usd
    assert page(client, aye, "launch", used["over"].pk).status_code == 200
    own = page(client, aye, "my_day", "2025-09-18")
    assert own.context["page"].usd == total(DailySpend.objects.filter(owner=aye, day=TODAY)) > 0
    assert reverse("costs:person", args=[aye.pk]) not in own.content.decode()
    for name, args in (
        ("launch", [used["over"].pk]),
        ("person", [aye.pk]),
        ("by_hand", [aye.pk]),
        ("day", ["2025-09-18"]),
    ):
        assert page(client, bo, name, *args).status_code == 404
    assert {one.row.name for one in page(client, bo, "my_day", "2025-09-18").context["lines"]} == {"bos"}


def test_my_day_by_service_adds_up_to_my_table(client, aye, used):
    mine = page(client, aye, "mine")
    cells = [(bar["day"].day, service, usd) for bar in mine.context["bars"] for service, usd in bar["cells"] if usd]
    assert cells
    for day, service, usd in cells:
        assert page(client, aye, "my_day", day.isoformat(), service=service).context["page"].usd == usd


@pytest.mark.parametrize(
    ("name", "args", "query"),
    [
        ("day", ["2025-02-30"], {}),
        ("day", ["today"], {}),
        ("day", ["2025-09-18"], {"service": "nonsense"}),
        ("person", ["0"], {}),
        ("person", ["somebody"], {}),
        ("by_hand", ["999999"], {}),
        ("launch", ["00000000-0000-0000-0000-000000000000"], {}),
    ],
)
def test_what_never_was_does_not_exist(client, teacher, used, name, args, query):
    assert page(client, teacher, name, *args, **query).status_code == 404


def test_a_day_of_readings_that_is_none_does_not_exist(client, teacher, used):
    assert page(client, teacher, "readings", used["box"].pk, day="nonsense").status_code == 404


def test_who_spent_nothing_yet_has_a_page_that_is_empty(client, teacher, used, chit):
    """The table of students names them, and leads there."""
    worlds.account_of(chit, number=3)
    table = page(client, teacher, "spend").content.decode()
    assert reverse("costs:person", args=[chit.pk]) in table
    said = page(client, teacher, "person", chit.pk)
    assert said.status_code == 200 and str(chit) in words(said)
    assert page(client, teacher, "by_hand", chit.pk).status_code == 200
    assert page(client, teacher, "spend_csv", person=chit.pk).status_code == 200


def test_somebody_elsewhere_does_not_exist(client, teacher, used, chit):
    elsewhere = worlds.account_of(chit, number=9, scope="f" * 32)
    stranger(elsewhere, "ec2-instance", instance(since=NOW - HOUR, name="secret"), NOW)
    metering.meter(NOW)
    assert page(client, teacher, "person", chit.pk).status_code == 404
    assert "secret" not in words(page(client, teacher, "day", "2025-09-18"))


# --- live --------------------------------------------------------------------------------------------------------


def polled(client, teacher):
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse("costs:spend"), headers={"HX-Request": "true"})


def test_the_spend_page_asks_again_while_something_is_on_and_gets_what_moved(client, teacher, used, aye):
    html = page(client, teacher, "spend").content.decode()
    poll = re.search(r'<section[^>]*id="spend-now"[^>]*>', html)[0]
    assert f'hx-get="{reverse("costs:spend")}"' in poll and 'hx-trigger="every 20s"' in poll
    before = polled(client, teacher)
    assert before.status_code == 200
    worlds.saw(used["box"], instance(type="t3.large"), NOW + MINUTE)
    metering.meter(NOW + MINUTE)
    after = polled(client, teacher).content.decode()
    assert "<html" not in after
    for part in ("spend-board", "students", "spend-days", "spend-legend"):
        found = re.search(rf'<\w+[^>]*id="{part}"[^>]*>', after)
        assert found and 'hx-swap-oob="true"' in found[0], part
        assert f'id="{part}"' in html, "there is something to put it in the place of"
    assert after != before.content.decode()


def test_a_poll_brings_what_went_wrong_meanwhile(client, teacher, aye, ayes):
    scopes.tell(SCOPE, name="sep")
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    assert "cannot be deleted" not in polled(client, teacher).content.decode()
    Alert.objects.create(rule="unusual_day", key="k", scope=SCOPE, sentence="A day far above the others", opened_at=NOW)
    ledger.note("blocked", "It is blocked", NOW, resource=row)
    said = polled(client, teacher).content.decode()
    assert 'id="spend-warnings" hx-swap-oob="true"' in said and "A day far above the others" in said


def test_while_nothing_is_on_the_page_asks_once_a_minute(client, teacher, aye, ayes):
    scopes.tell(SCOPE, name="sep")
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    assert 'hx-trigger="every 20s"' in polled(client, teacher).content.decode()
    worlds.gone(row, NOW)
    metering.meter(NOW)
    assert 'hx-trigger="every 60s"' in polled(client, teacher).content.decode(), "a lab may be started at any time"


# --- queries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [24, 240])
def test_the_way_down_asks_as_many_queries_for_240_people_as_for_24(number, client, teacher):
    scope = scopes.tell(SCOPE, name="sep")
    a_class(number)
    who = get_user_model().objects.get(name="S12")
    launch = who.launches.get()
    asked = {}
    for name, read in {
        "person": lambda: drill.person_page(*drill.of_person([SCOPE], str(who.pk)), NOW),
        "resources": lambda: drill.resources_of(Resource.objects.filter(launch=launch)),
        "day": lambda: drill.of_a_day(drill.day_page(_within(), Part(), TODAY).lines[:200]),
        "close-out": lambda: close_out(scope, NOW),
    }.items():
        with CaptureQueriesContext(connection) as queries:
            assert read()
        asked[name] = len(queries)
    assert asked == {"person": 6, "resources": 4, "day": 3, "close-out": 9}


def _within():
    return Q(resource__scope=SCOPE)


def test_a_group_of_days_is_whole(used):
    """What stands in DailySpend is what its readings come to, day by day and service by service."""
    lines = DailySpend.objects.order_by("day", "service")
    for (day, service), some in groupby(lines, key=lambda line: (line.day, line.service)):
        assert drill.day_page(_within(), Part(service=service), day).usd == sum(line.usd for line in some)


def test_a_day_after_which_there_is_none_does_not_exist(client, teacher):
    scopes.tell(SCOPE, name="sep")
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/costs/days/9999-12-31/").status_code == 404


def test_a_part_of_the_spend_asks_again_for_just_that_part(client, teacher, aye, ayes):
    scopes.tell(SCOPE, name="sep")
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    html = client.get(reverse("costs:spend"), {"week": "", "service": ""}).content.decode()
    asks = re.search(r'id="part-now"[^>]* hx-get="([^"]+)" hx-select="#part-now"', html)[1].replace("&amp;", "&")
    assert 'id="part-now"' in client.get(asks, headers={"HX-Request": "true"}).content.decode()
