"""What this package offers."""

from ozzy import Module, hookimpl


@hookimpl
def ozzy_persist() -> dict[str, Module]:
    """Persistences."""
    return {
        "mysql": Module("ozzy_sql.persistence_mysql:MysqlPersistence", "State in a MySQL or MariaDB database, shared by machines."),
        "postgresql": Module(
            "ozzy_sql.persistence_postgresql:PostgresqlPersistence", "State in a PostgreSQL database, shared by machines."
        ),
        "sqlite": Module("ozzy_sql.persistence_sqlite:SqlitePersistence", "State in a SQLite file, shared by the processes of a machine."),
    }
