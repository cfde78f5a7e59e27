"""Remarks at their places, over versions; replies and what is unread; what is said most becomes the agenda."""

import json
import uuid
from datetime import timedelta

import pydyf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal import agenda, releasing, remarks, replying, reviewing, submitting, workpieces
from portal.filing import Refused
from portal.models import AgendaItem, Assignment, Feedback, FeedbackAside, FeedbackBefore, Notice, Phrase, Remark, Reply
from portal.tests.test_reviewing import browser, desk, hand_in, scores, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
ONE = "# My choice\n\nWe chose Lambda.\n\nThe cold start fell from 9.1 s to **3.4 s**.\n\n- cheap\n- slow"
TWO = "# My choice\n\nFirst, thanks.\n\nThe cold start fell from 9.1 s to **3.1 s**.\n\nWe chose Lambda."


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


@pytest.fixture
def of_aye(case, cohort, aye, now):
    return hand_in(case, cohort, aye, now, ONE)


def say(submission, author, now, text="How many did you measure?", place="p-3", **changed):
    parts = workpieces.parts_of(submission, submission.student)
    facts = {"part": parts[0], "place": place, "quote": "", "expects_released": False, "now": now} | changed
    return remarks.add(submission, author, text=text, **facts)


def release(submission, by, now):
    existing = Feedback.objects.filter(submission=submission).first()
    write(submission, by, now, revision=existing.revision if existing else 0)
    return releasing.release(submission.cohort, submission.assignment.week, by=by, now=now)


def remark_form(**changed):
    return {"part": "", "place": "p-3", "quote": "", "text": "Why 3.4?", "shows": "no"} | changed


def post(user, cohort, submission, **changed):
    return browser(user).post(reverse("portal:remark", args=[cohort.slug, submission.number]), remark_form(**changed))


# --- places --------------------------------------------------------------------------------------------------


def test_every_paragraph_of_an_answer_is_a_place(of_aye):
    (part,) = workpieces.parts_of(of_aye, of_aye.student)
    assert [(one.place, one.text) for one in workpieces.passages(of_aye, part)] == [
        ("p-1", "My choice"),
        ("p-2", "We chose Lambda."),
        ("p-3", "The cold start fell from 9.1 s to 3.4 s ."),
        ("p-4", "cheap slow"),
    ]


def with_files(case, cohort, student, now, *files):
    draft = submitting.draft_of(case, cohort, student, now=now)
    for name, content in files:
        submitting.add_file(draft, SimpleUploadedFile(name, content), now=now)
    return submitting.submit(draft, key=uuid.uuid4().hex, now=now)[0]


def notebook(*cells):
    return json.dumps({"cells": list(cells), "nbformat": 4, "nbformat_minor": 4}).encode()


def code(source, **output):
    return {"cell_type": "code", "source": source, "outputs": [output] if output else []}


def test_a_notebook_is_shown_cell_by_cell_and_nothing_in_it_runs(case, cohort, aye, now):
    bad = "<script>alert(1)</script>"
    cells = notebook(
        {"cell_type": "markdown", "source": ["# Costs\n", bad]},
        code("print('```')", output_type="stream", text=[bad]),
        code("1/0", output_type="error", ename="ZeroDivisionError", evalue="division by zero"),
        code("plot()", output_type="display_data", data={"image/png": "iVBOR", "text/html": bad}),
    )
    submission = with_files(case, cohort, aye, now, ("a.ipynb", cells))
    [part] = workpieces.parts_of(submission, submission.student)
    shown = workpieces.passages(submission, part)
    assert [one.place for one in shown] == ["cell-1", "cell-2", "cell-3", "cell-4"]
    html = "".join(one.html for one in shown)
    assert "<script" not in html and "ZeroDivisionError: division by zero" in html
    assert "a picture: it is in the file" in html


