"""Break sound sample lines, one rule an inventory, so that users and tests can see every finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from aggregator.schemas.arrays import Ints


@dataclass(frozen=True)
class Faulty:
    """`odd_rows`: rows that are no rows of cells, as bytes. `broken`: (inventory number, rule code) of what was broken."""

    lines: pa.Table
    odd_rows: bytes
    broken: tuple[tuple[str, str], ...]


@dataclass
class _Draft:
    """Lines being broken: cells set and rows added."""

    lines: pa.Table
    starts: Ints
    lengths: Ints
    added: list[pa.Table]

    def set(self, places: Ints, **cells: str) -> None:
        for column, value in cells.items():
            mask = np.zeros(self.lines.num_rows, dtype=bool)
            mask[places] = True
            values = pc.if_else(pa.array(mask), value, self.lines[column].combine_chunks())
            self.lines = self.lines.set_column(self.lines.column_names.index(column), column, values)

    def firsts(self, inventories: Ints) -> Ints:
        return self.starts[inventories]

    def all_lines(self, inventories: Ints) -> Ints:
        return np.concatenate(
            [np.zeros(0, dtype=np.int64)] + [np.arange(self.starts[i], self.starts[i] + self.lengths[i]) for i in inventories]
        )

    def add(self, places: Ints, **cells: str | pa.Array) -> None:
        rows = self.lines.take(pa.array(places)).combine_chunks()
        for column, value in cells.items():
            values = value if isinstance(value, pa.Array) else pa.array([value] * len(places), pa.string())
            rows = rows.set_column(rows.column_names.index(column), column, values)
        self.added.append(rows)


Break = Callable[[_Draft, Ints], None]


def _on_all(**cells: str) -> Break:
    return lambda draft, inventories: draft.set(draft.all_lines(inventories), **cells)


def _on_first(**cells: str) -> Break:
    return lambda draft, inventories: draft.set(draft.firsts(inventories), **cells)


def _scaled_total(draft: _Draft, inventories: Ints, change: Callable[[pa.Array], pa.Array]) -> None:
    places = draft.firsts(inventories)
    totals = draft.lines["total_price"].combine_chunks()
    mask = np.zeros(draft.lines.num_rows, dtype=bool)
    mask[places] = True
    changed = pc.replace_with_mask(totals, pa.array(mask), change(totals.take(pa.array(places))))
    draft.lines = draft.lines.set_column(draft.lines.column_names.index("total_price"), "total_price", changed)


def _ten_times(draft: _Draft, inventories: Ints) -> None:
    _scaled_total(draft, inventories, lambda totals: pc.binary_join_element_wise("9", totals, ""))


def _slightly_off(draft: _Draft, inventories: Ints) -> None:
    draft.set(
        draft.firsts(inventories), declared_quantity="1", unit_price="100.0000", total_price="100.05"
    )


def _copied_with_change(draft: _Draft, inventories: Ints) -> None:
    draft.add(draft.all_lines(inventories), goods_spec="另一规格")


def _clashing_item(draft: _Draft, inventories: Ints) -> None:
    draft.add(draft.firsts(inventories), goods_name="另一品名")


def _many_items(draft: _Draft, inventories: Ints) -> None:
    for inventory in inventories:
        length = int(draft.lengths[inventory])
        numbers = pa.array([str(number) for number in range(length + 1, 102)], pa.string())
        draft.add(np.full(len(numbers), draft.starts[inventory]), item_no=numbers)


def _second_line(column: str, value: str) -> Break:
    """Another header value on a line added as the next item."""

    def apply(draft: _Draft, inventories: Ints) -> None:
        numbers = pa.array([str(length + 1) for length in draft.lengths[inventories]], pa.string())
        draft.add(draft.firsts(inventories), item_no=numbers, **{column: value})

    return apply


def _instead_of_e(letter: str) -> Break:
    def apply(draft: _Draft, inventories: Ints) -> None:
        places = draft.all_lines(inventories)
        mask = np.zeros(draft.lines.num_rows, dtype=bool)
        mask[places] = True
        numbers = draft.lines["inventory_no"].combine_chunks()
        odd = pc.replace_substring(numbers.take(pa.array(places)), "E", letter)
        place = draft.lines.column_names.index("inventory_no")
        draft.lines = draft.lines.set_column(place, "inventory_no", pc.replace_with_mask(numbers, pa.array(mask), odd))

    return apply


FAULTS: dict[str, Break] = {
    "R101": _on_first(goods_name=""),
    "R102": _on_first(goods_name="长" * 251),
    "R103": _on_first(declared_quantity="1e5"),
    "R104": _on_first(item_no="1.0"),
    "R105": _on_first(total_price="0.00"),
    "R106": _on_all(net_weight_kg="-0.100"),
    "R107": _on_first(commodity_code="610910001"),
    "R108": _on_first(commodity_code="7700000000"),
    "R109": _on_first(destination_country_code="ZZZ"),
    "R110": _on_first(currency_code="999"),
    "R111": _on_first(statutory_unit_code="999"),
    "R112": _on_all(transport_mode_code="航空"),
    "R113": _on_all(exit_customs_code="224"),
    "R114": _on_all(consignor_code="91440300MA5F0A1B2M"),
    "R115": _on_all(trade_mode_code="9160"),
    "R116": _on_all(declaration_mode_code="C"),
    "R117": _on_all(status_code="988"),
    "R118": _on_all(status_code="899", cleared_at="31/10/2026"),
    "R119": _on_first(second_statutory_quantity="0.5", second_statutory_unit_code=""),
    "R120": _ten_times,
    "R121": _on_all(inventory_no="5.34920E+17"),
    "R122": _on_all(declarant_code="4403180001\u200b"),
    "R123": _on_all(goods_name="#N/A"),
    "R124": _instead_of_e("-"),
    "R125": _on_all(premises_code="N/A"),
    "R126": _on_all(goods_name="\ufffd\ufffd品"),
    "R201": _instead_of_e("X"),
    "R202": _on_all(transport_mode_code="G"),
    "R203": _on_all(exit_customs_code="9999"),
    "R204": _on_all(net_weight_kg="0"),
    "R205": _slightly_off,
    "R206": _on_all(waybill_no="2.02610E+16"),
    "R207": _on_all(voyage_no="30\u00ad86"),
    "R208": _on_all(goods_spec="????"),
    "I101": _second_line("gross_weight_kg", "99.000"),
    "I102": _clashing_item,
    "I103": _on_first(item_no="7"),
    "I104": _many_items,
    "I105": _on_all(net_weight_kg="2.000", gross_weight_kg="1.000"),
    "I106": _on_all(package_count="0"),
    "I201": _second_line("voyage_no", "3086"),
    "I202": _second_line("cleared_at", "2026-10-31 23:59:59"),
    "B102": _copied_with_change,
    "B104": _second_line("inventory_no", ""),
    "B201": _on_all(order_no="DD2026-SHARED"),
    "B202": _on_all(waybill_no="LP-SHARED"),
    "B203": _second_line("declared_unit_code", "006"),
    "B204": _on_all(consignor_name="深圳星河跨境电商有限公司"),
    "B205": _on_all(consignor_code="4403960Q8Y", consignor_name="杭州蓝帆网络科技有限公司"),
}
ODD_ROWS: dict[str, Callable[[bytes], bytes]] = {
    "F201": lambda row: row + b",",
    "F202": lambda row: row.replace(b",B,", b',B"B,', 1),
    "F203": lambda row: row.replace(b",B,", b",B\0,", 1),
}
_NO_STATUS = {"R117", "R118", "I202"}
_ONE_FOR_ALL = {"R121"}
"""Faults that give every inventory the same number: once a chunk is enough."""


def csv_of(lines: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(lines, sink, pa_csv.WriteOptions(include_header=False, quoting_style="none"))
    data: bytes = sink.getvalue().to_pybytes()
    return data


def with_faults(lines: pa.Table, columns: tuple[str, ...], share: float, random: np.random.Generator) -> Faulty:
    """Break `share` of the inventories, in turn one rule each."""
    numbers = lines["inventory_no"].combine_chunks()
    changed = pc.not_equal(numbers.slice(1), numbers.slice(0, len(numbers) - 1)).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.append(True, changed))
    draft = _Draft(lines, starts, np.diff(np.append(starts, lines.num_rows)), [])
    codes = [code for code in (*FAULTS, *ODD_ROWS) if "status_code" in columns or code not in _NO_STATUS]
    count = min(max(round(len(starts) * share), 1), len(starts))
    chosen = np.sort(random.choice(len(starts), size=count, replace=False))
    random.shuffle(chosen)
    broken: list[tuple[str, str]] = []
    odd: list[bytes] = []
    for place, code in enumerate(codes):
        inventories = np.sort(chosen[place :: len(codes)])
        if code in _ONE_FOR_ALL:
            inventories = inventories[:1]
        if not len(inventories):
            continue
        broken += [(str(numbers[int(draft.starts[i])]), code) for i in inventories]
        if code in FAULTS:
            FAULTS[code](draft, inventories)
        else:
            rows = draft.lines.take(pa.array(draft.firsts(inventories))).select(list(columns)).combine_chunks()
            rows = rows.set_column(columns.index("item_no"), "item_no", pa.array(["9"] * rows.num_rows, pa.string()))
            rows = rows.set_column(
                columns.index("declaration_mode_code"), "declaration_mode_code", pa.array(["B"] * rows.num_rows, pa.string())
            )
            odd += [ODD_ROWS[code](row) + b"\n" for row in csv_of(rows).splitlines()]
    return Faulty(pa.concat_tables([draft.lines, *draft.added]).combine_chunks(), b"".join(odd), tuple(broken))
