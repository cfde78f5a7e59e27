"""What runs on this var/ already: whoever starts the product says its ports there, for a second terminal."""

import contextlib
import fcntl
from pathlib import Path

LOCK = "up.lock"


class RunsAlready(RuntimeError):
    """Another holds this var/."""


@contextlib.contextmanager
def hold(var: Path, ports: dict[str, int]):
    """Hold var/ as long as this lasts, and say these ports to others. Raises RunsAlready."""
    with open(var / LOCK, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready from None
        lock.truncate(0)
        lock.write("".join(f"{name}={port}\n" for name, port in ports.items()))
        lock.flush()
        yield


def ports(var: Path) -> dict[str, str]:
    """The ports of the product that runs on this var/; {} when none does, whatever one that was killed left behind."""
    try:
        with open(var / LOCK) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return dict(line.strip().split("=", 1) for line in lock if "=" in line)
    except OSError:
        pass
    return {}
