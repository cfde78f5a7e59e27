"""A backup: every row and every file of the portal in one file, which either database engine takes back.

A gzipped tar, written and read as a stream, so that memory stays small however much there is:

    lightsout.json          the format, when it was made, on which engine, the migrations that its rows fit
    files/<path>            what lies under MEDIA_ROOT
    rows/<model>/<n>.jsonl  the names of the columns, then a row a line, in JSON that is the same from every engine
    counts.json             rows by model
    SHA256SUMS              of all members before it, as sha256sum reads it; a file without it was cut off

portal/restoring.py checks it and puts it back.
"""

import base64
import gzip
import hashlib
import io
import itertools
import json
import os
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.duration import duration_string
from django.utils.translation import gettext as _

from labs import audit
from portal.models import User

FORMAT = 1
HEAD, COUNTS, SUMS = "lightsout.json", "counts.json", "SHA256SUMS"
ROWS_A_MEMBER = 20_000
OLD = timedelta(days=2)
# Who has a session's key is signed in: no backup carries them, and after a restore everybody signs in anew.
LEFT_OUT = {"sessions.Session", "usersessions.UserSession"}


class NotPossible(Exception):
    """Why there is no backup, or why it is not restored, and what to do, in the operator's words."""


@dataclass
class Written:
    """What a backup holds. damaged: files that are not on the disk as their row says, in words; they are to be told."""

    rows: int = 0
    files: int = 0
    damaged: list = field(default_factory=list)


def write(out, now):
    """Write a backup to `out`, a file open for writing bytes. Answers Written. Raises NotPossible, OSError.

    It may run while the portal works. Rows are of one instant (a snapshot). Files are never changed under their name
    and are there before their row is, so those that came while the others were being copied are added after the
    snapshot began. A file that its owner deleted meanwhile may be in it; no row names it.
    """
    if waiting := _migrations_waiting():
        raise NotPossible(f"The database waits for migrations ({waiting[0]}). Run manage.py migrate first.")
    archive, written = _Archive(out, now), Written()
    archive.add_text(HEAD, json.dumps(_head(now), indent=1))
    _add_files(archive, written)
    with _snapshot():
        _add_files(archive, written)
        counts = {model._meta.label: _add_rows(archive, model, written) for model in backed_up(apps)}
    written.rows = sum(counts.values())
    archive.add_text(COUNTS, json.dumps(counts, indent=1))
    archive.add_text(SUMS, "".join(f"{digest}  {name}\n" for name, digest in archive.sums.items()))
    archive.close()
    return written


def backed_up(registry):
    """The models of an app registry whose rows are in a backup, tables between two models too; in a fixed order."""
    found = registry.get_models(include_auto_created=True)
    kept = [one for one in found if one._meta.managed and not one._meta.proxy and one._meta.label not in LEFT_OUT]
    return sorted(kept, key=lambda one: one._meta.label)


def columns(model):
    """The fields of a model that have a column of their own which is not computed, in a fixed order."""
    own = [one for one in model._meta.concrete_fields if not getattr(one, "generated", False)]
    return sorted(own, key=lambda one: one.attname)


# --- was there one -------------------------------------------------------------------------------------------


def overdue(now):
    """What to tell the operator when the last backup is old or there never was one; "" when all is well, and of a demo.

    By the record of acts: whether the file is still there, and off this machine, nobody here can know. Two queries at
    most.
    """
    if settings.DEMO:
        return ""
    last = audit.Act.objects.filter(kind="backup").aggregate(at=models.Max("at"))["at"]
    since = last or User.objects.aggregate(at=models.Min("date_joined"))["at"]
    if since is None or now - since <= OLD:
        return ""
    if last is None:
        return _("No backup was ever made.")
    return _("The last backup was made %(days)s days ago.") % {"days": (now - last).days}


# --- rows ----------------------------------------------------------------------------------------------------


