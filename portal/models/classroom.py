"""A lab that is started for a whole cohort, so that it runs when the class begins."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from portal.models.course import Cohort, Week
from portal.models.people import User


class ClassStarts(models.QuerySet):
    def planned(self):
        return self.filter(cancelled_at=None)


class ClassStart(models.Model):
    """An instructor's plan: this lab runs for everybody of the cohort at this hour."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="class_starts")
    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="+")
    lab_slug = models.SlugField()
    at = models.DateTimeField(gettext_lazy("the hour at which all of them run"))
    begins_at = models.DateTimeField(gettext_lazy("when the first one is started"))
    # Between two starts.
    apart = models.DurationField()
    planned_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField()
    cancelled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = ClassStarts.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "lab_slug", "at"], condition=Q(cancelled_at=None), name="one_plan_an_hour"
            )
        ]

    def __str__(self):
        return f"{self.lab_slug} for {self.cohort} at {self.at:%Y-%m-%d %H:%M} UTC"


class ClassSeat(models.Model):
    """One student in a ClassStart: when theirs is started, and what came of it. Settled once and for all."""

    STARTED, SKIPPED, REFUSED = "started", "skipped", "refused"
    OUTCOMES = [
        (STARTED, gettext_lazy("started")),
        (SKIPPED, gettext_lazy("skipped")),
        (REFUSED, gettext_lazy("refused")),
    ]

    class_start = models.ForeignKey(ClassStart, on_delete=models.CASCADE, related_name="seats")
    student = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    start_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, blank=True, default="", choices=OUTCOMES)
    said = models.TextField(blank=True, default="")
    settled_at = models.DateTimeField(null=True, blank=True)
    launch = models.ForeignKey("labs.Launch", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["start_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["class_start", "student"], name="one_seat_a_student")]
        indexes = [models.Index(fields=["start_at"], condition=Q(outcome=""), name="portal_seat_due")]

    def __str__(self):
        return f"{self.student} in {self.class_start}"
