"""The portal as granian serves it, with a clock: seconds from the last byte of a request that was read to its answer.

One line for each POST goes into LIGHTSOUT_TIMES/<process id>: the path and milliseconds.
"""

import os
import time
from pathlib import Path

from django.conf import settings

settings.ROOT_URLCONF = "bench.upload_urls"

from portal.wsgi import application as portal  # noqa: E402

OUT = (Path(os.environ["LIGHTSOUT_TIMES"]) / str(os.getpid())).open("a", buffering=1)


class Body:
    """A request's body that knows when something of it was read last."""

    def __init__(self, body):
        self.body, self.read_at = body, time.perf_counter()

    def read(self, *size):
        return self._noted(self.body.read(*size))

    def readline(self, *size):
        return self._noted(self.body.readline(*size))

    def _noted(self, some):
        if some:
            self.read_at = time.perf_counter()
        return some

    def __getattr__(self, name):
        return getattr(self.body, name)


def application(environ, start_response):
    body = environ["wsgi.input"] = Body(environ["wsgi.input"])
    answer = portal(environ, start_response)
    try:
        whole = [b"".join(answer)]
    finally:
        if hasattr(answer, "close"):
            answer.close()
    if environ["REQUEST_METHOD"] == "POST":
        OUT.write(f"{environ['PATH_INFO']} {(time.perf_counter() - body.read_at) * 1000:.2f}\n")
    return whole
