"""What is written to one person, without a request of theirs, is written in their language and in nobody else's."""

import icalendar
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import translation

from portal import discussing, inspecting, receipts, submitting
from portal.access import Standing
from portal.models import Assignment, Look, Membership, Notice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "marked")]
BURMESE = "[my] "


@pytest.fixture
def marked(monkeypatch):
    """Every message in Burmese is its English with a mark before it."""

    def gettext(message):
        return (BURMESE if translation.get_language() == "my" else "") + message

    monkeypatch.setattr(translation._trans, "gettext", gettext)


@pytest.fixture
def burmese(aye):
    aye.language = "my"
    aye.save()
    return aye


@pytest.fixture
def received(cohort, burmese, now):
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, burmese, now=now)
    submitting.save_draft(draft, "Cloud, by region.", revision=0, window="w", now=now)
    draft.refresh_from_db()
    return submitting.submit(draft, key="k", now=now)[0]


def test_a_question_and_its_reply(cohort, burmese, chit, now):
    standings = {who: Standing(who, cohort, role, None) for who, role in [(burmese, "student"), (chit, "instructor")]}
    week = cohort.course.weeks.get(number=2)
    with translation.override("my"):
        asked = discussing.ask(standings[burmese], week, title="Why?", body="x", key="a", now=now)
    discussing.reply(standings[chit], asked, body="y", key="b", now=now)
    told = dict(Notice.objects.values_list("person__name", "subject"))
    assert told == {"Chit": "Aye asks: Why?", "Aye": f"{BURMESE}Chit replied: Why?"}


def test_the_mail_of_a_receipt_but_not_what_is_signed(received, now):
    with translation.override("my"):
        proof = receipts.proof(received, now=now)
    assert BURMESE not in proof
    receipts.mail_due(now)
    (sent,) = mail.outbox
    assert sent.subject.startswith(BURMESE) and f"{BURMESE}Receipt {received.number}" in sent.body
    assert sent.attachments[0].content == proof


def test_that_something_is_held_back(received, admin, now):
    found = [{"kind": "password", "where": "line 3", "ends": ""}]
    Look.objects.create(pk=received.answer_sha256, state=Look.State.FOUND, findings=found)
    with translation.override("my"):
        assert inspecting.inspect_due(now) == 1
    told = {notice.person: notice for notice in Notice.objects.select_related("person")}
    assert BURMESE not in told[admin].subject + told[admin].words
    assert "the answer: line 3" in told[admin].words
    assert told[received.student].subject.startswith(BURMESE)
    assert f"{BURMESE}the answer: {BURMESE}line 3" in told[received.student].words


def test_a_calendar_that_is_fetched_without_a_session(client, cohort, burmese, bo, now):
    said = {}
    for who in (burmese, bo):
        answer = client.get(reverse("portal:feed", args=[Membership.objects.get(user=who).feed_token]))
        said[who] = {str(event["summary"]) for event in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")}
    assert "Week 3 opens" in said[bo] and not any(BURMESE in words for words in said[bo])
    assert any(words.startswith(BURMESE) and words.endswith("opens") for words in said[burmese])
