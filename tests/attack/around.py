"""What is around a command: who gives it, what another left there, what the clock says, room for temporary files, workers."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from aggregator.model.disk import OWNER
from tests.attack.alone import with_clock
from tests.attack.judge import CODES, Case, mounts
from tests.attack.sound import INVENTORY, MESSAGE, left_by, made, put
from tests.attack.texts import NUMBERS, RUN, TEXTS
from tests.conftest import csv_text, row

ORDINARY = 65534
"""A user without any rights."""
IS_ROOT = os.geteuid() == 0
FAILS = CODES - {0}
_SECOND = {"inventory_no": "22442026E000000002", "order_no": "DD2", "waybill_no": "LP2"}


def cases() -> Iterator[Case]:
    for area in (_users, _clocks, *([_rooms] if mounts() else []), _workers, _many):
        yield from area()


# ------------------------------------------------------------------------------------------------ an ordinary user without rights


def _locked(path: Path, mode: int) -> None:
    """Root's, with these rights. Where nobody here is root, the user's own."""
    if IS_ROOT:
        os.chown(path, 0, 0)
    path.chmod(mode)


def _as_ordinary(lock: Callable[[Path], object]) -> Callable[[Path], object]:
    """All there is becomes the user's, but for what `lock` gives to root."""

    def before(work: Path) -> None:
        if IS_ROOT:
            for path in (work, work.parents[1] / "tmp", *work.rglob("*")):
                os.chown(path, ORDINARY, ORDINARY)
        lock(work)
        if IS_ROOT:
            os.setgroups([])
            os.setgid(ORDINARY)
            os.setuid(ORDINARY)

    return before


_ODD = (("check", "odd"), ("columns", "odd"), ("run", "export.csv", "odd", *RUN), ("receive", "odd", "--out", "out"), ("check", "export.csv", "--receipts", "odd"), ("check", "export.csv", "--tariff", "odd"),
        ("check", "export.csv", "--rates", "odd"), ("check", "export.csv", "--config", "odd"), ("check", "@odd"), ("trace", "--file", "odd", "--out", "out"), ("ledger", "import", "odd", "--out", "out"), ("status", "--out", "out", "--calendar", "odd"))  # fmt: skip
_WRITES = (("run", "export.csv", *RUN), ("receive", "export.csv", "--out", "out"), ("ledger", "void", "202610-01", "--reason", "x", "--out", "out"), ("ledger", "first-period", "2026-08", "--reason", "x", "--out", "out"))
_LOOKS = (("status", "--out", "out"), ("doctor", "--out", "out"), ("months", "--out", "out"), ("trace", "DD1", "--out", "out"), ("ledger", "check", "--out", "out"), ("ledger", "show", "--out", "out"), ("ledger", "backup", "out/backup", "--out", "out"),
          ("ledger", "export", "out/tables", "--out", "out"), ("diff", "out/2026-10/202610-01", "out/2026-10/202610-01"), ("report", "out/2026-10/202610-01"))  # fmt: skip


def _users() -> Iterator[Case]:
    unreadable: dict[str, tuple[Callable[[Path], object], str, int]] = {
        "file": (_odd_file, "odd", 0), "folder": (_odd_folder, "odd", 0), "in a folder": (_odd_folder, "odd/a.csv", 0), "listed only": (_odd_folder, "odd", 0o444),
    }  # fmt: skip
    for kind, (more, name, mode) in unreadable.items():
        for command in _ODD:
            yield _user(f"unreadable {kind}", command, lambda work, name=name, mode=mode: _locked(work / name, mode), more)
    out = {
        "out": (".", 0o555), "out unreadable": (".", 0), "ledger": ("ledger.sqlite", 0o444), "ledger unreadable": ("ledger.sqlite", 0), "period": ("2026-10", 0o555), "run unreadable": ("2026-10/202610-01", 0),
        "manifest": ("2026-10/202610-01/manifest.json", 0), "lock": ("ledger.sqlite.lock", 0o444), "head": ("ledger.head", 0), "temporary": ("../../../tmp", 0o555), "working folder": ("..", 0o555),
    }  # fmt: skip
    for command in (*_WRITES, *_LOOKS):
        for kind, (name, mode) in out.items():
            yield _user(f"unwritable {kind}", command, lambda work, name=name, mode=mode: _locked(work / "out" / name, mode), after_a_run=True)
        yield _user("unwritable ledger and out", command, lambda work: (_locked(work / "out/ledger.sqlite", 0o444), _locked(work / "out", 0o555)), after_a_run=True)
        yield _user("left by another", command, lambda work: None, _left_by_another, after_a_run=True)
    for command in (("run", "export.csv", *RUN), ("check", "export.csv"), ("sample", "--lines", "9", "--out", "out"), ("init",), ("template", "--out", "template.xlsx"), ("run", "export.csv", *RUN, "--metrics-file", "metrics.prom")):
        yield _user("no right to begin", command, lambda work: _locked(work, 0o555))


