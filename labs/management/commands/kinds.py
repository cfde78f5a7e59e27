"""manage.py kinds [--json]: what every kind of AWS resource can do, costs, and how it goes off without the portal."""

from __future__ import annotations

import json
import textwrap
from argparse import ArgumentParser
from dataclasses import asdict, dataclass

from django.core.management.base import BaseCommand

from labs import catalog
from labs.kinds import registry
from labs.kinds.base import NAME, Kind, Meter, Want

VERBS = {"create": "create", "observe": "observe", "configure": "configure", "start": "start", "stop": "stop"}
VERBS |= {"delete": "delete", "find": "find_all"}
AS_FOUND = "as found"
WIDTH = 120  # of a terminal


@dataclass(frozen=True)
class Switch:
    """How one goes off without the portal: by a call that AWS's scheduler makes, and set when ("" and "": by none, and
    why_not says why), or by AWS's own cap.
    """

    call: str = ""
    is_set: str = ""
    native_cap: str = ""
    why_not: str = ""

    def __str__(self) -> str:
        says = f"{self.call}, set {self.is_set}" if self.call else f"none: {self.why_not}"
        return f"{says}. {self.native_cap}" if self.native_cap else says


@dataclass(frozen=True)
class Told:
    """One line of the table. meters: lines of the price book as "service kind sku, per unit"; "free"; or "as found",
    where only what is seen tells. not_in_practice: why practice mode does not have it; '' where it does.
    """

    kind: str
    verbs: list[str]
    identity: str
    meters: list[str]
    switch: Switch
    in_practice: bool
    not_in_practice: str

    def cells(self) -> list[str]:
        return [self.kind, self.identity, "yes" if self.in_practice else "no", " ".join(self.verbs)]

    def under(self) -> dict[str, str]:
        """What is too long for a cell: {what: words}."""
        told = {"meters": "; ".join(self.meters), "dead-man's switch": str(self.switch)}
        return told | ({} if self.in_practice else {"practice": self.not_in_practice})


HEAD = ["kind", "identity", "practice", "verbs"]


class Command(BaseCommand):
    help = "The kinds of AWS resources: verbs, identity, meters, dead-man's switch, and whether practice mode has them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output, and nothing else.")

    def handle(self, *args, **options):
        lines = [told_of(kind) for kind in registry().values()]
        if options["json"]:
            self.stdout.write(json.dumps({"kinds": [asdict(line) for line in lines]}, indent=2))
            return
        rows = [HEAD, *(line.cells() for line in lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        self._write_row(HEAD, widths)
        for line in lines:
            self._write_row(line.cells(), widths)
            for what, words in line.under().items():
                begins = f"    {what:17}  "
                self.stdout.write(
                    textwrap.fill(
                        words, WIDTH, initial_indent=begins, subsequent_indent=" " * len(begins), break_on_hyphens=False
                    )
                )

    def _write_row(self, row: list[str], widths: list[int]) -> None:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        self.stdout.write("  ".join(cells).rstrip())


def told_of(kind: Kind) -> Told:
    why_not = kind.not_in_practice
    return Told(kind.name, _verbs(kind), kind.identity, _meters(kind), switch_of(kind), not why_not, why_not)


def _verbs(kind: Kind) -> list[str]:
    """Those that it does: what it leaves to the base class raises, or (configure) has nothing to set."""
    has = {name: getattr(type(kind), verb) is not getattr(Kind, verb) for name, verb in VERBS.items()}
    return [name for name in VERBS if has[name] and (name != "create" or kind.can_create)]


def _meters(kind: Kind) -> list[str]:
    """Of it as the labs want it, and as nobody gives any params: what it would be billed for when it runs."""
    if kind.is_free:
        return ["free"]
    found: dict[str, None] = {}
    for lab in catalog.all_labs():
        params = {want.key: want.params for want in lab.wants}
        for want in lab.wants:
            if want.kind == kind.name:
                parents = {key: params[key] for key in want.needs}
                found |= dict.fromkeys(_lines(kind, Want(want.key, want.kind, want.params, parents=parents)))
    return list(found or dict.fromkeys(_lines(kind, Want("", kind.name)))) or [AS_FOUND]


def _lines(kind: Kind, want: Want) -> list[str]:
    try:
        return [_line(meter) for meter in kind.meters(kind.would_be(want))]
    except (KeyError, TypeError, ValueError):
        return []  # its size is what tells, and it is not known before one is seen


def _line(meter: Meter) -> str:
    return f"{meter.service} {meter.kind} {meter.sku}, per {meter.unit}"


def switch_of(kind: Kind) -> Switch:
    """As deadman.py would set it: for a NAME before there is anything, else once AWS gave it an id."""
    call = kind.off_call(Want("", kind.name, name="its-name", aws_id="its-id"))
    if call is None:
        why_not = kind.no_off_call or "nothing of it is billed by the hour"
        return Switch(native_cap=kind.native_cap, why_not=why_not)
    when = "before its create" if kind.identity == NAME and kind.can_create else "as soon as it has an id"
    return Switch(f"{call.service}:{call.action}", when, kind.native_cap)
