"""The instructor's Friday: the queue of a week, one student's work beside its score, and the release for all."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from portal import access, holding, releasing, reviewing, schedule, submitting
from portal.access import teacher_page
from portal.filing import Refused
from portal.models import CohortWeek, Feedback, Submission
from portal.templatetags.look import written


@require_safe
@login_required
def here(request):
    """The week to review in the asker's cohort: the last one whose case study is due or came in, else the first."""
    standing = access.standing(request)
    if standing is None or not standing.teaches:
        raise Http404("Nothing to review here.")
    now = timezone.now()
    weeks = [told for told in standing.told if told.due_at]
    if not weeks:
        return render(request, "portal/nothing_to_review.html", {"standing": standing})
    open_weeks = [told for told in weeks if schedule.is_released(told.dates, now)]
    return redirect("portal:review_queue", standing.cohort.slug, (open_weeks or weeks[:1])[-1].week.number)


def _told(standing, number):
    return get_object_or_404(
        CohortWeek.objects.select_related("week"), cohort=standing.cohort, week__number=number, due_at__isnull=False
    )


def _desk(request, standing, told, assignment, now):
    """What the queue and the desk have in common."""
    waiting = reviewing.queue(standing.cohort, assignment) if assignment else []
    is_over = schedule.is_late(now, told.due_at)
    groups = [
        ("To review", [one for one in waiting if one.state in ("todo", "draft")]),
        ("Ready", [one for one in waiting if one.state == "ready"]),
        ("Released", [one for one in waiting if one.state == "released"]),
        ("Not handed in" if is_over else "Not yet", [one for one in waiting if one.state == "none"]),
    ]
    return {
        "now": now,
        "standing": standing,
        "told": told,
        "week": told.week,
        "is_over": is_over,
        "weeks": [other for other in standing.told if other.due_at],
        "assignment": assignment,
        "groups": [(label, rows) for label, rows in groups if rows],
        "to_do": len(groups[0][1]),
        "ready": len(groups[1][1]),
        "done": len(groups[1][1]) + len(groups[2][1]),
        "handed_in": sum(one.submission is not None for one in waiting),
        "missing": len(groups[3][1]),
    }


@require_safe
@teacher_page
def queue(request, number, standing):
    told = _told(standing, number)
    assignments = list(told.week.assignments.all())
    chosen = next((one for one in assignments if one.slug == request.GET.get("case")), None)
    context = _desk(request, standing, told, chosen or (assignments or [None])[0], timezone.now())
    return render(request, "portal/review_queue.html", {**context, "assignments": assignments})


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def desk(request, receipt, standing):
    """One version of one student beside its score. A form that meets newer feedback shows both, and saves nothing."""
    now = timezone.now()
    found = get_object_or_404(
        Submission.objects.select_related("assignment__week", "student", "feedback__author"),
        number=receipt,
        cohort=standing.cohort,
    )
    if request.method == "POST":
        return _write(request, standing, found, now)
    return _show(request, standing, found, now)


def _write(request, standing, found, now):
    typed = {
        "comment": submitting.tidy(request.POST.get("comment")),
        "points": {key: request.POST.get(f"points-{key}", "").strip() for key in _keys(found.assignment)},
    }
    try:
        # The last field of the form: without it the end of the comment may be missing too.
        if request.POST.get("whole") != "yes":
            raise Refused("Your connection was cut before everything arrived, so nothing was saved. Send it again.")
        written = reviewing.write(
            found,
            request.user,
            comment=typed["comment"],
            points={key: _number(text) for key, text in typed["points"].items()},
            revision=_number(request.POST.get("revision", "")) or 0,
            ready=request.POST.get("do") == "ready",
            now=now,
        )
    except Refused as refusal:
        return _show(request, standing, found, now, typed=typed, trouble=str(refusal), status=422)
    if written.is_conflict:
        found = Submission.objects.select_related("assignment__week", "student", "feedback__author").get(pk=found.pk)
        return _show(request, standing, found, now, typed=typed, theirs=written.feedback, status=409)
    if written.feedback.state == Feedback.State.RELEASED:
        messages.success(request, f"Corrected. {found.student} sees it as it is now.")
        return redirect("portal:review_desk", standing.cohort.slug, found.number)
    if written.feedback.state == Feedback.State.DRAFT or request.POST.get("do") != "ready":
        messages.success(request, f"Saved. {found.student} sees nothing of it until it is released.")
        return redirect("portal:review_desk", standing.cohort.slug, found.number)
    following = _next_to_review(standing, found)
    if following is None:
        messages.success(request, "That was the last one to review here.")
        address = redirect("portal:review_queue", standing.cohort.slug, found.assignment.week.number)
        address["Location"] += f"?case={found.assignment.slug}"
        return address
    return redirect("portal:review_desk", standing.cohort.slug, following.number)


