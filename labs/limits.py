"""PURE: how much of an account one cohort may use, regions and types of machines; and whether AWS holds it to that.

The portal starts no lab that needs more (every kind of account). In a shared account AWS holds the cohort as well, once
the account's owner has made the cohort's own documents (stack_template.cohort_template).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs.guardrails import EC2_TYPE, SAGEMAKER_TYPE, Rules
from labs.iam_words import Document
from labs.policy_evaluator import as_list

if TYPE_CHECKING:
    from labs.catalog.base import Lab

# In which statement of the documents each list stands, and under which condition key.
STANDS_IN = {
    "regions": ("OnlyTheseRegions", "aws:RequestedRegion"),
    "instance_types": ("OnlyTheseTypes", "ec2:InstanceType"),
    "sagemaker_types": ("OnlyTheseMachines", "sagemaker:InstanceTypes"),
}


@dataclass(frozen=True)
class Limits:
    """What a cohort may use. An empty list: all that its account allows. Raises ValueError with all that is wrong.

    instance_types may name one that no student may start but a lab has the portal start: a cluster's machines.
    """

    regions: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    sagemaker_types: tuple[str, ...] = ()

    def __post_init__(self):
        Rules(**self._chosen())

    def __bool__(self) -> bool:
        return bool(self._chosen())

    @classmethod
    def read(cls, kept: Mapping[str, Iterable[str]]) -> Limits:
        """As they were kept by as_json."""
        return cls(**{name: tuple(values) for name, values in kept.items()})

    def as_json(self) -> dict[str, list[str]]:
        """{list: entries} of the lists that are not empty."""
        return {name: list(values) for name, values in self._chosen().items()}

    def of(self, rules: Rules) -> Rules:
        """The rules of an account, narrowed to these. Raises ValueError in words when nothing of a list is left."""
        left: dict[str, Any] = {
            name: tuple(one for one in getattr(rules, name) if one in chosen) for name, chosen in self._chosen().items()
        }
        for name, values in left.items():
            if not values:
                words = _("The account allows none of the cohort's %(list)s (%(chosen)s), but %(allowed)s.")
                chosen, allowed = ", ".join(getattr(self, name)), ", ".join(getattr(rules, name))
                raise ValueError(words % {"list": WORDS[name], "chosen": chosen, "allowed": allowed})
        return replace(rules, **left)

    def why_not(self, lab: Lab, region: str) -> str:
        """Why a lab in that region is more than these allow, in words for whoever asked; '' when it is not."""
        for name, beyond in self.beyond(lab, region).items():
            words = _("%(lab)s needs %(needed)s. Your cohort's %(list)s: %(chosen)s.")
            needed, chosen = ", ".join(beyond), ", ".join(getattr(self, name))
            return words % {"lab": lab.title, "needed": needed, "list": WORDS[name], "chosen": chosen}
        return ""

    def beyond(self, lab: Lab, region: str) -> dict[str, list[str]]:
        """{list: what a lab in that region needs that these do not allow}; {} when it may start."""
        needed = {"regions": [region], **machines_of(lab)}
        lacking = {name: [one for one in needed[name] if one not in chosen] for name, chosen in self._chosen().items()}
        return {name: entries for name, entries in lacking.items() if entries}

    def _chosen(self) -> dict[str, Any]:
        return {name: values for name, values in asdict(self).items() if values}


LISTS = tuple(field.name for field in fields(Limits))
WORDS = {
    "regions": gettext_lazy("regions"),
    "instance_types": gettext_lazy("EC2 types"),
    "sagemaker_types": gettext_lazy("SageMaker types"),
}


def limits_of(rules: Rules) -> Limits:
    """The three lists of an account's rules."""
    return Limits(**{name: getattr(rules, name) for name in LISTS})


def machines_of(lab: Lab) -> dict[str, list[str]]:
    """{"instance_types": [...], "sagemaker_types": [...]} that the lab and its student start."""
    types = sorted({str(want.params.get("type", "")) for want in (*lab.wants, *lab.by_hand)})
    return {
        "instance_types": [one for one in types if EC2_TYPE.fullmatch(one)],
        "sagemaker_types": [one for one in types if SAGEMAKER_TYPE.fullmatch(one)],
    }


def is_held(lab: Lab, region: str, rules: Rules, held: Limits) -> bool:
    """Whether AWS, which holds a cohort to `held`, allows no more than its rules, and of them what the lab needs."""
    needed = {"regions": [region], **machines_of(lab)}
    for name in LISTS:
        allowed, by_aws = set(getattr(rules, name)), set(getattr(held, name))
        if not by_aws or by_aws - allowed or allowed & set(needed[name]) - by_aws:
            return False
    return True


def held_by(documents: Iterable[Document]) -> Limits | None:
    """The lists that these documents hold people to, as a stack has them; None when one is in none of them."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in (one for document in documents for one in document["Statement"]):
        for name, (sid, key) in STANDS_IN.items():
            for operator, keys in statement.get("Condition", {}).items():
                if statement.get("Sid") == sid and operator != "Null" and key in keys:
                    found[name] = tuple(as_list(keys[key]))
    return Limits(**found) if all(found.get(name) for name in LISTS) else None
