"""Temporary credentials for a student: an assumed role, at most an hour, made on click and never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from labs import aws, guardrails, ledger
from labs.models import Launch

LONGEST = timedelta(hours=1)
SHORTEST = timedelta(minutes=15)  # STS gives none shorter


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

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id[:4]}…, until {self.expires_at:%H:%M} UTC)"


def credentials(launch: Launch, user, now: datetime) -> Credentials:
    """Credentials of the launch's account for `user`, for at most an hour and not much past the lab's end.

    Raises NoSession when the lab is over or going off; aws.Trouble when AWS does not give them.
    """
    if launch.ended_at or launch.asked_to_end_at:
        raise NoSession("This lab is over or going off. Start it again to get credentials.")
    left = max(SHORTEST, min(LONGEST, launch.expires_at - now))
    answer = aws.assume(
        launch.account,
        student_role(launch.account),
        session_name=f"student-{user.pk}",
        seconds=int(left.total_seconds()),
        tags=guardrails.tags(user.pk, launch.id.hex),
        source_identity=f"student-{user.pk}",
    )
    made = Credentials(
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
        answer["SessionToken"],
        answer["Expiration"].astimezone(UTC),
        launch.region,
        aws.endpoint(launch.account) or "",
    )
    Launch.objects.filter(pk=launch.pk).update(session_at=now)
    ledger.note(
        "credentials", "Temporary credentials were issued", now, launch=launch, account=launch.account, actor=user
    )
    return made


def student_role(account) -> str:
    """The role that a student works with in this account."""
    return f"arn:aws:iam::{account.aws_id}:role/lab/student"
