"""Every address x everybody. An address without a row fails, and so does a row without an address.

A row's columns: 200 shown, 302 done or led on, `login` sent to sign in, 404 does not exist for them, 405 not that way.
A row of `admin:` stands for all that Django's admin has. Superusers bypass permission backends, so they have a column.
"""

import base64
import hashlib
import json
import uuid
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from conftest import member, person
from costs.models import LightsOut
from labs import checking, connecting, keeping, ledger, sessions
from labs.kinds.base import RUNNING, Seen
from labs.models import Account, Launch, SavedFile
from portal import (
    channels,
    discussing,
    editing,
    enrolling,
    exporting,
    extending,
    inviting,
    moving,
    prelaunching,
    releasing,
    reviewing,
    submitting,
    unsubscribing,
)
from portal.access import standings
from portal.models import (
    Assignment,
    Cohort,
    CohortWeek,
    Completion,
    Feedback,
    Holiday,
    Invitation,
    LabInWeek,
    Look,
    Material,
    Membership,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]

PEOPLE = ["nobody", "aye", "bo", "chit", "elsewhere", "admin", "root"]
# aye: whose work, lab and AWS account it is. bo: another student. chit: their instructor. elsewhere: of another cohort.
# address                             by     nobody aye   bo    chit  elsewhere admin root
TABLE = """
portal:today                          GET    login  200   200   302   302       302   302
portal:course                         GET    login  200   200   200   200       200   200
portal:week                           GET    login  200   200   200   200       200   200
portal:material                       GET    login  200   200   200   200       200   200
portal:material_file                  GET    login  200   200   200   200       200   200
portal:material_notebook              GET    login  200   200   200   200       200   200
portal:material_picture               GET    login  200   200   200   200       200   200
portal:assignment                     GET    login  200   200   200   200       200   200
portal:draft                          POST   login  302   302   404   404       404   404
portal:draft                          GET    405    405   405   405   405       405   405
portal:add_files                      POST   login  302   302   404   404       404   404
portal:draft_file                     GET    login  200   404   404   404       404   404
portal:remove_file                    POST   login  302   302   404   404       404   404
portal:choose_text                    POST   login  302   302   404   404       404   404
portal:submit                         POST   login  302   302   404   404       404   404
portal:seal                           POST   login  422   422   404   404       404   404
portal:uploads                        POST   login  412   412   404   404       404   404
portal:upload                         GET    405    405   405   405   405       405   405
portal:submissions                    GET    login  200   200   200   200       200   200
portal:receipt                        GET    login  200   404   200   404       200   200
portal:receipt_text                   GET    login  200   404   200   404       200   200
portal:proof                          GET    login  200   404   200   404       200   200
portal:check_proof                    GET    200    200   200   200   200       200   200
portal:check_proof                    POST   422    422   422   422   422       422   422
portal:submission_file                GET    login  200   404   404   404       404   404
portal:submission_notebook            GET    login  200   404   200   404       200   200
portal:submission_picture             GET    login  200   404   200   404       200   200
portal:held                           GET    login  200   404   200   404       200   200
portal:held                           POST   login  404   404   404   404       302   302
portal:held_all                       GET    login  404   404   404   404       200   200
portal:feedback                       GET    login  200   404   200   404       200   200
portal:review                         GET    login  404   404   302   302       302   302
portal:review_queue                   GET    login  404   404   200   404       200   200
portal:review_desk                    GET    login  404   404   200   404       200   200
portal:review_desk                    POST   login  404   404   302   404       302   302
portal:release                        GET    login  404   404   200   404       200   200
portal:release                        POST   login  404   404   302   404       302   302
portal:reply                          POST   login  302   404   302   404       302   302
portal:gradebook                      GET    login  404   404   200   404       200   200
portal:gradebook_csv                  GET    login  404   404   200   404       200   200
portal:gradebook_upload               GET    login  404   404   200   404       200   200
portal:completions                    GET    login  404   404   200   404       200   200
portal:agenda                         GET    login  404   404   200   404       200   200
portal:phrases                        GET    login  404   404   200   404       200   200
portal:completions                    POST   login  404   404   302   404       302   302
portal:all_completions                POST   login  404   404   302   404       302   302
portal:agenda                         POST   login  404   404   302   404       302   302
portal:phrases                        POST   login  404   404   302   404       302   302
portal:remark                         POST   login  404   404   302   404       302   302
portal:completion                     GET    200    200   200   200   200       200   200
portal:completion_file                GET    200    200   200   200   200       200   200
portal:cohort                         GET    login  404   404   302   302       302   302
portal:choose_cohort                  POST   login  302   302   302   404       302   302
portal:cohort_page                    GET    login  404   404   200   404       200   200
portal:invite                         GET    login  404   404   200   404       200   200
portal:invite                         POST   login  404   404   200   404       200   200
portal:change_invitation              POST   login  404   404   302   404       302   302
portal:close_invite_link              POST   login  404   404   302   404       302   302
portal:act_on_students                POST   login  404   404   200   404       200   200
portal:join                           GET    200    200   200   200   200       200   200
portal:join                           POST   422    422   422   422   422       422   422
portal:second_factors                 GET    login  404   404   404   404       200   200
portal:reset_second_factor            GET    login  404   404   404   404       200   200
portal:reset_second_factor            POST   login  404   404   404   404       302   302
portal:lights_policy                  GET    login  404   404   200   404       200   200
portal:lights_policy                  POST   login  404   404   302   404       302   302
portal:lab_limits                     GET    login  404   404   200   404       200   200
portal:lab_limits                     POST   login  404   404   302   404       302   302
portal:lab_limits_template            GET    login  404   404   200   404       200   200
portal:class_starts                   GET    login  404   404   200   404       200   200
portal:class_starts                   POST   login  404   404   302   404       302   302
portal:class_start                    GET    login  404   404   200   404       200   200
portal:cancel_class_start             POST   login  404   404   302   404       302   302
portal:search                         GET    login  200   200   200   200       200   200
portal:feed                           GET    200    200   200   200   200       200   200
portal:labs                           GET    login  200   200   200   200       200   200
portal:start_lab                      GET    login  302   200   200   200       200   200
portal:start_lab                      POST   login  302   302   302   302       302   302
portal:locker                         GET    login  200   200   200   200       200   200
portal:locker_file                    GET    login  200   404   404   404       404   404
portal:locker_delete                  GET    login  200   404   404   404       404   404
portal:locker_delete                  POST   login  302   404   404   404       404   404
portal:accounts                       GET    login  404   404   200   200       200   200
portal:run_doctor                     POST   login  302   302   302   302       302   302
portal:my_account                     GET    login  200   200   200   200       200   200
portal:my_account                     POST   login  302   302   302   302       302   302
portal:rules_of_use                   GET    login  200   200   200   200       200   200
portal:rules_of_use                   POST   login  302   302   302   302       302   302
portal:connect_shared                 GET    login  404   404   404   404       200   200
portal:connect_shared                 POST   login  404   404   404   404       302   302
portal:account                        GET    login  404   404   200   404       200   200
portal:account_template               GET    login  200   404   404   404       404   404
portal:check_account                  POST   login  302   404   404   404       404   404
portal:disconnect_account             GET    login  200   404   404   404       404   404
portal:disconnect_account             POST   login  302   404   404   404       404   404
portal:notices                        GET    login  200   200   200   200       200   200
portal:notice_choices                 GET    login  200   200   200   200       200   200
portal:notice_choices                 POST   login  302   302   302   302       302   302
portal:add_channel                    POST   login  302   302   302   302       302   302
portal:add_channel                    GET    405    405   405   405   405       405   405
portal:verify_channel                 POST   login  302   404   404   404       404   404
portal:channel_again                  POST   login  302   404   404   404       404   404
portal:remove_channel                 GET    login  200   404   404   404       404   404
portal:remove_channel                 POST   login  302   404   404   404       404   404
portal:unsubscribe                    GET    200    200   200   200   200       200   200
portal:unsubscribe                    POST   200    200   200   200   200       200   200
portal:record                         GET    login  404   404   404   404       200   200
portal:record_csv                     GET    login  404   404   404   404       200   200
portal:my_data                        GET    login  200   200   200   200       200   200
portal:take_my_data                   POST   login  200   200   200   200       200   200
portal:take_my_data                   GET    405    405   405   405   405       405   405
portal:delete_me                      GET    login  302   302   302   302       302   302
portal:delete_me                      POST   login  422   422   422   422       422   422
portal:keep_me                        POST   login  302   302   302   302       302   302
portal:person_data                    GET    login  404   404   404   404       200   200
portal:take_person_data               POST   login  404   404   404   404       200   200
portal:delete_person                  POST   login  404   404   404   404       422   422
portal:keep_person                    POST   login  404   404   404   404       302   302
portal:threads                        GET    login  200   200   200   200       200   200
portal:ask                            GET    login  200   200   200   200       200   200
portal:ask                            POST   login  302   302   302   302       302   302
portal:thread                         GET    login  200   200   200   404       200   200
portal:thread                         POST   login  302   302   302   404       302   302
portal:mark_thread                    POST   login  302   404   302   404       302   302
portal:remove_post                    GET    login  200   404   200   404       200   200
portal:remove_post                    POST   login  302   404   302   404       302   302
portal:announcements                  GET    login  200   200   200   200       200   200
portal:announce                       GET    login  404   404   200   404       200   200
portal:announce                       POST   login  404   404   302   404       302   302
portal:live                           GET    login  404   404   200   404       200   200
portal:live                           POST   login  404   404   302   404       302   302
portal:accept                         POST   login  302   302   302   302       302   302
portal:new_cohort                     GET    login  404   404   200   200       200   200
portal:new_cohort                     POST   login  404   404   302   302       302   302
portal:dates                          GET    login  404   404   200   404       200   200
portal:dates                          POST   login  404   404   302   404       302   302
portal:forget_holiday                 POST   login  404   404   302   404       302   302
portal:extensions                     GET    login  404   404   200   404       200   200
portal:extensions                     POST   login  404   404   302   404       302   302
portal:withdraw_extension             POST   login  404   404   302   404       302   302
portal:renew_feed                     POST   login  302   302   302   302       404   404
portal:week_calendar                  GET    login  200   200   200   200       200   200
portal:edit_course                    GET    login  404   404   200   200       200   200
portal:edit_course                    POST   login  404   404   302   302       302   302
portal:edit_week                      GET    login  404   404   200   200       200   200
portal:edit_week                      POST   login  404   404   302   302       302   302
portal:add_part                       GET    login  404   404   200   200       200   200
portal:add_part                       POST   login  404   404   302   302       302   302
portal:edit_part                      GET    login  404   404   200   200       200   200
portal:edit_part                      POST   login  404   404   302   302       302   302
portal:set_theme                      POST   302    302   302   302   302       302   302
portal:set_language                   POST   302    302   302   302   302       302   302
portal:set_zone                       GET    login  200   200   200   200       200   200
portal:set_zone                       POST   login  302   302   302   302       302   302
portal:demo_sign_in                   POST   404    404   404   404   404       404   404
portal:alive                          GET    200    200   200   200   200       200   200
portal:ready                          GET    503    503   503   503   503       503   503
costs:spend                           GET    login  404   404   200   200       200   200
costs:spend_csv                       GET    login  404   404   200   200       200   200
costs:bill                            GET    login  404   404   200   200       200   200
costs:bill_csv                        GET    login  404   404   200   200       200   200
costs:spend_focus                     GET    login  404   404   200   200       200   200
costs:day                             GET    login  404   404   200   200       200   200
costs:my_day                          GET    login  200   200   200   200       200   200
costs:person                          GET    login  404   404   200   404       200   200
costs:by_hand                         GET    login  404   404   200   404       200   200
costs:launch                          GET    login  200   404   200   404       200   200
costs:close_out                       GET    login  404   404   200   404       200   200
costs:close_out_csv                   GET    login  404   404   200   404       200   200
costs:forgotten                       GET    login  404   404   200   200       200   200
costs:saved                           GET    login  404   404   200   200       200   200
costs:turn_off                        GET    login  200   404   200   404       200   200
costs:turn_off                        POST   login  302   404   302   404       302   302
costs:snooze                          GET    login  404   404   200   404       200   200
costs:snooze                          POST   login  404   404   302   404       302   302
costs:wake                            POST   login  404   404   302   404       302   302
costs:remind                          POST   login  404   404   302   404       302   302
costs:try_again                       POST   login  302   404   302   404       302   302
costs:lights_out                      GET    login  404   404   200   404       200   200
costs:lights_out                      POST   login  404   404   302   404       302   302
costs:went_out                        GET    login  404   404   200   404       200   200
costs:went_out_csv                    GET    login  404   404   200   404       200   200
costs:extend                          POST   login  302   404   404   404       404   404
costs:budgets                         GET    login  404   404   200   200       200   200
costs:budget                          GET    login  404   404   200   404       200   200
costs:budget                          POST   login  404   404   302   404       302   302
costs:alerts                          GET    login  404   404   200   200       200   200
costs:mine                            GET    login  200   200   200   200       200   200
costs:mine_csv                        GET    login  200   200   200   200       200   200
costs:calculator                      GET    login  200   200   200   200       200   200
costs:gauges                          GET    404    404   404   404   404       404   404
costs:readings                        GET    login  200   404   200   404       200   200
costs:free_tier                       GET    login  404   404   200   200       200   200
costs:account_free_tier               GET    login  200   404   200   404       200   200
labs:panel                            GET    login  200   404   200   404       200   200
labs:finish                           GET    login  200   404   404   404       404   404
labs:finish                           POST   login  302   404   404   404       404   404
labs:stop                             POST   login  302   404   404   404       404   404
labs:start                            POST   login  302   404   404   404       404   404
labs:check                            POST   login  302   404   404   404       404   404
labs:credentials                      POST   login  302   404   404   404       404   404
labs:token                            POST   login  302   404   404   404       404   404
labs:console                          POST   login  302   404   404   404       404   404
labs:fetch                            GET    401    401   401   401   401       401   401
labs:certificate                      GET    login  200   404   200   404       200   200
labs:certificate_pdf                  GET    login  200   404   200   404       200   200
account_login                         GET    200    302   302   302   302       302   302
account_logout                        POST   login  login login login login     login login
account_inactive                      GET    200    200   200   200   200       200   200
account_signup                        GET    200    200   200   200   200       200   200
account_change_password               GET    login  200   200   200   200       200   200
account_set_password                  GET    login  302   302   302   302       302   302
account_reauthenticate                GET    login  200   200   200   200       200   200
mfa_index                             GET    login  200   200   200   200       200   200
mfa_authenticate                      GET    login  302   302   302   302       302   302
mfa_reauthenticate                    GET    login  302   302   302   302       302   302
mfa_activate_totp                     GET    login  302   302   302   302       302   302
mfa_deactivate_totp                   GET    login  404   404   404   404       404   404
mfa_view_recovery_codes               GET    login  404   404   404   404       404   404
mfa_generate_recovery_codes           GET    login  302   302   302   302       302   302
mfa_download_recovery_codes           GET    login  404   404   404   404       404   404
mfa_list_webauthn                     GET    login  200   200   200   200       200   200
mfa_add_webauthn                      GET    login  302   302   302   302       302   302
mfa_reauthenticate_webauthn           GET    login  302   302   302   302       302   302
mfa_remove_webauthn                   GET    login  302   302   302   302       302   302
mfa_edit_webauthn                     GET    login  302   302   302   302       302   302
mfa_login_webauthn                    GET    login  302   302   302   302       302   302
usersessions_list                     GET    login  200   200   200   200       200   200
usersessions_list                     POST   login  302   302   302   302       302   302
google_login                          GET    404    404   404   404   404       404   404
google_callback                       GET    404    404   404   404   404       404   404
github_login                          GET    404    404   404   404   404       404   404
github_callback                       GET    404    404   404   404   404       404   404
socialaccount_login_cancelled         GET    200    200   200   200   200       200   200
account_reset_password                GET    200    200   200   200   200       200   200
account_reset_password_done           GET    200    200   200   200   200       200   200
account_reset_password_from_key       GET    200    200   200   200   200       200   200
account_reset_password_from_key_done  GET    200    200   200   200   200       200   200
admin:index                           GET    302    302   302   302   302       200   200
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


# A cell with a picture in it.
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "code", "outputs": [{"data": {"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}}]}
        ]
    }
).encode()


def names(patterns, namespace=""):
    """Every named address of the product, and `admin:index` for all of the admin."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"
        elif pattern.namespace == "admin":
            yield "admin:index"
        else:
            within = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from names(pattern.url_patterns, namespace + within)


