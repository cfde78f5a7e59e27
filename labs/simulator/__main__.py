"""`python -m labs.simulator`: the simulator alone, without Django. See --help."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from labs.simulator.transitions import WORK_SECONDS


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="labs.simulator", description="The AWS simulator of practice mode, on loopback."
    )
    regions = ["us-east-1", "ap-southeast-1"]
    add_arguments(
        made,
        host="127.0.0.1",
        port=5566,
        regions=regions,
        state_seconds=6.0,
        work_seconds=WORK_SECONDS,
        run_functions=False,
        student_calls=20.0,
        student_body_mb=64,
        student_stored_mb=512,
    )
    made.add_argument("--var", type=Path, help="where simulator.secret is written")
    return made


def add_arguments(
    to: argparse.ArgumentParser,
    *,
    host: str,
    port: int,
    regions: list[str],
    state_seconds: float,
    work_seconds: float,
    run_functions: bool,
    student_calls: float,
    student_body_mb: int,
    student_stored_mb: int,
) -> None:
    """The options that this and `manage.py simulator` share, with the defaults of the one who asks."""
    to.add_argument("--host", default=host, help="127.0.0.1 or ::1; nothing else is taken")
    to.add_argument("--port", type=int, default=port, help="0 takes a free one (default: %(default)s)")
    to.add_argument("--regions", nargs="+", default=regions, metavar="REGION", help="default: %(default)s")
    to.add_argument("--state-seconds", type=float, default=state_seconds, help="how long a state takes (%(default)s)")
    to.add_argument("--work-seconds", type=float, default=work_seconds, help="how long a job works (%(default)s)")
    to.add_argument("--delay-ms", type=float, default=0.0, help="added to every call, as the way to AWS would")
    to.add_argument(
        "--run-functions",
        action="store_true",
        default=run_functions,
        help="run students' Lambda functions on this machine, shut in by bubblewrap (default: they are not run)",
    )

    group = to.add_argument_group("limits of one student, through the portal's gateway")
    group.add_argument("--student-calls", type=float, default=student_calls, help="a second (%(default)s)")
    group.add_argument("--student-body-mb", type=int, default=student_body_mb, help="of one call (%(default)s)")
    group.add_argument("--student-stored-mb", type=int, default=student_stored_mb, help="in S3 (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Serve until asked to stop. Answers the exit code; a wrong host or a taken port is one line on standard error."""
    from labs.simulator.listening import NotLoopback, PortTaken, listen

    try:
        listening = listen(options.host, options.port)
    except (NotLoopback, PortTaken) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    from labs.simulator import SECRET_FILE
    from labs.simulator.server import Limits, make

    server, world = make(
        listening,
        options.regions,
        state_seconds=options.state_seconds,
        work_seconds=options.work_seconds,
        delay_ms=options.delay_ms,
        var=options.var,
        run_functions=options.run_functions,
        limits=Limits(options.student_calls, options.student_body_mb * 2**20, options.student_stored_mb * 2**20),
    )
    signal.signal(signal.SIGTERM, _stop)
    host = f"[{options.host}]" if ":" in options.host else options.host
    sys.stdout.write(f"AWS simulator on http://{host}:{server.port} (boot {world.boot_id})\n")
    if options.run_functions:
        sys.stdout.write(f"{world.told_of_functions()}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    finally:
        if options.var is not None:
            (options.var / SECRET_FILE).unlink(missing_ok=True)
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run(parser().parse_args()))
