"""The gradebook: what it shows, what goes out as a file, and what a file may change."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal import gradebook, gradesheet, releasing
from portal.filing import Refused
from portal.models import Assignment, Feedback, FeedbackBefore
from portal.tests.test_reviewing import browser, hand_in, write

COST, WHY = "2/case/cost", "2/case/why"


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


@pytest.fixture
def graded(case, cohort, aye, bo, chit, now, clock):
    """aye's feedback is released, bo's is a draft."""
    write(hand_in(case, cohort, aye, now), chit, now)
    releasing.release(cohort, case.week, by=chit, now=now)
    write(hand_in(case, cohort, bo, now), chit, now, points={"cost": 2, "why": None}, ready=False)
    return {name: cohort.memberships.get(user__name=name.title()).pk for name in ("aye", "bo")}


def file_of(*lines, head=f"id,{COST},{WHY}"):
    return "\n".join([head, *lines])


def upload(user, cohort, text, **form):
    file = SimpleUploadedFile("g.csv", text if isinstance(text, bytes) else text.encode())
    address = reverse("portal:gradebook_upload", args=[cohort.slug])
    return browser(user).post(address, {"file": file, **form})


def confirm(user, cohort, text, **form):
    shown = upload(user, cohort, text).context["shown"]
    address = reverse("portal:gradebook_upload", args=[cohort.slug])
    return browser(user).post(address, {"text": text, "shown": shown, "do": "apply", **form})


# --- reading a file ------------------------------------------------------------------------------------------


@pytest.mark.once
def test_files_of_other_countries_and_of_spreadsheets_are_read():
    for separator in ",;\t":
        text = separator.join(["\ufeffid", "name", "a"]) + "\r\n" + separator.join(["7", "Aye", "4.0"]) + "\r\n\r\n"
        assert gradesheet.read(text, {"a"}) == ([gradesheet.Entry(2, 7, {"a": 4})], [])
    assert gradesheet.read("id;a\n7;4,0\n8;\n", {"a"})[0][1] == gradesheet.Entry(3, 8, {"a": None})


@pytest.mark.once
@pytest.mark.parametrize(
    "text, said",
    [
        ("", "no column “id”"),
        ("name,a\nAye,1", "no column “id”"),
        ("id,b\n1,1", "No column of this file"),
        ("id,a,a\n1,1,2", "is there twice"),
        ("id,a\n" + "1,1\n" * 2001, "2,001 lines"),
        ('id,a\n1,"' + "x" * 200_000, "not a CSV file"),
    ],
)
def test_what_is_no_gradebook_is_refused_whole(text, said):
    with pytest.raises(Refused, match=said):
        gradesheet.read(text, {"a"})


@pytest.mark.once
def test_each_line_that_cannot_be_read_is_named():
    entries, wrong = gradesheet.read("id,a\n1,4\nx,4\n,4\n2,many\n3,4.5\n4,-1\n", {"a"})
    assert [entry.id for entry in entries] == [1, 4]
    assert [line for line, _ in wrong] == [3, 4, 5, 6]
    assert "“many” in column a" in wrong[2][1] and "“4.5”" in wrong[3][1]


# --- out and in ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_table_shows_what_each_has_and_what_is_hidden_yet(graded, cohort, chit):
    said = browser(chit).get(reverse("portal:gradebook", args=[cohort.slug])).content.decode()
    assert "9 of 10" in said and "begun" in said and "0 of 0" in said


@pytest.mark.django_db
def test_a_file_that_went_out_changes_nothing_when_it_comes_in_again(graded, cohort, aye, chit):
    aye.name = "=cmd|' /C calc'!A0"
    aye.save()
    answer = browser(chit).get(reverse("portal:gradebook_csv", args=[cohort.slug]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = {line["email"]: line for line in csv.DictReader(io.StringIO(text))}
    mine = lines["aye@example.org"]
    assert (mine[COST], mine[WHY], mine["2/case total"], mine["2/case state"]) == ("4", "5", "9", "released")
    assert mine["name"].startswith("'=") and lines["bo@example.org"]["2/case state"] == "draft"
    assert gradebook.read(cohort, text) == ([], [])


@pytest.mark.django_db
def test_a_dry_run_shows_each_change_and_each_bad_line_and_changes_nothing(graded, cohort, chit):
    lines = [f"{graded['aye']},3,5", f"{graded['bo']},9,1", "999999,1,1", f"{graded['aye']},1,1", "x,1,1"]
    answer = upload(chit, cohort, file_of(*lines))
    said = answer.content.decode()
    assert "1 change<" in said and "4 things that cannot be taken" in said
    assert "Cost aware takes 0 to 5 points, not 9" in said and "No student of this cohort has the id 999999" in said
    assert "Aye stands in line 2 already" in said and "“x” is no id" in said
    assert Feedback.objects.get(submission__student__name="Aye").score == 9


@pytest.mark.django_db
def test_points_of_a_draft_are_taken_and_it_stays_a_draft(graded, cohort, chit):
    confirm(chit, cohort, file_of(f"{graded['bo']},,4"))
    kept = Feedback.objects.get(submission__student__name="Bo")
    assert (kept.rubric_scores, kept.score, kept.state) == ({"cost": 2, "why": 4}, 6, "draft")


@pytest.mark.django_db
def test_what_is_released_is_changed_only_by_who_says_so_and_the_old_is_kept(graded, cohort, chit):
    text = file_of(f"{graded['aye']},1,5")
    assert "Also change the 1 that is released" in upload(chit, cohort, text).content.decode()
    confirm(chit, cohort, text)
    assert Feedback.objects.get(submission__student__name="Aye").score == 9
    confirm(chit, cohort, text, released="yes")
    kept = Feedback.objects.get(submission__student__name="Aye")
    assert (kept.score, kept.state, kept.comment_md, kept.is_unread) == (6, "released", "Good.", True)
    before = FeedbackBefore.objects.get()
    assert (before.score, before.rubric_scores, before.by, before.way) == (9, {"cost": 4, "why": 5}, chit, "csv")


@pytest.mark.django_db
def test_what_changed_since_the_dry_run_is_shown_again_and_not_overwritten(graded, cohort, chit, now):
    text = file_of(f"{graded['bo']},1,1")
    shown = upload(chit, cohort, text).context["shown"]
    kept = Feedback.objects.select_related("submission").get(submission__student__name="Bo")
    write(kept.submission, chit, now, points={"cost": 5, "why": 5}, revision=kept.revision)
    address = reverse("portal:gradebook_upload", args=[cohort.slug])
    answer = browser(chit).post(address, {"text": text, "shown": shown, "do": "apply"})
    assert answer.status_code == 422 and "somebody saved since" in answer.content.decode()
    assert Feedback.objects.get(pk=kept.pk).score == 10


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text, said", [(b"\xff\xfe\x00", "not a text file in UTF-8"), (b"x" * (1024 * 1024 + 1), "larger than 1 MB")]
)
def test_a_file_that_is_no_csv_is_refused_in_words(cohort, chit, text, said):
    answer = upload(chit, cohort, text)
    assert answer.status_code == 422 and said in answer.content.decode()


@pytest.mark.django_db
def test_a_newer_version_without_feedback_does_not_hide_the_points(graded, case, cohort, aye, chit, now):
    hand_in(case, cohort, aye, now, "Newer.")
    _, rows = gradebook.gradebook(cohort)
    mark = next(row for row in rows if row.membership.user == aye).marks[case.pk]
    assert (mark.score, mark.is_newer, mark.submission.version) == (9, True, 1)
