"""Object storage that refuses, is slow or breaks off, and runs that are killed at any step: nothing is published by half, nothing lost."""


from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from aggregator.jobs.ledger import void
from aggregator.jobs.run import run
from aggregator.model.errors import CannotCreate, CannotReadOrWrite, NoInput, StopRun, WrongConfiguration
from aggregator.model.outcome import Outcome
from aggregator.model.remote import S3Path, any_path_of
from tests.buckets import (
    ACCESS_KEY,
    BUCKET,
    LEDGER,
    OUT,
    RUN,
    SECRET_KEY,
    Request,
    Storage,
    always,
    cut,
    environment,
    refused,
    slow,
    times,
)
from tests.conftest import NOW, csv_text, parameters, row

ROOT = Path(__file__).parents[2]

def _run(tmp_path: Path, *inputs: Path | S3Path, **changes: Any) -> Outcome:
    changes = {"ledger": tmp_path / LEDGER, "out": OUT, **changes}
    return run(parameters(*inputs, **changes).for_run(NOW.date()), NOW)  # type: ignore[arg-type]


def _sound(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(csv_text([row(), row(item_no="2"), row(inventory_no="22442026E000000002", item_no="1", gross_weight_kg="x")]), encoding="utf-8")
    return path


def _command(storage: Storage, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment(storage.server, **changes), "LC_ALL": "C.UTF-8"}
    return subprocess.run([sys.executable, "-m", "aggregator", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "code"),
    [(["--out", OUT, "--ledger", f"s3://{BUCKET}/l.sqlite"], 2), (["--out", OUT], 78), (["--out", "out", "--tariff", f"s3://{BUCKET}/t.csv"], 2)],
)
def test_the_command_says_what_cannot_be_in_object_storage(storage: Storage, words: list[object], code: int) -> None:
    ended = _command(storage, "run", f"s3://{BUCKET}/e.csv", "--period", "2026-10", *map(str, words))
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ("--ledger postgresql://" in ended.stderr) == ("--tariff" not in words)


# ------------------------------------------------------------------------------------------------------------------- refusals


def _nothing_came_of_it(storage: Storage, tmp_path: Path) -> None:
    """And the next run goes as if nothing had been."""
    storage.server.reset()
    assert not any(key.endswith("manifest.json") and ".stage-" not in key for key in storage.objects())
    assert _run(tmp_path, _sound(tmp_path)).published
    assert not any(".stage-" in key for key in storage.objects())
    assert storage.checked(tmp_path).problems == []


def _writes_objects(request: Request) -> bool:
    return request.method == "PUT" and request.key.startswith(RUN)


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "stop", "says"),
    [
        (refused("AccessDenied", 403), CannotReadOrWrite, "no right to"),
        (refused("InvalidAccessKeyId", 403), WrongConfiguration, "AWS_ACCESS_KEY_ID"),
        (refused("SignatureDoesNotMatch", 403), WrongConfiguration, "AWS_SECRET_ACCESS_KEY"),
        (refused("ExpiredToken", 400), WrongConfiguration, "AWS_SESSION_TOKEN"),
        (refused("IllegalLocationConstraintException", 400), WrongConfiguration, "AWS_REGION"),
        (refused("SlowDown", 503), CannotReadOrWrite, "overloaded"),
        (cut, CannotReadOrWrite, "lost"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["input", "all of results", "objects"])
def test_refusals_are_clear_and_nothing_comes_of_them(
    storage: Storage, tmp_path: Path, fault: Any, stop: type[StopRun], says: str, where: str
) -> None:
    url = any_path_of(storage.put("e/export.csv", _sound(tmp_path).read_bytes()))
    which: dict[str, Callable[[Request], bool]] = {
        "input": lambda request: request.key.startswith("e/"), "all of results": lambda request: not request.key.startswith("e/"), "objects": _writes_objects,
    }  # fmt: skip
    storage.server.choose = always(fault, which[where])
    with pytest.raises((StopRun, OSError)) as stopped:
        _run(tmp_path, url)
    if isinstance(stopped.value, StopRun):
        assert isinstance(stopped.value, stop)
        said = stopped.value.text.en + stopped.value.text.zh
    else:
        assert stop is CannotReadOrWrite, "what the disk does not do either ends in 74"
        said = f"{stopped.value.filename} {stopped.value.strerror}"
    assert says in said
    assert "s3://customs" in said
    assert SECRET_KEY not in said
    assert ACCESS_KEY not in said
    _nothing_came_of_it(storage, tmp_path)


def test_no_such_bucket(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="no such bucket"):
        _run(tmp_path, S3Path("elsewhere", "export.csv"))
    with pytest.raises(CannotCreate, match="no such bucket"):
        _run(tmp_path, _sound(tmp_path), out=S3Path("elsewhere", "results"))
    with pytest.raises(NoInput, match="no such object"):
        _run(tmp_path, S3Path(BUCKET, "export.csv"))
    assert not (tmp_path / LEDGER).exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 74, "cannot be reached"),
        ({"AWS_ENDPOINT_URL": f"http://{SECRET_KEY.replace('/', '')}@"}, 78, "AWS_ENDPOINT_URL"),
        ({"AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "wrong"}, 78, "InvalidAccessKeyId"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 78, "there are none"),
    ],
)  # fmt: skip
def test_the_command_ends_with_the_right_code(storage: Storage, changes: dict[str, str], code: int, says: str) -> None:
    ended = _command(storage, "check", f"s3://{BUCKET}/export.csv", AWS_MAX_ATTEMPTS="1", **changes)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not any(len(value) > 10 and value in ended.stderr for name, value in changes.items() if "KEY" in name)
    assert SECRET_KEY.replace("/", "") not in ended.stderr


