"""Odd values at every option and argument of every command, and at every setting: wrong usage, never our fault."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from aggregator.cli import cli
from aggregator.model.options import Options
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

pytestmark = pytest.mark.long

ODD = (
    "", " ", "-1", "0", "nan", "inf", "-inf", "1e308", "9" * 5000, "9" * 25, "x" * 10_000, "a\0b", "\ud800", "\udcc7\udce5", "\x1b[31m\n", "../..", "/", "//", ".", "@",
    "@@", "[", "*" * 300, "9999-12", "0001-01", "2999-12", "2000-01", "0001-01-01", "9999-12-31", "2999-12-31", "2000-01-01", "2026-13", "2026-02-30", "２０２６-10", "postgresql:",
)  # fmt: skip
USAGE = {"x" * 10_000, "a\0b"}
"""Of what no option takes."""
NEEDS = {
    ("run",): ("export.csv", "--period", "2026-10", "--out", "out", "--as-of", "2026-11-05", "--dry-run"), ("check",): ("export.csv",), ("columns",): ("export.csv",), ("modes",): ("export.csv",),
    ("sample",): ("--lines", "1", "--out", "sample"), ("receive",): ("export.csv", "--out", "out"), ("trace",): ("1", "--out", "out"), ("status",): ("--out", "out"),
    ("doctor",): ("--out", "out"), ("rates", "check"): ("export.csv",), ("ledger", "void"): ("202610-09", "--reason", "wrong receipts", "--out", "out"), ("ledger", "answer"): ("202610-09-A001", "accepted", "--out", "out"),
    ("ledger", "dismiss"): ("1", "--reason", "x", "--out", "out"), ("ledger", "first-period"): ("2026-09", "--out", "out"), ("ledger", "import"): ("export.csv", "--out", "other"),
    ("ledger", "backup"): ("backup", "--out", "out"), ("init",): ("--force",), ("template",): ("--force", "--out", "template.xlsx"), ("months",): ("--out", "out"), ("report",): ("out",),
    ("diff",): ("out", "out"),
}  # fmt: skip


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(cli))


@pytest.fixture(autouse=True)
def _serves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` would go on until it is interrupted."""
    monkeypatch.setattr("uvicorn.Server.run", lambda *given, **named: None)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_takes_odd_values_for_wrong_usage(runner: Runner, path: tuple[str, ...]) -> None:
    runner.write([row()])
    runner.run_rows([row()])
    needs = NEEDS.get(path, ("--out", "out") if path[0] == "ledger" else ())
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option) and option.is_flag:
            continue
        for value in ODD:
            # Where many are allowed the odd one comes besides; else the last one counts.
            given = (*path, *needs, option.opts[0], value) if isinstance(option, click.Option) else (*path, *_with_argument(path, needs, value))
            result = aggregator(*given, folder=runner.folder, lang="")
            assert result.returncode not in (1, 70), (given[:8], value[:40], result.stderr)
            if value in USAGE:
                assert result.returncode == 2, (given[:8], value[:40], result.stderr)


def _with_argument(path: tuple[str, ...], needs: tuple[str, ...], value: str) -> tuple[str, ...]:
    options = tuple(itertools.dropwhile(lambda each: not each.startswith("--"), needs))
    more = ("accepted",) if path == ("ledger", "answer") else ()
    return (*options, "--", value, *more)


@pytest.mark.parametrize("name", sorted({f.name for f in fields(Options)} - {"inputs", "dry_run", "customs", "columns", "constants", "severity", "company", "market"}))
def test_every_setting_takes_odd_values_for_a_wrong_config(runner: Runner, name: str) -> None:
    runner.write([row()])
    texts = [value for value in ODD if not any("\ud800" <= letter <= "\udfff" for letter in value)]
    written = [f'"{_escaped(value)}"' for value in texts] + ["-1", "0", "9" * 25, "nan", "inf", "1.5", "true", "[]", '["x"]', f'["{"x" * 10_000}"]', '["a\\u0000b"]', "2026-10-01", "{}"]
    for value in written:
        runner.write(f"[run]\n{name} = {value}\n", "aggregator.toml")
        for command in (("run", "export.csv", "--dry-run"), ("status",)):
            result = aggregator(*command, folder=runner.folder, lang="")
            assert result.returncode not in (1, 70), (command, value[:40], result.stderr)


def _escaped(value: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in '"\\' else f"\\u{ord(letter):04x}" for letter in value)


def test_ends_of_the_calendar(runner: Runner, tmp_path: Path) -> None:
    runner.write([row()])
    for arguments in (("--period", "9999-12"), ("--period", "0001-01"), ("--as-of", "0001-01-01"), ("--as-of", "9999-12-31"), ("--lock-wait", "nan"), ("--lock-wait", "-1")):
        assert aggregator("run", "export.csv", "--out", "out", *arguments, folder=tmp_path).returncode == 2, arguments
