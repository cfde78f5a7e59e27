"""The demo's past: labs that were started, ran and ended, entered by the same acts as real ones, with past instants.

launching and ledger write the rows, costs.metering makes readings and sums of what was seen; no figure is written here.
What no AWS was asked for gets no certificate: these launches end with an event that says so.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.db import transaction

from costs import metering
from labs import catalog, launching, ledger
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, PENDING, RUNNING, Seen, Want
from labs.models import Launch, Resource, StepCheck
from portal import enrolling
from portal.demo_people import INSTRUCTOR, STUDENTS

LOOK = timedelta(seconds=6)
CENSUS = timedelta(minutes=15)
ENDED = "The lab ended. It was played for the demo, so no AWS was asked for a certificate"
# How long AWS takes to make one, roughly; the rest is there at once.
MAKING = {
    "ec2-instance": timedelta(seconds=40),
    "sagemaker-notebook": timedelta(minutes=4),
    "sagemaker-endpoint": timedelta(minutes=6),
}
AWS_IDS = {"ec2-instance": "i-0", "security-group": "sg-0", "ebs-volume": "vol-0"}
A_BUCKETFUL = 412_000  # bytes, with old versions
IDLE = {"zaw", "yeyint"}  # one never began; the other worked by hand until the budget was used up


@dataclass(frozen=True)
class Lab:
    """One lab of one person, from its click at `at` to its end."""

    who: str
    slug: str
    week: int
    at: datetime
    ends: datetime
    by_clock: bool

    @classmethod
    def of(cls, who, slug, week, at, minutes):
        """minutes=None: the person left, and the lab's own clock ended it."""
        lasts = timedelta(hours=float(catalog.get(slug).hours)) if minutes is None else timedelta(minutes=minutes)
        return cls(who, slug, week, at, at + lasts, by_clock=minutes is None)


@dataclass(frozen=True)
class ByHand:
    """Something that a person made outside any lab, `hours` after onboarding's Saturday 00:00 of the cohort's zone."""

    who: str
    kind: str
    name: str
    region: str
    facts: dict
    hours: float
    lasts_hours: float


def _machine(kind, gb, address=1):
    disk = {"type": "gp3", "gb": gb, "iops": 3000, "mibps": 125}
    return {"type": kind, "platform": "linux", "disks": [disk], "disk_gb": gb, "public_ips": address}


def _alone(gb):
    return {"type": "gp3", "gb": gb, "iops": 3000, "mibps": 125, "attached": False, "attached_to": []}


# Onboarding's Saturday is hour 0 of day 0; day 7 is week 1's Saturday, and day 9 the Monday on which week 2 opens.
DAY = 24
BY_HAND = (
    # The notebook of the story: tried out after the live session, left on over the weekend.
    ByHand(
        "lwin",
        "sagemaker-notebook",
        "segmentation-demo",
        "us-east-1",
        {"type": "ml.g5.xlarge", "disk_gb": 50},
        7 * DAY + 17.8,
        38.9,
    ),
    ByHand("yeyint", "ec2-instance", "try-gpu", "us-east-1", _machine("g4dn.xlarge", 60), 4 * DAY + 21.2, 48.4),
    ByHand("nandar", "ec2-instance", "train-v100", "us-east-1", _machine("p3.2xlarge", 50), 6 * DAY + 19.5, 4.2),
    ByHand("daniel", "ec2-instance", "big-join", "us-east-1", _machine("r5.4xlarge", 100), 5 * DAY + 10.1, 9.6),
    ByHand("arif", "ec2-instance", "gpu-scratch", "us-east-1", _machine("g4dn.xlarge", 40), 5 * DAY + 22.4, 14.3),
    ByHand("minkhant", "ec2-instance", "explore", "us-east-1", _machine("t3.large", 30), 3 * DAY + 20.6, 92.0),
    ByHand("somchai", "ec2-instance", "near-me", "ap-southeast-1", _machine("t3.medium", 20), 6 * DAY + 8.2, 40.5),
    ByHand("kyaw", "ec2-instance", "features", "us-east-1", _machine("c5.4xlarge", 80), 7 * DAY + 20.3, 5.4),
    ByHand("priya", "ec2-instance", "jupyter-try", "us-east-1", _machine("t3.large", 30), 7 * DAY + 13.5, 26.0),
    ByHand("thiri", "ec2-instance", "first-try", "us-east-1", _machine("t3.large", 30), 7 * DAY + 13.3, 19.4),
    ByHand("rahul", "ebs-volume", "old-data", "us-east-1", _alone(100), 3 * DAY + 11.0, 118.0),
)


