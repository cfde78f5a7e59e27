"""The template that people deploy: what AWS makes of it is what guardrails say, and cfn-lint has nothing against it."""

import json

import pytest
import yaml

from labs import guardrails, limits, own_roles, stack_template
from labs.catalog.stacks import TEMPLATES
from labs.tests.strict_accounts import PORTAL, Accounts, resolved

ACCOUNT, STUDENT, EXTERNAL_ID = "111122223333", "7", "an-external-id-that-nobody-guesses"
RULES = guardrails.Rules()
COHORT, NARROWED = "c0ffee0123456789" * 2, limits.Limits(("us-east-1",), ("t3.micro",), ("ml.t3.medium",)).of(RULES)


@pytest.fixture(scope="module")
def template():
    return stack_template.template(PORTAL, RULES)


@pytest.fixture
def deployed(template):
    accounts = Accounts()
    accounts.deploy(ACCOUNT, template, ExternalId=EXTERNAL_ID, Student=STUDENT)
    return accounts


def test_cfn_lint_has_nothing_against_it(template):
    assert complaints(stack_template.as_text(template)) == []


def test_cfn_lint_would_have_something_against_a_wrong_one(template):
    wrong = json.loads(json.dumps(template))
    wrong["Resources"]["Controller"]["Properties"]["RolName"] = wrong["Resources"]["Controller"]["Properties"].pop(
        "RoleName"
    )
    assert complaints(json.dumps(wrong))


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*")), ids=lambda path: path.name)
def test_it_has_nothing_against_the_templates_of_labs_and_aws_takes_them_without_a_bucket(path):
    assert complaints(path.read_text()) == []
    assert len(path.read_bytes()) <= 51_200
    assert "AWS::IAM::" not in path.read_text(), "a role in it would not have its launch's boundary"


def test_its_text_is_short_enough_to_be_deployed_without_a_bucket(template):
    assert len(stack_template.as_text(template).encode()) < 51_200


def test_its_text_says_the_same(template):
    assert yaml.safe_load(stack_template.as_text(template)) == json.loads(json.dumps(template))


def test_aws_makes_of_it_what_guardrails_say(deployed):
    controller, switch = deployed.role(ACCOUNT, "controller"), deployed.role(ACCOUNT, "deadman")
    assert as_json(controller.trust) == as_json(own_roles.controller_trust(PORTAL, EXTERNAL_ID))
    assert as_json(controller.inline["portal"]) == as_json(own_roles.controller_policy(ACCOUNT))
    assert as_json(switch.trust) == as_json(own_roles.switch_trust(ACCOUNT))
    assert as_json(switch.inline["switch"]) == as_json(own_roles.switch_policy(ACCOUNT))
    emr = deployed.role(ACCOUNT, "emr-service")
    assert as_json(emr.trust) == as_json(own_roles.emr_trust(ACCOUNT))
    assert as_json(emr.inline["clusters"]) == as_json(own_roles.emr_policy(ACCOUNT))
    assert as_json(deployed.policies[guardrails.boundary_arn(ACCOUNT)]) == as_json(guardrails.boundary(RULES, ACCOUNT))
    made = {name: deployed.policies[arn] for name, arn in guardrails.student_policy_arns(ACCOUNT).items()}
    assert as_json(made) == as_json(guardrails.student_policies(RULES, ACCOUNT))


@pytest.fixture(scope="module")
def of_a_cohort():
    return stack_template.cohort_template(NARROWED, COHORT)


def test_a_cohorts_own_stack_is_sound_and_is_deployed_without_a_bucket(of_a_cohort):
    assert complaints(stack_template.as_text(of_a_cohort)) == []
    assert len(stack_template.as_text(of_a_cohort).encode()) < 51_200
    assert f"--stack-name {stack_template.cohort_stack(COHORT)} " in stack_template.deploy_cohort_command(
        "a.yaml", "us-east-1", COHORT
    )


