"""The commands to begin with: init, template, completions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aggregator.cli.commands import argument, command, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import PATH, lang_option
from aggregator.cli.values import Month, Words
from aggregator.schemas.text import Text

_MODES = ("9610", "9710", "1039")
SHELLS = ("bash", "zsh", "fish")
force_option = option("--force", is_flag=True, help=Text("Replace a file that exists.", "覆盖已有文件。"))


@command(zh="为企业写出带注释的配置文件：按选项填写，未给出的在终端逐项询问。\n\n未填写的以注释形式保留，留待补充。不加 --force 时不覆盖已有文件。")
@option("--config", type=PATH, metavar="FILE", default="aggregator.toml", show_default=True, help=Text("The file to write.", "要写出的文件。"))
@option("--mode", type=click.Choice(_MODES), help=Text("Customs mode. [default: 9610]", "海关监管方式。[默认：9610]"))
@option("--code", type=Words(), metavar="CODE", help=Text("The firm's code: social credit code (18) or customs registration (10).", "企业代码：统一社会信用代码（18位）或海关注册编码（10位）。"))
@option("--name", type=Words(), metavar="NAME", help=Text("The firm's name, as customs has it.", "企业名称，与海关备案一致。"))
@option("--customs", type=Words(), metavar="CODE", help=Text("Customs district where is declared, four digits.", "申报地海关代码，4位。"))
@option("--out", type=PATH, metavar="DIR", help=Text("Where results and the ledger go. [default: results]", "结果和台账写到哪里。[默认：results]"))
@option("--first-period", type=Month(), metavar="YYYY-MM", help=Text("First month the ledger answers for.", "台账负责的起始申报期。"))
@force_option
@lang_option
def init(config: Path, force: bool, lang: Any, **given: Any) -> None:
    """Write a commented config for your firm, by the options, or asked at a terminal for what they do not say.

    What is not said is left in it as a comment, to be filled in. A file that exists is never replaced without --force.

    \b
    Example:
      aggregator init --code 91440300MA5F0A1B2N --name 深圳星河跨境电子商务有限公司 --customs 2244
      aggregator init --mode 1039 --config market.toml --lang zh
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.init import Firm, check_firm, refuse_existing
        from aggregator.jobs.init import init as write_config
        from aggregator.model.names import told

        refuse_existing(config, force=force)
        said = {name: value for name, value in given.items() if value is not None}
        check_firm(_firm(Firm, said, reporter))
        if sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty():
            _ask(said, reporter)
        write_config(config, _firm(Firm, said, reporter), force=force)
        path = told(config)
        named = "" if path == "aggregator.toml" else f" --config {path}"
        reporter.print(*_next_steps(path, named, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))


def _firm(kind: Any, said: dict[str, Any], reporter: Reporter) -> Any:
    from aggregator.model.names import told

    return kind(**{**said, **({"out": told(said["out"])} if "out" in said else {}), "lang": reporter.lang})


def _ask(said: dict[str, Any], reporter: Reporter) -> None:
    """What the options have not said. Enter leaves it open."""
    zh = reporter.lang == "zh"
    if "mode" not in said:
        said["mode"] = click.prompt("监管方式" if zh else "Customs mode", default="9610", type=click.Choice(_MODES), err=True)
    for name, en, text in (
        ("code", "Code of the firm (18 or 10 characters; Enter to leave open)", "企业代码（18位或10位，可直接回车跳过）"),
        ("name", "Name of the firm (Enter to leave open)", "企业名称（可直接回车跳过）"),
        ("customs", "Customs district, four digits (Enter to leave open)", "申报地海关代码，4位（可直接回车跳过）"),
    ):
        if name not in said:
            said[name] = click.prompt(text if zh else en, default="", show_default=False, type=Words(), err=True).strip()
    if "out" not in said:
        said["out"] = click.prompt("结果文件夹" if zh else "Folder for results", default="results", type=PATH, err=True)


def _next_steps(path: str, named: str, lang: str) -> list[str]:
    if lang == "zh":
        return [
            f"已写入 {path}。请打开核对，然后：", f"  aggregator doctor{named}        检查环境", f"  aggregator columns 导出文件{named}   查看列标题如何对应",
            f"  aggregator check 导出文件{named}     校验", f"  aggregator run 导出文件{named}       申报",
        ]  # fmt: skip
    return [
        f"Wrote {path}. Look it through, then:", f"  aggregator doctor{named}           what a run needs", f"  aggregator columns EXPORT{named}   which heading goes where",
        f"  aggregator check EXPORT{named}     every finding", f"  aggregator run EXPORT{named}       declare",
    ]  # fmt: skip


@command(zh="写出待填写的空白工作簿：列标题、文本格式单元格、代码下拉列表，以及附各项示例值的说明。")
@option("--mode", type=click.Choice(_MODES), default="9610", show_default=True, help=Text("Customs mode whose columns it has.", "采用哪种海关监管方式的列。"))
@option("--out", type=PATH, required=True, metavar="FILE.xlsx", help=Text("The workbook to write.", "要写出的工作簿。"))
@option("--headings", type=click.Choice(["own", "zh"]), help=Text("Our column names or Chinese headings; both are read. [default: zh]", "列标题用列名或中文，两者均可读入。[默认：zh]"))
@option("--example", is_flag=True, help=Text("Put the example on the first sheet too, as a row. It is invented: delete it before you declare.", "示例也写入首张工作表，占一行。示例是虚构的：申报前请删除。"))
@force_option
@lang_option
def template(mode: str, out: Path, headings: str | None, example: bool, force: bool, lang: Any) -> None:
    """Write an empty workbook to fill in: headings, text cells, drop-down code lists, notes with an example of each value.

    \b
    Example:
      aggregator template --out inventories.xlsx
      aggregator template --mode 1039 --out slips.xlsx --lang zh
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.init import refuse_existing
        from aggregator.model.errors import WrongUsage
        from aggregator.model.names import told
        from aggregator.model.period import Period
        from aggregator.outputs.template import Template, write_template
        from aggregator.samples.example import example_of
        from aggregator.schemas.modes import mode_of

        if out.suffix.lower() != ".xlsx":
            raise WrongUsage(f"{told(out)}: the template is a workbook. Name it FILE.xlsx.", f"{told(out)}：模板为工作簿，文件名应以 .xlsx 结尾。")
        refuse_existing(out, force=force)
        wanted = mode_of(mode)
        row = example_of(wanted, Period.before(now().date()))
        write_template(out, Template(wanted, reporter.lang, headings == "own", row, example))
        reporter.print(told(out))
        return 0

    sys.exit(guarded(job, lang))


@command(zh="输出使 shell 补全命令、选项和文件名的脚本。")
@argument("shell", type=click.Choice(SHELLS))
def completions(shell: str) -> None:
    """Print what makes a shell complete commands, options and files.

    \b
    Example:
      aggregator completions bash > ~/.local/share/bash-completion/completions/aggregator
      aggregator completions zsh > ~/.zfunc/_aggregator
      aggregator completions fish > ~/.config/fish/completions/aggregator.fish
    """

    def job(reporter: Reporter) -> int:
        from click.shell_completion import BashComplete, get_completion_class

        kind = get_completion_class(shell)
        assert kind is not None
        # Its own check of the version runs the shell, which need not be on this machine.
        BashComplete._check_version = staticmethod(lambda: None)  # type: ignore[method-assign]
        root = click.get_current_context().find_root().command
        reporter.print_bytes(kind(root, {}, "aggregator", "_AGGREGATOR_COMPLETE").source().encode())
        return 0

    sys.exit(guarded(job, None))
