"""Lab: something that starts by itself each night, and how it is kept from doing so for years."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.kinds.base import Want

# 02:00 in Yangon (UTC+06:30) is 19:30 UTC of the day before.
NIGHTLY = "cron(30 19 * * ? *)"
TARGET = "score"

# A night's work without machines: what a job would find out is written down already.
NIGHT = {
    "StartAt": "Score yesterday",
    "States": {
        "Score yesterday": {"Type": "Pass", "Result": {"scored": 600}, "ResultPath": "$.result", "Next": "Report"},
        "Report": {"Type": "Succeed"},
    },
}
STARTS_THE_NIGHT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "states:StartExecution", "Resource": "{machine.arn}"}],
}


def name_of(view: StudentView) -> str:
    return f"{view.prefix}nightly"


# --- the checks ----------------------------------------------------------------------------------------------


def was_started_by_hand(view: StudentView) -> Checked:
    machine = view.resources["machine"]["arn"]
    runs = view.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=100)["executions"]
    if not runs:
        return Checked(False, "The state machine has not run yet. Start it once by hand.")
    states = [run["status"] for run in runs]
    if not {"RUNNING", "SUCCEEDED"} & set(states):
        return Checked(False, f"Its last run is {states[0]}. What fails by hand fails each night: start a good one.")
    return Checked(
        True, f"It was started {len(runs)} time{'s' if len(runs) > 1 else ''}, and its last run is {states[0]}."
    )


def rule(view: StudentView) -> dict[str, Any] | None:
    """The student's rule as EventBridge describes it; None while there is none of that name."""
    events = view.client("events")
    try:
        return events.describe_rule(Name=name_of(view))
    except events.exceptions.ResourceNotFoundException:
        return None


def is_due_at_night(view: StudentView) -> Checked:
    found = rule(view)
    if found is None:
        return Checked(False, f"There is no rule {name_of(view)} in {view.region} yet.")
    when = found.get("ScheduleExpression", "")
    if when != NIGHTLY:
        return Checked(False, f"Its schedule is {when or 'empty'}. 02:00 in Yangon is 19:30 UTC: {NIGHTLY}.")
    return Checked(True, "It is due each day at 19:30 UTC, which is 02:00 in Yangon.")


def starts_the_machine(view: StudentView) -> Checked:
    if rule(view) is None:
        return Checked(False, f"There is no rule {name_of(view)} yet (step 2).")
    targets = view.client("events").list_targets_by_rule(Rule=name_of(view))["Targets"]
    machine, role = view.resources["machine"], view.resources["starter"]
    mine = [target for target in targets if target["Arn"] == machine["arn"]]
    if not mine:
        return Checked(False, f"The rule has no target {machine['name']} yet.")
    if mine[0].get("RoleArn") != role["arn"]:
        return Checked(False, f"The target needs the role {role['name']}: with it the rule may start the machine.")
    return Checked(True, f"At its time the rule starts {machine['name']}, with the role {role['name']}.")


