"""The jobs on a ledger in PostgreSQL: what they make is byte for byte what they make on a file."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aggregator import library
from aggregator.jobs.heads import HEAD
from aggregator.jobs.ledger_check import check_ledger
from aggregator.model.errors import WrongConfiguration
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, row
from tests.jobs.test_golden import SAMPLE, assert_as_expected, make
from tests.postgres import PASSWORD, Server, needs_postgres
from tests.postgres import server as started

pytestmark = needs_postgres
__all__ = ["make"]


@pytest.fixture
def server() -> Server:
    return started()


def _inventory(number: int) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}")


def _given(runner: Runner, *words: str, url: str, **named: Any) -> Any:
    return aggregator(*words, "--out", "out", "--ledger", url, folder=runner.folder, **named)


@pytest.mark.parametrize(("workers", "chunk_bytes"), [(1, 32 << 20), (2, 60_000)])
def test_golden_month(make: Any, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, chunk_bytes: int) -> None:
    monkeypatch.setattr(make, "Options", partial(make.Options, ledger=server.place(tmp_path)))
    assert_as_expected(make.run_month(tmp_path, workers=workers, chunk_bytes=chunk_bytes), SAMPLE / "expected" / "exports")


def test_golden_faults(make: Any, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "Options", partial(make.Options, ledger=server.place(tmp_path)))
    assert_as_expected(make.run_faults(tmp_path), SAMPLE / "expected" / "faults")


def test_every_command_works_on_it_and_none_tells_the_password(runner: Runner, server: Server) -> None:
    url = server.network_url("t_commands")
    export = runner.write([_inventory(1), _inventory(2), {**_inventory(3), "status_code": ""}])
    said = []

    def given(*words: str, code: int = 0) -> str:
        result = _given(runner, *words, url=url)
        said.append(result.stdout + result.stderr)
        assert result.returncode == code, said[-1]
        return result.stdout

    run = ("run", str(export), "--period", "2026-10", "--first-period", "2026-09", "--as-of", "2026-11-05")
    assert json.loads(given(*run, "--json"))["ledger_created"]
    assert json.loads(given(*run, "--json"))["published"] is False
    assert json.loads(given(*run, "--json", "--dry-run"))["run_ref"] == ""
    [period] = [each for each in json.loads(given("status", "--json", "--as-of", "2026-11-05"))["periods"] if each["period"] == "2026-10"]
    assert (period["declared"], period["runs"]) == (2, ["202610-01"])
    assert given("trace", "D2").splitlines()[1].startswith('"","22442026E000000002"')
    given("trace", "nowhere", code=3)
    assert "202610-01" in given("ledger", "show")
    given("ledger", "check")
    given("ledger", "answer", "202610-01-A001", "refused", "--reason", "x")
    assert json.loads(given(*run, "--json"))["run_ref"] == "202610-02"
    given("ledger", "void", "202610-02", "--reason", "wrong receipts")
    given("ledger", "import", str(runner.write("inventory_no\n22442026E000000007\n", "elsewhere.csv")))
    given("ledger", "dismiss", "22442026E000000001", "--reason", "x")
    given("doctor", code=3)
    given("ledger", "export", "exported")
    assert given("ledger", "check", "--json")
    said.append(given("ledger", "show", "--json"))
    head = json.loads((runner.out / HEAD).read_text())
    [(event_no, ledger_id)] = server.execute("SELECT max(event_no), (SELECT value FROM setting WHERE name = 'ledger_id') FROM event", "t_commands")
    assert (head["event_no"], head["ledger_id"]) == (event_no, ledger_id)
    manifest = json.loads((runner.out / "2026-10/202610-01/manifest.json").read_text())
    assert manifest["parameters"]["ledger"] == url.replace(f":{PASSWORD}", "")
    files = b"".join(path.read_bytes() for path in runner.folder.rglob("*") if path.is_file())
    held = server.execute("SELECT string_agg(e::text, ' ') FROM event e", "t_commands")
    assert PASSWORD not in "".join(said) + str(held)
    assert PASSWORD.encode() not in files


def test_a_ledger_of_another_firm_an_older_one_and_none_are_refused(runner: Runner, server: Server) -> None:
    first, other = server.place((runner.folder, 1)), server.place((runner.folder, 2))
    runner.run_rows([_inventory(1)], ledger=first)
    Runner(runner.folder).run_rows([_inventory(2)], ledger=other, out=runner.folder / "elsewhere")
    before = sorted(runner.out.rglob("*"))
    export = str(runner.write([_inventory(3)]))
    run = ("run", export, "--period", "2026-10", "--as-of", "2026-11-05")
    for place in (other, server.place((runner.folder, 3))):
        result = _given(runner, *run, url=place.server_url + f"&schema={place.schema}")
        assert (result.returncode, "Nothing was done" in result.stderr) == (78, True), result.stderr
    assert sorted(runner.out.rglob("*")) == before
    assert check_ledger(first, runner.out, 0).problems == []


def test_restored_from_a_dump_it_is_the_same(runner: Runner, server: Server) -> None:
    place = server.place(runner.folder)
    runner.run_rows([_inventory(1), {**_inventory(2), "total_price": "bad"}], ledger=place)
    where = ("-h", str(server.folder), "-p", str(server.port), "-U", "postgres")
    dump = subprocess.run([server.binaries / "pg_dump", *where, "-n", place.schema, "postgres"], capture_output=True, check=True)
    server.execute(f"DROP SCHEMA {place.schema} CASCADE")
    subprocess.run([server.binaries / "psql", *where, "-q", "-v", "ON_ERROR_STOP=1", "postgres"], input=dump.stdout, capture_output=True, check=True)
    assert check_ledger(place, runner.out, 0).problems == []
    assert runner.run_rows([_inventory(1), _inventory(2)], ledger=place).run_ref == "202610-02"
    older = server.place((runner.folder, "older"))
    subprocess.run([server.binaries / "psql", *where, "-q", "postgres"], input=dump.stdout.replace(place.schema.encode(), older.schema.encode()), capture_output=True, check=True)
    with pytest.raises(WrongConfiguration, match="lost or old"):
        runner.run_rows([_inventory(3)], ledger=older)


def test_programs_name_it_by_its_url_and_the_config_too(runner: Runner, server: Server) -> None:
    url = server.network_url("t_programs")
    export = runner.write([_inventory(1)])
    outcome = library.run(export, out=runner.out, period="2026-10", ledger=url, now=NOW)
    assert outcome.run_ref == "202610-01"
    assert library.trace("D1", ledger=url)["declaration_ref"].to_pylist() == ["202610-01-000001"]
    assert str(library.status(ledger=url, today=NOW.date()).ledger) == url.replace(f":{PASSWORD}", "")
    runner.write(f'[run]\nledger = "{url}"\nout = "out"\n', "aggregator.toml")
    for command in (("config", "show"), ("status", "--json"), ("ledger", "check"), ("doctor",), ("run", str(export), "--period", "2026-10", "--log-format", "json", "--metrics-file", "m.prom")):
        result = aggregator(*command, folder=runner.folder)
        assert PASSWORD not in result.stdout + result.stderr + ((runner.folder / "m.prom").read_text() if (runner.folder / "m.prom").exists() else ""), command
    assert result.returncode in (0, 3), result.stderr


def test_workers_ask_it_too_and_an_order_of_rows_changes_nothing(runner: Runner, server: Server) -> None:
    place = server.place(runner.folder)
    rows = [_inventory(number) for number in range(1, 301)]
    runner.run_rows(rows[:150], ledger=place, workers=2, chunk_bytes=4000)
    outcome = runner.run_rows(rows[::-1], ledger=place, workers=2, chunk_bytes=4000)
    assert (outcome.counts["inventories_declared"], outcome.excluded) == (150, {"known": 150})