@contextmanager
def _snapshot():
    """All reads within see the database as it was when this began. Nobody is kept from writing."""
    mode = getattr(connection, "transaction_mode", None)
    if connection.vendor == "sqlite":
        # With IMMEDIATE, which writers need, the whole school would wait until the backup is done.
        connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql" and not connection.savepoint_ids:  # not within another's transaction
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT COUNT(*) FROM django_migrations")  # the first read is the instant of all
            cursor.fetchone()
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.transaction_mode = mode


def _add_rows(archive, model, written):
    """Add the rows of a model; answers how many."""
    own = columns(model)
    names = [one.attname for one in own]
    has_file = {"path", "sha256"} <= set(names)  # its rows say what bytes lie where
    rows = model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=2000)
    count = 0
    for number in itertools.count(1):
        lines = []
        for row in itertools.islice(rows, ROWS_A_MEMBER):
            if has_file:
                _compare(archive, model, dict(zip(names, row, strict=True)), written)
            lines.append(_line([as_json(one, value) for one, value in zip(own, row, strict=True)]))
        if not lines:
            return count
        archive.add_text(f"rows/{model._meta.label}/{number:06}.jsonl", _line(names) + "".join(lines))
        count += len(lines)
    return count


def _line(values):
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def as_json(column, value):
    """A value of this field as JSON has it, the same from every engine; `from_json` turns it back."""
    if value is None or isinstance(column, models.JSONField):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return value


def from_json(column, value):
    return value if isinstance(column, models.JSONField) else column.to_python(value)


def _compare(archive, model, row, written):
    """Whether the file of a row is in the backup with the bytes that the row says."""
    if not row["path"]:
        return
    copied = archive.sums.get(f"files/{row['path']}")
    if copied is None or copied != (row["sha256"] or copied):
        what = "is not on the disk" if copied is None else "has other bytes than when it came"
        written.damaged.append(f"{model._meta.label} {row.get('id')}: {row['path']} {what}")


# --- files ---------------------------------------------------------------------------------------------------


def _add_files(archive, written):
    """Copy the files under MEDIA_ROOT that are not in the archive yet. One that goes away meanwhile is left out."""
    root = Path(settings.MEDIA_ROOT)
    for place, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(place, name)
            member = f"files/{file.relative_to(root).as_posix()}"
            if name.startswith(".") or member in archive.sums or not file.is_file():
                continue  # what begins with a dot is being written
            try:
                content = open(file, "rb")  # noqa: SIM115  only its opening may fail
            except FileNotFoundError:
                continue
            with content:
                archive.add(member, content, os.fstat(content.fileno()).st_size)
            written.files += 1


class _Archive:
    """A gzipped tar that is written in one go, with the SHA-256 of every member."""

    def __init__(self, out, now):
        self.now, self.sums = now, {}
        self._gzip = gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=3, mtime=now.timestamp())
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|")  # noqa: SIM115  `close` ends it

    def add(self, name, content, size):
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(self.now.timestamp()), 0o600
        read = Hashed(content)
        self._tar.addfile(info, read)
        self.sums[name] = read.sha256

    def add_text(self, name, text):
        content = text.encode()
        self.add(name, io.BytesIO(content), len(content))

    def close(self):
        self._tar.close()
        self._gzip.close()


class Hashed:
    """A file that is read, and the SHA-256 of what was read."""

    def __init__(self, content):
        self._content, self._digest = content, hashlib.sha256()

    def read(self, size=-1):
        piece = self._content.read(size)
        self._digest.update(piece)
        return piece

    @property
    def sha256(self):
        return self._digest.hexdigest()


# --- what its rows fit ---------------------------------------------------------------------------------------


def _migrations_waiting():
    executor = MigrationExecutor(connection)
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _head(now):
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    return {
        "format": FORMAT,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "engine": connection.vendor,
        "migrations": [f"{app}.{name}" for app, name in applied],
    }
