"""The template for the operator's bucket."""

from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from labs import guardrails, stack_template
from labs.models import Account
from labs.tests.strict_accounts import PORTAL

pytestmark = pytest.mark.django_db


def printed(**options):
    said = StringIO()
    call_command("account_template", stdout=said, **options)
    return yaml.safe_load(said.getvalue())


def test_it_is_the_one_that_the_pages_show(settings):
    settings.PORTAL_ROLE_ARN = PORTAL
    rules = guardrails.Rules(regions=tuple(settings.LAB_REGIONS))
    assert printed() == yaml.safe_load(stack_template.as_text(stack_template.template(PORTAL, rules)))


def test_an_account_may_have_limits_of_its_own(settings, now):
    settings.PORTAL_ROLE_ARN = PORTAL
    Account.objects.create(
        name="Bootcamp",
        mode="shared",
        lab_regions=["eu-west-1"],
        rules={"max_gb": 20, "instance_types": ["t3.micro"]},
        created_at=now,
    )
    said = str(printed(account="Bootcamp"))
    assert "eu-west-1" in said and "'t3.micro'" in said and "t3.large" not in said
    with pytest.raises(CommandError, match="No account 'Other'"):
        printed(account="Other")


def test_without_the_portals_role_there_is_none(settings):
    settings.PORTAL_ROLE_ARN = ""
    with pytest.raises(CommandError, match="PORTAL_ROLE_ARN"):
        printed()
