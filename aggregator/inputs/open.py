"""Open inputs of any format, and read them chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from aggregator.inputs.export import Block, Export, Source, TextChunk
from aggregator.inputs.formats import csv, scan, spool
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import NoRoom, Nowhere
from aggregator.inputs.sources.sniff import Format, format_of
from aggregator.inputs.sources.unchanged import changes_explain, held
from aggregator.inputs.sources.unpack import unpacked
from aggregator.model.errors import cannot_be_read


def open_exports(sources: Iterable[Source], how: Reading) -> Iterator[Export]:
    """In the order of the sources; messages that stand side by side are one export. Raises what says what to do."""
    for kind, group in groupby(sources, key=format_found):
        if kind is Format.MESSAGE:
            from aggregator.inputs.ceb.message import open_inventories

            yield open_inventories(list(group), how)
            continue
        for source in group:
            yield from _opened(source, kind, how)


Apart = Callable[[Sequence[Source], Reading], Iterable[Export | None]]
"""Opens sources elsewhere, many at a time; None for what has to be opened here."""


def open_taken(taken: Iterable[Source], how: Reading, apart: Apart | None) -> Iterator[Export]:
    """In the order of the sources, archives unpacked."""
    if apart is None:
        yield from _here(taken, how)
        return
    listed, waiting = list(taken), list[Source]()
    for source, export in zip(listed, apart(listed, how), strict=True):
        if export is None:
            waiting.append(source)
            continue
        yield from _here(waiting, how)
        waiting.clear()
        yield replace(export, dictionary=how.dictionary)
    yield from _here(waiting, how)


def _here(taken: Iterable[Source], how: Reading) -> Iterator[Export]:
    return open_exports((each for source in taken for each in unpacked(source, how.room)), how)


def open_plain(source: Source, how: Reading) -> Export | None:
    """A file of text that can be read as it lies; None for any other. It may lie anywhere, and this may run anywhere."""
    if format_found(source) is not Format.TEXT:
        return None
    try:
        [export] = _opened(source, Format.TEXT, replace(how, room=Nowhere()))
    except NoRoom:
        return None
    return export


def format_found(source: Source) -> Format:
    try:
        with changes_explain(source):
            return format_of(source)
    except OSError as error:
        raise cannot_be_read(source.name, error) from None


def _opened(source: Source, kind: Format, how: Reading) -> list[Export]:
    # Libraries of formats that are not there are not loaded.
    try:
        if kind is Format.WORKBOOK:
            from aggregator.inputs.formats.workbook import open_workbook

            with held(source, how.room) as copy:
                return open_workbook(copy, how)
        if kind is Format.PARQUET:
            from aggregator.inputs.formats.parquet import open_parquet

            with held(source, how.room) as copy:
                return [open_parquet(copy, how)]
        with changes_explain(source):
            return [scan.open_csv(source, how)]
    except OSError as error:
        raise cannot_be_read(source.name, error) from None


def read_chunk(file: Export, block: Block) -> TextChunk:
    """Read one block. Columns out: the matched ones, raw text (dictionary encoded where values repeat)."""
    return spool.read_spooled(file, block) if file.dialect is None else csv.read_chunk(file, block)
