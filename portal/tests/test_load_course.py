"""A course comes in from files whole, or not at all; coming in twice changes nothing."""

import csv
import hashlib
import io
import json
import re
import runpy
import shutil
from pathlib import Path

import pytest
import yaml
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labs import catalog
from portal import courses, laying
from portal.coursefiles import BrokenCourse
from portal.models import Assignment, Course, Draft, Feedback, LabInWeek, Material, Submission, Week

DEFAULT = Path(django_settings.BASE_DIR) / "courses" / "aws-ml"

COURSE = """\
slug: spark
title: Sparks
needed: needed.md
weeks:
  - one
  - two
"""
ONE = """\
number: 1
slug: first
title: The first week
materials:
  - slug: why
    kind: theory
    title: Why
    page: why.md
    minutes: 8
  - slug: table
    kind: lab_kit
    title: A table
    file: table.csv
  - slug: more
    kind: link
    title: More
    url: https://docs.example.org/more
labs:
  - a-bucket
assignments:
  - case
"""
TWO = """\
number: 2
slug: second
title: The second week
materials:
  - slug: how
    kind: reading
    title: How
    page: how.md
"""
CASE = """\
slug: case-study-1
title: Cloud or not
brief: brief.md
model_answer: answer.md
max_points: 10
rubric:
  - key: cost
    title: Cost
    points: 4
  - key: reasons
    title: Reasons
    points: 6
    hint: From the facts
allowed_types: [pdf, md]
"""


@pytest.fixture(autouse=True)
def two_labs(monkeypatch):
    monkeypatch.setattr(catalog, "catalog", lambda: {"a-bucket": None, "a-notebook": None})


@pytest.fixture
def folder(tmp_path):
    """A small course of two weeks, with one of everything."""
    root = tmp_path / "spark"
    (root / "one" / "case").mkdir(parents=True)
    (root / "two").mkdir()
    for path, text in {
        "course.yaml": COURSE,
        "needed.md": "A laptop.\n",
        "one/week.yaml": ONE,
        "one/why.md": "Because it costs.\n",
        "one/table.csv": "a,b\n1,2\n",
        "one/case/assignment.yaml": CASE,
        "one/case/brief.md": "Decide.\n",
        "one/case/answer.md": "It depends.\n",
        "two/week.yaml": TWO,
        "two/how.md": "Like this.\n",
    }.items():
        (root / path).write_text(text)
    return root


