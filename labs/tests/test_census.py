"""AWS against the ledger, both ways, by lists."""

import threading
from datetime import timedelta

import pytest

from labs import aws, catalog, census, launching, ledger, reconcile
from labs.kinds import kind_of, registry
from labs.kinds.base import Want
from labs.models import Account, Resource, Span
from labs.tests.cast import START, Thing, refusal
from labs.tests.conftest import FAMILY, lab_of

pytestmark = pytest.mark.django_db


def by_hand(cloud, kind="fake-token", number=1, **more):
    """Somebody makes a thing without the portal."""
    made = cloud.clock()
    facts = {"name": "mine", "token": "", "tags": {}, "needs": [], "visible_at": made, "ready_at": made, "since": made}
    thing = Thing(f"hand-{number}", kind, **(facts | more))
    cloud.things[thing.id] = thing
    return thing


def only_fakes(account, region="us-east-1"):
    return [group for group in census.groups_of([account]) if group.kind.startswith("fake") and group.region == region]


def test_what_no_lab_made_enters_the_ledger_with_the_owner_of_its_account(cloud, account, aye, clock):
    by_hand(cloud, since=START - timedelta(hours=26))
    found = census.survey(only_fakes(account), clock)
    row = Resource.objects.get()
    assert found.strangers == [row]
    assert (row.owner, row.owner_proof, row.launch, row.seen) == (aye, "account", None, "running")
    assert Span.objects.get(resource=row).began == START - timedelta(hours=26)


def test_a_stranger_that_is_coming_up_is_looked_at_until_it_is_up(world, cloud, account, clock):
    by_hand(cloud, ready_at=START + timedelta(seconds=5))
    census.survey(only_fakes(account), clock)
    assert Resource.objects.get().seen == "pending"
    world.run(15)
    assert Resource.objects.get().seen == "running"


def test_a_stranger_is_entered_once(cloud, account, clock):
    by_hand(cloud)
    census.survey(only_fakes(account), clock)
    clock.tick(60)
    again = census.survey(only_fakes(account), clock)
    assert again.strangers == []
    assert again.confirmed == 1
    assert Resource.objects.count() == 1


def test_two_things_of_one_name_are_two_rows(cloud, account, clock):
    by_hand(cloud, number=1)
    by_hand(cloud, number=2)
    by_hand(cloud, number=3, name="<script>alert(1)</script>")
    census.survey(only_fakes(account), clock)
    assert Resource.objects.count() == 3


def test_an_id_that_is_too_long_to_be_kept_is_said_and_ends_no_census(cloud, account, clock):
    by_hand(cloud, number=1)
    by_hand(cloud, number="9" * 300)
    found = census.survey(only_fakes(account), clock)
    assert [row.aws_id for row in found.strangers] == ["hand-1"]
    assert "its id is too long to be kept" in " ".join(found.trouble.values())


def test_nobodys_in_a_shared_account_is_nobodys_and_a_tag_names_its_owner(cloud, account, aye, clock, start):
    account.owner, account.mode = None, Account.SHARED
    account.save()
    launching.launch(lab_of(Want("role", "fake-name")), account, aye, now=clock())
    by_hand(cloud, number=1)
    by_hand(cloud, number=2, tags={"lightsout:owner": str(aye.pk)})
    by_hand(cloud, number=3, tags={"lightsout:owner": "999999"})
    census.survey(only_fakes(account), clock)
    owners = dict(Resource.objects.strangers().values_list("aws_id", "owner"))
    assert owners == {"hand-1": None, "hand-2": aye.pk, "hand-3": None}


@pytest.fixture
def start(account, aye, clock, cloud):
    return lambda lab=FAMILY: launching.launch(lab, account, aye, now=clock())


def test_what_a_lab_made_is_no_stranger_even_before_its_id_is_known(start, cloud, account, clock):
    start(lab_of(Want("box", "fake-token")))
    row = ledger.claim(clock())
    reconcile.reconcile(row, clock)  # created; not yet seen
    clock.tick(5)
    assert census.survey(only_fakes(account), clock).strangers == []


