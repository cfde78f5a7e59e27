"""The people and the price book of tests about money."""

from functools import cache

import pytest
import time_machine
from django.db import connection, transaction

from costs import pricebook
from costs.models import Price
from costs.tests import grants, worlds


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
def whole_book(db):
    """The price book as it is shipped."""
    pricebook.load()


@pytest.fixture(scope="module")
def standing_book(django_db_setup, django_db_blocker):
    """The same, loaded once for the module; what a test does to it is rolled back. Not for tests that commit."""
    with django_db_blocker.unblock(), transaction.atomic():
        pricebook.load()
        yield
        transaction.set_rollback(True)


@cache
def _some_prices():
    """Of the shipped book what these tests buy: loading all of it takes most of a second a test."""
    regions, dear = {"us-east-1", "ap-southeast-1"}, {"spot"}
    services = {"EC2", "EBS", "VPC", "S3", "SageMaker"}
    shipped = pricebook.read(pricebook.SHIPPED)
    return [p for p in shipped if p.region in regions and p.service in services and p.kind not in dear]


@cache
def _rows_of_prices():
    """(the statement, its rows): made once, since some hundred tests begin with it."""
    fields = [field for field in Price._meta.concrete_fields if not field.primary_key]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    rows = [
        [field.get_db_prep_save(field.pre_save(one, True), connection) for field in fields] for one in _some_prices()
    ]
    return f"INSERT INTO {Price._meta.db_table} ({names}) VALUES ({places})", rows  # noqa: S608  our own names


@pytest.fixture
def prices(db):
    """The shipped prices of the services and regions that tests buy in."""
    with connection.cursor() as cursor:
        cursor.executemany(*_rows_of_prices())


@pytest.fixture
def ayes(aye):
    """Aye's practice account."""
    return worlds.account_of(aye)


@pytest.fixture
def teacher(chit, settings):
    """Chit sees and acts on the money of worlds.SCOPE."""
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "costs.tests.grants.Grants",
    ]
    grants.GRANTED[chit.pk] = {worlds.SCOPE}
    yield chit
    grants.GRANTED.clear()


@pytest.fixture
def now():
    """The world's own instant, for pages that ask what time it is."""
    with time_machine.travel(worlds.NOW, tick=False):
        yield worlds.NOW
