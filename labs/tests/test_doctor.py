"""The doctor's checks, as a table: facts in, verdict and words out; each failure says how it is mended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from labs import doctor
from labs.doctor import ALLOWED, DENIED, FAILS, OK, UNKNOWN, CohortLimits, Facts
from labs.limits import Limits
from labs.quotas import Need, Quota
from labs.tests.cast import START

AWS_ID = "111122223333"
OWN = "arn:aws:sts::444455556666:assumed-role/lightsout/i-1"
VCPU = Need(Quota("ec2", "L-1216C47A", "Standard vCPU, EC2"), 48, "EC2 reads S3")

WELL = Facts(
    at=START,
    mode="shared",
    aws_id=AWS_ID,
    regions=("us-east-1",),
    lab_regions=("us-east-1",),
    arn=f"arn:aws:sts::{AWS_ID}:assumed-role/controller/lightsout-doctor",
    let_in={"without the external id": False, "with a wrong one": False},
    permissions={"s3:CreateBucket": ALLOWED, "s3:DeleteBucket": ALLOWED},
    asked_how="as AWS simulates the policies",
    needs={"A bucket": ("s3:CreateBucket", "s3:DeleteBucket")},
    people=24,
    quotas={("ec2", "L-1216C47A"): 64.0},
    quota_needs=(VCPU,),
    skew=timedelta(seconds=0.8),
    enabled_regions=("us-east-1",),
    has_switch=True,
    template_version=3,
    template_out=3,
    looked_at=START - timedelta(minutes=10),
    bill_trouble="",
    cohort_limits=(CohortLimits("a0" * 16, "September", "lightsout-limits-a0", Limits(("us-east-1",)), True),),
    own_arn=OWN,
    own_method="iam-role",
    portal_role="arn:aws:iam::444455556666:role/service/lightsout",
)
PRACTICE = replace(
    WELL, mode="practice", let_in=None, permissions={}, quota_needs=(), template_version=None, own_arn=""
)


def changed(**facts):
    return replace(WELL, **facts)


def limited(**facts):
    return changed(cohort_limits=(replace(WELL.cohort_limits[0], is_as_written=False, **facts),))


CASES = [
    ("who lets us in", WELL, "reach", OK, "reach the account"),
    ("who does not", changed(trouble="AccessDenied"), "reach", FAILS, "do not reach"),
    ("a simulator that is away", replace(PRACTICE, trouble="no answer"), "reach", FAILS, "do not reach"),
    ("another account", changed(arn="arn:aws:sts::999900001111:assumed-role/controller/x"), "who", FAILS, "another"),
    ("an STS that does not say", changed(arn=""), "who", UNKNOWN, "not known"),
    ("a bill that is read", changed(bill_trouble=""), "bill", OK, "bill is read"),
    ("Cost Explorer is off", changed(bill_trouble="It is not enabled."), "bill", FAILS, "cannot be read"),
    ("strangers refused", WELL, "strangers", OK, "refuses strangers"),
    (
        "a stranger let in",
        changed(let_in={"without the external id": True, "with a wrong one": False}),
        "strangers",
        FAILS,
        "lets in strangers: without the external id",
    ),
    (
        "one of two strangers without an answer",
        changed(let_in={"without the external id": False, "with a wrong one": "throttled"}),
        "strangers",
        UNKNOWN,
        "not known",
    ),
    ("strangers that were not tried", changed(let_in=None), "strangers", UNKNOWN, "not known"),
    ("strangers in practice", PRACTICE, "strangers", UNKNOWN, "cannot be tried"),
    ("every permission", WELL, "permissions", OK, "No lab lacks"),
    (
        "a permission denied",
        changed(permissions={"s3:CreateBucket": ALLOWED, "s3:DeleteBucket": DENIED}),
        "permissions",
        FAILS,
        "1 permission is missing for A bucket",
    ),
    (
        "a permission that could not be tried",
        changed(permissions={"s3:CreateBucket": ALLOWED, "s3:DeleteBucket": UNKNOWN}),
        "permissions",
        UNKNOWN,
        "1 permission could not be tried",
    ),
    ("permissions that nobody tried", changed(permissions={}), "permissions", UNKNOWN, "could not be tried"),
    ("permissions in practice", PRACTICE, "permissions", UNKNOWN, "cannot be tried"),
    ("enough of a quota", WELL, "quotas", OK, "enough"),
    ("exactly enough", changed(quotas={("ec2", "L-1216C47A"): 48.0}), "quotas", OK, "enough"),
    ("one too few", changed(quotas={("ec2", "L-1216C47A"): 47.0}), "quotas", FAILS, "has 47, the class needs 48"),
    ("a quota that AWS does not tell", changed(quotas={}), "quotas", UNKNOWN, "1 quota could not be told"),
    ("quotas in practice", PRACTICE, "quotas", OK, "enough"),
    ("every region seen", WELL, "regions", OK, "Every open region"),
    ("a region that is closed", changed(enabled_regions=("eu-west-1",)), "regions", FAILS, "us-east-1 is not enabled"),
    ("an open one unseen", changed(enabled_regions=("us-east-1", "eu-west-1")), "regions", UNKNOWN, "1 open region is"),
    ("regions not told", changed(enabled_regions=None), "regions", UNKNOWN, "not known"),
    ("the same clock", WELL, "clock", OK, "Same clock"),
    ("a minute ahead", changed(skew=timedelta(seconds=60)), "clock", FAILS, "60 s ahead of"),
    ("six minutes behind", changed(skew=timedelta(minutes=-6)), "clock", FAILS, "360 s behind"),
    ("no date in the answer", changed(skew=None), "clock", UNKNOWN, "could not be compared"),
    ("a role of its own", WELL, "key", OK, "no long-lived key"),
    ("a long-lived key", changed(is_long_lived=True, own_method="env"), "key", FAILS, "long-lived access key"),
    ("no identity at all", changed(own_method="", own_arn=""), "key", FAILS, "no identity at AWS"),
    (
        "another role than the template's",
        changed(own_arn=OWN.replace("lightsout", "other")),
        "key",
        FAILS,
        "not the role that the template names",
    ),
    ("a switch that can act", WELL, "switch", OK, "can act"),
    ("a switch without a role", changed(has_switch=False), "switch", FAILS, "has no role"),
    ("a switch that nobody saw", changed(has_switch=None), "switch", UNKNOWN, "could not be looked at"),
    ("a switch in practice", replace(PRACTICE, has_switch=False), "switch", OK, "can act"),
    ("the newest template", WELL, "template", OK, "newest"),
    ("an older template", changed(template_version=2), "template", FAILS, "has template 2, and 3 is out"),
    ("a template without a number", changed(template_version=None), "template", UNKNOWN, "not known"),
    ("limits held", WELL, "limits", OK, "holds each cohort to its limits"),
    ("limits without a stack", limited(held=None), "limits", FAILS, "does not hold the limits of September"),
    ("limits of before", limited(), "limits", FAILS, "older documents for the limits of September"),
    ("limits not told", limited(trouble="throttled"), "limits", UNKNOWN, "not known"),
    ("looked into", WELL, "census", OK, "looked into"),
    ("not yet", changed(looked_at=None), "census", UNKNOWN, "No census"),
    ("long ago", changed(looked_at=START - timedelta(minutes=31)), "census", FAILS, "for 31 minutes"),
    ("not wholly", changed(census_trouble="iam-role in us-east-1: denied"), "census", FAILS, "does not see everything"),
]


def of_check(facts, check):
    return [one for one in doctor.examine(facts) if one.check == check]


@pytest.mark.parametrize(("why", "facts", "check", "verdict", "words"), CASES, ids=[case[0] for case in CASES])
def test_a_check_says(why, facts, check, verdict, words):
    found = of_check(facts, check)
    assert (verdict, True) in [(one.verdict, words in one.title) for one in found], found


@pytest.mark.parametrize(("why", "facts"), [(case[0], case[1]) for case in CASES], ids=[case[0] for case in CASES])
def test_what_fails_says_why_it_matters_and_how_it_is_mended(why, facts):
    for one in doctor.examine(facts):
        assert one.said, one
        assert one.mend or one.verdict != FAILS, one
        assert one.mend == "" or one.verdict != OK, one


def test_an_account_that_is_well_has_only_good_news_and_each_check_speaks():
    found = doctor.examine(WELL)
    assert {one.verdict for one in found} == {OK}
    assert [one.check for one in found] == [check.__name__ for check in doctor.CHECKS]


def test_what_fails_comes_first():
    verdicts = [one.verdict for one in doctor.examine(changed(has_switch=False, skew=None))]
    assert verdicts[:2] == [FAILS, UNKNOWN] and set(verdicts[2:]) == {OK}


def test_into_an_account_that_lets_nobody_in_nobody_sees():
    assert {one.check for one in doctor.examine(changed(trouble="AccessDenied"))} == {"reach", "key", "census"}


def test_a_denied_permission_is_told_with_its_labs_and_the_template_that_has_it():
    denied = {"s3:CreateBucket": ALLOWED, "s3:DeleteBucket": DENIED}
    [one] = of_check(changed(permissions=denied, needs={**WELL.needs, "None of it": ()}), "permissions")
    assert one.details == ("s3:DeleteBucket: denied, A bucket",)
    assert "template 3" in one.mend


def test_a_quota_that_is_too_small_says_how_large_the_groups_may_be():
    [one] = of_check(changed(quotas={("ec2", "L-1216C47A"): 30.0}), "quotas")
    assert "launch in groups of 15" in one.mend and "EC2 reads S3 for 24 people at once" in one.said
    [none] = of_check(changed(quotas={("ec2", "L-1216C47A"): 0.0}), "quotas")
    assert "groups" not in none.mend


STOPS = [
    ("nothing is wrong", WELL, ""),
    ("it is not reached", changed(trouble="AccessDenied"), "We do not reach the account. AccessDenied"),
    ("strangers are let in", changed(let_in={"with a wrong one": True}), "lets in strangers"),
    ("a quota is too small", changed(quotas={("ec2", "L-1216C47A"): 1.0}), ""),
    ("strangers were not tried", changed(let_in=None), ""),
]


@pytest.mark.parametrize(("why", "facts", "words"), STOPS, ids=[case[0] for case in STOPS])
def test_what_stops_labs_from_starting_there(why, facts, words):
    said = doctor.stops_launches(doctor.examine(facts))
    assert words in said and bool(words) == bool(said)


@pytest.mark.parametrize(
    ("arn", "is_one"),
    [
        ("arn:aws:sts::444455556666:assumed-role/lightsout/i-1", True),
        ("arn:aws:iam::444455556666:role/service/lightsout", True),
        ("arn:aws:sts::444455556666:assumed-role/lightsout-2/i-1", False),
        ("arn:aws:sts::999900001111:assumed-role/lightsout/i-1", False),
        ("arn:aws:iam::444455556666:user/lightsout", False),
    ],
)
def test_a_session_is_of_its_role_whatever_the_path(arn, is_one):
    assert doctor.is_session_of(arn, "arn:aws:iam::444455556666:role/service/lightsout") is is_one
