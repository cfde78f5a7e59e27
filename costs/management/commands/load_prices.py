"""manage.py load_prices [FILE]: fill the price book. Doing it twice changes nothing."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from costs import pricebook


class Command(BaseCommand):
    help = "Load list prices (costs/prices/prices.csv by default). Doing it twice changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, default=pricebook.SHIPPED)

    def handle(self, *args, file, **options):
        try:
            new, corrected = pricebook.load(file)
        except (pricebook.BadPriceFile, OSError) as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["verbosity"]:
            self.stdout.write(f"Prices: {new} new, {corrected} corrected.")
