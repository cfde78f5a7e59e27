"""SageMaker's model registry. AWS refuses a second group of a name, and to delete a group that has packages. A version
of a group takes no tags of its own and shows the group's; no number is given twice, also when its version is gone.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.sagemaker.exceptions import AWSValidationException, ConflictException, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator.amendments import added_to, instead_of


@instead_of(SageMakerModelBackend, "create_model_package_group")
def create_model_package_group(was: Any, self: Any, model_package_group_name: str, *args: Any, **asked: Any) -> Any:
    taken = self.model_package_groups.get(model_package_group_name)
    if taken is not None:
        raise ValidationError(f"Model Package Group already exists: {taken.arn}")
    return was(self, model_package_group_name, *args, **asked)


@instead_of(SageMakerModelBackend, "create_model_package")
def create_model_package(was: Any, self: Any, **asked: Any) -> str:
    group = self.model_package_groups.get(asked["model_package_group_name"])
    if group is not None and asked["tags"]:
        raise AWSValidationException("Tags are not allowed for a versioned model package: it has those of its group.")
    packages, names = dict(self.model_packages), dict(self.model_package_name_mapping)
    arn = was(self, **asked)
    package = self.model_packages[arn]
    package.tags = package.tags or []
    if group is None:
        return str(arn)
    # moto counts the versions that are left, and puts the new one in the place of one of them.
    number = vars(group).get("versions_made", 0) + 1
    vars(group)["versions_made"] = number
    package.model_package_version, package.arn = number, f"{arn.rpartition('/')[0]}/{number}"
    self.model_packages, self.model_package_name_mapping = packages | {package.arn: package}, names
    return package.arn


@instead_of(SageMakerModelBackend, "describe_model_package")
def describe_model_package(was: Any, self: Any, model_package_name: str) -> Any:
    return _package(self, model_package_name)


def _package(backend: Any, name: str) -> Any:
    arn = backend.model_package_name_mapping.get(name, name)
    if arn not in backend.model_packages:
        raise ValidationError(f"ModelPackage {name} does not exist.")
    return backend.model_packages[arn]


@instead_of(SageMakerModelBackend, "_get_resource_from_arn")
def _get_resource_from_arn(was: Any, self: Any, arn: str) -> Any:
    if ":model-package/" not in arn:
        return was(self, arn)
    package = _package(self, arn)
    return self.model_package_groups.get(package.model_package_group_name, package)


@added_to(SageMakerResponse)
def delete_model_package(self: SageMakerResponse) -> Any:
    backend: Any = self.sagemaker_backend
    package = _package(backend, self._get_param("ModelPackageName"))
    del backend.model_packages[package.arn]
    mapping = backend.model_package_name_mapping
    backend.model_package_name_mapping = {name: arn for name, arn in mapping.items() if arn != package.arn}
    return EmptyResult()


@added_to(SageMakerResponse)
def delete_model_package_group(self: SageMakerResponse) -> Any:
    backend = self.sagemaker_backend
    group = backend.describe_model_package_group(self._get_param("ModelPackageGroupName"))
    name = group.model_package_group_name
    if any(package.model_package_group_name == name for package in backend.model_packages.values()):
        raise ConflictException(f"Model Package Group {group.arn} cannot be deleted: it still has Model Packages.")
    del backend.model_package_groups[name]
    return EmptyResult()
