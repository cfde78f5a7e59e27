"""The demo cohort: invented people in the middle of week 2, with a past, and some lights left on.

Laid by the acts that real people use (enrolling, submitting, reviewing, releasing, launching), each with the instant at
which it "happened". Refused unless settings.DEMO is on.
"""

import json
import shutil
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import yaml
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import F

from costs import currency, pricebook
from costs.models import (
    Activity,
    Alert,
    Budget,
    BudgetExtension,
    BudgetRules,
    DailySpend,
    ExchangeRate,
    Finding,
    LightsOut,
    Metered,
    Reading,
    Scope,
)
from labs.models import Account, Event, Launch, Resource
from portal import (
    agenda,
    courses,
    demo_history,
    demo_talk,
    enrolling,
    inspecting,
    inviting,
    laying,
    name_list,
    releasing,
    remarks,
    replying,
    reviewing,
    schedule,
    submitting,
    telling,
    workpieces,
)
from portal.demo_live import lay_live
from portal.demo_people import ADMIN, COHORT, INSTRUCTOR, INVITED, STUDENTS
from portal.models import (
    Cohort,
    Completion,
    Course,
    Draft,
    Feedback,
    Look,
    Membership,
    Notice,
    Phrase,
    Release,
    Remark,
    Submission,
    SubmissionFile,
    User,
)

TEXTS = yaml.safe_load((Path(__file__).parent / "demo_work.yaml").read_text(encoding="utf-8"))
COURSE = Path(settings.BASE_DIR) / "courses" / "aws-ml"
ZONE = ZoneInfo("Asia/Yangon")
SEED = 2025
CARELESS = "minkhant"  # left a key in the notebook of case study 2
CURRENCY, PER_USD, RATE_SOURCE = "SGD", Decimal("1.29"), "made up for the demo"
A_MINUTE = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)


__all__ = ["NoDemo", "lay", "lay_live", "remove", "start_for"]


class NoDemo(Exception):
    """The demo is not laid, or not removed, and why, in words for the operator."""


def lay(now, *, afresh=False):
    """Lay the demo cohort so that `now` falls in its week 2. True when it was laid, False when it was there already.

    All of it or nothing. afresh: remove the demo's own rows first. Raises NoDemo outside of a demo.
    """
    _only_in_a_demo()
    if afresh:
        remove()
    if Cohort.objects.filter(slug=COHORT).exists():
        return False
    laying.lay(courses.read(COURSE))
    pricebook.load()
    with transaction.atomic():
        cohort = _open_cohort(now)
        people = _people(cohort, now)
        _invite(cohort, people[INSTRUCTOR.short], now)
        _play_the_school(cohort, people, now)
        demo_history.play(cohort, people, now, seed=SEED)
        telling.tell_costs(now)
        _forget_what_waits_for_the_commit()
    inspecting.inspect_due(now, most=500)
    # They stand on people's pages; who was told weeks ago is mailed nothing today.
    Notice.objects.filter(person__in=list(people.values()), done_at=None).update(done_at=F("at"))
    return True


def start_for(now):
    """The Saturday of onboarding, so that week 2 is the week that opened last at `now`."""
    opens = schedule.Rhythm().release
    local = now.astimezone(ZONE)
    monday = local.date() - timedelta(days=(local.weekday() - opens.weekday) % 7)
    if local.date() == monday and local.time() < opens.at:
        monday -= timedelta(days=7)
    return monday - timedelta(days=9)


def _only_in_a_demo():
    if not settings.DEMO:
        raise NoDemo("This is no demo: the demo's people are laid only where DEMO=1 is set, on this machine alone.")


def _forget_what_waits_for_the_commit():
    """Receipts by mail and hints to the workers: what is long over needs neither, and at first there is no broker."""
    transaction.get_connection().run_on_commit.clear()


