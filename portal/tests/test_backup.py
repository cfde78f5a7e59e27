"""The drill: a place is backed up, put back where nothing is, and compared row by row and byte by byte."""

import gzip
import json
import os
import stat
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import environ
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.utils import load_backend

from conftest import person
from costs.models import Price, Reading
from labs import audit, keeping, ledger
from labs.kinds.base import RUNNING, Seen
from labs.models import Account, Launch, SavedFile
from portal import backup, enrolling, notices, restoring, submitting
from portal.models import Assignment, ClassStart, Membership, NoticeChannel, SubmissionFile, User
from portal.settings import BASE_DIR


@pytest.fixture(autouse=True)
def with_migrations(settings, known_migrations):
    settings.MIGRATION_MODULES = {}


@pytest.fixture
def place(settings, tmp_path):
    settings.VAR = tmp_path
    return tmp_path


@pytest.fixture
def school(place, cohort, aye, chit, now):
    """A row of every sort that could be changed on the way: money (SQLite has 15 digits), instants, durations, JSON,
    Burmese, ids, files."""
    case = Assignment.objects.get(week__number=2)
    draft = submitting.draft_of(case, cohort, aye, now=now)
    submitting.save_draft(draft, "မင်္ဂလာပါ 'quoted' \\ \t\n\U0001f4a1", revision=0, window="w", now=now)
    submitting.add_file(draft, SimpleUploadedFile("အဖြေ.txt", b"walrus\n" * 1000), now=now)
    submitting.submit(draft, key="k", now=now + timedelta(microseconds=1))
    account, _ = Account.objects.get_or_create(owner=aye, mode="practice", defaults={"name": "a", "created_at": now})
    launch = Launch.objects.create(
        lab="s3", account=account, owner=aye, region="us-east-1", created_at=now, expires_at=now,
        certificate={"rows": [{"z": 1.5, "a": None}], "é": [True]},
    )  # fmt: skip
    seen = Seen(RUNNING, "vol-1", "v", now, {"type": "gp3", "gb": 8, "iops": 3000, "mibps": 125.5})
    [row] = ledger.enter_strangers([(account, "ebs-volume", seen, "us-east-1")], now)
    price = Price.objects.create(
        service="EBS", kind="k", sku="s", region="r", unit="u", usd="0.0000000001", valid_from="2025-01-01", source=""
    )
    for n in range(3):
        began = now + timedelta(minutes=n, microseconds=7)
        Reading.objects.create(
            resource=row, meter="gb", service="EBS", start=began, end=began + timedelta(minutes=1), unit="h",
            quantity=Decimal("12345.0123456789"), usd=None if n else Decimal("0.0000000001"), price=price,
        )  # fmt: skip
    ClassStart.objects.create(
        cohort=cohort,
        week=case.week,
        lab_slug="s",
        at=now,
        begins_at=now,
        apart=timedelta(seconds=90.5),
        planned_at=now,
    )
    NoticeChannel.objects.create(person=aye, kind="apprise", label="x", made_at=now, claim=uuid4(), muted=["lights"])
    kept = keeping.store([b"model \x00\xff"], f"locker/{aye.pk}/x")
    SavedFile.objects.create(
        owner=aye, launch=launch, bucket="b", name="m.pkl", bytes=kept.size, sha256=kept.sha256, path=kept.path,
        saved_at=now, why_not="",
    )  # fmt: skip
    notices.tell(aye, "lights", "k", "On", now=now)
    with transaction.atomic():
        audit.note("grade", "8 of 10", by=chit, person=aye, now=now)
    return launch


def rows_of():
    """{model: [every column of every row, as Python has it]}, without what the restore itself wrote."""
    found = {}
    for model in backup.backed_up(apps):
        rows = model._base_manager.order_by("pk")
        rows = rows.exclude(kind="restore") if model is audit.Act else rows
        found[model._meta.label] = list(rows.values_list(*[one.attname for one in backup.columns(model)]))
    return found


