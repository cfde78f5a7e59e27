"""Sealing from the page: a few hundred bytes of JSON in, words and instants out (portal/sealing.py)."""

import json
import uuid

from django.http import Http404, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal import casework, sealing, submitting
from portal.access import member_page
from portal.filing import Refused
from portal.templatetags.look import written

MOST = 16 * 1024  # bytes; twenty long names and their hashes have 8


@require_POST
@member_page
def seal(request, number, slug, standing):
    """The body: {"window", "sent", "answer": SHA-256, "files": [{"name", "size", "sha256"}]}."""
    now = timezone.now()
    case_study = casework.assignment_of(standing, number, slug, now) if standing.is_student else None
    if case_study is None:
        raise Http404(_("No such case study."))
    try:
        if int(request.headers.get("Content-Length") or 0) > MOST:
            raise Refused(sealing.NO_LIST)
        document = _read(request.body)
        manifest = sealing.Manifest.read(document, case_study)
        window, sent = uuid.UUID(str(document.get("window"))).hex, int(document.get("sent") or 0)
        draft = submitting.draft_of(case_study, standing.cohort, request.user, now=now)
        sealed = sealing.seal(draft, manifest, window=window, sent=sent, now=now)
    except (Refused, ValueError) as refusal:
        words = str(refusal) if isinstance(refusal, Refused) else _("Nothing was sealed. Reload the page.")
        return JsonResponse({"said": words}, status=422)
    zone = timezone.get_current_timezone()
    at, until = (written(one, "full", zone, now) for one in (sealed.sealed_at, sealing.follow_until(sealed)))
    said = (
        _("Sealed %(at)s. You have handed in exactly this already, so it is received.") % {"at": at}
        if sealed.submission_id
        else _("Sealed %(at)s, not yet received: hand it in, unchanged, by %(until)s, and it counts as on time.")
        % {"at": at, "until": until}
    )
    return JsonResponse({"sealed_at": sealed.sealed_at, "is_received": sealed.submission_id is not None, "said": said})


def _read(body):
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refused(sealing.NO_LIST)
    return document
