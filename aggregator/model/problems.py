"""What is wrong with a config, gathered so that all of it is said at once: each with its file and line, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aggregator.model.config_file import Config, Key, nearest
from aggregator.model.errors import WrongConfiguration
from aggregator.schemas.text import Text


def meant(name: str, known: Iterable[str]) -> Text:
    """To follow upon an unknown name; blank if none is like it."""
    like = nearest(name, known)
    return Text(f" (did you mean '{like}'?)", f"（是否应为“{like}”？）") if like else Text("", "")


_MOST = 50
"""Problems that are said at once: whoever has more has given another file."""


class WrongValue(ValueError):  # noqa: N818 - wrong data of the user, not an error of ours
    """A value that a setting cannot have."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


class Problems:
    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._config = config if isinstance(config, Config) else Config({})
        self._said: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self._said)

    def add(self, en: str, zh: str, *key: str | int) -> None:
        """`key`: where it stands, from the outermost table on. Raises WrongConfiguration where there are very many."""
        at = self._at(key)
        self._said.append((at + en, at + zh))
        if len(self._said) == _MOST:
            self._said.append(("there may be more", "可能还有其他问题"))
            self.stop()

    def unknown(self, name: str, table: str, known: Iterable[str], *key: str | int) -> None:
        """`table`: as a file heads it."""
        said = meant(name, known)
        self.add(f"unknown key '{name}' in {table}{said.en}", f"{table} 中未知的键“{name}”{said.zh}", *key)

    def _at(self, key: Key) -> str:
        return self._config.at(key)

    def stop(self) -> None:
        """Raise WrongConfiguration if there are any."""
        if self._said:
            raise WrongConfiguration(
                "The config is wrong: " + "; ".join(en for en, _ in self._said) + ". Correct it and run again.",
                "配置有误：" + "；".join(zh for _, zh in self._said) + "。请修正后重新运行。",
            )
