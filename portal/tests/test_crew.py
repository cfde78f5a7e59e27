"""The processes of one machine: started, watched, started again, stopped in order, and none left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from portal.crew import Crew, Fell, Hand

# A process with a child of its own, as a web server with workers: it prints both pids and ends politely when asked.
FAMILY = textwrap.dedent(
    """
    import os, signal, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    def leave(*_):
        child.kill()
        print("leaving", flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    print(os.getpid(), child.pid, flush=True)
    time.sleep(60)
    """
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('no', flush=True); time.sleep(60)"


def python(name, code, **more):
    return Hand(name, [sys.executable, "-c", code], **more)


def is_alive(pid):
    """A zombie is not: it holds nothing and runs nothing, and waits for somebody to take note."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second where it goes between the two calls
        return False


def until_gone(pids, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = [pid for pid in pids if is_alive(pid)]
        if not left:
            return []
        time.sleep(0.05)
    return left


@pytest.fixture
def heard():
    return []


@pytest.fixture
def crew(heard, tmp_path):
    made = Crew(lambda name, line: heard.append((name, line)), cwd=tmp_path)
    yield made
    made.stop([])


def test_every_line_is_passed_on_under_its_name(crew, heard):
    crew.start(python("one", "print('a'); print('b'); import sys; sys.stdout.write('half'); sys.exit(0)"))
    crew.watch(lambda: any("ended" in line for _, line in heard), seconds=10)
    assert heard[:3] == [("one", "a"), ("one", "b"), ("one", "half")]


def test_they_stop_in_order_and_their_children_with_them(crew, heard):
    for name in ("web", "worker", "beat"):
        crew.start(python(name, FAMILY))
    assert crew.watch(lambda: len(heard) == 3, seconds=10)
    pids = [int(pid) for _, line in heard for pid in line.split()]
    heard.clear()
    crew.stop(["beat", "worker", "web"])
    assert heard == [("beat", "leaving"), ("worker", "leaving"), ("web", "leaving")]
    assert until_gone(pids) == []
    assert crew.pids() == {}


def test_who_does_not_stop_when_asked_is_made_to(crew, heard):
    crew.start(python("stubborn", STUBBORN, patience=0.2))
    assert crew.watch(lambda: bool(heard), seconds=10)
    pid = crew.pids()["stubborn"]
    crew.stop(["stubborn"])
    assert until_gone([pid]) == []


def test_who_falls_is_said_so_and_started_again_later_each_time(heard, tmp_path):
    instants = iter(range(100_000))
    crew = Crew(lambda name, line: heard.append(line), cwd=tmp_path, now=lambda: next(instants) / 10)
    crew.start(python("worker", "import sys; sys.exit(3)"))
    crew.watch(lambda: sum("ended" in line for line in heard) == 3, seconds=3000)
    crew.stop([])
    said = [line for line in heard if "ended" in line]
    assert said == [f"ended with code 3; it is started again in {wait} s" for wait in (1, 2, 4)]


def test_who_is_killed_is_there_again(crew, heard):
    crew.start(python("worker", "import time; print('up', flush=True); time.sleep(60)"))
    assert crew.watch(lambda: heard == [("worker", "up")], seconds=10)
    os.kill(crew.pids()["worker"], signal.SIGKILL)
    assert crew.watch(lambda: heard.count(("worker", "up")) == 2, seconds=20)
    assert ("worker", "ended by signal 9; it is started again in 1 s") in heard


def test_a_fall_while_starting_stops_the_start(crew):
    crew.start(python("web", "import sys; sys.exit(1)"))
    with pytest.raises(Fell, match="web ended with code 1"):
        crew.watch(lambda: False, seconds=10, starting=True)


def test_killed_without_a_word_it_leaves_nobody(tmp_path):
    """The kernel ends the children of who was killed by -9; a child with children of its own is asked to take them."""
    parent = textwrap.dedent(
        f"""
        import signal, sys
        from portal.crew import Crew, Hand
        crew = Crew(lambda name, line: print(line, flush=True), cwd="{tmp_path}")
        crew.start(Hand("plain", [sys.executable, "-c", "import os, time; print(os.getpid()); time.sleep(60)"]))
        crew.start(Hand("family", [sys.executable, "-c", {FAMILY!r}], dies_by=signal.SIGTERM))
        crew.watch(lambda: False)
        """
    )
    running = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for _ in range(2) for pid in running.stdout.readline().split()]
    assert len(pids) == 3 and all(map(is_alive, pids))
    running.kill()
    running.wait()
    running.stdout.close()
    assert until_gone(pids) == []
