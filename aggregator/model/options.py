"""What the config and the command line can say, and the only place of its defaults. Commands get the settings made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from aggregator.model.company import Company, Market, company_of, market_of
from aggregator.model.config_file import load
from aggregator.model.customs import DEFAULT_EDITION, Customs, customs_of
from aggregator.model.disk import leads_nowhere
from aggregator.model.errors import WrongConfiguration, WrongUsage
from aggregator.model.given import as_recorded, rate_rows_of
from aggregator.model.names import is_text, told
from aggregator.model.period import YEARS, Period
from aggregator.model.place import LedgerInObjectStorage, MalformedUrl, Place, place_of
from aggregator.model.problems import Problems, WrongValue, meant
from aggregator.model.remote import AnyPath, any_path_of, local_path_of
from aggregator.model.settings import (
    CheckSettings,
    DoctorSettings,
    DueSettings,
    EngineSettings,
    Flags,
    LedgerPlace,
    ModesSettings,
    RateSettings,
    ReadSettings,
    ReceiveSettings,
    RunSettings,
    SendSettings,
    SparkSettings,
    StatusSettings,
)
from aggregator.model.spark import spark_of
from aggregator.schemas.column_names import Headings, headings_in
from aggregator.schemas.modes import MODES, Mode, mode_of
from aggregator.schemas.modes.advice import ADVICE_FIELDS
from aggregator.schemas.modes.m9610.messages import EDITIONS
from aggregator.schemas.rule import Severity
from aggregator.schemas.text import Lang, Text

CONFIG_NAME = "aggregator.toml"
LEDGER_NAME = "ledger.sqlite"
LOCAL, SPARK = "local", "spark"
"""Engines."""
DECLARATION = "declaration"
"""The one route that may be asked for."""
MIB = 1 << 20


@dataclass(frozen=True)
class Options:
    mode: Mode = field(default_factory=lambda: mode_of("9610"))
    inputs: tuple[AnyPath, ...] = ()
    period: Period | None = None
    out: AnyPath | None = None
    ledger: Place | None = None
    receipts: tuple[AnyPath, ...] = ()
    sheets: tuple[str, ...] = ()
    tariff: Path | None = None
    rates: Path | None = None
    rate_rows: tuple[Mapping[str, Any], ...] = ()
    by_line: bool = False
    route: str | None = None
    company: Company = field(default_factory=Company)
    market: Market = field(default_factory=Market)
    assume_cleared: bool = False
    first_period: Period | None = None
    late: bool = True
    as_of: date | None = None
    unfinished: bool = False
    summary_flag: int = 2
    item_name_flag: int = 1
    edition: str = DEFAULT_EDITION
    customs: Customs | None = None
    dry_run: bool = False
    engine: str = LOCAL
    spark_master: str = "local[*]"
    spark_wait: float = 120.0
    spark: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    work_dir: Path | None = None
    workers: int = field(default_factory=lambda: min(os.cpu_count() or 1, 8))
    formats: tuple[str, ...] = ()
    audit_map_xlsx: bool = False
    headings: Headings | None = None
    require_ledger: bool = False
    lock_wait: float = 0.0
    calendar: Path | None = None
    calendar_years: tuple[tuple[str, Any], ...] = ()
    warn_days: int = 3
    quiet: bool = False
    log_format: str = "text"
    metrics_file: Path | None = None
    lang: Lang = "en"
    columns: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    chunk_bytes: int = 24 * MIB
    spool_limit: int = 8192

    def recorded(self) -> dict[str, Any]:
        """The parameters as the manifest records them."""
        hidden = {"mode", "inputs", "receipts", "columns", "constants", "severity", "customs", *_RECORDED_IF_GIVEN, *_NOT_RECORDED}
        plain = {
            f.name: value if isinstance(value := getattr(self, f.name), bool | int | str | None) else told(str(value))
            for f in fields(self)
            if f.name not in hidden
        }
        tables = {name: dict(getattr(self, name)) for name in ("columns", "constants", "severity")}
        tables["customs"] = asdict(self.customs) if self.customs is not None else {}
        plain |= {name: as_recorded(getattr(self, name)) for name in _RECORDED_IF_GIVEN if getattr(self, name) not in _NOTHING}
        return {"mode": self.mode.code} | plain | {"formats": list(self.formats), "sheets": list(self.sheets), "receipts": [told(str(path)) for path in self.receipts]} | tables

    @property
    def reading(self) -> ReadSettings:
        return ReadSettings(
            self.mode, self.inputs, self.receipts, self.tariff, self.sheets, self.columns, self.constants, self.chunk_bytes, self.assume_cleared,
            self.given_rates, self.by_line, self.spool_limit * MIB, self.work_dir,
        )

    @property
    def due(self) -> DueSettings:
        return DueSettings(self.as_of, dict(self.calendar_years), self.calendar, self.warn_days)

    @property
    def runs_on(self) -> EngineSettings:
        spark = SparkSettings(self.spark_master, self.spark_wait, self.spark) if self.engine == SPARK else None
        return EngineSettings(self.workers, spark, self.work_dir.absolute() if self.work_dir is not None else None)

    @property
    def flags(self) -> Flags:
        return Flags(self.summary_flag, self.item_name_flag)

    @property
    def severities(self) -> dict[str, Severity]:
        return {code: Severity(value) for code, value in self.severity}

    @property
    def ledger_path(self) -> Place | None:
        """Where the ledger is, by its own name or beside the results; symbolic links followed, so that it has one lock."""
        return named.resolve() if isinstance(named := self._named_ledger, Path) else named

    @property
    def _named_ledger(self) -> Place | None:
        return self.ledger or (self.out / LEDGER_NAME if isinstance(self.out, Path) else None)

    def place(self) -> LedgerPlace:
        if (path := self.ledger_path) is None:
            if self.out is not None:
                raise LedgerInObjectStorage
            raise WrongUsage("Say where the ledger is: --ledger PATH or URL, or --out DIR.", "请指定台账：--ledger 路径或网址，或 --out 文件夹。")
        if isinstance(named := self._named_ledger, Path) and leads_nowhere(named):
            # Its disk may not be mounted: an empty ledger in its place would have everything declared again.
            there = told(named.resolve())
            raise WrongConfiguration(
                f"The ledger {told(named)} is a link to {there}, which is not there. Mount what holds it, or remove the link.",
                f"台账 {told(named)} 是指向 {there} 的链接，但目标不存在。请挂载其所在的磁盘，或删除该链接。",
            )
        for each in (path, self.out.resolve() if self.out is not None else None):
            if isinstance(each, Path) and not is_text(each):
                raise WrongUsage(
                    f"The name {told(each)} is not UTF-8, or the locale takes none but ASCII: the ledger could not find it again. Set "
                    "LANG=C.UTF-8, or name another folder.",
                    f"{told(each)} 的名称不是UTF-8编码，或区域设置仅支持ASCII，台账将无法再找到它。请设置 LANG=C.UTF-8，或指定其他文件夹。",
                )
        return LedgerPlace(path, self.out, self.lock_wait, self.require_ledger)

    def for_run(self, today: date) -> RunSettings:
        """Raises WrongUsage for a period that is not over, or that ends before the first."""
        if self.out is None:
            raise WrongUsage("Say where the results go: --out DIR.", "请指定结果文件夹：--out DIR。")
        as_of = self.as_of or today
        period = self.period or Period.before(as_of)
        if as_of < period.next_month and not (self.unfinished or self.dry_run):
            raise WrongUsage(
                f"The period {period} is not over on {as_of}: inventories may still be cleared in it. Run again from "
                f"{period.next_month} on, or say --unfinished.",
                f"申报期 {period} 在 {as_of} 尚未结束，期间仍可能有清单结关。请在 {period.next_month} 起运行，或加 --unfinished。",
            )
        if self.first_period is not None and self.first_period.key > period.key:
            raise WrongUsage(
                f"--first-period {self.first_period} is after the period {period}: nothing cleared in it could be declared. Name the "
                f"first month this ledger is to answer for, {period} or earlier.",
                f"--first-period {self.first_period} 晚于申报期 {period}：该期结关的清单将无法申报。请指定台账的起始申报期（不晚于 {period}）。",
            )
        asked = replace(self, period=period, as_of=as_of)
        return RunSettings(
            mode=self.mode, severities=self.severities, reading=self.reading, period=period, first_period=self.first_period, late=self.late,
            flags=self.flags, sending=SendSettings(self.customs, self.edition) if self.customs is not None else None, out=self.out,
            ledger=self.place(), formats=self.formats, audit_map_xlsx=self.audit_map_xlsx, engine=self.runs_on, dry_run=self.dry_run, lang=self.lang, headings=self.headings, as_of=as_of,
            due=asked.due, rates=self.given_rates, company=self.company, market=self.market,
            declare_all=self.declare_all, recorded=asked.recorded(),
        )  # fmt: skip

    def for_check(self) -> CheckSettings:
        return CheckSettings(
            mode=self.mode, severities=self.severities, reading=self.reading, period=self.period, late=self.late, flags=self.flags, engine=self.runs_on,
            lang=self.lang, as_of=self.as_of, rates=self.given_rates, company=self.company, customs=self.customs, declare_all=self.declare_all,
        )  # fmt: skip

    @property
    def declare_all(self) -> bool:
        """Whether no order goes as a list."""
        return self.route == DECLARATION

    @property
    def given_rates(self) -> RateSettings | None:
        return RateSettings(self.rates, self.rate_rows) if self.rates is not None or self.rate_rows else None

    def rate_table(self) -> RateSettings:
        if (given := self.given_rates) is None:
            raise WrongUsage("Say where the exchange rates are: --rates FILE, or [[rates]] in the config.", "请指定汇率表：--rates 文件，或配置中的 [[rates]]。")
        return given

    def for_modes(self) -> ModesSettings:
        return ModesSettings(self.reading, ADVICE_FIELDS, self.given_rates, self.company, self.market, self.as_of)

    def for_receive(self) -> ReceiveSettings:
        if self.out is None:
            raise WrongUsage("Say where the results are: --out DIR.", "请指定结果文件夹：--out DIR。")
        return ReceiveSettings(self.mode, self.inputs, self.out, self.place(), headings_in(self.headings, "en"))

    def for_status(self, most: int) -> StatusSettings:
        """`most`: how many undeclared inventories to list, a reason."""
        if self.ledger_path is None:
            here = Path(LEDGER_NAME).absolute()
            raise WrongConfiguration(
                f"No ledger is named: neither --out nor --ledger is given, nor 'out' or 'ledger' in {CONFIG_NAME}"
                f"{f', and {here} is not looked at unless it is named' if here.exists() else f'; {here} does not exist either'}. Say --out DIR.",
                f"未指定台账：既未给出 --out 或 --ledger，{CONFIG_NAME} 中也没有 out 或 ledger"
                f"{f'；{here} 须明确指定才会使用' if here.exists() else f'；{here} 也不存在'}。请用 --out 指定结果文件夹。",
            )
        return StatusSettings(self.mode, self.out, self.ledger_path, self.require_ledger, self.period, self.due, most)

    def for_doctor(self) -> DoctorSettings:
        return DoctorSettings(self.mode, self.out, self.ledger_path, self.require_ledger, self.due)


_RECORDED_IF_GIVEN = ("audit_map_xlsx", "headings", "by_line", "route", "rates", "rate_rows", "company", "market")
_NOTHING: tuple[Any, ...] = (None, False, (), Company(), Market())


_TABLES = ("columns", "constants", "severity")
_NOT_RECORDED = ("lang", "quiet", "log_format", "metrics_file", "lock_wait", "warn_days", "calendar", "calendar_years", "require_ledger", "spool_limit", "spark_master", "spark_wait", "spark", "work_dir")
"""What says how a run is reported, or when it may start, and changes nothing of what it makes."""


def read_config(path: Path | None) -> dict[str, Any]:
    """Read the TOML config; without a path, `aggregator.toml` of the working folder if there is one."""
    if path is None:
        path = Path(CONFIG_NAME)
        if not path.exists():
            return {}
    try:
        return load(path)
    except FileNotFoundError:
        raise WrongConfiguration(f"The config file {path} does not exist.", f"配置文件 {path} 不存在。") from None
    except OSError as error:
        raise WrongConfiguration(
            f"The config file {path} cannot be read: {error.strerror}.", f"无法读取配置文件 {path}：{error.strerror}。"
        ) from None


def from_config(config: dict[str, Any], options: dict[str, Any], lang: Lang = "en") -> Options:
    """Parameters from the config's `[run]` table and tables, over which options given on the command line win. `lang` is
    the locale's."""
    problems = Problems(config)
    settings: dict[str, Any] = {"lang": lang, "mode": _mode(config, options, problems)}
    for name, value in config.items():
        _look_at_table(name, value, settings["mode"], problems)
    known = {f.name for f in fields(Options)} - {*_TABLES, "mode", "inputs", "dry_run", "calendar_years", "customs", "company", "market", "rate_rows", "spark"}
    for name, value in config.get("run", {}).items() if isinstance(config.get("run", {}), dict) else ():
        if name == "mode":
            continue
        if name not in known:
            problems.unknown(name, "[run]", (*known, "mode"), "run", name)
            continue
        try:
            settings[name] = _setting(name, value)
        except WrongValue as error:
            problems.add(f"'{name}' in [run]: {error.text.en}", f"[run] 中的“{name}”：{error.text.zh}", "run", name)
        except (WrongUsage, MalformedUrl, LedgerInObjectStorage) as error:
            problems.add(error.text.en, error.text.zh, "run", name)
    for table in _TABLES:
        values = config.get(table, {})
        if isinstance(values, dict):
            settings[table] = tuple(_table(settings["mode"], table, values, problems))
    if isinstance(customs := config.get("customs", {}), dict):
        settings["customs"] = customs_of(customs, problems)
    if isinstance(years := config.get("calendar", {}), dict):
        settings["calendar_years"] = tuple(years.items())
    if isinstance(company := config.get("company", {}), dict):
        settings["company"] = company_of(company, problems)
    if isinstance(market := config.get("market", {}), dict):
        settings["market"] = market_of(market, problems)
    if isinstance(spark := config.get("spark", {}), dict):
        settings["spark"] = spark_of(spark, problems)
    if isinstance(rows := config.get("rates", []), list):
        settings["rate_rows"] = rate_rows_of(rows, problems, file_too="rates" in settings, overruled="rates" in options)
    problems.stop()
    return replace(Options(**settings), **{name: value for name, value in options.items() if name != "mode"})


