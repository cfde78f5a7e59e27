"""What the operator is told before anything starts."""

import pytest

from portal import checks


def said(settings_checks):
    return {one.id: f"{one.msg} {one.hint}" for one in settings_checks}


@pytest.fixture
def at_home(settings):
    settings.HOST, settings.ALLOWED_HOSTS = "127.0.0.1", ["localhost", "127.0.0.1", "[::1]"]
    settings.DEMO = settings.DEBUG = settings.BEHIND_HTTPS = False
    settings.SECRET_KEY = settings.DEFAULT_SECRET_KEY
    return settings


def test_a_demo_with_the_default_key_runs_on_this_machine(at_home):
    at_home.DEMO = True
    assert checks.only_for_this_machine() == []


@pytest.mark.parametrize(
    ("host", "reaches_only_us"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("portal.localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),  # every address  # noqa: S104
        ("::", False),
        ("", False),  # also every address
        ("*", False),
        (".example.org", False),
        ("192.168.0.7", False),
        ("localhost.example.org", False),
    ],
)
def test_what_counts_as_this_machine(host, reaches_only_us):
    assert checks.is_loopback(host) is reaches_only_us


@pytest.mark.parametrize("way_in", [{"HOST": "0.0.0.0"}, {"HOST": ""}, {"ALLOWED_HOSTS": ["*"]}])  # noqa: S104
def test_a_demo_refuses_to_face_others(at_home, way_in):
    at_home.DEMO, at_home.SECRET_KEY = True, "a key of our own"
    for name, value in way_in.items():
        setattr(at_home, name, value)
    told = said(checks.only_for_this_machine())
    assert "Anybody could sign in as anybody" in told["lightsout.E001"]
    assert next(iter(way_in)) in told["lightsout.E001"]
    assert "lightsout.E002" not in told


def test_the_default_key_refuses_to_face_others_and_says_how_to_make_one(at_home):
    at_home.ALLOWED_HOSTS = ["lightsout.example.org"]
    told = said(checks.only_for_this_machine())
    assert "ALLOWED_HOSTS=lightsout.example.org" in told["lightsout.E002"]
    assert "secrets.token_urlsafe" in told["lightsout.E002"]
    assert "lightsout.E001" not in told


def test_debug_pages_refuse_to_face_others(at_home):
    at_home.ALLOWED_HOSTS, at_home.DEBUG, at_home.SECRET_KEY = ["lightsout.example.org"], True, "a key of our own"
    assert "lightsout.E003" in said(checks.only_for_this_machine())


def test_a_portal_set_up_for_others_passes_and_without_https_is_warned(at_home):
    at_home.HOST, at_home.ALLOWED_HOSTS, at_home.SECRET_KEY = "10.0.0.5", ["lightsout.example.org"], "a key of our own"
    at_home.PUBLIC_URL = "https://lightsout.example.org"
    assert list(said(checks.only_for_this_machine())) == ["lightsout.W001"]
    at_home.BEHIND_HTTPS = True
    assert checks.only_for_this_machine() == []


def test_an_address_that_leads_everybody_to_their_own_machine_is_warned_of(at_home):
    at_home.HOST, at_home.SECRET_KEY, at_home.BEHIND_HTTPS = "10.0.0.5", "a key of our own", True
    at_home.PUBLIC_URL = "http://127.0.0.1:8000"
    assert "lead students to their own machine" in said(checks.only_for_this_machine())["lightsout.W002"]


def test_a_database_that_we_do_not_run_on_is_named():
    told = said(checks.about_database({"ENGINE": "django.db.backends.mysql", "NAME": "lights"}))
    assert "'mysql'" in told["lightsout.E010"]


def test_a_database_url_without_a_name_is_explained():
    told = said(checks.about_database({"ENGINE": "django.db.backends.postgresql", "NAME": ""}))
    assert "The name comes last" in told["lightsout.E011"]


@pytest.mark.parametrize("engine", ["postgresql", "sqlite3"])
def test_the_databases_that_we_run_on_pass(engine):
    assert checks.about_database({"ENGINE": f"django.db.backends.{engine}", "NAME": "lights"}) == []


def test_a_broker_that_is_not_redis_is_refused():
    assert "redis://" in said(checks.about_broker("amqp://broker", on_sqlite=False))["lightsout.E012"]


def test_redis_with_sqlite_is_warned_of_one_machine_only():
    assert "one machine" in said(checks.about_broker("redis://broker:6379/0", on_sqlite=True))["lightsout.W010"]
    assert (
        checks.about_broker("redis://broker:6379/0", on_sqlite=False) == checks.about_broker("", on_sqlite=True) == []
    )


def test_an_address_without_its_scheme_is_refused():
    assert "PUBLIC_URL" in said(checks.about_address("PUBLIC_URL", "lightsout.example.org"))["lightsout.E013"]
    assert checks.about_address("PUBLIC_URL", "https://lightsout.example.org/") == []


@pytest.mark.parametrize("name", ["REDIS_URL", "PUBLIC_URL", "SIMULATOR_URL"])
def test_each_address_is_looked_at(settings, name):
    setattr(settings, name, "ftp://somewhere")
    assert name in " ".join(said(checks.addresses()).values())


def test_a_simulator_elsewhere_is_warned_of(settings):
    settings.SIMULATOR_URL = "http://10.0.0.9:5566"
    assert "10.0.0.9" in said(checks.simulator_stays_here())["lightsout.W020"]
    settings.SIMULATOR_URL = "http://127.0.0.1:5566"
    assert checks.simulator_stays_here() == []


def test_a_server_without_a_simulator_is_right(settings):
    settings.SIMULATOR_URL = ""
    assert checks.addresses() == [] and checks.simulator_stays_here() == []


@pytest.mark.parametrize("wrong", [["us-east-1", "useast1"], ["Singapore"], ["us-east-1a"], []])
def test_a_region_that_aws_does_not_have_is_named(settings, wrong):
    settings.LAB_REGIONS = wrong
    assert "LAB_REGIONS" in said(checks.regions())["lightsout.E030"]


def test_a_lab_region_that_nobody_looks_into_is_refused(settings):
    settings.LAB_REGIONS, settings.PRACTICE_REGIONS = ["us-east-1", "eu-west-1"], ["us-east-1"]
    assert "PRACTICE_REGIONS=us-east-1,eu-west-1" in said(checks.regions())["lightsout.E031"]


def test_real_regions_pass(settings):
    settings.LAB_REGIONS = ["us-east-1", "ap-southeast-1"]
    settings.PRACTICE_REGIONS = ["us-east-1", "ap-southeast-1", "us-gov-west-1"]
    assert checks.regions() == []


def test_the_portals_role_is_a_role_and_not_a_session_of_it(settings):
    settings.PORTAL_ROLE_ARN = "arn:aws:sts::444455556666:assumed-role/lightsout/i-1"
    assert list(said(checks.identity_at_aws())) == ["lightsout.E040"]
    settings.PORTAL_ROLE_ARN = "arn:aws:iam::444455556666:role/service/lightsout"
    assert checks.identity_at_aws() == []


def test_a_long_lived_key_is_warned_of(settings):
    settings.ALLOW_LONG_LIVED_KEY = True
    assert list(said(checks.identity_at_aws())) == ["lightsout.W040"]


def test_a_template_is_at_a_web_address(settings):
    settings.TEMPLATE_URL = "s3://school/lightsout.yaml"
    assert list(said(checks.identity_at_aws())) == ["lightsout.E013"]


def test_what_is_done_about_what_is_nobodys_is_one_that_there_is(settings):
    assert checks.left_on_policy() == []
    settings.LEFT_ON_POLICY = "burn"
    assert list(said(checks.left_on_policy())) == ["lightsout.E050"]


@pytest.mark.parametrize(
    ("schemes", "is_wrong"),
    [([], False), (["tgram", "slack"], False), (["syslog"], True), (["tgram", "https://example.com"], True)],
)
def test_notices_go_to_schemes_of_apprise_and_not_onto_this_machine(settings, schemes, is_wrong):
    settings.NOTICE_SCHEMES = schemes
    assert bool(checks.where_notices_go()) is is_wrong
