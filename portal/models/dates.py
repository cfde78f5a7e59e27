"""What changes a cohort's dates after they were told: moves, holidays, one person's extension; and the live session."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from portal.models.course import Assignment, Cohort, CohortWeek, Week
from portal.models.people import User


class Holiday(models.Model):
    """Days, of the cohort's zone, on which nothing should be due. Dates that lie on one are shown to who teaches."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="holidays")
    first = models.DateField(gettext_lazy("first day"))
    last = models.DateField(gettext_lazy("last day"))
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["first", "pk"]
        constraints = [models.CheckConstraint(condition=Q(last__gte=models.F("first")), name="a_holiday_has_days")]

    def __str__(self):
        return self.name


class DateMove(models.Model):
    """One act by which told dates were replaced. Its MovedDates say what each was and became. Never changed."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="date_moves")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    why = models.CharField(max_length=200)
    people_told = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.cohort}: {self.why}"


# As portal.schedule.FIELDS names them.
KINDS = {
    "release": pgettext_lazy("a date of a week", "release"),
    "due": pgettext_lazy("a date of a week", "due"),
    "feedback": pgettext_lazy("a date of a week", "feedback"),
    "session": pgettext_lazy("a date of a week", "session"),
}


class MovedDate(models.Model):
    """How many there are of one date is the SEQUENCE of its event in calendars."""

    move = models.ForeignKey(DateMove, on_delete=models.CASCADE, related_name="dates")
    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8)  # of KINDS
    was = models.DateTimeField()
    became = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.week.name}, {KINDS.get(self.kind, self.kind)}"


class Extensions(models.QuerySet):
    def in_force(self):
        return self.filter(withdrawn_at=None)


class Extension(models.Model):
    """One student's own deadline of one case study: an instant, so that no move and no other extension adds to it.

    A second one replaces the first. It is kept when it is withdrawn: calendars count its `revision`.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="extensions")
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="extensions")
    student = models.ForeignKey(User, on_delete=models.CASCADE, related_name="extensions")
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveSmallIntegerField(default=1)

    objects = Extensions.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "cohort", "student"], name="one_extension_never_stacked")
        ]

    def __str__(self):
        return f"{self.student}, {self.assignment}"


class LiveSession(models.Model):
    """What belongs to one live session besides its date. The address to join is shown from an hour before only."""

    told = models.OneToOneField(CohortWeek, on_delete=models.CASCADE, related_name="live")
    join_url = models.URLField(gettext_lazy("address to join"), blank=True, max_length=500)
    recording_url = models.URLField(gettext_lazy("recording"), blank=True, max_length=500)
    agenda_md = models.TextField(gettext_lazy("agenda"), blank=True)

    def __str__(self):
        return _("%(session)s, live") % {"session": self.told}
