"""Seconds and memory of whole commands, imports and all."""

from __future__ import annotations

import platform
import resource
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil

BARE_PARSE = """
import sys
import pyarrow as pa, pyarrow.csv as pa_csv
path = sys.argv[1]
names = open(path, encoding="utf-8").readline().strip().split(",")
options = pa_csv.ConvertOptions(column_types={name: pa.string() for name in names})
parse = pa_csv.ParseOptions(invalid_row_handler=lambda row: "skip")
lines = sum(len(batch) for batch in pa_csv.open_csv(path, convert_options=options, parse_options=parse))
"""
"""All columns as text, batch by batch: what no program that reads the file with Arrow can do without."""


def aggregator(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "aggregator", *map(str, arguments)]


def run_of(inputs: list[Path], out: Path, *more: str) -> list[str]:
    return aggregator("run", *inputs, "--period", "2026-10", "--first-period", "2026-09", "--out", out, *more)


def sample(folder: Path, lines: int, faults: float) -> Path:
    timed(aggregator("sample", "--lines", lines, "--faults", faults, "--period", "2026-10", "--out", folder))
    return folder / "inventories.csv"


def timed(command: list[str], out: Path | None = None) -> float:
    """Seconds; `out` is removed before."""
    if out is not None:
        shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - start


def cpu_and_wall(command: list[str], out: Path) -> tuple[float, float]:
    """Seconds of CPU, and seconds: the first say something on a busy machine too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = timed(command, out)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def peak_memory(command: list[str]) -> float:
    """GB (PSS) of all processes of a command together. In a run of its own: reading it takes a good part of a core."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total = 0
        try:
            for each in (process, *process.children(recursive=True)):
                total += each.memory_full_info().pss
        except psutil.Error:
            pass
        peak = max(peak, total)
        time.sleep(0.1)
    return peak / 1e9


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    load = psutil.getloadavg()[0]
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, load {load:.1f} at the start"


def versions() -> str:
    names = ("pyarrow", "pandas", "pandera", "duckdb", "polars")
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])


def commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