def test_every_address_has_a_row_and_every_row_an_address():
    assert {row[0] for row in ROWS} == set(names(get_resolver().url_patterns))


@pytest.fixture
def everybody(aye, bo, chit, admin, other_cohort, now):
    return {
        "nobody": None,
        "aye": aye,
        "bo": bo,
        "chit": chit,
        "elsewhere": member(other_cohort, "elsewhere", "instructor", now),
        "admin": admin,
        "root": person("root", is_staff=True, is_superuser=True),
    }


@pytest.fixture
def world(cohort, everybody, now, settings, monkeypatch, lab):
    """aye has a draft, a version with released feedback, a lab, and a machine left on. Arguments and forms."""
    aye, chit = everybody["aye"], everybody["chit"]
    kept = f"aws-ml/{hashlib.sha256(b'%PDF-1.7').hexdigest()}/slides.pdf"
    slides = Path(settings.MEDIA_ROOT) / "courses" / kept
    slides.parent.mkdir(parents=True)
    slides.write_bytes(b"%PDF-1.7")
    Material.objects.filter(slug="slides").update(file=kept, file_bytes=8)
    read_here = f"aws-ml/{hashlib.sha256(NOTEBOOK).hexdigest()}/a.ipynb"
    notebook_file = Path(settings.MEDIA_ROOT) / "courses" / read_here
    notebook_file.parent.mkdir(parents=True)
    notebook_file.write_bytes(NOTEBOOK)
    Material.objects.filter(week__number=2, slug="reading").update(file=read_here, file_bytes=len(NOTEBOOK))
    case = Assignment.objects.get(week__number=2)
    draft = submitting.draft_of(case, cohort, aye, now=now)
    submitting.add_file(draft, SimpleUploadedFile("a.pdf", b"%PDF-1.7\n"), now=now)
    submitting.add_file(draft, SimpleUploadedFile("a.ipynb", NOTEBOOK), now=now)
    submitting.save_draft(draft, "My answer.", revision=draft.revision, window="w", now=now)
    received, _ = submitting.submit(draft, key="k", now=now)
    handed_in = received.files.get(name="a.pdf")
    notebook = [received.number, received.files.get(name="a.ipynb").pk]
    Look.objects.create(pk=handed_in.sha256, state="unread", trouble=["it is broken"])
    reviewing.write(received, chit, comment="Good.", points={"cost": 4, "why": 5}, revision=0, ready=True, now=now)
    releasing.release(cohort, case.week, by=chit, now=now)
    certificate = Completion.objects.create(
        code="abc",
        cohort=cohort,
        student=aye,
        name="Aye",
        latin_name="Aye",
        case_studies=4,
        issued_by=chit,
        issued_at=now,
    )
    launch = Launch.objects.create(
        lab=lab.slug,
        account=enrolling.practice_account(aye, now=now),
        owner=aye,
        scope=cohort.scope,
        region="us-east-1",
        created_at=now,
        expires_at=now.replace(hour=16),
        certificate={"proved_at": now.isoformat(), "rows": [], "methods": [], "left": []},
    )
    box = Seen(RUNNING, "i-1", "box", now, {"type": "t3.medium", "platform": "linux", "disks": []})
    [left_on] = ledger.enter_strangers([(launch.account, "ec2-instance", box, "ap-southeast-1")], now)
    in_locker = keeping.store([b"a model"], f"locker/{aye.pk}/{launch.id.hex}")
    saved = SavedFile.objects.create(
        owner=aye, launch=launch, bucket="b", name="models/m.json", path=in_locker.path, saved_at=now, why_not=""
    )
    settings.PORTAL_ROLE_ARN = "arn:aws:iam::444455556666:role/lightsout"
    real = {"regions": ["us-east-1"], "lab_regions": ["us-east-1"], "now": now}
    own = connecting.begin(mode="own", name="Aye's own", owner=aye, **real)
    shared = connecting.begin(mode="shared", name="Bootcamp", scope=cohort.scope, **real)
    connecting.begin(mode="shared", name="Connected", **real)
    Account.objects.filter(name="Connected").update(aws_id="111122223333", is_open=True, connected_at=now)
    Cohort.objects.filter(pk=cohort.pk).update(lab_limits={"instance_types": ["t3.micro"]})
    monkeypatch.setattr(checking, "check_step", lambda *args, **facts: None)
    monkeypatch.setattr(sessions, "credentials", no_session)
    saturday = CohortWeek.objects.get(cohort=cohort, week__number=2).session_at
    part = LabInWeek.objects.select_related("week").get(week__number=2)
    planned = prelaunching.plan(cohort, part, saturday, now=now, by=chit)
    monkeypatch.setattr(sessions, "new_token", no_session)
    asked = discussing.ask(standings(aye)[cohort.slug], case.week, title="Why?", body="x", key="k", now=now)
    holiday = Holiday.objects.create(cohort=cohort, first=now.date(), last=now.date(), name="A day off")
    sunday = saturday + timedelta(days=1)
    extension = extending.grant(cohort, case, aye, sunday, reason="Power cut", by=chit, now=now)
    told = list(CohortWeek.objects.filter(cohort=cohort).select_related("week").order_by("week__number"))
    files = exporting.of(cohort.course)
    night = LightsOut.objects.create(scope=cohort.scope, at=now, by=chit)
    in_slack = channels.add(aye, "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazk", "Slack", now=now)
    link, join = inviting.make_link(cohort, uses=9, lasts=timedelta(days=7), by=chit, now=now)
    inviting.ask_by_link(link, "zaw@example.org", "Zaw", now=now)
    file = draft.files.get(name="a.pdf")
    case_args, receipt = [2, "case"], [received.number]
    form = {"window": uuid.uuid4().hex, "revision": 0, "sent": 0, "answer": "", "whole": "yes"}
    shown = Feedback.objects.get().revision
    score = {"revision": shown, "comment": "Good.", "points-cost": 4, "points-why": 4, "do": "save", "whole": "yes"}
    args = {
        "portal:week": [2],
        "portal:material": [2, "reading"],
        "portal:material_file": [2, "slides"],
        "portal:material_notebook": [2, "reading"],
        "portal:material_picture": [2, "reading", 1, 1],
        "portal:submission_notebook": notebook,
        "portal:submission_picture": [*notebook, 1, 1],
        "portal:assignment": case_args,
        "portal:draft": case_args,
        "portal:add_files": case_args,
        "portal:draft_file": [*case_args, file.pk],
        "portal:remove_file": [*case_args, file.pk],
        "portal:choose_text": [*case_args, 1, "drop"],
        "portal:submit": case_args,
        "portal:seal": case_args,
        "portal:uploads": case_args,
        "portal:upload": [*case_args, uuid.uuid4()],
        "portal:proof": receipt,
        "portal:receipt": receipt,
        "portal:receipt_text": receipt,
        "portal:submission_file": [*receipt, handed_in.pk],
        "portal:held": receipt,
        "portal:feedback": receipt,
        "portal:review_queue": [cohort.slug, 2],
        "portal:review_desk": [cohort.slug, received.number],
        "portal:release": [cohort.slug, 2],
        "portal:reply": receipt,
        "portal:remark": [cohort.slug, received.number],
        "portal:agenda": [cohort.slug, 2],
        **{f"portal:{name}": [cohort.slug] for name in ("gradebook", "gradebook_csv", "gradebook_upload", "phrases")},
        **{f"portal:{name}": [cohort.slug] for name in ("completions", "all_completions")},
        **{f"portal:{name}": [certificate.code] for name in ("completion", "completion_file")},
        "portal:cohort_page": [cohort.slug],
        **{f"portal:{name}": [2] for name in ("threads", "ask", "week_calendar")},
        **{f"portal:{name}": [asked.pk] for name in ("thread", "mark_thread")},
        "portal:remove_post": [asked.posts.get().pk],
        **{f"portal:{name}": [cohort.slug] for name in ("announce", "dates", "extensions")},
        "portal:live": [cohort.slug, 2],
        "portal:forget_holiday": [cohort.slug, holiday.pk],
        "portal:withdraw_extension": [cohort.slug, extension.pk],
        "portal:edit_week": ["w2"],
        "portal:add_part": ["w2", "material"],
        "portal:edit_part": ["w2", "material", "reading"],
        "portal:class_starts": [cohort.slug],
        "portal:lights_policy": [cohort.slug],
        "portal:invite": [cohort.slug],
        "portal:act_on_students": [cohort.slug],
        "portal:change_invitation": [cohort.slug, Invitation.objects.get().pk],
        "portal:close_invite_link": [cohort.slug, link.pk],
        "portal:join": [join.split("/")[-2]],
        "portal:reset_second_factor": [chit.pk],
        **{f"mfa_{name}_webauthn": [1] for name in ("remove", "edit")},
        **{f"portal:{name}": [cohort.slug] for name in ("lab_limits", "lab_limits_template")},
        "portal:class_start": [cohort.slug, planned.pk],
        "portal:cancel_class_start": [cohort.slug, planned.pk],
        "portal:feed": [Membership.objects.get(user=aye).feed_token],
        "portal:start_lab": [2, lab.slug],
        **{f"portal:{name}": [aye.pk] for name in ("person_data", "take_person_data", "delete_person", "keep_person")},
        "portal:locker_file": [saved.pk],
        "portal:locker_delete": [saved.pk],
        **{f"portal:{name}": [in_slack.pk] for name in ("verify_channel", "channel_again", "remove_channel")},
        "portal:unsubscribe": [unsubscribing.address_of(channels.channels_of(aye)[0], {"lights"}).split("/")[-2]],
        "costs:extend": [launch.pk],
        "costs:day": [now.date().isoformat()],
        "costs:my_day": [now.date().isoformat()],
        **{f"costs:{name}": [aye.pk] for name in ("person", "by_hand")},
        "costs:launch": [launch.pk],
        **{f"costs:{name}": [cohort.scope] for name in ("close_out", "close_out_csv")},
        "costs:went_out": [night.pk],
        "costs:went_out_csv": [night.pk],
        "costs:readings": [left_on.pk],
        "costs:budget": [f"cohort-{cohort.scope}"],
        "costs:account_free_tier": [launch.account.pk],
        "portal:account": [shared.pk],
        **{f"portal:{name}": [own.pk] for name in ("account_template", "check_account", "disconnect_account")},
        "labs:check": [launch.pk, "a-step"],
        "labs:fetch": [],
        "account_reset_password_from_key": ["1", "wrong-key"],
    }
    forms = {
        **{f"portal:{name}": form for name in ("draft", "add_files", "remove_file", "choose_text", "submit")},
        "portal:held": {"sha256": handed_in.sha256, "reason": "A test."},
        "portal:review_desk": score,
        "portal:reply": {"text": "Thanks.", "key": uuid.uuid4().hex},
        "portal:remark": {"part": "", "place": "p-1", "text": "Why?", "shows": "yes"},
        "portal:phrases": {"label": "Units", "text": "Show the units."},
        "portal:completions": {"do": "revoke", "certificate": certificate.pk, "why": "A test."},
        "portal:choose_cohort": {"cohort": cohort.slug},
        "portal:class_starts": {"lab": part.pk, "at": "2025-09-20T09:00", "spread": 5},
        "portal:lights_policy": {"level": "grace", "grace": "60", "delete_days": ""},
        "portal:invite": {"do": "link", "uses": "5", "days": "7"},
        "portal:join": {"name": ""},
        "portal:act_on_students": {"do": "write", "all": "yes"},
        "usersessions_list": {"end": "others"},
        "portal:ask": {"title": "How?", "body": "x"},
        "portal:thread": {"body": "Because."},
        "portal:mark_thread": {"do": "no_answer"},
        "portal:announce": {"title": "Saturday", "body": "At nine."},
        "portal:new_cohort": {
            "name": "Next",
            "course": cohort.course_id,
            "start_on": "2026-03-28",
            "zone": "Asia/Yangon",
            "release_day": 0,
            "release_at": "21:00",
            "due_day": 3,
            "due_at": "23:59",
            "feedback_day": 5,
            "feedback_at": "09:00",
            "session_day": 5,
            "session_at": "09:00",
        },
        "portal:dates": {"do": "holiday", "first": "2025-09-28", "name": "A Sunday", "seen": moving.fingerprint(told)},
        "portal:extensions": {"student": aye.pk, "case": case.pk, "at": "2025-09-22T12:00", "reason": "Power cut"},
        "portal:edit_course": {"title": "Machine Learning", "seen": editing.fingerprint(files)},
        "portal:edit_week": {"title": "Containers", "seen": editing.fingerprint(editing.part_of(files, "w2"))},
        "portal:add_part": {"title": "One more", "kind": "reading", "body_md": "x", "seen": ""},
        "portal:edit_part": {
            "title": "Reading",
            "kind": "reading",
            "body_md": "x",
            "seen": editing.fingerprint(editing.part_of(files, "w2", "material", "reading")),
        },
        "portal:lab_limits": {"regions": "us-east-1", "instance_types": "t3.micro", "sagemaker_types": "ml.t3.medium"},
        "portal:set_language": {"language": "my"},
        "portal:set_zone": {"time_zone": "Asia/Tokyo"},
        "portal:notice_choices": {"pace": "hourly", "daily_at": "08:00"},
        "portal:add_channel": {"address": "discord://4174216298/JHMHI8qBe7", "label": "Chat"},
        "portal:check_account": {"aws_id": "no number"},
        "costs:turn_off": {"r": str(left_on.pk), "act": "turn_off", "confirm": "yes"},
        "costs:snooze": {"r": str(left_on.pk), "until": "4", "why": "a test", "confirm": "yes"},
        "costs:wake": {"r": str(left_on.pk)},
        "costs:remind": {"r": str(left_on.pk)},
        "costs:try_again": {"r": str(left_on.pk)},
        "costs:lights_out": {"scope": cohort.scope, "name": cohort.slug},
        "costs:budget": {"act": "amount", "usd": "600"},
    }
    return {"args": args, "forms": forms, "launch": launch}


