"""manage.py lights_out --cohort SLUG --yes: turn off what a cohort left on; with --labs-too the whole cohort."""

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from costs.dashboard.forgotten import forgotten_in
from costs.lights_out import lights_out, staying_on
from portal.models import Cohort


class Command(BaseCommand):
    help = "Stop what a cohort left on, or delete it where it cannot stop. Labs in use stay on unless --labs-too."

    def add_arguments(self, parser):
        parser.add_argument("--cohort", required=True, metavar="SLUG")
        parser.add_argument(
            "--labs-too",
            "--include-in-use",
            dest="include_in_use",
            action="store_true",
            help="End the labs in use too: their credentials are revoked first, then everything in them is deleted.",
        )
        parser.add_argument(
            "--delete-all",
            action="store_true",
            help="Delete instead of stopping, and what has no Stop too (disks): what is on it is lost.",
        )
        parser.add_argument("--yes", action="store_true", help="Do it. Without this it only says what it would do.")

    def handle(self, cohort, include_in_use=False, delete_all=False, yes=False, **options):
        found = Cohort.objects.filter(slug=cohort).first()
        if found is None:
            known = ", ".join(Cohort.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no cohort {cohort!r}. There are: {known}.")
        now = timezone.now()
        night = lights_out(
            found.scope, now=now, by=None, include_in_use=include_in_use, delete_all=delete_all, pretend=not yes
        )
        for lab in night.labs:
            verb = "is ended" if yes else "would be ended"
            self.stdout.write(f"Lab {lab.lab} of {lab.owner} {verb}: its credentials are revoked first.")
        for line in night.outs:
            self.stdout.write(str(line))
        verb = "asked to go off" if yes else "would be asked to go off; say --yes to do it"
        self.stdout.write(f"{len(night.outs)} {verb}.")
        for lab in night.left_on:
            until = f"to its own clock, {lab.expires_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"Stays on: lab {lab.lab} of {lab.owner}, in use, {until}; --labs-too ends it.")
        if night.record:
            self.stdout.write(f"Evidence, lab by lab: {reverse('costs:went_out', args=[night.record.pk])}")
        for one in staying_on(forgotten_in([found.scope], now), now).rows:
            costs = "unpriced" if one.rate.known is None else f"{one.rate.known:.4f} USD/h"
            self.stdout.write(f"Stays on: {one.what} {one.name} of {one.owner}, {one.row.region}: {costs}.")
