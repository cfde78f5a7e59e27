"""The only place that talks to boto3: clients for an account, errors sorted once, one world checked at every answer.

Credentials are always the temporary ones of a role in the account, assumed by the portal's own identity: for a practice
account from the simulator, for shared and own accounts from AWS by the standard chain.
"""

from __future__ import annotations

import json
import logging
import threading
import urllib.error
import urllib.request
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.client import ClientCreator
from botocore.config import Config
from django.conf import settings

from labs import call_counts
from labs.iam_words import CONTROLLER, role_arn, text

# Dummy keys of the simulator's own root: they may assume roles in practice accounts and nothing else.
from labs.simulator import BOOT_HEADER, ROOT_KEY_ID

# Whoever asks AWS says aws.NotThere: what was asked and what came of it are one thing to them.
from labs.troubles import NO_IDENTITY
from labs.troubles import AlreadyThere as AlreadyThere
from labs.troubles import ChangedWorld as ChangedWorld
from labs.troubles import Denied as Denied
from labs.troubles import InTheWay as InTheWay
from labs.troubles import NoAnswer as NoAnswer
from labs.troubles import NotThere as NotThere
from labs.troubles import NotYet as NotYet
from labs.troubles import OurFault as OurFault
from labs.troubles import Refused as Refused
from labs.troubles import Throttled as Throttled
from labs.troubles import Trouble as Trouble
from labs.troubles import is_not_there as is_not_there
from labs.troubles import sorted_trouble as sorted_trouble

log = logging.getLogger(__name__)

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    # One try: retries are the reconciler's, which knows what it may repeat.
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=32,
    user_agent_extra="lightsout",
)
PATIENT = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 4}))


# --- clients -------------------------------------------------------------------------------------------------


@dataclass
class _Keys:
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime

    @classmethod
    def of(cls, credentials) -> _Keys:
        """From STS's `Credentials`."""
        return cls(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
            credentials["Expiration"].astimezone(UTC),
        )


_keys: dict[tuple, _Keys] = {}
# The least lately used first. Each has 120 KB and connections of its own, and another one is made in a millisecond.
_clients: OrderedDict[tuple, Any] = OrderedDict()
_MOST_CLIENTS = 500
_lock = threading.RLock()
_RENEW = timedelta(minutes=10)
# One session for all clients: each would read AWS's descriptions of its services anew, a quarter of a second of CPU a
# client. A session is not made for threads (the clients it makes are), so clients are made one at a time.
_session = boto3.session.Session()
_making = threading.Lock()
_assuming: dict[tuple, threading.Lock] = {}
_classes: dict[str, type] = {}
_make_class = ClientCreator._create_client_class


def _class_of(creator, service_name, service_model):
    """botocore writes a new class for every client, with a method for each of the service's calls: for EC2 17 ms of CPU
    and 1.4 MB, in every account and region. Ours share one a service; other sessions' are left as they are."""
    if creator._event_emitter is not _session._session.get_component("event_emitter"):
        return _make_class(creator, service_name, service_model)
    if service_name not in _classes:
        _classes[service_name] = _make_class(creator, service_name, service_model)
    return _classes[service_name]


ClientCreator._create_client_class = _class_of


def client(account, service, region=None, *, config=CONFIG):
    """A boto3 client of `service` in the account, checked against the account's world. Thread-safe and kept.

    account: labs.models.Account. region: '' or None is the account's first. Raises Denied when the role cannot be
    assumed, NoAnswer when nobody answers, ChangedWorld when the simulator is not the one the account was made in.
    """
    region = region or account.regions[0]
    keys = _keys_for(account)
    at = (account.pk, account.aws_id, account.boot_id, service, region, keys.access_key_id, id(config))
    with _lock:
        if at in _clients:
            _clients.move_to_end(at)
            return _clients[at]
    made = _made(account, service, region, keys, config)
    with _lock:
        kept = _clients.setdefault(at, made)
        while len(_clients) > _MOST_CLIENTS:
            _clients.popitem(last=False)
    return kept


def client_with(credentials, account, service, region=None):
    """A client of these credentials (STS's dict), kept nowhere: for a look at the account as it is at this moment."""
    return _made(account, service, region or account.regions[0], _Keys.of(credentials), PATIENT)


