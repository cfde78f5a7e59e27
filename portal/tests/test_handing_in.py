"""The form of a case study over HTTP: whatever happens on the way, the text is kept and the outcome is clear."""

import errno
import re
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from conftest import YANGON, person
from labs import keeping
from portal import filing, releasing, reviewing, submitting
from portal.models import Assignment, Draft, DraftFile, Submission

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
HERE = [2, "case"]


@pytest.fixture
def client_of_aye(signed_in, aye):
    return signed_in(aye)


def address(name, *more):
    return reverse(f"portal:{name}", args=[*HERE, *more])


def form(answer="", *, revision=0, window=None, sent=0, **more):
    """The fields of the form as a browser sends them: `whole` is the last."""
    window = window or uuid.uuid4().hex
    return {"window": window, "revision": revision, "sent": sent, "answer": answer, **more, "whole": "yes"}


def page_of(client):
    return client.get(address("assignment")).content.decode()


def pdf(name="report.pdf", content=PDF):
    return SimpleUploadedFile(name, content)


def said(answer):
    return [str(message) for message in answer.context["messages"]]


# --- saving ------------------------------------------------------------------------------------------------


def test_the_save_button_keeps_the_text_and_shows_it_again(client_of_aye):
    answer = client_of_aye.post(address("draft"), form("I lean to the cloud."), follow=True)
    assert said(answer) == ["Your draft is saved."]
    assert "I lean to the cloud.</textarea>" in page_of(client_of_aye)


def test_autosave_gets_the_new_revision(client_of_aye):
    answer = client_of_aye.post(address("draft"), form("one"), headers={"X-Requested-With": "autosave"})
    assert (answer.status_code, answer.json()) == (200, {"revision": 1, "said": "Saved 14:47"})


def test_autosave_of_a_second_window_is_told_of_the_conflict_and_both_texts_are_shown(client_of_aye):
    client_of_aye.post(address("draft"), form("from the first"))
    answer = client_of_aye.post(address("draft"), form("from the second"), headers={"X-Requested-With": "autosave"})
    assert answer.status_code == 409
    assert "Both are kept" in answer.json()["said"]
    shown = page_of(client_of_aye)
    assert "from the first" in shown and "from the second" in shown


def test_of_two_texts_one_is_chosen_and_the_other_is_still_there(client_of_aye):
    client_of_aye.post(address("draft"), form("first"))
    client_of_aye.post(address("draft"), form("second"))
    draft = Draft.objects.get()
    aside = draft.asides.get()
    client_of_aye.post(address("choose_text", aside.pk, "take"), form("first", revision=draft.revision))
    draft.refresh_from_db()
    assert (draft.answer_md, draft.asides.get().answer_md) == ("second", "first")


def test_a_request_that_was_cut_off_changes_nothing(client_of_aye):
    client_of_aye.post(address("draft"), form("the whole text"))
    cut = form("the wh", revision=1)
    del cut["whole"]
    answer = client_of_aye.post(address("draft"), cut)
    assert answer.status_code == 400
    assert "connection was cut" in answer.content.decode()
    assert Draft.objects.get().answer_md == "the whole text"


