"""Bytes to disk under MEDIA_ROOT and back: under names of ours, whole, and never lost by a power cut."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
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


SYNCED_AT_ONCE = 512 * 1024  # bytes; to sync the last of a megabyte took 1.2 ms then, all of it 3.1


# What a request does while the disk works: it writes the rows of what is being synced, and commits after both.
SYNCING = ThreadPoolExecutor(max_workers=32, thread_name_prefix="sync")


class Arriving:
    """A file under MEDIA_ROOT/`folder` while its bytes come. After `finish` they would survive a power cut.

    What takes a while is done while it waits for more anyway: its folder knows it before the first byte, and a long one
    is synced in between, so that with the last byte little is left to sync. Its name is random, and nothing names it
    before it is whole. `folder` is of our making. Raises OSError when the disk cannot, TooLarge when there are more
    than `most` bytes; nothing is kept then, nor after `give_up`.
    """

    def __init__(self, folder: str, *, most: int | None = None) -> None:
        self.root, self.most = Path(settings.MEDIA_ROOT), most
        place = self.root / folder
        _make_folder(place)
        self.place = place / uuid.uuid4().hex
        self.digest, self.size, self.unsynced = hashlib.sha256(), 0, 0
        self.syncing: Future[None] | None = None
        self.out = open(self.place, "xb", buffering=0)  # noqa: SIM115  pieces come from outside, one call each
        try:
            _sync_folder(place)
        except BaseException:
            self.give_up()
            raise

    def write(self, piece: bytes) -> None:
        try:
            self.digest.update(piece)
            self.size += len(piece)
            if self.most is not None and self.size > self.most:
                raise TooLarge
            if self.unsynced >= SYNCED_AT_ONCE:
                os.fdatasync(self.out.fileno())
                self.unsynced = 0
            rest = memoryview(piece)
            while rest:
                rest = rest[self.out.write(rest) :]
            self.unsynced += len(piece)
        except BaseException:
            self.give_up()
            raise

    def end(self) -> Stored:
        """All bytes came, and are being synced. They are kept once `settle` has returned."""
        self.syncing = SYNCING.submit(os.fsync, self.out.fileno())
        return Stored(str(self.place.relative_to(self.root)), self.size, self.digest.hexdigest())

    def settle(self) -> None:
        try:
            if self.syncing is not None:
                self.syncing.result()
            self.out.close()
        except BaseException:
            self.give_up()
            raise

    def finish(self) -> Stored:
        stored = self.end()
        self.settle()
        return stored

    def give_up(self) -> None:
        if self.syncing is not None:
            wait([self.syncing])  # or it would sync whatever gets this handle next
        self.out.close()
        self.place.unlink(missing_ok=True)


def store(pieces: Iterable[bytes], folder: str, *, most: int | None = None) -> Stored:
    """Write the bytes under MEDIA_ROOT/`folder`, and return only when they would survive a power cut.

    Raises as Arriving does; whatever `pieces` raises goes up. Then nothing of it is kept.
    """
    arriving = Arriving(folder, most=most)
    try:
        for piece in pieces:
            arriving.write(piece)
    except BaseException:
        arriving.give_up()
        raise
    return arriving.finish()


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
