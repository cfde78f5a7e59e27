"""Sealing: a few bytes before the deadline, the work within a day, and no way to choose afterwards."""

import json
import uuid
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from conftest import YANGON
from portal import sealing, submitting
from portal.filing import Refused
from portal.models import Assignment, Seal, Submission
from portal.sealing import Manifest, hash_of, seal
from portal.tests.test_at_once import at_once

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
BEFORE = datetime(2025, 9, 18, 23, 50, tzinfo=YANGON)
LAST = datetime(2025, 9, 18, 23, 59, 59, 999_999, tzinfo=YANGON)
AFTER = datetime(2025, 9, 19, 0, 0, tzinfo=YANGON)


@pytest.fixture
def draft(course, cohort, aye, now):
    return submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)


def a_file(name="report.pdf", more=b""):
    return {"name": name, "size": len(PDF + more), "sha256": sealing.hashlib.sha256(PDF + more).hexdigest()}


def manifest(draft, answer="Cloud.", files=()):
    return Manifest.read({"answer": hash_of(answer), "files": [*files]}, draft.assignment)


def sealed(draft, at, answer="Cloud.", files=(), sent=1, window="w"):
    return seal(draft, manifest(draft, answer, files), window=window, sent=sent, now=at)


def hand_in(draft, at, answer="Cloud.", files=()):
    draft.refresh_from_db()
    for file in draft.files.all():
        submitting.remove_file(draft, file.pk, now=at)
    submitting.save_draft(draft, answer, revision=draft.revision, window="w", now=at)
    for name, content in files:
        submitting.add_file(draft, SimpleUploadedFile(name, content), now=at)
    return submitting.submit(draft, key=uuid.uuid4().hex, now=at)[0]


def test_sealed_work_that_follows_counts_as_on_time_and_says_both_instants(draft):
    sealed(draft, BEFORE, files=[a_file()])
    late = hand_in(draft, AFTER + timedelta(hours=9), files=[("report.pdf", PDF)])
    assert (late.is_late, late.after_model_answer, late.sealed_at) == (False, False, BEFORE)
    assert late.received_at == AFTER + timedelta(hours=9)
    assert Seal.objects.get().submission == late


@pytest.mark.parametrize(
    "answer, files, why",
    [
        ("Cloud!", [("report.pdf", PDF)], "the answer is another"),
        ("Cloud.", [("report.pdf", PDF + b"%")], "report.pdf is another"),
        ("Cloud.", [], "report.pdf is not here yet"),
        ("Cloud.", [("report.pdf", PDF), ("more.pdf", PDF)], "more.pdf was not sealed"),
    ],
)
def test_what_differs_in_anything_is_late_and_the_sealed_work_may_still_come(draft, answer, files, why):
    kept = sealed(draft, BEFORE, files=[a_file()])
    other = hand_in(draft, AFTER, answer, files)
    assert (other.is_late, other.after_model_answer, other.sealed_at) == (True, True, None)
    assert sealing.differences(kept, other.answer_sha256, other.files.all()) == [why]
    right = hand_in(draft, AFTER, files=[("report.pdf", PDF)])
    assert (right.version, right.is_late) == (2, False)


def test_there_is_one_seal_and_a_new_one_replaces_it(draft):
    sealed(draft, BEFORE, "first")
    sealed(draft, BEFORE, "second", sent=2)
    assert Seal.objects.count() == 1
    assert hand_in(draft, AFTER, "first").is_late
    assert not hand_in(draft, AFTER, "second").is_late


def test_a_seal_that_was_held_up_on_the_way_does_not_replace_a_later_one(draft):
    sealed(draft, BEFORE, "second", sent=2)
    assert sealed(draft, BEFORE, "first", sent=1).answer_sha256 == hash_of("second")


def test_the_announced_second_counts_in_full_and_then_nothing_is_sealed(draft):
    sealed(draft, LAST)
    with pytest.raises(Refused, match="the deadline has passed"):
        sealed(draft, AFTER, "another", sent=2)
    assert Seal.objects.get().answer_sha256 == hash_of("Cloud.")


def test_a_seal_whose_answer_was_lost_is_answered_again_after_the_deadline(draft):
    first = sealed(draft, LAST)
    again = sealed(draft, AFTER, sent=1)
    assert (again.pk, again.sealed_at) == (first.pk, LAST)


def test_sealed_bytes_may_follow_for_a_day_to_the_microsecond(draft):
    sealed(draft, BEFORE)
    day = timedelta(hours=24)
    assert sealing.vouches_for(draft.seal, hash_of("Cloud."), [], BEFORE + day)
    assert not sealing.vouches_for(draft.seal, hash_of("Cloud."), [], BEFORE + day + timedelta(microseconds=1))
    assert hand_in(draft, BEFORE + day + timedelta(seconds=1)).is_late


def test_sealing_what_was_handed_in_says_that_it_is_received(draft):
    received = hand_in(draft, BEFORE, files=[("report.pdf", PDF)])
    assert sealed(draft, BEFORE, files=[a_file()]).submission == received
    assert sealed(draft, BEFORE, "more", files=[a_file()], sent=2).submission is None