def play(cohort, people, now, *, seed=2025):
    """Everything that ended before `now`, then the meter over it. people: {short name: User}, instructor included.

    The same dates and seed give the same history. Answers the number of readings.
    """
    told = {one.week.number: one for one in cohort.told.select_related("week")}
    rng, ids = Random(seed), Random(seed + 1)  # noqa: S311  a story, not a secret
    over = now - CENSUS
    played = []
    for lab in _labs(told, rng):
        if lab.ends <= over:
            played += _play_lab(cohort, people[lab.who], lab, told, ids)
    first_day = cohort.start_on
    midnight = datetime(first_day.year, first_day.month, first_day.day, tzinfo=ZoneInfo(cohort.zone))
    for thing in BY_HAND:
        began = midnight + timedelta(hours=thing.hours)
        if began + timedelta(hours=thing.lasts_hours) <= over:
            played.append(_play_by_hand(people[thing.who], thing, began, ids))
    return metering.meter(now, played)


# --- labs ----------------------------------------------------------------------------------------------------


def _labs(told, rng):
    """Who did which lab when. The same draws whatever `now` is, so that a later laying only knows more."""
    evenings = (23, 47, 70)  # hours after the release on Monday at 21:00: Tuesday, Wednesday, Thursday
    for person in STUDENTS:
        bucket, instance = rng.sample(evenings, 2)
        plans = [("s3-ml-bucket", 1, told[1].released_at, bucket), ("ec2-reads-s3", 1, told[1].released_at, instance)]
        if rng.random() < 0.6:
            plans.append(("ec2-reads-s3", 1, told[1].session_at, 0.6))
        if rng.random() < 0.8:
            plans.append(("sagemaker-notebook", 2, told[2].released_at, rng.choice((0.4, *evenings))))
        if rng.random() < 0.5:
            plans.append(("sagemaker-notebook", 2, told[2].session_at, 0.6))
        for slug, week, begins, hours in plans:
            at = begins + timedelta(hours=hours, minutes=rng.randrange(100), seconds=rng.randrange(60))
            minutes = None if rng.random() < 0.15 else rng.randrange(35, 105)
            if person.short not in IDLE:
                yield Lab.of(person.short, slug, week, at, minutes)
    # The instructor tries the labs of a week on the Sunday before it opens.
    for slug, week, hours in (("s3-ml-bucket", 1, -34), ("ec2-reads-s3", 1, -32.5), ("sagemaker-notebook", 2, -31)):
        at = told[week].released_at + timedelta(hours=hours)
        yield Lab.of(INSTRUCTOR.short, slug, week, at, 40)


@transaction.atomic
def _play_lab(cohort, owner, lab, told, ids):
    """One launch from the click to the last look. In one transaction: no worker takes a row of it for its own."""
    sessions = [one.session_at for one in told.values() if one.session_at and one.session_at > lab.at]
    launch = launching.launch(
        catalog.get(lab.slug),
        enrolling.practice_account(owner, now=lab.at),
        owner,
        now=lab.at,
        scope=cohort.scope,
        labels={"week": lab.week},
        region=cohort.lab_regions[0],
        look_ahead_until=min(sessions, default=None),
    )
    family = dict(sorted(ledger.family_of(launch.resources.first()).items()))
    ready = {}
    while len(ready) < len(family):
        for key, row in family.items():
            if key not in ready and all(need in ready for need in row.needs):
                asked = max((ready[need] for need in row.needs), default=lab.at + LOOK)
                ready[key] = _make(row, family, asked, ids)
    Launch.objects.filter(pk=launch.pk).update(ready_at=max(ready.values()))
    ledger.note("ready", "The lab is ready", max(ready.values()), launch=launch)
    _check_steps(launch, max(ready.values()), lab)
    ledger.confirm([row.pk for row in family.values()], lab.ends)
    if lab.by_clock:
        launching.ask_to_delete(launch, now=lab.ends, holder="clock", why="its time is up")
    else:
        launching.ask_to_delete(launch, now=lab.ends, by=owner)
    # Children first, as the reconciler would: those that were made last.
    gone = lab.ends
    for row in sorted(launch.resources.all(), key=lambda row: (ready[row.key], row.key), reverse=True):
        gone = _unmake(row, gone + LOOK)
    Launch.objects.filter(pk=launch.pk).update(ended_at=gone, prove_at=None)
    ledger.note("ended", ENDED, gone, launch=launch)
    return list(family.values())


