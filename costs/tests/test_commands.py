"""What an operator types: census, forgotten, load_prices; and Lights out as a function."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from costs import forgotten, metering, scopes, tasks
from costs.lights_out import lights_out
from costs.models import Finding, Metered, Price
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, endpoint, instance, stranger, volume
from labs import aws, kinds, practice
from labs.models import Account, Resource
from labs.tests.cast import CAST, Clock, Cloud

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]


def run(command, *args, **options):
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(command, *args, stdout=out, stderr=err, **options)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def cloud(monkeypatch):
    """A fake AWS of fake kinds alone: one thing in it that nobody launched."""
    clock = Clock(datetime.now(UTC) - timedelta(hours=2))
    made = Cloud(clock)
    monkeypatch.setattr(aws, "client", lambda account, service, region=None, config=None: made)
    kinds.registry()
    monkeypatch.setattr(kinds, "registry", lambda: {fake.name: fake() for fake in CAST})
    monkeypatch.setattr("labs.census.registry", kinds.registry)
    monkeypatch.setattr(practice, "answers", lambda: True)
    monkeypatch.setattr("costs.kinds.registry", kinds.registry)
    fake = CAST[0]()
    made.make(fake, kinds.base.Want("box", fake.name, name="by-hand", token="t"))
    clock.tick(7200)
    return made


def test_a_census_finds_meters_and_judges_what_was_made_by_hand(ayes, cloud):
    ayes.regions = ["us-east-1"]
    ayes.save()
    code, out, _ = run("census", json=True)
    said = json.loads(out)
    assert code == 0
    assert [one["name"] for one in said["strangers"]] == ["by-hand"]
    assert said["findings"] == {"opened": 1, "closed": 0, "open": 1}
    row = Resource.objects.get(name="by-hand")
    assert Metered.objects.get(resource=row).usd == pytest.approx(Decimal("0.0208"), abs=Decimal("0.0001"))
    code, out, _ = run("forgotten", json=True)
    [light] = json.loads(out)["lights"]
    assert (light["name"], light["owner"], light["region"]) == ("by-hand", "aye@school.example", "us-east-1")
    assert (light["usd_per_hour"], light["why"][0]["rule"]) == ("0.0104000000", "stranger")


def test_a_census_without_the_simulator_writes_nothing_and_says_where_it_asked(ayes, settings):
    settings.SIMULATOR_URL = "http://127.0.0.1:9"  # the discard port: nobody answers
    with pytest.raises(CommandError, match="does not answer at http://127.0.0.1:9: nothing was looked at"):
        run("census")
    assert Account.objects.get(pk=ayes.pk).census_trouble == ""


def test_a_census_that_could_not_see_a_part_says_so_and_its_exit_code_too(ayes, cloud):
    def fails(number, operation, when):
        if operation == "List fake-tag" and when == "before":
            raise aws.Denied("not allowed")

    cloud.at = fails
    code, out, err = run("census")
    assert code == 1
    assert "Not seen" in err and "not allowed" in err
    assert "fake-tag" in Account.objects.get(pk=ayes.pk).census_trouble


def test_forgotten_in_words(ayes):
    stranger(ayes, "ec2-instance", instance(), datetime.now(UTC))
    _, out, _ = run("forgotten")
    assert "EC2 instance box  Aye  us-east-1  $0.0425/h  In no lab: made by hand, or by a service" in out
    assert "1 light is on, $0.04/h." in out


def test_forgotten_as_json_has_amounts_of_ten_places_in_plain_notation(ayes):
    stranger(ayes, "ec2-instance", instance(), datetime.now(UTC))
    stranger(ayes, "security-group", worlds.free(), datetime.now(UTC))
    _, out, _ = run("forgotten", "--json")
    told = json.loads(out)
    lines = [told, *told["lights"], *told["behind"]]
    amounts = [line[key] for line in lines for key in ("usd_per_hour", "burned_usd", "by_next_usd") if key in line]
    assert len(amounts) == 8 and all(re.fullmatch(r"[0-9]+\.[0-9]{10}", amount) for amount in amounts), amounts
    assert told["behind"][0]["usd_per_hour"] == "0.0000000000"


def test_prices_are_loaded_once_and_a_broken_file_is_explained(tmp_path):
    Price.objects.all().delete()
    assert "new, 0 corrected" in run("load_prices")[1]
    assert "Prices: 0 new, 0 corrected." in run("load_prices")[1]
    broken = tmp_path / "prices.csv"
    broken.write_text("service,kind,sku,region,unit,usd,as_of,confidence,source\nEC2,k,s,r,Hrs,much,2025,list,x\n")
    with pytest.raises(CommandError, match="line 2: usd is 'much'"):
        call_command("load_prices", str(broken))


def test_the_tasks_meter_and_judge(ayes, monkeypatch):
    row = stranger(ayes, "ec2-instance", instance(), datetime.now(UTC) - timedelta(hours=1))
    worlds.still_there([row], datetime.now(UTC))
    monkeypatch.setattr(aws, "client", lambda *_, **__: pytest.fail("nothing here has a signal that is read"))
    tasks.meter()
    tasks.find_forgotten()
    assert Metered.objects.get(resource=row).usd > Decimal("0.04")
    assert Finding.objects.open().filter(resource=row).exists()


# --- lights out --------------------------------------------------------------------------------------------------


@pytest.fixture
def left_on(ayes):
    scopes.tell(SCOPE, name="aws-ml", look_ahead_until=NOW + DAY)
    rows = [
        stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW),
        stranger(ayes, "sagemaker-endpoint", endpoint(), NOW),
        stranger(ayes, "ebs-volume", volume(since=NOW - 9 * HOUR), NOW),
    ]
    metering.meter(NOW)
    forgotten.judge(NOW)
    return rows


def wanted():
    return {row.kind: row.wanted for row in Resource.objects.all()}


def test_lights_out_stops_what_stops_deletes_what_has_no_stop_and_leaves_disks_to_a_person(left_on, chit):
    outs = lights_out(SCOPE, NOW, chit).outs
    assert [(out.resource.kind, out.act) for out in outs] == [
        ("sagemaker-endpoint", "Delete"),
        ("ec2-instance", "Stop"),
    ]
    assert outs[0].saves_usd == Decimal("0.115") * 24
    assert str(outs[1]).startswith("EC2 instance box of Aye, us-east-1: Stop.")
    assert wanted() == {"ec2-instance": "stopped", "sagemaker-endpoint": "gone", "ebs-volume": "running"}


def test_lights_out_can_delete_all_of_it_disks_too_but_what_was_put_off(left_on, chit, ayes):
    kept = stranger(ayes, "ebs-volume", volume(since=NOW - 9 * HOUR, name="wanted"), NOW)
    forgotten.judge(NOW)
    forgotten.snooze([kept], until=NOW + DAY, why="the exam", now=NOW, by=chit)
    outs = lights_out(SCOPE, NOW, chit, delete_all=True).outs
    assert {(out.resource.pk, out.act) for out in outs} == {(row.pk, "Delete") for row in left_on}
    assert {row.pk: row.wanted for row in Resource.objects.all()} == {
        **{row.pk: "gone" for row in left_on},
        kept.pk: "running",
    }


def test_lights_out_may_only_pretend(left_on):
    assert len(lights_out(SCOPE, NOW, None, pretend=True).outs) == 2
    assert set(wanted().values()) == {"running"}


def test_lights_out_twice_asks_for_nothing_twice(left_on, chit):
    lights_out(SCOPE, NOW, chit)
    assert lights_out(SCOPE, NOW, chit).outs == []


def test_lights_out_of_one_scope_leaves_others_alone(left_on, bo):
    elsewhere = worlds.account_of(bo, number=6, scope="f" * 32)
    other = stranger(elsewhere, "ec2-instance", instance(name="other"), NOW)
    forgotten.judge(NOW)
    lights_out(SCOPE, NOW, None)
    assert Resource.objects.get(pk=other.pk).wanted == "running"
