"""Lab: the first function with a model in it, its limits, and a new model that can be taken back."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import (
    HANDLER,
    MODEL_1,
    MODEL_2,
    NO_CODE,
    RUNTIME,
    SCORE,
    STRANGE,
    USUAL,
    ask,
    calls_of,
    function_of,
    role_of_a_function,
)
from labs.kinds.lambda_code import zip_of

MEMORY, TIMEOUT = 512, 10
OLD, NEW = "2025-09-15", "2025-09-22"


def name_of(view: StudentView) -> str:
    return f"{view.prefix}fraud-score"


# --- the checks ----------------------------------------------------------------------------------------------


def is_created(view: StudentView) -> Checked:
    found = function_of(view, name_of(view))
    if found is None:
        return Checked(False, f"There is no function {name_of(view)} in {view.region} yet.")
    if found["Handler"] != HANDLER:
        return Checked(False, f"Its handler is {found['Handler']}. The file is score.py, so it must be {HANDLER}.")
    if found["Role"] != view.resources["role"]["arn"]:
        return Checked(False, f"It has another role than {view.resources['role']['name']}.")
    if found["State"] != "Active":
        return Checked(False, f"The function is {found['State']}. Wait some seconds, until it is Active.")
    return Checked(True, f"It is Active: {found['MemorySize']} MB, {found['CodeSize']} bytes of code, its own role.")


def was_asked(view: StudentView) -> Checked:
    found = function_of(view, name_of(view))
    if found is None:
        return Checked(False, f"There is no function {name_of(view)} yet (step 1).")
    return calls_of(view, name_of(view)).told(2, f"it is {found['State']} and its handler is {found['Handler']}.")


def has_room(view: StudentView) -> Checked:
    found = function_of(view, name_of(view))
    if found is None:
        return Checked(False, f"There is no function {name_of(view)} yet (step 1).")
    has = f"It has {found['MemorySize']} MB and {found['Timeout']} seconds."
    if (found["MemorySize"], found["Timeout"]) != (MEMORY, TIMEOUT):
        return Checked(False, f"{has} Give it {MEMORY} MB and {TIMEOUT} seconds.")
    return Checked(True, f"{has} A call that takes longer is ended by AWS, and you pay for the time until then.")


def answers_with_the_new_model(view: StudentView) -> Checked:
    found = function_of(view, name_of(view))
    if found is None:
        return Checked(False, f"There is no function {name_of(view)} yet (step 1).")
    chosen = found.get("Environment", {}).get("Variables", {}).get("MODEL")
    if chosen != "model-2.json":
        return Checked(False, f"The variable MODEL is {chosen or 'not set'}. Set it to model-2.json.")
    calls = calls_of(view, name_of(view))
    if any(NEW in line for line in calls.lines):
        return Checked(True, f"Its log shows answers of model {NEW}. To go back, set MODEL to model-1.json.")
    if calls.not_run:
        return Checked(
            True, f"MODEL is model-2.json. {calls.not_run[-1]} So nobody can see here if model-2.json is in the zip."
        )
    return Checked(False, f"MODEL is model-2.json, but its log shows no answer of model {NEW} yet. Ask it once more.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_create(view: StudentView) -> None:
    view.client("lambda").create_function(
        FunctionName=name_of(view),
        Runtime=RUNTIME,
        Handler=HANDLER,
        Role=view.resources["role"]["arn"],
        Code={"ZipFile": zip_of({"score.py": SCORE, "model-1.json": MODEL_1})},
    )


def play_ask(view: StudentView) -> None:
    for payment in (USUAL, STRANGE):
        ask(view, name_of(view), payment)


def play_room(view: StudentView) -> None:
    view.client("lambda").update_function_configuration(FunctionName=name_of(view), MemorySize=MEMORY, Timeout=TIMEOUT)


def play_new_model(view: StudentView) -> None:
    client, name = view.client("lambda"), name_of(view)
    files = {"score.py": SCORE, "model-1.json": MODEL_1, "model-2.json": MODEL_2}
    client.update_function_code(FunctionName=name, ZipFile=zip_of(files))
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"MODEL": "model-2.json"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    ask(view, name)


# --- the words -----------------------------------------------------------------------------------------------

CREATE = f"""
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Write the program
and its model. The model is a logistic regression with three weights, so it needs no library.

```bash
cat > score.py <<'END'
{SCORE}END
cat > model-1.json <<'END'
{MODEL_1}END
python3 -c 'import score; print(score.handler({{"amount_usd": 402.10, "merchant_type": "online"}}, None))'
```

