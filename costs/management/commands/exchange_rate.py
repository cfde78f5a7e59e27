"""manage.py exchange_rate SGD 1.29 [--on 2025-09-01] [--source WORDS]: what a US dollar is in another currency."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs import currency as currencies
from costs.dashboard.days import today


class Command(BaseCommand):
    help = (
        "Keep an exchange rate. Pages show amounts in it beside US dollars, with its day. One of the day is corrected."
    )

    def add_arguments(self, parser):
        parser.add_argument("currency", help="Three letters: SGD, MMK.")
        parser.add_argument("per_usd", help="So many for one US dollar: 1.29.")
        parser.add_argument("--on", help="The day of the rate, such as 2025-09-01. Without it, today (UTC).")
        parser.add_argument("--source", default="", help="Where it was looked up, in words.")

    def handle(self, *args, currency, per_usd, on, source, **options):
        try:
            day = date.fromisoformat(on) if on else today(timezone.now())
        except ValueError:
            raise CommandError(f"{on} is no day: write it as 2025-09-01.") from None
        try:
            rate = currencies.enter(currency, Decimal(per_usd), day, source)
        except InvalidOperation:
            raise CommandError(f"{per_usd} is no number.") from None
        except ValueError as wrong:
            raise CommandError(f"{wrong}.") from None
        self.stdout.write(f"{rate}.")
