"""The commands for customs' answers: receive, trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from aggregator.cli.ending import Teller, guarded, now
from aggregator.cli.options import PATH, json_option, lang_option, ledger_options, lock_wait_option, settings


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@ledger_options
@lock_wait_option
@json_option
@lang_option
def receive(files: tuple[Path, ...], config: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Take customs' answers (CEB702, CEB792, CEB604, CEB606) into the ledger, and compare them with our forecast.

    Files, folders, patterns, archives; in any order, and as often as you like. Every file is kept in DIR/received; what cannot be
    used is kept aside. Exit 3 if customs differs or something was kept aside.

    \b
    Example:
      aggregator receive answers/*.xml --out results
    """

    def job(teller: Teller) -> int:
        from aggregator.errors import WrongUsage
        from aggregator.receive import receive as receive_answers
        from aggregator.report.received import received_as_json, received_lines

        params, _ = settings(config, {**given, "inputs": files, "lang": lang})
        teller.adopt(params)
        if params.out is None:
            raise WrongUsage("Say where the results are: --out DIR.", "请指定结果文件夹：--out DIR。")
        received = receive_answers(params, now())
        lines = received_lines(received, teller.lang)
        click.echo(json.dumps(received_as_json(received), ensure_ascii=False) if as_json else "\n".join(lines))
        return int(received.exit_code)

    sys.exit(guarded(job, lang))
