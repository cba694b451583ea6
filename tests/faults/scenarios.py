"""What is disturbed: each scenario is a state of the disk, and the command that is stopped or fails in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.conftest import csv_text, row
from tests.customs import Made, results
from tests.old_ledgers import make_version_1

COMMON = ("--lang", "en")
PERIOD = ("--period", "2026-10", "--first-period", "2026-09")


@dataclass(frozen=True)
class Scenario:
    """`before`: commands that make the state, `command`: what is disturbed; both with {} for the folder. `may_refuse`: what
    may be said of a command that was disturbed after it had taken effect, when it is given again. `ledger`: where it is."""

    name: str
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    files: Callable[[Path], None] | None = None
    may_refuse: str = ""
    ledger: str = "out/ledger.sqlite"


def _rows(first: int, count: int, **cells: str) -> list[dict[str, str]]:
    return [
        row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", **cells) for n in range(first, first + count)
    ]


def _exports(folder: Path) -> None:
    first = _rows(1, 4)
    second = [
        *first[:3], *_rows(4, 1, goods_name=""), *_rows(5, 2), *_rows(7, 1, cleared_at="2026-09-20 10:00:00"),
        *_rows(8, 1, status_code="800", cleared_at=""), *_rows(9, 1, trade_mode_code="9710"),
    ]  # fmt: skip
    (folder / "first.csv").write_text(csv_text(first), encoding="utf-8")
    (folder / "second.csv").write_text(csv_text(second), encoding="utf-8")
    lines = tuple((cells["inventory_no"], 1, 1, cells["commodity_code"]) for cells in first)
    made = Made("1" * 18, first[0]["consignor_code"], "2244", lines, Decimal("6.000"), Decimal("4.800"))
    [answer] = results(made, "20261105120000000", entry="2" * 18)
    (folder / "answer.xml").write_bytes(answer)
    (folder / "broken.xml").write_bytes(answer[:200])
    (folder / "elsewhere.csv").write_text("inventory_no\n22442026E000000005\n22442026E000000099\n", encoding="utf-8")


def _old_ledger(folder: Path) -> None:
    _exports(folder)
    (folder / "out").mkdir()
    make_version_1(folder / "out/ledger.sqlite")


def _run(export: str) -> tuple[str, ...]:
    return ("run", f"{{}}/{export}", *PERIOD, "--out", "{}/out", "--workers", "1", *COMMON)


_LEDGER = ("--out", "{}/out", *COMMON)
_KEPT = "kept/firm.sqlite"
_ELSEWHERE = ("--ledger", f"{{}}/{_KEPT}")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("first run", _run("first.csv"), files=_exports),
    Scenario("second run", _run("second.csv"), before=(_run("first.csv"),), files=_exports),
    Scenario("void", ("ledger", "void", "202610-01", "--reason", "wrong receipts", *_LEDGER), before=(_run("first.csv"),), files=_exports, may_refuse="voided before"),
    Scenario(
        "answer", ("ledger", "answer", "202610-01-A001", "refused", *_LEDGER), before=(_run("first.csv"),), files=_exports,
        may_refuse="is refused and cannot become refused",
    ),
    Scenario("import", ("ledger", "import", "{}/elsewhere.csv", *_LEDGER), before=(_run("first.csv"),), files=_exports),
    Scenario("receive", ("receive", "{}/answer.xml", "{}/broken.xml", *_LEDGER), before=(_run("first.csv"),), files=_exports),
    Scenario(
        "import, ledger elsewhere", ("ledger", "import", "{}/elsewhere.csv", *_ELSEWHERE, *_LEDGER),
        before=((*_run("first.csv"), *_ELSEWHERE),), files=_exports, ledger=_KEPT,
    ),
    Scenario("migrate", ("ledger", "migrate", *_LEDGER), files=_old_ledger),
    Scenario(
        "backup", ("ledger", "backup", "{}/copy.sqlite", *_LEDGER), before=(_run("first.csv"),), files=_exports, may_refuse="exists and is left",
    ),
)  # fmt: skip


def contents(ledger: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(ledger)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables}
