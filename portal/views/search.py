"""Search in the course. It knows what its reader may know, and nothing more."""

from django.db.models import Q
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import schedule
from portal.access import member_page

MOST = 50


@require_safe
@member_page
def search(request, standing):
    now = timezone.now()
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = results(standing, words, now) if words else []
    return render(
        request,
        "portal/search.html",
        {"now": now, "standing": standing, "q": words, "found": found[:MOST], "more": len(found) > MOST},
    )


def results(standing, words, at):
    """Materials and case studies that hold every word, titles before texts, in order of weeks. Two queries.

    Each is {"thing", "kind", "is_preview"}; at most MOST + 1 are looked at of each.
    """
    unreleased = {told.week_id for told in standing.told if not schedule.is_released(told.dates, at)}
    found = []
    for things, text in ((standing.materials(at), "body_md"), (standing.assignments(at), "brief_md")):
        for word in words.split():
            things = things.filter(Q(title__icontains=word) | Q(**{f"{text}__icontains": word}))
        for thing in things.select_related("week").order_by("week__number", "position")[: MOST + 1]:
            kind = thing.get_kind_display() if hasattr(thing, "kind") else _("Case study")
            found.append({"thing": thing, "kind": kind, "is_preview": thing.week_id in unreleased})
    in_title = words.lower().split()
    return sorted(
        found,
        key=lambda one: (
            not all(word in one["thing"].title.lower() for word in in_title),
            one["thing"].week.number,
        ),
    )
