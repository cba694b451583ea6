"""The commands that read exports or write samples of them: run, check, sample; and the rule book."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.commands import argument, command, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    PATH,
    config_option,
    data_options,
    inputs_argument,
    json_option,
    lang_option,
    mode_option,
    options_of,
    run_options,
    sheet_option,
)
from aggregator.cli.progress import shown_progress
from aggregator.cli.values import COUNT, Month, Number, Words
from aggregator.model.memory import require_for_libraries
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    from aggregator.model.options import Options
    from aggregator.model.outcome import Outcome
    from aggregator.model.remote import AnyPath


@command(
    zh="申报某月结关的清单：主要任务。\n\n"
    "输入可以是文件（CSV、工作簿、CEB603报文、Parquet，也可为 .gz 或 .zip）、文件夹、'exports/*.csv' 这样的通配符、"
    "@list.txt（每行一个输入），或 -（标准输入）。"
)  # fmt: skip
@inputs_argument
@run_options
@option("--dry-run", is_flag=True, help=Text("Do it all, write nothing.", "试运行：全部执行，但不写入任何内容。"))
@option("--pdf", type=PATH, metavar="FILE", help=Text("Print the report to this file too, by a browser of this machine.", "另将报告用本机浏览器打印成该PDF文件。"))
@json_option
@lang_option
def run(inputs: tuple[AnyPath, ...], config: Path | None, dry_run: bool, pdf: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Declare the inventories cleared in a month: the main job.

    INPUT is a file (CSV, workbook, CEB603 messages, Parquet; also in .gz or .zip), a folder of them, a pattern like
    'exports/*.csv', @list.txt with one of these a line, or - for standard input; the first three also at s3://BUCKET/KEY
    or, with --engine spark, at hdfs://HOST/PATH.

    \b
    Example:
      aggregator run export.csv --period 2026-10 --out results
      aggregator run export.csv --period 2026-10 --out results --receipts receipts.csv --dry-run
    """
    started = time.monotonic()
    metrics: dict[str, Any] = {"file": given["metrics_file"], "outcome": None}

    def job(reporter: Reporter) -> int:
        require_for_libraries()
        from aggregator.jobs.run import run as run_pipeline
        from aggregator.model.errors import Exit
        from aggregator.model.names import told
        from aggregator.reports.summary import as_json as outcome_as_json
        from aggregator.reports.summary import summary

        options, _ = options_of(config, {**given, "inputs": inputs, "dry_run": dry_run, "lang": lang})
        _start_ahead(options)
        reporter.adopt(options)
        metrics["file"] = options.metrics_file if not dry_run else None
        at = now()
        wanted = options.for_run(at.date())
        reporter.event("started", period=str(wanted.period), inputs=[told(str(path)) for path in inputs])
        with shown_progress(reporter.lang, wanted=not (options.quiet or reporter.as_json)):
            outcome = run_pipeline(wanted, at)
        metrics["outcome"] = outcome
        if outcome.published:
            reporter.done(_published(outcome), int(outcome.exit_code))
        if as_json:
            reporter.print_json(outcome_as_json(outcome))
        quiet = options.quiet and outcome.exit_code == Exit.DONE
        for note in outcome.notes if not quiet else ():
            reporter.note(note)
        facts = outcome_as_json(outcome)
        reporter.event("finished", seconds=round(time.monotonic() - started, 3), **{name: facts[name] for name in _LOGGED})
        if not quiet and not reporter.as_json:
            lines = summary(outcome, reporter.lang, dry_run=dry_run)
            reporter.tell(line.text for line in lines) if as_json else reporter.close(lines)
        return int(outcome.exit_code)

    code = guarded(job, lang, given["log_format"])
    if metrics["file"] is not None:
        from aggregator.reports.metrics import write_metrics

        seconds = time.monotonic() - started

        def write(reporter: Reporter) -> int:
            write_metrics(metrics["file"], metrics["outcome"], code, seconds, now())
            return code

        # The run is done, whatever becomes of its metrics: that they are missing needs attention.
        code = guarded(write, lang, given["log_format"]) and (code or 3)
    if pdf is not None and metrics["outcome"] is not None:
        outcome = metrics["outcome"]
        # Likewise.
        code = guarded(lambda reporter: _print_report(outcome, pdf, code, reporter), lang, given["log_format"]) and (code or 3)
    sys.exit(code)


def _print_report(outcome: Outcome, pdf: Path, code: int, reporter: Reporter) -> int:
    from aggregator.jobs.pdf import print_report
    from aggregator.model.remote import any_path_of

    if not outcome.published:
        reporter.note(Text("Nothing was published: there is no report to print.", "未发布任何内容，没有可打印的报告。"))
        return code
    print_report(any_path_of(outcome.folder), pdf, None)
    return code


def _published(outcome: Outcome) -> Text:

    return Text(
        f"The run {outcome.run_ref} is recorded in the ledger and published in {outcome.folder}.",
        f"批次 {outcome.run_ref} 已在台账中登记，并已发布到 {outcome.folder}。",
    )


