"""The report of a run, printed."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path

import pytest
from pypdf import PdfReader

from aggregator.jobs.pdf import BROWSERS, print_report
from aggregator.model.disk import OWNER
from aggregator.model.errors import CannotReadOrWrite, NoInput, WrongConfiguration, WrongUsage
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row
from tests.outputs.browser import CHROMIUM


@pytest.fixture
def run_folder(runner: Runner) -> Path:
    return Path(runner.run_rows([row()]).folder)


def stand_in(folder: Path, script: str) -> str:
    """A PATH on which there is a browser that does as the script says."""
    folder.mkdir()
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)


def test_without_a_browser_it_says_what_to_do(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(WrongConfiguration) as stopped:
        print_report(run_folder, tmp_path / "r.pdf", None)
    assert BROWSERS[0] in stopped.value.text.en
    assert BROWSERS[0] in stopped.value.text.zh


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_language_asked_for_is_printed(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    script = 'for a in "$@"; do case "$a" in --print-to-pdf=*) to="${a#*=}";; file://*) from="${a#file://}";; esac; done; cat "$from" > "$to"'
    monkeypatch.setenv("PATH", f"{stand_in(tmp_path / 'bin', script)}{os.pathsep}/usr/bin:/bin")
    print_report(run_folder, tmp_path / "r.pdf", lang)  # type: ignore[arg-type]
    printed = (tmp_path / "r.pdf").read_text(encoding="utf-8")
    assert printed.count('name="lang"') == 2
    assert next(line for line in printed.splitlines() if 'name="lang"' in line and " checked" in line).count(f'id="lang-{lang}"') == 1
    assert sum('name="lang"' in line and " checked" in line for line in printed.splitlines()) == 1


def test_a_browser_that_prints_nothing_is_quoted(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{stand_in(tmp_path / 'bin', 'echo no display >&2; exit 1')}{os.pathsep}/usr/bin:/bin")
    with pytest.raises(CannotReadOrWrite, match="no display"):
        print_report(run_folder, tmp_path / "r.pdf", None)
    assert not (tmp_path / "r.pdf").exists()


def test_only_reports_are_printed(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NoInput):
        print_report(tmp_path / "absent", tmp_path / "r.pdf", None)
    (tmp_path / "report.html").write_text("<p>another page</p>")
    with pytest.raises(WrongUsage):
        print_report(tmp_path, tmp_path / "r.pdf", None)


def test_a_run_stands_whatever_becomes_of_its_pdf(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    runner.write([row()])
    wanted = ("run", "export.csv", "--period", "2026-10", "--as-of", "2026-11-05", "--out", "out", "--pdf", "r.pdf")
    result = aggregator(*wanted, folder=runner.folder)
    assert result.returncode == 3
    assert BROWSERS[0] in result.stderr
    assert (runner.out / "2026-10/202610-01/report.html").exists()
    again = aggregator(*wanted, folder=runner.folder)
    assert again.returncode == 0
    assert "no report to print" in again.stderr


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_real_browser_prints_it(run_folder: Path, tmp_path: Path) -> None:
    print_report(run_folder, tmp_path / "r.pdf", "zh")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("lead", ['<meta http-equiv="refresh" content="0;url=file:///etc/passwd">', '<META content=">" HTTP-EQUIV=refresh>', "<meta/http-equiv=refresh>"])
def test_a_report_that_leads_elsewhere_is_none(run_folder: Path, tmp_path: Path, lead: str) -> None:
    page = run_folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("<title>", f"{lead}<title>", 1), encoding="utf-8")
    with pytest.raises(WrongUsage, match="no report"):
        print_report(run_folder, tmp_path / "r.pdf", None)


def test_a_page_of_choices_without_end_is_looked_through_at_once(tmp_path: Path) -> None:
    choice = '<input class="choice" type="radio" name="lang" id="lang-zh" '
    (tmp_path / "report.html").write_text("<!doctype html>" + choice * 200_000)
    begun = time.process_time()
    with pytest.raises(WrongUsage, match="no report"):
        print_report(tmp_path, tmp_path / "r.pdf", "zh")
    assert time.process_time() - begun < 3


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_what_others_wrote_into_a_report_gets_no_script_and_no_other_file(run_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text("ANOTHERFILE")
    page = run_folder / "report.html"
    text = re.sub("<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    evil = f'<h1 id="x">ASWRITTEN</h1><script>document.getElementById("x").textContent = "BYSCRIPT"</script><iframe src="{other.as_uri()}"></iframe><object data="{other.as_uri()}"></object>'
    page.write_text(re.sub("(<body[^>]*>)", lambda found: found[0] + evil, text, count=1), encoding="utf-8")
    print_report(run_folder, tmp_path / "r.pdf", None)
    shown = " ".join(each.extract_text() for each in PdfReader(tmp_path / "r.pdf").pages)
    assert "ASWRITTEN" in shown
    assert "BYSCRIPT" not in shown
    assert "ANOTHERFILE" not in shown


def test_what_a_killed_one_left_is_removed_by_the_next(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "aggregator-pdf-1"
    left.mkdir(mode=0o700)
    (left / OWNER).touch()
    monkeypatch.setenv("PATH", f"{stand_in(tmp_path / 'bin', 'exit 1')}{os.pathsep}/usr/bin:/bin")
    with pytest.raises(CannotReadOrWrite):
        print_report(run_folder, tmp_path / "r.pdf", None)
    assert not list(tmp_path.glob("aggregator-*"))
