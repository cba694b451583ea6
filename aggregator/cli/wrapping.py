"""Help in Chinese on a terminal: characters two columns wide, no blanks between words, no line that begins with a full stop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click

from aggregator.cli.language import lang_now
from aggregator.schemas.shown import width_of

_PIECE = re.compile(r"\s+|[（“《\[]*(?:[^\s\u2e80-\u9fff\uff00-\uffef“”]+|[^\s])[，。；：、！？）”》…]*")
"""What is not divided: a run of letters, or one Chinese character, with the signs that belong to it."""


def wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(" ".join(text.split())):
        if line and width_of(line + piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    if line:
        yield line.rstrip()


class Formatter(click.HelpFormatter):
    """click's own, but for Chinese."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, "用法：" if prefix is None and lang_now() == "zh" else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{heading}：\n") if lang_now() == "zh" else super().write_heading(heading)

    def write_text(self, text: str) -> None:
        if lang_now() != "zh":
            super().write_text(text)
            return
        indent = " " * self.current_indent
        paragraphs = []
        for paragraph in text.split("\n\n"):
            lines = paragraph[1:].strip("\n").split("\n") if paragraph.startswith("\b") else wrapped(paragraph, self.width - len(indent))
            paragraphs.append("\n".join(f"{indent}{line}".rstrip() for line in lines))
        self.write("\n\n".join(paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        if lang_now() != "zh":
            super().write_dl(rows, col_max, col_spacing)
            return
        rows = list(rows)
        column = min(max(width_of(first) for first, _ in rows), col_max) + col_spacing
        for first, second in rows:
            begin = " " * self.current_indent + first
            lines = list(wrapped(second, max(self.width - column - 2, 10)))
            if lines and width_of(first) <= column - col_spacing:
                begin += " " * (column - width_of(first)) + lines.pop(0)
            self.write("\n".join([begin, *(" " * (column + self.current_indent) + line for line in lines)]) + "\n")
