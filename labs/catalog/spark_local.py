"""Lab: PySpark on one's own computer cleans the payments, and the result is laid into S3 as a cluster would lay it."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import files_under, put_file, rows_of, text_of
from labs.kinds.base import Want

RAW = "raw/payments-raw.csv"
PARQUET, SUMMARY = "processed/payments/", "processed/summary/"
MAGIC = b"PAR1"  # what a Parquet file begins with

# What a rehearsal plays with: of these seven rows five are good, and two of those are the same.
ROWS = """\
payment_id,paid_at,city,merchant_type,amount_usd,customer_id,minutes_since_last,is_fraud
P00001,2025-09-13T01:10:00Z,Yangon,grocery,18.40,C020,-1,0
P00002,2025-09-13T01:14:00Z,Singapore, Fuel ,28.83,C044,2880,0
P00003,2025-09-14T02:31:00Z,Bangkok,ONLINE,402.10,C020,55,1
P00003,2025-09-14T02:31:00Z,Bangkok,ONLINE,402.10,C020,55,1
P00004,2025-09-14T03:02:00Z,Yangon,grocery,22.75,C007,610,0
P00005,,Yangon,grocery,22.75,C007,610,0
P00006,2025-09-14T03:09:00Z,Yangon,travel,-7.00,C007,610,0
"""


def cleaned(raw: str) -> dict[str, tuple[str, str, int, Decimal]]:
    """{payment id: (day, merchant type, 0 or 1, amount)} of the rows that clean_payments.py keeps."""
    kept: dict[str, tuple[str, str, int, Decimal]] = {}
    for row in rows_of(raw):
        try:
            amount = Decimal(row["amount_usd"])
        except InvalidOperation:
            continue
        if amount > 0 and row["paid_at"]:
            merchant, is_fraud = row["merchant_type"].strip().lower(), int(row["is_fraud"])
            kept[row["payment_id"]] = (row["paid_at"][:10], merchant, is_fraud, amount)
    return kept


def summary_of(payments: Iterable[tuple[str, str, int, Decimal]]) -> dict[str, tuple[int, int, Decimal]]:
    """{merchant type: (payments, frauds, USD)}."""
    count: dict[str, tuple[int, int, Decimal]] = {}
    for _, merchant, is_fraud, amount in payments:
        number, frauds, usd = count.get(merchant, (0, 0, Decimal(0)))
        count[merchant] = (number + 1, frauds + is_fraud, usd + amount)
    return count


# --- the checks ----------------------------------------------------------------------------------------------


def raw_is_there(view: StudentView) -> Checked:
    if RAW not in {each["Key"] for each in files_under(view, "raw/")}:
        return Checked(False, f"The bucket has no {RAW} yet.")
    raw = text_of(view, RAW)
    try:
        lines, kept = len(rows_of(raw)), len(cleaned(raw))
    except (KeyError, TypeError, ValueError):
        return Checked(False, f"{RAW} has other columns than the course's own file.")
    if not kept:
        return Checked(False, f"{RAW} has no good rows. Use the course's own file.")
    return Checked(True, f"{RAW} has {lines} rows. Not all of them are good.")


def is_cleaned(view: StudentView) -> Checked:
    if not (found := raw_is_there(view)).passed:
        return found
    keys = keys_under(view, "processed/")
    for folder in (PARQUET, SUMMARY):
        if f"{folder}_SUCCESS" not in keys:
            return Checked(False, f"There is no {folder}_SUCCESS: run the program to its end, then sync its folder.")
    files = [key for key in keys if key.startswith(PARQUET) and key.endswith(".parquet")]
    if not files or not is_parquet(view, files[0]):
        return Checked(False, f"There is no Parquet file under {PARQUET}. Sync the whole folder.")
    written = [key for key in keys if key.startswith(SUMMARY) and key.endswith(".csv")]
    if len(written) != 1:
        return Checked(False, f"{SUMMARY} has {len(written)} .csv files, and should have one. Sync with --delete.")
    try:
        said = {
            row["merchant_type"]: (int(row["payments"]), int(row["frauds"]), Decimal(row["usd"]))
            for row in rows_of(text_of(view, written[0]))
        }
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return Checked(False, f"{written[0]} cannot be read. Its header must be merchant_type,payments,frauds,usd.")
    expected = summary_of(cleaned(text_of(view, RAW)).values())
    wrong = sorted(name for name in expected.keys() | said.keys() if expected.get(name) != said.get(name))
    if wrong:
        number, frauds, usd = expected.get(wrong[0], (0, 0, Decimal(0)))
        return Checked(
            False,
            f"{wrong[0]} is not right. Cleaned, raw/ has payments: {number}, frauds: {frauds}, USD: {usd}.",
        )
    total = sum(number for number, _, _ in expected.values())
    return Checked(True, f"{total} payments are left, and all {len(expected)} merchant types are right.")


def has_one_file_a_day(view: StudentView) -> Checked:
    if not (found := is_cleaned(view)).passed:
        return found
    files = [key for key in keys_under(view, PARQUET) if key.endswith(".parquet")]
    counted = Counter(key.removeprefix(PARQUET).partition("/")[0] for key in files)
    days = {f"paid_on={day}" for day, *_ in cleaned(text_of(view, RAW)).values()}
    if missing := sorted(days - counted.keys()):
        return Checked(False, f"There is no folder {PARQUET}{missing[0]}.")
    day, most = counted.most_common(1)[0]
    if most > 1:
        return Checked(
            False,
            f"{day} has {most} files, {len(files)} in all. Write again with --one-file-a-day, and sync with --delete.",
        )
    return Checked(True, f"{len(files)} files for {len(days)} days. Whoever asks for one day opens one file.")


def keys_under(view: StudentView, prefix: str) -> list[str]:
    """Also the empty ones: Spark's _SUCCESS is empty."""
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=prefix)
    return [each["Key"] for each in page.get("Contents", ())]


