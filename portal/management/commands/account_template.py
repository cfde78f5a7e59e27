"""manage.py account_template: the CloudFormation template with which AWS accounts are connected, for a bucket."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from labs import guardrails, stack_template
from labs.models import Account
from portal.models import Cohort
from portal.placing import shared_account


class Command(BaseCommand):
    help = (
        "Print the template with which AWS accounts are connected. Put it into a bucket that AWS's console can read, "
        "and its address into TEMPLATE_URL: then the pages have a link that opens it."
    )

    def add_arguments(self, parser):
        parser.add_argument("--account", help="Name or AWS id of an account, for its own regions and limits.")
        parser.add_argument(
            "--cohort", help="Slug of a cohort with limits of its own: the stack that holds it to them."
        )

    def handle(self, account=None, cohort=None, **options):
        if cohort:
            self.stdout.write(stack_template.as_text(self._of_cohort(cohort, account)), ending="")
            return
        if not settings.PORTAL_ROLE_ARN:
            raise CommandError("Set PORTAL_ROLE_ARN first: the template lets in that role alone (docs/accounts.md).")
        rules = self._rules(account)
        self.stdout.write(stack_template.as_text(stack_template.template(settings.PORTAL_ROLE_ARN, rules)), ending="")

    def _rules(self, name):
        if not name:
            return guardrails.Rules(regions=tuple(settings.LAB_REGIONS))
        return self._account(name).limits()

    def _account(self, name):
        found = Account.objects.named(name)
        if found is None:
            raise CommandError(f"No account {name!r} is here.")
        return found

    def _of_cohort(self, slug, account):
        cohort = Cohort.objects.filter(slug=slug).first()
        if cohort is None:
            raise CommandError(f"No cohort {slug!r} is here.")
        shared = self._account(account) if account else shared_account(cohort)
        try:
            rules = shared and shared.limited_to(cohort.limits)
        except ValueError as why:
            raise CommandError(str(why)) from why
        if not rules:
            raise CommandError(f"{cohort} needs no stack of its own: it has no limits, or shares no AWS account.")
        return stack_template.cohort_template(rules, cohort.scope)
