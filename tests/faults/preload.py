"""Build the shim, and run the server under it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build_shim(folder: Path) -> Path:
    shim = folder / "shim.so"
    command = [compiler() or "cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(shim), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    return shim


def disturb(shim: Path, scenario: str, points: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """What the server says, line by line."""
    command = [sys.executable, "-m", "tests.faults.server", str(shim), "--scenario", scenario, "--points", str(points), "--seed", str(seed)]
    env = {**os.environ, "LD_PRELOAD": str(shim)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if not line.startswith("{"):
                raise RuntimeError(line)
            yield json.loads(line)
    if server.returncode:
        raise RuntimeError(f"the server ended with {server.returncode}")
