"""Practice mode's pipelines: what lies in S3 is deployed to S3, and what cannot be done is not called a success."""

import io
import zipfile

import pytest

from labs.kinds.lambda_code import zip_of
from labs.tests.kinds.examples.codepipeline import action

pytestmark = pytest.mark.simulator
FROM_THE_SOURCE = {"inputArtifacts": [{"name": "source"}]}


class Pipeline:
    """From a file in a bucket to a folder beside it; `last` is anything else than that deployment."""

    def __init__(self, practice, last=None):
        self.client, self.s3 = practice.client("codepipeline"), practice.client("s3")
        self.bucket = f"b-{practice.account}"
        self.s3.create_bucket(Bucket=self.bucket)
        source = action("Model", "Source", "S3", S3Bucket=self.bucket, S3ObjectKey="source/model.zip")
        deploy = action("Live", "Deploy", "S3", BucketName=self.bucket, Extract="true", ObjectKey="live")
        last = last or deploy | FROM_THE_SOURCE
        stages = [{"name": "Source", "actions": [source]}, {"name": "Last", "actions": [last]}]
        role = practice.role("codepipeline.amazonaws.com")
        store = {"type": "S3", "location": self.bucket}
        self.client.create_pipeline(
            pipeline={"name": "p", "roleArn": role, "artifactStore": store, "stages": stages, "pipelineType": "V2"}
        )

    def put(self, body):
        self.s3.put_object(Bucket=self.bucket, Key="source/model.zip", Body=body)

    def run(self):
        """(status, why) of a run that is started now."""
        run_id = self.client.start_pipeline_execution(name="p")["pipelineExecutionId"]
        run = self.client.get_pipeline_execution(pipelineName="p", pipelineExecutionId=run_id)["pipelineExecution"]
        return run["status"], run.get("statusSummary", "")

    def text(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()


def test_a_new_pipeline_runs_once_by_itself(practice):
    pipeline = Pipeline(practice)
    (run,) = pipeline.client.list_pipeline_executions(pipelineName="p")["pipelineExecutionSummaries"]
    assert run["status"] == "Failed" and "no source/model.zip" in run["statusSummary"]


def test_what_is_zipped_in_the_source_lies_unpacked_where_it_is_deployed(practice):
    pipeline = Pipeline(practice)
    pipeline.put(zip_of({"model.json": "one", "more/notes.txt": "two"}))
    assert pipeline.run()[0] == "Succeeded"
    assert (pipeline.text("live/model.json"), pipeline.text("live/more/notes.txt")) == ("one", "two")
    pipeline.put(zip_of({"model.json": "three"}))
    assert pipeline.text("live/model.json") == "one", "nothing is deployed before somebody starts it"
    pipeline.run()
    assert pipeline.text("live/model.json") == "three"


def test_without_unpacking_the_file_is_deployed_as_it_is(practice):
    place = {"BucketName": f"b-{practice.account}", "ObjectKey": "live/model.zip"}
    pipeline = Pipeline(practice, action("Live", "Deploy", "S3", Extract="false", **place) | FROM_THE_SOURCE)
    pipeline.put("as it is")
    assert pipeline.run()[0] == "Succeeded"
    assert pipeline.text("live/model.zip") == "as it is"


def too_many():
    return zip_of({f"{number}.txt": "" for number in range(1001)})


def too_large():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(65 * 1024 * 1024))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("body", "why"),
    [(lambda: b"no zip", "no zip"), (too_many, "1000 files and 64 MB"), (too_large, "1000 files and 64 MB")],
)
def test_what_cannot_be_unpacked_fails_with_the_reason(practice, body, why):
    pipeline = Pipeline(practice)
    pipeline.put(body())
    status, said = pipeline.run()
    assert status == "Failed" and why in said


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (action("Build", "Build", "CodeBuild"), "does not do actions of the provider CodeBuild"),
        (action("Live", "Deploy", "S3"), "no input artifact"),
        (action("Live", "Deploy", "S3", BucketName="of-nobody") | FROM_THE_SOURCE, "no bucket"),
    ],
)
def test_a_run_that_practice_mode_cannot_do_is_no_success(practice, last, why):
    pipeline = Pipeline(practice, last)
    pipeline.put(zip_of({"model.json": "one"}))
    status, said = pipeline.run()
    assert status == "Failed" and why in said


def test_a_run_takes_its_time(practice):
    pipeline = Pipeline(practice)
    pipeline.put(zip_of({"model.json": "one"}))
    practice.simulator.pace(state_seconds=30)
    assert pipeline.run()[0] == "InProgress"
