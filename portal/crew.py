"""The processes of one machine, started and stopped together: what `manage.py up` commands.

Everything is done in one thread: a child that is told to die with its parent dies with the thread that began it, and
no thread may hold a lock when a process is forked.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Fell(RuntimeError):
    """A process ended while the others were still being started."""


@dataclass
class Hand:
    """One process of the crew.

    dies_by: the signal that it gets when we are killed without a word: SIGKILL, or SIGTERM where it has children of its
    own to take along. patience: seconds to end by itself when asked, before it is made to.
    """

    name: str
    command: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    dies_by: int = signal.SIGKILL
    patience: float = 10.0


@dataclass
class _Running:
    hand: Hand
    process: subprocess.Popen
    began: float
    falls: int = 0
    unfinished: bytes = b""


class Crew:
    """Starts, watches, restarts and stops hands. `say(name, line)` gets every line that they write."""

    def __init__(self, say: Callable[[str, str], None], *, cwd: Path, now: Callable[[], float] = time.monotonic):
        self._say, self._cwd, self._now = say, cwd, now
        self._running: dict[str, _Running] = {}
        self._again: dict[str, tuple[float, Hand, int]] = {}
        self._ears = selectors.DefaultSelector()

    def start(self, hand: Hand, falls: int = 0) -> None:
        """Start one in a session of its own, so that Ctrl-C reaches us alone, and bound to our life."""
        process = subprocess.Popen(  # noqa: PLW1509  one thread only, see above
            hand.command,
            cwd=self._cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **hand.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_bound_to(os.getpid(), hand.dies_by),
        )
        os.set_blocking(process.stdout.fileno(), False)
        running = _Running(hand, process, self._now(), falls)
        self._running[hand.name] = running
        self._ears.register(process.stdout, selectors.EVENT_READ, running)

    def watch(self, until: Callable[[], bool], *, seconds: float = float("inf"), starting: bool = False) -> bool:
        """Pass on what they write until `until()` or the seconds are over; answers whether it came true.

        One that falls is started again, later each time; while `starting`, it raises Fell instead.
        """
        end = self._now() + seconds
        while not until():
            if self._now() > end:
                return False
            self._listen(0.2)
            for running in [each for each in self._running.values() if each.process.poll() is not None]:
                self._fallen(running, starting)
            for name, (when, hand, falls) in list(self._again.items()):
                if self._now() >= when:
                    del self._again[name]
                    self.start(hand, falls)
        return True

    def stop(self, order: Sequence[str]) -> None:
        """End them one after the other, in this order; whoever is not named, first. Nothing of theirs remains."""
        self._again.clear()
        unnamed = [name for name in self._running if name not in order]
        for name in [*unnamed, *order]:
            running = self._running.get(name)
            if running is not None:
                self._end(running)

    def pids(self) -> dict[str, int]:
        return {name: running.process.pid for name, running in self._running.items()}

    def _end(self, running: _Running) -> None:
        process, end = running.process, self._now() + running.hand.patience
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        while process.poll() is None and self._now() < end:
            self._listen(0.05)
        # The session may hold children of its own: what is left of it goes now, politely asked or not.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._forget(running)

    def _fallen(self, running: _Running, starting: bool) -> None:
        name, code = running.hand.name, running.process.returncode
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        self._forget(running)
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        if starting:
            raise Fell(f"{name} {how}")
        # Who held for a minute is started at once; who falls again and again waits longer, up to half a minute.
        falls = 0 if self._now() - running.began > 60 else running.falls + 1
        wait = min(30.0, 2.0**falls / 2)
        self._say(name, f"{how}; it is started again in {wait:g} s")
        self._again[name] = (self._now() + wait, running.hand, falls)

    def _listen(self, seconds: float) -> None:
        if not self._ears.get_map():
            time.sleep(min(seconds, 0.05))
            return
        for key, _ in self._ears.select(seconds):
            self._hear(key.data)

    def _hear(self, running: _Running) -> None:
        heard = running.process.stdout.read(65536)
        if not heard:
            self._ears.unregister(running.process.stdout)
            return
        *lines, running.unfinished = (running.unfinished + heard).split(b"\n")
        for line in lines:
            self._say(running.hand.name, line.decode("utf-8", "replace").rstrip("\r"))

    def _forget(self, running: _Running) -> None:
        while running.process.stdout in {key.fileobj for key in self._ears.get_map().values()}:
            self._hear(running)
        if running.unfinished:
            self._say(running.hand.name, running.unfinished.decode("utf-8", "replace"))
        running.process.stdout.close()
        del self._running[running.hand.name]


def _bound_to(parent: int, dies_by: int) -> Callable[[], None]:
    """What a child does before it becomes itself: ask the kernel to be ended when its parent is."""

    def bind() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, dies_by)
        if os.getppid() != parent:
            os._exit(1)

    return bind