_KNOWN_TABLES = ("run", "columns", "constants", "severity", "customs", "company", "market", "calendar", "rates", "spark")


def _look_at_table(name: str, value: Any, mode: Mode, problems: Problems) -> None:
    """What stands outermost: tables, and keys that were meant to stand in one."""
    if name in _KNOWN_TABLES:
        if not isinstance(value, list if name == "rates" else dict):
            form = f"[[{name}]]" if name == "rates" else f"[{name}]"
            problems.add(f"'{name}' must be a table: {form}", f"“{name}”必须是表：{form}", name)
        return
    column = mode.dictionary.column_called(name)
    table = "run" if name in {f.name for f in fields(Options)} - {"inputs"} else "constants" if column and mode.dictionary[column].header else ""
    said = Text(f"; it belongs under [{table}]", f"，应写在 [{table}] 之下") if table else meant(name, _KNOWN_TABLES)
    problems.add(f"unknown table or key '{name}'{said.en}", f"未知的表或键“{name}”{said.zh}", name)


def _mode(config: Mapping[str, Any], options: Mapping[str, Any], problems: Problems) -> Mode:
    """The customs mode: what the tables of the config are checked by."""
    run = config.get("run", {})
    code = str(options.get("mode") or (run.get("mode") if isinstance(run, dict) else None) or "9610")
    if code not in MODES:
        problems.add(f"'mode' in [run]: expected one of {', '.join(MODES)}, found {code!r}", f"[run] 中的“mode”：应为 {'、'.join(MODES)} 之一，实为 {code!r}", "run", "mode")
        return mode_of("9610")
    return mode_of(code)


