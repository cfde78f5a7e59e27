"""Lab: the first container with a model, in a registry: what a push sends, what a tag promises, what to throw away.

Docker runs on the student's own machine, and nobody can push by it in practice mode. So the push is also shown as what
it is: layers and a list of them, sent by the registry's own calls.
"""

import gzip
import hashlib
import io
import json
import tarfile
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import MODEL_1, MODEL_2, SCORE
from labs.kinds.aws_words import tag_list

KEEP = 5
KEEP_FIVE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "keep the newest five",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEEP},
            "action": {"type": "expire"},
        }
    ]
}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def name_of(view: StudentView) -> str:
    return f"{view.prefix}fraud-score"


# --- the checks ----------------------------------------------------------------------------------------------


def repository(view: StudentView) -> dict[str, Any] | None:
    """The student's repository as ECR describes it; None while there is none of that name."""
    ecr = view.client("ecr")
    try:
        return ecr.describe_repositories(repositoryNames=[name_of(view)])["repositories"][0]
    except ecr.exceptions.RepositoryNotFoundException:
        return None


def is_made(view: StudentView) -> Checked:
    found = repository(view)
    if found is None:
        return Checked(False, f"There is no repository {name_of(view)} in {view.region} yet.")
    if found["imageTagMutability"] != "IMMUTABLE":
        return Checked(False, "Its tags can move: make it with --image-tag-mutability IMMUTABLE.")
    if not found["imageScanningConfiguration"]["scanOnPush"]:
        return Checked(False, "It does not look into what is pushed: make it with scanOnPush=true.")
    return Checked(True, f"{found['repositoryUri']} is there. A tag is used once, and each image is looked into.")


def throws_old_images_away(view: StudentView) -> Checked:
    ecr = view.client("ecr")
    try:
        text = ecr.get_lifecycle_policy(repositoryName=name_of(view))["lifecyclePolicyText"]
    except (ecr.exceptions.RepositoryNotFoundException, ecr.exceptions.LifecyclePolicyNotFoundException):
        return Checked(False, f"The repository {name_of(view)} has no rule yet that throws old images away.")
    for rule in json.loads(text)["rules"]:
        chosen = rule["selection"]
        if chosen["countType"] == "imageCountMoreThan" and chosen["tagStatus"] == "any":
            return Checked(True, f"It keeps the newest {chosen['countNumber']} images.")
    return Checked(False, "There is a rule, but none that counts all images (tagStatus any, imageCountMoreThan).")


def images(view: StudentView) -> dict[str, dict[str, Any]]:
    """{tag: the image as ECR describes it}; {} while there is no repository."""
    ecr = view.client("ecr")
    try:
        pages = ecr.get_paginator("describe_images").paginate(repositoryName=name_of(view))
        return {tag: image for page in pages for image in page["imageDetails"] for tag in image.get("imageTags", ())}
    except ecr.exceptions.RepositoryNotFoundException:
        return {}


def is_pushed(view: StudentView) -> Checked:
    found = images(view).get("1")
    if found is None:
        return Checked(False, "The repository has no image with the tag 1 yet.")
    size = found["imageSizeInBytes"]
    marked = " In practice mode nobody can run it." if view.mode == "practice" else ""
    return Checked(True, f"Image 1 is there: {size:,} bytes in ECR, {found['imageDigest'][:19]}...{marked}")