def files_in(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def manage(*words, var, url):
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "LIGHTSOUT_VAR": str(var)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def opened(url):
    """The database at `url` instead of the tests' own, for as long as this takes."""
    own = connections["default"]
    there = connections.configure_settings({"default": environ.Env.db_url_config(url)})["default"]
    connections["default"] = load_backend(there["ENGINE"]).DatabaseWrapper(there, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = own


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_drill_every_row_and_every_byte_comes_back_in_an_empty_place_on_either_engine(school, place, settings):
    held, files = rows_of(), files_in(Path(settings.MEDIA_ROOT))
    assert sum(map(len, held.values())) > 100 and len(files) == 2
    assert all(held[label] for label in ("costs.Reading", "labs.Act", "portal.SubmissionFile", "auth.Permission"))
    call_command("backup", place / "one.tar.gz")

    url, there = f"sqlite:///{place / 'there.sqlite3'}", place / "there"
    assert "Restored" in manage("restore", place / "one.tar.gz", var=there, url=url)
    assert files_in(there / "files") == files
    with opened(url):
        assert rows_of() == held
        assert_counts_on()

    if connection.vendor == "postgresql":
        manage("backup", place / "two.tar.gz", var=there, url=url)
        with empty_postgres() as url:
            manage("restore", place / "two.tar.gz", var=place / "back", url=url)
            assert files_in(place / "back" / "files") == files
            with opened(url):
                assert rows_of() == held
                assert_counts_on()


def assert_counts_on():
    """The next row gets a number of its own; the place is left as it was."""
    last = User.objects.order_by("pk").last().pk
    new = User.objects.create(email="dahlia@example.org")
    assert new.pk > last
    new.delete()


@contextmanager
def empty_postgres():
    name = f"{connection.settings_dict['NAME']}_drill"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        finally:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.django_db(transaction=True)
def test_what_is_written_while_it_is_made_waits_for_nothing_and_is_in_it_whole_or_not_at_all(
    place, aye, cohort, now, monkeypatch
):
    """The table of members is read before that of people, so one who comes between would be in half."""

    def somebody_comes():
        enrolling.enrol(cohort, person("bo"), now=now)
        connection.close()

    def and_meanwhile(archive, model, *rest):
        count = add_rows(archive, model, *rest)
        if model is Membership:
            comer = threading.Thread(target=somebody_comes)
            comer.start()
            comer.join(15)
            assert not comer.is_alive()
        return count

    add_rows = backup._add_rows
    monkeypatch.setattr(backup, "_add_rows", and_meanwhile)
    call_command("backup", place / "one.tar.gz")
    assert Membership.objects.count() == 2
    counts = restoring.check(place / "one.tar.gz").counts
    assert (counts["portal.Membership"], counts["portal.User"]) == (1, 1)


@pytest.mark.once
@pytest.mark.django_db
def test_a_file_that_comes_while_the_others_are_copied_is_in_it_too(school, place, settings, monkeypatch):
    late = Path(settings.MEDIA_ROOT) / "work" / "late"

    @contextmanager
    def after_it_came():
        late.write_bytes(b"late")
        with snapshot():
            yield

    snapshot = backup._snapshot
    monkeypatch.setattr(backup, "_snapshot", after_it_came)
    call_command("backup", place / "one.tar.gz")
    with tarfile.open(place / "one.tar.gz") as made:
        assert "files/work/late" in made.getnames()


@pytest.mark.once
@pytest.mark.django_db
def test_a_backup_that_is_cut_or_changed_anywhere_is_refused_before_anything_is_written(school, place):
    whole = place / "one.tar.gz"
    call_command("backup", whole)
    content = whole.read_bytes()
    assert restoring.check(whole).rows
    broken = place / "broken.tar.gz"
    for spot in [*range(20, len(content), max(1, len(content) // 30)), len(content) - 1]:
        for changed in (content[:spot], content[:spot] + bytes([content[spot] ^ 4]) + content[spot + 1 :]):
            broken.write_bytes(changed)
            try:
                restoring.check(broken)
            except backup.NotPossible:
                continue
            # A run of zeros can be packed in more than one way.
            assert gzip.decompress(changed) == gzip.decompress(content)


def remade(whole, place, change):
    """The backup with other members, packed as well as before: change(name, content) answers the new content."""
    with tarfile.open(whole) as old, tarfile.open(place, "w:gz") as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                new.addfile(member, BytesIO(content))


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda name, held: held.replace(b"walrus", b"wolves"), "is damaged: files/work/"),
        (lambda name, held: None if name.startswith("rows/portal.User/") else held, "rows/portal.User"),
        (lambda name, held: None if name == "SHA256SUMS" else held, "was cut off"),
        (lambda name, held: held.replace(b"labs.0011_acts", b"labs.9999_later"), "made by a newer Lightsout"),
    ],
)
def test_a_backup_that_is_well_packed_and_not_what_was_written_is_refused(school, place, change, words):
    call_command("backup", place / "one.tar.gz")
    remade(place / "one.tar.gz", place / "two.tar.gz", change)
    with pytest.raises(CommandError, match=words):
        call_command("restore", place / "two.tar.gz", "--check")


@pytest.mark.once
@pytest.mark.parametrize("name", ["files/../../escaped", "/etc/passwd", "files//x", "other"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        head = json.dumps({"format": 1, "migrations": []}).encode()
        for member, content in (("lightsout.json", head), (name, b"x")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    with pytest.raises(backup.NotPossible, match="which no backup of Lightsout holds"):
        restoring.check(tmp_path / "bad.tar.gz")


@pytest.mark.once
@pytest.mark.django_db
def test_a_place_with_a_row_or_a_file_in_it_is_left_as_it_is(school, place, settings):
    call_command("backup", place / "one.tar.gz")
    before = rows_of()
    with pytest.raises(CommandError, match="There are files in"):
        call_command("restore", place / "one.tar.gz")
    settings.MEDIA_ROOT = place / "nothing"
    with pytest.raises(CommandError, match="The database is not empty: there are rows in"):
        call_command("restore", place / "one.tar.gz")
    assert rows_of() == before


@pytest.mark.once
@pytest.mark.django_db
def test_a_file_that_is_not_what_was_handed_in_is_told_and_the_backup_is_made(school, place, settings, capsys):
    file = SubmissionFile.objects.get()
    (Path(settings.MEDIA_ROOT) / file.path).write_bytes(b"other")
    with pytest.raises(CommandError, match="files are not what their rows say"):
        call_command("backup", place / "one.tar.gz")
    assert f"portal.SubmissionFile {file.pk}: {file.path} has other bytes than when it came" in capsys.readouterr().err
    assert restoring.check(place / "one.tar.gz").files == 2


@pytest.mark.once
@pytest.mark.django_db
def test_backups_are_for_the_operator_alone_and_the_oldest_make_room(place, aye, clock, now):
    for hour in range(3):
        clock.move_to(now + timedelta(hours=hour))
        call_command("backup", "--keep", "2")
    kept = sorted((place / "backups").iterdir())
    assert [one.name for one in kept] == ["lightsout-20250918-091700.tar.gz", "lightsout-20250918-101700.tar.gz"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert audit.Act.objects.filter(kind="backup").count() == 3
    assert aye.email.encode() in gzip.decompress(kept[0].read_bytes())


@pytest.mark.once
@pytest.mark.django_db
def test_admins_are_told_when_the_last_backup_is_old_and_nobody_else_is(
    place, clock, cohort, chit, admin, now, signed_in, capsys
):
    def told(who=admin):
        page = signed_in(who).get("/aws/").content.decode()
        return [
            words for words in ("No backup was ever made.", "The last backup was made 3 days ago.") if words in page
        ]

    User.objects.update(date_joined=now)
    assert told() == []
    clock.move_to(now + timedelta(days=2, seconds=1))
    assert told() == ["No backup was ever made."]
    assert told(chit) == []
    call_command("backup")
    assert told() == []
    clock.move_to(now + timedelta(days=5, seconds=2))
    assert told() == ["The last backup was made 3 days ago."]
    call_command("doctor")
    assert "The last backup was made 3 days ago. To mend: manage.py backup" in capsys.readouterr().out
