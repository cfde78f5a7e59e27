"""Read queries for the lab's pages. Query counts are pinned in labs/tests/test_panel.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from labs import catalog, guardrails
from labs.catalog.base import Lab, Step
from labs.decide import FAILED_SAID, GONE
from labs.kinds import kind_of
from labs.models import Event, Launch, Resource, StepCheck

STUCK = timedelta(minutes=15)
UNKNOWN = timedelta(minutes=15)  # older than this, a state is not claimed any more
# What a page calls a state: see the design's states.
SHOWN = {
    "": "waiting",
    "pending": "creating",
    "running": "running",
    "stopping": "stopping",
    "stopped": "stopped",
    "deleting": "stopping",
    "failed": "stuck",
    "absent": "gone",
}
EVENTS = 30


@dataclass(frozen=True)
class Line:
    """One resource as the page shows it: a state of SHOWN, or stuck, unknown, or failed (and gone)."""

    row: Resource
    title: str
    icon: str
    shown: str
    words: str = ""

    @property
    def is_moving(self) -> bool:
        return self.shown in ("waiting", "creating", "stopping")

    @property
    def has_ended(self) -> bool:
        """Its work is over: nobody deleted it."""
        return self.row.closed_at is not None and bool(self.row.facts.get("ended"))

    @property
    def went_wrong(self) -> bool:
        """It ended before its work was done, and nobody had asked it to."""
        return self.has_ended and not self.row.facts.get("is_done") and self.row.wanted == "running"


@dataclass(frozen=True)
class StepLine:
    step: Step
    number: int
    check: StepCheck | None
    body_md: str
    is_current: bool
    is_proved: bool = False  # the lab has its certificate

    @property
    def is_done(self) -> bool:
        """It passed its check; of the step that is done by finishing the lab, that the lab is proved to be gone."""
        return bool(self.check and self.check.passed) if self.can_be_checked else self.is_proved

    @property
    def can_be_checked(self) -> bool:
        """A template would call `step.check` rather than ask whether there is one."""
        return self.step.check is not None


@dataclass(frozen=True)
class Panel:
    """All that the lab page shows of one launch."""

    launch: Launch
    lab: Lab
    lines: list[Line]
    steps: list[StepLine]
    events: list[Event]
    now: datetime

    @property
    def shown(self) -> str:
        """The lab's own state: of its resources the one that asks for most attention."""
        if self.launch.ended_at:
            return "gone"
        if self.launch.asked_to_end_at:
            return "stuck" if any(line.shown == "stuck" for line in self.lines) else "stopping"
        states = {line.shown for line in self.lines if line.shown != "gone"}
        for state in ("stuck", "failed", "unknown", "waiting", "creating", "stopping"):
            if state in states:
                return "creating" if state == "waiting" else state
        return "stopped" if "stopped" in states else "running"

    @property
    def is_moving(self) -> bool:
        return not self.launch.ended_at and (
            bool(self.launch.asked_to_end_at) or any(line.is_moving for line in self.lines)
        )

    @property
    def unproved(self) -> str:
        """Why there is no certificate although every row is closed; '' while that is not so."""
        if self.launch.prove_at is None or self.launch.ended_at:
            return ""
        return next((event.words for event in self.events if event.code in ("left", "unproved")), "")

    @property
    def why_ended(self) -> str:
        """The words of how it ended, where there is more to say than its certificate; '' else."""
        return next((event.words for event in self.events if event.code == "ended"), "")

    @property
    def is_on(self) -> bool:
        return not self.launch.ended_at and not self.launch.asked_to_end_at

    @property
    def can_stop(self) -> bool:
        """Something runs that can be stopped and kept."""
        return self.is_on and any(line.shown == "running" and kind_of(line.row.kind).can_stop for line in self.lines)

    @property
    def can_start(self) -> bool:
        return self.is_on and any(
            line.row.wanted == "stopped" and line.row.wanted_by == "person" and line.shown == "stopped"
            for line in self.lines
        )

    @property
    def steps_done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def steps_version(self) -> str:
        """Changes when the steps look different: a poll leaves them alone else, and with them what a reader opened."""
        return f"{self.steps_done}-{self.shown}"

    @property
    def seen_at(self) -> datetime | None:
        """The oldest of the last looks at what is still there: nothing on the page is older."""
        looks = [line.row.seen_at for line in self.lines if line.row.seen_at and not line.row.closed_at]
        return min(looks, default=None)

    @property
    def seconds_used(self) -> int:
        return max(0, int((min(self.now, self.launch.expires_at) - self.launch.created_at).total_seconds()))

    @property
    def seconds_all(self) -> int:
        return int((self.launch.expires_at - self.launch.created_at).total_seconds())

    @property
    def poll_seconds(self) -> int:
        return 2 if self.is_moving else 20


