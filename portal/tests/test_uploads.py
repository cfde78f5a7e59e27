"""Files in pieces: every cut goes on where it stopped, nothing is doubled, and a conflict keeps both."""

import base64
import errno
import hashlib
import io
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from portal import submitting, uploading
from portal.models import Assignment, DraftFile, Upload
from portal.views import uploads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n" + b"x" * 1000
SIZE = len(PDF)
TUS = {"Tus-Resumable": "1.0.0"}
BEGIN = ["portal:uploads", [2, "case"]]


@pytest.fixture
def client_of_aye(signed_in, aye):
    return signed_in(aye)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def begin(client, name="report.pdf", size=SIZE, **more):
    said = ",".join(f"{key} {b64(value)}" for key, value in ({"filename": name} | more).items())
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": said}
    return client.post(reverse(BEGIN[0], args=BEGIN[1]), headers=headers)


def patch(client, address, offset, piece, **more):
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": uploads.PIECE}
    return client.patch(address, piece, headers=headers | {name.replace("_", "-"): said for name, said in more.items()})


def offset_of(client, address):
    return int(client.head(address, headers=TUS)["Upload-Offset"])


def draft_files():
    return {file.name: file.sha256 for file in DraftFile.objects.all()}


def sha(content):
    return hashlib.sha256(content).hexdigest()


def test_a_file_comes_in_pieces_and_is_in_the_draft_with_the_last_one(client_of_aye, settings):
    address = begin(client_of_aye)["Location"]
    first = patch(client_of_aye, address, 0, PDF[:600])
    assert (first.status_code, first["Upload-Offset"]) == (204, "600")
    assert offset_of(client_of_aye, address) == 600 and draft_files() == {}
    last = patch(client_of_aye, address, 600, PDF[600:])
    assert (last.status_code, last.content.decode()) == (200, "report.pdf was added.")
    assert draft_files() == {"report.pdf": sha(PDF)}
    assert not list((Path(settings.MEDIA_ROOT) / "uploads").iterdir())


def test_a_last_piece_whose_answer_was_lost_is_answered_again_and_adds_nothing(client_of_aye):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF)
    assert offset_of(client_of_aye, address) == len(PDF)
    again = patch(client_of_aye, address, len(PDF), b"")
    assert (again.status_code, again.content.decode()) == (200, "report.pdf was added.")
    assert DraftFile.objects.count() == 1


def test_bytes_for_another_place_are_refused_with_the_right_one(client_of_aye):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF[:600])
    for offset in (0, 700):
        answer = patch(client_of_aye, address, offset, b"y" * 100)
        assert (answer.status_code, answer["Upload-Offset"]) == (409, "600")
    patch(client_of_aye, address, 600, PDF[600:])
    assert draft_files() == {"report.pdf": sha(PDF)}


def test_what_came_before_a_cut_is_kept(client_of_aye):
    """The body is announced with 1,000 bytes, and the phone loses its network after 400."""
    address = begin(client_of_aye)["Location"]
    headers = {f"HTTP_{name.replace('-', '_').upper()}": value for name, value in TUS.items()}
    client_of_aye.generic(
        "PATCH", address, PDF[:400], content_type="application/offset+octet-stream",
        **headers, HTTP_UPLOAD_OFFSET="0", CONTENT_LENGTH="1000", **{"wsgi.input": io.BytesIO(PDF[:400])},
    )  # fmt: skip
    assert offset_of(client_of_aye, address) == 400
    patch(client_of_aye, address, 400, PDF[400:])
    assert draft_files() == {"report.pdf": sha(PDF)}


@pytest.mark.parametrize("algorithm", uploading.CHECKSUMS)
def test_a_piece_that_was_damaged_on_the_way_is_not_taken(client_of_aye, algorithm):
    address = begin(client_of_aye)["Location"]
    digest = base64.b64encode(hashlib.new(algorithm, PDF[:600]).digest()).decode()
    damaged = patch(client_of_aye, address, 0, b"?" + PDF[1:600], Upload_Checksum=f"{algorithm} {digest}")
    assert damaged.status_code == 460 and offset_of(client_of_aye, address) == 0
    assert patch(client_of_aye, address, 0, PDF[:600], Upload_Checksum=f"{algorithm} {digest}").status_code == 204
    assert patch(client_of_aye, address, 600, b"x", Upload_Checksum="md5 AAAA").status_code == 400


