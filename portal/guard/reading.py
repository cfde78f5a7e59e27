"""What there is to read in a file, whatever its name says: text, notebooks, PDFs and archives, within limits.

A file that is several things at once is read as each of them. What cannot be read raises Unreadable, in words: nobody
may say "nothing was found" of it.
"""

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MOST_BYTES = 50 * 2**20  # of everything that one file unpacks to
MOST_MEMBERS = 2_000
MOST_DEPTH = 3
MOST_PAGES = 500
CODE_ENDINGS = ("py", "ipynb", "js", "ts", "r", "java", "scala", "go", "rb", "php", "c", "cpp", "cs", "kt", "jl", "sql")


class Unreadable(Exception):
    """Why something could not be looked through, in words that follow "because"."""


@dataclass
class Budget:
    """What one file may still cost."""

    bytes: int = MOST_BYTES
    members: int = MOST_MEMBERS
    trouble: list[str] = field(default_factory=list)

    def spend(self, number: int) -> None:
        self.bytes -= number
        if self.bytes < 0:
            raise Unreadable(f"it unpacks to more than {MOST_BYTES // 2**20} MB")

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise Unreadable(f"it holds more than {MOST_MEMBERS:,} files")


@dataclass(frozen=True)
class Piece:
    """A stretch of text and where it stands: `path` within archives, then a cell, an output or a page."""

    text: str
    path: tuple[str, ...] = ()
    part: str = ""  # "cell 4", "cell 4, output", "page 2"
    is_code: bool = False
    only_precise: bool = False
    is_again: bool = False  # what was read before, read in another way