def panel(launch: Launch, now: datetime) -> Panel:
    """The page of one launch: three queries beside the launch itself (rows, checks, events)."""
    lab = catalog.get(launch.lab)
    rows = list(Resource.objects.filter(launch=launch).order_by("created_at", "key"))
    rows.sort(key=lambda row: [want.key for want in lab.wants].index(row.key) if row.key in _keys(lab) else 99)
    checks = {check.step: check for check in StepCheck.objects.filter(launch=launch)}
    return Panel(
        launch,
        lab,
        [_line(row, now) for row in rows],
        _steps(lab, rows, checks, launch),
        list(launch.events.select_related("actor")[:EVENTS]),
        now,
    )


def _keys(lab: Lab) -> set[str]:
    return {want.key for want in lab.wants}


def _line(row: Resource, now: datetime) -> Line:
    kind = kind_of(row.kind)
    shown, words = SHOWN[row.seen], ""
    if row.closed_at:
        shown = "failed" if row.closed_why.startswith(FAILED_SAID) else "gone"
        return Line(row, kind.title, kind.icon, shown, row.closed_why)
    moving_since = row.seen_since or row.create_began_at
    if row.blocked_why:
        shown, words = "stuck", row.blocked_why
    elif row.seen_at and now - row.seen_at > UNKNOWN and row.next_look_at and row.next_look_at < now - UNKNOWN:
        shown, words = "unknown", "nobody has looked for a while"
    elif shown in ("creating", "stopping") and moving_since and now - moving_since > STUCK:
        shown, words = "stuck", "AWS has been at this for more than 15 minutes"
    elif _is_asked_off(row, shown):
        shown = "stopping"
    return Line(row, kind.title, kind.icon, shown, words)


def _is_asked_off(row: Resource, shown: str) -> bool:
    """Asked to go or to stop, and AWS was not seen to begin with it."""
    if row.wanted == GONE:
        return shown in ("running", "stopped", "waiting")
    return row.wanted == "stopped" and shown == "running" and kind_of(row.kind).can_stop


def _steps(lab: Lab, rows: list[Resource], checks: dict[str, StepCheck], launch: Launch) -> list[StepLine]:
    lines, current_found = [], bool(launch.asked_to_end_at)
    for number, step in enumerate(lab.steps, start=1):
        check = checks.get(step.slug)
        is_current = not current_found and not (check and check.passed)
        current_found = current_found or is_current
        body_md = filled(step.body_md, launch, rows)
        lines.append(StepLine(step, number, check, body_md, is_current, is_proved=bool(launch.certificate)))
    return lines


def _for_students(value: object) -> str:
    """An address of practice mode as it is reached from elsewhere: facts have the one that this server uses."""
    return str(value).replace(settings.SIMULATOR_URL, settings.GATEWAY_URL) if settings.SIMULATOR_URL else str(value)


def filled(text: str, launch: Launch, rows: list[Resource]) -> str:
    """A step's words with the names of this launch in them (catalog.base.Step says which)."""
    told = {
        "region": launch.region,
        "lab.prefix": guardrails.own_prefix(launch.id.hex),
        "lab.tag": guardrails.lab_of(launch.id.hex),
        "lab.student": launch.owner_id,
        "lab.boundary": guardrails.boundary_arn(launch.account.aws_id, launch.limited_scope),
    }
    for row in rows:
        facts = {"name": row.name, "aws_id": row.aws_id, **row.facts}
        told |= {f"{row.key}.{fact}": value for fact, value in facts.items()}
    for name, value in told.items():
        text = text.replace("{" + name + "}", _for_students(value))
    return text
