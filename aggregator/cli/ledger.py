"""The commands of the ledger: look at it, verify it, take a run back, bring in what was declared elsewhere, copy it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    PATH,
    json_option,
    lang_option,
    ledger_options,
    lock_wait_option,
    options_of,
    period_option,
)
from aggregator.cli.values import LedgerName, Month, Words

if TYPE_CHECKING:
    from aggregator.model.options import Options
    from aggregator.model.settings import LedgerPlace
    from aggregator.schemas.text import Text


@click.group()
def ledger() -> None:
    """What was declared, in which run: look at it, check it, back it up, take a run back.

    \b
    Example:
      aggregator ledger show --out results
      aggregator ledger check --out results
    """


def _report(reporter: Reporter, what: Text) -> int:
    reporter.done(what)
    reporter.print(what.in_lang(reporter.lang))
    return 0


def _with_ledger(
    work: Callable[[Options, LedgerPlace, Reporter], int], config: Path | None, lang: Any, given: dict[str, Any]
) -> None:
    def job(reporter: Reporter) -> int:
        options, _ = options_of(config, {**given, "lang": lang})
        reporter.adopt(options)
        return work(options, options.place(), reporter)

    sys.exit(guarded(job, lang))


@ledger.command()
@period_option
@ledger_options
@json_option
@lang_option
def show(config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """The runs, their applications and what became of their inventories.

    \b
    Example:
      aggregator ledger show --out results
      aggregator ledger show --out results --period 2026-10 --json
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import shown_runs
        from aggregator.reports.ledger import run_lines, runs_as_json

        found = shown_runs(place.path, options.period)
        if as_json:
            reporter.print_json(runs_as_json(found))
        else:
            reporter.print(*run_lines(found, reporter.lang))
        return 0

    _with_ledger(work, config, lang, given)


