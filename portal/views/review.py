"""The instructor's Friday: the queue of a week, one student's work beside its score, and the release for all."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from portal import access, releasing, replying, reviewing, schedule, submitting
from portal.access import teacher_page
from portal.filing import Refused
from portal.models import CohortWeek, Feedback, FeedbackAside, Phrase, Submission
from portal.templatetags.look import written
from portal.views.work import work


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


def told_week(standing, number):
    return get_object_or_404(
        CohortWeek.objects.select_related("week"), cohort=standing.cohort, week__number=number, due_at__isnull=False
    )


def _desk(request, standing, told, assignment, now):
    """What the queue and the desk have in common."""
    waiting = reviewing.queue(standing.cohort, assignment, now) if assignment else []
    is_over = schedule.is_late(now, told.due_at)
    groups = reviewing.in_groups(waiting)
    labels = {**LABELS, "later": _("Own deadline to come"), "none": _("Not handed in") if is_over else _("Not yet")}
    count = {group: len(groups.get(group, ())) for group in reviewing.GROUPS}
    return {
        "now": now,
        "standing": standing,
        "told": told,
        "week": told.week,
        "is_over": is_over,
        "weeks": [other for other in standing.told if other.due_at],
        "assignment": assignment,
        "waiting": waiting,
        "groups": [(labels[group], rows) for group, rows in groups.items()],
        "to_do": count["todo"] + count["again"] + count["late"],
        "ready": count["ready"],
        "done": count["ready"] + count["released"],
        "handed_in": sum(one.submission is not None for one in waiting),
        "missing": count["none"] + (0 if is_over else count["later"]),
        "plan": standing.cohort.planned_releases.filter(week=told.week_id, done_at=None, cancelled_at=None).first(),
    }


LABELS = {
    "todo": gettext_lazy("To do"),
    "again": gettext_lazy("Resubmitted"),
    "late": gettext_lazy("Late"),
    "ready": gettext_lazy("Ready"),
    "released": gettext_lazy("Released"),
}


@require_safe
@teacher_page
def queue(request, number, standing):
    told = told_week(standing, number)
    assignments = list(told.week.assignments.all())
    chosen = next((one for one in assignments if one.slug == request.GET.get("case")), None)
    context = _desk(request, standing, told, chosen or (assignments or [None])[0], timezone.now())
    return render(request, "portal/review_queue.html", {**context, "assignments": assignments})


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def desk(request, receipt, standing):
    """One version of one student beside its score. A form that meets newer feedback shows both, and saves nothing."""
    now = timezone.now()
    found = version_of(standing, receipt)
    if request.method == "POST":
        return _write(request, standing, found, now)
    return desk_page(request, standing, found, now)


def _write(request, standing, found, now):
    """Save what the form carries. By itself (autosave) it answers in JSON, and never touches what students can see."""
    is_auto, do = request.headers.get("X-Requested-With") == "autosave", request.POST.get("do", "save")
    if do == "drop":
        reviewing.let_go(found, request.user)
        return redirect("portal:review_desk", standing.cohort.slug, found.number)
    typed = {
        "comment": submitting.tidy(request.POST.get("comment")),
        "points": {key: request.POST.get(f"points-{key}", "").strip() for key in _keys(found.assignment)},
    }
    try:
        # The last field of the form: without it the end of the comment may be missing too.
        if request.POST.get("whole") != "yes":
            raise Refused(_("Your connection was cut before everything arrived, so nothing was saved. Send it again."))
        if is_auto and _state(found) == Feedback.State.RELEASED:
            raise Refused(_("This feedback is released: what you write is kept when you press the button."))
        if do.startswith("phrase-"):
            typed["comment"] = _with_phrase(typed["comment"], standing, do.partition("-")[2])
        written = reviewing.write(
            found,
            request.user,
            comment=typed["comment"],
            points={key: _number(text) for key, text in typed["points"].items()},
            revision=_number(request.POST.get("revision", "")) or 0,
            ready=do == "ready",
            now=now,
        )
    except Refused as refusal:
        if is_auto:
            return JsonResponse({"said": str(refusal)}, status=422)
        return desk_page(request, standing, found, now, typed=typed, trouble=str(refusal), status=422)
    if written.is_conflict:
        reviewing.keep_aside(found, request.user, comment=typed["comment"], points=typed["points"], now=now)
        if is_auto:
            theirs = _("%(author)s saved this feedback too. Your text is kept: reload to see both.")
            return JsonResponse({"said": theirs % {"author": written.feedback.author}}, status=409)
        found = version_of(standing, found.number)
        return desk_page(request, standing, found, now, typed=typed, theirs=written.feedback, status=409)
    if is_auto:
        at = written.feedback.updated_at.astimezone(timezone.get_current_timezone())
        is_draft = written.feedback.state == Feedback.State.DRAFT
        said = _("Saved %(time)s as a draft.") if is_draft else _("Saved %(time)s and ready.")
        return JsonResponse({"said": said % {"time": f"{at:%H:%M}"}, "revision": written.feedback.revision})
    if written.feedback.state == Feedback.State.RELEASED:
        words = _("Corrected. %(student)s sees it as it is now; what it said before is kept.")
        messages.success(request, words % {"student": found.student})
        return redirect("portal:review_desk", standing.cohort.slug, found.number)
    if written.feedback.state == Feedback.State.DRAFT or do != "ready":
        words = _("Saved. %(student)s sees nothing of it until it is released.")
        messages.success(request, words % {"student": found.student})
        return redirect("portal:review_desk", standing.cohort.slug, found.number)
    following = reviewing.beside(reviewing.queue(standing.cohort, found.assignment, now), found)[2]
    if following is None:
        messages.success(request, _("That was the last one to review here."))
        queue_page = reverse("portal:review_queue", args=[standing.cohort.slug, found.assignment.week.number])
        address = f"{queue_page}?case={found.assignment.slug}"
    else:
        address = reverse("portal:review_desk", args=[standing.cohort.slug, following.number])
    if request.headers.get("X-Requested-With") == "desk":
        # The page has fetched it already: it only needs to know which.
        return JsonResponse({"next": address, "is_desk": following is not None})
    return redirect(address)


def _state(found):
    feedback = getattr(found, "feedback", None)
    return feedback.state if feedback else ""


def _with_phrase(comment, standing, pk):
    """The comment with a phrase of the bank below it. Raises Refused when the phrase is gone."""
    phrase = Phrase.objects.filter(course=standing.cohort.course_id, pk=pk).first() if pk.isdigit() else None
    if phrase is None:
        raise Refused(_("This phrase is not in the bank any more."))
    return f"{comment.rstrip()}\n\n{phrase.text_md}".strip()


def _keys(assignment):
    return [line["key"] for line in assignment.rubric] or [""]


def _number(text):
    """A whole number, or None for nothing. Raises Refused for words."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError as wrong:
        words = _("%(text)s is not a number of points. Give a whole number.")
        raise Refused(words % {"text": repr(text)}) from wrong


