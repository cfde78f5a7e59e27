"""manage.py load_demo: lay the demo cohort, once; with --afresh anew."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal import demo
from portal.coursefiles import BrokenCourse


class Command(BaseCommand):
    help = "Lay the demo cohort: the default course, 24 invented students in week 2, and their past. Only where DEMO=1."

    def add_arguments(self, parser):
        parser.add_argument("--afresh", action="store_true", help="Remove the demo's own rows first, and lay it anew.")

    def handle(self, *, afresh, **options):
        try:
            laid = demo.lay(timezone.now(), afresh=afresh)
        except (demo.NoDemo, BrokenCourse) as why:
            raise CommandError(str(why)) from None
        self.stdout.write("The demo cohort is laid." if laid else "The demo cohort is there already.")
