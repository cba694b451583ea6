"""What customs said, in every order: what customs has is never free, what it cancelled is not declared, and the ledger ends the
same whatever came first."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.domain.reconcile import Kind
from aggregator.domain.states import APPLIED, Application, Entry, Receipt, decisive, said
from aggregator.jobs.ledger import answered, void
from aggregator.jobs.ledger_check import check_ledger
from aggregator.jobs.receive import Received, receive
from aggregator.ledger.sqlite.tables import LIVE
from aggregator.model.errors import CannotReadOrWrite, UnusableInput, WrongConfiguration, WrongUsage
from aggregator.model.records import State
from aggregator.samples.shapes.formats import as_receipts
from tests import customs as c
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, parameters, read_rows
from tests.jobs.test_receive import ENTRY, Office, exported
from tests.old_ledgers import make_version_4
from tests.outputs.test_applications import CUSTOMS
from tests.tries import tries

APPLICATION = "202610-01-A001"
T = [f"2026110{day}100000000" for day in range(1, 9)]
SENT_TWICE = "-304001"
Message = bytes


def number(place: int) -> str:
    return f"22442026E{place:09d}"


def live(office: Office) -> set[str]:
    with closing(sqlite3.connect(office.runner.out / "ledger.sqlite")) as connection:
        return {row[0] for row in connection.execute(f"SELECT inventory_no FROM inventory WHERE {LIVE}")}


def standing(office: Office) -> object:
    """All that the ledger says of what is declared and what waits."""
    queries = ("SELECT run_no, inventory_no, state FROM inventory", "SELECT application_ref, state, reason FROM application",
               "SELECT inventory_no, fate, reason FROM waiting", "SELECT * FROM tally")  # fmt: skip
    with closing(sqlite3.connect(office.runner.out / "ledger.sqlite")) as connection:
        return [sorted(connection.execute(query)) for query in queries]


def put_back(ledger: Path, before: bytes) -> None:
    """As it was, and nothing beside it that knows better."""
    ledger.write_bytes(before)
    ledger.with_name("ledger.head").unlink(missing_ok=True)


def again(office: Office) -> int:
    """How many inventories a second run of the same export declares."""
    return office.runner.run(office.runner.folder / "export.csv", customs=CUSTOMS).counts["inventories_declared"]


def status_of(runner: Runner, *more: str) -> dict[str, object]:
    result = aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-06", "--json", *more, folder=runner.folder)
    assert result.returncode in (0, 3), result.stderr
    [period] = json.loads(result.stdout)["periods"]
    return dict(period)


def two_parts(runner: Runner) -> tuple[Office, str, c.Asked]:
    """Four inventories in one application of two parts."""
    office = Office(runner, exported(4, items=1), most=2)
    [(cop_no, asked)] = office.customs.asked.items()
    return office, cop_no, asked


# ------------------------------------------------------------------------------------------------------------- every order


@dataclass(frozen=True)
class Fact:
    """A message, and what the law of this tool says of it: an answer about a part, or a result of some inventories."""

    message: Message
    part: int = 0
    status: str = ""
    at: str = ""
    results: frozenset[str] = frozenset()


def must_be_live(asked: c.Asked, facts: Sequence[Fact]) -> tuple[set[str], bool]:
    """What customs has, written anew; and whether the rest is free."""
    held = {no for fact in facts for no in fact.results}
    last: dict[int, Fact] = {}
    for fact in sorted(facts, key=lambda fact: (fact.at, fact.status in ("120", "399", "800", "899"))):
        if fact.status in ("120", "399", "800", "899", "4", "100", "-621013"):
            last[fact.part] = fact
    for part, fact in last.items():
        if fact.status in ("120", "399", "800", "899"):
            held |= set(asked.parts[part])
    refused = set(last) == set(asked.parts) and not held
    return held, refused


def facts_of(office: Office, cop_no: str, asked: c.Asked, *wanted: str) -> list[Fact]:
    """`1:120@3`: status 120 about part 1 at the third time; `result@4`, `entry@5`: the first inventory's result."""
    [made] = [replace(made, lines=made.lines[:1]) for made in office.customs.merge(cop_no)][:1]
    found = []
    for each in wanted:
        what, _, at = each.partition("@")
        if what in ("result", "entry"):
            [message] = c.results(made, T[int(at)], entry=ENTRY if what == "entry" else "")
            found.append(Fact(message, results=frozenset({made.lines[0][0]})))
        else:
            part, status = what.split(":")
            found.append(Fact(c.receipts(asked, status, T[int(at)], parts=[int(part)]), int(part), status, T[int(at)]))
    return found


