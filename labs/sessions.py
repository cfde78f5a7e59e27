"""Temporary credentials for a student: an assumed role, at most an hour, made on click and never stored.

A launch may also have a token: a secret of ours, good for nothing but to fetch such credentials while the lab is on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import admitting, aws, guardrails, ledger
from labs.iam_words import Document, role_arn
from labs.models import Launch
from labs.retelling import retold

LONGEST = timedelta(hours=1)
SHORTEST = timedelta(minutes=15)  # STS gives none shorter
OVER = gettext_lazy("This lab is over or going off. Start it again to get credentials.")
PROFILE = "lightsout"  # what students' files of the AWS command call it


class NoSession(Exception):
    """Why no credentials are given, in words for the person who asked."""


@dataclass(frozen=True)
class Credentials:
    """Temporary AWS credentials. Shown once; never stored, logged or put in an event."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime
    region: str
    endpoint_url: str  # '' for AWS itself

    def as_env(self) -> dict[str, str]:
        """{variable: value} as the AWS CLI and boto3 read them."""
        env = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        return env | ({"AWS_ENDPOINT_URL": self.endpoint_url} if self.endpoint_url else {})

    def as_profile(self) -> str:
        """A section of ~/.aws/credentials."""
        facts = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
            **where(self.region, self.endpoint_url),
        }
        return _section(PROFILE, facts)

    def as_process(self) -> dict[str, str | int]:
        """What a credential_process answers, as the AWS command and the SDKs expect it."""
        return {
            "Version": 1,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": f"{self.expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id[:4]}…, until {self.expires_at:%H:%M} UTC)"


def credentials(launch: Launch, user, now: datetime) -> Credentials:
    """Credentials of the launch's account for `user` who asked for them, for at most an hour and not much past the
    lab's end. Raises NoSession when the lab is over or going off; aws.Trouble when AWS does not give them.
    """
    made = _assumed(launch, user, now)
    ledger.note(
        "credentials", "Temporary credentials were issued", now, launch=launch, account=launch.account, actor=user
    )
    return made


def _assumed(launch: Launch, user, now: datetime) -> Credentials:
    if launch.account.mode == launch.account.SHARED and (why := admitting.why_not_yet(launch, user.pk, now)):
        raise NoSession(why)
    # Written down before they exist: a lab that is asked to end from here on is fenced off first (ending.py).
    if not _that_is_on(launch).update(session_at=now):
        raise NoSession(OVER)
    left = max(SHORTEST, min(LONGEST, launch.expires_at - now))
    answer = aws.assume(
        launch.account,
        student_role(launch, user.pk),
        session_name=f"student-{user.pk}",
        seconds=int(left.total_seconds()),
        tags=guardrails.tags(user.pk, launch.id.hex),
        source_identity=f"student-{user.pk}",
        policy=_session_policy(launch),
    )
    # The fence may have been put up while AWS made these, and would be older than they are.
    if not _that_is_on(launch).exists():
        raise NoSession(OVER)
    return Credentials(
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
        answer["SessionToken"],
        answer["Expiration"].astimezone(UTC),
        launch.region,
        aws.students_endpoint(launch.account),
    )


# --- the token with which the aws command fetches them by itself ------------------------------------------------


def new_token(launch: Launch, user, now: datetime) -> str:
    """A token of the launch, told this once and kept as its hash; the one before it ends. Raises NoSession."""
    token = secrets.token_urlsafe(32)
    if not _that_is_on(launch).update(token_sha256=_hash(token)):
        raise NoSession(OVER)
    words = "A token for the aws command was made; an earlier one does not work any more"
    ledger.note("token", words, now, launch=launch, account=launch.account, actor=user)
    return token


def fetched(token: str, now: datetime) -> Credentials:
    """Credentials for whoever has the token of a launch that is on. Raises NoSession, and aws.Trouble.

    The aws command asks at each of its calls, so only the first of them makes an event; CloudTrail has them all.
    """
    launch = launch_of(token)
    made = _assumed(launch, launch.owner, now)
    words = "The aws command fetches temporary credentials with this lab's token"
    ledger.note_once("fetched", words, now, launch=launch, account=launch.account)
    return made


def launch_of(token: str) -> Launch:
    """The launch whose token this is. Raises NoSession when it is nobody's, or its lab or its owner's time is over."""
    on = Launch.objects.open().filter(asked_to_end_at=None, owner__is_active=True)
    launch = on.filter(token_sha256=_hash(token)).select_related("account", "owner").first()
    if launch is None:
        raise NoSession(
            _(
                "This token opens no lab: the lab is over, or a newer token was made. Make one on the lab's page, "
                "under Get temporary credentials."
            )
        )
    return launch


def config_of(launch: Launch, fetch: str) -> str:
    """A section of ~/.aws/config with which the aws command fetches credentials by the command `fetch`."""
    facts = {"credential_process": fetch, **where(launch.region, aws.students_endpoint(launch.account))}
    return _section(f"profile {PROFILE}", facts)


def where(region: str, endpoint_url: str) -> dict[str, str]:
    """The lines of a profile that say where the API is; endpoint_url '' is AWS itself."""
    return {"region": region} | ({"endpoint_url": endpoint_url} if endpoint_url else {})


def _section(name: str, facts: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in facts.items())]) + "\n"


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _that_is_on(launch: Launch):
    return Launch.objects.open().filter(pk=launch.pk, asked_to_end_at=None)


# --- the console ----------------------------------------------------------------------------------------------


def console_link(launch: Launch, user, now: datetime, *, issuer: str) -> str:
    """An address that signs `user` in to AWS's console with the lab's session, for at most an hour. It is a secret, and
    good for a quarter of an hour. issuer: the page that AWS leads back to when the session is over.

    Raises NoSession in practice mode, which has no console, and as `credentials` does.
    """
    if launch.account.mode == launch.account.PRACTICE:
        raise NoSession(_("Practice mode has no console: its account exists on this server only."))
    made = _assumed(launch, user, now)
    home = f"https://{made.region}.console.aws.amazon.com/console/home?region={made.region}"
    link = aws.console_link(
        made.access_key_id, made.secret_access_key, made.session_token, destination=home, issuer=issuer
    )
    ledger.note("console", "A link to AWS's console was made", now, launch=launch, account=launch.account, actor=user)
    return link


def _session_policy(launch: Launch) -> Document | None:
    """What holds a session to its lab, where students share an account. Raises NoSession when its limits cannot be
    used any more."""
    if launch.account.mode != launch.account.SHARED:
        return None
    try:
        return guardrails.session_policy(launch.rules(), launch.id.hex)
    except ValueError as why:
        raise NoSession(_("%(why)s Ask your instructor.") % {"why": retold(str(why))}) from why


def student_role(launch: Launch, student: int) -> str:
    """The role that a student (their number) works with in this lab. A practice account has one student."""
    if launch.account.mode == launch.account.PRACTICE:
        return role_arn(launch.account.aws_id, "student")
    return guardrails.student_role(launch.account.aws_id, student, launch.limited_scope)
