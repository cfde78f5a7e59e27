"""A course edited in the browser. Every change goes the way of the files: written, read and judged as a whole, then
laid in one transaction; so what cannot stand in the files cannot be saved here either, and the reasons are the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from django.db import transaction

from portal import courses, exporting, laying
from portal.courses import CourseFiles
from portal.models import Course


class Changed(Exception):
    """Somebody else saved this part meanwhile."""


def part_of(files: CourseFiles, week="", what="", slug=""):
    """The course, one of its weeks, or a part of that ("material" or "assignment"); None when it is not there."""
    if not week:
        return files
    there = next((one for one in files.weeks if one.slug == week), None)
    if there is None or not what:
        return there
    return next((one for one in parts_of(there, what) if one.slug == slug), None)


def parts_of(week, what):
    return week.materials if what == "material" else week.assignments


def fingerprint(part) -> str:
    """Stands for a part's content, without what is inside of a week or course; "" for one that is not there yet."""
    if part is None:
        return ""
    inside = ("place", "source", "weeks", "materials", "assignments")
    facts = {name: value for name, value in asdict(part).items() if name not in inside}
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def save(course: Course, change: Callable[[CourseFiles], None], *, now: datetime, seen=None, where=()) -> list[str]:
    """Let `change` change the course's files, judge and lay them. Answers the changes, a line of words each.

    seen, where: the fingerprint that the form began from, and of which part (as part_of takes it). Raises Changed when
    it is another now, and BrokenCourse with every reason; then nothing is changed.
    """
    with transaction.atomic():
        kept = Course.objects.select_for_update().get(pk=course.pk)
        files = exporting.of(kept)
        if seen is not None and fingerprint(part_of(files, *where)) != seen:
            raise Changed
        change(files)
        with tempfile.TemporaryDirectory() as folder:
            exporting.write(files, Path(folder))
            return laying.lay(courses.read(folder), now=now)
