"""Lab: a library as a layer, and its next version, which a function gets only when it is told."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import NO_CODE, RUNTIME, STRANGE, ask, calls_of, function_of, role_of_a_function
from labs.kinds.base import Want
from labs.kinds.lambda_code import zip_of

IN_THE_ZIP = "python/features.py"

# The function of the lab: it imports what only the layer has.
APP = """\
from features import VERSION, features_of


def handler(event, context):
    answer = {"features": features_of(event), "library": VERSION}
    print(answer)
    return answer
"""
FEATURES_1 = """\
import math

VERSION = "1"


def features_of(payment):
    return {"log_amount": math.log1p(float(payment["amount_usd"]))}
"""
FEATURES_2 = """\
import math

VERSION = "2"


def features_of(payment):
    return {
        "log_amount": math.log1p(float(payment["amount_usd"])),
        "is_online": payment.get("merchant_type") == "online",
    }
"""


def name_of(view: StudentView) -> str:
    return f"{view.prefix}features"


# --- the checks ----------------------------------------------------------------------------------------------


def misses_its_library(view: StudentView) -> Checked:
    return calls_of(view, fn(view)).told(1, "it has no layer, so it cannot import features.")


def fn(view: StudentView) -> str:
    return view.resources["fn"]["name"]


def versions(view: StudentView) -> list[dict[str, Any]]:
    """Of the student's layer, the newest first."""
    return view.client("lambda").list_layer_versions(LayerName=name_of(view))["LayerVersions"]


def is_published(view: StudentView) -> Checked:
    found = versions(view)
    if not found:
        return Checked(False, f"There is no layer {name_of(view)} in {view.region} yet.")
    if RUNTIME not in found[0].get("CompatibleRuntimes", ()):
        return Checked(False, f"Its newest version does not say that it is for {RUNTIME}. Publish it once more.")
    return Checked(True, f"Version {found[0]['Version']} of {name_of(view)} is there.")


def attached(view: StudentView) -> list[str]:
    """The ARNs of the function's layers that are the student's."""
    found = function_of(view, fn(view)) or {}
    return [layer["Arn"] for layer in found.get("Layers", ()) if f":layer:{name_of(view)}:" in layer["Arn"]]


def has_the_layer(view: StudentView) -> Checked:
    if not attached(view):
        return Checked(False, f"The function has no layer {name_of(view)} yet.")
    return answered(view, "1", f"The function has {attached(view)[0].rsplit(':', 2)[1]}.")


def has_the_next_version(view: StudentView) -> Checked:
    if len(versions(view)) < 2:
        return Checked(False, f"There is one version of {name_of(view)}. Change features.py, and publish the next one.")
    newest = versions(view)[0]
    if newest["LayerVersionArn"] not in attached(view):
        has = ", ".join(arn.rsplit(":", 1)[1] for arn in attached(view)) or "none"
        return Checked(
            False, f"The newest version is {newest['Version']}. The function has version {has}: it stays so until told."
        )
    return answered(view, "2", f"The function has version {newest['Version']}.")


