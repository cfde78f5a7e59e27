"""What people are told outside of pages. A row first; channels deliver it when they can."""

from django.conf import settings
from django.db import models


class Notice(models.Model):
    """One thing that one person is to be told, once. Written by `portal.notices.tell`."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    topic = models.CharField(max_length=30)
    key = models.CharField(max_length=120, help_text="The same news has the same key: a person is told it once.")
    subject = models.CharField(max_length=200)
    words = models.TextField(blank=True, default="")
    url = models.CharField(max_length=300, blank=True, default="", help_text="A path of ours.")
    is_urgent = models.BooleanField(default=False, help_text="Not kept for a digest, nor for the end of quiet hours.")
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True, help_text="Every channel had it, or gave it up.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="a_person_is_told_once")]
        indexes = [models.Index(fields=["at"], condition=models.Q(done_at=None), name="portal_notice_to_deliver")]

    def __str__(self):
        return self.subject
