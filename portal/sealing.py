"""Sealing: the hashes of work come before the deadline, its bytes may follow for a day and count as on time.

A few hundred bytes get through where megabytes do not. There is one seal for a draft, and a new one replaces it, so
nobody seals several pieces of work and chooses later. A seal is no receipt: received is what lies on our disk.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import extending, filing, schedule
from portal.filing import Refused
from portal.models import CohortWeek, Draft, Seal, Submission

FOLLOW = timedelta(hours=24)
SHA256 = re.compile(r"[0-9a-f]{64}")
NO_LIST = gettext_lazy("Nothing was sealed: this is not the list of hashes that this page sends. Reload the page.")


def hash_of(answer):
    """The SHA-256, in hex, under which an answer is sealed, received and proved."""
    return hashlib.sha256(answer.encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What a seal says: the hash of the answer and of each file, as {"name", "size", "sha256"}."""

    answer_sha256: str
    files: tuple[dict, ...]

    @classmethod
    def read(cls, document, assignment):
        """From what the browser sent. Raises Refused: not in its form, or of files that would be refused themselves."""
        try:
            answer = document["answer"]
            files = [
                {"name": filing.shown_name(one["name"]), "size": int(one["size"]), "sha256": one["sha256"]}
                for one in document["files"]
            ]
            hashes = [answer, *(one["sha256"] for one in files)]
            is_whole = all(isinstance(one, str) and SHA256.fullmatch(one) for one in hashes)
        except (KeyError, TypeError, ValueError):
            is_whole = False
        if not is_whole:
            raise Refused(NO_LIST)
        if len({one["name"] for one in files}) < len(files):
            raise Refused(_("Nothing was sealed: two files have the same name. Rename one of them."))
        if len(files) > assignment.max_files:
            raise Refused(
                _("Nothing was sealed: this case study takes up to %(n)s files.") % {"n": assignment.max_files}
            )
        for one in files:
            filing.judge_outside(one["name"], one["size"], assignment.allowed_types, assignment.max_bytes)
        if answer == hash_of("") and not files:
            raise Refused(_("There is nothing to seal yet: write an answer or choose a file."))
        return cls(answer, tuple(sorted(files, key=lambda one: one["name"])))


def of(draft):
    """The seal of a draft, or None. Asks nothing when the draft was loaded with it."""
    return getattr(draft, "seal", None) if draft else None


def follow_until(seal):
    """The last instant at which the sealed bytes count as sealed."""
    return seal.sealed_at + FOLLOW


def is_open(seal, now):
    """Whether its bytes may still follow."""
    return seal.submission_id is None and now <= follow_until(seal)


def differences(seal, answer_sha256, files):
    """In which respects this work is not what was sealed: [] when it is, byte for byte. files: StoredFiles."""
    sealed = {one["name"]: one["sha256"] for one in seal.files}
    here = {file.name: file.sha256 for file in files}
    found = [] if answer_sha256 == seal.answer_sha256 else [_("the answer is another")]
    found += [_("%(name)s is not here yet") % {"name": name} for name in sealed if name not in here]
    found += [_("%(name)s was not sealed") % {"name": name} for name in here if name not in sealed]
    others = [name for name in sealed if here.get(name, sealed[name]) != sealed[name]]
    return found + [_("%(name)s is another") % {"name": name} for name in others]


def vouches_for(seal, answer_sha256, files, now):
    """Whether work that is late by itself counts as on time: its hashes came in time, and it is what they say."""
    return now <= follow_until(seal) and not differences(seal, answer_sha256, files)


def deadline_of(draft):
    """When this student's work is due: an aware instant, or None."""
    return Draft.objects.filter(pk=draft.pk).values_list(deadline(), flat=True).get()


def deadline():
    """The same for `drafts.values_list()`."""
    told = CohortWeek.objects.filter(cohort=OuterRef("cohort"), week=OuterRef("assignment__week"))
    return Coalesce(extending.own_deadline_of_draft(), Subquery(told.values("due_at")[:1]))


@transaction.atomic
def seal(draft, manifest, *, window, sent, now):
    """Seal `manifest`, in the place of what was sealed before. Raises Refused after the deadline.

    Sent twice it has one outcome: the same hashes after the deadline are answered with the seal that there is. window
    and sent: as in submitting.save_draft, so that a seal that was held up does not replace a later one of its window.
    """
    kept = Draft.objects.select_for_update().get(pk=draft.pk)
    before = Seal.objects.filter(draft=kept).first()
    if before and window == before.window and sent < before.sent:
        return before
    due_at = deadline_of(draft)
    if due_at is None:
        raise Refused(_("This case study has no deadline, so there is nothing to seal: hand in when you are ready."))
    same = before and (before.answer_sha256, before.files) == (manifest.answer_sha256, [*manifest.files])
    if schedule.is_late(now, due_at):
        if same:
            return before
        raise Refused(
            _("Nothing was sealed: the deadline has passed. Hand in all the same: late work is taken and marked late.")
        )
    found = before or Seal(draft=kept)
    found.sealed_at, found.window, found.sent = now, window, sent
    found.answer_sha256, found.files = manifest.answer_sha256, [*manifest.files]
    found.submission = _received_as(kept, found)
    found.save()
    Draft.objects.filter(pk=kept.pk).update(changes=F("changes") + 1)
    return found


def _received_as(draft, seal):
    """The latest version, if it is what is sealed."""
    latest = (
        Submission.objects.filter(assignment=draft.assignment_id, cohort=draft.cohort_id, student=draft.student_id)
        .prefetch_related("files")
        .order_by("-version")
        .first()
    )
    return latest if latest and not differences(seal, latest.answer_sha256, latest.files.all()) else None
