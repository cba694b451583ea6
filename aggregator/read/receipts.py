"""Read receipts (CEB604, CEB606) from CSV, and keep for each inventory the state that counts: the one with the latest
customs time. A CEB606 of status 399 cancels; one of status 100 means that the cancellation was refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.clearing import Received
from aggregator.errors import UnusableInput
from aggregator.read.canonical import canonical_column
from aggregator.read.csv import read_chunk
from aggregator.read.headings import Matched, normalised
from aggregator.read.scan import CsvFile, open_csv
from schemas.limits import STATUS_CANCELLED
from schemas.rules.row_tests import is_status
from schemas.shapes import clearing_digits

_MESSAGE_HEADINGS = ("message", "message_type", "messageType", "报文类型", "回执类型")
_CANCELLATION = "CEB606"


@dataclass(frozen=True)
class Receipts:
    """Arrays sorted by inventory number: latest CEB604 status and its time, and whether a CEB606 cancelled it."""

    numbers: np.ndarray[Any, Any]
    status: np.ndarray[Any, Any]
    status_at: np.ndarray[Any, Any]
    cancelled: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def open(cls, folder: Path) -> Receipts:
        names = ("numbers", "status", "status_at", "cancelled")
        return cls(*(np.load(folder / f"receipts-{name}.npy", mmap_mode="r") for name in names))

    def save(self, folder: Path) -> None:
        for name in ("numbers", "status", "status_at", "cancelled"):
            np.save(folder / f"receipts-{name}.npy", getattr(self, name))

    def of(self, numbers: pa.Array) -> Received:
        """What is known of these inventories, blank where nothing is."""
        wanted = _sortable(numbers)
        if not len(self.numbers):
            blank = np.full(len(wanted), "")
            return Received(blank, blank, np.zeros(len(wanted), dtype=bool))
        place = np.minimum(np.searchsorted(self.numbers, wanted), len(self.numbers) - 1)
        found = self.numbers[place] == wanted
        return Received(
            np.where(found, self.status[place], ""),
            np.where(found, self.status_at[place], ""),
            found & self.cancelled[place],
        )


def _sortable(numbers: pa.Array) -> np.ndarray[Any, Any]:
    """Numbers as fixed-width bytes, whose order is that of the code points."""
    values = pc.fill_null(numbers, "").cast(pa.binary()).to_numpy(zero_copy_only=False)
    return values.astype("S") if len(values) else np.zeros(0, dtype="S1")


def read_receipts(paths: tuple[Path, ...], chunk_bytes: int) -> tuple[Receipts, list[CsvFile]]:
    """Read all receipts. A row that cannot be read stops the run: the state of its inventory would be a guess."""
    tables, files = [], []
    for path in paths:
        file = _with_message(open_csv(path, (), chunk_bytes))
        missing = [name for name in ("inventory_no", "status_code", "cleared_at") if name not in file.columns]
        if missing:
            raise UnusableInput(
                f"{file.name}: receipts need the columns inventory_no (清单编号), status_code (回执状态) and cleared_at "
                f"(回执时间); missing: {', '.join(missing)}. Add them and run again.",
                f"{file.name}：回执文件须有 清单编号（inventory_no）、回执状态（status_code）、回执时间（cleared_at）三列；"
                f"缺少：{', '.join(missing)}。请补充后重新运行。",
            )
        files.append(file)
        tables += [_receipts_of(file, place) for place in range(len(file.blocks))]
    if not tables:
        return _latest(pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})), files
    return _latest(pa.concat_tables(tables).combine_chunks()), files


_COLUMNS = ("inventory_no", "status", "at", "message")


def _with_message(file: CsvFile) -> CsvFile:
    names = [normalised(heading) for heading in file.headings]
    for heading in _MESSAGE_HEADINGS:
        if normalised(heading) in names:
            places = {**file.matched.places, "message": names.index(normalised(heading))}
            return replace(file, matched=Matched(places, file.matched.unknown))
    return file


def _receipts_of(file: CsvFile, block: int) -> pa.Table:
    chunk = read_chunk(file, file.blocks[block])
    lines = chunk.lines

    def plain(name: str) -> pa.Array:
        values = canonical_column(lines[name].combine_chunks(), name)
        return values.cast(pa.string())

    number, status, at = plain("inventory_no"), plain("status_code"), clearing_digits(plain("cleared_at"))
    length = lines.num_rows
    message = pc.fill_null(pc.utf8_upper(pc.utf8_trim_whitespace(lines["message"].combine_chunks())), "") if (
        "message" in lines.column_names
    ) else pa.array([""] * length, pa.string())
    is_cancellation = pc.match_substring(message, "606")
    is_list = pc.or_(pc.match_substring(message, "604"), pc.equal(message, ""))
    for sound, column in (
        (number.is_valid(), "inventory_no"),
        (pc.and_(is_status(status), status.is_valid()), "status_code"),
        (at.is_valid(), "cleared_at"),
        (pc.or_(is_cancellation, is_list), "message"),
    ):
        bad = np.flatnonzero(~sound.to_numpy(zero_copy_only=False))
        if len(bad):
            row = int(chunk.rows[bad[0]])
            value = lines[column][int(bad[0])].as_py() if column in lines.column_names else ""
            raise UnusableInput(
                f"{file.name}, row {row}, {column}: '{value or ''}' cannot be read as a receipt. Give the inventory number, "
                "the customs status and its time (yyyyMMddHHmmssfff); message CEB604 or CEB606.",
                f"{file.name} 第 {row} 行 {column}：“{value or ''}”无法作为回执读取。请提供清单编号、回执状态及回执时间"
                "（yyyyMMddHHmmssfff），报文类型为 CEB604 或 CEB606。",
            )
    kind = pc.if_else(is_cancellation, _CANCELLATION, "CEB604")
    return pa.table([number, status, at, kind], names=list(_COLUMNS))


def _latest(receipts: pa.Table) -> Receipts:
    """For each inventory the latest receipt of either kind; of equal times the higher status."""
    rank = pc.fill_null(receipts["status"].combine_chunks(), "0").cast(pa.int64())
    ordered = receipts.append_column("rank", rank).sort_by(
        [("inventory_no", "ascending"), ("at", "ascending"), ("rank", "ascending")]
    )
    kind = ordered["message"].combine_chunks()
    lists = _last_of_each(ordered.filter(pc.not_equal(kind, _CANCELLATION)).combine_chunks())
    cancellations = _last_of_each(ordered.filter(pc.equal(kind, _CANCELLATION)).combine_chunks())
    accepted = cancellations.filter(pc.equal(cancellations["status"], STATUS_CANCELLED)).combine_chunks()
    numbers = np.unique(
        np.concatenate([_sortable(lists["inventory_no"].combine_chunks()), _sortable(accepted["inventory_no"].combine_chunks())])
    )
    status, status_at = np.full(len(numbers), "", dtype="U10"), np.full(len(numbers), "", dtype="U17")
    place = np.searchsorted(numbers, _sortable(lists["inventory_no"].combine_chunks()))
    status[place] = lists["status"].to_numpy(zero_copy_only=False).astype("U10")
    status_at[place] = lists["at"].to_numpy(zero_copy_only=False).astype("U17")
    cancelled = np.isin(numbers, _sortable(accepted["inventory_no"].combine_chunks()))
    return Receipts(numbers, status, status_at, cancelled)


def _last_of_each(ordered: pa.Table) -> pa.Table:
    if ordered.num_rows == 0:
        return ordered
    number = ordered["inventory_no"].combine_chunks()
    last = np.append(pc.not_equal(number.slice(1), number.slice(0, len(number) - 1)).to_numpy(zero_copy_only=False), True)
    return ordered.filter(pa.array(last)).combine_chunks()
