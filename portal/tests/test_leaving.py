"""Whoever leaves takes along what is theirs, and nothing of others; and is gone, without a hole in the sums."""

import io
import json
import tarfile
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from costs.models import DailySpend
from labs import keeping, ledger
from labs.models import Account, Act, Event, Launch, SavedFile
from portal import backup, leaving, notices, own_data, releasing, reviewing, submitting
from portal.models import (
    Assignment,
    CohortWeek,
    Draft,
    Feedback,
    Leaving,
    Membership,
    NoticeChannel,
    Submission,
    User,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NAME = "Ayethandar Kyaw"
SECRET = "discord://4174216298/JHMHI8qBe7"


def hand_in(week, cohort, student, text, now, file=None):
    draft = submitting.draft_of(Assignment.objects.get(week__number=week), cohort, student, now=now)
    submitting.save_draft(draft, text, revision=draft.revision, window="w", now=now)
    if file:
        submitting.add_file(draft, SimpleUploadedFile(*file), now=now)
    return submitting.submit(draft, key=f"{student.pk}-{week}", now=now)[0]


def review(submission, chit, comment, now):
    points = {"cost": 4, "why": 4}
    reviewing.write(submission, chit, comment=comment, points=points, revision=0, ready=True, now=now)


@pytest.fixture
def world(cohort, aye, bo, chit, now):
    """aye has released feedback on week 1, ready feedback on week 2, a draft, a locker, a lab that is over."""
    User.objects.filter(pk=aye.pk).update(name=NAME)
    aye.refresh_from_db()
    first = hand_in(1, cohort, aye, "The reviewed words.", now, ("report:1?.txt", b"reviewed bytes"))
    review(first, chit, "Released: well done.", now)
    releasing.release(cohort, first.assignment.week, by=chit, now=now)
    second = hand_in(2, cohort, aye, "The words that wait.", now, ("waits.txt", b"waiting bytes"))
    review(second, chit, "Hidden: not good enough.", now)
    draft = Draft.objects.get(student=aye, assignment=second.assignment)
    submitting.save_draft(draft, "The words of the draft.", revision=draft.revision, window="w", now=now)
    submitting.add_file(draft, SimpleUploadedFile("draft.txt", b"draft bytes"), now=now)
    review(hand_in(1, cohort, bo, "The words of another.", now), chit, "To another.", now)
    account, _ = Account.objects.get_or_create(owner=aye, mode="practice", defaults={"created_at": now})
    Account.objects.filter(pk=account.pk).update(name=f"{NAME}'s practice")
    launch = Launch.objects.create(
        lab="s3-for-ml", account=account, owner=aye, scope=cohort.scope, region="us-east-1", created_at=now,
        expires_at=now, asked_to_end_at=now, ended_at=now, certificate={"rows": [], "saved": [{"name": "kyaw.pkl"}]},
    )  # fmt: skip
    ledger.note("looked", f"{NAME} looked at this lab", now, launch=launch, actor=aye)
    ledger.note("looked", "Chit looked at this lab", now, launch=launch, actor=chit)
    ledger.note("budget", f"{NAME}: $5.00 more", now, actor=chit)
    kept = keeping.store([b"model bytes"], f"locker/{aye.pk}/x")
    SavedFile.objects.create(
        owner=aye, launch=launch, bucket="b", name="models/kyaw.pkl", bytes=kept.size, sha256=kept.sha256,
        path=kept.path, saved_at=now, why_not="",
    )  # fmt: skip
    DailySpend.objects.create(
        day=now.date(), account=account, owner=aye, scope=cohort.scope, service="S3", region="us-east-1", usd="1.25"
    )
    NoticeChannel.objects.create(person=aye, kind="apprise", address=SECRET, label="Chat", made_at=now)
    notices.tell(aye, "lights", "k", "Your lamp is on", now=now)
    notices.tell(chit, "teaching", "k", f"{NAME} left a lamp on", now=now)
    return aye


def unpacked(answer):
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as taken:
        assert taken.testzip() is None
        return {name: taken.read(name) for name in taken.namelist()}


@pytest.mark.once
def test_a_person_takes_along_what_is_theirs_and_nothing_of_others(world, bo, signed_in, now):
    taken = unpacked(signed_in(world).post(reverse("portal:take_my_data")))
    first, second = "submissions/sep-2025 Week 1 case/version 1", "submissions/sep-2025 Week 2 case/version 1"
    assert taken[f"{first}/answer.md"] == b"The reviewed words."
    assert taken[f"{first}/files/report_1_.txt"] == b"reviewed bytes"
    assert taken[f"{first}/feedback.md"] == b"Released: well done."
    assert json.loads(taken[f"{first}/feedback.json"])["score"] == 8
    assert taken[f"{second}/files/waits.txt"] == b"waiting bytes"
    assert taken["drafts/sep-2025 Week 2 case/answer.md"] == b"The words of the draft."
    assert taken["drafts/sep-2025 Week 2 case/files/draft.txt"] == b"draft bytes"
    assert taken["locker/s3-for-ml 2025-09-18/kyaw.pkl"] == b"model bytes"
    assert b"1.25" in taken["costs/by-day.csv"] and b"Your lamp is on" in taken["notices.json"]
    assert json.loads(taken["profile.json"])["name"] == NAME
    assert f"{NAME} looked at this lab" in taken["labs/events.json"].decode()
    everything = b"".join(taken.values()) + "".join(taken).encode()
    token = Membership.objects.get(user=world).feed_token
    for hidden in ("Hidden", "another", bo.email, "Bo", SECRET, token, world.password, "chit", "Chit"):
        assert hidden.encode() not in everything, hidden
    assert [(act.by, act.person) for act in Act.objects.filter(kind="export")] == [(world, world)]


@pytest.mark.once
def test_a_copy_that_an_admin_makes_has_nothing_that_only_its_owner_sees(world, admin, signed_in):
    taken = unpacked(signed_in(admin).post(reverse("portal:take_person_data", args=[world.pk])))
    assert not [name for name in taken if name.startswith(("drafts/", "locker/"))]
    assert b"draft" not in b"".join(body for name, body in taken.items() if name != "README.txt")
    assert [(act.by, act.person) for act in Act.objects.filter(kind="export")] == [(admin, world)]


@pytest.mark.once
def test_a_teacher_does_not_take_along_what_they_were_told_of_students(world, chit, signed_in):
    taken = unpacked(signed_in(chit).post(reverse("portal:take_my_data")))
    assert NAME.encode() not in b"".join(taken.values()) and "notices.json" not in taken


@pytest.mark.once
def test_every_table_that_points_at_people_is_taken_along_or_left_out_for_a_reason():
    """A new one? Put it into own_data.HELD with its fields, or into LEFT_OUT; and think of leaving.erase."""
    decided = {*own_data.HELD, *own_data.WRITTEN, *own_data.LEFT_OUT}
    assert not own_data.pointing_at_people() - decided


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "shown"),
    [("a/../b\\c.txt", "c.txt"), ('w<h>y:"|?*.md', "w_h_y_____.md"), ("...", "file"), ("အဖြေ.txt", "အဖြေ.txt")],
)
def test_names_in_the_zip_can_be_unpacked_on_any_system(name, shown):
    assert own_data.sane(name) == shown


