"""Files that want to harm: made here, by seed of nobody, small on disk and large in what they ask for."""

import base64
import io
import json
import struct
import zipfile
import zlib

from portal.tests.guard.corpus import pdf, zipped

SCRIPT = "<script>document.title='it ran'</script>"
HANDLERS = (
    '<img src=x onerror="document.title=\'it ran\'"><svg/onload=document.title=1><a href="javascript:alert(1)">x</a>'
)
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1">{SCRIPT}</svg>'


def _notebook(*cells):
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _code(source, **bundle):
    outputs = [{"output_type": "display_data", "metadata": {}, "data": bundle}] if bundle else []
    return {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": source, "outputs": outputs}


def _png(after=b""):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\x00")) + chunk(b"IEND", b"") + after


def _bomb(megabytes):
    held = io.BytesIO()
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros.txt", "w", force_zip64=True) as one,
    ):
        for _ in range(megabytes):
            one.write(b"0" * 2**20)
    return held.getvalue()


def _quine():
    """Archives in archives, ten wide and six deep: a million files for whoever opens them all."""
    content = zipped({"0.txt": b"0" * 100_000})
    for _ in range(5):
        content = zipped({f"{n}.zip": content for n in range(10)})
    return content


def _lying():
    """An archive whose head says that its file has 10 bytes."""
    content = bytearray(zipped({"a.txt": b"0" * 5_000_000}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + offset
        content[at : at + 4] = struct.pack("<I", 10)
    return bytes(content)


def _pdf_with_script():
    return pdf([["A report"]], compress=False).replace(
        b"/Type /Catalog", b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Type /Catalog"
    )


def _pdf_bomb():
    """Sixty megabytes of text operators in some kilobytes."""
    body = zlib.compress(zlib.compress(b"(0) Tj " * 9_000_000))
    filters = b"/Filter [/FlateDecode /FlateDecode]"
    one = (
        b"4 0 obj << /Length "
        + str(len(body)).encode()
        + b" "
        + filters
        + b" >> stream\n"
        + body
        + b"\nendstream endobj\n"
    )
    return (
        b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n"
        b"2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n"
        b"3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >> endobj\n"
        + one
        + b"trailer << /Root 1 0 R >>\n%%EOF"
    )


def _pdf_round():
    """Pages that are their own parents."""
    return (
        b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n"
        b"2 0 obj << /Type /Pages /Kids [2 0 R 2 0 R] /Count 99999999 >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF"
    )


# name: (content, a part of what the student is told when it is not taken ("" when it is), whether it is held back)
CORPUS = {
    "script.md": (f"# Hello\n\n{SCRIPT}\n\n{HANDLERS}\n".encode(), "", False),
    "links.md": (
        b"[a](javascript:alert(1)) ![b](data:text/html;base64,PHNjcmlwdD4=) <iframe src=//evil.example>",
        "",
        False,
    ),
    "<img src=x onerror=alert(1)>.md": (b"a name", "", False),
    "../../../etc/passwd.md": (b"a path", "", False),
    "..\\..\\windows\\win.md": (b"a path", "", False),
    "a\r\nSet-Cookie: x=1.md": (b"a header", "", False),
    "right-\u202etxt.md": (b"turned around", "", False),
    "n" * 300 + ".md": (b"a long name", "", False),
    "drawing.svg": (SVG.encode(), "not of a type", False),
    "page.html": (SCRIPT.encode(), "not of a type", False),
    "drawing.png": (SVG.encode(), "not a PNG picture inside", False),
    "page.pdf": (f"<html>{SCRIPT}</html>".encode(), "not a PDF inside", False),
    "program.zip": (b"MZ\x90\x00" + b"\x00" * 99, "not a ZIP archive inside", False),
    "half.md": (b"\xff\xfe\xfa broken \xc3", "not text in UTF-8 inside", False),
    "nul.md": (b"a\x00b", "not text in UTF-8 inside", False),
    "empty.md": (b"", "empty (0 bytes)", False),
    "surrogate.ipynb": (b'{"cells": [{"cell_type": "markdown", "source": "\\ud800\\udfff \\ud800"}]}', "", False),
    "deep.ipynb": (b'{"cells": [' + b"[" * 60_000 + b"]" * 60_000 + b"]}", "not a Jupyter notebook inside", False),
    "cells.ipynb": (_notebook(*[{"cell_type": "markdown", "source": "x"}] * 20_000), "", False),
    "script.ipynb": (
        _notebook(
            {"cell_type": "markdown", "source": SCRIPT + HANDLERS, "attachments": {SCRIPT: {"image/png": "x"}}},
            _code(f"print('''{SCRIPT}''')", **{"text/html": SCRIPT + HANDLERS, "text/plain": SCRIPT}),
            _code("svg", **{"image/svg+xml": SVG, "text/plain": "svg"}),
            _code("js", **{"application/javascript": "document.title=1", "text/plain": "js"}),
            _code("png", **{"image/png": base64.b64encode(SVG.encode()).decode(), "text/plain": "png"}),
            _code("png", **{"image/png": base64.b64encode(_png(SCRIPT.encode())).decode(), "text/plain": "png"}),
            _code("tex", **{"text/latex": "$\\href{javascript:alert(1)}{x}$", "text/plain": "tex"}),
            {"cell_type": SCRIPT, "source": SCRIPT, "metadata": {"x": SCRIPT}},
        ),
        "",
        False,
    ),
    "two-things.png": (_png(SCRIPT.encode() + zipped({"x.html": SCRIPT.encode()})), "", False),
    "two-things.pdf": (b"%PDF-1.7\n" + SCRIPT.encode() + zipped({"a.html": SCRIPT.encode()}), "", True),
    "script.pdf": (_pdf_with_script(), "", False),
    "bomb.pdf": (_pdf_bomb(), "", True),
    "round.pdf": (_pdf_round(), "", True),
    "bomb.zip": (_bomb(200), "", True),
    "quine.zip": (_quine(), "", True),
    "lying.zip": (_lying(), "", True),
    "cut.zip": (zipped({"a.txt": b"0" * 9_000})[:-30], "", True),
    "names.zip": (zipped({"../../../etc/cron.d/x": b"x", "/abs": b"x", "C:\\x": b"x", "\u202e": b"x"}), "", False),
}
