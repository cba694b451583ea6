"""The manifest: what a run was made of and what it made. The only result file with times in it."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aggregator.inputs.export import Export, Taken
from aggregator.inputs.sources.unchanged import sha256_of
from aggregator.model.names import told
from aggregator.model.settings import RunSettings
from aggregator.model.version import VERSION
from aggregator.places.place import MANIFEST

SCHEMA_VERSION = 1


def write_manifest(
    stage: Path,
    settings: RunSettings,
    files: Sequence[Export],
    repairs: Sequence[dict[str, int]],
    physical: Sequence[dict[str, int]],
    receipts: Sequence[Taken],
    tariff: Sequence[Taken],
    rates: Sequence[Taken],
    counts: dict[str, int],
    excluded: dict[str, int],
    run_ref: str,
    ledger_id: str,
    now: datetime,
) -> str:
    """Write manifest.json over the files already staged; returns its SHA-256."""
    outputs = {
        told(path.relative_to(stage)): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(stage.rglob("*"))
        if path.is_file()
    }
    manifest = {
        "manifest_version": SCHEMA_VERSION,
        "run_ref": run_ref,
        "ledger_id": ledger_id,
        "period": str(settings.period),
        "recorded_at": now.isoformat(timespec="seconds"),
        "versions": {
            "aggregator": VERSION,
            **{name: version(name) for name in ("pandas", "pandera", "pyarrow")},
            "python": platform.python_version(),
        },
        "parameters": dict(settings.recorded),
        "inputs": [_input(*each) for each in zip(files, repairs, physical, strict=True)],
        "receipts": [_taken(each) for each in receipts],
        "tariff": [_taken(each) for each in tariff],
        **({"rates": [_taken(each) for each in rates]} if rates else {}),
        "counts": counts,
        "excluded": excluded,
        "outputs": outputs,
    }  # fmt: skip
    path = stage / MANIFEST
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return sha256_of(path)


def _input(file: Export, repairs: dict[str, int], physical: dict[str, int]) -> dict[str, Any]:
    """One export: what it is, which heading stands for which column, what was corrected in reading it, by kind, and what each
    of its lines was read as."""
    columns = own_headings(file)
    sheet = {"sheet": file.sheet} if file.sheet else {}
    facts = {"format": file.format, "encoding": file.encoding, **sheet, "columns": columns, "head_values": dict(file.head_values), "repairs": repairs}
    if physical:
        facts["physical_lines"] = physical
    if file.members:
        return {"file": file.name, **facts, "messages": [_taken(each) for each in file.taken]}
    return _taken(file.taken[0]) | facts


def own_headings(file: Export) -> dict[str, str]:
    """Column to the heading that stands for it in a file."""
    return {column: file.headings[place].strip() for column, place in file.matched.places.items()}


def _taken(taken: Taken) -> dict[str, Any]:
    packed = {"packed_in": taken.packed_in} if taken.packed_in else {}
    return {"file": taken.name, "sha256": taken.sha256, "bytes": taken.size} | packed
