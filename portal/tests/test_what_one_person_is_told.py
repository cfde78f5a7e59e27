"""What is written down for one person is in that person's language, whoever caused it; for many readers, in English."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from portal import extending, inviting, languages, moving, name_list, releasing, replanning, reviewing, submitting
from portal.models import Announcement, Assignment, Notice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def burmese_for_aye(monkeypatch, aye):
    """Each sentence says which language was asked for. chit, who acts, reads Burmese pages too."""
    monkeypatch.setattr(languages, "of", lambda person: "my" if person == aye else "en")
    for module in (extending, inviting, moving, releasing):
        monkeypatch.setattr(module, "_", lambda words: f"[{translation.get_language()}] {words}")
    with translation.override("my"):
        yield


def subjects():
    """{name of the person: the language of the newest notice that they got}"""
    return {notice.person.name: notice.subject[:4] for notice in Notice.objects.order_by("pk")}


def test_moved_dates_are_told_to_each_in_their_language_and_announced_in_english(cohort, aye, bo, chit, now):
    told = list(cohort.told.select_related("week").order_by("week__number"))
    moves = replanning.move_week([one.dates for one in told], 3, 7, True, ZoneInfo(cohort.zone), now)
    moving.apply(cohort, moving.preview(cohort, told, moves, now=now), why="A holiday", by=chit, now=now)
    assert subjects() == {"Aye": "[my]", "Bo": "[en]"}
    [to_aye, to_bo] = Notice.objects.order_by("person__name")
    assert "[my] Times are" in to_aye.words and "[en] Times are" in to_bo.words
    announced = Announcement.objects.get()
    assert announced.title.startswith("[en]") and "[my]" not in announced.body_md


def test_released_feedback_is_told_to_each_in_their_language(cohort, aye, bo, chit, now):
    case = Assignment.objects.get(week__number=2)
    for student in (aye, bo):
        draft = submitting.draft_of(case, cohort, student, now=now)
        submitting.save_draft(draft, "My answer.", revision=draft.revision, window="w", now=now)
        version, _ = submitting.submit(draft, key=student.name, now=now)
        reviewing.write(version, chit, comment="", points={"cost": 4, "why": 5}, revision=0, ready=True, now=now)
    releasing.plan(cohort, case.week, at=now + timedelta(hours=1), by=chit, now=now)
    releasing.release_due(now + timedelta(hours=1))
    assert subjects() == {"Aye": "[my]", "Bo": "[en]", "Chit": "[en]"}


def test_an_own_deadline_and_its_end_are_told_in_the_language_of_the_student(cohort, aye, bo, chit, now):
    case = Assignment.objects.get(week__number=2)
    due = cohort.told.get(week=case.week).due_at + timedelta(days=2)
    for student in (aye, bo):
        extension = extending.grant(cohort, case, student, due, reason="Power cut", by=chit, now=now)
        assert subjects()[student.name] == f"[{languages.of(student)}]"
        extending.withdraw(extension, by=chit, now=now)
    assert subjects() == {"Aye": "[my]", "Bo": "[en]"} and Notice.objects.count() == 4


def test_who_is_invited_gets_the_mail_in_the_language_of_their_account(other_cohort, aye, chit, now, mailoutbox):
    people = [name_list.Person(1, aye.email, "Aye"), name_list.Person(2, "new@example.org", "New")]
    inviting.invite(other_cohort, people, by=chit, now=now)
    inviting.send_due(now)
    assert {mail.to[0]: mail.subject[:4] for mail in mailoutbox} == {aye.email: "[my]", "new@example.org": "[en]"}
