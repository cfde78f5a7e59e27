"""What the review desk and a student's feedback page have in common: the work in passages, with what was said of it."""

import uuid

from portal import remarks, workpieces
from portal.models import Reply


def work(request, found, feedback):
    """What a page shows of a version: its parts, one of them in passages with their remarks, and the form that is open.

    feedback: a queryset of the Feedback whose remarks the reader may see. Shared with the student's page.
    """
    parts = workpieces.parts_of(found, request.user)
    part = next((one for one in parts if one.key == request.GET.get("part", "")), parts[0])
    shown = workpieces.passages(found, part)
    placed, counts = remarks.placed(found, parts, part, shown, feedback)
    given = getattr(found, "feedback", None)
    about = {one.remark.feedback_id for one in placed} | ({given.pk} if given else set())
    by_place, replies = {}, {}
    for reply in Reply.objects.filter(feedback__in=about).select_related("author"):
        replies.setdefault(reply.remark_id or (given and reply.feedback_id == given.pk and "talk"), []).append(reply)
    for one in placed:
        by_place.setdefault(one.place, []).append({"placed": one, "replies": replies.get(one.remark.pk, [])})
    rows = [
        {
            "place": one.place,
            "label": one.label,
            "html": workpieces.marked(one, [told["placed"].remark.quote for told in by_place.get(one.place, ())]),
            "remarks": by_place.get(one.place, []),
        }
        for one in shown
    ]
    return {
        "parts": [(one, counts[one.key]) for one in parts],
        "part": part,
        "passages": rows,
        "lost": by_place.get("", []),
        "talk": replies.get("talk", []),
        "open_at": request.GET.get("at", ""),
        "open_remark": request.GET.get("edit", "") or request.GET.get("reply", ""),
        "remark_typed": getattr(request, "remark_typed", ""),
        "key": uuid.uuid4().hex,
    }
