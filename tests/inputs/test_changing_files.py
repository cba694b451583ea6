"""A file that changes while it is read: what is declared is what the manifest's hash is of, or nothing.

The file is changed right before every single time that it is opened or read from, one time after the other. What is read has to
be the old bytes alone or the new ones alone, hash and all; or else it ends with 74, naming the file, and nothing is done.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.receipts import read_receipts
from aggregator.inputs.tables.tariff import read_tariff
from aggregator.jobs.ledger import imported
from aggregator.jobs.receive import receive
from aggregator.jobs.run import run
from aggregator.samples.shapes.formats import (
    as_csv,
    as_gzip,
    as_message,
    as_parquet,
    as_receipts,
    as_workbook,
    as_zip,
    table_of,
)
from aggregator.schemas.modes.m9610 import M9610
from tests import customs as c
from tests.changing import Job, Moments, appended, changed_once, every_change, in_place, truncated, watched
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, csv_text, parameters, row
from tests.jobs.test_receive import Office, exported

pytestmark = pytest.mark.long

Rows = list[dict[str, str]]

# ------------------------------------------------------------------------------------------------------------------ reading


def rows(first: int, count: int = 5) -> Rows:
    """Two items an inventory; every fifth has a wrong line."""
    return [
        row(
            inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", item_no=str(item),
            declared_quantity="x" if n % 5 == 0 else "2", enterprise_goods_name=f"货{n % 3}",
        )
        for n in range(first, first + count) for item in (1, 2)
    ]  # fmt: skip


def formulas(lines: Rows) -> bytes:
    """Text formulas without quotes around them, as some shops write codes."""
    columns = list(lines[0])
    cells = [[f'="{line[name]}"' if name == "inventory_no" else line[name] for name in columns] for line in lines]
    return "".join(",".join(each) + "\n" for each in [columns, *cells]).encode()


def in_two_archives(lines: Rows) -> bytes:
    first, rest = csv_text(lines[:8]), csv_text(lines[8:]).partition("\n")[2]
    return as_gzip(first.encode()) + as_gzip(rest.encode())


def zipped(lines: Rows) -> bytes:
    return as_zip({"a.csv": csv_text(lines[:8]).encode(), "b.xlsx": as_workbook({"清单": table_of(lines[8:])})})


EXPORTS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "text": ("csv", lambda lines: csv_text(lines).encode()),
    "titles": ("csv", lambda lines: as_csv([["十月"], *table_of(lines)], encoding="utf-8-sig")),
    "gb18030": ("csv", lambda lines: as_csv(table_of(lines), encoding="gb18030")),
    "utf-16": ("csv", lambda lines: as_csv(table_of(lines), encoding="utf-16")),
    "old mac": ("csv", lambda lines: as_csv(table_of(lines), line_end="\r")),
    "formulas": ("csv", formulas),
    "workbook": ("xlsx", lambda lines: as_workbook({"清单": table_of(lines)})),
    "parquet": ("parquet", as_parquet),
    "message": ("xml", as_message),
    "gzip": ("csv.gz", lambda lines: as_gzip(csv_text(lines).encode())),
    "gzip in two": ("csv.gz", in_two_archives),
    "zip": ("zip", zipped),
}


def read(path: Path) -> object:
    """All cells, wherever the blocks were cut, and the hash of what they are said to be from."""
    taken, passes = [], []
    with temporary_room() as room:
        for file in open_exports(sources_of([path], room), Reading(room, M9610.dictionary, (), 1024)):
            taken += [(each.name, each.sha256, each.size) for each in file.taken]
            for _ in range(2):  # as a run does
                chunks = [read_chunk(file, block) for block in file.blocks]
                passes.append([line for chunk in chunks for line in zip(chunk.rows.tolist(), chunk.lines.to_pylist(), strict=True)])
                passes.append([(int(chunk.rows[place]), code) for chunk in chunks for place, code in chunk.wrong.items()])
    return [taken, passes]


@pytest.mark.parametrize("kind", EXPORTS)
def test_export(tmp_path: Path, kind: str) -> None:
    suffix, make = EXPORTS[kind]
    path = tmp_path / f"export.{suffix}"
    found = every_change(Job(path, make(rows(101)), make(rows(201)), partial(read, path), refused=kind in ("workbook", "zip")))
    assert found["in_place"]
    assert found["replaced"]


# --------------------------------------------------------------------------------------------------------------- what is done


def standing(out: Path) -> list[str]:
    """What is published and kept, and what the ledger says."""
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.name != "ledger.sqlite.lock")
    with closing(sqlite3.connect(out / "ledger.sqlite")) as connection:
        return [*found, *connection.iterdump()]


def nothing_is_done(job: Job, out: Path, count: int = 6) -> None:
    """The file is changed at some moments, the last of them among them: `job` ends as it may, and with 74 leaves all as it was."""
    before = out.with_name("before")
    shutil.copytree(out, before)

    def again() -> None:
        shutil.rmtree(out)
        shutil.copytree(before, out)

    _, moments = job.once(job.old, {})
    noticed = 0
    for at in sorted({1 + (moments - 1) * place // (count - 1) for place in range(count)}):
        again()
        found, _ = job.once(job.old, {at: partial(in_place, job.path, job.new)})
        noticed += job.noticed(found)
        assert job.noticed(found) or not isinstance(found, tuple), f"at {at} of {moments}: {found}"
        assert not job.noticed(found) or standing(out) == standing(before), f"at {at} of {moments}: something was done"
    assert noticed


def with_a_ledger(runner: Runner) -> Path:
    """A folder in which something was declared before."""
    runner.run(runner.write(rows(900, 1), "earlier.csv"))
    return runner.out


@pytest.mark.parametrize("kind", ["text", "workbook", "message", "gzip", "zip"])
def test_run(runner: Runner, kind: str) -> None:
    suffix, make = EXPORTS[kind]
    path, out = runner.folder / f"export.{suffix}", with_a_ledger(runner)
    job = Job(path, make(rows(101)), make(rows(201)), lambda: run(parameters(path, out=out, chunk_bytes=2048, assume_cleared=True).for_run(NOW.date()), NOW).run_ref)
    nothing_is_done(job, out)


@pytest.mark.parametrize("make", [as_receipts, lambda stated: as_csv([["inventory_no", "status_code", "cleared_at"], *stated])])
def test_receipts(tmp_path: Path, make: Callable[[list[tuple[str, str, str]]], bytes]) -> None:
    path = tmp_path / "receipts"

    def stated(at: str) -> bytes:
        return make([(each["inventory_no"], "899", f"202610{at}100000000") for each in rows(101)])

    def read_all() -> object:
        with temporary_room() as room:
            found, taken, _ = read_receipts(sources_of([path], room), Reading(room, M9610.dictionary, (), 256, least_known=1))
            return [repr(found), [each.sha256 for each in taken]]

    assert every_change(Job(path, stated("15"), stated("17"), read_all))["in_place"]


def test_tariff(tmp_path: Path) -> None:
    path = tmp_path / "tariff.csv"

    def stated(unit: str) -> bytes:
        return as_csv([["commodity_code", "statutory_unit_code"], *([f"61091000{n}", unit] for n in range(10, 40))])

    def read_all() -> object:
        table, taken = read_tariff(path, M9610.dictionary, 256)
        return [table.to_pylist(), [each.sha256 for each in taken]]

    job = Job(path, stated("011"), stated("035"), read_all, refused=True)
    assert changed_once(job, in_place)
    assert changed_once(job, appended)


def test_received(runner: Runner) -> None:
    office = Office(runner, exported(6))
    [asked] = office.customs.asked.values()
    path = runner.folder / "answer.xml"
    job = Job(
        path, c.receipts(asked, "120", "20261105110000000"), c.receipts(asked, "120", "20261105120000000"),
        lambda: repr(receive(parameters(path, out=runner.out).for_receive(), NOW).changed),
    )  # fmt: skip
    nothing_is_done(job, runner.out)


def test_imported(runner: Runner) -> None:
    path, out = runner.folder / "numbers.csv", with_a_ledger(runner)

    def stated(first: int) -> bytes:
        return as_csv([["inventory_no"], *([f"22442026E{n:09d}"] for n in range(first, first + 30))])

    job = Job(path, stated(100), stated(200), lambda: repr(imported(M9610, out / "ledger.sqlite", out, path, 256, NOW, 1)))
    nothing_is_done(job, out)


def test_run_of_several_processes(runner: Runner) -> None:
    """The file is changed when it was looked through, and before the others read their blocks."""
    path, out = runner.folder / "export.csv", with_a_ledger(runner)
    before = standing(out)
    make = EXPORTS["text"][1]
    how = parameters(path, out=out, chunk_bytes=2048, assume_cleared=True, workers=2)
    job = Job(path, make(rows(101)), make(rows(201)), lambda: run(how.for_run(NOW.date()), NOW).run_ref)
    _, moments = Job(path, job.old, job.new, partial(run, replace(how, out=runner.folder / "other").for_run(NOW.date()), NOW)).once(job.old, {})
    for change in (in_place, truncated):
        found, _ = job.once(job.old, {moments: partial(change, path, job.new)})
        assert job.noticed(found), f"{change.__name__}: {found}"
        assert standing(out) == before


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "was changed while it was read. Nothing was published or recorded."), ("zh", "在读取过程中被改动。未发布也未登记任何内容。")],
)
def test_the_command_says_so(runner: Runner, lang: str, says: str) -> None:
    """An export that is still being written: it grows after it was looked through, and before its lines are read."""
    path = runner.write(rows(101))
    command = ("run", path, "--period", "2026-10", "--first-period", "2026-09", "--assume-cleared")
    steady = Moments(path, {})
    with watched(steady):
        assert aggregator(*command, "--out", "other", folder=runner.folder, lang=lang).returncode == 3
    opened_at_last = steady.count - 3
    with watched(Moments(path, {opened_at_last: partial(appended, path, path.read_bytes())})):
        result = aggregator(*command, "--out", "out", folder=runner.folder, lang=lang)
    assert (result.returncode, f"{path} {says}" in result.stderr) == (74, True), result.stderr
    assert not list(runner.out.glob("2026-10/*"))
