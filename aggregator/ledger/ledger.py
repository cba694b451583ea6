"""What every ledger promises: the verbs by which jobs write to it and ask it. What keeps it, and how, is its kind's own affair.

Whoever writes holds the lock and a transaction: its end is the moment from which all of it holds, and before it nothing does.
An inventory is declared at most once at a time. Of what customs says the order and the number of times do not matter. What was
changed by any other hand is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from aggregator.domain.states import Application
from aggregator.model.answers import (
    ApplicationReceipt,
    Applied,
    Change,
    Clearance,
    KnownResult,
    OrderStanding,
    Result,
    Sent,
)
from aggregator.model.place import Place
from aggregator.model.records import (
    ApplicationStanding,
    Event,
    ExportedTable,
    Imported,
    Known,
    PeriodFacts,
    RecordedRows,
    Run,
    Seen,
    Size,
    State,
    Tally,
)
from aggregator.schemas.text import Text

CUSTOMS_LINES = pa.schema(
    [
        ("inventory_no", pa.string()),
        ("item_no", pa.int64()),
        ("summary_seq_no", pa.string()),
        ("customs_item_no", pa.int64()),
        ("commodity_code", pa.string()),
    ]
)
"""Lines of customs' results, in the order of their columns. `customs_item_no` is 0 where the message has none."""
TRACED_LINES = pa.schema(
    [(name, pa.string()) for name in ("inventory_no", "item_no", "summary_seq_no", "customs_item_no", "declaration_no")]
)
"""The same as texts, blank where not known, with the number of the declaration."""


class KnownApplication(NamedTuple):
    """An application of a run: its number in it, what is known of it, and the state it is in."""

    application_no: int
    facts: Application
    state: State


class Rows(NamedTuple):
    """A table by the name the kinds call it, and its rows in the order of its key, in tables of a bounded size."""

    table: str
    rows: Iterator[pa.Table]