def origins(config: dict[str, Any], options: dict[str, Any], path: Path | None) -> dict[str, str]:
    """Where each parameter came from: the command line, the config's file, the locale or the default."""
    file = told(path or CONFIG_NAME)
    tables = {"calendar_years": "calendar", "customs": "customs", "rate_rows": "rates", "company": "company", "market": "market", "spark": "spark"} | {name: name for name in _TABLES}
    found = {}
    for name in (f.name for f in fields(Options)):
        if name in options:
            found[name] = "command line"
        elif (config.get(tables[name]) if name in tables else name in config.get("run", {})):
            found[name] = file
        else:
            found[name] = "locale" if name == "lang" else "default"
    return found


_KINDS: dict[str, type | tuple[type, ...]] = {
    "assume_cleared": bool, "late": bool, "unfinished": bool, "require_ledger": bool, "quiet": bool, "by_line": bool, "audit_map_xlsx": bool,
    "summary_flag": int, "item_name_flag": int, "workers": int, "chunk_bytes": int, "spool_limit": int, "warn_days": int, "lock_wait": (int, float), "spark_wait": (int, float),
    "receipts": list, "sheets": list, "formats": list,
}  # fmt: skip
"""What TOML type a setting has; text, if nothing is said."""
_ALLOWED: dict[str, tuple[Any, ...]] = {
    "edition": tuple(EDITIONS), "summary_flag": (1, 2), "item_name_flag": (0, 1), "engine": (LOCAL, SPARK), "lang": ("en", "zh"), "headings": ("own", "zh"), "route": (DECLARATION,), "log_format": ("text", "json"),
}  # fmt: skip
_KINDS_ZH: dict[type, str] = {bool: "true或false", int: "整数", float: "数字", str: "带引号的文本", list: "列表[…]", dict: "表"}
_LONGEST = 4095
_LEAST = {"workers": 1, "chunk_bytes": 1, "spool_limit": 1, "warn_days": 0, "lock_wait": 0, "spark_wait": 1}
_MOST = {"workers": 1024, "chunk_bytes": 1 << 30, "spool_limit": 1 << 30, "warn_days": 1_000_000_000, "lock_wait": 31_536_000, "spark_wait": 31_536_000}
_PATHS = ("tariff", "rates", "calendar", "metrics_file", "work_dir")


