"""Which addresses people may give: pure. Services that the operator allows, none on this machine, no options.

An address is a secret: whoever has it can write there. It is shown by its service and its last characters only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from portal.courier import is_public

# Apprise's scheme: what people call the service. Their messages go to one host each, which the address cannot choose.
SERVICES = {
    "tgram": "Telegram",
    "slack": "Slack",
    "discord": "Discord",
    "gchat": "Google Chat",
}
# They need no network: they would show the message on the server, write it into its logs, or start a program there.
ON_THIS_MACHINE = {"blink1", "dbus", "glib", "gio", "gnome", "kde", "macosx", "qt", "syslog", "windows"}
LONGEST = 500

# What the services themselves show people, and what apprise calls it.
COPIED = [
    (r"https://hooks\.slack\.com/services/(\w+)/(\w+)/(\w+)/?", "slack://{}/{}/{}"),
    (r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/(\d+)/([\w-]+)/?", "discord://{}/{}"),
    (
        r"https://chat\.googleapis\.com/v1/spaces/([\w-]+)/messages\?key=([\w-]+)&token=([\w%=-]+)",
        "gchat://{}/{}/{}",
    ),
]
HOST_OF = re.compile(r"(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)")


class NotTaken(ValueError):
    """This address is not taken; the message says why, to the person who gave it, without the address."""


def service_of(address: str) -> str:
    """What people call the service behind an address: "Telegram"; for another than ours its scheme."""
    scheme = address.partition("://")[0]
    return SERVICES.get(scheme, scheme)


def masked(address: str) -> str:
    """ "Telegram, ends in 1f3a": as much as tells one's own addresses apart."""
    if len(address) <= 20:
        return service_of(address)
    return _("%(service)s, ends in %(ends)s") % {"service": service_of(address), "ends": address.rstrip("/")[-4:]}


def read(given: str, allowed: Sequence[str]) -> str:
    """The address as apprise writes it. `allowed`: the schemes that the operator lets people use. Raises NotTaken.

    What a host's name resolves to is not looked at here: it may be another a moment later. The courier looks at each
    connection.
    """
    address = _translated(given.strip())
    services = _(" or ").join(f"{service_of(scheme)} ({scheme}://)" for scheme in allowed)
    if not services:
        raise NotTaken(_("This portal sends mail only."))
    if len(address) > LONGEST or not address.isprintable() or re.search(r"\s", address):
        raise NotTaken(_("An address is one word of at most %(most)s characters.") % {"most": LONGEST})
    scheme, separator, rest = address.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in allowed or scheme in ON_THIS_MACHINE:
        raise NotTaken(_("This portal sends to %(services)s.") % {"services": services})
    if not rest.strip("/"):
        raise NotTaken(_("There is nothing after the two slashes."))
    # Apprise takes options there: other hosts, files of this machine as templates, redirects.
    if re.search(r"[?#\\{}]|%(3f|23|5c|7b|7d)", rest, re.I):
        raise NotTaken(_("Leave out the question mark and what comes after it: options are not taken."))
    if scheme not in SERVICES and _leads_inside(HOST_OF.match(rest).group(1)):
        raise NotTaken(_("That is an address within a network. Messages go to the public internet only."))
    return f"{scheme}://{rest}"


def _translated(given: str) -> str:
    for pattern, written in COPIED:
        found = re.fullmatch(pattern, given)
        if found:
            return written.format(*found.groups())
    return given


def _leads_inside(host: str) -> bool:
    name = host.strip("[]").lower().rstrip(".")
    if re.fullmatch(r"[\d.]+|0x[\da-f.x]+|.*:.*", name):  # an IP address, however it is written
        return not is_public(name)
    return name == "localhost" or name.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))
