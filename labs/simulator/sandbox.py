"""A student's function, run cut off from everything: bubblewrap (`bwrap`) around the system's own Python.

Students' code is a stranger's code. Inside there is no network, no file of ours or of the machine's owner (a read-only
/usr, the function, its layers, and an empty /tmp), no /proc, no environment and no other process; where the simulator
runs as root the sandbox runs as nobody. Its time, memory, processes, files and output have an end. Whether this machine
can do all that is tried once, at the start, before any student's code is taken.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.simulator import sandboxed

PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
# What somebody installed or compiled by hand is no student's business.
HIDDEN = ("/usr/local", "/usr/src")
NOBODY = 65534
MB = 1024 * 1024

# The ends of everything. AWS's own where it has one that a shared machine can bear.
LONGEST_SECONDS = 30.0
LARGEST_MEMORY_MB = 1024
TMP_BYTES = 512 * MB
UNPACKED_BYTES = 250 * MB
FILES = 20_000
PROCESSES = 32
ANSWER_BYTES = 6 * MB
LOG_BYTES = MB
AT_ONCE = 3  # of all owners; and one of each, so that nobody's endless loops keep the others waiting
# How long a call waits for its turn before it is told to come again.
TURN_SECONDS = 20.0
_LOOK_SECONDS = 0.05


class Unusable(Exception):
    """This machine cannot run functions safely. `str()` says why, for the operator."""


class Busy(Exception):
    """So many functions run that this one did not get its turn."""


class BadArchive(ValueError):
    """The zip of a function or a layer is none, or unpacks to more than AWS takes. `str()` says which."""


@dataclass(frozen=True)
class Job:
    """One call of one function. archive and layers are zips; context is what the handler's context object shows; owner
    is whose turn it is."""

    archive: bytes
    handler: str
    event: Any
    layers: tuple[bytes, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    memory_mb: int = 128
    timeout: float = 3.0
    owner: str = ""


@dataclass(frozen=True)
class Outcome:
    """answer: what the handler answered, as JSON; or, where `failed`, AWS's {"errorType", "errorMessage", ...}.

    peak_mb: the most memory that it was seen to hold, all its processes together.
    """

    answer: bytes
    failed: bool
    logs: str
    seconds: float
    peak_mb: int


class Sandbox:
    """Runs jobs, a few at a time. Making one tries it out, and raises Unusable where it does not hold."""

    def __init__(self, closed: tuple[str, ...] = (), port: int = 0):
        """closed: paths that nobody inside may see; port: one on loopback that nobody inside may reach."""
        self._bwrap = shutil.which("bwrap")
        if self._bwrap is None:
            raise Unusable("bubblewrap is not installed (apt install bubblewrap)")
        self._python = next((path for path in PYTHONS if os.access(path, os.X_OK)), "")
        if not self._python:
            raise Unusable(f"there is no Python of the system's own ({' or '.join(PYTHONS)})")
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._own: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.python = self._tried(closed, port)

    def run(self, job: Job) -> Outcome:
        """Call the handler once. Raises Busy when no turn came, BadArchive for a zip that cannot be unpacked."""
        with _turn(self._own[job.owner]), _turn(self._turns), _folder() as folder:
            _lay(folder, job)
            return self._run(folder, job)

    def _run(self, folder: Path, job: Job) -> Outcome:
        answers, answer_to = os.pipe()
        began = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603
                [*self._walls(folder), self._python, "-I", "-S", "-B", "/var/runtime/main.py", str(answer_to)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(answer_to,),
                # Not the function's own: LD_PRELOAD among it would be taken by bwrap, outside.
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/tmp"},  # noqa: S108
                **_as_nobody(),
            )
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(answer_to)
        with process, open(answers, "rb", buffering=0) as answer_from:
            watched = _watch(process, {"logs": process.stdout, "answer": answer_from}, job, began)
            if watched.ended_for:
                _end(process)
        return _outcome(job, watched, process.returncode, time.monotonic() - began)

    def _walls(self, folder: Path) -> list[str]:
        walls = [str(self._bwrap), "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
        walls += ["--new-session", "--hostname", "function", "--ro-bind", "/usr", "/usr"]
        for name in ("bin", "lib", "lib64", "lib32", "sbin"):
            here = Path("/", name)
            if here.is_symlink():
                walls += ["--symlink", os.readlink(here), str(here)]
            elif here.is_dir():
                walls += ["--ro-bind", str(here), str(here)]
        for path in HIDDEN:
            if Path(path).is_dir() and not self._python.startswith(path):
                walls += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        walls += ["--dev", "/dev", "--remount-ro", "/dev", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]  # noqa: S108
        for inside, name in (("/var/task", "task"), ("/opt", "opt"), ("/var/runtime", "runtime")):
            walls += ["--ro-bind", str(folder / name), inside]
        # The root itself is a tmpfs, without a size of its own.
        return [*walls, "--remount-ro", "/", "--chdir", "/var/task", "--"]

    def _tried(self, closed: tuple[str, ...], port: int) -> str:
        """Run a function of our own that tries to get out. Answers which Python it ran on."""
        probe = Job(
            archive=archive_of({"probe.py": _PROBE}),
            handler="probe.handler",
            event={"closed": [*closed, "/etc/passwd", "/home", "/root", "/proc/self", "/sys"], "port": port},
            timeout=10.0,
        )
        outcome = self.run(probe)
        if outcome.failed:
            said = " ".join(outcome.logs.split())[:200] or json.loads(outcome.answer)["errorMessage"]
            raise Unusable(f"bubblewrap does not work here: {said}")
        found = json.loads(outcome.answer)
        if found["out"]:
            raise Unusable(f"the sandbox lets through {', '.join(found['out'])}")
        if not outcome.peak_mb:
            raise Unusable("the memory of what runs inside cannot be watched (/proc shows no children)")
        return str(found["python"])


_PROBE = """
import os, socket, sys, time

