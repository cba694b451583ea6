"""`aggregator ledger migrate --to`: move a ledger to another place, of whatever kind, with all it holds verified on both sides."""

from __future__ import annotations

from datetime import datetime

from aggregator.jobs.heads import leave_head, settle_heads
from aggregator.jobs.publish import finish, uninterrupted
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import LedgerAltered, NoLedger, OtherLedgerThere
from aggregator.ledger.ledger import Ledger, LedgerAt
from aggregator.model.place import Place
from aggregator.model.remote import AnyPath
from aggregator.places.local import make_folder
from aggregator.schemas.text import Text, counted


def moved(path: Place, target: Place, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    """The copy first, whole or not at all; then the former ledger is said to be elsewhere, and is refused from then on. Cut between
    the two, it is given again."""
    at = now.isoformat(timespec="seconds")
    source, new = ledger_at(path), ledger_at(target)
    if not source.exists():
        raise NoLedger(path)
    with source.locked(lock_wait), source.opened(migrate=True, at=at) as ledger:
        if problems := ledger.altered():
            raise LedgerAltered(path, problems)
        settle_heads(ledger, out)
        with uninterrupted():
            finish(ledger)
        if new.folder is not None:
            make_folder(new.folder)
        with new.locked(lock_wait):
            _copied(ledger, new, at)
            with uninterrupted(), new.opened() as copy:
                with ledger.transaction(at):
                    ledger.record_moved(target)
                leave_head(copy, out)
                events, inventories = copy.size()
    return Text(
        f"The ledger is now {target}: {counted(events, 'event', 'events')} and {counted(inventories, 'inventory', 'inventories')}, verified row by row. {path} is kept as it was, and "
        f"refused from now on: name the new one with --ledger {target}, or as ledger under [run] of the config.",
        f"台账已迁移至 {target}：{events:,} 条记录、{inventories:,} 份清单，已逐行核对。原台账 {path} 保留，今后不再接受："
        f"请用 --ledger {target} 指定新台账，或写入配置的 [run]。",
    )


def _copied(ledger: Ledger, new: LedgerAt, at: str) -> None:
    """Raises OtherLedgerThere where there is a ledger that is not this one's copy, or that fell behind it."""
    if not new.exists():
        new.filled(ledger.all_tables(), at=at, moved_from=ledger.place)
        return
    with new.opened() as there:
        if there.ledger_id != ledger.ledger_id or not there.holds_event(ledger.last_event()):
            raise OtherLedgerThere(ledger.place, new.place)
        if problems := there.altered():
            raise LedgerAltered(new.place, problems)