_LOGGED = ("exit_code", "period", "run_ref", "folder", "published", "counts", "excluded", "findings", "deadline", "working_days_left", "undeclared")


@command(zh="只读取并校验：列出全部问题，包括会被排除的清单。有错误时退出码为 3。")
@inputs_argument
@data_options
@option("--findings", type=PATH, metavar="FILE", help=Text("Write all findings to this CSV file.", "将全部问题写入该CSV文件。"))
@option("--max", "most", type=COUNT, default=50, show_default=True, help=Text("How many findings to print.", "打印多少条问题。"))
@json_option
@lang_option
def check(
    inputs: tuple[AnyPath, ...], config: Path | None, findings: Path | None, most: int, as_json: bool, lang: Any, **given: Any
) -> None:
    """Read and validate only: every finding, even of what would be excluded. Exit 3 if there are errors.

    \b
    Example:
      aggregator check export.csv
      aggregator check export.csv --period 2026-10 --findings findings.csv
    """

    def job(reporter: Reporter) -> int:
        require_for_libraries()
        from aggregator.jobs.run import check as check_pipeline
        from aggregator.reports.findings import print_findings
        from aggregator.reports.summary import as_json as outcome_as_json
        from aggregator.schemas.column_names import headings_in

        options, _ = options_of(config, {**given, "inputs": inputs, "lang": lang}, keep_period=False)
        _start_ahead(options)
        reporter.adopt(options)
        outcome, tables = check_pipeline(options.for_check(), now().date())
        with shown_progress(reporter.lang, wanted=not as_json):
            # All lines are validated before there is a first finding.
            begun = list(islice(tables, 1))
        tables = chain(begun, tables)
        lines = print_findings(tables, findings, 0 if as_json else most, outcome, reporter.lang, reporter.print, headings_in(options.headings, "en"))
        if as_json:
            for note in outcome.notes:
                reporter.note(note)
            reporter.print_json(outcome_as_json(outcome))
        else:
            reporter.close(lines)
        return int(outcome.exit_code)

    sys.exit(guarded(job, lang))


