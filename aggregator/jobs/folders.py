"""Whether the ledger and the run folders still belong together, for commands that only look."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aggregator.jobs.heads import refuse_lost, refuse_old
from aggregator.jobs.publish import mark_of, refuse_unknown, standing, unfinished
from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import StopRun
from aggregator.model.place import Place
from aggregator.model.records import Run
from aggregator.model.remote import AnyPath
from aggregator.schemas.text import Text

_SHOWN = 5


def troubles(place: Place, ledger: Ledger | None, out: AnyPath | None) -> list[Text]:
    """What somebody has to see to: the ledger is lost, old or another one; a run folder is gone, moved, renamed or not as recorded.

    `ledger` is None where there is none at `place`."""
    recorded, mark = ([], "") if ledger is None else (ledger.runs(), mark_of(ledger))
    looks: list[Callable[[], list[Text] | None]] = [lambda: refuse_lost(place, out) if ledger is None else refuse_old(ledger, out)]
    if out is not None:
        results = out.resolve()
        looks.append(lambda: refuse_unknown(results, recorded, mark))
    looks.append(lambda: gone(recorded, mark))
    return list(dict.fromkeys(text for look in looks for text in _said_by(look)))


def _said_by(look: Callable[[], list[Text] | None]) -> list[Text]:
    try:
        return look() or []
    except StopRun as stop:
        return [stop.text]
    except OSError as error:
        return [unreadable(error)]


def unreadable(error: OSError) -> Text:
    return Text(f"{error.filename}: cannot be read: {error.strerror}.", f"{error.filename}：无法读取：{error.strerror}。")


def gone(recorded: Iterable[Run], mark: str) -> list[Text]:
    """Folders of published runs that are not where they are recorded, as one sentence."""
    runs = list(recorded)
    pending = {target for _, target in unfinished(runs, mark)}
    wanted = [run.folder for run in runs if run.live and run.folder is not None and run.folder not in pending]
    there = standing(wanted)
    missing = [folder for folder in wanted if folder not in there]
    if not missing:
        return []
    listed = ", ".join(map(str, missing[:_SHOWN])) + (" …" if len(missing) > _SHOWN else "")
    return [Text(
        f"The folder of a published run is not there: {listed}. Put it back, or restore it from a backup: what was sent must stay.",
        f"已发布批次的文件夹不存在：{listed}。请放回原处或从备份恢复：已报送的内容必须留存。",
    )]  # fmt: skip
