"""What was asked of the commands: each upload is a piece of work in a folder of its own, checked first and run when the user says so.

The commands run in a process of their own, one at a time, exactly as from a terminal; their exit code and their JSON are what is shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from aggregator.model.disk import write_file
from aggregator.schemas.text import Lang

Step = Literal["check", "run"]
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
_MOST_SAID = 20_000
_PATIENCE_SECONDS = 20.0
UNDER_WAY = "under way"
ENDED = "ended"


@dataclass
class Stepped:
    """How a step stands. `said`: what the command wrote for people; `result`: its JSON."""

    state: str = UNDER_WAY
    code: int | None = None
    said: str = ""
    result: dict[str, Any] | None = None


@dataclass
class Work:
    id: str
    at: str
    exports: list[str]
    receipts: list[str]
    period: str
    mode: str
    assume_cleared: bool = False
    steps: dict[str, Stepped] = field(default_factory=dict)

    @property
    def under_way(self) -> str:
        return next((name for name, step in self.steps.items() if step.state == UNDER_WAY), "")


class Busy(Exception):  # noqa: N818 - nothing is wrong
    """A step of another work is under way."""


@dataclass(frozen=True)
class Asked:
    """What every command gets besides its inputs: as the server was started."""

    config: Path | None
    out: Path
    ledger: str | None
    folder: Path


class Works:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.current: tuple[str, str] | None = None

    # ------------------------------------------------------------------------------------------------------------ works

    def new_folder(self, at: datetime) -> tuple[str, Path]:
        name = f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        return name, self.asked.folder / name

    def keep(self, work: Work) -> None:
        write_file(self.asked.folder / work.id / "work.json", json.dumps(asdict(work), ensure_ascii=False).encode())

    def find(self, name: str) -> Work | None:
        if not _ID.fullmatch(name):
            return None
        try:
            kept = json.loads((self.asked.folder / name / "work.json").read_bytes())
            work = Work(**{**kept, "steps": {step: Stepped(**facts) for step, facts in kept["steps"].items()}})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        for step in work.steps.values() if self.current is None or self.current[0] != name else ():
            # The server ended before the command did.
            step.state = ENDED
        return work

    def latest(self, most: int) -> list[Work]:
        with suppress(OSError):
            names = sorted((entry.name for entry in os.scandir(self.asked.folder) if _ID.fullmatch(entry.name)), reverse=True)
            return [work for name in names[:most] if (work := self.find(name)) is not None]
        return []

    def folder_of(self, work: Work) -> Path:
        return self.asked.folder / work.id

    # ------------------------------------------------------------------------------------------------------------ steps

    def start(self, work: Work, step: Step, lang: Lang) -> None:
        """Raises Busy while another is under way."""
        if self.current is not None:
            raise Busy
        self.current = (work.id, step)
        work.steps[step] = Stepped()
        try:
            self.keep(work)
        except OSError:
            self.current = None
            raise
        self._task = asyncio.get_running_loop().create_task(self._step(work, step, lang))

    async def _step(self, work: Work, step: Step, lang: Lang) -> None:
        done = Stepped(ENDED, 70)
        try:
            code, out, said = await self.command(self._arguments(work, step), lang)
            # Whoever dropped a file knows it by its name.
            for place in ("exports", "receipts"):
                said = said.replace(f"{self.folder_of(work).resolve() / place}{os.sep}", "")
            done = Stepped(ENDED, code, said[-_MOST_SAID:], _object(out))
        except OSError as error:
            done.said = str(error)
        finally:
            work.steps[step] = done
            self.current = None
            with suppress(OSError):
                self.keep(work)

    def _arguments(self, work: Work, step: Step) -> list[str]:
        folder = self.folder_of(work).resolve()
        inputs = [str(folder / "exports" / name) for name in work.exports]
        receipts = [part for name in work.receipts for part in ("--receipts", str(folder / "receipts" / name))]
        common = [*receipts, "--mode", work.mode, "--period", work.period, *self._config(), "--json"]
        if step == "check":
            return ["check", *common, "--findings", str(folder / "findings.csv"), "--", *inputs]
        cleared = ["--assume-cleared"] if work.assume_cleared else []
        return ["run", *common, *cleared, *self._places(), "--", *inputs]

    def _config(self) -> list[str]:
        return ["--config", str(self.asked.config)] if self.asked.config is not None else []

    def _places(self) -> list[str]:
        return ["--out", str(self.asked.out), *(["--ledger", self.asked.ledger] if self.asked.ledger else [])]

    async def status(self, lang: Lang) -> dict[str, Any]:
        code, out, said = await self.command(["status", *self._config(), *self._places(), "--json"], lang, alone=False)
        return {"exit_code": code, "said": said} | (_object(out) or {})

    async def command(self, arguments: Sequence[str], lang: Lang, *, alone: bool = True) -> tuple[int, bytes, str]:
        """Its exit code, what it gave a program, and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "aggregator", arguments[0], "--lang", lang, *arguments[1:],
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._process = process if alone else self._process
        try:
            out, said = await process.communicate()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
        return process.returncode or 0, out, said.decode("utf-8", "replace")

    async def end(self) -> None:
        """The server ends: so does what is under way, as by Ctrl-C; nothing of it is published by halves."""
        if self._task is not None and not self._task.done():
            if self._process is not None and self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGTERM)
            with suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, _PATIENCE_SECONDS)


def _object(out: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(out)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
