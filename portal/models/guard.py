"""What the secret guard saw: of each content once, and of each version handed in whether it may be seen by others."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from portal.guard import wording
from portal.models.coursework import Submission


class Look(models.Model):
    """One look through some bytes, whoever handed them in. No credential is kept here, only its kind and place."""

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Not looked through yet")
        CLEAN = "clean", gettext_lazy("Nothing was found")
        FOUND = "found", gettext_lazy("Credentials were found")
        UNREAD = "unread", gettext_lazy("Could not be looked through")

    sha256 = models.CharField(max_length=64, primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    findings = models.JSONField(default=list, blank=True)  # [{"kind", "where", "ends"}], portal/guard/scanning.py
    trouble = models.JSONField(default=list, blank=True)  # why parts could not be read
    claimed_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    let_through_at = models.DateTimeField(null=True, blank=True)
    let_through_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="looks_let_through"
    )
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(let_through_at=None) | (Q(let_through_by__isnull=False) & ~Q(reason="")),
                name="let_through_by_somebody_with_a_reason",
            )
        ]

    def __str__(self):
        return f"{self.sha256[:12]}: {self.get_state_display()}"

    @property
    def is_open(self):
        """Whether others than its owner may see these bytes."""
        return self.state == self.State.CLEAN or self.let_through_at is not None

    @property
    def places(self):
        """The findings, each with its place in the reader's language."""
        return [{**one, "where": wording.place(one["where"])} for one in self.findings]

    @property
    def reasons(self):
        """Why parts could not be read, in the reader's language."""
        return [wording.reason(why) for why in self.trouble]


class Inspection(models.Model):
    """That the guard is done with one version: whoever had to be told was told. Versions without one are due."""

    submission = models.OneToOneField(Submission, primary_key=True, on_delete=models.CASCADE, related_name="inspection")
    at = models.DateTimeField()
    is_held = models.BooleanField(gettext_lazy("held back when it was looked through"))
    # The held version of before the deadline that this late one is the clean copy of: it counts as on time.
    on_time_as = models.ForeignKey(
        Submission, null=True, blank=True, on_delete=models.SET_NULL, related_name="clean_copies"
    )

    def __str__(self):
        return f"{self.submission_id} inspected"
