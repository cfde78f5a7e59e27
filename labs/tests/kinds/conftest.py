import pytest

from labs.tests.kinds.examples import AccountOfAye


@pytest.fixture
def account(simulator):
    """A simulated account, in the place of the ledger's row of one. Names and tags keep the tests apart."""
    return AccountOfAye(simulator, "600000000002")
