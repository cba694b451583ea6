"""The command line: options to parameters, outcomes to exit codes. No logic; heavy imports inside the commands."""

from __future__ import annotations

import json
import locale
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from aggregator.params import Params

F = TypeVar("F", bound=Callable[..., Any])


def _lang() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


_lang_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), default=_lang, show_default="the locale's", help="Language of messages."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object on stdout.")
_inputs_argument = click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="INPUT...")


class _Day(click.ParamType[Any]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            self.fail(f"'{value}' is not a day. Write it as YYYY-MM-DD.", param, ctx)


class _Month(click.ParamType[Any]):
    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from aggregator.errors import WrongUsage
        from aggregator.params import Period

        try:
            return Period.parse(value)
        except WrongUsage as error:
            self.fail(error.in_lang("en"), param, ctx)


def _data_options(command: F) -> F:
    """Options of the commands that read exports."""
    for option in reversed(
        (
            click.option("--period", type=_Month(), metavar="YYYY-MM", help="The month the inventories were cleared in."),
            click.option("--config", type=click.Path(path_type=Path), metavar="FILE",
                         help="TOML file with settings; aggregator.toml of the working folder if not given."),
            click.option("--receipts", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
                         help="Receipts (CEB604, CEB606) as CSV: what is cleared or cancelled. Repeatable."),
            click.option("--workers", type=click.IntRange(1), help="Worker processes. [default: the cores, at most 8]"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="summary-declaration-aggregator", prog_name="aggregator")
def cli() -> None:
    """Merge 9610 export inventories into summary declarations (清单核放、汇总申报).

    \b
    Example:
      aggregator sample --lines 1000 --out demo
      aggregator run demo/inventories.csv --period 2026-10 --out results
    """


@cli.command()
@_inputs_argument
@_data_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where run folders go. Required, here or in the config.")
@click.option("--ledger", type=click.Path(path_type=Path), metavar="PATH", help="The ledger. [default: DIR/ledger.sqlite]")
@click.option("--assume-cleared", is_flag=True, default=None, help="Say that all inventories were cleared in the period.")
@click.option("--first-period", type=_Month(), metavar="YYYY-MM", help="First month the ledger answers for. [default: that of its first run]")
@click.option("--no-late", is_flag=True, default=None, help="Hold back inventories cleared in an earlier month.")
@click.option("--as-of", type=_Day(), metavar="DATE", help="Today, for the calendar. [default: today in China]")
@click.option("--unfinished", is_flag=True, default=None, help="Allow a month that is not over.")
@click.option("--summary-flag", type=click.Choice(["1", "2"]), help="1: by consignor; 2: by consignor and producer_seller. [default: 2]")
@click.option("--item-name-flag", type=click.Choice(["0", "1"]), help="1: the enterprise's goods names stay apart; 0: customs' categories. [default: 1]")
@click.option("--format", "formats", multiple=True, type=click.Choice(["csv", "parquet"]), help="Extra twins of every table. Repeatable.")
@click.option("--engine", type=click.Choice(["local"]), help="What runs the stages. [default: local]")
@click.option("--dry-run", is_flag=True, help="Do it all, write nothing.")
@click.option("--quiet", is_flag=True, help="Print nothing when all is well.")
@_json_option
@_lang_option
def run(inputs: tuple[Path, ...], config: Path | None, dry_run: bool, quiet: bool, as_json: bool, lang: Any, **given: Any) -> None:
    """Declare the inventories cleared in a month: the main job.

    \b
    Example:
      aggregator run export.csv --period 2026-10 --out results
      aggregator run export.csv --period 2026-10 --out results --receipts receipts.csv --dry-run
    """

    def job() -> int:
        _start_ahead(inputs)
        from aggregator.errors import Exit, WrongUsage
        from aggregator.pipeline import run as run_pipeline
        from aggregator.report.summary import as_json as outcome_as_json
        from aggregator.report.summary import summary

        params = _params(config, {**given, "inputs": inputs, "dry_run": dry_run, "lang": lang})
        if params.out is None:
            raise WrongUsage("Say where the results go: --out DIR.", "请指定结果文件夹：--out DIR。")
        outcome = run_pipeline(params, _now())
        if as_json:
            click.echo(json.dumps(outcome_as_json(outcome), ensure_ascii=False))
        if not (quiet and outcome.exit_code == Exit.DONE):
            click.echo("\n".join(summary(outcome, lang, dry_run=dry_run)), err=as_json)
        if params.item_name_flag == 0 and not quiet:
            click.echo(_item_name_note(lang), err=True)
        return int(outcome.exit_code)

    _guarded(job, lang)


@cli.command()
@_inputs_argument
@_data_options
@click.option("--findings", type=click.Path(path_type=Path), metavar="FILE", help="Write all findings to this CSV file.")
@click.option("--max", "most", type=click.IntRange(0), default=50, show_default=True, help="How many findings to print.")
@_json_option
@_lang_option
def check(
    inputs: tuple[Path, ...], config: Path | None, findings: Path | None, most: int, as_json: bool, lang: Any, **given: Any
) -> None:
    """Read and validate only: every finding, even of what would be excluded. Exit 3 if there are errors.

    \b
    Example:
      aggregator check export.csv
      aggregator check export.csv --period 2026-10 --findings findings.csv
    """

    def job() -> int:
        _start_ahead(inputs)
        from aggregator.pipeline import check as check_pipeline
        from aggregator.report.findings import print_findings
        from aggregator.report.summary import as_json as outcome_as_json

        params = _params(config, {**given, "inputs": inputs, "lang": lang}, keep_period=False)
        outcome, tables = check_pipeline(params)
        print_findings(tables, findings, 0 if as_json else most, outcome, lang, click.echo)
        if as_json:
            click.echo(json.dumps(outcome_as_json(outcome), ensure_ascii=False))
        return int(outcome.exit_code)

    _guarded(job, lang)


@cli.command()
@click.option("--lines", type=click.IntRange(1), required=True, metavar="N", help="How many item lines.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to write.")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of inventories to break, one rule each in turn.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--period", type=_Month(), metavar="YYYY-MM", help="The month most are cleared in. [default: last month]")
@click.option("--cleared-by", type=click.Choice(["status", "receipts", "assume"]), default="status", show_default=True,
              help="How to say what is cleared: columns, a receipts file, or not at all (for --assume-cleared).")  # fmt: skip
@click.option("--headings", type=click.Choice(["own", "zh"]), default="own", show_default=True, help="Column names or Chinese headings.")
@click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]), default="utf-8", show_default=True)
@click.option("--first-serial", type=click.IntRange(1), default=1, show_default=True, help="Serial number of the first inventory.")
@_lang_option
def sample(lines: int, out: Path, period: Any, lang: Any, **given: Any) -> None:
    """Write synthetic exports of any size, seeded.

    \b
    Example:
      aggregator sample --lines 100000 --out demo --faults 0.01 --seed 7
    """

    def job() -> int:
        from aggregator.params import Period
        from aggregator.sample import Sample, write_sample

        wanted = Sample(lines=lines, period=period or Period.before(_now().date()), **given)
        for path in write_sample(wanted, out):
            click.echo(str(path))
        return 0

    _guarded(job, lang)


