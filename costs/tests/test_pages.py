"""The pages about money: what they show, who sees them, and what pressing something does."""

import csv
import json
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.urls import reverse

from costs import forgotten, metering, scopes
from costs.models import Finding
from costs.templatetags.meter import round_usd
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, endpoint, instance, notebook, stranger
from costs.views import ticks_of
from labs import launching, ledger
from labs.kinds.base import STOPPED
from labs.models import Event, Launch, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal
SLUG = "aws-ml-sep-2025"


@pytest.fixture
def told(db):
    return scopes.tell(
        SCOPE,
        name=SLUG,
        title="September 2025",
        student_usd=D(25),
        cohort_usd=D(500),
        look_ahead_until=NOW + 2 * DAY,
        ends_at=NOW + 16 * DAY,
    )


@pytest.fixture
def left_on(told, ayes):
    """A box in another region, an endpoint, a stopped notebook and a free security group, all made by hand."""
    rows = {
        "box": stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - 26 * HOUR), NOW, region="ap-southeast-1"),
        "ep": stranger(ayes, "sagemaker-endpoint", endpoint(since=NOW - 3 * HOUR), NOW),
        "off": stranger(ayes, "sagemaker-notebook", notebook(STOPPED, name="off"), NOW),
        "sg": stranger(ayes, "security-group", worlds.free(), NOW),
    }
    metering.meter(NOW)
    forgotten.judge(NOW)
    return rows


def page(client, who, name, /, *args, **query):
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse(f"costs:{name}", args=args), query)


def press(client, who, name, /, **fields):
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client.post(reverse(f"costs:{name}"), fields, follow=True)


def words(response):
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def wanted(row):
    return Resource.objects.get(pk=row.pk).wanted


# --- who sees what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spend", "spend_csv", "forgotten", "lights_out"])
def test_a_student_has_no_such_page(client, aye, teacher, told, name):
    assert page(client, aye, name).status_code == 404
    assert page(client, teacher, name).status_code == 200


@pytest.mark.parametrize("name", ["spend", "forgotten", "mine", "mine_csv", "turn_off", "snooze", "lights_out"])
def test_who_is_not_signed_in_is_asked_to(client, name):
    response = client.get(reverse(f"costs:{name}"))
    assert response.status_code == 302 and "login" in response.url


def test_another_scopes_things_do_not_exist(client, teacher, told, aye):
    elsewhere = worlds.account_of(aye, number=8, scope="f" * 32, mode="own")
    row = stranger(elsewhere, "ec2-instance", instance(name="secret"), NOW)
    forgotten.judge(NOW)
    assert "secret" not in words(page(client, teacher, "forgotten"))
    assert "secret" not in words(page(client, teacher, "spend"))
    assert press(client, teacher, "turn_off", only=row.pk, confirm="yes").status_code == 404
    assert page(client, teacher, "readings", row.pk).status_code == 404
    assert wanted(row) == "running"


def test_a_student_turns_off_their_own_and_nobody_elses(client, aye, bo, left_on):
    assert press(client, bo, "turn_off", stop=left_on["box"].pk).status_code == 404
    assert wanted(left_on["box"]) == "running"
    response = press(client, aye, "turn_off", stop=left_on["box"].pk)
    assert response.redirect_chain[-1][0] == reverse("costs:mine")
    assert wanted(left_on["box"]) == "stopped"


@pytest.mark.parametrize("name", ["remind", "snooze", "wake"])
def test_reminding_and_putting_off_are_not_the_owners(client, aye, left_on, name):
    assert press(client, aye, name, only=left_on["box"].pk, confirm="yes", until="24").status_code == 404
    assert not Finding.objects.exclude(snoozed_until=None).exists()


@pytest.mark.parametrize("name", ["wake", "remind"])
def test_what_changes_something_is_never_a_link(client, teacher, name):
    assert page(client, teacher, name).status_code == 405


# --- spend -------------------------------------------------------------------------------------------------------


