"""The cells of a workbook, from a process of their own (workbook_process.py): what ends that process is a message here."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.formats import workbook_process
from aggregator.inputs.formats.merged_cells import Range
from aggregator.model import memory
from aggregator.model.errors import CannotReadOrWrite
from aggregator.model.signals import deaf_to_the_terminal

_MANY = 5_000
Column: TypeAlias = "pa.Array | list[Any]"
"""Cells: texts, or of any kind."""
_NO_MEMORY = (b"memory allocation of", b"PyObject pointer is null")
"""What the library says last when it gets no memory."""
_KINDS: dict[str, Any] = {"datetime": datetime.fromisoformat, "date": date.fromisoformat, "time": time.fromisoformat, "timedelta": lambda parts: timedelta(*parts)}


class Book:
    """An open workbook. `size`: its bytes when it is unpacked. For a `with`."""

    def __init__(self, source: Source, size: int) -> None:
        self._source, self._size, self._ahead = source, size, False
        found = find_spec("python_calamine")
        if found is None or found.origin is None:
            raise ImportError("python_calamine")
        own = [sys.executable, "-I", "-S", workbook_process.__file__, str(Path(found.origin).parents[1]), str(size)]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        with deaf_to_the_terminal():
            self._process = subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)

    def __enter__(self) -> Book:
        try:
            opened = self.ask("open", str(self._source.path))
        except BaseException:
            self._close()
            raise
        self.names: list[str] = opened["names"]
        self.hidden: list[str] = opened["hidden"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            # What it has not read any more is not worth a word.
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]
        self._process.wait()

    def begun(self, name: str) -> Callable[[], Sheet]:
        """A sheet that is read meanwhile: call for it before anything else is asked."""
        self.ask_ahead("sheet", name)
        return lambda: Sheet(self, name, self.answer())

    def ask(self, *request: Any) -> Any:
        self.ask_ahead(*request)
        return self.answer()

    def ask_ahead(self, *request: Any) -> None:
        """Its answer is made meanwhile. One that nobody took is dropped."""
        if self._ahead:
            self.answer()
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        self._ahead = True

    def answer(self) -> Any:
        """Raises UnusableInput where the file is at fault, else MemoryError, OSError or CannotReadOrWrite."""
        self._ahead = False
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line.endswith(b"\n"):
            raise self._ended()
        found = json.loads(line, object_hook=_cell_or_dictionary)
        if "error" not in found:
            return self._with_texts(found["answer"])
        kinds, text = found["error"], found["text"]
        if "PasswordError" in kinds:
            raise unusable("F108", self._source.name, "It is protected by a password.", "工作簿受密码保护。")
        if "MemoryError" in kinds or any(each.decode() in text for each in _NO_MEMORY):
            raise self._too_much()
        if "OSError" in kinds and found["errno"] is not None:
            raise OSError(found["errno"], text, self._source.name)
        raise unusable("F108", self._source.name, f"{text.splitlines()[0] if text else kinds[0]}.", f"{text.splitlines()[0] if text else kinds[0]}。")

    def _with_texts(self, found: Any) -> Any:
        """Texts of columns follow an answer."""
        if isinstance(found, dict) and "columns" in found:
            found["columns"] = [self._texts(found["rows"], each) if isinstance(each, int) else each for each in found["columns"]]
        return found

    def _texts(self, count: int, size: int) -> pa.Array:
        data = self._process.stdout.read(size)  # type: ignore[union-attr]
        if len(data) < size:
            raise self._ended()
        texts = pc.split_pattern(pa.array([data.decode()]), workbook_process.BETWEEN).flatten()
        assert len(texts) == count
        return texts

    def _ended(self) -> Exception:
        """Why the process is no more."""
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read(1 << 16)
        if any(each in said for each in _NO_MEMORY):
            return self._too_much()
        if code == -signal.SIGKILL:
            return CannotReadOrWrite(
                f"{self._source.name}: the process that reads it was killed, perhaps for want of memory. Nothing was published.",
                f"{self._source.name}：读取该文件的进程被终止，可能是内存不足。未发布任何内容。",
            )
        if not memory.is_enough(workbook_process.MEMORY):
            return MemoryError(f"{self._source.name}: the process that reads it ended with {code}")
        if hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU:
            return unusable("F108", self._source.name, "Reading it takes longer than any file of its size should.", "读取时间远超同等大小的文件。")
        return unusable("F108", self._source.name, f"The process that reads it ended with {code}.", f"读取该文件的进程异常结束（{code}）。")

    def _too_much(self) -> Exception:
        """The limit that we set ourselves is the file's fault, a lower one is not."""
        if not memory.is_enough(workbook_process.MEMORY + workbook_process.MEMORY_FOR_A_BYTE * self._size):
            return MemoryError(f"{self._source.name}: there is not enough for its {self._size:,} bytes")
        return unusable("F108", self._source.name, "Reading it takes more memory than any file of its size should.", "读取所需内存远超同等大小的文件。")


class Sheet:
    """`start`, `end`: row and column, from 0, of the first and last cell that is not empty; None where all are."""

    def __init__(self, book: Book, name: str, facts: dict[str, Any]) -> None:
        self._book, self.name = book, name
        self.start: list[int] | None = facts["start"]
        self.end: list[int] | None = facts["end"]
        self.width: int = facts["width"]
        self.total_width: int = facts["total_width"]

    @cached_property
    def merged_cell_ranges(self) -> list[Range]:
        return [((first[0], first[1]), (last[0], last[1])) for first, last in self._book.ask("merged", self.name)]

    def first_rows(self, count: int) -> list[list[Any]]:
        found: list[list[Any]] = self._book.ask("rows", self.name, count)
        return found

    def columns(self, first: int) -> Iterator[tuple[int, list[Column]]]:
        """Rows from `first` on, by column: many at a time, with their number. The next are made while these are used."""
        self._book.ask_ahead("columns", self.name, first, _MANY)
        more = True
        while more:
            found = self._book.answer()
            first, more = first + found["rows"], found["more"]
            if more:
                self._book.ask_ahead("columns", self.name, first, _MANY)
            if found["rows"]:
                yield found["rows"], found["columns"]


def _cell_or_dictionary(found: dict[str, Any]) -> Any:
    [kind, value] = next(iter(found.items())) if len(found) == 1 else ("", None)
    return _KINDS[kind](value) if kind in _KINDS else found
