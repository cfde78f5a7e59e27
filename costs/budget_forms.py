"""What people type about budgets. A wrong input gets its reason, and what was typed stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

from costs.thresholds import Thresholds

MOST_USD = Decimal(1_000_000)
MOST_PERCENT = 1000
MOST_GRACE = 7 * 24  # hours


def _percent(label) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=MOST_PERCENT, required=False)


class AmountForm(forms.Form):
    """usd: empty takes this budget away; what is left then is the next wider one."""

    usd = forms.DecimalField(
        label=gettext_lazy("Budget, USD"),
        min_value=0,
        max_value=MOST_USD,
        max_digits=9,
        decimal_places=2,
        required=False,
    )


class ThresholdsForm(forms.Form):
    """Percentages of the budget; an empty one never happens."""

    tell = _percent(gettext_lazy("Tell"))
    block = _percent(gettext_lazy("No new labs"))
    stop = _percent(gettext_lazy("Stop"))
    delete = _percent(gettext_lazy("Delete"))
    grace = forms.DecimalField(
        label=gettext_lazy("Hours between telling and turning off"),
        min_value=0,
        max_value=MOST_GRACE,
        max_digits=5,
        decimal_places=2,
    )

    def clean(self):
        told = super().clean() or {}
        stop, delete, tell = told.get("stop"), told.get("delete"), told.get("tell")
        if stop and delete and delete < stop:
            raise ValidationError(
                gettext("Delete comes at the same share as Stop, or later: a stop keeps disks and files.")
            )
        first = min((percent for percent in (stop, delete) if percent), default=None)
        if tell and first and tell > first:
            raise ValidationError(gettext("Tell comes at the same share as Stop and Delete, or earlier."))
        return told

    @property
    def thresholds(self) -> Thresholds:
        told = self.cleaned_data
        grace = timedelta(minutes=int(told["grace"] * 60))
        return Thresholds(told["tell"], told["block"], told["stop"], told["delete"], grace)


def initial_of(thresholds: Thresholds) -> dict:
    """What the form shows of these."""
    hours = Decimal(str(thresholds.grace.total_seconds())) / 3600
    return {
        "tell": thresholds.tell,
        "block": thresholds.block,
        "stop": thresholds.stop,
        "delete": thresholds.delete,
        "grace": f"{hours.quantize(Decimal('0.01')).normalize():f}",
    }


class ExtensionForm(forms.Form):
    more = forms.DecimalField(
        label=gettext_lazy("More, USD"), min_value=Decimal("0.01"), max_value=MOST_USD, max_digits=9, decimal_places=2
    )
    until = forms.DateTimeField(label=gettext_lazy("Until"), required=False)
    why = forms.CharField(label=gettext_lazy("Why"), max_length=200)

    def __init__(self, *args, now: datetime, **kwargs):
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until is not None and until <= self.now:
            raise ValidationError(gettext("That is over already. Leave it empty to give it for good."))
        return until
