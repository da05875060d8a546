"""Each persistence keeps the contract of its kind, kills and takeovers included, against real servers and files."""

import os
from typing import Any, ClassVar

import pytest

from ozzy.testing import SharedPersistenceContract, TakeoverContract
from ozzy_sql.persistence_mysql import MysqlPersistence
from ozzy_sql.persistence_postgresql import PostgresqlPersistence
from ozzy_sql.persistence_sqlite import SqlitePersistence
from tests.servers.database import PASSWORD, USER, DatabaseServer
from tests.servers.process import free_port

KILLS = 8
FREEZES = os.environ.get("OZZY_TEST_FREEZES", "6")


def nowhere() -> dict[str, Any]:
    """Options that lead to a port nobody listens at."""
    where = {"user": USER, "password": PASSWORD, "host": "127.0.0.1", "database": "exports"}
    return where | {"port": free_port(), "retry": {"tries": 1}}


class TestPostgresql(SharedPersistenceContract):
    module = PostgresqlPersistence

    @pytest.fixture
    def options(self, postgresql_server: DatabaseServer) -> dict[str, Any]:
        return postgresql_server.options(postgresql_server.database())

    @pytest.fixture
    def failing(self) -> dict[str, Any]:
        return nowhere()


class TestMysql(SharedPersistenceContract):
    module = MysqlPersistence

    @pytest.fixture
    def options(self, mariadb_server: DatabaseServer) -> dict[str, Any]:
        return mariadb_server.options(mariadb_server.database())

    @pytest.fixture
    def failing(self) -> dict[str, Any]:
        return nowhere()


class TestSqlite(SharedPersistenceContract):
    module = SqlitePersistence
    options: ClassVar[dict[str, Any]] = {"database": "state/exports.sqlite"}


class TestTakeoverThroughPostgresql(TakeoverContract):
    kills, moments, freezes = KILLS, 3, FREEZES

    @pytest.fixture
    def persistence(self, postgresql_server: DatabaseServer) -> dict[str, Any]:
        return {"name": "postgresql", "options": postgresql_server.options(postgresql_server.database(), lease_seconds=0.7)}


class TestTakeoverThroughMysql(TakeoverContract):
    kills, moments, freezes = KILLS, 3, FREEZES

    @pytest.fixture
    def persistence(self, mariadb_server: DatabaseServer) -> dict[str, Any]:
        return {"name": "mysql", "options": mariadb_server.options(mariadb_server.database(), lease_seconds=0.7)}


class TestTakeoverThroughSqlite(TakeoverContract):
    """None is frozen: in the middle of a write it would keep the file locked for everybody."""

    persistence: ClassVar[dict[str, Any]] = {"name": "sqlite", "options": {"database": "state/exports.sqlite", "lease_seconds": 0.5}}
    kills, moments, freezes = 4, 1, 0
