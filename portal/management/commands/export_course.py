"""manage.py export_course SLUG FOLDER: a course as files again, as `load_course` reads them."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from portal import exporting
from portal.coursefiles import BrokenCourse
from portal.models import Course


class Command(BaseCommand):
    help = "Writes a course into a folder of YAML and Markdown. Loading that folder again changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("slug", help="of the course, such as aws-ml")
        parser.add_argument("folder", help="which does not exist yet, or is empty")
        parser.add_argument("--over", action="store_true", help="write over the files of a folder; others there stay")

    def handle(self, *args, slug, folder, over, **options):
        course = Course.objects.filter(slug=slug).first()
        if course is None:
            known = ", ".join(Course.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no course {slug!r}; there are: {known}.")
        there = Path(folder)
        if there.exists() and (not there.is_dir() or (any(there.iterdir()) and not over)):
            raise CommandError(f"{folder} is there already and not empty. Choose another, or say --over.")
        try:
            exporting.write(exporting.of(course), there)
        except BrokenCourse as broken:
            raise CommandError(f"{broken}\nNothing of it should be used.") from broken
        self.stdout.write(f"{course.title}: written to {there}.")
