"""The pages about money. What a person may not see does not exist for them: 404."""

from __future__ import annotations

import math
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs import dashboard, kept, looking, quoting, spending
from costs.access import ACT, VIEW
from costs.charts import colours_of, paint_of
from costs.currency import shared_rate
from costs.dashboard.days import bounds
from costs.dashboard.forgotten import forgotten_in
from costs.forms import CalculatorForm
from costs.guards import money_page, night_page
from costs.kept import Asked
from costs.kinds import title_of
from costs.lights_out import labs_in_use, staying_on
from costs.models import LightsOut, Reading
from costs.narrowing import FIELDS
from costs.pricebook import CONFIDENCE, PriceBook
from costs.saved import saved_in
from costs.workloads import EXAMPLES, WORKLOADS
from labs.models import Resource

READINGS_A_PAGE, SAVED_SHOWN = 200, 200
NAME_ASKED = 100
STOP_POLLING = 286  # htmx ends a poll on this answer


@money_page
def spend(request, scopes):
    """All of it, as it stands now; asked by htmx, only what moves on it. With a choice in the address, a part of it."""
    if any(name in request.GET for name in FIELDS):
        return looking.part(request, scopes)
    now, moves = timezone.now(), bool(request.headers.get("HX-Request"))
    letters, number = request.GET.get("q", "").strip()[:NAME_ASKED], request.GET.get("page", "")
    asked = Asked(
        scopes=tuple(scopes),
        told_to=tuple(sorted(_told_to(request.user, scopes))),
        zone=str(timezone.get_current_timezone()),  # its key, which its name is not for Etc/GMT-7
        number=int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 1,
        letters=letters,
        moves=moves,
        language=translation.get_language(),
    )
    made = kept.page(asked, now, spending.made)
    request.on_now, request.left_on = made.on_now, made.left_on  # the top bar adds up the same
    if moves:
        return HttpResponse(made.main)
    return render(request, "costs/spend.html", {"made": made, "now": now})


def _told_to(user, scopes):
    """Whose alerts they see: those of their scopes; an admin also those of no scope, where nothing else is nobody's."""
    return {*scopes, *([""] if user.has_perm(VIEW, "") else [])}


@money_page
def alerts(request, scopes):
    """What is odd about money: open, and what was lately."""
    now = timezone.now()
    return render(
        request, "costs/alerts.html", {"page": dashboard.alerts_page(_told_to(request.user, scopes), now), "now": now}
    )


@money_page
def forgotten(request, scopes):
    """What is left on; asked by htmx, only what moves on it."""
    now = timezone.now()
    page = dashboard.forgotten_page(scopes, now)
    may_act = {scope for scope in scopes if request.user.has_perm(ACT, scope)}
    told = [scope for scope in page.scopes if scope.key in may_act]
    only = told[0] if len(told) == 1 else None
    facts = {
        "page": page,
        "now": now,
        "may_act": bool(may_act),
        "has_lights_out": bool(told) and any(one.row.scope in may_act for one in page.going_out),
        # The dialog is for one scope; for more, its own page asks which.
        "scope": only,
        "going_out": [one for one in page.going_out if only and one.row.scope == only.key],
        "staying": staying_on([one for one in page.found if only and one.row.scope == only.key], now),
        "in_use_count": sum(one.launch.scope == only.key for one in page.on_purpose) if only else 0,
        "last_out": LightsOut.objects.filter(scope__in=scopes).first(),
    }
    if request.headers.get("HX-Request"):
        return render(request, "costs/_forgotten.html", facts | {"as_fragment": True})
    return render(
        request, "costs/forgotten.html", facts | {"alerts": dashboard.open_alerts(_told_to(request.user, scopes))}
    )


@money_page
def saved(request, scopes):
    """What "saved so far" is made of. One query of its own."""
    found = saved_in(scopes, timezone.now())
    facts = {"saved": found, "shown": found.lines[:SAVED_SHOWN], "now": timezone.now()}
    return render(request, "costs/saved.html", facts)


@night_page
def went_out(request, record):
    """The evidence of one Lights out; asked by htmx, only what still moves on it."""
    now, page = timezone.now(), dashboard.went_out(record)
    facts = {
        "page": page,
        "now": now,
        "staying": staying_on(forgotten_in([record.scope], now), now),
        "in_use": len(labs_in_use(record.scope, now)),
    }
    if request.headers.get("HX-Request"):
        return render(request, "costs/_went_out.html", facts, status=STOP_POLLING if page.is_over else 200)
    return render(request, "costs/went_out.html", facts)


