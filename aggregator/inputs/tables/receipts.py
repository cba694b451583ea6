"""Read receipts (CEB604, CEB606) from messages or tables, and keep for each inventory the state that counts: the one with the latest
customs time. A CEB606 of status 399 cancels; one of status 100 means that the cancellation was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.clearance import Received
from aggregator.inputs.export import Export, Source, Taken, unusable
from aggregator.inputs.open import format_found, open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.sniff import Format
from aggregator.inputs.sources.unchanged import held, taken_of
from aggregator.inputs.tables.canonical import canonical_column
from aggregator.inputs.tables.headings import Matched, normalised
from aggregator.inputs.tables.unnamed import refused
from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Dictionary
from aggregator.schemas.invisible import has_no_invisible, made_visible
from aggregator.schemas.patterns import CHINA, clearing_digits
from aggregator.schemas.row_tests import is_no_scientific_number, is_status
from aggregator.schemas.statuses import BEFORE_THE_NUMBER, CANCELLATION, STATUS_CANCELLED
from aggregator.schemas.text import Text

_MESSAGE_HEADINGS = ("message", "message_type", "messageType", "报文类型", "回执类型")
_EARLIEST, _LATEST = "2000", "2100"
"""Years that a time of customs may be in: what is dated beyond would outdo all that comes after."""


class Arrays(Protocol):
    """Where arrays are kept for the steps of a run."""

    def save(self, name: str, values: np.ndarray[Any, Any]) -> None: ...

    def load(self, name: str) -> Any: ...


@dataclass(frozen=True)
class Receipts:
    """Arrays sorted by inventory number: latest CEB604 status and its time, and whether a CEB606 cancelled it; and, sorted by
    business key (consignor and internal number), the inventory number that customs gave to what was sent under it."""

    numbers: np.ndarray[Any, Any]
    status: np.ndarray[Any, Any]
    status_at: np.ndarray[Any, Any]
    cancelled: np.ndarray[Any, np.dtype[np.bool_]]
    keys: np.ndarray[Any, Any]
    number_of_key: np.ndarray[Any, Any]

    @classmethod
    def open(cls, arrays: Arrays) -> Receipts:
        return cls(*(arrays.load(f"receipts-{each.name}") for each in fields(cls)))

    def save(self, arrays: Arrays) -> None:
        for each in fields(self):
            arrays.save(f"receipts-{each.name}", getattr(self, each.name))

    def of(self, numbers: pa.Array) -> Received:
        """What is known of these inventories, blank where nothing is."""
        wanted = _sortable(numbers)
        place, found = _places(self.numbers, wanted)
        if not len(self.numbers):
            blank = np.full(len(wanted), "")
            return Received(blank, blank, found)
        return Received(
            np.where(found, self.status[place], ""),
            np.where(found, self.status_at[place], ""),
            found & self.cancelled[place],
        )

    @property
    def give_numbers(self) -> bool:
        return len(self.keys) > 0

    def numbers_of(self, consignor_code: pa.Array, internal_no: pa.Array) -> pa.Array:
        """The inventory numbers that customs gave, null where none is known."""
        place, found = _places(self.keys, _sortable(_business_key(consignor_code, internal_no)))
        if not found.any():
            return pa.nulls(len(found), pa.string())
        given = pa.array(self.number_of_key[place].astype("U20"), pa.string())
        return pc.if_else(pa.array(found), given, None)


def _places(known: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where each wanted value stands among the sorted known ones, and whether it does."""
    if not len(known):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, (known[place] == wanted) & (wanted != b"")


def _business_key(consignor_code: pa.Array, internal_no: pa.Array) -> pa.Array:
    """CEB messages are told apart by consignor and internal number (INFERENCE: texts of receipts name these two). Blank where
    either is missing."""
    return pc.fill_null(pc.binary_join_element_wise(consignor_code.cast(pa.string()), internal_no.cast(pa.string()), "\t"), "")


def _sortable(numbers: pa.Array) -> np.ndarray[Any, Any]:
    """Numbers as fixed-width bytes, whose order is that of the code points."""
    values = pc.fill_null(numbers, "").cast(pa.binary()).to_numpy(zero_copy_only=False)
    return values.astype("S") if len(values) else np.zeros(0, dtype="S1")


_COLUMNS = ("inventory_no", "status", "at", "message", "key")


