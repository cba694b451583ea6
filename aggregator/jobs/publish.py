"""Publish a run folder: stage beside the target, fsync, record in the ledger, rename. And complete what a crash left.

Hidden folders carry the first letters of the ledger's id: what another ledger left is not ours to remove.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.inputs.sources.unchanged import sha256_of
from aggregator.ledger.ledger import Ledger
from aggregator.model.disk import sync
from aggregator.model.errors import CannotCreate, CannotReadOrWrite, WrongConfiguration
from aggregator.model.records import Run
from aggregator.model.signals import answered_by
from aggregator.outputs.manifest import MANIFEST

_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}")
_RUN = re.compile(r"([0-9]{6}-[0-9]{2,})(\.void)?")
_STAGE, _WORK = ".stage-", ".work-"
VOID_SUFFIX = ".void"


def make_folder(path: Path, *, new: bool = False) -> None:
    """`new`: what is there already is not ours."""
    try:
        path.mkdir(parents=True, exist_ok=not new)
    except OSError as error:
        raise CannotCreate(
            f"The folder {path} cannot be made: {error.strerror}. Check the path, rights and disk space.",
            f"无法创建文件夹 {path}：{error.strerror}。请检查路径、权限和磁盘空间。",
        ) from None


def mark_of(ledger: Ledger) -> str:
    """What the hidden folders of this ledger's runs are marked with."""
    return ledger.ledger_id[:8]


def stage_folder(target: Path, mark: str) -> Path:
    """Where the files of a run folder are made."""
    return target.with_name(f"{_STAGE}{mark}-{target.name}")


def void_folder(target: Path) -> Path:
    """What the folder of a voided run is called."""
    return target.with_name(f"{target.name}{VOID_SUFFIX}")


def work_prefix(mark: str) -> str:
    return f"{_WORK}{mark}-"


def run_folders(out: Path) -> list[Path]:
    """Published run folders, voided ones too."""
    return sorted(run for period in _periods(out) for run in period.iterdir() if _RUN.fullmatch(run.name) and run.is_dir())


def _periods(out: Path) -> list[Path]:
    return sorted(folder for folder in out.iterdir() if _PERIOD.fullmatch(folder.name) and folder.is_dir()) if out.is_dir() else []


def unfinished(recorded: Iterable[Run], mark: str) -> list[tuple[Path, Path]]:
    """Renames that a crash has left to be done: from, to."""
    pending = []
    for run in recorded:
        if run.folder is None:
            continue
        stage, void = stage_folder(run.folder, mark), void_folder(run.folder)
        target = run.folder if run.live else void
        if target.exists():
            continue
        for source in (stage, run.folder):
            if source != target and source.is_dir():
                pending.append((source, target))
                break
    return pending


def finish(ledger: Ledger) -> list[Path]:
    """Give the folders of recorded runs the names they are recorded under; the folders that had another. Needs the lock."""
    pending = unfinished(ledger.runs(), mark_of(ledger))
    for source, target in pending:
        publish(source, target)
    return [target for _, target in pending]


def tidy(ledger: Ledger, out: Path) -> None:
    """Remove what runs of this ledger have left in `out` and never recorded. Needs the lock, and all finished."""
    mark = mark_of(ledger)
    for period in _periods(out):
        for stage in period.glob(f"{_STAGE}{mark}-*"):
            remove(stage)
    for left in out.glob(f"{work_prefix(mark)}*"):
        remove(left)


def remove(folder: Path) -> None:
    """Remove a hidden folder, and the period's folder if nothing else was in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if _PERIOD.fullmatch(folder.parent.name) and folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def refuse_unknown(out: Path, recorded: Iterable[Run], mark: str) -> None:
    """Raise WrongConfiguration where `out` holds a run folder that is not as the ledger has it: the ledger is lost or old,
    and what was declared there would be declared again."""
    known = {run.run_ref: run for run in recorded}
    unknown = [folder for folder in run_folders(out) if not _is_known(folder, known)]
    unknown += [stage for period in _periods(out) for stage in period.glob(f"{_STAGE}*") if not stage.name.startswith(f"{_STAGE}{mark}-")]
    if unknown:
        names = ", ".join(str(folder) for folder in unknown[:5])
        raise WrongConfiguration(
            f"The ledger does not know the run folder {names} as it stands: the ledger is lost or old, or the folder was changed, "
            "and what was declared there could be declared again. Nothing was done. Restore the ledger from a backup, or name "
            "the right one with --ledger; 'aggregator ledger check' says more.",
            f"台账与批次文件夹 {names} 不符：台账已丢失或是旧的，或文件夹被改动，其中已申报的清单可能被重复申报。未执行任何操作。"
            "请从备份恢复台账，或用 --ledger 指定正确的台账；aggregator ledger check 可查看详情。",
        )


def _is_known(folder: Path, known: dict[str, Run]) -> bool:
    run_ref, void = folder.name.removesuffix(VOID_SUFFIX), folder.name.endswith(VOID_SUFFIX)
    run, manifest = known.get(run_ref), folder / MANIFEST
    return run is not None and run.live != void and manifest.is_file() and sha256_of(manifest) == run.manifest_sha256


def sync_files(folder: Path) -> None:
    """Flush every file and folder below to the disk, and the names that lead to it."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    for path in (folder, folder.parent, folder.parent.parent):
        sync(path)


def publish(source: Path, target: Path) -> None:
    """Give the files of a recorded run (or of a voided one) their name."""
    try:
        source.rename(target)
        sync(target.parent)
    except OSError as error:
        raise CannotReadOrWrite(
            f"It is recorded in the ledger, but {source} cannot be renamed to {target}: {error.strerror}. Correct that and run "
            "again, or run 'aggregator ledger check': either finishes it.",
            f"已在台账中登记，但无法将 {source} 重命名为 {target}：{error.strerror}。请排除故障后重新运行，或运行 aggregator ledger check，均会自动完成。",
        ) from None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Between recording and renaming it is too late to interrupt: what was said to be declared has to be published."""
    with answered_by(signal.SIG_IGN):
        yield
