"""What things cost: the price book, the readings, their sums, budgets, what was forgotten, and what was put out.

Readings are append-only. `Metered` and `DailySpend` are sums of them, written in the same transaction, so that a
page costs the same after a year as after a day. Money is USD, Decimal, ten places; days are UTC, as AWS bills.
"""

from datetime import timedelta

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from costs.free_tier import FREE, LEGACY, PAID
from costs.lives import Policy


class UsdField(models.DecimalField):
    """US dollars (or a billed quantity) with ten places: a second of the cheapest instance is still more than 0."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{"max_digits": 20, "decimal_places": 10, **options})


class Price(models.Model):
    """A list price as read somewhere on some day. `costs/pricebook.py` says which one counts when."""

    service = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    sku = models.CharField(max_length=120)
    region = models.CharField(max_length=30)
    unit = models.CharField(max_length=30)
    usd = UsdField()
    valid_from = models.DateField(help_text="Its as_of: the day it was read. The first known one counts before it too.")
    confidence = models.CharField(max_length=12, help_text="list, quoted, indicative, derived or unofficial.")
    source = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind", "sku", "region", "unit", "valid_from"], name="one_price_a_day"
            ),
            models.CheckConstraint(condition=Q(usd__gte=0), name="a_price_is_not_negative"),
        ]

    def __str__(self):
        return f"{self.service} {self.kind} {self.sku}, {self.region}: ${self.short} per {self.unit}"

    @property
    def short(self) -> str:
        """0.05, not 0.0500000000."""
        return f"{self.usd.normalize():f}"


class Reading(models.Model):
    """What one meter of one resource counted between two instants of one UTC day. Append-only: never changed.

    quantity is what is billed, in `unit`: hours x instances, or GB-months. usd is None where no price is known: that is
    unpriced, which pages say aloud, and never 0.
    """

    resource = models.ForeignKey("labs.Resource", on_delete=models.PROTECT, related_name="readings")
    meter = models.CharField(max_length=120)
    service = models.CharField(max_length=40, help_text="As the bill calls it: EC2, SageMaker, S3.")
    start = models.DateTimeField()
    end = models.DateTimeField()
    quantity = UsdField()
    unit = models.CharField(max_length=30)
    rate = UsdField(null=True, help_text="USD per unit.")
    usd = UsdField(null=True)
    price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "meter", "start"], name="one_reading_a_start"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="a_reading_takes_time"),
        ]
        # What a day is made of is asked for by its instants.
        indexes = [models.Index(fields=["start"], name="costs_reading_start")]


class Metered(models.Model):
    """What has been metered of one resource so far, and what it costs an hour as of then.

    Pages add `usd_per_hour` x the time since `until`, and call that part an estimate.
    """

    resource = models.OneToOneField("labs.Resource", primary_key=True, on_delete=models.PROTECT, related_name="metered")
    until = models.DateTimeField(help_text="Everything before this instant is in readings.")
    span = models.ForeignKey("labs.Span", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    counted_until = models.DateTimeField(null=True, help_text="Of what is billed by the piece (costs/counting.py).")
    usd = UsdField(default=0, help_text="The sum of its readings.")
    unpriced_seconds = models.PositiveBigIntegerField(default=0)
    usd_per_hour = UsdField(default=0, help_text="Of the last span metered; what has no price is not in it.")
    unpriced_meters = models.PositiveSmallIntegerField(default=0, help_text="Meters of the last span without a price.")


class DailySpend(models.Model):
    """The readings of one UTC day, summed by whose, where and what."""

    day = models.DateField()
    account = models.ForeignKey("labs.Account", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=32, blank=True, default="")
    service = models.CharField(max_length=40)
    region = models.CharField(max_length=30)
    usd = UsdField(default=0)
    unpriced_seconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        # NULL is never equal to NULL in a unique index, on either engine: nobody's spend needs its own.
        constraints = [
            models.UniqueConstraint(
                fields=["day", "account", "owner", "scope", "service", "region"],
                condition=Q(owner__isnull=False),
                name="one_sum_a_day_and_owner",
            ),
            models.UniqueConstraint(
                fields=["day", "account", "scope", "service", "region"],
                condition=Q(owner=None),
                name="one_sum_a_day_of_nobodys",
            ),
        ]
        indexes = [models.Index(fields=["scope", "day"]), models.Index(fields=["owner", "day"])]


class Activity(models.Model):
    """The last look at one CloudWatch signal of one resource. value is None when AWS sent no datapoint."""

    resource = models.ForeignKey("labs.Resource", on_delete=models.CASCADE, related_name="activities")
    signal = models.CharField(max_length=80, help_text="The metric.")
    window_began = models.DateTimeField()
    at = models.DateTimeField(help_text="The end of the window.")
    value = models.FloatField(null=True, help_text="The sum or the maximum over the window, as the signal says.")
    datapoints = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "signal"], name="one_look_a_signal")]


class FindingQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def shown(self, now):
        """Open, and not put off till later."""
        return self.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))

    def snoozed(self, now):
        return self.open().filter(snoozed_until__gt=now)


class Finding(models.Model):
    """A resource that a rule calls forgotten, with the sentence that a person reads."""

    STOP, DELETE = "stop", "delete"
    ACTIONS = [(STOP, "stop"), (DELETE, "delete")]

    resource = models.ForeignKey("labs.Resource", on_delete=models.PROTECT, related_name="findings")
    rule = models.CharField(max_length=40)
    sentence = models.CharField(max_length=200)
    detail = models.CharField(max_length=400, blank=True, default="")
    since = models.DateTimeField(null=True, help_text="From when on it has been so, as far as is known.")
    action = models.CharField(max_length=10, choices=ACTIONS, default=STOP, help_text="What would turn it off.")
    look_ahead_until = models.DateTimeField(null=True, help_text="The next session: what it costs by then is told.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=200, blank=True, default="")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snooze_why = models.CharField(max_length=200, blank=True, default="")
    reminder_asked_at = models.DateTimeField(null=True, blank=True, help_text="Somebody wished that the owner is told.")
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="The owner was told.")
    # Its life (costs/lives.py). All of it begins anew when it is put off, or woken.
    staff_asked_at = models.DateTimeField(null=True, blank=True, help_text="Those who teach are to be told.")
    staff_told_at = models.DateTimeField(null=True, blank=True)
    look_asked_at = models.DateTimeField(null=True, blank=True, help_text="It was looked at anew before it is stopped.")
    acted_at = models.DateTimeField(null=True, blank=True, help_text="The policy asked for its end.")
    act_told_at = models.DateTimeField(null=True, blank=True, help_text="The owner was told of that.")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "rule"], condition=Q(closed_at=None), name="one_open_finding_a_rule"
            )
        ]
        indexes = [models.Index(fields=["opened_at"], condition=Q(closed_at=None), name="costs_finding_open")]

    def __str__(self):
        return self.sentence


class AlertQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def to_tell(self):
        """Open, and nobody was told yet."""
        return self.open().filter(told_at=None)


class Alert(models.Model):
    """Something odd about money that is no single resource's. `costs.alerts.settle` writes them."""

    rule = models.CharField(max_length=40)
    key = models.CharField(max_length=120, help_text="Of this oddity among those of its rule, as long as it lasts.")
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey("labs.Account", null=True, on_delete=models.CASCADE, related_name="+")
    sentence = models.CharField(max_length=200)
    detail = models.CharField(max_length=400, blank=True, default="")
    usd = UsdField(null=True, help_text="What it is about, where that is an amount.")
    lines = models.JSONField(default=list, help_text='What it is made of: [["words", "12.34"]], the dearest first.')
    level = models.PositiveSmallIntegerField(default=0, help_text="How far it has gone: it is told anew when it rises.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(null=True, blank=True, help_text="When its level last rose, after it was opened.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "key"], condition=Q(closed_at=None), name="one_open_alert_a_key")
        ]

    def __str__(self):
        return self.sentence

    @property
    def news(self) -> str:
        """The same as long as nothing new is to be told of it."""
        return f"alert-{self.pk}-{(self.raised_at or self.opened_at).timestamp():.0f}"


