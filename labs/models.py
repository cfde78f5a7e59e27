"""What the controller knows: accounts, launches, and the ledger of every AWS resource.

Three facts make the state of a resource, and nothing else does: what is `wanted`, what was `seen`, and
`create_began_at`. `labs/ledger.py` is the only writer of Resource, Span and Event.
"""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from labs import guardrails
from labs.audit import Act as Act
from labs.limits import Limits

RUNNING, STOPPED, GONE = "running", "stopped", "gone"
WANTED = [(RUNNING, "running"), (STOPPED, "stopped"), (GONE, "gone")]


class AccountQuerySet(models.QuerySet):
    def real(self):
        return self.exclude(mode=Account.PRACTICE)

    def named(self, name):
        """The account of that AWS id, else of that name; None when there is none."""
        return self.filter(aws_id=name).first() or self.filter(name=name).first()


class Account(models.Model):
    """An AWS account that labs run in: simulated (practice), the bootcamp's (shared), or a student's own."""

    PRACTICE, SHARED, OWN = "practice", "shared", "own"
    MODES = [(PRACTICE, "practice"), (SHARED, "shared"), (OWN, "own")]

    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=10, choices=MODES)
    # Of a real account it is known when it was proved (connecting.py), and never changes after that.
    aws_id = models.CharField(max_length=12, blank=True, default="", help_text="Twelve digits; '' until it is proved.")
    # In a practice or own account everything belongs to this person; a shared account has none.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="aws_accounts"
    )
    # The cohort's immutable UUID as hex; labs knows no more of a cohort than this.
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    regions = models.JSONField(default=list, help_text="Regions looked into. The first is where labs start.")
    lab_regions = models.JSONField(default=list, help_text="Regions that a lab uses; elsewhere is a wrong region.")
    role_arn = models.CharField(max_length=200, blank=True, default="", help_text="The role the portal assumes.")
    external_id = models.CharField(max_length=64, blank=True, default="", help_text="Made by us, for this account.")
    # Fields of guardrails.Rules that differ from its defaults; the regions are lab_regions.
    rules = models.JSONField(default=dict, blank=True)
    # Of a shared account: {scope: limits.Limits as JSON} of the cohorts whose own documents AWS has, as the doctor saw.
    limits_held = models.JSONField(default=dict, blank=True, editable=False)
    # Practice only: the simulator's boot in which this account's rows were made. Another boot is another world.
    boot_id = models.CharField(max_length=36, blank=True, default="")
    is_open = models.BooleanField(default=True)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="The last whole census of this account.")
    census_trouble = models.TextField(blank=True, default="", help_text="Why the last census is not whole.")
    created_at = models.DateTimeField()
    # Of a real account: when it was connected (last), when its trust was last proved, and what stood in the way since.
    connected_at = models.DateTimeField(null=True, blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True, default="")
    template_version = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the stack in it.")
    # What the doctor found (examining.py), so that pages ask AWS nothing: {"findings": [...], "quotas": [...]}.
    report = models.JSONField(default=dict, blank=True)
    examined_at = models.DateTimeField(null=True, blank=True)
    examine_at = models.DateTimeField(null=True, blank=True, help_text="When the doctor looks next. Empty: never.")

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(mode="practice"), name="one_practice_account_a_person"
            ),
            models.UniqueConstraint(fields=["aws_id"], condition=~Q(aws_id=""), name="one_row_an_aws_account"),
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(mode="own") & (Q(is_open=True) | Q(aws_id="")),
                name="one_own_account_a_person",
            ),
        ]

    def __str__(self):
        return f"{self.name} ({self.aws_id or 'not connected yet'})"

    @property
    def is_real(self):
        """At AWS, where things cost money; a practice account is simulated."""
        return self.mode != self.PRACTICE

    @property
    def is_connected(self):
        return bool(self.aws_id) and self.is_open

    def limits(self):
        """guardrails.Rules of this account: where, and how large. Raises ValueError when its rules cannot be used."""
        chosen: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.rules.items()
        }
        return guardrails.Rules(**({"regions": tuple(self.lab_regions)} | chosen))

    def limited_to(self, limits):
        """guardrails.Rules of a cohort's own documents in this account; None where the account's own will do. Raises
        ValueError in words when the account allows nothing of what the cohort does."""
        if self.mode != self.SHARED or not limits:
            return None
        rules = self.limits()
        narrowed = limits.of(rules)
        return narrowed if narrowed != rules else None