def version_of(standing, receipt):
    """A version of the cohort's, with what was written about it."""
    return get_object_or_404(
        Submission.objects.select_related("assignment__week", "student", "feedback__author"),
        number=receipt,
        cohort=standing.cohort,
    )


def desk_page(request, standing, found, now, *, typed=None, theirs=None, trouble="", status=200):
    feedback = getattr(found, "feedback", None)
    aside = FeedbackAside.objects.filter(submission=found, author=request.user).first()
    if aside and typed is None:
        typed, theirs = {"comment": aside.comment_md, "points": aside.points}, theirs or feedback
    points = typed["points"] if typed else (feedback.rubric_scores or {"": feedback.score}) if feedback else {}
    rubric = [
        {**line, "choices": range(line["points"] + 1), "given": _shown(points.get(line["key"]))}
        for line in found.assignment.rubric
    ]
    told = told_week(standing, found.assignment.week.number)
    versions = Submission.objects.filter(
        assignment=found.assignment, cohort=standing.cohort, student=found.student_id
    ).defer("answer_md")
    context = _desk(request, standing, told, found.assignment, now)
    before, after, following = reviewing.beside(context["waiting"], found)
    by_script = request.headers.get("X-Requested-With")
    # What is fetched ahead nobody has looked at yet.
    if feedback and by_script != "ahead":
        replying.saw(feedback, request.user, teaches=True, now=now)
    # By script only what changes is sent; the frame around it stays.
    is_part = by_script in ("desk", "ahead")
    return render(
        request,
        "portal/_review_desk.html" if is_part else "portal/review_desk.html",
        {
            **context,
            **work(request, found, Feedback.objects.all()),
            "submission": found,
            "versions": list(versions.order_by("-version")),
            "feedback": feedback,
            "rubric": rubric,
            "score": _shown(points.get("")),
            "comment": typed["comment"] if typed else feedback.comment_md if feedback else "",
            "theirs": theirs,
            "trouble": trouble,
            "earlier": _earlier_feedback(standing, found),
            "phrases": list(Phrase.objects.filter(course=standing.cohort.course_id)),
            "own": next((one.own for one in context["waiting"] if one.membership.user_id == found.student_id), None),
            "before": before,
            "after": after,
            "following": following,
            "teaches": True,
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
    """What a release would do; then, by POST, doing it for the whole cohort at once, or saying when it is done."""
    now, told = timezone.now(), told_week(standing, number)
    trouble, asks, status, do = "", False, 200, request.POST.get("do", "now")
    if request.method == "POST":
        try:
            if do == "plan":
                return _plan_release(request, standing, told, now)
            if do == "cancel":
                was = releasing.cancel(standing.cohort, told.week, now=now)
                messages.success(
                    request, _("The planned release is taken back.") if was else _("No release was planned.")
                )
                return redirect("portal:release", standing.cohort.slug, number)
            if request.POST.get("seen"):
                return _release_now(request, standing, told, now)
            asks = True
        except releasing.Changed:
            asks, status = True, 409
            trouble = _("What is ready changed while you looked. Look again before you release.")
        except Refused as refusal:
            trouble, status = str(refusal), 422
    zone, plans = ZoneInfo(standing.cohort.zone), standing.cohort.planned_releases.filter(week=told.week)
    at = told.feedback_at if told.feedback_at and told.feedback_at > now else None
    flight = releasing.preflight(standing.cohort, told.week, now)
    if asks and not flight.ready:
        messages.error(request, _("Nothing was ready, so nothing was released."))
        return redirect("portal:release", standing.cohort.slug, number)
    return render(
        request,
        "portal/release.html",
        {
            "now": now,
            "standing": standing,
            "told": told,
            "week": told.week,
            "flight": flight,
            "asks": asks,
            "is_over": schedule.is_late(now, told.due_at),
            "due": written(told.due_at, "full", zone, now),
            "before": standing.cohort.releases.filter(week=told.week).select_related("by"),
            "plan": plans.filter(done_at=None, cancelled_at=None).select_related("by").first(),
            "at": request.POST.get("at") or (at and f"{at.astimezone(zone):%Y-%m-%dT%H:%M}") or "",
            "trouble": trouble,
            "trouble_title": _("Not released.") if status == 409 else _("Not planned."),
        },
        status=status,
    )


def _release_now(request, standing, told, now):
    """Release what was shown when it was asked once more, all of it at once. Raises Changed."""
    done = releasing.release(standing.cohort, told.week, by=request.user, now=now, seen=request.POST["seen"])
    if done is None:
        messages.error(request, _("Nothing was ready, so nothing was released."))
        return redirect("portal:release", standing.cohort.slug, told.week.number)
    messages.success(request, _released(done.count))
    return redirect("portal:review_queue", standing.cohort.slug, told.week.number)


def _plan_release(request, standing, told, now):
    """Plan it for the time of the form, which is the cohort's own. Raises Refused."""
    zone = ZoneInfo(standing.cohort.zone)
    try:
        local = datetime.fromisoformat(request.POST.get("at", "")).replace(tzinfo=None)
        at = schedule.instant(local, zone)
    except (ValueError, OverflowError) as wrong:
        raise Refused(_("That is no date and time. Write it as in 2025-09-20 09:00.")) from wrong
    plan = releasing.plan(standing.cohort, told.week, at=at, by=request.user, now=now)
    when = written(plan.at, "full", zone, now)
    messages.success(request, _("What is ready then is released %(when)s.") % {"when": when})
    return redirect("portal:release", standing.cohort.slug, told.week.number)


def _released(count):
    words = ngettext(
        "Released to the cohort: feedback on %(n)s answer.", "Released to the cohort: feedback on %(n)s answers.", count
    )
    return words % {"n": count}
