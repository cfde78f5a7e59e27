"""A clean copy is the held version without its credentials. Whoever changes anything else has no clean copy."""

import copy
import json

import pytest

from portal.guard.redacting import Verdict, compared
from portal.tests.guard import corpus

AN_ID = "AKIA" + "Q3EGRJ7ZLM2XKWPT"
A_SECRET = "k3Qz8Jv1LmWx9Tr5Yb7Nc2Hd4Gf6Sa0PqEuIoK+/"
HELD = f"""# My answer

I lean to the cloud. The key {AN_ID} was too wide.

aws_access_key_id = {AN_ID}
aws_secret_access_key = {A_SECRET}

So the cost is $496 a month.
"""


def verdict(before, after, name="answer.md"):
    return compared(before.encode(), after.encode(), name)


@pytest.mark.parametrize(
    "clean",
    [
        HELD.replace(AN_ID, "REDACTED").replace(A_SECRET, "REDACTED"),
        HELD.replace(AN_ID, "").replace(A_SECRET, ""),
        HELD.replace(AN_ID, "<your key here>").replace(A_SECRET, "<your key here>"),
        HELD.replace(AN_ID, "xxxx").replace(A_SECRET, "xxxx").replace("\n", "\r\n"),
        HELD.replace(AN_ID, "***").replace(f"aws_secret_access_key = {A_SECRET}\n", ""),
        HELD.replace(f"aws_access_key_id = {AN_ID}\naws_secret_access_key = {A_SECRET}\n", "").replace(AN_ID, "****"),
    ],
)
def test_credentials_cut_out_or_masked_make_a_clean_copy(clean):
    assert verdict(HELD, clean) is Verdict.SAME


REDACTED = HELD.replace(AN_ID, "REDACTED").replace(A_SECRET, "REDACTED")


@pytest.mark.parametrize(
    "other",
    [
        REDACTED.replace("$496", "$946"),
        REDACTED.replace("I lean to the cloud. ", ""),
        REDACTED + "\nAnd one more thought.\n",
        "A word before.\n" + REDACTED,
        HELD.replace(AN_ID, "the cost is lower on premises").replace(A_SECRET, "REDACTED"),
        HELD.replace(AN_ID, "REDACTED 620").replace(A_SECRET, "REDACTED"),
        HELD.replace(AN_ID, "REDACTED").replace(A_SECRET, "xxxx"),  # of two masks each could be a sign
        HELD.replace(AN_ID, ".-..-").replace(A_SECRET, ".-..-"),
        HELD.replace(AN_ID, "x" * 200).replace(A_SECRET, "x" * 200),
        REDACTED.replace("The key REDACTED was too wide.", ""),  # this line says more than the key
        REDACTED.replace("\n\nSo", "\nSo"),
        REDACTED.replace("cloud", "c\u200bloud"),
        "",
    ],
)
def test_a_version_in_which_anything_else_was_changed_is_no_clean_copy(other):
    assert verdict(HELD, other) is Verdict.OTHER


def test_no_letter_of_a_held_text_can_be_changed_unseen():
    """Every letter of the clean copy, one after the other."""
    for at in range(len(REDACTED) - 1):
        changed = REDACTED[:at] + ("q" if REDACTED[at] != "q" else "w") + REDACTED[at + 1 :]
        assert verdict(HELD, changed) is Verdict.OTHER, (at, REDACTED[at])


