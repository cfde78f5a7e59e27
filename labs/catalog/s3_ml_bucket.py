"""Lab: an S3 bucket laid out for machine learning."""

import gzip
from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import DATED, PAYMENTS, data_is_in_raw, files_under, put_file, upload_payments
from labs.kinds.base import Want

LAYOUT = ("raw/", "processed/", "models/", "monitoring/")


def ageing(name: str, *moves: tuple[int, str], deleted_after: int | None = None) -> dict:
    rule = {
        "ID": name,
        "Status": "Enabled",
        "Filter": {"Prefix": f"{name}/"},
        "Transitions": [{"Days": days, "StorageClass": to} for days, to in moves],
    }
    return rule | ({"Expiration": {"Days": deleted_after}} if deleted_after else {})


LIFECYCLE = [
    ageing("raw", (30, "GLACIER")),
    ageing("models", (30, "STANDARD_IA"), (90, "GLACIER"), deleted_after=180),
    ageing("monitoring", (30, "STANDARD_IA"), deleted_after=180),
    {
        "ID": "unfinished-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
]

OWN_RULE = {
    "ID": "processed",
    "Status": "Enabled",
    "Filter": {"Prefix": "processed/"},
    "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
}


# --- the checks ----------------------------------------------------------------------------------------------


def is_processed_by_date(view: StudentView) -> Checked:
    raw = {day_of(each["Key"]) for each in files_under(view, "raw/") if DATED.search(each["Key"])}
    processed = files_under(view, "processed/")
    if not processed:
        return Checked(False, "The bucket has no file under processed/ yet.")
    dated = {day_of(each["Key"]) for each in processed if DATED.search(each["Key"])}
    if not dated:
        return Checked(False, f"There is {processed[0]['Key']}, but not in a folder of its date like the file in raw/.")
    if raw and not dated & raw:
        return Checked(False, f"processed/ has {min(dated)} and raw/ has {min(raw)}. Use the same date for both.")
    return Checked(True, f"{min(dated)} is in raw/ and in processed/.")


def day_of(key: str) -> str:
    """The last three folders: year=2025/month=09/day=13 of a dated key."""
    return "/".join(key.split("/")[-4:-1])


def versions_of_models(view: StudentView) -> dict[str, list[dict]]:
    """{key under models/: its versions, the newest first}."""
    page = view.client("s3").list_object_versions(Bucket=view.resources["bucket"]["name"], Prefix="models/")
    kept: dict[str, list[dict]] = {}
    for version in page.get("Versions", ()):
        if not version["Key"].endswith("/"):
            kept.setdefault(version["Key"], []).append(version)
    return kept


def has_two_versions(view: StudentView) -> Checked:
    kept = versions_of_models(view)
    if not kept:
        return Checked(False, "The bucket has no file under models/ yet. Upload model.json there.")
    key, versions = max(kept.items(), key=lambda each: len(each[1]))
    if len(versions) < 2:
        return Checked(False, f"{key} has one version. Change the file on your computer, and upload it again.")
    return Checked(True, f"{key} has {len(versions)} versions. You pay for each of them.")


def is_restored(view: StudentView) -> Checked:
    kept = versions_of_models(view)
    for key, versions in kept.items():
        first, newest = versions[-1], versions[0]
        if len(versions) >= 3 and newest["ETag"] == first["ETag"] != versions[1]["ETag"]:
            return Checked(True, f"The newest {key} is the first one again, and nothing was lost on the way.")
    if not any(len(versions) >= 2 for versions in kept.values()):
        return Checked(False, "First make two versions of a file under models/ (the step before).")
    return Checked(False, "The newest version is not yet the same as the first. Copy the first version over the file.")


def has_a_rule_of_its_own(view: StudentView) -> Checked:
    s3, bucket = view.client("s3"), view.resources["bucket"]["name"]
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        rules = []
    lost = [rule["ID"] for rule in LIFECYCLE if rule["ID"] not in {each.get("ID") for each in rules}]
    if lost:
        return Checked(
            False,
            f"These rules are gone: {', '.join(lost)}. The put command replaces all rules, so send the old ones too.",
        )
    own = [rule for rule in rules if prefix_of(rule) == "processed/" and rule["Status"] == "Enabled"]
    if not own:
        return Checked(False, "There is no rule for processed/ yet (or it is not Enabled).")
    moves = [(move.get("Days"), move.get("StorageClass")) for rule in own for move in rule.get("Transitions", ())]
    if (30, "STANDARD_IA") not in moves:
        return Checked(False, "The rule for processed/ does not move files to STANDARD_IA after 30 days yet.")
    return Checked(True, "Files in processed/ move to STANDARD_IA after 30 days, and the other rules are still there.")


def prefix_of(rule: dict) -> str:
    """AWS keeps the prefix in one of three places, as it was written."""
    where = rule.get("Filter", {})
    return where.get("Prefix") or where.get("And", {}).get("Prefix") or rule.get("Prefix", "")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_processed(view: StudentView) -> None:
    body = gzip.compress(PAYMENTS.encode())
    key = "processed/year=2025/month=09/day=13/card-payments.csv.gz"
    view.client("s3").put_object(Bucket=view.resources["bucket"]["name"], Key=key, Body=body)


def play_two_versions(view: StudentView) -> None:
    put_file(view, "models/v1/model.json", '{"version": 1}')
    put_file(view, "models/v1/model.json", "oops")


def play_restore(view: StudentView) -> None:
    s3, bucket, key = view.client("s3"), view.resources["bucket"]["name"], "models/v1/model.json"
    oldest = versions_of_models(view)[key][-1]["VersionId"]
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key, "VersionId": oldest})


