"""A live session as its reader may see it: the address to join from an hour before, the recording afterwards."""

from __future__ import annotations

from portal import schedule
from portal.models import LiveSession


def shown(told, now, *, teaches=False):
    """What a page shows of the session: {"state", "join_url", "recording_url", "agenda_md"}. The address to join is
    in it from an hour before until the session is over; for those who teach always. One query, none long before.
    """
    state = schedule.live_state(told.session_at, now)
    found = {"state": state, "join_url": "", "recording_url": "", "agenda_md": "", "at": told.session_at}
    if state == "none" or (state == "ahead" and not teaches):
        return found
    row = LiveSession.objects.filter(told=told).first()
    if row is None:
        return found
    found["agenda_md"], found["recording_url"] = row.agenda_md, row.recording_url if state == "over" or teaches else ""
    found["join_url"] = row.join_url if state == "open" or teaches else ""
    return found


def now_open(standing, now):
    """(CohortWeek, what is shown) of the session that can be joined now; None when there is none. One query at most."""
    told = next((one for one in standing.told if schedule.live_state(one.session_at, now) == "open"), None)
    return (told, shown(told, now)) if told else None
