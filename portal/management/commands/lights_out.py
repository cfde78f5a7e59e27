"""manage.py lights_out --cohort SLUG --yes: turn off what a cohort left on."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs.dashboard.forgotten import forgotten_in
from costs.lights_out import lights_out, staying_on
from portal.models import Cohort


class Command(BaseCommand):
    help = "Ask everything that a cohort left on to stop, or to be deleted where it cannot stop. Labs in use stay on."

    def add_arguments(self, parser):
        parser.add_argument("--cohort", required=True, metavar="SLUG")
        parser.add_argument("--include-in-use", action="store_true", help="Also end labs that are in use now.")
        parser.add_argument("--yes", action="store_true", help="Do it. Without this it only says what it would do.")

    def handle(self, cohort, include_in_use=False, yes=False, **options):
        found = Cohort.objects.filter(slug=cohort).first()
        if found is None:
            known = ", ".join(Cohort.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no cohort {cohort!r}. There are: {known}.")
        now = timezone.now()
        asked = lights_out(found.scope, now=now, by=None, include_in_use=include_in_use, pretend=not yes).outs
        for line in asked:
            self.stdout.write(str(line))
        verb = "asked to go off" if yes else "would be asked to go off; say --yes to do it"
        self.stdout.write(f"{len(asked)} {verb}.")
        for one in staying_on(forgotten_in([found.scope], now), now).rows:
            costs = "unpriced" if one.rate.known is None else f"{one.rate.known:.4f} USD/h"
            self.stdout.write(f"Stays on: {one.what} {one.name} of {one.owner}, {one.row.region}: {costs}.")
