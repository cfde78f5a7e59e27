"""A whole week of the course as its people live it, by a clock that is moved from Sunday to Saturday. The student, the
instructor and the admin play it once on a phone without JavaScript, and once on a desktop with it."""

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from conftest import YANGON, member
from costs import forgotten, metering, pricebook
from labs import aws, catalog, census, kinds, launching
from labs.catalog.base import Step
from labs.kinds.base import Want
from labs.tests.cast import Cloud, TokenKind
from labs.tests.conftest import World
from portal import tasks
from portal.models import Assignment, Feedback, Submission

# What is kept is asked of each database elsewhere; this is about the pages, and the same on any.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once, pytest.mark.slow]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LOOK = """() => ({
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  dead: [...document.querySelectorAll('button[type=button]')].filter(b => b.checkVisibility()).map(b => b.outerHTML),
})"""
SAVED = re.compile(r"Saved \d\d:\d\d")
PDF = {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"}
MEET = "https://meet.example.org/bootcamp"
HOME, FAR = "us-east-1", "ap-southeast-1"
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(15, 21)


def at(day, clock):
    """An instant of that week in Yangon: at(THURSDAY, "23:50")."""
    hour, minute, *second = map(int, clock.split(":"))
    return datetime(2025, 9, day, hour, minute, *second, tzinfo=YANGON)


@pytest.fixture
def now():
    """Sunday: the evening before week 2 opens."""
    return at(MONDAY, "18:00") - timedelta(days=1)


class Hands:
    """The clock of views and workers alike, as labs.tests.conftest.World moves it."""

    def __init__(self, traveller):
        self.traveller = traveller

    def __call__(self):
        return datetime.now(UTC)

    now = property(__call__, lambda self, instant: self.traveller.move_to(instant))


class Box(TokenKind):
    """Costs as a t3.micro does; it is on when AWS says so, and gone three seconds after it was asked to go."""

    name, title = "fake-box", "Box"


@pytest.fixture
def hands(clock):
    return Hands(clock)


@pytest.fixture
def cloud(hands, lab, monkeypatch):
    """cloud(person, region) is an AWS in memory that knows boxes alone; the lab of week 2 wants one, at the shipped
    price."""
    clouds, known = defaultdict(lambda: Cloud(hands)), kinds.registry()
    monkeypatch.setattr(
        aws, "client", lambda account, service, region=HOME, config=None: clouds[account.owner_id, region or HOME]
    )
    for name in list(known):
        monkeypatch.delitem(known, name)
    monkeypatch.setitem(known, Box.name, Box())
    pricebook.load()
    step = Step("look", "Look at it", "Look at `{box.aws_id}`, then finish the lab.")
    wanted = replace(lab, wants=(Want("box", Box.name),), steps=(step,))
    monkeypatch.setattr(catalog, "catalog", lambda: {wanted.slug: wanted})
    return lambda person, region: clouds[person.pk, region]


class Seat:
    """A person before a window of one width, with or without JavaScript. Each page they come by is answered, fits the
    window and breaks nothing; without a script it shows no button that only a script answers."""

    def __init__(self, browser, address, user, size, has_js):
        self.address, self.has_js, self.wrong = address, has_js, []
        self.context = browser.new_context(viewport=size, java_script_enabled=has_js)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.open("account_login")
        self.page.get_by_label("Email").fill(user.email)
        self.page.get_by_label("Password").fill("lights")
        self.press("Sign in", exact=True)
        expect(self.page.get_by_label(f"Account: {user}")).to_be_visible()

    def open(self, name, *args):
        self.visit(reverse(name, args=args))

    def visit(self, path):
        self._answered(self.page.goto(self.address + path))

    def again(self):
        self._answered(self.page.reload())

    def is_refused(self, name, *args):
        """Whether there is no such page for them."""
        return self.page.request.get(self.address + reverse(name, args=args)).status == 404

    def press(self, name, *, within=None, exact=False):
        self._goes_by((within or self.page).get_by_role("button", name=name, exact=exact).first)

    def follow(self, name, *, within=None):
        self._goes_by((within or self.page).get_by_role("link", name=name).first)

    def reads(self, words, *, role=None):
        """Those words stand on the page: as what `role` names, or as text."""
        found = self.page.get_by_role(role, name=words) if role else self.page.get_by_text(words)
        expect(found.first).to_be_visible()
        self._came()

    def here(self, role, name):
        """Press or follow what a script answers without another page; without a script it is another page."""
        control = self.page.get_by_role(role, name=name).first
        control.click() if self.has_js else self._goes_by(control)

    def _answered(self, answer):
        assert answer.status == 200, (answer.url, answer.status)
        self._came()

    def _goes_by(self, control):
        with self.page.expect_navigation():
            control.click()
        self._came()

    def _came(self):
        seen = self.page.evaluate(LOOK)
        assert seen["over"] <= 0, (self.page.url, self.page.viewport_size, seen["over"])
        assert self.has_js or not seen["dead"], (self.page.url, seen["dead"])
        assert not self.wrong, (self.page.url, self.wrong)

    def leave(self):
        self._came()
        self.context.close()


@pytest.mark.parametrize(
    ("student_has", "staff_have"),
    [((PHONE, False), (DESKTOP, True)), ((DESKTOP, True), (PHONE, False))],
    ids=["the student on a phone without JavaScript", "the staff on a phone without JavaScript"],
)
def test_a_week_from_a_locked_door_to_a_read_feedback(
    student_has, staff_have, browser, live_server, cloud, hands, clock, cohort, aye, bo, chit, admin, now
):
    dahlia = member(cohort, "dahlia", "student", now)
    case = Assignment.objects.get(week__number=2)

    def sits(user, has):
        return Seat(browser, live_server.url, user, *has)

    student = sits(aye, student_has)
    it_opens_on_monday_night(student, clock)
    teacher = sits(chit, staff_have)
    a_question_is_answered(student, teacher, clock)
    a_lab_goes_on_and_off(student, clock, World(hands))
    cloud(aye, FAR).make(Box(), Want("", Box.name, name="by-hand", token="by-hand"))
    clock.move_to(at(WEDNESDAY, "19:00"))
    an_answer_is_begun(student, case)
    more_time_is_given(teacher, cohort, case, dahlia)
    clock.move_to(at(THURSDAY, "23:50"))
    handed_in(student, case)
    clock.move_to(at(FRIDAY, "00:30"))
    late, in_time = sits(bo, student_has), sits(dahlia, student_has)
    it_is_handed_in_after_midnight(late, case, is_late=True)
    it_is_handed_in_after_midnight(in_time, case, is_late=False)
    late.leave(), in_time.leave()
    clock.move_to(at(FRIDAY, "13:00"))
    it_is_reviewed(teacher, cohort, aye)
    saturday_is_prepared(teacher, cohort)
    nothing_is_seen_of_it(student, case)
    the_link_comes_an_hour_before(student, clock)
    the_feedback_comes_at_nine(student, clock)
    a_reply_arrives(teacher, cohort)
    student.leave(), teacher.leave()
    office = sits(admin, staff_have)
    census.census_all(hands)
    metering.meter(hands())
    forgotten.judge(hands())
    the_money_and_what_was_forgotten(office, World(hands))
    the_people_and_the_record(office, cohort)
    office.leave()


def it_opens_on_monday_night(student, clock):
    for locked_at in (None, at(MONDAY, "20:59:59")):
        if locked_at:
            clock.move_to(locked_at)
        student.open("portal:week", 2)
        student.reads(re.compile("Opens .*21:00"), role="heading")
        assert student.is_refused("portal:material", 2, "reading")
    clock.move_to(at(MONDAY, "21:00"))
    student.open("portal:week", 2)
    student.follow("Reading 2")
    student.reads("The word walrus2.")
    student.open("portal:week", 2)
    student.reads("1 of 2 read")


def a_question_is_answered(student, teacher, clock):
    student.follow("Ask a question")
    student.page.get_by_label("In one line").fill("Which region is near?")
    student.page.get_by_label("What you did, what you expected").fill("I took us-east-1, and it is slow.")
    student.press("Ask", exact=True)
    student.reads("Which region is near?", role="heading")
    clock.move_to(at(TUESDAY, "10:00"))
    teacher.open("portal:week", 2)
    teacher.follow("Which region is near?")
    teacher.page.get_by_label("Your reply").fill("Singapore: `ap-southeast-1`.")
    expect(teacher.page.get_by_label("This answers it")).to_be_checked()
    teacher.press("Reply", exact=True)
    student.again()
    pinned = student.page.get_by_role("article", name="Pinned answer by Chit")
    expect(pinned).to_contain_text("ap-southeast-1")


def a_lab_goes_on_and_off(student, clock, world):
    """Who has no script finishes it by hand; the other walks away, and its clock turns it off."""
    clock.move_to(at(TUESDAY, "20:00"))
    student.open("portal:labs")
    student.follow("A bucket laid out for ML")
    student.reads("At most")
    student.press("Launch", exact=True)
    world.run(30)
    student.again()
    student.reads("The lab is ready")
    clock.move_to(at(TUESDAY, "20:45"))
    metering.meter(world.clock())
    student.again()
    student.reads("Off at 22:00")
    if student.has_js:
        clock.move_to(at(TUESDAY, "22:00"))
        launching.end_expired(world.clock())
    else:
        student.follow("Finish lab")
        student.press("Finish lab")
    world.run(180)
    student.again()
    student.reads("Verified: nothing left running", role="heading")
    metering.meter(world.clock())


def an_answer_is_begun(student, case):
    student.visit(case.get_absolute_url())
    answer = student.page.get_by_role("textbox", name="Answer")
    answer.fill("We chose Lambda.\n\nIt costs $0.04 a month.")
    if student.has_js:
        expect(student.page.get_by_role("status").filter(has_text=SAVED)).to_be_visible()
        student.page.get_by_label("Add files").set_input_files(PDF)
    else:
        student.press("Save draft")
        student.reads("Your draft is saved.")
        student.page.get_by_label("Add files").set_input_files(PDF)
        student.press("Add", exact=True)
    student.reads("report.pdf was added.")
    student.visit(case.get_absolute_url())
    expect(answer).to_have_value("We chose Lambda.\n\nIt costs $0.04 a month.")
    student.reads("report.pdf", role="link")


def more_time_is_given(teacher, cohort, case, person):
    teacher.open("portal:extensions", cohort.slug)
    teacher.page.get_by_label("Student").select_option(label=str(person))
    teacher.page.get_by_label("Case study").select_option(value=str(case.pk))
    teacher.page.get_by_label("New deadline").fill("2025-09-19T12:00")
    teacher.page.get_by_label("Reason").fill("No power in her town")
    teacher.press("Save and tell them")
    teacher.reads("No power in her town")


def handed_in(student, case):
    student.visit(case.get_absolute_url())
    student.press("Hand in version 1")
    student.reads("Received: version 1", role="heading")
    submission = Submission.objects.get()
    for said in (submission.number, submission.answer_sha256, submission.files.get().sha256):
        student.reads(said)
    expect(student.page.get_by_text("after the deadline")).to_have_count(0)


def it_is_handed_in_after_midnight(student, case, *, is_late):
    student.visit(case.get_absolute_url())
    student.page.get_by_role("textbox", name="Answer").fill("I chose a region.")
    if is_late:
        student.page.get_by_label("I know that the model answer is open").check()
    student.press("Hand in version 1")
    student.reads("Received: version 1", role="heading")
    expect(student.page.get_by_text("after the deadline")).to_have_count(int(is_late))


def it_is_reviewed(teacher, cohort, person):
    teacher.open("portal:review")
    teacher.follow(str(person))
    page = teacher.page
    teacher.here("link", "Comment on paragraph 2")
    page.get_by_label("Comment", exact=True).fill("By which sum?")
    teacher.here("button", "Add comment")
    teacher.reads("By which sum?")
    for line, points in (("Cost aware", "4"), ("Explained", "5")):
        page.get_by_role("group", name=line).get_by_text(points, exact=True).click()
    page.get_by_label("Feedback to Aye").fill("Well done.")
    teacher.here("button", "Ready, open next")
    teacher.reads("Dahlia", role="heading")
    teacher.open("portal:release", cohort.slug, 2)
    teacher.press("Release what is ready then")
    teacher.reads(re.compile("Chit planned the release for .*09:00"))


def saturday_is_prepared(teacher, cohort):
    teacher.open("portal:live", cohort.slug, 2)
    teacher.page.get_by_label("Address to join").fill(MEET)
    teacher.page.get_by_label("Agenda, in Markdown").fill("- Cold starts")
    teacher.press("Save", exact=True)
    teacher.reads("Saved.")


def nothing_is_seen_of_it(student, case):
    student.open("portal:week", 2)
    student.reads("Feedback comes on")
    assert student.is_refused("portal:feedback", Submission.objects.get(student__name="Aye").number)


def the_link_comes_an_hour_before(student, clock):
    join = student.page.get_by_role("link", name="Join the session")
    clock.move_to(at(SATURDAY, "07:59:59"))
    student.open("portal:week", 2)
    student.reads("The link to join is here from an hour before.")
    expect(join).to_have_count(0)
    clock.move_to(at(SATURDAY, "08:00"))
    student.open("portal:week", 2)
    expect(join).to_have_attribute("href", MEET)
    student.reads("Cold starts")


def the_feedback_comes_at_nine(student, clock):
    for instant, state in (("08:59:59", Feedback.State.READY), ("09:00", Feedback.State.RELEASED)):
        clock.move_to(at(SATURDAY, instant))
        tasks.release_planned()
        assert Feedback.objects.get().state == state
    student.open("portal:today")
    student.follow("Read the feedback")
    student.reads("Well done.")
    student.reads("Cost aware: 4 of 5", role="progressbar")
    student.reads("By which sum?")
    student.page.get_by_text("Reply to comment 1").click()
    student.page.get_by_label("Your reply").first.fill("By last month's bill.")
    student.press("Send reply")
    student.reads("By last month's bill.")


def a_reply_arrives(teacher, cohort):
    teacher.open("portal:review")
    teacher.follow("replied")
    teacher.reads("By last month's bill.")


def the_money_and_what_was_forgotten(office, world):
    office.open("costs:spend")
    for row, words in (("Aye", "Left on"), ("Bo", "Off")):
        expect(office.page.get_by_role("row", name=row)).to_contain_text(words)
    office.open("costs:forgotten")
    box = office.page.get_by_role("row", name="by-hand")
    expect(box).to_contain_text(f"In {FAR}, where no lab runs")
    office.press("Stop by-hand")
    expect(box).to_contain_text("Going off")
    world.run(30)
    metering.meter(world.clock())
    forgotten.judge(world.clock())
    office.open("costs:forgotten")
    office.reads("All lights are out", role="heading")


def the_people_and_the_record(office, cohort):
    office.open("portal:cohort_page", cohort.slug)
    for name, is_late in (("Aye", False), ("Bo", True), ("Dahlia", False)):
        row = office.page.get_by_role("row", name=name)
        expect(row.get_by_text("late", exact=True)).to_have_count(int(is_late))
    office.open("portal:record")
    expect(office.page.get_by_role("row", name="week 2: feedback on 1")).to_contain_text("Chit")
    office.page.get_by_label("What", exact=True).select_option(label="Extensions")
    office.press("Show")
    expect(office.page.get_by_role("rowheader")).to_have_text("Chit")
    expect(office.page.get_by_role("row", name="Chit")).to_contain_text("Dahlia")
