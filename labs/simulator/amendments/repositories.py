"""ECR. AWS counts an image's layers into its size, and not its configuration alone."""

from __future__ import annotations

import json
from typing import Any

from moto.ecr.models import Image

from labs.simulator.amendments import instead_of


@instead_of(Image, "get_image_size_in_bytes")
def get_image_size_in_bytes(was: Any, self: Image) -> int | None:
    manifest = json.loads(self.image_manifest)
    parts = [manifest.get("config", {}), *manifest.get("layers", ())]
    sizes = [int(part["size"]) for part in parts if "size" in part]
    return sum(sizes) if sizes else was(self)
