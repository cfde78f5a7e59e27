"""Figures for plotly.js, as plain dictionaries. Colours are names of the page's own variables: charts.js reads them
from the theme that is on. That plotly.js takes them, its Python library says in the tests: to ask it on every page
would take longer than what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from costs.dashboard.days import DaySpend, today

A_DAY = 24 * 3600 * 1000  # ms, as Plotly counts
FEW = 10  # days, of which each is named: left to itself Plotly would name half days

# service: (class of its dot in the legend, CSS variable of its colour). Amber is what most often is left on.
COLOURS = {
    "SageMaker": ("is-on", "--lo-fill"),
    "EC2": ("bg-indigo", "--tblr-indigo"),
    "EMR": ("bg-teal", "--tblr-teal"),
    "Lambda": ("bg-purple", "--tblr-purple"),
    "S3": ("bg-azure", "--tblr-azure"),
    "EBS": ("bg-secondary", "--lo-ink2"),
}
OTHERS = [("bg-cyan", "--tblr-cyan"), ("bg-purple", "--tblr-purple")]


def colours_of(services: Sequence[str]) -> dict[str, tuple[str, str]]:
    """{service: (class, variable)}."""
    unknown = [service for service in sorted(services) if service not in COLOURS]
    return {service: COLOURS.get(service) or OTHERS[unknown.index(service) % len(OTHERS)] for service in services}


def paint_of(dot: str) -> str:
    """The class that paints an SVG's currentColor as this dot of the legend is painted."""
    return "lo-fill" if dot == "is-on" else dot.replace("bg-", "text-")


def shown_days(days: Sequence[DaySpend], services: Sequence[tuple[str, Decimal]], now: datetime) -> dict:
    """What templates/costs/_days.html shows: the legend [(service, USD, class)], the figure, and the same as a table,
    the latest day first: [(day, [(service, USD)])]."""
    colours = colours_of([service for service, _ in services])
    return {
        "legend": [(service, usd, colours[service][0]) for service, usd in services],
        "figure": spend_figure(days, services, now),
        "table": [(day, [(service, day.by_service.get(service)) for service, _ in services]) for day in reversed(days)],
        "today": today(now),
    }


def spend_figure(days: Sequence[DaySpend], services: Sequence[tuple[str, Decimal]], now: datetime) -> dict:
    """Stacked bars, one a UTC day, the dearest service at the bottom; today, which is not over, is hatched."""
    colours = colours_of([service for service, _ in services])
    hatched = ["/" if day.day == today(now) else "" for day in days]
    bars = [
        {
            "type": "bar",
            "name": service,
            "x": [day.day.isoformat() for day in days],
            "y": [float(day.by_service.get(service, 0)) for day in days],
            "meta": {"colour": colours[service][1]},
            "marker": {"pattern": {"shape": hatched, "fillmode": "overlay", "size": 6}},
            "hovertemplate": "$%{y:,.2f}",
        }
        for service, _ in services
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.25,
        "height": 276,
        "margin": {"l": 48, "r": 8, "t": 8, "b": 32},
        "showlegend": False,
        "hovermode": "x unified",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"type": "date", "tickformat": "%-d %b", "fixedrange": True, "showgrid": False}
        | ({"dtick": A_DAY} if len(days) <= FEW else {}),
        "yaxis": {"tickprefix": "$", "fixedrange": True, "rangemode": "tozero", "nticks": 5},
    }
    return {"data": bars, "layout": layout}
