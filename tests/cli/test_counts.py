"""One thing is told of as one, several as several: in what commands say in English, and in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli import cli
from aggregator.schemas.text import counted
from tests.conftest import Runner, row

ONE_AS_MANY = re.compile(r"(?<![\d,.:/-])1 (?:more )?(?!was\b|is\b|has\b)(?:working days|[a-z]+s)\b")
MANY_AS_ONE = re.compile(r"(?<![\d,.:/-])2 (?:inventory|line|declaration|item|finding|error|warning|event|run|file|number|heading)\b")


def test_of_one_and_of_several() -> None:
    assert [counted(count, "inventory", "inventories") for count in (0, 1, 2, 1000)] == ["0 inventories", "1 inventory", "2 inventories", "1,000 inventories"]


def said(*words: str) -> str:
    result = CliRunner().invoke(cli, ["--lang", "en", *words], prog_name="aggregator")
    assert result.exit_code in (0, 3), result.stderr
    return result.stdout + result.stderr


@pytest.mark.parametrize("count", [1, 2])
def test_what_commands_say(runner: Runner, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.chdir(runner.folder)

    def numbered(number: int, **cells: str) -> dict[str, str]:
        return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"W{number}", commodity_code="6109100010" if number % 2 else "6307900090", **cells)

    sound, wrong = ([numbered(place + first, **cells) for place in range(count)] for first, cells in ((1, {}), (11, {"goods_name": ""})))
    runner.write([*sound, *wrong])
    runner.write(sound, "sound.csv")
    runner.write([numbered(place + 21) for place in range(count)], "elsewhere.csv")
    place, day = ("--out", "out"), ("--as-of", "2026-11-13" if count == 1 else "2026-11-12")
    told = [
        said("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", *place, *day),
        said("check", "export.csv"),
        said("check", "sound.csv"),
        said("columns", "sound.csv"),
        said("ledger", "import", "elsewhere.csv", *place),
        said("ledger", "import", "elsewhere.csv", *place),
        said("status", *place, *day),
        said("months", *place, *day),
        said("trace", *(f"none{number}" for number in range(count)), *place),
        said("ledger", "show", *place),
        said("ledger", "check", *place),
        said("ledger", "dismiss", *(each["inventory_no"] for each in wrong), "--reason", "x", *place),
        said("ledger", "void", "202610-01", "--reason", "x", *place),
    ]
    report = (next(Path("out/2026-10").glob("*")) / "report.html").read_text(encoding="utf-8")
    told += re.findall(r'<span lang="en">(.*?)</span>', report)
    expected = {1: ("1 inventory", "1 line of", "1 declaration", "1 working day left", "1 error", "1 number (", "the inventory as declared"),
                2: ("2 inventories", "2 lines", "2 items", "2 working days left", "2 errors", "2 numbers (", "all 2 inventories")}  # fmt: skip
    for text in told:
        assert not (found := (ONE_AS_MANY if count == 1 else MANY_AS_ONE).findall(text)), (found, text)
    assert all(any(words in text for text in told) for words in expected[count]), "\n".join(told[:13])
