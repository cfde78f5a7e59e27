"""What every kind must do: the registry is walked, so that a new kind meets these tests without being asked."""

import csv
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.session import get_session

from labs import aws
from labs.kinds import kind_of, registry
from labs.kinds.base import ABSENT, NAME, RUNNING, STOPPED, TAG, TOKEN, Kind, Seen
from labs.tests.kinds.examples import EXAMPLES, AccountOfAye, configure, delete, example_of, make, want_for

PRICES = Path(__file__).resolve().parents[2] / "costs/prices/prices.csv"
KINDS = sorted(registry())
COSTLY = [name for name in KINDS if not kind_of(name).is_free]
SIMULATED = [name for name in KINDS if not kind_of(name).not_in_practice]
MADE_BY_US = [name for name in SIMULATED if kind_of(name).can_create]

every_kind = pytest.mark.parametrize("name", KINDS)
every_simulated_kind = pytest.mark.parametrize("name", SIMULATED)


@pytest.fixture
def account(simulator):
    """One account for all: names and tags keep the tests apart, and an account's first EC2 call takes a second."""
    return AccountOfAye(simulator, "600000000001")


class OneAPage:
    """A client whose lists have one line a page, and whose list calls without a paginator see the first line only."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        if name not in self.client.meta.method_to_api_mapping or not self.client.can_paginate(name):
            return getattr(self.client, name)
        return lambda **asked: next(iter(self.get_paginator(name).paginate(**asked)))

    def get_paginator(self, operation):
        real = self.client.get_paginator(operation)
        key = real.result_keys[0].expression

        def paginate(**asked):
            pages = list(real.paginate(**asked))
            lines = [line for page in pages for line in page.get(key, ())]
            return [{**pages[0], key: [line]} for line in lines] or pages

        return SimpleNamespace(paginate=paginate)


def test_every_kind_has_an_example():
    assert set(EXAMPLES) == set(KINDS)


def test_what_practice_mode_does_not_have_is_tested_in_a_file_of_its_own():
    written = "".join(file.read_text() for file in Path(__file__).parent.glob("kinds/test_*.py"))
    assert [name for name in KINDS if name not in SIMULATED and f'"{name}"' not in written] == []


@pytest.mark.parametrize("name", [name for name in KINDS if not kind_of(name).can_create])
def test_what_the_portal_never_makes_has_no_create(name):
    with pytest.raises(TypeError, match="cannot be created"):
        kind_of(name).create(None, want_for(name))
    assert name not in SIMULATED or EXAMPLES[name].by_hand is not None


@every_kind
def test_what_goes_after_others_names_kinds_and_never_itself(name):
    seen, ahead = set(), [name]
    while ahead:
        for before in kind_of(ahead.pop()).goes_after:
            assert before in KINDS
            assert before != name, "a circle would never be deleted"
            if before not in seen:
                seen.add(before)
                ahead.append(before)


def costs_by_the_hour(name):
    return any(meter.per == "hour" for meter in kind_of(name).meters(example_of(name)))


@pytest.mark.parametrize("name", COSTLY)
def test_the_dead_mans_switch_reaches_what_costs_by_the_hour_or_says_why_not(name):
    kind = kind_of(name)
    want = want_for(name, aws_id="it", region="us-east-1")
    if kind.off_call(want) is None:
        assert not costs_by_the_hour(name) or kind.no_off_call
        return
    assert not kind.no_off_call


@pytest.mark.parametrize("name", [name for name in COSTLY if kind_of(name).off_call(want_for(name, aws_id="it"))])
def test_the_dead_mans_switch_makes_a_call_that_its_service_has(name):
    """As EventBridge Scheduler names things: the service's id without blanks, the operation in camel case, members in
    Pascal case."""
    call = kind_of(name).off_call(want_for(name, aws_id="it"))
    model = model_of_sdk(call.service)
    operation = model.operation_model(call.action[0].upper() + call.action[1:])
    assert set(call.input) <= set(map(as_scheduler_writes, operation.input_shape.members))
    assert set(map(as_scheduler_writes, operation.input_shape.required_members)) <= set(call.input)


def as_scheduler_writes(member):
    """An input's member as the SDK for Java knows it: "endpointName" is "EndpointName", "DBName" is "DbName"."""
    begins = re.match(r"[A-Z]+(?=[A-Z][a-z])", member)
    return begins[0].capitalize() + member[begins.end() :] if begins else member[0].upper() + member[1:]


