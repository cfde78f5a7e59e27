"""The people and the price book of tests about money."""

import pytest

from costs import pricebook
from costs.tests import worlds


@pytest.fixture
def aye(db):
    return worlds.person("Aye")


@pytest.fixture
def bo(db):
    return worlds.person("Bo")


@pytest.fixture
def chit(db):
    return worlds.person("Chit")


@pytest.fixture
def prices(db):
    """The price book as it is shipped."""
    pricebook.load()


@pytest.fixture
def ayes(aye):
    """Aye's practice account."""
    return worlds.account_of(aye)
