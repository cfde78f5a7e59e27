"""A course goes into files and comes back as it was: the shipped one, and any other that can be read."""

import tempfile
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import courses, exporting, laying
from portal.courses import MEGABYTE, AssignmentFiles, CourseFiles, LabFiles, MaterialFiles, Place, WeekFiles
from portal.models import Course, Material

DEFAULT = Path(django_settings.BASE_DIR) / "courses" / "aws-ml"


@pytest.fixture
def shipped(db):
    laying.lay(courses.read(DEFAULT))
    return Course.objects.get(slug="aws-ml")


def test_the_shipped_course_comes_back_whole_and_loading_it_again_changes_nothing(shipped, tmp_path):
    call_command("export_course", "aws-ml", str(tmp_path / "out"), verbosity=0)
    back = courses.read(tmp_path / "out")
    assert exporting.differences(courses.read(DEFAULT), back) == []
    assert laying.lay(back) == []
    for material in Material.objects.exclude(file=""):
        [there] = (tmp_path / "out").rglob(f"files/{material.slug}/{material.file_name}")
        assert there.stat().st_size == material.file_bytes


def test_exported_twice_it_is_the_same_bytes(shipped, tmp_path):
    for name in ("one", "two"):
        exporting.write(exporting.of(shipped), tmp_path / name)
    one, two = (
        {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two and len(one) > 60


def test_a_folder_with_something_in_it_is_written_over_only_when_asked(shipped, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CommandError, match="not empty"):
        call_command("export_course", "aws-ml", str(tmp_path))
    call_command("export_course", "aws-ml", str(tmp_path), "--over", verbosity=0)
    assert (tmp_path / "notes.txt").read_text() == "mine" and (tmp_path / "course.yaml").is_file()
    with pytest.raises(CommandError, match="there are: aws-ml"):
        call_command("export_course", "aws", str(tmp_path / "x"))


def test_a_file_that_is_gone_from_the_disk_is_said(shipped, tmp_path, settings):
    material = Material.objects.exclude(file="").first()
    (Path(settings.MEDIA_ROOT) / "courses" / material.file).unlink()
    with pytest.raises(CommandError, match="upload it again"):
        call_command("export_course", "aws-ml", str(tmp_path / "out"))


# --- any course ------------------------------------------------------------------------------------------------

HERE = Place("", 0)
slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,5})?", fullmatch=True)
characters = st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00")
YAML_TRAPS = st.sampled_from(["yes", "null", "~", "1.5", "2025-01-01", "- a", "a: b", "#", "'", '"', "|", "{a}", "! x"])
lines = (st.text(characters, min_size=1, max_size=40) | YAML_TRAPS).map(str.strip).filter(bool)
blocks = st.lists(lines, max_size=3).map("\n".join).map(str.strip)
pages = (
    st.text(characters, max_size=80)
    .map(lambda text: text.replace("\r\n", "\n").strip())
    .map(lambda text: f"{text}\n" if text else "")
)
kinds = st.sampled_from(["theory", "slides", "notebook", "lab_kit", "reading"])


@st.composite
def materials(draw, slug, position):
    kind = draw(kinds | st.sampled_from(["link", "video"]))
    is_elsewhere = kind in ("link", "video")
    return MaterialFiles(
        place=HERE,
        slug=slug,
        kind=kind,
        title=draw(lines),
        position=position,
        body_md="" if is_elsewhere else draw(pages.filter(bool)),
        url="https://docs.example.org/" + draw(slugs) if is_elsewhere else "",
        minutes=draw(st.none() | st.integers(1, 600)),
    )


@st.composite
def assignments(draw, slug, position):
    points = draw(st.lists(st.integers(1, 20), max_size=3))
    rubric = [
        {"key": f"k{n}", "title": draw(lines), "points": one, "hint": draw(blocks)} for n, one in enumerate(points)
    ]
    return AssignmentFiles(
        place=HERE,
        slug=slug,
        title=draw(lines),
        position=position,
        brief_md=draw(pages.filter(bool)),
        model_answer_md=draw(pages),
        rubric=rubric,
        max_points=sum(points) or 20,
        max_files=draw(st.integers(0, 20)),
        max_bytes=draw(st.integers(1, 200)) * MEGABYTE,
        allowed_types=draw(st.lists(st.sampled_from(["pdf", "md", "ipynb"]), min_size=1, unique=True)),
        late_points_a_day=draw(st.integers(0, 5)),
        is_draft=draw(st.booleans()),
    )


@st.composite
def any_course(draw):
    names = draw(st.lists(slugs, min_size=1, max_size=3, unique=True))
    course = CourseFiles(HERE, draw(slugs), draw(lines), draw(blocks), draw(pages), draw(pages))
    for number, slug in enumerate(names, start=1):
        week = WeekFiles(HERE, number, slug, draw(lines), draw(lines), draw(blocks))
        inside = draw(st.lists(slugs, max_size=3, unique=True))
        week.materials = [draw(materials(one, n)) for n, one in enumerate(inside, start=1)]
        week.labs = [LabFiles(HERE, "s3-ml-bucket", 1)] * draw(st.integers(0, 1))
        week.assignments = [draw(assignments(one, n)) for n, one in enumerate(inside[:1], start=1)]
        course.weeks.append(week)
    return course


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(any_course())
def test_any_course_comes_back_as_it_was(course):
    with tempfile.TemporaryDirectory() as folder:
        exporting.write(course, Path(folder))
        back = courses.read(folder)
    assert exporting.differences(course, back) == []
    assert [week.materials and week.materials[0].version for week in back.weeks] == [
        week.materials and week.materials[0].version for week in course.weeks
    ]
