"""The real aws command without its start, which takes half a second of CPU that tests need not wait for.

Two ways. `Cli` calls it many times in one process, for tests that call it themselves. `ForkedCommand` puts an `aws`
into a folder for the PATH of a shell: each call is a process of its own, forked from one that has it loaded.
Run as a script by the Python of the command's own venv, this file is the process behind either.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class Cli:
    """`cli("ec2", "describe-vpcs", env=...)` answers what the command printed; raises CliFailed when it failed."""

    def __init__(self, command: str):
        python = Path(command).parent / "python"
        bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
        self.process = subprocess.Popen(
            [str(python), str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=bare,
        )

    def __call__(self, *words: str, env: Mapping[str, str]) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"words": words, "env": dict(env)}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["code"]:
            raise CliFailed(f"aws {' '.join(words)[:200]}: {answer['err'].strip()}")
        return str(answer["out"])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class ForkedCommand:
    """`ForkedCommand(command, folder)`: folder/aws is the command, until close()."""

    def __init__(self, command: str, folder: Path):
        python, meeting = Path(command).parent / "python", folder / "socket"
        self.process = subprocess.Popen(
            [str(python), str(Path(__file__).resolve()), str(meeting)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout and self.process.stdout.readline() == "ready\n"
        (folder / "aws").write_text(f"#!{python} -IS\n{CALLER.format(meeting=str(meeting))}")
        (folder / "aws").chmod(0o755)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


OFTEN_CALLED = ("s3", "iam", "ec2", "lambda", "sagemaker", "stepfunctions", "sts", "logs", "ecr")

# Hands its own files, words, folder and environment to the process that does the work, and ends with its code.
CALLER = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({meeting!r})
    socket.send_fds(line, [b"."], [0, 1, 2])
    line.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
    line.shutdown(socket.SHUT_WR)
    sys.exit(int(line.recv(4) or 255))
"""


class CliFailed(Exception):
    """What the aws command printed when it failed."""


def _answer(words: Sequence[str], env: Mapping[str, str]) -> dict[str, Any]:
    from awscli.clidriver import create_clidriver

    os.environ.update(env)
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(list(words))
        except SystemExit as ended:
            code = ended.code or 0
    printed = []
    for stream in (out, err):
        stream.flush()
        printed.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return {"code": code, "out": printed[0], "err": printed[1]}


def _fork_for_each_call(meeting: str) -> None:
    from awscli.clidriver import create_clidriver
    from botocore import session

    # What every command loads, or many do, is loaded here once.
    of_all = create_clidriver().session.get_component("data_loader")
    of_all.list_available_services("service-2")
    for service in OFTEN_CALLED:
        of_all.load_service_model(service, "service-2")
    session.create_loader = lambda _: of_all

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(meeting)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            line, _ = listening.accept()
            if not os.fork():
                _be_the_command(line)
            line.close()


def _be_the_command(line: socket.socket) -> None:
    code = 255
    try:
        _, files, _, _ = socket.recv_fds(line, 1, 3)
        for number, file in enumerate(files):
            os.dup2(file, number)
        with line.makefile("rb") as asked:
            words, folder, environment = json.load(asked)
        os.chdir(folder)
        of_the_command = os.environ["AWS_DATA_PATH"]  # set when it was loaded
        os.environ.clear()
        os.environ.update(environment, AWS_DATA_PATH=of_the_command)
        from awscli.clidriver import create_clidriver

        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = create_clidriver().main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _fork_for_each_call(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(_answer(asked["words"], asked["env"])) + "\n")
        sys.stdout.flush()
