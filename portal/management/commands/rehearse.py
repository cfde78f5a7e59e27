"""manage.py rehearse: the instructor's dress rehearsal of labs, in practice mode at once or in a real account."""

import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from costs.pricebook import PriceBook, load
from costs.rates import rate_now
from labs import aws, catalog, practice
from labs.models import Account, Resource
from labs.rehearsal import REHEARSER, Rehearsed, record, rehearse
from labs.simulator import SECRET_FILE

log = logging.getLogger(__name__)
# Of a simulator that is there for a rehearsal alone: every state on the way is seen, and nobody waits for it long.
BRISK = ("--state-seconds", "1", "--work-seconds", "3")


class Command(BaseCommand):
    help = (
        "Launch each lab, wait until it runs, play and check its steps, end it, prove that nothing is left. "
        "Works in practice mode at once; with --account in a real one. The exit code says whether all went well."
    )

    def add_arguments(self, parser):
        parser.add_argument("labs", nargs="*", metavar="lab", help="Slugs; all labs by default.")
        parser.add_argument("--account", help="Name or AWS id of a connected account; practice mode by default.")
        parser.add_argument("--at-once", type=int, default=8, help="Labs at the same time (default: 8).")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output, and nothing else.")

    def handle(self, labs, account=None, **options):
        # This process is its own worker: that no broker takes its hints is no news.
        logging.getLogger("labs.launching").setLevel(logging.ERROR)
        chosen = self._chosen(labs)
        self._prepare()
        as_json = options["json"]
        say = self.stderr.write if as_json else self.stdout.write
        if account:
            real = self._real(account)
            played = self._play(chosen, lambda lab: (real, real.owner or _rehearser()), say, options["at_once"])
        else:
            with simulator(say) as boot:
                played = self._play(chosen, partial(self._practice, boot), say, options["at_once"])
        report = [self._line(result, rate) for result, rate in played]
        if as_json:
            self.stdout.write(json.dumps({"labs": report}))
        else:
            self._print_table(report, played)
        if not all(line["ok"] for line in report):
            sys.exit(1)

    def _chosen(self, slugs):
        try:
            return [catalog.get(slug) for slug in slugs] or catalog.all_labs()
        except KeyError as unknown:
            raise CommandError(str(unknown.args[0])) from None

    def _prepare(self):
        """Tables and prices, for a rehearsal before the product ever ran."""
        if "labs_launch" not in connection.introspection.table_names():
            call_command("migrate", verbosity=0, interactive=False)
        load()

    def _practice(self, boot, lab):
        """(a practice account for this lab alone, whose it is): what is made by hand in one lab is no other's.

        boot: the simulator's present start, asked for once: a busy one may be slow to say it again.
        """
        person = _rehearser(f"-{lab.slug}")
        account = practice.account_of(person, now=timezone.now())
        # The simulator may be another one than at the last rehearsal; other people's accounts are not ours to touch.
        practice.adopt_world(timezone.now(), boot, only=account)
        return account, person

    def _real(self, name):
        found = Account.objects.named(name)
        if found is None:
            raise CommandError(f"No account {name!r} is connected.")
        return found

    def _play(self, chosen, home_of, say, at_once):
        """[(Rehearsed, USD an hour)] of the labs that the account's mode allows, so many `at_once`.

        home_of(lab): (account, owner).
        """
        book = PriceBook.open()

        def play(lab):
            try:
                account, owner = home_of(lab)
                if account.mode not in lab.modes:
                    say(f"{lab.slug}: not for a {account.mode} account, left out")
                    return None
                rates = []

                def price(launch):
                    rows = Resource.objects.open().filter(launch=launch)
                    rates.extend(rate_now(row, book, timezone.now()) for row in rows)

                say(f"{lab.slug}: starting in {account.name}")
                try:
                    result = rehearse(lab, account, owner, clock=timezone.now, wait=time.sleep, when_running=price)
                except Exception as error:  # the other labs go on, and this one is told as failed
                    log.exception("the rehearsal of %s broke off", lab.slug)
                    result = Rehearsed(lab.slug, failed=[f"the rehearsal broke off: {error}"])
                if account.is_real:
                    record(result, account, timezone.now())
                known = [rate.known for rate in rates]
                return result, None if None in known else sum(known, Decimal(0))
            finally:
                connection.close()

        with ThreadPoolExecutor(max(1, at_once), thread_name_prefix="rehearsal") as pool:
            return [played for played in pool.map(play, chosen) if played is not None]

    def _line(self, result, rate):
        return {
            "lab": result.lab,
            "ok": result.ok,
            "seconds_to_running": _rounded(result.seconds_to_running),
            "usd_per_hour": None if rate is None else float(round(rate, 6)),
            "seconds_to_gone": _rounded(result.seconds_to_gone),
            "left": len(result.left),
        }

    def _print_table(self, report, played):
        width = max((len(line["lab"]) for line in report), default=3)
        self.stdout.write(
            f"{'lab':{width}} {'running after':>14} {'USD/h':>9} {'gone after':>11} {'left':>5} {'steps':>7}  ok"
        )
        for line, (result, _) in zip(report, played, strict=True):
            rate = "unpriced" if line["usd_per_hour"] is None else f"{line['usd_per_hour']:.4f}"
            self.stdout.write(
                f"{line['lab']:{width}} {_seconds(line['seconds_to_running']):>14} {rate:>9} "
                f"{_seconds(line['seconds_to_gone']):>11} {line['left']:>5} "
                f"{result.steps_passed:>3} of {result.steps}  {'yes' if line['ok'] else 'NO'}"
            )
            for words in result.failed + [f"left: {thing}" for thing in result.left]:
                self.stdout.write(f"    {words}")


def _rehearser(suffix=""):
    """Whose labs the rehearsal's are: nobody can sign in as this person."""
    facts = {"name": "Dress rehearsal"}
    person, made = get_user_model().objects.get_or_create(email=REHEARSER.format(suffix), defaults=facts)
    if made:
        person.set_unusable_password()
        person.save()
    return person


def _rounded(seconds):
    return None if seconds is None else round(seconds, 1)


def _seconds(value):
    return "never" if value is None else f"{value:.1f} s"


def _stop(process):
    """However busy the machine is: what was rehearsed is not undone by a simulator that takes its time to go."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


@contextmanager
def simulator(say):
    """The boot id of the running simulator, or of one of our own for as long as this takes."""
    if boot := practice.current_boot():
        yield boot
        return
    say("No simulator is running: starting one for this rehearsal.")
    before = settings.SIMULATOR_URL, settings.SIMULATOR_SECRET_FILE
    with tempfile.TemporaryDirectory(prefix="lightsout-rehearsal-") as var:
        process = subprocess.Popen(
            [sys.executable, "-m", "labs.simulator", "--port", "0", "--var", var, *BRISK],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            line = process.stdout.readline()
            secret_file = Path(var) / SECRET_FILE
            if "http://" not in line or not secret_file.exists():
                raise CommandError("The simulator did not start; run `manage.py simulator` to see why.")
            where, boot = re.search(r"(http://\S+) \(boot (\S+)\)", line).groups()
            settings.SIMULATOR_URL, settings.SIMULATOR_SECRET_FILE = where, secret_file
            aws.forget_clients()
            yield boot
        finally:
            settings.SIMULATOR_URL, settings.SIMULATOR_SECRET_FILE = before
            aws.forget_clients()
            _stop(process)
