"""How many queries each page asks: pinned, and the same with 24 and with 240 students.

Each figure holds those of the frame: session, person, their cohorts, the meter chip, the last look.
"""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costs.models import Finding, LightsOut, PutOut
from labs.models import Account, Act, Launch, Resource
from portal import channels, inviting, name_list
from portal.models import (
    Announcement,
    Assignment,
    ClassSeat,
    ClassStart,
    CohortWeek,
    Completion,
    Draft,
    Extension,
    Feedback,
    LabInWeek,
    Look,
    Material,
    Membership,
    Notice,
    NoticeHad,
    Post,
    Remark,
    Submission,
    SubmissionFile,
    Thread,
    ThreadSeen,
    User,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]

PINNED = {
    "aye": {
        "portal:today": 19,
        "portal:course": 15,
        "portal:week 2": 18,
        "portal:week 3": 7,
        "portal:material 2 reading": 11,
        "portal:material_notebook 2 slides": 7,
        "portal:assignment 2 case": 13,
        "portal:threads 2": 10,
        "portal:ask 2": 8,
        "portal:thread THREAD": 16,
        "portal:announcements": 15,
        "portal:submissions": 12,
        "portal:receipt LO-2025-200001": 10,
        "portal:feedback LO-2025-100001": 16,
        "portal:held LO-2025-200001": 9,
        "portal:submission_notebook LO-2025-200001 FILE": 8,
        "portal:labs": 11,
        "portal:start_lab 2 s3-for-ml": 21,
        "portal:search": 9,
        "portal:my_account": 8,
        "portal:notices": 9,
        "portal:my_data": 11,
        "portal:notice_choices": 8,
        "portal:rules_of_use": 7,
        "mfa_index": 8,
        "usersessions_list": 7,
        "costs:mine": 16,
        "costs:calculator": 7,
    },
    "chit": {
        "portal:course": 14,
        "portal:week 2": 18,
        "portal:assignment 2 case": 10,
        "portal:submissions": 10,
        "portal:labs": 13,
        "portal:review": 4,
        "portal:review_queue sep-2025 2": 16,
        "portal:review_desk sep-2025 LO-2025-200001": 23,
        "portal:release sep-2025 2": 16,
        "portal:cohort_page sep-2025": 19,
        "portal:invite sep-2025": 10,
        "portal:threads 2": 12,
        "portal:thread THREAD": 21,
        "portal:announce sep-2025": 9,
        "portal:live sep-2025 2": 11,
        "portal:new_cohort": 10,
        "portal:dates sep-2025": 11,
        "portal:dates sep-2025 moved": 15,
        "portal:extensions sep-2025": 12,
        "portal:edit_course": 13,
        "portal:edit_week w2": 13,
        "portal:edit_part w2 material reading": 13,
        "portal:gradebook sep-2025": 11,
        "portal:completions sep-2025": 16,
        "portal:agenda sep-2025 2": 15,
        "portal:phrases sep-2025": 9,
        "portal:gradebook_upload sep-2025": 8,
        "portal:held LO-2025-200001": 11,
        "portal:lab_limits sep-2025": 10,
        "portal:class_starts sep-2025": 11,
        "portal:class_starts sep-2025 asked": 25,
        "portal:class_start sep-2025 PLAN": 10,
        "costs:spend": 24,
        "costs:spend again": 5,
        "costs:forgotten": 22,
        "costs:budgets": 31,
        "costs:alerts": 10,
        "costs:lights_out": 13,
        "costs:went_out NIGHT": 17,
        "portal:accounts": 23,
        "labs:panel LAUNCH": 15,
        "labs:panel LAUNCH polled": 12,
    },
    "admin": {
        "portal:held_all": 11,
        "portal:course": 15,
        "portal:cohort_page sep-2025": 20,
        "portal:accounts": 25,
        "portal:second_factors": 11,
        "portal:connect_shared": 11,
        "costs:spend": 28,
        "costs:spend again": 9,
        "portal:record": 12,
        "costs:forgotten": 24,
    },
    "whoever has the lab on": {
        "labs:finish LAUNCH": 11,
    },
    "nobody": {
        "portal:feed": 6,
        "portal:check_proof": 1,
        "portal:completion abc": 1,
        "portal:alive": 0,
        "portal:ready": 3,
    },
}


