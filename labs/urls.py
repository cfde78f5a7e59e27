from django.urls import path

from labs import views

app_name = "labs"
urlpatterns = [
    path("credentials/", views.fetch, name="fetch"),
    path("<uuid:launch_id>/", views.show, name="panel"),
    path("<uuid:launch_id>/finish/", views.finish, name="finish"),
    path("<uuid:launch_id>/stop/", views.stop, name="stop"),
    path("<uuid:launch_id>/start/", views.start, name="start"),
    path("<uuid:launch_id>/steps/<slug:step>/check/", views.check, name="check"),
    path("<uuid:launch_id>/credentials/", views.credentials, name="credentials"),
    path("<uuid:launch_id>/token/", views.token, name="token"),
    path("<uuid:launch_id>/console/", views.console, name="console"),
    path("<uuid:launch_id>/certificate.txt", views.certificate, name="certificate"),
    path("<uuid:launch_id>/certificate.pdf", views.certificate_pdf, name="certificate_pdf"),
]
