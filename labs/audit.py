"""Who did what: one append-only table for all three apps, written in the transaction of the act itself.

Names are not in it. Whose act it was, and whom it was about, are ids, which still mean something when the person's
name is gone; what is written in words is about the thing. So nothing in here has to be changed, and nothing can be: the
model refuses, and a trigger of the database does (labs/migrations/0011_acts.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.db import connection, models
from django.db.transaction import TransactionManagementError


class AppendOnly(TypeError):
    """Somebody tried to change or delete what is only ever added to."""

    def __init__(self) -> None:
        super().__init__("Acts are only added, never changed or deleted.")


class ActQuerySet(models.QuerySet):
    def update(self, **_: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnly


class Act(models.Model):
    """One thing that somebody did to somebody, or to a class."""

    at = models.DateTimeField(db_index=True)
    # No constraint of the database: the record outlives the row of a person, as of a demo that is laid anew.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        help_text="None: a command on the server, or the portal itself.",
    )
    kind = models.CharField(max_length=20, help_text="What an upper app calls it: role, grade, lights.")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        help_text="Whom it is about.",
    )
    scope = models.CharField(max_length=32, blank=True, default="", db_index=True)
    thing = models.CharField(max_length=80, blank=True, default="", help_text="Its name: LO-2025-000123.")
    words = models.CharField(max_length=500, help_text="What was done, without anybody's name or address.")

    objects = ActQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.kind}: {self.words}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnly


def note(kind: str, words: str, *, by, now: datetime, person=None, scope: str = "", thing: str = "") -> None:
    """Write down an act, within the transaction that does it: both are there, or neither.

    by: a person, or None for a command on the server. person: whom it is about; of both an id does as well. words:
    without names. Raises TransactionManagementError outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("An act is noted in the transaction that does it.")
    who: dict[str, Any] = {"by_id": getattr(by, "pk", by), "person_id": getattr(person, "pk", person)}
    Act.objects.create(at=now, kind=kind, scope=scope, thing=thing[:80], words=words[:500], **who)
