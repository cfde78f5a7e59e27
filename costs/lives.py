"""PURE: the life of what was left on. What is known of it, the policy and `now` go in; the next step comes out, with
the instant at which it is due. Nothing is told, stopped or stored here.

    open -> the owner is told -> (nothing happens) -> those who teach are told
                              -> grace -> looked at anew -> stopped -> (days, if the policy says so) -> deleted
    put off with a reason: nothing happens until then, and after that it begins anew
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

ONLY_TELL, GRACE, AT_ONCE = "tell", "grace", "at_once"
LEVELS = {
    ONLY_TELL: gettext_lazy("Only tell"),
    GRACE: gettext_lazy("Tell, and stop after a grace"),
    AT_ONCE: gettext_lazy("Stop at once"),
}
TELL_OWNER, TELL_STAFF, LOOK, STOP, DELETE = "tell the owner", "tell staff", "look", "stop", "delete"

# The owner gets so long before their instructor hears of it.
STAFF_AFTER = timedelta(hours=2)
# CloudWatch is asked hourly, and somebody may have come back to it since: nothing is stopped on older news than this.
FRESH = timedelta(minutes=10)
LOOK_AGAIN = timedelta(minutes=5)
# Nothing is deleted before its owner has known of it for so long.
DELETE_WARNING = timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    """What a cohort does about what was left on. delete_after: of what is stopped and still costs; None: never."""

    level: str = ONLY_TELL
    grace: timedelta = timedelta(hours=2)
    delete_after: timedelta | None = None

    def __str__(self) -> str:
        """In English, as records keep it."""
        with translation.override("en"):
            return self.words

    @property
    def words(self) -> str:
        """The same in the reader's language."""
        told = {
            ONLY_TELL: _("Told at once, never stopped by itself"),
            GRACE: _("Told at once, stopped after %(time)s") % {"time": _long(self.grace)},
            AT_ONCE: _("Stopped as soon as nobody uses it, and told"),
        }[self.level]
        if not self.delete_after:
            return told
        return _("%(told)s; deleted after %(time)s stopped") % {"told": told, "time": _long(self.delete_after)}


@dataclass(frozen=True)
class Left:
    """One thing that was left on, as a life needs it. Instants are aware UTC.

    costs: an hour of it costs something, or nobody knows. is_on: it is a light, and not merely the disk of one that is
    off (is_stopped). unused_since: since when a finding says that nobody uses it; None: none does. can_go: Stop keeps
    what is worth keeping, or Delete loses nothing. in_use_until: its lab is within its time until then, whose clock
    ends it. is_theirs: made by no lab in an account that is somebody's own. news_at: of when the oldest news is
    that its findings stand on; None: not known.
    """

    opened_at: datetime
    costs: bool = True
    is_on: bool = True
    is_stopped: bool = False
    is_going: bool = False
    is_work: bool = False  # a job: it ends by itself, and is never stopped
    is_theirs: bool = False
    has_owner: bool = True
    unused_since: datetime | None = None
    can_go: bool = True
    in_use_until: datetime | None = None
    stopped_since: datetime | None = None
    snoozed_until: datetime | None = None
    owner_asked_at: datetime | None = None
    owner_told_at: datetime | None = None
    staff_asked_at: datetime | None = None
    staff_told_at: datetime | None = None
    look_asked_at: datetime | None = None
    news_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """What to do, and from when on."""

    act: str
    at: datetime


def next_step(left: Left, policy: Policy, now: datetime) -> Step | None:
    """What to do next about it, and when: due when `at` has come. None: nothing by itself."""
    if left.is_going or not left.costs or (left.snoozed_until and left.snoozed_until > now):
        return None
    steps = [step for step in (_tell_owner(left), _tell_staff(left), end_of(left, policy, now)) if step]
    # A person is told before anything is done, also where both are due.
    ending = next((step for step in steps if step.act in (STOP, DELETE)), None)
    telling = [step for step in steps if step is not ending]
    due = [step for step in telling if step.at <= now]
    if due:
        return due[0]
    if ending and ending.at <= now and ending.act == STOP:
        return _look_first(left, now) or ending
    return min(steps, key=lambda step: step.at, default=None)


def end_of(left: Left, policy: Policy, now: datetime) -> Step | None:
    """When and how the policy turns it off, if nobody does anything with it until then. None: it does not."""
    if left.is_going or not left.costs or left.is_work or left.is_theirs:
        return None
    told_at = left.owner_told_at if left.has_owner else left.staff_told_at
    if left.is_stopped:
        if policy.delete_after is None or left.stopped_since is None or left.in_use_until:
            return None
        return Step(
            DELETE, max(left.stopped_since + policy.delete_after, (told_at or now) + DELETE_WARNING, _from(left))
        )
    if policy.level == ONLY_TELL or left.unused_since is None or not left.can_go or left.in_use_until:
        return None
    if policy.level == AT_ONCE:
        return Step(STOP, max(left.unused_since, _from(left)))
    return Step(STOP, max(left.unused_since, told_at or now, _from(left)) + policy.grace)


def why_never(left: Left, policy: Policy) -> str:
    """Why the policy never turns it off, in words for the row; '' where it does, or would once nobody uses it."""
    if left.is_stopped:
        return ""
    if left.is_work:
        return _("It is at work and ends by itself: it is only told of.")
    if left.is_theirs:
        return _("It is in somebody’s own account: it is only told of.")
    if left.in_use_until:
        return ""
    if policy.level != ONLY_TELL and left.unused_since is None:
        return _("We cannot see that nobody uses it, so nothing stops it: its people are only told.")
    if policy.level != ONLY_TELL and not left.can_go:
        return _("It has no Stop that keeps what is on it: it is only told of.")
    return ""


def _from(left: Left) -> datetime:
    """What was put off begins anew when its time has come."""
    return max(left.opened_at, left.snoozed_until or left.opened_at)


def _tell_owner(left: Left) -> Step | None:
    if not left.has_owner or left.owner_asked_at or not (left.is_on or left.is_stopped):
        return None
    return Step(TELL_OWNER, _from(left))


def _tell_staff(left: Left) -> Step | None:
    if left.staff_asked_at or not (left.is_on or not left.has_owner):
        return None
    if not left.has_owner:
        return Step(TELL_STAFF, _from(left))
    # A lab in use has a clock: that its student is slow is no news for who teaches.
    if left.owner_told_at is None or left.in_use_until:
        return None
    return Step(TELL_STAFF, left.owner_told_at + STAFF_AFTER)


def _look_first(left: Left, now: datetime) -> Step | None:
    """Before anything is stopped it is looked at once more, whatever was known an hour ago."""
    asked = left.look_asked_at
    if asked is None or now - asked > FRESH:
        return Step(LOOK, now)
    if left.news_at is None or left.news_at < asked:
        return Step(LOOK, max(now, asked + LOOK_AGAIN))
    return None


def _long(time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds() // 60), 60)
    if hours >= 24 and not hours % 24 and not minutes:
        return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}
    if not hours:
        return _("%(n)s min") % {"n": minutes}
    if not minutes:
        return _("%(n)s h") % {"n": hours}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
