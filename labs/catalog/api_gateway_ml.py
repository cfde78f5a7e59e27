"""Lab: a REST API in front of a function with a model: who may open the door, what callers see, what it counts."""

import json
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import STRANGE, callers_of, calls_of, role_of_a_function, the_model_as_a_function
from labs.catalog.looking import counted
from labs.kinds.base import Want

STAGE = "v1"
ASKED, WRONG = 2, 2  # how often a student asks rightly, and wrongly

# One path that API Gateway answers by itself (a mock), and one that it hands to the function.
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "fraud score", "version": "1"},
    "paths": {
        "/health": {
            "get": {
                "responses": {"200": {"description": "the door is there"}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {
                        "default": {"statusCode": "200", "responseTemplates": {"application/json": '{"door": "open"}'}}
                    },
                },
            }
        },
        "/score": {
            "post": {
                "responses": {"200": {"description": "how likely it is fraud"}},
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": "{fn.invoke_uri}",
                },
            }
        },
    },
}


# --- the checks ----------------------------------------------------------------------------------------------


def has_two_paths(view: StudentView) -> Checked:
    client, api = view.client("apigateway"), view.resources["api"]["aws_id"]
    stages = [stage["stageName"] for stage in client.get_stages(restApiId=api)["item"]]
    if STAGE not in stages:
        return Checked(False, f"The API has no stage {STAGE} any more: it answers nobody.")
    paths = client.get_resources(restApiId=api)["items"]
    doors = sorted(f"{method} {each['path']}" for each in paths for method in each.get("resourceMethods") or ())
    return Checked(True, f"The stage {STAGE} has {', '.join(doors)}.")


def lets_this_api_in(view: StudentView) -> Checked:
    api = view.resources["api"]["aws_id"]
    callers = callers_of(view, view.resources["fn"]["name"], "apigateway.amazonaws.com")
    if not callers:
        return Checked(False, "The function's policy does not let API Gateway in yet.")
    if not any(f":{api}/" in caller for caller in callers):
        return Checked(False, f"API Gateway may call it, but for which API? Name {api} in the source ARN.")
    if not all(f":{api}/" in caller for caller in callers):
        return Checked(False, "This API may call the function, but others may too. Remove the statement that is wider.")
    return Checked(True, f"The API {api} may call the function, and no other API may.")


def was_asked(view: StudentView) -> Checked:
    function = view.resources["fn"]["name"]
    return calls_of(view, function).told(ASKED, "the door is open, and leads to this function.")


