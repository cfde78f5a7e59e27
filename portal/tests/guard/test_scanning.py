"""The scanner on a thousand made-up credentials, and on clean files in the shape of real ones. Pure, no database."""

import json
from time import process_time

import pytest

from portal.guard import patterns, scanning
from portal.tests.guard import corpus

AN_ID = "AKIA" + "Q3EGRJ7ZLM2XKWPT"
A_SECRET = "k3Qz8Jv1LmWx9Tr5Yb7Nc2Hd4Gf6Sa0PqEuIoK+/"


def test_every_made_up_credential_of_a_thousand_is_found_at_its_place():
    missed = []
    for item in corpus.dirty_items(1_000, seed=2025):
        report = scanning.scan(item.content, item.name)
        at_its_place = [one for one in report.findings if item.where in one.where]
        if len(at_its_place) < len(item.secrets):
            missed.append((item.kind, item.secrets, [one.where for one in report.findings]))
    assert missed == []


def test_fewer_than_one_in_a_hundred_clean_files_is_an_alarm():
    alarms = [
        (item.name, [(one.kind, one.where) for one in report.findings], report.trouble)
        for item in corpus.clean_items(500, seed=2025)
        if not (report := scanning.scan(item.content, item.name)).is_clean
    ]
    assert len(alarms) < 5, alarms


def test_a_report_holds_no_credential():
    for item in corpus.dirty_items(70, seed=7):
        told = repr(scanning.scan(item.content, item.name))
        assert not [secret for secret in item.secrets if secret in told]


FOUND = [
    ('aws_session_token = "' + "IQoJb3JpZ2luX2VjE" + "k3Qz8Jv1LmWx" * 9 + '"', patterns.AWS_SESSION),
    ("mysql -u root --password=Hunter2x shop", patterns.PASSWORD),
    ("password = 'correct horse battery staple'", patterns.PASSWORD),
    ("redis://:p4ssw0rdX@cache.internal:6379/0", patterns.DATABASE),
    (f"\x1b[0;32m'{AN_ID}'\x1b[0m", patterns.AWS_ID),
    (f"https://x.example/?key=a%3D{AN_ID}", patterns.AWS_ID),
    (f"nohup ./run {A_SECRET} &", patterns.AWS_SECRET),
    ('{"username":"aye","key":"x"}\napi_key: 9f86d081884c7d659a2feaa0c55ad015', patterns.TOKEN),
    ("os.environ.setdefault('WANDB_API_KEY', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b')", patterns.TOKEN),
    ("Authorization: Basic YXllOmh1bnRlcjIyMjI=\n", patterns.PASSWORD),
]


@pytest.mark.parametrize("text, kind", FOUND)
def test_a_credential_is_told_by_its_kind(text, kind):
    assert kind in {hit.kind for hit in patterns.credentials(text)}


CLEAN = [
    "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "arn:aws:iam::aws:policy/aws-service-role/AWSServiceRoleForEC2SpotFleetTaggingRole",
    'password = os.environ["DB_PASSWORD"]',
    "password=getpass.getpass()",
    'api_key = "YOUR_API_KEY_HERE"',
    "Password: required",
    "export AWS_SECRET_ACCESS_KEY=$SECRET",
    "postgres://user:password@localhost/db",
    "f'mysql://{user}:{password}@{host}'",
    "df['password_length'] = df.password.str.len()",
    "hf_hub_download(repo_id='x', token=None)",
    "secret_name = 'prod/churn-model/db-credentials-2025'",
    "sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "max_new_tokens=256, pad_token_id=50256",
    "if password == confirm_password:",
    "login(username='aye', password=password)",
    "git commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "risk-free, task-2025-09-10-03-11-02-771-abcdefghijklmnop",
]


@pytest.mark.parametrize("text", CLEAN)
def test_what_only_speaks_of_credentials_is_no_alarm(text):
    assert [text[hit.start : hit.end] for hit in patterns.credentials(text, is_code=True)] == []
    assert [text[hit.start : hit.end] for hit in patterns.credentials(text)] == []


def test_the_place_is_told_as_a_student_counts_cells():
    cells = [{"cell_type": "markdown", "source": "# Title"}, {"cell_type": "code", "source": ["import boto3\n", AN_ID]}]
    output = {"output_type": "stream", "text": ["one\n", f"{AN_ID}\n"]}
    cells.append({"cell_type": "code", "source": "show()", "outputs": [output]})
    found = scanning.scan(json.dumps({"cells": cells}).encode(), "a.ipynb").findings
    assert [(one.where, one.ends) for one in found] == [
        ("cell 2, line 2", "KWPT"),
        ("cell 3, output, line 2", "KWPT"),
    ]


def test_text_of_powershell_in_utf_16_is_read():
    content = f"$key = '{AN_ID}'".encode("utf-16")
    assert [one.kind for one in scanning.scan(content, "keys.txt").findings] == [patterns.AWS_ID]


def test_a_key_hidden_in_an_archive_in_an_archive_is_found_with_its_way():
    content = corpus.zipped({"src.zip": corpus.zipped({"conf/.env": f"KEY={AN_ID}".encode()})})
    assert [one.where for one in scanning.scan(content, "work.zip").findings] == ["conf/.env in src.zip, line 1"]


def test_a_file_that_is_two_things_at_once_is_read_as_both():
    inner = corpus.zipped({"a.txt": f"KEY={AN_ID}".encode()})
    found = scanning.scan(b"%PDF-1.7\n% no more of it\n" + inner, "a.pdf")
    assert [one.kind for one in found.findings] == [patterns.AWS_ID]
    assert found.trouble == ("the PDF is broken",)


def test_lines_made_to_lead_a_pattern_astray_cost_no_more_than_a_moment():
    number = 4_000
    for line in ("password" * number, "A" * 8 * number, "secret = " * number, "-----BEGIN PRIVATE KEY-----" * number):
        began = process_time()
        patterns.credentials(line)
        assert process_time() - began < 1.5, line[:20]