def play_rule(view: StudentView) -> None:
    s3, bucket = view.client("s3"), view.resources["bucket"]["name"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [*rules, OWN_RULE]})


# --- the words -----------------------------------------------------------------------------------------------

UPLOAD = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Then look at your
bucket. The portal made it with four folders.

```bash
aws s3 ls s3://{bucket.name}/
```

Take `card-payments.csv` from this week's material. Put it under `raw/`, in a folder of its date. Jobs that need one day
can then read one day.

```bash
aws s3 cp card-payments.csv s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv
aws s3 ls s3://{bucket.name}/ --recursive
```
"""

PROCESSED = """
What is in `raw/` stays as it came. What you make of it goes to `processed/`, with the same date. Here you only make the
file smaller.

```bash
gzip --keep --force card-payments.csv
aws s3 cp card-payments.csv.gz s3://{bucket.name}/processed/year=2025/month=09/day=13/card-payments.csv.gz
```
"""

VERSIONS = """
Upload a model. Then break it, and upload it again under the same name.

```bash
echo '{"version": 1}' > model.json
aws s3 cp model.json s3://{bucket.name}/models/v1/model.json
echo 'oops' > model.json
aws s3 cp model.json s3://{bucket.name}/models/v1/model.json
```

Versioning is on, so S3 keeps both. Look at them:

```bash
aws s3api list-object-versions --bucket {bucket.name} --prefix models/v1/ \\
  --query 'Versions[].[VersionId,Size,IsLatest]' --output table
```
"""

RESTORE = """
Copy the first version over the broken one. The list shows the newest first, so the first version is the last in it.

```bash
FIRST=$(aws s3api list-object-versions --bucket {bucket.name} --prefix models/v1/model.json \\
  --query 'Versions[-1].VersionId' --output text)
aws s3api copy-object --bucket {bucket.name} --key models/v1/model.json \\
  --copy-source "{bucket.name}/models/v1/model.json?versionId=$FIRST"
```

Now there are three versions. Nothing was overwritten, and each version costs.
"""

RULE = """
The bucket has rules that move old files to cheaper storage, for `raw/`, `models/` and `monitoring/`. Write one for
`processed/`: to *Standard-IA* after 30 days.

One thing to know: the *put* command replaces **all** rules. So read them first, add yours, and send all of them.

```bash
aws s3api get-bucket-lifecycle-configuration --bucket {bucket.name} --query '{Rules: Rules}' > rules.json
python3 - <<'END'
import json
rules = json.load(open("rules.json"))
rules["Rules"].append({
    "ID": "processed", "Status": "Enabled", "Filter": {"Prefix": "processed/"},
    "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
})
json.dump(rules, open("rules.json", "w"), indent=2)
END
aws s3api put-bucket-lifecycle-configuration --bucket {bucket.name} --lifecycle-configuration file://rules.json
```
"""

FINISH = """
Press **Finish lab**. A bucket can only be deleted when it is empty, and old versions count. The portal deletes every
version, then the bucket, and shows you the proof.
"""

LAB = Lab(
    slug="s3-ml-bucket",
    title="S3 bucket laid out for ML",
    summary="Put data into a bucket with folders for raw, processed, models and monitoring; "
    "bring back an old version; write a rule that makes old files cheaper.",
    theme="Introduction to cloud computing",
    minutes=40,
    hours=Decimal(2),
    wants=(Want("bucket", "s3-bucket", {"versioning": True, "prefixes": LAYOUT, "lifecycle": LIFECYCLE}),),
    steps=(
        Step("upload", "Put the first data under raw/", UPLOAD, data_is_in_raw, play=upload_payments),
        Step("process", "Put a processed copy beside it", PROCESSED, is_processed_by_date, play=play_processed),
        Step("versions", "Overwrite a model", VERSIONS, has_two_versions, play=play_two_versions),
        Step("restore", "Bring the first version back", RESTORE, is_restored, play=play_restore),
        Step(
            "rule",
            "Write a lifecycle rule",
            RULE,
            has_a_rule_of_its_own,
            expect="The rule is kept and shown, but no file moves: nothing gets 30 days old here.",
            play=play_rule,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the bucket is deleted with everything in it, old versions too."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3: 1,000 uploads or lists are $0.005."),
)
