"""Templates kept compiled: whatever lies there, the page is that of the source."""

import sys
from pathlib import Path

import jinja2
import pytest

from aggregator.outputs.report.compiled import Compiled

NAME = "page.html.j2"


def page(folder: Path, settings: str = "", source: str = "One {{ word }}") -> str:
    (folder / "settings.py").write_text(settings, encoding="utf-8")
    (folder / NAME).write_text(source, encoding="utf-8")
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), bytecode_cache=Compiled(folder, folder / "settings.py"), autoescape=True)
    return made.get_template(NAME).render(word="<b>")


def kept(folder: Path) -> Path:
    return folder / "__pycache__" / f"{NAME}.{sys.implementation.cache_tag}"


@pytest.fixture(autouse=True)
def bytecode_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page(tmp_path)

    def compile_again(*_: object, **__: object) -> None:
        raise AssertionError("it is compiled already")

    monkeypatch.setattr(jinja2.Environment, "compile", compile_again)
    assert page(tmp_path) == first == "One &lt;b&gt;"


def test_another_source_or_other_settings_are_compiled_anew(tmp_path: Path) -> None:
    page(tmp_path)
    before = kept(tmp_path).read_bytes()
    assert page(tmp_path, source="Two {{ word }}") == "Two &lt;b&gt;"
    other = kept(tmp_path).read_bytes()
    page(tmp_path, settings="autoescape = False", source="Two {{ word }}")
    assert len({before, other, kept(tmp_path).read_bytes()}) == 3


@pytest.mark.parametrize("cut", [0, 7, 40, -1])
def test_what_is_damaged_is_compiled_anew(tmp_path: Path, cut: int) -> None:
    page(tmp_path)
    whole = kept(tmp_path).read_bytes()
    kept(tmp_path).write_bytes(whole[:cut])
    assert page(tmp_path) == "One &lt;b&gt;"
    assert kept(tmp_path).read_bytes() == whole


def test_where_nothing_may_be_kept_it_is_compiled_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "__pycache__").write_text("in the way", encoding="utf-8")
    assert page(tmp_path) == page(tmp_path) == "One &lt;b&gt;"
    (tmp_path / "__pycache__").unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert page(tmp_path) == "One &lt;b&gt;"
    assert not kept(tmp_path).exists()