def test_the_spend_page_says_what_the_figures_say(client, teacher, left_on):
    response = page(client, teacher, "spend")
    said = words(response)
    assert "Burning now" in said and "2 resources" not in said
    assert "September 2025" in said
    assert "Aye" in said and "Left on" in said
    figure = json.loads(
        re.search(r'id="spend-figure" type="application/json">(.*?)</script>', response.content.decode())[1]
    )
    drawn = sum(sum(trace["y"]) for trace in figure["data"])
    assert drawn == pytest.approx(float(response.context["page"].spent_usd), abs=0.01)
    assert figure["data"][0]["marker"]["pattern"]["shape"][-1] == "/", "today is not over"
    rows = [cell for cell in response.context["table"] if cell[0].total]
    assert sum(day.total for day, _ in rows) == response.context["page"].spent_usd


def test_what_was_put_off_is_told_as_put_off(client, teacher, left_on):
    forgotten.snooze(left_on.values(), until=NOW + DAY, why="", now=NOW, by=teacher)
    response = page(client, teacher, "spend")
    said = words(response)
    assert "Aye: put off" in said and "1 put off" in said and "Put off $0.17/h" in said
    assert "in a lab" not in said.replace("0 in a lab", "") and "All lights are out" not in said
    assert 'class="is-later" title="Aye, $0.17/h"' in response.content.decode()
    said = words(page(client, teacher, "forgotten"))
    assert "2 put off and still on. Nothing else is left on in 1 account." in said
    assert "All lights are out" not in said


def test_the_chart_needs_no_inline_script_and_one_style_with_a_nonce(client, teacher, left_on):
    response = page(client, teacher, "spend")
    html = response.content.decode()
    nonce = re.search(r'<style id="plotly.js-style-global" nonce="([^"]+)"', html)[1]
    assert f"'nonce-{nonce}'" in response["Content-Security-Policy"]
    assert "style=" not in re.sub(r"data-[a-z-]+style=", "", html)
    assert not re.search(r"\son[a-z]+=", html)


def test_a_name_with_a_script_in_it_is_only_a_name(client, teacher, told, ayes):
    stranger(ayes, "ec2-instance", instance(name="<script>alert(1)</script>"), NOW)
    forgotten.judge(NOW)
    for name in ("forgotten", "lights_out"):
        html = page(client, teacher, name).content.decode()
        assert "<script>alert" not in html and "&lt;script&gt;alert" in html


def test_unpriced_is_said_aloud(client, teacher, told, ayes, aye):
    stranger(ayes, "sagemaker-notebook", notebook(type="ml.x9.huge", since=NOW - HOUR, name="odd"), NOW)
    metering.meter(NOW)
    forgotten.judge(NOW)
    assert "has a part without a price" in words(page(client, teacher, "spend"))
    said = words(page(client, teacher, "forgotten"))
    assert "and 1 unpriced" in said and "no price known" in said
    assert "has no price that we know" in words(page(client, aye, "mine"))


def test_a_price_says_where_it_is_from_and_how_sure_it_is(client, teacher, left_on):
    said = words(page(client, teacher, "forgotten"))
    assert "at $0.115 per Hrs, us-east-1, list, read" in said


def test_the_spend_csv_adds_up_to_the_page(client, teacher, left_on):
    response = page(client, teacher, "spend_csv")
    lines = list(csv.DictReader(response.getvalue().decode("utf-8-sig").splitlines()))
    assert {line["person"] for line in lines} == {"Aye"}
    assert sum(D(line["usd"]) for line in lines) == page(client, teacher, "spend").context["page"].spent_usd


def test_a_spreadsheet_does_not_run_a_persons_name(client, teacher, told):
    mallory = worlds.person("Mallory")
    mallory.name = "=cmd|' /C calc'!A0"
    mallory.save()
    stranger(worlds.account_of(mallory, number=4), "ec2-instance", instance(since=NOW - HOUR), NOW)
    metering.meter(NOW)
    assert b"'=cmd" in page(client, teacher, "spend_csv").getvalue()


# --- forgotten ---------------------------------------------------------------------------------------------------


