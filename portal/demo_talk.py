"""The demo's discussions, announcements and live sessions, by the acts that real people use."""

from datetime import timedelta
from pathlib import Path

import yaml

from portal import access, discussing, reading
from portal.models import LiveSession, Thread

TALK = yaml.safe_load((Path(__file__).parent / "demo_talk.yaml").read_text(encoding="utf-8"))


def acts(cohort, people):
    """What was said in week 2, as (instant, act) pairs."""
    told = cohort.told.select_related("week").get(week__number=2)
    standings = {short: access.standings(user)[cohort.slug] for short, user in people.items() if short != "hazel"}

    def after(entry):
        return told.released_at + timedelta(hours=entry["after"])

    found = [(told.released_at, _get_ready(list(standings.values())))]
    found += [(after(one), _announce(standings, one)) for one in TALK["announcements"]]
    for n, one in enumerate(TALK["threads"]):
        found.append((after(one), _ask(standings, told.week, one, f"demo-{n}")))
        for m, reply in enumerate(one["replies"]):
            found.append((after(reply), _reply(standings, f"demo-{n}", reply, f"demo-{n}-{m}")))
    return found


def _get_ready(standings):
    """All but a few students have what the course needs."""

    def act(at):
        for standing in standings[::-1][3:]:
            if standing.is_student:
                reading.accept(standing, now=at)

    return act


def _announce(standings, one):
    def act(at):
        discussing.announce(standings[one["by"]], title=one["title"], body=one["body"], key="demo", now=at)

    return act


def _ask(standings, week, one, key):
    def act(at):
        thread = discussing.ask(standings[one["by"]], week, title=one["title"], body=one["body"], key=key, now=at)
        if one.get("parked"):
            discussing.park(thread, at)

    return act


def _reply(standings, thread_key, one, key):
    def act(at):
        standing, answers = standings[one["by"]], one.get("answers", False)
        thread = Thread.objects.get(cohort=standing.cohort, posts__key=thread_key)
        discussing.reply(standing, thread, body=one["body"], answers=answers, key=key, now=at)

    return act


def live_sessions(cohort):
    """Links, recordings and agendas, whatever day it is: pages show them when it is time."""
    told = {one.week.number: one for one in cohort.told.select_related("week")}
    LiveSession.objects.bulk_create(
        LiveSession(
            told=told[one["week"]],
            join_url=one.get("join", ""),
            recording_url=one.get("recording", ""),
            agenda_md=one["agenda"],
        )
        for one in TALK["live"]
    )
