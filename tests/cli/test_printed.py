"""What commands print in Chinese: every command, and every word of it. What stays in Latin letters are names: of columns, settings, codes,
files, modes, commands, and values of the data."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from aggregator.cli import cli
from aggregator.domain.reconcile import Kind
from aggregator.jobs.doctor import _LIBRARIES
from aggregator.model.options import Options
from aggregator.reports.modes import reasons
from aggregator.schemas.modes import MODES, mode_of
from aggregator.schemas.rates import RATE_RULES
from aggregator.schemas.sources import SOURCES
from tests import customs
from tests.conftest import Runner, row
from tests.outputs.test_applications import CONFIG

NUMBER, OTHER, LATER = "22442026E000000001", "22442026E000000002", "22442026E000000004"
RATES = "currency_code,cny_per_unit,valid_from,valid_to,source\nUSD,7.15,2026-10-05,2026-10-31,customs\nJPY,4.62,2026-10-01,2026-10-31,\n"
ROWS = [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2", goods_name="", item_no="1.0"), row(inventory_no="22442026E000000003", order_no="DD3", waybill_no="LP3", declaration_mode_code="A"),
        row(inventory_no=LATER, order_no="DD4", waybill_no="LP4", cleared_at="2026-11-02 10:00:00"), row(inventory_no="22442026E000000005", order_no="DD5", waybill_no="LP5", net_weight_kg="2")]  # fmt: skip
RUN, ORDERS, MARKET = "results/2026-10/202610-01", "sample_data/orders", "sample_data/market"

WALK: list[tuple[str, int]] = [
    ("sample --lines 10 --out made --shapes", 0), ("template --out t.xlsx", 0), ("init --config new.toml", 0), ("columns export.csv", 0), ("columns odd.csv", 3), ("check export.csv", 3),
    ("check export.csv --findings findings.csv --period 2026-10", 3), ("modes export.csv", 0), ("modes export.csv --format csv", 0), ("modes sample_data/orders/orders.csv --config sample_data/orders/aggregator.toml", 0),
    ("modes sample_data/market/slips.csv --config sample_data/market/aggregator.toml", 0), ("rates check --rates rates.csv --period 2026-10", 3), ("rules", 0), ("rules --mode 9710", 0), ("rules --mode 1039", 0),
    ("status --out results", 0), ("doctor --out results", 3), ("run export.csv --period 2026-10 --out results --first-period 2026-10 --as-of 2026-11-12 --dry-run", 3),
    ("run export.csv --period 2026-10 --out results --first-period 2026-10 --as-of 2026-11-12 --format xlsx", 3), ("run export.csv --period 2026-10 --out results --as-of 2026-11-12", 3),
    (f"run {ORDERS}/orders.csv --config {ORDERS}/aggregator.toml --period 2026-10 --out orders --as-of 2026-11-12", 3), (f"run {MARKET}/slips.csv --config {MARKET}/aggregator.toml --period 2026-10 --out market --as-of 2026-11-12", 3),
    ("status --out results --as-of 2026-11-12", 3), ("status --out orders --config sample_data/orders/aggregator.toml --as-of 2026-11-12", 0), ("months --out results --as-of 2026-11-12 --html months.html", 3), ("ledger show --out results", 0),
    ("ledger check --out results", 0), (f"trace {NUMBER} {OTHER} {LATER} NEVER1 --out results", 3), ("trace DD3 DD1 --out results --headings zh", 3), ("ledger export exported --out results", 0),
    ("ledger backup copy.sqlite --out results", 0), ("ledger migrate --out results", 0), ("ledger import declared.csv --out results", 0), (f"ledger dismiss {OTHER} --reason 重复 --out results", 0),
    ("ledger first-period 2026-09 --reason 更正 --out results", 78), ("receive answer.xml --out results", 0), ("receive answer.xml broken.xml --out results", 3), ("ledger show --out results", 0),
    ("run more.csv --period 2026-10 --out results --as-of 2026-11-12", 3), ("ledger void 202610-02 --reason 试 --out results", 0), ("run more.csv --period 2026-10 --out results --as-of 2026-11-12", 3), ("ledger answer 202610-03-A001 refused --reason 电话 --out results", 0),
    (f"diff {RUN} results/2026-10/202610-02.void", 3), (f"diff {RUN} {RUN}", 0), ("status --out results --as-of 2026-11-12", 3), ("config show --workers 2", 0), ("config show --config aggregator.toml", 0),
    (f"config show --config {ORDERS}/aggregator.toml", 0), *((f"rules {code}", 0) for code in ("R101", "I104", "X102", "F104", "D101", "C101", "E104")),
]  # fmt: skip
"""Each with its exit code."""
ELSEWHERE = {"serve", "completions", "report"}
"""What prints an address, a script or a path."""

NAMES = set(re.findall(r"[a-z0-9]+", " ".join((
    *(field.shown for code in MODES for field in mode_of(code).dictionary.fields), *Options.__dataclass_fields__, *(str(kind) for kind in Kind), *cli.commands, "run rejected findings csv xlsx parquet json toml xml pdf html sqlite",
    "utf gb18030 ok true false local spark master aggregator pip install off working calendar lang zh en results max text own default yes no unknown inventories lines",
    *(field.element for code in MODES for field in mode_of(code).dictionary.fields), *(reason for code in MODES for reason in mode_of(code).rules.exclusions),
    *(reason for _, reason, *_ in reasons()), *_LIBRARIES, "fits reason refund source Desc InventoryList Python python client calamine MiB",
)).lower())) | set(re.findall(r"[a-z]+", " ".join(SOURCES).lower()))  # fmt: skip


def leaves(command: click.Command, *path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, *path, name)
    else:
        yield " ".join(path)


def test_no_command_is_left_out() -> None:
    walked = {words for words, _ in WALK}
    assert [leaf for leaf in leaves(cli) if leaf not in ELSEWHERE and not any(f"{words} ".startswith(f"{leaf} ") for words in walked)] == []


def english_in(text: str, folder: Path) -> list[str]:
    """Words in Latin letters that are no names."""
    text = text.replace(str(folder), "").replace("Premature end of data in tag", "").replace("column", "")  # What a library said of a file.
    text = re.sub(r"\"[^\"\n]*\"|“[^”]*”|[\w./*-]+\.(?:csv|xlsx|html|toml|sqlite|xml|void)\b|\S*[/_]\S*|--[a-z-]+|\b[A-Z]{2,}[\w-]*|\b[\w]*[0-9][\w.-]*", " ", text)
    return [word for word in re.findall(r"[A-Za-z]{2,}", text) if word.lower() not in NAMES]


def test_what_is_printed_is_chinese(runner: Runner) -> None:
    runner.write(ROWS)
    runner.write([row(inventory_no="22442026E000000011", order_no="DD11", waybill_no="LP11")], "more.csv")
    runner.write("清单号,订单,品名\n1,2,3\n", "odd.csv")
    runner.write(RATES, "rates.csv")
    runner.write(CONFIG, "aggregator.toml")
    runner.write("inventory_no\n22442026E000000021\n22442026E000000003\n", "declared.csv")
    runner.write("<CEB702Message>", "broken.xml")
    (runner.folder / "sample_data").symlink_to(Path(__file__).parents[2] / "sample_data")
    said: dict[str, list[str]] = {}
    with contextlib.chdir(runner.folder):
        for words, code in WALK:
            if words.startswith("receive") and not Path("answer.xml").exists():
                office = customs.SimulatedCustoms(ROWS)
                office.take(Path(RUN))
                [asked] = office.asked.values()
                Path("answer.xml").write_bytes(customs.receipts(asked, "-1", "20261106100000"))
            result = CliRunner().invoke(cli, ["--lang", "zh", *words.split()], prog_name="aggregator", env={"LANG": "C.UTF-8", "LC_ALL": "", "AGGREGATOR_LANG": ""})
            printed = result.stdout + result.stderr
            assert result.exit_code == code, (words, printed)
            if found := english_in(printed, runner.folder):
                said[words] = found
    assert said == {}


def test_every_citation_is_chinese() -> None:
    cites = {cite for code in MODES for rule in (*mode_of(code).rules, *mode_of(code).rules.exclusions.values()) for cite in rule.citations} | {cite for *_, each in reasons() for cite in each}
    cites |= {cite for rule in RATE_RULES for cite in rule.citations}
    said = [part for cite in cites for part in (cite.said.zh, SOURCES[cite.source].named.zh)]
    assert [part for part in said if re.search(r"[a-z]{2,} [a-z]{2,}", part)] == []
    assert [cite.article for cite in cites if not re.search("[一-鿿]", cite.said.zh.rpartition("[")[0]) and cite.article != "--first-period"] == []
