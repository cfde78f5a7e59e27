"""Check my progress: a look into the student's account for one step, and its answer in words."""

from __future__ import annotations

from datetime import datetime

from labs import aws, catalog, guardrails, ledger
from labs.catalog.base import StudentView
from labs.models import Account, Launch, Resource, StepCheck

# Said of a marked step that has passed in practice mode, unless its own check speaks of practice mode.
LESS_HERE = "In practice mode this step can show less than AWS does: its note says what to expect."


class NoSuchStep(Exception):
    """The lab has no step of that name, or it cannot be checked."""


def check_step(launch: Launch, slug: str, *, now: datetime, by) -> StepCheck:
    """Look into the account for this step and keep what was found; a step that passed stays passed.

    AWS not answering is not the student's failure: the step is told as not checked, with the reason.
    """
    step = next((step for step in catalog.get(launch.lab).steps if step.slug == slug and step.check), None)
    if step is None or step.check is None:
        raise NoSuchStep(slug)
    try:
        found = step.check(view_of(launch))
        passed, said = found.passed, found.said
        is_marked = step.expect and launch.account.mode == Account.PRACTICE
        if passed and is_marked and "practice mode" not in said.lower():
            said = f"{said} {LESS_HERE}"
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        if isinstance(trouble, aws.NotThere):
            passed, said = False, f"Not found in {launch.region} yet. Did you work in this region? {trouble}"
        else:
            passed, said = False, f"We could not look: {trouble}. Nothing is lost; check again in a minute."
    before = StepCheck.objects.filter(launch=launch, step=slug, passed=True).first()
    if before and not passed:
        return before
    check, _ = StepCheck.objects.update_or_create(
        launch=launch, step=slug, defaults={"passed": passed, "said": said, "checked_at": now}
    )
    words = f"{step.title}: {'passed' if passed else 'not yet'}. {said}"
    ledger.note("checked", words, now, launch=launch, account=launch.account, actor=by)
    return check


def view_of(launch: Launch) -> StudentView:
    """What a check may look with: clients of the launch's account, and its resources as last seen."""
    rows = Resource.objects.filter(launch=launch).exclude(key="")
    return StudentView(
        client=lambda service, region=None: aws.client(launch.account, service, region or launch.region),
        resources={row.key: {**row.facts, "name": row.name, "aws_id": row.aws_id, "state": row.seen} for row in rows},
        region=launch.region,
        account_id=launch.account.aws_id,
        prefix=guardrails.own_prefix(launch.id.hex),
        tags=guardrails.tags(launch.owner_id, launch.id.hex),
        boundary=guardrails.boundary_arn(launch.account.aws_id, launch.limited_scope),
        mode=launch.account.mode,
    )
