"""manage.py backup: every row and every file into one file, while the portal runs."""

import os
import sys
from datetime import UTC
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from labs import audit
from labs.keeping import in_words
from portal import backup

NAME = "lightsout-{}.tar.gz"


class Command(BaseCommand):
    help = (
        "Back up every row and every file into one file, while the portal runs (docs/backup.md). Ends with 1 when a "
        "file on the disk is not what its row says: the backup is made nevertheless."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "file",
            nargs="?",
            help="Where to; - is standard output. By default a file with the time in its name in var/backups.",
        )
        parser.add_argument("--keep", type=int, metavar="N", help="Then delete all but the newest N of var/backups.")

    def handle(self, file=None, keep=None, **options):
        if keep is not None and (file or keep < 1):
            raise CommandError("--keep N is for the files in var/backups: leave FILE out, and N is 1 or more.")
        now = timezone.now()
        try:
            written, where = self._to_stdout(now) if file == "-" else self._to_file(_place(file, now), now)
        except (backup.NotPossible, OSError) as why:
            raise CommandError(f"There is no backup: {why}") from why
        words = f"{written.rows:,} rows and {written.files:,} files, {where}"
        with transaction.atomic():
            audit.note("backup", words, by=None, now=now)
        say = self.stderr.write if file == "-" else self.stdout.write
        say(f"Backed up: {words}")
        for old in _old(keep) if keep else ():
            old.unlink()
            say(f"Deleted: {old.name}")
        if written.damaged:
            for line in written.damaged[:20]:
                self.stderr.write(line)
            raise CommandError(f"The backup is made, but {len(written.damaged)} files are not what their rows say.")

    def _to_stdout(self, now):
        written = backup.write(sys.stdout.buffer, now)
        sys.stdout.buffer.flush()
        return written, "to standard output"

    def _to_file(self, place, now):
        """Under another name until it is whole and on the disk. Nobody else of this machine may read it."""
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            raise CommandError(f"{place} is there already, and is not overwritten.")
        part = place.with_name(f".{place.name}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                written = backup.write(out, now)
                out.flush()
                os.fsync(out.fileno())
            os.rename(part, place)
        finally:
            part.unlink(missing_ok=True)
        return written, f"{in_words(place.stat().st_size)} in {place}"


def _place(file, now):
    return Path(file) if file else _folder() / NAME.format(f"{now.astimezone(UTC):%Y%m%d-%H%M%S}")


def _folder():
    return settings.VAR / "backups"


def _old(keep):
    """The backups that are older than the newest `keep`; their names sort by time."""
    return sorted(_folder().glob(NAME.format("*")))[:-keep]