@ledger.command()
@ledger_options
@lock_wait_option
@json_option
@lang_option
def check(config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Verify the ledger and its run folders: every event, row and file. Exit 3 if anything differs, 78 if the ledger is old.

    Completes an interrupted publication.

    \b
    Example:
      aggregator ledger check --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger_check import check_ledger
        from aggregator.reports.ledger import check_as_json, check_lines

        out = place.out.resolve() if place.out is not None else None
        found = check_ledger(place.path, out, place.lock_wait)
        if as_json:
            reporter.print_json(check_as_json(found))
        else:
            reporter.print(*check_lines(found, reporter.lang))
        return 78 if found.old else 3 if found.problems else 0

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.argument("run_ref", type=Words(), metavar="RUN")
@click.option("--reason", default="", type=Words(), metavar="TEXT", help="Why: it is recorded.")
@ledger_options
@lock_wait_option
@lang_option
def void(run_ref: str, reason: str, config: Path | None, lang: Any, **given: Any) -> None:
    """Take back a run that was never sent: its inventories are free to be declared again.

    Refused once customs has answered one of its applications. The run folder is renamed to RUN.void.

    \b
    Example:
      aggregator ledger void 202610-02 --out results --reason "wrong receipts"
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import void

        return _report(reporter, void(place.path, run_ref, reason, now(), place.lock_wait, place.out))

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.argument("application_ref", type=Words(), metavar="APPLICATION")
@click.argument("answer", type=click.Choice(["accepted", "refused", "merged", "entered"]))
@click.option("--reason", default="", type=Words(), metavar="TEXT", help="What customs said: it is recorded.")
@ledger_options
@lock_wait_option
@lang_option
def answer(application_ref: str, answer: str, reason: str, config: Path | None, lang: Any, **given: Any) -> None:
    """Enter customs' answer to a summary application by hand. A refusal frees its inventories for the next run.

    \b
    Example:
      aggregator ledger answer 202610-01-A001 accepted --out results
      aggregator ledger answer 202610-01-A002 refused --out results --reason "consignor not filed"
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import answered

        return _report(reporter, answered(place.path, application_ref, answer, reason, now(), place.lock_wait, place.out))

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.argument("numbers", nargs=-1, type=Words(), required=True, metavar="INVENTORY_NO...")
@click.option("--reason", required=True, type=Words(), metavar="TEXT", help="Why: it is recorded.")
@ledger_options
@lock_wait_option
@lang_option
def dismiss(numbers: tuple[str, ...], reason: str, config: Path | None, lang: Any, **given: Any) -> None:
    """Say that undeclared inventories are never to be declared here, so that 'status' stops waiting for them.

    For a number that was wrong and has been corrected, or an inventory that is another firm's. It stays on record; a run that
    sees the inventory again takes it up again.

    \b
    Example:
      aggregator ledger dismiss 22442026E00000018 --reason "typing error, corrected" --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import dismissed

        return _report(reporter, dismissed(place.path, list(numbers), reason, now(), place.lock_wait, place.out))

    _with_ledger(work, config, lang, given)


@ledger.command(name="first-period")
@click.argument("period", type=Month(), metavar="YYYY-MM")
@click.option("--reason", default="", type=Words(), metavar="TEXT", help="Why: it is recorded.")
@ledger_options
@lock_wait_option
@lang_option
def first_period(period: Any, reason: str, config: Path | None, lang: Any, **given: Any) -> None:
    """Correct the first month the ledger answers for, where it was set wrongly. Refused once a run has declared something.

    What was excluded as cleared before it and no longer is waits for the next run.

    \b
    Example:
      aggregator ledger first-period 2026-09 --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import first_period_corrected

        return _report(reporter, first_period_corrected(place.path, period, reason, now(), place.lock_wait, place.out))

    _with_ledger(work, config, lang, given)


@ledger.command(name="import")
@click.argument("file", type=PATH)
@ledger_options
@lock_wait_option
@lang_option
def import_(file: Path, config: Path | None, lang: Any, **given: Any) -> None:
    """Mark inventories as declared elsewhere before: a CSV file with the column inventory_no (清单编号).

    Makes the ledger if there is none. The import is a run of its own, and can be voided like one.

    \b
    Example:
      aggregator ledger import declared-by-hand.csv --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import imported

        return _report(reporter, imported(options.mode, place.path, place.out, file, options.chunk_bytes, now(), place.lock_wait))

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.argument("folder", type=PATH, metavar="[FOLDER]", required=False)
@ledger_options
@lang_option
def export(folder: Path | None, config: Path | None, lang: Any, **given: Any) -> None:
    """Write all tables of the ledger as Parquet files into a new folder (ledger-export-DATE-TIME if none is named).

    \b
    Example:
      aggregator ledger export ledger-2026-11 --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import exported

        for line in exported(place.path, folder or Path(f"ledger-export-{now():%Y%m%d-%H%M%S}")):
            reporter.print(line)
        return 0

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.argument("file", type=PATH)
@ledger_options
@lang_option
def backup(file: Path, config: Path | None, lang: Any, **given: Any) -> None:
    """Write a whole copy of the ledger to a new file, also while a run is under way.

    In the moments in which a run writes into the ledger it ends with 75: try again.

    \b
    Example:
      aggregator ledger backup /backup/ledger-2026-11-05.sqlite --out results
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import backed_up

        return _report(reporter, backed_up(place.path, file))

    _with_ledger(work, config, lang, given)


@ledger.command()
@click.option("--to", "target", type=LedgerName(), metavar="PATH|URL", help="Move it there; the former one is kept, and refused from then on.")
@ledger_options
@lock_wait_option
@lang_option
def migrate(target: Any, config: Path | None, lang: Any, **given: Any) -> None:
    """Bring a ledger of an earlier version forward; a backup is made beside it first. 'run' does so by itself.

    With --to: move the ledger to another place, a file or a PostgreSQL database. Every row is verified on both sides first.

    \b
    Example:
      aggregator ledger migrate --out results
      aggregator ledger migrate --out results --to postgresql://customs@db.example/customs
    """

    def work(options: Options, place: LedgerPlace, reporter: Reporter) -> int:
        from aggregator.jobs.ledger import migrated
        from aggregator.jobs.ledger_move import moved

        if target is not None:
            there = target.resolve() if isinstance(target, Path) else target
            return _report(reporter, moved(place.path, there, now(), place.lock_wait, place.out))
        return _report(reporter, migrated(place.path, now(), place.lock_wait, place.out))

    _with_ledger(work, config, lang, given)
