"""What students hand in, and what comes back. A submission is never changed or removed by a later one."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.models.course import Assignment, Cohort, Week
from portal.models.people import User


class DraftSet(models.QuerySet):
    def move_deadline(self):
        """Another deadline holds for these from now on. Waits for who hands in at this moment: what is received is in
        the rows then, and who comes later reads the new one."""
        return self.update(changes=F("changes") + 1)


class Draft(models.Model):
    """The answer as one types. It stays after a submission, as the start of the next version."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="drafts")
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="drafts")
    student = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    answer_md = models.TextField(blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    # Counts saves. A save of another window that began from an older number is a conflict: both texts are kept.
    revision = models.PositiveIntegerField(default=0)
    # Which open page saved last, and its how many-th send that was: whose answer got lost on the way may send again.
    window = models.CharField(max_length=32, blank=True, default="")
    sent = models.PositiveIntegerField(default=0)
    # Counts what changed of it, its files, its seal, its versions and its deadline: with the same number, what was read
    # still holds (portal/submitting.py).
    changes = models.PositiveIntegerField(default=0)

    objects = DraftSet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "cohort", "student"], name="one_draft_an_assignment")
        ]


class DraftAside(models.Model):
    """A text that met a newer one when it was saved: kept until its writer has chosen. One for each open window."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="asides")
    window = models.CharField(max_length=32)
    answer_md = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["draft", "window"], name="one_aside_a_window")]


class StoredFile(models.Model):
    """Bytes of a person, under MEDIA_ROOT at a path that we chose; `name` is what they called it, and only shown."""

    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name


class DraftFile(StoredFile):
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["draft", "name"], name="one_draft_file_a_name")]


class Submission(models.Model):
    """One version of one student's answer, as received. Written once, in portal/submitting.py."""

    number = models.CharField(gettext_lazy("receipt number"), max_length=20, unique=True)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="submissions")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="submissions")
    student = models.ForeignKey(User, on_delete=models.PROTECT, related_name="submissions")
    version = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()
    answer_md = models.TextField(blank=True)
    answer_sha256 = models.CharField(max_length=64)  # of the answer's UTF-8 bytes
    is_late = models.BooleanField(default=False)
    late_points = models.PositiveSmallIntegerField(default=0)  # taken off for it, by what was told beforehand
    after_model_answer = models.BooleanField(default=False)  # its student could read the model answer by then
    # What the form carried. The same form sent twice (a double click, a retry) gets the first one's receipt.
    key = models.CharField(max_length=32)
    # When its hashes came, where that is what makes it count as on time (portal/sealing.py).
    sealed_at = models.DateTimeField(null=True, blank=True)
    # When its receipt is mailed, or tried again; None: it was (portal/receipts.py).
    mail_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["assignment", "student", "version"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "cohort", "student", "version"], name="one_of_each_version"),
            models.UniqueConstraint(fields=["student", "key"], name="one_submission_a_form"),
        ]
        indexes = [
            models.Index(fields=["cohort", "assignment", "received_at"], name="queue_of_a_case_study"),
            models.Index(fields=["mail_at"], condition=Q(mail_at__isnull=False), name="receipts_to_mail"),
        ]

    def __str__(self):
        return self.number

    def get_absolute_url(self):
        return reverse("portal:receipt", args=[self.number])


class SubmissionFile(StoredFile):
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="files")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["submission", "position"]
        # Bytes that leave a draft go from disk unless a version names them.
        indexes = [models.Index(fields=["path"], name="versions_by_bytes")]


class FeedbackSet(models.QuerySet):
    def released(self):
        """What students may see. There is no other way to a student's page."""
        return self.filter(state=Feedback.State.RELEASED)


class Feedback(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        READY = "ready", gettext_lazy("Ready")
        RELEASED = "released", gettext_lazy("Released")

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="feedback")
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    comment_md = models.TextField(blank=True)
    rubric_scores = models.JSONField(default=dict, blank=True)  # {"cost": 4}: keys of the assignment's rubric
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="feedback_written")
    updated_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    # Counts saves, as Draft.revision: of two reviewers the second is shown both texts.
    revision = models.PositiveIntegerField(default=0)
    # Its student: when there was something new in it, and when they last looked. Its author: when the student replied,
    # and when somebody who teaches looked.
    news_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)

    objects = FeedbackSet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="released", released_at__isnull=False) | ~Q(state="released"),
                name="released_feedback_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(score__isnull=False), name="ready_feedback_has_a_score"
            ),
        ]

    def get_absolute_url(self):
        return reverse("portal:feedback", args=[self.submission.number])

    @property
    def is_unread(self):
        """There is something in it that its student has not looked at."""
        return self.state == self.State.RELEASED and _is_new(self.news_at or self.released_at, self.seen_at)

    @property
    def is_asked(self):
        """Its student replied, and nobody who teaches has looked since."""
        return _is_new(self.asked_at, self.heard_at)


def _is_new(at, seen_at):
    return at is not None and (seen_at is None or seen_at < at)


class Release(models.Model):
    """One act of an instructor that showed a week's ready feedback to the whole cohort."""

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="releases")
    week = models.ForeignKey(Week, on_delete=models.PROTECT, related_name="releases")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="releases")
    at = models.DateTimeField()
    count = models.PositiveSmallIntegerField(gettext_lazy("feedbacks shown"))

    class Meta:
        ordering = ["-at"]
