"""manage.py restore: a backup into an empty place, or with --check only a look whether it is whole."""

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from labs import audit
from portal import restoring
from portal.backup import NotPossible


class Command(BaseCommand):
    help = (
        "Put a backup into an empty place: a new database (DATABASE_URL, of either engine) and no files in var/. The "
        "backup is read to its end before anything is written; docs/backup.md."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", help="What manage.py backup wrote.")
        parser.add_argument("--check", action="store_true", help="Only say whether it is whole; nothing is written.")

    def handle(self, file, check, **options):
        try:
            if check:
                found = restoring.check(file)
                self.stdout.write(
                    f"Whole: {found.rows:,} rows and {found.files:,} files, made {found.head['made_at']} on "
                    f"{found.head['engine']}."
                )
                return
            found = restoring.restore(file, tell=self.stdout.write)
        except NotPossible as why:
            raise CommandError(str(why)) from why
        with transaction.atomic():
            audit.note("restore", f"The backup of {found.head['made_at']}", by=None, now=timezone.now())
        self.stdout.write(
            f"Restored: {found.rows:,} rows and {found.files:,} files. Everybody signs in anew. Start worker and beat "
            "only when the old portal is off: two would both turn off lights."
        )