def test_false_keys_planted_before_the_deadline_are_no_place_to_write_in():
    planted = "\n".join(f"fact {n}: AKIA{'Q3EGRJ7ZLM2XKWP'}{letter}" for n, letter in enumerate("ABCDEFGH"))
    words = ["onprem", "is", "better", "since", "data", "may", "not", "leave"]
    told = "\n".join(f"fact {n}: {word}" for n, word in enumerate(words))
    assert verdict(planted, told) is Verdict.OTHER
    masks = "\n".join(f"fact {n}: {'*' * (n + 1)}" for n in range(8))
    assert verdict(planted, masks) is Verdict.OTHER


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "id": "a1", "source": ["# Case 2\n", "The cost is low."]},
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 3,
            "source": [f'boto3.client("s3", aws_access_key_id="{AN_ID}")\n', "print(1)"],
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
                {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo"}},
            ],
        },
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 4,
            "source": "!env",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [f"AWS_SECRET_ACCESS_KEY={A_SECRET}\n"]}],
        },
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}


def redacted_notebook():
    clean = copy.deepcopy(NOTEBOOK)
    clean["cells"][1]["source"][0] = clean["cells"][1]["source"][0].replace(AN_ID, "REDACTED")
    clean["cells"][2]["outputs"] = []
    clean["metadata"]["kernelspec"] = {"name": "conda_python3"}  # Jupyter writes it anew
    clean["cells"][1]["execution_count"] = 1
    clean["nbformat_minor"] = 5
    return clean


def notebook_verdict(clean):
    return verdict(json.dumps(NOTEBOOK, indent=1), json.dumps(clean), "a.ipynb")


def test_a_notebook_saved_anew_without_its_credentials_is_a_clean_copy():
    assert notebook_verdict(redacted_notebook()) is Verdict.SAME


def _source(cells):
    cells[0]["source"][1] = "The cost is high."


def _output(cells):
    cells[1]["outputs"][0]["text"] = ["2\n"]


def _picture(cells):
    cells[1]["outputs"][1]["data"]["image/png"] = "iVBORw0KGgp"


def _cleared(cells):
    cells[1]["outputs"] = []  # in these was no credential


def _more(cells):
    cells.append({"cell_type": "markdown", "metadata": {}, "source": "And more."})


def _fewer(cells):
    del cells[0]


def _kind(cells):
    cells[0]["cell_type"] = "raw"


def _hidden(cells):
    cells[0]["metadata"]["note"] = "the answer"


def _attached(cells):
    cells[0]["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo"}}


@pytest.mark.parametrize("change", [_source, _output, _picture, _cleared, _more, _fewer, _kind, _hidden, _attached])
def test_a_notebook_in_which_anything_else_was_changed_is_no_clean_copy(change):
    clean = redacted_notebook()
    change(clean["cells"])
    assert notebook_verdict(clean) is Verdict.OTHER


def test_an_archive_is_compared_file_by_file():
    env = f"AWS_ACCESS_KEY_ID={AN_ID}\n".encode()
    held = corpus.zipped({"a.py": b"print(1)\n", ".env": env})
    assert (
        compared(held, corpus.zipped({"a.py": b"print(1)\n", ".env": b"AWS_ACCESS_KEY_ID=\n"}), "a.zip") is Verdict.SAME
    )
    # A file of nothing but credentials may go whole.
    assert compared(held, corpus.zipped({"a.py": b"print(1)\n"}), "a.zip") is Verdict.SAME
    for changed in ({"a.py": b"print(2)\n"}, {}, {"a.py": b"print(1)\n", "b.py": b""}):
        assert compared(held, corpus.zipped(changed), "a.zip") is Verdict.OTHER
    assert compared(held, b"print(1)\n", "a.zip") is Verdict.OTHER


def test_of_a_pdf_it_is_said_that_no_machine_can_tell():
    held, clean = (corpus.pdf([[line]], compress=False) for line in (AN_ID, "REDACTED"))
    assert compared(held, clean, "a.pdf") is Verdict.CANNOT_TELL


def test_bytes_that_are_no_text_are_never_a_clean_copy():
    assert compared(b"\x89PNG\r\n\x1a\n\x00" + AN_ID.encode(), b"\x89PNG\r\n\x1a\n\x00", "a.png") is Verdict.OTHER
    assert compared(None, b"new", "new.txt") is Verdict.OTHER
