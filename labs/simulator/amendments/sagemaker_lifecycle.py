"""SageMaker's lifecycle configurations of notebook instances. AWS lists and tags them, refuses a notebook instance that
names a missing one, and keeps one that a notebook instance uses.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator.amendments import added_to, instead_of


# At the door: moto's backend is not told of tags.
@instead_of(SageMakerResponse, "create_notebook_instance_lifecycle_config")
def create_notebook_instance_lifecycle_config(was: Any, self: SageMakerResponse) -> Any:
    answer = was(self)
    made = self.sagemaker_backend.notebook_instance_lifecycle_configurations
    vars(made[self._get_param("NotebookInstanceLifecycleConfigName")])["tags"] = self._get_param("Tags") or []
    return answer


@instead_of(SageMakerModelBackend, "create_notebook_instance")
def create_notebook_instance(was: Any, self: Any, *args: Any, **asked: Any) -> Any:
    if asked.get("lifecycle_config_name"):
        self.describe_notebook_instance_lifecycle_config(asked["lifecycle_config_name"])  # missing: it is said so
    return was(self, *args, **asked)


@instead_of(SageMakerModelBackend, "delete_notebook_instance_lifecycle_config")
def delete_notebook_instance_lifecycle_config(was: Any, self: Any, name: str = "", **asked: Any) -> None:
    name = name or asked["notebook_instance_lifecycle_config_name"]
    users = [each for each in self.notebook_instances.values() if each.lifecycle_config_name == name]
    if users:
        raise ValidationError(
            f"Unable to delete Notebook Instance Lifecycle Config '{name}'. (Details: Notebook Instance Lifecycle "
            f"Config is in use by Notebook Instance {users[0].arn}.)"
        )
    was(self, name)


@instead_of(SageMakerModelBackend, "_get_resource_from_arn")
def _get_resource_from_arn(was: Any, self: Any, arn: str) -> Any:
    kind, _, name = arn.split(":")[-1].partition("/")
    if kind != "notebook-instance-lifecycle-config":
        return was(self, arn)
    self.describe_notebook_instance_lifecycle_config(name)
    return self.notebook_instance_lifecycle_configurations[name]


@added_to(SageMakerResponse)
def list_notebook_instance_lifecycle_configs(self: SageMakerResponse) -> Any:
    kept = self.sagemaker_backend.notebook_instance_lifecycle_configurations
    wanted = self._get_param("NameContains") or ""
    lines = [
        {
            "NotebookInstanceLifecycleConfigName": name,
            "NotebookInstanceLifecycleConfigArn": one.arn,
            "CreationTime": one.creation_time,
            "LastModifiedTime": one.last_modified_time,
        }
        for name, one in sorted(kept.items())
        if wanted in name
    ]
    return ActionResult({"NotebookInstanceLifecycleConfigs": lines})
