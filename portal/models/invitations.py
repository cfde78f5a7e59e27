"""How people come into a cohort: by a link that a whole class shares, and by a mail of their own.

Of every address only a hash is kept: who reads the database gets nobody in.
"""

from django.db import models
from django.db.models import F, Q

from portal.models.course import Cohort
from portal.models.people import LowerCaseEmailField, User


class InviteLinks(models.QuerySet):
    def open(self, at):
        """Those that still let somebody ask for a mail at `at`."""
        return self.filter(revoked_at=None, expires_at__gt=at, used__lt=F("uses"))


class InviteLink(models.Model):
    """An address for a class: who opens it may have an invitation mailed to them. It lets nobody in by itself."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="invite_links")
    token_hash = models.CharField(max_length=64, unique=True)
    uses = models.PositiveIntegerField("how many people it lets in")
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InviteLinks.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self):
        return f"{self.used} of {self.uses} into {self.cohort}"


class Invitations(models.QuerySet):
    def waiting(self):
        """Neither accepted nor withdrawn; they may be past their time."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self, at):
        return self.waiting().filter(expires_at__gt=at)


class Invitation(models.Model):
    """One address that may come into a cohort. The link in its mail proves that its reader has that mailbox.

    The token is made when the mail is sent: each mail replaces the link of the one before.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="invitations")
    email = LowerCaseEmailField()
    name = models.CharField(max_length=150, blank=True, default="")
    link = models.ForeignKey(InviteLink, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations")
    token_hash = models.CharField(max_length=64, blank=True, default="", db_index=True)
    expires_at = models.DateTimeField()
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    # A mail is due from then on; a turn that sends it moves this on, so that another turn leaves it alone.
    mail_due_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True, blank=True)
    person = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = Invitations.as_manager()

    class Meta:
        ordering = ["name", "email"]
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_invitation_waits_an_address",
            )
        ]
        indexes = [
            models.Index(fields=["mail_due_at"], condition=~Q(mail_due_at=None), name="portal_invitation_mail_due")
        ]

    def __str__(self):
        return f"{self.email} into {self.cohort}"
