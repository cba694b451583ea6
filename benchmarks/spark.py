"""`python -m benchmarks.spark`: the same run on Spark's local cluster and on this machine's processes, memory of the driver by size, and
one consignor with most of the lines against many alike.

Sizes: --lines 1000000 10000000. Each size is run once on either engine. Needs PySpark and Java. Printed, as Markdown.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv

from benchmarks.measure import machine, run_of, sample

ROOM = Path("bench-data-spark")
FIRMS, SHARE = 500, 0.6
"""How many consignors, and what share of the inventories the huge one has."""
_PAUSE_SECONDS = 0.2


@dataclass
class Used:
    """Seconds, seconds of CPU of all processes and of the command's own, and peak PSS in GB: of that one, of Java's driver, of all together."""

    wall: float = 0.0
    own: float = 0.0
    driver: float = 0.0
    java: float = 0.0
    together: float = 0.0
    cpu_of: dict[int, float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        return sum(self.cpu_of.values())


def used_by(command: list[str], out: Path) -> Used:
    shutil.rmtree(out, ignore_errors=True)
    used, start = Used(), time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None:
        look(process, used)
        time.sleep(_PAUSE_SECONDS)
    used.wall = time.perf_counter() - start
    if process.returncode not in (0, 3):
        raise SystemExit(f"{command} ended with {process.returncode}: {process.stderr.read().decode(errors='replace')[-2000:]}")
    return used


def look(process: psutil.Popen, used: Used) -> None:
    together = 0.0
    try:
        processes = [process, *process.children(recursive=True)]
    except psutil.Error:
        return
    for each in processes:
        try:
            with each.oneshot():
                memory, spent, is_java = each.memory_full_info().pss / 1e9, each.cpu_times(), "org.apache.spark.deploy.SparkSubmit" in each.cmdline()
        except (psutil.Error, OSError):
            continue
        used.cpu_of[each.pid] = spent.user + spent.system
        together += memory
        if each.pid == process.pid:
            used.driver, used.own = max(used.driver, memory), used.cpu_of[each.pid]
        elif is_java:
            used.java = max(used.java, memory)
    used.together = max(used.together, together)


def same(one: Path, other: Path) -> bool:
    """Whether two runs made the same bytes; what says when a run was stands in two files."""
    [ours], [theirs] = one.glob("2026-10/*-01"), other.glob("2026-10/*-01")
    names = [path.relative_to(ours) for path in ours.rglob("*") if path.is_file() and path.name not in ("manifest.json", "report.html")]
    return all(filecmp.cmp(ours / name, theirs / name, shallow=False) for name in names)


def with_consignors(source: Path, target: Path, share: float) -> Path:
    """The same lines with other consignors: one has this share of the inventories, the others are alike."""
    names = source.open(encoding="utf-8").readline().strip().split(",")
    convert = pa_csv.ConvertOptions(column_types={name: pa.string() for name in names})
    with pa_csv.open_csv(source, convert_options=convert) as batches, pa_csv.CSVWriter(target, batches.schema) as sink:
        for batch in batches:
            numbers = np.array([int(number[-9:]) for number in batch["inventory_no"].to_pylist()])
            firm = np.where(numbers % 1000 < share * 1000, 0, 1 + numbers // 1000 % FIRMS)
            codes = pa.array([f"4403{place:06d}" for place in firm.tolist()])
            firms = pa.array([f"第{place}号跨境电子商务有限公司" for place in firm.tolist()])
            for name, values in (("consignor_code", codes), ("consignor_name", firms)):
                batch = batch.set_column(batch.schema.get_field_index(name), name, values)
            sink.write_batch(batch)
    return target


def rows(sizes: list[int], master: str) -> Iterator[str]:
    on_spark = ("--engine", "spark", "--spark-master", master, "--spark-wait", "300")
    yield "| lines | engine | s | s of CPU | driver's s of CPU | driver, GB | Java's driver, GB | all processes, GB | bytes |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for lines in sizes:
        path = sample(ROOM / f"{lines}", lines, 0.01)
        local, spark = used_by(run_of([path], ROOM / "local"), ROOM / "local"), used_by(run_of([path], ROOM / "spark", *on_spark), ROOM / "spark")
        equal = "same" if same(ROOM / "local", ROOM / "spark") else "DIFFERENT"
        for name, used in (("local", local), ("spark", spark)):
            yield f"| {lines:,} | {name} | {used.wall:.1f} | {used.cpu:.1f} | {used.own:.1f} | {used.driver:.2f} | {used.java:.2f} | {used.together:.2f} | {equal} |"
        path.unlink()
        yield f"| {lines:,} | spark to local | {spark.wall / local.wall:.2f} | {spark.cpu / local.cpu:.2f} | {spark.own / local.own:.2f} | {spark.driver / local.driver:.2f} | | {spark.together / local.together:.2f} | |"
    path = sample(ROOM / "sound", sizes[0], 0.0)
    alike, skewed = (
        used_by(run_of([with_consignors(path, ROOM / f"{name}.csv", share)], ROOM / "spark", *on_spark), ROOM / "spark") for name, share in (("alike", 0.0), ("skewed", SHARE))
    )
    for name, used in (("500 consignors alike", alike), ("one with 60 %", skewed)):
        yield f"| {sizes[0]:,} | spark, {name} | {used.wall:.1f} | {used.cpu:.1f} | {used.own:.1f} | {used.driver:.2f} | {used.java:.2f} | {used.together:.2f} | |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    options = parser.parse_args()
    ROOM.mkdir(exist_ok=True)
    try:
        used = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "pyarrow", "pandas"))
        print(f"On {machine()}; {used}.\n", flush=True)
        for row in rows(options.lines, options.master):
            print(row, flush=True)
    finally:
        shutil.rmtree(ROOM, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
