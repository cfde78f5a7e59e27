"""The locker: a student's work outlives its lab, whatever dies or fails meanwhile, and what does not is named."""

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError
from django.conf import settings as portal

from labs import aws, catalog, launching, ledger, locker
from labs.kinds.base import Want
from labs.models import Account, Event, Launch, SavedFile
from labs.tests.cast import START, Clock, Died, refusal
from labs.tests.conftest import World, lab_of

pytestmark = pytest.mark.django_db

SAVING = replace(lab_of(Want("bucket", "fake-name"), slug="saving"), saves=(("bucket", "models/"),))
PLAIN = replace(lab_of(Want("bucket", "fake-name"), slug="plain"))


class Body(io.BytesIO):
    """What S3 gives to be read. `at_read` is called before each piece."""

    def __init__(self, content, at_read):
        super().__init__(content)
        self.at_read = at_read

    def read(self, size=-1):
        self.at_read()
        return super().read(size)


@dataclass
class Shelf:
    """The S3 of the fakes: one bucket. at(operation) and at_read() may raise, or let time pass."""

    files: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    at: object = lambda operation: None
    at_read: object = lambda: None

    def list_objects_v2(self, Bucket, Prefix, MaxKeys):
        self.calls.append("List")
        self.at("List")
        found = [{"Key": key, "Size": len(self.files[key])} for key in sorted(self.files) if key.startswith(Prefix)]
        return {"Contents": found[:MaxKeys], "IsTruncated": len(found) > MaxKeys}

    def get_object(self, Bucket, Key):
        self.calls.append(f"Get {Key}")
        self.at(f"Get {Key}")
        if Key not in self.files:
            raise refusal("NoSuchKey", 404)
        return {"Body": Body(self.files[Key], self.at_read)}


@pytest.fixture
def shelf(monkeypatch, cloud):
    made = Shelf()
    monkeypatch.setattr(
        aws, "client", lambda account, service, region=None, config=None: made if service == "s3" else cloud
    )
    labs = {lab.slug: lab for lab in (SAVING, PLAIN)}
    monkeypatch.setattr(catalog, "catalog", lambda: labs)
    return made


@pytest.fixture
def start(account, aye, clock, world, shelf):
    def begin(lab=SAVING):
        launch = launching.launch(lab, account, aye, now=clock())
        world.run(30)
        return launch

    return begin


@pytest.fixture
def finish(world, clock, aye):
    def end(launch, seconds=120):
        launching.ask_to_delete(launch, now=clock(), by=aye)
        world.run(seconds)
        launch.refresh_from_db()
        return launch

    return end


def kept():
    """{name: bytes on disk} of everybody's lockers."""
    return {file.name: Path(portal.MEDIA_ROOT, file.path).read_bytes() for file in SavedFile.objects.kept()}


def on_disk():
    return [path for path in Path(portal.MEDIA_ROOT, "locker").rglob("*") if path.is_file()]


def not_saved():
    return {file.name: file.why_not for file in SavedFile.objects.filter(saved_at=None)}


# --- what is saved -------------------------------------------------------------------------------------------


def test_what_the_lab_names_is_in_the_locker_before_anything_is_deleted(start, finish, shelf, cloud, aye):
    shelf.files = {"models/v1/model.json": b"one", "models/notes.ipynb": b"{}", "models/": b"", "raw/a.csv": b"x"}
    shelf.at = lambda operation: cloud.calls.append(operation)
    launch = finish(start())
    assert launch.ended_at
    assert kept() == {"models/v1/model.json": b"one", "models/notes.ipynb": b"{}"}
    assert {file.owner for file in SavedFile.objects.all()} == {aye}
    first_delete = min(place for place, call in enumerate(cloud.calls) if call.startswith("Delete"))
    assert max(place for place, call in enumerate(cloud.calls) if call.startswith("Get models")) < first_delete
    assert all(path.parent == Path(portal.MEDIA_ROOT, "locker", str(aye.pk), launch.id.hex) for path in on_disk())


