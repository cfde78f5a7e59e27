"""Accounts that the last census could not wholly look into: one sentence for all of them, the details in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from costs.kinds import title_of
from costs.retelling import retold

# The census writes this one too, in English (labs/troubles.py): it is compared before it is said in any language.
NO_ANSWER = gettext_noop("AWS did not answer")
NOT_YET = gettext_noop("Nobody has looked yet: a new account is looked through within a quarter of an hour")
# What the census writes of one list that it could not read: "ec2-instance in us-east-1: AWS did not answer (Timeout)".
PART = re.compile(r"^(?P<kind>[a-z0-9-]+) in (?P<region>[a-z0-9-]+): (?P<why>.+)$")
NAMED = 3  # so many kinds are named, more are counted


@dataclass(frozen=True)
class Unseen:
    """One account, when it was last seen whole (None: never), and the census's own words for what it could not read."""

    name: str
    seen_at: datetime | None
    trouble: str

    @property
    def is_silent(self) -> bool:
        """AWS answered nothing of what could not be read. The words are cut at their end: the last may be a stub."""
        parts = self.trouble.split("; ")
        whole = parts[:-1] if len(parts) > 1 else parts
        return all(NO_ANSWER in part for part in whole)

    @property
    def why(self) -> list[str]:
        """A sentence for each reason: "AWS did not answer: 14 kinds of resources in ap-southeast-1 and us-east-1"."""
        places: dict[str, tuple[list[str], list[str]]] = {}
        for part in self.trouble.split("; "):
            found = PART.match(part)
            why, kind, region = (found["why"], found["kind"], found["region"]) if found else (part, "", "")
            # A class of Python's is no word for people.
            why = NO_ANSWER if why.startswith(NO_ANSWER) else why
            kinds, regions = places.setdefault(why, ([], []))
            kinds += [title_of(kind)] if kind and title_of(kind) not in kinds else []
            regions += [region] if region and region not in regions else []
        # A stub at the end of words that were cut says nothing.
        told = {why: place for why, place in places.items() if place[0] or len(places) == 1}
        return [_sentence(why, *place) for why, place in told.items()]


@dataclass(frozen=True)
class UnseenAccounts:
    accounts: list[Unseen]

    def __len__(self) -> int:
        return len(self.accounts)

    @property
    def are_silent(self) -> bool:
        return all(one.is_silent for one in self.accounts)

    @property
    def since(self) -> datetime | None:
        """When the first of them was last seen whole; None when one never was."""
        seen = [one.seen_at for one in self.accounts]
        return None if None in seen else min((at for at in seen if at), default=None)


def _sentence(why: str, kinds: list[str], regions: list[str]) -> str:
    said = retold(why)
    if not kinds:
        return said
    number = {"number": len(kinds)}
    what = ", ".join(kinds) if len(kinds) <= NAMED else _("%(number)s kinds of resources or more") % number
    return _("%(why)s: %(what)s in %(regions)s") % {"why": said, "what": what, "regions": _(" and ").join(regions)}
