"""The locker: a student's work is copied here before its lab is torn down, and what is not copied is named.

One row a file, written before its bytes are fetched. A worker may die at any point, and two may copy the same file: a
file is kept by whoever first writes so in its row, and bytes that no row names are taken away at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, Q, Sum

from labs import aws, catalog, keeping, ledger
from labs.keeping import in_words
from labs.models import Launch, Resource, SavedFile
from labs.reconcile import Clock

FOLDER = "locker"
SLICE = timedelta(seconds=15)  # no file is begun later in one call: other labs wait for the worker
A_FILE = timedelta(seconds=45)  # how long one may be on its way
# A teardown does not wait for ever, for what is on goes on costing.
PATIENCE = timedelta(minutes=5)
MOST_FILES = 200  # of one launch
A_LIST = 1000  # what one list call gives
PIECE = 256 * 1024

TOO_LATE = f"It was not copied within {PATIENCE.seconds // 60} minutes, and a lab that is over does not wait longer."
COPYING = "its files are being copied to the locker"


class TooSlow(Exception):
    """A file was on its way for longer than A_FILE."""


# --- before the teardown -------------------------------------------------------------------------------------


def save(launch: Launch, clock: Clock) -> str:
    """Copy what the lab names to its owner's locker, for one slice of time. '' when nothing is to be waited for any
    more; else what is still to be done, in words: call again.

    After PATIENCE the rest is given up, each file with its reason. What was copied is not copied again.
    """
    places = saved_places(launch)
    if not places:
        return ""
    if launch.saving_at is None:
        Launch.objects.filter(pk=launch.pk, saving_at=None).update(saving_at=clock())
        launch.refresh_from_db(fields=["saving_at"])
    unlisted = _list(launch, places)
    trouble = "; ".join(unlisted.values()) or _copy(launch, clock)
    began = launch.saving_at
    if trouble and began is not None and clock() - began < PATIENCE:
        return trouble
    _give_up(launch, unlisted, trouble)
    _sweep(launch)
    _tell(launch, clock())
    return ""


def saved_places(launch: Launch) -> tuple[tuple[str, str], ...]:
    """((key of a bucket, prefix), ...); () for a lab that the catalogue does not know any more."""
    lab = catalog.catalog().get(launch.lab)
    return lab.saves if lab else ()


def _list(launch: Launch, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Write a row for each file that is to be saved. Answers {(bucket, prefix): trouble} where AWS gave no list."""
    unlisted: dict[tuple[str, str], str] = {}
    for row, prefix in _buckets(launch, places):
        bucket = row.aws_id or row.name
        known = SavedFile.objects.filter(launch=launch)
        if known.filter(bucket=bucket, name__startswith=prefix).exists():
            continue
        try:
            found, is_cut = _files_under(_s3(row), bucket, prefix)
        except Exception as error:
            trouble = aws.sorted_trouble(error)
            if not isinstance(trouble, aws.NotThere):  # its student deleted the bucket: there is nothing to save
                unlisted[bucket, prefix] = str(trouble)
            continue
        room = max(0, MOST_FILES - known.count())
        named = [SavedFile(bucket=bucket, name=each["Key"], bytes=each["Size"]) for each in found[:room]]
        if len(found) > room or is_cut:
            named.append(_named_as_a_whole(bucket, prefix, f"{_many(found[room:], is_cut)} {_why_many()}"))
        for file in named:
            file.owner_id, file.launch = launch.owner_id, launch
        SavedFile.objects.bulk_create(named, ignore_conflicts=True)
    return unlisted


def _buckets(launch: Launch, places: Iterable[tuple[str, str]]) -> Iterator[tuple[Resource, str]]:
    rows = {row.key: row for row in Resource.objects.filter(launch=launch).select_related("account")}
    for key, prefix in places:
        row = rows.get(key)
        if row is not None and row.first_seen_at is not None and row.closed_at is None:
            yield row, prefix


def _s3(row: Resource) -> Any:
    return aws.client(row.account, "s3", row.region)


def _files_under(client, bucket: str, prefix: str) -> tuple[list[dict[str, Any]], bool]:
    """(files in the order of their names, whether there are more than one list call gives)."""
    page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=A_LIST)
    # An empty object whose key ends with / stands for a folder.
    found = [each for each in page.get("Contents", ()) if not each["Key"].endswith("/")]
    return found, bool(page.get("IsTruncated"))


def _named_as_a_whole(bucket: str, prefix: str, why: str) -> SavedFile:
    return SavedFile(bucket=bucket, name=f"{prefix}…", why_not=why[:300])


def _many(left: list[dict[str, Any]], is_cut: bool) -> str:
    if not left:
        return "What follows"
    return f"{len(left)} {'and more ' if is_cut else ''}files from {left[0]['Key'][:100]} on"


def _why_many() -> str:
    return f"were not copied: of one lab {MOST_FILES} files are. Put many small files into one archive."


def _copy(launch: Launch, clock: Clock) -> str:
    """The smallest first, so that one large file does not keep out ten others. '' when each file is decided."""
    until = clock() + SLICE
    trouble = ""
    clients: dict[str, Any] = {row.aws_id or row.name: _s3(row) for row, _ in _buckets(launch, saved_places(launch))}
    for file in SavedFile.objects.waiting().filter(launch=launch).order_by("bytes", "pk"):
        if clock() >= until:
            return trouble or COPYING
        if file.bucket not in clients:
            _decide(file, "Its bucket was deleted before it could be copied.")
            continue
        trouble = _copy_one(file, clients[file.bucket], clock) or trouble
    return trouble


