"""Which files the arguments mean: a file, a folder, a pattern, `@list.txt` with one of these a line, or `-`; the first three also in
object storage (`s3://bucket/key`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import BinaryIO

from aggregator.inputs.sources.stored import objects_meant
from aggregator.model.errors import CannotReadOrWrite, NoInput, UnusableInput
from aggregator.model.names import told
from aggregator.model.remote import AnyPath, any_path_of
from aggregator.model.small import MOST_LINES, is_pipe, read_small

SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".xml", ".parquet", ".gz", ".zip")
"""What is taken of a folder or an archive; a file that is named is taken whatever it is called."""
STANDARD_INPUT = Path("-")


def standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise NoInput("Standard input is closed. Name a file.", "标准输入已关闭。请指定文件。")
    return sys.stdin.buffer


@dataclass(frozen=True)
class Meant:
    """`named`: the user named this very file; of folders and patterns, what is of another kind is passed over."""

    path: AnyPath
    argument: str
    named: bool


def meant(arguments: Iterable[AnyPath]) -> Iterator[Meant]:
    """The files in the order of the arguments, within one in the order of their names. Raises NoInput naming what means none."""
    for argument in arguments:
        named = list_of(argument)
        if named is not None:
            for line in _lines(named):
                yield from _files(any_path_of(line))
        else:
            yield from _files(argument)


def passed_over(arguments: Iterable[AnyPath]) -> list[str]:
    """Files that stand in a folder that was named, and are no exports by their name; hidden ones are nobody's. Lists name their own."""
    folders = [argument for argument in arguments if isinstance(argument, Path) and argument.is_dir()]
    return [told(path) for folder in folders for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "." and not is_export(path)]


def list_of(argument: AnyPath) -> Path | None:
    """The list of files that @list.txt means; dir/@list.txt is one too."""
    if not isinstance(argument, Path) or argument.exists():
        return None
    if str(argument).startswith("@"):
        return Path(str(argument)[1:])
    return argument.with_name(argument.name[1:]) if argument.name.startswith("@") else None


def _files(argument: AnyPath) -> list[Meant]:
    if isinstance(argument, Path):
        return _on_disk(argument)
    found = objects_meant(argument, SUFFIXES)
    return [Meant(path, told(str(argument)), named=path == argument) for path in found]


def _on_disk(argument: Path) -> list[Meant]:
    if argument == STANDARD_INPUT or argument.is_file() or is_pipe(argument):
        return [Meant(argument, told(argument), named=True)]
    if argument.is_dir():
        found = sorted(path for path in argument.iterdir() if path.is_file() and is_export(path))
        if not found:
            raise NoInput(
                f"{argument} is a folder without a file that ends in {', '.join(SUFFIXES)}. Name the files in it.",
                f"文件夹 {argument} 中没有以 {'、'.join(SUFFIXES)} 结尾的文件。请直接指定文件。",
            )
        return [Meant(path, told(argument), named=False) for path in found]
    if has_magic(str(argument)):
        root = Path(argument.anchor)
        found = sorted(path for path in root.glob(str(argument.relative_to(root))) if path.is_file() and not path.name.startswith((".", "~$")))
        if not found:
            raise NoInput(f"{argument} matches no file. Check the pattern.", f"{argument} 没有匹配到任何文件。请检查通配符。")
        return [Meant(path, told(argument), named=False) for path in found]
    if argument.exists():
        raise NoInput(f"{argument} is no regular file, and no pipe. Name a file.", f"{argument} 不是普通文件，也不是管道。请指定文件。")
    raise NoInput(f"{argument}: no such file. Check the path.", f"{argument}：文件不存在。请检查路径。")


def is_export(path: AnyPath) -> bool:
    """By its name. ~$x.xlsx is left by Excel while x.xlsx is open."""
    return not path.name.startswith((".", "~$")) and path.suffix.lower() in SUFFIXES


def _lines(path: Path) -> list[str]:
    """Blank lines and those that begin with # say nothing."""
    try:
        text = read_small(path, MOST_LINES, pipes=True).decode("utf-8-sig")
    except FileNotFoundError:
        raise NoInput(f"{path}: no such list of files. Check the path after @.", f"{path}：文件列表不存在。请检查 @ 后的路径。") from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{path}: the list of files is not UTF-8. Save it again as UTF-8.", f"{path}：文件列表不是UTF-8编码。请另存为UTF-8。") from None
    except OSError as error:
        raise CannotReadOrWrite(f"{path}: cannot be read: {error.strerror}.", f"{path}：无法读取：{error.strerror}。") from None
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise NoInput(f"{path}: the list of files is empty.", f"{path}：文件列表为空。")
    return named
