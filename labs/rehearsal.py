"""The instructor's dress rehearsal: launch a lab, wait until it runs, play and check its steps, end it, prove absence.

The same code as a student's click; this process is its own worker, so that neither web nor Celery is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from labs import admitting, aws, certify, checking, ending, launching, locker, reconcile
from labs.catalog.base import Lab, Step
from labs.models import Account, Launch, Rehearsal, Resource, StepCheck

# Whose labs a rehearsal's are where no account says it: people of our own, one a lab, whom nobody can sign in as.
REHEARSER, REHEARSERS = "rehearsal{}@lightsout.invalid", r"^rehearsal(-[a-z0-9-]+)?@lightsout\.invalid$"
TRIES = 8  # of a check: AWS shows new things late


@dataclass
class Rehearsed:
    """How one lab went. left: what was still there at the end, which must be nothing."""

    lab: str
    launch: Launch | None = None
    seconds_to_running: float | None = None
    seconds_to_gone: float | None = None
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # what went wrong, in words
    steps_passed: int = 0
    steps: int = 0

    @property
    def ok(self) -> bool:
        return (
            self.seconds_to_running is not None and self.seconds_to_gone is not None and not (self.left or self.failed)
        )


def rehearse(
    lab: Lab,
    account: Account,
    owner,
    *,
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    patience: timedelta = timedelta(minutes=20),
    when_running: Callable[[Launch], None] = lambda launch: None,
) -> Rehearsed:
    """Play one lab from a click to its certificate. `wait(seconds)` passes time between two looks; `when_running` is
    called once, when everything runs (to ask what it costs).

    Whatever happens, the lab is asked to go before this returns: a rehearsal leaves nothing on.
    """
    result = Rehearsed(lab.slug, steps=sum(1 for step in lab.steps if step.check))
    began = clock()
    try:
        launch = launching.launch(lab, account, owner, now=began, labels={"rehearsal": True})
    except launching.CannotLaunch as why:
        result.failed.append(str(why))
        return result
    result.launch = launch
    try:
        if _until(launch, lambda: _is_ready(launch, result), clock, wait, patience):
            result.seconds_to_running = (clock() - began).total_seconds()
            when_running(launch)
            _play(lab, launch, result, clock, wait, owner)
        elif not result.failed:
            result.failed.append(f"not running after {patience}")
    finally:
        asked = clock()
        launching.ask_to_delete(launch, now=asked, by=owner, why="the rehearsal is over")
        if _until(launch, lambda: _is_over(launch), clock, wait, patience):
            result.seconds_to_gone = (clock() - asked).total_seconds()
            _empty_locker(lab, launch, result, clock())
        else:
            result.left = [str(row) for row in Resource.objects.open().filter(launch=launch)]
            result.left = result.left or certify.prove(launch, clock)
    return result


def record(result: Rehearsed, account: Account, now: datetime) -> Rehearsal:
    """Keep how it went: a class starts this lab in this account only when the last rehearsal there passed."""
    report = {
        "seconds_to_running": result.seconds_to_running,
        "seconds_to_gone": result.seconds_to_gone,
        "steps_passed": result.steps_passed,
        "steps": result.steps,
        "failed": result.failed,
        "left": result.left,
    }
    return Rehearsal.objects.create(account=account, lab=result.lab, at=now, passed=result.ok, report=report)


def has_passed(lab: str, accounts) -> bool:
    """Did the last rehearsal of the lab in these accounts (a queryset) pass? One query."""
    return bool(Rehearsal.objects.filter(lab=lab, account__in=accounts).values_list("passed", flat=True).first())


def _until(launch: Launch, done: Callable[[], bool], clock, wait, patience: timedelta) -> bool:
    end = clock() + patience
    while clock() < end:
        admitting.work_off(clock)
        reconcile.work_off(clock, until=clock() + timedelta(seconds=5), most=20)
        ending.prepare_due(clock)
        certify.prove_due(clock)
        if done():
            return True
        wait(0.5)
    return False


def _is_ready(launch: Launch, result: Rehearsed) -> bool:
    launch.refresh_from_db()
    blocked = Resource.objects.filter(launch=launch).blocked()
    result.failed = [f"{row}: {row.blocked_why}" for row in blocked]
    return launch.ready_at is not None


def _is_over(launch: Launch) -> bool:
    launch.refresh_from_db()
    return launch.ended_at is not None


def _empty_locker(lab: Lab, launch: Launch, result: Rehearsed, now: datetime) -> None:
    """What was played must be in the locker, where the lab says so; a rehearsal's is nobody's work, and is not kept."""
    files = locker.files_of(launch)
    result.failed += [f"not saved: {file.name}: {file.why_not}" for file in files if not file.saved_at]
    if lab.saves and not result.failed and not files:
        result.failed.append(f"nothing was saved of {lab.saved_words}")
    for file in files:
        if file.is_kept:
            locker.delete(file, now)


def _play(lab: Lab, launch: Launch, result: Rehearsed, clock, wait, owner) -> None:
    """Each step as a student: do it, then check it until it passes, for as long as the step says that AWS may take."""
    for step in lab.steps:
        if step.check is None:
            continue
        try:
            check = _done(step, launch, clock, wait, owner)
        except Exception as error:
            result.failed.append(f"{step.slug}: {aws.sorted_trouble(error)}")
            continue
        if check.passed:
            result.steps_passed += 1
        else:
            result.failed.append(f"{step.slug}: {check.said}")


def _done(step: Step, launch: Launch, clock, wait, owner) -> StepCheck:
    until, tries = clock() + timedelta(minutes=step.waits_minutes), 0
    while True:
        if step.play and (not tries or step.waits_minutes):
            step.play(checking.view_of(launch))
        check: StepCheck = checking.check_step(launch, step.slug, now=clock(), by=owner)
        tries += 1
        if check.passed or (tries >= TRIES and clock() >= until):
            return check
        wait(5 if step.waits_minutes else 1)
