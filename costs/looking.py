"""Pages that go from a sum down to what it is made of: a part of the spend, a day, a person, a lab, a close-out."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs.access import VIEW
from costs.charts import shown_days
from costs.dashboard import drill
from costs.dashboard.close_out import close_out as close_out_of
from costs.dashboard.mine import BY_HAND
from costs.guards import money_page, scope_page
from costs.narrowing import NoSuchPart, Part, choices_in
from labs import catalog
from labs.models import Launch, Resource

RESOURCES_A_PAGE = 200


def part(request, scopes):
    """The part of the spend that the address asks for. Where that is of nothing here: all of it, and a word."""
    now = timezone.now()
    choices = choices_in(scopes, now)
    trouble, chosen = "", Part()
    try:
        chosen = choices.part(request.GET)
    except NoSuchPart as why:
        trouble = str(why)
    page = drill.part_page(scopes, chosen, choices, now)
    facts = {
        "page": page,
        "now": now,
        "trouble": trouble,
        "fields": choices.fields(chosen),
        "query": chosen.query(),
        "of_a_day": chosen.of_a_day,
        **shown_days(page.days, page.services, now),
    }
    return render(request, "costs/part.html", facts)


@money_page
def day(request, scopes, day):
    """What one UTC day is made of, or one service's part of it."""
    chosen = _chosen(request, scopes)
    return _day(request, Q(resource__scope__in=scopes), chosen, day)


@require_safe
@never_cache
@login_required
def my_day(request, day):
    """The same of one's own."""
    chosen = Part(service=request.GET.get("service", ""))
    return _day(request, Q(resource__owner=request.user), chosen, day, is_mine=True)


def _day(request, within, chosen, asked, *, is_mine=False):
    page = drill.day_page(within, chosen, date_of(asked))
    shown = Paginator(page.lines, RESOURCES_A_PAGE).get_page(request.GET.get("page"))
    facts = {
        "page": page,
        "shown": shown,
        "lines": drill.of_a_day(shown),
        "part": chosen,
        "query": chosen.query("week"),
        "is_mine": is_mine,
        "now": timezone.now(),
    }
    return render(request, "costs/day.html", facts)


@money_page
def person(request, scopes, who):
    """One person's days and labs, as far as they are of the reader's scopes."""
    now = timezone.now()
    one, rows, spend = _of_person(scopes, who)
    page = drill.person_page(one, rows, spend, now)
    facts = {"page": page, "now": now, "who": who, "of_a_day": f"&person={who}"}
    return render(request, "costs/person.html", facts | shown_days(page.days, page.services, now))


@money_page
def by_hand(request, scopes, who):
    """What one person made in no lab, resource by resource."""
    one, rows, _spend = _of_person(scopes, who)
    found = drill.resources_of(rows.filter(launch=None))
    facts = {"title": _("Made by hand, in no lab"), "person": one, "who": who, "may_see_person": True}
    return render(request, "costs/resources.html", facts | _resources(request, found))


@require_safe
@never_cache
@login_required
def launch(request, launch_id):
    """What one launch cost, resource by resource: its owner's, and of those who may see its scope's spend."""
    found = get_object_or_404(Launch.objects.select_related("owner").defer("certificate"), pk=launch_id)
    may_see = request.user.has_perm(VIEW, found.scope)
    if found.owner_id != request.user.pk and not may_see:
        raise Http404("No such lab.")
    lab = catalog.catalog().get(found.lab)
    facts = {
        "title": lab.title if lab else found.lab,
        "launch": found,
        "person": found.owner,
        "who": found.owner_id,
        "may_see_person": may_see,
    }
    resources = drill.resources_of(Resource.objects.filter(launch=found))
    return render(request, "costs/resources.html", facts | _resources(request, resources))


@scope_page
def close_out(request, scope):
    """What is over, what is kept, and what still stands in the way."""
    now = timezone.now()
    return render(request, "costs/close_out.html", {"page": close_out_of(scope, now), "now": now})


def own_launches(user, group, now):
    """[LabCost] of the lab whose row is open on My costs; none for what was made by hand. Four queries, or none."""
    if not group or group == BY_HAND:
        return []
    return drill.labs_of(Resource.objects.filter(owner=user, launch__lab=group), now)[0]


def _resources(request, found):
    """The sum is of all of them, whatever page of them is shown."""
    return {
        "shown": Paginator(found, RESOURCES_A_PAGE).get_page(request.GET.get("page")),
        "total": drill.total_of(found),
        "unpriced_seconds": sum(one.unpriced_seconds for one in found),
        "now": timezone.now(),
    }


def _of_person(scopes, who):
    found = drill.of_person(scopes, who)
    if found is None:
        raise Http404("Nobody of that name here.")
    return found


def _chosen(request, scopes):
    try:
        return choices_in(scopes, timezone.now()).part(request.GET)
    except NoSuchPart as why:
        raise Http404(str(why)) from None


def date_of(asked: str) -> date:
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        raise Http404("No such day.") from None
    if found == date.max:  # the day after it is none
        raise Http404("No such day.")
    return found


def day_asked(request) -> date | None:
    """The day in the address, as readings are shown of one."""
    asked = request.GET.get("day", "")
    return date_of(asked) if asked else None
