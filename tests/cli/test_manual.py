"""Pages for `man` stand in docs/man as the program's help has them (test_golden checks that); here, that they can be shown."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MANUAL = Path(__file__).parents[2] / "docs" / "man"
PAGES = sorted(MANUAL.rglob("*.1"))


def test_every_command_has_a_page_in_both_languages() -> None:
    english, chinese = ({path.name for path in (MANUAL / room / "man1").iterdir()} for room in ("", "zh_CN"))
    assert english == chinese
    assert {"aggregator.1", "aggregator-run.1", "aggregator-ledger-first-period.1"} <= english


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_they_are_shown_without_a_warning() -> None:
    result = subprocess.run(["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", *PAGES], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    # A line that began with a point or a quote would be lost as a request.
    assert all(word in result.stdout for word in ("--assume-cleared", "summary declarations", "'exports/*.csv'", "清单核放"))
