"""What one person has read of the course, what is new to them, and what they accepted before they began."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db.models import OuterRef, Subquery

from portal import rules_of_use
from portal.models import Material, MaterialSeen, OfCohort

NEW, CHANGED, READ = "new", "changed", "read"


def with_marks(materials, reader):
    """Each with `seen_version`: the version that the reader had before them, None when they never opened it."""
    seen = MaterialSeen.objects.filter(material=OuterRef("pk"), reader=reader)
    return materials.annotate(seen_version=Subquery(seen.values("version")[:1]))


def mark_of(version: str, seen_version: str | None) -> str:
    """NEW, CHANGED or READ. Pure."""
    if seen_version is None:
        return NEW
    return READ if seen_version == version else CHANGED


def look(material: Material, reader, now: datetime) -> str:
    """The reader has it before them now. Answers its mark of before; asks nothing more when they had it already.

    material: of with_marks().
    """
    mark = mark_of(material.version, material.seen_version)
    if mark != READ:
        MaterialSeen.objects.bulk_create(
            [MaterialSeen(material=material, reader_id=reader.pk, version=material.version, at=now)],
            update_conflicts=True,
            unique_fields=["material", "reader"],
            update_fields=["version", "at"],
        )
    return mark


# --- before the course begins ----------------------------------------------------------------------------------


def _sha256(course):
    return hashlib.sha256(course.needed_md.encode()).hexdigest()


def ready(standing) -> dict:
    """{"ready_at", "rules_at"}: when this person said that they have what the course needs, as it is written now, and
    when they accepted the rules of use; None where they have not. Two queries."""
    row = OfCohort.objects.filter(cohort=standing.cohort, reader=standing.user).first()
    is_same = row is not None and row.ready_sha256 == _sha256(standing.cohort.course)
    return {"ready_at": row.ready_at if is_same else None, "rules_at": rules_of_use.accepted_at(standing.user)}


def accept(standing, *, now: datetime) -> None:
    """They have what the course needs, and accept the rules of use. The first time counts, until the text changes."""
    row, _ = OfCohort.objects.get_or_create(cohort=standing.cohort, reader=standing.user)
    sha256 = _sha256(standing.cohort.course)
    if row.ready_at is None or row.ready_sha256 != sha256:
        row.ready_at, row.ready_sha256 = now, sha256
        row.save(update_fields=["ready_at", "ready_sha256"])
    rules_of_use.accept(standing.user, now)


def count_ready(cohort) -> int:
    """How many students of the cohort accepted what is written now. One query."""
    accepted = OfCohort.objects.filter(cohort=cohort, ready_sha256=_sha256(cohort.course), ready_at__isnull=False)
    return accepted.filter(reader__in=cohort.memberships.students().values("user")).count()
