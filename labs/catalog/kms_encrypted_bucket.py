"""Lab: a bucket encrypted with a key of one's own: what it costs, what it leaves as it was, and how a key ends."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import put_file
from labs.kinds.base import Want
from labs.kinds.kms_key import DAYS

BEFORE, AFTER = "models/before.json", "models/after.json"
KMS = "aws:kms"
MODEL = '{"version": "2025-09-15", "bias": -4.1}'


# --- the checks ----------------------------------------------------------------------------------------------


def key_is_on(view: StudentView) -> Checked:
    key = view.client("kms").describe_key(KeyId=view.resources["key"]["aws_id"])["KeyMetadata"]
    if key["KeyState"] != "Enabled":
        return Checked(False, f"The key is {key['KeyState']}. It costs the same as one that is Enabled.")
    return Checked(True, f"The key is Enabled since {key['CreationDate']:%Y-%m-%d %H:%M}, and costs from then on.")


def encrypted_with(view: StudentView, name: str) -> str | None:
    """How a file of the bucket is encrypted: "AES256" for S3's own key, else a KMS key's ARN; None without the file."""
    s3 = view.client("s3")
    try:
        head = s3.head_object(Bucket=view.resources["bucket"]["name"], Key=name)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
    return head.get("SSEKMSKeyId") or head.get("ServerSideEncryption", "AES256")


def is_the_labs(view: StudentView, key: str | None) -> bool:
    return bool(key) and str(key).endswith(view.resources["key"]["aws_id"])


def one_lies_there(view: StudentView) -> Checked:
    found = encrypted_with(view, BEFORE)
    if found is None:
        return Checked(False, f"The bucket has no {BEFORE} yet.")
    if is_the_labs(view, found):
        return Checked(True, f"{BEFORE} is encrypted with your key already.")
    return Checked(True, f"{BEFORE} is there, encrypted with S3's own key (AES256). That costs nothing.")


def default_rule(view: StudentView) -> dict[str, Any]:
    """The bucket's first rule of encryption."""
    answer = view.client("s3").get_bucket_encryption(Bucket=view.resources["bucket"]["name"])
    return answer["ServerSideEncryptionConfiguration"]["Rules"][0]


def encrypts_what_comes(view: StudentView) -> Checked:
    s3 = view.client("s3")
    try:
        rule = default_rule(view)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        return Checked(False, "The bucket has no rule of its own yet.")
    chosen = rule["ApplyServerSideEncryptionByDefault"]
    if chosen["SSEAlgorithm"] != KMS or not is_the_labs(view, chosen.get("KMSMasterKeyID")):
        return Checked(
            False, f"The bucket's rule says {chosen['SSEAlgorithm']}, and not aws:kms with the key of this lab."
        )
    if not rule.get("BucketKeyEnabled"):
        return Checked(False, "The rule names your key, but BucketKeyEnabled is not true: each file would ask KMS.")
    found = encrypted_with(view, AFTER)
    if found is None:
        return Checked(False, f"The rule is right. Now upload {AFTER}.")
    if not is_the_labs(view, found):
        return Checked(False, f"{AFTER} came before the rule: it is encrypted with {found}. Upload it once more.")
    return Checked(True, f"{AFTER} is encrypted with your key, and nobody had to think of it.")


def old_one_is_encrypted_too(view: StudentView) -> Checked:
    found = encrypted_with(view, BEFORE)
    if not is_the_labs(view, found):
        return Checked(
            False, f"{BEFORE} is encrypted with {found or 'nothing: it is not there'}. The rule left it alone."
        )
    return Checked(True, f"{BEFORE} is encrypted with your key now.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_before(view: StudentView) -> None:
    put_file(view, BEFORE, MODEL)


def play_rule(view: StudentView) -> None:
    by_default = {"SSEAlgorithm": KMS, "KMSMasterKeyID": view.resources["key"]["arn"]}
    view.client("s3").put_bucket_encryption(
        Bucket=view.resources["bucket"]["name"],
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]
        },
    )
    put_file(view, AFTER, MODEL)


def play_old(view: StudentView) -> None:
    bucket = view.resources["bucket"]["name"]
    view.client("s3").copy_object(
        Bucket=bucket,
        Key=BEFORE,
        CopySource={"Bucket": bucket, "Key": BEFORE},
        ServerSideEncryption=KMS,
        SSEKMSKeyId=view.resources["key"]["arn"],
    )


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
The portal made a bucket, and a key in KMS. You never see the key itself: it does not leave KMS, and one only says who
may use it. Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL).

