"""That a person asked to be deleted, and how far it has come (portal/leaving.py)."""

from django.db import models
from django.db.models import Q

from portal.models.people import User


class Leavings(models.QuerySet):
    def open(self):
        """Asked, not taken back, and not done."""
        return self.filter(taken_back_at=None, erased_at=None)


class Leaving(models.Model):
    """One wish to be deleted. The row of the person stays, without the person; so does this one."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="leavings")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    erase_at = models.DateTimeField(help_text="Until then it can be taken back.")
    taken_back_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    # Work whose feedback was released is kept without a name until then; None: it is gone, or there was none.
    work_until = models.DateTimeField(null=True, blank=True)

    objects = Leavings.as_manager()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(taken_back_at=None, erased_at=None), name="one_leaving_a_person"
            )
        ]

    def __str__(self):
        return f"{self.person_id} leaves"
