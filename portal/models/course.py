"""A course is content; a cohort is one run of it with dates, people and budgets.

`Week`, `Material`, `LabInWeek` and `Assignment` are written by `manage.py load_course` only. Whether a student may
know of them is asked in one way everywhere: `.released(cohort, at)`.
"""

import secrets
import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from costs import lives
from labs.limits import Limits
from labs.models import Account
from portal import schedule
from portal.models.people import User, validate_zone


def new_scope():
    return uuid.uuid4().hex


def new_feed_token():
    return secrets.token_urlsafe(32)


class Course(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    needed_md = models.TextField(gettext_lazy("what a student needs"), blank=True)
    promised_md = models.TextField(gettext_lazy("what the course promises"), blank=True)

    def __str__(self):
        return self.title


class WeekParts(models.QuerySet):
    """Queries of things that belong to a week: all of them are released with it, at one instant."""

    def released(self, cohort, at):
        """Those of `cohort`'s weeks that are released at the aware instant `at`. Students see nothing else."""
        return self.filter(week__told__cohort=cohort, week__told__released_at__lte=at)


class Week(models.Model):
    """A week of the course. Number 0 is onboarding, 1 to 4 the weeks, 5 the optional lectures."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="weeks")
    number = models.PositiveSmallIntegerField()
    slug = models.SlugField()
    title = models.CharField(max_length=200)
    theory = models.CharField(gettext_lazy("theory, in a line"), max_length=300, blank=True)
    summary_md = models.TextField(blank=True)

    class Meta:
        ordering = ["course", "number"]
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="one_week_a_number"),
            models.UniqueConstraint(fields=["course", "slug"], name="one_week_a_slug"),
        ]

    def __str__(self):
        return f"{self.prefix}: {self.title}" if self.prefix else self.title

    @property
    def recorded_name(self):
        """'Onboarding', 'Week 2' or 'Optional': as records and files name it, which people of both languages read."""
        names = {schedule.ONBOARDING: "Onboarding", schedule.OPTIONAL: "Optional"}
        return names.get(self.number, f"Week {self.number}")

    @property
    def name(self):
        """The name in the reader's language."""
        if self.number == schedule.ONBOARDING:
            return _("Onboarding")
        return _("Optional") if self.number == schedule.OPTIONAL else _("Week %(number)s") % {"number": self.number}

    @property
    def prefix(self):
        """The name, for where the title follows; '' for a title that begins with it ('Optional lectures')."""
        # A title is the course's own words, and those are English.
        return "" if self.title.casefold().startswith(self.recorded_name.casefold()) else self.name


class Material(models.Model):
    class Kind(models.TextChoices):
        THEORY = "theory", gettext_lazy("Theory")
        SLIDES = "slides", gettext_lazy("Slides")
        VIDEO = "video", gettext_lazy("Video")
        NOTEBOOK = "notebook", gettext_lazy("Notebook")
        LAB_KIT = "lab_kit", gettext_lazy("Lab kit")
        LINK = "link", gettext_lazy("Link")
        READING = "reading", gettext_lazy("Reading")

    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="materials")
    slug = models.SlugField()
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    title = models.CharField(max_length=200)
    body_md = models.TextField(blank=True)
    # A path under MEDIA_ROOT/courses/, such as aws-ml/week-1/s3.pdf; empty where there is only text or a link.
    file = models.CharField(max_length=300, blank=True)
    file_bytes = models.PositiveBigIntegerField(default=0)
    url = models.URLField(blank=True, max_length=500)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    # SHA-256 over everything a reader sees of it: importing the same content twice changes nothing.
    version = models.CharField(max_length=64, blank=True)

    objects = WeekParts.as_manager()

    class Meta:
        ordering = ["week", "position", "slug"]
        constraints = [models.UniqueConstraint(fields=["week", "slug"], name="one_material_a_slug")]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("portal:material", args=[self.week.number, self.slug])

    @property
    def file_name(self):
        return self.file.rpartition("/")[2]


