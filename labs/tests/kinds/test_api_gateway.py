"""API Gateway: REST APIs and HTTP APIs, where they answer, what their caches cost, and what has to let go of them."""

import urllib.request
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError

from labs import aws
from labs.kinds import kind_of
from labs.kinds.api_gateways import address_of
from labs.kinds.base import ABSENT, RUNNING, Seen
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.api_gateway import STATUS, function_arn

REST, HTTP = map(kind_of, ("api-gateway-rest", "api-gateway-http"))


def answer_of(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


# --- where they answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["apigateway", "apigatewayv2"])
def test_at_aws_an_api_has_a_host_of_its_own(service):
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "x"}
    client = boto3.client(service, region_name="ap-southeast-1", **keys)
    assert address_of(client, "a1b2c3") == "https://a1b2c3.execute-api.ap-southeast-1.amazonaws.com"


@pytest.mark.simulator
def test_in_practice_mode_its_address_is_the_simulators_and_answers(account):
    client, want, seen = make("api-gateway-rest", account)
    assert seen.facts["url"] == "", "no stage is deployed yet"
    seen = configure("api-gateway-rest", client, want, seen)
    assert seen.facts["url"] == f"{account.simulator.url}/execute-api/{seen.aws_id}/prod"
    assert answer_of(f"{seen.facts['url']}/status") == b'{"status": "up"}'
    _, _, http = make("api-gateway-http", account)
    assert http.facts["url"] == f"{account.simulator.url}/execute-api/{http.aws_id}"


# --- REST APIs -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
@pytest.mark.parametrize("params", [{"openapi": STATUS}, {}], ids=["imported", "by name only"])
def test_whose_an_api_is_is_known_from_its_create_on(account, params):
    client, want, seen = make("api-gateway-rest", account, params)
    assert seen.tags.items() >= want.tags.items()
    configure("api-gateway-rest", client, want, seen)
    assert client.get_rest_api(restApiId=seen.aws_id)["tags"].items() >= want.tags.items()


@pytest.mark.simulator
def test_the_document_is_imported_under_our_name(account):
    document = {**STATUS, "info": {"title": "Somebody's shop", "version": "7"}}
    client, want, seen = make("api-gateway-rest", account, {"openapi": document, "description": "A shop"})
    told = client.get_rest_api(restApiId=seen.aws_id)
    assert told["name"] == want.name and told["description"].startswith("A shop lightsout.")
    assert {one["path"] for one in client.get_resources(restApiId=seen.aws_id)["items"]} == {"/", "/status"}


@pytest.mark.simulator
def test_a_stage_is_deployed_once(account):
    client, want, seen = make("api-gateway-rest", account)
    seen = configure("api-gateway-rest", client, want, seen)
    assert REST.configure(client, want, seen)
    assert len(client.get_deployments(restApiId=seen.aws_id)["items"]) == 1
    assert seen.facts["stages"] == ["prod"]


@pytest.mark.simulator
def test_a_cache_that_a_student_turns_on_costs_by_the_hour(account):
    client, want, seen = make("api-gateway-rest", account)
    seen = configure("api-gateway-rest", client, want, seen)
    assert REST.meters(seen) == []
    on = [
        {"op": "replace", "path": "/cacheClusterEnabled", "value": "true"},
        {"op": "replace", "path": "/cacheClusterSize", "value": "1.6"},
    ]
    client.update_stage(restApiId=seen.aws_id, stageName="prod", patchOperations=on)
    (meter,) = REST.meters(REST.observe(client, want))
    assert (meter.kind, meter.sku, meter.unit, meter.quantity) == ("cache", "1.6GB", "Hrs", Decimal(1))
    client.update_stage(restApiId=seen.aws_id, stageName="prod", patchOperations=[{**on[0], "value": "false"}])
    assert REST.meters(REST.observe(client, want)) == []


