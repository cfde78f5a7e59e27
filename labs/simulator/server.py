"""Puts the simulator together: moto as amended, the gate before it, and a threaded server."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Read by moto when it is imported, so they stand before it.
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "1"
os.environ["MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS"] = "false"
# AWS refuses an image, an instance type or a key pair that it does not know.
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"
os.environ["MOTO_ENABLE_KEYPAIR_VALIDATION"] = "true"
# ... and a function whose container image is not in the account's registry.
os.environ["MOTO_LAMBDA_STUB_ECR"] = "false"
for name in ("MOTO_ACCOUNT_ID", "MOTO_ALLOW_NONEXISTENT_REGION", "TEST_SERVER_MODE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
    os.environ.pop(name, None)

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server  # noqa: E402

from labs.simulator import SECRET_FILE, amendments, within  # noqa: E402
from labs.simulator.amendments import regions as practice_regions  # noqa: E402
from labs.simulator.gate import Gate  # noqa: E402
from labs.simulator.outside import Limits  # noqa: E402
from labs.simulator.sandbox import Sandbox, Unusable  # noqa: E402
from labs.simulator.transitions import WORK_SECONDS  # noqa: E402
from labs.simulator.world import World  # noqa: E402


class _Handler(MotoRequestHandler):
    """One line for each call would drown the portal's own log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def make(
    listening: socket.socket,
    regions: Sequence[str],
    *,
    state_seconds: float = 0.0,
    work_seconds: float = WORK_SECONDS,
    delay_ms: float = 0.0,
    var: Path | None = None,
    run_functions: bool = False,
    limits: Limits | None = None,
) -> tuple[BaseWSGIServer, World]:
    """A server on the socket of `listening.listen`, and its world; `.serve_forever()` is the caller's.

    The operator's secret is written to var/simulator.secret (0600) when `var` is given. run_functions: students' code
    is run, if this machine can shut it in; world.told_of_functions() says whether it can. limits: of one student, for
    calls that come through the portal's gateway.
    """
    amendments.apply()
    world = World(regions, state_seconds=state_seconds, work_seconds=work_seconds, delay_ms=delay_ms)
    amendments.belong_to(world)
    practice_regions.forget_other_regions(world.regions)
    host, port = listening.getsockname()[:2]
    if run_functions:
        _prepare_functions(world, var, port)
    gate = Gate(DomainDispatcherApplication(_backend_app), world, limits)
    within.go_through(gate)
    world.clockwork.start()
    server = make_server(host, port, gate, threaded=True, request_handler=_Handler, fd=listening.fileno())
    listening.close()  # the server has a copy of its own
    if var is not None:
        _write_secret(var / SECRET_FILE, world.operator_secret)
    return server, world


def _prepare_functions(world: World, var: Path | None, port: int) -> None:
    """Try the sandbox: against what is ours to hide, and the port that we listen on."""
    ours = (Path(__file__).resolve().parents[2], Path.home(), *([var] if var else []))
    try:
        world.functions = Sandbox(tuple(map(str, ours)), port)
    except Unusable as why:
        world.no_functions = str(why)


def _backend_app(service: Any) -> Any:
    """moto's application for one service. moto itself fails obscurely at a service that it has never heard of."""
    if service is None:
        raise NotImplementedError
    return create_backend_app(service)


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
