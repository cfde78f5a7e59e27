"""The courier: a process apart that hands messages to apprise, and reaches public addresses alone.

A program, not a part of the portal: it knows neither Django nor the database, has none of the portal's environment, and
is ended when it is late (portal/sending.py starts it). Apprise's many plugins read addresses that strangers wrote. So
the rule stands where every one of them has to pass, at the operating system's door: an audit hook sees the peer of
each connection after its name was resolved, whoever resolved it, also after a redirect, and refuses what is not public.

stdin: a line of JSON with limits in seconds, {"each", "all"}; then one line a message: {"n", "address", "title",
"body"}. stdout: a line {"n", "outcome"} as soon as each is known. An address is written nowhere.
"""

import contextlib
import json
import mimetypes
import os
import queue
import ssl
import sys
import threading
from collections import deque
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import monotonic

SENT, UNREADABLE, PRIVATE, REFUSED, NO_ANSWER = "sent", "unreadable", "private", "refused", "no answer"
AT_ONCE = 16

# What `ipaddress` of some Python takes for public, and is not, or leads elsewhere than it says.
NOT_PUBLIC = [
    ip_network(one)
    for one in (
        "100.64.0.0/10",  # shared by carriers (RFC 6598); Alibaba's metadata lies in it
        "168.63.129.16/32",  # Azure's own services, from within a machine of Azure
        "192.0.0.0/24",  # the protocols' own (RFC 6890); Oracle's metadata lies in it
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible (RFC 4291)
        "64:ff9b:1::/48",  # a network's own NAT64 (RFC 8215)
        "100::/64",
        "2001::/23",  # Teredo and others, which carry an IPv4 address within
        "2002::/16",  # 6to4 (RFC 3056), the same
        "5f00::/16",
        "fec0::/10",
    )
]
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are where it goes


def is_public(address: str) -> bool:
    """Whether an IP address, as text, is one of the public internet. What is no IP address is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        within = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None)
        if within:
            return is_public(str(within))
    return found.is_global and not found.is_multicast and not any(found in network for network in NOT_PUBLIC)


def may_reach(peer: object) -> bool:
    """Whether a socket may go to this peer. Names are refused: what they resolve to a moment later nobody has seen."""
    return isinstance(peer, tuple) and len(peer) >= 2 and isinstance(peer[0], str) and is_public(peer[0])


class NotOurs(PermissionError):
    """What a plugin wanted to reach, read or run is none of its business."""


_message = threading.local()
_readable: list[str] = []
TO_A_PEER = {"socket.connect", "socket.sendto", "socket.sendmsg"}
OTHER_PROGRAMS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"}


def guard(event: str, args: tuple) -> None:
    """The audit hook. An address may also name a file as its template, and some plugins start programs: neither."""
    if event in TO_A_PEER:
        if args[1] is not None and not may_reach(args[1]):
            _message.was_private = True
            raise NotOurs("not a public address")
    elif event in OTHER_PROGRAMS:
        raise NotOurs("no other program")
    elif event == "open" and not isinstance(args[0], int):
        path = os.path.realpath(os.fsdecode(args[0]))
        writes = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if writes or not any(path == place or path.startswith(place + os.sep) for place in _readable):
            raise NotOurs("no file of this machine")


def stand_guard() -> None:
    """From here on the guard cannot be taken off. Python's own files and certificates stay readable."""
    mimetypes.init()  # reads /etc
    certificates = ssl.get_default_verify_paths()
    places = [sys.prefix, sys.base_prefix, *sys.path, "/usr/share/zoneinfo", "/etc/ssl", "/etc/pki"]
    places += [certificates.cafile, certificates.capath]
    _readable.extend({os.path.realpath(place) for place in places if place} - {"/"})
    sys.addaudithook(guard)


def hand_over(address: str, title: str, body: str) -> str:
    """Send one message by apprise; answers the outcome. Raises nothing."""
    import apprise

    _message.was_private = False
    try:
        settled = apprise.AppriseAsset(
            storage_mode="memory", allow_templates=False, secure_logging=True, http_redirects=False
        )
        service = apprise.Apprise.instantiate(address, asset=settled)
        if service is None:
            return UNREADABLE
        if service.notify(title=title, body=body, notify_type="info"):
            return SENT
    except Exception:  # noqa: BLE001, S110  a plugin's fault is told as any other no
        pass
    return PRIVATE if _message.was_private else REFUSED


def work_off(messages, *, each, whole, say, send=hand_over):
    """Send the messages, some at once, each with so many seconds, all within the `whole`; say(n, outcome) for each.

    One that is late is said to have no answer, and its thread is left where it waits: it holds up nobody. Of what was
    not begun in time nothing is said.
    """
    done: queue.SimpleQueue = queue.SimpleQueue()
    waiting, under_way, ends = deque(messages), {}, monotonic() + whole

    def one(message):
        done.put((message["n"], send(message["address"], message["title"], message["body"])))

    while waiting or under_way:
        while waiting and len(under_way) < AT_ONCE and monotonic() < ends:
            message = waiting.popleft()
            under_way[message["n"]] = min(monotonic() + each, ends)
            threading.Thread(target=one, args=(message,), daemon=True).start()
        if not under_way:
            return
        with contextlib.suppress(queue.Empty):
            n, outcome = done.get(timeout=max(0.0, min(under_way.values()) - monotonic()))
            if under_way.pop(n, None) is not None:
                say(n, outcome)
        for n in [n for n, until in under_way.items() if until <= monotonic()]:
            del under_way[n]
            say(n, NO_ANSWER)


def main() -> None:
    limits, *messages = [json.loads(line) for line in sys.stdin]
    # What a plugin prints is not an answer of ours.
    answers = os.fdopen(os.dup(1), "w")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    import apprise

    apprise.Apprise.instantiate("json://example.com")  # has all plugins read in, on nobody's time
    stand_guard()

    def say(n, outcome):
        answers.write(json.dumps({"n": n, "outcome": outcome}) + "\n")
        answers.flush()

    work_off(messages, each=limits["each"], whole=limits["all"], say=say)
    os._exit(0)  # threads that still wait for an answer are not waited for


if __name__ == "__main__":
    main()
