"""What people do that is about money: extend, stop, delete, remind, put off, Lights out. All of it is asked of labs;
nothing is off until it is seen to be.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from costs import budget, forgotten
from costs import lights_out as house
from costs.access import ACT, scopes_of
from costs.dashboard.forgotten import forgotten_in, next_session
from costs.kinds import can_stop, kept_on_stop, lost_on_delete, stop_deletes, title_of
from costs.live import is_going
from costs.models import Scope
from labs import launching
from labs.kinds.base import FAILED, STOPPED
from labs.models import Resource
from labs.views import owner_page

WHY = "left on"
AT_ONCE = 500  # rows of one form


@require_POST
@owner_page
def extend(request, launch):
    """Move a lab's clock, when the budgets have room for it."""
    now = timezone.now()
    try:
        with transaction.atomic():
            budget.hold(launch.scope)
            hours = settings.LAB_EXTENSION / timedelta(hours=1)
            verdict = budget.may_extend(launch, hours, now)
            if verdict.allowed:
                kept = launching.extend(launch, now=now, by=request.user)
                messages.success(request, _("Extended. %(number)s more left.") % {"number": kept.extensions_left})
            else:
                why_not = _("Not extended: it goes off when it would have. %(why)s") % {"why": verdict.reason}
                messages.error(request, why_not)
    except launching.CannotExtend as why:
        messages.error(request, str(why))
    return redirect("labs:panel", launch.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def turn_off(request):
    """Asks what is to happen to these resources, and, once confirmed, asks labs for it.

    act=turn_off stops what can be stopped and deletes the rest; act=delete deletes all. A row's own Stop (`stop`) needs
    no question: it comes back, and its data is kept. What cannot be stopped any more is asked about all the same.
    """
    rows = _rows(request)
    if not rows:
        return _back(request)
    stop = "stop" in request.POST and all(_Row(row).stops for row in rows)
    if request.method != "POST" or not (stop or "confirm" in request.POST):
        shown = [_Row(row) for row in rows]
        milder = sum(one.stops for one in shown)
        facts = {"rows": shown, "stops": milder, "deletes": len(shown) - milder, "now": timezone.now()}
        return render(request, "costs/turn_off.html", facts)
    now = timezone.now()
    stops = [row for row in rows if request.POST.get("act") != "delete" and _Row(row).stops]
    deletes = [row for row in rows if row not in stops]
    launching.ask_to_stop(stops, now=now, by=request.user, why=WHY)
    launching.ask_to_delete(deletes, now=now, by=request.user, why=WHY)
    messages.success(request, _asked(len(stops), len(deletes)))
    return _back(request)


class _Row:
    """A resource as the question shows it."""

    def __init__(self, row: Resource):
        self.row = row
        self.name = row.name or row.aws_id
        self.title = title_of(row.kind)
        self.stops = can_stop(row.kind) and row.seen not in (STOPPED, FAILED)
        self.happens = kept_on_stop(row.kind) if self.stops or stop_deletes(row.kind) else lost_on_delete(row.kind)
        self.lost_on_delete = lost_on_delete(row.kind)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def snooze(request):
    """Asks for how long and why, then puts the findings off."""
    named, now = _rows(request, staff_only=True), timezone.now()
    rows = [row for row in named if not is_going(row)]
    if len(rows) < len(named):
        left = len(named) - len(rows)
        words = ngettext(
            "%(number)s resource not: going off already.", "%(number)s resources not: going off already.", left
        )
        messages.info(request, words % {"number": left})
    if not rows:
        return _back(request)
    sessions = Scope.objects.filter(key__in={row.scope for row in rows})
    session = next_session(sessions, now)
    choices = [("4", _("4 hours"), now + timedelta(hours=4)), ("24", _("1 day"), now + timedelta(hours=24))]
    if session:
        choices.append(("session", _("the next session"), session))
    if request.method == "POST" and "confirm" in request.POST:
        until = {key: at for key, _words, at in choices}.get(request.POST.get("until", ""))
        if until is not None:
            off = forgotten.snooze(rows, until=until, why=request.POST.get("why", ""), now=now, by=request.user)
            words = ngettext(
                "%(number)s resource put off. They cost what they cost meanwhile.",
                "%(number)s resources put off. They cost what they cost meanwhile.",
                len(off),
            )
            messages.success(request, words % {"number": len(off)})
            return _back(request)
        messages.error(request, _("Choose how long."))
    facts = {"rows": [_Row(row) for row in rows], "choices": choices, "now": now}
    return render(request, "costs/snooze.html", facts)


@login_required
@require_POST
def try_again(request):
    """What was asked to go and is blocked is tried now: a row waits up to ten minutes for its turn."""
    rows = _rows(request)
    tried = launching.try_again(rows, now=timezone.now(), by=request.user)
    if tried:
        words = ngettext(
            "Trying %(number)s resource again now. What AWS says to it shows here in seconds.",
            "Trying %(number)s resources again now. What AWS says to it shows here in seconds.",
            len(tried),
        )
        messages.success(request, words % {"number": len(tried)})
    elif rows:
        messages.info(request, _("Nothing stands in its way any more: it is on its way already."))
    launch = rows[0].launch if rows and request.POST.get("back") == "lab" else None
    return redirect("labs:panel", launch.pk) if launch else _back(request)


@login_required
@require_POST
def wake(request):
    forgotten.wake(_rows(request, staff_only=True), now=timezone.now(), by=request.user)
    return _back(request)


@login_required
@require_POST
def remind(request):
    rows = _rows(request, staff_only=True)
    told = forgotten.remind(rows, now=timezone.now(), by=request.user)
    if told:
        words = ngettext(
            "%(number)s resource: the owner gets a mail within minutes.",
            "%(number)s resources: the owner gets a mail within minutes.",
            len(told),
        )
        messages.success(request, words % {"number": len(told)})
    if len(told) < len(rows):
        left = len(rows) - len(told)
        words = ngettext(
            "%(number)s resource not: it is going off already, nobody is known to own it, or the owner was reminded "
            "lately.",
            "%(number)s resources not: it is going off already, nobody is known to own it, or the owner was reminded "
            "lately.",
            left,
        )
        messages.info(request, words % {"number": left})
    return _back(request)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lights_out(request):
    """The list, the scope's name to be typed, and the act. The name is checked here, whatever the button says."""
    may = set(scopes_of(request.user, ACT))
    scopes = list(Scope.objects.filter(key__in=may).order_by("-ends_at", "name"))
    asked_for = request.POST.get("scope") or request.GET.get("scope")
    scope = next((one for one in scopes if one.key == asked_for), None) if asked_for else next(iter(scopes), None)
    if scope is None:
        raise Http404("No such page.")
    now = timezone.now()
    typed, include_in_use = request.POST.get("name", "").strip(), request.POST.get("include_in_use") == "on"
    delete_all = request.POST.get("delete_all") == "on"
    if request.method == "POST" and typed == scope.name:
        night = house.lights_out(scope.key, now, request.user, include_in_use, delete_all=delete_all)
        outs = night.outs
        ended = len(night.labs)
        asked = _going_off(len(outs), ended)
        messages.success(request, asked if outs or ended else _("Nothing was on that Lights out turns off."))
        left = len(house.staying_on(forgotten_in([scope.key], now), now).rows)
        if left:
            words = ngettext(
                "Still costing money: %(number)s resource without a Stop, put off, or stopped with a disk.",
                "Still costing money: %(number)s resources without a Stop, put off, or stopped with a disk.",
                left,
            )
            messages.info(request, words % {"number": left})
        return redirect("costs:went_out", night.record.pk if night.record else 0)
    found = forgotten_in([scope.key], now)
    lights = house.going_out(found, now)
    facts = {
        "scope": scope,
        "scopes": scopes,
        "lights": lights,
        "staying": house.staying_on(found, now),
        "in_use": house.labs_in_use(scope.key, now),
        "include_in_use": include_in_use,
        "delete_all": delete_all,
        "wrong_name": typed if request.method == "POST" else None,
        "saves": sum(one.by_next_usd for one in lights if one.by_next_usd is not None),
        "unpriced": sum(one.by_next_usd is None for one in lights),
        "until": min((one.until for one in lights), default=None),
        "now": now,
    }
    return render(request, "costs/lights_out.html", facts)


def _rows(request, *, staff_only=False) -> list[Resource]:
    """The open resources that the form names (`only`, else every `r`). One that the person may not act on does not
    exist for them; one that is gone meanwhile is left out."""
    named = request.POST if request.method == "POST" else request.GET
    try:
        one = named.getlist("stop") or named.getlist("only")
        ids = {uuid.UUID(pk) for pk in (one or named.getlist("r"))[:AT_ONCE]}
    except ValueError:
        raise Http404("No such resource.") from None
    rows = list(Resource.objects.filter(pk__in=ids).select_related("owner", "account", "launch").order_by("created_at"))
    acts_for = {row.scope: request.user.has_perm(ACT, row.scope) for row in rows}
    denied = [row for row in rows if not acts_for[row.scope] and (staff_only or row.owner_id != request.user.pk)]
    if denied or len(rows) < len(ids) or (staff_only and not scopes_of(request.user, ACT)):
        raise Http404("No such resource.")
    rows = [row for row in rows if row.closed_at is None]
    if not rows:
        messages.info(request, _("Nothing is selected that is still there."))
    return rows


def _back(request):
    """To the page that lists what is left on: staff's, or one's own."""
    return redirect("costs:forgotten" if scopes_of(request.user, ACT) else "costs:mine")


def _asked(stops: int, deletes: int) -> str:
    if stops and deletes:
        words = _("Asked to stop %(stops)s and delete %(deletes)s. Each goes dark here once AWS shows that it is off.")
    elif stops:
        words = _("Asked to stop %(stops)s. Each goes dark here once AWS shows that it is off.")
    else:
        words = _("Asked to delete %(deletes)s. Each goes dark here once AWS shows that it is off.")
    return words % {"stops": stops, "deletes": deletes}


def _going_off(outs: int, ended: int) -> str:
    things = ngettext("%(number)s resource asked to go off.", "%(number)s resources asked to go off.", outs)
    labs = ngettext(
        "%(number)s lab is ended: credentials are revoked first.",
        "%(number)s labs are ended: credentials are revoked first.",
        ended,
    )
    sentences = [
        things % {"number": outs},
        *([labs % {"number": ended}] if ended else []),
        _("Each goes dark here once AWS shows it."),
    ]
    return " ".join(sentences)
