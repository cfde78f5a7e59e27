"""The demo: a believable past made by the acts of real people, laid whole, once, and only where it may be."""

import gzip
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Max, Sum
from django.test import Client
from django.test.utils import override_settings
from hypothesis import given
from hypothesis import strategies as st
from whitenoise.compress import Compressor

from conftest import YANGON, member
from costs import budget, currency
from costs.models import DailySpend, ExchangeRate, Metered, Reading, Scope
from labs import aws, practice
from labs.models import Account, Event, Launch, Resource, StepCheck
from portal import demo, enrolling, schedule, submitting
from portal.demo_people import COHORT, DOMAIN, STUDENTS
from portal.models import (
    Cohort,
    Course,
    Draft,
    Feedback,
    Inspection,
    Look,
    Membership,
    Notice,
    Submission,
    User,
)

THURSDAY = datetime(2025, 9, 18, 14, 47, tzinfo=YANGON)
NOBODY = "http://127.0.0.1:9"  # no simulator listens there
OUTSIDE = {"Session", "Migration", "ContentType", "Permission", "LogEntry"}


@pytest.fixture(scope="module")
def laid(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo as of Thursday of week 2, laid once for this module; what a test does to it is rolled back."""
    files = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(DEMO=True, MEDIA_ROOT=files, SIMULATOR_URL=NOBODY):
            demo.lay(THURSDAY)
        yield files
        transaction.set_rollback(True)


@pytest.fixture
def in_demo(laid, db, settings):
    settings.DEMO, settings.MEDIA_ROOT, settings.SIMULATOR_URL = True, laid, NOBODY
    return Cohort.objects.get(slug=COHORT)


def everything():
    """Every row of every table of ours, as plain values."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models()
        if model.__name__ not in OUTSIDE
    }


def person(short):
    return User.objects.get(email=f"{short}@{DOMAIN}")


# --- when ------------------------------------------------------------------------------------------------------


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_today_always_falls_in_week_two(now):
    start_on = demo.start_for(now)
    weeks = schedule.calendar(start_on, YANGON, enrolment_opens_at=now - timedelta(days=30))
    assert start_on.weekday() == 5
    assert schedule.current_week(weeks, now) == 2


@pytest.mark.parametrize(
    ("now", "start_on"),
    [
        (datetime(2025, 9, 18, 14, 47, tzinfo=YANGON), date(2025, 9, 6)),
        (datetime(2025, 9, 15, 21, 0, tzinfo=YANGON), date(2025, 9, 6)),
        (datetime(2025, 9, 22, 20, 59, 59, tzinfo=YANGON), date(2025, 9, 6)),
        (datetime(2025, 9, 22, 21, 0, tzinfo=YANGON), date(2025, 9, 13)),
    ],
)
def test_the_cohort_of_september_is_that_of_the_course(now, start_on):
    assert demo.start_for(now) == start_on


# --- who -------------------------------------------------------------------------------------------------------


def test_there_are_24_students_an_instructor_and_an_admin(in_demo):
    roles = Counter(in_demo.memberships.values_list("role", flat=True))
    assert roles == {Membership.Role.STUDENT: 24, Membership.Role.INSTRUCTOR: 1}
    assert list(User.objects.filter(is_staff=True).values_list("name", flat=True)) == ["Hazel Ong"]
    assert len({person.name for person in STUDENTS}) == 24


def test_demo_people_have_no_password_and_no_real_address(in_demo):
    people = list(User.objects.all())
    assert len(people) == 26
    assert all(user.is_demo and not user.has_usable_password() for user in people)
    assert all(user.email.endswith(".example") for user in people)
    assert User.objects.order_by("pk").first().name == "Thiri Hlaing"


# --- the school's past -----------------------------------------------------------------------------------------


