"""The figures of the pages as CSV, for whoever wants to add them up, and for whoever watches from outside."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs import dashboard
from costs.dashboard.close_out import close_out as close_out_of
from costs.focus import COLUMNS, lines_of
from costs.gauges import CONTENT_TYPE, exposition
from costs.guards import money_page, night_page, scope_page
from costs.models import DailySpend, Reading
from costs.narrowing import NoSuchPart, choices_in

# To a program: in no other language.
NO_TOKEN = "Show the token: Authorization: Bearer TOKEN.\n"


class _Echo:
    """What csv writes to: hands back the line."""

    def write(self, line: str) -> str:
        return line


def _safe(cell):
    """A spreadsheet runs what begins like a formula; a name that somebody chose is no formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _in_english(lines: Iterator) -> Iterator[list[str]]:
    """Files are read by programs: heads and words in them are the same in every language. Line by line, for they are
    worked out while the file is sent."""
    while True:
        with translation.override("en"):
            line = next(lines, None)
            cells = None if line is None else [_safe(cell) for cell in line]
        if cells is None:
            return
        yield cells


def csv_answer(name: str, head: Iterable[str], lines: Iterator) -> StreamingHttpResponse:
    """A file `name` with the day it was asked for in its name. lines: of cells, asked for while they are sent."""
    writer = csv.writer(_Echo())

    def written():
        yield "\ufeff" + writer.writerow(head)  # the mark by which spreadsheets know UTF-8
        for cells in _in_english(lines):
            yield writer.writerow(cells)

    answer = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
    return answer


def part_file(view):
    """The view gets the reader's scopes and the part of their spend that the address asks for. A file cannot say that
    it is of something else: what is not here is answered with a word, not with a file."""

    @money_page
    @wraps(view)
    def guarded(request, scopes):
        try:
            part = choices_in(scopes, timezone.now()).part(request.GET)
        except NoSuchPart as why:
            return HttpResponse(f"{why}\n", status=400, content_type="text/plain; charset=utf-8")
        return view(request, scopes, part)

    return guarded


@part_file
def spend(request, scopes, part):
    """One line a UTC day, person, account, service and region; amounts with all their places."""
    lines = part.spend(DailySpend.objects.filter(scope__in=scopes)).select_related("owner", "account")
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


@part_file
def focus(request, scopes, part):
    """One line a UTC day, resource and meter, with the columns of FOCUS 1.2."""
    return csv_answer("spend-focus", COLUMNS, lines_of(scopes, part))


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
    with translation.override("en"):
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


@scope_page
def close_out(request, scope):
    """The close-out as it stands now: a line a person, a line a launch, a line for each thing that AWS still bills."""
    with translation.override("en"):
        page = close_out_of(scope, timezone.now())
    head = ["line", "person", "email", "what", "id", "account", "region", "from_utc", "to_utc", "state"]
    return csv_answer(
        f"close-out-{scope.name}",
        [*head, "certificate_proved_at_utc", "usd", "usd_a_month", "unpriced_seconds", "files", "bytes"],
        (line for one in page.people for line in _closing_lines(one)),
    )


def _closing_lines(one):
    who = [one.person.name, one.email]
    spent = [f"{one.usd:f}", "", one.unpriced_seconds, one.files, one.bytes]
    yield ["person", *who, "", "", "", "", "", "", f"{one.proved} of {len(one.labs)} labs proved gone", "", *spent]
    for lab in one.labs:
        launch = lab.launch
        ended = launch.ended_at.isoformat() if launch.ended_at else ""
        where = [launch.account.aws_id, launch.region, launch.created_at.isoformat(), ended]
        yield ["lab", *who, lab.title, launch.pk, *where, lab.said, lab.proved_at or "", "", "", "", "", ""]
    for kept in one.kept:
        row = kept.row
        where = [row.account.aws_id, row.region, row.first_seen_at.isoformat() if row.first_seen_at else "", ""]
        a_month = "unpriced" if kept.usd_a_month is None else f"{kept.usd_a_month:f}"
        yield ["kept", *who, f"{kept.title} {kept.name}", row.pk, *where, kept.why, "", "", a_month, "", "", ""]


@require_safe
@never_cache
def gauges(request):
    """For a monitoring system that shows the operator's token. Without one in the settings there is no such page."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN:
        raise Http404("No such page.")
    if scheme.lower() != "bearer" or not constant_time_compare(shown, settings.METRICS_TOKEN):
        return HttpResponse(NO_TOKEN, status=401, content_type="text/plain")
    return HttpResponse(exposition(timezone.now()), content_type=CONTENT_TYPE)