class Scope(models.Model):
    """What pages about money need to know of a scope. Told by whoever knows (`costs.scopes.tell`); read here only."""

    key = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=60, help_text="Short, such as aws-ml-sep-2025: typed before Lights out.")
    title = models.CharField(max_length=120, blank=True, default="")
    zone = models.CharField(max_length=64, default="UTC")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Projections reach to here.")
    look_ahead_until = models.DateTimeField(null=True, blank=True, help_text="The next session.")
    staff = models.JSONField(default=list, help_text="Ids of the people who teach it: no student's budget is theirs.")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Shown beside USD. Empty: none.")
    # What is done about what was left on (costs.lives.Policy).
    lights_level = models.CharField(max_length=10, default="tell", help_text="tell, grace or at_once.")
    lights_grace_minutes = models.PositiveIntegerField(default=120)
    lights_delete_days = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self):
        return self.title or self.name

    @property
    def policy(self):
        """What is done about what was left on."""
        days = self.lights_delete_days
        grace = timedelta(minutes=self.lights_grace_minutes)
        return Policy(self.lights_level, grace, timedelta(days=days) if days else None)


class Budget(models.Model):
    """How much may be spent: by each student or each teacher of a scope, by one person of it, by the whole scope, or in
    one AWS account in a UTC month.

    Of what the upper app tells and what somebody sets here, the later counts (`told_usd`, costs/scopes.py).
    """

    STUDENT, STAFF, COHORT, ACCOUNT = "student", "staff", "cohort", "account"
    KINDS = [
        (STUDENT, _("a student")),
        (STAFF, _("a teacher")),
        (COHORT, _("the whole cohort")),
        (ACCOUNT, _("an AWS account, each month")),
    ]

    kind = models.CharField(max_length=10, choices=KINDS)
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    # Of a person's budget: the one it is for. None: everybody of the kind in the scope who has no own row.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    account = models.ForeignKey("labs.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    usd = models.DecimalField(max_digits=9, decimal_places=2)
    told_usd = models.DecimalField(
        max_digits=9, decimal_places=2, null=True, blank=True, editable=False, help_text="As it was last told."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], condition=Q(kind="student", owner=None), name="one_default_budget_a_scope"
            ),
            models.UniqueConstraint(
                fields=["scope"], condition=Q(kind="staff", owner=None), name="one_staff_budget_a_scope"
            ),
            models.UniqueConstraint(
                fields=["scope", "owner"], condition=Q(owner__isnull=False), name="one_own_budget_a_person"
            ),
            models.UniqueConstraint(fields=["scope"], condition=Q(kind="cohort"), name="one_budget_a_cohort"),
            models.UniqueConstraint(fields=["account"], condition=Q(kind="account"), name="one_budget_an_account"),
            models.CheckConstraint(condition=Q(usd__gte=0), name="a_budget_is_not_negative"),
        ]