def pdf(*pages):
    from io import BytesIO

    document = pydyf.PDF()
    font = pydyf.Dictionary({"Type": "/Font", "Subtype": "/Type1", "BaseFont": "/Helvetica"})
    document.add_object(font)
    for text in pages:
        stream = pydyf.Stream()
        stream.begin_text()
        stream.set_font_size("F", 12)
        stream.set_text_matrix(1, 0, 0, 1, 50, 700)
        stream.show_text_string(text)
        stream.end_text()
        document.add_object(stream)
        fonts = pydyf.Dictionary({"Font": pydyf.Dictionary({"F": font.reference})})
        page = {"Type": "/Page", "Parent": document.pages.reference, "MediaBox": pydyf.Array([0, 0, 595, 842])}
        document.add_page(pydyf.Dictionary(page | {"Resources": fonts, "Contents": stream.reference}))
    out = BytesIO()
    document.write(out)
    return out.getvalue()


def test_a_report_is_shown_page_by_page_and_a_broken_one_is_a_download(case, cohort, aye, bo, chit, now):
    submission = with_files(case, cohort, aye, now, ("report.pdf", pdf("The first page.", "The second <b>page</b>.")))
    [part] = workpieces.parts_of(submission, submission.student)
    assert [(one.place, one.text) for one in workpieces.passages(submission, part)] == [
        ("page-1", "The first page."),
        ("page-2", "The second <b>page</b>."),
    ]
    broken = with_files(case, cohort, bo, now, ("report.pdf", b"%PDF-1.7\n nothing"))
    assert "This file is not shown here" in browser(chit).get(desk(cohort, broken)).content.decode()


# --- writing -------------------------------------------------------------------------------------------------


def test_a_remark_stands_at_its_paragraph_without_a_script(cohort, chit, of_aye):
    assert 'name="place" value="p-3"' in browser(chit).get(f"{desk(cohort, of_aye)}?part=&at=p-3").content.decode()
    answer = post(chit, cohort, of_aye, quote="The cold start")
    kept = Remark.objects.get()
    assert answer.url == f"{desk(cohort, of_aye)}?part=#r-{kept.pk}"
    said = browser(chit).get(desk(cohort, of_aye)).content.decode()
    assert "Why 3.4?" in said and "<mark>The cold start</mark>" in said
    assert (kept.quote, kept.after) == ("The cold start", "fell from 9.1 s to 3.4 s . cheap slow")


def test_a_remark_does_not_get_in_the_way_of_an_open_score(cohort, chit, of_aye):
    post(chit, cohort, of_aye)
    browser(chit).post(desk(cohort, of_aye), scores())
    assert Feedback.objects.get().state == "ready" and Remark.objects.count() == 1


def test_the_same_remark_sent_twice_is_one(chit, of_aye, now):
    assert say(of_aye, chit, now) == say(of_aye, chit, now)
    assert Remark.objects.count() == 1


@pytest.mark.parametrize(
    "change, said", [({"text": " "}, "The comment is empty"), ({"place": "p-99"}, "is not in this version")]
)
def test_a_remark_that_cannot_be_kept_says_why(cohort, chit, of_aye, change, said):
    answer = post(chit, cohort, of_aye, **change)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not Remark.objects.exists()


def test_of_two_who_change_a_remark_the_second_is_told_and_keeps_their_words(cohort, chit, admin, of_aye, now):
    kept = say(of_aye, chit, now)
    post(chit, cohort, of_aye, remark=kept.pk, revision=1, text="From chit.")
    answer = post(admin, cohort, of_aye, remark=kept.pk, revision=1, text="From hazel.")
    said = answer.content.decode()
    assert answer.status_code == 422 and "it says now: From chit." in said and "From hazel." in said
    assert Remark.objects.get().text_md == "From chit."


