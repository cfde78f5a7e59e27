"""The admin pages: somebody's own budget, and the price book to look at. A cohort's budgets are edited with it."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext, gettext_lazy

from costs.models import AccountPlan, Budget, ExchangeRate, Price, PriceList, Scope


def _scopes() -> list[tuple[str, str]]:
    return [(scope.key, str(scope)) for scope in Scope.objects.order_by("title")]


class OwnBudgetForm(forms.ModelForm):
    scope = forms.ChoiceField(label=gettext_lazy("cohort"), choices=_scopes)

    class Meta:
        model = Budget
        fields = ["owner", "scope", "usd"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].required = True

    def clean(self):
        told = super().clean() or {}
        self.instance.kind = Budget.STUDENT
        same = Budget.objects.filter(scope=told.get("scope"), owner=told.get("owner"))
        if told.get("owner") and same.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(gettext("This person has a budget of their own here already: change that one."))
        return told


@admin.register(Budget)
class OwnBudgetAdmin(admin.ModelAdmin):
    """More, or less, for one person than the cohort gives to each."""

    form = OwnBudgetForm
    list_display = ["owner", "cohort", "usd"]
    autocomplete_fields = ["owner"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(owner__isnull=False).select_related("owner")

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, budget):
        return Scope.objects.filter(key=budget.scope).first() or budget.scope


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):
    """`manage.py load_prices` writes these: readings stand on them."""

    list_display = ["service", "kind", "sku", "region", "usd", "unit", "valid_from", "confidence"]
    list_filter = ["confidence", "service", "region"]
    search_fields = ["sku", "kind"]

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(AccountPlan)
class AccountPlanAdmin(admin.ModelAdmin):
    """Which Free Tier an account has, where AWS does not tell it, and when the account was opened."""

    list_display = ["account", "plan", "opened_on", "credits_usd", "told_at"]
    list_filter = ["plan"]
    fields = ["account", "plan", "opened_on", "credits_usd", "ends_at", "told_at", "asked_at", "trouble"]
    readonly_fields = ["credits_usd", "ends_at", "told_at", "asked_at", "trouble"]
    list_select_related = ["account"]

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, *(["account"] if obj else [])]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(admin.ModelAdmin):
    """What a US dollar is in a cohort's own money, as somebody looked it up on a day."""

    list_display = ["currency", "per_usd", "on", "source"]
    list_filter = ["currency"]


@admin.register(PriceList)
class PriceListAdmin(admin.ModelAdmin):
    """`manage.py refresh_prices` writes these."""

    list_display = ["offer", "version", "published_on", "read_at", "new"]

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