def test_the_forgotten_page_lists_with_owner_region_price_and_reason(client, teacher, left_on):
    said = words(page(client, teacher, "forgotten"))
    assert "2 lights are still on" in said
    for part in (
        "box",
        "Aye",
        "ap-southeast-1",
        "In ap-southeast-1, where no lab runs",
        "Off or free, but left behind",
    ):
        assert part in said, part
    saved = (D("0.115") + page(client, teacher, "forgotten").context["page"].lights[1].rate.usd_per_hour) * 48
    assert f"${saved:.2f}" in said


def test_stop_is_one_press_and_delete_asks_first(client, teacher, left_on):
    response = press(client, teacher, "turn_off", stop=left_on["box"].pk)
    assert "Asked to stop 1." in words(response)
    assert wanted(left_on["box"]) == "stopped"
    assert "Going off" in words(response)

    asked = words(press(client, teacher, "turn_off", only=left_on["ep"].pk))
    assert "Turn off 1 resource?" in asked and wanted(left_on["ep"]) == "running"
    assert "Delete it" in asked and "Stop 1" not in asked, "no mild word for what does not come back"
    press(client, teacher, "turn_off", r=left_on["ep"].pk, confirm="yes", act="turn_off")
    assert wanted(left_on["ep"]) == "gone"
    assert Event.objects.filter(resource=left_on["ep"], actor=teacher, code="asked").exists()


def test_several_at_once_each_by_its_mildest_act_or_all_deleted(client, teacher, left_on):
    both = [left_on["box"].pk, left_on["ep"].pk]
    said = words(press(client, teacher, "turn_off", r=both))
    assert "Turn off 2 resources?" in said and "Stop 1 and delete 1" in said and "Delete all 2" in said
    press(client, teacher, "turn_off", r=both, confirm="yes", act="turn_off")
    assert (wanted(left_on["box"]), wanted(left_on["ep"])) == ("stopped", "gone")
    press(client, teacher, "turn_off", r=[left_on["box"].pk, left_on["sg"].pk], confirm="yes", act="delete")
    assert (wanted(left_on["box"]), wanted(left_on["sg"])) == ("gone", "gone")


def test_a_stop_of_what_is_stopped_already_becomes_a_question(client, teacher, left_on):
    said = words(press(client, teacher, "turn_off", stop=left_on["off"].pk))
    assert "Turn off 1 resource?" in said
    assert wanted(left_on["off"]) == "running"


def test_something_that_went_meanwhile_is_no_error(client, teacher, left_on):
    worlds.gone(left_on["box"], NOW)
    response = press(client, teacher, "turn_off", stop=left_on["box"].pk)
    assert response.status_code == 200 and "Nothing is selected that is still there" in words(response)