def _open_cohort(now):
    start_on = start_for(now)
    opened = schedule.instant(datetime.combine(start_on - timedelta(days=12), time(9, 30)), ZONE)
    if currency.rate_of(CURRENCY, now) is None:
        currency.enter(CURRENCY, PER_USD, opened.date(), RATE_SOURCE)
    return enrolling.open_cohort(
        Course.objects.get(slug="aws-ml"),
        slug=COHORT,
        name=f"Demo cohort, {start_on:%B %Y}",
        start_on=start_on,
        now=opened,
        zone=ZONE.key,
        currency=CURRENCY,
    )


def _people(cohort, now):
    """{short name: User}, the students enrolled on the days before onboarding."""
    rng = Random(SEED)  # noqa: S311  a story, not a secret
    people = {}
    for person in (*STUDENTS, INSTRUCTOR, ADMIN):
        joined = cohort.enrolment_opens_at + timedelta(minutes=rng.randrange(9 * 24 * 60))
        user, made = User.objects.get_or_create(
            email=person.email, defaults={"name": person.name, "is_demo": True, "date_joined": joined}
        )
        if not user.is_demo:
            raise NoDemo(f"{person.email} belongs to a person who is not of the demo.")
        if made:
            user.set_unusable_password()
        if person is not ADMIN:
            role = Membership.Role.INSTRUCTOR if person is INSTRUCTOR else Membership.Role.STUDENT
            enrolling.enrol(cohort, user, role=role, now=joined)
            enrolling.practice_account(user, now=joined)
        user.is_staff = person is ADMIN
        user.time_zone = person.zone
        user.last_login = None if person.short == "zaw" else now - timedelta(minutes=rng.randrange(30, 3000))
        user.save()
        people[person.short] = user
    return people


def _invite(cohort, instructor, now):
    """Some are invited and did not come yet. Nothing is mailed."""
    latecomers = [name_list.Person(n, one.email, one.name) for n, one in enumerate(INVITED, start=1)]
    inviting.invite(cohort, latecomers, by=instructor, now=now - timedelta(days=2))
    cohort.invitations.waiting().update(mail_due_at=None, mailed_at=now - timedelta(days=2) + A_MINUTE)


# --- the school's past ---------------------------------------------------------------------------------------


def _play_the_school(cohort, people, now):
    """Drafts, versions, reviews and releases of weeks 1 and 2, in the order in which they happened, up to `now`."""
    for label, text in TEXTS["phrases"].items():
        facts = {"text_md": text, "by": people[INSTRUCTOR.short], "made_at": cohort.enrolment_opens_at}
        Phrase.objects.get_or_create(course=cohort.course, label=label, defaults=facts)
    acts = []
    for week in cohort.told.filter(week__number__in=(1, 2)).select_related("week"):
        story = _Week(cohort, people, week)
        acts += story.handing_in() + story.reviewing()
    acts += demo_talk.acts(cohort, people)
    demo_talk.live_sessions(cohort)
    # By time alone: receipt numbers grow with it.
    for at, act in sorted(acts, key=lambda pair: pair[0]):
        if at <= now:
            act(at)


