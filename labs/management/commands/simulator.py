from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from labs.simulator.__main__ import add_arguments, run


class Command(BaseCommand):
    help = "Run the AWS simulator of practice mode, on loopback, until stopped."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(
            parser,
            host="127.0.0.1",
            port=settings.SIMULATOR_PORT,
            regions=settings.PRACTICE_REGIONS,
            state_seconds=settings.SIMULATOR_STATE_SECONDS,
            work_seconds=settings.SIMULATOR_WORK_SECONDS,
            run_functions=settings.SIMULATOR_RUN_FUNCTIONS,
            student_calls=settings.STUDENT_CALLS_PER_SECOND,
            student_body_mb=settings.STUDENT_BODY_MB,
            student_stored_mb=settings.STUDENT_STORED_MB,
        )

    def handle(self, *args, **options):
        from argparse import Namespace

        code = run(Namespace(**options, var=settings.VAR))
        if code:
            raise SystemExit(code)