def read_receipts(sources: Iterable[Source], how: Reading) -> tuple[Receipts, list[Taken], list[Text]]:
    """Read all receipts: what counts of each inventory, the files, and what was passed over.

    A receipt that cannot be read stops the run: the state of its inventory would be a guess."""
    tables, taken, passed_over = [], list[Taken](), Counter[str]()
    for source in sources:
        if format_found(source) is Format.MESSAGE:
            from aggregator.inputs.ceb.answers import latest_time
            from aggregator.inputs.ceb.elements import kind_of
            from aggregator.inputs.ceb.receipt_messages import KINDS, receipts_of

            with held(source, how.room) as copy:
                root = kind_of(copy).root
                if root not in KINDS:
                    if source.named:
                        raise unusable("F113", source.name, f"It is {root or 'empty'}.", f"该文件是 {root or '空文件'}。")
                    passed_over[root] += 1
                    continue
                taken.append(taken_of(copy))
                latest = latest_time(datetime.now(CHINA))
                tables += [_receipts_of(how.dictionary, source.name, table, np.array(lines)) for table, lines in receipts_of(copy, root, latest)]
            continue
        for file in open_exports([source], how):
            taken += file.taken
            tables += [_receipts_of(how.dictionary, file.name, *each) for each in _table_receipts(_with_message(file))]
    whole = pa.concat_tables(tables) if tables else pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})
    return _latest(whole.combine_chunks()), taken, _notes(passed_over)


def _notes(passed_over: Counter[str]) -> list[Text]:
    if not passed_over:
        return []
    listed = ", ".join(f"{count} {root}" for root, count in sorted(passed_over.items()))
    return [Text(f"Among the receipts, messages that are none were passed over: {listed}.", f"回执中已略过非回执报文：{listed}。")]


def _refuse_export(file: Export, missing: list[str]) -> None:
    """Raise where it is plain what was given instead: a table that has goods."""
    if {"commodity_code", "goods_name"} <= set(file.columns):
        raise UnusableInput(
            f"{file.name}: this is an export, not receipts: it has goods, and no {', '.join(missing)}. Give it as INPUT, before the options, and the receipts with --receipts.",
            f"{file.name}：这是导出文件而不是回执：有商品信息，而没有 {'、'.join(missing)}。请将其作为输入给出，回执用 --receipts 给出。",
        )


def _with_message(file: Export) -> Export:
    missing = [name for name in ("inventory_no", "status_code", "cleared_at") if name not in file.columns]
    if missing:
        _refuse_export(file, missing)
        raise UnusableInput(
            f"{file.name}: receipts need the columns inventory_no (清单编号), status_code (回执状态) and cleared_at "
            f"(回执时间); missing: {', '.join(missing)}. Add them and run again.",
            f"{file.name}：回执文件须有 清单编号（inventory_no）、回执状态（status_code）、回执时间（cleared_at）三列；"
            f"缺少：{', '.join(missing)}。请补充后重新运行。",
        )
    names = [normalised(heading) for heading in file.headings]
    for heading in _MESSAGE_HEADINGS:
        if normalised(heading) in names:
            places = {**file.matched.places, "message": names.index(normalised(heading))}
            return replace(file, matched=Matched(places, file.matched.unknown))
    return file


def _table_receipts(file: Export) -> Iterator[tuple[pa.Table, np.ndarray[Any, Any]]]:
    for block in file.blocks:
        chunk = read_chunk(file, block)
        lines = chunk.lines
        if chunk.unnamed and "message" not in lines.column_names:
            raise refused(file.name, chunk.unnamed[0], ("message",))
        if "message" not in lines.column_names:
            lines = lines.append_column("message", pa.array([""] * lines.num_rows, pa.string()))
        yield lines, chunk.rows


