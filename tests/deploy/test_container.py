"""What deploy/ builds, in the same steps without Docker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.test_golden import SAMPLE, assert_as_expected

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
STEPS = re.sub(r"\\\n\s*", " ", DOCKERFILE)
SOMEBODY = 10001


def steps(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", STEPS, re.MULTILINE)


def copied() -> list[str]:
    return [name for step in steps("COPY") if not step.startswith("--from") for name in step.split()[:-1]]


def test_images_are_pinned_and_nobody_is_root() -> None:
    compose = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    images = [step.split()[0] for step in steps("FROM")] + re.findall(r"^ +image: (.+)$", compose, re.MULTILINE)
    assert len(images) == 3
    assert all(re.fullmatch(r"[a-z]+:[0-9]+(\.[0-9]+)+-[a-z-]+", image) for image in images), images
    assert steps("USER") == [f"{SOMEBODY}:{SOMEBODY}"]
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("ENTRYPOINT")
    assert "PASSWORD: ${" in compose
    assert not re.search(r"PASSWORD: [^$]", compose)


def test_the_volume_of_results_is_of_the_user_that_writes_there() -> None:
    """A volume is root's where the image has no folder of its name."""
    compose = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    [target] = re.findall(r"^ +- results:(\S+)$", compose, re.MULTILINE)
    assert f"--out {target} " in compose
    assert re.search(rf"install --directory --owner={SOMEBODY} --group={SOMEBODY} .*{target}\b", steps("RUN")[1])


def test_what_is_copied_is_there_and_reaches_the_build() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert set(copied()) == allowed
    assert all((ROOT / name).exists() for name in copied())


def reaches_python(home: Path) -> bool:
    """Whether somebody else can run it: an interpreter may lie in root's own folder."""
    try:
        return os.geteuid() == 0 and subprocess.run([home / "bin/python", "-c", ""], user=SOMEBODY, check=False).returncode == 0
    except PermissionError:
        return False


@pytest.mark.long
def test_built_from_that_alone_it_gives_the_same_bytes(tmp_path: Path) -> None:
    source, home = tmp_path / "src", tmp_path / "aggregator"
    source.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    [build, _] = steps("RUN")
    build = build.replace("/opt/aggregator", str(home)).replace("python -m venv", f"{sys.executable} -m venv")
    made = subprocess.run(["sh", "-ec", build], cwd=source, capture_output=True, text=True, check=False)
    if made.returncode and "No matching distribution" not in made.stderr and "Connection" in made.stderr:
        pytest.skip("the package index cannot be reached")
    assert made.returncode == 0, made.stderr[-2000:]
    work = tmp_path / "work"
    shutil.copytree(SAMPLE / "exports", work / "sample_data/exports")
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    as_user = {"user": SOMEBODY, "group": SOMEBODY} if reaches_python(home) else {}
    if as_user:
        os.chown(work, SOMEBODY, SOMEBODY)
    names = [f"sample_data/exports/{name}.csv" for name in ("shop-a-gb18030", "shop-b", "receipts")]
    month = [*names[:2], "--receipts", names[2], "--period", "2026-10", "--first-period", "2026-09", "--format", "csv"]
    environment = {"PATH": f"{home}/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(work), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([f"{home}/bin/aggregator", "run", *month, "--out", "results"], cwd=work, env=environment, capture_output=True, text=True, check=False, **as_user)  # type: ignore[call-overload]
    assert ran.returncode in (0, 3), ran.stderr
    expected = tmp_path / "expected"
    shutil.copytree(SAMPLE / "expected" / "exports", expected)
    for path in expected.rglob("*"):
        # Names of inputs are as they were given.
        if path.is_file() and path.suffix in (".json", ".html"):
            path.unlink()
    assert_as_expected(work / "results/2026-10/202610-01", expected)
