"""Publish a run folder: stage it, make it outlast a crash, record it in the ledger, give it its name. And complete what a crash left.

Hidden folders carry the first letters of the ledger's id: what another ledger left is not ours to remove.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import CannotReadOrWrite, StopRun, WrongConfiguration
from aggregator.model.records import Run
from aggregator.model.remote import AnyPath
from aggregator.model.signals import answered_by
from aggregator.places.at import place_at
from aggregator.places.place import Place
from aggregator.schemas.text import Text

_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}")
_RUN = re.compile(r"([0-9]{6}-[0-9]{2,})(\.void)?")
_STAGE, _WORK = ".stage-", ".work-"
VOID_SUFFIX = ".void"


def mark_of(ledger: Ledger) -> str:
    """What the hidden folders of this ledger's runs are marked with."""
    return ledger.ledger_id[:8]


def hidden_folder(target: AnyPath, mark: str) -> AnyPath:
    """Where a run folder waits until it is published."""
    return target.with_name(f"{_STAGE}{mark}-{target.name}")


def void_folder(target: AnyPath) -> AnyPath:
    """What the folder of a voided run is called."""
    return target.with_name(f"{target.name}{VOID_SUFFIX}")


def work_prefix(mark: str) -> str:
    return f"{_WORK}{mark}-"


def run_folders(out: AnyPath) -> dict[AnyPath, str]:
    """Published run folders, voided ones too, and the SHA-256 of the manifest of each."""
    place = place_at(out)
    return place.manifests(run for period in _periods(out) for run in place.folders(period) if _RUN.fullmatch(run.name))


def _periods(out: AnyPath) -> list[AnyPath]:
    return [folder for folder in place_at(out).folders(out) if _PERIOD.fullmatch(folder.name)]


def _hidden_in(out: AnyPath) -> list[AnyPath]:
    return [folder for period in _periods(out) for folder in place_at(out).folders(period) if folder.name.startswith(_STAGE)]


def standing(folders: Iterable[AnyPath]) -> set[AnyPath]:
    """Those that are there, wherever they are."""
    by_place = dict[Place, list[AnyPath]]()
    for folder in folders:
        by_place.setdefault(place_at(folder), []).append(folder)
    return set().union(*(place.there(some) for place, some in by_place.items()))


def unfinished(recorded: Iterable[Run], mark: str) -> list[tuple[AnyPath, AnyPath]]:
    """Publications that a crash has left to be done: from, to."""
    wanted = list[tuple[AnyPath, AnyPath]]()
    for run in recorded:
        if run.folder is not None:
            target = run.folder if run.live else void_folder(run.folder)
            wanted += [(source, target) for source in (hidden_folder(run.folder, mark), run.folder) if source != target]
    sources = standing(source for source, _ in wanted)
    pending = dict[AnyPath, tuple[AnyPath, AnyPath]]()
    for source, target in wanted:
        if source in sources and not place_at(target).is_published(source, target):
            pending.setdefault(target, (source, target))
    return list(pending.values())


def finish(ledger: Ledger) -> list[AnyPath]:
    """Give the folders of recorded runs the names they are recorded under; the folders that had another. Needs the lock."""
    pending = unfinished(ledger.runs(), mark_of(ledger))
    for source, target in pending:
        publish(source, target)
    return [target for _, target in pending]


def tidy(ledger: Ledger, out: AnyPath) -> None:
    """Remove what runs of this ledger have left in `out` and never recorded. Needs the lock, and all finished."""
    mark, place = mark_of(ledger), place_at(out)
    begins = f"{_STAGE}{mark}-"
    for hidden in _hidden_in(out):
        if hidden.name.startswith(begins):
            place.remove(hidden, hidden.with_name(hidden.name.removeprefix(begins)))
    place.left(out, work_prefix(mark))


def refuse_unknown(out: AnyPath, recorded: Iterable[Run], mark: str) -> None:
    """Raise WrongConfiguration where `out` holds a run folder that is not as the ledger has it: the ledger is lost or old,
    and what was declared there would be declared again."""
    known = {run.run_ref: run for run in recorded}
    unknown = [folder for folder, manifest in run_folders(out).items() if not _is_known(folder, manifest, known)]
    unknown += [hidden for hidden in _hidden_in(out) if not hidden.name.startswith(f"{_STAGE}{mark}-")]
    if unknown:
        names = ", ".join(str(folder) for folder in unknown[:5])
        raise WrongConfiguration(
            f"The ledger does not know the run folder {names} as it stands: the ledger is lost or old, or the folder was changed, "
            "and what was declared there could be declared again. Nothing was done. Restore the ledger from a backup, or name "
            "the right one with --ledger; 'aggregator ledger check' says more.",
            f"台账与批次文件夹 {names} 不符：台账已丢失或是旧的，或文件夹被改动，其中已申报的清单可能被重复申报。未执行任何操作。"
            "请从备份恢复台账，或用 --ledger 指定正确的台账；aggregator ledger check 可查看详情。",
        )


def _is_known(folder: AnyPath, manifest: str, known: dict[str, Run]) -> bool:
    run_ref, void = folder.name.removesuffix(VOID_SUFFIX), folder.name.endswith(VOID_SUFFIX)
    run = known.get(run_ref)
    return run is not None and run.live != void and manifest == run.manifest_sha256


def publish(source: AnyPath, target: AnyPath) -> None:
    """Give the files of a recorded run (or of a voided one) their name."""
    try:
        place_at(target).publish(source, target)
    except (OSError, StopRun) as error:
        why = Text(error.strerror or str(error), error.strerror or str(error)) if isinstance(error, OSError) else error.text
        raise CannotReadOrWrite(
            f"It is recorded in the ledger, but {source} cannot become {target}: {why.en.rstrip('.')}. Correct that and run "
            "again, or run 'aggregator ledger check': either finishes it.",
            f"已在台账中登记，但无法将 {source} 发布为 {target}：{why.zh.rstrip('。')}。请排除故障后重新运行，或运行 aggregator ledger check，均会自动完成。",
        ) from None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Between recording and renaming it is too late to interrupt: what was said to be declared has to be published."""
    with answered_by(signal.SIG_IGN):
        yield
