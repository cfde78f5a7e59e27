"""What of a version handed in others than its owner may see. Bytes with a credential in them are held back, and so is
what nobody has looked through yet; that something was handed in, and when, is never held back.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import audit
from portal import languages, notices
from portal.filing import Refused
from portal.guard import advice, scanning, wording
from portal.models import Look, Submission, SubmissionFile

WAITS, FOUND, UNREAD = "waits", "found", "unread"
UNSEEN = WAITS  # bytes without a Look
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # the SHA-256 of no bytes
WORDS = {
    WAITS: gettext_lazy("It is being looked through for passwords and keys. That takes a minute at most."),
    FOUND: gettext_lazy(
        "It seems to hold a password or a key, so nobody but its owner sees it until a clean version comes."
    ),
    UNREAD: gettext_lazy("It could not be looked through for passwords and keys, so nobody but its owner sees it."),
}


def _held(look):
    if look is None:
        return UNSEEN
    if look.is_open:
        return ""
    return {Look.State.FOUND: FOUND, Look.State.UNREAD: UNREAD}.get(look.state, WAITS)


def mark(files, submission=None):
    """Give each file (and the version's answer) its `held`: "" when others may see it, else waits, found or unread; and
    its `look`; and the version `anything_held`, the worst of these. Answers the files. One query, none for no bytes.
    """
    files = list(files)
    wanted = {file.sha256 for file in files} | ({submission.answer_sha256} if submission else set())
    looks = Look.objects.in_bulk(wanted - {NOTHING}) if wanted - {NOTHING} else {}
    for file in files:
        file.look = looks.get(file.sha256)
        file.held = _held(file.look)
    if submission:
        submission.look = looks.get(submission.answer_sha256)
        is_empty = submission.answer_sha256 == NOTHING
        submission.held = "" if is_empty else _held(submission.look)
        all_held = {submission.held, *(file.held for file in files)}
        submission.anything_held = next((one for one in (FOUND, UNREAD, WAITS) if one in all_held), "")
    return files


def may_read(user, submission, sha256):
    """Whether this person may have these bytes of the version: its owner always, others when they are not held."""
    if submission.student_id == user.pk:
        return True
    return sha256 == NOTHING or not _held(Look.objects.filter(pk=sha256).first())


@dataclass(frozen=True)
class Place:
    """A credential as its owner is told of it."""

    title: str
    where: str
    ends: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """The answer or a file of a version that is held back, or was and was let through. name: "" for the answer."""

    name: str
    held: str
    look: Look | None
    sha256: str

    @property
    def words(self):
        return WORDS.get(self.held, "")

    @property
    def places(self):
        found = self.look.places if self.look else []
        return [Place(advice.title(one["kind"]), one["where"], one["ends"], advice.steps(one["kind"])) for one in found]

    @property
    def advice(self):
        """How to turn off what was found, each way once: [(titles, steps)]."""
        by_steps = {}
        for place in self.places:
            by_steps.setdefault(place.steps, {})[place.title] = None
        return [(", ".join(titles), steps) for steps, titles in by_steps.items()]


def parts(submission, files):
    """The Parts of a version that are held back, or were found to hold something and let through."""
    mark(files, submission)
    named = [("", submission), *((file.name, file) for file in files)]
    return [
        Part(name, one.held, one.look, submission.answer_sha256 if one is submission else one.sha256)
        for name, one in named
        if one.held or (one.look and one.look.let_through_at)
    ]


@transaction.atomic
def let_through(submission, sha256, *, by, reason, now):
    """An admin says that these bytes hold no credential. Everybody who may see the version sees them from now on.

    Who, when and why stays with the look, and its student is told. Raises Refused without a reason, or when there is
    nothing to let through.
    """
    reason = reason.strip()
    if len(reason) < 3:
        raise Refused(_("Say why it may be seen: your reason stays with it."))
    look = Look.objects.select_for_update(of=("self",)).filter(pk=sha256).first()
    of_it = {submission.answer_sha256, *submission.files.values_list("sha256", flat=True)}
    if look is None or sha256 not in of_it or look.is_open or look.state == Look.State.WAITING:
        raise Refused(_("This is not held back any more."))
    look.let_through_at, look.let_through_by, look.reason = now, by, reason[:500]
    look.save(update_fields=["let_through_at", "let_through_by", "reason"])
    about = {"person": submission.student, "scope": submission.cohort.scope, "thing": submission.number}
    audit.note("held", "let through, with the reason that stays with the look", by=by, now=now, **about)
    with translation.override(languages.of(submission.student)):
        notices.tell(
            submission.student,
            "school",
            f"let-through-{submission.pk}-{sha256[:12]}",
            _("What was held back of %(number)s is seen by your reviewers now") % {"number": submission.number},
            _("%(who)s looked at it. The reason: %(reason)s") % {"who": by, "reason": reason[:500]},
            url=submission.get_absolute_url(),
            now=now,
        )
    return look


def held_versions():
    """Versions of which something is held back now, the newest first: for admins."""
    shut = Look.objects.filter(state__in=[Look.State.FOUND, Look.State.UNREAD], let_through_at=None).values("pk")
    in_files = SubmissionFile.objects.filter(sha256__in=shut).values("submission")
    found = Submission.objects.filter(Q(answer_sha256__in=shut) | Q(pk__in=in_files)).order_by("-received_at")
    return found.select_related("student", "assignment__week", "cohort").defer("answer_md")


def why_not_posted(text, *, to_class=False):
    """Of words that others see at once, and which are no work that has to be received: that there is a credential in
    them, what and where; "" when there is none. to_class: a whole class reads them, else one person."""
    found = scanning.scan(text.encode(), "text.md").findings
    if not found:
        return ""
    found_words = {"what": advice.title(found[0].kind), "where": wording.place(found[0].where)}
    if to_class:
        words = _(
            "Nothing was posted: there seems to be a credential in it (%(what)s, %(where)s), and your whole class "
            "would see it. Take it out; what you wrote is still here. If it is real, turn it off now."
        )
    else:
        words = _(
            "Nothing was posted: there seems to be a credential in it (%(what)s, %(where)s), and another person would "
            "see it. Take it out; what you wrote is still here. If it is real, turn it off now."
        )
    return words % found_words
