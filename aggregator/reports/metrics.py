"""How a run ended, as a file for Prometheus' textfile collector: written whole beside its place, then renamed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aggregator.model.disk import write_file
from aggregator.model.errors import CannotReadOrWrite
from aggregator.model.outcome import Outcome
from aggregator.schemas.patterns import CHINA


def write_metrics(path: Path, outcome: Outcome | None, exit_code: int, seconds: float, now: datetime) -> None:
    """`outcome` is None where the run was stopped. All values are of this run; the period is a label."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, says: str, value: float, **labels: str) -> None:
        known = names.get(name) or names.setdefault(name, Gauge(f"aggregator_run_{name}", says, tuple(labels), registry=registry))
        (known.labels(**labels) if labels else known).set(value)

    names: dict[str, Gauge] = {}
    gauge("exit_code", "Exit code of the last run: 0 done, 3 something needs attention, others stopped.", exit_code)
    gauge("finished_timestamp_seconds", "When the last run ended.", now.timestamp())
    gauge("duration_seconds", "How long the last run took.", seconds)
    if outcome is not None:
        period = outcome.period
        for fate in ("declared", "rejected", "excluded"):
            count = outcome.counts[f"inventories_{fate}"]
            gauge("inventories", "Inventories of the last run by fate.", count, period=period, fate=fate)
        gauge("inventories_late", "Inventories declared late in the last run.", outcome.counts["inventories_late"], period=period)
        gauge("declarations", "Declarations made by the last run.", outcome.counts["declarations"], period=period)
        gauge("published", "1 where the last run published a run folder.", int(outcome.published), period=period)
        gauge("undeclared", "Inventories of the period still to be declared.", outcome.undeclared, period=period)
        if outcome.deadline:
            day = datetime.fromisoformat(outcome.deadline).replace(hour=23, minute=59, second=59, tzinfo=CHINA)
            gauge("deadline_timestamp_seconds", "End of the last day to declare the period, China time.", day.timestamp(), period=period)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, generate_latest(registry))
    except OSError as error:
        raise CannotReadOrWrite(
            f"The metrics file {path} cannot be written: {error.strerror}. The run itself ended with {exit_code}. Check rights and disk space.",
            f"无法写入指标文件 {path}：{error.strerror}。运行本身的退出码为 {exit_code}。请检查权限和磁盘空间。",
        ) from None
