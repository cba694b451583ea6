"""The commands that look at runs once they are published: diff, months, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.cli.commands import argument, command, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.language import asked_for
from aggregator.cli.options import (
    PATH,
    PLACE,
    as_of_option,
    calendar_option,
    json_option,
    lang_option,
    ledger_options,
    options_of,
    require_ledger_option,
    warn_days_option,
)
from aggregator.cli.values import COUNT
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    from aggregator.model.remote import AnyPath


@command(zh="比较两个批次有何变化：清单、去向、报关单商品项、合计。有差异时退出码为 3。\n\n批次指批次文件夹，包括已作废的批次。商品项按归并条件比较，不按编号。")
@argument("before", type=PLACE, metavar="RUN")
@argument("after", type=PLACE, metavar="RUN")
@option("--max", "most", type=COUNT, default=5, show_default=True, help=Text("How many examples of each kind to show.", "每类显示多少个例子。"))
@json_option
@lang_option
def diff(before: AnyPath, after: AnyPath, most: int, as_json: bool, lang: Any) -> None:
    """What changed between two runs: inventories, their fates, declaration items, sums. Exit 3 if they differ.

    RUN is a run folder, also of a voided run. Items are compared by what they are merged by, not by their numbers.

    \b
    Example:
      aggregator diff results/2026-10/202610-01 results/2026-10/202610-02
      aggregator diff old/2026-10/202610-01 new/2026-10/202610-01 --json
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.diff import diff as compare
        from aggregator.model.errors import Exit
        from aggregator.reports.diff import diff_as_json, diff_lines

        found = compare(before, after, most)
        if as_json:
            reporter.print_json(diff_as_json(found))
        else:
            reporter.print(*diff_lines(found, reporter.lang))
        return int(Exit.DONE if found.same else Exit.WAITING)

    sys.exit(guarded(job, lang))


@command(zh="并列各申报期：期限、结关、已申报、海关已答复、尚待处理。\n\n有待处理的清单且期限将至（--warn-days）或已过时，退出码为 3。")
@ledger_options
@as_of_option
@calendar_option
@warn_days_option
@require_ledger_option
@option("--html", "page", type=PATH, metavar="FILE", help=Text("Write a page with the table and charts.", "写出含表格和图表的网页。"))
@json_option
@lang_option
def months(config: Path | None, page: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """All periods side by side: deadline, what was cleared, declared, answered by customs, and what waits.

    Exit 3 if something waits and its deadline is near (--warn-days) or past.

    \b
    Example:
      aggregator months --out results
      aggregator months --out results --html months.html
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.months import months as all_months
        from aggregator.model.disk import write_file
        from aggregator.model.errors import Exit
        from aggregator.reports.months import months_as_json, months_lines, months_page

        options, _ = options_of(config, {**given, "lang": lang}, keep_period=False)
        reporter.adopt(options)
        at = now()
        found = all_months(options.for_status(0), at.date())
        if page is not None:
            write_file(page, months_page(found, page, at.strftime("%Y-%m-%d %H:%M"), reporter.lang).encode())
        if as_json:
            reporter.print_json(months_as_json(found))
        else:
            reporter.print(*months_lines(found, reporter.lang))
        if found.standing.no_calendar is not None:
            raise found.standing.no_calendar
        return int(Exit.WAITING if found.standing.presses or found.standing.troubles else Exit.DONE)

    sys.exit(guarded(job, lang))


@command(zh="用本机的浏览器（Chromium、Chrome 或 Edge）将批次报告打印成PDF。\n\n批次指批次文件夹。不加 --lang 时，PDF沿用批次的语言。")
@argument("run", type=PLACE, metavar="RUN")
@option("--pdf", type=PATH, metavar="FILE", required=True, help=Text("Where to write the PDF.", "PDF写到哪里。"))
@lang_option
def report(run: AnyPath, pdf: Path, lang: Any) -> None:
    """Print the report of a run to PDF, by a browser of this machine (Chromium, Chrome or Edge).

    RUN is a run folder. Without --lang the PDF is in the language of the run.

    \b
    Example:
      aggregator report results/2026-10/202610-01 --pdf october.pdf
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.pdf import print_report

        print_report(run, pdf, asked_for())
        reporter.print(str(pdf))
        return 0

    sys.exit(guarded(job, lang))
