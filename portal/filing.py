"""Bytes from people, to disk and back: judged by their content, kept under names of ours, never lost by a power cut.

`MEDIA_ROOT/work/<cohort's scope>/<student>/<random>` holds what is handed in. A path is written once and never again.
"""

import codecs
import hashlib
import json
import unicodedata
from dataclasses import dataclass

import puremagic
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import keeping
from labs.keeping import in_words

MAGIC_BYTES = 4096


class Refused(Exception):
    """Why this is not taken, and what to do, in words for the person who sent it. Nothing of theirs was changed."""


def shown_name(name):
    """What a person called their file, fit to be shown: no folders, no control characters, at most 120 characters.

    The name is shown and sent back as it is, `<script>` and all; it never becomes a path.
    """
    name = str(name or "").replace("\\", "/").rpartition("/")[2]
    name = name.encode("utf-8", "replace").decode("utf-8", "replace")
    name = unicodedata.normalize("NFC", name)
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")).strip()
    stem, dot, ending = name.rpartition(".")
    if len(name) > 120:
        name = f"{stem[: 119 - len(ending)]}{dot}{ending}" if dot and len(ending) < 20 else name[:120]
    return name if name.strip(". ") else "file"


def ending_of(name):
    return name.rpartition(".")[2].lower() if "." in name else ""


# --- what a file is ------------------------------------------------------------------------------------------


def _is_text(upload):
    """UTF-8 without control characters that no text has. Reads the whole file, a piece at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    upload.seek(0)
    try:
        for piece in iter(lambda: upload.read(256 * 1024), b""):
            if "\x00" in decoder.decode(piece):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_json(upload):
    upload.seek(0)
    try:
        json.loads(upload.read().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _is_notebook(upload):
    upload.seek(0)
    try:
        notebook = json.loads(upload.read().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(notebook, dict) and isinstance(notebook.get("cells", notebook.get("worksheets")), list)


def _magic(*types):
    def judge(upload):
        upload.seek(0)
        try:
            found = puremagic.magic_string(upload.read(MAGIC_BYTES))
        except (puremagic.PureError, ValueError):
            return False
        return any(guess.mime_type in types for guess in found)

    return judge


@dataclass(frozen=True)
class FileType:
    is_another: str  # what is said of a file that is something else inside
    content_type: str
    judge: object  # (open file) -> bool, by content


TEXT = FileType(
    gettext_lazy("%(name)s is not text in UTF-8 inside, whatever its name says. Export it again."),
    "text/plain; charset=utf-8",
    _is_text,
)
PNG = FileType(
    gettext_lazy("%(name)s is not a PNG picture inside, whatever its name says. Export it again."),
    "image/png",
    _magic("image/png"),
)
JPEG = FileType(
    gettext_lazy("%(name)s is not a JPEG picture inside, whatever its name says. Export it again."),
    "image/jpeg",
    _magic("image/jpeg", "image/jpg"),
)
# Every type that an assignment may allow, by the ending of the name.
TYPES = {
    "pdf": FileType(
        gettext_lazy("%(name)s is not a PDF inside, whatever its name says. Export it again."),
        "application/pdf",
        _magic("application/pdf"),
    ),
    "ipynb": FileType(
        gettext_lazy("%(name)s is not a Jupyter notebook inside, whatever its name says. Export it again."),
        "application/x-ipynb+json",
        _is_notebook,
    ),
    "md": TEXT,
    "txt": TEXT,
    "csv": TEXT,
    "py": TEXT,
    "yaml": TEXT,
    "yml": TEXT,
    "json": FileType(
        gettext_lazy("%(name)s is not JSON inside, whatever its name says. Export it again."),
        "application/json",
        _is_json,
    ),
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "zip": FileType(
        gettext_lazy("%(name)s is not a ZIP archive inside, whatever its name says. Export it again."),
        "application/zip",
        _magic("application/zip", "application/x-zip-compressed"),
    ),
}


def judge(upload, name, *, allowed, max_bytes):
    """The FileType of an uploaded file. Raises Refused: too big, empty, of no allowed type, not what its name says."""
    kind = judge_outside(name, upload.size, allowed, max_bytes)
    if not kind.judge(upload):
        raise Refused(kind.is_another % {"name": name})
    return kind


def judge_outside(name, size, allowed, max_bytes):
    """The FileType that a file says to be, by name and size alone, before its bytes are here. Raises Refused."""
    if size > max_bytes:
        raise Refused(
            _("%(name)s is %(size)s: files may have up to %(most)s.")
            % {"name": name, "size": in_words(size), "most": in_words(max_bytes)}
        )
    if size <= 0:
        raise Refused(
            _("%(name)s is empty (0 bytes): nothing of it arrived. Save it again on your computer, then add it.")
            % {"name": name}
        )
    ending = ending_of(name)
    kinds = ", ".join(f".{one}" for one in allowed if one in TYPES)
    if ending not in allowed or ending not in TYPES:
        raise Refused(
            _("%(name)s is not of a type that this case study takes: %(kinds)s.") % {"name": name, "kinds": kinds}
        )
    return TYPES[ending]


# --- to disk -------------------------------------------------------------------------------------------------


def folder_of(cohort, student):
    """Where, under MEDIA_ROOT/work, what this student hands in is kept."""
    return f"{cohort.scope}/{student.pk}"


def store(upload, folder):
    """Write the bytes under MEDIA_ROOT/work/`folder`, and return only when they would survive a power cut.

    `folder` is of our making. Raises OSError when the disk cannot.
    """
    upload.seek(0)
    return keeping.store(iter(lambda: upload.read(1024 * 1024), b""), f"work/{folder}")


def is_whole(stored):
    """Whether the bytes on disk are those that were hashed when they came (path, size, sha256)."""
    digest = hashlib.sha256()
    try:
        with open(on_disk(stored.path), "rb") as held:
            while piece := held.read(1024 * 1024):
                digest.update(piece)
            return held.tell() == stored.size and digest.hexdigest() == stored.sha256
    except (OSError, Refused):
        return False


def on_disk(path, *, within="work"):
    """The file of a stored path. Raises Refused for a path that leads out of MEDIA_ROOT/`within`."""
    try:
        return keeping.place_of(path, within=within)
    except keeping.OutOfPlace as out:
        raise Refused(str(out)) from out


def discard(path):
    """Remove bytes that no row names any more. It does not matter when they are gone already."""
    on_disk(path).unlink(missing_ok=True)
