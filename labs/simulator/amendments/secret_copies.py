"""Secrets Manager. In its own region AWS makes the copy of a secret a secret of its own, which can then be deleted."""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from moto.secretsmanager.exceptions import InvalidParameterException, SecretNotFoundException
from moto.secretsmanager.models import ReplicaSecret
from moto.secretsmanager.responses import SecretsManagerResponse

from labs.simulator.amendments import added_to


@added_to(SecretsManagerResponse)
def stop_replication_to_replica(self: Any) -> str:
    secrets, asked = self.backend.secrets, self._get_param("SecretId")
    replica = secrets.get(asked)
    if replica is None:
        raise SecretNotFoundException
    if not isinstance(replica, ReplicaSecret):
        raise InvalidParameterException(f"The secret {asked} is not a replica.")
    own = copy(replica.source)
    own.arn, own.region, own.replicas = replica.arn, replica.region, []
    replica.source.replicas.remove(replica)
    dict.pop(secrets, replica.arn)
    secrets[own.name] = own
    return json.dumps({"ARN": own.arn})
