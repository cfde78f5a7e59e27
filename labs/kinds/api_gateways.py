"""What REST APIs and HTTP APIs have in common: where they answer."""

from __future__ import annotations

from labs.kinds.aws_words import is_at_aws
from labs.simulator import EXECUTE_API


def address_of(client, api_id: str) -> str:
    """Where the API answers, without a stage: at AWS a host of its own, in practice mode a path of the simulator. Which
    of the two, the client's own endpoint says."""
    if is_at_aws(client):
        return f"https://{api_id}.execute-api.{client.meta.region_name}.amazonaws.com"
    return f"{str(client.meta.endpoint_url).rstrip('/')}{EXECUTE_API}{api_id}"