def answered(view: StudentView, library: str, has: str) -> Checked:
    """Passed when the function has answered with that version of the library; where nothing runs, by what it has."""
    calls = calls_of(view, fn(view))
    if any(f"'library': '{library}'" in line for line in calls.lines):
        return Checked(True, f"{has} It has answered with version {library} of the library.")
    if calls.not_run:
        return Checked(True, f"{has} {calls.not_run[-1]} So what is in the zip cannot be judged here.")
    return Checked(False, f"{has} But its log shows no answer with version {library} of the library yet. Ask it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_without(view: StudentView) -> None:
    ask(view, fn(view), STRANGE)


def publish(view: StudentView, library: str) -> str:
    published = view.client("lambda").publish_layer_version(
        LayerName=name_of(view), Content={"ZipFile": zip_of({IN_THE_ZIP: library})}, CompatibleRuntimes=[RUNTIME]
    )
    return published["LayerVersionArn"]


def attach(view: StudentView, arn: str) -> None:
    client = view.client("lambda")
    client.update_function_configuration(FunctionName=fn(view), Layers=[arn])
    client.get_waiter("function_updated_v2").wait(FunctionName=fn(view))
    ask(view, fn(view), STRANGE)


def play_publish(view: StudentView) -> None:
    publish(view, FEATURES_1)


def play_attach(view: StudentView) -> None:
    attach(view, versions(view)[0]["LayerVersionArn"])


def play_next(view: StudentView) -> None:
    attach(view, publish(view, FEATURES_2))


# --- the words -----------------------------------------------------------------------------------------------

WITHOUT = f"""
The portal made a function. Its program begins like this:

```text
{APP.splitlines()[0]}
```

`features` is a library of yours, and nobody has given it to the function. Press **Get temporary credentials**, paste
them into your terminal (on Windows: Git Bash or WSL), and ask it all the same:

```bash
echo '{{"amount_usd": 402.10, "merchant_type": "online"}}' > strange.json
aws lambda invoke --function-name {{fn.name}} --payload fileb://strange.json answer.json \\
  && cat answer.json; echo
aws logs filter-log-events --log-group-name /aws/lambda/{{fn.name}} --query 'events[].message' --output text
```

The answer is `Unable to import module`. You will meet this sentence again: it means that the zip, or a layer, lacks
something.
"""

PUBLISH = f"""
A layer is a zip with libraries only. Several functions share it, so that each of them stays small. Python looks for it
in the folder `python/`: a zip without this folder is taken, and helps nobody.

```bash
mkdir -p layer/python
cat > layer/{IN_THE_ZIP} <<'END'
{FEATURES_1}END
(cd layer && python3 -m zipfile -c ../layer.zip python/)
python3 -m zipfile -l layer.zip
aws lambda publish-layer-version --layer-name {{lab.prefix}}features --zip-file fileb://layer.zip \\
  --compatible-runtimes {RUNTIME} --query '[Version,Content.CodeSize]'
```

Code and layers together may be 250 MB unpacked. For a library with compiled parts, the zip must be made for Linux:
NumPy from a Mac does not run there.
"""

ATTACH = """
Give version 1 to the function, and ask again.

```bash
LAYER=$(aws lambda get-layer-version --layer-name {lab.prefix}features --version-number 1 \\
  --query LayerVersionArn --output text)
aws lambda update-function-configuration --function-name {fn.name} --layers $LAYER --query 'Layers[].Arn'
aws lambda wait function-updated-v2 --function-name {fn.name}
aws lambda invoke --function-name {fn.name} --payload fileb://strange.json answer.json \\
  && cat answer.json; echo
```

`--layers` replaces the whole list. A function that has two, and is told one, has one.
"""

NEXT = f"""
Make the library better, and publish it again. A version never changes, so this is version 2.

```bash
cat > layer/{IN_THE_ZIP} <<'END'
{FEATURES_2}END
(cd layer && python3 -m zipfile -c ../layer.zip python/)
LAYER=$(aws lambda publish-layer-version --layer-name {{lab.prefix}}features --zip-file fileb://layer.zip \\
  --compatible-runtimes {RUNTIME} --query LayerVersionArn --output text)
aws lambda get-function-configuration --function-name {{fn.name}} --query 'Layers[].Arn'
```

The function still has version 1, and this is good: nobody's function changes because you published something. Tell it:

```bash
LAYER=$(aws lambda get-layer-version --layer-name {{lab.prefix}}features --version-number 2 \\
  --query LayerVersionArn --output text)
aws lambda update-function-configuration --function-name {{fn.name}} --layers $LAYER --query 'Layers[].Arn'
aws lambda wait function-updated-v2 --function-name {{fn.name}}
aws lambda invoke --function-name {{fn.name}} --payload fileb://strange.json answer.json \\
  && cat answer.json; echo
```
"""

FINISH = """
A layer costs nothing. Press **Finish lab**: the function, its log, both versions of the layer and the role are deleted.
A function that has a layer keeps it, also when the version is deleted. But no other function can be given it any more.
"""

LAB = Lab(
    slug="lambda-layer",
    title="Lambda: a library as a layer",
    summary="A function lacks a library. Publish it as a layer, give it to the function, and see that the next version "
    "comes only when you say so.",
    theme="Containers and serverless ML pipelines",
    minutes=35,
    hours=Decimal(2),
    wants=(
        role_of_a_function("a function takes its library from a layer"),
        Want(
            "fn",
            "lambda-function",
            {
                "role_arn": "{role.arn}",
                "code": {"zip_files": {"app.py": APP}},
                "runtime": RUNTIME,
                "handler": "app.handler",
            },
            needs=("role",),
        ),
    ),
    creates=("lambda-layer-version", "log-group"),
    steps=(
        Step(
            "without",
            "Ask a function that lacks a library",
            WITHOUT,
            misses_its_library,
            expect=NO_CODE,
            play=play_without,
        ),
        Step("publish", "Publish the library as a layer", PUBLISH, is_published, play=play_publish),
        Step("attach", "Give the layer to the function", ATTACH, has_the_layer, expect=NO_CODE, play=play_attach),
        Step("next", "Publish the next version", NEXT, has_the_next_version, expect=NO_CODE, play=play_next),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the function, its log, the layer and the role are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "$0.01 of that sum is for the calls of the function: a million calls are $0.20, and their time."
    ),
)