The last line calls the handler on your own computer, as Lambda will. Only what works here is worth uploading. A
function is a zip and a role. The portal made the role: it may write a log, and nothing else.

```bash
python3 -m zipfile -c function.zip score.py model-1.json
aws lambda create-function --function-name {{lab.prefix}}fraud-score --runtime {RUNTIME} --handler {HANDLER} \\
  --role {{role.arn}} --zip-file fileb://function.zip --query '[FunctionName,State,MemorySize,CodeSize]'
aws lambda wait function-active-v2 --function-name {{lab.prefix}}fraud-score
```
"""

ASK = """
Ask it about a usual payment, and about a strange one.

```bash
echo '{"amount_usd": 18.40, "merchant_type": "grocery"}' > usual.json
echo '{"amount_usd": 402.10, "merchant_type": "online"}' > strange.json
for payment in usual strange; do
  aws lambda invoke --function-name {lab.prefix}fraud-score --payload fileb://$payment.json answer.json \\
    && cat answer.json; echo
done
```

The usual one gets about 0.14, the strange one about 0.76. What the function printed stands in its log, and how long it
took. On AWS the log is some seconds behind.

```bash
aws logs filter-log-events --log-group-name /aws/lambda/{lab.prefix}fraud-score --query 'events[].message' --output text
```

Look for `Duration` and `Billed Duration`. The first call took longer: it was a cold start.
"""

ROOM = f"""
A function has limits:

| Limit | From | To |
|---|---|---|
| memory | 128 MB | 10 GB |
| time of one call | 1 second | 15 minutes |
| space in `/tmp` | 512 MB | more for money |

It got the least memory (128 MB) and 3 seconds. CPU grows with memory, so more memory can make a model quicker.

```bash
aws lambda update-function-configuration --function-name {{lab.prefix}}fraud-score \\
  --memory-size {MEMORY} --timeout {TIMEOUT} --query '[MemorySize,Timeout]'
aws lambda wait function-updated-v2 --function-name {{lab.prefix}}fraud-score
```

You pay for memory x time. A call of 0.1 seconds with 0.5 GB is 0.5 x 0.1 x $0.0000166667: a million of them cost $0.83,
and $0.20 for the requests.
"""

NEW_MODEL = f"""
There is a better model. Put it **beside** the old one, and say by a variable which of them answers. To go back you then
change one variable, and upload nothing.

```bash
cat > model-2.json <<'END'
{MODEL_2}END
export MODEL=model-2.json
python3 -c 'import score; print(score.handler({{"amount_usd": 402.10, "merchant_type": "online"}}, None))'
python3 -m zipfile -c function.zip score.py model-1.json model-2.json
NAME={{lab.prefix}}fraud-score
aws lambda update-function-code --function-name $NAME --zip-file fileb://function.zip --query CodeSize
aws lambda wait function-updated-v2 --function-name $NAME
aws lambda update-function-configuration --function-name $NAME \\
  --environment 'Variables={{MODEL=model-2.json}}' --query Environment
aws lambda wait function-updated-v2 --function-name $NAME
```

Ask it once more. Each answer says which model gave it.

```bash
aws lambda invoke --function-name {{lab.prefix}}fraud-score --payload fileb://strange.json answer.json \\
  && cat answer.json; echo
```
"""

FINISH = """
A function that nobody calls costs nothing. But its log stays for ever if nobody deletes it. Press **Finish lab**: the
function, its log and its role are deleted, and the portal shows you the proof.
"""

LAB = Lab(
    slug="lambda-first-ml",
    title="Lambda: the first function with a model",
    summary="Put a small fraud model into a function, ask it, read its log, give it more memory, "
    "and replace the model so that you can go back.",
    theme="Containers and serverless ML pipelines",
    minutes=45,
    hours=Decimal(2),
    wants=(role_of_a_function("a function answers with a small model"),),
    creates=("lambda-function", "log-group"),
    steps=(
        Step("create", "Make the function", CREATE, is_created, play=play_create),
        Step("ask", "Ask it, and read its log", ASK, was_asked, expect=NO_CODE, play=play_ask),
        Step("room", "Give it more memory and time", ROOM, has_room, play=play_room),
        Step(
            "new-model",
            "Replace the model",
            NEW_MODEL,
            answers_with_the_new_model,
            expect=NO_CODE,
            play=play_new_model,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the function, its log and its role are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "$0.01 of that sum is for the calls of the function: a million calls are $0.20, and their time."
    ),
)