def _made(account, service, region, keys, config):
    with _making:
        made = _session.client(
            service,
            region_name=region,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            endpoint_url=endpoint(account),
            config=config,
        )
    if account.mode == account.PRACTICE:
        made.meta.events.register("after-call", _same_boot(account.boot_id))
    made.meta.events.register("provide-client-params", _counting(account.pk, region))
    return made


def _counting(account: int, region: str):
    def count(model, **_):
        call_counts.count(call_counts.Call(account, region, model.service_model.service_name, model.name))

    return count


def endpoint(account) -> str | None:
    """Where the account's API is: the simulator for practice, AWS itself (None) otherwise. Raises NoAnswer for practice
    on a server without a simulator: without an address boto3 would take the call to AWS."""
    if account.mode != account.PRACTICE:
        return None
    if not settings.SIMULATOR_URL:
        raise NoAnswer("this server has no practice mode")
    return settings.SIMULATOR_URL


def students_endpoint(account) -> str:
    """Where students' own machines reach the account's API: by the portal's gateway in practice, '' for AWS itself."""
    return settings.GATEWAY_URL if endpoint(account) else ""


def forget_clients() -> None:
    """Drop every kept client and credential: after another world was adopted, and in tests."""
    with _lock:
        _clients.clear()
        _keys.clear()


def controller_role(account) -> str:
    """The role that the portal assumes in the account."""
    return account.role_arn or role_arn(account.aws_id, CONTROLLER)


def assume(account, role_arn, *, session_name, seconds=3600, tags=None, source_identity="", policy=None):
    """AssumeRole. Answers STS's `Credentials` dict. Errors are sorted.

    The controller is entered by the portal's own identity, with the account's external id; a student's role by the
    controller, which alone its trust names. In practice everything is done by the simulator's root. policy: the session
    policy, a dict.

    Raises ChangedWorld when the credentials are of another account than the one asked for: the simulator knows
    nothing of unknown keys, and a wrong role would close another account's rows.
    """
    extra: dict = {}
    try:
        if account.mode == account.PRACTICE or role_arn == controller_role(account):
            sts = _own_sts(account)
            if account.external_id:
                extra["ExternalId"] = account.external_id
        else:
            sts = client(account, "sts", config=PATIENT)
    except Exception as error:
        raise sorted_trouble(error) from error
    if policy:
        extra["Policy"] = text(policy)
    if tags:
        extra["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if source_identity:
        extra["SourceIdentity"] = source_identity
    try:
        answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64], DurationSeconds=seconds, **extra)
    except Exception as error:  # sorted, never swallowed
        raise sorted_trouble(error) from error
    arn = answer.get("AssumedRoleUser", {}).get("Arn", "")
    if f"::{account.aws_id}:" not in arn:
        raise ChangedWorld(f"asked for account {account.aws_id}, was answered by {arn or 'nobody'}")
    return answer["Credentials"]


# boto3 has no client of it.
FEDERATION = "https://signin.aws.amazon.com/federation"


def console_link(key_id, secret, session_token, *, destination, issuer) -> str:
    """An address that opens AWS's console with these temporary credentials. Raises Refused and NoAnswer."""
    # No SessionDuration: of a chained session AWS refuses it, and without it the console ends with the credentials.
    session = json.dumps({"sessionId": key_id, "sessionKey": secret, "sessionToken": session_token})
    asked = urlencode({"Action": "getSigninToken", "Session": session})
    try:
        with urllib.request.urlopen(f"{FEDERATION}?{asked}", timeout=10) as answer:  # noqa: S310  AWS's own address
            token = json.load(answer)["SigninToken"]
    except urllib.error.HTTPError as error:
        # Only the number: the address that was asked for holds the credentials.
        said = f"AWS's sign-in page answered {error.code}"
        raise (NoAnswer if error.code >= 500 else Refused)(said) from None
    except (OSError, ValueError, KeyError) as error:
        raise NoAnswer(f"AWS's sign-in page did not answer ({type(error).__name__})") from None
    signed_in = {"Action": "login", "Issuer": issuer, "Destination": destination, "SigninToken": token}
    return f"{FEDERATION}?{urlencode(signed_in)}"


# --- the portal's own identity -----------------------------------------------------------------------------

LONG_LIVED = (
    "the portal's own AWS identity is a long-lived access key: give it a role, Roles Anywhere or SSO (docs/accounts.md)"
)


@dataclass(frozen=True)
class OwnIdentity:
    """Who the portal is at AWS. method: how boto3 found its credentials ("iam-role", "env", "sso" ...; '' for none).
    arn: as STS tells it; '' when it does not, with the reason in `trouble`."""

    method: str = ""
    is_long_lived: bool = False
    arn: str = ""
    trouble: str = ""


