"""What stands around a piece of feedback: remarks at their places, replies, what was said before, and the bank."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.models.course import Cohort, Course, Week
from portal.models.coursework import Feedback, Release, Submission
from portal.models.people import User


class Remark(models.Model):
    """A comment on one place of a version. Students see it when they see the feedback that it belongs to.

    The place is kept as it was when it was written (portal.anchors.Anchor) and looked for anew in later versions.
    """

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="remarks")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # The name of the file, as its student called it; "" is the written answer.
    part = models.CharField(max_length=200, blank=True, default="")
    place = models.CharField(max_length=20)  # p-3, cell-4, page-2
    quote = models.TextField(blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    text_md = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["at", "pk"]


class Reply(models.Model):
    """What a student or a teacher says to released feedback, to all of it or to one remark. Never changed."""

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="replies")
    remark = models.ForeignKey(Remark, null=True, blank=True, on_delete=models.CASCADE, related_name="replies")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text_md = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    # What the form carried: the same form sent twice is one reply.
    key = models.CharField(max_length=32)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="one_reply_a_form")]


class FeedbackAside(models.Model):
    """A reviewer's text that met another's when it was saved: kept until its writer has chosen. One a reviewer."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="feedback_asides")
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    comment_md = models.TextField(blank=True)
    points = models.JSONField(default=dict, blank=True)  # as typed: {"cost": "4"}
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "author"], name="one_feedback_aside_a_reviewer")]


class FeedbackBefore(models.Model):
    """What students could read until somebody corrected it. Only added to."""

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="before")
    comment_md = models.TextField(blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    rubric_scores = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("who corrected it")
    )
    at = models.DateTimeField(gettext_lazy("when it was corrected"))
    way = models.CharField(
        max_length=10, choices=[("desk", gettext_lazy("at the desk")), ("csv", gettext_lazy("from a CSV file"))]
    )

    class Meta:
        ordering = ["-at", "-pk"]


class Phrase(models.Model):
    """A sentence of the comment bank: every cohort of the course has it."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="phrases")
    label = models.CharField(max_length=40)
    text_md = models.TextField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["label", "pk"]
        constraints = [models.UniqueConstraint(fields=["course", "label"], name="one_phrase_a_label")]

    def __str__(self):
        return self.label


class PlannedRelease(models.Model):
    """An instructor's word that the week's ready feedback is released at this instant."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="planned_releases")
    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # What it came to; none when nothing was ready.
    release = models.OneToOneField(Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="plan")

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "week"],
                condition=Q(done_at=None, cancelled_at=None),
                name="one_release_planned_a_week",
            )
        ]


class AgendaItem(models.Model):
    """What a week's live session talks about, out of what was remarked most. Names nobody."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="agenda")
    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    students = models.PositiveSmallIntegerField(gettext_lazy("how many students it was said to"), default=0)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-students", "pk"]
        constraints = [models.UniqueConstraint(fields=["cohort", "week", "text"], name="one_agenda_item_a_text")]


class Completion(models.Model):
    """A certificate that somebody completed the course. Its page is public, under a code that nobody can guess."""

    code = models.CharField(max_length=24, unique=True)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="completions")
    student = models.ForeignKey(User, on_delete=models.PROTECT, related_name="completions")
    name = models.CharField(gettext_lazy("name as the student writes it"), max_length=150)
    latin_name = models.CharField(gettext_lazy("name in Latin letters, as the PDF prints it"), max_length=150)
    case_studies = models.PositiveSmallIntegerField()
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    why_revoked = models.CharField(max_length=300, blank=True, default="")  # for the record, never on the public page

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "student"], condition=Q(revoked_at=None), name="one_valid_certificate_a_student"
            )
        ]

    def __str__(self):
        return self.code
