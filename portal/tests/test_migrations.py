"""The database grows from nothing on the engine at hand, and no model waits for a migration.

The other tests run on a database that was made from the models at once (--nomigrations): what the migrations make of
one is the same, table by table.
"""

import os
import subprocess
import sys
from io import StringIO
from urllib.parse import urlsplit

import environ
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel

from portal.settings import BASE_DIR


@pytest.fixture(autouse=True)
def with_migrations(settings):
    settings.MIGRATION_MODULES = {}


@pytest.mark.django_db
def test_no_model_waits_for_a_migration():
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_the_first_migration_of_the_portal_holds_only_the_person():
    """labs and costs point at people, and portal imports both: anything more in 0001 would go in a circle."""
    first = MigrationLoader(None).disk_migrations["portal", "0001_initial"]
    assert [one.name for one in first.operations if isinstance(one, CreateModel)] == ["User"]


@pytest.fixture
def empty_database(transactional_db, tmp_path):
    """The DATABASE_URL of a database with nothing in it, on the engine that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    name = f"{connection.settings_dict['NAME']}_empty"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}"')


@pytest.mark.slow
def test_a_database_is_built_from_nothing_and_then_there_is_nothing_to_do(empty_database, tmp_path):
    def migrate():
        return subprocess.run(
            [sys.executable, "manage.py", "migrate"],
            cwd=BASE_DIR,
            env={**os.environ, "DATABASE_URL": empty_database, "LIGHTSOUT_VAR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    first = migrate()
    assert first.returncode == 0, first.stderr
    for app in ("portal", "labs", "costs"):
        assert f"Applying {app}.0001_initial... OK" in first.stdout
    assert "No migrations to apply" in migrate().stdout
    grown = connection.copy()
    grown.settings_dict["NAME"] = environ.Env.db_url_config(empty_database)["NAME"]
    try:
        assert schema(grown) == schema(connection)
    finally:
        grown.close()


def schema(connection):
    """{table of ours: [its columns, its constraints and indexes]}, in whatever order they were made."""
    looks = connection.introspection
    with connection.cursor() as cursor:
        return {
            name: [
                sorted(map(repr, looks.get_table_description(cursor, name))),
                sorted(map(repr, looks.get_constraints(cursor, name).values())),
            ]
            for name in looks.table_names(cursor)
            if name.startswith(("portal_", "costs_", "labs_"))
        }
