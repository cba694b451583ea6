"""The corpus: every shape that exports come in, sound or damaged, with its expected answer. Never silently different."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from aggregator.model.errors import UnusableInput
from aggregator.model.repairs import REPAIRS
from aggregator.samples.shapes import SHAPES, Answer, Shape
from aggregator.samples.shapes.shape import Rows
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner

COMPARED = ("inventory_no", "item_no", *M9610.dictionary.content)


def _plain(value: Any, column: str) -> str:
    """A value as it is compared: numbers without the zeros at their end."""
    text = "" if value is None else str(value)
    return f"{Decimal(text).normalize():f}" if text and M9610.dictionary.by_column[column].kind in ("decimal", "count") else text


def declared_lines(folder: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """The content that was declared, in order, and the columns it is of."""
    table = pq.read_table(folder / "audit_map.parquet")
    names = [name for name in COMPARED if name in table.column_names]
    assert len(names) > 20
    return names, sorted(tuple(_plain(row[name], name) for name in names) for row in table.select(names).to_pylist())


def true_lines(rows: Rows, names: list[str]) -> list[tuple[str, ...]]:
    return sorted(tuple(_plain(line.get(name, ""), name) for name in names) for line in rows)


def test_what_is_put_right_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [kind for kind in REPAIRS if f"`{kind}`" not in text] == []
    assert {shape.repair for shape in SHAPES} - {""} == set(REPAIRS) - {"numbers_from_receipts", "numbered_by_line"}, "each has its shape"


def test_the_corpus_is_large_and_its_names_are_its_own() -> None:
    assert len(SHAPES) >= 150
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    assert all(shape.code in M9610.rules.by_code for shape in SHAPES if shape.answer is not Answer.EXACT)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_shape(shape: Shape, runner: Runner) -> None:
    path = runner.folder / shape.file
    path.write_bytes(shape.make())
    if shape.answer is Answer.STOP:
        with pytest.raises(UnusableInput) as stopped:
            runner.run(path, assume_cleared=not shape.says_cleared)
        assert f"[{shape.code}]" in stopped.value.text.en, stopped.value.text.en
        assert f"[{shape.code}]" in stopped.value.text.zh
        assert not list(runner.out.glob("2026-10/*"))
        return
    outcome = runner.run(path, assume_cleared=not shape.says_cleared)
    if not shape.truth():
        assert (outcome.findings, outcome.published) == ({shape.code: 1}, False)
        return
    folder = Path(outcome.folder)
    names, declared = declared_lines(folder)
    truth = true_lines(shape.truth(), names)
    if shape.answer is Answer.EXACT:
        assert declared == truth
        errors = [code for code in outcome.findings if M9610.rules.by_code[code].severity == "error"]
        assert not errors, errors
        reported = {code for code in outcome.findings if code.startswith("F")}
        assert reported == ({shape.code} if shape.code else set()), outcome.findings
        repairs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["inputs"][0]["repairs"]
        assert not shape.repair or repairs[shape.repair], repairs
        assert set(repairs) <= set(REPAIRS)
    else:
        assert shape.code in outcome.findings, outcome.findings
        assert outcome.exit_code == (3 if M9610.rules.by_code[shape.code].severity == "error" else 0)
        # What is declared is true; what is not was reported.
        altered = [line for line in declared if line not in truth]
        assert not altered or M9610.rules.by_code[shape.code].severity == "warning", altered