class LabInWeek(models.Model):
    """A lab of labs/catalog that belongs to a week. The catalogue is code, so it is named by its slug."""

    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="labs")
    lab_slug = models.SlugField()
    position = models.PositiveSmallIntegerField(default=0)

    objects = WeekParts.as_manager()

    class Meta:
        ordering = ["week", "position", "lab_slug"]
        constraints = [models.UniqueConstraint(fields=["week", "lab_slug"], name="one_lab_a_week")]

    def __str__(self):
        return self.lab_slug


def default_types():
    return ["pdf", "ipynb", "md", "txt", "csv", "py", "png", "jpg"]


class Assignment(models.Model):
    """A case study: it opens with its week and is due with its cohort's week."""

    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="assignments")
    slug = models.SlugField()
    position = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=200)
    brief_md = models.TextField()
    # [{"key": "cost", "title": "Cost aware", "points": 5, "hint": "Names the real cost, in $"}]
    rubric = models.JSONField(default=list, blank=True)
    max_points = models.PositiveSmallIntegerField(default=20)
    max_files = models.PositiveSmallIntegerField(default=5)
    max_bytes = models.PositiveBigIntegerField(gettext_lazy("most bytes a file"), default=20 * 1024 * 1024)
    allowed_types = models.JSONField(
        default=default_types
    )  # extensions without the dot; portal/submitting.py knows each
    model_answer_md = models.TextField(blank=True)  # shown after the deadline
    # Late work is always taken and marked; this many points are taken off for each day, or part of one.
    late_points_a_day = models.PositiveSmallIntegerField(default=0)
    is_draft = models.BooleanField(gettext_lazy("a draft for the instructor to edit"), default=False)

    objects = WeekParts.as_manager()

    class Meta:
        ordering = ["week", "position", "slug"]
        constraints = [models.UniqueConstraint(fields=["week", "slug"], name="one_assignment_a_slug")]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("portal:assignment", args=[self.week.number, self.slug])


def default_lab_regions():
    return ["us-east-1"]


class Cohort(models.Model):
    """One run of a course. Labs and costs know it by `scope` only, which never changes."""

    scope = models.CharField(max_length=32, unique=True, default=new_scope, editable=False)
    slug = models.SlugField(unique=True)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=120)
    start_on = models.DateField(gettext_lazy("the Saturday of onboarding"))
    enrolment_opens_at = models.DateTimeField(default=timezone.now)
    zone = models.CharField(max_length=64, default="Asia/Yangon", validators=[validate_zone])
    # What differs from portal.schedule's own rhythm, and the weeks that were moved. Empty: nothing does.
    rhythm = models.JSONField(default=dict, blank=True)
    exceptions = models.JSONField(default=list, blank=True)
    student_budget_usd = models.DecimalField(max_digits=9, decimal_places=2, default=25)
    cohort_budget_usd = models.DecimalField(max_digits=9, decimal_places=2, default=500)
    currency = models.CharField(
        max_length=3,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[A-Z]{3}$", gettext_lazy("Three capital letters: SGD, MMK."))],
        help_text=gettext_lazy("Its own money, shown beside US dollars: SGD, MMK. Needs an exchange rate."),
    )
    # What is done about what was left on (costs.lives.Policy).
    lights_level = models.CharField(
        gettext_lazy("what was left on"),
        max_length=10,
        default=lives.ONLY_TELL,
        choices=[*lives.LEVELS.items()],
        help_text=gettext_lazy("Stopped is only what nobody uses, and what keeps its data."),
    )
    lights_grace_minutes = models.PositiveIntegerField(
        gettext_lazy("minutes between telling and stopping"), default=120
    )
    lights_delete_days = models.PositiveSmallIntegerField(
        gettext_lazy("days after which what is stopped is deleted"),
        null=True,
        blank=True,
        help_text=gettext_lazy("Empty: never."),
    )
    # Where labs start: the first.
    lab_regions = models.JSONField(default=default_lab_regions)
    # labs.limits.Limits, narrower than those of the account that it may share. {}: the account's.
    lab_limits = models.JSONField(default=dict, blank=True, editable=False)
    lab_mode = models.CharField(
        gettext_lazy("where labs start"),
        max_length=10,
        default=Account.PRACTICE,
        choices=[
            (Account.PRACTICE, gettext_lazy("practice: simulated accounts, nobody is billed")),
            (Account.SHARED, gettext_lazy("shared: the bootcamp's AWS account")),
            (Account.OWN, gettext_lazy("own: each student's AWS account")),
        ],
        help_text=gettext_lazy("A lab that is not for this kind of account starts in practice."),
    )

    class Meta:
        ordering = ["-start_on", "slug"]

    def __str__(self):
        return self.name

    @property
    def lights_policy(self):
        days = self.lights_delete_days
        return lives.Policy(
            self.lights_level, timedelta(minutes=self.lights_grace_minutes), timedelta(days=days) if days else None
        )

    @property
    def limits(self):
        return Limits.read(self.lab_limits)

    def clean(self):
        """A cohort whose dates could not be told is not saved by a form."""
        if not (self.start_on and self.enrolment_opens_at and self.zone):
            return
        try:
            validate_zone(self.zone)
            self.computed_dates()
        except schedule.ScheduleError as wrong:
            raise ValidationError(str(wrong)) from wrong

    def computed_dates(self, weeks=4):
        """As the schedule computes them now, which need not be what was told: a schedule.Dates for each week."""
        return schedule.calendar(
            self.start_on,
            ZoneInfo(self.zone),
            enrolment_opens_at=self.enrolment_opens_at,
            rhythm=schedule.Rhythm.read(self.rhythm),
            changes=schedule.read_changes(self.exceptions),
            weeks=weeks,
        )