SETS = (
    ("1:120@1", "1:3@2", "2:2@3", f"1:{SENT_TWICE}@4"),
    ("1:100@1", "2:100@2", "result@3", f"1:{SENT_TWICE}@4"),
    ("1:100@1", "2:4@1", "1:120@3", "2:3@4"),
    ("1:120@1", "entry@3", f"1:{SENT_TWICE}@4", f"2:{SENT_TWICE}@4"),
    ("1:-621013@2", "2:-621013@2", "1:120@2", "result@1"),
    ("1:120@1", "1:100@2", "2:100@1", "2:120@2"),
    ("result@3", "entry@2", "1:100@4", "2:100@4"),
)


@pytest.mark.long
@pytest.mark.parametrize("wanted", SETS, ids=lambda wanted: " ".join(wanted))
def test_every_order_of_a_few_messages_ends_the_same(runner: Runner, wanted: tuple[str, ...]) -> None:
    office, cop_no, asked = two_parts(runner)
    facts = facts_of(office, cop_no, asked, *wanted)
    ledger = runner.out / "ledger.sqlite"
    before, ends = ledger.read_bytes(), set()
    for order in permutations(facts):
        put_back(ledger, before)
        shutil.rmtree(runner.out / "reconciliation", ignore_errors=True)
        for count, fact in enumerate(order, 1):
            office.receive(fact.message)
            held, refused = must_be_live(asked, order[:count])
            assert held <= live(office)
            assert refused == (not live(office)), [each.status for each in order[:count]]
        ends.add(repr(standing(office)))
    assert len(ends) == 1
    assert check_ledger(ledger, runner.out, 0).problems == []
    held, refused = must_be_live(asked, facts)
    assert again(office) == (4 if refused else 0)


STATUSES = ("1", "2", "3", "300", "500", "120", "399", "800", "899", "4", "100", "-621013", SENT_TWICE, "-301010")


def test_no_order_and_no_repetition_of_receipts_changes_what_they_say() -> None:
    """Every pair and triple of statuses at every pair of times, as a pure function."""
    for statuses in product(STATUSES, repeat=3):
        receipts = [Receipt(1, status, at, "") for status, at in zip(statuses, ("1", "2", "2"), strict=True)]
        says = {said(Application("A", 1, receipts=tuple(order))) for order in permutations([*receipts, receipts[0]])}
        assert len(says) == 1
        [(state, _)] = says
        accepts = [each for each in decisive(receipts).values() if each.status in ("120", "399", "800", "899")]
        assert (state is State.ACCEPTED) == bool(accepts)
        assert state in (State.APPLIED, State.ACCEPTED, State.REFUSED)
        if not set(statuses) & {"4", "100", "-621013"}:
            assert state is not State.REFUSED, statuses


def test_what_a_person_entered_stands_against_what_is_older() -> None:
    for status, at in product(STATUSES, ("1", "2", "3")):
        held = said(Application("A", 1, receipts=(Receipt(1, status, at, ""),), entries=(Entry(State.ACCEPTED, "2", ""),)))
        assert held[0] is State.ACCEPTED, "only a person takes back what a person entered"
        free = said(Application("A", 1, receipts=(Receipt(1, status, at, ""),), entries=(Entry(State.REFUSED, "2", ""),)))
        assert free[0] is (State.ACCEPTED if status in ("120", "399", "800", "899") and at == "3" else State.REFUSED)
    assert APPLIED == 2


