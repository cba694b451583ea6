"""What pyproject.toml cannot say: what is built is the same byte for byte, whoever builds it, where and when."""

from __future__ import annotations

import gzip
import os
import tarfile
import time
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
os.umask(0o022)


class ReproducibleSource(sdist):
    """A wheel takes its times from SOURCE_DATE_EPOCH by itself; an archive of sources would hold clock, owner and rights."""

    def make_archive(self, base_name: str, format: str, *_: object, base_dir: str = "", **__: object) -> str:  # noqa: A002 - its name
        if format != "gztar":
            raise ValueError(f"sources are archived as .tar.gz, not as {format}")
        path = Path(f"{base_name}.tar.gz")
        with (
            path.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=EPOCH) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for each in sorted(Path(base_dir).rglob("*")):
                if each.is_file():
                    with each.open("rb") as source:
                        archive.addfile(_entry(each), source)
        return str(path)


class ReproducibleModules(build_py):
    """Files have the rights that a user's files commonly have, not those of the place they are taken from."""

    def copy_file(self, *files: str, **how: object) -> tuple[str, bool]:
        return super().copy_file(*files[:2], **{**how, "preserve_mode": False})


class ReproducibleWheel(bdist_wheel):
    def write_wheelfile(self, *arguments: object, **how: object) -> None:
        super().write_wheelfile(*arguments, **how)
        # Manual pages and what the wheel says of itself come with the rights of where they were made.
        for each in Path(self.bdist_dir).rglob("*"):
            each.chmod(0o755 if each.is_dir() else 0o644)


def _entry(path: Path) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.as_posix())
    entry.size, entry.mtime, entry.mode = path.stat().st_size, EPOCH, 0o644
    return entry


setup(cmdclass={"sdist": ReproducibleSource, "build_py": ReproducibleModules, "bdist_wheel": ReproducibleWheel})
