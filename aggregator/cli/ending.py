"""How a command ends: its exit code, and what is said of it on stderr. Whatever stops it, the user sees a sentence, never a
traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from aggregator.cli.language import lang_now, stopped_as_written
from aggregator.cli.screen import (
    flush,
    hold_streams,
    say_no_more,
    tell,
    tell_json,
    write_bytes,
    write_drawn,
    write_json,
    write_lines,
)
from aggregator.model import memory
from aggregator.model.signals import Interrupts, answered_by, come_again, done
from aggregator.schemas.shown import shown

if TYPE_CHECKING:
    from aggregator.model.options import Options
    from aggregator.reports.summary import Line
    from aggregator.schemas.text import Lang, Text


def now() -> datetime:
    from aggregator.schemas.patterns import CHINA

    return datetime.now(CHINA)


_LOOP = re.compile("Symlink loop from '(.*)'", re.DOTALL)
"""How Python before 3.13 says that a link leads to itself."""
_SCARCE = 256 << 20
"""Where a limit leaves less, libraries fail in ways of their own: that is no fault of ours."""


class Reporter:
    """Prints results on stdout, and speaks on stderr: sentences, or with `--log-format json` one JSON object a line (at, level,
    event, message, …)."""

    def __init__(self, lang: Lang | None, log_format: str | None) -> None:
        self.lang: Lang = lang or lang_now()
        self.as_json = log_format == "json"
        self.stands: Text | None = None
        self.code = 0

    def done(self, stands: Text, code: int = 0) -> None:
        """What was asked is done and recorded, whatever becomes of what is said of it."""
        self.stands, self.code = stands, code

    def adopt(self, options: Options) -> None:
        """The config may say how to speak."""
        self.lang, self.as_json = options.lang, options.log_format == "json"

    def print(self, *lines: str) -> None:
        with _reader_may_go():
            write_lines(lines)

    def close(self, lines: Sequence[Line]) -> None:
        """Print how a job ended."""
        from aggregator.cli.closing import drawn, wants_tables

        with _reader_may_go():
            if wants_tables():
                write_drawn(drawn(lines, self.lang))
            else:
                write_lines(line.text for line in lines)

    def print_json(self, value: Any) -> None:
        with _reader_may_go():
            write_json(value)

    def print_bytes(self, table: bytes) -> None:
        with _reader_may_go():
            write_bytes(table)

    def to_terminal(self) -> bool:
        return sys.stdout is not None and sys.stdout.isatty()

    def tell(self, lines: Iterable[str]) -> None:
        """For people, where stdout is for a program."""
        tell(lines)

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
            tell([message])

    def _line(self, level: str, event: str, facts: dict[str, Any]) -> None:
        tell_json({"at": now().isoformat(timespec="milliseconds"), "level": level, "event": event, **facts})


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """head and less leave when they have enough. The job goes on, for its exit code is still asked for."""
    try:
        yield
    except BrokenPipeError:
        say_no_more()


def guarded(job: Callable[[Reporter], int], lang: Lang | None, log_format: str | None = None) -> int:
    """Run a job; its exit code."""
    from aggregator.model.errors import Exit, StopRun

    reporter, interrupts = Reporter(lang, log_format), Interrupts()
    try:
        with answered_by(interrupts):
            code = reporter.code = job(reporter)
            flush()
            done(code)
        return code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: not an error, and nobody is left to tell.
        say_no_more()
        return reporter.code
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, MemoryError):
            # What the job held is let go, or there is nothing left to say it with.
            traceback.clear_frames(error.__traceback__)
        if interrupts.came and not isinstance(error, StopRun):
            error = KeyboardInterrupt()
        said, code = _ending(error, reporter.stands)
        done(code)
        reporter.error(said.in_lang(reporter.lang), code)
        if code == Exit.OUR_FAULT and os.environ.get("AGGREGATOR_DEBUG"):
            tell(traceback.format_exception(error))
        _flush_or_say_no_more()
        return code


def ended(command: Callable[[], Any]) -> int:
    """Run a command line; its exit code. What it is told before its job begins, wrong usage for the most, is said here."""
    hold_streams()
    sys.unraisablehook = come_again
    try:
        code = command()
        flush()
    except click.ClickException as error:
        tell(_usage_lines(error))
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except MemoryError:
        tell(["There is not enough memory, not even to say what was done: run 'aggregator ledger check'. 内存不足，无法说明执行结果：请运行 aggregator ledger check。"])
        code = 74
    except BrokenPipeError:
        say_no_more()
        code = 0
    except OSError as error:
        tell([f"{error.filename or ''}: {error.strerror}".lstrip(": ")])
        code = 74
    _flush_or_say_no_more()
    return code if isinstance(code, int) else 0


_ended_by_memory = False


def leave(code: int | str | None) -> NoReturn:
    """End the process. Where memory gave out, libraries that tidy up after themselves may crash, and end it with a code of their own."""
    if _ended_by_memory:
        os._exit(code if isinstance(code, int) else 1)
    sys.exit(code)


def _usage_lines(error: click.ClickException) -> list[str]:
    """As click words it. What was typed may hold line ends, which are not its own."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        # Or it takes colours out of what was typed, which then is not found again.
        error.ctx.color = True
    with io.StringIO() as said:
        error.show(said)
        text = said.getvalue()
    typed = {part for argument in sys.argv[1:] for part in (argument, *argument.split("=", 1))}
    for part in sorted(typed, key=len, reverse=True):
        if shown(part) != part:
            text = text.replace(part, shown(part))
    return (stopped_as_written(text) if lang_now() == "zh" else text).rstrip("\n").split("\n")


