"""A student's function tries to get out, or to take the machine with it. It stays in, and ends."""

import io
import json
import os
import shutil
import socket
import tempfile
import threading
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

from labs.simulator import sandbox
from labs.simulator.sandbox import BadArchive, Busy, Job, Sandbox, Unusable, archive_of, unpack

bwrap = pytest.mark.bwrap


@pytest.fixture(scope="module")
def box():
    return Sandbox()


def run(box, code, event=None, **more):
    """The outcome of a handler `def handler(event, context)` with these lines as its body."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    archive = archive_of({"app.py": f"import os, socket, sys\n\ndef handler(event, context):\n{lines}"})
    return box.run(Job(archive, "app.handler", event, **more))


def said(outcome):
    return json.loads(outcome.answer)


# --- it works ------------------------------------------------------------------------------------------------


@bwrap
def test_a_function_gets_its_event_and_its_context_and_answers(box):
    outcome = run(
        box,
        'print("so", event["n"])\nleft = context.get_remaining_time_in_millis()\n'
        'return {"doubled": event["n"] * 2, "name": context.function_name, "in_time": 0 < left <= 3000}',
        {"n": 21},
        context={"function_name": "double"},
    )
    assert said(outcome) == {"doubled": 42, "name": "double", "in_time": True}
    assert (outcome.failed, outcome.logs) == (False, "so 21\n")
    assert 0 < outcome.seconds < 3 and outcome.peak_mb > 0


@bwrap
def test_layers_lie_on_the_path_and_the_later_over_the_earlier(box):
    layers = tuple(archive_of({"python/shop.py": f"PRICE = {price}", f"python/only{price}.py": ""}) for price in (1, 2))
    outcome = run(box, "import shop, only1, only2\nreturn shop.PRICE", layers=layers)
    assert said(outcome) == 2


@bwrap
def test_a_handler_may_lie_in_a_folder_and_read_its_own_files(box):
    files = {
        "src/app.py": "import os\ndef go(event, context):\n    return open('model.txt').read()",
        "model.txt": "0.97",
    }
    assert said(box.run(Job(archive_of(files), "src/app.go", None))) == "0.97"


@bwrap
@pytest.mark.parametrize(
    ("files", "handler", "kind"),
    [
        ({"app.py": "def go(event, context):\n    raise ValueError('no rows')"}, "app.go", "ValueError"),
        ({"app.py": "def go(event, context):\n    return {1, 2}"}, "app.go", "Runtime.MarshalError"),
        ({"app.py": "def go(event, context):\n    sys.exit(3)\nimport sys"}, "app.go", "Runtime.ExitError"),
        ({"app.py": "def go(:"}, "app.go", "Runtime.UserCodeSyntaxError"),
        ({"app.py": "import pandas"}, "app.go", "Runtime.ImportModuleError"),
        ({"app.py": ""}, "app.go", "Runtime.HandlerNotFound"),
        ({"app.py": ""}, "go", "Runtime.MalformedHandlerName"),
        ({"other.py": ""}, "app.go", "Runtime.ImportModuleError"),
    ],
)
def test_what_fails_is_told_in_the_words_of_lambda(box, files, handler, kind):
    outcome = box.run(Job(archive_of(files), handler, None))
    assert outcome.failed and said(outcome)["errorType"] == kind


@bwrap
def test_boto3_may_be_imported_and_says_why_it_reaches_nothing(box):
    outcome = run(box, "import boto3\ns3 = boto3.client('s3')\ns3.get_object(Bucket='b', Key='k')")
    assert "without a network" in said(outcome)["errorMessage"]


# --- it stays in ---------------------------------------------------------------------------------------------


@bwrap
@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/passwd",
        "/proc/1/environ",
        "/sys/kernel",
        "/root",
        "/home",
        str(Path(sandbox.__file__).resolve().parents[2]),
        "/var/lib",
        "/run",
    ],
)
def test_nothing_of_the_machine_is_there_to_be_read(box, path):
    outcome = run(box, "return os.path.exists(event)", path)
    assert said(outcome) is False


@bwrap
@pytest.mark.parametrize("place", ["/", "/usr", "/usr/lib", "/opt", "/var/task", "/var/runtime", "/dev"])
def test_nothing_can_be_written_but_in_tmp(box, place):
    outcome = run(box, "open(os.path.join(event, 'mine'), 'w')", place)
    assert said(outcome)["errorType"] in ("OSError", "PermissionError")


@pytest.fixture
def listening():
    """Somebody on loopback, as the simulator and the portal are."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@bwrap
