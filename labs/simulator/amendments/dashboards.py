"""CloudWatch's dashboards. AWS has them once an account, the same in every region, and with tags."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, Dashboard, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.utils import utcnow

from labs.simulator.amendments import instead_of, the_world


@instead_of(Dashboard, "__init__")
def _init(was: Any, self: Dashboard, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.last_modified = utcnow()  # not this machine's own time


def _of_the_account(backend: CloudWatchBackend) -> CloudWatchBackend:
    return cloudwatch_backends[backend.account_id][the_world().regions[0]]


CloudWatchBackend.dashboards = property(  # type: ignore[assignment]
    lambda backend: vars(_of_the_account(backend)).setdefault("dashboards", {}), lambda backend, empty: None
)


@instead_of(CloudWatchResponse, "put_dashboard")
def put_dashboard(was: Any, self: CloudWatchResponse) -> Any:
    name, tags = self._get_param("DashboardName"), self._get_param("Tags", [])
    is_new = name not in self.cloudwatch_backend.dashboards
    answer = was(self)
    if is_new and tags:  # AWS takes them for a new one only
        backend = _of_the_account(self.cloudwatch_backend)
        backend.tagger.tag_resource(backend.dashboards[name].arn, tags)
    return answer


@instead_of(CloudWatchBackend, "list_tags_for_resource")
def list_tags_for_resource(was: Any, self: CloudWatchBackend, arn: str) -> dict[str, str]:
    return was(_of_the_account(self) if ":dashboard/" in arn else self, arn)
