"""The addresses of API Gateway in practice mode: what a browser, curl or a student's own code gets from a stage."""

import json
import urllib.error
import urllib.request
from contextlib import suppress

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from labs.simulator import OPERATOR_HEADER
from labs.simulator.execute_api import matching
from labs.tests.account_with_functions import AccountWithFunctions
from labs.tests.kinds.examples.api_gateway import MOCK, STATUS

pytestmark = pytest.mark.simulator
bwrap = pytest.mark.bwrap

TELLS = "def handler(event, context):\n    return {'statusCode': 200, 'body': __import__('json').dumps(event)}"


def get(url, method="GET", body=None, **headers):
    """(status, body as JSON or text, headers) of what anybody gets."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        text = answer.read().decode()
    with suppress(ValueError):
        text = json.loads(text)
    return answer.status, text, answer.headers


def uri_of(function):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


def proxy(function):
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri_of(function)}}


def rest(practice, paths, stage="prod", **document):
    """The address of a stage of a REST API with these paths, and the API's id."""
    client = practice.client("apigateway")
    body = {"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": paths, **document}
    api = client.import_rest_api(body=json.dumps(body).encode())["id"]
    client.create_deployment(restApiId=api, stageName=stage)
    return f"{practice.simulator.url}/execute-api/{api}/{stage}", api


def http(practice, **asked):
    made = practice.client("apigatewayv2").create_api(Name="shop", ProtocolType="HTTP", **asked)
    return f"{practice.simulator.url}/execute-api/{made['ApiId']}", made["ApiId"]


# --- which path answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "template", "params"),
    [
        ("/", "/", {}),
        ("/pets", "/pets", {}),
        ("/pets/", "/pets", {}),
        ("/pets/7", "/pets/{id}", {"id": "7"}),
        ("/pets/new", "/pets/new", {}),
        ("/pets/7/toys", "/{proxy+}", {"proxy": "pets/7/toys"}),
        ("/other", "/{proxy+}", {"proxy": "other"}),
    ],
)
def test_the_most_exact_path_answers(path, template, params):
    templates = ["/{proxy+}", "/pets/{id}", "/pets", "/pets/new", "/"]
    assert next(matching(templates, path)) == (template, params)


def test_a_path_that_fits_nothing_has_no_answer():
    assert list(matching(["/", "/pets/{id}"], "/pets/7/toys")) == []


# --- mocks, and what is not there ----------------------------------------------------------------------------


def test_a_mock_answers_and_is_counted(practice):
    url, _ = rest(practice, STATUS["paths"])
    status, said, headers = get(f"{url}/status")
    assert (status, said, headers["content-type"]) == (200, {"status": "up"}, "application/json")
    assert practice.summed("AWS/ApiGateway Count", ApiName="shop") == 1


def test_a_mock_chooses_its_answer_by_the_status_that_its_request_names(practice):
    answers = {
        "default": {"statusCode": "200"},
        "4\\d\\d": {"statusCode": "418", "responseTemplates": {"application/json": '{"tea": true}'}},
    }
    asks = {"requestTemplates": {"application/json": '{"statusCode": 404}'}}
    url, _ = rest(
        practice, {"/tea": {"get": {"x-amazon-apigateway-integration": MOCK | asks | {"responses": answers}}}}
    )
    assert get(f"{url}/tea")[:2] == (418, {"tea": True})


def test_a_template_with_variables_is_not_guessed_at(practice):
    answers = {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"at": $context.path}'}}}
    url, _ = rest(practice, {"/at": {"get": {"x-amazon-apigateway-integration": MOCK | {"responses": answers}}}})
    status, said, _ = get(f"{url}/at")
    assert status == 501 and "mapping templates of plain text" in said["message"]


@pytest.mark.parametrize(
    ("path", "method", "status", "message"),
    [
        ("/none", "GET", 403, "Missing Authentication Token"),
        ("/status", "DELETE", 403, "Missing Authentication Token"),
        ("/../test/status", "GET", 403, "Forbidden"),
    ],
)
def test_what_is_not_there_is_refused_as_aws_refuses_it(practice, path, method, status, message):
    url, _ = rest(practice, STATUS["paths"])
    target = f"{url.rsplit('/', 1)[0]}/test/status" if ".." in path else url + path
    assert get(target, method)[:2] == (status, {"message": message})