def _make(row, family, at, ids):
    """From the create call to the settled row. Answers when it was ready."""
    ledger.begin_create(row, at)
    seen = Seen(RUNNING, aws_id=_aws_id(row, ids), name=row.name, facts=_facts(row, family))
    up = at + MAKING.get(row.kind, LOOK)
    if row.kind in MAKING:
        ledger.saw(row, replace(seen, state=PENDING, since=at), at + LOOK / 2)
    ledger.saw(row, replace(seen, since=up), up + LOOK / 2)
    ledger.put_off(row, up + LOOK, now=up + LOOK / 2, configured_at=up + LOOK / 2)
    return up + LOOK


def _unmake(row, at):
    """From the delete call to the second sighting of absence. Answers when the row was closed."""
    ledger.delete_asked(row, at)
    if row.kind in MAKING:
        ledger.saw(row, Seen(DELETING, row.aws_id, row.name, at, row.facts), at + LOOK / 2)
    ledger.saw(row, Seen(ABSENT), at + LOOK)
    ledger.close(row, at + 2 * LOOK, "seen absent")
    return at + 2 * LOOK


def _aws_id(row, ids):
    begins = AWS_IDS.get(row.kind)
    return f"{begins}{ids.getrandbits(64):016x}" if begins else row.name


def _facts(row, family):
    """What AWS would have said of it: what its meters read, as its kind tells before a launch."""
    kind = kind_of(row.kind)
    if kind.is_free:
        return {}
    if row.kind == "s3-bucket":
        return {"region": row.region, "bytes": {"STANDARD": A_BUCKETFUL}}
    parents = {key: family[key].params for key in row.needs}
    want = Want(row.key, row.kind, row.params, needs=tuple(row.needs), name=row.name, parents=parents)
    return kind.would_be(want).facts


def _check_steps(launch, ready, lab):
    """The looks at the steps, spread over the lab. Who let the clock end it had not done the last one."""
    steps = [step.slug for step in catalog.get(lab.slug).steps if step.check]
    done = steps[:-1] if lab.by_clock else steps
    pause = (lab.ends - ready) / (len(steps) + 1)
    StepCheck.objects.bulk_create(
        StepCheck(launch=launch, step=step, passed=True, said="Played for the demo.", checked_at=ready + pause * place)
        for place, step in enumerate(done, start=1)
    )


# --- made by hand --------------------------------------------------------------------------------------------


@transaction.atomic
def _play_by_hand(owner, thing, began, ids):
    """A stranger: found by the next census, confirmed until its owner ended it."""
    ends = began + timedelta(hours=thing.lasts_hours)
    account = enrolling.practice_account(owner, now=began)
    name = thing.name
    aws_id = f"{AWS_IDS[thing.kind]}{ids.getrandbits(64):016x}" if thing.kind in AWS_IDS else name
    seen = Seen(RUNNING, aws_id=aws_id, name=name, since=began, facts=thing.facts)
    [entered] = ledger.enter_strangers([(account, thing.kind, seen, thing.region)], began + CENSUS / 2)
    ledger.confirm([entered.pk], ends)
    launching.ask_to_delete([Resource.objects.get(pk=entered.pk)], now=ends, by=owner)
    row = Resource.objects.get(pk=entered.pk)
    _unmake(row, ends + LOOK)
    return row
