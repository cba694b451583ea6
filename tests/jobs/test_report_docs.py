"""Every command of docs/report.md, and of its Chinese twin, does what is said there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.test_cli import ROOT, aggregator
from tests.conftest import Runner, row
from tests.jobs.test_pdf import stand_in

PAGES = {lang: (ROOT / "docs" / name).read_text(encoding="utf-8") for lang, name in (("en", "report.md"), ("zh", "zh/report.md"))}


def commands(page: str) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("aggregator ")]


def test_both_languages_have_the_same_commands_and_tables() -> None:
    assert commands(PAGES["en"]) == commands(PAGES["zh"])
    rows = {lang: len(re.findall(r"^\|", page, re.MULTILINE)) for lang, page in PAGES.items()}
    assert rows["en"] == rows["zh"]


def test_every_command_of_the_page_works(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", 'for a in "$@"; do case "$a" in --print-to-pdf=*) echo "%PDF-" > "${a#*=}";; esac; done'))
    first = row(goods_name="", inventory_no="22442026E000000002", order_no="D2", waybill_no="W2")
    for rows in ([row(), first], [{**first, "goods_name": "棉制T恤衫"}]):
        runner.write(rows)
        aggregator("run", "export.csv", "--period", "2026-10", "--as-of", "2026-11-05", "--out", "results", folder=runner.folder)
    codes = {}
    for command in commands(PAGES["en"]):
        result = aggregator(*command, *(("--as-of", "2026-11-05") if command[0] == "months" else ()), folder=runner.folder)
        codes[command[0]] = result.returncode
        assert result.stdout
    assert codes == {"report": 0, "diff": 3, "months": 0}
    assert (runner.folder / "october.pdf").exists()
    assert (runner.folder / "months.html").exists()