def pieces(data: bytes, name: str, budget: Budget, path: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Every Piece of the file. What could not be read is told in `budget.trouble`; other pieces still come."""
    for reader in (_plain, _pdf, _zip, _packed):
        try:
            yield from reader(data, name, budget, path)
        except Unreadable as why:
            budget.trouble.append(": ".join([*path, str(why)]))
        except RecursionError:
            budget.trouble.append(": ".join([*path, "it is nested too deep"]))


# --- text and notebooks --------------------------------------------------------------------------------------


def decoded(data: bytes) -> str:
    """The bytes as text. UTF-16 as PowerShell writes it too; other bytes stay readable where they are ASCII."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    sample = data[:4096]
    if sample and sample.count(0) * 5 > len(sample) * 2:
        for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
            if zeros.count(0) * 10 > len(zeros) * 8:
                return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def is_text(data: bytes) -> bool:
    return b"\x00" not in data[:65536] or data[:2] in (b"\xff\xfe", b"\xfe\xff")


def _plain(data: bytes, name: str, budget: Budget, path: tuple[str, ...]) -> Iterator[Piece]:
    budget.spend(len(data))
    text = decoded(data)
    notebook = as_notebook(text)
    if notebook is not None:
        yield from _notebook(notebook, path)
        return
    is_code = name.rpartition(".")[2].lower() in CODE_ENDINGS
    # Of a picture, a model or a PDF's inside, no word means anything; a key of AWS still does.
    is_binary = data[:5] == b"%PDF-" or data[:4] == b"PK\x03\x04" or not (is_text(data) or text.isprintable())
    yield Piece(text, path, is_code=is_code, only_precise=is_binary)
    if not is_binary and text.lstrip()[:1] in ("{", "["):
        # As JSON its strings have escapes (\n, \u0041): they are read as what they stand for, too.
        parsed = _json(text)
        if parsed is not None:
            yield Piece("\n".join(_strings(parsed)), path, part="its strings", only_precise=True, is_again=True)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _strings(value: object) -> Iterator[str]:
    """Every string within, with its name before it, so that `secret` still stands beside its value."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, str):
            yield f"{name} = {one}" if name else one
        elif isinstance(one, dict):
            waiting.extend((str(key), inner) for key, inner in one.items())
        elif isinstance(one, list):
            waiting.extend((name, inner) for inner in one)


def as_notebook(text: str) -> dict | None:
    """The notebook that this text is, cells in one list whatever its version; None when it is none."""
    if '"cells"' not in text and '"worksheets"' not in text:
        return None
    found = _json(text.lstrip("\ufeff"))
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("worksheets"), list):
        sheets = [one for one in found["worksheets"] if isinstance(one, dict)]
        cells = [cell for sheet in sheets for cell in sheet.get("cells", []) if isinstance(sheet.get("cells"), list)]
        found = {**found, "cells": cells}
    return found if isinstance(found.get("cells"), list) else None


def joined(value: object) -> str:
    """A notebook's multi-line string: a string, or a list of them."""
    if isinstance(value, list):
        return "".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else ""


def _notebook(notebook: dict, path: tuple[str, ...]) -> Iterator[Piece]:
    for n, cell in enumerate(notebook["cells"], start=1):
        if not isinstance(cell, dict):
            continue
        is_code = cell.get("cell_type") == "code"
        yield Piece(joined(cell.get("source", cell.get("input"))), path, f"cell {n}", is_code=is_code)
        for output in cell.get("outputs") or []:
            if isinstance(output, dict):
                for text, only_precise in output_texts(output):
                    yield Piece(text, path, f"cell {n}, output", is_code=True, only_precise=only_precise)
        rest = {key: cell[key] for key in ("metadata", "attachments") if cell.get(key)}
        if rest:
            yield Piece("\n".join(_strings(rest)), path, f"cell {n}, its metadata", only_precise=True)
    rest = {key: value for key, value in notebook.items() if key not in ("cells", "worksheets")}
    yield Piece("\n".join(_strings(rest)), path, "the notebook's metadata", only_precise=True)


def output_texts(output: dict) -> Iterator[tuple[str, bool]]:
    """(text, only_precise) of everything in an output but pictures."""
    for key in ("text", "evalue"):
        yield joined(output.get(key)), False
    yield (
        joined(output.get("traceback"))
        if isinstance(output.get("traceback"), str)
        else "\n".join(one for one in output.get("traceback") or [] if isinstance(one, str)),
        False,
    )
    bundle = output.get("data") if isinstance(output.get("data"), dict) else {}
    for kind, value in bundle.items():
        if kind.startswith("image/") and kind != "image/svg+xml":
            continue
        by_program = kind == "application/javascript" or kind.startswith("application/vnd.")
        text = joined(value) if isinstance(value, str | list) and kind != "application/json" else ""
        yield text or "\n".join(_strings(value)), by_program
    known = {"text", "evalue", "traceback", "data", "output_type", "name", "execution_count", "png", "jpeg"}
    yield "\n".join(_strings({key: value for key, value in output.items() if key not in known})), True


# --- PDF -----------------------------------------------------------------------------------------------------


def _pdf(data: bytes, name: str, budget: Budget, path: tuple[str, ...]) -> Iterator[Piece]:
    if b"%PDF-" not in data[:1024]:
        return
    import pypdf  # slow to import, and most files are none

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF is locked by a password")
        pages = len(reader.pages)
        if pages > MOST_PAGES:
            raise Unreadable(f"the PDF has more than {MOST_PAGES} pages")
        for n, page in enumerate(reader.pages, start=1):
            text = "\n".join([page.extract_text() or "", *_notes(page)])
            budget.spend(len(text))
            yield Piece(text, path, f"page {n}")
            # A long key is broken at the end of a line.
            yield Piece(re.sub(r"\s*\n\s*", "", text), path, f"page {n}", only_precise=True, is_again=True)
        yield Piece("\n".join(_strings(dict(reader.metadata or {}))), path, "the PDF's properties", only_precise=True)
        attached = [(title, inner) for title, bodies in reader.attachments.items() for inner in bodies]
    except Unreadable:
        raise
    except MemoryError:
        raise
    except Exception as wrong:  # pypdf raises whatever a broken file leads to
        raise Unreadable("the PDF is broken") from wrong
    yield from _members(attached, budget, path)


def _notes(page) -> Iterator[str]:
    """Comments, form fields and links of a page."""
    for one in page.get("/Annots") or []:
        note = one.get_object()
        for key in ("/Contents", "/V"):
            if isinstance(note.get(key), str):
                yield note[key]
        action = note.get("/A")
        if action is not None and isinstance(action.get_object().get("/URI"), str):
            yield action.get_object()["/URI"]


# --- archives ------------------------------------------------------------------------------------------------


def _members(found: Iterable[tuple[str, bytes]], budget: Budget, path: tuple[str, ...]) -> Iterator[Piece]:
    for name, inner in found:
        budget.member()
        if len(path) >= MOST_DEPTH:
            raise Unreadable(f"archives lie {MOST_DEPTH} deep in one another")
        yield from pieces(inner, name, budget, (*path, shown(name)))


def shown(name: str) -> str:
    """A member's name as a page may say it: what is not printable is not, and it ends."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return clean if len(clean) <= 120 else clean[:117] + "..."


BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(ValueError, NotImplementedError, RuntimeError),
)


def _zip(data: bytes, name: str, budget: Budget, path: tuple[str, ...]) -> Iterator[Piece]:
    if b"PK\x05\x06" not in data[-66_000:]:
        if data[:4] == b"PK\x03\x04":
            raise Unreadable("the archive is cut off or broken")
        return
    try:
        yield from _members(zip_members(data, budget), budget, path)
    except BROKEN_ZIP as wrong:
        raise Unreadable("the archive is broken, or packed in a way that we cannot read") from wrong


def zip_members(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every file of an archive. Raises Unreadable, and zipfile's own errors."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if len(infos) > budget.members:
            raise Unreadable(f"it holds more than {MOST_MEMBERS:,} files")
        for info in infos:
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise Unreadable("the archive is locked by a password")
            with archive.open(info) as member:
                # What its head says of its size may be a lie: we count what comes.
                inner = member.read(budget.bytes + 1)
            budget.spend(len(inner))
            yield info.filename, inner


def _packed(data: bytes, name: str, budget: Budget, path: tuple[str, ...]) -> Iterator[Piece]:
    """gzip, bzip2 and xz, and tar within or without."""
    packers = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ": lzma.LZMAFile}
    packer = next((one for magic, one in packers.items() if data.startswith(magic)), None)
    if packer is not None:
        try:
            with packer(io.BytesIO(data)) as packed:
                inner = packed.read(budget.bytes + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as wrong:
            raise Unreadable("the archive is broken") from wrong
        budget.spend(len(inner))
        base = name.rpartition("/")[2]
        yield from _members([(re.sub(r"\.(gz|bz2|xz)$", "", base), inner)], budget, path[:-1] if path else path)
    elif data[257:262] == b"ustar":
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                yield from _members(_tar_members(archive, budget), budget, path)
        except (tarfile.TarError, OSError, EOFError, ValueError) as wrong:
            raise Unreadable("the archive is broken") from wrong


def _tar_members(archive: tarfile.TarFile, budget: Budget) -> Iterator[tuple[str, bytes]]:
    for one in archive:
        held = archive.extractfile(one) if one.isfile() else None
        if held is not None:
            inner = held.read(budget.bytes + 1)
            budget.spend(len(inner))
            yield one.name, inner