def _setting(name: str, value: Any) -> Any:
    kind = _KINDS.get(name, str)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if type(value) not in kinds:
        wanted, found = (" or ".join(each.__name__ for each in kinds), type(value).__name__)
        raise WrongValue(f"expected {wanted}, found {found}", f"应为{'或'.join(_KINDS_ZH[each] for each in kinds)}，实为{_KINDS_ZH.get(type(value), found)}")
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        raise WrongValue("expected a list of text, each in quotes", "应为文本列表，每项加引号")
    if name in ("period", "first_period"):
        return Period.parse(value)
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and ("\0" in text or len(text) > _LONGEST):
            raise WrongValue("it is too long, or holds a NUL", "过长，或含有空字符")
    if name == "ledger":
        return place_of(value)
    if name == "out":
        return any_path_of(value)
    if name in _PATHS:
        return local_path_of(value)
    if name == "receipts":
        return tuple(any_path_of(item) for item in value)
    if name == "sheets":
        return tuple(str(item) for item in value)
    if name == "formats":
        if not set(value) <= {"parquet", "csv", "xlsx"}:
            raise WrongValue("formats are csv, parquet and xlsx", "格式为 csv、parquet 和 xlsx")
        return tuple(value)
    if name == "as_of":
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or day.year not in YEARS:
            raise WrongValue(f"'{value}' is not a day. Write it as YYYY-MM-DD", f"“{value}”不是日期，应写作 YYYY-MM-DD")
        return day
    if name in _ALLOWED and value not in _ALLOWED[name]:
        raise WrongValue(f"expected one of {', '.join(map(str, _ALLOWED[name]))}, found {value!r}", f"应为 {'、'.join(map(str, _ALLOWED[name]))} 之一，实为 {value!r}")
    if name in _LEAST and not value >= _LEAST[name]:
        raise WrongValue(f"must be at least {_LEAST[name]}", f"不得小于 {_LEAST[name]}")
    if name in _MOST and not value <= _MOST[name]:
        raise WrongValue(f"must be at most {_MOST[name]}", f"不得大于 {_MOST[name]}")
    return float(value) if name in ("lock_wait", "spark_wait") else value


