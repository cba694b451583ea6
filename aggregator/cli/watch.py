"""The commands that watch: what is due, whether all is in order, which settings hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aggregator.cli.commands import command, group, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    as_of_option,
    calendar_option,
    json_option,
    lang_option,
    ledger_options,
    log_format_option,
    options_of,
    period_option,
    require_ledger_option,
    run_options,
    warn_days_option,
)
from aggregator.cli.values import COUNT
from aggregator.schemas.text import Text


@command(zh="各申报期的期限、已申报的内容及其进度、尚未申报的清单及原因。\n\n有清单未申报且期限将至（--warn-days）或已过，或台账、批次文件夹不在原处时，退出码为 3。")
@period_option
@ledger_options
@as_of_option
@calendar_option
@warn_days_option
@option("--max", "most", type=COUNT, default=3, show_default=True, help=Text("How many undeclared inventories to list, a reason.", "每种原因列出多少份未申报清单。"))
@require_ledger_option
@option("--quiet", is_flag=True, default=None, help=Text("Print nothing when nothing presses.", "没有紧迫事项时不输出。"))
@json_option
@log_format_option
@lang_option
def status(config: Path | None, most: int, as_json: bool, lang: Any, **given: Any) -> None:
    """Each period's deadline, what is declared and how far that is, what is still undeclared and why.

    Exit 3 if something is undeclared and the deadline is near (--warn-days) or past, or the ledger or a run folder is not where it was.

    \b
    Example:
      aggregator status --out results
      aggregator status --out results --period 2026-10 --json
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.status import status as status_of
        from aggregator.model.errors import Exit
        from aggregator.reports.status import status_as_json, status_lines

        options, _ = options_of(config, {**given, "lang": lang}, keep_period=False)
        reporter.adopt(options)
        wanted = options.for_status(most)
        standing = status_of(wanted, now().date())
        if as_json:
            reporter.print_json(status_as_json(standing, wanted.due.warn_days))
        elif standing.presses or standing.troubles or not options.quiet:
            reporter.print(*status_lines(standing, wanted.due.warn_days, reporter.lang))
        if standing.no_calendar is not None:
            raise standing.no_calendar
        return int(Exit.WAITING if standing.presses or standing.troubles else Exit.DONE)

    sys.exit(guarded(job, lang, given["log_format"]))


@command(zh="检查运行所需的一切：台账、文件夹、权限、磁盘空间、日历、区域设置、版本。有异常时退出码为 3。")
@ledger_options
@as_of_option
@calendar_option
@json_option
@lang_option
def doctor(config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Look after what a run needs: ledger, folders, rights, disk space, calendar, locale, versions. Exit 3 if anything fails.

    \b
    Example:
      aggregator doctor --out results
      aggregator doctor --config /srv/customs/aggregator.toml --json
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.doctor import examine
        from aggregator.reports.status import doctor_as_json, doctor_lines

        options, _ = options_of(config, {**given, "lang": lang}, keep_period=False)
        reporter.adopt(options)
        checks = examine(options.for_doctor(), options.as_of or now().date())
        if as_json:
            reporter.print_json(doctor_as_json(checks))
        else:
            reporter.print(*doctor_lines(checks, reporter.lang))
        return 0 if all(check.well for check in checks) else 3

    sys.exit(guarded(job, lang))


@group(zh="配置。")
def config() -> None:
    """The settings.

    \b
    Example:
      aggregator config show
    """


@config.command(name="show", zh="列出批次的每项设置、其值及来源：命令行、配置文件或默认值。\n\n接受 run 的选项，以查看其效果。")
@run_options
@json_option
@lang_option
def show(config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Every setting of a run, its value, and where it came from: the command line, the config file or the default.

    Takes the options of 'run', to see what they would do.

    \b
    Example:
      aggregator config show
      aggregator config show --config /srv/customs/aggregator.toml --workers 2
    """

    def job(reporter: Reporter) -> int:
        from aggregator.reports.config import settings_as_json, settings_lines

        options, origins = options_of(config, {**given, "lang": lang})
        reporter.adopt(options)
        if as_json:
            reporter.print_json(settings_as_json(options, origins))
        else:
            reporter.print(*settings_lines(options, origins, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))
