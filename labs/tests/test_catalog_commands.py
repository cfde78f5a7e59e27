"""What a step tells the student to copy, copied: every block of every lab, run by bash, the aws command and Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import AWS_CLI
from labs.catalog import all_labs, get
from labs.tests.aws_cli import ForkedCommand
from labs.tests.by_hand import JOBS_WORK, LabByHand
from labs.tests.kinds.examples import AccountOfAye

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the weeks offer to download, as it lies in a student's folder.
KIT = sorted((Path(__file__).resolve().parents[2] / "courses/aws-ml").glob("*/files/*"))
# For programs that a student has and this machine may not.
STAND_INS = Path(__file__).with_name("stand_ins")

pytestmark = [pytest.mark.awscli, pytest.mark.simulator, pytest.mark.slow]


@pytest.fixture
def account(simulator):
    return AccountOfAye(simulator, "600000000005")


@pytest.fixture(scope="module")
def folder_of_aws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aws")
    command = ForkedCommand(AWS_CLI, folder)
    yield folder
    command.close()


def run(language: str, code: str, folder: Path, env: dict[str, str]) -> None:
    command = ["bash", "-euo", "pipefail", "-c", code] if language == "bash" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("slug", [lab.slug for lab in all_labs()])
def test_whoever_copies_every_command_passes_every_check(slug, account, tmp_path, folder_of_aws):
    for file in KIT:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    keys = account.made[account.world]
    env = {
        "PATH": f"{STAND_INS}:{folder_of_aws}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": account.simulator.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        "AWS_SESSION_TOKEN": keys["aws_session_token"],
        "AWS_PAGER": "",
    }
    account.simulator.pace(work_seconds=4)  # a loop that waits for a job waits in real time here
    lab = LabByHand(get(slug), account)
    for step in lab.lab.steps[:-1]:
        account.simulator.let_pass(JOBS_WORK)  # a student reads the next step meanwhile
        blocks = BLOCK.findall(lab.body(step.slug))
        assert blocks, f"{step.slug} gives nothing to copy"
        for language, code in blocks:
            run(language, code, tmp_path, env)
        found = lab.check(step.slug)
        assert found.passed, found.said
    lab.end()