def test_a_crash_after_the_bytes_and_before_the_row_is_written_over(client_of_aye, settings):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF[:600])
    part = Path(settings.MEDIA_ROOT) / "uploads" / Upload.objects.get().pk.hex
    with part.open("ab") as out:
        out.write(b"of an attempt that died")
    patch(client_of_aye, address, 600, PDF[600:])
    assert draft_files() == {"report.pdf": sha(PDF)}


def test_bytes_that_a_disk_has_lost_are_said_to_be_lost_and_not_filled_with_nothing(client_of_aye, settings):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF[:600])
    (Path(settings.MEDIA_ROOT) / "uploads" / Upload.objects.get().pk.hex).write_bytes(PDF[:100])
    answer = patch(client_of_aye, address, 600, PDF[600:])
    assert answer.status_code == 422 and "not on our disk any more" in answer.content.decode()
    assert draft_files() == {}


def test_a_full_disk_is_said_in_words_and_sending_goes_on_later(client_of_aye, monkeypatch):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF[:600])

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as then:
        then.setattr(os, "fsync", full)
        answer = patch(client_of_aye, address, 600, PDF[600:])
    assert answer.status_code == 507 and "The portal's disk is full" in answer.content.decode()
    assert offset_of(client_of_aye, address) == 600
    patch(client_of_aye, address, 600, PDF[600:])
    assert draft_files() == {"report.pdf": sha(PDF)}


def test_nothing_is_begun_that_the_disk_has_no_room_for(client_of_aye, monkeypatch):
    monkeypatch.setattr(uploading, "SPARE", 10**18)
    assert begin(client_of_aye).status_code == 507


@pytest.mark.parametrize(
    "name, size, status, why",
    [
        ("tool.exe", 10, 422, "not of a type"),
        ("report.pdf", 21 * 2**20, 413, "up to 20 MB"),
        ("report.pdf", 0, 422, "empty"),
        ("../../etc/passwd", 10, 422, "passwd is not of a type"),
    ],
)
def test_what_would_be_refused_at_the_end_is_refused_at_the_beginning(client_of_aye, name, size, status, why):
    answer = begin(client_of_aye, name, size)
    assert answer.status_code == status and why in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_that_is_not_what_it_says_is_refused_at_its_end_and_may_be_given_up(client_of_aye, settings):
    address = begin(client_of_aye, size=10)["Location"]
    answer = patch(client_of_aye, address, 0, b"MZ" + b"\x00" * 8)
    assert answer.status_code == 422 and "is not a PDF inside" in answer.content.decode()
    assert client_of_aye.delete(address, headers=TUS).status_code == 204
    assert not Upload.objects.exists() and not list((Path(settings.MEDIA_ROOT) / "uploads").iterdir())


def test_more_bytes_than_announced_are_not_taken(client_of_aye):
    address = begin(client_of_aye, size=100)["Location"]
    assert patch(client_of_aye, address, 0, PDF).status_code == 413
    assert offset_of(client_of_aye, address) == 0


def test_one_students_uploads_do_not_exist_for_another(client_of_aye, bo, chit):
    address = begin(client_of_aye)["Location"]
    for person in (bo, chit):
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        assert client.head(address, headers=TUS).status_code == 404
        assert patch(client, address, 0, PDF).status_code == 404
        assert client.delete(address, headers=TUS).status_code == 404
    assert Upload.objects.get().offset == 0


def test_uploads_are_checked_for_their_csrf_token(aye):
    client = Client(enforce_csrf_checks=True)
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    assert begin(client).status_code == 403
    client.get(reverse("portal:assignment", args=[2, "case"]))
    client.defaults["HTTP_X_CSRFTOKEN"] = client.cookies["csrftoken"].value
    address = begin(client)["Location"]
    assert patch(client, address, 0, PDF).status_code == 200