def test_week_one_is_handed_in_by_most_and_its_feedback_came_on_saturday(in_demo):
    week_one = Submission.objects.filter(assignment__week__number=1)
    told = in_demo.told.get(week__number=1)
    assert week_one.values("student").distinct().count() == 23
    assert not week_one.filter(student=person("zaw")).exists()
    [late] = week_one.filter(is_late=True)
    assert (late.student, late.received_at) == (person("linh"), told.due_at + timedelta(minutes=42))
    assert week_one.filter(student=person("arif")).aggregate(last=Max("version")) == {"last": 3}
    feedback = Feedback.objects.filter(submission__assignment__week__number=1)
    assert feedback.count() == 23
    assert set(feedback.values_list("state", "released_at")) == {("released", told.feedback_at)}
    assert Feedback.objects.get(submission__student=person("thiri")).score == 17


def test_on_thursday_afternoon_week_two_is_drafts_and_first_versions(in_demo):
    week_two = Submission.objects.filter(assignment__week__number=2)
    drafts = Draft.objects.filter(assignment__week__number=2)
    handed_in = set(week_two.values_list("student", flat=True))
    begun = set(drafts.values_list("student", flat=True)) - handed_in
    assert 3 <= len(handed_in) <= 20
    assert len(begun) >= 2
    assert not Feedback.objects.filter(submission__in=week_two).exists()
    assert week_two.aggregate(last=Max("received_at"))["last"] <= THURSDAY


def test_files_of_the_demo_are_whole_on_disk(in_demo, laid):
    for submission in Submission.objects.prefetch_related("files"):
        for file in submission.files.all():
            assert (laid / file.path).stat().st_size == file.size


# --- the past in money -----------------------------------------------------------------------------------------


def test_one_notebook_with_a_key_in_it_is_held_back_and_nothing_else(in_demo):
    held = Inspection.objects.get(is_held=True).submission
    [file] = held.files.all()
    assert [one["where"] for one in Look.objects.get(pk=file.sha256).findings] == ["cell 2, line 1"]
    assert not Submission.objects.filter(inspection=None).exists()


def test_nothing_of_the_past_is_still_open(in_demo):
    assert Launch.objects.count() > 60
    assert not Launch.objects.open().exists()
    assert not Resource.objects.open().exists()
    assert not Launch.objects.filter(prove_at__isnull=False).exists()
    assert Event.objects.aggregate(last=Max("at"))["last"] <= THURSDAY
    assert StepCheck.objects.aggregate(last=Max("checked_at"))["last"] <= THURSDAY
    assert Launch.objects.aggregate(last=Max("ended_at"))["last"] <= THURSDAY


def test_every_dollar_is_a_reading_of_what_was_seen(in_demo):
    readings = list(Reading.objects.select_related("resource", "price").prefetch_related("resource__spans"))
    assert len(readings) > 200
    for reading in readings:
        assert abs(reading.usd - reading.quantity * reading.rate) < Decimal("1e-9"), reading.meter
        assert any(span.began <= reading.start and reading.end <= span.ended for span in reading.resource.spans.all())
        assert reading.rate == reading.price.usd
    for metered in Metered.objects.all():
        assert metered.usd == sum((r.usd for r in readings if r.resource_id == metered.resource_id), Decimal(0))
    of_days = DailySpend.objects.aggregate(usd=Sum("usd"), unpriced=Sum("unpriced_seconds"))
    assert of_days == {"usd": sum(reading.usd for reading in readings), "unpriced": 0}


def test_the_cohort_spent_what_a_cohort_spends(in_demo):
    spent = DailySpend.objects.filter(scope=in_demo.scope).aggregate(usd=Sum("usd"))["usd"]
    assert 60 < spent < 350
    assert spent == DailySpend.objects.aggregate(usd=Sum("usd"))["usd"]
    days = DailySpend.objects.values_list("day", flat=True).distinct()
    assert len(days) >= 8
    assert {"EC2", "S3", "SageMaker"} <= set(DailySpend.objects.values_list("service", flat=True))


def test_the_instructor_left_a_notebook_on_over_the_weekend(in_demo):
    notebook = Resource.objects.get(name="segmentation-demo")
    assert (notebook.owner.name, notebook.is_stranger) == ("Lwin Moe Aye", True)
    span = notebook.spans.get(state="running")
    began, ended = (at.astimezone(YANGON) for at in (span.began, span.ended))
    assert (began.strftime("%a"), ended.strftime("%a")) == ("Sat", "Mon")
    assert notebook.metered.usd > 50
    mine = DailySpend.objects.filter(owner=notebook.owner).aggregate(usd=Sum("usd"))["usd"]
    others = DailySpend.objects.exclude(owner=notebook.owner).values("owner").annotate(usd=Sum("usd"))
    assert mine > max(other["usd"] for other in others)


