"""The Free Tier: which allowances an account has, what was used of them, and what would leave it."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from botocore.stub import Stubber

from costs import allowances, free_tier, metering
from costs.dashboard.free_tier import free_tier_page, labs_against, tier_of
from costs.free_tier import AHEAD, CLOSE, FREE, LEFT, LEGACY, PAID, WELL, Running, fits, has, standings
from costs.models import AccountPlan, Alert
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, instance, notebook, stranger
from labs import aws
from labs.kinds.base import Meter
from labs.models import Account

D = Decimal
TODAY = NOW.date()
BY = {one.name: one for one in free_tier.allowances()}
T3 = Meter("EC2", "on-demand-linux", "t3.micro", "Hrs")
GP3 = Meter("EBS", "volume", "gp3", "GB-Mo", D(30), per="month")
HOURS_750 = BY["EC2 t2.micro/t3.micro Linux"]
NOTEBOOK = BY["SageMaker ml.t3.medium notebook"]
MID = datetime(2025, 9, 16, tzinfo=UTC)  # half of September is over
END = datetime(2025, 10, 1, tzinfo=UTC)


def standing(used, *running, having=HOURS_750, now=MID):
    return standings([having], {("EC2", "on-demand-linux", "t3.micro"): D(used)}, running, now)[0]


# --- which allowances ----------------------------------------------------------------------------------------------


def names(plan, opened_on=None, first_used=None, day=TODAY):
    return {one.name for one in free_tier.allowances() if has(one, plan, opened_on, first_used or {}, day)}


def test_an_account_from_before_july_2025_has_the_12_months_and_one_with_credits_has_not():
    assert "EC2 t2.micro/t3.micro Linux" in names(LEGACY, date(2025, 1, 5))
    for plan in (FREE, PAID, ""):
        assert "EC2 t2.micro/t3.micro Linux" not in names(plan)
        assert "CloudWatch standard alarms" in names(plan), "what is always free all plans have"


def test_the_12_months_end():
    assert HOURS_750.name in names(LEGACY, date(2025, 1, 5), day=date(2026, 1, 4))
    assert HOURS_750.name not in names(LEGACY, date(2025, 1, 5), day=date(2026, 1, 5))
    assert HOURS_750.name in names(LEGACY), "nobody told when it was opened"


def test_a_trial_lasts_two_months_from_the_first_use():
    assert NOTEBOOK.name in names(FREE), "still to begin"
    assert NOTEBOOK.name in names(FREE, first_used={"SageMaker": date(2025, 7, 31)}, day=date(2025, 9, 29))
    assert NOTEBOOK.name not in names(FREE, first_used={"SageMaker": date(2025, 7, 31)}, day=date(2025, 9, 30))


def test_what_is_free_without_an_end_or_once_is_no_monthly_allowance():
    assert not [name for name in BY if name.startswith(("Account", "GuardDuty", "CloudTrail"))]


def test_every_allowance_that_is_counted_is_in_the_file():
    with free_tier.SHIPPED.open(newline="") as file:
        assert set(free_tier.COUNTED) <= {(row["service"], row["sku"]) for row in csv.DictReader(file)}


# --- how much ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "used, running, level, why",
    [
        ("100", [], WELL, "little is used and nothing is on"),
        ("400", [Running(T3, END)], AHEAD, "360 hours more come to 760"),
        ("390", [Running(T3, END)], WELL, "360 hours more come to 750, which is all of it and no more"),
        ("400", [Running(T3, MID + 4 * HOUR)], WELL, "its lab's clock turns it off"),
        ("640", [], CLOSE, "over 85 %"),
        ("637.5", [], WELL, "85 % is not over 85 %"),
        ("750.01", [], LEFT, "used up"),
        ("750", [], CLOSE, "all of it is not yet more than it"),
    ],
)
def test_how_far_an_allowance_has_gone(used, running, level, why):
    assert standing(used, *running).level == level, why


def test_two_that_are_on_use_it_twice_as_fast():
    one = standing("700", Running(T3, END), Running(T3, END))
    assert one.leaves_at == MID + 25 * HOUR
    assert one.by_end == D(700) + 2 * 360


def test_when_one_ends_the_rest_goes_on_slower():
    one = standing("700", Running(T3, MID + 10 * HOUR), Running(T3, END))
    assert one.leaves_at == MID + 40 * HOUR, "20 hours in the first ten, then 30 at one an hour"


def test_gb_months_are_used_by_their_share_of_the_month():
    one = standings([BY["EBS gp2/gp3 storage"]], {}, [Running(GP3, END)], MID)[0]
    assert round(one.by_end, 10) == 15 and one.level == WELL


def test_a_lab_says_what_it_would_use_what_leaves_and_what_is_in_no_allowance():
    having = [standing("740"), *standings([BY["EBS gp2/gp3 storage"]], {}, [], MID)]
    gpu = Meter("EC2", "on-demand-linux", "g4dn.xlarge", "Hrs", label="g4dn.xlarge")
    found = fits(having, [T3, T3, GP3, gpu], D(8), MID)
    assert [(use.standing.allowance.sku, use.amount, use.left) for use in found.leaving] == [
        ("t2.micro/t3.micro Linux", D(16), D(10))
    ]
    assert found.outside == ("g4dn.xlarge",)
    assert not fits(having, [T3], D(10), MID).leaving


# --- of accounts ---------------------------------------------------------------------------------------------------


@pytest.fixture
def legacy(ayes):
    AccountPlan.objects.create(account=ayes, plan=LEGACY, opened_on=date(2025, 3, 1))
    return Account.objects.select_related("plan").get(pk=ayes.pk)


def ran(account, seen, hours, kind="ec2-instance", *, start=None, region="us-east-1"):
    """Something made by hand, on for so many hours up to now, and metered."""
    start = start or NOW - hours * HOUR
    row = stranger(account, kind, seen, start, region=region)
    worlds.still_there([row], start + hours * HOUR)
    metering.meter(start + hours * HOUR)
    return row


@pytest.mark.django_db
@pytest.mark.usefixtures("prices")
class TestAccounts:
    def test_hours_of_all_regions_count_together_and_last_months_do_not(self, legacy):
        began = free_tier.first_of_month(NOW)
        ran(legacy, instance(type="t3.micro", disk_gb=0, name="old"), 30, start=began - 20 * HOUR)
        ran(legacy, instance(type="t3.micro", disk_gb=0, name="far"), 5, region="ap-southeast-1")
        one = next(one for one in tier_of(legacy, NOW).standings if one.allowance == HOURS_750)
        assert one.used == 15

    def test_another_accounts_hours_do_not_count(self, legacy, bo):
        other = worlds.account_of(bo, number=2)
        ran(other, instance(type="t3.micro", disk_gb=0), 9)
        assert tier_of(legacy, NOW).used == []

    def test_a_practice_account_counts_as_if_it_were_a_new_one_with_credits(self, ayes):
        ran(ayes, notebook(disk_gb=0), 40, "sagemaker-notebook")
        tier = tier_of(ayes, NOW)
        assert tier.is_as_if and tier.plan == FREE
        assert tier.credits_usd == D(100) - D("0.05") * 40
        assert [(one.allowance, one.used) for one in tier.used] == [(NOTEBOOK, D(40))]
        assert tier.nearest.level == AHEAD, "it was made by hand, and nothing turns it off this month"

    def test_what_our_meter_does_not_see_is_named_and_not_called_unused(self, ayes):
        tier = tier_of(ayes, NOW)
        assert "Lambda requests" in {one.name for one in tier.unseen}
        assert "Lambda requests" not in {one.allowance.name for one in tier.standings}

    def test_a_lab_that_is_on_counts_up_to_its_clock(self, ayes, aye):
        made = worlds.launch(aye, ayes, NOW, nb="sagemaker-notebook")
        worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
        assert tier_of(ayes, NOW).nearest.by_end == 4

    def test_labs_are_held_against_what_is_left(self, ayes):
        ran(ayes, notebook(disk_gb=0), 249, "sagemaker-notebook")
        against = {one.title: one.fits for one in labs_against(tier_of(ayes, NOW), "us-east-1", NOW)}
        leaving = {
            title for title, found in against.items() if any(u.standing.allowance == NOTEBOOK for u in found.leaving)
        }
        assert leaving, "a lab with a notebook"
        assert any(found.outside for found in against.values())

    def test_a_page_asks_as_much_for_24_accounts_as_for_3(self, django_assert_num_queries):
        made = 0
        for count in (3, 24):
            while made < count:
                made += 1
                account = worlds.account_of(worlds.person(f"P{made}"), number=made)
                ran(account, notebook(name=f"nb{made}"), 2, "sagemaker-notebook")
            with django_assert_num_queries(5):
                page = free_tier_page([SCOPE], NOW)
            assert (len(page.tiers), page.quiet) == (count, 0)

    def test_practice_accounts_that_use_nothing_are_only_counted_and_real_ones_are_shown(self, ayes, bo):
        worlds.account_of(bo, number=9, mode=Account.OWN)
        page = free_tier_page([SCOPE], NOW)
        assert ([tier.account.owner for tier in page.tiers], page.quiet) == ([bo], 1)

    # --- alerts

    def test_what_nears_its_end_is_an_alert_of_the_account_and_closes_when_it_is_over(self, ayes):
        row = ran(ayes, notebook(disk_gb=0), 240, "sagemaker-notebook")
        [alert] = allowances.judge(NOW)
        assert (alert.rule, alert.account, alert.owner, alert.scope) == ("free_tier", ayes, ayes.owner, SCOPE)
        assert alert.sentence == (
            "The Free Tier of SageMaker ml.t3.medium notebook in Aye's account is nearly used up: 240 of 250 Hrs "
            "this month."
        )
        assert "nobody is billed" in alert.detail and "per account, not per student" in alert.detail
        assert allowances.judge(NOW) == [], "told once"
        worlds.still_there([row], NOW + 11 * HOUR)
        metering.meter(NOW + 11 * HOUR)
        Alert.objects.update(told_at=NOW)
        allowances.judge(NOW + 11 * HOUR)
        risen = Alert.objects.open().get()
        assert (risen.level, risen.told_at) == (LEFT, None), "and told anew when it is used up"
        worlds.gone(row, NOW + 11 * HOUR)
        allowances.judge(free_tier.end_of_month(NOW) + DAY)
        assert not Alert.objects.open().exists(), "a new month"

    def test_what_is_on_and_would_use_it_up_is_told_ahead(self, ayes):
        ran(ayes, notebook(disk_gb=0), 2, "sagemaker-notebook")
        [alert] = allowances.judge(NOW)
        assert alert.sentence == (
            "What is on uses up the Free Tier of SageMaker ml.t3.medium notebook in Aye's account by 28 Sep 16:17 UTC."
        )


# --- what AWS tells ------------------------------------------------------------------------------------------------


def usage(**more):
    facts = {
        "service": "Amazon Elastic Compute Cloud",
        "operation": "RunInstances",
        "usageType": "Global-BoxUsage:freetier.micro",
        "region": "global",
        "actualUsageAmount": 120.5,
        "forecastedUsageAmount": 240.0,
        "limit": 750.0,
        "unit": "Hrs",
        "description": "750.0 Hrs for free for 12 months",
        "freeTierType": "12 Months Free",
    }
    return facts | more


@pytest.fixture
def own(aye):
    return worlds.account_of(aye, number=3, mode=Account.OWN)


@pytest.fixture
def told(monkeypatch):
    client = boto3.client("freetier", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws, "client", lambda account, service, region: client)
    with Stubber(client) as stub:
        yield stub


CREDITS = {
    "accountId": "200000000003",
    "accountPlanType": "FREE",
    "accountPlanStatus": "ACTIVE",
    "accountPlanRemainingCredits": {"amount": 87.35, "unit": "USD"},
    "accountPlanExpirationDate": datetime(2026, 2, 1, tzinfo=UTC),
}


@pytest.mark.django_db
class TestAsking:
    def test_aws_tells_the_plan_the_credits_left_and_its_own_figures_of_all_pages(self, own, told):
        always = usage(freeTierType="Always Free", usageType="Global-Request", service="AWS Lambda")
        told.add_response("get_free_tier_usage", {"freeTierUsages": [always], "nextToken": "n"}, {})
        told.add_response("get_free_tier_usage", {"freeTierUsages": [always]}, {"nextToken": "n"})
        told.add_response("get_account_plan_state", CREDITS, {})
        assert allowances.ask_due(NOW) == 1
        plan = AccountPlan.objects.get(account=own)
        assert (plan.plan, plan.credits_usd, plan.ends_at) == (FREE, D("87.35"), CREDITS["accountPlanExpirationDate"])
        assert (len(plan.usage), plan.told_at, plan.trouble) == (2, NOW, "")
        assert tier_of(Account.objects.get(pk=own.pk), NOW).credits_usd == D("87.35")

    def test_it_is_asked_once_a_day(self, own, told):
        AccountPlan.objects.create(account=own, asked_at=NOW - timedelta(hours=23))
        assert allowances.ask_due(NOW) == 0

    def test_practice_accounts_are_not_asked(self, ayes, told):
        assert allowances.ask_due(NOW) == 0
        assert not AccountPlan.objects.exists()

    def test_12_months_in_its_figures_are_an_account_from_before_there_were_plans(self, own, told):
        told.add_response("get_free_tier_usage", {"freeTierUsages": [usage()]}, {})
        told.add_client_error("get_account_plan_state", "ResourceNotFoundException", "no plan", http_status_code=404)
        allowances.ask_due(NOW)
        assert AccountPlan.objects.get().plan == LEGACY

    def test_an_admins_word_for_12_months_stands_against_a_paid_plan(self, own, told):
        AccountPlan.objects.create(account=own, plan=LEGACY)
        told.add_response("get_free_tier_usage", {"freeTierUsages": []}, {})
        told.add_response("get_account_plan_state", CREDITS | {"accountPlanType": "PAID"}, {})
        allowances.ask_due(NOW)
        assert AccountPlan.objects.get().plan == LEGACY

    def test_what_aws_does_not_let_us_ask_is_kept_with_its_reason(self, own, told):
        AccountPlan.objects.create(account=own, plan=FREE, credits_usd=D(50), told_at=NOW - 2 * DAY)
        told.add_client_error(
            "get_free_tier_usage", "AccessDeniedException", "not authorized: freetier:GetFreeTierUsage"
        )
        assert allowances.ask_due(NOW) == 0
        plan = AccountPlan.objects.get()
        assert (plan.plan, plan.credits_usd, plan.told_at, plan.asked_at) == (FREE, D(50), NOW - 2 * DAY, NOW)
        assert "freetier:GetFreeTierUsage" in plan.trouble
