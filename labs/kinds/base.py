"""What a kind of AWS resource is: one file a kind, found by the registry in `labs/kinds/__init__.py`.

A kind *declares* (verbs, meters, signals, danger) and never decides: `labs/decide.py` decides, `labs/reconcile.py`
calls one verb at a time. Verbs never wait, never sleep, never write to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

# How a create that may or may not have happened is found again (docs/architecture.md, rule 3).
TOKEN, NAME, TAG = "token", "name", "tag"

PENDING, RUNNING, STOPPING, STOPPED, DELETING, FAILED, ABSENT = (
    "pending",
    "running",
    "stopping",
    "stopped",
    "deleting",
    "failed",
    "absent",
)

# Tags set in the create call itself wherever AWS can.
TAG_RESOURCE, TAG_LAUNCH, TAG_OWNER = "lightsout:resource", "lightsout:launch", "lightsout:owner"


@dataclass(frozen=True)
class Want:
    """One resource of a lab, and, once launched, what a verb needs to make it or find it again.

    In a catalog file only key, kind, params and needs are written. Strings in params may name a parent's fact
    as "{key.fact}" ("{role.arn}", "{bucket.name}", "{profile.name}"): they are filled when the parent was seen.
    """

    key: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    # Filled by the ledger from the row:
    name: str = ""  # unique AWS name made from lab, key and launch: at most 50 characters of [a-z0-9-]
    token: str = ""  # the row's UUID in hex (32 characters): the client token where AWS takes one
    tags: Mapping[str, str] = field(default_factory=dict)
    aws_id: str = ""  # known after it was seen once; '' before
    account_id: str = ""
    region: str = ""
    parents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # key -> facts + {"name", "aws_id"}
    boundary: str = ""  # ARN of what bounds every role and user of a lab in a real account; '' in practice


@dataclass(frozen=True)
class Seen:
    """What AWS said of one resource.

    facts: plain JSON values; whatever meters(), other kinds' params ("arn") and pages need. Stable: a fact that changes
    at every look (a counter, a timestamp of now) does not belong here, since changed facts begin a new span. What is
    absent because it has ended, while AWS keeps a record of it, tells "ended" (how, in words: "it completed") and
    "is_done" (whether its work was done).
    since: when AWS says that this state began, if it says so; aware UTC.
    mark: what the *list* call shows of a modification (status + last modified); '' where lists show nothing.
    """

    state: str
    aws_id: str = ""
    name: str = ""
    since: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    # False: the list call gave only id, name and state; a stranger needs one observe() for the rest.
    whole: bool = True


GONE_FROM_AWS = Seen(ABSENT)


@dataclass(frozen=True)
class Meter:
    """What AWS bills for, as a line of the price book (columns service, kind, sku, unit).

    per: what `quantity` is counted over: "hour" (quantity x hours), "month" (quantity x share of the month; GB-month).
    rounding: "second" with minimum seconds a start; "hour" where a started hour counts whole; "five-minutes" likewise.
    """

    service: str
    kind: str
    sku: str
    unit: str
    quantity: Decimal = Decimal(1)
    per: str = "hour"
    minimum_seconds: int = 0
    rounding: str = "second"
    label: str = ""  # what a person reads: "ml.t3.medium", "disk 5 GB", "public IPv4"

    @property
    def slug(self) -> str:
        return f"{self.service}/{self.kind}/{self.sku}/{self.label}"[:120]


@dataclass(frozen=True)
class Signal:
    """A CloudWatch metric that tells whether the resource is used."""

    namespace: str
    metric: str
    dimension: str  # the dimension whose value is the resource's aws_id or name (see Kind.dimensions)
    statistic: str = "Sum"


@dataclass(frozen=True)
class Counted:
    """What AWS bills by the piece, and CloudWatch counts: the sum of the metric times `each` is how many of the meter's
    units were used. The meter's own quantity and time say nothing here."""

    signal: Signal
    meter: Meter
    each: Decimal = Decimal(1)


@dataclass(frozen=True)
class OffCall:
    """One call that turns a resource off, as EventBridge Scheduler makes it without us (a universal target).

    service and action as in the target's ARN, `arn:aws:scheduler:::aws-sdk:{service}:{action}`: "sagemaker",
    "deleteEndpoint". input: the call's own members ({"EndpointName": ...}).
    """

    service: str
    action: str
    input: Mapping[str, Any]

    @property
    def target(self) -> str:
        return f"arn:aws:scheduler:::aws-sdk:{self.service}:{self.action}"


