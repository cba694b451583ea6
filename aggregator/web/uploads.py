"""What was sent: files laid down in a folder of their own. What a browser calls a file is never a path; a name is made of it."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import UploadFile

from aggregator.inputs.sources.files import SUFFIXES

MOST_FILES = 200
_MOST_STEM = 60
_OTHERS = re.compile(r"[^\w-]+")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class OddFile(Exception):  # noqa: N818 - of the sender
    """A file of a kind that is not read; its name, made harmless."""


def safe_name(given: str, taken: Iterable[str] = ()) -> str:
    """A name of letters, digits, - and _ with an ending that we read, and none that is `taken`. Raises OddFile."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    stem, suffix = _split(last)
    stem = _OTHERS.sub("_", stem).strip("_-")[:_MOST_STEM] or "export"
    if not suffix:
        raise OddFile(stem)
    known, number, name = {each.casefold() for each in taken}, 1, f"{stem}{suffix}"
    while name.casefold() in known:
        number, name = number + 1, f"{stem}-{number + 1}{suffix}"
    return name


def _split(name: str) -> tuple[str, str]:
    """Its stem, and its ending (`.csv.gz` is one) in small letters; blank where it is none of ours."""
    lowered = name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if lowered.endswith(suffix):
            stem = name[: -len(suffix)]
            if suffix == ".gz" and (inner := _split(stem))[1]:
                return inner[0], inner[1] + suffix
            return stem, suffix
    return name, ""


def lay_down(files: Iterable[UploadFile], folder: Path) -> list[str]:
    """Their names, in the order they came. Raises OddFile."""
    folder.mkdir(parents=True, exist_ok=False)
    names: list[str] = []
    for file in files:
        names.append(safe_name(file.filename or "", names))
        with os.fdopen(os.open(folder / names[-1], _NEW, 0o600), "wb") as sink:
            shutil.copyfileobj(file.file, sink, 1 << 20)
    return names
