"""LibreOffice, which opens files and saves them as people do; one start for all files of a format."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

needs_office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed (Debian: apt-get install libreoffice-calc-nogui)")
CSV_AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
"""UTF-8, cells as they are shown."""


def saved_as(form: str, files: Iterable[Path], folder: Path) -> Path:
    """The folder in which each of the files is, opened and saved in another format. `form`: xlsx, xls, ods or CSV_AS_SHOWN."""
    folder.mkdir()
    profile = (folder.parent / f"profile-{folder.name}").as_uri()
    command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", form, "--outdir", folder, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder
