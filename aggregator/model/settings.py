"""Settings, one object a command: what it always has is there, what need not be is None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from aggregator.model.company import Company, Market
from aggregator.model.customs import Customs
from aggregator.model.period import Period
from aggregator.model.place import Place
from aggregator.model.remote import AnyPath
from aggregator.schemas.column_names import Headings, headings_in
from aggregator.schemas.field import Dictionary
from aggregator.schemas.modes import Mode
from aggregator.schemas.rule import Severity
from aggregator.schemas.text import Lang


@dataclass(frozen=True)
class ReadSettings:
    """What is read, and how. `columns`: column and heading; `constants`: header column and its value in all lines;
    `chunk_bytes`: how much a block of text holds at most. `by_line`: lines without a slip number are declared by themselves;
    `spool_limit`: bytes of standard input or a pipe; `work_dir`: where copies of inputs are made, None for the system's place for such."""

    mode: Mode
    inputs: tuple[AnyPath, ...]
    receipts: tuple[AnyPath, ...]
    tariff: Path | None
    sheets: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    chunk_bytes: int
    assume_cleared: bool
    rates: RateSettings | None
    by_line: bool
    spool_limit: int
    work_dir: Path | None = None

    @property
    def clearing_known(self) -> bool:
        """Whether something other than the exports says what is cleared."""
        return bool(self.receipts) or self.assume_cleared or not self.mode.waits_for_clearing


@dataclass(frozen=True)
class RateSettings:
    """The table of exchange rates: a file, or rows of the config."""

    file: Path | None
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Flags:
    """`summary_flag` 2: by consignor and producer_seller; 1: by consignor alone (table 2-73). `item_name_flag` 1: the
    enterprise's own goods name stands in the key; 0: customs' category name, which is not computable here."""

    summary_flag: int
    item_name_flag: int


@dataclass(frozen=True)
class SendSettings:
    """Who sends applications to customs, in messages of which edition."""

    customs: Customs
    edition: str


@dataclass(frozen=True)
class LedgerPlace:
    """Where the ledger is, a path made absolute; `out`: the folder of the run folders, as the user named it, where it is known."""

    path: Place
    out: AnyPath | None
    lock_wait: float
    required: bool


@dataclass(frozen=True)
class DueSettings:
    """What deadlines are counted from and by. `as_of` is None for today; `years`, `calendar`: working days of the user's own."""

    as_of: date | None
    years: Mapping[str, Any]
    calendar: Path | None
    warn_days: int


@dataclass(frozen=True)
class SparkSettings:
    """Where steps run if not here. `wait`: seconds for the master to answer, and to give executors. `given`: settings of Spark's own
    (names that begin with spark.), which may be secrets."""

    master: str
    wait: float
    given: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        return tuple(value for name, value in self.given if _SECRET.search(name) and len(value) > _TOO_SHORT_TO_HIDE)


_SECRET, _TOO_SHORT_TO_HIDE = re.compile("secret|password|passwd|token|credential|access|key", re.IGNORECASE), 3


@dataclass(frozen=True)
class EngineSettings:
    """What runs the steps. `spark` is None for this machine's own processes, `workers` of them; `work_dir`: where what does not last is
    put, None for the usual places."""

    workers: int
    spark: SparkSettings | None = None
    work_dir: Path | None = None


@dataclass(frozen=True)
class RunSettings:
    """`mode` with the rules of all times, `severities` the user's own; `declare_all`: no order goes as a list; `recorded`: what the
    manifest says of the settings."""

    mode: Mode
    severities: Mapping[str, Severity]
    reading: ReadSettings
    period: Period
    first_period: Period | None
    late: bool
    flags: Flags
    sending: SendSettings | None
    out: AnyPath
    ledger: LedgerPlace
    formats: tuple[str, ...]
    audit_map_xlsx: bool
    engine: EngineSettings
    dry_run: bool
    lang: Lang
    headings: Headings | None
    as_of: date
    due: DueSettings
    rates: RateSettings | None
    company: Company
    market: Market
    declare_all: bool
    recorded: Mapping[str, Any]

    @property
    def sheet_headings(self) -> Lang:
        """Of workbooks: unless something else is asked for, in the language of the run."""
        return headings_in(self.headings, self.lang)

    @property
    def csv_headings(self) -> Lang:
        """Of CSV files, which programs read too."""
        return headings_in(self.headings, "en")

    @property
    def mode_then(self) -> Mode:
        """The mode as it is at the end of the period."""
        return self.mode.on(self.period.last_day, self.severities)


@dataclass(frozen=True)
class CheckSettings:
    """Without a period the data alone is checked, by the rules of today."""

    mode: Mode
    severities: Mapping[str, Severity]
    reading: ReadSettings
    period: Period | None
    late: bool
    flags: Flags
    engine: EngineSettings
    lang: Lang
    as_of: date | None
    rates: RateSettings | None
    company: Company
    customs: Customs | None
    declare_all: bool


@dataclass(frozen=True)
class ModesSettings:
    """What is known of the firm and its market, and the day that stands in where a line gives none."""

    reading: ReadSettings
    dictionary: Dictionary
    rates: RateSettings | None
    company: Company
    market: Market
    as_of: date | None


@dataclass(frozen=True)
class ReceiveSettings:
    """`csv_headings`: of what is written for people."""

    mode: Mode
    inputs: tuple[AnyPath, ...]
    out: AnyPath
    ledger: LedgerPlace
    csv_headings: Lang = "en"


@dataclass(frozen=True)
class StatusSettings:
    """Without a ledger only the deadlines are reported. `out`: where run folders are, if it is known."""

    mode: Mode
    out: AnyPath | None
    ledger: Place | None
    require_ledger: bool
    period: Period | None
    due: DueSettings
    most: int


@dataclass(frozen=True)
class DoctorSettings:
    mode: Mode
    out: AnyPath | None
    ledger: Place | None
    require_ledger: bool
    due: DueSettings