def test_aws_makes_of_it_the_cohorts_documents_and_touches_no_others(of_a_cohort, deployed):
    before = dict(deployed.policies)
    deployed.deploy(ACCOUNT, of_a_cohort)
    made = {arn: as_json(policy) for arn, policy in deployed.policies.items() if arn not in before}
    arns = guardrails.student_policy_arns(ACCOUNT, COHORT)
    policies = guardrails.student_policies(NARROWED, ACCOUNT, COHORT)
    assert made == {
        guardrails.boundary_arn(ACCOUNT, COHORT): as_json(guardrails.boundary(NARROWED, ACCOUNT, COHORT)),
        **{arns[name]: as_json(policy) for name, policy in policies.items()},
    }
    assert {arn: deployed.policies[arn] for arn in before} == before
    assert limits.held_by(made.values()) == limits.limits_of(NARROWED)


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("lightsout", True),
        (stack_template.cohort_stack("c0ffee0123456789" * 2), True),
        ("lightsout-limits-mine", False),
        ("lightsout-2", False),
    ],
)
def test_the_census_leaves_out_these_stacks_and_no_others(name, is_ours):
    assert stack_template.is_ours(name) is is_ours


def test_a_student_of_their_own_account_has_a_role_that_is_held(deployed):
    role = deployed.roles[guardrails.student_role(ACCOUNT, STUDENT)]
    assert as_json(role.trust) == as_json(guardrails.student_trust(deployed.role(ACCOUNT, "controller").arn, STUDENT))
    assert role.boundary == guardrails.boundary_arn(ACCOUNT)
    assert role.attached == list(guardrails.student_policy_arns(ACCOUNT).values())


def test_a_shared_account_gets_no_students_role_from_it(template):
    accounts = Accounts()
    accounts.deploy(ACCOUNT, template, ExternalId=EXTERNAL_ID)
    assert sorted(role.name for role in accounts.roles.values()) == ["controller", "deadman", "emr-service"]


def test_nothing_of_the_stand_ins_is_left(template):
    said = json.dumps(template)
    assert "000000000000" not in said and "9999999999" not in said and "external-id-of" not in said


def test_variables_of_iam_are_left_to_iam(template):
    raw, filled = json.dumps(template), json.dumps(resolved(template, _anything(template)))
    assert "${!aws:PrincipalTag/lab}" in raw
    assert "${aws:PrincipalTag/lab}" in filled and "${!" not in filled


def test_the_portals_role_has_to_be_named_in_full():
    with pytest.raises(ValueError, match="ARN of a role"):
        stack_template.template("", RULES)


def test_the_link_opens_the_template_with_its_parameters():
    link = stack_template.quick_create_link(
        "https://bucket.s3.amazonaws.com/t 1.yaml", "us-east-1", EXTERNAL_ID, STUDENT
    )
    assert link.startswith(
        "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create/"
    )
    assert "templateURL=https%3A%2F%2Fbucket.s3.amazonaws.com%2Ft%201.yaml" in link
    assert f"param_ExternalId={EXTERNAL_ID}&param_Student=7" in link and "stackName=lightsout" in link


def test_the_command_names_what_the_link_names():
    command = stack_template.deploy_command("lightsout.yaml", "us-east-1", EXTERNAL_ID, STUDENT)
    assert f"ExternalId={EXTERNAL_ID} Student=7" in command and "CAPABILITY_NAMED_IAM" in command
    assert "Student" not in stack_template.deploy_command("lightsout.yaml", "us-east-1", EXTERNAL_ID)


def complaints(text):
    """Errors and warnings. Remarks of cfn-lint on taste are left out, as its command leaves them out."""
    from cfnlint.api import lint_all  # sympy comes with it: not for every worker

    return [str(found) for found in lint_all(text) if found.rule.severity != "informational"]


def as_json(document):
    return json.loads(json.dumps(document))


def _anything(template):
    return {"AWS::AccountId": ACCOUNT, "Student": STUDENT, "ExternalId": EXTERNAL_ID} | dict.fromkeys(
        template["Resources"], "arn"
    )
