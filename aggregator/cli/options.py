"""Options that several commands share, and how they become parameters: the command line over the config over the defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aggregator.cli.commands import LANGUAGE, argument, option
from aggregator.cli.language import LANGUAGES, spoken
from aggregator.cli.values import COUNT, SECONDS, WORKERS, Day, LedgerName, Month, PathName, Words
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    from aggregator.model.options import Options

F = TypeVar("F", bound=Callable[..., Any])


PATH, PLACE = PathName(), PathName(anywhere=True)

lang_option = option("--lang", type=click.Choice(LANGUAGES), help=LANGUAGE)
json_option = option("--json", "as_json", is_flag=True, help=Text("Print the result as one JSON object on stdout.", "以一个JSON对象在标准输出打印结果。"))
inputs_argument = argument("inputs", nargs=-1, required=True, type=PLACE, metavar="INPUT...")
period_option = option("--period", type=Month(), metavar="YYYY-MM", help=Text("The month the inventories were cleared in.", "清单结关所在的月份。"))
config_option = option(
    "--config", type=PATH, metavar="FILE", help=Text("TOML file with settings; aggregator.toml of the working folder if not given.", "TOML配置文件；未给出时用当前文件夹的 aggregator.toml。")
)
as_of_option = option("--as-of", type=Day(), metavar="DATE", help=Text("Today, for the calendar. [default: today in China]", "计算期限所用的当天日期。[默认：北京时间今天]"))
out_option = option("--out", type=PLACE, metavar="DIR|URL", help=Text("Where run folders are: a folder, or s3://BUCKET/KEY. Here or in the config.", "批次文件夹所在位置：结果文件夹，或 s3://BUCKET/KEY。可写在配置中。"))
ledger_option = option(
    "--ledger", type=LedgerName(), metavar="PATH|URL", help=Text("The ledger: a file, or postgresql://USER@HOST/DATABASE. [default: DIR/ledger.sqlite]", "台账：文件，或 postgresql://USER@HOST/DATABASE。[默认：结果文件夹/ledger.sqlite]")
)
require_ledger_option = option(
    "--require-ledger", is_flag=True, default=None, help=Text("Stop if there is no ledger: never begin with one that knows nothing.", "没有台账即停止：绝不以空台账开始。")
)
lock_wait_option = option(
    "--lock-wait", type=SECONDS, metavar="SECONDS", help=Text("How long to wait for another run to end. [default: 0]", "等待其他批次结束的最长时间。[默认：0]")
)
calendar_option = option(
    "--calendar", type=PATH, metavar="FILE", help=Text("TOML file with working days of years; it wins over the built-in calendar.", "各年工作日的TOML文件，优先于内置日历。")
)
warn_days_option = option(
    "--warn-days", type=COUNT, metavar="N", help=Text("Warn when the deadline is fewer working days away. [default: 3]", "距申报期限不足 N 个工作日时提醒。[默认：3]")
)
log_format_option = option(
    "--log-format", type=click.Choice(["text", "json"]), help=Text("What stderr speaks: sentences, or a JSON object a line. [default: text]", "标准错误输出的形式：句子，或每行一个JSON对象。[默认：text]")
)


def several(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order they are listed in --help."""

    def decorate(command: F) -> F:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


sheet_option = option(
    "--sheet", "sheets", multiple=True, type=Words(), metavar="NAME", help=Text("Sheet of a workbook to read, if several hold inventories. Repeatable.", "工作簿中有多张清单工作表时，指定读取哪一张。可重复。")
)

headings_option = option(
    "--headings", type=click.Choice(["own", "zh"]), help=Text("Headings of CSV files and workbooks: our column names, or Chinese. [default: own; workbooks in the language of messages]", "CSV文件和工作簿的列标题：用列名或中文。[默认：CSV用列名，工作簿随提示信息的语言]")
)

traced_headings_option = option("--headings", type=click.Choice(["own", "zh"]), help=Text("Headings: our column names, or Chinese. [default: by the language of messages]", "列标题：用列名或中文。[默认：随提示信息的语言]"))

rates_option = option("--rates", type=PATH, metavar="FILE", help=Text("Your table of exchange rates, by day: CNY for one unit. [default: [[rates]] of the config]", "按日的汇率表：每1单位外币折人民币。[默认：配置中的 [[rates]]]"))

mode_option = option(
    "--mode", type=click.Choice(["9610", "9710", "1039"]), help=Text("Customs mode: 9610 retail export, 9710 business to business, 1039 market procurement. [default: 9610]", "海关监管方式：9610 跨境电商零售出口，9710 跨境电商B2B直接出口，1039 市场采购。[默认：9610]")
)

