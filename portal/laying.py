"""Laying a course that was read (portal.courses) into the database: all of it in one transaction, or nothing.

Only what differs is written. What is no longer in the files is removed, unless somebody's work depends on it.
"""

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import enrolling
from portal.coursefiles import BrokenCourse, Problem
from portal.models import (
    Assignment,
    Course,
    Feedback,
    LabInWeek,
    Material,
    MaterialEdition,
    MaterialSeen,
    Week,
)

PARTS = (("materials", Material, "slug"), ("labs", LabInWeek, "lab_slug"), ("assignments", Assignment, "slug"))
MOVING = 1000  # weeks that change places stand on numbers from here on for a moment: one number, one week


def lay(files, *, now=None):
    """Make the database say what `files` (portal.courses.CourseFiles) say. Answers the changes, a line of words each.

    Raises BrokenCourse, with nothing changed, when something that people's work depends on is no longer in the files.
    Files for download are copied under their content's hash first; a copy that nothing names does no harm. What a
    material was until `now` (by default this moment) is kept as an edition, with its file.
    """
    for week in files.weeks:
        for material in week.materials:
            if material.source:
                _keep_file(files, material)
    with transaction.atomic():
        laid = _Laying(files, now or timezone.now())
        laid.course()
        if laid.problems:
            raise BrokenCourse(laid.problems)
    return laid.changes


def _kept_path(files, material):
    """Under MEDIA_ROOT/courses/; '' without a file."""
    return f"{files.slug}/{material.sha256}/{material.source.name}" if material.source else ""


def _keep_file(files, material):
    kept = Path(settings.MEDIA_ROOT) / "courses" / _kept_path(files, material)
    if kept.is_file() and kept.stat().st_size == material.file_bytes:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f".{kept.name}.part")
    with open(material.source, "rb") as source, open(part, "wb") as out:
        shutil.copyfileobj(source, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, kept)


class _Laying:
    def __init__(self, files, now):
        self.files, self.now = files, now
        self.changes, self.problems = [], []

    def course(self):
        files = self.files
        course = Course.objects.select_for_update().filter(slug=files.slug).first()
        facts = {name: getattr(files, name) for name in ("title", "summary", "needed_md", "promised_md")}
        course = self._write(course, Course, {"slug": files.slug}, facts, f"course {files.slug}")
        weeks = {week.slug: week for week in course.weeks.prefetch_related("materials", "labs", "assignments")}
        wanted = {week.slug: week for week in files.weeks}
        self._remove_weeks([week for slug, week in weeks.items() if slug not in wanted])
        self._renumber([(weeks[slug], week) for slug, week in wanted.items() if slug in weeks])
        if self.problems:
            return
        added = False
        for week in files.weeks:
            row = weeks.get(week.slug)
            added |= row is None
            self._week(course, row, week)
        if added:
            for cohort in course.cohorts.all():
                enrolling.tell_dates(cohort)

    def _week(self, course, row, week):
        facts = {"number": week.number, "title": week.title, "theory": week.theory, "summary_md": week.summary_md}
        held = {name: list(getattr(row, name).all()) if row else [] for name, _, _ in PARTS}
        row = self._write(row, Week, {"course": course, "slug": week.slug}, facts, f"week {week.slug}")
        for name, model, key in PARTS:
            there = {getattr(part, key): part for part in held[name]}
            wanted = {getattr(part, key): part for part in getattr(week, name)}
            for slug, part in there.items():
                if slug not in wanted:
                    self._remove(part, f"week {week.slug}: {name} {slug}", week.place, name)
            for slug, part in wanted.items():
                words = f"week {week.slug}: {name} {slug}"
                if model is Assignment and slug in there:
                    self._points_still_fit(there[slug], part)
                self._write(there.get(slug), model, {"week": row, key: slug}, self._facts(part), words)

    def _facts(self, part):
        """The fields of the row that `part` becomes, without those that identify it."""
        facts = {k: v for k, v in vars(part).items() if k not in ("place", "slug", "lab_slug", "source", "sha256")}
        if hasattr(part, "source"):
            facts |= {"file": _kept_path(self.files, part), "version": part.version}
        return facts

    def _write(self, row, model, identity, facts, words):
        if row is None:
            self.changes.append(f"{words}: new")
            return model.objects.create(**identity, **facts)
        changed = [name for name, value in facts.items() if getattr(row, name) != value]
        if changed:
            if model is Material and "version" in changed:
                self._keep_edition(row)
            for name in changed:
                setattr(row, name, facts[name])
            row.save(update_fields=changed)
            self.changes.append(f"{words}: changed {', '.join(sorted(changed))}")
        return row

    def _keep_edition(self, row):
        kept = {name: getattr(row, name) for name in ("title", "body_md", "file", "file_bytes", "url")}
        number = row.editions.count() + 1
        MaterialEdition.objects.create(material=row, number=number, replaced_at=self.now, **kept)

    # --- what goes, and what must not ------------------------------------------------------------------------

    def _note(self, place, field, words):
        self.problems.append(Problem(place.file, place.line, field, words))

    def _remove_weeks(self, weeks):
        for week in weeks:
            inside = [part for name, _, _ in PARTS for part in getattr(week, name).all()]
            self._remove(week, f"week {week.slug}", self.files.place, "weeks", inside)

    def _remove(self, row, words, place, field, inside=()):
        holding = [held for one in (row, *inside) for held in _holding(one)]
        if holding:
            said = _(" and ").join(sorted(set(holding)))
            why = _("%(what)s is not in the files any more, but it has %(held)s. Put it back")
            self._note(place, field, why % {"what": words, "held": said})
            return
        row.delete()
        self.changes.append(f"{words}: removed")

    def _renumber(self, pairs):
        moved = [(row, week) for row, week in pairs if row.number != week.number]
        for row, week in moved:
            if row.told.exists():
                words = _("cohorts were told the dates of %(slug)s as week %(number)s; it cannot become another")
                self._note(week.place, "number", words % {"slug": row.slug, "number": row.number})
        if self.problems:
            return
        for row, week in moved:
            Week.objects.filter(pk=row.pk).update(number=MOVING + week.number)

    def _points_still_fit(self, row, files):
        """Feedback that was given must fit into the new rubric."""
        if row.rubric == files.rubric and row.max_points == files.max_points:
            return
        most = {line["key"]: line["points"] for line in files.rubric}
        given = list(Feedback.objects.filter(submission__assignment=row).values_list("rubric_scores", "score"))
        lost = {key for scores, _ in given for key, points in scores.items() if (points or 0) > most.get(key, -1)}
        if lost:
            words = _("feedback was given with points for %(lines)s: keep these lines, with as many points")
            self._note(files.place, "rubric", words % {"lines": ", ".join(sorted(lost))})
        highest = max((score for scores, score in given if not scores and score is not None), default=0)
        if highest > files.max_points:
            words = _("feedback was given with %(points)s points, more than these")
            self._note(files.place, "max_points", words % {"points": highest})


def _holding(row):
    """What depends on a row, in words with counts: everything that points at it except the course's own parts."""
    own = {Material, LabInWeek, Assignment, Week, MaterialEdition, MaterialSeen}
    found = []
    for relation in row._meta.related_objects:
        if relation.related_model in own:
            continue
        count = relation.related_model._base_manager.filter(**{relation.field.name: row}).count()
        if count:
            meta = relation.related_model._meta
            found.append(f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}")
    return found
