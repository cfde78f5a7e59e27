"""Lab: image, container, registry: a program runs here, then in a container, and the layers show what an image is.

Docker is on the student's own computer, in practice mode as at AWS: what it says of itself is put into the bucket.
"""

import base64
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import MODEL_1, MODEL_2, SCORE, STRANGE
from labs.catalog.looking import put_file, text_if_there
from labs.kinds.base import Want

DOCKER = Path(__file__).with_name("kits") / "docker"
KIT = {
    **{path.name: path.read_text() for path in DOCKER.iterdir() if path.is_file()},
    "score.py": SCORE,
    "model-1.json": MODEL_1,
    "model-2.json": MODEL_2,
}
HERE, THERE, IMAGE, IMAGES = "here.json", "there.json", "image.json", "images.json"
PYTHON = "3.11."  # of the image


def fraud_of(model: str) -> float:
    """What score.py says of the strange payment (online) with this model."""
    said = json.loads(model)
    total = said["bias"] + said["weights"]["log_amount"] * math.log1p(float(str(STRANGE["amount_usd"])))
    return round(1 / (1 + math.exp(-total - said["weights"]["is_online"])), 4)


# --- the checks ----------------------------------------------------------------------------------------------


def told(view: StudentView, key: str) -> Any:
    """The JSON under the key, None where there is nothing of the kind."""
    try:
        return json.loads(text_if_there(view, key) or "null")
    except ValueError:
        return None


def answer(view: StudentView, key: str) -> dict[str, Any] | None:
    """What predict.py printed; None where the file is not that."""
    said = told(view, key)
    return said if isinstance(said, dict) and {"fraud", "python", "machine"} <= said.keys() else None


def layers(image: Any, tag: str) -> list[str]:
    """Of what `docker image inspect` says of one image: its layers, [] where it is no image of that tag."""
    try:
        return [str(layer) for layer in image["RootFS"]["Layers"]] if tag in image["RepoTags"] else []
    except (KeyError, TypeError):
        return []


def runs_here(view: StudentView) -> Checked:
    said = answer(view, HERE)
    if said is None:
        return Checked(False, f"The bucket has no {HERE} of predict.py yet.")
    if said["fraud"] != fraud_of(MODEL_1):
        return Checked(False, f"It says {said['fraud']}, and should say {fraud_of(MODEL_1)}. Is it the kit's model?")
    return Checked(True, f"{said['fraud']}, by Python {said['python']} on {said['machine']}: it works on your machine.")


def is_built(view: StudentView) -> Checked:
    found = told(view, IMAGE)
    made = layers(found[0], "fraud:1") if isinstance(found, list) and found else []
    if not made:
        return Checked(False, f"The bucket has no {IMAGE} of fraud:1 yet.")
    return Checked(True, f"fraud:1 has {len(made)} layers. Only the last two or three are yours.")


def runs_there(view: StudentView) -> Checked:
    here, there = answer(view, HERE), answer(view, THERE)
    if here is None or there is None:
        return Checked(False, f"The bucket has no {HERE if here is None else THERE} of predict.py yet.")
    if not str(there["python"]).startswith(PYTHON) or there["machine"] == here["machine"]:
        return Checked(False, f"Python {there['python']} on {there['machine']} is not the container. Use docker run.")
    if there["fraud"] != here["fraud"]:
        return Checked(False, f"The container says {there['fraud']}, and your machine said {here['fraud']}.")
    return Checked(True, f"{there['fraud']} again, by Python {there['python']} on {there['machine']}.")


def shares_layers(view: StudentView) -> Checked:
    found = told(view, IMAGES)
    if not isinstance(found, list) or len(found) != 2:
        return Checked(False, f"The bucket has no {IMAGES} of two images yet.")
    one, two = layers(found[0], "fraud:1"), layers(found[1], "fraud:2")
    if not one or not two:
        return Checked(False, f"{IMAGES} is not of fraud:1 and fraud:2, in this order.")
    if one == two:
        return Checked(False, "Both have the same layers. Build fraud:2 with the other model.")
    shared = common(one, two)
    if not shared:
        return Checked(False, "They have no layer in common. Build both from the kit's Dockerfile.")
    return Checked(True, f"They share {shared} of {len(one)} layers: a push of fraud:2 sends {len(two) - shared}.")


