"""Pages for `man`, made of the program's own help: one for each command, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

from aggregator.cli import cli
from aggregator.cli.language import Spoken, speak
from aggregator.schemas.text import Lang

_HEADS = {"en": ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO", "Customs declarations"), "zh": ("名称", "用法概要", "说明", "另见", "报关单汇总申报")}
_VERBATIM = "\b"
_BREAK = re.compile("(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])(?=[\u4e00-\u9fff（“《])")
"""Where a line of Chinese may end, which has no blanks."""


class Page(click.HelpFormatter):
    """What click writes as help, as roff."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write(f".B {_plain(prog)}\n{_plain(args)}\n")

    def write_heading(self, heading: str) -> None:
        self.write(f".SH {_plain(heading.upper())}\n")

    def write_paragraph(self) -> None:
        """A heading or a .PP begins what follows."""

    def write_text(self, text: str) -> None:
        for paragraph in text.split("\n\n"):
            lines = paragraph.strip("\n").split("\n")
            if lines[0].strip() == _VERBATIM:
                self.write(".PP\n.nf\n" + "".join(f"{_plain(line)}\n" for line in lines[1:]) + ".fi\n")
            else:
                self.write(".PP\n" + "".join(f"{_plain(line.strip())}\n" for line in lines))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        for term, text in rows:
            self.write(f".TP\n.B {_plain(term)}\n{_plain(' '.join(text.split())) or chr(92) + '&'}\n")


def _plain(text: str) -> str:
    """Nothing in it is taken for a request, and a hyphen is the one of the keyboard."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").replace("^", r"\(ha").replace("`", r"\(ga").replace("'", r"\(aq")
    return _BREAK.sub(r"\\:", re.sub(r"(?m)^\.", r"\&.", text))


def pages(lang: Lang) -> dict[str, str]:
    """Name of each file, and what is in it."""
    speak(Spoken(lang, "command line"))
    return {f"{path.replace(' ', '-')}.1": _page(command, path, lang) for path, command in commands(cli, "aggregator")}


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, each with its whole name."""
    yield path, command
    for name, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands(below, f"{path} {name}")


def _page(command: click.Command, path: str, lang: Lang) -> str:
    name, synopsis, description, see, title = _HEADS[lang]
    context, page, dashed = command.context_class(command, info_name=path), Page(), path.replace(" ", "-")
    page.write(f'.TH "{_plain(dashed.upper())}" 1 "" aggregator "{title}"\n.nh\n.ad l\n')
    page.write(f".SH {name}\n{_plain(dashed)} \\- {_plain(command.get_short_help_str(200).rstrip('.。'))}\n.SH {synopsis}\n")
    command.format_usage(context, page)
    page.write_heading(description)
    command.format_help_text(context, page)
    command.format_options(context, page)
    if others := _beside(command, path):
        page.write_heading(see)
        page.write(", ".join(f"{_plain(other)}(1)" for other in others) + "\n")
    return page.getvalue()


def _beside(command: click.Command, path: str) -> list[str]:
    above = [path.rpartition(" ")[0].replace(" ", "-")] if " " in path else []
    return above + [f"{path} {name}".replace(" ", "-") for name in (command.commands if isinstance(command, click.Group) else ())]