def _keys(assignment):
    return [line["key"] for line in assignment.rubric] or [""]


def _number(text):
    """A whole number, or None for nothing. Raises Refused for words."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError as wrong:
        raise Refused(f"{text!r} is not a number of points. Give a whole number.") from wrong


def _next_to_review(standing, found):
    """The next student, by name and around the end, whose last version waits."""
    waiting = reviewing.queue(standing.cohort, found.assignment)
    at = next((n for n, one in enumerate(waiting) if one.membership.user_id == found.student_id), 0)
    for one in [*waiting[at + 1 :], *waiting[:at]]:
        if one.state in ("todo", "draft"):
            return one.submission
    return None


def _show(request, standing, found, now, *, typed=None, theirs=None, trouble="", status=200):
    feedback = getattr(found, "feedback", None)
    points = typed["points"] if typed else (feedback.rubric_scores or {"": feedback.score}) if feedback else {}
    rubric = [
        {**line, "choices": range(line["points"] + 1), "given": _shown(points.get(line["key"]))}
        for line in found.assignment.rubric
    ]
    told = _told(standing, found.assignment.week.number)
    versions = Submission.objects.filter(
        assignment=found.assignment, cohort=standing.cohort, student=found.student_id
    ).defer("answer_md")
    return render(
        request,
        "portal/review_desk.html",
        {
            **_desk(request, standing, told, found.assignment, now),
            "submission": found,
            "files": holding.mark(found.files.all(), found),
            "versions": list(versions.order_by("-version")),
            "feedback": feedback,
            "rubric": rubric,
            "score": _shown(points.get("")),
            "comment": typed["comment"] if typed else feedback.comment_md if feedback else "",
            "theirs": theirs,
            "trouble": trouble,
            "earlier": _earlier_feedback(standing, found),
        },
        status=status,
    )


def _shown(points):
    return "" if points is None else str(points)


def _earlier_feedback(standing, found):
    """What this student was told last: on an earlier version or on another case study."""
    return (
        Feedback.objects.filter(submission__cohort=standing.cohort, submission__student=found.student_id)
        .exclude(submission=found.pk)
        .filter(submission__received_at__lt=found.received_at)
        .select_related("submission__assignment")
        .order_by("-submission__received_at")
        .first()
    )


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def release(request, number, standing):
    """What a release would do; then, by POST, doing it for the whole cohort at once."""
    now, told = timezone.now(), _told(standing, number)
    if request.method == "POST":
        done = releasing.release(standing.cohort, told.week, by=request.user, now=now)
        if done is None:
            messages.error(request, "Nothing was ready, so nothing was released.")
            return redirect("portal:release", standing.cohort.slug, number)
        messages.success(request, f"Released to the cohort: feedback on {_count(done.count, 'answer')}.")
        return redirect("portal:review_queue", standing.cohort.slug, number)
    return render(
        request,
        "portal/release.html",
        {
            "now": now,
            "standing": standing,
            "told": told,
            "week": told.week,
            "flight": releasing.preflight(standing.cohort, told.week),
            "is_over": schedule.is_late(now, told.due_at),
            "due": written(told.due_at, "full", ZoneInfo(standing.cohort.zone), now),
            "before": standing.cohort.releases.filter(week=told.week).select_related("by"),
        },
    )


def _count(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"
