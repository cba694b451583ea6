"""Customs' answers: folded in any order, reconciled, every planted deviation found and no other."""

from __future__ import annotations

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.domain.reconcile import Kind
from aggregator.jobs.receive import Received, receive
from aggregator.samples.shapes.formats import as_receipts
from tests import customs as c
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, parameters, read_rows, row
from tests.outputs.test_applications import CONFIG, CUSTOMS
from tests.tries import tries

ENTRY = "531420261234500001"


def exported(inventories: int, *, names: int = 3, items: int = 2, consignors: int = 1) -> list[dict[str, str]]:
    firms = [("91440300MA5F0A1B2N", "深圳星河跨境电子商务有限公司"), ("4403960Q7X", "深圳前海远洋供应链有限公司")]
    return [
        row(
            inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", item_no=str(item), consignor_code=firms[n % consignors][0],
            consignor_name=firms[n % consignors][1], enterprise_goods_name=f"品名{(n + item) % names}", gross_weight_kg=f"{1 + n % 7}.250",
        )
        for n in range(1, inventories + 1) for item in range(1, items + 1)
    ]  # fmt: skip


class Office:
    """A firm with its ledger, and the customs it sends to."""

    def __init__(self, runner: Runner, rows: list[dict[str, str]], most: int = 40, **changes: object) -> None:
        self.runner = runner
        self.outcome = runner.run(runner.write(rows, "export.csv"), customs=replace(CUSTOMS, max_inventories_per_message=most), **changes)
        self.customs = c.SimulatedCustoms(rows)
        self.customs.take(Path(self.outcome.folder))
        self._count = 0

    def receive(self, *messages: bytes) -> Received:
        paths = []
        for data in messages:
            self._count += 1
            paths.append(self.runner.write(data, f"answer-{self._count}.xml"))
        return receive(parameters(*paths, out=self.runner.out).for_receive(), NOW)

    def states(self) -> dict[str, int]:
        with closing(connect(self.runner.out / "ledger.sqlite")) as connection:
            return dict(connection.execute("SELECT state, count(*) FROM inventory GROUP BY 1").fetchall())

    def kinds(self, received: Received) -> Counter[str]:
        return Counter(str(each.kind) for run in received.runs for each in run.differences)


def test_from_the_application_to_the_numbers_of_the_declarations(runner: Runner) -> None:
    office = Office(runner, exported(6))
    [(cop_no, asked)] = office.customs.asked.items()
    assert office.receive(c.receipts(asked, "2", "20261105100000000")).changed == []
    assert office.receive(c.receipts(asked, "120", "20261105110000000")).changed == [("202610-01-A001", "accepted")]
    made = office.customs.merge(cop_no)
    merged = office.receive(*(message for each in made for message in c.results(each, "20261105120000000")))
    assert merged.changed == [("202610-01-A001", "merged")]
    assert (merged.exit_code, merged.runs[0].declaration_nos) == (0, 0)
    entered = office.receive(*(message for n, each in enumerate(made) for message in c.results(each, "20261106120000000", entry=f"{ENTRY[:-1]}{n}", body=False)))
    assert entered.changed == [("202610-01-A001", "entered")]
    [run] = entered.runs
    assert (entered.exit_code, run.inventories, run.lines, run.declaration_nos, run.differences) == (0, 6, 12, len(made), [])
    items = read_rows(Path(str(run.folder)) / "customs_items.csv")
    mine = runner.results(office.outcome, "declaration_items")
    assert [item["total_price"] for item in items] == [item["total_price"] for item in mine]
    assert sum(int(item["inventory_item_count"]) for item in items) == 12
    assert len(list((runner.out / "received").glob("*.xml"))) == 2 + 2 * len(made)


def test_a_refusal_frees_its_inventories_with_the_reason(runner: Runner) -> None:
    office = Office(runner, exported(4))
    [asked] = office.customs.asked.values()
    refused = office.receive(c.receipts(asked, "-621013", "20261105110000000"))
    assert refused.changed == [("202610-01-A001", "refused")]
    assert office.states() == {"refused": 4}
    with closing(connect(runner.out / "ledger.sqlite")) as connection:
        assert connection.execute("SELECT reason FROM application").fetchall() == [("[Code:-621013;Desc:x]",)]
    again = runner.run(runner.folder / "export.csv", customs=CUSTOMS)
    assert again.counts["inventories_declared"] == 4
    late = office.receive(c.receipts(asked, "120", "20261107110000000"))
    assert late.changed == [], "they are declared again: the first application stays refused"
    assert office.states() == {"refused": 4, "applied": 4}