class LedgerAt(Protocol):
    """A ledger by its place, whether there is one or not. Errors: see errors.py."""

    @property
    def place(self) -> Place: ...

    @property
    def folder(self) -> Path | None:
        """It lies in; None for one that does not lie on a disk of ours."""
        ...

    def exists(self) -> bool: ...

    def locked(self, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold the lock, one process at a time. It goes with the process: there is no stale lock to remove by hand."""
        ...

    def is_locked(self) -> bool:
        """Whether anybody holds the lock. Raises OSError where the disk cannot lock."""
        ...

    def opened(self, *, create: bool = False, migrate: bool = False, at: str = "") -> AbstractContextManager[Ledger]:
        """Made anew only where there is none at all and `create` is given; one of an earlier version is brought forward only if
        `migrate`. Both need the lock; `at` is the time they record. What is not a sound ledger is refused."""
        ...

    def filled(self, tables: Iterator[Rows], *, at: str = "", moved_from: Place | None = None) -> None:
        """Make the ledger with all that another has, complete or not at all. `moved_from`: where it is no longer, from `at` on."""
        ...

    def has_run(self, run_ref: str) -> bool | None:
        """Whether a run is recorded, whatever became of the connection that recorded it. None where that cannot be known now."""
        ...

    def size(self) -> int:
        """In bytes."""
        ...

    def known(self) -> Known:
        """What is asked of inventories, from any process."""
        ...


class Ledger(Protocol):
    """An open ledger. Numbers of runs order them; what is said to be *held* by a run is declared in it and neither refused nor
    voided."""

    @property
    def place(self) -> Place: ...

    @property
    def ledger_id(self) -> str: ...

    @property
    def first_period(self) -> str | None:
        """The first period it answers for, once that is recorded."""
        ...

    def transaction(self, at: str) -> AbstractContextManager[None]:
        """`at`: the time of all that is recorded in it."""
        ...

    # ------------------------------------------------------------------------------------------ whether it is to be believed

    def altered(self) -> list[Text]:
        """All that is not as it was recorded."""
        ...

    def refuse_altered(self) -> None:
        """Raises LedgerAltered. Of a large ledger only what can be looked at before every run."""
        ...

    def last_event(self) -> Event: ...

    def holds_event(self, event: Event) -> bool: ...

    def size(self) -> Size: ...

    def copy_to(self, target: LedgerAt) -> None:
        """A whole copy, which appears complete or not at all; of another kind too."""
        ...

    def all_tables(self) -> Iterator[Rows]:
        """All that is kept, as it was when the first was asked for."""
        ...

    def record_moved(self, target: Place) -> None:
        """From here on it is refused: the ledger is elsewhere."""
        ...

    def export(self) -> Iterator[ExportedTable]:
        """Every table as it was when the first was asked for."""
        ...

    # ----------------------------------------------------------------------------------------------------------- record a run

    def next_run_ref(self, period: str) -> str:
        """`202610-01`, `-02`, …: a number is never used again, not even that of a voided run."""
        ...

    def begin_run(self, first_period: str) -> int:
        """The number of the next run. `first_period`: that the ledger answers for, if none is recorded yet; blank:
        the run says nothing of it."""
        ...

    def record_declared(self, run_no: int, inventories: Iterable[pa.Table]) -> RecordedRows:
        """Tables: inventory_no, content, cleared_period, late, application_no, items. Raises DeclaredTwice."""
        ...

    def release(self, run_ref: str, orders: Sequence[str]) -> None:
        """Orders that customs refused and this run files anew: no run before holds them."""
        ...

    def record_waiting(self, seen_in: str, period: str, inventories: Iterable[pa.Table]) -> None:
        """What was seen and not declared. Tables: inventory_no, cleared_period, fate, reason."""
        ...

    def record_cancelled(self, run_ref: str, numbers: Sequence[str]) -> None:
        """Declared inventories that customs has since cancelled or sent back, reported in this run."""
        ...

    def record_receipts(self, files: Iterable[tuple[str, str]]) -> None:
        """Files of customs' answers that a run used: SHA-256 and name."""
        ...

    def record_sent(self, sent: Iterable[Sent]) -> None: ...

    def record_run(self, run: Run, rows: RecordedRows, applications: pa.Table, declarations: pa.Table) -> None:
        """The run itself, and that what it declared waits no longer. Applications: application_no, declaring_customs_code,
        declarant_code, consignor_code, premises_code. Declarations: declaration_ref, application_no, item_count,
        inventory_count."""
        ...

    def numbers_of(self, rows: RecordedRows) -> Iterator[str]:
        """Inventories as they were recorded, by application, in order."""
        ...

    # ------------------------------------------------------------------------------------------------------- change it afterwards

    def void_run(self, run_ref: str, reason: str) -> int:
        """Take back a run that customs has not answered. Out: how many inventories are free."""
        ...

    def answer_application(self, application_ref: str, answer: State, reason: str) -> int:
        """Customs' answer to an application as a whole, as a person enters it. Out: how many inventories it is about."""
        ...

    def dismiss(self, numbers: Sequence[str], reason: str) -> int:
        """What waits and is never to be declared here. Out: how many inventories."""
        ...

    def correct_first_period(self, first_period: str, reason: str) -> str:
        """As long as nothing rests on it. Out: what it was, or blank."""
        ...

    def import_declared(self, file: str, sha256: str, inventories: pa.Table) -> Imported:
        """Inventories declared elsewhere before, as a run of their own without a folder; those known as declared are left out.
        Table: inventory_no, cleared_period, each number once."""
        ...

    # ------------------------------------------------------------------------------------------------------ what customs answers

    def was_received(self, sha256: str) -> bool: ...

    def record_received(self, sha256: str, file: str) -> None: ...

    def applied(self) -> dict[str, Applied]:
        """Applications that were sent, by the enterprise's number."""
        ...

    def consignors(self) -> frozenset[str]:
        """All that anything was applied for."""
        ...

    def take_receipt(self, application_ref: str, receipt: ApplicationReceipt) -> None: ...

    def take_result(self, result: Result) -> None: ...

    def take_clearances(self, clearances: Iterable[Clearance]) -> None: ...

    def order_standings(self, run: Run) -> list[OrderStanding]:
        """What customs said of the orders that the run holds."""
        ...

    def settle(self, runs: Iterable[int]) -> list[Change]:
        """Bring applications and inventories into the state that all that was taken says: of the runs something new is known
        of, and of those that share inventories with them."""
        ...

    # --------------------------------------------------------------------------------------------------------- ask it: runs

    def runs(self) -> list[Run]:
        """All, in the order they were recorded in."""
        ...

    def declarations_made(self, run_ref: str) -> int: ...

    def tally(self, run_no: int) -> list[Tally]: ...

    def applications(self, run_no: int) -> list[ApplicationStanding]: ...

    # ------------------------------------------------------------------------------------------- ask it: customs against ours

    def is_answered(self, run_no: int) -> bool:
        """Whether customs said anything of it."""
        ...

    def known_of_applications(self, run_no: int) -> list[KnownApplication]: ...

    def runs_of_results(self, results: Iterable[str]) -> set[int]:
        """Runs that declared anything, held or not, that is in one of these results."""
        ...

    def customs_lines(self, run_no: int) -> pa.Table:
        """CUSTOMS_LINES of the inventories that the run holds."""
        ...

    def stray_lines(self) -> pa.Table:
        """CUSTOMS_LINES that no run holds; not those of consignors that nothing was ever applied for, nor what was dismissed."""
        ...

    def declarations_begun(self, run_no: int) -> list[str]:
        """Declarations in applications of which some inventory that the run holds is in a result."""
        ...

    def not_held(self, run_no: int) -> list[str]:
        """Inventories that the run declared and does not hold."""
        ...

    def results(self, numbers: Iterable[str]) -> dict[str, KnownResult]: ...

    def runs_holding(self, summary_seq_no: str) -> list[str]:
        """References of the runs that hold anything in a result."""
        ...

    def results_numbered(self, declaration_no: str) -> list[str]: ...

    # ---------------------------------------------------------------------------------------------------------- ask it: trace

    def inventories_in_results(self, numbers: set[str]) -> set[str]:
        """Inventories in results that one of the numbers names: a result's, or a declaration's."""
        ...

    def latest_runs(self, numbers: Iterable[str]) -> dict[str, int]:
        """For each inventory the run that holds it, or where none does the last live one that declared it."""
        ...

    def seen(self, numbers: Iterable[str], *, by_own_number: bool = False) -> list[Seen]:
        """Which of them were seen and not declared. `by_own_number`: orders are asked for without their platform too."""
        ...

    def list_numbers(self, orders: Iterable[str]) -> dict[str, str]:
        """The number that customs gave the list of an order, where it did."""
        ...

    def listed_orders(self, numbers: Iterable[str]) -> set[str]:
        """Orders whose lists have one of the numbers."""
        ...

    def traced_lines(self, numbers: Iterable[str]) -> pa.Table:
        """TRACED_LINES of inventories."""
        ...

    # --------------------------------------------------------------------------------------------------------- ask it: status

    def periods(self) -> set[str]:
        """Periods of which anything is known."""
        ...

    def period_facts(self, period: str, most_examples: int) -> PeriodFacts: ...
