"""The frame around every page, the way in, and what is said when something fails."""

import re
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conftest import member
from costs.models import Metered
from labs.models import Account, Launch, Resource, Span
from portal import account_urls, chrome, zones
from portal.models import Membership, User

pytestmark = pytest.mark.django_db
PASSWORD = "lights"  # of everybody in conftest.py


def lost_page(client):
    """A page that is nothing but its frame."""
    return client.get("/there/is/nothing/here/").content.decode()


def places(html):
    """The top bar's labels, in order."""
    bar = re.search(r'<nav class="d-none d-md-block" aria-label="Main">(.*?)</nav>', html, re.S)
    return re.findall(r'<a class="nav-link[^>]*>([^<]+)', bar[1]) if bar else []


# --- who sees which places ---------------------------------------------------------------------------------


def test_a_reader_who_is_not_signed_in_sees_no_places_but_the_way_in(client):
    html = lost_page(client)
    assert places(html) == []
    assert 'href="/accounts/login/"' in html


def test_a_student_sees_the_five_places_of_a_student(signed_in, aye):
    assert places(lost_page(signed_in(aye))) == ["Today", "Course", "Labs", "Submissions", "Costs"]


def test_an_instructor_sees_the_cohort_and_its_spend(signed_in, chit):
    assert places(lost_page(signed_in(chit))) == ["Review", "Course", "Cohort", "Spend", "Forgotten"]


def test_an_admin_begins_with_the_spend(signed_in, admin):
    assert places(lost_page(signed_in(admin))) == ["Spend", "Forgotten", "Accounts", "Course", "Calculator"]


def test_a_person_who_is_in_no_cohort_still_has_a_frame(signed_in):
    assert "Today" in places(lost_page(signed_in(User.objects.create_user("dora@example.org"))))


def test_every_place_has_an_address_and_stands_in_the_bottom_bar_too(signed_in, aye):
    html = lost_page(signed_in(aye))
    for url in ("/", "/course/", "/labs/", "/submissions/", reverse("costs:mine")):
        assert html.count(f'href="{url}"') >= 2


def test_the_place_that_the_page_is_in_is_marked_once_in_each_bar(signed_in, aye):
    html = signed_in(aye).get("/course/nothing/").content.decode()
    assert re.findall(r'href="([^"]+)" aria-current="page"', html) == ["/course/", "/course/"]


@pytest.mark.parametrize(
    ("who", "path", "place", "within"),
    [
        ("aye", "/costs/calculator/", "/costs/mine/", "/costs/calculator/"),
        ("chit", "/costs/calculator/", "/costs/spend/", "/costs/calculator/"),
        ("chit", "/costs/mine/", "/costs/spend/", "/costs/mine/"),
        ("admin", "/costs/calculator/", "/costs/calculator/", "/costs/calculator/"),
        ("chit", "/costs/free-tier/", "/costs/spend/", "/costs/free-tier/"),
    ],
)
def test_a_page_about_money_is_within_a_place_of_every_role(who, path, place, within, request, signed_in):
    html = signed_in(request.getfixturevalue(who)).get(path).content.decode()
    assert re.findall(r'href="([^"]+)" aria-current="page"', html) == [place, within, place]


@pytest.mark.parametrize(("who", "queries"), [("aye", 6), ("chit", 7), ("admin", 8)])
def test_the_frame_costs_a_few_queries(who, queries, request, signed_in, django_assert_num_queries):
    """Session, user, memberships, the chip's two, the last look; who teaches: what is left on; admins: the cohorts."""
    client = signed_in(request.getfixturevalue(who))
    with django_assert_num_queries(queries):
        lost_page(client)


def test_a_name_cannot_break_out_of_the_frame(signed_in, aye):
    User.objects.update(name="<script>alert(1)</script>")
    html = lost_page(signed_in(aye))
    assert "&lt;script&gt;alert" in html
    assert "<script>alert" not in html


# --- what is on ----------------------------------------------------------------------------------------------


def chip(html):
    """The words of the meter chip."""
    pill = re.search(r'<(a|span) class="btn btn-pill.*?</\1>\s', html, re.S)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", pill)).strip()


