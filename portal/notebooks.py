"""A Jupyter notebook as parts that a page can show: sanitised, outputs kept, long ones cut. Nothing in it runs.

Its text goes through the same Markdown as everything else. Of its outputs a page gets text, tables and pictures of
known kinds; scripts, styles, forms and drawings (SVG) stay in the file. A cell has the id `cell-N`, as students count,
and each paragraph of its text `cell-N-p-M`: comments hold on to these.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import nh3
from django.utils.translation import gettext as _

from portal import colouring, prose
from portal.guard.patterns import ANSI
from portal.guard.reading import as_notebook, decoded, joined

MOST_BYTES = 12 * 2**20  # of a file that is rendered at all
FIRST_VIEW = 90_000  # characters of HTML; the frame of the page comes on top
WHOLE_VIEW = 3_000_000
MOST_CELLS = 2_000
A_CELL, AN_OUTPUT = 12_000, 4_000  # characters shown of each at first
MOST_PICTURE = 4 * 2**20  # bytes
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
TABLE_TAGS = {
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "caption",
    "p",
    "br",
    "b",
    "i",
    "em",
    "strong",
    "code",
}
TABLE_TAGS |= {"pre", "ul", "ol", "li", "sub", "sup", "span", "div", "h3", "h4", "h5", "h6"}
Address = Callable[[int, int], str]


class Unshowable(Exception):
    """Why this notebook cannot be shown here, in words for its reader. It can be downloaded all the same."""


@dataclass(frozen=True)
class Picture:
    """A picture of an output: where the browser gets it, and its size in pixels where that is known."""

    address: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Output:
    """One output as it is shown. html: sanitised, or "". is_error: a traceback. rest: characters that were cut."""

    text: str = ""
    html: str = ""
    picture: Picture | None = None
    words: str = ""  # what stands in the place of something that is not shown
    is_error: bool = False
    rest: int = 0


@dataclass(frozen=True)
class Cell:
    """kind: code, markdown or raw. html: of its text, sanitised. count: what Jupyter shows in In [ ]."""

    number: int
    kind: str
    html: str
    count: str = ""
    outputs: tuple[Output, ...] = ()
    rest: int = 0

    @property
    def anchor(self):
        return f"cell-{self.number}"


@dataclass(frozen=True)
class Notebook:
    """The cells that are shown, and how many there are in all."""

    cells: tuple[Cell, ...]
    total: int

    @property
    def left(self):
        return self.total - len(self.cells)

    @property
    def is_cut(self):
        return self.left > 0 or any(cell.rest or any(one.rest for one in cell.outputs) for cell in self.cells)


def read(content: bytes) -> dict:
    """The notebook in these bytes. Raises Unshowable."""
    if len(content) > MOST_BYTES:
        raise Unshowable(
            _("This notebook is larger than %(n)s MB, so it is not shown here. Download it.")
            % {"n": MOST_BYTES // 2**20}
        )
    try:
        found = as_notebook(decoded(content))
    except RecursionError:
        found = None
    if found is None:
        raise Unshowable(_("This is no notebook that can be read, so it is not shown here. Download it."))
    return found


def render(notebook: dict, picture_address: Address, *, whole: bool = False, top: int = 3) -> Notebook:
    """A Notebook for a page. picture_address(cell, which) is where a picture is served, cells and pictures from 1 on.

    whole: show what the first view cuts, up to WHOLE_VIEW characters. top: the level of the highest heading.
    """
    language = _language(notebook)
    left = WHOLE_VIEW if whole else FIRST_VIEW
    cells: list[Cell] = []
    for number, raw in enumerate(notebook["cells"][:MOST_CELLS], start=1):
        cell = _cell(number, raw if isinstance(raw, dict) else {}, language, picture_address, whole, top)
        left -= 300 + len(cell.html) + sum(300 + len(one.text) + len(one.html) for one in cell.outputs)
        if left < 0 and cells:
            break
        cells.append(cell)
    return Notebook(tuple(cells), len(notebook["cells"]))


def _clean(value: object) -> str:
    """A notebook's text without what no page can hold: halves of characters, NUL."""
    return joined(value).encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _language(notebook: dict) -> str:
    meta = notebook.get("metadata")
    for key in ("language_info", "kernelspec"):
        one = meta.get(key) if isinstance(meta, dict) else None
        name = one.get("name" if key == "language_info" else "language") if isinstance(one, dict) else None
        if isinstance(name, str):
            return name
    return "python"


