"""Which objects of a bucket an argument means: an object, all exports below a prefix, or a pattern."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import translate
from glob import has_magic

from aggregator.model.errors import CannotReadOrWrite, NoInput
from aggregator.model.names import told
from aggregator.model.remote import S3Path
from aggregator.places.at import objects_at


def objects_meant(argument: S3Path, suffixes: tuple[str, ...]) -> list[S3Path]:
    """In the order of their names. As of folders, what lies deeper than directly below a prefix is not meant. Raises NoInput."""
    name = told(str(argument))
    try:
        found = _found(argument, suffixes)
    except FileNotFoundError as error:
        raise NoInput(f"{name}: {error.strerror}. Check the URL and AWS_ENDPOINT_URL.", f"{name}：存储桶或对象不存在。请检查网址和 AWS_ENDPOINT_URL。") from None
    except OSError as error:
        raise CannotReadOrWrite(f"{name}: cannot be read: {error.strerror}.", f"{name}：无法读取：{error.strerror}。") from None
    if found:
        return found
    if has_magic(argument.key):
        raise NoInput(f"{name} matches no object. Check the pattern.", f"{name} 没有匹配到任何对象。请检查通配符。")
    raise NoInput(
        f"{name}: there is no such object, and below {name}/ none that ends in {', '.join(suffixes)}. Check the URL.",
        f"{name}：没有该对象，{name}/ 下也没有以 {'、'.join(suffixes)} 结尾的对象。请检查网址。",
    )


def _found(argument: S3Path, suffixes: tuple[str, ...]) -> list[S3Path]:
    store = objects_at(argument)
    if argument.key and store.exists(argument):
        return [argument]
    if not has_magic(argument.key):
        below = [replace(argument, key=key) for key in store.listed(argument).keys]
        return [path for path in below if path.suffix.lower() in suffixes and not path.name.startswith(".")]
    matches = [re.compile(translate(part)) for part in argument.key.split("/")]
    plain = re.split(r"[*?\[]", argument.key, maxsplit=1)[0].rpartition("/")
    keys = store.listed(replace(argument, key=plain[0]), deep=True, begins=plain[2] if plain[1] or not plain[0] else "").keys
    return [replace(argument, key=key) for key in keys if _matches(key, matches)]


def _matches(key: str, patterns: list[re.Pattern[str]]) -> bool:
    """A star stands for no slash, and for no dot at the beginning of a name."""
    parts = key.split("/")
    return len(parts) == len(patterns) and not parts[-1].startswith(".") and all(map(re.Pattern.fullmatch, patterns, parts))
