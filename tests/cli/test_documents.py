"""Every command of README and the documents is one: those on our sample data run as they stand, in order; all others are understood."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aggregator.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "commands.md")]
CHINESE = [ROOT / "README.zh.md", ROOT / "docs/zh/first-month.md", ROOT / "docs/zh/correcting.md"]
OURS = ".venv/bin/aggregator"


def commands(path: Path) -> Iterator[list[str]]:
    """The words of each command in the blocks for a shell, comments and what follows a pipe left out."""
    for block in re.findall(r"^ *```(?:sh|bash|crontab)\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\|?|;|\$\(|\bif ", line.split(" #")[0]):
                found = re.search(r"(?:^|\s)(?:\S*/)?aggregator (.*)", part)
                if found and "…" not in part and not re.search(r"docker|compose|uv |pipx|pip ", part):
                    yield shlex.split(re.sub(r"\$\(.*", "x", re.sub(r"\s\d?>+.*", "", found[1])))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_is_understood(path: Path) -> None:
    for words in commands(path):
        with contextlib.suppress(click.exceptions.Exit):
            _understand(cli, ["--help" if word == "-h" else word for word in words])


def _understand(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    context = command.make_context("aggregator", list(words), parent=parent)
    if isinstance(command, click.Group):
        _, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert below is not None, words
        _understand(below, rest, context)


def test_the_chinese_documents_run(tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    ran = []
    with contextlib.chdir(tmp_path):
        for path in CHINESE:
            for words in commands(path):
                result = CliRunner().invoke(cli, words, prog_name="aggregator", env={"LANG": "C.UTF-8", "LC_ALL": "", "AGGREGATOR_LANG": ""})
                assert result.exit_code in (0, 3), (words, result.stderr)
                assert re.search("[一-鿿]", result.stdout), words
                ran.append(words)
        for name in re.findall(r"^\| `([a-z_]+\.[a-z]+)`", CHINESE[0].read_text(encoding="utf-8"), re.MULTILINE):
            assert (tmp_path / "demo-out/2026-10/202610-01" / name).exists(), name
    assert len(ran) >= 10


def test_every_command_is_told_of_in_chinese() -> None:
    text = (ROOT / "docs/zh/commands.md").read_text(encoding="utf-8")
    assert all(f"### `aggregator {name}`" in text for name in cli.commands)