def has_counted_errors(view: StudentView) -> Checked:
    api = view.resources["api"]
    since = view.client("apigateway").get_rest_api(restApiId=api["aws_id"])["createdDate"]
    calls, errors = (
        counted(view, f"AWS/ApiGateway {name}", since, ApiName=api["name"]) for name in ("Count", "4XXError")
    )
    if errors < WRONG:
        return Checked(
            False, f"Of {calls} calls {errors} had a mistake of the caller's (4XX). AWS shows them a minute later."
        )
    return Checked(True, f"Of {calls} calls {errors} had a mistake of the caller's (4XX). You pay for these too.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def call(view: StudentView, path: str, body: dict[str, Any] | None = None) -> int:
    """The status with which the API answers: to a GET, or to a POST of this body."""
    asked = Request(  # noqa: S310
        view.resources["api"]["url"] + path,
        None if body is None else json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urlopen(asked, timeout=30) as answer:  # noqa: S310  the address is the lab's own API
            return answer.status
    except HTTPError as error:
        return error.code


def play_open(view: StudentView) -> None:
    call(view, "/score", STRANGE)
    view.client("lambda").add_permission(
        FunctionName=view.resources["fn"]["name"],
        StatementId="from-this-api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{view.region}:{view.account_id}:{view.resources['api']['aws_id']}/*",
    )


def play_ask(view: StudentView) -> None:
    call(view, "/score", STRANGE)
    call(view, "/score", {"amount": 1})


def play_wrong(view: StudentView) -> None:
    call(view, "/scores", STRANGE)
    call(view, "/score")


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
The portal made a function with a small fraud model, and a REST API in front of it. Press **Get temporary credentials**
and paste them into your terminal (on Windows: Git Bash or WSL). Look at the doors of the API:

```bash
aws apigateway get-resources --rest-api-id {api.aws_id} --query 'items[].[path,keys(resourceMethods || `{}`)]'
aws apigateway get-stages --rest-api-id {api.aws_id} --query 'item[].[stageName,cacheClusterEnabled]'
curl -s {api.url}/health; echo
```

`/health` is answered by API Gateway itself, without any function. The stage `v1` is a published version of the API. It
has no cache: a cache costs by the hour, used or not, and is the only part of API Gateway that does.
"""

OPEN = """
Ask the other door:

```bash
curl -s -i {api.url}/score -H 'content-type: application/json' -d '{"amount_usd": 402.10, "merchant_type": "online"}'
echo
```

It answers with status 500, and the function's log knows nothing of it. The door may not open the room: a function says
by its own policy who may call it. Let this one API in.

```bash
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
aws lambda add-permission --function-name {fn.name} --statement-id from-this-api \\
  --action lambda:InvokeFunction --principal apigateway.amazonaws.com \\
  --source-arn "arn:aws:execute-api:{region}:$ACCOUNT:{api.aws_id}/*"
aws lambda get-policy --function-name {fn.name} --query Policy --output text
```

Without `--source-arn` every API of every account could call your function, on your bill.
"""

ASK = """
Ask a good question, and a bad one.

```bash
curl -s -i {api.url}/score -H 'content-type: application/json' -d '{"amount_usd": 402.10, "merchant_type": "online"}'
echo
curl -s -i {api.url}/score -H 'content-type: application/json' -d '{"amount": 1}'
echo
aws logs filter-log-events --log-group-name /aws/lambda/{fn.name} --query 'events[].message' --output text
```

The first answer has status 200 and says about 0.76. The second has status 400, because the function checks what it is
given. On AWS the log is some seconds behind.
"""

WRONG_CALLS = """
Callers make mistakes. Call a path that is not there, and a path with the wrong method:

```bash
curl -s -i {api.url}/scores -d '{}'; echo
curl -s -i {api.url}/score; echo
```

Both times a REST API says `403` and *Missing Authentication Token*. Many people then look for a token for an hour, and
have only mistyped the path. Now read what the API has counted. On AWS a call shows up one or two minutes later.

```bash
for metric in Count 4XXError 5XXError; do
  aws cloudwatch get-metric-statistics --namespace AWS/ApiGateway --metric-name $metric \\
    --dimensions Name=ApiName,Value={api.name} --period 3600 --statistics Sum \\
    --start-time $(($(date +%s) - 7200)) --end-time $(($(date +%s) + 60)) --query '[Label,Datapoints[0].Sum]'
done
```
"""

FINISH = """
An API that nobody calls costs nothing. But an open door that nobody watches will be found, and then it has calls. Press
**Finish lab**: the API goes first, then the function, its log and its role. AWS deletes one REST API in 30 seconds, so
a class that finishes together waits a little.
"""

HERE = "The API answers at an address of the simulator, and not of AWS."
NOBODY_BEHIND = (
    f"{HERE} A function runs only if the operator has turned that on. If not, the API answers with status 501 and the "
    "reason, the function's log says it too, and the check judges what is configured."
)

LAB = Lab(
    slug="api-gateway-ml",
    title="API Gateway: a door to your model",
    summary="A REST API stands in front of a function with a model. Open the door for this API alone, ask rightly and "
    "wrongly, and read what it counts.",
    theme="Containers and serverless ML pipelines",
    minutes=40,
    hours=Decimal(2),
    wants=(
        role_of_a_function("a function answers behind an API"),
        the_model_as_a_function(),
        Want("api", "api-gateway-rest", {"openapi": OPENAPI, "stage": STAGE}, needs=("fn",)),
    ),
    creates=("log-group",),
    steps=(
        Step("look", "Look at the doors", LOOK, has_two_paths, expect=HERE),
        Step("open", "Let this API call the function", OPEN, lets_this_api_in, play=play_open),
        Step("ask", "Ask the model through the API", ASK, was_asked, expect=NOBODY_BEHIND, play=play_ask),
        Step("wrong", "Ask wrongly, and see what is counted", WRONG_CALLS, has_counted_errors, play=play_wrong),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the API, the function, its log and its role are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls: a million calls of a REST API are $3.50."),
)