def test_a_copy_of_a_labs_resource_with_its_name_and_tags_is_another_thing(start, world, cloud, account, clock, aye):
    """As "launch more like this" makes it in the console."""
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(60)
    box = cloud.alive()[0]
    cloud.things["copy"] = Thing(**{**vars(box), "id": "copy"})
    (stranger,) = census.survey(only_fakes(account), clock).strangers
    assert stranger.aws_id == "copy"
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at, "the copy is found in its own right and does not hold the lab"
    assert Resource.objects.open().get() == stranger


def test_an_answer_that_the_portal_does_not_understand_does_not_end_the_census(start, world, cloud, account, clock):
    start()
    world.run(60)

    def at(number, operation, when):
        if operation == "List fake-name":
            raise KeyError("SomeNewStatus")

    cloud.at = at
    result = census.survey(only_fakes(account), clock)
    assert "SomeNewStatus" in " ".join(result.trouble.values())
    assert result.confirmed == 1


def test_what_vanished_is_looked_at_not_closed(start, world, cloud, account, clock):
    launch = start()
    world.run(60)
    cloud.things.clear()
    asked = len(cloud.calls)
    result = census.survey(only_fakes(account), clock)
    assert result.hurried == 3
    assert all(row.closed_at is None for row in world.rows(launch).values())
    assert all(call.startswith("List") for call in cloud.calls[asked:])
    world.run(30)
    assert all(row.closed_at for row in world.rows(launch).values())


def test_a_stop_by_hand_is_seen_by_the_next_list(start, world, cloud, account, clock):
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(60)
    cloud.alive()[0].state = "stopped"
    assert census.survey(only_fakes(account), clock).hurried == 1
    world.run(5)
    assert world.states(launch) == {"box": "stopped"}


def test_a_list_that_fails_concludes_nothing_and_says_so(start, world, cloud, account, clock):
    start()
    world.run(60)

    def at(number, operation, when):
        if operation == "List fake-token":
            raise refusal("AccessDenied", 403)

    cloud.at = at
    cloud.things.clear()
    result = census.survey(only_fakes(account), clock)
    assert result.hurried == 2
    assert "fake-token in us-east-1" in " ".join(result.trouble.values())


def test_a_whole_census_moves_the_accounts_looked_at_and_a_broken_one_does_not(cloud, account, clock, monkeypatch):
    fakes = only_fakes(account)
    monkeypatch.setattr(census, "groups_of", lambda accounts: fakes)
    census.census_all(clock)
    account.refresh_from_db()
    assert account.looked_at == clock()

    def at(number, operation, when):
        raise refusal("AccessDenied", 403)

    cloud.at = at
    before = account.looked_at
    clock.tick(900)
    census.census_all(clock)
    account.refresh_from_db()
    assert account.looked_at == before
    assert "AccessDenied" in account.census_trouble


def test_2500_settled_rows_cost_no_describe_in_a_quiet_minute(
    cloud, account, aye, clock, django_assert_max_num_queries
):
    for number in range(2500):
        by_hand(cloud, kind=("fake-token", "fake-name")[number % 2], number=number, name=f"n{number}")
    census.survey(only_fakes(account), clock)
    assert Resource.objects.count() == 2500
    cloud.calls.clear()
    clock.tick(60)
    with django_assert_max_num_queries(20):
        result = census.survey(census.groups_with_rows(clock()), clock)
    assert reconcile.work_off(clock, until=clock() + timedelta(seconds=1)) == 0
    assert result.confirmed == 2500
    assert sorted(cloud.calls) == ["List fake-name", "List fake-token"]
    assert Resource.objects.filter(seen_at=clock()).count() == 2500


def test_a_job_made_by_hand_is_looked_for_every_minute_where_a_lab_is_on(start, world, cloud, account, clock):
    """Between two whole censuses, a quarter of an hour apart, it would have come and gone unseen."""
    assert census.groups_at_work() == []
    start()
    groups = [group for group in census.groups_at_work() if group.kind == "fake-job"]
    assert {(group.account, group.region) for group in groups} == {(account, region) for region in account.regions}
    by_hand(cloud, kind="fake-job", gone_at=START + timedelta(seconds=90))
    census.survey(groups[:1], clock)
    row = Resource.objects.get(kind="fake-job")
    clock.tick(120)
    ledger.hurry([row.pk], clock())
    world.run(20)
    row.refresh_from_db()
    assert row.closed_why == "it completed"
    span = Span.objects.get(resource=row)
    assert span.ended - span.began == timedelta(seconds=90), "from the second to the second that AWS tells"