def test_one_student_is_over_budget_and_one_spent_nothing(in_demo):
    spent = dict(DailySpend.objects.values_list("owner__name").annotate(Sum("usd")))
    assert spent["Ye Yint Aung"] > in_demo.student_budget_usd
    assert "Zaw Lin Tun" not in spent
    over = budget.may_launch(person("yeyint"), in_demo.scope, Decimal("0.05"), Decimal(2), THURSDAY)
    assert not over.allowed
    assert budget.may_launch(person("thiri"), in_demo.scope, Decimal("0.05"), Decimal(2), THURSDAY).allowed
    assert budget.may_launch(person("lwin"), in_demo.scope, Decimal("0.05"), Decimal(2), THURSDAY).allowed


def test_the_cohort_has_a_currency_whose_rate_says_that_it_is_made_up(in_demo):
    shown_at = currency.shared_rate([Scope.objects.get(key=in_demo.scope)], THURSDAY)
    assert shown_at.currency == in_demo.currency == "SGD"
    assert shown_at.source == "made up for the demo"
    assert shown_at.shown(Decimal(100)) == "SGD 129.00"


@pytest.mark.once
def test_a_rate_that_somebody_looked_up_is_taken_instead_and_stays(in_demo):
    demo.remove()
    looked_up = currency.enter("SGD", Decimal("1.31"), date(2025, 9, 1), "central bank")
    demo.lay(THURSDAY)
    assert ExchangeRate.objects.get() == looked_up
    demo.remove()
    assert ExchangeRate.objects.get() == looked_up


def test_a_played_lab_has_no_certificate_and_says_why(in_demo):
    launch = Launch.objects.filter(lab="ec2-reads-s3").first()
    assert launch.certificate is None
    assert "no AWS was asked for a certificate" in launch.events.first().words
    assert [row.closed_why for row in launch.resources.all()] == ["seen absent"] * 5
    assert launch.created_at < launch.ready_at < launch.ended_at


# --- laid whole, once, and away again ----------------------------------------------------------------------------


def test_laying_twice_changes_nothing(in_demo):
    before = everything()
    assert demo.lay(THURSDAY + timedelta(days=3)) is False
    assert everything() == before


@pytest.fixture
def real_school(in_demo):
    """Another cohort of the same course, in which aye, who is real, has handed in."""
    other = enrolling.open_cohort(
        Course.objects.get(slug="aws-ml"), slug="real", name="Real", start_on=date(2025, 9, 6), now=THURSDAY
    )
    aye = member(other, "aye", Membership.Role.STUDENT, THURSDAY)
    case = other.told.get(week__number=1).week.assignments.get()
    draft = submitting.draft_of(case, other, aye, now=THURSDAY)
    submitting.save_draft(draft, "On premises.", revision=0, window="w", now=THURSDAY)
    submitting.submit(Draft.objects.get(pk=draft.pk), key="real", now=THURSDAY)
    return other


def story():
    """What the demo tells, without the numbers that a database gives."""
    return {
        "handed in": sorted(Submission.objects.values_list("student__email", "version", "received_at", "answer_md")),
        "feedback": sorted(Feedback.objects.values_list("submission__student__email", "score", "comment_md")),
        "labs": sorted(Launch.objects.values_list("owner__email", "lab", "created_at", "ended_at")),
        "spend": sorted(
            DailySpend.objects.values_list("owner__email", "day", "service", "region", "usd").exclude(usd=0), key=str
        ),
    }


@pytest.mark.once
def test_afresh_lays_the_same_story_and_touches_nobody_real(in_demo, real_school):
    real = User.objects.get(email="aye@example.org")
    kept = Submission.objects.filter(student=real).values().get()
    told = list(real_school.told.values())
    before, old_scope = story(), in_demo.scope
    assert demo.lay(THURSDAY, afresh=True) is True
    assert story() == before
    assert Submission.objects.filter(student=real).values().get() == kept
    assert list(real_school.told.values()) == told
    assert Cohort.objects.get(slug=COHORT).scope != old_scope
    assert not Account.objects.filter(scope=old_scope).exists()
    assert not DailySpend.objects.filter(scope=old_scope).exists()


