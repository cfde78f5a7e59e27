"""Before the course what one needs is accepted with a date; on Saturday the link is there from an hour before."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from conftest import YANGON
from portal import rules_of_use
from portal.models import CohortWeek, LiveSession, OfCohort

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]
NINE = datetime(2025, 9, 20, 9, 0, tzinfo=YANGON)
AN_HOUR = timedelta(hours=1)
MEET, FILM = "https://meet.example.org/bootcamp", "https://film.example.org/2"


@pytest.fixture
def live(signed_in, chit, cohort):
    form = {"join_url": MEET, "recording_url": FILM, "agenda_md": "- **Cold starts**"}
    assert signed_in(chit).post(reverse("portal:live", args=[cohort.slug, 2]), form).status_code == 302
    return LiveSession.objects.get()


def week(client):
    return client.get(reverse("portal:week", args=[2])).content.decode()


@pytest.mark.parametrize(
    "at, joins, watches",
    [
        (NINE - AN_HOUR - timedelta(seconds=1), False, False),
        (NINE - AN_HOUR, True, False),
        (NINE + 2 * AN_HOUR, True, False),
        (NINE + 3 * AN_HOUR, False, True),
    ],
)
def test_the_link_is_there_from_an_hour_before_and_the_recording_afterwards(
    signed_in, aye, live, clock, at, joins, watches
):
    clock.move_to(at)
    said = week(signed_in(aye))
    assert (MEET in said, FILM in said) == (joins, watches)
    assert ("<strong>Cold starts</strong>" in said) == (joins or watches)
    assert (MEET in signed_in(aye).get(reverse("portal:today")).content.decode()) == joins


def test_a_session_that_moves_takes_the_hour_of_its_link_along(signed_in, aye, live, clock):
    CohortWeek.objects.filter(week__number=2).update(session_at=NINE + 4 * AN_HOUR)
    clock.move_to(NINE)
    assert MEET not in week(signed_in(aye))


def test_who_teaches_sees_it_always_and_a_wrong_address_is_said(signed_in, chit, cohort, live):
    assert MEET in week(signed_in(chit))
    page = reverse("portal:live", args=[cohort.slug, 2])
    answer = signed_in(chit).post(page, {"join_url": "javascript:alert(1)", "agenda_md": "kept"})
    assert answer.status_code == 422 and "beginning with https://" in answer.content.decode()
    assert "kept" in answer.content.decode()
    live.refresh_from_db()
    assert live.join_url == MEET


def test_what_is_needed_and_the_rules_are_accepted_with_the_date_once(signed_in, aye, chit, cohort, clock, now):
    cohort.course.needed_md = "A **laptop**.\n"
    cohort.course.save()
    page, accept = reverse("portal:week", args=[0]), reverse("portal:accept")
    said = signed_in(aye).get(page).content.decode()
    assert "<strong>laptop</strong>" in said and "For learning only." in said and "I accept the rules of use" in said
    signed_in(aye).post(accept, {"has": "yes"})
    assert not OfCohort.objects.filter(ready_at__isnull=False).exists() and rules_of_use.accepted_at(aye) is None
    signed_in(aye).post(accept, {"has": "yes", "accepts": "yes"})
    clock.move_to(now + AN_HOUR)
    signed_in(aye).post(accept, {"has": "yes", "accepts": "yes"})
    assert OfCohort.objects.get(reader=aye).ready_at == rules_of_use.accepted_at(aye) == now
    assert "You said that you have it on" in signed_in(aye).get(page).content.decode()
    roster = reverse("portal:cohort_page", args=[cohort.slug])
    assert "1 of 1 student" in signed_in(chit).get(roster).content.decode()
    cohort.course.needed_md = "A laptop and a **phone**.\n"
    cohort.course.save()
    assert "I have what the course needs" in signed_in(aye).get(page).content.decode()
    assert "0 of 1 student" in signed_in(chit).get(roster).content.decode()


def test_what_one_opened_is_read_and_the_rest_is_new(signed_in, aye, chit):
    assert week(signed_in(aye)).count("New</span>") == 2
    signed_in(aye).get(reverse("portal:material", args=[2, "reading"]))
    said = week(signed_in(aye))
    assert said.count("New</span>") == 1 and "1 of 2 read" in said
    assert "1 of 2 read" in signed_in(aye).get(reverse("portal:course")).content.decode()
    assert "New</span>" not in week(signed_in(chit))