def a_light(owner, scope="", usd_per_hour="0.0416", unpriced=0, at=None):
    """A running instance of this person, metered a moment ago."""
    at = at or timezone.now()
    account = Account.objects.get(owner=owner, mode=Account.PRACTICE)
    row = Resource.objects.create(
        account=account, region="us-east-1", kind="instance", owner=owner, scope=scope, aws_id=f"i-{owner.pk}",
        wanted_at=at, seen="running", seen_at=at, created_at=at, next_look_at=at,
    )  # fmt: skip
    span = Span.objects.create(resource=row, state="running", began=at)
    Metered.objects.create(
        resource=row, span=span, usd_per_hour=Decimal(usd_per_hour), unpriced_meters=unpriced, until=at
    )
    return row


def test_with_nothing_on_the_chip_says_so(signed_in, aye):
    assert chip(lost_page(signed_in(aye))) == "All off"


def test_a_student_sees_their_own_lights(signed_in, aye, bo):
    a_light(aye)
    assert chip(lost_page(signed_in(aye))) == "1 on $0.04/h"
    assert chip(lost_page(signed_in(bo))) == "All off"


def test_an_instructor_sees_the_lights_of_the_cohort_and_of_no_other(signed_in, aye, chit, cohort, other_cohort):
    a_light(aye, cohort.scope, "0.7364")
    assert chip(lost_page(signed_in(chit))) == "1 on $0.74/h"
    Membership.objects.filter(user=chit).update(cohort=other_cohort)
    assert chip(lost_page(signed_in(chit))) == "All off"


def test_an_admin_sees_every_light_also_what_is_nobodys(signed_in, aye, bo, admin, cohort):
    a_light(aye, cohort.scope)
    a_light(bo, "")
    assert chip(lost_page(signed_in(admin))) == "2 on $0.08/h"


def test_what_has_no_price_is_told_beside_what_has(signed_in, aye):
    a_light(aye, usd_per_hour="0.01", unpriced=1)
    assert chip(lost_page(signed_in(aye))) == "1 on $0.01/h + ? and 1 unpriced"


