"""Whether a clean version is the held one with its credentials cut out, and nothing else. Pure, and strict: when in
doubt it is not.

What may stand instead of a credential is one of few words or one sort of mask, the same in the whole file: so nobody
who planted false keys before the deadline can write anything in their places after it.
"""

import enum
import json
import re
from collections.abc import Iterator

from portal.guard import patterns
from portal.guard.reading import BROKEN_ZIP, CODE_ENDINGS, Budget, Unreadable, as_notebook, decoded, joined, zip_members

MASK = re.compile(
    r"[<\[({]{0,2}(?:(?:(?:your|my|the)[ _-])?"
    r"(?:redacted|removed|hidden|deleted|masked|secret|key|token|password)"
    r"(?:[ _-]here)?|([*xX•.…#_-])\1{0,59}|)[>\])}]{0,2}",
    re.I,
)
LONGEST_MASK = 64
# A line that says nothing but the credential and its name may go whole.
LABEL = re.compile(
    r"(?:aws|access|key|id|secret|session|token|password|passwd|pwd|export|set|env|os|environ|default|api|user|name|"
    r"boto3|credentials?|[\s\W_])*",
    re.I,
)


class Verdict(enum.Enum):
    SAME = "the same but for its credentials"
    OTHER = "something else was changed too"
    CANNOT_TELL = "of this type nobody can tell by machine"


def compared(before: bytes | None, after: bytes | None, name: str) -> Verdict:
    """before, after: the bytes of one file in two versions; None where it is not there."""
    if before == after:
        return Verdict.SAME
    if before is None:
        return Verdict.OTHER
    if b"%PDF-" in before[:1024]:
        # A PDF that is made again differs in every byte, and drawings cannot be compared by their text.
        return Verdict.CANNOT_TELL
    try:
        same = _same(before, after or b"", name, depth=0)
    except (Unreadable, RecursionError, *BROKEN_ZIP):
        same = False
    return Verdict.SAME if same else Verdict.OTHER


def _same(before: bytes, after: bytes, name: str, depth: int) -> bool:
    if before == after:
        return True
    if before[:4] == b"PK\x03\x04":
        return depth < 3 and _same_members(before, after, depth)
    old, new = decoded(before), decoded(after)
    notebook = as_notebook(old)
    if notebook is not None:
        other = as_notebook(new)
        return other is not None and same_notebook(notebook, other)
    if b"\x00" in before or b"\x00" in after:
        return False
    return same_text(old, new, is_code=name.rpartition(".")[2].lower() in CODE_ENDINGS)


def _same_members(before: bytes, after: bytes, depth: int) -> bool:
    old = list(zip_members(before, Budget()))
    new = dict(zip_members(after, Budget())) if after[:4] == b"PK\x03\x04" else {}
    names = [name for name, _ in old]
    if len(set(names)) != len(names) or not set(new) <= set(names):
        return False
    return all(_same(inner, new.get(name, b""), name, depth + 1) for name, inner in old)


# --- text ----------------------------------------------------------------------------------------------------


def same_text(before: str, after: str, *, is_code: bool = False) -> bool:
    """Whether `after` is `before` with each credential cut out or masked. Line ends do not count."""
    before, after = (text.replace("\r\n", "\n").rstrip("\n") + "\n" for text in (before, after))
    if before == after:
        return True
    at, masks = 0, set()
    for line, holes in _lines(before, patterns.credentials(before, is_code=is_code)):
        end = _matched(line, holes, after, at, masks)
        if end is not None:
            at = end
        elif not (holes and _is_only_label(line, holes)):
            return False
    return not after[at:].strip("\n") and len(masks) <= 1


