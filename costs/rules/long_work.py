"""PURE. Work that should have ended: a job, a pipeline's run, a workflow's execution that goes on for hours.

Inside a lab its own clock is what counts; a rule must not call somebody's long training forgotten an hour before that.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "long-work", 45

# Labs train for minutes; what a project trains for longer is put off with a reason.
LONG = timedelta(hours=3)
KINDS = {
    "sagemaker-training-job",
    "sagemaker-processing-job",
    "sagemaker-transform-job",
    "sagemaker-tuning-job",
    "step-functions-execution",
}


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind not in KINDS or facts.state != RUNNING or facts.in_lab or now - facts.state_since <= LONG:
        return None
    return Verdict(
        gettext_noop("At work for more than three hours"),
        gettext_noop("Work of this course takes minutes. Is it going round in circles?"),
        since=facts.state_since,
    )
