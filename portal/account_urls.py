"""The pages of allauth that we use, under allauth's own names: its code and templates reverse them."""

from allauth.account import views
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.github import views as github
from allauth.socialaccount.providers.google import views as google
from django.urls import include, path, re_path

from portal.views import demo, security

urlpatterns = [
    path("login/", demo.SignIn.as_view(), name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", demo.by_invitation, name="account_signup"),
    path("again/", views.reauthenticate, name="account_reauthenticate"),
    path("second-factor/", include("allauth.mfa.urls")),
    path("google/", google.oauth2_login, name="google_login"),
    path("google/back/", google.oauth2_callback, name="google_callback"),
    path("github/", github.oauth2_login, name="github_login"),
    path("github/back/", github.oauth2_callback, name="github_callback"),
    path("elsewhere/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("sessions/", security.sessions, name="usersessions_list"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        security.PasswordByMail.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