def _cell(number: int, cell: dict, language: str, address: Address, whole: bool, top: int) -> Cell:
    source = _clean(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    shown = source if whole else source[:A_CELL]
    rest = len(source) - len(shown)
    if kind in ("markdown", "heading"):
        for which, (name, _content) in enumerate(_attachments(cell), start=1):
            shown = shown.replace(f"attachment:{name}", address(number, which))
        return Cell(number, "markdown", numbered(prose.render(shown, top), f"cell-{number}"), rest=rest)
    if kind != "code":
        return Cell(number, "raw", colouring.escaped(shown), rest=rest)
    count = cell.get("execution_count", cell.get("prompt_number"))
    outputs, which = [], len(_attachments(cell))
    for raw in cell.get("outputs") or [] if isinstance(cell.get("outputs"), list) else []:
        if isinstance(raw, dict):
            which += picture_of(raw) is not None
            outputs.append(_output(raw, lambda at=which: address(number, at), whole))
    shown_count = str(count) if isinstance(count, int) else " "
    return Cell(number, "code", colouring.coloured(shown, language), shown_count, tuple(_joined(outputs)), rest)


def _joined(outputs: Iterable[Output]) -> Iterable[Output]:
    """Without empty ones."""
    return (one for one in outputs if one.text or one.html or one.picture or one.words)


def numbered(html: str, prefix: str) -> str:
    """Sanitised HTML whose paragraphs, headings and entries have ids: prefix-p-1, prefix-p-2 ... in their order."""
    counted = iter(range(1, 100_000))
    return re.sub(r"<(p|li|h[1-6])>", lambda found: f'<{found[1]} id="{prefix}-p-{next(counted)}">', html)


def _output(raw: dict, address: Callable[[], str], whole: bool) -> Output:
    if raw.get("output_type") in ("error", "pyerr"):
        lines = raw.get("traceback")
        text = "\n".join(one for one in lines if isinstance(one, str)) if isinstance(lines, list) else ""
        return _text(text or f"{joined(raw.get('ename'))}: {joined(raw.get('evalue'))}", whole, is_error=True)
    if "text" in raw and "data" not in raw and raw.get("output_type") == "stream":
        return _text(joined(raw["text"]), whole)
    found = picture_of(raw)
    if found is not None:
        kind, content = found
        return Output(picture=Picture(address(), *_pixels(kind, content)))
    bundle = raw["data"] if isinstance(raw.get("data"), dict) else raw
    html = joined(bundle.get("text/html", bundle.get("html")))
    if html:
        table = _table(html, whole)
        if table.html:
            return table
    text = joined(bundle.get("text/plain", bundle.get("text", bundle.get("text/markdown"))))
    is_drawn = "image/svg+xml" in bundle or html or any(kind.startswith(("application/", "image/")) for kind in bundle)
    shown = _text(text, whole)
    if is_drawn and raw.get("output_type") not in ("stream",):
        words = _("A drawing or a page with a program in it is not shown here. Download the notebook to see it.")
        return Output(text=shown.text, rest=shown.rest, words=words)
    return shown


def _text(text: str, whole: bool, *, is_error: bool = False) -> Output:
    text = ANSI.sub("", _clean(text)).rstrip()
    shown = text if whole else text[:AN_OUTPUT]
    return Output(text=shown, is_error=is_error, rest=len(text) - len(shown))


def _table(html: str, whole: bool) -> Output:
    """A table, or another text with a few tags; of more than fits, and of pages with programs, "" remains."""
    clean = nh3.clean(
        _clean(html)[:MOST_BYTES],
        tags=TABLE_TAGS,
        clean_content_tags={"script", "style", "svg", "math", "template", "iframe", "object"},
        attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    ).strip()
    if not re.sub(r"<[^>]*>|\s", "", clean):
        return Output()
    if not whole and len(clean) > A_CELL:
        rows = clean[:A_CELL].rpartition("</tr>")
        cut = nh3.clean(rows[0] + rows[1], tags=TABLE_TAGS, attributes={"td": {"colspan"}, "th": {"colspan"}})
        return Output(html=cut, rest=len(clean) - len(cut)) if rows[1] else _text(re.sub(r"<[^>]*>", " ", clean), whole)
    return Output(html=clean)


# --- pictures ------------------------------------------------------------------------------------------------


def picture_of(output: dict) -> tuple[str, bytes] | None:
    """(content type, bytes) of the picture in an output, if there is one that is what it says; else None."""
    bundle = output["data"] if isinstance(output.get("data"), dict) else output
    for kind, magic in PICTURES.items():
        content = _bytes(bundle.get(kind, bundle.get(kind.partition("/")[2])))
        if content.startswith(magic) and len(content) <= MOST_PICTURE:
            return kind, content
    return None


def _bytes(value: object) -> bytes:
    text = joined(value)
    if not text or len(text) > 2 * MOST_PICTURE:
        return b""
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return b""


def _attachments(cell: dict) -> list[tuple[str, tuple[str, bytes]]]:
    """(name, picture) of what was pasted into a cell's text."""
    found = cell.get("attachments") if isinstance(cell.get("attachments"), dict) else {}
    pictures = [(name, picture_of(bundle)) for name, bundle in found.items() if isinstance(bundle, dict)]
    return [(name, picture) for name, picture in pictures if picture is not None]


def picture(notebook: dict, number: int, which: int) -> tuple[str, bytes] | None:
    """(content type, bytes) of picture `which` of cell `number`, as render() counts them; None: there is none."""
    cells = notebook["cells"]
    cell = cells[number - 1] if 1 <= number <= len(cells) else None
    if not isinstance(cell, dict):
        return None
    found = [one for _name, one in _attachments(cell)]
    outputs = cell.get("outputs") if isinstance(cell.get("outputs"), list) else []
    found += [one for raw in outputs if isinstance(raw, dict) and (one := picture_of(raw)) is not None]
    return found[which - 1] if 1 <= which <= len(found) else None


def _pixels(kind: str, content: bytes) -> tuple[int | None, int | None]:
    """Width and height of a PNG, so that the page does not jump when it comes."""
    if kind != "image/png" or len(content) < 24:
        return None, None
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return (width, height) if 0 < width < 20_000 and 0 < height < 20_000 else (None, None)
