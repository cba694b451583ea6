"""Names of files in any encoding, under any locale, and streams in any: all are read, told and written in a form that survives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.model.names import is_text, path_of, told
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, csv_text, read_rows, row

pytestmark = pytest.mark.long

LIST, WRONG, NEITHER = "清单.csv".encode("gbk"), "错 误.csv".encode("gbk"), b"\xff\xfe\x81.csv"
LOCALES: dict[str, dict[str, str]] = {
    "utf-8": {"LANG": "C.UTF-8", "LC_ALL": ""}, "C": {"LC_ALL": "C"},
    "nothing but ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "GBK output": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "gbk"},
}  # fmt: skip
IN_TIME = (*PERIOD, "--as-of", "2026-11-05", "--lang", "zh")


def command(folder: Path, locale: str, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    own: list[str | bytes] = [sys.executable, "-m", "aggregator", *arguments]
    return subprocess.run(own, cwd=folder, env={**os.environ, **LOCALES[locale]}, capture_output=True, check=False)


def test_what_is_told_of_a_name() -> None:
    assert told(os.fsdecode(LIST)) == "清单.csv"
    assert told(os.fsdecode("清单.csv".encode())) == "清单.csv"
    assert told(Path("a/清单.csv")) == "a/清单.csv"
    assert told(os.fsdecode(NEITHER)) == "\\xff\\xfe\\x81.csv"
    assert is_text("清单")
    assert not is_text(os.fsdecode(LIST))
    assert path_of("清单.csv") == Path("清单.csv")


@pytest.mark.parametrize("locale", LOCALES)
def test_names_in_any_encoding(tmp_path: Path, locale: str) -> None:
    (tmp_path / "folder").mkdir()
    for place, name in enumerate((LIST, WRONG, NEITHER, "单.csv".encode()), 1):
        faulty = {"goods_name": ""} if place > 1 else {}
        one = row(inventory_no=f"22442026E00000000{place}", order_no=f"DD{place}", waybill_no=f"LP{place}", **faulty)
        (tmp_path / "folder" / os.fsdecode(name)).write_text(csv_text([one]), encoding="utf-8")
    (tmp_path / "folder" / os.fsdecode("说明.doc".encode("gbk"))).write_bytes(b"")
    result = command(tmp_path, locale, "run", "folder", *IN_TIME, "--out", "out", "--format", "xlsx", "--format", "parquet", "--json")
    assert result.returncode == 3, result.stderr
    assert json.loads(result.stdout.decode("gbk" if locale == "GBK output" else "utf-8"))["counts"]["inventories_declared"] == 1
    run = tmp_path / "out/2026-10/202610-01"
    names = {"folder/错 误.csv", "folder/\\xff\\xfe\\x81.csv", "folder/单.csv"}
    assert {each["source_file"] for each in read_rows(run / "findings.csv")} == names
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert {each["file"] for each in manifest["inputs"]} == {*names, "folder/清单.csv"}
    assert {path.with_suffix(".csv").name for path in (run / "rejected").iterdir()} == {Path(name).name for name in names}
    checked = command(tmp_path, locale, "ledger", "check", "--out", "out", "--lang", "en")
    assert b"all as recorded" in checked.stdout, checked.stdout
    for arguments in (("check", b"folder/" + WRONG), ("columns", b"folder/" + LIST), ("check", b"folder/" + NEITHER), ("receive", b"folder/" + WRONG, "--out", "out"), ("check", b"folder/*.csv"),
                      ("check", "folder/单.csv".encode(), "--sheet", "单".encode()), ("ledger", "import", b"folder/" + LIST, "--out", "other"), ("modes", b"folder/" + LIST)):  # fmt: skip
        result = command(tmp_path, locale, *arguments)
        assert result.returncode in (0, 3), (arguments, result.stderr)
        assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("locale", LOCALES)
def test_chinese_places(tmp_path: Path, locale: str) -> None:
    (tmp_path / "清单.csv").write_text(csv_text([row(), row(inventory_no="2", goods_name="")]), encoding="utf-8")
    (tmp_path / "list.txt").write_text("清单.csv\n", encoding="utf-8")
    assert command(tmp_path, locale, "check", "@list.txt").returncode == 3
    result = command(tmp_path, locale, "run", "清单.csv".encode(), *IN_TIME, "--out", "结果".encode())
    if locale == "nothing but ASCII":
        assert (result.returncode, b"LANG=C.UTF-8" in result.stderr) == (2, True)
        return
    assert result.returncode == 3
    assert (tmp_path / "结果/2026-10/202610-01/rejected/清单.csv").exists()
    assert command(tmp_path, locale, "ledger", "check", "--out", "结果".encode()).returncode == 0
    gbk = command(tmp_path, locale, "run", "清单.csv".encode(), *IN_TIME, "--out", "结果".encode("gbk"))
    assert gbk.returncode == 2


def test_a_reason_typed_in_another_encoding_is_kept(runner: Runner) -> None:
    runner.run_rows([row()])
    result = command(runner.folder, "utf-8", "ledger", "answer", "202610-01-A001", "refused", "--reason", "退单".encode("gbk"), "--out", "out")
    assert result.returncode == 0, result.stderr
    assert "退单" in aggregator("ledger", "show", "--out", "out", folder=runner.folder).stdout
