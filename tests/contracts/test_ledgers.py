"""What every ledger promises, whatever keeps it: a run is recorded whole or not at all, nothing is declared twice, of customs'
answers the order does not matter, and what another hand changed is found."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aggregator.ledger import errors
from aggregator.ledger.at import ledger_at
from aggregator.ledger.ledger import Ledger, LedgerAt
from aggregator.model.answers import ApplicationReceipt, Clearance, OrderMessage, Result, ResultLine, Sent
from aggregator.model.errors import Busy, StopRun, WrongConfiguration
from aggregator.model.place import Place
from aggregator.model.records import LIVE_STATES, RUN_LIVE, Run, State
from tests.postgres import server
from tests.tries import tries

AT, LATER = "2026-11-05T09:00:00+08:00", "2026-11-06T09:00:00+08:00"
T = [f"2026110{day}100000000" for day in range(1, 9)]
ONE, TWO, THREE = (f"22442026E{place:09d}" for place in (1, 2, 3))
APPLICATION = "202610-01-A001"
CONSIGNOR = "4403180001"


# --------------------------------------------------------------------------------------------------------------- every kind


@dataclass(frozen=True)
class Kind:
    """A kind of ledger: where one of a folder lies, and how a hand changes it that is not ours."""

    name: str
    tampering: dict[str, str]
    place: Callable[[Path], Place]
    change: Callable[[Any, str], object]

    def at(self, folder: Path) -> LedgerAt:
        return ledger_at(self.place(folder))


def _by_sql(place: Path, statement: str) -> None:
    with closing(sqlite3.connect(place)) as connection:
        connection.execute(statement)
        connection.commit()


TAMPERING = {
        "an inventory removed": "DELETE FROM inventory WHERE inventory_id = 1",
        "a content changed": "UPDATE inventory SET content = x'00' WHERE inventory_id = 1",
        "a state changed": "UPDATE inventory SET state = 'refused' WHERE inventory_id = 1",
        "a run voided": "UPDATE run SET state = 'voided'",
        "an application answered": "UPDATE application SET state = 'entered'",
        "an event changed": "UPDATE event SET detail = '{}' WHERE kind = 'run'",
        "the last event removed": "DELETE FROM event WHERE event_no = (SELECT max(event_no) FROM event)",
        "what waits forgotten": "DELETE FROM waiting",
        "another first period": "UPDATE setting SET value = '202601' WHERE name = 'first_period'",
        "an answer put in": "INSERT INTO result_line VALUES ('22442026E000000009', 1, 'R', 1, '1', '20261101100000000')",
}
SQLITE = Kind("sqlite", TAMPERING, lambda folder: folder / "ledger.sqlite", _by_sql)
POSTGRES = Kind(
    "postgres",
    TAMPERING | {
        "a content changed": "UPDATE inventory SET content = '' WHERE inventory_id = 1",
        "an index removed": "DROP INDEX live_inventory",
        "a trigger switched off": "ALTER TABLE waiting DISABLE TRIGGER USER; DELETE FROM waiting; ALTER TABLE waiting ENABLE TRIGGER USER",
        "what waits emptied": "TRUNCATE waiting",
    },
    lambda folder: server().place(folder),
    lambda place, statement: server().execute(statement, place.schema),
)  # fmt: skip
KINDS = {kind.name: kind for kind in (SQLITE, POSTGRES)}
RESULTS = Path("/results")


@pytest.fixture(params=KINDS.values(), ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    monkeypatch.setattr("aggregator.ledger.sqlite.store._BUSY_SECONDS", 0.1)
    if request.param is POSTGRES:
        server()
        monkeypatch.setattr("aggregator.ledger.postgres.store._BUSY_SECONDS", 0.1)
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def at(kind: Kind, tmp_path: Path) -> LedgerAt:
    """A new ledger."""
    place = kind.at(tmp_path)
    with place.locked(), place.opened(create=True, at=AT):
        return place


@pytest.fixture
def ledger(at: LedgerAt) -> Iterator[Ledger]:
    with at.locked(), at.opened() as opened:
        yield opened


# ------------------------------------------------------------------------------------------------------------ what happens


def inventories(numbers: Sequence[str], content: bytes = b"c") -> pa.Table:
    return pa.table(
        {
            "inventory_no": pa.array(numbers, pa.string()),
            "content": pa.array([content] * len(numbers), pa.binary()),
            "cleared_period": ["202610"] * len(numbers),
            "late": [False] * len(numbers),
            "application_no": pa.array([1] * len(numbers), pa.int64()),
            "items": ["1/1"] * len(numbers),
        }
    )


def waits(numbers: Sequence[str]) -> pa.Table:
    texts = {"cleared_period": "202610", "fate": "rejected", "reason": "R101"}
    return pa.table({"inventory_no": list(numbers), **{name: [value] * len(numbers) for name, value in texts.items()}})


def write_run(ledger: Ledger, numbers: Sequence[str], parts: int = 1, mode: str = "9610", released: Sequence[str] = ()) -> str:
    """Within a transaction: one application, one declaration."""
    run_ref = ledger.next_run_ref("202610")
    run_no = ledger.begin_run("202609")
    ledger.release(run_ref, released)
    rows = ledger.record_declared(run_no, [inventories(numbers)])
    key = {"declaring_customs_code": ["2244"], "declarant_code": ["D"], "consignor_code": [CONSIGNOR], "premises_code": [""]}
    declaration = {"declaration_ref": [f"{run_ref}-000001"], "application_no": [1], "item_count": [1], "inventory_count": [len(numbers)]}
    ledger.record_sent([Sent(f"{run_ref}-A001", parts, f"COP-{run_ref}")])
    run = Run(run_no, run_ref, "202610", RUN_LIVE, RESULTS / "2026-10" / run_ref, AT, "m", "r", mode)
    ledger.record_run(run, rows, pa.table({"application_no": [1], **key}), pa.table(declaration))
    return run_ref


def run(ledger: Ledger, *numbers: str, parts: int = 1) -> str:
    with ledger.transaction(AT):
        return write_run(ledger, numbers, parts)


def receipt(status: str, at: str, part: int = 1) -> Callable[[Ledger], set[str]]:
    def take(ledger: Ledger) -> set[str]:
        ledger.take_receipt(APPLICATION, ApplicationReceipt("COP-202610-01", CONSIGNOR, part, status, at, "S", ""))
        return set()

    return take


def result(at: str, *numbers: str, declaration_no: str = "") -> Callable[[Ledger], set[str]]:
    def take(ledger: Ledger) -> set[str]:
        fields = {"declaration_no": declaration_no, "consignor_code": CONSIGNOR}
        ledger.take_result(Result("R" * 18, at, 1, fields, tuple(ResultLine(number, 1, 1, "6109100010") for number in numbers)))
        return set(numbers)

    return take


def live(at: LedgerAt, *numbers: str) -> set[str]:
    return set(at.known().of(pa.array(numbers or (ONE, TWO, THREE)))[0])


def says(ledger: Ledger) -> Any:
    """All that a ledger says of runs and of what is to be declared."""
    runs = ledger.runs()
    of_runs = [(each, ledger.tally(each.run_no), ledger.applications(each.run_no), ledger.customs_lines(each.run_no).to_pylist()) for each in runs]
    return of_runs, {period: ledger.period_facts(period, 9) for period in sorted(ledger.periods())}, ledger.stray_lines().to_pylist()


# --------------------------------------------------------------------------------------------------------- what it takes down


def test_there_is_one_only_where_one_was_made(kind: Kind, tmp_path: Path) -> None:
    at = kind.at(tmp_path)
    assert not at.exists()
    with pytest.raises(errors.NoLedger), at.opened():
        pass
    with at.locked(), at.opened(create=True, at=AT) as made:
        ledger_id = made.ledger_id
        assert made.altered() == []
        assert (made.first_period, made.runs()) == (None, [])
    with at.opened(create=True, at=AT) as again:
        assert again.ledger_id == ledger_id
    assert at.exists()


def test_what_was_declared_is_known_with_its_content(at: LedgerAt, ledger: Ledger) -> None:
    run_ref = run(ledger, ONE, TWO)
    known = pickle.loads(pickle.dumps(at.known()))
    declared, customs = known.of(pa.array([ONE, THREE, None]))
    assert set(declared) == {ONE}
    assert (declared[ONE].content, declared[ONE].run_ref, declared[ONE].items, declared[ONE].cancelled) == (b"c", run_ref, "1/1", False)
    assert declared[ONE].folder == RESULTS / "2026-10" / run_ref
    assert customs.results == customs.undone == {}
    [recorded] = ledger.runs()
    assert (recorded.run_ref, recorded.live, recorded.folder) == (run_ref, True, declared[ONE].folder)
    [application] = ledger.applications(recorded.run_no)
    assert (application.application_ref, application.state, application.inventories) == (APPLICATION, State.APPLIED, 2)
    assert (ledger.first_period, ledger.declarations_made(run_ref), ledger.size().inventories) == ("202609", 1, 2)
    assert ledger.altered() == []


def test_nothing_is_declared_twice(at: LedgerAt, ledger: Ledger) -> None:
    run(ledger, ONE)
    before = says(ledger), ledger.last_event()
    with pytest.raises(errors.DeclaredTwice):
        run(ledger, TWO, ONE)
    assert (says(ledger), ledger.last_event()) == before
    assert live(at) == {ONE}
    assert run(ledger, TWO) == "202610-02"


def test_nothing_is_written_outside_of_a_transaction(ledger: Ledger) -> None:
    run(ledger, ONE)
    before = says(ledger), ledger.last_event()
    for write in (
        lambda: write_run(ledger, [TWO]), lambda: ledger.record_waiting("x", "202610", [waits([TWO])]), lambda: ledger.void_run("202610-01", ""),
        lambda: ledger.record_cancelled("202610-01", [ONE]), lambda: ledger.record_receipts([("0", "f")]), lambda: ledger.record_received("0", "f"),
        lambda: ledger.answer_application(APPLICATION, State.ACCEPTED, ""), lambda: ledger.dismiss([ONE], ""), lambda: ledger.settle([1]),
        lambda: ledger.correct_first_period("202608", ""), lambda: receipt("120", T[1])(ledger), lambda: result(T[1], ONE)(ledger),
        lambda: ledger.release("202610-02", [ONE]), lambda: ledger.take_clearances([Clearance(ONE, "CEB604", "899", T[1])]), lambda: ledger.record_declared(2, [inventories([TWO])]),
    ):  # fmt: skip
        with pytest.raises(RuntimeError):
            write()
    assert (says(ledger), ledger.last_event()) == before
    assert ledger.altered() == []


def test_what_waits_is_not_forgotten_until_it_is_declared(ledger: Ledger) -> None:
    with ledger.transaction(AT):
        write_run(ledger, [ONE])
        ledger.record_waiting("202610-01", "202610", [waits([TWO, THREE])])
    facts = ledger.period_facts("202610", 1)
    assert [(each.fate, each.reason, each.inventories) for each in facts.waiting] == [("rejected", "R101", 2)]
    assert (facts.declared, facts.undeclared, [each.inventory_no for each in facts.examples]) == (1, 2, [TWO])
    assert ledger.seen([ONE, TWO, TWO.lower()]) == [(TWO, "rejected", "R101", "202610", "202610-01")]
    assert [each.inventory_no for each in ledger.seen([THREE], by_own_number=True)] == [THREE]
    run(ledger, TWO)
    assert ledger.period_facts("202610", 1).undeclared == 1


ODD = ("'", '"', "\\", "\\.", "a\n\\.\nb", "\t", "\r\n", "a,b;c", "%s %(a)s %", "?", ":name", "$1", "清单 ١٢ 😀", " x ", "NULL", "\\N", "{1,2}", "--", "A" * 5000)
"""Texts that mean something to one store or another."""


def test_whatever_a_text_is_it_is_kept_as_it_is(ledger: Ledger, at: LedgerAt) -> None:
    table = waits(ODD).set_column(3, "reason", pa.array(ODD))
    with ledger.transaction(AT):
        write_run(ledger, [ONE])
        ledger.record_waiting("202610-01", "202610", [table])
        ledger.record_receipts((f"{place}", text) for place, text in enumerate(ODD))
        ledger.take_clearances([Clearance(text, "CEB604", "899", T[1]) for text in ODD])
    facts = ledger.period_facts("202610", 99)
    assert sorted((each.inventory_no, each.reason) for each in facts.examples) == sorted((text, text) for text in ODD)
    exported = {each.name: pa.concat_tables([each.schema.empty_table(), *each.rows]) for each in ledger.export()}
    assert exported["waiting"]["inventory_no"].to_pylist() == sorted(ODD), "in the order of their bytes, or code points"
    assert sorted(exported["receipts"]["file"].to_pylist()) == sorted(exported["clearances"]["inventory_no"].to_pylist()) == sorted(ODD)
    with ledger.transaction(LATER):
        assert ledger.dismiss(ODD, ODD[3]) == len(ODD)
        imported = pa.table({"inventory_no": list(ODD), "cleared_period": ["202610"] * len(ODD)})
        assert ledger.import_declared("f", "0" * 64, imported).new == len(ODD)
    assert live(at, *ODD) == set(ODD)
    assert ledger.altered() == []


def test_of_what_waits_the_last_that_was_seen_counts_also_in_one_table(ledger: Ledger) -> None:
    seen = [(ONE, "rejected", "R101"), (TWO, "excluded", "late_held"), (ONE, "excluded", "not_cleared"), (TWO, "rejected", "R102"), (ONE, "rejected", "R103")]
    columns = {name: list(values) for name, values in zip(("inventory_no", "fate", "reason"), zip(*seen, strict=True), strict=True)}
    table = pa.table({"inventory_no": columns["inventory_no"], "cleared_period": ["202610"] * len(seen), **columns}).select([0, 1, 2, 3])
    with ledger.transaction(AT):
        write_run(ledger, ["22442026E000000009"])
        ledger.record_waiting("202610", "202610", [table])
        twice = [ResultLine(THREE, 1, item, "6109100010") for item in (1, 3, 2)]
        ledger.take_result(Result("R" * 18, T[1], 1, {"declaration_no": "", "consignor_code": CONSIGNOR}, tuple(twice)))
    facts = ledger.period_facts("202610", 9)
    assert {(each.inventory_no, each.fate, each.reason) for each in facts.examples} == {(ONE, "rejected", "R103"), (TWO, "rejected", "R102")}
    assert [line["customs_item_no"] for line in ledger.stray_lines().to_pylist()] == [3]
    assert ledger.altered() == []


# ------------------------------------------------------------------------------------------- two at once, and interruptions


def test_one_writes_and_the_others_are_told_so(at: LedgerAt, ledger: Ledger) -> None:
    assert at.is_locked()
    with pytest.raises(Busy), at.locked(0.05):
        pass
    with ledger.transaction(AT):
        write_run(ledger, [ONE])
        # On a disk that does not keep the lock, the ledger still keeps two writers apart.
        with pytest.raises(errors.LedgerInUse), at.opened() as other, other.transaction(AT):
            pass
        with at.opened() as reader:
            assert reader.runs() == []
        assert live(at) == set()
    assert live(at) == {ONE}


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        work()
        code = 0
    except StopRun as stop:
        code = int(stop.exit_code)
    finally:
        os._exit(code)


def test_of_many_at_once_each_inventory_is_declared_by_one(at: LedgerAt) -> None:
    def declare_what_is_new() -> None:
        with at.locked(30), at.opened() as ledger:
            new = sorted({ONE, TWO} - live(at))
            if new:
                run(ledger, *new)

    children = [_forked(declare_what_is_new) for _ in range(6)]
    assert {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children} == {0}
    with at.locked(30), at.opened() as ledger:
        assert [each.run_ref for each in ledger.runs()] == ["202610-01"]
        assert ledger.altered() == []


@pytest.mark.parametrize("moment", ["in the transaction", "at its end", "after it"])
def test_killed_it_has_all_of_a_run_or_nothing(at: LedgerAt, moment: str) -> None:
    def die(now: str) -> None:
        if now == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        with at.locked(), at.opened() as ledger:
            with ledger.transaction(AT):
                ledger.record_waiting("202610-01", "202610", [waits([THREE])])
                die("in the transaction")
                write_run(ledger, [ONE, TWO])
                die("at its end")
            die("after it")

    child = _forked(killed)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    recorded = moment == "after it"
    # A server may need a moment to see that its client is gone.
    with at.locked(30), at.opened() as ledger:
        assert ledger.altered() == []
        assert live(at) == ({ONE, TWO} if recorded else set())
        assert len(ledger.runs()) == recorded
        assert ledger.first_period == ("202609" if recorded else None)
        assert ledger.period_facts("202610", 0).undeclared == recorded
        run(ledger, THREE)
        assert live(at) >= {THREE}


def test_what_fails_within_a_transaction_leaves_nothing(at: LedgerAt, ledger: Ledger) -> None:
    run(ledger, ONE)
    before = says(ledger), ledger.last_event()
    with pytest.raises(errors.VoidedBefore), ledger.transaction(AT):  # noqa: PT012 - the last of them fails
        write_run(ledger, [TWO])
        ledger.void_run("202610-01", "")
        ledger.void_run("202610-01", "")
    assert (says(ledger), ledger.last_event()) == before
    assert live(at) == {ONE}
    assert ledger.altered() == []


# ------------------------------------------------------------------------------------------------------- what customs answers

HISTORIES: dict[str, tuple[Callable[[Ledger], set[str]], ...]] = {
    "accepted, then refused": (receipt("120", T[1]), receipt("3", T[2]), receipt("100", T[3]), receipt("120", T[3], 2)),
    "refused, and in a result": (receipt("100", T[1]), receipt("100", T[2], 2), result(T[3], ONE), receipt("4", T[4])),
    "refused in one part": (receipt("100", T[1]), receipt("120", T[2], 2), receipt("-621013", T[2])),
    "refused in both parts": (receipt("4", T[1]), receipt("100", T[2], 2), receipt("1", T[3]), receipt("2", T[4], 2)),
    "in results, then numbered": (result(T[1], ONE, TWO), result(T[2], ONE, declaration_no="5314"), receipt("120", T[3]), result(T[3], THREE)),
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_answers_end_the_same_in_every_order_and_any_number_of_times(
    kind: Kind, at: LedgerAt, tmp_path: Path, history: tuple[Callable[[Ledger], set[str]], ...]
) -> None:
    with at.locked(), at.opened() as ledger:
        run(ledger, ONE, TWO, THREE, parts=2)
    ends = []
    orders = list(permutations(history))
    # In PostgreSQL the statements are the same, and each ledger takes its time.
    for place, order in enumerate(orders if kind.name == "sqlite" else random.Random(1).sample(orders, min(tries(24), len(orders)))):
        folder = tmp_path / str(place)
        folder.mkdir()
        copy = kind.at(folder)
        with at.opened() as ledger:
            ledger.copy_to(copy)
        with copy.locked(), copy.opened() as ledger:
            held = set[str]()
            for answer in (*order, order[0]):
                with ledger.transaction(LATER):
                    held |= answer(ledger)
                    ledger.settle([1])
                assert held <= live(copy), "what customs has is never free"
            assert ledger.altered() == []
            found = says(ledger)
            ends.append(repr(found).replace(str(folder), ""))
    assert len(set(ends)) == 1


def test_a_result_says_how_far_what_a_run_holds_has_come(ledger: Ledger, at: LedgerAt) -> None:
    run(ledger, ONE, TWO)
    with ledger.transaction(LATER):
        result(T[1], ONE, THREE, declaration_no="5314")(ledger)
        assert ledger.runs_of_results(["R" * 18]) == {1}
        [change] = ledger.settle([1])
    assert (change.application_ref, change.state, change.is_new) == (APPLICATION, State.ACCEPTED, True)
    assert ledger.is_answered(1)
    known = ledger.results(["R" * 18])["R" * 18]
    assert (known.parts, known.lines, known.declaration_nos, known.fields["declaration_no"]) == ((1,), 2, ("5314",), "5314")
    assert [line["inventory_no"] for line in ledger.customs_lines(1).to_pylist()] == [ONE]
    assert [line["inventory_no"] for line in ledger.stray_lines().to_pylist()] == [THREE]
    assert (ledger.runs_holding("R" * 18), ledger.results_numbered("5314")) == (["202610-01"], ["R" * 18])
    assert ledger.declarations_begun(1) == ["202610-01-000001"]
    assert ledger.inventories_in_results({"5314", "x"}) == ledger.inventories_in_results({"R" * 18}) == {ONE, THREE}
    assert [(line["inventory_no"], line["declaration_no"]) for line in ledger.traced_lines([ONE, TWO]).to_pylist()] == [(ONE, "5314")]
    assert ledger.latest_runs([ONE, TWO, THREE]) == {ONE: 1, TWO: 1}
    assert at.known().of(pa.array([THREE]))[1].results == {THREE: "R" * 18}


def test_files_and_applications_are_found_by_what_they_were_sent_as(ledger: Ledger) -> None:
    run(ledger, ONE)
    assert ledger.applied()["COP-202610-01"].application_ref == APPLICATION
    assert ledger.consignors() == {CONSIGNOR}
    with ledger.transaction(AT):
        ledger.record_receipts([("1" * 64, "used.xml")])
        ledger.record_received("2" * 64, "received.xml")
    assert [ledger.was_received(each * 64) for each in "123"] == [False, True, False]


def test_cancelled_and_cleared_by_messages(ledger: Ledger, at: LedgerAt) -> None:
    run(ledger, ONE)
    with ledger.transaction(LATER):
        ledger.take_clearances([Clearance(ONE, "CEB606", "399", T[2]), Clearance(TWO, "CEB604", "899", "20261020100000000")])
        ledger.record_cancelled("202610-01", [ONE])
    facts = ledger.period_facts("202610", 9)
    assert (facts.cancelled, facts.cleared, facts.unseen, facts.unseen_examples) == (1, 1, 1, [TWO])
    declared, customs = at.known().of(pa.array([ONE, TWO]))
    assert declared[ONE].cancelled
    assert customs.undone[ONE].message == "CEB606"


def test_what_lies_within_spans_is_known_as_if_it_were_asked_for(at: LedgerAt, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.ledger.sql.query._AT_ONCE", 2)
    numbers = [f"{office}2026E{place:09d}" for office in ("2244", "5165") for place in range(1, 8)]
    run(ledger, *numbers[:4], numbers[9])
    file_orders(ledger, ORDER, OTHER)
    hear(ledger, (ORDER, OrderMessage.ORDER, "-301008", T[1]))
    with ledger.transaction(LATER):
        result(T[1], numbers[5], numbers[2])(ledger)
        ledger.take_clearances([Clearance(number, message, status, T[2]) for number in numbers[3:7:3] for message, status in (("CEB604", "100"), ("CEB606", "399"))])
        ledger.record_cancelled("202610-01", [numbers[3]])
    known = pickle.loads(pickle.dumps(at.known()))

    def within(*spans: tuple[str, str]) -> tuple[Any, ...]:
        declared, said = {}, []
        for some, customs in known.within(spans):
            assert len({*some, *customs.results, *customs.undone, *customs.refused}) <= 2
            declared |= some
            said.append(customs)
        return declared, *({key: value for each in said for key, value in each[place].items()} for place in (0, 1)), {one for each in said for one in each.refused}

    whole = known.of(pa.array([*numbers, ORDER, OTHER]))
    assert within((numbers[0], numbers[6]), (min(ORDER, OTHER), max(ORDER, OTHER)), (numbers[7], numbers[-1])) == (whole[0], *whole[1])
    assert (len(whole[0]), len(whole[1].results), len(whole[1].undone), whole[1].refused) == (7, 2, 2, {ORDER})
    assert set(within((numbers[1], numbers[2]), (numbers[4], numbers[6]))[0]) == {numbers[1], numbers[2]}
    assert within() == within((numbers[10], numbers[12])) == ({}, {}, {}, set())


ALLOWED = {"applied": ("accepted", "refused"), "accepted": ("merged", "refused"), "merged": ("entered",)}


@pytest.mark.parametrize("answers", list(product(("accepted", "refused", "merged", "entered"), repeat=3)), ids="-".join)
def test_a_person_enters_answers_in_the_order_in_which_customs_gives_them(ledger: Ledger, at: LedgerAt, answers: tuple[str, ...]) -> None:
    run(ledger, ONE, TWO)
    state = "applied"
    for answer in answers:
        before = says(ledger), ledger.last_event()
        if answer in ALLOWED.get(state, ()):
            with ledger.transaction(LATER):
                assert ledger.answer_application(APPLICATION, State(answer), "by hand") == 2
            state = answer
        else:
            with pytest.raises(errors.NoSuchAnswer), ledger.transaction(LATER):
                ledger.answer_application(APPLICATION, State(answer), "")
            assert (says(ledger), ledger.last_event()) == before
        assert ledger.known_of_applications(1)[0].state == state
        assert live(at) == ({ONE, TWO} if state in LIVE_STATES else set())
    assert ledger.altered() == []


# -------------------------------------------------------------------------------------------------- what is changed afterwards


def test_void_frees_and_its_number_is_not_used_again(ledger: Ledger, at: LedgerAt) -> None:
    run(ledger, ONE, TWO)
    with ledger.transaction(LATER):
        assert ledger.void_run("202610-01", "wrong receipts") == 2
    assert (live(at), ledger.not_held(1), ledger.runs()[0].live) == (set(), [ONE, TWO], False)
    assert [(each.fate, each.inventories) for each in ledger.period_facts("202610", 0).waiting] == [("voided", 2)]
    for wrong, run_ref in ((errors.VoidedBefore, "202610-01"), (errors.UnknownRun, "202610-09")):
        with pytest.raises(wrong), ledger.transaction(LATER):
            ledger.void_run(run_ref, "")
    assert run(ledger, ONE) == "202610-02"
    assert ledger.latest_runs([ONE, TWO]) == {ONE: 2}
    assert ledger.altered() == []


@pytest.mark.parametrize("answer", [receipt("1", T[1]), result(T[1], ONE)], ids=["a receipt", "a result"])
def test_a_run_that_customs_answered_is_not_voided(ledger: Ledger, at: LedgerAt, answer: Callable[[Ledger], set[str]]) -> None:
    run(ledger, ONE, TWO)
    with ledger.transaction(LATER):
        answer(ledger)
        ledger.settle([1])
    with pytest.raises(errors.RunAnswered), ledger.transaction(LATER):
        ledger.void_run("202610-01", "")
    assert live(at) == {ONE, TWO}


def test_only_what_waits_is_dismissed_and_what_is_seen_again_is_taken_up(ledger: Ledger) -> None:
    with ledger.transaction(AT):
        write_run(ledger, [ONE])
        ledger.record_waiting("202610-01", "202610", [waits([TWO])])
    with pytest.raises(errors.NotWaiting), ledger.transaction(LATER):
        ledger.dismiss([TWO, ONE], "not ours")
    assert ledger.period_facts("202610", 0).undeclared == 1
    with ledger.transaction(LATER):
        assert ledger.dismiss([TWO, TWO], "not ours") == 1
    assert ledger.period_facts("202610", 0).undeclared == 0
    with ledger.transaction(LATER):
        ledger.record_waiting("202610-02", "202610", [waits([TWO])])
    assert ledger.period_facts("202610", 0).undeclared == 1


def test_the_first_period_stands_once_anything_rests_on_it(ledger: Ledger) -> None:
    with ledger.transaction(AT):
        assert ledger.correct_first_period("202608", "") == ""
        assert ledger.correct_first_period("202610", "typing error") == "202608"
    assert ledger.first_period == "202610"
    run(ledger, ONE)
    assert ledger.first_period == "202610", "a run asks for one only where there is none"
    with pytest.raises(errors.FirstPeriodFixed), ledger.transaction(LATER):
        ledger.correct_first_period("202609", "")
    with ledger.transaction(LATER):
        assert ledger.correct_first_period("202610", "") == "202610"


def test_what_was_declared_elsewhere_is_imported_once(ledger: Ledger, at: LedgerAt) -> None:
    run(ledger, ONE)
    numbers = pa.table({"inventory_no": [ONE, TWO, THREE], "cleared_period": ["202610"] * 3})
    for expected in (("import-01", 2, 1), ("", 0, 3)):
        with ledger.transaction(LATER):
            found = ledger.import_declared("elsewhere.csv", "0" * 64, numbers)
        assert (found.run_ref, found.new, found.known) == expected
    assert at.known().of(pa.array([TWO]))[0][TWO].content is None
    with ledger.transaction(LATER):
        assert ledger.void_run("import-01", "") == 2
    assert live(at) == {ONE}
    assert ledger.altered() == []


# -------------------------------------------------------------------------------------------------------- backup and check


def test_a_backup_is_whole_and_tells_that_it_is_older(kind: Kind, ledger: Ledger, tmp_path: Path) -> None:
    run(ledger, ONE)
    then = ledger.last_event()
    (tmp_path / "backup").mkdir()
    backup = kind.at(tmp_path / "backup")
    ledger.copy_to(backup)
    run(ledger, TWO)
    with backup.opened() as copy:
        assert (copy.ledger_id, copy.last_event(), copy.altered()) == (ledger.ledger_id, then, [])
        assert not copy.holds_event(ledger.last_event())
    assert ledger.holds_event(then)
    assert live(backup) == {ONE}


def test_an_export_holds_every_row(ledger: Ledger) -> None:
    run(ledger, ONE, TWO)
    tables = {}
    for each in ledger.export():
        tables[each.name] = pa.concat_tables([each.schema.empty_table(), *each.rows])
    assert (tables["inventories"].num_rows, tables["events"].num_rows) == (ledger.size().inventories, ledger.size().events)
    assert tables["inventories"]["inventory_no"].to_pylist() == [ONE, TWO]
    run(ledger, THREE)


@pytest.mark.parametrize("how", [(kind, what) for kind in KINDS.values() for what in kind.tampering], ids=lambda how: f"{how[0].name}: {how[1]}")
def test_what_another_hand_changed_is_reported(how: tuple[Kind, str], tmp_path: Path) -> None:
    kind, what = how
    if kind is POSTGRES:
        server()
    at = kind.at(tmp_path)
    with at.locked(), at.opened(create=True, at=AT) as ledger, ledger.transaction(AT):
        write_run(ledger, [ONE, TWO])
        ledger.record_waiting("202610-01", "202610", [waits([THREE])])
    with at.opened() as ledger:
        ledger.refuse_altered()
    kind.change(at.place, kind.tampering[what])
    with at.opened() as ledger:
        assert ledger.altered() != []
        with pytest.raises(errors.LedgerAltered, match="changed by hand"):
            ledger.refuse_altered()


def test_errors_own_their_texts_and_travel_between_processes() -> None:
    for stop in (errors.NoLedger(Path("x")), errors.LockHeld(Path("x"), 1.5), errors.RunAnswered("202610-01", {"A": "accepted"})):
        again = pickle.loads(pickle.dumps(stop))
        assert (type(again), again.text, str(again)) == (type(stop), stop.text, str(stop))
    assert issubclass(errors.LedgerAltered, WrongConfiguration)


# --------------------------------------------------------------------------------------------------------------------- orders


ORDER, OTHER = "4403960P01/B-1", "4403960P01/B/2"


def file_orders(ledger: Ledger, *orders: str, released: Sequence[str] = ()) -> Run:
    with ledger.transaction(AT):
        run_ref = write_run(ledger, orders, mode="9710", released=released)
    return next(run for run in ledger.runs() if run.run_ref == run_ref)


def hear(ledger: Ledger, *said: tuple[str, str, str, str]) -> None:
    with ledger.transaction(AT):
        ledger.take_clearances([Clearance(order, message, status, at) for order, message, status, at in said])


def test_a_run_is_of_its_mode(ledger: Ledger) -> None:
    run(ledger, ONE)
    assert file_orders(ledger, ORDER).mode == "9710"
    assert [each.mode for each in ledger.runs()] == ["9610", "9710"]
    assert ledger.altered() == []


def test_orders_stand_where_customs_last_said(ledger: Ledger) -> None:
    filed = file_orders(ledger, ORDER, OTHER)
    assert ledger.order_standings(filed) == [("", "", "", 2)]
    said = [
        (ORDER, OrderMessage.ORDER, "120", T[2]), (ORDER, OrderMessage.ORDER, "100", T[1]), (OTHER, OrderMessage.LIST, "899", T[3]),
        (OTHER, OrderMessage.HELD, "-301010", T[4]), (OTHER, OrderMessage.UNDERWAY, "500", T[5]), (OTHER, OrderMessage.NUMBER, "22442026E000000077", T[3]),
    ]  # fmt: skip
    for two in permutations(said, 2):
        hear(ledger, *two)
    hear(ledger, *said)
    assert sorted(ledger.order_standings(filed)) == [("", "899", "-301010", 1), ("120", "", "", 1)]
    assert (ledger.list_numbers([ORDER, OTHER]), ledger.listed_orders({"22442026E000000077", "x"})) == ({OTHER: "22442026E000000077"}, {OTHER})
    assert ledger.altered() == []


def test_what_is_said_of_orders_is_said_of_no_inventory(ledger: Ledger) -> None:
    run(ledger, ONE)
    before = ledger.period_facts("202610", 9), ledger.periods()
    file_orders(ledger, ORDER)
    hear(ledger, (ORDER, OrderMessage.LIST, "899", T[1]), (ORDER, OrderMessage.ORDER, "100", T[1]))
    after = ledger.period_facts("202610", 9)
    assert (after.cleared, after.unseen, after.cancelled, after.undeclared) == (0, 0, 0, 0)
    assert ledger.periods() == before[1]


def test_a_refused_order_is_released_to_the_run_that_files_it_anew(at: LedgerAt, ledger: Ledger) -> None:
    first = file_orders(ledger, ORDER, OTHER)
    hear(ledger, (ORDER, OrderMessage.ORDER, "-301008", T[1]), (OTHER, OrderMessage.ORDER, "120", T[1]))
    assert at.known().of(pa.array([ORDER, OTHER, ONE]))[1].refused == {ORDER}
    second = file_orders(ledger, ORDER, released=[ORDER])
    assert (ledger.order_standings(first), ledger.order_standings(second)) == ([("120", "", "", 1)], [("", "", "", 1)])
    assert at.known().of(pa.array([ORDER, OTHER]))[1].refused == frozenset()
    with pytest.raises(errors.DeclaredTwice):
        file_orders(ledger, ORDER)
    assert ledger.altered() == []
    hear(ledger, (ORDER, OrderMessage.ORDER, "120", T[2]))
    assert ledger.order_standings(second) == [("120", "", "", 1)]
    with ledger.transaction(AT), pytest.raises(errors.RunAnswered):
        ledger.void_run(second.run_ref, "")


def test_what_was_filed_anew_and_taken_back_is_as_it_was(at: LedgerAt, ledger: Ledger) -> None:
    first = file_orders(ledger, ORDER)
    hear(ledger, (ORDER, OrderMessage.ORDER, "100", T[1]))
    second = file_orders(ledger, ORDER, released=[ORDER])
    with ledger.transaction(LATER):
        ledger.void_run(second.run_ref, "")
    assert (ledger.order_standings(first), at.known().of(pa.array([ORDER]))[1].refused) == ([("100", "", "", 1)], {ORDER})
    assert ledger.altered() == []
