"""A config that is wrong is said to be so with file, line and what was probably meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aggregator.model.config_file import line_of
from aggregator.model.errors import WrongConfiguration
from aggregator.model.options import from_config, read_config

TEXT = """# settings
[run]
out = "results"

formats = [
  "csv",
  "parquet",
]
[columns]
"a b" = '''
x
[run]
y'''
c = "\u2028"
d = "d"
[[rates]]
a = 1
[[rates]]
b = 2
[calendar.2027]
off = []
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("run",), 2), (("run", "out"), 3), (("run", "formats"), 5), (("columns", "a b"), 10), (("columns", "c"), 14), (("columns", "d"), 15),
        (("rates", 0, "a"), 17), (("rates", 1), 18), (("rates", 1, "b"), 19), (("calendar", "2027", "off"), 21),
        (("customs", "sender_code"), None), (("columns", "missing"), 9),
    ],
)  # fmt: skip
def test_the_line_a_key_stands_on(key: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, key) == line
    assert line_of(TEXT.replace("\n", "\r\n"), key) == line


def said(folder: Path, text: str | bytes) -> WrongConfiguration:
    path = folder / "firm.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(WrongConfiguration) as stop:
        from_config(read_config(path), {})
    return stop.value


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[run]\n\nperoid = '2026-10'\n", 3, "unknown key 'peroid' in [run] (did you mean 'period'?)"),
        ("[run]\nfirst-period = '2026-10'\n", 2, "did you mean 'first_period'?"),
        ("[run]\nformat = ['csv']\n", 2, "did you mean 'formats'?"),
        ("[run]\nout = 'x'\nworkers = '2'\n", 3, "expected int, found str"),
        ("[run]\nworkers = 0\n", 2, "at least 1"),
        ("[run]\nreceipts = [1]\n", 2, "list of text"),
        ("[run]\nformats = [['csv']]\n", 2, "list of text"),
        ("[run]\nlang = 'fr'\n", 2, "expected one of en, zh"),
        ("[run]\nperiod = '2026-13'\n", 2, "2026-13"),
        ("[run]\nas_of = 'soon'\n", 2, "YYYY-MM-DD"),
        ("[run]\nmode = '9601'\n", 2, "9610"),
        ("\nout = 'results'\n", 2, "it belongs under [run]"),
        ("consignor_code = 'X'\n", 1, "it belongs under [constants]"),
        ("[run]\n[colums]\n", 2, "did you mean 'columns'?"),
        ("[constants]\nconsignor_cod = 'X'\n", 2, "did you mean 'consignor_code'?"),
        ("[columns]\n'单据号' = 'inventory_number'\n", 2, "did you mean 'inventory_no'?"),
        ("[severity]\nR999 = 'warning'\n", 2, "not a rule"),
        ("[company]\npilot_zones = true\n", 2, "did you mean 'pilot_zone'?"),
        ("[market]\nname = 1\n", 2, "is no text"),
        ("[customs]\nsender_cod = 'X'\n", 2, "did you mean 'sender_code'?"),
        ("[[rates]]\n[[rates]]\ncurency = 'USD'\n", 3, "unknown key 'curency' in [[rates]] 2"),
        ("run = 1\n", 1, "must be a table"),
        ("[run]\nout = 'a\n", 2, "not TOML"),
        ("[run]\nout = 'a'\nout = 'b'\n", 3, "not TOML"),
        ("[run]\nout = '结果'\n".encode("gb18030"), 2, "not UTF-8"),
    ],
)  # fmt: skip
def test_file_and_line_are_named(tmp_path: Path, text: str | bytes, line: int, says: str) -> None:
    stop = said(tmp_path, text)
    assert f"{tmp_path}/firm.toml:{line}:" in stop.text.en
    assert f"{tmp_path}/firm.toml:{line}" in stop.text.zh
    assert says in stop.text.en


def test_all_of_it_is_said_at_once(tmp_path: Path) -> None:
    stop = said(tmp_path, "[run]\nperoid = '2026-10'\nworkers = 0\n[oops]\n")
    assert [f"firm.toml:{line}:" in stop.text.en for line in (2, 3, 4)] == [True] * 3
    assert "（是否应为“period”？）" in stop.text.zh


def test_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "firm.toml"
    path.write_bytes("\ufeff[run]\r\nout = '结果'\r\n".encode())
    assert str(from_config(read_config(path), {}).out) == "结果"
    assert f"{path}:1:" in said(tmp_path, "\ufeffouts = 1\n").text.en


@pytest.mark.parametrize("config", [{"runs": {}}, {"run": {"peroid": "2026-10"}}])
def test_a_mapping_of_a_program_has_no_lines(config: dict[str, Any]) -> None:
    with pytest.raises(WrongConfiguration) as stop:
        from_config(config, {})
    assert str(stop.value).startswith("The config is wrong: unknown ")


@pytest.mark.parametrize("text", ["[run]\n" + "a." * 20_000 + "a = 1\n", "[" + "a." * 20_000 + "a]\n"])
def test_a_key_of_thousands_of_parts_is_not_parsed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "aggregator.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongConfiguration, match="a key of more than 100 parts"):
        read_config(path)


def test_however_much_is_wrong_is_soon_said(tmp_path: Path) -> None:
    """Where a key stands is found by reading the file again and again."""
    stop = said(tmp_path, "[columns]\n" + "".join(f"x{place} = 'y'\n" for place in range(20_000)))
    assert stop.text.en.count("neither is a column") == 50
    assert "there may be more" in stop.text.en
    assert f"{tmp_path}/firm.toml:2:" in stop.text.en
    stop = said(tmp_path, "[run]\nformats = [\n" + "'csv',\n" * 40_000 + "]\nperod = 1\n")
    assert "did you mean 'period'" in stop.text.en
