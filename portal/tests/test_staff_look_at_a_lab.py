"""Whoever teaches sees a student's lab as it is, to help when it is stuck; credentials stay the student's alone."""

import re
from dataclasses import replace

import pytest
from django.urls import reverse

from labs import aws, catalog, ledger
from labs.catalog.base import Checked, Step
from labs.kinds.base import RUNNING, Seen
from labs.models import Event, Launch, StepCheck
from portal import enrolling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def stuck(aye, cohort, lab, now, monkeypatch):
    """aye's lab: a machine that is blocked, one step passed, one not yet."""
    steps = (
        Step("first", "Make a bucket", "Do it.", lambda view: Checked(True, "")),
        Step("second", "Fill it", "Do it.", lambda view: Checked(False, "")),
    )
    monkeypatch.setattr(catalog, "catalog", lambda: {lab.slug: replace(lab, steps=steps)})
    launch = Launch.objects.create(
        lab=lab.slug,
        account=enrolling.practice_account(aye, now=now),
        owner=aye,
        scope=cohort.scope,
        region="us-east-1",
        created_at=now,
        expires_at=now.replace(hour=16),
    )
    box = Seen(RUNNING, "i-1", "box", now, {"type": "t3.medium", "platform": "linux", "disks": []})
    [row] = ledger.enter_strangers([(launch.account, "ec2-instance", box, "us-east-1")], now)
    row.launch, row.blocked_why = launch, "AWS does not let the portal do this: AccessDenied"
    row.save()
    StepCheck.objects.create(launch=launch, step="first", passed=True, said="It is there.", checked_at=now)
    StepCheck.objects.create(launch=launch, step="second", passed=False, said="It is empty.", checked_at=now)
    return launch


def shown(client, launch):
    return client.get(reverse("labs:panel", args=[launch.pk])).content.decode()


def of_the_lab(html):
    """The words that say how the lab is: its meter, its steps, its resources and events; without what only the student
    may press, and who looked."""
    parts = [re.search(rf'id="{name}".*?</section>', html, re.S)[0] for name in ("live", "lab-steps", "res", "ev")]
    words = re.sub(
        r"<(form|a)\b.*?</\1>|<li[^>]*>(?:(?!</li>).)*looked at this lab.*?</li>", " ", "".join(parts), flags=re.S
    )
    return " ".join(re.sub(r"<[^>]+>", " ", words).split())


def test_the_instructor_sees_the_lab_as_its_student_sees_it(stuck, signed_in, aye, chit, admin):
    own = of_the_lab(shown(signed_in(aye), stuck))
    assert "It is empty." in own and "AccessDenied" in own and "Make a bucket" in own
    for who in (chit, admin):
        page = shown(signed_in(who), stuck)
        assert of_the_lab(page) == own
        assert "Aye’s lab" in page


SECRET_PAGES = ("credentials", "token", "console")


@pytest.mark.parametrize("name", SECRET_PAGES)
def test_nobody_but_the_student_gets_a_secret_of_the_lab(stuck, signed_in, aye, chit, admin, monkeypatch, name):
    def refuse(*_, **__):
        raise AssertionError("AWS was asked for credentials")

    monkeypatch.setattr(aws, "assume", refuse)
    for who in (chit, admin):
        client = signed_in(who)
        assert reverse(f"labs:{name}", args=[stuck.pk]) not in shown(client, stuck)
        assert client.post(reverse(f"labs:{name}", args=[stuck.pk])).status_code == 404
    assert not Event.objects.filter(launch=stuck).exclude(code__in=("stranger", "made", "looked")).exists()
    stuck.refresh_from_db()
    assert (stuck.session_at, stuck.token_sha256) == (None, "")


def test_the_student_is_offered_them(stuck, signed_in, aye):
    page = shown(signed_in(aye), stuck)
    assert reverse("labs:credentials", args=[stuck.pk]) in page
