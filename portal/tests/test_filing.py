"""Files from people: judged by content, kept under our own names, and whole or not at all."""

import hashlib
import io
import json
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from portal import filing
from portal.filing import Refused

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00" * 40
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 40
ZIP = b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"\x00" * 60
EXE = b"MZ\x90\x00\x03" + b"\x00" * 100
NOTEBOOK = json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()
ALL = list(filing.TYPES)
MEGABYTE = 1024 * 1024


def judged(name, content, allowed=ALL, max_bytes=MEGABYTE):
    return filing.judge(SimpleUploadedFile(name, content), name, allowed=allowed, max_bytes=max_bytes)


@pytest.mark.parametrize(
    "name, content",
    [
        ("report.pdf", PDF),
        ("REPORT.PDF", PDF),
        ("work.ipynb", NOTEBOOK),
        ("notes.md", "# မင်္ဂလာပါ".encode()),
        ("data.csv", b"a,b\r\n1,2\r\n"),
        ("with-bom.txt", b"\xef\xbb\xbfhello"),
        ("train.py", b"print('<script>')\n"),
        ("figure.png", PNG),
        ("photo.jpg", JPEG),
        ("kit.zip", ZIP),
        ("config.yaml", b"a: 1\n"),
        ("facts.json", b'{"a": 1}'),
    ],
)
def test_what_is_what_it_says_is_taken(name, content):
    assert judged(name, content).content_type


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("report.pdf", EXE, "not a PDF inside"),
        ("report.pdf", b"just words", "not a PDF inside"),
        ("work.ipynb", b'{"cells": ', "not a Jupyter notebook inside"),
        ("work.ipynb", b"[1, 2]", "not a Jupyter notebook inside"),
        ("work.ipynb", b"[" * 100_000, "not a Jupyter notebook inside"),
        ("notes.txt", PNG, "not text in UTF-8 inside"),
        ("notes.txt", b"a\x00b", "not text in UTF-8 inside"),
        ("notes.txt", b"caf\xe9", "not text in UTF-8 inside"),
        ("figure.png", JPEG, "not a PNG picture inside"),
        ("facts.json", b"{", "not JSON inside"),
        ("tool.exe", EXE, "not of a type that this case study takes: .pdf"),
        ("no-ending", PDF, "not of a type"),
        ("page.html", b"<html>", "not of a type"),
        ("report.pdf", b"", "empty (0 bytes)"),
        ("report.pdf", PDF + b"x" * MEGABYTE, "up to 1 MB"),
    ],
)
def test_what_is_not_is_refused_with_the_reason(name, content, said):
    with pytest.raises(Refused) as refusal:
        judged(name, content)
    assert said in str(refusal.value)


def test_an_assignment_takes_only_its_own_types():
    with pytest.raises(Refused, match="takes: .pdf, .ipynb"):
        judged("figure.png", PNG, allowed=["pdf", "ipynb"])


@pytest.mark.parametrize(
    "given, shown",
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\aye\\report.pdf", "report.pdf"),
        ("<script>alert(1)</script>.pdf", "script>.pdf"),
        ("<script>.pdf", "<script>.pdf"),
        ("a\x00b\r\nc.pdf", "abc.pdf"),
        ("\udcff.pdf", "?.pdf"),
        ("gpj.\u202efdp", "gpj.fdp"),
        ("..", "file"),
        ("", "file"),
        ("အဖြေ.pdf", "အဖြေ.pdf"),
    ],
)
def test_a_name_is_shown_without_folders_and_tricks(given, shown):
    assert filing.shown_name(given) == shown


@given(st.text(max_size=300))
def test_any_name_can_be_shown_and_stored(name):
    shown = filing.shown_name(name)
    assert 0 < len(shown) <= 120
    assert "/" not in shown and "\\" not in shown
    assert shown.encode("utf-8")
    assert filing.shown_name(shown) == shown


def test_a_long_name_keeps_its_ending():
    assert filing.shown_name("a" * 300 + ".ipynb").endswith("a.ipynb")


def test_stored_bytes_are_hashed_and_lie_under_a_name_of_ours(settings):
    stored = filing.store(io.BytesIO(PDF), "scope/7")
    assert stored.sha256 == hashlib.sha256(PDF).hexdigest()
    assert stored.path.startswith("work/scope/7/")
    assert (Path(settings.MEDIA_ROOT) / stored.path).read_bytes() == PDF
    assert filing.is_whole(stored)


def test_bytes_and_their_folder_are_synced_before_store_returns(monkeypatch):
    """The folder that holds the name first, while bytes still come; a long file in between; then what is left of it."""
    acts = []

    def sync(real):
        def noted(handle):
            acts.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else os.fstat(handle).st_size)
            real(handle)

        return noted

    filing.store(io.BytesIO(PDF), "scope/7")  # makes the folders
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, sync(getattr(os, name)))
    filing.store(io.BytesIO(PDF), "scope/7")
    assert acts == ["folder", len(PDF)]
    acts.clear()
    filing.store(io.BytesIO(PDF + b"x" * 3 * 1024 * 1024), "scope/7")
    assert acts == ["folder", 1024 * 1024, 2 * 1024 * 1024, 3 * 1024 * 1024, 3 * 1024 * 1024 + len(PDF)]


def test_a_disk_that_fails_leaves_nothing_half_written(settings, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    (Path(settings.MEDIA_ROOT) / "work" / "scope").mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        filing.store(io.BytesIO(PDF), "scope")
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_bytes_that_are_not_what_came_are_not_whole(settings, harm):
    stored = filing.store(io.BytesIO(PDF), "scope/7")
    place = Path(settings.MEDIA_ROOT) / stored.path
    if harm == "gone":
        place.unlink()
    else:
        place.write_bytes(PDF[:-1] + (b"" if harm == "cut" else b"!"))
    assert not filing.is_whole(stored)


@pytest.mark.parametrize("path", ["../secrets", "work/../../x", "/etc/passwd", "courses/aws-ml/a.pdf"])
def test_a_path_that_leads_out_is_refused(path):
    with pytest.raises(Refused):
        filing.on_disk(path)
