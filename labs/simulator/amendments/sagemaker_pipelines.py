"""SageMaker Pipelines. At AWS an execution takes its time, can be stopped, and runs the steps of the definition; a
pipeline with an execution under way is kept.

Here no step is run, and no list of steps answered: an execution is Executing for `pace.work_seconds`, then Succeeded.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ConflictException, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemaker.utils import get_pipeline_execution_from_arn, get_pipeline_from_name

from labs.simulator.amendments import added_to, instead_of
from labs.simulator.transitions import after, pace

ON = ("Executing", "Stopping")


def _move(execution: Any, from_status: str, to_status: str) -> None:
    if execution.pipeline_execution_status == from_status:
        execution.pipeline_execution_status = to_status
        execution.last_modified_time = pace.instant()


@instead_of(SageMakerModelBackend, "start_pipeline_execution")
def start_pipeline_execution(was: Any, self: Any, pipeline_name: str, *args: Any) -> dict[str, str]:
    told = was(self, pipeline_name, *args)
    execution = self.pipelines[pipeline_name].pipeline_executions[told["PipelineExecutionArn"]]
    execution.pipeline_execution_status = "Executing"
    after(pace.seconds + pace.work_seconds, partial(_move, execution, "Executing", "Succeeded"))
    return dict(told)


@instead_of(SageMakerModelBackend, "delete_pipeline")
def delete_pipeline(was: Any, self: Any, pipeline_name: str) -> str:
    pipeline = get_pipeline_from_name(self.pipelines, pipeline_name)
    if any(execution.pipeline_execution_status in ON for execution in pipeline.pipeline_executions.values()):
        raise ConflictException(f"Pipeline {pipeline.arn} has running executions: stop them before you delete it.")
    return str(was(self, pipeline_name))


@instead_of(SageMakerModelBackend, "update_pipeline")
def update_pipeline(was: Any, self: Any, pipeline_name: str, **changes: Any) -> str:
    arn = was(self, pipeline_name, **changes)
    self.pipelines[pipeline_name].last_modified_time = pace.instant()
    return str(arn)


@added_to(SageMakerResponse)
def stop_pipeline_execution(self: SageMakerResponse) -> Any:
    arn = self._get_param("PipelineExecutionArn")
    execution = get_pipeline_execution_from_arn(self.sagemaker_backend.pipelines, arn)
    if execution.pipeline_execution_status not in ON:
        status = execution.pipeline_execution_status
        raise ValidationError(f"Only pipeline executions with Executing status can be stopped; {arn} is {status}.")
    _move(execution, "Executing", "Stopping")
    after(pace.seconds, partial(_move, execution, "Stopping", "Stopped"))
    return ActionResult({"PipelineExecutionArn": arn})
