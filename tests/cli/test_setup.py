"""What a new user begins with: a config, a workbook to fill in, completions; and what is said on Windows."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from aggregator.cli import cli
from aggregator.jobs.init import Firm, config_text
from aggregator.model.config_file import Config
from aggregator.model.options import from_config, read_config
from aggregator.model.period import Period
from aggregator.outputs.template import Template, write_template
from aggregator.samples.example import example_of
from aggregator.schemas.modes import MODES, mode_of
from tests.cli.test_cli import aggregator

FIRM = ("--code", "91440300MA5F0A1B2N", "--name", '深圳“星河"\\公司', "--customs", "2244")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("mode", MODES)
def test_a_config_is_read_back(tmp_path: Path, mode: str, lang: str) -> None:
    result = aggregator("init", *FIRM, "--mode", mode, "--out", "结果", "--first-period", "2026-09", "--lang", lang, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    options = from_config(read_config(tmp_path / "aggregator.toml"), {})
    code, name = ("consignor_code", "consignor_name")
    assert dict(options.constants) == {code: FIRM[1], name: FIRM[3], "declaring_customs_code": "2244", "trade_mode_code": mode}
    assert (options.mode.code, str(options.out), str(options.first_period), options.lang) == (mode, "结果", "2026-09", lang)
    text = (tmp_path / "aggregator.toml").read_text(encoding="utf-8")
    assert ("汇率" in text or "传输" in text) == (lang == "zh")


@pytest.mark.parametrize("mode", MODES)
def test_what_is_commented_out_is_right_too(mode: str) -> None:
    """But for what may stand once only."""
    lines = [line.removeprefix("# ") for line in config_text(Firm(mode=mode)).splitlines()]
    text = "\n".join(line for line in lines if re.match(r"\[|[\w.]+ +?= ", line))
    if 'rates = "rates.csv"' in text:
        text = "\n".join(line for line in text.splitlines() if "rates.csv" not in line)
    options = from_config(Config(tomllib.loads(text)), {})
    assert dict(options.severity) == {"R114": "warning"}
    assert (options.customs is not None) == (mode == "9610")
    assert bool(options.rate_rows) == (mode != "9610")


def test_a_config_is_never_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "aggregator.toml").write_text("# mine\n", encoding="utf-8")
    result = aggregator("init", *FIRM, folder=tmp_path)
    assert (result.returncode, "--force" in result.stderr) == (73, True)
    assert (tmp_path / "aggregator.toml").read_text(encoding="utf-8") == "# mine\n"
    assert aggregator("init", *FIRM, "--force", folder=tmp_path).returncode == 0
    assert "91440300MA5F0A1B2N" in (tmp_path / "aggregator.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [("--code", "123"), ("--customs", "22"), ("--customs", "深圳海关")])
def test_a_code_that_can_be_none_is_refused(tmp_path: Path, wrong: tuple[str, str]) -> None:
    result = aggregator("init", *wrong, folder=tmp_path)
    assert (result.returncode, wrong[1] in result.stderr, list(tmp_path.iterdir())) == (2, True, [])


def test_at_a_terminal_it_asks(tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    environment = {**os.environ, "LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", "init", "--lang", "zh", "--name", "深圳"], stdin=inner, stdout=inner, stderr=inner, cwd=tmp_path, env=environment
    )
    os.close(inner)
    os.write(outer, b"1039\n91330782MA2E5N6C1U\n2925\n\n")
    said = b""
    while piece := _read(outer):
        said += piece
    os.close(outer)
    assert process.wait(30) == 0, said.decode()
    assert "监管方式" in said.decode()
    options = from_config(read_config(tmp_path / "aggregator.toml"), {})
    assert (options.mode.code, str(options.out), options.lang) == ("1039", "results", "zh")
    assert dict(options.constants)["consignor_code"] == "91330782MA2E5N6C1U"


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:
        return b""


# ---------------------------------------------------------------------------------------------------------------- workbooks

PERIOD = ("--period", "2026-10")
RATES = '\n[[rates]]\ncurrency_code = "USD"\ncny_per_unit = "7.15"\nvalid_from = "2026-10-01"\nvalid_to = "2026-10-31"\n'


def filled(path: Path, template: Template) -> None:
    """As somebody fills it in by the notes: what stands in their column of examples, under its heading."""
    write_template(path, template)
    book = openpyxl.load_workbook(path)
    sheet, notes = book.worksheets[0], book.worksheets[1]
    headings = {cell.value: cell.column for cell in sheet[1]}
    rows = list(notes.iter_rows(values_only=True))
    start = next(place for place, row in enumerate(rows) if row[6] in ("example", "示例"))
    for row in rows[start + 1 :]:
        if row[6]:
            sheet.cell(2, headings[row[0]], row[6])
    book.save(path)


@pytest.mark.parametrize(("mode", "lang", "own"), [("9610", "zh", False), ("9610", "en", True), ("9710", "zh", False), ("1039", "en", False), ("1039", "zh", True)])
def test_a_template_that_was_filled_in_runs(tmp_path: Path, mode: str, lang: Any, own: bool) -> None:
    path = tmp_path / "filled.xlsx"
    filled(path, Template(mode_of(mode), lang, own, example_of(mode_of(mode), Period(2026, 10))))
    (tmp_path / "aggregator.toml").write_text(config_text(Firm(mode=mode)) + (RATES if mode != "9610" else ""), encoding="utf-8")
    result = aggregator("run", path.name, *PERIOD, "--as-of", "2026-11-05", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    [declared] = (tmp_path / "results/2026-10").glob("*/declarations.csv")
    assert declared.read_text(encoding="utf-8-sig").count("\n") == 2 or mode == "9710"


def test_an_empty_template_has_no_lines(tmp_path: Path) -> None:
    assert aggregator("template", "--out", "empty.xlsx", folder=tmp_path).returncode == 0
    columns = aggregator("columns", "empty.xlsx", folder=tmp_path)
    assert "Nothing is missing." in columns.stdout
    assert "not known" not in columns.stdout
    checked = aggregator("check", "empty.xlsx", folder=tmp_path)
    assert (checked.returncode, "[F303]" in checked.stdout) == (0, True), checked.stdout
    assert aggregator("template", "--out", "empty.xlsx", folder=tmp_path).returncode == 73
    assert aggregator("template", "--out", "empty.csv", folder=tmp_path).returncode == 2


@pytest.mark.parametrize("mode", MODES)
def test_headings_cells_and_lists_of_a_template(tmp_path: Path, mode: str) -> None:
    template = Template(mode_of(mode), "zh", False, example_of(mode_of(mode), Period(2026, 10)), filled=True)
    write_template(tmp_path / "t.xlsx", template)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book.worksheets[0]
    headings = [cell.value for cell in sheet[1]]
    assert len(set(headings)) == len(headings) == len(template.fields)
    known = {heading: field.column for field in template.mode.dictionary.fields for heading in (field.shown, *field.headings)}
    assert [known[heading] for heading in headings] == [field.column for field in template.fields]
    assert all(cell.number_format == "@" and cell.data_type in "sn" for cell in sheet[2] if cell.value is not None)
    lists = [each for each in sheet.data_validations.dataValidation if each.type == "list"]
    assert len(lists) == sum(1 for field in template.fields if field.codes)
    for each in lists:
        name, area = each.formula1.split("!")
        chosen = [cell.value for row in book[name.strip("'")][area.replace("$", "")] for cell in row]
        assert len(set(chosen)) == len(chosen) > 1


# -------------------------------------------------------------------------------------------------------------- completions

SCRIPTS = {
    "bash": 'source {script}; COMP_WORDS=(aggregator {words} ""); COMP_CWORD={at}; _aggregator_completion aggregator; printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": 'source {script}; complete -C "aggregator {words} "',
    "zsh": (
        'compdef() {{ : }}; compadd() {{ local name=$argv[-1]; print -l -- ${{(P)name}} }}; _describe() {{ print -l -- ${{(P)3}} }}; source {script}; '
        'words=(aggregator {words} ""); CURRENT={place}; _aggregator_completion'
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "offered"), [("", "template"), ("ledger", "void"), ("template --mode", "1039"), ("rules --lang", "zh")])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(tmp_path: Path, shell: str, words: str, offered: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(aggregator("completions", shell, folder=tmp_path).stdout, encoding="utf-8")
    command = tmp_path / "bin/aggregator"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from aggregator.__main__ import main; main()" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    at = len(words.split()) + 1
    options = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[shell]
    said = subprocess.run(
        [shell, *options, SCRIPTS[shell].format(script=script, words=words, at=at, place=at + 1)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert offered in [line.split("\t")[0].split(":")[0] for line in said.stdout.splitlines()], said.stdout + said.stderr


def test_files_are_left_to_the_shell(tmp_path: Path) -> None:
    environment = {**os.environ, "_AGGREGATOR_COMPLETE": "bash_complete", "COMP_WORDS": "aggregator run exp", "COMP_CWORD": "2", "PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run([sys.executable, "-m", "aggregator"], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert said.stdout.splitlines() == ["file,exp"]


@pytest.mark.parametrize(("words", "at"), [(None, "1"), ("aggregator ru", None), ("aggregator ru", "x"), ("aggregator run \udcff", "2"), ("aggregator 'x", "1")])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_asks_for_oddly_leaves_no_trace_in_its_line(tmp_path: Path, shell: str, words: str | None, at: str | None) -> None:
    given = {name: value for name, value in (("COMP_WORDS", words), ("COMP_CWORD", at)) if value is not None}
    environment = {**os.environ, **given, "_AGGREGATOR_COMPLETE": f"{shell}_complete", "PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run([sys.executable, "-m", "aggregator"], capture_output=True, env=environment, cwd=tmp_path, check=False)
    assert (said.returncode, said.stderr) == (0, b"")


# ------------------------------------------------------------------------------------------------------------------ Windows


def test_windows_is_refused_in_one_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.platform = 'win32'; from aggregator.__main__ import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert (result.returncode, result.stdout) == (78, "")
    assert "WSL" in result.stderr
    assert "容器" in result.stderr
    assert result.stderr.count("\n") == 1


def test_every_command_is_named() -> None:
    assert {"init", "template", "completions"} <= set(cli.commands)
