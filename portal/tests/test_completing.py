"""Certificates of completion: earned by the rule, printed honestly, checked by anybody, and taken back."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from labs.models import Launch
from portal import completing, completion_pdf, enrolling, releasing
from portal.filing import Refused
from portal.models import Assignment, Completion, Notice
from portal.tests.test_reviewing import browser, hand_in, write

BURMESE = "မောင်အေး"


def printed(pdf):
    return PdfReader(BytesIO(pdf)).pages[0].extract_text()


def a_pdf(**changed):
    facts = {
        "name": "Aye Chan Myint",
        "course": "Amazon Machine Learning",
        "cohort": "September 2025 cohort",
        "case_studies": 4,
        "issued_at": datetime(2025, 10, 4, tzinfo=UTC),
        "school": "Lightsout",
        "address": "https://lights.example/certificates/abc/",
    }
    return completion_pdf.pdf_of(**facts | changed)


@pytest.mark.once
def test_the_page_says_who_what_when_and_where_it_is_checked():
    text = printed(a_pdf())
    for words in (
        "Aye Chan Myint",
        "Amazon Machine Learning",
        "4 case studies",
        "4 October 2025",
        "/certificates/abc/",
    ):
        assert words in text


@pytest.mark.once
def test_a_name_is_never_printed_with_question_marks():
    assert completion_pdf.unprintable("José Ñandú O’Neil") == ""
    assert completion_pdf.unprintable(f"A {BURMESE}")
    with pytest.raises(ValueError, match="cannot show"):
        a_pdf(name=BURMESE)


@pytest.mark.once
def test_a_long_name_stays_on_the_page():
    long = "Wunna Kyaw Htin Thiri Pyanchi Maung Maung Aung San Win Htet Lin Naing Zaw"
    assert completion_pdf._width(long, 30, "Bold") > completion_pdf.WIDTH
    assert long in printed(a_pdf(name=long))


# --- earned, given, checked, taken back ----------------------------------------------------------------------


@pytest.fixture
def completed(cohort, aye, chit, now, clock):
    """aye has released feedback on all case studies; bo, if there, on none."""
    for case in Assignment.objects.select_related("week"):
        write(hand_in(case, cohort, aye, now, f"Case {case.pk}"), chit, now)
        releasing.release(cohort, case.week, by=chit, now=now)


def candidate(cohort, user, now):
    return next(one for one in completing.candidates(cohort, now) if one.membership.user == user)


def give(cohort, user, by, now, name="Aye Chan Myint"):
    return completing.issue(cohort, candidate(cohort, user, now), latin_name=name, by=by, now=now)


@pytest.mark.django_db
def test_all_case_studies_and_no_light_left_on_earn_a_certificate(completed, cohort, aye, bo, chit, now):
    assert candidate(cohort, aye, now).has_earned
    assert candidate(cohort, bo, now).why_not == "4 of 4 case studies"
    with pytest.raises(Refused, match="not completed the course yet: 4 of 4"):
        give(cohort, bo, chit, now)
    Launch.objects.create(
        lab="s3-for-ml",
        account=enrolling.practice_account(aye, now=now),
        owner=aye,
        scope=cohort.scope,
        region="us-east-1",
        created_at=now,
        expires_at=now,
    )
    assert candidate(cohort, aye, now).why_not == "1 light left on"


@pytest.mark.django_db
def test_anybody_with_the_address_can_check_it_and_sees_nothing_else(completed, cohort, aye, chit, now):
    browser(chit).post(
        reverse("portal:completions", args=[cohort.slug]),
        {"student": candidate(cohort, aye, now).membership.pk, "latin_name": "Aye Chan Myint"},
    )
    made = Completion.objects.get()
    answer = Client().get(reverse("portal:completion", args=[made.code]))
    said = answer.content.decode()
    assert "A valid certificate" in said and "Aye Chan Myint" in said
    assert "example.org" not in said and "9 of 10" not in said and answer["X-Robots-Tag"] == "noindex"
    pdf = Client().get(reverse("portal:completion_file", args=[made.code])).content
    assert completing.address_of(made) in printed(pdf)
    assert Client().get(reverse("portal:completion", args=["guessed"])).status_code == 404
    assert Notice.objects.filter(person=aye, key=f"completion {made.pk}").exists()
    assert (
        reverse("portal:completion", args=[made.code])
        in browser(aye).get(reverse("portal:submissions")).content.decode()
    )


@pytest.mark.django_db
def test_a_burmese_name_needs_a_spelling_and_the_page_shows_both(completed, cohort, aye, chit, now):
    aye.name = BURMESE
    aye.save()
    browser(chit).post(reverse("portal:all_completions", args=[cohort.slug]))
    assert not Completion.objects.exists()
    with pytest.raises(Refused, match="spelling in Latin letters"):
        give(cohort, aye, chit, now, BURMESE)
    made = give(cohort, aye, chit, now, "Maung Aye")
    said = Client().get(reverse("portal:completion", args=[made.code])).content.decode()
    assert BURMESE in said and "Maung Aye" in said
    assert "Maung Aye" in printed(completing.pdf_of(made))


@pytest.mark.django_db
def test_a_revoked_certificate_says_so_without_the_reason_and_is_not_printed(completed, cohort, aye, chit, now):
    made = give(cohort, aye, chit, now)
    address = reverse("portal:completions", args=[cohort.slug])
    form = {"do": "revoke", "certificate": made.pk, "why": ""}
    assert "Say why" in browser(chit).post(address, form).content.decode()
    browser(chit).post(address, form | {"why": "Given to the wrong person."})
    said = Client().get(reverse("portal:completion", args=[made.code])).content.decode()
    assert "was revoked" in said and "wrong person" not in said and "Aye" not in said
    assert Client().get(reverse("portal:completion_file", args=[made.code])).status_code == 404
    again = give(cohort, aye, chit, now)
    assert again.code != made.code


@pytest.mark.django_db
def test_two_presses_of_the_button_are_one_certificate(completed, cohort, aye, chit, now):
    assert give(cohort, aye, chit, now) == give(cohort, aye, chit, now)
