"""Code for Lambda as it is sent with a create call: a zip made in memory, the same bytes for the same files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

# The first instant that a zip can hold: what a clock says must not change the code's hash.
_FIRST = (1980, 1, 1, 0, 0, 0)
_READ_BY_ALL = 0o644 << 16


def zip_of(files: Mapping[str, str]) -> bytes:
    """files: {name within the zip: text}. Stored and not packed, since packing differs from one zlib to the next."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _FIRST)
            member.external_attr = _READ_BY_ALL
            archive.writestr(member, files[name])
    return made.getvalue()
