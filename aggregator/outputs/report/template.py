"""Pages from templates. Every value is escaped, and nothing in it acts; there is no script. Both languages stand in the page, and
one of them is shown."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.schemas.shown import shown
from aggregator.schemas.text import Lang, Text, counted

# Loaded where a page is written.
if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

FOLDER = Path(__file__).with_name("templates")


def rendered(template: str, lang: Lang, **values: Any) -> str:
    """A page from `templates/`; `lang` is shown until the reader chooses the other."""
    page = _environment().get_template(template).render(lang=lang, **values)
    return "\n".join(line for line in (line.strip() for line in page.splitlines()) if line) + "\n"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    from aggregator.outputs.report.compiled import Compiled

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        bytecode_cache=Compiled(FOLDER, Path(__file__)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    made.globals |= {"say": say, "drawn": drawn, "counted": counted, **_MARKS}
    return made


_MARKS = {"colon": Text(": ", "："), "stop": Text(".", "。"), "semicolon": Text("; ", "；"), "comma": Text(", ", "，")}


def _harmless(value: Any) -> Any:
    """What is written of a value: text from outside cannot hide or turn anything."""
    if isinstance(value, Text):
        return both(value)
    return shown(value) if type(value) is str else value


def say(en: Any, zh: Any) -> Markup:
    """Both languages of a text, of which the page shows one."""
    return _twice(en, zh, "span")


def both(text: Text) -> Markup:
    return _twice(text.en, text.zh, "span")


def drawn(text: Text) -> Markup:
    """The same within a drawing."""
    return _twice(text.en, text.zh, "tspan")


def _twice(en: Any, zh: Any, tag: str) -> Markup:
    from markupsafe import Markup, escape

    english, chinese = (each if isinstance(each, Markup) else escape(shown(str(each))) for each in (en, zh))
    if english == chinese:
        return english
    return Markup(f'<{tag} lang="en">{english}</{tag}><{tag} lang="zh">{chinese}</{tag}>')
