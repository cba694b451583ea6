"""CEB701 messages: what a run sends to customs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from aggregator.ledger.sqlite.store import open_ledger
from aggregator.model.customs import Customs
from aggregator.model.errors import UnusableInput, WrongConfiguration
from aggregator.model.options import from_config
from aggregator.outputs.ceb701 import Application, Part, Sending, messages_of, parts_of, write_applications
from aggregator.schemas.messages import NAMESPACE
from aggregator.schemas.modes.m9610.messages import SUMMARY_APPLY_HEAD
from aggregator.schemas.patterns import CHINA
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, row

XSD = Path(__file__).parents[3] / "shared" / "ceb" / "xsd"
"""The official schemas, where somebody has them beside the project."""
CUSTOMS = Customs("4403180001", "深圳通达报关行有限公司", "DXPENT0000012345", "4403180001", "深圳通达报关行有限公司", "4403180001", "深圳通达报关行有限公司")
CEB = {"ceb": NAMESPACE}
CONFIG = """
[customs]
sender_code = "4403180001"
sender_name = "深圳通达报关行有限公司"
dxp_id = "DXPENT0000012345"
broker_code = "4403180001"
broker_name = "深圳通达报关行有限公司"
declarant_code = "4403180001"
declarant_name = "深圳通达报关行有限公司"
"""


def _rows(count: int, **cells: str) -> list[dict[str, str]]:
    return [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", **cells) for n in range(1, count + 1)]


def _messages(folder: Path) -> list[Any]:
    return [etree.parse(path) for path in sorted((folder / "summary_applications").iterdir())]


def _values(message: Any, name: str) -> list[str]:
    return [element.text for element in message.iter(f"{{{NAMESPACE}}}{name}")]


def _must_be_valid(folder: Path, edition: str) -> None:
    """By the official XSD where it is there; the element tables were asked when the message was written."""
    if XSD.exists():
        schema = etree.XMLSchema(etree.parse(XSD / edition / "export-business.xsd"))
        for message in _messages(folder):
            schema.assertValid(message)


def test_what_is_sent(runner: Runner) -> None:
    last = row(inventory_no="22442026E000000009", order_no="D9", waybill_no="L9", exit_customs_code="5304")
    rows = [{**line, "premises_code": ""} for line in _rows(3)] + [{**last, "premises_code": "530401"}]
    outcome = runner.run_rows(rows[::-1], customs=CUSTOMS)
    folder = Path(outcome.folder)
    [message] = _messages(folder)
    assert _values(message, "invtNo") == ["22442026E000000001", "22442026E000000002", "22442026E000000003", "22442026E000000009"]
    with open_ledger(runner.out / "ledger.sqlite") as connection:
        refs = [ref for (ref,) in connection.execute("SELECT application_ref FROM application ORDER BY 1")]
        sent = [cop_no for (cop_no,) in connection.execute("SELECT cop_no FROM sent ORDER BY application_ref")]
    assert _values(message, "copNo") == sent
    assert all(re.fullmatch(f"[0-9A-F]{{12}}-{ref}", cop_no) for ref, cop_no in zip(refs, sent, strict=True))
    assert len(refs) == 2, "one application holds one premises code"
    assert _values(message, "appTime") == [NOW.strftime("%Y%m%d%H%M%S")] * 2
    assert (_values(message, "summaryFlag"), _values(message, "itemNameFlag")) == (["2", "2"], ["1", "1"])
    assert _values(message, "loctNo") == ["530401"]
    assert (_values(message, "startTime"), _values(message, "Signature")) == ([], [])
    guids = [message.getroot().get("guid"), *_values(message, "guid")]
    assert len(set(guids)) == 3
    assert all(re.fullmatch("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", guid) for guid in guids)
    _must_be_valid(folder, "202205")


def test_heads_stand_in_the_order_of_the_spec(runner: Runner) -> None:
    outcome = runner.run_rows(_rows(1), customs=CUSTOMS)
    [message] = _messages(Path(outcome.folder))
    names = [etree.QName(child).localname for child in message.find(".//ceb:SummaryApplyHead", CEB)]
    assert names == [element.name for element in SUMMARY_APPLY_HEAD if element.name in names]
    assert {element.name for element in SUMMARY_APPLY_HEAD if element.required} <= set(names)


def test_long_applications_go_in_parts_without_a_gap(runner: Runner) -> None:
    outcome = runner.run_rows(_rows(23), customs=replace(CUSTOMS, max_inventories_per_message=10))
    messages = _messages(Path(outcome.folder))
    assert [(_values(m, "msgCount"), _values(m, "msgSeqNo"), len(_values(m, "invtNo"))) for m in messages] == [
        (["3"], ["1"], 10), (["3"], ["2"], 10), (["3"], ["3"], 3),
    ]  # fmt: skip
    assert len({tuple(_values(m, "copNo")) for m in messages}) == 1
    assert [number for m in messages for number in _values(m, "invtNo")] == [f"22442026E{n:09d}" for n in range(1, 24)]
    _must_be_valid(Path(outcome.folder), "202205")


def test_the_edition_of_2018_holds_a_hundred_numbers(runner: Runner) -> None:
    outcome = runner.run_rows(_rows(201), customs=CUSTOMS, edition="2018-113")
    assert [len(_values(m, "invtNo")) for m in _messages(Path(outcome.folder))] == [100, 100, 1]
    _must_be_valid(Path(outcome.folder), "2018-113")


def test_at_most_a_hundred_applications_a_message() -> None:
    def application(number: int, inventories: int) -> Application:
        return Application(f"A{number}", "2244", "4403180001", "x", "4403960Q7X", "y", "", inventories)

    parts = list(parts_of([application(n, 1) for n in range(250)], 1000))
    assert [len(message) for message in messages_of(parts, 1000)] == [100, 100, 50]
    mixed: list[Part] = list(parts_of([application(1, 4), application(2, 25), application(3, 1)], 10))
    packed = [[(p.application.application_ref, p.count, p.seq_no, p.inventories) for p in m] for m in messages_of(mixed, 10)]
    assert packed == [[("A1", 1, 1, 4)], [("A2", 3, 1, 10)], [("A2", 3, 2, 10)], [("A2", 3, 3, 5), ("A3", 1, 1, 1)]]


def test_the_same_run_made_again_gives_the_same_and_two_firms_never_collide(tmp_path: Path) -> None:
    application = Application("202610-01-A001", "2244", "4403180001", "申报", "4403960Q7X", "发货", "", 2)
    sending = Sending(CUSTOMS, "202205", "0C3F8E5A-0000-4000-8000-000000000001", "202610-01", 2, 1, datetime(2026, 11, 5, tzinfo=CHINA))
    other = replace(sending, ledger_id="0C3F8E5B-0000-4000-8000-000000000001")
    made = []
    for name, each in (("a", sending), ("b", sending), ("c", other)):
        write_applications(tmp_path / name, each, [application], iter(["22442026E000000001", "22442026E000000002"]))
        made.append((tmp_path / name / "202610-01-M001.xml").read_bytes())
    assert made[0] == made[1]
    for name in ("guid", "copNo"):
        first, second = (set(re.findall((rf"<ceb:{name}>([^<]*)|{name}=\"([^\"]*)").encode(), data)) for data in made[1:])
        assert first
        assert not first & second
    assert len(sending.cop_no("202610-999-A9999")) <= 30


def test_names_that_no_message_can_carry(tmp_path: Path) -> None:
    sending = Sending(CUSTOMS, "202205", "0C3F8E5A-0000-4000-8000-000000000001", "202610-01", 2, 1, NOW)
    for name, says in (("a\x01b", "character that no message can carry"), ("长" * 101, r"C\.\.100")):
        application = Application("202610-01-A001", "2244", "4403180001", "申报", "4403960Q7X", name, "", 1)
        with pytest.raises(UnusableInput, match=says):
            write_applications(tmp_path / "x", sending, [application], iter(["22442026E000000001"]))
    hostile = Application("202610-01-A001", "2244", "4403180001", "<x>&\"'", "4403960Q7X", "]]>", "", 1)
    write_applications(tmp_path / "y", sending, [hostile], iter(["22442026E000000001"]))
    [message] = [etree.parse(tmp_path / "y" / "202610-01-M001.xml")]
    assert (_values(message, "agentName"), _values(message, "ebcName")) == (["<x>&\"'"], ["]]>"])


@pytest.mark.parametrize("key", ["sender_code", "sender_name", "dxp_id", "broker_code", "broker_name"])
def test_a_missing_key_is_named(runner: Runner, key: str) -> None:
    runner.write(_rows(1))
    runner.write(re.sub(rf'^{key} = .*\n', "", CONFIG, flags=re.MULTILINE), "aggregator.toml")
    result = aggregator("run", "export.csv", "--period", "2026-10", "--out", "out", folder=runner.folder)
    assert result.returncode == 78
    assert f"{key} is missing in [customs]" in result.stderr
    assert not (runner.folder / "out").exists()


def test_odd_values_are_refused() -> None:
    for table, says in (
        ({"sender_code": "x" * 19}, "sender_code"), ({"dxp_id": 7}, "dxp_id"), ({"colour": "red"}, "unknown key 'colour'"),
        ({"max_inventories_per_message": 0}, "max_inventories_per_message"), ({"declarants": "x"}, "declarants"),
    ):  # fmt: skip
        with pytest.raises(WrongConfiguration, match=says):
            from_config({"customs": table}, {})


def test_the_declarant_needs_a_name(runner: Runner) -> None:
    rows = _rows(1, declarant_code="3301980002")
    with pytest.raises(WrongConfiguration, match=r"declarants\.3301980002"):
        runner.run_rows(rows, customs=CUSTOMS)
    assert not list(runner.out.glob("2026-10/*"))
    named = replace(CUSTOMS, declarants={"3301980002": "杭州海信报关有限公司"})
    [message] = _messages(Path(runner.run_rows(rows, customs=named).folder))
    assert _values(message, "agentName") == ["杭州海信报关有限公司"]
    with pytest.raises(WrongConfiguration, match="declarant_code"):
        runner.run_rows(_rows(1, declarant_code=""), customs=replace(CUSTOMS, declarant_code="", declarant_name=""), out=runner.folder / "b")


def test_without_a_customs_table_nothing_is_sent_and_that_is_said(runner: Runner) -> None:
    runner.write(_rows(1))
    result = aggregator("run", "export.csv", "--period", "2026-10", "--out", "out", folder=runner.folder)
    assert result.returncode == 0
    assert "no CEB701 messages" in result.stdout
    assert not list((runner.folder / "out").rglob("summary_applications"))
    runner.write(CONFIG, "aggregator.toml")
    shown = aggregator("config", "show", folder=runner.folder)
    assert "[customs]" in shown.stdout
    assert 'dxp_id = "DXPENT0000012345"' in shown.stdout


def test_many_guids_are_those_of_one_each() -> None:
    sending = Sending(CUSTOMS, "202205", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "202610-01", 2, 1, NOW)
    whats = [f"O/P/{n}" for n in range(50)]
    assert sending.guids(whats) == [sending.guid(what) for what in whats]
