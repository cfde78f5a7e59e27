"""Receipts: mailed once, whatever the mail server does; and proofs that anybody can check, which name nobody."""

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import keyring, proving, receipts, submitting
from portal.models import Assignment, ProofKey, Submission
from portal.proving import NoProof

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture
def received(course, cohort, aye, now):
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    submitting.save_draft(draft, "Cloud, by region.", revision=0, window="w", now=now)
    submitting.add_file(draft, SimpleUploadedFile("aye-report.pdf", PDF), now=now)
    return submitting.submit(draft, key="k", now=now)[0]


# --- by mail -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_receipt_is_mailed_once_with_its_zone_and_its_proof(received, aye, now):
    assert receipts.mail_due(now) == 1
    assert receipts.mail_due(now + timedelta(days=1)) == 0
    (sent,) = mail.outbox
    assert sent.to == [aye.email] and received.number in sent.subject
    assert "2025-09-18 14:47:00" in sent.body and "Asia/Yangon" in sent.body
    assert hashlib.sha256(b"Cloud, by region.").hexdigest() in sent.body
    [(name, text, _)] = sent.attachments
    assert name == f"{received.number}-proof.txt"
    assert proving.check(text, keyring.public_keys()).number == received.number


@pytest.mark.django_db
def test_a_mail_server_that_is_down_costs_no_receipt_and_is_asked_again(received, now, monkeypatch):
    def down(*_):
        raise ConnectionRefusedError("no mail today")

    with monkeypatch.context() as today:
        today.setattr(receipts.EmailMessage, "send", down)
        assert receipts.mail_due(now) == 0
        assert receipts.mail_due(now) == 0, "not at once again"
    assert receipts.mail_due(now + receipts.CLAIM) == 1


@pytest.mark.django_db
def test_two_workers_that_read_the_same_row_mail_it_once(received, now):
    read_twice = Submission.objects.get(), Submission.objects.get()
    assert [receipts._mail(one, now) for one in read_twice] == [True, False]


# --- proofs ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_proof_says_what_came_and_when_and_names_neither_person_nor_file(received, aye, now):
    text = receipts.proof(received, now=now)
    proved = proving.check(text, keyring.public_keys())
    assert (proved.number, proved.version, proved.received_at) == (received.number, 1, now)
    assert [(one.what, one.size, one.sha256) for one in proved.pieces] == [
        ("answer", 17, hashlib.sha256(b"Cloud, by region.").hexdigest()),
        ("file", len(PDF), hashlib.sha256(PDF).hexdigest()),
    ]
    assert "aye" not in text.lower() and aye.email not in text


@pytest.mark.django_db
def test_a_proof_outlives_a_new_secret_key_and_the_next_one_has_a_new_key(received, now, settings):
    before = receipts.proof(received, now=now)
    settings.SECRET_KEY = "another one"
    after = receipts.proof(received, now=now)
    assert ProofKey.objects.count() == 2
    for text in (before, after):
        assert proving.check(text, keyring.public_keys()).number == received.number
    assert receipts.proof(received, now=now) == after, "the same key signs on"


@pytest.mark.django_db
def test_the_database_alone_does_not_hold_a_key_that_signs(received, now):
    receipts.proof(received, now=now)
    kept = ProofKey.objects.get()
    assert keyring.signing_key(now=now).private_bytes_raw().hex() not in kept.private
    assert kept.private.startswith("gAAAA")


KEY = proving.new_key()
KEYS = {proving.name_of(KEY.public_key().public_bytes_raw()): KEY.public_key().public_bytes_raw()}
AT = datetime(2025, 9, 18, 8, 17, tzinfo=UTC)
RECEIPT = proving.Receipt(
    "LO-2025-000001", "https://lights.example", "Case 2", 3, AT, (proving.Piece("file", 8, "a" * 64),), AT
)
PROOF = proving.write(RECEIPT, KEY)


def test_what_a_proof_says_is_what_was_written():
    assert proving.check(PROOF, KEYS) == RECEIPT


def test_a_proof_that_went_through_mail_is_still_one():
    assert proving.check("\ufeff\r\n" + PROOF.replace("\n", "  \r\n") + "\r\n\r\n", KEYS) == RECEIPT


