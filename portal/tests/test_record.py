"""Who did what: written with the act or not at all, never changed, read by admins alone."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from costs import lights_out
from costs.budget_pages import extend, whose_of
from labs import audit
from labs.audit import Act, AppendOnly
from portal import completing, enrolling, extending, releasing, reviewing, submitting
from portal.models import Assignment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def received(cohort, aye, now):
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    submitting.save_draft(draft, "Cloud.", revision=0, window="w", now=now)
    return submitting.submit(draft, key="k", now=now)[0]


def graded(received, chit, now, *, cost=4, ready=True, comment="Aye, the walrus is yours."):
    feedback = getattr(received, "feedback", None)
    if feedback:
        feedback.refresh_from_db()
    return reviewing.write(
        received, chit, comment=comment, points={"cost": cost, "why": 4}, ready=ready, now=now,
        revision=feedback.revision if feedback else 0,
    )  # fmt: skip


def said(kind):
    return [(act.by, act.person, act.words) for act in Act.objects.filter(kind=kind).order_by("pk")]


def test_roles_grades_releases_extensions_and_lights_out_are_noted_with_who_and_whom(
    received, cohort, aye, chit, bo, now
):
    enrolling.enrol(cohort, bo, now=now)  # who is in it already gets no role
    graded(received, chit, now)
    graded(received, chit, now, comment="Other words, the same score.")
    graded(received, chit, now, cost=5)
    releasing.release(cohort, received.assignment.week, by=chit, now=now)
    extend(whose_of(f"person-{aye.pk}-{cohort.scope}"), 5, None, "was ill", now, chit)
    lights_out.lights_out(cohort.scope, now, chit)
    assert said("role") == [
        (None, aye, "now student of sep-2025"),
        (None, chit, "now instructor of sep-2025"),
        (None, bo, "now student of sep-2025"),
    ]
    assert said("grade") == [(chit, aye, "8 of 10, ready"), (chit, aye, "8 → 9 of 10, ready")]
    assert said("release") == [(chit, None, "week 2: feedback on 1")]
    assert said("extension") == [(chit, aye, "budget of a student: $5.00 more for good")]
    assert said("lights") == [(chit, None, "0 asked to go off")]


def test_an_act_that_is_undone_with_its_transaction_was_never_noted(received, chit, now):
    with pytest.raises(RuntimeError), transaction.atomic():
        graded(received, chit, now)
        raise RuntimeError
    assert said("grade") == []


@pytest.mark.django_db(transaction=True)
def test_an_act_is_not_noted_outside_of_a_transaction(chit, now):
    with pytest.raises(transaction.TransactionManagementError):
        audit.note("role", "x", by=chit, now=now)


@pytest.mark.once
def test_no_name_is_in_the_record_so_that_it_can_outlive_the_person(received, cohort, aye, chit, now):
    graded(received, chit, now)
    extend(whose_of(f"person-{aye.pk}-{cohort.scope}"), 5, now + timedelta(days=1), "Aye was ill", now, chit)
    words = " ".join(f"{act.words} {act.thing}" for act in Act.objects.all())
    assert not [name for name in (aye.name, aye.email, chit.name, "walrus") if name in words]


@pytest.fixture
def act(chit, now):
    audit.note("role", "now admin", by=chit, now=now)
    return Act.objects.get(words="now admin")


@pytest.mark.once
@pytest.mark.parametrize(
    "change",
    [
        lambda act: act.save(),
        lambda act: act.delete(),
        lambda act: Act.objects.update(words="x"),
        lambda act: Act.objects.all().delete(),
        lambda act: Act.objects.bulk_update([act], ["words"]),
    ],
)
def test_the_model_changes_and_deletes_nothing(act, change):
    with pytest.raises(AppendOnly):
        change(act)


@pytest.mark.parametrize("sql", ["UPDATE labs_act SET words = 'x'", "DELETE FROM labs_act"])
def test_nor_does_the_database(act, sql):
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(sql)
    assert Act.objects.get(pk=act.pk).words == "now admin"


def test_an_admin_reads_it_narrowed_and_as_csv(received, cohort, aye, chit, bo, admin, signed_in, now):
    graded(received, chit, now)
    asked = {"kind": "grade", "who": "aye", "cohort": "sep-2025", "since": "2025-09-18", "until": "2025-09-18"}
    client = signed_in(admin)
    page = client.get(reverse("portal:record"), asked).content.decode()
    assert "8 of 10, ready" in page and received.number in page and "now student" not in page
    for other in (
        {"kind": "role"},
        {"who": "bo"},
        {"cohort": "other"},
        {"until": "2025-09-17"},
        {"since": "2025-09-19"},
    ):
        assert "8 of 10" not in client.get(reverse("portal:record"), {**asked, **other}).content.decode()
    assert client.get(reverse("portal:record"), {"since": "2025-99-99", "page": "x"}).status_code == 200
    lines = b"".join(client.get(reverse("portal:record_csv"), asked).streaming_content).decode().splitlines()
    assert lines[1:] == [
        f'2025-09-18 08:17:00,Chit,{chit.pk},grade,Aye,{aye.pk},sep-2025,{received.number},"8 of 10, ready"'
    ]


@pytest.mark.once
def test_a_grade_before_its_release_reaches_no_student_and_no_instructor_by_the_record(
    received, aye, chit, signed_in, now
):
    graded(received, chit, now)
    for person in (aye, chit):
        for name in ("record", "record_csv"):
            assert signed_in(person).get(reverse(f"portal:{name}")).status_code == 404


@pytest.mark.once
def test_a_role_given_on_the_pages_of_records_is_noted(cohort, aye, signed_in, now):
    from conftest import person

    root = person("root", is_staff=True, is_superuser=True)
    address = reverse("admin:portal_user_change", args=[aye.pk])
    form = {"email": aye.email, "name": aye.name, "time_zone": "UTC", "is_active": "on", "is_staff": "on"}
    assert signed_in(root).post(address, form).status_code == 302
    assert said("role")[-1] == (root, aye, "is_staff: yes")
    membership = cohort.memberships.get(user=aye)
    address = reverse("admin:portal_cohort_change", args=[cohort.pk])
    shown = signed_in(root).get(address).context["adminform"].form.initial
    form = {name: value for name, value in shown.items() if value is not None}
    form |= {
        "enrolment_opens_at_0": "2025-09-01", "enrolment_opens_at_1": "03:00:00", "rhythm": "{}", "exceptions": "[]",
        "lab_regions": '["us-east-1"]', "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": membership.pk, "memberships-0-cohort": cohort.pk, "memberships-0-user": aye.pk,
        "memberships-0-role": "instructor",
    }  # fmt: skip
    answer = signed_in(root).post(address, form)
    assert answer.status_code == 302, answer.context["errors"]
    assert said("role")[-1] == (root, aye, "now instructor of sep-2025")


def test_a_deadline_of_ones_own_and_its_end_are_in_the_record(cohort, aye, chit, now):
    case = Assignment.objects.get(week__number=2)
    extension = extending.grant(cohort, case, aye, now + timedelta(days=3), reason="Power cut", by=chit, now=now)
    extending.withdraw(extension, by=chit, now=now)
    last, first = Act.objects.filter(kind="extension")
    assert {(act.by, act.person, act.scope, act.thing) for act in (first, last)} == {
        (chit, aye, cohort.scope, case.slug)
    }
    assert first.words.startswith("Week 2: due 2025-09-21") and "everybody's" in last.words
    assert "Power" not in first.words, "a reason is about a person: it stays with the extension"


def test_certificates_are_in_the_record(cohort, aye, chit, now):
    member = cohort.memberships.get(user=aye)
    candidate = SimpleNamespace(membership=member, has_earned=True, why_not="", done=4)
    made = completing.issue(cohort, candidate, latin_name="Aye", by=chit, now=now)
    completing.revoke(made, why="A test.", by=chit, now=now)
    said = Act.objects.filter(kind="certificate").values_list("by", "person", "words")
    assert list(said) == [(chit.pk, aye.pk, "revoked"), (chit.pk, aye.pk, "given out")]
