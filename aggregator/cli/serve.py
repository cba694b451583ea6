"""The command for those who use no terminal."""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from aggregator.cli.commands import command, option
from aggregator.cli.ending import Reporter, guarded
from aggregator.cli.options import lang_option, ledger_options, mode_option, options_of
from aggregator.schemas.text import Text


@command(zh="""浏览器页面：拖放导出文件，查看问题与报告，下载待更正工作簿和报关单。

供本机的一位用户使用：打开所打印的地址，其中的密钥每次启动都会更换。按 Ctrl-C 结束。
需另装扩展 [web]，参见 docs/serve.md。
""")
@mode_option
@ledger_options
@option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help=Text("Address of this machine to answer at. Without encryption: keep to the default.", "在本机的哪个地址提供服务。没有加密：请保持默认。"))
@option("--port", type=click.IntRange(0, 65535), default=0, help=Text("Port to answer at. [default: one that is free]", "端口。[默认：空闲端口]"))
@option("--upload-limit", type=click.IntRange(1, 1 << 20), default=2048, show_default=True, metavar="MIB", help=Text("How much is taken at once.", "单次上传上限。"))
@lang_option
def serve(config: Path | None, host: str, port: int, upload_limit: int, lang: Any, **given: Any) -> None:
    """A page in the browser: drop exports, see findings and the report, download what is to be corrected and the declarations.

    For one user of this machine, who opens the address it prints: the key in it is new at every start. Ends by Ctrl-C.
    Needs the extra: pip install 'summary-declaration-aggregator[web]'.

    \b
    Example:
      aggregator serve --out results
    """

    def job(reporter: Reporter) -> int:
        from aggregator.model.errors import WrongConfiguration, WrongUsage

        try:
            from aggregator.web.app import serve as answer
            from aggregator.web.works import Asked
        except ImportError:
            raise WrongConfiguration(
                "The page needs the extra: pip install 'summary-declaration-aggregator[web]'.", "网页功能需另装扩展 [web]，参见 docs/serve.md。"
            ) from None
        options, _ = options_of(config, {**given, "lang": lang})
        reporter.adopt(options)
        if not isinstance(options.out, Path):
            raise WrongUsage("Say where results go, in a folder of this machine: --out DIR.", "请指定本机的结果文件夹：--out DIR。")
        _refuse_host(host)
        out = options.out.resolve()
        ledger = str(given["ledger"]) if given.get("ledger") is not None else None

        def ready(address: str) -> None:
            reporter.print(address)
            sys.stdout.flush()

        answer(Asked(config, out, ledger, out / "uploads"), host, port, options.mode.code, upload_limit << 20, ready)
        return 0

    sys.exit(guarded(job, lang))


def _refuse_host(host: str) -> None:
    """Raise WrongUsage for what is no address, and for all of them, however that is written: 0 and 0x0 are 0.0.0.0 too."""
    from aggregator.model.errors import WrongUsage

    try:
        found = socket.getaddrinfo(host or "0.0.0.0", 0, socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, TypeError, ValueError):
        raise WrongUsage(f"No address is known by the name '{host}'.", f"名称“{host}”没有对应的地址。") from None
    given = [ip_address(str(place[0]).split("%")[0]) for *_, place in found]
    if any((getattr(each, "ipv4_mapped", None) or each).is_unspecified for each in given):
        raise WrongUsage("Name one address of this machine, not all of them.", "请指定本机的一个地址，不能为全部地址。")