def is_disabled(view: StudentView) -> Checked:
    found = rule(view)
    if found is None:
        return Checked(False, f"There is no rule {name_of(view)} yet (step 2). A rule that is off is what we look for.")
    if found["State"] != "DISABLED":
        return Checked(False, f"The rule is {found['State']}. It starts the machine each night, also after the course.")
    return Checked(True, "The rule is DISABLED. It keeps its schedule and its target, and starts nothing.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_start(view: StudentView) -> None:
    view.client("stepfunctions").start_execution(
        stateMachineArn=view.resources["machine"]["arn"], name="by-hand", input=json.dumps({"day": "2025-10-04"})
    )


def play_rule(view: StudentView) -> None:
    view.client("events").put_rule(Name=name_of(view), ScheduleExpression=NIGHTLY, State="ENABLED")


def play_target(view: StudentView) -> None:
    target = {"Id": TARGET, "Arn": view.resources["machine"]["arn"], "RoleArn": view.resources["starter"]["arn"]}
    view.client("events").put_targets(Rule=name_of(view), Targets=[target])


def play_disable(view: StudentView) -> None:
    view.client("events").disable_rule(Name=name_of(view))


# --- the words -----------------------------------------------------------------------------------------------

BY_HAND = """
Each night a model should score yesterday's payments. The portal made a small state machine that stands for this work,
without any model. Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL).
First start by hand what a clock will start later:

```bash
RUN=$(aws stepfunctions start-execution --state-machine-arn {machine.arn} --name by-hand \\
  --input '{"day": "2025-10-04"}' --query executionArn --output text)
while [ "$(aws stepfunctions describe-execution --execution-arn $RUN --query status --output text)" = RUNNING ]; do
  sleep 1
done
aws stepfunctions describe-execution --execution-arn $RUN --query '[status,output]'
```

The day is in the input. So a night that failed can be done again, for the same day.
"""

RULE = f"""
A rule says *when*. It counts in UTC. 02:00 in Yangon (UTC+06:30) is 19:30 UTC of the day before.

```bash
aws events put-rule --name {{lab.prefix}}nightly --schedule-expression '{NIGHTLY}' \\
  --description 'Scores yesterday. Owner: the student of this lab. May go after the course.'
aws events describe-rule --name {{lab.prefix}}nightly --query '[State,ScheduleExpression]'
```

Read it from left to right: minute, hour, day of the month, month, day of the week, year. Write into the description
whose rule it is, and when it may go. In two years somebody else looks at it.
"""

TARGET_WORDS = f"""
A target says *what*. A rule may do nothing by itself: it needs a role. The portal made one that may start this one
machine, and nothing else.

```bash
aws events put-targets --rule {{lab.prefix}}nightly \\
  --targets 'Id={TARGET},Arn={{machine.arn}},RoleArn={{starter.arn}}'
aws events list-targets-by-rule --rule {{lab.prefix}}nightly
```

The answer has a `FailedEntryCount`. It must be 0: this command says 200 also when it failed.
"""

DISABLE = """
From now on this runs each night, also when nobody reads the report. A rule costs nothing. What it **starts** costs:

| Each night | A month |
|---|---|
| this state machine, 3 state changes each time | less than $0.01 |
| a training, 3 minutes on ml.m5.large | $0.17 |
| an endpoint that the last step forgets to delete | $83.95 |

Who looks for idle machines does not find this: in the morning everything is off again. So a rule is switched off with
what it belongs to:

```bash
aws events disable-rule --name {lab.prefix}nightly
aws events list-rules --query 'Rules[?State==`ENABLED`].[Name,ScheduleExpression,Description]' --output table
```

The last command is worth more than the whole lab: run it in each account that you own, in each region.
"""

FINISH = """
Press **Finish lab**. The rule lets go of its target and is deleted, and so are the state machine and the two roles.
"""

LAB = Lab(
    slug="eventbridge-nightly",
    title="EventBridge: each night, by itself",
    summary="Start a state machine by hand, then by a rule each night at 02:00 in Yangon. Switch the rule off before "
    "it runs for years.",
    theme="Optional lectures",
    minutes=35,
    hours=Decimal(2),
    wants=(
        Want(
            "runner",
            "iam-role",
            {"trust": "states.amazonaws.com", "description": "Lab: a state machine that calls nothing"},
        ),
        Want(
            "machine",
            "step-functions-state-machine",
            {"definition": NIGHT, "role_arn": "{runner.arn}"},
            needs=("runner",),
        ),
        Want(
            "starter",
            "iam-role",
            {
                "trust": "events.amazonaws.com",
                "description": "Lab: a rule starts one state machine",
                "inline_policies": {"starts-the-night": STARTS_THE_NIGHT},
            },
            needs=("machine",),
        ),
    ),
    creates=("eventbridge-rule",),
    steps=(
        Step("by-hand", "Start it by hand", BY_HAND, was_started_by_hand, play=play_start),
        Step("rule", "Say when", RULE, is_due_at_night, play=play_rule),
        Step(
            "target",
            "Say what",
            TARGET_WORDS,
            starts_the_machine,
            expect="Rules fire here too: if it is 19:30 UTC while your lab is on, you find a run "
            "that you did not start. No role is asked for.",
            play=play_target,
        ),
        Step("disable", "Switch it off", DISABLE, is_disabled, play=play_disable),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: rule, state machine and roles are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the runs: 1,000 state changes are $0.025."),
)
