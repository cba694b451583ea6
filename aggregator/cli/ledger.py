"""The commands of the ledger: look at it, verify it, take a run back, bring in what was declared elsewhere, copy it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.commands import argument, group, option
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
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    from aggregator.model.options import Options
    from aggregator.model.settings import LedgerPlace


@group(zh="哪些清单在哪个批次申报过：查看、核验、备份、作废批次。")
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


@ledger.command(zh="列出各批次、其汇总申请单，以及清单的状态。")
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


@ledger.command(zh="核验台账及其批次文件夹：每个事件、每行记录、每个文件。有差异时退出码为 3，台账版本过旧时为 78。\n\n会完成被中断的发布。")
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


@ledger.command(zh="作废从未发送的批次：其清单可以重新申报。\n\n海关已对其任一申请单作出答复的，不予作废。批次文件夹改名为 批次.void。")
@argument("run_ref", type=Words(), metavar="RUN")
@option("--reason", required=True, type=Words(), metavar="TEXT", help=Text("Why: it is recorded.", "原因：将记入台账。"))
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


@ledger.command(zh="手工登记海关对汇总申请单的答复。退单后其清单可在下一批次申报。")
@argument("application_ref", type=Words(), metavar="APPLICATION")
@argument("answer", type=click.Choice(["accepted", "refused", "merged", "entered"]))
@option("--reason", default="", type=Words(), metavar="TEXT", help=Text("What customs said: it is recorded.", "海关的说明：将记入台账。"))
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


@ledger.command(zh="声明某些未申报的清单永远不在此申报，status 不再等待它们。\n\n用于编号有误且已更正的，或属于其他企业的清单。记录仍保留；批次再次见到该清单时会重新处理。")
@argument("numbers", nargs=-1, type=Words(), required=True, metavar="INVENTORY_NO...")
@option("--reason", required=True, type=Words(), metavar="TEXT", help=Text("Why: it is recorded.", "原因：将记入台账。"))
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


@ledger.command(name="first-period", zh="更正设错的台账起始申报期。已有批次申报过内容的，不予更正。\n\n因早于起始申报期结关而被排除、更正后不再早于的清单，等待下一批次。")
@argument("period", type=Month(), metavar="YYYY-MM")
@option("--reason", default="", type=Words(), metavar="TEXT", help=Text("Why: it is recorded.", "原因：将记入台账。"))
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


@ledger.command(name="import", zh="将清单标记为此前已在别处申报：CSV文件，含列 inventory_no（清单编号）。\n\n没有台账时新建。导入自成一个批次，可同样作废。")
@argument("file", type=PATH)
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


@ledger.command(zh="将台账的全部表写成Parquet文件，放入新文件夹（未指定时为 ledger-export-日期-时间）。")
@argument("folder", type=PATH, metavar="[FOLDER]", required=False)
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


@ledger.command(zh="将台账完整复制到新文件，批次运行期间也可进行。\n\n批次正在写入台账的瞬间，以退出码 75 结束：请重试。")
@argument("file", type=PATH)
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


@ledger.command(zh="将旧版本的台账升级；升级前先在旁边备份。run 会自动升级。\n\n加 --to：将台账迁移到别处（文件或PostgreSQL数据库）。迁移前逐行核验两边。")
@option("--to", "target", type=LedgerName(), metavar="PATH|URL", help=Text("Move it there; the former one is kept, and refused from then on.", "迁移到该处；原台账保留，此后不再接受。"))
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
