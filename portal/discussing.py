"""Asking, replying, marking an answer, parking for Saturday, announcing. Every way in takes a Standing: what is not of
its cohort, or not released to it, does not exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labs import catalog
from portal import holding, languages, notices
from portal.models import Announcement, Membership, OfCohort, Post, Thread, ThreadSeen, User
from portal.submitting import tidy

LONGEST = 20_000  # characters of a post
MOST, WITHIN = 10, timedelta(minutes=10)
MOST_A_DAY = 100
ASKS, REPLIED = gettext_noop("%(who)s asks: %(title)s"), gettext_noop("%(who)s replied: %(title)s")


class Refused(Exception):
    """It was not posted, and why, in words for whoever wrote it. until: when they may post again, if it is that."""

    def __init__(self, words, until: datetime | None = None):
        super().__init__(words)
        self.until = until


def too_many(posted: list[datetime], now: datetime) -> datetime | None:
    """When whoever posted at these instants may post again; None when they may now. Pure.

    MOST within WITHIN, and MOST_A_DAY within 24 hours.
    """
    waits = []
    for most, within in ((MOST, WITHIN), (MOST_A_DAY, timedelta(days=1))):
        recent = sorted(at for at in posted if at > now - within)
        if len(recent) >= most:
            waits.append(recent[-most] + within)
    return max(waits, default=None)


def _text(body):
    body = tidy(body).strip()
    if not body:
        raise Refused(_("There is nothing written yet."))
    if len(body) > LONGEST:
        raise Refused(
            _("That has %(n)s characters; up to %(most)s fit. Nothing you wrote is lost: shorten it.")
            % {"n": f"{len(body):,}", "most": f"{LONGEST:,}"}
        )
    if trouble := holding.why_not_posted(body, to_class=True):
        raise Refused(trouble)
    return body


def _may_post(author, now):
    # Under a lock of the writer's own row, so that a hundred requests at once do not all find room.
    User.objects.select_for_update().get(pk=author.pk)
    posted = Post.objects.filter(author=author, at__gt=now - timedelta(days=1)).values_list("at", flat=True)
    until = too_many(list(posted[:MOST_A_DAY]), now)
    if until:
        raise Refused(_("You have written a lot in a short time. Nothing you wrote is lost: send it again"), until)


def steps_of(standing, week, now):
    """[(value, words)] of the labs of a week and their steps that exist for the reader: "lab" or "lab/step"."""
    found = []
    for part in standing.labs(now).filter(week=week):
        lab = catalog.catalog().get(part.lab_slug)
        if lab is None:
            continue
        found.append((lab.slug, lab.title))
        found += [(f"{lab.slug}/{step.slug}", _step(lab, n)) for n, step in enumerate(lab.steps, start=1)]
    return found


def _step(lab, n):
    return _("%(lab)s, step %(n)s") % {"lab": lab.title, "n": n}


def ask(standing, week, *, title, body, about="", key, now) -> Thread:
    """A new thread. about: "" or one of steps_of. The same form sent twice is one thread. Raises Refused."""
    title = " ".join(tidy(title).split())
    if not title:
        raise Refused(_("Give the question a title: it is what the others see in the list."))
    if len(title) > 140:
        raise Refused(
            _("The title has %(n)s characters; up to 140 fit. The rest goes into the text.") % {"n": len(title)}
        )
    if about and about not in dict(steps_of(standing, week, now)):
        raise Refused(_("Choose one of these labs and steps."))
    body = _text(body)
    twin = Post.objects.filter(author=standing.user, key=key).select_related("thread").first()
    if twin:
        return twin.thread
    lab_slug, _slash, step = about.partition("/")
    try:
        with transaction.atomic():
            _may_post(standing.user, now)
            thread = Thread.objects.create(
                cohort=standing.cohort,
                week=week,
                lab_slug=lab_slug,
                step=step,
                title=title,
                author=standing.user,
                asked_at=now,
                last_at=now,
            )
            post = Post.objects.create(thread=thread, author=standing.user, at=now, body_md=body, key=key)
            saw(thread, standing.user, post.pk, follows=True)
            _tell(thread, post, _teachers(standing.cohort), ASKS, now)
    except IntegrityError:
        return Post.objects.select_related("thread").get(author=standing.user, key=key).thread
    return thread


def reply(standing, thread, *, body, answers=False, key, now) -> Post:
    """A reply. answers: it is the answer, by those who may say so; it is pinned then. Raises Refused."""
    body = _text(body)
    twin = Post.objects.filter(author=standing.user, key=key).first()
    if twin:
        return twin
    try:
        with transaction.atomic():
            _may_post(standing.user, now)
            kept = Thread.objects.select_for_update().get(pk=thread.pk)
            post = Post.objects.create(thread=kept, author=standing.user, at=now, body_md=body, key=key)
            kept.last_at = now
            if answers and may_mark(standing, kept):
                kept.answer, kept.answered_at = post, now
            kept.save(update_fields=["last_at", "answer", "answered_at"])
            saw(kept, standing.user, post.pk, follows=True)
            # Who left the cohort is told nothing of it any more.
            members = standing.cohort.memberships.values("user")
            follow = kept.seen.filter(follows=True, reader__is_active=True, reader__in=members)
            followers = [seen.reader for seen in follow.select_related("reader")]
            _tell(kept, post, followers, REPLIED, now)
    except IntegrityError:
        return Post.objects.get(author=standing.user, key=key)
    return post


def _teachers(cohort):
    found = Membership.objects.instructors().filter(cohort=cohort, user__is_active=True)
    return [one.user for one in found.select_related("user")]


def _tell(thread, post, people, subject, now):
    address = f"{thread.get_absolute_url()}#p{post.pk}"
    facts = {"who": post.author, "title": thread.title}
    told = (
        (one, f"post-{post.pk}", _in_language_of(one, subject, facts), address)
        for one in people
        if one.pk != post.author_id
    )
    notices.tell_each(told, "school", now=now)


def _in_language_of(person, message, facts):
    with translation.override(languages.of(person)):
        return _(message) % facts


def may_mark(standing, thread):
    """Who says that a question is answered: those who teach, and who asked it."""
    return standing.teaches or thread.author_id == standing.user.pk


@transaction.atomic
def mark_answer(thread, post, *, now):
    """`post` is the answer; None: there is none yet."""
    kept = Thread.objects.select_for_update().get(pk=thread.pk)
    kept.answer, kept.answered_at = post, now if post else None
    kept.save(update_fields=["answer", "answered_at"])


def park(thread, at):
    """On the list for Saturday since `at`; None takes it off."""
    Thread.objects.filter(pk=thread.pk).update(parked_at=at)


def remove(standing, post, *, now):
    """Take a post out of sight, one's own or, for those who teach, anybody's; its first post takes the thread along."""
    with transaction.atomic():
        thread = Thread.objects.select_for_update().get(pk=post.thread_id)
        Post.objects.filter(pk=post.pk, removed_at=None).update(removed_at=now, removed_by=standing.user)
        if thread.posts.order_by("pk").values_list("pk", flat=True).first() == post.pk:
            thread.removed_at = now
        if thread.answer_id == post.pk:
            thread.answer, thread.answered_at = None, None
        thread.save(update_fields=["removed_at", "answer", "answered_at"])


def saw(thread, reader, upto, *, follows=None):
    """The reader has read up to the post `upto`. follows=True or False: whether they are told of new replies."""
    row, _is_new = ThreadSeen.objects.get_or_create(thread=thread, reader=reader)
    row.upto = max(row.upto, upto)
    row.follows = row.follows if follows is None else follows
    row.save(update_fields=["upto", "follows"])


# --- announcements ---------------------------------------------------------------------------------------------


def announce(standing, *, title, body, key, now) -> Announcement:
    """Word to everybody in the cohort: on Today, and by the channels that each chose. Sent twice it is one."""
    title = " ".join(tidy(title).split())
    if not title or len(title) > 140:
        raise Refused(_("Give it a title of 1 to 140 characters: it is the subject of the message."))
    body = _text(body)
    with transaction.atomic():
        made, is_new = Announcement.objects.get_or_create(
            cohort=standing.cohort,
            key=key,
            defaults={"author": standing.user, "at": now, "title": title, "body_md": body},
        )
        if is_new:
            members = Membership.objects.filter(cohort=standing.cohort, user__is_active=True).select_related("user")
            people = [one.user for one in members if one.user_id != standing.user.pk]
            address = f"{reverse('portal:announcements')}?cohort={standing.cohort.slug}"
            told = ((one, f"announcement-{made.pk}", title, address) for one in people)
            notices.tell_each(told, "school", now=now, words=lambda person: body)
    return made


def unread_announcements(standing):
    """Those that the reader has not read, the newest first; of before they joined none. One query."""
    upto = OfCohort.objects.filter(cohort=standing.cohort, reader=standing.user).values("announcements_upto")
    found = Announcement.objects.filter(cohort=standing.cohort).exclude(author=standing.user)
    if standing.membership:
        found = found.filter(at__gte=standing.membership.joined_at)
    return found.exclude(pk__lte=Coalesce(Subquery(upto[:1]), 0)).select_related("author")


def read_announcements(standing):
    """The reader has them all before them."""
    last = Announcement.objects.filter(cohort=standing.cohort).aggregate(last=Max("pk"))["last"]
    if last:
        row, _is_new = OfCohort.objects.get_or_create(cohort=standing.cohort, reader=standing.user)
        OfCohort.objects.filter(pk=row.pk, announcements_upto__lt=last).update(announcements_upto=last)
