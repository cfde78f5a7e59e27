"""The documents that hold students and labs of a real account: no known way out succeeds, what labs need gets through,
and each statement is there for a reason."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from labs import guardrails as g
from labs.catalog import all_labs
from labs.iam_words import INLINE_LIMIT, MANAGED_LIMIT, SESSION_LIMIT, TRUST_LIMIT, text
from labs.ledger import name_for
from labs.own_roles import PORTAL_PASSES_TO
from labs.policy_evaluator import Call, Principal, as_list, is_allowed, matches, succeeds
from labs.tests.guarded_world import (
    ACCOUNT,
    ALLOW_ALL,
    AS_MINE,
    AYE,
    BO,
    CONTROLLER,
    DOCUMENTS,
    LAB_ROLE,
    LAUNCH,
    NARROW,
    OTHER_LAUNCH,
    OTHER_NARROW,
    OWN,
    RULES,
    STUDENT_ROLE,
    actors,
    bucket,
    documents_of,
    new_role,
    notebook,
    pass_role,
    run_instances,
    session_of,
    training,
    under,
)
from labs.tests.iam_facts import faults, impossible
from labs.tests.lab_needs import ROLE_NEEDS, STUDENT_NEEDS
from labs.tests.ways_out import (
    BOS_LAB_ROLE,
    BY_ROLE,
    IDENTITIES,
    IF_AWS_SENT_MORE,
    LIMITS,
    OTHER_LAB,
    UNTAGGED,
    WAYS,
    Way,
)

NOW = datetime(2025, 9, 13, 14, 30, tzinfo=UTC)
WORKS_UNDER = {
    "student": STUDENT_NEEDS,
    "student without boundary": STUDENT_NEEDS,
    "student without session policy": STUDENT_NEEDS,
    "role with everything": ROLE_NEEDS,
}


# A second lock on the names and tags of one lab, should the first ever be left open.
BY_THE_SESSION_POLICY = (
    "bo's file read",
    "bo's role handed to a notebook",
    "bo's instance: terminate",
    "an instance without tags tagged as one's own",
    "the portal's tag on one's own instance",
    "a large instance",
    "a large notebook",
    "a long training",
    "a notebook in another region",
)


def held(actor: str) -> list[Way]:
    """The ways that must not succeed for this actor: which documents it has left decides."""
    of_students = [way for way in WAYS if way.kind != BY_ROLE]
    of_roles = [way for way in WAYS if way.kind not in (OTHER_LAB, UNTAGGED)]
    return {
        "student": of_students,
        "student without boundary": of_students,
        "student without session policy": [way for way in of_students if way.kind != OTHER_LAB],
        "policies alone": [way for way in of_students if way.kind not in (LIMITS, OTHER_LAB)],
        "session policy alone": [way for way in WAYS if way.kind == OTHER_LAB or way.name in BY_THE_SESSION_POLICY],
        "student with everything": [way for way in WAYS if way.kind in (IDENTITIES, LIMITS)],
        "role with everything": of_roles,
        "role with everything, entered as bo's": of_roles,
        "role with everything, entered as bo": of_roles,
    }[actor]


# --- ways out, and what is needed ----------------------------------------------------------------------------


WORLDS = {
    "the account's": (actors(), lambda call: call),
    "a cohort's own": (
        actors(documents_of(NARROW), g.student_role(ACCOUNT, AYE, NARROW)),
        lambda call: under(NARROW, call),
    ),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("actor", actors())
def test_no_known_way_out_succeeds(actor, world):
    everybody, here = WORLDS[world]
    assert [way.name for way in held(actor) if succeeds(everybody[actor], map(here, way.calls))] == []


@pytest.mark.parametrize("actor", WORKS_UNDER)
def test_what_labs_need_gets_through(actor):
    who = actors()[actor]
    refused = [
        f"{need}: {call}" for need, calls in WORKS_UNDER[actor].items() for call in calls if not is_allowed(who, call)
    ]
    assert refused == []


# --- cohorts that share the account, each with limits of its own ----------------------------------------------

OF_NARROW = WORLDS["a cohort's own"][0]
OF_OTHER = actors(documents_of(OTHER_NARROW), g.student_role(ACCOUNT, AYE, OTHER_NARROW))
CROSSERS = (
    *("student", "student without boundary", "student without session policy", "student with everything"),
    *("role with everything", "role with everything, entered as bo's"),
)
THEIRS = {"iam:PermissionsBoundary": g.boundary_arn(ACCOUNT, OTHER_NARROW)}
ACCOUNTS = {"iam:PermissionsBoundary": g.boundary_arn(ACCOUNT)}
# What a student of the other cohort may: the other half of the table.
BEYOND = {
    "an instance of a type of theirs": run_instances(type="t3.large"),
    "one in a region of theirs": run_instances(type="t3.large", region="ap-southeast-1"),
    "a notebook of a type of theirs": notebook(type="ml.m5.xlarge"),
    "a training of a type of theirs": training(types=("ml.m5.xlarge",)),
    "a role under their boundary": new_role(boundary=THEIRS["iam:PermissionsBoundary"]),
    "any policy for a role under their boundary": (Call("iam:PutRolePolicy", LAB_ROLE, THEIRS),),
    "AWS's policy for such a role": (
        Call("iam:AttachRolePolicy", LAB_ROLE, {**THEIRS, "iam:PolicyARN": "arn:aws:iam::aws:policy/PowerUserAccess"}),
    ),
}
NOBODYS = {
    "one's own type in a region of theirs": run_instances(region="ap-southeast-1"),
    "a role under the account's wider boundary": new_role(boundary=ACCOUNTS["iam:PermissionsBoundary"]),
    "any policy for a role under the account's boundary": (Call("iam:PutRolePolicy", LAB_ROLE, ACCOUNTS),),
    "their boundary put on one's own role": (Call("iam:PutRolePermissionsBoundary", LAB_ROLE, THEIRS),),
    "the account's put on one's own student's role": (
        Call("iam:PutRolePermissionsBoundary", g.student_role(ACCOUNT, AYE, NARROW), ACCOUNTS),
    ),
    "a role of a lab of theirs handed to a function": (pass_role(BOS_LAB_ROLE, "lambda"),),
    "a role of a lab of theirs handed to a notebook": notebook(role=BOS_LAB_ROLE),
    "one's own student's role under their documents": (
        Call("sts:AssumeRole", g.student_role(ACCOUNT, AYE, OTHER_NARROW), AS_MINE, granted_there=True),
    ),
    "their policy rewritten": (
        Call("iam:CreatePolicyVersion", g.student_policy_arns(ACCOUNT, OTHER_NARROW)["student-machines"]),
    ),
    "one's own boundary rewritten": (Call("iam:CreatePolicyVersion", g.boundary_arn(ACCOUNT, NARROW)),),
}


@pytest.mark.parametrize("actor", CROSSERS)
def test_a_cohort_does_not_get_what_another_in_its_account_has(actor):
    assert [what for what, calls in (BEYOND | NOBODYS).items() if succeeds(OF_NARROW[actor], calls)] == []


def test_the_other_cohort_gets_it():
    assert [what for what, calls in BEYOND.items() if not succeeds(OF_OTHER["student"], calls)] == []
    assert not succeeds(OF_OTHER["student"], run_instances(type="t3.micro")), "nor what the first alone has"


def test_a_cohort_without_limits_makes_no_role_under_anothers_boundary():
    for actor in CROSSERS:
        assert not succeeds(WORLDS["the account's"][0][actor], BEYOND["a role under their boundary"])


def test_what_labs_need_gets_through_for_a_cohort_but_for_what_its_limits_leave_out():
    for actor, needs in WORKS_UNDER.items():
        refused = {
            need
            for need, calls in needs.items()
            if not all(is_allowed(OF_NARROW[actor], under(NARROW, call)) for call in calls)
        }
        assert refused == ({"work in the other region"} if needs is STUDENT_NEEDS else set()), actor


def test_a_cohorts_documents_are_sound_and_short_enough():
    for name, document in documents_of(NARROW).items():
        assert list(faults(document)) == [], name
        assert len(text(document)) <= (SESSION_LIMIT if name == "session" else MANAGED_LIMIT), name


def test_the_tables_are_as_large_as_they_claim():
    names = [way.name for way in WAYS]
    assert len(set(names)) == len(names) > 200
    assert len(held("role with everything")) > 200 and len(held("student with everything")) > 80
    assert len(STUDENT_NEEDS) > 45 and len(ROLE_NEEDS) > 12


def test_without_guardrails_all_of_the_ways_are_open():
    """Nothing in the table fails by itself."""
    unheld = Principal(session_of(STUDENT_ROLE), (ALLOW_ALL,))
    assert [way.name for way in WAYS if not succeeds(unheld, way.calls)] == []


def test_aws_knows_every_call_of_the_tables():
    """A call with a key that AWS never sends would prove nothing."""
    calls = [(way.name, call) for way in WAYS if way not in IF_AWS_SENT_MORE for call in way.calls]
    calls += [(need, call) for table in (STUDENT_NEEDS, ROLE_NEEDS) for need, made in table.items() for call in made]
    assert [f"{name}: {fault}" for name, call in calls for fault in impossible(call)] == []


LAB_ROLES = [
    (f"{lab.slug}, {want.key}", want.params)
    for lab in all_labs()
    for want in lab.wants
    # EMR's service role starts machines, so it is made with the account and not bounded (docs/guardrails.md).
    if want.kind == "iam-role" and "elasticmapreduce" not in want.params["trust"]
]


@pytest.mark.parametrize(("role", "params"), LAB_ROLES, ids=[role for role, _ in LAB_ROLES])
def test_what_a_lab_gives_its_role_the_boundary_lets_through(role, params):
    """Does it fail for a new lab? Then its role cannot do in a real account what its policy says."""
    of_roles = [
        one
        for one in DOCUMENTS["boundary"]["Statement"]
        if one["Effect"] == "Allow" and "aws:PrincipalArn" not in one.get("Condition", {}).get("ArnLike", {})
    ]
    given = {
        action
        for document in params.get("inline_policies", {}).values()
        for statement in document["Statement"]
        for action in as_list(statement["Action"])
    }
    assert [
        one for one in given if not any(matches({"Action": each["Action"]}, Call(one), {}) for each in of_roles)
    ] == []
    # A student hands a role to fewer services than the portal, which does it for what a student cannot make.
    assert params["trust"].removesuffix(".amazonaws.com") in PORTAL_PASSES_TO


# --- each statement bites ------------------------------------------------------------------------------------


def mutants() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any] | None]]:
    """(what is done, to which document, the statement before and after): each statement left out, each condition left
    out, each list of resources opened, one at a time."""
    for name, document in DOCUMENTS.items():
        for statement in document["Statement"]:
            sid = f"{name}, {statement['Sid']}"
            yield f"{sid}: left out", name, statement, None
            for operator, keys in statement.get("Condition", {}).items():
                for key in keys:
                    changed = copy.deepcopy(statement)
                    del changed["Condition"][operator][key]
                    yield f"{sid}: without {operator} {key}", name, statement, changed
            if statement["Effect"] == "Allow" and statement["Resource"] != "*":
                yield f"{sid}: on every resource", name, statement, statement | {"Resource": "*"}


def is_noticed(name: str, before: dict[str, Any], after: dict[str, Any] | None) -> bool:
    """Whether a way out opens or a need is refused, once this statement of a document is another, or gone."""
    document = copy.copy(DOCUMENTS[name])
    document["Statement"] = [one for one in document["Statement"] if one is not before] + ([after] if after else [])
    everybody = actors(DOCUMENTS | {name: document})
    for actor, who in everybody.items():
        context = {key.lower(): value for key, value in who.context.items()}

        def says_otherwise(call, context=context):
            sent = context | {key.lower(): value for key, value in call.context.items()}
            return matches(before, call, sent) != (after is not None and matches(after, call, sent))

        for way in held(actor):
            if any(map(says_otherwise, way.calls)) and succeeds(who, way.calls):
                return True
        for calls in WORKS_UNDER.get(actor, {}).values():
            if any(says_otherwise(call) and not is_allowed(who, call) for call in calls):
                return True
    return False


def test_no_statement_and_no_condition_can_be_left_out_unnoticed():
    tried = list(mutants())
    assert len(tried) > 140
    assert [what for what, *change in tried if not is_noticed(*change)] == []


# --- limits of AWS, and sound documents ----------------------------------------------------------------------

TRUST = g.student_trust(CONTROLLER, AYE)
SIZES = {
    **{name: (DOCUMENTS[name], MANAGED_LIMIT) for name in (*g.STUDENT_POLICIES, "boundary")},
    "session": (DOCUMENTS["session"], SESSION_LIMIT),
    "trust": (TRUST, TRUST_LIMIT),
    "fence": (g.fence(LAUNCH, NOW), INLINE_LIMIT),
    "seal": (g.seal(), INLINE_LIMIT),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_document_is_sound_and_short_enough(name):
    document, limit = SIZES[name]
    assert list(faults(document)) == []
    assert len(text(document)) <= limit


def test_fences_of_a_term_fit_on_one_role():
    assert 20 * len(text(g.fence(LAUNCH, NOW))) < INLINE_LIMIT


def test_an_account_may_allow_half_as_many_types_again():
    more = g.Rules(
        regions=(*RULES.regions, "ap-southeast-3"),
        instance_types=(*RULES.instance_types, "c5.large", "r5.large", "g4dn.xlarge"),
        sagemaker_types=(*RULES.sagemaker_types, "ml.c5.xlarge", "ml.g4dn.xlarge"),
        models=(*RULES.models, "amazon.nova-lite-v1:0"),
    )
    of_the_account = (g.boundary(more, ACCOUNT), *g.student_policies(more, ACCOUNT).values())
    # A cohort's lists are shorter, but the names in its documents longer.
    of_a_cohort = (g.boundary(more, ACCOUNT, NARROW), *g.student_policies(more, ACCOUNT, NARROW).values())
    for document in (*of_the_account, *of_a_cohort):
        assert len(text(document)) <= MANAGED_LIMIT
    assert len(text(g.session_policy(more, LAUNCH))) <= SESSION_LIMIT


def test_rules_that_do_not_fit_say_so_and_what_to_do():
    many = g.Rules(instance_types=tuple(f"m{number}.large" for number in range(200)))
    with pytest.raises(ValueError, match="session policy has .* AWS takes 2048. Allow fewer types or regions"):
        g.session_policy(many, LAUNCH)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"regions": ()}, "regions must be a list with at least one entry like us-east-1"),
        ({"regions": "us-east-1"}, "regions must be a list"),
        ({"regions": ("everywhere",)}, "'everywhere' in regions is not like us-east-1"),
        ({"instance_types": ("t3.*",)}, "'t3.*' in instance_types is not like t3.micro"),
        ({"sagemaker_types": ("t3.medium",)}, "'t3.medium' in sagemaker_types is not like ml.t3.medium"),
        ({"models": ("*",)}, "'*' in models is not like amazon.nova-micro-v1:0"),
        ({"max_gb": 0}, "max_gb is 0 and must be a whole number from 1 to 1000"),
        ({"max_gb": True}, "max_gb is True"),
        ({"max_runtime_seconds": "3600"}, "max_runtime_seconds is '3600' and must be a whole number from 60 to 86400"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_in_words(wrong, words):
    with pytest.raises(ValueError) as refused:
        g.Rules(**wrong)
    assert words in str(refused.value)


def test_all_that_is_wrong_with_rules_is_said_at_once():
    with pytest.raises(ValueError, match="regions .*; max_gb "):
        g.Rules(regions=(), max_gb=-1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: g.boundary_arn("12345"),
        lambda: g.tags("aye", LAUNCH),
        lambda: g.tags(AYE, "*"),
        lambda: g.own_prefix(""),
        lambda: g.student_trust("*", AYE),
        lambda: g.fence(LAUNCH, datetime(2025, 9, 13)),  # noqa: DTZ001
    ],
)
def test_what_would_make_a_document_wider_than_meant_is_refused(ask):
    with pytest.raises(ValueError):
        ask()


def test_the_linter_notices_what_aws_would_take_and_never_apply():
    def of_one(statement):
        return list(faults({"Statement": [{"Sid": "It", "Effect": "Allow"} | statement]}))

    assert of_one({"Action": "s3:GetObjects", "Resource": "*"}) == ["It: s3:GetObjects is no action"]
    assert of_one({"Action": "s3:GetObject", "Resource": "arn:aws:ec2:*:*:instance/*"}) == [
        "It: s3:GetObject takes none of its resources",
        "It: no action takes arn:aws:ec2:*:*:instance/*",
    ]
    tagged = {"StringEquals": {"aws:RequestTag/lab": "x"}}
    assert of_one({"Action": "iam:PassRole", "Resource": "*", "Condition": tagged}) == [
        "It: iam:PassRole carries no aws:RequestTag/lab"
    ]
    typed = {"StringEquals": {"sagemaker:InstanceTypes": "ml.t3.medium"}}
    assert of_one({"Action": "sagemaker:CreateEndpointConfig", "Resource": "*", "Condition": typed}) == [
        "It: sagemaker:InstanceTypes has many values, and StringEquals does not go with that"
    ]
    sized = {"StringEquals": {"ec2:VolumeSize": "8"}}
    assert of_one({"Action": "ec2:CreateVolume", "Resource": "*", "Condition": sized}) == [
        "It: ec2:VolumeSize is a Numeric, and StringEquals does not go with that"
    ]


# --- who enters, and how it ends -----------------------------------------------------------------------------


def enters(**changed: Any) -> bool:
    """Whether the trust of aye's role lets in a session that is asked for so."""
    asked = {
        "aws:RequestTag/student": AYE,
        "aws:RequestTag/lab": g.lab_of(LAUNCH),
        "aws:TagKeys": ["student", "lab"],
        "sts:SourceIdentity": f"student-{AYE}",
    } | changed
    context = {key.lower(): value for key, value in asked.items() if value is not None}
    return all(
        any(matches(statement, Call(action, STUDENT_ROLE), context) for statement in TRUST["Statement"])
        for action in ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    )


