"""The scanner: bytes and a name in, a Report out. Pure; its caller bounds time and memory (portal/guard/apart.py)."""

from dataclasses import dataclass

from portal.guard import patterns
from portal.guard.reading import Budget, Piece, pieces

MOST_FINDINGS, MOST_TROUBLE = 50, 5


@dataclass(frozen=True)
class Finding:
    """One credential: its kind, where it stands, in words ("cell 4, line 2"), and its last four characters if it is
    long enough that these give nothing away. The credential itself is nowhere in here."""

    kind: str
    where: str
    ends: str


@dataclass(frozen=True)
class Report:
    """What a look through a file came to. trouble: why parts of it could not be read, in words."""

    findings: tuple[Finding, ...] = ()
    trouble: tuple[str, ...] = ()

    @property
    def is_clean(self):
        return not self.findings and not self.trouble


def scan(data: bytes, name: str) -> Report:
    """Look through a file for credentials. Raises nothing but MemoryError."""
    budget = Budget()
    found: list[Finding] = []
    values: set[tuple[tuple[str, ...], str]] = set()
    for piece in pieces(data, name, budget):
        hits = patterns.credentials(piece.text, is_code=piece.is_code, only_precise=piece.only_precise)
        for hit in hits:
            value = (piece.path, piece.text[hit.start : hit.end])
            if not (piece.is_again and value in values):
                found.append(finding(piece, hit))
            values.add(value)
    return Report(tuple(dict.fromkeys(found))[:MOST_FINDINGS], tuple(dict.fromkeys(budget.trouble))[:MOST_TROUBLE])


def finding(piece: Piece, hit: patterns.Hit) -> Finding:
    line = piece.text.count("\n", 0, hit.start) + 1
    has_lines = not piece.part.startswith(("its ", "the ")) and not piece.part.endswith("metadata")
    is_page = piece.part.startswith("page")
    where = ", ".join(part for part in (piece.part, f"line {line}" if has_lines and not is_page else "") if part)
    inside = " in ".join(reversed(piece.path))
    value = piece.text[hit.start : hit.end].rstrip("-= \n")
    ends = value[-4:] if len(value) >= 20 and hit.kind != patterns.PRIVATE_KEY else ""
    return Finding(hit.kind, f"{inside}, {where}" if inside and where else inside or where, ends)
