"""What a lab is: one file a lab in this folder, found by `labs/catalog/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from labs.kinds.base import Want

IN_WORDS = {
    "practice": gettext_lazy("practice mode"),
    "shared": gettext_lazy("the bootcamp's account"),
    "own": gettext_lazy("your own account"),
}


@dataclass(frozen=True)
class Checked:
    """What a look into the account said of one step: passed, or what is still missing, in words for the student."""

    passed: bool
    said: str


@dataclass(frozen=True)
class StudentView:
    """What a step's check may look with.

    client(service, region=None): boto3 client of the student's account, in the lab's region by default.
    resources: {key: {"name", "aws_id", "state", **facts}} of this launch, as last seen.
    prefix: what every name begins with that the student gives in this lab. tags: {"student", "lab"}, which they give to
    what has no name in AWS. Both are how it is known whose a thing made by hand is (adopting.py, guardrails.py).
    boundary: ARN of the permissions boundary that every role made in a lab has. mode: the account's, of models.Account.
    """

    client: Callable[..., Any]
    resources: Mapping[str, Mapping[str, Any]]
    region: str
    account_id: str
    prefix: str
    tags: Mapping[str, str]
    boundary: str
    mode: str


@dataclass(frozen=True)
class Step:
    """One step: words to read (Markdown; "{bucket.name}" and the like are filled from resources), and a check.

    Of the launch itself there are "{region}", "{lab.prefix}" (every name that a student gives begins with it),
    "{lab.tag}" and "{lab.student}" (the values of the tags `lab` and `student`), and "{lab.boundary}" for roles.

    check=None only for a step that is done by finishing the lab. expect: what practice mode cannot show, and what to
    expect instead ('' when it shows everything).
    """

    slug: str
    title: str
    body_md: str
    check: Callable[[StudentView], Checked] | None = None
    expect: str = ""
    # What a student does in this step, as code: the instructor's dress rehearsal plays it before it checks.
    play: Callable[[StudentView], None] | None = None
    # How long AWS may work on what was done, until the check can pass: a training job takes minutes. Meanwhile `play`
    # is repeated, as a student does once more what was too early.
    waits_minutes: int = 0


@dataclass(frozen=True)
class Lab:
    slug: str
    title: str
    summary: str  # one or two sentences
    theme: str  # the week's theme it belongs to
    minutes: int  # how long a student needs
    hours: Decimal  # how long it may stay on before the clock deletes it
    wants: tuple[Want, ...]
    steps: tuple[Step, ...]
    modes: tuple[str, ...] = ("practice", "shared", "own")
    # Kinds of which the student makes some by hand, as the steps say: they are looked for while the lab is open, belong
    # to it, and go with it.
    creates: tuple[str, ...] = ()
    # Of what they make, that which costs by the hour: it is in the price before the launch, and nobody else makes it.
    by_hand: tuple[Want, ...] = ()
    # The student's work: (key of a bucket among the wants, beginning of its files' names). What lies there is copied to
    # the student's locker before anything is deleted.
    saves: tuple[tuple[str, str], ...] = ()
    kept: str = gettext_noop("Nothing stays: everything that this lab made is deleted.")
    calls_usd: Decimal = Decimal(0)  # allowance for calls and requests beside the hourly rate
    calls_note: str = ""  # follows "At most $0.16 more before the clock…", and says what of that sum is for calls

    @property
    def modes_words(self) -> str:
        """Where it may run: "practice mode, the bootcamp's account or your own account"."""
        *more, last = (str(IN_WORDS[mode]) for mode in self.modes)
        return _("%(more)s or %(last)s") % {"more": ", ".join(more), "last": last} if more else last

    @property
    def marked_steps(self) -> int:
        """How many of its steps show less in practice mode than at AWS."""
        return sum(bool(step.expect) for step in self.steps)

    @property
    def saved_words(self) -> str:
        """ "models/ and notebooks/"; '' for a lab that saves nothing."""
        return _(" and ").join(dict.fromkeys(prefix for _bucket, prefix in self.saves))