def test_what_goes_with_another_and_has_no_list_is_asked_for_only_where_a_lab_has_it_made(account, aye, clock):
    """A bucket's triggers are a call a bucket: a shared account has hundreds of buckets."""
    assert "s3-trigger" not in {group.kind for group in census.groups_of([account])}
    assert "s3-trigger" not in {group.kind for group in census.groups_with_rows(clock())}
    launching.launch(catalog.get("lambda-s3-trigger"), account, aye, now=clock())
    assert "s3-trigger" in {group.kind for group in census.groups_with_rows(clock())}


def test_a_list_that_aws_bills_is_asked_for_every_ten_minutes_and_not_every_one(cloud, account, clock, monkeypatch):
    for kind in ("fake-token", "fake-name"):
        by_hand(cloud, kind=kind, number=kind)
    census.survey(only_fakes(account), clock)
    monkeypatch.setattr(type(kind_of("fake-name")), "listing_costs", True)

    def asked(minutes):
        clock.tick(60 * minutes)
        groups = census.groups_with_rows(clock())
        census.survey(groups, clock)
        return sorted(group.kind for group in groups)

    assert asked(1) == ["fake-token"]
    assert asked(8) == ["fake-token"]
    assert asked(1) == ["fake-name", "fake-token"]
    assert asked(9) == ["fake-token"], "from its last list on"


def test_what_aws_bills_the_list_of_is_looked_for_every_half_an_hour_once_it_was(cloud, account, clock, monkeypatch):
    monkeypatch.setattr(type(kind_of("fake-name")), "listing_costs", True)
    fakes = only_fakes(account)
    monkeypatch.setattr(census, "groups_of", lambda _: fakes)
    listed = []
    for at in ("12:20", "12:35", "12:50", "13:05"):
        clock.now = START.replace(hour=int(at[:2]), minute=int(at[3:]))
        cloud.calls.clear()
        census.census_all(clock, [account], is_sparing=True)
        account.refresh_from_db()
        for group in fakes:
            group.account.refresh_from_db()
        listed.append("List fake-name" in cloud.calls)
        assert "List fake-token" in cloud.calls
    assert listed == [True, True, False, True], "the first time in any case"


def test_the_lists_that_aws_bills_are_marked():
    billed = {name for name, kind in registry().items() if kind.listing_costs}
    assert {"s3-bucket", "secret", "kms-key"} <= billed


def test_what_stays_until_somebody_deletes_it_is_not_looked_for_every_minute(start, account):
    start()
    assert {kind_of(group.kind).ends_by_itself for group in census.groups_at_work()} == {True}


def test_the_threads_of_a_census_touch_no_database(cloud, account, clock, monkeypatch):
    by_hand(cloud)
    seen_in = []
    entered = ledger.enter_strangers
    monkeypatch.setattr(
        ledger,
        "enter_strangers",
        lambda *args: (seen_in.append(threading.current_thread()), entered(*args))[1],
    )
    census.survey(only_fakes(account), clock)
    assert seen_in == [threading.main_thread()]


def test_another_world_is_not_an_empty_world(start, world, cloud, account, clock, monkeypatch):
    launch = start()
    world.run(60)

    def another(*args, **kwargs):
        raise aws.ChangedWorld("the simulator was restarted")

    monkeypatch.setattr(aws, "client", another)
    before = len(cloud.calls)
    census.survey(only_fakes(account), clock)
    ledger.hurry([row.pk for row in world.rows(launch).values()], clock())
    world.run(60)
    assert len(cloud.calls) == before
    assert set(world.states(launch).values()) == {"running"}


def test_a_new_world_closes_the_old_ones_rows_with_that_reason(start, world, cloud, account, clock):
    launch = start()
    world.run(60)
    seen_at = {row.pk: row.seen_at for row in world.rows(launch).values()}
    clock.tick(3600)
    assert ledger.end_world(account, "boot-2", clock()) == [launch]
    assert ledger.end_world(account, "boot-2", clock()) == []
    launch.refresh_from_db()
    assert launch.ended_at
    assert launch.certificate is None
    for row in world.rows(launch).values():
        assert "simulator was restarted" in row.closed_why
        assert Span.objects.filter(resource=row).latest("began").ended == seen_at[row.pk]