data_options = several(
    mode_option,
    period_option,
    config_option,
    option("--receipts", multiple=True, type=PLACE, metavar="FILE",
                 help=Text("Receipts (CEB604, CEB606), as messages or a table: what is cleared or cancelled. Repeatable.", "回执（CEB604、CEB606），报文或表格：说明哪些清单已结关或已撤销。可重复。")),
    sheet_option,
    option("--tariff", type=PATH, metavar="FILE", help=Text("Your tariff table: whether codes exist and statutory units fit.", "税则表：用于核对商品编码是否存在、法定单位是否相符。")),
    rates_option,
    option("--route", type=click.Choice(["declaration"]), help=Text("9710: have every order declared, also those that could go as a list.", "9710：所有订单均以报关单申报，包括可走清单的订单。")),
    option("--by-line", is_flag=True, default=None, help=Text("1039: declare lines without a slip number by themselves.", "1039：没有交易单号的行单独申报。")),
    option("--workers", type=WORKERS, help=Text("Worker processes. [default: the cores, at most 8]", "工作进程数。[默认：CPU核数，至多 8]")),
    option("--engine", type=click.Choice(["local", "spark"]), help=Text("What runs the steps: this machine, or Apache Spark. [default: local]", "由什么执行各步骤：本机或 Apache Spark。[默认：local]")),
    option("--spark-master", type=Words(), metavar="URL", help=Text("Spark's master: spark://HOST:PORT, yarn, k8s://URL, local[N]. [default: local[*]]", "Spark 主节点：spark://主机:端口、yarn、k8s://URL、local[N]。[默认：local[*]]")),
    option("--spark-wait", type=click.FloatRange(1, 31_536_000), metavar="SECONDS", help=Text("How long to wait for Spark's master, and for executors. [default: 120]", "等待 Spark 主节点及执行器的秒数。[默认：120]")),
    option("--work-dir", type=PATH, metavar="DIR", help=Text("Where what does not last is put; with Spark on a disk that all machines see. [default: results folder, system's place]", "临时数据的存放位置；使用 Spark 时须为所有机器可见的磁盘。[默认：结果文件夹或系统临时目录]")),
    headings_option,
    option("--spool-limit", type=click.IntRange(1, 1 << 30), metavar="MIB", help=Text("How much of standard input, a pipe or an object is taken. [default: 8192]", "从标准输入、管道或对象存储的对象最多读取多少MiB。[默认：8192]")),
)  # fmt: skip
"""Of the commands that read exports."""

run_options = several(
    data_options,
    option("--out", type=PLACE, metavar="DIR|URL", help=Text("Where run folders go: a folder, or s3://BUCKET/KEY (with --engine spark also hdfs://HOST/PATH). Required, here or in the config.", "批次文件夹写到哪里：文件夹，或 s3://BUCKET/KEY（使用 --engine spark 时也可为 hdfs://主机/路径）。必填，可写在配置中。")),
    ledger_option,
    require_ledger_option,
    lock_wait_option,
    option("--assume-cleared", is_flag=True, default=None, help=Text("Say that all inventories were cleared in the period.", "声明所有清单均已在本申报期内结关。")),
    option("--first-period", type=Month(), metavar="YYYY-MM", help=Text("First month the ledger answers for. [default: that of its first run]", "台账负责的起始申报期。[默认：首个批次的申报期]")),
    option("--no-late", is_flag=True, default=None, help=Text("Hold back inventories cleared in an earlier month.", "以前月份结关的清单暂缓申报（不补报）。")),
    as_of_option,
    option("--unfinished", is_flag=True, default=None, help=Text("Allow a month that is not over.", "允许申报尚未结束的月份。")),
    option("--summary-flag", type=click.Choice(["1", "2"]), help=Text("1: by consignor; 2: by consignor and producer_seller. [default: 2]", "1：按收发货人汇总；2：按收发货人和生产销售单位汇总。[默认：2]")),
    option("--item-name-flag", type=click.Choice(["0", "1"]), help=Text("1: the enterprise's goods names stay apart; 0: customs' categories. [default: 1]", "1：按企业商品名称分别归并；0：按海关品类名称归并。[默认：1]")),
    option("--edition", type=click.Choice(["202205", "2018-113"]), help=Text("Edition of the CEB701 messages. [default: 202205]", "CEB701报文的版本。[默认：202205]")),
    option("--format", "formats", multiple=True, type=click.Choice(["csv", "parquet", "xlsx"]), help=Text("parquet, csv: twins of every table; xlsx: one workbook of all but the audit map. Repeatable.", "parquet、csv：每张表另存的格式；xlsx：除归并对应关系外全部表格合为一个工作簿。可重复。")),
    option("--audit-map-xlsx", is_flag=True, default=None, help=Text("A workbook that has the audit map too.", "生成工作簿，并包含归并对应关系。")),
    calendar_option,
    warn_days_option,
    option("--quiet", is_flag=True, default=None, help=Text("Print nothing when all is well.", "一切正常时不输出。")),
    log_format_option,
    option("--metrics-file", type=PATH, metavar="FILE", help=Text("Write how the run ended for Prometheus' textfile collector.", "写出批次结果，供 Prometheus 的 textfile collector 采集。")),
)  # fmt: skip

ledger_options = several(config_option, out_option, ledger_option)
"""Of the commands that look at the ledger."""


def options_of(config: Path | None, given: dict[str, Any], *, keep_period: bool = True) -> tuple[Options, dict[str, str]]:
    """What is asked, and where each value came from."""
    from aggregator.model.options import from_config, origins, read_config

    options = {name: value for name, value in given.items() if value is not None and value != ()}
    if options.pop("no_late", None):
        options["late"] = False
    for flag in ("summary_flag", "item_name_flag"):
        if flag in options:
            options[flag] = int(options[flag])
    found = read_config(config)
    if not keep_period and "period" not in options and isinstance(found.get("run"), dict):
        found["run"] = {key: value for key, value in found["run"].items() if key != "period"}
    said = spoken()
    if said.by != "locale":
        options.setdefault("lang", said.lang)
    came = origins(found, options, config)
    if said.by == "environment" and given.get("lang") is None:
        came["lang"] = "environment"
    return from_config(found, options, lang=said.lang), came
