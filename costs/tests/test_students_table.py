"""The table of students comes a page at a time and is searched on the server; the board shows who has something on."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from costs import scopes
from costs.dashboard import meter_chip, spend, spend_page
from costs.tests import worlds
from costs.tests.test_dashboard import ELSEWHERE, judged, running_lab
from costs.tests.test_pages import words
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, instance, stranger
from labs.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
NUMBER = 60


@pytest.fixture
def class_of_sixty(teacher):
    """Each with an account, and one of them called Zaw."""
    scopes.tell(SCOPE, name="sep")
    names = [*(f"Student {n:02}" for n in range(1, NUMBER)), "Zaw"]
    people = get_user_model().objects.bulk_create(
        get_user_model()(email=f"{name.split()[-1].lower()}@example.org", name=name) for name in names
    )
    Account.objects.bulk_create(
        Account(
            name="a", mode="practice", aws_id=f"{4 * 10**11 + one.pk}", owner=one, scope=SCOPE, created_at=NOW - DAY
        )
        for one in people
    )
    return people


@pytest.fixture
def read(client, teacher):
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    return lambda address="", **more: client.get(reverse("costs:spend") + address, **more)


def rows_of(answer):
    return [int(pk) for pk in re.findall(r'<tr id="s-(\d+)"', answer.content.decode())]


def test_everybody_is_on_one_page_or_another(class_of_sixty, read):
    first, second = read(), read("?page=2")
    assert (len(rows_of(first)), len(rows_of(second))) == (50, 10)
    assert {*rows_of(first), *rows_of(second)} == {one.pk for one in class_of_sixty}
    assert 'href="?page=2#st"' in first.content.decode() and 'href="?page=1#st"' in second.content.decode()
    assert "60 students" in words(first) and "60 students" in words(second), "the sums are everybody's"


@pytest.mark.parametrize("asked", ["zaw", "ZAW", "zaw@example"])
def test_somebody_on_a_later_page_is_found_by_name_or_address(class_of_sixty, read, asked):
    answer = read(f"?q={asked}")
    assert rows_of(answer) == [class_of_sixty[-1].pk]
    assert "1 of 60 found" in words(answer) and "60 students" in words(answer)


def test_a_search_goes_on_over_its_pages(class_of_sixty, read):
    answer = read("?q=student")
    assert len(rows_of(answer)) == 50 and 'href="?q=student&amp;page=2#st"' in answer.content.decode()
    assert len(rows_of(read("?q=student&page=2"))) == 9


def test_what_nobody_is_called_is_said_and_is_no_script(class_of_sixty, read):
    answer = read("?q=<script>alert(1)</script>")
    assert rows_of(answer) == [] and "No student’s name" in words(answer)
    assert "<script>alert" not in answer.content.decode()


def test_a_poll_stays_on_the_page_that_is_read(class_of_sixty, read):
    account = Account.objects.get(owner=class_of_sixty[0])
    stranger(account, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    answer = read("?q=student&page=2")
    polls = re.search(r'hx-get="([^"]+)"', answer.content.decode())[1]
    assert polls == reverse("costs:spend") + "?q=student&amp;page=2"
    polled = read("?q=student&page=2", headers={"HX-Request": "true"})
    assert rows_of(polled) == rows_of(answer) and len(rows_of(polled)) == 9


def test_the_trend_of_a_row_is_its_owners(class_of_sixty, read):
    account = Account.objects.get(owner=class_of_sixty[3])
    stranger(account, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    by_owner = {row.person.pk: row for row in read().context["students"]}
    assert sum(by_owner.pop(class_of_sixty[3].pk).trend) == Decimal("3.06"), "an hour of a p3.2xlarge"
    assert not any(sum(row.trend) for row in by_owner.values())


def test_the_board_counts_who_has_all_off_and_shows_who_has_not(class_of_sixty, read):
    account = Account.objects.get(owner=class_of_sixty[-1])
    stranger(account, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    said = words(read())
    assert "Zaw: left on" in said and "59 off" in said and "Student 01: off" not in said


def test_a_full_board_shows_first_what_was_left_on_and_counts_the_others(aye, ayes, bo, monkeypatch):
    monkeypatch.setattr(spend, "BOARD_SHOWN", 1)
    running_lab(aye, ayes)
    stranger(worlds.account_of(bo, number=2), "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    page = spend_page([SCOPE], NOW)
    assert [(row.person.name, row.light) for row in page.board] == [("Bo", "on")]
    assert page.board_more == 1


def test_the_chip_adds_up_what_the_page_around_it_read(aye, ayes, bo, django_assert_num_queries):
    running_lab(aye, ayes)
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    judged()
    # Seen, and not metered yet: it is in no sum of the database.
    stranger(ayes, "ec2-instance", instance(type="t3.large", disk_gb=0, since=NOW, name="new"), NOW)
    stranger(worlds.account_of(bo, number=2, scope=ELSEWHERE), "ec2-instance", instance(disk_gb=0, since=NOW), NOW)
    known = spend_page([SCOPE], NOW).on_now
    with django_assert_num_queries(0):
        chip = meter_chip(scopes=[SCOPE], now=NOW, known=known)
    assert chip == meter_chip(scopes=[SCOPE], now=NOW) and chip.count == 3
    both = [SCOPE, ELSEWHERE]
    assert meter_chip(scopes=both, now=NOW, known=known) == meter_chip(scopes=both, now=NOW)
    within = spend_page(both, NOW).on_now
    assert meter_chip(scopes=[ELSEWHERE], now=NOW, known=within).count == 1, "no more than what was asked for"
