"""The scanner in a process apart: files from strangers are read where they can do no harm, and are given up in time.

The process has no secrets in its environment, little memory, no time without end, opens no connection and writes no
file. It is ended when a file takes too long, and begun anew for the next one.

stdin: a line of JSON a file, {"n", "path" or "text", "name"}. stdout: {"n", "findings", "trouble"} when each is done.
"""

import contextlib
import json
import os
import queue
import resource
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from portal.guard.scanning import Finding, Report, scan

MEMORY = 1024 * 2**20
MOST_BYTES = 100 * 2**20
TO_START = 20.0  # seconds for Python on a machine that has other work
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Job:
    """One thing to look through: the file at `path`, or a text."""

    name: str
    path: str = ""
    text: str = ""


def look_through(
    jobs: Iterable[Job], *, each: float, whole: float, program: tuple[str, ...] = ("-m", "portal.guard.apart")
) -> Iterator[tuple[Job, Report]]:
    """(job, Report) of each job as it is known. each, whole: seconds for one file and for all of them.

    A file that takes too long or ends the process has a Report that says so; what there was no time for is left out.
    """
    waiting, ends = list(jobs), monotonic() + whole
    while waiting and monotonic() < ends:
        errand = _Errand(waiting, program)
        try:
            # Of the process's own start no file is to blame.
            patience = TO_START + each
            while waiting and (left := ends - monotonic()) > 0:
                report = errand.next(min(patience, left))
                if report is None and patience > left:
                    return
                yield waiting.pop(0), report or Report(trouble=(errand.why(each),))
                if report is None:
                    break
                patience = each
        finally:
            errand.end()


class _Errand:
    def __init__(self, jobs, program):
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-B", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONIOENCODING": "utf-8"},
            text=True,
            encoding="utf-8",
        )
        self._known: queue.SimpleQueue = queue.SimpleQueue()
        lines = [json.dumps({"n": n, **vars(job)}) + "\n" for n, job in enumerate(jobs)]
        threading.Thread(target=self._send, args=(lines,), daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def _send(self, lines):
        with contextlib.suppress(OSError, ValueError), self._process.stdin as door:
            door.writelines(lines)

    def _listen(self):
        with contextlib.suppress(OSError, ValueError), self._process.stdout as answers:
            for answer in answers:
                self._known.put(json.loads(answer))
        self._known.put(None)

    def next(self, seconds):
        """The next Report; None when it is late, or the process ended."""
        self._is_late = False
        try:
            found = self._known.get(timeout=max(0.01, seconds))
        except queue.Empty:
            self._is_late = True
            return None
        return found and Report(tuple(Finding(**one) for one in found["findings"]), tuple(found["trouble"]))

    def why(self, each):
        return f"it took longer than {each:.0f} s" if self._is_late else "our scanner could not cope with it"

    def end(self):
        self._process.kill()
        self._process.wait()


# --- the process itself --------------------------------------------------------------------------------------

NOT_HERE = {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"}


def _guard(event, args):
    writes = event == "open" and (
        set(args[1] or "") & set("wax+") or (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )
    if event in NOT_HERE or (writes and not isinstance(args[0], int)):
        raise PermissionError(f"{event} is no business of the scanner")


def _report(job):
    try:
        if job["path"]:
            if os.path.getsize(job["path"]) > MOST_BYTES:
                return Report(trouble=(f"it is larger than {MOST_BYTES // 2**20} MB",))
            content = Path(job["path"]).read_bytes()
        else:
            content = job["text"].encode("utf-8", "surrogatepass")
        return scan(content, job["name"])
    except MemoryError:
        return Report(trouble=("it needs more memory than we give it",))
    except OSError:
        return Report(trouble=("it is not on our disk",))
    except Exception:  # noqa: BLE001  whatever a stranger's file leads to, the next one is looked at
        return Report(trouble=("our scanner could not cope with it",))


def main():
    os.nice(max(0, 10 - os.nice(0)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(2000)
    sys.addaudithook(_guard)
    for line in sys.stdin:
        job = json.loads(line)
        report = _report(job)
        answer = {"n": job["n"], "findings": [vars(one) for one in report.findings], "trouble": report.trouble}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
