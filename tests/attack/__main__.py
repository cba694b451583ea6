"""`make attack`: every case of the red team, on the cores there are. `python -m tests.attack NAME` tries those whose name holds it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.attack.cases import cases
from tests.attack.judge import breaches

WORKERS = int(os.environ.get("ATTACK_WORKERS", "2"))


def broken(place: int, of: int, wanted: str) -> tuple[Counter[str], list[tuple[str, list[str]]]]:
    """Every n-th case from one on: how many by area, and those that break something."""
    tried, found = Counter[str](), []
    for each in [case for case in cases() if wanted in case.name][place::of]:
        tried[each.name.split("/")[0]] += 1
        with tempfile.TemporaryDirectory(prefix="attack-") as folder:
            if said := breaches(each, Path(folder)):
                found.append((each.name, said))
    return tried, found


def main(arguments: Iterable[str]) -> int:
    begun, wanted = time.monotonic(), next(iter(arguments), "")
    with ProcessPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(broken, range(WORKERS * 8), [WORKERS * 8] * WORKERS * 8, [wanted] * WORKERS * 8))
    tried = sum((part for part, _ in parts), Counter[str]())
    found = sorted(each for _, part in parts for each in part)
    for name, said in found:
        sys.stdout.write(f"{name!r}: {'; '.join(said)!r}\n")
    listed = ", ".join(f"{area} {count:,}" for area, count in sorted(tried.items()))
    sys.stdout.write(f"{tried.total():,} cases, {len(found)} broken, {time.monotonic() - begun:.0f} s ({listed})\n")
    return 1 if found or not tried else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