def test_there_is_no_network_not_even_to_this_machine(box, listening):
    code = """
        codes = []
        for at in (("127.0.0.1", event), ("8.8.8.8", 53)):
            with socket.socket() as one:
                one.settimeout(1)
                codes.append(one.connect_ex(at))
        return [codes, [name for _, name in socket.if_nameindex()]]
    """
    codes, interfaces = said(run(box, dedent(code), listening))
    assert 0 not in codes
    assert interfaces == ["lo"]


@bwrap
def test_it_is_nobody_alone_and_without_our_environment(box, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not-for-students")
    outcome = run(box, "return [os.getuid(), os.getpid() < 20, sorted(os.environ)]", environment={"STAGE": "test"})
    uid, is_alone, names = said(outcome)
    assert uid != 0 and is_alone
    assert names == ["HOME", "LANG", "PATH", "PWD", "STAGE", "TZ"]


@bwrap
def test_what_a_function_wants_in_its_environment_does_not_reach_the_walls_around_it(box, tmp_path):
    """bwrap itself runs outside: a library that it is told to load would run there."""
    outcome = run(box, "return os.environ['LD_PRELOAD']", environment={"LD_PRELOAD": str(tmp_path / "evil.so")})
    assert said(outcome).endswith("evil.so")
    assert "cannot be preloaded" not in outcome.logs


@bwrap
def test_it_makes_no_namespaces_of_its_own(box):
    outcome = run(box, "import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000)  # CLONE_NEWUSER")
    assert said(outcome) == -1


# --- it ends -------------------------------------------------------------------------------------------------


@bwrap
@pytest.mark.parametrize(
    ("why", "code", "kind"),
    [
        ("an endless loop", "while True: pass", "Sandbox.Timedout"),
        ("a sleeper", "import time\ntime.sleep(600)", "Sandbox.Timedout"),
        ("one that lets go of its pipes", "os.closerange(0, 64)\nwhile True: pass", "Sandbox.Timedout"),
        ("endless output", "while True: print('x' * 10000)", "Runtime.ExitError"),
        ("a huge answer", "return 'x' * 7_000_000", "Function.ResponseSizeTooLarge"),
        ("a huge list", "return len(bytearray(900 * 1024 * 1024))", "MemoryError"),
        ("a huge file", "file = open('/tmp/f', 'wb')\nwhile True: file.write(bytes(1 << 20))", "OSError"),
        ("a forged answer", "os.write(int(sys.argv[1]), b'[1]')\nos._exit(0)", "Runtime.ExitError"),
        ("a forged depth", "os.write(int(sys.argv[1]), b'[' * 1_000_000)\nos._exit(0)", "Runtime.ExitError"),
    ],
)
def test_whatever_it_does_it_ends_and_is_told_why(box, why, code, kind):
    # A folder of 512 MB takes a slow machine more than a second to fill.
    outcome = run(box, code, timeout=20.0 if kind == "OSError" else 1.0)
    assert outcome.failed and said(outcome)["errorType"] == kind
    assert outcome.seconds < 25 and len(outcome.logs) <= sandbox.LOG_BYTES


@bwrap
def test_a_fork_bomb_is_shut_in_and_nothing_of_it_is_left(box, monkeypatch):
    own = tempfile.mkdtemp()
    os.chmod(own, 0o755)  # noqa: S103  nobody has to find the folder of its job in it
    monkeypatch.setattr(tempfile, "tempdir", own)
    outcome = run(box, "while True:\n    try: os.fork()\n    except OSError: pass", timeout=1.0)
    assert outcome.failed
    assert said(outcome)["errorType"] in ("Sandbox.Timedout", "Runtime.OutOfMemory")
    still = [line for line in Path("/proc").glob("[0-9]*/cmdline") if own.encode() in read(line)]
    shutil.rmtree(own)
    assert still == []


def read(path):
    try:
        return path.read_bytes()
    except OSError:  # it ended between the list and the look
        return b""


@bwrap
def test_the_memory_of_all_its_processes_together_is_its_memory(box):
    outcome = run(
        box,
        "for _ in range(8):\n    if not os.fork():\n        held = bytearray(90 << 20)\n        while True: pass\n"
        "while True: pass",
        memory_mb=128,
        timeout=10.0,
    )
    assert said(outcome)["errorType"] == "Runtime.OutOfMemory"
    assert outcome.seconds < 5


@bwrap
def test_no_more_than_a_few_run_at_once_and_one_of_each_owner(box, monkeypatch):
    monkeypatch.setattr(sandbox, "TURN_SECONDS", 0.01)
    with box._own["aye"]:
        with pytest.raises(Busy):
            run(box, "return 1", owner="aye")
        assert said(run(box, "return 1", owner="bo")) == 1, "whatever aye's functions do"
    monkeypatch.setattr(box, "_turns", threading.BoundedSemaphore(1))
    with box._turns, pytest.raises(Busy):
        run(box, "return 1", owner="bo")
    assert said(run(box, "return 1", owner="aye")) == 1


# --- what is unpacked ----------------------------------------------------------------------------------------


def zipped(*members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (b"PK but no zip", "cannot be unpacked"),
        (zipped(("../../outside.py", "x")), "outside of itself"),
        (zipped(("/etc/cron.d/x", "x")), "outside of itself"),
        (zipped(("big", bytes(2000))), "unpacks to more than"),
        (zipped(("a", "file"), ("a/b", "and folder")), "cannot be unpacked"),
    ],
)
def test_a_zip_that_is_none_or_leads_elsewhere_or_is_too_large_is_refused(archive, why, tmp_path):
    with pytest.raises(BadArchive, match=why):
        unpack(archive, tmp_path / "in", 1000)
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "in"])


