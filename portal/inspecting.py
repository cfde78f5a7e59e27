"""The guard's rounds: what was handed in is looked through, and whoever has to be told is told.

The row is the queue: a version without an Inspection is due, and so are the bytes of a draft's file without a Look, so
that students hear of a key before they hand it in. Until then others see nothing of it (portal/holding.py).
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal import filing, holding, languages, notices
from portal.guard import apart, redacting, wording
from portal.guard.redacting import Verdict
from portal.models import DraftFile, Inspection, Look, Submission, User

log = logging.getLogger(__name__)

A_ROUND = 20  # versions, and files of drafts
EACH, WHOLE = 30.0, 75.0  # seconds for one file and for a round; a task has 100
CLAIM = timedelta(minutes=3)  # after that whoever looked is taken for dead


def inspect_due(now, *, most=A_ROUND):
    """One round, of at most so many versions. Answers how many were concluded."""
    due = list(
        Submission.objects.filter(inspection=None)
        .select_related("student", "assignment", "cohort")
        .prefetch_related("files")
        .order_by("pk")[:most]
    )
    drafts = DraftFile.objects.filter(~Exists(Look.objects.filter(pk=OuterRef("sha256")))).order_by("pk")[:most]
    jobs = {}
    for submission in due:
        jobs |= {submission.answer_sha256: apart.Job("answer.md", text=submission.answer_md)}
        jobs |= {file.sha256: _job(file) for file in submission.files.all()}
    jobs |= {file.sha256: _job(file) for file in drafts}
    jobs.pop(holding.NOTHING, None)
    if jobs:
        _look(jobs, now)
    return sum(_conclude(submission, now) for submission in due)


def _job(file):
    try:
        return apart.Job(file.name, path=str(filing.on_disk(file.path)))
    except filing.Refused:
        return apart.Job(file.name, path="/nowhere")


def _look(jobs, now):
    """Look through those of {sha256: Job} that nobody has looked through, and no other worker looks through now."""
    known = Look.objects.in_bulk(jobs)
    Look.objects.bulk_create([Look(pk=sha) for sha in jobs if sha not in known], ignore_conflicts=True)
    is_free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    mine = {}
    for sha, job in jobs.items():
        if sha in known and known[sha].state != Look.State.WAITING:
            continue
        if Look.objects.filter(is_free, pk=sha, state=Look.State.WAITING).update(claimed_at=now):
            mine[id(job)] = sha
    found = apart.look_through([job for job in jobs.values() if id(job) in mine], each=EACH, whole=WHOLE)
    for job, report in found:
        state = Look.State.FOUND if report.findings else Look.State.UNREAD if report.trouble else Look.State.CLEAN
        Look.objects.filter(pk=mine.pop(id(job))).update(
            state=state,
            findings=[vars(one) for one in report.findings],
            trouble=list(report.trouble),
            looked_at=now,
        )
    Look.objects.filter(pk__in=mine.values(), state=Look.State.WAITING).update(claimed_at=None)


@transaction.atomic
def _conclude(submission, now):
    """Once all of a version was looked through: tell of what is held, or see whether it is a clean copy. Answers how
    many versions were concluded: 0 or 1."""
    files = holding.mark(submission.files.all(), submission)
    held = [(name, one) for name, one in [("", submission), *((f.name, f) for f in files)] if one.held]
    if any(one.held == holding.WAITS for _name, one in held):
        return 0
    on_time_as = clean_copy_of(submission) if not held and submission.is_late else None
    _inspection, is_new = Inspection.objects.get_or_create(
        submission=submission, defaults={"at": now, "is_held": bool(held), "on_time_as": on_time_as}
    )
    if not is_new:
        return 0
    if held:
        _tell(submission, held, now)
    if on_time_as:
        # The one thing of a version that is written later, and why stands beside it.
        Submission.objects.filter(pk=submission.pk).update(is_late=False, after_model_answer=False)
        with translation.override(languages.of(submission.student)):
            words = _("It is version %(version)s without the credentials in it, and that one came before the deadline.")
            notices.tell(
                submission.student,
                "school",
                f"on-time-{submission.pk}",
                _("%(number)s counts as on time") % {"number": submission.number},
                words % {"version": on_time_as.version},
                url=submission.get_absolute_url(),
                now=now,
            )
    return 1


def _tell(submission, held, now):
    """Its student, and the admins: each in their own language."""
    page = reverse("portal:held", args=[submission.number])
    is_found = any(one.held == holding.FOUND for _name, one in held)
    with translation.override(languages.of(submission.student)):
        facts = _facts(submission, held)
        if is_found:
            title = _("A password or key was found in what you handed in: %(names)s")
            words = _(
                "%(number)s is received, and its time stands. %(places)s\nTurn the credential off now, then hand in a "
                "version without it. Until then nobody but you sees it."
            )
        else:
            title = _("We could not look through what you handed in: %(names)s")
            words = _(
                "%(number)s is received, and its time stands. Nobody but you sees these parts until an admin has "
                "looked, or another version comes."
            )
        key = f"held-{submission.pk}"
        notices.tell(
            submission.student, "school", key, title % facts, words % facts, url=page, now=now, is_urgent=is_found
        )
    for admin in User.objects.filter(is_staff=True, is_active=True):
        with translation.override(languages.of(admin)):
            facts = _facts(submission, held)
            if is_found:
                title = _("A password or key was found in what %(student)s handed in: %(names)s")
            else:
                title = _("We could not look through what %(student)s handed in: %(names)s")
            words = _(
                "%(number)s, %(title)s, %(cohort)s. It is held back from everybody but its student, who was told. "
                "%(places)s"
            )
            notices.tell(admin, "teaching", key, title % facts, words % facts, url=page, now=now)


def _facts(submission, held):
    """Of what is held, in the active language: names of its parts, and the places of what was found."""
    named = [(name or _("the answer"), part) for name, part in held]
    found = [(name, one) for name, part in named if part.look for one in part.look.findings[:10]]
    return {
        "number": submission.number,
        "student": submission.student,
        "title": submission.assignment.title,
        "cohort": submission.cohort.name,
        "names": ", ".join(name for name, _part in named),
        "places": "\n".join(f"{name}: {wording.place(one['where'])}" for name, one in found),
    }


def clean_copy_of(submission):
    """The held version of before the deadline that this late one is, without its credentials; None when it is not."""
    before = (
        Submission.objects.filter(
            assignment=submission.assignment_id,
            cohort=submission.cohort_id,
            student=submission.student_id,
            version__lt=submission.version,
            is_late=False,
        )
        .prefetch_related("files")
        .order_by("-version")
        .first()
    )
    if before is None:
        return None
    files = holding.mark(before.files.all(), before)
    if not any(look and look.state == Look.State.FOUND for look in (before.look, *(file.look for file in files))):
        return None
    return before if same_but_redacted(before, submission) is Verdict.SAME else None


def same_but_redacted(before, after):
    """The Verdict on two versions: the answer, and each file by its name."""
    old = {"": (before.answer_sha256, before), **{file.name: (file.sha256, file) for file in before.files.all()}}
    new = {"": (after.answer_sha256, after), **{file.name: (file.sha256, file) for file in after.files.all()}}
    verdicts = set()
    for name in [*old, *(name for name in new if name not in old)]:
        (one, held), (other, came) = old.get(name, ("", None)), new.get(name, ("", None))
        if one != other:
            verdicts.add(redacting.compared(_bytes(held), _bytes(came), name or "answer.md"))
    for verdict in (Verdict.OTHER, Verdict.CANNOT_TELL):
        if verdict in verdicts:
            return verdict
    return Verdict.SAME


def _bytes(part):
    if part is None:
        return None
    if isinstance(part, Submission):
        return part.answer_md.encode()
    try:
        return filing.on_disk(part.path).read_bytes()
    except (OSError, filing.Refused):
        log.warning("the bytes of %s are not on our disk", part.path)
        return None
