"""The end of a run for a person: on a terminal tables, in colour; in a pipe or a file plain lines. NO_COLOR takes the colour away, FORCE_COLOR
gives a pipe what a terminal gets."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import groupby

from aggregator.reports.summary import HEADINGS, Line, Tone
from aggregator.schemas.shown import shown
from aggregator.schemas.text import Lang

_STYLES = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.DOUBTFUL: "yellow", Tone.BAD: "red", Tone.NEXT: "bold"}
_LEAST = 40
"""Columns below which a table would be a column of syllables."""


def wants_tables() -> bool:
    if _is_set("FORCE_COLOR"):
        return True
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name))


def drawn(lines: Sequence[Line], lang: Lang) -> str:
    """As text for a terminal: everything that is not ours is `shown`, and no markup is read in it."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, force_terminal=True, color_system=None if _is_set("NO_COLOR") else "standard", highlight=False, emoji=False, markup=False)
    narrow = console.width < _LEAST
    # COLUMNS may say 0, and nothing is as wide as that.
    console.width = max(console.width, _LEAST)
    with console.capture() as capture:
        for kind, each in groupby(lines, lambda line: None if narrow else line.table):
            if kind is None:
                for line in each:
                    # Paths stay whole, so that they can be copied: the terminal itself breaks what is too long.
                    console.print(Text(shown(line.text), _STYLES[line.tone]), soft_wrap=narrow or line.tone is Tone.NEXT)
                continue
            table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
            for heading, justify in zip(HEADINGS[kind], ("left", "right", "left"), strict=True):
                table.add_column(Text(heading.in_lang(lang)), justify=justify, no_wrap=justify == "right", overflow="fold")  # type: ignore[arg-type]
            for line in each:
                table.add_row(*(Text(shown(cell), _STYLES[line.tone] if place < 2 else "") for place, cell in enumerate(line.cells)))
            console.print(table)
    return capture.get()