def tries(what, act):
    try:
        act()
    except OSError:
        return []
    return [what]

def handler(event, context):
    out = [path for path in event["closed"] if os.path.exists(path)]
    out += tries("the network", lambda: socket.create_connection(("127.0.0.1", event["port"] or 9), 0.5))
    for place in ("/", "/usr", "/opt", "/var/task", "/dev", "/dev/shm"):
        out += tries("a writable " + place, lambda: open(os.path.join(place, "written"), "w"))
    out += ["more than itself: " + name for name in os.environ if name.startswith(("AWS_", "LIGHTSOUT"))]
    open("/tmp/written", "w").close()
    time.sleep(0.15)
    return {"out": out, "python": "%d.%d" % sys.version_info[:2]}
"""


def archive_of(files: Mapping[str, str]) -> bytes:
    """A zip of these texts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


@contextmanager
def _turn(turns: threading.Lock | threading.Semaphore) -> Iterator[None]:
    if not turns.acquire(timeout=TURN_SECONDS):
        raise Busy
    try:
        yield
    finally:
        turns.release()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one job, which its user alone may enter."""
    with tempfile.TemporaryDirectory(prefix="lightsout-function-") as made:
        if os.geteuid() == 0:
            os.chown(made, NOBODY, NOBODY)
        yield Path(made)


def _as_nobody() -> dict[str, Any]:
    """Root's limits on processes are none, and root's way out of a sandbox is the shorter one."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _lay(folder: Path, job: Job) -> None:
    """What the sandbox is shown: the function, its layers over one another, and what to do."""
    for name in ("task", "opt", "runtime"):
        (folder / name).mkdir(mode=0o755)
    left = unpack(job.archive, folder / "task", UNPACKED_BYTES)
    for layer in job.layers:
        left = unpack(layer, folder / "opt", left)
    (folder / "runtime" / "main.py").write_text(Path(sandboxed.__file__).read_text())
    call = {
        "handler": job.handler,
        "event": job.event,
        "environment": dict(job.environment),
        "context": dict(job.context),
        "timeout": job.timeout,
        "limits": _limits(job),
    }
    (folder / "runtime" / "call.json").write_text(json.dumps(call))


def _limits(job: Job) -> dict[str, int]:
    """For each process. What they hold together is watched from outside."""
    memory = min(job.memory_mb, LARGEST_MEMORY_MB) * MB
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": PROCESSES,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_FSIZE": TMP_BYTES,
        "RLIMIT_DATA": memory,
        "RLIMIT_AS": memory + 256 * MB,
        "RLIMIT_CPU": 2 * int(job.timeout) + 2,
    }


_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


