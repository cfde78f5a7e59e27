"""manage.py census [--json]: look into every account now, meter what is seen, and say what is forgotten."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs import forgotten, metering
from labs import census, practice
from labs.models import Account


class Command(BaseCommand):
    help = "Look into every open account, in all of its regions, for every kind. Exit code 1: a part could not be seen."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *args, json: bool = False, **options):
        if Account.objects.filter(mode=Account.PRACTICE, is_open=True).exists() and not practice.answers():
            # Else every one of its accounts would be told to be out of sight, on the pages of a portal that sees them.
            raise CommandError(
                f"The AWS simulator does not answer at {settings.SIMULATOR_URL or 'any address'}: nothing was looked "
                "at. Is `make run` up, and in this var/?"
            )
        survey = census.census_all(timezone.now)
        now = timezone.now()
        metering.meter(now)
        judged = forgotten.judge(now)
        if json:
            self.stdout.write(as_json(survey, judged))
        else:
            for where, why in sorted(survey.trouble.items()):
                self.stderr.write(f"Not seen: {where}: {why}")
            for row in survey.strangers:
                self.stdout.write(f"New, in no lab: {row} in {row.region}")
            self.stdout.write(
                f"{survey.groups} lists, {survey.listed} resources: {survey.confirmed} as known, "
                f"{survey.hurried} changed, {len(survey.strangers)} new. {judged.open} reasons to look are open."
            )
        if survey.trouble:
            raise SystemExit(1)


def as_json(survey, judged) -> str:
    return json.dumps(
        {
            "lists": survey.groups,
            "listed": survey.listed,
            "confirmed": survey.confirmed,
            "changed": survey.hurried,
            "strangers": [
                {
                    "id": row.pk.hex,
                    "kind": row.kind,
                    "name": row.name,
                    "aws_id": row.aws_id,
                    "account": row.account.aws_id,
                    "region": row.region,
                    "state": row.seen,
                }
                for row in survey.strangers
            ],
            "trouble": survey.trouble,
            "findings": {"opened": judged.opened, "closed": judged.closed, "open": judged.open},
        },
        indent=2,
    )
