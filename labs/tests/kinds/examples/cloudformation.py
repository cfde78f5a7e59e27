"""CloudFormation: a lab as a template."""

import json

from labs.tests.kinds.examples.world import Example

TEMPLATE = {
    "Parameters": {"Shown": {"Type": "String"}},
    "Resources": {
        "Data": {"Type": "AWS::S3::Bucket"},
        "News": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Shown"}}},
    },
    "Outputs": {"Bucket": {"Value": {"Ref": "Data"}}},
}

EXAMPLES = {
    "cloudformation-stack": Example(
        params=lambda account: {"template_body": json.dumps(TEMPLATE), "parameters": {"Shown": "lab"}},
        missing_id="arn:aws:cloudformation:us-east-1:100000000001:stack/nobodys/01234567-89ab-cdef-0123-456789abcdef",
    ),
}
