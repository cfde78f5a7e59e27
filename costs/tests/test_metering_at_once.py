"""Several meters at the same time, each with a connection of its own, on the engine that is configured."""

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.db.models import Sum

from costs import metering, pricebook
from costs.models import DailySpend, Metered, Reading
from costs.tests import worlds
from costs.tests.worlds import HOUR, NOW, notebook, stranger

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def real_engine(tmp_path):
    """run(work, n): `work` in n threads, each with its own connection; then once more, alone, for the answer.

    SQLite in memory has one cache for all connections and other locks than a file: there the test's rows are copied
    into a file first.
    """
    settings = connections.settings["default"]
    name = settings["NAME"]

    def run(work, threads):
        answers, errors = [], []

        def one():
            try:
                answers.append(work())
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        file = tmp_path / "real.sqlite3"
        if connection.vendor == "sqlite" and not file.exists():
            with closing(sqlite3.connect(file)) as copy:
                connection.connection.backup(copy)
            settings["NAME"] = str(file)
        workers = [threading.Thread(target=one) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert not errors, errors
        return answers

    yield run
    settings["NAME"] = name


def test_meters_at_once_never_count_a_second_twice(real_engine):
    pricebook.load()
    aye = worlds.account_of(worlds.person("Aye"))
    for number in range(40):
        stranger(aye, "sagemaker-notebook", notebook(disk_gb=0, since=NOW - HOUR, name=f"nb-{number}"), NOW)
    start = threading.Barrier(6)

    def work():
        start.wait(20)
        return [metering.meter(NOW + timedelta(seconds=n)) for n in range(3)]

    answers = real_engine(work, 6)

    def look():
        return {
            "readings": Reading.objects.count(),
            "of readings": Reading.objects.aggregate(usd=Sum("usd"))["usd"],
            "of rows": Metered.objects.aggregate(usd=Sum("usd"))["usd"],
            "of days": DailySpend.objects.aggregate(usd=Sum("usd"))["usd"],
        }

    [books] = real_engine(look, 1)
    assert books.pop("readings") == 40 == sum(sum(answer) for answer in answers)
    assert {figure.quantize(Decimal("0.000001")) for figure in books.values()} == {Decimal("2.000000")}
