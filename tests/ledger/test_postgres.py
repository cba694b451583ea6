"""Ledgers in PostgreSQL that cannot be used, and connections that fail at the worst moment: what is said, and that nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.jobs.ledger_check import check_ledger
from aggregator.ledger.at import ledger_at
from aggregator.ledger.postgres import errors as postgres_errors
from aggregator.model.errors import StopRun
from aggregator.model.place import Database, place_of
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row
from tests.faults.proxy import AFTER, BEFORE, Proxy
from tests.postgres import PASSWORD, Server, needs_postgres, server

pytestmark = needs_postgres
AT = "2026-11-05T09:00:00+08:00"
CLERK = "clerk:s3cret"


def _inventory(number: int) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}")


def _database(url: str) -> Database:
    place = place_of(url)
    assert isinstance(place, Database)
    return place


@pytest.fixture
def clerk() -> Iterator[Server]:
    """A user without any right."""
    running = server()
    running.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
    yield running
    running.execute("DROP OWNED BY clerk CASCADE; DROP ROLE clerk")


@pytest.fixture
def place(tmp_path: Path) -> Database:
    made = server().place(tmp_path)
    with ledger_at(made).locked(), ledger_at(made).opened(create=True, at=AT):
        return made


def refused(runner: Runner, url: str, code: int, *words: str) -> None:
    """By every command, in both languages; nothing is published, and no secret told."""
    export = runner.write([_inventory(1)])
    run = ("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05")
    for place, command in enumerate((run, (*run, "--dry-run"), ("status",), ("trace", "x"), ("ledger", "check"), ("ledger", "void", "202610-01", "--reason", "wrong receipts"))):
        for lang in ("en", "zh")[place % 2 :][:1] if place else ("en", "zh"):
            result = aggregator(*command, "--out", "out", "--ledger", url, folder=runner.folder, lang=lang)
            said = result.stdout + result.stderr
            assert result.returncode == code, (command, result.returncode, said)
            assert "Traceback" not in said
            assert PASSWORD not in said
            assert "wrong-one" not in said
            if lang == "en":
                assert all(word in said for word in words), said
            else:
                assert "未执行任何操作" in said, said
    assert [path for path in runner.out.rglob("*") if path.is_file()] == []


def test_unreachable(runner: Runner) -> None:
    refused(runner, f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", 74, "cannot be reached", "Nothing was done")


@pytest.mark.parametrize("user", ["postgres:wrong-one", "postgres", "nobody:wrong-one"])
def test_wrong_password(runner: Runner, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    refused(runner, server().network_url("x", user=user), 78, "password", "Nothing was done")


def test_cut_while_it_connects(runner: Runner) -> None:
    proxy = Proxy(1)
    refused(runner, f"postgresql://u:{PASSWORD}@127.0.0.1:{proxy.port}/x", 74, "cannot be reached", "Nothing was done")
    proxy.close()


def test_security_that_the_server_does_not_offer(runner: Runner) -> None:
    refused(runner, f"{server().network_url('x')}&sslmode=require", 78, "SSL", "Nothing was done")


def test_no_such_database(runner: Runner) -> None:
    refused(runner, server().network_url("x", database="none_such"), 78, "none_such", "Nothing was done")


def test_a_parameter_that_there_is_not(runner: Runner) -> None:
    refused(runner, f"{server().network_url('x')}&bogus=1", 78, "bogus", "Nothing was done")


def test_without_rights_on_the_database(runner: Runner, clerk: Server) -> None:
    export = runner.write([_inventory(1)])
    url = clerk.network_url("clerks_own", user=CLERK)
    result = aggregator("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--ledger", url, folder=runner.folder)
    assert (result.returncode, "CREATE on the database" in result.stderr) == (74, True)
    assert [path for path in runner.out.rglob("*") if path.is_file()] == []
    clerk.execute("CREATE SCHEMA clerks_own AUTHORIZATION clerk")
    result = aggregator("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--ledger", url, folder=runner.folder)
    assert result.returncode == 0, result.stderr
    clerk.execute("DROP SCHEMA clerks_own CASCADE")


@pytest.mark.parametrize("grant", ["", "GRANT USAGE ON SCHEMA {0} TO clerk", "GRANT USAGE ON SCHEMA {0} TO clerk; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO clerk"])
def test_without_rights_on_the_ledger_of_another(runner: Runner, clerk: Server, place: Database, grant: str) -> None:
    clerk.execute(grant.format(place.schema) or "SELECT 1")
    url = clerk.network_url(place.schema, user=CLERK)
    if "SELECT ON" not in grant:
        refused(runner, url, 74, "permission denied", "Nothing was done")
        return
    result = aggregator("status", "--ledger", url, "--as-of", "2026-11-05", folder=runner.folder)
    assert result.returncode == 0, "who may only read can ask"
    export = runner.write([_inventory(1)])
    result = aggregator("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--ledger", url, folder=runner.folder)
    assert (result.returncode, "permission denied" in result.stderr) == (74, True)
    assert [path.name for path in runner.out.rglob("*") if path.is_file()] in ([], ["ledger.head"])


def test_a_server_that_only_reads(runner: Runner, clerk: Server) -> None:
    clerk.execute("ALTER ROLE clerk SET default_transaction_read_only TO on; CREATE SCHEMA read_only AUTHORIZATION clerk")
    export = runner.write([_inventory(1)])
    url = clerk.network_url("read_only", user=CLERK)
    result = aggregator("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--ledger", url, folder=runner.folder)
    assert (result.returncode, "read-only" in result.stderr) == (74, True), result.stderr


def test_too_many_connections(runner: Runner, clerk: Server) -> None:
    clerk.execute("ALTER ROLE clerk CONNECTION LIMIT 0")
    refused(runner, clerk.network_url("x", user=CLERK), 75, "too many connections", "Nothing was done")


def test_a_database_in_another_encoding(runner: Runner) -> None:
    server().execute("DROP DATABASE IF EXISTS latin")
    server().execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    refused(runner, server().url("x", database="latin"), 78, "not UTF8", "Nothing was done", "ENCODING 'UTF8'")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0}; CREATE TABLE {0}.theirs (x int)", "another application"),
        ("DROP TABLE {0}.waiting", "not those that were made"), ("DROP TABLE {0}.event", "another application"), ("DELETE FROM {0}.format", "another application"),
        ("UPDATE {0}.format SET version = 6", "schema version 6"), ("DROP TABLE {0}.inventory", ""), ("DELETE FROM {0}.event", "never sealed"),
        ("ALTER TABLE {0}.waiting DISABLE TRIGGER USER", "not those that were made"), ("DROP TRIGGER insert_counted ON {0}.waiting", "not those that were made"),
        ("ALTER TABLE {0}.inventory ALTER state TYPE varchar(9)", "not those that were made"),
    ],
)  # fmt: skip
def test_what_is_no_sound_ledger(runner: Runner, place: Database, statement: str, said: str) -> None:
    server().execute(statement.format(place.schema))
    export = runner.write([_inventory(1)])
    url = f"{place.server_url}&schema={place.schema}"
    result = aggregator("run", str(export), "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--ledger", url, folder=runner.folder)
    assert (result.returncode, said in result.stderr) == (78, True), result.stderr
    assert [path for path in runner.out.rglob("*") if path.is_file()] == []


def test_without_the_library(runner: Runner) -> None:
    runner.write("raise ImportError(__name__)", "psycopg.py")
    for lang in ("en", "zh"):
        result = aggregator("status", "--ledger", f"postgresql://u:{PASSWORD}@h/x", folder=runner.folder, lang=lang, PYTHONPATH=str(runner.folder))
        assert (result.returncode, "[postgres]" in result.stderr, PASSWORD in result.stderr) == (78, True, False)


# ------------------------------------------------------------------------------------------ a server that goes, and comes back


@pytest.fixture
def own_server() -> Iterator[Server]:
    made = Server()
    yield made
    made.remove()


@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_a_server_that_goes_at_the_end_of_a_run_and_comes_back(runner: Runner, own_server: Server, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.ledger.postgres import ledger as postgres_ledger

    monkeypatch.setattr(postgres_ledger, "_PAUSE_SECONDS", 0.01)
    proxy = Proxy(own_server.port)
    place = _database(f"postgresql://postgres:{PASSWORD}@127.0.0.1:{proxy.port}/postgres?sslmode=disable&gssencmode=disable")
    runner.run_rows([_inventory(1)], ledger=place)
    proxy.arm(how=how, saying=b"COMMIT", then=lambda: own_server.stop(signal.SIGQUIT))
    with pytest.raises(postgres_errors.ConnectionLost) as stop:
        runner.run_rows([_inventory(1), _inventory(2)], ledger=place)
    assert stop.value.exit_code == 74
    assert [path.name for path in (runner.out / "2026-10").iterdir() if not path.name.startswith(".")] == ["202610-01"]
    assert len(list((runner.out / "2026-10").glob(".stage-*"))) == 1, "what may be recorded is kept"
    with pytest.raises(postgres_errors.ServerUnreachable):
        runner.run_rows([_inventory(1), _inventory(2)], ledger=place)
    own_server.start()
    recorded = how == AFTER
    again = runner.run_rows([_inventory(1), _inventory(2)], ledger=place)
    assert again.excluded == ({"known": 2} if recorded else {"known": 1})
    assert sorted(path.name for path in (runner.out / "2026-10").iterdir()) == ["202610-01", "202610-02"]
    assert check_ledger(place, runner.out, 0).problems == []
    proxy.close()


@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_a_connection_cut_at_the_end_of_a_run(runner: Runner, how: str) -> None:
    """The server is there: it is asked what became of the run."""
    proxy = Proxy(server().port)
    schema = server().place(runner.folder).schema
    place = _database(f"postgresql://postgres:{PASSWORD}@127.0.0.1:{proxy.port}/postgres?sslmode=disable&gssencmode=disable&schema={schema}")
    runner.run_rows([_inventory(1)], ledger=place)
    proxy.arm(how=how, saying=b"COMMIT")
    with pytest.raises(StopRun) as stop:
        runner.run_rows([_inventory(1), _inventory(2)], ledger=place)
    recorded = how == AFTER
    assert (stop.value.exit_code, "is recorded in the ledger" in str(stop.value)) == (74, recorded)
    assert len(list((runner.out / "2026-10").glob(".stage-*"))) == recorded
    assert check_ledger(place, runner.out, 0).finished == ([str(runner.out / "2026-10/202610-02")] if recorded else [])
    again = runner.run_rows([_inventory(1), _inventory(2)], ledger=place)
    assert again.excluded == ({"known": 2} if recorded else {"known": 1})
    assert check_ledger(place, runner.out, 0).problems == []
    proxy.close()


def test_a_lock_is_gone_with_its_connection(place: Database) -> None:
    at, other = ledger_at(place), ledger_at(place)
    with pytest.raises(postgres_errors.ConnectionLost), at.locked(), at.opened() as ledger:  # noqa: PT012
        assert other.is_locked()
        server().execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        with other.locked(), other.opened() as theirs, theirs.transaction(AT):
            theirs.record_received("0", "theirs")
        with ledger.transaction(AT):
            ledger.record_received("1", "ours")
    with at.opened() as ledger:
        assert [ledger.was_received(each) for each in "01"] == [True, False]
        assert ledger.altered() == []