@settings(max_examples=60)
@given(st.integers(0, len(PROOF) - 1), st.characters(exclude_categories=["Cs"]))
def test_no_character_of_a_proof_can_be_another(at, other):
    changed = PROOF[:at] + other + PROOF[at + 1 :]
    try:
        assert proving.check(changed, KEYS) == RECEIPT  # a blank at the end of a line, and the like
    except NoProof:
        pass
    else:
        assert [line.strip() for line in changed.splitlines() if line.strip()] == PROOF.splitlines()


@pytest.mark.parametrize("text", ["", "no proof", proving.FIRST, PROOF[:-30], PROOF * 2, "x" * 100_000, "\n" * 9])
def test_what_is_no_proof_is_told_why(text):
    with pytest.raises(NoProof):
        proving.check(text, KEYS)


def test_a_proof_by_a_key_of_somebody_else_is_not_ours():
    with pytest.raises(NoProof, match="a key that is not ours"):
        proving.check(proving.write(RECEIPT, proving.new_key()), KEYS)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")
def test_openssl_checks_a_proof_as_the_page_says(tmp_path):
    (tmp_path / "key.pem").write_text(keyring.as_pem(KEY.public_key().public_bytes_raw()))
    (tmp_path / "proof.txt").write_text(PROOF)
    script = (
        "head -n -1 proof.txt > signed.txt && tail -n 1 proof.txt | cut -c12- | base64 -d > sig && "
        "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.txt -sigfile sig"
    )
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert "Verified Successfully" in ran.stdout, ran.stderr


# --- the public page ---------------------------------------------------------------------------------------


def brought(text=None, work=None, **fields):
    files = {"proof": text and SimpleUploadedFile("p.txt", text.encode()), "work": work}
    return fields | {name: one for name, one in files.items() if one}


@pytest.mark.django_db
def test_anybody_checks_a_proof_and_sees_nothing_private(received, aye, now):
    text = receipts.proof(received, now=now)
    reader = Client()
    reader.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")  # whose pages are in Yangon's time
    for client, form in ((Client(), brought(text)), (Client(), {"text": text}), (reader, {"text": text})):
        answer = client.post(reverse("portal:check_proof"), form)
        shown = answer.content.decode()
        assert answer.status_code == 200 and "This proof is ours" in shown
        assert '<dd class="n">2025-09-18 08:17:00 UTC</dd>' in shown and received.files.get().sha256 in shown
        main = shown[shown.index("<main") : shown.index("</main>")]
        for private in (aye.name, aye.email, "aye-report", "by region"):
            assert private not in main


@pytest.mark.django_db
@pytest.mark.parametrize("content, said", [(PDF, "is part of it"), (PDF + b"%", "is not part of it")])
def test_a_file_is_held_against_its_proof_and_kept_nowhere(received, now, content, said, tmp_path):
    text, before = receipts.proof(received, now=now), {path for path in tmp_path.rglob("*") if path.is_file()}
    answer = Client().post(
        reverse("portal:check_proof"), brought(text, SimpleUploadedFile("mine.pdf", content, "application/pdf"))
    )
    assert said in answer.content.decode()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.django_db
def test_a_changed_proof_is_told_plainly_and_a_large_one_not_read(received, now):
    text = receipts.proof(received, now=now).replace("Version: 1", "Version: 2")
    answer = Client().post(reverse("portal:check_proof"), {"text": text})
    assert answer.status_code == 422 and "not as we wrote it" in answer.content.decode()
    answer = Client().post(reverse("portal:check_proof"), brought("x" * 100_000))
    assert answer.status_code == 422 and "too large" in answer.content.decode()
    answer = Client().post(reverse("portal:check_proof"), {})
    assert answer.status_code == 422 and "Choose a proof file" in answer.content.decode()


@pytest.mark.django_db
def test_the_check_page_asks_for_its_csrf_token(received):
    assert Client(enforce_csrf_checks=True).post(reverse("portal:check_proof"), {"text": "x"}).status_code == 403


@pytest.mark.django_db
def test_a_student_downloads_the_proof_of_their_own_receipt(received, signed_in, aye, clock):
    answer = signed_in(aye).get(reverse("portal:proof", args=[received.number]))
    assert answer["Content-Disposition"] == f'attachment; filename="{received.number}-proof.txt"'
    assert proving.check(answer.content.decode(), keyring.public_keys()).number == received.number
