"""Commands on a ledger in PostgreSQL, disturbed at every statement they make, and given again: the results and the ledger must then
be what they are undisturbed. A sample; with POSTGRES_FAULTS=0 every statement."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import aggregator.cli.answers
import aggregator.cli.ledger
import aggregator.cli.runs
import aggregator.jobs.receive
import aggregator.jobs.run
import aggregator.pipeline.preload
import aggregator.reports.summary  # noqa: F401 - all of them to have them imported and warm
from aggregator.cli import cli
from aggregator.jobs.ledger_check import check_ledger
from aggregator.ledger.at import ledger_at
from aggregator.model.place import Database, place_of
from tests.conftest import NOW
from tests.faults.proxy import AFTER, BEFORE, DIES, KILLED, Proxy
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.postgres import PASSWORD, Server, needs_postgres, server
from tests.tries import tries

pytestmark = needs_postgres
DISTURBED = {each.name: each for each in SCENARIOS if each.name in ("first run", "second run", "void", "answer", "import", "receive")}
HOW = (BEFORE, AFTER, KILLED, DIES)
POINTS = int(os.environ.get("POSTGRES_FAULTS", tries(20)))
"""Trials a scenario; 0: all."""


class Trials:
    """`live`: the folder of every trial; manifests hold its path. The ledger has one schema for the trials, and one it is made from."""

    def __init__(self, scenario: Scenario, room: Path, running: Server) -> None:
        self.scenario, self.room, self.live, self.server = scenario, room, room / "live", running
        self.proxy = Proxy(running.port)
        self.schema = f"faults_{os.getpid()}"
        self.url = self._url(self.proxy.port, self.schema)
        self.template, self.place = self._place(f"{self.schema}_template"), self._place(self.schema)
        self.proxy.kill_backends = self._kill_backends
        self._drop(self.template)
        self._drop(self.place)
        self.live.mkdir()
        assert scenario.files is not None
        scenario.files(self.live)
        for command in scenario.before:
            assert self.give(command)[0] in (0, 3)
        shutil.copytree(self.live, room / "prepared")
        if scenario.before:
            self._copy(self.place, self.template)
        self.again()
        self.proxy.arm()
        code, said = self.give(scenario.command)
        assert code in (0, 3), said
        self.statements = self.proxy.said
        self.give(scenario.command)
        self.expected = self.state()

    def _url(self, port: int, schema: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?schema={schema}&sslmode=disable&gssencmode=disable"

    def _place(self, schema: str) -> Database:
        place = place_of(self._url(self.server.port, schema))
        assert isinstance(place, Database)
        return place

    def _drop(self, place: Database) -> None:
        self.server.execute(f"DROP SCHEMA IF EXISTS {place.schema} CASCADE")

    @staticmethod
    def _copy(source: Database, target: Database) -> None:
        with ledger_at(source).opened() as ledger:
            ledger.copy_to(ledger_at(target))

    def _kill_backends(self) -> None:
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'aggregator'"
        self.server.execute(query)

    def again(self) -> None:
        """As it was before the command."""
        shutil.rmtree(self.live)
        shutil.copytree(self.room / "prepared", self.live)
        self._kill_backends()
        self._drop(self.place)
        if self.scenario.before:
            self._copy(self.template, self.place)

    def give(self, command: tuple[str, ...]) -> tuple[int, str]:
        """In a fork: how it ended, and what it said."""
        said = self.room / "said"
        child = os.fork()
        if not child:
            self._be_the_command(command, said)
        self.proxy.kill_client = lambda: os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), said.read_text(encoding="utf-8", errors="replace")

    def _be_the_command(self, command: tuple[str, ...], said: Path) -> None:
        sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        for name in ("answers", "runs", "ledger"):
            sys.modules[f"aggregator.cli.{name}"].now = lambda: NOW  # type: ignore[attr-defined]
        uuid.uuid4 = lambda: uuid.UUID(int=9610)  # type: ignore[assignment]
        code = 70
        try:
            cli([*(part.format(self.live) for part in command), "--ledger", self.url, "--lock-wait", "30"], prog_name="aggregator", standalone_mode=False)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException as failed:
            print(f"Traceback: {failed!r}")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def state(self) -> dict[str, Any]:
        """Files by content, the ledger by rows."""
        found: dict[str, Any] = {}
        for path in sorted(self.live.rglob("*")):
            found[path.relative_to(self.live).as_posix()] = "folder" if path.is_dir() else path.read_bytes()
        with ledger_at(self.place).opened() as ledger:
            for table, several in ledger.all_tables():
                found[table] = [line for rows in several for line in rows.to_pylist()]
        return found

    def trial(self, at: int, how: str) -> list[str]:
        """What is wrong."""
        self.again()
        self.proxy.arm(at, how)
        code, said = self.give(self.scenario.command)
        struck = self.proxy.struck
        self.proxy.arm()
        # What is said at once is not always cut at the same places.
        problems = [] if struck or at > self.statements * 9 // 10 else ["nothing was disturbed"]
        if code not in ((-signal.SIGKILL, 0, 3) if how == DIES else (0, 3, 74)):
            problems.append(f"ended with {code}: {said[-300:]}")
        if any(mark in said for mark in ("Traceback", "Internal error", PASSWORD)) or (code == 74 and len(said) < 20):
            problems.append(f"said: {said[-300:]}")
        code, said = self.give(self.scenario.command)
        if code not in (0, 3) and not (self.scenario.may_refuse and self.scenario.may_refuse in said):
            problems.append(f"given again it ended with {code}: {said[-300:]}")
        self.give(self.scenario.command)
        after = self.state()
        problems += [f"differs from undisturbed: {name}" for name in sorted(set(after) | set(self.expected)) if after.get(name) != self.expected.get(name)]
        problems += [f"{each.subject}: {each.what.en}" for each in check_ledger(self.place, self.live / "out", 0).problems]
        return problems

    def close(self) -> None:
        self.proxy.close()
        with suppress(Exception):
            self._drop(self.place)
            self._drop(self.template)


def plan(statements: int) -> list[tuple[int, str]]:
    """Half of a sample from the last quarter, where things are recorded."""
    whole = [(at, how) for at in range(1, statements + 1) for how in HOW]
    if not POINTS:
        return whole
    draw = random.Random(statements)
    late = [each for each in whole if each[0] > statements * 3 // 4]
    return draw.sample(late, POINTS // 2) + draw.sample(whole, POINTS // 2)


@pytest.fixture(params=DISTURBED)
def trials(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trials]:
    made = Trials(DISTURBED[request.param], tmp_path, server())
    yield made
    made.close()


def test_disturbed_and_given_again_it_is_as_undisturbed(trials: Trials) -> None:
    assert trials.statements > 20
    found = {f"{at} {how}": trials.trial(at, how) for at, how in plan(trials.statements)}
    assert {point: problems for point, problems in found.items() if problems} == {}
    print(json.dumps({"scenario": trials.scenario.name, "statements": trials.statements, "trials": len(found)}))