def test_a_remark_can_be_taken_away_until_somebody_replied(cohort, chit, aye, of_aye, now):
    kept, other = say(of_aye, chit, now), say(of_aye, chit, now, "Another.")
    post(chit, cohort, of_aye, remark=other.pk, revision=1, do="remove")
    release(of_aye, chit, now)
    feedback = Feedback.objects.get()
    replying.reply(feedback, aye, text="Ten times.", key="k", remark=kept, now=now)
    answer = post(chit, cohort, of_aye, remark=kept.pk, revision=1, do="remove", shows="yes")
    assert "has a reply" in answer.content.decode()
    assert [one.pk for one in Remark.objects.all()] == [kept.pk]


def test_a_remark_begun_before_the_release_does_not_reach_the_student_unasked(cohort, chit, of_aye, now):
    release(of_aye, chit, now)
    answer = post(chit, cohort, of_aye, text="Half a tho")
    assert answer.status_code == 422 and "released while you wrote" in answer.content.decode()
    assert "Half a tho" in answer.content.decode() and not Remark.objects.exists()
    post(chit, cohort, of_aye, text="Whole.", shows="yes")
    assert Feedback.objects.get().is_unread


# --- over versions -------------------------------------------------------------------------------------------


def test_remarks_follow_their_words_into_a_new_version(case, cohort, aye, chit, of_aye, now):
    say(of_aye, chit, now, "Good choice.", place="p-2")
    say(of_aye, chit, now, "How many?", place="p-3")
    say(of_aye, chit, now, "Which is slow?", place="p-4")
    newer = hand_in(case, cohort, aye, now, TWO)
    parts = workpieces.parts_of(newer, newer.student)
    shown = workpieces.passages(newer, parts[0])
    placed, counts = remarks.placed(newer, parts, parts[0], shown, Feedback.objects.all())
    told = {one.remark.text_md: one.found and (one.place, one.found.is_moved, one.found.is_changed) for one in placed}
    assert told == {"Good choice.": ("p-4", True, False), "How many?": ("p-3", False, True), "Which is slow?": None}
    assert counts == {"": 3} and all(one.is_earlier for one in placed)
    said = browser(chit).get(desk(cohort, newer)).content.decode()
    assert "on version 1, moved here" in said and "the words have changed" in said
    assert "Comments whose place is gone" in said


def test_remarks_on_a_notebook_follow_it_when_its_file_gets_another_name(case, cohort, aye, chit, now):
    first = with_files(case, cohort, aye, now, ("a.ipynb", notebook(code("import boto3"), code("cost = 4 * 0.17"))))
    say(first, chit, now, "Name the unit.", place="cell-2")
    draft = submitting.draft_of(case, cohort, aye, now=now)
    submitting.remove_file(draft, draft.files.get().pk, now=now)
    cells = notebook(code("x = 1"), code("import boto3"), code("cost = 4 * 0.17"))
    newer = with_files(case, cohort, aye, now, ("b.ipynb", cells))
    parts = workpieces.parts_of(newer, newer.student)
    shown = workpieces.passages(newer, parts[0])
    [one], _ = remarks.placed(newer, parts, parts[0], shown, Feedback.objects.all())
    assert (one.place, one.found.is_moved) == ("cell-3", True)


# --- saving by itself, two reviewers, the bank ---------------------------------------------------------------


def autosave(user, cohort, submission, **form):
    return browser(user).post(
        desk(cohort, submission), scores(do="save", **form), headers={"X-Requested-With": "autosave"}
    )


def test_feedback_saves_itself_and_says_its_revision(cohort, chit, of_aye):
    answer = autosave(chit, cohort, of_aye, comment="Half")
    assert answer.json()["revision"] == 1 and "as a draft" in answer.json()["said"]
    assert autosave(chit, cohort, of_aye, comment="Whole", revision=1).json()["revision"] == 2
    assert Feedback.objects.get().comment_md == "Whole"


def test_what_is_released_is_never_changed_by_itself(cohort, chit, of_aye, now):
    release(of_aye, chit, now)
    answer = autosave(chit, cohort, of_aye, comment="Half a tho", revision=Feedback.objects.get().revision)
    assert answer.status_code == 422 and Feedback.objects.get().comment_md == "Good."