def fill(cohort, first, author, number, now):
    """A cohort of `number` students, each with two versions handed in, one with released feedback, and a lab on."""
    people = User.objects.bulk_create(
        User(email=f"student{n}@example.org", name=f"Student {n:03}") for n in range(1, number)
    )
    students = [first, *people]
    Membership.objects.bulk_create(Membership(cohort=cohort, user=user, joined_at=now) for user in people)
    for week, state in ((1, Feedback.State.RELEASED), (2, Feedback.State.READY)):
        case = Assignment.objects.get(week__number=week)
        Draft.objects.bulk_create(
            Draft(assignment=case, cohort=cohort, student=user, answer_md="x", updated_at=now) for user in students
        )
        versions = Submission.objects.bulk_create(
            Submission(
                number=f"LO-2025-{week}{n:05}",
                assignment=case,
                cohort=cohort,
                student=user,
                version=1,
                received_at=now - timedelta(days=1),
                answer_md="Cloud.",
                answer_sha256="0" * 64,
                key=f"{week}-{n}",
            )
            for n, user in enumerate(students, start=1)
        )
        SubmissionFile.objects.bulk_create(
            SubmissionFile(
                submission=one, name="a.ipynb", size=1, sha256="0" * 64, path="work/x", content_type="text/plain"
            )
            for one in versions
        )
        Feedback.objects.bulk_create(
            Feedback(
                submission=one,
                score=8,
                comment_md="Good.",
                rubric_scores={"cost": 4, "why": 4},
                state=state,
                author=author,
                released_at=now if state == Feedback.State.RELEASED else None,
                revision=1,
            )
            for n, one in enumerate(versions)
            if week == 1 or n % 2
        )
    Remark.objects.bulk_create(
        Remark(feedback=one, author=author, place="p-1", quote="Cloud.", text_md=f"Why {one.pk % 7}?", at=now)
        for one in Feedback.objects.filter(submission__cohort=cohort)
    )
    Completion.objects.create(
        code="abc",
        cohort=cohort,
        student=first,
        name="A",
        latin_name="A",
        case_studies=4,
        issued_by=author,
        issued_at=now,
    )
    for path in ("work/x", "courses/aws-ml/w2/a.ipynb"):
        place = settings.MEDIA_ROOT / path
        place.parent.mkdir(parents=True)
        place.write_text('{"cells": [{"cell_type": "markdown", "source": "Text"}]}')
    Material.objects.filter(week__number=2, slug="slides").update(file="aws-ml/w2/a.ipynb")
    Look.objects.create(
        pk="0" * 64, state=Look.State.FOUND, findings=[{"kind": "aws-id", "where": "line 1", "ends": ""}]
    )
    accounts = Account.objects.bulk_create(
        Account(
            name="p", mode="practice", aws_id=f"{3 * 10**11 + user.pk}", owner=user, scope=cohort.scope, created_at=now
        )
        for user in people
    )
    Launch.objects.bulk_create(
        Launch(
            lab="s3-for-ml",
            account=account,
            owner_id=account.owner_id,
            scope=cohort.scope,
            region="us-east-1",
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
        for account in accounts
    )
    strangers = Resource.objects.bulk_create(
        Resource(
            account=account,
            region="us-east-1",
            kind="ebs-volume",
            owner_id=account.owner_id,
            owner_proof="account",
            scope=cohort.scope,
            aws_id=f"vol-{account.pk}",
            wanted_at=now,
            seen="running",
            seen_at=now,
            first_seen_at=now,
            facts={"type": "gp3", "gb": 100, "iops": 3000, "mibps": 125},
            created_at=now,
        )
        for account in accounts
    )
    taught = CohortWeek.objects.get(cohort=cohort, week__number=2)
    plan = ClassStart.objects.create(
        cohort=cohort, week=taught.week, lab_slug="s3-for-ml", at=taught.session_at, begins_at=now,
        apart=timedelta(0), planned_by=author, planned_at=now,
    )  # fmt: skip
    ClassSeat.objects.bulk_create(ClassSeat(class_start=plan, student=user, start_at=now) for user in students)
    night = LightsOut.objects.create(scope=cohort.scope, at=now, by=author)
    night.launches.set(Launch.objects.all())
    PutOut.objects.bulk_create(PutOut(lights_out=night, resource=row, act="delete", asked_at=now) for row in strangers)
    thread = Thread.objects.create(
        cohort=cohort, week=taught.week, title="Why?", author=first, asked_at=now, last_at=now
    )
    Post.objects.bulk_create(
        Post(thread=thread, author=user, at=now, body_md="x", key=str(user.pk)) for user in students
    )
    ThreadSeen.objects.bulk_create(ThreadSeen(thread=thread, reader=user, follows=True) for user in students)
    Extension.objects.bulk_create(
        Extension(
            assignment=case, cohort=cohort, student=user, due_at=now + timedelta(days=5), reason="x", granted_at=now
        )
        for user in people
    )
    Announcement.objects.bulk_create(
        Announcement(cohort=cohort, author=author, at=now, title="x", body_md="x", key=str(n)) for n in range(number)
    )
    [mail] = channels.channels_of(first)
    told = Notice.objects.bulk_create(
        Notice(person=first, topic="lights", key=str(n), subject="On", at=now) for n in range(number)
    )
    NoticeHad.objects.bulk_create(NoticeHad(notice=one, channel=mail, at=now) for one in told)
    Act.objects.bulk_create(Act(at=now, by=author, kind="grade", person=user, words="8") for user in students)
    inviting.invite(
        cohort, [name_list.Person(n, f"to-come{n}@example.org", "") for n in range(number)], by=author, now=now
    )
    Finding.objects.bulk_create(
        Finding(resource=row, rule="stranger", sentence="No lab made it.", opened_at=now) for row in strangers
    )


@pytest.mark.parametrize("students", [24, 240])
def test_a_page_asks_as_many_queries_with_240_students_as_with_24(students, client, cohort, aye, chit, admin, now):
    fill(cohort, aye, chit, students, now)
    people = {"aye": aye, "chit": chit, "admin": admin, "whoever has the lab on": Launch.objects.first().owner}
    token = Membership.objects.get(user=aye).feed_token
    found = {}
    for who, pages in PINNED.items():
        client.logout()
        if who in people:
            client.force_login(people[who], backend="django.contrib.auth.backends.ModelBackend")
        found[who] = {}
        for page in pages:
            name, *args = page.split()
            args = [token] if name == "portal:feed" else args
            args = [] if args == ["again"] else args
            headers = {"HX-Request": "true"} if args[1:] == ["polled"] else {}
            args = [Launch.objects.first().pk] if args[:1] == ["LAUNCH"] else args
            args = [LightsOut.objects.get().pk] if args == ["NIGHT"] else args
            args = [args[0], ClassStart.objects.get().pk] if args[1:] == ["PLAN"] else args
            if args[1:] == ["FILE"]:
                args = [args[0], SubmissionFile.objects.get(submission__number=args[0]).pk]
            query = {"q": "word"} if name == "portal:search" else {}
            args = [Thread.objects.get().pk] if args == ["THREAD"] else args
            if args[1:] == ["moved"]:
                args, query = args[:1], {"do": "week", "week": 3, "by": 7}
            if args[1:] == ["asked"]:
                args, query = args[:1], {"lab": LabInWeek.objects.first().pk, "at": "2025-09-20T09:00", "spread": 5}
            with CaptureQueriesContext(
                connection,
            ) as asked:
                answer = client.get(reverse(name, args=args), query, headers=headers)
            assert answer.status_code in (200, 302, 503), page
            found[who][page] = len(asked)
    assert found == PINNED