@cache
def model_of_sdk(name):
    session = get_session()
    for service in session.get_available_services():
        if service.replace("-", "")[:2] == name[:2] or service.startswith("elb"):
            model = session.get_service_model(service)
            if str(model.service_id).replace(" ", "").lower() == name:
                return model
    raise LookupError(f"no service of AWS has the id {name}")


@every_kind
def test_it_introduces_itself(name):
    kind = kind_of(name)
    assert kind.name == name
    assert kind.identity in (TOKEN, NAME, TAG)
    # ARNs name a service as boto3 does, or as signatures do: of "efs" that is "elasticfilesystem".
    named = (kind.service, get_session().get_service_model(kind.service).signing_name)
    assert kind.arn_type.split(":")[0] in named
    assert kind.title and kind.cost_service
    assert kind.stop_means in ("keep", "delete")


@every_kind
def test_it_says_what_is_kept_and_lost_where_that_costs_or_hurts(name):
    kind = kind_of(name)
    if kind.can_stop or kind.stop_means == "delete":
        assert kind.kept_on_stop
    if not kind.is_free:
        assert kind.lost_on_delete


@pytest.mark.parametrize("name", COSTLY)
def test_it_prices_itself_with_lines_of_the_price_book(name):
    with PRICES.open(newline="") as file:
        book = {(line["service"], line["kind"], line["sku"], line["unit"]) for line in csv.DictReader(file)}
    meters = kind_of(name).meters(example_of(name))
    assert meters
    assert {(meter.service, meter.kind, meter.sku, meter.unit) for meter in meters} <= book
    assert len({meter.slug for meter in meters}) == len(meters), "two meters of one resource would be one reading"
    assert all(meter.quantity > 0 and meter.per in ("hour", "month") and meter.label for meter in meters)


@every_kind
def test_what_is_free_or_gone_has_no_meter(name):
    kind = kind_of(name)
    assert kind.meters(Seen(ABSENT)) == []
    if kind.is_free:
        assert kind.meters(Seen(RUNNING, facts={"arn": "arn"})) == []


@pytest.mark.parametrize("name", [name for name in COSTLY if name in MADE_BY_US and name != "s3-bucket"])
def test_what_it_would_cost_is_told_from_its_params_alone(name, account):
    """The price before the launch and the price while it runs are the same lines."""
    kind = kind_of(name)
    params = EXAMPLES[name].params(account)
    would_be = kind.would_be(replace(want_for(name, params), parents=EXAMPLES[name].parents))
    _, _, seen = make(name, account, params)
    assert would_be.state == RUNNING
    assert kind.meters(would_be) == kind.meters(seen)


@pytest.mark.parametrize("name", [name for name in SIMULATED if kind_of(name).signals])
def test_its_signals_are_asked_for_by_dimensions_with_values(name, account):
    kind = kind_of(name)
    _, _, seen = make(name, account)
    for signal in kind.signals:
        asked = kind.dimensions(signal, seen)
        assert asked and all(value for each in asked for value in each.values())
        assert all(signal.dimension in each for each in asked)


@every_simulated_kind
def test_a_missing_one_is_absent_and_not_an_error(name, account):
    kind = kind_of(name)
    client = account.client(kind.service)
    want = want_for(name)
    if kind.can_create:
        assert kind.observe(client, want).state == ABSENT
    assert kind.observe(client, replace(want, aws_id=EXAMPLES[name].missing_id or want.name)).state == ABSENT


@every_simulated_kind
def test_its_life_from_create_to_absent(name, account):
    kind = kind_of(name)
    client, want, seen = make(name, account)
    assert seen.state == RUNNING
    assert seen.aws_id and (kind.identity != NAME or not kind.can_create or seen.name == want.name)
    assert not kind.can_tag or seen.tags.items() >= want.tags.items(), "the census tells whose it is by its tags"
    json.dumps(dict(seen.facts))

    want = replace(want, aws_id=seen.aws_id)
    seen = configure(name, client, want, seen)
    assert kind.configure(client, want, seen), "what is in force is not set again"

    listed = {each.aws_id: each for each in kind.find_all(client)}
    assert seen.aws_id in listed
    assert listed[seen.aws_id].state == seen.state
    assert listed[seen.aws_id].mark == seen.mark, "a list that shows another mark than a describe is never quiet"

    if kind.can_stop:
        kind.stop(client, want, seen)
        seen = kind.observe(client, want)
        assert seen.state == STOPPED
        if kind.can_create or type(kind).start is not Kind.start:  # nobody starts what no lab made
            kind.start(client, want, seen)
            assert kind.observe(client, want).state == RUNNING

    delete(name, client, want)
    assert seen.aws_id not in {each.aws_id for each in kind.find_all(client)}


