"""manage.py doctor: what is wrong with the AWS accounts, and how it is mended."""

import json
import sys
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labs import doctor, examining, practice
from labs.models import Account
from portal import backup, overseeing

MARKS = {doctor.OK: "ok     ", doctor.FAILS: "FAILS  ", doctor.UNKNOWN: "unknown"}


class Command(BaseCommand):
    help = (
        "Look into every connected AWS account now: is it reached, does it refuse strangers, what is missing for which "
        "lab, are quotas enough, is the dead-man's switch there? Says how each failure is mended; ends with 1 then."
    )

    def add_arguments(self, parser):
        parser.add_argument("--account", help="Name or AWS id of one account; all that are connected by default.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output, and nothing else.")

    def handle(self, account=None, **options):
        chosen = self._chosen(account)
        visits = [
            (patient.account, examining.examine(patient, timezone.now)) for patient in overseeing.patients(chosen)
        ]
        old = backup.overdue(timezone.now())
        if options["json"]:
            facts = {"accounts": [self._as_json(*visit) for visit in visits], "backup": old}
            self.stdout.write(json.dumps(facts))
        else:
            for visit in visits:
                self._print(*visit)
            if not visits:
                self.stdout.write("No AWS account is connected, and there is no practice mode: nothing to look at.")
            if old:
                self.stdout.write(f"{old} To mend: manage.py backup, every night (docs/backup.md).")
        if any(one.verdict == doctor.FAILS for _, findings in visits for one in findings):
            sys.exit(1)

    def _chosen(self, name):
        if name:
            found = Account.objects.named(name)
            if found is None or not found.aws_id:
                raise CommandError(f"No account {name!r} is connected.")
            return [found]
        real = list(Account.objects.real().filter(is_open=True).exclude(aws_id="").order_by("mode", "name"))
        # One practice account stands for all of them: they are the same simulator.
        in_practice = Account.objects.filter(mode=Account.PRACTICE).order_by("pk")[:1] if practice.is_on() else []
        return [*real, *in_practice]

    def _as_json(self, account, findings):
        facts = {"name": account.name, "aws_id": account.aws_id, "mode": account.mode}
        return facts | {"findings": [asdict(one) for one in findings], "quotas": account.report["quotas"]}

    def _print(self, account, findings):
        self.stdout.write(f"{account.name} ({account.mode}, {account.aws_id})")
        for one in findings:
            self.stdout.write(f"  {MARKS[one.verdict]}  {one.title}")
            if one.verdict != doctor.OK:
                self.stdout.write(f"           {one.said}")
                for line in one.details[:20]:
                    self.stdout.write(f"             {line}")
                if len(one.details) > 20:
                    self.stdout.write(f"             and {len(one.details) - 20} more (--json has all)")
                if one.mend:
                    self.stdout.write(f"           To mend: {one.mend}")