def test_the_chip_comes_along_with_each_poll_of_a_lab(signed_in, aye, cohort, lab):
    light = a_light(aye, cohort.scope)
    launch = Launch.objects.create(
        lab=lab.slug, account=light.account, owner=aye, scope=cohort.scope, region="us-east-1",
        created_at=timezone.now(), expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    client, panel = signed_in(aye), reverse("labs:panel", args=[launch.pk])
    assert 'id="meter-chip" hx-swap-oob' not in client.get(panel).content.decode(), "on the page it stands in its place"

    def polled():
        answer = client.get(panel, headers={"HX-Request": "true"})
        html = answer.content.decode()
        assert html.count('id="meter-chip" hx-swap-oob="true"') == 1
        return answer.status_code, chip(html)

    assert polled() == (200, "1 on $0.04/h")
    Resource.objects.update(closed_at=timezone.now())
    assert polled() == (200, "All off")
    Launch.objects.update(ended_at=timezone.now())
    assert polled() == (286, "All off"), "the last poll brings it too"


def test_a_poll_of_the_forgotten_page_brings_the_chip_and_the_number_in_the_menu(signed_in, admin, cohort):
    client, url = signed_in(admin), reverse("costs:forgotten")
    assert "hx-swap-oob" not in client.get(url).content.decode()
    html = client.get(url, headers={"HX-Request": "true"}).content.decode()
    for part in ("meter-chip", "left-on-count"):
        assert html.count(f'id="{part}" hx-swap-oob="true"') == 1


def test_a_controller_that_stopped_looking_is_told_loudly(signed_in, aye):
    client = signed_in(aye)
    Account.objects.update(looked_at=timezone.now() - timedelta(minutes=14))
    assert "Nobody is watching" not in lost_page(client)
    Account.objects.update(looked_at=timezone.now() - timedelta(minutes=31))
    assert "Nobody is watching" in lost_page(client)


def test_a_new_account_has_time_to_be_looked_into(signed_in, aye, monkeypatch):
    client, an_hour_ago = signed_in(aye), timezone.now() - timedelta(hours=1)
    monkeypatch.setattr(chrome, "UP_SINCE", an_hour_ago)
    Account.objects.update(looked_at=None, created_at=timezone.now())
    assert "Nobody is watching" not in lost_page(client)
    Account.objects.update(created_at=an_hour_ago)
    assert "Nobody is watching" in lost_page(client)


def test_a_portal_that_has_just_started_has_time_to_look_into_accounts_of_an_older_date(signed_in, aye, monkeypatch):
    client, weeks_ago = signed_in(aye), timezone.now() - timedelta(weeks=3)
    Account.objects.update(looked_at=None, created_at=weeks_ago)
    monkeypatch.setattr(chrome, "UP_SINCE", timezone.now() - timedelta(minutes=1))
    assert "Nobody is watching" not in lost_page(client)
    monkeypatch.setattr(chrome, "UP_SINCE", timezone.now() - timedelta(minutes=31))
    assert "Nobody is watching" in lost_page(client)


# --- theme and zone ------------------------------------------------------------------------------------------


def test_the_theme_is_rendered_from_the_cookie(client):
    assert "data-bs-theme" not in lost_page(client)
    client.cookies["theme"] = "dark"
    assert 'data-bs-theme="dark"' in lost_page(client)
    client.cookies["theme"] = '"><script>'
    assert "data-bs-theme" not in lost_page(client)


def test_without_javascript_the_toggle_flips_the_theme_and_comes_back(client):
    answer = client.post(reverse("portal:set_theme"), {"next": "/course/"})
    assert (answer.status_code, answer.url, answer.cookies["theme"].value) == (302, "/course/", "dark")
    assert client.post(reverse("portal:set_theme")).cookies["theme"].value == "light"


@pytest.mark.parametrize("away", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"])
def test_the_toggle_does_not_lead_away(client, away):
    assert client.post(reverse("portal:set_theme"), {"next": away}).url == reverse("portal:today")


def test_a_person_chooses_their_zone(signed_in, aye):
    client = signed_in(aye)
    answer = client.post(reverse("portal:set_zone"), {"time_zone": "Asia/Singapore", "next": "/accounts/logout/"})
    assert answer.url == "/accounts/logout/"
    html = client.get("/accounts/logout/").content.decode()
    assert "Singapore time (UTC+8)" in html
    assert "Times are shown for Singapore from now on." in html


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "../../etc/passwd", "", "Asia"])
def test_a_zone_that_does_not_exist_is_refused_with_words(signed_in, aye, zone):
    answer = signed_in(aye).post(reverse("portal:set_zone"), {"time_zone": zone})
    assert answer.status_code == 422
    assert "is not a time zone" in answer.content.decode()
    aye.refresh_from_db()
    assert aye.time_zone == "Asia/Yangon"


def test_a_zone_that_this_machine_does_not_know_falls_back(signed_in, aye):
    aye.time_zone = "Asia/Atlantis"
    assert zones.zone_of(aye) == ZoneInfo("Asia/Yangon")


def test_the_zone_is_the_readers_during_the_request_and_nobodys_after(aye, rf):
    aye.time_zone = "Asia/Singapore"
    request = rf.get("/")
    request.user = aye

    def fails(request):
        assert timezone.get_current_timezone_name() == "Asia/Singapore"
        raise RuntimeError

    before = timezone.get_current_timezone_name()
    with pytest.raises(RuntimeError):
        zones.ReadersZoneMiddleware(fails)(request)
    assert timezone.get_current_timezone_name() == before


# --- the way in ----------------------------------------------------------------------------------------------