@every_simulated_kind
def test_what_a_stranger_is_described_as_is_what_its_list_glimpsed(name, account):
    """By hand and without our tags, as the census finds it: no token, no name of ours."""
    kind = kind_of(name)
    client, want, made = make(name, account)
    glimpse = next(each for each in kind.find_all(client) if each.aws_id == made.aws_id)
    stranger = replace(want, key="", params={}, token="", tags={}, name=glimpse.name, aws_id=glimpse.aws_id)
    told = kind.observe(client, stranger)
    assert (told.state, told.aws_id, told.name, told.mark) == (
        glimpse.state,
        glimpse.aws_id,
        glimpse.name,
        glimpse.mark,
    )
    assert told.facts == made.facts
    if glimpse.whole:
        assert glimpse.facts == told.facts and glimpse.tags == told.tags
    told = without_what_waits(told)
    assert without_what_waits(kind.complete(client, glimpse)) == told
    known = kind.complete(client, glimpse, told.tags)
    assert without_what_waits(known) == told, "also where its tags are known already"


def without_what_waits(seen):
    """Left to a stranger's first look by itself: what lies in a bucket, and what is in a free thing of SageMaker."""
    waits = ("bytes", "not_accrued", "image", "data_url", "variants", "steps")
    return replace(seen, facts={name: fact for name, fact in seen.facts.items() if name not in waits})


@every_simulated_kind
def test_the_tags_of_all_are_told_by_arn_or_not_at_all(name, account):
    kind = kind_of(name)
    client, want, seen = make(name, account)
    seen = configure(name, client, want, seen)  # moto takes a bucket's tags only then
    told = kind.tags_of_all(account.client)
    if told is not None:
        assert told[seen.facts["arn"]].items() >= want.tags.items()


@every_simulated_kind
def test_a_stranger_that_is_gone_when_it_is_looked_at_is_absent(name, account):
    kind = kind_of(name)
    client, want, made = make(name, account)
    glimpse = next(each for each in kind.find_all(client) if each.aws_id == made.aws_id)
    delete(name, client, replace(want, aws_id=made.aws_id))
    if not glimpse.whole:
        assert kind.complete(client, glimpse).state == ABSENT


@every_simulated_kind
def test_its_census_reads_every_page(name, account):
    kind = kind_of(name)
    planted = {make(name, account)[2].aws_id for _ in range(3)}
    found = [seen.aws_id for seen in kind.find_all(OneAPage(account.client(kind.service)))]
    assert planted <= set(found)
    assert len(found) == len(set(found))


@every_simulated_kind
def test_its_delete_can_be_asked_again_after_the_end(name, account):
    """A redelivered task, or a worker that died between the call and its record."""
    kind = kind_of(name)
    client, want, seen = make(name, account)
    want = replace(want, aws_id=seen.aws_id)
    delete(name, client, want)
    try:
        kind.delete(client, want, seen)
    except Exception as error:
        assert isinstance(aws.sorted_trouble(error), aws.NotThere), error
    assert kind.observe(client, want).state == ABSENT


@every_simulated_kind
def test_an_error_that_is_not_about_being_missing_comes_out(name, account):
    kind = kind_of(name)
    client = account.client(kind.service)
    account.simulator.faults([{"code": "AccessDenied", "status": 403}])
    with pytest.raises(Exception) as raised:  # noqa: PT011  sorted on the next line
        kind.observe(client, want_for(name))
    assert isinstance(aws.sorted_trouble(raised.value), aws.Denied)


def test_a_kind_that_forgets_a_verb_says_which():
    class Half(Kind):
        name = "half"

    for verb in ("create", "observe", "delete", "start", "stop"):
        with pytest.raises(TypeError, match="half"):
            getattr(Half(), verb)(None, None, *([None] if verb not in ("create", "observe") else []))
    with pytest.raises(TypeError, match="half"):
        Half().find_all(None)