# Over without anybody's asking and without a proof: its practice world was started anew (ledger.end_world).
CUT_OFF = Q(ended_at__isnull=False, asked_to_end_at=None, certificate__isnull=True)


class StudentRole(models.Model):
    """A student's role in the shared account: made at their first lab there, taken away when they leave (admitting.py).

    The row is the queue, and is deleted when AWS has the role no more.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="student_roles")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="student_roles")
    scope = models.CharField(
        max_length=32, blank=True, default="", help_text="The cohort whose own limits hold it; '': the account's do."
    )
    made_at = models.DateTimeField(null=True, blank=True)
    leaves_at = models.DateTimeField(null=True, blank=True, help_text="From when on it is taken away.")
    next_try_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="Empty: nothing is to be done.")
    trouble = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "student", "scope"], name="one_role_a_student_and_limits")
        ]

    def __str__(self):
        return f"{self.student_id} in {self.account_id}"


class LaunchQuerySet(models.QuerySet):
    def open(self):
        return self.filter(ended_at=None)

    def in_use(self, now):
        """Within their time, and nobody asked for their end."""
        return self.open().filter(asked_to_end_at=None, expires_at__gt=now)

    def past_their_time(self, now):
        """Open launches whose clock has run out, and of which something was not yet asked to go."""
        not_asked = Resource.objects.open().filter(launch=OuterRef("pk")).exclude(wanted=GONE)
        return self.open().filter(Q(asked_to_end_at=None) | Exists(not_asked), expires_at__lte=now)


class Launch(models.Model):
    """One lab started by one person. Ends only when every row of it was seen absent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.SlugField(max_length=60)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="launches")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="launches")
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    # The cohort's own limits (limits.Limits as JSON), where AWS holds this lab to them; {}: to the account's.
    limits = models.JSONField(default=dict, blank=True, editable=False)
    labels = models.JSONField(default=dict, blank=True)
    region = models.CharField(max_length=30)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(help_text="When the clock deletes it.")
    extensions_used = models.PositiveSmallIntegerField(default=0)
    # The next session: what is left on is told as "will cost by then".
    look_ahead_until = models.DateTimeField(null=True, blank=True)
    asked_to_end_at = models.DateTimeField(null=True, blank=True)
    # When credentials of this launch were last given out; None: nobody ever had any, so there is nothing to revoke.
    session_at = models.DateTimeField(null=True, blank=True)
    # SHA-256 of the token with which the owner's aws command fetches credentials by itself (sessions.py); '': none.
    token_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    # While it is set nothing of the launch is deleted: at this instant its sessions are revoked and what its student
    # made is gathered (ending.py).
    prepare_at = models.DateTimeField(null=True, blank=True)
    fenced_at = models.DateTimeField(null=True, blank=True, help_text="When its sessions were revoked.")
    # When its student's work was first being copied to the locker; None: the lab names nothing, or it was not begun.
    saving_at = models.DateTimeField(null=True, blank=True)
    # Set when its last row closed: when to look for the second proof of absence.
    prove_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # {"proved_at", "rows": [...], "methods": [...], "left": [...]}, and of a lab that saves "saved" and "not_saved":
    # written once, by certify.py.
    certificate = models.JSONField(null=True, blank=True)

    objects = LaunchQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "ended_at"]),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="labs_launch_clock"),
            models.Index(fields=["token_sha256"], condition=~Q(token_sha256=""), name="labs_launch_token"),
        ]

    def __str__(self):
        return f"{self.lab} of {self.owner_id}"

    @property
    def limited_scope(self):
        """The scope of the cohort whose own documents hold this lab; '' where the account's do (guardrails.named)."""
        return self.scope if self.limits else ""

    def rules(self):
        """guardrails.Rules that hold this lab. Raises ValueError in words when none can be used."""
        return Limits.read(self.limits).of(self.account.limits())

    @property
    def is_over(self):
        return self.ended_at is not None

    def is_in_use(self, now):
        """As `in_use` says, of one that was read already."""
        return not self.is_over and self.asked_to_end_at is None and self.expires_at > now

    @property
    def is_cut_off(self):
        """As CUT_OFF says."""
        return self.ended_at is not None and self.asked_to_end_at is None and self.certificate is None

    @property
    def extensions_left(self):
        return max(0, settings.LAB_EXTENSIONS - self.extensions_used)