def test_an_api_that_is_gone_or_never_was_is_forbidden(practice):
    url, api = rest(practice, STATUS["paths"])
    practice.client("apigateway").delete_rest_api(restApiId=api)
    assert get(f"{url}/status")[:2] == (403, {"message": "Forbidden"})


def test_any_method_of_an_import_answers_every_method(practice):
    url, _ = rest(practice, {"/all": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": MOCK}}})
    for method in ("GET", "PUT", "PATCH"):
        assert get(f"{url}/all", method)[0] == 200


def test_what_leads_out_of_the_simulator_is_not_reached(practice):
    out = {"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:1/"}
    url, _ = rest(practice, {"/out": {"get": {"x-amazon-apigateway-integration": out}}})
    status, said, _ = get(f"{url}/out")
    assert status == 501 and "not for HTTP_PROXY" in said["message"]


# --- who may -------------------------------------------------------------------------------------------------


def test_a_method_that_asks_for_a_key_opens_to_a_key_of_its_usage_plan(practice):
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    closed = {"security": [{"key": []}], "x-amazon-apigateway-integration": MOCK}
    url, api = rest(practice, {"/closed": {"get": closed}}, components=schemes)
    client = practice.client("apigateway")
    key = client.create_api_key(name="aye", enabled=True)
    plan = client.create_usage_plan(name="class", apiStages=[{"apiId": api, "stage": "prod"}])["id"]
    assert get(f"{url}/closed", x_api_key=key["value"])[0] == 403, "the key is in no plan of the stage yet"
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert get(f"{url}/closed", x_api_key=key["value"])[:2] == (200, {"status": "up"})
    assert get(f"{url}/closed", x_api_key="guessed")[:2] == (403, {"message": "Forbidden"})
    assert get(f"{url}/closed")[0] == 403


def signed(practice, url):
    keys = {name.removeprefix("aws_"): value for name, value in practice.keys.items()}
    credentials = Credentials(keys["access_key_id"], keys["secret_access_key"], keys["session_token"])
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers)


def test_a_method_for_the_accounts_own_people_asks_for_their_signature(practice, simulator):
    url, api = rest(practice, STATUS["paths"])
    client = practice.client("apigateway")
    (resource,) = [one["id"] for one in client.get_resources(restApiId=api)["items"] if one["path"] == "/status"]
    client.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="AWS_IAM")
    client.put_integration(
        restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK", requestTemplates=MOCK["requestTemplates"]
    )
    client.put_integration_response(restApiId=api, resourceId=resource, httpMethod="GET", statusCode="200")
    assert get(f"{url}/status")[:2] == (403, {"message": "Missing Authentication Token"})
    assert get(f"{url}/status", **signed(practice, f"{url}/status"))[0] == 200
    bo = AccountWithFunctions(simulator)
    assert get(f"{url}/status", **signed(bo, f"{url}/status"))[0] == 403
    forged = signed(practice, f"{url}/other")
    assert get(f"{url}/status", **forged)[0] in (400, 403)


# --- functions behind them -----------------------------------------------------------------------------------


def test_where_nothing_runs_code_a_function_behind_an_api_says_so(practice):
    arn = practice.function()
    practice.let_in("apigateway.amazonaws.com")
    for url in (rest(practice, {"/predict": {"post": proxy(arn)}})[0], http(practice, Target=arn)[0]):
        status, said, _ = get(f"{url}/predict", "POST", b"{}")
        assert status == 501 and "Practice mode does not run code here" in said["message"]


def test_a_function_that_does_not_let_the_api_in_is_not_called(practice):
    arn = practice.function()
    url, _ = http(practice, Target=arn)
    status, said, _ = get(f"{url}/predict")
    assert (status, said["message"]) == (500, "Internal Server Error")
    assert "its policy does not let this API invoke it" in said["practice_mode"]
    practice.let_in("apigateway.amazonaws.com", source=f"arn:aws:execute-api:us-east-1:{practice.account}:another/*")
    assert get(f"{url}/predict")[0] == 500


