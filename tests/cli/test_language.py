"""The language of the command line: how it is chosen, and that nothing a person reads there is in the other one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from aggregator.cli import cli
from aggregator.cli.commands import Argument, Command, Option
from aggregator.cli.language import chosen
from aggregator.cli.wrapping import width_of, wrapped
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, row


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    for name, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands(below, *path, name)


ALL = dict(commands(cli))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_has_both_languages(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert isinstance(command, Command), "made by aggregator.cli.commands.command"
    for helped in (command, *(param for param in command.params if isinstance(param, click.Option))):
        assert isinstance(helped, Command | Option), helped.name
        assert helped.texts.en
        assert re.search("[一-鿿]", helped.texts.zh), helped.name
    assert all(isinstance(param, Argument) for param in command.params if isinstance(param, click.Argument))


NAMES = {"csv", "parquet", "xlsx", "text", "json", "en", "zh", "own", "utf-8", "gb18030", "status", "receipts", "assume", "declaration", "local", "textfile", "collector", "shell"}


def english_in(text: str) -> list[str]:
    """Two English words in a row that are no examples, options, files or names."""
    prose = re.sub(r"^\s+aggregator .*$", "", text, flags=re.MULTILINE)
    prose = re.sub(r"aggregator [a-z-]+|\[[^\]]*\|[^\]]*\]|'[^']*'|--?[\w-]+|[\w./@:-]+\.(?:toml|csv|txt|xml|sqlite|gz|zip|void)\b|postgresql://\S+", " ", prose)
    return [words for words in re.findall(r"\b[A-Za-z]{2,}(?: [a-z]{2,})+\b", prose) if not set(words.lower().split()) & NAMES]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_is_chinese(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, ["--lang", "zh", *path, "--help"], prog_name="aggregator")
    assert result.exit_code == 0
    assert result.stdout.startswith("用法：aggregator")
    assert english_in(result.stdout) == []
    for word in ("Usage", "Options", "Commands", "Example", "default", "required", "Show"):
        assert word not in result.stdout
    lines = [line for line in result.stdout.split("\n\n", 1)[1].splitlines() if not line.strip().startswith("aggregator ")]
    assert max(map(width_of, lines)) <= 80
    assert not [line for line in lines if line.strip()[:1] in "，。；：、！？）”》" and line.strip()]
    english = CliRunner().invoke(cli, ["--lang", "en", *path, "--help"], prog_name="aggregator").stdout
    assert english.startswith("Usage: aggregator")
    assert not re.search("用法|选项|示例", english)


WRONG = [
    ("--lang", "zh"), ("bogus",), ("--bogus",), ("run",), ("run", "x", "--bogus"), ("run", "x", "--perod", "2026-10"), ("run", "x", "--period"), ("run", "x", "--dry-run=1"),
    ("run", "x", "--period", "2026-13"), ("run", "x", "--as-of", "2026-02-30"), ("run", "x", "--mode", "1234"), ("run", "x", "--workers", "many"), ("run", "x", "--workers", "0"),
    ("run", "x", "--out", ""), ("run", ""), ("run", "x", "--ledger", "postgresql:"), ("run", "x", "--lock-wait", "nan"), ("run", "x", "--sheet", "x" * 1001), ("check", "x", "--max", "-1"),
    ("rules", "a", "b"), ("ledger", "bogus"), ("ledger", "answer", "x"), ("sample", "--out", "x"), ("ledger", "dismiss", "x"), ("run", "x", "--period", "2026-10", "--period", "2026-09"),
    ("rules", "R999"), ("trace",), ("run", "x"), ("ledger", "show"), ("receive", "x"), ("rates", "check"), ("modes", "x", "--format", "xlsx"), ("check", "nowhere.csv"),
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words)[:40])
def test_what_is_wrong_is_said_in_the_language(words: tuple[str, ...], runner: Runner) -> None:
    for before in (True, False):
        given = ("--lang", "zh", *words) if before and words[0] != "--lang" else (*words, "--lang", "zh") if words[0] != "--lang" else words
        result = aggregator(*given, folder=runner.folder, lang="")
        if result.returncode == 0:
            continue  # The option took the language for its value.
        assert re.search("[一-鿿]", result.stderr), given
        said = result.stderr.replace("x" * 60, "").replace("'x'", "")
        assert english_in(said) == [], said
        assert not re.search("Usage|Error|Invalid|Missing|No such|Try ", said)


def test_who_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "AGGREGATOR_LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert chosen(["run"]).lang == "zh"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert chosen(["run"]).lang == "en"
    monkeypatch.setenv("AGGREGATOR_LANG", "zh_CN.UTF-8")
    assert chosen(["run"]).lang == "zh"
    assert chosen(["--lang", "zh", "run", "--lang=en"]).lang == "en"
    assert chosen(["run", "--", "--lang", "en"]).lang == "zh"


def test_the_config_yields_to_environment_and_command_line(runner: Runner) -> None:
    runner.write('[run]\nlang = "zh"\n', "aggregator.toml")

    def lang(*words: str, **environment: str) -> dict[str, str]:
        answer = CliRunner().invoke(cli, [*words], env={"LANG": "C.UTF-8", "LC_ALL": "", "AGGREGATOR_LANG": "", **environment})
        return dict(json.loads(answer.stdout)["settings"]["lang"])

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(runner.folder)
        assert lang("config", "show", "--json") == {"value": "zh", "from": "aggregator.toml"}
        assert lang("config", "show", "--json", AGGREGATOR_LANG="en") == {"value": "en", "from": "environment"}
        assert lang("--lang", "en", "config", "show", "--json") == {"value": "en", "from": "command line"}


def test_a_language_that_is_none_is_refused(runner: Runner) -> None:
    result = aggregator("rules", folder=runner.folder, lang="", AGGREGATOR_LANG="de")
    assert result.returncode == 2
    assert "AGGREGATOR_LANG" in result.stderr


def test_the_language_before_the_command(runner: Runner) -> None:
    runner.write([row(goods_name="")])
    result = aggregator("--lang", "zh", "check", "export.csv", folder=runner.folder, lang="")
    assert (result.returncode, "缺少必填项" in result.stdout or "必填" in result.stdout) == (3, True)


def test_an_option_given_twice_is_refused(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", "--period", "2026-10", "--out", "a", "--out", "b", folder=runner.folder)
    assert (result.returncode, "'--out' is given 2 times" in result.stderr) == (2, True)
    assert not (runner.folder / "b").exists()
    several = aggregator("run", "export.csv", "--format", "csv", "--format", "parquet", "--quiet", "--quiet", "--period", "2026-10", "--out", "a", folder=runner.folder)
    assert several.returncode == 0


def test_chinese_is_wrapped_by_its_width() -> None:
    lines = list(wrapped("清单核放、汇总申报。（每月一次，见 docs/ledger.md）[默认：上月]", 20))
    assert lines == ["清单核放、汇总申报。", "（每月一次，见 docs/", "ledger.md）[默认：上", "月]"] or all(width_of(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == "清单核放、汇总申报。（每月一次，见docs/ledger.md）[默认：上月]"


def test_columns_are_named_as_the_trade_calls_them(runner: Runner) -> None:
    runner.write(csv_text([row()], {"goods_name": "商品名称"}))
    said = aggregator("columns", "export.csv", folder=runner.folder, lang="zh").stdout
    assert "  商品名称 → 商品名称(goods_name)" in said
    assert "  net_weight_kg → 净重(公斤)(net_weight_kg)" in said
    assert "  net_weight_kg → net_weight_kg " in aggregator("columns", "export.csv", folder=runner.folder, lang="en").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [(["run"], "错误：缺少参数 '输入...'。"), (["ledger", "void", "202610-01"], "错误：缺少选项 '--reason'。"), (["rnu"], "错误：没有命令 'rnu'。是否指 'run'？"),
     (["run", "x.csv", "--perod", "1"], "错误：没有选项 '--perod'。是否指以下之一：")],
)  # fmt: skip
def test_usage_errors_end_as_chinese_sentences_do(runner: Runner, words: list[str], says: str) -> None:
    result = aggregator(*words, folder=runner.folder, lang="", AGGREGATOR_LANG="zh")
    assert result.returncode == 2
    assert says in result.stderr
