"""What runs inside the sandbox, by the system's own Python: the part of Lambda that calls a handler.

Standard library only, and nothing of ours: this file is read as text and laid into the sandbox (see sandbox.py). It
sets the limits, loads the handler, calls it once, and writes one JSON document to the descriptor that it was given:
{"answer": ...} or {"error": {"errorType", "errorMessage", "stackTrace"}}, with "peak_kb", the memory that it held.
"""

import importlib
import json
import os
import resource
import sys
import time
import traceback
import types

CALL = "/var/runtime/call.json"
TASK, LAYERS = "/var/task", "/opt"
NO_NETWORK = (
    "Practice mode runs your code without a network: boto3 cannot reach AWS from here. "
    "Read what the function needs from its event, or try it in a real account."
)


class Failed(Exception):
    """The handler could not be loaded, or what it answered cannot be sent. `kind` is AWS's errorType."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class Context:
    """What AWS hands to a handler beside the event."""

    def __init__(self, facts: dict, ends_at: float):
        self.__dict__.update(facts)
        self._ends_at = ends_at
        self.client_context = None
        self.identity = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends_at - time.monotonic()) * 1000))

    def log(self, words: object) -> None:
        sys.stdout.write(str(words))


class Unreachable:
    """A client of boto3 that says, at its first use, why it reaches nothing."""

    def __init__(self, *args: object, **kwargs: object):
        pass

    def __getattr__(self, name: str):
        raise RuntimeError(NO_NETWORK)


def limit(limits: dict) -> None:
    """Hard limits, before a line of the student's code runs. {"RLIMIT_NOFILE": 256}"""
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    # The portal runs on this machine too, and goes before.
    os.nice(10)


def lay_paths() -> None:
    """The function itself first, then its layers, as AWS has them."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[:0] = [TASK, f"{LAYERS}/python", f"{LAYERS}/python/lib/{version}/site-packages"]
    try:
        importlib.import_module("boto3")
    except ImportError:
        # AWS has it for everybody. Functions import it in their first lines: that alone need not fail.
        stand_in = types.ModuleType("boto3")
        stand_in.client = stand_in.resource = stand_in.Session = Unreachable  # type: ignore[attr-defined]
        sys.modules["boto3"] = stand_in


def handler_of(name: str):
    """The callable that "module.function" or "folder/module.function" names. Raises Failed in AWS's words."""
    path, _, function = name.rpartition(".")
    if not path:
        raise Failed("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(path.replace("/", "."))
    except ImportError as error:
        raise Failed("Runtime.ImportModuleError", f"Unable to import module '{path}': {error}") from error
    except SyntaxError as error:
        said = f"Syntax error in module '{path}': {error}"
        raise Failed("Runtime.UserCodeSyntaxError", said) from error
    try:
        return getattr(module, function)
    except AttributeError:
        raise Failed("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{path}'") from None


def told(error: BaseException) -> dict:
    if isinstance(error, Failed):
        return {"errorMessage": str(error), "errorType": error.kind, "stackTrace": []}
    # Without the frames of this file.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    lines = traceback.format_list(frames)
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": lines}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(call: dict, ends_at: float) -> str:
    try:
        answer = handler_of(call["handler"])(call["event"], Context(call["context"], ends_at))
        try:
            return json.dumps({"answer": answer, "peak_kb": peak()})
        except (TypeError, ValueError) as error:
            raise Failed("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    except Exception as error:
        said = told(error)
        sys.stdout.write(f"[ERROR] {said['errorType']}: {said['errorMessage']}\n{''.join(said['stackTrace'])}")
        return json.dumps({"error": said, "peak_kb": peak()})


def main() -> None:
    with open(CALL, encoding="utf-8") as file:
        call = json.load(file)
    ends_at = time.monotonic() + call["timeout"]
    limit(call["limits"])
    os.environ.update(call["environment"])
    lay_paths()
    # stdout is the function's log, so what it answers goes another way.
    with open(int(sys.argv[1]), "w", encoding="utf-8") as out:
        out.write(run(call, ends_at))
    sys.stdout.flush()
    # A thread that was left running does not keep the answer waiting.
    os._exit(0)


if __name__ == "__main__":
    main()
