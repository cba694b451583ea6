"""Names of files as text. To the system they are bytes: on a Chinese Windows or an old archive GBK, elsewhere UTF-8.

Python holds what is not of the locale's encoding as surrogates, which no file, ledger or table takes.
"""

from __future__ import annotations

import os
from pathlib import Path


def told(name: str | os.PathLike[str]) -> str:
    """A name as it is written and told: in UTF-8, else in GB18030, else with its odd bytes as escapes."""
    text = os.fspath(name)
    if is_text(text):
        return text
    try:
        held = os.fsencode(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    for encoding in ("utf-8", "gb18030"):
        try:
            return held.decode(encoding)
        except UnicodeDecodeError:
            continue
    return held.decode("utf-8", "backslashreplace")


def path_of(name: str) -> Path:
    """The path of a name that was told, where the locale has no word for it too."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return Path(os.fsdecode(name.encode("utf-8", "surrogatepass")))
    return Path(name)


def is_text(name: str | os.PathLike[str]) -> bool:
    """Whether a ledger can keep it as it is."""
    try:
        os.fspath(name).encode()
    except UnicodeEncodeError:
        return False
    return True