class ToldWeeks(models.QuerySet):
    def released(self, at):
        return self.filter(released_at__lte=at)


class CohortWeek(models.Model):
    """What a cohort was told about one week: absolute instants, written once from portal.schedule.

    Pages, receipts, mail and the calendar feed all read these, so a changed rhythm does not move a date that was told.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="told")
    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="told")
    released_at = models.DateTimeField()
    # As announced, such as 23:59:59; what arrives within that second is on time (portal.schedule.is_late).
    due_at = models.DateTimeField(null=True, blank=True)
    feedback_at = models.DateTimeField(null=True, blank=True)
    session_at = models.DateTimeField(null=True, blank=True)

    objects = ToldWeeks.as_manager()

    class Meta:
        ordering = ["cohort", "week__number"]
        constraints = [models.UniqueConstraint(fields=["cohort", "week"], name="one_telling_a_week")]

    def __str__(self):
        return f"{self.cohort}, {self.week.name}"

    @property
    def dates(self):
        """As portal.schedule takes them."""
        return schedule.Dates(self.week.number, self.released_at, self.due_at, self.feedback_at, self.session_at)


class Memberships(models.QuerySet):
    def students(self):
        return self.filter(role=Membership.Role.STUDENT)

    def instructors(self):
        return self.filter(role=Membership.Role.INSTRUCTOR)


class Membership(models.Model):
    class Role(models.TextChoices):
        STUDENT = "student", gettext_lazy("Student")
        INSTRUCTOR = "instructor", gettext_lazy("Instructor")

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STUDENT)
    joined_at = models.DateTimeField(default=timezone.now)
    # The secret in the address of this person's calendar feed.
    feed_token = models.CharField(max_length=64, unique=True, default=new_feed_token, editable=False)

    objects = Memberships.as_manager()

    class Meta:
        ordering = ["cohort", "user__name"]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "user"], name="one_membership_a_cohort"),
            models.CheckConstraint(condition=Q(role__in=["student", "instructor"]), name="a_known_role"),
        ]

    def __str__(self):
        return f"{self.user}, {self.role} of {self.cohort}"
