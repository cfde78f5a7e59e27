"""Opening a SageMaker notebook instance. AWS answers the address of its Jupyter while it is in service. Here there is
no Jupyter, and the answer says so: an address that leads nowhere would be the worse one.
"""

from __future__ import annotations

from typing import Any, NoReturn

from moto.sagemaker.exceptions import SagemakerClientError, ValidationError
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator import NOT_IN_PRACTICE
from labs.simulator.amendments import added_to


class _NoJupyter(SagemakerClientError):
    code = NOT_IN_PRACTICE


@added_to(SageMakerResponse)
def create_presigned_notebook_instance_url(self: SageMakerResponse) -> NoReturn:
    backend: Any = self.sagemaker_backend
    notebook = backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    if notebook.status != "InService":
        raise ValidationError(f"Status ({notebook.status}) not in ([InService]): start the notebook instance first.")
    raise _NoJupyter(
        "Notebook instances do not open in practice mode: there is no Jupyter behind them. On AWS this call answers "
        "the address of yours."
    )
