from django.contrib import admin
from django.urls import include, path

from portal.views import chrome, cohort, course, demo, feeds, health, labs, locker, review, search, submissions, today

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
    path("search/", search.search, name="search"),
    path("feed/<str:token>.ics", feeds.calendar, name="feed"),
    path("labs/", labs.index, name="labs"),
    path("labs/start/<int:number>/<slug:slug>/", labs.start, name="start_lab"),
    path("labs/locker/", locker.mine, name="locker"),
    path("labs/locker/<int:pk>/", locker.download, name="locker_file"),
    path("labs/locker/<int:pk>/delete/", locker.delete, name="locker_delete"),
    path("theme/", chrome.set_theme, name="set_theme"),
    path("zone/", chrome.set_zone, name="set_zone"),
    path("demo/sign-in/", demo.demo_sign_in, name="demo_sign_in"),
    path("alive/", health.alive, name="alive"),
    path("ready/", health.ready, name="ready"),
]

urlpatterns = [
    path("", include((school, "portal"))),
    path("labs/launch/", include("labs.urls")),
    path("costs/", include("costs.urls")),
    path("accounts/", include("portal.account_urls")),
    path("admin/", admin.site.urls),
]
