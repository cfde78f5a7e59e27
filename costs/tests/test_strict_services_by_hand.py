"""What practice mode lacks, made by hand on the strict fake of its services: found, its owner told, and priced.

The rest of their lives is in labs/tests/test_strict_services.py; those that practice mode has, in
test_every_kind_by_hand.py.
"""

from datetime import timedelta

import pytest

from costs import pricebook
from costs.rates import rate_now
from costs.tests import worlds
from labs import aws, census
from labs.kinds import kind_of
from labs.models import Account
from labs.tests.by_hand_strict import BY_HAND
from labs.tests.cast import START, Clock
from labs.tests.conftest import World
from labs.tests.soak import OneThread
from labs.tests.strict_services import StrictServices
from labs.tests.strict_sorts import ACCOUNT, REGION

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("standing_book")]


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_it_is_found_owned_and_priced(name, aye, monkeypatch):
    clock = Clock()
    services = StrictServices(clock)
    monkeypatch.setattr(aws, "client", services.client)
    monkeypatch.setattr(census, "ThreadPoolExecutor", OneThread)
    since = START - timedelta(days=1)
    account = worlds.account_of(
        aye, mode=Account.OWN, aws_id=ACCOUNT, regions=[REGION], at=since, connected_at=since, looked_at=None
    )
    BY_HAND[name](services, clock)
    clock.tick(5)
    [row] = census.survey([census.Group(account, REGION, name)], clock).strangers
    World(clock).run(200)
    row.refresh_from_db()
    assert (row.owner, row.owner_proof, row.seen) == (aye, "account", "running")
    rate = rate_now(row, pricebook.PriceBook.open(regions=[REGION]), clock())
    assert rate.known is not None, f"unpriced: {[line.label for line in rate.unpriced]}"
    assert (rate.usd_per_hour == 0) == kind_of(name).is_free