@pytest.mark.once
def test_removing_leaves_nothing_of_the_demo(in_demo, real_school):
    demo.remove()
    assert list(User.objects.values_list("email", flat=True)) == ["aye@example.org"]
    assert list(Cohort.objects.values_list("slug", flat=True)) == ["real"]
    assert Account.objects.get().owner.email == "aye@example.org"
    for model in (Launch, Resource, Event, Reading, Metered, DailySpend, ExchangeRate, Feedback):
        assert not model.objects.exists(), model
    assert Course.objects.get().weeks.count() == 6


def test_a_real_person_in_the_demo_cohort_is_not_removed(in_demo):
    member(in_demo, "bo", Membership.Role.STUDENT, THURSDAY)
    before = everything()
    with pytest.raises(demo.NoDemo, match="bo@example.org"):
        demo.lay(THURSDAY, afresh=True)
    assert everything() == before


def test_what_a_demo_person_has_in_a_real_account_is_not_forgotten(in_demo):
    Account.objects.create(
        name="Shared", mode=Account.SHARED, aws_id="111122223333", owner=person("thiri"), created_at=THURSDAY
    )
    with pytest.raises(demo.NoDemo, match="real AWS account"):
        demo.remove()
    assert User.objects.filter(is_demo=True).count() == 26


@pytest.mark.django_db
def test_outside_of_a_demo_nobody_is_laid(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="This is no demo"):
        call_command("load_demo")
    with pytest.raises(CommandError, match="This is no demo"):
        call_command("load_demo", "--afresh")
    assert demo.lay_live(THURSDAY) is False


@pytest.mark.once
def test_a_laying_that_breaks_lays_nothing(in_demo, monkeypatch):
    demo.remove()

    def breaks(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(demo.demo_history, "play", breaks)
    before = everything()
    with pytest.raises(RuntimeError):
        demo.lay(THURSDAY)
    assert everything() == before


@pytest.mark.once
def test_the_past_mails_nobody_and_hurries_nobody(in_demo, django_capture_on_commit_callbacks):
    demo.remove()
    with django_capture_on_commit_callbacks() as waiting:
        demo.lay(THURSDAY)
    assert waiting == []
    assert Notice.objects.exists()
    assert not Notice.objects.filter(done_at=None).exists()


# --- the present -------------------------------------------------------------------------------------------------


@pytest.fixture
def world(in_demo, simulator, settings):
    simulator.serves(settings)
    # The accounts are the same in each test of this module, and what an earlier one made would still be in them.
    simulator.reset()
    aws.forget_clients()
    practice.adopt_world(THURSDAY)
    yield simulator
    aws.forget_clients()


@pytest.mark.simulator
def test_after_a_start_of_the_simulator_two_labs_are_in_use_and_three_things_are_left_on(world):
    assert demo.lay_live(THURSDAY) is True
    assert set(Launch.objects.open().values_list("owner__name", "lab")) == {
        ("Thiri Hlaing", "sagemaker-notebook"),
        ("Min Khant Zaw", "s3-ml-bucket"),
    }
    found = Resource.objects.open().strangers()
    assert {("Somchai Wattana", "near-me", "ap-southeast-1"), ("Rahul Desai", "old-data", "us-east-1")} <= set(
        found.values_list("owner__name", "name", "region")
    )
    assert found.filter(kind="sagemaker-endpoint", owner=person("daniel")).exists()


@pytest.mark.once
@pytest.mark.simulator
def test_the_live_things_are_laid_once_for_each_start(world):
    demo.lay_live(THURSDAY)
    world.forget_calls()
    before = everything()
    assert demo.lay_live(THURSDAY + timedelta(minutes=5)) is False
    assert everything() == before
    assert world.calls()["count"] == 0

    world.reset()
    practice.adopt_world(THURSDAY + timedelta(minutes=6))
    assert not Launch.objects.open().exists()
    assert demo.lay_live(THURSDAY + timedelta(minutes=6)) is True
    assert Launch.objects.open().count() == 2
    assert Resource.objects.open().strangers().filter(name="near-me").count() == 1


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.simulator
def test_a_laying_that_was_cut_off_goes_on_and_makes_nothing_twice(world):
    world.faults([{"service": "sagemaker", "operation": "CreateEndpoint", "code": "ValidationException"}])
    assert demo.lay_live(THURSDAY) is False
    assert demo.lay_live(THURSDAY + timedelta(seconds=30)) is False, "somebody may still be at it"
    world.faults([])
    assert demo.lay_live(THURSDAY + timedelta(seconds=90)) is True
    ec2 = aws.client(Account.objects.get(owner=person("somchai")), "ec2", "ap-southeast-1")
    assert len(ec2.describe_instances()["Reservations"]) == 1
    assert Launch.objects.open().count() == 2


def test_without_a_simulator_nothing_is_tried(in_demo):
    assert not Account.objects.exclude(boot_id="").exists()
    before = everything()
    assert demo.lay_live(THURSDAY) is False
    assert everything() == before


# --- what it weighs --------------------------------------------------------------------------------------------


HEADERS = 450  # bytes, with each file


def over_the_wire(answer):
    """Bytes of a page with its headers, as a server sends it."""
    return len(answer.content) + sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())


