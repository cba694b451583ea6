"""The jobs for programs: README's example runs as it stands, and they do what the commands do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import aggregator
from aggregator.model.errors import StopRun, UnusableInput, WrongConfiguration, WrongUsage
from aggregator.model.outcome import Outcome
from tests.cli.test_cli import aggregator as command
from tests.conftest import NOW, Runner, row

ROOT = Path(__file__).resolve().parent.parent


def test_example_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example, names)
    outcome = names["outcome"]
    assert isinstance(outcome, Outcome)
    assert outcome.published
    assert (tmp_path / outcome.folder / "declarations.csv").is_file()


def test_the_same_files_as_the_command(
    runner: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runner.folder)
    path = runner.write([row(), row(inventory_no="22442026E000000002", order_no="D2", waybill_no="L2", declared_quantity="x")])
    outcome = aggregator.run(path.name, out=Path("by-library"), period="2026-10", first_period="2026-09", workers=1, now=NOW)
    assert capsys.readouterr() == ("", ""), "a library prints nothing"
    ended = command("run", path.name, "--period", "2026-10", "--first-period", "2026-09", "--out", "by-command", "--workers", "1", "--as-of", "2026-11-05", "--json", folder=runner.folder)
    answer = json.loads(ended.stdout)
    assert answer["counts"] == outcome.counts
    assert answer["exit_code"] == outcome.exit_code == 3
    for name in ("declarations.csv", "declaration_items.csv", "audit_map.parquet", "findings.csv", "control_totals.csv"):
        assert (Path(outcome.folder) / name).read_bytes() == (runner.folder / answer["folder"] / name).read_bytes()


def test_a_program_that_calls_it_at_its_top_level(runner: Runner) -> None:
    """Its workers do not run the program anew."""
    rows = [row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}") for number in range(200)]
    program = runner.folder / "program.py"
    program.write_text(
        f"""import aggregator
print("once")
outcome = aggregator.run({str(runner.write(rows))!r}, out={str(runner.out)!r}, period="2026-10", first_period="2026-09", workers=2, chunk_bytes=20_000)
print(outcome.counts["inventories_declared"])
""",
        encoding="utf-8",
    )
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "once\n200\n"), ended.stderr


def test_check_gives_all_findings(runner: Runner) -> None:
    path = runner.write([row(declared_quantity="x"), row(inventory_no="22442026E000000002", order_no="D2", waybill_no="L2", total_price="y")])
    found = aggregator.check([path])
    assert found.outcome.exit_code == 3
    assert found.findings.column("code").to_pylist() == ["R103", "R103"]
    assert found.findings.column("value").to_pylist() == ["x", "y"]
    sound = aggregator.check(runner.write([row()], "sound.csv"), period="2026-10")
    assert sound.findings.num_rows == 0
    assert sound.findings.schema.names == found.findings.schema.names


def test_trace_and_status(runner: Runner) -> None:
    aggregator.run(runner.write([row()]), out=runner.out, period="2026-10", first_period="2026-09", workers=1, now=NOW)
    lines = aggregator.trace(row()["inventory_no"], out=str(runner.out))
    assert lines.num_rows == 1
    assert aggregator.trace(["nothing"], out=runner.out).num_rows == 0
    standing = aggregator.status(out=runner.out, today=date(2026, 11, 6))
    assert [str(each.period) for each in standing.periods] == ["2026-10"]
    assert standing.periods[0].undeclared == 0


def test_errors_say_what_to_do(runner: Runner) -> None:
    with pytest.raises(UnusableInput) as unusable:
        aggregator.check(runner.write("nothing,known\n1,2\n"))
    assert unusable.value.text.zh
    assert unusable.value.exit_code == 65
    with pytest.raises(WrongConfiguration, match="workers"):
        aggregator.check(runner.write([row()]), workers="many")
    with pytest.raises(WrongConfiguration, match="nonsense"):
        aggregator.check(runner.write([row()]), nonsense=1)
    with pytest.raises(WrongUsage, match="not over"):
        aggregator.run(runner.write([row()]), out=runner.out, period="2026-11", now=NOW)
    with pytest.raises(StopRun):
        aggregator.trace("1", out=runner.folder / "nowhere")


def test_config_by_name_or_as_a_table(runner: Runner) -> None:
    path = runner.write([row(consignor_code="123")])
    assert aggregator.check(path).outcome.exit_code == 3
    config = runner.write('[severity]\nR114 = "warning"\n', "mine.toml")
    for lenient in (config, str(config), {"severity": {"R114": "warning"}}):
        found = aggregator.check(path, config=lenient)
        assert found.outcome.exit_code == 0
        assert found.findings.column("code").to_pylist() == ["R114"]
