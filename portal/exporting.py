"""A course from the database back into files. What is written is read again and compared before it is handed out, so
that nothing can get lost on the way without a word.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from portal import courses
from portal.coursefiles import BrokenCourse, Problem
from portal.courses import MEGABYTE, AssignmentFiles, CourseFiles, LabFiles, MaterialFiles, Place, WeekFiles
from portal.models import Course
from portal.submitting import tidy

NOWHERE = Place("", 0)
BREAKS = set("\r\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Text of several lines as people write it: a block."""


def _text(dumper, value):
    # YAML reads these as ends of lines too, and gives \n back for each, except between double quotes.
    style = '"' if BREAKS & set(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def page(text: str) -> str:
    """A text as the files keep it: one kind of line ends, and one at its end."""
    text = tidy(text).strip()
    return f"{text}\n" if text else ""


def of(course: Course) -> CourseFiles:
    """The course as portal.courses would have read it. Four queries, whatever its size."""
    title, summary = course.title.strip(), course.summary.strip()
    files = CourseFiles(NOWHERE, course.slug, title, summary, page(course.needed_md), page(course.promised_md))
    for week in course.weeks.prefetch_related("materials", "labs", "assignments").order_by("number"):
        there = WeekFiles(NOWHERE, week.number, week.slug, week.title.strip(), week.theory, week.summary_md.strip())
        there.materials = [_material(one) for one in week.materials.all()]
        there.labs = [LabFiles(NOWHERE, one.lab_slug, one.position) for one in week.labs.all()]
        there.assignments = [
            AssignmentFiles(
                place=NOWHERE,
                slug=one.slug,
                title=one.title,
                position=one.position,
                brief_md=page(one.brief_md),
                model_answer_md=page(one.model_answer_md),
                rubric=one.rubric,
                max_points=one.max_points,
                max_files=one.max_files,
                max_bytes=one.max_bytes,
                allowed_types=one.allowed_types,
                is_draft=one.is_draft,
                late_points_a_day=one.late_points_a_day,
            )
            for one in week.assignments.all()
        ]
        files.weeks.append(there)
    return files


def _material(row):
    kept = Path(settings.MEDIA_ROOT) / "courses" / row.file if row.file else None
    return MaterialFiles(
        place=NOWHERE,
        slug=row.slug,
        kind=row.kind,
        title=row.title,
        position=row.position,
        body_md=page(row.body_md),
        url=row.url,
        minutes=row.minutes,
        source=kept,
        sha256=kept.parent.name if kept else "",
        file_bytes=row.file_bytes,
    )


def write(files: CourseFiles, folder: Path) -> None:
    """Lay the course into `folder`. Files there that are no part of it stay. Raises BrokenCourse when it does not come
    back as it was."""
    folder = Path(folder)
    needed = _page(folder, "needed.md", files.needed_md)
    promised = _page(folder, "promised.md", files.promised_md)
    for week in files.weeks:
        _week(folder / week.slug, week)
    _yaml(
        folder / courses.COURSE_FILE,
        {
            "slug": files.slug,
            "title": files.title,
            "summary": files.summary,
            "promised": promised,
            "needed": needed,
            "weeks": [week.slug for week in files.weeks],
        },
    )
    lost = differences(files, courses.read(folder))
    if lost:
        raise BrokenCourse([Problem(courses.COURSE_FILE, 1, what, _("cannot be written into files")) for what in lost])


def _week(folder, week):
    materials = []
    for one in week.materials:
        entry = {"slug": one.slug, "kind": one.kind, "title": one.title, "minutes": one.minutes, "url": one.url}
        entry["page"] = _page(folder, f"{one.slug}.md", one.body_md)
        if one.source:
            entry["file"] = f"files/{one.slug}/{one.source.name}"
            _copy(one.source, folder / entry["file"], one)
        materials.append(_said(entry))
    for one in week.assignments:
        _assignment(folder / one.slug, one)
    _yaml(
        folder / courses.WEEK_FILE,
        {
            "number": week.number,
            "slug": week.slug,
            "title": week.title,
            "theory": week.theory,
            "summary": week.summary_md,
            "materials": materials,
            "labs": [one.lab_slug for one in week.labs],
            "assignments": [one.slug for one in week.assignments],
        },
    )


def _assignment(folder, one):
    _yaml(
        folder / courses.ASSIGNMENT_FILE,
        {
            "slug": one.slug,
            "title": one.title,
            "brief": _page(folder, "brief.md", one.brief_md),
            "model_answer": _page(folder, "model-answer.md", one.model_answer_md),
            "max_points": one.max_points,
            "late_points_a_day": one.late_points_a_day or None,
            "max_files": one.max_files,
            "max_mb": one.max_bytes // MEGABYTE,
            "allowed_types": one.allowed_types,
            "draft": one.is_draft or None,
            "rubric": [_said(line) for line in one.rubric],
        },
    )


def _said(entry):
    """Without what nobody said. A zero is said."""
    return {name: value for name, value in entry.items() if value not in (None, "", [])}


def _yaml(path, entry):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(_said(entry), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    path.write_bytes(text.encode())


def _page(folder, name, text):
    """The name of the Markdown file that was written; None for no text."""
    if not text:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    # A mark at the beginning of a file is the encoding's, so one that is text has another before it.
    (folder / name).write_bytes(("\ufeff" * text.startswith("\ufeff") + text).encode())
    return name


def _copy(source, there, material):
    there.parent.mkdir(parents=True, exist_ok=True)
    try:
        # No link: whoever edits an exported file would edit what students download.
        shutil.copyfile(source, there)
    except FileNotFoundError:
        words = _("its file %(file)s is not on this server any more; upload it again") % {"file": source.name}
        raise BrokenCourse([Problem("", 0, material.title, words)]) from None


def differences(one: CourseFiles, other: CourseFiles) -> list[str]:
    """Where two courses differ, in words; nothing of where they stand in files counts. Pure."""
    here, there = _flat(one), _flat(other)
    return [name for name in here | there if here.get(name) != there.get(name)]


def _flat(files):
    found = {}

    def walk(name, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in ("place", "source", "position"):
                    walk(f"{name} {key}".strip(), inner)
        elif isinstance(value, list):
            found[f"{name} count"] = len(value)
            for n, inner in enumerate(value, start=1):
                walk(f"{name} #{n}", inner)
        else:
            found[name] = value

    walk("", asdict(files))
    return found
