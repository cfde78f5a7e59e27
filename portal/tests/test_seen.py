"""When somebody was last seen: to ten minutes, at the price of reading."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession

from portal import seen

PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PIXEL, "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605 Version/17.5 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        ("", "A browser"),
    ],
)
def test_a_device_is_called_what_its_owner_calls_it(agent, name):
    assert seen.browser_of(agent) == name


@pytest.mark.django_db
def test_it_is_written_down_once_in_ten_minutes_for_each_session(signed_in, aye, now, clock, settings):
    settings.SEEN_EVERY = timedelta(minutes=10)
    client = signed_in(aye)
    for minutes in (0, 9, 10):
        clock.move_to(now + timedelta(minutes=minutes))
        client.get("/course/")
        aye.refresh_from_db()
        listed = UserSession.objects.get(user=aye)
        assert aye.seen_at == listed.last_seen_at == now + timedelta(minutes=10 if minutes == 10 else 0)
