"""Any history of runs, amended and late inventories, cancellations, voids, answers and restored backups, against a model of it.

At every step each inventory is in at most one live declaration, the ledger and the run folders agree, totals balance, and
what was seen and is not declared waits. HISTORIES: how many, and then they are longer too (`make faults`).
"""

from __future__ import annotations

import copy
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aggregator.jobs.ledger import answered, void
from aggregator.jobs.ledger_check import check_ledger
from aggregator.ledger.at import ledger_at
from aggregator.model.errors import WrongConfiguration
from aggregator.model.place import Database, Place, place_of
from tests.conftest import NOW, Runner, read_rows, row
from tests.postgres import needs_postgres, server
from tests.tries import tries

CUSTOMS = ("2244", "5304")
LATE, IN_TIME = "2026-09-20 10:00:00", "2026-10-15 10:00:00"


@dataclass
class Inventory:
    number: str
    customs: str
    cleared_at: str
    version: int = 1
    cancelled: bool = False

    @property
    def price(self) -> Decimal:
        return Decimal(self.version) + Decimal("0.25")

    def lines(self) -> list[dict[str, str]]:
        """Two lines, in two commodities: at most two declaration items."""
        head = {"inventory_no": self.number, "order_no": self.number, "waybill_no": self.number, "cleared_at": self.cleared_at,
                "declaring_customs_code": self.customs, "unit_price": str(self.price), "total_price": str(self.price * 2)}  # fmt: skip
        return [row(**head), row(**head, item_no="2", commodity_code="6110200010")]


@dataclass
class ModelRun:
    """`declared`: inventory to the version it was declared with; `answers`: customs to the state of the application."""

    declared: dict[str, int]
    answers: dict[str, str]
    voided: bool = False


