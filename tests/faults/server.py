"""Disturb the commands of the ledger at every step they take towards the disk, and give them again.

    LD_PRELOAD=shim.so python -m tests.faults.server shim.so --scenario NAME … --points N

Everything is imported once; each trial is a fork. Out: a JSON line a scenario, and one a trial with what is wrong, if anything.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import aggregator.jobs.ledger
import aggregator.jobs.receive
import aggregator.jobs.run
import aggregator.pipeline.preload
import aggregator.reports.summary  # noqa: F401 - all of them to have them imported and warm
from aggregator.cli import cli
from aggregator.jobs.ledger_check import check_ledger
from aggregator.model.errors import StopRun
from tests.conftest import NOW
from tests.faults.scenarios import SCENARIOS, Scenario, contents

COUNT, KILL, TORN, FAIL, FULL = 1, 2, 3, 4, 5
MODES: dict[str, tuple[int, int]] = {
    "kill": (KILL, 0), "torn": (TORN, 0), "ENOSPC": (FULL, errno.ENOSPC), "EIO": (FAIL, errno.EIO), "EACCES": (FAIL, errno.EACCES),
}  # fmt: skip
ENDS = {0, 3, 73, 74}
OUR_FAULT = ("Traceback", "Internal error")


class Trials:
    def __init__(self, room: Path, shim: Path, scenario: Scenario) -> None:
        self.room, self.scenario = room, scenario
        self.shim = ctypes.CDLL(str(shim))
        self.shim.fault_disarm.restype = ctypes.c_long
        self.template, self.live = room / "template", room / "live"
        self.template.mkdir()
        if scenario.files:
            scenario.files(self.template)
        self._at(self.template)
        for command in scenario.before:
            self._must(self.give(command))
        self._at(self.template)
        result = self.give(scenario.command, mode=COUNT)
        self._must(result)
        self.steps = result["steps"]
        self.give(scenario.command)
        self.expected = self.state()

    def _at(self, template: Path) -> None:
        """Folders have the same name in every trial: manifests and exports hold paths."""
        if self.live.exists() and not self.scenario.before:
            shutil.rmtree(self.live)
        if self.live.exists():
            if (self.room / "prepared").exists():
                shutil.rmtree(self.live)
            else:
                self.live.rename(self.room / "prepared")
        prepared = self.room / "prepared"
        shutil.copytree(prepared if prepared.exists() else template, self.live)

    @staticmethod
    def _must(result: dict[str, Any]) -> None:
        if result["code"] not in ENDS:
            raise SystemExit(f"undisturbed: {result}")

    def give(self, command: tuple[str, ...], mode: int = 0, step: int = 0, error: int = 0) -> dict[str, Any]:
        """Give a command in a fork; how it ended, what it said, how many steps it took."""
        said = self.room / "said"
        child = os.fork()
        if child == 0:
            self._be_the_command(command, said, mode, step, error)
        _, status = os.waitpid(child, 0)
        text = said.read_text(encoding="utf-8", errors="replace")
        facts = self.room / "facts.json"
        more = json.loads(facts.read_text()) if facts.exists() else {}
        facts.unlink(missing_ok=True)
        return {"code": os.waitstatus_to_exitcode(status), "said": text, **more}

    def _be_the_command(self, command: tuple[str, ...], said: Path, mode: int, step: int, error: int) -> None:
        sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        for name in ("answers", "runs", "ledger"):
            sys.modules[f"aggregator.cli.{name}"].now = lambda: NOW  # type: ignore[attr-defined]
        uuid.uuid4 = lambda: uuid.UUID(int=9610)  # type: ignore[assignment]
        code = 70
        self.shim.fault_arm(str(self.live).encode(), ctypes.c_long(step), mode, error)
        try:
            cli([part.format(self.live) for part in command], prog_name="aggregator", standalone_mode=False)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException as failed:
            print(f"Traceback: {failed!r}")
            code = 1
        sys.stdout.flush()
        facts = {"steps": self.shim.fault_disarm(), "struck": self.shim.fault_struck()}
        (self.room / "facts.json").write_text(json.dumps(facts))
        os._exit(code)

    def state(self) -> dict[str, Any]:
        """Everything that is on the disk: files by content, ledgers by rows."""
        found: dict[str, Any] = {}
        for path in sorted(self.live.rglob("*")):
            name = path.relative_to(self.live).as_posix()
            if path.name.endswith(".lock"):
                continue
            if path.is_dir():
                found[name] = "folder"
            elif ".sqlite" in path.name and not path.name.endswith(("-journal", ".head", ".part")):
                found[name] = contents(path)
            else:
                found[name] = path.read_bytes()
        return found

    def trial(self, how: str, step: int) -> dict[str, Any]:
        self._at(self.template)
        mode, error = MODES[how]
        first = self.give(self.scenario.command, mode, step, error)
        problems = self._judge_disturbed(how, first)
        second = self.give(self.scenario.command)
        if second["code"] not in (0, 3) and not (self.scenario.may_refuse and self.scenario.may_refuse in second["said"]):
            problems.append(f"given again it ended with {second['code']}: {second['said'][-300:]}")
        self.give(self.scenario.command)
        after = self.state()
        problems += [f"differs from undisturbed: {name}" for name in sorted(set(after) | set(self.expected)) if after.get(name) != self.expected.get(name)]
        problems += self._check()
        problems += self._put_older_back()
        return {"scenario": self.scenario.name, "how": how, "step": step, "code": first["code"], "struck": first.get("struck", 1), "problems": problems}

    def _put_older_back(self) -> list[str]:
        """The ledger of before, put back now, must be found out."""
        ledger, before = self.live / self.scenario.ledger, self.room / "prepared" / self.scenario.ledger
        if not before.exists() or contents(before) == contents(ledger):
            return []
        shutil.copyfile(before, ledger)
        found = self._check()
        return [] if any("lost or old" in each for each in found) else [f"an older ledger goes unnoticed: {found}"]

    def _check(self) -> list[str]:
        ledger = self.live / self.scenario.ledger
        child = os.fork()
        said = self.room / "said"
        if child == 0:
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            try:
                found = check_ledger(ledger, self.live / "out", 0).problems
            except StopRun as stop:
                print(json.dumps([stop.text.en]), flush=True)
                os._exit(0)
            # The version 1 ledger of the scenario speaks of runs that never had folders.
            print(json.dumps([f"{each.subject}: {each.what.en}" for each in found if "gone" not in each.what.en or self.scenario.before]))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        return list(json.loads(said.read_text() or '["check failed"]'))

    @staticmethod
    def _judge_disturbed(how: str, first: dict[str, Any]) -> list[str]:
        if how in ("kill", "torn"):
            return [] if first["code"] in (-signal.SIGKILL, 0, 3) else [f"ended with {first['code']}: {first['said'][-300:]}"]
        problems = []
        if first["code"] not in ENDS:
            problems.append(f"ended with {first['code']}: {first['said'][-300:]}")
        if any(mark in first["said"] for mark in OUR_FAULT):
            problems.append(f"said: {first['said'][-300:]}")
        if first["code"] in (73, 74) and len(first["said"]) < 20:
            problems.append("said nothing")
        return problems


def plan(steps: int, points: int, seed: int) -> list[tuple[str, int]]:
    """Every step killed, every step failed with one of the errors, every fourth torn; or a sample of these, half of it from
    the last quarter of the steps, where things are recorded and renamed."""
    errors = [how for how, (mode, _) in MODES.items() if mode in (FAIL, FULL)]
    whole = [("kill", step) for step in range(1, steps + 1)]
    whole += [(errors[step % len(errors)], step) for step in range(1, steps + 1)]
    whole += [("torn", step) for step in range(1, steps + 1, 4)]
    if not points or points >= len(whole):
        return whole
    draw = random.Random(seed)
    late = [each for each in whole if each[1] > steps * 3 // 4]
    drawn = draw.sample(late, min(points // 2, len(late)))
    return drawn + draw.sample(whole, points - len(drawn))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shim", type=Path)
    parser.add_argument("--scenario", action="append", required=True)
    parser.add_argument("--points", type=int, default=0, help="trials a scenario; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for scenario in (each for each in SCENARIOS if each.name in options.scenario):
        with tempfile.TemporaryDirectory() as room:
            trials = Trials(Path(room).resolve(), options.shim, scenario)
            todo = plan(trials.steps, options.points, options.seed)
            print(json.dumps({"scenario": scenario.name, "steps": trials.steps, "trials": len(todo)}), flush=True)
            for how, step in todo:
                print(json.dumps(trials.trial(how, step), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
