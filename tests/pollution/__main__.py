"""`python -m tests.pollution`: what becomes of every variant, counted by kind and class; ends with 1 where one fails.

`--kind KIND`, `--share 2/5` (the second fifth of each kind) and `--round N` (other places and dialects) choose among them.
`NAME [--keep FILE]` makes one variant."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from tests.pollution.judge import Class, Verdict, judge_in_memory
from tests.pollution.pollution import KINDS
from tests.pollution.variants import Variant, named, variants

SHOWN = 400
PARTS = 4
"""So many tasks a kind, for the workers to share."""


def main() -> int:
    asked = _options()
    if asked.name:
        variant = named(asked.name)
        if asked.keep:
            asked.keep.write_bytes(variant.data())
        print(_said(variant, judge_in_memory(variant)))
        return 0
    part, parts = (int(each) for each in asked.share.split("/"))
    found = Counter[tuple[str, Class]]()
    failing: list[tuple[Variant, Verdict]] = []
    began = time.monotonic()
    with ProcessPoolExecutor(asked.workers) as pool:
        tasks = [(kind, asked.round, slice(part - 1 + parts * each, None, parts * PARTS)) for kind in asked.kind or KINDS for each in range(PARTS)]
        for (kind, _, _), (counts, fails) in zip(tasks, pool.map(_judged, tasks), strict=True):
            found.update({(kind, each): count for each, count in counts.items()})
            failing += [(named(name), verdict) for name, verdict in fails]
            for each in failing[len(failing) - len(fails) :]:
                print(_said(*each), flush=True)
    print("\n".join(table(found)))
    print(f"{sum(found.values())} variants of {len({kind for kind, _ in found})} kinds in {time.monotonic() - began:.0f} s, {len(failing)} fail")
    if asked.log:
        asked.log.write_text("".join(json.dumps({"name": variant.name, "found": verdict.found, "why": verdict.why}) + "\n" for variant, verdict in failing))
    return 1 if failing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.pollution", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="one variant, as it was printed")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the polluted export here")
    parser.add_argument("--kind", action="append", choices=list(KINDS), metavar="KIND")
    parser.add_argument("--share", default="1/1")
    parser.add_argument("--round", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--log", type=Path, metavar="FILE", help="the failing variants, one JSON object a line")
    return parser.parse_args()


Task = tuple[str, int, slice]


def _judged(task: Task) -> tuple[Counter[Class], list[tuple[str, Verdict]]]:
    kind, round_no, some = task
    chosen: Iterator[Variant] = islice(variants(kind, round_no), some.start, some.stop, some.step)
    verdicts = [(variant.name, judge_in_memory(variant)) for variant in chosen]
    return Counter(verdict.found for _, verdict in verdicts), [(name, verdict) for name, verdict in verdicts if verdict.fails]


def _said(variant: Variant, verdict: Verdict) -> str:
    return f"{verdict.found}: {variant.name!r}: {verdict.why[:SHOWN]!r}"


def table(found: Counter[tuple[str, Class]]) -> Iterator[str]:
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    yield f"{'':30}" + "".join(f"{each:>20}" for each in Class)
    for kind in kinds:
        yield f"{kind:30}" + "".join(f"{found[kind, each]:>20}" for each in Class)
    yield f"{'all':30}" + "".join(f"{sum(found[kind, each] for kind in kinds):>20}" for each in Class)


if __name__ == "__main__":
    sys.exit(main())
