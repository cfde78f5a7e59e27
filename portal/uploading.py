"""Files that come in parts and go on after a cut: what lies behind the tus protocol of portal/views/uploads.py.

An Upload says how many bytes are on disk; only whoever holds its row's lock adds to them, and only at that place. When
all are there the file becomes one of the draft's, as if it had come by the form; asked again, it says so again.
"""

import errno
import hashlib
import logging
import os
import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs.keeping import in_words
from portal import filing, submitting
from portal.filing import Refused
from portal.models import Upload

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=48)  # after bytes came last: longer than sealed bytes may take
AT_ONCE = 20  # uploads of one draft that are on their way
SPARE = 256 * 2**20  # bytes of the disk that uploads leave for the rest of the portal
FULL = gettext_lazy(
    "The portal's disk is full, so these bytes were not taken. Your file is safe on your device, and sending goes on "
    "from here when there is room. Your instructor can free space."
)


class DiskFull(Exception):
    """Bytes could not be written; what was on disk before is still there."""


class Lost(Refused):
    """Bytes that were here are not on disk any more."""

    def __init__(self):
        super().__init__(_("What came of this file is not on our disk any more. Choose it again."))


class Moved(Exception):
    """Bytes came for another place than the next one. `offset` is the next one."""

    def __init__(self, offset):
        super().__init__(f"The next byte is {offset}.")
        self.offset = offset


def begin(draft, name, size, *, replaces, now):
    """An Upload that takes `size` bytes. Raises Refused for what would be refused at its end, DiskFull.

    replaces: as in submitting.add_file.
    """
    name = filing.shown_name(name)
    assignment = draft.assignment
    filing.judge_outside(name, size, assignment.allowed_types, assignment.max_bytes)
    under_way = draft.uploads.filter(added_at=None)
    if under_way.count() >= AT_ONCE:
        raise Refused(
            _("%(name)s was not begun: %(n)s files are on their way already. Wait until some of them are here.")
            % {"name": name, "n": AT_ONCE}
        )
    _folder().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(_folder()).free < size + SPARE:
        raise DiskFull
    return Upload.objects.create(draft=draft, name=name, size=size, replaces=replaces, moved_at=now)


def add(upload, offset, piece, *, now):
    """Append the bytes of the open file `piece` at `offset`: the Upload as it is then. Raises Moved, Refused, DiskFull.

    Of two that send the same place at once one is first, and the other is told where to go on.
    """
    size = piece.seek(0, os.SEEK_END)
    if offset + size > upload.size:
        raise Refused(
            _("%(name)s was to have %(size)s, and more came. Choose the file again.")
            % {"name": upload.name, "size": in_words(upload.size)}
        )
    with transaction.atomic():
        kept = Upload.objects.select_for_update().get(pk=upload.pk)
        if offset != kept.offset:
            raise Moved(kept.offset)
        if size:
            _write(_place(kept), offset, piece)
            kept.offset, kept.moved_at = offset + size, now
            kept.save(update_fields=["offset", "moved_at"])
    return kept


def _write(place, offset, piece):
    """On disk, for good, before it returns. What lies behind `offset` is of an attempt that was never told: gone."""
    piece.seek(0)
    try:
        handle = os.open(place, os.O_CREAT | os.O_WRONLY, 0o600)
        with open(handle, "wb") as out:
            if os.fstat(handle).st_size < offset:
                raise Lost
            out.truncate(offset)
            out.seek(offset)
            shutil.copyfileobj(piece, out, 256 * 1024)
            out.flush()
            os.fsync(out.fileno())
    except OSError as failed:
        if failed.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            log.exception("bytes of %s could not be written", place)
        raise DiskFull from failed


def finish(upload, *, now):
    """Put a whole upload into its draft, once: the Upload with what its student is told. Raises Refused, as add_file.

    Refused leaves the bytes here: after room was made it is asked again.
    """
    if upload.added_at:
        return upload

    def done(added):
        """With the file itself, or not at all. Of two that finish at once the second meets the first one's mark."""
        if added.name == upload.name:
            said = _("%(name)s was added.") % {"name": added.name}
        else:
            said = _(
                "%(name)s was added: the draft has another %(other)s. Both are kept; remove the one that you do not "
                "want."
            ) % {"name": added.name, "other": upload.name}
        if not Upload.objects.filter(pk=upload.pk, added_at=None).update(added_at=now, said=said):
            raise _AddedBefore

    try:
        with open(_place(upload), "rb") as whole:
            held = File(whole, name=upload.name)
            submitting.add_file(upload.draft, held, now=now, replaces=upload.replaces, with_it=done)
    except _AddedBefore:
        pass
    except FileNotFoundError as gone:
        if not Upload.objects.filter(pk=upload.pk).exclude(added_at=None).exists():
            raise Lost from gone
    _place(upload).unlink(missing_ok=True)
    return Upload.objects.get(pk=upload.pk)


class _AddedBefore(Exception):
    pass


def give_up(upload):
    """Its student does not want it any more: nothing of it stays here. What is in the draft stays."""
    place = _place(upload)
    upload.delete()
    place.unlink(missing_ok=True)


def tidy_up(now):
    """Remove uploads that nobody goes on with, and bytes without a row. Answers how many uploads went."""
    old = list(Upload.objects.filter(moved_at__lt=now - KEPT_FOR))
    for upload in old:
        give_up(upload)
    if _folder().is_dir():
        named = {pk.hex for pk in Upload.objects.values_list("pk", flat=True)}
        for part in _folder().iterdir():
            if part.name not in named and now.timestamp() - part.stat().st_mtime > KEPT_FOR.total_seconds():
                part.unlink(missing_ok=True)
    return len(old)


def expires_at(upload):
    return upload.moved_at + KEPT_FOR


def digest_of(piece, algorithm):
    """The digest of an open file, for tus's checksums. Raises ValueError for an algorithm that is not offered."""
    if algorithm not in CHECKSUMS:
        raise ValueError(algorithm)
    piece.seek(0)
    return hashlib.file_digest(piece, algorithm).digest()


CHECKSUMS = ("sha256", "sha1")


def _folder():
    return Path(settings.MEDIA_ROOT) / "uploads"


def _place(upload):
    return _folder() / upload.pk.hex
