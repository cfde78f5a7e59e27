"""The people of some scopes, as pages about money know them: whoever has an account, a lab or a cost there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext_lazy

from costs.models import Budget, DailySpend
from labs.models import Account, Launch
from labs.rehearsal import REHEARSERS


@dataclass(frozen=True)
class Person:
    pk: int | None
    name: str
    email: str = ""

    def __str__(self) -> str:
        return str(self.name)

    @property
    def initials(self) -> str:
        words = self.name.split()
        letters = [words[0][0], words[-1][0]] if len(words) > 1 else [self.name[:1] or "?"]
        return "".join(letters).upper()


# Lazily, as good as a str: whoever reads it has it in their language.
NOBODY = Person(None, gettext_lazy("Nobody’s"))  # type: ignore[arg-type]


def known_in(scopes: Iterable[str]) -> Q:
    """Of users: those who have an account, a lab, a cost or a budget there."""
    keys, known = list(scopes), Q()
    for model in (Account, Launch, DailySpend, Budget):
        known |= Q(pk__in=model._default_manager.filter(scope__in=keys, owner__isnull=False).values("owner"))
    return known


def people_of(scopes: Iterable[str], lit: Iterable[int | None] = ()) -> list[Person]:
    """By name. One query. A dress rehearsal is nobody; only while a light of it is on (its owner is in `lit`) it has a
    line, so that no light is without one."""
    is_real = ~Q(email__regex=REHEARSERS) | Q(pk__in=[pk for pk in lit if pk])
    found = get_user_model().objects.filter(known_in(scopes), is_real)
    return sorted((Person(user.pk, str(user), user.email) for user in found), key=lambda person: person.name.casefold())
