"""`aggregator doctor`: whether all that a run needs is there, each thing with what to do where it is not."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import aggregator
from aggregator.domain.deadline import Calendar, calendar_of, deadline, earliest_deadline
from aggregator.jobs.clock import clock_behind
from aggregator.jobs.folders import gone, troubles, unreadable
from aggregator.jobs.heads import refuse_old
from aggregator.jobs.publish import mark_of, refuse_unknown, unfinished
from aggregator.ledger.at import ledger_at
from aggregator.ledger.ledger import LedgerAt
from aggregator.model.errors import StopRun
from aggregator.model.period import Period
from aggregator.model.remote import AnyPath
from aggregator.model.settings import DoctorSettings
from aggregator.places.at import place_at
from aggregator.schemas.modes import Mode
from aggregator.schemas.text import Text, counted

CALENDAR_AHEAD = timedelta(days=60)
_LEAST_FREE = 2 << 30
_LEDGER_COPIES = 3
"""Room for the ledger to grow by a month, its rollback journal and a backup."""
_LIBRARIES = ("pandas", "pyarrow", "pandera", "click", "filelock", "chinesecalendar", "prometheus-client", "lxml", "python-calamine", "xlsxwriter")
_NOTHING = Text("", "")
_SAYS_MORE = Text("'aggregator ledger check' says more.", "运行 aggregator ledger check 查看详情。")


@dataclass(frozen=True)
class Check:
    """One thing looked at. `remedy` is blank where all is well."""

    name: Text
    well: bool
    found: Text
    remedy: Text = _NOTHING


def examine(settings: DoctorSettings, today: date) -> list[Check]:
    """Everything in turn: versions, locale, folders, disk, ledger, calendar."""
    return [*_versions(), _locale(), *_folders(settings), *_disk(settings), *_ledger(settings, today), _calendar(settings, today)]


def _versions() -> Iterator[Check]:
    name = Text("versions", "版本")
    missing, found = [], [f"aggregator {aggregator.__version__}", f"Python {platform.python_version()}"]
    for library in _LIBRARIES:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            missing.append(library)
    listed = ", ".join(found)
    if missing:
        lacking = ", ".join(missing)
        yield Check(name, False, Text(f"{listed}; missing: {lacking}", f"{listed}；缺少：{lacking}"),
                    Text("Install this tool again in an environment of its own.", "请在独立环境中重新安装本工具。"))  # fmt: skip
    else:
        yield Check(name, True, Text(listed, listed))


def _locale() -> Check:
    name, encoding = Text("locale", "区域设置"), (getattr(sys.stdout, "encoding", None) or "").lower()
    found = Text(f"output is written in {encoding or 'an unknown encoding'}", f"输出编码为 {encoding or '未知'}")
    try:
        "清单".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return Check(name, False, found, Text("Chinese names cannot be shown: set LANG=C.UTF-8 or PYTHONIOENCODING=utf-8.",
                                              "无法显示中文：请设置 LANG=C.UTF-8 或 PYTHONIOENCODING=utf-8。"))  # fmt: skip
    return Check(name, True, found)


def _folders(settings: DoctorSettings) -> Iterator[Check]:
    name = Text("folder of results", "结果文件夹")
    if settings.out is None:
        yield Check(name, False, Text("not named", "未指定"), Text("Name it: --out DIR, or out in the config.", "请用 --out 或配置中的 out 指定。"))
        return
    places: dict[Text, AnyPath] = {name: settings.out}
    home = ledger_at(settings.ledger).folder if settings.ledger is not None else None
    if home is not None and home != settings.out.resolve():
        places[Text("folder of the ledger", "台账文件夹")] = home
    for title, folder in places.items():
        yield _writable(title, folder)


def _writable(name: Text, folder: AnyPath) -> Check:
    there = _existing(folder) if isinstance(folder, Path) else folder
    try:
        place_at(there).refuse_unwritable(there)
    except StopRun as error:
        return Check(name, False, Text(str(folder), str(folder)), error.text)
    except OSError as error:
        return Check(name, False, Text(f"{folder}: {error.strerror}", f"{folder}：{error.strerror}"),
                     Text("Give the user that runs this the right to write there, or mount the disk for writing.",
                          "请授予运行用户写权限，或以可写方式挂载磁盘。"))  # fmt: skip
    if there != folder:
        return Check(name, True, Text(f"{folder} will be made", f"{folder} 将自动创建"))
    return Check(name, True, Text(f"{folder} can be written", f"{folder} 可写"))


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _disk(settings: DoctorSettings) -> Iterator[Check]:
    name = Text("disk space", "磁盘空间")
    ledger = ledger_at(settings.ledger) if settings.ledger is not None else None
    home = ledger.folder if ledger is not None else None
    needed = _LEAST_FREE + (_LEDGER_COPIES * ledger.size() if ledger is not None and home is not None else 0)
    # What goes to object storage is made on this machine first.
    folder = settings.out if isinstance(settings.out, Path) else Path(tempfile.gettempdir()) if settings.out is not None else home
    if folder is not None:
        free = shutil.disk_usage(_existing(folder.resolve())).free
        found = Text(f"{free / 1e9:,.1f} GB free, {needed / 1e9:,.1f} GB wanted", f"可用 {free / 1e9:,.1f} GB，需要 {needed / 1e9:,.1f} GB")
        remedy = _NOTHING if free >= needed else Text("Free some space, or move the results to a larger disk.", "请清理空间，或将结果移至更大的磁盘。")
        yield Check(name, free >= needed, found, remedy)


def _ledger(settings: DoctorSettings, today: date) -> Iterator[Check]:
    name, place = Text("ledger", "台账"), settings.ledger
    if place is None:
        return
    at = ledger_at(place)
    try:
        there = at.exists()
    except StopRun as error:
        yield Check(name, False, error.text, _NOTHING)
        return
    if not there:
        if lost := troubles(place, None, settings.out):
            yield from (Check(name, False, each, _NOTHING) for each in lost)
            return
        remedy = Text("Make it with the first run, without --require-ledger; if there was one, restore it from a backup.",
                      "首次运行时请去掉 --require-ledger 以创建；若此前已有台账，请从备份恢复。")  # fmt: skip
        yield Check(name, not settings.require_ledger, Text(f"{place}: none yet", f"{place}：尚无"), remedy if settings.require_ledger else _NOTHING)
        return
    try:
        with at.opened() as ledger:
            ledger.refuse_altered()
            refuse_old(ledger, settings.out)
            recorded, mark = ledger.runs(), mark_of(ledger)
            pending = unfinished(recorded, mark)
            missing = gone(recorded, mark)
            if settings.out is not None:
                refuse_unknown(settings.out.resolve(), recorded, mark)
    except StopRun as error:
        yield Check(name, False, error.text, _SAYS_MORE)
        return
    except OSError as error:
        yield Check(name, False, unreadable(error), _SAYS_MORE)
        return
    size = f"{at.size():,}"
    yield Check(name, True, Text(f"{place}: {counted(len(recorded), 'run', 'runs')}, {size} bytes", f"{place}：{len(recorded)} 个批次，{size} 字节"))
    yield from (Check(Text("run folders", "批次文件夹"), False, each, _SAYS_MORE) for each in missing)
    behind = clock_behind(recorded, today) if settings.due.as_of is None else []
    yield from (Check(Text("clock", "时钟"), False, each, Text("'date' shows it.", "运行 date 可查看。")) for each in behind)
    if pending:
        listed = ", ".join(str(target) for _, target in pending)
        yield Check(Text("publication", "发布"), False, Text(f"half done: {listed}", f"未完成：{listed}"),
                    Text("'aggregator ledger check', or the next run, finishes it.", "运行 aggregator ledger check 或下一次运行会自动完成。"))  # fmt: skip
    yield _lock(at)


def _lock(ledger: LedgerAt) -> Check:
    name = Text("lock", "锁")
    try:
        held = ledger.is_locked()
    except OSError as error:
        return Check(name, False, Text(f"{ledger.place}.lock: {error.strerror}", f"{ledger.place}.lock：{error.strerror}"),
                     Text("Give the user that runs this the right to write there; the disk must be able to lock files.",
                          "请授予运行用户写权限；磁盘须支持文件锁。"))  # fmt: skip
    return Check(name, True, Text("held by a run under way", "正被运行中的批次占用") if held else Text("free", "空闲"))


def _calendar(settings: DoctorSettings, today: date) -> Check:
    """The deadlines up to CALENDAR_AHEAD from now: a year without a calendar is reported before it is needed."""
    name = Text("working-day calendar", "工作日历")
    try:
        calendar = calendar_of(settings.due.years, settings.due.calendar)
        found = _deadlines(settings.mode, calendar, today)
    except StopRun as error:
        return Check(name, False, Text(f"not known up to {today + CALENDAR_AHEAD}", f"未覆盖至 {today + CALENDAR_AHEAD}"), error.text)
    listed = ", ".join(f"{period} → {day}" for period, day in found)
    return Check(name, True, Text(f"deadlines {listed}", f"申报期限 {listed}"))


def _deadlines(mode: Mode, calendar: Calendar, today: date) -> list[tuple[Period, date]]:
    """Raises NoCalendar."""
    period, found = Period.before(today), list[tuple[Period, date]]()
    while mode.deadline_day is not None:
        if earliest_deadline(period, mode.deadline_day) > today + CALENDAR_AHEAD and found:
            return found
        found.append((period, deadline(period, calendar, mode.deadline_day)))
        period = Period(period.next_month.year, period.next_month.month)
    return found
