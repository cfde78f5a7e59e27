from django.urls import path

from costs import acting, exports, looking, views

app_name = "costs"
urlpatterns = [
    path("spend/", views.spend, name="spend"),
    path("spend.csv", exports.spend, name="spend_csv"),
    path("spend-focus.csv", exports.focus, name="spend_focus"),
    path("days/<slug:day>/", looking.day, name="day"),
    path("mine/days/<slug:day>/", looking.my_day, name="my_day"),
    path("people/<slug:who>/", looking.person, name="person"),
    path("people/<slug:who>/by-hand/", looking.by_hand, name="by_hand"),
    path("labs/<uuid:launch_id>/", looking.launch, name="launch"),
    path("close-out/<slug:key>/", looking.close_out, name="close_out"),
    path("close-out/<slug:key>.csv", exports.close_out, name="close_out_csv"),
    path("forgotten/", views.forgotten, name="forgotten"),
    path("forgotten/turn-off/", acting.turn_off, name="turn_off"),
    path("forgotten/snooze/", acting.snooze, name="snooze"),
    path("forgotten/wake/", acting.wake, name="wake"),
    path("forgotten/remind/", acting.remind, name="remind"),
    path("forgotten/try-again/", acting.try_again, name="try_again"),
    path("forgotten/lights-out/", acting.lights_out, name="lights_out"),
    path("forgotten/lights-out/<int:pk>/", views.went_out, name="went_out"),
    path("forgotten/lights-out/<int:pk>.csv", exports.went_out, name="went_out_csv"),
    path("labs/<uuid:launch_id>/extend/", acting.extend, name="extend"),
    path("mine/", views.mine, name="mine"),
    path("mine.csv", exports.mine, name="mine_csv"),
    path("calculator/", views.calculator, name="calculator"),
    path("gauges/", exports.gauges, name="gauges"),
    path("readings/<uuid:pk>/", views.readings, name="readings"),
]
