"""A lab brought up without a controller: its wants, in the order of their needs, by the verbs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from labs import guardrails
from labs.adopting import launch_of
from labs.catalog.base import Lab, StudentView
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, TAG_LAUNCH, TAG_OWNER, TAG_RESOURCE, Seen, Want
from labs.ledger import _filled, name_for
from labs.models import Account, Launch
from labs.panel import filled
from labs.tests.kinds.examples import AccountOfAye, configure, delete

JOBS_WORK = 120  # seconds after which a job of practice mode has ended


class LabByHand:
    """wants: as the verbs got them; resources: as a check sees them."""

    def __init__(self, lab: Lab, account: AccountOfAye, region: str = "us-east-1", owner: int = 7):
        self.lab, self.account, self.region = lab, account, region
        practice = Account(mode=Account.PRACTICE, aws_id=account.id)
        self.launch = Launch(id=uuid4(), account=practice, region=region, owner_id=owner)
        self.wants: dict[str, Want] = {}
        self.resources: dict[str, dict[str, Any]] = {}
        for want in in_order(lab):
            self._bring_up(want)

    def _bring_up(self, written: Want) -> None:
        kind, token = kind_of(written.kind), uuid4().hex
        want = replace(
            written,
            params=_filled(dict(written.params), {key: self.resources[key] for key in written.needs}),
            name=name_for(self.lab.slug, written.key, self.launch.id, kind.longest_name),
            token=token,
            tags={TAG_RESOURCE: token, TAG_LAUNCH: self.launch.id.hex, TAG_OWNER: str(self.launch.owner_id)},
            account_id=self.account.id,
            region=self.region,
        )
        client = self.account.client(kind.service, self.region)
        kind.create(client, want)
        seen = kind.observe(client, want)
        assert seen.state == RUNNING
        if kind.ends_by_itself:
            self.account.simulator.let_pass(JOBS_WORK)
            seen = kind.observe(client, want)
            assert seen.facts["is_done"]
        self.wants[want.key] = want = replace(want, aws_id=seen.aws_id)
        seen = configure(want.kind, client, want, seen)
        self.resources[want.key] = {**seen.facts, "name": seen.name, "aws_id": seen.aws_id, "state": seen.state}

    @property
    def view(self) -> StudentView:
        return StudentView(
            client=lambda service, region=None: self.account.client(service, region or self.region),
            resources=self.resources,
            region=self.region,
            account_id=self.account.id,
            prefix=guardrails.own_prefix(self.launch.id.hex),
            tags=guardrails.tags(self.launch.owner_id, self.launch.id.hex),
            boundary=guardrails.boundary_arn(self.account.id),
            mode=Account.PRACTICE,
        )

    def body(self, slug: str) -> str:
        """The words of a step with this launch's names in them, as the page shows them."""
        rows = [Row(key, facts["name"], facts["aws_id"], facts) for key, facts in self.resources.items()]
        return filled(self.step(slug).body_md, self.launch, rows)

    def step(self, slug: str):
        return next(step for step in self.lab.steps if step.slug == slug)

    def check(self, slug: str):
        return self.step(slug).check(self.view)

    def made_by_hand(self) -> list[tuple[str, Seen]]:
        """(kind, what was seen of it) of all that the student made, told by tag or name alone: a real account has
        nothing else to go by (adopting.py)."""
        real, known = Account(mode=Account.OWN), {(want.kind, want.aws_id) for want in self.wants.values()}
        made = []
        for name in self.lab.creates:
            kind, client = kind_of(name), self.account.client(kind_of(name).service, self.region)
            for listed in kind.find_all(client):
                seen = listed if listed.whole else kind.complete(client, listed)
                if (name, seen.aws_id) not in known and launch_of(real, name, seen, self.region, [self.launch])[0]:
                    made.append((name, seen))
        return made

    def end(self) -> None:
        """As a teardown does it: what the student made is gathered, and goes before what the portal made."""
        for name, seen in self.made_by_hand():
            found = Want("", name, aws_id=seen.aws_id, account_id=self.account.id, region=self.region)
            # A user lets go of eight things, one a call.
            delete(name, self.account.client(kind_of(name).service, self.region), found, calls=10)
        for want in reversed(in_order(self.lab)):
            delete(want.kind, self.account.client(kind_of(want.kind).service, self.region), self.wants[want.key])


class Row:
    """What `filled` reads of a ledger row."""

    def __init__(self, key: str, name: str, aws_id: str, facts: Mapping[str, Any]):
        self.key, self.name, self.aws_id, self.facts = key, name, aws_id, facts


def in_order(lab: Lab) -> list[Want]:
    """The lab's wants, parents first. Fails when their needs go in a circle or name nothing."""
    done: list[Want] = []
    left = list(lab.wants)
    while left:
        ready = [want for want in left if set(want.needs) <= {each.key for each in done}]
        assert ready, f"needs that nobody meets: {[want.key for want in left]}"
        done += ready
        left = [want for want in left if want not in ready]
    return done
