"""Lab: what a running function tells: a log that ends, an alarm with its price, a dashboard with a larger one."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import NO_CODE, ask, role_of_a_function, the_model_as_a_function

DAYS = 7


def log_of(view: StudentView) -> str:
    return f"/aws/lambda/{view.resources['fn']['name']}"


def alarm_of(view: StudentView) -> str:
    return f"{view.prefix}errors"


def board_of(view: StudentView) -> str:
    return f"{view.prefix}model"


# --- the checks ----------------------------------------------------------------------------------------------


def log_ends(view: StudentView) -> Checked:
    groups = view.client("logs").describe_log_groups(logGroupNamePrefix=log_of(view))["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == log_of(view)), None)
    if found is None:
        return Checked(
            False, f"There is no log group {log_of(view)} yet. It comes with the first call of the function."
        )
    days = found.get("retentionInDays")
    if days is None:
        return Checked(False, "Its lines are kept for ever: no retention is set.")
    if days > DAYS:
        return Checked(False, f"Its lines are kept for {days} days. For a lab {DAYS} are enough.")
    return Checked(True, f"A line is kept for {days} day{'s' if days > 1 else ''}, and then costs nothing more.")


def alarm(view: StudentView) -> dict[str, Any] | None:
    found = view.client("cloudwatch").describe_alarms(AlarmNames=[alarm_of(view)])["MetricAlarms"]
    return found[0] if found else None


def looks_at_errors(view: StudentView) -> Checked:
    found = alarm(view)
    if found is None:
        return Checked(False, f"There is no alarm {alarm_of(view)} in {view.region} yet.")
    looks_at = {each["Name"]: each["Value"] for each in found.get("Dimensions", ())}
    if (found.get("Namespace"), found.get("MetricName")) != ("AWS/Lambda", "Errors"):
        return Checked(
            False, f"It looks at {found.get('Namespace')} {found.get('MetricName')}, not at AWS/Lambda Errors."
        )
    if looks_at != {"FunctionName": view.resources["fn"]["name"]}:
        return Checked(False, f"It looks at {looks_at or 'all functions of the account'}, and not at this function.")
    if found["Period"] < 60:
        return Checked(False, f"It looks each {found['Period']} seconds: below 60 an alarm costs three times as much.")
    if found.get("TreatMissingData") != "notBreaching":
        return Checked(False, "Without a call there is no point at all. Say what that means: --treat-missing-data.")
    return Checked(True, f"The alarm is {found['StateValue']}. It costs $0.10 a month, whether it ever rings or not.")


def shows_the_function(view: StudentView) -> Checked:
    cloudwatch = view.client("cloudwatch")
    try:
        body = cloudwatch.get_dashboard(DashboardName=board_of(view))["DashboardBody"]
    except cloudwatch.exceptions.ClientError as error:
        if "NotFound" not in error.response["Error"]["Code"]:
            raise
        return Checked(False, f"There is no dashboard {board_of(view)} yet.")
    if view.resources["fn"]["name"] not in body:
        return Checked(False, "The dashboard shows nothing of this function.")
    return Checked(True, f"It shows the function with {len(json.loads(body).get('widgets', ()))} pictures.")


def kept_what_watches(view: StudentView) -> Checked:
    boards = view.client("cloudwatch").list_dashboards(DashboardNamePrefix=view.prefix)["DashboardEntries"]
    if alarm(view) is None:
        return Checked(False, "The alarm is gone. It is the one to keep: it watches when you do not look.")
    if boards:
        return Checked(False, f"The dashboard {boards[0]['DashboardName']} is still there. Delete it.")
    return Checked(True, "The alarm stays, the dashboard is gone: $0.10 a month, and not $3.10.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_log(view: StudentView) -> None:
    ask(view, view.resources["fn"]["name"])
    view.client("logs").put_retention_policy(logGroupName=log_of(view), retentionInDays=DAYS)


def play_alarm(view: StudentView) -> None:
    view.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm_of(view),
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": view.resources["fn"]["name"]}],
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )


def play_board(view: StudentView) -> None:
    metrics = [["AWS/Lambda", name, "FunctionName", view.resources["fn"]["name"]] for name in ("Invocations", "Errors")]
    shown = {"metrics": metrics, "region": view.region, "stat": "Sum", "period": 300, "title": "Fraud score"}
    body = {"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": shown}]}
    view.client("cloudwatch").put_dashboard(DashboardName=board_of(view), DashboardBody=json.dumps(body))


def play_tidy(view: StudentView) -> None:
    view.client("cloudwatch").delete_dashboards(DashboardNames=[board_of(view)])


# --- the words -----------------------------------------------------------------------------------------------

LOG = f"""
The portal made a function with a small fraud model. Press **Get temporary credentials** and paste them into your
terminal (on Windows: Git Bash or WSL). Call it once, and see what appears that nobody made:

