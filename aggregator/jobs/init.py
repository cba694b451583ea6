"""The job of `init`: a commented config for a firm. What is written has been read back by the program first."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from aggregator.model.config_file import Config
from aggregator.model.disk import write_file
from aggregator.model.errors import CannotCreate, WrongUsage
from aggregator.model.options import from_config
from aggregator.model.period import Period
from aggregator.schemas.codes import code_list
from aggregator.schemas.modes import mode_of
from aggregator.schemas.shown import shown_json
from aggregator.schemas.text import Lang, Text

_FIRM = re.compile(r"[0-9A-Za-z]{10}|[0-9A-Za-z]{18}")
_DISTRICT = re.compile(r"[0-9]{4}")
_EXAMPLE = {
    "code": "91440300MA5F0A1B2N", "name": "深圳星河跨境电子商务有限公司", "customs": "2244", "market": "义乌国际小商品城",
}  # fmt: skip


@dataclass(frozen=True)
class Firm:
    """What a config says of a firm. What is blank is left to be filled in."""

    mode: str = "9610"
    code: str = ""
    name: str = ""
    customs: str = ""
    out: str = "results"
    first_period: Period | None = None
    lang: Lang = "en"


def check_firm(firm: Firm) -> None:
    """Raises WrongUsage for a code that can be none."""
    if firm.code and not _FIRM.fullmatch(firm.code):
        raise WrongUsage(
            f"'{firm.code}' is no code of a firm: it has 18 characters (social credit code) or 10 (customs registration).",
            f"“{firm.code}”不是企业代码：应为18位统一社会信用代码或10位海关注册编码。",
        )
    if firm.customs and not _DISTRICT.fullmatch(firm.customs):
        raise WrongUsage(f"'{firm.customs}' is no customs district: it has four digits.", f"“{firm.customs}”不是关区代码：应为4位数字。")


def init(path: Path, firm: Firm, *, force: bool) -> None:
    check_firm(firm)
    text = config_text(firm)
    from_config(Config(tomllib.loads(text), path, text), {})
    refuse_existing(path, force=force)
    write_file(path, text.encode())


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raises CannotCreate where something stands already that is not to be replaced."""
    if not force and (path.exists() or path.is_symlink()):
        raise CannotCreate(
            f"{path} exists already. Name another file, or replace it with --force.", f"{path} 已存在。请指定其他文件，或用 --force 覆盖。"
        )
    if not path.parent.is_dir():
        raise CannotCreate(f"The folder {path.parent} does not exist. Make it first.", f"文件夹 {path.parent} 不存在。请先创建。")


def config_text(firm: Firm) -> str:
    return "".join(f"{line}\n" for line in (*_run(firm), *_constants(firm), *_procedure(firm), *_further(firm)))


def _run(firm: Firm) -> list[str]:
    say = _Say(firm.lang)
    title = mode_of(firm.mode).wording.title
    return [
        say("# Settings of aggregator. 'aggregator config show' prints all of them; the command line wins.", "# aggregator 的配置。aggregator config show 显示全部设置；命令行优先。"),
        "",
        "[run]",
        f"mode = {shown_json(firm.mode)}".ljust(32) + say(f"# customs mode: {title.en}", f"# 监管方式：{title.zh}"),
        f"out = {shown_json(firm.out)}".ljust(32) + say("# where results and the ledger go: keep and back up this folder", "# 结果和台账所在文件夹：请妥善保存并备份"),
        f"lang = {shown_json(firm.lang)}".ljust(32) + say("# language of messages: en or zh", "# 提示语言：en 或 zh"),
        say("# The first month this ledger answers for; what was cleared before it is not declared by this program.", "# 台账起始申报期：此前结关的清单不由本程序申报。"),
        _line(firm.first_period is not None, "first_period", str(firm.first_period or "2026-10")),
        say("# Twins of the CSV tables: xlsx for people, parquet for programs.", "# CSV表之外另存的格式：xlsx 供人阅读，parquet 供程序使用。"),
        'formats = ["xlsx"]',
        say("# Your tariff table: whether commodity codes exist, and their statutory units.", "# 税则表：核对商品编码及法定计量单位。"),
        '# tariff = "tariff.xlsx"',
        "",
    ]


