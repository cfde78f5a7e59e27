"""Whose key it is. A key is known when the portal's root, this simulator's STS or a student's IAM user has it.

moto alone takes an unknown key for its default account, and forgets when a session ends: then a student whose session
is over would go on in an account that is nobody's. Here such a key is refused as AWS refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends

from labs.simulator import PORTAL_ACCOUNT, ROOT_KEY_ID

# The role of a practice account that its student works with (labs/sessions.py).
STUDENT_ROLE = "student"
# How long a session that is over is still told apart from one that never was.
_REMEMBERED = timedelta(hours=6)


@dataclass(frozen=True)
class Holder:
    """What is known of one access key. `session_token` is None for keys without one; `expires_at` None never ends."""

    key_id: str
    secret: str
    account: str
    session_token: str | None = None
    expires_at: datetime | None = None
    # Of a session: the name of its role, its tags, and when it was issued.
    role: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    issued_at: datetime | None = None
    # It was the portal that asked for this session.
    is_from_portal: bool = False

    @property
    def is_portal(self) -> bool:
        return self.key_id == ROOT_KEY_ID

    @property
    def is_students(self) -> bool:
        """A session that the portal gave to a student: not its own, and none that a student made of another."""
        return self.is_from_portal and self.role == STUDENT_ROLE

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


class Keys:
    """The keys of this boot. Not thread-safe by itself: the gate asks under its lock."""

    def __init__(self, root_secret: str) -> None:
        self._root = Holder(ROOT_KEY_ID, root_secret, PORTAL_ACCOUNT)
        self._sessions: dict[str, Holder] = {}

    def holder(self, key_id: str) -> Holder | None:
        """Who has this key, or None when nobody has."""
        if key_id == ROOT_KEY_ID:
            return self._root
        return self._sessions.get(key_id) or self._user(key_id)

    def remember(
        self, role: AssumedRole, now: datetime, tags: Mapping[str, str] | None = None, *, is_from_portal: bool = False
    ) -> None:
        """A session that STS has just given out, with its tags. Sessions long over are forgotten, by moto too."""
        self._sessions[role.access_key_id] = Holder(
            role.access_key_id,
            role.secret_access_key,
            role.account_id,
            role.session_token,
            role.expiration.replace(tzinfo=UTC),
            role.role_arn.rsplit("/", 1)[-1],
            tags or {},
            now,
            is_from_portal,
        )
        for old in [held for held in self._sessions.values() if held.is_over(now - _REMEMBERED)]:
            del self._sessions[old.key_id]
            iam_backends[old.account]["aws"].access_keys.pop(old.key_id, None)
            roles = sts_backends[old.account]["aws"].assumed_roles
            roles[:] = [kept for kept in roles if kept.access_key_id != old.key_id]

    def end_sessions(self, account: str, now: datetime) -> int:
        """Let every session of the account ('' = of all) be over. For tests of what happens then. Answers how many."""
        ended = [held for held in self._sessions.values() if account in ("", held.account) and not held.is_over(now)]
        for held in ended:
            self._sessions[held.key_id] = replace(held, expires_at=now)
        return len(ended)

    def forget(self) -> None:
        self._sessions.clear()

    @staticmethod
    def _user(key_id: str) -> Holder | None:
        """A long-lived key that a student made for an IAM user of the account, as the IAM lab does."""
        for account, partitions in list(iam_backends.items()):
            key = partitions["aws"].access_keys.get(key_id)
            if key is not None and key.user_name and key.status == "Active":
                return Holder(key_id, key.secret_access_key, account)
        return None
