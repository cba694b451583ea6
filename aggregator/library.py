"""The four jobs for programs: what the commands do, without printing and without exits.

Errors are those of `aggregator.model.errors`: each has a text in English and Chinese (`error.text`) that says what to do, and the
exit code of the command (`error.exit_code`). Wrong data raises nothing: it is in the results, as findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from aggregator.jobs.run import check as check_job
from aggregator.jobs.run import run as run_job
from aggregator.jobs.status import Standing
from aggregator.jobs.status import status as status_job
from aggregator.jobs.trace import TRACE
from aggregator.jobs.trace import trace as trace_job
from aggregator.model.options import Options, from_config, read_config
from aggregator.model.outcome import Outcome
from aggregator.model.period import Period
from aggregator.model.remote import AnyPath, any_path_of
from aggregator.schemas.patterns import CHINA

Place = str | PathLike[str]
"""A path, as text or as an object; as text also a URL: of exports, receipts and results `s3://bucket/key`, of a ledger that of a database."""


@dataclass(frozen=True)
class Checked:
    """What `check` found. `findings`: one row a finding, in input order (columns: those of findings.csv)."""

    outcome: Outcome
    findings: pa.Table


def run(
    inputs: Place | Iterable[Place],
    *,
    out: Place,
    period: str | None = None,
    receipts: Iterable[Place] = (),
    ledger: Place | None = None,
    config: Place | Mapping[str, Any] | None = None,
    now: datetime | None = None,
    **settings: Any,
) -> Outcome:
    """Declare the inventories cleared in a month, as `aggregator run` does: exports in, a run folder and the ledger out.

    `inputs`, `receipts`: files, folders or patterns. `period`: `YYYY-MM`, last month if not given. `config`: a TOML file or its
    tables; no file of the working folder is read unless it is named. `settings`: any other key of `[run]`, for example
    `first_period="2026-09"`, `assume_cleared=True`, `dry_run=True`. `now`: the time that is recorded; the clock's if not given.

    Weights are in kg, money in the currency of the line, all sums exact decimals. Raises StopRun (see above); nothing is
    published then.
    """
    moment = now or datetime.now(CHINA)
    options = _options(config, settings, inputs=_paths(inputs), out=out, period=period, receipts=_paths(receipts), ledger=ledger)
    return run_job(options.for_run(moment.date()), moment)


def check(
    inputs: Place | Iterable[Place],
    *,
    period: str | None = None,
    receipts: Iterable[Place] = (),
    config: Place | Mapping[str, Any] | None = None,
    today: date | None = None,
    **settings: Any,
) -> Checked:
    """Read and validate, write nothing, as `aggregator check` does. Without a period the data alone is checked.

    Arguments as those of `run`. All findings are held in memory. Raises StopRun where the input as a whole is unusable.
    """
    options = _options(config, settings, inputs=_paths(inputs), period=period, receipts=_paths(receipts))
    outcome, tables = check_job(options.for_check(), today or datetime.now(CHINA).date())
    return Checked(outcome, pa.concat_tables([outcome.mode.outputs["findings"].empty_table(), *tables]))


def trace(numbers: str | Iterable[str], *, out: Place | None = None, ledger: Place | None = None) -> pa.Table:
    """Where lines went: from inventories, orders, waybills to declaration items of ours and of customs, and back.

    `numbers`: as `aggregator trace` takes them. One of `out` (its ledger.sqlite) and `ledger` says where the ledger is. Columns
    out: those of the command (TRACE in aggregator/jobs/trace.py), as text; a number that stands for nothing has no rows. Raises WrongConfiguration
    where there is no ledger.
    """
    place = _options(None, {}, out=out, ledger=ledger).place()
    wanted = {numbers} if isinstance(numbers, str) else set(numbers)
    return pa.concat_tables([TRACE.empty_table(), *trace_job(place.path, wanted)])


def status(
    *,
    out: Place | None = None,
    ledger: Place | None = None,
    period: str | None = None,
    config: Place | Mapping[str, Any] | None = None,
    today: date | None = None,
    most: int = 3,
    **settings: Any,
) -> Standing:
    """Each period's deadline, what of it is declared and what is not, as `aggregator status` does.

    `most`: how many undeclared inventories to name, a reason. A year without a working-day calendar raises nothing: it is in
    `no_calendar` of what is returned.
    """
    options = _options(config, settings, out=out, ledger=ledger, period=period)
    return status_job(options.for_status(most), today or datetime.now(CHINA).date())


def _options(config: Place | Mapping[str, Any] | None, settings: Mapping[str, Any], **named: Any) -> Options:
    """The config, over which the arguments win: checked as those of a config are, with the same messages."""
    found: dict[str, Any] = {} if config is None else dict(config) if isinstance(config, Mapping) else read_config(Path(config))
    inputs = named.pop("inputs", ())
    dry_run = bool(dict(settings).get("dry_run", False))
    given = {name: value for name, value in {**settings, **named}.items() if name != "dry_run" and value is not None and value != ()}
    table = found.get("run", {})
    asked = {**found, "run": {**(table if isinstance(table, Mapping) else {}), **{name: _plain(value) for name, value in given.items()}}}
    return from_config(asked, {"inputs": inputs, "dry_run": dry_run})


def _plain(value: Any) -> Any:
    """As it would stand in a config."""
    if isinstance(value, PathLike | Period | date):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _paths(given: Place | Iterable[Place]) -> tuple[AnyPath, ...]:
    several = [given] if isinstance(given, str | PathLike) else given
    return tuple(any_path_of(each) if isinstance(each, str) else Path(each) for each in several)
