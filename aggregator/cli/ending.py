"""How a command ends: its exit code, and what is said of it on stderr. Whatever stops it, the user sees a sentence, never a
traceback."""

from __future__ import annotations

import json
import locale
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aggregator.errors import StopRun
    from aggregator.params import Params
    from schemas.text import Lang, Text


def locale_lang() -> Lang:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def now() -> datetime:
    from schemas.shapes import CHINA

    return datetime.now(CHINA)


class Teller:
    """Speaks on stderr: sentences, or with `--log-format json` one JSON object a line (at, level, event, message, …)."""

    def __init__(self, lang: Lang | None, log_format: str | None) -> None:
        self.lang: Lang = lang or locale_lang()
        self.as_json = log_format == "json"

    def adopt(self, params: Params) -> None:
        """The config may say how to speak."""
        self.lang, self.as_json = params.lang, params.log_format == "json"

    def event(self, event: str, **facts: Any) -> None:
        """Said to programs only."""
        if self.as_json:
            self._line("info", event, facts)

    def note(self, text: Text) -> None:
        self._say("warning", "note", text.in_lang(self.lang), {})

    def error(self, text: str, code: int) -> None:
        self._say("error", "stopped", text, {"exit_code": code})

    def _say(self, level: str, event: str, message: str, facts: dict[str, Any]) -> None:
        if self.as_json:
            self._line(level, event, {"message": message, **facts})
        else:
            click.echo(message, err=True)

    def _line(self, level: str, event: str, facts: dict[str, Any]) -> None:
        at = now().isoformat(timespec="milliseconds")
        click.echo(json.dumps({"at": at, "level": level, "event": event, **facts}, ensure_ascii=False), err=True)


def guarded(job: Callable[[Teller], int], lang: Lang | None, log_format: str | None = None) -> int:
    """Run a job; its exit code."""
    from aggregator.errors import Exit

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    teller = Teller(lang, log_format)
    try:
        code = job(teller)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: not an error, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    except KeyboardInterrupt:
        teller.error("已中断，未发布任何内容。" if teller.lang == "zh" else "Interrupted; nothing was published.", Exit.INTERRUPTED)
        return int(Exit.INTERRUPTED)
    except Exception as error:
        stop = _as_stop(error)
        if stop is not None:
            teller.error(stop.in_lang(teller.lang), stop.exit_code)
            return int(stop.exit_code)
        teller.error(
            f"本工具内部错误（{type(error).__name__}: {error}），未发布任何内容。请报告此错误；设置 AGGREGATOR_DEBUG=1 可显示详情。"
            if teller.lang == "zh"
            else f"An error of our own ({type(error).__name__}: {error}); nothing was published. Please report it; "
            "AGGREGATOR_DEBUG=1 shows the details.",
            Exit.OUR_FAULT,
        )
        if os.environ.get("AGGREGATOR_DEBUG"):
            traceback.print_exception(error)
        return int(Exit.OUR_FAULT)


def _as_stop(error: Exception) -> StopRun | None:
    """What a person can do something about: our own stops, and what the disk refuses."""
    from aggregator.errors import CannotReadOrWrite, StopRun

    if isinstance(error, StopRun):
        return error
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return CannotReadOrWrite(
            f"{where}{error.strerror or error}. Nothing was published. Check disk space and rights, then run again.",
            f"{where}{error.strerror or error}。未发布任何内容。请检查磁盘空间和权限后重新运行。",
        )
    return None


