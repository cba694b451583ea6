"""`make faults`: every scenario disturbed at every step; a line a scenario, and what went wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.preload import build_shim, disturb
from tests.faults.scenarios import SCENARIOS

ERRORS = ("ENOSPC", "EIO", "EACCES")


def suffer(shim: Path, name: str, points: int) -> tuple[Counter[str], list[str]]:
    started, counts, problems = time.monotonic(), Counter[str](), []
    for said in disturb(shim, name, points):
        if "how" not in said:
            counts["steps"] = said["steps"]
            continue
        if said["struck"] or said["code"] < 0:
            counts["error" if said["how"] in ERRORS else "kill"] += 1
        else:
            counts["without effect"] += 1
        problems += [f"{name}, {said['how']} at step {said['step']}: {problem}" for problem in said["problems"]]
    listed = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"{name}: {listed}, {len(problems)} problems, {time.monotonic() - started:.0f} s", flush=True)
    return counts, problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=0, help="trials a scenario; 0: all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        shim = build_shim(Path(folder))
        by_length = sorted((each.name for each in SCENARIOS), key=lambda name: not name.endswith("run"))
        results = list(pool.map(lambda name: suffer(shim, name, options.points), by_length))
    total: Counter[str] = sum((counts for counts, _ in results), Counter())
    problems = [problem for _, found in results for problem in found]
    print(f"in all: {total['kill']} killed, {total['error']} failed, {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
