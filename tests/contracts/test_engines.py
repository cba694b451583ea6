"""What every engine promises: order, storage that all workers see, values shared once, and that its failures are ours to tell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aggregator.engines.engine import Engine, ShardKind, Shared, Storage
from aggregator.engines.files import FileStorage
from aggregator.engines.local import local_engine
from aggregator.engines.spark.engine import spark_engine
from aggregator.model.errors import CannotReadOrWrite, OurFault, UnusableInput
from tests.spark import SETTINGS
from tests.spark import spark as spark

KIND = ShardKind("numbers", pa.schema([("number", pa.int64())]), pa.schema([("name", pa.string())]))
Opened = Callable[[], AbstractContextManager[Engine]]


def _local(folder: Path, workers: int) -> Opened:
    @contextmanager
    def opened() -> Iterator[Engine]:
        with local_engine(folder, workers, 10, "aggregator.engines.engine") as engine:
            yield engine

    return opened


def _spark(folder: Path) -> Opened:
    @contextmanager
    def opened() -> Iterator[Engine]:
        with spark_engine(folder, SETTINGS, []) as engine:
            yield engine

    return opened


@pytest.fixture(params=["in-process", "workers", pytest.param("spark", marks=pytest.mark.spark)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "spark":
        request.getfixturevalue("spark")
        return _spark(tmp_path)
    return _local(tmp_path, 1 if request.param == "in-process" else 2)


def square(number: int) -> int:
    return number * number


def test_results_come_in_the_order_of_the_tasks(opened: Opened) -> None:
    with opened() as engine:
        assert list(engine.map(square, ((number,) for number in range(50)))) == [number * number for number in range(50)]
        assert list(engine.map(square, [])) == []


def leave(storage: Storage, number: int) -> None:
    storage.write(KIND.of(f"u{number}"), pa.table({"number": pa.array([number, number + 1])}))
    storage.save(f"array-{number}", np.arange(number))
    storage.write_bytes(f"bytes-{number}", bytes([number]))


def total(storage: Storage, count: int) -> int:
    tables = [storage.read(KIND.of(f"u{number}")) for number in range(count)]
    arrays = sum(int(storage.load(f"array-{number}").sum()) for number in range(count))
    return sum(sum(table["number"].to_pylist()) for table in tables) + arrays + sum(storage.read_bytes(f"bytes-{n}")[0] for n in range(count))


@pytest.mark.parametrize(
    "values",
    [np.arange(5, dtype=np.uint32), np.array([True, False]), np.array(["a", "夏季", ""]), np.arange(20)[::3], np.zeros(0, dtype=np.uint64), np.array([], dtype=str)],
    ids=["numbers", "truths", "texts", "every third", "none", "no text"],
)
def test_arrays_are_found_as_they_were_left(values: np.ndarray[Any, Any], tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.save("array", values)
    found = storage.load("array")
    assert found.dtype == values.dtype
    assert found.tolist() == values.tolist()


def test_what_one_task_leaves_another_finds(opened: Opened) -> None:
    with opened() as engine:
        list(engine.map(leave, ((engine.storage, number) for number in range(5))))
        expected = sum(number + number + 1 + sum(range(number)) + number for number in range(5))
        assert list(engine.map(total, [(engine.storage, 5)] * 3)) == [expected] * 3
        assert total(engine.storage, 5) == expected


def cut(storage: Storage, number: int) -> None:
    rows = np.arange(number * 10, number * 10 + 10)
    names = pa.array([f"n{row % 3}" for row in rows]).dictionary_encode()
    storage.write_parts(KIND.of(f"cut{number}"), pa.table({"number": pa.array(rows), "name": names}), rows % 4, 4)


def test_a_shuffle_gives_every_row_to_its_part_in_order(opened: Opened) -> None:
    with opened() as engine:
        list(engine.map(cut, ((engine.storage, number) for number in range(3))))
        for part in range(4):
            table = engine.storage.read_part([KIND.of(f"cut{number}") for number in range(3)], part)
            wanted = [row for row in range(30) if row % 4 == part]
            assert table["number"].to_pylist() == wanted
            assert table["name"].to_pylist() == [f"n{row % 3}" for row in wanted]


def test_an_empty_part_and_a_missing_column_are_no_exception(opened: Opened) -> None:
    with opened() as engine:
        engine.storage.write_parts(KIND.of("a"), pa.table({"number": pa.array([1])}), np.array([0]), 2)
        engine.storage.write_parts(KIND.of("b"), pa.table({"number": pa.array([2]), "name": ["x"]}), np.array([0]), 2)
        whole = engine.storage.read_part([KIND.of("a"), KIND.of("b")], 0)
        assert whole.to_pylist() == [{"number": 1, "name": None}, {"number": 2, "name": "x"}]
        assert engine.storage.read_part([KIND.of("a"), KIND.of("b")], 1).num_rows == 0


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"name": ["x"]}),
        pa.table({"number": ["1"]}),
        pa.table({"number": [1], "other": [2]}),
        pa.table({"number": pa.array([1.5])}),
    ],
)
def test_a_shard_that_breaks_its_schema_is_our_fault(opened: Opened, table: pa.Table) -> None:
    with opened() as engine:
        with pytest.raises(OurFault, match="numbers"):
            engine.storage.write(KIND.of("wrong"), table)
        with pytest.raises(OurFault, match="numbers"):
            engine.storage.write_parts(KIND.of("wrong"), table, np.zeros(table.num_rows, dtype=np.int64), 1)


def identity_of(shared: Shared[dict[str, int]], key: str) -> tuple[int, int, int]:
    return os.getpid(), id(shared.value), shared.value[key]


def test_a_shared_value_reaches_each_worker_once(opened: Opened) -> None:
    with opened() as engine:
        shared = engine.share({"a": 1})
        found = list(engine.map(identity_of, ((shared, "a") for _ in range(20))))
        assert {value for _, _, value in found} == {1}
        assert len({(process, place) for process, place, _ in found}) == len({process for process, _, _ in found})
        assert engine.share({"a": 2}).value == {"a": 2}


def mark(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def test_meanwhile_gives_all_results_and_the_job_is_done(opened: Opened) -> None:
    with opened() as engine:
        made, done = engine.meanwhile(lambda: list(engine.map(square, ((number,) for number in range(20)))), lambda: "job")
    assert made == [number * number for number in range(20)]
    assert done == "job"


def test_both_may_give_out_tasks(opened: Opened) -> None:
    def squares(begin: int) -> list[int]:
        return list(engine.map(square, ((number,) for number in range(begin, begin + 50))))

    with opened() as engine:
        made, done = engine.meanwhile(partial(squares, 0), partial(squares, 50))
        values = engine.meanwhile(lambda: [engine.share(number).value for number in range(20)], lambda: [engine.share(-number).value for number in range(20)])
    assert made == [number * number for number in range(50)]
    assert done == [number * number for number in range(50, 100)]
    assert values == (list(range(20)), [-number for number in range(20)])


def test_others_work_for_as_long_as_the_job_takes(tmp_path: Path) -> None:
    """Also for more tasks than are given out ahead."""
    (tmp_path / "marks").mkdir()

    def wait_for_the_last() -> None:
        end = time.monotonic() + 60
        while not (tmp_path / "marks" / "99").exists():
            assert time.monotonic() < end, "nobody gave the tasks out"
            time.sleep(0.01)

    with _local(tmp_path, 2)() as engine:
        found, _ = engine.meanwhile(lambda: list(engine.map(mark, ((tmp_path / "marks", number) for number in range(100)))), wait_for_the_last)
    assert found == list(range(100))


def test_where_the_job_fails_no_more_is_made(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()

    def fail() -> None:
        raise UnusableInput("the job", "任务")

    with pytest.raises(UnusableInput, match="the job"), opened() as engine:
        engine.meanwhile(lambda: list(engine.map(slowly, ((tmp_path / "marks", number) for number in range(2000)))), fail)
    assert len(list((tmp_path / "marks").iterdir())) < 2000


def slowly(folder: Path, number: int) -> int:
    time.sleep(0.002)
    return mark(folder, number)


def test_where_what_is_made_fails_the_job_is_done_and_it_is_told(opened: Opened) -> None:
    done: list[str] = []
    with pytest.raises(UnusableInput, match="row 3"), opened() as engine:
        engine.meanwhile(lambda: list(engine.map(stop, ((number,) for number in range(10)))), lambda: done.append("job"))
    assert done == ["job"]


def stop(number: int) -> None:
    if number == 3:
        raise UnusableInput(f"row {number}", f"第 {number} 行")


def test_a_stop_in_a_task_arrives_with_both_its_texts(opened: Opened) -> None:
    with pytest.raises(UnusableInput) as caught, opened() as engine:
        list(engine.map(stop, ((number,) for number in range(6))))
    assert (caught.value.text.en, caught.value.text.zh) == ("row 3", "第 3 行")


def die(number: int) -> None:
    os._exit(9)


def test_a_worker_that_is_killed_ends_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotReadOrWrite, match="killed"), _local(tmp_path, 2)() as engine:
        list(engine.map(die, [(1,), (2,)]))
