"""Small files go together as one chunk: what is made of them is what is made of each by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.inputs.inputs import open_inputs
from aggregator.jobs.run import check
from aggregator.model.errors import StopRun
from tests.conftest import NOW, Runner, csv_text, parameters, row
from tests.pipeline.test_orphans import UNREADABLE
from tests.pipeline.test_properties import Folder
from tests.tries import tries

NUMBERS = [f"22442026E00000000{place}" for place in range(1, 8)]
BETWEEN = ("", "", "", "\n", "合计" + "," * 43 + "\n", "备注：共两票\n")
ENDS = ("\n", "\n", "\r\n", "")


def made(folder: Path, name: str, files: list[Path], chunk_bytes: int) -> dict[str, bytes] | str:
    """Every output by its name, or what refused the files."""
    runner = Runner(folder)
    try:
        outcome = runner.run(*files, out=folder / name, chunk_bytes=chunk_bytes)
    except StopRun as stop:
        return str(stop.text.en)
    if not outcome.published:
        return repr((outcome.counts, outcome.findings))
    run = Path(outcome.folder)
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file() and path.suffix not in (".html", ".json")}


def chunks(files: list[Path], chunk_bytes: int) -> int:
    with open_inputs(parameters(*files, out=files[0].parent, chunk_bytes=chunk_bytes).reading, clearing_known=False) as inputs:
        return len(inputs.chunks)


@st.composite
def small_files(draw: st.DrawFn) -> list[bytes]:
    """A few inventories, their lines dealt out to files at random; some lines unreadable, rows that are no lines between them."""
    lines = [row(inventory_no=number, item_no=str(item), order_no=f"DD{at}", waybill_no=f"LP{at}") for at, number in enumerate(NUMBERS) for item in range(1, draw(st.integers(1, 3)) + 1)]
    ends = sorted(draw(st.lists(st.integers(1, len(lines)), min_size=1, max_size=4)))
    files = []
    for begin, end in zip([0, *ends], [*ends, len(lines)], strict=True):
        heading, *records = csv_text(lines[begin:end] or lines[:1]).splitlines()
        for place in range(len(records)):
            if draw(st.integers(0, 9)) == 0:
                number = next(number for number in NUMBERS if number in records[place])
                records[place] = UNREADABLE[draw(st.sampled_from(sorted(UNREADABLE)))](records[place], number)
            if draw(st.integers(0, 9)) == 0:
                records[place] = records[place].replace("LP", "'LP ").replace("DD", "ＤＤ")
        between = [draw(st.sampled_from(BETWEEN)) for _ in records]
        text = heading + "\n" + "".join(f"{before}{record}\n" for before, record in zip(between, records, strict=True))
        files.append((text.rstrip("\n") + draw(st.sampled_from(ENDS))).encode(draw(st.sampled_from(["utf-8", "gb18030"])), "replace"))
    return files


def together_and_apart(files: list[bytes], *, plain: bool = False) -> None:
    with Folder() as folder:
        paths = []
        for place, data in enumerate(files):
            paths.append(folder / f"{place}.csv")
            paths[-1].write_bytes(data)
        largest = max(map(len, files))
        if plain:
            assert (chunks(paths, 1 << 20), chunks(paths, largest)) == (1, len(paths))
        one, each = made(folder, "together", paths, 1 << 20), made(folder, "apart", paths, largest)
        if isinstance(one, str) or isinstance(each, str):
            assert one == each
            return
        assert list(one) == list(each)
        for name in one:
            assert one[name] == each[name], name


@given(small_files())
@settings(max_examples=tries(25))
def test_together_as_apart(files: list[bytes]) -> None:
    together_and_apart(files)


@pytest.mark.long
@given(small_files())
@settings(max_examples=tries(40))
def test_together_as_apart_many_times(files: list[bytes]) -> None:
    together_and_apart(files)


def test_plain_files_are_one_chunk() -> None:
    lines = [row(inventory_no=f"22442026E{at:09d}", order_no=f"DD{at}", waybill_no=f"LP{at}") for at in range(40)]
    random.Random(3).shuffle(lines)
    lines[7]["goods_name"] = ""
    lines[25]["declared_quantity"] = "x"
    lines[33]["inventory_no"] = " " + lines[33]["inventory_no"].lower()
    together_and_apart([csv_text(lines[at : at + 10]).encode() for at in range(0, 40, 10)], plain=True)


def test_each_file_keeps_its_rows_and_its_name(runner: Runner) -> None:
    files = [runner.write([row(inventory_no=f"22442026E00000000{at}", order_no=f"DD{at}", waybill_no=f"LP{at}", goods_name="" if at == 2 else "衣")], f"{at}.csv") for at in range(1, 5)]
    outcome = runner.run(*files)
    [finding] = [each for each in runner.results(outcome, "findings") if each["code"] == "R101"]
    assert (Path(finding["source_file"]).name, finding["source_row"]) == ("2.csv", "2")
    assert [path.name for path in (Path(outcome.folder) / "rejected").glob("*.csv")] == ["2.csv"]


def test_other_headings_make_another_chunk(runner: Runner) -> None:
    own = runner.write([row()], "1.csv")
    other = runner.write(csv_text([row(inventory_no="22442026E000000009", order_no="DD9", waybill_no="LP9")]).replace("goods_spec", "spec", 1), "2.csv")
    assert chunks([own, other], 1 << 20) == 2


def test_what_is_said_of_many_files_comes_in_their_order(runner: Runner) -> None:
    """Also of those of which nothing is said: some end without a line end, some have a transport mode that is told once."""
    files = []
    for place in range(40):
        text = csv_text([row(inventory_no=f"22442026E{place:09d}", order_no=f"DD{place}", waybill_no=f"LP{place}", transport_mode_code="5" if place % 3 == 0 else "UV"[place % 2])])
        files.append(runner.write(text.rstrip("\n") if place % 5 == 0 else text, f"{place:02d}.csv"))
    outcome = runner.run(*files)
    found = [(Path(each["source_file"]).name, each["code"]) for each in runner.results(outcome, "findings")]
    assert found == [("00.csv", "F302"), ("01.csv", "R202"), ("02.csv", "R202"), *((f"{place:02d}.csv", "F302") for place in range(5, 40, 5))]
    assert (outcome.findings, Path(outcome.examples["F302"][0].file).name) == ({"F302": 8, "R202": 2}, "00.csv")
    checked, tables = check(parameters(*files, out=runner.folder).for_check(), NOW.date())
    assert [(Path(each["source_file"]).name, each["code"]) for table in tables for each in table.to_pylist()] == found
    assert checked.findings == outcome.findings
