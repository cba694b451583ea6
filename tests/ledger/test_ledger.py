"""The ledger: what it takes down, what it gives back, and that it is never believed when it is not what was recorded."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aggregator.jobs.ledger_check import check_ledger
from aggregator.ledger.at import ledger_at
from aggregator.ledger.sqlite.store import open_ledger
from aggregator.ledger.sqlite.tables import VERSION
from aggregator.ledger.sqlite.verify import refuse_altered
from aggregator.model.errors import StopRun, WrongConfiguration
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, read_rows, row
from tests.faults.scenarios import contents
from tests.old_ledgers import make_version_1, make_version_2, make_version_3, make_version_4

SECOND = {"inventory_no": "22442026E000000002", "order_no": "DD2", "waybill_no": "LP2"}
THIRD = {"inventory_no": "22442026E000000003", "order_no": "DD3", "waybill_no": "LP3", "declaring_customs_code": "5304"}
RUN = ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--out", "out", "--as-of", "2026-11-05")
RECEIPT = "message,inventory_no,status_code,cleared_at\n"


def ledger(runner: Runner, *arguments: str) -> subprocess.CompletedProcess[str]:
    return aggregator("ledger", *arguments, "--out", "out", folder=runner.folder)


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows


def waiting(runner: Runner) -> list[tuple[object, ...]]:
    return sql(runner.out / "ledger.sqlite", "SELECT inventory_no, fate, reason FROM waiting ORDER BY 1")


# ----------------------------------------------------------------------------------------------- what it takes down


def test_items_applications_and_states(runner: Runner) -> None:
    lines = [row(), row(item_no="2", commodity_code="6110200010"), row(item_no="3"), row(**SECOND), row(**THIRD)]
    runner.run_rows(lines)
    path = runner.out / "ledger.sqlite"
    rows = sql(path, "SELECT inventory_no, state, application_no, items, cleared_period FROM inventory ORDER BY 1")
    assert rows == [
        ("22442026E000000001", "applied", 1, "1/1 1/2 1/1", "202610"),
        ("22442026E000000002", "applied", 1, "1/1", "202610"),
        ("22442026E000000003", "applied", 2, "2/1", "202610"),
    ]
    applications = sql(path, "SELECT application_ref, declaring_customs_code, state FROM application ORDER BY 1")
    assert applications == [("202610-01-A001", "2244", "applied"), ("202610-01-A002", "5304", "applied")]
    shown = json.loads(ledger(runner, "show", "--json").stdout)["runs"]
    assert [(run["run_ref"], run["period"], run["declarations"], run["inventories"]) for run in shown] == [
        ("202610-01", "2026-10", 2, {"applied": 3})
    ]
    assert [each["inventories"] for each in shown[0]["applications"]] == [2, 1]
    assert json.loads(ledger(runner, "show", "--period", "2026-09", "--json").stdout)["runs"] == []


def test_refs_are_those_of_the_audit_map(runner: Runner) -> None:
    """Many inventories, lines out of order, several declarations: the ledger and the audit map say the same."""
    lines = []
    for n in range(1, 90):
        number = {"inventory_no": f"22442026E{n:09d}", "order_no": str(n), "waybill_no": str(n)}
        for item in ("2", "1", "3"):
            lines.append(row(**number, item_no=item, enterprise_goods_name=f"name {n % 60} {item}"))
    outcome = runner.run_rows(lines, chunk_bytes=20_000)
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet").sort_by([("inventory_no", "ascending"), ("item_no", "ascending")])
    expected: dict[str, list[str]] = {}
    for line in audit.select(["inventory_no", "declaration_ref", "declaration_item_no"]).to_pylist():
        declaration = int(line["declaration_ref"].rsplit("-", 1)[1])
        expected.setdefault(line["inventory_no"], []).append(f"{declaration}/{line['declaration_item_no']}")
    found = dict(sql(runner.out / "ledger.sqlite", "SELECT inventory_no, items FROM inventory"))
    assert found == {number: " ".join(places) for number, places in expected.items()}
    assert outcome.counts["declarations"] > 3


def test_same_inventory_with_other_content_shows_both(runner: Runner) -> None:
    runner.run_rows([row(), row(item_no="2"), row(**SECOND)])
    changed = {"gross_weight_kg": "1.600"}
    outcome = runner.run_rows(
        [row(**changed, total_price="10.01"), row(**changed, item_no="2", goods_name="<b>"), row(**changed, item_no="3"), row(**SECOND)]
    )
    assert outcome.excluded == {"known": 1}
    assert outcome.exit_code == 3
    found = {(f["item_no"], f["column"]): f["value"] for f in runner.results(outcome, "findings")}
    place = "202610-01-000001/1"
    assert found == {
        ("", "gross_weight_kg"): f"1.50000 → 1.60000 @ {place}",
        ("1", "total_price"): f"10.00000 → 10.01000 @ {place}",
        ("2", "goods_name"): f"棉制T恤衫 → <b> @ {place}",
        ("3", "item_no"): f" → 3 @ {place}",
    }
    assert waiting(runner) == [], "it is declared: it does not wait"
    shutil.rmtree(runner.out / "2026-10/202610-02")
    gone = runner.out / "2026-10/202610-01/audit_map.parquet"
    gone.write_bytes(gone.read_bytes()[:1000])
    sparse = runner.run_rows([row(goods_spec="x")])
    [finding] = runner.results(sparse, "findings")
    assert (finding["column"], finding["value"]) == ("inventory_no", f"22442026E000000001 @ {place}")


@pytest.mark.parametrize(
    ("how", "says"),
    [("CEB606 399", "CEB606 399 @ 202610-01-000001/1"), ("CEB604 100", "100 @ 202610-01-000001/1"), ("column", "100 @ 202610-01-000001/1")],
)
def test_cancelled_after_it_was_declared_is_reported_once_and_kept(runner: Runner, how: str, says: str) -> None:
    first = runner.run_rows([row(), row(**SECOND)])
    if how == "column":
        again = lambda: runner.run_rows([row(status_code="100", cleared_at=""), row(**SECOND)])  # noqa: E731
    else:
        message, status = how.split()
        receipts = runner.write(RECEIPT + f"{message},22442026E000000001,{status},20261103000000000\n", "r.csv")
        again = lambda: runner.run_rows([row(), row(**SECOND)], receipts=(receipts,))  # noqa: E731
    reported = again()
    assert (reported.exit_code, reported.published) == (3, True)
    [finding] = runner.results(reported, "findings")
    assert (finding["code"], finding["value"]) == ("B103", says)
    details = {e["detail"] for e in runner.results(reported, "excluded") if e["inventory_no"] == "22442026E000000001" and e["reason"] != "not_cleared"}
    assert details == {"202610-01-000001/1"}
    quiet = again()
    assert (quiet.exit_code, quiet.published, quiet.findings) == (0, False, {})
    status = json.loads(aggregator("status", "--out", "out", "--json", "--period", "2026-10", folder=runner.folder).stdout)
    assert status["periods"][0]["cancelled_since"] == 1
    assert first.run_ref != reported.run_ref
    assert waiting(runner) == []


# --------------------------------------------------------------------------------------------- void, answers, dismissals


def test_void_frees_and_the_next_run_declares_again(runner: Runner) -> None:
    runner.write([row(), row(**SECOND)])
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    result = ledger(runner, "void", "202610-01", "--reason", "wrong receipts")
    assert result.returncode == 0, result.stderr
    assert "2 inventories are free" in result.stdout
    assert sorted(path.name for path in (runner.out / "2026-10").iterdir()) == ["202610-01.void"]
    assert [fate for _, fate, _ in waiting(runner)] == ["voided", "voided"]
    status = json.loads(aggregator("status", "--out", "out", "--json", "--as-of", "2026-11-05", folder=runner.folder).stdout)
    assert status["periods"][0]["undeclared"] == 2
    assert ledger(runner, "check").returncode == 0
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    assert waiting(runner) == []
    assert (runner.out / "2026-10/202610-02/manifest.json").exists(), "the number of a voided run is not used again"
    states = sql(runner.out / "ledger.sqlite", "SELECT state, count(*) FROM inventory GROUP BY 1 ORDER BY 1")
    assert states == [("applied", 2), ("voided", 2)]
    assert ledger(runner, "check").returncode == 0


def test_refused_application_frees_its_own_and_an_answered_run_stays(runner: Runner) -> None:
    runner.write([row(), row(**SECOND), row(**THIRD)])
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    refused = ledger(runner, "answer", "202610-01-A001", "refused", "--reason", "consignor not filed")
    assert "2 inventories. They are free" in refused.stdout, refused.stderr
    assert ledger(runner, "answer", "202610-01-A002", "accepted").returncode == 0
    before = contents(runner.out / "ledger.sqlite")
    void = ledger(runner, "void", "202610-01", "--reason", "wrong receipts")
    assert void.returncode == 78
    assert "202610-01-A001 (refused), 202610-01-A002 (accepted)" in void.stderr
    assert contents(runner.out / "ledger.sqlite") == before
    shown = ledger(runner, "show").stdout
    assert "consignor not filed" in shown
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    rows = sql(runner.out / "ledger.sqlite", "SELECT inventory_no, state, run_no FROM inventory ORDER BY 1, 3")
    assert rows == [
        ("22442026E000000001", "refused", 1), ("22442026E000000001", "applied", 2),
        ("22442026E000000002", "refused", 1), ("22442026E000000002", "applied", 2),
        ("22442026E000000003", "accepted", 1),
    ]  # fmt: skip
    assert ledger(runner, "answer", "202610-01-A002", "merged").returncode == 0
    assert ledger(runner, "answer", "202610-01-A002", "entered").returncode == 0
    assert ledger(runner, "check").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("void", "202610-09", "--reason", "wrong receipts"), 2, "has no run 202610-09"),
        (("void", "../x", "--reason", "wrong receipts"), 2, "has no run"),
        (("answer", "202610-01-A009", "accepted"), 2, "has no application"),
        (("answer", "202610-01-A001", "entered"), 78, "is applied and cannot become entered"),
        (("answer", "202610-01-A001", "lost"), 2, "'lost' is not one of"),
        (("dismiss", "9", "--reason", "x"), 2, "no inventory 9"),
        (("import", "absent.csv"), 66, "no such file"),
        (("import", "bad.csv"), 65, "row 3: '5.34E+17'"),
        (("import", "blank.csv"), 65, "row 3: ''"),
        (("import", "headless.csv"), 65, "[F101]"),
        (("backup", "export.csv"), 73, "exists and is left as it is"),
        (("export", "out"), 73, "exists. Name a new folder"),
        (("show", "--ledger", "absent.sqlite"), 78, "There is no ledger"),
        (("check", "--ledger", "export.csv"), 78, "cannot be read"),
        (("show", "--ledger", "out"), 78, "is a folder"),
    ],
)  # fmt: skip
def test_bad_input_changes_nothing(runner: Runner, arguments: tuple[str, ...], code: int, says: str) -> None:
    runner.write([row(), row(**SECOND, goods_name="")])
    runner.write("inventory_no\n22442026E000000007\n5.34E+17\n", "bad.csv")
    runner.write("inventory_no,x\n22442026E000000007,1\n,2\n", "blank.csv")
    runner.write("22442026E000000007\n", "headless.csv")
    assert aggregator(*RUN, folder=runner.folder).returncode == 3
    before = {path: path.read_bytes() for path in runner.folder.rglob("*") if path.is_file()}
    result = ledger(runner, *arguments)
    assert result.returncode == code, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in runner.folder.rglob("*") if path.is_file()} == before


def test_ledger_that_may_not_be_read_is_reported(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.run_rows([row()])
    opened = Path.open

    def no_rights(path: Path, *arguments: object, **named: object) -> object:
        if path.name == "ledger.sqlite":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", no_rights)
    for command in (("status",), ("ledger", "show"), ("doctor",)):
        result = aggregator(*command, "--out", "out", folder=runner.folder)
        assert result.returncode == (3 if command == ("doctor",) else 74)
        assert "ledger.sqlite cannot be read: Permission denied" in result.stdout + result.stderr


def test_voided_twice(runner: Runner) -> None:
    runner.run_rows([row()])
    assert ledger(runner, "void", "202610-01", "--reason", "wrong receipts").returncode == 0
    again = ledger(runner, "void", "202610-01", "--reason", "wrong receipts")
    assert again.returncode == 78
    assert "voided before" in again.stderr
    answer = ledger(runner, "answer", "202610-01-A001", "accepted")
    assert answer.returncode == 78
    assert "is voided" in answer.stderr


def test_dismissed_is_no_longer_waited_for(runner: Runner) -> None:
    runner.write([row(**{**SECOND, "inventory_no": "2244"}, goods_name="")])
    assert aggregator(*RUN, folder=runner.folder).returncode == 3
    status = ("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-16")
    assert aggregator(*status, folder=runner.folder).returncode == 3
    assert ledger(runner, "dismiss", "2244", "--reason", "typing error, corrected").returncode == 0
    after = aggregator(*status, folder=runner.folder)
    assert after.returncode == 0
    assert "typing error, corrected" in after.stdout
    assert aggregator(*RUN, folder=runner.folder).returncode == 3, "seen again it is taken up again"
    assert waiting(runner) == [("2244", "rejected", "R101")]


@pytest.mark.parametrize("more", [0, 4])
def test_what_is_declared_waits_no_longer(runner: Runner, more: int) -> None:
    """Whether more waited than are declared now, or fewer."""
    faulty = [row(inventory_no=f"22442026E{n:09d}", order_no=str(n), waybill_no=str(n), goods_name="") for n in (1, 2, 3)]
    runner.run_rows(faulty)
    corrected = [{**faulty[0], "goods_name": "x"}]
    corrected += [row(inventory_no=f"22442026E{n:09d}", order_no=str(n), waybill_no=str(n)) for n in range(10, 10 + more)]
    runner.run_rows(corrected)
    assert [number for number, *_ in waiting(runner)] == ["22442026E000000002", "22442026E000000003"]


def test_cancelled_ones_of_a_voided_run_are_not_to_be_declared_again(runner: Runner) -> None:
    runner.run_rows([row(), row(**SECOND)])
    receipts = runner.write(RECEIPT + "CEB606,22442026E000000001,399,20261103000000000\n", "r.csv")
    runner.run_rows([row(), row(**SECOND)], receipts=(receipts,))
    assert ledger(runner, "void", "202610-01", "--reason", "wrong receipts").returncode == 0
    assert waiting(runner) == [("22442026E000000001", "excluded", "cancelled"), ("22442026E000000002", "voided", "")]


# ------------------------------------------------------------------------------------------------- import, export, backup


def test_import_of_what_was_declared_elsewhere(runner: Runner) -> None:
    runner.write("清单编号,结关时间\n22442026E000000001,2026-09-10\n22442026E000000001,2026-09-10\n22442026E000000002,\n", "old.csv")
    first = ledger(runner, "import", "old.csv")
    assert first.returncode == 0, first.stderr
    assert "import-01: 2 inventories" in first.stdout
    assert ledger(runner, "import", "old.csv").stdout.startswith("Nothing new")
    outcome = runner.run_rows([row(), row(**SECOND, total_price="10.01"), row(**THIRD)])
    assert outcome.excluded == {"known": 2}
    assert outcome.counts["inventories_declared"] == 1
    assert ledger(runner, "check").returncode == 0
    assert ledger(runner, "void", "import-01", "--reason", "wrong receipts").returncode == 0
    again = runner.run_rows([row(), row(**SECOND), row(**THIRD)])
    assert again.counts["inventories_declared"] == 2
    assert ledger(runner, "check").returncode == 0


def test_import_takes_what_waits(runner: Runner) -> None:
    runner.run_rows([row(goods_name="")])
    runner.write("inventory_no\n22442026E000000001\n", "old.csv")
    assert ledger(runner, "import", "old.csv").returncode == 0
    assert waiting(runner) == []


def test_export_and_backup(runner: Runner) -> None:
    runner.run_rows([row(), row(**SECOND, goods_name="")])
    assert ledger(runner, "export", "tables").returncode == 0
    tables = {path.stem: pq.read_table(path) for path in (runner.folder / "tables").iterdir()}
    assert {name: table.num_rows for name, table in tables.items()} == {
        "runs": 1, "applications": 1, "declarations": 1, "inventories": 1, "waiting": 1, "receipts": 0, "events": 5,
        "sent": 0, "application_receipts": 0, "results": 0, "result_parts": 0, "result_lines": 0, "clearances": 0,
    }  # fmt: skip
    assert tables["inventories"]["items"].to_pylist() == ["1/1"]
    assert ledger(runner, "backup", "safe/copy.sqlite").returncode == 0
    assert contents(runner.folder / "safe/copy.sqlite") == contents(runner.out / "ledger.sqlite")
    assert [path.name for path in (runner.folder / "safe").iterdir()] == ["copy.sqlite"]
    (runner.out / "ledger.sqlite").unlink()
    shutil.copy(runner.folder / "safe/copy.sqlite", runner.out / "ledger.sqlite")
    assert runner.run_rows([row()]).excluded == {"known": 1}


# -------------------------------------------------------------------------------------------------- lost, old, altered


def test_ledger_and_results_can_be_moved_together(runner: Runner) -> None:
    runner.run_rows([row()])
    runner.out.rename(runner.folder / "moved")
    result = aggregator("ledger", "check", "--out", "moved", folder=runner.folder)
    assert result.returncode == 0, result.stdout
    assert runner.run_rows([row()], out=runner.folder / "moved").excluded == {"known": 1}


@pytest.mark.parametrize("lost", ["old copy", "gone", "of another folder"])
def test_lost_or_old_ledger_refuses_the_next_run(runner: Runner, in_new_folder: Callable[[str], Runner], lost: str) -> None:
    runner.run_rows([row()])
    copy = (runner.out / "ledger.sqlite").read_bytes()
    runner.run_rows([row(), row(**SECOND)])
    path = runner.out / "ledger.sqlite"
    if lost == "old copy":
        path.write_bytes(copy)
    elif lost == "gone":
        path.unlink()
    else:
        other = in_new_folder("other")
        other.run_rows([row()])
        other.run_rows([row(), row(**THIRD)])
        path.write_bytes((other.out / "ledger.sqlite").read_bytes())
    before = sorted(runner.out.rglob("*"))
    for job in (lambda: runner.run_rows([row(), row(**SECOND)]), lambda: runner.run_rows([row(**THIRD)], dry_run=True)):
        with pytest.raises(WrongConfiguration, match="lost or old"):
            job()
    assert sorted(runner.out.rglob("*")) == before


def test_ledger_from_before_a_void_is_refused(runner: Runner) -> None:
    runner.run_rows([row()])
    copy = (runner.out / "ledger.sqlite").read_bytes()
    assert ledger(runner, "void", "202610-01", "--reason", "wrong receipts").returncode == 0
    (runner.out / "ledger.sqlite").write_bytes(copy)
    with pytest.raises(WrongConfiguration, match="lost or old"):
        runner.run_rows([row(), row(**SECOND)])


def test_what_another_ledger_was_about_to_publish_is_not_removed(runner: Runner) -> None:
    """Recorded and not yet renamed, and then the ledger is lost: the hidden folder is all that tells of it."""
    left = runner.out / "2026-10/.stage-ABCDEF01-202610-01"
    left.mkdir(parents=True)
    with pytest.raises(WrongConfiguration, match="lost or old"):
        runner.run_rows([row()])
    assert left.exists()


def test_require_ledger_never_makes_one(runner: Runner) -> None:
    """The network disk is not there: its empty mount point must not become a ledger that knows nothing."""
    with pytest.raises(WrongConfiguration, match="There is no ledger"):
        runner.run_rows([row()], require_ledger=True)
    assert not (runner.out / "ledger.sqlite").exists()
    runner.run_rows([row()])
    assert runner.run_rows([row()], require_ledger=True).excluded == {"known": 1}


TAMPERING = {
    "removed row": "DELETE FROM inventory WHERE inventory_id = 1",
    "other number": "UPDATE inventory SET inventory_no = '22442026E000000009' WHERE inventory_id = 1",
    "other content": "UPDATE inventory SET content = x'00' WHERE inventory_id = 1",
    "freed by hand": "UPDATE inventory SET state = 'voided' WHERE inventory_id = 1",
    "added row": "INSERT INTO inventory SELECT 99, '22442026E000000099', content, run_no, 1, state, '202610', 0, '', '' FROM inventory LIMIT 1",
    "run voided by hand": "UPDATE run SET state = 'voided'",
    "run removed": "DELETE FROM run",
    "folder renamed": "UPDATE run SET folder = 'elsewhere'",
    "event changed": "UPDATE event SET detail = '{}' WHERE kind = 'run'",
    "event removed": "DELETE FROM event WHERE event_no = 2",
    "application answered by hand": "UPDATE application SET state = 'accepted'",
    "first period": "UPDATE setting SET value = '202610' WHERE name = 'first_period'",
    "id": "UPDATE setting SET value = 'X' WHERE name = 'ledger_id'",
    "tally": "UPDATE tally SET inventories = 5",
    "declaration": "UPDATE declaration SET inventory_count = 9",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_changed_by_hand_is_found_and_refused(runner: Runner, how: str) -> None:
    runner.run_rows([row(), row(**SECOND)])
    path = runner.out / "ledger.sqlite"
    assert check_ledger(path, runner.out, 0).problems == []
    sql(path, TAMPERING[how])
    problems = check_ledger(path, runner.out, 0).problems
    assert any(problem.subject == str(path) for problem in problems)
    with pytest.raises(WrongConfiguration, match="Restore it from a backup"):
        runner.run_rows([row(), row(**SECOND), row(**THIRD)])


def test_no_damage_is_believed(runner: Runner, tmp_path: Path) -> None:
    """Bytes changed at random, the file cut: refused, or not a row is other than it was."""
    runner.run_rows([row(inventory_no=f"22442026E{n:09d}", order_no=str(n), waybill_no=str(n)) for n in range(40)])
    path = runner.out / "ledger.sqlite"
    whole, sound = path.read_bytes(), contents(path)
    draw = random.Random(9610)
    damaged = tmp_path / "damaged.sqlite"
    refused, codes = 0, set()
    cuts = [whole[: len(whole) * tenth // 10] for tenth in range(1, 10)]
    for trial in range(250):
        data = bytearray(whole)
        if trial < len(cuts):
            data = bytearray(cuts[trial])
        else:
            for _ in range(draw.choice((1, 1, 4, 64))):
                data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        damaged.write_bytes(data)
        try:
            with open_ledger(damaged) as connection:
                refuse_altered(connection, damaged)
            found = contents(damaged)
        except StopRun as stop:
            codes.add(stop.exit_code)
            refused += 1
            continue
        assert found == sound, trial
    assert codes == {78}
    assert refused > 60


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("file edited", "the file was changed"),
        ("file removed", "the file was removed"),
        ("file added", "the file was added by hand"),
        ("manifest edited", "the manifest is not the one recorded"),
        ("folder removed", "the folder of a published run is gone"),
        ("folder added", "the ledger does not know this run"),
        ("folder renamed", "its folder is called otherwise"),
    ],
)
def test_check_finds_what_was_done_to_run_folders(runner: Runner, how: str, says: str) -> None:
    outcome = runner.run_rows([row(), row(**SECOND, goods_name="")])
    folder = Path(outcome.folder)
    match how:
        case "file edited":
            (folder / "rejected/export.csv").write_text("x")
        case "file removed":
            (folder / "declarations.csv").unlink()
        case "file added":
            (folder / "rejected/notes.txt").write_text("x")
        case "manifest edited":
            (folder / "manifest.json").write_text("{}")
        case "folder removed":
            shutil.rmtree(folder)
        case "folder added":
            shutil.copytree(folder, folder.with_name("202610-02"))
        case "folder renamed":
            folder.rename(folder.with_name("202610-01.void"))
    result = ledger(runner, "check")
    assert result.returncode == 3, result.stdout
    assert says in result.stdout
    answer = json.loads(ledger(runner, "check", "--json").stdout)
    assert len(answer["problems"]) == 1 + (how == "folder renamed" and 0)
    assert all(problem["remedy"]["zh"] for problem in answer["problems"])


def test_check_finishes_a_publication_that_was_cut_off(runner: Runner) -> None:
    outcome = runner.run_rows([row()])
    folder = Path(outcome.folder)
    mark = str(sql(runner.out / "ledger.sqlite", "SELECT value FROM setting WHERE name = 'ledger_id'")[0][0])[:8]
    folder.rename(folder.with_name(f".stage-{mark}-202610-01"))
    doctor = aggregator("doctor", "--out", "out", "--as-of", "2026-06-01", folder=runner.folder)
    assert doctor.returncode == 3
    assert "half done" in doctor.stdout
    result = ledger(runner, "check")
    assert result.returncode == 0, result.stdout
    assert "completed an interrupted publication" in result.stdout
    assert folder.is_dir()


# ------------------------------------------------------------------------------------------------------ earlier versions


def test_version_1_is_brought_forward_with_a_backup(runner: Runner) -> None:
    outcome = runner.run_rows([row()])
    path = runner.out / "ledger.sqlite"
    [[content]] = sql(path, "SELECT content FROM inventory")
    manifest = Path(outcome.folder) / "manifest.json"
    from aggregator.outputs.manifest import sha256_of

    path.unlink()
    assert isinstance(content, bytes)
    path.with_name("ledger.head").unlink()  # version 1 left none
    make_version_1(path, manifest_sha256=sha256_of(manifest), contents={"22442026E000000001": content})
    shutil.copytree(outcome.folder, Path(outcome.folder).with_name("202610-02"))
    old = contents(path)
    status = aggregator("status", "--out", "out", folder=runner.folder)
    assert status.returncode == 78
    assert "aggregator ledger migrate" in status.stderr
    assert ledger(runner, "migrate").returncode == 0
    assert contents(path.with_name("ledger.sqlite.v1-backup")) == old
    assert check_ledger(path, runner.out, 0).problems == []
    assert sql(path, "SELECT run_ref, period, folder FROM run") == [
        ("202610-01", "202610", "2026-10/202610-01"), ("202610-02", "202610", "2026-10/202610-02"),
    ]  # fmt: skip
    assert waiting(runner) == [("22442026E000000008", "excluded", "not_cleared")]
    grown = runner.run_rows([row(), row(**SECOND)])
    assert (grown.run_ref, grown.excluded) == ("202610-03", {"known": 1})
    assert ledger(runner, "void", "202610-01", "--reason", "wrong receipts").returncode == 0


def test_version_1_that_was_changed_by_hand_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    make_version_1(path)
    sql(path, "UPDATE run SET manifest_sha256 = 'ff' WHERE run_ref = '202610-01'")
    before = contents(path)
    result = aggregator("ledger", "migrate", "--ledger", "ledger.sqlite", folder=tmp_path)
    assert result.returncode == 78
    assert "run 202610-01 is not what was recorded" in result.stderr
    assert contents(path) == before


def test_findings_of_a_run_name_the_file_they_came_from(runner: Runner) -> None:
    """B101 and B103 stand at the first line of their inventory, like the findings of the inventory rules."""
    runner.run_rows([row(), row(**SECOND)])
    outcome = runner.run_rows([row(**THIRD), row(**SECOND, total_price="10.01"), row()])
    [finding] = read_rows(Path(outcome.folder) / "findings.csv")
    assert finding["source_row"] == "3"


EARLIER: dict[int, Callable[[Path], None]] = {1: make_version_1, 2: make_version_2, 3: make_version_3, 4: make_version_4}


@pytest.mark.parametrize("version", EARLIER)
def test_earlier_versions_are_brought_forward_and_sealed(runner: Runner, version: int) -> None:
    runner.out.mkdir()
    path = runner.out / "ledger.sqlite"
    EARLIER[version](path)
    old = contents(path)
    assert ledger(runner, "show").returncode == 78, "what only reads does not bring it forward"
    assert contents(path) == old
    assert ledger(runner, "migrate").returncode == 0
    assert contents(path.with_name(f"ledger.sqlite.v{version}-backup")) == old
    new = contents(path)
    if version > 1:
        assert [row[:2] for row in new["sent"]] == old.get("sent", [])
        assert {name: rows for name, rows in old.items() if name not in ("event", "sent")} == {name: new[name] for name in old if name not in ("event", "sent")}
        assert new["event"][: len(old["event"])] == old["event"]
    assert [kind for (kind,) in sql(path, "SELECT kind FROM event WHERE kind IN ('migrated', 'sealed')")] == ["sealed"] * (version >= 4) + ["migrated"] * (VERSION - version) + ["sealed"]
    assert sql(path, "PRAGMA user_version") == [(VERSION,)]
    assert [problem for problem in check_ledger(path, runner.out, 0).problems if "gone" not in problem.what.en] == []
    outcome = runner.run_rows([row(**SECOND), row(**THIRD)])
    assert (outcome.counts["inventories_declared"], outcome.counts["inventories_rejected"]) == (1, 1), "one is known with other content"
    assert [problem for problem in check_ledger(path, runner.out, 0).problems if "gone" not in problem.what.en] == []


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "how",
    [
        "UPDATE event SET detail = '{' WHERE event_no = 3", "UPDATE application SET state = 'applied'", "DELETE FROM inventory WHERE inventory_id = 2",
        "UPDATE run SET folder = 'x'", "UPDATE inventory SET content = x'00'", "UPDATE tally SET inventories = 1", "DELETE FROM event WHERE event_no = 1",
    ],
)  # fmt: skip
def test_earlier_version_that_was_changed_by_hand_is_not_sealed(runner: Runner, version: int, how: str) -> None:
    runner.out.mkdir()
    path = runner.out / "ledger.sqlite"
    EARLIER[version](path)
    sql(path, how)
    before = contents(path)
    for command in (("ledger", "migrate"), ("run", "export.csv", "--period", "2026-10")):
        runner.write([row()])
        result = aggregator(*command, "--out", "out", folder=runner.folder)
        assert result.returncode == 78, result.stderr
        assert "was damaged or changed by hand" in result.stderr
        assert contents(path) == before


def test_an_interrupt_while_a_row_is_counted_is_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    at = ledger_at(tmp_path / "ledger.sqlite")
    with at.locked(), at.opened(create=True, at="2026-11-05T09:00:00+08:00") as ledger:
        monkeypatch.setattr("aggregator.ledger.sqlite.seal.row_hash", interrupted)
        with pytest.raises(KeyboardInterrupt), ledger.transaction("2026-11-05T09:00:00+08:00"):
            ledger.record_received("0", "f")
    monkeypatch.undo()
    with at.opened() as ledger:
        assert (ledger.was_received("0"), ledger.altered()) == (False, [])
