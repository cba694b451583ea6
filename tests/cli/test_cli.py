"""The command line: exit codes and what the user reads, in both languages, and what a run leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
import pytest
from click.testing import CliRunner

from aggregator.cli import cli
from aggregator.reports.summary import summary
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, csv_text, read_rows, row

ROOT = Path(__file__).parents[2]
PERIOD = ("--period", "2026-10", "--first-period", "2026-09")


def aggregator(*arguments: str | Path, folder: Path, lang: str = "en", stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command, given in `folder`: in this process, or with an environment of its own in a process of its own."""
    command = list(map(str, arguments))
    if lang and arguments and arguments[0] in ("run", "check", "columns", "rules", "sample", "status", "doctor", "ledger", "config", "receive", "trace"):
        command += ["--lang", lang]
    plain = {"LANG": "C.UTF-8", "LC_ALL": ""}
    if environment:
        env = {**os.environ, **plain, **environment}
        own = [sys.executable, "-m", "aggregator", *command]
        return subprocess.run(own, cwd=folder, env=env, capture_output=True, text=True, check=False)
    with contextlib.chdir(folder):
        result = CliRunner().invoke(cli, command, prog_name="aggregator", env=plain, input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)


def test_run_prints_where_things_are(runner: Runner) -> None:
    runner.write([row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", goods_name="")])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 3
    assert "declared 1 inventory" in result.stdout
    assert "[R101] 1 × A required value is missing." in result.stdout
    assert "Published out/2026-10/202610-01" in result.stdout
    assert result.stderr == ""
    names = sorted(path.name for path in (runner.folder / "out/2026-10/202610-01").iterdir())
    assert names == [
        "audit_map.parquet", "control_totals.csv", "declaration_items.csv", "declarations.csv", "excluded.csv", "findings.csv",
        "manifest.json", "rejected", "report.html", "weight_shares.csv",
    ]  # fmt: skip


def test_chinese(runner: Runner) -> None:
    runner.write([row(goods_name="")])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder, lang="", LC_ALL="zh_CN.UTF-8")
    assert result.returncode == 3
    assert "申报期 2026-10：读入 1 行" in result.stdout
    [finding] = read_rows(runner.folder / "out/2026-10/202610-01/findings.csv")
    assert M9610.rules.by_code["R101"].message.zh in finding["message"]


def test_json_is_the_only_thing_on_stdout(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--json", folder=runner.folder)
    answer = json.loads(result.stdout)
    assert (answer["exit_code"], answer["run_ref"], answer["published"]) == (0, "202610-01", True)
    assert answer["counts"]["lines_declared"] == 1
    assert all(total["difference"] in ("0.00000", "0E-5") for total in answer["control_totals"])
    assert "Published" in result.stderr


def test_quiet_on_success(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--quiet", folder=runner.folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_dry_run_writes_nothing(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--dry-run", folder=runner.folder)
    assert result.returncode == 0
    assert "Dry run: nothing was written." in result.stdout
    assert sorted(path.name for path in runner.folder.iterdir()) == ["export.csv"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "export.csv", "--period", "2026-13", "--out", "out"), 2, "Write it as YYYY-MM"),
        (("run", "export.csv", "--period", "2099-01", "--out", "out"), 2, "--unfinished"),
        (("run", "export.csv", *PERIOD), 2, "--out DIR"),
        (("run", "--out", "out"), 2, "Missing argument"),
        (("run", "absent.csv", *PERIOD, "--out", "out"), 66, "no such file"),
        (("run", "export.csv", *PERIOD, "--out", "out", "--receipts", "absent.csv"), 66, "no such file"),
        (("run", "header.csv", *PERIOD, "--out", "out"), 65, "[F102]"),
        (("run", "export.csv", *PERIOD, "--out", "out", "--config", "absent.toml"), 78, "does not exist"),
        (("run", "export.csv", *PERIOD, "--out", "export.csv/x"), 73, "cannot be made"),
        (("check", "empty.csv"), 65, "[F105]"),
        (("rules", "R999"), 2, "There is no rule R999"),
        (("rums",), 2, "No such command"),
    ],
)  # fmt: skip
def test_exit_codes_and_messages(runner: Runner, arguments: tuple[str, ...], code: int, says: str) -> None:
    runner.write([row()])
    runner.write("inventory_no,item_no\n", "header.csv")
    runner.write("", "empty.csv")
    result = aggregator(*arguments, folder=runner.folder)
    assert result.returncode == code, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert result.stdout == ""
    assert not list(runner.folder.glob("out/2026-10/*"))


