"""What a monitoring system reads of money and of the controller: figures by cohort, in Prometheus' own format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Q, Sum
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from costs.dashboard.exposed import exposures_by
from costs.dashboard.on_now import lines_of
from costs.dashboard.unbounded import unbounded_in
from costs.live import NOTHING, burning_by, live, newer
from costs.models import Alert, DailySpend, Finding, Scope
from labs import deadman
from labs.models import Launch, Resource

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Gauges:
    """The figures at `now`; a collector of prometheus_client. Thirteen queries, whatever the number of cohorts."""

    def __init__(self, now: datetime):
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        scopes = dict(Scope.objects.values_list("key", "name"))
        alive = live(Resource.objects.all())
        fresh = newer(alive, self.now)
        burning = burning_by(alive, "scope", fresh=fresh)
        on = [burning.get((key,), NOTHING) for key in scopes]
        nobodys = [one for (key,), one in burning.items() if key not in scopes]
        names = [*scopes.values(), "none"]
        lost = sum(nobodys, NOTHING)

        def by_scope(name: str, words: str, values) -> GaugeMetricFamily:
            made = GaugeMetricFamily(f"lightsout_{name}", words, labels=["cohort"])
            for scope, value in zip(names, values, strict=True):
                made.add_metric([scope], float(value))
            return made

        yield by_scope("usd_per_hour", "What is on costs so much an hour.", [one.usd_per_hour for one in (*on, lost)])
        yield by_scope("lights", "Resources that are on and cost.", [one.lights for one in (*on, lost)])
        yield by_scope("unpriced", "Resources with a part that has no price.", [one.unpriced for one in (*on, lost)])
        spent = dict(DailySpend.objects.order_by().values_list("scope").annotate(Sum("usd")))
        yield by_scope("spent_usd", "Metered since the cohort began.", _told(spent, scopes))
        endless = unbounded_in([*scopes, ""], self.now)
        launches = Launch.objects.open()
        exposed = exposures_by("scope", lines_of(alive, self.now), launches, self.now, fresh=fresh, unbounded=endless)
        known = {scope: one.known_usd for scope, one in exposed.items()}
        words = "What is on can still cost before something stops it by itself; what nothing stops is not in it."
        yield by_scope("exposure_usd", words, _told(known, scopes))
        without = {scope: one.unbounded for scope, one in exposed.items()}
        yield by_scope("unbounded", "Resources that nothing stops by itself.", _told(without, scopes))
        findings = Finding.objects.shown(self.now).order_by()
        left = dict(findings.values_list("resource__scope").annotate(Count("resource", distinct=True)))
        yield by_scope("forgotten", "Resources that a rule calls forgotten.", _told(left, scopes))
        yield self._alerts(scopes)
        yield from self._of_the_controller()

    def _alerts(self, scopes: dict[str, str]) -> GaugeMetricFamily:
        """Every rule with an open alert anywhere has a figure for every cohort."""
        made = GaugeMetricFamily("lightsout_alerts", "Open alerts about money.", labels=["cohort", "rule"])
        found = Alert.objects.open().order_by().values_list("rule", "scope").annotate(Count("pk"))
        by_rule: dict[str, dict[str, int]] = defaultdict(dict)
        for rule, scope, number in found:
            by_rule[rule][scope] = number
        for rule, by_scope in sorted(by_rule.items()):
            for cohort, number in zip([*scopes.values(), "none"], _told(by_scope, scopes), strict=True):
                made.add_metric([cohort, rule], number)
        return made

    def _of_the_controller(self) -> Iterator[GaugeMetricFamily]:
        rows = Resource.objects.open()
        told = rows.aggregate(
            due=Count("pk", filter=Q(next_look_at__lte=self.now)),
            oldest_due=Min("next_look_at"),
            oldest_look=Min("seen_at"),
            blocked=Count("pk", filter=~Q(blocked_why="")),
        )
        armed = deadman.armed(rows)
        for name, words, value in (
            ("due_rows", "Resources whose turn it is.", told["due"]),
            ("oldest_due_seconds", "How long the first of them has waited.", self._age(told["oldest_due"])),
            ("oldest_look_seconds", "How old the oldest last look at a resource is.", self._age(told["oldest_look"])),
            ("blocked_rows", "Resources that wait for a person.", told["blocked"]),
            (
                "unarmed_lights",
                "What costs by the hour and AWS does not turn off by itself.",
                armed.of_labs - armed.with_switch + armed.strangers_without,
            ),
        ):
            yield GaugeMetricFamily(f"lightsout_{name}", words, value=value)

    def _age(self, at: datetime | None) -> float:
        return max(0.0, (self.now - at).total_seconds()) if at else 0.0


def _told(by_key, scopes: dict[str, str]) -> list:
    """The values in the order of the scopes, and last what is nobody's."""
    return [*(by_key.get(key, 0) for key in scopes), sum((by_key[key] for key in by_key if key not in scopes), 0)]


def exposition(now: datetime) -> bytes:
    """All of it as Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(Gauges(now))
    return generate_latest(registry)
