"""OpenSearch Serverless. AWS shows a collection as creating and as deleting on the way, takes a key of its own where
none is named, keeps a standby unless told otherwise, lets a name be taken once, and keeps what is protected.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from moto.opensearchserverless.exceptions import ConflictException, ResourceNotFoundException
from moto.opensearchserverless.models import Collection, OpenSearchServiceServerlessBackend
from moto.opensearchserverless.responses import OpenSearchServiceServerlessResponse

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import by_way_of, later, pace

Backend = OpenSearchServiceServerlessBackend


@instead_of(Collection, "__init__")
def _init(was: Any, self: Collection, **asked: Any) -> None:
    # A network policy for the collection, which moto takes for its encryption policy, is a list.
    named = asked["policy"] if isinstance(asked["policy"], dict) else {}
    standby = asked["standby_replicas"] or "ENABLED"
    was(self, **{**asked, "policy": {"KmsARN": "auto", **named}, "standby_replicas": standby})
    self.__dict__["protection"] = "DISABLED"
    by_way_of(self, "status", "CREATING", "ACTIVE")


@instead_of(Collection, "to_dict")
def to_dict(was: Any, self: Collection) -> dict[str, Any]:
    return {**was(self), "deletionProtection": self.__dict__["protection"]}


@instead_of(Backend, "create_collection")
def create_collection(was: Any, self: Backend, client_token: str, description: str, name: str, **asked: Any) -> Any:
    taken = next((each for each in self.collections.values() if each.name == name), None)
    if taken is not None and client_token and taken.client_token == client_token:
        return taken
    if taken is not None:
        raise ConflictException(msg=f"Collection with name {name} already exists")
    return was(self, client_token=client_token, description=description, name=name, **asked)


@instead_of(Backend, "delete_collection")
def delete_collection(was: Any, self: Backend, client_token: str, id: str) -> Any:  # noqa: A002  moto's name
    collection = self.collections.get(id)
    if collection is not None and collection.__dict__["protection"] == "ENABLED":
        raise ConflictException(msg=f"Collection {id} is protected against deletion")
    gone = was(self, client_token, id)
    if pace.seconds:
        self.collections[id] = gone
        later(partial(self.collections.pop, id, None))
    return gone


def update_collection(self: OpenSearchServiceServerlessResponse) -> str:
    asked = json.loads(self.body)
    collection = self.opensearchserverless_backend.collections.get(asked["id"])
    if collection is None:
        raise ResourceNotFoundException(f"Collection with ID {asked['id']} cannot be found.")
    collection.__dict__["protection"] = asked.get("deletionProtection", collection.__dict__["protection"])
    collection.description = asked.get("description", collection.description)
    return json.dumps({"updateCollectionDetail": collection.to_dict()})


OpenSearchServiceServerlessResponse.update_collection = update_collection  # type: ignore[attr-defined]
