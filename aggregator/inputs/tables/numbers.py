"""Read inventory numbers from a table, for what was declared elsewhere before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Export
from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unchanged import refuse_other, sha256_of
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.canonical import canonical_column
from aggregator.model.errors import UnusableInput
from aggregator.model.names import told
from aggregator.schemas.field import Dictionary
from aggregator.schemas.invisible import has_no_invisible, made_visible
from aggregator.schemas.patterns import SCIENTIFIC, at_most, clearing_digits, matches
from aggregator.schemas.units import shown_numbers, unit_numbers


def read_numbers(path: Path, dictionary: Dictionary, chunk_bytes: int) -> tuple[pa.Table, str]:
    """Columns out: inventory_no, cleared_period (yyyymm, blank where the file has no cleared_at); each number once, in the
    order of the file. And the file's SHA-256. A row that is no inventory number refuses the file: what it stood for would be
    declared again."""
    sha256 = sha256_of(path)
    with temporary_room() as room:
        numbers = _numbers(path, Reading(room, dictionary, (), chunk_bytes, least_known=1))
    refuse_other(told(path), path, sha256)
    return numbers, sha256


def _numbers(path: Path, how: Reading) -> pa.Table:
    tables = []
    for source in sources_of([path], how.room):
        for file in open_exports([source], how):
            tables += _numbers_of(file)
    if not tables:
        return pa.table({"inventory_no": pa.array([], pa.string()), "cleared_period": pa.array([], pa.string())})
    whole = pa.concat_tables(tables).combine_chunks()
    firsts = np.flatnonzero(~whole["inventory_no"].to_pandas().duplicated().to_numpy())
    return whole.take(pa.array(firsts)).combine_chunks()


def _numbers_of(file: Export) -> list[pa.Table]:
    number = file.dictionary["inventory_no"]
    for column in file.dictionary.unit or ("inventory_no",):
        field = file.dictionary[column]
        if column not in file.columns:
            headings = " / ".join(filter(None, (field.element, *field.headings)))
            raise UnusableInput(
                f"{file.name}: missing column {field.shown} ({headings}). Add it and run again.",
                f"{file.name}：缺少列 {field.shown}（{headings}）。请补充后重新运行。",
            )
    tables = []
    for block in file.blocks:
        chunk = read_chunk(file, block)
        numbers = _of_units(chunk.lines, file.dictionary)
        sound = pc.and_(numbers.is_valid(), at_most(numbers, number.length))
        # Numbers that others give have no shape.
        sound = pc.and_(sound, matches(numbers, "[0-9A-Z]+") if number.kind == "no" else has_no_invisible(numbers))
        sound = pc.and_(sound, pc.invert(matches(pc.fill_null(shown_numbers(numbers, file.dictionary), ""), SCIENTIFIC)))
        periods = pa.array([""] * len(numbers), pa.string())
        if "cleared_at" in file.columns:
            given = canonical_column(chunk.lines["cleared_at"].combine_chunks(), file.dictionary["cleared_at"]).cast(pa.string())
            digits = clearing_digits(given)
            sound = pc.and_(sound, pc.or_(digits.is_valid(), given.is_null()))
            periods = pc.fill_null(pc.utf8_slice_codeunits(digits, 0, 6), "")
        sound_rows = sound.to_numpy(zero_copy_only=False).copy()
        sound_rows[list(chunk.wrong)] = False
        if not sound_rows.all():
            bad = int(np.flatnonzero(~sound_rows)[0])
            row, value = int(chunk.rows[bad]), made_visible(numbers[bad].as_py() or "")
            raise UnusableInput(
                f"{file.name}, row {row}: '{value}' cannot be read as an inventory number (with its cleared_at, if that column "
                "is there). Nothing was changed. Correct the row and import the whole file again.",
                f"{file.name} 第 {row} 行：“{value}”无法作为清单编号读取（如有结关时间列，也须可读）。未作任何更改。请修正后重新导入整个文件。",
            )
        tables.append(pa.table({"inventory_no": numbers.cast(pa.string()), "cleared_period": periods}))
    return tables


def _of_units(lines: pa.Table, dictionary: Dictionary) -> pa.Array:
    """The numbers as the ledger knows them."""
    if not dictionary.unit:
        return canonical_column(lines["inventory_no"].combine_chunks(), dictionary["inventory_no"])
    parts = {column: canonical_column(lines[column].combine_chunks(), dictionary[column]) for column in dictionary.unit}
    return unit_numbers(pa.table(parts), dictionary)
