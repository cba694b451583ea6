"""Blank lines by the million: counted, passed over without being read again, and the rows below keep their numbers."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from aggregator.inputs.formats.pieces import is_blank
from aggregator.model.errors import UnusableInput
from aggregator.model.outcome import Outcome
from tests.conftest import Runner, csv_text, findings_by_code, opened, row

COLUMNS = csv_text([row()]).splitlines()[0].count(",") + 1
BLANK = {
    "line feeds": "\n", "both": "\r\n", "returns": "\r", "one blank": " \n", "blanks": "        \n", "tabs": "\t\t\r\n", "commas": "," * (COLUMNS - 1) + "\n", "too few commas": ",,\n",
    "wide blanks": "\u3000\u3000\u3000\n", "empty quotes": ",".join(['""'] * COLUMNS) + "\n", "mixed": "\n \r\n,\n",
}  # fmt: skip


SMALL = 1 << 14


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pieces", "scan"):
        monkeypatch.setattr(f"aggregator.inputs.formats.{name}.PIECE", SMALL)


def export(blank: str, *, below: str = "") -> tuple[str, int]:
    """Two sound lines, over two pieces of blank ones, a line without a name; and the row of that."""
    text = csv_text([row(), row(item_no="2")])
    if blank == "\r":
        text = text.replace("\n", "\r")
    count = (5 * SMALL // 2) // len(blank.encode()) + 1
    faulty = csv_text([row(inventory_no="22442026E000000002", goods_name="", order_no="DD2", waybill_no="LP2")]).splitlines()[1] + text[-1]
    return text + blank * count + faulty + below, 4 + count * len(blank.splitlines())


def rows_found(runner: Runner, outcome: Outcome) -> set[str]:
    return {each["source_row"] for each in runner.results(outcome, "findings")}


@pytest.mark.parametrize("kind", BLANK)
def test_a_row_below_keeps_its_number(runner: Runner, kind: str) -> None:
    text, at = export(BLANK[kind])
    outcome = runner.run_rows(text)
    assert rows_found(runner, outcome) == {str(at)}
    assert outcome.counts["rows_blank"] == at - 4
    [rejected] = (Path(outcome.folder) / "rejected").glob("*.csv")
    assert rejected.read_text(encoding="utf-8-sig").count("22442026E000000002") == 1


@pytest.mark.parametrize(("encoding", "packed"), [("utf-8-sig", "zip"), ("gb18030", "gz"), ("utf-16", ""), ("gb18030", "")])
def test_in_any_encoding_and_packed(runner: Runner, encoding: str, packed: str) -> None:
    text, at = export("\u3000\r\n", below="\r\n" * SMALL)
    data = text.encode(encoding)
    if packed == "zip":
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", data)
        data = sink.getvalue()
    elif packed == "gz":
        data = gzip.compress(data, 1)
    outcome = runner.run(runner.write(data, f"export.{packed or 'csv'}"))
    assert rows_found(runner, outcome) == {str(at)}
    assert outcome.counts["rows_blank"] == at - 4 + SMALL


def rows_of(outcome: Outcome, runner: Runner, kept: list[int]) -> list[tuple[int, ...]]:
    """Findings, with rows as they are numbered where no blank line stands: the place of each in `kept`."""
    return sorted((each["code"], each["value"], *([kept.index(int(each["source_row"]))] if each["source_row"] else [])) for each in runner.results(outcome, "findings"))


@pytest.mark.parametrize("count", [1, 4, 100])
@pytest.mark.parametrize("kind", [each for each in BLANK if each != "returns"])
def test_blank_lines_below_every_row_change_nothing_but_row_numbers(runner: Runner, kind: str, count: int) -> None:
    """Rows that go on over blank lines within quotes, rows of another width, and one that is no row at all among them."""
    numbers = [f"22442026E{number:09}" for number in range(1, 60)]
    some = [row(inventory_no=number, order_no=f"D{place}", waybill_no=f"L{place}", goods_name="" if place % 7 == 3 else "a\n\n \n,\nb" if place % 5 == 2 else "布") for place, number in enumerate(numbers)]
    cells = csv_text(some)
    # Each row is a record: those over several lines are found by the number at their beginning.
    heading, *parts = cells.split("22442026E")
    records = ["22442026E".join(["", part]) for part in parts]
    records[11], records[20] = records[11].rstrip("\n") + ",too,many\n", f"{numbers[20]}\n"
    plain = runner.run_rows(heading + "".join(records))
    blank = BLANK[kind] * count
    outcome = runner.run_rows(heading + "".join(record + blank for record in records), out=runner.folder / "other")
    a_blank = count * BLANK[kind].count("\n")
    kept = [2 + place * (1 + a_blank) for place in range(len(records))]
    assert rows_of(outcome, runner, kept) == rows_of(plain, runner, [2 + place for place in range(len(records))])
    assert outcome.counts["rows_blank"] == a_blank * len(records)
    assert {**outcome.counts, "rows_blank": 0} == {**plain.counts, "rows_blank": 0}
    of_each = [[path.read_bytes() for path in sorted((Path(each.folder) / "rejected").glob("*.csv"))] for each in (plain, outcome)]
    assert [[data.count(b"22442026E") for data in each] for each in of_each] == [[of_each[0][0].count(b"22442026E")]] * 2


def test_blank_lines_between_rows_make_no_more_blocks(tmp_path: Path) -> None:
    """A block costs what some thousand lines do, whatever is in it."""
    lines = csv_text([row()]).splitlines(keepends=True)
    path = tmp_path / "export.csv"
    for blank in ("\n", " \n", ",,\n"):
        path.write_text(lines[0] + (lines[1] + blank * (SMALL // 2 // len(blank))) * 100)
        assert len(opened(path).blocks) == 1
        assert len(opened(path, chunk_bytes=10 * SMALL).blocks) <= 7


def test_no_process_is_given_what_is_blank(runner: Runner) -> None:
    file = opened(runner.write(csv_text([row()]) + "\n" * (20 * SMALL) + csv_text([row()]).splitlines()[1]))
    assert sum(block.end - block.start for block in file.blocks) < 2 * SMALL
    assert len(file.blocks) == 2


def test_nothing_but_blank_lines_below_the_headings(runner: Runner) -> None:
    assert list(findings_by_code(runner.write(csv_text([row()]).splitlines()[0] + "\n" * (3 * SMALL)))) == ["F303"]


def test_blank_lines_above_the_headings_are_no_empty_file(runner: Runner) -> None:
    with pytest.raises(UnusableInput, match="F101"):
        opened(runner.write("\n" * 5000 + csv_text([row()])))
    with pytest.raises(UnusableInput, match="F105"):
        opened(runner.write("\n" * 5000))


def test_lines_of_blanks_are_no_rows_of_another_width(runner: Runner) -> None:
    """However short the run of them is."""
    lines = csv_text([row(), row(item_no="2")]).splitlines(keepends=True)
    outcome = runner.run_rows(lines[0] + lines[1] + " \n" * 200_000 + lines[2] + " \n" * 3 + "odd\n")
    assert [each["source_row"] for each in runner.results(outcome, "findings") if each["code"] == "F201"] == ["200007"]
    assert outcome.counts["rows_blank"] == 200_003


@pytest.mark.parametrize(
    ("text", "blank"),
    [("\n", True), (" \t\x0b\r\n", True), (",\n", True), (";\n", False), ("\u3000\n", True), ("\u00a0\n", False), ('"",""\n', True), ('""""\n', False), ('" "\n', False), ("\0\n", False), ("\u200b\n", False), ("0\n", False)],
)
def test_what_is_blank(text: str, blank: bool) -> None:
    piece = text.encode() * (SMALL // len(text.encode()) + 1)
    assert is_blank(piece, ",", "utf-8") is blank
    assert is_blank(piece + b"a\n", ",", "utf-8") is False
    assert is_blank(text.encode(), ",", "utf-8") is False