def _receipts_of(dictionary: Dictionary, name: str, lines: pa.Table, rows: np.ndarray[Any, Any]) -> pa.Table:
    """In: raw text columns. Out: _COLUMNS, of receipts that name an inventory."""

    def plain(column: str) -> pa.Array:
        return canonical_column(lines[column].combine_chunks(), dictionary[column]).cast(pa.string())

    number, status, at = plain("inventory_no"), plain("status_code"), clearing_digits(plain("cleared_at"))
    message = pc.fill_null(pc.utf8_upper(pc.utf8_trim_whitespace(lines["message"].combine_chunks())), "")
    is_cancellation = pc.match_substring(message, "606")
    is_list = pc.or_(pc.match_substring(message, "604"), pc.equal(message, ""))
    early = pc.and_(number.is_null(), pc.fill_null(pc.or_(pc.is_in(status, pa.array(BEFORE_THE_NUMBER)), pc.starts_with(status, "-")), False))
    sound_number = pc.or_(early, pc.and_(number.is_valid(), pc.and_(is_no_scientific_number(number), has_no_invisible(number))))
    for sound, column in (
        (sound_number, "inventory_no"),
        (pc.and_(is_status(status), status.is_valid()), "status_code"),
        (pc.fill_null(pc.and_(pc.greater_equal(at, _EARLIEST), pc.less(at, _LATEST)), False), "cleared_at"),
        (pc.or_(is_cancellation, is_list), "message"),
    ):
        bad = np.flatnonzero(~sound.to_numpy(zero_copy_only=False))
        if len(bad):
            row = int(rows[bad[0]])
            value = made_visible(lines[column][int(bad[0])].as_py() or "")
            raise UnusableInput(
                f"{name}, row {row}, {column}: '{value}' cannot be read as a receipt. Give the inventory number, "
                "the customs status and its time (yyyyMMddHHmmssfff); message CEB604 or CEB606.",
                f"{name} 第 {row} 行 {column}：“{value}”无法作为回执读取。请提供清单编号、回执状态及回执时间"
                "（yyyyMMddHHmmssfff），报文类型为 CEB604 或 CEB606。",
            )
    kind = pc.if_else(is_cancellation, CANCELLATION, "CEB604")
    has_key = {"consignor_code", "internal_no"} <= set(lines.column_names)
    key = _business_key(plain("consignor_code"), plain("internal_no")) if has_key else pa.array([""] * len(number), pa.string())
    return pa.table([number, status, at, kind, key], names=list(_COLUMNS)).filter(pc.invert(early))


def _latest(receipts: pa.Table) -> Receipts:
    """For each inventory the latest receipt of either kind; of equal times the higher status."""
    rank = pc.fill_null(receipts["status"].combine_chunks(), "0").cast(pa.int64())
    ordered = receipts.append_column("rank", rank).sort_by(
        [("inventory_no", "ascending"), ("at", "ascending"), ("rank", "ascending")]
    )
    kind = ordered["message"].combine_chunks()
    inventories = _last_of_each(ordered.filter(pc.not_equal(kind, CANCELLATION)).combine_chunks())
    cancellations = _last_of_each(ordered.filter(pc.equal(kind, CANCELLATION)).combine_chunks())
    accepted = cancellations.filter(pc.equal(cancellations["status"], STATUS_CANCELLED)).combine_chunks()
    numbers = np.unique(
        np.concatenate([_sortable(inventories["inventory_no"].combine_chunks()), _sortable(accepted["inventory_no"].combine_chunks())])
    )
    status, status_at = np.full(len(numbers), "", dtype="U10"), np.full(len(numbers), "", dtype="U17")
    place = np.searchsorted(numbers, _sortable(inventories["inventory_no"].combine_chunks()))
    status[place] = inventories["status"].to_numpy(zero_copy_only=False).astype("U10")
    status_at[place] = inventories["at"].to_numpy(zero_copy_only=False).astype("U17")
    cancelled = np.isin(numbers, _sortable(accepted["inventory_no"].combine_chunks()))
    return Receipts(numbers, status, status_at, cancelled, *_numbers_by_key(receipts))


def _numbers_by_key(receipts: pa.Table) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Business keys in order, each with its number; a key that stands for two numbers says nothing."""
    given = receipts.filter(pc.not_equal(receipts["key"], "")).select(["key", "inventory_no"])
    pairs = given.group_by(["key", "inventory_no"], use_threads=False).aggregate([])
    keys, numbers = (_sortable(pairs[name].combine_chunks()) for name in ("key", "inventory_no"))
    found, first, count = np.unique(keys, return_index=True, return_counts=True)
    return found[count == 1], numbers[first[count == 1]]


def _last_of_each(ordered: pa.Table) -> pa.Table:
    if ordered.num_rows == 0:
        return ordered
    number = ordered["inventory_no"].combine_chunks()
    last = np.append(pc.not_equal(number.slice(1), number.slice(0, len(number) - 1)).to_numpy(zero_copy_only=False), True)
    return ordered.filter(pa.array(last)).combine_chunks()