def _user(kind: str, command: tuple[str, ...], lock: Callable[[Path], object], more: Callable[[Path], object] = lambda work: None, *, after_a_run: bool = False) -> Case:
    def make(work: Path) -> None:
        (_after_a_run if after_a_run else _export)(work)
        more(work)

    return Case(f"user/{kind}/{' '.join(command[:2])} {' '.join(command[2:])[:12]}", make, command, before=_as_ordinary(lock))


def _after_a_run(work: Path) -> None:
    _export(work)
    put(left_by(("run", "x.csv", *RUN, "--metrics-file", "out/metrics.prom"), csv_text([row()]), 0), work / "out")


def _export(work: Path) -> None:
    (work / "export.csv").write_text(csv_text([row(), row(**_SECOND, goods_name="")]), encoding="utf-8")


def _odd_file(work: Path) -> None:
    (work / "odd").write_text(csv_text([row()]), encoding="utf-8")


def _odd_folder(work: Path) -> None:
    (work / "odd").mkdir()
    (work / "odd" / "a.csv").write_text(csv_text([row()]), encoding="utf-8")


def _left_by_another(work: Path) -> None:
    for name in ("aggregator-1", "aggregator-work-1"):
        left = work.parents[1] / "tmp" / name
        left.mkdir(mode=0o700)
        (left / OWNER).touch()


# ------------------------------------------------------------------------------------------------------------- a clock set back


def _clocks() -> Iterator[Case]:
    again = (*RUN[:-4], "--workers", "1", "--unfinished")
    for kind, ahead in {"hours back": timedelta(hours=-5), "a year back": timedelta(days=-365), "ten years back": timedelta(days=-3650), "a year ahead": timedelta(days=365), "the last day": timedelta(days=2_900_000)}.items():

        def before(work: Path, ahead: timedelta = ahead) -> None:
            with_clock(ahead)

        for command in (("run", "export.csv", *again), ("run", "export.csv", *again[2:]), *_WRITES[1:], *_LOOKS, ("check", "export.csv", "--receipts", "export.csv"), ("modes", "export.csv"), ("config", "show")):
            yield Case(f"clock/{kind}/{' '.join(command)[:40]}", _after_a_run, command, before=before)


# ------------------------------------------------------------------------------------------------------ a full temporary folder


_ROOM_NEEDS = 1_400_000
_ROOMS = (4, 64, 1024)
"""Kilobytes of a temporary folder that is a disk of its own."""


@cache
def _large() -> dict[str, bytes]:
    text = made(".csv", _ROOM_NEEDS)
    inventories = "".join(INVENTORY.format(number=place, text="a" * 200) for place in range(4000))
    return {
        "x.csv": text, "gb.csv": text.decode().encode("gb18030"), "x.xlsx": made(".xlsx", _ROOM_NEEDS // 8), "x.parquet": made(".parquet", _ROOM_NEEDS // 8), "x.zip": made(".zip", _ROOM_NEEDS // 20), "x.csv.gz": gzip.compress(text),
        "x.xml": MESSAGE.format(doctype="", guid="x", inventories=inventories).encode(),
    }  # fmt: skip


def _rooms() -> Iterator[Case]:
    for name in ("x.csv", "gb.csv", "x.xlsx", "x.parquet", "x.zip", "x.csv.gz", "x.xml"):
        for kilobytes in _ROOMS:
            for command in (("check", name), ("run", name, *RUN), ("columns", name), ("receive", name, "--out", "out")):
                yield Case(f"room/{kilobytes} kB/{command[0]} {name}", lambda work, name=name: (work / name).write_bytes(_large()[name]), command, room=kilobytes)


# ---------------------------------------------------------------------------------------------------------- more than one worker


_TWO = "[run]\nworkers = 2\nchunk_bytes = 400\n"


def _workers() -> Iterator[Case]:
    hostile = {**{f"goods_name/{kind}": {"goods_name": text} for kind, text in TEXTS.items()}, **{f"total_price/{number[:20]}": {"total_price": number} for number in NUMBERS}}
    for place, (kind, cells) in enumerate(hostile.items()):

        def make(work: Path, cells: dict[str, str] = cells) -> None:
            (work / "aggregator.toml").write_text(_TWO, encoding="utf-8")
            (work / "export.csv").write_text(csv_text([row(), row(**_SECOND), row(**{**_SECOND, "inventory_no": "22442026E000000003", **cells})]), encoding="utf-8")

        if place % 4 == 0:
            yield Case(f"workers/{kind}", make, ("run", "export.csv", *RUN[:-2]))


# ------------------------------------------------------------------------------------------------------------------- many files


def _many() -> Iterator[Case]:
    for kind, data in {"sound": csv_text([row()]), "empty": "", "odd": "\x1b[31m"}.items():
        for count, heavy in ((300, False), (10_000, True)):

            def make(work: Path, data: str = data, count: int = count) -> None:
                (work / "many").mkdir()
                for place in range(count):
                    (work / "many" / f"{place}.csv").write_text(data.replace("E000000001", f"E{place:09d}"), encoding="utf-8")

            for command in (("check", "many"), ("receive", "many", "--out", "out"), *((("columns", "many"),) if not heavy or kind == "odd" else ())):
                yield Case(f"many/{count}/{command[0]}/{kind}", make, command, heavy=heavy)
