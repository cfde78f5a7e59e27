"""A backup is checked whole before anything is written, and put back into an empty place, or not at all."""

import gzip
import json
import os
import shutil
import tarfile
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from portal.backup import COUNTS, FORMAT, HEAD, SUMS, Hashed, NotPossible, backed_up, columns, from_json

# What a database has by itself once its tables are laid.
LAID_WITH_TABLES = {"contenttypes.ContentType", "auth.Permission"}
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Checked:
    """What a whole backup holds. counts: {model: rows}."""

    head: dict
    counts: dict
    files: int

    @property
    def rows(self):
        return sum(self.counts.values())


def check(path):
    """Read a backup to its end: every member has the SHA-256 that it was given, and no row is missing. Writes nothing.

    Answers Checked. Raises NotPossible for one that is damaged, cut off, of another kind or of a newer Lightsout.
    """
    head, counts, listed, found, rows, files = None, None, None, {}, Counter(), 0
    with _understood(path):
        for name, content in _members(path):
            read = Hashed(content)
            if head is None:
                head = _head(name, read.read())
            elif name == COUNTS:
                counts = json.loads(read.read())
            elif name == SUMS:
                listed = {line[66:]: line[:64] for line in read.read().decode().splitlines()}
                continue
            elif name.startswith("rows/"):
                rows[name.split("/")[1]] += sum(piece.count(b"\n") for piece in _pieces(read)) - 1
            else:
                for _ in _pieces(read):
                    pass
                files += 1
            found[name] = read.sha256
    if listed is None or counts is None:
        raise NotPossible(f"{path} was cut off: its end is missing. Take another backup.")
    wrong = sorted(name for name in listed.keys() | found if listed.get(name) != found.get(name))
    wrong += [f"the rows of {label}" for label in counts.keys() | rows if rows[label] != counts.get(label)]
    if wrong:
        raise NotPossible(f"{path} is damaged: {', '.join(wrong[:5])}{' and more' if wrong[5:] else ''}.")
    return Checked(head, counts, files)


def restore(path, *, tell=lambda words: None):
    """Check a backup, then put its rows and files into this empty place, with the tables of the time it was made; then
    run the migrations since. Answers Checked. Raises NotPossible: then nothing of it is left in the place but tables.
    """
    _refuse_full_place()
    checked = check(path)
    tell(f"The backup is whole: {checked.rows:,} rows, {checked.files:,} files, made {checked.head['made_at']}.")
    models = _lay_tables(checked.head["migrations"])
    root = Path(settings.MEDIA_ROOT)
    try:
        with transaction.atomic():
            _empty(models.values())
            for name, content in _members(path):
                if name.startswith("files/"):
                    _keep(root / name.removeprefix("files/"), content)
                elif name.startswith("rows/"):
                    _insert(models[name.split("/")[1]], content)
            os.sync()  # the files first: rows that are committed have theirs
            connection.check_constraints()
            for sql in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
                with connection.cursor() as cursor:
                    cursor.execute(sql)
            _count(models, checked.counts)
    except BaseException as why:
        shutil.rmtree(root, ignore_errors=True)
        if isinstance(why, (Error, OSError)):
            raise NotPossible(f"Nothing was restored, and the place is empty again: {why}") from why
        raise
    # What came since, and what is laid with the tables of today.
    call_command("migrate", verbosity=0, interactive=False)
    return checked


# --- the file ------------------------------------------------------------------------------------------------


@contextmanager
def _understood(path):
    """Whatever reading a file that is no backup runs into, in words."""
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, KeyError) as why:
        raise NotPossible(f"{path} is no whole backup: it is damaged, was cut off, or is something else.") from why
    except OSError as why:
        raise NotPossible(f"{path} cannot be read: {why.strerror or why}") from why


def _members(path):
    """(name, file to read) of each member, in order."""
    with gzip.open(path) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as tar:
        for member in tar:
            if not member.isreg() or not _is_within(member.name):
                raise NotPossible(f"{path} holds {member.name!r}, which no backup of Lightsout holds.")
            yield member.name, tar.extractfile(member)
        for _ in _pieces(unzipped):  # to the checksum at the very end
            pass


def _is_within(name):
    parts = PurePosixPath(name).parts
    kind = {HEAD, COUNTS, SUMS, "rows", "files"}
    return bool(parts) and parts[0] in kind and ".." not in parts and "/".join(parts) == name


def _pieces(content):
    return iter(lambda: content.read(BLOCK), b"")


def _head(name, text):
    """What the first member says. Raises NotPossible for what this Lightsout does not know."""
    if name != HEAD:
        raise NotPossible("This is no backup of Lightsout.")
    head = json.loads(text)
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(head["migrations"]) - known)
    if newer or head["format"] > FORMAT:
        what = f" ({len(newer)} of its migrations are not known here, as {newer[-1]})" if newer else ""
        raise NotPossible(f"This backup was made by a newer Lightsout{what}. Update this one first.")
    return head


# --- the place -----------------------------------------------------------------------------------------------


def _refuse_full_place():
    root = Path(settings.MEDIA_ROOT)
    if root.is_dir() and any(file.is_file() for file in root.rglob("*")):
        raise NotPossible(f"There are files in {root} already. A restore goes into an empty place only.")
    there = set(connection.introspection.table_names())
    for model in backed_up(MigrationExecutor(connection).loader.project_state().apps):
        if model._meta.db_table in there and model._meta.label not in LAID_WITH_TABLES and _has_rows(model):
            raise NotPossible(
                f"The database is not empty: there are rows in {model._meta.db_table}. A restore goes into an empty "
                "place only: make a new database, or choose another folder with LIGHTSOUT_VAR."
            )


def _has_rows(model):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(model._meta.db_table)} LIMIT 1")  # noqa: S608
        return cursor.fetchone() is not None


def _lay_tables(wanted):
    """Bring the database to these migrations. Answers {label: model} as the models were then."""
    wanted = {tuple(one.split(".", 1)) for one in wanted}
    if MigrationRecorder(connection).applied_migrations().keys() - wanted:
        raise NotPossible("The tables here are newer than the backup. Make a new database: it lays its own tables.")
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    last = [
        node for node in wanted & graph.nodes.keys() if not {one.key for one in graph.node_map[node].children} & wanted
    ]
    executor.migrate(last)
    models = backed_up(executor.loader.project_state(last).apps)
    return {model._meta.label: model for model in models}


def _keep(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "xb") as out:
        shutil.copyfileobj(content, out, BLOCK)


def _empty(models):
    """Take away what migrations laid: all of that is in the backup."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  our own names


def _insert(model, content):
    names = json.loads(content.readline())
    own = {one.attname: one for one in columns(model)}
    fields = [own[name] for name in names]
    quoted = ", ".join(connection.ops.quote_name(one.column) for one in fields)
    table, places = connection.ops.quote_name(model._meta.db_table), ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {table} ({quoted}) VALUES ({places})"  # noqa: S608  our own names
    with connection.cursor() as cursor:
        while lines := content.readlines(BLOCK):
            try:
                cursor.executemany(sql, [_values(fields, json.loads(line)) for line in lines])
            except Error as why:  # as a text that SQLite took, and is too long for PostgreSQL
                raise type(why)(f"{model._meta.label}: {why}") from why


def _values(fields, row):
    pairs = zip(fields, row, strict=True)
    return [field.get_db_prep_save(from_json(field, value), connection) for field, value in pairs]


def _count(models, counts):
    for label, count in counts.items():
        found = models[label]._base_manager.count()
        if found != count:
            raise Error(f"{label} has {found} rows, and the backup {count}.")