def test_two_stages_with_caches_are_two_lines():
    caches = [{"stage": "dev", "gb": "0.5"}, {"stage": "prod", "gb": "0.5"}]
    meters = REST.meters(Seen(RUNNING, aws_id="a", facts={"caches": caches}))
    assert len({meter.slug for meter in meters}) == 2


@pytest.mark.simulator
def test_what_leads_to_an_api_lets_go_of_it_first(account):
    client, want, seen = make("api-gateway-rest", account)
    seen = configure("api-gateway-rest", client, want, seen)
    plan = client.create_usage_plan(name="class", apiStages=[{"apiId": seen.aws_id, "stage": "prod"}])["id"]
    domain = f"{seen.aws_id}.example.org"
    client.create_domain_name(domainName=domain, regionalCertificateArn="arn:aws:acm:us-east-1:1:c")
    client.create_base_path_mapping(domainName=domain, restApiId=seen.aws_id, stage="prod")
    assert delete("api-gateway-rest", client, want) == 1
    assert client.get_usage_plan(usagePlanId=plan)["apiStages"] == []
    client.delete_usage_plan(usagePlanId=plan)
    assert client.get_base_path_mappings(domainName=domain)["items"] == []


@pytest.mark.simulator
def test_the_second_delete_in_thirty_seconds_is_throttled_and_no_attempt(account):
    client = account.client("apigateway")
    made = [make("api-gateway-rest", account, {}) for _ in range(2)]
    account.simulator.pace(state_seconds=6)
    account.simulator.let_pass(31)
    (_, first, seen), (_, second, other) = made
    REST.delete(client, first, seen)
    with pytest.raises(ClientError) as refused:
        REST.delete(client, second, other)
    assert isinstance(aws.sorted_trouble(refused.value), aws.Throttled)
    account.simulator.let_pass(31)
    REST.delete(client, second, other)
    assert REST.observe(client, second).state == ABSENT


@pytest.mark.simulator
def test_its_name_finds_it_only_until_its_id_is_known(account):
    client, want, seen = make("api-gateway-rest", account)
    copy = client.create_rest_api(name=want.name, cloneFrom=seen.aws_id)["id"]
    known = want_for("api-gateway-rest", name=want.name, aws_id=seen.aws_id)
    REST.delete(client, known, seen)
    assert REST.observe(client, known).state == ABSENT
    assert {each.aws_id for each in REST.find_all(client)} >= {copy}


def test_the_dead_mans_switch_needs_the_id_of_an_api():
    assert REST.off_call(want_for("api-gateway-rest")) is None
    assert REST.off_call(want_for("api-gateway-rest", aws_id="a1")).input == {"RestApiId": "a1"}


# --- HTTP APIs -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_an_http_api_is_whole_after_one_call(account):
    arn = function_arn(account)
    client, want, seen = make("api-gateway-http", account, {"target": arn, "route": "POST /predict"})
    (route,) = client.get_routes(ApiId=seen.aws_id)["Items"]
    (integration,) = client.get_integrations(ApiId=seen.aws_id)["Items"]
    (stage,) = client.get_stages(ApiId=seen.aws_id)["Items"]
    assert (route["RouteKey"], route["Target"]) == ("POST /predict", f"integrations/{integration['IntegrationId']}")
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (arn, "2.0")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert seen.tags.items() >= want.tags.items()


@pytest.mark.simulator
def test_a_domain_lets_go_of_an_http_api_first(account):
    client, want, seen = make("api-gateway-http", account)
    domain = f"{seen.aws_id}.example.org"
    client.create_domain_name(DomainName=domain)
    client.create_api_mapping(DomainName=domain, ApiId=seen.aws_id, Stage="$default")
    assert delete("api-gateway-http", client, want) == 1
    assert client.get_api_mappings(DomainName=domain)["Items"] == []


@pytest.mark.simulator
def test_a_websocket_api_is_found_too(account):
    client = account.client("apigatewayv2")
    made = client.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    found = {each.aws_id: each for each in HTTP.find_all(client)}
    assert found[made].facts["protocol"] == "WEBSOCKET"
