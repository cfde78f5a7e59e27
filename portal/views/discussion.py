"""Discussions of a week and of its steps; and announcements. Works without JavaScript; nothing typed is ever lost."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import access, discussing, schedule
from portal.access import member_page, teacher_page
from portal.discussing import Refused
from portal.models import Announcement, Thread, ThreadSeen

A_PAGE = 30


def _key(request):
    """Of the form; another one when it came without."""
    try:
        return uuid.UUID(request.POST.get("key", "")).hex
    except ValueError:
        return uuid.uuid4().hex


def _refused(refused):
    return {"trouble": str(refused), "until": refused.until}, 429 if refused.until else 422


def _week(standing, number, now):
    """Its CohortWeek, released for the reader: students ask nothing about what they may not know yet."""
    told = standing.week(number)
    if not standing.teaches and not schedule.is_released(told.dates, now):
        raise Http404(_("No such week yet."))
    return told


@require_safe
@member_page
def threads(request, number, standing):
    """All questions of a week, the last written to first."""
    now = timezone.now()
    told = _week(standing, number, now)
    of_week = standing.threads(now).filter(week=told.week)
    only, about = request.GET.get("only"), request.GET.get("about", "")
    if about:
        lab_slug, _slash, step = about.partition("/")
        of_week = of_week.filter(lab_slug=lab_slug, **({"step": step} if step else {}))
    if only == "open":
        of_week = of_week.filter(answer=None)
    elif only == "parked":
        of_week = of_week.exclude(parked_at=None)
    found = of_week.with_counts(request.user).select_related("author")
    pages = Paginator(found, A_PAGE)
    pages.count = of_week.count()  # without the counting of replies
    facts = {"now": now, "standing": standing, "told": told, "week": told.week, "only": only}
    facts |= {"about": about, "about_words": dict(discussing.steps_of(standing, told.week, now)).get(about, about)}
    return render(request, "portal/threads.html", facts | {"page": pages.get_page(request.GET.get("page"))})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def ask(request, number, standing):
    now = timezone.now()
    told = _week(standing, number, now)
    facts, status = {"title": "", "body": "", "about": request.GET.get("about", "")}, 200
    if request.method == "POST":
        facts = {name: request.POST.get(name, "") for name in ("title", "body", "about")}
        if request.POST.get("do") != "preview":
            try:
                thread = discussing.ask(standing, told.week, **facts, key=_key(request), now=now)
                return redirect(thread)
            except Refused as refused:
                trouble, status = _refused(refused)
                facts |= trouble
        else:
            facts["preview"] = facts["body"]
    about = discussing.steps_of(standing, told.week, now)
    facts |= {"now": now, "standing": standing, "told": told, "week": told.week, "steps": about}
    return render(
        request, "portal/ask.html", facts | {"key": request.POST.get("key") or uuid.uuid4().hex}, status=status
    )


def _found(request, now, threads, **which):
    """(Thread, the reader's standing in its cohort): a mail leads here, whichever cohort one looks at just now."""
    found = get_object_or_404(threads.select_related("cohort", "week", "author"), removed_at=None, **which)
    standing = access.standing(request, found.cohort.slug)
    if standing is None:
        raise Http404(_("No such thread."))
    _week(standing, found.week.number, now)
    return found, standing


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def thread(request, pk):
    """The question, the pinned answer, the replies oldest first; what is new is marked, and then read."""
    now = timezone.now()
    found, standing = _found(request, now, Thread.objects, pk=pk)
    facts, status = {"body": ""}, 200
    if request.method == "POST":
        facts["body"] = request.POST.get("body", "")
        answers = request.POST.get("answers") == "yes"
        if request.POST.get("do") == "preview":
            facts |= {"preview": facts["body"], "answers": answers}
        else:
            try:
                post = discussing.reply(
                    standing, found, body=facts["body"], answers=answers, key=_key(request), now=now
                )
                return redirect(f"{found.get_absolute_url()}#p{post.pk}")
            except Refused as refused:
                trouble, status = _refused(refused)
                facts |= trouble
    posts = list(found.posts.select_related("author"))
    seen = ThreadSeen.objects.filter(thread=found, reader=request.user).first()
    upto = seen.upto if seen else 0
    quoted = next((one for one in posts if str(one.pk) == request.GET.get("quote") and not one.removed_at), None)
    if quoted and not facts["body"]:
        facts["body"] = "\n".join(f"> {line}" for line in quoted.body_md.splitlines()) + "\n\n"
    teachers = set(standing.cohort.memberships.instructors().values_list("user", flat=True))
    if posts and posts[-1].pk > upto and request.method == "GET":
        discussing.saw(found, request.user, posts[-1].pk)
    others = standing.threads(now).filter(week=found.week_id).exclude(pk=found.pk).with_counts(request.user)
    facts |= {
        "now": now,
        "standing": standing,
        "thread": found,
        "question": posts[0],
        "answer": next((one for one in posts if one.pk == found.answer_id and not one.removed_at), None),
        "replies": [one for one in posts[1:] if one.pk != found.answer_id],
        "reply_count": sum(one.removed_at is None for one in posts[1:]),
        "new": {one.pk for one in posts if one.pk > upto and one.author_id != request.user.pk},
        "teachers": teachers,
        "may_mark": discussing.may_mark(standing, found),
        "follows": bool(seen and seen.follows),
        "read_by": ThreadSeen.objects.filter(thread=found, upto__gt=0).count(),
        "about": dict(discussing.steps_of(standing, found.week, now)).get(
            "/".join(part for part in (found.lab_slug, found.step) if part), ""
        ),
        "others": others[:6],
        "saturday": next(
            (told.session_at for told in standing.told if told.session_at and told.session_at > now), None
        ),
        "key": request.POST.get("key") or uuid.uuid4().hex,
    }
    return render(request, "portal/thread.html", facts, status=status)


@require_POST
@login_required
def mark(request, pk):
    """do: answer (with post), no_answer, park, unpark, follow, unfollow."""
    now, do = timezone.now(), request.POST.get("do")
    found, standing = _found(request, now, Thread.objects, pk=pk)
    if do in ("answer", "no_answer"):
        if not discussing.may_mark(standing, found):
            raise Http404(_("Who asked says what the answer is, or who teaches."))
        post = None
        if do == "answer":
            number = request.POST.get("post", "")
            shown = found.posts.filter(removed_at=None)
            post = get_object_or_404(shown, pk=int(number) if number.isdecimal() and len(number) < 18 else 0)
        discussing.mark_answer(found, post, now=now)
    elif do in ("park", "unpark"):
        if do == "unpark" and not standing.teaches:
            raise Http404(_("Who teaches takes questions off Saturday's list."))
        discussing.park(found, now if do == "park" else None)
        messages.success(request, _("It is on Saturday's list.") if do == "park" else _("It is off Saturday's list."))
    elif do in ("follow", "unfollow"):
        discussing.saw(found, request.user, 0, follows=do == "follow")
        said = _("You are told of new replies.") if do == "follow" else _("You are not told any more.")
        messages.success(request, said)
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request, pk):
    """Asked first; a thread's first post takes the thread along."""
    now = timezone.now()
    found, standing = _found(request, now, Thread.objects, posts=pk)
    posts = found.posts.filter(removed_at=None).select_related("thread__week", "author")
    post = get_object_or_404(posts if standing.teaches else posts.filter(author=request.user), pk=pk)
    is_question = not found.posts.filter(pk__lt=post.pk).exists()
    if request.method == "POST":
        discussing.remove(standing, post, now=now)
        messages.success(request, _("Removed. Nobody sees it any more."))
        return redirect("portal:threads", post.thread.week.number) if is_question else redirect(post.thread)
    facts = {"now": now, "standing": standing, "post": post, "is_question": is_question}
    return render(request, "portal/post_remove.html", facts)


