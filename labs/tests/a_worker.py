"""A worker process for tests that kill it: works off due rows until it is killed. Takes the database's URL and the
simulator's from the environment; prints one line when it is at work."""

import os
import sys
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from labs import certify, ending, reconcile  # noqa: E402


def main() -> None:
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    while True:
        reconcile.work_off(timezone.now, until=timezone.now() + timedelta(seconds=1))
        ending.prepare_due(timezone.now)
        certify.prove_due(timezone.now)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