def test_the_certificate_and_the_events_say_what_was_saved_and_what_not(start, finish, shelf, settings):
    settings.LOCKER_FILE_BYTES = 5
    shelf.files = {"models/a": b"12345", "models/b": b"123456"}
    launch = finish(start())
    [saved] = launch.certificate["saved"]
    assert (saved["name"], saved["bytes"], saved["sha256"][:8]) == ("models/a", 5, "5994471a")
    [left] = launch.certificate["not_saved"]
    assert left == {"name": "models/b", "why": "It has 6 bytes: a file in the locker may have 5 bytes."}
    assert Event.objects.get(code="saved").words == "Copied to the locker: 1 file (5 bytes). Not copied: 1"


def test_a_lab_that_names_nothing_waits_for_nothing(start, clock, aye, shelf):
    launch = start(PLAIN)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    launch.refresh_from_db()
    assert launch.prepare_at is None
    assert "List" not in shelf.calls


def test_work_is_saved_also_when_the_clock_ends_the_lab(start, world, clock, shelf):
    shelf.files = {"models/a": b"1"}
    launch = start()
    clock.now = launch.expires_at
    launching.end_expired(clock())
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at and kept() == {"models/a": b"1"}


def test_a_bucket_without_work_in_it_saves_nothing_and_holds_nothing_up(start, finish):
    launch = finish(start(), 60)
    assert launch.ended_at and "saved" not in launch.certificate
    assert Event.objects.get(code="saved").words == "Copied to the locker: 0 files"


def test_a_bucket_that_its_student_deleted_holds_nothing_up(start, finish, shelf):
    def at(operation):
        raise refusal("NoSuchBucket", 404)

    launch = start()
    shelf.at = at
    assert finish(launch, 60).ended_at
    assert not SavedFile.objects.exists()


def test_a_lab_that_never_came_up_has_nothing_to_save(account, aye, clock, world, shelf, finish):
    launch = launching.launch(SAVING, account, aye, now=clock())
    finish(launch, 60)
    assert launch.ended_at and "List" not in shelf.calls


# --- what does not fit ---------------------------------------------------------------------------------------


def test_what_does_not_fit_is_named_and_the_small_files_go_first(start, finish, shelf, settings):
    settings.LOCKER_BYTES = 10
    shelf.files = {"models/large": b"x" * 8, "models/small": b"xxx", "models/tiny": b"x"}
    finish(start())
    assert set(kept()) == {"models/small", "models/tiny"}
    [(name, why)] = not_saved().items()
    assert name == "models/large"
    assert why.startswith("It has 8 bytes, and your locker has 6 bytes left of 10 bytes.")


def test_a_file_that_grew_since_it_was_listed_is_not_half_kept(start, finish, shelf, settings):
    settings.LOCKER_FILE_BYTES = 5
    shelf.files = {"models/a": b"1"}

    def grow(operation):
        if operation.startswith("Get"):
            shelf.files["models/a"] = b"123456"

    shelf.at = grow
    finish(start())
    assert not_saved() == {"models/a": "It is too large: a file in the locker may have 5 bytes."}
    assert on_disk() == []


def test_of_two_labs_that_end_at_once_the_second_counts_what_the_first_kept(start, finish, shelf, settings, aye):
    settings.LOCKER_BYTES = 10
    shelf.files = {"models/a": b"x" * 6}
    other = start()

    def meanwhile():
        first = {"owner": aye, "bytes": 6, "saved_at": START, "why_not": ""}
        SavedFile.objects.get_or_create(launch=other, bucket="b", name="first", defaults=first)

    launch = start()
    shelf.at_read = meanwhile
    finish(launch)
    assert not_saved()["models/a"].startswith("It has 6 bytes, and your locker has 4 bytes left")
    assert on_disk() == []


def test_of_very_many_files_the_first_are_copied_and_the_rest_is_named(start, finish, shelf, monkeypatch):
    monkeypatch.setattr(locker, "MOST_FILES", 3)
    shelf.files = {f"models/{number}": b"x" for number in range(5)}
    finish(start())
    assert set(kept()) == {"models/0", "models/1", "models/2"}
    [(name, why)] = not_saved().items()
    assert name == "models/…" and why.startswith("2 files from models/3 on were not copied: of one lab 3 files are.")


