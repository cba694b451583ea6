"""`make bench`: the main job against the bare parse of the same file, in one run on this machine.

Times are ratios: machines differ and are noisy. Memory is that of all processes of the run together, sampled.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOM = Path("bench-data")
GOALS = {"clean": 8.0, "shuffled_to_clean": 2.0, "memory_gb": 0.8}

BARE_PARSE = """
import sys, time
import pyarrow as pa, pyarrow.csv as pa_csv
path = sys.argv[1]
names = open(path, encoding="utf-8").readline().strip().split(",")
options = pa_csv.ConvertOptions(column_types={name: pa.string() for name in names})
start = time.perf_counter()
table = pa_csv.read_csv(path, convert_options=options, parse_options=pa_csv.ParseOptions(invalid_row_handler=lambda row: "skip"))
print(time.perf_counter() - start)
"""


def bare_parse(path: Path) -> float:
    """Seconds of pyarrow's own parse to text, two threads, imports not counted."""
    result = subprocess.run([sys.executable, "-c", BARE_PARSE, str(path)], capture_output=True, text=True, check=True)
    return float(result.stdout)


def timed(command: list[str]) -> float:
    """Seconds of the whole command, imports and all."""
    start = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if code not in (0, 3):
        raise SystemExit(f"{command} ended with {code}")
    return time.perf_counter() - start


def peak_memory(command: list[str]) -> float:
    """GB (PSS) of all processes of a command together. In a run of its own: reading it takes a good part of a core."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
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


def run_command(path: Path, folder: Path) -> list[str]:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    return [sys.executable, "-m", "aggregator", "run", str(path), "--period", "2026-10", "--first-period", "2026-09", "--out", str(out)]


def shuffled(path: Path) -> Path:
    lines = path.read_bytes().splitlines(keepends=True)
    body = lines[1:]
    random.Random(1).shuffle(body)
    target = path.with_name("shuffled.csv")
    target.write_bytes(lines[0] + b"".join(body))
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--faults", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-shuffled", action="store_true")
    options = parser.parse_args()
    ROOM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOM) as temporary:
        folder = Path(temporary)
        sample = [sys.executable, "-m", "aggregator", "sample", "--lines", str(options.lines), "--faults", str(options.faults),
                  "--period", "2026-10", "--out", str(folder)]  # fmt: skip
        seconds = timed(sample)
        path = folder / "inventories.csv"
        print(f"sample: {options.lines:,} lines, {path.stat().st_size / 1e6:,.0f} MB in {seconds:.1f} s")
        files = {"in order": path} | ({} if options.no_shuffled else {"shuffled": shuffled(path)})
        times: dict[str, float] = {}
        for name, file in files.items():
            parses, runs = [], []
            for _ in range(options.rounds):
                parses.append(bare_parse(file))
                runs.append(timed(run_command(file, folder)))
            parse, taken = statistics.median(parses), statistics.median(runs)
            times[name] = taken
            memory = peak_memory(run_command(file, folder))
            print(
                f"{name}: run {taken:.1f} s, bare parse {parse:.2f} s, ratio {taken / parse:.1f} "
                f"(goal {GOALS['clean']:.0f}); peak {memory:.2f} GB (goal {GOALS['memory_gb']})"
            )
        if "shuffled" in times:
            ratio = times["shuffled"] / times["in order"]
            print(f"shuffled to in order: {ratio:.2f} (goal {GOALS['shuffled_to_clean']:.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
