"""CloudWatch's alarms. AWS has composite ones, made of other alarms, and keeps an alarm while one of those depends on
it. A new alarm knows nothing yet.
"""

from __future__ import annotations

import re
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse

from labs.simulator.amendments import instead_of

_NAMES = re.compile(r"\(\s*[\"']?([^\"'()]+?)[\"']?\s*\)")

# moto's own reads the rule too, and has no door of that name.
CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # type: ignore[attr-defined]


@instead_of(Alarm, "__init__")
def _init(was: Any, self: Alarm, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.state_value = "INSUFFICIENT_DATA"


@instead_of(CloudWatchBackend, "delete_alarms")
def delete_alarms(was: Any, self: CloudWatchBackend, alarm_names: list[str]) -> None:
    for alarm in self.alarms.values():
        needed = set(_NAMES.findall(alarm.rule or "")) & set(alarm_names)
        if needed and alarm.name not in alarm_names:
            raise ValidationError(
                f"Cannot delete {','.join(sorted(needed))} as there are composite alarm(s) depending on it."
            )
    was(self, alarm_names)
    for name in alarm_names:
        arn = f"arn:aws:cloudwatch:{self.region_name}:{self.account_id}:alarm:{name}"
        self.tagger.delete_all_tags_for_resource(arn)