```bash
aws kms describe-key --key-id {key.aws_id} --query 'KeyMetadata.[KeyState,KeyManager,CreationDate]'
```

A key of your own costs $1 a month, and $0.03 per 10,000 requests. Used or not, enabled or not: only a key whose
deletion is scheduled costs nothing. Twenty projects with a key each are $240 a year.
"""

BEFORE_WORDS = f"""
Upload a model before anything is set, and look how S3 keeps it.

```bash
echo '{MODEL}' > model.json
aws s3 cp model.json s3://{{bucket.name}}/{BEFORE}
aws s3api head-object --bucket {{bucket.name}} --key {BEFORE} --query '[ServerSideEncryption,SSEKMSKeyId]'
```

S3 encrypts everything, with a key of its own (`AES256`), and for nothing. Then why a key of your own? Because to read
a file one then needs **two** permissions: one for the file, and one for the key. And KMS writes down each use.
"""

RULE = f"""
Say once that everything that comes is encrypted with your key. Then nobody has to remember it.

```bash
cat > encryption.json <<'END'
{{"Rules": [{{
  "ApplyServerSideEncryptionByDefault": {{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "{{key.arn}}"}},
  "BucketKeyEnabled": true
}}]}}
END
aws s3api put-bucket-encryption --bucket {{bucket.name}} --server-side-encryption-configuration file://encryption.json
aws s3 cp model.json s3://{{bucket.name}}/{AFTER}
aws s3api head-object --bucket {{bucket.name}} --key {AFTER} --query '[ServerSideEncryption,SSEKMSKeyId]'
```

`BucketKeyEnabled`: S3 asks KMS now and then, and not once for each file. A training job that reads a million files
would else make a million requests: $3 each time.
"""

OLD = f"""
Look at the first file again. The rule counts for what comes, and leaves alone what is there.

```bash
aws s3api head-object --bucket {{bucket.name}} --key {BEFORE} --query '[ServerSideEncryption,SSEKMSKeyId]'
aws s3 cp s3://{{bucket.name}}/{BEFORE} s3://{{bucket.name}}/{BEFORE} --sse aws:kms --sse-kms-key-id {{key.arn}}
aws s3api head-object --bucket {{bucket.name}} --key {BEFORE} --query '[ServerSideEncryption,SSEKMSKeyId]'
```

So "the bucket is encrypted with our key" is a sentence that one checks, file by file.
"""

FINISH = f"""
Press **Finish lab**. The bucket is deleted. The key is **not**: AWS deletes no key at once. The portal schedules its
deletion, in {DAYS} days, the shortest time that AWS allows. From that moment on it costs nothing and encrypts nothing.

Until then a mistake can be taken back, in the KMS console. After it, nobody can read what was encrypted with the key:
not you, not AWS. The certificate of this lab names the day.
"""

LAB = Lab(
    slug="kms-encrypted-bucket",
    title="KMS: a bucket encrypted with your own key",
    summary="Encrypt a bucket with a key of your own, find the file that the rule left out, see what a key costs and "
    "how it ends.",
    theme="Model development with SageMaker",
    minutes=35,
    hours=Decimal(2),
    wants=(
        Want("key", "kms-key", {"description": "Lab: encrypts one bucket"}),
        Want("bucket", "s3-bucket", {"prefixes": ["models/"]}),
    ),
    steps=(
        Step("look", "Look at the key", LOOK, key_is_on),
        Step("before", "Upload a file before anything is set", BEFORE_WORDS, one_lies_there, play=play_before),
        Step(
            "rule",
            "Encrypt what comes with your key",
            RULE,
            encrypts_what_comes,
            expect="Files are marked as encrypted, and kept as they are: nothing is really encrypted here, and whoever "
            "may read the file may read it without the key.",
            play=play_rule,
        ),
        Step("old", "Find what the rule left out", OLD, old_one_is_encrypted_too, play=play_old),
        Step("finish", "Finish the lab, and read what becomes of the key", FINISH),
    ),
    kept=gettext_noop(  # 7 is DAYS
        "The bucket is deleted. The key's deletion is scheduled: AWS waits 7 days, bills nothing for them, and lets "
        "one cancel it until then."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls: 10,000 requests to KMS are $0.03."),
)