```bash
echo '{{"amount_usd": 402.10, "merchant_type": "online"}}' > strange.json
aws lambda invoke --function-name {{fn.name}} --payload fileb://strange.json answer.json \\
  && cat answer.json; echo
aws logs describe-log-groups --log-group-name-prefix /aws/lambda/{{fn.name}} \\
  --query 'logGroups[].[logGroupName,retentionInDays,storedBytes]'
```

The second value is `null`: the lines are kept **for ever**, also when the function is long gone. Writing a GB of logs
costs $0.50, and keeping it $0.03 a month. Give the log an end:

```bash
aws logs put-retention-policy --log-group-name /aws/lambda/{{fn.name}} --retention-in-days {DAYS}
```
"""

ALARM = """
Nobody reads logs all day. An alarm looks at one number, and tells when it is too high. This one looks at errors of the
function, each five minutes:

```bash
aws cloudwatch put-metric-alarm --alarm-name {lab.prefix}errors \\
  --namespace AWS/Lambda --metric-name Errors --dimensions Name=FunctionName,Value={fn.name} \\
  --statistic Sum --period 300 --evaluation-periods 1 \\
  --threshold 1 --comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching
aws cloudwatch describe-alarms --alarm-names {lab.prefix}errors --query 'MetricAlarms[].[StateValue,StateReason]'
```

`--treat-missing-data`: where nobody calls, CloudWatch has no zero, it has nothing. For *errors*, nothing is good news.
For *calls of an endpoint that costs by the hour*, nothing is the bad news: there it must be `breaching`.

An alarm with a period of a minute or more costs $0.10 a month, below a minute $0.30.
"""

BOARD = """
A dashboard shows numbers to people. Make one with calls and errors in one picture:

```bash
cat > board.json <<'END'
{"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
  "title": "Fraud score", "region": "{region}", "stat": "Sum", "period": 300,
  "metrics": [
    ["AWS/Lambda", "Invocations", "FunctionName", "{fn.name}"],
    ["AWS/Lambda", "Errors", "FunctionName", "{fn.name}"]
  ]}}]}
END
aws cloudwatch put-dashboard --dashboard-name {lab.prefix}model --dashboard-body file://board.json
```

In the AWS console it is under **CloudWatch**, **Dashboards**. An account has three for nothing. Each further one costs
$3 a month, looked at or not: as much as thirty alarms.
"""

TIDY = """
Which of the two do you keep? The alarm watches when nobody looks. The dashboard works only while somebody looks. Delete
it; the file `board.json` is kept, and makes it anew in a second.

```bash
aws cloudwatch delete-dashboards --dashboard-names {lab.prefix}model
aws cloudwatch describe-alarms --alarm-name-prefix {lab.prefix} --query 'MetricAlarms[].AlarmName'
```
"""

FINISH = """
Press **Finish lab**: alarm and function are deleted, then the log, then the role. The log goes after the function,
because a function that is called once more would make it anew.
"""

LAB = Lab(
    slug="cloudwatch-alarm",
    title="CloudWatch: a log that ends, an alarm, a dashboard",
    summary="Give a function's log an end, write an alarm on its errors, build a dashboard, and decide by their prices "
    "which of them stays.",
    theme="Model development with SageMaker",
    minutes=35,
    hours=Decimal(2),
    wants=(role_of_a_function("a function that is watched"), the_model_as_a_function()),
    creates=("log-group", "cloudwatch-alarm", "cloudwatch-dashboard"),
    steps=(
        Step("log", "Give the log an end", LOG, log_ends, expect=NO_CODE, play=play_log),
        Step(
            "alarm",
            "Write an alarm",
            ALARM,
            looks_at_errors,
            expect="The alarm is kept and shown, but it never rings: it stays INSUFFICIENT_DATA.",
            play=play_alarm,
        ),
        Step(
            "board",
            "Build a dashboard",
            BOARD,
            shows_the_function,
            expect="The dashboard is kept, but there is no console in which you could look at it.",
            play=play_board,
        ),
        Step("tidy", "Keep what watches", TIDY, kept_what_watches, play=play_tidy),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: alarm, function, log and role are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for an alarm and a dashboard for two hours: $0.10 and $3 a month."),
)
