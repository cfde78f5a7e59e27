from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.urls import include, path

from portal.views import (
    aws_accounts,
    chrome,
    classes,
    cohort,
    course,
    demo,
    feeds,
    health,
    invitations,
    labs,
    lights,
    locker,
    notices,
    review,
    roster,
    search,
    security,
    submissions,
    today,
)

school = [
    path("", today.today, name="today"),
    path("course/", course.course, name="course"),
    path("week/<int:number>/", course.week, name="week"),
    path("week/<int:number>/material/<slug:slug>/", course.material, name="material"),
    path("week/<int:number>/material/<slug:slug>/file/", course.material_file, name="material_file"),
    path("week/<int:number>/case/<slug:slug>/", submissions.assignment, name="assignment"),
    path("week/<int:number>/case/<slug:slug>/draft/", submissions.save, name="draft"),
    path("week/<int:number>/case/<slug:slug>/files/", submissions.add_files, name="add_files"),
    path("week/<int:number>/case/<slug:slug>/files/<int:pk>/", submissions.draft_file, name="draft_file"),
    path("week/<int:number>/case/<slug:slug>/files/<int:pk>/remove/", submissions.remove_file, name="remove_file"),
    path("week/<int:number>/case/<slug:slug>/aside/<int:pk>/<str:choice>/", submissions.choose, name="choose_text"),
    path("week/<int:number>/case/<slug:slug>/submit/", submissions.hand_in, name="submit"),
    path("submissions/", submissions.mine, name="submissions"),
    path("receipts/<str:number>/", submissions.receipt, name="receipt"),
    path("receipts/<str:number>/text/", submissions.receipt_text, name="receipt_text"),
    path("receipts/<str:number>/files/<int:pk>/", submissions.submission_file, name="submission_file"),
    path("receipts/<str:number>/feedback/", submissions.feedback, name="feedback"),
    path("review/", review.here, name="review"),
    path("review/<slug:cohort>/<int:number>/", review.queue, name="review_queue"),
    path("review/<slug:cohort>/<int:number>/release/", review.release, name="release"),
    path("review/<slug:cohort>/receipts/<str:receipt>/", review.desk, name="review_desk"),
    path("cohort/", cohort.here, name="cohort"),
    path("cohort/choose/", cohort.choose, name="choose_cohort"),
    path("cohort/<slug:cohort>/", cohort.page, name="cohort_page"),
    path("cohort/<slug:cohort>/invite/", invitations.invite, name="invite"),
    path("cohort/<slug:cohort>/invite/<int:pk>/", invitations.change, name="change_invitation"),
    path("cohort/<slug:cohort>/invite/links/<int:pk>/close/", invitations.close_link, name="close_invite_link"),
    path("cohort/<slug:cohort>/people/", roster.act, name="act_on_students"),
    path("join/<str:token>/", invitations.join, name="join"),
    path("cohort/<slug:cohort>/lights/", lights.policy, name="lights_policy"),
    path("cohort/<slug:cohort>/class-starts/", classes.class_starts, name="class_starts"),
    path("cohort/<slug:cohort>/class-starts/<int:pk>/", classes.class_start, name="class_start"),
    path("cohort/<slug:cohort>/class-starts/<int:pk>/cancel/", classes.cancel, name="cancel_class_start"),
    path("search/", search.search, name="search"),
    path("feed/<str:token>.ics", feeds.calendar, name="feed"),
    path("labs/", labs.index, name="labs"),
    path("labs/start/<int:number>/<slug:slug>/", labs.start, name="start_lab"),
    path("labs/locker/", locker.mine, name="locker"),
    path("labs/locker/<int:pk>/", locker.download, name="locker_file"),
    path("labs/locker/<int:pk>/delete/", locker.delete, name="locker_delete"),
    path("aws/", aws_accounts.accounts, name="accounts"),
    path("aws/doctor/", aws_accounts.run_doctor, name="run_doctor"),
    path("aws/mine/", aws_accounts.mine, name="my_account"),
    path("aws/rules/", aws_accounts.rules, name="rules_of_use"),
    path("aws/connect/", aws_accounts.connect_shared, name="connect_shared"),
    path("aws/<int:pk>/", aws_accounts.one, name="account"),
    path("aws/<int:pk>/template.yaml", aws_accounts.template, name="account_template"),
    path("aws/<int:pk>/check/", aws_accounts.check, name="check_account"),
    path("aws/<int:pk>/disconnect/", aws_accounts.disconnect, name="disconnect_account"),
    path("notices/", notices.mine, name="notices"),
    path("notices/choices/", notices.choices, name="notice_choices"),
    path("notices/channels/", notices.add, name="add_channel"),
    path("notices/channels/<int:pk>/code/", notices.verify, name="verify_channel"),
    path("notices/channels/<int:pk>/again/", notices.again, name="channel_again"),
    path("notices/channels/<int:pk>/remove/", notices.remove, name="remove_channel"),
    path("notices/stop/<str:token>/", notices.unsubscribe, name="unsubscribe"),
    path("theme/", chrome.set_theme, name="set_theme"),
    path("zone/", chrome.set_zone, name="set_zone"),
    path("people/second-factors/", security.second_factors, name="second_factors"),
    path("people/<int:pk>/second-factor/", security.reset_second_factor, name="reset_second_factor"),
    path("demo/sign-in/", demo.demo_sign_in, name="demo_sign_in"),
    path("alive/", health.alive, name="alive"),
    path("ready/", health.ready, name="ready"),
]

# What opens an account is nobody's to read or edit, an admin's neither: portal/second_factor.py takes a lost one away
# and says who did, only a mail proves an address, and Google's and GitHub's keys come from the environment.
admin.site.unregister([Authenticator, EmailAddress, SocialApp, SocialToken, UserSession])
# Its own page of sign-in would ask for a password alone.
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("", include((school, "portal"))),
    path("labs/launch/", include("labs.urls")),
    path("costs/", include("costs.urls")),
    path("accounts/", include("portal.account_urls")),
    path("admin/", admin.site.urls),
]
