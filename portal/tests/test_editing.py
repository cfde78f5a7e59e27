"""The course edited in the browser: judged like files, laid like files, and nobody's work goes with it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal import courses, exporting, laying
from portal.models import Assignment, CohortWeek, Material, Week

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def teacher(signed_in, chit, cohort, course, lab):
    # Its files are on no disk: what is edited here has none.
    Material.objects.exclude(file="").delete()
    return signed_in(chit)


def address(*where):
    return reverse({1: "portal:edit_week", 2: "portal:add_part", 3: "portal:edit_part"}[len(where)], args=where)


def seen(client, *where):
    return client.get(address(*where)).context["seen"]


def edit(client, *where, **form):
    return client.post(address(*where), {"seen": seen(client, *where), **form})


READING = {"title": "Reading 2", "kind": "reading", "body_md": "Changed."}


def test_a_changed_page_is_changed_for_students_and_keeps_its_former_version(signed_in, chit, aye, teacher):
    material = Material.objects.get(week__number=2)
    page = reverse("portal:material", args=[2, "reading"])
    assert "walrus2" in signed_in(aye).get(page).content.decode()
    assert "Read</span>" in signed_in(aye).get(reverse("portal:week", args=[2])).content.decode()
    assert edit(signed_in(chit), "w2", "material", "reading", **READING).status_code == 302
    material.refresh_from_db()
    assert material.body_md == "Changed.\n"
    week = signed_in(aye).get(reverse("portal:week", args=[2])).content.decode()
    assert "Changed since you read it" in week and "0 of 1 read" in week
    now_there = signed_in(aye).get(page).content.decode()
    assert "Version 2" in now_there and "This changed since you read it" in now_there
    assert "walrus2" in signed_in(aye).get(page, {"version": 1}).content.decode()
    assert signed_in(aye).get(page, {"version": "7"}).status_code == 404
    assert "1 of 1 read" in signed_in(aye).get(reverse("portal:week", args=[2])).content.decode()


def test_who_saves_second_is_told_and_loses_nothing(teacher):
    before = seen(teacher, "w2", "material", "reading")
    edit(teacher, "w2", "material", "reading", **READING)
    form = {**READING, "body_md": "Mine, later", "seen": before}
    answer = teacher.post(address("w2", "material", "reading"), form)
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "Somebody else saved this" in said and "Mine, later" in said
    assert Material.objects.get(week__number=2).body_md == "Changed.\n"
    assert (
        teacher.post(address("w2", "material", "reading"), {**form, "seen": answer.context["seen"]}).status_code == 302
    )
    assert Material.objects.get(week__number=2).body_md == "Mine, later\n"


@pytest.mark.parametrize(
    "form, words",
    [
        ({"kind": "link"}, "a link has a url"),
        ({"kind": "video", "body_md": "", "url": "videos"}, "is not a web address"),
        ({"body_md": " "}, "has a page, a file, or both"),
        ({"title": ""}, "This field is required"),
        ({"minutes": "0"}, "greater than or equal to 1"),
    ],
)
def test_the_rules_of_the_files_hold_in_the_browser_too(teacher, form, words):
    answer = edit(teacher, "w2", "material", "reading", **{**READING, **form})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert "walrus2" in Material.objects.get(week__number=2).body_md


def test_slides_are_uploaded_and_taken_back(signed_in, chit, aye, teacher):
    upload = SimpleUploadedFile("My Slides (2).pdf", b"%PDF-1.7 new")
    form = {"title": "Slides", "kind": "slides", "place": 1, "file": upload}
    assert edit(teacher, "w2", "material", **form).status_code == 302
    made = Material.objects.get(slug="slides", week__number=2)
    assert (made.file_name, made.file_bytes, made.position) == ("my-slides-2.pdf", 12, 1)
    answer = signed_in(aye).get(reverse("portal:material_file", args=[2, "slides"]))
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 new"
    form = {"title": "Slides", "kind": "slides", "body_md": "No file.", "without_file": "on"}
    assert edit(signed_in(chit), "w2", "material", "slides", **form).status_code == 302
    made.refresh_from_db()
    assert made.file == "" and made.editions.get().file_bytes == 12


def test_a_case_study_is_edited_with_its_rubric_and_feedback_keeps_its_points(teacher):
    form = {
        "title": "Case study 2", "brief_md": "Decide.", "rubric": "cost | 6 | Cost | In $\nwhy | 4 | Why",
        "max_points": 10, "late_points_a_day": 2, "max_files": 3, "max_mb": 5,
        "allowed_types": "pdf, .MD", "model_answer_md": "One.",
    }  # fmt: skip
    assert edit(teacher, "w2", "assignment", "case", **form).status_code == 302
    case = Assignment.objects.get(week__number=2)
    assert case.rubric[0] == {"key": "cost", "title": "Cost", "points": 6, "hint": "In $"}
    assert (case.allowed_types, case.max_bytes) == (["pdf", "md"], 5 * 1024 * 1024)
    answer = edit(teacher, "w2", "assignment", "case", **{**form, "max_points": 9})
    assert answer.status_code == 422 and "add up to 10" in answer.content.decode()
    answer = edit(teacher, "w2", "assignment", "case", **{**form, "rubric": "cost: 6"})
    assert answer.status_code == 422 and "line 1" in answer.content.decode()


def test_a_week_takes_its_words_and_labs_and_a_part_is_deleted(teacher):
    assert edit(teacher, "w2", title="Containers, mostly", labs=["s3-for-ml"]).status_code == 302
    assert edit(teacher, "w2", "material", "reading", do="delete").status_code == 302
    week = Week.objects.get(number=2)
    assert week.title == "Containers, mostly" and week.labs.count() == 1 and not week.materials.exists()


def test_what_people_handed_in_for_is_not_deleted(teacher, cohort, aye, now):
    from portal import submitting

    case = Assignment.objects.get(week__number=2)
    submitting.draft_of(case, cohort, aye, now=now)
    answer = edit(teacher, "w2", "assignment", "case", do="delete")
    assert answer.status_code == 422 and "1 draft" in answer.content.decode()
    assert Assignment.objects.filter(pk=case.pk).exists()


def test_another_week_is_added_and_its_dates_are_told(teacher, cohort):
    Week.objects.filter(number=4).delete()
    answer = teacher.post(
        reverse("portal:edit_course"), {"do": "add_week", "number": "4", "week_title": "Deep learning"}
    )
    assert answer.url == address("deep-learning")
    assert CohortWeek.objects.get(cohort=cohort, week__slug="deep-learning").session_at.day == 4
    teacher.post(reverse("portal:edit_course"), {"do": "add_week", "number": "4", "week_title": "Twice"})
    assert not Week.objects.filter(slug="twice").exists()


def test_preview_shows_and_saves_nothing(teacher):
    answer = edit(teacher, "w2", "material", "reading", **READING | {"body_md": "A *draft*"}, do="preview")
    assert "<em>draft</em>" in answer.content.decode()
    assert "walrus2" in Material.objects.get(week__number=2).body_md


def test_a_student_does_not_edit_and_no_course_is_another_teachers(signed_in, aye, other_cohort, teacher, now):
    assert signed_in(aye).get(reverse("portal:edit_course")).status_code == 404
    assert signed_in(aye).post(address("w2", "material", "reading"), READING).status_code == 404


def test_what_was_edited_in_the_browser_is_what_the_files_say(teacher, course, tmp_path):
    edit(teacher, "w2", "material", "reading", **READING)
    exporting.write(exporting.of(course), tmp_path / "out")
    assert (tmp_path / "out" / "w2" / "reading.md").read_text() == "Changed.\n"
    laying.lay(courses.read(tmp_path / "out"))
    assert laying.lay(courses.read(tmp_path / "out")) == []