@command(zh="导出文件的哪个列标题对应哪一列、前几个值，以及缺少什么。缺列时退出码为 3。\n\n末尾给出可写入配置的 [columns] 块，相近的列标题已填好。")
@inputs_argument
@mode_option
@config_option
@sheet_option
@json_option
@lang_option
def columns(inputs: tuple[AnyPath, ...], mode: str | None, config: Path | None, sheets: tuple[str, ...], as_json: bool, lang: Any) -> None:
    """Which heading of an export goes to which column, the first values, and what is missing. Exit 3 if something is.

    Ends with a [columns] block for the config, filled in where a heading is alike.

    \b
    Example:
      aggregator columns export.csv
      aggregator columns exports --json
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.columns import columns_of
        from aggregator.model.errors import Exit
        from aggregator.reports.columns import columns_as_json, columns_lines

        options, _ = options_of(config, {"mode": mode, "inputs": inputs, "sheets": sheets, "lang": lang})
        reporter.adopt(options)
        found = columns_of(options.reading)
        if as_json:
            reporter.print_json([columns_as_json(each) for each in found])
        else:
            reporter.print(*(line for each in found for line in columns_lines(each, options.mode.dictionary, reporter.lang)))
        return int(Exit.WAITING if any(each.missing for each in found) else Exit.DONE)

    sys.exit(guarded(job, lang))


@command(zh="生成任意规模的模拟导出文件，由种子决定。")
@option("--lines", type=click.IntRange(1, 10_000_000_000), required=True, metavar="N", help=Text("How many item lines.", "商品行数。"))
@option("--out", type=PATH, required=True, metavar="DIR", help=Text("Where to write.", "写到哪里。"))
@option("--faults", type=Number(0, 1), default=0.0, show_default=True, help=Text("Share of inventories to break, one rule each in turn.", "出错清单所占比例，依次各违反一条规则。"))
@option("--seed", type=click.IntRange(0, (1 << 63) - 1), default=1, show_default=True, help=Text("The same seed gives the same bytes.", "随机种子；相同的种子得到完全相同的文件。"))
@option("--period", type=Month(), metavar="YYYY-MM", help=Text("The month most are cleared in. [default: last month]", "多数清单结关的月份。[默认：上月]"))
@option("--cleared-by", type=click.Choice(["status", "receipts", "assume"]), default="status", show_default=True,
              help=Text("How to say what is cleared: columns, a receipts file, or not at all (for --assume-cleared).", "如何说明已结关：状态列、回执文件，或不说明（配合 --assume-cleared）。"))  # fmt: skip
@option("--headings", type=click.Choice(["own", "zh"]), default="own", show_default=True, help=Text("Column names or Chinese headings.", "列标题用列名或中文。"))
@option("--encoding", type=click.Choice(["utf-8", "gb18030"]), default="utf-8", show_default=True, help=Text("Encoding of the files.", "文件的编码。"))
@option("--first-serial", type=click.IntRange(1, 999_999_999), default=1, show_default=True, help=Text("Serial number of the first inventory.", "首份清单的流水号。"))
@option("--mode", type=click.Choice(["9610", "9710", "1039"]), help=Text("Customs mode whose exports to write. [default: 9610, or that of the config]", "写哪种海关监管方式的导出文件。[默认：9610，或按配置]"))
@option("--force", is_flag=True, help=Text("Write over a sample that is there.", "覆盖已有的样例文件。"))
@option("--shapes", is_flag=True, help=Text("Write the shapes of real exports too, sound and damaged, each with what is said of it.", "另写出各种真实导出文件的样式（完好的和损坏的），并附说明。"))
@lang_option
def sample(lines: int, out: Path, period: Any, mode: str | None, shapes: bool, force: bool, lang: Any, **given: Any) -> None:
    """Write synthetic exports of any size, seeded.

    \b
    Example:
      aggregator sample --lines 100000 --out demo --faults 0.01 --seed 7
      aggregator sample --lines 1000 --out shapes --shapes
      aggregator sample --mode 1039 --lines 1000 --out demo --faults 0.05
      aggregator sample --mode 9710 --lines 1000 --out demo --headings zh
    """

    def job(reporter: Reporter) -> int:
        from aggregator.model.errors import CannotCreate
        from aggregator.model.period import Period
        from aggregator.samples.orders import write_orders
        from aggregator.samples.sample import Sample, write_sample
        from aggregator.samples.slips import write_slips

        wanted = Sample(lines=lines, period=period or Period.before(now().date()), **given)
        code = mode or options_of(None, {})[0].mode.code
        names = {"1039": ["slips.csv"], "9710": ["orders.csv"]}.get(code, ["inventories.csv", *(["receipts.csv"] if wanted.cleared_by == "receipts" else [])])
        there = [str(out / name) for name in names if (out / name).exists()]
        if there and not force:
            raise CannotCreate(
                f"{', '.join(there)} is there already, and may be an export of yours. Name another folder, or say --force.",
                f"{'、'.join(there)} 已存在，可能是您的数据。请指定其他文件夹，或使用 --force。",
            )
        for path in {"1039": write_slips, "9710": write_orders}.get(code, write_sample)(wanted, out):
            reporter.print(str(path))
        if shapes:
            from aggregator.samples.shapes.folder import write_shapes

            reporter.print(str(write_shapes(out, reporter.lang)))
        return 0

    sys.exit(guarded(job, lang))


@command(zh="规则手册：代码的含义、依据，以及如何修正数据。")
@argument("code", type=Words(), required=False)
@mode_option
@json_option
@lang_option
def rules(code: str | None, mode: str | None, as_json: bool, lang: Any) -> None:
    """The rule book: what a code means, where it comes from, how to correct the data.

    \b
    Example:
      aggregator rules
      aggregator rules R107
      aggregator rules I109 --mode 1039
    """

    def job(reporter: Reporter) -> int:
        from aggregator.model.errors import WrongUsage
        from aggregator.reports.rule_book import rule_as_json, rule_in_full, rule_table
        from aggregator.schemas.modes import mode_of
        from aggregator.schemas.rates import RATE_RULES

        book = mode_of(mode or "9610").rules
        if code is None:
            if as_json:
                reporter.print_json([rule_as_json(rule) for rule in book])
            else:
                reporter.print(*rule_table(book, reporter.lang))
            return 0
        rule = book.by_code.get(code.upper()) or RATE_RULES.by_code.get(code.upper()) or book.exclusions.get(code.lower())
        if rule is None:
            raise WrongUsage(
                f"There is no rule {code}. 'aggregator rules' lists them all.", f"没有规则 {code}。运行 aggregator rules 查看全部。"
            )
        if as_json:
            reporter.print_json(rule_as_json(rule))
        else:
            reporter.print(*rule_in_full(rule, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))


def _start_ahead(options: Options) -> None:
    """Inputs of several chunks will need worker processes: they are forked before anything is open."""
    from aggregator.engines.local import start_ahead
    from aggregator.inputs.sources.files import list_of, meant
    from aggregator.jobs.preload import PRELOAD
    from aggregator.model.errors import StopRun
    from aggregator.model.options import LOCAL

    if options.engine != LOCAL or options.workers == 1:
        return
    with suppress(StopRun, OSError):
        # A list that comes through a pipe comes once.
        known = [each for each in options.inputs if isinstance(each, Path) and ((named := list_of(each)) is None or named.is_file())]
        size = sum(each.path.stat().st_size for each in meant(known) if isinstance(each.path, Path))
        if size > options.chunk_bytes:
            start_ahead(min(options.workers, size // options.chunk_bytes + 1), PRELOAD)