def test_what_all_layers_hold_together_is_what_counts(tmp_path):
    left = unpack(zipped(("a", bytes(600))), tmp_path, 1000)
    assert left == 400
    with pytest.raises(BadArchive):
        unpack(zipped(("b", bytes(600))), tmp_path, left)


# --- whether it can be done here -----------------------------------------------------------------------------


def test_a_machine_without_bubblewrap_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Unusable, match="apt install bubblewrap"):
        Sandbox()


def test_a_machine_that_allows_no_user_namespaces_says_so(monkeypatch, tmp_path):
    refuses = tmp_path / "bwrap"
    refuses.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refuses.chmod(0o755)
    copy = shutil.copy(refuses, tempfile.mkdtemp())
    os.chmod(Path(copy).parent, 0o755)  # noqa: S103  the sandbox runs as nobody where the tests run as root
    monkeypatch.setattr(shutil, "which", lambda name: copy)
    with pytest.raises(Unusable, match="No permissions to create new namespace"):
        Sandbox()


@bwrap
def test_walls_with_a_hole_are_found_before_a_student_finds_it(monkeypatch, listening):
    walls = Sandbox._walls
    monkeypatch.setattr(Sandbox, "_walls", lambda box, folder: [*walls(box, folder)[:-1], "--share-net", "--"])
    with pytest.raises(Unusable, match="lets through the network"):
        Sandbox(port=listening)


@bwrap
def test_a_file_of_ours_that_can_be_seen_is_a_hole():
    with pytest.raises(Unusable, match="lets through /usr/bin"):
        Sandbox(closed=("/usr/bin",))
