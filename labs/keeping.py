"""Bytes to disk under MEDIA_ROOT and back: under names of ours, whole, and never lost by a power cut."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import ngettext


class TooLarge(Exception):
    """More bytes came than were to be kept: none of them is."""


class OutOfPlace(Exception):
    """A stored path that leads out of where its kind of file is kept, in words."""


@dataclass(frozen=True)
class Stored:
    path: str  # under MEDIA_ROOT
    size: int
    sha256: str


def store(pieces: Iterable[bytes], folder: str, *, most: int | None = None) -> Stored:
    """Write the bytes under MEDIA_ROOT/`folder`, and return only when they would survive a power cut.

    Temporary file, fsync, rename, fsync of the folder. `folder` is of our making. Raises OSError when the disk cannot,
    TooLarge when there are more than `most` bytes; whatever `pieces` raises goes up. Then nothing of it is kept.
    """
    root = Path(settings.MEDIA_ROOT)
    place = root / folder
    _make_folder(place)
    name = uuid.uuid4().hex
    temporary, final = place / f".{name}.part", place / name
    digest, size = hashlib.sha256(), 0
    try:
        with open(temporary, "xb") as out:
            for piece in pieces:
                digest.update(piece)
                size += out.write(piece)
                if most is not None and size > most:
                    raise TooLarge
            out.flush()
            os.fsync(out.fileno())
        os.rename(temporary, final)
        _sync_folder(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        final.unlink(missing_ok=True)
        raise
    return Stored(str(final.relative_to(root)), size, digest.hexdigest())


def _make_folder(folder: Path) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        _sync_folder(one.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def place_of(path: str, *, within: str) -> Path:
    """The file of a stored path. Raises OutOfPlace for a path that leads out of MEDIA_ROOT/`within`."""
    root = (Path(settings.MEDIA_ROOT) / within).resolve()
    found = (Path(settings.MEDIA_ROOT) / path).resolve()
    if not found.is_relative_to(root):
        raise OutOfPlace("This path leads out of where files are kept.")
    return found


def in_words(size: int) -> str:
    """Bytes as a person reads them: "12.5 MB", "3 KB", "17 bytes"."""
    for unit, step in (("MB", 1024 * 1024), ("KB", 1024)):
        if size >= step:
            return f"{size / step:.1f}".removesuffix(".0") + f" {unit}"
    return ngettext("%(n)s byte", "%(n)s bytes", size) % {"n": size}
