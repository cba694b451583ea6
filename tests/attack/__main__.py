"""`make attack`: every case of the red team, on the cores there are. `python -m tests.attack NAME` tries those whose name holds it."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.attack.cases import cases
from tests.attack.judge import breaches

WORKERS = int(os.environ.get("ATTACK_WORKERS", "2"))


def broken(which: slice, wanted: str = "", *, light: bool = False) -> tuple[Counter[str], list[tuple[str, list[str]]]]:
    """Of the cases whose name holds `wanted`, some: how many by area, and those that break something. `light`: of those that are not heavy."""
    tried, found = Counter[str](), []
    for each in [case for case in cases() if wanted in case.name and not (light and case.heavy)][which]:
        tried[each.name.split("/")[0]] += 1
        if said := breaches(each):
            found.append((each.name, said))
    return tried, found


def main(arguments: Iterable[str]) -> int:
    begun, wanted = time.monotonic(), next(iter(arguments), "")
    tried, found = Counter[str](), 0
    with ProcessPoolExecutor(WORKERS) as pool:
        shares = [slice(place, None, WORKERS * 8) for place in range(WORKERS * 8)]
        # Said as it comes: whoever ends it has what was found.
        for part, broke in pool.map(broken, shares, [wanted] * len(shares)):
            tried, found = tried + part, found + len(broke)
            sys.stdout.writelines(f"{name!r}: {'; '.join(said)!r}\n" for name, said in broke)
            sys.stdout.write(f"… {tried.total():,} cases, {found} broken, {time.monotonic() - begun:.0f} s\n")
            sys.stdout.flush()
    listed = ", ".join(f"{area} {count:,}" for area, count in sorted(tried.items()))
    sys.stdout.write(f"{tried.total():,} cases, {found} broken, {time.monotonic() - begun:.0f} s ({listed})\n")
    return 1 if found or not tried else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
