"""Sending one turn's messages: mail by Django, the rest by the courier, a process apart. Each has an outcome.

Neither waits for the other, nothing here raises what a mail server or a service did, and no address is logged.
"""

import contextlib
import json
import logging
import os
import queue
import smtplib
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from portal import courier

log = logging.getLogger(__name__)

# What the courier is given of our environment. The rest has secrets, and proxies that lead elsewhere than it can see.
HANDED_ON = ("PATH", "LANG", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
TO_START = 15.0  # seconds for Python and apprise on a machine that has other work
NOT_NOW = "not now"  # an outcome beside the courier's: no fault of the address, it waits for the next turn


@dataclass(frozen=True)
class Letter:
    """A message to one channel, ready to be sent. to: a mail address, or an address of apprise's (a secret)."""

    to: str
    title: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self):
        return f"<Letter {self.title!r}>"


class Errand:
    """The courier on its way with some letters. `news()` is what has become known since it was last asked."""

    def __init__(self, letters: Sequence[Letter], *, each: float, whole: float, program=courier.__file__):
        """Starts at once. each, whole: seconds for one letter, and for all; it is ended soon after these."""
        self._waiting, self._is_back = set(range(len(letters))), False
        self._known: queue.SimpleQueue = queue.SimpleQueue()
        self._ends = monotonic() + TO_START + whole
        lines = [{"each": each, "all": whole}] + [
            {"n": n, "address": one.to, "title": one.title, "body": one.body} for n, one in enumerate(letters)
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", str(Path(program))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in HANDED_ON if name in os.environ},
            text=True,
        )
        # A thread of its own: a courier that hangs takes no more of the pipe.
        threading.Thread(target=self._attend, args=(lines,), daemon=True, name="courier").start()

    def _attend(self, lines):
        with contextlib.suppress(OSError, ValueError):  # it was ended
            with self._process.stdin as door:
                door.writelines(json.dumps(line) + "\n" for line in lines)
            with self._process.stdout as answers:
                for answer in answers:
                    known = json.loads(answer)
                    self._known.put((known["n"], known["outcome"]))
        self._known.put(None)

    def news(self, *, wait=False):
        """[(number of the letter, outcome)]. With `wait` all that is to come; what nobody spoke of is NOT_NOW."""
        found = []
        while not self._is_back:
            try:
                one = self._known.get(timeout=max(0.0, self._ends - monotonic()) if wait else 0)
            except queue.Empty:
                break
            self._is_back = one is None
            if one and one[0] in self._waiting:
                self._waiting.discard(one[0])
                found.append(one)
        if wait:
            self.end()
            if self._waiting:
                log.warning("the courier left %d messages for the next turn", len(self._waiting))
            found += [(n, NOT_NOW) for n in sorted(self._waiting)]
            self._waiting.clear()
        return found

    def end(self):
        self._process.kill()
        self._process.wait()


class Mail:
    """The mail server, for one turn. Its own trouble ends the turn for all that is left, and blames no address."""

    def __init__(self, *, whole: float):
        self._ends, self._connection, self._is_out = monotonic() + whole, None, False

    def send(self, letter: Letter) -> str:
        if self._is_out or monotonic() >= self._ends:
            return NOT_NOW
        try:
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
            message = EmailMessage(
                letter.title,
                letter.body,
                settings.DEFAULT_FROM_EMAIL,
                [letter.to],
                connection=self._connection,
                headers=dict(letter.headers),
            )
            self._connection.send_messages([message])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError) as no:
            # ValueError: an address or a header that cannot be written at all.
            log.warning("a mail was not taken: %s", type(no).__name__)
            return courier.REFUSED
        except Exception as trouble:  # noqa: BLE001
            log.warning("mail does not go out, and waits: %s", type(trouble).__name__)
            self._is_out = True
            return NOT_NOW
        return courier.SENT

    def close(self):
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
