"""The real aws command, many times in one process: each start of it costs a second that tests need not wait for.

Run as a script by the Python of its own venv, it takes {"words", "env"} a line and answers {"code", "out", "err"}.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
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


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(_answer(asked["words"], asked["env"])) + "\n")
        sys.stdout.flush()