class Rehearsal(models.Model):
    """That a lab was played from a click to its certificate in this account (rehearsal.py). The last one counts."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="rehearsals")
    lab = models.SlugField(max_length=60)
    at = models.DateTimeField()
    passed = models.BooleanField()
    # {"seconds_to_running", "seconds_to_gone", "steps_passed", "steps", "failed": [words], "left": [words]}
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["lab", "-at"])]

    def __str__(self):
        return f"{self.lab} in {self.account_id}: {'passed' if self.passed else 'failed'}"


class ResourceQuerySet(models.QuerySet):
    def open(self):
        """Rows that AWS may still hold: not yet seen absent for good."""
        return self.filter(closed_at=None)

    def due(self, now):
        """Open rows whose next look has come and that no worker holds."""
        return self.open().filter(next_look_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now))

    def strangers(self):
        """Rows that no launch made: made by hand, or by a service behind one's back."""
        return self.filter(launch=None)

    def blocked(self):
        return self.open().exclude(blocked_why="")


class Resource(models.Model):
    """One row of the ledger: an AWS resource that is meant to exist, exists, or existed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="resources")
    region = models.CharField(max_length=30, help_text="Where it is; for S3 and IAM where it was asked for.")
    # Not a ForeignKey and no choices: a new kind must not need a migration.
    kind = models.CharField(max_length=40)
    launch = models.ForeignKey(Launch, null=True, blank=True, on_delete=models.PROTECT, related_name="resources")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="resources"
    )
    owner_proof = models.CharField(
        max_length=20, blank=True, default="", help_text="launch, account, tag, name, time, creator; or ''."
    )
    # Of what nobody is known to own: who made it, as CloudTrail says, in words (creators.py).
    made_by = models.CharField(max_length=200, blank=True, default="")
    creator_asked_at = models.DateTimeField(null=True, blank=True, help_text="When CloudTrail was last asked.")
    scope = models.CharField(max_length=32, blank=True, default="")
    key = models.CharField(max_length=40, blank=True, default="", help_text="The Want's key within the lab.")
    name = models.CharField(max_length=255, blank=True, default="")
    aws_id = models.CharField(max_length=255, blank=True, default="")
    params = models.JSONField(default=dict, blank=True)
    needs = models.JSONField(default=list, blank=True, help_text="Keys of the same launch that must be there first.")

    # What is wanted: each holder's wish, and the strictest in force. See decide.strictest().
    wishes = models.JSONField(default=dict, blank=True)
    wanted = models.CharField(max_length=10, choices=WANTED, default=RUNNING)
    wanted_by = models.CharField(max_length=20, blank=True, default="")
    wanted_at = models.DateTimeField()

    # What AWS last said. Only an observation writes these.
    seen = models.CharField(max_length=10, blank=True, default="")
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_since = models.DateTimeField(null=True, blank=True, help_text="When AWS says that this state began.")
    facts = models.JSONField(default=dict, blank=True)
    first_seen_at = models.DateTimeField(null=True, blank=True)
    absent_since = models.DateTimeField(null=True, blank=True, help_text="The first of the sightings of absence.")
    changed_mark = models.CharField(max_length=80, blank=True, default="", help_text="What the list shows of a change.")

    create_began_at = models.DateTimeField(null=True, blank=True, help_text="Committed before the create call.")
    configured_at = models.DateTimeField(null=True, blank=True)
    # When we last asked it to stop, or saw that it was stopped as wished; None once we asked it to start. So our stops
    # are told from somebody else's.
    stop_asked_at = models.DateTimeField(null=True, blank=True)
    delete_asked_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=200, blank=True, default="")

    # The row is the queue.
    next_look_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0, help_text="Grows with every claim; a late writer is refused.")
    attempts = models.PositiveSmallIntegerField(default=0)
    blocked_why = models.TextField(blank=True, default="")
    # When AWS itself turns it off if the portal is dead by then (deadman.py). None: not armed.
    switch_at = models.DateTimeField(null=True, blank=True)
    # Committed before AWS's scheduler is asked for it: from then on, until it is taken away, there may be one.
    switch_began_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = ResourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "kind", "aws_id"],
                condition=Q(closed_at=None) & ~Q(aws_id=""),
                name="one_open_row_a_resource",
            ),
            models.UniqueConstraint(
                fields=["launch", "key"], condition=~Q(key="") & Q(launch__isnull=False), name="one_row_a_want"
            ),
        ]
        indexes = [
            models.Index(fields=["next_look_at"], condition=Q(closed_at=None), name="labs_resource_due"),
            models.Index(fields=["account", "region", "kind"], condition=Q(closed_at=None), name="labs_resource_open"),
            models.Index(fields=["owner", "closed_at"]),
            models.Index(fields=["scope", "closed_at"]),
        ]

    def __str__(self):
        return f"{self.kind} {self.name or self.aws_id or self.id}"

    @property
    def is_stranger(self):
        return self.launch_id is None

    @property
    def is_made_by_hand(self):
        """No Want of ours: a stranger, or what a student made in a lab."""
        return not self.key

    @property
    def is_closed(self):
        return self.closed_at is not None


class Span(models.Model):
    """A stretch of time in which a resource was seen in one state with the same facts. What meters read.

    The open span (ended=None) reaches as far as the resource's `seen_at`: no further than was observed.
    """

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="spans")
    state = models.CharField(max_length=10)
    facts = models.JSONField(default=dict, blank=True)
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["began"]
        constraints = [
            models.UniqueConstraint(fields=["resource"], condition=Q(ended=None), name="one_open_span_a_resource"),
            models.CheckConstraint(
                condition=Q(ended=None) | Q(ended__gte=F("began")), name="a_span_does_not_end_before_it_began"
            ),
        ]


class Event(models.Model):
    """What happened, in words for a person. Append-only: rows are never changed or deleted."""

    at = models.DateTimeField(db_index=True)
    launch = models.ForeignKey(Launch, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    resource = models.ForeignKey(Resource, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    code = models.CharField(max_length=30)
    words = models.TextField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["launch", "-at"])]


class SavedFileQuerySet(models.QuerySet):
    def waiting(self):
        """Named, and not decided yet."""
        return self.filter(saved_at=None, why_not=SavedFile.NOT_IN_TIME)

    def kept(self):
        """Those whose bytes are in the locker now."""
        return self.filter(saved_at__isnull=False, deleted_at=None)


class SavedFile(models.Model):
    """A file of a lab that was to be saved before its teardown: its bytes in the owner's locker, or why they are not.

    Written before its bytes are fetched, with the reason that holds if nobody gets further: none is dropped silently.
    """

    NOT_IN_TIME = "The lab ended before it could be copied."

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="locker")
    launch = models.ForeignKey(Launch, on_delete=models.PROTECT, related_name="saved_files")
    bucket = models.CharField(max_length=63)
    name = models.CharField(max_length=1024, help_text="The object's key: what the student called it, as it is.")
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    path = models.CharField(max_length=200, blank=True, default="", help_text="Under MEDIA_ROOT; '' when not kept.")
    saved_at = models.DateTimeField(null=True, blank=True)
    why_not = models.CharField(max_length=300, blank=True, default=NOT_IN_TIME)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When its owner deleted it from the locker.")

    objects = SavedFileQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["launch", "bucket", "name"], name="one_row_a_saved_file")]
        indexes = [models.Index(fields=["owner", "-saved_at"])]

    def __str__(self):
        return self.name

    @property
    def is_kept(self):
        return self.saved_at is not None and self.deleted_at is None


class StepCheck(models.Model):
    """The last look into the account for one step of a launch."""

    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="step_checks")
    step = models.SlugField(max_length=60)
    passed = models.BooleanField()
    said = models.TextField()
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["launch", "step"], name="one_check_a_step")]