def _table(mode: Mode, table: str, values: dict[str, Any], problems: Problems) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        if not isinstance(value, str):
            problems.add(f"[{table}] {key}: the value must be text in quotes", f"[{table}] {key}：值必须是带引号的文本", table, key)
        elif table == "columns":
            column, heading = next(((each, other) for name, other in ((key, value), (value, key)) if (each := mode.dictionary.column_called(name))), ("", key))
            if not column:
                names = [field.shown for field in mode.dictionary.fields]
                said = next((said for each in (key, value) if (said := meant(each, names)).en), Text("", ""))
                problems.add(f"[columns] {key} = {value}: neither is a column{said.en}", f"[columns] {key} = {value}：两者都不是列名{said.zh}", table, key)
            else:
                pairs.append((column, heading))
        elif table == "constants":
            column = mode.dictionary.column_called(key) or ""
            if not column or not mode.dictionary[column].header or column == "inventory_no":
                said = meant(key, [field.shown for field in mode.dictionary.fields if field.header and field.shown != key])
                problems.add(f"[constants] {key} is not a header column{said.en}", f"[constants] {key} 不是表头列{said.zh}", table, key)
            else:
                pairs.append((column, value))
        elif key not in mode.rules:
            problems.add(f"[severity] {key} is not a rule; see 'aggregator rules'", f"[severity] {key} 不是规则代码；参见 aggregator rules", table, key)
        elif value not in tuple(Severity):
            problems.add(f"[severity] {key} must be \"error\" or \"warning\"", f"[severity] {key} 必须是 \"error\" 或 \"warning\"", table, key)
        elif mode.rules[key].fixed and value != mode.rules[key].severity:
            problems.add(
                f"[severity] {key} cannot be lowered: without it a line could not be identified, keyed or added",
                f"[severity] {key} 不能降级：否则无法识别、归并或合计该行",
                table, key,
            )  # fmt: skip
        elif mode.rules[key].scope not in ("row", "inventory", "batch"):
            problems.add(f"[severity] {key} is not about the data", f"[severity] {key} 不是数据规则", table, key)
        else:
            pairs.append((key, value))
    return pairs