def test_a_file_that_is_gone_or_refused_is_named_with_the_reason(start, finish, shelf):
    def at(operation):
        if operation == "Get models/gone":
            raise refusal("NoSuchKey", 404)
        if operation == "Get models/frozen":
            raise refusal("InvalidObjectState", 403)

    shelf.files = {"models/frozen": b"1", "models/gone": b"1", "models/there": b"1"}
    launch = start()
    shelf.at = at
    assert finish(launch).ended_at
    assert set(kept()) == {"models/there"}
    assert not_saved()["models/gone"] == "It was deleted before it could be copied."
    assert "InvalidObjectState" in not_saved()["models/frozen"]


# --- when things go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["List", "Get models/a", "Get models/b", "a piece"])
def test_a_worker_that_dies_on_the_way_is_followed_by_one_that_goes_on(start, world, clock, aye, shelf, when):
    shelf.files = {"models/a": b"1", "models/b": b"22"}
    deaths = []

    def die(operation):
        if operation == when and not deaths:
            deaths.append(operation)
            raise Died

    launch = start()
    shelf.at, shelf.at_read = die, lambda: die("a piece")
    launching.ask_to_delete(launch, now=clock(), by=aye)
    with pytest.raises(Died):
        world.run(60)
    assert world.states(launch) == {"bucket": "running"}
    world.run(180)
    launch.refresh_from_db()
    assert launch.ended_at and kept() == {"models/a": b"1", "models/b": b"22"}
    assert shelf.calls.count("Get models/a") == (2 if when in ("Get models/a", "a piece") else 1), "never copied twice"
    assert len(on_disk()) == 2


def test_bytes_that_a_worker_wrote_before_it_died_are_swept_away(start, world, clock, aye, shelf, monkeypatch):
    shelf.files = {"models/a": b"1"}
    real = locker._keep
    deaths = []

    def dies(file, stored, now):
        if not deaths:
            deaths.append(stored.path)
            raise Died
        real(file, stored, now)

    monkeypatch.setattr(locker, "_keep", dies)
    launch = start()
    launching.ask_to_delete(launch, now=clock(), by=aye)
    with pytest.raises(Died):
        world.run(60)
    assert len(on_disk()) == 1 and not kept()
    world.run(180)
    assert kept() == {"models/a": b"1"} and len(on_disk()) == 1


def test_of_two_workers_that_copy_one_file_one_keeps_it(start, finish, shelf, clock):
    shelf.files = {"models/a": b"1"}
    launch = start()

    def another_worker():
        shelf.at_read = lambda: None
        locker.save(Launch.objects.select_related("account").get(pk=launch.pk), clock)

    shelf.at_read = another_worker
    assert finish(launch).ended_at
    assert shelf.calls.count("Get models/a") == 2
    assert kept() == {"models/a": b"1"} and len(on_disk()) == 1


@pytest.mark.parametrize(
    "trouble",
    [refusal("InternalError", 500), refusal("SlowDown", 503), ReadTimeoutError(endpoint_url="s3"), OSError(28, "full")],
    ids=["broken", "throttled", "timed out", "our disk is full"],
)
def test_trouble_that_passes_costs_a_try_and_no_file(start, finish, shelf, trouble):
    shelf.files = {"models/a": b"1"}
    failed = []

    def once(operation):
        if operation not in failed:
            failed.append(operation)
            raise trouble

    launch = start()
    shelf.at, shelf.at_read = once, lambda: once("a piece")
    assert finish(launch).ended_at
    assert kept() == {"models/a": b"1"} and failed == ["List", "Get models/a", "a piece"]


def test_after_five_minutes_the_teardown_goes_on_and_says_what_is_lost(start, finish, shelf, world, clock):
    shelf.files = {"models/a": b"1", "models/b": b"1"}

    def at(operation):
        if operation == "Get models/b":
            raise refusal("InternalError", 500)

    launch = start()
    shelf.at = at
    finish(launch, 240)
    assert launch.ended_at is None and world.states(launch) == {"bucket": "running"}
    world.run(180)
    launch.refresh_from_db()
    assert launch.ended_at and set(kept()) == {"models/a"}
    assert not_saved()["models/b"].startswith("It was not copied within 5 minutes")
    assert "InternalError" in not_saved()["models/b"]


