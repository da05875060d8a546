"""Connections as users meet them: URIs, TLS, wrong passwords, answers that are lost, tables that are not ours."""

import logging
import threading
import time

import pytest

from ozzy import ConfigError, Metadata, Registry, StateError
from ozzy.staging.state_files import sealed
from ozzy_sql.persistence_mysql import MysqlPersistence
from ozzy_sql.persistence_postgresql import PostgresqlPersistence
from ozzy_sql.persistence_sqlite import SqlitePersistence
from tests.servers.database import PASSWORD
from tests.servers.mariadb import mariadb
from tests.servers.toxiproxy import proxied

CLASSES = {"postgresql": PostgresqlPersistence, "mysql": MysqlPersistence, "sqlite": SqlitePersistence}
SERVERS = ["postgresql", "mysql"]
ONCE = {"retry": {"tries": 1}}


@pytest.fixture(params=SERVERS)
def store(request, tmp_path, new_store):
    """A store on each of the servers."""
    return new_store(request.param, tmp_path)


@pytest.fixture
def connect(store):
    """Makes a persistence in the store of this test, closed at its end."""
    made = []

    def new(**more):
        made.append(CLASSES[store.name](store.section(**more)))
        return made[-1]

    yield new
    for one in made:
        one.close()


@pytest.mark.parametrize("name", CLASSES)
def test_they_are_found_by_their_short_names_and_inherited_paths(name):
    inherited = {"postgresql": "Postgresql", "mysql": "Mysql", "sqlite": "Sqlite"}[name]
    for path in (name, f"exporters.persistence.alchemy_persistence.{inherited}Persistence"):
        assert Registry.load().resolve("persistence", path).cls is CLASSES[name]


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    ("uri", "options", "run"),
    [
        ("://u:p@h:1/d/r", {"user": "u", "password": "p", "host": "h", "port": 1, "database": "d"}, "r"),
        ("://u@h/d/r", {"user": "u", "host": "h", "database": "d"}, "r"),
        ("://h/d/r", {"host": "h", "database": "d"}, "r"),
        ("://u%40x:p%2F%40@[::1]:5/d%20e/r", {"user": "u@x", "password": "p/@", "host": "::1", "port": 5, "database": "d e"}, "r"),
        ("://h/d/r?sslmode=require&ssl_ca=/a/b.pem", {"host": "h", "database": "d", "sslmode": "require", "ssl_ca": "/a/b.pem"}, "r"),
    ],
)  # fmt: skip
def test_uris(name, uri, options, run):
    assert CLASSES[name].options_from_uri(f"{name}{uri}") == (options, run)


@pytest.mark.parametrize("uri", ["postgresql://u:secretword@h/d", "mysql://u:secretword@h/d/r", "postgresql://u:secretword@h/d/r?x=1"])
def test_other_uris_are_an_error_without_the_password(uri):
    with pytest.raises(StateError) as caught:
        PostgresqlPersistence.options_from_uri(uri)
    assert "secretword" not in str(caught.value)


def test_a_uri_leads_back_to_where_it_came_from(store, connect):
    persistence = connect(ssl_ca=store.server.ca, sslmode="verify-full")
    options, run = type(persistence).options_from_uri(persistence.uri("20240501-1"))

    assert run == "20240501-1"
    assert options == {name: value for name, value in persistence_options(persistence).items() if name in options}
    assert "password" not in options


def persistence_options(persistence):
    return {name: getattr(persistence.options, name) for name in ("user", "host", "port", "database", "sslmode", "ssl_ca")}


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tls(store, connect, mode):
    """The connection is encrypted, as the server sees it."""
    persistence = connect(sslmode=mode, ssl_ca=store.server.ca)
    persistence.write_document("a/b", b"x", None)
    question = {
        "postgresql": "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        "mysql": "SHOW STATUS LIKE 'Ssl_version'",
    }[store.name]

    def ask(connection):
        return str(connection.exec_driver_sql(question).fetchall())

    assert any(word in persistence.database.call("asking", ask) for word in ("true", "TLSv1"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sslmode": "verify-full"}, "the certificate of the server is not accepted"),
        ({"sslmode": "verify-full", "ssl_ca": "missing.pem"}, "missing.pem is missing"),
        ({"password": "wrong password"}, "user or password is wrong"),
        ({"password": None}, "without a password, and none is given|asks for a password, and none is given"),
        ({"user": "nobody"}, "user or password is wrong"),
        ({"database": "no_such_database"}, "the database does not exist there"),
        ({"port": 1}, "onnection"),
    ],
)
def test_what_is_refused_says_why(store, connect, more, words):
    persistence = connect(**more, **ONCE)

    with pytest.raises(StateError, match=words) as caught:
        persistence.read_document("a/b")
    told = "".join(str(error) for error in (caught.value, caught.value.__cause__, caught.value.__context__))
    assert PASSWORD not in told
    assert "wrong password" not in told


