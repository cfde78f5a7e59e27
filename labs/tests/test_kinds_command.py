"""manage.py kinds: the whole table, and what a line of it says."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from labs.kinds import registry
from labs.tests.kinds.examples import example_of


def printed(*asked):
    out = StringIO()
    call_command("kinds", *asked, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def told():
    return {line["kind"]: line for line in json.loads(printed("--json"))["kinds"]}


def test_every_kind_has_a_line_in_both_forms(told):
    assert list(told) == list(registry())
    head, *lines = printed().splitlines()
    assert head.split() == ["kind", "identity", "practice", "verbs"]
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(registry())


def test_the_table_fits_a_terminal_and_leaves_nothing_out(told):
    table = printed()
    assert max(map(len, table.splitlines())) <= 120
    words = " ".join(table.split())
    for line in told.values():
        for each in (
            " ".join(line["verbs"]),
            "; ".join(line["meters"]),
            line["switch"]["call"],
            line["not_in_practice"],
        ):
            assert " ".join(each.split()) in words, line["kind"]


def test_a_kind_that_the_portal_makes_and_stops(told):
    notebook = told["sagemaker-notebook"]
    assert notebook["verbs"] == ["create", "observe", "start", "stop", "delete", "find"]
    assert notebook["identity"] == "name"
    assert notebook["meters"] == [
        "SageMaker notebook ml.t3.medium, per Hrs",
        "SageMaker storage ML-storage-gp2, per GB-Mo",
    ]
    assert notebook["switch"] | {"native_cap": ""} == {
        "call": "sagemaker:stopNotebookInstance",
        "is_set": "before its create",
        "native_cap": "",
        "why_not": "",
    }
    assert (notebook["in_practice"], notebook["not_in_practice"]) == (True, "")


def test_a_kind_that_is_only_found_has_no_create_and_says_why_practice_mode_lacks_it(told):
    index = told["kendra-index"]
    assert index["verbs"] == ["observe", "delete", "find"]
    assert index["switch"]["is_set"] == "as soon as it has an id"
    assert not index["in_practice"] and "Practice mode has no Kendra" in index["not_in_practice"]


def test_the_switch_of_what_has_none_says_why_and_what_ends_it_instead(told):
    assert told["iam-role"]["switch"]["why_not"] == "nothing of it is billed by the hour"
    assert "throughput" in told["sagemaker-feature-group"]["switch"]["why_not"]
    assert told["emr-cluster"]["switch"]["call"] == "emr:terminateJobFlows"
    assert "idle minutes" in told["emr-cluster"]["switch"]["native_cap"]


def test_what_a_kind_declares_is_what_its_example_is_billed_for(told):
    """Where the table names lines of the price book they are lines that a running one has."""
    for name, kind in registry().items():
        if told[name]["meters"] in (["free"], ["as found"]):
            assert kind.is_free == (told[name]["meters"] == ["free"])
            continue
        services = {meter.service for meter in kind.meters(example_of(name))}
        assert {line.partition(" ")[0] for line in told[name]["meters"]} & {
            one.partition(" ")[0] for one in services
        }, name
