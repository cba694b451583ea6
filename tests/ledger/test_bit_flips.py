"""One bit of the ledger flipped, in every page and every table: the flip is found, or the ledger says what it said before."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aggregator.ledger.sqlite.store import open_ledger
from aggregator.ledger.sqlite.verify import found_altered
from aggregator.model.errors import Exit, StopRun
from aggregator.samples.shapes.formats import as_receipts
from tests import customs as c
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row
from tests.faults.scenarios import contents
from tests.jobs.test_receive import ENTRY, Office, exported

pytestmark = pytest.mark.long

FLIPS = int(os.environ.get("BIT_FLIPS", "1200"))
OF_THE_HEADER = 100
COMMANDS = max(FLIPS // 100, 16)
"""Flips after which commands are given too: each takes a hundred times as long."""
CHECK = ("ledger", "check", "--out", "out")
RUN = ("run", "again.csv", "--period", "2026-10", "--out", "out", "--as-of", "2026-11-05", "--workers", "1")


def whole_ledger(runner: Runner) -> Path:
    """A ledger with rows in every table: runs, one voided, imports, answers of every kind, what waits and why."""
    rows = exported(150, names=60, consignors=2)
    faulty = [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", goods_name="") for n in range(200, 280)]
    other = [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", trade_mode_code="9710") for n in range(300, 320)]
    office = Office(runner, rows + faulty + other)
    (first, asked), (second, _) = sorted(office.customs.asked.items())
    office.receive(c.receipts(asked, "120", "20261105110000000"))
    made = office.customs.merge(first)
    office.receive(*(message for each in made for message in c.results(each, "20261105120000000", entry=ENTRY)))
    office.receive(c.receipts(office.customs.asked[second], "100", "20261105130000000"))
    again = runner.write(rows, "again.csv")
    runner.run(again)
    cancelled = "".join(f"CEB606,22442026E{n:09d},399,20261103000000000\n" for n in range(2, 40, 2))
    runner.run(again, receipts=(runner.write("message,inventory_no,status_code,cleared_at\n" + cancelled, "receipts.csv"),))
    office.receive(as_receipts([(f"22442026E{n:09d}", "899", "20261020100000000") for n in range(400, 430)]))
    more = [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}") for n in range(500, 520)]
    voided = runner.run(runner.write(more, "more.csv"))
    runner.write("inventory_no\n22442026E000000900\n22442026E000000901\n", "elsewhere.csv")
    for command in (
        ("void", voided.run_ref, "--reason", "wrong receipts"),
        ("dismiss", "22442026E000000200", "--reason", "typing error"),
        ("import", "elsewhere.csv"),
    ):
        result = aggregator("ledger", *command, "--out", "out", folder=runner.folder)
        assert result.returncode == 0, result.stderr
    return runner.out / "ledger.sqlite"


def says(ledger: Path) -> dict[str, Any]:
    """All that a ledger says: rows, the tables' description, what it is."""
    with closing(sqlite3.connect(ledger)) as connection:
        tables = sorted(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall(), key=str)
        what = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")]
    return {**contents(ledger), "tables": tables, "what": what}


@dataclass(frozen=True)
class Flip:
    byte: int
    bit: int

    def of(self, data: bytes) -> bytes:
        made = bytearray(data)
        made[self.byte] ^= 1 << self.bit
        return bytes(made)


def flips(data: bytes, count: int, page: int) -> list[Flip]:
    """Every bit of the header where there are many, else a sample of it; and as many of each page."""
    draw = random.Random(9610)
    header = [Flip(byte, bit) for byte in range(OF_THE_HEADER) for bit in range(8)]
    chosen = header if count >= 8 * len(header) else draw.sample(header, count // 8)
    pages = len(data) // page
    of_each = max((count - len(chosen)) // pages, 1)
    for number in range(pages):
        bits = draw.sample(range(8 * page), of_each)
        chosen += [Flip(number * page + bit // 8, bit % 8) for bit in bits]
    return chosen


def verdict(ledger: Path, sound: dict[str, Any]) -> str:
    try:
        with open_ledger(ledger) as connection:
            if found_altered(connection, whole=True):
                return "detected"
    except StopRun as stop:
        return "detected" if stop.exit_code == Exit.CONFIGURATION else f"ended with {stop.exit_code}"
    try:
        return "harmless" if says(ledger) == sound else "silent"
    except sqlite3.DatabaseError:
        return "silent"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_ledger(Runner(tmp_path_factory.mktemp("whole")))


def test_every_flipped_bit_is_found_or_harmless(made: Path, tmp_path: Path) -> None:
    data, sound = made.read_bytes(), says(made)
    assert [name for name, rows in sound.items() if not rows] == []
    with closing(sqlite3.connect(made)) as connection:
        [page] = connection.execute("PRAGMA page_size").fetchone()
    flipped = tmp_path / "ledger.sqlite"
    counts, silent = Counter[str](), list[Flip]()
    for flip in flips(data, FLIPS, page):
        flipped.write_bytes(flip.of(data))
        found = verdict(flipped, sound)
        counts[found] += 1
        silent += [flip] * (found == "silent")
    print(f"{counts.total():,} flips in {len(data) // page} pages: {dict(counts)}")
    assert silent == []
    assert set(counts) == {"detected", "harmless"}
    assert counts["detected"] > counts.total() // 3


def test_commands_refuse_a_flipped_ledger_or_end_as_with_the_sound_one(made: Path, tmp_path: Path) -> None:
    """`ledger check` reports it (3) or refuses it (78), a run refuses it (78); neither calls it an internal error (70)."""
    data, sound = made.read_bytes(), says(made)
    with closing(sqlite3.connect(made)) as connection:
        [page] = connection.execute("PRAGMA page_size").fetchone()
    chosen = random.Random(24).sample(flips(data, FLIPS, page), COMMANDS)
    folder = tmp_path / "whole"
    counts = Counter[tuple[object, ...]]()
    for flip in [None, *chosen]:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made.parent.parent, folder)
        ledger = folder / "out/ledger.sqlite"
        ledger.write_bytes(data if flip is None else flip.of(data))
        found = verdict(ledger, sound)
        ended = [aggregator(*command, folder=folder) for command in (CHECK, RUN)]
        codes = tuple(each.returncode for each in ended)
        said = f"{flip}: {codes} {' '.join(each.stderr for each in ended)}"
        assert "Internal error" not in said
        assert codes == (0, 0) if found == "harmless" else codes[0] in (3, 78) and codes[1] == 78, said
        counts[found, *codes] += 1
    print(dict(counts))
    assert len({found for found, *_ in counts}) == 2
