"""`make bench`: the way there and back: a run with its CEB701 messages, customs' results of all its lines received and compared,
and every line traced."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

ROOM = Path("bench-data")
GOAL_TRACE = 60.0
CONFIG = """
[customs]
sender_code = "4403180001"
sender_name = "深圳通达报关行有限公司"
dxp_id = "DXPENT0000012345"
broker_code = "4403180001"
broker_name = "深圳通达报关行有限公司"
declarant_code = "4403180001"
declarant_name = "深圳通达报关行有限公司"

[customs.declarants]
"3301980002" = "杭州海信报关有限公司"
"""


def timed(command: list[str], codes: tuple[int, ...] = (0,)) -> tuple[float, str]:
    start = time.perf_counter()
    result = subprocess.run([sys.executable, "-m", "aggregator", *command], capture_output=True, text=True, check=False)
    if result.returncode not in codes:
        raise SystemExit(f"{command} ended with {result.returncode}: {result.stderr}")
    return time.perf_counter() - start, result.stdout


def write_results(run: Path, folder: Path) -> None:
    """A CEB792 for each declaration, as customs would answer that agrees with us."""
    lines = pq.read_table(run / "audit_map.parquet", columns=["inventory_no", "item_no", "declaration_ref", "declaration_item_no", "commodity_code"])
    of_declaration: dict[str, list[str]] = {}
    for number, item, ref, place, code in zip(*(column.to_pylist() for column in lines.columns), strict=True):
        of_declaration.setdefault(ref, []).append(
            f"<ceb:SummaryResultList><ceb:invtNo>{number}</ceb:invtNo><ceb:logisticsNo>L</ceb:logisticsNo><ceb:gseqno>{place}</ceb:gseqno>"
            f"<ceb:gnum>{item}</ceb:gnum><ceb:gcode>{code}</ceb:gcode></ceb:SummaryResultList>"
        )
    folder.mkdir()
    for place, (ref, listed) in enumerate(sorted(of_declaration.items())):
        head = (
            f"<ceb:SummaryResultHead><ceb:opDate>20261106120000000</ceb:opDate><ceb:declSeqNo>{place:018d}</ceb:declSeqNo>"
            f"<ceb:entryId>53142026{place:010d}</ceb:entryId><ceb:decState>A</ceb:decState></ceb:SummaryResultHead>"
        )
        (folder / f"{ref}.xml").write_text(
            f'<ceb:CEB792Message guid="x" version="1.0" xmlns:ceb="http://www.chinaport.gov.cn/ceb"><ceb:SummaryResult>{head}'
            f"{''.join(listed)}</ceb:SummaryResult></ceb:CEB792Message>",
            encoding="utf-8",
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    ROOM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOM) as temporary:
        folder = Path(temporary)
        timed(["sample", "--lines", str(lines), "--period", "2026-10", "--out", str(folder)])
        (folder / "aggregator.toml").write_text(CONFIG, encoding="utf-8")
        common = ["--config", str(folder / "aggregator.toml"), "--out", str(folder / "out")]
        seconds, _ = timed(["run", str(folder / "inventories.csv"), "--period", "2026-10", "--first-period", "2026-09", *common], (0, 3))
        [run] = (folder / "out/2026-10").iterdir()
        messages = len(list((run / "summary_applications").iterdir()))
        print(f"run of {lines:,} lines with {messages:,} CEB701 messages: {seconds:.1f} s")
        write_results(run, folder / "answers")
        seconds, said = timed(["receive", str(folder / "answers"), *common], (0, 3))
        print(f"receive and reconcile: {seconds:.1f} s; {said.splitlines()[-1]}")
        numbers = pq.read_table(run / "audit_map.parquet", columns=["inventory_no"])["inventory_no"].unique().to_pylist()
        (folder / "numbers.txt").write_text("\n".join(numbers), encoding="utf-8")
        seconds, said = timed(["trace", "--file", str(folder / "numbers.txt"), *common])
        print(f"trace of {len(numbers):,} inventories, {said.count(chr(10)) - 1:,} lines: {seconds:.1f} s (goal {GOAL_TRACE:.0f} for a million)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
