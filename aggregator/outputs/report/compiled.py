"""Templates in the form that Python runs, kept beside their source as Python keeps modules: to compile them takes a tenth of a small run."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from aggregator.model.disk import write_file


class Compiled(jinja2.BytecodeCache):
    """For the templates of a folder; `settings` is the module that says how they are compiled. As with modules, a folder that may not be
    written to, or `PYTHONDONTWRITEBYTECODE`, only makes it slower."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self.folder, self.settings = folder / "__pycache__", settings

    @cached_property
    def _how(self) -> str:
        return f"{jinja2.__version__} {self.settings.read_text(encoding='utf-8')}"

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(f"{self._how}{source}")

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return f"{name}.{sys.implementation.cache_tag}"

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            kept = (self.folder / bucket.key).read_bytes()
            # Nothing in it says that it is whole.
            if kept[:_SUM] == sha256(kept[_SUM:]).digest():
                bucket.bytecode_from_string(kept[_SUM:])

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            code = bucket.bytecode_to_string()
            with suppress(OSError):
                self.folder.mkdir(exist_ok=True)
                write_file(self.folder / bucket.key, sha256(code).digest() + code)


_SUM = sha256().digest_size
