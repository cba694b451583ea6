"""From item lines to complete inventories: which lines belong together, which repeat one another, what the inventory
rules say. The same function serves a chunk, a partition of scattered inventories, or a whole file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes, run_starts
from aggregator.model.findings import findings_of, no_findings
from aggregator.schemas.arrays import Ints, Mask, constant, only_given, rows_at
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode

_VALUES_SHOWN = 5
_REPEATING, _WORTHWHILE = 100, 3
"""How many lines a value, and a combination of values, has to stand on for it to pay to join each once."""
_WHOLE = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Grouped:
    """`inventories`: complete inventories in the order of their first line. `bits`: error bits of each (of its lines and
    of the inventory rules). `findings`: those of the inventory rules, `line` being the row in `inventories.lines`."""

    inventories: Inventories
    numbers: pa.Array
    bits: Ints
    findings: pa.Table


def group_inventories(lines: pa.Table, mode: Mode) -> Grouped:
    """In: typed lines of complete inventories, in input order. Lines without a number stand alone."""
    numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
    of_line = _by_first_line(pc.fill_null(numbers.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64), len(numbers.dictionary))
    if np.any(np.diff(of_line) < 0):
        order = np.argsort(of_line, kind="stable")
        lines, of_line = rows_at(lines, order), of_line[order]
    starts = run_starts(of_line)
    line_bits = lines["error_bits"].to_numpy()
    bits = np.bitwise_or.reduceat(line_bits, starts) if len(starts) else np.zeros(0, dtype=np.int64)
    everything = _with_repeats(lines, starts, line_bits, mode)
    if mode.numbers_items:
        everything = replace(everything, lines=_with_item_numbers(everything, mode))
    examined = list(_readable(everything, line_bits & mode.rules.misread_bits == 0))
    found = []
    for rule in (rule for rule in mode.rules if rule.takes_inventories):
        for column in rule.columns:
            for inventories, which in examined:
                bad = np.flatnonzero(~rule.sound(inventories, column) & (which >= 0))
                if len(bad):
                    bits[which[bad]] |= mode.rules.error_bit(rule.code)
                    found.append(_findings(mode, rule.code, column, inventories, bad, starts[which[bad]]))
    return Grouped(
        everything,
        lines["inventory_no"].combine_chunks().take(pa.array(starts)),
        bits,
        pa.concat_tables(found) if found else no_findings(),
    )


def _by_first_line(of_line: Ints, count: int) -> Ints:
    """Groups of lines, numbered in the order of their first lines. In: the number each line has of so many, below 0 where it stands alone."""
    alone = of_line < 0
    begins = (np.diff(of_line, prepend=-1) != 0) | alone
    runs = np.cumsum(begins) - 1
    if np.count_nonzero(begins) == count + np.count_nonzero(alone):
        return runs
    first_run = np.full(count, len(of_line), dtype=np.int64)
    np.minimum.at(first_run, of_line[~alone], runs[~alone])
    return np.where(alone, runs, first_run[of_line])


def _readable(inventories: Inventories, kept: Mask) -> Iterator[tuple[Inventories, Ints]]:
    """The inventories without the lines that could not be read as cells, and which each is (below 0: looked at apart): those that have
    such lines, which are few, without the others."""
    if kept.all():
        yield inventories, np.arange(len(inventories.starts))
        return
    has_others = inventories.any(~kept)
    yield inventories, np.where(has_others, -1, np.arange(len(has_others)))
    places = np.flatnonzero(kept & has_others[inventories.inventory_of])
    of_line = inventories.inventory_of[places]
    starts = run_starts(of_line)
    if len(starts):
        which = of_line[starts]
        lines = inventories.lines.take(pa.array(places)).combine_chunks()
        rest = Inventories(
            lines, starts, inventories.same_content[places], inventories.clashes[places], inventories.copies[which], has_others[which]
        )
        yield rest, which


def _with_repeats(lines: pa.Table, starts: Ints, line_bits: Ints, mode: Mode) -> Inventories:
    count = lines.num_rows
    no_line, no_inventory = np.zeros(count, dtype=bool), np.zeros(len(starts), dtype=bool)
    plain = Inventories(lines, starts, no_line, no_line, np.ones(len(starts), dtype=np.int64), no_inventory)
    items, given = plain.numbers("item_no")
    # A line with an error of its own is never a repeat: what stands in its unreadable cells cannot be compared.
    comparable = given & (line_bits == 0)
    key = np.where(comparable, plain.inventory_of * 1_000_000 + items, -1 - np.arange(count))
    doubled = pd.Series(key).duplicated(keep=False).to_numpy()
    if not doubled.any():
        return plain
    places = np.flatnonzero(doubled)
    content = content_text(lines.take(pa.array(places)).combine_chunks(), mode.dictionary.content)
    frame = pd.DataFrame({"key": key[places], "content": content.to_numpy(zero_copy_only=False)})
    same, clashes = plain.same_content.copy(), plain.clashes.copy()
    same[places] = frame.duplicated().to_numpy()
    clashes[places] = frame.groupby("key")["content"].transform("nunique").to_numpy() > 1
    return replace(plain, same_content=same, clashes=clashes, copies=_copies(plain, items, plain.any(doubled)))


def _with_item_numbers(inventories: Inventories, mode: Mode) -> pa.Table:
    """The lines, those without an item number numbered after the others by what stands on them: the order of the input changes
    nothing, and equal lines are alike."""
    lines, of_line = inventories.lines, inventories.inventory_of
    items, given = inventories.numbers("item_no")
    if given.all():
        return lines
    blank = np.flatnonzero(~given)
    content = content_text(lines.take(pa.array(blank)).combine_chunks(), mode.dictionary.item_content)
    order = blank[np.lexsort((pc.rank(content, tiebreaker="dense").to_numpy(), of_line[blank]))]
    starts = run_starts(of_line[order])
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    highest = np.maximum.reduceat(items, inventories.starts)
    items[order] = highest[of_line[order]] + place + 1
    return lines.set_column(lines.column_names.index("item_no"), "item_no", pa.array(items.astype(np.int32)))


def _copies(inventories: Inventories, items: Ints, doubled: Mask) -> Ints:
    """Of the inventories in which something is doubled; one of each other."""
    lines = np.flatnonzero(doubled[inventories.inventory_of])
    counts = pd.DataFrame({"inventory": inventories.inventory_of[lines], "item": items[lines]}).value_counts(sort=False)
    by_inventory = counts.groupby(level="inventory").agg(["min", "max"])
    copies = np.ones(len(doubled), dtype=np.int64)
    copies[doubled] = np.where(by_inventory["min"] == by_inventory["max"], by_inventory["min"], 0)
    return copies


def content_text(lines: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """What of these columns is content, as one text a line: canonical values joined by a separator no value contains.

    A producer's name is content only where it stands in the key, that is where there is no code.
    """
    parts = [_content(lines, column) for column in columns]
    return _joined([text for part in _fewer(parts, lines.num_rows) for text in part])


def _content(lines: pa.Table, column: str) -> pa.Array:
    """What of one column is content: codes, names and amounts dictionary encoded, numbers of items and of packages as text."""
    if column not in lines.column_names:
        return constant("", lines.num_rows)
    values = lines[column].combine_chunks()
    if column == "producer_seller_name":
        codes = lines["producer_seller_code"].combine_chunks().cast(pa.string())
        return pc.if_else(pc.equal(codes, NO_PRODUCER_CODE), values.cast(pa.string()), "").dictionary_encode()
    if pa.types.is_decimal(values.type):
        return values.dictionary_encode()
    return values if pa.types.is_dictionary(values.type) else values.cast(pa.string())


def _fewer(parts: Sequence[pa.Array], length: int) -> Iterator[Iterable[pa.Array]]:
    """The columns as texts: neighbours whose values repeat joined, once for each combination there is of them."""
    for repeats, neighbours in groupby(parts, lambda part: pa.types.is_dictionary(part.type) and len(part.dictionary) * _REPEATING < length):
        run = list(neighbours)
        groups, firsts = group_codes(run, length) if repeats and len(run) > 1 else (None, ())
        if groups is not None and len(firsts) * _WORTHWHILE < length:
            at = pa.array(firsts)
            yield [_joined([_text(part.take(at)) for part in run]).take(pa.array(groups))]
        else:
            yield map(_text, run)


def _text(values: pa.Array) -> pa.Array:
    """Each different value brought to text once."""
    return values.dictionary.cast(pa.string()).take(values.indices) if pa.types.is_dictionary(values.type) else values


def _joined(texts: Sequence[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*texts, "\x1f", null_handling="replace", null_replacement="")


def content_hashes(inventories: Inventories, wanted: Mask, mode: Mode) -> list[bytes | None]:
    """SHA-256 over the content of the header and of all lines by item number, of the wanted inventories (None for the
    others)."""
    kept = wanted[inventories.inventory_of] & ~inventories.same_content
    places = np.flatnonzero(kept)
    result: list[bytes | None] = [None] * len(inventories.starts)
    if not len(places):
        return result
    items, _ = inventories.numbers("item_no")
    of_line = inventories.inventory_of[places]
    key = of_line * 1_000_000 + items[places]
    of_item, of_header = ("item_no", *mode.dictionary.item_content), mode.dictionary.header_content
    lines = only_given(inventories.lines, of_item)
    if np.any(np.diff(key) < 0):
        order = np.argsort(key, kind="stable")
        places, of_line = places[order], of_line[order]
        lines = lines.take(pa.array(places))
    elif len(places) < len(kept):
        lines = lines.filter(pa.array(kept))
    starts = run_starts(of_line)
    texts = content_text(lines.combine_chunks(), of_item)
    heads = content_text(only_given(inventories.lines, of_header).take(pa.array(places[starts])).combine_chunks(), of_header)
    offsets = pa.array(np.append(starts, len(places)).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), "\x1e")
    whole = pc.binary_join_element_wise(heads, joined, "\x1e")
    data, bounds = whole.buffers()[2].to_pybytes(), np.frombuffer(whole.buffers()[1], np.int32)[: len(whole) + 1].tolist()
    digests = [hashlib.sha256(data[start:end]).digest() for start, end in pairwise(bounds)]
    if len(digests) == len(result):
        return [*digests]
    for inventory, digest in zip(of_line[starts].tolist(), digests, strict=True):
        result[inventory] = digest
    return result


def _findings(mode: Mode, code: str, column: str, inventories: Inventories, bad: Ints, first_lines: Ints) -> pa.Table:
    """One finding an inventory, at its first line; the value is what stands in the column, each value once."""
    lines, lengths, starts = inventories.lines, inventories.lengths[bad], inventories.starts[bad]
    shown = [""] * len(bad)
    if column in lines.column_names:
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        values = lines[column].combine_chunks().take(pa.array(np.repeat(starts, lengths) + within)).cast(pa.string()).to_pylist()
        ends = np.cumsum(lengths).tolist()
        shown = [_shown({value or "" for value in values[start:end]}) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    numbers = lines["inventory_no"].combine_chunks().take(pa.array(starts))
    return findings_of(mode, code, column, first_lines, pa.array(shown, pa.string()), numbers, pa.nulls(len(bad), pa.string()))


def _shown(values: set[str]) -> str:
    """2 before 10 where all are whole numbers."""
    listed = sorted(values, key=int) if all(map(_WHOLE.fullmatch, values)) else sorted(values)
    return " / ".join(listed[:_VALUES_SHOWN]) + (" …" if len(listed) > _VALUES_SHOWN else "")
