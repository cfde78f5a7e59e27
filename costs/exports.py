"""The figures of the pages as CSV, for whoever wants to add them up, and for whoever watches from outside."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs import dashboard
from costs.gauges import CONTENT_TYPE, exposition
from costs.models import DailySpend, Reading
from costs.views import money_page, night_page


class _Echo:
    """What csv writes to: hands back the line."""

    def write(self, line: str) -> str:
        return line


def _safe(cell):
    """A spreadsheet runs what begins like a formula; a name that somebody chose is no formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_answer(name: str, head: Iterable[str], lines: Iterator) -> StreamingHttpResponse:
    """A file `name` with the day it was asked for in its name. lines: of cells, asked for while they are sent."""
    writer = csv.writer(_Echo())

    def written():
        yield "\ufeff" + writer.writerow(head)  # the mark by which spreadsheets know UTF-8
        for line in lines:
            yield writer.writerow([_safe(cell) for cell in line])

    answer = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
    return answer


@money_page
def spend(request, scopes):
    """One line a UTC day, person, account, service and region; amounts with all their places."""
    lines = DailySpend.objects.filter(scope__in=scopes).select_related("owner", "account")
    lines = lines.order_by("day", "owner__email", "account", "service", "region")
    return csv_answer(
        "spend",
        ["day_utc", "person", "email", "account", "service", "region", "usd", "unpriced_seconds"],
        (
            (
                line.day.isoformat(),
                line.owner or "",
                line.owner.email if line.owner else "",
                line.account.aws_id,
                line.service,
                line.region,
                f"{line.usd:f}",
                line.unpriced_seconds,
            )
            for line in lines.iterator(chunk_size=2000)
        ),
    )


@require_safe
@never_cache
@login_required
def mine(request):
    """Every reading of one's own: time, quantity x price = cost, and how sure the price is."""
    found = Reading.objects.filter(resource__owner=request.user).select_related("resource__launch", "price")
    return csv_answer(
        "my-readings",
        [
            "start_utc",
            "end_utc",
            "lab",
            "kind",
            "name",
            "region",
            "meter",
            "quantity",
            "unit",
            "usd_per_unit",
            "usd",
            "price_as_of",
            "price_confidence",
            "price_source",
        ],
        (
            (
                one.start.isoformat(),
                one.end.isoformat(),
                one.resource.launch.lab if one.resource.launch else "",
                one.resource.kind,
                one.resource.name or one.resource.aws_id,
                one.resource.region,
                one.meter,
                f"{one.quantity:f}",
                one.unit,
                "unpriced" if one.rate is None else f"{one.rate:f}",
                "unpriced" if one.usd is None else f"{one.usd:f}",
                one.price.valid_from.isoformat() if one.price else "",
                one.price.confidence if one.price else "",
                one.price.source if one.price else "",
            )
            for one in found.order_by("start", "pk").iterator(chunk_size=2000)
        ),
    )


@night_page
def went_out(request, record):
    """The evidence of one Lights out, as it stands now: a line a resource, and one for a lab in which nothing was."""
    page = dashboard.went_out(record)
    return csv_answer(
        f"lights-out-{record.at:%Y-%m-%d-%H%M}",
        [
            "lab",
            "launch",
            "person",
            "email",
            "kind",
            "name",
            "aws_id",
            "account",
            "region",
            "usd_per_hour_then",
            "asked_to",
            "asked_at_utc",
            "seen_off_at_utc",
            "proof",
            "credentials_revoked_at_utc",
            "certificate_proved_at_utc",
            "still_on_because",
        ],
        (
            [*_lab_cells(lab), *_line_cells(line), *_proof_cells(lab), _still_on(line)]
            for lab in page.labs
            for line in (*lab.lines,) or (None,)
        ),
    )


def _lab_cells(lab):
    return lab.title, lab.launch.pk if lab.launch else "", lab.owner, lab.email


def _line_cells(line):
    """kind to proof; empty for a lab in which nothing was."""
    if line is None:
        return [""] * 10
    rate = "" if line.found_later else "unpriced" if line.usd_per_hour is None else f"{line.usd_per_hour:f}"
    return [
        line.row.kind,
        line.row.name,
        line.row.aws_id,
        line.row.account.aws_id,
        line.row.region,
        rate,
        line.act,
        line.asked_at.isoformat(),
        line.off_at.isoformat() if line.off_at else "",
        line.proof,
    ]


def _proof_cells(lab):
    """When the lab's credentials were revoked, and when its certificate was proved."""
    fenced = lab.launch.fenced_at.isoformat() if lab.is_fenced else ""
    certificate = lab.launch.certificate["proved_at"] if lab.has_certificate else ""
    return "not revoked" if lab.is_unfenced else fenced, certificate


def _still_on(line):
    if line is None or line.off_at:
        return ""
    return line.row.blocked_why or "it was asked, and AWS still shows it"


@require_safe
@never_cache
def gauges(request):
    """For a monitoring system that shows the operator's token. Without one in the settings there is no such page."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN:
        raise Http404("No such page.")
    if scheme.lower() != "bearer" or not constant_time_compare(shown, settings.METRICS_TOKEN):
        return HttpResponse("Show the token: Authorization: Bearer TOKEN.\n", status=401, content_type="text/plain")
    return HttpResponse(exposition(timezone.now()), content_type=CONTENT_TYPE)