@pytest.mark.parametrize("pk", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_never_was_does_not_exist(client, teacher, told, pk):
    assert press(client, teacher, "turn_off", only=pk).status_code == 404


def test_remind_tells_once_and_says_so(client, teacher, left_on):
    assert "gets a mail" in words(press(client, teacher, "remind", only=left_on["box"].pk))
    assert "reminded lately" in words(press(client, teacher, "remind", only=left_on["box"].pk))
    assert len(forgotten.reminders_due()) == 1


def test_snooze_asks_how_long_and_why_and_can_be_taken_back(client, teacher, left_on):
    asked = words(press(client, teacher, "snooze", only=left_on["box"].pk))
    assert "To the next session" in asked
    said = words(
        press(client, teacher, "snooze", r=left_on["box"].pk, confirm="yes", until="session", why="Aye trains")
    )
    assert "1 light is still on" in said and "Aye trains" in said
    assert "2 lights are still on" in words(press(client, teacher, "wake", only=left_on["box"].pk))


def test_what_is_going_off_already_is_neither_reminded_of_nor_put_off(client, teacher, left_on):
    before = page(client, teacher, "forgotten").content.decode()
    assert "Remind Aye of box" in before and "Snooze box" in before
    after = press(client, teacher, "turn_off", stop=left_on["box"].pk).content.decode()
    assert "Going off" in after
    assert "Remind Aye of box" not in after and "Snooze box" not in after
    assert "Remind Aye of ep" in after and "Snooze ep" in after

    said = words(press(client, teacher, "remind", r=[left_on["box"].pk, left_on["ep"].pk]))
    assert "1 resource: the owner gets a mail" in said and "1 resource not: it is going off already" in said
    asked = words(press(client, teacher, "snooze", r=[left_on["box"].pk, left_on["ep"].pk]))
    assert "Put off 1 resource?" in asked and "1 resource not: going off already." in asked
    said = words(press(client, teacher, "snooze", only=left_on["box"].pk, confirm="yes", until="24"))
    assert "1 resource not: going off already." in said
    touched = Finding.objects.filter(resource=left_on["box"]).exclude(snoozed_until=None, reminder_asked_at=None)
    assert not touched.exists()


def test_all_lights_out(client, teacher, told, ayes):
    ayes.looked_at = NOW
    ayes.save()
    said = words(page(client, teacher, "forgotten"))
    assert "All lights are out" in said and "Nothing is left on in 1 account." in said


def test_an_account_not_seen_whole_is_no_proof_that_all_is_out(client, teacher, told, ayes):
    ayes.census_trouble = "ec2-instance in us-east-1: AWS did not answer"
    ayes.save()
    said = words(page(client, teacher, "forgotten"))
    assert "1 account did not answer since" in said and "Nothing that we know of is left on." in said
    ayes.census_trouble = "ec2-instance in us-east-1: AWS does not let the portal do this: DescribeInstances"
    ayes.save()
    said = words(page(client, teacher, "forgotten"))
    assert "1 account was not seen whole since" in said
    assert "AWS does not let the portal do this: DescribeInstances: EC2 instance in us-east-1." in said


def test_an_outage_is_one_alert_in_words_for_people_and_the_head_is_honest(client, teacher, left_on):
    """As the census writes it, its words cut after a thousand letters in the middle of one."""
    kinds = ("ami", "api-gateway-http", "ec2-instance", "ebs-volume", "s3-bucket", "vpc")
    lists = [f"{kind} in {region}" for kind in kinds for region in ("us-east-1", "ap-southeast-1")]
    parts = [f"{where}: AWS did not answer (EndpointConnectionError)" for where in lists]
    for number in range(2, 28):
        silent = "; ".join(parts)[:-30] if number > 2 else "; ".join(parts[:2])
        who = worlds.person(f"P{number}")
        worlds.account_of(who, number=number, census_trouble=silent, looked_at=NOW - HOUR)
    response = page(client, teacher, "forgotten")
    html, said = response.content.decode(), words(response)
    assert html.count('class="alert') == 1
    assert "26 accounts did not answer since Thu 18 Sep, 13:47" in said
    assert "1 of 27 accounts looked into by Thu 18 Sep, 14:47 ; the others could not be." in said
    assert "Every account looked into" not in said
    details = html[html.index('<details class="mt-1">') :]
    assert "6 kinds of resources or more in us-east-1 and ap-southeast-1" in details
    assert "EndpointConnectionError" not in html and "api-gateway-http" not in html
    assert html.index("Which, and why") < html.index("2 lights are still on")


def polled(client, who, name, target):
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse(f"costs:{name}"), headers={"HX-Request": "true", "HX-Target": target})
    html = answer.content.decode()
    assert "<html" not in html and f'id="{target}"' in html
    return answer.status_code, "every 5s" in html, words(answer)


@pytest.mark.parametrize(("name", "target"), [("forgotten", "left-on"), ("mine", "by-hand")])
def test_what_goes_off_goes_dark_by_itself_and_then_nobody_hurries(client, teacher, aye, left_on, name, target):
    who = teacher if name == "forgotten" else aye
    assert "every 5s" not in page(client, who, name).content.decode(), "nothing moves by itself"
    launching.ask_to_stop([left_on["box"]], now=NOW, by=who)
    assert f'id="{target}" hx-get="{reverse(f"costs:{name}")}"' in page(client, who, name).content.decode()
    status, asks_again, said = polled(client, who, name, target)
    assert (status, asks_again) == (200, True) and "Going off" in said
    worlds.gone(left_on["box"], NOW)
    status, asks_again, said = polled(client, who, name, target)
    # What is left on may become more at any time; of one's own nothing does without one's doing.
    assert (status, asks_again) == (200 if name == "forgotten" else 286, False)
    assert "Going off" not in said and " ep " in said