def test_an_upload_that_was_cut_off_puts_no_half_file_into_the_draft(client_of_aye):
    """The body ends in the middle of the file, as when a phone loses its network: no boundary, no last field."""
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="answer"\r\n\r\nText\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="files"; filename="report.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\nhalf of it"
    )
    answer = client_of_aye.post(address("add_files"), body, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 400
    assert not DraftFile.objects.exists()


def test_a_text_over_the_limit_is_refused_and_still_stands_in_the_form(client_of_aye):
    client_of_aye.post(address("draft"), form("short"))
    answer = client_of_aye.post(address("draft"), form("b" * 200_001, revision=1))
    assert answer.status_code == 422
    assert "up to 200,000 can be kept" in answer.content.decode()
    assert "b" * 200_001 in answer.content.decode()
    assert Draft.objects.get().answer_md == "short"


def test_a_script_in_an_answer_is_shown_not_run(client_of_aye):
    client_of_aye.post(address("draft"), form("</textarea><script>alert(1)</script>"))
    assert "<script>alert(1)" not in page_of(client_of_aye)
    preview = client_of_aye.get(address("assignment"), {"view": "preview"}).content.decode()
    assert "<script>alert(1)" not in preview


def test_an_answer_that_begins_with_an_empty_line_keeps_it(client_of_aye):
    client_of_aye.post(address("draft"), form("\r\nsecond line"))
    assert re.search(r"<textarea[^>]*>\n\nsecond line</textarea>", page_of(client_of_aye))


# --- files -------------------------------------------------------------------------------------------------


def test_several_files_are_added_at_once_and_the_text_beside_them_is_saved(client_of_aye):
    answer = client_of_aye.post(address("add_files"), form("text", files=[pdf("a.pdf"), pdf("b.pdf")]), follow=True)
    assert said(answer) == ["a.pdf was added.", "b.pdf was added."]
    draft = Draft.objects.get()
    assert draft.answer_md == "text"
    assert [file.name for file in draft.files.all()] == ["a.pdf", "b.pdf"]


def test_a_file_over_the_limit_is_dropped_while_the_text_and_the_other_file_arrive(client_of_aye):
    Assignment.objects.update(max_bytes=100_000)
    files = [pdf("huge.pdf", PDF + b"x" * 300_000), pdf("small.pdf")]
    answer = client_of_aye.post(address("add_files"), form("text", files=files), follow=True)
    assert said(answer) == [
        "huge.pdf was not added: files may have up to 97.7 KB. The rest of your draft is saved.",
        "small.pdf was added.",
    ]
    assert Draft.objects.get().answer_md == "text"


@pytest.mark.parametrize(
    "upload, why",
    [
        (pdf("empty.pdf", b""), "empty (0 bytes)"),
        (pdf("fake.pdf", b"MZ\x90\x00" + b"\x00" * 50), "not a PDF inside"),
        (pdf("tool.exe", b"MZ"), "not of a type that this case study takes"),
    ],
)
def test_a_refused_file_says_why_and_the_draft_is_kept(client_of_aye, upload, why):
    answer = client_of_aye.post(address("add_files"), form("my words", files=[upload]), follow=True)
    (message,) = said(answer)
    assert why in message
    assert "my words</textarea>" in page_of(client_of_aye)
    assert not DraftFile.objects.exists()


def test_adding_without_choosing_a_file_says_so(client_of_aye):
    answer = client_of_aye.post(address("add_files"), form("text"), follow=True)
    assert said(answer) == ["Choose one or more files first, then add them."]


def test_a_file_named_like_a_script_is_shown_as_text_and_sent_back_under_its_name(client_of_aye):
    client_of_aye.post(address("add_files"), form(files=[pdf("<script>alert(1)<b>.pdf")]))
    file = DraftFile.objects.get()
    assert file.name == "<script>alert(1)<b>.pdf"
    assert "<script>alert(1)" not in page_of(client_of_aye)
    answer = client_of_aye.get(address("draft_file", file.pk))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_file_named_in_burmese_comes_back_under_its_name(client_of_aye):
    client_of_aye.post(address("add_files"), form(files=[pdf("အဖြေ.pdf")]))
    answer = client_of_aye.get(address("draft_file", DraftFile.objects.get().pk))
    assert "filename*=utf-8''%E1%80%A1" in answer["Content-Disposition"]


def test_a_file_is_removed_one_by_one(client_of_aye):
    client_of_aye.post(address("add_files"), form(files=[pdf("a.pdf"), pdf("b.pdf")]))
    first = DraftFile.objects.first()
    answer = client_of_aye.post(address("remove_file", first.pk), form(), follow=True)
    assert said(answer)[-1] == "a.pdf was taken out of the draft. Versions that you handed in keep it."
    assert [file.name for file in DraftFile.objects.all()] == ["b.pdf"]


def test_another_students_draft_file_cannot_be_read_or_removed(client_of_aye, bo):
    client_of_aye.post(address("add_files"), form(files=[pdf()]))
    file = DraftFile.objects.get()
    client = Client()
    client.force_login(bo, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address("draft_file", file.pk)).status_code == 404
    client.post(address("remove_file", file.pk), form())
    assert DraftFile.objects.filter(pk=file.pk).exists()


def test_the_form_with_files_is_checked_for_its_csrf_token(aye):
    client = Client(enforce_csrf_checks=True)
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(address("add_files"), form(files=[pdf()])).status_code == 403
    assert client.post(address("draft"), form("text")).status_code == 403
    client.get(address("assignment"))
    token = client.cookies["csrftoken"].value
    answer = client.post(address("add_files"), {"csrfmiddlewaretoken": token} | form(files=[pdf()]))
    assert answer.status_code == 302
    assert DraftFile.objects.count() == 1


# --- handing in --------------------------------------------------------------------------------------------


def test_the_receipt_says_what_was_received_and_when(client_of_aye):
    client_of_aye.post(address("add_files"), form("Cloud.", files=[pdf()]))
    answer = client_of_aye.post(address("submit"), form("Cloud.", revision=1), follow=True)
    receipt = answer.content.decode()
    submission = Submission.objects.get()
    assert submission.number in receipt
    assert "Thu 18 Sep 2025, 14:47:00 Yangon (UTC+6:30)" in receipt
    assert submission.answer_sha256 in receipt
    assert submission.files.get().sha256 in receipt
    text = client_of_aye.get(reverse("portal:receipt_text", args=[submission.number])).content.decode()
    assert "2025-09-18 14:47:00 +0630 Asia/Yangon" in text
    assert submission.files.get().sha256 in text


def test_the_submit_button_hands_in_what_stands_in_the_form_even_if_it_was_never_saved(client_of_aye):
    client_of_aye.post(address("submit"), form("typed and sent at once"))
    assert Submission.objects.get().answer_md == "typed and sent at once"


def test_a_double_click_makes_one_version(client_of_aye):
    twice = form("Cloud.")
    first, second = (client_of_aye.post(address("submit"), twice) for _ in "ab")
    assert first.url == second.url
    assert Submission.objects.count() == 1


def test_handing_in_the_same_again_says_that_nothing_has_changed(client_of_aye):
    client_of_aye.post(address("submit"), form("Cloud."))
    answer = client_of_aye.post(address("submit"), form("Cloud.", revision=1), follow=True)
    assert said(answer) == ["Nothing has changed since version 1: this is its receipt."]


def test_nothing_is_handed_in_while_two_texts_wait_for_a_choice(client_of_aye):
    client_of_aye.post(address("draft"), form("first"))
    answer = client_of_aye.post(address("submit"), form("second"), follow=True)
    assert "Nothing was handed in" in said(answer)[-1]
    assert not Submission.objects.exists()
    assert "second" in page_of(client_of_aye)


def test_an_empty_form_cannot_be_handed_in(client_of_aye):
    answer = client_of_aye.post(address("submit"), form("   "), follow=True)
    assert said(answer) == ["There is nothing to hand in yet: write an answer or add a file."]


def test_versions_are_listed_with_the_one_that_counts_first(client_of_aye):
    client_of_aye.post(address("submit"), form("one"))
    client_of_aye.post(address("submit"), form("two", revision=1))
    shown = page_of(client_of_aye)
    assert shown.index("Version 2, counts now") < shown.index("Version 1")
    assert "Hand in version 3" in shown


def test_a_file_of_a_version_is_there_after_it_left_the_draft(client_of_aye):
    client_of_aye.post(address("submit"), form(), follow=True)
    client_of_aye.post(address("add_files"), form(files=[pdf()]))
    client_of_aye.post(address("submit"), form())
    client_of_aye.post(address("remove_file", DraftFile.objects.get().pk), form())
    submission = Submission.objects.get()
    answer = client_of_aye.get(reverse("portal:submission_file", args=[submission.number, submission.files.get().pk]))
    assert b"".join(answer.streaming_content) == PDF


def test_a_receipt_is_for_its_student_and_those_who_teach_them(client_of_aye, bo, chit, other_cohort, now):
    from portal import enrolling

    client_of_aye.post(address("submit"), form("Cloud."))
    receipt = Submission.objects.get().get_absolute_url()
    stranger = person("dahlia")
    enrolling.enrol(other_cohort, stranger, role="instructor", now=now)
    outcomes = {}
    for one in (bo, chit, stranger):
        client = Client()
        client.force_login(one, backend="django.contrib.auth.backends.ModelBackend")
        outcomes[one.name] = client.get(receipt).status_code
    assert outcomes == {"Bo": 404, "Chit": 200, "Dahlia": 404}


def test_a_file_that_was_chosen_and_not_added_goes_in_all_the_same(client_of_aye):
    client_of_aye.post(address("submit"), form("Cloud.", files=pdf("notes.pdf")))
    assert [file.name for file in Submission.objects.get().files.all()] == ["notes.pdf"]


def test_a_chosen_file_that_cannot_go_in_stops_the_handing_in_and_keeps_the_text(client_of_aye):
    empty = SimpleUploadedFile("empty.pdf", b"")
    answer = client_of_aye.post(address("submit"), form("Cloud.", files=empty), follow=True)
    assert not Submission.objects.exists()
    assert "Nothing was handed in." in " ".join(said(answer))
    assert "Cloud.</textarea>" in page_of(client_of_aye)


def test_saving_the_draft_takes_the_chosen_files_along(client_of_aye):
    client_of_aye.post(address("draft"), form("Cloud.", files=pdf("notes.pdf")))
    assert [file.name for file in DraftFile.objects.all()] == ["notes.pdf"]


def test_an_instructor_has_no_form_to_hand_in(signed_in, chit):
    client = signed_in(chit)
    assert 'name="answer"' not in page_of(client)
    assert client.post(address("submit"), form("mine")).status_code == 404


@pytest.mark.parametrize("window", ["", "not-a-window", "x" * 500])
def test_a_form_with_broken_fields_changes_nothing(client_of_aye, window):
    answer = client_of_aye.post(address("draft"), form("text") | {"window": window})
    assert answer.status_code == 400
    assert Draft.objects.filter(answer_md="text").count() == 0


def test_the_model_answer_opens_after_the_deadline(client_of_aye, clock):
    assert "One good answer to 2" not in page_of(client_of_aye)
    clock.move_to(datetime(2025, 9, 18, 23, 59, 59, tzinfo=YANGON))
    assert "One good answer to 2" not in page_of(client_of_aye)
    clock.move_to(datetime(2025, 9, 19, 0, 0, 0, tzinfo=YANGON))
    assert "One good answer to 2" in page_of(client_of_aye)


def test_an_answer_that_was_emptied_is_handed_in_only_by_who_says_so(client_of_aye):
    """White space is empty. Without a script too: the page asks with a box, and version 1 stays as it was."""
    client_of_aye.post(address("submit"), form("Five words lean to cloud.", files=[pdf()]))
    assert 'name="without_answer"' not in page_of(client_of_aye)
    answer = client_of_aye.post(address("submit"), form("  \n ", revision=1), follow=True)
    assert said(answer) == [
        "Nothing was handed in yet: the answer is empty, and version 1 had 5 words. "
        "Write an answer, or tick the box by the button first."
    ]
    assert "Hand in without a written answer; version 1 had 5 words." in answer.content.decode()
    assert Submission.objects.get().answer_md == "Five words lean to cloud."

    client_of_aye.post(address("submit"), form("  \n ", revision=2, without_answer="yes"))
    assert [one.answer_md for one in Submission.objects.order_by("version")] == ["Five words lean to cloud.", ""]
    assert 'name="without_answer"' not in page_of(client_of_aye), "what counts now has no words to give up"


def test_a_version_of_files_alone_is_not_asked_about(client_of_aye):
    client_of_aye.post(address("submit"), form(" \n", files=[pdf("a.pdf")]))
    client_of_aye.post(address("submit"), form("", revision=1, files=[pdf("b.pdf")]))
    assert [one.answer_md for one in Submission.objects.all()] == ["", ""]


# --- after the deadline ----------------------------------------------------------------------------------------

FRIDAY = datetime(2025, 9, 19, 9, 0, tzinfo=YANGON)
TICK = "I know that the model answer is open"


def test_before_the_deadline_nothing_has_to_be_known(client_of_aye):
    client_of_aye.post(address("submit"), form("one"))
    assert 'name="knows"' not in page_of(client_of_aye)
    client_of_aye.post(address("submit"), form("two", revision=1))
    assert Submission.objects.filter(is_late=False, after_model_answer=False).count() == 2


def test_beside_an_open_model_answer_a_version_is_asked_about_then_taken_and_marked(client_of_aye, clock):
    clock.move_to(FRIDAY)
    assert TICK in page_of(client_of_aye)
    answer = client_of_aye.post(address("submit"), form("Copied?", asks="yes"), follow=True)
    assert "Nothing was handed in yet, and your text is saved." in said(answer)[-1]
    assert not Submission.objects.exists()
    assert "Copied?</textarea>" in page_of(client_of_aye)

    client_of_aye.post(address("submit"), form("Copied?", revision=1, asks="yes", knows="yes"))
    submission = Submission.objects.get()
    assert (submission.answer_md, submission.is_late, submission.after_model_answer) == ("Copied?", True, True)
    receipt = client_of_aye.get(submission.get_absolute_url()).content.decode()
    assert "after the deadline" in receipt and "after the model answer" in receipt
    text = client_of_aye.get(reverse("portal:receipt_text", args=[submission.number])).content.decode()
    assert "after the deadline and the model answer" in text
    assert "after the model answer" in page_of(client_of_aye)


def test_a_form_from_before_the_deadline_is_taken_when_it_arrives_after_it_and_says_so(client_of_aye, clock):
    clock.move_to(FRIDAY)
    client_of_aye.post(address("submit"), form("It was under way at 23:59."))
    assert Submission.objects.get().after_model_answer


def test_without_a_model_answer_late_is_only_late(client_of_aye, clock):
    Assignment.objects.update(model_answer_md="")
    clock.move_to(FRIDAY)
    assert 'name="knows"' not in page_of(client_of_aye)
    client_of_aye.post(address("submit"), form("late"))
    assert (Submission.objects.get().is_late, Submission.objects.get().after_model_answer) == (True, False)


@pytest.mark.parametrize("model_answer", ["Open.", ""])
def test_what_was_reviewed_is_replaced_only_by_who_knows_it_and_stays(client_of_aye, chit, cohort, clock, model_answer):
    """Also a form of long ago, which has no box, is asked."""
    Assignment.objects.update(model_answer_md=model_answer)
    client_of_aye.post(address("submit"), form("one"))
    reviewed = Submission.objects.get()
    points = {"cost": 4, "why": 5}
    reviewing.write(reviewed, chit, comment="Good.", points=points, revision=0, ready=True, now=FRIDAY)
    releasing.release(cohort, reviewed.assignment.week, by=chit, now=FRIDAY)
    clock.move_to(FRIDAY)
    assert "version 1 was reviewed." in page_of(client_of_aye)
    assert "place of version 1, which was reviewed." in page_of(client_of_aye)
    answer = client_of_aye.post(address("submit"), form("two", revision=1), follow=True)
    assert "Nothing was handed in yet" in said(answer)[-1]
    assert Submission.objects.get() == reviewed

    client_of_aye.post(address("submit"), form("two", revision=2, asks="yes", knows="yes"))
    assert [one.version for one in Submission.objects.order_by("version")] == [1, 2]
    assert Submission.objects.get(version=1).feedback.score == 9
    assert "place of version 2." in page_of(client_of_aye), "version 2 was not reviewed"
    client = Client()
    client.force_login(chit, backend="django.contrib.auth.backends.ModelBackend")
    queue = client.get(reverse("portal:review_queue", args=[cohort.slug, 2])).content.decode()
    desk = client.get(reverse("portal:review_desk", args=[cohort.slug, Submission.objects.get(version=2).number]))
    for page in (queue, desk.content.decode()):
        assert ("after the model answer" in page) is bool(model_answer)


def test_a_lost_file_is_said_not_handed_in(client_of_aye):
    client_of_aye.post(address("add_files"), form(files=[pdf()]))
    filing.on_disk(DraftFile.objects.get().path).unlink()
    answer = client_of_aye.post(address("submit"), form("text"), follow=True)
    assert "damaged on our disk" in said(answer)[-1]
    assert Draft.objects.get().answer_md == "text"


# --- a full disk -----------------------------------------------------------------------------------------------


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["__init__", "write", "settle"])
def test_a_full_disk_is_told_in_words_and_the_text_is_kept(client_of_aye, monkeypatch, step):
    monkeypatch.setattr(keeping.Arriving, step, no_space)
    answer = client_of_aye.post(address("submit"), form("Cloud.", files=pdf()), follow=True)
    assert "the portal's disk does not take it now" in said(answer)[0] and "Nothing was handed in." in said(answer)[1]
    assert "Cloud.</textarea>" in answer.content.decode() and not Submission.objects.exists()