@pytest.mark.long
@settings(max_examples=tries(8), deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_any_history_of_many_messages_ends_the_same(in_new_folder: Callable[[str], Runner], seed: int) -> None:
    """Answers, results, cancellations and clearances, a few at a time, in two orders; what is free is declared once more."""
    chance = random.Random(seed)
    office = Office(in_new_folder(uuid.uuid4().hex), exported(chance.randint(3, 12), consignors=2), most=3)
    messages: list[Message] = []
    for cop_no, asked in office.customs.asked.items():
        for part in asked.parts:
            statuses = chance.choices(STATUSES, k=chance.randint(1, 4))
            messages += [c.receipts(asked, status, chance.choice(T), parts=[part]) for status in statuses]
        for made in office.customs.merge(cop_no) if chance.random() < 0.5 else ():
            messages += c.results(made, chance.choice(T), parts=chance.randint(1, 2), entry=chance.choice(["", f"5314{made.summary_seq_no[4:]}"]))
    stated = [(number(place), chance.choice(["899", "800", "100"]), chance.choice(T)) for place in range(1, 14)]
    messages += [as_receipts(stated[start : start + 4]) for start in range(0, len(stated), 4)]
    messages.append(as_receipts([(number(chance.randint(1, 12)), "399", T[3])], "CEB606"))
    ledger = office.runner.out / "ledger.sqlite"
    before, ends = ledger.read_bytes(), set()
    for _ in range(3):
        put_back(ledger, before)
        order = [*messages, *chance.sample(messages, len(messages) // 3)]
        chance.shuffle(order)
        while order:
            some = [order.pop() for _ in range(min(len(order), chance.randint(1, 5)))]
            office.receive(*some)
        with closing(sqlite3.connect(ledger)) as connection:
            has = {row[0] for row in connection.execute("SELECT inventory_no FROM result_line")}
        assert has <= live(office)
        ends.add(repr(standing(office)))
    assert len(ends) == 1
    assert check_ledger(ledger, office.runner.out, 0).problems == []
    free = {row["inventory_no"] for row in exported(12)} & set(office.customs.released) - live(office)
    with closing(sqlite3.connect(ledger)) as connection:
        undone = {no for (no,) in connection.execute("SELECT inventory_no FROM clearance WHERE (message, status) IN (VALUES ('CEB606', '399'), ('CEB604', '100'))")}
    assert again(office) == len(free - undone)


class Life:
    """A firm that runs, voids, answers by hand and receives at random; what must hold is asked after every step."""

    def __init__(self, runner: Runner, chance: random.Random) -> None:
        self.chance, self.rows = chance, exported(chance.randint(3, 8), items=1, names=2)
        self.office = Office(runner, self.rows, most=2)
        self.ledger = runner.out / "ledger.sqlite"
        self.heard: list[tuple[c.Asked, int, str, str]] = []
        self.results: set[str] = set()
        self.undone: set[str] = set()
        self.entered: dict[str, str] = {}
        self.refused_by_hand: set[str] = set()

    def step(self) -> None:
        getattr(self, self.chance.choice(["run", "receipt", "receipt", "receipt", "result", "cancel", "void", "hand"]))()
        self.must_hold()

    def run(self) -> None:
        before = live(self.office)
        numbers = {line["inventory_no"] for line in self.rows}
        outcome = self.office.runner.run(self.office.runner.folder / "export.csv", customs=replace(CUSTOMS, max_inventories_per_message=2))
        assert outcome.counts["inventories_declared"] == len(numbers - before - self.undone)
        if outcome.counts["inventories_declared"]:
            self.office.customs.take(Path(outcome.folder))

    def _application(self) -> tuple[str, c.Asked]:
        return self.chance.choice(sorted(self.office.customs.asked.items()))

    def receipt(self) -> None:
        _, asked = self._application()
        part, status, at = self.chance.choice(sorted(asked.parts)), self.chance.choice(STATUSES), self.chance.choice(T)
        self.heard.append((asked, part, status, at))
        self.office.receive(c.receipts(asked, status, at, parts=[part]))

    def result(self) -> None:
        cop_no, _ = self._application()
        made = self.chance.choice(self.office.customs.merge(cop_no))
        self.results |= {line[0] for line in made.lines}
        self.office.receive(*c.results(made, self.chance.choice(T), entry=self.chance.choice(["", f"5314{made.summary_seq_no[4:]}"])))

    def cancel(self) -> None:
        no = self.chance.choice(self.rows)["inventory_no"]
        self.undone.add(no)
        self.office.receive(as_receipts([(no, "399", self.chance.choice(T))], "CEB606"))

    def void(self) -> None:
        run_ref = f"202610-{self.chance.randint(1, 3):02d}"
        known = {asked.head["copNo"] for asked, *_ in self.heard if asked.head["copNo"].partition("-")[2].startswith(run_ref)}
        try:
            void(self.ledger, run_ref, "", NOW, 0)
        except (WrongConfiguration, WrongUsage):
            return
        assert not known, "customs has said something of it"

    def hand(self) -> None:
        cop_no, _ = self._application()
        ref, state = cop_no.partition("-")[2], self.chance.choice(["accepted", "refused", "merged", "entered"])
        try:
            answered(self.ledger, ref, state, "", NOW, 0)
        except WrongConfiguration:
            return
        self.entered.pop(cop_no, None)
        if state == "refused":
            self.refused_by_hand.add(cop_no)
        else:
            self.entered[cop_no] = state

    def must_hold(self) -> None:
        now, asked = live(self.office), self.office.customs.asked
        assert self.results <= now
        for cop_no in self.entered:
            assert set(asked[cop_no].numbers) <= now
        last: dict[tuple[str, int], str] = {}
        for application, part, status, _ in sorted(self.heard, key=lambda each: (each[3], each[2] in ACCEPTS)):
            if status in ACCEPTS + REFUSES:
                last[application.head["copNo"], part] = status
        for (cop_no, part), status in last.items():
            if status in ACCEPTS and cop_no not in self.refused_by_hand:
                assert set(asked[cop_no].parts[part]) <= now
        assert check_ledger(self.ledger, self.office.runner.out, 0).problems == []


ACCEPTS, REFUSES = ("120", "399", "800", "899"), ("4", "100", "-621013")


@settings(max_examples=tries(8), deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_what_customs_has_is_not_free_after_any_step(in_new_folder: Callable[[str], Runner], seed: int) -> None:
    life = Life(in_new_folder(uuid.uuid4().hex), random.Random(seed))
    for _ in range(14):
        life.step()


# ---------------------------------------------------------------------------------------------------- what customs has


@pytest.mark.parametrize("before", ["accepted", "entered", "refused, and in a result"])
def test_sent_twice_frees_nothing(runner: Runner, before: str) -> None:
    office = Office(runner, exported(2))
    [(cop_no, asked)] = office.customs.asked.items()
    made = [message for each in office.customs.merge(cop_no) for message in c.results(each, T[2], entry=ENTRY)]
    if before == "accepted":
        office.receive(c.receipts(asked, "120", T[1]))
    elif before == "entered":
        office.receive(c.receipts(asked, "120", T[1]), *made)
    else:
        office.receive(c.receipts(asked, "100", T[1]))
        office.receive(*made)
    states = office.states()
    assert office.receive(c.receipts(asked, SENT_TWICE, T[5])).changed == []
    assert office.states() == states
    assert "refused" not in states
    assert again(office) == 0


def test_refusals_of_parts_that_do_not_exist_free_nothing(runner: Runner) -> None:
    office, _, asked = two_parts(runner)
    received = office.receive(c.receipts(asked, "100", T[1], parts=[1]), c.receipts(asked, "100", T[2], parts=[3]), c.receipts(asked, "100", T[2], parts=[9]))
    assert len(received.aside) == 2
    assert "which was sent in 2" in received.aside[0].why.en
    assert office.states() == {"applied": 4}
    assert office.receive(c.receipts(asked, "100", T[2], parts=[2])).changed == [(APPLICATION, "refused")]


@pytest.mark.parametrize("what", ["1:3", "1:1", "2:120", "2:100", "result"])
def test_what_customs_knows_of_cannot_be_voided(runner: Runner, what: str) -> None:
    office, cop_no, asked = two_parts(runner)
    [fact] = facts_of(office, cop_no, asked, f"{what}@1")
    office.receive(fact.message)
    before = standing(office)
    with pytest.raises(WrongConfiguration, match="cannot be voided"):
        void(runner.out / "ledger.sqlite", "202610-01", "", NOW, 0)
    assert standing(office) == before


def test_an_answer_after_a_void_is_reported_and_what_customs_has_is_not_free(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    void(runner.out / "ledger.sqlite", "202610-01", "", NOW, 0)
    assert live(office) == set()
    received = office.receive(c.receipts(asked, "120", T[1]))
    assert str(Kind.ANSWER_AFTER_VOID) in office.kinds(received)
    assert len(live(office)) == 2
    assert again(office) == 0
    assert check_ledger(runner.out / "ledger.sqlite", runner.out, 0).problems == []


def test_a_hand_entered_answer_is_not_undone_by_an_older_message(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    ledger = runner.out / "ledger.sqlite"
    answered(ledger, APPLICATION, "refused", "they telephoned", NOW, 0)
    assert office.receive(c.receipts(asked, "120", "20261001100000000")).changed == []
    assert office.states() == {"refused": 2}
    assert office.receive(c.receipts(asked, "120", "20261130100000000")).changed == [(APPLICATION, "accepted")], "what is newer counts"


# ------------------------------------------------------------------------------------------------- before it is declared


def test_what_customs_has_in_a_result_is_not_declared_again(runner: Runner) -> None:
    """As where another program applied for it: nothing here knew of it."""
    office = Office(runner, exported(2))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    stranger = c.with_a_stranger(made, number(3))
    received = office.receive(*c.results(stranger, T[2], entry=ENTRY))
    assert office.kinds(received) == {str(Kind.NOT_APPLIED): 1}
    outcome = runner.run(runner.write(exported(4), "export.csv"), customs=CUSTOMS)
    assert (outcome.counts["inventories_declared"], outcome.excluded) == (1, {"known": 3})
    assert status_of(runner)["undeclared"] == 0
    runner.write(f"inventory_no,period\n{number(3)},2026-10\n", "elsewhere.csv")
    assert aggregator("ledger", "import", "elsewhere.csv", "--out", "out", folder=runner.folder).returncode == 0
    assert _kinds(office, *c.results(stranger, T[3], entry=ENTRY)) == {"two_runs"}, "it is taken up once it is declared"


def test_what_was_cancelled_before_the_run_is_not_declared(runner: Runner) -> None:
    office = Office(runner, exported(1))
    office.receive(as_receipts([(number(2), "399", T[1])], "CEB606"), as_receipts([(number(3), "100", T[1])]), as_receipts([(number(4), "100", T[1])], "CEB606"))
    outcome = runner.run(runner.write(exported(4), "export.csv"), customs=CUSTOMS)
    assert (outcome.counts["inventories_declared"], outcome.excluded) == (1, {"known": 1, "cancelled": 2})
    assert again(office) == 0


def test_what_was_cancelled_after_it_was_declared_is_reported_once(runner: Runner) -> None:
    office = Office(runner, exported(2))
    office.receive(as_receipts([(number(2), "399", T[1])], "CEB606"))
    assert status_of(runner)["cancelled_since"] == 1
    assert runner.run(runner.folder / "export.csv", customs=CUSTOMS).findings == {"B103": 1}
    assert runner.run(runner.folder / "export.csv", customs=CUSTOMS).findings == {}


def test_what_waits_and_is_cleared_since_is_undeclared(runner: Runner) -> None:
    rows = [{**line, "cleared_at": "", "status_code": "800"} for line in exported(3)]
    runner.run(runner.write(rows, "export.csv"))
    assert status_of(runner)["undeclared"] == 0
    stated = [(number(1), "899", "20261020080000000"), (number(2), "899", "20261020080000000")]
    messages = [runner.write(as_receipts(stated), "a.xml"), runner.write(as_receipts([(number(2), "399", T[1])], "CEB606"), "b.xml")]
    receive(parameters(*messages, out=runner.out).for_receive(), NOW)
    period = status_of(runner)
    assert period["undeclared"] == 1
    assert "cleared by customs since" in aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-06", folder=runner.folder).stdout


# ------------------------------------------------------------------------------------------------------- reconciliation


def _kinds(office: Office, *messages: Message) -> set[str]:
    return set(office.kinds(office.receive(*messages)))


def test_joined_headers_are_reported(runner: Runner) -> None:
    rows = exported(2, items=1, names=1)
    office = Office(runner, [rows[0], {**rows[1], "exit_customs_code": "5304"}])
    [cop_no] = office.customs.asked
    one, other = office.customs.merge(cop_no)
    joined = replace(one, lines=(*one.lines, *(replace_item(line, 2) for line in other.lines)), gross=one.gross + other.gross, net=one.net + other.net)
    assert _kinds(office, *c.results(joined, T[2])) == {"headers_joined"}


def replace_item(line: tuple[str, int, int, str], item: int) -> tuple[str, int, int, str]:
    return (line[0], line[1], item, line[3])


def test_another_consignor_or_customs_is_reported(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    received = office.receive(*c.results(replace(made, consignor_code="4403960Q7X", customs_code="5304"), T[2]))
    assert set(office.kinds(received)) == {"other_consignor", "other_customs"}
    assert office.states() == {"merged": 2}, "customs has them all the same"


def test_a_number_that_changes_or_is_there_twice_is_reported(runner: Runner) -> None:
    office = Office(runner, exported(4, consignors=2))
    mades = [made for cop_no in office.customs.asked for made in office.customs.merge(cop_no)]
    first, second = mades[0], mades[-1]
    assert "number_twice" in _kinds(office, *c.results(first, T[2], entry=ENTRY), *c.results(second, T[2], entry=ENTRY))
    assert "number_changed" in _kinds(office, *c.results(second, T[3], entry=f"{ENTRY[:-1]}9"))


def test_a_result_of_two_runs_is_reported(runner: Runner) -> None:
    office = Office(runner, exported(2))
    second = Office(runner, exported(4))
    [one], [other] = (office.customs.merge(next(iter(office.customs.asked))), second.customs.merge(list(second.customs.asked)[-1]))
    lines = (*one.lines, *(replace_item(line, line[2] + 10) for line in other.lines))
    received = office.receive(*c.results(replace(one, lines=lines), T[2]))
    assert "two_runs" in {str(each.kind) for run in received.runs for each in run.differences}


def test_a_second_application_leaves_the_first_alone(runner: Runner) -> None:
    """Refused, declared again, entered: the first run differs in nothing, and each line is traced once."""
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    office.receive(c.receipts(asked, "100", T[1]))
    second = Office(runner, exported(2))
    cop_no = list(second.customs.asked)[-1]
    assert cop_no not in office.customs.asked
    [made] = second.customs.merge(cop_no)
    for _ in range(2):
        received = second.receive(c.receipts(second.customs.asked[cop_no], "120", T[3]), *c.results(made, T[4], entry=ENTRY))
        assert office.kinds(received) == {}
    traced = json.loads(aggregator("trace", number(1), "--out", "out", "--json", folder=runner.folder).stdout)["lines"]
    assert [(line["item_no"], line["declaration_ref"]) for line in traced] == [("1", "202610-02-000001"), ("2", "202610-02-000001")]
    assert all(len(line["refund_key"]) == 21 for line in traced)


# -------------------------------------------------------------------------------------------------------------- numbers


def test_a_restored_ledger_does_not_use_a_number_again(runner: Runner) -> None:
    first = Office(runner, exported(2))
    ledger = runner.out / "ledger.sqlite"
    ledger_backup = ledger.read_bytes()
    used = set(first.customs.asked)
    one = Office(runner, [{**line, "inventory_no": line["inventory_no"].replace("E0", "E1")} for line in exported(1)])
    used |= set(one.customs.asked)
    put_back(ledger, ledger_backup)
    shutil.rmtree(runner.out / "2026-10" / "202610-02")
    other = [{**line, "inventory_no": line["inventory_no"].replace("E0", "E2"), "consignor_code": "4403960Q7X"} for line in exported(1)]
    assert not set(Office(runner, other).customs.asked) & (used - set(first.customs.asked))


def test_the_edition_of_2018_has_no_room_for_long_numbers(runner: Runner) -> None:
    rows = [{**line, "inventory_no": f"{line['inventory_no']}00"} for line in exported(1)]
    with pytest.raises(UnusableInput, match="can carry 18"):
        runner.run(runner.write(rows, "export.csv"), customs=CUSTOMS, edition="2018-113")
    assert not (runner.out / "2026-10").exists()
    assert runner.run(runner.folder / "export.csv", customs=CUSTOMS).counts["inventories_declared"] == 1


# ----------------------------------------------------------------------------------------------------- checked whole


NO_TIMES = ("99999999999999", "20261301000000", "20260001000000", "20261032000000", "20261020250000", "19991231235959", "20990101000000", "2026102008")


@pytest.mark.parametrize("at", NO_TIMES)
def test_times_that_are_none_are_quarantined(runner: Runner, at: str) -> None:
    office = Office(runner, exported(2))
    [(cop_no, asked)] = office.customs.asked.items()
    [made] = office.customs.merge(cop_no)
    bad = [c.receipts(asked, "120", at), *c.results(made, at), as_receipts([(number(8), "899", at)]), as_receipts([(number(1), "399", at)], "CEB606")]
    received = office.receive(*bad, c.receipts(asked, "120", T[1]))
    assert len(received.aside) == 4
    assert received.changed == [(APPLICATION, "accepted")]
    assert status_of(runner)["unseen"] == 0


@pytest.mark.parametrize("count", ["30000000", "3000000", "100000", "0", "-1", "1.5"])
def test_counts_are_bounded(runner: Runner, count: str) -> None:
    office = Office(runner, exported(2))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    [message] = c.results(made, T[2])
    received = office.receive(message.replace(b"<ceb:msgCount>1<", f"<ceb:msgCount>{count}<".encode()))
    assert len(received.aside) == 1
    assert "msgCount" in received.aside[0].why.en
    assert office.states() == {"applied": 2}


def test_many_parts_that_are_missing_are_a_few_lines(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    [message] = c.results(made, T[2])
    received = office.receive(message.replace(b"<ceb:msgCount>1<", b"<ceb:msgCount>99999<"))
    assert [(each.kind, each.customs) for run in received.runs for each in run.differences] == [(Kind.PART_MISSING, "2-99999/99999")]


def test_an_element_that_is_there_twice_is_quarantined(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    sound = c.receipts(asked, "120", T[1])
    twice = sound.replace(b"<ceb:returnStatus>120</ceb:returnStatus>", b"<ceb:returnStatus>100</ceb:returnStatus><ceb:returnStatus>120</ceb:returnStatus>")
    nested = sound.replace(b"<ceb:returnStatus>120</ceb:returnStatus>", b"<ceb:returnStatus><ceb:x>120</ceb:x></ceb:returnStatus>")
    received = office.receive(twice, nested)
    assert (len(received.aside), received.changed) == (2, [])
    receipt = as_receipts([(number(1), "899", T[1])])
    status = b"<ceb:returnStatus>899</ceb:returnStatus>"
    assert status in receipt
    path = runner.write(receipt.replace(status, status * 2), "r.xml")
    with pytest.raises(UnusableInput, match="given twice"):
        runner.run(runner.folder / "export.csv", receipts=(path,))


def test_a_damaged_archive_stops_no_other_file(runner: Runner) -> None:
    office = Office(runner, exported(2))
    [asked] = office.customs.asked.values()
    packed = gzip.compress(c.receipts(asked, "100", T[2]))
    paths = [runner.write(packed[: len(packed) // 2], "a.xml.gz"), runner.write(b"\x1f\x8b\x08nothing", "b.gz"), runner.write(b"PK\x03\x04 no archive", "c.zip")]
    paths.append(runner.write(gzip.compress(c.receipts(asked, "120", T[1])), "d.xml.gz"))
    received: Received = receive(parameters(*paths, out=runner.out).for_receive(), NOW)
    assert [Path(each.file).name for each in received.aside] == ["a.xml.gz", "b.gz", "c.zip"]
    assert received.changed == [(APPLICATION, "accepted")]


# ------------------------------------------------------------------------------------------------------------ poisoned


@pytest.mark.parametrize("answered_too", [True, False])
def test_a_ledger_that_holds_a_time_that_is_none_stays_usable(runner: Runner, answered_too: bool) -> None:
    runner.out.mkdir()
    ledger = runner.out / "ledger.sqlite"
    make_version_4(ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("DELETE FROM event WHERE kind = 'sealed'")
        connection.execute("INSERT INTO clearance VALUES (?, 'CEB604', '899', '99999999999999000')", (number(9),))
        connection.execute("UPDATE application_receipt SET at = '99991301000000000'")
        for table in ("application_receipt", "result_line") if not answered_too else ():
            connection.execute(f"DELETE FROM {table}")
        connection.execute("PRAGMA user_version=3")
        connection.commit()
    assert aggregator("ledger", "migrate", "--out", "out", folder=runner.folder).returncode == 0
    assert status_of(runner)["unseen"] == 0
    said_again = runner.write(as_receipts([(number(9), "899", "20261020080000000")]), "again.xml")
    assert _column(ledger, "SELECT state FROM application") == ["accepted"]
    if answered_too:
        with pytest.raises(CannotReadOrWrite, match="moved or removed"):
            receive(parameters(said_again, out=runner.out).for_receive(), NOW)
        return
    receive(parameters(said_again, out=runner.out).for_receive(), NOW)
    assert status_of(runner)["unseen"] == 1, "a time that is one outdoes it"


def test_what_waits_by_mistake_is_dismissed_by_number(runner: Runner) -> None:
    """Another firm's inventory that a receipt or a result spoke of."""
    office = Office(runner, exported(2))
    [cop_no] = office.customs.asked
    [made] = office.customs.merge(cop_no)
    office.receive(as_receipts([(number(9), "899", "20261020080000000")]), *c.results(c.with_a_stranger(made, number(8)), T[2]))
    assert status_of(runner)["unseen"] == 1
    for wrong in (number(1), number(7)):
        refused = aggregator("ledger", "dismiss", wrong, "--reason", "another firm's", "--out", "out", folder=runner.folder)
        assert refused.returncode == 2, "declared, or never heard of"
    done = aggregator("ledger", "dismiss", number(9), number(8), "--reason", "another firm's", "--out", "out", folder=runner.folder)
    assert done.returncode == 0, done.stderr
    period = status_of(runner)
    assert (period["unseen"], period["undeclared"]) == (0, 0)
    assert office.kinds(office.receive(*c.results(c.with_a_stranger(made, number(8)), T[3]))) == {}
    assert read_rows(runner.out / "reconciliation/not-applied/reconciliation.csv") == []
    assert aggregator("ledger", "check", "--out", "out", folder=runner.folder).returncode == 0


def _column(ledger: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(ledger)) as connection:
        return [value for (value,) in connection.execute(query)]
