"""The ledger's head, left by every command that writes: how far the ledger had come.

A copy from earlier is as sound in itself as the newest ledger, and what was recorded since would be declared again. So the
number and hash of the last event stand in the folder of results too (and beside a ledger that is kept elsewhere): a ledger
that holds no such event is refused. One that has come further is the ordinary case after a crash: the head follows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import CannotReadOrWrite, Exit, StopRun, WrongConfiguration
from aggregator.model.place import Place
from aggregator.model.records import Event, Run
from aggregator.model.remote import AnyPath
from aggregator.places.at import place_at
from aggregator.schemas.text import Text

HEAD = "ledger.head"


@dataclass(frozen=True)
class Head:
    """The last event of a ledger."""

    ledger_id: str
    event_no: int
    hash: str

    def text(self) -> str:
        return json.dumps({"ledger_id": self.ledger_id, "event_no": self.event_no, "hash": self.hash}) + "\n"


@dataclass(frozen=True)
class Older:
    """A head the ledger does not come up to, or that cannot be read; `place`: its file."""

    place: AnyPath
    what: Text
    remedy: Text


class HeadNotWritten(StopRun):
    """What was asked is recorded; only what would show an older ledger is missing, and needs attention."""

    exit_code = Exit.WAITING


def older(ledger: Ledger, out: AnyPath | None) -> Older | None:
    """Whether a head speaks of an event that the ledger does not hold."""
    for place in _places(ledger.place, out, ledger.runs()):
        head = _read(place)
        if isinstance(head, Older):
            return head
        if head is not None and (head.ledger_id != ledger.ledger_id or not ledger.holds_event(Event(head.event_no, head.hash))):
            return _older(ledger.place, place, head)
    return None


def refuse_old(ledger: Ledger, out: AnyPath | None) -> None:
    """Raise WrongConfiguration where the ledger is a copy from before something was recorded, or another one."""
    _refuse(older(ledger, out))


def refuse_lost(ledger: Place, out: AnyPath | None) -> None:
    """As `refuse_old`, where there is no ledger at all and one would be made."""
    for place in _places(ledger, out, ()):
        head = _read(place)
        _refuse(_older(ledger, place, head) if isinstance(head, Head) else head)


def settle_heads(ledger: Ledger, out: AnyPath | None) -> None:
    """Before a command writes: refuse an old ledger, and let heads follow that a crash has left behind."""
    refuse_old(ledger, out)
    try:
        leave_head(ledger, out)
    except HeadNotWritten as stop:
        raise CannotReadOrWrite(
            stop.text.en.replace(_RECORDED.en, "Nothing was done:"), stop.text.zh.replace(_RECORDED.zh, "未执行任何操作：")
        ) from None


def leave_head(ledger: Ledger, out: AnyPath | None) -> None:
    """Once something was recorded: let the heads follow. Needs the lock. `out` blank: only beside the ledger."""
    head = Head(ledger.ledger_id, *ledger.last_event())
    for place in _written(ledger.place, out, ledger.runs()):
        if not (isinstance(place, Path) and not place.parent.is_dir()) and _read(place) != head:
            _write(place, head)


def _outs(recorded: Iterable[Run], out: AnyPath | None) -> set[AnyPath]:
    """Every folder of results the ledger knows."""
    return {run.folder.parent.parent for run in recorded if run.folder is not None} | ({out.resolve()} if out is not None else set())


def _beside(ledger: Place) -> Path | None:
    """A database has no folder of its own."""
    return ledger.resolve().with_name(f"{ledger.name}.head") if isinstance(ledger, Path) else None


def _places(ledger: Place, out: AnyPath | None, recorded: Iterable[Run]) -> Iterator[AnyPath]:
    """Where heads are looked for: also in folders of results that this command does not write to."""
    yield from (folder / HEAD for folder in sorted(_outs(recorded, out), key=str))
    if (beside := _beside(ledger)) is not None:
        yield beside


def _written(ledger: Place, out: AnyPath | None, recorded: Iterable[Run]) -> list[AnyPath]:
    """Where they are left. A copy of a ledger, tried out elsewhere, is not to leave its head where the ledger's own results are."""
    beside = _beside(ledger)
    if beside is not None and beside.parent in _outs(recorded, out):
        beside = beside.parent / HEAD
    return sorted({each for each in (beside, out.resolve() / HEAD if out is not None else None) if each is not None}, key=str)


def _read(place: AnyPath) -> Head | Older | None:
    try:
        found: dict[str, Any] = json.loads(place_at(place).read(place))
        return Head(str(found["ledger_id"]), int(found["event_no"]), str(found["hash"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotReadOrWrite(
            f"{place} cannot be read: {error.strerror}. Nothing was done. Check rights, and that its disk is there.",
            f"无法读取 {place}：{error.strerror}。未执行任何操作。请检查权限以及磁盘是否可用。",
        ) from None
    except (ValueError, TypeError, LookupError):
        return Older(
            place,
            Text(f"{place} is damaged: how far the ledger had come is unknown", f"{place} 已损坏，无法得知台账登记到何处"),
            Text(
                "If the ledger is the newest there is, remove that file: the next command that writes makes it anew.",
                "若台账确为最新，请删除该文件：下次写入台账时会重新生成。",
            ),
        )


def _write(place: AnyPath, head: Head) -> None:
    try:
        place_at(place).write(place, head.text().encode())
    except OSError as error:
        raise HeadNotWritten(
            f"{_RECORDED.en} {place} cannot be written ({error.strerror}). Without it an older ledger put back would go unnoticed. "
            "Check rights and disk space, then run 'aggregator ledger check': it writes the file.",
            f"{_RECORDED.zh}{place} 无法写入（{error.strerror}）。缺少该文件将无法发现误恢复的旧台账。"
            "请检查权限和磁盘空间，然后运行 aggregator ledger check 补写该文件。",
        ) from None


_RECORDED = Text("All is recorded in the ledger, but", "已在台账中登记，但")


def _older(ledger: Place, place: AnyPath, head: Head) -> Older:
    return Older(
        place,
        Text(
            f"The ledger {ledger} is lost or old: by {place}, ledger {head.ledger_id[:8]} had come to its event {head.event_no}, which is not "
            "in this one, and what was recorded since could be declared again",
            f"台账 {ledger} 已丢失或是旧的：据 {place}，台账 {head.ledger_id[:8]} 已登记到第 {head.event_no} 条记录，当前台账中没有该记录，"
            "其后登记的内容可能被重复申报",
        ),
        Text(
            "Restore the newest backup, or name the right ledger with --ledger. If the newest is lost for good, move that file "
            "away, and before the next run enter again what was recorded since: 'aggregator ledger import', 'receive', "
            "'ledger answer', 'ledger void', 'ledger dismiss'.",
            "请恢复最新备份，或用 --ledger 指定正确的台账。若最新台账确已丢失，请移走该文件，并在下次运行前重新登记其后的内容："
            "aggregator ledger import、receive、ledger answer、ledger void、ledger dismiss。",
        ),
    )


def _refuse(found: Older | None) -> None:
    if found is not None:
        raise WrongConfiguration(
            f"{found.what.en}. Nothing was done. {found.remedy.en}", f"{found.what.zh}。未执行任何操作。{found.remedy.zh}"
        )
