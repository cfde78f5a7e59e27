"""The roster: who handed in, whose labs are on, what they spent, when they were seen; and acting on many at once."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.urls import reverse

from conftest import YANGON, member
from costs.models import DailySpend
from labs.audit import Act
from labs.models import Account, Event, Launch
from portal import delivering, extending, submitting
from portal.models import Assignment, Extension, Notice, NoticeChannel, Submission, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def cohort_page(signed_in, chit, cohort):
    client = signed_in(chit)
    return lambda show="": client.get(reverse("portal:cohort_page", args=[cohort.slug]), {"show": show})


def names(answer):
    table = re.search(r'<table[^>]*id="roster">(.*?)</table>', answer.content.decode(), re.S)
    return re.findall(r'form-check-label">([^<]+)', table[1]) if table else []


def lab_on(person, now, scope):
    account = Account.objects.get(owner=person)
    return Launch.objects.create(
        lab="s3-for-ml", account=account, owner=person, scope=scope, region="us-east-1", created_at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip


@pytest.fixture
def act(signed_in, chit, cohort):
    client = signed_in(chit)
    url = reverse("portal:act_on_students", args=[cohort.slug])
    return lambda do, *people, **more: client.post(url, {"do": do, "p": [one.pk for one in people], **more})


# --- what it shows -----------------------------------------------------------------------------------------


def test_each_row_tells_labs_spend_and_when_somebody_was_seen(cohort_page, aye, bo, cohort, now):
    lab_on(aye, now, cohort.scope)
    DailySpend.objects.create(
        day=now.date(), account=Account.objects.get(owner=aye), scope=cohort.scope, owner=aye, service="ec2",
        region="us-east-1", usd=Decimal("3.456"),
    )  # fmt: skip
    User.objects.filter(pk=aye.pk).update(seen_at=now - timedelta(hours=1))
    shown = cohort_page()
    rows = {str(row["membership"].user): row for row in shown.context["roster"]}
    assert (rows["Aye"]["labs_on"], rows["Aye"]["usd"]) == (1, Decimal("3.456"))
    assert rows["Aye"]["seen_at"] == now - timedelta(hours=1)
    assert (rows["Bo"]["labs_on"], rows["Bo"]["usd"], rows["Bo"]["seen_at"]) == (0, 0, None)
    html = shown.content.decode()
    assert reverse("costs:person", args=[aye.pk]) in html
    assert reverse("costs:person", args=[bo.pk]) not in html, "who spent nothing may be nobody to costs"
    assert "$3.46" in cohort_page().content.decode()


def test_it_can_be_narrowed_without_script(cohort_page, aye, bo, cohort, now):
    lab_on(aye, now, cohort.scope)
    User.objects.filter(pk=bo.pk).update(seen_at=now - timedelta(days=6))
    assert names(cohort_page()) == ["Aye", "Bo"]
    assert names(cohort_page("labs")) == ["Aye"]
    assert names(cohort_page("away")) == ["Aye"]
    assert names(cohort_page("missing")) == ["Aye", "Bo"]
    Launch.objects.all().delete()
    assert "No student is in this list" in cohort_page("labs").content.decode()


def test_an_own_deadline_stands_in_the_row_and_nobody_is_missing_before_it(
    cohort_page, aye, bo, chit, cohort, now, clock
):
    extending.grant(cohort, case_of_week(2), aye, SUNDAY, reason="Power cut", by=chit, now=now)
    clock.move_to(SUNDAY)
    rows = {str(row["membership"].user): row for row in cohort_page().context["roster"]}
    assert (rows["Aye"]["is_over"], rows["Bo"]["is_over"]) == (False, True)
    html = cohort_page().content.decode()
    assert html.count("own deadline") == 1 and 'title="Power cut"' in html
    clock.move_to(SUNDAY + timedelta(seconds=1))
    assert all(row["is_over"] for row in cohort_page().context["roster"])


# --- more time ---------------------------------------------------------------------------------------------


def case_of_week(number):
    return Assignment.objects.get(week__number=number)


SUNDAY = datetime(2025, 9, 21, 23, 59, 59, tzinfo=YANGON)


def more_time(**more):
    return {"case": case_of_week(2).pk, "at": "2025-09-21T23:59", "reason": "No power in Bago", **more}


def test_more_time_is_shown_for_each_before_it_is_given(act, aye, bo, chit, cohort, now):
    extending.grant(cohort, case_of_week(2), bo, SUNDAY + timedelta(days=1), reason="Ill", by=chit, now=now)
    shown = act("extend-look", aye, bo, **more_time())
    html = shown.content.decode()
    assert "Give it to 1, and tell them" in html and "keeps it:" in html
    assert Extension.objects.count() == 1
    assert act("extend-now", aye, bo, **more_time(seen=shown.context["seen"])).status_code == 302
    assert Extension.objects.get(student=aye).due_at == SUNDAY
    assert Extension.objects.get(student=bo).due_at == SUNDAY + timedelta(days=1)
    assert Notice.objects.get(person=aye).words == "No power in Bago"
    assert Act.objects.filter(kind="extension", person=aye, by=chit).count() == 1


def test_more_time_after_the_deadline_says_whose_version_is_not_late_any_more(act, aye, cohort, clock, now):
    late = SUNDAY - timedelta(days=1)
    clock.move_to(late)
    draft = submitting.draft_of(case_of_week(2), cohort, aye, now=late)
    submitting.save_draft(draft, "Cloud.", revision=draft.revision, window="w", now=late)
    assert submitting.submit(draft, key="k", now=late)[0].is_late
    shown = act("extend-look", aye, **more_time())
    assert "Version 1 is late, and will not be any more." in shown.content.decode()
    act("extend-now", aye, **more_time(seen=shown.context["seen"]))
    assert not Submission.objects.get().is_late


def test_more_time_is_not_given_when_it_would_do_something_else_than_was_shown(act, aye, bo, chit, cohort, now):
    seen = act("extend-look", aye, bo, **more_time()).context["seen"]
    extending.grant(cohort, case_of_week(2), bo, SUNDAY - timedelta(days=1), reason="Ill", by=chit, now=now)
    answer = act("extend-now", aye, bo, **more_time(seen=seen))
    assert answer.status_code == 409 and "Something changed while you looked" in answer.content.decode()
    assert [one.student for one in Extension.objects.all()] == [bo]
    assert (
        act("extend-now", aye, bo, **more_time(at="2025-09-22T12:00", seen=answer.context["seen"])).status_code == 409
    )


@pytest.mark.parametrize(
    "change, said",
    [
        ({"reason": " "}, "Write a reason"),
        ({"at": "2025-09-18T12:00"}, "not later than"),
        ({"case": ""}, "Choose a case"),
    ],
)
def test_more_time_that_cannot_be_given_says_why(act, aye, change, said):
    answer = act("extend-look", aye, **more_time(**change))
    assert answer.status_code == 422 and said in answer.content.decode() and not Extension.objects.exists()


# --- writing -----------------------------------------------------------------------------------------------

LETTER = {"subject": "Saturday", "words": "Bring your\r\nnotebook & charger."}


def test_a_letter_is_shown_before_it_is_sent(act, aye, bo):
    html = act("preview", aye, bo, **LETTER).content.decode()
    assert "Send to 2" in html
    shown = html.replace("<br>", "\n")
    assert "Hello Aye,\n\nSaturday\nBring your\nnotebook &amp; charger.\n\nChit, September 2025 cohort" in shown
    assert not Notice.objects.exists()


def test_each_is_written_to_alone_and_a_second_press_writes_once(act, aye, bo, now, cohort):
    member(cohort, "dora", "student", now)
    for _ in range(2):
        assert act("send", aye, bo, **LETTER).status_code == 302
    delivering.deliver(now)
    assert sorted(one.to for one in mail.outbox) == [["aye@example.org"], ["bo@example.org"]]
    for one in mail.outbox:
        assert len(one.recipients()) == 1
        assert "Bring your\nnotebook & charger.\n\nChit, September 2025 cohort" in one.body
        assert "bo@example.org" not in one.body
    assert Event.objects.filter(code="letter").first().words == "Chit wrote to 2 of September 2025 cohort: Saturday"


def test_everybody_of_the_list_that_is_shown_can_be_written_to(act, aye, bo, cohort, now):
    lab_on(aye, now, cohort.scope)
    act("send", all="yes", show="labs", **LETTER)
    assert [one.person for one in Notice.objects.all()] == [aye]
    act("send", all="yes", show="", **LETTER)
    assert {one.person for one in Notice.objects.all()} == {aye, bo}


def test_an_empty_letter_keeps_what_was_written(act, aye):
    answer = act("send", aye, subject="", words="Bring it.")
    assert answer.status_code == 422
    assert "Write a subject." in answer.content.decode() and "Bring it.</textarea>" in answer.content.decode()


def test_nobody_ticked_and_somebody_of_another_cohort_are_nobody(act, other_cohort, now):
    stranger = member(other_cohort, "stranger", "student", now)
    for people in ([], [stranger]):
        assert act("send", *people, **LETTER).status_code == 302
    assert not Notice.objects.exists()


def test_who_chose_to_be_told_nothing_by_mail_still_finds_it_on_the_page(act, aye, now, client):
    NoticeChannel.objects.create(person=aye, kind="mail", label="Mail", made_at=now, verified_at=now, off_at=now)
    act("send", aye, **LETTER)
    delivering.deliver(now)
    assert mail.outbox == []
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    assert "notebook &amp; charger" in client.get(reverse("portal:notices")).content.decode()


# --- ending labs -------------------------------------------------------------------------------------------


def test_labs_are_named_before_they_are_ended_and_only_those_that_were_named_end(act, aye, bo, cohort, now):
    first = lab_on(aye, now, cohort.scope)
    html = act("end", aye, bo).content.decode()
    assert f'name="launch" value="{first.pk}"' in html
    later = lab_on(bo, now, cohort.scope)
    act("end-now", aye, bo, launch=[str(first.pk)])
    first.refresh_from_db()
    later.refresh_from_db()
    assert first.asked_to_end_at == now and later.asked_to_end_at is None


def test_a_lab_of_another_cohort_is_not_ended_here(act, aye, other_cohort, now):
    elsewhere = lab_on(aye, now, other_cohort.scope)
    act("end-now", aye, launch=[str(elsewhere.pk)])
    elsewhere.refresh_from_db()
    assert elsewhere.asked_to_end_at is None