def test_what_nobody_took_of_a_form_goes_from_the_disk(client_of_aye):
    client_of_aye.post(address("submit"), form("Cloud.", files=[pdf(), pdf("notes.pdf", content=b"no PDF")]))
    [kept] = DraftFile.objects.all()
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == [filing.on_disk(kept.path)]


def test_what_changed_while_the_bytes_came_is_what_counts(client_of_aye, aye, cohort, monkeypatch):
    """Another window hands in meanwhile: what was read before the bytes is not believed."""
    client_of_aye.post(address("draft"), form("one"))
    draft, read = Draft.objects.get(), submitting.work_of

    def meanwhile(case):
        work = read(case)
        submitting.submit(draft, key="other", now=case.now)
        return work

    monkeypatch.setattr(submitting, "work_of", meanwhile)
    client_of_aye.post(address("submit"), form("two", revision=1))
    assert [(one.version, one.answer_md) for one in Submission.objects.order_by("version")] == [(1, "one"), (2, "two")]


# --- what late work means ----------------------------------------------------------------------------------------


def test_the_second_its_zone_and_the_points_are_told_beforehand_and_taken_off_late_work(client_of_aye, clock):
    Assignment.objects.update(late_points_a_day=2)
    shown = page_of(client_of_aye)
    assert "Thu 18 Sep 2025, 23:59:59 Yangon (UTC+6:30)</time>, that second included" in shown
    assert "each day, or part of one, takes 2 points off" in shown
    clock.move_to(datetime(2025, 9, 20, 0, 0, tzinfo=YANGON))
    client_of_aye.post(address("submit"), form("late"))
    assert (Submission.objects.get().is_late, Submission.objects.get().late_points) == (True, 4)
    assert "late, 4 points off" in page_of(client_of_aye)
