"""The pages of a running lab. Who may see and act is asked of Django's permissions; the portal answers."""

from __future__ import annotations

from datetime import datetime
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labs import aws, catalog, checking, launching, printing, sessions
from labs.models import Launch
from labs.panel import panel

STOP_POLLING = 286  # htmx ends a poll on this answer


def launch_page(permission):
    """The view gets the launch; for whoever may not, it does not exist."""

    def decorate(view):
        @login_required
        @wraps(view)
        def guarded(request, launch_id, *args, **kwargs):
            launch = Launch.objects.select_related("account", "owner").filter(pk=launch_id).first()
            if launch is None or not request.user.has_perm(permission, launch):
                raise Http404("No such lab.")
            return view(request, launch, *args, **kwargs)

        return guarded

    return decorate


@require_safe
@never_cache
@launch_page("labs.view_launch")
def show(request, launch):
    """The lab page; asked by htmx, only what moves on it."""
    shown = panel(launch, timezone.now())
    facts = {
        "panel": shown,
        "launch": launch,
        "lab": shown.lab,
        "is_owner": launch.owner_id == request.user.pk,
        "may_act": request.user.has_perm("labs.act_launch", launch),
    }
    if request.headers.get("HX-Request"):
        over = launch.ended_at is not None
        return render(request, "labs/_live.html", facts | {"as_fragment": True}, status=STOP_POLLING if over else 200)
    return render(request, "labs/finished.html" if launch.ended_at else "labs/panel.html", facts)


@launch_page("labs.act_launch")
def finish(request, launch):
    """Asks once (a page without JavaScript, a dialog with it), then ends the lab."""
    if request.method != "POST":
        shown = panel(launch, timezone.now())
        return render(request, "labs/finish.html", {"panel": shown, "launch": launch, "lab": shown.lab})
    launching.ask_to_delete(launch, now=timezone.now(), by=request.user)
    return redirect("labs:panel", launch.pk)


@require_POST
@launch_page("labs.act_launch")
def stop(request, launch):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    changed = launching.ask_to_stop(launch, now=timezone.now(), by=request.user)
    if not changed:
        messages.info(request, "Nothing in this lab can be stopped and kept. Finish it to turn it off.")
    return redirect("labs:panel", launch.pk)


@require_POST
@launch_page("labs.act_launch")
def start(request, launch):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    launching.ask_to_start(launch, now=timezone.now(), by=request.user)
    return redirect("labs:panel", launch.pk)


def _too_late(request, launch):
    messages.error(request, "This lab is over or going off already. Start it again when it is gone.")
    return redirect("labs:panel", launch.pk)


@require_POST
@launch_page("labs.act_launch")
def check(request, launch, step):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    try:
        checking.check_step(launch, step, now=timezone.now(), by=request.user)
    except checking.NoSuchStep:
        raise Http404("No such step.") from None
    response = redirect("labs:panel", launch.pk)
    response["Location"] += f"#step-{step}"
    return response


@require_POST
@never_cache
@launch_page("labs.act_launch")
def credentials(request, launch):
    """Temporary credentials, shown on this page once. Only the owner gets them: staff help without a student's keys."""
    if launch.owner_id != request.user.pk:
        raise Http404("No such lab.")
    try:
        made = sessions.credentials(launch, request.user, timezone.now())
    except (sessions.NoSession, aws.Trouble) as why:
        messages.error(request, f"No credentials this time. {why}")
        return redirect("labs:panel", launch.pk)
    answer = render(
        request, "labs/credentials.html", {"launch": launch, "lab": catalog.get(launch.lab), "credentials": made}
    )
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
@launch_page("labs.view_launch")
def certificate(request, launch):
    """The certificate of absence as plain text, to keep."""
    return _to_keep(launch, _certificate(request, launch), "text/plain; charset=utf-8", "txt")


@require_safe
@launch_page("labs.view_launch")
def certificate_pdf(request, launch):
    """The same as a PDF, to print or to hand in."""
    text = _certificate(request, launch).decode()
    proved_at = datetime.fromisoformat(launch.certificate["proved_at"])
    pdf = printing.pdf_of(text, title=f"Certificate of absence, {launch.pk}", made_at=proved_at)
    return _to_keep(launch, pdf, "application/pdf", "pdf")


def _certificate(request, launch):
    if not launch.certificate:
        raise Http404("This lab has no certificate yet.")
    return render(request, "labs/certificate.txt", {"launch": launch, "proof": launch.certificate}).content


def _to_keep(launch, content, content_type, ending):
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="lightsout-{launch.pk}.{ending}"'
    return answer
