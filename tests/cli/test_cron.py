"""What a scheduler needs: settings with their origin, quiet, logs and metrics for programs, and the examples of the docs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aggregator.model.options import Options
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

ROOT = Path(__file__).parents[2]
SCHEDULING = ROOT / "docs" / "scheduling.md"
RUN = ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--out", "out", "--as-of", "2026-11-05")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", SCHEDULING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


# ------------------------------------------------------------------------------------------------------------- settings


def test_config_show_says_where_each_value_came_from(runner: Runner) -> None:
    runner.write('[run]\nout = "results"\nworkers = 3\nlang = "zh"\n[columns]\nsku = "货号"\n[calendar.2027]\noff = [2027-01-01]\n', "aggregator.toml")
    answer = json.loads(aggregator("config", "show", "--workers", "2", "--json", folder=runner.folder, lang="").stdout)["settings"]
    assert answer["workers"] == {"value": 2, "from": "command line"}
    assert answer["out"] == {"value": "results", "from": "aggregator.toml"}
    assert answer["lang"] == {"value": "zh", "from": "aggregator.toml"}
    assert answer["columns"] == {"value": {"sku": "货号"}, "from": "aggregator.toml"}
    assert answer["calendar_years"]["value"] == {"2027": {"off": ["2027-01-01"]}}
    assert answer["late"] == {"value": True, "from": "default"}
    assert set(answer) == {f.name for f in fields(Options)} - {"inputs", "dry_run"}
    named = json.loads(aggregator("config", "show", "--config", "aggregator.toml", "--no-late", "--json", folder=runner.folder).stdout)["settings"]
    assert named["late"] == {"value": False, "from": "command line"}


def test_config_show_can_be_used_as_a_config(runner: Runner) -> None:
    config = (
        '[run]\nout = "x"\nlock_wait = 5\nquiet = true\nmetrics_file = "m.prom"\nperiod = "2026-10"\nformats = ["parquet"]\n'
        '[columns]\nsku = "货号"\n[constants]\ntrade_mode_code = "9610"\n[severity]\nR114 = "warning"\n[calendar.2027]\noff = ["2027-01-01"]\n'
    )
    runner.write(config, "aggregator.toml")
    shown = aggregator("config", "show", folder=runner.folder).stdout
    found = tomllib.loads(shown)
    for table, values in tomllib.loads(config).items():
        assert {key: found[table][key] for key in values} == values
    runner.write(shown, "aggregator.toml")
    again = aggregator("config", "show", folder=runner.folder).stdout
    assert tomllib.loads(again) == tomllib.loads(shown)


def test_every_option_of_run_can_stand_in_the_config() -> None:
    from aggregator.cli import cli

    options = {option.name for option in cli.commands["run"].params} - {"inputs", "config", "dry_run", "as_json", "pdf"}
    settings = {f.name for f in fields(Options)}
    assert options - {"no_late"} <= settings
    assert "late" in settings


def test_config_of_the_working_folder_serves_every_command(runner: Runner) -> None:
    runner.write([row()])
    runner.write('[run]\nout = "results"\nfirst_period = "2026-09"\nas_of = "2026-11-05"\nperiod = "2026-10"\n', "aggregator.toml")
    assert aggregator("run", "export.csv", folder=runner.folder).returncode == 0
    assert "202610-01" in aggregator("ledger", "show", folder=runner.folder).stdout
    assert "all as recorded" in aggregator("ledger", "check", folder=runner.folder).stdout
    assert "2026-11-16 (7 working days left)" in aggregator("status", folder=runner.folder).stdout
    assert "results can be written" in aggregator("doctor", folder=runner.folder).stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [("lock_wait = -1", "must be at least 0"), ("lock_wait = nan", "must be at least 0"), ("warn_days = 1.5", "expected int"),
     ("log_format = 'xml'", "expected one of"), ("quiet = 'yes'", "expected bool")],
)  # fmt: skip
def test_wrong_settings(runner: Runner, line: str, says: str) -> None:
    runner.write(f"[run]\n{line}\n", "aggregator.toml")
    result = aggregator("config", "show", folder=runner.folder)
    assert result.returncode == 78
    assert says in result.stderr


def test_status_of_a_disk_that_is_not_mounted_is_not_silence(runner: Runner) -> None:
    runner.write('[run]\nout = "results"\nrequire_ledger = true\nquiet = true\n', "aggregator.toml")
    runner.write([row()])
    for command in (("status",), ("run", "export.csv", "--period", "2026-10")):
        result = aggregator(*command, folder=runner.folder)
        assert result.returncode == 78
        assert "There is no ledger" in result.stderr
    doctor = aggregator("doctor", folder=runner.folder)
    assert doctor.returncode == 3
    assert "restore it from a backup" in doctor.stdout


def test_status_is_quiet_until_something_presses(runner: Runner) -> None:
    runner.write([row(goods_name="")])
    assert aggregator(*RUN, folder=runner.folder).returncode == 3
    status = ("status", "--out", "out", "--quiet", "--as-of")
    calm = aggregator(*status, "2026-11-05", folder=runner.folder)
    assert (calm.returncode, calm.stdout, calm.stderr) == (0, "", "")
    pressing = aggregator(*status, "2026-11-12", folder=runner.folder)
    assert pressing.returncode == 3
    assert "ACT NOW" in pressing.stdout
    assert "R101" in pressing.stdout


# ------------------------------------------------------------------------------------------------------- logs, metrics


def test_json_log_is_all_there_is_on_stderr(runner: Runner) -> None:
    runner.write([row(), row(inventory_no="2", order_no="2", waybill_no="2", goods_name="")])
    result = aggregator(*RUN, "--log-format", "json", folder=runner.folder)
    assert result.returncode == 3
    assert result.stdout == ""
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["started", "finished"]
    for line in lines:
        assert datetime.fromisoformat(line["at"]).utcoffset() is not None
    assert lines[1]["counts"]["inventories_declared"] == 1
    assert (lines[1]["exit_code"], lines[1]["run_ref"], lines[1]["deadline"]) == (3, "202610-01", "2026-11-16")
    both = aggregator(*RUN, "--log-format", "json", "--json", folder=runner.folder)
    assert json.loads(both.stdout)["excluded"] == {"known": 1}
    assert [json.loads(line)["event"] for line in both.stderr.splitlines()] == ["started", "finished"]


def test_json_log_of_what_stops_a_run(runner: Runner) -> None:
    result = aggregator(*RUN, "--log-format", "json", folder=runner.folder)
    assert result.returncode == 66
    [started, stopped] = [json.loads(line) for line in result.stderr.splitlines()]
    assert started["event"] == "started"
    assert (stopped["level"], stopped["event"], stopped["exit_code"]) == ("error", "stopped", 66)
    assert "no such file" in stopped["message"]


def metrics(path: Path) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            labels = ",".join(value for name, value in sorted(sample.labels.items()) if name != "period")
            found[sample.name.removeprefix("aggregator_run_") + (f"/{labels}" if labels else "")] = sample.value
    return found


def test_metrics_file_of_a_run_that_ended_and_of_one_that_was_stopped(runner: Runner) -> None:
    runner.write([row(), row(inventory_no="2", order_no="2", waybill_no="2", goods_name="")])
    file = runner.folder / "textfiles/aggregator.prom"
    result = aggregator(*RUN, "--metrics-file", "textfiles/aggregator.prom", folder=runner.folder)
    assert result.returncode == 3
    found = metrics(file)
    assert found["exit_code"] == 3
    assert found["inventories/declared"] == 1
    assert found["inventories/rejected"] == 1
    assert found["undeclared"] == 1
    assert datetime.fromtimestamp(found["deadline_timestamp_seconds"]).astimezone().isoformat()
    assert found["deadline_timestamp_seconds"] == datetime.fromisoformat("2026-11-16T23:59:59+08:00").timestamp()
    assert [path.name for path in file.parent.iterdir()] == ["aggregator.prom"]
    (runner.folder / "export.csv").unlink()
    stopped = aggregator(*RUN, "--metrics-file", "textfiles/aggregator.prom", folder=runner.folder)
    assert stopped.returncode == 66
    assert metrics(file)["exit_code"] == 66
    assert "inventories/declared" not in metrics(file)


def test_metrics_file_that_cannot_be_written_is_reported_and_the_run_stands(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator(*RUN, "--metrics-file", "export.csv/x.prom", folder=runner.folder)
    assert result.returncode == 3, "published: nothing that says otherwise"
    assert "metrics file export.csv/x.prom cannot be written" in result.stderr
    assert (runner.out / "2026-10/202610-01/manifest.json").exists()


def test_dry_run_writes_no_metrics(runner: Runner) -> None:
    runner.write([row()])
    assert aggregator(*RUN, "--metrics-file", "x.prom", "--dry-run", folder=runner.folder).returncode == 0
    assert sorted(path.name for path in runner.folder.iterdir()) == ["export.csv"]


# ------------------------------------------------------------------------------------------------- the examples of the docs


def test_crontab_line_works_in_cron_s_bare_environment(runner: Runner, tmp_path: Path) -> None:
    """The command of the crontab, word for word but for the places, with the environment and shell of cron."""
    [crontab] = blocks("crontab")
    [line] = [line for line in crontab.splitlines() if "aggregator run" in line]
    schedule, command = line.split(None, 5)[:5], line.split(None, 5)[5]
    assert len(schedule) == 5
    runner.write([row()])
    exports = runner.folder / "exports"
    exports.mkdir()
    shutil.move(runner.folder / "export.csv", exports / "2026-10.csv")
    runner.write('[run]\nout = "results"\nfirst_period = "2026-09"\nperiod = "2026-10"\nas_of = "2026-11-05"\nquiet = true\n', "aggregator.toml")
    command = command.replace("/srv/customs", str(runner.folder)).replace("/opt/aggregator/bin", str(Path(sys.executable).parent))
    env = {"HOME": "/root", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    # Cron takes an unescaped % for a line end.
    assert "%" not in command.replace(r"\%", "")
    result = subprocess.run(["/bin/sh", "-c", command.replace(r"\%", "%")], env=env, cwd="/", capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), "cron sends no mail when all is well"
    assert (runner.folder / "results/2026-10/202610-01/manifest.json").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None and "CI" not in os.environ, reason="no systemd here")
def test_systemd_units_are_sound(tmp_path: Path) -> None:
    """Verified by systemd itself; the paths are made to exist, since it looks for the program."""
    program = tmp_path / "aggregator"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    names = []
    for unit in blocks("ini"):
        name = re.search(r"^# /etc/systemd/system/(\S+)", unit)
        assert name is not None
        text = unit.replace("/opt/aggregator/bin/aggregator", str(program)).replace("User=customs\n", "")
        (tmp_path / name[1]).write_text(text)
        names.append(name[1])
    assert any(name.endswith(".timer") for name in names)
    assert any(name.endswith(".service") for name in names)
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names)], capture_output=True, text=True, check=False
    )
    ours = [line for line in result.stderr.splitlines() if any(name in line for name in names)]
    assert (result.returncode, ours) == (0, [])
    for timer in (tmp_path / name for name in names if name.endswith(".timer")):
        [expression] = re.findall(r"^OnCalendar=(.*)", timer.read_text(), re.MULTILINE)
        calendar = subprocess.run(["systemd-analyze", "calendar", "--iterations=2", expression], capture_output=True, text=True, check=False)
        assert calendar.returncode == 0, calendar.stderr
        assert "Asia/Shanghai" in calendar.stdout


def test_config_of_the_docs_is_sound(tmp_path: Path) -> None:
    [config] = blocks("toml")
    (tmp_path / "aggregator.toml").write_text(config, encoding="utf-8")
    result = aggregator("config", "show", "--json", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    settings = json.loads(result.stdout)["settings"]
    for name in tomllib.loads(config)["run"]:
        assert settings[name]["from"] == "aggregator.toml"
