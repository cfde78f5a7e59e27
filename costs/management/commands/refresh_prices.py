"""manage.py refresh_prices [--file PATH ...] [--pretend]: make the price book say what AWS's price list says."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs import refreshing
from costs.offers import BadOffer
from costs.price_list import Reading, offers
from labs import aws

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Read AWS's price list for what labs are metered by, in the regions allowed: from bulk offer files, or from "
        "the Pricing API by the portal's own identity. A change of price is a new line; what was spent stays as it is."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--file",
            action="append",
            type=Path,
            default=[],
            metavar="PATH",
            help="An offer file of AWS's (.csv or .json), or a folder of them. May be given often.",
        )
        parser.add_argument("--offer", action="append", default=[], help="Ask AWS for this service code alone.")
        parser.add_argument("--region", action="append", default=[], help="This region alone. May be given often.")
        parser.add_argument("--all-types", action="store_true", help="Every type of machine, not only known ones.")
        parser.add_argument("--pretend", action="store_true", help="Say what would change, and change nothing.")

    def handle(self, *args, file, offer, region, all_types, pretend, **options):
        unknown = set(offer) - set(offers())
        if unknown:
            raise CommandError(f"Nothing of {', '.join(sorted(unknown))} is metered. Known: {', '.join(offers())}.")
        wanted = refreshing.every_type if all_types else refreshing.known_types()
        reading = Reading(region or refreshing.regions(), wanted)
        try:
            if file:
                refreshing.read_files(file, reading)
            else:
                refreshing.ask_aws(reading, offer)
        except (BadOffer, OSError, UnicodeDecodeError) as wrong:
            raise CommandError(f"{wrong}. Nothing was changed.") from wrong
        except aws.Trouble as why:
            raise CommandError(f"AWS's Pricing API: {why}. Nothing was changed.") from why
        found = refreshing.compare(reading)
        if not pretend:
            refreshing.write(found, timezone.now())
        self._tell(found, pretend, options["verbosity"])

    def _tell(self, found, pretend, verbosity):
        for head in found.heads:
            self.stdout.write(f"{head.offer} {head.version}, published {head.published_on} ({head.name})")
        self._some("", [str(change) for change in found.changes], verbosity)
        verb = "would be" if pretend else "are"
        added = sum(change.old is None for change in found.changes)
        self.stdout.write(
            f"{added} lines {verb} new, {len(found.changes) - added} {verb} changed, {found.same} are as AWS says, in "
            f"{', '.join(found.regions)}."
        )
        self._some("The book is newer than the list:", found.newer, verbosity)
        self._some("AWS's list has no line for:", found.missing, verbosity)
        self._some("Not understood:", found.odd, verbosity)
        for what, lines in sorted(found.left.items()):
            self.stdout.write(f"Not asked for, {lines} lines: {what}")
        for offer, lines in sorted(found.unread.items()):
            self.stdout.write(f"Not read, {lines} lines of the book: {offer}")

    def _some(self, title, lines, verbosity):
        shown = lines if verbosity > 1 else lines[:SHOWN]
        for line in shown:
            self.stdout.write(f"{title} {line}".strip())
        if len(shown) < len(lines):
            self.stdout.write(f"{title} and {len(lines) - len(shown)} more (-v 2 shows all)".strip())