@dataclass
class Model:
    """What the ledger must know."""

    live: dict[str, tuple[str, int]] = field(default_factory=dict)
    runs: dict[str, ModelRun] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def free(self, number: str) -> None:
        self.live.pop(number, None)
        self.seen.add(number)


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = Runner(self.folder)
        self.ledger = self._place()
        self.inventories: dict[str, Inventory] = {}
        self.model = Model()
        self.backups: list[tuple[Any, Model]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    # -- where the ledger is

    def _place(self) -> Place:
        return self.runner.out / "ledger.sqlite"

    def _asked(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(str(self.ledger))) as connection:
            return connection.execute(statement).fetchall()

    def _copied(self) -> Any:
        return Path(str(self.ledger)).read_bytes()

    def _put_back(self, kept: Any) -> None:
        Path(str(self.ledger)).write_bytes(kept)

    def _inventory(self, which: int) -> Inventory:
        return self.inventories[sorted(self.inventories)[which % len(self.inventories)]]

    # -- what happens

    @initialize(count=st.integers(2, 5))
    def begin(self, count: int) -> None:
        for _ in range(count):
            self.list_released(0, late=False)
        self.run_all()

    @rule(customs=st.integers(0, 1), late=st.booleans())
    def list_released(self, customs: int, late: bool) -> None:
        number = f"22442026E{len(self.inventories) + 1:09d}"
        self.inventories[number] = Inventory(number, CUSTOMS[customs], LATE if late else IN_TIME)

    @rule(which=st.integers(0, 99))
    def list_amended(self, which: int) -> None:
        self._inventory(which).version += 1

    @rule(which=st.integers(0, 99))
    def list_cancelled(self, which: int) -> None:
        self._inventory(which).cancelled = True

    @rule()
    def run_all(self) -> None:
        """The superset: everything released so far; run again it declares nothing."""
        self._run(list(self.inventories.values()))

    @rule(keep=st.sets(st.integers(0, 30), min_size=1))
    def run_some(self, keep: set[int]) -> None:
        chosen = [each for place, each in enumerate(self.inventories.values()) if place in keep]
        if chosen:
            self._run(chosen)

    def _run(self, chosen: list[Inventory]) -> None:
        export = self.runner.write([line for each in chosen for line in each.lines()])
        cancelled = "".join(f"CEB606,{each.number},399,20261103000000000\n" for each in chosen if each.cancelled)
        receipts = self.runner.write("message,inventory_no,status_code,cleared_at\n" + cancelled, "receipts.csv")
        outcome = self.runner.run(export, ledger=self.ledger, receipts=(receipts,) if cancelled else ())
        new = [each for each in chosen if each.number not in self.model.live and not each.cancelled]
        changed = [each for each in chosen if each.number in self.model.live and not each.cancelled and self.model.live[each.number][1] != each.version]
        assert outcome.counts["inventories_declared"] == len(new)
        assert outcome.counts["inventories_late"] == sum(each.cleared_at == LATE for each in new)
        assert outcome.counts["inventories_rejected"] == len(changed)
        self.model.seen |= {each.number for each in chosen}
        if outcome.published:
            answers = {each.customs: "applied" for each in new}
            self.model.runs[outcome.run_ref] = ModelRun({each.number: each.version for each in new}, answers)
            self.model.live |= {each.number: (outcome.run_ref, each.version) for each in new}
        else:
            assert not new

    @precondition(lambda self: self.model.runs)
    @rule(which=st.integers(0, 99))
    def run_voided(self, which: int) -> None:
        run_ref = sorted(self.model.runs)[which % len(self.model.runs)]
        run = self.model.runs[run_ref]
        if run.voided or set(run.answers.values()) - {"applied"}:
            with pytest.raises(WrongConfiguration):
                void(self.ledger, run_ref, "", NOW, 0, self.runner.out)
            return
        void(self.ledger, run_ref, "", NOW, 0, self.runner.out)
        run.voided = True
        for number in run.declared:
            self.model.free(number)

    @precondition(lambda self: any(run.answers for run in self.model.runs.values()))
    @rule(which=st.integers(0, 99), accepted=st.booleans())
    def customs_answers(self, which: int, accepted: bool) -> None:
        applications = [(ref, customs) for ref, run in sorted(self.model.runs.items()) for customs in sorted(run.answers)]
        run_ref, customs = applications[which % len(applications)]
        run, answer = self.model.runs[run_ref], "accepted" if accepted else "refused"
        name = f"{run_ref}-A{sorted(run.answers).index(customs) + 1:03d}"
        if run.voided or not (run.answers[customs] == "applied" or (run.answers[customs] == "accepted" and not accepted)):
            with pytest.raises(WrongConfiguration):
                answered(self.ledger, name, answer, "", NOW, 0, self.runner.out)
            return
        answered(self.ledger, name, answer, "", NOW, 0, self.runner.out)
        run.answers[customs] = answer
        for number in run.declared if not accepted else ():
            if self.inventories[number].customs == customs:
                self.model.free(number)

    @rule()
    def backed_up(self) -> None:
        self.backups.append((self._copied(), copy.deepcopy(self.model)))

    @precondition(lambda self: self.backups)
    @rule(which=st.integers(0, 99))
    def old_backup_restored(self, which: int) -> None:
        """A backup from before anything was recorded is refused, were it but an answer; one from after it is as good."""
        old, model = self.backups[which % len(self.backups)]
        present, come_to = self._copied(), self._events()
        self._put_back(old)
        if self._events() != come_to:
            before = sorted(self.runner.out.rglob("*"))
            with pytest.raises(WrongConfiguration, match="lost or old"):
                self.runner.run_rows([line for each in self.inventories.values() for line in each.lines()], ledger=self.ledger)
            assert sorted(self.runner.out.rglob("*")) == before
            assert check_ledger(self.ledger, self.runner.out, 0).old
            self._put_back(present)
        else:
            assert model == self.model

    def _events(self) -> int:
        [(count,)] = self._asked("SELECT count(*) FROM event")
        return int(count)

    # -- what must hold

    @invariant()
    def each_is_in_at_most_one_live_declaration(self) -> None:
        if not ledger_at(self.ledger).exists():
            return
        rows = self._asked("SELECT inventory_no, run_ref FROM inventory JOIN run USING (run_no) WHERE inventory.state NOT IN ('refused', 'voided')")
        waiting = {number for (number,) in self._asked("SELECT inventory_no FROM waiting")}
        assert len(rows) == len({number for number, _ in rows})
        assert dict(rows) == {number: run_ref for number, (run_ref, _) in self.model.live.items()}
        assert waiting == self.model.seen - set(self.model.live)

    @invariant()
    def ledger_and_folders_agree_and_totals_balance(self) -> None:
        if not ledger_at(self.ledger).exists():
            return
        assert check_ledger(self.ledger, self.runner.out, 0).problems == []
        for run_ref, run in self.model.runs.items():
            folder = self.runner.out / "2026-10" / (f"{run_ref}.void" if run.voided else run_ref)
            audit = pq.read_table(folder / "audit_map.parquet", columns=["inventory_no", "total_price"]).to_pylist()
            assert {line["inventory_no"] for line in audit} == set(run.declared)
            total = sum((line["total_price"] for line in audit), Decimal(0))
            assert total == sum(((Decimal(version) + Decimal("0.25")) * 4 for version in run.declared.values()), Decimal(0))
            items: list[dict[str, Any]] = read_rows(folder / "declaration_items.csv")
            assert total == sum((Decimal(item["total_price"]) for item in items), Decimal(0))


class HistoryInPostgres(History):
    """The same, in a database; a backup of it is another schema."""

    def _place(self) -> Place:
        return server().place(self.folder)

    def _schema(self) -> str:
        assert isinstance(self.ledger, Database)
        return self.ledger.schema

    def teardown(self) -> None:
        super().teardown()
        for schema in (self._schema(), *(f"{self._schema()}_{number}" for number in range(1, self._copies + 1))):
            server().execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    def _asked(self, statement: str) -> list[Any]:
        return server().execute(statement, self._schema())

    _copies = 0

    def _copied(self) -> Any:
        self._copies += 1
        kept = place_of(server().url(f"{self._schema()}_{self._copies}"))
        with ledger_at(self.ledger).opened() as ledger:
            ledger.copy_to(ledger_at(kept))
        return kept

    def _put_back(self, kept: Any) -> None:
        server().execute(f"DROP SCHEMA {self._schema()} CASCADE")
        with ledger_at(kept).opened() as ledger:
            ledger.copy_to(ledger_at(self.ledger))


TestHistory = History.TestCase
TestHistoryInPostgres = needs_postgres(HistoryInPostgres.TestCase)
HISTORIES = int(os.environ.get("HISTORIES", "0"))
TestHistory.settings = settings(max_examples=HISTORIES or tries(12), stateful_step_count=30 if HISTORIES else 14)
TestHistoryInPostgres.settings = settings(max_examples=HISTORIES or tries(6), stateful_step_count=30 if HISTORIES else 12)