class _Week:
    """What happens in one week, as (instant, act) pairs."""

    def __init__(self, cohort, people, told):
        self.cohort, self.people, self.told = cohort, people, told
        self.number = told.week.number
        self.case = told.week.assignments.get()
        self.rng = Random(SEED + self.number)  # noqa: S311
        self.instructor = people[INSTRUCTOR.short]

    def handing_in(self):
        acts = []
        for place, person in enumerate(STUDENTS):
            acts += self._of(place, person.short, self.people[person.short])
        return acts

    def _of(self, place, who, student):
        text = self._text(place)
        minutes = self.rng.randrange(25, 32 * 60)
        last = self.told.due_at - minutes * A_MINUTE - timedelta(seconds=self.rng.randrange(60))
        if who == "zaw" or (self.number == 2 and who == "yeyint"):
            return []
        if who == "linh":
            last = self.told.due_at + 42 * A_MINUTE
        versions = {"thiri": 2, "arif": 3, "priya": 2, "nandar": 2}.get(who, 1)
        acts = [(last - 26 * AN_HOUR, self._draft(student, self._begun(place)))] if place % 3 == 0 else []
        for version in range(1, versions + 1):
            at = last - (versions - version) * 21 * AN_HOUR
            text_now = "\n\n".join([text, *TEXTS["second_thoughts"][: version - 1]])
            acts.append((at - 4 * A_MINUTE, self._draft(student, text_now)))
            if version == 1:
                acts += self._files(place, student, at - 2 * A_MINUTE)
            acts.append((at, self._submit(student, f"demo-{self.number}-{who}-{version}")))
        return [(at, act) for at, act in acts if at > self.told.released_at]

    def _text(self, place):
        if self.number == 2:
            return _pick("serving", place)
        return "\n\n".join([_pick("openings", place), _pick("places", place), _pick("builds", place * 3 + place // 5)])

    def _begun(self, place):
        return _pick("begun", place) if self.number == 2 else self._text(place)[:300]

    def _draft(self, student, text):
        def act(at):
            draft = submitting.draft_of(self.case, self.cohort, student, now=at)
            submitting.save_draft(draft, text, revision=draft.revision, window="demo", now=at)

        return act

    def _files(self, place, student, at):
        if place % 4 == 1:
            upload = ("cost-table.md", b"| Part | USD a month |\n|---|---|\n| compute | 310.25 |\n| store | 58.10 |\n")
        elif place % 6 == 0:
            is_careless = self.number == 2 and student == self.people[CARELESS]
            upload = ("estimate.ipynb", _notebook(place, _made_up_key() if is_careless else ""))
        else:
            return []

        def act(at):
            draft = submitting.draft_of(self.case, self.cohort, student, now=at)
            submitting.add_file(draft, SimpleUploadedFile(*upload), now=at)

        return [(at, act)]

    def _submit(self, student, key):
        def act(at):
            draft = Draft.objects.get(assignment=self.case, cohort=self.cohort, student=student)
            submitting.submit(draft, key=key, now=at)

        return act

    def reviewing(self):
        """On Friday from 14:00 on, one after the other; the last ones on Saturday before the live session."""
        begins = self.told.due_at + 14 * AN_HOUR
        acts = []
        for place, person in enumerate(STUDENTS):
            late = 12 * AN_HOUR if place % 8 == 7 else timedelta(0)
            at = begins + place * 16 * A_MINUTE + late
            acts.append((at, self._review(place, self.people[person.short], person.short)))
        acts.append((self.told.feedback_at, self._release))
        return acts

    def _review(self, place, student, who):
        quality = "strong" if who == "thiri" else ("good", "strong", "good", "thin")[place % 4]
        comments = TEXTS["comments"][quality]
        lost = {"strong": (0, 1, 1, 1, 0, 0), "good": (1, 1, 1, 0, 1, 1), "thin": (4, 1, 1, 1, 1, 1)}[quality]

        def act(at):
            mine = Submission.objects.filter(assignment=self.case, cohort=self.cohort, student=student)
            submission = mine.order_by("-version").first()
            if submission:
                lines = zip(self.case.rubric, lost, strict=False)
                points = {line["key"]: max(0, line["points"] - minus) for line, minus in lines}
                comment = comments[place % len(comments)]
                if place % 3 != 2 and submission.answer_md:
                    self._remark(submission, place, at - 2 * A_MINUTE)
                reviewing.write(
                    submission, self.instructor, comment=comment, points=points, revision=0, ready=True, now=at
                )

        return act

    def _remark(self, submission, place, at):
        """Two paragraphs of the answer are remarked upon."""
        [part, *_] = workpieces.parts_of(submission, submission.student)
        places = [one.place for one in workpieces.passages(submission, part)]
        for n, text in zip({min(2, len(places) - 1), len(places) // 2}, _turned("remarks", place), strict=False):
            facts = {"part": part, "place": places[n], "quote": "", "expects_released": False, "now": at}
            remarks.add(submission, self.instructor, text=text, **facts)

    def _release(self, at):
        chosen = [(TEXTS["remarks"][0], 5), (TEXTS["agenda"], 0)]
        agenda.choose(self.cohort, self.told.week, chosen, by=self.instructor, now=at)
        releasing.release(self.cohort, self.told.week, by=self.instructor, now=at)
        thiri = self.people["thiri"]
        mine = Remark.objects.filter(feedback__submission__student=thiri, feedback__state=Feedback.State.RELEASED)
        if remark := mine.select_related("feedback").first():
            key = f"demo-{self.number}"
            replying.reply(remark.feedback, thiri, text=TEXTS["reply"], key=key, remark=remark, now=at + 40 * A_MINUTE)


def _turned(kind, place):
    """All texts of a kind, beginning elsewhere for each place."""
    at = place % len(TEXTS[kind])
    return [*TEXTS[kind][at:], *TEXTS[kind][:at]]


def _pick(kind, place):
    return TEXTS[kind][place % len(TEXTS[kind])].strip()


def _made_up_key():
    """A line with an access key as AWS gives them out: made up, and put together here so that no scanner of our own
    repository takes it for somebody's."""
    rng = Random(SEED)  # noqa: S311
    key = "AKIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
    return f's3 = boto3.client("s3", aws_access_key_id="{key}")\n'


def _notebook(place, first=""):
    words = f"# Estimate\n\nFour machines at 0.17 USD an hour, 1.25 for the region, 730 hours. Version {place}."
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": [words]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [],
            "source": [first + "print(4 * 0.17 * 1.25 * 730)"],
        },
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


# --- and away again ------------------------------------------------------------------------------------------


def remove():
    """Take away the demo's people, their cohort and their simulated accounts. Courses, prices and real people stay.

    Raises NoDemo, and removes nothing, when a real person is in the demo cohort or a demo person in a real account.
    """
    _only_in_a_demo()
    people = User.objects.filter(is_demo=True)
    cohorts = Cohort.objects.filter(slug=COHORT)
    guests = User.objects.filter(memberships__cohort__in=cohorts, is_demo=False).values_list("email", flat=True)
    if guests:
        raise NoDemo(f"Real people are in the demo cohort: {', '.join(sorted(guests))}. Take them out of it first.")
    accounts = Account.objects.filter(owner__in=people)
    real = Resource.objects.open().filter(owner__in=people).exclude(account__mode=Account.PRACTICE)
    if real.exists() or accounts.exclude(mode=Account.PRACTICE).exists():
        raise NoDemo("A demo person has something in a real AWS account. Delete it there before the demo is removed.")
    scopes = list(cohorts.values_list("scope", flat=True))
    with transaction.atomic():
        _remove_labs(accounts)
        Scope.objects.filter(key__in=scopes).delete()
        LightsOut.objects.filter(scope__in=scopes).delete()
        # A rate that somebody looked up stays.
        ExchangeRate.objects.filter(source=RATE_SOURCE).delete()
        for told in (Alert, BudgetExtension, BudgetRules, Budget):
            told._default_manager.filter(scope__in=scopes).delete()
        of_cohort = {"submission__cohort__in": cohorts}
        Look.objects.filter(let_through_by__in=people).delete()
        Feedback.objects.filter(**of_cohort).delete()
        SubmissionFile.objects.filter(**of_cohort).delete()
        Phrase.objects.filter(by__in=people).delete()
        for model in (Completion, Submission, Draft, Release, Membership):
            model.objects.filter(cohort__in=cohorts).delete()
        cohorts.delete()
        people.delete()
        transaction.on_commit(lambda: _remove_files(scopes))


def _remove_labs(accounts):
    rows = Resource.objects.filter(account__in=accounts)
    for model in (Reading, Metered, Finding, Activity):
        model.objects.filter(resource__in=rows).delete()
    DailySpend.objects.filter(account__in=accounts).delete()
    Event.objects.filter(account__in=accounts).delete()
    rows.delete()
    Launch.objects.filter(account__in=accounts).delete()
    accounts.delete()


def _remove_files(scopes):
    for scope in scopes:
        shutil.rmtree(Path(settings.MEDIA_ROOT) / "work" / scope, ignore_errors=True)