def is_pushed_again(view: StudentView) -> Checked:
    found = images(view)
    if not {"1", "2"} <= found.keys():
        return Checked(False, f"The repository has these tags: {', '.join(sorted(found)) or 'none'}. It needs 1 and 2.")
    if found["1"]["imageDigest"] == found["2"]["imageDigest"]:
        return Checked(False, "1 and 2 are the same image. Put the new model into it before you push 2.")
    return Checked(True, "1 and 2 are two images. Whoever runs 1 still runs what they tested.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_make(view: StudentView) -> None:
    view.client("ecr").create_repository(
        repositoryName=name_of(view),
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=tag_list(view.tags),
    )


def play_rule(view: StudentView) -> None:
    view.client("ecr").put_lifecycle_policy(repositoryName=name_of(view), lifecyclePolicyText=json.dumps(KEEP_FIVE))


def play_push(view: StudentView) -> None:
    push(view, "1", MODEL_1)


def play_push_again(view: StudentView) -> None:
    push(view, "2", MODEL_2)


def push(view: StudentView, tag: str, model: str) -> None:
    """Send an image of one layer, program and model, as docker would."""
    layer = tar_of({"score.py": SCORE, "model-1.json": model})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["score.handler"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    parts = [(CONFIG, json.dumps(config).encode()), (LAYER, gzip.compress(layer, mtime=0))]
    listed = [{"mediaType": kind, "size": len(blob), "digest": digest(blob)} for kind, blob in parts]
    ecr, where = view.client("ecr"), {"repositoryName": name_of(view)}
    for _, blob in parts:
        upload = ecr.initiate_layer_upload(**where)["uploadId"]
        span = {"partFirstByte": 0, "partLastByte": len(blob) - 1}
        ecr.upload_layer_part(**where, uploadId=upload, layerPartBlob=blob, **span)
        ecr.complete_layer_upload(**where, uploadId=upload, layerDigests=[digest(blob)])
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": listed[0], "layers": listed[1:]}
    ecr.put_image(**where, imageManifest=json.dumps(manifest), imageTag=tag)


def tar_of(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"var/task/{name}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


# --- the words -----------------------------------------------------------------------------------------------

MAKE = """
A registry is the place where images are kept. Press **Get temporary credentials** and paste them into your terminal (on
Windows: Git Bash or WSL). Make a repository for one image with all its versions:

```bash
aws ecr create-repository --repository-name {lab.prefix}fraud-score \\
  --image-tag-mutability IMMUTABLE --image-scanning-configuration scanOnPush=true \\
  --tags Key=lab,Value={lab.tag} Key=student,Value={lab.student} --query repository.repositoryUri
```

`IMMUTABLE`: a tag is used once, so "version 1" always means the same. `scanOnPush`: ECR compares what is in the image
with lists of known security holes.
"""

RULE = f"""
Every push stays for ever, and costs for ever. Write the rule on the day on which you make the repository: nobody comes
back later to do it.

```bash
cat > keep-five.json <<'END'
{json.dumps(KEEP_FIVE, indent=2)}
END
aws ecr put-lifecycle-policy --repository-name {{lab.prefix}}fraud-score \\
  --lifecycle-policy-text file://keep-five.json --query lifecyclePolicyText
```

ECR costs $0.10 per GB-month. One image of 0.2 GB costs 2 cents a month, and fifty of them a dollar.
"""

PUSH = f"""
Write what goes into the image, and the recipe:

```bash
cat > score.py <<'END'
{SCORE}END
cat > model-1.json <<'END'
{MODEL_1}END
cat > Dockerfile <<'END'
FROM public.ecr.aws/lambda/python:3.12
ARG MODEL=model-1.json
COPY score.py ${{MODEL}} ${{LAMBDA_TASK_ROOT}}/
ENV MODEL=${{MODEL}}
CMD ["score.handler"]
END
```

**With Docker, in a real account:** build, tag, push, and go on to the next step.

```sh
REGISTRY=$(aws sts get-caller-identity --query Account --output text).dkr.ecr.{{region}}.amazonaws.com
docker build --platform linux/amd64 --provenance=false -t $REGISTRY/{{lab.prefix}}fraud-score:1 .
aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
docker push $REGISTRY/{{lab.prefix}}fraud-score:1
```

**Without Docker, or in practice mode:** do by hand what `docker push` does. An image is a packed folder (a *layer*), a
few settings (*config*), and a list of both with their SHA-256 (*manifest*). Note: this image holds our two files alone,
without any Python. ECR keeps it, but nobody could run it.

```bash
cat > pack.py <<'END'
import gzip, hashlib, json, sys, tarfile

model = sys.argv[1]
with tarfile.open("layer.tar", "w") as tar:
    for name in ("score.py", model):
        tar.add(name, "var/task/" + name)
layer = open("layer.tar", "rb").read()


def sha(blob):
    return "sha256:" + hashlib.sha256(blob).hexdigest()


config = json.dumps({{
    "architecture": "amd64", "os": "linux", "config": {{"Cmd": ["score.handler"], "Env": ["MODEL=" + model]}},
    "rootfs": {{"type": "layers", "diff_ids": [sha(layer)]}},
}}).encode()
packed = gzip.compress(layer)
manifest = {{
    "schemaVersion": 2, "mediaType": "{MANIFEST}",
    "config": {{"mediaType": "{CONFIG}", "size": len(config), "digest": sha(config)}},
    "layers": [{{"mediaType": "{LAYER}", "size": len(packed), "digest": sha(packed)}}],
}}
open("config.json", "wb").write(config)
open("layer.tar.gz", "wb").write(packed)
open("manifest.json", "w").write(json.dumps(manifest, indent=2))
END
cat > push.sh <<'END'
for part in config.json layer.tar.gz; do
  UPLOAD=$(aws ecr initiate-layer-upload --repository-name $1 --query uploadId --output text)
  aws ecr upload-layer-part --repository-name $1 --upload-id $UPLOAD --layer-part-blob fileb://$part \\
    --part-first-byte 0 --part-last-byte $(($(wc -c < $part) - 1)) --query lastByteReceived
  aws ecr complete-layer-upload --repository-name $1 --upload-id $UPLOAD \\
    --layer-digests sha256:$(openssl dgst -sha256 -r $part | cut -d' ' -f1) --query layerDigest
done
aws ecr put-image --repository-name $1 --image-tag $2 --image-manifest file://manifest.json --query image.imageId
END
python3 pack.py model-1.json
cat manifest.json
sh push.sh {{lab.prefix}}fraud-score 1
```
"""

AGAIN = f"""
There is a better model. Put it into the image. First try to push it as version 1 once more:

```bash
cat > model-2.json <<'END'
{MODEL_2}END
python3 pack.py model-2.json
sh push.sh {{lab.prefix}}fraud-score 1 || echo "Refused, and that is right: 1 is taken."
```

The tag is taken, so it must be version 2. (With Docker: build with `--build-arg MODEL=model-2.json`, and push `:2`.)

```bash
aws ecr put-image --repository-name {{lab.prefix}}fraud-score --image-tag 2 \\
  --image-manifest file://manifest.json --query image.imageId
aws ecr describe-images --repository-name {{lab.prefix}}fraud-score \\
  --query 'imageDetails[].[imageTags[0],imageSizeInBytes,imageDigest]' --output table
```

The digest is the SHA-256 of the manifest. It can never point to another image. For a service that matters, deploy the
digest and not the tag.
"""

FINISH = """
Look once more at what is stored, and what it costs. Then press **Finish lab**: the repository is deleted with all
images in it. On your own machine, `docker image prune` throws away what you built.
"""

NO_DOCKER = (
    "Docker cannot push to the simulator. Take the way without Docker: it sends layers and manifest by ECR's calls. "
    "Nothing looks into the image, and nothing can run it."
)

LAB = Lab(
    slug="docker-first-image-ecr",
    title="ECR: the first ML container",
    summary="Make a repository that throws old images away, push a fraud model into it with Docker or by hand, and see "
    "why a tag should be used only once.",
    theme="Containers and serverless ML pipelines",
    minutes=50,
    hours=Decimal(2),
    wants=(),
    creates=("ecr-repository",),
    steps=(
        Step("make", "Make a repository", MAKE, is_made, play=play_make),
        Step("rule", "Say which images are thrown away", RULE, throws_old_images_away, play=play_rule),
        Step("push", "Push the first image", PUSH, is_pushed, expect=NO_DOCKER, play=play_push),
        Step("again", "Push a better model", AGAIN, is_pushed_again, expect=NO_DOCKER, play=play_push_again),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop(
        "Nothing stays in AWS: the repository is deleted with its images. What Docker built on your machine is yours."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the storage of two images: $0.10 per GB-month. Pushing is free."),
)
