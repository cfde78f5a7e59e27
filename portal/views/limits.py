"""What a cohort may use of its AWS account: its instructors tick regions and types of machines."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from labs import catalog, guardrails, ledger, stack_template
from labs.limits import LISTS, WORDS, Limits, machines_of
from labs.models import Account
from labs.retelling import retold
from portal import overseeing
from portal.access import teacher_page
from portal.models import LabInWeek
from portal.placing import region_of, shared_account

NONE_TICKED = gettext_lazy("Tick at least one.")
NO_CHOICE = gettext_lazy("%(value)s is not one of these.")


class LimitsForm(forms.Form):
    """choices: {list: what may be ticked}. rules: of the account that the cohort's labs would start in."""

    def __init__(self, *args, choices, rules, region, **kwargs):
        super().__init__(*args, **kwargs)
        self.rules, self.region = rules, region
        for name in LISTS:
            self.fields[name] = forms.MultipleChoiceField(
                choices=[(one, one) for one in choices[name]],
                error_messages={"required": NONE_TICKED, "invalid_choice": NO_CHOICE},
            )

    def clean_regions(self):
        regions = self.cleaned_data["regions"]
        if self.region not in regions:
            words = _("Labs of this cohort start in %(region)s: leave that ticked.")
            raise forms.ValidationError(words % {"region": self.region})
        return regions

    def clean(self):
        """Of each list something is left that the account lets students start. What is ticked whole is no limit."""
        if self.errors:
            return
        chosen = {name: self._narrower(name) for name in LISTS}
        for name, values in chosen.items():
            try:
                Limits.read({name: values}).of(self.rules)
            except ValueError as why:
                self.add_error(name, str(why))
        self.limits = Limits.read(chosen)

    def _narrower(self, name):
        field, ticked = self.fields[name], self.cleaned_data[name]
        return [] if len(ticked) == len(field.choices) else ticked


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def limits(request, standing):
    now, cohort = timezone.now(), standing.cohort
    account = shared_account(cohort)
    rules = account.limits() if account else guardrails.Rules(regions=tuple(settings.LAB_REGIONS))
    labs = _labs_of(cohort)
    choices, region = _choices(cohort, rules, labs), region_of(cohort)
    ticked = {name: getattr(cohort.limits, name) or choices[name] for name in LISTS}
    asked = request.POST if request.method == "POST" else None
    form = LimitsForm(asked, initial=ticked, choices=choices, rules=rules, region=region)
    if request.method == "POST" and form.is_valid():
        cohort.lab_limits = form.limits.as_json()
        cohort.save(update_fields=["lab_limits"])
        with translation.override("en"):  # what the ledger tells is the same for all its readers
            ledger.note("limits", f"{cohort}: {_words(cohort.limits)}", now, account=account, actor=request.user)
        if account is not None:
            overseeing.ask_for_visit(Account.objects.filter(pk=account.pk), now)
        messages.success(request, _("From the next lab on: %(limits)s.") % {"limits": _words(cohort.limits)})
        return redirect("portal:lab_limits", cohort.slug)
    facts = {
        "standing": standing,
        "cohort": cohort,
        "form": form,
        "lists": [_shown(form, name, labs, rules) for name in LISTS],
        "region": region,
        "account": account,
        "said": _words(cohort.limits),
        "refused": _refused(cohort.limits, labs, region),
        **_at_aws(cohort, account),
    }
    return render(request, "portal/lab_limits.html", facts, status=422 if form.errors else 200)


@require_safe
@teacher_page
def template(request, standing):
    """The file of the stack that holds this cohort to its limits, to download."""
    cohort = standing.cohort
    account = shared_account(cohort)
    try:
        rules = account and account.limited_to(cohort.limits)
    except ValueError:
        rules = None
    if rules is None:
        raise Http404(_("This cohort needs no stack of its own."))
    text = stack_template.as_text(stack_template.cohort_template(rules, cohort.scope))
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{_file(cohort)}"'
    return answer


def _labs_of(cohort):
    """The labs of the cohort's course, in its order. One query."""
    slugs = LabInWeek.objects.filter(week__course=cohort.course_id).order_by("week__number", "position", "lab_slug")
    known = catalog.catalog()
    return [known[slug] for slug in dict.fromkeys(slugs.values_list("lab_slug", flat=True)) if slug in known]


def _choices(cohort, rules, labs):
    """{list: what may be ticked}: what the account allows, what labs have the portal start, and what is ticked now."""
    machines = [machines_of(lab) for lab in labs]
    found = {}
    for name in LISTS:
        of_labs = [one for needed in machines for one in needed.get(name, ())]
        found[name] = list(dict.fromkeys([*getattr(rules, name), *of_labs, *getattr(cohort.limits, name)]))
    return found


def _shown(form, name, labs, rules):
    """One list as the page shows it. Each line: (entry, is it ticked, which labs need it, may students start it)."""
    ticked, of_students = form[name].value() or (), getattr(rules, name)
    lines = [
        (one, one in ticked, [lab.title for lab in labs if one in machines_of(lab).get(name, ())], one in of_students)
        for one, _label in form.fields[name].choices
    ]
    return {"name": name, "title": capfirst(WORDS[name]), "lines": lines, "field": form[name]}


def _refused(limits, labs, region):
    """[a lab that does not start, with what it would need]"""
    beyond = [(lab.title, limits.beyond(lab, region)) for lab in labs]
    return [
        f"{title} ({', '.join(one for some in lacks.values() for one in some)})" for title, lacks in beyond if lacks
    ]


def _words(limits):
    """The limits in a line."""
    chosen = limits.as_json()
    parts = [f"{WORDS[name]} {', '.join(values)}" for name, values in chosen.items()]
    return "; ".join(parts) or _("all that is allowed")


def _at_aws(cohort, account):
    """What the page says of the shared account: does AWS hold these limits, and what makes it."""
    if account is None:
        return {"at_aws": "nothing"}
    try:
        rules = account.limited_to(cohort.limits)
    except ValueError as why:
        return {"at_aws": "trouble", "trouble": retold(str(why))}
    held = Limits.read(account.limits_held.get(cohort.scope, {}))
    stack, region = stack_template.cohort_stack(cohort.scope), account.lab_regions[0]
    facts = {"stack": stack, "delete_command": stack_template.delete_command(region, stack)}
    if rules is None:
        return facts | {"at_aws": "left over" if held else "account's"}
    same = all(set(getattr(held, name)) == set(getattr(rules, name)) for name in LISTS)
    return facts | {
        "at_aws": "held" if same else "older" if held else "missing",
        "file": _file(cohort),
        "command": stack_template.deploy_cohort_command(_file(cohort), region, cohort.scope),
        "needs_account_first": (account.template_version or stack_template.VERSION) < stack_template.KNOWS_COHORTS,
    }


def _file(cohort):
    return f"{stack_template.STACK}-limits-{cohort.slug}.yaml"