def rewrite(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def problems_of(folder):
    with pytest.raises(BrokenCourse) as broken:
        courses.read(folder)
    return [(p.file, p.line, p.field, p.words) for p in broken.value.problems]


def everything():
    """Every row of every course, as plain values."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Course, Week, Material, LabInWeek, Assignment)
    }


# --- what is wrong is said with its place ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "field", "words"),
    [
        ("course.yaml", "title: Sparks", "titel: Sparks", 2, "titel", "not known"),
        ("course.yaml", "title: Sparks\n", "", 1, "title", "is missing"),
        ("course.yaml", "slug: spark", "slug: Spark ML", 1, "slug", "not a slug"),
        ("course.yaml", "title: Sparks", "title: Sparks\ntitle: More", 3, "title", "first in line 2"),
        ("course.yaml", "  - two", "  - three", 6, "weeks #2", "no folder 'three'"),
        ("course.yaml", "  - two", "  - one", 6, "weeks #2", "stands twice, first in course.yaml:5"),
        ("course.yaml", "needed.md", "../../secret.md", 3, "needed", "leads out"),
        ("course.yaml", "needed.md", "/etc/hostname", 3, "needed", "leads out"),
        ("course.yaml", "\n  - one\n  - two", " one", 4, "weeks", "has to be a list, not text"),
        ("course.yaml", "title: Sparks", "title: 2025-09-13", 2, "title", "text, not a date (2025-09-13); put it in"),
        ("course.yaml", "title: Sparks", "title: [a, b]", 2, "title", "has to be text, not a list"),
        ("course.yaml", "title: Sparks", "title:", 2, "title", "is empty"),
        ("course.yaml", "title: Sparks", "title: " + "x" * 201, 2, "title", "201 characters"),
        ("course.yaml", "title: Sparks", "title: a: b", 2, "", "is not YAML"),
        ("one/week.yaml", "number: 1", "number: one", 1, "number", "whole number, not text (one)"),
        ("one/week.yaml", "number: 1", "number: true", 1, "number", "whole number, not true or false (true)"),
        ("one/week.yaml", "number: 1", "number: 9", 1, "number", "from 0 to 5"),
        ("one/week.yaml", "page: why.md", "page: gone.md", 8, "materials #1.page", "no file 'gone.md'"),
        ("one/week.yaml", "minutes: 8", "minutes: 0.5", 9, "materials #1.minutes", "whole number, not a number (0.5)"),
        ("one/week.yaml", "slug: table", "slug: why", 10, "materials #2.slug", "first in one/week.yaml:5"),
        ("one/week.yaml", "kind: lab_kit", "kind: film", 11, "materials #2.kind", "'film' is not known here; there"),
        ("one/week.yaml", "file: table.csv", "minutes: 3", 10, "materials #2.page", "has a page, a file, or both"),
        ("one/week.yaml", "url: https", "url: ftp", 17, "materials #3.url", "not a web address"),
        ("one/week.yaml", "    url: https", "    page: why.md\n    url: https", 18, "materials #3.url", "neither page"),
        ("one/week.yaml", "  - a-bucket", "  - a-bukket", 19, "labs #1", "there are a-bucket, a-notebook"),
        ("one/week.yaml", "  - a-bucket", "  - a-bucket\n  - a-bucket", 20, "labs #2", "stands twice"),
        ("one/week.yaml", "  - case", "  - {slug: case}", 21, "assignments #1", "has to be text, not fields"),
        ("two/week.yaml", "number: 2", "number: 1", 1, "number", "the number 1 stands twice, first in one/week.yaml:1"),
        ("two/week.yaml", "slug: second", "slug: first", 2, "slug", "the slug first stands twice"),
        ("one/case/assignment.yaml", "points: 6", "points: 7", 7, "rubric", "add up to 11, and max_points is 10"),
        ("one/case/assignment.yaml", "points: 6", "points: 0", 12, "rubric #2.points", "from 1 to 1000"),
        ("one/case/assignment.yaml", "key: reasons", "key: cost", 10, "rubric #2.key", "stands twice"),
        ("one/case/assignment.yaml", "hint: From", "hnit: From", 13, "rubric #2.hnit", "there are hint, key, points"),
        ("one/case/assignment.yaml", "[pdf, md]", "[pdf, exe]", 14, "allowed_types #2", "'exe' is not known"),
        ("one/case/assignment.yaml", "[pdf, md]", "[pdf, md]\ndraft: maybe", 15, "draft", "true or false, not text"),
        ("one/case/assignment.yaml", "brief: brief.md\n", "", 1, "brief", "is missing"),
    ],
)
def test_a_broken_file_is_told_with_file_line_and_field(folder, file, old, new, line, field, words):
    rewrite(folder, file, old, new)
    told = [(*place, said) for *place, said in problems_of(folder) if words in said]
    assert [one[:3] for one in told] == [(file, line, field)]


def test_everything_that_is_wrong_is_told_at_once(folder):
    rewrite(folder, "course.yaml", "title: Sparks", "titel: Sparks")
    rewrite(folder, "one/week.yaml", "number: 1", "number: one")
    rewrite(folder, "one/case/assignment.yaml", "points: 6", "points: 7")
    (folder / "two" / "how.md").unlink()
    found = {(file, field) for file, _, field, _ in problems_of(folder)}
    assert found == {
        ("course.yaml", "title"),
        ("course.yaml", "titel"),
        ("one/week.yaml", "number"),
        ("one/case/assignment.yaml", "rubric"),
        ("two/week.yaml", "materials #1.page"),
    }


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("course.yaml", b"", "is empty"),
        ("course.yaml", b"# only a comment\n", "is empty"),
        ("course.yaml", b"- a\n- list\n", "has to be fields with values, not a list"),
        ("course.yaml", b"slug: \xff\xfe\n", "is not text in UTF-8"),
        ("one/week.yaml", b"number: 1\n\ttitle: x\n", "is not YAML"),
        ("one/week.yaml", b"number: 1\nslug: a\x07b\n", "is not YAML"),
        ("one/why.md", b" \n", "'why.md' is empty"),
        ("one/why.md", b"caf\xe9", "'why.md' is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_as_that(folder, file, content, words):
    (folder / file).write_bytes(content)
    assert any(words in said for *_, said in problems_of(folder))


def test_a_missing_file_is_told_as_missing(folder):
    (folder / "two" / "week.yaml").unlink()
    assert ("two/week.yaml", 1, "", "this file is missing") in problems_of(folder)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder, tmp_path):
    (tmp_path / "secret.md").write_text("A secret.")
    (folder / "one" / "why.md").unlink()
    (folder / "one" / "why.md").symlink_to(tmp_path / "secret.md")
    assert [said for *_, said in problems_of(folder)] == ["'why.md' leads out of the course's folder"]


def test_a_week_without_a_deadline_takes_no_case_study(folder):
    rewrite(folder, "one/week.yaml", "number: 1", "number: 0")
    assert [(field, said) for _, _, field, said in problems_of(folder)] == [
        ("assignments", "week 0 has no deadline, so it takes no case study")
    ]


# --- what is right comes in ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_course_comes_in_with_all_its_parts(folder):
    laying.lay(courses.read(folder))
    course = Course.objects.get(slug="spark")
    assert (course.title, course.needed_md) == ("Sparks", "A laptop.\n")
    first, second = course.weeks.all()
    assert [m.slug for m in first.materials.all()] == ["why", "table", "more"]
    why, _, more = first.materials.all()
    assert (why.body_md, why.minutes, more.url) == ("Because it costs.\n", 8, "https://docs.example.org/more")
    assert [lab.lab_slug for lab in first.labs.all()] == ["a-bucket"]
    case = first.assignments.get()
    assert (case.max_points, case.allowed_types, case.is_draft) == (10, ["pdf", "md"], False)
    assert case.rubric  # 1 == {"key": "reasons", "title": "Reasons", "points": 6, "hint": "From the facts"}
    assert (second.title, second.materials.count()) == ("The second week", 1)


@pytest.mark.django_db
def test_a_download_is_kept_under_the_hash_of_its_content(folder, settings):
    laying.lay(courses.read(folder))
    table = Material.objects.get(slug="table")
    content = (folder / "one" / "table.csv").read_bytes()
    assert table.file == f"spark/{hashlib.sha256(content).hexdigest()}/table.csv"
    assert table.file_bytes == len(content)
    assert (Path(settings.MEDIA_ROOT) / "courses" / table.file).read_bytes() == content


@pytest.mark.django_db
def test_loading_twice_changes_not_one_row(folder):
    laying.lay(courses.read(folder))
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        assert laying.lay(courses.read(folder)) == []
    assert everything() == before
    assert [q["sql"] for q in queries if re.match(r"\s*(INSERT|UPDATE|DELETE)", q["sql"])] == []


@pytest.mark.django_db
def test_only_what_differs_is_written(folder):
    laying.lay(courses.read(folder))
    before = everything()
    (folder / "one" / "why.md").write_text("Because it burns.\n")
    assert laying.lay(courses.read(folder)) == ["week first: materials why: changed body_md, version"]
    after = everything()
    assert [m["id"] for m in after["Material"]] == [m["id"] for m in before["Material"]]
    assert after["Assignment"] == before["Assignment"]
    assert Material.objects.get(slug="why").body_md == "Because it burns.\n"


@pytest.mark.django_db
def test_a_part_that_nobody_uses_goes_with_its_files(folder):
    laying.lay(courses.read(folder))
    (folder / "one" / "week.yaml").write_text(ONE.partition("  - slug: table")[0])
    assert set(laying.lay(courses.read(folder))) == {
        "week first: materials table: removed",
        "week first: materials more: removed",
        "week first: labs a-bucket: removed",
        "week first: assignments case-study-1: removed",
    }
    assert list(Material.objects.filter(week__slug="first").values_list("slug", flat=True)) == ["why"]
    assert not Assignment.objects.exists()


@pytest.mark.django_db
def test_parts_can_change_places(folder):
    laying.lay(courses.read(folder))
    rewrite(folder, "one/week.yaml", "number: 1", "number: 2")
    rewrite(folder, "two/week.yaml", "number: 2", "number: 1")
    rewrite(folder, "one/week.yaml", "slug: why\n    kind: theory", "slug: last\n    kind: theory")
    laying.lay(courses.read(folder))
    assert list(Week.objects.values_list("number", "slug")) == [(1, "second"), (2, "first")]
    assert [m.slug for m in Week.objects.get(slug="first").materials.all()] == ["last", "table", "more"]


@pytest.mark.django_db
def test_nothing_is_half_imported(folder):
    rewrite(folder, "two/week.yaml", "title: How", "title: ''")
    with pytest.raises(BrokenCourse):
        laying.lay(courses.read(folder))
    assert not Course.objects.exists()


# --- what people's work depends on stays -----------------------------------------------------------------------


@pytest.fixture
def in_use(folder, now):
    """A cohort of the course: aye has handed in, and chit's feedback with 5 points for the reasons is ready."""
    from portal import enrolling, reviewing, submitting
    from portal.models import User

    laying.lay(courses.read(folder))
    course = Course.objects.get(slug="spark")
    cohort = enrolling.open_cohort(course, slug="s", name="S", start_on=now.date().replace(day=6), now=now)
    aye, chit = (User.objects.create_user(f"{name}@example.org", name=name) for name in ("aye", "chit"))
    enrolling.enrol(cohort, aye, now=now)
    case = Assignment.objects.get()
    draft = submitting.draft_of(case, cohort, aye, now=now)
    submitting.save_draft(draft, "On premises.", revision=0, window="w", now=now)
    submission, _ = submitting.submit(Draft.objects.get(), key="k" * 32, now=now)
    reviewing.write(
        submission, chit, comment="Good.", points={"cost": 3, "reasons": 5}, revision=0, ready=True, now=now
    )
    return cohort


@pytest.mark.django_db
def test_a_case_study_that_was_handed_in_is_not_removed(folder, in_use):
    before = everything()
    rewrite(folder, "one/week.yaml", "assignments:\n  - case\n", "")
    rewrite(folder, "one/week.yaml", "title: Why", "title: Why indeed")
    with pytest.raises(BrokenCourse) as broken:
        laying.lay(courses.read(folder))
    [problem] = broken.value.problems
    assert problem.file == "one/week.yaml"
    assert (
        "case-study-1 is not in the files any more, but it has 1 draft and 1 submission. Put it back" in problem.words
    )
    assert everything() == before
    assert Submission.objects.count() == 1


@pytest.mark.django_db
def test_a_week_that_a_cohort_was_told_of_is_not_removed(folder, in_use):
    before = everything()
    rewrite(folder, "course.yaml", "  - two\n", "")
    with pytest.raises(BrokenCourse, match="week second is not in the files any more, but it has 1 cohort week"):
        laying.lay(courses.read(folder))
    assert everything() == before


@pytest.mark.django_db
def test_a_week_that_a_cohort_was_told_of_keeps_its_number(folder, in_use):
    rewrite(folder, "two/week.yaml", "number: 2", "number: 3")
    with pytest.raises(BrokenCourse, match="cohorts were told the dates of second as week 2"):
        laying.lay(courses.read(folder))
    assert Week.objects.get(slug="second").number == 2


@pytest.mark.django_db
def test_points_that_were_given_still_fit_into_the_rubric(folder, in_use):
    rewrite(folder, "one/case/assignment.yaml", "points: 6", "points: 4")
    rewrite(folder, "one/case/assignment.yaml", "points: 4\n  - key: reasons", "points: 6\n  - key: reasons")
    with pytest.raises(BrokenCourse, match="feedback was given with points for reasons"):
        laying.lay(courses.read(folder))
    assert Feedback.objects.get().rubric_scores == {"cost": 3, "reasons": 5}
    assert Assignment.objects.get().rubric  # 1["points"] == 6


@pytest.mark.django_db
def test_a_new_week_is_told_to_cohorts_that_run(folder, in_use):
    (folder / "three").mkdir()
    (folder / "three" / "week.yaml").write_text("number: 3\nslug: third\ntitle: The third week\n")
    rewrite(folder, "course.yaml", "  - two\n", "  - two\n  - three\n")
    laying.lay(courses.read(folder))
    assert list(in_use.told.values_list("week__number", flat=True)) == [1, 2, 3]


# --- the command -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_command_says_what_changed(folder, capsys):
    call_command("load_course", str(folder))
    assert "week first: materials why: new" in capsys.readouterr().out
    call_command("load_course", str(folder))
    assert capsys.readouterr().out == "Nothing changed: it is loaded already.\n"


@pytest.mark.django_db
def test_the_command_fails_with_every_place_as_an_editor_opens_it(folder):
    rewrite(folder, "one/week.yaml", "number: 1", "number: 9")
    rewrite(folder, "two/week.yaml", "page: how.md", "page: gone.md")
    with pytest.raises(CommandError) as failed:
        call_command("load_course", f"{folder}/")
    assert "Nothing was loaded: 2 problems" in str(failed.value)
    assert f"{folder}/one/week.yaml:1: number: is 9; it has to be from 0 to 5" in str(failed.value)
    assert f"{folder}/two/week.yaml:8: materials #1.page: there is no file 'gone.md'" in str(failed.value)
    assert failed.value.returncode == 1


# --- the default course ----------------------------------------------------------------------------------------


@pytest.fixture
def real_labs(monkeypatch):
    monkeypatch.undo()


@pytest.mark.django_db
def test_the_default_course_comes_in_whole(real_labs):
    laying.lay(courses.read(DEFAULT))
    weeks = list(Week.objects.filter(course__slug="aws-ml"))
    assert [week.number for week in weeks] == [0, 1, 2, 3, 4, 5]
    for week in weeks:
        kinds = set(week.materials.values_list("kind", flat=True))
        assert {"theory", "lab_kit", "link"} <= kinds, week
    cases = Assignment.objects.order_by("week__number")
    assert [(case.week.number, case.is_draft) for case in cases] == [(1, False), (2, True), (3, True), (4, True)]
    assert all(case.model_answer_md and case.rubric for case in cases)
    offered = set(LabInWeek.objects.values_list("week__number", "lab_slug"))
    assert {(1, "s3-ml-bucket"), (2, "sagemaker-notebook"), (4, "sagemaker-notebook")} <= offered
    assert {slug for _, slug in offered} == set(catalog.catalog()), "a lab that no week offers is nobody's"


def files_offered(week):
    """Names of the files that the week hands out."""
    return {Path(file).name for file in re.findall(r"^    file: (\S+)$", (week / "week.yaml").read_text(), re.M)}


def weeks_of_the_course():
    return sorted(path.parent for path in DEFAULT.glob("*/week.yaml"))


@pytest.mark.parametrize("week", weeks_of_the_course(), ids=lambda week: week.name)
def test_every_file_of_a_week_can_be_downloaded_and_is_small(week):
    files = list(week.glob("files/*"))
    assert {file.name for file in files} == files_offered(week)
    assert all(file.stat().st_size < 100_000 for file in files)


@pytest.mark.parametrize("week", weeks_of_the_course(), ids=lambda week: week.name)
def test_what_a_lab_tells_to_take_from_the_weeks_material_is_offered_there(week):
    offers = re.findall(r"^  - ([a-z0-9-]+)$", (week / "week.yaml").read_text(), re.M)
    for slug in set(offers) & set(catalog.catalog()):
        for step in catalog.get(slug).steps:
            for paragraph in step.body_md.split("\n\n"):
                if "this week's material" in " ".join(paragraph.split()):
                    asked = set(re.findall(r"`([\w-]+\.(?:csv|py|sh|md|json|ipynb))`", paragraph))
                    assert asked and asked <= files_offered(week), (slug, step.slug)


def theory_pages():
    return [page for page in sorted(DEFAULT.glob("*/*.md")) if not page.name.startswith(("lab-", "set-up-"))]


@pytest.mark.parametrize("page", theory_pages(), ids=lambda page: page.stem)
def test_a_theory_page_is_one_sitting_and_tells_cost_and_clean_up(page):
    text = page.read_text()
    assert 400 <= len(text.split()) <= 900
    assert "\n## What it costs\n" in text
    assert "\n## Clean up\n" in text
    assert not re.search(r"^# ", re.sub(r"```.*?```", "", text, flags=re.S), re.M), "the title is the page's h1"


def test_every_table_has_words_in_its_head_and_as_many_cells_in_each_row():
    for page in DEFAULT.rglob("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
            head, _, *rows = (line.strip("| \n").split(" | ") for line in table.splitlines())
            assert all(cell.strip() for cell in head), (page, head)
            for row in table.splitlines():
                assert len(re.findall(r"(?<!\\)\|", row)) == len(head) + 1, (page, row)


def test_the_page_about_the_data_makes_the_very_file_that_students_download(tmp_path, monkeypatch):
    page = (DEFAULT / "week-1" / "about-the-data.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "make_payments.py").write_text(program)
    runpy.run_path("make_payments.py")
    shipped = DEFAULT / "week-1" / "files" / "card-payments.csv"
    assert (tmp_path / "card-payments.csv").read_bytes() == shipped.read_bytes()
    rows = list(csv.DictReader(io.StringIO(shipped.read_text())))
    assert len(rows) == 600
    assert sum(int(row["is_fraud"]) for row in rows) == 48


def test_the_notebook_is_clean_and_its_cells_are_python():
    notebook = json.loads((DEFAULT / "week-1" / "files" / "boto3-first-steps.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, source in enumerate(code):
        compile(source, f"cell {number}", "exec")
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    assert not re.search(r"A[KS]IA[0-9A-Z]{16}", json.dumps(notebook))


def test_the_service_of_week_two_answers_as_its_page_says(tmp_path, monkeypatch):
    page = (DEFAULT / "week-2" / "lab-container-inference.md").read_text()
    [model] = re.findall(r"```json\n(.*?)```", page, flags=re.S)
    [app] = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    (tmp_path / "model.json").write_text(model)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(app)
    names = runpy.run_path("app.py")
    good = names["handler"]({"amount_usd": 402.10, "merchant_type": "online"}, None)
    assert good["statusCode"] == 200
    assert 0 < json.loads(good["body"])["fraud"] < 1
    assert names["handler"]({"amount": 1}, None)["statusCode"] == 400
    assert names["handler"]({"body": "no JSON"}, None)["statusCode"] == 400


def test_json_on_the_pages_is_json():
    for page in DEFAULT.rglob("*.md"):
        for block in re.findall(r"```json\n(.*?)```", page.read_text(), flags=re.S):
            json.loads(block)


def test_every_case_study_takes_data_as_a_table_and_as_an_archive():
    for file in DEFAULT.glob("*/case-study/assignment.yaml"):
        assert {"csv", "zip"} <= set(yaml.safe_load(file.read_text())["allowed_types"]), file


def test_no_page_holds_a_credential_or_names_an_account_of_ours():
    for page in DEFAULT.rglob("*"):
        if page.is_file():
            text = page.read_text()
            assert not re.search(r"A[KS]IA[0-9A-Z]{16}", text), page
            assert set(re.findall(r"(?<![\d_.])\d{12}(?!\d)", text)) <= {"111122223333"}, page


def test_a_copy_of_the_default_course_with_one_wrong_line_is_refused(real_labs, tmp_path):
    copy = tmp_path / "aws-ml"
    shutil.copytree(DEFAULT, copy)
    rewrite(copy, "week-1/week.yaml", "  - ec2-reads-s3\n", "  - ec2-reads-s4\n")
    [(file, _, field, words)] = problems_of(copy)
    assert (file, field) == ("week-1/week.yaml", "labs #6")
    assert "'ec2-reads-s4' is not known here" in words
