"""Write all shapes to a folder, with a list of what is to be said of each."""

from __future__ import annotations

from pathlib import Path

from aggregator.model.disk import write_file
from aggregator.samples.shapes import SHAPES
from aggregator.samples.shapes.formats import as_csv
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.text import Lang

ANSWERS = "answers.csv"


def write_shapes(out: Path, lang: Lang) -> Path:
    """`out`/shapes: the files, and answers.csv with file, answer, code and what the code means."""
    folder = out / "shapes"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["file", "answer", "code", "needs", "meaning"]]
    for shape in SHAPES:
        write_file(folder / shape.file, shape.make())
        meaning = M9610.rules[shape.code].message.in_lang(lang) if shape.code else ""
        rows.append([shape.file, str(shape.answer), shape.code, "" if shape.says_cleared else "--assume-cleared", meaning])
    write_file(folder / ANSWERS, as_csv(rows, encoding="utf-8-sig"))
    return folder / ANSWERS