def common(one: Sequence[str], two: Sequence[str]) -> int:
    """How many are the same from the first on."""
    return next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_here(view: StudentView) -> None:
    put_file(view, HERE, json.dumps({"fraud": fraud_of(MODEL_1), "python": "3.12.4", "machine": "laptop"}))


def play_build(view: StudentView) -> None:
    put_file(view, IMAGE, json.dumps([image("fraud:1", "e")]))


def play_run(view: StudentView) -> None:
    put_file(view, THERE, json.dumps({"fraud": fraud_of(MODEL_1), "python": "3.11.9", "machine": "0a1b2c3d4e5f"}))


def play_again(view: StudentView) -> None:
    put_file(view, IMAGES, json.dumps([image("fraud:1", "e"), image("fraud:2", "f")]))


def image(tag: str, last: str) -> dict[str, Any]:
    """What Docker tells of an image, as far as a check looks at it."""
    return {"RepoTags": [tag], "RootFS": {"Layers": [f"sha256:{each * 64}" for each in f"abcd{last}"]}}


# --- the words -----------------------------------------------------------------------------------------------

HERE_WORDS = """
This lab needs Docker on your own computer; in AWS there is only a bucket, for the kit and for what you show. (No
Docker? Read the steps here, then do the ECR lab: it has a way without Docker.)

Press **Get temporary credentials**, paste them into your terminal (on Windows: WSL), fetch the kit, and run the program
as it is:

```bash
aws s3 cp s3://{bucket.name}/kit/ . --recursive
python3 predict.py 402.10 online
python3 predict.py 402.10 online > here.json
aws s3 cp here.json s3://{bucket.name}/here.json
```

It works on your machine. On which Python? A colleague has another one, and a library in another version. This is where
"but it works on my machine" comes from.
"""

BUILD = """
An **image** is a packed folder with everything that the program needs, Python included. The recipe is the `Dockerfile`.
Read it, then build:

```bash
cat Dockerfile
docker build -t fraud:1 .
docker image inspect fraud:1 > image.json
aws s3 cp image.json s3://{bucket.name}/image.json
```

`fraud` is the name and `1` the **tag**. In `image.json`, look at `RootFS`: each line is a **layer**, and its number is
the SHA-256 of what is in it.
"""

RUN = """
A **container** is an image at work: a process of your computer that sees the image's files and not yours. `--rm` throws
the container away when the program has ended; the image stays.

```bash
docker run --rm fraud:1 402.10 online
docker run --rm fraud:1 402.10 online > there.json
aws s3 cp there.json s3://{bucket.name}/there.json
```

The same number, by another Python, on a machine with a name that nobody gave it. Whoever runs `fraud:1`, here or at
AWS, gets exactly this.
"""

AGAIN = """
There is a better model. Build it as `fraud:2`, and watch how many lines say `CACHED`:

```bash
docker build --build-arg MODEL_FILE=model-2.json -t fraud:2 .
docker run --rm fraud:2 402.10 online
docker image inspect fraud:1 fraud:2 > images.json
aws s3 cp images.json s3://{bucket.name}/images.json
```

Only the layer with the model is new, because the recipe copies it last. A **registry** keeps layers, each once: pushing
`fraud:2` sends a few hundred bytes, and not Python once more. What would change if the model were copied first?
"""

FINISH = """
Press **Finish lab**: the bucket goes. The images are on your own computer, and are yours to delete:
`docker image rm fraud:1 fraud:2`. In the ECR lab you push such an image into a registry.
"""

LAB = Lab(
    slug="docker-basics",
    title="Docker: image, container, layers",
    summary="Run a small model on your machine, then in a container, and see which layers a second version shares with "
    "the first.",
    theme="Containers and serverless ML pipelines",
    minutes=40,
    hours=Decimal(2),
    wants=(
        Want(
            "bucket",
            "s3-bucket",
            {"objects": {f"kit/{name}": base64.b64encode(text.encode()).decode() for name, text in KIT.items()}},
        ),
    ),
    steps=(
        Step("here", "Run it on your machine", HERE_WORDS, runs_here, play=play_here),
        Step("build", "Build an image", BUILD, is_built, play=play_build),
        Step("run", "Run it in a container", RUN, runs_there, play=play_run),
        Step("again", "Build a second version", AGAIN, shares_layers, play=play_again),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays in AWS: the bucket is deleted. What Docker built on your machine is yours."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3. Docker on your own computer costs nothing."),
)