def test_the_second_reviewers_text_is_kept_on_the_server_until_they_choose(cohort, chit, admin, of_aye):
    browser(chit).post(desk(cohort, of_aye), scores(comment="From chit."))
    assert autosave(admin, cohort, of_aye, comment="From hazel.").status_code == 409
    said = browser(admin).get(desk(cohort, of_aye)).content.decode()
    assert "From hazel.</textarea>" in said and "From chit." in said
    assert "From hazel." not in browser(chit).get(desk(cohort, of_aye)).content.decode()
    browser(admin).post(desk(cohort, of_aye), {"do": "drop"})
    assert "From chit.</textarea>" in browser(admin).get(desk(cohort, of_aye)).content.decode()
    autosave(admin, cohort, of_aye, comment="From hazel.")
    autosave(admin, cohort, of_aye, comment="Both.", revision=1)
    assert Feedback.objects.get().comment_md == "Both." and not FeedbackAside.objects.exists()


def test_a_correction_of_what_is_released_keeps_what_it_said(cohort, chit, aye, of_aye, now, clock):
    release(of_aye, chit, now)
    browser(aye).get(Feedback.objects.get().get_absolute_url())
    clock.move_to(now + timedelta(hours=1))
    shown = Feedback.objects.get().revision
    browser(chit).post(desk(cohort, of_aye), scores(do="save", comment="Better.", revision=shown))
    kept = FeedbackBefore.objects.get()
    assert (kept.comment_md, kept.score, kept.by, kept.way) == ("Good.", 9, chit, "desk")
    assert Feedback.objects.get().is_unread


def test_a_phrase_of_the_bank_goes_below_what_is_written(cohort, chit, of_aye):
    client = browser(chit)
    client.post(reverse("portal:phrases", args=[cohort.slug]), {"label": "Units", "text": "Show the units."})
    phrase = Phrase.objects.get()
    client.post(desk(cohort, of_aye), scores(comment="Good.", do=f"phrase-{phrase.pk}"))
    assert Feedback.objects.get().comment_md == "Good.\n\nShow the units."
    post(chit, cohort, of_aye, text="Pin the base image, always.", keep="yes")
    assert Phrase.objects.get(label="Pin the base image,").text_md == "Pin the base image, always."
    client.post(reverse("portal:phrases", args=[cohort.slug]), {"phrase": phrase.pk, "do": "remove"})
    assert not Phrase.objects.filter(pk=phrase.pk).exists()


def test_the_queue_tells_late_and_resubmitted_apart(case, cohort, aye, bo, chit, of_aye, now):
    write(of_aye, chit, now)
    hand_in(case, cohort, aye, now, TWO)
    hand_in(case, cohort, bo, now + timedelta(days=1))
    groups = reviewing.in_groups(reviewing.queue(cohort, case, now))
    assert {group: [one.membership.user for one in rows] for group, rows in groups.items()} == {
        "again": [aye],
        "late": [bo],
    }
    said = browser(chit).get(reverse("portal:review_queue", args=[cohort.slug, 2])).content.decode()
    assert said.index("Resubmitted") < said.index("Late")


def test_by_script_only_the_desk_is_sent_and_ready_names_the_next_one(case, cohort, bo, chit, of_aye, now):
    of_bo = hand_in(case, cohort, bo, now)
    client, script = browser(chit), {"X-Requested-With": "desk"}
    page = client.get(desk(cohort, of_aye), headers=script).content.decode()
    assert "<html" not in page and 'class="lo-desk"' in page
    answer = client.post(desk(cohort, of_aye), scores(), headers=script).json()
    assert answer == {"next": desk(cohort, of_bo), "is_desk": True}


# --- back and forth ------------------------------------------------------------------------------------------


def test_feedback_is_unread_until_its_student_opens_it(cohort, chit, aye, of_aye, now):
    release(of_aye, chit, now)
    address = Feedback.objects.get().get_absolute_url()
    browser(chit).get(address)
    assert ">new</span>" in browser(aye).get(reverse("portal:submissions")).content.decode()
    browser(aye).get(address)
    assert ">new</span>" not in browser(aye).get(reverse("portal:submissions")).content.decode()


