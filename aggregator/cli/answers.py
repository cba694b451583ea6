"""The commands for customs' answers: receive, trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.cli.commands import argument, command, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    PATH,
    PLACE,
    headings_option,
    json_option,
    lang_option,
    ledger_options,
    lock_wait_option,
    options_of,
    traced_headings_option,
)
from aggregator.cli.values import Words
from aggregator.schemas.text import Text, counted

if TYPE_CHECKING:
    from aggregator.model.remote import AnyPath


@command(
    zh="将海关回执（CEB702、CEB792、CEB604、CEB606、CEB304）登记入台账，并与我们的预测核对。\n\n"
    "可为文件、文件夹、通配符、压缩包；顺序不限，可重复接收。每个文件保存在结果文件夹的 received 中；无法使用的予以隔离。海关结果有差异或有文件被隔离时，退出码为 3。"
)  # fmt: skip
@argument("files", nargs=-1, required=True, type=PLACE, metavar="FILE...")
@ledger_options
@lock_wait_option
@headings_option
@json_option
@lang_option
def receive(files: tuple[AnyPath, ...], config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Take customs' answers (CEB702, CEB792, CEB604, CEB606, CEB304) into the ledger, and compare them with our forecast.

    Files, folders, patterns, archives; in any order, and as often as you like. Every file is kept in DIR/received; what cannot be
    used is quarantined. Exit 3 if customs differs or something was quarantined.

    \b
    Example:
      aggregator receive answers/*.xml --out results
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.receive import receive as receive_answers
        from aggregator.reports.received import received_as_json, received_lines

        options, _ = options_of(config, {**given, "inputs": files, "lang": lang})
        reporter.adopt(options)
        received = receive_answers(options.for_receive(), now())
        reporter.done(Text("What was received is recorded in the ledger.", "收到的回执已在台账中登记。"), int(received.exit_code))
        if as_json:
            reporter.print_json(received_as_json(received))
        else:
            reporter.print(*received_lines(received, reporter.lang))
        return int(received.exit_code)

    sys.exit(guarded(job, lang))


@command(
    zh="追溯一行的去向：从清单、订单或运单，到我们的报关单商品项、海关报关单和退税关联行。\n\n"
    "编号可以是清单、订单、运单、我们的报关单（加 /项号 表示其中一项）、海关报关单的编号，或21位退税关联号（则列出其清单行）。未申报的说明是被拒绝、被排除还是待申报及其原因。输出CSV，列标题按所选语言。有编号从未读入时退出码为 3。"
)  # fmt: skip
@argument("numbers", nargs=-1, type=Words(), metavar="NUMBER...")
@option("--file", type=PATH, metavar="FILE", help=Text("Numbers, one a line, or - for standard input.", "编号文件，每行一个；- 表示标准输入。"))
@option("--output", type=PATH, metavar="FILE", help=Text("Write to this file: .csv, .xlsx or .json.", "写入该文件：.csv、.xlsx 或 .json。"))
@ledger_options
@traced_headings_option
@json_option
@lang_option
def trace(numbers: tuple[str, ...], file: Path | None, output: Path | None, config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Where a line went: from an inventory, order or waybill to our declaration item, customs' declaration and the refund line.

    NUMBER is that of an inventory, an order, a waybill, a declaration of ours (with /ITEM for one item of it), a declaration of
    customs, or a refund line of 21 characters: then its inventory lines. Of what is not declared: whether it
    was rejected, excluded or waits, and why. Prints CSV, with headings in the language. Exit 3 if a number was never seen.

    \b
    Example:
      aggregator trace 22442026E000000001 --out results
      aggregator trace 202610-01-000001/3 --out results --json
      aggregator trace --file numbers.txt --out results --output answers.xlsx
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.trace import trace as trace_numbers
        from aggregator.ledger.at import ledger_at
        from aggregator.ledger.errors import NoLedger
        from aggregator.model.errors import WrongUsage
        from aggregator.reports.trace import BY_OTHER_NUMBERS, numbers_in, print_trace
        from aggregator.schemas.column_names import headings_in

        options, _ = options_of(config, {**given, "lang": lang})
        reporter.adopt(options)
        wanted = {*numbers, *(numbers_in(file) if file is not None else ())}
        if not wanted:
            raise WrongUsage("Give numbers to trace, or --file FILE.", "请给出要追溯的编号，或用 --file 文件。")
        ledger = options.ledger_path
        if ledger is None or not ledger_at(ledger).exists():
            raise NoLedger(ledger or Path("ledger.sqlite"))
        if output is not None and output.suffix.lower() not in (".csv", ".xlsx", ".json"):
            raise WrongUsage(f"--output {output}: its name ends with .csv, .xlsx or .json.", f"--output {output}：文件名须以 .csv、.xlsx 或 .json 结尾。")
        found = trace_numbers(ledger, wanted, options.lang)
        absent = print_trace(found, wanted, reporter, options.lang, headings_in(options.headings, options.lang), as_json=as_json, output=output)
        if absent:
            listed = ", ".join(absent[:5])
            reporter.note(Text(
                f"Not found: {counted(len(absent), 'number', 'numbers')} ({listed}). {BY_OTHER_NUMBERS.en}", f"未找到：{len(absent):,} 个编号（{listed}）。{BY_OTHER_NUMBERS.zh}",
            ))  # fmt: skip
        return 3 if absent else 0

    sys.exit(guarded(job, lang))