def sign_in(client, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": "aye@example.org", "password": password, **more})


def test_the_right_password_leads_to_ones_own_pages(client, aye):
    assert sign_in(client).url == "/"
    assert "Aye" in lost_page(client)


def test_an_instructor_lands_on_the_review_and_an_admin_on_the_spend(aye):
    Membership.objects.update(role=Membership.Role.INSTRUCTOR)
    assert sign_in(Client()).url == "/review/"
    Membership.objects.all().delete()
    User.objects.update(is_staff=True)
    assert sign_in(Client()).url == reverse("costs:spend")


def test_after_signing_in_one_is_where_one_wanted_to_go(client, aye):
    assert sign_in(client, next="/course/").url == "/course/"
    assert sign_in(Client(), next="https://evil.example.org/").url == "/"


def test_a_wrong_password_is_told_without_saying_whether_we_know_the_address(client, aye):
    known = sign_in(client, "wrong").content.decode()
    unknown = client.post(reverse("account_login"), {"login": "x@example.org", "password": "wrong"}).content.decode()
    for html in (known, unknown):
        assert "alert-danger" in html
        assert "email address and/or password you specified are not correct" in html


def views_of(patterns):
    for pattern in patterns:
        yield from views_of(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern.callback]


def test_no_page_of_an_account_looks_like_allauths_own(settings):
    own, named = f"{settings.BASE_DIR}/templates/", set()
    for view in views_of(account_urls.urlpatterns):
        named.add(getattr(getattr(view, "view_class", None), "template_name", None))
    named |= {"socialaccount/login.html", "socialaccount/authentication_error.html", "429.html"}
    assert len(named - {None}) > 20
    assert not [name for name in named - {None} if not get_template(name).origin.name.startswith(own)]


def test_wrong_passwords_are_counted_where_all_web_workers_see_them(client, aye):
    for _ in range(5):
        sign_in(client, "wrong")
    assert "Too many failed login attempts" in sign_in(Client()).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM portal_cache")
    assert sign_in(Client()).url == "/", "the count was there, and nowhere in this process"


def test_a_class_behind_one_address_signs_in_together(cohort, now):
    people = [member(cohort, f"student{n}", "student", now) for n in range(35)]
    with_password = {"password": PASSWORD}
    assert {
        Client().post(reverse("account_login"), {"login": one.email, **with_password}).status_code for one in people
    } == {302}


def test_behind_a_proxy_guesses_are_counted_by_who_really_asks(settings, aye):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT, settings.ACCOUNT_RATE_LIMITS = 1, {"login": "2/m/ip"}

    def status(forwarded):
        return sign_in(Client(headers={"x-forwarded-for": forwarded}), "wrong").status_code

    assert [status("10.0.0.1"), status("10.0.0.1"), status("10.0.0.1")] == [200, 200, 429]
    assert status("6.6.6.6, 10.0.0.1") == 429, "what somebody writes there themselves counts for nothing"
    assert status("10.0.0.2") == 200


def test_the_sign_in_page_names_the_course(client, cohort):
    assert "Amazon Machine Learning, September 2025" in client.get(reverse("account_login")).content.decode()


def test_nobody_signs_up_by_themselves(client):
    html = client.get(reverse("account_signup")).content.decode()
    assert "By invitation" in html
    assert client.post(reverse("account_signup"), {"email": "x@example.org"}).status_code == 405
    assert not User.objects.exists()


def test_signing_out_is_a_post(signed_in, aye):
    client = signed_in(aye)
    assert "<form" in client.get(reverse("account_logout")).content.decode()
    assert "_auth_user_id" in client.session
    assert client.post(reverse("account_logout")).url == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_renewed_by_a_link_that_works_once(client, aye):
    client.post(reverse("account_reset_password"), {"email": "aye@example.org"})
    assert mail.outbox[0].to == ["aye@example.org"]
    link = re.search(r"https?://testserver(\S+)", mail.outbox[0].body)[1]
    form = client.get(link)
    client.post(form.url, {"password1": "quite another 7", "password2": "quite another 7"})
    assert sign_in(Client(), "quite another 7").url == "/"
    assert EmailAddress.objects.get(user=aye).verified, "who came by that link has the mailbox"
    again = Client()
    assert "does not work any more" in again.get(link, follow=True).content.decode()


def test_asking_for_an_unknown_address_answers_the_same(client, aye):
    known = client.post(reverse("account_reset_password"), {"email": "aye@example.org"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert known.url == unknown.url
    assert "We know nobody with that address" in mail.outbox[1].body


def test_a_password_is_changed_by_who_knows_the_old_one(signed_in, aye):
    client = signed_in(aye)
    passwords = {"password1": "quite another 7", "password2": "quite another 7"}
    refused = client.post(reverse("account_change_password"), {"oldpassword": "wrong", **passwords})
    assert "is-invalid" in refused.content.decode()
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **passwords})
    assert sign_in(Client(), "quite another 7").url == "/"


def test_a_closed_account_does_not_open(client, aye):
    User.objects.update(is_active=False)
    answer = sign_in(client)
    assert "_auth_user_id" not in client.session
    assert "This account is closed" in client.get(answer.url).content.decode()


# --- the demo ------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(settings, aye, chit, admin):
    settings.DEMO = True
    User.objects.update(is_demo=True)
    return {"student": aye, "instructor": chit, "admin": admin}


def press_card(client, user):
    return client.post(reverse("portal:demo_sign_in"), {"email": user.email})


def test_a_demo_has_a_card_for_each_role(client, demo):
    html = client.get(reverse("account_login")).content.decode()
    assert re.findall(r'name="email" value="([^"]+)"', html) == [user.email for user in demo.values()]


@pytest.mark.parametrize(("role", "home"), [("student", "/"), ("instructor", "/review/"), ("admin", "/costs/spend/")])
def test_a_card_signs_in_as_that_person(client, demo, role, home):
    assert press_card(client, demo[role]).url == home
    assert client.session["_auth_user_id"] == str(demo[role].pk)


def test_there_are_no_cards_and_no_way_in_without_the_demo(client, demo, settings):
    settings.DEMO = False
    assert "demo account" not in client.get(reverse("account_login")).content.decode()
    assert press_card(client, demo["admin"]).status_code == 404
    assert "_auth_user_id" not in client.session


def test_a_card_does_not_open_the_account_of_a_real_person(client, demo, bo):
    assert press_card(client, bo).status_code == 404
    User.objects.filter(pk=bo.pk).update(is_demo=True, is_active=False)
    assert press_card(client, bo).status_code == 404
    assert "_auth_user_id" not in client.session


def test_a_demo_that_others_can_reach_has_no_cards(client, demo, settings):
    settings.HOST = "0.0.0.0"  # noqa: S104  every address
    assert "demo account" not in client.get(reverse("account_login")).content.decode()
    assert press_card(client, demo["student"]).status_code == 404


def test_a_card_is_pressed_never_followed(client, demo):
    assert client.get(reverse("portal:demo_sign_in")).status_code == 405


def test_a_card_without_its_token_does_nothing(demo):
    strict = Client(enforce_csrf_checks=True)
    answer = press_card(strict, demo["student"])
    assert answer.status_code == 403
    assert "This form was too old" in answer.content.decode()
    assert "_auth_user_id" not in strict.session


# --- when something fails ------------------------------------------------------------------------------------


def test_the_page_for_our_own_failures_needs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        html = render_to_string("500.html")
    assert "Something broke on our side" in html


@pytest.mark.parametrize("page", ["403.html", "404.html", "429.html"])
def test_an_error_page_tells_what_to_do(page, rf):
    request = rf.get("/")
    request.resolver_match = None
    html = render_to_string(page, request=request)
    assert len(re.findall("<h1", html)) == 1
    assert "/accounts/login/" in html


def test_a_failed_controller_is_loud(signed_in, aye):
    html = render_to_string("_stale.html", {"looked_at": None})
    assert 'role="alert"' in html
    assert "Nobody is watching the lights" in html


@pytest.mark.parametrize(("kind", "role"), [("danger", "alert"), ("warning", "status"), ("primary", "status")])
def test_a_notice_has_an_icon_and_interrupts_only_for_danger(kind, role):
    html = render_to_string("_alert.html", {"kind": kind, "title": "Off in 9 min.", "text": "Save <b>now</b>."})
    assert f'role="{role}"' in html
    assert "<svg" in html
    assert "&lt;b&gt;" in html