def test_a_reply_reaches_the_reviewer_and_the_answer_the_student(cohort, chit, aye, of_aye, now, clock):
    remark = say(of_aye, chit, now)
    release(of_aye, chit, now)
    address = reverse("portal:reply", args=[of_aye.number])
    form = {"text": "Ten times.", "key": uuid.uuid4().hex, "remark": remark.pk}
    browser(aye).get(Feedback.objects.get().get_absolute_url())
    browser(aye).post(address, form)
    browser(aye).post(address, form)
    assert Reply.objects.count() == 1 and Feedback.objects.get().is_asked
    assert "replied</span>" in browser(chit).get(reverse("portal:review_queue", args=[cohort.slug, 2])).content.decode()
    clock.move_to(now + timedelta(hours=1))
    # Fetched ahead by a script, nobody has read it.
    browser(chit).get(desk(cohort, of_aye), headers={"X-Requested-With": "ahead"})
    assert Feedback.objects.get().is_asked
    assert "Ten times." in browser(chit).get(desk(cohort, of_aye)).content.decode()
    assert not Feedback.objects.get().is_asked
    browser(chit).post(address, {"text": "Good.", "key": uuid.uuid4().hex})
    assert Feedback.objects.get().is_unread
    assert "Good." in browser(aye).get(Feedback.objects.get().get_absolute_url()).content.decode()
    told = Notice.objects.filter(key__startswith="reply").values_list("person__name", "words")
    assert sorted(told) == [("Aye", ""), ("Chit", "")]


def test_nobody_replies_to_what_is_not_released(chit, aye, of_aye, now):
    write(of_aye, chit, now)
    with pytest.raises(Refused, match="no feedback here"):
        replying.reply(Feedback.objects.get(), aye, text="Hm?", key="k", now=now)
    address = reverse("portal:reply", args=[of_aye.number])
    assert browser(aye).post(address, {"text": "Hm?", "key": uuid.uuid4().hex}).status_code == 404


# --- the agenda ----------------------------------------------------------------------------------------------


def test_what_is_alike_is_counted_once_a_student(case, cohort, aye, bo, chit, of_aye, now):
    of_bo = hand_in(case, cohort, bo, now)
    write(of_aye, chit, now, comment="Well done.\n\nShow the units in your table, please.")
    write(of_bo, chit, now, comment="Please show the units in your table.")
    say(of_aye, chit, now, "Show the units in your table!")
    say(of_bo, chit, now, "Pin it.", place="p-1")
    found = [(one.text, one.students) for one in agenda.remarked(cohort, case.week)]
    assert found[0][1] == 2 and "units" in found[0][0]
    assert ("Well done.", 1) in found and ("Pin it.", 1) in found
    assert agenda.weak_lines(cohort, case.week) == [("Cost aware", 1.0, 5, 2), ("Explained", 0.0, 5, 2)]


def test_the_agenda_is_chosen_and_shown_to_students_after_the_release(case, cohort, aye, chit, of_aye, now):
    address = reverse("portal:agenda", args=[cohort.slug, 2])
    write(of_aye, chit, now, comment="Show the units.")
    browser(chit).post(address, {"item": ["Show the units."], "own": "Spot prices\n\n"})
    assert list(AgendaItem.objects.values_list("text", "students")) == [("Show the units.", 1), ("Spot prices", 0)]
    assert agenda.of(cohort, case.week, now) == []
    of_the_week = reverse("portal:week", args=[2])
    assert "Spot prices" not in browser(aye).get(of_the_week).content.decode()
    releasing.release(cohort, case.week, by=chit, now=now)
    for page in (of_aye.feedback.get_absolute_url(), of_the_week):
        assert "Spot prices" in browser(aye).get(page).content.decode()
