"""The web process as students meet it (granian, the whole of the portal), killed again and again with SIGKILL.

`python -m portal.tests.mortal_web PORT KILLS SEED`: serves on the port, kills itself and its workers so many times at
random moments, and then lives until its standard input ends. Django is loaded once, and each life is forked from that:
a new life takes a tenth of a second, and nothing of the one before is in it. One line for each kill.
"""

import os
import random
import signal
import socket
import sys
import time

import puremagic


def main(port: int, kills: int, seed: int) -> None:
    from django.urls import get_resolver

    import portal.wsgi  # noqa: F401  loaded before the fork

    assert get_resolver().url_patterns
    puremagic.magic_string(b"%PDF-1.7\n")  # its tables, too
    dice = random.Random(seed)
    for number in range(kills + 1):
        pid = os.fork()
        if not pid:
            live(port)
        os.setpgid(pid, pid)
        try:
            began = time.monotonic()
            wait_for(port)
            slowness = min(time.monotonic() - began, 0.25)  # of this machine, now: a request takes about as long
            if number == kills:
                print("lives", flush=True)  # noqa: T201
                sys.stdin.read()
            else:
                time.sleep(dice.uniform(0, 4 if number % 10 else 12) * slowness)
        finally:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        print("killed", number + 1, flush=True)  # noqa: T201


def live(port: int) -> None:
    from granian import Granian

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever reads us must not wait for a life that is left over
    serving = {"interface": "wsgi", "address": "127.0.0.1", "port": port, "workers": 1, "blocking_threads": 4}
    Granian("portal.wsgi:application", log_enabled=False, **serving).serve()
    os._exit(0)


def wait_for(port: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit(f"nobody listens on port {port}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