def test_a_poll_leaves_what_is_checked_and_asks_rarely_for_what_waits_for_a_person(client, teacher, left_on):
    launching.ask_to_delete([left_on["ep"]], now=NOW, by=teacher)
    html = page(client, teacher, "forgotten").content.decode()
    assert f'id="r-{left_on["box"].pk.hex}" hx-preserve name="r"' in html and 'id="r-all" hx-preserve' in html
    Resource.objects.filter(pk=left_on["ep"].pk).update(blocked_why="AWS does not let us", next_look_at=NOW + HOUR)
    assert "every 30s" in page(client, teacher, "forgotten").content.decode()


def test_my_costs_say_when_the_last_of_it_is_off(client, aye, told, ayes):
    box = stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    launching.ask_to_stop([box], now=NOW, by=aye)
    worlds.gone(box, NOW)
    status, asks_again, said = polled(client, aye, "mine", "by-hand")
    assert (status, asks_again) == (286, False) and "AWS shows it off." in said


# --- lights out --------------------------------------------------------------------------------------------------


def test_lights_out_checks_the_typed_name_on_the_server(client, teacher, left_on):
    for name in ("", "aws-ml", SLUG.upper()):
        response = press(client, teacher, "lights_out", scope=SCOPE, name=name)
        assert "That is not the name. Nothing was turned off." in words(response)
    assert wanted(left_on["box"]) == "running"
    said = words(press(client, teacher, "lights_out", scope=SCOPE, name=f" {SLUG} "))
    assert "2 resources asked to go off" in said
    assert {name: wanted(row) for name, row in left_on.items()} == {
        "box": "stopped",
        "ep": "gone",
        "off": "running",
        "sg": "running",
    }


def test_forgotten_and_lights_out_tell_one_number_of_labs(client, teacher, left_on, aye, ayes):
    worlds.launch(aye, ayes, NOW - HOUR, role="iam-role")
    nb = worlds.row_of(worlds.launch(aye, ayes, NOW - HOUR, slug="another", nb="sagemaker-notebook"), "nb")
    worlds.saw(nb, notebook(name="mine"), NOW)
    said = words(page(client, teacher, "forgotten"))
    assert "2 labs in use End them too…" in said and "2 labs in use now Leave them on." in said
    asked = words(page(client, teacher, "lights_out"))
    assert "2 labs in use now Leave them on." in asked and "End them too: the whole cohort goes dark." in asked


def test_a_cohort_in_which_only_labs_are_on_can_be_put_out_as_a_whole(client, teacher, told, aye, ayes):
    """The default ends nothing that is in use, and says so beside the choice that does."""
    made = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook")
    html = page(client, teacher, "forgotten").content.decode()
    assert f'href="{reverse("costs:lights_out")}"' in html, "no light is forgotten, and the way is there"
    [default] = re.findall(
        r'<input[^>]*name="include_in_use"[^>]*checked>', page(client, teacher, "lights_out").content.decode()
    )
    assert 'value=""' in default
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG, include_in_use="")
    assert Launch.objects.get(pk=made.pk).asked_to_end_at is None
    said = words(press(client, teacher, "lights_out", scope=SCOPE, name=SLUG, include_in_use="on"))
    assert Launch.objects.get(pk=made.pk).asked_to_end_at == NOW
    assert "1 resource asked to go off. 1 lab is ended: credentials are revoked first." in said
    assert "Labs in use were ended too" in said


