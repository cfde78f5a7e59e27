"""manage.py account_template: the CloudFormation template with which AWS accounts are connected, for a bucket."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from labs import guardrails, stack_template
from labs.models import Account


class Command(BaseCommand):
    help = (
        "Print the template with which AWS accounts are connected. Put it into a bucket that AWS's console can read, "
        "and its address into TEMPLATE_URL: then the pages have a link that opens it."
    )

    def add_arguments(self, parser):
        parser.add_argument("--account", help="Name or AWS id of an account, for its own regions and limits.")

    def handle(self, account=None, **options):
        if not settings.PORTAL_ROLE_ARN:
            raise CommandError("Set PORTAL_ROLE_ARN first: the template lets in that role alone (docs/accounts.md).")
        rules = self._rules(account)
        self.stdout.write(stack_template.as_text(stack_template.template(settings.PORTAL_ROLE_ARN, rules)), ending="")

    def _rules(self, name):
        if not name:
            return guardrails.Rules(regions=tuple(settings.LAB_REGIONS))
        found = Account.objects.named(name)
        if found is None:
            raise CommandError(f"No account {name!r} is here.")
        return found.limits()
