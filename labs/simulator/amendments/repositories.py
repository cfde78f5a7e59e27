"""ECR. AWS counts an image's layers into its size, and not its configuration alone; and an image's digest is the
SHA-256 of its manifest, as it was sent.
"""

from __future__ import annotations

import hashlib
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


@instead_of(Image, "_create_digest")
def create_digest(was: Any, self: Image) -> None:
    self._image_digest = f"sha256:{hashlib.sha256(self.image_manifest.encode()).hexdigest()}"
