"""A course from files to the database: read and judged as a whole, then laid in one transaction or not at all.

Reading the same files twice changes nothing, not one row. What disappeared from the files is removed, unless people's
work depends on it; then nothing is changed and the author is told what depends on it.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from labs import catalog
from portal import filing, schedule
from portal.coursefiles import FILE_NAME, KEY, BrokenCourse, CourseFolder
from portal.models import Material
from portal.models.course import default_types

COURSE_FILE, WEEK_FILE, ASSIGNMENT_FILE = "course.yaml", "week.yaml", "assignment.yaml"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Place:
    """Where in the files something stands, for a problem that is found later."""

    file: str
    line: int


@dataclass
class MaterialFiles:
    place: Place
    slug: str
    kind: str
    title: str
    position: int
    body_md: str = ""
    url: str = ""
    minutes: int | None = None
    source: Path | None = None
    sha256: str = ""
    file_bytes: int = 0

    @property
    def kind_words(self):
        """What people call its kind, within a line."""
        return str(dict(Material.Kind.choices).get(self.kind, self.kind)).lower()

    @property
    def version(self):
        """SHA-256 over everything that a reader sees of it."""
        seen = [self.kind, self.title, self.body_md, self.url, self.minutes, self.source and self.source.name]
        return hashlib.sha256(json.dumps([*seen, self.sha256]).encode()).hexdigest()


@dataclass
class LabFiles:
    place: Place
    lab_slug: str
    position: int


@dataclass
class AssignmentFiles:
    place: Place
    slug: str
    title: str
    position: int
    brief_md: str
    model_answer_md: str
    rubric: list
    max_points: int
    max_files: int
    max_bytes: int
    allowed_types: list
    late_points_a_day: int
    is_draft: bool


@dataclass
class WeekFiles:
    place: Place
    number: int
    slug: str
    title: str
    theory: str
    summary_md: str
    materials: list[MaterialFiles] = field(default_factory=list)
    labs: list[LabFiles] = field(default_factory=list)
    assignments: list[AssignmentFiles] = field(default_factory=list)


@dataclass
class CourseFiles:
    place: Place
    slug: str
    title: str
    summary: str
    needed_md: str
    promised_md: str
    weeks: list[WeekFiles] = field(default_factory=list)


def read(root) -> CourseFiles:
    """The course that the folder `root` holds. Raises BrokenCourse with everything that is wrong in it."""
    folder = CourseFolder(root)
    fields = folder.open(COURSE_FILE)
    course = _course(folder, fields) if fields else None
    if folder.problems:
        raise BrokenCourse(folder.problems)
    return course


def _course(folder, fields):
    course = CourseFiles(
        place=Place(COURSE_FILE, fields.line),
        slug=fields.ask("slug", lambda v: v.slug(), ""),
        title=fields.ask("title", lambda v: v.text(200), ""),
        summary=fields.may("summary", lambda v: v.text(2000), ""),
        needed_md=fields.may("needed", lambda v: v.page(), ""),
        promised_md=fields.may("promised", lambda v: v.page(), ""),
    )
    entries = fields.ask("weeks", lambda v: v.items(), [])
    fields.end()
    if not entries and "weeks" in fields.found:
        fields.wrong("weeks", _("names no week"))
    numbers, slugs, folders = {}, {}, {}
    for entry in entries:
        there = entry.path(is_folder=True)
        if there is None or _is_twice(entry, there, folders, _("this folder")):
            continue
        inside = there.relative_to(folder.root).as_posix()
        week_fields = folder.open(f"{inside}/{WEEK_FILE}")
        if week_fields:
            week = _week(folder, week_fields)
            course.weeks.append(week)
            for name, value, known in (("number", week.number, numbers), ("slug", week.slug, slugs)):
                if value not in ("", None):
                    _is_twice(
                        week_fields.get(name),
                        value,
                        known,
                        _("the %(field)s %(value)s") % {"field": name, "value": value},
                    )
    return course


def _week(folder, fields):
    week = WeekFiles(
        place=Place(fields.value.file, fields.line),
        number=fields.ask("number", lambda v: v.whole(0, schedule.OPTIONAL)),
        slug=fields.ask("slug", lambda v: v.slug(), ""),
        title=fields.ask("title", lambda v: v.text(200), ""),
        theory=fields.may("theory", lambda v: v.text(300), ""),
        summary_md=fields.may("summary", lambda v: v.text(5000), ""),
    )
    materials = fields.may("materials", lambda v: v.items(), [])
    labs = fields.may("labs", lambda v: v.items(), [])
    assignments = fields.may("assignments", lambda v: v.items(), [])
    fields.end()
    slugs = {}
    for position, entry in enumerate(materials, start=1):
        inner = entry.fields()
        if inner:
            week.materials.append(_material(inner, position, slugs))
    lab_slugs = {}
    for position, entry in enumerate(labs, start=1):
        slug = entry.one_of(catalog.catalog())
        if slug is not None and not _is_twice(entry, slug, lab_slugs, _("the lab %(slug)s") % {"slug": slug}):
            week.labs.append(LabFiles(Place(entry.file, entry.line), slug, position))
    if assignments and week.number in (schedule.ONBOARDING, schedule.OPTIONAL):
        fields.wrong(
            "assignments", _("week %(week)s has no deadline, so it takes no case study") % {"week": week.number}
        )
    folders, assignment_slugs = {}, {}
    for position, entry in enumerate(assignments, start=1):
        there = entry.path(is_folder=True)
        if there is None or _is_twice(entry, there, folders, _("this folder")):
            continue
        inner = folder.open(f"{there.relative_to(folder.root).as_posix()}/{ASSIGNMENT_FILE}")
        if inner:
            week.assignments.append(_assignment(inner, position, assignment_slugs))
    return week


def _material(fields, position, slugs):
    material = MaterialFiles(
        place=Place(fields.value.file, fields.line),
        slug=fields.ask("slug", lambda v: v.slug(), ""),
        kind=fields.ask("kind", lambda v: v.one_of(Material.Kind.values), ""),
        title=fields.ask("title", lambda v: v.text(200), ""),
        position=position,
        body_md=fields.may("page", lambda v: v.page(), ""),
        url=fields.may("url", lambda v: v.address(), ""),
        minutes=fields.may("minutes", lambda v: v.whole(1, 600)),
        source=fields.may("file", _handed_out),
    )
    if material.slug:
        _is_twice(fields.get("slug"), material.slug, slugs, _("the slug %(slug)s") % {"slug": material.slug})
    has = {name for name in ("page", "url", "file") if name in fields.found}
    elsewhere = (Material.Kind.LINK, Material.Kind.VIDEO)
    if material.kind in elsewhere and has != {"url"}:
        fields.wrong("url", _("a %(kind)s has a url, and neither page nor file") % {"kind": material.kind})
    elif material.kind and material.kind not in elsewhere and (not has or "url" in has):
        words = _("a material of kind %(kind)s has a page, a file, or both, and no url")
        fields.wrong("page", words % {"kind": material.kind})
    if material.source:
        content = material.source.read_bytes()
        material.sha256, material.file_bytes = hashlib.sha256(content).hexdigest(), len(content)
    fields.end()
    return material


def _handed_out(value):
    there = value.path()
    if there is not None and not FILE_NAME.fullmatch(there.name):
        words = _("%(file)s is no name for a download: use letters, digits, dots, hyphens, at most 100")
        value.wrong(words % {"file": repr(there.name)})
        return None
    return there


def _assignment(fields, position, slugs):
    assignment = AssignmentFiles(
        place=Place(fields.value.file, fields.line),
        slug=fields.ask("slug", lambda v: v.slug(), ""),
        title=fields.ask("title", lambda v: v.text(200), ""),
        position=position,
        brief_md=fields.ask("brief", lambda v: v.page(), ""),
        model_answer_md=fields.may("model_answer", lambda v: v.page(), ""),
        rubric=[],
        max_points=fields.may("max_points", lambda v: v.whole(1, 1000), 20),
        max_files=fields.may("max_files", lambda v: v.whole(0, 20), 5),
        max_bytes=fields.may("max_mb", lambda v: v.whole(1, 200), 20) * MEGABYTE,
        allowed_types=fields.may("allowed_types", _file_types, default_types()),
        late_points_a_day=fields.may("late_points_a_day", lambda v: v.whole(0, 1000), 0),
        is_draft=fields.may("draft", lambda v: v.flag(), False),
    )
    if assignment.slug:
        _is_twice(fields.get("slug"), assignment.slug, slugs, _("the slug %(slug)s") % {"slug": assignment.slug})
    entries = fields.may("rubric", lambda v: v.items(), [])
    keys = {}
    for entry in entries:
        inner = entry.fields()
        if inner:
            assignment.rubric.append(_rubric_line(inner, keys))
    points = [line["points"] for line in assignment.rubric]
    if points and None not in points and sum(points) != assignment.max_points:
        words = _("its points add up to %(sum)s, and max_points is %(most)s")
        fields.wrong("rubric", words % {"sum": sum(points), "most": assignment.max_points})
    fields.end()
    return assignment


def _rubric_line(fields, keys):
    line = {
        "key": fields.ask("key", lambda v: v.slug(KEY), ""),
        "title": fields.ask("title", lambda v: v.text(100), ""),
        "points": fields.ask("points", lambda v: v.whole(1, 1000)),
        "hint": fields.may("hint", lambda v: v.text(500), ""),
    }
    if line["key"]:
        _is_twice(fields.get("key"), line["key"], keys, _("the key %(key)s") % {"key": line["key"]})
    fields.end()
    return line


def _file_types(value):
    found = [entry.one_of(filing.TYPES) for entry in value.items()]
    return None if None in found or not found else found


def _is_twice(value, what, known, words):
    """Whether `what` stands in the files already; then it is noted, with the place of the first."""
    if what in known:
        value.wrong(_("%(what)s stands twice, first in %(place)s") % {"what": words, "place": known[what]})
        return True
    known[what] = f"{value.file}:{value.line}"
    return False
