"""CodePipeline. AWS says that a name is taken by a code of its own, lists each pipeline with its type, and runs it once
when it is made and whenever it is started. moto calls each run a success and does nothing.

Here the actions between two places in S3 are done, a source and a deployment. A run with any other fails, and says so.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from moto.codepipeline.models import CodePipelineBackend, PipelineExecution
from moto.core.exceptions import JsonRESTError
from moto.s3.models import S3Backend, s3_backends

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import make_timed

# Of what a deployment unpacks: everything is held in memory.
_FILES, _BYTES = 1000, 64 * 1024 * 1024

make_timed(PipelineExecution, "status", {"Succeeded": "InProgress", "Failed": "InProgress"})


class _Failed(Exception):
    """An action that failed. `str()` says why, for the pipeline's owner."""


@instead_of(CodePipelineBackend, "create_pipeline")
def create_pipeline(was: Any, self: CodePipelineBackend, pipeline: dict[str, Any], tags: Any) -> Any:
    if pipeline["name"] in self.pipelines:
        raise JsonRESTError("PipelineNameInUseException", f"A pipeline with the name '{pipeline['name']}' exists.")
    made = was(self, pipeline, tags)
    self.start_pipeline_execution(pipeline["name"], None)
    return made


@instead_of(CodePipelineBackend, "list_pipelines")
def list_pipelines(was: Any, self: CodePipelineBackend) -> list[dict[str, Any]]:
    types = {name: each.pipeline.get("pipelineType", "V1") for name, each in self.pipelines.items()}
    return [{**line, "pipelineType": types[line["name"]]} for line in was(self)]


@instead_of(CodePipelineBackend, "start_pipeline_execution")
def start_pipeline_execution(was: Any, self: CodePipelineBackend, name: str, variables: Any) -> str:
    execution_id = was(self, name, variables)
    held = self.pipelines[name]
    run = held.executions[execution_id]
    artifacts: dict[str, bytes] = {}
    try:
        for action in _in_order(held.pipeline):
            _do(s3_backends[self.account_id][self.partition], action, artifacts)
    except _Failed as why:
        run.status, run.status_summary = "Failed", str(why)
    return execution_id


def _in_order(pipeline: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for stage in pipeline["stages"]:
        yield from sorted(stage["actions"], key=lambda action: action["runOrder"])


def _do(s3: S3Backend, action: Mapping[str, Any], artifacts: dict[str, bytes]) -> None:
    kind, said = action["actionTypeId"], action["configuration"]
    match (kind["category"], kind["provider"]):
        case ("Source", "S3"):
            found = _read(s3, said.get("S3Bucket", ""), said.get("S3ObjectKey", ""))
            artifacts |= {each["name"]: found for each in action["outputArtifacts"]}
        case ("Deploy", "S3"):
            names = [each["name"] for each in action["inputArtifacts"]]
            if not names or names[0] not in artifacts:
                raise _Failed(f"The action {action['name']} has no input artifact that an action before it makes")
            _deploy(s3, said, artifacts[names[0]])
        case (category, provider):
            raise _Failed(f"Practice mode does not do actions of the provider {provider} ({category}); AWS does")


def _read(s3: S3Backend, bucket: str, key: str) -> bytes:
    held = s3.buckets.get(bucket)
    found = s3.get_object(bucket, key) if held else None
    if found is None:
        raise _Failed(f"Could not fetch the contents of the repository from S3: there is no {key} in {bucket}")
    return bytes(found.value)


def _deploy(s3: S3Backend, said: Mapping[str, Any], artifact: bytes) -> None:
    bucket, place = said.get("BucketName", ""), str(said.get("ObjectKey") or "")
    if bucket not in s3.buckets:
        raise _Failed(f"There is no bucket {bucket} to deploy to")
    if str(said.get("Extract")).lower() != "true":
        s3.put_object(bucket, place, artifact)
        return
    for name, content in _unpacked(artifact).items():
        s3.put_object(bucket, posixpath.join(place, name), content)


def _unpacked(artifact: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
            files = [member for member in archive.infolist() if not member.is_dir()]
            if len(files) > _FILES or sum(member.file_size for member in files) > _BYTES:
                raise _Failed(f"Practice mode unpacks {_FILES} files and {_BYTES // 2**20} MB at most")
            return {member.filename: archive.read(member) for member in files}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as bad:
        raise _Failed(f"The artifact cannot be unpacked, it is no zip: {bad}") from bad
