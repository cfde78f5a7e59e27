from pathlib import Path

import pytest

from labs.tests.kinds.examples import AccountOfAye


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What a kind asks of AWS is the same whatever the database."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.once)


@pytest.fixture
def account(simulator):
    """A simulated account, in the place of the ledger's row of one. Names and tags keep the tests apart."""
    return AccountOfAye(simulator, "600000000002")