def test_the_portals_role_makes_a_students_sessions():
    assert {str(statement["Principal"]) for statement in TRUST["Statement"]} == {str({"AWS": CONTROLLER})}
    assert enters()


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("another student's tag", {"aws:RequestTag/student": BO}),
        ("no student's tag", {"aws:RequestTag/student": None}),
        ("no lab's tag", {"aws:RequestTag/lab": None}),
        ("a lab's tag that is none", {"aws:RequestTag/lab": ""}),
        ("a tag more", {"aws:TagKeys": ["student", "lab", "admin"]}),
        ("another's name", {"sts:SourceIdentity": f"student-{BO}"}),
        ("no name", {"sts:SourceIdentity": None}),
    ],
)
def test_no_session_begins_with(why, changed):
    assert not enters(**changed)


def at(instant: datetime, launch: str = LAUNCH) -> dict[str, Any]:
    """A session of aye's that was issued at this instant, for this launch."""
    issued = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return session_of(STUDENT_ROLE) | {"aws:TokenIssueTime": issued, "aws:PrincipalTag/lab": g.lab_of(launch)}


@pytest.mark.parametrize(
    ("why", "session", "goes_on"),
    [
        ("issued before", at(NOW - timedelta(minutes=1)), False),
        ("issued in the same second", at(NOW), False),
        ("issued afterwards", at(NOW + timedelta(seconds=1)), True),
        ("of another lab", at(NOW - timedelta(minutes=1), OTHER_LAUNCH), True),
    ],
)
def test_a_fence_ends_the_sessions_of_one_launch_that_were_issued_before(why, session, goes_on):
    fenced = Principal(session, (ALLOW_ALL, g.fence(LAUNCH, NOW + timedelta(microseconds=900_000))))
    assert is_allowed(fenced, Call("s3:PutObject", bucket(f"{OWN}data/a.csv"))) is goes_on


def test_a_sealed_role_does_nothing_more_but_lets_aws_tidy_up():
    sealed = Principal(session_of(LAB_ROLE), (ALLOW_ALL, g.seal()))
    assert not is_allowed(sealed, Call("s3:PutObject", bucket(f"{OWN}data/a.csv")))
    assert not is_allowed(sealed, Call("sagemaker:CreateEndpoint", "*"))
    assert is_allowed(sealed, Call("ec2:DeleteNetworkInterface", "*"))


def test_names_and_tags_of_a_launch_are_one_thing():
    assert g.tags(7, LAUNCH) == {"student": "7", "lab": LAUNCH[:12]}
    assert g.own_prefix(LAUNCH) == f"lab-{LAUNCH[:12]}-"
    assert name_for("s3-ml-bucket", "bucket", UUID(LAUNCH)) == f"{OWN}s3-ml-bucket-bucket"
