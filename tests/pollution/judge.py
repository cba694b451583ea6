"""What the program made of a variant, held against the truth."""

from __future__ import annotations

import re
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from aggregator.jobs.run import run
from aggregator.model.errors import Exit, StopRun
from aggregator.model.outcome import Outcome
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.limits import HEADER_KEY
from tests.conftest import NOW, parameters, read_rows
from tests.pollution.dialects import Dialect
from tests.pollution.truth import Rows, by_inventory, cleared_only, is_to_declare
from tests.pollution.variants import Variant

COMPARED = ("item_no", *M9610.dictionary.content, "order_no", "waybill_no")
_NEVER_ALTERED = {*M9610.dictionary.content, "item_no"}
_FORMULA = re.compile(r"[\t\r\n]|[ \t\r\n\f\v\u00a0\u3000]*[=+\-@＝＋－＠]")
_TOKENS = ("inventory_no", "order_no", "waybill_no", "internal_no", "sku", "barcode", "goods_name", "enterprise_goods_name")
"""Values that no other inventory has: one that shows somewhere shows what is spoken of."""


class Class(StrEnum):
    EXACT = "exact"
    FINDING = "finding"
    REFUSED = "refused"
    DIFFERENT = "silently different"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Verdict:
    found: Class
    why: str = ""

    @property
    def fails(self) -> bool:
        return self.found in (Class.DIFFERENT, Class.CRASHED)


def judge_in_memory(variant: Variant) -> Verdict:
    """In memory where the system has a folder there: thousands of runs write their files, work folders too."""
    shared, before = Path("/dev/shm"), tempfile.tempdir
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        tempfile.tempdir = folder
        try:
            return judge(variant.data(), variant.dialect, variant.pollution.allowed, Path(folder) / "run")
        finally:
            tempfile.tempdir = before