def sent_with(page):
    """{file: bytes}: what a browser that was never here asks for beside this page, as whitenoise sends it."""
    asked, found = re.findall(r'(?:src|href)="/static/([^"]+)"', page), {}
    assert {"app.css", "app.js", "vendor/tabler.min.css", "vendor/inter-latin.woff2"} <= set(asked)
    while asked:
        name = asked.pop()
        path = django_settings.BASE_DIR / "static" / name
        held = path.read_bytes()
        if name.endswith(".css"):
            near = re.findall(r"url\(([\w/.-]+)\)", held.decode())
            asked += [str(Path(name).parent / other) for other in near if str(Path(name).parent / other) not in found]
        found[name] = HEADERS + len(held if name.endswith("woff2") else Compressor.compress_brotli(held))
    return found


def test_today_is_120_kb_the_first_time_and_8_kb_later(in_demo):
    """`make bench-pages` measures the same in Chromium; this is for who makes a page heavier."""
    client = Client(headers={"Accept-Encoding": "gzip, deflate, br"})
    weights, pages = {}, []
    with time_machine.travel(THURSDAY, tick=False):
        for student in ("thiri", "minkhant", "zaw"):
            client.force_login(person(student), backend="django.contrib.auth.backends.ModelBackend")
            answer = client.get("/")
            assert answer["Content-Encoding"] == "gzip"
            weights[student] = over_the_wire(answer)
            pages.append(gzip.decompress(answer.content).decode())
    files = sent_with(pages[0])
    assert max(weights.values()) <= 8_000, weights
    assert max(weights.values()) + sum(files.values()) <= 120_000, files


@pytest.mark.once
@pytest.mark.parametrize("short", ["thiri", "lwin", "hazel"])
def test_no_link_two_steps_from_the_first_page_leads_nowhere(in_demo, client, short):
    """Of links that differ in a number only, the first and the last."""
    client.force_login(person(short), backend="django.contrib.auth.backends.ModelBackend")
    answers = {}

    def links(address):
        answers[address] = answer = client.get(address, follow=True)
        if answer.streaming:
            return set()
        of = {}
        for link in re.findall(r'href="(/(?!static/)[^"#]*)', answer.content.decode()):
            of.setdefault(re.sub(r"[0-9]+", "N", link), []).append(unescape(link))
        return {link for found in of.values() for link in (found[0], found[-1])}

    for step in links("/"):
        if not step.startswith("/admin/"):
            for last in links(step) - answers.keys():
                answers[last] = client.get(last, follow=True)
    assert len(answers) > 40
    assert {link: answer.status_code for link, answer in answers.items() if answer.status_code != 200} == {}


def test_the_course_of_the_demo_is_the_default_course():
    assert demo.COURSE == django_settings.BASE_DIR / "courses" / "aws-ml"
