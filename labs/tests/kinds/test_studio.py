"""SageMaker Studio: what stands in a domain goes before it, in AWS's order; machines and disks cost, the rest is free.

Practice mode has none of "sagemaker-studio-domain", "sagemaker-studio-profile", "sagemaker-studio-space" and
"sagemaker-studio-app": each call is checked against AWS's own description of it.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Seen
from labs.tests.cast import START
from labs.tests.kinds.examples import want_for
from labs.tests.kinds.scripted_aws import scripted

DOMAIN, PROFILE, SPACE, APP = (kind_of(f"sagemaker-studio-{name}") for name in ("domain", "profile", "space", "app"))
ID = "d-abcdefghijkl"
ARNS = "arn:aws:sagemaker:us-east-1:600000000002"
ROLE = "arn:aws:iam::600000000002:role/lab/studio"
TIMES = {"CreationTime": START, "LastModifiedTime": START}
IDLE = {
    "LifecycleManagement": "ENABLED",
    "IdleTimeoutInMinutes": 60,
    "MinIdleTimeoutInMinutes": 60,
    "MaxIdleTimeoutInMinutes": 60,
}
JUPYTER = {"AppLifecycleManagement": {"IdleSettings": IDLE}}
TAGS = {"Tags": [{"Key": "owner", "Value": "aye"}]}


def domain(**more):
    told = {
        "DomainArn": f"{ARNS}:domain/{ID}",
        "DomainId": ID,
        "DomainName": "studio",
        "Status": "InService",
        "HomeEfsFileSystemId": "fs-1",
        "VpcId": "vpc-1",
        "DefaultUserSettings": {"ExecutionRole": ROLE, "JupyterLabAppSettings": JUPYTER},
        **TIMES,
    }
    return told | more


def line_of_domain(**more):
    return {member: value for member, value in domain(**more).items() if member in LINE}


LINE = ("DomainArn", "DomainId", "DomainName", "Status", "CreationTime", "LastModifiedTime")


def profile(name="aye", **more):
    return {"DomainId": ID, "UserProfileName": name, "Status": "InService", **TIMES, **more}


def space(name="desk", owner="aye", summary="Summary", **more):
    disk = {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 5}}, "AppType": "JupyterLab"}
    owned = {f"OwnershipSettings{summary}": {"OwnerUserProfileName": owner}, f"SpaceSettings{summary}": disk}
    return {"DomainId": ID, "SpaceName": name, "Status": "InService", **TIMES, **owned, **more}


def app(name="default", whose=("SpaceName", "desk"), app_type="JupyterLab", type_="ml.t3.medium", **more):
    known_by = {"DomainId": ID, whose[0]: whose[1], "AppType": app_type, "AppName": name}
    spec = {"ResourceSpec": {"InstanceType": type_}} if type_ else {}
    return {**known_by, "Status": "InService", "CreationTime": START, **spec, **more}


def members(told):
    return {
        name: told[name] for name in ("DomainId", "SpaceName", "UserProfileName", "AppType", "AppName") if name in told
    }


def listing(what, *lines, **where):
    """The script of one list of what stands in the domain."""
    operation = {"Apps": "list_apps", "Spaces": "list_spaces", "UserProfiles": "list_user_profiles"}[what]
    return operation, {"DomainIdEquals": ID, "MaxResults": 100, **where}, {what: list(lines)}


def deleting(told):
    return "delete_app", members(told), {}


# --- made, so that it ends by itself --------------------------------------------------------------------------


def test_a_domain_is_made_so_that_what_runs_in_it_stops_when_idle_and_nobody_can_put_that_off():
    want = want_for("sagemaker-studio-domain", {"role_arn": ROLE, "vpc": "vpc-1", "subnets": ["subnet-1"]})
    asked = {
        "DomainName": want.name,
        "AuthMode": "IAM",
        "DefaultUserSettings": {
            "ExecutionRole": ROLE,
            "JupyterLabAppSettings": JUPYTER,
            "CodeEditorAppSettings": JUPYTER,
            "SpaceStorageSettings": {
                "DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": 5, "MaximumEbsVolumeSizeInGb": 20}
            },
            "StudioWebPortal": "ENABLED",
            "DefaultLandingUri": "studio::",
        },
        "DefaultSpaceSettings": {"ExecutionRole": ROLE, "JupyterLabAppSettings": JUPYTER},
        "AppNetworkAccessType": "PublicInternetOnly",
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-1"],
        "Tags": [{"Key": key, "Value": value} for key, value in want.tags.items()],
    }
    with scripted("sagemaker", ("create_domain", asked, {})) as client:
        DOMAIN.create(client, want)
    assert "60 idle minutes" in DOMAIN.native_cap and "60 idle minutes" in SPACE.native_cap


@pytest.mark.parametrize(("wanted", "given"), [(15, 60), (60, 60), (120, 120)])
def test_aws_takes_no_less_than_an_hour_of_idleness(wanted, given):
    want = want_for("sagemaker-studio-space", {"domain": ID, "profile": "aye", "gb": 8, "idle_minutes": wanted})
    asked = {
        "DomainId": ID,
        "SpaceName": want.name,
        "OwnershipSettings": {"OwnerUserProfileName": "aye"},
        "SpaceSharingSettings": {"SharingType": "Private"},
        "SpaceSettings": {
            "AppType": "JupyterLab",
            "JupyterLabAppSettings": {"AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": given}}},
            "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 8}},
        },
        "Tags": [{"Key": key, "Value": value} for key, value in want.tags.items()],
    }
    with scripted("sagemaker", ("create_space", asked, {})) as client:
        SPACE.create(client, want)


def test_a_profile_is_made_in_its_domain_with_our_tags():
    want = want_for("sagemaker-studio-profile", {"domain": ID})
    tags = [{"Key": key, "Value": value} for key, value in want.tags.items()]
    asked = {"DomainId": ID, "UserProfileName": want.name, "Tags": tags}
    with scripted("sagemaker", ("create_user_profile", asked, {})) as client:
        PROFILE.create(client, want)


# --- found again ----------------------------------------------------------------------------------------------


def test_a_domain_is_found_by_its_name_since_aws_makes_its_id():
    listed = ("list_domains", {"MaxResults": 100}, {"Domains": [line_of_domain()]})
    want = want_for("sagemaker-studio-domain", name="studio")
    with scripted("sagemaker", listed, ("describe_domain", {"DomainId": ID}, domain())) as client:
        seen = DOMAIN.observe(client, want)
    assert (seen.state, seen.aws_id, seen.name) == (RUNNING, ID, "studio")
    assert (seen.facts["file_system"], seen.facts["idle_minutes"]) == ("fs-1", 60)
    with scripted("sagemaker", listed) as client:
        assert DOMAIN.observe(client, replace(want, name="another")).state == ABSENT


def test_one_without_an_idle_time_says_so():
    made_by_hand = domain(DefaultUserSettings={"ExecutionRole": ROLE})
    with scripted("sagemaker", ("describe_domain", {"DomainId": ID}, made_by_hand)) as client:
        seen = DOMAIN.observe(client, want_for("sagemaker-studio-domain", aws_id=ID))
    assert seen.facts["idle_minutes"] == 0


def test_a_profile_of_a_lab_is_described_at_once_and_a_strangers_by_what_the_list_showed():
    want = want_for("sagemaker-studio-profile", {"domain": ID}, name="aye")
    told = {**profile(), "UserProfileArn": f"{ARNS}:user-profile/{ID}/aye"}
    described = ("describe_user_profile", {"DomainId": ID, "UserProfileName": "aye"}, told)
    listed = ("list_user_profiles", {"MaxResults": 100}, {"UserProfiles": [profile()]})
    with scripted("sagemaker", described) as client:
        seen = PROFILE.observe(client, want)
    tagged = ("list_tags", {"ResourceArn": told["UserProfileArn"]}, TAGS)
    with scripted("sagemaker", listed, described, tagged) as client:
        (glimpsed,) = PROFILE.find_all(client)
        stranger = PROFILE.complete(client, glimpsed)
    assert seen.aws_id == glimpsed.aws_id == stranger.aws_id == f"{ID}/aye"
    assert (glimpsed.mark, glimpsed.name, glimpsed.whole) == (stranger.mark, stranger.name, False)
    assert stranger.tags == {"owner": "aye"} and seen.facts == stranger.facts


def test_what_the_tagging_api_names_by_the_end_of_its_arn_is_found_in_the_list():
    listed = ("list_spaces", {"MaxResults": 100}, {"Spaces": [space("other"), space()]})
    told = space(summary="", SpaceArn=f"{ARNS}:space/{ID}/desk")
    described = ("describe_space", {"DomainId": ID, "SpaceName": "desk"}, told)
    with scripted("sagemaker", listed, described) as client:
        assert SPACE.observe(client, want_for("sagemaker-studio-space", aws_id="desk")).aws_id == f"{ID}/desk"


def test_an_app_is_described_as_its_list_glimpsed_it():
    told = {**app(), "AppArn": f"{ARNS}:app/{ID}/desk/jupyterlab/default"}
    tagged = ("list_tags", {"ResourceArn": told["AppArn"]}, TAGS)
    with scripted(
        "sagemaker",
        ("list_apps", {"MaxResults": 100}, {"Apps": [app(), app("old", Status="Deleted")]}),
        ("describe_app", members(app()), told),
        tagged,
    ) as client:
        (glimpsed,) = APP.find_all(client)  # not the one that ended, which AWS lists for a day
        whole = APP.complete(client, glimpsed)
    assert glimpsed.aws_id == whole.aws_id == f"{ID}/desk/JupyterLab/default"
    assert (glimpsed.state, glimpsed.name, glimpsed.mark) == (whole.state, whole.name, whole.mark)
    assert APP.meters(glimpsed) == APP.meters(whole)


def test_when_an_app_was_used_is_told_by_the_quarter_of_an_hour():
    """To the moment, each look at an app in use would be a new fact."""
    used = datetime(2025, 9, 18, 8, 29, 59, tzinfo=UTC)
    told = {**app(), "AppArn": f"{ARNS}:app/{ID}/desk/jupyterlab/default", "LastUserActivityTimestamp": used}
    want = want_for("sagemaker-studio-app", aws_id=f"{ID}/desk/JupyterLab/default")
    with scripted("sagemaker", ("describe_app", members(app()), told)) as client:
        assert APP.observe(client, want).facts["used_at"] == "2025-09-18T08:15:00+00:00"


def test_an_app_of_a_profile_without_a_space_is_known_by_its_profile():
    classic = app(whose=("UserProfileName", "aye"), app_type="KernelGateway", name="k")
    with scripted("sagemaker", ("list_apps", {"MaxResults": 100}, {"Apps": [classic]})) as client:
        (seen,) = APP.find_all(client)
    assert seen.aws_id == f"{ID}/user:aye/KernelGateway/k"
    with scripted("sagemaker", deleting(classic)) as client:
        APP.delete(client, want_for("sagemaker-studio-app"), seen)
    assert APP.off_call(want_for("it", aws_id=seen.aws_id)).input == members(classic)


def test_an_app_that_has_ended_is_absent_also_while_aws_still_describes_it():
    told = {**app(Status="Deleted"), "AppArn": f"{ARNS}:app/{ID}/desk/jupyterlab/default"}
    gone = ("list_tags", {"ResourceArn": told["AppArn"]}, "ResourceNotFound: none")
    want = want_for("sagemaker-studio-app", aws_id=f"{ID}/desk/JupyterLab/default", tags={})
    with scripted("sagemaker", ("describe_app", members(app()), told), gone) as client:
        assert APP.observe(client, want).state == ABSENT


MISSING = "ResourceNotFound: none"


@pytest.mark.parametrize(
    ("kind", "aws_id", "call"),
    [
        (DOMAIN, ID, ("describe_domain", {"DomainId": ID})),
        (PROFILE, f"{ID}/aye", ("describe_user_profile", {"DomainId": ID, "UserProfileName": "aye"})),
        (SPACE, f"{ID}/desk", ("describe_space", {"DomainId": ID, "SpaceName": "desk"})),
        (APP, f"{ID}/desk/JupyterLab/default", ("describe_app", members(app()))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_missing_one_is_absent_and_another_error_comes_out(kind, aws_id, call):
    want = want_for(kind.name, aws_id=aws_id)
    with scripted("sagemaker", (*call, MISSING)) as client:
        assert kind.observe(client, want).state == ABSENT
    with (
        scripted("sagemaker", (*call, "AccessDeniedException: no")) as client,
        pytest.raises(client.exceptions.ClientError) as raised,
    ):
        kind.observe(client, want)
    assert isinstance(aws.sorted_trouble(raised.value), aws.Denied)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Pending", PENDING),
        ("Updating", RUNNING),
        ("Update_Failed", RUNNING),
        ("Failed", FAILED),
        ("Delete_Failed", FAILED),
        ("Deleting", DELETING),
    ],
)
def test_a_domain_is_seen_as(status, state):
    told = domain(Status=status, FailureReason="no subnet")
    with scripted("sagemaker", ("describe_domain", {"DomainId": ID}, told)) as client:
        seen = DOMAIN.observe(client, want_for("sagemaker-studio-domain", aws_id=ID))
    assert (seen.state, seen.facts["failure"]) == (state, "no subnet")


def test_every_page_of_every_list_is_read():
    for kind, operation, member, one, two in (
        (DOMAIN, "list_domains", "Domains", line_of_domain(), line_of_domain(DomainId="d-2")),
        (PROFILE, "list_user_profiles", "UserProfiles", profile(), profile("bo")),
        (SPACE, "list_spaces", "Spaces", space(), space("play")),
        (APP, "list_apps", "Apps", app(), app("other")),
    ):
        with scripted(
            "sagemaker",
            (operation, {"MaxResults": 100}, {member: [one], "NextToken": "n"}),
            (operation, {"MaxResults": 100, "NextToken": "n"}, {member: [two]}),
        ) as client:
            assert len({seen.aws_id for seen in kind.find_all(client)}) == 2


# --- the order of the end -------------------------------------------------------------------------------------

THE_END = ("delete_domain", {"DomainId": ID, "RetentionPolicy": {"HomeEfsFileSystem": "Delete"}}, {})


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            [
                listing("Apps", app(), app("old", Status="Deleted"), app("k", Status="Failed")),
                deleting(app()),
                deleting(app("k")),
            ],
            "apps go first, also those that failed",
        ),
        ([listing("Apps", app(Status="Deleting"))], "an app takes minutes to go"),
        (
            [listing("Apps"), listing("Spaces", space()), ("delete_space", {"DomainId": ID, "SpaceName": "desk"}, {})],
            "then spaces",
        ),
        ([listing("Apps"), listing("Spaces", space(Status="Deleting"))], "which take a while too"),
        (
            [
                listing("Apps"),
                listing("Spaces"),
                listing("UserProfiles", profile()),
                ("delete_user_profile", {"DomainId": ID, "UserProfileName": "aye"}, {}),
            ],
            "then profiles",
        ),
        (
            [listing("Apps", app("old", Status="Deleted")), listing("Spaces"), listing("UserProfiles"), THE_END],
            "then the domain, with its home directories",
        ),
    ],
)
def test_a_domain_goes_after_all_that_stands_in_it(script, why):
    """Also after what a student opened in a lab's domain, which is no row of the lab."""
    with scripted("sagemaker", *script) as client:
        DOMAIN.delete(client, want_for("sagemaker-studio-domain"), Seen(RUNNING, aws_id=ID))