class Kind:
    """Base of all kinds. Subclasses are singletons: they hold no state."""

    name: ClassVar[str]
    service: ClassVar[str]  # boto3 client name
    identity: ClassVar[str]
    title: ClassVar[str]  # "SageMaker notebook", for people
    icon: ClassVar[str] = "server"
    cost_service: ClassVar[str] = ""  # what the bill calls it: EC2, SageMaker, S3, IAM ('' = service.upper())
    arn_type: ClassVar[str] = ""  # how ARNs name it, "service:type" ("ec2:instance", "iam:role"; "s3" for buckets)
    id_is_arn: ClassVar[bool] = False  # its aws_id is the whole ARN, not the end of it
    can_tag: ClassVar[bool] = True  # False: AWS gives it no tags, so that its name alone tells whose it is
    is_global: ClassVar[bool] = False  # S3 and IAM: one list a account, not one a region
    # AWS takes money for its list: what is quiet is confirmed less often (census.LISTED_AGAIN_AFTER).
    listing_costs: ClassVar[bool] = False
    # False: the portal never makes one; what a service or a student made is found, metered and deleted.
    can_create: ClassVar[bool] = True
    # Why practice mode does not have it; '' where it does. The census of a practice account does not ask for it.
    not_in_practice: ClassVar[str] = ""
    # The kind with which each of it goes, where it is free and AWS has no list of it but a call for each of those. The
    # census of a whole account does not ask hundreds of buckets: it is looked for where a lab has its students make it.
    goes_with: ClassVar[str] = ""
    # Kinds of which none may be left (of a launch, or in the same account and region) before one of this is deleted.
    goes_after: ClassVar[tuple[str, ...]] = ()
    # It ends when its work is done (a training job): what needs it waits for that. What AWS keeps of it afterwards is a
    # record and no resource: absent, with "ended" in its facts.
    ends_by_itself: ClassVar[bool] = False
    # How it ends by itself, set in its create call ("it ends after 30 idle minutes"); '' where AWS has no such cap.
    native_cap: ClassVar[str] = ""
    # Why the dead-man's switch cannot turn it off although it costs by the hour; '' where it can (`off_call`).
    no_off_call: ClassVar[str] = ""
    # How many of it AWS lets one account create a second in the long run, with what `configure` needs of the same kind:
    # what EC2 gives back to its calls. Fewer where AWS is slow; a class is started no faster (pacing.py).
    creates_per_second: ClassVar[float] = 2.0
    longest_name: ClassVar[int] = 50  # characters; fewer where AWS takes no more
    can_stop: ClassVar[bool] = False
    # What Stop means where there is no stop: "delete" for what costs by the hour (an endpoint), else "keep".
    stop_means: ClassVar[str] = "keep"
    is_free: ClassVar[bool] = False  # says so itself; else meters() must price it
    settle_seconds: ClassVar[int] = (
        30  # how long a create without an answer may stay unseen before it counts as not made
    )
    max_age_seconds: ClassVar[int] = 3600  # a settled row is described again at this age, however quiet its list
    signals: ClassVar[tuple[Signal, ...]] = ()
    kept_on_stop: ClassVar[str] = ""  # "Files on the notebook disk are kept"
    lost_on_delete: ClassVar[str] = ""  # "Its disk is deleted with it"

    def create(self, client, want: Want) -> None:
        """One create call, with our identity in it. May raise any botocore error; never swallows one."""
        raise TypeError(f"{self.name} cannot be created by the portal")

    def observe(self, client, want: Want) -> Seen:
        """Look at it by aws_id, else by identity. Absent is an answer (GONE_FROM_AWS), not an error."""
        raise TypeError(f"{self.name} does not say how it is observed")

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """Idempotent settings after create; True when all are seen to be in force."""
        return True

    def start(self, client, want: Want, seen: Seen) -> None:
        raise TypeError(f"{self.name} cannot be started")

    def stop(self, client, want: Want, seen: Seen) -> None:
        raise TypeError(f"{self.name} cannot be stopped")

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Asks and returns; called again until it is seen absent. Must it be stopped or emptied first? Then it does one
        bounded part of that and returns."""
        raise TypeError(f"{self.name} does not say how it is deleted")

    def off_call(self, want: Want) -> OffCall | None:
        """The one call by which AWS turns it off when the portal is dead: stop rather than delete, unless a stopped one
        still costs most of it. By want.aws_id; for a NAME also by want.name, before it exists. None where nothing of it
        costs by the hour."""
        return None

    def find_all(self, client) -> Iterable[Seen]:
        """Every one in the account and the client's region, all pages. Leaves out what AWS itself owns
        (service-linked roles, default security groups) and what is already gone (terminated)."""
        raise TypeError(f"{self.name} does not say how it is listed")

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        """What the list left out of a stranger that is not `whole`, by as few calls as it takes; absent if it is gone.

        tags: its tags, where they are known already or do not matter: then nobody asks for them. None: not known.
        """
        return self.observe(client, Want("", self.name, name=glimpsed.name, aws_id=glimpsed.aws_id))

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]] | None:
        """{ARN: tags} of every tagged one in the region, by a call a hundred, for a kind whose list leaves tags out.
        None where AWS has no such call. client_of: service -> its client in the region."""
        return None

    def meters(self, seen: Seen) -> list[Meter]:
        """What AWS bills in this state with these facts, per unit of time. [] when nothing is billed."""
        return []

    def counted(self, seen: Seen) -> list[Counted]:
        """What of it AWS bills by the piece, where a metric counts the pieces. [] where none does."""
        return []

    def would_be(self, want: Want) -> Seen:
        """What it would look like when running, told from the params alone: for the price before a launch.

        want.parents[key] holds the params of what it needs. Gives whatever meters() reads.
        """
        return Seen(RUNNING, name=want.name, facts=dict(want.params))

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        """The sets of CloudWatch dimensions whose metrics together are the signal."""
        return [{signal.dimension: seen.aws_id or seen.name}]