def own_identity() -> OwnIdentity:
    """The portal's own identity, as AWS tells it now. Raises nothing."""
    method, is_long_lived = "", False
    try:
        own = _own_session()
        credentials = own.get_credentials()
        if credentials is None:
            return OwnIdentity(trouble=NO_IDENTITY)
        method, is_long_lived = credentials.method, _is_long_lived(credentials)
        sts = own.client("sts", region_name=settings.LAB_REGIONS[0], config=PATIENT)
        return OwnIdentity(method, is_long_lived, sts.get_caller_identity()["Arn"])
    except Exception as error:
        return OwnIdentity(method, is_long_lived, trouble=str(sorted_trouble(error)))


# Of the services asked for by the portal's own identity, AWS has these in one region.
PRICING_REGION = "us-east-1"


def price_list(offer, attributes):
    """Products of AWS's public price list, each a JSON text as GetProducts answers it, page by page.

    offer: AWS's service code ("AmazonEC2"); attributes: what each of them must be ({"regionCode": "us-east-1"}). Asked
    by the portal's own identity, which needs pricing:GetProducts. Raises Trouble, sorted; also between two pages.
    """
    try:
        own = _own_session()
        if _is_long_lived(own.get_credentials()) and not settings.ALLOW_LONG_LIVED_KEY:
            raise Denied(LONG_LIVED)
        pricing = own.client("pricing", region_name=PRICING_REGION, config=PATIENT)
        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
        for page in pricing.get_paginator("get_products").paginate(ServiceCode=offer, Filters=filters):
            yield from page["PriceList"]
    except Trouble:
        raise
    except Exception as error:
        raise sorted_trouble(error) from error


def _own_session():
    """By the standard chain: role of the machine or container, Roles Anywhere, SSO, and last an access key."""
    return boto3.session.Session()


def _is_long_lived(credentials) -> bool:
    # Temporary keys begin with ASIA and have a token.
    return credentials is not None and str(credentials.access_key).startswith("AKIA")


def _own_sts(account):
    practice = account.mode == account.PRACTICE
    at = ("sts", account.mode, account.boot_id if practice else "")
    with _lock:
        if at in _clients:
            return _clients[at]
    if practice:
        url = endpoint(account)
        made = boto3.session.Session().client(
            "sts",
            region_name=settings.PRACTICE_REGIONS[0],
            aws_access_key_id=ROOT_KEY_ID,
            aws_secret_access_key=_root_secret(),
            endpoint_url=url,
            config=PATIENT,
        )
        made.meta.events.register("after-call", _same_boot(account.boot_id))
    else:
        own = _own_session()
        if _is_long_lived(own.get_credentials()) and not settings.ALLOW_LONG_LIVED_KEY:
            raise Denied(LONG_LIVED)
        made = own.client("sts", region_name=account.regions[0], config=PATIENT)
    with _lock:
        return _clients.setdefault(at, made)


def _root_secret() -> str:
    """The secret of the simulator's present start. Raises NoAnswer where there is none that we can read."""
    try:
        secret = settings.SIMULATOR_SECRET_FILE.read_text()
    except OSError as error:
        raise NoAnswer(f"the simulator's secret cannot be read ({error.strerror}): is practice mode running?") from None
    if not secret:
        raise NoAnswer("the simulator is just starting")
    return secret


def _keys_for(account) -> _Keys:
    # Connected anew, its role is another one of the same name: older sessions of it are nobody's.
    at = (account.pk, account.aws_id, account.boot_id, account.connected_at)
    with _lock:
        turn = _assuming.setdefault(at, threading.Lock())
    # Threads that begin together wait for the one that asks: keys of their own would mean clients of their own.
    with turn:
        kept = _keys.get(at)
        if kept and kept.expires_at - datetime.now(UTC) > _RENEW:
            return kept
        keys = _Keys.of(assume(account, controller_role(account), session_name="lightsout-controller"))
        with _lock:
            _keys[at] = keys
    return keys


def _same_boot(expected):
    def check(http_response, **_):
        boot = http_response.headers.get(BOOT_HEADER, "") if http_response is not None else ""
        if boot != expected:
            raise ChangedWorld(f"the simulator was restarted (boot {boot or 'unknown'}, expected {expected or 'none'})")

    return check
