"""What the pages say: the right figures, and as many queries for 240 people as for 24."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs import forgotten, metering, scopes
from costs.dashboard import forgotten_page, launch_meter, left_on, meter_chip, my_costs, spend_page
from costs.dashboard.mine import BY_HAND
from costs.lights_out import labs_in_use
from costs.models import Budget, Finding
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, endpoint, instance, notebook, stranger
from labs import launching
from labs.kinds.base import STOPPED
from labs.rehearsal import REHEARSER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
D = Decimal
ELSEWHERE = "e" * 32


def tell(**more):
    told = {"name": "aws-ml-sep-2025", "student_usd": D(25), "cohort_usd": D(500), "look_ahead_until": NOW + 2 * DAY}
    return scopes.tell(SCOPE, **(told | more))


def running_lab(owner, account, at=NOW - HOUR, *, hours=4, seen=None, key="nb", kind="sagemaker-notebook"):
    made = worlds.launch(owner, account, at, hours=hours, **{key: kind})
    worlds.saw(worlds.row_of(made, key), seen or notebook(disk_gb=0, since=at, name=f"nb-{made.pk.hex[:6]}"), at)
    worlds.still_there([worlds.row_of(made, key)], NOW)
    made.ready_at = at
    made.save()
    return made


def judged(now=NOW):
    metering.meter(now)
    forgotten.judge(now)


def a_class(number):
    """Everybody has an account, every third a lab on, every fourth something left on, and a bucket full of nothing."""
    for n in range(1, number + 1):
        who = worlds.person(f"S{n}")
        account = worlds.account_of(who, number=n)
        if n % 3 == 0:
            running_lab(who, account)
        if n % 4 == 0:
            stranger(account, "ec2-instance", instance(since=NOW - DAY, name=f"box-{n}"), NOW)
        stranger(account, "security-group", worlds.free(f"sg-{n}"), NOW)
    judged()


# --- the chip ----------------------------------------------------------------------------------------------------


def test_the_chip_counts_what_is_on_and_what_it_costs_together(aye, ayes, bo):
    running_lab(aye, ayes)
    stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    stranger(worlds.account_of(bo, number=2), "ec2-instance", instance(type="t3.large", disk_gb=0), NOW)
    judged()
    own = meter_chip(owner=aye, now=NOW)
    assert (own.count, own.usd_per_hour) == (2, D("0.0916"))
    everybodys = meter_chip(scopes=[SCOPE], now=NOW)
    assert (everybodys.count, everybodys.usd_per_hour) == (3, D("0.1748"))
    assert meter_chip(scopes=[ELSEWHERE], now=NOW).count == 0


def test_what_was_seen_a_second_ago_is_on_the_chip_before_it_is_metered(aye, ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0), NOW)
    assert meter_chip(owner=aye, now=NOW).usd_per_hour == D("0.05")
    metering.meter(NOW)
    worlds.saw(row, notebook(STOPPED, disk_gb=0), NOW + MINUTE)
    chip = meter_chip(owner=aye, now=NOW + MINUTE)
    assert (chip.count, chip.usd_per_hour) == (0, 0), "stopped: the stale rate of its metering does not count"


def test_what_is_free_or_off_is_no_light_though_its_disk_costs(aye, ayes):
    stranger(ayes, "security-group", worlds.free(), NOW)
    stranger(ayes, "s3-bucket", worlds.Seen("running", "b", "b", None, {"bytes": {"STANDARD": 1000}}), NOW)
    stranger(ayes, "sagemaker-notebook", notebook(STOPPED, disk_gb=50), NOW)
    judged()
    chip = meter_chip(owner=aye, now=NOW)
    assert chip.count == 0
    assert chip.usd_per_hour > D("0.009"), "what it costs counts all the same"


def test_without_a_price_a_light_is_on_all_the_same(aye, ayes):
    stranger(ayes, "sagemaker-notebook", notebook(type="ml.x9.huge", disk_gb=0), NOW)
    before = meter_chip(owner=aye, now=NOW)
    judged()
    assert before == meter_chip(owner=aye, now=NOW)
    assert (before.count, before.unpriced) == (1, 1)


# --- one lab -----------------------------------------------------------------------------------------------------


def test_a_lab_ticks_on_from_its_last_reading(aye, ayes):
    made = running_lab(aye, ayes, NOW - 2 * HOUR, hours=3)
    metering.meter(NOW)
    meter = launch_meter(made, NOW + 30 * MINUTE)
    assert (meter.usd_per_hour, meter.metered_usd, meter.until) == (D("0.05"), D("0.1"), NOW)
    assert meter.estimated_usd == D("0.125")
    assert meter.at_most_more_usd == D("0.025")
    assert (meter.time_left, meter.is_unknown) == (30 * MINUTE, True), "not looked at for half an hour"
    assert launch_meter(made, NOW + MINUTE).is_unknown is False


def test_the_ticking_meets_the_estimate(aye, ayes):
    """What app.js counts up from `metered_usd` at `until` is what the server says at any instant."""
    made = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook", box="ec2-instance")
    nb = worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0, since=NOW - HOUR), NOW - HOUR)
    box = worlds.saw(worlds.row_of(made, "box"), instance(disk_gb=0, since=NOW - HOUR), NOW - HOUR)
    worlds.still_there([nb], NOW)
    worlds.still_there([box], NOW - 2 * MINUTE)
    metering.meter(NOW)
    meter = launch_meter(made, NOW + 10 * MINUTE)
    ticked = meter.metered_usd + meter.usd_per_hour * (D(600) / 3600)
    assert ticked == pytest.approx(meter.estimated_usd, abs=D("1e-9"))


def test_a_lab_with_a_part_that_has_no_price_does_not_pretend(aye, ayes):
    made = running_lab(aye, ayes, seen=notebook(type="ml.x9.huge", disk_gb=0))
    meter = launch_meter(made, NOW)
    assert (meter.usd_per_hour, meter.at_most_more_usd, meter.unpriced_meters) == (None, None, 1)


def test_a_lab_that_is_over_costs_no_more(aye, ayes):
    made = running_lab(aye, ayes)
    launching.ask_to_delete(made, now=NOW, by=aye)
    worlds.gone(worlds.row_of(made, "nb"), NOW + MINUTE)
    made.refresh_from_db()
    made.ended_at = NOW + MINUTE
    made.save()
    metering.meter(NOW + MINUTE)
    meter = launch_meter(made, NOW + DAY)
    assert (meter.usd_per_hour, meter.at_most_more_usd, meter.time_on) == (0, 0, HOUR + MINUTE)
    assert meter.estimated_usd == meter.metered_usd > D("0.05")


def test_up_to_when_a_lab_is_metered_never_goes_back_while_it_is_torn_down(aye, ayes):
    """The notebook was seen last and goes first; the bucket that stays was looked at minutes before."""
    made = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook", box="ec2-instance")
    nb = worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0, since=NOW - HOUR), NOW - HOUR)
    box = worlds.saw(worlds.row_of(made, "box"), instance(disk_gb=0, since=NOW - HOUR), NOW - HOUR)
    worlds.still_there([box], NOW - 3 * MINUTE)
    worlds.still_there([nb], NOW)
    metering.meter(NOW)
    told = [launch_meter(made, NOW).until]
    worlds.gone(nb, NOW + MINUTE)
    told.append(launch_meter(made, NOW + MINUTE).until)
    metering.meter(NOW + 2 * MINUTE)
    told.append(launch_meter(made, NOW + 2 * MINUTE).until)
    worlds.gone(box, NOW + 3 * MINUTE)
    told.append(launch_meter(made, NOW + 3 * MINUTE).until)
    metering.meter(NOW + 4 * MINUTE)
    told.append(launch_meter(made, NOW + 4 * MINUTE).until)
    assert told == sorted(told) and told[0] == NOW


def test_a_lab_before_anything_was_seen(aye, ayes):
    made = worlds.launch(aye, ayes, NOW, nb="sagemaker-notebook")
    meter = launch_meter(made, NOW)
    assert (meter.usd_per_hour, meter.estimated_usd, meter.until, meter.seen_at) == (0, 0, None, None)


def test_a_labs_meter_asks_two_queries(aye, ayes, django_assert_num_queries):
    made = worlds.launch(aye, ayes, NOW, **{f"nb{n}": "sagemaker-notebook" for n in range(9)})
    for row in made.resources.all():
        worlds.saw(row, notebook(name=row.name), NOW)
    with django_assert_num_queries(2):
        launch_meter(made, NOW)


# --- spend -------------------------------------------------------------------------------------------------------


def test_the_spend_page_adds_up(aye, ayes, bo, chit):
    tell(ends_at=NOW + 10 * DAY)
    bos, _ = worlds.account_of(bo, number=2), worlds.account_of(chit, number=3)
    running_lab(aye, ayes, NOW - 2 * HOUR)
    stranger(bos, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    judged()
    page = spend_page([SCOPE], NOW)
    assert page.burning.usd_per_hour == D("3.11")
    assert (page.forgotten_burning.usd_per_hour, page.forgotten_burning.lights) == (D("3.06"), 1)
    assert page.forgotten_by_next_usd == D("3.06") * 48
    assert page.month_usd == page.spent_usd == D("24.58")
    assert (page.budget_usd, page.budget_percent) == (D(500), "5")
    assert (page.on, page.use, page.off) == (1, 1, 1)
    lines = [(row.person.name, row.spent_usd, row.light, row.budget_state) for row in page.people]
    assert lines == [("Bo", D("24.48"), "on", "near"), ("Aye", D("0.1"), "use", ""), ("Chit", 0, "off", "")]
    assert page.people[1].lab.off_at == NOW + 2 * HOUR
    assert [row.person.initials for row in page.board] == ["A", "B"], "who has all off is a number"
    assert page.services == [("EC2", D("24.48")), ("SageMaker", D("0.1"))]
    assert sum(day.total for day in page.days) == D("24.58")
    assert page.projected_left_on_usd - page.projected_off_usd == D("3.06") * 240, "the lab in use goes off by itself"
    assert page.projected_off_usd == page.spent_usd, "no day before this one was typical"


def test_the_typical_day_is_not_the_night_on_which_something_was_forgotten(ayes):
    tell(ends_at=NOW + 10 * DAY)
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - 20 * DAY), NOW)
    stranger(ayes, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 2 * DAY), NOW)
    metering.meter(NOW)
    for one in (row,):
        worlds.gone(one, NOW + MINUTE)
    page = spend_page([SCOPE], NOW)
    assert page.projected_off_usd == pytest.approx(page.spent_usd + D("1.2") * 10, abs=D("0.01"))


def test_a_month_is_a_utc_month_as_aws_bills(ayes):
    first = NOW.replace(day=1, hour=0, minute=0)
    stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0, since=first - 10 * HOUR), NOW)
    metering.meter(NOW)
    page = spend_page([SCOPE], NOW)
    assert page.spent_usd - page.month_usd == D("0.5")


def test_nobodys_spend_has_a_line(db):
    shared = worlds.account_of(None, number=9, mode="shared")
    stranger(shared, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    page = spend_page([SCOPE], NOW)
    assert [(row.person.name, row.spent_usd, row.light) for row in page.people] == [("Nobody’s", D("0.0416"), "on")]


def test_what_was_put_off_is_on_but_neither_left_on_nor_in_a_lab(aye, ayes, bo, chit):
    tell(ends_at=NOW + 10 * DAY)
    bos, chits = worlds.account_of(bo, number=2), worlds.account_of(chit, number=3)
    boxes = [
        stranger(account, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR, name=f"box-{account.pk}"), NOW)
        for account in (ayes, bos, chits)
    ]
    running_lab(bo, bos)
    stranger(chits, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR, name="another"), NOW)
    judged()
    forgotten.snooze(boxes, until=NOW + DAY, why="", now=NOW, by=chit)
    page = spend_page([SCOPE], NOW)
    lights = {row.person.name: row.light for row in page.people}
    assert lights == {"Aye": "later", "Bo": "use", "Chit": "on"}
    assert {person.name: light for person, light in forgotten_page([SCOPE], NOW).board} == lights
    assert (page.on, page.use, page.later, page.off) == (1, 1, 1, 0)
    assert (page.put_off_burning.lights, page.put_off_burning.usd_per_hour) == (3, D("0.0416") * 3)
    assert page.projected_left_on_usd - page.projected_off_usd == D("0.0416") * 4 * 240, "no clock ends them either"
    assert {row.light for row in spend_page([SCOPE], NOW + 2 * DAY).people} == {"on"}


def test_a_scope_sees_its_own_money_only(aye, ayes):
    elsewhere = worlds.account_of(aye, number=5, scope=ELSEWHERE, mode="own")
    stranger(elsewhere, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    page = spend_page([SCOPE], NOW)
    assert (page.burning.usd_per_hour, page.spent_usd, page.forgotten_burning.lights) == (0, 0, 0)
    assert forgotten_page([SCOPE], NOW).lights == []


def test_a_state_not_seen_for_a_quarter_of_an_hour_is_unknown(ayes):
    stranger(ayes, "ec2-instance", instance(), NOW)
    metering.meter(NOW)
    assert spend_page([SCOPE], NOW + 14 * MINUTE).unknown == 0
    page = spend_page([SCOPE], NOW + 16 * MINUTE)
    assert (page.unknown, page.seen_at) == (1, NOW)


def test_a_dress_rehearsal_is_nobody_on_the_pages_but_while_a_light_of_it_is_on(aye, ayes):
    rehearser = get_user_model().objects.create_user(email=REHEARSER.format("-a-lab"), name="Dress rehearsal")
    box = stranger(worlds.account_of(rehearser, number=2), "ec2-instance", instance(since=NOW - HOUR), NOW)
    judged()

    def shown():
        return [
            sorted(row.person.name for row in spend_page([SCOPE], NOW).people),
            sorted(person.name for person, _ in forgotten_page([SCOPE], NOW).board),
        ]

    assert shown() == [["Aye", "Dress rehearsal"]] * 2
    worlds.gone(box, NOW)
    judged()
    assert shown() == [["Aye"]] * 2


def test_somebodys_own_budget_shows_in_their_line(aye, ayes):
    tell()
    Budget.objects.create(kind=Budget.STUDENT, scope=SCOPE, owner=aye, usd=D(60))
    assert spend_page([SCOPE], NOW).people[0].budget_usd == D(60)


# --- forgotten ---------------------------------------------------------------------------------------------------


def test_what_will_cost_most_by_the_next_session_comes_first_and_the_unpriced_before_it(ayes):
    tell()
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - 30 * DAY, name="old"), NOW)
    stranger(ayes, "ec2-instance", instance(type="p3.8xlarge", disk_gb=0, since=NOW - HOUR, name="dear"), NOW)
    stranger(ayes, "sagemaker-notebook", notebook(type="ml.x9.huge", name="odd"), NOW)
    judged()
    page = forgotten_page([SCOPE], NOW)
    assert [one.name for one in page.lights] == ["odd", "dear", "old"]
    odd, dear, old = page.lights
    assert (odd.by_next_usd, page.unpriced) == (None, 1)
    assert (dear.by_next_usd, dear.burned_usd) == (D("12.24") * 48, D("12.24"))
    assert old.burned_usd == D("0.0416") * 720
    assert page.by_next_usd == (D("12.24") + D("0.0416")) * 48
    assert page.until == NOW + 2 * DAY and page.has_session


def test_without_a_next_session_it_looks_a_day_ahead_and_says_so(ayes):
    stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    judged()
    page = forgotten_page([SCOPE], NOW)
    assert (page.until, page.has_session) == (NOW + DAY, False)
    assert page.lights[0].by_next_usd == D("0.0416") * 24


def test_the_loudest_reason_comes_first(ayes):
    row = stranger(ayes, "ec2-instance", instance(), NOW, region="ap-southeast-1")
    judged()
    [one] = forgotten_page([SCOPE], NOW).lights
    assert one.row == row
    assert [finding.rule for finding in one.findings] == ["wrong-region", "stranger"]


def test_what_is_off_or_free_is_left_behind_but_no_light(ayes):
    stranger(ayes, "security-group", worlds.free("sg"), NOW)
    stranger(ayes, "sagemaker-notebook", notebook(STOPPED, name="off"), NOW)
    judged()
    page = forgotten_page([SCOPE], NOW)
    assert page.lights == [] and page.going_out == []
    assert [one.name for one in page.behind] == ["off", "sg"]
    assert left_on([SCOPE], NOW) == 0


def test_what_lights_out_would_turn_off_and_how(ayes):
    stop = stranger(ayes, "ec2-instance", instance(disk_gb=0, name="box"), NOW)
    delete = stranger(ayes, "sagemaker-endpoint", endpoint(), NOW)
    disk = stranger(ayes, "ebs-volume", worlds.volume(since=NOW - 9 * HOUR), NOW)
    judged()
    page = forgotten_page([SCOPE], NOW)
    assert {one.row.pk for one in page.lights} == {stop.pk, delete.pk, disk.pk}
    assert {one.row.pk for one in page.going_out} == {stop.pk, delete.pk}, "a disk has data on it: a person decides"
    launching.ask_to_stop([stop], now=NOW)
    one = next(one for one in forgotten_page([SCOPE], NOW).lights if one.row.pk == stop.pk)
    assert one.is_going and not one.goes_out


def test_a_lab_within_its_time_is_on_on_purpose(aye, ayes):
    made = running_lab(aye, ayes)
    judged()
    page = forgotten_page([SCOPE], NOW)
    assert [(one.launch.pk, one.usd_per_hour) for one in page.on_purpose] == [(made.pk, D("0.05"))]
    assert page.board[0][1] == "use"


def test_a_lab_in_use_is_counted_once_and_everywhere_whether_it_costs_or_not(aye, ayes, bo, chit):
    dear = running_lab(aye, ayes)
    bos = worlds.account_of(bo, number=2)
    free = worlds.launch(bo, bos, NOW - HOUR, role="iam-role")
    worlds.saw(worlds.row_of(free, "role"), worlds.free(), NOW)
    chits = worlds.account_of(chit, number=3)
    idle = worlds.launch(chit, chits, NOW - 2 * HOUR, ep="sagemaker-endpoint", nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(idle, "nb"), notebook(disk_gb=0, name="nb-idle"), NOW)
    ep = worlds.saw(worlds.row_of(idle, "ep"), endpoint(since=NOW - 2 * HOUR), NOW)
    running_lab(bo, bos, NOW - 9 * HOUR, hours=8)
    launching.ask_to_delete(running_lab(bo, bos), now=NOW, by=bo)
    judged()
    Finding.objects.create(resource=ep, rule="idle-endpoint", sentence="No calls for an hour", opened_at=NOW)
    page = forgotten_page([SCOPE], NOW)
    told = [(one.launch, one.usd_per_hour, one.lights, one.left_on) for one in page.on_purpose]
    assert told == [(idle, D("0.165"), 2, 1), (dear, D("0.05"), 1, 0), (free, 0, 0, 0)]
    assert {launch.pk for launch in labs_in_use(SCOPE, NOW)} == {one.launch.pk for one in page.on_purpose}
    assert {person.name: light for person, light in page.board} == {"Aye": "use", "Bo": "on", "Chit": "on"}


def test_the_badge_counts_lights_left_on(ayes, bo):
    row = stranger(ayes, "ec2-instance", instance(), NOW)
    judged()
    assert left_on([SCOPE], NOW) == 1
    forgotten.snooze([row], until=NOW + HOUR, why="", now=NOW, by=bo)
    assert left_on([SCOPE], NOW) == 0
    page = forgotten_page([SCOPE], NOW)
    assert (len(page.lights), len(page.snoozed)) == (0, 1)


def test_an_account_that_nobody_has_looked_into_yet_is_not_among_those_where_all_is_off(ayes, bo):
    new = worlds.account_of(bo, number=2, looked_at=None)
    page = forgotten_page([SCOPE], NOW)
    assert [one.name for one in page.unseen.accounts] == [new.name]
    assert not page.unseen.are_silent and page.unseen.accounts[0].why[0].startswith("Nobody has looked yet")


def test_an_account_that_could_not_be_looked_into_is_told(ayes):
    ayes.census_trouble, ayes.looked_at = "ec2-instance in us-east-1: AWS did not answer", NOW - 2 * HOUR
    ayes.save()
    page = forgotten_page([SCOPE], NOW)
    [unseen] = page.unseen.accounts
    assert (unseen.name, unseen.why) == ("Aye's account", ["AWS did not answer: EC2 instance in us-east-1"])
    assert (page.unseen.are_silent, page.unseen.since, page.seen_by) == (True, NOW - 2 * HOUR, None)
    assert page.looked_long_ago and page.next_look_at == NOW - 2 * HOUR + timedelta(seconds=900)


def test_what_was_caught_so_far_is_what_was_asked_to_go_and_went(ayes):
    row = stranger(ayes, "ec2-instance", instance(since=NOW - 3 * HOUR), NOW)
    by_itself = stranger(ayes, "ec2-instance", instance(since=NOW - 9 * HOUR, name="two"), NOW)
    judged()
    launching.ask_to_delete([row], now=NOW, why="left on")
    worlds.gone(row, NOW + HOUR)
    worlds.gone(by_itself, NOW + HOUR)
    forgotten.judge(NOW + HOUR)
    page = forgotten_page([SCOPE], NOW + HOUR)
    assert (page.caught, page.longest) == (1, 4 * HOUR)


def test_who_teaches_is_no_student_but_has_a_window(aye, ayes, chit):
    tell(staff=[chit.pk])
    stranger(worlds.account_of(chit, number=2), "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    running_lab(aye, ayes)
    judged()
    page = spend_page([SCOPE], NOW)
    assert [row.person.name for row in page.students] == ["Aye"]
    assert [row.person.name for row in page.board] == ["Aye", "Chit"]
    assert (page.students_usd, page.staff_usd) == (D("0.05"), D("0.0416"))
    assert next(row for row in page.people if row.is_staff).budget_usd is None


# --- my own ------------------------------------------------------------------------------------------------------


def test_exposure_is_what_can_still_be_spent_before_it_turns_off(aye, ayes):
    tell(ends_at=NOW + 10 * DAY)
    running_lab(aye, ayes, NOW - 2 * HOUR, hours=3)
    metering.meter(NOW)
    mine = my_costs(aye, NOW)
    assert (mine.at_most_usd, mine.off_by) == (D("0.05"), NOW + HOUR)
    assert (mine.spent_usd, mine.estimate_usd, mine.budget_usd) == (D("0.1"), 0, D(25))
    assert my_costs(aye, NOW + 12 * MINUTE).estimate_usd == D("0.01")


def test_what_no_clock_ends_is_told_apart(aye, ayes):
    stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW)
    mine = my_costs(aye, NOW)
    assert mine.exposures == [] and mine.strangers_usd_per_hour == D("0.0416")


def test_a_lab_with_a_part_without_a_price_can_cost_nobody_knows_how_much(aye, ayes):
    running_lab(aye, ayes, seen=notebook(type="ml.x9.huge"))
    assert my_costs(aye, NOW).at_most_usd is None


def test_every_figure_opens_down_to_what_it_is_made_of(aye, ayes):
    made = running_lab(aye, ayes, NOW - 2 * HOUR)
    running_lab(aye, ayes, NOW - HOUR)
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    metering.meter(NOW)
    mine = my_costs(aye, NOW, open_group=made.lab)
    assert [(group.key, group.usd, group.launches) for group in mine.groups] == [
        ("a-lab", D("0.15"), 2),
        (BY_HAND, D("0.0416"), 0),
    ]
    assert mine.groups[0].time_on == 3 * HOUR
    assert [(item.quantity, item.rate, item.usd) for item in mine.items] == [
        (1, D("0.05"), D("0.05")),
        (2, D("0.05"), D("0.1")),
    ]
    assert sum(item.usd for item in mine.items) == mine.groups[0].usd
    assert mine.items[0].price.confidence == "list"
    by_hand = my_costs(aye, NOW, open_group=BY_HAND)
    assert [(item.title, item.unit) for item in by_hand.items] == [("EC2 instance", "Hrs")]


def test_what_was_made_by_hand_was_on_when_any_of_it_was_and_not_in_between(aye, ayes):
    """An hour of one box, days ago, and three in which one or both of two others were on."""
    for name, began, ended in (("old", 100, 99), ("one", 4, 2), ("two", 3, 1)):
        at = NOW - began * HOUR
        box = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=at, name=name), at)
        worlds.saw(box, instance(STOPPED, disk_gb=0, name=name), NOW - ended * HOUR)
        worlds.still_there([box], NOW)
    stranger(ayes, "security-group", worlds.free(), NOW - 50 * HOUR)
    metering.meter(NOW)
    [by_hand] = my_costs(aye, NOW).groups
    assert by_hand.key == BY_HAND and by_hand.time_on == 4 * HOUR
    box = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW, name="new"), NOW)
    worlds.still_there([box], NOW + 4 * MINUTE)
    metering.meter(NOW + 4 * MINUTE)
    [by_hand] = my_costs(aye, NOW + 4 * MINUTE).groups
    assert by_hand.time_on == 4 * HOUR + 4 * MINUTE, "a new one adds its own minutes"


def test_nobody_elses_costs_are_mine(aye, ayes, bo):
    running_lab(bo, worlds.account_of(bo, number=2))
    metering.meter(NOW)
    mine = my_costs(aye, NOW, open_group="a-lab")
    assert (mine.groups, mine.items, mine.spent_usd, mine.exposures) == ([], [], 0, [])


# --- queries -----------------------------------------------------------------------------------------------------

PAGES = {
    "chip of a person": (lambda who: meter_chip(owner=who, now=NOW), 2),
    "chip of a scope": (lambda who: meter_chip(scopes=[SCOPE], now=NOW), 2),
    "badge": (lambda who: left_on([SCOPE], NOW), 1),
    "spend": (lambda who: spend_page([SCOPE], NOW), 12),
    "forgotten": (lambda who: forgotten_page([SCOPE], NOW), 12),
    "mine": (lambda who: my_costs(who, NOW), 12),
    "mine, opened": (lambda who: my_costs(who, NOW, open_group="a-lab"), 15),
}


@pytest.mark.parametrize("number", [24, 240])
def test_the_same_queries_with_24_and_with_240_people(number):
    tell()
    a_class(number)
    who = get_user_model().objects.get(name="S12")
    asked = {}
    for name, (read, _) in PAGES.items():
        with CaptureQueriesContext(connection) as queries:
            read(who)
        asked[name] = len(queries)
    assert asked == {name: pinned for name, (_, pinned) in PAGES.items()}
