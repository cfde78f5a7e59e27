"""Puts the simulator together and serves it, on loopback and nowhere else."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Read by moto when it is imported, so they stand before it.
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "1"
os.environ["MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS"] = "false"
for name in ("MOTO_ACCOUNT_ID", "MOTO_ALLOW_NONEXISTENT_REGION", "TEST_SERVER_MODE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
    os.environ.pop(name, None)

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server  # noqa: E402

from labs.simulator import SECRET_FILE, amendments  # noqa: E402
from labs.simulator.amendments import regions as practice_regions  # noqa: E402
from labs.simulator.gate import Gate  # noqa: E402
from labs.simulator.world import World  # noqa: E402


class NotLoopback(ValueError):
    """The simulator would be reachable from elsewhere: everybody there could use every practice account."""


class PortTaken(OSError):
    """Somebody else listens there already."""


class _Handler(MotoRequestHandler):
    """One line for each call would drown the portal's own log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def make(
    port: int,
    regions: Sequence[str],
    *,
    host: str = "127.0.0.1",
    state_seconds: float = 0.0,
    delay_ms: float = 0.0,
    var: Path | None = None,
) -> tuple[BaseWSGIServer, World]:
    """A server that listens, and its world; `.serve_forever()` is the caller's. Port 0 takes a free one.

    The operator's secret is written to var/simulator.secret (0600) when `var` is given. Raises NotLoopback, PortTaken.
    """
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopback(f"The simulator listens on loopback only (127.0.0.1 or ::1), not on {host}.")
    # Bound here and not by werkzeug, which ends the process when the port is taken.
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"Port {port} of {host} is taken: {error.strerror}.") from error
    listening.listen(128)
    amendments.apply()
    world = World(regions, state_seconds=state_seconds, delay_ms=delay_ms)
    amendments.belong_to(world)
    practice_regions.forget_other_regions(world.regions)
    server = make_server(
        host,
        listening.getsockname()[1],
        Gate(DomainDispatcherApplication(_backend_app), world),
        threaded=True,
        request_handler=_Handler,
        fd=listening.fileno(),
    )
    listening.close()  # the server has a copy of its own
    if var is not None:
        _write_secret(var / SECRET_FILE, world.operator_secret)
    return server, world


def _backend_app(service: Any) -> Any:
    """moto's application for one service. moto itself fails obscurely at a service that it has never heard of."""
    if service is None:
        raise NotImplementedError
    return create_backend_app(service)


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