def _lines(text: str, hits: list[patterns.Hit]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """(lines, holes in them): a line each, or as many as a credential spans."""
    start, waiting = 0, list(hits)
    while start < len(text):
        end = text.index("\n", start) + 1
        holes = []
        while waiting and waiting[0].start < end:
            hit = waiting.pop(0)
            holes.append((hit.start - start, hit.end - start))
            if hit.end > end:
                end = (text.find("\n", hit.end - 1) + 1) or len(text)
        yield text[start:end], holes
        start = end


def _matched(line: str, holes: list[tuple[int, int]], after: str, at: int, masks: set[str]) -> int | None:
    """Where the line ends in `after`, if it stands there at `at`, its holes masked; the masks are added. Else None."""
    bounds = [0, *(edge for hole in holes for edge in hole), len(line)]
    kept = [line[bounds[n] : bounds[n + 1]] for n in range(0, len(bounds), 2)]
    if not after.startswith(kept[0], at):
        return None
    at, used = at + len(kept[0]), set()
    for text in kept[1:]:
        found = next(
            (
                width
                for width in range(LONGEST_MASK + 1)
                if after.startswith(text, at + width) and MASK.fullmatch(after[at : at + width])
            ),
            None,
        )
        if found is None:
            return None
        used.add(after[at : at + found])
        at += found + len(text)
    masks |= used - {""}
    return at


def _is_only_label(line: str, holes: list[tuple[int, int]]) -> bool:
    for start, end in reversed(holes):
        line = line[:start] + line[end:]
    return len(line) <= 120 and LABEL.fullmatch(line) is not None


# --- notebooks -----------------------------------------------------------------------------------------------

# What a program writes anew when it saves: no page of ours shows it.
REWRITTEN = {"id", "execution_count", "kernelspec", "language_info", "nbformat_minor", "execution", "ExecuteTime"}


def same_notebook(before: dict, after: dict) -> bool:
    """Cell by cell. The outputs of a cell whose output held a credential may be gone whole."""
    old, new = before["cells"], after["cells"]
    if len(old) != len(new) or _rest(before, {"cells"}) != _rest(after, {"cells"}):
        return False
    return all(
        isinstance(one, dict) and isinstance(other, dict) and _same_cell(one, other)
        for one, other in zip(old, new, strict=True)
    )


def _rest(value: dict, without: set[str]) -> str:
    kept = {
        key: {k: v for k, v in inner.items() if k not in REWRITTEN} if isinstance(inner, dict) else inner
        for key, inner in value.items()
        if key not in without | REWRITTEN
    }
    return json.dumps(kept, sort_keys=True)


def _same_cell(before: dict, after: dict) -> bool:
    if _rest(before, {"source", "outputs"}) != _rest(after, {"source", "outputs"}):
        return False
    is_code = before.get("cell_type") == "code"
    if not same_text(joined(before.get("source")), joined(after.get("source")), is_code=is_code):
        return False
    old, new = before.get("outputs") or [], after.get("outputs") or []
    if not new:
        return not old or any(_holds(text) for text in _texts(old))
    return len(old) == len(new) and all(_same_output(one, other) for one, other in zip(old, new, strict=True))


def _holds(text: str) -> bool:
    return bool(patterns.credentials(text, is_code=True))


def _texts(value: object) -> Iterator[str]:
    """Every text within; a list of strings is one text in lines."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        yield "".join(value)
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _same_output(before: object, after: object) -> bool:
    """The same shape, and in each place the same text but for credentials."""
    if isinstance(before, dict):
        if not isinstance(after, dict):
            return False
        old, new = ({k: v for k, v in one.items() if k not in REWRITTEN} for one in (before, after))
        return old.keys() == new.keys() and all(_same_output(value, new[key]) for key, value in old.items())
    if _is_text(before) and _is_text(after):
        return same_text(joined(before), joined(after), is_code=True)
    if isinstance(before, list):
        return (
            isinstance(after, list)
            and len(before) == len(after)
            and all(_same_output(one, other) for one, other in zip(before, after, strict=True))
        )
    return type(before) is type(after) and before == after


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