def test_header_only_is_nothing_to_declare(runner: Runner) -> None:
    runner.write(csv_text([]))
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 0
    assert "[F303]" in result.stdout
    assert "Nothing new to declare." in result.stdout


def test_config_file_is_found_and_the_command_line_wins(runner: Runner) -> None:
    runner.write([{k: v for k, v in row().items() if k != "trade_mode_code"}])
    config = '[run]\nout = "from-config"\nfirst_period = "2026-09"\nformats = ["parquet"]\n[constants]\ntrade_mode_code = "9610"\n'
    runner.write(config, "aggregator.toml")
    assert aggregator("run", "export.csv", "--period", "2026-10", folder=runner.folder).returncode == 0
    assert (runner.folder / "from-config/2026-10/202610-01/declarations.parquet").exists()
    manifest = json.loads((runner.folder / "from-config/2026-10/202610-01/manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["constants"] == {"trade_mode_code": "9610"}
    assert aggregator("run", "export.csv", "--period", "2026-10", "--out", "other", folder=runner.folder).returncode == 0
    assert (runner.folder / "other/2026-10/202610-01").exists()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("[run]\nperoid = '2026-10'\n", "unknown key 'peroid'"),
        ("[run]\nworkers = '2'\n", "expected int"),
        ("[severity]\nR103 = 'warning'\n", "cannot be lowered"),
        ("[severity]\nR999 = 'warning'\n", "not a rule"),
        ("[constants]\nitem_no = '1'\n", "not a header column"),
        ("[columns]\nfoo = 'bar'\n", "neither is a column"),
        ("[run\n", "not TOML"),
        ("[oops]\n", "unknown table"),
    ],
)
def test_wrong_config(runner: Runner, config: str, says: str) -> None:
    runner.write([row()])
    runner.write(config, "aggregator.toml")
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 78
    assert says in result.stderr


def test_check_lists_findings_of_excluded_ones_too(runner: Runner) -> None:
    runner.write([row(goods_name="", trade_mode_code="9710")])
    result = aggregator("check", "export.csv", "--findings", "found.csv", folder=runner.folder)
    assert result.returncode == 3
    assert 'export.csv:2 goods_name "" [R101 error]' in result.stdout
    assert [finding["code"] for finding in read_rows(runner.folder / "found.csv")] == ["R101"]
    assert sorted(path.name for path in runner.folder.iterdir()) == ["export.csv", "found.csv"]
    runner.write([row()])
    assert aggregator("check", "export.csv", folder=runner.folder).returncode == 0


def test_rules(tmp_path: Path) -> None:
    table = aggregator("rules", folder=tmp_path)
    assert all(code in table.stdout for code in M9610.rules.by_code)
    one = aggregator("rules", "b203", folder=tmp_path)
    assert "UNVERIFIED" in one.stdout
    assert "GACC" in one.stdout
    assert "归并" in aggregator("rules", "I101", folder=tmp_path, lang="zh").stdout
    answer = json.loads(aggregator("rules", "--json", folder=tmp_path).stdout)
    assert {rule["code"] for rule in answer} == set(M9610.rules.by_code)
    assert "later_period" in aggregator("rules", "later_period", "--json", folder=tmp_path).stdout


@pytest.mark.parametrize("cleared_by", ["status", "receipts", "assume"])
def test_sample_is_seeded_and_runs(tmp_path: Path, cleared_by: str) -> None:
    for folder in ("a", "b"):
        arguments = ("sample", "--lines", "500", "--out", folder, "--seed", "5", "--period", "2026-10", "--cleared-by", cleared_by)
        assert aggregator(*arguments, folder=tmp_path).returncode == 0
    assert (tmp_path / "a/inventories.csv").read_bytes() == (tmp_path / "b/inventories.csv").read_bytes()
    how = {"status": (), "receipts": ("--receipts", "a/receipts.csv"), "assume": ("--assume-cleared",)}[cleared_by]
    result = aggregator("run", "a/inventories.csv", *PERIOD, "--out", "out", *how, folder=tmp_path)
    assert result.returncode == 0, result.stdout
    assert (tmp_path / "a/inventories.csv").read_bytes().count(b"\n") == 501


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    for name, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from every_command(below, (*path, name))


