from django.urls import path

from costs import acting, bill_pages, budget_pages, exports, free_tier_views, views

app_name = "costs"
urlpatterns = [
    path("spend/", views.spend, name="spend"),
    path("spend.csv", exports.spend, name="spend_csv"),
    path("bill/", bill_pages.bill, name="bill"),
    path("bill.csv", bill_pages.bill_csv, name="bill_csv"),
    path("forgotten/", views.forgotten, name="forgotten"),
    path("forgotten/saved/", views.saved, name="saved"),
    path("forgotten/turn-off/", acting.turn_off, name="turn_off"),
    path("forgotten/snooze/", acting.snooze, name="snooze"),
    path("forgotten/wake/", acting.wake, name="wake"),
    path("forgotten/remind/", acting.remind, name="remind"),
    path("forgotten/try-again/", acting.try_again, name="try_again"),
    path("forgotten/lights-out/", acting.lights_out, name="lights_out"),
    path("forgotten/lights-out/<int:pk>/", views.went_out, name="went_out"),
    path("forgotten/lights-out/<int:pk>.csv", exports.went_out, name="went_out_csv"),
    path("labs/<uuid:launch_id>/extend/", acting.extend, name="extend"),
    path("budgets/", budget_pages.budgets, name="budgets"),
    path("budgets/<str:key>/", budget_pages.budget, name="budget"),
    path("alerts/", views.alerts, name="alerts"),
    path("mine/", views.mine, name="mine"),
    path("mine.csv", exports.mine, name="mine_csv"),
    path("calculator/", views.calculator, name="calculator"),
    path("gauges/", exports.gauges, name="gauges"),
    path("readings/<uuid:pk>/", views.readings, name="readings"),
    path("free-tier/", free_tier_views.every_account, name="free_tier"),
    path("free-tier/<int:pk>/", free_tier_views.one_account, name="account_free_tier"),
]