def unpack(archive: bytes, to: Path, most: int) -> int:
    """Unpack a zip as files that everybody may read, at most `most` bytes; answers how many more would have gone in.

    Raises BadArchive. Names that lead elsewhere are refused; links are unpacked as the files that they are in a zip.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            if len(members) > FILES:
                raise BadArchive(f"the zip holds {len(members)} files; {FILES} are taken")
            for member in members:
                if member.filename.startswith("/") or ".." in Path(member.filename).parts:
                    raise BadArchive(f"the zip holds a file outside of itself: {member.filename}")
                most -= _unpack_one(opened, member, to, most)
    except BadArchive:
        raise
    except _UNREADABLE as error:
        raise BadArchive(f"the zip cannot be unpacked ({error})") from error
    return most


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path, most: int) -> int:
    place = to / member.filename
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as source, place.open("wb") as file:
        # As many bytes as come, and not as many as the zip says.
        while piece := source.read(256 * 1024):
            written += len(piece)
            if written > most:
                raise BadArchive(f"the zip unpacks to more than {UNPACKED_BYTES // MB} MB")
            file.write(piece)
    return written


@dataclass
class _Watched:
    """What came out, and why it was ended ('' when it ended by itself)."""

    answer: bytearray = field(default_factory=bytearray)
    logs: bytearray = field(default_factory=bytearray)
    ended_for: str = ""
    peak: int = 0


def _watch(process: subprocess.Popen[bytes], pipes: Mapping[str, Any], job: Job, began: float) -> _Watched:
    """Read until it ends; end it when one of its limits is passed."""
    watched = _Watched()
    seconds = min(job.timeout, LONGEST_SECONDS)
    memory = min(job.memory_mb, LARGEST_MEMORY_MB) * MB
    with selectors.DefaultSelector() as ready:
        for name, into, most in (("logs", watched.logs, LOG_BYTES), ("answer", watched.answer, ANSWER_BYTES)):
            ready.register(pipes[name], selectors.EVENT_READ, (name, into, most))
        looked = 0.0
        # It may close its pipes and go on.
        while (ready.get_map() or process.poll() is None) and not watched.ended_for:
            for key, _ in ready.select(_LOOK_SECONDS):
                name, into, most = key.data
                piece = os.read(key.fd, 64 * 1024)
                into += piece
                if not piece:
                    ready.unregister(key.fileobj)
                elif len(into) > most:
                    watched.ended_for = f"too large {name}"
            now = time.monotonic()
            if now - looked >= _LOOK_SECONDS:
                looked = now
                watched.peak = max(watched.peak, _memory_of(process.pid))
            if now - began > seconds:
                watched.ended_for = "time"
            elif watched.peak > memory + 32 * MB:
                watched.ended_for = "memory"
    return watched


def _end(process: subprocess.Popen[bytes]) -> None:
    """End all that runs inside, and come back when it has ended."""
    # Everything of a pid namespace dies with its first process, which bwrap waits for.
    for first in _children(process.pid) or [process.pid]:
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def _memory_of(root: int) -> int:
    """Bytes held by all that runs inside. What two share is counted for each, so this errs on the safe side."""
    total, ahead = 0, _children(root)
    while ahead:
        process = ahead.pop()
        ahead += _children(process)
        try:
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            continue  # ended just now
    return total * os.sysconf("SC_PAGE_SIZE")


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            found += map(int, Path(f"/proc/{process}/task/{task}/children").read_text().split())
    except OSError:
        pass  # ended just now
    return found


def _outcome(job: Job, watched: _Watched, code: int, seconds: float) -> Outcome:
    logs = watched.logs[:LOG_BYTES].decode("utf-8", "replace")
    request = job.context.get("aws_request_id", "")

    def failed(kind: str, message: str) -> Outcome:
        words = {"errorType": kind, "errorMessage": f"RequestId: {request} Error: {message}"}
        return Outcome(json.dumps(words).encode(), True, logs, seconds, watched.peak // MB)

    match watched.ended_for:
        case "time":
            longest = min(job.timeout, LONGEST_SECONDS)
            why = " (practice mode's longest)" if job.timeout > longest else ""
            return failed("Sandbox.Timedout", f"Task timed out after {longest:.2f} seconds{why}")
        case "memory":
            return failed("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
        case "too large answer":
            limit = f"exceeded maximum allowed payload size ({ANSWER_BYTES} bytes)"
            return failed("Function.ResponseSizeTooLarge", f"Response payload size {limit}.")
        case "too large logs":
            return failed("Runtime.ExitError", f"Practice mode keeps {LOG_BYTES // MB} MB of output, and no more")
    # Written inside, where a student's code might have written it too: nothing of it is taken for granted.
    try:
        said = json.loads(watched.answer)
        is_failed = "error" in said
        answer, peak = said["error" if is_failed else "answer"], int(said["peak_kb"]) // 1024
    except (ValueError, TypeError, KeyError, RecursionError):
        return failed("Runtime.ExitError", f"Runtime exited with error: exit status {code}")
    return Outcome(json.dumps(answer).encode(), is_failed, logs, seconds, max(peak, watched.peak // MB))
