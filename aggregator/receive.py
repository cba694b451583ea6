"""`aggregator receive`: take customs' answers into the ledger, bring the applications into the state they say, and compare what
customs made with what we forecast.

Every file is kept by its hash, before anything is made of it; what cannot be used is kept aside and told of, and the others go
on. The comparison is made anew from the ledger each time: it can be made again, whatever became of it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aggregator.errors import CannotCreate, CannotReadOrWrite, Exit, UnusableInput
from aggregator.ledger.answers import (
    ApplicationReceipt,
    Result,
    fold_clearances,
    fold_receipt,
    fold_result,
    settle_applications,
)
from aggregator.ledger.query import setting
from aggregator.ledger.store import sync
from aggregator.ledger_jobs import changing
from aggregator.params import Params
from aggregator.publish import make_folder
from aggregator.read.answers import DOCUMENTS, Clearance, Document, Unreadable, documents_of
from aggregator.read.elements import kind_of
from aggregator.read.export import Source, taken_of
from aggregator.read.room import temporary_room
from aggregator.read.sniff import Format, format_of
from aggregator.read.unpack import sources_of
from aggregator.reconciliation import Reconciled, reconcile_runs
from aggregator.write.applications import cop_no_prefix
from schemas.text import Text

_PAGE_CACHE_KIB = 262_144
RECEIVED, ASIDE = "received", "aside"


@dataclass(frozen=True)
class KeptAside:
    """A file or document that was not used: why, and where in the file."""

    file: str
    row: int | None
    why: Text


@dataclass
class Received:
    """What came of it. `changed`: applications that are in another state now. `passed_over`: messages of folders and archives
    that are no answers, by kind."""

    files: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    known: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    aside: list[KeptAside] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    runs: list[Reconciled] = field(default_factory=list)

    @property
    def exit_code(self) -> Exit:
        return Exit.WAITING if self.aside or any(run.differences for run in self.runs) else Exit.DONE


@dataclass
class _About:
    """Applications and results that the files taken in now speak of."""

    applications: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)


def receive(params: Params, now: datetime) -> Received:
    assert params.out is not None
    assert params.the_ledger is not None
    out, ledger, at = params.out.resolve(), params.the_ledger, now.isoformat(timespec="seconds")
    received = Received()
    with temporary_room() as room:
        sources = list(sources_of(params.inputs, room))
        with changing(ledger, at, params.lock_wait) as connection:
            # Lines of results come in the order of customs' items, and are kept by inventory: all over the table.
            connection.execute(f"PRAGMA cache_size=-{_PAGE_CACHE_KIB}")
            about = _About()
            for source in sources:
                _take(connection, source, out, at, received, about)
            received.files = len(sources) - received.passed_over.total()
            received.changed = [(ref, str(state)) for ref, state in settle_applications(connection, at)]
            received.runs = list(reconcile_runs(connection, ledger, out, _runs_of(connection, about)))
    return received


def _runs_of(connection: sqlite3.Connection, about: _About) -> set[str]:
    """The runs that what was taken in now is about: all lines of a result are of one application."""
    found = {ref.rpartition("-")[0] for ref in about.applications}
    for seq_no in about.results:
        row = connection.execute(
            "SELECT run_ref FROM result_line JOIN inventory USING (inventory_no) JOIN run USING (run_no) WHERE summary_seq_no = ? "
            "ORDER BY run_no DESC LIMIT 1",
            (seq_no,),
        ).fetchone()
        found |= set(row or ())
    return found


def _take(connection: sqlite3.Connection, source: Source, out: Path, at: str, received: Received, about: _About) -> None:
    """One file."""
    taken = taken_of(source)
    if connection.execute("SELECT 1 FROM receipt WHERE sha256 = ?", (f"received:{taken.sha256}",)).fetchone():
        received.known += 1
        return
    try:
        root = kind_of(source).root if format_of(source) is Format.MESSAGE else ""
        if root and root not in DOCUMENTS and not source.named:
            received.passed_over[root] += 1
            return
        # Read whole before anything is taken in: what turns out to be damaged leaves no trace in the ledger.
        documents = _documents(source, root)
    except UnusableInput as stop:
        _keep(source, out / RECEIVED / ASIDE, taken.sha256)
        received.aside.append(KeptAside(source.name, None, stop.text))
        return
    _keep(source, out / RECEIVED, taken.sha256)
    aside = _fold(connection, source.name, documents, received.documents, about)
    if aside:
        _keep(source, out / RECEIVED / ASIDE, taken.sha256)
    received.aside += aside
    connection.execute("INSERT OR IGNORE INTO receipt VALUES (?, ?, ?)", (f"received:{taken.sha256}", source.name, at))


def _documents(source: Source, root: str) -> list[Document]:
    if root not in DOCUMENTS:
        raise UnusableInput(
            f"It is no answer of customs (CEB702, CEB792, CEB604, CEB606){f' but {root}' if root else ''}.",
            f"不是海关回执或结果报文（CEB702、CEB792、CEB604、CEB606）{f'，而是 {root}' if root else ''}。",
        )
    return list(documents_of(source, root))


def _keep(source: Source, folder: Path, sha256: str) -> None:
    make_folder(folder)
    target = folder / f"{sha256}.xml"
    if target.exists():
        return
    try:
        part = target.with_suffix(".part")
        shutil.copyfile(source.path, part)
        sync(part)
        part.rename(target)
        sync(folder)
    except OSError as error:
        stop = CannotCreate if not target.parent.exists() else CannotReadOrWrite
        raise stop(f"{target} cannot be written: {error.strerror}.", f"无法写入 {target}：{error.strerror}。") from None


def _fold(
    connection: sqlite3.Connection, file: str, documents: Iterable[Document], counts: Counter[str], about: _About
) -> list[KeptAside]:
    """Take the documents of one file in; those that cannot be used are told of."""
    prefix = cop_no_prefix(setting(connection, "ledger_id") or "")
    applications = dict(connection.execute("SELECT application_ref, consignor_code FROM application").fetchall())
    consignors, aside, told = set(applications.values()), list[KeptAside](), Counter[str]()
    clearances: list[Clearance] = []
    for document in documents:
        why = None
        if isinstance(document, Unreadable):
            why = Text(f"{document.why} is missing or unreadable.", f"{document.why} 缺失或无法识别。")
        elif isinstance(document, ApplicationReceipt):
            ref = document.cop_no.removeprefix(prefix)
            if ref == document.cop_no or ref not in applications:
                why = Text(f"No application of this ledger has the number {document.cop_no} (copNo).", f"本台账没有编号为 {document.cop_no}（copNo）的汇总申请单。")
            elif document.consignor_code and document.consignor_code != applications[ref]:
                why = _foreign(document.consignor_code)
            else:
                fold_receipt(connection, ref, document)
                about.applications.add(ref)
        elif isinstance(document, Result):
            if document.fields["consignor_code"] and document.fields["consignor_code"] not in consignors:
                why = _foreign(document.fields["consignor_code"])
            else:
                fold_result(connection, document)
                about.results.add(document.summary_seq_no)
        elif document.inventory_no:
            clearances.append(document)
        if why is not None:
            aside.append(KeptAside(file, document.row if isinstance(document, Unreadable) else None, why))
        else:
            told[_KIND[type(document)]] += 1
    fold_clearances(connection, ((each.inventory_no, each.message, each.status, each.at) for each in clearances))
    counts.update(told)
    return aside


_KIND: dict[type, str] = {ApplicationReceipt: "application_receipts", Result: "results", Clearance: "inventory_receipts"}


def _foreign(code: str) -> Text:
    return Text(f"It is of the consignor {code}, for whom this ledger applied for nothing.", f"其收发货人为 {code}，本台账未为其申请汇总。")
