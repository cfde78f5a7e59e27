"""My locker, and what the pages of a lab that is over say of the work that was saved."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labs import keeping
from labs.models import Account, Launch, SavedFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


@pytest.fixture
def launch(aye, cohort, lab, now):
    """A lab of aye's that is over."""
    return Launch.objects.create(
        lab=lab.slug, account=Account.objects.get(owner=aye), owner=aye, scope=cohort.scope, region="us-east-1",
        created_at=now - timedelta(hours=2), expires_at=now, saving_at=now, asked_to_end_at=now, ended_at=now,
        certificate={
            "proved_at": "2025-09-18T08:17:00+00:00", "rows": [], "methods": [], "left": [],
            "saved": [{"name": "models/v1/model.json", "bytes": 7, "sha256": "a" * 64}],
            "not_saved": [{"name": "models/huge", "why": "It has 90 MB."}],
        },
    )  # fmt: skip


@pytest.fixture
def model(launch, now):
    stored = keeping.store([b"<b>1</b>"], f"locker/{launch.owner_id}/{launch.id.hex}")
    return SavedFile.objects.create(
        owner=launch.owner, launch=launch, bucket="b", name="models/v1/model.json", bytes=stored.size,
        sha256=stored.sha256, path=stored.path, saved_at=now, why_not="",
    )  # fmt: skip


@pytest.fixture
def left_out(launch):
    return SavedFile.objects.create(
        owner=launch.owner, launch=launch, bucket="b", name="models/huge", bytes=90 * 2**20, why_not="It has 90 MB."
    )


def words(client, address):
    text = " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())
    return re.sub(r" (?=[:.,;])", "", text)


def test_an_empty_locker_says_what_will_be_in_it(signed_in, aye):
    said = words(signed_in(aye), reverse("portal:locker"))
    assert "Nothing here yet" in said and "0 bytes of 200 MB used" in said


def test_it_lists_what_was_saved_and_what_was_not_by_lab(signed_in, aye, model, left_out):
    said = words(signed_in(aye), reverse("portal:locker"))
    assert "8 bytes of 200 MB used" in said
    assert "A bucket laid out for ML" in said
    assert "models/v1/model.json 8 bytes" in said
    assert "models/huge 90 MB Not saved. It has 90 MB." in said


def test_a_file_is_sent_so_that_no_browser_opens_it_as_a_page(signed_in, aye, model):
    answer = signed_in(aye).get(reverse("portal:locker_file", args=[model.pk]))
    assert b"".join(answer.streaming_content) == b"<b>1</b>"
    assert answer["Content-Disposition"] == 'attachment; filename="model.json"'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")


def test_what_was_never_saved_cannot_be_fetched(signed_in, aye, left_out):
    assert signed_in(aye).get(reverse("portal:locker_file", args=[left_out.pk])).status_code == 404


def test_a_file_that_the_disk_lost_is_not_there(signed_in, aye, model, settings):
    Path(settings.MEDIA_ROOT, model.path).unlink()
    assert signed_in(aye).get(reverse("portal:locker_file", args=[model.pk])).status_code == 404


def test_deleting_asks_once_and_then_the_bytes_are_gone(
    signed_in, aye, model, settings, django_capture_on_commit_callbacks
):
    client, address = signed_in(aye), reverse("portal:locker_delete", args=[model.pk])
    assert "Delete model.json?" in words(client, address)
    assert Path(settings.MEDIA_ROOT, model.path).exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(address, follow=True)
    assert "model.json was deleted." in answer.content.decode()
    assert not Path(settings.MEDIA_ROOT, model.path).exists()
    assert client.get(reverse("portal:locker_file", args=[model.pk])).status_code == 404


def test_the_last_page_of_a_lab_and_its_certificate_say_what_was_saved(signed_in, aye, model, left_out, launch):
    client = signed_in(aye)
    said = words(client, reverse("labs:panel", args=[launch.pk]))
    assert "models/v1/model.json 8 bytes, saved" in said
    assert "Not saved: It has 90 MB." in said
    text = client.get(reverse("labs:certificate", args=[launch.pk])).content.decode()
    assert f"- models/v1/model.json: 7 bytes, SHA-256 {'a' * 64}" in text
    assert "- models/huge: It has 90 MB." in text


def test_an_instructor_sees_that_it_was_saved_and_has_no_way_to_it(signed_in, chit, model, launch):
    page = signed_in(chit).get(reverse("labs:panel", args=[launch.pk])).content.decode()
    assert "models/v1/model.json" in page
    assert reverse("portal:locker_file", args=[model.pk]) not in page and reverse("portal:locker") not in page


def test_while_work_is_copied_the_labs_page_says_so(signed_in, aye, launch, now):
    Launch.objects.update(ended_at=None, certificate=None, prepare_at=now)
    assert "Your work is copied to your locker first." in words(signed_in(aye), reverse("labs:panel", args=[launch.pk]))


@pytest.mark.parametrize("files", [1, 60])
def test_a_full_locker_takes_as_many_queries_as_an_empty_one(signed_in, aye, launch, now, files):
    SavedFile.objects.bulk_create(
        SavedFile(owner=aye, launch=launch, bucket="b", name=f"models/{number}", saved_at=now, why_not="")
        for number in range(files)
    )
    client = signed_in(aye)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("portal:locker")).status_code == 200
    assert len(asked) == 9