@pytest.mark.once
def test_two_files_of_one_name_are_both_in_the_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        box = own_data._Box(made)
        for text in ("one", "two", "three"):
            box.add("a/Same.md" if text != "two" else "a/same.md", text)
        assert made.namelist() == ["a/Same.md", "a/same (2).md", "a/Same (3).md"]


# --- leaving -------------------------------------------------------------------------------------------------


@pytest.mark.once
def test_it_is_asked_for_by_typing_the_address_and_waits_a_week_in_which_it_is_taken_back(world, signed_in, clock, now):
    client, address = signed_in(world), reverse("portal:delete_me")
    refused = client.post(address, {"email": "other@example.org"})
    assert refused.status_code == 422 and f"Type {world.email} to confirm" in refused.content.decode()
    assert client.post(address, {"email": " AYE@example.org "}).status_code == 302
    assert leaving.open_leaving(world).erase_at == now + timedelta(days=7)
    assert world.notices.get(topic="school", is_urgent=True).subject == "Your account is deleted on 25 September 2025"
    assert client.post(reverse("portal:keep_me")).status_code == 302
    assert leaving.erase_due(now + timedelta(days=8)) == 0
    assert User.objects.get(pk=world.pk).name == NAME
    said = Act.objects.filter(kind="deletion").order_by("pk").values_list("words", flat=True)
    assert list(said) == ["asked for, to be done 2025-09-25", "taken back"]


