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
from pathlib import Path
from typing import IO, Any

from aggregator.schemas.column_names import own_names
from aggregator.schemas.modes.m9610 import M9610

_PERIOD, _REF = re.compile(r"[0-9]{4}-[0-9]{2}"), re.compile(r"[0-9]{6}-[0-9]{2,}")
_EXAMPLES = 5
_MOST_ROWS = 2_000_000


@dataclass(frozen=True)
class Run:
    period: str
    ref: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.manifest.get("counts") or {})

    @property
    def files(self) -> dict[str, Path]:
        """By their names below the folder, with slashes."""
        found = {}
        for above, _, names in os.walk(self.folder):
            for name in names:
                path = Path(above, name)
                if path.is_file() and not path.is_symlink():
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
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return None
    return Run(folder.parent.name, folder.name, folder, manifest) if isinstance(manifest, dict) else None


def zipped(run: Run) -> IO[bytes]:
    """The whole folder in one file, which goes when it is closed."""
    made = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
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


def findings(path: Path) -> list[Found]:
    """By rule: errors first, then by how many there are."""
    found: dict[str, Found] = {}
    with suppress(OSError):
        for row in _rows(path):
            one = found.setdefault(row["code"], Found(row["code"], row["severity"], row["message"]))
            one.count += 1
            if len(one.examples) < _EXAMPLES:
                one.examples.append({**row, "source_file": row["source_file"].replace("\\", "/").rsplit("/", 1)[-1]})
    return sorted(found.values(), key=lambda one: (one.severity != "error", -one.count, one.code))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        # Findings have the same columns in every mode, and none that an export has.
        headings = own_names(next(csv.reader(file), []), M9610.outputs["findings"].names, M9610.dictionary)
        for number, row in enumerate(csv.DictReader(file, headings)):
            if number >= _MOST_ROWS:
                return
            yield row
