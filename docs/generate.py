"""Write the parts of the documents that come from the program: `make docs`. With --check only say what is out of date."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
from manual import commands, pages

from aggregator.cli import cli
from aggregator.cli.language import Spoken, speak
from aggregator.reports.modes import reasons
from aggregator.schemas.codes import CODE_LISTS, code_list
from aggregator.schemas.modes import Mode, mode_of
from aggregator.schemas.rates import RATE_RULES
from aggregator.schemas.sources import SOURCES
from aggregator.schemas.text import Lang

ROOT = Path(__file__).parent.parent
MANUAL = ROOT / "docs" / "man"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def command_line(lang: Lang) -> str:
    speak(Spoken(lang, "command line"))
    return "\n".join(f"### `{path}`\n\n```text\n{_help_of(command, path)}\n```\n" for path, command in commands(cli, "aggregator"))


def _help_of(command: click.Command, path: str) -> str:
    return command.get_help(command.context_class(command, info_name=path, max_content_width=110, terminal_width=110))


def rules(mode: Mode) -> str:
    lines = ["| code | scope | severity | what | what to do | from |", "|---|---|---|---|---|---|"]
    for rule in mode.rules.by_code.values():
        cites = "; ".join(str(cite) for cite in rule.citations)
        lines.append(
            f"| {rule.code} | {rule.scope} | {rule.severity} | {rule.message.en}<br>{rule.message.zh} "
            f"| {rule.remedy.en}<br>{rule.remedy.zh} | {cites} |"
        )
    return "\n".join(lines) + "\n"


def rules_and_sources() -> str:
    lines = ["| source | issuer | number | title | in force |", "|---|---|---|---|---|"]
    for source in SOURCES.values():
        until = f" to {source.in_force_to}" if source.in_force_to else ""
        lines.append(f"| {source.id} | {source.issuer} | {source.number} | {source.title} | {source.in_force_from}{until} |")
    return rules(mode_of("9610")) + "\n" + "\n".join(lines) + "\n"


def rules_of(mode: str) -> str:
    """But for those about files, which are the same for all modes."""
    return "\n".join(line for line in rules(mode_of(mode)).splitlines() if not line.startswith("| F")) + "\n"


def fields(mode: Mode) -> str:
    lines = ["| column | element | Chinese headings | kind | length | required | where | use |", "|---|---|---|---|---|---|---|---|"]
    for field in mode.dictionary.fields:
        if mode.dictionary.unit and field.column == "inventory_no":
            continue
        where = "header" if field.header else "item"
        required = "yes" if field.required else ""
        headings = " · ".join(field.headings)
        lines.append(
            f"| `{field.shown}` | {f'`{field.element}`' if field.element else ''} | {headings} | {field.kind} | {field.length} | {required} | {where} | {field.use.value} |"
        )
    return "\n".join(lines) + "\n"


def codes() -> str:
    lines = ["| list | codes | provenance |", "|---|---|---|"]
    for name in CODE_LISTS:
        table = code_list(name)
        lines.append(f"| {name} | {len(table.codes)} | {table.provenance} |")
    return "\n".join(lines) + "\n"


def rate_rules() -> str:
    lines = ["| code | severity | what | what to do | from |", "|---|---|---|---|---|"]
    for rule in RATE_RULES:
        cites = "; ".join(str(cite) for cite in rule.citations)
        lines.append(f"| {rule.code} | {rule.severity} | {rule.message.en}<br>{rule.message.zh} | {rule.remedy.en}<br>{rule.remedy.zh} | {cites} |")
    return "\n".join(lines) + "\n"


def advice() -> str:
    lines = ["| mode | reason | what | from |", "|---|---|---|---|"]
    for mode, reason, text, cites in reasons():
        lines.append(f"| {mode} | `{reason}` | {text.en}<br>{text.zh} | {'; '.join(map(str, cites))} |")
    return "\n".join(lines) + "\n"


MAKERS: dict[str, Callable[[], str]] = {
    "rate_rules": rate_rules,
    "advice": advice,
    "command_line": lambda: command_line("en"),
    "command_line_zh": lambda: command_line("zh"),
    "rules": rules_and_sources,
    "rules_of_1039": lambda: rules_of("1039"),
    "rules_of_9710": lambda: rules_of("9710"),
    "fields": lambda: fields(mode_of("9610")),
    "fields_of_1039": lambda: fields(mode_of("1039")),
    "fields_of_9710": lambda: fields(mode_of("9710")),
    "codes": codes,
}


def renewed(text: str) -> str:
    return _BLOCK.sub(lambda match: f"{match[1]}\n{MAKERS[match[2]]()}\n{match[3]}", text)


def made() -> dict[Path, str]:
    """Every document, as it has to be."""
    documents = (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md")))
    manual = {MANUAL / room / "man1" / name: page for lang, room in (("en", ""), ("zh", "zh_CN")) for name, page in pages(lang).items()}
    return {path: renewed(path.read_text(encoding="utf-8")) for path in documents} | manual


def main() -> int:
    documents, stale = made(), []
    for path in sorted({*documents, *MANUAL.rglob("*.1")}):
        text = path.read_text(encoding="utf-8") if path.exists() else None
        if (new := documents.get(path)) == text:
            continue
        stale.append(path)
        if "--check" in sys.argv:
            continue
        if new is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print("Out of date; run 'make docs': " + ", ".join(str(path.relative_to(ROOT)) for path in stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