def _constants(firm: Firm) -> list[str]:
    say = _Say(firm.lang)
    code, name = ("operator_code", "operator_name") if firm.mode == "1039" else ("consignor_code", "consignor_name")
    district = code_list("customs_district").names.get(firm.customs, ("", ""))[0]
    return [
        say("# Header values for exports that have no column for them. A column of the export wins.", "# 导出文件中没有的表头内容；导出文件有该列时以该列为准。"),
        "[constants]",
        _line(bool(firm.code), code, firm.code or _EXAMPLE["code"]),
        _line(bool(firm.name), name, firm.name or _EXAMPLE["name"]),
        _line(bool(firm.customs), "declaring_customs_code", firm.customs or _EXAMPLE["customs"]) + (f"  # {district}" if district else ""),
        f'trade_mode_code = "{firm.mode}"',
        "",
        say("# Headings of your exports that are not known: 'aggregator columns FILE' proposes this block.", "# 无法识别的列标题；aggregator columns 文件 会给出此段。"),
        "# [columns]",
        '# inventory_no = "单据号"' if firm.mode == "9610" else '# goods_name = "品名"',
        "",
    ]


def _procedure(firm: Firm) -> list[str]:
    """What a mode needs besides: 9610 the sender of CEB701, the others exchange rates, 1039 a market."""
    say = _Say(firm.lang)
    if firm.mode == "9610":
        return [
            say("# Who sends CEB701 to customs; without it no messages are written. See docs/customs-messages.md.", "# CEB701报文的传输与申报单位；不填则不生成报文。参见 docs/customs-messages.md。"),
            "# [customs]",
            '# sender_code = "4403960Q7X"', '# sender_name = "深圳前海远洋供应链有限公司"', '# dxp_id = "DXPENT0000012345"',
            '# broker_code = "4403180001"', '# broker_name = "深圳通达报关行有限公司"', "",
        ]  # fmt: skip
    market = [
        say("# Facts without which market procurement is not open to you. Correct them.", "# 市场采购贸易的必备条件，请据实填写。"),
        "[company]", "registered_operator = true".ljust(32) + say("# registered as an operator in the market", "# 已在市场备案的经营者"), "",
        "[market]", f"name = {shown_json(_EXAMPLE['market'])}", 'starts_on = "2014-11-01"'.ljust(32) + say("# since when its exports may use 1039", "# 该市场施行市场采购贸易的日期"), "",
    ] if firm.mode == "1039" else []  # fmt: skip
    return [
        *market,
        say("# Exchange rates: CNY for one unit, by day. Or a table of your own: rates = \"rates.csv\" in [run].", "# 汇率：每单位外币折合人民币。也可在 [run] 中用 rates = \"rates.csv\" 指定汇率表。"),
        "# [[rates]]",
        '# currency_code = "USD"', '# cny_per_unit = "7.15"', '# valid_from = "2026-10-01"', '# valid_to = "2026-10-31"', '# source = "中国外汇交易中心"', "",
    ]  # fmt: skip


def _further(firm: Firm) -> list[str]:
    say = _Say(firm.lang)
    return [
        say("# Errors that are not needed to identify, key or add a line can be lowered: 'aggregator rules' lists them.", "# 不影响识别、归并和合计的错误可降为警告；aggregator rules 列出全部规则。"),
        "# [severity]", '# R114 = "warning"', "",
        say("# Days off and weekend days worked, for a year the built-in calendar lacks.", "# 内置日历没有的年份：放假日和调休上班日。"),
        "# [calendar.2027]", '# off = ["2027-01-01"]', "# working = []",
    ]  # fmt: skip


def _line(known: bool, key: str, value: str) -> str:
    return f"{'' if known else '# '}{key} = {shown_json(value)}"


class _Say:
    def __init__(self, lang: Lang) -> None:
        self.lang = lang

    def __call__(self, en: str, zh: str) -> str:
        return Text(en, zh).in_lang(self.lang)