def _flush_or_say_no_more() -> None:
    try:
        flush()
    except OSError:
        say_no_more()


def _ending(error: BaseException, stands: Text | None) -> tuple[Text, int]:
    """What to say of what stopped a job, and its exit code. What a person can do something about is our own stops and what the
    disk refuses. `stands`: what was done all the same: then it needs attention."""
    from aggregator.model.errors import Exit, StopRun
    from aggregator.schemas.text import Text

    if isinstance(error, RuntimeError) and (loop := _LOOP.fullmatch(str(error))):
        error = OSError(errno.ELOOP, os.strerror(errno.ELOOP), loop[1])
    waits = int(Exit.WAITING)
    kept = Text(f". {stands.en}", f"。{stands.zh}") if stands else Text("; nothing was published.", "，未发布任何内容。")
    if isinstance(error, StopRun):
        return error.text, int(error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Text(f"Interrupted{kept.en}", f"已中断{kept.zh}"), waits if stands else int(Exit.INTERRUPTED)
    if isinstance(error, MemoryError) or not (isinstance(error, OSError) or memory.is_enough(_SCARCE)):
        global _ended_by_memory
        _ended_by_memory = True
        return Text(
            f"There is not enough memory for this{kept.en} Give it more, split the input, or try --workers 1.",
            f"内存不足{kept.zh}请增加内存、拆分输入文件，或尝试 --workers 1。",
        ), waits if stands else int(Exit.CANNOT_READ_OR_WRITE)
    if isinstance(error, OSError):
        where, why = f"{error.filename}: " if error.filename else "", error.strerror or error
        if stands:
            return Text(
                f"{where}{why}: what is to be said of it cannot be written. {stands.en} It stands.",
                f"{where}{why}：结果信息无法输出。{stands.zh}以上操作有效。",
            ), waits
        return Text(
            f"{where}{why}. Nothing was published. Check disk space and rights, then run again.",
            f"{where}{why}。未发布任何内容。请检查磁盘空间和权限后重新运行。",
        ), int(Exit.CANNOT_READ_OR_WRITE)
    what = f"{type(error).__name__}: {error}"
    return Text(
        f"Internal error ({what}){kept.en} Please report it; AGGREGATOR_DEBUG=1 shows the details.",
        f"本工具内部错误（{what}）{kept.zh}请报告此错误；设置 AGGREGATOR_DEBUG=1 可显示详情。",
    ), int(Exit.OUR_FAULT)
