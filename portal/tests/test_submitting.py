"""From the first word to the receipt. Nobody's text is lost, nothing is handed in twice, and a receipt is the truth."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from conftest import YANGON
from portal import filing
from portal.filing import Refused
from portal.models import Assignment, Draft, Submission
from portal.submitting import MAX_ANSWER, add_file, draft_of, remove_file, save_draft, submit, take_aside

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


@pytest.fixture
def draft(case, cohort, aye, now):
    return draft_of(case, cohort, aye, now=now)


def pdf(name="report.pdf", more=b""):
    return SimpleUploadedFile(name, PDF + more)


def write(draft, text, now, window="one"):
    draft.refresh_from_db()
    return save_draft(draft, text, revision=draft.revision, window=window, now=now).draft


def hand_in(draft, now, key="key"):
    """As the view does: in a transaction that commits, so that what waits for the commit happens."""
    return submit(draft, key=key, now=now)[0]


# --- the draft ---------------------------------------------------------------------------------------------


def test_a_draft_is_kept_as_typed(draft, now):
    saved = save_draft(draft, "Cloud.\r\nBy region.", revision=0, window="one", now=now)
    assert not saved.is_conflict
    draft.refresh_from_db()
    assert (draft.answer_md, draft.revision, draft.updated_at) == ("Cloud.\nBy region.", 1, now)


def test_there_is_one_draft_however_often_it_is_opened(draft, case, cohort, aye, now):
    assert draft_of(case, cohort, aye, now=now + timedelta(hours=1)) == draft


def test_of_two_windows_the_second_to_save_keeps_its_text_aside(draft, now):
    write(draft, "from the first window", now)
    second = save_draft(draft, "from the second window", revision=0, window="two", now=now)
    draft.refresh_from_db()
    assert second.is_conflict
    assert draft.answer_md == "from the first window"
    assert [aside.answer_md for aside in draft.asides.all()] == ["from the second window"]


def test_a_window_that_goes_on_typing_has_one_text_aside_its_newest(draft, now):
    write(draft, "first", now)
    for text in ("sec", "second"):
        save_draft(draft, text, revision=0, window="two", now=now)
    save_draft(draft, "third", revision=0, window="three", now=now)
    assert sorted(draft.asides.values_list("answer_md", flat=True)) == ["second", "third"]


def test_a_window_whose_answer_was_lost_does_not_meet_itself(draft, now):
    save_draft(draft, "one", revision=0, window="one", sent=1, now=now)
    again = save_draft(draft, "one two", revision=0, window="one", sent=2, now=now)
    assert not again.is_conflict
    assert again.draft.answer_md == "one two"


def test_a_text_that_was_held_up_on_the_way_does_not_overwrite_a_later_one(draft, now):
    save_draft(draft, "one two", revision=0, window="one", sent=2, now=now)
    late = save_draft(draft, "one", revision=0, window="one", sent=1, now=now)
    assert late.is_conflict
    assert late.draft.answer_md == "one two"


def test_choosing_the_text_aside_puts_the_other_one_aside(draft, now):
    write(draft, "first", now)
    aside = save_draft(draft, "second", revision=0, window="two", now=now).aside
    kept = take_aside(draft, aside.pk, take=True, now=now)
    assert (kept.answer_md, kept.asides.get().answer_md) == ("second", "first")
    assert take_aside(draft, kept.asides.get().pk, take=False, now=now).asides.count() == 0
    draft.refresh_from_db()
    assert draft.answer_md == "second"


def test_choosing_a_text_that_is_gone_changes_nothing(draft, now):
    kept = write(draft, "first", now)
    assert take_aside(draft, 4711, take=True, now=now).revision == kept.revision


def test_the_same_text_from_two_windows_is_no_conflict(draft, now):
    write(draft, "same", now)
    assert not save_draft(draft, "same", revision=0, window="two", now=now).is_conflict


def test_an_answer_over_the_limit_is_refused_and_the_draft_stays(draft, now):
    write(draft, "short", now)
    draft.refresh_from_db()
    with pytest.raises(Refused, match="200,001 characters"):
        save_draft(draft, "a" * (MAX_ANSWER + 1), revision=1, window="one", now=now)
    draft.refresh_from_db()
    assert draft.answer_md == "short"


def test_a_nul_character_does_not_break_the_database(draft, now):
    assert write(draft, "a\x00b", now).answer_md == "a\ufffdb"


# --- its files ---------------------------------------------------------------------------------------------


def test_a_file_is_on_disk_when_it_is_in_the_draft(draft, now):
    added, replaced = add_file(draft, pdf(), now=now)
    assert not replaced
    assert (added.name, added.size, added.sha256) == ("report.pdf", len(PDF), hashlib.sha256(PDF).hexdigest())
    assert filing.is_whole(added)


@pytest.mark.django_db(transaction=True)
def test_a_file_of_the_same_name_replaces_the_one_before_and_its_bytes_go(draft, now):
    first, _ = add_file(draft, pdf(), now=now)
    second, replaced = add_file(draft, pdf(more=b"%%"), now=now)
    assert replaced
    assert [file.sha256 for file in draft.files.all()] == [second.sha256]
    assert not filing.on_disk(first.path).exists()


def test_a_file_of_a_wrong_type_is_told_its_type_though_there_is_no_room_either(draft, case, now):
    case.max_files = 1
    case.save()
    draft = Draft.objects.get(pk=draft.pk)
    add_file(draft, pdf("a.pdf"), now=now)
    with pytest.raises(Refused, match=r"evil.exe is not of a type that this case study takes"):
        add_file(draft, SimpleUploadedFile("evil.exe", b"MZ"), now=now)


def test_one_file_too_many_is_refused_before_it_is_stored(draft, case, now, settings):
    case.max_files = 1
    case.save()
    draft = Draft.objects.get(pk=draft.pk)
    add_file(draft, pdf("a.pdf"), now=now)
    with pytest.raises(Refused, match=r"up to 1 file\."):
        add_file(draft, pdf("b.pdf"), now=now)
    assert len([path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("upload", [SimpleUploadedFile("a.pdf", b""), SimpleUploadedFile("a.exe", b"MZ")])
def test_a_refused_file_leaves_text_and_files_as_they_were(draft, now, upload):
    write(draft, "my answer", now)
    add_file(draft, pdf(), now=now)
    with pytest.raises(Refused):
        add_file(draft, upload, now=now)
    draft.refresh_from_db()
    assert draft.answer_md == "my answer"
    assert [file.name for file in draft.files.all()] == ["report.pdf"]


@pytest.mark.django_db(transaction=True)
def test_a_removed_file_is_gone_from_disk_unless_it_was_handed_in(draft, now):
    handed_in, _ = add_file(draft, pdf("a.pdf"), now=now)
    hand_in(draft, now)
    never, _ = add_file(draft, pdf("b.pdf"), now=now)
    assert [remove_file(draft, file.pk, now=now) for file in (handed_in, never)] == ["a.pdf", "b.pdf"]
    assert filing.on_disk(handed_in.path).exists()
    assert not filing.on_disk(never.path).exists()


def test_removing_a_file_twice_is_said_by_none(draft, now):
    added, _ = add_file(draft, pdf(), now=now)
    assert [remove_file(draft, added.pk, now=now) for _ in "ab"] == ["report.pdf", None]


# --- handing in --------------------------------------------------------------------------------------------


def test_the_receipt_has_the_instant_the_hashes_a_number_and_a_version(draft, now):
    write(draft, "Cloud, by region.", now)
    add_file(draft, pdf(), now=now)
    submission, is_new = submit(draft, key="k", now=now)
    assert is_new
    assert (submission.number, submission.version, submission.received_at) == (f"LO-2025-{draft.pk:06}-1", 1, now)
    assert submission.answer_sha256 == hashlib.sha256(b"Cloud, by region.").hexdigest()
    assert [(file.name, file.sha256) for file in submission.files.all()] == [
        ("report.pdf", hashlib.sha256(PDF).hexdigest())
    ]


def test_a_number_says_the_year_the_draft_and_the_version(draft, now):
    numbers = []
    for text, at in [("a", now), ("b", now), ("c", now + timedelta(days=200))]:
        write(draft, text, at)
        numbers.append(hand_in(draft, at, key=text).number)
    stem = f"{draft.pk:06}"
    assert numbers == [f"LO-2025-{stem}-1", f"LO-2025-{stem}-2", f"LO-2026-{stem}-3"]


def test_a_double_click_has_one_receipt(draft, now):
    write(draft, "Cloud.", now)
    first, second = (submit(draft, key="same form", now=now) for _ in "ab")
    assert first[0] == second[0]
    assert (first[1], second[1]) == (True, False)
    assert Submission.objects.count() == 1


def test_handing_in_without_a_change_makes_no_second_version(draft, now):
    write(draft, "Cloud.", now)
    first = hand_in(draft, now, key="a")
    assert submit(draft, key="b", now=now) == (first, False)


def test_an_old_form_with_new_text_makes_a_new_version_not_an_old_receipt(draft, now):
    write(draft, "Cloud.", now)
    hand_in(draft, now, key="form")
    write(draft, "On premises.", now)
    again = hand_in(draft, now, key="form")
    assert (again.version, again.answer_md) == (2, "On premises.")


def test_a_new_version_leaves_the_old_one_as_it_was(draft, now):
    add_file(draft, pdf("a.pdf"), now=now)
    first = hand_in(draft, now, key="a")
    remove_file(draft, draft.files.get().pk, now=now)
    write(draft, "Text instead.", now)
    second = hand_in(draft, now, key="b")
    assert [file.name for file in first.files.all()] == ["a.pdf"]
    assert filing.is_whole(first.files.get())
    assert (second.version, second.files.count()) == (2, 0)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_cannot_be_handed_in(draft, now, text):
    write(draft, text, now)
    with pytest.raises(Refused, match="nothing to hand in"):
        submit(draft, key="k", now=now)


def test_a_file_that_was_damaged_on_disk_is_not_handed_in_and_gets_no_receipt(draft, now):
    added, _ = add_file(draft, pdf(), now=now)
    filing.on_disk(added.path).write_bytes(b"%PDF-")
    with pytest.raises(Refused, match="damaged"):
        submit(draft, key="k", now=now)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    "arrives, late",
    [
        (datetime(2025, 9, 18, 23, 59, 59, 999999, tzinfo=YANGON), False),
        (datetime(2025, 9, 19, 0, 0, 0, tzinfo=YANGON), True),
    ],
)
def test_what_arrives_after_the_announced_second_is_taken_and_says_late(draft, arrives, late):
    write(draft, "Cloud.", arrives)
    assert hand_in(draft, arrives).is_late is late