class BudgetRules(models.Model):
    """What happens at which percentage of the budgets of one kind in a scope; of accounts, in all of them (scope "").

    Without a row the defaults of costs/thresholds.py hold. None: that never happens.
    """

    scope = models.CharField(max_length=32, blank=True, default="")
    kind = models.CharField(max_length=10, choices=Budget.KINDS)
    tell_at = models.PositiveSmallIntegerField(null=True, blank=True)
    block_at = models.PositiveSmallIntegerField(null=True, blank=True)
    stop_at = models.PositiveSmallIntegerField(null=True, blank=True)
    delete_at = models.PositiveSmallIntegerField(null=True, blank=True)
    grace_minutes = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "kind"], name="one_set_of_rules_a_kind")]


class ExtensionQuerySet(models.QuerySet):
    def in_force(self, now):
        return self.filter(Q(until=None) | Q(until__gt=now), at__lte=now, undone_at=None)


class BudgetExtension(models.Model):
    """More for one person, cohort or account than its budget says: by whom, why, and until when. Never changed but to
    be undone."""

    # STUDENT stands for one person, whoever that is; so a person who begins to teach keeps what they were given.
    kind = models.CharField(max_length=10, choices=Budget.KINDS)
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey("labs.Account", null=True, on_delete=models.CASCADE, related_name="+")
    usd = models.DecimalField(max_digits=9, decimal_places=2)
    until = models.DateTimeField(null=True, help_text="None: for good.")
    why = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ExtensionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(usd__gt=0), name="an_extension_is_more")]

    def __str__(self):
        return f"${self.usd} more: {self.why}"


