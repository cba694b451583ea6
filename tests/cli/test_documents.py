"""Every command of README and the documents, and every example of the program's help, is run: page by page and in order, in a folder that
holds a firm's month. What cannot be run here is one short list, and is at least understood."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

from aggregator.cli import cli, ending
from tests.conftest import NOW, csv_text, row
from tests.customs import SimulatedCustoms, receipts
from tests.jobs.test_pdf import stand_in

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "commands.md")]
GOES_ON = {"docs/correcting.md": "README.md", "docs/zh/correcting.md": "README.zh.md"}
"""A page that goes on where another ends."""
CONSIGNORS = ("91440300MA5F0A1B2N", "91330100MA27Y3K4XJ", "91330782MA2E5N6C1U")
NOT_RUN = {
    "--engine spark": "a cluster; tests/jobs/test_spark.py",
    "s3://": "object storage; tests/jobs/test_object_storage.py",
    "postgresql://": "a server; tests/jobs/test_postgres.py",
    "aggregator serve": "it never ends; tests/web",
}
WAITS = 3
"""How commands end that have something to tell, as their pages say; all others end with 0."""
ENDS = {
    r"run (sample_data|demo-out|export\.csv)": WAITS,
    r"check (sample_data|export\.csv)": WAITS,
    r"columns sample_data/exports/shop-a": WAITS,
    r"diff results": WAITS,
}
PLACES = {"/srv/customs/aggregator.toml": "customs.toml", "/srv/customs/": "", "/srv/customs": ".", "/opt/aggregator/bin/": "", "/var/lib/node_exporter/": "", "/backup/": "backup/", "~/": "home/", ".venv/bin/": ""}
"""Of another machine, and what stands for them in the firm's folder."""
PRINTS = 'for a in "$@"; do case "$a" in --print-to-pdf=*) echo "%PDF-" > "${a#*=}";; esac; done'


class Command(NamedTuple):
    """`words` after the program's name; `to`: the file that its output goes to."""

    text: str
    words: list[str]
    to: str | None = None


class Config(NamedTuple):
    text: str