def _copy_one(file: SavedFile, client, clock: Clock) -> str:
    """Copy one file, or decide why not. Answers the trouble that may be over at the next try, else ''."""
    if why := _no_room(file):
        _decide(file, why)
        return ""
    try:
        body = client.get_object(Bucket=file.bucket, Key=file.name)["Body"]
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        if isinstance(trouble, aws.NotThere):
            _decide(file, "It was deleted before it could be copied.")
        elif isinstance(trouble, (aws.Refused, aws.Denied)):
            _decide(file, f"AWS did not give it: {trouble}")
        else:
            return str(trouble)
        return ""
    folder = f"{FOLDER}/{file.owner_id}/{file.launch_id.hex}"
    try:
        stored = keeping.store(_pieces(body, clock), folder, most=settings.LOCKER_FILE_BYTES)
    except keeping.TooLarge:
        _decide(file, _too_large())
        return ""
    except Exception as error:
        # The connection was cut, or the disk is full: the next try may go better.
        return f"{file.name[:100]} could not be copied ({type(error).__name__})"
    finally:
        body.close()
    _keep(file, stored, clock())
    return ""


def _pieces(body, clock: Clock) -> Iterator[bytes]:
    until = clock() + A_FILE
    while piece := body.read(PIECE):
        yield piece
        if clock() > until:
            raise TooSlow


def _no_room(file: SavedFile) -> str:
    """Why this file does not fit; '' when it does."""
    if file.bytes > settings.LOCKER_FILE_BYTES:
        return _too_large(file.bytes)
    used, most = used_bytes(file.owner_id), settings.LOCKER_BYTES
    if used + file.bytes > most:
        return (
            f"It has {in_words(file.bytes)}, and your locker has {in_words(max(0, most - used))} left of "
            f"{in_words(most)}. Delete there what you need no more."
        )
    return ""


def _too_large(size: int | None = None) -> str:
    most = in_words(settings.LOCKER_FILE_BYTES)
    return f"{f'It has {in_words(size)}' if size else 'It is too large'}: a file in the locker may have {most}."


def _keep(file: SavedFile, stored: keeping.Stored, now: datetime) -> None:
    """Write that the file is in the locker, if it still fits and nobody wrote so before; else its bytes go again."""
    with transaction.atomic():
        # Of two labs of one person that end at once, the second counts what the first has kept.
        get_user_model().objects.select_for_update().get(pk=file.owner_id)
        file.bytes = stored.size
        why = _no_room(file)
        kept = not why and SavedFile.objects.waiting().filter(pk=file.pk).update(
            bytes=stored.size, sha256=stored.sha256, path=stored.path, saved_at=now, why_not=""
        )
        if why:
            _decide(file, why)
    if not kept:
        _discard(stored.path)


def _decide(file: SavedFile, why: str) -> None:
    SavedFile.objects.waiting().filter(pk=file.pk).update(why_not=why[:300])


def _give_up(launch: Launch, unlisted: dict[tuple[str, str], str], trouble: str) -> None:
    """Name what will not be copied any more, with the reason."""
    SavedFile.objects.bulk_create(
        [
            SavedFile(
                owner_id=launch.owner_id,
                launch=launch,
                bucket=bucket,
                name=f"{prefix}…",
                why_not=f"What is there could not be listed: {why}"[:300],
            )
            for (bucket, prefix), why in unlisted.items()
        ],
        ignore_conflicts=True,
    )
    said = f" The last try: {trouble}" if trouble not in ("", COPYING) else ""
    # Decided, whatever the reason: a worker that still copies one keeps it no more, for its bytes are swept away.
    SavedFile.objects.waiting().filter(launch=launch).update(why_not=f"{TOO_LATE}{said}"[:300])


def _sweep(launch: Launch) -> None:
    """Take away what a worker that died has written and no row names."""
    named = set(SavedFile.objects.filter(launch=launch).exclude(path="").values_list("path", flat=True))
    folder = keeping.place_of(f"{FOLDER}/{launch.owner_id}/{launch.id.hex}", within=FOLDER)
    for file in folder.iterdir() if folder.is_dir() else ():
        if f"{FOLDER}/{launch.owner_id}/{launch.id.hex}/{file.name}" not in named:
            file.unlink(missing_ok=True)


def _discard(path: str) -> None:
    keeping.place_of(path, within=FOLDER).unlink(missing_ok=True)


def _tell(launch: Launch, now: datetime) -> None:
    told = SavedFile.objects.filter(launch=launch).aggregate(
        saved=Count("pk", filter=Q(saved_at__isnull=False)),
        size=Sum("bytes", filter=Q(saved_at__isnull=False)),
        left=Count("pk", filter=Q(saved_at=None)),
    )
    words = f"Copied to the locker: {told['saved']} file{'s' if told['saved'] != 1 else ''}"
    words += f" ({in_words(told['size'])})" if told["saved"] else ""
    words += f". Not copied: {told['left']}" if told["left"] else ""
    ledger.note_once("saved", words, now, launch=launch, account=launch.account)


# --- afterwards ----------------------------------------------------------------------------------------------


def used_bytes(owner) -> int:
    """What this person's locker holds. One query."""
    return SavedFile.objects.kept().filter(owner=owner).aggregate(size=Sum("bytes"))["size"] or 0


def files_of(launch: Launch) -> list[SavedFile]:
    """What was to be saved of a launch, saved or not, in the order of names. One query; none for a lab that saves
    nothing."""
    return list(SavedFile.objects.filter(launch=launch)) if launch.saving_at else []


def delete(file: SavedFile, now: datetime) -> None:
    """Delete a file from its owner's locker. That it was saved once stays told."""
    path = file.path
    with transaction.atomic():
        SavedFile.objects.kept().filter(pk=file.pk).update(deleted_at=now, path="")
        transaction.on_commit(lambda: _discard(path) if path else None)
