"""The page: from an upload to the declarations in a real browser, and what is not let in."""

from __future__ import annotations

import http.client
import itertools
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")
pytest.importorskip("uvicorn", reason="the extra [web] is not installed")
from aggregator.web.uploads import OddFile, safe_name
from tests.cli.test_cli import aggregator
from tests.conftest import csv_text, row
from tests.outputs.browser import CONTRASTS, browser

ROOT = Path(__file__).parents[2]


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
        command = [sys.executable, "-m", "aggregator", "serve", "--out", "results", "--upload-limit", "1"]
        with (folder / "said.txt").open("w") as said:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=said, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.port = urlsplit(self.address).port

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, named)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace"), answer.headers

    def session(self) -> dict[str, str]:
        _, _, headers = self.ask("GET", self.address.split(str(self.port))[1])
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        return {"Cookie": cookie.split(";")[0], "Origin": f"http://127.0.0.1:{self.port}"}

    def form(self, session: dict[str, str], name: str, data: bytes, key: str | None = None) -> tuple[int, str]:
        key = key if key is not None else re.findall(r'name="form_key" value="([^"]+)"', self.ask("GET", "/", **session)[1])[0]
        parts = [f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode() for field, value in (("form_key", key), ("period", "2026-10"))]
        parts.append(f'--x\r\nContent-Disposition: form-data; name="exports"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n--x--\r\n")
        return self.ask("POST", "/upload", b"".join(parts), **session, Content_Type="multipart/form-data; boundary=x")[:2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("served"))
    yield started
    started.process.terminate()
    started.process.wait(30)


@pytest.mark.parametrize(
    ("given", "name"),
    [("../../etc/passwd.csv", "passwd.csv"), ("C:\\x\\..\\导出 十月.XLSX", "导出_十月.xlsx"), ("a\0b.csv", "a_b.csv"), (".csv", "export.csv"), ("-rf.csv", "rf.csv"),
     ("@list.txt", "list.txt"), ("x" * 300 + ".csv.gz", "x" * 60 + ".csv.gz"), ("a.csv", "a-2.csv")],
)  # fmt: skip
def test_a_name_is_made_of_what_a_browser_calls_a_file(given: str, name: str) -> None:
    assert safe_name(given, ["A.CSV"]) == name


@pytest.mark.parametrize("given", ["x.exe", "x", "", "..", "x.csv/", "x.gz.html"])
def test_other_kinds_of_files_are_refused(given: str) -> None:
    with pytest.raises(OddFile):
        safe_name(given)


@pytest.mark.parametrize("host", ["0", "0x0", "0.0", "0.0.0.0", "", "::", "::0", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "a b", "\udcff", "x" * 300, "."])
def test_what_is_no_address_of_its_own_is_refused(tmp_path: Path, host: str) -> None:
    result = aggregator("serve", "--out", "out", "--host", host, folder=tmp_path)
    assert (result.returncode, "address" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_who_is_not_let_in(server: Server) -> None:
    session, port = server.session(), server.port
    home, headers = server.ask("GET", "/", **session)[0], server.ask("GET", "/", **session)[2]
    assert home == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert server.ask("GET", "/")[0] == 401
    for query in ("token=wrong", "token=", "token", "xtoken=1", "a=token=", "token=&token=x", "TOKEN=x", "%74oken="):
        assert server.ask("GET", f"/?{query}")[0] == 401, query
    assert server.ask("GET", "/run/2026-10/202610-01/all.zip")[0] == 401
    assert server.ask("GET", "/", **session, Host="evil.example")[0] == 421
    assert server.ask("GET", server.address.split(str(port))[1], Host=f"evil.example:{port}")[0] == 421
    assert server.ask("DELETE", "/", **session)[0] == 403
    for origin in ("http://evil.example", "null", f"http://localhost:{port}", ""):
        assert server.form({**session, "Origin": origin}, "a.csv", b"x")[0] == 403, "though it knows the key of the form"
    for site in ("cross-site", "same-site", "none", ""):
        assert server.form({**session, "Sec-Fetch-Site": site}, "a.csv", b"x")[0] == 403
    assert server.form({"Origin": session["Origin"]}, "a.csv", b"x", key="k")[0] == 401
    assert server.form(session, "a.csv", b"x", key="wrong")[0] == 403
    assert server.form(session, "a.exe", b"x")[0] == 422
    for path in ("/run/2026-10/..%2F..%2Fetc/file/passwd", "/run/2026-10/x/file/..%2F..%2Fledger.sqlite", "/work/..%2F..", "/work/../../etc/passwd"):
        assert server.ask("GET", path, **session)[0] == 404
    assert server.ask("POST", "/upload", **session, Content_Length=str(1 << 40))[0] == 413
    assert server.ask("POST", "/upload", **session, Content_Length="-1")[0] in (400, 413)
    assert sorted(path.name for path in server.folder.rglob("*.csv")) == []


def one_part(size: int) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="exports"; filename="a.csv"\r\n\r\n' + b"a" * size + b"\r\n--x--\r\n"


def test_what_is_sent_without_its_size_being_said_is_counted(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    parts = (one_part(1 << 22)[at : at + 65536] for at in range(0, 1 << 20 | 1 << 17, 65536))
    named = {**server.session(), "Content-Type": "multipart/form-data; boundary=x", "Accept-Language": "zh-CN"}
    connection.request("POST", "/upload", parts, named, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, "文件过大" in answer.read().decode()) == (413, True)
    assert list((server.folder / "results").rglob("a.csv")) == []


@pytest.mark.parametrize(("body", "kind"), [(b"x", "multipart/form-data"), (b"garbage", "multipart/form-data; boundary=x"), (one_part(1) * 2, "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="form_key"\r\n\r\n' + b"a" * 9000 + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"), (b"{}", "application/json")])  # fmt: skip
def test_a_form_that_is_none_is_refused_in_words(server: Server, body: bytes, kind: str) -> None:
    status, said, _ = server.ask("POST", "/upload", body, **server.session(), Content_Type=kind, Accept_Language="zh-CN")
    assert status in (400, 403)
    assert 'lang="zh-CN"' in said


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/upload", 405)])
def test_an_address_that_is_none_is_refused_in_words(server: Server, path: str, status: int) -> None:
    answered, said, _ = server.ask("GET", path, **server.session(), Accept_Language="zh-CN")
    assert (answered, "页面或文件不存在" in said) == (status, True)


@pytest.mark.parametrize("other", ["x=\xe9", 'a={"b": 1, "c"}', "no equals", 'q="open', "[x]=1"])
def test_cookies_of_other_programs_of_the_machine_do_not_matter(server: Server, other: str) -> None:
    """Cookies know no ports: whatever else runs on this machine sends its own along."""
    session = server.session()
    assert server.ask("GET", "/lang", **{**session, "Cookie": f"{other}; {session['Cookie']}"})[0] == 303


def test_a_folder_that_cannot_be_written_to_is_said(server: Server) -> None:
    uploads = server.folder / "results" / "uploads"
    uploads.rename(uploads.with_name("kept"))
    uploads.write_text("")
    try:
        status, said = server.form(server.session(), "a.csv", b"x")
    finally:
        uploads.unlink()
        uploads.with_name("kept").rename(uploads)
    assert (status, "could not be kept" in said) == (507, True)


def test_files_of_a_run_are_handed_out_so_that_nothing_in_them_acts(server: Server) -> None:
    run = server.folder / "results/2026-10/202610-99"
    run.mkdir(parents=True)
    for name in ("manifest.json", "report.html", "evil.html", "evil.svg"):
        (run / name).write_text("{}" if name.endswith(".json") else "<script>alert(1)</script>")
    (run / "link.csv").symlink_to("/etc/passwd")
    (run / "linked").symlink_to("/etc")
    linked = server.folder / "results/2026-10/202610-98"
    linked.symlink_to(run)
    session = server.session()
    try:
        answers = {name: server.ask("GET", f"/run/2026-10/202610-99/file/{name}", **session) for name in ("report.html", "evil.html", "evil.svg", "link.csv", "linked/passwd")}
        assert server.ask("GET", "/run/2026-10/202610-98", **session)[0] == 404
    finally:
        linked.unlink()
        shutil.rmtree(run)
    assert {name: status for name, (status, *_) in answers.items()} == {"report.html": 200, "evil.html": 200, "evil.svg": 200, "link.csv": 404, "linked/passwd": 404}
    for name in ("report.html", "evil.html", "evil.svg"):
        headers = answers[name][2]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert ("attachment" in headers.get("content-disposition", "")) == (name != "report.html")


FINDINGS = "code,severity,scope,inventory_no,item_no,column,value,message,source_file,source_row"
ODD_RUNS: dict[str, Callable[[Path], object]] = {
    "as it was": lambda run: None,
    "files of 1970": lambda run: os.utime(run / "findings.csv", (0, 0)),
    "counts that are none": lambda run: (run / "manifest.json").write_text('{"counts": [1]}'),
    "a manifest that is none": lambda run: (run / "manifest.json").write_text("[" * 100_000),
    "a manifest without end": lambda run: ((run / "manifest.json").unlink(), (run / "manifest.json").symlink_to("/dev/zero")),
    "a manifest nobody writes": lambda run: ((run / "manifest.json").unlink(), os.mkfifo(run / "manifest.json")),
    "a name that is not UTF-8": lambda run: Path(os.fsdecode(os.fsencode(run) + b"/\xc7\xe5.csv")).write_text("x"),
    "a name with a line end": lambda run: (run / "a\r\nSet-Cookie: x=1\u202e.csv").write_text("x"),
    "findings with a large cell": lambda run: (run / "findings.csv").write_text(f"{FINDINGS}\nR101,error,row,1,1,sku,{'x' * 200_000},y,a.csv,2\n"),
    "findings cut short": lambda run: (run / "findings.csv").write_text(f"{FINDINGS}\nR101\n"),
    "findings under no heading": lambda run: (run / "findings.csv").write_text("a\nb\n"),
    "findings of bytes": lambda run: (run / "findings.csv").write_bytes(b"code,severity\n\xff\0,\n"),
    "findings nobody writes": lambda run: ((run / "findings.csv").unlink(), os.mkfifo(run / "findings.csv")),
}


@pytest.mark.parametrize("odd", ODD_RUNS)
def test_a_run_folder_that_others_changed_is_no_fault(server: Server, odd: str) -> None:
    run = server.folder / "results/2026-10/202610-01"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"counts": {"lines": 1}}')
    (run / "findings.csv").write_text(f"{FINDINGS}\nR101,error,row,1,1,sku,x,y,a.csv,2\n")
    ODD_RUNS[odd](run)
    session, before = server.session(), (server.folder / "said.txt").read_text()
    try:
        answers = {path: server.ask("GET", path, **session) for path in ("/", "/run/2026-10/202610-01")}
        names = re.findall(r'href="(/run/2026-10/202610-01/[^"]+)"', answers["/run/2026-10/202610-01"][1])
        answers |= {path: server.ask("GET", path.replace("&amp;", "&"), **session) for path in names}
    finally:
        shutil.rmtree(run)
    assert {path: status for path, (status, _, _) in answers.items() if status not in (200, 404)} == {}
    assert not [path for path, (_, _, headers) in answers.items() if "x=1" in (headers["set-cookie"] or "")]
    assert (server.folder / "said.txt").read_text() == before
    if answers["/run/2026-10/202610-01"][0] == 200:
        assert ("R101" in answers["/run/2026-10/202610-01"][1]) != ("cannot be read" in answers["/run/2026-10/202610-01"][1])


@pytest.mark.parametrize("head", ["GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: " + "9" * 5000, "GET /\0 HTTP/1.1\r\nHost: {host}", "GET /%00%ff HTTP/1.1\r\nHost: {host}", "GET http://evil.example/ HTTP/1.1\r\nHost: {host}",
                                  "GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example", "GET / HTTP/1.1\r\nHost: {host}\r\nX: " + "a" * 100_000, "POST /upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: ²", "\x16\x03\x01", "GET / HTTP/0.9",
                                  "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="], ids=lambda head: ascii(head)[:40])  # fmt: skip
def test_what_is_no_request_is_no_fault(server: Server, head: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
        sender.sendall(head.replace("{host}", f"127.0.0.1:{server.port}").encode("latin-1") + b"\r\n\r\n")
        answer = sender.recv(1 << 16)
    assert not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 5")), answer
    assert server.ask("GET", "/", **server.session())[0] == 200
    assert "Traceback" not in (server.folder / "said.txt").read_text()


def test_a_second_host_is_not_let_in(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
        sender.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nHost: evil.example\r\nCookie: {server.session()['Cookie']}\r\n\r\n".encode())
        assert sender.recv(1 << 16).split()[1] in (b"400", b"421")


def test_a_sender_who_leaves_is_no_fault(server: Server) -> None:
    session = server.session()
    head = f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {session['Cookie']}\r\nOrigin: {session['Origin']}\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9999\r\n\r\n".encode() + one_part(1)[:40])
    assert server.ask("GET", "/", **session)[0] == 200
    assert "Traceback" not in (server.folder / "said.txt").read_text()


def ended(server: Server, session: dict[str, str], address: str) -> str:
    """The page of a piece of work, once its step has ended."""
    until = time.monotonic() + 60
    while 'http-equiv="refresh"' in (said := server.ask("GET", address, **session)[1]):
        assert time.monotonic() < until, said
        time.sleep(0.1)
    return said


def sent(server: Server, session: dict[str, str], rows: list[dict[str, str]] | bytes, name: str = "十月.csv") -> tuple[str, str]:
    """The address of the work, and its page once it is checked."""
    data = rows if isinstance(rows, bytes) else csv_text(rows, {"commodity_code": "海关编码", "inventory_no": "清单编号"}).encode()
    before = set((server.folder / "results/uploads").glob("*"))
    assert server.form(session, name, data)[0] == 303
    [made] = set((server.folder / "results/uploads").glob("*")) - before
    return f"/work/{made.name}", ended(server, session, f"/work/{made.name}")


def test_findings_stand_under_the_user_s_own_headings(server: Server) -> None:
    session = {**server.session(), "Accept-Language": "zh-CN"}
    address, said = sent(server, session, [row(inventory_no="22442026E000000077", goods_name="", commodity_code="12")])
    assert "<td>海关编码(commodity_code)</td>" in said
    assert "<td>商品名称(goods_name)</td>" in said, "where theirs is our name, with that of the trade"
    assert 'R101 <span class="badge">错误</span>' in said
    english = server.ask("GET", address, **{**session, "Accept-Language": "en"})[1]
    assert "<td>commodity_code (海关编码)</td>" in english
    assert "<td>goods_name</td>" in english


def test_what_was_sent_is_the_users_alone(server: Server) -> None:
    address, _ = sent(server, server.session(), [row(inventory_no="22442026E000000081")], "a.csv")
    uploads = server.folder / "results/uploads"
    kept = uploads / address.rsplit("/", 1)[1] / "exports/a.csv"
    assert (stat.S_IMODE(uploads.stat().st_mode), stat.S_IMODE(kept.stat().st_mode)) == (0o700, 0o600)


def test_what_stopped_a_check_is_said_of_the_file_as_it_was_called(server: Server) -> None:
    session = {**server.session(), "Accept-Language": "zh-CN"}
    _, said = sent(server, session, b"a,b\n1,2\n")
    assert "文件无法使用 (65)" in said
    assert "[F101] 十月.csv：" in said
    assert str(server.folder) not in said
    assert "发现的问题" not in said


def test_a_run_that_declares_nothing_is_no_failure_and_says_why(server: Server) -> None:
    session = {**server.session(), "Accept-Language": "zh-CN"}
    address, said = sent(server, session, [row(inventory_no="22442026E000000078", status_code="", cleared_at="")])
    assert "排除 1：未结关" in said
    assert "请注意" in said
    key = re.findall(r'name="form_key" value="([^"]+)"', said)[0]
    body = f"form_key={key}".encode()
    for other, given, status in ((session, b"form_key=wrong", 403), (session, b"", 403), ({**session, "Origin": "http://evil.example"}, body, 403), ({"Origin": session["Origin"]}, body, 401)):
        assert server.ask("POST", f"{address}/run", given, **other, Content_Type="application/x-www-form-urlencoded")[0] == status
    assert server.ask("POST", f"{address}/run", body, **session, Content_Type="application/x-www-form-urlencoded")[0] == 303
    said = ended(server, session, address)
    assert "没有新的清单需要申报</h2>" in said
    assert "全部排除" not in said
    assert 'class="card error"' not in said


@pytest.mark.parametrize(("came_from", "to"), [("/work/x", "/work/x"), ("/", "/"), ("/lang?to=en", "/"), ("http://evil.example/work/x", "/"), ("", "/")])
def test_the_other_language_of_the_same_page(server: Server, came_from: str, to: str) -> None:
    referer = f"http://127.0.0.1:{server.port}{came_from}" if came_from.startswith("/") else came_from
    status, _, headers = server.ask("GET", "/lang?to=en", **server.session(), Referer=referer)
    assert (status, headers["location"]) == (303, to)


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Any]:
    with browser() as started:
        context = started.new_context(locale="zh-CN", viewport={"width": 390, "height": 900})
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(server.address)
        page.wait_for_selector("input[name=exports]")
        yield page


@pytest.mark.long
def test_from_an_upload_to_declarations(server: Server, page: Any) -> None:
    bad = row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", goods_name="", goods_spec="<script>alert(1)</script>")
    export = server.folder / "十月.csv"
    export.write_text(csv_text([row(), bad]), encoding="utf-8")
    assert "token" not in page.url
    # What is dropped goes to the field itself: without script the words beside it take nothing.
    assert all(page.locator("input[type=file]").nth(place).bounding_box()["height"] > 60 for place in (0, 1))
    shots = os.environ.get("SCREENSHOTS")
    for step in ("export", "corrected"):
        page.locator("input[name=exports]").set_input_files(export)
        page.locator("input[name=period]").fill("2026-10")
        page.get_by_role("button", name="校验").click()
        page.get_by_role("button", name="申报无误的清单").wait_for(timeout=60_000)
        assert page.locator("section.error h3").count() == (1 if step == "export" else 0)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert page.evaluate(CONTRASTS) == []
        if shots:
            page.screenshot(path=f"{shots}/{step}.png", full_page=True)
        page.get_by_role("button", name="申报无误的清单").click()
        page.get_by_role("link", name="报告与文件").click(timeout=60_000)
        if shots:
            page.screenshot(path=f"{shots}/{step}-run.png", full_page=True)
        if step == "export":
            page.get_by_role("link", name="报告", exact=True).click()
            assert "202610-01" in page.content()
            page.go_back()
            export.write_text(csv_text([row(), {**bad, "goods_name": "棉制T恤衫"}]), encoding="utf-8")
            page.get_by_role("link", name="重新上传").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="全部文件").click()
    assert "202610-02/declarations.csv" in zipfile.ZipFile(started.value.path()).namelist()
    assert page.said == []
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name="Run 202610-02").wait_for()
    page.get_by_role("link", name="aggregator").click()
    assert "Runs" in page.content()
    for scheme, width in itertools.product(("light", "dark"), (390, 768, 1280, 1920)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        for address in ("/", "/run/2026-10/202610-01", re.findall(r"/work/[0-9a-f-]+", page.content())[0]):
            page.goto(f"http://127.0.0.1:{server.port}{address}")
            if shots:
                page.screenshot(path=f"{shots}/{address.split('/')[1] or 'home'}-{scheme}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
            assert page.evaluate(CONTRASTS) == []
            # A word of a heading stands on one line.
            assert page.evaluate("[...document.querySelectorAll('th')].filter(one => !/[ \\u4e00-\\u9fff]/.test(one.innerText) && one.clientHeight > 45).length") == 0
            if address != "/":
                page.go_back()
    if shots:
        page.screenshot(path=f"{shots}/home.png", full_page=True)


@pytest.mark.long
def test_by_keyboard_alone(server: Server, page: Any) -> None:
    export = server.folder / "十一月.csv"
    export.write_text(csv_text([row(inventory_no="22442026E000000079", order_no="79", waybill_no="79")]), encoding="utf-8")
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.locator("input[name=exports]").set_input_files(export)
    page.locator("input[name=period]").fill("2026-10")

    def reach(wanted: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", wanted):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "it is seen where one is"
                return
        raise AssertionError(wanted)

    for wanted in ("input[name=exports]", "input[name=receipts]", "select[name=mode]", "input[name=cleared]", "form.card button"):
        reach(wanted)
    page.keyboard.press("Enter")
    page.locator("form[action$='/run'] button").wait_for(timeout=60_000)
    reach("form[action$='/run'] button")
    page.keyboard.press("Enter")
    page.locator("section.good").wait_for(timeout=60_000)
    reach("section.good a")
    page.keyboard.press("Enter")
    page.locator("a[href$='report.html']").first.wait_for()