def steps(text: str) -> Iterator[Command | Config]:
    """What a page has a reader do, in order."""
    for kind, block in re.findall(r"^ *```(sh|bash|crontab|ini|toml)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        if kind == "toml":
            yield Config(_here(block))
            continue
        for line in block.replace("\\\n", " ").splitlines():
            yield from commands(line.removeprefix("ExecStart="))


def commands(line: str) -> Iterator[Command]:
    """Those of ours in a line for a shell."""
    lexer = shlex.shlex(_here(re.sub(r"\$\(date [^)]*\)", "2026-11-05", line)), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, "" if "$(" in line else "#"
    part: list[str] = []
    for word in [*lexer, ";"]:
        if word not in ("|", "||", "&&", ";"):
            part.append(word)
            continue
        words, to = (part[: part.index(">")], part[part.index(">") + 1]) if ">" in part else (part, None)
        part = []
        if words[:2] == ["docker", "run"]:
            words = words[words.index("aggregator") :]
        if words[:1] == ["aggregator"]:
            yield Command(shlex.join(words), words[1:], to)


def _here(text: str) -> str:
    for place, ours in PLACES.items():
        text = text.replace(place, ours)
    return text


def examples(page: str = "docs/commands.md") -> dict[str, list[Command]]:
    """Of the program's help, by command."""
    found = {}
    for name, text in re.findall(r"### `aggregator ?(.*?)`\n(.*?)(?=^### |\Z)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        found[name] = [command for line in re.split("示例：|Example:", text)[1].split("\n\n")[0].splitlines() for command in commands(line.strip())]
    return found


# ------------------------------------------------------------------------------------------------------- a firm's month


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a firm: an export, what was made of it, customs' answers, and what else commands speak of."""
    folder = tmp_path_factory.mktemp("month")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    lines = [row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"W{number}", consignor_code=code, item_no=item, enterprise_goods_name=f"T恤{item}")
             for number, code in enumerate(CONSIGNORS, 1) for item in ("1", "2", "3")]  # fmt: skip
    mistyped, later = (row(inventory_no=number, order_no=f"D{number}", waybill_no=f"W{number}", goods_name=name)
                       for number, name in (("22442026E00000018", ""), ("22442026E000000009", "T恤")))  # fmt: skip
    (folder / "exports").mkdir()
    for name, rows in (("export.csv", [*lines, mistyped]), ("exports/2026-10.csv", lines), ("later.csv", [later]), ("declared-by-hand.csv", [later])):
        (folder / name).write_text(csv_text(rows), encoding="utf-8")
    for name in ("backup", "textfile", "home/.local/share/bash-completion/completions", "home/.zfunc", "home/.config/fish/completions"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "receipts.csv").write_text("inventory_no,status_code,cleared_at\n22442026E000000001,899,2026-10-15 10:00:00\n", encoding="utf-8")
    (folder / "numbers.txt").write_text("22442026E000000001\nD2\n", encoding="utf-8")
    (folder / "rates.csv").write_text("currency_code,cny_per_unit,valid_from,valid_to,source\nUSD,7.15,2026-10-01,2026-10-31,bank\nJPY,0.0462,2026-10-01,2026-10-31,bank\n", encoding="utf-8")
    [customs] = [step for step in steps((ROOT / "docs/customs-messages.md").read_text(encoding="utf-8")) if isinstance(step, Config)]
    (folder / "customs.toml").write_text(f'[run]\nout = "results"\n{customs.text}', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setattr(ending, "datetime", _Then)
        for name, code in (("export.csv", 3), ("later.csv", 0)):
            assert _invoke(["run", name, "--period", "2026-10", "--first-period", "2026-09", "--config", "customs.toml"])[0] == code
        _workbook(folder / "orders.xlsx", folder / "export.csv")
        _workbook(folder / "rates.xlsx", folder / "rates.csv")
    taken = SimulatedCustoms(lines)
    taken.take(folder / "results/2026-10/202610-01")
    (folder / "answers").mkdir()
    # Of the last application; of the others the pages tell by hand.
    (folder / "answers/1.xml").write_bytes(receipts([*taken.asked.values()][-1], "120", "20261106090000000"))
    for name in ("old", "new"):
        shutil.copytree(folder / "results", folder / name)
    return folder


@pytest.fixture
def firm(month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, on a day of the month after, where there is a browser."""
    folder = shutil.copytree(month, tmp_path / "firm", symlinks=True)
    monkeypatch.setattr(ending, "datetime", _Then)
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", PRINTS))
    monkeypatch.chdir(folder)
    return folder


class _Then(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return NOW


def _workbook(path: Path, table: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for line in table.read_text(encoding="utf-8").splitlines():
        book.active.append(line.split(","))
    book.save(path)


def _invoke(words: list[str]) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, words, prog_name="aggregator", env={"LANG": "C.UTF-8", "LC_ALL": "", "AGGREGATOR_LANG": ""})
    return result.exit_code, result.stdout, result.stderr


def do(step: Command | Config, folder: Path) -> str | None:
    """What the step says, if it was run."""
    if isinstance(step, Config):
        (folder / "aggregator.toml").write_text(step.text, encoding="utf-8")
        code, out, said = _invoke(["config", "show", "--json"])
        assert code == 0, (step.text, said)
        return None
    if any(what in step.text for what in NOT_RUN):
        _understand(cli, step.words)
        return None
    words = [each for word in step.words for each in (sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word])]
    code, out, said = _invoke(words)
    wanted = next((code for pattern, code in ENDS.items() if re.match(f"aggregator (--lang zh )?{pattern}", step.text)), 0)
    assert code == wanted, (step.text, code, out, said)
    if step.to is not None:
        (folder / step.to).write_text(out, encoding="utf-8")
    return out


def _understand(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    context = command.make_context("aggregator", list(words), parent=parent)
    if isinstance(command, click.Group):
        _, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert below is not None, words
        _understand(below, rest, context)


@pytest.mark.parametrize("name", [str(path.relative_to(ROOT)) for path in PAGES if list(steps(path.read_text(encoding="utf-8")))])
def test_every_page_does_what_it_says(firm: Path, name: str) -> None:
    for step in steps((ROOT / GOES_ON[name]).read_text(encoding="utf-8")) if name in GOES_ON else ():
        if isinstance(step, Command) and "demo-out" in step.text:
            do(step, firm)
    for step in steps((ROOT / name).read_text(encoding="utf-8")):
        said = do(step, firm)
        assert not said or not step.text.startswith("aggregator --lang zh") or re.search("[一-鿿]", said), step.text
    if name.startswith("README"):
        made = re.findall(r"^\| `([a-z_]+\.[a-z]+)`", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert made
        assert all((firm / "demo-out/2026-10/202610-01" / file).exists() for file in made), made


@pytest.mark.parametrize("name", examples())
def test_every_example_of_the_help_works(firm: Path, name: str) -> None:
    assert examples()[name]
    if name == "":
        shutil.rmtree(firm / "results")
    for command in examples()[name]:
        do(command, firm)


@pytest.mark.parametrize("name", ["correcting.md", "report.md"])
def test_pages_in_both_languages_have_the_same_commands(name: str) -> None:
    english, chinese = ([shlex.join(each.words).removeprefix("--lang zh ") for each in steps((ROOT / "docs" / page).read_text(encoding="utf-8")) if isinstance(each, Command)]
                        for page in (name, f"zh/{name}"))  # fmt: skip
    assert english == chinese != []


def test_examples_are_the_same_in_both_languages() -> None:
    assert examples("docs/zh/commands.md") == examples()
    assert len(examples()) >= 30


def _texts() -> Iterator[tuple[str, str]]:
    for path in (*PAGES, ROOT / "CONTRIBUTING.md"):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_what_is_named_between_sentences_exists() -> None:
    """Commands and their options, targets of make, extras, and files of the project."""
    makefile, project = (ROOT / "Makefile").read_text(encoding="utf-8"), tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named: dict[str, int] = dict.fromkeys(("commands", "targets", "extras", "files"), 0)
    for page, text in _texts():
        for words in re.findall(r"`aggregator ([a-z][^`]*)`", text):
            command: click.Command = cli
            for word in words.split():
                if isinstance(command, click.Group):
                    command = command.commands[word.strip(".")]
                elif word.startswith("--"):
                    assert word in {name for option in command.params for name in option.opts}, (page, words)
            named["commands"] += 1
        for line in re.findall(r"(?:^|`)make ([a-z][a-z -]*)", text, re.MULTILINE):
            for target in line.split("  ")[0].split():
                assert target in targets, (page, target)
                named["targets"] += 1
        for name, extras in re.findall(r"(?:install|upgrade) '?([\w.-]+)?\[(\w+)\]'", text):
            assert name in (project["name"], "."), page
            assert extras in project["optional-dependencies"], (page, extras)
            named["extras"] += 1
        for path in re.findall(r"\b(?:deploy|sample_data|benchmarks|docs)/\w[\w./-]*\w", text):
            assert (ROOT / path).exists(), (page, path)
            named["files"] += 1
    assert all(count > 2 for count in named.values()), named


def test_links_lead_somewhere() -> None:
    for page, text in _texts():
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (ROOT / page).parent.joinpath(link).exists(), (page, link)