@cli.command()
@click.argument("code", required=False)
@_json_option
@_lang_option
def rules(code: str | None, as_json: bool, lang: Any) -> None:
    """The rule book: what a code means, where it comes from, how to mend the data.

    \b
    Example:
      aggregator rules
      aggregator rules R107
    """

    def job() -> int:
        from aggregator.errors import WrongUsage
        from aggregator.report.rule_book import rule_as_json, rule_in_full, rule_table
        from schemas.rules import EXCLUSIONS, RULES

        if code is None:
            if as_json:
                click.echo(json.dumps([rule_as_json(rule) for rule in RULES.values()], ensure_ascii=False))
            else:
                click.echo("\n".join(rule_table(lang)))
            return 0
        rule = RULES.get(code.upper()) or EXCLUSIONS.get(code.lower())
        if rule is None:
            raise WrongUsage(
                f"There is no rule {code}. 'aggregator rules' lists them all.", f"没有规则 {code}。运行 aggregator rules 查看全部。"
            )
        click.echo(json.dumps(rule_as_json(rule), ensure_ascii=False) if as_json else "\n".join(rule_in_full(rule, lang)))
        return 0

    _guarded(job, lang)


def _params(config: Path | None, given: dict[str, Any], *, keep_period: bool = True) -> Params:
    """Options that were given win over the config, which wins over the defaults."""
    from aggregator.params import from_config, read_config

    options = {name: value for name, value in given.items() if value is not None and value != ()}
    if options.pop("no_late", None):
        options["late"] = False
    for flag in ("summary_flag", "item_name_flag"):
        if flag in options:
            options[flag] = int(options[flag])
    settings = read_config(config)
    if not keep_period and "period" not in options and isinstance(settings.get("run"), dict):
        settings = {**settings, "run": {key: value for key, value in settings["run"].items() if key != "period"}}
    return from_config(settings, options)


def _start_ahead(inputs: tuple[Path, ...]) -> None:
    """Large inputs will need worker processes: let those import while this process does."""
    from aggregator.engine.local import WORTH_WORKERS, start_ahead

    if sum(path.stat().st_size for path in inputs if path.is_file()) > WORTH_WORKERS:
        start_ahead()


def _now() -> datetime:
    from schemas.shapes import CHINA

    return datetime.now(CHINA)


def _item_name_note(lang: str) -> str:
    return (
        "商品名汇总标志为0：海关按其商品综合分类名汇总，本工具无法得知，实际归并可能更细。"
        if lang == "zh"
        else "Item name flag 0: customs merges by its own category names, which we do not know; it may cut finer than this."
    )


def _guarded(job: Callable[[], int], lang: Any) -> None:
    """Run a job and end with its exit code; whatever stops it, the user sees a sentence, never a traceback."""
    from aggregator.errors import CannotReadOrWrite, Exit, StopRun

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        code = job()
        sys.stdout.flush()
    except StopRun as stop:
        click.echo(stop.in_lang(lang), err=True)
        code = int(stop.exit_code)
    except KeyboardInterrupt:
        click.echo("已中断，未发布任何内容。" if lang == "zh" else "Interrupted; nothing was published.", err=True)
        code = int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: not an error, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = int(Exit.DONE)
    except OSError as failed:
        where = f"{failed.filename}: " if failed.filename else ""
        unwritten = CannotReadOrWrite(
            f"{where}{failed.strerror or failed}. Nothing was published. Check disk space and rights, then run again.",
            f"{where}{failed.strerror or failed}。未发布任何内容。请检查磁盘空间和权限后重新运行。",
        )
        click.echo(unwritten.in_lang(lang), err=True)
        code = int(unwritten.exit_code)
    except Exception as error:
        click.echo(
            f"本工具内部错误（{type(error).__name__}: {error}），未发布任何内容。请报告此错误；设置 AGGREGATOR_DEBUG=1 可显示详情。"
            if lang == "zh"
            else f"An error of our own ({type(error).__name__}: {error}); nothing was published. Please report it; "
            "AGGREGATOR_DEBUG=1 shows the details.",
            err=True,
        )
        if os.environ.get("AGGREGATOR_DEBUG"):
            traceback.print_exc()
        code = int(Exit.OUR_FAULT)
    sys.exit(code)


def main() -> None:
    cli(prog_name="aggregator")
