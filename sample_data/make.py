"""Make the sample data and its expected outputs anew: `make sample-data`. Run it after a change that is meant to move them,
look at the difference, and say in CHANGELOG which periods it touches."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aggregator.jobs.run import run
from aggregator.model.options import Options, from_config, read_config
from aggregator.model.period import Period
from aggregator.samples.orders import write_orders
from aggregator.samples.sample import Sample, write_sample
from aggregator.samples.slips import write_slips
from aggregator.schemas.patterns import CHINA

HERE = Path(__file__).parent
PERIOD = Period(2026, 10)
NOW = datetime(2026, 11, 5, 9, 0, tzinfo=CHINA)
MONTH = ("exports/shop-a-gb18030.csv", "exports/shop-b.csv")
RECEIPTS = "exports/receipts.csv"
FAULTS = "faults/faults.csv"
SLIPS = "market/slips.csv"
ORDERS = "orders/orders.csv"
GOLDEN = (
    "declarations.csv", "declaration_items.csv", "weight_shares.csv", "findings.csv", "excluded.csv", "control_totals.csv",
    "audit_map.csv",
)  # fmt: skip

GOLDEN_OF_MARKET = ("packing.csv", "packing_groups.csv", "simplified_goods.csv")
GOLDEN_OF_ORDERS = ("routes.csv",)
GOLDEN_OF = {"market": GOLDEN_OF_MARKET, "orders": GOLDEN_OF_ORDERS}


def make_inputs(folder: Path) -> None:
    base = Sample(lines=400, seed=2610, period=PERIOD)
    wanted = {
        MONTH[0]: replace(base, lines=900, cleared_by="receipts", headings="zh", encoding="gb18030"),
        MONTH[1]: replace(base, seed=2611, first_serial=5001, faults=0.02),
        FAULTS: replace(base, lines=800, seed=2612, first_serial=9001, faults=0.5),
    }
    for name, sample in wanted.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            made = write_sample(sample, Path(temporary))
            shutil.move(made[0], target)
            if len(made) > 1:
                shutil.move(made[1], folder / RECEIPTS)
    for name, write, seed in ((SLIPS, write_slips, 1039), (ORDERS, write_orders, 9710)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            [made_file] = write(replace(base, lines=600, seed=seed, faults=0.1, headings="zh"), Path(temporary))
            shutil.move(made_file, folder / name)


def run_month(out: Path, *, workers: int = 1, chunk_bytes: int = 32 << 20, **changes: Any) -> Path:
    """The demo's run, from the folder of the sample data, so that source_file is the same everywhere."""
    inputs = tuple(Path("sample_data") / name for name in MONTH)
    receipts = (Path("sample_data") / RECEIPTS,)
    options = Options(
        inputs=inputs, receipts=receipts, period=PERIOD, first_period=Period(2026, 9), out=out, formats=("csv",),
        workers=workers, chunk_bytes=chunk_bytes, **changes,
    )  # fmt: skip
    return Path(run(options.for_run(NOW.date()), NOW).folder)


def run_faults(out: Path, **changes: Any) -> Path:
    options = Options(inputs=(Path("sample_data") / FAULTS,), period=PERIOD, first_period=Period(2026, 9), out=out,
                    formats=("csv",), workers=1, **changes)  # fmt: skip
    return Path(run(options.for_run(NOW.date()), NOW).folder)


def run_market(out: Path, *, workers: int = 1, chunk_bytes: int = 32 << 20, **changes: Any) -> Path:
    return _run_configured("market", SLIPS, out, workers=workers, chunk_bytes=chunk_bytes, **changes)


def run_orders(out: Path, *, workers: int = 1, chunk_bytes: int = 32 << 20, **changes: Any) -> Path:
    return _run_configured("orders", ORDERS, out, workers=workers, chunk_bytes=chunk_bytes, **changes)


def _run_configured(folder: str, name: str, out: Path, **changes: Any) -> Path:
    config = read_config(HERE / folder / "aggregator.toml")
    asked = {"inputs": (Path("sample_data") / name,), "period": PERIOD, "out": out, "formats": ("csv",), **changes}
    return Path(run(from_config(config, asked).for_run(NOW.date()), NOW).folder)


def main() -> None:
    make_inputs(HERE)
    for name, job in (("exports", run_month), ("faults", run_faults), ("market", run_market), ("orders", run_orders)):
        with tempfile.TemporaryDirectory() as out:
            made = job(Path(out))
            expected = HERE / "expected" / name
            shutil.rmtree(expected, ignore_errors=True)
            expected.mkdir(parents=True)
            for file in (*GOLDEN, *GOLDEN_OF.get(name, ())):
                shutil.copy(made / file, expected / file)
            shutil.copytree(made / "rejected", expected / "rejected", ignore=shutil.ignore_patterns("*.xlsx"))


if __name__ == "__main__":
    main()