def test_help_has_an_example_everywhere() -> None:
    names = []
    for path, command in every_command(cli):
        text = command.get_help(click.Context(command, info_name=" ".join(("aggregator", *path))))
        example = text.split("Example:")[1].split("Options:")[0]
        lines = [line.strip() for line in example.splitlines() if line.strip()]
        assert lines, path
        assert all(line.startswith(f"aggregator {' '.join(path)}".strip()) for line in lines), path
        names.append(" ".join(path))
    assert {"run", "ledger void", "config show", "status", "doctor"} <= set(names)


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("## Commands")[1].split("## More")[0]
    for path, command in every_command(cli):
        if path and not isinstance(command, click.Group):
            assert re.search(rf"`(ledger )?{path[-1]}`|`{' '.join(path)}`", table), path


def test_help_does_not_import_the_heavy_libraries() -> None:
    code = "import sys; sys.argv = ['x', '--help']; import aggregator.cli as c\ntry: c.main()\nexcept SystemExit: pass\nprint([m for m in ('pandas', 'pyarrow', 'pandera') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("[]")


def test_broken_pipe_is_quiet(tmp_path: Path) -> None:
    command = f"{sys.executable} -m aggregator rules | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stderr == ""


@pytest.mark.long
@pytest.mark.parametrize(("whole_group", "number"), [(False, signal.SIGINT), (True, signal.SIGINT), (True, signal.SIGHUP), (True, signal.SIGQUIT), (False, signal.SIGHUP)])
def test_interrupt_leaves_no_half_made_run_folder(tmp_path: Path, whole_group: bool, number: signal.Signals) -> None:
    """`whole_group`: as a terminal sends it, to the workers too."""
    assert aggregator("sample", "--lines", "150000", "--out", ".", "--period", "2026-10", folder=tmp_path).returncode == 0
    command = [sys.executable, "-m", "aggregator", "run", "inventories.csv", *PERIOD, "--out", "out", "--lang", "en"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    # As soon as anything is left for a later step: on a busy machine the run may have ended before the last of it is seen.
    while not list(tmp_path.glob("out/.work-*/[!.]*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "nothing was published" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("out/2026-10/*"))
    assert not list(tmp_path.glob("out/.work-*"))
    done = subprocess.run([*command, "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert (tmp_path / "out/2026-10/202610-01/manifest.json").exists()


@pytest.mark.long
def test_killed_run_leaves_no_process_and_the_next_one_is_whole(tmp_path: Path) -> None:
    assert aggregator("sample", "--lines", "150000", "--out", ".", "--period", "2026-10", folder=tmp_path).returncode == 0
    command = [sys.executable, "-m", "aggregator", "run", "inventories.csv", *PERIOD, "--out", "out", "--lang", "en", "--quiet"]
    process = psutil.Popen(command, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/.work-*/decisions-*.arrow")) and time.monotonic() < deadline:
        time.sleep(0.02)
    family = process.children(recursive=True)
    assert len(family) >= 2, "two workers"
    process.kill()
    process.wait()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert not list(tmp_path.glob("out/2026-10/202610-01"))
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    assert not list(tmp_path.glob("out/.work-*"))
    assert (tmp_path / "out/2026-10/202610-01/manifest.json").exists()


@pytest.mark.long
@pytest.mark.parametrize("kilobytes", [1, 4, 16, 40, 64, 100, 150, 200, 250, 300])
def test_file_size_limit_leaves_nothing_half_made(runner: Runner, kilobytes: int) -> None:
    """As on a full disk: whatever write fails, the exit code says so, nothing is published, and a later run is whole."""
    runner.write([row(inventory_no=f"22442026E{n:09d}", order_no=str(n), waybill_no=str(n)) for n in range(3000)])
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))  # noqa: E731
    command = [sys.executable, "-m", "aggregator", "run", "export.csv", *PERIOD, "--out", "out", "--lang", "en"]
    result = subprocess.run(command, cwd=runner.folder, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    if result.returncode:
        assert result.returncode in (73, 74), result.stderr
        assert "disk space" in result.stderr
        assert not list(runner.out.glob("2026-10/*"))
        assert not list(runner.out.glob("2026-10/.*"))
        again = subprocess.run([*command, "--quiet"], cwd=runner.folder, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
    assert len(read_rows(runner.out / "2026-10/202610-01/declarations.csv")) == 1


def test_fault_of_our_own_is_70_without_a_traceback(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.jobs import run as pipeline

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(pipeline, "run", broken)
    path = runner.write([row()])
    for lang, says in (("en", "Please report it"), ("zh", "请报告此错误")):
        result = CliRunner().invoke(cli, ["run", str(path), *PERIOD, "--out", str(runner.out), "--lang", lang])
        assert result.exit_code == 70
        assert says in result.output
        assert "Traceback" not in result.output


def test_second_run_at_once_is_told_to_come_again(runner: Runner) -> None:
    from filelock import FileLock

    runner.write([row()])
    runner.out.mkdir()
    with FileLock(str(runner.out / "ledger.sqlite.lock")):
        result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 75
    assert "try again" in result.stderr
    assert not list(runner.out.glob("2026-10/*"))


def test_report_is_one_file_without_script_and_escapes_values(runner: Runner) -> None:
    evil = "<script>alert(1)</script>"
    for lang, says in (("en", "Control totals"), ("zh", "控制合计")):
        number = "22442026E00000000" + ("1" if lang == "en" else "2")
        rows = [row(inventory_no=number, order_no=lang, waybill_no=lang, consignor_name=evil), row(inventory_no="x" + lang, goods_name="")]
        outcome = runner.run_rows(rows, lang=lang)
        text = (Path(outcome.folder) / "report.html").read_text(encoding="utf-8")
        assert says in text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script" not in text
        assert "://" not in text
        assert "2026-11-05 09:00" in text
        assert "R101" in text


def test_summary_speaks_both_languages(runner: Runner) -> None:
    outcome = runner.run_rows([row(goods_name=""), row(inventory_no="2", trade_mode_code="9710")])
    english, chinese = ([line.text for line in summary(outcome, lang, dry_run=False)] for lang in ("en", "zh"))  # type: ignore[arg-type]
    assert len(english) == len(chinese)
    assert all(any("一" <= letter <= "鿿" for letter in line) for line in chinese)
    assert not any("一" <= letter <= "鿿" for line in english for letter in line)


FULL = Path("/dev/full")


def _into_a_full_device(command: tuple[str, ...], runner: Runner, *, errors_too: bool = False) -> subprocess.CompletedProcess[str]:
    with FULL.open("w") as full:
        own = [sys.executable, "-m", "aggregator", *command, "--lang", "en"]
        errors = full if errors_too else subprocess.PIPE
        return subprocess.run(own, cwd=runner.folder, stdout=full, stderr=errors, text=True, check=False)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("more", [("--json",), (), ("--json", "--log-format", "json")])
def test_what_stands_is_reported_where_stdout_takes_nothing(runner: Runner, more: tuple[str, ...]) -> None:
    runner.write([row()])
    run = ("run", "export.csv", *PERIOD, "--out", "out", *more)
    result = _into_a_full_device(run, runner)
    assert result.returncode == 3, result.stderr
    assert "The run 202610-01 is recorded in the ledger and published in out/2026-10/202610-01." in result.stderr
    assert "othing was published" not in result.stderr
    assert "Traceback" not in result.stderr
    assert (runner.out / "2026-10/202610-01/manifest.json").exists()
    again = _into_a_full_device(run, runner)
    assert (again.returncode, "Nothing was published" in again.stderr) == (74, True)
    void = _into_a_full_device(("ledger", "void", "202610-01", "--reason", "wrong receipts", "--out", "out"), runner)
    assert (void.returncode, "The run 202610-01 is voided" in void.stderr) == (3, True)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_exit_code_is_right_where_nothing_can_be_said(runner: Runner) -> None:
    runner.write([row(), row(inventory_no="4", goods_name="")])
    run = ("run", "export.csv", *PERIOD, "--out", "out", "--json")
    assert _into_a_full_device(run, runner, errors_too=True).returncode == 3
    assert (runner.out / "2026-10/202610-01/manifest.json").exists()
    assert _into_a_full_device(("run", "absent.csv", *PERIOD, "--out", "out"), runner, errors_too=True).returncode == 66


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, BrokenPipeError])
def test_what_is_published_is_never_called_unpublished(runner: Runner, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    from aggregator.cli import ending
    from aggregator.reports import summary as module

    def stopped(*_: object) -> None:
        raise stop

    monkeypatch.setattr(module, "as_json", stopped)
    monkeypatch.setattr(ending, "say_no_more", lambda: None)
    runner.write([row(), row(inventory_no="4", goods_name="")])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--json", folder=runner.folder)
    assert result.returncode == (70 if stop is RuntimeError else 3)
    assert "othing was published" not in result.stderr
    if stop is not BrokenPipeError:
        assert "The run 202610-01 is recorded in the ledger and published in" in result.stderr
