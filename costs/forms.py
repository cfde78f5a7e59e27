"""What people type about money. A wrong input gets its reason, and what was typed stays."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext, gettext_lazy

from costs.workloads import OWN, WORKLOADS, workload

WORKLOAD_SLUGS = {one.slug for one in WORKLOADS}


def _number(label, most: int) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=0, max_value=most, max_digits=10, decimal_places=2)


def _own_price(label) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_value=10_000, max_digits=12, decimal_places=6, required=False
    )


class CalculatorForm(forms.Form):
    """The calculator's inputs, all in the address, so that an answer can be kept and sent. What is left out is what the
    workload begins with."""

    workload = forms.ChoiceField(choices=[(one.slug, one.title) for one in WORKLOADS])
    type = forms.CharField(label=gettext_lazy("Instance"), max_length=40, strip=True)
    hours = _number(gettext_lazy("Hours a day"), 24)
    days = _number(gettext_lazy("Days a month"), 31)
    disk_gb = _number(gettext_lazy("Disk"), 1_000_000)
    is_kept = forms.BooleanField(label=gettext_lazy("The disk is kept all month"), required=False)
    transfer_gb = _number(gettext_lazy("Transfer out a month"), 1_000_000)
    usd_per_hour = _own_price(gettext_lazy("Instance, USD an hour"))
    disk_usd = _own_price(gettext_lazy("Disk, USD per GB and month"))
    disk_usd_hour = _own_price(gettext_lazy("Disk in all, USD an hour"))
    transfer_usd = _own_price(gettext_lazy("Transfer, USD per GB"))
    again = _number(gettext_lazy("Work done again on spot, %"), 1000)
    discount = _number(gettext_lazy("Discount when reserved, %"), 100)

    def __init__(self, asked, *, regions, types):
        """asked: the address's own words; regions: [name]; types: the EC2 types that have a price somewhere."""
        known = dict(asked.items())
        slug = known["workload"] if known.get("workload") in WORKLOAD_SLUGS else "gpu"
        self.chosen, self.types = workload(slug), types
        # Another workload was chosen: its own numbers, not those of the one before.
        fresh = known.get("was") not in (None, slug)
        begins = {
            "workload": slug,
            "type": self.chosen.machines[0].type if self.chosen.machines else "t3.large",
            "region": regions[0] if regions else "",
            "hours": self.chosen.hours,
            "days": self.chosen.days,
            "disk_gb": self.chosen.disk_gb,
            "transfer_gb": Decimal(0),
            "again": Decimal(10),
            "discount": Decimal(40),
        }
        if fresh:
            known = {"workload": slug, "region": known.get("region", begins["region"])}
        if "hours" not in known:
            known["is_kept"] = "on"
        super().__init__(begins | known)
        self.regions = [(one, one) for one in regions]
        self.fields["region"] = forms.ChoiceField(label=gettext_lazy("Region"), choices=self.regions)

    def clean_type(self):
        type = self.cleaned_data["type"].lower()
        allowed = {one.type for one in self.chosen.machines} or self.types
        if self.chosen.slug == OWN and type not in allowed:
            raise forms.ValidationError(
                gettext("We know no EC2 instance called %(type)s. Write it as AWS does: t3.large.") % {"type": type}
            )
        # A type of the workload before: this one begins with its own.
        return type if type in allowed else self.chosen.machines[0].type