def test_a_profile_goes_after_its_own_apps_and_spaces_and_touches_nobody_elses():
    seen = Seen(RUNNING, aws_id=f"{ID}/aye")
    classic = app(whose=("UserProfileName", "aye"), app_type="JupyterServer", type_="system")
    with scripted("sagemaker", listing("Apps", classic, UserProfileNameEquals="aye"), deleting(classic)) as client:
        PROFILE.delete(client, want_for("sagemaker-studio-profile"), seen)
    with scripted(
        "sagemaker",
        listing("Apps", UserProfileNameEquals="aye"),
        listing("Spaces", space("bos", owner="bo"), space()),
        listing("Apps", app(), SpaceNameEquals="desk"),
        deleting(app()),
    ) as client:
        PROFILE.delete(client, want_for("sagemaker-studio-profile"), seen)
    with scripted(
        "sagemaker",
        listing("Apps", UserProfileNameEquals="aye"),
        listing("Spaces", space("bos", owner="bo")),
        ("delete_user_profile", {"DomainId": ID, "UserProfileName": "aye"}, {}),
    ) as client:
        PROFILE.delete(client, want_for("sagemaker-studio-profile"), seen)


def test_a_space_goes_after_its_apps():
    seen = Seen(RUNNING, aws_id=f"{ID}/desk")
    with scripted("sagemaker", listing("Apps", app(), SpaceNameEquals="desk"), deleting(app())) as client:
        SPACE.delete(client, want_for("sagemaker-studio-space"), seen)
    with scripted(
        "sagemaker",
        listing("Apps", SpaceNameEquals="desk"),
        ("delete_space", {"DomainId": ID, "SpaceName": "desk"}, {}),
    ) as client:
        SPACE.delete(client, want_for("sagemaker-studio-space"), seen)