def test_an_acceptance_after_a_refusal_counts_where_nothing_was_declared_again(runner: Runner) -> None:
    office = Office(runner, exported(4))
    [asked] = office.customs.asked.values()
    office.receive(c.receipts(asked, "100", "20261105110000000"))
    assert office.receive(c.receipts(asked, "120", "20261106110000000")).changed == [("202610-01-A001", "accepted")]
    assert office.states() == {"accepted": 4}
    with closing(connect(runner.out / "ledger.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM waiting").fetchone() == (0,)
    assert aggregator("ledger", "check", "--out", "out", folder=runner.folder).returncode == 0


def test_what_cannot_be_used_is_quarantined_and_the_others_go_on(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    sound = c.receipts(asked, "120", "20261105110000000")
    unknown = sound.replace(asked.head["copNo"].encode(), b"0C3F8E5A0000-202610-01-A001")
    foreign = sound.replace(asked.head["ebcCode"].encode(), b"4403960Q7X")
    no_time = sound.replace(b"20261105110000000", b"yesterday")
    received = office.receive(unknown, foreign, no_time, sound[:200], b"not XML", sound)
    assert len(received.aside) == 5
    assert received.changed == [("202610-01-A001", "accepted")]
    assert received.exit_code == 3
    assert len(list((runner.out / "received" / "aside").glob("*.xml"))) == 5
    assert (runner.out / "received").is_dir()
    assert office.receive(sound).known == 1


def test_the_command(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [(cop_no, asked)] = office.customs.asked.items()
    runner.write(c.receipts(asked, "120", "20261105110000000"), "a.xml")
    for n, each in enumerate(office.customs.merge(cop_no)):
        [message] = c.results(each, "20261105120000000", entry=ENTRY)
        runner.write(message, f"b{n}.xml")
    runner.write(CONFIG, "aggregator.toml")
    said = aggregator("receive", "a.xml", "b*.xml", "--out", "out", folder=runner.folder)
    assert said.returncode == 0, said.stderr
    assert "customs agrees with our forecast: 2 inventories, 4 lines in 1 declaration of customs, 1 of them numbered." in said.stdout
    reported = json.loads(aggregator("receive", "a.xml", "--out", "out", "--json", folder=runner.folder).stdout)
    assert (reported["known"], reported["runs"]) == (1, [])
    shown = aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-06", folder=runner.folder)
    assert "entered 2" in shown.stdout or "entered" in shown.stdout


DEVIATIONS: dict[Kind, Callable[[c.Made], c.Made]] = {
    Kind.NOT_IN_RESULT: lambda made: c.without_inventory(made, made.lines[0][0]),
    Kind.OTHER_COMMODITY: lambda made: c.with_other_code(made, 0),
    Kind.CUT: lambda made: c.with_a_line_apart(made),
    Kind.JOINED: lambda made: c.with_items_joined(made, 1, 2),
    Kind.NOT_APPLIED: lambda made: c.with_a_stranger(made, "22442026E999999999"),
    Kind.WEIGHT: lambda made: replace(made, gross=made.gross + 1),
}


@pytest.mark.parametrize("kind", DEVIATIONS)
def test_each_deviation_is_found_and_no_other(runner: Runner, kind: Kind) -> None:
    office = Office(runner, exported(6))
    [cop_no] = office.customs.asked
    first, *others = office.customs.merge(cop_no)
    received = office.receive(*c.results(DEVIATIONS[kind](first), "20261105120000000"), *(m for each in others for m in c.results(each, "20261105120000000")))
    found = office.kinds(received)
    # An inventory that is not there takes its weight along.
    allowed = {str(kind), str(Kind.WEIGHT)} if kind is Kind.NOT_IN_RESULT else {str(kind)}
    assert str(kind) in found
    assert set(found) <= allowed, found
    assert received.exit_code == 3


def test_parts_that_are_missing_are_waited_for(runner: Runner) -> None:
    office = Office(runner, exported(6))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    first, *rest = c.results(made, "20261105120000000", parts=3)
    received = office.receive(first)
    assert office.kinds(received)[str(Kind.PART_MISSING)] == 2
    assert office.states() == {"accepted": 6}
    done = office.receive(*rest[::-1])
    assert (office.kinds(done), office.states()) == (Counter(), {"merged": 6})


def test_round_trip(runner: Runner) -> None:
    """All the way and back, with an answer to every line; `make faults` does it with a hundred thousand inventories."""
    count = int(os.environ.get("ROUND_TRIP", "2000"))
    office = Office(runner, exported(count, names=40, consignors=2))
    messages = []
    for cop_no, asked in office.customs.asked.items():
        messages.append(c.receipts(asked, "120", "20261105110000000"))
        for made in office.customs.merge(cop_no):
            messages += c.results(made, "20261106120000000", parts=3, entry=f"5314{made.summary_seq_no[4:]}")
    received = office.receive(*messages)
    assert (office.kinds(received), office.states()) == (Counter(), {"entered": count})
    assert received.runs[0].lines == 2 * count


def test_results_of_2018_do_not_say_items(runner: Runner) -> None:
    office = Office(runner, exported(6))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    received = office.receive(*c.results(c.with_items_joined(made, 1, 2), "20261105120000000", edition="2018-113"))
    assert (received.exit_code, office.kinds(received), office.states()) == (0, Counter(), {"merged": 6})


@settings(max_examples=tries(60))
@given(seed=st.integers(0, 1 << 30), refuse=st.booleans(), deviation=st.sampled_from([None, *DEVIATIONS]))
def test_any_history_ends_in_the_right_state(in_new_folder: Callable[[str], Runner], seed: int, refuse: bool, deviation: Kind | None) -> None:
    """Answers in parts, late, repeated, out of order, over several calls."""
    chance = random.Random(seed)
    office = Office(in_new_folder(uuid.uuid4().hex), exported(chance.randint(2, 60), names=chance.randint(2, 5), consignors=2))
    messages: list[bytes] = []
    applications = list(office.customs.asked.items())
    refused = applications[0][0] if refuse and len(applications) > 1 else None
    wanted: Counter[str] = Counter()
    planted = False
    for cop_no, asked in applications:
        size = len(asked.numbers)
        messages.append(c.receipts(asked, "2", "20261105090000000"))
        if cop_no == refused:
            messages.append(c.receipts(asked, "100", "20261105100000000"))
            wanted["refused"] += size
            continue
        messages.append(c.receipts(asked, "120", "20261105100000000"))
        for made in office.customs.merge(cop_no):
            if deviation is not None and not planted and len({item for _, _, item, _ in made.lines}) > 1:
                altered = DEVIATIONS[deviation](made)
                made, planted = altered, altered != made
            messages += c.results(made, "20261105120000000", parts=chance.randint(1, 3))
            messages += c.results(made, "20261106120000000", entry=f"5314{made.summary_seq_no[4:]}", body=chance.random() < 0.5)
        wanted["entered"] += size
    everything = [*messages, *chance.sample(messages, len(messages) // 2)]
    chance.shuffle(everything)
    for start in range(0, len(everything), 5):
        received = office.receive(*everything[start : start + 5])
    received = office.receive(messages[0])
    found = office.kinds(received)
    if planted and deviation is Kind.NOT_IN_RESULT:
        assert found[str(deviation)] == 1
        assert office.states()["accepted"] + wanted["refused"] + office.states().get("entered", 0) == sum(wanted.values())
        return
    assert office.states() == dict(wanted)
    assert set(found) == ({str(deviation)} if planted else set()), found


# ------------------------------------------------------------------------------------------------------------------- trace


def _traced(office: Office, *numbers: str) -> list[tuple[str, str, str, str]]:
    """(inventory, item, item of ours, refund line) of what a number stands for."""
    result = aggregator("trace", *numbers, "--out", "out", "--json", folder=office.runner.folder)
    assert result.returncode == 0, result.stderr
    return [
        (each["inventory_no"], each["item_no"], f"{each['declaration_ref']}/{each['declaration_item_no']}", each["refund_key"])
        for each in json.loads(result.stdout)["lines"]
    ]


def test_trace_there_and_back(runner: Runner) -> None:
    office = Office(runner, exported(3))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    one = _traced(office, "22442026E000000002")
    assert [(number, item, refund) for number, item, _, refund in one] == [("22442026E000000002", "1", ""), ("22442026E000000002", "2", "")]
    office.receive(*c.results(made, "20261105120000000", entry=ENTRY))
    lines = {(number, item): (ref, refund) for number, item, ref, refund in _traced(office, *(f"22442026E{n:09d}" for n in (1, 2, 3)))}
    expected = {(number, str(item)): f"{ENTRY}0{place:02d}" for number, item, place, _ in made.lines}
    assert {key: refund for key, (_, refund) in lines.items()} == expected
    assert all(len(refund) == 21 for refund in expected.values())
    for number in ("D2", "L2"):
        assert {line[0] for line in _traced(office, number)} == {"22442026E000000002"}
    for (number, item), (ref, refund) in lines.items():
        assert (number, item) in {line[:2] for line in _traced(office, refund)}
        assert {line[:2] for line in _traced(office, refund)} == {key for key, each in lines.items() if each[1] == refund}
        assert {line[:2] for line in _traced(office, ref)} == {key for key, each in lines.items() if each[0] == ref}
    for whole in (ENTRY, made.summary_seq_no, "202610-01-000001"):
        assert len(_traced(office, whole)) == 6
    absent = aggregator("trace", "22442026E000000002", "nowhere", "--out", "out", folder=runner.folder)
    assert absent.returncode == 3
    assert "Not found: 1 number (nowhere)" in absent.stderr
    runner.write("22442026E000000001\nD3\n", "numbers.txt")
    listed = aggregator("trace", "--file", "numbers.txt", "--out", "out", folder=runner.folder)
    assert listed.stdout.count("\n") == 5
    assert aggregator("trace", "x", "--out", "nothing", folder=runner.folder).returncode == 78


# ------------------------------------------------------------------------------------------------------------ completeness


def test_what_customs_cleared_and_no_export_had_is_undeclared(runner: Runner) -> None:
    office = Office(runner, exported(3))
    reported = [(f"22442026E{n:09d}", "899", "20261020080000000") for n in range(1, 6)]
    reported += [("22442026E000000006", "899", "20261020080000000"), ("22442026E000000007", "800", "20261020080000000"), ("22442026E000000008", "899", "20261101000000000")]
    office.receive(as_receipts(reported), as_receipts([("22442026E000000006", "399", "20261021080000000")], "CEB606"))
    result = aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-13", "--json", folder=runner.folder)
    [period] = json.loads(result.stdout)["periods"]
    assert (period["cleared"], period["unseen"], period["undeclared"]) == (5, 2, 2)
    assert period["unseen_examples"] == ["22442026E000000004", "22442026E000000005"]
    assert result.returncode == 3, "the deadline is near"
    said = aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-13", folder=runner.folder).stdout
    assert "2  cleared by customs, and in no export yet" in said
    runner.run(runner.write(exported(5), "export.csv"), customs=CUSTOMS)
    after = json.loads(aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-13", "--json", folder=runner.folder).stdout)
    assert (after["periods"][0]["unseen"], after["periods"][0]["undeclared"]) == (0, 0)


def test_what_a_person_entered_further_than_the_messages_stays(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    for state in ("accepted", "merged"):
        assert aggregator("ledger", "answer", "202610-01-A001", state, "--out", "out", folder=runner.folder).returncode == 0
    assert office.receive(c.receipts(asked, "120", "20261105110000000")).changed == []
    assert office.states() == {"merged": 2}


def test_runs_that_are_done_with_are_left_as_they_were(runner: Runner) -> None:
    office = Office(runner, exported(4))
    [cop_no] = office.customs.asked
    made = office.customs.merge(cop_no)
    assert len(office.receive(*(m for each in made for m in c.results(each, "20261105120000000", entry=ENTRY))).runs) == 1
    again = Office(runner, [{**line, "inventory_no": line["inventory_no"].replace("E0", "E1")} for line in exported(4)])
    asked = list(again.customs.asked.values())[-1]
    received = again.receive(c.receipts(asked, "120", "20261107110000000"))
    assert [run.run_ref for run in received.runs] == ["202610-02"]