@require_safe
@never_cache
@login_required
def mine(request):
    """A person's own costs; asked by a poll, only what they made by hand and is on."""
    now = timezone.now()
    page = dashboard.my_costs(request.user, now, open_group=request.GET.get("open", ""))
    colours = colours_of([service for service, _ in page.services])
    facts = {
        "page": page,
        "now": now,
        "rate": shared_rate(page.scopes, now),
        "launches": looking.own_launches(request.user, page.open_group, now),
        "legend": [(service, usd, colours[service][0]) for service, usd in page.services],
        "bars": bars_of(page, colours),
        "axis": [(usd, f"{BASELINE - float(usd / top_of(page)) * BAR_HEIGHT:.1f}") for usd in ticks_of(page)],
    }
    # A group that is opened is asked for by htmx too, from the whole page.
    if request.headers.get("HX-Target") == "by-hand":
        status = 200 if page.is_going_off else STOP_POLLING
        return render(request, "costs/_by_hand.html", facts | {"as_fragment": True}, status=status)
    return render(request, "costs/mine.html", facts)


@require_safe
@never_cache
@login_required
def calculator(request):
    """What a workload would cost, from numbers in the address. One query of its own."""
    now, book = timezone.now(), PriceBook.open(["DataTransfer", "EBS", "EC2", "EMR", "SageMaker"])
    form = CalculatorForm(request.GET, regions=book.regions_of("EC2"), types=book.skus_of("EC2", "on-demand-linux"))
    facts = {"form": form, "workloads": WORKLOADS, "chosen": form.chosen, "now": now, "examples": EXAMPLES}
    if form.is_valid():
        region = form.cleaned_data["region"]
        facts["machines"] = quoting.machines(book, form.chosen, region, now)
        try:
            facts["quote"] = quoting.quote(book, form.chosen, form.cleaned_data, region, now)
        except quoting.Unpriced as why:
            form.add_error("type", str(why))
    return render(request, "costs/calculator.html", facts)


@require_safe
@never_cache
@login_required
def readings(request, pk):
    """Every reading of one resource: its owner's, and of those who may see its scope's spend."""
    row = get_object_or_404(Resource.objects.select_related("owner", "launch", "metered"), pk=pk)
    if row.owner_id != request.user.pk and not request.user.has_perm(VIEW, row.scope):
        raise Http404("No such resource.")
    found = Reading.objects.filter(resource=row).select_related("price").order_by("-start", "meter")
    day = looking.day_asked(request)
    if day:
        begins, ends = bounds(day)
        found = found.filter(start__gte=begins, start__lt=ends)
    facts = {
        "day": day,
        "day_usd": found.aggregate(usd=Sum("usd"))["usd"] if day else None,
        "row": row,
        "title": title_of(row.kind),
        "metered": getattr(row, "metered", None),
        "shown": Paginator(found, READINGS_A_PAGE).get_page(request.GET.get("page")),
        "confidence": CONFIDENCE,
        "is_mine": row.owner_id == request.user.pk,
        "not_accrued": [row.facts["not_accrued"]] if row.facts.get("not_accrued") else [],
        "now": timezone.now(),
    }
    return render(request, "costs/readings.html", facts)


def bars_of(page, colours):
    """The day bars as SVG: per day its date, x in % and its parts [(y, height, class)] in px; today's are hatched."""
    most = top_of(page)
    step, drawn = 100 / len(page.days), []
    for number, day in enumerate(page.days):
        top, parts = float(BASELINE), []
        for service, _ in page.services:
            height = float(day.by_service.get(service, 0) / most) * BAR_HEIGHT
            if height:
                top -= height
                parts.append((f"{top:.1f}", f"{height:.1f}", paint_of(colours[service][0])))
        drawn.append(
            {
                "day": day,
                "x": f"{number * step + step * 0.14:.2f}",
                "middle": f"{number * step + step / 2:.2f}",
                "width": f"{step * 0.72:.2f}",
                "parts": parts,
                "cells": [(service, day.by_service.get(service)) for service, _ in page.services],
                "is_today": number == len(page.days) - 1,
                # Today's words are long: the day before it has none.
                "is_named": number == len(page.days) - 1 or (number % 2 == 0 and number < len(page.days) - 2),
            }
        )
    return drawn


BASELINE, BAR_HEIGHT = 220, 190  # px


def ticks_of(page):
    """Where the chart's axis has a line above zero: at most five round amounts (1, 2 or 5 of a power of ten), the last
    at or above the dearest day."""
    most = max((day.total for day in page.days), default=Decimal(0)) or Decimal(1)
    tens = Decimal(10) ** (most.adjusted() - 1)
    step = next(tens * number for number in (2, 5, 10, 20, 50) if tens * number * 5 >= most)
    return [step * number for number in range(1, math.ceil(most / step) + 1)]


def top_of(page):
    return ticks_of(page)[-1]
