"""What several labs look for in a student's account, and the small table of payments that a rehearsal plays with."""

from __future__ import annotations

import base64
import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

from labs.catalog.base import Checked, StudentView

TOO_BIG = 5 * 2**20  # bytes; the course's table has 37 thousand
DATED = re.compile(r"year=\d{4}/month=\d{2}/day=\d{2}/[^/]+$")
DATED_KEY = "year=2025/month=09/day=13/card-payments.csv"

PAYMENTS = """\
payment_id,paid_at,city,merchant_type,amount_usd,customer_id,minutes_since_last,is_fraud
P00001,2025-09-13T01:10:00Z,Yangon,grocery,18.40,C020,-1,0
P00002,2025-09-13T01:14:00Z,Singapore,fuel,28.83,C044,2880,0
P00003,2025-09-13T02:31:00Z,Bangkok,online,402.10,C020,55,1
P00004,2025-09-13T03:02:00Z,Yangon,grocery,22.75,C007,610,0
"""
# The same as an object that a bucket is made with (kinds/s3_bucket.py).
PAYMENTS_IN_RAW = {f"raw/{DATED_KEY}": base64.b64encode(PAYMENTS.encode()).decode()}


def files_under(view: StudentView, prefix: str) -> list[dict[str, Any]]:
    """Files of the lab's bucket whose key begins with `prefix`, without the empty objects that stand for folders: AWS's
    {"Key", "Size", ...}, at most a thousand."""
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=prefix)
    return [each for each in page.get("Contents", ()) if not each["Key"].endswith("/") and each["Size"]]


def text_of(view: StudentView, key: str) -> str:
    """A file of the lab's bucket as text; '' when it is larger than TOO_BIG. Bytes that are no UTF-8 are replaced."""
    answer = view.client("s3").get_object(Bucket=view.resources["bucket"]["name"], Key=key)
    if answer["ContentLength"] > TOO_BIG:
        return ""
    return answer["Body"].read().decode("utf-8", "replace")


def text_if_there(view: StudentView, key: str) -> str | None:
    """As text_of; None when the bucket has no such file."""
    try:
        return text_of(view, key)
    except view.client("s3").exceptions.NoSuchKey:
        return None


def put_file(view: StudentView, key: str, text: str) -> None:
    view.client("s3").put_object(Bucket=view.resources["bucket"]["name"], Key=key, Body=text.encode())


def raw_payments(view: StudentView) -> str | None:
    """The key of a dated CSV file under raw/, None when there is none yet."""
    keys = [each["Key"] for each in files_under(view, "raw/")]
    return next((key for key in keys if DATED.search(key) and key.endswith(".csv")), None)


def data_is_in_raw(view: StudentView) -> Checked:
    """A file under raw/, below a folder of its date."""
    there = files_under(view, "raw/")
    if not there:
        return Checked(False, "The bucket has no file under raw/ yet. Upload card-payments.csv there.")
    if not any(DATED.search(each["Key"]) for each in there):
        return Checked(
            False,
            f"There is {there[0]['Key']}, but not in a folder of its date. "
            "Put it under raw/year=2025/month=09/day=13/, with two digits for month and day.",
        )
    found = raw_payments(view)
    if found is None:
        return Checked(False, "There is a file in a folder of its date, but it is not a .csv file. Upload the CSV.")
    return Checked(True, f"{found} is there.")


def upload_payments(view: StudentView) -> None:
    """What a student does first in most labs, for the rehearsal."""
    put_file(view, f"raw/{DATED_KEY}", PAYMENTS)


def by_merchant(text: str) -> dict[str, tuple[int, int]]:
    """{merchant type: (payments, frauds)} of the table of payments. A row without a 0 or 1 counts as no fraud."""
    count: dict[str, tuple[int, int]] = {}
    for row in rows_of(text):
        payments, frauds = count.get(row["merchant_type"], (0, 0))
        count[row["merchant_type"]] = (payments + 1, frauds + (row["is_fraud"].strip() == "1"))
    return count


def as_summary(count: dict[str, tuple[int, int]]) -> str:
    """The CSV that steps ask for: merchant_type,payments,frauds."""
    lines = [f"{name},{payments},{frauds}" for name, (payments, frauds) in sorted(count.items())]
    return "\n".join(["merchant_type,payments,frauds", *lines])


def summary_is_of(view: StudentView, summary: str, raw: str) -> Checked:
    """Whether the CSV under the key `summary` counts what lies under the key `raw`."""
    try:
        said = {
            row["merchant_type"]: (int(row["payments"]), int(row["frauds"])) for row in rows_of(text_of(view, summary))
        }
        expected = by_merchant(text_of(view, raw))
    except (KeyError, TypeError, ValueError, AttributeError):
        return Checked(False, f"{summary} and {raw} cannot be read. The header must be merchant_type,payments,frauds.")
    if not expected:
        return Checked(False, f"{raw} has no payments in it, or is larger than 5 MB. Use the course's own file.")
    wrong = sorted(name for name in expected.keys() | said.keys() if expected.get(name) != said.get(name))
    if wrong:
        name = wrong[0]
        payments, frauds = expected.get(name, (0, 0))
        return Checked(False, f"{name} is not right. In raw/ it has payments: {payments}, frauds: {frauds}.")
    return Checked(True, f"All {len(expected)} merchant types are right.")


def rows_of(text: str) -> list[dict[str, str]]:
    """A CSV with a header, as dicts."""
    return list(csv.DictReader(io.StringIO(text)))


def counted(view: StudentView, metric: str, since: datetime, **of: str) -> int:
    """The sum of a metric over the day that began at `since`, as CloudWatch tells it a minute or two later.

    metric: "AWS/Lambda Errors"; of: its dimensions, FunctionName="...".
    """
    namespace, name = metric.split()
    began = since.replace(second=0, microsecond=0)
    answer = view.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value} for dimension, value in of.items()],
        StartTime=began,
        EndTime=began + timedelta(days=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer["Datapoints"]))