def no_session(*_):
    raise sessions.NoSession("There is no AWS in this test.")


def outcome(client, method, address, form):
    answer = client.get(address, form) if method == "GET" else client.post(address, form)
    if answer.status_code == 302 and answer.url.startswith(reverse("account_login")):
        return "login"
    return str(answer.status_code)


def signed_in(user):
    client = Client()
    if user:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.slow
def test_each_person_gets_what_is_theirs(world, everybody):
    """One world for all rows; what a request changed is taken back before the next."""
    # Who may do what is the same on any database, whether a page's queries run is not: elsewhere two ask, who
    # see between them all that there is.
    asking = PEOPLE if connection.vendor == "sqlite" else ("aye", "admin")
    clients = {who: signed_in(everybody[who]) for who in asking}
    cookies = {who: client.cookies.output(header="", sep=";") for who, client in clients.items()}
    wrong = []
    for name, method, *expected in ROWS:
        default = [world["launch"].pk] if name.startswith("labs:") else []
        address = reverse(name, args=world["args"].get(name, default))
        awaited_by = dict(zip(PEOPLE, expected, strict=True))
        for who in asking:
            clients[who].cookies = SimpleCookie(cookies[who])
            with transaction.atomic():
                found = outcome(clients[who], method, address, world["forms"].get(name, {}))
                transaction.set_rollback(True)
            if found != awaited_by[who]:
                wrong.append(f"{name} {method} by {who}: {found}, not {awaited_by[who]}")
    assert not wrong, "\n".join(wrong)