class LightsOut(models.Model):
    """One time that a scope's lights were put out. What was asked is in its lines; what came of it is read from AWS's
    side of the ledger at any later time (costs/dashboard/went_out.py)."""

    scope = models.CharField(max_length=32, db_index=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    include_in_use = models.BooleanField(default=False, help_text="Labs that were in use were ended too.")
    launches = models.ManyToManyField("labs.Launch", related_name="+", help_text="The labs that it ended.")

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"Lights out at {self.at:%Y-%m-%d %H:%M} UTC"


class PutOut(models.Model):
    """One resource that was on when the lights were put out, and was asked to go off then or before."""

    STOP, DELETE = "stop", "delete"
    ACTS = [(STOP, "stop"), (DELETE, "delete")]

    lights_out = models.ForeignKey(LightsOut, on_delete=models.CASCADE, related_name="lines")
    resource = models.ForeignKey("labs.Resource", on_delete=models.CASCADE, related_name="+")
    act = models.CharField(max_length=10, choices=ACTS)
    asked_at = models.DateTimeField(help_text="Earlier than the lights were put out where it was asked before.")
    usd_per_hour = UsdField(null=True, help_text="As it was on then. None: a part had no price.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lights_out", "resource"], name="put_out_once_a_time")]


class Bill(models.Model):
    """How far one account's bill was read from AWS, and what stood in the way. Each page that is asked costs money."""

    account = models.OneToOneField("labs.Account", primary_key=True, on_delete=models.CASCADE, related_name="bill")
    ask_at = models.DateTimeField(help_text="When AWS is asked next.")
    answered_at = models.DateTimeField(null=True, help_text="The last time that AWS told all of it.")
    final_through = models.DateField(null=True, help_text="Up to this day AWS calls nothing an estimate any more.")
    trouble = models.CharField(max_length=500, blank=True, default="", help_text="Why it could not be read.")

    def __str__(self):
        return f"the bill of {self.account}"


class BilledDay(models.Model):
    """What AWS says that one UTC day of an account cost, as Cost Explorer tells it (UnblendedCost).

    record: AWS's word for the kind of line (Usage, Credit, Refund, Tax ...; costs/bill_words.py sorts them). A credit
    is below zero. tag: the value of our tag, where the account's owner lets AWS sum by it.
    """

    account = models.ForeignKey("labs.Account", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    service = models.CharField(max_length=120, help_text="As AWS calls it.")
    tag = models.CharField(max_length=256, blank=True, default="")
    record = models.CharField(max_length=60)
    usd = UsdField()
    is_estimated = models.BooleanField(help_text="AWS may still change it.")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day", "service", "tag", "record"], name="one_line_a_day_of_a_bill"
            )
        ]


class OwnUse(models.Model):
    """What the portal itself asked of AWS on one UTC day that AWS bills, counted where it was asked (own_use.py)."""

    day = models.DateField()
    account = models.ForeignKey("labs.Account", on_delete=models.CASCADE, related_name="+")
    region = models.CharField(max_length=30)
    what = models.CharField(max_length=30)
    quantity = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "account", "region", "what"], name="one_sum_a_day_of_own_use")
        ]


