"""What was handed in, as a reviewer and its student read it: parts (the answer, each file) and their passages.

`passages` is the one way to a file's content on a page. A passage has a place that a remark can be anchored to: p-3 of
a text, cell-4 of a notebook, page-2 of a PDF.
"""

import json
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal import filing, holding, pdf_pages, prose
from portal.anchors import tidy

READ = 2 * 1024 * 1024  # bytes of a text that are shown; the rest is in the download
NOTEBOOK = 32 * 1024 * 1024  # bytes of a notebook that are read: its pictures lie in it, and are not shown
SOURCE = 20_000  # characters of one cell
OUTPUT = 4_000  # characters of one cell's output
CELLS = 300


@dataclass(frozen=True)
class Part:
    """The written answer (file is None), or one file of it."""

    title: str
    file: object = None
    held: str = ""  # as portal.holding says it, for a reader who may not see what is held back

    @property
    def key(self):
        """What stands in an address: "" is the answer."""
        return str(self.file.pk) if self.file else ""

    @property
    def name(self):
        """What remarks keep: the file's name, which the next version may have too."""
        return self.file.name if self.file else ""

    @property
    def ending(self):
        return filing.ending_of(self.name) if self.file else "md"


@dataclass(frozen=True)
class Shown:
    """A passage to be shown. `place` and `text` are what portal.anchors takes."""

    place: str
    text: str
    html: SafeString
    label: str = ""  # "Cell 4", "Page 2"; a paragraph needs none


def parts_of(submission, reader):
    """Every part that there is, the answer first. Nothing is read. What portal.holding holds back is held in them,
    except for its owner. Two queries."""
    files = holding.mark(submission.files.all(), submission)
    is_owner = reader.pk == submission.student_id
    answer = [Part(_("Answer"), held="" if is_owner else submission.held)] if submission.answer_md else []
    return [*answer, *(Part(file.name, file, "" if is_owner else file.held) for file in files)] or [Part(_("Answer"))]


def same_part(name, parts):
    """The part of another version that a remark on `name` belongs to: of that name, else the only one of its kind."""
    named = [part for part in parts if part.name == name]
    if named or not name:
        return named[0] if named else None
    alike = [part for part in parts if part.file and part.ending == filing.ending_of(name)]
    return alike[0] if len(alike) == 1 else None


def passages(submission, part):
    """[Shown] of a part. Empty for what is held back, and for what cannot be shown (a picture, an archive, a damaged
    file): that is a download."""
    if part.held:
        return []
    if part.file is None:
        return _markdown(submission.answer_md)
    read = READERS.get(part.ending)
    if read is None:
        return []
    try:
        return read(part.file)
    except (OSError, ValueError, RecursionError, filing.Refused):
        return []


# --- one reader for each type of file ------------------------------------------------------------------------


def _markdown(text):
    found = prose.blocks(text, 3)
    return [Shown(f"p-{n}", words, mark_safe(html)) for n, (words, html) in enumerate(found, 1)]  # noqa: S308  sanitised


def _text(file, most=READ):
    with open(filing.on_disk(file.path), "rb") as held:
        return held.read(most).decode("utf-8-sig", "replace")


def _lines(file):
    """Plain text and code: a passage is what stands between empty lines."""
    blocks = [block for block in _text(file).replace("\r\n", "\n").split("\n\n") if block.strip()]
    return [Shown(f"p-{n}", tidy(block), _code(block)) for n, block in enumerate(blocks, 1)]


def _code(text):
    # It may scroll sideways, so the keyboard must reach it.
    return format_html('<pre tabindex="0"><code>{}</code></pre>', text)


def _notebook(file):
    cells = json.loads(_text(file, NOTEBOOK)).get("cells") or []
    return [_cell(n, cell) for n, cell in enumerate(cells[:CELLS], 1) if isinstance(cell, dict)]


def _cell(number, cell):
    source, place = _joined(cell.get("source"))[:SOURCE], f"cell-{number}"
    if cell.get("cell_type") == "markdown":
        return Shown(place, tidy(source), mark_safe(prose.render(source, 3)), _("Cell %(n)s") % {"n": number})  # noqa: S308  sanitised
    outputs = [text for text in map(_output, cell.get("outputs") or []) if text]
    if cell.get("cell_type") == "code":
        html = mark_safe(prose.render(_fenced(source), 3))  # noqa: S308  sanitised
    else:
        html = _code(source)
    said = "".join(f'<pre class="border-start ps-3" tabindex="0"><code>{escape(text)}</code></pre>' for text in outputs)
    return Shown(place, tidy(source), html + mark_safe(said), _("Cell %(n)s") % {"n": number})  # noqa: S308  escaped above


def _fenced(source):
    fence = "```"
    while fence in source:
        fence += "`"
    return f"{fence}python\n{source}\n{fence}"


def _output(output):
    """The words of an output; of a picture or a page that there is one in the file."""
    if not isinstance(output, dict):
        return ""
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"[:OUTPUT]
    held = output.get("data") if isinstance(output.get("data"), dict) else {}
    text = _joined(output.get("text") or held.get("text/plain"))
    other = [kind for kind in held if kind.startswith("image/")]
    return text[:OUTPUT] + ("\n" + _("(a picture: it is in the file)") if other else "")


def _joined(text):
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _pdf(file):
    # By its bytes: what is in it never changes. A process a look would make the desk slow.
    key = f"pdf-pages-{file.sha256}"
    pages = cache.get(key)
    if pages is None:
        try:
            pages = pdf_pages.pages_of(filing.on_disk(file.path))
            cache.set(key, pages, 24 * 3600)
        except pdf_pages.Unreadable:
            # One that was made to hang its reader does so once in a while, not at every look.
            pages = []
            cache.set(key, pages, 600)
    return [Shown(f"page-{n}", tidy(text), _page(text), _("Page %(n)s") % {"n": n}) for n, text in enumerate(pages, 1)]


def _page(text):
    if not text.strip():
        words = _("No text on this page: it may be a picture. It is in the file.")
        return format_html('<p class="text-secondary">{}</p>', words)
    return format_html('<pre class="text-wrap" tabindex="0"><code>{}</code></pre>', text)


READERS = {
    "md": lambda file: _markdown(_text(file)),
    **dict.fromkeys(("txt", "csv", "py", "yaml", "yml", "json"), _lines),
    "ipynb": _notebook,
    "pdf": _pdf,
}


def marked(shown, quotes):
    """The passage's HTML with each quote underlined, where it stands in one piece of text; else as it is."""
    html = shown.html
    for quote in quotes:
        wanted = str(escape(quote))
        at = html.find(wanted)
        if wanted and wanted != escape(shown.text) and at >= 0 and html.rfind("<", 0, at) <= html.rfind(">", 0, at):
            html = f"{html[:at]}<mark>{wanted}</mark>{html[at + len(wanted) :]}"
    return mark_safe(html)  # noqa: S308  the passage's own, and a tag of ours
