"""`aggregator receive`: take customs' answers into the ledger, bring the applications into the state they say, and compare what
customs made with what we forecast.

Every file is kept by its hash, before anything is made of it; what cannot be used is quarantined and reported, and the others go
on. The comparison is made anew from the ledger each time: it can be made again, whatever became of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aggregator.inputs.ceb.answers import DOCUMENTS, ORDER_RECEIPTS, Document, Unreadable, documents_of, latest_time
from aggregator.inputs.ceb.elements import kind_of
from aggregator.inputs.export import Source
from aggregator.inputs.sources.files import STANDARD_INPUT
from aggregator.inputs.sources.room import Room, temporary_room
from aggregator.inputs.sources.sniff import Format, format_of
from aggregator.inputs.sources.unchanged import hold, refuse_changed, taken_of
from aggregator.inputs.sources.unpack import taken_in, unpacked
from aggregator.jobs.ledger import changing
from aggregator.jobs.order_states import states_of
from aggregator.jobs.reconciliation import Reconciled, reconcile_runs
from aggregator.ledger.ledger import Ledger
from aggregator.model.answers import ApplicationReceipt, Applied, Clearance, OrderMessage, OrderReceipt, Result
from aggregator.model.errors import CannotCreate, CannotReadOrWrite, Exit, UnusableInput
from aggregator.model.remote import AnyPath
from aggregator.model.settings import ReceiveSettings
from aggregator.places.at import place_at
from aggregator.schemas.modes.m9710.messages import Weight, weight_of
from aggregator.schemas.text import Text

RECEIVED, QUARANTINE = "received", "aside"


@dataclass(frozen=True)
class Quarantined:
    """A file or document that was not used: why, and where in the file."""

    file: str
    row: int | None
    why: Text


@dataclass
class Received:
    """What came of it. `changed`: applications that are in another state now. `passed_over`: messages of folders and archives
    that are no answers, by kind. `orders`: of the runs whose orders the files speak of, by state."""

    files: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    known: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    aside: list[Quarantined] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    runs: list[Reconciled] = field(default_factory=list)
    orders: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> Exit:
        return Exit.WAITING if self.aside or any(run.differences for run in self.runs) else Exit.DONE


@dataclass
class _About:
    """Runs that the files taken in now speak of, and the results they know of. `has_orders`: some run filed orders; `filed_in`: runs
    whose orders the files speak of."""

    runs: set[int] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    has_orders: bool = False
    filed_in: set[int] = field(default_factory=set)


def receive(settings: ReceiveSettings, now: datetime) -> Received:
    out, at = settings.out.resolve(), now.isoformat(timespec="seconds")
    received = Received()
    with temporary_room() as room:
        sources, damaged = _sources(settings.inputs, room)
        with changing(settings.ledger.path, out, at, settings.ledger.lock_wait) as ledger:
            for source, why in damaged:
                copy = hold(source, room)
                _keep(copy.path, out / RECEIVED / QUARANTINE, taken_of(copy).sha256, Path(source.name).suffix)
                received.aside.append(Quarantined(source.name, None, why))
            has_orders = any(run.mode == "9710" for run in ledger.runs())
            taking = _Taking(ledger, out, now, received, ledger.applied(), ledger.consignors(), _About(has_orders=has_orders))
            for source in sources:
                _take(taking, source, hold(source, room))
            received.files = len(sources) + len(damaged) - received.passed_over.total()
            about = taking.about
            about.runs |= ledger.runs_of_results(about.results)
            received.changed = [(each.application_ref, str(each.state)) for each in ledger.settle(about.runs) if each.is_new]
            received.runs = list(reconcile_runs(ledger, out, about.runs, settings.csv_headings))
            received.orders = states_of(ledger, [run for run in ledger.runs() if run.run_no in about.filed_in])
    return received


def _sources(arguments: Iterable[AnyPath], room: Room) -> tuple[list[Source], list[tuple[Source, Text]]]:
    """The files of the arguments, and the archives that are damaged, as a whole, and why."""
    sources, damaged = list[Source](), list[tuple[Source, Text]]()
    for each, source in taken_in(arguments, room):
        try:
            sources += list(unpacked(source, room))
        except UnusableInput as stop:
            if each.path == STANDARD_INPUT:
                raise
            damaged.append((source, stop.text))
    return sources, damaged


@dataclass(frozen=True)
class _Taking:
    """What taking a file in needs. `sent`: applications by the number they were sent under; `consignors`: all that the ledger
    applied for."""

    ledger: Ledger
    out: AnyPath
    now: datetime
    received: Received
    sent: dict[str, Applied]
    consignors: frozenset[str]
    about: _About = field(default_factory=_About)

    def filed(self, orders: set[str]) -> set[str]:
        """Those that a run of this ledger filed."""
        found = self.ledger.latest_runs(orders) if self.about.has_orders else {}
        self.about.filed_in |= set(found.values())
        return set(found)

    def take_order(self, receipt: OrderReceipt) -> None:
        weight = weight_of(receipt.status, receipt.info, of_list=False)
        message = OrderMessage.ORDER if weight is Weight.DECIDES else OrderMessage.HELD if weight is Weight.HELD else OrderMessage.UNDERWAY
        self.ledger.take_clearances([Clearance(receipt.order, message, receipt.status, receipt.at)])

    def take_list(self, receipt: Clearance) -> None:
        """The receipt of an inventory (CEB604) that is the list of an order."""
        weight = weight_of(receipt.status, receipt.info, of_list=True)
        message = OrderMessage.LIST if weight is Weight.DECIDES else OrderMessage.HELD if weight is Weight.HELD else OrderMessage.UNDERWAY
        said = [Clearance(receipt.order, message, receipt.status, receipt.at)]
        if receipt.inventory_no:
            said.append(Clearance(receipt.order, OrderMessage.NUMBER, receipt.inventory_no, receipt.at))
        self.ledger.take_clearances(said)


def _take(taking: _Taking, source: Source, copy: Source) -> None:
    """One file, as it is held."""
    taken, received, folder = taken_of(copy), taking.received, taking.out / RECEIVED
    if taking.ledger.was_received(taken.sha256):
        received.known += 1
        return
    try:
        root = kind_of(copy).root if format_of(copy) is Format.MESSAGE else ""
        no_answer = root not in DOCUMENTS or (root == ORDER_RECEIPTS and not taking.about.has_orders)
        if root and no_answer and not source.named:
            received.passed_over[root] += 1
            return
        # Read whole before anything is taken in: what turns out to be damaged leaves no trace in the ledger.
        documents = _documents(copy, root, taking.now)
    except UnusableInput as stop:
        refuse_changed(source, copy)
        _keep(copy.path, folder / QUARANTINE, taken.sha256)
        received.aside.append(Quarantined(source.name, None, stop.text))
        return
    refuse_changed(source, copy)
    _keep(copy.path, folder, taken.sha256)
    aside = _fold(taking, source, documents)
    if aside:
        _keep(copy.path, folder / QUARANTINE, taken.sha256)
    received.aside += aside
    taking.ledger.record_received(taken.sha256, source.name)


def _documents(source: Source, root: str, now: datetime) -> list[Document]:
    if root not in DOCUMENTS:
        raise UnusableInput(
            f"It is no answer of customs (CEB702, CEB792, CEB604, CEB606, CEB304){f' but {root}' if root else ''}.",
            f"不是海关回执或结果报文（CEB702、CEB792、CEB604、CEB606、CEB304）{f'，而是 {root}' if root else ''}。",
        )
    return list(documents_of(source, root, latest_time(now)))


def _keep(path: Path, folder: AnyPath, sha256: str, suffix: str = ".xml") -> None:
    place, target = place_at(folder), folder / f"{sha256}{suffix}"
    try:
        if not place.is_file(target) or (isinstance(target, Path) and target.is_symlink()):
            place.keep(path, target)
    except OSError as error:
        stop = CannotCreate if isinstance(folder, Path) and not folder.exists() else CannotReadOrWrite
        raise stop(f"{target} cannot be written: {error.strerror}.", f"无法写入 {target}：{error.strerror}。") from None


def _fold(taking: _Taking, source: Source, documents: Iterable[Document]) -> list[Quarantined]:
    """Take the documents of one file in; those that cannot be used are reported."""
    aside, counts = list[Quarantined](), Counter[str]()
    clearances: list[Clearance] = []
    documents, orders = list(documents), list[OrderReceipt]()
    filed = taking.filed({each.order for each in documents if isinstance(each, Clearance | OrderReceipt) and each.order})
    for document in documents:
        why = None
        if isinstance(document, Unreadable):
            why = document.why
        elif isinstance(document, ApplicationReceipt):
            why = _take_receipt(taking, document)
        elif isinstance(document, Result):
            why = _take_result(taking, document)
        elif isinstance(document, OrderReceipt):
            orders.append(document)
            continue
        elif document.order in filed:
            taking.take_list(document)
        elif document.inventory_no and document.is_summarised:
            clearances.append(document)
        if why is not None:
            aside.append(Quarantined(source.name, document.row if isinstance(document, Unreadable) else None, why))
        else:
            counts[_KIND[type(document)]] += 1
    aside += _take_orders(taking, source, orders, filed, counts)
    taking.ledger.take_clearances(clearances)
    taking.received.documents.update(counts)
    return aside


def _take_receipt(taking: _Taking, receipt: ApplicationReceipt) -> Text | None:
    """Out: why it cannot be used."""
    if receipt.cop_no not in taking.sent:
        return Text(f"No application of this ledger has the number {receipt.cop_no} (copNo).", f"本台账没有编号为 {receipt.cop_no}（copNo）的汇总申请单。")
    ref, consignor, run_no, parts = taking.sent[receipt.cop_no]
    if receipt.consignor_code and receipt.consignor_code != consignor:
        return _foreign(receipt.consignor_code)
    if receipt.part_no > parts:
        return Text(
            f"It is about part {receipt.part_no} of {receipt.cop_no}, which was sent in {parts} (msgSeqNo).",
            f"回执所指为 {receipt.cop_no} 的第 {receipt.part_no} 段，而该申请单只发送了 {parts} 段（msgSeqNo）。",
        )
    taking.ledger.take_receipt(ref, receipt)
    taking.about.runs.add(run_no)
    return None


def _take_result(taking: _Taking, result: Result) -> Text | None:
    """A result is taken in whosever it is: what customs has in it is not to be declared again. Out: why it is quarantined too."""
    taking.ledger.take_result(result)
    taking.about.results.add(result.summary_seq_no)
    consignor = result.fields["consignor_code"]
    if not consignor or consignor in taking.consignors or taking.ledger.runs_of_results({result.summary_seq_no}):
        return None
    return _foreign(consignor)


def _take_orders(taking: _Taking, source: Source, receipts: list[OrderReceipt], filed: set[str], counts: Counter[str]) -> list[Quarantined]:
    """Receipts of orders (CEB304). A shop has other orders too: of those that no run filed only a file that was named tells."""
    for each in receipts:
        if each.order in filed:
            taking.take_order(each)
        if each.order in filed or not source.named:
            counts["order_receipts" if each.order in filed else "receipts_of_other_orders"] += 1
    absent = sorted({each.order for each in receipts} - filed)
    if not absent or not source.named:
        return []
    listed = ", ".join(absent[:3]) + (" …" if len(absent) > 3 else "")
    return [Quarantined(source.name, None, Text(f"No run of this ledger filed these orders: {listed} ({len(absent):,}).", f"本台账没有申报过这些订单：{listed}（{len(absent):,} 份）。"))]


_KIND: dict[type, str] = {ApplicationReceipt: "application_receipts", Result: "results", Clearance: "inventory_receipts"}


def _foreign(code: str) -> Text:
    return Text(f"It is of the consignor {code}, for whom this ledger applied for nothing.", f"其收发货人为 {code}，本台账未为其申请汇总。")
