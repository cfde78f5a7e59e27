"""Calling a Lambda function: now, for one who waits for the answer, or soon, for an event that nobody waits for.

Code runs in the sandbox where the operator turned that on, and nowhere else. The world's lock is given away while it
runs; what it did is then counted in CloudWatch and written into the function's log, as AWS does.
"""

from __future__ import annotations

import json
import logging
import threading
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from moto.awslambda.models import LambdaFunction

from labs.simulator import NOT_IN_PRACTICE
from labs.simulator.amendments import the_world
from labs.simulator.counting import count
from labs.simulator.refusals import Refused
from labs.simulator.sandbox import AT_ONCE, BadArchive, Busy, Job, Outcome

log = logging.getLogger(__name__)

# Events that wait for a function. More are dropped, and counted as throttled.
WAITING = 100
_soon = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="functions")
_waiting = threading.Semaphore(WAITING)
_under_way: set[Future[None]] = set()


def why_not(function: LambdaFunction) -> str:
    """Why practice mode does not run this function, in words for its owner; '' when it does."""
    world = the_world()
    if world.functions is None:
        return f"Practice mode does not run code here: {world.no_functions}. On AWS this function runs."
    if function.package_type == "Image":
        return "Practice mode runs no container images. On AWS this function runs."
    if not str(function.run_time).startswith("python"):
        return f"Practice mode runs Python only, and not {function.run_time}. On AWS this function runs."
    return ""


def invoke(function: LambdaFunction, event: Any) -> Outcome:
    """Run it now. The caller holds the world's lock once, and holds it again afterwards.

    Raises Refused in AWS's words where it cannot run: nothing runs code here, it is not ready yet, it is throttled.
    """
    world, why = the_world(), why_not(function)
    if world.functions is None or why:
        _write(function, why)  # who asked finds it where AWS would tell of the call
        raise Refused(NOT_IN_PRACTICE, why, 501)
    if function.state == "Pending":
        why = (
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
        raise Refused("ResourceConflictException", why, 409)
    if function.reserved_concurrency == 0:
        _count(function, "Throttles")
        raise Refused("TooManyRequestsException", "Rate Exceeded.", 429)
    job, boot_id = _job(function, event), world.boot_id
    try:
        with world.let_others_in():
            outcome = world.functions.run(job)
    except Busy as busy:
        _count(function, "Throttles")
        raise Refused("TooManyRequestsException", "Rate Exceeded.", 429) from busy
    except BadArchive as bad:
        raise Refused("InvalidZipFileException", f"Could not unzip uploaded file: {bad}", 502) from bad
    if world.boot_id == boot_id:  # another world would count it for nobody
        _record(function, job, outcome)
    return outcome


def invoke_soon(function: LambdaFunction, event: Any) -> bool:
    """Let it run in the background. False when it cannot run at all; then its log says why."""
    if why := why_not(function):
        _write(function, why)
        return False
    if not _waiting.acquire(blocking=False):
        _count(function, "Throttles")
        return False
    run = _soon.submit(_run_soon, the_world().boot_id, function, event)
    _under_way.add(run)
    run.add_done_callback(_under_way.discard)
    return True


def wait(seconds: float) -> bool:
    """Wait until the background is idle, so many seconds at most. For tests."""
    return not futures.wait(_under_way.copy(), seconds).not_done


def _run_soon(boot_id: str, function: LambdaFunction, event: Any) -> None:
    _waiting.release()
    world = the_world()
    with world.lock:
        if world.boot_id != boot_id:
            return  # it was of a world that is gone
        try:
            invoke(function, event)
        except Refused as no:
            _write(function, no.message)
        except Exception:
            log.exception("the simulator failed at an event for %s", function.function_name)


def _job(function: LambdaFunction, event: Any) -> Job:
    facts = {
        "function_name": function.function_name,
        "function_version": str(function.version),
        "invoked_function_arn": function.function_arn,
        "memory_limit_in_mb": str(function.memory_size),
        "aws_request_id": str(uuid4()),
        "log_group_name": function.logs_group_name,
        "log_stream_name": "",
    }
    environment = {
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_REGION": function.region,
        "LAMBDA_TASK_ROOT": "/var/task",
        "_HANDLER": str(function.handler),
    }
    return Job(
        archive=function.code_bytes,
        handler=str(function.handler),
        event=event,
        layers=function.__dict__["layer_archives"],  # see amendments/functions.py
        environment={**environment, **function.environment_vars},
        context=facts,
        memory_mb=int(function.memory_size),
        timeout=float(function.timeout),
        owner=function.account_id,
    )


def _record(function: LambdaFunction, job: Job, outcome: Outcome) -> None:
    """In CloudWatch, and in the log group that appears by itself."""
    _count(function, "Invocations")
    _count(function, "Errors", int(outcome.failed))
    _count(function, "Duration", outcome.seconds * 1000, "Milliseconds")
    _write(function, told(job, outcome))


def told(job: Job, outcome: Outcome) -> str:
    """The lines of one call in the function's log."""
    request = f"RequestId: {job.context['aws_request_id']}"
    ms = outcome.seconds * 1000
    report = [f"REPORT {request}", f"Duration: {ms:.2f} ms", f"Billed Duration: {int(ms) + 1} ms"]
    report += [f"Memory Size: {job.memory_mb} MB", f"Max Memory Used: {outcome.peak_mb} MB"]
    failed = [json.loads(outcome.answer)["errorMessage"]] if outcome.failed and not outcome.logs else []
    lines = [f"START {request} Version: {job.context['function_version']}", *outcome.logs.splitlines(), *failed]
    return "\n".join([*lines, f"END {request}", "\t".join(report)])


def _write(function: LambdaFunction, lines: str) -> None:
    function.logs_backend.ensure_log_group(function.logs_group_name)
    function.save_logs(lines)


def _count(function: LambdaFunction, metric: str, value: float = 1, unit: str = "Count") -> None:
    of = {"FunctionName": function.function_name}
    count(function.account_id, function.region, f"AWS/Lambda {metric}", of, value, unit)
