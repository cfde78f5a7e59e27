"""CodePipeline. AWS says that a name is taken by a code of its own, and lists each pipeline with its type."""

from __future__ import annotations

from typing import Any

from moto.codepipeline.models import CodePipelineBackend
from moto.core.exceptions import JsonRESTError

from labs.simulator.amendments import instead_of


@instead_of(CodePipelineBackend, "create_pipeline")
def create_pipeline(was: Any, self: CodePipelineBackend, pipeline: dict[str, Any], tags: Any) -> Any:
    if pipeline["name"] in self.pipelines:
        raise JsonRESTError("PipelineNameInUseException", f"A pipeline with the name '{pipeline['name']}' exists.")
    return was(self, pipeline, tags)


@instead_of(CodePipelineBackend, "list_pipelines")
def list_pipelines(was: Any, self: CodePipelineBackend) -> list[dict[str, Any]]:
    types = {name: each.pipeline.get("pipelineType", "V1") for name, each in self.pipelines.items()}
    return [{**line, "pipelineType": types[line["name"]]} for line in was(self)]