# --- announcements ---------------------------------------------------------------------------------------------


@require_safe
@never_cache
@member_page
def announcements(request, standing):
    """All of them; looking reads them. ?cohort= for who is in several."""
    standing = access.standing(request, request.GET.get("cohort") or standing.cohort.slug)
    if standing is None:
        raise Http404(_("You are not in that cohort."))
    found = Announcement.objects.filter(cohort=standing.cohort).select_related("author").order_by(F("at").desc(), "-pk")
    new = {one.pk for one in discussing.unread_announcements(standing)}
    discussing.read_announcements(standing)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    facts = {"now": timezone.now(), "standing": standing, "page": page, "new": new}
    return render(request, "portal/announcements.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def announce(request, standing):
    facts, status = {"title": "", "body": ""}, 200
    if request.method == "POST":
        facts = {name: request.POST.get(name, "") for name in ("title", "body")}
        if request.POST.get("do") != "preview":
            try:
                discussing.announce(standing, **facts, key=_key(request), now=timezone.now())
                messages.success(request, _("Announced, and everybody is told."))
                return redirect("portal:cohort_page", standing.cohort.slug)
            except Refused as refused:
                trouble, status = _refused(refused)
                facts |= trouble
        else:
            facts["preview"] = facts["body"]
    people = standing.cohort.memberships.students().filter(user__is_active=True).count()
    facts |= {"now": timezone.now(), "standing": standing, "cohort": standing.cohort, "people": people}
    facts["key"] = request.POST.get("key") or uuid.uuid4().hex
    return render(request, "portal/announce.html", facts, status=status)