def test_a_wrong_password_is_tried_once(store, connect, mocker):
    """A server that counts wrong ones does not lock the user out."""
    persistence = connect(password="wrong password")
    engine = mocker.spy(persistence.database, "engine")
    for _ in range(3):
        with pytest.raises(StateError, match="user or password is wrong"):
            persistence.read_document("a/b")

    assert engine.call_count == 1


def test_a_server_without_tls_gets_no_password():
    with mariadb(tls=False) as server:
        persistence = MysqlPersistence({"options": server.options("mysql", sslmode="require", **ONCE)})
        with pytest.raises(StateError, match="the server has no TLS"):
            persistence.read_document("a/b")


@pytest.mark.parametrize(("host", "mode"), [("db.example.com", "verify-full"), ("127.0.0.1", "disable"), ("localhost", "disable")])
@pytest.mark.parametrize("name", SERVERS)
def test_tls_is_verified_unless_the_host_is_this_machine(name, host, mode):
    assert CLASSES[name]({"options": {"user": "u", "host": host, "database": "d"}}).mode == mode


def test_a_write_whose_answer_is_lost_is_recognised(store, toxi):
    """The connection ends when the database has written and before it says so; tried again, it is found to be done."""
    with proxied(toxi, f"http://127.0.0.1:{store.server.port}") as proxy:
        port = int(proxy.endpoint.rpartition(":")[2])
        persistence = CLASSES[store.name](store.section(port=port, retry={"tries": 8, "seconds": 30}))
        first = persistence.write_document("a/b", b"1", None)
        proxy.cut(0)
        seen = []

        def heal():
            seen.extend(store.ask("SELECT version FROM ozzy_document"))
            proxy.heal()

        timer = threading.Timer(1.0, heal)
        timer.start()
        second = persistence.write_document("a/b", b"2", first)
        timer.join()
        found = persistence.read_document("a/b")
        persistence.close()

    assert [version for (version,) in seen] == [second] != [first]
    assert (found.content, found.version) == (b"2", second)


def test_a_server_that_is_gone_for_a_while_is_waited_for(store, toxi):
    with proxied(toxi, f"http://127.0.0.1:{store.server.port}") as proxy:
        port = int(proxy.endpoint.rpartition(":")[2])
        persistence = CLASSES[store.name](store.section(port=port, retry={"tries": 8, "seconds": 30}))
        persistence.write_document("a/b", b"1", None)
        proxy.down()
        timer = threading.Timer(0.8, proxy.down, (False,))
        timer.start()
        began = time.monotonic()
        found = persistence.read_document("a/b")
        timer.join()
        persistence.close()

    assert found.content == b"1"
    assert time.monotonic() - began > 0.5


def test_a_table_job_of_somebody_else_is_left_alone(store, connect, caplog):
    """The one of the inherited system has no column for the run: the state is kept all the same, and a warning says so once."""
    store.ask("CREATE TABLE job (id INTEGER PRIMARY KEY, last_position TEXT, configuration TEXT)")
    persistence = connect()
    facts = bytes(sealed({"epoch": 1, "write": "x", "document": {"state": "running", "config": {}}}, "facts"))
    with caplog.at_level(logging.WARNING):
        for number in (1, 2):
            assert persistence.write_document(f"p{number}/runs/r/run", facts, None) is not None

    assert sum("the table job does not show all of this run" in record.getMessage() for record in caplog.records) == 1
    assert store.ask("SELECT count(*) FROM job") in ([(0,)], ((0,),))


def test_looking_makes_nothing(store, connect, tmp_path):
    """Neither tables nor files."""
    persistence = connect()
    assert persistence.read_document("a/b") is None
    assert list(persistence.list_documents("")) == []
    persistence.delete_document("a/b")
    assert not persistence.database.ready(create=False)

    file = SqlitePersistence({"options": {"database": "nowhere/x.sqlite"}}, Metadata(working_folder=tmp_path))
    assert (file.read_document("a/b"), list(file.list_documents(""))) == (None, [])
    file.delete_document("a/b")
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_its_owners_alone(tmp_path):
    persistence = SqlitePersistence({"options": {"database": "deep/x.sqlite"}}, Metadata(working_folder=tmp_path))
    persistence.write_document("a/b", b"x", None)
    persistence.close()

    assert (tmp_path / "deep" / "x.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_is_no_database(tmp_path, content):
    path = tmp_path / "x.sqlite"
    path.mkdir() if content is None else path.write_bytes(content)
    persistence = SqlitePersistence({"options": {"database": str(path), **ONCE}})

    with pytest.raises(StateError, match=r"x\.sqlite"):
        persistence.write_document("a/b", b"x", None)
    persistence.close()


@pytest.mark.parametrize("database", [":memory:", "", "file:x?mode=memory"])
def test_a_database_in_memory_would_be_gone(database):
    with pytest.raises(ConfigError, match="expected the path of a file"):
        SqlitePersistence({"options": {"database": database}})


def test_inherited_options_of_sqlite_are_accepted():
    SqlitePersistence({"options": {"database": "x", "user": "", "password": "", "host": "", "port": ""}})