def test_lights_out_says_what_it_leaves_on_and_what_that_costs(client, teacher, left_on, ayes):
    stranger(ayes, "ebs-volume", worlds.volume(since=NOW - 9 * HOUR, name="disk"), NOW)
    forgotten.judge(NOW)
    forgotten.snooze([left_on["ep"]], until=NOW + DAY, why="", now=NOW, by=teacher)
    for name in ("forgotten", "lights_out"):
        said = words(page(client, teacher, name))
        told = said[said.index("Stays on:") : said.index("Type the cohort")]
        assert "Stays on: 3, $0.13/h" in told, name
        assert "ep SageMaker endpoint, Aye Put off to" in told and "0.1150" in told
        assert "disk EBS volume, 100 GB gp3, Aye It has no Stop: only Delete ends it." in told and "0.0111" in told
        assert "Stopped already. What it keeps still costs. 0.0010" in told
        assert "box" not in told and " sg" not in told, "one goes off, the other is free"
    said = words(press(client, teacher, "lights_out", scope=SCOPE, name=SLUG))
    assert "1 resource asked to go off" in said
    assert "Still costing money: 3 resources without a Stop, put off, or stopped with a disk." in said


def test_the_forgotten_page_says_why_lights_stay_on_after_lights_out(client, teacher, told, ayes):
    box = stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    stranger(ayes, "ebs-volume", worlds.volume(since=NOW - 9 * HOUR, name="old-data"), NOW)
    forgotten.judge(NOW)
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG)
    said = words(page(client, teacher, "forgotten"))
    assert "2 lights are still on" in said and "1 is going off: dark here once AWS shows it." in said
    why = "Lights out leaves 1 on: old-data . It has no Stop; only Delete ends it."
    assert why in said
    worlds.gone(box, NOW)
    response = page(client, teacher, "forgotten")
    assert why in words(response) and "is going off" not in words(response)


def test_lights_out_deletes_disks_where_it_is_told_to(client, teacher, told, ayes):
    disk = stranger(ayes, "ebs-volume", worlds.volume(since=NOW - 9 * HOUR, name="old-data"), NOW)
    forgotten.judge(NOW)
    assert "Delete all of it instead" in words(page(client, teacher, "lights_out"))
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG)
    assert Resource.objects.get(pk=disk.pk).wanted == "running"
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG, delete_all="on")
    assert Resource.objects.get(pk=disk.pk).wanted == "gone"


def test_lights_out_of_what_cannot_be_priced_says_so(client, teacher, told, ayes):
    stranger(ayes, "ebs-volume", worlds.volume(since=NOW - 9 * HOUR, name="odd", type="x9"), NOW)
    forgotten.judge(NOW)
    said = words(page(client, teacher, "lights_out"))
    assert "Stays on: 1, $0.00/h and 1 unpriced" in said


def test_lights_out_leaves_labs_in_use_unless_told(client, teacher, left_on, aye, ayes):
    made = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook")
    row = worlds.saw(worlds.row_of(made, "nb"), notebook(name="mine"), NOW)
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG)
    assert wanted(row) == "running"
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG, include_in_use="on")
    assert wanted(row) == "gone"
    assert Launch.objects.get(pk=made.pk).asked_to_end_at == NOW


def test_lights_out_leaves_what_somebody_put_off(client, teacher, left_on):
    forgotten.snooze([left_on["box"]], until=NOW + DAY, why="", now=NOW, by=teacher)
    press(client, teacher, "lights_out", scope=SCOPE, name=SLUG)
    assert (wanted(left_on["box"]), wanted(left_on["ep"])) == ("running", "gone")


def test_lights_out_of_another_scope_does_not_exist(client, teacher, told):
    scopes.tell("f" * 32, name="another")
    assert press(client, teacher, "lights_out", scope="f" * 32, name="another").status_code == 404


# --- my costs ----------------------------------------------------------------------------------------------------


def test_my_costs_open_from_the_lab_to_the_reading(client, aye, ayes, told):
    made = worlds.launch(aye, ayes, NOW - 2 * HOUR, nb="sagemaker-notebook")
    row = worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0, since=NOW - 2 * HOUR), NOW - HOUR)
    worlds.still_there([row], NOW)
    metering.meter(NOW)
    said = words(page(client, aye, "mine"))
    assert "$0.10 more" in said and "in 2 h" in said
    assert "How we got it" not in said
    opened = words(page(client, aye, "mine", open=made.lab))
    assert "2 Hrs × $0.05" in opened and "list, us-east-1" in opened and "$0.1000" in opened
    readings = words(page(client, aye, "readings", row.pk))
    assert "2 Hrs × $0.05" in readings and "$0.100000" in readings


