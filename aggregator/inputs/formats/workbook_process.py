"""A process that reads a workbook and hands out its cells: `workbook_cells.py` starts it by the path of this file.

The library that reads workbooks is native: a hostile file may end the process that it runs in, and here that is not ours. Asked by a
line of JSON a request on standard input, it answers by a line of JSON on standard output, and texts behind it. Nothing of ours is imported, nor what lies in
the site's folders, so that it starts at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

MEGABYTE = 1 << 20
MEMORY, MEMORY_FOR_A_BYTE = 384 * MEGABYTE, 16
"""What no sound workbook takes, by its unpacked size. Cells that share one long text take as much as if each had its own."""
_SECONDS, _SECONDS_A_MEGABYTE = 60, 2
_AT_ONCE, _ENOUGH, _A_CELL = 500, 16 * MEGABYTE, 16
BETWEEN = "\0"
"""Of texts of a column."""


class Answers:
    """One for each kind of request."""

    def __init__(self) -> None:
        self._sheets: dict[str, Any] = {}
        self._rows: dict[str, tuple[int, Iterator[list[Any]]]] = {}

    def open(self, path: str) -> Any:
        from python_calamine import CalamineWorkbook, SheetVisibleEnum

        self._book = CalamineWorkbook.from_path(path)
        seen = {each.name for each in self._book.sheets_metadata if each.visible == SheetVisibleEnum.Visible}
        return {"names": self._book.sheet_names, "hidden": [name for name in self._book.sheet_names if name not in seen]}

    def sheet(self, name: str) -> Any:
        sheet = self._sheets[name] = self._book.get_sheet_by_name(name)
        return {"start": sheet.start, "end": sheet.end, "width": sheet.width, "total_width": sheet.total_width}

    def merged(self, name: str) -> Any:
        return self._sheets[name].merged_cell_ranges or []

    def rows(self, name: str, count: int) -> Any:
        """So many of the first ones."""
        return list(islice(self._sheets[name].iter_rows(), count))

    def columns(self, name: str, first: int, count: int) -> tuple[str, list[bytes]]:
        """So many rows, or fewer where they are long, by column: a list of cells, or, where all are text, how many bytes that takes. Behind
        the answer follow the texts of each such column, with a null byte between them. `more`: whether rows may follow."""
        at, rows = self._rows.get(name, (-1, iter(())))
        if at != first:
            rows = islice(self._sheets[name].iter_rows(), first, None)
        parts, length, left = list[list[tuple[tuple[Any, ...], str | None]]](), 0, count
        while left and length < _ENOUGH and (some := list(islice(rows, min(left, _AT_ONCE)))):
            parts.append([(cells, BETWEEN.join(cells) if set(map(type, cells)) == {str} else None) for cells in zip(*some, strict=True)])
            length += sum(_A_CELL * len(cells) + len(text or "") for cells, text in parts[-1])
            left -= len(some)
        self._rows[name] = (first + count - left, rows)
        columns, behind = list[Any](), list[bytes]()
        for of_column in zip(*parts, strict=True):
            texts = [text for _, text in of_column if text is not None]
            text = BETWEEN.join(texts)
            if len(texts) < len(of_column) or text.count(BETWEEN) != count - left - 1:
                columns.append([cell for cells, _ in of_column for cell in cells])
            else:
                behind.append(text.encode())
                columns.append(len(behind[-1]))
        return _json({"rows": count - left, "columns": columns, "more": not left or length >= _ENOUGH}), behind


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, check_circular=False)


def _plain(cell: Any) -> dict[str, Any]:
    """What JSON has no word for. Undone by `workbook_cells.py`."""
    if isinstance(cell, timedelta):
        return {"timedelta": [cell.days, cell.seconds, cell.microseconds]}
    for kind in (datetime, date, time):
        if isinstance(cell, kind):
            return {kind.__name__: cell.isoformat()}
    raise TypeError(type(cell).__name__)


def answer(ask: Callable[..., Any], arguments: list[Any]) -> tuple[str, list[bytes]]:
    """A line, and what follows it. Whatever goes wrong is said, also by what is no Exception: so does a native library panic."""
    try:
        found = ask(*arguments)
        said, behind = found if isinstance(found, tuple) else (_json(found), [])
        return f'{{"answer": {said}}}', behind
    except BaseException as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return json.dumps({"error": kinds, "text": str(error), "errno": getattr(error, "errno", None)}), []


def limit(size: int) -> None:
    """However it is built, a workbook of a size takes so much at the most. A process that is ended leaves no image of itself; and where
    memory runs out, the kernel ends this one rather than the run, which can tell of it."""
    with suppress(OSError, ValueError), open("/proc/self/oom_score_adj", "r+") as place:  # noqa: PTH123 - pathlib is not imported
        place.write(str(min(int(place.read()) + 500, 1000)))
    with suppress(ImportError, ValueError, OSError):
        import resource

        seconds = _SECONDS + _SECONDS_A_MEGABYTE * (size // MEGABYTE)
        for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MEMORY + MEMORY_FOR_A_BYTE * size)):
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main(place: str, size: str) -> None:
    limit(int(size))
    sys.path.append(place)
    answers = Answers()
    with suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            asked, *arguments = json.loads(line)
            said, behind = answer(getattr(answers, asked), arguments)
            sys.stdout.buffer.writelines([said.encode("utf-8", "surrogatepass"), b"\n", *behind])
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