def test_what_could_not_even_be_listed_is_named_by_where_it_is(start, finish, shelf):
    def at(operation):
        raise refusal("AccessDenied", 403)

    launch = start()
    shelf.at = at
    assert finish(launch, 480).ended_at
    [(name, why)] = not_saved().items()
    assert name == "models/…" and why.startswith("What is there could not be listed:") and "AccessDenied" in why


def test_a_file_that_takes_too_long_does_not_hold_a_worker(start, finish, shelf, clock):
    shelf.files = {"models/slow": b"1"}
    shelf.at_read = lambda: clock.tick(50)
    launch = start()
    assert finish(launch, 600).ended_at
    assert "TooSlow" in not_saved()["models/slow"] and on_disk() == []


def test_no_file_is_begun_after_a_slice_and_the_next_call_goes_on(start, finish, shelf, clock):
    shelf.files = {f"models/{number}": b"1" for number in range(4)}
    shelf.at = lambda operation: clock.tick(8)
    launch = start()
    launch = Launch.objects.select_related("account").get(pk=launch.pk)
    assert locker.save(launch, clock) == locker.COPYING
    assert SavedFile.objects.kept().count() == 2
    assert locker.save(launch, clock) == ""
    assert SavedFile.objects.kept().count() == 4


def test_when_the_practice_world_ends_meanwhile_the_files_say_so(start, clock, aye, shelf, account):
    shelf.files = {"models/a": b"1"}
    launch = Launch.objects.select_related("account").get(pk=start().pk)
    locker._list(launch, SAVING.saves)
    ledger.end_world(account, "another-boot", clock())
    assert not_saved() == {"models/a": "The lab ended before it could be copied."}


# --- afterwards ----------------------------------------------------------------------------------------------


def test_what_its_owner_deletes_makes_room_and_stays_told(
    start, finish, shelf, clock, aye, django_capture_on_commit_callbacks
):
    shelf.files = {"models/a": b"12345"}
    launch = finish(start())
    assert locker.used_bytes(aye) == 5
    with django_capture_on_commit_callbacks(execute=True):
        locker.delete(SavedFile.objects.get(), clock())
    assert locker.used_bytes(aye) == 0 and on_disk() == []
    [file] = locker.files_of(launch)
    assert file.saved_at and not file.is_kept


def test_the_files_of_a_lab_take_one_query_and_of_a_lab_without_any_none(
    start, finish, shelf, django_assert_num_queries
):
    shelf.files = {f"models/{number}": b"1" for number in range(9)}
    saving, plain = finish(start()), finish(start(PLAIN))
    with django_assert_num_queries(1):
        assert len(locker.files_of(saving)) == 9
    with django_assert_num_queries(0):
        assert locker.files_of(plain) == []


# --- on the simulator ----------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_model_in_a_real_bucket_outlives_it(simulator, settings, aye, monkeypatch):
    simulator.serves(settings)
    aws.forget_clients()
    clock = Clock(datetime.now(UTC))
    account = Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock(),
    )
    lab = replace(lab_of(Want("bucket", "s3-bucket"), slug="real"), saves=(("bucket", "models/"),))
    monkeypatch.setattr(catalog, "catalog", lambda: {lab.slug: lab})
    launch = launching.launch(lab, account, aye, now=clock())
    World(clock).run(20)
    bucket = launch.resources.get().name
    s3 = aws.client(account, "s3")
    model = bytes(range(256)) * 4096
    s3.put_object(Bucket=bucket, Key="models/v 1/größe+.tar.gz", Body=model)
    s3.put_object(Bucket=bucket, Key="raw/a.csv", Body=b"1")
    launching.ask_to_delete(launch, now=clock(), by=aye)
    World(clock).run(120)
    launch.refresh_from_db()
    assert launch.ended_at and kept() == {"models/v 1/größe+.tar.gz": model}
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket=bucket)
    aws.forget_clients()
