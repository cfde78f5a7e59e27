"""Pipelines: a run is stopped before its pipeline goes, and only the first type costs by the month."""

from datetime import UTC, datetime

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, Seen
from labs.tests.kinds.examples import EXAMPLES, make, want_for
from labs.tests.kinds.scripted_aws import scripted

PIPELINE = kind_of("codepipeline-pipeline")
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)


def runs(*statuses):
    return [{"pipelineExecutionId": f"run-{at}", "status": status} for at, status in enumerate(statuses)]


def test_a_run_that_is_on_is_stopped_and_the_pipeline_stays_for_the_next_call():
    with scripted(
        "codepipeline",
        (
            "list_pipeline_executions",
            {"pipelineName": "p", "maxResults": 10},
            {"pipelineExecutionSummaries": runs("InProgress", "Succeeded")},
        ),
        (
            "stop_pipeline_execution",
            {
                "pipelineName": "p",
                "pipelineExecutionId": "run-0",
                "abandon": True,
                "reason": "Its pipeline is deleted",
            },
            {"pipelineExecutionId": "run-0"},
        ),
    ) as client:
        PIPELINE.delete(client, want_for("codepipeline-pipeline"), Seen(RUNNING, "p"))


@pytest.mark.parametrize("statuses", [(), ("Succeeded",), ("Stopping", "Failed")])
def test_without_a_run_that_is_on_it_is_deleted(statuses):
    with scripted(
        "codepipeline",
        (
            "list_pipeline_executions",
            {"pipelineName": "p", "maxResults": 10},
            {"pipelineExecutionSummaries": runs(*statuses)},
        ),
        ("delete_pipeline", {"name": "p"}, {}),
    ) as client:
        PIPELINE.delete(client, want_for("codepipeline-pipeline"), Seen(RUNNING, "p"))


@pytest.mark.simulator
def test_a_pipeline_of_type_v2_costs_by_its_minutes_and_says_that_they_are_not_counted(account):
    params = EXAMPLES["codepipeline-pipeline"].params(account)
    _, _, first = make("codepipeline-pipeline", account, params)
    client, want, second = make("codepipeline-pipeline", account, params | {"type": "V2"})
    (meter,) = PIPELINE.meters(first)
    assert (meter.per, meter.sku) == ("month", "active-pipeline") and "30 days" in meter.label
    assert PIPELINE.meters(second) == [] and "Minutes" in second.facts["not_accrued"]
    listed = next(each for each in PIPELINE.find_all(client) if each.name == want.name)
    assert listed.facts["type"] == "V2"


@pytest.mark.simulator
def test_a_changed_pipeline_is_seen_in_the_list(account):
    client, want, seen = make("codepipeline-pipeline", account)
    client.update_pipeline(pipeline=client.get_pipeline(name=want.name)["pipeline"])
    listed = next(each for each in PIPELINE.find_all(client) if each.name == want.name)
    assert listed.mark != seen.mark and listed.mark == PIPELINE.observe(client, want).mark


@pytest.mark.simulator
def test_a_name_that_is_taken_is_found_and_not_made_again(account):
    client, want, _ = make("codepipeline-pipeline", account)
    with pytest.raises(client.exceptions.ClientError) as refused:
        PIPELINE.create(client, want)
    assert isinstance(aws.sorted_trouble(refused.value), aws.AlreadyThere)