def test_what_is_on_its_way_out_is_not_asked_again():
    for kind in (DOMAIN, PROFILE, SPACE, APP):
        with scripted("sagemaker") as client:
            kind.delete(client, want_for(kind.name), Seen(DELETING, aws_id=f"{ID}/desk/JupyterLab/default"))


def test_the_order_is_declared_too():
    assert SPACE.goes_after == (APP.name,)
    assert PROFILE.goes_after == (APP.name, SPACE.name)
    assert DOMAIN.goes_after == (APP.name, SPACE.name, PROFILE.name)


# --- the price ------------------------------------------------------------------------------------------------


def seen_app(**more):
    with scripted("sagemaker", ("list_apps", {"MaxResults": 100}, {"Apps": [app(**more)]})) as client:
        (seen,) = APP.find_all(client)
    return seen


@pytest.mark.parametrize(
    ("more", "billed", "why"),
    [
        ({}, {("studio", "ml.t3.medium", "Hrs")}, "a machine by the hour"),
        ({"Status": "Deleting"}, {("studio", "ml.t3.medium", "Hrs")}, "until it is gone"),
        ({"Status": "Pending"}, set(), "not before it is there"),
        ({"Status": "Failed"}, set(), "nor when it never was"),
        ({"app_type": "JupyterServer", "type_": "system"}, set(), "the server of Studio Classic is free"),
        ({"app_type": "JupyterServer", "type_": None}, set(), "also where AWS does not name its machine"),
        ({"type_": None}, {("studio", "unknown", "Hrs")}, "a machine that AWS does not name is unpriced, and not free"),
        (
            {"app_type": "Canvas", "type_": None},
            {("canvas", "workspace-session", "session-Hrs")},
            "Canvas has its own price",
        ),
    ],
)
def test_an_app_costs(more, billed, why):
    meters = APP.meters(seen_app(**more))
    assert {(meter.kind, meter.sku, meter.unit) for meter in meters} == billed, why


def test_a_space_costs_its_disk_and_a_shared_one_without_a_disk_nothing():
    with scripted("sagemaker", ("list_spaces", {"MaxResults": 100}, {"Spaces": [space()]})) as client:
        (seen,) = SPACE.find_all(client)
    (meter,) = SPACE.meters(seen)
    assert (meter.sku, meter.quantity, meter.per) == ("Studio-gp3", Decimal(5), "month")
    assert SPACE.meters(SPACE.would_be(want_for("it", {"gb": 5}))) == SPACE.meters(seen)
    assert SPACE.meters(Seen(RUNNING, facts={"disk_gb": 0})) == []
