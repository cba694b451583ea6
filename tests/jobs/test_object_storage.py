"""Exports and results in object storage: the same bytes as on a disk, published by the manifest, whatever the network does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator.jobs.doctor import examine
from aggregator.jobs.ledger import void
from aggregator.jobs.receive import receive
from aggregator.jobs.run import run
from aggregator.jobs.status import status
from aggregator.jobs.trace import trace
from aggregator.model.errors import CannotCreate, StopRun, WrongConfiguration, WrongUsage
from aggregator.model.outcome import Outcome
from aggregator.model.remote import S3Path, any_path_of
from tests.buckets import ACCESS_KEY, BUCKET, LEDGER, OUT, RUN, SECRET_KEY, Storage, always, refused
from tests.conftest import NOW, SOUND, csv_text, parameters, row
from tests.customs import SimulatedCustoms, receipts, results
from tests.outputs.test_applications import CUSTOMS

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "sample_data/exports"


def _run(tmp_path: Path, *inputs: Path | S3Path, **changes: Any) -> Outcome:
    changes = {"ledger": tmp_path / LEDGER, "out": OUT, **changes}
    return run(parameters(*inputs, **changes).for_run(NOW.date()), NOW)  # type: ignore[arg-type]


def _sound(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(csv_text([row(), row(item_no="2"), row(inventory_no="22442026E000000002", item_no="1", gross_weight_kg="x")]), encoding="utf-8")
    return path


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ------------------------------------------------------------------------------------------------------------ the same bytes


def test_the_golden_month_has_the_same_bytes_as_on_a_disk(storage: Storage, tmp_path: Path) -> None:
    inputs, receipts = (EXPORTS / "shop-a-gb18030.csv", EXPORTS / "shop-b.csv"), EXPORTS / "receipts.csv"
    stored = [any_path_of(storage.put(f"exports/{path.name}", path.read_bytes())) for path in (*inputs, receipts)]
    local = _run(tmp_path, *inputs, receipts=(receipts,), out=tmp_path / "out", ledger=tmp_path / "local.sqlite")
    outcome = _run(tmp_path, *stored[:2], receipts=(stored[2],))
    assert (outcome.folder, outcome.published) == (f"{OUT}/2026-10/202610-01", True)
    there = {key.removeprefix(RUN): data for key, data in storage.objects(RUN).items()}
    here = _files(Path(local.folder))
    assert there.keys() == here.keys()
    as_local = {name: data.replace(b"s3://customs/exports/", f"{EXPORTS}/".encode()) for name, data in there.items()}
    differing = {name for name in here if as_local[name] != here[name]}
    assert differing <= {"manifest.json", "audit_map.parquet", "report.html"}, "those hold the names of inputs and ledgers, packed"
    manifest = json.loads(there["manifest.json"])
    assert [each["file"] for each in manifest["inputs"]] == [str(each) for each in stored[:2]]
    assert [each["sha256"] for each in manifest["inputs"]] == [each["sha256"] for each in json.loads(here["manifest.json"])["inputs"]]
    assert manifest["parameters"]["out"] == str(OUT)
    assert SECRET_KEY.encode() not in b"".join(there.values())
    assert ACCESS_KEY.encode() not in b"".join(there.values())
    assert storage.checked(tmp_path).problems == []


def test_local_inputs_make_every_byte_the_same(storage: Storage, tmp_path: Path) -> None:
    path = _sound(tmp_path)
    local = _run(tmp_path, path, out=tmp_path / "out", ledger=tmp_path / "local.sqlite")
    _run(tmp_path, path)
    there = {key.removeprefix(RUN): data for key, data in storage.objects(RUN).items()}
    here = _files(Path(local.folder))
    assert there.pop("manifest.json") != here.pop("manifest.json"), "it names another ledger and place"
    assert there == here


@pytest.mark.parametrize(
    ("argument", "files"),
    [
        (f"s3://{BUCKET}/e", ["e/a.csv", "e/b.csv"]),
        (f"s3://{BUCKET}/e/", ["e/a.csv", "e/b.csv"]),
        (f"s3://{BUCKET}/e/a.csv", ["e/a.csv"]),
        (f"s3://{BUCKET}/e/*.csv", ["e/a.csv", "e/b.csv"]),
        (f"s3://{BUCKET}/*/[b]*", ["e/b.csv"]),
        (f"s3://{BUCKET}/e/deeper/*", ["e/deeper/c.csv"]),
        ("@LIST", ["e/b.csv", "e/a.csv"]),
    ],
)  # fmt: skip
def test_what_an_argument_means(storage: Storage, tmp_path: Path, argument: str, files: list[str]) -> None:
    for number, name in enumerate(["e/a.csv", "e/b.csv", "e/deeper/c.csv", "e/notes.md", "e/.hidden.csv", "elsewhere.csv"], 1):
        storage.put(name, csv_text([row(inventory_no=f"22442026E00000000{number}", order_no=f"D{number}", waybill_no=f"W{number}")]).encode())
    storage.put("e/", b"")
    listed = tmp_path / "files.txt"
    listed.write_text(f"s3://{BUCKET}/e/b.csv\n# not this\ns3://{BUCKET}/e/a.csv\n", encoding="utf-8")
    path = Path(f"@{listed}") if argument == "@LIST" else any_path_of(argument)
    _run(tmp_path, path)
    manifest = json.loads(storage.objects(RUN)[f"{RUN}manifest.json"])
    assert [each["file"] for each in manifest["inputs"]] == [f"s3://{BUCKET}/{name}" for name in files]


def test_an_archive_is_unpacked_and_named_by_its_url(storage: Storage, tmp_path: Path) -> None:
    import gzip

    url = storage.put("e/export.csv.gz", gzip.compress(csv_text([row()]).encode()))
    _run(tmp_path, any_path_of(url))
    [file] = json.loads(storage.objects(RUN)[f"{RUN}manifest.json"])["inputs"]
    assert (file["file"], file["packed_in"]) == (url.removesuffix(".gz"), url)


def test_more_than_the_limit_is_not_taken(storage: Storage, tmp_path: Path) -> None:
    url = storage.put("e/export.csv", b"x" * (2 << 20))
    with pytest.raises(StopRun, match=f"{url}: more than 1 MiB"):
        _run(tmp_path, any_path_of(url), spool_limit=1)


# -------------------------------------------------------------------------------------------------------- the other commands


def test_other_commands_find_the_run(storage: Storage, tmp_path: Path) -> None:
    path = _sound(tmp_path)
    _run(tmp_path, path)
    place, options = tmp_path / LEDGER, parameters(out=OUT, ledger=tmp_path / LEDGER)  # type: ignore[arg-type]
    [lines] = trace(place, {SOUND["inventory_no"]})
    assert lines["declaration_ref"].to_pylist() == ["202610-01-000001"] * 2
    assert status(options.for_status(3), NOW.date()).troubles == []
    assert [check.name.en for check in examine(options.for_doctor(), NOW.date()) if not check.well] == []
    changed = tmp_path / "changed.csv"
    changed.write_text(csv_text([row(), row(item_no="2", total_price="12.00", unit_price="6.00")]), encoding="utf-8")
    outcome = _run(tmp_path, changed)
    findings = storage.objects(f"{RUN.replace('-01/', '-02/')}findings.csv").popitem()[1].decode("utf-8-sig")
    assert "10.00000 → 12.00000 @ 202610-01-000001" in findings, "the audit map of then is read in the bucket"
    assert outcome.run_ref == "202610-02"
    faulty = tmp_path / "faulty.csv"
    faulty.write_text(csv_text([row(inventory_no="22442026E000000009", order_no="ORDER-9", waybill_no="W9", goods_name="")]), encoding="utf-8")
    _run(tmp_path, faulty)
    [rejected] = trace(place, {"ORDER-9"})
    assert (rejected["fate"].to_pylist(), rejected["reason"].to_pylist()) == (["rejected"], ["R101"]), "found in the rejected lines there"


def test_answers_are_taken_from_and_kept_in_object_storage(storage: Storage, tmp_path: Path) -> None:
    rows = [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}") for n in range(1, 4)]
    export = tmp_path / "export.csv"
    export.write_text(csv_text(rows), encoding="utf-8")
    _run(tmp_path, export, customs=CUSTOMS)
    sent = tmp_path / "sent/summary_applications"
    sent.mkdir(parents=True)
    for key, data in storage.objects(f"{RUN}summary_applications/").items():
        (sent / Path(key).name).write_bytes(data)
    office = SimulatedCustoms(rows)
    office.take(sent.parent)
    [(cop_no, asked)] = office.asked.items()
    answers = [receipts(asked, "120", "20261105110000000"), *(each for made in office.merge(cop_no) for each in results(made, "20261105120000000"))]
    for number, answer in enumerate(answers):
        storage.put(f"answers/{number}.xml", answer)
    storage.put("answers/damaged.zip", b"PK\x03\x04 and no more")
    wanted = parameters(any_path_of(f"s3://{BUCKET}/answers"), out=OUT, ledger=tmp_path / LEDGER).for_receive()  # type: ignore[arg-type]
    received = receive(wanted, NOW)
    assert received.changed == [("202610-01-A001", "merged")]
    assert [(each.file, each.row) for each in received.aside] == [(f"s3://{BUCKET}/answers/damaged.zip", None)]
    assert [str(run.folder) for run in received.runs] == [f"{OUT}/reconciliation/202610-01"]
    kept = storage.objects(f"{OUT.key}/received/")
    assert {data for key, data in kept.items() if "/aside/" not in key} == set(answers)
    assert [data[:2] for key, data in kept.items() if "/aside/" in key] == [b"PK"]
    assert [run.lines for run in received.runs] == [3]
    again = receive(wanted, NOW)
    assert (again.known, again.changed) == (len(answers), [])
    assert storage.checked(tmp_path).problems == []


def test_status_and_doctor_say_what_they_can_where_the_bucket_is_out_of_reach(storage: Storage, tmp_path: Path) -> None:
    _run(tmp_path, _sound(tmp_path))
    options = parameters(out=OUT, ledger=tmp_path / LEDGER)  # type: ignore[arg-type]
    storage.server.choose = always(refused("AccessDenied", 403))
    said = status(options.for_status(3), NOW.date())
    assert [str(one.period) for one in said.periods] == ["2026-10"]
    assert any("no right to" in text.en for text in said.troubles)
    failed = {check.name.en for check in examine(options.for_doctor(), NOW.date()) if not check.well}
    assert failed == {"folder of results", "ledger"}


def test_a_voided_run_is_kept_under_another_name(storage: Storage, tmp_path: Path) -> None:
    path = _sound(tmp_path)
    _run(tmp_path, path)
    before = storage.objects(RUN)
    void(tmp_path / LEDGER, "202610-01", "wrong receipts", NOW, 0, OUT)
    assert storage.objects(RUN) == {}
    assert storage.objects(RUN.replace("-01/", "-01.void/")) == {key.replace("-01/", "-01.void/"): data for key, data in before.items()}
    assert storage.checked(tmp_path).problems == []
    assert _run(tmp_path, path).run_ref == "202610-02"


def test_a_prefix_without_a_manifest_is_no_run(storage: Storage, tmp_path: Path) -> None:
    storage.put("results/2026/2026-10/202610-07/declarations.csv", b"of something that was never published")
    assert _run(tmp_path, _sound(tmp_path)).published
    assert storage.checked(tmp_path).problems == []


def test_what_others_put_where_the_run_would_be_is_left(storage: Storage, tmp_path: Path) -> None:
    storage.put(f"{RUN}notes.txt", b"mine")
    with pytest.raises(CannotCreate, match=r"notes\.txt already"):
        _run(tmp_path, _sound(tmp_path))
    assert storage.objects(RUN) == {f"{RUN}notes.txt": b"mine"}


def test_a_run_that_the_ledger_does_not_know_is_refused(storage: Storage, tmp_path: Path) -> None:
    _run(tmp_path, _sound(tmp_path))
    with pytest.raises(WrongConfiguration, match="lost or old"):
        _run(tmp_path, _sound(tmp_path), ledger=tmp_path / "new.sqlite")
    storage.client.delete_object(Bucket=BUCKET, Key=f"{OUT.key}/ledger.head")
    with pytest.raises(WrongConfiguration, match="does not know the run folder s3://"):
        _run(tmp_path, _sound(tmp_path), ledger=tmp_path / "new.sqlite")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("changed", "the file was changed"), ("removed", "the file was removed"), ("added", "the file was added by hand"),
        ("manifest", "the manifest is not the one recorded"), ("all", "the folder of a published run is gone"),
    ],
)  # fmt: skip
def test_ledger_check_finds_what_was_done_to_objects(storage: Storage, tmp_path: Path, how: str, says: str) -> None:
    _run(tmp_path, _sound(tmp_path))
    keys = {"changed": f"{RUN}declarations.csv", "removed": f"{RUN}declarations.csv", "added": f"{RUN}more.csv", "manifest": f"{RUN}manifest.json"}
    if how in ("removed", "all"):
        for key in [keys["removed"]] if how == "removed" else storage.objects(RUN):
            storage.client.delete_object(Bucket=BUCKET, Key=key)
    else:
        storage.put(keys[how], b"{}")
    [problem] = storage.checked(tmp_path).problems
    assert problem.what.en == says


# ------------------------------------------------------------------------------------------------------------- where it goes


def test_a_ledger_is_never_in_object_storage(tmp_path: Path) -> None:
    options = parameters(_sound(tmp_path), out=OUT)  # type: ignore[arg-type]
    with pytest.raises(WrongConfiguration, match="--ledger postgresql://"):
        options.for_run(NOW.date())


@pytest.mark.parametrize("url", ["s3://", "s3://b", "s3:/b/k", f"s3://{ACCESS_KEY}:{SECRET_KEY}@bucket/k", "s3://bucket//k", "s3://buc ket/k"])
def test_a_malformed_url_is_not_repeated(url: str) -> None:
    with pytest.raises(WrongUsage) as stopped:
        any_path_of(url)
    assert SECRET_KEY not in str(stopped.value)


