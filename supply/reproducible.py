"""`make reproducible`: wheel and sources built twice, in other folders, at other times, with other rights, must be the same bytes.
They are left in dist/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
CONSTRAINTS = "supply/build-constraints.txt"
BUILDS = (("one", 0o022, 1_700_000_000), ("another folder", 0o077, 1_750_000_000))
"""A folder's name, the umask it is built with and the time of its files."""


def main() -> int:
    sources = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory(prefix="aggregator-built-") as folder:
        built = [_built(Path(folder) / name, umask, times, [each for each in sources if each], epoch) for name, umask, times in BUILDS]
        sums = [{path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(each.iterdir())} for each in built]
        same = sums[0] == sums[1] and len(sums[0]) == 2
        for each in sums if not same else sums[:1]:
            sys.stdout.writelines(f"{value}  {name}\n" for name, value in each.items())
        if not same:
            sys.stderr.write("Two builds of the same sources differ.\n")
            return 1
        DIST.mkdir(exist_ok=True)
        for path in built[0].iterdir():
            shutil.copyfile(path, DIST / path.name)
    return 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _built(folder: Path, umask: int, times: int, sources: list[str], epoch: str) -> Path:
    former = os.umask(umask)
    try:
        for each in sources:
            _copy(ROOT / each, folder / "src" / each, times)
        made = folder / "dist"
        uv = Path(sys.executable).with_name("uv")
        options = ["--quiet", "--no-config", "--clear", "--python", sys.executable, "--build-constraints", CONSTRAINTS, "--out-dir", str(made)]
        subprocess.run([uv, "build", *options], cwd=folder / "src", check=True, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    finally:
        os.umask(former)
    (made / ".gitignore").unlink(missing_ok=True)
    return made


def _copy(source: Path, target: Path, times: int) -> None:
    if source.is_symlink() or source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
        os.utime(target, (times, times), follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main())