@pytest.mark.long
def test_an_answer_that_does_not_come_is_not_waited_for_without_end(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.places import client

    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client.client.cache_clear()
    storage.server.choose = always(slow(3), _writes_objects)
    with pytest.raises(OSError, match="no answer"):
        _run(tmp_path, _sound(tmp_path))
    client.client.cache_clear()
    monkeypatch.undo()


# --------------------------------------------------------------------------------------------------------- what is overcome


@pytest.mark.long
@pytest.mark.parametrize("fault", [refused("SlowDown", 503), refused("InternalError", 500), cut])
def test_what_passes_is_overcome(storage: Storage, tmp_path: Path, fault: Any) -> None:
    url = any_path_of(storage.put("e/export.csv", _sound(tmp_path).read_bytes()))
    met = set[tuple[str, str]]()

    def once_each(request: Request) -> Any:
        """Every request is refused the first time it comes."""
        if (told := (request.method, f"{request.path}?{sorted(request.query.items())}")) in met:
            return None
        met.add(told)
        return fault

    storage.server.choose = once_each
    assert _run(tmp_path, url).published
    storage.server.reset()
    assert storage.checked(tmp_path).problems == []


def test_a_download_that_breaks_off_goes_on_where_it_was(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.response import StreamingBody
    from urllib3.exceptions import ProtocolError

    from aggregator.places import objects

    monkeypatch.setattr(objects, "_PIECE", 64)
    whole, counts = StreamingBody.read, [0]

    def breaks(body: StreamingBody, amount: int | None = None) -> bytes:
        counts[0] += 1
        if counts[0] % 5 == 0:
            raise ProtocolError("broken")
        return bytes(whole(body, amount))

    data = os.urandom(3000)
    url = any_path_of(storage.put("x", data))
    monkeypatch.setattr(StreamingBody, "read", breaks)
    assert isinstance(url, S3Path)
    assert b"".join(objects.pieces_of(url)) == data


def test_an_object_that_changes_while_it_is_read_is_not_mixed(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.response import StreamingBody
    from urllib3.exceptions import ProtocolError

    from aggregator.places import objects

    monkeypatch.setattr(objects, "_PIECE", 64)
    url = any_path_of(storage.put("x", b"a" * 1000))
    assert isinstance(url, S3Path)
    pieces = objects.pieces_of(url)
    next(pieces)
    storage.put("x", b"b" * 1000)
    monkeypatch.setattr(StreamingBody, "read", lambda *_: (_ for _ in ()).throw(ProtocolError("broken")))
    with pytest.raises(OSError, match="changed"):
        list(pieces)


def test_a_large_file_goes_in_parts_and_leaves_none_behind(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.places import objects

    monkeypatch.setattr(objects, "PART_BYTES", 5 << 20)
    file, target = tmp_path / "large", S3Path(BUCKET, "large")
    file.write_bytes(data := os.urandom(11 << 20))
    storage.server.choose = times(1, refused("InternalError", 500), lambda request: request.query.get("partNumber") == "2")
    objects.put_file(target, file)
    assert storage.objects() == {"large": data}
    storage.server.choose = always(refused("AccessDenied", 403), lambda request: request.query.get("partNumber") == "3")
    with pytest.raises(PermissionError):
        objects.put_file(S3Path(BUCKET, "other"), file)
    storage.server.reset()
    assert list(storage.objects()) == ["large"]
    assert "Uploads" not in storage.client.list_multipart_uploads(Bucket=BUCKET)


def test_lists_that_lag_hide_nothing(storage: Storage, tmp_path: Path) -> None:
    """A run is cut before its transaction, and what lists show then is of before: nothing of it gets into the next one."""
    many = tmp_path / "export.csv"
    many.write_text(csv_text([row(), row(inventory_no="22442026E000000002", gross_weight_kg="x")]), encoding="utf-8")
    storage.server.choose = always(refused("AccessDenied", 403), lambda request: request.method == "DELETE" or request.key == f"{RUN}report.html")
    with pytest.raises(OSError, match="no right"):
        _run(tmp_path, many)
    storage.server.reset()
    assert any("rejected/" in key for key in storage.objects())

    def empty(environ: Any, start: Any) -> list[bytes]:
        text = b"<?xml version='1.0'?><ListBucketResult><Name>customs</Name><IsTruncated>false</IsTruncated></ListBucketResult>"
        start("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
        return [text]

    storage.server.choose = always(empty, lambda request: request.lists)
    sound = tmp_path / "sound.csv"
    sound.write_text(csv_text([row()]), encoding="utf-8")
    assert _run(tmp_path, sound).published
    storage.server.reset()
    assert not any("rejected/" in key or ".stage-" in key for key in storage.objects())
    assert storage.checked(tmp_path).problems == []


# ------------------------------------------------------------------------------------------------------------------ cut off


def _child(environment: dict[str, str], export: str, ledger: str) -> None:
    from aggregator.places import client

    # The server of forks may be older than this test, and have another bucket in its environment.
    os.environ.update(environment)
    client.client.cache_clear()
    try:
        run(parameters(Path(export), out=OUT, ledger=Path(ledger)).for_run(NOW.date()), NOW)  # type: ignore[arg-type]
    except BaseException:
        os._exit(3)
    os._exit(0)


def _killed_at(storage: Storage, tmp_path: Path, number: int, *, answered: bool) -> bool:
    """Run in a process that is killed at its so many-th write: before the server hears of it, or before the answer comes. Whether it came to that."""
    child = multiprocessing.get_context("forkserver").Process(target=_child, args=(dict(os.environ), str(_sound(tmp_path)), str(tmp_path / LEDGER)))
    count = [0]

    def kill(request: Request) -> Any:
        if request.writes:
            count[0] += 1
            if count[0] == number:
                os.kill(child.pid or 0, signal.SIGKILL)
                return None if answered else cut
        return None

    if answered:
        storage.server.after = kill
    else:
        storage.server.choose = kill
    child.start()
    child.join(60)
    storage.server.reset()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _recorded(tmp_path: Path) -> int:
    from aggregator.ledger.at import ledger_at

    place = ledger_at(tmp_path / LEDGER)
    if not place.exists():
        return 0
    with place.opened() as ledger:
        return len(ledger.runs())


def _holds_after_a_cut(storage: Storage, tmp_path: Path, number: int, *, answered: bool, by_check: bool) -> bool:
    if not _killed_at(storage, tmp_path, number, answered=answered):
        return False
    recorded, objects = _recorded(tmp_path), storage.objects()
    published = f"{RUN}manifest.json" in objects
    assert not published or recorded, "nobody may take for a run what is not recorded"
    if by_check and recorded:
        checked = storage.checked(tmp_path)
        assert checked.problems == []
        assert checked.finished != [] or published
        assert f"{RUN}manifest.json" in storage.objects()
    outcome = _run(tmp_path, _sound(tmp_path))
    assert outcome.published != bool(recorded), "what is recorded is finished, and not declared again"
    after = storage.objects()
    manifest = json.loads(after[f"{RUN}manifest.json"])
    assert set(after) == {f"{RUN}{name}" for name in (*manifest["outputs"], "manifest.json")} | {f"{OUT.key}/ledger.head"}
    assert storage.checked(tmp_path).problems == []
    return True


_FIRST, _MANIFEST_HELD, _MANIFEST = 1, 2, 12
multiprocessing.set_forkserver_preload(["tests.conftest", "aggregator.jobs.run", "aggregator.places.objects"])


@pytest.mark.parametrize(("number", "answered"), [(_MANIFEST_HELD, True), (_MANIFEST, False)])
def test_a_run_that_is_killed_is_finished_or_leaves_nothing(storage: Storage, tmp_path: Path, number: int, answered: bool) -> None:
    assert _holds_after_a_cut(storage, tmp_path, number, answered=answered, by_check=answered)


@pytest.mark.long
@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("by_check", [False, True])
def test_a_run_that_is_killed_at_any_write(storage: Storage, tmp_path: Path, answered: bool, by_check: bool) -> None:
    number = _FIRST
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        storage.empty()
        if not _holds_after_a_cut(storage, folder, number, answered=answered, by_check=by_check):
            break
        number += 1
    assert number > 10


def _void_child(environment: dict[str, str], ledger: str, now: datetime) -> None:
    os.environ.update(environment)
    void(Path(ledger), "202610-01", "wrong", now, 0, OUT)
    os._exit(0)


@pytest.mark.long
@pytest.mark.parametrize("answered", [False, True])
def test_voiding_that_is_killed_is_finished(storage: Storage, tmp_path: Path, answered: bool) -> None:
    number, cuts = 1, 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        storage.empty()
        _run(folder, _sound(folder))
        before = storage.objects(RUN)
        child = multiprocessing.get_context("forkserver").Process(target=_void_child, args=(dict(os.environ), str(folder / LEDGER), NOW))
        count = [0]

        def kill(request: Request, count: list[int] = count, child: Any = child, number: int = number) -> Any:
            count[0] += request.writes
            if request.writes and count[0] == number:
                os.kill(child.pid, signal.SIGKILL)
                return None if answered else cut
            return None

        setattr(storage.server, "after" if answered else "choose", kill)
        child.start()
        child.join(60)
        storage.server.reset()
        if child.exitcode == 0:
            break
        cuts += 1
        assert storage.checked(folder).problems == []
        assert storage.objects(RUN) == {}
        assert storage.objects(RUN.replace("-01/", "-01.void/")) == {key.replace("-01/", "-01.void/"): data for key, data in before.items()}
        number += 1
    assert cuts > 10
