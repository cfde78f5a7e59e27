"""Where the simulator listens: on loopback and nowhere else.

Apart from the server, so that a wrong address or a taken port is told before moto is loaded.
"""

from __future__ import annotations

import ipaddress
import socket


class NotLoopback(ValueError):
    """The simulator would be reachable from elsewhere: everybody there could use every practice account."""


class PortTaken(OSError):
    """Somebody else listens there already."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a loopback address; port 0 takes a free one. Raises NotLoopback, PortTaken."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopback(f"The simulator listens on loopback only (127.0.0.1 or ::1), not on {host}.")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise PortTaken(f"Port {port} of {host} is taken: the simulator cannot listen there.") from error
    return listening