def test_my_costs_name_what_no_clock_ends_with_a_way_to_end_it(client, aye, left_on):
    said = words(page(client, aye, "mine"))
    assert "On, and no clock ends it" in said and "Stop box" in said and "Delete… ep" in said


def test_what_no_clock_ends_has_the_width_of_the_page_and_its_words_do_not_run_together(client, aye, left_on):
    html = page(client, aye, "mine").content.decode()
    assert html.index('id="by"') < html.index('class="row row-cards'), "above the columns, not squeezed into one"
    [said] = re.findall(r'<li class="list-group-item.*?name="stop".*?</li>', html, flags=re.S)
    assert "/h</span><button" in said and 'class="btn flex-shrink-0"' in said and "lo-sub" not in said


@pytest.mark.parametrize(
    ("most", "axis"),
    [
        ("3.41", ["$1", "$2", "$3", "$4"]),
        ("0.07", ["$0.02", "$0.04", "$0.06", "$0.08"]),
        ("1240", ["$500", "$1,000", "$1,500"]),
        ("0.0004", ["$0.0001", "$0.0002", "$0.0003", "$0.0004"]),
    ],
)
def test_the_chart_of_my_costs_has_round_dollars_at_its_lines(most, axis):
    days = SimpleNamespace(days=[SimpleNamespace(total=D(most)), SimpleNamespace(total=D(0))])
    assert [round_usd(usd) for usd in ticks_of(days)] == axis


def test_the_chart_of_my_costs_is_drawn_to_its_axis(client, aye, left_on):
    response = page(client, aye, "mine")
    axis = response.context["axis"]
    assert axis[-1][1] == "30.0" and f">{round_usd(axis[0][0])}</text>" in response.content.decode()
    tops = [float(y) for bar in response.context["bars"] for y, _, _ in bar["parts"]]
    assert min(tops) >= 30, "no bar is higher than the highest line"


def test_my_costs_before_anything_was_spent(client, aye):
    said = words(page(client, aye, "mine"))
    assert "You have no lab on." in said and "No costs yet" in said


def test_nobody_reads_anothers_readings_but_who_answers_for_them(client, teacher, aye, bo, left_on):
    box = left_on["box"].pk
    statuses = [page(client, who, "readings", box).status_code for who in (aye, bo, teacher)]
    assert statuses == [200, 404, 200]


def test_my_csv_is_every_reading_of_mine(client, aye, bo, left_on):
    def lines(who):
        return list(csv.DictReader(page(client, who, "mine_csv").getvalue().decode("utf-8-sig").splitlines()))

    assert sum(D(line["usd"]) for line in lines(aye)) == page(client, aye, "mine").context["page"].spent_usd
    assert {line["price_confidence"] for line in lines(aye)} <= {"list", "quoted"}
    assert lines(bo) == []


# --- what bounds what is on ------------------------------------------------------------------------------------


def armed(row, at):
    Resource.objects.filter(pk=row.pk).update(switch_at=at)
    return row


def test_a_stranger_says_when_aws_would_turn_it_off_or_that_nothing_does(client, teacher, aye, left_on):
    armed(left_on["box"], NOW + 4 * HOUR)
    said = words(page(client, teacher, "forgotten"))
    box, ep = said.index("box EC2 instance"), said.index("ep SageMaker endpoint")
    by_row = {"ep": said[ep:box], "box": said[box:]} if ep < box else {"box": said[box:ep], "ep": said[ep:]}
    bound = "While we run, only a person turns it off; should we fall silent, AWS does at Thu 18 Sep, 18:47 ."
    assert bound in by_row["box"]
    assert "Unbounded: nothing but a person turns it off." in by_row["ep"]
    mine = words(page(client, aye, "mine"))
    assert bound in mine and "If this server dies" not in said + mine, "the same words in both places"
    assert "Unbounded: nothing but a person turns it off." in mine
    spent = words(page(client, teacher, "spend"))
    assert "1 unbounded : AWS turns it off by no switch of its own" in spent and "Left on $0.17/h 1 unbounded" in spent


