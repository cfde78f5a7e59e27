"""The pages of a running lab. Who may see and act is asked of Django's permissions; the portal answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labs import aws, catalog, certify, checking, launching, ledger, locker, printing, sessions
from labs.models import Launch
from labs.panel import panel
from labs.retelling import retold

LOOKED_AGAIN_AFTER = timedelta(hours=1)
STOP_POLLING = 286  # htmx ends a poll on this answer
# How often a lab's token may be used in a minute, in each web process. The aws command asks at each of its calls.
FETCHES_A_MINUTE = 120


def launch_page(permission):
    """The view gets the launch; for whoever may not, it does not exist."""

    def decorate(view):
        @login_required
        @wraps(view)
        def guarded(request, launch_id, *args, **kwargs):
            launch = Launch.objects.select_related("account", "owner").filter(pk=launch_id).first()
            if launch is None or not request.user.has_perm(permission, launch):
                raise Http404(_("No such lab."))
            return view(request, launch, *args, **kwargs)

        return guarded

    return decorate


def owner_page(view):
    """What only the student does in their lab: staff look at it as it is, and help without doing their work."""

    @launch_page("labs.act_launch")
    @wraps(view)
    def guarded(request, launch, *args, **kwargs):
        if launch.owner_id != request.user.pk:
            raise Http404(_("No such lab."))
        return view(request, launch, *args, **kwargs)

    return guarded


def _note_look(launch, user, now):
    """That somebody else looked into a student's lab is no secret. Once an hour each."""
    lately = launch.events.filter(code="looked", actor=user, at__gt=now - LOOKED_AGAIN_AFTER)
    if launch.owner_id != user.pk and not lately.exists():
        ledger.note("looked", f"{user} looked at this lab", now, launch=launch, account=launch.account, actor=user)


@require_safe
@never_cache
@launch_page("labs.view_launch")
def show(request, launch):
    """The lab page; asked by htmx, only what moves on it. Staff see it without what is the student's to press."""
    if not request.headers.get("HX-Request"):
        _note_look(launch, request.user, timezone.now())
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
    if launch.ended_at is None:
        return render(request, "labs/panel.html", facts)
    return render(request, "labs/finished.html", facts | {"saved_files": locker.files_of(launch)})


@owner_page
def finish(request, launch):
    """Asks once (a page without JavaScript, a dialog with it), then ends the lab."""
    if request.method != "POST":
        shown = panel(launch, timezone.now())
        return render(request, "labs/finish.html", {"panel": shown, "launch": launch, "lab": shown.lab})
    launching.ask_to_delete(launch, now=timezone.now(), by=request.user)
    return redirect("labs:panel", launch.pk)


@require_POST
@owner_page
def stop(request, launch):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    changed = launching.ask_to_stop(launch, now=timezone.now(), by=request.user)
    if not changed:
        messages.info(request, _("Nothing in this lab can be stopped and kept. Finish it to turn it off."))
    return redirect("labs:panel", launch.pk)


@require_POST
@owner_page
def start(request, launch):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    launching.ask_to_start(launch, now=timezone.now(), by=request.user)
    return redirect("labs:panel", launch.pk)


def _too_late(request, launch):
    messages.error(request, _("This lab is over or going off already. Start it again when it is gone."))
    return redirect("labs:panel", launch.pk)


@require_POST
@owner_page
def check(request, launch, step):
    if launch.ended_at or launch.asked_to_end_at:
        return _too_late(request, launch)
    try:
        checking.check_step(launch, step, now=timezone.now(), by=request.user)
    except checking.NoSuchStep:
        raise Http404(_("No such step.")) from None
    response = redirect("labs:panel", launch.pk)
    response["Location"] += f"#step-{step}"
    return response


def secrets_page(view):
    """Only for the lab's owner: staff help without a student's keys. What the page shows is kept nowhere, and a secret
    that is not to be had leads back to the lab with the reason."""

    @require_POST
    @owner_page
    @wraps(view)
    def guarded(request, launch):
        try:
            answer = view(request, launch)
        except (sessions.NoSession, aws.Trouble) as why:
            messages.error(request, _("No credentials this time. %(why)s") % {"why": retold(str(why))})
            return redirect("labs:panel", launch.pk)
        answer["Cache-Control"] = "no-store"
        return answer

    return guarded


@secrets_page
def credentials(request, launch):
    """Temporary credentials, shown on this page once."""
    made = sessions.credentials(launch, request.user, timezone.now())
    facts = {"launch": launch, "lab": catalog.get(launch.lab), "credentials": made}
    return render(request, "labs/credentials.html", facts)


@secrets_page
def token(request, launch):
    """A token for the aws command, shown on this page once; the one before it ends."""
    made = sessions.new_token(launch, request.user, timezone.now())
    address = settings.PUBLIC_URL + reverse("labs:fetch")
    # -f: an answer without credentials in it would be reported as a broken one, not by its number.
    fetch = f'curl -sSf -H "Authorization: Bearer {made}" {address}'
    facts = {"launch": launch, "lab": catalog.get(launch.lab), "config": sessions.config_of(launch, fetch)}
    return render(request, "labs/token.html", facts | {"profile": sessions.PROFILE})


@secrets_page
def console(request, launch):
    """A page with the link to AWS's console. Not a redirect: our policy lets no form lead to another site."""
    issuer = settings.PUBLIC_URL + reverse("labs:panel", args=[launch.pk])
    link = sessions.console_link(launch, request.user, timezone.now(), issuer=issuer)
    return render(request, "labs/console.html", {"launch": launch, "lab": catalog.get(launch.lab), "link": link})


@require_safe
def fetch(request):
    """What a credential_process answers, for whoever shows a lab's token: no session, no cookie."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    now = timezone.now()
    try:
        if scheme.lower() != "bearer" or not token:
            raise sessions.NoSession(_("Show the lab's token: Authorization: Bearer TOKEN."))
        if _is_too_often(sessions.launch_of(token), now):
            answer = JsonResponse({"error": _("Too often: wait a minute.")}, status=429, headers={"Retry-After": "60"})
        else:
            answer = JsonResponse(sessions.fetched(token, now).as_process())
    except sessions.NoSession as why:
        answer = JsonResponse({"error": str(why)}, status=401, headers={"WWW-Authenticate": "Bearer"})
    except aws.Trouble as why:
        answer = JsonResponse({"error": _("AWS gave no credentials: %(why)s") % {"why": why}}, status=503)
    answer["Cache-Control"] = "no-store"
    return answer


def _is_too_often(launch, now):
    key = f"labs.fetch.{launch.pk}.{now:%H%M}"
    cache.add(key, 0, timedelta(minutes=2).total_seconds())
    return cache.incr(key) > FETCHES_A_MINUTE


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
        raise Http404(_("This lab has no certificate yet."))
    facts = {"launch": launch, "proof": certify.in_words(launch.certificate), "lab": catalog.get(launch.lab)}
    return render(request, "labs/certificate.txt", facts | {"started": certify.utc_words(launch.created_at)}).content


def _to_keep(launch, content, content_type, ending):
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="lightsout-{launch.pk}.{ending}"'
    return answer
