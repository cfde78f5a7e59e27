"""Lab: S3 with the aws command: upload, download, sync, and a link for somebody without an account."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import (
    data_is_in_raw,
    files_under,
    put_file,
    raw_payments,
    text_if_there,
    text_of,
    upload_payments,
)
from labs.kinds.base import Want

FIRST, BY_LINK, OUT = "processed/first-ten.csv", "processed/by-link.csv", "processed/out/"


# --- the checks ----------------------------------------------------------------------------------------------


def first_lines_are_there(view: StudentView) -> Checked:
    key = raw_payments(view)
    if key is None:
        return Checked(False, "The bucket has no dated CSV file under raw/ yet (the first step).")
    said = text_if_there(view, FIRST)
    if said is None:
        return Checked(False, f"The bucket has no {FIRST} yet.")
    if said.split() != first_ten(text_of(view, key)).split():
        return Checked(False, f"{FIRST} does not hold the first ten lines of {key}.")
    return Checked(True, f"{FIRST} holds the header and nine payments.")


def first_ten(text: str) -> str:
    return "".join(line + "\n" for line in text.splitlines()[:10])


def is_synced(view: StudentView) -> Checked:
    there = {each["Key"].removeprefix(OUT) for each in files_under(view, OUT)}
    if not there:
        return Checked(False, f"The bucket has nothing under {OUT} yet.")
    missing = sorted({"b.txt", "c.txt"} - there)
    if missing:
        return Checked(False, f"{missing[0]} is not under {OUT} yet. Make it in the folder out, and sync once more.")
    if "a.txt" in there:
        return Checked(False, "a.txt is still there. You deleted it on your computer: sync once more, with --delete.")
    return Checked(True, "The bucket holds what your folder holds: a.txt is gone, b.txt and c.txt are there.")


def came_by_link(view: StudentView) -> Checked:
    key = raw_payments(view)
    if key is None:
        return Checked(False, "The bucket has no dated CSV file under raw/ yet (the first step).")
    said = text_if_there(view, BY_LINK)
    if said is None:
        return Checked(False, f"The bucket has no {BY_LINK} yet.")
    if said != text_of(view, key):
        return Checked(False, f"{BY_LINK} is not the file behind the link. Look into it: is it an error message?")
    return Checked(True, "The file came by a link, without any credentials, and is whole.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_first(view: StudentView) -> None:
    put_file(view, FIRST, first_ten(text_of(view, raw_payments(view) or "")))


def play_sync(view: StudentView) -> None:
    for name in ("b.txt", "c.txt"):
        put_file(view, f"{OUT}{name}", "x")


def play_link(view: StudentView) -> None:
    put_file(view, BY_LINK, text_of(view, raw_payments(view) or ""))


# --- the words -----------------------------------------------------------------------------------------------

UPLOAD = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Upload
`card-payments.csv` from this week's material, and list what is there:

```bash
aws s3 ls
aws s3 cp card-payments.csv s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv
aws s3 ls s3://{bucket.name}/ --recursive --human-readable --summarize
```

`aws s3` is the comfortable tool. It cuts large files into parts and sends several at a time.
"""

DOWNLOAD = """
The same command downloads: first the source, then the target. A `-` is the terminal itself, so a file can go through a
pipe and never touch your disk:

```bash
aws s3 cp s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv copy.csv
cmp card-payments.csv copy.csv && echo "Not one byte differs."
head -n 10 copy.csv | aws s3 cp - s3://{bucket.name}/processed/first-ten.csv
aws s3 cp s3://{bucket.name}/processed/first-ten.csv -
```

Downloads to your own computer cost $0.09 a GB. To an instance in the same region they cost nothing.
"""

SYNC = """
`sync` compares two folders and sends what is new or changed. Make a folder, and send it:

```bash
mkdir -p out && echo one > out/a.txt && echo two > out/b.txt
aws s3 sync out s3://{bucket.name}/processed/out/
aws s3 sync out s3://{bucket.name}/processed/out/
```

The second time nothing happens. Now delete one file, make another, and look before you send. With `--delete`, sync also
deletes, and there is no undo. So `--dryrun` first, always:

```bash
rm -f out/a.txt && echo three > out/c.txt
aws s3 sync out s3://{bucket.name}/processed/out/ --delete --dryrun
aws s3 sync out s3://{bucket.name}/processed/out/ --delete
aws s3 ls s3://{bucket.name}/processed/out/
```
"""

LINK = """
A colleague without an AWS account needs the file. The bucket stays closed: make a link for this one file, good for ten
minutes. It is signed with your own credentials, so it can do no more than you, and ends with them.

```bash
URL=$(aws s3 presign s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv --expires-in 600)
(
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  curl --silent --show-error --fail --output by-link.csv "$URL"
)
wc -l by-link.csv
aws s3 cp by-link.csv s3://{bucket.name}/processed/by-link.csv
```

The part in brackets had no credentials, like your colleague. Treat such a link as a secret: whoever has it has the
file.
"""

FINISH = """
Press **Finish lab**: the bucket goes with all that is in it. By hand you would empty it first; AWS deletes no bucket
that holds something.
"""

LAB = Lab(
    slug="cli-s3",
    title="S3 with the AWS CLI",
    summary="List, upload, download and sync files from your terminal, and give one file to somebody without an "
    "account.",
    theme="Introduction to cloud computing",
    minutes=30,
    hours=Decimal(1),
    wants=(Want("bucket", "s3-bucket", {"prefixes": ["raw/", "processed/"]}),),
    steps=(
        Step("upload", "Upload and list", UPLOAD, data_is_in_raw, play=upload_payments),
        Step("download", "Download, also through a pipe", DOWNLOAD, first_lines_are_there, play=play_first),
        Step("sync", "Keep two folders the same", SYNC, is_synced, play=play_sync),
        Step("link", "Give one file to somebody without an account", LINK, came_by_link, play=play_link),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop(
        "Nothing stays: the bucket is deleted with everything in it. What you downloaded is on your computer."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("An S3 bucket costs almost nothing; $0.01 of that sum is for your calls and downloads."),
)