@pytest.fixture
def in_lab(told, aye, ayes):
    made = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook", bucket="s3-bucket")
    Resource.objects.filter(launch=made).update(create_began_at=NOW - HOUR)
    row = worlds.saw(worlds.row_of(made, "nb"), notebook(name="mine", since=NOW - HOUR), NOW)
    metering.meter(NOW)
    return row


def test_a_lab_whose_switch_is_not_set_is_unbounded_everywhere(client, teacher, aye, in_lab):
    assert "1 lab in use" in words(page(client, teacher, "forgotten"))
    assert "unbounded: AWS has no switch for 1 of it" in words(page(client, teacher, "forgotten"))
    assert "1 unbounded" in words(page(client, teacher, "spend"))
    said = words(page(client, aye, "mine"))
    assert "At most unbounded AWS does not turn off mine by itself. Only this server does, at 17:47 ," in said
    assert "for at most $0.15 more by then." in said


def test_a_lab_whose_switch_is_set_says_when_aws_ends_it(client, teacher, aye, in_lab):
    armed(in_lab, in_lab.launch.expires_at + 5 * worlds.MINUTE)
    for name in ("forgotten", "spend"):
        assert "unbounded" not in words(page(client, teacher, name)).lower()
    said = words(page(client, aye, "mine"))
    assert "At most $0.15 more" in said and "If this server dies, AWS turns it off at 17:52 ." in said


# --- blocked teardowns -------------------------------------------------------------------------------------------


@pytest.fixture
def stuck(left_on, teacher):
    """The endpoint was asked to go, and AWS does not let it be deleted."""
    launching.ask_to_delete([left_on["ep"]], now=NOW, by=teacher)
    held = ledger.claim(NOW, pk=left_on["ep"].pk)
    ledger.block(held, "AWS does not let the portal do this: DeleteEndpoint (AccessDenied)", NOW + HOUR, NOW)
    return left_on["ep"]


def test_a_blocked_teardown_is_loud_with_its_price_its_reason_and_what_to_do(client, teacher, stuck):
    said = words(page(client, teacher, "forgotten"))
    assert "SageMaker endpoint ep was asked to go, and is still there: $0.12/h ." in said
    assert "What blocks it: AWS does not let the portal do this: DeleteEndpoint (AccessDenied)." in said
    assert "What to do: The portal's role in this account lacks a permission." in said.replace("&#x27;", "'")
    assert "Try again now : ep" in said
    assert "1 resource was asked to go, and cannot be deleted." in words(page(client, teacher, "spend"))


def test_a_blocked_teardown_is_tried_again_at_a_press_by_its_owner_and_by_staff(client, teacher, aye, bo, stuck):
    assert press(client, bo, "try_again", r=stuck.pk).status_code == 404
    stuck.refresh_from_db()
    assert stuck.next_look_at == NOW + HOUR
    for who in (aye, teacher):
        Resource.objects.filter(pk=stuck.pk).update(next_look_at=NOW + HOUR)
        assert "Trying 1 resource again now." in words(press(client, who, "try_again", r=stuck.pk))
        stuck.refresh_from_db()
        assert (stuck.next_look_at, stuck.wanted) == (NOW, "gone")
        assert Event.objects.filter(resource=stuck, actor=who, words__startswith="Another try").count() == 1


def test_what_is_not_blocked_any_more_is_not_tried_twice(client, teacher, left_on):
    assert "it is on its way already" in words(press(client, teacher, "try_again", r=left_on["box"].pk))


def test_a_missing_permission_that_blocks_a_class_fills_no_page(client, teacher, ayes, left_on):
    rows = [stranger(ayes, "sagemaker-endpoint", endpoint(name=f"e{n}"), NOW) for n in range(25)]
    launching.ask_to_delete(rows, now=NOW, by=teacher)
    Resource.objects.filter(pk__in=[row.pk for row in rows]).update(blocked_why="AWS took the delete")
    said = words(page(client, teacher, "forgotten"))
    assert said.count("What blocks it") == 20 and "And 5 more that cannot be deleted" in said
