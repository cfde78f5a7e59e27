"""The Free Tier, watched: AWS is asked daily what it says itself, and what nears its end is an alert."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_noop

from costs import alerts
from costs.dashboard.free_tier import AccountTier, tiers_of
from costs.free_tier import AHEAD, CLOSE, FREE, LEFT, LEGACY, PAID, WELL, Standing
from costs.models import AccountPlan, Alert
from labs import aws
from labs.models import Account

log = logging.getLogger(__name__)

RULE = "free_tier"
ASK_EVERY = timedelta(days=1)
SECONDS_A_RUN = 40  # then no other account is begun: it has its turn an hour later
REGION = "us-east-1"  # AWS has this service there alone
AT_ONCE = 200  # accounts judged by one set of queries
TYPES = {"FREE": FREE, "PAID": PAID}
TWELVE = "12 Months Free"  # as AWS calls it

# What is written into an alert, once for all who read it and in English; pages say it again in their reader's language
# (costs/retelling.py). The detail is some of the last five, one after the other.
USED_UP = gettext_noop("The Free Tier of %(what)s in %(account)s is used up: %(used)s of %(quantity)s this month.")
NEARLY = gettext_noop(
    "The Free Tier of %(what)s in %(account)s is nearly used up: %(used)s of %(quantity)s this month."
)
BY_MONTHS_END = gettext_noop("What is on uses up the Free Tier of %(what)s in %(account)s by the end of the month.")
BY_THEN = gettext_noop("What is on uses up the Free Tier of %(what)s in %(account)s by %(when)s.")
ON_TOP = gettext_noop("What comes on top costs the list price.")
PER_ACCOUNT = gettext_noop("AWS counts it per account, not per student.")
ON_NOW = gettext_noop("On now: %(things)s.")
AS_IF = gettext_noop("A practice account: counted as if it were at AWS, and nobody is billed.")
PATTERNS = (USED_UP, NEARLY, BY_MONTHS_END, BY_THEN, ON_TOP, PER_ACCOUNT, ON_NOW, AS_IF)


def ask_due(now: datetime, accounts: Iterable[Account] | None = None) -> int:
    """Ask AWS about every connected real account that was not asked for a day, or about these at once. Answers how many
    told. One that does not keeps what was known, with the reason."""
    if accounts is None:
        due = Q(plan=None) | Q(plan__asked_at=None) | Q(plan__asked_at__lte=now - ASK_EVERY)
        found = list(Account.objects.real().filter(due, is_open=True).exclude(aws_id=""))
        # In any order, so that one which never answers does not keep the others from their turn.
        accounts = random.sample(found, len(found))
    told, end = 0, time.monotonic() + SECONDS_A_RUN
    for account in accounts:
        if time.monotonic() > end:
            break
        told += _ask(account, now)
    return told


def _ask(account: Account, now: datetime) -> bool:
    plan, _ = AccountPlan.objects.get_or_create(account=account)
    plan.asked_at, plan.trouble = now, ""
    try:
        client = aws.client(account, "freetier", REGION)
        usage = _usage(client)
        state = _state(client)
    except aws.Trouble as why:
        log.info("AWS did not tell the Free Tier of account %s: %s", account.aws_id, why)
        plan.trouble = str(why)
        plan.save(update_fields=["asked_at", "trouble"])
        return False
    plan.usage, plan.told_at = usage, now
    plan.plan = _plan_of(state, usage, plan.plan)
    credits = state.get("accountPlanRemainingCredits") or {}
    plan.credits_usd = Decimal(str(credits["amount"])) if credits.get("unit") == "USD" else None
    plan.ends_at = state.get("accountPlanExpirationDate")
    plan.save()
    return True


def _usage(client) -> list[dict]:
    """AWS leaves out what was not used at all."""
    try:
        pages = client.get_paginator("get_free_tier_usage").paginate()
        return [each for page in pages for each in page.get("freeTierUsages", ())]
    except Exception as error:
        raise aws.sorted_trouble(error) from error


def _state(client) -> dict:
    """The plan's state; {} where AWS has no plan of the account."""
    try:
        return client.get_account_plan_state()
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        if isinstance(trouble, aws.NotThere):
            return {}
        raise trouble from error


def _plan_of(state: dict, usage: list[dict], known: str) -> str:
    """What AWS tells. Offers of 12 months have only accounts from before there were plans; that an account has a paid
    plan does not say that it has credits, so an admin's word for 12 months stands against it."""
    if any(each.get("freeTierType") == TWELVE for each in usage):
        return LEGACY
    told = TYPES.get(state.get("accountPlanType", ""), "")
    if known == LEGACY and told != FREE:
        return LEGACY
    return told or known


def judge(now: datetime) -> list[Alert]:
    """Open, change and close the alerts of all accounts. Answers those that are new."""
    accounts = list(
        Account.objects.filter(is_open=True).exclude(aws_id="").select_related("owner", "plan").order_by("pk")
    )
    found = []
    for at in range(0, len(accounts), AT_ONCE):
        with translation.override("en"):  # the names of what is on are in it
            tiers = tiers_of(accounts[at : at + AT_ONCE], now)
        for tier in tiers:
            found += [_alert(tier, one) for one in tier.used if one.level != WELL]
    return alerts.settle(RULE, found, now)


def _alert(tier: AccountTier, one: Standing) -> Alert:
    account, allowance = tier.account, one.allowance
    told = {
        "what": allowance.name,
        "account": account.name,
        "used": _n(one.used),
        "quantity": f"{_n(allowance.quantity)} {allowance.unit}",
    }
    if one.level == LEFT:
        sentence = USED_UP % told
    elif one.level == CLOSE:
        sentence = NEARLY % told
    elif one.leaves_at:
        sentence = BY_THEN % (told | {"when": f"{one.leaves_at:%-d %b %H:%M} UTC"})
    else:
        sentence = BY_MONTHS_END % told
    detail = [] if one.level == AHEAD else [ON_TOP]
    detail.append(PER_ACCOUNT)
    if one.running:
        detail.append(ON_NOW % {"things": ", ".join(one.running)})
    if tier.is_as_if:
        detail.append(AS_IF)
    return Alert(
        key=f"{account.pk}:{allowance.service}/{allowance.sku}"[:120],
        scope=account.scope,
        owner_id=account.owner_id,
        account=account,
        sentence=sentence[:200],
        detail=" ".join(detail)[:400],
        level=one.level,
    )


def _n(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')).normalize():f}"
