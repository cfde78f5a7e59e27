"""What people are told outside of pages. A row first; channels deliver it when they can."""

from datetime import time

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import addresses, digests
from portal.zones import zone_of


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

    @property
    def address(self):
        """The whole address that it leads to; "" when it leads nowhere or not into this portal."""
        ours = self.url.startswith("/") and not self.url.startswith("//")
        return settings.PUBLIC_URL.rstrip("/") + self.url if ours else ""


class NoticeWishes(models.Model):
    """When a person wants to be told. Who chose nothing has no row, and these defaults."""

    PACES = list(digests.PACES.items())

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_wishes")
    pace = models.CharField(max_length=10, choices=PACES, default=digests.HOURLY)
    daily_at = models.TimeField(default=time(8))
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)

    def __str__(self):
        return f"{self.person}: {self.get_pace_display()}"

    def plain(self):
        """As the planner reads it, in the person's zone."""
        return digests.Wishes(zone_of(self.person), self.pace, self.daily_at, self.quiet_from, self.quiet_to)


class NoticeChannels(models.QuerySet):
    def kept(self):
        return self.filter(removed_at=None)


class NoticeChannel(models.Model):
    """Where a person is told: their mail address, or an address of apprise's that they proved to read."""

    MAIL, APPRISE = "mail", "apprise"
    KINDS = [(MAIL, gettext_lazy("mail")), (APPRISE, gettext_lazy("another service"))]

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_channels")
    kind = models.CharField(max_length=10, choices=KINDS)
    # A secret: whoever has it can write there. Empty for mail, which goes to the person's own address.
    address = models.TextField(blank=True, default="")
    label = models.CharField(max_length=60)
    # Not the ones that are told: a topic that is new is told until somebody says no.
    muted = models.JSONField(default=list, blank=True)
    made_at = models.DateTimeField()
    code_asked_at = models.DateTimeField(null=True, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    last_told_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=20, blank=True, default="")
    failures = models.PositiveSmallIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    try_again_at = models.DateTimeField(null=True, blank=True)
    # By the person, or given up after days of failures: then `trouble` says why.
    off_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    # A turn that is sending to it; one that died leaves it to the next when the time is over.
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = NoticeChannels.as_manager()

    class Meta:
        ordering = ["-kind", "made_at", "pk"]  # mail first
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(kind="mail"), name="one_mail_channel_a_person")
        ]
        indexes = [
            models.Index(fields=["code_asked_at"], condition=Q(code_sent_at=None), name="portal_channel_code_due"),
            models.Index(fields=["claim"], condition=~Q(claim=None), name="portal_channel_claimed"),
        ]

    def __str__(self):
        return f"{self.label} of {self.person_id}"

    @property
    def called(self):
        """Its name, to its person: mail is called so in every language, another channel as they named it."""
        return _("Mail") if self.is_mail else self.label

    @property
    def is_mail(self):
        return self.kind == self.MAIL

    @property
    def is_allowed(self):
        """Whether the operator lets messages go to this service: today, not when it was added."""
        return self.is_mail or self.address.partition("://")[0] in settings.NOTICE_SCHEMES

    @property
    def is_on(self):
        return self.verified_at is not None and self.off_at is None and self.removed_at is None and self.is_allowed

    @property
    def shown(self):
        """The address as it may be shown to its person: of another than mail the service and the last characters."""
        return self.person.email if self.is_mail else addresses.masked(self.address)

    def wants(self, notice):
        """Whether this notice is to be told here: not what was written down before the channel was there."""
        return self.is_on and notice.topic not in self.muted and (self.is_mail or notice.at >= self.verified_at)


class NoticeHad(models.Model):
    """That a channel had a notice. Written after it was sent: what is not here is sent again, rather than lost."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="had")
    channel = models.ForeignKey(NoticeChannel, on_delete=models.CASCADE, related_name="had")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "channel"], name="a_channel_has_a_notice_once")]

    def __str__(self):
        return f"{self.notice_id} by {self.channel_id}"
