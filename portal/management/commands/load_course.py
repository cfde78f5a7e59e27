"""manage.py load_course FOLDER: bring a course from its files into the portal."""

from django.core.management.base import BaseCommand, CommandError

from portal import courses, laying
from portal.coursefiles import BrokenCourse


class Command(BaseCommand):
    help = "Load a course from a folder of YAML and Markdown. Loading it again changes only what differs."

    def add_arguments(self, parser):
        parser.add_argument("folder", help="Such as courses/aws-ml; it holds course.yaml.")

    def handle(self, folder, **options):
        try:
            changes = laying.lay(courses.read(folder))
        except BrokenCourse as broken:
            lines = "\n".join(f"  {folder.rstrip('/')}/{problem}" for problem in broken.problems)
            count = len(broken.problems)
            raise CommandError(
                f"Nothing was loaded: {count} problem{'' if count == 1 else 's'} in {folder}.\n{lines}"
            ) from None
        for change in changes:
            self.stdout.write(change)
        self.stdout.write(f"{len(changes)} changes." if changes else "Nothing changed: it is loaded already.")
