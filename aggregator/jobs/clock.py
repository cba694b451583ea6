"""Whether the clock of this machine can be right: deadlines are counted from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from aggregator.model.records import Run
from aggregator.schemas.text import Text

_APART = timedelta(days=1)
"""Clocks of several hosts differ, by less than this."""


def clock_behind(recorded: Iterable[Run], today: date) -> list[Text]:
    """What to say where a run was recorded later than today."""
    last = max(recorded, key=lambda run: run.recorded_at, default=None)
    if last is None or last.recorded_at[:10] <= str(min(today, date.max - _APART) + _APART):
        return []
    return [Text(
        f"By the clock of this machine it is {today}, but run {last.run_ref} was recorded at {last.recorded_at}: set the clock right, for deadlines are counted from it.",
        f"本机时钟为 {today}，但批次 {last.run_ref} 记录于 {last.recorded_at}：请校正时钟，申报期限按其计算。",
    )]  # fmt: skip
