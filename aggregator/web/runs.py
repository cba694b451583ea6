"""Runs and their files, as they lie in the folder of results. A name that is asked for is looked up among those that are there; it is never
joined to a path."""

from __future__ import annotations

import csv
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from aggregator.model.small import read_small
from aggregator.outputs.run_tables import rows_of
from aggregator.schemas.column_names import called
from aggregator.schemas.modes import MODES, Mode, mode_of
from aggregator.schemas.text import Lang

_PERIOD, _REF = re.compile(r"[0-9]{4}-[0-9]{2}"), re.compile(r"[0-9]{6}-[0-9]{2,}")
_BYTES = re.compile("[\ud800-\udfff]")
_EXAMPLES = 5
_MOST_ROWS, _MOST_OF_A_CELL = 2_000_000, 16 << 20
_MOST_OF_A_MANIFEST = 64 << 20


@dataclass(frozen=True)
class Run:
    period: str
    ref: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        counts = self.manifest.get("counts")
        return counts if isinstance(counts, dict) else {}

    @property
    def mode(self) -> Mode:
        parameters = self.manifest.get("parameters")
        named = parameters.get("mode") if isinstance(parameters, dict) else None
        return mode_of(named if isinstance(named, str) and named in MODES else "9610")

    @property
    def headings(self) -> dict[str, dict[str, str]]:
        """Of each input by its name, without the folders above it: the user's own heading of each column."""
        inputs = self.manifest.get("inputs")
        known = [each for each in inputs if isinstance(each, dict) and isinstance(each.get("columns"), dict)] if isinstance(inputs, list) else []
        return {base(str(each.get("file"))): {column: str(heading) for column, heading in each["columns"].items()} for each in known}

    @property
    def files(self) -> dict[str, Path]:
        """By their names below the folder, with slashes. One that is not UTF-8 is none of ours, and stands in no address."""
        found = {}
        for above, _, names in os.walk(self.folder):
            for name in names:
                path = Path(above, name)
                if path.is_file() and not path.is_symlink() and not _BYTES.search(name):
                    found[path.relative_to(self.folder).as_posix()] = path
        return dict(sorted(found.items()))

    @property
    def to_correct(self) -> list[str]:
        """Workbooks of what was rejected; the table where there is none."""
        names = [name for name in self.files if name.startswith("rejected/")]
        books = [name for name in names if name.endswith(".xlsx")]
        return books + [name for name in names if not name.endswith(".xlsx") and f"{name.rsplit('.', 1)[0]}.xlsx" not in books]


def runs(out: Path) -> list[Run]:
    """The latest first."""
    found = []
    for period in _folders(out, _PERIOD):
        found += [run for each in _folders(period, _REF) if (run := _run(each)) is not None]
    return sorted(found, key=lambda run: run.ref, reverse=True)


def find_run(out: Path, period: str, ref: str) -> Run | None:
    return next((run for run in runs(out) if (run.period, run.ref) == (period, ref)), None)


def _folders(place: Path, names: re.Pattern[str]) -> list[Path]:
    with suppress(OSError), os.scandir(place) as entries:
        return [Path(entry.path) for entry in entries if names.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)]
    return []


def _run(folder: Path) -> Run | None:
    try:
        manifest = json.loads(read_small(folder / "manifest.json", _MOST_OF_A_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    return Run(folder.parent.name, folder.name, folder, manifest) if isinstance(manifest, dict) else None


def zipped(run: Run) -> IO[bytes]:
    """The whole folder in one file, which goes when it is closed."""
    made = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as archive:
        for name, path in run.files.items():
            archive.write(path, f"{run.ref}/{name}")
    made.seek(0)
    return made


# ---------------------------------------------------------------------------------------------------------------- findings


@dataclass
class Found:
    """Findings of one rule, with the first as examples."""

    code: str
    severity: str
    message: str
    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)


def findings(path: Path, mode: Mode, headings: dict[str, dict[str, str]], lang: Lang) -> list[Found] | None:
    """By rule: errors first, then by how many there are; none where nothing got so far. None where they cannot be read. `headings`: of each
    file the user's own heading of each column."""
    found: dict[str, Found] = {}
    if not path.exists():
        return []
    try:
        for row in _rows(path, mode):
            one = found.setdefault(row["code"], Found(row["code"], row["severity"], row["message"]))
            one.count += 1
            if len(one.examples) < _EXAMPLES:
                file, column = base(row["source_file"]), row["column"]
                own = headings.get(file, {}).get(mode.dictionary.column_called(column) or "") or headings.get(file, {}).get(column, "")
                one.examples.append({**row, "source_file": file, "column": called(column, mode.dictionary, lang, own) if column else ""})
    except (OSError, ValueError, csv.Error):
        return None
    return sorted(found.values(), key=lambda one: (one.severity != "error", -one.count, one.code))


def _rows(path: Path, mode: Mode) -> Iterator[dict[str, str]]:
    """Raises OSError, ValueError or csv.Error for what is no table of findings."""
    if not path.is_file():
        raise FileNotFoundError(path)
    csv.field_size_limit(_MOST_OF_A_CELL)
    names = mode.outputs["findings"].names
    for row in islice(rows_of(path, mode, "findings"), _MOST_ROWS):
        # More or fewer cells than headings.
        if None in row or None in row.values() or not row.keys() >= set(names):
            raise ValueError
        yield row


def base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]
