"""Options that several commands share, and how they become parameters: the command line over the config over the defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aggregator.cli.values import COUNT, SECONDS, WORKERS, Day, LedgerName, Month, PathName, Words

if TYPE_CHECKING:
    from aggregator.model.options import Options

F = TypeVar("F", bound=Callable[..., Any])


PATH, PLACE = PathName(), PathName(anywhere=True)

lang_option = click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of messages. [default: the locale's]")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object on stdout.")
inputs_argument = click.argument("inputs", nargs=-1, required=True, type=PLACE, metavar="INPUT...")
period_option = click.option("--period", type=Month(), metavar="YYYY-MM", help="The month the inventories were cleared in.")
config_option = click.option(
    "--config", type=PATH, metavar="FILE", help="TOML file with settings; aggregator.toml of the working folder if not given."
)
as_of_option = click.option("--as-of", type=Day(), metavar="DATE", help="Today, for the calendar. [default: today in China]")
out_option = click.option("--out", type=PLACE, metavar="DIR", help="Where run folders are. Here or in the config.")
ledger_option = click.option(
    "--ledger", type=LedgerName(), metavar="PATH|URL", help="The ledger: a file, or postgresql://USER@HOST/DATABASE. [default: DIR/ledger.sqlite]"
)
require_ledger_option = click.option(
    "--require-ledger", is_flag=True, default=None, help="Stop if there is no ledger: never begin with one that knows nothing."
)
lock_wait_option = click.option(
    "--lock-wait", type=SECONDS, metavar="SECONDS", help="How long to wait for another run to end. [default: 0]"
)
calendar_option = click.option(
    "--calendar", type=PATH, metavar="FILE", help="TOML file with working days of years; it wins over the built-in calendar."
)
warn_days_option = click.option(
    "--warn-days", type=COUNT, metavar="N", help="Warn when the deadline is fewer working days away. [default: 3]"
)
log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), help="What stderr speaks: sentences, or a JSON object a line. [default: text]"
)


def several(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order they are listed in --help."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


sheet_option = click.option(
    "--sheet", "sheets", multiple=True, type=Words(), metavar="NAME", help="Sheet of a workbook to read, if several hold inventories. Repeatable."
)

rates_option = click.option("--rates", type=PATH, metavar="FILE", help="Your table of exchange rates, by day: CNY for one unit. [default: [[rates]] of the config]")

mode_option = click.option(
    "--mode", type=click.Choice(["9610", "9710", "1039"]), help="Customs mode: 9610 retail export, 9710 business to business, 1039 market procurement. [default: 9610]"
)

data_options = several(
    mode_option,
    period_option,
    config_option,
    click.option("--receipts", multiple=True, type=PLACE, metavar="FILE",
                 help="Receipts (CEB604, CEB606), as messages or a table: what is cleared or cancelled. Repeatable."),
    sheet_option,
    click.option("--tariff", type=PATH, metavar="FILE", help="Your tariff table: whether codes exist and statutory units fit."),
    rates_option,
    click.option("--route", type=click.Choice(["declaration"]), help="9710: have every order declared, also those that could go as a list."),
    click.option("--by-line", is_flag=True, default=None, help="1039: declare lines without a slip number by themselves."),
    click.option("--workers", type=WORKERS, help="Worker processes. [default: the cores, at most 8]"),
    click.option("--spool-limit", type=click.IntRange(1, 1 << 30), metavar="MIB", help="How much of standard input or a pipe is taken. [default: 8192]"),
)  # fmt: skip
"""Of the commands that read exports."""

run_options = several(
    data_options,
    click.option("--out", type=PLACE, metavar="DIR", help="Where run folders go. Required, here or in the config."),
    ledger_option,
    require_ledger_option,
    lock_wait_option,
    click.option("--assume-cleared", is_flag=True, default=None, help="Say that all inventories were cleared in the period."),
    click.option("--first-period", type=Month(), metavar="YYYY-MM", help="First month the ledger answers for. [default: that of its first run]"),
    click.option("--no-late", is_flag=True, default=None, help="Hold back inventories cleared in an earlier month."),
    as_of_option,
    click.option("--unfinished", is_flag=True, default=None, help="Allow a month that is not over."),
    click.option("--summary-flag", type=click.Choice(["1", "2"]), help="1: by consignor; 2: by consignor and producer_seller. [default: 2]"),
    click.option("--item-name-flag", type=click.Choice(["0", "1"]), help="1: the enterprise's goods names stay apart; 0: customs' categories. [default: 1]"),
    click.option("--edition", type=click.Choice(["202205", "2018-113"]), help="Edition of the CEB701 messages. [default: 202205]"),
    click.option("--format", "formats", multiple=True, type=click.Choice(["csv", "parquet", "xlsx"]), help="Extra twins of every table. Repeatable."),
    click.option("--engine", type=click.Choice(["local"]), help="What runs the stages. [default: local]"),
    calendar_option,
    warn_days_option,
    click.option("--quiet", is_flag=True, default=None, help="Print nothing when all is well."),
    log_format_option,
    click.option("--metrics-file", type=PATH, metavar="FILE", help="Write how the run ended for Prometheus' textfile collector."),
)  # fmt: skip

ledger_options = several(config_option, out_option, ledger_option)
"""Of the commands that look at the ledger."""


def options_of(config: Path | None, given: dict[str, Any], *, keep_period: bool = True) -> tuple[Options, dict[str, str]]:
    """What is asked, and where each value came from."""
    from aggregator.cli.ending import locale_lang
    from aggregator.model.options import from_config, origins, read_config

    options = {name: value for name, value in given.items() if value is not None and value != ()}
    if options.pop("no_late", None):
        options["late"] = False
    for flag in ("summary_flag", "item_name_flag"):
        if flag in options:
            options[flag] = int(options[flag])
    found = read_config(config)
    if not keep_period and "period" not in options and isinstance(found.get("run"), dict):
        found["run"] = {key: value for key, value in found["run"].items() if key != "period"}
    return from_config(found, options, lang=locale_lang()), origins(found, options, config)
