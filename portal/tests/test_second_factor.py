"""Who answers for others needs a second factor: before it is there, nothing else is."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labs.models import Act
from portal import second_factor
from portal.models import Membership, Notice, User

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def needed(settings):
    settings.STAFF_NEED_SECOND_FACTOR = True


def code(secret=SECRET):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def with_app(person):
    TOTP.activate(person, SECRET)
    RecoveryCodes.activate(person)
    return person


def by_password(client, person):
    return client.post(reverse("account_login"), {"login": person.email, "password": "lights"})


# --- without one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["chit", "admin"])
def test_without_one_every_page_leads_to_where_it_is_set_up(who, request, signed_in, cohort):
    client = signed_in(request.getfixturevalue(who))
    for path in ("/", "/review/", "/costs/spend/", "/admin/", "/admin/portal/user/", f"/cohort/{cohort.slug}/invite/"):
        assert client.get(path).url == reverse("mfa_index"), path
    assert client.post(reverse("portal:lights_policy", args=[cohort.slug]), {}).url == reverse("mfa_index")
    html = client.get(reverse("mfa_index")).content.decode()
    assert "Set up a second factor first" in html


def test_a_student_needs_none_until_they_teach(signed_in, aye):
    client = signed_in(aye)
    assert client.get(reverse("portal:today")).status_code == 200
    Membership.objects.filter(user=aye).update(role=Membership.Role.INSTRUCTOR)
    assert client.get(reverse("portal:today")).url == reverse("mfa_index")


def test_with_one_the_pages_are_there_and_it_costs_one_query(signed_in, chit, cohort, settings):
    client = signed_in(with_app(chit))
    with CaptureQueriesContext(connection) as needed:
        assert client.get("/course/").status_code == 200
    settings.STAFF_NEED_SECOND_FACTOR = False
    with CaptureQueriesContext(connection) as free:
        client.get("/course/")
    assert len(needed) == len(free) + 1


def test_recovery_codes_alone_are_no_second_factor(chit):
    RecoveryCodes.activate(chit)
    assert not second_factor.has(chit)


def test_demo_people_are_exempt_on_this_machine_alone_and_the_page_says_so(client, chit, settings):
    settings.DEMO = True
    User.objects.update(is_demo=True)
    assert (
        "They need no second factor, here and on this machine alone" in client.get("/accounts/login/").content.decode()
    )
    client.post(reverse("portal:demo_sign_in"), {"email": chit.email})
    assert client.get(reverse("portal:review")).url != reverse("mfa_index")
    settings.ALLOWED_HOSTS = ["testserver", "lights.example.org"]
    assert client.get(reverse("portal:review")).url == reverse("mfa_index")


# --- setting it up -----------------------------------------------------------------------------------------


def test_an_app_is_set_up_after_the_password_with_codes_shown_once(client, chit):
    by_password(client, chit)
    again = client.get(reverse("mfa_activate_totp"))
    assert again.url.startswith(reverse("account_reauthenticate"))
    assert "is-invalid" in client.post(again.url, {"password": "wrong"}).content.decode()
    client.post(again.url, {"password": "lights", "next": reverse("mfa_activate_totp")})
    html = client.get(reverse("mfa_activate_totp")).content.decode()
    assert 'src="data:image/svg+xml' in html
    secret = re.search(r'id="secret">(\w+)<', html)[1]
    assert "This code is not right" in client.post(reverse("mfa_activate_totp"), {"code": "000"}).content.decode()
    done = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    codes = client.get(done.url).content.decode()
    assert len(re.findall(r"^\d{8}$", re.search(r'id="codes">(.*?)</pre>', codes, re.S)[1], re.M)) == 10
    assert 'id="codes"' not in client.get(done.url).content.decode()
    assert client.get(reverse("portal:review")).url != reverse("mfa_index")


@pytest.mark.parametrize("with_recovery", [False, True])
def test_the_password_alone_does_not_sign_in_any_more(client, chit, with_recovery):
    with_app(chit)
    answer = by_password(client, chit)
    assert answer.url == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    assert "Code" in client.get(answer.url).content.decode()
    assert "This code is not right" in client.post(answer.url, {"code": "123456"}).content.decode()
    own = Authenticator.objects.get(user=chit, type="recovery_codes").wrap().get_unused_codes()[0]
    client.post(answer.url, {"code": own if with_recovery else code()})
    assert client.session["_auth_user_id"] == str(chit.pk)
    if with_recovery:
        other = Client()
        by_password(other, chit)
        other.post(answer.url, {"code": own})
        assert "_auth_user_id" not in other.session, "each works once"


def test_djangos_own_sign_in_does_not_stand_beside_it(client, admin):
    with_app(admin)
    assert client.get("/admin/login/").url.startswith(reverse("account_login"))
    client.post("/admin/login/", {"username": admin.email, "password": "lights"})
    assert "_auth_user_id" not in client.session


def test_the_only_one_cannot_be_removed_by_who_needs_it(client, chit, aye):
    for person, stays in ((with_app(chit), True), (with_app(aye), False)):
        client = Client()
        by_password(client, person)
        client.post(reverse("mfa_authenticate"), {"code": code()})
        client.post(reverse("account_reauthenticate"), {"password": "lights"})
        client.post(reverse("mfa_deactivate_totp"))
        assert second_factor.has(person) is stays


# --- a lost one --------------------------------------------------------------------------------------------


def test_another_admin_takes_a_lost_one_away_and_it_is_written_down_and_told(signed_in, chit, admin):
    elsewhere = Client()
    elsewhere.force_login(with_app(chit), backend="django.contrib.auth.backends.ModelBackend")
    client = signed_in(with_app(admin))
    assert "Set up" in client.get(reverse("portal:second_factors")).content.decode()
    url = reverse("portal:reset_second_factor", args=[chit.pk])
    assert "Be sure that it is they who ask" in client.get(url).content.decode()
    client.post(url)
    assert not Authenticator.objects.filter(user=chit).exists()
    assert elsewhere.get("/review/").url.startswith(reverse("account_login")), "signed out everywhere"
    act = Act.objects.get(kind="factor")
    assert (act.by, act.person) == (admin, chit)
    assert Notice.objects.get(person=chit).is_urgent
    assert client.post(reverse("portal:reset_second_factor", args=[admin.pk])).status_code == 404, "not one's own"
    assert second_factor.has(admin)


def test_the_operator_lets_the_last_admin_in_again(admin, capsys):
    with_app(admin)
    call_command("reset_second_factor", "HAZEL@example.org")
    assert not second_factor.has(admin)
    act = Act.objects.get(kind="factor")
    assert (act.by, act.person) == (None, admin)


# --- where one is signed in --------------------------------------------------------------------------------


@pytest.fixture
def phone(aye):
    client = Client(headers={"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36"})
    by_password(client, aye)
    return client


def test_a_session_is_listed_and_ended_by_its_person_alone(signed_in, aye, bo, phone):
    client = signed_in(aye)
    by_password(client, aye)
    html = client.get(reverse("usersessions_list")).content.decode()
    assert "Chrome on Android" in html
    number = re.search(r'name="end" value="(\d+)"', html)[1]
    stranger = Client()
    stranger.force_login(bo, backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.post(reverse("usersessions_list"), {"end": number}).status_code == 404
    assert phone.get("/course/").status_code == 200
    client.post(reverse("usersessions_list"), {"end": number})
    assert phone.get("/course/").status_code == 302
    assert client.get("/course/").status_code == 200


def test_all_others_are_ended_at_once_also_those_that_no_list_knows(signed_in, aye, bo, phone):
    forced = Client()
    for one, person in ((forced, aye), (stranger := Client(), bo)):
        one.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    client = signed_in(aye)
    client.post(reverse("usersessions_list"), {"end": "others"})
    assert [one.get("/course/").status_code for one in (client, forced, phone, stranger)] == [200, 302, 302, 200]
    assert Session.objects.count() == 2