class PriceList(models.Model):
    """A version of AWS's own price list that was read (`manage.py refresh_prices`): how old the book is, is its age."""

    offer = models.CharField(max_length=60, help_text="AWS's service code: AmazonEC2.")
    version = models.CharField(max_length=40)
    regions = models.JSONField(default=list)
    published_on = models.DateField()
    read_at = models.DateTimeField()
    new = models.PositiveIntegerField(default=0, help_text="Lines of the book that it changed or added.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "version"], name="one_row_a_price_list")]

    def __str__(self):
        return f"{self.offer} {self.version}"


class ExchangeRate(models.Model):
    """What a US dollar was worth in another currency on a day, as somebody looked it up. Never used to sum anything."""

    currency = models.CharField(
        max_length=3,
        validators=[RegexValidator(r"^(?!USD)[A-Z]{3}$", _("Three capital letters, and not USD: SGD, MMK."))],
        help_text=_("Its three letters: SGD, MMK."),
    )
    per_usd = models.DecimalField(max_digits=16, decimal_places=6, help_text=_("So many for one US dollar."))
    on = models.DateField(help_text=_("The day of the rate."))
    source = models.CharField(max_length=120, blank=True, default="", help_text=_("Where it was looked up."))

    class Meta:
        ordering = ["currency", "-on"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="one_rate_a_day"),
            models.CheckConstraint(condition=Q(per_usd__gt=0), name="a_rate_is_positive"),
        ]

    def __str__(self):
        return f"{self.currency} {self.per_usd.normalize():f} for a US dollar on {self.on}"


class AccountPlan(models.Model):
    """Which Free Tier an AWS account has: as AWS tells it, else as an admin says. Asked for daily of real accounts."""

    PLANS = [
        (LEGACY, _("12 months: opened before 15 July 2025")),
        (FREE, _("credits, on the free plan")),
        (PAID, _("credits, on the paid plan")),
    ]

    account = models.OneToOneField("labs.Account", primary_key=True, on_delete=models.CASCADE, related_name="plan")
    plan = models.CharField(max_length=10, choices=PLANS, blank=True, default="", help_text=_("Empty: not known."))
    opened_on = models.DateField(
        null=True, blank=True, help_text=_("When the AWS account was opened: 12 months from it.")
    )
    # As AWS told it, at `told_at`; None where it did not.
    credits_usd = UsdField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="When the free plan ends.")
    usage = models.JSONField(default=list, blank=True, help_text="AWS's own figures, as GetFreeTierUsage tells them.")
    told_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True, default="", help_text="Why AWS did not tell it.")

    def __str__(self):
        return f"{self.account}: {self.get_plan_display() or 'not known'}"


class TurnedOff(models.Model):
    """One light that went off by itself: by the policy, its lab's clock, a budget or Lights out. What it would have
    cost on is `costs/saving.py`'s to say; this is what was seen."""

    resource = models.ForeignKey("labs.Resource", on_delete=models.CASCADE, related_name="turned_off")
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    act = models.CharField(max_length=10, choices=[("stop", "stop"), ("delete", "delete")])
    by = models.CharField(max_length=20, help_text="policy, clock, budget or lights-out.")
    off_at = models.DateTimeField(help_text="When it was seen off.")
    until = models.DateTimeField(help_text="When a person would have looked at the latest: nothing is counted past it.")
    on_again_at = models.DateTimeField(null=True, blank=True)
    usd_per_hour = UsdField(null=True, help_text="What it cost on, less what it costs off. None: a part had no price.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "off_at"], name="turned_off_once_an_instant")]
        indexes = [models.Index(fields=["scope", "off_at"])]

    def __str__(self):
        return f"{self.resource_id} by {self.by}, {self.off_at:%Y-%m-%d %H:%M} UTC"


class KeptPage(models.Model):
    """The spend page as it was last worked out, for one choice of scopes and zone (costs/kept.py). Only a copy: it may
    be deleted at any time."""

    key = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of asked_for.")
    asked_for = models.JSONField()
    stamp = models.CharField(max_length=80, help_text="What had been recorded when it was worked out.")
    made_at = models.DateTimeField()
    asked_at = models.DateTimeField(help_text="By a reader, to the minute.")
    head = models.TextField(blank=True, help_text="HTML. Empty: a poll asks for what moves alone.")
    main = models.TextField()
    left_on = models.PositiveIntegerField(help_text="Lights that are left on.")
    burning = models.JSONField(help_text="[[scope, USD an hour, lights, unpriced]], as the meter chip shows them.")

    def __str__(self):
        return f"the spend page of {self.made_at:%H:%M:%S}"