def is_parquet(view: StudentView, key: str) -> bool:
    answer = view.client("s3").get_object(Bucket=view.resources["bucket"]["name"], Key=key, Range="bytes=0-3")
    return answer["Body"].read() == MAGIC


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_raw(view: StudentView) -> None:
    put_file(view, RAW, ROWS)


def play_clean(view: StudentView, files_a_day: int = 3) -> None:
    """What Spark would leave; of the Parquet files only the first bytes are looked at."""
    kept = cleaned(ROWS)
    for day in {day for day, *_ in kept.values()}:
        for part in range(files_a_day):
            put_file(view, f"{PARQUET}paid_on={day}/part-{part:05}.snappy.parquet", MAGIC.decode())
    lines = [f"{name},{n},{f},{usd}" for name, (n, f, usd) in sorted(summary_of(kept.values()).items())]
    put_file(view, f"{SUMMARY}part-00000.csv", "\n".join(["merchant_type,payments,frauds,usd", *lines]))
    for folder in (PARQUET, SUMMARY):
        put_file(view, f"{folder}_SUCCESS", "")


def play_one_file(view: StudentView) -> None:
    bucket, s3 = view.resources["bucket"]["name"], view.client("s3")
    for key in keys_under(view, PARQUET):
        s3.delete_object(Bucket=bucket, Key=key)
    play_clean(view, files_a_day=1)


# --- the words -----------------------------------------------------------------------------------------------

RAW_WORDS = """
Download `payments-raw.csv`, `clean_payments.py` and `README-spark.md` from this week's material, and install PySpark as
the README says. Spark runs on **your own computer** in this lab; only the bucket is in AWS.

Press **Get temporary credentials** and paste them into your terminal (on Windows: WSL). Look at the file before you
clean it: which kinds of mistakes do you see?

```bash
head -20 payments-raw.csv
cut -d, -f4 payments-raw.csv | sort | uniq -c
aws s3 cp payments-raw.csv s3://{bucket.name}/raw/payments-raw.csv
```

The raw file stays as it came, mistakes and all. What you clean goes elsewhere.
"""

CLEAN = """
Read `clean_payments.py`: it drops rows without a time or a sensible amount, drops doubles, and writes Parquet with one
folder a day. Then run it. The first start takes half a minute.

```bash
spark-submit --master "local[*]" clean_payments.py --input payments-raw.csv --output processed
cat processed/summary/part-*.csv
aws s3 sync processed s3://{bucket.name}/processed/ --delete --exclude "*.crc"
```

`_SUCCESS` is empty and important: it is written last. Whoever reads a folder without it may read half of a job.
"""

SMALL_FILES = """
Count the files:

```bash
find processed/payments -name '*.parquet' | wc -l
du -sh processed/payments
```

Eight tasks, fourteen days: about a hundred files for 578 payments. Each is a request when it is written, and a request
each time that somebody reads. On a cluster with 200 tasks and two years of days, it would be 146,000. So gather each
day's rows before they are written:

```bash
spark-submit --master "local[*]" clean_payments.py --input payments-raw.csv --output processed --one-file-a-day
find processed/payments -name '*.parquet' | wc -l
aws s3 sync processed s3://{bucket.name}/processed/ --delete --exclude "*.crc"
```

What does the gathering cost? (It is a *shuffle*: rows travel between tasks.) When would one file a day be too large?
"""

FINISH = """
Press **Finish lab**. What lies under `processed/` is copied to your locker, then the bucket is deleted. Your computer
keeps its own folder.
"""

LAB = Lab(
    slug="spark-local",
    title="Clean payments with local Spark",
    summary="PySpark on your own computer cleans a small table, writes Parquet by day, and shows why a hundred small "
    "files are a problem.",
    theme="Big data with PySpark and EMR",
    minutes=60,
    hours=Decimal(3),
    wants=(Want("bucket", "s3-bucket", {"prefixes": ["raw/", "processed/"]}),),
    steps=(
        Step("raw", "Put the raw file into S3, as it is", RAW_WORDS, raw_is_there, play=play_raw),
        Step("clean", "Clean it with Spark", CLEAN, is_cleaned, play=play_clean),
        Step("small-files", "One file a day instead of eight", SMALL_FILES, has_one_file_a_day, play=play_one_file),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    saves=(("bucket", "processed/"),),
    kept=gettext_noop(
        "Nothing stays: the bucket is deleted. What lies under processed/ is copied to your locker first."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
