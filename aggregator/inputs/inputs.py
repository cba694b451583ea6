"""All that a run reads, opened: the exports, and what receipts say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from aggregator.domain.rates import Rates
from aggregator.inputs.export import Export, Taken, unusable
from aggregator.inputs.open import Apart, open_taken
from aggregator.inputs.parts import Chunk, chunks_of
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.files import passed_over
from aggregator.inputs.sources.room import Room, temporary_room
from aggregator.inputs.sources.unpack import sources_of, taken_in
from aggregator.inputs.tables.headings import normalised, require_columns
from aggregator.inputs.tables.rates import doubts_about, read_rates
from aggregator.inputs.tables.receipts import Receipts, read_receipts
from aggregator.inputs.tables.tariff import read_tariff
from aggregator.model.settings import ReadSettings
from aggregator.schemas.imports import import_headings
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Inputs:
    """`chunks`: of the exports, each of about so many bytes (`chunk_bytes`), or fewer. `receipts` is None where none were given. `tariff` as in schemas/tariff.py, if the config names a table. `notes`: what of the arguments was passed over."""

    exports: tuple[Export, ...]
    chunks: tuple[Chunk, ...]
    receipts: Receipts | None
    receipt_files: tuple[Taken, ...]
    tariff: pa.Table | None
    tariff_files: tuple[Taken, ...]
    notes: tuple[Text, ...]
    rates: Rates
    rate_files: tuple[Taken, ...]
    chunk_bytes: int

    @property
    def is_small(self) -> bool:
        """All of it is text, and no more than a chunk, though blank lines may have cut it into several."""
        size = sum(block.end - block.start for export in self.exports for block in export.blocks)
        return size <= self.chunk_bytes and all(export.dialect is not None for export in self.exports)


def reading(settings: ReadSettings, room: Room, least_known: int = 2) -> Reading:
    return Reading(room, settings.mode.dictionary, settings.columns, settings.chunk_bytes, settings.sheets, least_known)


def refuse_imports(export: Export) -> None:
    """Raise UnusableInput where the headings say that the export is one of imports."""
    names = [normalised(heading) for heading in export.headings]
    found = import_headings(names)
    if found:
        named = ", ".join(export.headings[names.index(each)].strip() for each in found)
        raise unusable("F119", export.name, f"Headings: {named}.", f"列标题：{named}。")


def _notes_on(strangers: list[str]) -> list[Text]:
    if not strangers:
        return []
    named = f"{', '.join(strangers[:5])}{' …' if len(strangers) > 5 else ''}"
    return [Text(
        f"Passed over in folders, by their names no exports: {named} ({len(strangers):,}).", f"文件夹中已略过的文件（按名称不是导出文件）：{named}（共 {len(strangers):,} 个）。"
    )]  # fmt: skip


@contextmanager
def open_inputs(settings: ReadSettings, *, clearing_known: bool, apart: Apart | None = None) -> Iterator[Inputs]:
    """Whatever was unpacked or rewritten is removed at the end. `apart`: what opens many exports elsewhere."""
    with temporary_room(settings.spool_limit, settings.work_dir) as room:
        how = reading(settings, room)
        # Steps may run in processes that have another working folder.
        exports = tuple(replace(each, path=each.path.absolute()) for each in open_taken((source for _, source in taken_in(settings.inputs, room)), how, apart))
        receipts, taken, notes = None, list[Taken](), list[Text]()
        if settings.receipts:
            receipts, taken, notes = read_receipts(sources_of(settings.receipts, room), replace(how, columns=(), sheets=()))
        notes += _notes_on(passed_over((*settings.inputs, *settings.receipts)))
        constants = {column for column, _ in settings.constants}
        for export in exports:
            refuse_imports(export)
            given = {*export.columns, *constants}
            if receipts is not None and receipts.give_numbers and {"consignor_code", "internal_no"} <= given:
                given.add("inventory_no")
            if settings.by_line:
                given.add("inventory_no")
            require_columns(settings.mode.dictionary, export.name, export.headings, given, clearing_known=clearing_known)
        tariff, tariff_files = read_tariff(settings.tariff, settings.mode.dictionary, settings.chunk_bytes) if settings.tariff is not None else (None, ())
        rates, rate_files = read_rates(settings.rates) if settings.rates is not None else (Rates(()), ())
        notes += doubts_about(rates)
        yield Inputs(exports, chunks_of(exports, settings.chunk_bytes), receipts, tuple(taken), tariff, tariff_files, tuple(notes), rates, rate_files, settings.chunk_bytes)