def test_nobodys_function_is_reached_from_anothers_api(practice, simulator):
    bo = AccountWithFunctions(simulator)
    arn = bo.function()
    bo.let_in("apigateway.amazonaws.com")
    url, _ = http(practice, Target=arn)
    assert get(f"{url}/")[0] == 500


@bwrap
def test_a_rest_api_hands_its_function_the_call_and_the_caller_its_answer(running):
    arn = running.function(TELLS)
    running.let_in("apigateway.amazonaws.com", source=f"arn:aws:execute-api:us-east-1:{running.account}:*")
    url, api = rest(running, {"/pets/{id}": {"put": proxy(arn)}})
    status, event, _ = get(f"{url}/pets/ma%C3%AFa?a=1&a=2", "PUT", b'{"n": 1}', Content_Type="application/json")
    assert status == 200
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/pets/{id}", "/pets/maïa", "PUT")
    assert event["pathParameters"] == {"id": "maïa"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
    assert event["headers"]["Content-Type"] == "application/json"
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["stage"]) == (running.account, api, "prod")
    assert running.counted("Invocations") == 1


@bwrap
def test_an_http_api_hands_on_format_two_and_takes_any_json_for_an_answer(running):
    arn = running.function("def handler(event, context):\n    return event")
    running.let_in("apigateway.amazonaws.com")
    url, _ = http(running, Target=arn, RouteKey="GET /pets/{id}")
    status, event, headers = get(f"{url}/pets/7?a=1&a=2")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "GET /pets/{id}", "/pets/7")
    assert (event["pathParameters"], event["queryStringParameters"]) == ({"id": "7"}, {"a": "1,2"})
    assert event["requestContext"]["http"]["method"] == "GET"
    assert get(f"{url}/pets/7", "POST")[:2] == (404, {"message": "Not Found"})
    assert running.summed("AWS/ApiGateway 4xx", ApiId=url.rsplit("/", 1)[1]) == 1


@bwrap
@pytest.mark.parametrize(
    ("answer", "rest_says", "http_says"),
    [
        ("{'statusCode': 201, 'headers': {'X-Mine': 'a'}, 'body': 'made'}", (201, "made"), (201, "made")),
        ("{'statusCode': 200, 'body': 'aGk=', 'isBase64Encoded': True}", (200, "hi"), (200, "hi")),
        ("{'statusCode': 204}", (204, ""), (204, "")),
        ("{'n': 1}", (502, {"message": "Internal server error"}), (200, {"n": 1})),
        ("'words'", (502, {"message": "Internal server error"}), (200, "words")),
        (
            "{'statusCode': 'no'}",
            (502, {"message": "Internal server error"}),
            (500, {"message": "Internal Server Error"}),
        ),
        (
            "{'statusCode': 200, 'body': {'a': 1}}",
            (502, {"message": "Internal server error"}),
            (500, {"message": "Internal Server Error"}),
        ),
        ("1 / 0", (502, {"message": "Internal server error"}), (500, {"message": "Internal Server Error"})),
    ],
)
def test_what_a_function_answers_is_taken_as_each_format_takes_it(running, answer, rest_says, http_says):
    arn = running.function(f"def handler(event, context):\n    return {answer}")
    running.let_in("apigateway.amazonaws.com")
    assert get(f"{rest(running, {'/f': {'get': proxy(arn)}})[0]}/f")[:2] == rest_says
    assert get(f"{http(running, Target=arn)[0]}/f")[:2] == http_says


# --- between a stranger's code and a browser -----------------------------------------------------------------


@bwrap
def test_no_cookie_goes_to_a_function_and_none_comes_from_one(running):
    """The portal's session cookie is of this host, whatever the port: a function could keep it in its log."""
    code = """
import json

def handler(event, context):
    headers = {"Set-Cookie": "sessionid=mine", "Content-Type": "text/html", "X-Split": "a\\r\\nSet-Cookie: b=c"}
    return {"statusCode": 200, "headers": headers, "cookies": ["sessionid=mine"], "body": json.dumps(event)}
"""
    arn = running.function(code)
    running.let_in("apigateway.amazonaws.com")
    secret = {
        "Cookie": "sessionid=the-portals",
        OPERATOR_HEADER: "the-operators",
        "Authorization": "Bearer the-portals",
    }
    for url in (f"{rest(running, {'/f': {'get': proxy(arn)}})[0]}/f", f"{http(running, Target=arn)[0]}/f"):
        status, event, headers = get(url, **secret)
        assert status == 200
        assert "the-portals" not in json.dumps(event) and "the-operators" not in json.dumps(event)
        assert headers["set-cookie"] is None
        assert headers["x-split"] == "a  Set-Cookie: b=c"
        assert headers["content-security-policy"].startswith("sandbox"), "its page has no origin, so none of ours"
        assert headers["x-lightsout-boot"] == running.simulator.boot()["boot_id"]