def judge(data: bytes, dialect: Dialect, truths: tuple[Rows, ...], folder: Path) -> Verdict:
    """Run the main job on these bytes in a new folder, which is removed."""
    folder.mkdir(parents=True)
    try:
        path = folder / f"export.{dialect.suffix}"
        path.write_bytes(data)
        try:
            outcome = run(parameters(path, out=folder / "out", assume_cleared=dialect.format == "message").for_run(NOW.date()), NOW)
        except StopRun as stop:
            if stop.exit_code is Exit.UNUSABLE_INPUT and "[F" in stop.text.en and "[F" in stop.text.zh:
                return Verdict(Class.REFUSED, stop.text.en[:200])
            return Verdict(Class.CRASHED, f"exit {int(stop.exit_code)}: {stop.text.en[:300]}")
        except Exception as error:
            return Verdict(Class.CRASHED, f"{error!r}: {''.join(traceback.format_tb(error.__traceback__)[-2:])}")
        if dialect.format == "message":
            truths = tuple(cleared_only(rows) for rows in truths)
        return _Case(outcome, truths).verdict()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Case:
    """A run that ended by itself, and what may be declared (`truths`; the last is what has to be accounted for)."""

    def __init__(self, outcome: Outcome, truths: tuple[Rows, ...]) -> None:
        self.outcome = outcome
        self.allowed = [by_inventory(rows) for rows in truths]
        self.folder = Path(outcome.folder) if outcome.folder else None
        self.audit: list[dict[str, Any]] = []
        self.findings: list[dict[str, str]] = []
        self.excluded: set[str] = set()
        self.reported = ""
        if self.folder is not None:
            self.audit = pq.read_table(self.folder / "audit_map.parquet").to_pylist()
            self.findings = _rows_of(self.folder / "findings.csv")
            self.excluded = {row["inventory_no"] for row in _rows_of(self.folder / "excluded.csv")}
            texts = [path.read_text(encoding="utf-8-sig") for path in sorted((self.folder / "rejected").glob("*.csv"))]
            self.reported = "\n".join([*texts, *(f"{each['inventory_no']} {each['value']}" for each in self.findings)])

    def verdict(self) -> Verdict:
        wrong = [*self._declared_wrongly(), *self._vanished(), *self._ends_wrongly()]
        if wrong:
            codes = ", ".join(f"{code} × {count}" for code, count in self.outcome.findings.items()) or "no findings"
            return Verdict(Class.DIFFERENT, f"{'; '.join(wrong[:4])} (exit {int(self.outcome.exit_code)}; {codes})")
        wanted = {number for number, rows in self.allowed[-1].items() if is_to_declare(rows)}
        return Verdict(Class.EXACT if wanted == {row["inventory_no"] for row in self.audit} else Class.FINDING)

    def _declared_wrongly(self) -> Iterator[str]:
        declared: dict[str, list[dict[str, Any]]] = {}
        for row in self.audit:
            declared.setdefault(row["inventory_no"], []).append(row)
        self.declared = set(declared)
        for number, rows in declared.items():
            alternatives = [lines for truth in self.allowed if is_to_declare(lines := truth.get(number, []))]
            if not alternatives:
                yield from self._phantom(number, rows)
                continue
            differences = [self._difference(number, rows, lines) for lines in alternatives]
            if "" not in differences:
                yield f"{number}: {differences[-1]}"
        yield from self._header_keys()
        yield from self._weights()

    def _difference(self, number: str, rows: list[dict[str, Any]], lines: Rows) -> str:
        """How declared lines differ from the true ones without a word; blank where they do not."""
        found, true = ({row["item_no"]: row for row in some} for some in (_plain(rows), _plain(lines)))
        if len(rows) != len(lines) or set(found) != set(true):
            return f"{len(rows)} of {len(lines)} lines declared"
        for item_no, row in found.items():
            for column in COMPARED:
                if row[column] != true[item_no].get(column, "") and not self._is_reported(number, column, row[column]):
                    return f"item {item_no}, {column}: {true[item_no].get(column, '')!r} declared as {row[column]!r}"
        return ""

    def _is_reported(self, number: str, column: str, value: str) -> bool:
        """By a finding about this very cell; of a column that is blank throughout, by one about its heading."""
        if value == "" and not M9610.dictionary.by_column[column].required and all(row[column] is None for row in self.audit):
            return any(each["code"] in ("F301", "F308") for each in self.findings)
        about = [each for each in self.findings if (each["inventory_no"], each["column"]) == (number, column)]
        return bool(about) and (column not in _NEVER_ALTERED or value in [each["value"] for each in about])

    def _phantom(self, number: str, rows: list[dict[str, Any]]) -> Iterator[str]:
        """A number that no inventory has: only where it was reported, and with all lines of the one whose it is."""
        for truth in self.allowed:
            for true_number, lines in truth.items():
                whole = lines[0]["order_no"] == rows[0]["order_no"] and not self._difference(number, rows, lines)
                if whole and is_to_declare(lines) and any(each["inventory_no"] == number for each in self.findings):
                    self.declared.add(true_number)
                    return
        known = any(number in truth for truth in self.allowed)
        yield f"{number}: {'not to be declared' if known else 'no such inventory'}, yet declared"

    def _header_keys(self) -> Iterator[str]:
        if self.folder is None:
            return
        keys = {row["declaration_ref"]: row for row in _rows_of(self.folder / "declarations.csv")}
        for row in self.audit:
            declaration = keys[row["declaration_ref"]]
            for column in HEADER_KEY.value:
                named_by_code = column == "producer_seller_name" and row["producer_seller_code"] != "NO"
                if not named_by_code and declaration[column] != (row[column] or ""):
                    yield f"{row['inventory_no']}: {column} {row[column]} in a declaration of {declaration[column]}"
                    return

    def _weights(self) -> Iterator[str]:
        if self.folder is None:
            return
        declared = sum((Decimal(row["gross_weight_kg"]) for row in read_rows(self.folder / "declarations.csv")), Decimal())
        once = {row["inventory_no"]: row["gross_weight_kg"] for row in self.audit}
        if declared != sum(once.values(), Decimal()):
            yield f"gross weight {declared} of {sum(once.values(), Decimal())}"

    def _vanished(self) -> Iterator[str]:
        others = self.excluded - {number for truth in self.allowed for number in truth}
        for number, lines in self.allowed[-1].items():
            if number in self.declared or number in self.excluded:
                continue
            if not any(row[column] in self.reported for row in lines for column in _TOKENS if row.get(column)):
                if not is_to_declare(lines) and (others or not self.outcome.published):
                    continue  # It is excluded by whatever number it has now.
                yield f"{number}: neither declared nor reported"

    def _ends_wrongly(self) -> Iterator[str]:
        missing = {number for number, rows in self.allowed[-1].items() if is_to_declare(rows)} - self.declared - self.excluded
        if missing and self.outcome.exit_code is not Exit.WAITING:
            yield f"exit {int(self.outcome.exit_code)}, though {len(missing)} are not declared"
        elif self.outcome.exit_code not in (Exit.DONE, Exit.WAITING):
            yield f"exit {int(self.outcome.exit_code)}"


def _plain(rows: list[dict[str, Any]] | Rows) -> list[dict[str, str]]:
    """Values as they are compared: without outer white space, numbers without the zeros at their end."""
    return [{column: _value(row.get(column), column) for column in COMPARED} for row in rows]


def _value(value: Any, column: str) -> str:
    text = "" if value is None else str(value).strip()
    return f"{Decimal(text).normalize():f}" if text and M9610.dictionary.by_column[column].kind in ("decimal", "count") and text.replace(".", "").isdecimal() else text


def _rows_of(path: Path) -> list[dict[str, str]]:
    """A result table without the guard of cells that a spreadsheet would run as a formula."""
    return [
        {column: cell[1:] if cell[:1] == "'" and _FORMULA.match(cell.lstrip("'")) else cell for column, cell in row.items()}
        for row in read_rows(path)
    ]