@pytest.mark.parametrize(
    "files, why",
    [
        ([a_file("tool.exe")], "not of a type"),
        ([a_file() | {"size": 21 * 2**20}], "up to 20 MB"),
        ([a_file() | {"size": 0}], "empty"),
        ([a_file(), a_file()], "the same name"),
        ([a_file(f"{n}.pdf") for n in range(6)], "up to 5 files"),
        ([a_file() | {"sha256": "x" * 64}], "not the list of hashes"),
        ([a_file() | {"sha256": 5}], "not the list of hashes"),
        ([a_file() | {"size": "many"}], "not the list of hashes"),
        ("no list", "not the list of hashes"),
        ([None], "not the list of hashes"),
    ],
)
def test_a_seal_of_what_would_be_refused_is_refused_now(draft, files, why):
    with pytest.raises(Refused, match=why):
        Manifest.read({"answer": hash_of("x"), "files": files}, draft.assignment)


@pytest.mark.django_db(transaction=True)
def test_of_windows_that_seal_and_hand_in_at_once_one_seal_is_left_and_it_knows_what_was_received(draft):
    submitting.save_draft(draft, "Cloud.", revision=0, window="w", now=BEFORE)
    windows = [lambda n=n: sealed(draft, BEFORE, f"text {n}", window=f"w{n}") for n in range(5)]
    received = [lambda: submitting.submit(draft, key="k", now=BEFORE)[0]] * 2
    same = [lambda: sealed(draft, BEFORE, window="w")] * 2
    at_once(*windows, *received, *same)
    left, submission = Seal.objects.get(), Submission.objects.get()
    assert (left.submission == submission) == (left.answer_sha256 == submission.answer_sha256)


# --- over HTTP ---------------------------------------------------------------------------------------------


def post(client, answer="Cloud.", files=(), **more):
    body = {"window": uuid.uuid4().hex, "sent": 1, "answer": hash_of(answer), "files": [*files], **more}
    return client.post(reverse("portal:seal", args=[2, "case"]), json.dumps(body), content_type="application/json")


def test_the_page_tells_sealed_from_received_to_the_second(signed_in, aye, clock, course, cohort):
    client = signed_in(aye)
    clock.move_to(BEFORE)
    answer = post(client, files=[a_file()])
    assert answer.json()["said"] == (
        "Sealed Thu 18 Sep 2025, 23:50:00 Yangon (UTC+6:30), not yet received: hand it in, unchanged, by "
        "Fri 19 Sep 2025, 23:50:00 Yangon (UTC+6:30), and it counts as on time."
    )
    address = reverse("portal:assignment", args=[2, "case"])
    shown = client.get(address).content.decode()
    assert "Sealed, not yet received" in shown and "report.pdf is not here yet" in shown
    clock.move_to(AFTER)
    for page, words in (("today", "Hand in what you sealed"), ("submissions", "Sealed, not yet received")):
        assert words in client.get(reverse(f"portal:{page}")).content.decode()
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=AFTER)
    received = hand_in(draft, AFTER, files=[("report.pdf", PDF)])
    assert "Sealed, and received" in client.get(address).content.decode()
    receipt = client.get(received.get_absolute_url()).content.decode()
    assert "Thu 18 Sep 2025, 23:50:00" in receipt and "counts as on time" in receipt
    text = client.get(reverse("portal:receipt_text", args=[received.number])).content.decode()
    assert "Sealed    2025-09-18 23:50:00 +0630 Asia/Yangon: on time" in text
    clock.move_to(BEFORE + timedelta(days=1, seconds=1))
    assert "Seal it first" not in client.get(address).content.decode()


def test_sealed_work_is_not_asked_about_the_model_answer_that_it_cannot_have_read(signed_in, aye, clock, draft):
    client = signed_in(aye)
    sealed(draft, BEFORE)
    clock.move_to(AFTER)
    address = reverse("portal:assignment", args=[2, "case"])
    assert "I know that the model answer is open" in client.get(address).content.decode()
    submitting.save_draft(draft, "Cloud.", revision=0, window="w", now=AFTER)
    assert "I know that the model answer is open" not in client.get(address).content.decode()


@pytest.mark.parametrize("body", ["", "[]", "{", '{"window": "x"}', "[" * 10_000, "x" * 20_000])
def test_a_broken_seal_is_refused_in_words_and_keeps_nothing(signed_in, aye, clock, body):
    address = reverse("portal:seal", args=[2, "case"])
    answer = signed_in(aye).post(address, body, content_type="application/json")
    assert answer.status_code == 422 and "Nothing was sealed" in answer.json()["said"]
    assert not Seal.objects.exists()


def test_who_teaches_sees_who_has_sealed_and_what_counts(signed_in, aye, chit, draft, clock):
    sealed(draft, BEFORE)
    clock.move_to(AFTER)
    queue = reverse("portal:review_queue", args=["sep-2025", 2])
    assert "sealed, may follow until" in signed_in(chit).get(queue).content.decode()
    hand_in(draft, AFTER)
    assert "sealed in time" in signed_in(chit).get(queue).content.decode()