def test_the_protocol_says_what_it_speaks_and_speaks_no_other(client_of_aye):
    answer = client_of_aye.options(reverse(BEGIN[0], args=BEGIN[1]))
    assert answer["Tus-Version"] == "1.0.0" and answer["Tus-Max-Size"] == str(20 * 2**20)
    assert "creation" in answer["Tus-Extension"] and "checksum" in answer["Tus-Extension"]
    assert client_of_aye.post(reverse(BEGIN[0], args=BEGIN[1]), headers={"Tus-Resumable": "0.2.2"}).status_code == 412
    address = begin(client_of_aye)["Location"]
    answer = client_of_aye.patch(address, b"x", content_type="text/plain", headers=TUS | {"Upload-Offset": "0"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [{"Upload-Length": "many"}, {"Upload-Length": "-1"}, {"Upload-Length": "5"}, {"Upload-Metadata": "filename ???"}],
)
def test_broken_headers_are_refused(client_of_aye, headers):
    answer = client_of_aye.post(reverse(BEGIN[0], args=BEGIN[1]), headers=TUS | {"Upload-Length": "5"} | headers)
    assert answer.status_code == 400


# --- conflicts ---------------------------------------------------------------------------------------------


def draft_with(cohort, aye, now, content):
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    submitting.add_file(draft, SimpleUploadedFile("report.pdf", content), now=now)
    return draft


def send(client, content=PDF, **more):
    return patch(client, begin(client, size=len(content), **more)["Location"], 0, content).content.decode()


def test_a_file_replaces_the_one_that_its_student_saw(client_of_aye, cohort, aye, now):
    draft_with(cohort, aye, now, PDF + b"old")
    assert send(client_of_aye, replaces=sha(PDF + b"old")) == "report.pdf was added."
    assert draft_files() == {"report.pdf": sha(PDF)}


@pytest.mark.parametrize("saw", ["", sha(b"an older one")])
def test_of_two_devices_both_files_are_kept_and_the_student_chooses(client_of_aye, cohort, aye, now, saw):
    """One was written offline, while the other replaced what it began from."""
    draft_with(cohort, aye, now, PDF + b"from the other device")
    assert "Both are kept" in send(client_of_aye, replaces=saw)
    assert draft_files() == {"report.pdf": sha(PDF + b"from the other device"), "report (2).pdf": sha(PDF)}


def test_the_same_bytes_from_two_devices_are_no_conflict(client_of_aye, cohort, aye, now):
    draft_with(cohort, aye, now, PDF)
    assert send(client_of_aye, replaces="") == "report.pdf was added."
    assert draft_files() == {"report.pdf": sha(PDF)}


def test_without_room_it_waits_whole_and_is_added_when_there_is(client_of_aye, cohort, aye, now):
    Assignment.objects.update(max_files=1)
    draft = draft_with(cohort, aye, now, PDF + b"other")
    address = begin(client_of_aye, "second.pdf")["Location"]
    answer = patch(client_of_aye, address, 0, PDF)
    assert answer.status_code == 422 and "up to 1 file" in answer.content.decode()
    submitting.remove_file(draft, draft.files.get().pk, now=now)
    assert patch(client_of_aye, address, len(PDF), b"").status_code == 200
    assert draft_files() == {"second.pdf": sha(PDF)}


# --- tidying up --------------------------------------------------------------------------------------------


def test_uploads_that_nobody_goes_on_with_go_and_so_do_bytes_without_a_row(client_of_aye, now, settings):
    address = begin(client_of_aye)["Location"]
    patch(client_of_aye, address, 0, PDF[:600])
    orphan = Path(settings.MEDIA_ROOT) / "uploads" / ("0" * 32)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"x")
    os.utime(orphan, (now.timestamp(), now.timestamp()))
    assert uploading.tidy_up(now + timedelta(hours=47)) == 0
    assert offset_of(client_of_aye, address) == 600
    assert uploading.tidy_up(now + timedelta(hours=48, seconds=1)) == 1
    assert client_of_aye.head(address, headers=TUS).status_code == 404
    assert not list((Path(settings.MEDIA_ROOT) / "uploads").iterdir())


def test_one_student_has_a_limited_number_on_the_way(client_of_aye, monkeypatch):
    monkeypatch.setattr(uploading, "AT_ONCE", 2)
    assert [begin(client_of_aye, f"{n}.pdf").status_code for n in range(3)] == [201, 201, 422]


# --- at the same instant -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_send_the_same_piece_at_once_one_is_taken_and_one_file_is_made(course, cohort, aye, now):
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    upload = uploading.begin(draft, "report.pdf", len(PDF), replaces="", now=now)
    start, told = threading.Barrier(8), []

    def send_whole():
        try:
            start.wait(20)
            try:
                mine = uploading.add(upload, 0, io.BytesIO(PDF), now=now)
            except uploading.Moved as moved:
                told.append(moved.offset)
                mine = Upload.objects.get(pk=upload.pk)
            told.append(uploading.finish(mine, now=now).said)
        except Exception as error:
            told.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send_whole) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, told)) == sorted([str(len(PDF))] * 7 + ["report.pdf was added."] * 8)
    assert draft_files() == {"report.pdf": sha(PDF)}
