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
from aggregator.schemas.invisible import made_visible
from aggregator.schemas.patterns import SCIENTIFIC, at_most, clearing_digits, matches


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
    if "inventory_no" not in file.columns:
        headings = " / ".join((number.element, *number.headings))
        raise UnusableInput(
            f"{file.name}: missing column inventory_no ({headings}). Add it and run again.",
            f"{file.name}：缺少清单编号列 inventory_no（{headings}）。请补充后重新运行。",
        )
    tables = []
    for block in file.blocks:
        chunk = read_chunk(file, block)
        numbers = canonical_column(chunk.lines["inventory_no"].combine_chunks(), number)
        sound = pc.and_(pc.and_(numbers.is_valid(), at_most(numbers, number.length)), matches(numbers, "[0-9A-Z]+"))
        sound = pc.and_(sound, pc.invert(matches(pc.fill_null(numbers, ""), SCIENTIFIC)))
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
