"""The evaluator says what IAM says: cases from the IAM user guide, each with its reason."""

import pytest

from labs.policy_evaluator import Call, Principal, is_allowed, succeeds

WHO = {"aws:PrincipalTag/student": "7", "aws:PrincipalArn": "arn:aws:iam::111122223333:role/lab/lab-student-7"}


def statement(effect="Allow", action="s3:GetObject", resource="*", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def says(condition, given, effect="Allow"):
    """Whether a statement with this condition speaks of a call with this context."""
    allows = policy(statement(Condition=condition))
    if effect == "Deny":
        allows = policy(statement(), statement("Deny", Condition=condition))
    return is_allowed(Principal(WHO, (allows,)), Call("s3:GetObject", "arn:aws:s3:::b/k", given))


CONDITIONS = [
    ("the value is one of those listed", {"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
    ("the value is none of those listed", {"StringEquals": {"k": ["a", "b"]}}, {"k": "c"}, False),
    ("small and capital letters differ", {"StringEquals": {"k": "a"}}, {"k": "A"}, False),
    ("of a key they do not", {"StringEquals": {"K": "a"}}, {"k": "a"}, True),
    ("a key that is not there equals nothing", {"StringEquals": {"k": "a"}}, {}, False),
    ("unless it need not be there", {"StringEqualsIfExists": {"k": "a"}}, {}, True),
    ("if it is there it counts", {"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
    ("what is not there is different from everything", {"StringNotEquals": {"k": "a"}}, {}, True),
    ("different means from all that are listed", {"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
    ("a pattern", {"StringLike": {"k": "lab-*"}}, {"k": "lab-7"}, True),
    ("a pattern of one letter", {"StringLike": {"k": "la?"}}, {"k": "lab"}, True),
    ("a star is no pattern in an equality", {"StringEquals": {"k": "*"}}, {"k": "a"}, False),
    ("all conditions must hold", {"StringEquals": {"k": "a", "l": "b"}}, {"k": "a", "l": "x"}, False),
    ("of all operators", {"StringEquals": {"k": "a"}, "Null": {"l": "false"}}, {"k": "a"}, False),
    ("it must be there", {"Null": {"k": "false"}}, {"k": "a"}, True),
    ("it must not be there", {"Null": {"k": "true"}}, {"k": "a"}, False),
    ("every value is allowed", {"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "b"]}, True),
    ("one value is not", {"ForAllValues:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, False),
    ("no value at all is all values", {"ForAllValues:StringEquals": {"k": ["a"]}}, {}, True),
    ("any value", {"ForAnyValue:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, True),
    ("no value is not any", {"ForAnyValue:StringEquals": {"k": ["a"]}}, {}, False),
    ("at most", {"NumericLessThanEquals": {"k": "50"}}, {"k": 50}, True),
    ("more than at most", {"NumericLessThanEquals": {"k": "50"}}, {"k": 51}, False),
    ("at most, of what is not there", {"NumericLessThanEquals": {"k": "50"}}, {}, False),
    ("more than, of what is not there", {"NumericGreaterThan": {"k": "50"}}, {}, False),
    ("true", {"Bool": {"k": "true"}}, {"k": "true"}, True),
    ("before", {"DateLessThan": {"k": "2025-09-13T14:30:00Z"}}, {"k": "2025-09-13T14:29:59Z"}, True),
    (
        "the same instant is not before",
        {"DateLessThan": {"k": "2025-09-13T14:30:00Z"}},
        {"k": "2025-09-13T14:30:00Z"},
        False,
    ),
    ("an ARN", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/lab/*"}}, {}, True),
    (
        "a star stays within its part of an ARN",
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*:role/lab/*"}},
        {},
        False,
    ),
    ("the caller's tag", {"StringEquals": {"k": "${aws:PrincipalTag/student}"}}, {"k": "7"}, True),
    ("a tag that the caller has not", {"StringNotEquals": {"k": "${aws:PrincipalTag/lab}"}}, {"k": "7"}, False),
]


@pytest.mark.parametrize(
    ("condition", "given", "expected"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS]
)
def test_a_condition_holds_as_the_user_guide_says(condition, given, expected):
    assert says(condition, given) is expected
    assert says(condition, given, "Deny") is not expected


def test_what_nobody_allows_is_denied():
    assert not is_allowed(Principal(WHO, (policy(statement()),)), Call("s3:PutObject", "arn:aws:s3:::b/k"))


def test_a_deny_wins_wherever_it_stands():
    allows, denies = policy(statement(action="s3:*")), policy(statement(action="*"), statement("Deny", "s3:Get*"))
    call = Call("s3:GetObject", "arn:aws:s3:::b/k")
    assert is_allowed(Principal(WHO, (allows,)), call)
    assert not is_allowed(Principal(WHO, (allows, denies)), call)
    assert not is_allowed(Principal(WHO, (allows,), denies), call)
    assert not is_allowed(Principal(WHO, (allows,), None, denies), call)


def test_boundary_and_session_policy_allow_nothing_by_themselves_but_must_agree():
    allows, silent = policy(statement()), policy(statement(action="ec2:*"))
    call = Call("s3:GetObject", "arn:aws:s3:::b/k")
    assert is_allowed(Principal(WHO, (allows,), allows, allows), call)
    assert not is_allowed(Principal(WHO, (silent,), allows, allows), call)
    assert not is_allowed(Principal(WHO, (allows,), silent, allows), call)
    assert not is_allowed(Principal(WHO, (allows,), allows, silent), call)


def test_a_resource_that_names_the_session_lets_it_in_past_everything_but_a_deny():
    silent, denies = policy(statement(action="ec2:*")), policy(statement("Deny", "sts:*"))
    call = Call("sts:AssumeRole", "arn:aws:iam::111122223333:role/x", granted_there=True)
    assert is_allowed(Principal(WHO, (silent,), silent, silent), call)
    assert not is_allowed(Principal(WHO, (silent,), denies, silent), call)


def test_everything_but_and_everywhere_but():
    but = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    elsewhere = policy(statement(), {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::mine/*"})
    assert is_allowed(Principal(WHO, (but,)), Call("s3:GetObject", "arn:aws:s3:::b/k"))
    assert not is_allowed(Principal(WHO, (but,)), Call("iam:CreateUser", "arn:aws:iam::111122223333:user/x"))
    assert is_allowed(Principal(WHO, (elsewhere,)), Call("s3:GetObject", "arn:aws:s3:::mine/k"))
    assert not is_allowed(Principal(WHO, (elsewhere,)), Call("s3:GetObject", "arn:aws:s3:::theirs/k"))


def test_a_star_of_a_resource_runs_over_slashes_and_one_of_a_tag_is_no_star():
    """Why own names begin with the lab and do not end with it."""
    ends, begins = (
        policy(statement(resource="arn:aws:s3:::lab-*-a*")),
        policy(statement(resource="arn:aws:s3:::lab-a-*")),
    )
    theirs = Call("s3:GetObject", "arn:aws:s3:::lab-data-b/lab-data-a/key")
    assert is_allowed(Principal(WHO, (ends,)), theirs)
    assert not is_allowed(Principal(WHO, (begins,)), theirs)
    by_tag = policy(statement(resource="arn:aws:s3:::lab-${aws:PrincipalTag/lab}-*"))
    starred = Principal({**WHO, "aws:PrincipalTag/lab": "*"}, (by_tag,))
    assert not is_allowed(starred, Call("s3:GetObject", "arn:aws:s3:::lab-b-data/key"))


def test_a_request_needs_all_of_its_calls():
    who = Principal(WHO, (policy(statement(action="ec2:RunInstances")),))
    run, pass_role = Call("ec2:RunInstances", "i"), Call("iam:PassRole", "r")
    assert succeeds(who, [run])
    assert not succeeds(who, [run, pass_role])


def test_a_key_with_many_values_needs_a_word_for_which():
    with pytest.raises(ValueError, match="ForAllValues or ForAnyValue"):
        says({"StringEquals": {"k": "a"}}, {"k": ["a", "b"]})
