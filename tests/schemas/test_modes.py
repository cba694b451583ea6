"""A mode is a value: another one is made from data alone, and the line runs with it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator.schemas.field import Dictionary, item
from aggregator.schemas.limit import Limit
from aggregator.schemas.modes import MODES, Mode, mode_of
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.rules.inventory import inventory_rules
from aggregator.schemas.modes.m9610.rules.row import row_rules
from aggregator.schemas.outputs import OutputSchemas
from aggregator.schemas.rule import RuleBook, Scope
from tests.conftest import Runner, csv_text, row

FROM = date(2019, 1, 1)


def toy_mode() -> Mode:
    """Voyages stand in the header key, a declaration holds two items, and lines carry a lot number."""
    lot = item("lot_no", "lotNo", "生产批号", "no", 5)
    dictionary = Dictionary((*M9610.dictionary.fields, lot), M9610.dictionary.unused_headings, M9610.dictionary.status_columns)
    of_lines = (Scope.ROW, Scope.INVENTORY)
    others = [rule for rule in M9610.rules if rule.scope not in of_lines and not rule.takes_inventories]
    keyed = Limit((*M9610.header_key.value, "voyage_no"), M9610.header_key.cite, FROM)
    declarations = M9610.outputs["declarations"]
    tables = {**M9610.outputs.tables, "declarations": declarations.insert(11, pa.field("voyage_no", pa.string()))}
    return replace(
        M9610,
        dictionary=dictionary,
        rules=RuleBook.of(*others, *row_rules(dictionary), *inventory_rules(dictionary)),
        header_key=keyed,
        items_per_declaration=Limit(2, M9610.items_per_declaration.cite, FROM),
        outputs=OutputSchemas(tables, M9610.code, 2, M9610.outputs.nullable | {"voyage_no"}),
    )


def _rows() -> list[dict[str, str]]:
    codes = ("6109100010", "9503008900", "4202220000")
    return [
        row(
            inventory_no=f"22442026E00000000{number}", item_no=str(place), order_no=f"DD{number}", waybill_no=f"LP{number}",
            voyage_no=voyage, commodity_code=code, lot_no=f"L{place}",
        )
        for number, voyage in ((1, "3085"), (2, "3086"), (3, "3085"))
        for place, code in enumerate(codes, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_the_line_runs_with_a_mode_made_of_data(runner: Runner, workers: int) -> None:
    rows = _rows()
    rows[8]["lot_no"] = "LONGER"
    path = runner.write(csv_text(rows))
    outcome = runner.run(path, mode=toy_mode(), workers=workers, chunk_bytes=600)
    assert outcome.counts["inventories_declared"] == 2
    # Two declarations hold only third items, and so no package: B206.
    assert outcome.findings == {"R102": 1, "B206": 2}
    [finding, *_] = runner.results(outcome, "findings")
    assert (finding["column"], finding["value"]) == ("lot_no", "LONGER")
    declarations = runner.results(outcome, "declarations")
    assert [(each["voyage_no"], each["item_count"]) for each in declarations] == [("3085", "2"), ("3085", "1"), ("3086", "2"), ("3086", "1")]
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet")
    assert audit.num_rows == 6


def test_the_same_lines_in_9610_itself(runner: Runner) -> None:
    outcome = runner.run(runner.write(csv_text(_rows())))
    assert outcome.counts["declarations"] == 1
    assert outcome.findings == {"F301": 1}


def test_a_mode_travels() -> None:
    for mode in (*map(mode_of, MODES), toy_mode()):
        again = pickle.loads(pickle.dumps(mode))
        assert again.rules.codes == mode.rules.codes
        assert again.key == mode.key
        columns = mode.dictionary.columns
        assert list(again.lines.text(columns).columns) == list(mode.lines.text(columns).columns)


def _with(*rules: object) -> Mode:
    return replace(M9610, rules=RuleBook.of(*rules))  # type: ignore[arg-type]


def test_a_rule_begins_and_ends_with_its_dates(runner: Runner) -> None:
    """The period of the run decides, not today: a rule holds where it is in force on the period's last day."""
    begins = replace(M9610.rules["R204"], in_force_from=date(2026, 10, 31))
    ends = replace(M9610.rules["R201"], in_force_to=date(2026, 10, 30))
    others = [rule for rule in M9610.rules if rule.code not in ("R204", "R201")]
    rows = [row(inventory_no="ODD1", net_weight_kg="0")]
    path = runner.write(csv_text(rows))
    october = runner.run(path, mode=_with(*others, begins, ends), dry_run=True)
    assert set(october.findings) == {"R204"}
    from aggregator.model.period import Period

    september = runner.run(
        runner.write(csv_text([{**rows[0], "cleared_at": "2026-09-10"}]), "september.csv"), mode=_with(*others, begins, ends),
        period=Period(2026, 9), dry_run=True,
    )  # fmt: skip
    assert set(september.findings) == {"R201"}


def test_a_rule_that_is_established_where_it_arises_is_silent_out_of_force(runner: Runner) -> None:
    rows = [row(), row(inventory_no="22442026E000000002", waybill_no="LP2")]
    path = runner.write(csv_text(rows))
    assert runner.run(path, dry_run=True).findings == {"B201": 2}
    book = [replace(rule, in_force_from=date(2027, 1, 1)) if rule.code == "B201" else rule for rule in M9610.rules]
    assert runner.run(path, mode=_with(*book), dry_run=True).findings == {}


@pytest.mark.parametrize("mode", MODES)
def test_each_test_of_a_rule_is_called_through_the_rule(mode: str) -> None:
    """A rule has a test exactly where something calls it: row rules by the schemas, inventory rules by the grouping, and rules
    of all inventories by name."""
    called_by_name = {"B201", "B202", "B203", "B204", "B205", "B207", "B208"}
    for rule in mode_of(mode).rules:
        called = rule.scope is Scope.ROW or rule.takes_inventories or rule.code in called_by_name
        assert (rule.test is not None) == called, rule.code
