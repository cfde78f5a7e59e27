"""Lab: files that are prepared when they arrive: an upload to S3 starts a function."""

import csv
import io
from decimal import Decimal
from inspect import getsource
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import RUNTIME, callers_of, calls_of, role_of_a_function
from labs.catalog.looking import PAYMENTS, put_file, rows_of, text_of
from labs.kinds.aws_words import is_at_aws
from labs.kinds.base import Want

FIRST, SECOND = (f"year=2025/month=09/day={day}/card-payments.csv" for day in (13, 14))


def cleaned(text: str) -> str:
    """The table of payments, which says of each if it was the customer's first."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        # -1 stands for "no payment before this one". A model would take it for a number of minutes.
        row["is_first"] = int(row["minutes_since_last"] == "-1")
        row["minutes_since_last"] = max(0, int(row["minutes_since_last"]))
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


# The function's program, with the very code that a rehearsal runs.
CLEAN = f"""\
import csv
import io
from urllib.parse import unquote_plus

import boto3


{getsource(cleaned)}

def handler(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        # The same place for the same file: it does no harm if this runs twice.
        place = key.replace("raw/", "processed/", 1)
        s3.put_object(Bucket=bucket, Key=place, Body=cleaned(text).encode())
        print("wrote", place)
"""
READS_RAW_WRITES_PROCESSED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket.name}/raw/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::{bucket.name}/processed/*"},
    ],
}


# --- the checks ----------------------------------------------------------------------------------------------


def trouble_with(view: StudentView, day: str) -> str:
    """What is wrong with the processed file of a day's raw one, in words; '' when it is right."""
    raw, processed = text_at(view, f"raw/{day}"), text_at(view, f"processed/{day}")
    if raw is None:
        return f"The bucket has no raw/{day} yet."
    if processed is None:
        return f"The bucket has no processed/{day} yet."
    try:
        came, made = rows_of(raw), rows_of(processed)
        firsts = [row["minutes_since_last"] == "-1" for row in came]
        if len(made) != len(came):
            return f"processed/{day} has {len(made)} payments, raw/{day} has {len(came)}."
        if [row["is_first"] == "1" for row in made] != firsts or "-1" in {row["minutes_since_last"] for row in made}:
            return f"processed/{day} does not say in is_first which payments were a customer's first ones."
    except (KeyError, TypeError, ValueError):
        return f"raw/{day} or processed/{day} cannot be read as a table of payments."
    return ""


def text_at(view: StudentView, key: str) -> str | None:
    """A file of the lab's bucket; None while there is none."""
    try:
        return text_of(view, key)
    except view.client("s3").exceptions.NoSuchKey:
        return None


def was_tried(view: StudentView) -> Checked:
    trouble = trouble_with(view, FIRST)
    if trouble:
        return Checked(False, trouble)
    firsts = sum(row["is_first"] == "1" for row in rows_of(text_of(view, f"processed/{FIRST}")))
    return Checked(True, f"processed/{FIRST} is right: {firsts} payments are a customer's first.")


def lets_the_bucket_in(view: StudentView) -> Checked:
    bucket = view.resources["bucket"]["arn"]
    callers = callers_of(view, view.resources["fn"]["name"], "s3.amazonaws.com")
    named = [caller for caller in callers if bucket in caller]
    if not named:
        return Checked(False, f"The function's policy does not let S3 call it for {bucket} yet.")
    if not any(view.account_id in caller for caller in named):
        return Checked(
            False,
            "Name your account too, with --source-account. The ARN of a bucket has none, and one day its name may be "
            "somebody else's.",
        )
    return Checked(True, "S3 may call the function, for this bucket of this account.")


def triggers(view: StudentView) -> list[dict[str, Any]]:
    """Of the bucket, those that start the lab's function."""
    answer = view.client("s3").get_bucket_notification_configuration(Bucket=view.resources["bucket"]["name"])
    lines = answer.get("LambdaFunctionConfigurations", ())
    return [line for line in lines if line["LambdaFunctionArn"] == view.resources["fn"]["arn"]]


def is_triggered_by_raw(view: StudentView) -> Checked:
    found = triggers(view)
    if not found:
        return Checked(False, "No upload to the bucket starts the function yet.")
    for line in found:
        rules = line.get("Filter", {}).get("Key", {}).get("FilterRules", ())
        if not any(rule["Name"].lower() == "prefix" and rule["Value"].startswith("raw/") for rule in rules):
            return Checked(
                False,
                "Danger: the trigger is not limited to raw/. The function's own files would start it again and again.",
            )
        if not line["Id"].startswith(view.prefix):
            return Checked(
                False, f"The trigger's Id is {line['Id']}. Begin it with {view.prefix}, so that it is yours."
            )
    return Checked(True, "Only what arrives under raw/ starts the function. It writes to processed/: there is no loop.")


def was_started_by_an_upload(view: StudentView) -> Checked:
    if not triggers(view):
        return Checked(False, "No upload to the bucket starts the function yet (step 3).")
    trouble = trouble_with(view, SECOND)
    if not trouble:
        return Checked(True, f"The upload has started the function: processed/{SECOND} is there, and right.")
    calls = calls_of(view, view.resources["fn"]["name"])
    if text_at(view, f"raw/{SECOND}") is None or not (calls.ran or calls.not_run) or is_at_aws(view.client("s3")):
        return Checked(False, f"{trouble} On AWS it takes some seconds. If it does not come, read the function's log.")
    why = calls.not_run[-1] if calls.not_run else "It ran, but in practice mode no function reaches S3."
    return Checked(True, f"The upload has called the function. {why} So processed/{SECOND} does not come.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_try(view: StudentView) -> None:
    put_file(view, f"raw/{FIRST}", PAYMENTS)
    put_file(view, f"processed/{FIRST}", cleaned(PAYMENTS))


def play_let_in(view: StudentView) -> None:
    view.client("lambda").add_permission(
        FunctionName=view.resources["fn"]["name"],
        StatementId="from-the-bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=view.resources["bucket"]["arn"],
        SourceAccount=view.account_id,
    )


def play_trigger(view: StudentView) -> None:
    rules = [{"Name": "prefix", "Value": "raw/"}, {"Name": "suffix", "Value": ".csv"}]
    line = {
        "Id": f"{view.prefix}clean",
        "LambdaFunctionArn": view.resources["fn"]["arn"],
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    view.client("s3").put_bucket_notification_configuration(
        Bucket=view.resources["bucket"]["name"], NotificationConfiguration={"LambdaFunctionConfigurations": [line]}
    )


def play_upload(view: StudentView) -> None:
    put_file(view, f"raw/{SECOND}", PAYMENTS)


# --- the words -----------------------------------------------------------------------------------------------

TRY = f"""
A file arrives in `raw/`, and a cleaned one appears in `processed/`, without anybody at a keyboard. The portal made the
bucket, the function with the program below, and its role: it may read `raw/`, write `processed/`, and nothing else.

Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). First try the
program on your own computer. Upload the payments of week 1, and save the program:

```bash
aws s3 cp card-payments.csv s3://{{bucket.name}}/raw/{FIRST}
cat > clean.py <<'END'
{CLEAN}END
```

What S3 tells a function is only a note: which bucket, which key. Write such a note yourself, and hand it to the program
(it needs `pip install boto3`):

```python
from clean import handler

file = {{"bucket": {{"name": "{{bucket.name}}"}}, "object": {{"key": "raw/{FIRST}"}}}}
handler({{"Records": [{{"s3": file}}]}}, None)
```

```bash
aws s3 cp s3://{{bucket.name}}/processed/{FIRST} - | head -3
```
"""

LET_IN = """
Two sides must agree. First the function: it says that S3 may call it, and for which bucket.

```bash
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
aws lambda add-permission --function-name {fn.name} --statement-id from-the-bucket \\
  --action lambda:InvokeFunction --principal s3.amazonaws.com \\
  --source-arn {bucket.arn} --source-account $ACCOUNT
```

Why the account too? The ARN of a bucket names none. If this bucket is deleted one day, and somebody else makes one of
its name, theirs must not start your function.
"""

TRIGGER = """
Now the bucket. Before you send this, say aloud which prefix **starts** the function, and which one it **writes**. If
the first contains the second, the function starts itself, thousands of times an hour, on your bill.

```bash
cat > trigger.json <<'END'
{"LambdaFunctionConfigurations": [{
  "Id": "{lab.prefix}clean",
  "LambdaFunctionArn": "{fn.arn}",
  "Events": ["s3:ObjectCreated:*"],
  "Filter": {"Key": {"FilterRules": [
    {"Name": "prefix", "Value": "raw/"},
    {"Name": "suffix", "Value": ".csv"}
  ]}}
}]}
END
aws s3api put-bucket-notification-configuration --bucket {bucket.name} \\
  --notification-configuration file://trigger.json
aws s3api get-bucket-notification-configuration --bucket {bucket.name}
```

The put command replaces **all** triggers of the bucket. Here there are none yet.
"""

UPLOAD = f"""
Upload the next day, and do nothing else.

```bash
aws s3 cp card-payments.csv s3://{{bucket.name}}/raw/{SECOND}
aws s3 ls s3://{{bucket.name}}/ --recursive
aws logs filter-log-events --log-group-name /aws/lambda/{{fn.name}} --query 'events[].message' --output text
```

On AWS the second file is there after a few seconds. If a call fails, Lambda tries twice more: one upload may run the
program three times. That is why the same file always gets the same name in `processed/`.
"""

FINISH = """
Press **Finish lab**. The trigger goes first, so that nothing starts any more. Then the function, its log, its role, and
the bucket with everything in it.
"""

LAB = Lab(
    slug="lambda-s3-trigger",
    title="Lambda: files that are prepared when they arrive",
    summary="An upload to S3 starts a function that cleans the file. Try the program at home, let the bucket call it, "
    "and keep it from starting itself.",
    theme="Containers and serverless ML pipelines",
    minutes=45,
    hours=Decimal(2),
    wants=(
        Want("bucket", "s3-bucket", {"prefixes": ["raw/", "processed/"]}),
        role_of_a_function(
            "a function cleans what arrives", ("bucket",), reads_raw_writes_processed=READS_RAW_WRITES_PROCESSED
        ),
        Want(
            "fn",
            "lambda-function",
            {
                "role_arn": "{role.arn}",
                "code": {"zip_files": {"clean.py": CLEAN}},
                "runtime": RUNTIME,
                "handler": "clean.handler",
                "memory": 256,
                "timeout": 30,
            },
            needs=("role",),
        ),
    ),
    creates=("s3-trigger", "log-group"),
    steps=(
        Step("try", "Try the program on your own computer", TRY, was_tried, play=play_try),
        Step("let-in", "Let the bucket call the function", LET_IN, lets_the_bucket_in, play=play_let_in),
        Step("trigger", "Let an upload start it", TRIGGER, is_triggered_by_raw, play=play_trigger),
        Step(
            "upload",
            "Upload a file",
            UPLOAD,
            was_started_by_an_upload,
            expect="S3 calls the function here too. It runs only if the operator has turned that on, and even then it "
            "has no network: no second file appears in processed/. The function's log says so, and the check reads it.",
            play=play_upload,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop(
        "Nothing stays: trigger, function, log, role and bucket are deleted, with everything in the bucket."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "$0.01 of that sum is for uploads and calls: 1,000 uploads are $0.005, a million calls $0.20."
    ),
)