def test_labs_that_are_on_end_first_also_when_the_week_is_over(world, signed_in, now):
    asked = leaving.ask(world, by=world, now=now)
    Launch.objects.filter(owner=world).update(ended_at=None)
    assert leaving.erase_due(now + timedelta(days=8)) == 0
    Leaving.objects.filter(pk=asked.pk).delete()
    page = signed_in(world).post(reverse("portal:delete_me"), {"email": world.email})
    assert page.status_code == 422 and "1 lab is on" in page.content.decode()
    assert not Leaving.objects.exists()


def everything_stored(tmp_path, now):
    """Every row of the database and every file, as a backup has them."""
    with open(tmp_path / "all.tar.gz", "wb") as out:
        backup.write(out, now)
    with tarfile.open(tmp_path / "all.tar.gz") as made:
        return b"".join(made.extractfile(member).read() for member in made)


@pytest.mark.usefixtures("known_migrations")
def test_nothing_says_who_they_were_and_no_sum_has_changed(world, cohort, bo, settings, tmp_path, client, now):
    before, other = everything_stored(tmp_path, now), Submission.objects.get(student=bo)
    personal = [NAME, world.email, SECRET, "kyaw.pkl", "The words of the draft", "draft bytes", "model bytes",
                "The words that wait", "waiting bytes", "Hidden: not good", "Your lamp is on"]  # fmt: skip
    assert not [word for word in personal if word.encode() not in before]
    leaving.ask(world, by=world, now=now)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.db.transaction.on_commit", lambda act: act())
        assert leaving.erase_due(now + timedelta(days=7)) == 1
    after = everything_stored(tmp_path, now)
    assert not [word for word in personal if word.encode() in after]
    assert b"The reviewed words." in after and b"reviewed bytes" in after and b"Released: well done." in after
    assert DailySpend.objects.get(owner=world).usd == Decimal("1.25")
    assert Event.objects.filter(words="somebody: $5.00 more").exists()
    assert other.answer_md == Submission.objects.get(pk=other.pk).answer_md
    assert not client.login(email="aye@example.org", password="lights")
    assert str(User.objects.get(pk=world.pk)) == f"Deleted person {world.pk}"
    assert leaving.erase_due(now + timedelta(days=8)) == 0

    last = max(told.session_at for told in CohortWeek.objects.filter(cohort=cohort) if told.session_at)
    leaving.erase_due(last + timedelta(days=90) - timedelta(seconds=1))
    assert b"The reviewed words." in everything_stored(tmp_path, now)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.db.transaction.on_commit", lambda act: act())
        leaving.erase_due(last + timedelta(days=90))
    after = everything_stored(tmp_path, now)
    assert not [word for word in ("The reviewed words.", "reviewed bytes", "Released:") if word.encode() in after]
    assert Feedback.objects.get(submission__student=world).score == 8
    assert not Membership.objects.filter(user=world).exists()
    assert not any(file.is_file() for file in Path(settings.MEDIA_ROOT).rglob("*"))


def test_an_admin_does_it_for_a_person_at_once(world, admin, signed_in):
    address = reverse("portal:delete_person", args=[world.pk])
    answer = signed_in(admin).post(address, {"email": world.email, "at_once": "yes"}, follow=True)
    assert "This person was deleted." in answer.content.decode()
    assert not User.objects.get(pk=world.pk).is_active
    said = Act.objects.filter(kind="deletion").order_by("pk").values_list("by", "person", "words")
    assert list(said)[-1] == (admin.pk, world.pk, "done")


@pytest.mark.once
def test_the_last_admin_stays(admin, signed_in):
    page = signed_in(admin).get(reverse("portal:my_data")).content.decode()
    assert "Nobody else is an admin here" in page and "Type hazel" not in page
