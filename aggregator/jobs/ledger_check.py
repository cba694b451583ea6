"""`aggregator ledger check`: the ledger against itself and against the published run folders, file by file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from aggregator.jobs.heads import HeadNotWritten, leave_head, older
from aggregator.jobs.publish import VOID_SUFFIX, finish, run_folders, standing, tidy, void_folder
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import NoLedger
from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import CannotCreate
from aggregator.model.names import told
from aggregator.model.place import Place
from aggregator.model.records import Run
from aggregator.model.remote import AnyPath, below
from aggregator.places.at import place_at
from aggregator.places.place import MANIFEST
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Problem:
    """`subject`: the ledger, a run, a folder or a file."""

    subject: str
    what: Text
    remedy: Text


@dataclass
class Checked:
    """What was looked at, and what is not as it was recorded. `old`: the ledger is a copy from before something was recorded."""

    ledger: Place
    events: int = 0
    runs: int = 0
    inventories: int = 0
    files: int = 0
    old: bool = False
    finished: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


_RESTORE_LEDGER = Text("Restore the ledger from a backup.", "请从备份恢复台账。")
_RESTORE_FILE = Text("Restore it from a backup: what was sent must not differ from what is kept.", "请从备份恢复：留存的内容必须与已报送的一致。")


def check_ledger(place: Place, out: AnyPath | None, lock_wait: float) -> Checked:
    """`out`: where run folders are, besides those the ledger speaks of; there nothing may lie that it does not know."""
    at = ledger_at(place)
    if not at.exists():
        raise NoLedger(place)
    with ExitStack() as stack:
        writable = True
        try:
            stack.enter_context(at.locked(lock_wait))
        except CannotCreate:
            # On a disk that cannot be written there is nothing to finish, and nobody else who writes.
            writable = False
        ledger = stack.enter_context(at.opened())
        result = Checked(place)
        problems = ledger.altered()
        result.problems += [Problem(str(place), what, _RESTORE_LEDGER) for what in problems]
        if problems:
            # What is not believed is not acted upon, and says nothing of the folders.
            return result
        old = older(ledger, out)
        if old is not None:
            result.old = True
            result.problems.append(Problem(str(old.place), old.what, old.remedy))
        elif writable:
            result.problems += _problem_of_head(ledger, out)
            result.finished = [str(target) for target in finish(ledger)]
            if out is not None:
                tidy(ledger, out)
        result.events, result.inventories = ledger.size()
        recorded = ledger.runs()
        result.runs = len(recorded)
        for run in recorded:
            result.problems += _folder_problems(run, result)
        result.problems += _unknown_folders(recorded, out)
        return result


def _problem_of_head(ledger: Ledger, out: AnyPath | None) -> Iterator[Problem]:
    """Lets the head follow the ledger."""
    try:
        leave_head(ledger, out)
    except HeadNotWritten as waits:
        yield Problem(str(ledger.place), Text(waits.text.en.rstrip("."), waits.text.zh.rstrip("。")), Text("", ""))


def _folder_problems(run: Run, result: Checked) -> Iterator[Problem]:
    if run.folder is None:
        return
    void = void_folder(run.folder)
    folder, other = (run.folder, void) if run.live else (void, run.folder)
    there = standing([folder, other])
    if folder not in there:
        if other in there:
            yield Problem(str(other), Text(f"the run is {run.state}, its folder is called otherwise", f"批次状态为 {run.state}，文件夹名称不符"),
                          Text(f"Rename it to {folder}.", f"请重命名为 {folder}。"))  # fmt: skip
        elif run.live:
            yield Problem(str(folder), Text("the folder of a published run is gone", "已发布批次的文件夹不存在"), _RESTORE_FILE)
        return
    place, manifest = place_at(folder), folder / MANIFEST
    if place.manifests([folder]).get(folder) != run.manifest_sha256:
        yield Problem(str(manifest), Text("the manifest is not the one recorded", "清单文件（manifest）与登记时不符"), _RESTORE_FILE)
        return
    with place.local(manifest) as file:
        outputs = json.loads(file.read_text(encoding="utf-8"))["outputs"]
    found = {told(name) for name in place.files(folder)} - {MANIFEST}
    for name in sorted(set(outputs) | found):
        path = below(folder, name)
        result.files += 1
        if name not in found:
            yield Problem(str(path), Text("the file was removed", "文件已被删除"), _RESTORE_FILE)
        elif name not in outputs:
            yield Problem(str(path), Text("the file was added by hand", "文件系手工添加"), Text("Move it elsewhere.", "请移至别处。"))
        elif not place.is_file(path) or place.sha256(path) != outputs[name]["sha256"]:
            yield Problem(str(path), Text("the file was changed", "文件已被改动"), _RESTORE_FILE)


def _unknown_folders(recorded: list[Run], out: AnyPath | None) -> Iterator[Problem]:
    """Run folders nobody recorded, where the ledger's runs lie and in `out`."""
    known = {run.run_ref for run in recorded}
    places = {run.folder.parent.parent for run in recorded if run.folder is not None} | ({out} if out is not None else set())
    for place in sorted(places, key=str):
        for folder in run_folders(place):
            if folder.name.removesuffix(VOID_SUFFIX) not in known:
                yield Problem(
                    str(folder),
                    Text("the ledger does not know this run", "台账中没有此批次"),
                    Text(
                        "If it was published by this tool, the ledger is old: restore it from a backup. If it was put there by hand, move it elsewhere.",
                        "若由本工具发布，则台账是旧的：请从备份恢复；若系手工放入，请移至别处。",
                    ),
                )
