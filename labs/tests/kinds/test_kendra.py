"""Kendra, which practice mode does not have: each call of a "kendra-index" is checked against AWS's own description."""

from decimal import Decimal

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Seen
from labs.tests.cast import START
from labs.tests.kinds.examples import want_for
from labs.tests.kinds.scripted_aws import scripted

INDEX = kind_of("kendra-index")
ID = "12345678-1234-1234-1234-123456789012"
ARN = f"arn:aws:kendra:us-east-1:600000000002:index/{ID}"
LINE = {
    "Id": ID,
    "Name": "faq",
    "Edition": "DEVELOPER_EDITION",
    "Status": "ACTIVE",
    "CreatedAt": START,
    "UpdatedAt": START,
}
WHOLE = LINE | {"RoleArn": "arn:aws:iam::600000000002:role/kendra"}
TAGGED = ("list_tags_for_resource", {"ResourceARN": ARN}, {"Tags": [{"Key": "owner", "Value": "aye"}]})


def look(**more):
    with scripted("kendra", ("describe_index", {"Id": ID}, WHOLE | more), TAGGED) as client:
        return INDEX.observe(client, want_for("kendra-index", aws_id=ID))


def lines(meters):
    return {(meter.kind, meter.sku, meter.quantity) for meter in meters}


def test_an_index_is_seen_with_its_arn_which_aws_does_not_tell_and_its_tags():
    seen = look()
    assert (seen.state, seen.aws_id, seen.name) == (RUNNING, ID, "faq")
    assert (seen.facts["arn"], seen.tags) == (ARN, {"owner": "aye"})


@pytest.mark.parametrize(
    ("status", "state", "costs"),
    [
        ("CREATING", PENDING, False),
        ("UPDATING", RUNNING, True),
        ("SYSTEM_UPDATING", RUNNING, True),
        ("FAILED", FAILED, False),
        ("DELETING", DELETING, False),
    ],
)
def test_an_index_costs_from_when_it_is_there_whatever_is_in_it(status, state, costs):
    seen = look(Status=status, ErrorMessage="no role")
    assert (seen.state, bool(INDEX.meters(seen)), seen.facts["failure"]) == (state, costs, "no role")


@pytest.mark.parametrize(
    ("edition", "kind"),
    [
        ("DEVELOPER_EDITION", "developer"),
        ("ENTERPRISE_EDITION", "enterprise"),
        ("GEN_AI_ENTERPRISE_EDITION", "GEN_AI_ENTERPRISE_EDITION"),
    ],
)
def test_an_edition_has_its_own_price_and_one_that_the_book_does_not_know_is_unpriced(edition, kind):
    assert lines(INDEX.meters(look(Edition=edition))) == {(kind, "base", Decimal(1))}


def test_what_was_bought_beyond_the_edition_is_a_line_of_its_own():
    more = {"CapacityUnits": {"StorageCapacityUnits": 2, "QueryCapacityUnits": 1}}
    assert lines(INDEX.meters(look(**more))) == {
        ("developer", "base", Decimal(1)),
        ("developer", "storage-unit", Decimal(2)),
        ("developer", "query-unit", Decimal(1)),
    }


def test_every_page_is_read_and_a_line_shows_what_a_describe_shows():
    page = {"IndexConfigurationSummaryItems": [LINE]}
    other = {"IndexConfigurationSummaryItems": [LINE | {"Name": "other", "Id": ID.replace("1", "2")}]}
    with scripted(
        "kendra",
        ("list_indices", {"MaxResults": 100}, page | {"NextToken": "n"}),
        ("list_indices", {"MaxResults": 100, "NextToken": "n"}, other),
    ) as client:
        glimpsed, second = INDEX.find_all(client)
    told = look()
    assert second.name == "other" and not glimpsed.whole
    assert (told.state, told.aws_id, told.name, told.mark) == (
        glimpsed.state,
        glimpsed.aws_id,
        glimpsed.name,
        glimpsed.mark,
    )
    assert lines(INDEX.meters(glimpsed)) == lines(INDEX.meters(told)), "priced also where nobody may describe it"


def test_it_is_found_by_name_and_a_missing_one_is_absent():
    listed = ("list_indices", {"MaxResults": 100}, {"IndexConfigurationSummaryItems": [LINE]})
    described = ("describe_index", {"Id": ID})
    with scripted("kendra", listed, (*described, WHOLE), TAGGED) as client:
        assert INDEX.observe(client, want_for("kendra-index", name="faq")).aws_id == ID
    with scripted("kendra", listed) as client:
        assert INDEX.observe(client, want_for("kendra-index", name="another")).state == ABSENT
    with scripted("kendra", (*described, "ResourceNotFoundException: none")) as client:
        assert INDEX.observe(client, want_for("kendra-index", aws_id=ID)).state == ABSENT


def test_an_error_that_is_not_about_being_missing_comes_out():
    with (
        scripted("kendra", ("describe_index", {"Id": ID}, "AccessDeniedException: no")) as client,
        pytest.raises(client.exceptions.ClientError) as raised,
    ):
        INDEX.observe(client, want_for("kendra-index", aws_id=ID))
    assert isinstance(aws.sorted_trouble(raised.value), aws.Denied)


def test_an_index_is_deleted_once_it_is_there_and_asked_once():
    for state in (RUNNING, FAILED):
        with scripted("kendra", ("delete_index", {"Id": ID}, {})) as client:
            INDEX.delete(client, want_for("kendra-index"), Seen(state, aws_id=ID))
    for state in (PENDING, DELETING):
        with scripted("kendra") as client:
            INDEX.delete(client, want_for("kendra-index"), Seen(state, aws_id=ID))


def test_stop_means_delete_and_its_words_say_so():
    assert (INDEX.can_stop, INDEX.stop_means) == (False, "delete")
    assert "no stop" in INDEX.kept_on_stop
