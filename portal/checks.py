"""What would go wrong at run time, said before it starts, in the operator's words.

Registered with Django: `manage.py check`, and every command that starts something, refuses on an error.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Warning, register

from costs import lives
from portal.addresses import ON_THIS_MACHINE

LOCAL_NAMES = {"localhost", "testserver"}
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")


def is_loopback(host):
    """Whether a host name or address reaches this machine only."""
    name = host.strip().strip("[]").lower()
    if name in LOCAL_NAMES or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def exposed():
    """The settings, by name, through which others than this machine could reach us."""
    found = (
        [] if is_loopback(settings.HOST) and settings.HOST else [f"HOST={settings.HOST or '(empty: every address)'}"]
    )
    beyond = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    return found + ([f"ALLOWED_HOSTS={','.join(beyond)}"] if beyond else [])


@register("lightsout")
def only_for_this_machine(**_):
    """Demo people and the key that everybody knows are for loopback."""
    ways_in = exposed()
    if not ways_in:
        return []
    found, where = [], " and ".join(ways_in)
    if settings.DEMO:
        found.append(
            Error(
                f"DEMO is on, and others could reach this portal ({where}). Anybody could sign in as anybody.",
                hint="Set DEMO=0, or leave HOST and ALLOWED_HOSTS at this machine's own (127.0.0.1, localhost).",
                id="lightsout.E001",
            )
        )
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY:
        found.append(
            Error(
                f"SECRET_KEY is the default one, which is public, and others could reach this portal ({where}).",
                hint="Set SECRET_KEY to 50 random characters and keep it: python3 -c "
                '"import secrets; print(secrets.token_urlsafe(50))"',
                id="lightsout.E002",
            )
        )
    if settings.DEBUG:
        found.append(
            Error(
                f"DEBUG is on, and others could reach this portal ({where}). Its error pages show settings and data.",
                hint="Set DEBUG=0.",
                id="lightsout.E003",
            )
        )
    if not settings.BEHIND_HTTPS:
        found.append(
            Warning(
                f"Others can reach this portal ({where}), and BEHIND_HTTPS is off: passwords would travel in clear.",
                hint="Put it behind a proxy that speaks HTTPS and sets X-Forwarded-Proto, then set BEHIND_HTTPS=1.",
                id="lightsout.W001",
            )
        )
    if is_loopback(urlsplit(settings.PUBLIC_URL).hostname or ""):
        found.append(
            Warning(
                f"Others can reach this portal ({where}), and PUBLIC_URL is {settings.PUBLIC_URL}: links in mails and "
                "the address of practice mode would lead students to their own machine.",
                hint="Set PUBLIC_URL to the address that people type, as in https://lightsout.example.org.",
                id="lightsout.W002",
            )
        )
    return found


def about_database(database):
    """What is wrong with a value of DATABASES, as DATABASE_URL was read into it."""
    engine = database["ENGINE"].rsplit(".", 1)[-1]
    if engine not in ("sqlite3", "postgresql"):
        return [
            Error(
                f"DATABASE_URL names a database of the type {engine!r}. Lightsout runs on PostgreSQL or SQLite.",
                hint="Write DATABASE_URL=postgres://USER:PASSWORD@HOST:5432/NAME, or leave it out for SQLite in var/.",
                id="lightsout.E010",
            )
        ]
    if engine == "postgresql" and not database.get("NAME"):
        return [
            Error(
                "DATABASE_URL names no database.",
                hint="The name comes last: postgres://USER:PASSWORD@HOST:5432/NAME.",
                id="lightsout.E011",
            )
        ]
    return []


def about_broker(redis_url, on_sqlite):
    """What is wrong with REDIS_URL, given whether the ledger is in SQLite."""
    if redis_url and urlsplit(redis_url).scheme not in ("redis", "rediss", "redis+socket"):
        return [
            Error(
                "REDIS_URL does not begin with redis:// or rediss://.",
                hint="Write REDIS_URL=redis://HOST:6379/0, or leave it out for the embedded broker.",
                id="lightsout.E012",
            )
        ]
    if redis_url and on_sqlite:
        return [
            Warning(
                "REDIS_URL is set and DATABASE_URL is not: the ledger is in SQLite under var/, on this machine only.",
                hint="For more than one machine set DATABASE_URL too.",
                id="lightsout.W010",
            )
        ]
    return []


def about_address(name, value):
    """What is wrong with a setting that should be a web address in full."""
    url = urlsplit(value)
    if url.scheme in ("http", "https") and url.hostname:
        return []
    return [
        Error(
            f"{name} is {value!r}: not a web address.",
            hint=f"Write it in full, as in {name}=https://lightsout.example.org.",
            id="lightsout.E013",
        )
    ]


@register("lightsout")
def addresses(**_):
    """DATABASE_URL, REDIS_URL, PUBLIC_URL and SIMULATOR_URL must be what they look like."""
    return [
        *about_database(settings.DATABASES["default"]),
        *about_broker(settings.REDIS_URL, settings.ON_SQLITE),
        *about_address("PUBLIC_URL", settings.PUBLIC_URL),
        *(about_address("SIMULATOR_URL", settings.SIMULATOR_URL) if settings.SIMULATOR_URL else []),
    ]


@register("lightsout")
def simulator_stays_here(**_):
    """The simulator believes anybody who reaches it: it must listen on this machine only."""
    host = urlsplit(settings.SIMULATOR_URL).hostname or ""
    if not settings.SIMULATOR_URL or is_loopback(host):
        return []
    return [
        Warning(
            f"SIMULATOR_URL is on another machine ({host}). The AWS simulator has no passwords of its own.",
            hint="Keep it in a network that only Lightsout's own processes can reach.",
            id="lightsout.W020",
        )
    ]


@register("lightsout")
def regions(**_):
    found = []
    for name in ("LAB_REGIONS", "PRACTICE_REGIONS"):
        value = getattr(settings, name)
        wrong = [region for region in value if not REGION.fullmatch(region)]
        if wrong or not value:
            found.append(
                Error(
                    f"{name} holds {', '.join(map(repr, wrong))}: not the name of an AWS region."
                    if wrong
                    else f"{name} is empty: labs need at least one region.",
                    hint=f"Write regions as AWS does, with commas between: {name}=us-east-1,ap-southeast-1.",
                    id="lightsout.E030",
                )
            )
    unseen = [region for region in settings.LAB_REGIONS if region not in settings.PRACTICE_REGIONS]
    if unseen and not found:
        found.append(
            Error(
                f"LAB_REGIONS has {', '.join(unseen)}, which PRACTICE_REGIONS lacks: labs there would never be seen.",
                hint=f"Set PRACTICE_REGIONS={','.join([*settings.PRACTICE_REGIONS, *unseen])}.",
                id="lightsout.E031",
            )
        )
    return found


@register("lightsout")
def identity_at_aws(**_):
    """PORTAL_ROLE_ARN, TEMPLATE_URL and ALLOW_LONG_LIVED_KEY: all empty where there is practice mode alone."""
    found = []
    if settings.PORTAL_ROLE_ARN and not ROLE.fullmatch(settings.PORTAL_ROLE_ARN):
        found.append(
            Error(
                f"PORTAL_ROLE_ARN is {settings.PORTAL_ROLE_ARN!r}: not the ARN of a role.",
                hint="Write the role that the portal runs as, not a session of it: arn:aws:iam::123456789012:role/NAME "
                "(docs/accounts.md).",
                id="lightsout.E040",
            )
        )
    if settings.TEMPLATE_URL:
        found += about_address("TEMPLATE_URL", settings.TEMPLATE_URL)
    if settings.ALLOW_LONG_LIVED_KEY:
        found.append(
            Warning(
                "ALLOW_LONG_LIVED_KEY is on: the portal may work at AWS with an access key that never ends.",
                hint="Give it a role, Roles Anywhere or SSO instead (docs/accounts.md), and delete the key.",
                id="lightsout.W040",
            )
        )
    return found


@register("lightsout")
def left_on_policy(**_):
    """LEFT_ON_POLICY must be one that there is."""
    if settings.LEFT_ON_POLICY in lives.LEVELS:
        return []
    return [
        Error(
            f"LEFT_ON_POLICY is {settings.LEFT_ON_POLICY!r}: not one of {', '.join(lives.LEVELS)}.",
            hint="It says what is done about what was left on and is no cohort's (docs/forgotten.md).",
            id="lightsout.E050",
        )
    ]


@register("lightsout")
def social_sign_in(**_):
    """Of a provider's two settings both or neither."""
    return [
        Error(
            f"Of {name.upper()}_CLIENT_ID and {name.upper()}_CLIENT_SECRET one is missing: nobody could sign in by it.",
            hint="Set both, as the provider shows them, or neither (docs/people.md).",
            id="lightsout.E070",
        )
        for name, keys in settings.SOCIAL_KEYS.items()
        if any(keys) and not all(keys)
    ]


@register("lightsout")
def where_notices_go(**_):
    """NOTICE_SCHEMES: schemes of apprise's, none that ends on this machine."""
    found = []
    for scheme in settings.NOTICE_SCHEMES:
        if scheme in ON_THIS_MACHINE:
            said = f"NOTICE_SCHEMES has {scheme}, which would show students' notices on this machine."
        elif not re.fullmatch(r"[a-z0-9_-]{1,20}", scheme):
            said = f"NOTICE_SCHEMES has {scheme!r}, which is no scheme."
        else:
            continue
        hint = "Write what stands before :// in apprise's addresses, with commas between: NOTICE_SCHEMES=tgram,slack."
        found.append(Error(said, hint=hint, id="lightsout.E060"))
    return found