# --- the rest of API Gateway's ways --------------------------------------------------------------------------


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def test_one_rest_api_is_deleted_in_thirty_seconds(practice, simulator):
    client = practice.client("apigateway")
    first, second = (client.create_rest_api(name="shop")["id"] for _ in range(2))
    simulator.pace(state_seconds=6)
    client.delete_rest_api(restApiId=first)
    assert code_of(client.delete_rest_api, restApiId=second) == "TooManyRequestsException"
    simulator.let_pass(31)
    client.delete_rest_api(restApiId=second)
    assert code_of(client.delete_rest_api, restApiId=second) == "NotFoundException"


def test_an_api_that_a_domain_leads_to_is_kept(practice):
    client, second = practice.client("apigateway"), practice.client("apigatewayv2")
    _, old = rest(practice, STATUS["paths"])
    client.create_domain_name(domainName="api.example.org", regionalCertificateArn="arn:aws:acm:us-east-1:1:c")
    client.create_base_path_mapping(domainName="api.example.org", restApiId=old, stage="prod")
    assert code_of(client.delete_rest_api, restApiId=old) == "BadRequestException"
    _, new = http(practice, Target=practice.function())
    second.create_domain_name(DomainName="http.example.org")
    second.create_api_mapping(DomainName="http.example.org", ApiId=new, Stage="$default")
    assert code_of(second.delete_api, ApiId=new) == "BadRequestException"
    assert code_of(second.delete_api, ApiId="none") == "NotFoundException"


def test_a_usage_plan_with_stages_is_kept(practice):
    client = practice.client("apigateway")
    _, api = rest(practice, STATUS["paths"])
    plan = client.create_usage_plan(name="class", apiStages=[{"apiId": api, "stage": "prod"}])["id"]
    assert code_of(client.delete_usage_plan, usagePlanId=plan) == "BadRequestException"
    out = {"op": "remove", "path": "/apiStages", "value": f"{api}:prod"}
    client.update_usage_plan(usagePlanId=plan, patchOperations=[out])
    client.delete_usage_plan(usagePlanId=plan)
    assert code_of(client.delete_usage_plan, usagePlanId=plan) == "NotFoundException"


def test_apis_plans_and_keys_are_tagged_and_untagged(practice):
    client = practice.client("apigateway")
    made = {
        "restapis": client.create_rest_api(name="shop", tags={"a": "1"})["id"],
        "usageplans": client.create_usage_plan(name="class", tags={"a": "1"})["id"],
        "apikeys": client.create_api_key(name="aye", tags={"a": "1"})["id"],
    }
    look = {
        "restapis": lambda one: client.get_rest_api(restApiId=one),
        "usageplans": lambda one: client.get_usage_plan(usagePlanId=one),
        "apikeys": lambda one: client.get_api_key(apiKey=one),
    }
    for kind, one in made.items():
        arn = f"arn:aws:apigateway:us-east-1::/{kind}/{one}"
        client.tag_resource(resourceArn=arn, tags={"b": "2"})
        client.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert look[kind](one)["tags"] == {"b": "2"}
    gone = "arn:aws:apigateway:us-east-1::/restapis/none"
    assert code_of(client.tag_resource, resourceArn=gone, tags={"b": "2"}) == "NotFoundException"


def test_a_fault_can_meet_an_api_too(practice, simulator):
    url, _ = rest(practice, STATUS["paths"])
    simulator.faults([{"service": "execute-api", "code": "ServiceUnavailable", "status": 503}])
    assert get(f"{url}/status")[0] == 503
    assert get(f"{url}/status")[0] == 200
