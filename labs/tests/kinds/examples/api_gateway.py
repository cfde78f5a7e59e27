"""API Gateway: a REST API from a document, and an HTTP API in front of a function."""

from labs.tests.kinds.examples.lambda_functions import function
from labs.tests.kinds.examples.world import Example

MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"status": "up"}'}}},
}
STATUS = {
    "openapi": "3.0.1",
    "paths": {
        "/status": {
            "get": {"responses": {"200": {"description": "up"}}, "x-amazon-apigateway-integration": MOCK},
        }
    },
}


def function_arn(account) -> str:
    return account.client("lambda").get_function(FunctionName=function(account))["Configuration"]["FunctionArn"]


EXAMPLES = {
    "api-gateway-rest": Example(
        params=lambda account: {"openapi": STATUS, "stage": "prod"},
        running={"caches": [{"stage": "prod", "gb": "0.5"}]},
        missing_id="a1b2c3d4e5",
    ),
    "api-gateway-http": Example(params=lambda account: {"target": function_arn(account)}, missing_id="a1b2c3d4e5"),
}
